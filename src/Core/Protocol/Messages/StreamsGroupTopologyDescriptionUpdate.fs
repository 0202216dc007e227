namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// StreamsGroupTopologyDescriptionUpdate (API key 93): stores the description of a Streams group's topology for StreamsGroupDescribe
/// (KIP-1331). Send it to the group's coordinator if a heartbeat response requests it.
module StreamsGroupTopologyDescriptionUpdate =

    type Request =
        {
            GroupId: string
            /// The member that sends the description.
            MemberId: string
            /// The epoch of the described topology.
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED if the broker could not store it: a heartbeat response may request it again;
            /// STREAMS_INVALID_TOPOLOGY_EPOCH or INVALID_REQUEST if it does not have the group's topology epoch; UNSUPPORTED_VERSION if
            /// the broker does not store descriptions; UNKNOWN_MEMBER_ID; GROUP_ID_NOT_FOUND; NOT_COORDINATOR if another broker is the
            /// coordinator; COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state; GROUP_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text }
    }

    let api =
        Api.define ApiKey.StreamsGroupTopologyDescriptionUpdate (versions 0 0 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
