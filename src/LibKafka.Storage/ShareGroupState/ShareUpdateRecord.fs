namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// ShareUpdate (type 1 of `__share_group_state`): a change of the delivery state of a share partition since its last snapshot (KIP-932).
/// Brokers of Kafka 4.0 wrote other fields in the same version.
module ShareUpdateRecord =

    type Value =
        {
            /// The epoch of the snapshot that it updates.
            SnapshotEpoch: int32
            /// The leader epoch of the share partition; -1 if unchanged.
            LeaderEpoch: int32
            /// The first offset that is not finished; -1 if unchanged.
            StartOffset: int64
            StateBatches: ShareStateBatch list
            /// The number of records from the start offset on whose delivery is complete; -1 if unknown.
            DeliveryCompleteCount: int32
        }

    let valueSchema = message {
        let! snapshotEpoch = field "SnapshotEpoch" _.SnapshotEpoch int32
        and! leaderEpoch = field "LeaderEpoch" _.LeaderEpoch int32
        and! startOffset = field "StartOffset" _.StartOffset int64
        and! stateBatches = field "StateBatches" _.StateBatches (array ShareStateBatch.schema)
        and! deliveryCompleteCount = field "DeliveryCompleteCount" _.DeliveryCompleteCount (int32 |> withDefault -1 |> tagged 0)

        return
            { SnapshotEpoch = snapshotEpoch
              LeaderEpoch = leaderEpoch
              StartOffset = startOffset
              StateBatches = stateBatches
              DeliveryCompleteCount = deliveryCompleteCount }
    }

    let key: Message<SharePartitionKey> = Message.define "ShareUpdateKey" (versions 0 0) SharePartitionKey.schema

    let value: Message<Value> = Message.define "ShareUpdateValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<SharePartitionKey, Value> = { Id = 1s; Key = key; Value = value }

    type Value with
        override this.ToString() = Message.show value this
