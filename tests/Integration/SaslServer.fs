namespace LibKafka.Integration

open System
open System.Collections.Generic
open System.Security.Cryptography
open System.Text
open LibKafka.Wire
open LibKafka.Protocol

/// The server's side of SCRAM, written from RFC 5802 with nothing but a keyed hash.
[<Sealed>]
type ScramServer(name: string, mac: byte[] -> byte[] -> byte[], hash: byte[] -> byte[], users: Map<string, string>) =
    let nonce = "server-nonce-1"
    let salt = "a server's salt"B
    let utf8 (text: string) = Encoding.UTF8.GetBytes text
    let mutable spoken = ""
    let mutable password = ""

    // Hi(), section 2.2.
    let salted (password: string) (iterations: int) : byte[] =
        let key = utf8 password
        let mutable last = mac key (Array.append salt [| 0uy; 0uy; 0uy; 1uy |])
        let mutable sum = last

        for _ in 2..iterations do
            last <- mac key last
            sum <- Array.map2 (^^^) sum last

        sum

    /// The mechanism.
    member _.Name = name

    /// The server's first message to the client's, which begins with the header `n,,`.
    member _.First(message: string, iterations: int) : string option =
        let attribute (letter: string) =
            message.Split ',' |> Array.tryFind (fun part -> part.StartsWith(letter + "=")) |> Option.map _.Substring(2)

        match attribute "n", attribute "r" with
        | Some user, Some theirs ->
            let user = user.Replace("=2C", ",").Replace("=3D", "=")
            let first = "r=" + theirs + nonce + ",s=" + Convert.ToBase64String salt + ",i=" + string iterations
            spoken <- message.Substring 3 + "," + first
            password <- users |> Map.tryFind user |> Option.defaultValue "nobody has this password"
            Some first
        | _ -> None

    /// The server's last message, if the client knows the password.
    member _.Last(message: string, iterations: int) : string option =
        let cut = message.LastIndexOf ",p="
        let proof = Convert.FromBase64String(message.Substring(cut + 3))
        let auth = utf8 (spoken + "," + message.Substring(0, cut))
        let salted = salted password iterations
        let stored = hash (mac salted (utf8 "Client Key"))
        let clientKey = Array.map2 (^^^) proof (mac stored auth)

        if hash clientKey = stored then
            Some("v=" + Convert.ToBase64String(mac (mac salted (utf8 "Server Key")) auth))
        else
            None

/// How a scripted broker authenticates.
type SaslScript =
    {
        Users: Map<string, string>
        Mechanisms: string list
        Iterations: int
        /// The lifetime of an authentication in milliseconds; 0 for no limit. Called for each.
        Lifetime: unit -> int64
        /// Changes the server's last message of SCRAM.
        Tamper: string -> string
        /// Whether a bearer token is valid, and the message if it is not.
        Token: string -> string option
    }

