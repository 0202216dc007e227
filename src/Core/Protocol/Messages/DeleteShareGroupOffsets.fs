namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DeleteShareGroupOffsets (API key 92): let a share group that has no members forget how far it has read topics (KIP-932). It goes to the
/// group's coordinator.
module DeleteShareGroupOffsets =

    /// A topic to forget.
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

    /// What became of one topic.
    type TopicResponse =
        {
            TopicName: string
            /// Zero where there is no such topic.
            TopicId: Guid
            /// UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED; KAFKA_STORAGE_ERROR.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
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
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// What concerns the request as a whole: NON_EMPTY_GROUP while the group has members; GROUP_ID_NOT_FOUND when there is no
            /// such group or it is no share group; NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again;
            /// GROUP_AUTHORIZATION_FAILED; INVALID_REQUEST.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
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

    let api = Api.define ApiKey.DeleteShareGroupOffsets 0s 0s (Some 0s) request response
