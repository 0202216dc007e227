/// Laws that hold for every batch.
module LibKafka.Properties.Records.Laws

open System
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Properties.Records.Samples

let private read (batch: RecordBatch) = RecordBatch.toList (Reading.withCodecs codecs) batch

/// The records in the bytes, or the fault; an exception fails the test.
let private readBytes (bytes: byte[]) : Result<RecordData list, Fault> = RecordBatch.ofBytes (Bytes bytes) |> Result.bind read

[<Tests>]
let encoding =
    testList
        "encoding batches"
        [ property "gives the reference's bytes" (fun (sample: Sample) ->
              (toBatch sample).Bytes.ToArray() = Reference.ofRecords sample.Options sample.Records)

          property "reads back as it was written" (fun (sample: Sample) -> read (toBatch sample) = Ok(asRead sample))

          property "writes back as it was read" (fun (sample: Sample) ->
              let batch = toBatch sample
              let records = ok (stored CompressionCodecs.none batch)
              BatchBuilder.build (BatchOptions.ofHeader batch.Header) records = Ok batch)

          property "the header has the values of the options" (fun (sample: Sample) ->
              let batch = toBatch sample
              let options = sample.Options
              let last = (List.last sample.Records).Offset

              batch.BaseOffset = options.BaseOffset
              && batch.LastOffset = ValueOption.defaultValue last options.LastOffset
              && batch.NextOffset = batch.LastOffset + 1L
              && batch.Count = sample.Records.Length
              && batch.PartitionLeaderEpoch = options.PartitionLeaderEpoch
              && batch.ProducerId = options.ProducerId
              && batch.ProducerEpoch = options.ProducerEpoch
              && batch.BaseSequence = options.BaseSequence
              && batch.IsTransactional = options.IsTransactional
              && batch.IsControl = options.IsControl
              && batch.TimestampType = options.TimestampType
              && batch.DeleteHorizon = options.DeleteHorizon
              && batch.Compression = CompressionType.None
              && batch.Header.Length = batch.SizeInBytes - 12
              && batch.Header.Crc = batch.Crc)

          test "a batch without records has offsets, and no timestamps" {
              let options = { BatchOptions.standard with BaseOffset = 5L; LastOffset = ValueSome 9L }
              let batch = ok (BatchBuilder.build options [])
              Expect.equal (batch.Count, batch.BaseOffset, batch.LastOffset) (0, 5L, 9L) "the offsets"
              Expect.equal (batch.BaseTimestamp, batch.MaxTimestamp) (-1L, -1L) "the timestamps"
              Expect.equal (batch.Bytes.ToArray()) (Reference.ofRecords options []) "the reference's bytes"
          }

          property "batches are equal when their bytes are" (fun (first: SmallSample, second: SmallSample) ->
              let batch (SmallSample sample) = toBatch sample
              let first, second = batch first, batch second

              first =
                  batch (SmallSample { Options = BatchOptions.ofHeader first.Header; Records = ok (stored CompressionCodecs.none first) })
              && (first = second) = (first.Bytes = second.Bytes)
              && first.GetHashCode() = first.Copy().GetHashCode())

          property "rebasing changes only offsets and the leader epoch" (fun (sample: Sample) ->
              let batch = toBatch sample
              let moved = batch.Rebase(12345L, 77)
              let delta = 12345L - batch.BaseOffset

              moved.Crc = batch.Crc
              && moved.Bytes.Slice(16, moved.SizeInBytes - 16) = batch.Bytes.Slice(16, batch.SizeInBytes - 16)
              && moved.PartitionLeaderEpoch = 77
              && read moved = (read batch |> Result.map (List.map (fun record -> { record with Offset = record.Offset + delta }))))

          test "impossible offsets are refused" {
              let record offset = { Offset = offset; Timestamp = 0L; Key = ValueNone; Value = ValueNone; Headers = [] }

              let problem options records = (faultOf (BatchBuilder.build options records)).Problem

              let from baseOffset = { BatchOptions.standard with BaseOffset = baseOffset }
              let most = int64 Int32.MaxValue
              Expect.equal (problem (from 5L) [ record 4L ]) (Problem.OutOfRange(4L, 5L, 5L + most)) "before the base offset"
              Expect.equal (problem (from 0L) [ record 3L; record 3L ]) (Problem.OutOfRange(3L, 4L, most)) "the same twice"
              Expect.equal
                  (problem (from 0L) [ record (most + 1L) ])
                  (Problem.OutOfRange(most + 1L, 0L, most))
                  "too far from the base offset"
              Expect.equal (problem (from -1L) [ record -1L ]) (Problem.OutOfRange(-1L, 0L, Int64.MaxValue - 1L)) "a base offset below 0"

              Expect.equal
                  (problem (from (Int64.MaxValue - 2L)) [ record (Int64.MaxValue - 2L); record Int64.MaxValue ])
                  (Problem.OutOfRange(Int64.MaxValue, Int64.MaxValue - 1L, Int64.MaxValue - 1L))
                  "an offset without a next one"

              Expect.equal
                  (problem { from 0L with LastOffset = ValueSome 1L } [ record 2L ])
                  (Problem.OutOfRange(1L, 2L, most))
                  "a last offset before the last record"

              Expect.equal (problem (from 0L) []) (Problem.OutOfRange(-1L, 0L, most)) "no record and no last offset"
              Expect.isOk (BatchBuilder.build (from 0L) [ record most ]) "the last one that fits"
          } ]

