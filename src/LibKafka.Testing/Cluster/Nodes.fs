namespace LibKafka.Testing

/// Brokers that fail, stop and come back.
[<RequireQualifiedAccess>]
module internal Nodes =

    let private updatePartitions (change: Topic -> Partition -> Partition) (state: State) : State =
        let update (topic: Topic) =
            { topic with
                Partitions = topic.Partitions |> Seq.map (change topic) |> System.Collections.Immutable.ImmutableArray.CreateRange }

        { state with Topics = state.Topics |> Map.map (fun _ topic -> update topic) }

    let private withStatus (node: int32) (status: NodeStatus) (state: State) : State =
        { state with Nodes = state.Nodes.Add(node, { state.Nodes[node] with Status = status }) }

    let private held (node: int32) (partition: Partition) : Partition =
        if List.contains node partition.Replicas && not (partition.Behind.ContainsKey node) then
            { partition with Behind = partition.Behind.Add(node, partition.Log.End) }
        else
            partition

    /// The broker's replicas get nothing any more, but they count as in sync still: the cluster has not noticed yet. Batches with acks = all
    /// time out meanwhile.
    let hold (node: int32) (state: State) : State = updatePartitions (fun _ partition -> held node partition) state

    /// A new leader for a partition that has none: an in-sync replica that runs, or any replica if the topic allows it.
    let private relead (topic: Topic) (state: State) (partition: Partition) : Partition =
        let isRunning node = Cluster.isRunning node state
        let inSync = partition.Replicas |> List.filter (fun node -> List.contains node partition.InSync && isRunning node)
        let isUncleanAllowed = Configs.value "unclean.leader.election.enable" topic state = "true"

        match inSync, partition.Replicas |> List.filter isRunning with
        | leader :: _, _ -> Cluster.elect leader partition
        | [], leader :: _ when isUncleanAllowed -> Cluster.elect leader partition
        | _ when partition.Leader.IsNone -> partition
        | _ -> { partition with Leader = ValueNone; LeaderEpoch = partition.LeaderEpoch + 1 }

    /// The cluster takes a running broker out of its partitions, as before a controlled shutdown: it is no longer in sync, and others lead.
    let demote (node: int32) (state: State) : State =
        let change (topic: Topic) (partition: Partition) =
            if not (List.contains node partition.Replicas) then
                partition
            else
                let others = partition.InSync |> List.except [ node ]
                let without = { held node partition with InSync = (if others.IsEmpty then partition.InSync else others) }
                if partition.Leader = ValueSome node then relead topic state without else without

        updatePartitions change state

    /// The broker is gone, and the cluster has noticed it.
    let stop (node: int32) (state: State) : State = state |> withStatus node NodeStatus.Stopped |> demote node

    /// Starts the broker again. Its replicas have all records at once. It becomes the leader of the partitions that had none.
    let start (node: int32) (state: State) : State =
        let started = withStatus node NodeStatus.Running state

        let change (topic: Topic) (partition: Partition) =
            if not (List.contains node partition.Replicas) then
                partition
            elif partition.Leader.IsNone then
                relead topic started partition
            else
                let inSync = partition.Replicas |> List.filter (fun it -> it = node || List.contains it partition.InSync)

                { partition with InSync = inSync; Behind = partition.Behind.Remove node }

        updatePartitions change started
