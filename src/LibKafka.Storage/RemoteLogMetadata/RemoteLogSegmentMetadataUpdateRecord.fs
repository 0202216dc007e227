namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// RemoteLogSegmentMetadataUpdateRecord (type 1 of `__remote_log_metadata`): the state of a segment in remote storage has changed
/// (KIP-405).
module RemoteLogSegmentMetadataUpdateRecord =

    type Value =
        {
            RemoteLogSegmentId: RemoteLogSegmentId
            /// The node id of the broker.
            BrokerId: int32
            /// When the event occurred, in milliseconds since the epoch.
            EventTimestampMs: int64
            /// Data of the plugin that stores the segment; null for none.
            CustomMetadata: Bytes option
            /// 0 copying started, 1 copying finished, 2 deletion started, 3 deletion finished.
            RemoteLogSegmentState: int8
        }

    let schema = message {
        let! remoteLogSegmentId = field "RemoteLogSegmentId" _.RemoteLogSegmentId RemoteLogSegmentId.schema
        and! brokerId = field "BrokerId" _.BrokerId int32
        and! eventTimestampMs = field "EventTimestampMs" _.EventTimestampMs int64
        and! customMetadata = field "CustomMetadata" _.CustomMetadata (bytes |> nullable |> withDefault None)
        and! remoteLogSegmentState = field "RemoteLogSegmentState" _.RemoteLogSegmentState int8

        return
            { RemoteLogSegmentId = remoteLogSegmentId
              BrokerId = brokerId
              EventTimestampMs = eventTimestampMs
              CustomMetadata = customMetadata
              RemoteLogSegmentState = remoteLogSegmentState }
    }

    let message: Message<Value> = Message.define "RemoteLogSegmentMetadataUpdateRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
