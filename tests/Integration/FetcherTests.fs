/// The position of a fetcher, the brokers that it asks, and how it reads their responses.
module LibKafka.Integration.FetcherTests

open System
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support
open LibKafka.Integration.FetcherSupport

let private answers =
    testList
        "a response"
        [ testCase "has its bounds, transactions and replica as properties" (fun () ->
              let change (answer: Fetch.PartitionResponse) =
                  { answer with
                      HighWatermark = 50L
                      LastStableOffset = 40L
                      LogStartOffset = 3L
                      AbortedTransactions = Some [ { ProducerId = 7L; FirstOffset = 12L } ]
                      PreferredReadReplica = 4 }

              fetching newestFetch [ Script.fetched change ] (fun _ client ->
                  let fetched = (new PartitionFetcher(client, FetcherSettings.standard, 10L)).Fetch()
                  Expect.equal fetched.HighWatermark (Some 50L) "high watermark"
                  Expect.equal fetched.LastStableOffset (Some 40L) "last stable offset"
                  Expect.equal fetched.LogStartOffset (Some 3L) "log start offset"
                  Expect.equal fetched.AbortedTransactions [ { ProducerId = 7L; FirstOffset = 12L } ] "aborted transactions"
                  Expect.equal fetched.PreferredReadReplica (Some 4) "replica"
                  Expect.equal (fetched.Offset, fetched.Error) (10L, ErrorCode.None) "what was asked"
                  Expect.equal fetched.Diverging None "nothing was cut off"))

          testCase "without them has none" (fun () ->
              let change (answer: Fetch.PartitionResponse) =
                  { answer with
                      Error = ErrorCode.OffsetOutOfRange
                      HighWatermark = -1L
                      LastStableOffset = -1L
                      LogStartOffset = -1L
                      AbortedTransactions = None }

              fetching newestFetch [ Script.fetched change ] (fun _ client ->
                  let fetched = (new PartitionFetcher(client, FetcherSettings.standard, 10L)).Fetch()
                  Expect.equal fetched.Error ErrorCode.OffsetOutOfRange "the code is data"
                  Expect.equal (fetched.HighWatermark, fetched.LastStableOffset, fetched.LogStartOffset) (None, None, None) "bounds"
                  Expect.isEmpty fetched.AbortedTransactions "transactions"
                  Expect.equal fetched.PreferredReadReplica None "replica"
                  Expect.isSome client.Connection "the connection stays")) ]

