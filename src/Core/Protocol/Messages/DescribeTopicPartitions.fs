namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeTopicPartitions (API key 75): the partitions of topics, page by page, with the replicas that could lead next (KIP-966). Any
/// broker answers.
module DescribeTopicPartitions =

    /// A topic that is asked about.
    type TopicRequest = { Name: string }

    let topicRequest = message {
        let! name = field "Name" _.Name string
        return { TopicRequest.Name = name }
    }

    /// The partition that a page begins with. Topics come in the order of their names.
    type Cursor = { TopicName: string; PartitionIndex: int32 }

    let cursor = message {
        let! topic = field "TopicName" _.TopicName string
        and! partition = field "PartitionIndex" _.PartitionIndex int32
        return { TopicName = topic; PartitionIndex = partition }
    }

    type Request =
        {
            /// Empty for all topics that the client may see.
            Topics: TopicRequest list
            /// Most partitions to answer. The broker may have a lower limit.
            ResponsePartitionLimit: int32
            /// Where to go on; null to begin with the first topic. Its topic must be among `Topics`, where these are named.
            Cursor: Cursor option
        }

    let request = message {
        let! topics = field "Topics" _.Topics (array topicRequest)
        and! limit = field "ResponsePartitionLimit" _.ResponsePartitionLimit (int32 |> withDefault 2000)
        and! cursor = field "Cursor" _.Cursor (cursor |> nullable |> withDefault None)

        return { Topics = topics; ResponsePartitionLimit = limit; Cursor = cursor }
    }

    /// A partition of a topic.
    type Partition =
        {
            /// LEADER_NOT_AVAILABLE while there is no leader.
            Error: ErrorCode
            PartitionIndex: int32
            /// The broker that leads the partition; -1 where there is none.
            LeaderId: int32
            /// The epoch in which it does (KIP-320); -1 where it is not told.
            LeaderEpoch: int32
            /// The brokers that keep the partition, the preferred leader first.
            ReplicaNodes: int32 list
            /// Those of them that keep up with the leader.
            IsrNodes: int32 list
            /// Those that fell out of sync but surely have every committed record, and so may be elected; null where it is not told.
            EligibleLeaderReplicas: int32 list option
            /// Those that were eligible before they stopped uncleanly; null where it is not told.
            LastKnownElr: int32 list option
            /// Those that are not to be reached.
            OfflineReplicas: int32 list
        }

    let partition = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! index = field "PartitionIndex" _.PartitionIndex int32
        and! leader = field "LeaderId" _.LeaderId int32
        and! epoch = field "LeaderEpoch" _.LeaderEpoch (int32 |> withDefault -1 |> ignorable)
        and! replicas = field "ReplicaNodes" _.ReplicaNodes (array int32)
        and! isr = field "IsrNodes" _.IsrNodes (array int32)
        and! eligible = field "EligibleLeaderReplicas" _.EligibleLeaderReplicas (array int32 |> nullable |> withDefault None)
        and! lastKnown = field "LastKnownElr" _.LastKnownElr (array int32 |> nullable |> withDefault None)
        and! offline = field "OfflineReplicas" _.OfflineReplicas (array int32 |> ignorable)

        return
            { Error = error
              PartitionIndex = index
              LeaderId = leader
              LeaderEpoch = epoch
              ReplicaNodes = replicas
              IsrNodes = isr
              EligibleLeaderReplicas = eligible
              LastKnownElr = lastKnown
              OfflineReplicas = offline }
    }

    /// A topic, or the part of it that is on this page.
    type TopicResponse =
        {
            /// UNKNOWN_TOPIC_OR_PARTITION when there is no such topic; TOPIC_AUTHORIZATION_FAILED when the client may not see it;
            /// INVALID_TOPIC_EXCEPTION for a name that no topic can have; INVALID_REQUEST when the cursor does not fit the topics.
            Error: ErrorCode
            /// The name that was asked for. Null is allowed.
            Name: string option
            /// Zero on error.
            TopicId: Guid
            /// Whether the topic is Kafka's own, such as the one for committed offsets.
            IsInternal: bool
            Partitions: Partition list
            /// What the client may do with the topic. Brokers tell it unasked.
            AuthorizedOperations: AuthorizedOperations
        }

    let topicResponse = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! name = field "Name" _.Name (string |> nullable)
        and! id = field "TopicId" _.TopicId (uuid |> ignorable)
        and! isInternal = field "IsInternal" _.IsInternal (bool |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partition)
        and! operations =
            field "TopicAuthorizedOperations" _.AuthorizedOperations (authorizedOperations |> withDefault AuthorizedOperations.NotAsked)

        return
            { Error = error
              Name = name
              TopicId = id
              IsInternal = isInternal
              Partitions = partitions
              AuthorizedOperations = operations }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Topics: TopicResponse list
            /// To be sent with the next request; null where this was the last page.
            NextCursor: Cursor option
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResponse)
        and! next = field "NextCursor" _.NextCursor (cursor |> nullable |> withDefault None)

        return { ThrottleTimeMs = throttle; Topics = topics; NextCursor = next }
    }

    let api = Api.define ApiKey.DescribeTopicPartitions 0s 0s (Some 0s) request response
