namespace LibKafka.Testing

open System
open System.Buffers
open System.Buffers.Binary
open System.IO
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol

/// The formats before Kafka 0.11, magic 0 and 1: writing them for clients and topics of that time, and reading what such clients send.
/// Source: Kafka documentation, section "Old Message Format"; KIP-31 (relative offsets) and KIP-32 (timestamps).
[<RequireQualifiedAccess>]
module internal LegacyWriter =

    /// The newest format that a version of Fetch has.
    let magicOfFetch (version: int16) : int8 =
        if version < 2s then 0y
        elif version < Fetch.batchesSince then 1y
        else 2y

    /// The format in which a topic keeps its records (message.format.version). From 3.0 on it is always 2.
    let magicOfTopic (topic: Topic) (state: State) : int8 =
        let format = Configs.value "message.format.version" topic state

        if state.Settings.Release.IsAtLeast(3, 0) then
            2y
        elif format.StartsWith("0.8", StringComparison.Ordinal) || format.StartsWith("0.9", StringComparison.Ordinal) then
            0y
        elif format.StartsWith("0.10", StringComparison.Ordinal) then
            1y
        else
            2y

    let private writeInt32 (stream: MemoryStream) (value: int32) =
        let bytes = Array.zeroCreate<byte> 4
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(), value)
        stream.Write(bytes, 0, 4)

    let private writeInt64 (stream: MemoryStream) (value: int64) =
        let bytes = Array.zeroCreate<byte> 8
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(), value)
        stream.Write(bytes, 0, 8)

    let private writeRun (stream: MemoryStream) (run: Bytes voption) =
        match run with
        | ValueSome bytes ->
            writeInt32 stream bytes.Length
            stream.Write bytes.Span
        | ValueNone -> writeInt32 stream -1

    /// One message. The timestamp is written with magic 1 only.
    let private message
        (magic: int8)
        (attributes: byte)
        (offset: int64)
        (timestamp: int64)
        (key: Bytes voption)
        (value: Bytes voption)
        : byte[] =
        let body = new MemoryStream()
        body.WriteByte(byte magic)
        body.WriteByte attributes
        if magic = 1y then writeInt64 body timestamp
        writeRun body key
        writeRun body value
        let content = body.ToArray()
        let whole = new MemoryStream()
        writeInt64 whole offset
        writeInt32 whole (content.Length + 4)
        writeInt32 whole (int32 (Crc32.compute (ReadOnlySpan content)))
        whole.Write(content, 0, content.Length)
        whole.ToArray()

    /// Consecutive records as messages of a format, compressed in one if there is a codec.
    let messages (magic: int8) (codec: ICompressionCodec voption) (isAppendTime: bool) (records: RecordData list) : byte[] list =
        let timeBit = if magic = 1y && isAppendTime then 0x08uy else 0uy
        let plain offset (it: RecordData) = message magic timeBit offset it.Timestamp it.Key it.Value

        match codec, records with
        | _, [] -> []
        | ValueNone, _ -> records |> List.map (fun it -> plain it.Offset it)
        | ValueSome codec, first :: _ ->
            // With magic 1, the offsets in a compressed message are relative.
            let inner = records |> List.map (fun it -> plain (if magic = 1y then it.Offset - first.Offset else it.Offset) it)
            let target = ArrayBufferWriter<byte>()
            codec.Compress(ReadOnlyMemory(Array.concat inner), target)
            let attributes = byte (int codec.Type) ||| timeBit
            let last = List.last records
            let timestamp = records |> List.map _.Timestamp |> List.max
            [ message magic attributes last.Offset timestamp ValueNone (ValueSome(Bytes(target.WrittenSpan.ToArray()))) ]

    /// The records of a stored batch as messages of a format. Control batches have none.
    let private ofBatch (magic: int8) (codecs: CompressionCodecs) (from: int64) (batch: RecordBatch) : byte[] list =
        if batch.IsControl then
            []
        else
            match RecordBatch.toList (Reading.withCodecs codecs) batch with
            | Error _ -> []
            | Ok records ->
                let codec = CompressionCodecs.tryFind batch.Compression codecs
                let isAppendTime = batch.TimestampType = TimestampType.LogAppendTime
                messages magic codec isAppendTime (records |> List.filter (fun it -> it.Offset >= from))

    /// As many bytes as the client was promised: a message follows that is cut off (KIP-283).
    let private padded (size: int) (bytes: byte[]) : byte[] =
        let missing = size - bytes.Length

        if missing <= 0 then
            bytes
        else
            let rest = Array.zeroCreate<byte>(max 12 missing)
            BinaryPrimitives.WriteInt64BigEndian(rest.AsSpan(), -1L)
            BinaryPrimitives.WriteInt32BigEndian(rest.AsSpan 8, max (missing + 1) RecordBatch.HeaderSize)
            Array.append bytes (Array.truncate missing rest)

    /// The first bytes of messages, at most `most`; the first message whole if `isWhole`.
    let private cut (most: int) (isWhole: bool) (parts: byte[] list) : byte[] =
        let all = Array.concat parts

        match parts with
        | first :: _ when isWhole -> Array.truncate (max most first.Length) all
        | _ -> Array.truncate most all

    /// Batches as a client of an old version gets them, or as a topic of an old format keeps them. `size` is the size of the batches that
    /// were read, and `most` that of the request.
    let convert (call: Call) (topic: Topic) (from: int64) (size: int) (most: int) (batches: RecordBatch list) (state: State) : Bytes =
        let stored = magicOfTopic topic state
        let target = min stored (magicOfFetch call.Version)
        let codecs = state.Settings.Codecs
        let isWhole = call.Version >= Fetch.wholeBatchSince
        let promised = state.Settings.Release.IsAtLeast(2, 0)

        if stored = 2y then
            let converted = batches |> List.collect (ofBatch target codecs from) |> Array.concat
            Bytes(if promised then padded size converted else converted)
        else
            let parts = batches |> List.collect (ofBatch stored codecs from)
            let kept = cut most isWhole parts

            if target = stored then
                Bytes kept
            else
                let mutable left = kept.Length
                // Only whole messages are converted.
                let whole =
                    parts
                    |> List.takeWhile (fun part ->
                        left <- left - part.Length
                        left >= 0)

                let converted = batches |> List.collect (ofBatch target codecs from) |> List.truncate whole.Length |> Array.concat

                Bytes(if promised then padded kept.Length converted else converted)

    /// The records that an old client sent, as a batch, or None if a message cannot be read.
    let read (codecs: CompressionCodecs) (records: Bytes) : RecordBatch option =
        let reading = Reading.withCodecs codecs

        let ofItem (item: RecordSetItem) =
            match item with
            | RecordSetItem.Legacy(batch, _) ->
                LegacyBatch.openRecords reading batch
                |> Result.bind BatchRecords.toList
                |> Result.toOption
                |> Option.map (fun records -> batch.Compression, records)
            | _ -> None

        let items = RecordSet.splitVerified records |> Seq.map ofItem |> List.ofSeq

        if items.IsEmpty || items |> List.exists _.IsNone then
            None
        else
            let found = items |> List.choose id
            let all = found |> List.collect snd |> List.mapi (fun index it -> { it with Offset = int64 index })

            let built =
                match BatchBuilder.build BatchOptions.standard all, CompressionCodecs.tryFind (fst found.Head) codecs with
                | Ok plain, ValueSome codec -> RecordBatch.compress codec plain
                | plain, _ -> plain

            Result.toOption built
