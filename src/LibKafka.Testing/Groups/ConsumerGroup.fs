namespace LibKafka.Testing

open LibKafka.Protocol

/// Groups of the consumer protocol (KIP-848): ConsumerGroupHeartbeat, ConsumerGroupDescribe.
[<RequireQualifiedAccess>]
module internal ConsumerGroup =

    /// Why a heartbeat is refused.
    type private Refusal = { Code: ErrorCode; Text: string option }

    let private refuse (code: ErrorCode) (text: string) : Result<'T, Refusal> = Error { Code = code; Text = Some text }

    let private refused (refusal: Refusal) : ConsumerGroupHeartbeat.Response =
        { ThrottleTimeMs = 0
          Error = refusal.Code
          ErrorMessage = refusal.Text
          MemberId = None
          MemberEpoch = 0
          HeartbeatIntervalMs = 0
          Assignment = None }

    let private unknownMember (memberId: string) (groupId: string) : Result<'T, Refusal> =
        refuse ErrorCode.UnknownMemberId ("Member " + memberId + " is not a member of group " + groupId + ".")

    let private isFull (request: ConsumerGroupHeartbeat.Request) =
        request.RebalanceTimeoutMs <> -1
        && (request.SubscribedTopicNames.IsSome || request.SubscribedTopicRegex.IsSome)
        && request.TopicPartitions.IsSome

    let private joinFault (request: ConsumerGroupHeartbeat.Request) : string voption =
        if request.RebalanceTimeoutMs = -1 then
            ValueSome "RebalanceTimeoutMs must be provided in first request."
        elif request.TopicPartitions <> Some [] then
            ValueSome "TopicPartitions must be empty when (re-)joining."
        elif request.SubscribedTopicNames.IsNone && request.SubscribedTopicRegex.IsNone then
            ValueSome "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining."
        else
            ValueNone

    let private requestFault (call: Call) (request: ConsumerGroupHeartbeat.Request) : string voption =
        let mayLackId = call.Version < ConsumerGroupHeartbeat.ownMemberIdSince && request.MemberEpoch = 0

        if request.GroupId = "" then
            ValueSome "GroupId can't be empty."
        elif request.MemberId = "" && not mayLackId then
            ValueSome "MemberId can't be empty."
        elif request.InstanceId = Some "" then
            ValueSome "InstanceId can't be empty."
        elif request.RackId = Some "" then
            ValueSome "RackId can't be empty."
        elif request.MemberEpoch = 0 then
            joinFault request
        elif request.MemberEpoch = -2 && request.InstanceId.IsNone then
            ValueSome "InstanceId can't be null."
        elif request.MemberEpoch < -2 then
            ValueSome "MemberEpoch is invalid."
        else
            ValueNone

    let private checkRegex (request: ConsumerGroupHeartbeat.Request) : Result<unit, Refusal> =
        match request.SubscribedTopicRegex with
        | Some regex when regex <> "" ->
            match ConsumerReconcile.regexFault regex with
            | ValueSome fault ->
                refuse
                    ErrorCode.InvalidRegularExpression
                    ("SubscribedTopicRegex `" + regex + "` is not a valid regular expression: " + fault + ".")
            | ValueNone -> Ok()
        | _ -> Ok()

    let private check (call: Call) (request: ConsumerGroupHeartbeat.Request) : Result<unit, Refusal> =
        match requestFault call request, request.ServerAssignor with
        | ValueSome text, _ -> refuse ErrorCode.InvalidRequest text
        | ValueNone, Some assignor when not (List.contains assignor ConsumerAssign.names) ->
            refuse
                ErrorCode.UnsupportedAssignor
                ("ServerAssignor "
                 + assignor
                 + " is not supported. Supported assignors: "
                 + System.String.Join(", ", ConsumerAssign.names)
                 + ".")
        | _ -> Ok()

    let private checkTopics (call: Call) (request: ConsumerGroupHeartbeat.Request) (state: State) : Result<unit, Refusal> =
        let isAllowed topic = Security.isAllowed call AclOperation.Describe AclResourceType.Topic topic state

        if request.SubscribedTopicNames |> Option.defaultValue [] |> List.forall isAllowed then
            Ok()
        else
            Error { Code = ErrorCode.TopicAuthorizationFailed; Text = None }

    let private notFound groupId : Result<'T, Refusal> = refuse ErrorCode.GroupIdNotFound ("Group " + groupId + " not found.")

    /// The consumer group that a heartbeat is for. A member that joins creates it, or turns a classic group of consumers into one.
    let private openGroup (call: Call) (request: ConsumerGroupHeartbeat.Request) (state: State) : Result<State * ConsumerState, Refusal> =
        match Groups.tryFind request.GroupId state |> Option.map _.Kind with
        | Some(GroupKind.Consumer group) -> Ok(state, group)
        | None when request.MemberEpoch = 0 -> Ok(state, EmptyGroup.consumer)
        | None -> notFound request.GroupId
        | Some(GroupKind.Classic classic) ->
            match Conversion.toConsumer call.Now state classic with
            | Some group when request.MemberEpoch = 0 ->
                Ok(Groups.answer (ClassicRebalance.dismissAll ErrorCode.RebalanceInProgress classic) state, group)
            | _ -> refuse ErrorCode.GroupIdNotFound ("Group " + request.GroupId + " is not a consumer group.")

    let private newMember (call: Call) (memberId: string) (request: ConsumerGroupHeartbeat.Request) : ConsumerMember =
        { MemberId = memberId
          InstanceId = request.InstanceId
          RackId = None
          ClientId = Groups.clientId call
          ClientHost = Groups.clientHost call
          Epoch = 0
          PreviousEpoch = -1
          RebalanceTimeoutMs = -1
          Topics = []
          Regex = ""
          ServerAssignor = None
          Reconciliation = Reconciliation.Stable
          Assigned = Map.empty
          Revoking = Map.empty
          Expires = call.Now
          RevokeBy = ValueNone
          Classic = ValueNone }

    let private fencedText (relation: string) (sent: int32) (known: int32) =
        "The consumer group member has a "
        + relation
        + " member epoch ("
        + string sent
        + ") than the one known by the group coordinator ("
        + string known
        + "). The member must abandon all its partitions and rejoin."

    /// A member that has missed the last response may still have the epoch before.
    let private checkEpoch (request: ConsumerGroupHeartbeat.Request) (one: ConsumerMember) : Result<ConsumerMember, Refusal> =
        let isLate =
            request.MemberEpoch = one.PreviousEpoch
            && request.TopicPartitions |> Option.exists (fun owned -> Owned.isSubset (Owned.ofHeartbeat owned) one.Assigned)

        if request.MemberEpoch > one.Epoch then
            refuse ErrorCode.FencedMemberEpoch (fencedText "greater" request.MemberEpoch one.Epoch)
        elif request.MemberEpoch < one.Epoch && not isLate then
            refuse ErrorCode.FencedMemberEpoch (fencedText "smaller" request.MemberEpoch one.Epoch)
        else
            Ok one

    let private fencedInstance (memberId: string) (instanceId: string) (owner: string) : Result<'T, Refusal> =
        refuse
            ErrorCode.FencedInstanceId
            ("Static member " + memberId + " with instance id " + instanceId + " was fenced by member " + owner + ".")

    let private unknownInstance (instanceId: string) : Result<'T, Refusal> =
        refuse ErrorCode.UnknownMemberId ("Instance id " + instanceId + " is unknown.")

    /// Gives the place of a static member that has left temporarily to its successor.
    let private succeed (call: Call) (memberId: string) (old: ConsumerMember) (group: ConsumerState) : ConsumerState * ConsumerMember =
        let successor = { old with MemberId = memberId; Epoch = 0; PreviousEpoch = 0; Expires = call.Now; RevokeBy = ValueNone }
        let target = ConsumerReconcile.targetOf old.MemberId group

        { group with
            Members = group.Members |> List.map (fun one -> if one.MemberId = old.MemberId then successor else one)
            Target = group.Target.Remove(old.MemberId).Add(memberId, target) },
        successor

    let private subscribeStatic
        (call: Call)
        (memberId: string)
        instanceId
        (request: ConsumerGroupHeartbeat.Request)
        (group: ConsumerState)
        =
        let isJoin = request.MemberEpoch = 0

        match ConsumerReconcile.tryStatic instanceId group with
        | None when isJoin -> Ok(group, newMember call memberId request)
        | None -> unknownInstance instanceId
        | Some one when one.MemberId = memberId && isJoin -> Ok(group, one)
        | Some one when one.MemberId = memberId -> checkEpoch request one |> Result.map (fun one -> group, one)
        | Some one when isJoin && one.Epoch = -2 -> Ok(succeed call memberId one group)
        | Some one when isJoin ->
            refuse
                ErrorCode.UnreleasedInstanceId
                ("Static member "
                 + memberId
                 + " with instance id "
                 + instanceId
                 + " cannot join the group because the instance id is owned by "
                 + one.MemberId
                 + " member.")
        | Some one -> fencedInstance memberId instanceId one.MemberId

    /// The member that sends the heartbeat, as it was before.
    let private subscribe
        (call: Call)
        (settings: BrokerGroupSettings)
        memberId
        (request: ConsumerGroupHeartbeat.Request)
        (group: ConsumerState)
        =
        match request.InstanceId, ConsumerReconcile.tryMember memberId group with
        | _, None when request.MemberEpoch = 0 && group.Members.Length >= settings.MaxSize ->
            refuse
                ErrorCode.GroupMaxSizeReached
                ("The consumer group has reached its maximum capacity of " + string settings.MaxSize + " members.")
        | Some instanceId, _ -> subscribeStatic call memberId instanceId request group
        | None, None when request.MemberEpoch = 0 -> Ok(group, newMember call memberId request)
        | None, None -> unknownMember memberId request.GroupId
        | None, Some one when request.MemberEpoch = 0 -> Ok(group, one)
        | None, Some one -> checkEpoch request one |> Result.map (fun one -> group, one)

    let private updated (call: Call) (request: ConsumerGroupHeartbeat.Request) (one: ConsumerMember) : ConsumerMember =
        { one with
            RackId = Option.orElse one.RackId request.RackId
            ClientId = Groups.clientId call
            ClientHost = Groups.clientHost call
            RebalanceTimeoutMs = (if request.RebalanceTimeoutMs = -1 then one.RebalanceTimeoutMs else request.RebalanceTimeoutMs)
            Topics = request.SubscribedTopicNames |> Option.map List.distinct |> Option.defaultValue one.Topics
            Regex = request.SubscribedTopicRegex |> Option.defaultValue one.Regex
            ServerAssignor = Option.orElse one.ServerAssignor request.ServerAssignor
            Classic = ValueNone }

    /// Whether the change of the member's subscription begins a new epoch. A new regular expression does so after its topics are known.
    let private isNewSubscription (group: ConsumerState) (before: ConsumerMember) (after: ConsumerMember) : bool =
        (ConsumerReconcile.tryMember after.MemberId group).IsNone
        || Set.ofList before.Topics <> Set.ofList after.Topics
        || (after.Regex <> "" && after.Regex <> before.Regex && group.Regexes.ContainsKey after.Regex)

    /// The group and its member after a heartbeat with these partitions.
    let internal advance (now: Moment) owned (sessionTimeoutMs: int32) memberId (group: ConsumerState) : ConsumerState * ConsumerMember =
        let group = ConsumerReconcile.updateTarget group
        let before = group.Members |> List.find (fun one -> one.MemberId = memberId)
        let after = ConsumerReconcile.reconcile owned group before

        let revokeBy =
            match after.Reconciliation, before.RevokeBy with
            | Reconciliation.Unrevoked, ValueSome deadline when after.Epoch = before.Epoch -> ValueSome deadline
            | Reconciliation.Unrevoked, _ -> ValueSome(now + int64 after.RebalanceTimeoutMs)
            | _ -> ValueNone

        let timed = { after with Expires = now + int64 sessionTimeoutMs; RevokeBy = revokeBy }
        ConsumerReconcile.putMember timed group, timed

    let private accept
        (call: Call)
        (request: ConsumerGroupHeartbeat.Request)
        (group: ConsumerState)
        (before: ConsumerMember)
        (state: State)
        =
        let joined = updated call request before
        let isNew = isNewSubscription group before joined
        let subscribed = ConsumerReconcile.putMember joined group

        let bumped =
            if isNew then
                ConsumerReconcile.bump state subscribed
            else
                ConsumerReconcile.refresh state subscribed

        let owned = request.TopicPartitions |> Option.map Owned.ofHeartbeat |> ValueOption.ofOption
        let sessionTimeoutMs = ResourceConfigs.sessionTimeoutMs request.GroupId state
        let group, after = advance call.Now owned sessionTimeoutMs joined.MemberId bumped
        let isTold = request.MemberEpoch = 0 || isFull request || after.Assigned <> before.Assigned

        let response: ConsumerGroupHeartbeat.Response =
            { ThrottleTimeMs = 0
              Error = ErrorCode.None
              ErrorMessage = None
              MemberId = Some after.MemberId
              MemberEpoch = after.Epoch
              HeartbeatIntervalMs = ResourceConfigs.heartbeatIntervalMs request.GroupId state
              Assignment = (if isTold then Some { TopicPartitions = Owned.toHeartbeat after.Assigned } else None) }

        Groups.putConsumer request.GroupId (ConsumerReconcile.resolveRegexes call.Now state group) state, response

    let private left (request: ConsumerGroupHeartbeat.Request) : ConsumerGroupHeartbeat.Response =
        { ThrottleTimeMs = 0
          Error = ErrorCode.None
          ErrorMessage = None
          MemberId = Some request.MemberId
          MemberEpoch = request.MemberEpoch
          HeartbeatIntervalMs = 0
          Assignment = None }

    let private leaving (request: ConsumerGroupHeartbeat.Request) (group: ConsumerState) : Result<ConsumerMember, Refusal> =
        match request.InstanceId with
        | None ->
            match ConsumerReconcile.tryMember request.MemberId group with
            | Some one -> Ok one
            | None -> unknownMember request.MemberId request.GroupId
        | Some instanceId ->
            match ConsumerReconcile.tryStatic instanceId group with
            | Some one when one.MemberId = request.MemberId -> Ok one
            | Some one -> fencedInstance request.MemberId instanceId one.MemberId
            | None -> unknownInstance instanceId

    let private leave (call: Call) (request: ConsumerGroupHeartbeat.Request) (state: State) : Result<State * _, Refusal> =
        openGroup call request state
        |> Result.bind (fun (state, group) ->
            leaving request group
            |> Result.map (fun one ->
                if request.MemberEpoch = -2 then
                    Groups.putConsumer request.GroupId (ConsumerReconcile.putMember { one with Epoch = -2 } group) state, left request
                else
                    Conversion.store call.Now request.GroupId (ConsumerReconcile.remove state one.MemberId group) state, left request))

    let private stay (call: Call) (request: ConsumerGroupHeartbeat.Request) (state: State) : Result<State * _, Refusal> =
        let state, memberId = if request.MemberId = "" then Groups.newShortId state else state, request.MemberId

        checkTopics call request state
        |> Result.bind (fun () -> openGroup call request state)
        |> Result.bind (fun (state, group) ->
            subscribe call state.Groups.Settings memberId request group
            |> Result.bind (fun (group, before) -> checkRegex request |> Result.map (fun () -> accept call request group before state)))

    let private heartbeat (call: Call) (request: ConsumerGroupHeartbeat.Request) (state: State) : State * Answer =
        let code = Groups.refusal call AclOperation.Read request.GroupId state

        let result =
            if code.IsError && code <> ErrorCode.InvalidGroupId then
                Error { Code = code; Text = None }
            else
                check call request
                |> Result.bind (fun () -> if request.MemberEpoch < 0 then leave call request state else stay call request state)

        match result with
        | Ok(after, response) -> after, Reply(Response.ConsumerGroupHeartbeat response)
        | Error refusal -> state, Reply(Response.ConsumerGroupHeartbeat(refused refusal))

    let private describedTopics (state: State) (partitions: OwnedPartitions) : DescribedAssignment =
        { TopicPartitions =
            [ for KeyValue(id, numbers) in partitions do
                  match Cluster.tryTopicById id state with
                  | Some topic -> { TopicId = id; TopicName = topic.Name; Partitions = List.ofSeq numbers }
                  | None -> () ] }

    let private describedMember (state: State) (group: ConsumerState) (one: ConsumerMember) : ConsumerGroupDescribe.Member =
        { MemberId = one.MemberId
          InstanceId = one.InstanceId
          RackId = one.RackId
          MemberEpoch = one.Epoch
          ClientId = one.ClientId
          ClientHost = one.ClientHost
          SubscribedTopicNames = one.Topics
          SubscribedTopicRegex = Some one.Regex
          Assignment = describedTopics state one.Assigned
          TargetAssignment = describedTopics state (ConsumerReconcile.targetOf one.MemberId group)
          MemberType = (if one.Classic.IsSome then GroupMemberType.Classic else GroupMemberType.Consumer) }

    let private described (call: Call) (operations: AuthorizedOperations) (groupId: string) (state: State) : ConsumerGroupDescribe.Group =
        let failed (code: ErrorCode) (text: string option) : ConsumerGroupDescribe.Group =
            { Error = code
              ErrorMessage = text
              GroupId = groupId
              GroupState = LibKafka.GroupState ""
              GroupEpoch = 0
              AssignmentEpoch = 0
              AssignorName = ""
              Members = []
              AuthorizedOperations = AuthorizedOperations.NotAsked }

        let code = Groups.refusal call AclOperation.Describe groupId state

        match Groups.tryFind groupId state |> Option.map _.Kind with
        | _ when code.IsError -> failed code None
        | None -> failed ErrorCode.GroupIdNotFound (Some("Group " + groupId + " not found."))
        | Some(GroupKind.Classic _) -> failed ErrorCode.GroupIdNotFound (Some("Group " + groupId + " is not a consumer group."))
        | Some(GroupKind.Consumer group) ->
            { Error = ErrorCode.None
              ErrorMessage = None
              GroupId = groupId
              GroupState = ConsumerReconcile.phase group
              GroupEpoch = group.Epoch
              AssignmentEpoch = group.TargetEpoch
              AssignorName = group.Assignor
              Members = [ for one in group.Members -> describedMember state group one ]
              AuthorizedOperations = operations }

    /// Brokers fail with the whole request if one of the ids is empty.
    let private describe (call: Call) (request: ConsumerGroupDescribe.Request) (state: State) : State * Answer =
        let one groupId = described call (Groups.operations request.IncludeAuthorizedOperations state) groupId state
        let groups = request.GroupIds |> List.map one

        let groups =
            if List.contains "" request.GroupIds then
                [ for group in groups ->
                      { group with
                          Error = ErrorCode.UnknownServerError
                          ErrorMessage = None
                          GroupState = LibKafka.GroupState ""
                          GroupEpoch = 0
                          AssignmentEpoch = 0
                          AssignorName = ""
                          Members = [] } ]
            else
                groups

        state, Reply(Response.ConsumerGroupDescribe { ThrottleTimeMs = 0; Groups = groups })

    /// ValueNone for other requests.
    let tryHandle (call: Call) (request: Request) (state: State) : (State * Answer) voption =
        match request with
        | Request.ConsumerGroupHeartbeat request -> ValueSome(heartbeat call request state)
        | Request.ConsumerGroupDescribe request -> ValueSome(describe call request state)
        | _ -> ValueNone

    let private expiry (one: ConsumerMember) : Moment =
        match one.RevokeBy with
        | ValueSome deadline -> min deadline one.Expires
        | ValueNone -> one.Expires

    let private consumers (state: State) : (string * ConsumerState) seq = seq {
        for group in state.Groups.ById.Values do
            match group.Kind with
            | GroupKind.Consumer consumer -> group.GroupId, consumer
            | GroupKind.Classic _ -> ()
    }

    /// Removes the members whose sessions have ended, and those that have not given up their partitions in time.
    let tick (now: Moment) (state: State) : State =
        let expire state (groupId, group: ConsumerState) =
            match group.Members |> List.filter (fun one -> expiry one <= now) with
            | [] -> state
            | expired ->
                let rest = expired |> List.fold (fun group one -> ConsumerReconcile.remove state one.MemberId group) group
                Conversion.store now groupId rest state

        consumers state |> List.ofSeq |> List.fold expire state

    /// When the next time-out is due.
    let nextTick (state: State) : Moment voption =
        let due = seq {
            for _, group in consumers state do
                for one in group.Members -> expiry one
        }

        if Seq.isEmpty due then ValueNone else ValueSome(Seq.min due)

    /// Sets the target assignment of a group's members, by member id. It comes instead of the assignor's until `clearTarget`.
    let setTarget (groupId: string) (target: Map<string, OwnedPartitions>) (state: State) : State =
        match Groups.tryFind groupId state |> Option.map _.Kind with
        | Some(GroupKind.Consumer group) ->
            Groups.putConsumer groupId (ConsumerReconcile.bump state { group with Scripted = ValueSome target }) state
        | _ -> state

    /// Gives the target assignment back to the assignor.
    let clearTarget (groupId: string) (state: State) : State =
        match Groups.tryFind groupId state |> Option.map _.Kind with
        | Some(GroupKind.Consumer group) ->
            Groups.putConsumer groupId (ConsumerReconcile.bump state { group with Scripted = ValueNone }) state
        | _ -> state
