namespace LibKafka.Testing

/// Whom a quota is for, or whose use is counted: a user, a client id, or both. ValueNone if it does not depend on that.
[<Struct>]
type QuotaSubject =
    {
        /// ValueSome "" is the default for all users.
        User: string voption
        /// ValueSome "" is the default for all client ids.
        ClientId: string voption
    }

/// What was used in one window.
[<Struct>]
type QuotaSample = { Start: Moment; Used: float }

/// The quotas of the cluster, and what was used of them.
type QuotaTable =
    {
        /// The quotas by subject, and by their key: producer_byte_rate, consumer_byte_rate, request_percentage.
        Limits: Map<QuotaSubject, Map<string, float>>
        /// The use of each subject that has a quota, by key; the latest window first.
        Used: Map<string * QuotaSubject, QuotaSample list>
        /// quota.window.num
        Windows: int
        /// quota.window.size.seconds, in milliseconds
        WindowMs: int64
        /// The time in milliseconds that each request counts for request_percentage.
        RequestCost: float
    }

[<RequireQualifiedAccess>]
module QuotaTable =

    let empty: QuotaTable = { Limits = Map.empty; Used = Map.empty; Windows = 11; WindowMs = 1000L; RequestCost = 1.0 }
