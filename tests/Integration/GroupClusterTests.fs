/// Clients of groups on clusters, also together with members of Confluent.Kafka.
module LibKafka.Integration.GroupClusterTests

open System
open System.Diagnostics
open System.Threading
open Confluent.Kafka
open FSharp.Core
open Expecto
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Client
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support
open LibKafka.Integration.GroupSupport

/// Waits until a group has a coordinator: a cluster creates its internal topic for groups on first use.
let private ready (client: GroupClient) (topic: string) =
    awaiting "the group's coordinator" (fun () -> (client.FetchOffset(at topic 0)).Result.IsOk)

/// One of our members, in a thread of its own. It joins when it must, and records its assignment.
type private OurMember(cluster: TestCluster, topic: string, groupId: string, assignor: Assignor) =
    let gate = obj ()
    let mutable held: Set<int> = Set.empty
    let mutable membership: GroupMembership option = None
    let mutable failure: string option = None
    let mutable stopping = false

    let note (part: Set<int>) (place: GroupMembership option) =
        lock gate (fun () ->
            held <- part
            membership <- place)

    let isStopping () = lock gate (fun () -> stopping)

    let setOf (parts: ConsumerTopicPartitions list) = parts |> List.collect _.Partitions |> Set.ofList

    let rec stay (client: GroupClient) (place: GroupMembership) =
        if isStopping () then
            client.Leave place |> ignore
            false
        else
            Thread.Sleep 50
            let code = (ok (codeOf (client.Heartbeat place).Result))
            if code.IsError then true else stay client place

    let rec join (client: GroupClient) (memberId: string) (previous: ConsumerTopicPartitions list) (generation: int) =
        if not assignor.IsCooperative then note Set.empty None

        let protocols = Assignor.protocols [ assignor ] [ topic ] previous generation None |> ok

        let joined =
            client.Join(memberId, { JoinSettings.consumer protocols with SessionTimeout = cluster.Session; RebalanceTimeout = ms 20_000 })

        // The mock cluster's error responses cannot be read.
        let code =
            match joined.Result with
            | Error(CallFailure.Fault(ClientFault.Malformed _)) when isMock cluster -> ErrorCode.RebalanceInProgress
            | result -> ok (codeOf result)

        match joined.Membership with
        | None when isStopping () -> ()
        | None ->
            // Joins as new if the group no longer knows the member, and else tries again.
            Thread.Sleep 50
            join client (if code = ErrorCode.UnknownMemberId then "" else memberId) previous generation
        | Some place ->
            let answer = ok joined.Result

            let assignments =
                if joined.IsLeader then
                    let wanted = Assignor.subscribers answer.Members |> Assignor.topicsOf
                    use connection = Cluster.Connect(cluster.Settings(), cluster.Brokers) |> ok
                    let topics = (ok (Cluster.Metadata(connection, Some wanted)).Result).Topics
                    Assignor.assignments [ assignor ] (Assignor.partitionCounts topics) answer |> ok
                else
                    []

            match (client.Sync(place, ConsumerProtocol.Type, answer.ProtocolName, assignments)).Result with
            | Error(CallFailure.Code _) -> join client place.MemberId previous generation
            | Error(CallFailure.Fault(ClientFault.Malformed _)) when isMock cluster -> join client place.MemberId previous generation
            | Error failure -> failtestf "no answer to SyncGroup: %O" failure
            | Ok synced ->
                let given = (ConsumerProtocol.decodeAssignment synced.Assignment |> ok).AssignedPartitions
                note (setOf given) (Some place)
                let revoked = Set.difference (setOf previous) (setOf given)

                if assignor.IsCooperative && not revoked.IsEmpty then
                    join client place.MemberId given place.GenerationOrEpoch
                elif stay client place then
                    join client place.MemberId given place.GenerationOrEpoch

    let thread =
        Thread(
            (fun () ->
                try
                    use client = new GroupClient(cluster.Settings(), cluster.Brokers, groupId)
                    join client "" [] -1
                with error ->
                    lock gate (fun () -> failure <- Some error.Message)),
            IsBackground = true
        )

    do thread.Start()

    /// Its assignment; a member that failed fails the test.
    member _.Held =
        lock gate (fun () ->
            match failure with
            | Some reason -> failtestf "a member of ours failed: %s" reason
            | None -> held)

    member _.Membership = lock gate (fun () -> membership)

    /// Makes it leave, and waits for that.
    member _.Stop() =
        lock gate (fun () -> stopping <- true)
        if not (thread.Join(ms 60_000)) then failtest "one of our members does not stop"

    interface IDisposable with
        member this.Dispose() = this.Stop()

