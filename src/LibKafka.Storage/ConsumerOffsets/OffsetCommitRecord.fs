namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// OffsetCommit (type 1 of `__consumer_offsets`): the offset that a group has committed for a partition. A tombstone deletes it.
module OffsetCommitRecord =

    type Value =
        {
            /// The offset of the next record to read.
            Offset: int64
            /// The leader epoch of the last record read; -1 if unknown. Since version 3.
            LeaderEpoch: int32
            /// Text of the committer.
            Metadata: string
            /// When the offset was committed, in milliseconds since the epoch.
            CommitTimestamp: int64
            /// When the offset expires, in milliseconds since the epoch; -1 for the broker's retention time. Version 1 only.
            ExpireTimestamp: int64
            /// The id of the topic; all zeros if unknown. Since version 4.
            TopicId: Guid
        }

    let valueSchema = message {
        let! offset = field "Offset" _.Offset int64
        and! leaderEpoch = field "LeaderEpoch" _.LeaderEpoch (int32 |> since 3s -1 |> ignorable)
        and! metadata = field "Metadata" _.Metadata string
        and! commitTimestamp = field "CommitTimestamp" _.CommitTimestamp int64
        and! expireTimestamp = field "ExpireTimestamp" _.ExpireTimestamp (int64 |> between 1s 1s -1L |> ignorable)
        and! topicId = field "TopicId" _.TopicId (uuid |> since 4s Guid.Empty |> tagged 0 |> ignorable)

        return
            { Offset = offset
              LeaderEpoch = leaderEpoch
              Metadata = metadata
              CommitTimestamp = commitTimestamp
              ExpireTimestamp = expireTimestamp
              TopicId = topicId }
    }

    let key: Message<OffsetCommitKey> = Message.define "OffsetCommitKey" (versions 0 0) OffsetCommitKey.schema

    let value: Message<Value> = Message.define "OffsetCommitValue" (versions 0 4 |> flexibleFrom 4) valueSchema

    let recordType: RecordType<OffsetCommitKey, Value> = { Id = 1s; Key = key; Value = value }

    type Value with
        override this.ToString() = Message.show value this
