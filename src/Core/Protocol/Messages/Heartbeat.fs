namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// Heartbeat (API key 12): tell a classic group that a member lives, and learn whether the group is dividing its partitions anew. It
/// goes to the group's coordinator.
module Heartbeat =

    type Request =
        {
            GroupId: string
            /// The generation that JoinGroup gave.
            GenerationId: int32
            MemberId: string
            /// The name of a static member (KIP-345); null for a dynamic one.
            GroupInstanceId: string option
        }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! generation = field "GenerationId" _.GenerationId int32
        and! memberId = field "MemberId" _.MemberId string
        and! instance = field "GroupInstanceId" _.GroupInstanceId (string |> nullable |> since 3s None)

        return { GroupId = group; GenerationId = generation; MemberId = memberId; GroupInstanceId = instance }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// REBALANCE_IN_PROGRESS and ILLEGAL_GENERATION when to join again; UNKNOWN_MEMBER_ID when to join as a new member;
            /// FENCED_INSTANCE_ID when another member has taken the static name; NOT_COORDINATOR and COORDINATOR_NOT_AVAILABLE when to
            /// look for the coordinator again.
            Error: ErrorCode
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        return { ThrottleTimeMs = throttle; Error = error }
    }

    let api = Api.define ApiKey.Heartbeat 0s 4s (Some 4s) request response
