/// Batches that are produced again, to another log.
module LibKafka.Properties.Records.Forwarding

open System
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Properties
open LibKafka.Properties.Protocol.Captures
open LibKafka.Properties.Records.Samples

let private reading = Reading.withCodecs AllCodecs.Set

/// The records with the timestamps from their producers, at other offsets.
let private movedBy (offset: RecordBatch -> int -> RecordData -> int64) (batch: RecordBatch) : RecordData list option =
    stored AllCodecs.Set batch
    |> Result.toOption
    |> Option.map (List.mapi (fun index record -> { record with Offset = offset batch index record }))

/// The records as an empty target log has them: their offsets are relative to the base offset.
let private relative = movedBy (fun batch _ record -> record.Offset - batch.BaseOffset)

/// The records at consecutive offsets from 0.
let private renumbered = movedBy (fun _ index _ -> int64 index)

/// Brokers refuse every batch of a client without these properties.
let private checkAcceptable (what: string) (batch: RecordBatch) =
    Expect.equal (RecordBatch.verify batch) (Ok()) (what + ": checksum")
    Expect.equal (batch.BaseOffset, batch.PartitionLeaderEpoch) (0L, -1) (what + ": base offset and leader epoch")
    Expect.equal (int64 batch.Count) (int64 batch.LastOffsetDelta + 1L) (what + ": a record for each offset")
    Expect.equal (batch.ProducerId, batch.ProducerEpoch, batch.BaseSequence) (-1L, -1s, -1) (what + ": identity")
    // LogAppendTime, transactional, control and delete horizon.
    Expect.equal (batch.Attributes.Bits &&& 0x78s) 0s (what + ": attributes")
    Expect.equal (RecordBatch.forwardingObstacle batch) ValueNone (what + ": obstacle")
    let again = RecordBatch.forForwarding batch
    Expect.isTrue (again |> Result.exists (fun again -> Object.ReferenceEquals(again, batch))) (what + ": again")

/// What has the same meaning in every log.
let private kept (batch: RecordBatch) = batch.Count, batch.Attributes.Bits &&& ~~~0x78s

let private checkRepacked (what: string) (batch: RecordBatch) =
    match RecordBatch.repack reading batch, renumbered batch with
    | Ok repacked, Some records ->
        checkAcceptable what repacked
        Expect.equal (stored AllCodecs.Set repacked) (Ok records) (what + ": records")
        Expect.equal (kept repacked) (kept batch) (what + ": the rest of the header")
        Expect.equal repacked.MaxTimestamp (records |> List.map _.Timestamp |> List.max) (what + ": maximum timestamp")
    | Error(NotForwardable.Unreadable _), None -> ()
    | result, _ -> failtest (what + ": " + result.ToString())

/// The laws for any batch.
let private check (what: string) (batch: RecordBatch) =
    match RecordBatch.forForwarding batch with
    | Ok forwarded ->
        checkAcceptable what forwarded
        Expect.equal (stored AllCodecs.Set forwarded |> Result.toOption) (relative batch) (what + ": records")
        Expect.equal forwarded.Payload batch.Payload (what + ": compressed as they were")
        Expect.equal (kept forwarded) (kept batch) (what + ": the rest of the header")
        Expect.equal (forwarded.BaseTimestamp, forwarded.MaxTimestamp) (batch.BaseTimestamp, batch.MaxTimestamp) (what + ": timestamps")
        Expect.equal (RecordBatch.repack reading batch) (Ok forwarded) (what + ": repacked")
    | Error(NotForwardable.OffsetGaps(records, offsets)) ->
        Expect.equal (records, offsets) (batch.Count, batch.NextOffset - batch.BaseOffset) (what + ": gaps")
        Expect.isLessThan (int64 records) offsets (what + ": gaps")
        checkRepacked what batch
    | Error reason ->
        match reason with
        | NotForwardable.ControlBatch -> Expect.isTrue batch.IsControl (what + ": control")
        | NotForwardable.NoRecords -> Expect.equal batch.Count 0 (what + ": no records")
        | _ ->
            let isDamaged = RecordBatch.verify batch <> Ok() || int64 batch.Count > int64 batch.LastOffsetDelta + 1L
            Expect.isTrue (isDamaged || (renumbered batch).IsNone) (what + ": damaged")

        Expect.equal (RecordBatch.repack reading batch) (Error reason) (what + ": neither can it be repacked")

