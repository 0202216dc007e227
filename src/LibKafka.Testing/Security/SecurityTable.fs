namespace LibKafka.Testing

open LibKafka
open LibKafka.Wire
open LibKafka.Protocol

/// Who a connection belongs to, after SASL.
type Session =
    {
        /// As in `User:alice`.
        Principal: string
        Mechanism: string
        /// Whether it was authenticated by a delegation token.
        IsByToken: bool
        /// When the client must have authenticated again (KIP-368).
        Expires: Moment voption
    }

/// What a broker keeps of a user's password for one SCRAM mechanism.
type StoredScram = { Iterations: int32; Salt: Bytes; SaltedPassword: Bytes }

/// A delegation token (KIP-48). Principals are as in `User:alice`.
type StoredToken =
    { Id: string
      Hmac: Bytes
      Owner: string
      Requester: string
      Renewers: string list
      Issued: Moment
      Expires: Moment
      MaxExpires: Moment }

/// What a broker of SCRAM remembers between the messages of a client.
type ScramExchange =
    {
        User: string
        /// The client's first message without its header, a comma, and the broker's first message.
        Spoken: string
        /// The nonce of both sides.
        Nonce: string
        SaltedPassword: Bytes
        /// When the delegation token expires that is proved; ValueNone for a user's password.
        TokenExpires: Moment voption
    }

/// How far SASL is on a connection.
[<RequireQualifiedAccess>]
type SaslStage =
    /// The client has not chosen a mechanism.
    | Begun
    /// The broker waits for the client's first message.
    | Chosen of mechanism: string
    | Challenged of mechanism: string * ScramExchange
    /// A bearer token was refused. The client's next message ends the exchange.
    | TokenRefused
    | Authenticated
    /// The authentication failed. The connection is closed after the response.
    | Failed

/// The authentication of one connection.
type Authentication =
    {
        Stage: SaslStage
        /// Whether the tokens have no Kafka header, as after SaslHandshake in version 0.
        IsRaw: bool
        /// ValueNone before the first authentication. During a later one it is still the session of before.
        Session: Session voption
    }

/// A permission, or a prohibition.
type Acl =
    { ResourceType: AclResourceType
      ResourceName: string
      PatternType: AclPatternType
      Principal: string
      Host: string
      Operation: AclOperation
      Permission: AclPermission }

/// A valid bearer token.
type AcceptedToken =
    {
        /// The name of the user.
        User: string
        /// When the token expires; ValueNone if it does not.
        Expires: Moment voption
    }

/// The authenticated connections, and what principals may do.
[<NoEquality; NoComparison>]
type SecurityTable =
    {
        /// The SASL mechanisms of the listeners. Without any, clients do not authenticate.
        Mechanisms: string list
        /// The passwords of the users, for PLAIN and SCRAM.
        Passwords: Map<string, string>
        /// The SCRAM credentials that requests have set or deleted (ValueNone), by user and mechanism. The others follow from the passwords.
        Scram: Map<string * string, StoredScram voption>
        /// By id.
        Tokens: Map<string, StoredToken>
        /// Checks a bearer token.
        Token: Moment -> string -> AcceptedToken voption
        /// connections.max.reauth.ms; 0 for no limit.
        MaxReauthMs: int64
        /// By connection.
        Connections: Map<int64, Authentication>
        /// Whether there is an authorizer. Without one, everything is allowed.
        IsAuthorizing: bool
        /// Principals that may do everything.
        SuperUsers: Set<string>
        /// allow.everyone.if.no.acl.found
        AllowsWithoutAcl: bool
        /// The latest first.
        Acls: Acl list
    }

[<RequireQualifiedAccess>]
module SecurityTable =

    let empty: SecurityTable =
        { Mechanisms = []
          Passwords = Map.empty
          Scram = Map.empty
          Tokens = Map.empty
          Token = fun _ _ -> ValueNone
          MaxReauthMs = 0L
          Connections = Map.empty
          IsAuthorizing = false
          SuperUsers = Set.empty
          AllowsWithoutAcl = false
          Acls = [] }
