/// The sample programs that read topics.
module LibKafka.Integration.ConsumerSampleTests

open System
open System.Collections.Generic
open System.Threading
open Expecto
open LibKafka.Records
open LibKafka.Client
open LibKafka.Compression
open LibKafka.Samples
open LibKafka.Tests
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support

/// Runs a program in a thread of its own until a condition is true. Its exception fails the test.
let until (what: string) (isDone: unit -> bool) (program: CancellationToken -> unit) =
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

let private partitionOf (cluster: MockCluster) (topic: string) (index: int) =
    new PartitionClient(patient, Bootstrap.parse cluster.Bootstrap |> ok, { Topic = topic; Partition = index })

let private produce (client: PartitionClient) (batch: RecordBatch) =
    acknowledged ((new PartitionProducer(client, ProducerSettings.standard)).Produce batch) |> ignore

let private batchesOf (client: PartitionClient) : RecordBatch list =
    let fetcher = new PartitionFetcher(client, { FetcherSettings.standard with MaxWait = ms 1 }, 0L)
    let mutable found = []
    let mutable isOver = false

    while not isOver do
        let fetched = fetcher.Fetch()
        let batches =
            [ for item in fetched.Batches do
                  match item with
                  | RecordSetItem.Batch(batch, _) -> batch
                  | other -> failtestf "%A" other ]
        // The memory of a fetch is its own.
        found <- found @ batches
        isOver <- batches.IsEmpty
        fetcher.Position <- positionBehind fetched

    found

[<Tests>]
let tests =
    testList
        "samples that read"
        [ testCase "the mirror copies batches as they are, still compressed" (fun () ->
              use source = MockCluster.start 1
              use target = MockCluster.start 1

              for cluster in [ source; target ] do
                  cluster.CreateTopic("mirrored", 2, 1)

              let compressed name =
                  RecordBatch.compress (CompressionCodecs.tryFind CompressionType.Gzip AllCodecs.Set |> ValueOption.get) (batch name 20)
                  |> ok

              for partition in 0..1 do
                  use client = partitionOf source "mirrored" partition

                  for index in 1..3 do
                      produce client (compressed $"{partition}-{index}-")

              let count partition =
                  use client = partitionOf target "mirrored" partition
                  (batchesOf client).Length

              let brokersOf (cluster: MockCluster) = Bootstrap.parse cluster.Bootstrap |> ok

              Mirror.run (brokersOf source) (brokersOf target) "mirrored" "mirror"
              |> until "the copies" (fun () -> count 0 = 3 && count 1 = 3)

              for partition in 0..1 do
                  use from = partitionOf source "mirrored" partition
                  use to' = partitionOf target "mirrored" partition
                  let records (batches: RecordBatch list) =
                      batches |> List.map (fun batch -> batch.Compression, batch.Count, batch.ComputedCrc)
                  Expect.equal (records (batchesOf to')) (records (batchesOf from)) $"partition {partition}")

          testCase "the lag monitor prints how far a group is behind" (fun () ->
              use cluster = MockCluster.start 1
              cluster.CreateTopic("watched", 2, 1)
              let brokers = Bootstrap.parse cluster.Bootstrap |> ok

              for partition in 0..1 do
                  use client = partitionOf cluster "watched" partition
                  produce client (batch "x" 10)

              use group = new GroupClient(patient, brokers, "watching")
              let commit = [ { Topic = "watched"; Partition = 0 }, CommittedOffset.at 4L ]
              let code () = (group.CommitOffsets(GroupMembership.none, commit)).Result |> Result.map (List.head >> _.Error)
              Expect.equal (startedCode code) LibKafka.Protocol.ErrorCode.None "committed"
              let printed = List<string>()
              let print line = lock printed (fun () -> printed.Add line)
              let lines () = lock printed (fun () -> List.ofSeq printed)

              LagMonitor.run brokers "watched" "watching" 2 print |> until "two lines" (fun () -> (lines ()).Length >= 2)

              Expect.equal (lines ()).Head "watched-0: 6" "the lag"
              Expect.stringContains (List.item 1 (lines ())) "no offset" "nothing is committed") ]
