namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Wire
open LibKafka.Protocol

/// What a member of a group of the new protocol tells its coordinator about itself (KIP-848).
type ConsumerGroupSubscription =
    {
        Topics: string list
        /// A regular expression in RE2's syntax that names further topics, from version 1 on; none for no such topics.
        TopicRegex: string option
        /// The name of a static member, which keeps its place when it comes back; none for a dynamic one.
        InstanceId: string option
        /// The rack of the consumer, for assignors that put it near its replicas. A member that has told one can tell another, but not none.
        RackId: string option
        /// How long the member may take to give up partitions.
        RebalanceTimeout: TimeSpan
        /// The assignor that the coordinator is to use; none for its own choice. A member that has told one can tell another, but not none.
        ServerAssignor: string option
    }

[<RequireQualifiedAccess>]
module ConsumerGroupSubscription =

    /// A dynamic member that wants these topics and may take 5 minutes to give up partitions.
    let topics (names: string list) =
        { Topics = names
          TopicRegex = None
          InstanceId = None
          RackId = None
          RebalanceTimeout = TimeSpan.FromMinutes 5.0
          ServerAssignor = None }

/// One member of a group of the new protocol (KIP-848), on a connection of its own to the group's coordinator, which shares out the
/// partitions itself. The member joins, stays and learns its partitions by one kind of call, the heartbeat, which the user makes as often as
/// the answer says. Each is made once; the error code is part of what comes back. It is not for use by several threads at a time.
[<Sealed>]
type ConsumerGroupClient(settings: ClientSettings, bootstrap: Bootstrap, groupId: string, subscription: ConsumerGroupSubscription) =
    let group = new GroupClient(settings, bootstrap, groupId)
    let joining = 0
    let leaving = -1
    let leavingForAWhile = -2
    // Made by the member for its lifetime (KIP-1082), in the form of Kafka's own ids.
    let mutable memberId = Convert.ToBase64String(Guid.NewGuid().ToByteArray()).TrimEnd('=').Replace('+', '-').Replace('/', '_')
    // Whether the coordinator has said that it goes by it.
    let mutable isGiven = false
    let mutable epoch = joining
    let mutable subscription = subscription
    let mutable assignment: HeartbeatTopicPartitions list = []
    let mutable owned: HeartbeatTopicPartitions list = []
    // What the coordinator knows of the member; none where that is uncertain, and everything has to be told again.
    let mutable known: (ConsumerGroupSubscription * HeartbeatTopicPartitions list) option = None

    let startAnew () =
        epoch <- joining
        assignment <- []
        owned <- []
        known <- None

    // What has not changed is left out, as null. So a rack or an assignor, once told, cannot be taken back: coordinators refuse the empty text.
    // Whoever joins tells everything, also where an earlier answer left the member at epoch 0.
    let request (atEpoch: int32) (version: int16) : ConsumerGroupHeartbeat.Request =
        let known = if atEpoch = joining then None else known

        let changed (part: ConsumerGroupSubscription -> 'Part) (told: 'Part -> 'Told option) : 'Told option =
            match known with
            | Some(before, _) when part before = part subscription -> None
            | _ -> told (part subscription)

        // Names and expression go together; version 0 has no expression.
        let topicsAndRegex =
            changed (fun subscription -> subscription.Topics, subscription.TopicRegex) (fun (topics, regex) ->
                Some(topics, (if version = 0s then regex else Some(Option.defaultValue "" regex))))

        let isLeaving = atEpoch < 0
        let unless condition value = if condition then None else value

        let partitions =
            match known with
            | Some(_, before) when before = owned -> None
            | _ -> Some owned

        { GroupId = groupId
          // In version 0 the coordinator makes the id, once.
          MemberId = (if version = 0s && not isGiven then "" else memberId)
          MemberEpoch = atEpoch
          InstanceId = subscription.InstanceId
          RackId = changed _.RackId id |> unless isLeaving
          RebalanceTimeoutMs = changed _.RebalanceTimeout (Milliseconds.ofTimeSpan >> Some) |> unless isLeaving |> Option.defaultValue -1
          SubscribedTopicNames = topicsAndRegex |> Option.map fst |> unless isLeaving
          SubscribedTopicRegex = topicsAndRegex |> Option.bind snd |> unless isLeaving
          ServerAssignor = changed _.ServerAssignor id |> unless isLeaving
          TopicPartitions = partitions |> unless isLeaving }

    let isLost (code: ErrorCode) = code = ErrorCode.UnknownMemberId || code = ErrorCode.FencedMemberEpoch

    let send (atEpoch: int32) cancellation : Exchange<ConsumerGroupHeartbeat.Request, ConsumerGroupHeartbeat.Response> =
        let exchange = group.Coordinator.Exchange(ConsumerGroupHeartbeat.api, Int16.MaxValue, request atEpoch, cancellation)
        group.Coordinator.Heeding(exchange, _.Error)

    /// The id that the member goes by.
    member _.MemberId = memberId

    /// The member's epoch; 0 while it is not a member.
    member _.Epoch = epoch

    /// The member's place in the group, for committing and fetching offsets.
    member _.Membership: GroupMembership =
        { MemberId = memberId; GenerationOrEpoch = epoch; GroupInstanceId = subscription.InstanceId }

    /// What the member wants. What changes is told with the next heartbeat.
    member _.Subscription
        with get () = subscription
        and set (value: ConsumerGroupSubscription) = subscription <- value

    /// The partitions that the coordinator last told the member to have, by topic ids.
    member _.Assignment = assignment

    /// The partitions that the member has now, by topic ids. It is for the user to set: when partitions that are not in the assignment any
    /// more have been given up, and when those of the assignment have been taken on. What changes is told with the next heartbeat, and the
    /// coordinator gives away only what has been given up.
    member _.Owned
        with get () = owned
        and set (value: HeartbeatTopicPartitions list) = owned <- value

    /// The client of the group that it calls through, for offsets.
    member _.Group = group

    /// Joins the group, where the member is not in it, and else tells that it lives and what has changed. With UNKNOWN_MEMBER_ID and
    /// FENCED_MEMBER_EPOCH the member has lost everything, so that `Assignment` and `Owned` are empty and the next heartbeat joins again.
    /// After a fault, or another error, the next heartbeat tells everything anew.
    member _.Heartbeat(?cancellation: CancellationToken) : Exchange<ConsumerGroupHeartbeat.Request, ConsumerGroupHeartbeat.Response> =
        let telling = subscription, owned
        let exchange = send epoch (defaultArg cancellation CancellationToken.None)

        match exchange.Outcome with
        | Ok response when isLost response.Error -> startAnew ()
        | Ok response when not response.Error.IsError ->
            memberId <- response.MemberId |> Option.filter (fun id -> id <> "") |> Option.defaultValue memberId
            isGiven <- true
            epoch <- response.MemberEpoch
            response.Assignment |> Option.iter (fun given -> assignment <- given.TopicPartitions)
            known <- Some telling
        | _ -> known <- None

        exchange

    /// Leaves the group for good. The next heartbeat would join again.
    member _.Leave(?cancellation: CancellationToken) =
        let exchange = send leaving (defaultArg cancellation CancellationToken.None)
        startAnew ()
        exchange

    /// Leaves the group for a while, as a static member that means to come back: its partitions wait for it as long as its session lasts.
    /// The next heartbeat joins again.
    member _.LeaveForAWhile(?cancellation: CancellationToken) =
        let exchange = send leavingForAWhile (defaultArg cancellation CancellationToken.None)
        startAnew ()
        exchange

    /// Closes the connection. The member stays in the group until it leaves or is taken for dead.
    member _.Close() = group.Close()

    interface IDisposable with
        member _.Dispose() = group.Close()
