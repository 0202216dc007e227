/// A consumer of many partitions whose brokers fail, and the use of its methods.
module LibKafka.Integration.TopicConsumerFailureTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Integration.Support
open LibKafka.Integration.TopicConsumerSupport

let private failures =
    testList
        "failures"
        [ testCase "a leader that moves is followed" (fun () ->
              use cluster = new ConsumerCluster(2)
              cluster.Append(0, 5)
              cluster.Append(1, 5)
              let observed = Observer()
              use consumer = new TopicConsumer({ patient with Observe = observed.Note }, cluster.Bootstrap, settingsOf 50)
              consumer.Add(cluster.Partition 0, Start.earliest)
              consumer.Add(cluster.Partition 1, Start.earliest)
              readWhile consumer (fun read -> total read < 10) |> ignore
              cluster.MoveLeader 0
              cluster.Append(0, 5)
              let seen = List<ConsumerEvent>()
              let patience = Stopwatch.StartNew()
              let mutable rest = []

              while List.isEmpty rest && patience.Elapsed < ms 10_000 do
                  match consumer.Poll(ms 100) with
                  | Some(ConsumerEvent.Fetched(_, records, _, _)) -> rest <- recordsIn records
                  | Some other -> seen.Add other
                  | None -> ()

              Expect.equal rest (List.skip 5 (cluster.Records 0)) "the records after the election"
              Expect.isTrue (seen |> Seq.forall _.IsFailed) "only failures before")

          testCase "a broker that cannot be reached is an event for each attempt, and the other partitions are read" (fun () ->
              use cluster = new ConsumerCluster(2)
              cluster.Append(1, 5)
              use consumer = consumerOf cluster 50
              consumer.Add(cluster.Partition 0, Start.earliest)
              consumer.Add(cluster.Partition 1, Start.earliest)

              for _ in 1..5 do
                  cluster.Disturb(0, Disturbance.Cut)

              let attempts = List<int>()
              let read = List<int64 * string>()
              let patience = Stopwatch.StartNew()

              while (attempts.Count < 5 || read.Count < 5) && patience.Elapsed < ms 10_000 do
                  match consumer.Poll(ms 100) with
                  | Some(ConsumerEvent.Failed(partition, failure, attempt)) ->
                      Expect.equal partition.Partition 0 "the partition"
                      Expect.isTrue failure.IsTransient (failure.ToString())
                      attempts.Add attempt
                  | Some(ConsumerEvent.Fetched(_, records, _, _)) -> read.AddRange(recordsIn records)
                  | Some other -> failtestf "%O" other
                  | None -> ()

              Expect.equal (List.ofSeq attempts) [ 1..5 ] "the attempts"
              Expect.equal (List.ofSeq read) (cluster.Records 1) "the other partition")

          testCase "a position that is not in the log gives the partition up until a seek" (fun () ->
              use cluster = new ConsumerCluster(1)
              cluster.Append(0, 5)
              cluster.Append(0, 5)
              cluster.DeleteBefore(0, 5L)
              use consumer = consumerOf cluster 50
              let partition = cluster.Partition 0
              consumer.Add(partition, Start.atOffset 0L)

              match nextEvent consumer with
              | ConsumerEvent.OutOfRange(found, _) -> Expect.equal found partition "the partition"
              | other -> failtestf "%O" other

              Expect.isNone (consumer.Poll(ms 100)) "nothing is read"
              Expect.isTrue (consumer.Status partition |> Option.exists _.IsGivenUp) "given up"
              consumer.Seek(partition, Start.earliest)
              let read = readWhile consumer (fun read -> total read < 5)
              Expect.equal (List.ofSeq read[0]) (cluster.Records 0) "what is left")

          testCase "records before damage come first, then the damage, and what follows after a seek" (fun () ->
              use cluster = new ConsumerCluster(1)

              for _ in 1..3 do
                  cluster.Append(0, 5)

              cluster.Damage(0, 7L) |> ignore
              use consumer = consumerOf cluster 50
              let partition = cluster.Partition 0
              consumer.Add(partition, Start.earliest)

              match nextEvent consumer with
              | ConsumerEvent.Fetched(_, records, _, _) -> Expect.equal (List.map fst (recordsIn records)) [ 0L .. 4L ] "before"
              | other -> failtestf "%O" other

              match nextEvent consumer with
              | ConsumerEvent.Damaged(_, _, [ stretch ], Some next) ->
                  Expect.equal (stretch.FirstOffset, next.Offset) (5L, 10L) "the damage"
                  consumer.Seek(partition, Start.At next)
              | other -> failtestf "%O" other

              match nextEvent consumer with
              | ConsumerEvent.Fetched(_, records, _, _) -> Expect.equal (List.map fst (recordsIn records)) [ 10L .. 14L ] "after"
              | other -> failtestf "%O" other)

          testCase "a truncated log is an event, after which the reader is where it diverges" (fun () ->
              use cluster = new ConsumerCluster(1)
              cluster.Append(0, 5)
              cluster.Append(0, 5)
              use consumer = consumerOf cluster 50
              let partition = cluster.Partition 0
              consumer.Add(partition, Start.earliest)
              readWhile consumer (fun read -> total read < 10) |> ignore
              Expect.isNone (consumer.Poll(ms 10)) "all is handled"
              cluster.Truncate(0, 1)
              cluster.Append(0, 3)
              let seen = List<ConsumerEvent>()
              let patience = Stopwatch.StartNew()
              let mutable rest = []

              while List.isEmpty rest && patience.Elapsed < ms 10_000 do
                  match consumer.Poll(ms 100) with
                  | Some(ConsumerEvent.Fetched(_, records, _, _)) -> rest <- recordsIn records
                  | Some(ConsumerEvent.Failed _) -> ()
                  | Some other -> seen.Add other
                  | None -> ()

              match List.ofSeq seen with
              | [ ConsumerEvent.Truncated(_, _, position) ] -> Expect.equal position.Offset 5L "where it diverges"
              | other -> failtestf "%A" other

              Expect.equal rest (List.skip 5 (cluster.Records 0)) "the records of the new leader")

          testCase "a topic that is created again is an event, and is read from its beginning" (fun () ->
              use cluster = new ConsumerCluster(1)
              cluster.Append(0, 5)
              use consumer = consumerOf cluster 50
              consumer.Add(cluster.Partition 0, Start.earliest)
              readWhile consumer (fun read -> total read < 5) |> ignore
              let again = Guid "99999999-2222-3333-4444-555555555555"
              cluster.Recreate again
              cluster.Append(0, 8)
              let seen = List<ConsumerEvent>()
              let patience = Stopwatch.StartNew()
              let mutable rest = []

              while List.isEmpty rest && patience.Elapsed < ms 10_000 do
                  match consumer.Poll(ms 100) with
                  | Some(ConsumerEvent.Fetched(_, records, _, _)) -> rest <- recordsIn records
                  | Some(ConsumerEvent.Failed(_, CallFailure.Code code, _)) -> Expect.equal code ErrorCode.UnknownTopicId "the code"
                  | Some other -> seen.Add other
                  | None -> ()

              match List.ofSeq seen with
              | [ ConsumerEvent.Recreated(_, _, now) ] -> Expect.equal now again "the new id"
              | other -> failtestf "%A" other

              Expect.equal rest (cluster.Records 0) "the new topic, from its beginning")

          testCase "a broker that asks for a pause is not asked before it is over, and the other partitions are read" (fun () ->
              use cluster = new ConsumerCluster(2)
              cluster.Append(0, 5)
              cluster.Disturb(0, Disturbance.Throttle 400)
              cluster.Append(1, 5)
              use consumer = consumerOf cluster 50
              consumer.Add(cluster.Partition 0, Start.earliest)
              consumer.Add(cluster.Partition 1, Start.earliest)
              let clock = Stopwatch.StartNew()
              let first = readWhile consumer (fun read -> total read < 5)
              Expect.isTrue (first.ContainsKey 1) "the other one comes first"
              readWhile consumer (fun read -> total read < 5) |> ignore
              Expect.isGreaterThanOrEqual clock.Elapsed (ms 390) "the pause") ]

