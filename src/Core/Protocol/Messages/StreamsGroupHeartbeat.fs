namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// StreamsGroupHeartbeat (API key 88): join, stay in and leave a group of Kafka Streams instances, and learn of its tasks (KIP-1071). It
/// goes to the group's coordinator.
module StreamsGroupHeartbeat =

    /// Topics that must have as many partitions as each other, since they are joined. Each number is a place, from 0, in the list of the
    /// same name in the subtopology.
    type CopartitionGroup = { SourceTopics: int16 list; SourceTopicRegex: int16 list; RepartitionSourceTopics: int16 list }

    let copartitionGroup = message {
        let! topics = field "SourceTopics" _.SourceTopics (array int16)
        and! regex = field "SourceTopicRegex" _.SourceTopicRegex (array int16)
        and! repartition = field "RepartitionSourceTopics" _.RepartitionSourceTopics (array int16)

        return { SourceTopics = topics; SourceTopicRegex = regex; RepartitionSourceTopics = repartition }
    }

    /// A part of the topology that no record leaves but through topics, and so can run by itself for each partition.
    type Subtopology =
        {
            /// The same in every instance that runs the same topology.
            SubtopologyId: string
            /// The topics that it reads, named.
            SourceTopics: string list
            /// The topics that it reads, by regular expressions.
            SourceTopicRegex: string list
            /// The topics that keep its state. The coordinator makes them where they are missing.
            StateChangelogTopics: StreamsTopicInfo list
            /// The internal topics through which it hands records on, to be partitioned anew.
            RepartitionSinkTopics: string list
            /// The internal topics that it reads. The coordinator makes them where they are missing.
            RepartitionSourceTopics: StreamsTopicInfo list
            CopartitionGroups: CopartitionGroup list
        }

    let subtopology = message {
        let! id = field "SubtopologyId" _.SubtopologyId string
        and! topics = field "SourceTopics" _.SourceTopics (array string)
        and! regex = field "SourceTopicRegex" _.SourceTopicRegex (array string)
        and! changelogs = field "StateChangelogTopics" _.StateChangelogTopics (array StreamsTopicInfo.schema)
        and! sinks = field "RepartitionSinkTopics" _.RepartitionSinkTopics (array string)
        and! sources = field "RepartitionSourceTopics" _.RepartitionSourceTopics (array StreamsTopicInfo.schema)
        and! copartition = field "CopartitionGroups" _.CopartitionGroups (array copartitionGroup)

        return
            { SubtopologyId = id
              SourceTopics = topics
              SourceTopicRegex = regex
              StateChangelogTopics = changelogs
              RepartitionSinkTopics = sinks
              RepartitionSourceTopics = sources
              CopartitionGroups = copartition }
    }

    /// What the application does, as far as the coordinator must know it to hand out tasks.
    type Topology =
        {
            /// The version of the topology, raised by the application's author with each change.
            Epoch: int32
            Subtopologies: Subtopology list
        }

    let topology = message {
        let! epoch = field "Epoch" _.Epoch int32
        and! subtopologies = field "Subtopologies" _.Subtopologies (array subtopology)
        return { Epoch = epoch; Subtopologies = subtopologies }
    }

    /// Everything that can be null means, as null, that it has not changed since the last heartbeat, or that there is none.
    type Request =
        {
            GroupId: string
            /// Made by the member and kept for its lifetime.
            MemberId: string
            /// 0 to join, -1 to leave, -2 for a static member that leaves for a while, else the epoch that the coordinator gave.
            MemberEpoch: int32
            /// The latest epoch of `PartitionsByUserEndpoint` that the member knows.
            EndpointInformationEpoch: int32
            /// The name of a static member.
            InstanceId: string option
            RackId: string option
            /// How long the member may take to give up tasks, in milliseconds; -1 for no change. It must be given to join.
            RebalanceTimeoutMs: int32
            /// To be given when joining, and only then.
            Topology: Topology option
            /// The tasks that the member runs. Like the next two, empty when joining.
            ActiveTasks: StreamsTaskIds list option
            /// The tasks that the member follows, to take over quickly.
            StandbyTasks: StreamsTaskIds list option
            /// The tasks that the member catches up with before they are moved to it.
            WarmupTasks: StreamsTaskIds list option
            /// The same for all members in one process, which fails as a whole.
            ProcessId: string option
            UserEndpoint: StreamsEndpoint option
            /// Tags by which standby tasks are spread over racks, zones and the like.
            ClientTags: StreamsKeyValue list option
            /// How far the member's state has come. Sent every `TaskOffsetIntervalMs`, and when a warm-up task has caught up.
            TaskOffsets: StreamsTaskOffset list option
            /// How far it has to come: the ends of the changelogs.
            TaskEndOffsets: StreamsTaskOffset list option
            /// Whether every instance of the application is to stop.
            ShutdownApplication: bool
        }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! memberId = field "MemberId" _.MemberId string
        and! epoch = field "MemberEpoch" _.MemberEpoch int32
        and! endpointEpoch = field "EndpointInformationEpoch" _.EndpointInformationEpoch int32
        and! instance = field "InstanceId" _.InstanceId (string |> nullable |> withDefault None)
        and! rack = field "RackId" _.RackId (string |> nullable |> withDefault None)
        and! rebalance = field "RebalanceTimeoutMs" _.RebalanceTimeoutMs (int32 |> withDefault -1)
        and! topology = field "Topology" _.Topology (topology |> nullable |> withDefault None)
        and! active = field "ActiveTasks" _.ActiveTasks (array StreamsTaskIds.schema |> nullable |> withDefault None)
        and! standby = field "StandbyTasks" _.StandbyTasks (array StreamsTaskIds.schema |> nullable |> withDefault None)
        and! warmup = field "WarmupTasks" _.WarmupTasks (array StreamsTaskIds.schema |> nullable |> withDefault None)
        and! processId = field "ProcessId" _.ProcessId (string |> nullable |> withDefault None)
        and! endpoint = field "UserEndpoint" _.UserEndpoint (StreamsEndpoint.schema |> nullable |> withDefault None)
        and! tags = field "ClientTags" _.ClientTags (array StreamsKeyValue.schema |> nullable |> withDefault None)
        and! offsets = field "TaskOffsets" _.TaskOffsets (array StreamsTaskOffset.schema |> nullable |> withDefault None)
        and! endOffsets = field "TaskEndOffsets" _.TaskEndOffsets (array StreamsTaskOffset.schema |> nullable |> withDefault None)
        and! shutdown = field "ShutdownApplication" _.ShutdownApplication bool

        return
            { GroupId = group
              MemberId = memberId
              MemberEpoch = epoch
              EndpointInformationEpoch = endpointEpoch
              InstanceId = instance
              RackId = rack
              RebalanceTimeoutMs = rebalance
              Topology = topology
              ActiveTasks = active
              StandbyTasks = standby
              WarmupTasks = warmup
              ProcessId = processId
              UserEndpoint = endpoint
              ClientTags = tags
              TaskOffsets = offsets
              TaskEndOffsets = endOffsets
              ShutdownApplication = shutdown }
    }

    /// Something that the group has to tell its members.
    type Status =
        {
            Code: StreamsStatus
            /// The same for people, such as the topics that are missing.
            Detail: string
        }

    let status = message {
        let! code = field "StatusCode" _.Code streamsStatus
        and! detail = field "StatusDetail" _.Detail string
        return { Code = code; Detail = detail }
    }

    /// Partitions of one topic.
    type TopicPartitions = { Topic: string; Partitions: int32 list }

    let topicPartitions = message {
        let! topic = field "Topic" _.Topic string
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { Topic = topic; Partitions = partitions }
    }

    /// The state that an instance can be asked for.
    type EndpointPartitions =
        {
            UserEndpoint: StreamsEndpoint
            /// The partitions of the tasks that it runs.
            ActivePartitions: TopicPartitions list
            /// The partitions of the tasks that it follows.
            StandbyPartitions: TopicPartitions list
        }

    let endpointPartitions = message {
        let! endpoint = field "UserEndpoint" _.UserEndpoint StreamsEndpoint.schema
        and! active = field "ActivePartitions" _.ActivePartitions (array topicPartitions)
        and! standby = field "StandbyPartitions" _.StandbyPartitions (array topicPartitions)

        return { UserEndpoint = endpoint; ActivePartitions = active; StandbyPartitions = standby }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// UNKNOWN_MEMBER_ID and FENCED_MEMBER_EPOCH when to give up everything and join again; UNRELEASED_INSTANCE_ID while another
            /// member has the static name; GROUP_MAX_SIZE_REACHED; GROUP_ID_NOT_FOUND when the group is of another protocol;
            /// STREAMS_INVALID_TOPOLOGY when the topology cannot be run; STREAMS_INVALID_TOPOLOGY_EPOCH when the group has another one
            /// of the same epoch; STREAMS_TOPOLOGY_FENCED when the group has a later one; TOPIC_AUTHORIZATION_FAILED and
            /// CLUSTER_AUTHORIZATION_FAILED when the client may not read or create the topics; GROUP_AUTHORIZATION_FAILED;
            /// NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            MemberId: string
            /// The epoch to send with the next heartbeat.
            MemberEpoch: int32
            /// How long to wait before the next heartbeat, in milliseconds.
            HeartbeatIntervalMs: int32
            /// What `AcceptableRecoveryLag` is later, in version 0.
            AcceptableRecoveryLagLegacy: int32
            /// How often to send `TaskOffsets`, in milliseconds.
            TaskOffsetIntervalMs: int32
            /// How many offsets a warm-up task may lag behind and still count as caught up, from version 1 on; -1 where it is not told.
            AcceptableRecoveryLag: int64
            /// Null where it has not changed.
            Status: Status list option
            /// The tasks that the member is to run; null where they have not changed. So with the next two.
            ActiveTasks: StreamsTaskIds list option
            StandbyTasks: StreamsTaskIds list option
            WarmupTasks: StreamsTaskIds list option
            /// Whether the member is to send StreamsGroupTopologyDescriptionUpdate, from version 1 on (KIP-1331).
            TopologyDescriptionRequired: bool
            /// The epoch of `PartitionsByUserEndpoint`, to be sent with the next heartbeat.
            EndpointInformationEpoch: int32
            /// Where in the group which state is to be had; null where it has not changed.
            PartitionsByUserEndpoint: EndpointPartitions list option
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! memberId = field "MemberId" _.MemberId string
        and! epoch = field "MemberEpoch" _.MemberEpoch int32
        and! interval = field "HeartbeatIntervalMs" _.HeartbeatIntervalMs int32
        and! legacyLag = field "AcceptableRecoveryLagLegacy" _.AcceptableRecoveryLagLegacy (int32 |> until 0s 0)
        and! offsetInterval = field "TaskOffsetIntervalMs" _.TaskOffsetIntervalMs int32
        and! lag = field "AcceptableRecoveryLag" _.AcceptableRecoveryLag (int64 |> since 1s -1L |> ignorable)
        and! status = field "Status" _.Status (array status |> nullable)
        and! active = field "ActiveTasks" _.ActiveTasks (array StreamsTaskIds.schema |> nullable |> withDefault None)
        and! standby = field "StandbyTasks" _.StandbyTasks (array StreamsTaskIds.schema |> nullable |> withDefault None)
        and! warmup = field "WarmupTasks" _.WarmupTasks (array StreamsTaskIds.schema |> nullable |> withDefault None)
        and! required = field "TopologyDescriptionRequired" _.TopologyDescriptionRequired (bool |> since 1s false)
        and! endpointEpoch = field "EndpointInformationEpoch" _.EndpointInformationEpoch int32
        and! partitions =
            field "PartitionsByUserEndpoint" _.PartitionsByUserEndpoint (array endpointPartitions |> nullable |> withDefault None)

        return
            { ThrottleTimeMs = throttle
              Error = error
              ErrorMessage = text
              MemberId = memberId
              MemberEpoch = epoch
              HeartbeatIntervalMs = interval
              AcceptableRecoveryLagLegacy = legacyLag
              TaskOffsetIntervalMs = offsetInterval
              AcceptableRecoveryLag = lag
              Status = status
              ActiveTasks = active
              StandbyTasks = standby
              WarmupTasks = warmup
              TopologyDescriptionRequired = required
              EndpointInformationEpoch = endpointEpoch
              PartitionsByUserEndpoint = partitions }
    }

    let api = Api.define ApiKey.StreamsGroupHeartbeat 0s 1s (Some 0s) request response
