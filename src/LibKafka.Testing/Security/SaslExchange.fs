namespace LibKafka.Testing

open System
open System.Security.Cryptography
open System.Text
open System.Text.Json
open LibKafka.Wire

/// The outcome of one SASL message from a client.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal SaslStep =
    /// The client is authenticated.
    | Done of user: string * expires: Moment voption * message: string
    /// The exchange continues.
    | Challenge of SaslStage * message: string
    | Refused of reason: string

/// The broker's side of the SASL mechanisms.
[<RequireQualifiedAccess>]
module internal SaslExchange =

    [<Literal>]
    let Plain = "PLAIN"

    [<Literal>]
    let OAuthBearer = "OAUTHBEARER"

    /// The iterations of the SCRAM credentials that follow from passwords.
    [<Literal>]
    let Iterations = 4096

    let private hashOf (mechanism: string) : struct (HashAlgorithmName * int) voption =
        match mechanism with
        | "SCRAM-SHA-256" -> ValueSome(struct (HashAlgorithmName.SHA256, 32))
        | "SCRAM-SHA-512" -> ValueSome(struct (HashAlgorithmName.SHA512, 64))
        | _ -> ValueNone

    /// The mechanisms that a broker can have.
    let all = [ Plain; "SCRAM-SHA-256"; "SCRAM-SHA-512"; OAuthBearer ]

    let private utf8 (text: string) = Encoding.UTF8.GetBytes text

    let private plain (passwords: Map<string, string>) (message: string) : SaslStep =
        match message.Split '\000' with
        | [| _; ""; _ |] -> SaslStep.Refused "Authentication failed: username not specified"
        | [| _; _; "" |] -> SaslStep.Refused "Authentication failed: password not specified"
        | [| _; user; password |] when passwords.TryFind user <> Some password ->
            SaslStep.Refused "Authentication failed: Invalid username or password"
        | [| ""; user; _ |] -> SaslStep.Done(user, ValueNone, "")
        | [| other; user; _ |] when other = user -> SaslStep.Done(user, ValueNone, "")
        | [| _; _; _ |] -> SaslStep.Refused "Authentication failed: Client requested an authorization id that is different from username"
        | tokens -> SaslStep.Refused("Invalid SASL/PLAIN response: expected 3 tokens, got " + string tokens.Length)

    let private attribute (name: string) (message: string) : string voption =
        message.Split ','
        |> Seq.tryFind (fun part -> part.StartsWith(name + "=", StringComparison.Ordinal))
        |> Option.map _.Substring(name.Length + 1)
        |> Option.toValueOption

    let private invalid (mechanism: string) =
        SaslStep.Refused("Authentication failed during authentication due to invalid credentials with SASL mechanism " + mechanism)

    /// The credential of a password. The salt follows from the user, so that a run can be repeated.
    let private ofPassword mechanism (algorithm: HashAlgorithmName) (size: int) (user: string) (password: string) : StoredScram =
        let salt = SHA256.HashData(utf8 (mechanism + user)) |> Array.truncate 16
        let salted = Rfc2898DeriveBytes.Pbkdf2(utf8 password, salt, Iterations, algorithm, size)
        { Iterations = Iterations; Salt = Bytes salt; SaltedPassword = Bytes salted }

    /// Whom a client's first message names, the credential that must be proved, and when a delegation token expires.
    let private claimed mechanism algorithm size (now: Moment) (table: SecurityTable) (isToken: bool) (name: string) =
        let ofPassword = ofPassword mechanism algorithm size name

        if isToken then
            match table.Tokens.TryFind name with
            | Some token when token.Expires > now ->
                let owner = token.Owner.Substring(token.Owner.IndexOf ':' + 1)
                ValueSome(struct (owner, ofPassword (Convert.ToBase64String token.Hmac.Span), ValueSome token.Expires))
            | _ -> ValueNone
        else
            match table.Scram.TryFind((name, mechanism)), table.Passwords.TryFind name with
            | Some(ValueSome stored), _ -> ValueSome(struct (name, stored, ValueNone))
            | None, Some password -> ValueSome(struct (name, ofPassword password, ValueNone))
            | Some ValueNone, _
            | None, None -> ValueNone

    /// The broker's first message.
    let private scramFirst mechanism algorithm size now (table: SecurityTable) (nonce: string) (message: string) =
        let name = attribute "n" message |> ValueOption.map (fun name -> name.Replace("=2C", ",").Replace("=3D", "="))
        let isToken = attribute "tokenauth" message = ValueSome "true"
        let isWellFormed = message.StartsWith("n,", StringComparison.Ordinal)

        match name |> ValueOption.bind (claimed mechanism algorithm size now table isToken), attribute "r" message with
        | ValueSome(struct (user, stored, tokenExpires)), ValueSome theirs when isWellFormed ->
            let both = theirs + nonce
            let first = "r=" + both + ",s=" + Convert.ToBase64String stored.Salt.Span + ",i=" + string stored.Iterations
            let bare = message.Substring(message.IndexOf(',', 2) + 1)

            let exchange =
                { User = user
                  Spoken = bare + "," + first
                  Nonce = both
                  SaltedPassword = stored.SaltedPassword
                  TokenExpires = tokenExpires }

            SaslStep.Challenge(SaslStage.Challenged(mechanism, exchange), first)
        | _ -> invalid mechanism

    /// Checks the client's proof.
    let private scramFinal (mechanism: string) (algorithm: HashAlgorithmName) (exchange: ScramExchange) (message: string) : SaslStep =
        let mac (key: byte[]) (data: byte[]) = CryptographicOperations.HmacData(algorithm, key, data)
        let salted = exchange.SaltedPassword.ToArray()
        let cut = message.LastIndexOf(",p=", StringComparison.Ordinal)
        let proof = Array.zeroCreate<byte> 64

        match attribute "r" message with
        | ValueSome nonce when nonce = exchange.Nonce && cut > 0 ->
            match Convert.TryFromBase64String(message.Substring(cut + 3), Span proof) with
            | true, length ->
                let spoken = utf8 (exchange.Spoken + "," + message.Substring(0, cut))
                let stored = CryptographicOperations.HashData(algorithm, mac salted "Client Key"B)
                let signature = mac stored spoken

                let isProved =
                    length = signature.Length
                    && CryptographicOperations.HashData(algorithm, Array.map2 (^^^) (Array.truncate length proof) signature) = stored

                if isProved then
                    let verifier = mac (mac salted "Server Key"B) spoken
                    SaslStep.Done(exchange.User, exchange.TokenExpires, "v=" + Convert.ToBase64String verifier)
                else
                    invalid mechanism
            | _ -> invalid mechanism
        | _ -> invalid mechanism

    /// RFC 7628: `n,,^Aauth=Bearer TOKEN^A^A`.
    let private bearer (check: string -> AcceptedToken voption) (message: string) : SaslStep =
        let prefix = "auth=Bearer "

        let token =
            message.Split '\001'
            |> Array.tryFind (fun part -> part.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            |> Option.map _.Substring(prefix.Length).Trim()

        match token with
        | None -> SaslStep.Refused "Invalid OAUTHBEARER client first message"
        | Some token ->
            match check token with
            | ValueSome valid -> SaslStep.Done(valid.User, valid.Expires, "")
            | ValueNone -> SaslStep.Challenge(SaslStage.TokenRefused, """{"status":"invalid_token"}""")

    /// The next step after a message of the client.
    let step (table: SecurityTable) (now: Moment) (nonce: string) (stage: SaslStage) (message: Bytes) : SaslStep =
        let text = Encoding.UTF8.GetString message.Span

        match stage with
        | SaslStage.Chosen Plain -> plain table.Passwords text
        | SaslStage.Chosen OAuthBearer -> bearer (table.Token now) text
        | SaslStage.Chosen mechanism ->
            match hashOf mechanism with
            | ValueSome(struct (algorithm, size)) -> scramFirst mechanism algorithm size now table nonce text
            | ValueNone -> invalid mechanism
        | SaslStage.Challenged(mechanism, exchange) ->
            match hashOf mechanism with
            | ValueSome(struct (algorithm, _)) -> scramFinal mechanism algorithm exchange text
            | ValueNone -> invalid mechanism
        | SaslStage.TokenRefused -> SaslStep.Refused """{"status":"invalid_token"}"""
        | SaslStage.Begun
        | SaslStage.Authenticated
        | SaslStage.Failed -> SaslStep.Refused "There is no authentication."

    let private claim (name: string) (payload: JsonElement) : JsonElement voption =
        match payload.TryGetProperty name with
        | true, value -> ValueSome value
        | _ -> ValueNone

    let private unsigned (now: Moment) (payload: JsonElement) : AcceptedToken voption =
        match claim "sub" payload, claim "exp" payload with
        | ValueSome user, ValueSome expires when user.ValueKind = JsonValueKind.String && expires.ValueKind = JsonValueKind.Number ->
            let moment = int64 (expires.GetDouble() * 1000.0)

            match user.GetString() with
            | null -> ValueNone
            | name when moment > now -> ValueSome { User = name; Expires = ValueSome moment }
            | _ -> ValueNone
        | _ -> ValueNone

    /// Accepts JSON web tokens without checking a signature, as brokers do that have no other check: the claim `sub` is the user, and `exp`
    /// is in the future.
    let unsignedToken (now: Moment) (token: string) : AcceptedToken voption =
        match token.Split '.' with
        | [| _; payload; _ |] ->
            try
                use document = JsonDocument.Parse(ReadOnlyMemory(Buffers.Text.Base64Url.DecodeFromChars(payload.AsSpan())))
                unsigned now document.RootElement
            with
            | :? FormatException
            | :? JsonException
            | :? InvalidOperationException -> ValueNone
        | _ -> ValueNone
