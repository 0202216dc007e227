/// The newer administrative calls through the façade, on brokers inside the process.
module LibKafka.Integration.FacadeAdminCallTests

open System
open System.Collections.Generic
open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Testing

let private second = TimeSpan.FromSeconds 1.0

let private withThree (test: TestBroker -> AdminClient -> unit) =
    use kafka = TestBroker.Start 3
    kafka.Topic("t", 2)
    use admin = new AdminClient(KafkaClientOptions(kafka.Bootstrap, CallTimeout = 20.0 * second))
    test kafka admin
    Expect.isEmpty kafka.Failures "the broker failed"

let private at index = TopicPartition("t", index)

let private replicas =
    testCase "replicas: reassignments, elections and log directories" (fun () ->
        withThree (fun (kafka: TestBroker) admin ->
            let moves = [ NewReassignment(at 0, [| 2; 3 |]); NewReassignment(at 1, null) ]
            let moved = admin.AlterReassignments moves
            Expect.equal
                [ for one in moved -> one.Item, one.Error ]
                [ at 0, ErrorCode.None; at 1, ErrorCode.NoReassignmentInProgress ]
                "each"
            Expect.equal (admin.ListReassignments().ThrowIfError().Count) 0 "all are done"
            kafka.MoveLeader("t", 0, 3)
            let elected = admin.ElectLeaders(ElectionType.Preferred, [ at 0; at 1 ])
            Expect.equal [ for one in elected -> one.Error ] [ ErrorCode.None; ErrorCode.ElectionNotNeeded ] "one needs none"
            Expect.equal (admin.ElectAllLeaders(ElectionType.Preferred).ThrowIfError().Count) 0 "none needs one"
            let dirs = admin.DescribeLogDirs [ 2 ]
            let dir = dirs[0].ThrowIfError()[0]
            Expect.contains [ for replica in dir.Replicas -> replica.Partition ] (at 0) "its replica"
            let replica = TopicPartitionReplica(at 0, 2)
            let changed = admin.AlterReplicaLogDirs(dict [ replica, "/none" ])
            Expect.equal (changed[0].Item, changed[0].Error) (replica, ErrorCode.LogDirNotFound) "no such directory"
            Expect.equal (string replica) "t-0 on broker 2" "the text"))