let private seeking =
    let specs =
        [ OffsetSpec.MaxTimestamp, 7
          OffsetSpec.EarliestLocal, 8
          OffsetSpec.LatestTiered, 9
          OffsetSpec.EarliestPendingUpload, 11 ]

    /// A partition whose leader finds offset 17, written in epoch 2, in versions up to `highest`.
    let finding highest (test: ScriptedBroker -> PartitionFetcher -> unit) =
        let rest (received: Received) =
            match received.Request with
            | Request.ListOffsets request ->
                let found = Script.found 17L request

                let inEpoch (topic: ListOffsets.TopicResponse) =
                    { topic with Partitions = topic.Partitions |> List.map (fun found -> { found with LeaderEpoch = 2 }) }

                let topics = if highest >= 4 then found.Topics |> List.map inEpoch else found.Topics
                Script.answer ListOffsets.api received { found with Topics = topics }
            | _ -> Script.unexpected received

        let table = Script.everythingBut [ Script.versions ApiKey.ListOffsets 1 highest ]

        Scripted.partitionOf patient table topicId rest (fun broker client ->
            test broker (new PartitionFetcher(client, FetcherSettings.standard, 5L)))

    testList
        "seeking"
        [ for spec, since in specs do
              testCase (spec.Name + " asks brokers that know it, from version " + string since + " on") (fun () ->
                  finding since (fun _ fetcher ->
                      Expect.equal (fetcher.Seek spec).Offset (Some 17L) "the offset"
                      Expect.equal fetcher.Position (at 17L -1) "the epoch reported is not that of the record before"))

              testCase (spec.Name + " is not asked of a broker that would take it for a timestamp") (fun () ->
                  finding (since - 1) (fun broker fetcher ->
                      let sought = fetcher.Seek spec

                      match sought.Result with
                      | Error(CallFailure.Fault(ClientFault.NoCommonVersion(api, ours, _))) ->
                          Expect.equal (api, int ours.Lowest) (ApiKey.ListOffsets, since) "the version that it takes"
                      | other -> failtestf "%A" other

                      Expect.isFalse sought.Exchange.Info.WasSent "nothing was sent"
                      Expect.isEmpty (broker.VersionsOf ApiKey.ListOffsets) "nothing arrived"
                      Expect.equal fetcher.Position (at 5L -1) "the fetcher stays where it is"
                      Expect.equal (fetcher.Seek OffsetSpec.Earliest).Offset (Some 17L) "other searches go through"))

          for version in [ 3; newest ListOffsets.api ] do
              for spec in [ OffsetSpec.Earliest; OffsetSpec.Latest; OffsetSpec.AtTimestamp 1L ] do
                  testCase (string spec + " leaves the epoch before the position unknown, in version " + string version) (fun () ->
                      finding version (fun _ fetcher ->
                          fetcher.Position <- at 9L 4
                          fetcher.Seek spec |> ignore
                          Expect.equal fetcher.Position (at 17L -1) "the position"))

          testCase "setting the offset forgets the epoch" (fun () ->
              finding 7 (fun _ fetcher ->
                  fetcher.Position <- at 9L 4
                  fetcher.Offset <- 8L
                  Expect.equal fetcher.Position (at 8L -1) "the position")) ]

let private truncation =
    let checking (answer: OffsetForLeaderEpoch.PartitionResponse) (test: ScriptedBroker -> PartitionFetcher -> unit) =
        let rest (received: Received) =
            match received.Request with
            | Request.OffsetForLeaderEpoch _ ->
                Script.answer
                    OffsetForLeaderEpoch.api
                    received
                    { OffsetForLeaderEpoch.response.Default with Topics = [ { Topic = "t"; Partitions = [ answer ] } ] }
            | _ -> Script.unexpected received

        Scripted.partitionOf patient table topicId rest (fun broker client ->
            let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
            fetcher.Position <- at 50L 2
            test broker fetcher)

    testList
        "truncation"
        [ for version, expected in [ 11, -1; 12, 2; newestFetch, 2 ] do
              testCase ("the epoch before the position is sent from version 12 on: " + string version) (fun () ->
                  fetching version [ Script.fetched id ] (fun broker client ->
                      let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
                      fetcher.Position <- at 50L 2
                      Expect.equal (fetcher.Fetch()).Error ErrorCode.None "the code"
                      Expect.equal (asked broker).Head.Topics[0].Partitions[0].LastFetchedEpoch expected "the epoch"))

          testCase "a diverging log reports where, and reading continues there" (fun () ->
              let diverging = Script.fetched (fun answer -> { answer with DivergingEpoch = { Epoch = 1; EndOffset = 45L } })

              fetching newestFetch [ diverging; Script.fetched id ] (fun broker client ->
                  let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
                  fetcher.Position <- at 50L 2
                  let fetched = fetcher.Fetch()
                  Expect.equal fetched.Diverging (Some { Epoch = 1; EndOffset = 45L }) "it is data"

                  match Fetched.advance fetched with
                  | Advance.Truncated next -> fetcher.Position <- next
                  | other -> failtestf "%O" other

                  fetcher.Fetch() |> ignore
                  let partition = (List.last (asked broker)).Topics[0].Partitions[0]
                  Expect.equal (partition.FetchOffset, partition.LastFetchedEpoch) (45L, 1) "where it continues"))

          testCase "can be checked: the leader is asked for the end of the epoch" (fun () ->
              checking
                  { OffsetForLeaderEpoch.partitionResponse.Default with Partition = 0; LeaderEpoch = 1; EndOffset = 45L }
                  (fun broker fetcher ->
                      Expect.equal (fetcher.CheckTruncation()).Truncation (Some(Truncation.At(at 45L 1))) "the finding"
                      Expect.equal fetcher.Position (at 50L 2) "the fetcher stays where it is"

                      match (List.last broker.Received).Request with
                      | Request.OffsetForLeaderEpoch request ->
                          Expect.equal
                              request.Topics
                              [ { Topic = "t"; Partitions = [ { Partition = 0; CurrentLeaderEpoch = 3; LeaderEpoch = 2 } ] } ]
                              "the question"
                      | other -> failtestf "%A" other))

          testCase "the check notices a leader that has moved" (fun () ->
              checking
                  { OffsetForLeaderEpoch.partitionResponse.Default with Error = ErrorCode.FencedLeaderEpoch; Partition = 0 }
                  (fun _ fetcher ->
                      Expect.equal (fetcher.CheckTruncation()).Truncation None "nothing was found"
                      Expect.isNone fetcher.Client.Connection "the connection is closed"))

          testCase "a mock broker reports no truncation if there is none" (fun () ->
              withMockPartition patient (fun _ client ->
                  (new PartitionProducer(client, ProducerSettings.standard)).Produce(batch "a" 3) |> acknowledged |> ignore
                  let fetcher = new PartitionFetcher(client, { FetcherSettings.standard with MaxWait = ms 1 }, 0L)
                  fetcher.Position <- positionBehind (fetcher.Fetch())
                  Expect.equal fetcher.Offset 3L "it has read"
                  let check = fetcher.CheckTruncation()
                  Expect.equal (ok (codeOf check.Result)) ErrorCode.None "the code"
                  Expect.isNonEmpty (string check.Truncation) "the finding")) ]

