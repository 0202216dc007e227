namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ShareGroupHeartbeat (API key 76): join, stay in and leave a share group (KIP-932). It goes to the group's coordinator. Version 0 was
/// a preview in Kafka 4.0 and is gone.
module ShareGroupHeartbeat =

    /// Everything that can be null means, as null, that it has not changed since the last heartbeat.
    type Request =
        {
            GroupId: string
            /// Made by the member and kept for its lifetime (KIP-1082).
            MemberId: string
            /// 0 to join, -1 to leave, else the epoch that the coordinator gave.
            MemberEpoch: int32
            RackId: string option
            SubscribedTopicNames: string list option
        }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! memberId = field "MemberId" _.MemberId string
        and! epoch = field "MemberEpoch" _.MemberEpoch int32
        and! rack = field "RackId" _.RackId (string |> nullable |> withDefault None)
        and! topics = field "SubscribedTopicNames" _.SubscribedTopicNames (array string |> nullable |> withDefault None)

        return { GroupId = group; MemberId = memberId; MemberEpoch = epoch; RackId = rack; SubscribedTopicNames = topics }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// UNKNOWN_MEMBER_ID and FENCED_MEMBER_EPOCH when to give up everything and join again; GROUP_MAX_SIZE_REACHED;
            /// NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; GROUP_AUTHORIZATION_FAILED and
            /// TOPIC_AUTHORIZATION_FAILED; INVALID_REQUEST, such as for an empty member id.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            /// Null on error.
            MemberId: string option
            /// The epoch to send with the next heartbeat.
            MemberEpoch: int32
            /// How long to wait before the next heartbeat, in milliseconds.
            HeartbeatIntervalMs: int32
            /// The partitions that the member is to have; null where they have not changed. Other members may have the same: they share
            /// the records of a partition.
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

    let api = Api.define ApiKey.ShareGroupHeartbeat 1s 1s (Some 0s) request response
