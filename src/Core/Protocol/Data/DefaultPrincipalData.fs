namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// Whom a forwarded request is from, as Kafka itself writes it into an Envelope, behind two bytes with the version (KIP-590). A cluster
/// with a principal builder of its own may write something else there.
module DefaultPrincipalData =

    type Principal =
        {
            /// Kafka's own is `User`.
            Type: string
            /// Such as `alice`; `ANONYMOUS` for a client that did not authenticate.
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

    let message: Message<Principal> =
        { Name = "DefaultPrincipalData"; Versions = { Lowest = 0s; Highest = 0s }; FlexibleSince = Some 0s; Schema = schema }
