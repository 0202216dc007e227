/// Messages in memory: many small values in one response, and the envelopes around record batches.
module LibKafka.Benchmarks.Messages

open System
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Benchmarks.Rows

/// A message at its highest version, and the number of parts that its cost is divided by.
type private Sample<'T> = { Shape: string; Message: Message<'T>; Version: int16; Value: 'T; Part: string; Parts: int }

/// A record with the schema's defaults in the fields that do not matter here.
let private defaultOf (message: Message<'T>) : 'T = message.Schema.Default

/// 100 topics of 100 partitions, each on three brokers.
let private metadata: Sample<Metadata.Response> =
    let message = Metadata.api.Response

    let partition topic index : Metadata.Partition =
        { Metadata.partition.Default with
            PartitionIndex = index
            LeaderId = (topic + index) % 3
            LeaderEpoch = 5
            ReplicaNodes = [ 0; 1; 2 ]
            IsrNodes = [ 0; 1; 2 ] }

    let topic index : Metadata.Topic =
        { Metadata.topic.Default with
            Name = Some $"topic-{index}"
            TopicId = Guid(index, 1s, 2s, Array.zeroCreate 8)
            Partitions = List.init 100 (partition index) }

    { Shape = "metadata, 10,000 partitions"
      Message = message
      Version = message.Versions.Highest
      Value = { defaultOf message with Topics = List.init 100 topic }
      Part = "partition"
      Parts = 10_000 }

let private blob (size: int) : Bytes =
    let bytes = Array.zeroCreate<byte> size
    Random(1).NextBytes bytes
    Bytes bytes

let private produce (name: string) (size: int) : Sample<Produce.Request> =
    let message = Produce.api.Request

    let topic: Produce.TopicData =
        { Produce.topicData.Default with
            TopicId = Guid(1, 1s, 2s, Array.zeroCreate 8)
            Partitions = [ { Index = 0; Records = Some(blob size) } ] }

    { Shape = "produce request, " + name
      Message = message
      Version = message.Versions.Highest
      Value = { defaultOf message with Acks = Acks.All; TimeoutMs = 1000; Topics = [ topic ] }
      Part = "message"
      Parts = 1 }

let private fetch (name: string) (size: int) : Sample<Fetch.Response> =
    let message = Fetch.api.Response

    let topic: Fetch.TopicResponse =
        { Fetch.topicResponse.Default with
            TopicId = Guid(1, 1s, 2s, Array.zeroCreate 8)
            Partitions = [ { Fetch.partitionResponse.Default with HighWatermark = 100L; Records = Some(blob size) } ] }

    { Shape = "fetch response, " + name
      Message = message
      Version = message.Versions.Highest
      Value = { defaultOf message with Topics = [ topic ] }
      Part = "message"
      Parts = 1 }

/// The number of rounds in which everything is measured.
let private rounds = 200

/// Writing into reused memory, as connections do, and reading. The floor of each is a copy of the same number of bytes.
let private rowsOf (sample: Sample<'T>) : Row list =
    let bytes = Micro.orFail (Message.encode sample.Version sample.Message sample.Value)
    let target = Array.zeroCreate<byte> bytes.Length
    let writer = Writer(bytes.Length + 64)

    let encode () =
        writer.Clear()
        Micro.orFail (Message.writeTo writer sample.Version sample.Message sample.Value)

    let decode () = Message.decode Limits.standard sample.Version sample.Message bytes |> Micro.orFail |> ignore
    let copy () = bytes.Span.CopyTo(target.AsSpan())

    let row name (work: unit -> unit) unit (scale: float -> float) (time: float) (floor: float) : Row =
        { Name = name
          Shape = sample.Shape
          Unit = unit
          Value = scale time
          Floor = Nullable(scale floor)
          Peers = peers []
          AllocatedPerRecord = Nullable(allocatedBy work / float sample.Parts) }

    match takingTurns rounds [ encode; decode; copy ] with
    | [ encoding; decoding; copying ] ->
        [ for name, work, time in [ "message encode", encode, encoding; "message decode", decode, decoding ] do
              row name work ("ns/" + sample.Part) (fun time -> time / float sample.Parts) time copying
              row name work "MB/s" (fun time -> 1000.0 * float bytes.Length / time) time copying ]
    | _ -> invalidOp "three were measured"

/// A response with many parts, and the envelope of record batches: empty, and around a batch of the usual largest size.
let messageRows () : Row list =
    rowsOf metadata
    @ rowsOf (produce "no records" 0)
    @ rowsOf (produce "1 MB of records" 1_000_000)
    @ rowsOf (fetch "no records" 0)
    @ rowsOf (fetch "1 MB of records" 1_000_000)