let private sessions =
    let withSession = { FetcherSettings.standard with UseSession = true }
    let inSession id (response: Fetch.Response) = { response with SessionId = id }
    let full id change request = Script.fetched change request |> inSession id

    /// Session id, epoch and the number of topics of each request.
    let places (broker: ScriptedBroker) = asked broker |> List.map (fun it -> it.SessionId, it.SessionEpoch, it.Topics.Length)

    let refusing code (request: Fetch.Request) = { Script.fetched id request with Error = code; Topics = [] }

    testList
        "a fetch session"
        [ testCase "is opened by the first fetch, and later ones send only what has changed" (fun () ->
              let opened = full 9 (fun answer -> { answer with HighWatermark = 20L })
              let unchanged (_: Fetch.Request) = { Script.fetched id { Fetch.request.Default with Topics = [] } with SessionId = 9 }

              fetching newestFetch [ opened; unchanged; full 9 id; unchanged ] (fun broker client ->
                  let fetcher = new PartitionFetcher(client, withSession, 10L)
                  fetcher.Fetch() |> ignore
                  let again = fetcher.Fetch()
                  Expect.equal (ok (codeOf again.Result)) ErrorCode.None "an answer without the partition is one"
                  Expect.equal (again.HighWatermark, again.RawRecords.Length) (Some 20L, 0) "nothing has changed"
                  Expect.equal (nextOffset again) 10L "the same position"
                  fetcher.Offset <- 11L
                  fetcher.Fetch() |> ignore
                  fetcher.Fetch() |> ignore
                  Expect.equal (places broker) [ 0, 0, 1; 9, 1, 0; 9, 2, 1; 9, 3, 0 ] "the requests"))

          testCase "that the broker does not find is reported as data, and opened again" (fun () ->
              fetching newestFetch [ full 9 id; refusing ErrorCode.FetchSessionIdNotFound; full 10 id; full 10 id ] (fun broker client ->
                  let fetcher = new PartitionFetcher(client, withSession, 10L)

                  let codes = List.init 4 (fun _ -> (ok (codeOf (fetcher.Fetch()).Result)))
                  Expect.equal codes[1] ErrorCode.FetchSessionIdNotFound "the code"
                  Expect.equal (places broker) [ 0, 0, 1; 9, 1, 0; 0, 0, 1; 10, 1, 0 ] "the requests"
                  Expect.isSome client.Connection "the connection stays"))

          testCase "whose epoch the broker does not expect is closed and opened again" (fun () ->
              fetching newestFetch [ full 9 id; refusing ErrorCode.InvalidFetchSessionEpoch; full 10 id ] (fun broker client ->
                  let fetcher = new PartitionFetcher(client, withSession, 10L)

                  for _ in 1..3 do
                      fetcher.Fetch() |> ignore

                  Expect.equal (places broker) [ 0, 0, 1; 9, 1, 0; 9, 0, 1 ] "the requests"))

          testCase "is requested again if the broker had no room" (fun () ->
              fetching newestFetch [ Script.fetched id; full 9 id; full 9 id ] (fun broker client ->
                  let fetcher = new PartitionFetcher(client, withSession, 10L)

                  for _ in 1..3 do
                      fetcher.Fetch() |> ignore

                  Expect.equal (places broker) [ 0, 0, 1; 0, 0, 1; 9, 1, 0 ] "the requests"))

          testCase "does not outlive its connection" (fun () ->
              fetching newestFetch [ full 9 id ] (fun broker client ->
                  let fetcher = new PartitionFetcher(client, withSession, 10L)
                  fetcher.Fetch() |> ignore
                  client.Close()
                  fetcher.Fetch() |> ignore
                  Expect.equal (places broker) [ 0, 0, 1; 0, 0, 1 ] "the requests"))

          testCase "is closed when the fetcher is disposed, and the shared client remains usable" (fun () ->
              fetching newestFetch [ full 9 id ] (fun broker client ->
                  let fetcher = new PartitionFetcher(client, withSession, 10L)
                  fetcher.Fetch() |> ignore
                  (fetcher :> IDisposable).Dispose()
                  let other = new PartitionFetcher(client, FetcherSettings.standard, 20L)
                  Expect.equal (ok (other.Fetch()).Result).PartitionIndex 0 "its own answer"
                  Expect.equal (places broker) [ 0, 0, 1; 9, -1, 0; 0, -1, 1 ] "the requests"
                  (fetcher :> IDisposable).Dispose()
                  other.Fetch() |> ignore
                  Expect.equal (places broker).Length 4 "once"))

          testCase "that was not opened is not closed" (fun () ->
              fetching newestFetch [ Script.fetched id ] (fun broker client ->
                  let fetcher = new PartitionFetcher(client, withSession, 10L)
                  fetcher.Fetch() |> ignore
                  (fetcher :> IDisposable).Dispose()
                  (new PartitionFetcher(client, withSession, 10L)).Fetch() |> ignore
                  Expect.equal (places broker) [ 0, 0, 1; 0, 0, 1 ] "the requests"))

          testCase "in a version without sessions every request is complete" (fun () ->
              fetching 6 [ Script.fetched id ] (fun broker client ->
                  let fetcher = new PartitionFetcher(client, withSession, 10L)

                  for _ in 1..2 do
                      Expect.equal (fetcher.Fetch()).Error ErrorCode.None "the code"

                  Expect.equal (asked broker |> List.map _.Topics.Length) [ 1; 1 ] "the requests"))

          yield!
              (onEachAndEmbedded "reads the same log" (fun cluster ->
                  [ testCase "the same with a session as without" (fun () ->
                        cluster.WithPartition(fun _ client ->
                            let producer = new PartitionProducer(client, ProducerSettings.standard)

                            for name in [ "a"; "b"; "c" ] do
                                producer.Produce(batch name 2) |> acknowledged |> ignore

                            let settings = { withSession with MaxWait = ms 1 }
                            let expected = [ "a0"; "a1"; "b0"; "b1"; "c0"; "c1" ]
                            let fetcher = new PartitionFetcher(client, settings, 0L)
                            Expect.equal (fetchUntil 6L fetcher |> valuesOf) expected "the records"
                            Expect.equal (fetcher.Fetch()).Error ErrorCode.None "at the end"
                            producer.Produce(batch "d" 1) |> acknowledged |> ignore
                            Expect.equal (fetchUntil 7L fetcher |> valuesOf) [ "d0" ] "what came later")) ])
               |> List.singleton) ]

