/// Reading whole topics through the façade.
module LibKafka.Integration.FacadeTopicConsumerTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Wire
open LibKafka.Integration.FacadeSupport

let private optionsOf (cluster: ConsumerCluster) : KafkaClientOptions =
    KafkaClientOptions([ for broker in cluster.Brokers -> BrokerAddress(broker.Address.Host, broker.Address.Port) ])

let private at (partition: int) = TopicPartition("t", partition)
let private soon = TimeSpan.FromMilliseconds 100.0

/// Fetches of one batch that do not wait for long, and retries without long waits.
let private brisk =
    let policy =
        RetryPolicy<KafkaResult>((fun _ -> true), FirstDelay = TimeSpan.FromMilliseconds 1.0, MaxDelay = TimeSpan.FromMilliseconds 5.0)

    TopicConsumerOptions(Fetching = FetcherOptions(MaxWait = soon, MaxBytes = 100), NextStep = NextStep.Retrying policy)

let private nextOf (consumer: TopicConsumer) : ConsumerEvent = there (consumer.Poll(20.0 * second))

/// The next event, which must be of a type.
let private next<'Event when 'Event :> ConsumerEvent> (consumer: TopicConsumer) : 'Event =
    match nextOf consumer with
    | :? 'Event as event -> event
    | other -> failtestf "%s was expected: %O" typeof<'Event>.Name other

let private recordsIn (records: FetchedRecords) : (int64 * string) list =
    let found = List()

    for record in records do
        found.Add(record.Offset, Text.Encoding.UTF8.GetString record.Value)

    List.ofSeq found

/// A consumer of the first partition of a cluster, from the beginning.
let private reading (options: TopicConsumerOptions) (fill: ConsumerCluster -> unit) (test: ConsumerCluster -> TopicConsumer -> unit) =
    use cluster = new ConsumerCluster(2)
    fill cluster
    use consumer = new TopicConsumer(optionsOf cluster, options)
    consumer.Add(at 0, OffsetSpec.Earliest)
    test cluster consumer

let private filled (cluster: ConsumerCluster) =
    for _ in 1..3 do
        cluster.Append(0, 5)

