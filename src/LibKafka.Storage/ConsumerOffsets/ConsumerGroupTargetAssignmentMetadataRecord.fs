namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// ConsumerGroupTargetAssignmentMetadata (type 6 of `__consumer_offsets`): the epoch of the target assignment of a consumer group
/// (KIP-848).
module ConsumerGroupTargetAssignmentMetadataRecord =

    let key: Message<GroupKey> = Message.define "ConsumerGroupTargetAssignmentMetadataKey" (versions 0 0) GroupKey.schema

    let value: Message<TargetAssignmentEpoch> =
        Message.define "ConsumerGroupTargetAssignmentMetadataValue" (versions 0 0 |> flexibleFrom 0) TargetAssignmentEpoch.schema

    let recordType: RecordType<GroupKey, TargetAssignmentEpoch> = { Id = 6s; Key = key; Value = value }
