namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeClientQuotas (API key 48): lists the quotas of users, client ids and IP addresses (KIP-546). Send it to any broker.
module DescribeClientQuotas =

    /// A condition on one entity type.
    type Filter =
        {
            /// `user`, `client-id` or `ip` (KIP-612).
            EntityType: string
            MatchType: QuotaMatchType
            /// The name for an exact match; otherwise null.
            Match: string option
        }

    let filter = message {
        let! kind = field "EntityType" _.EntityType string
        and! matchType = field "MatchType" _.MatchType quotaMatchType
        and! name = field "Match" _.Match (string |> nullable)

        return { EntityType = kind; MatchType = matchType; Match = name }
    }

    type Request =
        {
            /// The conditions, all of which must hold. Each entity type only once; `ip` cannot be combined with others. Empty for all
            /// quotas.
            Components: Filter list
            /// Whether to exclude quotas whose entity also has a type that is not in `Components`, such as those of a user with a client
            /// id if only `user` is given.
            Strict: bool
        }

    let request = message {
        let! filters = field "Components" _.Components (array filter)
        and! strict = field "Strict" _.Strict bool
        return { Components = filters; Strict = strict }
    }

    /// A quota.
    type Quota =
        {
            /// `producer_byte_rate` and `consumer_byte_rate` in bytes per second, `request_percentage` in percent of one thread's time,
            /// `controller_mutation_rate` in created or deleted partitions per second, `connection_creation_rate` in connections per
            /// second.
            Key: string
            /// The limit, in the unit of `Key`.
            Value: float
        }

    let quota = message {
        let! key = field "Key" _.Key string
        and! value = field "Value" _.Value float64
        return { Key = key; Value = value }
    }

    /// The quotas of one user, client id, pair of both, or IP address.
    type Entry =
        {
            /// The entity of the quotas: all parts together.
            Entity: QuotaEntity list
            Values: Quota list
        }

    let entry = message {
        let! entity = field "Entity" _.Entity (array QuotaEntity.schema)
        and! values = field "Values" _.Values (array quota)
        return { Entity = entity; Values = values }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// CLUSTER_AUTHORIZATION_FAILED; INVALID_REQUEST for entity types that are empty, repeated or cannot be combined;
            /// UNSUPPORTED_VERSION for an entity type that the broker does not know.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            /// Null on error.
            Entries: Entry list option
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! entries = field "Entries" _.Entries (array entry |> nullable)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text; Entries = entries }
    }

    let api =
        Api.define ApiKey.DescribeClientQuotas (versions 0 1 |> flexibleFrom 1) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Filter with
        override this.ToString() = Schema.show filter this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Quota with
        override this.ToString() = Schema.show quota this
    type Entry with
        override this.ToString() = Schema.show entry this
    type Response with
        override this.ToString() = Message.show api.Response this
