/// Uses everything that could fail in a trimmed, natively compiled program, or in one that is built without optimization: messages, text, JSON,
/// record batches, stored records and a connection.
module LibKafka.Aot.Program

open System
open System.Text
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Storage

let private demand what holds = if not holds then raise (InvalidOperationException(what + " does not hold"))

let private valueOf (result: Result<'T, Fault>) =
    match result with
    | Ok value -> value
    | Error fault -> raise (InvalidOperationException(fault.ToString()))

let private request: Metadata.Request =
    { Metadata.request.Default with
        Topics = Some [ { TopicId = Guid.Empty; Name = Some "orders" } ]
        AllowAutoTopicCreation = false
        IncludeTopicAuthorizedOperations = true }

let private messages () =
    for version in 8s .. Metadata.api.Versions.Highest do
        let bytes = valueOf (Message.encode version Metadata.api.Request request)
        demand "decode (encode x) = x" (valueOf (Message.decode Limits.standard version Metadata.api.Request bytes) = request)

    let frame = valueOf (Frame.encodeRequest Metadata.api 13s 7 (Some "aot") request)
    let header, decoded = valueOf (Frame.decodeRequest Limits.standard frame)
    demand "the correlation id is read back" (header.CorrelationId = 7)
    demand "the union has the request" (decoded = Request.Metadata request)

    match Message.encode 3s Metadata.api.Request request with
    | Error fault -> Console.Out.WriteLine(fault.ToString())
    | Ok _ -> demand "a version without the field refuses it" false

    Console.Out.WriteLine(Message.show Metadata.api.Request request)
    Console.Out.WriteLine(valueOf (Message.toJson 13s Metadata.api.Request request))
    Console.Out.WriteLine(ErrorCode.NotLeaderOrFollower.ToString() + ": " + ErrorCode.NotLeaderOrFollower.Description)

let private batches () =
    let builder = BatchBuilder BatchOptions.standard

    for i in 1..100 do
        builder.Add(1_700_000_000_000L, NullableSpan.Null, NullableSpan((Bytes.ofString (string i)).Span))

    let mutable count = 0

    for record in valueOf (RecordBatch.openRecords Reading.standard (builder.Build())) do
        demand "offsets count up" (record.Offset = int64 count)
        count <- count + 1

    demand "all records are read" (count = 100)

// Runs of some lengths are copied in blocks. In memory with something else around, a wrong block would be seen.
let private lengths () =
    let margin = 100
    let content = Array.init 1_100 (fun i -> byte (i ||| 1))

    for length in 0 .. content.Length do
        let memory: byte[] = Array.create 4_000 0xEEuy
        let builder = BatchBuilder(BatchOptions.standard, Memory<byte>(memory, margin, memory.Length - 2 * margin))
        let part = ReadOnlySpan<byte>(content, 0, length)
        builder.Add(1L, NullableSpan part, NullableSpan part)
        let batch = builder.BuildInPlace()
        let finish = margin + batch.SizeInBytes
        demand "nothing is written before the batch" (not (memory.AsSpan(0, margin).ContainsAnyExcept 0xEEuy))
        demand "nothing is written after the batch" (not (memory.AsSpan(finish).ContainsAnyExcept 0xEEuy))

        for record in valueOf (RecordBatch.openRecords Reading.standard batch) do
            demand "the key is read back" (record.Key.Span.SequenceEqual(ReadOnlySpan<byte>(content, 0, length)))
            demand "the value is read back" (record.Value.Span.SequenceEqual(ReadOnlySpan<byte>(content, 0, length)))

let private compression () =
    let builder = BatchBuilder BatchOptions.standard
    let value = (Bytes.ofString (String.replicate 50 "packs well ")).Span

    for i in 1..100 do
        builder.Add(1_700_000_000_000L + int64 i, NullableSpan.Null, NullableSpan value)

    let plain = builder.Build()

    for codec in AllCodecs.List do
        let packed = valueOf (RecordBatch.compress codec plain)
        demand "it is smaller" (packed.SizeInBytes < plain.SizeInBytes)
        demand "decompress (compress x) = x" (valueOf (RecordBatch.decompress (Reading.withCodecs AllCodecs.Set) packed) = plain)
        Console.Out.WriteLine(packed.ToString())

/// A record with a key, and one without.
let private stored () =
    let commit = { OffsetCommitRecord.valueSchema.Default with Offset = 42L; Metadata = "by the test" }

    let record =
        ConsumerOffsetsRecord.OffsetCommit
            { Key = { Group = "g"; Topic = "orders"; Partition = 3 }; Value = Some { Version = 3s; Value = commit } }

    let bytes = valueOf (ConsumerOffsetsRecord.encode record)
    demand "the record is read back" (valueOf (ConsumerOffsetsRecord.decode Limits.standard bytes.Key bytes.Value) = record)
    Console.Out.WriteLine(ConsumerOffsetsRecord.show record)

    let transcoded = valueOf (ConsumerOffsetsRecord.transcode (StoredTranscoder(Limits.standard, false)) bytes.Key bytes.Value)
    let json = valueOf (ConsumerOffsetsRecord.toJson record)
    demand "the JSON of the bytes is that of the value" (Encoding.UTF8.GetString transcoded.Key.Span = json.Key)

    let topic = { Version = 0s; Value = MetadataRecord.Topic { Name = "orders"; TopicId = Guid.Empty } }
    demand "the topic is read back" (valueOf (MetadataRecord.decode Limits.standard (valueOf (MetadataRecord.encode topic))) = topic)

let private connection () =
    match Connection.Open(ClientSettings.standard, { Host = "127.0.0.1"; Port = 1 }) with
    | Error fault -> Console.Out.WriteLine(fault.ToString())
    | Ok _ -> demand "nothing listens on port 1" false

[<EntryPoint>]
let main _ =
    messages ()
    batches ()
    lengths ()
    compression ()
    stored ()
    connection ()
    0
