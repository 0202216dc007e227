namespace LibKafka.Testing

open LibKafka.Protocol
open LibKafka.Groups

/// Members that use the classic protocol in a consumer group: the broker divides the partitions for them, too.
[<RequireQualifiedAccess>]
module internal MixedGroup =

    /// The classic member, or why there is none.
    let private find
        (memberId: string)
        (instanceId: string option)
        (group: ConsumerState)
        : Result<ConsumerMember * ClassicSide, ErrorCode> =
        let named = instanceId |> Option.map (fun name -> ConsumerReconcile.tryStatic name group)

        match named, ConsumerReconcile.tryMember memberId group with
        | Some(Some owner), _ when owner.MemberId <> memberId -> Error ErrorCode.FencedInstanceId
        | Some None, _
        | _, None -> Error ErrorCode.UnknownMemberId
        | _, Some one ->
            match one.Classic with
            | ValueSome side -> Ok(one, side)
            | ValueNone -> Error ErrorCode.UnknownMemberId

    let private supports (request: JoinGroup.Request) (group: ConsumerState) : bool =
        let names = request.Protocols |> List.map _.Name |> Set.ofList

        let shared =
            group.Members
            |> List.choose (fun one -> one.Classic |> ValueOption.toOption)
            |> List.fold (fun shared side -> Set.intersect shared (side.Protocols |> List.map _.Name |> Set.ofList)) names

        request.ProtocolType = ConsumerProtocol.Type && not shared.IsEmpty

    let private joining
        (call: Call)
        memberId
        (request: JoinGroup.Request)
        rebalanceTimeoutMs
        (subscribed: ConsumerProtocolSubscription.Subscription)
        group
        =
        let before = ConsumerReconcile.tryMember memberId group
        let known = before |> Option.map (fun one -> one.Topics) |> Option.defaultValue []

        let one =
            { MemberId = memberId
              InstanceId = request.GroupInstanceId
              RackId = subscribed.RackId
              ClientId = Groups.clientId call
              ClientHost = Groups.clientHost call
              Epoch = before |> Option.map _.Epoch |> Option.defaultValue 0
              PreviousEpoch = before |> Option.map _.PreviousEpoch |> Option.defaultValue -1
              RebalanceTimeoutMs = rebalanceTimeoutMs
              Topics = List.distinct subscribed.Topics
              Regex = ""
              ServerAssignor = None
              Reconciliation = before |> Option.map _.Reconciliation |> Option.defaultValue Reconciliation.Stable
              Assigned = before |> Option.map _.Assigned |> Option.defaultValue Map.empty
              Revoking = before |> Option.map _.Revoking |> Option.defaultValue Map.empty
              Expires = call.Now
              RevokeBy = before |> Option.map _.RevokeBy |> Option.defaultValue ValueNone
              Classic = ValueSome { SessionTimeoutMs = request.SessionTimeoutMs; Protocols = request.Protocols } }

        one, before.IsNone || Set.ofList known <> Set.ofList one.Topics

    let private enter (call: Call) memberId (request: JoinGroup.Request) rebalanceTimeoutMs subscribed group (state: State) =
        let one, isNew = joining call memberId request rebalanceTimeoutMs subscribed group
        let placed = ConsumerReconcile.putMember one group
        let bumped = if isNew then ConsumerReconcile.bump state placed else ConsumerReconcile.refresh state placed
        // A member that joins again has given up all partitions that it does not list.
        let owned = ValueSome(Conversion.owned state subscribed.OwnedPartitions)
        let group, after = ConsumerGroup.advance call.Now owned request.SessionTimeoutMs memberId bumped

        let response: JoinGroup.Response =
            { ThrottleTimeMs = 0
              Error = ErrorCode.None
              GenerationId = after.Epoch
              ProtocolType = Some ConsumerProtocol.Type
              ProtocolName = Some request.Protocols.Head.Name
              Leader = ""
              SkipAssignment = false
              MemberId = memberId
              Members = [] }

        Groups.putConsumer request.GroupId group state, response

    /// The member id that a request joins with. A static member takes the place of the one that has its name.
    let private identify (request: JoinGroup.Request) (newId: string) (group: ConsumerState) : Result<string * ConsumerState, ErrorCode> =
        match request.GroupInstanceId |> Option.bind (fun name -> ConsumerReconcile.tryStatic name group) with
        | Some owner when request.MemberId = "" ->
            let renamed = { owner with MemberId = newId }
            let target = ConsumerReconcile.targetOf owner.MemberId group

            Ok(
                newId,
                { group with
                    Members = group.Members |> List.map (fun one -> if one.MemberId = owner.MemberId then renamed else one)
                    Target = group.Target.Remove(owner.MemberId).Add(newId, target) }
            )
        | Some owner when owner.MemberId <> request.MemberId -> Error ErrorCode.FencedInstanceId
        | _ -> Ok((if request.MemberId = "" then newId else request.MemberId), group)

    /// JoinGroup.
    let join (call: Call) (request: JoinGroup.Request) (rebalanceTimeoutMs: int32) (needsId: bool) (group: ConsumerState) (state: State) =
        let state, newId = Groups.newShortId state
        let refused code memberId = state, ClassicRebalance.refusedJoin code memberId

        match Conversion.subscription request.Protocols with
        | _ when not (supports request group) -> refused ErrorCode.InconsistentGroupProtocol request.MemberId
        | None -> refused ErrorCode.InconsistentGroupProtocol request.MemberId
        | Some _ when needsId && request.MemberId = "" && request.GroupInstanceId.IsNone -> refused ErrorCode.MemberIdRequired newId
        | Some subscribed ->
            match identify request newId group with
            | Error code -> refused code request.MemberId
            | Ok(memberId, group) -> enter call memberId request rebalanceTimeoutMs subscribed group state

    let private mustJoin (group: ConsumerState) (one: ConsumerMember) : bool =
        one.Epoch < group.Epoch
        || one.Reconciliation = Reconciliation.Unrevoked
        || (one.Reconciliation = Reconciliation.Unreleased && (ConsumerReconcile.reconcile ValueNone group one) <> one)

    let private keepAlive (call: Call) groupId (one: ConsumerMember) (side: ClassicSide) (group: ConsumerState) (state: State) : State =
        let alive = { one with Expires = call.Now + int64 side.SessionTimeoutMs }
        Groups.putConsumer groupId (ConsumerReconcile.putMember alive group) state

    /// Heartbeat.
    let heartbeat (call: Call) (request: Heartbeat.Request) (group: ConsumerState) (state: State) : State * ErrorCode =
        match find request.MemberId request.GroupInstanceId group with
        | Error code -> state, code
        | Ok(one, _) when one.Epoch <> request.GenerationId -> state, ErrorCode.IllegalGeneration
        | Ok(one, side) ->
            keepAlive call request.GroupId one side group state,
            (if mustJoin group one then ErrorCode.RebalanceInProgress else ErrorCode.None)

    /// SyncGroup.
    let sync (call: Call) (request: SyncGroup.Request) (group: ConsumerState) (state: State) : State * SyncGroup.Response =
        match find request.MemberId request.GroupInstanceId group with
        | Error code -> state, ClassicRebalance.refusedSync code
        | Ok(one, _) when one.Epoch <> request.GenerationId -> state, ClassicRebalance.refusedSync ErrorCode.IllegalGeneration
        | Ok(one, _) when one.Epoch < group.Epoch -> state, ClassicRebalance.refusedSync ErrorCode.RebalanceInProgress
        | Ok(one, side) ->
            keepAlive call request.GroupId one side group state,
            { ThrottleTimeMs = 0
              Error = ErrorCode.None
              ProtocolType = request.ProtocolType
              ProtocolName = request.ProtocolName
              Assignment = Conversion.assignment state side.Protocols one.Assigned }

    /// One member of LeaveGroup.
    let private leaveOne (state: State) (group: ConsumerState) (one: LeaveGroup.MemberRequest) : LeaveGroup.MemberResponse * ConsumerState =
        let response code : LeaveGroup.MemberResponse = { MemberId = one.MemberId; GroupInstanceId = one.GroupInstanceId; Error = code }

        let byName =
            match one.GroupInstanceId with
            | Some name when one.MemberId = "" -> ConsumerReconcile.tryStatic name group
            | _ -> None

        match byName, find one.MemberId one.GroupInstanceId group with
        | Some owner, _ -> { response ErrorCode.None with MemberId = owner.MemberId }, ConsumerReconcile.remove state owner.MemberId group
        | None, Ok(found, _) -> response ErrorCode.None, ConsumerReconcile.remove state found.MemberId group
        | None, Error code -> response code, group

    /// LeaveGroup.
    let leave (call: Call) groupId (members: LeaveGroup.MemberRequest list) (group: ConsumerState) (state: State) =
        let responses, rest = members |> List.mapFold (leaveOne state) group
        (if rest = group then state else Conversion.store call.Now groupId rest state), responses
