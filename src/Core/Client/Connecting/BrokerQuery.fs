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
        /// The epoch to name in requests (`CurrentLeaderEpoch`): `Epoch`, or -1 if it comes from a version of Metadata before 9, in which it may
        /// be old. A broker would refuse an old one with FENCED_LEADER_EPOCH every time.
        RequestEpoch: int32
        /// The id of the topic; zero if the broker does not report it.
        TopicId: Guid
    }

    /// A one-line description, such as `broker 2 at kafka2:9092 in epoch 5`.
    override this.ToString() =
        let epoch = if this.Epoch < 0 then "" else " in epoch " + string this.Epoch
        "broker " + string this.NodeId + " at " + this.Address.ToString() + epoch

[<RequireQualifiedAccess>]
module Leader =

    /// Whether a leader that was found is out of date in comparison with a known one of the same partition: it is of the same topic and has a lower
    /// epoch, so it comes from a broker that has not heard of an election yet.
    let isOlderThan (known: Leader) (found: Leader) : bool =
        found.RequestEpoch >= 0 && found.RequestEpoch < known.RequestEpoch && found.TopicId = known.TopicId

/// The leaders of a topic's partitions in the cluster's metadata.
type TopicLeaders =
    {
        Topic: string
        /// Zero if the broker does not report it.
        TopicId: Guid
        /// Why the topic cannot be described, such as UNKNOWN_TOPIC_OR_PARTITION or LEADER_NOT_AVAILABLE while it is being created. `Partitions` is
        /// empty then.
        Error: ErrorCode
        /// Each partition's leader, or why it has none, such as LEADER_NOT_AVAILABLE during an election.
        Partitions: Map<int, Result<Leader, ErrorCode>>
    }

    /// The number of partitions. A broker that has just heard of a new topic may leave some out of `Partitions`.
    member this.PartitionCount: int = if this.Partitions.IsEmpty then 0 else fst (Map.maxKeyValue this.Partitions) + 1

    /// The leader of a partition, or why it has none.
    member this.LeaderOf(partition: int) : Result<Leader, ErrorCode> =
        match this.Partitions.TryFind partition with
        | Some leader -> leader
        | None when this.Error.IsError -> Error this.Error
        | None -> Error ErrorCode.UnknownTopicOrPartition

    /// As in `orders: 48 partitions`.
    override this.ToString() =
        this.Topic
        + ": "
        + (if this.Error.IsError then
               this.Error.ToString()
           else
               FieldText.count (int64 this.PartitionCount) "partition")

