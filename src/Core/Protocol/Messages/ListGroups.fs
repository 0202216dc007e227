namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ListGroups (API key 16): lists the groups that a broker coordinates and that the client may see. Send it to each broker for the groups
/// of the whole cluster.
module ListGroups =

    type Request =
        {
            /// Only groups in one of these states; empty for all. Since version 4 (KIP-518).
            StatesFilter: GroupState list
            /// Only groups of one of these types; empty for all. Since version 5 (KIP-848).
            TypesFilter: GroupType list
        }

    let request = message {
        let! states = field "StatesFilter" _.StatesFilter (array groupState |> since 4s [])
        and! types = field "TypesFilter" _.TypesFilter (array groupType |> since 5s [])
        return { StatesFilter = states; TypesFilter = types }
    }

    /// One group.
    type Group =
        {
            GroupId: string
            /// `consumer` for consumers; empty for a group that only stores offsets.
            ProtocolType: string
            /// Empty if not given. Since version 4 (KIP-518).
            GroupState: GroupState
            /// Empty if not given. Since version 5 (KIP-848).
            GroupType: GroupType
        }

    let group = message {
        let! id = field "GroupId" _.GroupId string
        and! protocol = field "ProtocolType" _.ProtocolType string
        and! state = field "GroupState" _.GroupState (groupState |> since 4s (GroupState "") |> ignorable)
        and! kind = field "GroupType" _.GroupType (groupType |> since 5s (GroupType "") |> ignorable)

        return { GroupId = id; ProtocolType = protocol; GroupState = state; GroupType = kind }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 1.
            ThrottleTimeMs: int32
            /// COORDINATOR_NOT_AVAILABLE or COORDINATOR_LOAD_IN_PROGRESS while the broker has not loaded its groups.
            Error: ErrorCode
            Groups: Group list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        and! groups = field "Groups" _.Groups (array group)

        return { ThrottleTimeMs = throttle; Error = error; Groups = groups }
    }

    let api = Api.define ApiKey.ListGroups (versions 0 5 |> flexibleFrom 3) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Group with
        override this.ToString() = Schema.show group this
    type Response with
        override this.ToString() = Message.show api.Response this
