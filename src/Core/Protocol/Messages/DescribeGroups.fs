namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeGroups (API key 15): the state and the members of classic groups. It goes to the coordinator of the groups.
module DescribeGroups =

    type Request =
        {
            /// The ids of the groups.
            Groups: string list
            /// Whether to tell what the client may do with each group (KIP-430).
            IncludeAuthorizedOperations: bool
        }

    let request = message {
        let! groups = field "Groups" _.Groups (array string)
        and! operations = field "IncludeAuthorizedOperations" _.IncludeAuthorizedOperations (bool |> since 3s false)

        return { Groups = groups; IncludeAuthorizedOperations = operations }
    }

    /// A member of a group.
    type Member =
        {
            MemberId: string
            /// The name of a static member (KIP-345); null for a dynamic one.
            GroupInstanceId: string option
            /// What the member calls itself in the header of its requests.
            ClientId: string
            /// The address that it joined from, such as `/10.0.0.1`.
            ClientHost: string
            /// What the member sent with the protocol that was chosen: for consumers a subscription of the consumer protocol. Empty
            /// while the group is not stable.
            MemberMetadata: Bytes
            /// What the leader gave it: for consumers an assignment of the consumer protocol. Empty while the group is not stable.
            MemberAssignment: Bytes
        }

    let groupMember = message {
        let! id = field "MemberId" _.MemberId string
        and! instance = field "GroupInstanceId" _.GroupInstanceId (string |> nullable |> since 4s None |> ignorable)
        and! client = field "ClientId" _.ClientId string
        and! host = field "ClientHost" _.ClientHost string
        and! metadata = field "MemberMetadata" _.MemberMetadata bytes
        and! assignment = field "MemberAssignment" _.MemberAssignment bytes

        return
            { MemberId = id
              GroupInstanceId = instance
              ClientId = client
              ClientHost = host
              MemberMetadata = metadata
              MemberAssignment = assignment }
    }

    /// One group.
    type Group =
        {
            /// NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; GROUP_AUTHORIZATION_FAILED;
            /// GROUP_ID_NOT_FOUND when there is no such classic group, from version 6 on (KIP-1043). Up to version 5 such a group is
            /// `Dead`, without an error.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            GroupId: string
            GroupState: GroupState
            /// `consumer` for consumers; empty for a group that only stores offsets.
            ProtocolType: string
            /// The protocol that was chosen, for consumers the name of an assignor; empty while the group is not stable.
            ProtocolData: string
            Members: Member list
            /// What the client may do with the group, where it was asked.
            AuthorizedOperations: AuthorizedOperations
        }

    let group = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> since 6s None)
        and! id = field "GroupId" _.GroupId string
        and! state = field "GroupState" _.GroupState groupState
        and! kind = field "ProtocolType" _.ProtocolType string
        and! data = field "ProtocolData" _.ProtocolData string
        and! members = field "Members" _.Members (array groupMember)
        and! operations =
            field "AuthorizedOperations" _.AuthorizedOperations (authorizedOperations |> since 3s AuthorizedOperations.NotAsked)

        return
            { Error = error
              ErrorMessage = text
              GroupId = id
              GroupState = state
              ProtocolType = kind
              ProtocolData = data
              Members = members
              AuthorizedOperations = operations }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Groups: Group list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! groups = field "Groups" _.Groups (array group)

        return { ThrottleTimeMs = throttle; Groups = groups }
    }

    let api = Api.define ApiKey.DescribeGroups 0s 6s (Some 5s) request response
