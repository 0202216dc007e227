/// ACLs and quotas of the test broker, without sockets.
module LibKafka.Properties.Testing.SecurityTests

open Expecto
open LibKafka
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Testing
open LibKafka.Properties.Testing.PureCluster

/// A cluster with an authorizer and these ACLs.
let private guarded (acls: Acl list) =
    let cluster = start State.settings 1 [ "orders", 1 ]
    cluster.Change(fun state -> { state with Security = { state.Security with IsAuthorizing = true; Acls = acls } })
    cluster

let private acl permission operation pattern name : Acl =
    { ResourceType = AclResourceType.Topic
      ResourceName = name
      PatternType = pattern
      Principal = "User:ANONYMOUS"
      Host = "*"
      Operation = operation
      Permission = permission }

let private allow = acl AclPermission.Allow

let private deny = acl AclPermission.Deny

let private produce (cluster: PureCluster) : ErrorCode =
    let records = batch BatchOptions.standard [ "a" ]
    (cluster.Get(9s, produceRequest None "orders" 0 records) |> produced).Error

let private described (filter: AclFilter) (cluster: PureCluster) : (string * int) list =
    match cluster.Get(3s, Request.DescribeAcls filter) with
    | Response.DescribeAcls response ->
        Expect.equal response.Error ErrorCode.None "the code"
        [ for resource in response.Resources -> resource.ResourceName, resource.Acls.Length ]
    | other -> failtest (Response.show other)

let private acls =
    [ for name, acls, isAllowed in
          [ "none", [], false
            "a literal name", [ allow AclOperation.Write AclPatternType.Literal "orders" ], true
            "another name", [ allow AclOperation.Write AclPatternType.Literal "order" ], false
            "a prefix", [ allow AclOperation.Write AclPatternType.Prefixed "ord" ], true
            "any name", [ allow AclOperation.Write AclPatternType.Literal "*" ], true
            "all operations", [ allow AclOperation.All AclPatternType.Literal "orders" ], true
            "another operation", [ allow AclOperation.Read AclPatternType.Literal "orders" ], false
            "another principal", [ { allow AclOperation.Write AclPatternType.Literal "orders" with Principal = "User:bob" } ], false
            "another host", [ { allow AclOperation.Write AclPatternType.Literal "orders" with Host = "10.0.0.1" } ], false
            "a prohibition wins",
            [ allow AclOperation.All AclPatternType.Literal "*"; deny AclOperation.Write AclPatternType.Prefixed "o" ],
            false ] do
          testCase ("ACLs and producing: " + name) (fun () ->
              let expected = if isAllowed then ErrorCode.None else ErrorCode.TopicAuthorizationFailed
              Expect.equal (produce (guarded acls)) expected "the code")

      testCase "ACLs are created once, described by filters and deleted" (fun () ->
          let cluster = guarded []
          cluster.Change(fun state -> { state with Security = { state.Security with SuperUsers = Set [ "User:ANONYMOUS" ] } })

          let creation name principal : CreateAcls.Acl =
              { ResourceType = AclResourceType.Topic
                ResourceName = name
                ResourcePatternType = AclPatternType.Literal
                Principal = principal
                Host = "*"
                Operation = AclOperation.Read
                PermissionType = AclPermission.Allow }

          let request =
              Request.CreateAcls
                  { Creations = [ creation "a" "User:x"; creation "b" "User:x"; creation "a" "User:x"; creation "a" "nobody" ] }

          match cluster.Get(3s, request) with
          | Response.CreateAcls response ->
              let invalid = ErrorCode.InvalidRequest
              let codes = response.Results |> List.map _.Error
              Expect.equal codes [ ErrorCode.None; ErrorCode.None; ErrorCode.None; invalid ] "the codes"
          | other -> failtest (Response.show other)

          Expect.equal (described AclFilter.any cluster |> List.sort) [ "a", 1; "b", 1 ] "all"
          let ofA = { AclFilter.any with ResourceNameFilter = Some "a"; PatternTypeFilter = AclPatternType.Match }
          Expect.equal (described ofA cluster) [ "a", 1 ] "those of a"

          match cluster.Get(3s, Request.DeleteAcls { Filters = [ ofA ] }) with
          | Response.DeleteAcls { FilterResults = [ result ] } -> Expect.equal result.MatchingAcls.Length 1 "the deleted ones"
          | other -> failtest (Response.show other)

          Expect.equal (described AclFilter.any cluster) [ "b", 1 ] "the others")

      testCase "without an authorizer there are no ACLs" (fun () ->
          let cluster = start State.settings 1 []

          match cluster.Get(3s, Request.DescribeAcls AclFilter.any) with
          | Response.DescribeAcls response -> Expect.equal response.Error ErrorCode.SecurityDisabled "the code"
          | other -> failtest (Response.show other)) ]

