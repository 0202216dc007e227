/// What is produced, and what is in the log then: on a broker that refuses what a real one refuses.
module LibKafka.Integration.ProduceTests

open System
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.LogBroker
open LibKafka.Integration.Support

let private at (topic: string) : LibKafka.Client.TopicPartition = { Topic = topic; Partition = 0 }

let private clientOf (settings: ClientSettings) (broker: ScriptedBroker) (topic: string) =
    new PartitionClient(settings, Bootstrap.ofAddresses [ broker.Address ], at topic)

let private producerOf (broker: ScriptedBroker) = PartitionProducer.Owning(clientOf patient broker "t", ProducerSettings.standard)

let private identity = { ProducerId = 4711L; ProducerEpoch = 3s }

let private idempotentOf (client: PartitionClient) = IdempotentProducer(client, ProducerSettings.standard, identity)

/// The values in a log, in order.
let private valuesIn (log: BrokerLog) : string list =
    log.Batches("t", 0) |> List.collect (RecordBatch.toList Reading.standard >> ok) |> valuesOf

/// A batch as it is fetched: at an offset, in an epoch.
let private fetchedAt (offset: int64) (batch: RecordBatch) = batch.Rebase(offset, 5)

/// A batch with so many records of 1,000 bytes.
let private large (count: int) = batchOf (List.init count (fun i -> record i (String('x', 1000))))

/// The reason why a batch was not sent.
let private notSent (produced: Produced) : ClientFault =
    match produced.Result with
    | ProduceResult.Rejected(Rejection.NotSent fault) ->
        Expect.isFalse produced.Exchange.Info.WasSent "nothing was sent"
        fault
    | other -> failtestf "it should not have been sent: %O" other

let private producesSent (broker: ScriptedBroker) =
    broker.Calls |> List.filter (fun received -> received.Header.ApiKey = ApiKey.Produce) |> List.length

// ---- fetched batches ----

let private offsets =
    testList
        "a fetched batch"
        [ for release in [ Kafka10; Kafka23; Kafka40 ] do
              for name, sent in [ "small", batch "r" 3; "large", large 100 ] do
                  testCase ("that is " + name + " is appended whatever its offset, on " + string release) (fun () ->
                      withLog release 0s undisturbed (fun log broker ->
                          use producer = producerOf broker

                          for offset in [ 0L; 37L; 1L <<< 40 ] do
                              producer.Produce(fetchedAt offset sent) |> acknowledged |> ignore

                          producer.Produce(sent.Rebase(0L, 9)) |> acknowledged |> ignore
                          let appended = log.Batches("t", 0)
                          let count = int64 sent.Count
                          Expect.equal (appended |> List.map _.BaseOffset) [ 0L; count; 2L * count; 3L * count ] "one after another"

                          for batch in appended do
                              Expect.equal (batch.Rebase(0L, -1)) (sent.Rebase(0L, -1)) "with the same content"))

          testCase "is appended by an idempotent producer, with its own identity" (fun () ->
              withLog Kafka40 0s undisturbed (fun log broker ->
                  use client = clientOf patient broker "t"
                  let producer = idempotentOf client
                  let foreign = RecordBatch.withProducer 99L 4s 1000 (batch "a" 2) |> ok
                  producer.Produce(fetchedAt 37L (batch "z" 2)) |> acknowledged |> ignore
                  producer.Produce(fetchedAt 39L foreign) |> acknowledged |> ignore
                  Expect.equal (valuesIn log) [ "z0"; "z1"; "a0"; "a1" ] "the log"
                  Expect.equal (log.Batches("t", 0) |> List.map _.ProducerId) [ 4711L; 4711L ] "whose"))

          testCase "is not copied" (fun () ->
              withLog Kafka40 0s undisturbed (fun _ broker ->
                  use producer = producerOf broker
                  let sent = fetchedAt 37L (large 1000)
                  producer.Produce sent |> acknowledged |> ignore
                  let before = GC.GetAllocatedBytesForCurrentThread()
                  producer.Produce sent |> acknowledged |> ignore
                  let allocated = GC.GetAllocatedBytesForCurrentThread() - before
                  Expect.isLessThan allocated (int64 sent.SizeInBytes / 10L) "bytes allocated"))

          for name, change, part in
              [ "of an idempotent producer", RecordBatch.withProducer 4711L 3s 0 >> ok, "forForwarding"
                "of a transaction", RecordBatch.withTransactionalProducer 4711L 3s 0 >> ok, "forForwarding"
                "with the append times of another log",
                (fun batch ->
                    let options = { BatchOptions.standard with TimestampType = TimestampType.LogAppendTime }
                    BatchBuilder.build options (RecordBatch.toList Reading.standard batch |> ok) |> ok),
                "forForwarding"
                "that compaction has left with offset gaps", (fun _ -> batchOf [ record 0 "a"; record 7 "b" ]), "repack"
                "of an idempotent producer that compaction has left with offset gaps",
                (fun _ -> batchOf [ record 0 "a"; record 7 "b" ] |> RecordBatch.withProducer 4711L 3s 0 |> ok),
                "repack"
                "without records",
                (fun _ -> BatchBuilder.build { BatchOptions.standard with LastOffset = ValueSome 1L } [] |> ok),
                "it has no records"
                "with control records",
                (fun batch ->
                    let options =
                        { BatchOptions.standard with IsControl = true; IsTransactional = true; ProducerId = 1L; ProducerEpoch = 0s }
                    BatchBuilder.build options (RecordBatch.toList Reading.standard batch |> ok) |> ok),
                "control records" ] do
              testCase (name + " is not sent, and the fault says what to do") (fun () ->
                  withLog Kafka40 0s undisturbed (fun log broker ->
                      use producer = producerOf broker
                      let produced = producer.Produce(fetchedAt 12L (change (batch "r" 2)))

                      match notSent produced with
                      | ClientFault.CannotProduce reason -> Expect.stringContains reason part "what to do"
                      | other -> failtestf "%O" other

                      Expect.isFalse produced.IsTransient "a repetition is of no use"
                      Expect.equal (producesSent broker) 0 "nothing arrived"
                      producer.Produce(batch "s" 1) |> acknowledged |> ignore
                      Expect.equal (valuesIn log) [ "s0" ] "the log")) ]

