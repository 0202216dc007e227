/// Helpers of the client's tests: settings, batches, and access to values that should be there.
module LibKafka.Integration.Support

open System
open System.Diagnostics
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client

let ms (milliseconds: int) = TimeSpan.FromMilliseconds(float milliseconds)

/// Time-outs that no test is meant to reach, so that a test that hangs ends.
let patient = { ClientSettings.standard with ConnectTimeout = ms 20_000; CallTimeout = ms 20_000 }

/// The value, or a failed test with the problem.
let ok (result: Result<'T, 'Problem>) : 'T =
    match result with
    | Ok value -> value
    | Error problem -> failtestf "this went wrong: %O" problem

/// The fault, or a failed test.
let faultOf (result: Result<'T, 'Failure>) : ClientFault =
    match result |> Result.mapError box with
    | Error(:? ClientFault as fault) -> fault
    | Error(:? CallFailure as failure) when failure.IsFault ->
        match failure with
        | CallFailure.Fault fault -> fault
        | CallFailure.Code code -> failtestf "a fault was expected, not %O" code
    | Error(:? LeaveFailure as failure) when failure.IsFault ->
        match failure.First with
        | CallFailure.Fault fault -> fault
        | CallFailure.Code code -> failtestf "a fault was expected, not %O" code
    | Error other -> failtestf "a fault was expected, not %O" other
    | Ok _ -> failtest "a fault was expected, and there was none"

/// The error code of a call, which is `None` if it has succeeded, or the fault.
let codeOf (result: Result<'T, CallFailure>) : Result<ErrorCode, ClientFault> =
    match result with
    | Ok _ -> Ok ErrorCode.None
    | Error(CallFailure.Code code) -> Ok code
    | Error(CallFailure.Fault fault) -> Error fault

/// An operation as a public method of the client begins it.
let internal operation (settings: ClientSettings) : Operation = Operation.Begin(settings, None)

/// A bare transport to an address.
let internal transportTo (address: BrokerAddress) (operation: Operation) : Transport =
    Transport.Addresses(address, operation)
    |> Result.bind (fun addresses -> Transport.Open(address, addresses.Head, operation))
    |> ok

let text (value: string) = ValueSome(Bytes.ofString value)

/// An hour ago: close enough to the clock of any broker, and too recent to be deleted.
let start = DateTimeOffset.UtcNow.AddHours(-1.0).ToUnixTimeMilliseconds()

/// A plain record with an offset in its batch.
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

/// Where to continue after a fetch, if there is nothing to decide.
let positionBehind (fetched: Fetched) : FetchPosition =
    match Fetched.advance fetched with
    | Advance.To position -> position
    | other -> failtestf "a position was expected: %O" other

let nextOffset (fetched: Fetched) : int64 = (positionBehind fetched).Offset

/// Fetches from the fetcher's offset on until it reaches `finish`, and passes on each fetch.
let readUntil (finish: int64) (fetcher: PartitionFetcher) (take: Fetched -> unit) =
    let patience = Stopwatch.StartNew()

    while fetcher.Offset < finish do
        let fetched = fetcher.Fetch()
        ok fetched.Result |> ignore

        if patience.Elapsed > patient.CallTimeout then
            failtestf "nothing comes at %d, and the log should end at %d" fetched.Offset finish

        take fetched
        fetcher.Position <- positionBehind fetched

/// The records from the fetcher's offset on up to `finish`.
let fetchUntil (finish: int64) (fetcher: PartitionFetcher) : RecordData list =
    let records = ResizeArray<RecordData>()
    readUntil finish fetcher (fun fetched -> records.AddRange(recordsOf fetched))
    List.ofSeq records

/// The offset of a produced batch.
let acknowledged (produced: Produced) : int64 =
    match produced.Result with
    | ProduceResult.Acknowledged at -> at.BaseOffset
    | other -> failtestf "an acknowledgement was expected: %O" other

/// Collects what a client's observer receives, and in which thread.
type Observer() =
    let told = ResizeArray<ExchangeInfo * int>()

    /// For `ClientSettings.Observe`.
    member _.Note(info: ExchangeInfo) = lock told (fun () -> told.Add(info, Environment.CurrentManagedThreadId))

    member _.Exchanges: ExchangeInfo list = lock told (fun () -> told |> Seq.map fst |> List.ofSeq)

    /// The threads in which they were received.
    member _.Threads: int list = lock told (fun () -> told |> Seq.map snd |> Seq.distinct |> List.ofSeq)
