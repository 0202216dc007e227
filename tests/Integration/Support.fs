/// What the tests of the client have in common: settings, batches, and getting at values that should be there.
module LibKafka.Integration.Support

open System
open System.Diagnostics
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Client

let ms (milliseconds: int) = TimeSpan.FromMilliseconds(float milliseconds)

/// Time-outs that no test means to reach, so that a test that hangs ends.
let patient = { ClientSettings.standard with ConnectTimeout = ms 20_000; CallTimeout = ms 20_000 }

/// The value, or a failed test that says what stands in its place.
let ok (result: Result<'T, 'Problem>) : 'T =
    match result with
    | Ok value -> value
    | Error problem -> failtestf "this went wrong: %O" problem

/// The fault, or a failed test.
let faultOf (result: Result<'T, ClientFault>) : ClientFault =
    match result with
    | Error fault -> fault
    | Ok _ -> failtest "a fault was expected, and there was none"

/// A token that is never cancelled.
let never = CancellationToken.None

let text (value: string) = ValueSome(Bytes.ofString value)

/// An hour ago: no broker finds it too far from its own clock, or so old that it may be deleted.
let start = DateTimeOffset.UtcNow.AddHours(-1.0).ToUnixTimeMilliseconds()

/// A record with a place in its batch and nothing else of note.
let record (offset: int) (value: string) : RecordData =
    { Offset = int64 offset; Timestamp = start + int64 offset; Key = ValueNone; Value = text value; Headers = [] }

/// A batch to produce: offsets count from 0.
let batchOf (records: RecordData list) : RecordBatch = BatchBuilder.build BatchOptions.standard records |> ok

/// A batch of so many records, each with its own value.
let batch (name: string) (count: int) : RecordBatch = batchOf (List.init count (fun i -> record i (name + string i)))

/// The records of the batches of a fetch. A batch that cannot be read fails the test.
let recordsOf (fetched: Fetched) : RecordData list =
    [ for item in fetched.Batches do
          match item with
          | RecordSetItem.Batch(batch, _) -> yield! RecordBatch.toList Reading.standard batch |> ok
          | RecordSetItem.Legacy(batch, _) ->
              yield! (LegacyBatch.openRecords Reading.standard batch |> Result.bind BatchRecords.toList |> ok)
          | RecordSetItem.Corrupt stretch -> failtestf "unreadable: %O" stretch
          | RecordSetItem.CutOff _ -> () ]

let valuesOf (records: RecordData list) : string list =
    records |> List.map (fun record -> record.Value |> ValueOption.map Bytes.toText |> ValueOption.defaultValue "null")

/// Where a fetch says to go on, where there is nothing to decide.
let positionBehind (fetched: Fetched) : FetchPosition =
    match Fetched.advance fetched with
    | Advance.To position -> position
    | other -> failtestf "a position was expected: %O" other

let nextOffset (fetched: Fetched) : int64 = (positionBehind fetched).Offset

/// Fetches from the fetcher's offset on until it stands at `finish`, and hands over each fetch that brought something.
let readUntil (finish: int64) (fetcher: PartitionFetcher) (take: Fetched -> unit) =
    let patience = Stopwatch.StartNew()

    while fetcher.Offset < finish do
        let fetched = fetcher.Fetch()
        let answer = ok fetched.Result

        if answer.Error.IsError then
            failtestf "the fetch at %d was refused: %O" fetched.Offset answer.Error

        if patience.Elapsed > patient.CallTimeout then
            failtestf "nothing comes at %d, and the log should end at %d" fetched.Offset finish

        take fetched
        fetcher.Position <- positionBehind fetched

/// The records from the fetcher's offset on up to `finish`.
let fetchUntil (finish: int64) (fetcher: PartitionFetcher) : RecordData list =
    let records = ResizeArray<RecordData>()
    readUntil finish fetcher (fun fetched -> records.AddRange(recordsOf fetched))
    List.ofSeq records

/// The offset at which a produced batch stands.
let acknowledged (produced: Produced) : int64 =
    match produced.Outcome with
    | ProduceOutcome.Acknowledged at -> at.BaseOffset
    | other -> failtestf "an acknowledgement was expected: %O" other

/// Collects what a client tells its observer, and in which thread.
type Observer() =
    let told = ResizeArray<ExchangeInfo * int>()

    /// For `ClientSettings.Observe`.
    member _.Note(info: ExchangeInfo) = lock told (fun () -> told.Add(info, Environment.CurrentManagedThreadId))

    member _.Exchanges: ExchangeInfo list = lock told (fun () -> told |> Seq.map fst |> List.ofSeq)

    /// The threads in which they were told.
    member _.Threads: int list = lock told (fun () -> told |> Seq.map snd |> Seq.distinct |> List.ofSeq)
