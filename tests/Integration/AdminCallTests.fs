/// Administrative calls on brokers inside the process: replicas, groups' offsets, transactions, quotas, users, tokens and the cluster.
module LibKafka.Integration.AdminCallTests

open System
open System.Collections.Generic
open Expecto
open LibKafka
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support

let private at topic index : TopicPartition = { Topic = topic; Partition = index }
let private soon = ms 10_000

let private withOptions (options: TestBrokerOptions) (test: TestBroker -> Bootstrap -> unit) =
    use kafka = TestBroker.Start options
    test kafka (Bootstrap.parse kafka.Bootstrap |> ok)
    Expect.isEmpty kafka.Failures "the broker failed"

/// Three brokers, and a client.
let private withThree (test: TestBroker -> Bootstrap -> AdminClient -> unit) =
    withOptions (TestBrokerOptions(Brokers = 3)) (fun kafka brokers ->
        use admin = new AdminClient(patient, brokers)
        test kafka brokers admin)

let private refused (code: ErrorCode) (result: Result<'T, AdminFault>) =
    match result with
    | Error(AdminFault.Refused(found, _)) -> Expect.equal found code "the code"
    | other -> failtestf "%O" other

let private value (answer: AdminAnswer<'T>) : 'T = ok answer.Result

// ---- replicas ----

let private leaders (admin: AdminClient) (topic: string) : int list =
    match (admin.DescribeTopics [ topic ]).Result with
    | [ _, Ok found ] -> found.Partitions |> List.sortBy _.PartitionIndex |> List.map _.LeaderId
    | other -> failtestf "%A" other

let private replicas =
    [ testCase "partitions move to other brokers, and their preferred leaders are elected" (fun () ->
          withThree (fun kafka _ admin ->
              kafka.Topic("t", 2)

              let moves = [ at "t" 0, Some [ 3; 2 ]; at "t" 1, Some [ 2; 3 ]; at "t" 9, Some [ 1 ]; at "t" 0, Some [ 2; 3 ] ]

              match (admin.AlterReassignments(moves, soon)).Result with
              | [ first, Ok(); second, Ok(); missing, Error(AdminFault.Refused(code, _)); again, Ok() ] ->
                  Expect.equal [ first; second; missing; again ] (List.map fst moves) "in order"
                  Expect.equal code ErrorCode.UnknownTopicOrPartition "there is no such partition"
              | other -> failtestf "%A" other

              Expect.equal (admin.ListReassignments(None, soon)).Result (Ok []) "all are done"
              kafka.MoveLeader("t", 0, 3)
              Expect.equal (leaders admin "t") [ 3; 2 ] "not the preferred one"

              Expect.equal
                  (admin.ElectLeaders(ElectionType.Preferred, [ at "t" 0; at "t" 1 ], soon)).Result
                  [ at "t" 0, Ok()
                    at "t" 1, Error(AdminFault.Refused(ErrorCode.ElectionNotNeeded, Some ErrorCode.ElectionNotNeeded.Description)) ]
                  "one needs none"

              Expect.equal (leaders admin "t") [ 2; 2 ] "the preferred ones"
              kafka.MoveLeader("t", 1, 3)
              Expect.equal (admin.ElectAllLeaders(ElectionType.Preferred, soon)).Result (Ok [ at "t" 1, Ok() ]) "only what needs one"
              Expect.equal (leaders admin "t") [ 2; 2 ] "all preferred"))

      testCase "each broker is asked for its log directories, and moves its own replicas" (fun () ->
          withThree (fun kafka _ admin ->
              kafka.Topic("t", 3)
              kafka.Produce("t", "a") |> ignore
              let described = (admin.DescribeLogDirs [ 3; 1; 9; 2 ]).Result
              Expect.equal (List.map fst described) [ 3; 1; 9; 2 ] "in order"

              let replicasOn (dirs: DescribeLogDirs.LogDir list) =
                  [ for dir in dirs do
                        for topic in dir.Topics do
                            for replica in topic.Partitions -> topic.Name, replica.PartitionIndex ]

              for broker, result in described do
                  match result with
                  | Ok dirs ->
                      let leads = leaders admin "t" |> List.indexed |> List.filter (fun (_, leader) -> leader = broker)
                      Expect.equal (replicasOn dirs) [ for index, _ in leads -> "t", index ] "its replicas"
                  | Error fault -> Expect.equal (broker, fault.ErrorCode) (9, ErrorCode.BrokerIdNotRegistered) "no such broker"

              let only = (admin.DescribeLogDirs([ (leaders admin "t")[1] ], [ at "t" 1 ])).Result
              Expect.equal (only |> List.collect (snd >> ok >> replicasOn)) [ "t", 1 ] "one partition"

              let leader = (leaders admin "t")[0]
              let path = (only.Head |> snd |> ok).Head.Path
              let replica broker = { Partition = at "t" 0; BrokerId = broker }
              let moves = [ replica leader, path; replica leader, "/none"; replica 9, path ]
              let moved = (admin.AlterReplicaLogDirs moves).Result
              Expect.equal (List.map fst moved) (List.map fst moves) "in order"

              match List.map snd moved with
              | [ Ok(); elsewhere; nobody ] ->
                  refused ErrorCode.LogDirNotFound elsewhere
                  refused ErrorCode.BrokerIdNotRegistered nobody
              | other -> failtestf "%A" other)) ]

// ---- groups ----

/// Groups that are coordinated by different brokers.
let private groups = [ for number in 1..6 -> "group-" + string number ]

let private offsetsOf (reply: AdminReply<string, FetchedOffset list>) : (string * (TopicPartition * int64) list) list =
    [ for group, result in reply.Result ->
          group,
          [ for offset in ok result do
                match offset.Result with
                | Ok(Some committed) -> offset.Partition, committed.Offset
                | Ok None -> offset.Partition, -1L
                | Error code -> failtestf "%O" code ] ]

let private groupOffsets (release: string) =
    testCase ("offsets of many groups are set, listed and deleted: Kafka " + release) (fun () ->
        withOptions (TestBrokerOptions(Brokers = 3, Release = release)) (fun kafka brokers ->
            kafka.Topic("t", 2)
            use admin = new AdminClient(patient, brokers)

            for number, group in List.indexed groups do
                let offsets =
                    [ at "t" 0, CommittedOffset.at (int64 number); at "t" 1, CommittedOffset.at 10L; at "t" 0, CommittedOffset.at 7L ]
                let altered = (admin.AlterGroupOffsets(group, offsets)).Result
                Expect.equal altered [ for partition, _ in offsets -> partition, Ok() ] "each, in order"

            kafka.ClearRequests()
            let all = admin.ListGroupOffsets [ for group in groups -> group, None ]
            Expect.equal (offsetsOf all) [ for group in groups -> group, [ at "t" 0, 7L; at "t" 1, 10L ] ] "the last ones that were set"
            let asked api = kafka.Requests |> Seq.filter (fun exchange -> exchange.Api = api) |> Seq.length
            let isBatched = release <> "2.8"
            Expect.equal (asked ApiKey.FindCoordinator) (if isBatched then 1 else groups.Length) "one request finds all coordinators"
            Expect.equal (asked ApiKey.OffsetFetch <= 3) isBatched "one request to each coordinator"

            let some = admin.ListGroupOffsets [ groups[0], Some [ at "t" 1; at "none" 0 ]; groups[1], None ]

            Expect.equal
                (offsetsOf some)
                [ groups[0], [ at "t" 1, 10L; at "none" 0, -1L ]; groups[1], [ at "t" 0, 7L; at "t" 1, 10L ] ]
                "some partitions, and all"

            Expect.equal (admin.DeleteGroupOffsets(groups[2], [ at "t" 1; at "t" 0 ])).Result [ at "t" 1, Ok(); at "t" 0, Ok() ] "deleted"

            for _, result in (admin.DeleteGroupOffsets("none", [ at "t" 1 ])).Result do
                refused ErrorCode.GroupIdNotFound result))

// ---- transactions ----

let private transactions =
    [ testCase "an open transaction is listed and described, and aborted in its partition" (fun () ->
          withThree (fun kafka brokers admin ->
              kafka.Topic("t", 1)
              use transaction = new TransactionClient(patient, brokers, "tx")
              awaiting "the transaction coordinator" (fun () -> (transaction.InitProducerId(ms 60_000)).Result.IsOk)
              ok (transaction.AddPartitions [ at "t" 0 ]).Result |> ignore
              acknowledged ((transaction.Producer(at "t" 0)).Produce(batch "a" 2)) |> ignore

              let listed filter =
                  [ for _, result in value (admin.ListTransactions filter) do
                        for found in (ok result).Transactions -> found.TransactionalId ]

              Expect.equal (listed TransactionListFilter.all) [ "tx" ] "of all brokers"
              Expect.equal (listed { TransactionListFilter.all with States = [ TransactionState.Ongoing ] }) [ "tx" ] "in this state"
              Expect.equal (listed { TransactionListFilter.all with States = [ TransactionState.Empty ] }) [] "in another one"
              Expect.equal (listed { TransactionListFilter.all with LongerThan = Some(TimeSpan.FromHours 1.0) }) [] "for an hour"
              Expect.equal (listed { TransactionListFilter.all with IdPattern = Some "t." }) [ "tx" ] "with a pattern"

              match (admin.DescribeTransactions [ "none"; "tx" ]).Result with
              | [ "none", none; "tx", Ok found ] ->
                  refused ErrorCode.TransactionalIdNotFound none
                  Expect.equal found.State TransactionState.Ongoing "the state"
                  Expect.equal found.Topics [ { Topic = "t"; Partitions = [ 0 ] } ] "its partitions"
              | other -> failtestf "%A" other

              let hanging () =
                  match (admin.DescribeProducers [ at "t" 0; at "none" 0 ]).Result with
                  | [ _, Ok producers; _, none ] ->
                      refused ErrorCode.UnknownTopicOrPartition none
                      producers |> List.choose (HangingTransaction.ofProducer (at "t" 0))
                  | other -> failtestf "%A" other

              let open' = hanging ()
              Expect.equal (open' |> List.map _.ProducerId) [ transaction.Identity.Value.ProducerId ] "the producer"
              Expect.equal (admin.AbortTransactions open').Result [ for one in open' -> one, Ok() ] "aborted"
              Expect.isEmpty (hanging ()) "no transaction is open in the partition"
              Expect.isEmpty (kafka.Values("t") |> Seq.filter (fun text -> text <> "a0" && text <> "a1")) "what was produced"

              for _, result in (admin.DescribeProducers([ at "t" 0 ], 9)).Result do
                  refused ErrorCode.BrokerIdNotRegistered result)) ]

// ---- quotas ----

let private quotas =
    [ testCase "quotas are set, described by filters and removed" (fun () ->
          withThree (fun _ _ admin ->
              let alice = ClientQuotaEntity.User(QuotaName.Named "alice")
              let anyUser = ClientQuotaEntity.User QuotaName.Default
              let both = ClientQuotaEntity.UserAndClientId(QuotaName.Named "alice", QuotaName.Named "c")
              let turned = ClientQuotaEntity.Other [ "client-id", QuotaName.Named "c"; "user", QuotaName.Named "alice" ]
              let set entity key quota : ClientQuotaChange = { Entity = entity; Quotas = [ key, Some quota ] }

              let changes =
                  [ set alice QuotaKeys.ProducerByteRate 1000.0
                    set anyUser QuotaKeys.ConsumerByteRate 2000.0
                    set both QuotaKeys.RequestPercentage 50.0
                    set anyUser "no_such_key" 1.0
                    set turned QuotaKeys.ProducerByteRate 7.0 ]

              let altered = (admin.AlterClientQuotas changes).Result
              Expect.equal (List.map fst altered) [ for change in changes -> change.Entity ] "in order"
              Expect.equal (altered |> List.map (snd >> Result.isOk)) [ true; true; true; false; true ] "one has an unknown key"

              let described filter =
                  [ for found in value (admin.DescribeClientQuotas filter) -> found.Entity, Map.toList found.Values ] |> List.sort
              let ofAlice = alice, [ QuotaKeys.ProducerByteRate, 1000.0 ]
              let ofBoth = both, [ QuotaKeys.ProducerByteRate, 7.0; QuotaKeys.RequestPercentage, 50.0 ]
              let ofAny = anyUser, [ QuotaKeys.ConsumerByteRate, 2000.0 ]
              Expect.equal (described ClientQuotaFilter.all) (List.sort [ ofAlice; ofBoth; ofAny ]) "all"
              Expect.equal (described (ClientQuotaFilter.exactly alice)) [ ofAlice ] "one"
              Expect.equal (described (ClientQuotaFilter.exactly anyUser)) [ ofAny ] "the default"
              let users = { Parts = [ "user", QuotaMatch.Any ]; IsStrict = true }
              Expect.equal (described users) (List.sort [ ofAlice; ofAny ]) "users without a client id"

              let removal: ClientQuotaChange = { Entity = alice; Quotas = [ QuotaKeys.ProducerByteRate, None ] }
              Expect.equal (admin.AlterClientQuotas([ removal ], validateOnly = true)).Result [ alice, Ok() ] "checked"
              Expect.equal (described (ClientQuotaFilter.exactly alice)) [ ofAlice ] "still there"
              Expect.equal (admin.AlterClientQuotas [ removal ]).Result [ alice, Ok() ] "removed"
              Expect.equal (described (ClientQuotaFilter.exactly alice)) [] "gone")) ]

// ---- users ----

let private asUser (mechanism: ISaslMechanism) = { patient with Sasl = Some mechanism }
let private alice = asUser (Sasl.scramSha256 "alice" "alice-secret")

let private withUsers (test: TestBroker -> Bootstrap -> AdminClient -> unit) =
    let options =
        TestBrokerOptions(Brokers = 2, Users = [ KeyValuePair("alice", "alice-secret"); KeyValuePair("bob", "bob-secret") ])

    withOptions options (fun kafka brokers ->
        use admin = new AdminClient(alice, brokers)
        test kafka brokers admin)

/// Whether a client can connect.
let private canConnect (brokers: Bootstrap) (mechanism: ISaslMechanism) : bool =
    match Cluster.Connect(asUser mechanism, brokers) with
    | Ok connection ->
        connection.Close()
        true
    | Error fault ->
        Expect.stringContains (fault.ToString()) "SASL_AUTHENTICATION_FAILED" "why not"
        false

let private users =
    [ testCase "a password that was set authenticates until it is deleted" (fun () ->
          withUsers (fun _ brokers admin ->
              let carol = Sasl.scramSha512 "carol" "geheim, wörd"
              Expect.isFalse (canConnect brokers carol) "there is no such user"
              let credential = ScramCredential.ofPassword ScramMechanism.ScramSha512 8192 "geheim, wörd"
              Expect.equal (admin.AlterScramUsers [ ScramChange.Upsert("carol", credential) ]).Result [ "carol", Ok() ] "set"
              Expect.isTrue (canConnect brokers carol) "the password"
              Expect.isFalse (canConnect brokers (Sasl.scramSha512 "carol" "another")) "another password"
              Expect.isFalse (canConnect brokers (Sasl.scramSha256 "carol" "geheim, wörd")) "another mechanism"

              match (admin.DescribeScramUsers [ "none"; "carol"; "alice" ]).Result with
              | [ "none", none; "carol", Ok one; "alice", Ok two ] ->
                  refused ErrorCode.ResourceNotFound none
                  Expect.equal one [ { Mechanism = ScramMechanism.ScramSha512; Iterations = 8192 } ] "what was set"
                  Expect.equal (two |> List.map _.Iterations) [ 4096; 4096 ] "of the broker's start"
              | other -> failtestf "%A" other

              let names = value (admin.ListScramUsers()) |> List.map fst |> List.sort
              Expect.equal names [ "alice"; "bob"; "carol" ] "all"

              let changes =
                  [ ScramChange.Delete("carol", ScramMechanism.ScramSha512)
                    ScramChange.Delete("bob", ScramMechanism.ScramSha256)
                    ScramChange.Delete("none", ScramMechanism.ScramSha256) ]

              match (admin.AlterScramUsers changes).Result with
              | [ "carol", Ok(); "bob", Ok(); "none", none ] -> refused ErrorCode.ResourceNotFound none
              | other -> failtestf "%A" other

              Expect.isFalse (canConnect brokers carol) "deleted"
              Expect.isFalse (canConnect brokers (Sasl.scramSha256 "bob" "bob-secret")) "deleted"
              Expect.isTrue (canConnect brokers (Sasl.scramSha512 "bob" "bob-secret")) "the other mechanism is left"))

      testCase "a credential without a password, or with too few iterations, is not made" (fun () ->
          let make mechanism iterations password () = ScramCredential.ofPassword mechanism iterations password |> ignore
          Expect.throwsT<ArgumentException> (make ScramMechanism.ScramSha256 4096 "") "no password"
          Expect.throwsT<ArgumentException> (make ScramMechanism.Unknown 4096 "p") "no mechanism"
          Expect.throwsT<Text.EncoderFallbackException> (make ScramMechanism.ScramSha256 4096 (string (char 0xD800))) "no form in UTF-8"
          Expect.throwsT<ArgumentOutOfRangeException> (make ScramMechanism.ScramSha256 4095 "p") "too few"
          Expect.throwsT<ArgumentOutOfRangeException> (make ScramMechanism.ScramSha256 16385 "p") "too many"
          let random () = ScramCredential.ofPassword ScramMechanism.ScramSha256 4096 "p"
          let one, other = random (), random ()
          Expect.notEqual one.Salt other.Salt "the salt is random"
          let change = ScramChange.Upsert("alice", one)
          Expect.equal (string change) "alice: SCRAM-SHA-256 with 4096 iterations" "without the secret") ]

// ---- tokens ----

let private tokens =
    [ testCase "a delegation token authenticates as its owner until it is deleted" (fun () ->
          withUsers (fun kafka brokers admin ->
              let renewer: DelegationTokenPrincipal = { PrincipalType = "User"; PrincipalName = "bob" }
              let wanted = { NewDelegationToken.standard with Renewers = [ renewer ]; MaxLifetime = Some(TimeSpan.FromHours 1.0) }
              let token = value (admin.CreateDelegationToken wanted)
              Expect.equal token.Owner { PrincipalType = "User"; PrincipalName = "alice" } "the owner"
              Expect.equal token.Requester (Some token.Owner) "who asked"
              Expect.equal (token.MaxExpires - token.Issued) (TimeSpan.FromHours 1.0) "the lifetime"
              Expect.isFalse ((string token).Contains token.Password) "the secret is not in the text"

              for mechanism in [ Sasl.tokenScramSha256; Sasl.tokenScramSha512 ] do
                  Expect.isTrue (canConnect brokers (mechanism token.Id token.Password)) "by the token"

              Expect.isFalse (canConnect brokers (Sasl.tokenScramSha256 token.Id "wrong")) "by another secret"
              Expect.isFalse (canConnect brokers (Sasl.scramSha256 token.Id token.Password)) "as a user"

              let tokensOf owners = [ for found in value (admin.DescribeDelegationTokens owners) -> found.Id, found.Renewers ]
              Expect.equal (tokensOf None) [ token.Id, [ renewer ] ] "all"
              Expect.equal (tokensOf (Some [ token.Owner ])) [ token.Id, [ renewer ] ] "of the owner"
              Expect.equal (tokensOf (Some [ renewer ])) [] "of another owner"

              // By the token, no other can be made.
              use byToken = new AdminClient(asUser (Sasl.tokenScramSha256 token.Id token.Password), brokers)
              refused ErrorCode.DelegationTokenRequestNotAllowed (byToken.CreateDelegationToken NewDelegationToken.standard).Result

              use bob = new AdminClient(asUser (Sasl.scramSha256 "bob" "bob-secret"), brokers)
              let renewed = value (bob.RenewDelegationToken(token.Hmac, TimeSpan.FromMinutes 5.0))
              Expect.isLessThan renewed token.Expires "sooner than before"
              Expect.equal (value (admin.RenewDelegationToken(token.Hmac, TimeSpan.FromDays 1.0))) token.MaxExpires "not beyond the limit"
              refused ErrorCode.DelegationTokenNotFound (bob.RenewDelegationToken(Bytes.ofString "none")).Result
              let deleted = value (admin.ExpireDelegationToken token.Hmac)
              Expect.isLessThan deleted token.MaxExpires "at once"
              Expect.equal (tokensOf None) [] "it is gone"
              Expect.isFalse (canConnect brokers (Sasl.tokenScramSha256 token.Id token.Password)) "it no longer authenticates"
              Expect.isEmpty kafka.Failures "the broker failed"))

      testCase "a client that is not authenticated gets no tokens" (fun () ->
          withThree (fun _ _ admin ->
              refused ErrorCode.DelegationTokenRequestNotAllowed (admin.CreateDelegationToken NewDelegationToken.standard).Result
              refused ErrorCode.DelegationTokenRequestNotAllowed (admin.DescribeDelegationTokens None).Result)) ]

// ---- the cluster ----

let private cluster =
    [ testCase "features are described, checked and changed together or not at all" (fun () ->
          withThree (fun _ _ admin ->
              let before = value (admin.DescribeFeatures())
              Expect.equal before.Finalized["transaction.version"] 2s "in force"
              Expect.equal before.Supported["transaction.version"] { Lowest = 0s; Highest = 2s } "supported"
              let level feature level direction : FeatureLevel = { Feature = feature; Level = level; Direction = direction }
              let lower = level "transaction.version" 1s FeatureUpdateType.SafeDowngrade
              let update levels validateOnly = (admin.UpdateFeatures(levels, soon, validateOnly)).Result

              match update [ { lower with Direction = FeatureUpdateType.Upgrade } ] false with
              | [ "transaction.version", result ] -> refused ErrorCode.InvalidUpdateVersion result
              | other -> failtestf "%A" other

              for _, result in update [ lower; level "none" 1s FeatureUpdateType.Upgrade ] false do
                  refused ErrorCode.InvalidUpdateVersion result

              Expect.equal (update [ lower ] true) [ "transaction.version", Ok() ] "checked"
              Expect.equal (value (admin.DescribeFeatures())) before "nothing has changed"
              Expect.equal (update [ lower ] false) [ "transaction.version", Ok() ] "changed"
              let after = value (admin.DescribeFeatures())
              Expect.equal after.Finalized["transaction.version"] 1s "the new level"
              Expect.isGreaterThan after.Epoch before.Epoch "a new epoch"))

      testCase "a broker before Kafka 2.7 has no features" (fun () ->
          withOptions (TestBrokerOptions(Release = "2.5")) (fun _ brokers ->
              use admin = new AdminClient(patient, brokers)
              Expect.equal (value (admin.DescribeFeatures())) { Supported = Map.empty; Finalized = Map.empty; Epoch = None } "none"))

      testCase "the quorum, the resources with configs, and voters" (fun () ->
          withThree (fun kafka _ admin ->
              kafka.Topic("t", 1)
              let quorum = value (admin.DescribeQuorum())
              Expect.equal (quorum.LeaderId, quorum.Voters |> List.map _.ReplicaId) (1, [ 1; 2; 3 ]) "the voters"
              Expect.equal (quorum.Nodes |> List.map _.NodeId) [ 1; 2; 3 ] "their listeners"
              let resource kind name : ConfigResource = { Type = kind; Name = name }
              let topics = value (admin.ListConfigResources [ ConfigResourceType.Topic ])
              Expect.equal topics [ resource ConfigResourceType.Topic "t" ] "topics"
              let all = value (admin.ListConfigResources [])
              Expect.containsAll all [ resource ConfigResourceType.Topic "t"; resource ConfigResourceType.Broker "2" ] "all"))

      testCase "a broker before Kafka 4.1 lists only the client metrics subscriptions" (fun () ->
          withOptions (TestBrokerOptions(Release = "4.0")) (fun _ brokers ->
              use admin = new AdminClient(patient, brokers)
              Expect.equal (admin.ListConfigResources [ ConfigResourceType.ClientMetrics ]).Result (Ok []) "none"

              match (admin.ListConfigResources []).Result with
              | Error(AdminFault.Fault(ClientFault.BrokerTooOld(_, needs, _))) -> Expect.stringContains needs "Kafka 4.1" "what it needs"
              | other -> failtestf "%A" other))

      testCase "a voter is added with its listeners, by the leader of the quorum" (fun () ->
          let answer (received: Received) =
              match received.Request with
              | Request.AddRaftVoter _ ->
                  Script.answer
                      AddRaftVoter.api
                      received
                      { AddRaftVoter.response.Default with Error = ErrorCode.DuplicateVoter; ErrorMessage = Some "it votes already" }
              | _ -> Script.unexpected received

          Replay.lone ApiKey.AddRaftVoter 1 answer (fun broker ->
              use admin = new AdminClient(patient, Bootstrap.ofAddresses [ broker.Address ])
              let voter = { Id = 4; DirectoryId = Guid.NewGuid() }
              let listeners: VoterListener list = [ { Name = "CONTROLLER"; Host = "four"; Port = 9093us } ]
              let added = (admin.AddQuorumVoter(voter, listeners, soon, clusterId = "c")).Result
              Expect.equal added (Error(AdminFault.Refused(ErrorCode.DuplicateVoter, Some "it votes already"))) "why not"

              let request =
                  broker.Calls
                  |> List.pick (fun call ->
                      match call.Request with
                      | Request.AddRaftVoter request -> Some request
                      | _ -> None)

              Expect.equal
                  request
                  { ClusterId = Some "c"
                    TimeoutMs = 10_000
                    VoterId = 4
                    VoterDirectoryId = voter.DirectoryId
                    Listeners = listeners
                    AckWhenCommitted = true }
                  "the request")) ]

[<Tests>]
let tests =
    testList
        "administration, calls"
        [ testList "replicas" replicas
          testList "group offsets" [ groupOffsets "4.3"; groupOffsets "2.8" ]
          testList "transactions" transactions
          testList "quotas" quotas
          testList "users" users
          testList "tokens" tokens
          testList "cluster" cluster ]