/// Finding brokers: the requests, and what their responses say.
[<RequireQualifiedAccess>]
module internal BrokerQuery =

    /// Asks for the brokers and for some topics, or for all topics if `topics` is none.
    let metadata (topics: string list option) : Metadata.Request =
        let byName name : Metadata.TopicRequest = { TopicId = Guid.Empty; Name = Some name }

        { Topics = topics |> Option.map (List.map byName)
          AllowAutoTopicCreation = false
          IncludeClusterAuthorizedOperations = false
          IncludeTopicAuthorizedOperations = false }

    let private addressOf (broker: Metadata.Broker) : BrokerAddress = { Host = broker.Host; Port = broker.Port }

    /// The address of a broker.
    let addressIn (response: Metadata.Response) (node: int32) : BrokerAddress option =
        response.Brokers |> List.tryFind (fun broker -> broker.NodeId = node) |> Option.map addressOf

    let private leaderOf (version: int16) (topic: Metadata.Topic) (found: Metadata.Partition) (address: BrokerAddress) : Leader =
        { NodeId = found.LeaderId
          Address = address
          Epoch = found.LeaderEpoch
          RequestEpoch = (if version >= Metadata.reliableEpochsSince then found.LeaderEpoch else -1)
          TopicId = topic.TopicId }

    // The leader of a partition, or why there is none.
    let private leader address (version: int16) (topic: Metadata.Topic) (found: Metadata.Partition) : Result<Leader, ErrorCode> =
        match address found.LeaderId with
        | Some address -> Ok(leaderOf version topic found address)
        | None when found.Error.IsError -> Error found.Error
        | None -> Error ErrorCode.LeaderNotAvailable

    let private addressesIn (response: Metadata.Response) : int32 -> BrokerAddress option =
        response.Brokers |> Seq.map (fun broker -> broker.NodeId, addressOf broker) |> Answers.first

    // A topic by its name.
    let private topicsIn (response: Metadata.Response) : string -> Metadata.Topic option =
        response.Topics |> Seq.map (fun topic -> Option.defaultValue "" topic.Name, topic) |> Answers.first

    // Why the response does not describe a topic.
    let private notDescribed (response: Metadata.Response) : ErrorCode =
        if response.Error.IsError then response.Error else ErrorCode.UnknownTopicOrPartition

    let private partitionsIn (response: Metadata.Response) : (TopicPartition * Metadata.Partition) seq = seq {
        for topic in response.Topics do
            for found in topic.Partitions do
                { Topic = Option.defaultValue "" topic.Name; Partition = found.PartitionIndex }, found
    }

    // The leader of a partition that was looked for in a response, or why there is none.
    let private judge
        response
        address
        version
        (topic: Metadata.Topic option)
        (found: Metadata.Partition option)
        : Result<Leader, ErrorCode> =
        match topic, found with
        | Some topic, _ when topic.Error.IsError -> Error topic.Error
        | Some topic, Some found -> leader address version topic found
        | None, _ -> Error(notDescribed response)
        | Some _, None -> Error ErrorCode.UnknownTopicOrPartition

    /// The leader of one partition in a response of some version, or the error code that says why there is none.
    let leaderIn (response: Metadata.Response) (version: int16) (wanted: TopicPartition) : Result<Leader, ErrorCode> =
        let topic = response.Topics |> List.tryFind (fun topic -> Option.defaultValue "" topic.Name = wanted.Topic)

        topic
        |> Option.bind (fun topic -> topic.Partitions |> List.tryFind (fun found -> found.PartitionIndex = wanted.Partition))
        |> judge response (addressIn response) version topic

    /// Finds leaders in a response of some version, each in constant time, or the error code that says why there is none.
    let leadersIn (response: Metadata.Response) (version: int16) : TopicPartition -> Result<Leader, ErrorCode> =
        let address = addressesIn response
        let topic = topicsIn response
        let partition = partitionsIn response |> Answers.first

        fun wanted -> judge response address version (topic wanted.Topic) (partition wanted)

    /// The leaders of all partitions of some topics in a response of some version: each topic once, in the order of the names.
    let topicLeadersIn (response: Metadata.Response) (version: int16) (topics: string list) : TopicLeaders list =
        let address = addressesIn response
        let topic = topicsIn response

        let leaders (name: string) : TopicLeaders =
            match topic name with
            | None -> { Topic = name; TopicId = Guid.Empty; Error = notDescribed response; Partitions = Map.empty }
            | Some topic when topic.Error.IsError -> { Topic = name; TopicId = topic.TopicId; Error = topic.Error; Partitions = Map.empty }
            | Some topic ->
                { Topic = name
                  TopicId = topic.TopicId
                  Error = ErrorCode.None
                  Partitions =
                    topic.Partitions |> List.map (fun found -> found.PartitionIndex, leader address version topic found) |> Map.ofList }

        topics |> List.distinct |> List.map leaders

    /// Whether a version of FindCoordinator takes several keys.
    let takesSeveralKeys (version: Result<int16, ClientFault>) : bool =
        match version with
        | Ok version -> version >= FindCoordinator.keysSince
        | Error _ -> false

    /// Asks for the coordinators of keys, in a version. An older version takes one key, in a field of its own.
    let coordinators (kind: CoordinatorType) (keys: string list) (version: Result<int16, ClientFault>) : FindCoordinator.Request =
        match keys with
        | [ key ] when not (takesSeveralKeys version) -> { Key = key; KeyType = kind; Keys = [] }
        | _ -> { Key = ""; KeyType = kind; Keys = keys }

    /// Finds the coordinators of keys in either of the response's two forms, each in constant time. An error code in one says why there is none.
    let coordinatorsIn (response: FindCoordinator.Response) : string -> FindCoordinator.Coordinator =
        let listed = response.Coordinators |> Seq.map (fun found -> found.Key, found) |> Answers.first

        let single key : FindCoordinator.Coordinator =
            { Key = key
              NodeId = response.NodeId
              Host = response.Host
              Port = response.Port
              Error = response.Error
              ErrorMessage = response.ErrorMessage }

        fun key ->
            match listed key with
            | Some found -> found
            // These fields are empty if there is a list and the key is not in it.
            | None when response.Host = "" && not response.Error.IsError -> { single key with Error = ErrorCode.CoordinatorNotAvailable }
            | None -> single key
