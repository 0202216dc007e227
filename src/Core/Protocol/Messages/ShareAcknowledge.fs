namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ShareAcknowledge (API key 79): acknowledges records of a share group without acquiring more (KIP-932). Send it to the leader of each
/// partition, in the share session that ShareFetch opened. Version 0 was a preview in Kafka 4.0 and is no longer supported.
module ShareAcknowledge =

    /// The acknowledgements of one partition.
    type PartitionRequest = { PartitionIndex: int32; AcknowledgementBatches: ShareAcknowledgementBatch list }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! batches = field "AcknowledgementBatches" _.AcknowledgementBatches (array ShareAcknowledgementBatch.schema)

        return { PartitionIndex = partition; AcknowledgementBatches = batches }
    }

    /// The acknowledgements of the partitions of one topic.
    type TopicRequest = { TopicId: Guid; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { TopicId = id; Partitions = partitions }
    }

    type Request =
        {
            /// The share group. Null is valid on the wire, but brokers require an id.
            GroupId: string option
            /// The member that acquired the records. Null is valid on the wire, but brokers require an id.
            MemberId: string option
            /// The sequence number of this request in the share session: one more than before, or -1 to close the session and release its
            /// records. This request cannot open a session: 0 is refused with INVALID_SHARE_SESSION_EPOCH.
            ShareSessionEpoch: int32
            /// Whether the request has `Renew` acknowledgements. Since version 2 (KIP-1222).
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

    /// The result for one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// INVALID_RECORD_STATE if the member does not hold the records; NOT_LEADER_OR_FOLLOWER if the leader has moved;
            /// UNKNOWN_TOPIC_ID; UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED; KAFKA_STORAGE_ERROR.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            /// The current leader, on NOT_LEADER_OR_FOLLOWER.
            CurrentLeader: CurrentLeader
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! leader = field "CurrentLeader" _.CurrentLeader CurrentLeader.zeroSchema

        return { PartitionIndex = partition; Error = error; ErrorMessage = text; CurrentLeader = leader }
    }

    /// The results for one topic.
    type TopicResponse = { TopicId: Guid; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { TopicId = id; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// The error of the whole request: SHARE_SESSION_NOT_FOUND or INVALID_SHARE_SESSION_EPOCH: open a new session with ShareFetch;
            /// GROUP_AUTHORIZATION_FAILED; INVALID_REQUEST.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            /// How long the member holds renewed records before they are available to other members, in milliseconds. Since version 2
            /// (KIP-1222).
            AcquisitionLockTimeoutMs: int32
            Topics: TopicResponse list
            /// The endpoints of the leaders in the response.
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

    let api =
        Api.define ApiKey.ShareAcknowledge (versions 1 2 |> flexibleFrom 0) request response |> Api.throttledBy _.ThrottleTimeMs

    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type PartitionResponse with
        override this.ToString() = Schema.show partitionResponse this
    type TopicResponse with
        override this.ToString() = Schema.show topicResponse this
    type Response with
        override this.ToString() = Message.show api.Response this
