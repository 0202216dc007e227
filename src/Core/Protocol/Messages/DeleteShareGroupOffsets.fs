namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DeleteShareGroupOffsets (API key 92): deletes the offsets of topics from a share group that has no members (KIP-932). Send it to the
/// group's coordinator.
module DeleteShareGroupOffsets =

    /// A topic whose offsets are deleted.
    type TopicRequest = { TopicName: string }

    let topicRequest = message {
        let! name = field "TopicName" _.TopicName string
        return { TopicRequest.TopicName = name }
    }

    type Request = { GroupId: string; Topics: TopicRequest list }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! topics = field "Topics" _.Topics (array topicRequest)
        return { GroupId = group; Topics = topics }
    }

    /// The result for one topic.
    type TopicResponse =
        {
            TopicName: string
            /// Zero if the topic does not exist.
            TopicId: Guid
            /// UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED; KAFKA_STORAGE_ERROR.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
        }

    let topicResponse = message {
        let! name = field "TopicName" _.TopicName string
        and! id = field "TopicId" _.TopicId uuid
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)

        return { TopicName = name; TopicId = id; Error = error; ErrorMessage = text }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// The error of the whole request: NON_EMPTY_GROUP if the group has members; GROUP_ID_NOT_FOUND if there is no such group or
            /// it is not a share group; NOT_COORDINATOR if another broker is the coordinator; COORDINATOR_LOAD_IN_PROGRESS while the
            /// coordinator loads its state; GROUP_AUTHORIZATION_FAILED; INVALID_REQUEST.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            Topics: TopicResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! topics = field "Responses" _.Topics (array topicResponse)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text; Topics = topics }
    }

    let api =
        Api.define ApiKey.DeleteShareGroupOffsets (versions 0 0 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type TopicResponse with
        override this.ToString() = Schema.show topicResponse this
    type Response with
        override this.ToString() = Message.show api.Response this
