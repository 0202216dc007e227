namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Wire
open LibKafka.Protocol

/// The leader of a partition, and what else the cluster says that a client of the partition needs.
type Leader =
    {
        NodeId: int32
        Address: BrokerAddress
        /// The epoch in which it leads; -1 where the broker does not tell.
        Epoch: int32
        /// The id of the topic; zero where the broker does not tell.
        TopicId: Guid
    }

/// A topic to create.
type NewTopic =
    {
        Name: string
        /// -1 for the broker's default.
        Partitions: int
        /// -1 for the broker's default.
        ReplicationFactor: int16
        /// Settings that differ from the broker's defaults, such as `cleanup.policy`.
        Configs: (string * string) list
    }

/// What any broker of a cluster can be asked, and what its controller does.
[<RequireQualifiedAccess>]
module Cluster =

    // `connect` as part of an attempt of this number at something.
    let internal connectAs (number: int) settings (bootstrap: Bootstrap) (cancellation: CancellationToken) =
        let rec attempt tried remaining =
            match remaining with
            | [] -> Error(ClientFault.NoBroker(List.rev tried))
            | broker :: others ->
                match Connection.OpenAs(number, settings, broker, cancellation) with
                | Ok connection -> Ok connection
                | Error ClientFault.Cancelled -> Error ClientFault.Cancelled
                | Error fault ->
                    bootstrap.Forget()
                    attempt ((broker, fault) :: tried) others

        ClientSettings.check settings
        |> Result.bind (fun settings -> bootstrap.Brokers(Deadline.After(settings.Time, settings.ConnectTimeout), cancellation))
        |> Result.bind (attempt [])

    /// Connects to one of the brokers: to the first that answers, in random order, so that clients spread over the brokers.
    let connect (settings: ClientSettings) (bootstrap: Bootstrap) (cancellation: CancellationToken) : Result<Connection, ClientFault> =
        connectAs 1 settings bootstrap cancellation

    /// Asks for the brokers and for some topics, or for all of them where `topics` is none. It never makes a topic.
    let metadata (connection: Connection) (topics: string list option) (cancellation: CancellationToken) =
        let byName name : Metadata.TopicRequest = { TopicId = Guid.Empty; Name = Some name }

        connection.Call(
            Metadata.api,
            { Topics = topics |> Option.map (List.map byName)
              AllowAutoTopicCreation = false
              IncludeClusterAuthorizedOperations = false
              IncludeTopicAuthorizedOperations = false },
            cancellation
        )

    let internal addressOf (response: Metadata.Response) (node: int32) : BrokerAddress option =
        response.Brokers
        |> List.tryFind (fun broker -> broker.NodeId = node)
        |> Option.map (fun broker -> { Host = broker.Host; Port = broker.Port })

    /// The leader of a partition according to a metadata response, or the error code that says why there is none.
    let leaderIn (response: Metadata.Response) (partition: TopicPartition) : Result<Leader, ErrorCode> =
        let topic = response.Topics |> List.tryFind (fun topic -> topic.Name = Some partition.Topic)

        let found =
            topic
            |> Option.bind (fun topic -> topic.Partitions |> List.tryFind (fun found -> found.PartitionIndex = partition.Partition))

        match topic, found with
        | Some topic, _ when topic.Error.IsError -> Error topic.Error
        | Some topic, Some found ->
            match addressOf response found.LeaderId with
            | Some address -> Ok { NodeId = found.LeaderId; Address = address; Epoch = found.LeaderEpoch; TopicId = topic.TopicId }
            | None when found.Error.IsError -> Error found.Error
            | None -> Error ErrorCode.LeaderNotAvailable
        | None, _ when response.Error.IsError -> Error response.Error
        | _ -> Error ErrorCode.UnknownTopicOrPartition

    // `findLeader` as part of an attempt of this number at something.
    let internal findLeaderAs attempt settings bootstrap (partition: TopicPartition) cancellation : Result<Leader, ClientFault> =
        connectAs attempt settings bootstrap cancellation
        |> Result.bind (fun connection ->
            use connection = connection

            (metadata connection (Some [ partition.Topic ]) cancellation).Outcome
            |> Result.bind (fun response ->
                leaderIn response partition |> Result.mapError (fun code -> ClientFault.NoLeader(partition, code))))

    /// Asks the cluster for the leader of a partition.
    let findLeader settings bootstrap (partition: TopicPartition) cancellation : Result<Leader, ClientFault> =
        findLeaderAs 1 settings bootstrap partition cancellation

    /// Connects to the broker that administrative requests go to: the controller, where the cluster names one.
    let connectController settings bootstrap cancellation : Result<Connection, ClientFault> =
        connect settings bootstrap cancellation
        |> Result.bind (fun connection ->
            match (metadata connection (Some []) cancellation).Outcome with
            | Error fault ->
                connection.Close()
                Error fault
            | Ok response ->
                match addressOf response response.ControllerId with
                | Some address when address <> connection.Broker ->
                    connection.Close()
                    Connection.Open(settings, address, cancellation)
                | _ -> Ok connection)

    /// A topic to create as the request has it.
    let internal toCreate (topic: NewTopic) : CreateTopics.Topic =
        { Name = topic.Name
          NumPartitions = topic.Partitions
          ReplicationFactor = topic.ReplicationFactor
          Assignments = []
          Configs = topic.Configs |> List.map (fun (name, value) -> { Name = name; Value = Some value }) }

    /// Creates topics. Each has a result of its own in the response. `timeout` is how long the controller may wait until they are there.
    let createTopics (connection: Connection) (topics: NewTopic list) (timeout: TimeSpan) (cancellation: CancellationToken) =
        connection.Call(
            CreateTopics.api,
            { Topics = List.map toCreate topics; TimeoutMs = Milliseconds.ofTimeSpan timeout; ValidateOnly = false },
            cancellation
        )

    /// Deletes topics with everything in them. Each has a result of its own in the response.
    let deleteTopics (connection: Connection) (names: string list) (timeout: TimeSpan) (cancellation: CancellationToken) =
        let byName name : DeleteTopics.Topic = { Name = Some name; TopicId = Guid.Empty }

        // Up to version 5 the names stand by themselves.
        let topics =
            match connection.VersionOf DeleteTopics.api with
            | Ok version when version >= 6s -> List.map byName names
            | _ -> []

        connection.Call(
            DeleteTopics.api,
            { Topics = topics; TopicNames = names; TimeoutMs = Milliseconds.ofTimeSpan timeout },
            cancellation
        )

    /// Asks which broker looks after a group or a transactional id.
    let findCoordinator (connection: Connection) (kind: CoordinatorType) (key: string) (cancellation: CancellationToken) =
        // Up to version 3 the key stands by itself, from version 4 on in a list.
        let isList =
            match connection.VersionOf FindCoordinator.api with
            | Ok version -> version >= 4s
            | Error _ -> false

        connection.Call(
            FindCoordinator.api,
            { Key = (if isList then "" else key); KeyType = kind; Keys = (if isList then [ key ] else []) },
            cancellation
        )

    /// The coordinator of a key according to a response, in whichever of its two forms: an error code in it says why there is none.
    let coordinatorIn (response: FindCoordinator.Response) (key: string) : FindCoordinator.Coordinator =
        let alone: FindCoordinator.Coordinator =
            { Key = key
              NodeId = response.NodeId
              Host = response.Host
              Port = response.Port
              Error = response.Error
              ErrorMessage = response.ErrorMessage }

        match response.Coordinators |> List.tryFind (fun found -> found.Key = key) with
        | Some found -> found
        // A list that does not have the key leaves these empty.
        | None when alone.Host = "" && not alone.Error.IsError -> { alone with Error = ErrorCode.CoordinatorNotAvailable }
        | None -> alone
