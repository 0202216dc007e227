namespace LibKafka.Testing

open LibKafka.Wire
open LibKafka.Protocol

/// A group after a change, and the responses to waiting requests that the change has brought.
type internal ClassicStep = { Group: ClassicState; Answers: (Ticket * Response) list }

/// The rebalances of classic groups: who has joined, which generation follows, who has which assignment. Pure functions of one group.
[<RequireQualifiedAccess>]
module internal ClassicRebalance =

    /// No change that a waiting request is interested in.
    let still (group: ClassicState) : ClassicStep = { Group = group; Answers = [] }

    /// Makes another change.
    let andThen (change: ClassicState -> ClassicStep) (step: ClassicStep) : ClassicStep =
        let after = change step.Group
        { Group = after.Group; Answers = step.Answers @ after.Answers }

    let noBytes = Bytes(Array.empty<byte>)

    let tryMember (memberId: string) (group: ClassicState) : ClassicMember option =
        group.Members |> List.tryFind (fun one -> one.MemberId = memberId)

    let tryStatic (instanceId: string) (group: ClassicState) : ClassicMember option =
        group.Members |> List.tryFind (fun one -> one.InstanceId = Some instanceId)

    let private mapMember (memberId: string) (change: ClassicMember -> ClassicMember) (group: ClassicState) : ClassicState =
        { group with Members = group.Members |> List.map (fun one -> if one.MemberId = memberId then change one else one) }

    /// The metadata of a member for a protocol.
    let metadata (protocol: string option) (one: ClassicMember) : Bytes =
        one.Protocols
        |> List.tryFind (fun it -> Some it.Name = protocol)
        |> Option.map _.Metadata
        |> Option.defaultValue noBytes

    let refusedJoin (code: ErrorCode) (memberId: string) : JoinGroup.Response =
        { ThrottleTimeMs = 0
          Error = code
          GenerationId = -1
          ProtocolType = None
          ProtocolName = None
          Leader = ""
          SkipAssignment = false
          MemberId = memberId
          Members = [] }

    let refusedSync (code: ErrorCode) : SyncGroup.Response =
        { ThrottleTimeMs = 0; Error = code; ProtocolType = None; ProtocolName = None; Assignment = noBytes }

    /// The members as the leader gets them.
    let listed (group: ClassicState) : JoinGroup.Member list =
        [ for one in group.Members ->
              { MemberId = one.MemberId; GroupInstanceId = one.InstanceId; Metadata = metadata group.ProtocolName one } ]

    /// The response to a member of the current generation. Only the leader gets the members.
    let joined (memberId: string) (group: ClassicState) : JoinGroup.Response =
        { ThrottleTimeMs = 0
          Error = ErrorCode.None
          GenerationId = group.Generation
          ProtocolType = Some group.ProtocolType
          ProtocolName = group.ProtocolName
          Leader = group.Leader
          SkipAssignment = false
          MemberId = memberId
          Members = (if group.Leader = memberId then listed group else []) }

    let synced (one: ClassicMember) (group: ClassicState) : SyncGroup.Response =
        { ThrottleTimeMs = 0
          Error = ErrorCode.None
          ProtocolType = Some group.ProtocolType
          ProtocolName = group.ProtocolName
          Assignment = one.Assignment }

    let private toJoin (response: JoinGroup.Response) (ticket: Ticket) = ticket, Response.JoinGroup response
    let private toSync (response: SyncGroup.Response) (ticket: Ticket) = ticket, Response.SyncGroup response

    /// The responses that end what a member waits for.
    let private dismissals (code: ErrorCode) (one: ClassicMember) : (Ticket * Response) list =
        [ for ticket in ValueOption.toList one.Join -> toJoin (refusedJoin code one.MemberId) ticket
          for ticket in ValueOption.toList one.Sync -> toSync (refusedSync code) ticket ]

    /// Names of protocols that all members support.
    let private common (members: ClassicMember list) : string list =
        match members with
        | [] -> []
        | first :: others ->
            first.Protocols
            |> List.map _.Name
            |> List.filter (fun name -> others |> List.forall (fun one -> one.Protocols |> List.exists (fun it -> it.Name = name)))

    /// Whether a member may join with these protocols: all other members support one of them.
    let supports (protocolType: string) (protocols: JoinGroup.Protocol list) (group: ClassicState) : bool =
        if group.Members.IsEmpty then
            protocolType <> "" && not protocols.IsEmpty
        else
            let shared = common group.Members
            group.ProtocolType = protocolType && protocols |> List.exists (fun it -> List.contains it.Name shared)

    /// The protocol that most members prefer, of those that all support.
    let select (members: ClassicMember list) : string option =
        let candidates = common members

        let votes =
            members
            |> List.choose (fun one -> one.Protocols |> List.tryFind (fun it -> List.contains it.Name candidates))
            |> List.countBy _.Name
            |> Map.ofList

        match candidates with
        | [] -> None
        | _ -> Some(candidates |> List.maxBy (fun name -> votes.TryFind name |> Option.defaultValue 0))

    /// How long a rebalance of the group waits for its members.
    let private rebalanceTimeout (group: ClassicState) : int64 =
        group.Members |> List.fold (fun longest one -> max longest (int64 one.RebalanceTimeoutMs)) 1L

    /// Prolongs the session of a member.
    let keepAlive (now: Moment) (memberId: string) (group: ClassicState) : ClassicState =
        group |> mapMember memberId (fun one -> { one with Expires = now + int64 one.SessionTimeoutMs })

    let private empty (group: ClassicState) : ClassicState =
        { group with
            Phase = ClassicPhase.Empty
            Generation = group.Generation + 1
            ProtocolName = None
            Leader = ""
            Members = []
            IsStored = true }

    let private beginGeneration (now: Moment) (leader: string) (group: ClassicState) : ClassicStep =
        let next =
            { group with
                Phase = ClassicPhase.CompletingRebalance(now + rebalanceTimeout group)
                Generation = group.Generation + 1
                ProtocolName = select group.Members
                Leader = leader
                IsStored = true }

        let begun (one: ClassicMember) = { one with Join = ValueNone; OwesSync = true; Expires = now + int64 one.SessionTimeoutMs }

        { Group = { next with Members = List.map begun next.Members }
          Answers =
            [ for one in next.Members do
                  for ticket in ValueOption.toList one.Join -> toJoin (joined one.MemberId next) ticket ] }

    /// Begins the next generation with the members that have joined. Dynamic members that have not are removed.
    let private completeJoin (now: Moment) (group: ClassicState) : ClassicStep =
        let kept = { group with Members = group.Members |> List.filter (fun one -> one.Join.IsSome || one.InstanceId.IsSome) }
        let present = kept.Members |> List.filter _.Join.IsSome

        match present with
        | _ when kept.Members.IsEmpty -> still (empty kept)
        | [] ->
            // Only static members are left, none of which has joined. Their sessions will end.
            let deadline = { At = now + rebalanceTimeout kept; Extension = ValueNone; HasNewMembers = false }
            still { kept with Phase = ClassicPhase.PreparingRebalance deadline }
        | first :: _ ->
            let isPresent = present |> List.exists (fun one -> one.MemberId = kept.Leader)
            kept |> beginGeneration now (if isPresent then kept.Leader else first.MemberId)

    /// Begins the next generation if there is no member to wait for.
    let tryComplete (now: Moment) (group: ClassicState) : ClassicStep =
        match group.Phase with
        | ClassicPhase.PreparingRebalance { Extension = ValueNone } when group.Pending.IsEmpty && group.Members |> List.forall _.Join.IsSome ->
            completeJoin now group
        | _ -> still group

    /// Members that wait for their assignments must join again instead.
    let private cancelSync (group: ClassicState) : ClassicStep =
        match group.Phase with
        | ClassicPhase.CompletingRebalance _ ->
            { Group = { group with Members = [ for one in group.Members -> { one with Sync = ValueNone; Assignment = noBytes } ] }
              Answers =
                [ for one in group.Members do
                      for ticket in ValueOption.toList one.Sync -> toSync (refusedSync ErrorCode.RebalanceInProgress) ticket ] }
        | _ -> still group

    let private awaitMembers (now: Moment) (settings: BrokerGroupSettings) (group: ClassicState) : ClassicStep =
        let isFirst = (group.Phase = ClassicPhase.Empty)
        let delay = int64 settings.InitialRebalanceDelayMs
        let extension = int32 (max 0L (rebalanceTimeout group - delay))

        let deadline =
            { At = now + (if isFirst then delay else rebalanceTimeout group)
              Extension = (if isFirst && delay > 0L then ValueSome extension else ValueNone)
              HasNewMembers = false }

        let waiting =
            { group with
                Phase = ClassicPhase.PreparingRebalance deadline
                Members = [ for one in group.Members -> { one with OwesSync = false } ] }

        if isFirst && delay = 0L then completeJoin now waiting else tryComplete now waiting

    /// Begins a rebalance.
    let prepare (now: Moment) (settings: BrokerGroupSettings) (group: ClassicState) : ClassicStep =
        group |> cancelSync |> andThen (awaitMembers now settings)

    /// After a member has joined or left: begins a rebalance, or completes the one that has begun.
    let proceed (now: Moment) (settings: BrokerGroupSettings) (group: ClassicState) : ClassicStep =
        match group.Phase with
        | ClassicPhase.PreparingRebalance _ -> tryComplete now group
        | ClassicPhase.Empty when group.Members.IsEmpty -> still group
        | _ -> prepare now settings group

    /// Adds a member, whose request waits for the generation.
    let add (one: ClassicMember) (protocolType: string) (group: ClassicState) : ClassicState =
        { group with
            Members = group.Members @ [ one ]
            ProtocolType = (if group.Members.IsEmpty then protocolType else group.ProtocolType)
            Leader = (if group.Leader = "" then one.MemberId else group.Leader)
            Pending = group.Pending.Remove one.MemberId
            Phase =
                match group.Phase with
                | ClassicPhase.PreparingRebalance deadline -> ClassicPhase.PreparingRebalance { deadline with HasNewMembers = true }
                | phase -> phase }

    /// Gives a member that joins again its new protocols and time-outs. A request of it that still waits is answered.
    let rejoin (ticket: Ticket) (request: JoinGroup.Request) (rebalanceTimeoutMs: int32) memberId (group: ClassicState) : ClassicStep =
        let change (one: ClassicMember) =
            { one with
                Protocols = request.Protocols
                SessionTimeoutMs = request.SessionTimeoutMs
                RebalanceTimeoutMs = rebalanceTimeoutMs
                Join = ValueSome ticket
                Sync = ValueNone }

        { Group = mapMember memberId change group
          Answers = tryMember memberId group |> Option.map (dismissals ErrorCode.RebalanceInProgress) |> Option.defaultValue [] }

    /// Gives a static member a new id. What waits under the old id is fenced.
    let replaceStatic
        (now: Moment)
        (old: ClassicMember)
        (memberId: string)
        (request: JoinGroup.Request)
        rebalanceTimeoutMs
        group
        : ClassicStep =
        let change (one: ClassicMember) =
            { one with
                MemberId = memberId
                Protocols = request.Protocols
                SessionTimeoutMs = request.SessionTimeoutMs
                RebalanceTimeoutMs = rebalanceTimeoutMs
                Join = ValueNone
                Sync = ValueNone
                Expires = now + int64 request.SessionTimeoutMs }

        { Group = { mapMember old.MemberId change group with Leader = (if group.Leader = old.MemberId then memberId else group.Leader) }
          Answers = dismissals ErrorCode.FencedInstanceId old }

    /// Lets a member wait for the generation.
    let waitJoin (ticket: Ticket) (memberId: string) (group: ClassicState) : ClassicState =
        group |> mapMember memberId (fun one -> { one with Join = ValueSome ticket })

    /// Removes a member, without a rebalance.
    let remove (one: ClassicMember) (group: ClassicState) : ClassicStep =
        let rest = group.Members |> List.filter (fun it -> it.MemberId <> one.MemberId)

        { Group =
            { group with
                Members = rest
                Leader =
                    (if group.Leader <> one.MemberId then
                         group.Leader
                     else
                         rest |> List.tryHead |> Option.map _.MemberId |> Option.defaultValue "") }
          Answers = dismissals ErrorCode.UnknownMemberId one }

    /// The generation is stable: every member that waits gets its assignment.
    let private distribute
        (syncBy: Moment)
        (now: Moment)
        (assignments: SyncGroup.MemberAssignment list)
        (group: ClassicState)
        : ClassicStep =
        let parts = Map.ofList [ for it in assignments -> it.MemberId, it.Assignment ]

        let assigned =
            [ for one in group.Members -> { one with Assignment = parts.TryFind one.MemberId |> Option.defaultValue noBytes } ]

        let served =
            [ for one in assigned ->
                  if one.Sync.IsSome then
                      { one with Sync = ValueNone; Expires = now + int64 one.SessionTimeoutMs }
                  else
                      one ]

        let isWhole = served |> List.forall (fun one -> not one.OwesSync)

        { Group = { group with Members = served; Phase = ClassicPhase.Stable(if isWhole then ValueNone else ValueSome syncBy) }
          Answers =
            [ for one in assigned do
                  for ticket in ValueOption.toList one.Sync -> toSync (synced one group) ticket ] }

    /// A member of the current generation asks for its assignment. The leader brings all assignments.
    let sync (now: Moment) (ticket: Ticket) (one: ClassicMember) assignments (group: ClassicState) : ClassicStep =
        let came = group |> mapMember one.MemberId (fun one -> { one with OwesSync = false })

        match group.Phase with
        | ClassicPhase.CompletingRebalance syncBy ->
            let waiting = came |> mapMember one.MemberId (fun one -> { one with Sync = ValueSome ticket })
            // A request that it has sent before is answered too.
            let repeated = [ for old in ValueOption.toList one.Sync -> toSync (refusedSync ErrorCode.RebalanceInProgress) old ]
            let step = if one.MemberId = group.Leader then distribute syncBy now assignments waiting else still waiting
            { step with Answers = repeated @ step.Answers }
        | ClassicPhase.Stable _ ->
            let isWhole = came.Members |> List.forall (fun one -> not one.OwesSync)

            { Group = keepAlive now one.MemberId (if isWhole then { came with Phase = ClassicPhase.Stable ValueNone } else came)
              Answers = [ toSync (synced one group) ticket ] }
        | ClassicPhase.PreparingRebalance _ -> { Group = group; Answers = [ toSync (refusedSync ErrorCode.RebalanceInProgress) ticket ] }
        | ClassicPhase.Empty -> { Group = group; Answers = [ toSync (refusedSync ErrorCode.UnknownMemberId) ticket ] }

    /// Answers everything that waits, when the group ends or changes its protocol.
    let dismissAll (code: ErrorCode) (group: ClassicState) : (Ticket * Response) list = group.Members |> List.collect (dismissals code)

    let private isWaiting (one: ClassicMember) = one.Join.IsSome || one.Sync.IsSome

    let private expirePending (now: Moment) (group: ClassicState) : ClassicStep =
        let rest = group.Pending |> Map.filter (fun _ expires -> expires > now)

        if rest.Count = group.Pending.Count then
            still group
        else
            tryComplete now { group with Pending = rest; IsStored = true }

    let private expireMembers (now: Moment) (settings: BrokerGroupSettings) (group: ClassicState) : ClassicStep =
        match group.Members |> List.filter (fun one -> not (isWaiting one) && one.Expires <= now) with
        | [] -> still group
        | expired -> expired |> List.fold (fun step one -> andThen (remove one) step) (still group) |> andThen (proceed now settings)

    let private extend (now: Moment) (settings: BrokerGroupSettings) (extension: int32) : JoinDeadline =
        let delay = min settings.InitialRebalanceDelayMs extension
        { At = now + int64 delay; Extension = ValueSome(extension - delay); HasNewMembers = false }

    let private expirePhase (now: Moment) (settings: BrokerGroupSettings) (group: ClassicState) : ClassicStep =
        let removeLate () =
            group.Members
            |> List.filter _.OwesSync
            |> List.fold (fun step one -> andThen (remove one) step) (still group)
            |> andThen (prepare now settings)

        match group.Phase with
        | ClassicPhase.PreparingRebalance deadline when deadline.At <= now ->
            match deadline.Extension with
            | ValueSome extension when deadline.HasNewMembers && extension > 0 ->
                still { group with Phase = ClassicPhase.PreparingRebalance(extend now settings extension) }
            | _ -> completeJoin now group
        | ClassicPhase.CompletingRebalance syncBy when syncBy <= now -> removeLate ()
        | ClassicPhase.Stable(ValueSome syncBy) when syncBy <= now -> removeLate ()
        | _ -> still group

    /// Applies the time-outs that are due.
    let tick (now: Moment) (settings: BrokerGroupSettings) (group: ClassicState) : ClassicStep =
        group |> expirePending now |> andThen (expireMembers now settings) |> andThen (expirePhase now settings)

    /// The times at which something is due.
    let deadlines (group: ClassicState) : Moment seq = seq {
        yield! group.Pending.Values

        for one in group.Members do
            if not (isWaiting one) then one.Expires

        match group.Phase with
        | ClassicPhase.PreparingRebalance deadline -> deadline.At
        | ClassicPhase.CompletingRebalance syncBy -> syncBy
        | ClassicPhase.Stable(ValueSome syncBy) -> syncBy
        | ClassicPhase.Stable ValueNone
        | ClassicPhase.Empty -> ()
    }
