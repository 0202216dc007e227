namespace LibKafka.Testing

/// The quotas of the cluster, and what was used of them.
type QuotaTable = { Quotas: Map<string, float> }

[<RequireQualifiedAccess>]
module QuotaTable =

    let empty: QuotaTable = { Quotas = Map.empty }
