namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// ShareGroupMemberMetadata (type 10 of `__consumer_offsets`): a member of a share group and its subscription (KIP-932). A tombstone means
/// that the member has left.
module ShareGroupMemberMetadataRecord =

    type Value =
        {
            /// The rack of the member; null if it has none.
            RackId: string option
            ClientId: string
            /// The address that the member connects from.
            ClientHost: string
            /// The names of the topics that the member is subscribed to.
            SubscribedTopicNames: string list
        }

    let valueSchema = message {
        let! rackId = field "RackId" _.RackId (string |> nullable)
        and! clientId = field "ClientId" _.ClientId string
        and! clientHost = field "ClientHost" _.ClientHost string
        and! subscribedTopicNames = field "SubscribedTopicNames" _.SubscribedTopicNames (array string)

        return { RackId = rackId; ClientId = clientId; ClientHost = clientHost; SubscribedTopicNames = subscribedTopicNames }
    }

    let key: Message<GroupMemberKey> = Message.define "ShareGroupMemberMetadataKey" (versions 0 0) GroupMemberKey.schema

    let value: Message<Value> = Message.define "ShareGroupMemberMetadataValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<GroupMemberKey, Value> = { Id = 10s; Key = key; Value = value }

    type Value with
        override this.ToString() = Message.show value this
