namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// ShareSnapshot (type 0 of `__share_group_state`): the whole delivery state of a share partition (KIP-932). A tombstone deletes it.
/// Brokers of Kafka 4.0 wrote other fields in the same version.
module ShareSnapshotRecord =

    type Value =
        {
            /// The number of snapshots so far.
            SnapshotEpoch: int32
            /// The epoch of the state, which increases when an administrator resets offsets.
            StateEpoch: int32
            /// The leader epoch of the share partition.
            LeaderEpoch: int32
            /// The first offset that is not finished.
            StartOffset: int64
            /// When the state was created, in milliseconds since the epoch.
            CreateTimestamp: int64
            /// When the state was last written, in milliseconds since the epoch.
            WriteTimestamp: int64
            StateBatches: ShareStateBatch list
            /// The number of records from the start offset on whose delivery is complete; -1 if unknown.
            DeliveryCompleteCount: int32
        }

    let valueSchema = message {
        let! snapshotEpoch = field "SnapshotEpoch" _.SnapshotEpoch int32
        and! stateEpoch = field "StateEpoch" _.StateEpoch int32
        and! leaderEpoch = field "LeaderEpoch" _.LeaderEpoch int32
        and! startOffset = field "StartOffset" _.StartOffset int64
        and! createTimestamp = field "CreateTimestamp" _.CreateTimestamp int64
        and! writeTimestamp = field "WriteTimestamp" _.WriteTimestamp int64
        and! stateBatches = field "StateBatches" _.StateBatches (array ShareStateBatch.schema)
        and! deliveryCompleteCount = field "DeliveryCompleteCount" _.DeliveryCompleteCount (int32 |> withDefault -1 |> tagged 0)

        return
            { SnapshotEpoch = snapshotEpoch
              StateEpoch = stateEpoch
              LeaderEpoch = leaderEpoch
              StartOffset = startOffset
              CreateTimestamp = createTimestamp
              WriteTimestamp = writeTimestamp
              StateBatches = stateBatches
              DeliveryCompleteCount = deliveryCompleteCount }
    }

    let key: Message<SharePartitionKey> = Message.define "ShareSnapshotKey" (versions 0 0) SharePartitionKey.schema

    let value: Message<Value> = Message.define "ShareSnapshotValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<SharePartitionKey, Value> = { Id = 0s; Key = key; Value = value }

    type Value with
        override this.ToString() = Message.show value this