/// The sample as a producer built it: data, at consecutive offsets.
let private asProduced (sample: Sample) : RecordBatch =
    let at index = sample.Options.BaseOffset + int64 index

    toBatch
        { Options = { sample.Options with IsControl = false; LastOffset = ValueNone }
          Records = sample.Records |> List.mapi (fun index record -> { record with Offset = at index }) }

/// The batch after compaction: only some of its records, and all of its offsets.
let private compacted (isKept: int -> bool) (batch: RecordBatch) : RecordBatch =
    ok (stored AllCodecs.Set batch)
    |> List.indexed
    |> List.filter (fst >> isKept)
    |> List.map snd
    |> BatchBuilder.build (BatchOptions.ofHeader batch.Header)
    |> ok

let private packed (choice: byte) (batch: RecordBatch) : RecordBatch =
    match int choice % (AllCodecs.List.Count + 1) with
    | 0 -> batch
    | index -> ok (RecordBatch.compress AllCodecs.List[index - 1] batch)

[<Tests>]
let laws =
    testList
        "a batch for another log"
        [ holds "has the same records, compressed as they were" (fun (sample: Sample, codec) ->
              let batch = asProduced sample |> packed codec
              Expect.isOk (RecordBatch.forForwarding batch) "forwarded"
              Expect.equal (relative batch) (renumbered batch) "consecutive"
              check "any" batch)

          holds "has the records that compaction has left, in the same compression" (fun (sample: Sample, mask: uint16, codec) ->
              asProduced sample |> compacted (fun index -> (mask >>> index) &&& 1us = 1us) |> packed codec |> check "compacted")

          holds "has what it can have of any batch" (fun (sample: Sample, codec) -> toBatch sample |> packed codec |> check "any")

          holds
              "is a batch with records, or a reason, after any change to the header"
              (fun (sample: SmallSample, changes: (byte * byte) list) ->
                  let (SmallSample sample) = sample
                  let bytes = (asProduced sample).Bytes.ToArray()

                  for at, value in changes do
                      bytes[12 + int at % 49] <- value

                  match RecordBatch.ofBytes (Bytes(mend bytes)) with
                  | Ok batch -> check "changed" batch
                  | Error _ -> ())

          test "is made of every batch of the Java client, or there is a reason why not" {
              for json in TestData.jsonLines TestData.vectors "batches.jsonl.gz" do
                  check (TestData.text "name" json) (ok (RecordBatch.ofBytes (TestData.bytesOf "" json)))
          }

          test "is made of every recorded batch, or there is a reason why not" {
              for records in recordsIn.Value do
                  for item in RecordSet.split records.Records do
                      match item with
                      | RecordSetItem.Batch(batch, _) -> check (records.From.Client + " " + records.From.Scenario) batch
                      | _ -> ()
          } ]

let private batchWith (change: BatchOptions -> BatchOptions) : RecordBatch =
    let builder = BatchBuilder(change BatchOptions.standard)
    builder.Add(1700000000000L, "a"B, "1"B)
    builder.Add(1700000000500L, "b"B, "2"B)
    builder.Build()

/// The batch, which a test requires.
let private ok' (result: Result<RecordBatch, NotForwardable>) : RecordBatch =
    match result with
    | Ok batch -> batch
    | Error reason -> failtest (reason.ToString())

let private changed (change: byte[] -> unit) (batch: RecordBatch) : RecordBatch =
    let bytes = batch.Bytes.ToArray()
    change bytes
    batchOf (mend bytes)

