namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol
open LibKafka.Protocol.Types

/// UserScramCredentialRecord (type 11 of the metadata log): a SCRAM credential of a user has been set (KIP-900).
module UserScramCredentialRecord =

    type Value =
        {
            /// The name of the user.
            Name: string
            Mechanism: ScramMechanism
            Salt: Bytes
            /// The hash of the client key (RFC 5802).
            StoredKey: Bytes
            ServerKey: Bytes
            /// The iteration count of the salted password.
            Iterations: int32
        }

    let schema = message {
        let! name = field "Name" _.Name string
        and! mechanism = field "Mechanism" _.Mechanism scramMechanism
        and! salt = field "Salt" _.Salt bytes
        and! storedKey = field "StoredKey" _.StoredKey secret
        and! serverKey = field "ServerKey" _.ServerKey secret
        and! iterations = field "Iterations" _.Iterations int32

        return
            { Name = name
              Mechanism = mechanism
              Salt = salt
              StoredKey = storedKey
              ServerKey = serverKey
              Iterations = iterations }
    }

    let message: Message<Value> = Message.define "UserScramCredentialRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