/// Waits until all partitions are divided among the members, with these counts.
let private awaitShares (partitions: int) (counts: int list) (held: unit -> Set<int> list) =
    let patience = Stopwatch.StartNew()

    let isShared (sets: Set<int> list) =
        (sets |> List.map Set.count |> List.sort) = List.sort counts && Set.unionMany sets = Set.ofList [ 0 .. partitions - 1 ]

    let mutable now = held ()

    while not (isShared now) do
        if patience.Elapsed > ms 90_000 then
            failtestf "the shares %A were not reached: %A" counts now

        Thread.Sleep 50
        now <- held ()

let private among (strategy: PartitionAssignmentStrategy) (assignor: Assignor) (cluster: TestCluster) =
    testCase ("two of our members and one of Confluent.Kafka's divide partitions by " + assignor.Name) (fun () ->
        cluster.WithTopic 6 (fun topic ->
            let groupId = "libkafka-test-" + Guid.NewGuid().ToString "N"
            use client = new GroupClient(cluster.Settings(), cluster.Brokers, groupId)
            ready client topic
            use first = new OurMember(cluster, topic, groupId, assignor)
            use second = new OurMember(cluster, topic, groupId, assignor)
            awaitShares 6 [ 3; 3 ] (fun () -> [ first.Held; second.Held ])

            let config =
                ConsumerConfig(
                    BootstrapServers = cluster.Bootstrap(),
                    GroupId = groupId,
                    EnableAutoCommit = false,
                    AutoOffsetReset = AutoOffsetReset.Earliest,
                    PartitionAssignmentStrategy = strategy,
                    SessionTimeoutMs = int cluster.Session.TotalMilliseconds,
                    HeartbeatIntervalMs = 200
                )

            let theirs =
                let consumer = ConsumerBuilder<byte[], byte[]>(config).Build()
                consumer.Subscribe topic
                consumer

            // Its callbacks and heartbeats run in the poll.
            let theirShare () =
                theirs.Consume(ms 20) |> ignore
                theirs.Assignment |> Seq.map _.Partition.Value |> Set.ofSeq

            try
                awaitShares 6 [ 2; 2; 2 ] (fun () -> [ first.Held; second.Held; theirShare () ])

                // Each side reads the offsets that the other commits. On a slow machine a rebalance may happen in between.
                let mine = Seq.head first.Held

                awaiting "our commit" (fun () ->
                    theirShare () |> ignore

                    match first.Membership with
                    | None -> false
                    | Some place ->
                        let commit = client.CommitOffset(place, at topic mine, committed 3L -1 "ours")
                        ok (codeOf commit.Result) = ErrorCode.None)

                let partition = Confluent.Kafka.TopicPartition(topic, Partition mine)
                let read = theirs.Committed([ partition ], ms 20_000) |> Seq.exactlyOne
                Expect.equal read.Offset.Value 3L "they read it"

                let mutable theirOwn = -1

                awaiting "their commit" (fun () ->
                    match Seq.tryHead (theirShare ()) with
                    | None -> false
                    | Some own ->
                        try
                            theirs.Commit [ TopicPartitionOffset(topic, Partition own, Offset 5L) ]
                            theirOwn <- own
                            true
                        with :? KafkaException ->
                            false)

                let fetched = ok (client.FetchOffset(at topic theirOwn)).Result
                Expect.equal (fetched |> Option.map _.Offset) (Some 5L) "they commit, we read"

                theirs.Close()
                awaitShares 6 [ 3; 3 ] (fun () -> [ first.Held; second.Held ])
                second.Stop()
                awaitShares 6 [ 6 ] (fun () -> [ first.Held ])
            finally
                theirs.Dispose()))

