/// Batches one behind another.
module LibKafka.Properties.Records.RecordSets

open System
open System.Buffers.Binary
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Properties.Records.Samples

let private batches (samples: SmallSample list) : RecordBatch list = samples |> List.map (fun (SmallSample sample) -> toBatch sample)

/// The whole batches of what was found; anything else fails the test.
let private whole (items: RecordSetItem list) : RecordBatch list =
    items
    |> List.choose (fun item ->
        match item with
        | RecordSetItem.Batch batch -> Some batch
        | RecordSetItem.CutOff _ -> None
        | other -> failwith (other.ToString()))

let private split (bytes: byte[]) : RecordSetItem list = List.ofSeq (RecordSet.split (Bytes bytes))
let private splitVerified (bytes: byte[]) : RecordSetItem list = List.ofSeq (RecordSet.splitVerified (Bytes bytes))

/// Bytes with a length written at the start of one of the batches in them.
let private withLength (at: int) (length: int) (bytes: byte[]) : byte[] =
    let changed = Array.copy bytes
    BinaryPrimitives.WriteInt32BigEndian(Span<byte>(changed, at + 8, 4), length)
    changed

[<Tests>]
let splitting =
    testList
        "record sets"
        [ property "taking apart undoes putting together" (fun (samples: SmallSample list) ->
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
                  && (items.Length = batches.Length || List.last items = RecordSetItem.CutOff cut)
                  && (items.Length = batches.Length) = (cut = 0)))

          property "any bytes end in time, and nothing is lost on the way" (fun (bytes: byte[]) ->
              let size (item: RecordSetItem) =
                  match item with
                  | RecordSetItem.Batch batch -> batch.SizeInBytes
                  | RecordSetItem.Legacy batch -> batch.SizeInBytes
                  | RecordSetItem.Corrupt corrupt -> corrupt.Bytes.Length
                  | RecordSetItem.CutOff count -> count

              List.sumBy size (split bytes) = bytes.Length && List.sumBy size (splitVerified bytes) = bytes.Length)

          property
              "a batch changed in the middle leaves the others"
              (fun (first: SmallSample, middle: SmallSample, last: SmallSample, at: uint16, value: byte) ->
                  let first, middle, last =
                      match batches [ first; middle; last ] with
                      | [ first; middle; last ] -> first, middle, last
                      | _ -> failwith "three"

                  let bytes = middle.Bytes.ToArray()
                  // Anything but what says where the next batch begins.
                  let at = int at % bytes.Length
                  let at = if at >= 8 && at < 12 then 30 else at
                  bytes[at] <- bytes[at] ^^^ (value ||| 1uy)
                  let all = Array.concat [ first.Bytes.ToArray(); bytes; last.Bytes.ToArray() ]

                  match splitVerified all with
                  | [ RecordSetItem.Batch before; RecordSetItem.Corrupt corrupt; RecordSetItem.Batch after ] ->
                      before = first
                      && after = last
                      && corrupt.Position = first.SizeInBytes
                      && corrupt.Bytes = Bytes bytes
                      && corrupt.Fault.Offset >= corrupt.Position
                  | [ RecordSetItem.Batch before; RecordSetItem.Batch _; RecordSetItem.Batch after ] ->
                      // Base offset and leader epoch are not under the checksum.
                      before = first && after = last && at < 16
                  | _ -> false)

          test "a corrupt batch is reported with its offsets" {
              let batch = (plainBatch 5).Rebase(100L, 0)
              let bytes = batch.Bytes.ToArray()
              bytes[200] <- bytes[200] ^^^ 1uy
              let all = Array.concat [ (plainBatch 2).Bytes.ToArray(); bytes; ((plainBatch 1).Rebase(105L, 0)).Bytes.ToArray() ]

              match splitVerified all with
              | [ RecordSetItem.Batch _; RecordSetItem.Corrupt corrupt; RecordSetItem.Batch after ] ->
                  Expect.equal (corrupt.FirstOffset, corrupt.LastOffset) (100L, ValueSome 104L) "offsets"
                  Expect.equal after.BaseOffset 105L "the batch behind it"
                  Expect.equal corrupt.Fault.Offset (corrupt.Position + 17) "the checksum's place"
              | other -> failtest (string other.Length + " items")

              match split all with
              | [ _; RecordSetItem.Batch middle; _ ] -> Expect.isError (RecordBatch.verify middle) "found when it is opened"
              | other -> failtest (string other.Length + " items")
          }

          test "formats that cannot be read are told and gone behind" {
              let bytes = (plainBatch 1).Bytes.ToArray()
              let after = (plainBatch 2).Bytes.ToArray()

              for magic in [ 3y; 127y; -1y ] do
                  bytes[16] <- byte magic

                  match split (Array.append bytes after) with
                  | [ RecordSetItem.Corrupt corrupt; RecordSetItem.Batch batch ] ->
                      Expect.equal corrupt.Fault { Problem = Problem.BadMagic magic; Offset = 16; Path = "" } "fault"
                      Expect.equal (corrupt.FirstOffset, corrupt.LastOffset) (0L, ValueNone) "offsets"
                      Expect.equal batch.Count 2 "the batch behind it"
                  | other -> failtest (string other.Length + " items")
          }

          test "a length that leaves no way on ends the set" {
              let bytes = Array.append ((plainBatch 1).Bytes.ToArray()) ((plainBatch 1).Bytes.ToArray())
              let first = bytes.Length / 2

              for length in [ -12; -1; 0; 13; 48; Int32.MinValue ] do
                  match split (withLength first length bytes) with
                  | [ RecordSetItem.Batch _; RecordSetItem.Corrupt corrupt ] ->
                      Expect.equal corrupt.Fault.Problem (Problem.BadBatchLength length) "problem"
                      Expect.equal corrupt.Fault.Offset (first + 8) "offset"
                      Expect.equal corrupt.Bytes.Length first "all that is left"
                  | other -> failtest (string other.Length + " items for " + string length)
          }

          test "no bytes are no items" {
              Expect.isEmpty (split [||]) "items"
              Expect.equal (RecordSet.concat []) Bytes.empty "bytes"
          }

          test "iterating again begins anew" {
              let set = RecordSet.split (RecordSet.concat [ plainBatch 1; plainBatch 2 ])
              Expect.equal (Seq.length set) (Seq.length set) "items"
              let mutable count = 0

              for item in set do
                  match item with
                  | RecordSetItem.Batch batch -> count <- count + batch.Count
                  | _ -> ()

              Expect.equal count 3 "records"
          } ]
