namespace LibKafka.Client

open System
open System.Collections.Generic
open System.Threading
open System.Threading.Tasks

/// A broker that a DNS SRV record names (RFC 2782).
type SrvRecord =
    {
        Target: BrokerAddress
        /// Brokers of a lower number are tried before those of a higher one.
        Priority: int
        /// Among brokers of one priority, how often this one comes first in proportion to the others.
        Weight: int
        /// For how long the record may be kept.
        TimeToLive: TimeSpan
    }

/// Looks up DNS SRV names. The library has none of its own: whoever bootstraps from such a name hands one in. One value may be used by
/// several threads. What it throws becomes the fault `LookUpFailed`.
type ISrvLookUp =
    /// The records of a name such as `_kafka._tcp.example.org`. The caller's thread waits for it no longer than its call may take; the token
    /// tells when nobody waits any more.
    abstract LookUp: name: string * cancellation: CancellationToken -> Task<IReadOnlyList<SrvRecord>>

/// Where the brokers are known from.
[<RequireQualifiedAccess>]
type private Source =
    | Addresses of BrokerAddress list
    | Service of name: string * lookUp: ISrvLookUp

/// What a look-up brought, and when that was, by the clock of who asked.
[<NoEquality; NoComparison>]
type private Kept = { Records: SrvRecord list; Since: int64; For: TimeSpan }

/// The brokers that a client begins with: some addresses, or a DNS SRV name that stands for them. What an SRV name was found to stand for
/// is kept as long as its records allow, and forgotten as soon as one of its brokers cannot be connected to. It may be shared by clients and by
/// threads, which then share what was found.
[<Sealed>]
type Bootstrap private (source: Source) =
    // A value that does not change, in a place that is read and written whole: two threads may look up at once, which does no harm.
    let mutable kept: Kept option = None

    // The order of RFC 2782: by priority, and among equals by a draw in which each has a chance in proportion to its weight. (The least of
    // exponential variables with these rates is such a draw, and so is the least of those that remain.) A weight of zero leaves a small chance.
    let inOrder (records: SrvRecord list) : BrokerAddress list =
        let draw (record: SrvRecord) = -Math.Log(1.0 - Random.Shared.NextDouble()) / max 0.01 (float record.Weight)

        records |> List.map (fun record -> (record.Priority, draw record), record.Target) |> List.sortBy fst |> List.map snd

    let lookUp
        (name: string)
        (lookUp: ISrvLookUp)
        (deadline: Deadline)
        (cancellation: CancellationToken)
        : Result<SrvRecord list, ClientFault> =
        try
            match List.ofSeq (deadline.Await(cancellation, (fun stop -> lookUp.LookUp(name, stop)))) with
            | [] -> Error(ClientFault.LookUpFailed(name, "the name has no SRV record"))
            | records ->
                kept <- Some { Records = records; Since = deadline.Time.GetTimestamp(); For = records |> List.map _.TimeToLive |> List.min }

                Ok records
        with
        | _ when cancellation.IsCancellationRequested -> Error ClientFault.Cancelled
        | :? ClientFaultException as known -> Error known.Fault
        | error -> Error(ClientFault.LookUpFailed(name, error.Message))

    /// Some addresses.
    static member internal Of(addresses: BrokerAddress list) = Bootstrap(Source.Addresses addresses)

    /// What an SRV name stands for.
    static member internal Of(name: string, lookUp: ISrvLookUp) = Bootstrap(Source.Service(name, lookUp))

    /// The brokers in the order in which they are to be tried: at random, so that clients spread over them.
    member internal _.Brokers(deadline: Deadline, cancellation: CancellationToken) : Result<BrokerAddress list, ClientFault> =
        match source, kept with
        | Source.Addresses addresses, _ -> Ok(List.randomShuffle addresses)
        | Source.Service _, Some kept when deadline.Time.GetElapsedTime kept.Since < kept.For -> Ok(inOrder kept.Records)
        | Source.Service(name, found), _ -> lookUp name found deadline cancellation |> Result.map inOrder

    /// Forgets what an SRV name was found to stand for, so that it is looked up again when it is needed next.
    member _.Forget() = kept <- None

    /// As in `kafka-1:9092,kafka-2:9092`, or the SRV name.
    override _.ToString() =
        match source with
        | Source.Addresses addresses -> addresses |> List.map string |> String.concat ","
        | Source.Service(name, _) -> name

[<RequireQualifiedAccess>]
module Bootstrap =

    /// Brokers of the cluster. Not all need to be named, but more than one, so that one may be down.
    let ofAddresses (addresses: BrokerAddress list) : Bootstrap = Bootstrap.Of addresses

    /// The brokers of a list such as `kafka-1:9092,[::1]:9092`, or why it is none.
    let parse (text: string) : Result<Bootstrap, string> = BrokerAddress.parseList text |> Result.map ofAddresses

    /// The brokers that a DNS SRV name such as `_kafka._tcp.example.org` stands for, looked up when they are first needed.
    let ofService (lookUp: ISrvLookUp) (name: string) : Bootstrap = Bootstrap.Of(name, lookUp)
