namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeProducers (API key 61): lists the idempotent and transactional producers that a partition remembers, to find hanging
/// transactions (KIP-664). Send it to the leader of each partition.
module DescribeProducers =

    /// Partitions of one topic to describe.
    type TopicRequest = { Name: string; PartitionIndexes: int32 list }

    let topicRequest = message {
        let! name = field "Name" _.Name string
        and! partitions = field "PartitionIndexes" _.PartitionIndexes (array int32)
        return { Name = name; PartitionIndexes = partitions }
    }

    type Request = { Topics: TopicRequest list }

    let request = message {
        let! topics = field "Topics" _.Topics (array topicRequest)
        return { Topics = topics }
    }

    /// A producer that the partition remembers.
    type Producer =
        {
            ProducerId: int64
            /// 0 to 32,767: an int16 in all other APIs.
            ProducerEpoch: int32
            /// The sequence number of its last record; -1 if there is none.
            LastSequence: int32
            /// The timestamp of its last batch, in milliseconds since the epoch; -1 if there is none.
            LastTimestamp: int64
            /// The epoch of the transaction coordinator that wrote its last marker; -1 if there is none.
            CoordinatorEpoch: int32
            /// The offset of the first record of its open transaction; -1 if it has none open.
            CurrentTxnStartOffset: int64
        }

    let producer = message {
        let! id = field "ProducerId" _.ProducerId int64
        and! epoch = field "ProducerEpoch" _.ProducerEpoch int32
        and! sequence = field "LastSequence" _.LastSequence (int32 |> withDefault -1)
        and! timestamp = field "LastTimestamp" _.LastTimestamp (int64 |> withDefault -1L)
        and! coordinatorEpoch = field "CoordinatorEpoch" _.CoordinatorEpoch int32
        and! start = field "CurrentTxnStartOffset" _.CurrentTxnStartOffset (int64 |> withDefault -1L)

        return
            { ProducerId = id
              ProducerEpoch = epoch
              LastSequence = sequence
              LastTimestamp = timestamp
              CoordinatorEpoch = coordinatorEpoch
              CurrentTxnStartOffset = start }
    }

    /// The producers of one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// NOT_LEADER_OR_FOLLOWER if the leader has moved; UNKNOWN_TOPIC_OR_PARTITION; INVALID_TOPIC_EXCEPTION for an invalid name;
            /// TOPIC_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            ActiveProducers: Producer list
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! producers = field "ActiveProducers" _.ActiveProducers (array producer)

        return { PartitionIndex = partition; Error = error; ErrorMessage = text; ActiveProducers = producers }
    }

    /// The producers of the partitions of one topic.
    type TopicResponse = { Name: string; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { Name = name; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            Topics: TopicResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! topics = field "Topics" _.Topics (array topicResponse)

        return { ThrottleTimeMs = throttle; Topics = topics }
    }

    let api =
        Api.define ApiKey.DescribeProducers (versions 0 0 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Producer with
        override this.ToString() = Schema.show producer this
    type PartitionResponse with
        override this.ToString() = Schema.show partitionResponse this
    type TopicResponse with
        override this.ToString() = Schema.show topicResponse this
    type Response with
        override this.ToString() = Message.show api.Response this
