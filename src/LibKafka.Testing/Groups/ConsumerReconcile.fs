namespace LibKafka.Testing

open System
open System.Text.RegularExpressions
open LibKafka.Protocol

/// The rules of consumer groups (KIP-848): subscriptions, epochs, target assignments, and the way of each member to its target. Pure
/// functions of one group.
[<RequireQualifiedAccess>]
module internal ConsumerReconcile =

    let tryMember (memberId: string) (group: ConsumerState) : ConsumerMember option =
        group.Members |> List.tryFind (fun one -> one.MemberId = memberId)

    let tryStatic (instanceId: string) (group: ConsumerState) : ConsumerMember option =
        group.Members |> List.tryFind (fun one -> one.InstanceId = Some instanceId)

    /// Adds a member, or replaces the one with the same id.
    let putMember (one: ConsumerMember) (group: ConsumerState) : ConsumerState =
        if (tryMember one.MemberId group).IsSome then
            { group with Members = group.Members |> List.map (fun it -> if it.MemberId = one.MemberId then one else it) }
        else
            { group with Members = group.Members @ [ one ] }

    let targetOf (memberId: string) (group: ConsumerState) : OwnedPartitions =
        group.Target.TryFind memberId |> Option.defaultValue Map.empty

    /// The topics that a member subscribes to, by name and by regular expression.
    let topicsOf (group: ConsumerState) (one: ConsumerMember) : Set<string> =
        let matching = group.Regexes.TryFind one.Regex |> Option.map _.Topics |> Option.defaultValue Set.empty
        Set.union (Set.ofList one.Topics) matching

    let private lookUp (topics: Set<string>) (state: State) : Map<string, struct (Guid * int32)> =
        Map.ofSeq
            [ for name in topics do
                  match Cluster.tryTopic name state with
                  | Some topic -> name, struct (topic.Id, topic.Partitions.Length)
                  | None -> () ]

    /// Begins the next group epoch, for the subscriptions and topics that there are now.
    let bump (state: State) (group: ConsumerState) : ConsumerState =
        let subscribed = group.Members |> List.fold (fun all one -> Set.union all (topicsOf group one)) Set.empty
        { group with Epoch = group.Epoch + 1; Subscribed = subscribed; Metadata = lookUp subscribed state }

    /// Begins the next group epoch if a topic was created, deleted or got more partitions.
    let refresh (state: State) (group: ConsumerState) : ConsumerState =
        if lookUp group.Subscribed state = group.Metadata then group else bump state group

    /// The assignor that most members prefer.
    let private preferred (group: ConsumerState) : string =
        match group.Members |> List.choose _.ServerAssignor |> List.countBy id with
        | [] -> ConsumerAssign.names.Head
        | votes -> votes |> List.maxBy snd |> fst

    /// Computes the target assignment if it is not that of the group's epoch.
    let updateTarget (group: ConsumerState) : ConsumerState =
        if group.TargetEpoch = group.Epoch then
            group
        else
            let assignor = preferred group

            let assignees: Assignee list =
                [ for one in group.Members ->
                      { MemberId = one.MemberId
                        InstanceId = one.InstanceId
                        Topics = topicsOf group one
                        Target = targetOf one.MemberId group } ]

            let target =
                match group.Scripted with
                | ValueSome scripted -> scripted |> Map.filter (fun memberId _ -> (tryMember memberId group).IsSome)
                | ValueNone -> ConsumerAssign.assign assignor group.Metadata assignees

            { group with Target = target; TargetEpoch = group.Epoch; Assignor = assignor }

    /// What a member has or may still have.
    let private held (one: ConsumerMember) : OwnedPartitions = Owned.union one.Assigned one.Revoking

    /// Moves a member towards its target. `owned` are the partitions that it says it has; ValueNone if it says nothing.
    let private advance (owned: OwnedPartitions voption) (epoch: int32) (group: ConsumerState) (one: ConsumerMember) : ConsumerMember =
        let target = targetOf one.MemberId group
        let kept = Owned.intersect one.Assigned target
        let given = Owned.except kept one.Assigned
        let taken = group.Members |> List.fold (fun all it -> Owned.union all (held it)) Map.empty
        let wanted = Owned.except kept target
        let free = Owned.except taken wanted
        let mayStillOwn = owned |> ValueOption.forall (Owned.overlap given)

        let enter epoch = if epoch = one.Epoch then one else { one with PreviousEpoch = one.Epoch; Epoch = epoch }

        if not given.IsEmpty && mayStillOwn then
            { enter epoch with Assigned = kept; Revoking = given; Reconciliation = Reconciliation.Unrevoked }
        else
            { enter group.TargetEpoch with
                Assigned = Owned.union kept free
                Revoking = Map.empty
                Reconciliation = (if free = wanted then Reconciliation.Stable else Reconciliation.Unreleased) }

    /// The member after a heartbeat with these partitions.
    let reconcile (owned: OwnedPartitions voption) (group: ConsumerState) (one: ConsumerMember) : ConsumerMember =
        match one.Reconciliation with
        | Reconciliation.Stable when one.Epoch = group.TargetEpoch -> one
        | Reconciliation.Unrevoked when owned |> ValueOption.forall (Owned.overlap one.Revoking) -> one
        | Reconciliation.Unrevoked -> advance owned (one.Epoch + 1) group { one with Revoking = Map.empty }
        | _ -> advance owned one.Epoch group one

    /// Removes a member and begins the next epoch.
    let remove (state: State) (memberId: string) (group: ConsumerState) : ConsumerState =
        { group with
            Members = group.Members |> List.filter (fun one -> one.MemberId <> memberId)
            Target = group.Target.Remove memberId }
        |> bump state

    let phase (group: ConsumerState) : LibKafka.GroupState =
        let isThere (one: ConsumerMember) = one.Reconciliation = Reconciliation.Stable && one.Epoch = group.TargetEpoch

        if group.Members.IsEmpty then LibKafka.GroupState.Empty
        elif group.Epoch > group.TargetEpoch then LibKafka.GroupState.Assigning
        elif group.Members |> List.forall isThere then LibKafka.GroupState.Stable
        else LibKafka.GroupState.Reconciling

    // As RE2, it takes linear time and has no look-around.
    let private compile (regex: string) : Regex = Regex(regex, RegexOptions.NonBacktracking ||| RegexOptions.CultureInvariant)

    /// Why a regular expression is not valid, in the words of RE2. ValueNone if it is.
    let regexFault (regex: string) : string voption =
        try
            compile regex |> ignore
            ValueNone
        with
        | :? RegexParseException as fault ->
            match fault.Error with
            | RegexParseError.InsufficientClosingParentheses -> ValueSome "missing closing )"
            | RegexParseError.UnterminatedBracket -> ValueSome "missing closing ]"
            | RegexParseError.QuantifierAfterNothing -> ValueSome "missing argument to repetition operator"
            | RegexParseError.InsufficientOpeningParentheses -> ValueSome "unexpected )"
            | _ -> ValueSome "invalid regular expression"
        | :? NotSupportedException -> ValueSome "invalid or unsupported Perl syntax"

    let private resolve (now: Moment) (state: State) (regex: string) : ResolvedRegex =
        let pattern = compile (@"\A(?:" + regex + @")\z")
        { Topics = Set.ofSeq (state.Topics.Keys |> Seq.filter pattern.IsMatch); At = now }

    /// Looks up the topics of the regular expressions: of new ones now, of the others after a while. The group gets the next epoch if there
    /// are changes. Brokers do it after the heartbeat that asks for it.
    let resolveRegexes (now: Moment) (state: State) (group: ConsumerState) : ConsumerState =
        let used = group.Members |> List.map _.Regex |> List.filter (fun regex -> regex <> "") |> Set.ofList
        let refreshMs = int64 state.Groups.Settings.RegexRefreshMs

        let current regex =
            match group.Regexes.TryFind regex with
            | Some known when now - known.At < refreshMs -> known
            | Some known ->
                let found = resolve now state regex
                if found.Topics = known.Topics then known else found
            | None -> resolve now state regex

        let kept = group.Regexes |> Map.filter (fun regex _ -> used.Contains regex)
        let regexes = Map.ofSeq [ for regex in used -> regex, current regex ]
        let next = { group with Regexes = regexes }
        if regexes = kept then next else bump state next
