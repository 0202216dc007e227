namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol
open LibKafka.Protocol.Types

/// ConfigRecord (type 4 of the metadata log): a config has been set or removed (KIP-631).
module ConfigRecord =

    type Value =
        {
            ResourceType: ConfigResourceType
            /// The name of the topic, the broker id, or empty for the default of all brokers.
            ResourceName: string
            Name: string
            /// Null removes the config.
            Value: string option
        }

    let schema = message {
        let! resourceType = field "ResourceType" _.ResourceType configResourceType
        and! resourceName = field "ResourceName" _.ResourceName string
        and! name = field "Name" _.Name string
        and! value = field "Value" _.Value (string |> nullable) |> Fields.secretIf (fun config -> ConfigName.isSecret config.Name)

        return { ResourceType = resourceType; ResourceName = resourceName; Name = name; Value = value }
    }

    let message: Message<Value> = Message.define "ConfigRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
