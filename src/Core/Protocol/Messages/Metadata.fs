namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// Metadata (API key 3): the brokers of the cluster and the leaders of its partitions. Any broker answers.
module Metadata =

    /// A topic that is asked about.
    type TopicRequest =
        {
            /// Zero where the topic is named by its name.
            TopicId: Guid
            /// Null where the topic is named by its id, from version 12 on (the field may be null from version 10 on).
            Name: string option
        }

    let topicRequest = message {
        let! id = field "TopicId" _.TopicId (uuid |> since 10s Guid.Empty |> ignorable)
        and! name = field "Name" _.Name (string |> nullableSince 10s)
        return { TopicId = id; Name = name }
    }

    type Request =
        {
            /// Null for all topics. An empty list means none, from version 1 on; version 0 has no null, and empty means all there.
            Topics: TopicRequest list option
            /// Whether a topic that is not there may be made, where the broker is configured to. Versions before 4 always may.
            AllowAutoTopicCreation: bool
            /// Whether to tell what the client may do with the cluster (KIP-430).
            IncludeClusterAuthorizedOperations: bool
            /// Whether to tell what the client may do with each topic (KIP-430).
            IncludeTopicAuthorizedOperations: bool
        }

    let request = message {
        let! topics = field "Topics" _.Topics (array topicRequest |> nullableSince 1s)
        and! create = field "AllowAutoTopicCreation" _.AllowAutoTopicCreation (bool |> since 4s true)

        and! clusterOperations =
            field "IncludeClusterAuthorizedOperations" _.IncludeClusterAuthorizedOperations (bool |> between 8s 10s false)

        and! topicOperations = field "IncludeTopicAuthorizedOperations" _.IncludeTopicAuthorizedOperations (bool |> since 8s false)

        return
            { Topics = topics
              AllowAutoTopicCreation = create
              IncludeClusterAuthorizedOperations = clusterOperations
              IncludeTopicAuthorizedOperations = topicOperations }
    }

    /// A broker that is alive.
    type Broker =
        {
            NodeId: int32
            Host: string
            Port: int32
            /// Null where the broker has none.
            Rack: string option
        }

    let broker = message {
        let! node = field "NodeId" _.NodeId int32
        and! host = field "Host" _.Host string
        and! port = field "Port" _.Port int32
        and! rack = field "Rack" _.Rack (string |> nullable |> since 1s None |> ignorable)

        return { NodeId = node; Host = host; Port = port; Rack = rack }
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
            /// Those of them that are not to be reached.
            OfflineReplicas: int32 list
        }

    let partition = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! index = field "PartitionIndex" _.PartitionIndex int32
        and! leader = field "LeaderId" _.LeaderId int32
        and! epoch = field "LeaderEpoch" _.LeaderEpoch (int32 |> since 7s -1 |> ignorable)
        and! replicas = field "ReplicaNodes" _.ReplicaNodes (array int32)
        and! isr = field "IsrNodes" _.IsrNodes (array int32)
        and! offline = field "OfflineReplicas" _.OfflineReplicas (array int32 |> since 5s [] |> ignorable)

        return
            { Error = error
              PartitionIndex = index
              LeaderId = leader
              LeaderEpoch = epoch
              ReplicaNodes = replicas
              IsrNodes = isr
              OfflineReplicas = offline }
    }

    /// A topic and its partitions.
    type Topic =
        {
            /// UNKNOWN_TOPIC_OR_PARTITION and UNKNOWN_TOPIC_ID when there is no such topic; TOPIC_AUTHORIZATION_FAILED when the client
            /// may not see it; INVALID_TOPIC_EXCEPTION for a name that no topic can have.
            Error: ErrorCode
            /// Null where the topic was named by an id that the broker does not know.
            Name: string option
            /// Zero where it is not told.
            TopicId: Guid
            /// Whether the topic is Kafka's own, such as the one for committed offsets.
            IsInternal: bool
            /// In no order that could be relied on.
            Partitions: Partition list
            /// What the client may do with the topic, where it was asked.
            AuthorizedOperations: AuthorizedOperations
        }

    let topic = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! name = field "Name" _.Name (string |> nullableSince 12s)
        and! id = field "TopicId" _.TopicId (uuid |> since 10s Guid.Empty |> ignorable)
        and! isInternal = field "IsInternal" _.IsInternal (bool |> since 1s false |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partition)

        and! operations =
            field "TopicAuthorizedOperations" _.AuthorizedOperations (authorizedOperations |> since 8s AuthorizedOperations.NotAsked)

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
            Brokers: Broker list
            /// Null where it is not told.
            ClusterId: string option
            /// The broker to send administrative requests to; -1 where it is not told.
            ControllerId: int32
            Topics: Topic list
            /// What the client may do with the cluster, where it was asked.
            ClusterAuthorizedOperations: AuthorizedOperations
            /// What concerns the request as a whole: REBOOTSTRAP_REQUIRED when the client should begin again from its bootstrap
            /// addresses (KIP-1102).
            Error: ErrorCode
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 3s 0 |> ignorable)
        and! brokers = field "Brokers" _.Brokers (array broker)
        and! cluster = field "ClusterId" _.ClusterId (string |> nullable |> since 2s None |> ignorable)
        and! controller = field "ControllerId" _.ControllerId (int32 |> since 1s -1 |> ignorable)
        and! topics = field "Topics" _.Topics (array topic)

        and! operations =
            field
                "ClusterAuthorizedOperations"
                _.ClusterAuthorizedOperations
                (authorizedOperations |> between 8s 10s AuthorizedOperations.NotAsked)

        and! error = field "ErrorCode" _.Error (errorCode |> since 13s ErrorCode.None |> ignorable)

        return
            { ThrottleTimeMs = throttle
              Brokers = brokers
              ClusterId = cluster
              ControllerId = controller
              Topics = topics
              ClusterAuthorizedOperations = operations
              Error = error }
    }

    let api = Api.define ApiKey.Metadata 0s 13s (Some 9s) request response
