/// Producing, fetching and retrying through the façade.
module LibKafka.Integration.FacadePartitionTests

open System
open System.Threading
open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Records
open LibKafka.Wire
open LibKafka.Integration.FacadeSupport

let private identity = ProducerIdentity(4711L, 3s)

/// A leader that does this for its first, second, … batch, and acknowledges the rest.
let private answering (acts: (Received -> Produce.Request -> Act list) list) (test: PartitionClient -> unit) =
    let mutable rest = acts

    let script (received: Received) =
        match received.Request, rest with
        | Request.Produce request, act :: others ->
            rest <- others
            act received request
        | Request.Produce request, [] ->
            Script.answer Produce.api received (Script.produced (fun answer -> { answer with BaseOffset = 90L }) request)
        | _ -> Script.unexpected received

    scripted script (fun options ->
        use client = new PartitionClient(options, partition)
        test client)

let private refusing (code: ErrorCode) received request =
    Script.answer Produce.api received (Script.produced (fun answer -> { answer with Error = code; BaseOffset = -1L }) request)

let private losing (_: Received) (_: Produce.Request) = [ Act.Close ]

let private invalid (what: string) (action: unit -> unit) = Expect.throwsT<InvalidOperationException> action what

let private producing =
    testList
        "producing"
        [ testCase "a batch that is larger than the options allow is refused before anything is sent" (fun () ->
              answering [] (fun client ->
                  let sent = batch "a" 10
                  use producer = new PartitionProducer(client, ProducerOptions(MaxBatchBytes = sent.SizeInBytes - 1))
                  let result = producer.Produce sent
                  Expect.equal result.Status ProduceStatus.Rejected "it is not in the log"
                  Expect.equal (there result.Fault).Kind KafkaFaultKind.CannotEncode "why"
                  Expect.stringContains (result.ToString()) (string sent.SizeInBytes) "how large it is"
                  Expect.isFalse result.Exchange.WasSent "nothing was sent"
                  Expect.isTrue (obj.ReferenceEquals(result.Batch, sent)) "the batch"
                  use producer = new PartitionProducer(client, ProducerOptions(MaxBatchBytes = sent.SizeInBytes))
                  Expect.equal (producer.Produce(sent).ThrowIfError().BaseOffset) 90L "a batch of the largest size is sent"))

          testCase "a batch in doubt is sent again with the same sequence until the outcome is known" (fun () ->
              answering [ losing; refusing ErrorCode.NotLeaderOrFollower ] (fun client ->
                  use producer = new IdempotentProducer(client, identity)
                  Expect.equal (producer.Status, producer.NextSequence) (IdempotentProducerStatus.Ready, Nullable 0) "before"
                  let given = batch "a" 2
                  let lost = producer.Produce given
                  Expect.equal (lost.Status, lost.WasSentBefore) (ProduceStatus.Unknown, false) "the answer was lost"
                  Expect.isNotNull lost.Fault "why"
                  Expect.equal (producer.Status, producer.NextSequence) (IdempotentProducerStatus.InDoubt, Nullable()) "in doubt"
                  Expect.equal (there producer.BatchInDoubt) lost.Batch "the batch as it was sent"
                  invalid "another batch" (fun () -> producer.Produce(batch "b" 1) |> ignore)
                  invalid "options for another" (fun () -> producer.OptionsForNext() |> ignore)
                  let refused = producer.Produce(given, CallOptions(Attempt = 2))

                  Expect.equal
                      (refused.Status, refused.WasSentBefore, refused.Error)
                      (ProduceStatus.Unknown, true, ErrorCode.NotLeaderOrFollower)
                      "refused, but the first attempt may have succeeded"

                  Expect.equal refused.Exchange.Attempt 2 "the second attempt"
                  Expect.stringContains (thrown "unknown" (fun () -> refused.ThrowIfError() |> ignore)).Message "may or may not" "text"
                  let settled = producer.Retry(CallOptions(Attempt = 3))
                  Expect.equal (settled.Status, settled.BaseOffset) (ProduceStatus.Acknowledged, 90L) "acknowledged"
                  Expect.equal settled.Exchange.Attempt 3 "the third attempt"

                  Expect.equal
                      (settled.Batch.ProducerId, settled.Batch.ProducerEpoch, settled.Batch.BaseSequence)
                      (4711L, 3s, 0)
                      "its identity and sequence"

                  Expect.equal producer.NextSequence (Nullable 2) "the next"
                  invalid "nothing is in doubt" (fun () -> producer.Retry() |> ignore)
                  let next = producer.OptionsForNext(RecordBatchOptions(PartitionLeaderEpoch = 5))

                  Expect.equal
                      next
                      (RecordBatchOptions(PartitionLeaderEpoch = 5, ProducerId = 4711L, ProducerEpoch = 3s, BaseSequence = 2))
                      "options for the next"

                  let built = batchWith next [ plain "c" ]
                  Expect.isTrue (obj.ReferenceEquals(producer.Produce(built).ThrowIfError().Batch, built)) "sent as it was built"))

          testCase "a duplicate is acknowledged, and a fenced producer continues with another identity" (fun () ->
              answering [ refusing ErrorCode.DuplicateSequenceNumber; refusing ErrorCode.InvalidProducerEpoch ] (fun client ->
                  use producer = new IdempotentProducer(client, identity)
                  let known = producer.Produce(batch "a" 1)
                  Expect.equal (known.Status, known.BaseOffset) (ProduceStatus.Acknowledged, -1L) "the broker already has it"
                  let fenced = producer.Produce(batch "b" 1)
                  Expect.equal (fenced.Status, fenced.Error) (ProduceStatus.Rejected, ErrorCode.InvalidProducerEpoch) "fenced"

                  Expect.equal
                      (producer.Status, producer.FencedBy)
                      (IdempotentProducerStatus.Fenced, ErrorCode.InvalidProducerEpoch)
                      "the state"

                  invalid "nothing may be sent" (fun () -> producer.Produce(batch "c" 1) |> ignore)
                  Expect.throwsT<ArgumentException> (fun () -> producer.Renew identity) "the same identity"
                  producer.Renew(identity.NextEpoch().Value)
                  Expect.equal producer.Identity (ProducerIdentity(4711L, 4s)) "the next epoch"
                  Expect.equal (producer.Produce(batch "c" 1).ThrowIfError().Batch.BaseSequence) 0 "from the start"))

          testCase "a batch whose result stays unknown is given up with the next epoch, and is reported" (fun () ->
              answering [ refusing ErrorCode.UnknownServerError ] (fun client ->
                  use producer = new IdempotentProducer(client, identity)
                  let doubtful = producer.Produce(batch "a" 2)
                  Expect.equal (doubtful.Status, doubtful.Error) (ProduceStatus.Unknown, ErrorCode.UnknownServerError) "not known"
                  Expect.isTrue doubtful.IsRetriable "brokers recognize a repetition"
                  invalid "another batch" (fun () -> producer.Produce(batch "b" 1) |> ignore)
                  let given = there (producer.RaiseEpoch())
                  Expect.equal given.Batch.BaseSequence 0 "the batch"
                  Expect.stringContains given.Reason "UNKNOWN_SERVER_ERROR" "the reason"
                  Expect.equal producer.GivenUp given "is kept"
                  Expect.equal producer.Identity (ProducerIdentity(4711L, 4s)) "the next epoch"
                  Expect.equal (producer.Produce(batch "b" 1).ThrowIfError().Batch.BaseSequence) 0 "from the start"))

          testCase "a batch with an identity is not sent by a producer without one, and the fault says what to do" (fun () ->
              answering [] (fun client ->
                  use producer = new PartitionProducer(client)
                  let foreign = batchWith (RecordBatchOptions(ProducerId = 1L, ProducerEpoch = 0s, BaseSequence = 5)) [ plain "a" ]
                  let result = producer.Produce foreign
                  Expect.equal (result.Status, result.IsRetriable) (ProduceStatus.Rejected, false) "not sent"
                  Expect.equal (there result.Fault).Kind KafkaFaultKind.CannotProduce "the kind"
                  Expect.stringContains (there result.Fault).Message "ForForwarding" "what to do"
                  RetryPolicy.Standard.Run(fun call -> producer.Produce(batch "b" 1, call)).ThrowIfError() |> ignore))

          testCase "an identity ends with its last epoch, and an idempotent producer needs every acknowledgement" (fun () ->
              Expect.isFalse (ProducerIdentity(1L, Int16.MaxValue).NextEpoch().HasValue) "there is no next"
              Expect.equal (identity.ToString()) "producer 4711 epoch 3" "text"
              use client = new PartitionClient(KafkaClientOptions "a:1", partition)

              Expect.throwsT<ArgumentException>
                  (fun () -> (new IdempotentProducer(client, identity, ProducerOptions(Acks = Acks.Leader))).Dispose())
                  "acks")

          testCase "an idempotent producer disposes of a client of its own" (fun () ->
              onCluster (fun _ options ->
                  let own = KafkaCluster.RequestProducerIdentity(options).ThrowIfError()
                  Expect.notEqual own (KafkaCluster.RequestProducerIdentity(options).ThrowIfError()) "no other producer has it"
                  use producer = new IdempotentProducer(options, partition, own)
                  Expect.equal (producer.Identity, producer.TransactionalId) (own, null) "the identity"

                  for expected in [ 0L; 3L ] do
                      Expect.equal (producer.Produce(batch "i" 3).ThrowIfError().BaseOffset) expected "in order"

                  producer.Dispose()
                  Expect.throwsT<ObjectDisposedException> (fun () -> producer.Produce(batch "i" 1) |> ignore) "its client is disposed of"))

          testCase "a refused identity is an error code" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.InitProducerId _ ->
                      let refusal = InitProducerId.response.Default
                      Script.answer InitProducerId.api received { refusal with Error = ErrorCode.ClusterAuthorizationFailed }
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  use connection = KafkaCluster.Connect(options).ThrowIfError()

                  for result in [ connection.RequestProducerIdentity(Nullable identity); KafkaCluster.RequestProducerIdentity options ] do
                      Expect.equal (result.IsSuccess, result.Error) (false, ErrorCode.ClusterAuthorizationFailed) "the error code"
                      Expect.isNull result.Fault "no fault"
                      let fault = thrown "none" (fun () -> result.ThrowIfError() |> ignore)
                      Expect.equal fault.ErrorCode ErrorCode.ClusterAuthorizationFailed "thrown")) ]

