namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AlterClientQuotas (API key 49): set and remove quotas of users, client ids and IP addresses (KIP-546). It goes to any broker; brokers
/// of 4.x pass it on to the controller.
module AlterClientQuotas =

    /// A quota to set or to remove.
    type Operation =
        {
            /// `producer_byte_rate` and `consumer_byte_rate` in bytes a second, `request_percentage` in percent of one thread's time,
            /// `controller_mutation_rate` in partitions made or deleted a second, `connection_creation_rate` in connections a second.
            Key: string
            /// Counts for nothing where the quota is removed.
            Value: float
            Remove: bool
        }

    let operation = message {
        let! key = field "Key" _.Key string
        and! value = field "Value" _.Value float64
        and! remove = field "Remove" _.Remove bool

        return { Key = key; Value = value; Remove = remove }
    }

    /// What to change for one user, client id, pair of both, or IP address.
    type EntryRequest =
        {
            /// Whom the quotas are for: all parts together.
            Entity: QuotaEntity list
            /// Each key only once. Quotas that are not named stay.
            Operations: Operation list
        }

    let entryRequest = message {
        let! entity = field "Entity" _.Entity (array QuotaEntity.schema)
        and! operations = field "Ops" _.Operations (array operation)
        return { Entity = entity; Operations = operations }
    }

    type Request =
        {
            Entries: EntryRequest list
            /// Only check whether it would work.
            ValidateOnly: bool
        }

    let request = message {
        let! entries = field "Entries" _.Entries (array entryRequest)
        and! validate = field "ValidateOnly" _.ValidateOnly bool
        return { Entries = entries; ValidateOnly = validate }
    }

    /// What became of the quotas of one user, client id, pair of both, or IP address.
    type EntryResult =
        {
            /// INVALID_REQUEST for parts that do not go together, or for a key or value that is not allowed;
            /// CLUSTER_AUTHORIZATION_FAILED; NOT_CONTROLLER when to ask elsewhere.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            /// As in the request.
            Entity: QuotaEntity list
        }

    let entryResult = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! entity = field "Entity" _.Entity (array QuotaEntity.schema)

        return { Error = error; ErrorMessage = text; Entity = entity }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Entries: EntryResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! entries = field "Entries" _.Entries (array entryResult)

        return { ThrottleTimeMs = throttle; Entries = entries }
    }

    let api = Api.define ApiKey.AlterClientQuotas 0s 1s (Some 1s) request response
