/// Consecutive batches.
module LibKafka.Properties.Records.RecordSets

open System
open System.Buffers.Binary
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Properties.Records.Samples

let private batches (samples: SmallSample list) : RecordBatch list = samples |> List.map (fun (SmallSample sample) -> toBatch sample)

/// The complete batches among the items; a corrupt or legacy item fails the test.
let private whole (items: RecordSetItem list) : RecordBatch list =
    items
    |> List.choose (fun item ->
        match item with
        | RecordSetItem.Batch(batch, _) -> Some batch
        | RecordSetItem.CutOff _ -> None
        | other -> failwith (other.ToString()))

let private split (bytes: byte[]) : RecordSetItem list = List.ofSeq (RecordSet.split (Bytes bytes))
let private splitVerified (bytes: byte[]) : RecordSetItem list = List.ofSeq (RecordSet.splitVerified (Bytes bytes))

/// Bytes with another length in one of their batches.
let private withLength (at: int) (length: int) (bytes: byte[]) : byte[] =
    let changed = Array.copy bytes
    BinaryPrimitives.WriteInt32BigEndian(Span<byte>(changed, at + 8, 4), length)
    changed

[<Tests>]
let splitting =
    testList
        "record sets"
        [ property "splitting is the inverse of concatenating" (fun (samples: SmallSample list) ->
              let batches = batches samples
              let bytes = (RecordSet.concat batches).ToArray()

              whole (split bytes) = batches && whole (splitVerified bytes) = batches && (split bytes).Length = batches.Length)

          property "cutting the tail at any byte loses only the last batch" (fun (samples: SmallSample list, SmallSample last) ->
              let batches, last = batches samples, toBatch last
              let before = (RecordSet.concat batches).ToArray()
              let all = Array.append before (last.Bytes.ToArray())

              seq { before.Length .. all.Length - 1 }
              |> Seq.forall (fun length ->
                  let items = split all[.. length - 1]
                  let cut = length - before.Length

                  whole items = batches
                  && (items.Length = batches.Length || contentOf (List.last items) = Content.CutOff cut)
                  && (items.Length = batches.Length) = (cut = 0)))

          property "splitting any bytes ends, and loses nothing" (fun (bytes: byte[]) ->
              // Each item begins where the one before it ends, and the last one ends with the bytes.
              let isComplete (items: RecordSetItem list) =
                  items |> List.scan (fun at item -> at + item.SizeInBytes) 0 = (items |> List.map _.Position) @ [ bytes.Length ]

              isComplete (split bytes) && isComplete (splitVerified bytes))

          property "every item knows its index, position and path" (fun (samples: SmallSample list) ->
              let batches = batches samples
              let positions = batches |> List.scan (fun at batch -> at + batch.SizeInBytes) 0
              let path = "FetchResponse/Responses[0]/Partitions[2]/Records"

              let places =
                  RecordSet.split (RecordSet.concat batches)
                  |> RecordSet.under (lazy path)
                  |> Seq.map (fun item ->
                      match item with
                      | RecordSetItem.Batch(_, place) -> place.Index, place.Position, place.Path
                      | other -> failwith (other.ToString()))
                  |> List.ofSeq

              places = [ for i in 0 .. batches.Length - 1 -> i, positions[i], path + "[" + string i + "]" ])

          property
              "a changed batch in the middle does not affect the others"
              (fun (first: SmallSample, middle: SmallSample, last: SmallSample, at: uint16, value: byte) ->
                  let first, middle, last =
                      match batches [ first; middle; last ] with
                      | [ first; middle; last ] -> first, middle, last
                      | _ -> failwith "three"

                  let bytes = middle.Bytes.ToArray()
                  // Any byte except the length, which determines where the next batch begins.
                  let at = int at % bytes.Length
                  let at = if at >= 8 && at < 12 then 30 else at
                  bytes[at] <- bytes[at] ^^^ (value ||| 1uy)
                  let all = Array.concat [ first.Bytes.ToArray(); bytes; last.Bytes.ToArray() ]

                  match splitVerified all with
                  | [ RecordSetItem.Batch(before, _); RecordSetItem.Corrupt corrupt; RecordSetItem.Batch(after, _) ] ->
                      before = first
                      && after = last
                      && corrupt.Position = first.SizeInBytes
                      && corrupt.Bytes = Bytes bytes
                      && corrupt.Fault.Offset >= corrupt.Position
                  | [ RecordSetItem.Batch(before, _); RecordSetItem.Batch _; RecordSetItem.Batch(after, _) ] ->
                      // The checksum does not cover base offset and leader epoch.
                      before = first && after = last && at < 16
                  | _ -> false)

          test "a corrupt batch is reported with its offsets" {
              let batch = (plainBatch 5).Rebase(100L, 0)
              let bytes = batch.Bytes.ToArray()
              bytes[200] <- bytes[200] ^^^ 1uy
              let all = Array.concat [ (plainBatch 2).Bytes.ToArray(); bytes; ((plainBatch 1).Rebase(105L, 0)).Bytes.ToArray() ]

              match splitVerified all with
              | [ RecordSetItem.Batch _; RecordSetItem.Corrupt corrupt; RecordSetItem.Batch(after, _) ] ->
                  Expect.equal (corrupt.FirstOffset, corrupt.LastOffset) (100L, ValueSome 104L) "offsets"
                  Expect.equal after.BaseOffset 105L "the batch after it"
                  Expect.equal (corrupt.Fault.Path, corrupt.Fault.Offset) ("Records[1]/Crc", corrupt.Position + 17) "the checksum's place"
              | other -> failtest (string other.Length + " items")

              match split all with
              | [ _; RecordSetItem.Batch(middle, _); _ ] -> Expect.isError (RecordBatch.verify middle) "detected when it is opened"
              | other -> failtest (string other.Length + " items")
          }

          test "unknown formats are reported, and the batches after them are read" {
              let bytes = (plainBatch 1).Bytes.ToArray()
              let after = (plainBatch 2).Bytes.ToArray()

              for magic in [ 3y; 127y; -1y ] do
                  bytes[16] <- byte magic

                  match split (Array.append bytes after) with
                  | [ RecordSetItem.Corrupt corrupt; RecordSetItem.Batch(batch, _) ] ->
                      Expect.equal corrupt.Fault { Problem = Problem.BadMagic magic; Offset = 16; Path = "Records[0]/Magic" } "fault"
                      Expect.equal (corrupt.FirstOffset, corrupt.LastOffset) (0L, ValueNone) "offsets"
                      Expect.equal batch.Count 2 "the batch after it"
                  | other -> failtest (string other.Length + " items")
          }

          test "an impossible length ends the set" {
              let bytes = Array.append ((plainBatch 1).Bytes.ToArray()) ((plainBatch 1).Bytes.ToArray())
              let first = bytes.Length / 2

              for length in [ -12; -1; 0; 13; 48; Int32.MinValue ] do
                  match split (withLength first length bytes) with
                  | [ RecordSetItem.Batch _; RecordSetItem.Corrupt corrupt ] ->
                      Expect.equal corrupt.Fault.Problem (Problem.BadBatchLength length) "problem"
                      Expect.equal (corrupt.Fault.Path, corrupt.Fault.Offset) ("Records[1]/Length", first + 8) "path and offset"
                      Expect.equal corrupt.Bytes.Length first "all remaining bytes"
                  | other -> failtest (string other.Length + " items for " + string length)
          }

          test "no bytes have no items" {
              Expect.isEmpty (split [||]) "items"
              Expect.equal (RecordSet.concat []) Bytes.empty "bytes"
          }

          test "every iteration starts from the first batch" {
              let set = RecordSet.split (RecordSet.concat [ plainBatch 1; plainBatch 2 ])
              Expect.equal (Seq.length set) (Seq.length set) "items"
              let mutable count = 0

              for item in set do
                  match item with
                  | RecordSetItem.Batch(batch, _) -> count <- count + batch.Count
                  | _ -> ()

              Expect.equal count 3 "records"
          } ]

