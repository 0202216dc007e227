namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// InitializeShareGroupState (API key 83): begin the stored state of share partitions, or set it back (KIP-932). It goes from the group's
/// coordinator to the share coordinator of each partition; clients have no use for it.
module InitializeShareGroupState =

    /// A share partition to begin with.
    type PartitionRequest =
        {
            Partition: int32
            /// Raised each time the state is begun anew, so that writes from before are refused.
            StateEpoch: int32
            /// The first offset that the group is to read; -1 to leave it to the partition's leader.
            StartOffset: int64
        }

    let partitionRequest = message {
        let! partition = field "Partition" _.Partition int32
        and! epoch = field "StateEpoch" _.StateEpoch int32
        and! start = field "StartOffset" _.StartOffset int64

        return { Partition = partition; StateEpoch = epoch; StartOffset = start }
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

    type Response =
        {
            /// For each partition FENCED_STATE_EPOCH when the stored state is of a later epoch; NOT_COORDINATOR and
            /// COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; UNKNOWN_TOPIC_OR_PARTITION; INVALID_REQUEST;
            /// CLUSTER_AUTHORIZATION_FAILED.
            Results: ShareStateTopicResult list
        }

    let response = message {
        let! results = field "Results" _.Results (array ShareStateTopicResult.schema)
        return { Results = results }
    }

    let api = Api.define ApiKey.InitializeShareGroupState 0s 0s (Some 0s) request response
