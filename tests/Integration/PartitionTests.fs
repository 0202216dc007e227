/// How producers and fetchers read the responses of a scripted leader.
module LibKafka.Integration.PartitionTests

open System
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support

let private produceWith (settings: ProducerSettings) (client: PartitionClient) : Produced =
    (new PartitionProducer(client, settings)).Produce(batch "r" 1)

let private produce = produceWith ProducerSettings.standard

/// A leader whose response to a batch is a valid one changed by a function, and the producer's reply.
let private answeredTo (change: Produce.PartitionResponse -> Produce.PartitionResponse) (check: PartitionClient -> Produced -> unit) =
    let rest (received: Received) =
        match received.Request with
        | Request.Produce request -> Script.answer Produce.api received (Script.produced change request)
        | _ -> Script.unexpected received

    Scripted.partition patient rest (fun _ client -> check client (produce client))

let private outcomes =
    testList
        "produce result"
        [ testCase "acknowledged: with all that the leader reports about the batch's place" (fun () ->
              let change (answer: Produce.PartitionResponse) = { answer with BaseOffset = 5L; LogAppendTimeMs = 6L; LogStartOffset = 4L }

              answeredTo change (fun client produced ->
                  Expect.equal
                      produced.Result
                      (ProduceResult.Acknowledged { BaseOffset = 5L; LogAppendTimeMs = 6L; LogStartOffset = 4L })
                      "the outcome"

                  Expect.isSome client.Connection "the connection stays"))

          testCase "rejected: with all that the leader reports about the reason" (fun () ->
              let change (answer: Produce.PartitionResponse) =
                  { answer with
                      Error = ErrorCode.InvalidRecord
                      BaseOffset = -1L
                      RecordErrors = [ { BatchIndex = 0; Message = Some "no key" } ]
                      ErrorMessage = Some "One or more records have been rejected" }

              answeredTo change (fun client produced ->
                  match produced.Result with
                  | ProduceResult.Rejected(Rejection.ByBroker answer) ->
                      Expect.equal answer.RecordErrors [ { BatchIndex = 0; Message = Some "no key" } ] "the records"
                      Expect.equal answer.ErrorMessage (Some "One or more records have been rejected") "the text"
                  | other -> failtestf "%O" other

                  Expect.isSome client.Connection "the connection stays"))

          for code in [ ErrorCode.RequestTimedOut; ErrorCode.NotEnoughReplicasAfterAppend ] do
              testCase ("unknown: the leader has the batch and cannot confirm its followers: " + code.Name) (fun () ->
                  answeredTo (fun answer -> { answer with Error = code; BaseOffset = -1L }) (fun _ produced ->
                      match produced.Result with
                      | ProduceResult.Unknown(Doubt.BrokerUnsure answer) -> Expect.equal answer.Error code "the code"
                      | other -> failtestf "%O" other))

          testCase "unknown: a leader that was replaced after it had appended reports the offset" (fun () ->
              let change (answer: Produce.PartitionResponse) = { answer with Error = ErrorCode.NotLeaderOrFollower; BaseOffset = 12L }

              answeredTo change (fun client produced ->
                  match produced.Result with
                  | ProduceResult.Unknown(Doubt.BrokerUnsure answer) -> Expect.equal answer.BaseOffset 12L "where it was appended"
                  | other -> failtestf "%O" other

                  Expect.isNone client.Connection "the leader is looked for anew"))

          testCase "unknown: the response is about another partition" (fun () ->
              answeredTo (fun answer -> { answer with Index = 1 }) (fun client produced ->
                  Expect.equal
                      produced.Result
                      (ProduceResult.Unknown(Doubt.AnswerLost(ClientFault.NotAnswered client.Partition)))
                      "the outcome"

                  Expect.isNone client.Connection "such a broker is not asked again on this connection"))

          testCase "unknown: the connection was cut before the response" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.Produce _ -> [ Act.Close ]
                  | _ -> Script.unexpected received

              Scripted.partition patient rest (fun _ client ->
                  Expect.equal (produce client).Result (ProduceResult.Unknown(Doubt.AnswerLost ClientFault.Closed)) "the outcome"))

          testCase "rejected: nothing was sent, because there is no leader" (fun () ->
              let socket, address = Loopback.refuse ()
              use _ = socket
              use client = new PartitionClient(patient, Bootstrap.ofAddresses [ address ], { Topic = "t"; Partition = 0 })

              match (produce client).Result with
              | ProduceResult.Rejected(Rejection.NotSent(ClientFault.NoBroker _)) -> ()
              | other -> failtestf "%O" other)

          testCase "rejected: nothing was sent, because it was cancelled before" (fun () ->
              Scripted.partition patient Script.unexpected (fun broker client ->
                  client.Connect() |> ok |> ignore
                  let producer = new PartitionProducer(client, ProducerSettings.standard)
                  let produced = producer.Produce(batch "r" 1, CallOptions.cancelledBy (Threading.CancellationToken true))
                  Expect.equal produced.Result (ProduceResult.Rejected(Rejection.NotSent ClientFault.Cancelled)) "the outcome"
                  Expect.isFalse produced.Exchange.Info.WasSent "nothing was sent"
                  Expect.isSome client.Connection "the connection is open"
                  Expect.isEmpty (broker.VersionsOf ApiKey.Produce) "nothing arrived")) ]

