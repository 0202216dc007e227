namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// RemoteLogSegmentMetadataSnapshotRecord (type 3 of `__remote_log_metadata`): a segment in remote storage, in a snapshot of a partition
/// (KIP-405).
module RemoteLogSegmentMetadataSnapshotRecord =

    type Value =
        {
            /// The id of the segment in remote storage.
            SegmentId: Guid
            /// The offset of the first record.
            StartOffset: int64
            /// The offset of the last record.
            EndOffset: int64
            /// The node id of the broker.
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
        let! segmentId = field "SegmentId" _.SegmentId uuid
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
            { SegmentId = segmentId
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

    let message: Message<Value> =
        Message.define "RemoteLogSegmentMetadataSnapshotRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
