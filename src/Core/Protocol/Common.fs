namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// The leader of a partition as a broker that is not it knows it (KIP-951).
type CurrentLeader =
    {
        /// The broker that leads the partition; -1 where it is not known.
        LeaderId: int32
        /// The epoch in which it does; -1 where it is not known.
        LeaderEpoch: int32
    }

[<RequireQualifiedAccess>]
module CurrentLeader =

    /// No leader is known.
    let unknown = { LeaderId = -1; LeaderEpoch = -1 }

    let internal schema = message {
        let! leader = field "LeaderId" _.LeaderId (int32 |> withDefault -1)
        and! epoch = field "LeaderEpoch" _.LeaderEpoch (int32 |> withDefault -1)

        return { LeaderId = leader; LeaderEpoch = epoch }
    }

/// Where a broker is to be reached.
type NodeEndpoint =
    {
        NodeId: int32
        Host: string
        Port: int32
        /// The broker's rack; null where it has none.
        Rack: string option
    }

[<RequireQualifiedAccess>]
module NodeEndpoint =

    let internal schema = message {
        let! node = field "NodeId" _.NodeId int32
        and! host = field "Host" _.Host string
        and! port = field "Port" _.Port int32
        and! rack = field "Rack" _.Rack (string |> nullable |> withDefault None)

        return { NodeId = node; Host = host; Port = port; Rack = rack }
    }
