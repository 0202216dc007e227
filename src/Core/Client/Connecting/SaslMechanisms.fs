namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Wire

/// A token for OAUTHBEARER.
type BearerToken =
    {
        /// The token, as the authorization server issued it.
        Value: string
        /// Extensions that are sent along with it (KIP-342): names of ASCII letters, values of visible ASCII characters and white space.
        Extensions: (string * string) list
    }

    /// Without the token.
    override _.ToString() = "a bearer token"

/// A mechanism with its name, the text after the name in `ToString`, and the function that begins it.
[<Sealed>]
type internal Mechanism(name: string, who: string, start: CancellationToken -> ISaslConversation) =
    override _.ToString() = name + who

    interface ISaslMechanism with
        member _.Name = name
        member _.Begin(_, cancellation) = start cancellation

/// The SASL mechanisms that Kafka's brokers support, except GSSAPI. Implement `ISaslMechanism` for that or any other. Credentials are checked
/// when they are first used: invalid ones give the fault `NoCredentials`.
[<RequireQualifiedAccess>]
module Sasl =

    let private require (condition: bool) (reason: string) = if not condition then raise (ArgumentException reason)

    let private mechanism (name: string) (who: string) (start: CancellationToken -> ISaslConversation) : ISaslMechanism =
        Mechanism(name, who, start)

    /// PLAIN (RFC 4616). The password is sent in clear text, so use it over TLS only.
    let plain (user: string) (password: string) : ISaslMechanism =
        mechanism "PLAIN" (" as " + user) (fun _ ->
            require (user <> "") "the user name is empty"
            require (password <> "") "the password is empty"
            require (not (user.Contains '\000' || password.Contains '\000')) "the user name or the password contains a NUL"

            { new ISaslConversation with
                member _.First = Bytes.ofString ("\000" + user + "\000" + password)
                member _.Answer _ = SaslReply.Done })

    let private scram name hash extensions (user: string) (password: string) : ISaslMechanism =
        let secret = Scram.Secret(hash, password)

        mechanism name (" as " + user) (fun _ ->
            require (user <> "") "the user name is empty"
            require (password <> "") "the password is empty"
            Scram.converse secret user extensions (Scram.newNonce ()))

    let private tokenAuth = ",tokenauth=true"

    /// SCRAM-SHA-256 (RFC 5802, RFC 7677) with a user's name and password, without SASLprep, as Kafka does.
    let scramSha256 (user: string) (password: string) : ISaslMechanism = scram "SCRAM-SHA-256" Scram.sha256 "" user password

    /// SCRAM-SHA-512 with a user's name and password, without SASLprep, as Kafka does.
    let scramSha512 (user: string) (password: string) : ISaslMechanism = scram "SCRAM-SHA-512" Scram.sha512 "" user password

    /// SCRAM-SHA-256 with the id and the HMAC, in base64, of a delegation token (KIP-48).
    let tokenScramSha256 (id: string) (hmac: string) : ISaslMechanism = scram "SCRAM-SHA-256" Scram.sha256 tokenAuth id hmac

    /// SCRAM-SHA-512 with the id and the HMAC, in base64, of a delegation token (KIP-48).
    let tokenScramSha512 (id: string) (hmac: string) : ISaslMechanism = scram "SCRAM-SHA-512" Scram.sha512 tokenAuth id hmac

    // The syntax of RFC 7628, section 3.1, and for tokens that of RFC 6750, section 2.1: no character can end an attribute.
    let private bearer (token: BearerToken) : Bytes =
        let isTokenLetter (letter: char) = Char.IsAsciiLetterOrDigit letter || "-._~+/=".Contains letter
        let isValueLetter (letter: char) = (letter >= ' ' && letter <= '~') || letter = '\t' || letter = '\r' || letter = '\n'
        require (token.Value <> "" && Seq.forall isTokenLetter token.Value) "the token does not have the form of RFC 6750"

        for name, value in token.Extensions do
            require
                (name <> "" && Seq.forall Char.IsAsciiLetter name && name <> "auth")
                ("the extension '" + name + "' has an invalid name")
            require (value <> "" && Seq.forall isValueLetter value) ("the extension " + name + " has an invalid value")

        let extensions = token.Extensions |> List.map (fun (name, value) -> name + "=" + value + "\001") |> String.concat ""
        Bytes.ofString ("n,,\001auth=Bearer " + token.Value + "\001" + extensions + "\001")

    /// OAUTHBEARER (RFC 7628, KIP-255). The function returns a valid token each time one is needed, in the thread of the call.
    let oauthBearer (token: CancellationToken -> BearerToken) : ISaslMechanism =
        mechanism "OAUTHBEARER" "" (fun cancellation ->
            let first = bearer (token cancellation)
            let mutable refusal: string option = None

            { new ISaslConversation with
                member _.First = first

                // If the token is not valid, the broker sends the reason in JSON and waits for a single 0x01 before it responds with an error.
                member _.Answer message =
                    match refusal with
                    | None when message.Length = 0 -> SaslReply.Done
                    | None ->
                        refusal <- Some(Bytes.toText message)
                        SaslReply.Send(Bytes [| 1uy |])
                    | Some reason -> SaslReply.Refuse("it continued after it had refused the token with " + reason) })
