namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// SyncGroup (API key 14): the leader of a classic group hands out the work, and every member receives its part. The coordinator
/// answers when the leader has sent its request. It goes to the group's coordinator.
module SyncGroup =

    /// The work of one member.
    type MemberAssignment =
        {
            MemberId: string
            /// For consumers an assignment of the consumer protocol.
            Assignment: Bytes
        }

    let memberAssignment = message {
        let! id = field "MemberId" _.MemberId string
        and! assignment = field "Assignment" _.Assignment bytes
        return { MemberId = id; Assignment = assignment }
    }

    type Request =
        {
            GroupId: string
            /// The generation that JoinGroup gave.
            GenerationId: int32
            MemberId: string
            /// The name of a static member (KIP-345); null for a dynamic one.
            GroupInstanceId: string option
            /// `consumer` for consumers (KIP-559); null to leave it unchecked. INCONSISTENT_GROUP_PROTOCOL when the group has another.
            ProtocolType: string option
            /// The protocol that JoinGroup gave (KIP-559); null to leave it unchecked. INCONSISTENT_GROUP_PROTOCOL when it is another.
            ProtocolName: string option
            /// The work of every member, from the leader; empty from the others.
            Assignments: MemberAssignment list
        }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! generation = field "GenerationId" _.GenerationId int32
        and! memberId = field "MemberId" _.MemberId string
        and! instance = field "GroupInstanceId" _.GroupInstanceId (string |> nullable |> since 3s None)
        and! kind = field "ProtocolType" _.ProtocolType (string |> nullable |> since 5s None |> ignorable)
        and! name = field "ProtocolName" _.ProtocolName (string |> nullable |> since 5s None |> ignorable)
        and! assignments = field "Assignments" _.Assignments (array memberAssignment)

        return
            { GroupId = group
              GenerationId = generation
              MemberId = memberId
              GroupInstanceId = instance
              ProtocolType = kind
              ProtocolName = name
              Assignments = assignments }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// REBALANCE_IN_PROGRESS and ILLEGAL_GENERATION when to join again; UNKNOWN_MEMBER_ID when to join as a new member;
            /// FENCED_INSTANCE_ID when another member has taken the static name; NOT_COORDINATOR and COORDINATOR_NOT_AVAILABLE when to
            /// look for the coordinator again; UNKNOWN_SERVER_ERROR when the work of all members together is too large to store.
            Error: ErrorCode
            /// Null on error.
            ProtocolType: string option
            /// Null on error.
            ProtocolName: string option
            /// The member's part of the work, as the leader wrote it; empty where the leader gave it none.
            Assignment: Bytes
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        and! kind = field "ProtocolType" _.ProtocolType (string |> nullable |> since 5s None |> ignorable)
        and! name = field "ProtocolName" _.ProtocolName (string |> nullable |> since 5s None |> ignorable)
        and! assignment = field "Assignment" _.Assignment bytes

        return { ThrottleTimeMs = throttle; Error = error; ProtocolType = kind; ProtocolName = name; Assignment = assignment }
    }

    let api = Api.define ApiKey.SyncGroup 0s 5s (Some 4s) request response
