/// Members that lose their partitions and get them again, and what they commit meanwhile.
module LibKafka.Integration.GroupLossTests

open System
open System.Collections.Concurrent
open System.Threading
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Integration.Clusters
open LibKafka.Integration.Replay
open LibKafka.Integration.Support
open LibKafka.Integration.TopicConsumerSupport

let private topicId = Guid "11111111-2222-3333-4444-555555555555"

/// What the coordinator says to the next heartbeat.
type private Say =
    | Fenced
    /// The member is to have these partitions.
    | Assign of int list

/// A coordinator of the new protocol with one member, to which it gives partition 0 when it joins.
[<Sealed>]
type private Coordinator(cluster: ConsumerCluster) =
    let says = ConcurrentQueue<Say>()
    let commits = ConcurrentQueue<int64>()
    let mutable epoch = 0

    let beat (request: ConsumerGroupHeartbeat.Request) : ConsumerGroupHeartbeat.Response =
        let assign (partitions: int list) =
            epoch <- epoch + 1

            { ConsumerGroupHeartbeat.response.Default with
                MemberId = Some request.MemberId
                MemberEpoch = epoch
                HeartbeatIntervalMs = 20
                Assignment = Some { TopicPartitions = [ { TopicId = topicId; Partitions = partitions } ] } }

        match request.MemberEpoch with
        | 0 -> assign [ 0 ]
        | received ->
            match says.TryDequeue() with
            | true, Fenced -> { ConsumerGroupHeartbeat.response.Default with Error = ErrorCode.FencedMemberEpoch }
            | true, Assign partitions -> assign partitions
            | false, _ ->
                { ConsumerGroupHeartbeat.response.Default with
                    MemberId = Some request.MemberId
                    MemberEpoch = received
                    HeartbeatIntervalMs = 20 }

    let commit (request: OffsetCommit.Request) : OffsetCommit.Response =
        let answer (topic: OffsetCommit.TopicRequest) : OffsetCommit.TopicResponse =
            { Name = topic.Name
              TopicId = topic.TopicId
              Partitions =
                [ for one in topic.Partitions do
                      commits.Enqueue one.CommittedOffset
                      { PartitionIndex = one.PartitionIndex; Error = ErrorCode.None } ] }

        { ThrottleTimeMs = 0; Topics = List.map answer request.Topics }

    // While offsets are unstable, a partition that the member has got is not read yet.
    let offsets (isStable: bool) (request: OffsetFetch.Request) : OffsetFetch.Response =
        let found (index: int) : OffsetFetch.PartitionResponse =
            { OffsetFetch.partitionResponse.Default with
                PartitionIndex = index
                CommittedOffset = -1L
                Error = if isStable then ErrorCode.None else ErrorCode.UnstableOffsetCommit }

        let group (asked: OffsetFetch.GroupRequest) : OffsetFetch.GroupResponse =
            { OffsetFetch.groupResponse.Default with
                GroupId = asked.GroupId
                Topics =
                    [ for topic in Option.defaultValue [] asked.Topics ->
                          { Name = topic.Name; TopicId = topic.TopicId; Partitions = List.map found topic.PartitionIndexes } ] }

        { OffsetFetch.response.Default with Groups = List.map group request.Groups }

    let mutable isStable = true

    let answer (_: BrokerAddress) (received: Received) : Act list =
        match received.Request with
        | Request.FindCoordinator request -> coordinating cluster.Brokers[0].Address received request
        | Request.ConsumerGroupHeartbeat request -> Script.answer ConsumerGroupHeartbeat.api received (beat request)
        | Request.OffsetCommit request -> Script.answer OffsetCommit.api received (commit request)
        | Request.OffsetFetch request -> Script.answer OffsetFetch.api received (offsets (Volatile.Read &isStable) request)
        | _ -> Script.unexpected received

    do
        cluster.AnswerOthers(
            [ Script.versions ApiKey.ConsumerGroupHeartbeat 1 1
              Script.versions ApiKey.OffsetCommit 9 9
              Script.versions ApiKey.OffsetFetch 9 9 ],
            answer
        )

    member _.Say(what: Say) = says.Enqueue what

    member _.IsStable
        with set (value: bool) = Volatile.Write(&isStable, value)

    /// The offsets that were committed.
    member _.Commits = List.ofSeq commits

/// A member that has read two records of partition 0, and committed nothing.
let private reading (hasThread: bool) (interval: TimeSpan option) (test: ConsumerCluster -> Coordinator -> GroupConsumer -> unit) =
    use cluster = new ConsumerCluster(1, topicId)
    let coordinator = Coordinator cluster
    cluster.Append(0, 2)

    let group =
        { GroupSettings.make "g" [ "t" ] with
            Protocol = GroupProtocol.Consumer None
            SessionTimeout = ms 30_000
            HeartbeatThread = hasThread
            CommitInterval = interval }

    use consumer = new GroupConsumer(patient, cluster.Bootstrap, group, settingsOf 20)
    let isRead (event: GroupEvent) = event.IsRead
    awaiting "the records" (fun () -> consumer.Poll(ms 100) |> Option.exists isRead)
    test cluster coordinator consumer

let private first: TopicPartition = { Topic = "t"; Partition = 0 }

let private outcomes (commit: GroupCommit) = commit.Partitions |> List.map (fun one -> one.Partition, one.Outcome)

// The heartbeat thread sees that the member is fenced, and joins again.
let private isBack (consumer: GroupConsumer) (epoch: int) () =
    Thread.Sleep 20
    consumer.Membership.GenerationOrEpoch > epoch && consumer.Partitions = [ first ]

