namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// What became of records that lie one behind the other (KIP-932).
type ShareAcknowledgementBatch =
    {
        FirstOffset: int64
        /// The last offset, itself included.
        LastOffset: int64
        /// One for all the offsets, or one for each.
        AcknowledgeTypes: ShareAcknowledgeType list
    }

[<RequireQualifiedAccess>]
module internal ShareAcknowledgementBatch =

    let schema = message {
        let! first = field "FirstOffset" _.FirstOffset int64
        and! last = field "LastOffset" _.LastOffset int64
        and! types = field "AcknowledgeTypes" _.AcknowledgeTypes (array shareAcknowledgeType)

        return { FirstOffset = first; LastOffset = last; AcknowledgeTypes = types }
    }

/// Records, one behind the other, that a share group has come equally far with (KIP-932).
type ShareStateBatch =
    {
        FirstOffset: int64
        /// The last offset, itself included.
        LastOffset: int64
        DeliveryState: ShareDeliveryState
        /// How many times they have been delivered.
        DeliveryCount: int16
    }

[<RequireQualifiedAccess>]
module internal ShareStateBatch =

    let schema = message {
        let! first = field "FirstOffset" _.FirstOffset int64
        and! last = field "LastOffset" _.LastOffset int64
        and! state = field "DeliveryState" _.DeliveryState shareDeliveryState
        and! count = field "DeliveryCount" _.DeliveryCount int16

        return { FirstOffset = first; LastOffset = last; DeliveryState = state; DeliveryCount = count }
    }

/// What became of the stored state of one share partition.
type ShareStatePartitionResult =
    {
        Partition: int32
        Error: ErrorCode
        /// What the broker says of the error; null where it says nothing.
        ErrorMessage: string option
    }

[<RequireQualifiedAccess>]
module internal ShareStatePartitionResult =

    let schema = message {
        let! partition = field "Partition" _.Partition int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)

        return { Partition = partition; Error = error; ErrorMessage = text }
    }

/// What became of the stored state of one topic's share partitions.
type ShareStateTopicResult = { TopicId: Guid; Partitions: ShareStatePartitionResult list }

[<RequireQualifiedAccess>]
module internal ShareStateTopicResult =

    let schema = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array ShareStatePartitionResult.schema)
        return { TopicId = id; Partitions = partitions }
    }
