/// Batches that the Java client wrote, and batches that it refuses.
module LibKafka.Properties.Records.Vectors

open System.Text.Json
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
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

/// All header fields of a batch with magic 2.
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

let private codecs = AllCodecs.Set

/// The lines of a file, whose number is known for this set.
let private linesOf (file: string) (count: int) : JsonElement list * Test =
    let lines = TestData.jsonLines TestData.vectors file

    lines,
    test "every one of them" {
        if TestData.areOwn "LIBKAFKA_VECTORS" then
            Expect.equal lines.Length count ("lines of " + file)
        Expect.isNonEmpty lines ("lines of " + file)
    }

let private batchLines, allBatches = linesOf "batches.jsonl.gz" 418
let private negativeLines, allNegative = linesOf "batches-negative.jsonl.gz" 70
let private setLines, allSets = linesOf "recordsets.jsonl.gz" 108

[<Tests>]
let batches =
    testList
        "batches of the Java client"
        [ allBatches

          for json in batchLines do
              test (TestData.text "name" json) {
                  let bytes = TestData.bytesOf "" json
                  let batch = ok (RecordBatch.ofBytes bytes)
                  checkHeader json batch
                  Expect.equal batch.Bytes bytes "bytes as they were"

                  Expect.equal (RecordBatch.toList (Reading.withCodecs codecs) batch) (Ok(records json)) "records"

                  if batch.Compression = CompressionType.None then
                      let again = BatchBuilder.build (BatchOptions.ofHeader batch.Header) (ok (stored codecs batch))

                      Expect.equal (again |> Result.map _.Bytes) (Ok bytes) "written again"

                  if batch.Compression <> CompressionType.None then
                      let missing = Problem.CodecMissing(CompressionType.name batch.Compression)
                      let without = RecordBatch.openRecords Reading.standard batch
                      // A batch that compaction has emptied has nothing to decompress.
                      if batch.Payload.Length > 0 then
                          Expect.equal (faultOf without).Problem missing "no codec"
                      let plain = ok (RecordBatch.decompress (Reading.withCodecs codecs) batch)
                      Expect.equal (RecordBatch.toList Reading.standard plain) (Ok(records json)) "records, unpacked"

                      for codec in AllCodecs.List do
                          let again = ok (RecordBatch.compress codec plain)
                          Expect.equal (RecordBatch.decompress (Reading.withCodecs codecs) again) (Ok plain) "packed and unpacked again"

                  if batch.IsControl then
                      let types =
                          RecordBatch.fold
                              (fun types record -> (ok (ControlRecord.ofRecord record)).Type :: types)
                              []
                              (Reading.withCodecs codecs)
                              batch

                      Expect.all (ok types) (fun type' -> type'.Code >= 0s && type'.Code <= 6s) "known control records"
              } ]

let private isRecordFault (fault: Fault) : bool = fault.Path.StartsWith "Records"

/// The fault that a kind of damage must result in.
let private expected (kind: string) (codec: string) (fault: Fault) : bool =
    match kind, codec, fault.Problem with
    | ("crc-flip" | "attribute-flip-no-crc-fix"), _, Problem.BadCrc _ -> true
    | "magic-3", _, Problem.BadMagic 3y -> true
    | "length-too-small", _, Problem.BadBatchLength length -> length < 49
    | "codec-5", _, Problem.UnknownCodec 5 -> true
    | "codec-7", _, Problem.UnknownCodec 7 -> true
    | "count-negative", _, Problem.BadRecordCount(count, _) -> count < 0
    | "count-too-large", _, (Problem.BadRecordCount _ | Problem.CountTooLarge _) -> true
    | "count-too-small", _, Problem.TrailingBytes _ -> true
    | "payload-truncated", "none", (Problem.Truncated _ | Problem.BadRecordCount _ | Problem.CountTooLarge _) -> true
    | "first-record-length", "none", (Problem.BadRecordLength _ | Problem.Truncated _) -> isRecordFault fault
    | "payload-garbage", "none", _ -> isRecordFault fault
    | ("payload-truncated" | "first-record-length" | "payload-garbage"), _, Problem.CodecFailed(name, _) -> name = codec
    // A codec without checksums may return changed records, which their reader refuses.
    | ("payload-truncated" | "first-record-length" | "payload-garbage"), _, (Problem.CountTooLarge _ | Problem.BadRecordCount _) -> true
    | ("payload-truncated" | "first-record-length" | "payload-garbage"), _, _ -> isRecordFault fault
    | _ -> false

[<Tests>]
let refused =
    testList
        "batches that the Java client refuses"
        [ allNegative

          for json in negativeLines do
              let kind = TestData.text "kind" json

              test (TestData.text "name" json) {
                  let fault =
                      RecordBatch.ofBytes (TestData.bytesOf "" json)
                      |> Result.bind (RecordBatch.toList (Reading.withCodecs codecs))
                      |> faultOf

                  if not (expected kind (TestData.text "codec" json) fault) then
                      failtest (kind + " was found as " + fault.ToString())
              } ]

/// The fields of a message of an older format that are known without opening it.
let private checkLegacy (json: JsonElement) (batch: LegacyBatch) =
    let int64 (name: string) = json.GetProperty(name).GetInt64()
    Expect.equal batch.LastOffset (int64 "lastOffset") "last offset"
    Expect.equal batch.NextOffset (int64 "lastOffset" + 1L) "next offset"
    Expect.equal (int8 (int64 "magic")) batch.Magic "magic"
    Expect.equal batch.Crc (uint32 (int64 "crc")) "checksum"
    Expect.equal (LegacyBatch.verify batch) (Ok()) "checksum is right"
    Expect.equal (CompressionType.name batch.Compression) (TestData.text "codec" json) "codec"
    Expect.equal batch.Timestamp (int64 "maxTimestamp") "timestamp"

    match TestData.text "timestampType" json with
    | "NoTimestampType" -> Expect.equal (batch.Magic, batch.Timestamp) (0y, -1L) "no timestamps"
    | type' -> Expect.equal (batch.TimestampType.ToString()) type' "timestamp type"

/// The records of one item of a set, after its header has been checked; none for a batch that is cut off.
let private recordsOf (json: JsonElement) (item: RecordSetItem) : RecordData list =
    let records = RecordSetItem.openRecords (Reading.withCodecs codecs) item |> Result.bind BatchRecords.toList |> ok

    match item with
    | RecordSetItem.Batch(batch, _) -> checkHeader json batch
    | RecordSetItem.Legacy(batch, _) ->
        checkLegacy json batch
        Expect.equal records.Head.Offset (json.GetProperty("baseOffset").GetInt64()) "base offset"
        Expect.equal
            (LegacyBatch.openRecords (Reading.withCodecs codecs) batch |> Result.bind BatchRecords.toList)
            (Ok records)
            "opened by itself"
        Expect.equal (LegacyBatch.ofBytes batch.Bytes) (Ok batch) "taken from its bytes"
    | other -> failtest (other.ToString())

    records

[<Tests>]
let recordSets =
    testList
        "record sets of the Java client"
        [ allSets

          for json in setLines do
              test (TestData.text "name" json) {
                  let items = List.ofSeq (RecordSet.splitVerified (TestData.bytesOf "" json))
                  let trailing = json.GetProperty("trailingPartialBytes").GetInt32()
                  let cutOff, whole = items |> List.partition _.IsCutOff
                  Expect.equal (cutOff |> List.map contentOf) (if trailing > 0 then [ Content.CutOff trailing ] else []) "cut-off bytes"
                  let headers = List.ofSeq (json.GetProperty("batches").EnumerateArray())
                  Expect.equal whole.Length headers.Length "batches"
                  Expect.equal (List.map2 recordsOf headers whole |> List.concat) (records json) "records"
              } ]
