namespace LibKafka.Testing

open LibKafka
open LibKafka.Protocol

/// Elections and reassignments: ElectLeaders, AlterPartitionReassignments, ListPartitionReassignments.
[<RequireQualifiedAccess>]
module internal Replicas =

    let private textOf (code: ErrorCode) : string option = if code.IsError then Some code.Description else None

    /// The partition after an election, or why there is none.
    let private elected (kind: ElectionType) (partition: Partition) (state: State) : Result<Partition, ErrorCode> =
        let isRunning node = Cluster.isRunning node state
        let preferred = partition.Replicas.Head

        match kind with
        // Before 2.4 there was no code for it.
        | ElectionType.Preferred when partition.Leader = ValueSome preferred && not (state.Settings.Release.IsAtLeast(2, 4)) -> Ok partition
        | ElectionType.Preferred when partition.Leader = ValueSome preferred -> Error ErrorCode.ElectionNotNeeded
        | ElectionType.Preferred when List.contains preferred partition.InSync && isRunning preferred ->
            Ok(Cluster.elect preferred partition)
        | ElectionType.Preferred -> Error ErrorCode.PreferredLeaderNotAvailable
        | _ when partition.Leader.IsSome -> Error ErrorCode.ElectionNotNeeded
        | _ ->
            match partition.Replicas |> List.tryFind isRunning with
            | Some node -> Ok(Cluster.elect node partition)
            | None -> Error ErrorCode.EligibleLeadersNotAvailable

    let private electOne (kind: ElectionType) (topic: string) (state: State) (index: int32) : State * ElectLeaders.PartitionResult =
        let result code : ElectLeaders.PartitionResult = { PartitionId = index; Error = code; ErrorMessage = textOf code }

        match Cluster.tryPartition topic index state with
        | None -> state, result ErrorCode.UnknownTopicOrPartition
        | Some partition ->
            match elected kind partition state with
            | Error code -> state, result code
            | Ok partition -> Cluster.updatePartition topic index (fun _ -> partition) state, result ErrorCode.None

    let electLeaders (request: ElectLeaders.Request) (state: State) : State * Answer =
        let wanted: ElectLeaders.TopicRequest list =
            match request.Topics with
            | Some topics -> topics
            | None -> [ for topic in state.Topics.Values -> { Topic = topic.Name; Partitions = [ 0 .. topic.Partitions.Length - 1 ] } ]

        let isShown (result: ElectLeaders.PartitionResult) = request.Topics.IsSome || result.Error <> ErrorCode.ElectionNotNeeded

        let elect state (topic: ElectLeaders.TopicRequest) : State * ElectLeaders.TopicResult =
            let state, partitions = Cluster.foldResults (electOne request.ElectionType topic.Topic) state topic.Partitions
            state, { Topic = topic.Topic; Partitions = partitions |> List.filter isShown }

        let state, topics = Cluster.foldResults elect state wanted
        let shown = topics |> List.filter (fun topic -> not topic.Partitions.IsEmpty)
        state, Reply(Response.ElectLeaders { ThrottleTimeMs = 0; Error = ErrorCode.None; Topics = shown })

    /// The partition on other replicas. They have the whole log at once. A leader epoch begins if a replica was removed.
    let private moved (replicas: int32 list) (partition: Partition) (state: State) : Partition =
        let running = replicas |> List.filter (fun node -> Cluster.isRunning node state)
        let kept = { partition with Replicas = replicas; InSync = running; Behind = Map.empty }
        let isReduced = partition.Replicas |> List.exists (fun node -> not (List.contains node replicas))

        match partition.Leader with
        | ValueSome leader when List.contains leader replicas -> if isReduced then Cluster.elect leader kept else kept
        | _ when running.IsEmpty -> { kept with Leader = ValueNone; LeaderEpoch = partition.LeaderEpoch + 1 }
        | _ -> Cluster.elect running.Head kept

    let private reassignOne (topic: string) (state: State) (wanted: AlterPartitionReassignments.PartitionRequest) =
        let result code : AlterPartitionReassignments.PartitionResult =
            { PartitionIndex = wanted.PartitionIndex; Error = code; ErrorMessage = textOf code }

        match Cluster.tryPartition topic wanted.PartitionIndex state, wanted.Replicas with
        | None, _ -> state, result ErrorCode.UnknownTopicOrPartition
        // There is none to cancel, because each is complete at once.
        | Some _, None -> state, result ErrorCode.NoReassignmentInProgress
        | Some _, Some replicas when
            replicas.IsEmpty
            || List.distinct replicas <> replicas
            || replicas |> List.exists (fun node -> not (state.Nodes.ContainsKey node))
            ->
            state, result ErrorCode.InvalidReplicaAssignment
        | Some partition, Some replicas ->
            Cluster.updatePartition topic wanted.PartitionIndex (fun _ -> moved replicas partition state) state, result ErrorCode.None

    let alterReassignments (request: AlterPartitionReassignments.Request) (state: State) : State * Answer =
        let reassign state (topic: AlterPartitionReassignments.TopicRequest) : State * AlterPartitionReassignments.TopicResult =
            let state, partitions = Cluster.foldResults (reassignOne topic.Name) state topic.Partitions
            state, { Name = topic.Name; Partitions = partitions }

        let state, topics = Cluster.foldResults reassign state request.Topics

        state,
        Reply(
            Response.AlterPartitionReassignments
                { ThrottleTimeMs = 0
                  AllowReplicationFactorChange = request.AllowReplicationFactorChange
                  Error = ErrorCode.None
                  ErrorMessage = None
                  Topics = topics }
        )

    /// There is never a reassignment in progress.
    let listReassignments (state: State) : State * Answer =
        state, Reply(Response.ListPartitionReassignments { ThrottleTimeMs = 0; Error = ErrorCode.None; ErrorMessage = None; Topics = [] })
