namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// The leader of a partition, as known by a broker that is not the leader (KIP-951).
type CurrentLeader =
    {
        /// The broker id of the leader; -1 if unknown.
        LeaderId: int32
        /// The leader epoch; -1 if unknown.
        LeaderEpoch: int32
    }

[<RequireQualifiedAccess>]
module CurrentLeader =

    /// The value if no leader is known.
    let unknown = { LeaderId = -1; LeaderEpoch = -1 }

    let private withDefaults fallback = message {
        let! leader = field "LeaderId" _.LeaderId (int32 |> withDefault fallback.LeaderId)
        and! epoch = field "LeaderEpoch" _.LeaderEpoch (int32 |> withDefault fallback.LeaderEpoch)

        return { LeaderId = leader; LeaderEpoch = epoch }
    }

    let schema = withDefaults unknown

    /// For APIs in which the default of both fields is 0.
    let zeroSchema = withDefaults { LeaderId = 0; LeaderEpoch = 0 }

/// The endpoint of a broker.
type NodeEndpoint =
    {
        NodeId: int32
        Host: string
        Port: int32
        /// The broker's rack; null if it has none.
        Rack: string option
    }

[<RequireQualifiedAccess>]
module NodeEndpoint =

    let schema = message {
        let! node = field "NodeId" _.NodeId int32
        and! host = field "Host" _.Host string
        and! port = field "Port" _.Port int32
        and! rack = field "Rack" _.Rack (string |> nullable |> withDefault None)

        return { NodeId = node; Host = host; Port = port; Rack = rack }
    }

/// A listener in the registration of a broker or controller.
type RegisteredListener =
    {
        /// The listener's name, such as `CONTROLLER`.
        Name: string
        Host: string
        Port: uint16
        SecurityProtocol: SecurityProtocol
    }

[<RequireQualifiedAccess>]
module RegisteredListener =

    let schema = message {
        let! name = field "Name" _.Name string
        and! host = field "Host" _.Host string
        and! port = field "Port" _.Port uint16
        and! security = field "SecurityProtocol" _.SecurityProtocol securityProtocol

        return { Name = name; Host = host; Port = port; SecurityProtocol = security }
    }

/// A feature, and the levels of it that the registered broker or controller supports.
type RegisteredFeature =
    {
        /// Such as `metadata.version`.
        Name: string
        /// The lowest supported level.
        MinSupportedVersion: int16
        /// The highest supported level.
        MaxSupportedVersion: int16
    }

[<RequireQualifiedAccess>]
module RegisteredFeature =

    let schema = message {
        let! name = field "Name" _.Name string
        and! lowest = field "MinSupportedVersion" _.MinSupportedVersion int16
        and! highest = field "MaxSupportedVersion" _.MaxSupportedVersion int16

        return { Name = name; MinSupportedVersion = lowest; MaxSupportedVersion = highest }
    }

type CurrentLeader with
    override this.ToString() = Schema.show CurrentLeader.schema this
type NodeEndpoint with
    override this.ToString() = Schema.show NodeEndpoint.schema this
type RegisteredListener with
    override this.ToString() = Schema.show RegisteredListener.schema this
type RegisteredFeature with
    override this.ToString() = Schema.show RegisteredFeature.schema this