let private partitions (client: ConsumerGroupClient) = client.Assignment |> List.collect _.Partitions |> List.sort

/// One heartbeat of a member of the new protocol. It gives up partitions that are no longer assigned, and takes over new ones.
let private beat (client: ConsumerGroupClient) =
    Expect.equal (startedCode (fun () -> codeOf (client.Heartbeat()).Result)) ErrorCode.None "alive"
    client.Owned <- client.Assignment

let private clusters =
    onEachAndEmbedded "groups" (fun cluster ->
        [ if not cluster.IsSecured then
              among PartitionAssignmentStrategy.CooperativeSticky Assignors.cooperativeSticky cluster

              // The rebalances of the mock cluster take seconds.
              if not (isMock cluster) then
                  among PartitionAssignmentStrategy.Range Assignors.range cluster
                  among PartitionAssignmentStrategy.RoundRobin Assignors.roundRobin cluster

          testCase "offsets are committed and fetched, one, many and all" (fun () ->
              cluster.WithTopic 3 (fun topic ->
                  use client = new GroupClient(cluster.Settings(), cluster.Brokers, "libkafka-test-" + Guid.NewGuid().ToString "N")
                  let nobody = GroupMembership.none
                  ready client topic
                  Expect.equal (ok (client.FetchOffset(at topic 0)).Result) None "nothing yet"
                  let commit () = (client.CommitOffset(nobody, at topic 0, CommittedOffset.at 7L)).Result |> codeOf
                  Expect.equal (startedCode commit) ErrorCode.None "one"

                  let many = [ at topic 2, CommittedOffset.at 9L; at topic 1, CommittedOffset.at 8L ]
                  Expect.equal (client.CommitOffsets(nobody, many)).Result (Ok()) "many"

                  let offsetsOf (fetched: FetchedOffset list) =
                      [ for one in fetched -> one.Partition.Partition, one.Result |> Result.map (Option.map _.Offset) ]

                  let fetched = client.FetchOffsets(nobody, [ at topic 1; at topic 0 ], false)
                  Expect.equal (offsetsOf (ok fetched.Result)) [ 1, Ok(Some 8L); 0, Ok(Some 7L) ] "some of them"

                  if not (isMock cluster) then
                      let all = client.FetchAllOffsets(nobody, false)
                      let expected = [ 0, Ok(Some 7L); 1, Ok(Some 8L); 2, Ok(Some 9L) ]
                      Expect.equal (ok all.Result |> offsetsOf |> List.sortBy fst) expected "all"))

          testCase "a member that the group does not know gets the error code" (fun () ->
              use client = new GroupClient(cluster.Settings(), cluster.Brokers, "libkafka-test-" + Guid.NewGuid().ToString "N")
              let heartbeat () = codeOf (client.Heartbeat(member' "nobody")).Result
              let expected = if isMock cluster then ErrorCode.GroupIdNotFound else ErrorCode.UnknownMemberId
              Expect.equal (startedCode heartbeat) expected "the code")

          testCase "members of the new protocol get all partitions together" (fun () ->
              cluster.Requires(ApiKey.ConsumerGroupHeartbeat, 0s)

              cluster.WithTopic 4 (fun topic ->
                  let groupId = "libkafka-test-" + Guid.NewGuid().ToString "N"
                  let subscription = ConsumerGroupSubscription.topics [ topic ]
                  use first = new ConsumerGroupClient(cluster.Settings(), cluster.Brokers, groupId, subscription)
                  use second = new ConsumerGroupClient(cluster.Settings(), cluster.Brokers, groupId, subscription)

                  awaiting "the first to have everything" (fun () ->
                      beat first
                      partitions first = [ 0; 1; 2; 3 ])

                  awaiting "both to have their half" (fun () ->
                      beat first
                      beat second
                      (partitions first).Length = 2 && List.sort (partitions first @ partitions second) = [ 0; 1; 2; 3 ])

                  Expect.equal (ok (codeOf (second.Leave()).Result)) ErrorCode.None "one leaves"

                  awaiting "the first to have everything again" (fun () ->
                      beat first
                      partitions first = [ 0; 1; 2; 3 ])))

          if not (isMock cluster) then
              testCase "a static member of the new protocol comes back to its partitions, and commits in its epoch only" (fun () ->
                  cluster.Requires(ApiKey.ConsumerGroupHeartbeat, 0s)

                  cluster.WithTopic 2 (fun topic ->
                      let groupId = "libkafka-test-" + Guid.NewGuid().ToString "N"
                      let subscription = { ConsumerGroupSubscription.topics [ topic ] with InstanceId = Some "static" }
                      let memberOf () = new ConsumerGroupClient(cluster.Settings(), cluster.Brokers, groupId, subscription)

                      let awaitAssignment (client: ConsumerGroupClient) =
                          awaiting "the partitions" (fun () ->
                              beat client
                              partitions client = [ 0; 1 ])

                      use before = memberOf ()
                      awaitAssignment before
                      let place = before.Membership
                      let commit place = (before.Group.CommitOffset(place, at topic 0, CommittedOffset.at 5L)).Result |> codeOf |> ok
                      Expect.equal (commit place) ErrorCode.None "in its epoch"
                      let later = { place with GenerationOrEpoch = place.GenerationOrEpoch + 1 }
                      Expect.equal (commit later) ErrorCode.StaleMemberEpoch "in another"
                      let fetched = ok (before.Group.FetchOffset(at topic 0)).Result
                      Expect.equal (fetched |> Option.map _.Offset) (Some 5L) "the offset"
                      Expect.equal (ok (codeOf (before.LeaveTemporarily()).Result)) ErrorCode.None "it leaves for a while"

                      use after = memberOf ()
                      awaitAssignment after
                      Expect.equal (commit place) ErrorCode.UnknownMemberId "its predecessor is replaced"
                      Expect.equal (ok (codeOf (after.Leave()).Result)) ErrorCode.None "it leaves")) ])

let private moves =
    testCase "a coordinator that moves is found again, and offsets are unchanged" (fun () ->
        withMock 3 (fun cluster ->
            cluster.CreateTopic("t", 1, 3)
            cluster.SetCoordinator("group", "g", 1)
            use client = new GroupClient(patient, Bootstrap.parse cluster.Bootstrap |> ok, "g")
            let commit = client.CommitOffset(GroupMembership.none, at "t" 0, CommittedOffset.at 7L)
            Expect.equal commit.Result (Ok()) "committed"
            Expect.equal (client.Coordinator.Coordinator |> Option.map _.NodeId) (Some 1) "at the first"
            cluster.SetCoordinator("group", "g", 2)
            let heartbeat () = (ok (codeOf (client.Heartbeat(member' "m")).Result))
            Expect.equal (heartbeat ()) ErrorCode.NotCoordinator "the first is it no more"
            Expect.isNone client.Coordinator.Connection "so the connection is closed"
            Expect.equal (heartbeat ()) ErrorCode.GroupIdNotFound "the second is it, and knows of no members"
            Expect.equal (client.Coordinator.Coordinator |> Option.map _.NodeId) (Some 2) "and was found"
            let offset () = ok (client.FetchOffset(at "t" 0)).Result |> Option.map _.Offset
            Expect.equal (offset ()) (Some 7L) "the offset"

            // The successor of a coordinator that dies is found too.
            cluster.SetBrokerDown 2
            Expect.isError (client.FetchOffset(at "t" 0)).Result "it is gone"
            cluster.SetCoordinator("group", "g", 3)
            Expect.equal (offset ()) (Some 7L) "the third has it"))

[<Tests>]
let tests = testList "group" [ clusters; moves ]