let private offsets =
    testCase "offsets of groups, and transactions" (fun () ->
        withThree (fun _ admin ->
            admin.AlterGroupOffsets("g", dict [ at 0, CommittedOffset 3L; at 1, CommittedOffset 4L ]).ThrowIfError() |> ignore
            let listed = admin.ListGroupOffsets [ GroupPartitions "g"; GroupPartitions("h", [| at 1 |]) ]
            Expect.equal [ for one in listed[0].ThrowIfError() -> one.Partition, one.Offset.Value.Offset ] [ at 0, 3L; at 1, 4L ] "all"
            Expect.equal [ for one in listed[1].ThrowIfError() -> one.Partition, one.Offset.HasValue ] [ at 1, false ] "none"
            admin.DeleteGroupOffsets("g", [ at 0 ]).ThrowIfError() |> ignore
            let left = admin.ListGroupOffsets [ GroupPartitions "g" ]
            Expect.equal (left[0].ThrowIfError().Count) 1 "deleted"
            Expect.equal [ for one in admin.ListTransactions() -> one.ThrowIfError().Transactions.Count ] [ 0; 0; 0 ] "of each broker"
            let described = admin.DescribeTransactions [ "tx" ]
            Expect.equal described[0].Error ErrorCode.TransactionalIdNotFound "no such id"
            let fenced = admin.FenceProducers [ "tx" ]
            Expect.isTrue (fenced[0].ThrowIfError().ProducerId >= 0L) "an identity of the cluster"
            let again = admin.FenceProducers [ "tx" ]
            Expect.equal (again[0].ThrowIfError().ProducerEpoch) 1s "the next epoch"
            let producers = admin.DescribeProducers [ at 0 ]
            Expect.equal (producers[0].ThrowIfError().Count) 0 "no producers"
            let hanging = HangingTransaction(at 0, 7L, 0s, 0)
            Expect.equal [ for one in admin.AbortTransactions [ hanging ] -> one.Item ] [ hanging ] "the item"
            Expect.isNull (HangingTransaction.Of(at 0, PartitionProducerState(ProducerId = 7L))) "no open transaction"
            let open' = PartitionProducerState(ProducerId = 7L, ProducerEpoch = 2, TransactionStartOffset = Nullable 5L)
            Expect.equal (HangingTransaction.Of(at 0, open')) (HangingTransaction(at 0, 7L, 2s, 0)) "an open one"))

let private users =
    testCase "quotas, users and tokens" (fun () ->
        use kafka = TestBroker.Start(TestBrokerOptions(Users = [ KeyValuePair("alice", "alice-secret") ]))
        let using mechanism = new AdminClient(KafkaClientOptions(kafka.Bootstrap, CallTimeout = 20.0 * second, Sasl = mechanism))
        use admin = using (SaslMechanism.ScramSha256("alice", "alice-secret"))

        let alice = ClientQuotaEntity.User "alice"
        let anyone = ClientQuotaEntity.UserAndClientId(null, "c")

        let changes =
            [ ClientQuotaChange(alice, QuotaKeys.ProducerByteRate, Nullable 1000.0)
              ClientQuotaChange(anyone, QuotaKeys.ConsumerByteRate, Nullable 2000.0)
              ClientQuotaChange(alice, QuotaKeys.ConsumerByteRate, Nullable 3000.0) ]

        Expect.equal
            [ for one in admin.AlterClientQuotas changes -> one.Item, one.Error ]
            [ alice, ErrorCode.None; anyone, ErrorCode.None ]
            "each entity"
        Expect.equal (admin.DescribeClientQuotas().ThrowIfError().Count) 2 "all"
        let found = admin.DescribeClientQuotas(ClientQuotaFilter.Exactly alice).ThrowIfError()
        Expect.equal (found.Count, found[0].Entity, found[0].Values[QuotaKeys.ConsumerByteRate]) (1, alice, 3000.0) "one"
        Expect.equal (string anyone) "user <default>, client-id c" "the text"
        let removed = ClientQuotaChange(anyone, QuotaKeys.ConsumerByteRate, Nullable())
        admin.AlterClientQuotas([ removed ]).ThrowIfError() |> ignore
        Expect.equal (admin.DescribeClientQuotas().ThrowIfError().Count) 1 "removed"

        let credential = ScramCredential.OfPassword(ScramMechanism.ScramSha512, "bob-secret")
        admin.AlterScramUsers([ ScramChange.Upsert("bob", credential) ]).ThrowIfError() |> ignore
        let described = admin.DescribeScramUsers [ "bob"; "none" ]
        Expect.equal described[1].Error ErrorCode.ResourceNotFound "no such user"
        Expect.equal (List.ofSeq (described[0].ThrowIfError())) [ ScramCredentialInfo(ScramMechanism.ScramSha512, 4096) ] "the credential"
        Expect.equal (List.sort [ for user in admin.ListScramUsers() -> user.Item ]) [ "alice"; "bob" ] "all"
        use bob = using (SaslMechanism.ScramSha512("bob", "bob-secret"))
        bob.ListTopics().ThrowIfError() |> ignore

        let token = admin.CreateDelegationToken(NewDelegationToken(Renewers = [| KafkaPrincipal.User "bob" |])).ThrowIfError()
        Expect.equal
            (token.Owner, string token)
            (KafkaPrincipal.User "alice", "delegation token " + token.Id + " of User:alice")
            "the owner"
        use byToken = using (SaslMechanism.TokenScramSha256(token.Id, token.Password))
        byToken.ListTopics().ThrowIfError() |> ignore
        let renewed = bob.RenewDelegationToken(token.Hmac, Nullable(60.0 * second)).ThrowIfError()
        Expect.isLessThan renewed token.MaxExpires "sooner"
        let tokens = admin.DescribeDelegationTokens([ KafkaPrincipal.User "alice" ]).ThrowIfError()
        Expect.equal [ for one in tokens -> one.Id, List.ofSeq one.Renewers ] [ token.Id, [ KafkaPrincipal.User "bob" ] ] "the token"
        admin.ExpireDelegationToken(token.Hmac).ThrowIfError() |> ignore
        Expect.equal (admin.DescribeDelegationTokens().ThrowIfError().Count) 0 "deleted"
        Expect.equal (bob.RenewDelegationToken token.Hmac).Error ErrorCode.DelegationTokenNotFound "gone"
        Expect.isEmpty kafka.Failures "the broker failed")

let private cluster =
    testCase "features, the quorum and config resources" (fun () ->
        withThree (fun _ admin ->
            let features = admin.DescribeFeatures().ThrowIfError()
            Expect.equal
                (features.Finalized["transaction.version"], features.Supported["transaction.version"])
                (2s, ApiVersionRange(0s, 2s))
                "levels"
            let updated = admin.UpdateFeatures [ FeatureLevel("transaction.version", 1s) ]
            Expect.equal updated[0].Error ErrorCode.InvalidUpdateVersion "not upward"
            let level = FeatureLevel("transaction.version", 1s, FeatureUpdateType.SafeDowngrade)
            admin.UpdateFeatures([ level ]).ThrowIfError() |> ignore
            Expect.equal (admin.DescribeFeatures().ThrowIfError().Finalized["transaction.version"]) 1s "changed"
            let quorum = admin.DescribeQuorum().ThrowIfError()
            Expect.equal
                [ for voter in quorum.Voters -> voter.NodeId, voter.Listeners[0].Name ]
                [ for id in 1..3 -> id, "CONTROLLER" ]
                "voters"
            let topics = admin.ListConfigResources([ ConfigResourceType.Topic ]).ThrowIfError()
            Expect.equal (List.ofSeq topics) [ ConfigResource.Topic "t" ] "topics"
            // The brokers inside the process do not know these.
            let voter = QuorumVoter(4, Guid.NewGuid())
            Expect.isFalse (admin.AddQuorumVoter(voter, [ QuorumListener("CONTROLLER", "four", 9093us) ])).IsSuccess "not added"
            Expect.isFalse (admin.RemoveQuorumVoter voter).IsSuccess "not removed"
            Expect.isFalse (admin.UnregisterBroker 9).IsSuccess "not removed"))

[<Tests>]
let tests = testList "façade, administrative calls" [ replicas; offsets; users; cluster ]
