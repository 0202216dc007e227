namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// StreamsGroupDescribe (API key 89): state, topology, members and tasks of Streams groups (KIP-1071). It goes to the coordinator of each
/// group.
module StreamsGroupDescribe =

    type Request =
        {
            GroupIds: string list
            /// Whether to tell what the client may do with each group (KIP-430).
            IncludeAuthorizedOperations: bool
            /// Whether to tell every node of the topology, from version 1 on (KIP-1331).
            IncludeTopologyDescription: bool
        }

    let request = message {
        let! groups = field "GroupIds" _.GroupIds (array string)
        and! operations = field "IncludeAuthorizedOperations" _.IncludeAuthorizedOperations bool
        and! description = field "IncludeTopologyDescription" _.IncludeTopologyDescription (bool |> since 1s false)

        return { GroupIds = groups; IncludeAuthorizedOperations = operations; IncludeTopologyDescription = description }
    }

    /// A setting of a topic, or a tag of a member.
    type KeyValue = { Key: string; Value: string }

    let keyValue = message {
        let! key = field "Key" _.Key string
        and! value = field "Value" _.Value string
        return { Key = key; Value = value }
    }

    /// A topic that Streams makes for itself.
    type TopicInfo =
        {
            Name: string
            /// 0 where no number is prescribed, as for every changelog topic: it follows from the source topics.
            Partitions: int32
            /// 0 for the broker's default.
            ReplicationFactor: int16
            TopicConfigs: KeyValue list
        }

    let topicInfo = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions int32
        and! replication = field "ReplicationFactor" _.ReplicationFactor int16
        and! configs = field "TopicConfigs" _.TopicConfigs (array keyValue)

        return { Name = name; Partitions = partitions; ReplicationFactor = replication; TopicConfigs = configs }
    }

    /// A part of the topology that no record leaves but through topics, and so can run by itself for each partition.
    type Subtopology =
        {
            SubtopologyId: string
            /// The topics that it reads.
            SourceTopics: string list
            /// The internal topics through which it hands records on, to be partitioned anew.
            RepartitionSinkTopics: string list
            /// The topics that keep its state.
            StateChangelogTopics: TopicInfo list
            /// The internal topics that it reads.
            RepartitionSourceTopics: TopicInfo list
        }

    let subtopology = message {
        let! id = field "SubtopologyId" _.SubtopologyId string
        and! topics = field "SourceTopics" _.SourceTopics (array string)
        and! sinks = field "RepartitionSinkTopics" _.RepartitionSinkTopics (array string)
        and! changelogs = field "StateChangelogTopics" _.StateChangelogTopics (array topicInfo)
        and! sources = field "RepartitionSourceTopics" _.RepartitionSourceTopics (array topicInfo)

        return
            { SubtopologyId = id
              SourceTopics = topics
              RepartitionSinkTopics = sinks
              StateChangelogTopics = changelogs
              RepartitionSourceTopics = sources }
    }

    /// What the application does, as far as the coordinator must know it to hand out tasks.
    type Topology =
        {
            /// The version of the topology.
            Epoch: int32
            /// Null while source topics are missing or wrongly partitioned.
            Subtopologies: Subtopology list option
        }

    let topology = message {
        let! epoch = field "Epoch" _.Epoch int32
        and! subtopologies = field "Subtopologies" _.Subtopologies (array subtopology |> nullable |> withDefault None)
        return { Epoch = epoch; Subtopologies = subtopologies }
    }

    /// Where an instance answers queries for its state from other instances.
    type Endpoint = { Host: string; Port: uint16 }

    let endpoint = message {
        let! host = field "Host" _.Host string
        and! port = field "Port" _.Port uint16
        return { Host = host; Port = port }
    }

    /// An offset in the changelogs of one task, added up over them.
    type TaskOffset = { SubtopologyId: string; Partition: int32; Offset: int64 }

    let taskOffset = message {
        let! id = field "SubtopologyId" _.SubtopologyId string
        and! partition = field "Partition" _.Partition int32
        and! offset = field "Offset" _.Offset int64

        return { SubtopologyId = id; Partition = partition; Offset = offset }
    }

    /// Tasks of one subtopology: each is the subtopology at work on one partition.
    type TaskIds = { SubtopologyId: string; Partitions: int32 list }

    let taskIds = message {
        let! id = field "SubtopologyId" _.SubtopologyId string
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { SubtopologyId = id; Partitions = partitions }
    }

    /// The tasks of one member.
    type Assignment =
        {
            /// The tasks that the member runs.
            ActiveTasks: TaskIds list
            /// The tasks that the member follows, to take over quickly.
            StandbyTasks: TaskIds list
            /// The tasks that the member catches up with before they are moved to it.
            WarmupTasks: TaskIds list
        }

    let assignment = message {
        let! active = field "ActiveTasks" _.ActiveTasks (array taskIds)
        and! standby = field "StandbyTasks" _.StandbyTasks (array taskIds)
        and! warmup = field "WarmupTasks" _.WarmupTasks (array taskIds)

        return { ActiveTasks = active; StandbyTasks = standby; WarmupTasks = warmup }
    }

    /// A member of a group.
    type Member =
        {
            MemberId: string
            /// The epoch that the member has reached. Behind the group's, it still works towards its target. -2 while a static member
            /// has left for a while.
            MemberEpoch: int32
            /// The name of a static member; null for a dynamic one.
            InstanceId: string option
            /// Null where the member has told none.
            RackId: string option
            /// The client id from the header of the member's requests.
            ClientId: string
            /// The address that the member's requests come from, such as `/10.0.0.7`.
            ClientHost: string
            /// The version of the topology that the member runs.
            TopologyEpoch: int32
            /// The same for all members in one process.
            ProcessId: string
            /// Null where the member takes no queries.
            UserEndpoint: Endpoint option
            /// Tags by which standby tasks are spread over racks, zones and the like.
            ClientTags: KeyValue list
            /// How far the member's state has come, as it last said.
            TaskOffsets: TaskOffset list
            /// How far it has to come: the ends of the changelogs.
            TaskEndOffsets: TaskOffset list
            /// The tasks that the member has.
            Assignment: Assignment
            /// The tasks that the member is to have.
            TargetAssignment: Assignment
            /// Whether the member still speaks the classic protocol.
            IsClassic: bool
        }

    let groupMember = message {
        let! id = field "MemberId" _.MemberId string
        and! epoch = field "MemberEpoch" _.MemberEpoch int32
        and! instance = field "InstanceId" _.InstanceId (string |> nullable |> withDefault None)
        and! rack = field "RackId" _.RackId (string |> nullable |> withDefault None)
        and! client = field "ClientId" _.ClientId string
        and! host = field "ClientHost" _.ClientHost string
        and! topologyEpoch = field "TopologyEpoch" _.TopologyEpoch int32
        and! processId = field "ProcessId" _.ProcessId string
        and! endpoint = field "UserEndpoint" _.UserEndpoint (endpoint |> nullable |> withDefault None)
        and! tags = field "ClientTags" _.ClientTags (array keyValue)
        and! offsets = field "TaskOffsets" _.TaskOffsets (array taskOffset)
        and! endOffsets = field "TaskEndOffsets" _.TaskEndOffsets (array taskOffset)
        and! current = field "Assignment" _.Assignment assignment
        and! target = field "TargetAssignment" _.TargetAssignment assignment
        and! classic = field "IsClassic" _.IsClassic bool

        return
            { MemberId = id
              MemberEpoch = epoch
              InstanceId = instance
              RackId = rack
              ClientId = client
              ClientHost = host
              TopologyEpoch = topologyEpoch
              ProcessId = processId
              UserEndpoint = endpoint
              ClientTags = tags
              TaskOffsets = offsets
              TaskEndOffsets = endOffsets
              Assignment = current
              TargetAssignment = target
              IsClassic = classic }
    }

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
    type SubtopologyDescription = { SubtopologyId: string; Nodes: Node list }

    let subtopologyDescription = message {
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

    /// The whole topology, for people to look at (KIP-1331).
    type TopologyDescription = { Subtopologies: SubtopologyDescription list; GlobalStores: GlobalStore list }

    let topologyDescription = message {
        let! subtopologies = field "Subtopologies" _.Subtopologies (array subtopologyDescription)
        and! stores = field "GlobalStores" _.GlobalStores (array globalStore)
        return { Subtopologies = subtopologies; GlobalStores = stores }
    }

    /// A group.
    type Group =
        {
            /// NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; GROUP_ID_NOT_FOUND when there is no such
            /// group or it is no Streams group; INVALID_GROUP_ID for an empty id; GROUP_AUTHORIZATION_FAILED;
            /// TOPIC_AUTHORIZATION_FAILED when the client may not see a topic of the group.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            GroupId: string
            /// Empty on error.
            GroupState: GroupState
            /// Grows with each change of members, topology or topics.
            GroupEpoch: int32
            /// The group epoch for which the targets were worked out. Behind the group's, new ones are due.
            AssignmentEpoch: int32
            /// Null on error.
            Topology: Topology option
            Members: Member list
            /// What the client may do with the group, where it was asked.
            AuthorizedOperations: AuthorizedOperations
            /// Null where it was not asked for or is not at hand.
            TopologyDescription: TopologyDescription option
            /// Why there is a description or none.
            TopologyDescriptionStatus: TopologyDescriptionStatus
            /// The assignor that the coordinator uses, told from version 1 on (KIP-1357); null where it is not told.
            AssignorName: string option
        }

    let group = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! id = field "GroupId" _.GroupId string
        and! state = field "GroupState" _.GroupState groupState
        and! epoch = field "GroupEpoch" _.GroupEpoch int32
        and! assignmentEpoch = field "AssignmentEpoch" _.AssignmentEpoch int32
        and! topology = field "Topology" _.Topology (topology |> nullable |> withDefault None)
        and! members = field "Members" _.Members (array groupMember)
        and! operations =
            field "AuthorizedOperations" _.AuthorizedOperations (authorizedOperations |> withDefault AuthorizedOperations.NotAsked)
        and! description = field "TopologyDescription" _.TopologyDescription (topologyDescription |> nullable |> since 1s None)
        and! status =
            field
                "TopologyDescriptionStatus"
                _.TopologyDescriptionStatus
                (topologyDescriptionStatus |> since 1s TopologyDescriptionStatus.NotRequested)
        and! assignor = field "AssignorName" _.AssignorName (string |> nullable |> since 1s None |> ignorable)

        return
            { Error = error
              ErrorMessage = text
              GroupId = id
              GroupState = state
              GroupEpoch = epoch
              AssignmentEpoch = assignmentEpoch
              Topology = topology
              Members = members
              AuthorizedOperations = operations
              TopologyDescription = description
              TopologyDescriptionStatus = status
              AssignorName = assignor }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Groups: Group list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! groups = field "Groups" _.Groups (array group)

        return { ThrottleTimeMs = throttle; Groups = groups }
    }

    let api = Api.define ApiKey.StreamsGroupDescribe 0s 1s (Some 0s) request response
