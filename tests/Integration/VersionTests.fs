/// How client and broker negotiate versions.
module LibKafka.Integration.VersionTests

open System
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support

let private refused (script: Received -> Act list) (check: ScriptedBroker -> ClientFault -> unit) =
    Scripted.broker (fun _ -> script) (fun broker ->
        check broker (faultOf (Connection.Open(patient, broker.Address)))
        broker.AwaitEnd 0)

let private opened (script: Received -> Act list) (check: ScriptedBroker -> Connection -> unit) =
    Scripted.broker (fun _ -> script) (fun broker ->
        use connection = Connection.Open(patient, broker.Address) |> ok
        check broker connection)

let private knowingVersions (highest: int) =
    Script.knowing (Script.everythingBut [ Script.versions ApiKey.ApiVersions 0 highest ]) Script.unexpected

/// Refuses every version but 0 with a frame that is not well formed, as some brokers do.
let private refuseBadly (named: ApiVersions.ApiVersion list) (spoil: byte[] -> byte[]) (received: Received) : Act list =
    if received.Header.ApiVersion > 0s then
        let response = Script.versionsResponse ErrorCode.UnsupportedVersion named
        let good = Script.frameFor ApiVersions.api 0s received.Header.CorrelationId response
        [ Act.Send(Script.framed (ReadOnlySpan(spoil (Array.skip 4 good)))) ]
    else
        Script.answer ApiVersions.api received (Script.versionsResponse ErrorCode.None Script.everything)

let private negotiation =
    let highest = int ApiVersions.api.Versions.Highest
    let asked (broker: ScriptedBroker) = broker.VersionsOf ApiKey.ApiVersions

    testList
        "negotiation"
        [ testCase "a broker that supports the client's highest version is asked once" (fun () ->
              opened (knowingVersions highest) (fun broker _ -> Expect.equal (asked broker) [ highest ] "asked"))

          for theirs in [ 0..3 ] do
              testCase
                  ("a broker that refuses with its range, up to version " + string theirs + ", is asked again in that version")
                  (fun () ->
                      opened (knowingVersions theirs) (fun broker connection ->
                          Expect.equal (asked broker) [ highest; theirs ] "asked"
                          Expect.equal broker.Connections 1 "on the same connection"
                          Expect.equal (connection.VersionOf Produce.api) (Ok Produce.api.Versions.Highest) "the versions were told"))

          testCase "a broker that refuses without a range is asked again in version 0" (fun () ->
              let script received =
                  if received.Header.ApiVersion > 0s then
                      Script.refuseVersion [] received
                  else
                      Script.knowing Script.everything Script.unexpected received

              opened script (fun broker _ -> Expect.equal (asked broker) [ highest; 0 ] "asked"))

          for name, named, spoil in
              [ "with a count that is nonsense",
                [],
                (fun (frame: byte[]) -> Array.append (Array.truncate 6 frame) [| 1uy; 0uy; 0uy; 0uy; 0uy |])
                "with no count", [], Array.truncate 6
                "with a byte too many", [ Script.versions ApiKey.ApiVersions 0 2 ], (fun frame -> Array.append frame [| 0uy |]) ] do
              testCase ("of a refusal that is not well formed only the error code is used: " + name) (fun () ->
                  opened (refuseBadly named spoil) (fun broker _ -> Expect.equal (asked broker) [ highest; 0 ] "asked"))

          testCase "a broker that refuses version 0 too is not asked again" (fun () ->
              refused (Script.refuseVersion [ Script.versions ApiKey.ApiVersions 0 9 ]) (fun broker fault ->
                  Expect.equal fault (ClientFault.VersionsRefused ErrorCode.UnsupportedVersion) "the fault"
                  Expect.equal (asked broker) [ highest .. -1 .. 0 ] "asked, each time in a lower version"))

          testCase "a broker that refuses for another reason" (fun () ->
              let script received =
                  Script.answer ApiVersions.api received (Script.versionsResponse ErrorCode.ClusterAuthorizationFailed [])

              refused script (fun _ fault ->
                  Expect.equal fault (ClientFault.VersionsRefused ErrorCode.ClusterAuthorizationFailed) "the fault"))

          testCase "the finalized features of the cluster are known from then on" (fun () ->
              let told: ApiVersions.FinalizedFeature list =
                  [ { Name = "transaction.version"; MaxVersionLevel = 2s; MinVersionLevel = 0s }
                    { Name = "group.version"; MaxVersionLevel = 1s; MinVersionLevel = 1s } ]

              let script (received: Received) =
                  let answer = Script.versionsResponse ErrorCode.None Script.everything
                  Script.answer ApiVersions.api received { answer with FinalizedFeatures = told }

              Scripted.broker (fun _ -> script) (fun broker ->
                  use connection = Connection.Open(patient, broker.Address) |> ok
                  let expected = Map [ "transaction.version", 2s; "group.version", 1s ]
                  Expect.equal connection.FinalizedFeatures expected "the levels in force"))

          testCase "the client's name and version are valid for a broker" (fun () ->
              opened (knowingVersions highest) (fun broker _ ->
                  match broker.Received[0].Request with
                  | Request.ApiVersions request ->
                      // Brokers check both against [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])? (KIP-511).
                      let allowed (name: string) =
                          name <> ""
                          && name |> Seq.forall (fun letter -> Char.IsAsciiLetterOrDigit letter || letter = '-' || letter = '.')
                          && Char.IsAsciiLetterOrDigit name[0]
                          && Char.IsAsciiLetterOrDigit name[name.Length - 1]

                      Expect.isTrue (allowed request.ClientSoftwareName) "the name"
                      Expect.isTrue (allowed request.ClientSoftwareVersion) "the version"
                  | other -> failtestf "%O" other)) ]

