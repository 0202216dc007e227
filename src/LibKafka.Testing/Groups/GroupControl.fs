namespace LibKafka.Testing

open LibKafka

/// What a script does to groups.
[<RequireQualifiedAccess>]
module internal GroupControl =

    /// The ids of a group's members, in the order in which they joined; none if there is no such group.
    let members (groupId: string) (state: State) : string list =
        match Groups.tryFind groupId state |> Option.map _.Kind with
        | Some(GroupKind.Classic group) -> group.Members |> List.map _.MemberId
        | Some(GroupKind.Consumer group) -> group.Members |> List.map _.MemberId
        | None -> []

    /// Makes the members of a group rebalance: they join again, or get the next group epoch with a new target assignment.
    let rebalance (now: Moment) (groupId: string) (state: State) : State =
        match Groups.tryFind groupId state |> Option.map _.Kind with
        | Some(GroupKind.Classic _) -> ClassicGroup.rebalanceNow now groupId state
        | Some(GroupKind.Consumer group) -> Groups.putConsumer groupId (ConsumerReconcile.bump state group) state
        | None -> state

    /// Ends the sessions of the members for which it is asked, as if they had been silent for too long. A member of a classic group whose request waits
    /// for a response has no session to end.
    let expire (now: Moment) (groupId: string) (isMeant: string -> bool) (state: State) : State =
        match Groups.tryFind groupId state |> Option.map _.Kind with
        | Some(GroupKind.Classic group) ->
            let silent (one: ClassicMember) = if isMeant one.MemberId then { one with Expires = now } else one
            let silenced = { group with Members = List.map silent group.Members }
            state |> Groups.putClassic groupId silenced |> ClassicGroup.tick now
        | Some(GroupKind.Consumer group) ->
            let silent (one: ConsumerMember) = if isMeant one.MemberId then { one with Expires = now } else one
            let silenced = { group with Members = List.map silent group.Members }
            state |> Groups.putConsumer groupId silenced |> ConsumerGroup.tick now
        | None -> state

    /// Partitions with the ids of their topics, or the first one that there is not.
    let owned (partitions: Client.TopicPartition list) (state: State) : Result<OwnedPartitions, Client.TopicPartition> =
        let isMissing (one: Client.TopicPartition) = (Cluster.tryPartition one.Topic one.Partition state).IsNone

        match partitions |> List.tryFind isMissing with
        | Some missing -> Error missing
        | None -> Ok(Owned.ofPairs [ for one in partitions -> state.Topics[one.Topic].Id, one.Partition ])
