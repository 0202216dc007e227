/// Consumers of many partitions, on scripted brokers.
module LibKafka.Integration.TopicConsumerSupport

open System.Collections.Generic
open System.Diagnostics
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Integration.Support

/// Fetches that wait for this long, and retries without long waits.
let settingsOf (maxWait: int) : ConsumerSettings =
    let policy = { RetryPolicy.patient (fun () -> true) with FirstDelay = ms 1; MaxDelay = ms 5 }

    { ConsumerSettings.standard with
        Fetching = { FetcherSettings.standard with MaxWait = ms maxWait }
        NextStep = NextStep.retrying policy }

let consumerOf (cluster: ConsumerCluster) (maxWait: int) = new TopicConsumer(patient, cluster.Bootstrap, settingsOf maxWait)

/// The records of a `Fetched` event by offset.
let recordsIn (records: FetchedRecords) : (int64 * string) list =
    FetchedRecords.toList records
    |> ok
    |> List.map (fun record -> record.Offset, (record.Value |> ValueOption.map Bytes.toText |> ValueOption.defaultValue ""))

/// Lets a consumer read partitions from the earliest offset on.
let addFromStart (cluster: ConsumerCluster) (consumer: TopicConsumer) (partitions: int list) =
    for partition in partitions do
        consumer.Add(cluster.Partition partition, Start.earliest)

/// Polls until a condition is true, and collects the records of each partition.
let readWhile (consumer: TopicConsumer) (condition: Dictionary<int, List<int64 * string>> -> bool) =
    let read = Dictionary<int, List<int64 * string>>()
    let patience = Stopwatch.StartNew()

    while condition read do
        if patience.Elapsed > ms 20_000 then failtest "the consumer took too long"

        match consumer.Poll(ms 100) with
        | Some(ConsumerEvent.Fetched(partition, records, _, _)) ->
            if not (read.ContainsKey partition.Partition) then
                read[partition.Partition] <- List()

            read[partition.Partition].AddRange(recordsIn records)
        | Some other -> failtestf "%O" other
        | None -> ()

    read

let total (read: Dictionary<int, List<int64 * string>>) = read.Values |> Seq.sumBy _.Count

let nextEvent (consumer: TopicConsumer) : ConsumerEvent =
    match consumer.Poll(ms 10_000) with
    | Some event -> event
    | None -> failtest "there was no event"
