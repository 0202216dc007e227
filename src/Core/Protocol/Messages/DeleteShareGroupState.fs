namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// DeleteShareGroupState (API key 86): deletes the persistent state of share partitions, for example if their group or topic is deleted
/// (KIP-932). Group coordinators send it to the share coordinator of each partition; clients do not use it.
module DeleteShareGroupState =

    /// A share partition whose state is deleted.
    type PartitionRequest = { Partition: int32 }

    let partitionRequest = message {
        let! partition = field "Partition" _.Partition int32
        return { PartitionRequest.Partition = partition }
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
            /// Error codes of a partition: NOT_COORDINATOR if another broker is the coordinator; COORDINATOR_LOAD_IN_PROGRESS while the
            /// coordinator loads its state; UNKNOWN_TOPIC_OR_PARTITION; INVALID_REQUEST; CLUSTER_AUTHORIZATION_FAILED.
            Results: ShareStateTopicResult list
        }

    let response = message {
        let! results = field "Results" _.Results (array ShareStateTopicResult.schema)
        return { Results = results }
    }

    let api = Api.define ApiKey.DeleteShareGroupState (versions 0 0 |> flexibleFrom 0) request response

    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
