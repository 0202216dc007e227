/// What the Java client packed.
module LibKafka.Properties.CompressionTests.Vectors

open System
open System.Buffers.Binary
open System.Text.Json
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Properties
open LibKafka.Properties.Records.Samples
open LibKafka.Properties.CompressionTests.Samples

let private bytes (json: JsonElement) : Bytes voption =
    match json.GetString() with
    | null -> ValueNone
    | hex -> ValueSome(Bytes.ofHex hex)

let private records (json: JsonElement) : RecordData list =
    [ for record in json.GetProperty("records").EnumerateArray() ->
          { Offset = record.GetProperty("offset").GetInt64()
            Timestamp = record.GetProperty("timestamp").GetInt64()
            Key = bytes (record.GetProperty "key")
            Value = bytes (record.GetProperty "value")
            Headers =
              [ for header in record.GetProperty("headers").EnumerateArray() ->
                    { Key = Bytes.ofString (nonNull (header[0].GetString())); Value = bytes header[1] } ] } ]

let private isCompressed (json: JsonElement) = TestData.text "codec" json <> "none"

[<Tests>]
let batches =
    testList
        "compressed batches of the Java client"
        [ for json in TestData.jsonLines TestData.vectors "batches.jsonl.gz" |> List.filter isCompressed do
              test (TestData.text "name" json) {
                  let batch = RecordBatch.ofBytes (TestData.bytesOf "" json) |> ok
                  let read = RecordBatch.toList Limits.standard AllCodecs.Set
                  Expect.equal (read batch) (Ok(records json)) "records"

                  let plain = RecordBatch.decompress AllCodecs.Set Limits.standard batch |> ok
                  Expect.equal (read plain) (Ok(records json)) "records, unpacked"

                  for codec in usual do
                      let again = RecordBatch.compress codec plain |> ok
                      Expect.equal (read again) (Ok(records json)) ("records, packed with " + nameOf codec)
                      Expect.equal (RecordBatch.decompress AllCodecs.Set Limits.standard again) (Ok plain) "unpacked again"
              } ]

[<Tests>]
let negative =
    testList
        "compressed batches that the Java client refuses"
        [ for json in TestData.jsonLines TestData.vectors "batches-negative.jsonl.gz" |> List.filter isCompressed do
              test (TestData.text "name" json) {
                  let result =
                      RecordBatch.ofBytes (TestData.bytesOf "" json) |> Result.bind (RecordBatch.toList Limits.standard AllCodecs.Set)

                  match TestData.text "kind" json, (faultOf result).Problem with
                  | ("crc-flip" | "attribute-flip-no-crc-fix"), Problem.BadCrc _
                  | "count-too-large", (Problem.BadRecordCount _ | Problem.CountTooLarge _)
                  | "count-too-small", Problem.TrailingBytes _
                  | "count-negative", Problem.BadRecordCount _
                  | "codec-5", Problem.UnknownCodec 5
                  | "codec-7", Problem.UnknownCodec 7
                  | "payload-truncated", Problem.CodecFailed _
                  | "magic-3", Problem.BadMagic 3y
                  | "length-too-small", Problem.BadBatchLength _
                  // What was changed is the packed form's first byte.
                  | "first-record-length", Problem.CodecFailed _ -> ()
                  // What was changed a codec without checksums may hand on to the records' reader.
                  | "payload-garbage", _ -> ()
                  | kind, problem -> failtestf "%s: %s" kind (problem.ToString())
              } ]

[<Tests>]
let recordSets =
    testList
        "record sets of the Java client with compressed batches"
        [ for json in TestData.jsonLines TestData.vectors "recordsets.jsonl.gz" do
              let magics = [ for batch in json.GetProperty("batches").EnumerateArray() -> batch.GetProperty("magic").GetInt32() ]

              if List.forall ((=) 2) magics then
                  test (TestData.text "name" json) {
                      let read =
                          [ for item in RecordSet.splitVerified (TestData.bytesOf "" json) do
                                match item with
                                | RecordSetItem.Batch batch -> yield! RecordBatch.toList Limits.standard AllCodecs.Set batch |> ok
                                | RecordSetItem.Corrupt stretch -> failtest (stretch.ToString())
                                | RecordSetItem.CutOff _ -> () ]

                      Expect.equal read (records json) "records"
                  } ]

/// The key and value of each message of a message set of magic 0 or 1, and of those in its wrappers, until the first that is cut off.
let rec private messages (codecs: Codecs) (set: byte[]) : (Bytes voption * Bytes voption) list =
    let length (at: int) = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan<byte>(set, at, 4))

    /// A nullable run, and where it ends.
    let run (at: int) : Bytes voption * int =
        match length at with
        | -1 -> ValueNone, at + 4
        | size -> ValueSome(Bytes set[at + 4 .. at + 3 + size]), at + 4 + size

    if set.Length < 12 || set.Length < 12 + length 8 then
        []
    else
        let key, next = run (if set[16] = 0uy then 18 else 26)
        let value, finish = run next
        let rest = messages codecs set[finish..]

        match codecs.Find(enum (int set[17] &&& 7)), value with
        | null, _
        | _, ValueNone -> (key, value) :: rest
        | codec, ValueSome value -> messages codecs (unpacked codec (value.ToArray()) |> ok) @ rest

[<Tests>]
let messageSets =
    testList
        "compressed message sets of the Java client"
        [ for json in TestData.jsonLines TestData.vectors "recordsets.jsonl.gz" do
              let name = TestData.text "name" json

              if name.StartsWith "v" then
                  test name {
                      let expected = records json |> List.map (fun record -> record.Key, record.Value)
                      let set = (TestData.bytesOf "" json).ToArray()
                      Expect.equal (messages AllCodecs.Set set) expected "keys and values"
                  } ]
