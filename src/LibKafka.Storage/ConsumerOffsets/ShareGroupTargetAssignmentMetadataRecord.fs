namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// ShareGroupTargetAssignmentMetadata (type 12 of `__consumer_offsets`): the epoch of the target assignment of a share group (KIP-932).
module ShareGroupTargetAssignmentMetadataRecord =

    let key: Message<GroupKey> = Message.define "ShareGroupTargetAssignmentMetadataKey" (versions 0 0) GroupKey.schema

    let value: Message<TargetAssignmentEpoch> =
        Message.define "ShareGroupTargetAssignmentMetadataValue" (versions 0 0 |> flexibleFrom 0) TargetAssignmentEpoch.schema

    let recordType: RecordType<GroupKey, TargetAssignmentEpoch> = { Id = 12s; Key = key; Value = value }