/// Whether the sample's records, with some bytes and perhaps the count changed and the checksum corrected, are read or refused as the
/// reference does it.
let private asReference (sample: Sample) (changes: (uint16 * byte) list) (count: sbyte) : bool =
    let bytes = (toBatch sample).Bytes.ToArray()

    for at, value in changes do
        bytes[61 + int at % (bytes.Length - 61)] <- value

    if count < 0y then bytes[60] <- byte (int bytes[60] + int count)
    let bytes = mend bytes
    let batch = batchOf bytes
    let expected = Reference.readRecords batch.BaseOffset batch.BaseTimestamp batch.Count (List.ofArray bytes[61..])
    Result.toOption (stored CompressionCodecs.none batch) = expected

/// Three records that cover every form with a fast path, and a plain one after them, so that none of the three is near the end.
let private telling: RecordData list =
    let record key value headers = { Offset = 0L; Timestamp = 1700000000000L; Key = key; Value = value; Headers = headers }

    let text (value: string) = ValueSome(Bytes.ofString value)
    let empty = RecordHeader.create "" Bytes.empty

    [ record (text "key") (text "value") [ empty; RecordHeader.withoutValue "none"; RecordHeader.create "name" (Bytes.ofString "text") ]
      record ValueNone (text (String('v', 70))) []
      { record (text (String('k', 70))) ValueNone [] with Timestamp = 1700000600000L }
      record (text "last") (text (String('w', 60))) [] ]
    |> List.mapi (fun index record -> { record with Offset = 100L * int64 index })

/// Whether these bytes, as the records of a batch with this count, are read or refused as the reference does it.
let private payloadAsReference (count: int) (payload: byte list) : bool =
    let header = (toBatch { Options = BatchOptions.standard; Records = telling }).Header
    let batch = batchOf (Reference.encodeBatch header count payload)
    let expected = Reference.readRecords batch.BaseOffset batch.BaseTimestamp count payload
    // A reader that ignores the records' content must get the same result.
    let counted = RecordBatch.fold (fun count _ -> count + 1) 0 Reading.standard batch

    Result.toOption (stored CompressionCodecs.none batch) = expected
    && Result.toOption counted = Option.map List.length expected

let private encoded: byte list list = telling |> List.map (Reference.encodeRecord 0L 1700000000000L)

