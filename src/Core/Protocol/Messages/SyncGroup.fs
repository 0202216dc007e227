namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// SyncGroup (API key 14): the leader of a classic group distributes the assignment, and each member gets its part. The coordinator
/// responds after the leader has sent its request. Send it to the group's coordinator.
module SyncGroup =

    /// The assignment of one member.
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
            /// The generation from JoinGroup.
            GenerationId: int32
            MemberId: string
            /// The instance id of a static member; null for a dynamic member. Since version 3 (KIP-345).
            GroupInstanceId: string option
            /// `consumer` for consumers; null to skip the check. Since version 5 (KIP-559).
            ProtocolType: string option
            /// The selected protocol from JoinGroup; null to skip the check. Since version 5 (KIP-559).
            ProtocolName: string option
            /// The assignments of all members, from the leader; empty from the others.
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 1.
            ThrottleTimeMs: int32
            /// 0 if the assignment is valid. Otherwise:
            /// - REBALANCE_IN_PROGRESS: a new rebalance has begun; send JoinGroup again with the same member id.
            /// - ILLEGAL_GENERATION: the group has a later generation; send JoinGroup again with the same member id.
            /// - UNKNOWN_MEMBER_ID: the coordinator has removed the member; join again with an empty member id.
            /// - FENCED_INSTANCE_ID: another member has joined with the same group instance id; stop this member, and give each member its
            ///   own instance id.
            /// - INCONSISTENT_GROUP_PROTOCOL (since version 5): `ProtocolType` or `ProtocolName` is not that of the group; send the values
            ///   from JoinGroup, and join again if they are already sent.
            /// - NOT_COORDINATOR: another broker coordinates the group; call FindCoordinator and retry there.
            /// - COORDINATOR_NOT_AVAILABLE: the coordinator is not active or could not write to its log in time; call FindCoordinator and
            ///   retry after a backoff.
            /// - COORDINATOR_LOAD_IN_PROGRESS: the coordinator is loading its state; retry after a backoff.
            /// - INVALID_GROUP_ID: the group id is empty; correct the request.
            /// - GROUP_AUTHORIZATION_FAILED: the principal lacks the Read permission on the group; grant it, do not retry.
            /// - UNSUPPORTED_VERSION: the cluster does not support group instance ids yet (inter.broker.protocol.version before 2.3);
            ///   upgrade it, or join as a dynamic member.
            /// - UNKNOWN_SERVER_ERROR: the assignments together are too large to store, or the broker failed unexpectedly; reduce the
            ///   assignment or raise the limit of the topic `__consumer_offsets`, and see the broker's log.
            Error: ErrorCode
            /// The protocol type of the group; null on error. Since version 5 (KIP-559).
            ProtocolType: string option
            /// The selected protocol; null on error. Since version 5 (KIP-559).
            ProtocolName: string option
            /// The member's assignment, as the leader wrote it; empty if the leader gave it none.
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

    let api = Api.define ApiKey.SyncGroup (versions 0 5 |> flexibleFrom 4) request response |> Api.throttledBy _.ThrottleTimeMs

    type MemberAssignment with
        override this.ToString() = Schema.show memberAssignment this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
