/// Copies a topic from one cluster to the same partitions of another, until it is stopped. The batches stay compressed.
module LibKafka.Samples.Mirror

open System
open System.Threading
open LibKafka.Records
open LibKafka.Client
open LibKafka.Topics

let run (source: Bootstrap) (target: Bootstrap) (topic: string) (group: string) (stop: CancellationToken) =
    use consumer = new GroupConsumer(ClientSettings.standard, source, GroupSettings.make group [ topic ])
    let client partition = new PartitionClient(ClientSettings.standard, target, partition)
    let producers = Collections.Generic.Dictionary<TopicPartition, PartitionProducer>()

    while not stop.IsCancellationRequested do
        match consumer.Poll(TimeSpan.FromSeconds 1.0, stop) with
        | Some(GroupEvent.Read(ConsumerEvent.Fetched(partition, _, fetched, _))) ->
            if not (producers.ContainsKey partition) then
                producers[partition] <- new PartitionProducer(client partition, ProducerSettings.standard)
            for item in fetched.Batches do
                match item with
                | RecordSetItem.Batch(batch, _) ->
                    let forwarded = RecordBatch.forForwarding batch |> Result.defaultWith (fun obstacle -> failwith $"{obstacle}")
                    let produced = RetryPolicy.produce.Run(fun call -> producers[partition].Produce(forwarded, call))
                    if not produced.Result.IsAcknowledged then failwith $"{produced.Result}"
                | _ -> failwith "not a record batch of Kafka 0.11 or later"
        | Some(GroupEvent.Failed failure) when failure.IsFatal -> failwith $"{failure}"
        | _ -> ()