let private use' =
    testList
        "the consumer"
        [ testCase "shows positions, watermarks and lag" (fun () ->
              use cluster = new ConsumerCluster(1)
              cluster.Append(0, 5)
              cluster.Append(0, 5)
              let settings = settingsOf 50
              let small = { settings with Fetching = { settings.Fetching with MaxBytes = 10 } }
              use consumer = new TopicConsumer(patient, cluster.Bootstrap, small)
              let partition = cluster.Partition 0
              Expect.isNone (consumer.Status partition) "not there"
              consumer.Add(partition, Start.earliest)
              Expect.isNone (consumer.Position partition) "not found yet"
              nextEvent consumer |> ignore
              nextEvent consumer |> ignore
              let status = consumer.Status partition |> Option.get
              Expect.equal
                  (status.Position |> Option.map _.Offset, status.HighWatermark, status.Lag)
                  (Some 5L, Some 10L, Some 5L)
                  "the lag"
              Expect.isTrue status.IsInHand "in hand"
              Expect.equal status.Broker (Some cluster.Brokers[0].Address) "the broker")

          testCase "finds the partitions of a topic, and its new ones when it is told to" (fun () ->
              use cluster = new ConsumerCluster(3)
              use consumer = consumerOf cluster 50
              consumer.Add(cluster.Partition 1, Start.latest)
              let added = consumer.AddTopic("t", Start.earliest) |> ok
              Expect.equal added [ cluster.Partition 0; cluster.Partition 2 ] "those that were not there"
              Expect.isEmpty (consumer.AddTopic("t", Start.earliest) |> ok) "none is new"

              match consumer.AddTopic("unknown", Start.earliest) with
              | Error(ClientFault.NoLeader(_, code)) -> Expect.equal code ErrorCode.UnknownTopicOrPartition "the code"
              | other -> failtestf "%A" other)

          testCase "asks for the leaders of all partitions at once" (fun () ->
              use cluster = new ConsumerCluster(30)
              use consumer = consumerOf cluster 500

              for partition in 0..29 do
                  cluster.Append(partition, 1)
                  consumer.Add(cluster.Partition partition, Start.earliest)

              readWhile consumer (fun read -> total read < 30) |> ignore
              let asked = cluster.Brokers |> Array.sumBy (fun broker -> (broker.VersionsOf ApiKey.Metadata).Length)
              Expect.isLessThan asked 4 "metadata requests")

          testCase "is woken by cancellation" (fun () ->
              use cluster = new ConsumerCluster(1)
              use consumer = consumerOf cluster 15_000
              consumer.Add(cluster.Partition 0, Start.earliest)
              use stop = new CancellationTokenSource(200)
              let clock = Stopwatch.StartNew()
              Expect.isNone (consumer.Poll(Timeout.InfiniteTimeSpan, stop.Token)) "no event"
              Expect.isLessThan clock.Elapsed (ms 5_000) "at once"
              cluster.Append(0, 5)
              let read = readWhile consumer (fun read -> total read < 5)
              Expect.equal (List.ofSeq read[0]) (cluster.Records 0) "it continues afterwards")

          testCase "returns when another call is ready" (fun () ->
              use cluster = new ConsumerCluster(2)
              use consumer = consumerOf cluster 15_000
              consumer.Add(cluster.Partition 0, Start.earliest)
              use client = new PartitionClient(patient, cluster.Bootstrap, cluster.Partition 1)
              use fetcher = new PartitionFetcher(client, { FetcherSettings.standard with MaxWait = ms 200 }, 0L)
              let other = fetcher.Begin()
              let clock = Stopwatch.StartNew()
              Expect.isNone (consumer.PollWith([| other |], ms 10_000)) "no event"
              Expect.isLessThan clock.Elapsed (ms 5_000) "before the time-out"
              Expect.isTrue other.IsReady "the other call"
              other.Complete() |> ignore)

          testCase "survives an observer and a step function that throw" (fun () ->
              use cluster = new ConsumerCluster(2)
              cluster.Append(0, 5)
              cluster.Append(1, 5)
              let random = Random 7
              let thrown = ref 0
              let isArmed = ref true

              let throwing () =
                  if isArmed.Value && random.Next 4 = 0 then
                      thrown.Value <- thrown.Value + 1
                      invalidOp "thrown by the test"

              let settings = settingsOf 20

              let consumerSettings =
                  { settings with
                      NextStep =
                          fun event ->
                              throwing ()
                              settings.NextStep event }

              use consumer = new TopicConsumer({ patient with Observe = fun _ -> throwing () }, cluster.Bootstrap, consumerSettings)

              consumer.Add(cluster.Partition 0, Start.atOffset 0L)
              consumer.Add(cluster.Partition 1, Start.atOffset 0L)
              let read = List<int64 * string>()
              let patience = Stopwatch.StartNew()

              while (read.Count < 10 || thrown.Value < 10) && patience.Elapsed < ms 20_000 do
                  try
                      match consumer.Poll(ms 20) with
                      | Some(ConsumerEvent.Fetched(_, records, _, _)) -> read.AddRange(recordsIn records)
                      | _ -> ()
                  with :? InvalidOperationException as error ->
                      Expect.equal error.Message "thrown by the test" "what was thrown"

              isArmed.Value <- false
              Expect.equal (Set.ofSeq read) (Set.ofList (cluster.Records 0 @ cluster.Records 1)) "all records"
              Expect.equal read.Count 10 "each once")

          testCase "does not wait without end if nothing could end the wait" (fun () ->
              use cluster = new ConsumerCluster(1)
              use consumer = consumerOf cluster 50
              Expect.isNone (consumer.Poll Timeout.InfiniteTimeSpan) "no partition")

          testCase "refuses a second thread" (fun () ->
              use cluster = new ConsumerCluster(1)
              use consumer = consumerOf cluster 15_000
              consumer.Add(cluster.Partition 0, Start.earliest)
              let polling = Thread(fun () -> consumer.Poll(ms 1_000) |> ignore)
              polling.Start()
              Thread.Sleep 300

              try
                  consumer.Pause(cluster.Partition 0)
                  failtest "two threads at once"
              with :? InvalidOperationException as error ->
                  Expect.stringContains error.Message "The consumer is used by two threads at once" "the message"

              polling.Join())

          testCase "closes all connections even if an observer throws" (fun () ->
              use cluster = new ConsumerCluster(2)
              let isArmed = ref false
              let observe _ = if isArmed.Value then invalidOp "thrown by the test"
              let consumer = new TopicConsumer({ patient with Observe = observe }, cluster.Bootstrap, settingsOf 2_000)
              consumer.Add(cluster.Partition 0, Start.atOffset 0L)
              consumer.Add(cluster.Partition 1, Start.atOffset 0L)
              Expect.isNone (consumer.Poll(ms 100)) "nothing"
              isArmed.Value <- true
              Expect.throwsT<InvalidOperationException> (fun () -> (consumer :> IDisposable).Dispose()) "the observer's exception"

              for connection in 0 .. cluster.Brokers[0].Connections - 1 do
                  cluster.Brokers[0].AwaitEnd connection)

          testCase "closes its connections, and then refuses calls" (fun () ->
              use cluster = new ConsumerCluster(2)
              let consumer = consumerOf cluster 500
              consumer.Add(cluster.Partition 0, Start.atOffset 0L)
              consumer.Add(cluster.Partition 1, Start.atOffset 0L)
              Expect.isNone (consumer.Poll(ms 100)) "nothing"
              (consumer :> IDisposable).Dispose()

              for connection in 0 .. cluster.Brokers[0].Connections - 1 do
                  cluster.Brokers[0].AwaitEnd connection

              Expect.throwsT<ObjectDisposedException> (fun () -> consumer.Poll(ms 1) |> ignore) "disposed"
              (consumer :> IDisposable).Dispose()) ]

[<Tests>]
let tests = testList "topic consumer" [ failures; use' ]
