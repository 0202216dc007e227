namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// ConsumerGroupRegularExpression (type 16 of `__consumer_offsets`): the topics that a regular expression of a consumer group matches
/// (KIP-848).
module ConsumerGroupRegularExpressionRecord =

    type Key = { GroupId: string; RegularExpression: string }

    let keySchema = message {
        let! groupId = field "GroupId" _.GroupId string
        and! regularExpression = field "RegularExpression" _.RegularExpression string

        return { GroupId = groupId; RegularExpression = regularExpression }
    }

    type Value =
        {
            /// The names of the topics that match.
            Topics: string list
            /// The version of the metadata image in which the topics were looked up.
            Version: int64
            /// When the topics were looked up, in milliseconds since the epoch.
            Timestamp: int64
        }

    let valueSchema = message {
        let! topics = field "Topics" _.Topics (array string)
        and! version = field "Version" _.Version int64
        and! timestamp = field "Timestamp" _.Timestamp int64

        return { Topics = topics; Version = version; Timestamp = timestamp }
    }

    let key: Message<Key> = Message.define "ConsumerGroupRegularExpressionKey" (versions 0 0) keySchema

    let value: Message<Value> =
        Message.define "ConsumerGroupRegularExpressionValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<Key, Value> = { Id = 16s; Key = key; Value = value }

    type Key with
        override this.ToString() = Message.show key this
    type Value with
        override this.ToString() = Message.show value this
