namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// Partitions of one topic that a consumer of a classic group owns or is assigned.
type ConsumerTopicPartitions = { Topic: string; Partitions: int32 list }

[<RequireQualifiedAccess>]
module ConsumerTopicPartitions =

    let schema = message {
        let! topic = field "Topic" _.Topic string
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { Topic = topic; Partitions = partitions }
    }

/// Partitions of one topic in a heartbeat.
type HeartbeatTopicPartitions = { TopicId: Guid; Partitions: int32 list }

[<RequireQualifiedAccess>]
module HeartbeatTopicPartitions =

    let schema = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { TopicId = id; Partitions = partitions }
    }

/// The assignment of a member in a heartbeat response.
type HeartbeatAssignment = { TopicPartitions: HeartbeatTopicPartitions list }

[<RequireQualifiedAccess>]
module HeartbeatAssignment =

    let schema = message {
        let! partitions = field "TopicPartitions" _.TopicPartitions (array HeartbeatTopicPartitions.schema)
        return { TopicPartitions = partitions }
    }

/// Partitions of one topic in the description of a group.
type DescribedTopicPartitions = { TopicId: Guid; TopicName: string; Partitions: int32 list }

[<RequireQualifiedAccess>]
module DescribedTopicPartitions =

    let schema = message {
        let! id = field "TopicId" _.TopicId uuid
        and! name = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array int32)

        return { TopicId = id; TopicName = name; Partitions = partitions }
    }

/// The assignment of a member in the description of a group.
type DescribedAssignment = { TopicPartitions: DescribedTopicPartitions list }

[<RequireQualifiedAccess>]
module DescribedAssignment =

    let schema = message {
        let! partitions = field "TopicPartitions" _.TopicPartitions (array DescribedTopicPartitions.schema)
        return { TopicPartitions = partitions }
    }

type ConsumerTopicPartitions with
    override this.ToString() = Schema.show ConsumerTopicPartitions.schema this
type HeartbeatTopicPartitions with
    override this.ToString() = Schema.show HeartbeatTopicPartitions.schema this
type HeartbeatAssignment with
    override this.ToString() = Schema.show HeartbeatAssignment.schema this
type DescribedTopicPartitions with
    override this.ToString() = Schema.show DescribedTopicPartitions.schema this
type DescribedAssignment with
    override this.ToString() = Schema.show DescribedAssignment.schema this
