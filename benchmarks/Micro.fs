/// Encoding and decoding in memory: what a record costs before any socket is involved.
module LibKafka.Benchmarks.Micro

open System
open System.Diagnostics
open BenchmarkDotNet.Attributes
open BenchmarkDotNet.Configs
open BenchmarkDotNet.Jobs
open BenchmarkDotNet.Loggers
open BenchmarkDotNet.Reports
open BenchmarkDotNet.Running
open BenchmarkDotNet.Toolchains.InProcess.Emit
open Perfolizer.Horology
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Benchmarks.Baseline
open LibKafka.Benchmarks.Rows
open LibKafka.Benchmarks.Shapes

/// Encodes the batch of a shape in the builder's memory.
let encode (builder: BatchBuilder) (shape: Shape) : RecordBatch =
    builder.Reset()

    for index in 0 .. shape.Inputs.Length - 1 do
        let input = &shape.Inputs[index]
        let key = NullableSpan.op_Implicit input.Key
        let value = NullableSpan(ReadOnlySpan<byte> input.Value)

        // As a caller does it: without headers, the overload without headers.
        let added =
            if input.Headers.Length = 0 then
                builder.TryAdd(input.Timestamp, key, value)
            else
                builder.TryAdd(input.Timestamp, key, value, ReadOnlySpan<RecordHeader> shape.Headers[index])

        if not added then invalidOp "a batch without a limit is full"

    builder.BuildInPlace()

let inline private touch (bytes: ReadOnlySpan<byte>) = if bytes.IsEmpty then 0 else bytes.Length + int bytes[0]

