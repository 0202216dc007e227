namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol
open LibKafka.Protocol.Types

/// RemoveUserScramCredentialRecord (type 22 of the metadata log): a SCRAM credential of a user has been deleted (KIP-900).
module RemoveUserScramCredentialRecord =

    type Value =
        {
            /// The name of the user.
            Name: string
            Mechanism: ScramMechanism
        }

    let schema = message {
        let! name = field "Name" _.Name string
        and! mechanism = field "Mechanism" _.Mechanism scramMechanism

        return { Name = name; Mechanism = mechanism }
    }

    let message: Message<Value> = Message.define "RemoveUserScramCredentialRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
