namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// RemoteLogSegmentMetadataRecord (type 0 of `__remote_log_metadata`): a segment is being copied to remote storage (KIP-405).
module RemoteLogSegmentMetadataRecord =

    type Value =
        {
            RemoteLogSegmentId: RemoteLogSegmentId
            /// The offset of the first record.
            StartOffset: int64
            /// The offset of the last record.
            EndOffset: int64
            /// The broker that copies the segment.
            BrokerId: int32
            /// The latest timestamp of a record, in milliseconds since the epoch.
            MaxTimestampMs: int64
            /// When the event occurred, in milliseconds since the epoch.
            EventTimestampMs: int64
            /// The leader epochs in the segment.
            SegmentLeaderEpochs: SegmentLeaderEpoch list
            SegmentSizeInBytes: int32
            /// Data of the plugin that stores the segment; null for none.
            CustomMetadata: Bytes option
            /// 0 copying started, 1 copying finished, 2 deletion started, 3 deletion finished.
            RemoteLogSegmentState: int8
            /// Whether the segment has no index of aborted transactions.
            TxnIndexEmpty: bool
        }

    let schema = message {
        let! remoteLogSegmentId = field "RemoteLogSegmentId" _.RemoteLogSegmentId RemoteLogSegmentId.schema
        and! startOffset = field "StartOffset" _.StartOffset int64
        and! endOffset = field "EndOffset" _.EndOffset int64
        and! brokerId = field "BrokerId" _.BrokerId int32
        and! maxTimestampMs = field "MaxTimestampMs" _.MaxTimestampMs int64
        and! eventTimestampMs = field "EventTimestampMs" _.EventTimestampMs int64
        and! segmentLeaderEpochs = field "SegmentLeaderEpochs" _.SegmentLeaderEpochs (array SegmentLeaderEpoch.schema)
        and! segmentSizeInBytes = field "SegmentSizeInBytes" _.SegmentSizeInBytes int32
        and! customMetadata = field "CustomMetadata" _.CustomMetadata (bytes |> nullable |> withDefault None)
        and! remoteLogSegmentState = field "RemoteLogSegmentState" _.RemoteLogSegmentState int8
        and! txnIndexEmpty = field "TxnIndexEmpty" _.TxnIndexEmpty (bool |> tagged 0)

        return
            { RemoteLogSegmentId = remoteLogSegmentId
              StartOffset = startOffset
              EndOffset = endOffset
              BrokerId = brokerId
              MaxTimestampMs = maxTimestampMs
              EventTimestampMs = eventTimestampMs
              SegmentLeaderEpochs = segmentLeaderEpochs
              SegmentSizeInBytes = segmentSizeInBytes
              CustomMetadata = customMetadata
              RemoteLogSegmentState = remoteLogSegmentState
              TxnIndexEmpty = txnIndexEmpty }
    }

    let message: Message<Value> = Message.define "RemoteLogSegmentMetadataRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