// ---- fetching ----

/// A leader that answers fetches so.
let private fetching
    (change: Fetch.PartitionResponse -> Fetch.PartitionResponse)
    (options: FetcherOptions)
    (test: PartitionFetcher -> unit)
    =
    let rest (received: Received) =
        match received.Request with
        | Request.Fetch request -> Script.answer Fetch.api received (Script.fetched change request)
        | _ -> Script.unexpected received

    scripted rest (fun client ->
        use fetcher = new PartitionFetcher(client, partition, options)
        test fetcher)

let private stored offset epoch names =
    batchWith (RecordBatchOptions(BaseOffset = offset, PartitionLeaderEpoch = epoch)) (List.map plain names)

let private gathered (batches: RecordBatch list) : Bytes option = Some(Bytes(Array.concat (batches |> List.map _.Bytes.ToArray())))

/// The values of the records of a fetch.
let private valuesOf (fetched: FetchResult) : string list =
    let found = ResizeArray()

    for record in fetched.Records() do
        found.Add(Text.Encoding.UTF8.GetString record.Value)

    List.ofSeq found

let private dataTests =
    testList
        "data"
        [ testCase "a transactional log is read from the middle of a batch, without markers and without what was aborted" (fun () ->
              let inTransaction producer offset names =
                  batchWith
                      (RecordBatchOptions(
                          BaseOffset = offset,
                          IsTransactional = true,
                          ProducerId = producer,
                          ProducerEpoch = 0s,
                          BaseSequence = 0
                      ))
                      (List.map plain names)

              let marker producer offset (kind: byte) =
                  let record = { plain "" with Key = Some [| 0uy; 0uy; 0uy; kind |]; Value = Some(Array.zeroCreate 6) }

                  batchWith
                      (RecordBatchOptions(
                          BaseOffset = offset,
                          IsTransactional = true,
                          IsControl = true,
                          ProducerId = producer,
                          ProducerEpoch = 0s
                      ))
                      [ record ]

              let log =
                  [ inTransaction 7L 10L [ "a"; "b"; "c" ]
                    inTransaction 8L 13L [ "d"; "e" ]
                    marker 8L 15L 0uy
                    marker 7L 16L 1uy
                    stored 20L 1 [ "f" ] ]

              let answer (answer: Fetch.PartitionResponse) =
                  { answer with
                      HighWatermark = 21L
                      Records = gathered log
                      AbortedTransactions = Some [ { ProducerId = 8L; FirstOffset = 13L } ] }

              for isolation, expected in
                  [ IsolationLevel.ReadCommitted, [ "b"; "c"; "f" ]; IsolationLevel.ReadUncommitted, [ "b"; "c"; "d"; "e"; "f" ] ] do
                  fetching answer (FetcherOptions(IsolationLevel = isolation)) (fun fetcher ->
                      fetcher.Offset <- 11L
                      let fetched = fetcher.Fetch().ThrowIfError()
                      Expect.equal (valuesOf fetched) expected "the records"
                      Expect.equal (recordsOf fetched |> List.map fst |> List.head) 11L "by batches too, from the offset on"
                      Expect.equal (recordsOf fetched).Length expected.Length "all of them"
                      Expect.equal [ for item in fetched.RawBatches -> item.GetBatch() ] log "the raw batches"
                      Expect.equal fetched.NextOffset 21L "where to continue"))

          testCase "bytes that cannot be read throw after the records before them" (fun () ->
              let second = (stored 12L 2 [ "c" ]).Bytes.ToArray()
              damage second
              let records = Some(Bytes(Array.append ((stored 10L 2 [ "a"; "b" ]).Bytes.ToArray()) second))

              fetching (fun answer -> { answer with Records = records }) (FetcherOptions()) (fun fetcher ->
                  fetcher.Offset <- 11L
                  let fetched = fetcher.Fetch().ThrowIfError()
                  let found = ResizeArray()

                  let fault =
                      thrown "the second batch" (fun () ->
                          for record in fetched.Records() do
                              found.Add record.Offset)

                  Expect.equal fault.Kind KafkaFaultKind.BadChecksum "why"
                  Expect.stringContains fault.Message "offsets 12 to 12" "which batch"
                  Expect.equal (List.ofSeq found) [ 11L ] "the records before"))

          testCase "a first batch whose length is damaged is not taken for one that is cut off" (fun () ->
              let bytes = (stored 10L 2 [ "a"; "b" ]).Bytes.ToArray()
              bytes[9] <- 1uy

              fetching (fun answer -> { answer with Records = Some(Bytes bytes) }) (FetcherOptions()) (fun fetcher ->
                  fetcher.Offset <- 10L
                  let fetched = fetcher.Fetch().ThrowIfError()
                  Expect.equal (fetched.Next.Kind, fetched.Next.Position) (FetchAdvanceKind.Damaged, Nullable()) "damaged"
                  Expect.equal (there fetched.Next.Fault).Kind KafkaFaultKind.Malformed "why"
                  thrown "no position is known" (fun () -> fetched.NextPosition |> ignore) |> ignore
                  thrown "the records" (fun () -> valuesOf fetched |> ignore) |> ignore))

          testCase "a throttled fetch is empty" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.Fetch request ->
                      Script.answer Fetch.api received { Script.fetched id request with ThrottleTimeMs = 250; Topics = [] }
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  for useSession in [ false; true ] do
                      use fetcher = new PartitionFetcher(options, partition, FetcherOptions(UseSession = useSession), Offset = 5L)

                      for _ in 1..2 do
                          let fetched = fetcher.Fetch().ThrowIfError()
                          Expect.equal fetched.ThrottleTime (TimeSpan.FromMilliseconds 250.0) "the time to pause"
                          Expect.isEmpty (valuesOf fetched) "no records"
                          Expect.equal fetched.NextPosition (FetchPosition 5L) "the same position"))

          testCase "a time that no record has reached is a fault of the seek, and one before 1970 is refused" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.ListOffsets request -> Script.answer ListOffsets.api received (Script.found -1L request)
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  use fetcher = new PartitionFetcher(options, partition, Offset = 5L)
                  let sought = fetcher.SeekToTime DateTimeOffset.UtcNow
                  Expect.isFalse sought.IsSuccess "it does not pass for success"
                  Expect.equal (there sought.Fault).Kind KafkaFaultKind.NoSuchOffset "why"
                  Expect.isFalse sought.IsTransient "it is not worth another attempt"
                  let fault = thrown "no such offset" (fun () -> sought.ThrowIfError() |> ignore)
                  Expect.stringContains fault.Message "OffsetSpec.Latest" "what to do"
                  Expect.equal (fetcher.Position, sought.Offset) (FetchPosition 5L, Nullable()) "it has not moved"
                  let found = fetcher.FindOffset(OffsetSpec.AtTimestamp 1L).ThrowIfError()
                  Expect.equal found.Offset (Nullable()) "a search without moving finds none"

                  Expect.throwsT<ArgumentOutOfRangeException>
                      (fun () -> fetcher.SeekToTime(DateTimeOffset.UnixEpoch.AddMilliseconds -1.0) |> ignore)
                      "before 1970")) ]

