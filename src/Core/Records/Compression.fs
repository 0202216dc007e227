namespace LibKafka.Records

open System
open System.Buffers
open System.Runtime.InteropServices
open LibKafka.Wire

/// Compresses and decompresses the records of a batch. The core has no codec of its own: the caller passes codecs in. One value is used for
/// many batches, and by several threads at once if the implementation says that it is thread-safe.
///
/// An exception from a codec becomes the fault `CodecFailed`. A codec does not have to limit its output: the destination does, and refuses
/// more than the limits allow.
type ICompressionCodec =
    /// The compression that the codec implements. It is written to the attributes of the batches that the codec compresses.
    abstract Type: CompressionType

    /// Writes the compressed form of the whole source.
    abstract Compress: source: ReadOnlyMemory<byte> * destination: IBufferWriter<byte> -> unit

    /// Writes what the source was compressed from. It reads the whole source, and throws if the source is malformed or cut off.
    /// It may ask the destination for up to 64 KiB more than it fills. A larger request that exceeds the limits is refused before memory is
    /// allocated for it.
    abstract Decompress: source: ReadOnlyMemory<byte> * destination: IBufferWriter<byte> -> unit

/// The codecs that the caller provides, at most one for each compression type. Immutable.
[<Sealed>]
type CompressionCodecs internal (byCode: (ICompressionCodec | null)[]) =

    /// The codec for a compression type, or null if there is none.
    member _.Find(compression: CompressionType) : ICompressionCodec | null =
        let code = int compression
        if code >= 0 && code < byCode.Length then byCode[code] else null

    /// The names of the compression types that have a codec.
    override _.ToString() =
        let names =
            byCode
            |> Seq.choose (function
                | null -> None
                | codec -> Some(CompressionType.name codec.Type))

        if Seq.isEmpty names then "none" else String.concat ", " names

/// Sets of codecs.
[<RequireQualifiedAccess>]
module CompressionCodecs =

    /// No codec: only uncompressed batches can be read.
    let none = CompressionCodecs [||]

    /// A set of codecs. The last codec for a type wins. A codec for `None` or for an unassigned type is ignored.
    let ofList (codecs: ICompressionCodec list) : CompressionCodecs =
        let byCode = Array.zeroCreate<ICompressionCodec | null> 5

        for codec in codecs do
            let code = int codec.Type
            if code > 0 && code < byCode.Length then byCode[code] <- codec

        CompressionCodecs byCode

    /// The codec for a compression type, if there is one.
    let tryFind (compression: CompressionType) (codecs: CompressionCodecs) : ICompressionCodec voption =
        match codecs.Find compression with
        | null -> ValueNone
        | codec -> ValueSome codec

/// Memory that codecs write into. It grows up to a limit and is reused. What was written to it (decompressed records, a compressed batch) is
/// valid until the next use, so a caller who keeps one buffer allocates no memory for the records of each batch. Reading it after that raises an
/// InvalidOperationException. So does compressing or decompressing a batch in a buffer into the same buffer. Not thread-safe.
[<Sealed>]
type CodecBuffer() =
    // A codec that reads a stream asks for space before it knows that the stream has ended.
    static let slack = 64 * 1024
    let mutable buffer: byte[] = Array.empty
    let mutable position = 0
    let mutable most = 0
    let mutable refused = false
    let mutable problem = Problem.NullNotAllowed
    let mutable lent: LentMemory | null = null

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

    /// Discards what was written and sets the limit in bytes, together with the problem to report when it is exceeded.
    member internal _.Start(bound: int, exceeded: Problem) =
        match lent with
        | null -> ()
        | ended ->
            lent <- null
            ended.Return()

        position <- 0
        most <- bound
        refused <- false
        problem <- exceeded

    /// Leaves bytes to be filled in later.
    member internal _.Skip(size: int) =
        reserve size
        position <- position + size

    /// Whether more was requested than the limit allows.
    member internal _.Refused = refused

    /// The memory, of which the first `Length` bytes have been written.
    member internal _.Array = buffer

    /// Lends what was written until the next use.
    member internal _.Lend() : LentMemory =
        let taken = new LentMemory(buffer, position, null)
        lent <- taken
        taken

    /// Lends what was decompressed from a source, which may be lent itself: what was written is then valid at most as long as its source.
    member internal this.LendFrom(source: LentMemory | null) : LentMemory =
        match source with
        | null -> this.Lend()
        | source ->
            let taken = new LentMemory(buffer, position, source.Origin)
            lent <- taken
            source.Dependent <- taken
            taken

    /// The number of bytes written.
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

