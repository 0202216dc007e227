namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// StreamsGroupTopologyDescriptionUpdate (API key 93): a member describes the whole topology of its Streams group, for
/// StreamsGroupDescribe to show (KIP-1331). It goes to the group's coordinator, when that has asked for it in a heartbeat.
module StreamsGroupTopologyDescriptionUpdate =

    type Request =
        {
            GroupId: string
            /// The member that describes.
            MemberId: string
            /// The version of the topology that is described.
            TopologyEpoch: int32
            TopologyDescription: TopologyDescription
        }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! memberId = field "MemberId" _.MemberId string
        and! epoch = field "TopologyEpoch" _.TopologyEpoch int32
        and! description = field "TopologyDescription" _.TopologyDescription TopologyDescription.schema

        return { GroupId = group; MemberId = memberId; TopologyEpoch = epoch; TopologyDescription = description }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED when the broker could not store it, and a heartbeat may ask again;
            /// STREAMS_INVALID_TOPOLOGY_EPOCH or INVALID_REQUEST when it is not of the group's epoch; UNSUPPORTED_VERSION when the
            /// broker keeps no descriptions; UNKNOWN_MEMBER_ID; GROUP_ID_NOT_FOUND; NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS
            /// when to ask elsewhere or again; GROUP_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text }
    }

    let api = Api.define ApiKey.StreamsGroupTopologyDescriptionUpdate 0s 0s (Some 0s) request response