let private fetchingTests =
    testList
        "fetching"
        [ testCase "the next position is after the last batch, and its epoch is sent to the broker" (fun () ->
              let mutable asked = []

              let rest (received: Received) =
                  match received.Request with
                  | Request.Fetch request ->
                      asked <- asked @ [ request ]
                      let records = gathered [ stored 10L 2 [ "a" ]; stored 11L 4 [ "b"; "c" ] ]
                      Script.answer Fetch.api received (Script.fetched (fun answer -> { answer with Records = records }) request)
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  use fetcher =
                      new PartitionFetcher(options, partition, FetcherOptions(RackId = "rack-1", UseSession = true), Offset = 10L)

                  let fetched = fetcher.Fetch().ThrowIfError()
                  Expect.equal fetched.Next.Kind FetchAdvanceKind.Onward "onward"
                  Expect.isEmpty fetched.Next.Corrupt "nothing is unreadable"
                  Expect.equal (fetched.Position, fetched.NextPosition) (FetchPosition 10L, FetchPosition(13L, 4)) "positions"
                  Expect.stringContains (fetched.Next.ToString()) "offset 13" "text"
                  fetcher.Position <- fetched.NextPosition
                  Expect.equal (fetcher.Position, fetcher.Offset) (FetchPosition(13L, 4), 13L) "moved"
                  fetcher.Fetch().ThrowIfError() |> ignore

                  let partitions =
                      asked
                      |> List.map (fun request ->
                          let one = request.Topics[0].Partitions[0]
                          request.RackId, request.SessionEpoch, one.FetchOffset, one.LastFetchedEpoch)

                  Expect.equal partitions[0] ("rack-1", 0, 10L, -1) "it opens a session"
                  Expect.equal partitions[1] ("rack-1", 0, 13L, 4) "the epoch is sent"
                  Expect.throwsT<ArgumentOutOfRangeException> (fun () -> fetcher.Position <- FetchPosition -1L) "no such position"))

          testCase "damage is reported before it is skipped" (fun () ->
              let stretch (change: byte[] -> unit) =
                  let bytes = (stored 10L 2 [ "a"; "b" ]).Bytes.ToArray()
                  change bytes
                  Some(Bytes bytes)

              for records, position in [ stretch damage, Nullable(FetchPosition 12L); stretch (fun bytes -> bytes[16] <- 9uy), Nullable() ] do
                  fetching (fun answer -> { answer with HighWatermark = 100L; Records = records }) (FetcherOptions()) (fun fetcher ->
                      fetcher.Offset <- 10L
                      let fetched = fetcher.Fetch().ThrowIfError()
                      Expect.equal fetched.Next.Kind FetchAdvanceKind.Damaged "damaged"
                      Expect.equal fetched.Next.Position position "its end, if it is known"
                      Expect.equal (fetched.Next.Corrupt |> Seq.map _.FirstOffset |> List.ofSeq) [ 10L ] "the damage"

                      if position.HasValue then
                          Expect.equal fetched.NextOffset 12L "after it"
                      else
                          thrown "an unknown end" (fun () -> fetched.NextOffset |> ignore) |> ignore))

          testCase "log truncation is reported with the position where the log diverges" (fun () ->
              let parting: Fetch.EpochEndOffset = { Epoch = 1; EndOffset = 45L }

              fetching (fun answer -> { answer with DivergingEpoch = parting }) (FetcherOptions()) (fun fetcher ->
                  fetcher.Position <- FetchPosition(50L, 2)
                  let fetched = fetcher.Fetch().ThrowIfError()
                  Expect.equal fetched.Diverging (Nullable(FetchPosition(45L, 1))) "where"
                  Expect.equal fetched.Next.Kind FetchAdvanceKind.Truncated "what it means"
                  Expect.equal fetched.NextPosition (FetchPosition(45L, 1)) "where to continue"))

          testCase "log truncation can be checked" (fun () ->
              for answer, position, status, at in
                  [ (2, 50L, ErrorCode.None), FetchPosition(50L, 2), TruncationStatus.Intact, Nullable()
                    (1, 45L, ErrorCode.None), FetchPosition(50L, 2), TruncationStatus.Truncated, Nullable(FetchPosition(45L, 1))
                    (-1, -1L, ErrorCode.None), FetchPosition(50L, 2), TruncationStatus.TruncatedSomewhere, Nullable()
                    (2, 50L, ErrorCode.None), FetchPosition 50L, TruncationStatus.NotKnown, Nullable()
                    (-1, -1L, ErrorCode.FencedLeaderEpoch), FetchPosition(50L, 2), TruncationStatus.NotKnown, Nullable() ] do
                  let epoch, finish, code = answer

                  let rest (received: Received) =
                      match received.Request with
                      | Request.OffsetForLeaderEpoch _ ->
                          let found: OffsetForLeaderEpoch.PartitionResponse =
                              { Error = code; Partition = 0; LeaderEpoch = epoch; EndOffset = finish }

                          Script.answer
                              OffsetForLeaderEpoch.api
                              received
                              { OffsetForLeaderEpoch.response.Default with Topics = [ { Topic = topic; Partitions = [ found ] } ] }
                      | _ -> Script.unexpected received

                  scripted rest (fun options ->
                      use fetcher = new PartitionFetcher(options, partition, Position = position)
                      let check = fetcher.CheckTruncation()
                      Expect.equal (check.Status, check.TruncatedAt) (status, at) "the finding"
                      Expect.equal (check.Position, check.Error) (position, code) "the rest"

                      if code.IsError then
                          Expect.equal (thrown "refused" (fun () -> check.ThrowIfError() |> ignore)).ErrorCode code "thrown"
                      else
                          check.ThrowIfError() |> ignore))

          testCase "every offset spec can be used, and one that the broker does not support is a fault" (fun () ->
              onCluster (fun _ options ->
                  use fetcher = new PartitionFetcher(options, partition)
                  use producer = new PartitionProducer(fetcher.Client)
                  producer.Produce(batch "a" 3).ThrowIfError() |> ignore
                  Expect.equal (fetcher.Seek(OffsetSpec.Latest, CallOptions(Attempt = 2)).ThrowIfError().Exchange.Attempt) 2 "attempt"
                  Expect.equal fetcher.Offset 3L "moved"
                  let tiered = fetcher.FindOffset(OffsetSpec.LatestTiered)
                  Expect.equal (there tiered.Fault).Kind KafkaFaultKind.NoCommonVersion "the mock broker has no tiered storage"
                  Expect.equal (fetcher.Offset, fetcher.Replica) (3L, Nullable()) "the position is unchanged"))

          testCase "disposing of a fetcher closes its connection to a replica, but not a shared client" (fun () ->
              // The replica is the same broker, on a connection of its own.
              let rest (received: Received) =
                  match received.Request with
                  | Request.Fetch request ->
                      Script.answer Fetch.api received (Script.fetched (fun answer -> { answer with PreferredReadReplica = 1 }) request)
                  | _ -> Script.unexpected received

              let leading me = Script.knowing everyApi (Script.leading [ Script.topic topic topicId ] me rest)

              Scripted.broker leading (fun broker ->
                  use client =
                      new PartitionClient(KafkaClientOptions([ BrokerAddress(broker.Address.Host, broker.Address.Port) ]), partition)
                  let fetcher = new PartitionFetcher(client, FetcherOptions(RackId = "rack-1"))
                  fetcher.Fetch().ThrowIfError() |> ignore
                  fetcher.Fetch().ThrowIfError() |> ignore
                  let replica = (List.last broker.Calls).Connection
                  Expect.equal replica (broker.Connections - 1) "the latest connection is the replica's"
                  fetcher.Dispose()
                  broker.AwaitEnd replica
                  Expect.isTrue (there client.Connection).IsOpen "the leader's stays"))

          testCase "the leader names a closer replica, and the next fetch goes there" (fun () ->
              fetching (fun answer -> { answer with PreferredReadReplica = 7 }) (FetcherOptions(RackId = "rack-1")) (fun fetcher ->
                  Expect.equal (fetcher.Fetch().ThrowIfError().PreferredReadReplica) (Nullable 7) "the replica"
                  Expect.equal fetcher.Replica (Nullable 7) "is used next")) ]

