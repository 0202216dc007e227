/// Mistakes that other clients made with records, each with a test that would have found it.
module LibKafka.Properties.Records.Mistakes

open System
open System.Buffers.Binary
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Properties.Records.Samples

[<Tests>]
let mistakes =
    testList
        "mistakes of other clients"
        [ test "a batch length of -12 loops for ever" {
              let bytes = (plainBatch 1).Bytes.ToArray()
              BinaryPrimitives.WriteInt32BigEndian(Span<byte>(bytes, 8, 4), -12)

              match List.ofSeq (RecordSet.split (Bytes bytes)) with
              | [ RecordSetItem.Corrupt corrupt ] -> Expect.equal corrupt.Fault.Problem (Problem.BadBatchLength -12) "problem"
              | other -> failtest (string other.Length + " items")
          }

          test "the magic is read before it is known to be there" {
              for length in 0..16 do
                  let bytes = Bytes((plainBatch 1).Bytes.ToArray()[.. length - 1])
                  Expect.equal (faultOf (RecordBatch.ofBytes bytes)).Problem (Problem.Truncated(61L, length)) "batch"

                  match List.ofSeq (RecordSet.split bytes) with
                  | [] -> Expect.equal length 0 "no bytes"
                  | [ RecordSetItem.CutOff(count, _) ] -> Expect.equal count length "cut off"
                  | other -> failtest (string other.Length + " items")
          }

          test "null and empty keys and values become the same" {
              let builder = BatchBuilder BatchOptions.standard
              builder.Add(0L, NullableSpan.Null, Array.zeroCreate<byte> 0)
              builder.Add(0L, Array.zeroCreate<byte> 0, NullableSpan.Null)

              let seen =
                  RecordBatch.fold (fun seen record -> (record.HasKey, record.HasValue) :: seen) [] Reading.standard (builder.Build())

              Expect.equal seen (Ok [ true, false; false, true ]) "what is there"
          }

          test "headers are lost" {
              let headers =
                  [ RecordHeader.create "b" (Bytes.ofString "1")
                    RecordHeader.create "a" (Bytes.ofString "2")
                    RecordHeader.create "b" (Bytes.ofString "3")
                    RecordHeader.withoutValue "b" ]

              let builder = BatchBuilder BatchOptions.standard
              builder.Add(0L, NullableSpan.Null, NullableSpan.Null, ReadOnlySpan<RecordHeader>(Array.ofList headers))
              let records = ok (RecordBatch.toList Reading.standard (builder.Build()))
              Expect.equal (List.map _.Headers records) [ headers ] "headers in order, with repetitions and null values"
          }

          test "compressing overwrites the other attribute bits" {
              let options = { BatchOptions.standard with IsTransactional = true; TimestampType = TimestampType.LogAppendTime }

              let builder = BatchBuilder options
              builder.Add(5L, NullableSpan.Null, NullableSpan.Null)
              let packed = ok (RecordBatch.compress runLength (builder.Build()))
              Expect.equal packed.Attributes.Bits 0x1Cs "zstd, LogAppendTime, transactional"
          }

          test "every timestamp delta is 0" {
              let timestamps = [ 1700000000000L; 1700000000005L; 1699999999000L; 1700000600000L ]
              let builder = BatchBuilder BatchOptions.standard

              for timestamp in timestamps do
                  builder.Add(timestamp, NullableSpan.Null, NullableSpan.Null)

              let batch = builder.Build()
              let records = ok (RecordBatch.toList Reading.standard batch)
              Expect.equal (List.map _.Timestamp records) timestamps "timestamps"
              Expect.equal (batch.BaseTimestamp, batch.MaxTimestamp) (1700000000000L, 1700000600000L) "of the batch"
          }

          test "control batches are treated as data" {
              // A leader change, as a broker wrote it.
              let bytes =
                  Bytes.ofHex (
                      "0000000000000047000000450000000702271547c8002000000000000001897bd98400000001897bd98400"
                      + "ffffffffffffffffffffffffffff000000012600000008000000021200010000000301010000"
                  )

              let batch = ok (RecordBatch.ofBytes bytes)
              Expect.isTrue batch.IsControl "control"

              let control = RecordBatch.fold (fun _ record -> Some(ControlRecord.ofRecord record)) None Reading.standard batch

              match control with
              | Ok(Some(Ok control)) -> Expect.equal control.Type ControlRecordType.LeaderChange "type"
              | _ -> failtest "expected a control record"
          }

          test "the next offset is counted in records" {
              let record offset = { Offset = offset; Timestamp = 0L; Key = ValueNone; Value = ValueNone; Headers = [] }

              let options = { BatchOptions.standard with LastOffset = ValueSome 20L }
              let compacted = ok (BatchBuilder.build options [ record 3L; record 11L ])
              let emptied = ok (BatchBuilder.build options [])
              Expect.equal compacted.NextOffset 21L "after an offset gap"
              Expect.equal emptied.NextOffset 21L "after a batch without records"
              Expect.equal (RecordBatch.toList Reading.standard emptied) (Ok []) "no records"
          } ]
