namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// StreamsGroupTopology (type 23 of `__consumer_offsets`): the topology of a Streams group, as StreamsGroupHeartbeat sends it (KIP-1071).
module StreamsGroupTopologyRecord =

    let key: Message<GroupKey> = Message.define "StreamsGroupTopologyKey" (versions 0 0) GroupKey.schema

    let value: Message<StreamsGroupHeartbeat.Topology> =
        Message.define "StreamsGroupTopologyValue" (versions 0 0 |> flexibleFrom 0) StreamsGroupHeartbeat.topology

    let recordType: RecordType<GroupKey, StreamsGroupHeartbeat.Topology> = { Id = 23s; Key = key; Value = value }
