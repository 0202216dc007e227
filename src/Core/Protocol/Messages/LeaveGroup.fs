namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// LeaveGroup (API key 13): removes members from a classic group, so that the group can rebalance without waiting for the session timeout.
/// Send it to the group's coordinator.
module LeaveGroup =

    /// The first version with a list of members (KIP-345). Earlier versions have a field for one member.
    let membersSince = 3s

    /// A member that leaves.
    type MemberRequest =
        {
            /// Can be empty if `GroupInstanceId` identifies the member.
            MemberId: string
            /// The instance id of a static member (KIP-345); null for a dynamic member.
            GroupInstanceId: string option
            /// The reason, for the broker's log; null if not given. Since version 5 (KIP-800).
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
            /// The member that leaves. Up to version 2.
            MemberId: string
            /// The members that leave. Since version 3 (KIP-345).
            Members: MemberRequest list
        }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! memberId = field "MemberId" _.MemberId (string |> until (membersSince - 1s) "")
        and! members = field "Members" _.Members (array memberRequest |> since membersSince [])

        return { GroupId = group; MemberId = memberId; Members = members }
    }

    /// The result for one member.
    type MemberResponse =
        {
            MemberId: string
            /// Null for a dynamic member.
            GroupInstanceId: string option
            /// UNKNOWN_MEMBER_ID if the group has no such member; FENCED_INSTANCE_ID if another member uses the instance id.
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 1.
            ThrottleTimeMs: int32
            /// NOT_COORDINATOR if another broker is the coordinator; COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state;
            /// COORDINATOR_NOT_AVAILABLE while there is no coordinator; INVALID_GROUP_ID; GROUP_AUTHORIZATION_FAILED; up to version 2 also
            /// UNKNOWN_MEMBER_ID.
            Error: ErrorCode
            /// The results for the members. Since version 3 (KIP-345).
            Members: MemberResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        and! members = field "Members" _.Members (array memberResponse |> since membersSince [])

        return { ThrottleTimeMs = throttle; Error = error; Members = members }
    }

    let api = Api.define ApiKey.LeaveGroup (versions 0 5 |> flexibleFrom 4) request response |> Api.throttledBy _.ThrottleTimeMs

    type MemberRequest with
        override this.ToString() = Schema.show memberRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type MemberResponse with
        override this.ToString() = Schema.show memberResponse this
    type Response with
        override this.ToString() = Message.show api.Response this
