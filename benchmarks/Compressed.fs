/// Compressed batches: what they cost, and how much of that is the codec's own doing.
module LibKafka.Benchmarks.Compressed

open System
open System.Buffers
open System.IO
open System.IO.Compression
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Benchmarks.Rows

/// gzip as the class library has it, with memory that is used again: collecting garbage would be a part of what is measured.
let private gzip: ICompressionCodec =
    let packed = new MemoryStream()

    { new ICompressionCodec with
        member _.Type = CompressionType.Gzip

        member _.Compress(source, destination) =
            packed.SetLength 0L

            using (new GZipStream(packed, CompressionLevel.Fastest, leaveOpen = true)) (fun stream -> stream.Write source.Span)
            BuffersExtensions.Write(destination, ReadOnlySpan(packed.GetBuffer(), 0, int packed.Length))

        member _.Decompress(source, destination) =
            packed.SetLength 0L
            packed.Write source.Span
            packed.Position <- 0L
            use stream = new GZipStream(packed, CompressionMode.Decompress, leaveOpen = true)
            let mutable count = stream.Read(destination.GetSpan 4096)

            while count > 0 do
                destination.Advance count
                count <- stream.Read(destination.GetSpan 4096) }

/// Those that are measured.
let private codecs: ICompressionCodec list = [ gzip ]

let private rounds = 41

/// Memory for a codec that runs by itself.
let private started (buffer: CodecBuffer) : CodecBuffer =
    buffer.Start(Array.MaxLength, Problem.DecompressedTooLarge(int64 Array.MaxLength))
    buffer

/// A row for the time and a row for the rate, both by the bytes that are not compressed. The floor is the codec alone, so the part of it that is
/// reached is the part of the time that the codec takes.
let private rowsOf (name: string) (shape: Shapes.Shape) (bytes: int) (whole: unit -> unit) (codecAlone: unit -> unit) : Row list =
    let count = float shape.Inputs.Length
    let allocated = allocatedBy whole / count

    match takingTurns rounds [ whole; codecAlone ] with
    | [ whole; alone ] ->
        let row unit (scale: float -> float) : Row =
            { Name = name
              Shape = shape.Name
              Unit = unit
              Value = scale whole
              Floor = Nullable(scale alone)
              Peers = peers []
              AllocatedPerRecord = Nullable allocated }

        [ row "ns/record" (fun time -> time / count); row "GB/s" (fun time -> float bytes / time) ]
    | _ -> invalidOp "two kinds of work have two times"

let private both (codec: ICompressionCodec) (shape: Shapes.Shape) : Row list =
    let name = CompressionType.name codec.Type
    let builder = BatchBuilder BatchOptions.standard
    let plain = (Micro.encode (BatchBuilder BatchOptions.standard) shape).Copy()
    let packed = Micro.orFail (RecordBatch.compress codec plain)
    let ours, alone = CodecBuffer(), CodecBuffer()
    let known = Codecs.ofList [ codec ]

    rowsOf
        ("encode " + name)
        shape
        plain.SizeInBytes
        (fun () -> Micro.encode builder shape |> RecordBatch.compressIn ours codec |> Micro.orFail |> ignore)
        (fun () -> codec.Compress(plain.Payload.Memory, started alone))
    @ rowsOf
        ("decode " + name)
        shape
        plain.SizeInBytes
        (fun () -> RecordBatch.openRecordsIn ours Limits.standard known packed |> Micro.orFail |> Micro.sumOf |> ignore)
        (fun () -> codec.Decompress(packed.Payload.Memory, started alone))

/// Every codec with every shape, each way.
let rows () : Row list =
    [ for codec in codecs do
          for name in Shapes.names do
              yield! both codec (Shapes.byName name) ]