// ---- retrying ----

let private soon (policy: RetryPolicy<'T>) =
    RetryPolicy<'T>(policy.Again, Attempts = 3, FirstDelay = TimeSpan.FromMilliseconds 1.0, Factor = 1.0, MaxDelay = second, Jitter = 0.0)

let private retrying =
    testList
        "retrying"
        [ testCase "a policy wraps a call in one line" (fun () ->
              answering [ refusing ErrorCode.NotEnoughReplicas; refusing ErrorCode.NotEnoughReplicas ] (fun client ->
                  use producer = new PartitionProducer(client)
                  let sent = batch "a" 1
                  let result = (soon RetryPolicy.Produce).Run(fun call -> producer.Produce(sent, call))
                  Expect.equal (result.Status, result.Exchange.Attempt) (ProduceStatus.Acknowledged, 3) "the third attempt succeeds"))

          testCase "a batch whose outcome is unknown is sent again only by an idempotent producer" (fun () ->
              answering [ losing; losing ] (fun client ->
                  let sent = batch "a" 1
                  use plain = new PartitionProducer(client)
                  let result = (soon RetryPolicy.Produce).Run(fun call -> plain.Produce(sent, call))
                  Expect.equal (result.Status, result.Exchange.Attempt) (ProduceStatus.Unknown, 1) "not twice"
                  Expect.equal (Retriable.Produce result, Retriable.Idempotent result) (false, true) "by the predicates"
                  use idempotent = new IdempotentProducer(client, identity)
                  let result = (soon RetryPolicy.Idempotent).Run(fun call -> idempotent.Produce(sent, call))
                  Expect.equal (result.Status, result.Exchange.Attempt) (ProduceStatus.Acknowledged, 2) "until it is acknowledged"))

          testCase "fetches and searches are repeated after a transient error" (fun () ->
              onCluster (fun cluster options ->
                  use fetcher = new PartitionFetcher(options, partition, FetcherOptions(MaxWait = TimeSpan.FromMilliseconds 1.0))
                  cluster.PushErrors(1s, [ ErrorCode.NotLeaderOrFollower.Code ])
                  let fetched = (soon RetryPolicy.Fetch).Run(fun call -> fetcher.Fetch call)
                  Expect.equal (fetched.Error, fetched.Exchange.Attempt) (ErrorCode.None, 2) "the fetch"
                  Expect.isFalse fetched.IsTransient "is not worth another attempt"
                  cluster.PushErrors(2s, [ ErrorCode.NotLeaderOrFollower.Code ])
                  let sought = (soon RetryPolicy.Seek).Run(fun call -> fetcher.Seek(OffsetSpec.Latest, call))
                  Expect.equal (sought.Error, sought.Exchange.Attempt) (ErrorCode.None, 2) "the search"
                  Expect.isFalse sought.IsTransient "is not worth another attempt"))

          testCase "any call can be repeated while its result is transient, with its options" (fun () ->
              let attempts = ResizeArray<CallOptions>()
              let socket, address = Loopback.refuse ()
              use _ = socket
              let options = KafkaClientOptions([ BrokerAddress(address.Host, address.Port) ])
              use source = new CancellationTokenSource()
              let given = CallOptions(CancellationToken = source.Token, Timeout = Nullable second)

              let result =
                  (soon (RetryPolicy.Transient<KafkaResult<KafkaConnection>>()))
                      .Run(
                          (fun call ->
                              attempts.Add call
                              KafkaCluster.Connect(options, call)),
                          given
                      )

              Expect.equal ((there result.Fault).Kind, result.IsTransient) (KafkaFaultKind.NoBroker, true) "the last result"
              Expect.equal
                  (List.ofSeq attempts)
                  [ for i in 1..3 -> CallOptions(Attempt = i, CancellationToken = source.Token, Timeout = Nullable second) ]
                  "the options of each attempt")

          testCase "delays, random numbers and the clock can be set" (fun () ->
              let waits = ResizeArray<TimeSpan>()
              let time = ManualTime()

              let sleep (delay: TimeSpan) (_: CancellationToken) =
                  waits.Add delay
                  time.Advance delay

              let policy =
                  RetryPolicy<int>(
                      (fun _ -> true),
                      Attempts = 10,
                      FirstDelay = second,
                      Factor = 3.0,
                      MaxDelay = 5.0 * second,
                      Jitter = 0.5,
                      TimeLimit = 10.0 * second,
                      TimeProvider = time,
                      Random = (fun () -> 0.5),
                      Sleep = sleep
                  )

              Expect.equal (policy.Run(_.Attempt)) 4 "how often"
              Expect.equal (List.ofSeq waits |> List.map _.TotalSeconds) [ 0.75; 2.25; 3.75 ] "the waits"
              let standard, core = RetryPolicy.Produce, Client.RetryPolicy.produce

              Expect.equal
                  (standard.Attempts, standard.FirstDelay, standard.Factor, standard.MaxDelay, standard.Jitter, standard.TimeLimit)
                  (core.Attempts, core.FirstDelay, core.Factor, core.MaxDelay, core.Jitter, core.TimeLimit)
                  "what is not set is what the core has"

              let outOfRange (make: unit -> RetryPolicy<int>) =
                  Expect.throwsT<ArgumentOutOfRangeException> (make >> ignore) "an invalid option"
              outOfRange (fun () -> RetryPolicy<int>((fun _ -> true), FirstDelay = -second))
              outOfRange (fun () -> RetryPolicy<int>((fun _ -> true), MaxDelay = -second))
              outOfRange (fun () -> RetryPolicy<int>((fun _ -> true), Factor = nan))
              outOfRange (fun () -> RetryPolicy<int>((fun _ -> true), Jitter = 1.5))
              outOfRange (fun () -> RetryPolicy<int>((fun _ -> true), TimeLimit = -second))
              let endless = Timeout.InfiniteTimeSpan
              let unbound = RetryPolicy<int>((fun _ -> true), TimeLimit = endless, TimeProvider = time, Sleep = sleep, Attempts = 50)
              Expect.equal (unbound.Run(_.Attempt)) 50 "the maximum number of attempts, without a time limit")

          testCase "cancelling the wait ends the attempts" (fun () ->
              use source = new CancellationTokenSource()

              let call (options: CallOptions) =
                  source.Cancel()
                  options.Attempt

              Expect.equal (RetryPolicy.For<int>(fun _ -> true).Run(call, source.Token)) 1 "one attempt") ]

let private direct =
    testList
        "memory"
        [ testCase "a fetch into the caller's memory allocates none for its answer" (fun () ->
              let sent = batch "kept" 50

              let script (received: Received) =
                  match received.Request with
                  | Request.Fetch request ->
                      Script.answer Fetch.api received (Script.fetched (fun answer -> { answer with Records = Some sent.Bytes }) request)
                  | _ -> Script.unexpected received

              scripted script (fun options ->
                  use fetcher = new PartitionFetcher(options, partition)
                  let memory = ReceiveBuffer()
                  let fetch () = fetcher.Fetch(CallOptions(Memory = memory)).ThrowIfError()
                  Expect.isTrue ((fetch ()).RawRecords.Span.SequenceEqual sent.Span) "the batch"
                  let capacity = memory.Capacity
                  Expect.isGreaterThan capacity sent.SizeInBytes "as large as the answer"
                  Expect.isTrue ((fetch ()).RawRecords.Span.SequenceEqual sent.Span) "again"
                  Expect.equal memory.Capacity capacity "in the same memory")) ]

[<Tests>]
let tests = testList "façade, partitions" [ producing; fetchingTests; dataTests; retrying; direct ]
