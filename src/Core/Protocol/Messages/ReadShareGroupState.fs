namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ReadShareGroupState (API key 84): reads the persistent state of share partitions (KIP-932). The leader of a partition sends it to the
/// share coordinator before it serves the group; clients do not use it.
module ReadShareGroupState =

    /// A share partition to read.
    type PartitionRequest =
        {
            Partition: int32
            /// The epoch in which the sender leads the partition. The coordinator then refuses writes of earlier leaders.
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

    /// The state of one share partition.
    type PartitionResult =
        {
            Partition: int32
            /// FENCED_LEADER_EPOCH if the coordinator knows a later leader; NOT_COORDINATOR if another broker is the coordinator;
            /// COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state; UNKNOWN_TOPIC_OR_PARTITION; INVALID_REQUEST;
            /// CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            /// The state epoch, which each write must contain.
            StateEpoch: int32
            /// The first offset that the group has not finished; -1 if there is none yet.
            StartOffset: int64
            /// The delivery states of the records from `StartOffset`. Records that are not in a batch are available.
            StateBatches: ShareStateBatch list
        }

    let partitionResult = message {
        let! partition = field "Partition" _.Partition int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! epoch = field "StateEpoch" _.StateEpoch int32
        and! start = field "StartOffset" _.StartOffset int64
        and! batches = field "StateBatches" _.StateBatches (array ShareStateBatch.schema)

        return
            { Partition = partition
              Error = error
              ErrorMessage = text
              StateEpoch = epoch
              StartOffset = start
              StateBatches = batches }
    }

    /// The states of the share partitions of one topic.
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

    let api = Api.define ApiKey.ReadShareGroupState (versions 0 0 |> flexibleFrom 0) request response

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
