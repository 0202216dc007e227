/// Invariant 7: cancelled or timed out at any moment, an object stays usable, nothing leaks, and the deadline holds within 100 ms.
module LibKafka.Reliability.DeadlineTests

open System
open System.Diagnostics
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Topics
open LibKafka.Reliability.Support

/// An object with a call. `Call` returns whether it succeeded.
type private Subject = { Call: CallOptions -> bool; Close: unit -> unit }

/// `Connects` is false if a time-out does not limit making connections.
type private Case = { Name: string; Connects: bool; Open: TestBroker -> Subject }

let private partition: TopicPartition = { Topic = "t"; Partition = 0 }

let private onPartition (name: string) (make: PartitionClient -> CallOptions -> bool) : Case =
    { Name = name
      Connects = true
      Open =
        fun kafka ->
            let client = new PartitionClient(settings, bootstrap kafka, partition)
            { Call = make client; Close = client.Close } }

/// An object that waits for events. `wait` returns whether the expected one has come.
let private waiting (name: string) (start: TestBroker -> (TimeSpan -> CancellationToken -> bool) * (unit -> unit)) : Case =
    let make kafka =
        let wait, close = start kafka
        { Call = (fun call -> wait (defaultArg call.Timeout (ms 5_000)) call.Cancellation); Close = close }

    { Name = name; Connects = false; Open = make }

let private producerFlush (kafka: TestBroker) =
    let producer = TopicProducer.Open(settings, bootstrap kafka, "t", TopicProducerSettings.standard) |> ok

    let wait (timeout: TimeSpan) (cancellation: CancellationToken) =
        producer.Add(0, NullableSpan.Null, Bytes.ofString "a", ReadOnlySpan.Empty, 0L) |> ignore
        producer.Flush(timeout, cancellation) |> ignore
        producer.Outstanding = 0L

    wait, (fun () -> producer.Close() |> ignore)

let private consumerPoll (kafka: TestBroker) =
    let consumer = new TopicConsumer(settings, bootstrap kafka, ConsumerSettings.standard)
    consumer.Add(partition, Start.atOffset 0L)

    let wait (timeout: TimeSpan) (cancellation: CancellationToken) =
        kafka.Produce("t", 0, [ record 0 "a" ]) |> ignore

        match consumer.Poll(timeout, cancellation) with
        | Some(ConsumerEvent.Fetched _) -> true
        | _ -> false

    wait, (fun () -> (consumer :> IDisposable).Dispose())

let mutable private groups = 0

let private memberPoll (protocol: GroupProtocol) (kafka: TestBroker) =
    // A member whose join was cancelled stays in its group.
    let group = $"g{Interlocked.Increment &groups}"
    let consumer =
        new GroupConsumer(
            settings,
            bootstrap kafka,
            { GroupSettings.make group [ "t" ] with Protocol = protocol },
            ConsumerSettings.standard
        )

    let wait (timeout: TimeSpan) (cancellation: CancellationToken) =
        kafka.Produce("t", 0, [ record 0 "a" ]) |> ignore
        let watch = Stopwatch.StartNew()

        let rec next () =
            match consumer.Poll(max TimeSpan.Zero (timeout - watch.Elapsed), cancellation) with
            | Some(GroupEvent.Read(ConsumerEvent.Fetched _)) -> true
            | _ when watch.Elapsed >= timeout || cancellation.IsCancellationRequested -> false
            | _ -> next ()

        next ()

    wait, (fun () -> consumer.Close() |> ignore)

let private cases: Case list =
    [ { Name = "Cluster.Connect"
        Connects = true
        Open =
          fun kafka ->
              let connect (call: CallOptions) =
                  match Cluster.Connect(settings, bootstrap kafka, call) with
                  | Ok connection ->
                      connection.Close()
                      true
                  | Error _ -> false

              { Call = connect; Close = ignore } }
      { Name = "Connection.Call"
        Connects = true
        Open =
          fun kafka ->
              let mutable connection = Cluster.Connect(settings, bootstrap kafka) |> ok

              let call (options: CallOptions) =
                  if not connection.IsOpen then
                      connection <- Cluster.Connect(settings, bootstrap kafka) |> ok
                  (Cluster.Metadata(connection, Some [ "t" ], call = options)).Result |> Result.isOk

              { Call = call; Close = fun () -> connection.Close() } }
      onPartition "PartitionProducer.Produce" (fun client ->
          let producer = new PartitionProducer(client, ProducerSettings.standard)
          fun call -> producer.Produce(batchOf [ "a" ], call).Result.IsAcknowledged)
      onPartition "PartitionFetcher.Fetch" (fun client ->
          let fetcher = new PartitionFetcher(client, { FetcherSettings.standard with MinBytes = 0 }, 0L)
          fun call -> fetcher.Fetch(call).Result |> Result.isOk)
      onPartition "PartitionFetcher.Seek" (fun client ->
          let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
          fun call -> fetcher.Seek(OffsetSpec.Latest, call).Result |> Result.isOk)
      { Name = "AdminClient.ListTopics"
        Connects = true
        Open =
          fun kafka ->
              let admin = new AdminClient(settings, bootstrap kafka)
              { Call = (fun call -> admin.ListTopics(call = call).Result |> Result.isOk); Close = admin.Close } }
      { Name = "TransactionClient.InitProducerId"
        Connects = true
        Open =
          fun kafka ->
              let transaction = new TransactionClient(settings, bootstrap kafka, "tx")

              let init (call: CallOptions) = transaction.InitProducerId(minute, call).Result.IsOk

              { Call = init; Close = transaction.Close } }
      waiting "TopicProducer.Flush" producerFlush
      waiting "TopicConsumer.Poll" consumerPoll
      waiting "GroupConsumer.Poll in a classic group" (memberPoll (GroupProtocol.Classic [ Assignors.range ]))
      waiting "GroupConsumer.Poll in a group of the new protocol" (memberPoll (GroupProtocol.Consumer None))
      { Name = "GroupClient.FetchOffsets"
        Connects = true
        Open =
          fun kafka ->
              let group = new GroupClient(settings, bootstrap kafka, "g")
              { Call = (fun call -> group.FetchOffsets(GroupMembership.none, [ partition ], false, call = call).Result |> Result.isOk)
                Close = group.Close } } ]

