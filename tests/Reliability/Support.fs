/// What the reliability tests share: the form and the figures of a run, settings, and what is in the logs of a cluster.
module LibKafka.Reliability.Support

open System
open System.Collections.Concurrent
open System.Diagnostics
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Client
open LibKafka.Testing

let private variable (name: string) : string =
    match Environment.GetEnvironmentVariable name with
    | null -> ""
    | value -> value

/// Whether this is the long form, which tries everything. The short form tries a sample.
let isLong: bool = variable "LIBKAFKA_RELIABILITY" = "long"

/// The minutes of the soak test if it was asked for.
let soakMinutes: float option =
    match variable "LIBKAFKA_SOAK" with
    | "" -> None
    | text -> Some(Double.Parse(text, Globalization.CultureInfo.InvariantCulture))

/// The seed from which all random choices follow. Each run has another one, unless `LIBKAFKA_SEED` sets it.
let seed: int =
    match variable "LIBKAFKA_SEED" with
    | "" -> Random.Shared.Next()
    | text -> Int32.Parse(text, Globalization.CultureInfo.InvariantCulture)

/// Counts of what a run has done, which are printed at its end.
[<RequireQualifiedAccess>]
module Figures =

    let private counts = ConcurrentDictionary<string, int64>()

    let add (name: string) (count: int) = counts.AddOrUpdate(name, int64 count, (fun _ before -> before + int64 count)) |> ignore

    /// Prints all counts by name.
    let print () =
        for entry in counts |> Seq.sortBy (fun entry -> entry.Key) do
            printfn "%12d  %s" entry.Value entry.Key

let ms (milliseconds: int) = TimeSpan.FromMilliseconds(float milliseconds)

let minute = TimeSpan.FromMinutes 1.0

/// The value, or a failed test with the problem.
let ok (result: Result<'T, 'Problem>) : 'T =
    match result with
    | Ok value -> value
    | Error problem -> failtestf "this went wrong: %O" problem

/// Time-outs that are only reached by a request that is not answered.
let settings: ClientSettings = { ClientSettings.standard with ConnectTimeout = ms 5_000; CallTimeout = ms 5_000 }

/// The same, with time-outs for brokers that often do not answer.
let impatient: ClientSettings = { ClientSettings.standard with ConnectTimeout = ms 250; CallTimeout = ms 250 }

let bootstrap (kafka: TestBroker) : Bootstrap = Bootstrap.parse kafka.Bootstrap |> ok

/// Repeats a call until it succeeds.
let rec persistently (what: string) (attempts: int) (call: unit -> Result<'T, string>) : 'T =
    match call () with
    | Ok value -> value
    | Error problem when attempts <= 1 -> failtestf "%s: %s" what problem
    | Error _ ->
        Thread.Sleep 2
        persistently what (attempts - 1) call

/// Waits until something is so.
let awaiting (what: string) (most: TimeSpan) (isDone: unit -> bool) =
    let patience = Stopwatch.StartNew()

    while not (isDone ()) do
        if patience.Elapsed > most then failtestf "waited in vain for %s" what
        Thread.Sleep 1

let record (offset: int) (value: string) : RecordData =
    { Offset = int64 offset
      Timestamp = 1_790_000_000_000L + int64 offset
      Key = ValueNone
      Value = ValueSome(Bytes.ofString value)
      Headers = [] }

/// A batch of records with these values.
let batchOf (values: string list) : RecordBatch = BatchBuilder.build BatchOptions.standard (List.mapi record values) |> ok

let textOf (value: Bytes voption) : string = value |> ValueOption.map Bytes.toText |> ValueOption.defaultValue "null"

let valuesIn (batch: RecordBatch) : (int64 * string) list =
    [ for record in RecordBatch.toList Reading.standard batch |> ok -> record.Offset, textOf record.Value ]

/// The batches of a partition's log, control batches included.
let batchesOf (kafka: TestBroker) (topic: string) (partition: int) : RecordBatch list =
    List.ofSeq kafka.State.Topics[topic].Partitions[partition].Log.Batches

/// The offsets and values of a partition's log, whether or not they are committed.
let logOf (kafka: TestBroker) (topic: string) (partition: int) : (int64 * string) list =
    [ for record in kafka.Log(topic, partition) -> record.Offset, textOf record.Value ]

/// The offsets and values of the records of a partition that are committed, or part of no transaction.
let committedOf (kafka: TestBroker) (topic: string) (partition: int) : (int64 * string) list =
    let take (settled, openBy: Map<int64, (int64 * string) list>) (batch: RecordBatch) =
        let mine = openBy |> Map.tryFind batch.ProducerId |> Option.defaultValue []

        if batch.IsControl then
            let marker = RecordBatch.toList Reading.standard batch |> ok |> List.head
            let isCommit = marker.Key |> ValueOption.exists (fun key -> key.Span[3] = 1uy)
            (if isCommit then mine @ settled else settled), openBy.Remove batch.ProducerId
        elif batch.IsTransactional then
            settled, openBy.Add(batch.ProducerId, valuesIn batch @ mine)
        else
            valuesIn batch @ settled, openBy

    batchesOf kafka topic partition |> List.fold take ([], Map.empty) |> fst |> List.sort

/// Retries soon, and until it is clear that something is wrong.
let quickly (policy: RetryPolicy<'Result>) : RetryPolicy<'Result> =
    { policy with Attempts = Int32.MaxValue; FirstDelay = ms 1; MaxDelay = ms 8; TimeLimit = TimeSpan.FromSeconds 20.0 }

/// Fails if the brokers have thrown an exception.
let demandSound (kafka: TestBroker) = Expect.equal kafka.Failures [] "exceptions of the brokers"

/// The exception of an observer that throws.
exception ObserverFailed

/// An observer that throws at some exchanges, while it is switched on.
[<Sealed>]
type Thrower(figure: string, seed: int) =
    let random = Random seed
    member val IsOn = false with get, set

    member this.Observe(_: ExchangeInfo) =
        if this.IsOn && random.Next 12 = 0 then
            Figures.add figure 1
            raise ObserverFailed

/// Runs a call whose observer may throw. None if it has.
let guarded (call: unit -> 'T) : 'T option =
    try
        Some(call ())
    with ObserverFailed ->
        None
