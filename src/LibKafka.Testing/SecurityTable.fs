namespace LibKafka.Testing

/// Who a connection belongs to, after SASL.
type Session = { Principal: string }

/// The authenticated connections, and what principals may do.
type SecurityTable = { Sessions: Map<int64, Session> }

[<RequireQualifiedAccess>]
module SecurityTable =

    let empty: SecurityTable = { Sessions = Map.empty }
