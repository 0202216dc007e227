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

    /// The address of a broker.
    let addressIn (response: Metadata.Response) (node: int32) : BrokerAddress option =
        response.Brokers
        |> List.tryFind (fun broker -> broker.NodeId = node)
        |> Option.map (fun broker -> { Host = broker.Host; Port = broker.Port })

    /// The leader of a partition, or the error code that says why there is none.
    let leaderIn (response: Metadata.Response) (partition: TopicPartition) : Result<Leader, ErrorCode> =
        let topic = response.Topics |> List.tryFind (fun topic -> topic.Name = Some partition.Topic)

        let found =
            topic
            |> Option.bind (fun topic -> topic.Partitions |> List.tryFind (fun found -> found.PartitionIndex = partition.Partition))

        match topic, found with
        | Some topic, _ when topic.Error.IsError -> Error topic.Error
        | Some topic, Some found ->
            match addressIn response found.LeaderId with
            | Some address -> Ok { NodeId = found.LeaderId; Address = address; Epoch = found.LeaderEpoch; TopicId = topic.TopicId }
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
