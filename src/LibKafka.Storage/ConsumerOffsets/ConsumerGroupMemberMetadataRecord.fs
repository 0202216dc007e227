namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// ConsumerGroupMemberMetadata (type 5 of `__consumer_offsets`): a member of a consumer group and its subscription (KIP-848). A tombstone
/// means that the member has left.
module ConsumerGroupMemberMetadataRecord =

    /// An assignor that the member supports, with its subscription.
    type ClassicProtocol =
        {
            /// The name of the assignor.
            Name: string
            /// A version and a ConsumerProtocolSubscription.
            Metadata: Bytes
        }

    let classicProtocol = message {
        let! name = field "Name" _.Name string
        and! metadata = field "Metadata" _.Metadata bytes

        return { Name = name; Metadata = metadata }
    }

    /// What a member that still uses the classic protocol has sent in JoinGroup.
    type ClassicMemberMetadata =
        {
            /// How long the member may be silent, in milliseconds.
            SessionTimeoutMs: int32
            SupportedProtocols: ClassicProtocol list
        }

    let classicMemberMetadata = message {
        let! sessionTimeoutMs = field "SessionTimeoutMs" _.SessionTimeoutMs int32
        and! supportedProtocols = field "SupportedProtocols" _.SupportedProtocols (array classicProtocol)

        return { SessionTimeoutMs = sessionTimeoutMs; SupportedProtocols = supportedProtocols }
    }

    type Value =
        {
            /// The instance id of a static member; null for a dynamic one.
            InstanceId: string option
            /// The rack of the member; null if it has none.
            RackId: string option
            ClientId: string
            /// The address that the member connects from.
            ClientHost: string
            /// The names of the topics that the member is subscribed to.
            SubscribedTopicNames: string list
            /// The regular expression that the member is subscribed to; null for none.
            SubscribedTopicRegex: string option
            /// How long the member may take to give up partitions, in milliseconds.
            RebalanceTimeoutMs: int32
            /// The assignor that the member prefers; null if it leaves the choice to the coordinator.
            ServerAssignor: string option
            /// Null for a member of the consumer protocol.
            ClassicMemberMetadata: ClassicMemberMetadata option
        }

    let valueSchema = message {
        let! instanceId = field "InstanceId" _.InstanceId (string |> nullable)
        and! rackId = field "RackId" _.RackId (string |> nullable)
        and! clientId = field "ClientId" _.ClientId string
        and! clientHost = field "ClientHost" _.ClientHost string
        and! subscribedTopicNames = field "SubscribedTopicNames" _.SubscribedTopicNames (array string)
        and! subscribedTopicRegex = field "SubscribedTopicRegex" _.SubscribedTopicRegex (string |> nullable)
        and! rebalanceTimeoutMs = field "RebalanceTimeoutMs" _.RebalanceTimeoutMs (int32 |> withDefault -1)
        and! serverAssignor = field "ServerAssignor" _.ServerAssignor (string |> nullable)
        and! classicMemberMetadata =
            field "ClassicMemberMetadata" _.ClassicMemberMetadata (classicMemberMetadata |> nullable |> tagged 0)

        return
            { InstanceId = instanceId
              RackId = rackId
              ClientId = clientId
              ClientHost = clientHost
              SubscribedTopicNames = subscribedTopicNames
              SubscribedTopicRegex = subscribedTopicRegex
              RebalanceTimeoutMs = rebalanceTimeoutMs
              ServerAssignor = serverAssignor
              ClassicMemberMetadata = classicMemberMetadata }
    }

    let key: Message<GroupMemberKey> = Message.define "ConsumerGroupMemberMetadataKey" (versions 0 0) GroupMemberKey.schema

    let value: Message<Value> = Message.define "ConsumerGroupMemberMetadataValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<GroupMemberKey, Value> = { Id = 5s; Key = key; Value = value }

    type ClassicProtocol with
        override this.ToString() = Schema.show classicProtocol this
    type ClassicMemberMetadata with
        override this.ToString() = Schema.show classicMemberMetadata this
    type Value with
        override this.ToString() = Message.show value this