let private requests =
    let rest (received: Received) =
        match received.Request with
        | Request.Produce request when request.Acks <> Acks.None ->
            Script.answer Produce.api received (Script.produced (fun answer -> { answer with BaseOffset = 7L }) request)
        | Request.Produce _ -> []
        | Request.Fetch request -> Script.answer Fetch.api received (Script.fetched id request)
        | Request.ListOffsets request -> Script.answer ListOffsets.api received (Script.found 3L request)
        | _ -> Script.unexpected received

    testList
        "request"
        [ testCase "a batch is sent byte for byte as it is, with the producer's settings" (fun () ->
              Scripted.partition patient rest (fun broker client ->
                  let sent = batch "sent" 3
                  let settings = { ProducerSettings.standard with Acks = Acks.Leader; AckTimeout = ms 1234 }
                  (new PartitionProducer(client, settings)).Produce sent |> acknowledged |> ignore

                  match (List.last broker.Received).Request with
                  | Request.Produce request ->
                      Expect.equal request.Acks Acks.Leader "acks"
                      Expect.equal request.TimeoutMs 1234 "the time for followers"
                      Expect.equal request.TransactionalId None "no transaction"
                      Expect.equal request.Topics[0].Partitions [ { Index = 0; Records = Some sent.Bytes } ] "the batch"
                  | other -> failtestf "%A" other))

          testCase "acks=0 does not wait for a response, and the result is unknown" (fun () ->
              Scripted.partition patient rest (fun broker client ->
                  let produced = produceWith { ProducerSettings.standard with Acks = Acks.None } client
                  Expect.equal produced.Result (ProduceResult.Unknown Doubt.NotAsked) "the outcome"
                  Expect.equal produced.Exchange.Result (Ok None) "no fault and no response"
                  Expect.isLessThan produced.Exchange.Info.Elapsed (patient.CallTimeout / 2.0) "it returned at once"
                  Expect.equal (acknowledged (produce client)) 7L "the next batch has its answer"
                  Expect.hasLength (broker.VersionsOf ApiKey.Produce) 2 "both arrived"
                  Expect.equal broker.Connections 2 "one connection for the metadata, one for everything else"))

          testCase "a fetch has the fetcher's settings, its offset and the leader's epoch" (fun () ->
              Scripted.partition patient rest (fun broker client ->
                  let settings =
                      { FetcherSettings.standard with
                          MaxWait = ms 321
                          MinBytes = 22
                          MaxBytes = 3333
                          IsolationLevel = IsolationLevel.ReadCommitted }

                  let fetcher = new PartitionFetcher(client, settings, 44L)
                  fetcher.Fetch() |> ignore
                  fetcher.Offset <- 55L
                  fetcher.Fetch() |> ignore

                  let asked =
                      broker.Calls
                      |> List.choose (fun received ->
                          match received.Request with
                          | Request.Fetch request -> Some request
                          | _ -> None)

                  Expect.equal (asked |> List.map _.Topics[0].Partitions[0].FetchOffset) [ 44L; 55L ] "the offsets"
                  let first = asked[0]
                  Expect.equal (first.MaxWaitMs, first.MinBytes, first.MaxBytes) (321, 22, 3333) "the settings"
                  Expect.equal first.Topics[0].Partitions[0].PartitionMaxBytes 3333 "for the one partition too"
                  Expect.equal first.IsolationLevel IsolationLevel.ReadCommitted "the isolation"
                  Expect.equal first.Topics[0].Partitions[0].CurrentLeaderEpoch 3 "the epoch"
                  Expect.equal (first.SessionId, first.SessionEpoch) (0, -1) "no session"))

          testCase "a search for an offset has the isolation level, the leader's epoch and the place" (fun () ->
              Scripted.partition patient rest (fun broker client ->
                  let settings = { FetcherSettings.standard with IsolationLevel = IsolationLevel.ReadCommitted }
                  let fetcher = new PartitionFetcher(client, settings, 0L)

                  for spec in [ OffsetSpec.Earliest; OffsetSpec.Latest; OffsetSpec.AtTimestamp 1_700_000_000_000L ] do
                      Expect.equal (fetcher.FindOffset spec).Offset (Some 3L) "the offset"

                      match (List.last broker.Received).Request with
                      | Request.ListOffsets request ->
                          Expect.equal request.IsolationLevel IsolationLevel.ReadCommitted "the isolation"

                          Expect.equal
                              request.Topics[0].Partitions
                              [ { PartitionIndex = 0; CurrentLeaderEpoch = 3; Spec = spec; MaxNumOffsets = 1 } ]
                              "the partition, the epoch, the search"
                      | other -> failtestf "%A" other)) ]

