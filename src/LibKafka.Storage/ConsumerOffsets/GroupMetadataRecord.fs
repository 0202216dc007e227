namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// GroupMetadata (type 2 of `__consumer_offsets`): the state of a group of the classic protocol (JoinGroup and SyncGroup) after a
/// rebalance. A tombstone deletes the group.
module GroupMetadataRecord =

    type Key = { Group: string }

    let keySchema = message {
        let! group = field "Group" _.Group string

        return { Group = group }
    }

    /// A member of the group.
    type MemberMetadata =
        {
            MemberId: string
            /// The instance id of a static member; null for a dynamic one. Since version 3.
            GroupInstanceId: string option
            ClientId: string
            /// The address that the member connects from.
            ClientHost: string
            /// How long a rebalance waits for the member, in milliseconds; -1 for the session timeout. Since version 1.
            RebalanceTimeout: int32
            /// How long the member may be silent, in milliseconds.
            SessionTimeout: int32
            /// The member's metadata for the selected protocol: for consumers, a version and a ConsumerProtocolSubscription.
            Subscription: Bytes
            /// The member's assignment by the leader: for consumers, a version and a ConsumerProtocolAssignment.
            Assignment: Bytes
        }

    let memberMetadata = message {
        let! memberId = field "MemberId" _.MemberId string
        and! groupInstanceId = field "GroupInstanceId" _.GroupInstanceId (string |> nullable |> since 3s None |> ignorable)
        and! clientId = field "ClientId" _.ClientId string
        and! clientHost = field "ClientHost" _.ClientHost string
        and! rebalanceTimeout = field "RebalanceTimeout" _.RebalanceTimeout (int32 |> since 1s -1 |> ignorable)
        and! sessionTimeout = field "SessionTimeout" _.SessionTimeout int32
        and! subscription = field "Subscription" _.Subscription bytes
        and! assignment = field "Assignment" _.Assignment bytes

        return
            { MemberId = memberId
              GroupInstanceId = groupInstanceId
              ClientId = clientId
              ClientHost = clientHost
              RebalanceTimeout = rebalanceTimeout
              SessionTimeout = sessionTimeout
              Subscription = subscription
              Assignment = assignment }
    }

    type Value =
        {
            /// `consumer` for consumers, `connect` for workers of Kafka Connect. Empty if members never joined.
            ProtocolType: string
            /// The number of rebalances so far.
            Generation: int32
            /// The selected protocol, such as the assignor `range`; null without members.
            Protocol: string option
            /// The member id of the leader; null without members.
            Leader: string option
            /// When the group entered its state, in milliseconds since the epoch; -1 if unknown. Since version 2.
            CurrentStateTimestamp: int64
            Members: MemberMetadata list
        }

    let valueSchema = message {
        let! protocolType = field "ProtocolType" _.ProtocolType string
        and! generation = field "Generation" _.Generation int32
        and! protocol = field "Protocol" _.Protocol (string |> nullable)
        and! leader = field "Leader" _.Leader (string |> nullable)
        and! currentStateTimestamp = field "CurrentStateTimestamp" _.CurrentStateTimestamp (int64 |> since 2s -1L |> ignorable)
        and! members = field "Members" _.Members (array memberMetadata)

        return
            { ProtocolType = protocolType
              Generation = generation
              Protocol = protocol
              Leader = leader
              CurrentStateTimestamp = currentStateTimestamp
              Members = members }
    }

    let key: Message<Key> = Message.define "GroupMetadataKey" (versions 0 0) keySchema

    let value: Message<Value> = Message.define "GroupMetadataValue" (versions 0 4 |> flexibleFrom 4) valueSchema

    let recordType: RecordType<Key, Value> = { Id = 2s; Key = key; Value = value }

    type Key with
        override this.ToString() = Message.show key this
    type MemberMetadata with
        override this.ToString() = Schema.show memberMetadata this
    type Value with
        override this.ToString() = Message.show value this
