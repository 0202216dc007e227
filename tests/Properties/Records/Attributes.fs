/// Batch attributes, sequences and control records.
module LibKafka.Properties.Records.Attributes

open System
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Properties.Records.Samples

[<Tests>]
let attributes =
    testList
        "batch attributes"
        [ property "each change preserves all other bits" (fun (bits: int16, on: bool, code: byte) ->
              let attributes = BatchAttributes bits
              let outside (mask: int16) (changed: BatchAttributes) = changed.Bits &&& ~~~mask = (bits &&& ~~~mask)
              let compression: CompressionType = enum (int code % 8)
              let timestamps = if on then TimestampType.LogAppendTime else TimestampType.CreateTime

              outside 0x07s (attributes.WithCompression compression)
              && outside 0x08s (attributes.WithTimestampType timestamps)
              && outside 0x10s (attributes.WithTransactional on)
              && outside 0x20s (attributes.WithControl on)
              && outside 0x40s (attributes.WithDeleteHorizon on))

          property "each change is read back" (fun (bits: int16, on: bool, code: byte) ->
              let attributes = BatchAttributes bits
              let compression: CompressionType = enum (int code % 8)
              let timestamps = if on then TimestampType.LogAppendTime else TimestampType.CreateTime

              (attributes.WithCompression compression).Compression = compression
              && (attributes.WithTimestampType timestamps).TimestampType = timestamps
              && (attributes.WithTransactional on).IsTransactional = on
              && (attributes.WithControl on).IsControl = on
              && (attributes.WithDeleteHorizon on).HasDeleteHorizon = on)

          test "as text" {
              Expect.equal (string BatchAttributes.none) "none, CreateTime" "nothing set"
              Expect.equal (string (BatchAttributes 0x7Cs)) "zstd, LogAppendTime, transactional, control, delete horizon" "all set"
              Expect.equal (string (BatchAttributes 0x0105s)) "5, CreateTime, 0x0100" "what has no meaning"
          } ]

[<Tests>]
let sequences =
    testList
        "sequences"
        [ test "wrap from the maximum to 0" {
              Expect.equal (Sequence.add Int32.MaxValue 1) 0 "one after the last"
              Expect.equal (Sequence.add (Int32.MaxValue - 1) 3) 1 "three after the second to last"
              Expect.equal (Sequence.add 5 3) 8 "in between"
          }

          property "none stays none" (fun (count: int) -> Sequence.add -1 count = -1)

          test "a batch's last sequence wraps too" {
              let sample = { BatchOptions.standard with ProducerId = 1L; ProducerEpoch = 0s; BaseSequence = Int32.MaxValue }

              let record = { Offset = 0L; Timestamp = 0L; Key = ValueNone; Value = ValueNone; Headers = [] }

              let batch = ok (BatchBuilder.build sample [ record; { record with Offset = 1L } ])
              Expect.equal batch.LastSequence 0 "last sequence"
              Expect.equal (plainBatch 2).LastSequence -1 "no sequence"
          } ]

let private controlKey (key: Bytes voption) : Result<ControlRecord, Fault> =
    let record = { Offset = 7L; Timestamp = 0L; Key = key; Value = ValueSome(Bytes.ofHex "0000"); Headers = [] }

    ok (
        toBatch { Options = { BatchOptions.standard with IsControl = true }; Records = [ record ] }
        |> RecordBatch.fold (fun _ record -> ControlRecord.ofRecord record) (Error(Fault.at 0 Problem.NullNotAllowed)) Reading.standard
    )

[<Tests>]
let controlRecords =
    testList
        "control records"
        [ for code, expected in
              [ "0000", ControlRecordType.Abort
                "0001", ControlRecordType.Commit
                "0002", ControlRecordType.LeaderChange
                "0003", ControlRecordType.SnapshotHeader
                "0004", ControlRecordType.SnapshotFooter
                "0005", ControlRecordType.KRaftVersion
                "0006", ControlRecordType.KRaftVoters
                "03e7", ControlRecordType.Unknown 999s ] do
              test (string expected) {
                  let control = ok (controlKey (ValueSome(Bytes.ofHex ("0000" + code))))
                  Expect.equal control.Type expected "type"
                  Expect.equal control.Type.Code (Convert.ToInt16(code, 16)) "code"
                  Expect.equal control.Value (ValueSome(Bytes.ofHex "0000")) "value"
              }

          test "a later version of the key may be longer" {
              let control = ok (controlKey (ValueSome(Bytes.ofHex "00050001ffff")))
              Expect.equal (control.Version, control.Type) (5s, ControlRecordType.Commit) "version and type"
          }

          test "a malformed key is a fault" {
              let problem key = (faultOf (controlKey key)).Problem
              Expect.equal (problem ValueNone) (Problem.Truncated(4L, 0)) "null"
              Expect.equal (problem (ValueSome(Bytes.ofHex "000000"))) (Problem.Truncated(4L, 3)) "short"
              Expect.equal (problem (ValueSome(Bytes.ofHex "ffff0000"))) (Problem.OutOfRange(-1L, 0L, 32767L)) "negative version"
          } ]