let private events =
    testList
        "hands out"
        [ testCase "records, with the raw answer and the next position" (fun () ->
              reading brisk filled (fun cluster consumer ->
                  let fetched = next<RecordsFetched> consumer
                  Expect.equal fetched.Partition (at 0) "the partition"
                  Expect.equal (recordsIn fetched.Records) (cluster.Records 0 |> List.take 5) "the records"
                  Expect.equal fetched.Next (FetchPosition(5L, 1)) "the next position"
                  Expect.equal fetched.Result.HighWatermark 15L "the answer"
                  Expect.equal (fetched.Result.Batches |> Seq.sumBy (fun item -> (there item.Batch).Count)) 5 "the batches"
                  Expect.isTrue (obj.ReferenceEquals(fetched.Result, fetched.Result)) "one answer"
                  Expect.stringContains (fetched.ToString()) "t-0: " "the text"
                  Expect.equal (consumer.Position(at 0)) (Nullable(FetchPosition 0L)) "not handled yet"
                  let status = there (consumer.Status(at 0))
                  Expect.equal (status.Partition, status.IsInHand, status.IsPaused) (at 0, true, false) "the status"
                  Expect.equal (status.HighWatermark, status.Lag) (Nullable 15L, Nullable 15L) "how far it is"
                  Expect.isTrue status.Broker.HasValue "the broker"
                  next<RecordsFetched> consumer |> ignore
                  Expect.equal (consumer.Position(at 0)) (Nullable(FetchPosition(5L, 1))) "handled by the next poll"))

          testCase "all partitions of a topic, each in order" (fun () ->
              use cluster = new ConsumerCluster(2)

              for partition in 0..1 do
                  for _ in 1..4 do
                      cluster.Append(partition, 5)

              use consumer = new TopicConsumer(optionsOf cluster, brisk)
              let added = consumer.AddTopic("t", OffsetSpec.Earliest).ThrowIfError()
              Expect.equal (List.ofSeq added) [ at 0; at 1 ] "both"
              Expect.isEmpty (consumer.AddTopic("t", OffsetSpec.Earliest).ThrowIfError()) "they are there"
              let missing = consumer.AddTopic("missing", OffsetSpec.Earliest)
              Expect.equal (there missing.Fault).Kind KafkaFaultKind.NoLeader "no such topic"
              let read = Dictionary<TopicPartition, List<int64 * string>>()

              for partition in 0..1 do
                  read.Add(at partition, List())

              while Seq.sumBy (fun (all: List<int64 * string>) -> all.Count) read.Values < 40 do
                  let fetched = next<RecordsFetched> consumer
                  read[fetched.Partition].AddRange(recordsIn fetched.Records)

              for partition in 0..1 do
                  Expect.equal (List.ofSeq read[at partition]) (cluster.Records partition) "the records")

          testCase "nothing within the time, or when it is cancelled" (fun () ->
              reading brisk ignore (fun _ consumer ->
                  Expect.isNull (consumer.Poll soon) "in time"
                  use cancellation = new CancellationTokenSource(soon)
                  Expect.isNull (consumer.Poll(Timeout.InfiniteTimeSpan, cancellation.Token)) "cancelled"))

          testCase "nothing as soon as another call is ready" (fun () ->
              reading (TopicConsumerOptions(Fetching = FetcherOptions(MaxWait = 10.0 * second))) ignore (fun cluster consumer ->
                  use client = new PartitionClient(optionsOf cluster, at 1)
                  use fetcher = new PartitionFetcher(client, FetcherOptions(MaxWait = soon))
                  let call = fetcher.Begin()
                  let clock = Stopwatch.StartNew()
                  Expect.isNull (consumer.Poll(10.0 * second, [| call :> PendingCall |])) "no event"
                  Expect.isTrue call.WasReady "the other call"
                  Expect.isLessThan clock.Elapsed (5.0 * second) "at once"
                  call.Complete() |> ignore))

          testCase "that the position is not in the log" (fun () ->
              reading brisk filled (fun _ consumer ->
                  consumer.Seek(at 0, FetchPosition 99L)
                  let event = next<OffsetOutOfRange> consumer
                  Expect.equal event.Result.Error ErrorCode.OffsetOutOfRange "the answer"
                  Expect.isNull (consumer.Poll soon) "given up"
                  Expect.isTrue (there (consumer.Status(at 0))).IsGivenUp "given up"
                  consumer.Seek(at 0, OffsetSpec.Earliest)
                  next<RecordsFetched> consumer |> ignore))

          testCase "that the log was truncated" (fun () ->
              reading brisk filled (fun cluster consumer ->
                  for _ in 1..3 do
                      next<RecordsFetched> consumer |> ignore

                  Expect.isNull (consumer.Poll soon) "all is read"
                  cluster.Truncate(0, 1)

                  let rec truncated () =
                      match nextOf consumer with
                      | :? LogTruncated as event -> event
                      | :? FetchFailed -> truncated ()
                      | other -> failtestf "%O" other

                  let event = truncated ()
                  Expect.equal event.DivergesAt (FetchPosition(5L, 1)) "where"
                  Expect.equal event.Result.Diverging (Nullable event.DivergesAt) "the answer"))

          testCase "damaged records, and does not skip them" (fun () ->
              reading brisk filled (fun cluster consumer ->
                  cluster.Damage(0, 5L) |> ignore
                  next<RecordsFetched> consumer |> ignore
                  let event = next<LogDamaged> consumer
                  Expect.equal event.Next.Value.Offset 10L "where the damage ends"
                  Expect.equal
                      [ for one in event.Corrupt -> one.FirstOffset, one.Fault.Kind ]
                      [ 5L, KafkaFaultKind.BadChecksum ]
                      "what it is"
                  Expect.isNull (consumer.Poll soon) "given up"))

          testCase "that the topic was created again" (fun () ->
              let before, now = Guid "11111111-2222-3333-4444-555555555555", Guid "99999999-2222-3333-4444-555555555555"

              reading brisk filled (fun cluster consumer ->
                  for _ in 1..3 do
                      next<RecordsFetched> consumer |> ignore

                  cluster.Recreate now

                  let rec recreated () =
                      match nextOf consumer with
                      | :? TopicRecreated as event -> event
                      | :? FetchFailed -> recreated ()
                      | other -> failtestf "%O" other

                  let event = recreated ()
                  Expect.equal (event.Before, event.Now) (before, now) "the ids"))

          testCase "failures, with their number" (fun () ->
              reading brisk filled (fun cluster consumer ->
                  cluster.Disturb(0, Disturbance.Refuse ErrorCode.KafkaStorageError)
                  cluster.Disturb(0, Disturbance.Cut)
                  let first = next<FetchFailed> consumer
                  Expect.equal
                      (first.Fault.Kind, first.Fault.ErrorCode)
                      (KafkaFaultKind.BrokerError, ErrorCode.KafkaStorageError)
                      "a code"
                  Expect.equal (first.Attempt, first.IsTransient) (1, true) "the first"
                  let second = next<FetchFailed> consumer
                  Expect.equal (second.Fault.Kind, second.Attempt) (KafkaFaultKind.Closed, 2) "the second"
                  Expect.equal (there (consumer.Status(at 0))).Failures 2 "in a row"
                  next<RecordsFetched> consumer |> ignore))

          testCase "records without allocating for each" (fun () ->
              let perEvent (records: int) =
                  let fill (cluster: ConsumerCluster) =
                      for _ in 1..60 do
                          cluster.Append(0, records, 100)

                  let mutable allocated = 0L

                  reading brisk fill (fun _ consumer ->
                      let read (events: int) =
                          let mutable bytes = 0

                          for _ in 1..events do
                              for record in (next<RecordsFetched> consumer).Records do
                                  bytes <- bytes + record.Value.Length

                          bytes

                      read 10 |> ignore
                      let before = GC.GetAllocatedBytesForCurrentThread()
                      read 40 |> ignore
                      allocated <- (GC.GetAllocatedBytesForCurrentThread() - before) / 40L)

                  allocated

              Expect.isLessThan (perEvent 1000 - perEvent 10) 1_000L "as much for 1,000 records as for 10") ]

