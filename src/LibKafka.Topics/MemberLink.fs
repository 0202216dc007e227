namespace LibKafka.Topics

open System
open System.Collections.Generic
open System.Threading
open LibKafka
open LibKafka.Client
open LibKafka.Groups
open LibKafka.Protocol

/// The requests of a member and the meaning of their responses.
[<RequireQualifiedAccess>]
module internal LinkMessages =

    let subscription (group: GroupSettings) (assignor: string option) (subscription: Subscription) : ConsumerGroupSubscription =
        let topics, regex =
            match subscription with
            | Subscription.Topics names -> names, None
            | Subscription.Pattern pattern -> [], Some pattern

        { Topics = topics
          TopicRegex = regex
          InstanceId = group.InstanceId
          RackId = group.RackId
          RebalanceTimeout = group.RebalanceTimeout
          ServerAssignor = assignor }

    let join (group: GroupSettings) (protocols: JoinGroup.Protocol list) (reason: string) : JoinSettings =
        { SessionTimeout = group.SessionTimeout
          RebalanceTimeout = group.RebalanceTimeout
          GroupInstanceId = group.InstanceId
          ProtocolType = ConsumerProtocol.Type
          Protocols = protocols
          Reason = Some reason }

    let topics (asked: TopicsAsked) : Metadata.Request =
        let topic id name : Metadata.TopicRequest = { TopicId = id; Name = name }

        { Topics =
            match asked with
            | TopicsAsked.All -> None
            | TopicsAsked.Names names -> Some(names |> List.map (fun name -> topic Guid.Empty (Some name)))
            | TopicsAsked.Ids ids -> Some(ids |> List.map (fun id -> topic id None))
          AllowAutoTopicCreation = false
          IncludeClusterAuthorizedOperations = false
          IncludeTopicAuthorizedOperations = false }

    let seen (response: Metadata.Response) : TopicSeen list =
        [ for topic in response.Topics do
              { Name = Option.defaultValue "" topic.Name
                Id = topic.TopicId
                Partitions = if topic.Error.IsError then 0 else topic.Partitions.Length
                IsInternal = topic.IsInternal } ]

    /// The answer that a call has if there is no response.
    let unanswered (call: MemberAction) (fault: ClientFault) : MemberInput =
        match call with
        | MemberAction.Join _ -> MemberInput.Joined(Error fault)
        | MemberAction.Sync _ -> MemberInput.Synced(Error fault)
        | MemberAction.Beat _ -> MemberInput.Beaten(Error fault)
        | MemberAction.Report _ -> MemberInput.Answered(Error fault)
        | MemberAction.AskTopics _ -> MemberInput.TopicsSeen(Error fault)
        | _ -> MemberInput.Left

/// A call to the coordinator that is outstanding.
[<NoEquality; NoComparison>]
type private LinkCall = { Action: MemberAction; Call: PendingCall; Answer: unit -> MemberInput }

