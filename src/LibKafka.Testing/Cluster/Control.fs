namespace LibKafka.Testing

/// What a script does to the brokers and partitions of a cluster.
[<RequireQualifiedAccess>]
module internal Control =

    let private setStatus (id: int32) (status: NodeStatus) (state: State) : State =
        { state with Nodes = state.Nodes.Add(id, { state.Nodes[id] with Status = status }) }

    /// Makes a broker stand still: it answers nothing and copies nothing, and the others do not notice.
    let pause (id: int32) (state: State) : State = setStatus id NodeStatus.Paused state |> Nodes.hold id

    /// Ends a pause.
    let resume (id: int32) (state: State) : State = Nodes.start id state

    /// Makes a replica the leader, without loss.
    let moveLeader (topic: string) (index: int32) (leader: int32) (state: State) : State =
        let move (partition: Partition) =
            let inSync = partition.Replicas |> List.filter (fun node -> node = leader || List.contains node partition.InSync)
            Cluster.elect leader { partition with InSync = inSync; Behind = partition.Behind.Remove leader }

        Cluster.updatePartition topic index move state

    /// Loses the records from an offset on in a new leader epoch, as an unclean election does.
    let truncate (topic: string) (index: int32) (offset: int64) (state: State) : State =
        let lose (partition: Partition) =
            let leader = partition.Leader |> ValueOption.defaultValue partition.Replicas.Head
            Cluster.elect leader { partition with Behind = partition.Behind.Add(leader, offset) }

        Cluster.updatePartition topic index lose state

    /// Changes the release of all brokers.
    let setRelease (release: Release) (state: State) : State =
        { state with Settings = { state.Settings with Release = release }; Accepted = Release.accepted release }
