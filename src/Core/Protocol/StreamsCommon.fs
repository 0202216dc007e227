namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// A config of a topic, or a tag of a member.
type StreamsKeyValue = { Key: string; Value: string }

[<RequireQualifiedAccess>]
module StreamsKeyValue =

    let schema = message {
        let! key = field "Key" _.Key string
        and! value = field "Value" _.Value string |> Fields.secretIf (fun pair -> ConfigName.isSecret pair.Key)
        return { Key = key; Value = value }
    }

/// An internal topic of a Streams application (KIP-1071).
type StreamsTopicInfo =
    {
        Name: string
        /// 0 if the number is not fixed, as for all changelog topics: it follows from the source topics.
        Partitions: int32
        /// 0 for the broker's default.
        ReplicationFactor: int16
        TopicConfigs: StreamsKeyValue list
    }

[<RequireQualifiedAccess>]
module StreamsTopicInfo =

    let schema = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions int32
        and! replication = field "ReplicationFactor" _.ReplicationFactor int16
        and! configs = field "TopicConfigs" _.TopicConfigs (array StreamsKeyValue.schema)

        return { Name = name; Partitions = partitions; ReplicationFactor = replication; TopicConfigs = configs }
    }

/// Tasks of one subtopology. Each task runs the subtopology on one partition.
type StreamsTaskIds = { SubtopologyId: string; Partitions: int32 list }

[<RequireQualifiedAccess>]
module StreamsTaskIds =

    let schema = message {
        let! id = field "SubtopologyId" _.SubtopologyId string
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { SubtopologyId = id; Partitions = partitions }
    }

/// The sum of the offsets in the changelogs of one task.
type StreamsTaskOffset = { SubtopologyId: string; Partition: int32; Offset: int64 }

[<RequireQualifiedAccess>]
module StreamsTaskOffset =

    let schema = message {
        let! id = field "SubtopologyId" _.SubtopologyId string
        and! partition = field "Partition" _.Partition int32
        and! offset = field "Offset" _.Offset int64

        return { SubtopologyId = id; Partition = partition; Offset = offset }
    }

/// The endpoint on which an instance answers state queries of other instances.
type StreamsEndpoint = { Host: string; Port: uint16 }

[<RequireQualifiedAccess>]
module StreamsEndpoint =

    let schema = message {
        let! host = field "Host" _.Host string
        and! port = field "Port" _.Port uint16
        return { Host = host; Port = port }
    }

/// A node of the topology.
type TopologyDescriptionNode =
    {
        Name: string
        NodeType: TopologyNodeType
        /// The topics that a source reads; empty for other nodes.
        SourceTopics: string list
        /// The topic that a sink writes; null for other nodes, and if it is chosen for each record.
        SinkTopic: string option
        /// The state stores that a processor uses; empty for other nodes.
        Stores: string list
        /// The names of the next nodes.
        Successors: string list
    }

[<RequireQualifiedAccess>]
module TopologyDescriptionNode =

    let schema = message {
        let! name = field "Name" _.Name string
        and! kind = field "NodeType" _.NodeType topologyNodeType
        and! topics = field "SourceTopics" _.SourceTopics (array string)
        and! sink = field "SinkTopic" _.SinkTopic (string |> nullable |> withDefault None)
        and! stores = field "Stores" _.Stores (array string)
        and! successors = field "Successors" _.Successors (array string)

        return { Name = name; NodeType = kind; SourceTopics = topics; SinkTopic = sink; Stores = stores; Successors = successors }
    }

/// The nodes of one subtopology.
type TopologyDescriptionSubtopology = { SubtopologyId: string; Nodes: TopologyDescriptionNode list }

[<RequireQualifiedAccess>]
module TopologyDescriptionSubtopology =

    let schema = message {
        let! id = field "SubtopologyId" _.SubtopologyId string
        and! nodes = field "Nodes" _.Nodes (array TopologyDescriptionNode.schema)
        return { SubtopologyId = id; Nodes = nodes }
    }

/// A global state store, which every instance holds in full, with the nodes that fill it.
type TopologyDescriptionGlobalStore = { Source: TopologyDescriptionNode; Processor: TopologyDescriptionNode }

[<RequireQualifiedAccess>]
module TopologyDescriptionGlobalStore =

    let schema = message {
        let! source = field "Source" _.Source TopologyDescriptionNode.schema
        and! processor = field "Processor" _.Processor TopologyDescriptionNode.schema
        return { Source = source; Processor = processor }
    }

/// A human-readable description of the whole topology (KIP-1331).
type TopologyDescription = { Subtopologies: TopologyDescriptionSubtopology list; GlobalStores: TopologyDescriptionGlobalStore list }

[<RequireQualifiedAccess>]
module TopologyDescription =

    let schema = message {
        let! subtopologies = field "Subtopologies" _.Subtopologies (array TopologyDescriptionSubtopology.schema)
        and! stores = field "GlobalStores" _.GlobalStores (array TopologyDescriptionGlobalStore.schema)
        return { Subtopologies = subtopologies; GlobalStores = stores }
    }

type StreamsKeyValue with
    override this.ToString() = Schema.show StreamsKeyValue.schema this
type StreamsTopicInfo with
    override this.ToString() = Schema.show StreamsTopicInfo.schema this
type StreamsTaskIds with
    override this.ToString() = Schema.show StreamsTaskIds.schema this
type StreamsTaskOffset with
    override this.ToString() = Schema.show StreamsTaskOffset.schema this
type StreamsEndpoint with
    override this.ToString() = Schema.show StreamsEndpoint.schema this
type TopologyDescriptionNode with
    override this.ToString() = Schema.show TopologyDescriptionNode.schema this
type TopologyDescriptionSubtopology with
    override this.ToString() = Schema.show TopologyDescriptionSubtopology.schema this
type TopologyDescriptionGlobalStore with
    override this.ToString() = Schema.show TopologyDescriptionGlobalStore.schema this
type TopologyDescription with
    override this.ToString() = Schema.show TopologyDescription.schema this
