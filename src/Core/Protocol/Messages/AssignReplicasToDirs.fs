namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AssignReplicasToDirs (API key 73): a broker with several disks tells in which log directory it keeps each replica (KIP-858). It goes
/// from a broker to the active controller; clients have no use for it.
module AssignReplicasToDirs =

    /// A partition that the broker has a replica of.
    type PartitionRequest = { PartitionIndex: int32 }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        return { PartitionRequest.PartitionIndex = partition }
    }

    /// Partitions of one topic in one directory.
    type TopicRequest = { TopicId: Guid; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { TopicId = id; Partitions = partitions }
    }

    /// What is in one directory.
    type DirectoryRequest =
        {
            /// The directory's id, as the broker registered it.
            Id: Guid
            Topics: TopicRequest list
        }

    let directoryRequest = message {
        let! id = field "Id" _.Id uuid
        and! topics = field "Topics" _.Topics (array topicRequest)
        return { Id = id; Topics = topics }
    }

    type Request =
        {
            /// The broker that tells.
            BrokerId: int32
            /// The epoch of the broker's registration; -1 where it is not known.
            BrokerEpoch: int64
            Directories: DirectoryRequest list
        }

    let request = message {
        let! broker = field "BrokerId" _.BrokerId int32
        and! epoch = field "BrokerEpoch" _.BrokerEpoch (int64 |> withDefault -1L)
        and! directories = field "Directories" _.Directories (array directoryRequest)

        return { BrokerId = broker; BrokerEpoch = epoch; Directories = directories }
    }

    /// What became of one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// UNKNOWN_TOPIC_ID and UNKNOWN_TOPIC_OR_PARTITION when there is no such partition; NOT_LEADER_OR_FOLLOWER when the broker
            /// has no replica of it.
            Error: ErrorCode
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        return { PartitionIndex = partition; Error = error }
    }

    /// What became of the partitions of one topic.
    type TopicResponse = { TopicId: Guid; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { TopicId = id; Partitions = partitions }
    }

    /// What became of one directory's partitions.
    type DirectoryResponse = { Id: Guid; Topics: TopicResponse list }

    let directoryResponse = message {
        let! id = field "Id" _.Id uuid
        and! topics = field "Topics" _.Topics (array topicResponse)
        return { Id = id; Topics = topics }
    }

    type Response =
        {
            /// How long the sender is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// What concerns the request as a whole: STALE_BROKER_EPOCH when the broker has registered anew since;
            /// BROKER_ID_NOT_REGISTERED; NOT_CONTROLLER when to ask elsewhere; UNSUPPORTED_VERSION when the cluster's metadata version
            /// knows no directories yet; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            Directories: DirectoryResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! directories = field "Directories" _.Directories (array directoryResponse)

        return { ThrottleTimeMs = throttle; Error = error; Directories = directories }
    }

    let api = Api.define ApiKey.AssignReplicasToDirs 0s 0s (Some 0s) request response
