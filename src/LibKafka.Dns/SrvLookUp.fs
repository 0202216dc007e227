namespace LibKafka.Dns

open System
open System.Collections.Generic
open System.Net
open DnsClient
open LibKafka.Client

/// Looks up SRV records (RFC 2782) over UDP, and over TCP if a response is truncated. It has no cache: `Bootstrap` caches the records for
/// their time to live. An error or no response from a name server is an exception, which `Bootstrap` turns into a fault.
[<Sealed>]
type SrvLookUp private (options: LookupClientOptions) =
    let client = LookupClient(options)

    // Names in responses are fully qualified and end with a dot. The root as target means that the service is not available (RFC 2782).
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

    /// Uses the name servers of the system's configuration.
    new() = SrvLookUp(configure (LookupClientOptions()))

    /// Uses these name servers.
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
