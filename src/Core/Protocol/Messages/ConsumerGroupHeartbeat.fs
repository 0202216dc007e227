namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ConsumerGroupHeartbeat (API key 68): join, stay in and leave a group of the new protocol (KIP-848). It goes to the group's coordinator.
module ConsumerGroupHeartbeat =

    /// Everything that can be null means, as null, that it has not changed since the last heartbeat.
    type Request =
        {
            GroupId: string
            /// Made by the member and kept for its lifetime, from version 1 on (KIP-1082); empty for the coordinator to make it in
            /// version 0.
            MemberId: string
            /// 0 to join, -1 to leave, -2 for a static member that leaves for a while, else the epoch that the coordinator gave.
            MemberEpoch: int32
            /// The name of a static member; null for a dynamic one.
            InstanceId: string option
            RackId: string option
            /// How long the member may take to give up partitions, in milliseconds; -1 for no change.
            RebalanceTimeoutMs: int32
            SubscribedTopicNames: string list option
            /// A regular expression in RE2's syntax that names topics.
            SubscribedTopicRegex: string option
            /// The assignor that the coordinator is to use.
            ServerAssignor: string option
            /// The partitions that the member has now.
            TopicPartitions: HeartbeatTopicPartitions list option
        }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! memberId = field "MemberId" _.MemberId string
        and! epoch = field "MemberEpoch" _.MemberEpoch int32
        and! instance = field "InstanceId" _.InstanceId (string |> nullable |> withDefault None)
        and! rack = field "RackId" _.RackId (string |> nullable |> withDefault None)
        and! rebalance = field "RebalanceTimeoutMs" _.RebalanceTimeoutMs (int32 |> withDefault -1)
        and! topics = field "SubscribedTopicNames" _.SubscribedTopicNames (array string |> nullable |> withDefault None)
        and! regex = field "SubscribedTopicRegex" _.SubscribedTopicRegex (string |> nullable |> since 1s None)
        and! assignor = field "ServerAssignor" _.ServerAssignor (string |> nullable |> withDefault None)
        and! partitions =
            field "TopicPartitions" _.TopicPartitions (array HeartbeatTopicPartitions.schema |> nullable |> withDefault None)

        return
            { GroupId = group
              MemberId = memberId
              MemberEpoch = epoch
              InstanceId = instance
              RackId = rack
              RebalanceTimeoutMs = rebalance
              SubscribedTopicNames = topics
              SubscribedTopicRegex = regex
              ServerAssignor = assignor
              TopicPartitions = partitions }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// UNKNOWN_MEMBER_ID and FENCED_MEMBER_EPOCH when to give up everything and join again; UNRELEASED_INSTANCE_ID while another
            /// member has the static name; UNSUPPORTED_ASSIGNOR; GROUP_MAX_SIZE_REACHED; NOT_COORDINATOR when to ask elsewhere.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            /// Null on error.
            MemberId: string option
            /// The epoch to send with the next heartbeat.
            MemberEpoch: int32
            /// How long to wait before the next heartbeat, in milliseconds.
            HeartbeatIntervalMs: int32
            /// The partitions that the member is to have; null where they have not changed.
            Assignment: HeartbeatAssignment option
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! memberId = field "MemberId" _.MemberId (string |> nullable |> withDefault None)
        and! epoch = field "MemberEpoch" _.MemberEpoch int32
        and! interval = field "HeartbeatIntervalMs" _.HeartbeatIntervalMs int32
        and! assignment = field "Assignment" _.Assignment (HeartbeatAssignment.schema |> nullable |> withDefault None)

        return
            { ThrottleTimeMs = throttle
              Error = error
              ErrorMessage = text
              MemberId = memberId
              MemberEpoch = epoch
              HeartbeatIntervalMs = interval
              Assignment = assignment }
    }

    let api = Api.define ApiKey.ConsumerGroupHeartbeat 0s 1s (Some 0s) request response
