namespace LibKafka.Client

open LibKafka.Protocol

/// What any broker of a cluster can be asked.
[<AbstractClass; Sealed>]
type Cluster private () =

    /// Connects to one of the brokers: to the first that responds, in random order, so that clients spread over the brokers.
    static member Connect(settings: ClientSettings, bootstrap: Bootstrap, ?call: CallOptions) : Result<Connection, ClientFault> =
        Role.connectAny bootstrap (Operation.Begin(settings, call))

    /// Connects to the broker that administrative requests go to: the controller, or any broker if the cluster names no controller.
    static member ConnectController(settings: ClientSettings, bootstrap: Bootstrap, ?call: CallOptions) : Result<Connection, ClientFault> =
        Lease(settings, Role.controller bootstrap).Reach(Operation.Begin(settings, call)) |> Result.map _.Connection

    /// Asks the cluster for the leader of a partition.
    static member FindLeader
        (settings: ClientSettings, bootstrap: Bootstrap, partition: TopicPartition, ?call: CallOptions)
        : Result<Leader, ClientFault> =
        (Role.leader bootstrap partition).Find(Operation.Begin(settings, call)) |> Result.map _.Target

    /// Asks the cluster for the leaders of all partitions of some topics, by one request to one broker. Each topic is in the result once, in the
    /// order of the names; one that cannot be described has an error code. `PartitionClient.UseLeader` takes the leaders.
    static member FindLeaders
        (settings: ClientSettings, bootstrap: Bootstrap, topics: string list, ?call: CallOptions)
        : Result<TopicLeaders list, ClientFault> =
        Role.leaders bootstrap topics (Operation.Begin(settings, call))

    /// Asks for the brokers and for some topics, or for all topics if `topics` is none. It never creates a topic.
    static member Metadata
        (connection: Connection, topics: string list option, ?call: CallOptions)
        : Exchange<Metadata.Request, Metadata.Response> =
        connection.Call(Metadata.api, BrokerQuery.metadata topics, ?call = call)

    /// Asks for the coordinator of a group or of a transactional id: see `CoordinatorIn`.
    static member FindCoordinator
        (connection: Connection, kind: CoordinatorType, key: string, ?call: CallOptions)
        : Exchange<FindCoordinator.Request, FindCoordinator.Response> =
        let request = BrokerQuery.coordinators kind [ key ] (connection.VersionOf FindCoordinator.api)
        connection.Call(FindCoordinator.api, request, ?call = call)

    /// The leader of a partition according to a metadata response of some version, or the error code that says why there is none.
    static member LeaderIn(response: Metadata.Response, version: int16, partition: TopicPartition) : Result<Leader, ErrorCode> =
        BrokerQuery.leaderIn response version partition

    /// The leaders of partitions according to a metadata response of some version: a function that does not search the response for each.
    static member LeadersIn(response: Metadata.Response, version: int16) : TopicPartition -> Result<Leader, ErrorCode> =
        BrokerQuery.leadersIn response version

    /// The leaders of all partitions of some topics according to a metadata response of some version. Each topic is in the result once, in the order
    /// of the names; one that the response does not describe has an error code.
    static member TopicLeadersIn(response: Metadata.Response, version: int16, topics: string list) : TopicLeaders list =
        BrokerQuery.topicLeadersIn response version topics

    /// The coordinator of a key according to a response in either of its two forms. An error code in it says why there is none.
    static member CoordinatorIn(response: FindCoordinator.Response, key: string) : FindCoordinator.Coordinator =
        BrokerQuery.coordinatorsIn response key