let private common =
    let offering lowest highest = Script.knowing (Script.everythingBut [ Script.versions ApiKey.Produce lowest highest ]) Script.unexpected

    // Earlier versions have no record batches.
    let ours = { Produce.api.Versions with Lowest = 3s }

    let none lowest highest =
        opened (offering lowest highest) (fun broker connection ->
            let expected = ClientFault.NoCommonVersion(ApiKey.Produce, ours, Some { Lowest = int16 lowest; Highest = int16 highest })
            Expect.equal (connection.VersionOf Produce.api) (Error expected) "the fault"

            let text = expected.ToString()
            Expect.stringContains text (string ours.Lowest + "-" + string ours.Highest) "our range is named"
            Expect.stringContains text (string lowest + "-" + string highest) "and theirs"

            let request: Produce.Request = { Produce.request.Default with Acks = Acks.All; TimeoutMs = 1 }
            let exchange = connection.Call(Produce.api, request)
            Expect.equal (faultOf exchange.Result) expected "the same from a call"
            Expect.isFalse exchange.Info.WasSent "nothing was sent"
            Expect.equal exchange.Info.Broker (Some broker.Address) "the broker is told"
            Expect.isTrue connection.IsOpen "other APIs can be used")

    testList
        "common version"
        [ for lowest, highest, expected in [ 0, 5, 5; 0, 3, 3; 5, 9, 9; 13, 200, 13; 0, 200, int ours.Highest ] do
              testCase ("is the highest that both support: " + string lowest + " to " + string highest) (fun () ->
                  opened (offering lowest highest) (fun _ connection ->
                      Expect.equal (connection.VersionOf Produce.api) (Ok(int16 expected)) "the version"))

          testCase "there is none with a broker that is too old: the fault names both ranges" (fun () -> none 0 2)
          testCase "there is none with a broker that is too new: the fault names both ranges" (fun () -> none 50 60)

          testCase "there is none if the broker does not have the API" (fun () ->
              let table = Script.everything |> List.filter (fun key -> key.ApiKey <> ApiKey.Produce)

              opened (Script.knowing table Script.unexpected) (fun _ connection ->
                  Expect.equal
                      (connection.VersionOf Produce.api)
                      (Error(ClientFault.NoCommonVersion(ApiKey.Produce, ours, None)))
                      "the fault")) ]

