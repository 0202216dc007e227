namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// InitializeShareGroupState (API key 83): creates or resets the persistent state of share partitions (KIP-932). Group coordinators send
/// it to the share coordinator of each partition; clients do not use it.
module InitializeShareGroupState =

    /// A share partition to initialize.
    type PartitionRequest =
        {
            Partition: int32
            /// Increases with each initialization, so that writes to an earlier state are refused.
            StateEpoch: int32
            /// The first offset that the group will read; -1 to let the partition's leader choose.
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
            /// Error codes of a partition: FENCED_STATE_EPOCH if the stored state has a later epoch; NOT_COORDINATOR if another broker is
            /// the coordinator; COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state; UNKNOWN_TOPIC_OR_PARTITION;
            /// INVALID_REQUEST; CLUSTER_AUTHORIZATION_FAILED.
            Results: ShareStateTopicResult list
        }

    let response = message {
        let! results = field "Results" _.Results (array ShareStateTopicResult.schema)
        return { Results = results }
    }

    let api = Api.define ApiKey.InitializeShareGroupState (versions 0 0 |> flexibleFrom 0) request response

    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