let private throttled =
    let full session change request = { Script.fetched change request with SessionId = session }

    testList
        "a throttled fetch"
        [ for version in [ 4; 6; 7; 11; 12; newestFetch ] do
              for useSession in [ false; true ] do
                  testCase ("is empty, in version " + string version + (if useSession then " with a session" else "")) (fun () ->
                      fetching
                          version
                          [ throttling; throttling; Script.fetched (fun it -> { it with HighWatermark = 7L }) ]
                          (fun broker client ->
                              let fetcher = new PartitionFetcher(client, { FetcherSettings.standard with UseSession = useSession }, 10L)

                              for _ in 1..2 do
                                  let fetched = fetcher.Fetch()
                                  isThrottled fetched
                                  Expect.equal (fetched.HighWatermark, fetched.LogStartOffset) (None, None) "no bounds"

                              Expect.equal (fetcher.Fetch()).HighWatermark (Some 7L) "the next is answered"
                              let sessions = asked broker |> List.map (fun it -> it.SessionId, it.SessionEpoch, it.Topics.Length)
                              let expected = 0, (if useSession && version >= 7 then 0 else -1), 1
                              Expect.equal sessions [ expected; expected; expected ] "no session was given"
                              Expect.equal broker.Connections 2 "one connection after that for the metadata"))

          testCase "in an open session counts as a request of it" (fun () ->
              let opened = full 9 (fun answer -> { answer with HighWatermark = 20L })

              fetching
                  newestFetch
                  [ opened; throttling; throttling; full 9 (fun it -> { it with HighWatermark = 21L }) ]
                  (fun broker client ->
                      let fetcher = new PartitionFetcher(client, { FetcherSettings.standard with UseSession = true }, 10L)
                      fetcher.Fetch() |> ignore

                      for _ in 1..2 do
                          fetcher.Offset <- fetcher.Offset + 1L
                          let fetched = fetcher.Fetch()
                          isThrottled fetched
                          Expect.equal fetched.HighWatermark (Some 20L) "the last one known"

                      fetcher.Fetch() |> ignore

                      Expect.equal
                          (asked broker |> List.map (fun it -> it.SessionId, it.SessionEpoch, it.Topics.Length))
                          [ 0, 0, 1; 9, 1, 1; 9, 2, 1; 9, 3, 0 ]
                          "the epochs, and the position is told once"))

          testCase "that loses its session opens another" (fun () ->
              let closed (request: Fetch.Request) = { throttling request with SessionId = 0 }

              fetching newestFetch [ full 9 id; closed; full 10 id ] (fun broker client ->
                  let fetcher = new PartitionFetcher(client, { FetcherSettings.standard with UseSession = true }, 10L)

                  for _ in 1..3 do
                      Expect.equal (ok (codeOf (fetcher.Fetch()).Result)) ErrorCode.None "an answer"

                  Expect.equal (asked broker |> List.map (fun it -> it.SessionId, it.SessionEpoch)) [ 0, 0; 9, 1; 0, 0 ] "the requests"))

          testCase "is not one without a throttle time: the partition is missing" (fun () ->
              let missing (request: Fetch.Request) = { throttling request with ThrottleTimeMs = 0 }

              fetching newestFetch [ missing ] (fun _ client ->
                  let fetched = (new PartitionFetcher(client, FetcherSettings.standard, 10L)).Fetch()
                  Expect.equal (faultOf fetched.Result) (ClientFault.NotAnswered client.Partition) "the fault")) ]

[<Tests>]
let tests = testList "fetcher" [ answers; seeking; truncation; sessions; throttled ]
