/// The five programs that the samples are compared with, written with Confluent.Kafka: they must do what the samples do.
module LibKafka.Integration.TwinTests

open System
open System.Collections.Generic
open System.IO
open System.Threading
open Confluent.Kafka
open Expecto
open LibKafka.Client
open LibKafka.Benchmarks
open LibKafka.Tests
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support

let private partitions = 2
let private count = 100

/// Runs a program in a thread of its own until a condition is true. Its exception fails the test.
let private until (what: string) (isDone: unit -> bool) (program: CancellationToken -> unit) =
    use stop = new CancellationTokenSource()
    let mutable failure: exn option = None

    let run () =
        try
            program stop.Token
        with error ->
            failure <- Some error

    // A program that does not stop must not keep the tests from ending.
    let thread = Thread(run, IsBackground = true)
    thread.Start()

    try
        awaiting what (fun () -> failure.IsSome || isDone ())
    finally
        stop.Cancel()

    if not (thread.Join(ms 30_000)) then failtest "the program does not stop"

    failure |> Option.iter (fun error -> failtestf "%O" error)

/// Runs a test on a mock cluster that has the topic.
let private withTopic (topic: string) (test: MockCluster -> unit) =
    use cluster = MockCluster.start 1
    cluster.CreateTopic(topic, partitions, 1)
    test cluster

let private produceKeyed (cluster: MockCluster) (topic: string) : int =
    let lines = String.Join("\n", [ for number in 1..count -> $"key-{number} value {number}" ])
    use input = new StringReader(lines)
    Twins.KeyedProducer.Run(cluster.Bootstrap, topic, input)

/// Keys and values of all committed records in a topic, by number. Confluent.Kafka reads them: the mock cluster's transaction markers have no checksum.
let private recordsIn (cluster: MockCluster) (topic: string) : (string * string) list =
    let config =
        ConsumerConfig(
            BootstrapServers = cluster.Bootstrap,
            GroupId = "reader",
            IsolationLevel = IsolationLevel.ReadCommitted,
            EnableAutoCommit = false,
            EnablePartitionEof = true
        )

    use consumer = ConsumerBuilder<string, string>(config).Build()
    consumer.Assign [ for partition in 0 .. partitions - 1 -> TopicPartitionOffset(topic, Partition partition, Offset.Beginning) ]
    let mutable ends = 0
    let mutable found = []

    while ends < partitions do
        let result = consumer.Consume()
        if result.IsPartitionEOF then
            ends <- ends + 1
        else
            found <- (result.Message.Key, result.Message.Value) :: found

    found |> List.sortBy (fun (key, _) -> int (key.Substring(key.IndexOf '-' + 1)))

let private expected (valueOf: int -> string) = [ for number in 1..count -> $"key-{number}", valueOf number ]

/// The sum of the offsets that a group has committed in a topic.
let private committed (cluster: MockCluster) (topic: string) (group: string) : int64 =
    use client = new GroupClient(patient, Bootstrap.parse cluster.Bootstrap |> ok, group)
    let all =
        [ for partition in 0 .. partitions - 1 -> ({ Topic = topic; Partition = partition }: LibKafka.Client.TopicPartition) ]

    (client.FetchOffsets(GroupMembership.none, all, false)).Result
    |> ok
    |> List.sumBy (fun at ->
        match at.Result with
        | Ok(Some position) -> position.Offset
        | _ -> 0L)

/// A list that a program prints to.
let private paper () : Action<string> * (unit -> string list) =
    let lines = List<string>()
    Action<string>(fun line -> lock lines (fun () -> lines.Add line)), (fun () -> lock lines (fun () -> List.ofSeq lines))

[<Tests>]
let tests =
    testList
        "twins of the samples, with Confluent.Kafka"
        [ testCase "the keyed producer delivers each line" (fun () ->
              withTopic "keyed" (fun cluster ->
                  Expect.equal (produceKeyed cluster "keyed") 0 "not delivered"
                  Expect.equal (recordsIn cluster "keyed") (expected (fun number -> $"value {number}")) "the records"))

          testCase "the group member prints each record once and commits" (fun () ->
              withTopic "grouped" (fun cluster ->
                  produceKeyed cluster "grouped" |> ignore
                  let print, printed = paper ()
                  let records () = printed () |> List.filter _.Contains(" = value ")

                  (fun stop -> Twins.GroupMember.Run(cluster.Bootstrap, "grouped", "twin", print, stop))
                  |> until "the records" (fun () -> (records ()).Length >= count)

                  Expect.hasLength (records ()) count "each record once"
                  Expect.equal (committed cluster "grouped" "twin") (int64 count) "committed"))

          testCase "the mirror copies each record to the same partition and commits" (fun () ->
              withTopic "mirrored" (fun source ->
                  withTopic "mirrored" (fun target ->
                      produceKeyed source "mirrored" |> ignore

                      (fun stop -> Twins.Mirror.Run(source.Bootstrap, target.Bootstrap, "mirrored", "twin", stop))
                      |> until "the copies" (fun () -> (recordsIn target "mirrored").Length >= count)

                      Expect.equal (recordsIn target "mirrored") (recordsIn source "mirrored") "the records"
                      Expect.equal (committed source "mirrored" "twin") (int64 count) "committed")))

          testCase "the lag monitor prints how far the group is behind" (fun () ->
              withTopic "watched" (fun cluster ->
                  produceKeyed cluster "watched" |> ignore
                  let print, printed = paper ()

                  (fun stop -> Twins.LagMonitor.Run(cluster.Bootstrap, "watched", "twin", partitions, print, stop))
                  |> until "a line for each partition" (fun () -> (printed ()).Length >= partitions)

                  let lag (line: string) = int (line.Substring(line.LastIndexOf ' '))
                  Expect.equal (printed () |> List.take partitions |> List.sumBy lag) count "the lag"))

          // The mock cluster does not keep offsets that are committed in a transaction.
          testCase "the exactly-once copy writes each record once, in upper case" (fun () ->
              withTopic "from" (fun cluster ->
                  cluster.CreateTopic("to", partitions, 1)
                  produceKeyed cluster "from" |> ignore

                  (fun stop -> Twins.ExactlyOnce.Run(cluster.Bootstrap, "from", "to", "twin", stop))
                  |> until "the copies" (fun () -> (recordsIn cluster "to").Length >= count)

                  Expect.equal (recordsIn cluster "to") (expected (fun number -> $"VALUE {number}")) "the records")) ]