// ---- what a broker cannot do ----

/// The batch as one that is compressed with zstd. Brokers do not look at the records of a batch of its own format.
let private zstd (batch: RecordBatch) =
    let bytes = batch.Bytes.ToArray()
    bytes[22] <- bytes[22] ||| byte CompressionType.Zstd
    let crc = Crc32C.compute (ReadOnlySpan<byte>(bytes).Slice 21)
    Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan 17, crc)
    RecordBatch.ofBytes (Bytes bytes) |> ok

let private releases =
    testList
        "a release"
        [ testCase "that does not know zstd is not sent any, and the fault says which release does" (fun () ->
              withLog Kafka10 0s undisturbed (fun log broker ->
                  use producer = producerOf broker
                  let fault = notSent (producer.Produce(zstd (batch "r" 2)))

                  for part in [ "zstd"; "Kafka 2.1"; "another codec" ] do
                      Expect.stringContains (fault.ToString()) part "the fault"

                  use client = clientOf patient broker "t"
                  let idempotent = idempotentOf client
                  notSent (idempotent.Produce(zstd (batch "r" 2))) |> ignore
                  Expect.equal idempotent.State ProducerState.initial "the sequence is not used"
                  Expect.equal (producesSent broker) 0 "nothing arrived"
                  idempotent.Produce(batch "s" 1) |> acknowledged |> ignore
                  Expect.equal (valuesIn log) [ "s0" ] "the log"))

          testCase "that knows zstd gets it" (fun () ->
              for release in [ Kafka23; Kafka40 ] do
                  withLog release 0s undisturbed (fun log broker ->
                      use producer = producerOf broker
                      producer.Produce(zstd (batch "r" 2)) |> acknowledged |> ignore
                      Expect.hasLength (log.Batches("t", 0)) 1 "the log"))

          testCase "does not get a codec that does not exist" (fun () ->
              withLog Kafka40 0s undisturbed (fun _ broker ->
                  use producer = producerOf broker
                  let bytes = (batch "r" 1).Bytes.ToArray()
                  bytes[22] <- 6uy
                  let fault = notSent (producer.Produce(RecordBatch.ofBytes (Bytes bytes) |> ok))
                  Expect.stringContains (fault.ToString()) "compression codec 6" "the fault"))

          testCase "that has message sets only gets no batch" (fun () ->
              let table = Script.everythingBut [ Script.versions ApiKey.Produce 0 2 ]

              Scripted.partitionOf patient table Guid.Empty Script.unexpected (fun _ client ->
                  match notSent ((new PartitionProducer(client, ProducerSettings.standard)).Produce(batch "r" 1)) with
                  | ClientFault.NoCommonVersion(_, ours, _) -> Expect.isGreaterThanOrEqual ours.Lowest 3s "batches since 3"
                  | other -> failtestf "%O" other))

          testCase "before 2.4 is not asked for a topic without numbers, and the fault says which release has defaults" (fun () ->
              let creating (received: Received) =
                  match received.Request with
                  | Request.CreateTopics request ->
                      let answer (topic: CreateTopics.Topic) : CreateTopics.TopicResult =
                          { CreateTopics.topicResult.Default with Name = topic.Name }

                      Script.answer
                          CreateTopics.api
                          received
                          { CreateTopics.api.Response.Schema.Default with Topics = List.map answer request.Topics }
                  | _ -> Script.unexpected received

              for highest, has in [ 3, false; 4, true ] do
                  let table = Script.everythingBut [ Script.versions ApiKey.CreateTopics 0 highest ]

                  Scripted.broker (fun me -> Script.knowing table (Script.leading [] me creating)) (fun broker ->
                      use admin = new AdminClient(patient, Bootstrap.ofAddresses [ broker.Address ])
                      let topic name partitions replicas =
                          { Name = name; Partitions = partitions; ReplicationFactor = replicas; Configs = [] }
                      let topics = [ topic "a" 1 -1s; topic "b" 2 1s; topic "c" -1 1s ]
                      let reply = admin.CreateTopics(topics, ms 1000)

                      for (name, result), isFit in List.zip reply.Result [ has; true; has ] do
                          match result with
                          | Ok _ -> Expect.isTrue isFit name
                          | Error(AdminFault.Fault(ClientFault.BrokerTooOld _ as fault)) ->
                              Expect.isFalse isFit name
                              Expect.stringContains (fault.ToString()) "Kafka 2.4" "the release"
                          | Error other -> failtestf "%O" other

                      Expect.isFalse reply.IsTransient "a repetition is of no use"

                      let asked =
                          broker.Calls
                          |> List.collect (fun call ->
                              match call.Request with
                              | Request.CreateTopics request -> request.Topics |> List.map _.Name
                              | _ -> [])

                      Expect.equal asked (if has then [ "a"; "b"; "c" ] else [ "b" ]) "what was sent")) ]

