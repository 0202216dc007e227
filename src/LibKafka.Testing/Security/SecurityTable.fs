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

    override this.ToString() =
        FieldText.show
            [ "Principal", box this.Principal
              "Mechanism", box this.Mechanism
              "IsByToken", box this.IsByToken
              "Expires", FieldText.voptional this.Expires ]

/// What a broker keeps of a user's password for one SCRAM mechanism.
type StoredScram =
    { Iterations: int32
      Salt: Bytes
      SaltedPassword: Bytes }

    /// Without the secrets.
    override this.ToString() = FieldText.show [ "Iterations", box this.Iterations ]

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

    /// Without the HMAC.
    override this.ToString() =
        FieldText.show
            [ "Id", box this.Id
              "Owner", box this.Owner
              "Requester", box this.Requester
              "Renewers", box this.Renewers
              "Issued", box this.Issued
              "Expires", box this.Expires
              "MaxExpires", box this.MaxExpires ]

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

    /// Without the secrets.
    override this.ToString() = FieldText.show [ "User", box this.User; "TokenExpires", FieldText.voptional this.TokenExpires ]

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

    override this.ToString() =
        match this with
        | Begun -> "Begun"
        | Chosen mechanism -> "Chosen " + mechanism
        | Challenged(mechanism, exchange) -> "Challenged " + mechanism + ", " + exchange.ToString()
        | TokenRefused -> "TokenRefused"
        | Authenticated -> "Authenticated"
        | Failed -> "Failed"

/// The authentication of one connection.
type Authentication =
    {
        Stage: SaslStage
        /// Whether the tokens have no Kafka header, as after SaslHandshake in version 0.
        IsRaw: bool
        /// ValueNone before the first authentication. During a later one it is still the session of before.
        Session: Session voption
    }

    override this.ToString() =
        FieldText.show [ "Stage", box this.Stage; "IsRaw", box this.IsRaw; "Session", FieldText.voptional this.Session ]

/// A permission, or a prohibition.
type Acl =
    { ResourceType: AclResourceType
      ResourceName: string
      PatternType: AclPatternType
      Principal: string
      Host: string
      Operation: AclOperation
      Permission: AclPermission }

    override this.ToString() =
        FieldText.show
            [ "ResourceType", box this.ResourceType
              "ResourceName", box this.ResourceName
              "PatternType", box this.PatternType
              "Principal", box this.Principal
              "Host", box this.Host
              "Operation", box this.Operation
              "Permission", box this.Permission ]

/// A valid bearer token.
type AcceptedToken =
    {
        /// The name of the user.
        User: string
        /// When the token expires; ValueNone if it does not.
        Expires: Moment voption
    }

    override this.ToString() = FieldText.show [ "User", box this.User; "Expires", FieldText.voptional this.Expires ]

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

    /// Without the secrets.
    override this.ToString() =
        FieldText.show
            [ "Mechanisms", box this.Mechanisms
              "Tokens", box this.Tokens
              "MaxReauthMs", box this.MaxReauthMs
              "Connections", box this.Connections
              "IsAuthorizing", box this.IsAuthorizing
              "SuperUsers", box this.SuperUsers
              "AllowsWithoutAcl", box this.AllowsWithoutAcl
              "Acls", box this.Acls ]

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