[<RequireQualifiedAccess>]
module SaslScript =

    let standard =
        { Users = Map.ofList [ "orders", "s3cret,=pass"; "pässe", "wörd" ]
          Mechanisms = [ "PLAIN"; "SCRAM-SHA-256"; "SCRAM-SHA-512"; "OAUTHBEARER" ]
          Iterations = 4096
          Lifetime = fun () -> 0L
          Tamper = id
          Token = fun _ -> None }

    let private sha256 users =
        ScramServer("SCRAM-SHA-256", (fun key data -> HMACSHA256.HashData(key, data)), (fun data -> SHA256.HashData data), users)

    let private sha512 users =
        ScramServer("SCRAM-SHA-512", (fun key data -> HMACSHA512.HashData(key, data)), (fun data -> SHA512.HashData data), users)

    /// The broker's reply to a message, and whether the client is now authenticated; or why not.
    type private Step = Bytes -> Result<string * bool, string>

    let private refused: Result<string * bool, string> = Error "Authentication failed"

    let private plain (script: SaslScript) : Step =
        fun message ->
            match (Bytes.toText message).Split '\000' with
            | [| ""; user; password |] when script.Users.TryFind user = Some password -> Ok("", true)
            | _ -> refused

    let private scram (script: SaslScript) (server: ScramServer) : Step =
        let mutable begun = false

        fun message ->
            let text = Bytes.toText message

            if begun then
                match server.Last(text, script.Iterations) with
                | Some last -> Ok(script.Tamper last, true)
                | None -> refused
            else
                begun <- true

                match server.First(text, script.Iterations) with
                | Some first -> Ok(first, false)
                | None -> refused

    // RFC 7628: a refusal is first a message, and an error after the client has replied with 0x01.
    let private bearer (script: SaslScript) : Step =
        let mutable refusal: string option = None

        fun message ->
            match refusal, Bytes.toText message with
            | Some reason, "\001" -> Error reason
            | Some _, _ -> Error "something else than 0x01"
            | None, text ->
                match text.Split '\001' |> Array.tryFind _.StartsWith("auth=Bearer ") with
                | None -> refused
                | Some auth ->
                    match script.Token(auth.Substring "auth=Bearer ".Length) with
                    | None -> Ok("", true)
                    | Some reason ->
                        refusal <- Some reason
                        Ok(reason, false)

    let private start (script: SaslScript) (mechanism: string) : Step =
        match mechanism with
        | "PLAIN" -> plain script
        | "SCRAM-SHA-256" -> scram script (sha256 script.Users)
        | "SCRAM-SHA-512" -> scram script (sha512 script.Users)
        | _ -> bearer script

    /// A listener with SASL: each connection must authenticate before `rest` gets its requests, and is closed if it does not. Like Kafka's own it
    /// responds to ApiVersions before that, and accepts a new authentication at any time.
    let guard (script: SaslScript) (table: ApiVersions.ApiVersion list) (rest: Received -> Act list) : Received -> Act list =
        let steps = Dictionary<int, Step>()
        let known = HashSet<int>()

        let authenticate (received: Received) (message: Bytes) =
            let answer error text bytes lifetime =
                let response: SaslAuthenticate.Response =
                    { Error = error; ErrorMessage = text; AuthBytes = bytes; SessionLifetimeMs = lifetime }

                Script.answer SaslAuthenticate.api received response

            match steps.TryGetValue received.Connection with
            | false, _ -> answer ErrorCode.IllegalSaslState None Bytes.empty 0L
            | true, step ->
                match step message with
                | Error reason -> answer ErrorCode.SaslAuthenticationFailed (Some reason) Bytes.empty 0L @ [ Act.Close ]
                | Ok(text, isOver) ->
                    if isOver then
                        steps.Remove received.Connection |> ignore
                        known.Add received.Connection |> ignore

                    answer ErrorCode.None None (Bytes.ofString text) (if isOver then script.Lifetime() else 0L)

        let handle (received: Received) : Act list =
            match received.Request with
            | Request.SaslHandshake { Mechanism = mechanism } when not (List.contains mechanism script.Mechanisms) ->
                Script.answer SaslHandshake.api received { Error = ErrorCode.UnsupportedSaslMechanism; Mechanisms = script.Mechanisms }
            | Request.SaslHandshake { Mechanism = mechanism } ->
                steps[received.Connection] <- start script mechanism
                Script.answer SaslHandshake.api received { SaslHandshake.response.Default with Mechanisms = script.Mechanisms }
            | Request.SaslAuthenticate { AuthBytes = message } -> authenticate received message
            | _ when known.Contains received.Connection -> rest received
            | _ -> [ Act.Close ]

        let gate = obj ()
        Script.knowing table (fun received -> lock gate (fun () -> handle received))

    /// The versions of a broker that supports everything that the client does, including SASL.
    let everything =
        Script.versions ApiKey.SaslHandshake 0 1 :: Script.versions ApiKey.SaslAuthenticate 0 2 :: Script.everything
