namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AlterClientQuotas (API key 49): sets and removes quotas of users, client ids and IP addresses (KIP-546). Send it to any broker; brokers
/// of Kafka 4.x forward it to the controller.
module AlterClientQuotas =

    /// A quota to set or to remove.
    type Operation =
        {
            /// `producer_byte_rate` and `consumer_byte_rate` in bytes per second, `request_percentage` in percent of one thread's time,
            /// `controller_mutation_rate` in created or deleted partitions per second, `connection_creation_rate` in connections per
            /// second.
            Key: string
            /// The new quota; ignored if the quota is removed.
            Value: float
            /// Whether the quota is removed, so that the default applies.
            Remove: bool
        }

    let operation = message {
        let! key = field "Key" _.Key string
        and! value = field "Value" _.Value float64
        and! remove = field "Remove" _.Remove bool

        return { Key = key; Value = value; Remove = remove }
    }

    /// The changes for one user, client id, pair of both, or IP address.
    type EntryRequest =
        {
            /// The entity of the quotas: all parts together.
            Entity: QuotaEntity list
            /// Each key only once. Other quotas of the entity stay as they are.
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
            /// Whether the request is only validated, and changes nothing.
            ValidateOnly: bool
        }

    let request = message {
        let! entries = field "Entries" _.Entries (array entryRequest)
        and! validate = field "ValidateOnly" _.ValidateOnly bool
        return { Entries = entries; ValidateOnly = validate }
    }

    /// The result for one user, client id, pair of both, or IP address.
    type EntryResult =
        {
            /// INVALID_REQUEST for parts that cannot be combined, or for an invalid key or value; CLUSTER_AUTHORIZATION_FAILED;
            /// NOT_CONTROLLER if another node is the active controller.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            /// The entity, as in the request.
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            Entries: EntryResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! entries = field "Entries" _.Entries (array entryResult)

        return { ThrottleTimeMs = throttle; Entries = entries }
    }

    let api =
        Api.define ApiKey.AlterClientQuotas (versions 0 1 |> flexibleFrom 1) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Operation with
        override this.ToString() = Schema.show operation this
    type EntryRequest with
        override this.ToString() = Schema.show entryRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type EntryResult with
        override this.ToString() = Schema.show entryResult this
    type Response with
        override this.ToString() = Message.show api.Response this