// ---- error codes ----

/// A leader that gives this answer to its first batch and acknowledges all later ones.
let private answeringOnce (code: ErrorCode) (offset: int64) (test: ScriptedBroker -> PartitionClient -> unit) =
    let mutable isFirst = true

    let script (received: Received) =
        match received.Request with
        | Request.Produce request ->
            let first = isFirst
            isFirst <- false
            let change (answer: Produce.PartitionResponse) = if first then { answer with Error = code; BaseOffset = offset } else answer
            Script.answer Produce.api received (Script.produced change request)
        | _ -> Script.unexpected received

    Scripted.partition patient script test

let private isUnknown (produced: Produced) =
    match produced.Result with
    | ProduceResult.Unknown(Doubt.BrokerUnsure _) -> true
    | ProduceResult.Rejected(Rejection.ByBroker _) -> false
    | other -> failtestf "%O" other

let private codes =
    testList
        "an error code"
        [ for code, offset, expected in
              [ ErrorCode.UnknownServerError, -1L, true
                ErrorCode.UnknownServerError, 0L, true
                ErrorCode.RequestTimedOut, -1L, true
                ErrorCode.NotEnoughReplicasAfterAppend, -1L, true
                ErrorCode 999s, -1L, true
                ErrorCode.NotLeaderOrFollower, -1L, false
                ErrorCode.NotLeaderOrFollower, 5L, true
                ErrorCode.UnknownTopicOrPartition, 0L, true
                ErrorCode.KafkaStorageError, 0L, true
                ErrorCode.InvalidRecord, 0L, false
                ErrorCode.TopicAuthorizationFailed, 0L, false
                ErrorCode.MessageTooLarge, 7L, false
                ErrorCode.NotEnoughReplicas, 0L, false
                ErrorCode.CorruptMessage, -1L, false ] do
              testCase
                  (code.ToString() + " with base offset " + string offset + " is " + (if expected then "unknown" else "a rejection"))
                  (fun () ->
                      answeringOnce code offset (fun _ client ->
                          let produced = (new PartitionProducer(client, ProducerSettings.standard)).Produce(batch "r" 1)
                          Expect.equal (isUnknown produced) expected "the result"
                          Expect.equal produced.Error code "the code")

                      answeringOnce code offset (fun broker client ->
                          let producer = idempotentOf client
                          let sent = batch "r" 2
                          producer.Produce sent |> ignore
                          Expect.equal producer.State.IsInDoubt expected "in doubt"
                          producer.Produce sent |> acknowledged |> ignore

                          let sequences =
                              broker.Calls
                              |> List.choose (fun call ->
                                  match call.Request with
                                  | Request.Produce request ->
                                      Some (RecordBatch.ofBytes (Option.get request.Topics[0].Partitions[0].Records) |> ok).BaseSequence
                                  | _ -> None)

                          Expect.equal sequences [ 0; 0 ] "the same sequence both times"))

          testCase "of every kind that the table has means something, and is there once" (fun () ->
              let codes = ProduceError.table |> List.map fst
              Expect.equal (List.distinct codes) codes "each once"

              for code, meaning in ProduceError.table do
                  Expect.equal (ProduceError.meaning code) meaning (code.ToString())
                  Expect.isTrue code.IsError "an error")

          testCase "that stays leaves a way out: the next epoch, with a report of the batch" (fun () ->
              let mutable isDown = true

              let refuseFirst (received: Received) =
                  match received.Request with
                  | Request.Produce request when isDown ->
                      let change (answer: Produce.PartitionResponse) =
                          { answer with Error = ErrorCode.UnknownServerError; BaseOffset = -1L }

                      Some(Script.answer Produce.api received (Script.produced change request))
                  | _ -> None

              withLog Kafka40 0s refuseFirst (fun log broker ->
                  use client = clientOf patient broker "t"
                  let producer = idempotentOf client
                  let sent = batch "a" 2
                  let policy = { RetryPolicy.idempotent with FirstDelay = ms 1 }
                  let produced = policy.Run(fun call -> producer.Produce(sent, call))
                  Expect.isTrue produced.Result.IsUnknown "after all attempts"
                  isDown <- false

                  Expect.throwsC (fun () -> producer.Produce(batch "b" 1) |> ignore) (fun error ->
                      Expect.stringContains error.Message "RaiseEpoch" "the way out")

                  match producer.RaiseEpoch() with
                  | Some given ->
                      Expect.equal (given.Batch.BaseSequence, given.Batch.ProducerEpoch) (0, 3s) "the batch"

                      match given.Doubt with
                      | Doubt.BrokerUnsure answer -> Expect.equal answer.Error ErrorCode.UnknownServerError "the doubt"
                      | other -> failtestf "%O" other

                      Expect.equal producer.GivenUp (Some given) "is kept"
                  | None -> failtest "the batch that was given up"

                  Expect.equal producer.Identity { identity with ProducerEpoch = 4s } "the next epoch"
                  producer.Produce(batch "b" 1) |> acknowledged |> ignore
                  // The broker had appended it in spite of the error.
                  Expect.equal (valuesIn log) [ "a0"; "a1"; "b0" ] "the log"
                  Expect.equal (producer.RaiseEpoch()) None "nothing was in doubt"))

          testCase "in the last epoch needs another identity" (fun () ->
              use client = new PartitionClient(patient, Bootstrap.ofAddresses [], at "t")
              let last = { identity with ProducerEpoch = Int16.MaxValue }
              let producer = IdempotentProducer(client, ProducerSettings.standard, last)
              Expect.throwsT<InvalidOperationException> (fun () -> producer.RaiseEpoch() |> ignore) "no next epoch"
              producer.Renew { ProducerId = 4712L; ProducerEpoch = 0s }
              Expect.equal producer.Identity.ProducerId 4712L "another") ]

