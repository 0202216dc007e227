/// The fuzzed decoders. A decoder of bytes from a peer returns a value or a fault for any bytes. It is a defect if it throws, if it allocates
/// more memory than the limits allow, if a value that it returns cannot be written and read again, or if its result depends on bytes outside
/// of those that it was given.
///
/// Random changes rarely have the right lengths and checksums, so most targets decode the bytes as they are and once more after these have
/// been corrected.
module LibKafka.Fuzz.Targets

open System
open System.Buffers
open System.Buffers.Binary
open System.IO
open System.IO.Compression
open K4os.Hash.xxHash
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Protocol
open LibKafka.Groups

/// Small limits, so that little memory is allowed.
let private limits: Limits =
    { MaxFrameBytes = 1 <<< 20; MaxDecodedBytes = 1L <<< 20; MaxDecompressedBytes = 1 <<< 18; MaxRecords = 20_000 }

let private reading: Reading = { Reading.withCodecs AllCodecs.Set with Limits = limits }

/// Fails if the action allocates more than some bytes.
let private within (most: int64) (action: unit -> 'T) : 'T =
    let before = GC.GetAllocatedBytesForCurrentThread()
    let result = action ()
    let allocated = GC.GetAllocatedBytesForCurrentThread() - before
    if allocated > most then
        failwithf "%d bytes were allocated, and at most %d were expected" allocated most
    result

let private demand (what: string) (holds: bool) = if not holds then failwith what

// ---- Messages ----

/// Decodes a message, and encodes and decodes the value. Values are compared by their bytes, because NaN does not equal itself.
let private decodeMessage
    (length: int)
    (decode: unit -> Result<'T, Fault>)
    (encode: 'T -> Result<Bytes, Fault>)
    (decodeAgain: Bytes -> Result<'T, Fault>)
    =
    match within (4L * limits.MaxDecodedBytes + 250L * int64 length) decode with
    | Error fault -> demand ("this fault is at an impossible offset: " + fault.ToString()) (fault.Offset >= 0 && fault.Offset <= length)
    | Ok value ->
        match encode value with
        | Error fault -> failwith ("a value that was read cannot be written: " + fault.ToString())
        | Ok written ->
            match decodeAgain written |> Result.bind encode with
            | Ok again -> demand "a value changes if it is written and read again" (again = written)
            | Error fault -> failwith ("a value that was written cannot be read again: " + fault.ToString())

/// A request frame; and after the bytes of an API key and a version, a response frame.
let private decodeFrame (bytes: byte[]) =
    let header = Frame.decodeRequest limits (Bytes bytes) |> Result.map fst

    decodeMessage
        bytes.Length
        (fun () -> Frame.decodeRequest limits (Bytes bytes) |> Result.map snd)
        (fun request ->
            match header with
            | Ok header -> Request.encode header.ApiVersion request
            | Error fault -> Error fault)
        (fun written ->
            match header with
            | Ok header -> Request.decode Limits.standard header.ApiKey header.ApiVersion written
            | Error fault -> Error fault)

    if bytes.Length >= 2 then
        let key, version = ApiKey(int16 bytes[0]), int16 bytes[1] % 20s

        decodeMessage
            bytes.Length
            (fun () -> Frame.decodeAnyResponse limits key version (Bytes(bytes.AsMemory 2)) |> Result.map snd)
            (Response.encode version)
            (Response.decode Limits.standard key version)

let private decodeConsumerProtocol (bytes: byte[]) =
    let decode (read: Bytes -> Result<'T, Fault>) (write: 'T -> Result<Bytes, Fault>) =
        decodeMessage bytes.Length (fun () -> read (Bytes bytes)) write read

    decode ConsumerProtocol.decodeSubscription ConsumerProtocol.encodeSubscription
    decode (ConsumerProtocol.decodeAssignmentWithin limits) ConsumerProtocol.encodeAssignment
    decode ConsumerProtocol.decodeStickyUserData ConsumerProtocol.encodeStickyUserData

// ---- Record sets ----

/// Opens an item and copies its records. It takes up to about 60 times the size of the decompressed records.
let private records (item: RecordSetItem) : Result<RecordData list, Fault> =
    within (64L * int64 limits.MaxDecompressedBytes + 600L * int64 item.SizeInBytes) (fun () ->
        RecordSetItem.openRecords reading item |> Result.bind BatchRecords.toList)

/// All that is read from a record set.
let private contents (bytes: Bytes) : (string * Result<RecordData list, Fault>) list =
    [ for item in RecordSet.split bytes -> item.ToString(), records item ]

/// The transactions that a reader of committed records skips.
let private aborted: AbortedTransaction list =
    [ { ProducerId = 1L; FirstOffset = 0L }; { ProducerId = 7L; FirstOffset = 5L } ]

let private readSet (bytes: byte[]) =
    let around = Array.create (bytes.Length + 128) 0x01uy
    bytes.CopyTo(around, 64)
    let alone, surrounded = contents (Bytes bytes), contents (Bytes(ReadOnlyMemory<byte>(around, 64, bytes.Length)))
    demand "the records depend on bytes around the record set" (alone = surrounded)
    TransactionFilter.apply aborted (RecordSet.split (Bytes bytes)) |> Seq.iter ignore

/// Corrects the lengths and checksums of consecutive batches and messages. One whose length is impossible takes the rest of the bytes.
let rec private correctSet (set: Span<byte>) : unit =
    if set.Length > 26 then
        let magic = set[16]
        let least = if magic = 2uy then RecordBatch.HeaderSize else 26
        let declared = 12L + int64 (BinaryPrimitives.ReadInt32BigEndian(Span.op_Implicit (set.Slice 8)))
        let size = if declared >= int64 least && declared <= int64 set.Length then int declared else set.Length
        BinaryPrimitives.WriteInt32BigEndian(set.Slice 8, size - 12)

        if magic = 2uy && size >= RecordBatch.HeaderSize then
            BinaryPrimitives.WriteUInt32BigEndian(set.Slice 17, Crc32C.compute (Span.op_Implicit (set.Slice(21, size - 21))))
        elif magic < 2uy then
            BinaryPrimitives.WriteUInt32BigEndian(set.Slice 12, Crc32.compute (Span.op_Implicit (set.Slice(16, size - 16))))

        correctSet (set.Slice size)

let private corrected (bytes: byte[]) : byte[] =
    let copy = Array.copy bytes
    correctSet (copy.AsSpan())
    copy

let private readBatches (bytes: byte[]) =
    readSet bytes
    readSet (corrected bytes)

/// A message set; and after a byte with a magic and a codec, the messages that are compressed in one message.
let private readMessages (bytes: byte[]) =
    readBatches bytes

    if bytes.Length > 1 then
        let magic, codec = bytes[0] &&& 1uy, AllCodecs.List[int (bytes[0] >>> 1) % AllCodecs.List.Count]
        let inner = corrected (Array.skip 1 bytes)
        let compressed = ArrayBufferWriter<byte>()
        codec.Compress(ReadOnlyMemory<byte> inner, compressed)
        let keyAt = if magic = 0uy then 18 else 26
        let message = Array.append (Array.zeroCreate<byte>(keyAt + 8)) (compressed.WrittenSpan.ToArray())
        message[16] <- magic
        message[17] <- byte (int codec.Type)
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan 8, message.Length - 12)
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan keyAt, -1)
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(keyAt + 4), compressed.WrittenCount)
        readSet (corrected message)

// ---- Codecs ----

/// Reads the bytes as the compressed records of a batch.
let private readCompressed (compression: CompressionType) (count: int) (bytes: byte[]) =
    let batch = Array.append (Array.zeroCreate<byte> RecordBatch.HeaderSize) bytes
    batch[16] <- 2uy
    batch[22] <- byte (int compression)
    BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan 8, batch.Length - 12)
    BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan 23, count - 1)
    BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan 57, count)
    readSet (corrected batch)

