namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol

/// What a member of a group of the new protocol (KIP-848) tells its coordinator about itself.
type ConsumerGroupSubscription =
    {
        Topics: string list
        /// A regular expression in RE2's syntax that selects further topics, from version 1 on; none for no such topics.
        TopicRegex: string option
        /// The name of a static member, which keeps its place when it comes back; none for a dynamic one.
        InstanceId: string option
        /// The rack of the consumer, for assignors that place it near its replicas. Once sent, it can be changed but not removed.
        RackId: string option
        /// How long the member may take to give up partitions.
        RebalanceTimeout: TimeSpan
        /// The assignor that the coordinator should use; none for its own choice. Once sent, it can be changed but not removed.
        ServerAssignor: string option
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show
            [ "Topics", box this.Topics
              "TopicRegex", FieldText.optional this.TopicRegex
              "InstanceId", FieldText.optional this.InstanceId
              "RackId", FieldText.optional this.RackId
              "RebalanceTimeout", box this.RebalanceTimeout
              "ServerAssignor", FieldText.optional this.ServerAssignor ]

/// The reply to a heartbeat of the new protocol. `Ok` means that the coordinator has accepted it.
type ConsumerHeartbeatReply =
    Reply<ConsumerGroupHeartbeat.Request, ConsumerGroupHeartbeat.Response, Result<ConsumerGroupHeartbeat.Response, CallFailure>>

[<RequireQualifiedAccess>]
module ConsumerGroupSubscription =

    /// A dynamic member that subscribes to these topics and may take 5 minutes to give up partitions.
    let topics (names: string list) =
        { Topics = names
          TopicRegex = None
          InstanceId = None
          RackId = None
          RebalanceTimeout = TimeSpan.FromMinutes 5.0
          ServerAssignor = None }

/// One member of a group of the new protocol (KIP-848), on a connection of its own to the group's coordinator, which assigns the partitions
/// itself. The member joins, stays and learns its partitions by one kind of call, the heartbeat, which the caller makes as often as the response
/// says. Each is made once; an error code is a failure in its result. A client must not be used by several threads at a time.
[<Sealed>]
type ConsumerGroupClient(settings: ClientSettings, bootstrap: Bootstrap, groupId: string, subscription: ConsumerGroupSubscription) =
    let check (subscription: ConsumerGroupSubscription) =
        Argument.time (nameof subscription) "RebalanceTimeout" subscription.RebalanceTimeout

    do check subscription
    let group = new GroupClient(settings, bootstrap, groupId)
    let guard = group.Coordinator.Lease.Guard
    let joining = 0
    let leaving = -1
    let leavingTemporarily = -2
    // Made by the member for its lifetime (KIP-1082), in the form of Kafka's own ids.
    let mutable memberId = Convert.ToBase64String(Guid.NewGuid().ToByteArray()).TrimEnd('=').Replace('+', '-').Replace('/', '_')
    // Whether the coordinator has confirmed the id.
    let mutable isGiven = false
    let mutable epoch = joining
    let mutable subscription = subscription
    let mutable assignment: HeartbeatTopicPartitions list = []
    let mutable owned: HeartbeatTopicPartitions list = []
    // What the coordinator knows of the member; none if that is uncertain, so that everything must be sent again.
    let mutable known: (ConsumerGroupSubscription * HeartbeatTopicPartitions list) option = None

    let startAnew () =
        epoch <- joining
        assignment <- []
        owned <- []
        known <- None

    // What has not changed is left out, as null. So a rack or an assignor, once sent, cannot be removed: coordinators refuse the empty string.
    // A member that joins sends everything, even if an earlier response left it at epoch 0.
    let request known (atEpoch: int32) (version: int16) : ConsumerGroupHeartbeat.Request =
        let known = if atEpoch = joining then None else known

        let changed (part: ConsumerGroupSubscription -> 'Part) (told: 'Part -> 'Told option) : 'Told option =
            match known with
            | Some(before, _) when part before = part subscription -> None
            | _ -> told (part subscription)

        // Names and expression are sent together; version 0 has no expression.
        let topicsAndRegex =
            changed (fun subscription -> subscription.Topics, subscription.TopicRegex) (fun (topics, regex) ->
                Some(
                    topics,
                    (if version < ConsumerGroupHeartbeat.topicRegexSince then
                         regex
                     else
                         Some(Option.defaultValue "" regex))
                ))

        let isLeaving = atEpoch < 0
        let unless condition value = if condition then None else value

        let partitions =
            match known with
            | Some(_, before) when before = owned -> None
            | _ -> Some owned

        { GroupId = groupId
          // In version 0 the coordinator makes the id, once.
          MemberId = (if version < ConsumerGroupHeartbeat.ownMemberIdSince && not isGiven then "" else memberId)
          MemberEpoch = atEpoch
          InstanceId = subscription.InstanceId
          RackId = changed _.RackId id |> unless isLeaving
          RebalanceTimeoutMs = changed _.RebalanceTimeout (Milliseconds.ofTimeSpan >> Some) |> unless isLeaving |> Option.defaultValue -1
          SubscribedTopicNames = topicsAndRegex |> Option.map fst |> unless isLeaving
          SubscribedTopicRegex = topicsAndRegex |> Option.bind snd |> unless isLeaving
          ServerAssignor = changed _.ServerAssignor id |> unless isLeaving
          TopicPartitions = partitions |> unless isLeaving }

    let isLost (code: ErrorCode) = code = ErrorCode.UnknownMemberId || code = ErrorCode.FencedMemberEpoch

    // What the coordinator knows is uncertain from before the request is sent until the response has been read.
    let send (atEpoch: int32) (call: CallOptions option) settle : Call<ConsumerHeartbeatReply> =
        let before = known
        known <- None

        group.Coordinator.BeginCall(
            Operation.Begin(settings, call),
            ConsumerGroupHeartbeat.api,
            CoordinatorClient.AnyVersion,
            request before atEpoch,
            _.Error,
            settle
        )

    let beginLeave atEpoch call =
        startAnew ()
        send atEpoch call ignore

    let settleHeartbeat sent (exchange: Exchange<ConsumerGroupHeartbeat.Request, ConsumerGroupHeartbeat.Response>) =
        match exchange.Result with
        | Ok response when isLost response.Error -> startAnew ()
        | Ok response when not response.Error.IsError ->
            memberId <- response.MemberId |> Option.filter (fun id -> id <> "") |> Option.defaultValue memberId
            isGiven <- true
            epoch <- response.MemberEpoch
            response.Assignment |> Option.iter (fun given -> assignment <- given.TopicPartitions)
            known <- Some sent
        | _ -> known <- None

    let beginHeartbeat (call: CallOptions option) : Call<ConsumerHeartbeatReply> = send epoch call (settleHeartbeat (subscription, owned))

    /// The member's id.
    member _.MemberId = memberId

    /// The member's epoch; 0 while it is not a member.
    member _.Epoch = epoch

    /// The member's place in the group, for committing and fetching offsets.
    member _.Membership: GroupMembership =
        { MemberId = memberId; GenerationOrEpoch = epoch; GroupInstanceId = subscription.InstanceId }

    /// What the member subscribes to. Changes are sent with the next heartbeat.
    member _.Subscription
        with get () = subscription
        and set (value: ConsumerGroupSubscription) =
            check value
            use _ = guard.HoldInFlight()
            subscription <- value

    /// The partitions that the coordinator last assigned to the member, by topic ids.
    member _.Assignment = assignment

    /// The partitions that the member has now, by topic ids. The caller sets it: when partitions that are no longer assigned have been given up,
    /// and when those of the assignment have been taken over. Changes are sent with the next heartbeat. The coordinator gives a partition to
    /// another member only after it has been given up.
    member _.Owned
        with get () = owned
        and set (value: HeartbeatTopicPartitions list) =
            use _ = guard.HoldInFlight()
            owned <- value

    /// The client of the group that it uses, for offsets.
    member _.Group = group

    /// Joins the group if the member is not in it, and else shows that it is alive and sends what has changed. After UNKNOWN_MEMBER_ID and
    /// FENCED_MEMBER_EPOCH the member has lost everything: `Assignment` and `Owned` are empty, and the next heartbeat joins again. After a
    /// fault or another error, the next heartbeat sends everything again.
    member _.Heartbeat(?call: CallOptions) : ConsumerHeartbeatReply =
        use _ = guard.Hold()
        (beginHeartbeat call).Complete()

    /// Sends what `Heartbeat` does. The response is received by `PendingCall.Complete`, which brings the member's state up to date; until then the
    /// client and its `Group` make no other call.
    member _.BeginHeartbeat(?call: CallOptions) : PendingCall<ConsumerHeartbeatReply> =
        use _ = guard.Hold()
        PendingCall<_>(beginHeartbeat call)

    /// Leaves the group for good. The next heartbeat would join again.
    member _.Leave(?call: CallOptions) : ConsumerHeartbeatReply =
        use _ = guard.Hold()
        (beginLeave leaving call).Complete()

    /// Sends what `Leave` does. The response is received by `PendingCall.Complete`.
    member _.BeginLeave(?call: CallOptions) : PendingCall<ConsumerHeartbeatReply> =
        use _ = guard.Hold()
        PendingCall<_>(beginLeave leaving call)

    /// Leaves the group temporarily, as a static member that will come back: its partitions are kept for it as long as its session lasts.
    /// The next heartbeat joins again.
    member _.LeaveTemporarily(?call: CallOptions) : ConsumerHeartbeatReply =
        use _ = guard.Hold()
        (beginLeave leavingTemporarily call).Complete()

    /// Sends what `LeaveTemporarily` does. The response is received by `PendingCall.Complete`.
    member _.BeginLeaveTemporarily(?call: CallOptions) : PendingCall<ConsumerHeartbeatReply> =
        use _ = guard.Hold()
        PendingCall<_>(beginLeave leavingTemporarily call)

    /// Closes the connection. The member stays in the group until it leaves or the coordinator considers it dead.
    member _.Close() = group.Close()

    interface IDisposable with
        member _.Dispose() = group.Close()