let private timestampsOf (batch: RecordBatch) : int64 list = ok (RecordBatch.toList reading batch) |> List.map _.Timestamp

let private reason (batch: RecordBatch) : NotForwardable =
    match RecordBatch.forForwarding batch with
    | Error reason -> reason
    | Ok _ -> failtest "it was forwarded"

let private unreadable (problem: Problem) (reason: NotForwardable) =
    match reason with
    | NotForwardable.Unreadable fault -> Expect.equal fault.Problem problem "problem"
    | other -> failtest (other.ToString())

[<Tests>]
let cases =
    testList
        "forwarding a batch"
        [ test "copies nothing if nothing has to be changed" {
              let batch = batchWith id
              Expect.isTrue (Object.ReferenceEquals(batch, ok' (RecordBatch.forForwarding batch))) "the same"
          }

          test "removes the identity of an idempotent or transactional producer" {
              let batch = batchWith (fun options -> { options with BaseOffset = 70L; PartitionLeaderEpoch = 4 })

              for stamp in [ RecordBatch.withProducer 5L 6s 7; RecordBatch.withTransactionalProducer 5L 6s 7 ] do
                  Expect.equal
                      (RecordBatch.forForwarding (ok (stamp batch)))
                      (Ok(batchWith id))
                      "as a producer without an identity builds it"
          }

          test "gives back the timestamps of the producers if the source has LogAppendTime" {
              let appended =
                  batchWith (fun options ->
                      { options with TimestampType = TimestampType.LogAppendTime; MaxTimestamp = ValueSome 1800000000000L })

              Expect.equal (timestampsOf appended) [ 1800000000000L; 1800000000000L ] "in the source"
              Expect.equal (timestampsOf (ok' (RecordBatch.forForwarding appended))) [ 1700000000000L; 1700000000500L ] "forwarded"
              let repacked = ok' (RecordBatch.repack reading (appended |> compacted ((=) 1)))
              Expect.equal (timestampsOf repacked) [ 1700000000500L ] "repacked"
              Expect.equal repacked.MaxTimestamp 1700000000500L "the maximum is computed from the records"
          }

          test "removes the source's delete horizon and keeps the timestamps" {
              let marked = batchWith (fun options -> { options with DeleteHorizon = ValueSome 1750000000000L })
              let forwarded = ok' (RecordBatch.forForwarding marked)
              Expect.equal forwarded.DeleteHorizon ValueNone "the target keeps tombstones as long as it is configured to"
              Expect.equal (timestampsOf forwarded) [ 1700000000000L; 1700000000500L ] "timestamps"
          }

          test "preserves unassigned attribute bits" {
              let unknown = batchWith id |> changed (fun bytes -> bytes[21] <- 0x80uy)
              Expect.equal (ok' (RecordBatch.forForwarding unknown)).Attributes unknown.Attributes "forwarded"
              let compacted = unknown |> changed (fun bytes -> bytes[26] <- 9uy)
              Expect.equal (ok' (RecordBatch.repack reading compacted)).Attributes unknown.Attributes "repacked"
          }

          test "preserves null, empty and tombstones, headers and record attributes when it repacks" {
              let headers = [ RecordHeader.withoutValue "none"; RecordHeader.create "" Bytes.empty; RecordHeader.withoutValue "none" ]

              let record offset key value headers : RecordData =
                  { Offset = offset; Timestamp = 1700000000000L - offset; Key = key; Value = value; Headers = headers }

              let records =
                  [ record 0L (ValueSome(Bytes.ofString "key")) ValueNone headers
                    record 1L ValueNone (ValueSome Bytes.empty) []
                    record 9L (ValueSome Bytes.empty) ValueNone [] ]

              // The first record's length takes one byte, and then come its attributes.
              let batch = ok (BatchBuilder.build BatchOptions.standard records) |> changed (fun bytes -> bytes[62] <- 0x5Auy)
              let attributes = RecordBatch.fold (fun found record -> record.Attributes :: found) [] reading
              let repacked = ok' (RecordBatch.repack reading batch)
              Expect.equal (stored AllCodecs.Set repacked) (Ok [ records[0]; records[1]; { records[2] with Offset = 2L } ]) "records"
              Expect.equal (attributes repacked) (Ok [ 0uy; 0uy; 0x5Auy ]) "attributes"
          }

          test "refuses a control batch" {
              let control = batchWith (fun options -> { options with IsControl = true })
              Expect.equal (reason control) NotForwardable.ControlBatch "reason"
              Expect.equal (reason (control |> compacted (fun _ -> false))) NotForwardable.ControlBatch "emptied"
              Expect.stringContains ((reason control).ToString()) "leave it out" "advice"
          }

          test "refuses a batch without records, because there is nothing to forward" {
              let emptied = batchWith id |> compacted (fun _ -> false)

              for batch in emptied :: [ for codec in AllCodecs.List -> ok (RecordBatch.compress codec emptied) ] do
                  Expect.equal (reason batch) NotForwardable.NoRecords "reason"

              // As compaction leaves it: the codec without its output.
              let bytes = emptied |> changed (fun bytes -> bytes[22] <- 2uy)
              Expect.equal (reason bytes) NotForwardable.NoRecords "compressed and emptied"
              Expect.stringContains ((reason emptied).ToString()) "no records" "text"
          }

          test "refuses a batch with gaps, and names the function that closes them" {
              let gaps = batchWith id |> compacted ((=) 1)
              Expect.equal (reason gaps) (NotForwardable.OffsetGaps(1, 2L)) "reason"

              let farther = batchWith (fun options -> { options with LastOffset = ValueSome(int64 Int32.MaxValue) })
              Expect.equal (reason farther) (NotForwardable.OffsetGaps(2, 2147483648L)) "all offsets"

              for name in [ "1 record for 2 offsets"; "RecordBatch.repack"; "batch.Repack" ] do
                  Expect.stringContains ((reason gaps).ToString()) name "text"
          }

          test "refuses a damaged batch, so that the damage is noticed" {
              let bytes = (batchWith id).Bytes.ToArray()
              bytes[70] <- bytes[70] ^^^ 1uy

              match reason (batchOf bytes), RecordBatch.repack { reading with VerifyChecksum = false } (batchOf bytes) with
              | NotForwardable.Unreadable { Problem = Problem.BadCrc _ }, Error(NotForwardable.Unreadable { Problem = Problem.BadCrc _ }) ->
                  ()
              | other -> failtest (string other)
          }

          test "refuses a batch that no broker takes, and says which field is wrong" {
              let header (at: int) (value: byte) = batchWith id |> changed (fun bytes -> bytes[at] <- value)
              reason (header 22 5uy) |> unreadable (Problem.UnknownCodec 5)
              reason (header 60 3uy) |> unreadable (Problem.CountTooLarge(3L, 2L))
              reason (header 57 0x80uy) |> unreadable (Problem.BadRecordCount(Int32.MinValue + 2, 0))
          }

          test "needs a codec only to repack" {
              let zstd = ok (RecordBatch.compress (Zstd()) (batchWith id |> compacted ((=) 1)))

              match RecordBatch.repack Reading.standard zstd with
              | Error reason -> reason |> unreadable (Problem.CodecMissing "zstd")
              | Ok _ -> failtest "without a codec"

              let whole = ok (RecordBatch.compress (Zstd()) (batchWith (fun options -> { options with BaseOffset = 3L })))
              Expect.isOk (RecordBatch.repack Reading.standard whole) "nothing to repack"
          }

          test "refuses records that cannot be read when it repacks" {
              // The first record's length is too large.
              let malformed = batchWith id |> compacted ((=) 1) |> changed (fun bytes -> bytes[61] <- 0x7Euy)

              match RecordBatch.repack reading malformed with
              | Error(NotForwardable.Unreadable fault) -> Expect.stringStarts fault.Path "Records[0]" "path"
              | other -> failtest (string other)
          } ]
