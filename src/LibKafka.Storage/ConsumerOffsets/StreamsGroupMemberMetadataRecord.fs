namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// StreamsGroupMemberMetadata (type 19 of `__consumer_offsets`): a member of a Streams group (KIP-1071). A tombstone means that the member
/// has left.
module StreamsGroupMemberMetadataRecord =

    type Value =
        {
            /// The instance id of a static member; null for a dynamic one.
            InstanceId: string option
            /// The rack of the member; null if it has none.
            RackId: string option
            ClientId: string
            /// The address that the member connects from.
            ClientHost: string
            /// How long the member may take to give up partitions, in milliseconds.
            RebalanceTimeoutMs: int32
            /// The epoch of the member's topology.
            TopologyEpoch: int32
            /// The same for all members in one process, which fail together.
            ProcessId: string
            /// The endpoint on which the member serves queries for its state; null for none.
            UserEndpoint: StreamsEndpoint option
            /// Tags by which standby tasks are distributed, for example over racks and zones.
            ClientTags: StreamsKeyValue list
        }

    let valueSchema = message {
        let! instanceId = field "InstanceId" _.InstanceId (string |> nullable)
        and! rackId = field "RackId" _.RackId (string |> nullable)
        and! clientId = field "ClientId" _.ClientId string
        and! clientHost = field "ClientHost" _.ClientHost string
        and! rebalanceTimeoutMs = field "RebalanceTimeoutMs" _.RebalanceTimeoutMs (int32 |> withDefault -1)
        and! topologyEpoch = field "TopologyEpoch" _.TopologyEpoch int32
        and! processId = field "ProcessId" _.ProcessId string
        and! userEndpoint = field "UserEndpoint" _.UserEndpoint (StreamsEndpoint.schema |> nullable |> withDefault None)
        and! clientTags = field "ClientTags" _.ClientTags (array StreamsKeyValue.schema)

        return
            { InstanceId = instanceId
              RackId = rackId
              ClientId = clientId
              ClientHost = clientHost
              RebalanceTimeoutMs = rebalanceTimeoutMs
              TopologyEpoch = topologyEpoch
              ProcessId = processId
              UserEndpoint = userEndpoint
              ClientTags = clientTags }
    }

    let key: Message<GroupMemberKey> = Message.define "StreamsGroupMemberMetadataKey" (versions 0 0) GroupMemberKey.schema

    let value: Message<Value> = Message.define "StreamsGroupMemberMetadataValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<GroupMemberKey, Value> = { Id = 19s; Key = key; Value = value }

    type Value with
        override this.ToString() = Message.show value this
