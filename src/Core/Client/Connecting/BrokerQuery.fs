namespace LibKafka.Client

open System
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

    let private partitionsIn (response: Metadata.Response) : (TopicPartition * Metadata.Partition) seq = seq {
        for topic in response.Topics do
            for found in topic.Partitions do
                { Topic = Option.defaultValue "" topic.Name; Partition = found.PartitionIndex }, found
    }

    /// Finds leaders in a response of some version, each in constant time, or the error code that says why there is none.
    let leadersIn (response: Metadata.Response) (version: int16) : TopicPartition -> Result<Leader, ErrorCode> =
        let address = response.Brokers |> Seq.map (fun broker -> broker.NodeId, addressOf broker) |> Answers.first
        let topic = response.Topics |> Seq.map (fun topic -> Option.defaultValue "" topic.Name, topic) |> Answers.first
        let partition = partitionsIn response |> Answers.first

        fun wanted ->
            match topic wanted.Topic, partition wanted with
            | Some topic, _ when topic.Error.IsError -> Error topic.Error
            | Some topic, Some found ->
                match address found.LeaderId with
                | Some address -> Ok(leaderOf version topic found address)
                | None when found.Error.IsError -> Error found.Error
                | None -> Error ErrorCode.LeaderNotAvailable
            | None, _ when response.Error.IsError -> Error response.Error
            | _ -> Error ErrorCode.UnknownTopicOrPartition

    /// Asks for the coordinator of a key, in a version.
    let coordinator (kind: CoordinatorType) (key: string) (version: Result<int16, ClientFault>) : FindCoordinator.Request =
        // The key has a field of its own in older versions, and is in a list in newer ones.
        match version with
        | Ok version when version >= FindCoordinator.keysSince -> { Key = ""; KeyType = kind; Keys = [ key ] }
        | _ -> { Key = key; KeyType = kind; Keys = [] }

    /// The coordinator of a key, in either of the response's two forms. An error code in it says why there is none.
    let coordinatorIn (response: FindCoordinator.Response) (key: string) : FindCoordinator.Coordinator =
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
