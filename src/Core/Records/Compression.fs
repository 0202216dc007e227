namespace LibKafka.Records

open System
open System.Buffers
open LibKafka.Wire

/// Packs and unpacks the records of a batch. The library has no codec of its own: whoever wants one hands it in. One value may be used
/// for many batches, and by several threads where it says so itself.
///
/// What a codec throws becomes the fault `CodecFailed`. It need not bound its output: the destination does, and refuses more than the
/// limits allow.
type ICompressionCodec =
    /// The compression that it implements, which goes into the attributes of the batches that it packs.
    abstract Type: CompressionType

    /// Writes the packed form of all of the source.
    abstract Compress: source: ReadOnlyMemory<byte> * destination: IBufferWriter<byte> -> unit

    /// Writes what the source was packed from. It reads all of the source, and throws where that is malformed or cut off.
    /// Asking the destination for room that is not going to be filled is well up to 64 KiB; a larger request that the limits cannot
    /// satisfy is refused before memory is taken for it.
    abstract Decompress: source: ReadOnlyMemory<byte> * destination: IBufferWriter<byte> -> unit

/// The codecs that a caller gives: at most one for each compression type. It does not change.
[<Sealed>]
type Codecs internal (byCode: (ICompressionCodec | null)[]) =

    /// The codec for a compression type, or null where none was given.
    member _.Find(compression: CompressionType) : ICompressionCodec | null =
        let code = int compression
        if code >= 0 && code < byCode.Length then byCode[code] else null

    /// The names of the types that there is a codec for.
    override _.ToString() =
        byCode
        |> Seq.choose (function
            | null -> None
            | codec -> Some(CompressionType.name codec.Type))
        |> String.concat ", "

/// Makes sets of codecs.
[<RequireQualifiedAccess>]
module Codecs =

    /// No codec: only batches that are not compressed can be read.
    let none = Codecs [||]

    /// A set of codecs. Of several for one type the last one counts; one for `None`, or for a type that does not exist, is never asked.
    let ofList (codecs: ICompressionCodec list) : Codecs =
        let byCode = Array.zeroCreate<ICompressionCodec | null> 5

        for codec in codecs do
            let code = int codec.Type
            if code > 0 && code < byCode.Length then byCode[code] <- codec

        Codecs byCode

    /// The codec for a compression type, where one was given.
    let tryFind (compression: CompressionType) (codecs: Codecs) : ICompressionCodec voption =
        match codecs.Find compression with
        | null -> ValueNone
        | codec -> ValueSome codec

/// Memory that codecs write into: it grows, up to a bound, and can be used again. What was made in it (the records of a compressed batch, a
/// compressed batch) is good until it is used for the next one, so a caller who keeps one allocates nothing for each batch.
[<Sealed>]
type CodecBuffer() =
    // A codec that reads a stream asks for room before it knows that the stream has ended.
    static let slack = 64 * 1024
    let mutable buffer: byte[] = Array.empty
    let mutable position = 0
    let mutable most = 0
    let mutable refused = false
    let mutable problem = Problem.NullNotAllowed

    let refuse () : unit =
        refused <- true
        Fault.raise' problem position

    let reserve (sizeHint: int) =
        if sizeHint < 0 then raise (ArgumentOutOfRangeException(nameof sizeHint))
        let room = max 1 sizeHint
        if int64 position + int64 room > int64 most + int64 slack then refuse ()

        if room > buffer.Length - position then
            let doubled = min (2L * int64 buffer.Length) (int64 most + int64 slack)
            let size = min (max (max (int64 position + int64 room) doubled) 256L) (int64 Array.MaxLength)
            let grown = GC.AllocateUninitializedArray<byte>(int size)
            Buffer.BlockCopy(buffer, 0, grown, 0, position)
            buffer <- grown

    /// Forgets what was written and sets the bound in bytes, and the problem that exceeding it is.
    member internal _.Start(bound: int, exceeded: Problem) =
        position <- 0
        most <- bound
        refused <- false
        problem <- exceeded

    /// Leaves bytes to be filled later.
    member internal _.Skip(size: int) =
        reserve size
        position <- position + size

    /// Whether more was asked for than the bound allows.
    member internal _.Refused = refused

    /// The memory: what was written are its first `Length` bytes.
    member internal _.Array = buffer

    /// Bytes written.
    member _.Length = position

    interface IBufferWriter<byte> with
        member _.Advance(count) =
            if count < 0 || count > buffer.Length - position then
                raise (ArgumentOutOfRangeException(nameof count))

            if count > most - position then refuse ()
            position <- position + count

        member _.GetMemory(sizeHint) =
            reserve sizeHint
            buffer.AsMemory position

        member _.GetSpan(sizeHint) =
            reserve sizeHint
            buffer.AsSpan position

/// Runs codecs, turning what they throw into faults.
[<RequireQualifiedAccess>]
module internal Compression =

    let private guarded (codec: ICompressionCodec) (buffer: CodecBuffer) (exceeded: Problem) (run: unit -> unit) : Result<unit, Fault> =
        let fail problem = Error(Fault.at 0 problem)

        try
            run ()
            // A codec may have caught the refusal itself.
            if buffer.Refused then fail exceeded else Ok()
        with
        | :? FaultException as refusal -> fail refusal.Problem
        | _ when buffer.Refused -> fail exceeded
        | failure -> fail (Problem.CodecFailed(CompressionType.name codec.Type, failure.Message))

    /// Appends the packed form of the source behind `prefix` bytes that are left for the caller to fill.
    let compress (codec: ICompressionCodec) (prefix: int) (source: ReadOnlyMemory<byte>) (buffer: CodecBuffer) : Result<unit, Fault> =
        let exceeded = Problem.TooLong(int64 Array.MaxLength + 1L, int64 Array.MaxLength)
        buffer.Start(Array.MaxLength, exceeded)

        guarded codec buffer exceeded (fun () ->
            buffer.Skip prefix
            codec.Compress(source, buffer))

    /// The compression where there is such a one; otherwise a fault at that place.
    let known (at: int) (compression: CompressionType) : Result<CompressionType, Fault> =
        match compression with
        | CompressionType.None
        | CompressionType.Gzip
        | CompressionType.Snappy
        | CompressionType.Lz4
        | CompressionType.Zstd -> Ok compression
        | other -> Error(Fault.at at (Problem.UnknownCodec(int other)))

    /// The codec for a compression; where none was given, a fault at that place.
    let find (at: int) (codecs: Codecs) (compression: CompressionType) : Result<ICompressionCodec, Fault> =
        match codecs.Find compression with
        | null -> Error(Fault.at at (Problem.CodecMissing(CompressionType.name compression)))
        | codec -> Ok codec

    /// Appends what the source was packed from behind `prefix` bytes that are left for the caller to fill, at most `most` of it.
    let decompress
        (codec: ICompressionCodec)
        (most: int)
        (prefix: int)
        (source: ReadOnlyMemory<byte>)
        (buffer: CodecBuffer)
        : Result<unit, Fault> =
        let exceeded = Problem.DecompressedTooLarge(int64 most)
        buffer.Start(int (min (int64 (max 0 most) + int64 prefix) (int64 Array.MaxLength)), exceeded)

        guarded codec buffer exceeded (fun () ->
            buffer.Skip prefix
            codec.Decompress(source, buffer))
