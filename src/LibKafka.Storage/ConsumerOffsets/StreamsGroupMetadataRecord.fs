namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// StreamsGroupMetadata (type 17 of `__consumer_offsets`): the epoch of a Streams group (KIP-1071). A tombstone deletes the group.
module StreamsGroupMetadataRecord =

    type Value =
        {
            /// The epoch of the group.
            Epoch: int32
            /// A hash of the metadata of the subscribed topics.
            MetadataHash: int64
            /// The epoch of the topology whose topics were last found complete; -1 for none.
            ValidatedTopologyEpoch: int32
            /// The configs of the assignor when it last ran.
            LastAssignmentConfigs: StreamsKeyValue list option
            /// The epoch of the topology whose description is stored (KIP-1331); -1 for none.
            StoredDescriptionTopologyEpoch: int32
            /// The epoch of the topology whose description could not be stored (KIP-1331); -1 for none.
            FailedDescriptionTopologyEpoch: int32
        }

    let valueSchema = message {
        let! epoch = field "Epoch" _.Epoch int32
        and! metadataHash = field "MetadataHash" _.MetadataHash int64
        and! validatedTopologyEpoch = field "ValidatedTopologyEpoch" _.ValidatedTopologyEpoch (int32 |> withDefault -1 |> tagged 0)
        and! lastAssignmentConfigs =
            field "LastAssignmentConfigs" _.LastAssignmentConfigs (array StreamsKeyValue.schema |> nullable |> tagged 1)
        and! storedDescriptionTopologyEpoch =
            field "StoredDescriptionTopologyEpoch" _.StoredDescriptionTopologyEpoch (int32 |> withDefault -1 |> tagged 2)
        and! failedDescriptionTopologyEpoch =
            field "FailedDescriptionTopologyEpoch" _.FailedDescriptionTopologyEpoch (int32 |> withDefault -1 |> tagged 3)

        return
            { Epoch = epoch
              MetadataHash = metadataHash
              ValidatedTopologyEpoch = validatedTopologyEpoch
              LastAssignmentConfigs = lastAssignmentConfigs
              StoredDescriptionTopologyEpoch = storedDescriptionTopologyEpoch
              FailedDescriptionTopologyEpoch = failedDescriptionTopologyEpoch }
    }

    let key: Message<GroupKey> = Message.define "StreamsGroupMetadataKey" (versions 0 0) GroupKey.schema

    let value: Message<Value> = Message.define "StreamsGroupMetadataValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<GroupKey, Value> = { Id = 17s; Key = key; Value = value }

    type Value with
        override this.ToString() = Message.show value this
