/// Administrative calls on real clusters, and on the brokers inside the process, which must do the same.
module LibKafka.Integration.AdminClusterTests

open System
open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support

let private uniqueName () = "libkafka-test-" + Guid.NewGuid().ToString "N"
let private at (topic: string) (index: int) : TopicPartition = { Topic = topic; Partition = index }
let private patience = ms 15_000

let private value (answer: AdminAnswer<'T>) : 'T = ok answer.Result

let private refused (code: ErrorCode) (result: Result<'T, AdminFault>) =
    match result with
    | Error(AdminFault.Refused(found, _)) -> Expect.equal found code "the code"
    | other -> failtestf "%A instead of %O" other code

/// The value of the only item.
let private single (reply: AdminReply<'Item, 'Value>) : Result<'Value, AdminFault> =
    match reply.Result with
    | [ _, result ] -> result
    | other -> failtestf "%d results" other.Length

let private allDone (reply: AdminReply<'Item, 'Value>) = reply.Result |> List.iter (snd >> ok >> ignore)

/// A call that is repeated while it fails for a transient reason, such as a coordinator that starts.
let private retry (call: CallOptions -> #Reply) = RetryPolicy.standard.Run call

/// A client, and brokers that support a version of an API; otherwise the test is skipped.
let private withAdmin (api: ApiKey) (version: int16) (cluster: TestCluster) (test: AdminClient -> unit) =
    cluster.Requires(api, version)
    use admin = new AdminClient(cluster.Settings(), cluster.Brokers)
    test admin

let private brokerIds (admin: AdminClient) : int32 list = (value (admin.DescribeCluster())).Brokers |> List.map _.BrokerId

let private placed (admin: AdminClient) (topic: string) : Metadata.Partition =
    match single (admin.DescribeTopics [ topic ]) with
    | Ok { Partitions = [ partition ] } -> partition
    | other -> failtestf "%O" other

// ---- replicas ----

let private elections (cluster: TestCluster) =
    testCase "leaders are elected where that is needed" (fun () ->
        // With version 0 (Kafka 2.3), an election that is not needed is no error.
        withAdmin ApiKey.ElectLeaders 1s cluster (fun admin ->
            cluster.WithTopic 2 (fun topic ->
                let wanted = [ at topic 1; at topic 0; at topic 9 ]

                match (admin.ElectLeaders(ElectionType.Preferred, wanted, patience)).Result with
                | [ one, first; two, second; three, missing ] ->
                    Expect.equal [ one; two; three ] wanted "in order"
                    List.iter (refused ErrorCode.ElectionNotNeeded) [ first; second ]
                    refused ErrorCode.UnknownTopicOrPartition missing
                | other -> failtestf "%A" other

                let elected = value (admin.ElectAllLeaders(ElectionType.Preferred, patience))
                Expect.isFalse (elected |> List.exists (fun (partition, _) -> partition.Topic = topic)) "none of the topic")))

let private reassignments (cluster: TestCluster) =
    testCase "a partition moves to another broker, and its leader with it" (fun () ->
        withAdmin ApiKey.AlterPartitionReassignments 0s cluster (fun admin ->
            cluster.WithTopic 1 (fun topic ->
                let partition = at topic 0
                let move replicas = single (admin.AlterReassignments([ partition, replicas ], patience))
                refused ErrorCode.NoReassignmentInProgress (move None)
                refused ErrorCode.InvalidReplicaAssignment (move (Some [ 9999 ]))
                let source = (placed admin topic).LeaderId
                // With one broker, the partition stays.
                let target = brokerIds admin |> List.filter (fun id -> id <> source) |> List.tryHead |> Option.defaultValue source
                ok (move (Some [ target ]))

                awaiting "the end of the move" (fun () ->
                    value (admin.ListReassignments(Some [ partition ], patience)) |> List.isEmpty
                    && (placed admin topic).LeaderId = target)

                Expect.equal (placed admin topic).ReplicaNodes [ target ] "the replicas")))

let private logDirs (cluster: TestCluster) =
    testCase "the log directories of a broker have the replicas that it has" (fun () ->
        withAdmin ApiKey.DescribeLogDirs 0s cluster (fun admin ->
            cluster.WithTopic 1 (fun topic ->
                let leader = (placed admin topic).LeaderId

                match (admin.DescribeLogDirs([ leader; 9999 ], [ at topic 0 ])).Result with
                | [ one, Ok dirs; two, missing ] ->
                    Expect.equal (one, two) (leader, 9999) "in order"
                    let found =
                        [ for dir in dirs do
                              for found in dir.Topics do
                                  for replica in found.Partitions -> found.Name, replica.PartitionIndex ]

                    Expect.equal found [ topic, 0 ] "the replica"
                    refused ErrorCode.BrokerIdNotRegistered missing
                | other -> failtestf "%A" other

                let replica = { Partition = at topic 0; BrokerId = leader }
                refused ErrorCode.LogDirNotFound (single (admin.AlterReplicaLogDirs [ replica, "/none" ])))))

// ---- groups ----

let private groupOffsets (cluster: TestCluster) =
    testCase "the offsets of groups are set, listed and deleted, and the groups too" (fun () ->
        withAdmin ApiKey.OffsetDelete 0s cluster (fun admin ->
            cluster.WithTopic 2 (fun topic ->
                let groups = List.init 5 (fun _ -> uniqueName ())
                let offsets (number: int) = [ at topic 0, CommittedOffset.at (int64 number); at topic 1, CommittedOffset.at 10L ]

                for number, group in List.indexed groups do
                    retry (fun call -> admin.AlterGroupOffsets(group, offsets number, call)) |> allDone

                let reply = admin.ListGroupOffsets [ for group in groups -> group, None ]
                let finds = reply.Exchanges |> List.filter (fun one -> one.Api = ApiKey.FindCoordinator)
                let isBatched = cluster.Supports(ApiKey.FindCoordinator, 4s)
                Expect.equal finds.Length (if isBatched then 1 else groups.Length) "one request finds all coordinators"

                for number, (group, result) in List.indexed reply.Result do
                    Expect.equal group groups[number] "in order"
                    let found = [ for one in ok result -> one.Partition, (ok one.Result).Value.Offset ] |> List.sort
                    Expect.equal found [ at topic 0, int64 number; at topic 1, 10L ] "the offsets"

                admin.DeleteGroupOffsets(groups[0], [ at topic 0 ]) |> allDone
                let left = ok (single (admin.ListGroupOffsets [ groups[0], None ]))
                Expect.equal (left |> List.map _.Partition) [ at topic 1 ] "one offset is left"

                let states = (admin.DescribeGroups groups).Result |> List.map (snd >> ok >> _.GroupState)
                Expect.equal states [ for _ in groups -> GroupState.Empty ] "no group has members"

                let listed () =
                    [ for _, result in value (admin.ListGroups()) do
                          for group in ok result -> group.GroupId ]

                Expect.containsAll (listed ()) groups "they are listed"
                admin.DeleteGroups groups |> allDone
                Expect.isEmpty (listed () |> List.filter (fun group -> List.contains group groups)) "they are gone"
                refused ErrorCode.GroupIdNotFound (single (admin.DeleteGroups [ groups[0] ])))))

// ---- transactions ----

/// A transaction with two records in a partition, which is open.
let private withOpenTransaction (cluster: TestCluster) (test: string -> TransactionClient -> unit) =
    cluster.WithTopic 1 (fun topic ->
        use transaction = new TransactionClient(cluster.Settings(), cluster.Brokers, uniqueName ())
        let isDone (reply: Reply) = Expect.equal reply.Error ErrorCode.None "the call"
        retry (fun call -> transaction.InitProducerId(ms 60_000, call)) |> isDone
        retry (fun call -> transaction.AddPartitions([ at topic 0 ], call)) |> isDone
        let producer = transaction.Producer(at topic 0)
        retry (fun call -> producer.Produce(batch "open" 2, call)) |> acknowledged |> ignore
        test topic transaction)

let private openProducers (admin: AdminClient) (topic: string) : HangingTransaction list =
    ok (single (admin.DescribeProducers [ at topic 0 ])) |> List.choose (HangingTransaction.ofProducer (at topic 0))

let private transactions (cluster: TestCluster) =
    testCase "an open transaction is listed and described, and aborted in its partition" (fun () ->
        withAdmin ApiKey.ListTransactions 0s cluster (fun admin ->
            withOpenTransaction cluster (fun topic transaction ->
                let id = transaction.TransactionalId

                let isListed filter =
                    value (admin.ListTransactions filter)
                    |> List.exists (fun (_, result) -> (ok result).Transactions |> List.exists (fun one -> one.TransactionalId = id))

                let producer = transaction.Identity.Value.ProducerId
                Expect.isTrue (isListed { TransactionListFilter.all with ProducerIds = [ producer ] }) "by its producer"
                Expect.isTrue (isListed { TransactionListFilter.all with States = [ TransactionState.Ongoing ] }) "by its state"
                Expect.isFalse (isListed { TransactionListFilter.all with States = [ TransactionState.Empty ] }) "not in another state"

                match (admin.DescribeTransactions [ uniqueName (); id ]).Result with
                | [ _, missing; _, Ok found ] ->
                    refused ErrorCode.TransactionalIdNotFound missing
                    Expect.equal (found.State, found.ProducerId) (TransactionState.Ongoing, producer) "the state"
                    Expect.equal found.Topics [ { Topic = topic; Partitions = [ 0 ] } ] "its partitions"
                | other -> failtestf "%A" other

                let hanging = openProducers admin topic
                Expect.equal (hanging |> List.map _.ProducerId) [ producer ] "the producer"
                Expect.equal (admin.AbortTransactions hanging).Result [ for one in hanging -> one, Ok() ] "aborted"
                Expect.isEmpty (openProducers admin topic) "no transaction is open in the partition")))

let private fencing (cluster: TestCluster) =
    testCase "a producer is fenced by its transactional id, and its transaction is aborted" (fun () ->
        withAdmin ApiKey.InitProducerId 0s cluster (fun admin ->
            withOpenTransaction cluster (fun topic transaction ->
                let before = transaction.Identity.Value
                let fenced = retry (fun call -> admin.FenceProducers([ transaction.TransactionalId ], call)) |> single |> ok
                Expect.equal fenced.ProducerId before.ProducerId "the same producer id"
                Expect.isGreaterThan fenced.ProducerEpoch before.ProducerEpoch "a new epoch"

                let late = transaction.Producer(at topic 0).Produce(batch "late" 1)
                Expect.equal late.Error ErrorCode.InvalidProducerEpoch "the broker refuses its records"
                let code = (retry (fun call -> transaction.Abort call)).Error
                Expect.contains [ ErrorCode.InvalidProducerEpoch; ErrorCode.ProducerFenced ] code "the coordinator refuses it"

                use client = new PartitionClient(cluster.Settings(), cluster.Brokers, at topic 0)
                let ends =
                    new PartitionFetcher(client, { FetcherSettings.standard with IsolationLevel = IsolationLevel.ReadCommitted }, 0L)
                // Two records and the marker.
                awaiting "the end of the transaction" (fun () -> (ends.FindOffset OffsetSpec.Latest).Offset = Some 3L)

                // Several ids, of which the cluster does not know one. The coordinator of one may still be loading when the other is fenced, and a
                // policy does not repeat a call of which a part is done.
                let ids = [ uniqueName (); transaction.TransactionalId ]
                let mutable both = []

                awaiting "both are fenced" (fun () ->
                    both <- (admin.FenceProducers ids).Result
                    both |> List.forall (snd >> Result.isOk))

                Expect.equal (List.map fst both) ids "in order"
                let identities = both |> List.map (snd >> ok)
                Expect.isGreaterThan identities[1].ProducerEpoch fenced.ProducerEpoch "fenced again"
                refused ErrorCode.InvalidRequest (single (admin.FenceProducers [ "" ])))))

// ---- quotas, users, tokens and ACLs ----

let private quotas (cluster: TestCluster) =
    testCase "quotas are set, described by filters and removed" (fun () ->
        withAdmin ApiKey.AlterClientQuotas 0s cluster (fun admin ->
            let user = uniqueName ()
            let alone = ClientQuotaEntity.User(QuotaName.Named user)
            let withClient = ClientQuotaEntity.UserAndClientId(QuotaName.Named user, QuotaName.Named "c")
            let change entity key quota : ClientQuotaChange = { Entity = entity; Quotas = [ key, quota ] }
            let described filter =
                [ for found in value (admin.DescribeClientQuotas filter) -> found.Entity, Map.toList found.Values ] |> List.sort
            let ofUser = { Parts = [ "user", QuotaMatch.Exactly(QuotaName.Named user) ]; IsStrict = false }

            let set =
                [ change alone QuotaKeys.ProducerByteRate (Some 1000.0); change withClient QuotaKeys.RequestPercentage (Some 50.0) ]

            let removal = [ change alone QuotaKeys.ProducerByteRate None; change withClient QuotaKeys.RequestPercentage None ]

            refused ErrorCode.InvalidRequest (single (admin.AlterClientQuotas [ change alone "no_such_key" (Some 1.0) ]))
            Expect.equal (admin.AlterClientQuotas(set, validateOnly = true)).Result [ alone, Ok(); withClient, Ok() ] "checked"
            admin.AlterClientQuotas set |> allDone

            let expected = [ alone, [ QuotaKeys.ProducerByteRate, 1000.0 ]; withClient, [ QuotaKeys.RequestPercentage, 50.0 ] ]
            awaiting "the quotas" (fun () -> described ofUser = List.sort expected)
            Expect.equal (described (ClientQuotaFilter.exactly alone)) [ expected.Head ] "those of the user alone"
            admin.AlterClientQuotas removal |> allDone
            awaiting "their removal" (fun () -> described ofUser = [])))

let private users (cluster: TestCluster) =
    testCase "credentials of users are set, described and deleted" (fun () ->
        withAdmin ApiKey.AlterUserScramCredentials 0s cluster (fun admin ->
            let user = uniqueName ()
            let credential = ScramCredential.ofPassword ScramMechanism.ScramSha512 8192 "secret"
            admin.AlterScramUsers [ ScramChange.Upsert(user, credential) ] |> allDone

            awaiting "the user" (fun () ->
                match single (admin.DescribeScramUsers [ user ]) with
                | Ok found -> found = [ { Mechanism = ScramMechanism.ScramSha512; Iterations = 8192 } ]
                | Error _ -> false)

            Expect.contains (value (admin.ListScramUsers()) |> List.map fst) user "among all"
            let delete mechanism = single (admin.AlterScramUsers [ ScramChange.Delete(user, mechanism) ])
            refused ErrorCode.ResourceNotFound (delete ScramMechanism.ScramSha256)
            ok (delete ScramMechanism.ScramSha512)

            awaiting "its end" (fun () -> (single (admin.DescribeScramUsers [ user ])).IsError)
            refused ErrorCode.ResourceNotFound (single (admin.DescribeScramUsers [ user ]))))

let private tokens (cluster: TestCluster) =
    testCase "delegation tokens are for clients that are authenticated" (fun () ->
        withAdmin ApiKey.CreateDelegationToken 0s cluster (fun admin ->
            let wanted = { NewDelegationToken.standard with MaxLifetime = Some(TimeSpan.FromHours 1.0) }

            if not cluster.IsSecured then
                refused ErrorCode.DelegationTokenRequestNotAllowed (admin.CreateDelegationToken wanted).Result
                refused ErrorCode.DelegationTokenRequestNotAllowed (admin.DescribeDelegationTokens None).Result
            else
                let token = value (admin.CreateDelegationToken wanted)
                let isListed () =
                    value (admin.DescribeDelegationTokens(Some [ token.Owner ])) |> List.exists (fun one -> one.Id = token.Id)
                awaiting "the token" isListed
                let renewed = value (admin.RenewDelegationToken(token.Hmac, TimeSpan.FromMinutes 5.0))
                Expect.isLessThan renewed token.MaxExpires "renewed for a while"
                value (admin.ExpireDelegationToken token.Hmac) |> ignore
                awaiting "its end" (isListed >> not)

                // The controller may still have it when a broker no longer does.
                awaiting "the refusal to renew it" (fun () ->
                    match (admin.RenewDelegationToken token.Hmac).Result with
                    | Error(AdminFault.Refused(code, _)) -> code = ErrorCode.DelegationTokenNotFound
                    | _ -> false)))

let private acls (cluster: TestCluster) =
    testCase "a cluster without an authorizer has no ACLs" (fun () ->
        withAdmin ApiKey.DescribeAcls 0s cluster (fun admin ->
            let acl: CreateAcls.Acl =
                { ResourceType = AclResourceType.Topic
                  ResourceName = uniqueName ()
                  ResourcePatternType = AclPatternType.Literal
                  Principal = "User:alice"
                  Host = "*"
                  Operation = AclOperation.Read
                  PermissionType = AclPermission.Allow }

            match (admin.DescribeAcls AclFilter.any).Result with
            | Error(AdminFault.Refused(code, _)) when code = ErrorCode.SecurityDisabled ->
                refused ErrorCode.SecurityDisabled (single (admin.CreateAcls [ acl ]))
                refused ErrorCode.SecurityDisabled (single (admin.DeleteAcls [ AclFilter.any ]))
            | Ok _ -> skiptest "the cluster has an authorizer"
            | other -> failtestf "%O" other))

// ---- the cluster ----

let private features (cluster: TestCluster) =
    testCase "features are described, and changed together or not at all" (fun () ->
        withAdmin ApiKey.UpdateFeatures 1s cluster (fun admin ->
            let before = value (admin.DescribeFeatures())
            Expect.isNonEmpty before.Finalized "levels in force"

            for name, level in Map.toList before.Finalized do
                Expect.isTrue (before.Supported[name].Contains level) (name + " is supported")

            let unknown: FeatureLevel = { Feature = "no.such.feature"; Level = 1s; Direction = FeatureUpdateType.Upgrade }
            refused ErrorCode.InvalidUpdateVersion (single (admin.UpdateFeatures([ unknown ], patience)))
            refused ErrorCode.InvalidUpdateVersion (single (admin.UpdateFeatures([ unknown ], patience, validateOnly = true)))

            match before.Finalized.TryFind "transaction.version" with
            | Some level when level > 0s ->
                let lower: FeatureLevel =
                    { Feature = "transaction.version"; Level = level - 1s; Direction = FeatureUpdateType.SafeDowngrade }

                ok (single (admin.UpdateFeatures([ lower ], patience, validateOnly = true)))

                for _, result in (admin.UpdateFeatures([ lower; unknown ], patience)).Result do
                    refused ErrorCode.InvalidUpdateVersion result
            | _ -> ()

            Expect.equal (value (admin.DescribeFeatures())).Finalized before.Finalized "nothing has changed"))

let private quorum (cluster: TestCluster) =
    testCase "the quorum has a leader among its voters" (fun () ->
        withAdmin ApiKey.DescribeQuorum 0s cluster (fun admin ->
            let quorum = value (admin.DescribeQuorum())
            Expect.contains (quorum.Voters |> List.map _.ReplicaId) quorum.LeaderId "the leader"
            // The brokers inside the process do not change their quorum.
            if cluster.Name <> embedded.Name then
                let voter = { Id = 9999; DirectoryId = Guid.NewGuid() }
                let isRefused (answer: AdminAnswer<unit>) = Expect.isTrue answer.Error.IsError "there is no such node"
                isRefused (admin.RemoveQuorumVoter voter)
                isRefused (admin.UnregisterBroker 9999)
                Expect.equal (value (admin.DescribeQuorum())).Voters.Length quorum.Voters.Length "as before"))

let private clientMetrics (cluster: TestCluster) =
    testCase "a subscription to client metrics is set, listed, described and deleted" (fun () ->
        withAdmin ApiKey.ListConfigResources 0s cluster (fun admin ->
            let name = uniqueName ()
            let resource: ConfigResource = { Type = ConfigResourceType.ClientMetrics; Name = name }

            let alter operation value =
                let change: IncrementalAlterConfigs.Resource =
                    { ResourceType = resource.Type
                      ResourceName = name
                      Configs = [ { Name = "interval.ms"; ConfigOperation = operation; Value = value } ] }

                admin.AlterConfigs [ change ] |> allDone

            let isListed () = value (admin.ListConfigResources [ ConfigResourceType.ClientMetrics ]) |> List.contains resource
            alter AlterConfigOperation.Set (Some "10000")
            awaiting "the subscription" isListed

            let wanted: DescribeConfigs.Resource =
                { ResourceType = resource.Type; ResourceName = name; ConfigurationKeys = Some [ "interval.ms" ] }

            let described = ok (single (admin.DescribeConfigs [ wanted ]))
            Expect.equal (described |> List.map (fun config -> config.Name, config.Value)) [ "interval.ms", Some "10000" ] "the config"
            alter AlterConfigOperation.Delete None
            awaiting "its end" (isListed >> not)))

// ---- topics, configs, records and offsets ----

let private clusters =
    onEachAndEmbedded "admin" (fun cluster ->
        [ testCase "describes topics and the cluster, and finds offsets" (fun () ->
              cluster.WithTopic 3 (fun topic ->
                  use admin = new AdminClient(cluster.Settings(), cluster.Brokers)
                  let described = admin.DescribeTopics [ topic; "libkafka-test-none" ]

                  match described.Result with
                  | [ name, Ok found; _, Error(AdminFault.Refused(code, _)) ] ->
                      Expect.equal name topic "the topic"
                      Expect.equal (found.Partitions |> List.map _.PartitionIndex |> List.sort) [ 0; 1; 2 ] "its partitions"
                      Expect.equal code ErrorCode.UnknownTopicOrPartition "the other is not there"
                  | other -> failtestf "%A" other

                  match (admin.ListTopics()).Result with
                  | Ok topics -> Expect.contains (topics |> List.choose _.Name) topic "it is among all"
                  | Error fault -> failtestf "%O" fault

                  match (admin.DescribeCluster()).Result with
                  | Ok found -> Expect.isNonEmpty found.Brokers "brokers"
                  | Error fault -> failtestf "%O" fault

                  let wanted = [ for partition in 0..2 -> { Topic = topic; Partition = partition }, OffsetSpec.Latest ]
                  let offsets = (admin.ListOffsets wanted).Result |> List.map (snd >> ok >> _.Offset)
                  Expect.equal offsets [ 0L; 0L; 0L ] "the ends")) ])

/// What librdkafka's mock cluster does not support: on a real cluster only.
let private realOnly =
    testList
        "real cluster"
        [ for cluster in all do
              if not (isMock cluster) then
                  testCase ("makes, changes and deletes a topic and its records " + cluster.Name) (fun () ->
                      use admin = new AdminClient(cluster.Settings(), cluster.Brokers)
                      let name = "libkafka-test-" + Guid.NewGuid().ToString "N"
                      let topic = { Name = name; Partitions = 1; ReplicationFactor = 1s; Configs = [ "retention.ms", "600000" ] }
                      let partition = { Topic = name; Partition = 0 }
                      let all (reply: AdminReply<'Item, 'Value>) = reply.Result |> List.map (snd >> ok)
                      admin.CreateTopics([ topic ], ms 15_000) |> all |> ignore

                      try
                          awaiting "the topic" (fun () -> (admin.DescribeTopics [ name ]).Result |> List.forall (snd >> Result.isOk))
                          admin.CreatePartitions([ { Name = name; Count = 2; Assignments = None } ], ms 15_000) |> all |> ignore

                          let change: IncrementalAlterConfigs.Resource =
                              { ResourceType = ConfigResourceType.Topic
                                ResourceName = name
                                Configs = [ { Name = "retention.ms"; ConfigOperation = AlterConfigOperation.Set; Value = Some "700000" } ] }

                          let setting () =
                              admin.DescribeConfigs
                                  [ { ResourceType = ConfigResourceType.Topic
                                      ResourceName = name
                                      ConfigurationKeys = Some [ "retention.ms" ] } ]
                              |> all
                              |> List.concat
                              |> List.map _.Value

                          // Since Kafka 2.3.
                          if cluster.Supports(ApiKey.IncrementalAlterConfigs, 0s) then
                              admin.AlterConfigs [ change ] |> all |> ignore
                              awaiting "the setting" (fun () -> setting () = [ Some "700000" ])

                          use client = new PartitionClient(cluster.Settings(), cluster.Brokers, partition)
                          let producer = new PartitionProducer(client, ProducerSettings.standard)
                          acknowledged (producer.Produce(batch "r" 10)) |> ignore
                          Expect.equal (admin.DeleteRecords([ partition, 4L ], ms 15_000) |> all) [ 4L ] "the first that is left"
                      finally
                          admin.DeleteTopics([ name ], ms 15_000) |> all |> ignore) ]

[<Tests>]
let tests =
    testList
        "administration"
        [ clusters
          realOnly
          testList
              "of clusters"
              [ for cluster in all @ [ embedded ] do
                    if not (isMock cluster) then
                        testList
                            cluster.Name
                            [ for test in
                                  [ elections
                                    reassignments
                                    logDirs
                                    groupOffsets
                                    transactions
                                    fencing
                                    quotas
                                    users
                                    tokens
                                    acls
                                    features
                                    quorum
                                    clientMetrics ] -> test cluster ] ] ]
