/// What the clients ask of a Kafka 1.0 broker, whose versions cannot say all that later ones can.
module LibKafka.Integration.OldBrokerTests

open System
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Replay
open LibKafka.Integration.Support

let private oldest = Releases.table "1.0.2 zk"

/// A broker that answers one API in version 0, and an administrator of it. Returns the requests of that API.
let private administered (key: ApiKey) (rest: Received -> Act list) (test: AdminClient -> unit) : Request list =
    let mutable requests = []

    lone key 0 rest (fun broker ->
        use admin = new AdminClient(patient, Bootstrap.ofAddresses [ broker.Address ])
        test admin
        requests <-
            [ for received in broker.Calls do
                  if received.Header.ApiKey = key then received.Request ])

    requests

let private truncation =
    [ for endOffset, expected in
          [ 5L, Truncation.At { Offset = 5L; LastEpoch = -1 }
            9L, Truncation.Intact
            12L, Truncation.Intact
            -1L, Truncation.Somewhere ] do
          testCase
              ("the end offset " + string endOffset + " of an epoch, without the epoch, shows whether the log was truncated")
              (fun () ->
                  let rest (received: Received) =
                      match received.Request with
                      | Request.OffsetForLeaderEpoch _ ->
                          Script.answer
                              OffsetForLeaderEpoch.api
                              received
                              { OffsetForLeaderEpoch.response.Default with
                                  Topics =
                                      [ { Topic = "t"
                                          Partitions =
                                            [ { Error = ErrorCode.None; Partition = 0; LeaderEpoch = -1; EndOffset = endOffset } ] } ] }
                      | _ -> Script.unexpected received

                  Scripted.partitionOf patient oldest Guid.Empty rest (fun broker client ->
                      use fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
                      fetcher.Position <- { Offset = 9L; LastEpoch = 2 }
                      Expect.equal (fetcher.CheckTruncation()).Truncation (Some expected) "the result"
                      Expect.equal (broker.VersionsOf ApiKey.OffsetForLeaderEpoch) [ 0 ] "the version")) ]

let private isTooOld (fault: AdminFault) =
    match fault with
    | AdminFault.Fault(ClientFault.BrokerTooOld(part, needs, _)) -> part.Contains "pattern type" && needs = "Kafka 2.0"
    | _ -> false

let private acls =
    let rest (received: Received) =
        match received.Request with
        | Request.DescribeAcls _ -> Script.answer DescribeAcls.api received DescribeAcls.response.Default
        | Request.DeleteAcls request ->
            let none = { DeleteAcls.filterResult.Default with Error = ErrorCode.None }
            Script.answer DeleteAcls.api received { ThrottleTimeMs = 0; FilterResults = List.map (fun _ -> none) request.Filters }
        | _ -> Script.unexpected received

    let literal = { AclFilter.any with PatternTypeFilter = AclPatternType.Literal }
    let prefixed = { AclFilter.any with PatternTypeFilter = AclPatternType.Prefixed }

    [ testCase "a filter for ACLs of any pattern type is one for literal names, because there are no others" (fun () ->
          let listed =
              administered ApiKey.DescribeAcls rest (fun admin -> Expect.equal (admin.DescribeAcls AclFilter.any).Result (Ok []) "listed")
          Expect.equal listed [ Request.DescribeAcls literal ] "what was asked"

          let deleted =
              administered ApiKey.DeleteAcls rest (fun admin ->
                  Expect.equal (admin.DeleteAcls [ AclFilter.any ]).Result [ AclFilter.any, Ok [] ] "the filter as it was given")

          Expect.equal deleted [ Request.DeleteAcls { Filters = [ literal ] } ] "what was asked")

      testCase "a filter for names with a prefix is refused before it is sent" (fun () ->
          let listed =
              administered ApiKey.DescribeAcls rest (fun admin ->
                  match (admin.DescribeAcls prefixed).Result with
                  | Error fault -> Expect.isTrue (isTooOld fault) (fault.ToString())
                  | Ok _ -> failtest "it was sent")

          Expect.isEmpty listed "what was asked"

          let deleted =
              administered ApiKey.DeleteAcls rest (fun admin ->
                  match (admin.DeleteAcls [ prefixed ]).Result with
                  | [ _, Error fault ] -> Expect.isTrue (isTooOld fault) (fault.ToString())
                  | other -> failtestf "%A" other)

          Expect.isEmpty deleted "what was asked") ]

