namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// WriteShareGroupState (API key 85): stores the persistent state of share partitions (KIP-932). The leader of each partition sends it to
/// the share coordinator; clients do not use it.
module WriteShareGroupState =

    /// The state of one share partition to store.
    type PartitionRequest =
        {
            Partition: int32
            /// The state epoch that the leader has read.
            StateEpoch: int32
            /// The epoch in which the sender leads the partition.
            LeaderEpoch: int32
            /// The first offset that the group has not finished; -1 if unchanged.
            StartOffset: int64
            /// The number of offsets from `StartOffset` whose delivery is complete; -1 if not given. Since version 1 (KIP-1226).
            DeliveryCompleteCount: int32
            /// The changes since the last write.
            StateBatches: ShareStateBatch list
        }

    let partitionRequest = message {
        let! partition = field "Partition" _.Partition int32
        and! stateEpoch = field "StateEpoch" _.StateEpoch int32
        and! leaderEpoch = field "LeaderEpoch" _.LeaderEpoch int32
        and! start = field "StartOffset" _.StartOffset int64
        and! complete = field "DeliveryCompleteCount" _.DeliveryCompleteCount (int32 |> since 1s -1 |> ignorable)
        and! batches = field "StateBatches" _.StateBatches (array ShareStateBatch.schema)

        return
            { Partition = partition
              StateEpoch = stateEpoch
              LeaderEpoch = leaderEpoch
              StartOffset = start
              DeliveryCompleteCount = complete
              StateBatches = batches }
    }

    /// The states of the share partitions of one topic to store.
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

    type Response =
        {
            /// Error codes of a partition: FENCED_STATE_EPOCH if the state was initialized again since it was read; FENCED_LEADER_EPOCH if
            /// the partition has a later leader; NOT_COORDINATOR if another broker is the coordinator; COORDINATOR_LOAD_IN_PROGRESS while
            /// the coordinator loads its state; UNKNOWN_TOPIC_OR_PARTITION; INVALID_REQUEST; CLUSTER_AUTHORIZATION_FAILED.
            Results: ShareStateTopicResult list
        }

    let response = message {
        let! results = field "Results" _.Results (array ShareStateTopicResult.schema)
        return { Results = results }
    }

    let api = Api.define ApiKey.WriteShareGroupState (versions 0 1 |> flexibleFrom 0) request response

    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
