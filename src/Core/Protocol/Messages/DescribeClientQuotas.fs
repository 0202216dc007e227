namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeClientQuotas (API key 48): the quotas that are set for users, client ids and IP addresses (KIP-546). Any broker answers.
module DescribeClientQuotas =

    /// What the quotas asked for must say of one entity type.
    type Filter =
        {
            /// `user`, `client-id` or `ip` (KIP-612).
            EntityType: string
            MatchType: QuotaMatchType
            /// The name, where it is to match exactly; else null.
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
            /// What quotas must fulfil, all at once. No two of the same entity type; `ip` not together with others. Empty asks for all.
            Components: Filter list
            /// Whether to leave out quotas that also name an entity type not asked for, such as those for a user with a client id when
            /// only `user` is asked for.
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
            /// `producer_byte_rate` and `consumer_byte_rate` in bytes a second, `request_percentage` in percent of one thread's time,
            /// `controller_mutation_rate` in partitions made or deleted a second, `connection_creation_rate` in connections a second.
            Key: string
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
            /// Whom they are for: all parts together.
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
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// CLUSTER_AUTHORIZATION_FAILED; INVALID_REQUEST for entity types that are empty, named twice or do not go together;
            /// UNSUPPORTED_VERSION for one that the broker does not know.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
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

    let api = Api.define ApiKey.DescribeClientQuotas 0s 1s (Some 1s) request response
