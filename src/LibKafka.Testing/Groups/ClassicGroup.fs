namespace LibKafka.Testing

open LibKafka.Protocol

/// Groups of the classic protocol: JoinGroup, SyncGroup, Heartbeat, LeaveGroup.
[<RequireQualifiedAccess>]
module internal ClassicGroup =

    /// The first version with a rebalance timeout of its own.
    let private rebalanceTimeoutSince = 1s

    /// The first version in which members must join with an id that the broker has given them.
    let private memberIdSince = 4s

    /// The first version in which a leader can be told to keep the assignment.
    let private skipSince = 9s

    /// The first version whose ProtocolName can be null.
    let private nullableNameSince = 7s

    /// A member of the group, or why the request's is not one.
    let private find (memberId: string) (instanceId: string option) (group: ClassicState) : Result<ClassicMember, ErrorCode> =
        match instanceId, ClassicRebalance.tryMember memberId group with
        | Some name, found ->
            match ClassicRebalance.tryStatic name group, found with
            | Some owner, _ when owner.MemberId <> memberId -> Error ErrorCode.FencedInstanceId
            | Some owner, _ -> Ok owner
            | None, _ -> Error ErrorCode.UnknownMemberId
        | None, Some one -> Ok one
        | None, None -> Error ErrorCode.UnknownMemberId

    let private store (groupId: string) (step: ClassicStep) (state: State) : State =
        state |> Groups.putClassic groupId step.Group |> Groups.answer step.Answers

    /// What a JoinGroup request does to a group.
    type private Joining =
        {
            Call: Call
            Request: JoinGroup.Request
            RebalanceTimeoutMs: int32
            Ticket: Ticket
            /// For a new member.
            NewId: string
            Settings: BrokerGroupSettings
        }

    let private reply (joining: Joining) (response: JoinGroup.Response) (group: ClassicState) : ClassicStep =
        { Group = group; Answers = [ joining.Ticket, Response.JoinGroup response ] }

    let private refuse (joining: Joining) (code: ErrorCode) (group: ClassicState) : ClassicStep =
        reply joining (ClassicRebalance.refusedJoin code joining.Request.MemberId) group

    let private rebalance (joining: Joining) (group: ClassicState) : ClassicStep =
        ClassicRebalance.proceed joining.Call.Now joining.Settings group

    let private addMember (joining: Joining) (memberId: string) (group: ClassicState) : ClassicStep =
        let request = joining.Request

        let one =
            { MemberId = memberId
              InstanceId = request.GroupInstanceId
              ClientId = Groups.clientId joining.Call
              ClientHost = Groups.clientHost joining.Call
              SessionTimeoutMs = request.SessionTimeoutMs
              RebalanceTimeoutMs = joining.RebalanceTimeoutMs
              Protocols = request.Protocols
              Assignment = ClassicRebalance.noBytes
              Join = ValueSome joining.Ticket
              Sync = ValueNone
              OwesSync = false
              Expires = joining.Call.Now + int64 request.SessionTimeoutMs }

        group |> ClassicRebalance.add one request.ProtocolType |> rebalance joining

    /// The response to a static member that has taken the place of its predecessor without a rebalance. A leader that cannot be told to keep
    /// the assignment is told that its predecessor leads, so that it does not assign.
    let private replaced (joining: Joining) (oldLeader: string) (group: ClassicState) : JoinGroup.Response =
        let response = ClassicRebalance.joined joining.NewId group

        if joining.Call.Version >= skipSince then
            { response with SkipAssignment = (group.Leader = joining.NewId) }
        else
            { response with Leader = oldLeader; Members = [] }

    let private replaceStatic (joining: Joining) (old: ClassicMember) (group: ClassicState) : ClassicStep =
        let step =
            ClassicRebalance.replaceStatic joining.Call.Now old joining.NewId joining.Request joining.RebalanceTimeoutMs group

        let rejoin after = after |> ClassicRebalance.waitJoin joining.Ticket joining.NewId |> rebalance joining

        let go (after: ClassicState) =
            match after.Phase with
            | ClassicPhase.Stable _ when ClassicRebalance.select after.Members = after.ProtocolName ->
                reply joining (replaced joining group.Leader after) after
            | _ -> rejoin after

        ClassicRebalance.andThen go step

    let private joinNew (joining: Joining) (group: ClassicState) : ClassicStep =
        let owner = joining.Request.GroupInstanceId |> Option.bind (fun name -> ClassicRebalance.tryStatic name group)

        match owner with
        | Some old -> replaceStatic joining old group
        | None when joining.Call.Version >= memberIdSince && joining.Request.GroupInstanceId.IsNone ->
            let expires = joining.Call.Now + int64 joining.Request.SessionTimeoutMs

            { group with Pending = group.Pending.Add(joining.NewId, expires) }
            |> reply joining (ClassicRebalance.refusedJoin ErrorCode.MemberIdRequired joining.NewId)
        | None -> addMember joining joining.NewId group

    let private rejoin (joining: Joining) (one: ClassicMember) (group: ClassicState) : ClassicStep =
        let isSame = (one.Protocols = joining.Request.Protocols)

        let again () =
            group
            |> ClassicRebalance.rejoin joining.Ticket joining.Request joining.RebalanceTimeoutMs one.MemberId
            |> ClassicRebalance.andThen (rebalance joining)

        match group.Phase with
        | ClassicPhase.PreparingRebalance _ -> again ()
        | ClassicPhase.CompletingRebalance _ when isSame -> reply joining (ClassicRebalance.joined one.MemberId group) group
        | ClassicPhase.CompletingRebalance _ -> again ()
        | ClassicPhase.Stable _ when isSame && group.Leader <> one.MemberId ->
            reply joining (ClassicRebalance.joined one.MemberId group) group
        | ClassicPhase.Stable _ -> again ()
        | ClassicPhase.Empty -> refuse joining ErrorCode.UnknownMemberId group

    let private joinKnown (joining: Joining) (group: ClassicState) : ClassicStep =
        let memberId = joining.Request.MemberId

        if group.Pending.ContainsKey memberId then
            addMember joining memberId group
        else
            match find memberId joining.Request.GroupInstanceId group with
            | Ok one -> rejoin joining one group
            | Error code -> refuse joining code group

    let private isFull (joining: Joining) (group: ClassicState) : bool =
        let joined = group.Members |> List.filter _.Join.IsSome

        match group.Phase with
        | ClassicPhase.Empty -> false
        | ClassicPhase.PreparingRebalance _ ->
            joined.Length >= joining.Settings.MaxSize && joined |> List.forall (fun one -> one.MemberId <> joining.Request.MemberId)
        | _ -> group.Members.Length >= joining.Settings.MaxSize && (ClassicRebalance.tryMember joining.Request.MemberId group).IsNone

    let private joinClassic (joining: Joining) (group: ClassicState) : ClassicStep =
        let request = joining.Request

        if isFull joining group then
            refuse joining ErrorCode.GroupMaxSizeReached group
        elif not (ClassicRebalance.supports request.ProtocolType request.Protocols group) then
            refuse joining ErrorCode.InconsistentGroupProtocol group
        elif request.MemberId = "" then
            joinNew joining group
        else
            joinKnown joining group

    let private joinFault (call: Call) (request: JoinGroup.Request) (state: State) : ErrorCode =
        let code = Groups.refusal call AclOperation.Read request.GroupId state
        let settings = state.Groups.Settings

        if code.IsError then
            code
        elif request.SessionTimeoutMs < settings.MinSessionTimeoutMs || request.SessionTimeoutMs > settings.MaxSessionTimeoutMs then
            ErrorCode.InvalidSessionTimeout
        else
            ErrorCode.None

    /// The protocol name of a response is null only in versions that allow it.
    let private adaptJoin (version: int16) (response: Response) : Response =
        match response with
        | Response.JoinGroup join when version < nullableNameSince && join.ProtocolName.IsNone ->
            Response.JoinGroup { join with ProtocolName = Some "" }
        | response -> response

    let private join (call: Call) (request: JoinGroup.Request) (group: ClassicState) (timeoutMs: int32) (state: State) : State * Answer =
        let state, ticket = Groups.takeTicket state
        let state, newId = Groups.newMemberId call request.GroupInstanceId state

        let joining =
            { Call = call
              Request = request
              RebalanceTimeoutMs = timeoutMs
              Ticket = ticket
              NewId = newId
              Settings = state.Groups.Settings }

        let step = joinClassic joining group
        // A group is not created by a request that is refused.
        let state =
            if step.Group = EmptyGroup.classic then
                Groups.answer step.Answers state
            else
                store request.GroupId step state
        Groups.await ticket (adaptJoin call.Version) state

    let private joinGroup (call: Call) (request: JoinGroup.Request) (state: State) : State * Answer =
        let code = joinFault call request state
        let timeout = if call.Version >= rebalanceTimeoutSince then request.RebalanceTimeoutMs else -1
        let timeout = if timeout = -1 then request.SessionTimeoutMs else timeout
        let reply response = Reply(adaptJoin call.Version (Response.JoinGroup response))

        if code.IsError then
            state, reply (ClassicRebalance.refusedJoin code request.MemberId)
        else
            match Groups.tryFind request.GroupId state |> Option.map _.Kind with
            | Some(GroupKind.Classic group) -> join call request group timeout state
            | Some(GroupKind.Consumer group) when not group.Members.IsEmpty ->
                let state, response = MixedGroup.join call request timeout (call.Version >= memberIdSince) group state
                state, reply response
            | _ when request.MemberId <> "" -> state, reply (ClassicRebalance.refusedJoin ErrorCode.UnknownMemberId request.MemberId)
            | _ -> join call request EmptyGroup.classic timeout state

    let private syncFault (request: SyncGroup.Request) (group: ClassicState) : ErrorCode =
        let differs (given: string option) (own: string option) = given.IsSome && given <> own

        match find request.MemberId request.GroupInstanceId group with
        | Error code -> code
        | Ok _ when request.GenerationId <> group.Generation -> ErrorCode.IllegalGeneration
        | Ok _ when differs request.ProtocolType (Some group.ProtocolType) || differs request.ProtocolName group.ProtocolName ->
            ErrorCode.InconsistentGroupProtocol
        | Ok _ -> ErrorCode.None

    let private sync (call: Call) (request: SyncGroup.Request) (group: ClassicState) (state: State) : State * Answer =
        match syncFault request group, find request.MemberId request.GroupInstanceId group with
        | code, Ok one when not code.IsError ->
            let state, ticket = Groups.takeTicket state
            let step = ClassicRebalance.sync call.Now ticket one request.Assignments group
            Groups.await ticket id (store request.GroupId step state)
        | code, _ -> state, Reply(Response.SyncGroup(ClassicRebalance.refusedSync code))

    /// The first version that requires the protocol's type and name.
    let private namedProtocolSince = 5s

    let private syncGroup (call: Call) (request: SyncGroup.Request) (state: State) : State * Answer =
        let refused code = state, Reply(Response.SyncGroup(ClassicRebalance.refusedSync code))
        let code = Groups.refusal call AclOperation.Read request.GroupId state

        if call.Version >= namedProtocolSince && (request.ProtocolType.IsNone || request.ProtocolName.IsNone) then
            refused ErrorCode.InconsistentGroupProtocol
        elif code.IsError then
            refused code
        else
            match Groups.tryFind request.GroupId state |> Option.map _.Kind with
            | None -> refused ErrorCode.UnknownMemberId
            | Some(GroupKind.Classic group) -> sync call request group state
            | Some(GroupKind.Consumer group) ->
                let state, response = MixedGroup.sync call request group state
                state, Reply(Response.SyncGroup response)

    /// What a heartbeat says during a rebalance. Releases before 2.7 let members join again while the leader assigns.
    let private heartbeatCode (group: ClassicState) (state: State) : ErrorCode =
        match group.Phase with
        | ClassicPhase.Empty -> ErrorCode.UnknownMemberId
        | ClassicPhase.PreparingRebalance _ -> ErrorCode.RebalanceInProgress
        | ClassicPhase.CompletingRebalance _ when not (state.Settings.Release.IsAtLeast(2, 7)) -> ErrorCode.RebalanceInProgress
        | ClassicPhase.CompletingRebalance _
        | ClassicPhase.Stable _ -> ErrorCode.None

    let private beat (call: Call) (request: Heartbeat.Request) (state: State) : State * ErrorCode =
        match Groups.tryFind request.GroupId state |> Option.map _.Kind with
        | None -> state, ErrorCode.UnknownMemberId
        | Some(GroupKind.Consumer group) -> MixedGroup.heartbeat call request group state
        | Some(GroupKind.Classic group) ->
            match find request.MemberId request.GroupInstanceId group with
            | Error code -> state, code
            | Ok _ when request.GenerationId <> group.Generation -> state, ErrorCode.IllegalGeneration
            | Ok one ->
                Groups.putClassic request.GroupId (ClassicRebalance.keepAlive call.Now one.MemberId group) state, heartbeatCode group state

    let private heartbeat (call: Call) (request: Heartbeat.Request) (state: State) : State * Answer =
        let refusal = Groups.refusal call AclOperation.Read request.GroupId state
        let state, code = if refusal.IsError then state, refusal else beat call request state
        state, Reply(Response.Heartbeat { ThrottleTimeMs = 0; Error = code })

    let private leaveOne (now: Moment) (settings: BrokerGroupSettings) (step: ClassicStep) (one: LeaveGroup.MemberRequest) =
        let group = step.Group

        let response code : LeaveGroup.MemberResponse = { MemberId = one.MemberId; GroupInstanceId = one.GroupInstanceId; Error = code }

        let remove found =
            response ErrorCode.None,
            step
            |> ClassicRebalance.andThen (ClassicRebalance.remove found)
            |> ClassicRebalance.andThen (ClassicRebalance.proceed now settings)

        let byName =
            match one.GroupInstanceId with
            | Some name when one.MemberId = "" -> ClassicRebalance.tryStatic name group
            | _ -> None

        match byName, find one.MemberId one.GroupInstanceId group with
        | Some found, _ -> remove found
        | None, _ when group.Pending.ContainsKey one.MemberId ->
            let forget group = ClassicRebalance.tryComplete now { group with Pending = group.Pending.Remove one.MemberId }
            response ErrorCode.None, ClassicRebalance.andThen forget step
        | None, Ok found -> remove found
        | None, Error code when one.MemberId = "" && code = ErrorCode.FencedInstanceId -> response ErrorCode.UnknownMemberId, step
        | None, Error code -> response code, step

    let private leaveAll (call: Call) (groupId: string) (members: LeaveGroup.MemberRequest list) (state: State) =
        match Groups.tryFind groupId state |> Option.map _.Kind with
        | Some(GroupKind.Consumer group) -> MixedGroup.leave call groupId members group state
        | Some(GroupKind.Classic group) ->
            let responses, step = members |> List.mapFold (leaveOne call.Now state.Groups.Settings) (ClassicRebalance.still group)

            store groupId step state, responses
        | None ->
            state,
            [ for one in members -> { MemberId = one.MemberId; GroupInstanceId = one.GroupInstanceId; Error = ErrorCode.UnknownMemberId } ]

    let private leaveGroup (call: Call) (request: LeaveGroup.Request) (state: State) : State * Answer =
        let refusal = Groups.refusal call AclOperation.Read request.GroupId state
        let isList = call.Version >= LeaveGroup.membersSince

        let members: LeaveGroup.MemberRequest list =
            if isList then
                request.Members
            else
                [ { MemberId = request.MemberId; GroupInstanceId = None; Reason = None } ]

        let state, code, responses =
            if refusal.IsError then
                state, refusal, []
            else
                match leaveAll call request.GroupId members state with
                | state, responses when isList -> state, ErrorCode.None, responses
                | state, responses -> state, responses.Head.Error, []

        state, Reply(Response.LeaveGroup { ThrottleTimeMs = 0; Error = code; Members = responses })

    /// ValueNone for other requests.
    let tryHandle (call: Call) (request: Request) (state: State) : (State * Answer) voption =
        match request with
        | Request.JoinGroup request -> ValueSome(joinGroup call request state)
        | Request.SyncGroup request -> ValueSome(syncGroup call request state)
        | Request.Heartbeat request -> ValueSome(heartbeat call request state)
        | Request.LeaveGroup request -> ValueSome(leaveGroup call request state)
        | _ -> ValueNone

    let private classics (state: State) : (string * ClassicState) list =
        [ for group in state.Groups.ById.Values do
              match group.Kind with
              | GroupKind.Classic classic -> group.GroupId, classic
              | GroupKind.Consumer _ -> () ]

    /// Applies the time-outs that are due: of sessions, of rebalances, of ids that no member has joined with.
    let tick (now: Moment) (state: State) : State =
        let expire state (groupId, group: ClassicState) =
            if ClassicRebalance.deadlines group |> Seq.exists (fun due -> due <= now) then
                store groupId (ClassicRebalance.tick now state.Groups.Settings group) state
            else
                state

        classics state |> List.fold expire state

    /// When the next time-out is due.
    let nextTick (state: State) : Moment voption =
        let due = classics state |> Seq.collect (fun (_, group) -> ClassicRebalance.deadlines group)
        if Seq.isEmpty due then ValueNone else ValueSome(Seq.min due)

    /// Makes the members of a classic group rebalance.
    let rebalanceNow (now: Moment) (groupId: string) (state: State) : State =
        match Groups.tryFind groupId state |> Option.map _.Kind with
        | Some(GroupKind.Classic group) when not group.Members.IsEmpty ->
            store groupId (ClassicRebalance.prepare now state.Groups.Settings group) state
        | _ -> state
