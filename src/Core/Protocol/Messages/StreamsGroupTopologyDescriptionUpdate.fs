namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// StreamsGroupTopologyDescriptionUpdate (API key 93): a member describes the whole topology of its Streams group, for
/// StreamsGroupDescribe to show (KIP-1331). It goes to the group's coordinator, when that has asked for it in a heartbeat.
module StreamsGroupTopologyDescriptionUpdate =

    /// A step of the topology.
    type Node =
        {
            Name: string
            NodeType: TopologyNodeType
            /// The topics that a source reads; empty for other nodes.
            SourceTopics: string list
            /// The topic that a sink writes; null for other nodes, and where it is chosen for each record.
            SinkTopic: string option
            /// The state stores that a processor uses; empty for other nodes.
            Stores: string list
            /// The names of the nodes that records go to next.
            Successors: string list
        }

    let node = message {
        let! name = field "Name" _.Name string
        and! kind = field "NodeType" _.NodeType topologyNodeType
        and! topics = field "SourceTopics" _.SourceTopics (array string)
        and! sink = field "SinkTopic" _.SinkTopic (string |> nullable |> withDefault None)
        and! stores = field "Stores" _.Stores (array string)
        and! successors = field "Successors" _.Successors (array string)

        return { Name = name; NodeType = kind; SourceTopics = topics; SinkTopic = sink; Stores = stores; Successors = successors }
    }

    /// The nodes of one subtopology.
    type Subtopology = { SubtopologyId: string; Nodes: Node list }

    let subtopology = message {
        let! id = field "SubtopologyId" _.SubtopologyId string
        and! nodes = field "Nodes" _.Nodes (array node)
        return { SubtopologyId = id; Nodes = nodes }
    }

    /// A store of which every instance has the whole, and how it is filled.
    type GlobalStore = { Source: Node; Processor: Node }

    let globalStore = message {
        let! source = field "Source" _.Source node
        and! processor = field "Processor" _.Processor node
        return { Source = source; Processor = processor }
    }

    /// The whole topology, for people to look at.
    type TopologyDescription = { Subtopologies: Subtopology list; GlobalStores: GlobalStore list }

    let topologyDescription = message {
        let! subtopologies = field "Subtopologies" _.Subtopologies (array subtopology)
        and! stores = field "GlobalStores" _.GlobalStores (array globalStore)
        return { Subtopologies = subtopologies; GlobalStores = stores }
    }

    type Request =
        {
            GroupId: string
            /// The member that describes.
            MemberId: string
            /// The version of the topology that is described.
            TopologyEpoch: int32
            TopologyDescription: TopologyDescription
        }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! memberId = field "MemberId" _.MemberId string
        and! epoch = field "TopologyEpoch" _.TopologyEpoch int32
        and! description = field "TopologyDescription" _.TopologyDescription topologyDescription

        return { GroupId = group; MemberId = memberId; TopologyEpoch = epoch; TopologyDescription = description }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED when the broker could not store it, and a heartbeat may ask again;
            /// STREAMS_INVALID_TOPOLOGY_EPOCH or INVALID_REQUEST when it is not of the group's epoch; UNSUPPORTED_VERSION when the
            /// broker keeps no descriptions; UNKNOWN_MEMBER_ID; GROUP_ID_NOT_FOUND; NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS
            /// when to ask elsewhere or again; GROUP_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text }
    }

    let api = Api.define ApiKey.StreamsGroupTopologyDescriptionUpdate 0s 0s (Some 0s) request response
