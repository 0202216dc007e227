namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ListGroups (API key 16): every group that a broker coordinates and that the client may see. It goes to each broker in turn for the
/// groups of the whole cluster.
module ListGroups =

    type Request =
        {
            /// Only groups in one of these states (KIP-518); empty for all.
            StatesFilter: GroupState list
            /// Only groups of one of these types (KIP-848); empty for all.
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
            /// Empty where it is not told.
            GroupState: GroupState
            /// Empty where it is not told.
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
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// COORDINATOR_NOT_AVAILABLE and COORDINATOR_LOAD_IN_PROGRESS while the broker does not know its groups yet.
            Error: ErrorCode
            Groups: Group list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        and! groups = field "Groups" _.Groups (array group)

        return { ThrottleTimeMs = throttle; Error = error; Groups = groups }
    }

    let api = Api.define ApiKey.ListGroups 0s 5s (Some 3s) request response