let private steps =
    testList
        "does next"
        [ testCase "what the caller's function says, which gets the same event" (fun () ->
              let seen = List<ConsumerEvent>()

              let choose (event: ConsumerEvent) =
                  seen.Add event

                  match event with
                  | :? RecordsFetched as fetched when fetched.Next.Offset = 5L -> NextStep.Continue(FetchPosition 10L)
                  | :? RecordsFetched -> NextStep.GiveUp
                  | _ -> NextStep.Standard event

              reading
                  (TopicConsumerOptions(Fetching = brisk.Fetching, NextStep = Func<ConsumerEvent, NextStep> choose))
                  filled
                  (fun cluster consumer ->
                      let first = next<RecordsFetched> consumer
                      Expect.isTrue (obj.ReferenceEquals(Seq.exactlyOne seen, first)) "the same object"
                      let second = next<RecordsFetched> consumer
                      Expect.equal (recordsIn second.Records) (List.skip 10 (cluster.Records 0)) "records were skipped"
                      Expect.isNull (consumer.Poll soon) "given up"))

          testCase "a reset if the position is not in the log" (fun () ->
              let options = TopicConsumerOptions(Fetching = brisk.Fetching, NextStep = NextStep.Resetting OffsetSpec.Earliest)

              reading options filled (fun cluster consumer ->
                  consumer.Seek(at 0, FetchPosition 99L)
                  next<OffsetOutOfRange> consumer |> ignore
                  Expect.equal (recordsIn (next<RecordsFetched> consumer).Records) (List.take 5 (cluster.Records 0)) "from the beginning"))

          testCase "nothing with damaged records if it may skip them" (fun () ->
              let options =
                  TopicConsumerOptions(
                      Fetching = brisk.Fetching,
                      NextStep = NextStep.SkippingDamage(Func<ConsumerEvent, NextStep> NextStep.Standard)
                  )

              reading options filled (fun cluster consumer ->
                  cluster.Damage(0, 0L) |> ignore
                  next<LogDamaged> consumer |> ignore
                  Expect.equal (recordsIn (next<RecordsFetched> consumer).Records) (List.take 5 (cluster.Records 0)) "the next batch"))

          testCase "what its text says" (fun () ->
              let texts =
                  [ NextStep.Continue(FetchPosition 7L), "continue at offset 7"
                    NextStep.Seek OffsetSpec.Latest, "continue at LATEST"
                    NextStep.Wait soon, "try again in 100 ms"
                    NextStep.GiveUp, "give up" ]

              for step, text in texts do
                  Expect.equal (step.ToString()) text "the text"

              Expect.throwsT<ArgumentOutOfRangeException> (fun () -> NextStep.Wait(-soon) |> ignore) "no such time")

          testCase "nothing without a step" (fun () ->
              let options = TopicConsumerOptions(Fetching = brisk.Fetching, NextStep = fun _ -> Unchecked.defaultof<NextStep>)

              reading options filled (fun _ consumer ->
                  Expect.throwsT<InvalidOperationException> (fun () -> nextOf consumer |> ignore) "the caller's mistake")) ]

