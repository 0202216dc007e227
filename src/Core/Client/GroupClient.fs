namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups

/// A member's place in its group, with which it is known to the coordinator.
type GroupMembership =
    {
        MemberId: string
        /// In a classic group the generation that the member joined, in a group of the new protocol the member's epoch (KIP-848).
        GenerationOrEpoch: int32
        /// The name of a static member (KIP-345); none for a dynamic one.
        GroupInstanceId: string option
    }

[<RequireQualifiedAccess>]
module GroupMembership =

    /// That of a client which is not a member. It may commit offsets while the group has no members.
    let none = { MemberId = ""; GenerationOrEpoch = -1; GroupInstanceId = None }

/// How a member joins a classic group.
type JoinSettings =
    {
        /// The coordinator takes the member for dead when it is silent this long. The broker has bounds for it.
        SessionTimeout: TimeSpan
        /// How long the coordinator waits for members to join again. A join may take that long, and is given 5 seconds more, whatever the
        /// client's time for a call.
        RebalanceTimeout: TimeSpan
        /// The name of a static member (KIP-345), which keeps its place when it comes back; none for a dynamic one.
        GroupInstanceId: string option
        /// `consumer` for consumers.
        ProtocolType: string
        /// What the member knows, the best first. For consumers `Assignor.protocols` makes them.
        Protocols: JoinGroup.Protocol list
        /// Why the member joins, for the broker's log (KIP-800).
        Reason: string option
    }

[<RequireQualifiedAccess>]
module JoinSettings =

    /// A dynamic consumer that knows these protocols, with 45 seconds for the session and 60 for a rebalance.
    let consumer (protocols: JoinGroup.Protocol list) =
        { SessionTimeout = TimeSpan.FromSeconds 45.0
          RebalanceTimeout = TimeSpan.FromSeconds 60.0
          GroupInstanceId = None
          ProtocolType = ConsumerProtocol.Type
          Protocols = protocols
          Reason = None }

/// What came of joining a group. An error code is part of the answer.
type Joined =
    {
        /// The only round, or the second of two.
        Exchange: Exchange<JoinGroup.Request, JoinGroup.Response>
        /// Where the member was told its id first (KIP-394): the round in which it was.
        FirstRound: Exchange<JoinGroup.Request, JoinGroup.Response> option
    }

    /// The answer, or why there is none.
    member this.Result: Result<JoinGroup.Response, ClientFault> = this.Exchange.Outcome

    /// The member's place in the group; none where it has not joined.
    member this.Membership: GroupMembership option =
        match this.Exchange.Outcome with
        | Ok response when not response.Error.IsError ->
            Some
                { MemberId = response.MemberId
                  GenerationOrEpoch = response.GenerationId
                  GroupInstanceId = this.Exchange.Request.GroupInstanceId }
        | _ -> None

    /// Whether the member has joined and is to share out the work.
    member this.IsLeader =
        match this.Exchange.Outcome with
        | Ok response -> not response.Error.IsError && response.Leader = response.MemberId
        | Error _ -> false

/// What became of the members that were to leave. Brokers before Kafka 2.4 take one in a call.
type Left =
    {
        /// One for each member, in the order given. The code tells also what concerned the request as a whole.
        Results: Result<LeaveGroup.MemberResponse list, ClientFault>
        Exchanges: Exchange<LeaveGroup.Request, LeaveGroup.Response> list
    }

/// How far a group has read a partition.
type CommittedOffset =
    {
        /// The offset of the next record to read, one behind the last record processed.
        Offset: int64
        /// The leader epoch of the last record processed, for finding truncation later (KIP-320); -1 where it is not known.
        LeaderEpoch: int32
        /// A note that is kept with the offset.
        Metadata: string
    }

[<RequireQualifiedAccess>]
module CommittedOffset =

    /// An offset without epoch and note.
    let at (offset: int64) : CommittedOffset = { Offset = offset; LeaderEpoch = -1; Metadata = "" }

