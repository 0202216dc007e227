namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeTopicPartitions (API key 75): describes the partitions of topics in pages, with their eligible leader replicas (KIP-966). Send
/// it to any broker.
module DescribeTopicPartitions =

    /// A topic to describe.
    type TopicRequest = { Name: string }

    let topicRequest = message {
        let! name = field "Name" _.Name string
        return { TopicRequest.Name = name }
    }

    /// The first partition of a page. Topics are ordered by name.
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
            /// The maximum number of partitions in the response. The broker can have a lower limit.
            ResponsePartitionLimit: int32
            /// The first partition of the page; null to begin with the first topic. If `Topics` is not empty, it must include the cursor's
            /// topic.
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
            /// The broker that leads the partition; -1 if there is none.
            LeaderId: int32
            /// The epoch of the leader (KIP-320); -1 if not given.
            LeaderEpoch: int32
            /// The brokers with a replica, the preferred leader first.
            ReplicaNodes: int32 list
            /// The brokers of the in-sync replicas.
            IsrNodes: int32 list
            /// The brokers that are not in sync but have all committed records, and so can be elected; null if not given.
            EligibleLeaderReplicas: int32 list option
            /// The brokers that were eligible before an unclean shutdown; null if not given.
            LastKnownElr: int32 list option
            /// The brokers of the offline replicas.
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

    /// A topic, or the part of it that is in this page.
    type TopicResponse =
        {
            /// UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED; INVALID_TOPIC_EXCEPTION for an invalid name; INVALID_REQUEST if the
            /// cursor does not match the topics.
            Error: ErrorCode
            /// The requested name. It can be null.
            Name: string option
            /// Zero on error.
            TopicId: Guid
            /// Whether it is an internal topic of Kafka, such as the one for committed offsets.
            IsInternal: bool
            Partitions: Partition list
            /// The operations that the client is authorized for on the topic. Brokers always include them.
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            Topics: TopicResponse list
            /// The cursor for the next request; null if this is the last page.
            NextCursor: Cursor option
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResponse)
        and! next = field "NextCursor" _.NextCursor (cursor |> nullable |> withDefault None)

        return { ThrottleTimeMs = throttle; Topics = topics; NextCursor = next }
    }

    let api =
        Api.define ApiKey.DescribeTopicPartitions (versions 0 0 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Cursor with
        override this.ToString() = Schema.show cursor this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Partition with
        override this.ToString() = Schema.show partition this
    type TopicResponse with
        override this.ToString() = Schema.show topicResponse this
    type Response with
        override this.ToString() = Message.show api.Response this
