namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol

/// The leader of a partition, and what else its clients need to know from the cluster's metadata.
type Leader =
    {
        NodeId: int32
        Address: BrokerAddress
        /// Its leader epoch; -1 if the broker does not report it.
        Epoch: int32
        /// The id of the topic; zero if the broker does not report it.
        TopicId: Guid
    }

/// A broker that was found for a purpose.
[<NoEquality; NoComparison>]
type internal Found<'Target> =
    {
        /// What is known about it.
        Target: 'Target
        Address: BrokerAddress
        /// A connection to it, if there is one already.
        Connection: Connection option
    }

/// What any broker of a cluster can be asked.
[<AbstractClass; Sealed>]
type Cluster private () =

    /// Connects to one of the bootstrap brokers, as part of an operation.
    static member internal Connect(bootstrap: Bootstrap, operation: Operation) : Result<Connection, ClientFault> =
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

    /// Asks for the brokers and for some topics, as part of an operation.
    static member internal Metadata(connection: Connection, topics: string list option, operation: Operation) =
        connection.Ask(Metadata.api, Cluster.MetadataRequest topics, operation)

    static member internal MetadataRequest(topics: string list option) : Metadata.Request =
        let byName name : Metadata.TopicRequest = { TopicId = Guid.Empty; Name = Some name }

        { Topics = topics |> Option.map (List.map byName)
          AllowAutoTopicCreation = false
          IncludeClusterAuthorizedOperations = false
          IncludeTopicAuthorizedOperations = false }

    static member private CoordinatorRequest(connection: Connection, kind: CoordinatorType, key: string) : FindCoordinator.Request =
        // The key has a field of its own in older versions, and is in a list in newer ones.
        let isList =
            match connection.VersionOf FindCoordinator.api with
            | Ok version -> version >= FindCoordinator.keysSince
            | Error _ -> false

        { Key = (if isList then "" else key); KeyType = kind; Keys = (if isList then [ key ] else []) }

    /// The address of a broker according to a metadata response.
    static member internal AddressOf(response: Metadata.Response, node: int32) : BrokerAddress option =
        response.Brokers
        |> List.tryFind (fun broker -> broker.NodeId = node)
        |> Option.map (fun broker -> { Host = broker.Host; Port = broker.Port })

    /// The leader of a partition according to a metadata response, or the error code that says why there is none.
    static member LeaderIn(response: Metadata.Response, partition: TopicPartition) : Result<Leader, ErrorCode> =
        let topic = response.Topics |> List.tryFind (fun topic -> topic.Name = Some partition.Topic)

        let found =
            topic
            |> Option.bind (fun topic -> topic.Partitions |> List.tryFind (fun found -> found.PartitionIndex = partition.Partition))

        match topic, found with
        | Some topic, _ when topic.Error.IsError -> Error topic.Error
        | Some topic, Some found ->
            match Cluster.AddressOf(response, found.LeaderId) with
            | Some address -> Ok { NodeId = found.LeaderId; Address = address; Epoch = found.LeaderEpoch; TopicId = topic.TopicId }
            | None when found.Error.IsError -> Error found.Error
            | None -> Error ErrorCode.LeaderNotAvailable
        | None, _ when response.Error.IsError -> Error response.Error
        | _ -> Error ErrorCode.UnknownTopicOrPartition

    /// The coordinator of a key according to a response in either of its two forms. An error code in it says why there is none.
    static member CoordinatorIn(response: FindCoordinator.Response, key: string) : FindCoordinator.Coordinator =
        let single: FindCoordinator.Coordinator =
            { Key = key
              NodeId = response.NodeId
              Host = response.Host
              Port = response.Port
              Error = response.Error
              ErrorMessage = response.ErrorMessage }

        match response.Coordinators |> List.tryFind (fun found -> found.Key = key) with
        | Some found -> found
        // These fields are empty if there is a list and the key is not in it.
        | None when single.Host = "" && not single.Error.IsError -> { single with Error = ErrorCode.CoordinatorNotAvailable }
        | None -> single

    /// Finds the leader of a partition by asking any broker, on a connection that is closed again.
    static member internal FindLeader
        (bootstrap: Bootstrap, partition: TopicPartition, operation: Operation)
        : Result<Found<Leader>, ClientFault> =
        Cluster.Connect(bootstrap, operation)
        |> Result.bind (fun connection ->
            use connection = connection

            Cluster.Metadata(connection, Some [ partition.Topic ], operation).Result
            |> Result.bind (fun response ->
                Cluster.LeaderIn(response, partition) |> Result.mapError (fun code -> ClientFault.NoLeader(partition, code)))
            |> Result.map (fun leader -> { Target = leader; Address = leader.Address; Connection = None }))

    // Finds a broker by asking another one, on a connection that is kept if it goes to the broker itself, and else closed.
    static member private FindBy
        (asked: Connection, find: Connection -> Result<'Target * BrokerAddress, ClientFault>)
        : Result<Found<'Target>, ClientFault> =
        let found =
            try
                find asked
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

    /// Asks for a coordinator, as part of an operation.
    static member internal FindCoordinator(connection: Connection, kind: CoordinatorType, key: string, operation: Operation) =
        connection.Ask(FindCoordinator.api, Cluster.CoordinatorRequest(connection, kind, key), operation)

    /// Finds the coordinator of a group or of a transactional id.
    static member internal FindCoordinator(bootstrap: Bootstrap, kind: CoordinatorType, key: string, operation: Operation) =
        let find (asked: Connection) =
            Cluster.FindCoordinator(asked, kind, key, operation).Result
            |> Result.bind (fun response ->
                let found = Cluster.CoordinatorIn(response, key)

                if found.Error.IsError then
                    Error(ClientFault.NoCoordinator(kind, key, found.Error))
                else
                    let address: BrokerAddress = { Host = found.Host; Port = found.Port }
                    Ok(found, address))

        Cluster.Connect(bootstrap, operation) |> Result.bind (fun asked -> Cluster.FindBy(asked, find))

    /// Finds the controller, or any broker if the cluster names no controller.
    static member internal FindController(bootstrap: Bootstrap, operation: Operation) : Result<Found<BrokerAddress>, ClientFault> =
        let find (asked: Connection) =
            Cluster.Metadata(asked, Some [], operation).Result
            |> Result.map (fun response ->
                let address = Cluster.AddressOf(response, response.ControllerId) |> Option.defaultValue asked.Broker
                address, address)

        Cluster.Connect(bootstrap, operation) |> Result.bind (fun asked -> Cluster.FindBy(asked, find))

    /// Connects to one of the brokers: to the first that answers, in random order, so that clients spread over the brokers.
    static member Connect(settings: ClientSettings, bootstrap: Bootstrap, ?call: CallOptions) : Result<Connection, ClientFault> =
        Cluster.Connect(bootstrap, Operation.Begin(settings, call))

    /// Asks the cluster for the leader of a partition.
    static member FindLeader
        (settings: ClientSettings, bootstrap: Bootstrap, partition: TopicPartition, ?call: CallOptions)
        : Result<Leader, ClientFault> =
        Cluster.FindLeader(bootstrap, partition, Operation.Begin(settings, call)) |> Result.map _.Target

    /// Connects to the broker that administrative requests go to: the controller, or any broker if the cluster names no controller.
    static member ConnectController(settings: ClientSettings, bootstrap: Bootstrap, ?call: CallOptions) : Result<Connection, ClientFault> =
        let operation = Operation.Begin(settings, call)

        Cluster.FindController(bootstrap, operation)
        |> Result.bind (fun found ->
            match found.Connection with
            | Some connection -> Ok connection
            | None -> Connection.Open(found.Address, operation))

    /// Asks for the brokers and for some topics, or for all topics if `topics` is none. It never creates a topic.
    static member Metadata
        (connection: Connection, topics: string list option, ?call: CallOptions)
        : Exchange<Metadata.Request, Metadata.Response> =
        connection.Call(Metadata.api, Cluster.MetadataRequest topics, ?call = call)

    /// Asks for the coordinator of a group or of a transactional id: see `CoordinatorIn`.
    static member FindCoordinator
        (connection: Connection, kind: CoordinatorType, key: string, ?call: CallOptions)
        : Exchange<FindCoordinator.Request, FindCoordinator.Response> =
        connection.Call(FindCoordinator.api, Cluster.CoordinatorRequest(connection, kind, key), ?call = call)
