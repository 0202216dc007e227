namespace LibKafka.Client

open System
open LibKafka.Protocol

/// The roles that brokers are needed for: how to find the broker that has one, and which error codes mean that another one has it.
[<RequireQualifiedAccess>]
module internal Role =

    // A role of which nothing is remembered from one broker to the next.
    let private role partition unknown find hasMoved : Role<'Target> =
        { Partition = partition; Unknown = unknown; Find = find; HasMoved = hasMoved; Newer = fun _ _ found -> found }

    /// Connects to one of the bootstrap brokers: to the first that responds, in random order.
    let connectAny (bootstrap: Bootstrap) (operation: Operation) : Result<Connection, ClientFault> =
        let rec attempt tried remaining =
            match remaining with
            | broker :: others when List.isEmpty tried || not operation.Deadline.IsOver ->
                match Connection.Open(broker, operation) with
                | Ok connection -> Ok connection
                | Error ClientFault.Cancelled -> Error ClientFault.Cancelled
                | Error fault ->
                    bootstrap.Forget()
                    attempt ((broker, fault) :: tried) others
            | _ -> Error(ClientFault.NoBroker(List.rev tried))

        ClientSettings.check operation.Settings
        |> Result.bind (fun settings -> bootstrap.Brokers(operation.Within settings.ConnectTimeout))
        |> Result.bind (attempt [])

    /// Asks a broker for the brokers and for some topics.
    let askMetadata (topics: string list option) (operation: Operation) (asked: Connection) : Result<Metadata.Response, ClientFault> =
        asked.Ask(Metadata.api, BrokerQuery.metadata topics, operation).Result

    /// Asks a broker for the coordinators of keys, in one request. A broker that takes one key in a request must not be asked for several.
    let askCoordinators kind keys (operation: Operation) (asked: Connection) : Result<string -> FindCoordinator.Coordinator, ClientFault> =
        let request = BrokerQuery.coordinators kind keys (asked.VersionOf FindCoordinator.api)
        asked.Ask(FindCoordinator.api, request, operation).Result |> Result.map BrokerQuery.coordinatorsIn

    // Finds a broker by asking another one, whose connection is kept if it goes to the broker itself, and else closed.
    let private findBy (bootstrap: Bootstrap) operation (ask: Connection -> Result<'Target * BrokerAddress, ClientFault>) =
        let find (asked: Connection) : Result<Found<'Target>, ClientFault> =
            let found =
                try
                    ask asked
                with _ ->
                    asked.Close()
                    reraise ()

            match found with
            | Ok(target, address) when address = asked.Broker -> Ok { Target = target; Address = address; Connection = Some asked }
            | Ok(target, address) ->
                asked.Close()
                Ok { Target = target; Address = address; Connection = None }
            | Error fault ->
                asked.Close()
                Error fault

        connectAny bootstrap operation |> Result.bind find

    let private unknownLeader =
        { NodeId = -1; Address = { Host = ""; Port = 0 }; Epoch = -1; RequestEpoch = -1; TopicId = Guid.Empty }

    /// A leader that there is no connection to yet.
    let atLeader (leader: Leader) : Found<Leader> = { Target = leader; Address = leader.Address; Connection = None }

    // How often in a row metadata with a lower leader epoch is taken for older if the topic has no id.
    [<Literal>]
    let private MostOlder = 2

    // Metadata of one topic with a lower leader epoch is older: it comes from a broker that has not heard of an election yet. There are two
    // exceptions. A leader that does not know the higher epoch is believed if the metadata names it too. And without ids the topic may have
    // been deleted and created again, which begins its epochs anew. UNKNOWN_TOPIC_OR_PARTITION in between shows that, and so do lower epochs
    // time after time, because an election is known to all brokers within seconds.
    let private newerLeader () : Leader -> ErrorCode list -> Found<Leader> -> Found<Leader> =
        let older = ref 0

        fun known refusals found ->
            let isOlder = Leader.isOlderThan known found.Target
            older.Value <- if isOlder then older.Value + 1 else 0
            let isCreatedAgain = List.contains ErrorCode.UnknownTopicOrPartition refusals || older.Value > MostOlder
            let isConfirmed = found.Target.NodeId = known.NodeId && List.contains ErrorCode.UnknownLeaderEpoch refusals

            if isOlder && not (known.TopicId = Guid.Empty && isCreatedAgain) && not isConfirmed then
                atLeader known
            else
                older.Value <- 0
                found

    let private leaderHasMoved (code: ErrorCode) =
        code = ErrorCode.NotLeaderOrFollower
        || code = ErrorCode.LeaderNotAvailable
        || code = ErrorCode.ReplicaNotAvailable
        || code = ErrorCode.KafkaStorageError
        || code = ErrorCode.FencedLeaderEpoch
        || code = ErrorCode.UnknownLeaderEpoch
        || code = ErrorCode.UnknownTopicOrPartition
        || code = ErrorCode.UnknownTopicId
        || code = ErrorCode.InconsistentTopicId

    /// Asks a broker for the metadata of some topics. Their partitions' clients need them, so they are created on demand if the settings allow it.
    let askTopics (topics: string list) (operation: Operation) (asked: Connection) : Exchange<Metadata.Request, Metadata.Response> =
        let request = { BrokerQuery.metadata (Some topics) with AllowAutoTopicCreation = operation.Settings.AllowAutoTopicCreation }
        asked.Ask(Metadata.api, request, operation)

    // Asks any broker for the metadata of some topics, on a connection that is closed again. `read` is given the response and its version.
    let private withTopics bootstrap topics operation (read: Metadata.Response -> int16 -> Result<'T, ClientFault>) =
        connectAny bootstrap operation
        |> Result.bind (fun connection ->
            use connection = connection
            let exchange = askTopics topics operation connection
            exchange.Result |> Result.bind (fun response -> read response exchange.Info.Version))

    /// The leaders of all partitions of some topics, for which any broker is asked.
    let leaders (bootstrap: Bootstrap) (topics: string list) (operation: Operation) : Result<TopicLeaders list, ClientFault> =
        withTopics bootstrap topics operation (fun response version -> Ok(BrokerQuery.topicLeadersIn response version topics))

    /// The leader of a partition, for which any broker is asked, on a connection that is closed again.
    let leader (bootstrap: Bootstrap) (partition: TopicPartition) : Role<Leader> =
        let find (operation: Operation) =
            withTopics bootstrap [ partition.Topic ] operation (fun response version ->
                BrokerQuery.leaderIn response version partition |> Result.mapError (fun code -> ClientFault.NoLeader(partition, code)))
            |> Result.map atLeader

        { role (Some partition) unknownLeader find leaderHasMoved with Newer = newerLeader () }

    /// The leader that a broker names in place of the one that we had (KIP-951), if it was elected later. Each leader that is followed has a
    /// higher epoch than the one before, so brokers that disagree cannot send the client round in circles.
    let namedLeader (current: CurrentLeader) (nodes: NodeEndpoint list) (before: Leader) : Found<Leader> option =
        nodes
        |> List.tryFind (fun node -> node.NodeId = current.LeaderId && current.LeaderEpoch > before.Epoch)
        |> Option.map (fun node ->
            atLeader
                { before with
                    NodeId = node.NodeId
                    Address = { Host = node.Host; Port = node.Port }
                    Epoch = current.LeaderEpoch
                    RequestEpoch = current.LeaderEpoch })

    /// Another replica of a partition, whose address the leader is asked for. Its reader decides when to leave it.
    let replica (leader: Lease<Leader>) (partition: TopicPartition) (node: int32) : Role<Leader> =
        let find (operation: Operation) =
            leader.Reach operation
            |> Result.bind (fun held ->
                askMetadata (Some []) operation held.Connection
                |> Result.bind (fun response ->
                    match BrokerQuery.addressIn response node with
                    | Some address -> Ok { Target = held.Target; Address = address; Connection = None }
                    | None -> Error(ClientFault.NoLeader(partition, ErrorCode.ReplicaNotAvailable))))

        role (Some partition) unknownLeader find (fun _ -> false)

    /// The coordinator of a group or of a transactional id. COORDINATOR_LOAD_IN_PROGRESS does not mean that it has moved: the right broker
    /// responds with it.
    let coordinator (bootstrap: Bootstrap) (kind: CoordinatorType) (key: string) : Role<FindCoordinator.Coordinator> =
        let find (operation: Operation) =
            findBy bootstrap operation (fun asked ->
                askCoordinators kind [ key ] operation asked
                |> Result.bind (fun coordinatorOf ->
                    let found = coordinatorOf key
                    let address: BrokerAddress = { Host = found.Host; Port = found.Port }

                    if found.Error.IsError then
                        Error(ClientFault.NoCoordinator(kind, key, found.Error))
                    else
                        Ok(found, address)))

        role None { Key = key; NodeId = -1; Host = ""; Port = 0; Error = ErrorCode.None; ErrorMessage = None } find (fun code ->
            code = ErrorCode.NotCoordinator || code = ErrorCode.CoordinatorNotAvailable)

    /// The controller, or any broker if the cluster names no controller.
    let controller (bootstrap: Bootstrap) : Role<BrokerAddress> =
        let find (operation: Operation) =
            findBy bootstrap operation (fun asked ->
                askMetadata (Some []) operation asked
                |> Result.map (fun response ->
                    let address = BrokerQuery.addressIn response response.ControllerId |> Option.defaultValue asked.Broker
                    address, address))

        role None { Host = ""; Port = 0 } find (fun code -> code = ErrorCode.NotController)
