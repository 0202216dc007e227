/// The inputs that fuzzing starts with.
module LibKafka.Fuzz.Seeds

open System
open System.IO
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Protocol
open LibKafka.Groups

let private ok (result: Result<'T, Fault>) : 'T =
    match result with
    | Ok value -> value
    | Error fault -> failwith (fault.ToString())

let private record (offset: int) (value: string) : RecordData =
    { Offset = int64 offset
      Timestamp = 1_790_000_000_000L
      Key = ValueSome(Bytes.ofString "key")
      Value = ValueSome(Bytes.ofString value)
      Headers = [ RecordHeader.create "name" (Bytes.ofString "value"); RecordHeader.withoutValue "other" ] }

let private batch: RecordBatch =
    let values = List.init Targets.RecordCount (fun index -> String('c', 1 + 30 * index))
    BatchBuilder.build BatchOptions.standard (List.mapi record values) |> ok

/// The default request and response of every API at its highest version.
let private frames: byte[] list =
    Apis.keys
    |> List.choose (
        Apis.visit
            { new IApiVisitor<byte[] list> with
                member _.Visit(api, _, _) =
                    let version = api.Versions.Highest
                    let request = Message.ofJson version api.Request "{}" |> ok
                    let response = Message.ofJson version api.Response "{}" |> ok
                    let sent = Frame.encodeRequest api version 7 (Some "fuzz") request |> ok
                    let received = Frame.encodeResponse api version 7 response |> ok
                    [ sent.ToArray(); Array.append [| byte api.Key.Code; byte version |] (received.ToArray()) ] }
    )
    |> List.concat

/// A message of magic 1 without a key.
let private message: byte[] =
    Convert.FromHexString "000000000000000500000017000000000100000000000000000900000000FFFFFFFF0000000141"

let private subscription: ConsumerProtocolSubscription.Subscription =
    { Topics = [ "orders" ]; UserData = None; OwnedPartitions = []; GenerationId = 3; RackId = Some "a" }

let private seeds: (string * byte[]) list =
    [ for frame in frames do
          yield "frames", frame
      yield "consumer", (ConsumerProtocol.encodeSubscription subscription |> ok).ToArray()
      yield "batches", batch.Bytes.ToArray()
      yield "messages", message
      for codec in AllCodecs.List do
          let compressed = (RecordBatch.compress codec batch |> ok).Bytes.ToArray()
          yield "batches", compressed
          yield CompressionType.name codec.Type, Array.skip RecordBatch.HeaderSize compressed ]

/// Writes the inputs to a folder for each target.
let write (folder: string) =
    for index, (target, bytes) in List.indexed seeds do
        let folder = Path.Combine(folder, target)
        Directory.CreateDirectory folder |> ignore
        File.WriteAllBytes(Path.Combine(folder, "seed-" + string index), bytes)
