namespace LibKafka.Client

open System
open LibKafka.Wire
open System.Collections.Generic
open System.Threading
open System.Threading.Tasks

/// A broker in a DNS SRV record (RFC 2782).
type SrvRecord =
    {
        Target: BrokerAddress
        /// Brokers with a lower number are tried before those with a higher one.
        Priority: int
        /// Among brokers of the same priority, how often this one comes first in proportion to the others.
        Weight: int
        /// How long the record may be cached.
        TimeToLive: TimeSpan
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show
            [ "Target", box this.Target
              "Priority", box this.Priority
              "Weight", box this.Weight
              "TimeToLive", box this.TimeToLive ]

/// Looks up DNS SRV names. The core has no implementation of its own. One value may be used by several threads. An exception that it throws
/// becomes the fault `LookUpFailed`.
type ISrvLookUp =
    /// The records of a name such as `_kafka._tcp.example.org`. The caller's thread waits for the task while its call has time; the token is
    /// cancelled when it stops waiting.
    abstract LookUp: name: string * cancellation: CancellationToken -> Task<IReadOnlyList<SrvRecord>>

/// How the brokers are known.
[<RequireQualifiedAccess>]
type private Source =
    | Addresses of BrokerAddress list
    | Service of name: string * lookUp: ISrvLookUp

/// The result of a look-up, and its time by the clock of the caller.
[<NoEquality; NoComparison>]
type private Kept = { Records: SrvRecord list; Since: int64; For: TimeSpan }

/// The brokers that a client connects to first: some addresses, or a DNS SRV name for them. The records of an SRV name are cached as long as
/// their time to live allows, and until one of the brokers cannot be connected to. A value may be shared by clients and by threads, which then
/// share the cache.
[<Sealed>]
type Bootstrap private (source: Source) =
    // An immutable value in a field that is read and written atomically. Two threads may look up at once, which does no harm.
    let mutable kept: Kept option = None

    // The order of RFC 2782: by priority, and within a priority a random order in which each record's chance to come first is proportional to its
    // weight. (The smallest of exponential variables with these rates has this distribution, and so has the smallest of the remaining ones.) A
    // weight of zero leaves a small chance.
    let inOrder (records: SrvRecord list) : BrokerAddress list =
        let draw (record: SrvRecord) = -Math.Log(1.0 - Random.Shared.NextDouble()) / max 0.01 (float record.Weight)

        records |> List.map (fun record -> (record.Priority, draw record), record.Target) |> List.sortBy fst |> List.map snd

    let lookUp (name: string) (lookUp: ISrvLookUp) (operation: Operation) : Result<SrvRecord list, ClientFault> =
        let time = operation.Settings.Time

        try
            match List.ofSeq (operation.Deadline.Await(operation.Cancellation, (fun stop -> lookUp.LookUp(name, stop)))) with
            | [] -> Error(ClientFault.LookUpFailed(name, "the name has no SRV record"))
            | records ->
                kept <- Some { Records = records; Since = time.GetTimestamp(); For = records |> List.map _.TimeToLive |> List.min }

                Ok records
        with
        | _ when operation.Cancellation.IsCancellationRequested -> Error ClientFault.Cancelled
        | :? ClientFaultException as known -> Error known.Fault
        | error -> Error(ClientFault.LookUpFailed(name, error.Message))

    /// Some addresses.
    static member internal Of(addresses: BrokerAddress list) = Bootstrap(Source.Addresses addresses)

    /// The brokers of an SRV name.
    static member internal Of(name: string, lookUp: ISrvLookUp) = Bootstrap(Source.Service(name, lookUp))

    /// The brokers in the order in which to try them: a random one, so that clients spread over them.
    member internal _.Brokers(operation: Operation) : Result<BrokerAddress list, ClientFault> =
        match source, kept with
        | Source.Addresses addresses, _ -> Ok(List.randomShuffle addresses)
        | Source.Service _, Some kept when operation.Settings.Time.GetElapsedTime kept.Since < kept.For -> Ok(inOrder kept.Records)
        | Source.Service(name, found), _ -> lookUp name found operation |> Result.map inOrder

    /// Clears the cache, so that an SRV name is looked up again when it is needed next.
    member _.Forget() = kept <- None

    /// As in `kafka-1:9092,kafka-2:9092`, or the SRV name.
    override _.ToString() =
        match source with
        | Source.Addresses addresses -> addresses |> List.map string |> String.concat ","
        | Source.Service(name, _) -> name

[<RequireQualifiedAccess>]
module Bootstrap =

    /// Some brokers of the cluster. They need not be all, but should be more than one in case one is down.
    let ofAddresses (addresses: BrokerAddress list) : Bootstrap = Bootstrap.Of addresses

    /// The brokers of a list such as `kafka-1:9092,[::1]:9092`. The fault `InvalidSetting` says why the text is not such a list.
    let parse (text: string) : Result<Bootstrap, ClientFault> =
        match BrokerAddress.parseList text with
        | Ok addresses -> Ok(ofAddresses addresses)
        | Error reason -> Error(ClientFault.InvalidSetting("bootstrap", reason))

    /// The brokers of a DNS SRV name such as `_kafka._tcp.example.org`, which is looked up when they are first needed.
    let ofService (lookUp: ISrvLookUp) (name: string) : Bootstrap = Bootstrap.Of(name, lookUp)