let private alter (entity: (string * string option) list) (key: string) (value: float) (cluster: PureCluster) : ErrorCode =
    let request =
        Request.AlterClientQuotas
            { Entries =
                [ { Entity = [ for kind, name in entity -> { EntityType = kind; EntityName = name } ]
                    Operations = [ { Key = key; Value = value; Remove = value = 0.0 } ] } ]
              ValidateOnly = false }

    match cluster.Get(1s, request) with
    | Response.AlterClientQuotas { Entries = [ entry ] } -> entry.Error
    | other -> failtest (Response.show other)

let private produceThrottle (clientId: string) (cluster: PureCluster) : int32 =
    cluster.ClientId <- clientId

    match cluster.Get(9s, produceRequest None "orders" 0 (batch BatchOptions.standard [ "a" ])) with
    | Response.Produce response -> response.ThrottleTimeMs
    | other -> failtest (Response.show other)

let private fetchRequest: Request =
    Request.Fetch
        { ClusterId = None
          ReplicaId = -1
          ReplicaState = { ReplicaId = -1; ReplicaEpoch = -1L }
          MaxWaitMs = 0
          MinBytes = 1
          MaxBytes = 1_000_000
          IsolationLevel = IsolationLevel.ReadUncommitted
          SessionId = 0
          SessionEpoch = -1
          Topics =
            [ { Topic = "orders"
                TopicId = System.Guid.Empty
                Partitions =
                  [ { Partition = 0
                      CurrentLeaderEpoch = -1
                      FetchOffset = 0L
                      LastFetchedEpoch = -1
                      LogStartOffset = -1L
                      PartitionMaxBytes = 1_000_000
                      ReplicaDirectoryId = System.Guid.Empty
                      HighWatermark = System.Int64.MaxValue } ] } ]
          Forgotten = []
          RackId = "" }

