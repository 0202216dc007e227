/// Batches that the Java client wrote, and ones that it refuses.
module LibKafka.Properties.Records.Vectors

open System
open System.Text.Json
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Properties
open LibKafka.Properties.Records.Samples

let private bytes (json: JsonElement) : Bytes voption =
    match json.GetString() with
    | null -> ValueNone
    | hex -> ValueSome(Bytes.ofHex hex)

let private record (json: JsonElement) : RecordData =
    { Offset = json.GetProperty("offset").GetInt64()
      Timestamp = json.GetProperty("timestamp").GetInt64()
      Key = bytes (json.GetProperty "key")
      Value = bytes (json.GetProperty "value")
      Headers =
        [ for header in json.GetProperty("headers").EnumerateArray() ->
              { Key = Bytes.ofString (nonNull (header[0].GetString())); Value = bytes header[1] } ] }

let private records (json: JsonElement) : RecordData list = [ for item in json.GetProperty("records").EnumerateArray() -> record item ]

/// Every header field that a batch of magic 2 has.
let private checkHeader (json: JsonElement) (batch: RecordBatch) =
    let int64 (name: string) = json.GetProperty(name).GetInt64()
    let bool (name: string) = json.GetProperty(name).GetBoolean()
    Expect.equal batch.BaseOffset (int64 "baseOffset") "base offset"
    Expect.equal batch.LastOffset (int64 "lastOffset") "last offset"
    Expect.equal batch.NextOffset (int64 "lastOffset" + 1L) "next offset"
    Expect.equal batch.PartitionLeaderEpoch (int (int64 "partitionLeaderEpoch")) "leader epoch"
    Expect.equal (int64 "magic") 2L "magic"
    Expect.equal batch.Crc (uint32 (int64 "crc")) "checksum"
    Expect.equal (RecordBatch.verify batch) (Ok()) "checksum is right"
    Expect.equal (CompressionType.name batch.Compression) (TestData.text "codec" json) "codec"
    Expect.equal (batch.TimestampType.ToString()) (TestData.text "timestampType" json) "timestamp type"
    Expect.equal batch.BaseTimestamp (int64 "baseTimestamp") "base timestamp"
    Expect.equal batch.MaxTimestamp (int64 "maxTimestamp") "largest timestamp"
    Expect.equal batch.ProducerId (int64 "producerId") "producer id"
    Expect.equal batch.ProducerEpoch (int16 (int64 "producerEpoch")) "producer epoch"
    Expect.equal batch.BaseSequence (int (int64 "baseSequence")) "base sequence"
    Expect.equal batch.LastSequence (int (int64 "lastSequence")) "last sequence"
    Expect.equal batch.IsTransactional (bool "transactional") "transactional"
    Expect.equal batch.IsControl (bool "control") "control"
    Expect.equal batch.Count (int (int64 "count")) "count"

    let horizon =
        let json = json.GetProperty "deleteHorizon"
        if json.ValueKind = JsonValueKind.Null then ValueNone else ValueSome(json.GetInt64())

    Expect.equal batch.DeleteHorizon horizon "delete horizon"

/// Whether there is a codec for it here.
let private readable (batch: RecordBatch) : bool = batch.Compression = CompressionType.None || batch.Compression = gzip.Type

/// gzip comes with the class library, so its batches can be read too.
let private codecs = Codecs.ofList [ gzip ]