let private searchTime =
    testCase "a search for an offset with an infinite CallTimeout gives the broker the longest time that can be sent" (fun () ->
        for timeout, told in [ Timeout.InfiniteTimeSpan, Int32.MaxValue; TimeSpan.FromDays 400.0, Int32.MaxValue; ms 20_000, 20_000 ] do
            Scripted.partition { patient with CallTimeout = timeout } (Script.finding 7L) (fun _ client ->
                let sought = (new PartitionFetcher(client, FetcherSettings.standard, 0L)).FindOffset OffsetSpec.Latest
                Expect.equal sought.Offset (Some 7L) "the offset"
                Expect.equal sought.Exchange.Request.TimeoutMs told "the time that the broker is given"))

let private throttling =
    testCase "throttle time is in the response, and the client does not wait" (fun () ->
        let throttle = 15_000

        let rest (received: Received) =
            match received.Request with
            | Request.Produce request -> Script.answer Produce.api received { Script.produced id request with ThrottleTimeMs = throttle }
            | Request.Fetch request -> Script.answer Fetch.api received { Script.fetched id request with ThrottleTimeMs = throttle }
            | Request.ListOffsets request ->
                Script.answer ListOffsets.api received { Script.found 0L request with ThrottleTimeMs = throttle }
            | _ -> Script.unexpected received

        Scripted.partition patient rest (fun _ client ->
            let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
            let clock = Diagnostics.Stopwatch.StartNew()
            Expect.equal (ok (produce client).Exchange.Result).Value.ThrottleTimeMs throttle "Produce"
            Expect.equal (ok (fetcher.Fetch()).Exchange.Result).ThrottleTimeMs throttle "Fetch"
            Expect.equal (ok (fetcher.FindOffset OffsetSpec.Latest).Exchange.Result).ThrottleTimeMs throttle "ListOffsets"
            Expect.isLessThan clock.Elapsed (ms throttle) "what to do about it is the caller's business"))

