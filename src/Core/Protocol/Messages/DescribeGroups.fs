namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeGroups (API key 15): describes classic groups. Send it to the coordinator of the groups.
module DescribeGroups =

    type Request =
        {
            /// The ids of the groups.
            Groups: string list
            /// Whether the response includes the operations that the client is authorized for on each group. Since version 3 (KIP-430).
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
            /// The instance id of a static member; null for a dynamic member. Since version 4 (KIP-345).
            GroupInstanceId: string option
            /// The client id in the header of the member's requests.
            ClientId: string
            /// The address from which the member joined, such as `/10.0.0.1`.
            ClientHost: string
            /// The member's metadata for the selected protocol: for consumers, a subscription of the consumer protocol. Empty if the group
            /// is not stable.
            MemberMetadata: Bytes
            /// The member's assignment by the group leader: for consumers, an assignment of the consumer protocol. Empty if the group is
            /// not stable.
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

    /// The description of one group.
    type Group =
        {
            /// NOT_COORDINATOR if another broker is the coordinator; COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state;
            /// GROUP_AUTHORIZATION_FAILED; GROUP_ID_NOT_FOUND (since version 6, KIP-1043) if there is no such classic group. Up to version
            /// 5 such a group has the state `Dead` and no error.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none. Since version 6 (KIP-1043).
            ErrorMessage: string option
            GroupId: string
            GroupState: GroupState
            /// `consumer` for consumers; empty for a group that only stores offsets.
            ProtocolType: string
            /// The selected protocol, for consumers the name of an assignor; empty if the group is not stable.
            ProtocolData: string
            Members: Member list
            /// The operations that the client is authorized for on the group, if requested. Since version 3 (KIP-430).
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 1.
            ThrottleTimeMs: int32
            Groups: Group list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! groups = field "Groups" _.Groups (array group)

        return { ThrottleTimeMs = throttle; Groups = groups }
    }

    let api =
        Api.define ApiKey.DescribeGroups (versions 0 6 |> flexibleFrom 5) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Member with
        override this.ToString() = Schema.show groupMember this
    type Group with
        override this.ToString() = Schema.show group this
    type Response with
        override this.ToString() = Message.show api.Response this