[<Tests>]
let decoding =
    testList
        "decoding batches"
        [ property
              "changed records are read or refused as the reference does it: small batches"
              (fun (SmallSample sample, changes, count) -> asReference sample changes count)

          property "changed records are read or refused as the reference does it: large batches" (fun (sample, changes, count) ->
              asReference sample changes count)

          test "every byte changed in significant ways" {
              let payload = List.concat encoded |> Array.ofList

              for at in 0 .. payload.Length - 1 do
                  for change in [ 1uy; 2uy; 3uy; 4uy; 0x80uy; 0x81uy; 0xFFuy; payload[at]; payload[at] ^^^ 1uy ] do
                      let changed = Array.copy payload
                      changed[at] <- changed[at] ^^^ change

                      if not (payloadAsReference telling.Length (List.ofArray changed)) then
                          failtest ("byte " + string at + " changed by " + string change)
          }

          test "every byte removed, and bytes inserted everywhere, with the record's length corrected" {
              for index, original in List.indexed encoded do
                  // The lengths of these records take one or two bytes.
                  let body = if original[0] < 0x80uy then List.skip 1 original else List.skip 2 original

                  let check (what: string) (body: byte list) =
                      let changed = Reference.varint (int64 body.Length) @ body
                      let payload = encoded |> List.updateAt index changed |> List.concat

                      if not (payloadAsReference telling.Length payload) then
                          failtest ("record " + string index + ": " + what)

                  for at in 0 .. body.Length - 1 do
                      check ("without byte " + string at) (List.removeAt at body)

                  for at in 0 .. body.Length do
                      for value in [ 0uy; 1uy; 2uy; 0x80uy ] do
                          check (string value + " inserted at " + string at) (List.insertAt at value body)
          }

          test "integers in forms that are longer than necessary are read" {
              // 0, 1 and -1 followed by empty groups, for each field before the key.
              for groups in 0..9 do
                  for raw in [ 0uy; 1uy; 2uy ] do
                      let long = if groups = 0 then [ raw ] else [ raw ||| 0x80uy ] @ List.replicate (groups - 1) 0x80uy @ [ 0uy ]

                      for prefix in [ [ 0uy ] @ long @ [ 0uy ]; [ 0uy; 0uy ] @ long ] do
                          let body = prefix @ [ 2uy; 7uy; 1uy; 0uy ]
                          let record = Reference.varint (int64 body.Length) @ body
                          Expect.isTrue (payloadAsReference 5 (record @ List.concat encoded)) (string groups + " groups of " + string raw)
          }

          property "any bytes give records or a fault" (fun (bytes: byte[]) ->
              match readBytes bytes with
              | Ok _
              | Error _ -> true)

          property "any bytes after a magic of 2 give records or a fault" (fun (content: byte[], count: uint16, attributes: byte) ->
              let bytes = Array.append (Array.zeroCreate<byte> 61) content
              bytes[16] <- 2uy
              bytes[22] <- attributes
              Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(Span<byte>(bytes, 8, 4), bytes.Length - 12)
              Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(Span<byte>(bytes, 59, 2), count)

              match readBytes (mend bytes) with
              | Ok records -> records.Length = int count
              | Error _ -> true)

          property "any single flipped bit that the checksum covers is detected" (fun (sample: SmallSample) ->
              let (SmallSample sample) = sample
              let bytes = (toBatch sample).Bytes.ToArray()

              seq { 17 * 8 .. bytes.Length * 8 - 1 }
              |> Seq.forall (fun bit ->
                  let flip () = bytes[bit / 8] <- bytes[bit / 8] ^^^ (1uy <<< (bit % 8))

                  flip ()
                  let result = readBytes bytes
                  flip ()

                  match result with
                  | Error { Problem = Problem.BadCrc _ } -> true
                  // The sign of the last offset delta is checked before the checksum.
                  | Error { Problem = Problem.OutOfRange _ } -> bit / 8 >= 23 && bit / 8 < 27
                  | _ -> false))

          property "a batch that is cut off at any byte is a fault" (fun (sample: SmallSample) ->
              let (SmallSample sample) = sample
              let bytes = (toBatch sample).Bytes.ToArray()

              seq { 0 .. bytes.Length - 1 }
              |> Seq.forall (fun length ->
                  match readBytes bytes[.. length - 1] with
                  | Error { Problem = Problem.Truncated _ } -> true
                  | _ -> false))

          property "records that are cut off after a correct header are a fault" (fun (sample: SmallSample) ->
              let (SmallSample sample) = sample
              let bytes = (toBatch sample).Bytes.ToArray()

              seq { 61 .. bytes.Length - 1 }
              |> Seq.forall (fun length ->
                  let cut = bytes[.. length - 1]
                  Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(Span<byte>(cut, 8, 4), length - 12)
                  Result.isError (readBytes (mend cut))))

          property "from an offset on, they are the records that are not before it" (fun (sample: Sample, index: byte, shift: sbyte) ->
              let view = ok (RecordBatch.openRecords (Reading.withCodecs codecs) (toBatch sample))
              let offset = sample.Records[int index % sample.Records.Length].Offset + int64 (sign (int shift))
              let expected = asRead sample |> List.filter (fun record -> record.Offset >= offset)
              let from = view.From offset

              from.Count = expected.Length
              && BatchRecords.toList from = Ok expected
              && BatchRecords.toList (from.From(offset - 1L)) = Ok expected
              && BatchRecords.toList ((view.From sample.Options.BaseOffset).From offset) = Ok expected
              && BatchRecords.toList (from.WithCreateTime()) =
                  (BatchRecords.toList (view.WithCreateTime()) |> Result.map (List.filter (fun record -> record.Offset >= offset))))

          property
              "changed records from an offset on are correct, or a fault"
              (fun (SmallSample sample, changes: (uint16 * byte) list, index) ->
                  let bytes = (toBatch sample).Bytes.ToArray()

                  for at, value in changes do
                      bytes[61 + int at % (bytes.Length - 61)] <- value

                  let view = ok (RecordBatch.openRecords (Reading.withCodecs codecs) (batchOf (mend bytes)))
                  let offset = sample.Records[int (index: byte) % sample.Records.Length].Offset

                  match BatchRecords.toList view, BatchRecords.toList (view.From offset) with
                  | Ok all, found -> found = Ok(all |> List.skipWhile (fun record -> record.Offset < offset))
                  // The malformed record may be one that was skipped.
                  | Error _, Ok found -> found |> List.tryHead |> Option.forall (fun record -> record.Offset >= offset)
                  | Error whole, Error fault -> fault.Offset >= whole.Offset)

          property
              "memory is allocated in proportion to the bytes, whatever they declare"
              (fun (content: byte[], count: int, length: int) ->
                  let bytes = Array.append (Array.zeroCreate<byte> 61) content
                  bytes[16] <- 2uy
                  Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(Span<byte>(bytes, 8, 4), bytes.Length - 12)
                  Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(Span<byte>(bytes, 57, 4), abs (count % 10))
                  // The first record has arbitrary lengths.
                  let claim = Reference.varint (int64 length)
                  List.iteri
                      (fun index value -> if 61 + index < bytes.Length then bytes[61 + index] <- value)
                      (claim @ [ 0uy; 0uy; 0uy ] @ claim)
                  let bytes = mend bytes
                  let before = GC.GetAllocatedBytesForCurrentThread()
                  readBytes bytes |> ignore
                  // A record of seven bytes becomes a value of a few hundred bytes. A fault takes an exception with a stack trace.
                  GC.GetAllocatedBytesForCurrentThread() - before < 100000L + 200L * int64 bytes.Length)

          test "a malformed record stops the iteration with its fault, every time" {
              let bytes = (plainBatch 10).Bytes.ToArray()
              // The key length of the third record, after a length of two bytes, the attributes, and two deltas of one byte each.
              let place = 61 + 2 * (bytes.Length - 61) / 10 + 5
              bytes[place] <- 3uy
              let view = ok (RecordBatch.openRecords Reading.standard (batchOf (mend bytes)))
              let mutable records = view.GetEnumerator()
              Expect.isTrue (records.MoveNext() && records.MoveNext()) "the records before it"

              for _ in 1..2 do
                  try
                      records.MoveNext() |> ignore
                      failtest "expected an exception"
                  with :? CorruptRecordException as corrupt ->
                      Expect.equal corrupt.Fault.Path "Records[2]/Key" "path"
                      Expect.equal corrupt.Fault.Offset place "offset"
                      Expect.equal corrupt.Fault.Problem (Problem.NegativeLength -2L) "problem"

              Expect.equal (faultOf (BatchRecords.toList view)).Path "Records[2]/Key" "the same as a value"
          }

          test "the limits bound the number of records" {
              let limits = { Limits.standard with MaxRecords = 9 }
              let fault = faultOf (RecordBatch.openRecords { Reading.standard with Limits = limits } (plainBatch 10))
              Expect.equal fault.Problem (Problem.TooManyRecords 9L) "problem"
              Expect.isOk (RecordBatch.openRecords { Reading.standard with Limits = limits } (plainBatch 9)) "as many as allowed"
          }

          test "a count that the bytes cannot hold is refused at once" {
              // A record without a key, a value and headers takes seven bytes, the fewest.
              let least = { Offset = 0L; Timestamp = 0L; Key = ValueNone; Value = ValueNone; Headers = [] }
              let records = List.init 10 (fun index -> { least with Offset = int64 index })
              let bytes = (ok (BatchBuilder.build BatchOptions.standard records)).Bytes.ToArray()
              Expect.equal bytes.Length (61 + 10 * 7) "the bytes"
              Expect.isOk (RecordBatch.openRecords Reading.standard (batchOf bytes)) "as many as the bytes hold"

              for count in [ 11; 255 ] do
                  bytes[60] <- byte count
                  let fault = faultOf (RecordBatch.openRecords Reading.standard (batchOf (mend bytes)))
                  Expect.equal (fault.Path, fault.Problem) ("Count", Problem.CountTooLarge(int64 count, 10L)) "more"
          }

          test "bytes after a batch are a fault" {
              let bytes = (plainBatch 3).Bytes.ToArray()

              for more in 1..9 do
                  let fault = faultOf (RecordBatch.ofBytes (Bytes(Array.append bytes (Array.zeroCreate<byte> more))))
                  Expect.equal (fault.Offset, fault.Problem) (bytes.Length, Problem.TrailingBytes more) "how many, and where"
          }

          test "offsets without a next one are refused" {
              let bytes = (plainBatch 3).Bytes.ToArray()
              let at (baseOffset: int64) =
                  Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(Span<byte> bytes, baseOffset)
                  RecordBatch.ofBytes (Bytes bytes)
              let highest = Int64.MaxValue - 1L - 2L
              Expect.isOk (at highest) "the highest base offset of three records"
              let fault = faultOf (at (highest + 1L))
              let problem = Problem.OutOfRange(highest + 1L, Int64.MinValue, highest)
              Expect.equal (fault.Path, fault.Problem) ("BaseOffset", problem) "the next higher one"
          }

          test "records can be read without verifying the checksum" {
              let bytes = (plainBatch 3).Bytes.ToArray()
              bytes[20] <- bytes[20] ^^^ 1uy
              let batch = batchOf bytes
              Expect.equal (faultOf (RecordBatch.verify batch)).Offset 17 "the checksum's place"
              let view = ok (RecordBatch.openRecords { Reading.standard with VerifyChecksum = false } batch)
              Expect.equal (ok (BatchRecords.toList view)).Length 3 "records"
          }

          property "a batch within a larger buffer reads the same" (fun (sample: SmallSample, before: byte[], after: byte[]) ->
              let (SmallSample sample) = sample
              let bytes = (toBatch sample).Bytes.ToArray()
              let larger = Bytes(Array.concat [ before; bytes; after ])
              let slice = larger.Slice(before.Length, bytes.Length)
              let batch = ok (RecordBatch.ofBytes slice)
              batch.Bytes = slice && read batch = Ok(asRead sample)) ]

