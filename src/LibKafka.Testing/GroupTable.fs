namespace LibKafka.Testing

/// A group of consumers.
type Group = { GroupId: string }

/// The groups of the cluster, by group id.
type GroupTable = { ById: Map<string, Group> }

[<RequireQualifiedAccess>]
module GroupTable =

    let empty: GroupTable = { ById = Map.empty }
