/// What the clients ask of a Kafka 1.0 broker, whose versions cannot say all that later ones can.
module LibKafka.Integration.OldBrokerTests

open System
open Expecto
open LibKafka.Wire
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

let private everyAcl: AclFilter =
    { ResourceTypeFilter = AclResourceType.Any
      ResourceNameFilter = None
      PatternTypeFilter = AclPatternType.Any
      PrincipalFilter = None
      HostFilter = None
      Operation = AclOperation.Any
      PermissionType = AclPermission.Any }

let private isTooOld (fault: AdminFault) =
    match fault with
    | AdminFault.Fault(ClientFault.BrokerTooOld(part, _, _)) -> part.EndsWith "PatternTypeFilter"
    | _ -> false

let private acls =
    let rest (received: Received) =
        match received.Request with
        | Request.DescribeAcls _ -> Script.answer DescribeAcls.api received DescribeAcls.response.Default
        | Request.DeleteAcls request ->
            let none = { DeleteAcls.filterResult.Default with Error = ErrorCode.None }
            Script.answer DeleteAcls.api received { ThrottleTimeMs = 0; FilterResults = List.map (fun _ -> none) request.Filters }
        | _ -> Script.unexpected received

    let literal = { everyAcl with PatternTypeFilter = AclPatternType.Literal }
    let prefixed = { everyAcl with PatternTypeFilter = AclPatternType.Prefixed }

    [ testCase "a filter for ACLs of any pattern type is one for literal names, because there are no others" (fun () ->
          let listed =
              administered ApiKey.DescribeAcls rest (fun admin -> Expect.equal (admin.DescribeAcls everyAcl).Result (Ok []) "listed")
          Expect.equal listed [ Request.DescribeAcls literal ] "what was asked"

          let deleted =
              administered ApiKey.DeleteAcls rest (fun admin ->
                  Expect.equal (admin.DeleteAcls [ everyAcl ]).Result [ everyAcl, Ok [] ] "the filter as it was given")

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

[<Tests>]
let tests = testList "a Kafka 1.0 broker" [ testList "truncation" truncation; testList "ACLs" acls; configs ]