let private configs =
    testCase "the source of a config is derived from whether the value is the default" (fun () ->
        let config isDefault : DescribeConfigs.Config = { DescribeConfigs.config.Default with Name = "c"; IsDefault = isDefault }

        let rest (received: Received) =
            match received.Request with
            | Request.DescribeConfigs request ->
                let result (resource: DescribeConfigs.Resource) : DescribeConfigs.Result =
                    { Error = ErrorCode.None
                      ErrorMessage = None
                      ResourceType = resource.ResourceType
                      ResourceName = resource.ResourceName
                      Configs = [ config true; config false ] }

                Script.answer DescribeConfigs.api received { ThrottleTimeMs = 0; Results = List.map result request.Resources }
            | _ -> Script.unexpected received

        let sources kind name =
            let mutable found = []

            administered ApiKey.DescribeConfigs rest (fun admin ->
                match (admin.DescribeConfigs [ { ResourceType = kind; ResourceName = name; ConfigurationKeys = None } ]).Result with
                | [ _, Ok configs ] -> found <- configs |> List.map _.Source
                | other -> failtestf "%A" other)
            |> ignore

            found

        Expect.equal (sources ConfigResourceType.Topic "t") [ ConfigSource.DefaultConfig; ConfigSource.DynamicTopicConfig ] "of a topic"
        Expect.equal (sources ConfigResourceType.Broker "1") [ ConfigSource.DefaultConfig; ConfigSource.StaticBrokerConfig ] "of a broker")

// ---- Options that need a version ----

let private at = { Topic = "t"; Partition = 0 }
let private place: GroupMembership = { MemberId = "m"; GenerationOrEpoch = 3; GroupInstanceId = None }
let private staticPlace = { place with GroupInstanceId = Some "i" }

