/// The topics of a benchmark on a real cluster: made and filled before it, and deleted after it.
module LibKafka.Benchmarks.EndToEnd.Cluster

open System
open System.Threading
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Benchmarks.EndToEnd.Workload

let private patience = TimeSpan.FromSeconds 30.0

let private orFail (result: Result<'T, 'Problem>) : 'T =
    match result with
    | Ok value -> value
    | Error problem -> invalidOp (string (box problem))

let private waitUntil (is: unit -> bool) =
    if
        not (
            SpinWait.SpinUntil(
                (fun () ->
                    is ()
                    || (Thread.Sleep 100
                        false)),
                patience
            )
        )
    then
        invalidOp "the cluster does not make or delete the topics"

let private delete (admin: AdminClient) (topics: Topic list) =
    for name, result in admin.DeleteTopics([ for topic in topics -> topic.Name ], patience).Result do
        match result with
        | Ok _ -> ()
        | Error(AdminFault.Refused(code, _)) when code = ErrorCode.UnknownTopicOrPartition -> ()
        | Error fault -> invalidOp $"{name}: {fault}"

let private create (admin: AdminClient) (brokers: Bootstrap) (topics: Topic list) =
    let make (topic: Topic) : NewTopic = { Name = topic.Name; Partitions = topic.Partitions; ReplicationFactor = 1s; Configs = [] }

    for _, result in admin.CreateTopics(List.map make topics, patience).Result do
        result |> orFail |> ignore

    waitUntil (fun () ->
        let found = Cluster.FindLeaders(Ours.settings, brokers, [ for topic in topics -> topic.Name ]) |> orFail

        List.forall2
            (fun (topic: Topic) (leaders: TopicLeaders) ->
                leaders.PartitionCount = topic.Partitions && leaders.Partitions |> Map.forall (fun _ leader -> leader.IsOk))
            topics
            found)

let private fill (bootstrap: string) (topic: Topic) (log: Log) =
    let builder = BatchBuilder BatchOptions.standard

    for partition in 0 .. topic.Partitions - 1 do
        use client = Ours.client bootstrap topic.Name partition
        let producer = new PartitionProducer(client, ProducerSettings.standard)

        for _ in 1 .. log.Batches do
            Ours.produce producer (Ours.fillWith builder log.ValueSize log.BatchRecords)

/// Runs with the topics.
let withTopics (bootstrap: string) (topics: Topic list) (run: unit -> 'T) : 'T =
    let brokers = Ours.brokersAt bootstrap
    use admin = new AdminClient(Ours.settings, brokers)
    // An earlier run may have ended before it deleted them.
    delete admin topics

    waitUntil (fun () ->
        match Cluster.FindLeaders(Ours.settings, brokers, [ for topic in topics -> topic.Name ]) with
        | Ok found -> found |> List.forall (fun topic -> topic.PartitionCount = 0)
        | Error _ -> true)

    create admin brokers topics

    try
        for topic in topics do
            topic.Log |> Option.iter (fill bootstrap topic)

        run ()
    finally
        delete admin topics