let private managing =
    testList
        "has its partitions"
        [ testCase "paused, resumed, kept, handled and removed" (fun () ->
              reading brisk filled (fun _ consumer ->
                  let fetched = next<RecordsFetched> consumer
                  consumer.Keep(at 0)
                  Expect.isNull (consumer.Poll soon) "it is kept"
                  Expect.isGreaterThan consumer.BytesInHand 0L "in memory"
                  consumer.Handled(at 0)
                  Expect.equal (consumer.BytesInHand, consumer.Position(at 0)) (0L, Nullable fetched.Next) "handled"
                  consumer.Pause(at 0)
                  Expect.isNull (consumer.Poll soon) "it is paused"
                  Expect.isTrue (there (consumer.Status(at 0))).IsPaused "paused"
                  consumer.Resume(at 0)
                  Expect.equal (next<RecordsFetched> consumer).Result.Position fetched.Next "it continues"
                  consumer.Remove(at 0)
                  Expect.isEmpty consumer.Partitions "removed"
                  Expect.isNull (consumer.Status(at 0)) "not known"
                  Expect.isFalse (consumer.Position(at 0)).HasValue "no position"))

          testCase "once each, and none after it is disposed of" (fun () ->
              reading brisk filled (fun _ consumer ->
                  Expect.throwsT<ArgumentException> (fun () -> consumer.Add(at 0, FetchPosition 0L)) "there already"
                  Expect.throwsT<ArgumentException> (fun () -> consumer.Seek(at 1, FetchPosition 0L)) "not there"
                  (consumer :> IDisposable).Dispose()
                  Expect.throwsT<ObjectDisposedException> (fun () -> consumer.Poll soon |> ignore) "disposed of"))

          testCase "with the defaults of the core" (fun () ->
              let options, core = TopicConsumerOptions(), Topics.ConsumerSettings.standard
              Expect.equal options.MaxBytesInHand core.MaxBytesInHand "memory"
              Expect.equal (options.Fetching, options.Reading) (FetcherOptions(), RecordReadOptions.Default) "reading"
              Expect.isNull options.Buffer "no buffer"
              Expect.throwsT<ArgumentOutOfRangeException> (fun () -> TopicConsumerOptions(MaxBytesInHand = 0L) |> ignore) "no memory") ]

[<Tests>]
let tests = testList "façade, topic consumer" [ events; steps; managing ]
