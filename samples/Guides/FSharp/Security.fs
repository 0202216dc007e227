/// Connects with TLS, and authenticates with a certificate, a password or a token: bootstrap authorities.pem how [...]
module LibKafka.Samples.Security

open System
open LibKafka.Client

/// Returns the same token until it is valid for less than a minute. All connections use it.
let private tokens (request: unit -> string * DateTimeOffset) : unit -> BearerToken =
    let gate = obj ()
    let mutable current = "", DateTimeOffset.MinValue

    fun () ->
        lock gate (fun () ->
            if snd current < DateTimeOffset.UtcNow.AddMinutes 1.0 then current <- request ()

            { Value = fst current; Extensions = [] })

let run (bootstrap: string) (authorities: string) (how: string list) =
    let orFail result = Result.defaultWith (failwithf "%O") result
    let files = { PemFiles.standard with Authorities = Some authorities }
    let secured (files: PemFiles) = { ClientSettings.standard with Tls = Some(Tls.ofPemFiles files |> orFail) }

    let settings =
        match how with
        | [ "certificate"; certificate; key ] -> secured { files with Certificate = Some certificate; Key = Some key }
        | [ "password"; user; password ] -> { secured files with Sasl = Some(Sasl.scramSha512 user password) }
        | [ "token"; token ] ->
            // A real program asks the authorization server for a token.
            let next = tokens (fun () -> token, DateTimeOffset.UtcNow.AddMinutes 10.0)
            { secured files with Sasl = Some(Sasl.oauthBearer (fun _ -> next ())) }
        | _ -> secured files

    use admin = new AdminClient(settings, Bootstrap.parse bootstrap |> orFail)
    let cluster = RetryPolicy.standard.Run(fun call -> admin.DescribeCluster(call)).Result |> orFail
    printfn $"cluster {cluster.ClusterId} with {cluster.Brokers.Length} brokers"
