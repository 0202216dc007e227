namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol

/// A topic to create.
type NewTopic =
    {
        Name: string
        /// -1 for the broker's default, which needs Kafka 2.4.
        Partitions: int
        /// -1 for the broker's default, which needs Kafka 2.4.
        ReplicationFactor: int16
        /// Configs that differ from the broker's defaults, such as `cleanup.policy`.
        Configs: (string * string) list
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show
            [ "Name", box this.Name
              "Partitions", box this.Partitions
              "ReplicationFactor", box this.ReplicationFactor
              "Configs", box (this.Configs |> List.map (fun (name, value) -> name + "=" + ConfigName.shown false name value)) ]

[<RequireQualifiedAccess>]
module internal NewTopic =

    /// Whether the broker must choose the number of partitions or of replicas. An explicit assignment of replicas says both.
    let usesDefaults (topic: CreateTopics.Topic) : bool =
        topic.Assignments.IsEmpty && (topic.NumPartitions = -1 || topic.ReplicationFactor = -1s)

    /// Why such a topic cannot be created.
    let needsNumbers =
        ClientFault.BrokerTooOld(
            "a default number of partitions or replicas",
            "Kafka 2.4 (CreateTopics 4)",
            "give the numbers of partitions and of replicas of the new topic"
        )

    /// The topic in a request.
    let toRequest (topic: NewTopic) : CreateTopics.Topic =
        { Name = topic.Name
          NumPartitions = topic.Partitions
          ReplicationFactor = topic.ReplicationFactor
          Assignments = []
          Configs = topic.Configs |> List.map (fun (name, value) -> { Name = name; Value = Some value }) }

/// Creating, deleting and describing topics.
[<RequireQualifiedAccess>]
module internal TopicAdmin =

    let private createOn connection (timeout: TimeSpan) validateOnly operation (topics: CreateTopics.Topic list) =
        let request: CreateTopics.Request =
            { Topics = topics; TimeoutMs = Milliseconds.ofTimeSpan timeout; ValidateOnly = validateOnly }

        AdminRequest.ask connection operation topics CreateTopics.api request _.Name (fun response ->
            response.Topics |> List.map (fun result -> result.Name, AdminFault.check result.Error result.ErrorMessage result))

    let private hasDefaults (connection: Result<Connection, ClientFault>) =
        match connection |> Result.bind _.VersionOf(CreateTopics.api) with
        | Ok version -> version >= CreateTopics.defaultsSince
        | Error _ -> true

    let create (brokers: AdminBrokers) (topics: CreateTopics.Topic list) timeout validateOnly operation =
        let connection = brokers.ConnectController operation
        let check topic = if NewTopic.usesDefaults topic then Error(AdminFault.Fault NewTopic.needsNumbers) else Ok()

        if hasDefaults connection then
            createOn connection timeout validateOnly operation topics
        else
            AdminRequest.askEach topics _.Name check (fun () -> connection) (fun connection some ->
                createOn connection timeout validateOnly operation some)
        |> List.map (fun (topic, result) -> topic.Name, result)

    let delete (brokers: AdminBrokers) (names: string list) (timeout: TimeSpan) operation =
        let byName name : DeleteTopics.Topic = { Name = Some name; TopicId = Guid.Empty }

        // The names have a list of their own in older versions.
        let topicsFor (connection: Connection) =
            match connection.VersionOf DeleteTopics.api with
            | Ok version when version >= DeleteTopics.topicsSince -> List.map byName names
            | _ -> []

        let connection = brokers.ConnectController operation
        let topics = connection |> Result.map topicsFor |> Result.defaultValue []

        let request: DeleteTopics.Request = { Topics = topics; TopicNames = names; TimeoutMs = Milliseconds.ofTimeSpan timeout }

        AdminRequest.ask connection operation names DeleteTopics.api request id (fun response ->
            response.Topics
            |> List.map (fun result -> Option.defaultValue "" result.Name, AdminFault.check result.Error result.ErrorMessage result))

    let createPartitions (brokers: AdminBrokers) (topics: CreatePartitions.Topic list) (timeout: TimeSpan) validateOnly operation =
        let request: CreatePartitions.Request =
            { Topics = topics; TimeoutMs = Milliseconds.ofTimeSpan timeout; ValidateOnly = validateOnly }

        let names = topics |> List.map _.Name

        AdminRequest.ask (brokers.ConnectController operation) operation names CreatePartitions.api request id (fun response ->
            response.Results |> List.map (fun result -> result.Name, AdminFault.check result.Error result.ErrorMessage ()))

    let describe (brokers: AdminBrokers) (names: string list) operation =
        AdminRequest.ask (brokers.ConnectAny operation) operation names Metadata.api (BrokerQuery.metadata (Some names)) id (fun response ->
            response.Topics |> List.map (fun topic -> Option.defaultValue "" topic.Name, AdminFault.check topic.Error None topic))

    let list (brokers: AdminBrokers) operation =
        brokers.Metadata(None, operation)
        |> Result.mapError AdminFault.Fault
        |> Result.bind (fun response -> AdminFault.check response.Error None response.Topics)