/// A leader whose response to a fetch is changed by a function, and the fetcher's reply.
let private fetchedAs (respond: Fetch.Request -> Fetch.Response) (check: PartitionClient -> Fetched -> unit) =
    let rest (received: Received) =
        match received.Request with
        | Request.Fetch request -> Script.answer Fetch.api received (respond request)
        | _ -> Script.unexpected received

    Scripted.partition patient rest (fun _ client -> check client ((new PartitionFetcher(client, FetcherSettings.standard, 10L)).Fetch()))

let private fetches =
    testList
        "fetch"
        [ testCase "an error of the request as a whole is reported as the partition's" (fun () ->
              let respond (request: Fetch.Request) =
                  { Script.fetched id request with Error = ErrorCode.FetchSessionIdNotFound; Topics = [] }

              fetchedAs respond (fun _ fetched ->
                  Expect.equal (ok (codeOf fetched.Result)) ErrorCode.FetchSessionIdNotFound "the code"
                  Expect.equal fetched.RawRecords.Length 0 "no records"
                  Expect.equal (nextOffset fetched) 10L "the next offset is the same"))

          testCase "a response about another partition is a fault" (fun () ->
              let other (answer: Fetch.PartitionResponse) = { answer with PartitionIndex = 1 }

              fetchedAs (Script.fetched other) (fun client fetched ->
                  Expect.equal (faultOf fetched.Result) (ClientFault.NotAnswered client.Partition) "the fault"
                  Expect.isNone client.Connection "such a broker is not asked again on this connection"))

          testCase "batches are unchanged, and a cut-off one at the end is ignored" (fun () ->
              let first = (batch "a" 3).Rebase(10L, 3)
              let second = (batch "b" 2).Rebase(13L, 3)
              let third = (batch "c" 2).Rebase(15L, 3)
              let bytes = RecordSet.concat [ first; second; third ]
              let cut = bytes.Slice(0, bytes.Length - 1)

              fetchedAs (Script.fetched (fun answer -> { answer with Records = Some cut })) (fun _ fetched ->
                  Expect.equal fetched.RawRecords cut "the bytes"
                  Expect.equal (valuesOf (recordsOf fetched)) [ "a0"; "a1"; "a2"; "b0"; "b1" ] "the records"
                  Expect.equal (nextOffset fetched) 15L "where the cut-off batch begins"))

          testCase "messages of an older format are read, and the next offset is after the last complete one" (fun () ->
              // Magic 1: no key and the value "v", at offset 11; then the same at offset 12, cut off.
              let message (offset: string) = "00000000000000" + offset + "0000001752488c6a01000000000000000005ffffffff0000000176"
              let bytes = Bytes.ofHex (message "0b" + message "0c")
              let cut = bytes.Slice(0, bytes.Length - 1)

              fetchedAs (Script.fetched (fun answer -> { answer with Records = Some cut })) (fun _ fetched ->
                  let expected = { Offset = 11L; Timestamp = 5L; Key = ValueNone; Value = text "v"; Headers = [] }
                  Expect.equal (recordsOf fetched) [ expected ] "the record"
                  Expect.equal (nextOffset fetched) 12L "where the one that is cut off begins"))

          testCase "null records are no records" (fun () ->
              fetchedAs (Script.fetched (fun answer -> { answer with Records = None })) (fun _ fetched ->
                  Expect.isEmpty (recordsOf fetched) "no records"
                  Expect.equal (nextOffset fetched) 10L "the next offset is the same")) ]

/// The bytes that a call allocates in its thread, on average.
let private allocatedBy (call: unit -> unit) : int64 =
    for _ in 1..50 do
        call ()

    let before = GC.GetAllocatedBytesForCurrentThread()

    for _ in 1..100 do
        call ()

    (GC.GetAllocatedBytesForCurrentThread() - before) / 100L

