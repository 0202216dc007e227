namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// ShareGroupMetadata (type 11 of `__consumer_offsets`): the epoch of a share group (KIP-932). A tombstone deletes the group.
module ShareGroupMetadataRecord =

    type Value =
        {
            /// The epoch of the group.
            Epoch: int32
            /// A hash of the metadata of the subscribed topics.
            MetadataHash: int64
        }

    let valueSchema = message {
        let! epoch = field "Epoch" _.Epoch int32
        and! metadataHash = field "MetadataHash" _.MetadataHash int64

        return { Epoch = epoch; MetadataHash = metadataHash }
    }

    let key: Message<GroupKey> = Message.define "ShareGroupMetadataKey" (versions 0 0) GroupKey.schema

    let value: Message<Value> = Message.define "ShareGroupMetadataValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<GroupKey, Value> = { Id = 11s; Key = key; Value = value }

    type Value with
        override this.ToString() = Message.show value this
