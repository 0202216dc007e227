namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// The principal of a forwarded request, as Kafka's default principal builder writes it into an Envelope, after a two-byte version
/// (KIP-590). A cluster with a custom principal builder can use another format.
module DefaultPrincipalData =

    type Principal =
        {
            /// `User` in Kafka's own principals.
            Type: string
            /// Such as `alice`; `ANONYMOUS` for a client that is not authenticated.
            Name: string
            /// Whether the client authenticated with a delegation token.
            TokenAuthenticated: bool
        }

    let schema = message {
        let! kind = field "Type" _.Type string
        and! name = field "Name" _.Name string
        and! token = field "TokenAuthenticated" _.TokenAuthenticated bool

        return { Type = kind; Name = name; TokenAuthenticated = token }
    }

    let message: Message<Principal> = Message.define "DefaultPrincipalData" (versions 0 0 |> flexibleFrom 0) schema

    type Principal with
        override this.ToString() = Message.show message this