let private memory =
    let large = (batch "large" 2000).Bytes
    let small = (batch "s" 1).Bytes

    // An offset of 10 asks for the large batch, any other for the small one.
    let rest (received: Received) =
        let bytesFor (request: Fetch.Request) = if request.Topics.Head.Partitions.Head.FetchOffset = 10L then large else small

        match received.Request with
        | Request.Fetch request ->
            let answer = Script.fetched (fun answer -> { answer with Records = Some(bytesFor request) }) request
            Script.answer Fetch.api received answer
        | Request.Produce request -> Script.answer Produce.api received (Script.produced id request)
        | _ -> Script.unexpected received

    testList
        "memory"
        [ testCase "responses are read into the caller's memory, one after another" (fun () ->
              Scripted.partition patient rest (fun _ client ->
                  let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 10L)
                  let memory = ReceiveBuffer()
                  Expect.equal (fetcher.Fetch(CallOptions.into memory)).RawRecords large "the large batch"
                  let capacity = memory.Capacity
                  Expect.isGreaterThan capacity large.Length "as large as the answer"
                  fetcher.Offset <- 0L
                  Expect.equal (fetcher.Fetch(CallOptions.into memory)).RawRecords small "the small one, in the same memory"
                  fetcher.Offset <- 10L
                  Expect.equal (fetcher.Fetch(CallOptions.into memory)).RawRecords large "the large one again"
                  Expect.equal memory.Capacity capacity "nothing had to grow"))

          testCase "without it, the records of an earlier fetch stay unchanged" (fun () ->
              Scripted.partition patient rest (fun _ client ->
                  let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 10L)
                  let first = fetcher.Fetch()
                  fetcher.Offset <- 0L
                  Expect.equal (fetcher.Fetch()).RawRecords small "another answer"
                  Expect.equal first.RawRecords large "the first"))

          testCase "a fetch into the caller's memory allocates under 2 KB" (fun () ->
              Scripted.partition patient rest (fun _ client ->
                  let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 10L)
                  let memory = ReceiveBuffer()
                  let allocated = allocatedBy (fun () -> fetcher.Fetch(CallOptions.into memory) |> ignore)
                  Expect.isLessThan allocated 2048L "bytes for a fetch"))

          testCase "appending a batch allocates under 2 KB" (fun () ->
              Scripted.partition patient rest (fun _ client ->
                  let producer = new PartitionProducer(client, ProducerSettings.standard)
                  let sent = batch "sent" 10
                  let allocated = allocatedBy (fun () -> producer.Produce sent |> ignore)
                  Expect.isLessThan allocated 2048L "bytes for a batch"))

          testCase "appending a batch with an identity allocates a few hundred bytes more, whatever its size" (fun () ->
              let producing (size: int) =
                  let mutable plain, idempotent = 0L, 0L
                  let sent = batch "sent" size

                  Scripted.partition patient rest (fun _ client ->
                      let producer = new PartitionProducer(client, ProducerSettings.standard)
                      plain <- allocatedBy (fun () -> producer.Produce sent |> ignore))

                  Scripted.partition patient rest (fun _ client ->
                      let producer = IdempotentProducer(client, ProducerSettings.standard, { ProducerId = 7L; ProducerEpoch = 0s })
                      idempotent <- allocatedBy (fun () -> producer.Produce sent |> ignore))

                  idempotent - plain

              for size in [ 10; 10_000 ] do
                  Expect.isLessThan (producing size) 600L (string size + " records")) ]

