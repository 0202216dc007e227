namespace LibKafka.Testing

open System
open System.Collections.Immutable
open LibKafka.Protocol

/// The topics, partitions and replicas of the cluster: looking them up and changing them.
[<RequireQualifiedAccess>]
module internal Cluster =

    /// Folds over the items of a request, each of which may change the state, and returns the results in order.
    let foldResults (change: 'State -> 'Item -> 'State * 'Result) (state: 'State) (items: 'Item list) : 'State * 'Result list =
        let results, state = items |> List.mapFold (fun state item -> let state, result = change state item in result, state) state
        state, results

    let tryTopic (name: string) (state: State) : Topic option = state.Topics.TryFind name

    let tryTopicById (id: Guid) (state: State) : Topic option =
        state.TopicNames.TryFind id |> Option.bind (fun name -> state.Topics.TryFind name)

    let tryPartition (topic: string) (index: int32) (state: State) : Partition option =
        match state.Topics.TryFind topic with
        | Some topic when index >= 0 && index < topic.Partitions.Length -> Some topic.Partitions[index]
        | _ -> None

    /// Changes a topic that exists.
    let updateTopic (name: string) (change: Topic -> Topic) (state: State) : State =
        { state with Topics = state.Topics.Add(name, change state.Topics[name]) }

    /// Changes a partition that exists.
    let updatePartition (topic: string) (index: int32) (change: Partition -> Partition) (state: State) : State =
        let update (topic: Topic) = { topic with Partitions = topic.Partitions.SetItem(index, change topic.Partitions[index]) }
        updateTopic topic update state

    /// Changes all partitions of a topic that exists.
    let updatePartitions (topic: string) (change: Partition -> Partition) (state: State) : State =
        let update (topic: Topic) = { topic with Partitions = topic.Partitions |> Seq.map change |> ImmutableArray.CreateRange }
        updateTopic topic update state

    /// Changes the log of a partition that exists.
    let updateLog topic index (change: Log -> Log) (state: State) : State =
        updatePartition topic index (fun partition -> { partition with Log = change partition.Log }) state

    let isRunning (node: int32) (state: State) : bool =
        match state.Nodes.TryFind node with
        | Some node -> node.Status = NodeStatus.Running
        | None -> false

    /// The brokers that have not been stopped.
    let liveNodes (state: State) : Node list =
        [ for node in state.Nodes.Values do
              if node.Status <> NodeStatus.Stopped then node ]

    /// The log end offset of a replica.
    let endOf (node: int32) (partition: Partition) : int64 =
        match partition.Behind.TryFind node with
        | Some offset -> min offset partition.Log.End
        | None -> partition.Log.End

    /// The offset up to which all in-sync replicas have the log. It does not rise while they are too few.
    let highWatermark (partition: Partition) : int64 =
        let limit =
            match partition.Frozen with
            | ValueSome frozen when partition.InSync.Length < frozen.LeastInSync -> min frozen.Offset partition.Log.End
            | _ -> partition.Log.End

        if partition.Behind.IsEmpty then
            limit
        else
            partition.InSync |> List.fold (fun limit node -> min limit (endOf node partition)) limit

    let lastStableOffset (partition: Partition) : int64 = Log.stableUpTo (highWatermark partition) partition.Log

    /// Checks the leader epoch that a client knows; -1 is not checked.
    let checkEpoch (known: int32) (partition: Partition) : ErrorCode =
        if known = -1 || known = partition.LeaderEpoch then ErrorCode.None
        elif known < partition.LeaderEpoch then ErrorCode.FencedLeaderEpoch
        else ErrorCode.UnknownLeaderEpoch

    /// The partition if this node leads it in the epoch that the client knows, which is -1 if it knows none.
    let lead (node: int32) (epoch: int32) (topic: string) (index: int32) (state: State) : Result<Partition, ErrorCode> =
        match tryPartition topic index state with
        | None -> Error ErrorCode.UnknownTopicOrPartition
        | Some partition when not (List.contains node partition.Replicas) -> Error ErrorCode.NotLeaderOrFollower
        | Some partition ->
            let code = checkEpoch epoch partition

            if code.IsError then Error code
            elif partition.Leader <> ValueSome node then Error ErrorCode.NotLeaderOrFollower
            else Ok partition

    /// The leader in the form of KIP-951.
    let currentLeader (partition: Partition) : CurrentLeader =
        { LeaderId = ValueOption.defaultValue -1 partition.Leader; LeaderEpoch = partition.LeaderEpoch }

    /// The addresses of leaders that clients are sent to.
    let endpoints (leaders: CurrentLeader seq) (state: State) : NodeEndpoint list =
        leaders
        |> Seq.map _.LeaderId
        |> Seq.distinct
        |> Seq.choose state.Nodes.TryFind
        |> Seq.map (fun node -> { NodeId = node.Id; Host = node.Host; Port = node.Port; Rack = node.Rack })
        |> List.ofSeq

    /// A new leader in a new epoch. What it did not have of the log is lost, as in an unclean election.
    let elect (leader: int32) (partition: Partition) : Partition =
        let epoch = partition.LeaderEpoch + 1
        let log = partition.Log |> Log.truncateTo (endOf leader partition) |> Log.beginEpoch epoch

        { partition with
            Log = log
            Leader = ValueSome leader
            LeaderEpoch = epoch
            InSync = (if List.contains leader partition.InSync then partition.InSync else [ leader ])
            Behind = partition.Behind.Remove leader |> Map.filter (fun _ offset -> offset < log.End) }

    /// Partitions of a new topic over the live brokers, from the `first` one on.
    let place (first: int) (count: int) (replication: int) (from: int) (state: State) : Partition list =
        let nodes = liveNodes state |> List.map _.Id |> Array.ofList

        [ for index in from .. from + count - 1 ->
              let replicas = [ for replica in 0 .. replication - 1 -> nodes[(first + index + replica) % nodes.Length] ]

              { Index = index
                Log = Log.beginEpoch 0 Log.empty
                Leader = ValueSome replicas.Head
                LeaderEpoch = 0
                Replicas = replicas
                InSync = replicas
                Behind = Map.empty
                Frozen = ValueNone } ]

    /// Adds a topic with a new id.
    let addTopic (name: string) (isInternal: bool) (configs: Map<string, string>) (partitions: Partition list) (state: State) =
        let state, id = Ids.uuid state

        let topic =
            { Name = name; Id = id; IsInternal = isInternal; Partitions = ImmutableArray.CreateRange partitions; Configs = configs }

        { state with Topics = state.Topics.Add(name, topic); TopicNames = state.TopicNames.Add(id, name) }, topic

    let removeTopic (topic: Topic) (state: State) : State =
        { state with Topics = state.Topics.Remove topic.Name; TopicNames = state.TopicNames.Remove topic.Id }

    /// The internal topic with one of the names, which is created on first use with a replica on up to three brokers.
    let internalTopic (name: string) (partitions: int32) (state: State) : State * Topic =
        match state.Topics.TryFind name with
        | Some topic -> state, topic
        | None ->
            let replication = min 3 (liveNodes state).Length
            addTopic name true (Map [ "cleanup.policy", "compact" ]) (place 0 partitions replication 0 state) state

    [<Literal>]
    let OffsetsTopic = "__consumer_offsets"

    [<Literal>]
    let TransactionTopic = "__transaction_state"
