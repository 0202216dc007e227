/// Copies a topic from one cluster to the same partitions of another, until it is stopped; batches stay compressed: source target topic group
module LibKafka.Samples.Mirror

open System
open LibKafka.Records
open LibKafka.Client
open LibKafka.Topics

let run (source: string) (target: string) (topic: string) (group: string) (stop: Threading.CancellationToken) =
    let orFail result = Result.defaultWith (failwithf "%O") result
    let from, target = Bootstrap.parse source |> orFail, Bootstrap.parse target |> orFail
    use connection = Cluster.Connect(ClientSettings.standard, target) |> orFail
    let identity = (ProducerIdentity.Request connection).Result |> orFail
    let create at = IdempotentProducer(new PartitionClient(ClientSettings.standard, target, at), ProducerSettings.standard, identity)
    let producers = Collections.Concurrent.ConcurrentDictionary<TopicPartition, IdempotentProducer>()
    use consumer = new GroupConsumer(ClientSettings.standard, from, GroupSettings.make group [ topic ])
    while not stop.IsCancellationRequested do
        match consumer.Poll(TimeSpan.FromSeconds 1.0, stop) with
        | Some(GroupEvent.Read(ConsumerEvent.Fetched(partition, _, fetched, _))) ->
            let producer = producers.GetOrAdd(partition, create)
            for item in fetched.Batches do
                match item with
                | RecordSetItem.Batch(batch, _) ->
                    let forwarded = RecordBatch.forForwarding batch |> orFail
                    let produced = RetryPolicy.idempotent.Run(fun call -> producer.Produce(forwarded, call))
                    if not produced.Result.IsAcknowledged then failwith $"{produced.Result}"
                | other -> failwith $"{other} is not a record batch of Kafka 0.11 or later"
        | Some(GroupEvent.Failed failure) when failure.IsFatal -> failwith $"{failure}"
        | _ -> ()
    eprintfn $"{consumer.Close()}"
