/// Compressed batches: what they cost, and how much of that is the codec's share.
module LibKafka.Benchmarks.Compressed

open System
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Benchmarks.Rows

/// The codecs that are measured. gzip at its fastest level, because at its default level nothing else is visible.
let private codecs: ICompressionCodec list = [ Gzip 1; Snappy(); Lz4(); Zstd() ]

let private rounds = 41

/// A buffer for a codec that runs alone.
let private started (buffer: CodecBuffer) : CodecBuffer =
    buffer.Start(Array.MaxLength, Problem.DecompressedTooLarge(int64 Array.MaxLength))
    buffer

/// A row for the time and a row for the rate, both for the uncompressed bytes. The floor is the codec alone, so the percentage of it that is
/// reached is the codec's share of the time.
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
    let reading = { Reading.withCodecs (CompressionCodecs.ofList [ codec ]) with Buffer = ValueSome ours }

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
        (fun () -> RecordBatch.openRecords reading packed |> Micro.orFail |> Micro.sumOf |> ignore)
        (fun () -> codec.Decompress(packed.Payload.Memory, started alone))

/// Every codec with every shape, in both directions.
let rows () : Row list =
    [ for codec in codecs do
          for name in Shapes.names do
              yield! both codec (Shapes.byName name) ]
