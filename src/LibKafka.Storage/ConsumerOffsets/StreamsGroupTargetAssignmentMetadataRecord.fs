namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// StreamsGroupTargetAssignmentMetadata (type 20 of `__consumer_offsets`): the epoch of the target assignment of a Streams group
/// (KIP-1071).
module StreamsGroupTargetAssignmentMetadataRecord =

    let key: Message<GroupKey> = Message.define "StreamsGroupTargetAssignmentMetadataKey" (versions 0 0) GroupKey.schema

    let value: Message<TargetAssignmentEpoch> =
        Message.define "StreamsGroupTargetAssignmentMetadataValue" (versions 0 0 |> flexibleFrom 0) TargetAssignmentEpoch.schema

    let recordType: RecordType<GroupKey, TargetAssignmentEpoch> = { Id = 20s; Key = key; Value = value }
