namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// LeaveGroup (API key 13): take members out of a classic group, so that the others share out the work without waiting for time-outs.
/// It goes to the group's coordinator.
module LeaveGroup =

    /// A member that leaves.
    type MemberRequest =
        {
            /// May be empty where `GroupInstanceId` names the member.
            MemberId: string
            /// The name of a static member (KIP-345); null for a dynamic one.
            GroupInstanceId: string option
            /// Why the member leaves, for the broker's log (KIP-800); null where it is not told.
            Reason: string option
        }

    let memberRequest = message {
        let! id = field "MemberId" _.MemberId string
        and! instance = field "GroupInstanceId" _.GroupInstanceId (string |> nullable |> withDefault None)
        and! reason = field "Reason" _.Reason (string |> nullable |> since 5s None |> ignorable)

        return { MemberId = id; GroupInstanceId = instance; Reason = reason }
    }

    type Request =
        {
            GroupId: string
            /// The member that leaves, up to version 2.
            MemberId: string
            /// The members that leave, from version 3 on.
            Members: MemberRequest list
        }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! memberId = field "MemberId" _.MemberId (string |> until 2s "")
        and! members = field "Members" _.Members (array memberRequest |> since 3s [])

        return { GroupId = group; MemberId = memberId; Members = members }
    }

    /// What became of one member.
    type MemberResponse =
        {
            MemberId: string
            /// Null for a dynamic member.
            GroupInstanceId: string option
            /// UNKNOWN_MEMBER_ID when the group has no such member; FENCED_INSTANCE_ID when the static name is another member's.
            Error: ErrorCode
        }

    let memberResponse = message {
        let! id = field "MemberId" _.MemberId string
        and! instance = field "GroupInstanceId" _.GroupInstanceId (string |> nullable)
        and! error = field "ErrorCode" _.Error errorCode

        return { MemberId = id; GroupInstanceId = instance; Error = error }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; GROUP_AUTHORIZATION_FAILED; up to
            /// version 2 also UNKNOWN_MEMBER_ID.
            Error: ErrorCode
            /// From version 3 on.
            Members: MemberResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        and! members = field "Members" _.Members (array memberResponse |> since 3s [])

        return { ThrottleTimeMs = throttle; Error = error; Members = members }
    }

    let api = Api.define ApiKey.LeaveGroup 0s 5s (Some 4s) request response