[<Tests>]
let nulls =
    testList
        "null and empty"
        [ test "differ in keys, values and header values" {
              let empty = ValueSome Bytes.empty

              let records =
                  [ for key in [ ValueNone; empty ] do
                        for value in [ ValueNone; empty ] do
                            key, value ]
                  |> List.mapi (fun index (key, value) ->
                      { Offset = int64 index
                        Timestamp = 0L
                        Key = key
                        Value = value
                        Headers =
                          [ RecordHeader.withoutValue "x"; RecordHeader.create "x" Bytes.empty; RecordHeader.create "" Bytes.empty ] })

              let batch = ok (BatchBuilder.build BatchOptions.standard records)
              Expect.equal (read batch) (Ok records) "records"
          }

          test "copying a record, a tombstone and a null header part by part keeps them apart" {
              let empty = ValueSome Bytes.empty

              let records =
                  [ for key in [ ValueNone; empty; ValueSome(Bytes.ofString "k") ] do
                        for value in [ ValueNone; empty; ValueSome(Bytes.ofString "v") ] do
                            { Offset = 0L
                              Timestamp = 5L
                              Key = key
                              Value = value
                              Headers = [ { Key = Bytes.ofString "h"; Value = value } ] } ]
                  |> List.mapi (fun index record -> { record with Offset = int64 index })

              let source = ok (RecordBatch.openRecords Reading.standard (ok (BatchBuilder.build BatchOptions.standard records)))
              let spans, memories = BatchBuilder BatchOptions.standard, BatchBuilder BatchOptions.standard

              let copy () =
                  for record in source do
                      let headers = ReadOnlySpan<RecordHeader>(List.toArray (record.Headers.ToList()))
                      spans.Add(record.Timestamp, record.Key, record.Value, headers)
                      memories.Add(record.Timestamp, record.KeyMemory, record.ValueMemory, headers)

              copy ()
              Expect.equal (read (spans.Build())) (Ok records) "keys and values as spans"
              Expect.equal (read (memories.Build())) (Ok records) "keys and values as memory"
          }

          test "keys and values convert to spans" {
              let builder = BatchBuilder BatchOptions.standard
              builder.Add(0L, NullableSpan.Null, "value"B)

              let check () =
                  for record in ok (RecordBatch.openRecords Reading.standard (builder.Build())) do
                      Expect.equal (Text.Encoding.UTF8.GetString record.Value) "value" "the value"
                      Expect.equal (Text.Encoding.UTF8.GetString record.Key) "" "no bytes for null"
                      Expect.isTrue (record.Key.IsNull && isNull (record.Key.ToArray())) "but it is null"
                      Expect.equal (record.Key.Length, record.Value.Length) (0, 5) "lengths"

              check ()
          }

          test "conversions to null and to empty" {
              let none: byte[] | null = null
              Expect.isTrue ((NullableSpan()).IsNull) "default"
              Expect.isTrue (NullableSpan.Null.IsNull) "Null"
              Expect.isTrue ((NullableSpan.op_Implicit none).IsNull) "a null array"
              Expect.isFalse ((NullableSpan.op_Implicit (Array.zeroCreate<byte> 0)).IsNull) "an empty array"
              Expect.isFalse ((NullableSpan.op_Implicit ReadOnlySpan<byte>.Empty).IsNull) "an empty span"
              Expect.isFalse ((NullableSpan.op_Implicit ReadOnlyMemory<byte>.Empty).IsNull) "empty memory"
              Expect.isTrue ((NullableSpan.op_Implicit (Nullable<ReadOnlyMemory<byte>>())).IsNull) "no memory"
              Expect.isFalse ((NullableSpan.op_Implicit (Nullable ReadOnlyMemory<byte>.Empty)).IsNull) "nullable memory that is empty"
              Expect.isFalse ((NullableSpan.op_Implicit Bytes.empty).IsNull) "empty bytes"
          } ]