/// The codes after which the client finds the leader again with the next call.
let private moved =
    let says (code: ErrorCode) (isDropped: bool) =
        let rest (received: Received) =
            let wrong = received.Connection < 2

            match received.Request with
            | Request.Fetch request when wrong ->
                Script.answer Fetch.api received (Script.fetched (fun answer -> { answer with Error = code }) request)
            | Request.Fetch request -> Script.answer Fetch.api received (Script.fetched id request)
            | _ -> Script.unexpected received

        Scripted.partition patient rest (fun broker client ->
            let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
            Expect.equal (ok (codeOf (fetcher.Fetch()).Result)) code "the code is data"
            Expect.equal client.Connection.IsNone isDropped "whether the connection is dropped"
            Expect.equal client.Leader.IsNone isDropped "whether the leader is forgotten"
            let again = fetcher.Fetch()
            Expect.equal again.Error (if isDropped then ErrorCode.None else code) "the next call"
            Expect.hasLength (broker.VersionsOf ApiKey.Metadata) (if isDropped then 2 else 1) "how often the leader was looked for")

    testList
        "leader has moved"
        [ for code in
              [ ErrorCode.NotLeaderOrFollower
                ErrorCode.LeaderNotAvailable
                ErrorCode.ReplicaNotAvailable
                ErrorCode.KafkaStorageError
                ErrorCode.FencedLeaderEpoch
                ErrorCode.UnknownLeaderEpoch
                ErrorCode.UnknownTopicOrPartition
                ErrorCode.UnknownTopicId
                ErrorCode.InconsistentTopicId ] do
              testCase (code.Name + " says so: the next call looks for the leader") (fun () -> says code true)

          for code in [ ErrorCode.OffsetOutOfRange; ErrorCode.CorruptMessage; ErrorCode.TopicAuthorizationFailed; ErrorCode 999s ] do
              testCase (code.ToString() + " does not: the connection stays") (fun () -> says code false) ]

let private connecting =
    testList
        "connecting"
        [ testCase "the connection is made by the first call, and kept" (fun () ->
              fetchedAs (Script.fetched id) (fun client _ ->
                  let connection = client.Connection
                  Expect.isSome connection "there is one"
                  (new PartitionFetcher(client, FetcherSettings.standard, 0L)).Fetch() |> ignore
                  Expect.equal client.Connection connection "it is still the same"))

          testCase "a closed client makes a new connection for the next call" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.Produce request -> Script.answer Produce.api received (Script.produced id request)
                  | _ -> Script.unexpected received

              Scripted.partition patient rest (fun broker client ->
                  produce client |> acknowledged |> ignore
                  client.Close()
                  broker.AwaitEnd 1
                  Expect.isNone client.Connection "there is none"
                  produce client |> acknowledged |> ignore
                  Expect.equal broker.Connections 4 "twice one for the metadata and one for the leader"))

          testCase "a call that does not reach the leader reports how long it tried" (fun () ->
              Scripted.broker (fun _ _ -> []) (fun mute ->
                  let observer = Observer()
                  let settings = { patient with ConnectTimeout = ms 300; Observe = observer.Note }
                  use client = new PartitionClient(settings, Bootstrap.ofAddresses [ mute.Address ], { Topic = "t"; Partition = 0 })
                  let before = DateTimeOffset.UtcNow
                  let info = (produce client).Exchange.Info

                  match info.Fault with
                  | Some(ClientFault.NoBroker [ _, ClientFault.TimedOut limit ]) -> Expect.equal limit (ms 300) "the limit"
                  | other -> failtestf "%A" other

                  Expect.isGreaterThanOrEqual info.Elapsed (ms 300 * 0.95) "the time it took"
                  Expect.isGreaterThanOrEqual info.Began (before - ms 5) "when it began"
                  Expect.isFalse info.WasSent "nothing was sent"
                  Expect.equal (observer.Exchanges |> List.map _.Api) [ ApiKey.ApiVersions; ApiKey.Produce ] "both are observed"
                  Expect.equal (List.last observer.Exchanges) info "in the end the call itself")) ]

[<Tests>]
let tests = testList "partition" [ outcomes; requests; searchTime; throttling; fetches; memory; moved; connecting ]
