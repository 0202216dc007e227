/// Helpers for the tests of the C# façade.
module LibKafka.Integration.FacadeSupport

open System
open System.Buffers
open System.Buffers.Binary
open System.IO
open System.IO.Compression
open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Records
open LibKafka.Tests
open LibKafka.Wire

let text (value: string) : byte[] = Text.Encoding.UTF8.GetBytes value

let spanOf (bytes: byte[] option) : byte[] | null =
    match bytes with
    | Some bytes -> bytes
    | None -> null

/// A record as a test adds it and expects it.
type Expected = { Key: byte[] option; Value: byte[] option; Timestamp: int64; Headers: (string * byte[] option) list }

let plain (value: string) : Expected =
    { Key = Some(text ("key of " + value)); Value = Some(text value); Timestamp = 1_700_000_000_000L; Headers = [] }

let headersOf (record: Expected) : KafkaHeader[] = [| for name, value in record.Headers -> KafkaHeader(name, spanOf value) |]

let tryAdd (builder: RecordBatchBuilder) (record: Expected) : bool =
    builder.TryAdd(spanOf record.Key, spanOf record.Value, record.Timestamp, ReadOnlySpan(headersOf record))

let add (builder: RecordBatchBuilder) (record: Expected) : unit =
    builder.Add(spanOf record.Key, spanOf record.Value, record.Timestamp, ReadOnlySpan(headersOf record))

let batchWith (options: RecordBatchOptions) (records: Expected list) : RecordBatch =
    let builder = RecordBatchBuilder options
    List.iter (add builder) records
    builder.Build()

let batchOf (records: Expected list) : RecordBatch = batchWith (RecordBatchOptions()) records
let batch (name: string) (count: int) : RecordBatch = batchOf (List.init count (fun i -> plain (name + string i)))

/// The records with their offsets.
let read (records: RecordBatchRecords) : (int64 * Expected) list =
    let found = ResizeArray()

    for record in records do
        let headers =
            [ for header in record.Headers.ToList() ->
                  let value = header.Value |> ValueOption.map _.ToArray()
                  header.Name, ValueOption.toOption value ]

        found.Add(
            record.Offset,
            { Key = Option.ofObj (record.Key.ToArray())
              Value = Option.ofObj (record.Value.ToArray())
              Timestamp = record.Timestamp
              Headers = headers }
        )

    List.ofSeq found

let contentOf (records: RecordBatchRecords) : Expected list = read records |> List.map snd

/// The records of a fetch. Bytes that cannot be read throw.
let recordsOf (fetched: FetchResult) : (int64 * Expected) list =
    [ for item in fetched.Batches do
          yield! read (item.Records()) ]

let private caught<'Thrown when 'Thrown :> exn> (what: string) (action: unit -> unit) : 'Thrown =
    let mutable found: 'Thrown option = None

    try
        action ()
    with :? 'Thrown as it ->
        found <- Some it

    match found with
    | Some it -> it
    | None -> failtestf "%s was expected: %s" typeof<'Thrown>.Name what

/// The exception that an action throws.
let thrown (what: string) (action: unit -> unit) : KafkaException = caught what action

/// The cancellation that an action throws.
let cancelled (what: string) (action: unit -> unit) : OperationCanceledException = caught what action

let there (value: 'T | null) : 'T =
    match value with
    | null -> failtest "a value was expected, and there was null"
    | value -> value

let second = TimeSpan.FromSeconds 1.0
let moment = TimeSpan.FromMilliseconds 200.0

/// Gzip as a user's codec.
type Gzip() =
    interface ICompressionCodec with
        member _.Type = CompressionType.Gzip

        member _.Compress(source, destination) =
            use packed = new MemoryStream()

            using (new GZipStream(packed, CompressionLevel.Fastest, true)) (fun stream -> stream.Write source.Span)
            destination.Write(ReadOnlySpan(packed.ToArray()))

        member _.Decompress(source, destination) =
            use unpacked = new MemoryStream()

            using (new GZipStream(new MemoryStream(source.ToArray()), CompressionMode.Decompress)) (fun stream -> stream.CopyTo unpacked)
            destination.Write(ReadOnlySpan(unpacked.ToArray()))

let gzip = Gzip() :> ICompressionCodec
let withGzip = RecordReadOptions(Codecs = [| gzip |])

/// A batch with changed bytes, and with its checksum corrected if `checksum` is true.
let tampered (checksum: bool) (change: byte[] -> unit) (batch: RecordBatch) : RecordBatch =
    let bytes = batch.Bytes.ToArray()
    change bytes

    if checksum then
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan 17, Crc32C.compute (ReadOnlySpan(bytes, 21, bytes.Length - 21)))

    RecordBatchExtensions.Parse(ReadOnlyMemory bytes)

/// Changes the last byte of the last record's value: the number of headers comes after it.
let damage (bytes: byte[]) = bytes[bytes.Length - 2] <- bytes[bytes.Length - 2] ^^^ 1uy

let topic = "facade"
let partition = TopicPartition(topic, 0)

/// Runs a test on a cluster with a topic of two partitions.
let onCluster (test: MockCluster -> KafkaClientOptions -> unit) =
    use cluster = MockCluster.start 3
    cluster.CreateTopic(topic, 2, 3)
    test cluster (KafkaClientOptions(cluster.Bootstrap, ConnectTimeout = 20.0 * second, CallTimeout = 20.0 * second))
    Expect.isEmpty cluster.Complaints "the brokers could read everything"

let topicId = Guid "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

/// The versions of a broker that supports every API.
let everyApi: ApiVersions.ApiVersion list =
    Script.everythingBut
        [ for code in 0s .. 92s do
              if code <> ApiKey.ApiVersions.Code then Script.versions (ApiKey code) 0 99 ]

/// Runs a test on a broker that leads the partition and answers all other requests by `rest`.
let scripted (rest: Received -> Act list) (test: KafkaClientOptions -> unit) =
    Scripted.broker (fun me -> Script.knowing everyApi (Script.leading [ Script.topic topic topicId ] me rest)) (fun broker ->
        test (KafkaClientOptions([ BrokerAddress(broker.Address.Host, broker.Address.Port) ])))

let odd: Expected list =
    let at = 1_700_000_000_000L

    [ { Key = Some(text "k"); Value = Some(text "v"); Timestamp = at; Headers = [] }
      { Key = None; Value = Some(text "no key"); Timestamp = at + 5L; Headers = [] }
      { Key = Some [||]; Value = Some [||]; Timestamp = at - 5L; Headers = [] }
      { Key = Some(text "tombstone"); Value = None; Timestamp = -1L; Headers = [] }
      { Key = None
        Value = None
        Timestamp = at
        Headers = [ "a", Some(text "1"); "a", None; "", Some [||]; "Ω", Some [| 0uy; 255uy |] ] } ]