// ---- transactions ----

let private begun (broker: ScriptedBroker) =
    let transaction = new TransactionClient(patient, Bootstrap.ofAddresses [ broker.Address ], "tx")
    (transaction.InitProducerId(ms 60_000)).Result |> ok |> ignore
    transaction

let private soon<'Reply when 'Reply :> Reply> : RetryPolicy<'Reply> =
    { RetryPolicy.standard<'Reply> with FirstDelay = ms 1 }

let private add (transaction: TransactionClient) =
    let reply = soon.Run(fun call -> transaction.AddPartitions([ at "t" ], call))
    Expect.equal reply.Error ErrorCode.None "the partition is part of the transaction"

let private settled (reply: TransactionReply<_, _>) = Expect.equal reply.Error ErrorCode.None "the end of the transaction"

/// The releases and levels of `transaction.version` that differ.
let private levels = [ Kafka10, 0s; Kafka23, 0s; Kafka40, 0s; Kafka40, 1s; Kafka40, 2s ]

let private transactions =
    testList
        "transactions"
        [ for release, level in levels do
              testCase (sprintf "one after another are all in the log, on %A with transaction.version %d" release level) (fun () ->
                  withLog release level undisturbed (fun log broker ->
                      use transaction = begun broker
                      let producer = transaction.Producer(at "t")

                      for i in 0..9 do
                          add transaction
                          transaction.Producer(at "t").Produce(batch ("a" + string i + "-") 2) |> acknowledged |> ignore
                          producer.Produce(batch ("b" + string i + "-") 1) |> acknowledged |> ignore
                          settled (if i % 3 = 2 then transaction.Abort() else transaction.Commit())

                      Expect.equal
                          (valuesIn log)
                          [ for i in 0..9 do
                                yield! [ "a" + string i + "-0"; "a" + string i + "-1"; "b" + string i + "-0" ] ]
                          "each batch once"

                      let identities = log.Batches("t", 0) |> List.map _.ProducerEpoch |> List.distinct
                      Expect.hasLength identities (if level >= 2s then 10 else 1) "an epoch for each, or one for all"
                      Expect.equal (Some producer.Identity) transaction.Identity "the producer has the identity of the transaction"))

              testCase (sprintf "a batch in doubt is settled before the commit, on %A with transaction.version %d" release level) (fun () ->
                  let mutable loses = false

                  let lose (received: Received) =
                      match received.Request with
                      | Request.Produce _ when loses ->
                          loses <- false
                          Some [ Act.Close ]
                      | _ -> None

                  withLog release level lose (fun log broker ->
                      use transaction = begun broker
                      let producer = transaction.Producer(at "t")
                      add transaction
                      loses <- true
                      Expect.isTrue (producer.Produce(batch "a" 2)).Result.IsUnknown "the response is lost"
                      let refuse (text: string) action =
                          Expect.throwsC (fun () -> action () |> ignore) (fun error ->
                              Expect.stringContains error.Message text "the reason")
                      refuse "Retry" (fun () -> transaction.Commit())
                      Expect.equal (acknowledged (producer.Retry())) 0L "it was in the log already"
                      settled (transaction.Commit())

                      // Without settling it, only an abort ends the transaction.
                      add transaction
                      loses <- true
                      Expect.isTrue (producer.Produce(batch "b" 2)).Result.IsUnknown "the response is lost"
                      settled (transaction.Abort())

                      if level < 2s then
                          refuse "RaiseEpoch" (fun () -> producer.Retry())
                          refuse "RaiseEpoch" (fun () -> producer.Produce(batch "c" 1))
                          // Brokers before 2.5 give a new epoch to any client that asks.
                          soon.Run(fun call -> transaction.InitProducerId(ms 60_000, call)).Error |> ignore

                      Expect.isSome producer.GivenUp "the doubt is reported"
                      add transaction
                      producer.Produce(batch "c" 1) |> acknowledged |> ignore
                      settled (transaction.Commit())
                      Expect.equal (valuesIn log) [ "a0"; "a1"; "b0"; "b1"; "c0" ] "the log"))

          testCase "a batch for a partition that is not part of the transaction is not sent" (fun () ->
              withLog Kafka23 0s undisturbed (fun log broker ->
                  use transaction = begun broker
                  let producer = transaction.Producer(at "t")
                  let refused () =
                      Expect.stringContains ((notSent (producer.Produce(batch "r" 1))).ToString()) "AddPartitions" "what to do"
                  refused ()
                  add transaction
                  producer.Produce(batch "a" 1) |> acknowledged |> ignore
                  settled (transaction.Commit())
                  refused ()
                  Expect.equal (valuesIn log) [ "a0" ] "the log"))

          testCase "the end of which is not sent goes on" (fun () ->
              withLog Kafka40 2s undisturbed (fun log broker ->
                  use transaction = begun broker
                  add transaction
                  let cancelled = CallOptions.cancelledBy (Threading.CancellationToken true)
                  Expect.equal (transaction.Commit cancelled).Result (Error(CallFailure.Fault ClientFault.Cancelled)) "nothing was sent"
                  transaction.Producer(at "t").Produce(batch "a" 1) |> acknowledged |> ignore
                  settled (transaction.Commit())
                  Expect.equal (valuesIn log) [ "a0" ] "the log"))

          testCase "have no producers before they have an identity, and none that they do not renew themselves" (fun () ->
              withLog Kafka40 2s undisturbed (fun _ broker ->
                  use transaction = new TransactionClient(patient, Bootstrap.ofAddresses [ broker.Address ], "tx")
                  Expect.throwsT<InvalidOperationException> (fun () -> transaction.Producer(at "t") |> ignore) "no identity"
                  (transaction.InitProducerId(ms 60_000)).Result |> ok |> ignore
                  let producer = transaction.Producer(at "t")
                  Expect.isTrue (Object.ReferenceEquals(transaction.Producer(at "t"), producer)) "the same each time"
                  Expect.equal producer.TransactionalId (Some "tx") "the transactional id"
                  Expect.throwsT<InvalidOperationException> (fun () -> producer.Renew identity) "an identity from elsewhere"
                  Expect.throwsT<InvalidOperationException> (fun () -> producer.RaiseEpoch() |> ignore) "an epoch of its own"
                  let other = { ProducerSettings.standard with MaxBatchBytes = 5 }
                  Expect.throwsT<ArgumentException> (fun () -> transaction.Producer(at "t", other) |> ignore) "other settings"
                  let weak = { ProducerSettings.standard with Acks = Acks.Leader }
                  Expect.throwsT<ArgumentException> (fun () -> transaction.Producer(at "u", weak) |> ignore) "too few acks"
                  transaction.RaiseEpoch(ms 60_000).Result |> ok |> ignore
                  Expect.equal (Some producer.Identity) transaction.Identity "the transaction's"))

          testCase "an observer that throws at any exchange loses neither a batch nor the identity" (fun () ->
              for level in [ 1s; 2s ] do
                  withLog Kafka40 level undisturbed (fun log broker ->
                      let mutable countdown = -1

                      let observe (_: ExchangeInfo) =
                          countdown <- countdown - 1
                          if countdown = 0 then failwith "the disk is full"

                      let settings = { patient with Observe = observe }
                      use transaction = new TransactionClient(settings, Bootstrap.ofAddresses [ broker.Address ], "tx")
                      (transaction.InitProducerId(ms 60_000)).Result |> ok |> ignore
                      let producer = transaction.Producer(at "t")

                      /// Makes a call, whose exchanges the observer may disturb, until it returns.
                      let rec insist call =
                          match
                              (try
                                  Some(call ())
                               with Failure "the disk is full" ->
                                   None)
                          with
                          | Some result -> result
                          | None -> insist call

                      for i in 0..19 do
                          insist (fun () ->
                              countdown <- -1
                              add transaction)

                          let sent = batch (string i + "-") 1
                          let before = producer.State
                          countdown <- 1 + i % 3

                          // The state says whether the exception came before or after the acknowledgement.
                          insist (fun () ->
                              if producer.State = before || producer.State.IsInDoubt then
                                  producer.Produce sent |> acknowledged |> ignore)

                          countdown <- 1 + i % 2
                          let committed =
                              insist (fun () ->
                                  try
                                      Some(transaction.Commit())
                                  with Failure _ ->
                                      None)
                          committed |> Option.iter settled
                          if i % 4 = 0 then producer.Client.Close()

                      Expect.equal (valuesIn log) [ for i in 0..19 -> string i + "-0" ] "each batch once")) ]

// ---- first use ----

let private firstUse =
    /// A broker that is not ready: each API has these codes for its first calls.
    let notReady (codes: Map<ApiKey, ErrorCode list>) =
        let gate = obj ()
        let mutable remaining = codes

        fun (api: ApiKey) ->
            lock gate (fun () ->
                match remaining |> Map.tryFind api with
                | Some(code :: others) ->
                    remaining <- remaining |> Map.add api others
                    Some code
                | _ -> None)

    let waiting = [ ErrorCode.CoordinatorNotAvailable; ErrorCode.NotCoordinator; ErrorCode.CoordinatorLoadInProgress ]

    testList
        "the standard policy"
        [ testCase "waits until a new broker is ready, with any call" (fun () ->
              let next =
                  notReady (
                      Map.ofList
                          [ ApiKey.FindCoordinator, [ ErrorCode.CoordinatorNotAvailable; ErrorCode.CoordinatorNotAvailable ]
                            ApiKey.InitProducerId, waiting
                            ApiKey.AddOffsetsToTxn, waiting
                            ApiKey.Produce,
                            [ ErrorCode.UnknownTopicOrPartition; ErrorCode.NotLeaderOrFollower; ErrorCode.NotEnoughReplicas ] ]
                  )

              let disturb (received: Received) =
                  match next received.Header.ApiKey, received.Request with
                  | Some code, Request.FindCoordinator request ->
                      let none key : FindCoordinator.Coordinator =
                          { Key = key; NodeId = -1; Host = ""; Port = -1; Error = code; ErrorMessage = None }

                      let response =
                          { FindCoordinator.api.Response.Schema.Default with
                              Coordinators = List.map none request.Keys
                              Error = ErrorCode.None }

                      Some(Script.answer FindCoordinator.api received response)
                  | Some code, Request.InitProducerId _ ->
                      Some(Script.answer InitProducerId.api received { InitProducerId.api.Response.Schema.Default with Error = code })
                  | Some code, Request.AddOffsetsToTxn _ ->
                      Some(Script.answer AddOffsetsToTxn.api received { ThrottleTimeMs = 0; Error = code })
                  | Some code, Request.Produce request ->
                      let change (answer: Produce.PartitionResponse) = { answer with Error = code; BaseOffset = -1L }
                      Some(Script.answer Produce.api received (Script.produced change request))
                  | _ -> None

              withLog Kafka40 1s disturb (fun _ broker ->
                  use transaction = new TransactionClient(patient, Bootstrap.ofAddresses [ broker.Address ], "tx")
                  Expect.equal (soon.Run(fun call -> transaction.InitProducerId(ms 60_000, call)).Error) ErrorCode.None "an identity"
                  add transaction
                  Expect.equal (soon.Run(fun call -> transaction.AddOffsets("g", call)).Error) ErrorCode.None "the group"
                  use producer = producerOf broker
                  let sent = batch "r" 1
                  soon.Run(fun call -> producer.Produce(sent, call)) |> acknowledged |> ignore
                  Expect.equal (soon.Run(fun call -> transaction.Commit call).Error) ErrorCode.None "the end"
                  // The end of the transaction before is being written: a real broker says so too.
                  let again = soon.Run(fun call -> transaction.AddPartitions([ at "t" ], call))
                  Expect.equal (again.Error, again.Exchange.Info.Attempt) (ErrorCode.None, 2) "the next transaction"))

          testCase "gives up at once if waiting is of no use" (fun () ->
              let refuse (received: Received) =
                  match received.Request with
                  | Request.InitProducerId _ ->
                      let response =
                          { InitProducerId.api.Response.Schema.Default with Error = ErrorCode.TransactionalIdAuthorizationFailed }

                      Some(Script.answer InitProducerId.api received response)
                  | _ -> None

              withLog Kafka40 1s refuse (fun _ broker ->
                  use transaction = new TransactionClient(patient, Bootstrap.ofAddresses [ broker.Address ], "tx")
                  let reply = RetryPolicy.standard.Run(fun call -> transaction.InitProducerId(ms 60_000, call))
                  Expect.equal reply.Error ErrorCode.TransactionalIdAuthorizationFailed "the code"
                  Expect.equal reply.Exchange.Info.Attempt 1 "one attempt"))

          testCase "reports a coordinator that is not there by its code, like any other" (fun () ->
              let none (received: Received) =
                  match received.Request with
                  | Request.FindCoordinator request ->
                      let none key : FindCoordinator.Coordinator =
                          { Key = key; NodeId = -1; Host = ""; Port = -1; Error = ErrorCode.CoordinatorNotAvailable; ErrorMessage = None }

                      let response = { FindCoordinator.api.Response.Schema.Default with Coordinators = List.map none request.Keys }
                      Some(Script.answer FindCoordinator.api received response)
                  | _ -> None

              withLog Kafka40 1s none (fun _ broker ->
                  use transaction = new TransactionClient(patient, Bootstrap.ofAddresses [ broker.Address ], "tx")
                  let reply = transaction.InitProducerId(ms 60_000)
                  Expect.equal (reply.Error, reply.IsTransient) (ErrorCode.CoordinatorNotAvailable, true) "as a value")) ]

[<Tests>]
let tests = testList "produce" [ offsets; releases; codes; transactions; firstUse ]
