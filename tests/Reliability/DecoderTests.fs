/// Invariant 6: decoders take any bytes, in linear time and bounded memory. That any bytes give a value or a fault, and how much memory they
/// take, is tested with every message, batch and codec in tests/Properties; here is the time.
module LibKafka.Reliability.DecoderTests

open System
open System.Buffers
open System.Buffers.Binary
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Reliability.Support

/// A decoder, and bytes of about a size that take it long.
type private Decoder = { Name: string; Bytes: int -> Bytes; Decode: Bytes -> unit }

let private metadata (size: int) : Bytes =
    let partition: Metadata.Partition = { Metadata.partition.Default with ReplicaNodes = [ 1; 2; 3 ]; IsrNodes = [ 1; 2; 3 ] }
    let topic: Metadata.Topic = { Metadata.topic.Default with Name = Some "orders"; Partitions = List.replicate 10 partition }
    let response = { Metadata.response.Default with Topics = List.replicate (size / 600) topic }
    Message.encode Metadata.api.Versions.Highest Metadata.api.Response response |> ok

let private batch (size: int) : RecordBatch = batchOf [ for index in 1 .. size / 20 -> string index ]

let private noise (size: int) : Bytes =
    let bytes = Array.zeroCreate<byte> size
    (Random seed).NextBytes bytes
    Bytes bytes

/// A message of magic 1 without a key.
let private message (compression: CompressionType) (value: byte[]) : byte[] =
    let bytes = Array.append (Array.zeroCreate<byte> 34) value
    bytes[16] <- 1uy
    bytes[17] <- byte (int compression)
    BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan 8, bytes.Length - 12)
    BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan 26, -1)
    BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan 30, value.Length)
    BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan 12, Crc32.compute (ReadOnlySpan<byte>(bytes, 16, bytes.Length - 16)))
    bytes

let private messages (size: int) : byte[] =
    let one = message CompressionType.None [| 65uy |]
    Array.init (size / one.Length * one.Length) (fun index -> one[index % one.Length])

let private compressedMessages (size: int) : Bytes =
    let compressed = ArrayBufferWriter<byte>()
    (Gzip() :> ICompressionCodec).Compress(ReadOnlyMemory<byte>(messages size), compressed)
    Bytes(message CompressionType.Gzip (compressed.WrittenSpan.ToArray()))

let private subscription (size: int) : Bytes =
    ConsumerProtocol.encodeSubscription
        { Topics = [ for index in 1 .. size / 10 -> $"topic{index % 1000:D3}" ]
          UserData = None
          OwnedPartitions = []
          GenerationId = 1
          RackId = None }
    |> ok

/// Many small batches, every other of which is damaged.
let private damaged (size: int) : Bytes =
    let one = (batchOf [ "a" ]).Bytes.ToArray()
    let bytes = Array.init (size / one.Length * one.Length) (fun index -> one[index % one.Length])

    for start in 0 .. 2 * one.Length .. bytes.Length - one.Length do
        bytes[start + 20] <- ~~~bytes[start + 20]

    Bytes bytes

let private readAll (items: RecordSetItem seq) =
    for item in items do
        match item with
        | RecordSetItem.Batch(batch, _) -> RecordBatch.toList (Reading.withCodecs AllCodecs.Set) batch |> ignore
        | RecordSetItem.Legacy(batch, _) -> LegacyBatch.openRecords (Reading.withCodecs AllCodecs.Set) batch |> ignore
        | RecordSetItem.Corrupt _
        | RecordSetItem.CutOff _ -> ()

let private readSet (bytes: Bytes) = readAll (RecordSet.split bytes)

let private decodeMetadata (bytes: Bytes) =
    Message.decode Limits.standard Metadata.api.Versions.Highest Metadata.api.Response bytes |> ignore

let private decoders: Decoder list =
    [ { Name = "a response"; Bytes = metadata; Decode = decodeMetadata }
      { Name = "a response whose last byte is missing"
        Bytes = (fun size -> let bytes = metadata size in bytes.Slice(0, bytes.Length - 1))
        Decode = decodeMetadata }
      { Name = "a record batch"; Bytes = (fun size -> (batch size).Bytes); Decode = readSet }
      { Name = "record batches, half of them damaged"; Bytes = damaged; Decode = readSet }
      { Name = "random bytes as record batches"; Bytes = noise; Decode = readSet }
      { Name = "zeros as record batches"; Bytes = (fun size -> Bytes(Array.zeroCreate<byte> size)); Decode = readSet }
      { Name = "messages of magic 1"; Bytes = messages >> Bytes; Decode = readSet }
      { Name = "compressed messages of magic 1"; Bytes = compressedMessages; Decode = readSet }
      { Name = "a subscription"; Bytes = subscription; Decode = ConsumerProtocol.decodeSubscription >> ignore }
      for codec in AllCodecs.List do
          { Name = "a batch compressed with " + CompressionType.name codec.Type
            Bytes = (fun size -> (RecordBatch.compress codec (batch size) |> ok).Bytes)
            Decode = readSet } ]

/// The shortest of some times, in milliseconds of the processor: other programs do not count.
let private time (repetitions: int) (action: unit -> unit) : float =
    List.min
        [ for _ in 1..repetitions ->
              let before = Environment.CpuUsage.TotalTime
              action ()
              (Environment.CpuUsage.TotalTime - before).TotalMilliseconds ]

/// Eight times the bytes take at most 40 times as long: linear time and some noise. Quadratic time would be 64 times as long.
let private isLinear (decoder: Decoder) =
    testCase (decoder.Name + " takes time in proportion to its length") (fun () ->
        let small, large = decoder.Bytes 200_000, decoder.Bytes 1_600_000
        decoder.Decode small
        let factor = float large.Length / float (max 1 small.Length)

        let rec attempt (left: int) =
            let ratio = time 5 (fun () -> decoder.Decode large) / max 0.05 (time 5 (fun () -> decoder.Decode small))
            if ratio > 5.0 * factor && left > 0 then attempt (left - 1) else ratio

        Expect.isLessThan (attempt 3) (5.0 * factor) "the times of eight times as many bytes"
        Figures.add "6. decoders timed" 1)

/// The folder of the inputs that fuzzing has found.
let private corpus: string = IO.Path.Combine(LibKafka.Properties.TestData.checkout, "tests", "Fuzz", "corpus")

/// The inputs of a target: those that reach all code that fuzzing has reached, and those that showed defects.
let private inputs (target: string) : byte[] list =
    [ for file in [ target + ".txt"; target + "-defects.txt" ] do
          let file = IO.Path.Combine(corpus, file)

          if IO.File.Exists file then
              for line in IO.File.ReadAllLines file do
                  Convert.FromBase64String line ]

let private readsInputs (target: string) (read: byte[] -> unit) =
    testCase ("the inputs of fuzzing give values or faults: " + target) (fun () ->
        let inputs = inputs target
        Expect.isNonEmpty inputs "the inputs"
        inputs |> List.iter read
        Figures.add "6. inputs of fuzzing" inputs.Length)

[<Tests>]
let tests =
    testSequenced (
        testList
            "6 decoders"
            [ for decoder in decoders do
                  isLinear decoder
              for KeyValue(target, read) in LibKafka.Fuzz.Targets.all do
                  readsInputs target read ]
    )
