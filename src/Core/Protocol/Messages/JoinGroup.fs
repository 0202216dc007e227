namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// JoinGroup (API key 11): joins a classic group and waits until all members have joined. Send it to the group's coordinator.
module JoinGroup =

    /// A protocol that the member supports, such as an assignor.
    type Protocol =
        {
            /// For consumers the name of an assignor, such as `range`.
            Name: string
            /// For consumers a subscription of the consumer protocol.
            Metadata: Bytes
        }

    let protocol = message {
        let! name = field "Name" _.Name string
        and! metadata = field "Metadata" _.Metadata bytes
        return { Name = name; Metadata = metadata }
    }

    type Request =
        {
            GroupId: string
            /// If the coordinator gets no heartbeat for this long, in milliseconds, it removes the member and starts a rebalance.
            SessionTimeoutMs: int32
            /// How long the coordinator waits for the members to join again in a rebalance, in milliseconds; -1 for the session timeout.
            /// Since version 1 (KIP-62).
            RebalanceTimeoutMs: int32
            /// Empty for a new member, which since version 4 gets its id with MEMBER_ID_REQUIRED and then joins with it (KIP-394).
            MemberId: string
            /// The instance id of a static member; null for a dynamic member. Since version 5 (KIP-345).
            GroupInstanceId: string option
            /// `consumer` for consumers.
            ProtocolType: string
            /// The protocols that the member supports, in order of preference.
            Protocols: Protocol list
            /// The reason, for the broker's log; null if not given. Since version 8 (KIP-800).
            Reason: string option
        }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! session = field "SessionTimeoutMs" _.SessionTimeoutMs int32
        and! rebalance = field "RebalanceTimeoutMs" _.RebalanceTimeoutMs (int32 |> since 1s -1 |> ignorable)
        and! memberId = field "MemberId" _.MemberId string
        and! instance = field "GroupInstanceId" _.GroupInstanceId (string |> nullable |> since 5s None)
        and! kind = field "ProtocolType" _.ProtocolType string
        and! protocols = field "Protocols" _.Protocols (array protocol)
        and! reason = field "Reason" _.Reason (string |> nullable |> since 8s None |> ignorable)

        return
            { GroupId = group
              SessionTimeoutMs = session
              RebalanceTimeoutMs = rebalance
              MemberId = memberId
              GroupInstanceId = instance
              ProtocolType = kind
              Protocols = protocols
              Reason = reason }
    }

    /// A member, as listed for the group leader.
    type Member =
        {
            MemberId: string
            /// Null for a dynamic member. Since version 5 (KIP-345).
            GroupInstanceId: string option
            /// The member's metadata for the selected protocol.
            Metadata: Bytes
        }

    let groupMember = message {
        let! id = field "MemberId" _.MemberId string
        and! instance = field "GroupInstanceId" _.GroupInstanceId (string |> nullable |> since 5s None |> ignorable)
        and! metadata = field "Metadata" _.Metadata bytes

        return { MemberId = id; GroupInstanceId = instance; Metadata = metadata }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 2.
            ThrottleTimeMs: int32
            /// 0 if the member has joined. Otherwise:
            /// - MEMBER_ID_REQUIRED (since version 4): the request had no member id; join again with the `MemberId` of this response.
            /// - UNKNOWN_MEMBER_ID: the coordinator has removed the member; join again with an empty member id.
            /// - REBALANCE_IN_PROGRESS: the group changed while the member joined; join again with the same member id.
            /// - FENCED_INSTANCE_ID: another member has joined with the same group instance id; stop this member, and give each member its
            ///   own instance id.
            /// - INCONSISTENT_GROUP_PROTOCOL: the protocol type or all of the protocols are not supported by the other members, or there
            ///   are none; configure the same assignor for all members.
            /// - INVALID_SESSION_TIMEOUT: the session timeout is outside the broker's limits (group.min.session.timeout.ms,
            ///   group.max.session.timeout.ms); correct it.
            /// - GROUP_MAX_SIZE_REACHED: the group has its maximum number of members (group.max.size); raise the limit or run fewer
            ///   members.
            /// - NOT_COORDINATOR: another broker coordinates the group; call FindCoordinator and retry there.
            /// - COORDINATOR_NOT_AVAILABLE: the coordinator is not active or could not write to its log in time; call FindCoordinator and
            ///   retry after a backoff.
            /// - COORDINATOR_LOAD_IN_PROGRESS: the coordinator is loading its state; retry after a backoff.
            /// - INVALID_GROUP_ID: the group id is empty; correct the request.
            /// - GROUP_AUTHORIZATION_FAILED: the principal lacks the Read permission on the group; grant it, do not retry.
            /// - UNSUPPORTED_VERSION: the cluster does not support group instance ids yet (inter.broker.protocol.version before 2.3);
            ///   upgrade it, or join as a dynamic member.
            /// - UNKNOWN_SERVER_ERROR: the broker failed unexpectedly; find the cause in its log.
            Error: ErrorCode
            /// The new generation of the group; -1 on error.
            GenerationId: int32
            /// The protocol type of the group; null on error. Since version 7 (KIP-559).
            ProtocolType: string option
            /// The selected protocol; null or empty on error. Nullable since version 7.
            ProtocolName: string option
            /// The id of the member that computes the assignment.
            Leader: string
            /// Whether the leader skips the computation of a new assignment and keeps the current one. Since version 9 (KIP-814).
            SkipAssignment: bool
            /// The id of this member.
            MemberId: string
            /// All members, for the leader; empty for the others.
            Members: Member list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 2s 0 |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        and! generation = field "GenerationId" _.GenerationId (int32 |> withDefault -1)
        and! kind = field "ProtocolType" _.ProtocolType (string |> nullable |> since 7s None |> ignorable)
        and! name = field "ProtocolName" _.ProtocolName (string |> nullableSince 7s)
        and! leader = field "Leader" _.Leader string
        and! skip = field "SkipAssignment" _.SkipAssignment (bool |> since 9s false)
        and! memberId = field "MemberId" _.MemberId string
        and! members = field "Members" _.Members (array groupMember)

        return
            { ThrottleTimeMs = throttle
              Error = error
              GenerationId = generation
              ProtocolType = kind
              ProtocolName = name
              Leader = leader
              SkipAssignment = skip
              MemberId = memberId
              Members = members }
    }

    let api = Api.define ApiKey.JoinGroup (versions 0 9 |> flexibleFrom 6) request response |> Api.throttledBy _.ThrottleTimeMs

    type Protocol with
        override this.ToString() = Schema.show protocol this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Member with
        override this.ToString() = Schema.show groupMember this
    type Response with
        override this.ToString() = Message.show api.Response this
