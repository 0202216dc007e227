namespace LibKafka.Client

open System
open System.Security.Cryptography
open System.Text
open LibKafka.Wire

/// SCRAM (RFC 5802, RFC 7677): both sides prove that they know the password without sending it. Like Kafka's own clients and brokers it uses
/// names and passwords in UTF-8 without the normalization of SASLprep (RFC 4013): characters outside ASCII must be encoded in the same way on
/// both sides.
module internal Scram =

    /// RFC 7677 demands at least the first. More than the second, which is four times what Kafka allows (KIP-554), would let a broker keep the
    /// client busy.
    let fewestIterations, mostIterations = 4096, 65536

    /// A hash function and the size of its result in bytes.
    type Hash = { Name: HashAlgorithmName; Size: int }

    let sha256 = { Name = HashAlgorithmName.SHA256; Size = 32 }
    let sha512 = { Name = HashAlgorithmName.SHA512; Size = 64 }

    // Strict: a lone surrogate is an exception, not a replacement character.
    let private utf8 = UTF8Encoding(false, true)

    /// A key that was derived from a password.
    type private Derived = { Salt: byte[]; Iterations: int; Key: byte[] }

    /// A password, and the key that was last derived from it. To derive one takes thousands of hashes, and all brokers of a cluster ask for the same
    /// one, so it is kept, as RFC 5802 (section 5.1) allows. It may be used by several threads.
    [<Sealed>]
    type Secret(hash: Hash, password: string) =
        // An immutable value in a field that is read and written atomically. Two threads may derive a key at once, which does no harm.
        let mutable kept: Derived option = None

        /// The hash function of its keys.
        member _.Hash = hash

        /// ArgumentException if the password has no form in UTF-8.
        member _.Check() = utf8.GetByteCount password |> ignore

        /// The key for a salt and a number of iterations (`SaltedPassword`).
        member _.Salted(salt: byte[], iterations: int) : byte[] =
            match kept with
            | Some known when known.Iterations = iterations && known.Salt = salt -> known.Key
            | _ ->
                let key = Rfc2898DeriveBytes.Pbkdf2(utf8.GetBytes password, salt, iterations, hash.Name, hash.Size)
                kept <- Some { Salt = salt; Iterations = iterations; Key = key }
                key

    /// A name as the value of an attribute, with `=` and `,` escaped.
    let escape (name: string) = name.Replace("=", "=3D").Replace(",", "=2C")

    /// The attributes of a message in their order; none if one is not of the form `x=value`.
    let private attributes (message: Bytes) : (char * string) list option =
        let parts =
            try
                Some((utf8.GetString message.Span).Split ',')
            with :? DecoderFallbackException ->
                None

        parts
        |> Option.bind (fun parts ->
            if parts |> Array.forall (fun part -> part.Length >= 2 && Char.IsAsciiLetter part[0] && part[1] = '=') then
                Some [ for part in parts -> part[0], part.Substring 2 ]
            else
                None)

    let private ofBase64 (text: string) : byte[] option =
        let buffer = Array.zeroCreate<byte> text.Length

        match Convert.TryFromBase64String(text, Span buffer) with
        | true, count -> Some(Array.truncate count buffer)
        | _ -> None

    /// The broker's first message.
    type private Challenge = { Nonce: string; Salt: byte[]; Iterations: int }

    let private challengeIn (clientNonce: string) (message: Bytes) : Result<Challenge, string> =
        match attributes message with
        | Some(('e', error) :: _) -> Error("it reports: " + error)
        | Some(('r', nonce) :: ('s', salt) :: ('i', iterations) :: _) ->
            match
                ofBase64 salt, Int32.TryParse(iterations, Globalization.NumberStyles.None, Globalization.CultureInfo.InvariantCulture)
            with
            | _ when not (nonce.StartsWith(clientNonce, StringComparison.Ordinal)) -> Error "its nonce does not begin with the client's"
            | _ when nonce.Length = clientNonce.Length -> Error "it adds nothing to the client's nonce"
            | (None | Some [||]), _ -> Error "its salt cannot be read"
            | _, (false, _) -> Error "its count of iterations cannot be read"
            | Some _, (true, count) when count < fewestIterations || count > mostIterations ->
                Error(
                    "its count of iterations, "
                    + string count
                    + ", is not within "
                    + string fewestIterations
                    + " to "
                    + string mostIterations
                )
            | Some salt, (true, count) -> Ok { Nonce = nonce; Salt = salt; Iterations = count }
        // A mandatory extension (`m`) comes first, so it is refused here too.
        | _ -> Error "its first message is not of the form r=…,s=…,i=…"

    // Checks the broker's signature in its last message.
    let private isSigned (signature: byte[]) (message: Bytes) : Result<unit, string> =
        match attributes message with
        | Some(('e', error) :: _) -> Error("it reports: " + error)
        | Some(('v', verifier) :: _) ->
            match ofBase64 verifier with
            | Some theirs when CryptographicOperations.FixedTimeEquals(ReadOnlySpan theirs, ReadOnlySpan signature) -> Ok()
            | _ -> Error "its signature is wrong: it does not know the password"
        | _ -> Error "its last message is not of the form v=…"

    [<RequireQualifiedAccess>]
    type private State =
        | Begun
        | Proved of signature: byte[]
        | Over

    /// One authentication with the given client nonce. `extensions` follow the nonce in the first message, each preceded by a comma.
    let converse (secret: Secret) (user: string) (extensions: string) (clientNonce: string) : ISaslConversation =
        secret.Check()
        let hash = secret.Hash
        let bare = "n=" + escape user + ",r=" + clientNonce + extensions
        let first = Bytes(utf8.GetBytes("n,," + bare))
        let mutable state = State.Begun
        let mac (key: byte[]) (data: byte[]) = CryptographicOperations.HmacData(hash.Name, key, data)

        let prove (serverFirst: Bytes) (challenge: Challenge) : string * byte[] =
            let salted = secret.Salted(challenge.Salt, challenge.Iterations)
            let clientKey = mac salted "Client Key"B
            let storedKey = CryptographicOperations.HashData(hash.Name, clientKey)
            // `biws` is the header `n,,` of the first message: no channel binding and no authorization identity.
            let withoutProof = "c=biws,r=" + challenge.Nonce
            let message = utf8.GetBytes(bare + "," + Bytes.toText serverFirst + "," + withoutProof)
            let proof = Array.map2 (^^^) clientKey (mac storedKey message)
            withoutProof + ",p=" + Convert.ToBase64String proof, mac (mac salted "Server Key"B) message

        let refuse (reason: string) =
            state <- State.Over
            SaslReply.Refuse reason

        { new ISaslConversation with
            member _.First = first

            member _.Answer message =
                match state with
                | State.Begun ->
                    match challengeIn clientNonce message with
                    | Error reason -> refuse reason
                    | Ok challenge ->
                        let text, signature = prove message challenge
                        state <- State.Proved signature
                        SaslReply.Send(Bytes.ofString text)
                | State.Proved signature ->
                    match isSigned signature message with
                    | Error reason -> refuse reason
                    | Ok() ->
                        state <- State.Over
                        SaslReply.Done
                | State.Over -> refuse "it continued after the end" }

    /// 192 random bits in characters that a nonce may contain.
    let newNonce () = Convert.ToBase64String(RandomNumberGenerator.GetBytes 24)
