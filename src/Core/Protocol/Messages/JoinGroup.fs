namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// JoinGroup (API key 11): become a member of a classic group and wait until all members have come. It goes to the group's
/// coordinator.
module JoinGroup =

    /// A way of sharing out the work that the member knows.
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
            /// The coordinator takes the member for dead when it is silent this long, in milliseconds. INVALID_SESSION_TIMEOUT outside
            /// the broker's bounds.
            SessionTimeoutMs: int32
            /// How long the coordinator waits for members to join again, in milliseconds; -1 for the session time-out.
            RebalanceTimeoutMs: int32
            /// Empty for a new member. It is told its id with MEMBER_ID_REQUIRED and asks again, from version 4 on (KIP-394).
            MemberId: string
            /// The name of a static member (KIP-345); null for a dynamic one.
            GroupInstanceId: string option
            /// `consumer` for consumers.
            ProtocolType: string
            /// What the member knows, the best first. INCONSISTENT_GROUP_PROTOCOL when the others know none of them.
            Protocols: Protocol list
            /// Why the member joins, for the broker's log (KIP-800).
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

    /// A member, as its leader is shown it.
    type Member =
        {
            MemberId: string
            /// Null for a dynamic member.
            GroupInstanceId: string option
            /// What the member sent with the protocol that was chosen.
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
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; MEMBER_ID_REQUIRED with the new id;
            /// UNKNOWN_MEMBER_ID when to begin anew; FENCED_INSTANCE_ID when another member has taken the static name.
            Error: ErrorCode
            /// The generation that begins; -1 on error.
            GenerationId: int32
            ProtocolType: string option
            /// The protocol that was chosen.
            ProtocolName: string option
            /// The id of the member that shares out the work.
            Leader: string
            /// Whether the leader need not share out the work again (KIP-814).
            SkipAssignment: bool
            /// The id of the member that asked.
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

    let api = Api.define ApiKey.JoinGroup 0s 9s (Some 6s) request response
