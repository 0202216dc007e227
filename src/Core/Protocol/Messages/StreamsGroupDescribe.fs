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

    /// A part of the topology that no record leaves but through topics, and so can run by itself for each partition.
    type Subtopology =
        {
            SubtopologyId: string
            /// The topics that it reads.
            SourceTopics: string list
            /// The internal topics through which it hands records on, to be partitioned anew.
            RepartitionSinkTopics: string list
            /// The topics that keep its state.
            StateChangelogTopics: StreamsTopicInfo list
            /// The internal topics that it reads.
            RepartitionSourceTopics: StreamsTopicInfo list
        }

    let subtopology = message {
        let! id = field "SubtopologyId" _.SubtopologyId string
        and! topics = field "SourceTopics" _.SourceTopics (array string)
        and! sinks = field "RepartitionSinkTopics" _.RepartitionSinkTopics (array string)
        and! changelogs = field "StateChangelogTopics" _.StateChangelogTopics (array StreamsTopicInfo.schema)
        and! sources = field "RepartitionSourceTopics" _.RepartitionSourceTopics (array StreamsTopicInfo.schema)

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

    /// The tasks of one member.
    type Assignment =
        {
            /// The tasks that the member runs.
            ActiveTasks: StreamsTaskIds list
            /// The tasks that the member follows, to take over quickly.
            StandbyTasks: StreamsTaskIds list
            /// The tasks that the member catches up with before they are moved to it.
            WarmupTasks: StreamsTaskIds list
        }

    let assignment = message {
        let! active = field "ActiveTasks" _.ActiveTasks (array StreamsTaskIds.schema)
        and! standby = field "StandbyTasks" _.StandbyTasks (array StreamsTaskIds.schema)
        and! warmup = field "WarmupTasks" _.WarmupTasks (array StreamsTaskIds.schema)

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
            UserEndpoint: StreamsEndpoint option
            /// Tags by which standby tasks are spread over racks, zones and the like.
            ClientTags: StreamsKeyValue list
            /// How far the member's state has come, as it last said.
            TaskOffsets: StreamsTaskOffset list
            /// How far it has to come: the ends of the changelogs.
            TaskEndOffsets: StreamsTaskOffset list
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
        and! endpoint = field "UserEndpoint" _.UserEndpoint (StreamsEndpoint.schema |> nullable |> withDefault None)
        and! tags = field "ClientTags" _.ClientTags (array StreamsKeyValue.schema)
        and! offsets = field "TaskOffsets" _.TaskOffsets (array StreamsTaskOffset.schema)
        and! endOffsets = field "TaskEndOffsets" _.TaskEndOffsets (array StreamsTaskOffset.schema)
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
        and! description =
            field "TopologyDescription" _.TopologyDescription (TopologyDescription.schema |> nullable |> since 1s None)
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
