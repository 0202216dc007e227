namespace LibKafka.Client

open System
open LibKafka.Protocol

/// A client of one group, of either protocol, on a connection of its own to the group's coordinator. It keeps no member's state: a
/// membership is a value that is passed to each call. Each call is made once; an error code is a failure in its result. A client must not be used
/// by several threads at a time, and a join may take long, so members in one process have a client each.
[<Sealed>]
type GroupClient(settings: ClientSettings, bootstrap: Bootstrap, groupId: string) =
    let coordinator = new CoordinatorClient(settings, bootstrap, CoordinatorType.Group, groupId)
    let guard = coordinator.Lease.Guard
    let begin' (call: CallOptions option) = Operation.Begin(settings, call)

    let send (operation: Operation) (api: Api<'Request, 'Response>) (request: 'Request) (codeOf: 'Response -> ErrorCode) =
        coordinator.BeginCall(operation, api, CoordinatorClient.AnyVersion, (fun _ -> request), codeOf, ignore)

    let beginJoin (memberId: string) (join: JoinSettings) operation =
        Argument.time (nameof join) "SessionTimeout" join.SessionTimeout
        Argument.time (nameof join) "RebalanceTimeout" join.RebalanceTimeout

        let request: JoinGroup.Request =
            { GroupId = groupId
              SessionTimeoutMs = Milliseconds.ofTimeSpan join.SessionTimeout
              RebalanceTimeoutMs = Milliseconds.ofTimeSpan join.RebalanceTimeout
              MemberId = memberId
              GroupInstanceId = join.GroupInstanceId
              ProtocolType = join.ProtocolType
              Protocols = join.Protocols
              Reason = join.Reason }

        send operation JoinGroup.api request _.Error

    let joinOnce memberId join operation = (beginJoin memberId join operation).Complete().Exchange

    let beginSync
        (membership: GroupMembership)
        (protocolType: string)
        (protocolName: string option)
        (assignments: SyncGroup.MemberAssignment list)
        call
        =
        let request: SyncGroup.Request =
            { GroupId = groupId
              GenerationId = membership.GenerationOrEpoch
              MemberId = membership.MemberId
              GroupInstanceId = membership.GroupInstanceId
              ProtocolType = protocolName |> Option.map (fun _ -> protocolType)
              ProtocolName = protocolName
              Assignments = assignments }

        send (begin' call) SyncGroup.api request _.Error

    let beginHeartbeat (membership: GroupMembership) call =
        let request: Heartbeat.Request =
            { GroupId = groupId
              GenerationId = membership.GenerationOrEpoch
              MemberId = membership.MemberId
              GroupInstanceId = membership.GroupInstanceId }

        send (begin' call) Heartbeat.api request _.Error

    let beginLeave (members: LeaveGroup.MemberRequest list) operation =
        let request = LeaveRequests.ofMembers groupId members
        coordinator.BeginCall(operation, LeaveGroup.api, CoordinatorClient.AnyVersion, request, _.Error, ignore)

    let leaveSome members operation = (beginLeave members operation).Complete().Exchange

    let memberOf (membership: GroupMembership) : LeaveGroup.MemberRequest =
        { MemberId = membership.MemberId; GroupInstanceId = membership.GroupInstanceId; Reason = None }

    let left (members: LeaveGroup.MemberRequest list) (exchange: Exchange<LeaveGroup.Request, LeaveGroup.Response>) =
        exchange.Result |> Result.map (LeaveRequests.answersIn exchange.Info.Version members)

    let beginCommit
        (membership: GroupMembership)
        (offsets: (TopicPartition * CommittedOffset) list)
        (call: CallOptions option)
        : Call<Reply<OffsetCommit.Request, OffsetCommit.Response, Result<PartitionResult list, ClientFault>>> =
        let request = OffsetRequests.commit groupId membership offsets

        let read (response: OffsetCommit.Response) =
            let answers = response.Topics |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)
            Offsets.codes (List.map fst offsets) answers _.Error

        let most _ = Caps.offsetCommit
        coordinator.BeginAsking(begin' call, OffsetCommit.api, most, (fun _ -> request), List.map _.Error, read)

    let fetch operation membership topics requireStable codesOf read =
        let request = OffsetRequests.fetch groupId membership topics requireStable
        let most _ = Caps.offsetFetch
        coordinator.BeginAsking(operation, OffsetFetch.api, most, request, codesOf, OffsetRequests.fetchedIn groupId >> read)

    let beginFetch
        (membership: GroupMembership)
        (partitions: TopicPartition list)
        (requireStable: bool)
        (call: CallOptions option)
        : Call<Reply<OffsetFetch.Request, OffsetFetch.Response, Result<FetchedOffset list, ClientFault>>> =
        let topics = Offsets.byTopic id partitions |> List.map (fun (topic, ofTopic) -> topic, ofTopic |> List.map _.Partition)

        let read (code: ErrorCode, answers) =
            if code.IsError then
                Ok(partitions |> List.map (fun partition -> { Partition = partition; Result = Error code }))
            else
                Offsets.eachOf partitions answers OffsetRequests.fetched

        fetch (begin' call) membership (Some topics) requireStable (List.map _.Error) read

    /// The group.
    member _.GroupId = groupId

    /// The settings it was made with.
    member _.Settings = settings

    /// The client of the coordinator that it uses.
    member _.Coordinator = coordinator

    /// Joins a classic group, and waits until all members have joined. `memberId` is empty for a new member, or the id that it has from an
    /// earlier join. If the broker wants a new member to get an id first and then to join with it (MEMBER_ID_REQUIRED, KIP-394), both rounds
    /// are made here: they are part of the protocol. The time-out is `CallTimeout`, or the rebalance time-out and 5 seconds if that is longer:
    /// the broker responds when all members have joined. `Ok` means that the member has joined.
    member _.Join(memberId: string, join: JoinSettings, ?call: CallOptions) : Joined =
        use _ = guard.Hold()
        let operation = Operation.BeginWaiting(settings, call, join.RebalanceTimeout)
        let first = joinOnce memberId join operation

        match first.Result with
        | Ok response when response.Error = ErrorCode.MemberIdRequired && memberId = "" ->
            Joined(joinOnce response.MemberId join operation, Some first)
        | _ -> Joined(first, None)

    /// Begins one round of a join as `Join` makes it; `memberId` as there. If the broker wants a new member to get an id first, the failure is
    /// MEMBER_ID_REQUIRED, and the reply has that id (`RequiredMemberId`), with which to begin another round.
    member _.BeginJoin(memberId: string, join: JoinSettings, ?call: CallOptions) : PendingCall<Joined> =
        use _ = guard.Hold()
        let operation = Operation.BeginWaiting(settings, call, join.RebalanceTimeout)
        PendingCall<_>(beginJoin memberId join operation).Map(fun reply -> Joined(reply.Exchange, None))

    /// Distributes the work, if the member is the leader, and receives the member's own assignment. `protocolName` is the protocol that the
    /// group has chosen, none to leave it unchecked; `assignments` are the leader's (for consumers `Assignor.assignments` makes them) and
    /// empty for the others. REBALANCE_IN_PROGRESS means that the member must join again.
    member _.Sync
        (
            membership: GroupMembership,
            protocolType: string,
            protocolName: string option,
            assignments: SyncGroup.MemberAssignment list,
            ?call: CallOptions
        ) : Reply<SyncGroup.Request, SyncGroup.Response, Result<SyncGroup.Response, CallFailure>> =
        use _ = guard.Hold()
        (beginSync membership protocolType protocolName assignments call).Complete()

    /// Sends what `Sync` does. The response is received by `PendingCall.Complete`; until then the client makes no other call.
    member _.BeginSync
        (
            membership: GroupMembership,
            protocolType: string,
            protocolName: string option,
            assignments: SyncGroup.MemberAssignment list,
            ?call: CallOptions
        ) : PendingCall<Reply<SyncGroup.Request, SyncGroup.Response, Result<SyncGroup.Response, CallFailure>>> =
        use _ = guard.Hold()
        PendingCall<_>(beginSync membership protocolType protocolName assignments call)

    /// Shows the coordinator of a classic group that the member is alive. REBALANCE_IN_PROGRESS means that the member must join again.
    member _.Heartbeat
        (membership: GroupMembership, ?call: CallOptions)
        : Reply<Heartbeat.Request, Heartbeat.Response, Result<unit, CallFailure>> =
        use _ = guard.Hold()
        (beginHeartbeat membership call).Complete() |> Reply.map ignore

    /// Sends what `Heartbeat` does. The response is received by `PendingCall.Complete`; until then the client makes no other call.
    member _.BeginHeartbeat
        (membership: GroupMembership, ?call: CallOptions)
        : PendingCall<Reply<Heartbeat.Request, Heartbeat.Response, Result<unit, CallFailure>>> =
        use _ = guard.Hold()
        PendingCall<_>(beginHeartbeat membership call).Map(fun reply -> Reply.map ignore reply)

    /// Removes members from a classic group: the caller or others, by their ids or static names. Brokers before Kafka 2.4 take one member per
    /// request: with them there are as many requests as members, up to the first fault. If the coordinator refuses it for one of them, the result is
    /// a failure that has the code of each: the others have left.
    member _.Leave(members: LeaveGroup.MemberRequest list, ?call: CallOptions) : Left =
        use _ = guard.Hold()
        let operation = begin' call

        let rec leave answers rounds (remaining: LeaveGroup.MemberRequest list) =
            let exchange = leaveSome remaining operation
            let rounds = exchange :: rounds
            let version = exchange.Info.Version
            let asked, others =
                List.splitAt (if version < LeaveGroup.membersSince then min 1 remaining.Length else remaining.Length) remaining

            match exchange.Result with
            | Error fault -> Left(List.rev rounds, Error fault)
            | Ok response ->
                let answers = answers @ LeaveRequests.answersIn version asked response

                if others.IsEmpty then Left(List.rev rounds, Ok answers) else leave answers rounds others

        leave [] [] members

    /// Removes one member from a classic group, so that the others need not wait until the coordinator considers it dead. A static member is
    /// named by its static name and leaves for good.
    member this.Leave(membership: GroupMembership, ?call: CallOptions) : Left = this.Leave([ memberOf membership ], ?call = call)

    /// Sends what the `Leave` of one member does. The response is received by `PendingCall.Complete`; until then the client makes no other call.
    member _.BeginLeave(membership: GroupMembership, ?call: CallOptions) : PendingCall<Left> =
        use _ = guard.Hold()
        let members = [ memberOf membership ]
        let reply exchange = Left([ exchange ], left members exchange)
        PendingCall<_>(beginLeave members (begin' call)).Map(fun answered -> reply answered.Exchange)

    /// Stores how far the group has read some partitions. If the coordinator refuses it for one of them, the result is a failure that has the
    /// code of each: the others may be stored.
    member _.CommitOffsets
        (membership: GroupMembership, offsets: (TopicPartition * CommittedOffset) list, ?call: CallOptions)
        : Reply<OffsetCommit.Request, OffsetCommit.Response, Result<unit, PartitionsFailure>> =
        use _ = guard.Hold()
        (beginCommit membership offsets call).Complete() |> Offsets.coded

    /// Sends what `CommitOffsets` does. The response is received by `PendingCall.Complete`; until then the client makes no other call.
    member _.BeginCommitOffsets
        (membership: GroupMembership, offsets: (TopicPartition * CommittedOffset) list, ?call: CallOptions)
        : PendingCall<Reply<OffsetCommit.Request, OffsetCommit.Response, Result<unit, PartitionsFailure>>> =
        use _ = guard.Hold()
        PendingCall<_>(beginCommit membership offsets call).Map(fun reply -> Offsets.coded reply)

    /// Stores how far the group has read one partition.
    member _.CommitOffset
        (membership: GroupMembership, partition: TopicPartition, offset: CommittedOffset, ?call: CallOptions)
        : Reply<OffsetCommit.Request, OffsetCommit.Response, Result<unit, CallFailure>> =
        use _ = guard.Hold()

        (beginCommit membership [ partition, offset ] call).Complete()
        |> Offsets.only Offsets.codeOf (fun (one: PartitionResult) -> Reply.ofCode one.Error)
        |> Reply.flat (fun () -> [])

    /// How far the group has read some partitions. With `requireStable`, an offset that an open transaction may still change is
    /// UNSTABLE_OFFSET_COMMIT instead (KIP-447, Kafka 2.5). `membership` matters in groups of the new protocol, whose members are checked
    /// (KIP-848); everyone else passes `GroupMembership.none`.
    member _.FetchOffsets
        (membership: GroupMembership, partitions: TopicPartition list, requireStable: bool, ?call: CallOptions)
        : Reply<OffsetFetch.Request, OffsetFetch.Response, Result<FetchedOffset list, ClientFault>> =
        use _ = guard.Hold()
        (beginFetch membership partitions requireStable call).Complete()

    /// Sends what `FetchOffsets` does. The response is received by `PendingCall.Complete`; until then the client makes no other call.
    member _.BeginFetchOffsets
        (membership: GroupMembership, partitions: TopicPartition list, requireStable: bool, ?call: CallOptions)
        : PendingCall<Reply<OffsetFetch.Request, OffsetFetch.Response, Result<FetchedOffset list, ClientFault>>> =
        use _ = guard.Hold()
        PendingCall<_>(beginFetch membership partitions requireStable call)

    /// How far the group has read one partition: none if nothing is committed, or the broker's code.
    member this.FetchOffset
        (partition: TopicPartition, ?call: CallOptions)
        : Reply<OffsetFetch.Request, OffsetFetch.Response, Result<CommittedOffset option, CallFailure>> =
        this.FetchOffsets(GroupMembership.none, [ partition ], false, ?call = call)
        |> Offsets.only Offsets.codeOf _.Result
        |> Reply.flat (fun _ -> [])

    /// Every offset that the group has committed, or the code of the group as a whole. Version 1 cannot ask for it.
    member _.FetchAllOffsets
        (membership: GroupMembership, requireStable: bool, ?call: CallOptions)
        : Reply<OffsetFetch.Request, OffsetFetch.Response, Result<FetchedOffset list, CallFailure>> =
        let codesOfAll (fetched: FetchedOffset list) = fetched |> List.map _.Error

        let codesOf result =
            match result with
            | Ok fetched -> codesOfAll fetched
            | Error code -> [ code ]

        let read (code: ErrorCode, answers) =
            if code.IsError then
                Ok(Error code)
            else
                Ok(Ok(answers |> List.map (fun (partition, answer) -> OffsetRequests.fetched partition answer)))

        use _ = guard.Hold()
        (fetch (begin' call) membership None requireStable codesOf read).Complete() |> Reply.flat codesOfAll

    /// Sends any request to the coordinator in the highest common version, and waits for its response.
    member _.Call(api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions) : Exchange<'Request, 'Response> =
        coordinator.Call(api, request, ?call = call)

    /// Closes the connection. A later call makes a new one. Members stay in the group until they leave or the coordinator considers them dead.
    member _.Close() = coordinator.Close()

    interface IDisposable with
        member _.Dispose() = coordinator.Close()
