namespace LibKafka.Testing

open LibKafka.Protocol

/// Finds the coordinators of groups and transactions.
[<RequireQualifiedAccess>]
module internal Coordinators =

    /// Java's hash code of a string.
    let private hashCode (text: string) : int32 = text |> Seq.fold (fun hash letter -> 31 * hash + int32 letter) 0

    let private partitionOf (key: string) (topic: Topic) : Partition =
        topic.Partitions[(hashCode key &&& System.Int32.MaxValue) % topic.Partitions.Length]

    let private topicOf (kind: CoordinatorType) (state: State) : State * Topic =
        if kind = CoordinatorType.Transaction then
            Cluster.internalTopic Cluster.TransactionTopic state.Settings.TransactionPartitions state
        else
            Cluster.internalTopic Cluster.OffsetsTopic state.Settings.OffsetsPartitions state

    /// The partition of the internal topic that a group or a transactional id belongs to. Its leader is the coordinator.
    let partition (kind: CoordinatorType) (key: string) (state: State) : State * Partition =
        let state, topic = topicOf kind state
        state, partitionOf key topic

    /// NOT_COORDINATOR unless the called broker is the coordinator of the group or the transactional id.
    let check (call: Call) (kind: CoordinatorType) (key: string) (state: State) : ErrorCode =
        let _, partition = partition kind key state
        if partition.Leader = ValueSome call.Node then ErrorCode.None else ErrorCode.NotCoordinator

    let private failed (key: string) (code: ErrorCode) (text: string) : FindCoordinator.Coordinator =
        { Key = key; NodeId = -1; Host = ""; Port = -1; Error = code; ErrorMessage = Some text }

    let private locate (call: Call) (kind: CoordinatorType) (key: string) (state: State) : State * FindCoordinator.Coordinator =
        let state, partition = partition kind key state

        match partition.Leader |> ValueOption.map (fun leader -> state.Nodes[leader]) with
        | ValueSome node when node.Status <> NodeStatus.Stopped ->
            state, { Key = key; NodeId = node.Id; Host = node.Host; Port = node.Port; Error = ErrorCode.None; ErrorMessage = Some "" }
        | _ ->
            let text = if call.Version >= FindCoordinator.keysSince then "" else "The coordinator is not available."
            state, failed key ErrorCode.CoordinatorNotAvailable text

    let private find (call: Call) (kind: CoordinatorType) (key: string) (state: State) : State * FindCoordinator.Coordinator =
        let may resource = Security.isAllowed call AclOperation.Describe resource key state
        let refused (code: ErrorCode) = state, failed key code code.Description

        match kind with
        | CoordinatorType.Group when not (may AclResourceType.Group) -> refused ErrorCode.GroupAuthorizationFailed
        | CoordinatorType.Transaction when not (may AclResourceType.TransactionalId) -> refused ErrorCode.TransactionalIdAuthorizationFailed
        | CoordinatorType.Group
        | CoordinatorType.Transaction -> locate call kind key state
        | _ -> refused ErrorCode.InvalidRequest

    /// FindCoordinator. Before version 4 it has one key, and the coordinator is in the response itself.
    let handle (call: Call) (request: FindCoordinator.Request) (state: State) : State * Answer =
        let keys = if call.Version >= FindCoordinator.keysSince then request.Keys else [ request.Key ]
        let folder (state, found) key =
            let state, coordinator = find call request.KeyType key state
            state, coordinator :: found

        let state, found = keys |> List.fold folder (state, [])
        let isOld = call.Version < FindCoordinator.keysSince
        let nothing: FindCoordinator.Coordinator =
            { Key = ""; NodeId = 0; Host = ""; Port = 0; Error = ErrorCode.None; ErrorMessage = None }
        let own = if isOld then found.Head else nothing

        state,
        Reply(
            Response.FindCoordinator
                { ThrottleTimeMs = 0
                  Error = own.Error
                  ErrorMessage =
                    (if not (state.Settings.Release.IsAtLeast(2, 0)) then None
                     elif own.Error.IsError then own.ErrorMessage
                     else Some "NONE")
                  NodeId = own.NodeId
                  Host = own.Host
                  Port = own.Port
                  Coordinators = (if isOld then [] else List.rev found) }
        )
