namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// ConsumerGroupMetadata (type 3 of `__consumer_offsets`): the epoch of a group of the consumer protocol (KIP-848). A tombstone deletes the
/// group.
module ConsumerGroupMetadataRecord =

    type Value =
        {
            /// The epoch of the group.
            Epoch: int32
            /// A hash of the metadata of the subscribed topics.
            MetadataHash: int64
        }

    let valueSchema = message {
        let! epoch = field "Epoch" _.Epoch int32
        and! metadataHash = field "MetadataHash" _.MetadataHash (int64 |> tagged 0)

        return { Epoch = epoch; MetadataHash = metadataHash }
    }

    let key: Message<GroupKey> = Message.define "ConsumerGroupMetadataKey" (versions 0 0) GroupKey.schema

    let value: Message<Value> = Message.define "ConsumerGroupMetadataValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<GroupKey, Value> = { Id = 3s; Key = key; Value = value }

    type Value with
        override this.ToString() = Message.show value this