/// Corrects the checksum and the size at the end of a gzip member whose header is the shortest one.
let private correctGzip (bytes: byte[]) : byte[] =
    if bytes.Length < 18 then
        bytes
    else
        let copy = Array.copy bytes
        let room = Array.zeroCreate<byte> limits.MaxDecompressedBytes
        use deflated = new DeflateStream(new MemoryStream(copy, 10, copy.Length - 18), CompressionMode.Decompress)

        let size =
            try
                deflated.ReadAtLeast(room, room.Length, false)
            with :? InvalidDataException ->
                0

        BinaryPrimitives.WriteUInt32LittleEndian(copy.AsSpan(copy.Length - 8), Crc32.compute (ReadOnlySpan<byte>(room, 0, size)))
        BinaryPrimitives.WriteInt32LittleEndian(copy.AsSpan(copy.Length - 4), size)
        copy

/// Corrects the checksum of an LZ4 frame's header.
let private correctLz4 (bytes: byte[]) : byte[] =
    if bytes.Length < 15 then
        bytes
    else
        let copy = Array.copy bytes
        let at = if copy[4] &&& 0x08uy = 0uy then 6 else 14
        copy[at] <- byte (XXH32.DigestOf(ReadOnlySpan<byte>(copy, 4, at - 4)) >>> 8)
        copy

/// The number of records of the batches whose compressed records are fuzzed.
[<Literal>]
let RecordCount = 3

let private codec (compression: CompressionType) (correct: byte[] -> byte[]) (bytes: byte[]) =
    readCompressed compression RecordCount bytes
    readCompressed compression RecordCount (correct bytes)

/// The targets by name.
let all: Map<string, byte[] -> unit> =
    Map
        [ "frames", decodeFrame
          "consumer", decodeConsumerProtocol
          "batches", readBatches
          "messages", readMessages
          "gzip", codec CompressionType.Gzip correctGzip
          "snappy", readCompressed CompressionType.Snappy RecordCount
          "lz4", codec CompressionType.Lz4 correctLz4
          "zstd", readCompressed CompressionType.Zstd RecordCount ]