let private pollFor (consumer: GroupConsumer) (what: string) (choose: GroupEvent -> 'T option) : 'T =
    let mutable found = None

    awaiting what (fun () ->
        found <- consumer.Poll(ms 50) |> Option.bind choose
        found.IsSome)

    found.Value

let private committed (event: GroupEvent) =
    match event with
    | GroupEvent.Committed commit -> Some(outcomes commit)
    | _ -> None

let private unstable (event: GroupEvent) =
    match event with
    | GroupEvent.CallFailed failure when failure.Api = ApiKey.OffsetFetch && failure.Attempt > 1 -> Some failure
    | _ -> None

[<Tests>]
let tests =
    testList
        "members that lose partitions"
        [ testCase "a position from before a loss is not committed after the member has the partition again" (fun () ->
              reading false None (fun _ coordinator consumer ->
                  coordinator.IsStable <- false
                  coordinator.Say Fenced
                  let isLost (event: GroupEvent) = event.IsLost
                  awaiting "the loss" (fun () -> consumer.Poll(ms 50) |> Option.exists isLost)

                  // The member has the partition, and does not know yet where to read it.
                  let failure = pollFor consumer "the committed offset" unstable
                  Expect.equal failure.Failure (CallFailure.Code ErrorCode.UnstableOffsetCommit) "it is reported why nothing is read"
                  Expect.equal consumer.Partitions [ first ] "the partition"
                  Expect.equal (outcomes (consumer.Commit())) [] "nothing of it has been read"
                  coordinator.IsStable <- true
                  let isAssigned (event: GroupEvent) = event.IsAssigned
                  awaiting "the assignment" (fun () -> consumer.Poll(ms 50) |> Option.exists isAssigned)
                  Expect.equal coordinator.Commits [] "no commit"))

          testCase "a position from before a revocation is not committed after the member has the partition again" (fun () ->
              reading false None (fun _ coordinator consumer ->
                  coordinator.Say(Assign [])

                  awaiting "the end of the revocation" (fun () ->
                      consumer.Poll(ms 50) |> ignore
                      consumer.Partitions.IsEmpty)

                  coordinator.IsStable <- false
                  coordinator.Say(Assign [ 0 ])
                  pollFor consumer "the committed offset" unstable |> ignore
                  Expect.equal consumer.Partitions [ first ] "the partition"
                  Expect.equal (outcomes (consumer.Commit())) [] "nothing of it has been read"
                  Expect.equal coordinator.Commits [] "no commit"))

          testCase
              "while an event is handled, a loss that only the heartbeat thread has noticed keeps positions from being committed"
              (fun () ->
                  reading true None (fun _ coordinator consumer ->
                      let epoch = consumer.Membership.GenerationOrEpoch
                      coordinator.Say Fenced
                      awaiting "the new epoch" (isBack consumer epoch)
                      Expect.equal (outcomes (consumer.Commit())) [ first, CommitOutcome.NotAssigned ] "what was handled"
                      let given = consumer.Commit [ first, CommittedOffset.at 1L ]
                      Expect.equal (outcomes given) [ first, CommitOutcome.NotAssigned ] "a given position"
                      Expect.throwsT<ArgumentException> (fun () -> consumer.Seek(first, Start.earliest)) "it cannot be sought either"
                      consumer.BeginCommit()

                      let lost (event: GroupEvent) =
                          match event with
                          | GroupEvent.Lost(partitions, _) -> Some partitions
                          | other -> failtestf "%O" other

                      Expect.equal (pollFor consumer "the loss" lost) [ first ] "the next event"
                      Expect.equal coordinator.Commits [] "no commit"))

          testCase "a member that loses partitions while it gives them up reports that their positions are not committed" (fun () ->
              reading true (Some(TimeSpan.FromHours 1.0)) (fun _ coordinator consumer ->
                  coordinator.Say(Assign [])

                  let revoking (event: GroupEvent) =
                      match event with
                      | GroupEvent.Revoking partitions -> Some partitions
                      | _ -> None

                  Expect.equal (pollFor consumer "the revocation" revoking) [ first ] "the partition"
                  Expect.throwsT<ArgumentException> (fun () -> consumer.Seek(first, Start.earliest)) "it is given up in the next poll"
                  let epoch = consumer.Membership.GenerationOrEpoch
                  coordinator.Say Fenced
                  awaiting "the new epoch" (isBack consumer epoch)
                  Expect.isNonEmpty consumer.Losses "a transaction must not be committed with the new epoch"
                  Expect.equal (outcomes (consumer.Commit())) [ first, CommitOutcome.NotAssigned ] "a commit by the user"
                  Expect.equal (pollFor consumer "the commit" committed) [ first, CommitOutcome.NotAssigned ] "the commit of the poll"
                  Expect.equal coordinator.Commits [] "no commit"))

          testCase "a commit that was begun while partitions are revoked is answered before they are given up" (fun () ->
              reading false None (fun _ coordinator consumer ->
                  coordinator.Say(Assign [])

                  let isRevoking (event: GroupEvent) = event.IsRevoking
                  awaiting "the revocation" (fun () -> consumer.Poll(ms 50) |> Option.exists isRevoking)
                  consumer.BeginCommit()
                  Expect.equal (pollFor consumer "the commit" committed) [ first, CommitOutcome.Stored ] "it is stored"
                  Expect.equal consumer.Partitions [] "given up"
                  Expect.equal coordinator.Commits [ 2L ] "the offset")) ]