/// What became of the offset of one partition that was to be committed.
type CommitResult = { Partition: TopicPartition; Error: ErrorCode }

/// The committed offset of one partition.
type FetchedOffset =
    {
        Partition: TopicPartition
        /// None where no offset is committed. The code tells also what concerned the group as a whole.
        Result: Result<CommittedOffset option, ErrorCode>
    }

[<RequireQualifiedAccess>]
module internal Offsets =

    /// By topic, in the order in which the topics come first.
    let byTopic (partitionOf: 'T -> TopicPartition) (items: 'T list) : (string * 'T list) list =
        items |> List.groupBy (fun item -> (partitionOf item).Topic)

    /// What an answer says of each partition that was asked about.
    let eachOf (asked: TopicPartition list) (answers: (TopicPartition * 'Answer) list) (result: TopicPartition -> 'Answer -> 'T) =
        let found = Map.ofList [ for partition, answer in answers -> (partition.Topic, partition.Partition), answer ]

        match asked |> List.tryFind (fun partition -> not (found.ContainsKey((partition.Topic, partition.Partition)))) with
        | Some missing -> Error(ClientFault.NotAnswered missing)
        | None -> Ok(asked |> List.map (fun partition -> result partition found[(partition.Topic, partition.Partition)]))

    let inTopic (topic: string) (answers: 'Answer list) (indexOf: 'Answer -> int32) : (TopicPartition * 'Answer) list =
        answers |> List.map (fun answer -> { Topic = topic; Partition = indexOf answer }, answer)

    /// The only one of what was asked about alone.
    let only (reply: Reply<'Request, 'Response, 'T list>) (value: 'T -> 'U) : Reply<'Request, 'Response, 'U> =
        { Result = reply.Result |> Result.map (List.head >> value); Exchange = reply.Exchange }

/// A client of one group, of either protocol, on a connection of its own to the group's coordinator. It keeps no member's state: a
/// membership is a value that goes in with each call. Each call is made once; the error code is part of what comes back. It is not for use by
/// several threads at a time, and a join may take long: members in one process have a client each.
[<Sealed>]
type GroupClient(settings: ClientSettings, bootstrap: Bootstrap, groupId: string) =
    let coordinator = new CoordinatorClient(settings, bootstrap, CoordinatorType.Group, groupId)
    let token = Option.defaultValue CancellationToken.None

    let joinOnce (memberId: string) (join: JoinSettings) cancellation =
        let request: JoinGroup.Request =
            { GroupId = groupId
              SessionTimeoutMs = Milliseconds.ofTime join.SessionTimeout
              RebalanceTimeoutMs = Milliseconds.ofTime join.RebalanceTimeout
              MemberId = memberId
              GroupInstanceId = join.GroupInstanceId
              ProtocolType = join.ProtocolType
              Protocols = join.Protocols
              Reason = join.Reason }

        // The broker answers when all members have come, and others may take longer than this client's time for a call.
        let timeout = max settings.CallTimeout (join.RebalanceTimeout + TimeSpan.FromSeconds 5.0)
        let exchange = coordinator.Exchange(JoinGroup.api, Int16.MaxValue, (fun _ -> request), timeout, cancellation)
        coordinator.Heeding(exchange, _.Error)

    // Up to version 2 only the first of them, who stands by itself there and has no static name.
    let leaveSome (members: LeaveGroup.MemberRequest list) cancellation =
        let request version : LeaveGroup.Request =
            match members with
            | first :: _ when version < 3s ->
                { GroupId = groupId; MemberId = first.MemberId; Members = (if first.GroupInstanceId.IsSome then [ first ] else []) }
            | _ -> { GroupId = groupId; MemberId = ""; Members = members }

        let exchange = coordinator.Exchange(LeaveGroup.api, Int16.MaxValue, request, cancellation)
        coordinator.Heeding(exchange, _.Error)

    let leftIn (members: LeaveGroup.MemberRequest list) (response: LeaveGroup.Response) : LeaveGroup.MemberResponse list =
        members
        |> List.map (fun one ->
            let isThisOne (answer: LeaveGroup.MemberResponse) =
                answer.MemberId = one.MemberId && answer.GroupInstanceId = one.GroupInstanceId

            match response.Members |> List.tryFind isThisOne with
            | Some answer when not response.Error.IsError -> answer
            | _ -> { MemberId = one.MemberId; GroupInstanceId = one.GroupInstanceId; Error = response.Error })

    let fetchRequest
        (membership: GroupMembership)
        (topics: (string * int list) list option)
        (requireStable: bool)
        version
        : OffsetFetch.Request =
        let memberId = if membership.MemberId = "" then None else Some membership.MemberId

        if version < 8s then
            let topic (name, partitions) : OffsetFetch.TopicRequest = { Name = name; PartitionIndexes = partitions }

            { GroupId = groupId; Topics = topics |> Option.map (List.map topic); Groups = []; RequireStable = requireStable }
        else
            let topic (name, partitions) : OffsetFetch.GroupTopicRequest =
                { Name = name; TopicId = Guid.Empty; PartitionIndexes = partitions }

            // Only a member of the new protocol says who it is: a classic member's generation is no epoch.
            { GroupId = ""
              Topics = Some []
              Groups =
                [ { GroupId = groupId
                    MemberId = memberId
                    MemberEpoch = (if memberId.IsSome then membership.GenerationOrEpoch else -1)
                    Topics = topics |> Option.map (List.map topic) } ]
              RequireStable = requireStable }

    // What concerns the group as a whole, and the partitions, in whichever of the two forms.
    let fetchedIn (response: OffsetFetch.Response) : ErrorCode * (TopicPartition * OffsetFetch.PartitionResponse) list =
        match response.Groups |> List.tryFind (fun group -> group.GroupId = groupId) with
        | Some group ->
            group.Error, group.Topics |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)
        | None ->
            response.Error, response.Topics |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)

    let fetched (partition: TopicPartition) (answer: OffsetFetch.PartitionResponse) : FetchedOffset =
        let result =
            if answer.Error.IsError then
                Error answer.Error
            elif answer.CommittedOffset < 0L then
                Ok None
            else
                Ok(
                    Some
                        { Offset = answer.CommittedOffset
                          LeaderEpoch = answer.CommittedLeaderEpoch
                          Metadata = Option.defaultValue "" answer.Metadata }
                )

        { Partition = partition; Result = result }

    let codeOf (fetched: FetchedOffset) =
        match fetched.Result with
        | Error code -> code
        | Ok _ -> ErrorCode.None

    // Topics are named by name: their ids take the place of names from version 10 on.
    let fetch topics membership requireStable cancellation =
        coordinator.Exchange(OffsetFetch.api, 9s, fetchRequest membership topics requireStable, cancellation)

    /// The group.
    member _.GroupId = groupId

    /// The settings it was made with.
    member _.Settings = settings

    /// The client of the coordinator that it calls through.
    member _.Coordinator = coordinator

    /// Joins a classic group, and waits until all members have come. `memberId` is empty for a new member, or the id that it has from an
    /// earlier join. A new member is told its id first and then joins by it, where the broker wants that (MEMBER_ID_REQUIRED, KIP-394): both
    /// rounds are part of the protocol and are made here.
    member _.Join(memberId: string, join: JoinSettings, ?cancellation: CancellationToken) : Joined =
        let first = joinOnce memberId join (token cancellation)

        match first.Outcome with
        | Ok response when response.Error = ErrorCode.MemberIdRequired && memberId = "" ->
            { Exchange = joinOnce response.MemberId join (token cancellation); FirstRound = Some first }
        | _ -> { Exchange = first; FirstRound = None }

    /// Hands out the work, for the leader, and receives the member's own part. `protocolName` is the protocol that the group has chosen, none
    /// to leave it unchecked; `assignments` are the leader's (for consumers `Assignor.assignments` makes them) and empty for the others.
    member _.Sync
        (
            membership: GroupMembership,
            protocolType: string,
            protocolName: string option,
            assignments: SyncGroup.MemberAssignment list,
            ?cancellation: CancellationToken
        ) : Exchange<SyncGroup.Request, SyncGroup.Response> =
        let request: SyncGroup.Request =
            { GroupId = groupId
              GenerationId = membership.GenerationOrEpoch
              MemberId = membership.MemberId
              GroupInstanceId = membership.GroupInstanceId
              ProtocolType = protocolName |> Option.map (fun _ -> protocolType)
              ProtocolName = protocolName
              Assignments = assignments }

        coordinator.Heeding(coordinator.Call(SyncGroup.api, request, token cancellation), _.Error)

    /// Tells the coordinator of a classic group that the member lives. REBALANCE_IN_PROGRESS says that it should join again.
    member _.Heartbeat(membership: GroupMembership, ?cancellation: CancellationToken) : Exchange<Heartbeat.Request, Heartbeat.Response> =
        let request: Heartbeat.Request =
            { GroupId = groupId
              GenerationId = membership.GenerationOrEpoch
              MemberId = membership.MemberId
              GroupInstanceId = membership.GroupInstanceId }

        coordinator.Heeding(coordinator.Call(Heartbeat.api, request, token cancellation), _.Error)

    /// Takes members out of a classic group: oneself, or others, by their ids or static names. Brokers before Kafka 2.4 take one in a call:
    /// with them there are as many calls as members, up to the first that fails.
    member _.Leave(members: LeaveGroup.MemberRequest list, ?cancellation: CancellationToken) : Left =
        let cancellation = token cancellation

        let rec leave results exchanges (remaining: LeaveGroup.MemberRequest list) =
            let exchange = leaveSome remaining cancellation
            let exchanges = exchange :: exchanges
            let asked, others = List.splitAt (if exchange.Info.Version < 3s then min 1 remaining.Length else remaining.Length) remaining

            match exchange.Outcome with
            | Error fault -> { Results = Error fault; Exchanges = List.rev exchanges }
            | Ok response ->
                let results = results @ leftIn asked response

                if others.IsEmpty then
                    { Results = Ok results; Exchanges = List.rev exchanges }
                else
                    leave results exchanges others

        leave [] [] members

    /// Takes one member out of a classic group, so that the others need not wait until it is taken for dead. A static member is named by its
    /// static name and leaves for good.
    member this.Leave(membership: GroupMembership, ?cancellation: CancellationToken) : Left =
        let one: LeaveGroup.MemberRequest =
            { MemberId = membership.MemberId; GroupInstanceId = membership.GroupInstanceId; Reason = None }

        this.Leave([ one ], token cancellation)

    /// Stores how far the group has read some partitions.
    member _.CommitOffsets
        (membership: GroupMembership, offsets: (TopicPartition * CommittedOffset) list, ?cancellation: CancellationToken)
        : Reply<OffsetCommit.Request, OffsetCommit.Response, CommitResult list> =
        let partition (at: TopicPartition, offset: CommittedOffset) : OffsetCommit.PartitionRequest =
            { PartitionIndex = at.Partition
              CommittedOffset = offset.Offset
              CommittedLeaderEpoch = offset.LeaderEpoch
              CommittedMetadata = Some offset.Metadata }

        let topic (name, ofTopic) : OffsetCommit.TopicRequest =
            { Name = name; TopicId = Guid.Empty; Partitions = List.map partition ofTopic }

        let request: OffsetCommit.Request =
            { GroupId = groupId
              GenerationIdOrMemberEpoch = membership.GenerationOrEpoch
              MemberId = membership.MemberId
              GroupInstanceId = membership.GroupInstanceId
              RetentionTimeMs = -1L
              Topics = Offsets.byTopic fst offsets |> List.map topic }

        // Topics are named by name: their ids take the place of names from version 10 on.
        let exchange = coordinator.Exchange(OffsetCommit.api, 9s, (fun _ -> request), token cancellation)

        coordinator.Reply(
            exchange,
            List.map _.Error,
            fun response ->
                let answers = response.Topics |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)

                Offsets.eachOf (List.map fst offsets) answers (fun partition answer -> { Partition = partition; Error = answer.Error })
        )

    /// Stores how far the group has read one partition. The value is the broker's code for it.
    member this.CommitOffset
        (membership: GroupMembership, partition: TopicPartition, offset: CommittedOffset, ?cancellation: CancellationToken)
        : Reply<OffsetCommit.Request, OffsetCommit.Response, ErrorCode> =
        Offsets.only (this.CommitOffsets(membership, [ partition, offset ], token cancellation)) _.Error

    /// How far the group has read some partitions. With `requireStable`, an offset that an open transaction may still change is
    /// UNSTABLE_OFFSET_COMMIT instead (KIP-447, Kafka 2.5). `membership` matters in groups of the new protocol, whose members are checked
    /// (KIP-848); `GroupMembership.none` is for everyone else.
    member _.FetchOffsets
        (membership: GroupMembership, partitions: TopicPartition list, requireStable: bool, ?cancellation: CancellationToken)
        : Reply<OffsetFetch.Request, OffsetFetch.Response, FetchedOffset list> =
        let topics = Offsets.byTopic id partitions |> List.map (fun (topic, ofTopic) -> topic, ofTopic |> List.map _.Partition)

        let exchange = fetch (Some topics) membership requireStable (token cancellation)

        coordinator.Reply(
            exchange,
            List.map codeOf,
            fun response ->
                match fetchedIn response with
                | code, _ when code.IsError -> Ok(partitions |> List.map (fun partition -> { Partition = partition; Result = Error code }))
                | _, answers -> Offsets.eachOf partitions answers fetched
        )

    /// How far the group has read one partition: none where nothing is committed, or the broker's code.
    member this.FetchOffset
        (partition: TopicPartition, ?cancellation: CancellationToken)
        : Reply<OffsetFetch.Request, OffsetFetch.Response, Result<CommittedOffset option, ErrorCode>> =
        Offsets.only (this.FetchOffsets(GroupMembership.none, [ partition ], false, token cancellation)) _.Result

    /// Every offset that the group has committed, or the code that concerns the group as a whole. Version 1 cannot ask for it.
    member _.FetchAllOffsets
        (membership: GroupMembership, requireStable: bool, ?cancellation: CancellationToken)
        : Reply<OffsetFetch.Request, OffsetFetch.Response, Result<FetchedOffset list, ErrorCode>> =
        let codes result =
            match result with
            | Ok fetched -> List.map codeOf fetched
            | Error code -> [ code ]

        coordinator.Reply(
            fetch None membership requireStable (token cancellation),
            codes,
            fun response ->
                match fetchedIn response with
                | code, _ when code.IsError -> Ok(Error code)
                | _, answers -> Ok(Ok(answers |> List.map (fun (partition, answer) -> fetched partition answer)))
        )

    /// Sends any request to the coordinator, in the highest common version, and waits for its response.
    member _.Call(api: Api<'Request, 'Response>, request: 'Request, ?cancellation: CancellationToken) : Exchange<'Request, 'Response> =
        coordinator.Call(api, request, token cancellation)

    /// Closes the connection. A later call makes a new one. Members stay in the group until they leave or are taken for dead.
    member _.Close() = coordinator.Close()

    interface IDisposable with
        member _.Dispose() = coordinator.Close()