/// A member of a group and its calls to the coordinator, on a connection of its own. One call is outstanding at most. What the member does
/// apart from these calls is left to the caller, in `Todo`.
[<Sealed>]
type internal MemberLink(settings: ClientSettings, bootstrap: Bootstrap, group: GroupSettings) =
    let time = settings.Time
    let began = time.GetTimestamp()
    let now () = time.GetElapsedTime began

    let modern =
        match group.Protocol with
        | GroupProtocol.Consumer assignor ->
            let subscription = LinkMessages.subscription group assignor group.Subscription
            Some(new ConsumerGroupClient(settings, bootstrap, group.GroupId, subscription))
        | GroupProtocol.Classic _ -> None

    let client =
        match modern with
        | Some member' -> member'.Group
        | None -> new GroupClient(settings, bootstrap, group.GroupId)

    let mutable state = Membership.start TimeSpan.Zero settings.Limits group
    let mutable outstanding: LinkCall option = None
    // The call for which no connection was made, because that was cancelled.
    let mutable unsent: MemberAction option = None
    let mutable left = GroupLeave.Silent
    let todo = Queue<MemberAction>()

    let heartbeat = { CallOptions.standard with Timeout = Some(min group.SessionTimeout settings.CallTimeout) }

    let callOf (action: MemberAction) (call: PendingCall<'Reply>) (answer: 'Reply -> MemberInput) : LinkCall =
        { Action = action; Call = call; Answer = (fun () -> answer (call.Complete())) }

    // A response has the assignment only if it is new. The client still has it if an observer has thrown at that response.
    let report (action: MemberAction) (owned: HeartbeatTopicPartitions list) (member': ConsumerGroupClient) =
        let withAssignment (response: ConsumerGroupHeartbeat.Response) =
            if response.Error.IsError then
                response
            else
                { response with Assignment = Some { TopicPartitions = member'.Assignment } }

        member'.Owned <- owned
        callOf action (member'.BeginHeartbeat heartbeat) (fun reply ->
            MemberInput.Answered(Result.map withAssignment reply.Exchange.Result))

    let send (action: MemberAction) : LinkCall option =
        match action, modern with
        | MemberAction.Join(id, protocols, reason), _ ->
            let join = LinkMessages.join group protocols reason
            Some(callOf action (client.BeginJoin(id, join)) (fun joined -> MemberInput.Joined joined.Exchange.Result))
        | MemberAction.Sync(me, protocol, assignments), _ ->
            let call = client.BeginSync(me, ConsumerProtocol.Type, protocol, assignments)
            Some(callOf action call (fun reply -> MemberInput.Synced reply.Exchange.Result))
        | MemberAction.Beat me, _ ->
            Some(callOf action (client.BeginHeartbeat(me, heartbeat)) (fun reply -> MemberInput.Beaten reply.Exchange.Result))
        | MemberAction.Report owned, Some member' -> Some(report action owned member')
        | MemberAction.AskTopics asked, _ ->
            let call = client.Coordinator.Begin(Metadata.api, LinkMessages.topics asked)
            Some(callOf action call (fun exchange -> MemberInput.TopicsSeen(Result.map LinkMessages.seen exchange.Result)))
        | _ -> None

    let leave (me: GroupMembership) (isTemporary: bool) (call: CallOptions) =
        let told (result: Result<ConsumerGroupHeartbeat.Response, ClientFault>) =
            match result with
            | Ok response -> GroupLeave.Told response.Error
            | Error fault -> GroupLeave.NotTold fault

        left <-
            match modern with
            | Some member' when isTemporary -> told (member'.LeaveTemporarily call).Exchange.Result
            | Some member' -> told (member'.Leave call).Exchange.Result
            | None ->
                let reply = client.Leave(me, call)

                match reply.Result with
                | Error(LeaveFailure.Fault fault) -> GroupLeave.NotTold fault
                | _ -> GroupLeave.Told reply.Error

    let rec feed (call: CallOptions) (input: MemberInput) =
        let next, actions = Membership.step (now ()) input state
        state <- next
        actions |> Observed.each (perform call)

    and perform (call: CallOptions) (action: MemberAction) =
        match action with
        | MemberAction.FetchOffsets _
        | MemberAction.CommitHandled
        | MemberAction.Add _
        | MemberAction.Drop _
        | MemberAction.Lose _
        | MemberAction.Tell _ -> todo.Enqueue action
        | MemberAction.Leave(me, isTemporary) ->
            try
                leave me isTemporary call
            finally
                feed call MemberInput.Left
        | _ ->
            let connect () = client.Coordinator.Connect call |> Result.map (fun _ -> send action)

            match connect |> Observed.orElse (fun () -> feed call (LinkMessages.unanswered action Observed.fault)) with
            | Ok sent -> outstanding <- sent
            | Error ClientFault.Cancelled -> unsent <- Some action
            | Error fault -> feed call (LinkMessages.unanswered action fault)

    // An observer has thrown at a response, but the client knows whether the coordinator has removed the member.
    let thrown (action: MemberAction) : MemberInput =
        match action, modern with
        | MemberAction.Report _, Some member' when member'.Epoch = 0 && state.Me.GenerationOrEpoch > 0 ->
            MemberInput.Answered(Ok { ConsumerGroupHeartbeat.response.Default with Error = ErrorCode.UnknownMemberId })
        | _ -> LinkMessages.unanswered action Observed.fault

    let answered (call: CallOptions) (ended: LinkCall) =
        outstanding <- None
        ended.Answer |> Observed.orElse (fun () -> feed call (thrown ended.Action)) |> feed call

    /// The member.
    member _.State = state

    /// The time of the member's clock.
    member _.Now = now ()

    /// What the caller is to do, in this order.
    member _.Todo = todo

    /// The partitions that the member has lost and the caller still has. The member may have got some of them again.
    member _.Losses: (TopicPartition list * LossReason) list =
        [ for action in todo do
              match action with
              | MemberAction.Lose(partitions, reason) -> partitions, reason
              | _ -> () ]

    /// The call that is outstanding.
    member _.Outstanding: PendingCall option = outstanding |> Option.map _.Call

    /// How long there is nothing to do unless the outstanding call is answered.
    member _.Patience: TimeSpan =
        if unsent.IsSome then
            TimeSpan.Zero
        else
            let due = Membership.due state
            if due = TimeSpan.MaxValue then Timeout.InfiniteTimeSpan else max TimeSpan.Zero (due - now ())

    /// Gives the member an input. Connections are made within the call's options.
    member _.Feed(input: MemberInput, call: CallOptions) = feed call input

    /// Changes the subscription.
    member _.Subscribe(subscription: Subscription, call: CallOptions) =
        match modern, group.Protocol with
        | Some member', GroupProtocol.Consumer assignor -> member'.Subscription <- LinkMessages.subscription group assignor subscription
        | _ -> ()

        feed call (MemberInput.Subscribed subscription)

    /// Handles an answer that has arrived, and does what is due.
    member _.Pump(cancellation: CancellationToken) =
        let call = CallOptions.cancelledBy cancellation
        let postponed = unsent
        unsent <- None
        postponed |> Option.iter (perform call)

        match outstanding with
        | Some ended when ended.Call.IsReady && ended.Call.Receive() -> answered call ended
        | _ -> ()

        if Membership.due state <= now () then feed call MemberInput.TimePassed

    /// Waits until there is something to pump, at most this long.
    member this.Wait(atMost: TimeSpan, cancellation: CancellationToken) =
        let patience = Waiting.shorter this.Patience atMost

        match outstanding with
        | Some waiting -> PendingCalls.WaitAny([| waiting.Call |], patience, cancellation) |> ignore
        | None -> cancellation.WaitHandle.WaitOne patience |> ignore

    /// Leaves the group, unless the member is a static one that stays. A rebalance in progress is given up.
    member this.Close(call: CallOptions) : GroupLeave =
        unsent <- None

        match outstanding with
        | Some { Action = MemberAction.Beat _ | MemberAction.Report _ | MemberAction.AskTopics _ } ->
            this.Wait(TimeSpan.FromSeconds 1.0, call.Cancellation)
        | _ -> ()

        match outstanding with
        | Some ended when ended.Call.IsReady -> answered call ended
        | Some waiting -> waiting.Call.Abandon()
        | None -> ()

        // Its answer may have led to another call.
        outstanding |> Option.iter _.Call.Abandon()
        outstanding <- None

        try
            feed call MemberInput.Closing
        finally
            this.Disconnect()

        left

    /// Closes the connection without leaving the group.
    member _.Disconnect() = client.Close()
