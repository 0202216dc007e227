namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// Metadata (API key 3): describes the brokers of the cluster and the leaders and replicas of its partitions. Send it to any broker.
module Metadata =

    /// The first version whose leader epochs are reliable: brokers before Kafka 2.4 may report old ones (KAFKA-9212).
    let reliableEpochsSince = 9s

    /// A topic to describe.
    type TopicRequest =
        {
            /// Zero if the topic is identified by its name. Since version 10 (KIP-516).
            TopicId: Guid
            /// Null if the topic is identified by its id, which brokers support since version 12. Nullable since version 10.
            Name: string option
        }

    let topicRequest = message {
        let! id = field "TopicId" _.TopicId (uuid |> since 10s Guid.Empty |> ignorable)
        and! name = field "Name" _.Name (string |> nullableSince 10s)
        return { TopicId = id; Name = name }
    }

    type Request =
        {
            /// The topics; null for all. Empty for none, except in version 0, in which empty means all. Nullable since version 1.
            Topics: TopicRequest list option
            /// Whether the broker may create a topic that does not exist, if it is configured to. Earlier versions always allow it. Since
            /// version 4.
            AllowAutoTopicCreation: bool
            /// Whether the response includes the operations that the client is authorized for on the cluster. Versions 8 to 10 (KIP-430).
            IncludeClusterAuthorizedOperations: bool
            /// Whether the response includes the operations that the client is authorized for on each topic. Since version 8 (KIP-430).
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

    /// A live broker.
    type Broker =
        {
            NodeId: int32
            Host: string
            Port: int32
            /// Null if the broker has none. Since version 1 (KIP-36).
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
            /// 0 if there is no error. Otherwise:
            /// - LEADER_NOT_AVAILABLE: the partition has no leader, because an election is in progress or no eligible replica is alive;
            ///   refresh the metadata after a backoff.
            /// - LISTENER_NOT_FOUND (since version 6): the leader has no listener of the kind that the client uses; correct the
            ///   configuration of the broker's listeners. Earlier versions return LEADER_NOT_AVAILABLE.
            /// - REPLICA_NOT_AVAILABLE (version 0): some replicas are offline; the leader can be used.
            Error: ErrorCode
            PartitionIndex: int32
            /// The broker that leads the partition; -1 if there is none.
            LeaderId: int32
            /// The epoch of the leader; -1 if not given. It can be outdated before version 9 (KAFKA-9212). Since version 7 (KIP-320).
            LeaderEpoch: int32
            /// The brokers with a replica, the preferred leader first.
            ReplicaNodes: int32 list
            /// The brokers of the in-sync replicas.
            IsrNodes: int32 list
            /// The brokers of the offline replicas. Since version 5 (KIP-112).
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
            /// 0 if there is no error. Otherwise:
            /// - UNKNOWN_TOPIC_OR_PARTITION: the topic does not exist, or the broker does not know it yet, or the client may not see it;
            ///   retry after a backoff if it was just created, otherwise create it.
            /// - UNKNOWN_TOPIC_ID (since version 12): the broker does not know the id; retry after a backoff, or look the topic up by
            ///   name, because it was deleted or created again.
            /// - LEADER_NOT_AVAILABLE: the topic is being created; retry after a backoff.
            /// - INVALID_TOPIC_EXCEPTION: the name is invalid; correct it.
            /// - INVALID_REPLICATION_FACTOR: the topic cannot be created automatically, because there are too few brokers; start more, or
            ///   create it with fewer replicas.
            /// - TOPIC_AUTHORIZATION_FAILED: the principal lacks the Describe permission on the topic; grant it, do not retry.
            /// - UNSUPPORTED_VERSION: the cluster does not support topic ids yet; ask by name.
            /// - UNKNOWN_SERVER_ERROR: the broker failed unexpectedly; find the cause in its log.
            Error: ErrorCode
            /// Null if the topic was identified by an id that the broker does not know. Nullable since version 12.
            Name: string option
            /// Zero if not given. Since version 10 (KIP-516).
            TopicId: Guid
            /// Whether it is an internal topic of Kafka, such as the one for committed offsets. Since version 1 (KIP-4).
            IsInternal: bool
            /// In no particular order.
            Partitions: Partition list
            /// The operations that the client is authorized for on the topic, if requested. Since version 8 (KIP-430).
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 3.
            ThrottleTimeMs: int32
            Brokers: Broker list
            /// Null if not given. Since version 2 (KIP-78).
            ClusterId: string option
            /// The broker for administrative requests; -1 if unknown. In a KRaft cluster it is any live broker, which forwards them. Since
            /// version 1 (KIP-4).
            ControllerId: int32
            Topics: Topic list
            /// The operations that the client is authorized for on the cluster, if requested. Versions 8 to 10 (KIP-430).
            ClusterAuthorizedOperations: AuthorizedOperations
            /// The error of the whole request; 0 if there is none. Otherwise:
            /// - REBOOTSTRAP_REQUIRED: the broker considers the client's view of the cluster outdated (KIP-1102); close all connections and
            ///   begin again with the bootstrap addresses.
            /// - UNKNOWN_SERVER_ERROR: the broker failed unexpectedly; find the cause in its log.
            ///
            /// Since version 13.
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

    let api = Api.define ApiKey.Metadata (versions 0 13 |> flexibleFrom 9) request response |> Api.throttledBy _.ThrottleTimeMs

    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Broker with
        override this.ToString() = Schema.show broker this
    type Partition with
        override this.ToString() = Schema.show partition this
    type Topic with
        override this.ToString() = Schema.show topic this
    type Response with
        override this.ToString() = Message.show api.Response this
