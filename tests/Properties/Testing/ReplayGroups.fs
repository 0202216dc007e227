/// What the replay of conversations must know of groups.
module LibKafka.Properties.Testing.ReplayGroups

open LibKafka.Protocol
open LibKafka.Testing

/// The configs of the recorded brokers.
let settings: BrokerGroupSettings =
    { GroupTable.settings with
        InitialRebalanceDelayMs = 100
        MinSessionTimeoutMs = 1_000
        HeartbeatIntervalMs = 1_000
        SessionTimeoutMs = 10_000
        RegexRefreshMs = 10_000 }

/// Gives a member the id that the recorded broker gave it.
let rename (own: string) (recorded: string) (state: State) : State =
    let renamed id = if id = own then recorded else id

    let renamedKeys (map: Map<string, 'Value>) = map |> Map.toSeq |> Seq.map (fun (id, value) -> renamed id, value) |> Map.ofSeq

    let kind (kind: GroupKind) =
        match kind with
        | GroupKind.Classic group ->
            GroupKind.Classic
                { group with
                    Leader = renamed group.Leader
                    Pending = renamedKeys group.Pending
                    Members = [ for one in group.Members -> { one with MemberId = renamed one.MemberId } ] }
        | GroupKind.Consumer group ->
            GroupKind.Consumer
                { group with
                    Target = renamedKeys group.Target
                    Members = [ for one in group.Members -> { one with MemberId = renamed one.MemberId } ] }

    if own = "" || recorded = "" || own = recorded then
        state
    else
        let groups = state.Groups.ById |> Map.map (fun _ group -> { group with Kind = kind group.Kind })
        { state with Groups = { state.Groups with ById = groups } }

/// Makes the recorded coordinators those of the cluster.
let place (kind: CoordinatorType) (recorded: FindCoordinator.Coordinator list) (state: State) : State =
    let topic = if kind = CoordinatorType.Transaction then Cluster.TransactionTopic else Cluster.OffsetsTopic

    recorded
    |> List.filter (fun found -> not found.Error.IsError && state.Nodes.ContainsKey found.NodeId)
    |> List.fold
        (fun state found ->
            let state, partition = Coordinators.partition kind found.Key state
            Cluster.updatePartition topic partition.Index (fun it -> { it with Leader = ValueSome found.NodeId }) state)
        state

/// A recorded response without the groups of other conversations that were going on.
let withoutOthers (state: State) (recorded: Response) : Response =
    match recorded with
    | Response.ListGroups response ->
        Response.ListGroups
            { response with Groups = response.Groups |> List.filter (fun group -> state.Groups.ById.ContainsKey group.GroupId) }
    | response -> response