let orFail (result: Result<'T, Fault>) : 'T =
    match result with
    | Ok value -> value
    | Error fault -> invalidOp (fault.ToString())

/// Iterates over records and sums up a part of each, so that nothing can be optimized away.
let sumOf (view: BatchRecords) : int64 =
    let mutable sum = 0L

    for record in view do
        sum <- sum + record.Timestamp + record.Offset + int64 (touch record.Key.Span + touch record.Value.Span)

        if record.HeaderCount > 0 then
            for header in record.Headers do
                sum <- sum + int64 (touch header.Key + touch header.Value.Span)

    sum

/// Opens a batch with all checks, and iterates over its records.
let decode (bytes: Bytes) : int64 = RecordBatch.ofBytes bytes |> Result.bind (RecordBatch.openRecords Reading.standard) |> orFail |> sumOf

/// The loop has its own checksum, and is measured with ours too: the difference is then the handling of records.
let private itsCrc = Checksum RecordBatchLoop.Crc32C

let private ourCrc = Checksum(fun bytes -> Crc32C.compute bytes)

let private encodeStraight (checksum: Checksum) (target: byte[]) (shape: Shape) : int =
    RecordBatchLoop.Encode(target.AsSpan(), ReadOnlySpan shape.Inputs, checksum)

let private decodeStraight (checksum: Checksum) (batch: Bytes) : int64 = RecordBatchLoop.Decode(batch.Span, checksum)

/// The batch as both encoders write it, or an exception if they do not do the same work and cannot be compared.
let private prepare (shape: Shape) : Bytes =
    let batch = (encode (BatchBuilder(BatchOptions.standard)) shape).Bytes
    let straight = Array.zeroCreate<byte> batch.Length
    let size = encodeStraight itsCrc straight shape

    if size <> batch.Length || Bytes straight <> batch then
        invalidOp $"shape {shape.Name}: the two encoders give different bytes"

    if decode batch <> decodeStraight itsCrc batch then
        invalidOp $"shape {shape.Name}: the two decoders read different records"

    batch

/// Runs everything that is measured until tiered compilation is finished. The compiler recompiles hot methods in the background, using
/// profiles of the calls so far. All shapes take turns here, so that the result does not depend on which shape comes first.
let private settle () =
    let batches = names |> List.map (fun name -> let shape = byName name in shape, prepare shape)
    let target = Array.zeroCreate<byte>(batches |> List.map (fun (_, batch) -> batch.Length) |> List.max)
    let builder = BatchBuilder(BatchOptions.standard)
    let clock = Stopwatch.StartNew()

    while clock.Elapsed < TimeSpan.FromSeconds 3.0 do
        for shape, batch in batches do
            encode builder shape |> ignore
            decode batch |> ignore

            for checksum in [ itsCrc; ourCrc ] do
                encodeStraight checksum target shape |> ignore
                decodeStraight checksum batch |> ignore

/// The data of both directions. Memory that is written to is allocated before and reused.
[<AbstractClass>]
type OneBatch() =
    let mutable shape = byName "a"
    let mutable batch = Bytes.empty
    let mutable target: byte[] = Array.empty

    member internal _.Data = shape
    member internal _.Batch = batch
    member internal _.Target = target

    [<Params("a", "b", "c")>]
    member val Shape = "" with get, set

    [<GlobalSetup>]
    member this.Prepare() =
        shape <- byName this.Shape
        batch <- prepare shape
        target <- Array.zeroCreate batch.Length

    /// The least possible work: the bytes are copied once and their checksum is computed once.
    [<Benchmark>]
    member _.Floor() : uint32 =
        batch.Span.CopyTo(target.AsSpan())
        Crc32C.compute (ReadOnlySpan target)

/// From records to a finished batch.
type Encode() =
    inherit OneBatch()
    let builder = BatchBuilder(BatchOptions.standard)

    [<Benchmark>]
    member this.Ours() : int = (encode builder this.Data).SizeInBytes

    [<Benchmark>]
    member this.Straightforward() : int = encodeStraight itsCrc this.Target this.Data

    [<Benchmark>]
    member this.StraightforwardWithOurCrc() : int = encodeStraight ourCrc this.Target this.Data

/// From the bytes of a batch to its records.
type Decode() =
    inherit OneBatch()

    [<Benchmark>]
    member this.Ours() : int64 = decode this.Batch

    [<Benchmark>]
    member this.Straightforward() : int64 = decodeStraight itsCrc this.Batch

    [<Benchmark>]
    member this.StraightforwardWithOurCrc() : int64 = decodeStraight ourCrc this.Batch

    [<Benchmark>]
    member this.Crc() : uint32 = Crc32C.compute this.Batch.Span

/// The number of times that everything is measured, so that other load on the machine affects ours and theirs alike.
let private rounds = 15

/// Many iterations of a few batches each, instead of few long ones: on a shared machine, the scheduler's interruptions, which take
/// milliseconds, then affect some of the iterations, which the median ignores, and not a part of every one.
let private job =
    Job.Default
        .WithToolchain(InProcessEmitToolchain.Instance)
        .WithIterationTime(TimeInterval.FromMicroseconds 300.0)
        .WithUnrollFactor(1)
        .WithWarmupCount(50)
        .WithIterationCount(100)
        .WithGcForce(false)
        .WithEvaluateOverhead(false)

/// Runs in this process: for another one, BenchmarkDotNet would generate a project and look for ours by the assembly's name. Its output goes
/// to a file, because this program prints its own table.
let private config =
    ManualConfig.CreateEmpty().AddJob(job).AddLogger(NullLogger.Instance).WithArtifactsPath("artifacts/benchmarks")

/// A method's name and its shape.
type private Case = string * string

/// The case of a report and the nanoseconds that its batches took.
let private timesIn (report: BenchmarkReport) : Case * float list =
    let case = report.BenchmarkCase
    let method = case.Descriptor.WorkloadMethod.Name

    match report.ResultStatistics with
    | null -> invalidOp $"{method} could not be measured; the newest log in artifacts/benchmarks says why"
    | statistics -> (method, string case.Parameters["Shape"]), List.ofSeq statistics.OriginalValues

/// The median time of a batch in nanoseconds, over all rounds together.
let private measure<'Benchmarks> () : Map<Case, float> =
    settle ()

    [ for _ in 1..rounds do
          for report in BenchmarkRunner.Run<'Benchmarks>(config).Reports do
              timesIn report ]
    |> List.groupBy fst
    |> List.map (fun (case, times) -> case, times |> Seq.collect snd |> median)
    |> Map.ofList

/// A row for the time and a row for the rate. `others` are the names of the peers and their methods.
let private rowsOf name (others: (string * string) list) (allocated: Shape -> float) (measured: Map<Case, float>) shape : Row list =
    let bytes = float (prepare (byName shape)).Length
    let allocatedPerRecord = allocated (byName shape) / float Count

    let row unit (scale: float -> float) : Row =
        let value method = scale measured[(method, shape)]

        { Name = name
          Shape = shape
          Unit = unit
          Value = value "Ours"
          Floor = Nullable(value "Floor")
          Peers = peers [ for peer, method in others -> peer, value method ]
          AllocatedPerRecord = Nullable allocatedPerRecord }

    [ row "ns/record" (fun batchTime -> batchTime / float Count); row "GB/s" (fun batchTime -> bytes / batchTime) ]

let private straightforward =
    [ "straightforward C#", "Straightforward"; "straightforward C#, our crc", "StraightforwardWithOurCrc" ]

let private encodeAllocates (shape: Shape) =
    let builder = BatchBuilder(BatchOptions.standard)
    allocatedBy (fun () -> encode builder shape |> ignore)

let private decodeAllocates (shape: Shape) =
    let batch = prepare shape
    allocatedBy (fun () -> decode batch |> ignore)

/// Encoding, compared with a copy and a checksum of the batch's bytes.
let encodeRows () : Row list =
    let measured = measure<Encode>()
    names |> List.collect (rowsOf "encode" straightforward encodeAllocates measured)

/// Decoding, compared with the same. It copies nothing, so only the checksum is unavoidable.
let decodeRows () : Row list =
    let measured = measure<Decode>()
    names |> List.collect (rowsOf "decode" (straightforward @ [ "crc alone", "Crc" ]) decodeAllocates measured)
