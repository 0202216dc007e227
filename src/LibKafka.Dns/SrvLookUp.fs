namespace LibKafka.Dns

open System
open System.Collections.Generic
open System.Net
open System.Threading.Tasks
open DnsClient
open LibKafka.Client

/// Looks up SRV records (RFC 2782) at name servers, over UDP, and over TCP where an answer is too long for that. It keeps nothing: `Bootstrap`
/// does, for as long as the records allow. A name server that gives an error, or no answer, is an exception, which `Bootstrap` turns into a fault.
[<Sealed>]
type SrvLookUp private (options: LookupClientOptions) =
    let client = LookupClient(options)

    // Names in answers are whole, with a dot at the end. A record that names the root says that the service is decidedly not available.
    let recordOf (record: DnsClient.Protocol.SrvRecord) : SrvRecord option =
        match record.Target.Value.TrimEnd '.' with
        | "" -> None
        | host ->
            Some
                { Target = { Host = host; Port = int record.Port }
                  Priority = int record.Priority
                  Weight = int record.Weight
                  TimeToLive = TimeSpan.FromSeconds(float record.InitialTimeToLive) }

    static let configure (options: LookupClientOptions) =
        options.UseCache <- false
        options.ThrowDnsErrors <- true
        options

    /// At the name servers that the system is configured with.
    new() = SrvLookUp(configure (LookupClientOptions()))

    /// At these name servers.
    new(servers: IPEndPoint seq) = SrvLookUp(configure (LookupClientOptions(Array.ofSeq servers)))

    interface ISrvLookUp with
        member _.LookUp(name, cancellation) = task {
            let! response = client.QueryAsync(name, QueryType.SRV, QueryClass.IN, cancellation)
            let records =
                response.Answers
                |> Seq.choose (function
                    | :? DnsClient.Protocol.SrvRecord as record -> recordOf record
                    | _ -> None)
            return List.ofSeq records :> IReadOnlyList<_>
        }
