namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// ClientQuotaRecord (type 14 of the metadata log): a quota has been set or removed (KIP-631).
module ClientQuotaRecord =

    /// One part of the entity that the quota is for.
    type EntityData =
        {
            /// `user`, `client-id` or `ip`.
            EntityType: string
            /// Null for the default of the type.
            EntityName: string option
        }

    let entityData = message {
        let! entityType = field "EntityType" _.EntityType string
        and! entityName = field "EntityName" _.EntityName (string |> nullable)

        return { EntityType = entityType; EntityName = entityName }
    }

    type Value =
        {
            Entity: EntityData list
            /// The name of the quota, such as `producer_byte_rate`.
            Key: string
            Value: float
            /// Whether the quota is removed. The value is then ignored.
            Remove: bool
        }

    let schema = message {
        let! entity = field "Entity" _.Entity (array entityData)
        and! key = field "Key" _.Key string
        and! value = field "Value" _.Value float64
        and! remove = field "Remove" _.Remove bool

        return { Entity = entity; Key = key; Value = value; Remove = remove }
    }

    let message: Message<Value> = Message.define "ClientQuotaRecord" (versions 0 0 |> flexibleFrom 0) schema

    type EntityData with
        override this.ToString() = Schema.show entityData this
    type Value with
        override this.ToString() = Message.show message this
