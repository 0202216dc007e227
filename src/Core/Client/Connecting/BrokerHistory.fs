namespace LibKafka.Client

open System
open System.Collections.Generic
open System.Net
open LibKafka.Protocol

/// A version of ApiVersions that a broker answered after it had closed the connection on a higher one.
type private Fallback = { Version: int16; Since: int64 }

/// What a client remembers about brokers from one connection to the next. It is used by one thread at a time, as its client is.
[<Sealed>]
type internal BrokerHistory() =
    let failed = HashSet<struct (BrokerAddress * IPAddress)>()
    let fallbacks = Dictionary<BrokerAddress, Fallback>()

    // Until a broker that closed the connection on the highest version of ApiVersions is asked in it again.
    static let fallbackTime = TimeSpan.FromMinutes 10.0

    /// Whether a broker has answered any request other than ApiVersions.
    member val IsAnswered = false with get, set

    /// The addresses of a broker in the order in which to try them. It begins at a random one, and those that failed last time come last.
    member _.InOrder(broker: BrokerAddress, addresses: IPAddress list) : IPAddress list =
        let hasFailed address = failed.Contains(struct (broker, address))

        match addresses with
        | []
        | [ _ ] -> addresses
        | _ ->
            let later, sooner = List.splitAt (Random.Shared.Next addresses.Length) addresses
            let bad, good = List.partition hasFailed (sooner @ later)
            good @ bad

    /// Remembers whether a connection could be made to an address.
    member _.Tried(broker: BrokerAddress, address: IPAddress, succeeded: bool) =
        if succeeded then
            failed.Remove(struct (broker, address)) |> ignore
        else
            failed.Add(struct (broker, address)) |> ignore

    /// The versions in which to ask the broker for its versions. Each one after the first is for a broker that has closed the connection on
    /// the one before, as Azure Event Hubs and old proxies do with versions that they do not know.
    member _.VersionsToAsk(broker: BrokerAddress, time: TimeProvider) : int16 list =
        let highest = ApiVersions.api.Versions.Highest

        let first =
            match fallbacks.TryGetValue broker with
            | true, fallback when not (Duration.hasPassed time fallbackTime fallback.Since) -> fallback.Version
            | _ -> highest

        [ highest; 3s; 0s ] |> List.filter (fun version -> version <= first)

    /// Remembers a version that the broker answered right after it had closed the connection on a higher one.
    member _.FellBack(broker: BrokerAddress, version: int16, time: TimeProvider) =
        fallbacks[broker] <- { Version = version; Since = time.GetTimestamp() }

    /// Forgets the version, because the broker did not answer in it or has answered in the highest.
    member _.ForgetFallback(broker: BrokerAddress) = fallbacks.Remove broker |> ignore