let private quotas =
    [ testCase "a producer within its rate is never throttled, and one over it waits as long as it is over" (fun () ->
          let cluster = start State.settings 1 [ "orders", 1 ]
          // A request has 100 bytes. The rate is taken over at least 10 seconds.
          Expect.equal (alter [ "client-id", Some "a" ] "producer_byte_rate" 100.0 cluster) ErrorCode.None "the quota"
          let times = [ for _ in 1..12 -> produceThrottle "a" cluster ]
          Expect.equal times ([ for _ in 1..10 -> 0 ] @ [ 1000; 2000 ]) "the throttle times"
          Expect.equal (produceThrottle "b" cluster) 0 "another client"
          cluster.Now <- cluster.Now + 20_000L
          Expect.equal (produceThrottle "a" cluster) 0 "later")

      testCase "a fetch over the quota has no topics, and does not count" (fun () ->
          let cluster = start State.settings 1 [ "orders", 1 ]
          produceThrottle "a" cluster |> ignore
          Expect.equal (alter [ "client-id", None ] "consumer_byte_rate" 10.0 cluster) ErrorCode.None "the quota"

          match cluster.Get(11s, fetchRequest) with
          | Response.Fetch response ->
              Expect.isEmpty response.Topics "the topics"
              Expect.isGreaterThan response.ThrottleTimeMs 0 "the throttle time"
              Expect.equal response.Error ErrorCode.None "the code"
          | other -> failtest (Response.show other)

          Expect.equal (alter [ "client-id", None ] "consumer_byte_rate" 1000.0 cluster) ErrorCode.None "a larger quota"

          match cluster.Get(11s, fetchRequest) with
          | Response.Fetch response ->
              Expect.equal response.Topics.Length 1 "the topics"
              Expect.equal response.ThrottleTimeMs 0 "no throttle time"
          | other -> failtest (Response.show other))

      testCase "the most specific quota counts" (fun () ->
          let cluster = start State.settings 1 [ "orders", 1 ]
          alter [ "client-id", None ] "producer_byte_rate" 1.0 cluster |> ignore
          alter [ "client-id", Some "a" ] "producer_byte_rate" 1_000_000.0 cluster |> ignore
          Expect.equal (produceThrottle "a" cluster) 0 "named"
          Expect.isGreaterThan (produceThrottle "b" cluster) 0 "the default"
          alter [ "user", Some "ANONYMOUS"; "client-id", Some "a" ] "producer_byte_rate" 1.0 cluster |> ignore
          Expect.isGreaterThan (produceThrottle "a" cluster) 0 "user and client id"
          alter [ "user", Some "ANONYMOUS"; "client-id", Some "a" ] "producer_byte_rate" 0.0 cluster |> ignore
          Expect.equal (produceThrottle "a" cluster) 0 "removed")

      testCase "a request quota throttles every response, and wrong quotas are refused" (fun () ->
          let cluster = start State.settings 1 [ "orders", 1 ]
          alter [ "client-id", Some "a" ] "request_percentage" 0.001 cluster |> ignore
          cluster.ClientId <- "a"
          let heartbeat =
              Request.ListTransactions { StateFilters = []; ProducerIdFilters = []; DurationFilter = -1L; TransactionalIdPattern = None }
          Expect.equal (Response.throttleTimeMs (cluster.Get(1s, heartbeat))) 1000 "at most one window"
          cluster.ClientId <- "b"
          Expect.equal (alter [ "client-id", Some "a" ] "no.such" 1.0 cluster) ErrorCode.InvalidRequest "the key"
          Expect.equal (alter [ "planet", Some "a" ] "producer_byte_rate" 1.0 cluster) ErrorCode.InvalidRequest "the entity"
          Expect.equal (alter [] "producer_byte_rate" 1.0 cluster) ErrorCode.InvalidRequest "no entity"

          match cluster.Get(1s, Request.DescribeClientQuotas { Components = []; Strict = false }) with
          | Response.DescribeClientQuotas { Entries = Some [ entry ] } ->
              Expect.equal entry.Entity [ { EntityType = "client-id"; EntityName = Some "a" } ] "the entity"
              Expect.equal entry.Values [ { Key = "request_percentage"; Value = 0.001 } ] "the value"
          | other -> failtest (Response.show other)) ]

/// The error of a request for one topic, and its throttle time.
let private mutation (cluster: PureCluster) (version: int16) (request: Request) : ErrorCode * int32 =
    match cluster.Get(version, request) with
    | Response.CreateTopics { Topics = [ topic ]; ThrottleTimeMs = time } -> topic.Error, time
    | Response.DeleteTopics { Topics = [ topic ]; ThrottleTimeMs = time } -> topic.Error, time
    | Response.CreatePartitions { Results = [ topic ]; ThrottleTimeMs = time } -> topic.Error, time
    | other -> failtest (Response.show other)

let private creation (partitions: int) (names: string list) : Request =
    Request.CreateTopics
        { Topics =
            [ for name in names -> { Name = name; NumPartitions = partitions; ReplicationFactor = 1s; Assignments = []; Configs = [] } ]
          TimeoutMs = 1000
          ValidateOnly = false }

let private deletion (name: string) : Request =
    Request.DeleteTopics { Topics = [ { Name = Some name; TopicId = System.Guid.Empty } ]; TopicNames = [ name ]; TimeoutMs = 1000 }

let private growth (name: string) (count: int) : Request =
    Request.CreatePartitions { Topics = [ { Name = name; Count = count; Assignments = None } ]; TimeoutMs = 1000; ValidateOnly = false }

