namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// CreatePartitions (API key 37): add partitions to topics (KIP-195). It goes to the controller; brokers of 4.x pass it on.
module CreatePartitions =

    /// The brokers that are to keep one new partition.
    type Assignment =
        {
            /// The preferred leader first. As many as the topic's other partitions have.
            BrokerIds: int32 list
        }

    let assignment = message {
        let! brokers = field "BrokerIds" _.BrokerIds (array int32)
        return { BrokerIds = brokers }
    }

    /// A topic to enlarge.
    type Topic =
        {
            Name: string
            /// How many partitions the topic is to have in all.
            Count: int32
            /// One for each new partition; null to leave it to the controller.
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
            /// How long the controller may wait until the partitions are there, in milliseconds. REQUEST_TIMED_OUT when it was not
            /// enough; they come all the same.
            TimeoutMs: int32
            /// Only check whether it would work.
            ValidateOnly: bool
        }

    let request = message {
        let! topics = field "Topics" _.Topics (array topic)
        and! timeout = field "TimeoutMs" _.TimeoutMs int32
        and! validate = field "ValidateOnly" _.ValidateOnly bool

        return { Topics = topics; TimeoutMs = timeout; ValidateOnly = validate }
    }

    /// What became of one topic.
    type TopicResult =
        {
            Name: string
            /// INVALID_PARTITIONS when the topic has as many already; INVALID_REPLICA_ASSIGNMENT; UNKNOWN_TOPIC_OR_PARTITION;
            /// REASSIGNMENT_IN_PROGRESS; TOPIC_AUTHORIZATION_FAILED; INVALID_REQUEST for a topic named twice;
            /// THROTTLING_QUOTA_EXCEEDED, from version 3 on, when to wait (KIP-599); NOT_CONTROLLER when to ask elsewhere.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
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
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Results: TopicResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! results = field "Results" _.Results (array topicResult)

        return { ThrottleTimeMs = throttle; Results = results }
    }

    let api = Api.define ApiKey.CreatePartitions 0s 3s (Some 2s) request response
