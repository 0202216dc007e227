namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// CreatePartitions (API key 37): adds partitions to topics (KIP-195). Send it to the controller; brokers of Kafka 4.x forward it.
module CreatePartitions =

    /// The replicas of one new partition.
    type Assignment =
        {
            /// The preferred leader first. As many as the other partitions of the topic have.
            BrokerIds: int32 list
        }

    let assignment = message {
        let! brokers = field "BrokerIds" _.BrokerIds (array int32)
        return { BrokerIds = brokers }
    }

    /// A topic to add partitions to.
    type Topic =
        {
            Name: string
            /// The total number of partitions after the change.
            Count: int32
            /// One assignment for each new partition; null to let the controller choose.
            Assignments: Assignment list option
        }

    let topic = message {
        let! name = field "Name" _.Name string
        and! count = field "Count" _.Count int32
        and! assignments = field "Assignments" _.Assignments (array assignment |> nullable)

        return { Name = name; Count = count; Assignments = assignments }
    }

    type Request =
        {
            Topics: Topic list
            /// How long the controller may wait until the partitions exist, in milliseconds. After REQUEST_TIMED_OUT they are created
            /// nevertheless.
            TimeoutMs: int32
            /// Whether the request is only validated, and changes nothing.
            ValidateOnly: bool
        }

    let request = message {
        let! topics = field "Topics" _.Topics (array topic)
        and! timeout = field "TimeoutMs" _.TimeoutMs int32
        and! validate = field "ValidateOnly" _.ValidateOnly bool

        return { Topics = topics; TimeoutMs = timeout; ValidateOnly = validate }
    }

    /// The result for one topic.
    type TopicResult =
        {
            Name: string
            /// INVALID_PARTITIONS if the topic already has that many; INVALID_REPLICA_ASSIGNMENT; UNKNOWN_TOPIC_OR_PARTITION;
            /// REASSIGNMENT_IN_PROGRESS; TOPIC_AUTHORIZATION_FAILED; INVALID_REQUEST if a topic is named twice; THROTTLING_QUOTA_EXCEEDED
            /// (since version 3, KIP-599): wait for the throttle time; NOT_CONTROLLER if another node is the active controller.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
        }

    let topicResult = message {
        let! name = field "Name" _.Name string
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)

        return { Name = name; Error = error; ErrorMessage = text }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            Results: TopicResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! results = field "Results" _.Results (array topicResult)

        return { ThrottleTimeMs = throttle; Results = results }
    }

    let api =
        Api.define ApiKey.CreatePartitions (versions 0 3 |> flexibleFrom 2) request response |> Api.throttledBy _.ThrottleTimeMs

    type Assignment with
        override this.ToString() = Schema.show assignment this
    type Topic with
        override this.ToString() = Schema.show topic this
    type Request with
        override this.ToString() = Message.show api.Request this
    type TopicResult with
        override this.ToString() = Schema.show topicResult this
    type Response with
        override this.ToString() = Message.show api.Response this
