namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// LegacyOffsetCommit (type 0 of `__consumer_offsets`): an offset committed to a very old broker. Its fields are those of OffsetCommit,
/// without the leader epoch.
module LegacyOffsetCommitRecord =

    type Value =
        {
            /// The offset of the next record to read.
            Offset: int64
            /// Text of the committer.
            Metadata: string
            /// When the offset was committed, in milliseconds since the epoch.
            CommitTimestamp: int64
        }

    let valueSchema = message {
        let! offset = field "Offset" _.Offset int64
        and! metadata = field "Metadata" _.Metadata string
        and! commitTimestamp = field "CommitTimestamp" _.CommitTimestamp int64

        return { Offset = offset; Metadata = metadata; CommitTimestamp = commitTimestamp }
    }

    let key: Message<OffsetCommitKey> = Message.define "LegacyOffsetCommitKey" (versions 0 0) OffsetCommitKey.schema

    let value: Message<Value> = Message.define "LegacyOffsetCommitValue" (versions 0 0) valueSchema

    let recordType: RecordType<OffsetCommitKey, Value> = { Id = 0s; Key = key; Value = value }

    type Value with
        override this.ToString() = Message.show value this
