namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ReadShareGroupStateSummary (API key 87): reads the persistent state of share partitions without the delivery states of individual
/// records (KIP-932). Group coordinators send it to the share coordinator of each partition; clients use DescribeShareGroupOffsets.
module ReadShareGroupStateSummary =

    /// A share partition to read.
    type PartitionRequest =
        {
            Partition: int32
            /// The epoch of the partition's leader.
            LeaderEpoch: int32
        }

    let partitionRequest = message {
        let! partition = field "Partition" _.Partition int32
        and! epoch = field "LeaderEpoch" _.LeaderEpoch int32
        return { Partition = partition; LeaderEpoch = epoch }
    }

    /// Share partitions of one topic.
    type TopicRequest = { TopicId: Guid; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { TopicId = id; Partitions = partitions }
    }

    type Request =
        {
            /// The share group.
            GroupId: string
            Topics: TopicRequest list
        }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! topics = field "Topics" _.Topics (array topicRequest)
        return { GroupId = group; Topics = topics }
    }

    /// The summary of one share partition.
    type PartitionResult =
        {
            Partition: int32
            /// FENCED_LEADER_EPOCH if the coordinator knows a later leader; NOT_COORDINATOR if another broker is the coordinator;
            /// COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state; UNKNOWN_TOPIC_OR_PARTITION; INVALID_REQUEST;
            /// CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            /// Increases with each initialization of the state.
            StateEpoch: int32
            /// The epoch of the leader that wrote the state.
            LeaderEpoch: int32
            /// The first offset that the group has not finished; -1 if there is none yet.
            StartOffset: int64
            /// The number of offsets from `StartOffset` whose delivery is complete; -1 if unknown. Since version 1 (KIP-1226).
            DeliveryCompleteCount: int32
        }

    let partitionResult = message {
        let! partition = field "Partition" _.Partition int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! stateEpoch = field "StateEpoch" _.StateEpoch int32
        and! leaderEpoch = field "LeaderEpoch" _.LeaderEpoch int32
        and! start = field "StartOffset" _.StartOffset int64
        and! complete = field "DeliveryCompleteCount" _.DeliveryCompleteCount (int32 |> since 1s -1 |> ignorable)

        return
            { Partition = partition
              Error = error
              ErrorMessage = text
              StateEpoch = stateEpoch
              LeaderEpoch = leaderEpoch
              StartOffset = start
              DeliveryCompleteCount = complete }
    }

    /// The summaries of the share partitions of one topic.
    type TopicResult = { TopicId: Guid; Partitions: PartitionResult list }

    let topicResult = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionResult)
        return { TopicId = id; Partitions = partitions }
    }

    type Response = { Results: TopicResult list }

    let response = message {
        let! results = field "Results" _.Results (array topicResult)
        return { Results = results }
    }

    let api = Api.define ApiKey.ReadShareGroupStateSummary (versions 0 1 |> flexibleFrom 0) request response

    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type PartitionResult with
        override this.ToString() = Schema.show partitionResult this
    type TopicResult with
        override this.ToString() = Schema.show topicResult this
    type Response with
        override this.ToString() = Message.show api.Response this
