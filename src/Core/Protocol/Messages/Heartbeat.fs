namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// Heartbeat (API key 12): keeps a member in a classic group, and returns whether a rebalance is in progress. Send it to the group's
/// coordinator.
module Heartbeat =

    type Request =
        {
            GroupId: string
            /// The generation from JoinGroup.
            GenerationId: int32
            MemberId: string
            /// The instance id of a static member; null for a dynamic member. Since version 3 (KIP-345).
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 1.
            ThrottleTimeMs: int32
            /// 0 if the member is in the current generation. Otherwise:
            /// - REBALANCE_IN_PROGRESS: a rebalance has begun; commit the offsets and send JoinGroup again with the same member id, within
            ///   the rebalance timeout.
            /// - ILLEGAL_GENERATION: the group has a later generation; the member has lost its partitions, so send JoinGroup again without
            ///   committing.
            /// - UNKNOWN_MEMBER_ID: the coordinator has removed the member; the member has lost its partitions, so join again with an
            ///   empty member id.
            /// - FENCED_INSTANCE_ID: another member has joined with the same group instance id; stop this member, and give each member its
            ///   own instance id.
            /// - NOT_COORDINATOR: another broker coordinates the group; call FindCoordinator and retry there.
            /// - COORDINATOR_NOT_AVAILABLE: the coordinator is not active or could not write to its log in time; call FindCoordinator and
            ///   retry after a backoff.
            /// - INVALID_GROUP_ID: the group id is empty; correct the request.
            /// - GROUP_AUTHORIZATION_FAILED: the principal lacks the Read permission on the group; grant it, do not retry.
            /// - UNSUPPORTED_VERSION: the cluster does not support group instance ids yet (inter.broker.protocol.version before 2.3);
            ///   upgrade it, or join as a dynamic member.
            /// - UNKNOWN_SERVER_ERROR: the broker failed unexpectedly; find the cause in its log.
            Error: ErrorCode
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        return { ThrottleTimeMs = throttle; Error = error }
    }

    let api = Api.define ApiKey.Heartbeat (versions 0 4 |> flexibleFrom 4) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
