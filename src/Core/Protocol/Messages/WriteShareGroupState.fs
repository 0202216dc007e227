namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// WriteShareGroupState (API key 85): store how far a group has come with share partitions (KIP-932). It goes from the leader of each
/// partition to the share coordinator; clients have no use for it.
module WriteShareGroupState =

    /// What to store of one share partition.
    type PartitionRequest =
        {
            Partition: int32
            /// The state epoch that the leader read.
            StateEpoch: int32
            /// The epoch in which the sender leads the partition.
            LeaderEpoch: int32
            /// The first offset that the group is not done with; -1 to leave it as it is.
            StartOffset: int64
            /// How many offsets from `StartOffset` on are done with, from version 1 on (KIP-1226); -1 where it is not told.
            DeliveryCompleteCount: int32
            /// What has changed since the last write.
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

    /// What to store of one topic's share partitions.
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
            /// For each partition FENCED_STATE_EPOCH when the state was begun anew since it was read; FENCED_LEADER_EPOCH when the
            /// partition has a later leader; NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again;
            /// UNKNOWN_TOPIC_OR_PARTITION; INVALID_REQUEST; CLUSTER_AUTHORIZATION_FAILED.
            Results: ShareStateTopicResult list
        }

    let response = message {
        let! results = field "Results" _.Results (array ShareStateTopicResult.schema)
        return { Results = results }
    }

    let api = Api.define ApiKey.WriteShareGroupState 0s 1s (Some 0s) request response
