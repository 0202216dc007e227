namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DeleteTopics (API key 20): deletes topics with all their records. Send it to the controller; brokers of Kafka 4.x forward it.
module DeleteTopics =

    /// The first version that names topics by name or by id (KIP-516). Earlier versions have a list of names.
    let topicsSince = 6s

    /// A topic to delete.
    type Topic =
        {
            /// Null if the topic is identified by its id.
            Name: string option
            /// Zero if the topic is identified by its name.
            TopicId: Guid
        }

    let topic = message {
        let! name = field "Name" _.Name (string |> nullable |> withDefault None)
        and! id = field "TopicId" _.TopicId uuid
        return { Name = name; TopicId = id }
    }

    type Request =
        {
            /// The topics, by name or by id. Since version 6 (KIP-516).
            Topics: Topic list
            /// The names of the topics. Up to version 5.
            TopicNames: string list
            /// How long the controller may wait until the topics are deleted, in milliseconds. After REQUEST_TIMED_OUT they are deleted
            /// nevertheless.
            TimeoutMs: int32
        }

    let request = message {
        let! topics = field "Topics" _.Topics (array topic |> since topicsSince [])
        and! names = field "TopicNames" _.TopicNames (array string |> until (topicsSince - 1s) [] |> ignorable)
        and! timeout = field "TimeoutMs" _.TimeoutMs int32

        return { Topics = topics; TopicNames = names; TimeoutMs = timeout }
    }

    /// The result for one topic.
    type TopicResult =
        {
            /// Null if the topic was identified by an id that the broker does not know. Nullable since version 6.
            Name: string option
            /// Zero if not given. Since version 6 (KIP-516).
            TopicId: Guid
            /// UNKNOWN_TOPIC_OR_PARTITION; UNKNOWN_TOPIC_ID; TOPIC_DELETION_DISABLED; TOPIC_AUTHORIZATION_FAILED;
            /// THROTTLING_QUOTA_EXCEEDED (since version 5, KIP-599): wait for the throttle time; NOT_CONTROLLER if another node is the
            /// active controller.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none. Since version 5 (KIP-599).
            ErrorMessage: string option
        }

    let topicResult = message {
        let! name = field "Name" _.Name (string |> nullableSince topicsSince)
        and! id = field "TopicId" _.TopicId (uuid |> since topicsSince Guid.Empty |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> since 5s None |> ignorable)

        return { Name = name; TopicId = id; Error = error; ErrorMessage = text }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 1.
            ThrottleTimeMs: int32
            Topics: TopicResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! topics = field "Responses" _.Topics (array topicResult)

        return { ThrottleTimeMs = throttle; Topics = topics }
    }

    let api =
        Api.define ApiKey.DeleteTopics (versions 0 6 |> flexibleFrom 4) request response |> Api.throttledBy _.ThrottleTimeMs

    type Topic with
        override this.ToString() = Schema.show topic this
    type Request with
        override this.ToString() = Message.show api.Request this
    type TopicResult with
        override this.ToString() = Schema.show topicResult this
    type Response with
        override this.ToString() = Message.show api.Response this