/// A cluster of an old release that accepts old versions. A client may create or delete a partition each second, after the first eleven.
let private withMutationQuota () : PureCluster =
    let cluster = start { State.settings with Release = Release.parse "3.9" } 1 [ "orders", 1 ]
    Expect.equal (alter [ "client-id", Some "a" ] "controller_mutation_rate" 1.0 cluster) ErrorCode.None "the quota"
    cluster.ClientId <- "a"
    cluster

let private mutations =
    [ testCase "topics are refused while the quota of created partitions is exceeded" (fun () ->
          let cluster = withMutationQuota ()

          match cluster.Get(7s, creation 4 [ "t1"; "t2"; "t3"; "t4" ]) with
          | Response.CreateTopics response ->
              let codes = [ for topic in response.Topics -> topic.Error ]
              let refused = ErrorCode.ThrottlingQuotaExceeded
              Expect.equal codes [ ErrorCode.None; ErrorCode.None; ErrorCode.None; refused ] "11 partitions are allowed at once"
              Expect.equal response.ThrottleTimeMs 1000 "until the twelfth is allowed"
          | other -> failtest (Response.show other)

          Expect.isFalse (cluster.State.Topics.ContainsKey "t4") "it is not created"
          cluster.Now <- cluster.Now + 999L
          Expect.equal (mutation cluster 7s (creation 1 [ "t4" ])) (ErrorCode.ThrottlingQuotaExceeded, 1) "a millisecond before"
          cluster.Now <- cluster.Now + 1L
          Expect.equal (mutation cluster 7s (creation 1 [ "t4" ])) (ErrorCode.None, 0) "after the throttle time"
          cluster.ClientId <- "b"
          Expect.equal (mutation cluster 7s (creation 20 [ "t5" ])) (ErrorCode.None, 0) "another client")

      testCase "new versions are refused over the quota, and old ones are carried out and throttled" (fun () ->
          let exceeded () =
              let cluster = withMutationQuota ()
              Expect.equal (mutation cluster 7s (creation 12 [ "t" ])) (ErrorCode.None, 0) "the first request"
              cluster

          let refused = ErrorCode.ThrottlingQuotaExceeded, 1000

          for request, first in [ creation 2 [ "new" ], 6s; deletion "orders", 5s; growth "orders" 3, 3s ] do
              let amount = if first = 5s then 1 else 2
              let name = string (Request.apiKey request)
              let before = exceeded ()
              let topics = before.State.Topics
              Expect.equal (mutation before first request) refused name
              Expect.isTrue (obj.ReferenceEquals(before.State.Topics, topics)) (name + " changes nothing")
              Expect.equal (mutation (exceeded ()) (first - 1s) request) (ErrorCode.None, 1000 * (1 + amount)) (name + " before"))

      testCase "a deletion of topics and new partitions count like the creation of topics" (fun () ->
          let cluster = withMutationQuota ()
          Expect.equal (mutation cluster 7s (creation 4 [ "t" ])) (ErrorCode.None, 0) "4 created"
          Expect.equal (mutation cluster 3s (growth "t" 7)) (ErrorCode.None, 0) "3 added"
          Expect.equal (mutation cluster 6s (deletion "t")) (ErrorCode.None, 0) "7 deleted"
          Expect.equal (mutation cluster 7s (creation 1 [ "t" ])) (ErrorCode.ThrottlingQuotaExceeded, 3000) "14 together")

      testCase "partitions are added only by clients that may alter the topic" (fun () ->
          let cluster = start State.settings 1 [ "orders", 1 ]
          cluster.Change(fun state -> { state with Security = { state.Security with IsAuthorizing = true } })
          Expect.equal (mutation cluster 3s (growth "orders" 3) |> fst) ErrorCode.TopicAuthorizationFailed "the code") ]