/// A batch of three records whose header or first record has one defect, and the path and offset at which that must be found.
let private defects: (string * (byte[] -> byte[]) * string * int) list =
    let set (at: int) (values: byte list) (bytes: byte[]) =
        mend (Array.concat [ bytes[.. at - 1]; Array.ofList values; bytes[at + values.Length ..] ])

    [ "a wrong checksum", (fun bytes -> bytes |> Array.mapi (fun i value -> if i = 17 then value ^^^ 1uy else value)), "Crc", 17
      "a compression that does not exist", set 22 [ 5uy ], "Attributes", 21
      "a compression without a codec", set 22 [ 2uy ], "Attributes", 21
      "a negative last offset", set 23 [ 255uy ], "LastOffsetDelta", 23
      "a base offset without a next one", set 0 [ 127uy; 255uy; 255uy; 255uy; 255uy; 255uy; 255uy; 255uy ], "BaseOffset", 0
      "a negative count", set 57 [ 255uy ], "Count", 57
      "a count that the bytes cannot hold", set 57 [ 1uy ], "Count", 57
      "a codec that fails", set 22 [ 4uy ], "Records", 61
      "a record without a body", set 61 [ 0uy ], "Records[0]/Attributes", 62
      "a negative record length", set 61 [ 1uy ], "Records[0]/Length", 61
      "a timestamp that does not end", set 64 (List.replicate 10 255uy), "Records[0]/TimestampDelta", 73
      "an offset that does not end", set 65 (List.replicate 5 255uy), "Records[0]/OffsetDelta", 69
      "a key longer than the record", set 66 [ 0xFEuy; 0x7Fuy ], "Records[0]/Key", 66 ]

