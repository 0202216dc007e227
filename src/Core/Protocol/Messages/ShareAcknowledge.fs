namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ShareAcknowledge (API key 79): acknowledge records of a share group without acquiring more (KIP-932). It goes to the leader of each
/// partition, in the share session that ShareFetch opened. Version 0 was a preview in Kafka 4.0 and is gone.
module ShareAcknowledge =

    /// What to acknowledge in one partition.
    type PartitionRequest = { PartitionIndex: int32; AcknowledgementBatches: ShareAcknowledgementBatch list }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! batches = field "AcknowledgementBatches" _.AcknowledgementBatches (array ShareAcknowledgementBatch.schema)

        return { PartitionIndex = partition; AcknowledgementBatches = batches }
    }

    /// What to acknowledge in the partitions of one topic.
    type TopicRequest = { TopicId: Guid; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { TopicId = id; Partitions = partitions }
    }

    type Request =
        {
            /// The share group. Null is allowed, but brokers want it.
            GroupId: string option
            /// The member that acquired the records. Null is allowed, but brokers want it.
            MemberId: string option
            /// The place of this request in the share session: one more than before, or -1 to close it and release what is left. A
            /// session is never opened here: 0 gives INVALID_SHARE_SESSION_EPOCH.
            ShareSessionEpoch: int32
            /// Whether there are `Renew` acknowledgements, from version 2 on (KIP-1222).
            IsRenewAck: bool
            Topics: TopicRequest list
        }

    let request = message {
        let! group = field "GroupId" _.GroupId (string |> nullable |> withDefault None)
        and! memberId = field "MemberId" _.MemberId (string |> nullable)
        and! epoch = field "ShareSessionEpoch" _.ShareSessionEpoch int32
        and! renew = field "IsRenewAck" _.IsRenewAck (bool |> since 2s false)
        and! topics = field "Topics" _.Topics (array topicRequest)

        return { GroupId = group; MemberId = memberId; ShareSessionEpoch = epoch; IsRenewAck = renew; Topics = topics }
    }

    /// What became of one partition's acknowledgements.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// INVALID_RECORD_STATE when the member does not hold the records (any more); NOT_LEADER_OR_FOLLOWER when the leader has
            /// moved; UNKNOWN_TOPIC_ID and UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED; KAFKA_STORAGE_ERROR.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            /// The new leader, on NOT_LEADER_OR_FOLLOWER.
            CurrentLeader: CurrentLeader
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! leader = field "CurrentLeader" _.CurrentLeader CurrentLeader.zeroSchema

        return { PartitionIndex = partition; Error = error; ErrorMessage = text; CurrentLeader = leader }
    }

    /// What became of the acknowledgements in one topic.
    type TopicResponse = { TopicId: Guid; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { TopicId = id; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// What concerns the request as a whole: SHARE_SESSION_NOT_FOUND and INVALID_SHARE_SESSION_EPOCH when to open a new session
            /// with ShareFetch; GROUP_AUTHORIZATION_FAILED; INVALID_REQUEST.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            /// How long the member may hold what it renewed before the broker gives it to others, in milliseconds, told from version 2
            /// on.
            AcquisitionLockTimeoutMs: int32
            Topics: TopicResponse list
            /// Where the leaders named in the answers are to be reached.
            NodeEndpoints: NodeEndpoint list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! lockTimeout = field "AcquisitionLockTimeoutMs" _.AcquisitionLockTimeoutMs (int32 |> since 2s 0 |> ignorable)
        and! topics = field "Responses" _.Topics (array topicResponse)
        and! nodes = field "NodeEndpoints" _.NodeEndpoints (array NodeEndpoint.schema)

        return
            { ThrottleTimeMs = throttle
              Error = error
              ErrorMessage = text
              AcquisitionLockTimeoutMs = lockTimeout
              Topics = topics
              NodeEndpoints = nodes }
    }

    let api = Api.define ApiKey.ShareAcknowledge 1s 2s (Some 0s) request response
