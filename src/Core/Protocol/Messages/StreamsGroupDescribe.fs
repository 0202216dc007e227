namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// StreamsGroupDescribe (API key 89): describes Streams groups (KIP-1071). Send it to the coordinator of each group.
module StreamsGroupDescribe =

    type Request =
        {
            GroupIds: string list
            /// Whether the response includes the operations that the client is authorized for on each group (KIP-430).
            IncludeAuthorizedOperations: bool
            /// Whether the response includes every node of the topology. Since version 1 (KIP-1331).
            IncludeTopologyDescription: bool
        }

    let request = message {
        let! groups = field "GroupIds" _.GroupIds (array string)
        and! operations = field "IncludeAuthorizedOperations" _.IncludeAuthorizedOperations bool
        and! description = field "IncludeTopologyDescription" _.IncludeTopologyDescription (bool |> since 1s false)

        return { GroupIds = groups; IncludeAuthorizedOperations = operations; IncludeTopologyDescription = description }
    }

    /// A part of the topology that is connected to the others only through topics, and so can be run separately for each partition.
    type Subtopology =
        {
            SubtopologyId: string
            /// The topics that it reads.
            SourceTopics: string list
            /// The internal topics that it writes for repartitioning.
            RepartitionSinkTopics: string list
            /// The changelog topics of its state stores.
            StateChangelogTopics: StreamsTopicInfo list
            /// The internal repartition topics that it reads.
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

    /// The parts of the topology that the coordinator needs to assign tasks.
    type Topology =
        {
            /// The epoch of the topology.
            Epoch: int32
            /// Null while source topics are missing or have the wrong number of partitions.
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
            /// The standby tasks, which replicate state for a quick takeover.
            StandbyTasks: StreamsTaskIds list
            /// The tasks whose state the member restores before they are moved to it.
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
            /// The epoch that the member has reached. If it is lower than the group's, the member has not reached its target assignment
            /// yet. -2 while a static member is away temporarily.
            MemberEpoch: int32
            /// The instance id of a static member; null for a dynamic member.
            InstanceId: string option
            /// Null if the member has not given one.
            RackId: string option
            /// The client id in the header of the member's requests.
            ClientId: string
            /// The address from which the member's requests come, such as `/10.0.0.7`.
            ClientHost: string
            /// The epoch of the topology that the member runs.
            TopologyEpoch: int32
            /// The same for all members in one process.
            ProcessId: string
            /// Null if the member does not serve queries.
            UserEndpoint: StreamsEndpoint option
            /// Tags by which standby tasks are distributed, for example over racks and zones.
            ClientTags: StreamsKeyValue list
            /// The progress of the member's state, as last reported.
            TaskOffsets: StreamsTaskOffset list
            /// The end offsets of the changelogs, as last reported.
            TaskEndOffsets: StreamsTaskOffset list
            /// The tasks that the member has now.
            Assignment: Assignment
            /// The tasks that the member will have when the rebalance is complete.
            TargetAssignment: Assignment
            /// Whether the member still uses the classic protocol.
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

    /// The description of one group.
    type Group =
        {
            /// NOT_COORDINATOR if another broker is the coordinator; COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state;
            /// GROUP_ID_NOT_FOUND if there is no such group or it is not a Streams group; INVALID_GROUP_ID for an empty id;
            /// GROUP_AUTHORIZATION_FAILED; TOPIC_AUTHORIZATION_FAILED if the client may not see one of the group's topics.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            GroupId: string
            /// Empty on error.
            GroupState: GroupState
            /// Increases with each change of members, topology or topics.
            GroupEpoch: int32
            /// The group epoch for which the target assignment was computed. If it is lower than the group's, a new assignment is pending.
            AssignmentEpoch: int32
            /// Null on error.
            Topology: Topology option
            Members: Member list
            /// The operations that the client is authorized for on the group, if requested.
            AuthorizedOperations: AuthorizedOperations
            /// Every node of the topology; null if not requested or not available. Since version 1 (KIP-1331).
            TopologyDescription: TopologyDescription option
            /// Whether a description is included, and why not. Since version 1 (KIP-1331).
            TopologyDescriptionStatus: TopologyDescriptionStatus
            /// The assignor that the coordinator uses; null if not given. Since version 1 (KIP-1357).
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            Groups: Group list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! groups = field "Groups" _.Groups (array group)

        return { ThrottleTimeMs = throttle; Groups = groups }
    }

    let api =
        Api.define ApiKey.StreamsGroupDescribe (versions 0 1 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Subtopology with
        override this.ToString() = Schema.show subtopology this
    type Topology with
        override this.ToString() = Schema.show topology this
    type Assignment with
        override this.ToString() = Schema.show assignment this
    type Member with
        override this.ToString() = Schema.show groupMember this
    type Group with
        override this.ToString() = Schema.show group this
    type Response with
        override this.ToString() = Message.show api.Response this