/// How the records of batches are read. Immutable, except for the buffer that it may refer to.
[<NoEquality; NoComparison>]
type Reading =
    {
        /// Limits for a batch: the decompressed size and the number of records.
        Limits: Limits
        /// Codecs for compressed batches.
        Codecs: CompressionCodecs
        /// Memory to decompress into, which is reused from batch to batch: what was read is valid until the next batch is read with it.
        /// `ValueNone` gives each batch memory of its own.
        Buffer: CodecBuffer voption
        /// Whether a batch's checksum is verified when the batch is opened. Turn this off only for batches that have already been verified
        /// (`RecordSet.splitVerified`) or that never left the process. It does not apply to `RecordBatch.decompress`, which always
        /// verifies, because the new checksum that it writes would hide damage.
        VerifyChecksum: bool
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show [ "Limits", box this.Limits; "Codecs", box this.Codecs; "VerifyChecksum", box this.VerifyChecksum ]

/// Ways of reading records.
[<RequireQualifiedAccess>]
module Reading =

    /// Standard limits, no codecs, separate memory for each batch, and verified checksums.
    let standard = { Limits = Limits.standard; Codecs = CompressionCodecs.none; Buffer = ValueNone; VerifyChecksum = true }

    /// `standard` with codecs, such as `AllCodecs.Set`.
    let withCodecs (codecs: CompressionCodecs) : Reading = { standard with Codecs = codecs }

    /// The caller's buffer, or a new one.
    let internal buffer (reading: Reading) : CodecBuffer =
        match reading.Buffer with
        | ValueSome buffer -> buffer
        | ValueNone -> CodecBuffer()

    /// The memory that records were decompressed into. If the buffer is not the caller's, nothing else uses it.
    let internal memory (source: LentMemory | null) (buffer: CodecBuffer) (reading: Reading) : LentMemory =
        match reading.Buffer with
        | ValueSome _ -> buffer.LendFrom source
        | ValueNone -> new LentMemory(buffer.Array)

/// Runs codecs and turns their exceptions into faults.
[<RequireQualifiedAccess>]
module internal Compression =

    let private guarded (codec: ICompressionCodec) (buffer: CodecBuffer) (exceeded: Problem) (run: unit -> unit) : Result<unit, Fault> =
        let fail problem = Error(Fault.at 0 problem)

        try
            run ()
            // The codec may have swallowed the refusal.
            if buffer.Refused then fail exceeded else Ok()
        with
        | :? FaultException as refusal -> fail refusal.Problem
        | _ when buffer.Refused -> fail exceeded
        | failure -> fail (Problem.CodecFailed(CompressionType.name codec.Type, failure.Message))

    /// A codec would overwrite a source that lies in its own destination.
    let private requireSeparate (source: ReadOnlyMemory<byte>) (buffer: CodecBuffer) : unit =
        match MemoryMarshal.TryGetArray source with
        | true, segment when segment.Count > 0 && Object.ReferenceEquals(segment.Array, buffer.Array) ->
            raise (InvalidOperationException "The batch lies in the buffer that the codec is to write to. Use a second buffer.")
        | _ -> ()

    /// Writes the compressed form of the source after `prefix` bytes, which the caller fills in.
    let compress (codec: ICompressionCodec) (prefix: int) (source: ReadOnlyMemory<byte>) (buffer: CodecBuffer) : Result<unit, Fault> =
        requireSeparate source buffer
        let exceeded = Problem.TooLong(int64 Array.MaxLength + 1L, int64 Array.MaxLength)
        buffer.Start(Array.MaxLength, exceeded)

        guarded codec buffer exceeded (fun () ->
            buffer.Skip prefix
            codec.Compress(source, buffer))

    /// The compression if its code is assigned; otherwise a fault at the attributes' offset.
    let known (at: int) (compression: CompressionType) : Result<CompressionType, Fault> =
        match compression with
        | CompressionType.None
        | CompressionType.Gzip
        | CompressionType.Snappy
        | CompressionType.Lz4
        | CompressionType.Zstd -> Ok compression
        | other -> Error(Fault.ofField "Attributes" at (Problem.UnknownCodec(int other)))

    /// The codec for a compression; if there is none, a fault at the attributes' offset.
    let find (at: int) (codecs: CompressionCodecs) (compression: CompressionType) : Result<ICompressionCodec, Fault> =
        match codecs.Find compression with
        | null -> Error(Fault.ofField "Attributes" at (Problem.CodecMissing(CompressionType.name compression)))
        | codec -> Ok codec

    /// Decompresses the source after `prefix` bytes, which the caller fills in, to at most `most` bytes.
    let decompress
        (codec: ICompressionCodec)
        (most: int)
        (prefix: int)
        (source: ReadOnlyMemory<byte>)
        (buffer: CodecBuffer)
        : Result<unit, Fault> =
        requireSeparate source buffer
        let exceeded = Problem.DecompressedTooLarge(int64 most)
        buffer.Start(int (min (int64 (max 0 most) + int64 prefix) (int64 Array.MaxLength)), exceeded)

        guarded codec buffer exceeded (fun () ->
            buffer.Skip prefix
            codec.Decompress(source, buffer))