[<Tests>]
let batches =
    testList
        "batches of the Java client"
        [ for json in TestData.jsonLines TestData.vectors "batches.jsonl.gz" do
              test (TestData.text "name" json) {
                  let bytes = TestData.bytesOf "" json
                  let batch = ok (RecordBatch.ofBytes bytes)
                  checkHeader json batch
                  Expect.equal batch.Bytes bytes "bytes as they were"

                  if readable batch then
                      Expect.equal (RecordBatch.toList Limits.standard codecs batch) (Ok(records json)) "records"
                  else
                      let missing = Problem.CodecMissing(CompressionType.name batch.Compression)
                      Expect.equal (faultOf (RecordBatch.openRecords Limits.standard codecs batch)).Problem missing "no codec"

                  if batch.Compression = CompressionType.None then
                      let again = RecordBatch.ofRecords (BatchOptions.ofHeader batch.Header) (ok (stored codecs batch))

                      Expect.equal (again |> Result.map _.Bytes) (Ok bytes) "written again"

                  if batch.IsControl && readable batch then
                      let types =
                          RecordBatch.fold
                              (fun types record -> (ok (ControlRecord.ofRecord record)).Type :: types)
                              []
                              Limits.standard
                              codecs
                              batch

                      Expect.all (ok types) (fun type' -> type'.Code >= 0s && type'.Code <= 6s) "known control records"
              } ]

let private isRecordFault (fault: Fault) : bool = fault.Path.StartsWith "Records"

/// What a kind of damage must be found as. A codec that is not here is told before the records behind it are looked at.
let private expected (kind: string) (codec: string) (fault: Fault) : bool =
    match kind, codec, fault.Problem with
    | ("crc-flip" | "attribute-flip-no-crc-fix"), _, Problem.BadCrc _ -> true
    | "magic-3", _, Problem.BadMagic 3y -> true
    | "length-too-small", _, Problem.BadBatchLength length -> length < 49
    | "codec-5", _, Problem.UnknownCodec 5 -> true
    | "codec-7", _, Problem.UnknownCodec 7 -> true
    | "count-negative", _, Problem.BadRecordCount(count, _) -> count < 0
    | _, ("snappy" | "lz4" | "zstd"), Problem.CodecMissing name -> name = codec
    | "count-too-large", _, (Problem.BadRecordCount _ | Problem.CountTooLarge _) -> true
    | "count-too-small", _, Problem.TrailingBytes _ -> true
    | ("payload-garbage" | "payload-truncated" | "first-record-length"), "gzip", Problem.CodecFailed("gzip", _) -> true
    // The class library's gzip gives what it has where its input ends too early.
    | "payload-truncated", "gzip", _ -> isRecordFault fault
    | "payload-truncated", "none", (Problem.Truncated _ | Problem.BadRecordCount _ | Problem.CountTooLarge _) -> true
    | "first-record-length", "none", (Problem.BadRecordLength _ | Problem.Truncated _) -> isRecordFault fault
    | "payload-garbage", "none", _ -> isRecordFault fault
    | _ -> false

[<Tests>]
let refused =
    testList
        "batches that the Java client refuses"
        [ for json in TestData.jsonLines TestData.vectors "batches-negative.jsonl.gz" do
              let kind = TestData.text "kind" json

              test (TestData.text "name" json) {
                  let fault =
                      RecordBatch.ofBytes (TestData.bytesOf "" json) |> Result.bind (RecordBatch.toList Limits.standard codecs) |> faultOf

                  if not (expected kind (TestData.text "codec" json) fault) then
                      failtest (kind + " was found as " + fault.ToString())
              } ]

let private magicOf (json: JsonElement) = json.GetProperty("magic").GetInt32()

/// Where each batch of a set ends, which its first offset and length tell in every format.
let private magics (json: JsonElement) : int list = [ for batch in json.GetProperty("batches").EnumerateArray() -> magicOf batch ]

/// The records of a run of batches, as far as there are codecs; they are taken from the set's records by their offsets.
let private checkRecords (json: JsonElement) (batch: RecordBatch) =
    if readable batch then
        let expected =
            records json |> List.filter (fun record -> record.Offset >= batch.BaseOffset && record.Offset <= batch.LastOffset)

        Expect.equal (RecordBatch.toList Limits.standard codecs batch) (Ok expected) "records"

[<Tests>]
let recordSets =
    testList
        "record sets of the Java client"
        [ for json in TestData.jsonLines TestData.vectors "recordsets.jsonl.gz" do
              // Whole messages of the older formats are told one by one; a compressed set of them is one message.
              if List.contains 2 (magics json) then
                  test (TestData.text "name" json) {
                      let items = List.ofSeq (RecordSet.splitVerified (TestData.bytesOf "" json))
                      let trailing = json.GetProperty("trailingPartialBytes").GetInt32()

                      let whole =
                          items
                          |> List.filter (fun item ->
                              match item with
                              | RecordSetItem.CutOff count ->
                                  Expect.equal count trailing "cut-off bytes"
                                  false
                              | _ -> true)

                      Expect.equal (whole.Length < items.Length) (trailing > 0) "a cut-off batch"
                      Expect.equal whole.Length (magics json).Length "batches"

                      for item, json' in List.zip whole (List.ofSeq (json.GetProperty("batches").EnumerateArray())) do
                          match item with
                          | RecordSetItem.Batch batch ->
                              checkHeader json' batch
                              checkRecords json batch
                          | RecordSetItem.Corrupt corrupt ->
                              Expect.equal corrupt.Fault.Problem (Problem.BadMagic(int8 (magicOf json'))) "an older format"
                              Expect.isLessThan (magicOf json') 2 "an older format"
                          | RecordSetItem.CutOff _ -> ()
                  } ]