let private connections =
    [ testCase "connections over the quota of their address are closed after the throttle time, and do not count" (fun () ->
          let cluster = start State.settings 2 []
          Expect.equal (alter [ "ip", None ] "connection_creation_rate" 1.0 cluster) ErrorCode.None "the default"
          Expect.equal (alter [ "ip", Some "10.0.0.2" ] "connection_creation_rate" 1000.0 cluster) ErrorCode.None "an address"

          let connect (node: int32) (address: string) : int32 =
              let after, time = Broker.connect cluster.Now node address cluster.State
              cluster.Change(fun _ -> after)
              time

          // The rate is taken over at least ten seconds.
          Expect.equal [ for _ in 1..12 -> connect 1 "10.0.0.1" ] ([ for _ in 1..10 -> 0 ] @ [ 1000; 1000 ]) "the throttle times"
          Expect.equal (connect 2 "10.0.0.1") 0 "another broker"
          Expect.equal (connect 1 "10.0.0.3") 0 "another address"
          Expect.equal [ for _ in 1..20 -> connect 1 "10.0.0.2" ] [ for _ in 1..20 -> 0 ] "an address with a quota of its own"
          cluster.Now <- cluster.Now + 11_000L
          Expect.equal (connect 1 "10.0.0.1") 0 "later")

      testCase "quotas of addresses and of clients cannot be mixed, and are described" (fun () ->
          let cluster = start State.settings 1 []
          let refused = ErrorCode.InvalidRequest
          Expect.equal (alter [ "ip", Some "10.0.0.1" ] "producer_byte_rate" 1.0 cluster) refused "a key of clients"
          Expect.equal (alter [ "client-id", Some "a" ] "connection_creation_rate" 1.0 cluster) refused "a key of addresses"
          Expect.equal (alter [ "ip", Some "10.0.0.1" ] "connection_creation_rate" 1.5 cluster) refused "a fraction"
          Expect.equal (alter [ "ip", Some "not an address" ] "connection_creation_rate" 1.0 cluster) refused "no address"
          Expect.equal (alter [ "ip", Some "10.0.0.1"; "user", None ] "connection_creation_rate" 1.0 cluster) refused "both"
          Expect.equal (alter [ "user", None; "user", Some "a" ] "producer_byte_rate" 1.0 cluster) refused "twice"
          Expect.equal (alter [ "ip", Some "10.0.0.1" ] "connection_creation_rate" 5.0 cluster) ErrorCode.None "a good one"
          Expect.equal (alter [ "user", None ] "controller_mutation_rate" 0.5 cluster) ErrorCode.None "of users"

          let described (filters: (string * QuotaMatchType * string option) list) =
              let components: DescribeClientQuotas.Filter list =
                  [ for kind, matchType, name in filters -> { EntityType = kind; MatchType = matchType; Match = name } ]

              match cluster.Get(1s, Request.DescribeClientQuotas { Components = components; Strict = false }) with
              | Response.DescribeClientQuotas { Entries = Some entries } ->
                  Ok [ for entry in entries -> [ for part in entry.Entity -> part.EntityType, part.EntityName ] ]
              | Response.DescribeClientQuotas response -> Error response.Error
              | other -> failtest (Response.show other)

          let isAddress = "ip", QuotaMatchType.Specified, None
          Expect.equal (described [ isAddress ]) (Ok [ [ "ip", Some "10.0.0.1" ] ]) "by type"
          Expect.equal (described [ "user", QuotaMatchType.Default, None ]) (Ok [ [ "user", None ] ]) "the default"
          Expect.equal (described [ isAddress; "user", QuotaMatchType.Default, None ]) (Error ErrorCode.InvalidRequest) "both"
          Expect.equal (described [ isAddress; isAddress ]) (Error ErrorCode.InvalidRequest) "twice"
          Expect.equal (described [ "ip", QuotaMatchType.Exact, None ]) (Error ErrorCode.InvalidRequest) "no name"
          Expect.equal (described [ "planet", QuotaMatchType.Default, None ]) (Error ErrorCode.UnsupportedVersion) "another type") ]

[<Tests>]
let tests =
    testList
        "security and quotas of the test broker"
        [ testList "ACLs" acls
          testList "quotas" quotas
          testList "quotas of partitions" mutations
          testList "quotas of connections" connections ]