let private faultIn (result: Result<'T, AdminFault>) : ClientFault =
    match result with
    | Error(AdminFault.Fault fault) -> fault
    | other -> failtestf "%O" other

let private byAdmin (call: AdminClient -> ClientFault) (brokers: Bootstrap) : ClientFault =
    use admin = new AdminClient(patient, brokers)
    call admin

let private byGroup (call: GroupClient -> Exchange<'Request, 'Response>) (brokers: Bootstrap) : ClientFault =
    use group = new GroupClient(patient, brokers, "g")
    let exchange = call group
    Expect.isFalse exchange.Info.WasSent "nothing was sent"
    faultOf exchange.Result

let private describing synonyms documentation (admin: AdminClient) : ClientFault =
    let topic: DescribeConfigs.Resource =
        { ResourceType = ConfigResourceType.Topic; ResourceName = "t"; ConfigurationKeys = None }
    (admin.DescribeConfigs([ topic ], synonyms, documentation)).Result.Head |> snd |> faultIn

let private listing (states: GroupState list) (types: GroupType list) (admin: AdminClient) : ClientFault =
    match (admin.ListGroups(states, types)).Result with
    | Ok [ _, result ] -> faultIn result
    | other -> failtestf "%A" other

let private transactions (filter: TransactionListFilter) (admin: AdminClient) : ClientFault =
    match (admin.ListTransactions filter).Result with
    | Ok [ _, result ] -> faultIn result
    | other -> failtestf "%A" other

/// Each call with an option that needs a version: the API, the last version without it, what the fault names, and the call.
let private optional: (ApiKey * int * string * (Bootstrap -> ClientFault)) list =
    let prefixed = { AclFilter.any with PatternTypeFilter = AclPatternType.Prefixed }
    let acl = { CreateAcls.acl.Default with ResourcePatternType = AclPatternType.Prefixed }

    let inTransaction (brokers: Bootstrap) =
        use transaction = new TransactionClient(patient, brokers, "tx")
        (transaction.InitProducerId(ms 1_000)).Exchange.Result |> ok |> ignore
        byGroup (fun group -> transaction.CommitOffsets(group, place, [ at, CommittedOffset.at 3L ]).Exchange) brokers

    let raising (brokers: Bootstrap) =
        use transaction = new TransactionClient(patient, brokers, "tx")
        (transaction.InitProducerId(ms 1_000)).Exchange.Result |> ok |> ignore
        faultOf (transaction.RaiseEpoch(ms 1_000)).Exchange.Result

    let matching (brokers: Bootstrap) =
        let subscription = { ConsumerGroupSubscription.topics [ "t" ] with TopicRegex = Some "t.*" }
        use one = new ConsumerGroupClient(patient, brokers, "g", subscription)
        faultOf (one.Heartbeat()).Exchange.Result

    [ ApiKey.DescribeConfigs, 0, "the synonyms", byAdmin (describing true false)
      ApiKey.DescribeConfigs, 2, "the documentation", byAdmin (describing false true)
      ApiKey.DescribeAcls, 0, "pattern type", byAdmin (fun admin -> (admin.DescribeAcls prefixed).Result |> faultIn)
      ApiKey.CreateAcls, 0, "pattern type", byAdmin (fun admin -> (admin.CreateAcls [ acl ]).Result.Head |> snd |> faultIn)
      ApiKey.DeleteAcls, 0, "pattern type", byAdmin (fun admin -> (admin.DeleteAcls [ prefixed ]).Result.Head |> snd |> faultIn)
      ApiKey.ListGroups, 3, "states", byAdmin (listing [ GroupState.Stable ] [])
      ApiKey.ListGroups, 4, "types", byAdmin (listing [] [ GroupType.Classic ])
      ApiKey.OffsetFetch, 6, "requireStable", byGroup (fun group -> group.FetchOffsets(place, [ at ], true).Exchange)
      ApiKey.OffsetFetch, 6, "requireStable", byGroup (fun group -> group.FetchAllOffsets(place, true).Exchange)
      ApiKey.OffsetCommit,
      6,
      "static member",
      byGroup (fun group -> group.CommitOffsets(staticPlace, [ at, CommittedOffset.at 3L ]).Exchange)
      ApiKey.JoinGroup,
      4,
      "static member",
      byGroup (fun group -> (group.Join("", { JoinSettings.consumer [] with GroupInstanceId = Some "i" })).Exchange)
      ApiKey.SyncGroup, 2, "static member", byGroup (fun group -> group.Sync(staticPlace, "consumer", None, []).Exchange)
      ApiKey.Heartbeat, 2, "static member", byGroup (fun group -> group.Heartbeat(staticPlace).Exchange)
      ApiKey.LeaveGroup, 2, "static member", byGroup (fun group -> (group.Leave staticPlace).Rounds.Head)
      ApiKey.TxnOffsetCommit, 2, "a membership", inTransaction
      ApiKey.InitProducerId, 2, "RaiseEpoch", raising
      ApiKey.ConsumerGroupHeartbeat, 0, "TopicRegex", matching
      ApiKey.ElectLeaders,
      0,
      "unclean",
      byAdmin (fun admin -> admin.ElectLeaders(ElectionType.Unclean, [ at ], ms 1_000).Result.Head |> snd |> faultIn)
      ApiKey.AlterPartitionReassignments,
      0,
      "the replication factor",
      byAdmin (fun admin -> admin.AlterReassignments([ at, Some [ 1 ] ], ms 1_000, false).Result.Head |> snd |> faultIn)
      ApiKey.ListTransactions, 0, "for some time", byAdmin (transactions { TransactionListFilter.all with LongerThan = Some(ms 1_000) })
      ApiKey.ListTransactions, 1, "a pattern", byAdmin (transactions { TransactionListFilter.all with IdPattern = Some "t.*" })
      ApiKey.CreateDelegationToken,
      2,
      "another owner",
      byAdmin (fun admin ->
          let owner: DelegationTokenPrincipal = { PrincipalType = "User"; PrincipalName = "bob" }
          admin.CreateDelegationToken({ NewDelegationToken.standard with Owner = Some owner }).Result |> faultIn)
      ApiKey.ListConfigResources,
      0,
      "some types",
      byAdmin (fun admin -> admin.ListConfigResources([ ConfigResourceType.Topic ]).Result |> faultIn)
      ApiKey.UpdateFeatures,
      0,
      "validateOnly",
      byAdmin (fun admin ->
          let level = { Feature = "metadata.version"; Level = 7s; Direction = FeatureUpdateType.Upgrade }
          admin.UpdateFeatures([ level ], ms 1_000, true).Result.Head |> snd |> faultIn) ]

/// The first release whose brokers support a version, such as `Kafka 2.6`.
let private firstWith (key: ApiKey) (version: int) : string =
    let supports (table: ApiVersions.ApiVersion list) = table |> List.exists (fun one -> one.ApiKey = key && int one.MaxVersion >= version)

    let numbers (release: string) = release.Split(' ')[0] |> Version.Parse

    match Releases.tables |> List.filter (snd >> supports) |> List.map (fst >> numbers) with
    | [] -> failtestf "no release supports %O version %d" key version
    | releases ->
        let first = List.min releases
        "Kafka " + string first.Major + "." + string first.Minor

let private answering (received: Received) =
    match received.Request with
    | Request.InitProducerId _ ->
        Script.answer InitProducerId.api received { InitProducerId.response.Default with ProducerId = 5L; ProducerEpoch = 0s }
    | _ -> Script.unexpected received

let private named = Collections.Concurrent.ConcurrentBag<string>()

let private options =
    testSequenced
    <| testList
        "an option that needs a later version is refused, with the release that has it"
        [ for number, (key, version, option, call) in List.indexed optional do
              testCase (key.Name + " " + string version + ": " + option + " (" + string number + ")") (fun () ->
                  lone key version answering (fun broker ->
                      match call (Bootstrap.ofAddresses [ broker.Address ]) with
                      | ClientFault.BrokerTooOld(part, needs, instead) as fault ->
                          named.Add part
                          Expect.stringContains part option "the option"
                          Expect.equal needs (firstWith key (version + 1)) "the release"
                          Expect.stringContains instead (key.Name + " up to version " + string version) "what the broker supports"
                          Expect.stringContains (fault.ToString()) "too old" "the text"
                      | other -> failtestf "%O" other))

          testCase "each of them is among these" (fun () ->
              Expect.equal (set named) (TooOld.options |> List.map (snd >> fst) |> set) "the options of the library") ]

[<Tests>]
let tests = testList "a Kafka 1.0 broker" [ testList "truncation" truncation; testList "ACLs" acls; configs; options ]
