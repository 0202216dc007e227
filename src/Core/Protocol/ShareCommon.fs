namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// Acknowledgements of consecutive records (KIP-932).
type ShareAcknowledgementBatch =
    {
        FirstOffset: int64
        /// The last offset, inclusive.
        LastOffset: int64
        /// One for all offsets, or one for each offset.
        AcknowledgeTypes: ShareAcknowledgeType list
    }

[<RequireQualifiedAccess>]
module ShareAcknowledgementBatch =

    let schema = message {
        let! first = field "FirstOffset" _.FirstOffset int64
        and! last = field "LastOffset" _.LastOffset int64
        and! types = field "AcknowledgeTypes" _.AcknowledgeTypes (array shareAcknowledgeType)

        return { FirstOffset = first; LastOffset = last; AcknowledgeTypes = types }
    }

/// Consecutive records of a share partition with the same delivery state (KIP-932).
type ShareStateBatch =
    {
        FirstOffset: int64
        /// The last offset, inclusive.
        LastOffset: int64
        DeliveryState: ShareDeliveryState
        /// The number of deliveries.
        DeliveryCount: int16
    }

[<RequireQualifiedAccess>]
module ShareStateBatch =

    let schema = message {
        let! first = field "FirstOffset" _.FirstOffset int64
        and! last = field "LastOffset" _.LastOffset int64
        and! state = field "DeliveryState" _.DeliveryState shareDeliveryState
        and! count = field "DeliveryCount" _.DeliveryCount int16

        return { FirstOffset = first; LastOffset = last; DeliveryState = state; DeliveryCount = count }
    }

/// The result for the persistent state of one share partition.
type ShareStatePartitionResult =
    {
        Partition: int32
        /// The codes are listed in the responses of InitializeShareGroupState, WriteShareGroupState and DeleteShareGroupState.
        Error: ErrorCode
        /// The broker's description of the error; null if it gives none.
        ErrorMessage: string option
    }

[<RequireQualifiedAccess>]
module ShareStatePartitionResult =

    let schema = message {
        let! partition = field "Partition" _.Partition int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)

        return { Partition = partition; Error = error; ErrorMessage = text }
    }

/// The results for the persistent state of one topic's share partitions.
type ShareStateTopicResult = { TopicId: Guid; Partitions: ShareStatePartitionResult list }

[<RequireQualifiedAccess>]
module ShareStateTopicResult =

    let schema = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array ShareStatePartitionResult.schema)
        return { TopicId = id; Partitions = partitions }
    }

type ShareAcknowledgementBatch with
    override this.ToString() = Schema.show ShareAcknowledgementBatch.schema this
type ShareStateBatch with
    override this.ToString() = Schema.show ShareStateBatch.schema this
type ShareStatePartitionResult with
    override this.ToString() = Schema.show ShareStatePartitionResult.schema this
type ShareStateTopicResult with
    override this.ToString() = Schema.show ShareStateTopicResult.schema this
