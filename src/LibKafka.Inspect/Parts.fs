/// Prints a log on several processors. Each prints parts of it, and the output of the parts is written in their order.
module LibKafka.Inspect.Parts

open System
open System.IO
open System.Runtime.ExceptionServices
open System.Threading
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Inspect.Utf8Output
open LibKafka.Inspect.Input
open LibKafka.Inspect.Records

/// How a log is divided.
[<Struct>]
type Division =
    {
        /// How many threads print.
        Workers: int
        /// The size of a part, unless one batch is larger.
        PartBytes: int
    }

[<RequireQualifiedAccess>]
module Division =

    /// For all processors. More than eight would wait for the output, which one of them writes at a time.
    let standard = { Workers = min 8 Environment.ProcessorCount; PartBytes = 262144 }

    /// Whether the input is large enough.
    let isWorthwhile (division: Division) (input: Stream) = division.Workers > 1 && input.Length >= 2L * int64 division.PartBytes

/// Raised in a thread that prints if nothing more must be written.
[<Sealed>]
type private Stopped() =
    inherit Exception()

/// Makes threads write in the order of their parts.
[<Sealed>]
type private Turns() =
    let gate = obj ()
    let mutable turn = 0
    let mutable isStopped = false
    let mutable failure: exn option = None

    let await (part: int) =
        while turn < part && not isStopped do
            Monitor.Wait gate |> ignore

    /// Waits until the parts before this one are written.
    member _.Await(part: int) =
        lock gate (fun () ->
            await part
            if isStopped then raise (Stopped()))

    /// Ends the turn of a part.
    member _.Pass() =
        lock gate (fun () ->
            turn <- turn + 1
            Monitor.PulseAll gate)

    /// Stops the threads in the turn of a part. The later parts are not written.
    member _.Stop(part: int, reason: exn option) =
        lock gate (fun () ->
            await part

            if not isStopped then
                isStopped <- true
                failure <- reason
                Monitor.PulseAll gate)

    /// The failure that stopped the threads, after all of them have ended.
    member _.Failure = failure

/// The number of a part, and its bytes.
[<Struct; NoEquality; NoComparison>]
type private Part = { Number: int; Bytes: ByteReader }

/// Divides a log between batches. Threads may share it.
[<Sealed>]
type private Parts(input: Stream, limits: Limits) =
    let gate = obj ()
    let mutable position = 0L
    let mutable number = 0
    let mutable ended = false

    /// Reads bytes from the position on. Returns fewer than the buffer has room for only at the end.
    let rec fill (buffer: byte[]) (count: int) : int =
        match readInto input buffer count (buffer.Length - count) with
        | 0 -> count
        | size -> fill buffer (count + size)

    /// Reads whole batches from the position on into the buffer, or into a larger one if the first does not fit. Returns their size.
    let rec readWhole (buffer: byref<byte[]>) : int =
        input.Position <- position
        let bytes = Bytes(ReadOnlyMemory<byte>(buffer, 0, fill buffer 0))
        let size = batchSize bytes

        match RecordSet.wholeSize bytes with
        | 0 when size > int64 buffer.Length && size <= min (int64 limits.MaxFrameBytes) (input.Length - position) ->
            buffer <- Array.zeroCreate (int size)
            readWhole &buffer
        | whole -> whole

    /// What is not a whole batch, or cannot be read, is left to the one who reads the rest: the end of the log is there.
    let wholeOrNone (buffer: byref<byte[]>) : int =
        try
            readWhole &buffer
        with :? InputFailure ->
            0

    /// The next part, for a thread that reads it before it uses the buffer again.
    member _.Next(buffer: byref<byte[]>) : Part voption =
        Monitor.Enter gate

        try
            if ended then
                ValueNone
            else
                let start = position
                let size = wholeOrNone &buffer
                position <- position + int64 size
                ended <- size = 0
                number <- number + 1
                if ended then input.Position <- start
                let bytes = if ended then ByteReader.Rest(input, start) else ByteReader.OfBytes(buffer, size, start)
                ValueSome { Number = number - 1; Bytes = bytes }
        finally
            Monitor.Exit gate

/// One thread that prints.
[<Sealed>]
type private Worker<'Printer>
    (
        parts: Parts,
        turns: Turns,
        division: Division,
        target: Utf8Output,
        newPrinter: Utf8Output -> 'Printer,
        print: 'Printer -> ByteReader -> bool
    ) =

    let mutable buffer = Array.zeroCreate<byte> division.PartBytes
    let mutable part = 0

    let sink =
        { new Sink with
            member _.Write(lines) =
                turns.Await part
                target.Lines lines

            member _.Flush() = () }

    // The output of a part is collected until its turn, but not without a limit: records may have been compressed to a hundredth.
    let output = Utf8Output(sink, 16 * division.PartBytes)
    let printer = newPrinter output

    let rec work () =
        match parts.Next &buffer with
        | ValueNone -> ()
        | ValueSome next ->
            part <- next.Number
            let isLast = print printer next.Bytes
            output.Flush()

            if isLast then
                turns.Stop(part, None)
            else
                turns.Pass()
                work ()

    /// Prints parts until there are no more.
    member _.Run() =
        try
            try
                work ()
            with :? InputFailure ->
                // The lines before the failure.
                output.Flush()
                reraise ()
        with
        | :? Stopped -> ()
        | failure -> turns.Stop(part, Some failure)

    member _.Printer = printer

/// Prints a log on several processors, each with a printer of its own. `print` prints bytes of the log and returns whether nothing must be printed
/// after them. Returns the printers.
let print (division: Division) (limits: Limits) (input: Stream) (target: Utf8Output) newPrinter (print: 'Printer -> ByteReader -> bool) =
    let parts = Parts(input, limits)
    let turns = Turns()
    let workers = [ for _ in 1 .. division.Workers -> Worker<'Printer>(parts, turns, division, target, newPrinter, print) ]
    let threads = [ for worker in workers.Tail -> Thread(worker.Run, IsBackground = true) ]
    threads |> List.iter _.Start()
    workers.Head.Run()
    threads |> List.iter _.Join()
    turns.Failure |> Option.iter (fun failure -> ExceptionDispatchInfo.Throw failure)
    workers |> List.map _.Printer