let private byRelease =
    // At the offset that the search finds.
    let records = ((batch "old" 2).Rebase(17L, 3)).Bytes

    let rest (received: Received) =
        match received.Request with
        | Request.Produce request ->
            Script.answer Produce.api received (Script.produced (fun answer -> { answer with BaseOffset = 41L }) request)
        | Request.Fetch request ->
            Script.answer Fetch.api received (Script.fetched (fun answer -> { answer with Records = Some records }) request)
        | Request.ListOffsets request -> Script.answer ListOffsets.api received (Script.found 17L request)
        | _ -> Script.unexpected received

    /// Calls each API that a producer and a fetcher need, and returns the versions of the requests.
    let roundTrip (table: ApiVersions.ApiVersion list) (check: ScriptedBroker -> unit) =
        Scripted.partitionOf patient table (Guid "11111111-2222-3333-4444-555555555555") rest (fun broker client ->
            let producer = new PartitionProducer(client, ProducerSettings.standard)
            let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
            Expect.equal (acknowledged (producer.Produce(batch "old" 2))) 41L "produced"
            Expect.equal (fetcher.Seek OffsetSpec.Latest).Offset (Some 17L) "found"
            Expect.equal (valuesOf (recordsOf (fetcher.Fetch()))) [ "old0"; "old1" ] "fetched"
            check broker)

    let asked (broker: ScriptedBroker) =
        [ ApiKey.Produce; ApiKey.Fetch; ApiKey.Metadata; ApiKey.ListOffsets ]
        |> List.map (fun key -> List.distinct (broker.VersionsOf key))

    let highest (api: Api<'Request, 'Response>) (table: ApiVersions.ApiVersion list) =
        let theirs = table |> List.find (fun key -> key.ApiKey = api.Key)
        let chosen = min theirs.MaxVersion api.Versions.Highest
        Expect.isGreaterThanOrEqual chosen theirs.MinVersion "the broker has it"
        [ int chosen ]

    testList
        "release"
        [ for release, table in Releases.tables do
              testCase (release + ": metadata, producing, searching and fetching, each in the highest version of both") (fun () ->
                  roundTrip table (fun broker ->
                      let expected =
                          [ highest Produce.api table
                            highest Fetch.api table
                            highest Metadata.api table
                            highest ListOffsets.api table ]

                      Expect.equal (asked broker) expected "the versions"))

          // Known independently, so that the table and the choice cannot both be wrong.
          for release, produce, fetch, metadata, listOffsets, apiVersions in
              [ "1.0.2 zk", 5, 6, 5, 2, 1
                "2.0.1 zk", 6, 8, 6, 3, 2
                "2.4.1 zk", 8, 11, 9, 5, 3
                "3.7.2 kraft", 10, 16, 12, 8, 3
                "4.0.0 kraft", 12, 17, 13, 10, 4
                "4.1.1 kraft", 13, 18, 13, 10, 4 ] do
              testCase (release + ": the versions are those that its clients are known to speak") (fun () ->
                  roundTrip (Releases.table release) (fun broker ->
                      Expect.equal (asked broker) [ [ produce ]; [ fetch ]; [ metadata ]; [ listOffsets ] ] "the versions"
                      let versions = List.distinct (broker.VersionsOf ApiKey.ApiVersions)
                      Expect.equal versions (List.distinct [ int ApiVersions.api.Versions.Highest; apiVersions ]) "ApiVersions"))

          testCase "there are tables of each minor release, with and without ZooKeeper" (fun () ->
              let of' major mode minors = [ for minor in minors -> string major + "." + string minor + " " + mode ]

              let names =
                  of' 1 "zk" [ 0..1 ]
                  @ of' 2 "zk" [ 0..8 ]
                  @ of' 3 "zk" [ 0..9 ]
                  @ of' 2 "kraft" [ 8 ]
                  @ of' 3 "kraft" [ 0..9 ]
                  @ of' 4 "kraft" [ 0..3 ]

              let minor (name: string) =
                  match name.Split([| '.'; ' ' |]) with
                  | [| major; minor; _; mode |] -> major + "." + minor + " " + mode
                  | _ -> failtest name

              Expect.equal (Releases.tables |> List.map (fst >> minor) |> set) (set names) "the releases")

          testCase "each API of each release has a common version, except those between brokers" (fun () ->
              let isBetweenBrokers (key: ApiKey) = (key.Code >= 4s && key.Code <= 7s) || key = ApiKey.AlterPartition

              for release, table in Releases.tables do
                  for theirs in table do
                      if not (isBetweenBrokers theirs.ApiKey) then
                          let ours =
                              theirs.ApiKey
                              |> Apis.visit
                                  { new IApiVisitor<VersionRange> with
                                      member _.Visit(api, _, _) = Caps.versionsOf api }

                          match ours with
                          | Some ours ->
                              Expect.isLessThanOrEqual
                                  (max ours.Lowest theirs.MinVersion)
                                  (min ours.Highest theirs.MaxVersion)
                                  (release + " " + theirs.ApiKey.Name)
                          | None -> failtestf "%s has an API that is not defined: %O" release theirs.ApiKey) ]

