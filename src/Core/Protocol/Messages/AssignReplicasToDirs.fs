namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AssignReplicasToDirs (API key 73): reports in which log directory a broker with several disks keeps each replica (KIP-858). Brokers
/// send it to the active controller; clients do not use it.
module AssignReplicasToDirs =

    /// A partition of which the broker has a replica.
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

    /// The replicas in one directory.
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
            /// The broker that reports.
            BrokerId: int32
            /// The epoch of the broker's registration; -1 if unknown.
            BrokerEpoch: int64
            Directories: DirectoryRequest list
        }

    let request = message {
        let! broker = field "BrokerId" _.BrokerId int32
        and! epoch = field "BrokerEpoch" _.BrokerEpoch (int64 |> withDefault -1L)
        and! directories = field "Directories" _.Directories (array directoryRequest)

        return { BrokerId = broker; BrokerEpoch = epoch; Directories = directories }
    }

    /// The result for one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// UNKNOWN_TOPIC_ID or UNKNOWN_TOPIC_OR_PARTITION if there is no such partition; NOT_LEADER_OR_FOLLOWER if the broker has no
            /// replica of it.
            Error: ErrorCode
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        return { PartitionIndex = partition; Error = error }
    }

    /// The results for the partitions of one topic.
    type TopicResponse = { TopicId: Guid; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { TopicId = id; Partitions = partitions }
    }

    /// The results for the partitions of one directory.
    type DirectoryResponse = { Id: Guid; Topics: TopicResponse list }

    let directoryResponse = message {
        let! id = field "Id" _.Id uuid
        and! topics = field "Topics" _.Topics (array topicResponse)
        return { Id = id; Topics = topics }
    }

    type Response =
        {
            /// How long the sender is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// The error of the whole request: STALE_BROKER_EPOCH if the broker has registered again since; BROKER_ID_NOT_REGISTERED;
            /// NOT_CONTROLLER if another node is the active controller; UNSUPPORTED_VERSION if the cluster's metadata version does not
            /// support log directory ids; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            Directories: DirectoryResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! directories = field "Directories" _.Directories (array directoryResponse)

        return { ThrottleTimeMs = throttle; Error = error; Directories = directories }
    }

    let api =
        Api.define ApiKey.AssignReplicasToDirs (versions 0 0 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type DirectoryRequest with
        override this.ToString() = Schema.show directoryRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type PartitionResponse with
        override this.ToString() = Schema.show partitionResponse this
    type TopicResponse with
        override this.ToString() = Schema.show topicResponse this
    type DirectoryResponse with
        override this.ToString() = Schema.show directoryResponse this
    type Response with
        override this.ToString() = Message.show api.Response this