[<Tests>]
let paths =
    testList
        "paths of faults"
        [ for name, damage, field, offset in defects do
              test ("name the field: " + name) {
                  let bytes = damage ((plainBatch 3).Bytes.ToArray())
                  let reading = Reading.withCodecs codecs

                  let fault = RecordBatch.ofBytes (Bytes bytes) |> Result.bind (RecordBatch.toList reading) |> faultOf

                  Expect.equal (fault.Path, fault.Offset) (field, offset) "in the batch alone"

                  // The second item of a set that lies within other bytes.
                  let first = plainBatch 1
                  let set = RecordSet.split (Bytes(Array.append (first.Bytes.ToArray()) bytes))

                  let found =
                      set
                      |> RecordSet.under (lazy "FetchResponse/Responses[0]/Partitions[2]/Records")
                      |> Seq.item 1
                      |> RecordSetItem.openRecords reading
                      |> Result.bind BatchRecords.toList
                      |> faultOf

                  Expect.equal found.Problem fault.Problem "the same problem"
                  Expect.equal found.Path ("FetchResponse/Responses[0]/Partitions[2]/Records[1]/" + field) "in the message"
                  Expect.equal found.Offset (first.SizeInBytes + offset) "offset in the set"
              }

          test "lead from the response to the field" {
              let damaged = (plainBatch 2).Bytes.ToArray()
              damaged[70] <- damaged[70] ^^^ 1uy
              let sound = RecordSet.concat [ plainBatch 1; plainBatch 2; plainBatch 3 ]
              let records = Bytes(Array.append (sound.ToArray()) damaged)
              let partition index records = { Fetch.partitionResponse.Default with PartitionIndex = index; Records = records }

              let response =
                  { Fetch.response.Default with
                      Topics =
                          [ { Fetch.topicResponse.Default with
                                Partitions = [ partition 0 (Some sound); partition 1 None; partition 2 (Some records) ] } ] }

              let faults =
                  [ for path, records in Message.records Fetch.api.Response response do
                        for item in RecordSet.splitVerified records |> RecordSet.under (lazy path) do
                            match item with
                            | RecordSetItem.Corrupt corrupt -> corrupt.Fault.ToString()
                            | _ -> () ]

              match faults with
              | [ fault ] ->
                  Expect.stringStarts
                      fault
                      ("FetchResponse/Responses[0]/Partitions[2]/Records[3]/Crc at byte " + string (sound.Length + 17) + ": ")
                      "the fault"
              | other -> failtest (string other.Length + " faults")
          } ]