let private withRelay (test: TestBroker -> ByteRelay -> unit) =
    use kafka = TestBroker.Start 1
    kafka.Topic "t"
    use relay = new ByteRelay(kafka)
    test kafka relay
    demandSound kafka

/// The same object works again, and its connections are closed with it.
let private stillWorks (relay: ByteRelay) (subject: Subject) (what: string) =
    persistently (what + ": the next call") 200 (fun () -> if subject.Call CallOptions.standard then Ok() else Error "it failed")
    subject.Close()
    awaiting (what + ": the connections to be closed") (ms 5_000) (fun () -> relay.Live = 0)

/// How much longer than its time-out a call takes while no byte comes through.
let private overshoot (kafka: TestBroker) (relay: ByteRelay) (case: Case) (timeout: TimeSpan) (isConnected: bool) : TimeSpan =
    let subject = case.Open kafka
    if isConnected then
        Expect.isTrue (subject.Call CallOptions.standard) (case.Name + ": a first call")
    relay.IsHeld <- true
    let watch = Stopwatch.StartNew()
    let isDone = subject.Call { CallOptions.standard with Timeout = Some timeout }
    let elapsed = watch.Elapsed
    relay.IsHeld <- false
    Expect.isFalse isDone (case.Name + ": the call")
    Expect.isGreaterThan elapsed (timeout - ms 20) (case.Name + ": not before the deadline")
    stillWorks relay subject case.Name
    elapsed - timeout

/// The deadline must hold in one of three attempts, because other programs may use the processors for longer than that.
let private deadlines =
    [ for case in cases do
          testCase ("the deadline holds within 100 ms: " + case.Name) (fun () ->
              withRelay (fun kafka relay ->
                  let random = Random seed

                  for round in 1 .. (if isLong then 40 else 2) do
                      let timeout = ms (20 + random.Next 150)
                      let isConnected = round % 2 = 0 || not case.Connects

                      let rec attempt (left: int) =
                          let late = overshoot kafka relay case timeout isConnected
                          if late > ms 100 && left > 1 then attempt (left - 1) else late

                      Expect.isLessThan (attempt 3) (ms 100) $"the time after the deadline of {timeout.TotalMilliseconds} ms"
                      Figures.add "7. calls that ended at their deadline" 1)) ]

/// Cancels after some microseconds, in another thread.
let private cancellingAfter (microseconds: int) (call: CancellationToken -> unit) =
    use source = new CancellationTokenSource()

    let cancel () =
        let watch = Stopwatch.StartNew()

        while watch.Elapsed < TimeSpan.FromMicroseconds(float microseconds) do
            Thread.SpinWait 20

        source.Cancel()

    let canceller = Thread(cancel, 128 * 1024, IsBackground = true)
    canceller.Start()
    call source.Token
    canceller.Join()

let private cancelled =
    [ for case in cases do
          testCase ("cancelled at any moment, it stays usable and leaks nothing: " + case.Name) (fun () ->
              withRelay (fun kafka relay ->
                  let random = Random seed

                  for round in 1 .. (if isLong then 1_000 else 25) do
                      let subject = case.Open kafka
                      if random.Next 2 = 0 then subject.Call CallOptions.standard |> ignore
                      cancellingAfter (random.Next 3_000) (fun token -> subject.Call(CallOptions.cancelledBy token) |> ignore)
                      stillWorks relay subject $"{case.Name}, round {round}, seed {seed}"
                      Figures.add "7. calls cancelled" 1)) ]

/// A batch is in the log once, in its order, whatever attempts were cancelled or timed out.
let private producing =
    testCase "an idempotent producer that is cancelled and timed out loses, doubles and reorders nothing" (fun () ->
        withRelay (fun kafka _ ->
            let random = Random seed
            use client = new PartitionClient(settings, bootstrap kafka, partition)
            use connection = Cluster.Connect(settings, bootstrap kafka) |> ok
            let identity = ProducerIdentity.Request(connection).Result |> ok
            let producer = IdempotentProducer(client, ProducerSettings.standard, identity)
            let count = if isLong then 1_000 else 60

            for number in 1..count do
                let batch = batchOf [ string number ]

                let once (call: CallOptions) =
                    match producer.Produce(batch, call).Result with
                    | ProduceResult.Acknowledged _ -> true
                    | _ -> false

                let mutable isDone = false

                if random.Next 2 = 0 then
                    cancellingAfter (random.Next 1_500) (fun token -> isDone <- once (CallOptions.cancelledBy token))
                else
                    isDone <- once { CallOptions.standard with Timeout = Some(TimeSpan.FromMicroseconds(float (1 + random.Next 1_500))) }

                if not isDone then
                    persistently "the batch" 200 (fun () -> if once CallOptions.standard then Ok() else Error "it failed")

            Expect.equal (logOf kafka "t" 0 |> List.map snd) [ for number in 1..count -> string number ] $"the log (seed {seed})"
            Figures.add "7. batches whose first attempt was cancelled or timed out" count))

[<Tests>]
let tests = testSequenced (testList "7 deadlines and cancellation" (deadlines @ cancelled @ [ producing ]))