let private topicIds =
    let id = Guid "0a1b2c3d-0000-4000-8000-123456789abc"

    let rest (received: Received) =
        match received.Request with
        | Request.Produce request -> Script.answer Produce.api received (Script.produced (fun answer -> answer) request)
        | Request.Fetch request -> Script.answer Fetch.api received (Script.fetched (fun answer -> answer) request)
        | _ -> Script.unexpected received

    /// The name and id that came in the Produce and the Fetch request, after their versions.
    let named (table: ApiVersions.ApiVersion list) (topicId: Guid) (check: (int * string * Guid) list -> unit) =
        Scripted.partitionOf patient table topicId rest (fun broker client ->
            acknowledged ((new PartitionProducer(client, ProducerSettings.standard)).Produce(batch "r" 1)) |> ignore
            ok ((new PartitionFetcher(client, FetcherSettings.standard, 0L)).Fetch()).Result |> ignore

            [ for received in broker.Calls do
                  let version = int received.Header.ApiVersion

                  match received.Request with
                  | Request.Produce { Topics = [ topic ] } -> version, topic.Name, topic.TopicId
                  | Request.Fetch { Topics = [ topic ] } -> version, topic.Topic, topic.TopicId
                  | _ -> () ]
            |> check)

    let produceHighest, fetchHighest = int Produce.api.Versions.Highest, int Fetch.api.Versions.Highest

    testList
        "topic ids"
        [ testCase "from Produce 13 and Fetch 13 on, requests name the topic by the id that the cluster reports" (fun () ->
              named Script.everything id (fun names ->
                  Expect.equal names [ produceHighest, "", id; fetchHighest, "", id ] "version, name, id"))

          testCase "up to version 12 they name it by its name" (fun () ->
              let table = Script.everythingBut [ Script.versions ApiKey.Produce 0 12; Script.versions ApiKey.Fetch 0 12 ]
              named table id (fun names -> Expect.equal names [ 12, "t", Guid.Empty; 12, "t", Guid.Empty ] "version, name, id"))

          testCase "if the cluster reports no id, the version is at most 12" (fun () ->
              named Script.everything Guid.Empty (fun names ->
                  Expect.equal names [ 12, "t", Guid.Empty; 12, "t", Guid.Empty ] "version, name, id"))

          testCase "if its metadata is too old for ids, the version is at most 12" (fun () ->
              let table = Script.everythingBut [ Script.versions ApiKey.Metadata 0 9 ]
              named table id (fun names -> Expect.equal names [ 12, "t", Guid.Empty; 12, "t", Guid.Empty ] "version, name, id")) ]

[<Tests>]
let tests = testList "versions" [ negotiation; common; byRelease; topicIds ]
