namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DeleteTopics (API key 20): delete topics with everything in them. It goes to the controller; brokers of 4.x pass it on.
module DeleteTopics =

    /// A topic to delete.
    type Topic =
        {
            /// Null where the topic is named by its id.
            Name: string option
            /// Zero where the topic is named by its name.
            TopicId: Guid
        }

    let topic = message {
        let! name = field "Name" _.Name (string |> nullable |> withDefault None)
        and! id = field "TopicId" _.TopicId uuid
        return { Name = name; TopicId = id }
    }

    type Request =
        {
            /// The topics, from version 6 on (KIP-516).
            Topics: Topic list
            /// The topics' names, up to version 5.
            TopicNames: string list
            /// How long the controller may wait until the topics are gone, in milliseconds. REQUEST_TIMED_OUT when it was not enough;
            /// they go all the same.
            TimeoutMs: int32
        }

    let request = message {
        let! topics = field "Topics" _.Topics (array topic |> since 6s [])
        and! names = field "TopicNames" _.TopicNames (array string |> until 5s [] |> ignorable)
        and! timeout = field "TimeoutMs" _.TimeoutMs int32

        return { Topics = topics; TopicNames = names; TimeoutMs = timeout }
    }

    /// What became of one topic.
    type TopicResult =
        {
            /// Null where the topic was named by an id that the broker does not know.
            Name: string option
            /// Zero where it is not told.
            TopicId: Guid
            /// UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, TOPIC_DELETION_DISABLED, TOPIC_AUTHORIZATION_FAILED; NOT_CONTROLLER when
            /// to ask elsewhere.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
        }

    let topicResult = message {
        let! name = field "Name" _.Name (string |> nullableSince 6s)
        and! id = field "TopicId" _.TopicId (uuid |> since 6s Guid.Empty |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> since 5s None |> ignorable)

        return { Name = name; TopicId = id; Error = error; ErrorMessage = text }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Topics: TopicResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! topics = field "Responses" _.Topics (array topicResult)

        return { ThrottleTimeMs = throttle; Topics = topics }
    }

    let api = Api.define ApiKey.DeleteTopics 1s 6s (Some 4s) request response
