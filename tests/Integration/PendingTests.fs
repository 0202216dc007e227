/// Calls that are begun and completed later.
module LibKafka.Integration.PendingTests

open System
open System.Threading
open System.Threading.Tasks
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Replay
open LibKafka.Integration.Support
open LibKafka.Integration.PendingSupport

let private connections =
    testList
        "on a connection"
        [ testCase "it is sent at once, and completing it gives what the call in one piece gives" (fun () ->
              use gate = new Gate()

              Scripted.connection patient (held gate) (fun broker connection ->
                  let pending = begin' connection
                  broker.AwaitRequests 2
                  Expect.isFalse pending.IsReady "before the answer"
                  Expect.isFalse pending.IsCompleted "before it is completed"
                  Expect.isGreaterThan pending.Remaining (ms 10_000) "the time that is left"
                  gate.Open()
                  let exchange = pending.Complete()
                  let again = ask connection
                  Expect.equal (ok exchange.Result) (ok again.Result) "the answer"
                  Expect.equal exchange.Request again.Request "the request"
                  Expect.equal exchange.Info.Version again.Info.Version "the version"
                  Expect.equal exchange.Info.BytesIn again.Info.BytesIn "the bytes"
                  Expect.isTrue (Object.ReferenceEquals(exchange, pending.Complete())) "the same reply again"
                  Expect.isTrue (pending.IsReady && pending.WasReady && pending.IsCompleted) "afterwards"))

          testCase "it becomes ready when its answer arrives" (fun () ->
              use gate = new Gate()

              Scripted.connection patient (held gate) (fun broker connection ->
                  let pending = begin' connection
                  broker.AwaitRequests 2
                  Expect.isFalse pending.WasReady "before"
                  gate.Open()
                  Expect.isTrue (SpinWait.SpinUntil((fun () -> pending.IsReady), 20_000)) "ready"
                  Expect.isTrue pending.WasReady "and known to be"
                  within 1_000 "no wait" (fun () -> Expect.isOk (pending.Complete()).Result "the answer")))

          testCase "another call before it is completed is misuse, and nothing of it is sent" (fun () ->
              use gate = new Gate()

              Scripted.connection patient (held gate) (fun broker connection ->
                  let pending = begin' connection
                  isMisuse "has a call in flight" (fun () -> begin' connection) "Begin"
                  isMisuse "has a call in flight" (fun () -> ask connection) "Call"
                  isMisuse "has a call in flight" (fun () -> connection.SendAt(9s, ListOffsets.api, Script.askLatest)) "SendAt"
                  gate.Open()
                  Expect.isOk (pending.Complete()).Result "the answer"
                  Expect.hasLength broker.Calls 1 "one request arrived"
                  Expect.isOk (ask connection).Result "the connection can still be used"))

          testCase "abandoning it closes the connection, and its reply is that of a cancelled call" (fun () ->
              use gate = new Gate()

              Scripted.connection patient (held gate) (fun _ connection ->
                  let pending = begin' connection
                  within 1_000 "no wait" pending.Abandon
                  Expect.isTrue pending.IsCompleted "it has a reply"
                  Expect.equal (faultOf (pending.Complete()).Result) ClientFault.Cancelled "the fault"
                  Expect.isTrue (pending.Complete()).Info.WasSent "it was sent"
                  Expect.isFalse connection.IsOpen "the connection"
                  pending.Abandon()))

          testCase "abandoning a completed call changes nothing" (fun () ->
              Scripted.connection patient (Script.finding 7L) (fun _ connection ->
                  let pending = begin' connection
                  let exchange = pending.Complete()
                  pending.Abandon()
                  Expect.isTrue (Object.ReferenceEquals(exchange, pending.Complete())) "the reply"
                  Expect.isOk (ask connection).Result "the connection can still be used"))

          testCase "its time begins with the call" (fun () ->
              use gate = new Gate()

              Scripted.connection patient (held gate) (fun _ connection ->
                  let pending = connection.Begin(ListOffsets.api, Script.askLatest, inTime 200)
                  Thread.Sleep 300
                  Expect.equal pending.Remaining TimeSpan.Zero "no time is left"
                  Expect.isTrue pending.IsReady "it need not wait"
                  let exchange = within 1_000 "no wait" pending.Complete
                  Expect.equal (faultOf exchange.Result) (ClientFault.TimedOut(ms 200)) "the fault"))

          testCase "an answer that has arrived is given to a caller that comes back after the time is over" (fun () ->
              Scripted.connection patient (Script.finding 7L) (fun _ connection ->
                  let pending = connection.Begin(ListOffsets.api, Script.askLatest, inTime 200)
                  Thread.Sleep 400
                  Expect.isOk (pending.Complete()).Result "the answer"
                  Expect.isOk (ask connection).Result "the connection can still be used"))

          testCase "an answer that has only begun to arrive by then gets as much time again, and no more" (fun () ->
              let cut (received: Received) =
                  match received.Request with
                  | Request.ListOffsets request ->
                      let frame = Script.frame ListOffsets.api received (Script.found 7L request)
                      [ Act.Send(Array.truncate 6 frame) ]
                  | _ -> Script.unexpected received

              Scripted.connection patient cut (fun _ connection ->
                  let pending = connection.Begin(ListOffsets.api, Script.askLatest, inTime 300)
                  Thread.Sleep 500
                  let exchange = within 2_000 "the time" pending.Complete

                  match faultOf exchange.Result with
                  | ClientFault.TimedOut _ -> ()
                  | other -> failtestf "%O" other))

          testCase "cancelling ends it, before and while it is completed" (fun () ->
              use gate = new Gate()

              for delay in [ 0; 200 ] do
                  Scripted.connection patient (held gate) (fun _ connection ->
                      use stop = new CancellationTokenSource()
                      let pending = connection.Begin(ListOffsets.api, Script.askLatest, CallOptions.cancelledBy stop.Token)
                      if delay = 0 then stop.Cancel() else stop.CancelAfter delay
                      let exchange = within 5_000 "no wait" pending.Complete
                      Expect.equal (faultOf exchange.Result) ClientFault.Cancelled "the fault"
                      Expect.isFalse connection.IsOpen "the connection"))

          testCase "closing the connection ends it" (fun () ->
              use gate = new Gate()

              Scripted.connection patient (held gate) (fun _ connection ->
                  let pending = begin' connection
                  connection.Close()
                  Expect.isTrue pending.IsReady "it need not wait"
                  Expect.equal (faultOf (pending.Complete()).Result) (ClientFault.Unusable "closed by the caller") "the fault"))

          testCase "the broker closing the connection makes it ready" (fun () ->
              Scripted.connection patient (fun _ -> [ Act.Close ]) (fun _ connection ->
                  let pending = begin' connection
                  Expect.isTrue (SpinWait.SpinUntil((fun () -> pending.IsReady), 20_000)) "ready"
                  Expect.equal (faultOf (pending.Complete()).Result) ClientFault.Closed "the fault"))

          testCase "one that could not be sent is ready at once" (fun () ->
              Scripted.connection patient (Script.finding 7L) (fun broker connection ->
                  connection.Close()
                  let pending = begin' connection
                  Expect.isTrue (pending.IsReady && pending.WasReady) "ready"
                  Expect.equal (PendingCalls.WaitAny([| pending :> PendingCall |], ms 20_000)) 1 "and found so"
                  Expect.equal (faultOf (pending.Complete()).Result) (ClientFault.Unusable "closed by the caller") "the fault"
                  Expect.isEmpty broker.Calls "nothing was sent"))

          testCase "another thread may complete it" (fun () ->
              Scripted.connection patient (Script.finding 7L) (fun _ connection ->
                  let pending = begin' connection
                  let exchange = Task.Run(fun () -> pending.Complete()).Result
                  Expect.isOk exchange.Result "the answer"
                  Expect.isOk (ask connection).Result "the connection can still be used"))

          testCase "an observer that throws loses nothing" (fun () ->
              let mutable throws = false
              let observe (info: ExchangeInfo) = if throws && info.Api = ApiKey.ListOffsets then failwith "the observer failed"

              Scripted.connection { patient with Observe = observe } (Script.finding 7L) (fun _ connection ->
                  let pending = begin' connection
                  throws <- true
                  Expect.throws (fun () -> pending.Complete() |> ignore) "the observer's exception"
                  throws <- false
                  Expect.isOk (pending.Complete()).Result "the answer is there"
                  Expect.isOk (ask connection).Result "the connection can still be used")) ]

let private answering (received: Received) : Act list =
    match received.Request with
    | Request.Produce request ->
        Script.answer Produce.api received (Script.produced (fun answer -> { answer with BaseOffset = 90L }) request)
    | Request.Fetch request -> Script.answer Fetch.api received (Script.fetched (fun answer -> { answer with HighWatermark = 9L }) request)
    | Request.ListOffsets request -> Script.answer ListOffsets.api received (Script.found 7L request)
    | _ -> Script.unexpected received

let private batchesIn (broker: ScriptedBroker) : RecordBatch list =
    broker.Calls
    |> List.choose (fun received ->
        match received.Request with
        | Request.Produce request -> request.Topics[0].Partitions[0].Records |> Option.map (RecordBatch.ofBytes >> ok)
        | _ -> None)

let private identity = { ProducerId = 4711L; ProducerEpoch = 2s }

let private partitions =
    testList
        "on a partition"
        [ testCase "a producer, a fetcher and the client itself have one call in flight between them" (fun () ->
              use gate = new Gate()

              Scripted.partition patient (fun received -> holding gate received (answering received)) (fun broker client ->
                  use producer = new PartitionProducer(client, ProducerSettings.standard)
                  use fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
                  let other = IdempotentProducer(client, ProducerSettings.standard, identity)
                  let pending = fetcher.Begin()
                  broker.AwaitRequests 3
                  isMisuse "has a call in flight" (fun () -> producer.Begin(batch "a" 1)) "the producer"
                  isMisuse "has a call in flight" (fun () -> producer.Produce(batch "a" 1)) "the producer"
                  isMisuse "has a call in flight" (fun () -> other.Produce(batch "a" 1)) "the idempotent producer"
                  isMisuse "has a call in flight" (fun () -> other.OptionsForNext BatchOptions.standard) "its options"
                  isMisuse "has a call in flight" (fun () -> fetcher.Fetch()) "the fetcher"
                  isMisuse "has a call in flight" (fun () -> fetcher.Seek OffsetSpec.Latest) "a seek"
                  isMisuse "has a call in flight" (fun () -> client.Call(ListOffsets.api, Script.askLatest)) "the client"
                  isMisuse "has a call in flight" (fun () -> client.Connect()) "connecting"
                  gate.Open()
                  Expect.isOk (pending.Complete()).Result "the fetch"
                  Expect.equal other.State (ProducerState.Ready 0) "the producer's state"
                  producer.Produce(batch "a" 1) |> acknowledged |> ignore
                  Expect.equal
                      [ for key in [ ApiKey.Fetch; ApiKey.Produce; ApiKey.ListOffsets ] -> (broker.VersionsOf key).Length ]
                      [ 1; 1; 0 ]
                      "what was sent"))

          testCase "a fetch is of the position at which it was begun" (fun () ->
              use gate = new Gate()

              Scripted.partition patient (fun received -> holding gate received (answering received)) (fun _ client ->
                  use fetcher = new PartitionFetcher(client, FetcherSettings.standard, 5L)
                  let pending = fetcher.Begin()
                  fetcher.Offset <- 100L
                  gate.Open()
                  Expect.equal (pending.Complete()).Offset 5L "the fetch"
                  Expect.equal (fetcher.Fetch()).Offset 100L "the next one"))

          testCase "seeks move the position when they are completed" (fun () ->
              Scripted.partition patient answering (fun _ client ->
                  use fetcher = new PartitionFetcher(client, FetcherSettings.standard, 5L)
                  let pending = fetcher.BeginSeek OffsetSpec.Latest
                  Expect.equal fetcher.Offset 5L "before"
                  Expect.equal (pending.Complete()).Offset (Some 7L) "the answer"
                  Expect.equal fetcher.Offset 7L "after"
                  Expect.equal (fetcher.BeginFindOffset(OffsetSpec.Earliest).Complete()).Offset (Some 7L) "found"))

          testCase "a call in flight is not disturbed when its fetcher is disposed, and ends when its client is closed" (fun () ->
              use gate = new Gate()

              Scripted.partition patient (fun received -> holding gate received (answering received)) (fun broker client ->
                  let fetcher = new PartitionFetcher(client, { FetcherSettings.standard with UseSession = true }, 0L)
                  let first = fetcher.Begin()
                  (fetcher :> IDisposable).Dispose()
                  gate.Open()
                  Expect.isOk (first.Complete()).Result "the fetch"
                  let second = fetcher.Begin()
                  client.Close()
                  Expect.isTrue second.IsReady "it need not wait"
                  Expect.equal (faultOf (second.Complete()).Result) (ClientFault.Unusable "closed by the caller") "the fault"
                  Expect.isOk (fetcher.Fetch()).Result "a later call connects again"
                  Expect.equal (broker.VersionsOf ApiKey.Fetch).Length 3 "the requests"))

          testCase "a batch without acknowledgement is ready at once" (fun () ->
              Scripted.partition patient (fun _ -> []) (fun broker client ->
                  use producer = new PartitionProducer(client, { ProducerSettings.standard with Acks = Acks.None })
                  let pending = producer.Begin(batch "a" 1)
                  Expect.isTrue pending.IsReady "ready"
                  Expect.equal (pending.Complete()).Result (ProduceResult.Unknown Doubt.NotAsked) "the result"
                  broker.AwaitRequests 3))

          testCase "a batch that is refused before it is sent is ready at once" (fun () ->
              Scripted.partition patient answering (fun broker client ->
                  use producer = new PartitionProducer(client, { ProducerSettings.standard with MaxBatchBytes = RecordBatch.HeaderSize })
                  let pending = producer.Begin(batch "a" 1)
                  Expect.isTrue pending.IsReady "ready"

                  match (pending.Complete()).Result with
                  | ProduceResult.Rejected(Rejection.NotSent(ClientFault.CannotEncode _)) -> ()
                  | other -> failtestf "%O" other

                  Expect.isEmpty broker.Calls "nothing was sent")) ]

let private producers =
    testList
        "of an idempotent producer"
        [ testCase "the batch is in doubt from before it is sent until it is completed" (fun () ->
              use gate = new Gate()

              Scripted.partition patient (fun received -> holding gate received (answering received)) (fun broker client ->
                  let producer = IdempotentProducer(client, ProducerSettings.standard, identity)
                  let sent = batch "a" 3
                  let pending = producer.Begin sent
                  Expect.isTrue producer.State.IsInDoubt "in flight"
                  isMisuse "has a call in flight" (fun () -> producer.Begin(batch "b" 1)) "another batch"
                  isMisuse "has a call in flight" (fun () -> producer.Retry()) "a retry"
                  isMisuse "has a call in flight" (fun () -> producer.RaiseEpoch()) "another epoch"
                  gate.Open()
                  pending.Complete() |> acknowledged |> ignore
                  Expect.equal producer.State (ProducerState.Ready 3) "completed"
                  producer.Begin(batch "b" 1).Complete() |> acknowledged |> ignore
                  Expect.equal (batchesIn broker |> List.map _.BaseSequence) [ 0; 3 ] "the sequences"))

          testCase "abandoned, it stays in doubt, and a retry sends the same sequence" (fun () ->
              use gate = new Gate()

              Scripted.partition patient (fun received -> holding gate received (answering received)) (fun broker client ->
                  let producer = IdempotentProducer(client, ProducerSettings.standard, identity)
                  let pending = producer.Begin(batch "a" 3)
                  broker.AwaitRequests 3
                  pending.Abandon()
                  Expect.isTrue producer.State.IsInDoubt "in doubt"
                  Expect.equal (pending.Complete()).Result (ProduceResult.Unknown(Doubt.AnswerLost ClientFault.Cancelled)) "the reply"
                  isMisuse "in doubt" (fun () -> producer.Begin(batch "b" 1)) "another batch"
                  gate.Open()
                  producer.BeginRetry().Complete() |> acknowledged |> ignore
                  Expect.equal producer.State (ProducerState.Ready 3) "settled"
                  Expect.equal (batchesIn broker |> List.map _.BaseSequence) [ 0; 0 ] "the sequences"))

          testCase "an observer that throws when it is completed does not make the batch look unsent" (fun () ->
              let mutable throws = false
              let observe (info: ExchangeInfo) = if throws && info.Api = ApiKey.Produce then failwith "the observer failed"

              Scripted.partition { patient with Observe = observe } answering (fun broker client ->
                  let producer = IdempotentProducer(client, ProducerSettings.standard, identity)
                  let pending = producer.Begin(batch "a" 3)
                  throws <- true
                  Expect.throws (fun () -> pending.Complete() |> ignore) "the observer's exception"
                  throws <- false
                  Expect.equal producer.State (ProducerState.Ready 3) "settled"
                  pending.Complete() |> acknowledged |> ignore
                  producer.Produce(batch "b" 1) |> acknowledged |> ignore
                  Expect.equal (batchesIn broker |> List.map _.BaseSequence) [ 0; 3 ] "the sequences"))

          testCase "a batch that could not be sent is not in doubt after it is completed" (fun () ->
              let listener, nobody = Loopback.refuse ()
              use _ = listener
              use client = new PartitionClient(patient, Bootstrap.ofAddresses [ nobody ], { Topic = "t"; Partition = 0 })
              let producer = IdempotentProducer(client, ProducerSettings.standard, identity)
              let pending = producer.Begin(batch "a" 3)
              Expect.isTrue pending.IsReady "ready"

              match (pending.Complete()).Result with
              | ProduceResult.Rejected(Rejection.NotSent _) -> ()
              | other -> failtestf "%O" other

              Expect.equal producer.State (ProducerState.Ready 0) "the state") ]

let private coordinators (rest: Received -> Act list) (test: ScriptedBroker -> Bootstrap -> unit) =
    let keys =
        [ ApiKey.JoinGroup
          ApiKey.SyncGroup
          ApiKey.Heartbeat
          ApiKey.LeaveGroup
          ApiKey.OffsetCommit
          ApiKey.OffsetFetch
          ApiKey.ConsumerGroupHeartbeat
          ApiKey.InitProducerId
          ApiKey.AddPartitionsToTxn
          ApiKey.EndTxn ]

    let script me =
        Script.knowing (Script.everythingBut [ for key in keys -> Script.versions key 0 99 ]) (fun received ->
            match received.Request with
            | Request.FindCoordinator request -> coordinating me received request
            | Request.Metadata _ -> Script.answer Metadata.api received (Script.metadata me [ topicOf "t" 1 ])
            | _ -> rest received)

    Scripted.broker script (fun broker -> test broker (Bootstrap.ofAddresses [ broker.Address ]))

let private groupAnswer (received: Received) : Act list =
    match received.Request with
    | Request.JoinGroup request when request.MemberId = "" ->
        Script.answer JoinGroup.api received { JoinGroup.response.Default with Error = ErrorCode.MemberIdRequired; MemberId = "m-1" }
    | Request.JoinGroup request ->
        Script.answer JoinGroup.api received { JoinGroup.response.Default with MemberId = request.MemberId; GenerationId = 3 }
    | Request.SyncGroup _ -> Script.answer SyncGroup.api received SyncGroup.response.Default
    | Request.Heartbeat _ -> Script.answer Heartbeat.api received { Heartbeat.response.Default with Error = ErrorCode.RebalanceInProgress }
    | Request.LeaveGroup request ->
        let members: LeaveGroup.MemberResponse list =
            [ for one in request.Members -> { MemberId = one.MemberId; GroupInstanceId = one.GroupInstanceId; Error = ErrorCode.None } ]

        Script.answer LeaveGroup.api received { LeaveGroup.response.Default with Members = members }
    | Request.ConsumerGroupHeartbeat request ->
        Script.answer
            ConsumerGroupHeartbeat.api
            received
            { ConsumerGroupHeartbeat.response.Default with MemberId = Some request.MemberId; MemberEpoch = request.MemberEpoch + 1 }
    | _ -> Script.unexpected received

let private groups =
    testList
        "of a group"
        [ testCase "a join is one round, and an id that the broker gives is part of its reply" (fun () ->
              coordinators groupAnswer (fun _ bootstrap ->
                  use client = new GroupClient(patient, bootstrap, "g")
                  let first = client.BeginJoin("", JoinSettings.consumer []).Complete()
                  Expect.equal first.Error ErrorCode.MemberIdRequired "the first round"
                  let second = client.BeginJoin(first.RequiredMemberId.Value, JoinSettings.consumer []).Complete()
                  Expect.equal (ok second.Result).GenerationId 3 "the second round"
                  let membership = second.Membership |> Option.get
                  Expect.isOk (client.BeginSync(membership, "consumer", None, []).Complete()).Result "the sync"
                  let heartbeat = client.BeginHeartbeat membership
                  isMisuse "has a call in flight" (fun () -> client.Heartbeat membership) "another call"
                  Expect.equal (heartbeat.Complete()).Error ErrorCode.RebalanceInProgress "the heartbeat"
                  let left = client.BeginLeave(membership).Complete()
                  Expect.equal (left.Members |> List.map _.MemberId) [ "m-1" ] "the member that left"))

          testCase "heartbeats of the new protocol bring the epoch up to date when they are completed" (fun () ->
              coordinators groupAnswer (fun _ bootstrap ->
                  use client = new ConsumerGroupClient(patient, bootstrap, "g", ConsumerGroupSubscription.topics [ "t" ])
                  let pending = client.BeginHeartbeat()
                  client.Owned <- []
                  Expect.equal client.Epoch 0 "before"
                  isMisuse "has a call in flight" (fun () -> client.Heartbeat()) "another one"
                  pending.Complete() |> ignore
                  Expect.equal client.Epoch 1 "after"
                  client.Heartbeat() |> ignore
                  Expect.equal client.Epoch 2 "and again")) ]

let private transactions =
    testCase "a transaction is not ended while a batch of it is in flight" (fun () ->
        use gate = new Gate()

        let answer (received: Received) =
            match received.Request with
            | Request.InitProducerId _ ->
                Script.answer InitProducerId.api received { InitProducerId.response.Default with ProducerId = 4000L; ProducerEpoch = 0s }
            | Request.AddPartitionsToTxn request ->
                let topics: AddPartitionsToTxn.TopicResult list =
                    [ for topic in request.Topics ->
                          { Name = topic.Name
                            Partitions = [ for index in topic.Partitions -> { PartitionIndex = index; Error = ErrorCode.None } ] } ]

                Script.answer AddPartitionsToTxn.api received { AddPartitionsToTxn.response.Default with Topics = topics }
            | Request.EndTxn _ -> Script.answer EndTxn.api received EndTxn.response.Default
            | Request.Produce _ -> holding gate received (answering received)
            | _ -> Script.unexpected received

        coordinators answer (fun broker bootstrap ->
            use client = new TransactionClient(patient, bootstrap, "tx")
            let partition: TopicPartition = { Topic = "t"; Partition = 0 }
            Expect.isOk (client.InitProducerId(ms 60_000)).Result "the identity"
            Expect.isOk (client.AddPartitions [ partition ]).Result "the partition"
            let pending = client.Producer(partition).Begin(batch "a" 1)
            isMisuse "has a call in flight" (fun () -> client.Commit()) "committing"
            isMisuse "has a call in flight" (fun () -> client.Abort()) "aborting"
            Expect.isEmpty (broker.VersionsOf ApiKey.EndTxn) "nothing was sent"
            gate.Open()
            pending.Complete() |> acknowledged |> ignore
            Expect.isOk (client.Commit()).Result "now it can be"))

[<Tests>]
let tests = testList "pending call" [ connections; partitions; producers; groups; transactions ]
