namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// WriteTxnMarkers (API key 27): writes the markers that end transactions (KIP-98). Transaction coordinators send it to the leader of each
/// partition; tools send it to end a hanging transaction (KIP-664).
module WriteTxnMarkers =

    /// Partitions of one topic.
    type Topic = { Name: string; PartitionIndexes: int32 list }

    let topic = message {
        let! name = field "Name" _.Name string
        and! partitions = field "PartitionIndexes" _.PartitionIndexes (array int32)
        return { Name = name; PartitionIndexes = partitions }
    }

    /// The end of one transaction.
    type Marker =
        {
            ProducerId: int64
            ProducerEpoch: int16
            /// True to commit, false to abort.
            TransactionResult: bool
            Topics: Topic list
            /// The leader epoch of the coordinator's own partition, so that a replaced coordinator is fenced
            /// (TRANSACTION_COORDINATOR_FENCED).
            CoordinatorEpoch: int32
            /// The transaction.version of the transaction. At 2 and later, the epoch of the marker must be larger than that of the
            /// records; at 0 and 1 it can be the same. Since version 2 (KIP-1228).
            TransactionVersion: int8
        }

    let marker = message {
        let! producer = field "ProducerId" _.ProducerId int64
        and! epoch = field "ProducerEpoch" _.ProducerEpoch int16
        and! result = field "TransactionResult" _.TransactionResult bool
        and! topics = field "Topics" _.Topics (array topic)
        and! coordinator = field "CoordinatorEpoch" _.CoordinatorEpoch int32
        and! version = field "TransactionVersion" _.TransactionVersion (int8 |> since 2s 0y |> ignorable)

        return
            { ProducerId = producer
              ProducerEpoch = epoch
              TransactionResult = result
              Topics = topics
              CoordinatorEpoch = coordinator
              TransactionVersion = version }
    }

    type Request = { Markers: Marker list }

    let request = message {
        let! markers = field "Markers" _.Markers (array marker)
        return { Markers = markers }
    }

    /// The result for one partition.
    type PartitionResult =
        {
            PartitionIndex: int32
            /// NOT_LEADER_OR_FOLLOWER if the leader has moved; UNKNOWN_TOPIC_OR_PARTITION; INVALID_PRODUCER_EPOCH if the partition has a
            /// newer epoch of the producer; TRANSACTION_COORDINATOR_FENCED if it has a newer coordinator epoch;
            /// CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
        }

    let partitionResult = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        return { PartitionIndex = partition; Error = error }
    }

    /// The results for the partitions of one topic.
    type TopicResult = { Name: string; Partitions: PartitionResult list }

    let topicResult = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionResult)
        return { Name = name; Partitions = partitions }
    }

    /// The results for one marker.
    type MarkerResult = { ProducerId: int64; Topics: TopicResult list }

    let markerResult = message {
        let! producer = field "ProducerId" _.ProducerId int64
        and! topics = field "Topics" _.Topics (array topicResult)
        return { ProducerId = producer; Topics = topics }
    }

    type Response = { Markers: MarkerResult list }

    let response = message {
        let! markers = field "Markers" _.Markers (array markerResult)
        return { Markers = markers }
    }

    let api = Api.define ApiKey.WriteTxnMarkers (versions 0 2 |> flexibleFrom 1) request response

    type Topic with
        override this.ToString() = Schema.show topic this
    type Marker with
        override this.ToString() = Schema.show marker this
    type Request with
        override this.ToString() = Message.show api.Request this
    type PartitionResult with
        override this.ToString() = Schema.show partitionResult this
    type TopicResult with
        override this.ToString() = Schema.show topicResult this
    type MarkerResult with
        override this.ToString() = Schema.show markerResult this
    type Response with
        override this.ToString() = Message.show api.Response this
