/// The C# façade: its options, its rules and the main job. The core has tests of its own; these test that everything it does is available in C#.
module LibKafka.Integration.FacadeTests

open System
open System.Threading
open Expecto
open LibKafka
open LibKafka.Compression
open LibKafka.Protocol
open LibKafka.Records
open LibKafka.Tests
open LibKafka.Wire
open LibKafka.Integration.FacadeSupport

// ---- batches ----

let private odd: Expected list =
    let at = 1_700_000_000_000L

    [ { Key = Some(text "k"); Value = Some(text "v"); Timestamp = at; Headers = [] }
      { Key = None; Value = Some(text "no key"); Timestamp = at + 5L; Headers = [] }
      { Key = Some [||]; Value = Some [||]; Timestamp = at - 5L; Headers = [] }
      { Key = Some(text "tombstone"); Value = None; Timestamp = -1L; Headers = [] }
      { Key = None
        Value = None
        Timestamp = at
        Headers = [ "a", Some(text "1"); "a", None; "", Some [||]; "Ω", Some [| 0uy; 255uy |] ] } ]

let private batches =
    testList
        "batches"
        [ testCase "keys, values, headers and timestamps come back as they were, null and empty kept apart" (fun () ->
              Expect.equal (contentOf ((batchOf odd).Records())) odd "records"
              Expect.equal (read ((batchOf odd).Records()) |> List.map fst) [ 0L .. 4L ] "offsets")

          testCase "spans, memory and points in time are taken as well as arrays and milliseconds" (fun () ->
              let builder = RecordBatchBuilder()
              let time = DateTimeOffset(2024, 5, 6, 7, 8, 9, 10, TimeSpan.FromHours 2.0)
              let nothing = ReadOnlySpan<KafkaHeader>()
              builder.Add(ReadOnlySpan(text "a"), ReadOnlyMemory(text "b"), time, nothing)
              Expect.isTrue (builder.TryAdd(NullableSpan.Null, ReadOnlySpan<byte>(), time.ToUniversalTime(), nothing)) "it fits"

              let expected =
                  [ { Key = Some(text "a"); Value = Some(text "b"); Timestamp = time.ToUnixTimeMilliseconds(); Headers = [] }
                    { Key = None; Value = Some [||]; Timestamp = time.ToUnixTimeMilliseconds(); Headers = [] } ]

              Expect.equal (contentOf (builder.Build().Records())) expected "records")

          testCase "a record that does not fit changes nothing" (fun () ->
              let builder = RecordBatchBuilder(maxBytes = 100)
              Expect.isTrue (tryAdd builder (plain "a")) "the first fits"
              let size = builder.SizeInBytes
              Expect.isFalse (tryAdd builder (plain (String('b', 40)))) "the second does not"
              Expect.throwsT<InvalidOperationException> (fun () -> add builder (plain (String('b', 40)))) "nor when it must"
              Expect.equal (builder.Count, builder.SizeInBytes, builder.MaxBytes) (1, size, 100) "what the builder says"
              let batch = builder.Build()
              Expect.equal batch.SizeInBytes size "the batch"
              Expect.equal (contentOf (batch.Records())) [ plain "a" ] "the records")

          testCase "a built batch stays valid, one that is built in place until the builder is reset" (fun () ->
              let builder = RecordBatchBuilder()
              Expect.throwsT<InvalidOperationException> (fun () -> builder.Build() |> ignore) "no batch without a record"
              add builder (plain "a")
              let built = builder.BuildInPlace()
              Expect.throwsT<InvalidOperationException> (fun () -> add builder (plain "b")) "nothing is added to a built batch"
              let kept = built.Copy()
              builder.Reset()
              Expect.equal builder.Count 0 "nothing is left"
              add builder (plain "c")
              let detached = builder.Build()
              add builder (plain "d")
              Expect.equal (contentOf (kept.Records())) [ plain "a" ] "the copy"
              Expect.equal (contentOf (detached.Records())) [ plain "c" ] "the built batch, after others"
              Expect.equal (contentOf (builder.Build().Records())) [ plain "d" ] "the next one")

          testCase "a batch is built in memory that the caller owns" (fun () ->
              let owned = Array.zeroCreate<byte> 200
              let builder = RecordBatchBuilder.In(owned.AsMemory(50, 100))
              Expect.equal builder.MaxBytes 100 "its size"
              add builder (plain "a")
              let batch = builder.Build()
              Expect.equal (contentOf (batch.Records())) [ plain "a" ] "the record"
              Expect.equal (Bytes(ReadOnlyMemory(owned, 50, batch.SizeInBytes))) batch.Bytes "its memory"
              Expect.isFalse (tryAdd (RecordBatchBuilder.In(Memory())) (plain "a")) "no room at all")

          testCase "numbers that no batch can carry are refused" (fun () ->
              let refused (make: unit -> RecordBatchOptions) = Expect.throwsT<ArgumentOutOfRangeException>(make >> ignore)
              refused (fun () -> RecordBatchOptions(BaseOffset = -1L)) "an offset"
              refused (fun () -> RecordBatchOptions(ProducerId = -2L)) "a producer id"
              refused (fun () -> RecordBatchOptions(ProducerEpoch = -2s)) "an epoch"
              refused (fun () -> RecordBatchOptions(BaseSequence = -2)) "a sequence"

              Expect.throwsT<ArgumentOutOfRangeException>
                  (fun () -> RecordBatchBuilder(RecordBatchOptions(LastOffset = Nullable 0x80000000L)) |> ignore)
                  "a last offset too far from the base offset")

          testCase "records are read from an offset on" (fun () ->
              let batch = batchWith (RecordBatchOptions(BaseOffset = 5L)) [ plain "a"; plain "b"; plain "c" ]
              let from offset = contentOf (batch.Records().From offset)
              Expect.equal (from 0L) [ plain "a"; plain "b"; plain "c" ] "all of them"
              Expect.equal (from 6L) [ plain "b"; plain "c" ] "without the first"
              Expect.equal (batch.Records().From(6L).Count) 2 "how many there are"
              Expect.equal (from 8L) [] "none")

          testCase "what is no data is left out, and what cannot be read is not" (fun () ->
              let at (offset: int64) producer control records =
                  batchWith
                      (RecordBatchOptions(BaseOffset = offset, ProducerId = producer, IsTransactional = true, IsControl = control))
                      records

              let ending kind : Expected = { plain "" with Key = Some [| 0uy; 0uy; 0uy; kind |] }
              let committed = at 1L 8L false [ plain "b" ]
              let broken = at 5L 7L true [ { plain "x" with Key = None } ]
              let cut = at 6L 7L false [ plain "c" ]

              let bytes =
                  [ (at 0L 7L false [ plain "a" ]).Bytes
                    committed.Bytes
                    (at 2L 7L true [ ending 0uy ]).Bytes
                    (at 3L 8L true [ ending 1uy ]).Bytes
                    broken.Bytes
                    cut.Bytes.Slice(0, 40) ]

              let set = RecordBatchSet.Parse(bytes |> List.map _.ToArray() |> Array.concat |> ReadOnlyMemory)
              let items = List.ofSeq (set.DataFor [ { ProducerId = 7L; FirstOffset = 0L } ])
              Expect.equal (items |> List.map _.IsBatch) [ true; false ] "a batch, and one that cannot be read"
              Expect.equal (items[0].GetBatch()) committed "the committed batch"
              let unreadable = there items[1].Corrupt
              Expect.equal (unreadable.FirstOffset, unreadable.LastOffset) (5L, Nullable 5L) "which one cannot be read"
              Expect.equal (unreadable.Bytes.ToArray()) (broken.Bytes.ToArray()) "its bytes"
              Expect.equal unreadable.Position (bytes |> List.take 4 |> List.sumBy _.Length) "its place"
              let uncommitted = List.ofSeq (set.DataFor [])
              Expect.equal (uncommitted |> List.filter _.IsBatch |> List.length) 2 "all data, if no transaction was aborted")

          testCase "the options go into the header, and can be taken from one" (fun () ->
              let options =
                  RecordBatchOptions(
                      BaseOffset = 7L,
                      PartitionLeaderEpoch = 3,
                      TimestampType = TimestampType.LogAppendTime,
                      IsTransactional = true,
                      IsControl = true,
                      DeleteHorizon = Nullable 1000L,
                      ProducerId = 11L,
                      ProducerEpoch = 2s,
                      BaseSequence = 40,
                      BaseTimestamp = Nullable 1000L,
                      MaxTimestamp = Nullable 2000L,
                      LastOffset = Nullable 20L
                  )

              let batch = batchWith options [ plain "a"; plain "b" ]
              Expect.equal (batch.BaseOffset, batch.LastOffset, batch.NextOffset) (7L, 20L, 21L) "offsets"
              Expect.equal (batch.ProducerId, batch.ProducerEpoch, batch.BaseSequence) (11L, 2s, 40) "producer"
              Expect.equal (RecordBatchOptions.Like batch) options "the options of the header"
              Expect.equal (contentOf (batch.Records()) |> List.map _.Timestamp) [ 2000L; 2000L ] "the append time"
              Expect.equal (contentOf (batch.Records().WithCreateTime())) [ plain "a"; plain "b" ] "the producer's timestamps"
              let again = batchWith (RecordBatchOptions.Like batch) (contentOf (batch.Records().WithCreateTime()))
              Expect.equal again batch "the same bytes"
              let builder = RecordBatchBuilder()
              builder.Reset options
              add builder (plain "a")
              Expect.equal (builder.Build().PartitionLeaderEpoch) 3 "options given at a reset")

          testCase "copying a record part by part keeps null keys, tombstones and null headers" (fun () ->
              let records =
                  [ { Key = None; Value = None; Timestamp = 1L; Headers = [ "none", None; "empty", Some [||] ] }
                    { Key = Some [||]; Value = Some [||]; Timestamp = 2L; Headers = [] } ]

              let builder = RecordBatchBuilder()

              for record in (batchOf records).Records() do
                  let headers =
                      [| for header in record.Headers.ToList() -> KafkaHeader(header.Name, NullableSpan.op_Implicit header.Value) |]
                  builder.Add(record.Key, record.Value, record.Timestamp, ReadOnlySpan headers)

              Expect.equal (contentOf (builder.Build().Records())) records "the same records")

          testCase "records of another batch are taken over whole" (fun () ->
              let builder = RecordBatchBuilder(maxBytes = 400)
              let mutable fit = 0

              for record in (batchOf odd).Records() do
                  builder.Add &record
                  if builder.TryAdd &record then fit <- fit + 1

              Expect.equal (contentOf (builder.Build().Records())) (odd |> List.collect (List.replicate 2)) "each twice"
              Expect.equal fit odd.Length "all fit")

          testCase "headers are compared by content, and copied from what was read" (fun () ->
              let header = KafkaHeader("a", text "1")
              Expect.equal header (KafkaHeader("a", ReadOnlyMemory(text "1"))) "the same"
              Expect.equal (header.GetHashCode()) ((KafkaHeader("a", text "1")).GetHashCode()) "the same hash code"
              Expect.notEqual header (KafkaHeader("a", text "2")) "another value"
              Expect.notEqual (KafkaHeader("a", null)) (KafkaHeader("a", [||])) "null is not empty"
              Expect.equal (header.ToString(), header.Name) ("a=31", "a") "text"

              for record in (batchOf [ odd[4] ]).Records() do
                  let copies = ResizeArray()
                  for slice in record.Headers do
                      copies.Add(KafkaHeader.CopyOf &slice)

                  Expect.equal (List.ofSeq copies) (List.ofArray (headersOf odd[4])) "the headers read")

          testCase "codecs are the caller's, and go both ways" (fun () ->
              let batch = batchWith (RecordBatchOptions(IsTransactional = true, ProducerId = 5L)) (odd @ odd)
              let packed = batch.Compress gzip
              Expect.equal packed.Compression CompressionType.Gzip "the attribute"
              Expect.isTrue packed.IsTransactional "the other attributes stay"
              Expect.equal (contentOf (packed.Records withGzip)) (odd @ odd) "records"
              Expect.equal (packed.Decompress withGzip) batch "unpacked"
              Expect.equal (batch.Decompress withGzip) batch "what is not packed stays"
              Expect.equal (thrown "no codec" (fun () -> packed.Records() |> ignore)).Kind KafkaFaultKind.CodecMissing "no codec"
              Expect.equal (thrown "again" (fun () -> packed.Compress gzip |> ignore)).Kind KafkaFaultKind.AlreadyCompressed "packed twice"
              let broken = packed |> tampered true (fun bytes -> bytes[61] <- 0uy)
              Expect.equal (thrown "broken" (fun () -> broken.Records withGzip |> ignore)).Kind KafkaFaultKind.CodecFailed "packed wrongly"
              let tight = RecordReadOptions(Codecs = [| gzip |], MaxDecompressedBytes = 10)
              Expect.equal
                  (thrown "too large" (fun () -> packed.Records tight |> ignore)).Kind
                  KafkaFaultKind.LimitExceeded
                  "more than allowed"
              let few = RecordReadOptions(MaxRecords = 9)
              Expect.equal
                  (thrown "too many" (fun () -> batch.Records few |> ignore)).Kind
                  KafkaFaultKind.LimitExceeded
                  "more than allowed")

          testCase "a buffer is used again for batch after batch" (fun () ->
              let buffer = CodecBuffer()
              let first = (batch "a" 100).Compress(gzip, buffer).Copy()
              let second = (batch "b" 100).Compress(gzip, buffer).Copy()
              Expect.equal (contentOf (first.Records(withGzip, buffer))) (contentOf ((batch "a" 100).Records())) "the first"
              Expect.equal (contentOf (second.Records(withGzip, buffer))) (contentOf ((batch "b" 100).Records())) "the second"
              Expect.equal (second.Decompress(withGzip, buffer)) (batch "b" 100) "unpacked")

          testCase "a wrong checksum is a fault when the batch is opened, compressed or decompressed, unless checking is off" (fun () ->
              let damaged = batchOf [ plain "a" ] |> tampered false damage
              let options = RecordReadOptions(VerifyChecksum = false)
              Expect.isFalse (damaged.IsChecksumValid()) "asked"
              Expect.isTrue ((batch "a" 1).IsChecksumValid()) "asked of a good one"
              let error = thrown "checksum" (fun () -> damaged.Records() |> ignore)
              Expect.equal error.Kind KafkaFaultKind.BadChecksum "the kind"
              Expect.stringContains error.Message "the batch of offsets 0 to 0" "the batch"
              Expect.equal error.Fault.ByteOffset (Nullable 17) "the place"
              Expect.isTrue (isNull error.Exchange && isNull error.InnerException) "no call was made"
              Expect.equal (thrown "pack" (fun () -> damaged.Compress gzip |> ignore)).Kind KafkaFaultKind.BadChecksum "packed"
              Expect.equal (thrown "unpack" (fun () -> damaged.Decompress withGzip |> ignore)).Kind KafkaFaultKind.BadChecksum "unpacked"
              Expect.equal (read (damaged.Records options)).Length 1 "left out")

          testCase "a malformed record throws when iteration gets to it, with its place, and throws again" (fun () ->
              // One record more than there are.
              let short = batch "a" 3 |> tampered true (fun bytes -> bytes[60] <- 4uy)
              let records = short.Records()
              Expect.equal records.Count 4 "what the batch declares"
              let mutable enumerator = records.GetEnumerator()

              for i in 0L .. 2L do
                  Expect.isTrue (enumerator.MoveNext()) "a good one"
                  Expect.equal enumerator.Current.Offset i "its offset"

              for _ in 1..2 do
                  let mutable error = null

                  try
                      enumerator.MoveNext() |> ignore
                  with :? KafkaException as caught ->
                      error <- caught

                  let error = there error
                  Expect.equal error.Kind KafkaFaultKind.Malformed "the kind"
                  Expect.equal error.Fault.Path "Count" "the path"
                  Expect.equal error.Fault.ByteOffset (Nullable short.SizeInBytes) "the place"
                  Expect.stringContains error.Message "the batch of offsets 0 to 2" "the batch")

          testCase "iterating allocates nothing for a record" (fun () ->
              let batch = batch "a" 5000
              let headers = batchOf (List.replicate 1000 odd[4])

              let walk (batch: RecordBatch) =
                  let mutable sum = 0L
                  for record in batch.Records() do
                      sum <- sum + record.Offset + int64 record.Value.Length
                      for header in record.Headers do
                          sum <- sum + int64 header.Key.Length

                  sum

              for batch in [ batch; headers ] do
                  walk batch |> ignore
                  let before = GC.GetAllocatedBytesForCurrentThread()
                  walk batch |> ignore
                  Expect.isLessThan (GC.GetAllocatedBytesForCurrentThread() - before) 1000L "bytes allocated")

          testCase "building allocates nothing once the memory has grown" (fun () ->
              let builder = RecordBatchBuilder()
              let key, value = text "key", text "value"
              let headers = [| KafkaHeader("a", text "1"); KafkaHeader("b", null) |]

              let build () =
                  builder.Reset()
                  for i in 1L .. 1000L do
                      builder.Add(key, value, i, ReadOnlySpan headers)

                  builder.BuildInPlace() |> ignore

              build ()
              let before = GC.GetAllocatedBytesForCurrentThread()
              build ()
              Expect.isLessThan (GC.GetAllocatedBytesForCurrentThread() - before) 1000L "bytes allocated")

          testCase "control records are recognized and read" (fun () ->
              let marker (kind: byte) : Expected = { plain "" with Key = Some [| 0uy; 0uy; 0uy; kind |]; Value = Some [| 9uy |] }
              let batch = batchWith (RecordBatchOptions(IsControl = true, BaseOffset = 5L)) [ marker 0uy; marker 1uy; marker 99uy ]
              Expect.isTrue batch.IsControl "the batch"
              let kinds = ResizeArray()

              for record in batch.Records() do
                  let mutable found: ControlMarker | null = null

                  if ControlMarker.TryRead(&record, &found) then
                      let found = there found
                      Expect.equal (found.Offset, found.Version) (record.Offset, 0s) "its place"
                      Expect.equal (Option.ofNullable found.Value |> Option.map _.ToArray()) (Some [| 9uy |]) "its value"
                      kinds.Add found.Kind

              Expect.equal (List.ofSeq kinds) [ ControlMarkerKind.Abort; ControlMarkerKind.Commit; enum 99 ] "kinds"
              let none = batchOf [ { plain "" with Key = None } ]

              let error =
                  thrown "no key" (fun () ->
                      for record in none.Records() do
                          ControlMarker.Read &record |> ignore)

              Expect.equal error.Kind KafkaFaultKind.Malformed "a record that is not a control record")

          testCase "bytes are taken as a batch, or the exception says why not" (fun () ->
              let batch = batch "a" 3
              let bytes = batch.Bytes.Memory
              Expect.equal (RecordBatchExtensions.Parse bytes) batch "read"

              for length in [ 0; 10; 17; 60; bytes.Length - 1 ] do
                  let error = thrown "short" (fun () -> RecordBatchExtensions.Parse(bytes.Slice(0, length)) |> ignore)
                  Expect.equal error.Kind KafkaFaultKind.Malformed (string length)

              let old = bytes.ToArray()
              old[16] <- 1uy
              let error = thrown "old" (fun () -> RecordBatchExtensions.Parse(ReadOnlyMemory old) |> ignore)
              Expect.equal (error.Kind, error.Fault.ByteOffset) (KafkaFaultKind.Malformed, Nullable 16) "another format")

          testCase "a fetched batch is made ready for another log, or the reason why not is a value" (fun () ->
              let records = [ plain "a"; plain "b" ]
              let fetched = batchWith (RecordBatchOptions(BaseOffset = 7L, PartitionLeaderEpoch = 3, ProducerId = 1L)) records
              let forwarded = fetched.ForForwarding()
              Expect.equal (fetched.GetForwardingObstacle()) ForwardingObstacle.None "no obstacle"
              Expect.equal forwarded (batchOf records) "as a producer without an identity builds it"
              Expect.isTrue (forwarded.IsChecksumValid()) "checksum"

              let control = batchWith (RecordBatchOptions(IsControl = true)) records
              let emptied = batchOf records |> tampered true (fun bytes -> bytes[60] <- 0uy)
              let gaps = batchWith (RecordBatchOptions(LastOffset = Nullable 5L)) records

              for batch, obstacle, text in
                  [ control, ForwardingObstacle.ControlBatch, "leave it out"
                    emptied, ForwardingObstacle.NoRecords, "leave it out"
                    gaps, ForwardingObstacle.OffsetGaps, "batch.Repack" ] do
                  Expect.equal (batch.GetForwardingObstacle()) obstacle "obstacle"
                  let error = thrown text (fun () -> batch.ForForwarding() |> ignore)
                  Expect.equal error.Kind KafkaFaultKind.NotForwardable text
                  Expect.stringContains error.Message text text

              for batch in [ control; emptied ] do
                  let error = thrown "repacked" (fun () -> batch.Repack() |> ignore)
                  Expect.equal error.Kind KafkaFaultKind.NotForwardable "repacked"

              let unknown = batchOf records |> tampered true (fun bytes -> bytes[22] <- 7uy)
              Expect.equal (unknown.GetForwardingObstacle()) ForwardingObstacle.Unreadable "a codec that does not exist"
              let error = thrown "a codec that does not exist" (fun () -> unknown.ForForwarding() |> ignore)
              Expect.equal error.Kind KafkaFaultKind.UnknownCodec "a codec that does not exist"

              let damaged = batchOf records |> tampered false damage
              let error = thrown "a wrong checksum" (fun () -> damaged.ForForwarding() |> ignore)
              Expect.equal error.Kind KafkaFaultKind.BadChecksum "a wrong checksum")

          testCase "a compacted batch is repacked with the codec of its type" (fun () ->
              let records = [ plain "a"; { plain "b" with Value = None }; { plain "c" with Key = Some [||] } ]
              let gaps = batchWith (RecordBatchOptions(BaseOffset = 7L, LastOffset = Nullable 20L)) records
              Expect.equal (gaps.Repack()) (batchOf records) "not compressed"
              let compressed = gaps.Compress gzip
              let repacked = compressed.Repack withGzip
              Expect.equal repacked.Compression CompressionType.Gzip "compression"
              Expect.equal (read (repacked.Records withGzip)) (records |> List.mapi (fun i record -> int64 i, record)) "records"
              Expect.equal (repacked.ForForwarding()) repacked "ready for another log"
              let error = thrown "no codec" (fun () -> compressed.Repack() |> ignore)
              Expect.equal error.Kind KafkaFaultKind.CodecMissing "no codec")

          testCase "a set has its batches in order, corrupt ones included, without an incomplete last batch" (fun () ->
              let good = [ batch "a" 2; batchWith (RecordBatchOptions(BaseOffset = 4L)) [ plain "b" ]; batch "c" 1 ]
              let damaged = good[1] |> tampered false damage
              let old = good[1].Bytes.ToArray()
              old[16] <- 3uy
              let parse checksums (bytes: byte[] list) = RecordBatchSet.Parse(ReadOnlyMemory(Array.concat bytes), checksums)
              let plain = RecordBatchSet.Parse(RecordBatchSet.Concat good)
              Expect.equal [ for item in plain -> item.GetBatch() ] good "the batches"
              Expect.equal (plain |> Seq.map (fun item -> there item.Batch) |> List.ofSeq) good "the batches as a sequence"
              Expect.equal (plain.Bytes.Length, plain.CutOffBytes) (good |> List.sumBy _.SizeInBytes, 0) "bytes"
              let tail = Array.sub (good[2].Bytes.ToArray()) 0 40
              let cut = parse false [ good[0].Bytes.ToArray(); tail ]
              Expect.equal [ for item in cut -> item.GetBatch() ] [ good[0] ] "the whole batches"
              Expect.equal cut.CutOffBytes 40 "the cut-off end"
              let set = parse false [ good[0].Bytes.ToArray(); old; good[2].Bytes.ToArray() ]
              let items = List.ofSeq set
              Expect.equal (items |> List.map _.IsBatch) [ true; false; true ] "which can be read"
              Expect.equal (items |> List.map _.IsCorrupt) [ false; true; false ] "which cannot"
              let unreadable = there items[1].Corrupt
              Expect.equal (unreadable.FirstOffset, unreadable.LastOffset) (4L, Nullable()) "offsets"
              Expect.equal (unreadable.Position, unreadable.Bytes.Length) (good[0].SizeInBytes, old.Length) "place"
              Expect.equal unreadable.Fault.ByteOffset (Nullable(good[0].SizeInBytes + 16)) "the place of the fault"
              let error = thrown "unreadable" (fun () -> items[1].Records() |> ignore)
              Expect.equal error.Fault unreadable.Fault "the same fault is thrown"
              let checked' = parse true [ good[0].Bytes.ToArray(); damaged.Bytes.ToArray(); good[2].Bytes.ToArray() ]
              Expect.equal [ for item in checked' -> item.IsBatch ] [ true; false; true ] "with checksums checked"
              let unreadable = there (Seq.item 1 checked').Corrupt
              Expect.equal (unreadable.Fault.Kind, unreadable.LastOffset) (KafkaFaultKind.BadChecksum, Nullable 4L) "what is known"
              Expect.isEmpty (Unchecked.defaultof<RecordBatchSet>) "a set of nothing"
              Expect.equal Unchecked.defaultof<RecordBatchSet>.CutOffBytes 0 "nothing is cut off"
              Expect.isEmpty (read Unchecked.defaultof<RecordBatchRecords>) "records of nothing")

          testCase "messages of older formats are read like batches" (fun () ->
              // Magic 1, LogAppendTime, two records compressed with gzip; as the Java client writes it.
              let message =
                  Convert.FromHexString(
                      "000000000000da5d000000d04bb680310109000001515cddac91ffffffff000000ba1f8b08000000000000ff63608083c859db4baf3172"
                      + "30303006c6dc5d331128c2ec6d3305483984d8150556704c1037e53f70ace1badf62ade5b737fef8b4d7f5fa291ed3fb1b6fe548483bdb"
                      + "9cde15cd6753fc51f7dff2753fcf3730ce08773cda7641eebab1f3324773a8058c401c9e6890278f62090838e6e42727e664e417972894"
                      + "e4176426eb26c2e9fca294d4a26285e4fcbce2d2dcd422850a202c4a4cced63554482fca2f2d883754082d4e2d0200c7284331c8000000"
                  )

              let newer = batchWith (RecordBatchOptions(BaseOffset = 55902L)) [ plain "new" ]
              let parse (message: byte[]) = RecordBatchSet.Parse(ReadOnlyMemory(Array.append message (newer.Bytes.ToArray())), true)
              let set = parse message
              let withCodecs = RecordReadOptions(Codecs = AllCodecs.List)
              let found = [ for item in set -> read (item.Records withCodecs) ]
              Expect.equal (found |> List.map (List.map fst)) [ [ 55900L; 55901L ]; [ 55902L ] ] "offsets"
              let appended = [ for _, record in found.Head -> record.Timestamp ]
              Expect.equal appended [ 1448962010257L; 1448962010257L ] "the append time"
              Expect.equal (snd found.Head[1]).Key (Some [||]) "a key"
              let item = Seq.head set
              Expect.equal (item.IsBatch, item.IsCorrupt, isNull item.Batch) (false, false, true) "it is no batch"
              let legacy = there item.Legacy
              Expect.equal (legacy.Magic, legacy.Compression, legacy.NextOffset) (1y, CompressionType.Gzip, 55902L) "what it is"
              Expect.equal (item.ToString()) (legacy.ToString()) "text"
              Expect.equal (read (legacy.Records(withCodecs, CodecBuffer()))) found.Head "in memory of one's own"
              Expect.throwsT<InvalidOperationException> (fun () -> item.GetBatch() |> ignore) "there is no batch to get"
              let error = thrown "no codec" (fun () -> item.Records() |> ignore)
              Expect.equal error.Kind KafkaFaultKind.CodecMissing "without a codec"
              Expect.stringContains error.Message "the message at offset 55901" "which one"
              message[60] <- message[60] ^^^ 1uy
              let unreadable = there (Seq.head (parse message)).Corrupt
              Expect.equal (unreadable.Fault.Kind, unreadable.LastOffset) (KafkaFaultKind.BadChecksum, Nullable 55901L) "damaged") ]

// ---- options ----

let private outOfRange (name: string) (make: unit -> obj) = Expect.throwsT<ArgumentOutOfRangeException> (make >> ignore) name

let private options =
    testList
        "options"
        [ testCase "addresses are parsed and written" (fun () ->
              let address = BrokerAddress.Parse "kafka-1:9092"
              Expect.equal (address.Host, address.Port) ("kafka-1", 9092) "read"
              Expect.equal (address.ToString()) "kafka-1:9092" "written"
              Expect.equal (BrokerAddress.Parse("[::1]:1").ToString()) "[::1]:1" "IPv6"
              let list = BrokerAddress.ParseList "a:1,b:2"
              Expect.equal (List.ofSeq list) [ BrokerAddress("a", 1); BrokerAddress("b", 2) ] "a list"
              Expect.equal (BrokerAddress.TryParse "a:1") (true, BrokerAddress("a", 1)) "tried"

              for bad in [ ""; "a:"; ":1"; "a:0"; "a:70000" ] do
                  Expect.throwsT<FormatException> (fun () -> BrokerAddress.Parse bad |> ignore) bad
                  Expect.throwsT<FormatException> (fun () -> BrokerAddress.ParseList bad |> ignore) bad
                  Expect.throwsT<FormatException> (fun () -> KafkaClientOptions bad |> ignore) bad
                  Expect.isFalse (fst (BrokerAddress.TryParse bad)) bad

              Expect.equal
                  (Unchecked.defaultof<BrokerAddress>.ToString(), Unchecked.defaultof<TopicPartition>.ToString())
                  (":0", "-0")
                  "nothing")

          testCase "the defaults are those of the core" (fun () ->
              let client, core = KafkaClientOptions "a:1", Client.ClientSettings.standard
              Expect.equal client.ClientId core.ClientId "client id"
              Expect.equal (client.ConnectTimeout, client.CallTimeout) (core.ConnectTimeout, core.CallTimeout) "time-outs"
              Expect.equal (client.ConnectionTtl, client.MaxIdle) (core.ConnectionTtl, core.MaxIdle) "ages"
              Expect.equal (client.HeedThrottle, client.TimeProvider) (core.HeedThrottle, core.Time) "the rest"
              Expect.isTrue (isNull client.Tls && isNull client.Sasl && isNull client.HostLookUp) "no security"
              Expect.equal client.MaxFrameBytes core.Limits.MaxFrameBytes "largest answer"
              Expect.equal client.MaxDecodedBytes core.Limits.MaxDecodedBytes "memory of an answer"
              let producer, core = ProducerOptions(), Client.ProducerSettings.standard
              Expect.equal
                  (producer.Acks, producer.AckTimeout, producer.MaxBatchBytes)
                  (core.Acks, core.AckTimeout, core.MaxBatchBytes)
                  "producer"
              let fetcher, core = FetcherOptions(), Client.FetcherSettings.standard
              Expect.equal (fetcher.MaxWait, fetcher.MinBytes, fetcher.MaxBytes) (core.MaxWait, core.MinBytes, core.MaxBytes) "fetcher"
              Expect.equal fetcher.IsolationLevel core.IsolationLevel "isolation"
              Expect.equal (fetcher.ReplicaTime, fetcher.UseSession) (core.ReplicaTime, core.UseSession) "replica and session"
              Expect.isNull fetcher.RackId "no rack"
              let reading, core = RecordReadOptions.Default, Limits.standard
              Expect.equal (reading.MaxRecords, reading.MaxDecompressedBytes) (core.MaxRecords, core.MaxDecompressedBytes) "reading")

          testCase "options are immutable, even if the lists that they were made from change" (fun () ->
              let brokers = [| BrokerAddress("a", 1) |]
              let client = KafkaClientOptions(brokers :> seq<BrokerAddress>)
              let codecs = [| gzip |]
              let reading = RecordReadOptions(Codecs = codecs)
              let settings = Collections.Generic.Dictionary(dict [ "cleanup.policy", "compact" ])
              let topic = NewTopic("t", Configs = settings)
              brokers[0] <- BrokerAddress("b", 2)
              codecs[0] <- Unchecked.defaultof<_>
              settings["cleanup.policy"] <- "delete"
              Expect.equal (List.ofSeq client.BootstrapServers) [ BrokerAddress("a", 1) ] "brokers"
              Expect.equal (List.ofSeq reading.Codecs) [ gzip ] "codecs"
              Expect.equal topic.Configs["cleanup.policy"] "compact" "settings of a topic"

              for options in
                  [ typeof<KafkaClientOptions>
                    typeof<ProducerOptions>
                    typeof<FetcherOptions>
                    typeof<RecordReadOptions>
                    typeof<RecordBatchOptions>
                    typeof<NewTopic>
                    typeof<BearerToken>
                    typeof<JoinOptions>
                    typeof<ConsumerSubscription>
                    typeof<ConsumerGroupSubscription>
                    typeof<RetryPolicy<FetchResult>>
                    typeof<BatchCollectorOptions>
                    typeof<TopicProducerOptions>
                    typeof<TopicConsumerOptions>
                    typeof<GroupConsumerOptions>
                    typeof<ExactlyOnceOptions>
                    typeof<GroupMembership>
                    typeof<NewPartitions>
                    typeof<ConfigEntry>
                    typeof<AclBinding>
                    typeof<AclBindingFilter> ] do
                  for property in options.GetProperties() do
                      match property.SetMethod with
                      | null -> ()
                      | set ->
                          let modifiers = set.ReturnParameter.GetRequiredCustomModifiers() |> Array.map _.Name
                          Expect.contains modifiers "IsExternalInit" (options.Name + "." + property.Name + " is set once"))

          testCase "options are compared by content" (fun () ->
              Expect.equal (KafkaClientOptions("a:1,b:2", ClientId = "x")) (KafkaClientOptions("a:1,b:2", ClientId = "x")) "client"
              Expect.notEqual (KafkaClientOptions "a:1,b:2") (KafkaClientOptions "a:1,b:3") "other brokers"
              Expect.equal (RecordReadOptions(Codecs = [| gzip |])) withGzip "reading"
              Expect.equal (withGzip.GetHashCode()) (RecordReadOptions(Codecs = [| gzip |]).GetHashCode()) "hash code"
              Expect.notEqual (RecordReadOptions()) withGzip "other codecs"
              let topic () = NewTopic("t", 3, 1s, Configs = readOnlyDict [ "a", "b" ])
              Expect.equal (topic ()) (topic ()) "topic"
              Expect.notEqual (topic ()) (NewTopic("t", 3, 1s)) "other settings"
              Expect.equal (TopicPartition("t", 1)) (TopicPartition("t", 1)) "partition"
              Expect.stringContains (KafkaClientOptions("a:1,b:2").ToString()) "[a:1, b:2]" "text")

          testCase "invalid options are refused when they are set" (fun () ->
              let long = TimeSpan.FromDays 30.0
              outOfRange "connect time" (fun () -> KafkaClientOptions("a:1", ConnectTimeout = TimeSpan.Zero))
              outOfRange "connect time" (fun () -> KafkaClientOptions("a:1", ConnectTimeout = long))
              outOfRange "call time" (fun () -> KafkaClientOptions("a:1", CallTimeout = -second))
              outOfRange "age" (fun () -> KafkaClientOptions("a:1", ConnectionTtl = TimeSpan.Zero))
              outOfRange "idle time" (fun () -> KafkaClientOptions("a:1", MaxIdle = -second))
              outOfRange "largest batch" (fun () -> ProducerOptions(MaxBatchBytes = 0))
              outOfRange "time at a replica" (fun () -> FetcherOptions(ReplicaTime = -second))
              outOfRange "largest answer" (fun () -> KafkaClientOptions("a:1", MaxFrameBytes = 0))
              outOfRange "memory of an answer" (fun () -> KafkaClientOptions("a:1", MaxDecodedBytes = 0L))
              outOfRange "ack time" (fun () -> ProducerOptions(AckTimeout = -second))
              outOfRange "wait" (fun () -> FetcherOptions(MaxWait = long))
              outOfRange "least bytes" (fun () -> FetcherOptions(MinBytes = -1))
              outOfRange "most bytes" (fun () -> FetcherOptions(MaxBytes = 0))
              outOfRange "decompressed" (fun () -> RecordReadOptions(MaxDecompressedBytes = -1))
              outOfRange "records" (fun () -> RecordReadOptions(MaxRecords = -1))
              outOfRange "base offset" (fun () -> RecordBatchOptions(BaseOffset = -1L))
              outOfRange "base offset" (fun () -> RecordBatchOptions(BaseOffset = Int64.MaxValue))
              outOfRange "batch size" (fun () -> RecordBatchBuilder(maxBytes = 0))
              outOfRange "partition" (fun () -> new PartitionClient(KafkaClientOptions "a:1", TopicPartition("t", -1)))
              Expect.throwsT<ArgumentException>
                  (fun () -> new PartitionClient(KafkaClientOptions "a:1", TopicPartition("", 0)) |> ignore)
                  "topic"
              Expect.throwsT<ArgumentException> (fun () -> KafkaClientOptions([]: BrokerAddress list) |> ignore) "no broker"
              use fetcher = new PartitionFetcher(KafkaClientOptions "a:1", TopicPartition("t", 0))
              Expect.throwsT<ArgumentOutOfRangeException> (fun () -> fetcher.Offset <- -1L) "offset") ]

// ---- on a cluster ----

let private produceKey, private fetchKey, private listKey = 0s, 1s, 2s

let private mainJob =
    testList
        "main job"
        [ testCase "records are fetched as they were produced" (fun () ->
              onCluster (fun _ options ->
                  use producer = new PartitionProducer(options, partition)
                  use fetcher = new PartitionFetcher(options, partition)
                  let first = producer.Produce(batchOf odd).ThrowIfError()
                  let second = producer.Produce((batch "b" 3).Compress gzip).ThrowIfError()
                  Expect.equal (first.Status, first.BaseOffset) (ProduceStatus.Acknowledged, 0L) "the first batch"
                  Expect.equal (second.Status, second.BaseOffset) (ProduceStatus.Acknowledged, 5L) "the second batch"
                  Expect.equal (first.Error, first.ThrottleTime) (ErrorCode.None, TimeSpan.Zero) "the rest"
                  Expect.isTrue (isNull first.Fault && isNull first.ErrorMessage && first.RecordErrors.Count = 0) "nothing went wrong"
                  Expect.equal (first.ToString()) "Acknowledged at offset 0" "text"
                  let records = ResizeArray()

                  while fetcher.Offset < 8L do
                      let fetched = fetcher.Fetch().ThrowIfError()
                      Expect.equal fetcher.Offset fetched.Offset "it does not advance by itself"
                      Expect.equal (fetched.HighWatermark, fetched.LogStartOffset) (8L, 0L) "bounds"

                      for item in fetched.Batches do
                          records.AddRange(read (item.Records withGzip))

                      fetcher.Offset <- fetched.NextOffset

                  let expected = List.indexed (odd @ contentOf ((batch "b" 3).Records()))
                  Expect.equal (List.ofSeq records) (expected |> List.map (fun (i, record) -> int64 i, record)) "records"
                  let atEnd = fetcher.Fetch().ThrowIfError()
                  Expect.equal (atEnd.NextOffset, atEnd.RawRecords.Length) (8L, 0) "nothing is left"
                  Expect.isEmpty atEnd.Batches "no batches"))

          testCase "batches that the ready codecs compress are fetched and read" (fun () ->
              onCluster (fun _ options ->
                  use producer = new PartitionProducer(options, partition)
                  use fetcher = new PartitionFetcher(options, partition)
                  let plain = batch "c" 200

                  for codec in [ LibKafka.Compression.Gzip 9 :> ICompressionCodec; Snappy(); Lz4(); Zstd() ] do
                      let packed = plain.Compress codec
                      Expect.equal packed.Compression codec.Type "the attribute"
                      producer.Produce(packed).ThrowIfError() |> ignore

                  let reading = RecordReadOptions(Codecs = AllCodecs.List)
                  let records = ResizeArray()

                  while fetcher.Offset < 800L do
                      let fetched = fetcher.Fetch().ThrowIfError()

                      for item in fetched.Batches do
                          Expect.notEqual (item.GetBatch().Compression) CompressionType.None "it comes as it was sent"
                          records.AddRange(contentOf (item.Records reading))

                      fetcher.Offset <- fetched.NextOffset

                  Expect.equal (List.ofSeq records) (List.replicate 4 (contentOf (plain.Records())) |> List.concat) "records"))

          testCase "a fetched batch is forwarded untouched" (fun () ->
              onCluster (fun _ options ->
                  let forwarded = TopicPartition(topic, 1)
                  use producer = new PartitionProducer(options, partition)
                  use fetcher = new PartitionFetcher(options, partition)
                  use other = new PartitionProducer(options, forwarded)
                  use check = new PartitionFetcher(options, forwarded)
                  let packed = (batchOf odd).Compress gzip
                  producer.Produce(packed).ThrowIfError() |> ignore
                  producer.Produce(packed).ThrowIfError() |> ignore
                  fetcher.Offset <- 5L
                  let fetched = [ for item in fetcher.Fetch().ThrowIfError().Batches -> item.GetBatch() ]
                  Expect.equal (fetched |> List.map _.BaseOffset) [ 5L ] "the second batch"
                  other.Produce(fetched.Head).ThrowIfError() |> ignore
                  let arrived = [ for item in check.Fetch().ThrowIfError().Batches -> item.GetBatch() ]
                  Expect.equal (arrived |> List.map _.Payload) [ packed.Payload ] "the bytes"
                  Expect.equal (contentOf (arrived.Head.Records withGzip)) odd "the records"))

          testCase "offsets are found, and seeking moves there" (fun () ->
              onCluster (fun _ options ->
                  use client = new PartitionClient(options, partition)
                  use producer = new PartitionProducer(client)
                  use fetcher = new PartitionFetcher(client, FetcherOptions(MaxWait = moment))
                  Expect.equal producer.Client fetcher.Client "one client for both"
                  producer.Produce(batch "a" 4).ThrowIfError() |> ignore
                  Expect.equal (fetcher.FindOffset(OffsetSpec.Latest).ThrowIfError().Offset) (Nullable 4L) "the end"
                  Expect.equal fetcher.Offset 0L "finding does not move"
                  let sought = fetcher.Seek(OffsetSpec.Latest).ThrowIfError()
                  Expect.equal (sought.Offset, fetcher.Offset) (Nullable 4L, 4L) "seeking does"
                  Expect.equal
                      (sought.Exchange.Api, sought.Error, sought.ThrottleTime)
                      (ApiKey.ListOffsets, ErrorCode.None, TimeSpan.Zero)
                      "the call"
                  Expect.isNull sought.Fault "no fault"
                  fetcher.Seek(OffsetSpec.Earliest).ThrowIfError() |> ignore
                  Expect.equal fetcher.Offset 0L "the start"))

          testCase "with Acks.None the outcome is unknown, without an error" (fun () ->
              onCluster (fun _ options ->
                  use producer = new PartitionProducer(options, partition, ProducerOptions(Acks = Acks.None))
                  use fetcher = new PartitionFetcher(options, partition)
                  let result = producer.Produce(batch "a" 2)
                  Expect.equal (result.Status, result.BaseOffset, result.Error) (ProduceStatus.Unknown, -1L, ErrorCode.None) "the result"
                  Expect.isNull result.Fault "no fault"
                  Expect.equal (result.ThrowIfError()) result "nothing to throw"
                  Expect.equal (result.Exchange.BytesIn, result.ToString()) (0, "Unknown") "no answer"
                  let mutable tries = 0

                  while fetcher.Fetch().ThrowIfError().HighWatermark < 2L && tries < 100 do
                      tries <- tries + 1

                  Expect.equal (recordsOf (fetcher.Fetch())).Length 2 "it arrived"))

          testCase "metadata describes the cluster and its leaders" (fun () ->
              onCluster (fun cluster options ->
                  cluster.SetLeader(topic, 1, 2)
                  cluster.SetController 3
                  use connection = KafkaCluster.Connect(options).ThrowIfError()
                  Expect.contains options.BootstrapServers connection.Broker "one of the brokers"
                  Expect.isTrue (connection.IsOpen && connection.Socket.Connected) "it is open"
                  Expect.equal connection.BrokerVersions[ApiKey.Metadata].Lowest 0s "versions"
                  let produce = connection.BrokerVersions[ApiKey.Produce]
                  Expect.equal (produce.ToString()) "0-10" "versions as text"
                  let contained = [ -1s; 0s; 10s; 11s ] |> List.map produce.Contains
                  Expect.equal contained [ false; true; true; false ] "what the range contains"
                  Expect.isFalse (connection.BrokerVersions.ContainsKey ApiKey.CreateTopics) "an API that it does not have"
                  let metadata = connection.GetMetadata([ topic ]).ThrowIfError()
                  Expect.equal (metadata.Brokers |> Seq.map _.NodeId |> Seq.sort |> List.ofSeq) [ 1; 2; 3 ] "brokers"
                  Expect.containsAll (metadata.Brokers |> Seq.map _.Address) options.BootstrapServers "addresses"
                  let found = Seq.exactlyOne metadata.Topics
                  Expect.equal (found.Name, found.Error, found.IsInternal) (topic, ErrorCode.None, false) "the topic"
                  Expect.equal (found.Partitions |> Seq.map _.Partition |> Seq.sort |> List.ofSeq) [ 0; 1 ] "partitions"
                  let second = found.Partitions |> Seq.find (fun it -> it.Partition = 1)
                  Expect.equal (second.LeaderId, second.Replicas.Count, second.Error) (2, 3, ErrorCode.None) "a partition"
                  Expect.equal (connection.GetMetadata([ topic ]).ThrowIfError().Topics[0]) found "metadata is compared by content"
                  let mutable leader: PartitionLeader | null = null
                  let mutable error = ErrorCode.UnknownServerError
                  Expect.isTrue (metadata.TryGetLeader(TopicPartition(topic, 1), &leader, &error)) "a leader"
                  Expect.equal ((there leader).NodeId, error) (2, ErrorCode.None) "which"
                  Expect.equal
                      (KafkaCluster.FindLeader(options, TopicPartition(topic, 1)).ThrowIfError())
                      (there leader)
                      "the same, asked at once"
                  Expect.isFalse (metadata.TryGetLeader(TopicPartition(topic, 9), &leader, &error)) "no such partition"
                  Expect.equal (leader, error) (null, ErrorCode.UnknownTopicOrPartition) "why"
                  Expect.isEmpty (connection.GetMetadata([]).ThrowIfError().Topics) "no topics"
                  Expect.equal (connection.GetMetadata().ThrowIfError().Topics.Count) 1 "all topics"
                  let unknown = connection.GetMetadata([ "nowhere" ]).ThrowIfError()
                  Expect.equal unknown.Topics[0].Error ErrorCode.UnknownTopicOrPartition "an unknown topic is part of the metadata"
                  use controller = KafkaCluster.ConnectController(options).ThrowIfError()
                  let address = metadata.Brokers |> Seq.find (fun it -> it.NodeId = metadata.ControllerId) |> _.Address
                  Expect.equal controller.Broker address "the controller"
                  use same = KafkaConnection.Open(options, address).ThrowIfError()
                  Expect.equal same.Broker address "a broker by its address"))

          testCase "the observer receives every exchange" (fun () ->
              onCluster (fun _ options ->
                  let seen = ResizeArray<ExchangeInfo>()
                  let options = KafkaClientOptions(options.BootstrapServers, ClientId = "seen", Observer = seen.Add)
                  use producer = new PartitionProducer(options, partition)
                  let began = DateTimeOffset.UtcNow
                  let result = producer.Produce(batch "a" 1).ThrowIfError()
                  let apis = seen |> Seq.map _.Api |> List.ofSeq
                  Expect.contains apis ApiKey.ApiVersions "versions"
                  Expect.contains apis ApiKey.Metadata "the leader"
                  let last = seen[seen.Count - 1]
                  let own = result.Exchange
                  Expect.equal (last.Api, last.Version, last.Broker) (own.Api, own.Version, own.Broker) "the same call"
                  Expect.equal (own.Api, own.Version) (ApiKey.Produce, 10s) "the call"
                  Expect.equal own.Broker (Nullable (there producer.Client.Leader).Address) "the leader"
                  Expect.isGreaterThan own.BytesOut (batch "a" 1).SizeInBytes "bytes out"
                  Expect.isGreaterThan own.BytesIn 10 "bytes in"
                  Expect.isGreaterThan own.CorrelationId 0 "correlation id"
                  Expect.isTrue (own.Began >= began.AddMilliseconds -50.0 && own.Elapsed > TimeSpan.Zero && own.WasSent) "time"
                  Expect.equal (own.UnreadBytes, own.Fault) (0, null) "the rest"
                  Expect.stringStarts (own.ToString()) ("Produce v10 to " + own.Broker.ToString() + ": ") "text")) ]

let private failures =
    testList
        "failures"
        [ testCase "an error code is a value, and ThrowIfError throws it" (fun () ->
              onCluster (fun cluster options ->
                  use producer = new PartitionProducer(options, partition)
                  cluster.PushErrors(produceKey, [ ErrorCode.MessageTooLarge.Code ])
                  let result = producer.Produce(batch "a" 1)
                  Expect.equal
                      (result.Status, result.Error, result.BaseOffset)
                      (ProduceStatus.Rejected, ErrorCode.MessageTooLarge, -1L)
                      "the result"
                  Expect.isNull result.Fault "no fault"
                  let error = thrown "too large" (fun () -> result.ThrowIfError() |> ignore)
                  Expect.equal (error.Kind, error.ErrorCode) (KafkaFaultKind.BrokerError, ErrorCode.MessageTooLarge) "thrown"
                  Expect.equal (error.Exchange, error.Broker) (result.Exchange, result.Exchange.Broker) "with the call"

                  for part in [ "Produce to 127.0.0.1:"; "MESSAGE_TOO_LARGE (10)"; "is not in the log" ] do
                      Expect.stringContains error.Message part "message"

                  Expect.isTrue (there producer.Client.Connection).IsOpen "the connection is still good"))

          testCase "if the broker is not sure or the answer is lost, the outcome is unknown" (fun () ->
              onCluster (fun cluster options ->
                  use producer = new PartitionProducer(options, partition)
                  cluster.PushErrors(produceKey, [ ErrorCode.RequestTimedOut.Code; MockCluster.Disconnect ])
                  let unsure = producer.Produce(batch "a" 1)
                  Expect.equal (unsure.Status, unsure.Error) (ProduceStatus.Unknown, ErrorCode.RequestTimedOut) "not sure"
                  let lost = producer.Produce(batch "a" 1)
                  Expect.equal (lost.Status, lost.Error) (ProduceStatus.Unknown, ErrorCode.None) "lost"
                  Expect.equal (there lost.Fault).Kind KafkaFaultKind.Closed "the fault"
                  Expect.equal (there lost.Exchange.Fault).Kind KafkaFaultKind.Closed "the fault in the exchange"

                  for result in [ unsure; lost ] do
                      let error = thrown "unknown" (fun () -> result.ThrowIfError() |> ignore)
                      Expect.stringContains error.Message "may or may not be in the log" "message"

                  Expect.isNull producer.Client.Connection "the connection is closed"
                  Expect.equal
                      (producer.Produce(batch "a" 1).ThrowIfError().Status)
                      ProduceStatus.Acknowledged
                      "the next call makes another"))

          testCase "a fetch has errors and faults, with the data that came with them" (fun () ->
              onCluster (fun cluster options ->
                  use producer = new PartitionProducer(options, partition)
                  use fetcher = new PartitionFetcher(options, partition)
                  producer.Produce(batch "a" 3).ThrowIfError() |> ignore
                  fetcher.Offset <- 99L
                  let beyond = fetcher.Fetch()
                  Expect.equal beyond.Error ErrorCode.OffsetOutOfRange "beyond the end"
                  Expect.equal (beyond.NextOffset, beyond.HighWatermark) (99L, 3L) "it does not move, and the bounds are there"
                  Expect.isEmpty beyond.Batches "no batches"
                  let error = thrown "beyond" (fun () -> beyond.ThrowIfError() |> ignore)
                  Expect.equal error.ErrorCode ErrorCode.OffsetOutOfRange "thrown"
                  fetcher.Offset <- 0L
                  cluster.PushErrors(fetchKey, [ MockCluster.Disconnect ])
                  let lost = fetcher.Fetch()
                  Expect.equal
                      ((there lost.Fault).Kind, lost.Error, lost.HighWatermark)
                      (KafkaFaultKind.Closed, ErrorCode.None, -1L)
                      "lost"
                  Expect.equal
                      (lost.RawRecords.Length, lost.NextOffset, lost.LastStableOffset, lost.LogStartOffset)
                      (0, 0L, -1L, -1L)
                      "nothing else"
                  Expect.isFalse (lost.CurrentLeader.HasValue || lost.PreferredReadReplica.HasValue) "no other broker"
                  Expect.equal (thrown "lost" (fun () -> lost.ThrowIfError() |> ignore)).Kind KafkaFaultKind.Closed "thrown"
                  cluster.PushErrors(listKey, [ MockCluster.Disconnect; ErrorCode.NotLeaderOrFollower.Code ])
                  let sought = fetcher.Seek OffsetSpec.Latest
                  Expect.equal
                      ((there sought.Fault).Kind, sought.Offset, fetcher.Offset)
                      (KafkaFaultKind.Closed, Nullable(), 0L)
                      "not found"
                  Expect.equal (thrown "not found" (fun () -> sought.ThrowIfError() |> ignore)).Kind KafkaFaultKind.Closed "thrown"
                  let sought = fetcher.Seek OffsetSpec.Latest
                  Expect.equal (sought.Error, sought.Offset, fetcher.Offset) (ErrorCode.NotLeaderOrFollower, Nullable(), 0L) "refused"
                  Expect.equal (sought.Timestamp, sought.LeaderEpoch) (-1L, -1) "nothing else"
                  Expect.equal
                      (thrown "refused" (fun () -> sought.ThrowIfError() |> ignore)).ErrorCode
                      ErrorCode.NotLeaderOrFollower
                      "thrown"
                  Expect.equal (recordsOf (fetcher.Fetch().ThrowIfError())).Length 3 "the next fetch succeeds"))

          testCase "without a broker, one fault has a cause for each" (fun () ->
              let first, refusing = Loopback.refuse ()
              let second', refusing' = Loopback.refuse ()
              use _ = first
              use _ = second'
              let addresses = [ refusing; refusing' ] |> List.map (fun it -> BrokerAddress(it.Host, it.Port))
              let options = KafkaClientOptions(addresses)
              let result = KafkaCluster.Connect options
              Expect.equal (result.IsSuccess, result.Value, result.Exchanges.Count) (false, null, 0) "no connection and no exchange"
              let error = thrown "connect" (fun () -> result.ThrowIfError() |> ignore)
              Expect.equal (error.Kind, error.Broker) (KafkaFaultKind.NoBroker, Nullable()) "no broker"
              Expect.isNull error.Exchange "it did not come to a call"
              Expect.equal (error.Fault.Causes |> Seq.map _.Kind |> List.ofSeq) (List.replicate 2 KafkaFaultKind.CannotConnect) "each"
              Expect.containsAll (error.Fault.Causes |> Seq.map _.Broker) (List.map Nullable addresses) "which"

              for address in addresses do
                  Expect.stringContains error.Message (address.ToString()) "message"

              let error = thrown "open" (fun () -> KafkaConnection.Open(options, addresses.Head).ThrowIfError() |> ignore)
              Expect.equal (error.Kind, error.Broker) (KafkaFaultKind.CannotConnect, Nullable addresses.Head) "one broker"
              use producer = new PartitionProducer(options, partition)
              let result = producer.Produce(batch "a" 1)
              Expect.equal (result.Status, (there result.Fault).Kind) (ProduceStatus.Rejected, KafkaFaultKind.NoBroker) "not sent"
              Expect.isFalse result.Exchange.WasSent "not sent"
              Expect.equal (result.Exchange.Version, result.Exchange.Broker) (-1s, Nullable()) "no call"
              Expect.stringStarts (result.ToString()) "Rejected: none of the bootstrap brokers" "text"
              Expect.equal (thrown "produce" (fun () -> result.ThrowIfError() |> ignore)).Kind KafkaFaultKind.NoBroker "thrown")

          testCase "without a leader, the result has the error code" (fun () ->
              onCluster (fun _ options ->
                  let nowhere = TopicPartition("nowhere", 0)
                  use client = new PartitionClient(options, nowhere)

                  for result, action in
                      [ let found = KafkaCluster.FindLeader(options, nowhere)
                        found :> KafkaResult, (fun () -> found.ThrowIfError() |> ignore)
                        let connected = client.Connect()
                        connected, (fun () -> connected.ThrowIfError() |> ignore) ] do
                      Expect.equal result.Error ErrorCode.UnknownTopicOrPartition "the error code of the fault"
                      Expect.contains (result.Exchanges |> Seq.map _.Api) ApiKey.Metadata "the exchanges"
                      let error = thrown "no leader" action
                      Expect.equal (error.Kind, error.ErrorCode) (KafkaFaultKind.NoLeader, ErrorCode.UnknownTopicOrPartition) "the kind"
                      Expect.stringContains error.Message "nowhere-0" "message"))

          testCase "an API that the broker does not support is a fault, and the connection stays open" (fun () ->
              onCluster (fun _ options ->
                  use connection = KafkaCluster.ConnectController(options).ThrowIfError()
                  let result = connection.Call(ApiKey.CreateTopics, "{}")
                  Expect.equal (there result.Fault).Kind KafkaFaultKind.NoCommonVersion "the kind"
                  Expect.equal (there result.Fault).Broker (Nullable connection.Broker) "the broker"
                  Expect.equal (connection.GetMetadata([ topic ]).ThrowIfError().Topics.Count) 1 "it is still good"))

          testCase "a connection that breaks is a fault, and unusable afterwards" (fun () ->
              onCluster (fun cluster options ->
                  use connection = KafkaCluster.Connect(options).ThrowIfError()
                  cluster.SetBrokerDown MockCluster.AllBrokers
                  let error = thrown "cut" (fun () -> connection.GetMetadata().ThrowIfError() |> ignore)
                  Expect.equal error.Kind KafkaFaultKind.Unusable "the first call sees that the connection has ended"
                  Expect.stringStarts error.Message ("Metadata to " + connection.Broker.ToString() + ": ") "message"
                  Expect.isFalse connection.IsOpen "it is closed"
                  Expect.equal
                      (thrown "later" (fun () -> connection.GetMetadata().ThrowIfError() |> ignore)).Kind
                      KafkaFaultKind.Unusable
                      "a later call")) ]

// ---- cancelling and disposing ----

let private ends =
    testList
        "cancelling and disposing"
        [ testCase "a call that is cancelled before it begins has that fault, and leaves connections open" (fun () ->
              onCluster (fun _ options ->
                  let token = CancellationToken true
                  use client = new PartitionClient(options, partition)
                  use producer = new PartitionProducer(client)
                  use fetcher = new PartitionFetcher(client)
                  use connection = KafkaCluster.Connect(options).ThrowIfError()
                  let own = client.Connect().ThrowIfError()

                  let calls: (string * (unit -> KafkaResult)) list =
                      [ "produce", (fun () -> producer.Produce(batch "a" 1, token))
                        "fetch", (fun () -> fetcher.Fetch token)
                        "seek", (fun () -> fetcher.Seek(OffsetSpec.Latest, token))
                        "seek to time", (fun () -> fetcher.SeekToTime(DateTimeOffset.UtcNow, token))
                        "find", (fun () -> fetcher.FindOffset(OffsetSpec.Latest, token))
                        "metadata", (fun () -> connection.GetMetadata([], token))
                        "coordinator", (fun () -> connection.FindCoordinator(CoordinatorType.Group, "g", token))
                        "json", (fun () -> connection.Call(ApiKey.Metadata, "{}", Nullable(), token))
                        "open", (fun () -> KafkaConnection.Open(options, connection.Broker, token))
                        "cluster", (fun () -> KafkaCluster.Connect(options, token))
                        "controller", (fun () -> KafkaCluster.ConnectController(options, token))
                        "leader", (fun () -> KafkaCluster.FindLeader(options, partition, token)) ]

                  for name, call in calls do
                      let result = call ()
                      Expect.equal (there result.Fault).Kind KafkaFaultKind.Cancelled name
                      Expect.isFalse (result.Exchanges |> Seq.exists _.WasSent) (name + " sends nothing")

                  let fetched = fetcher.Fetch token
                  Expect.equal (cancelled "fetch" (fun () -> fetched.ThrowIfError() |> ignore)).CancellationToken token "thrown"

                  Expect.isTrue connection.IsOpen "the connection is still open"
                  Expect.isTrue (Object.ReferenceEquals(client.Connection, own) && own.IsOpen) "so is the client's, which is the same"))

          testCase "a fetch that is cancelled while it waits has that fault, and the next one works" (fun () ->
              onCluster (fun _ options ->
                  use producer = new PartitionProducer(options, partition)
                  use fetcher = new PartitionFetcher(options, partition, FetcherOptions(MaxWait = 15.0 * second))
                  fetcher.Client.Connect().ThrowIfError() |> ignore
                  use source = new CancellationTokenSource(moment)
                  let clock = Diagnostics.Stopwatch.StartNew()
                  let result = fetcher.Fetch source.Token
                  Expect.isLessThan clock.Elapsed (10.0 * second) "it did not wait to the end"
                  Expect.equal (there result.Fault).Kind KafkaFaultKind.Cancelled "a value"
                  let error = cancelled "fetch" (fun () -> result.ThrowIfError() |> ignore)
                  Expect.equal error.CancellationToken source.Token "the token"

                  match error.InnerException with
                  | :? KafkaException as inner ->
                      Expect.equal (inner.Kind, (there inner.Exchange).WasSent) (KafkaFaultKind.Cancelled, true) "the call"
                  | other -> failtestf "not the fault of the call: %O" other

                  Expect.isNull fetcher.Client.Connection "the connection is closed"
                  producer.Produce(batch "a" 1).ThrowIfError() |> ignore
                  Expect.equal (recordsOf (fetcher.Fetch())).Length 1 "the next fetch"))

          testCase "a batch whose call is cancelled after it was sent may be in the log, and the result says so" (fun () ->
              onCluster (fun cluster options ->
                  use producer = new PartitionProducer(options, partition)
                  producer.Client.Connect() |> ignore
                  cluster.SetRtt(MockCluster.AllBrokers, 5.0 * second)
                  use source = new CancellationTokenSource(moment)
                  let result = producer.Produce(batch "a" 1, source.Token)
                  cluster.SetRtt(MockCluster.AllBrokers, TimeSpan.Zero)
                  Expect.equal (result.Status, (there result.Fault).Kind) (ProduceStatus.Unknown, KafkaFaultKind.Cancelled) "the result"
                  let error = cancelled "produce" (fun () -> result.ThrowIfError() |> ignore)
                  Expect.equal error.CancellationToken source.Token "the token"
                  Expect.stringContains error.Message "may or may not be in the log" "message"
                  use fetcher = new PartitionFetcher(options, partition)
                  Expect.equal (recordsOf (fetcher.Fetch())).Length 1 "it is"))

          testCase "disposing twice is harmless, and later calls throw" (fun () ->
              onCluster (fun _ options ->
                  let gone name action = Expect.throwsT<ObjectDisposedException> action name
                  let producer = new PartitionProducer(options, partition)
                  let fetcher = new PartitionFetcher(options, partition)
                  producer.Produce(batch "a" 1).ThrowIfError() |> ignore
                  fetcher.Fetch().ThrowIfError() |> ignore
                  let connection = there producer.Client.Connection

                  for _ in 1..2 do
                      producer.Dispose()
                      fetcher.Dispose()

                  Expect.isFalse connection.IsOpen "the connection is closed"
                  gone "produce" (fun () -> producer.Produce(batch "a" 1) |> ignore)
                  gone "fetch" (fun () -> fetcher.Fetch() |> ignore)
                  gone "seek" (fun () -> fetcher.Seek OffsetSpec.Latest |> ignore)
                  gone "connect" (fun () -> producer.Client.Connect() |> ignore)
                  let connection = KafkaCluster.Connect(options).ThrowIfError()

                  for _ in 1..2 do
                      connection.Dispose()

                  gone "metadata" (fun () -> connection.GetMetadata() |> ignore)
                  let never = new PartitionProducer(options, partition)
                  never.Dispose()
                  never.Dispose()))

          testCase "a shared client outlives its producers and fetchers, and reconnects after it was disconnected" (fun () ->
              onCluster (fun _ options ->
                  use client = new PartitionClient(options, partition)
                  Expect.isTrue (isNull client.Connection && isNull client.Leader) "no connection before it is needed"
                  Expect.isNull client.LastLeader "nor has there been one"
                  let producer = new PartitionProducer(client, ProducerOptions(Acks = Acks.Leader))
                  Expect.equal
                      (producer.Options, client.Partition, client.Options)
                      (ProducerOptions(Acks = Acks.Leader), partition, options)
                      "what it is made of"
                  producer.Produce(batch "a" 1).ThrowIfError() |> ignore
                  producer.Dispose()
                  let connection = there client.Connection
                  Expect.isTrue connection.IsOpen "the connection is open"
                  Expect.equal (there client.Leader).Address connection.Broker "to the leader"
                  client.Disconnect()
                  Expect.isFalse connection.IsOpen "disconnected"
                  Expect.isNull client.Leader "and from no leader"
                  Expect.equal (there client.LastLeader).Address connection.Broker "the last one is still known"
                  use fetcher = new PartitionFetcher(client)
                  Expect.equal (recordsOf (fetcher.Fetch().ThrowIfError())).Length 1 "connected again"
                  (there client.Connection).Dispose()
                  Expect.equal (recordsOf (fetcher.Fetch().ThrowIfError())).Length 1 "and again")) ]

// ---- with a scripted broker ----

let private node: NodeEndpoint = { NodeId = 7; Host = "elsewhere"; Port = 9093; Rack = None }
let private moved: CurrentLeader = { LeaderId = 7; LeaderEpoch = 12 }

let private answers =
    testList
        "answers"
        [ testCase "everything that a broker reports for a refused batch is in the result" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.Produce request ->
                      let response =
                          Script.produced
                              (fun answer ->
                                  { answer with
                                      Error = ErrorCode.InvalidRecord
                                      BaseOffset = -1L
                                      ErrorMessage = Some "one is bad"
                                      RecordErrors = [ { BatchIndex = 1; Message = Some "no key" }; { BatchIndex = 3; Message = None } ]
                                      CurrentLeader = moved })
                              request

                      Script.answer Produce.api received { response with ThrottleTimeMs = 250; NodeEndpoints = [ node ] }
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  use producer = new PartitionProducer(options, partition)
                  let result = producer.Produce(batch "a" 4)
                  Expect.equal
                      (result.Status, result.Error, result.ErrorMessage)
                      (ProduceStatus.Rejected, ErrorCode.InvalidRecord, "one is bad")
                      "the refusal"
                  Expect.equal (List.ofSeq result.RecordErrors) [ RecordError(1, "no key"); RecordError(3, null) ] "the records"
                  let elsewhere = LeaderHint(7, 12, Nullable(BrokerAddress("elsewhere", 9093)))
                  Expect.equal
                      (result.CurrentLeader, result.ThrottleTime)
                      (Nullable elsewhere, TimeSpan.FromMilliseconds 250.0)
                      "the rest"
                  Expect.equal result.Exchange.Version 13s "by topic id"
                  Expect.stringContains (thrown "refused" (fun () -> result.ThrowIfError() |> ignore)).Message "one is bad" "message"
                  Expect.equal
                      (result.ToString())
                      ("Rejected: INVALID_RECORD (87); the batch has 4 records in " + string result.Batch.SizeInBytes + " bytes")
                      "text"))

          testCase "everything that a broker reports for an appended batch is in the result" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.Produce request ->
                      request
                      |> Script.produced (fun answer ->
                          { answer with BaseOffset = 42L; LogAppendTimeMs = 1_700_000_000_000L; LogStartOffset = 40L })
                      |> Script.answer Produce.api received
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  use producer = new PartitionProducer(options, partition)
                  let result = producer.Produce(batch "a" 1).ThrowIfError()
                  Expect.equal (result.BaseOffset, result.LogStartOffset) (42L, 40L) "offsets"
                  Expect.equal result.LogAppendTime (Nullable(DateTimeOffset.FromUnixTimeMilliseconds 1_700_000_000_000L)) "the time"))

          testCase "everything that a broker reports for a fetch is in the result" (fun () ->
              let stored = batchWith (RecordBatchOptions(BaseOffset = 10L)) [ plain "a"; plain "b" ]

              let rest (received: Received) =
                  match received.Request with
                  | Request.Fetch request ->
                      let response =
                          Script.fetched
                              (fun answer ->
                                  { answer with
                                      HighWatermark = 100L
                                      LastStableOffset = 90L
                                      LogStartOffset = 5L
                                      AbortedTransactions =
                                          Some [ { ProducerId = 3L; FirstOffset = 10L }; { ProducerId = 4L; FirstOffset = 11L } ]
                                      PreferredReadReplica = 7
                                      CurrentLeader = { moved with LeaderId = 8 }
                                      Records = Some stored.Bytes })
                              request

                      Script.answer Fetch.api received { response with ThrottleTimeMs = 250; NodeEndpoints = [ node ] }
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  use fetcher =
                      new PartitionFetcher(
                          options,
                          partition,
                          FetcherOptions(IsolationLevel = IsolationLevel.ReadCommitted),
                          Offset = 11L
                      )
                  let fetched = fetcher.Fetch().ThrowIfError()
                  Expect.equal (fetched.Offset, fetched.NextOffset) (11L, 12L) "offsets"
                  Expect.equal (fetched.HighWatermark, fetched.LastStableOffset, fetched.LogStartOffset) (100L, 90L, 5L) "bounds"
                  Expect.equal
                      (List.ofSeq fetched.AbortedTransactions)
                      [ { ProducerId = 3L; FirstOffset = 10L }; { ProducerId = 4L; FirstOffset = 11L } ]
                      "transactions"
                  Expect.equal
                      (fetched.PreferredReadReplica, fetched.ThrottleTime)
                      (Nullable 7, TimeSpan.FromMilliseconds 250.0)
                      "the rest"
                  Expect.equal fetched.CurrentLeader (Nullable(LeaderHint(8, 12, Nullable()))) "a leader without an address"
                  Expect.equal (recordsOf fetched) [ 11L, plain "b" ] "the records from the offset on"
                  let raw = [ for item in fetched.RawBatches -> item.GetBatch() ] |> List.exactlyOne
                  Expect.equal (read (raw.Records())) [ 10L, plain "a"; 11L, plain "b" ] "the whole batch"
                  Expect.equal (Bytes fetched.RawRecords) stored.Bytes "its bytes"
                  Expect.equal (fetched.Batches |> Seq.map _.GetBatch() |> List.ofSeq) [ stored ] "a batch of no transaction"))

          testCase "topics are created and deleted, with a result for each" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.CreateTopics request ->
                      let made (topic: CreateTopics.Topic) : CreateTopics.TopicResult =
                          { CreateTopics.topicResult.Default with
                              Name = topic.Name
                              TopicId = topicId
                              NumPartitions = topic.NumPartitions
                              ReplicationFactor = int16 topic.Configs.Length }

                      let exists = { made request.Topics[1] with Error = ErrorCode.TopicAlreadyExists; ErrorMessage = Some "it is there" }
                      Script.answer
                          CreateTopics.api
                          received
                          { ThrottleTimeMs = request.TimeoutMs; Topics = [ made request.Topics[0]; exists ] }
                  | Request.DeleteTopics request ->
                      let topics =
                          request.Topics
                          |> List.map (fun topic ->
                              { DeleteTopics.topicResult.Default with Name = topic.Name; Error = ErrorCode.TopicDeletionDisabled })

                      Script.answer DeleteTopics.api received { ThrottleTimeMs = request.TimeoutMs; Topics = topics }
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  use admin = new AdminClient(options)
                  let topics = [ NewTopic("a", 4, Configs = readOnlyDict [ "x", "1"; "y", "2" ]); NewTopic "b" ]
                  let created = admin.CreateTopics(topics, Nullable second)
                  let first = created[0].ThrowIfError()
                  Expect.equal (first.Name, first.TopicId) ("a", topicId) "the first"
                  Expect.equal (first.Partitions, first.ReplicationFactor) (4, 2s) "its size"
                  Expect.equal
                      (created[1].Item, created[1].Error, created[1].ErrorMessage)
                      ("b", ErrorCode.TopicAlreadyExists, "it is there")
                      "the second"
                  Expect.equal (created.Error, created.ErrorMessage) (ErrorCode.TopicAlreadyExists, "it is there") "the first that failed"
                  Expect.equal created.ThrottleTime second "the throttle time"
                  let error = thrown "exists" (fun () -> created.ThrowIfError() |> ignore)
                  Expect.equal error.ErrorCode ErrorCode.TopicAlreadyExists "thrown"
                  Expect.stringEnds error.Message ": b: TOPIC_ALREADY_EXISTS (36): it is there" "message"
                  let deleted = admin.DeleteTopics [ "a" ]
                  Expect.equal [ for it in deleted -> it.Item, it.Error ] [ "a", ErrorCode.TopicDeletionDisabled ] "deleted"
                  Expect.equal deleted.ThrottleTime (10.0 * second) "the default time-out"
                  Expect.throwsT<ArgumentOutOfRangeException>
                      (fun () -> admin.DeleteTopics([], Nullable(-second)) |> ignore)
                      "a negative time-out"))

          testCase "coordinators are found in both forms of the response" (fun () ->
              onCluster (fun cluster options ->
                  cluster.SetCoordinator("group", "g", 2)
                  use connection = KafkaCluster.Connect(options).ThrowIfError()
                  let found = connection.FindCoordinator(CoordinatorType.Group, "g").ThrowIfError()
                  let broker = connection.GetMetadata([]).ThrowIfError().Brokers |> Seq.find (fun it -> it.NodeId = 2)
                  Expect.equal (found.NodeId, found.Address) (2, broker.Address) "by the old form")

              let rest (received: Received) =
                  match received.Request with
                  | Request.FindCoordinator request ->
                      let answer key error : FindCoordinator.Coordinator =
                          { Key = key; NodeId = 3; Host = "here"; Port = 1; Error = error; ErrorMessage = Some "because" }

                      let coordinators =
                          match request.Keys with
                          | [ "none" ] -> [ answer "none" ErrorCode.CoordinatorNotAvailable ]
                          | [ "silence" ] -> []
                          | _ -> [ answer "other" ErrorCode.None; { answer "g" ErrorCode.None with NodeId = 4 } ]

                      Script.answer FindCoordinator.api received { FindCoordinator.response.Default with Coordinators = coordinators }
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  use connection = KafkaCluster.Connect(options).ThrowIfError()
                  let found = connection.FindCoordinator(CoordinatorType.Transaction, "g").ThrowIfError()
                  Expect.equal (found.NodeId, found.Address) (4, BrokerAddress("here", 1)) "by the new form"

                  for key in [ "none"; "silence" ] do
                      let none = connection.FindCoordinator(CoordinatorType.Group, key)
                      Expect.equal
                          (none.Error, none.Value, isNull none.Fault)
                          (ErrorCode.CoordinatorNotAvailable, null, true)
                          "there is none"
                      let error = thrown "none" (fun () -> none.ThrowIfError() |> ignore)
                      Expect.equal error.ErrorCode ErrorCode.CoordinatorNotAvailable "thrown"))

          testCase "a malformed response has a path and a position" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.Fetch request ->
                      let frame = Script.frame Fetch.api received (Script.fetched id request)
                      // The number of topics, in its compact form: more than there is room for.
                      frame[4 + 5 + 4 + 2 + 4] <- 0x7Fuy
                      [ Act.Send frame ]
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  use fetcher = new PartitionFetcher(options, partition)
                  let fault = there (fetcher.Fetch().Fault)
                  Expect.equal fault.Kind KafkaFaultKind.Malformed "the kind"
                  Expect.stringContains (there fault.Path) "FetchResponse/" "the path"
                  Expect.isTrue fault.ByteOffset.HasValue "the place"
                  Expect.isTrue fault.Broker.HasValue "the broker"))

          testCase "each kind of invalid response has its kind of fault" (fun () ->
              let cases: (KafkaFaultKind * (Received -> Fetch.Request -> Act list)) list =
                  [ KafkaFaultKind.BadFrameLength, (fun _ _ -> [ Act.Send(Script.length -1) ])
                    KafkaFaultKind.WrongCorrelationId,
                    (fun received request ->
                        [ Act.Send(Script.frameFor Fetch.api received.Header.ApiVersion 9999 (Script.fetched id request)) ])
                    KafkaFaultKind.NotAnswered,
                    (fun received request -> Script.answer Fetch.api received { Script.fetched id request with Topics = [] })
                    KafkaFaultKind.TimedOut, (fun _ _ -> [])
                    KafkaFaultKind.Closed, (fun _ _ -> [ Act.Close ]) ]

              for kind, answer in cases do
                  let rest (received: Received) =
                      match received.Request with
                      | Request.Fetch request -> answer received request
                      | _ -> Script.unexpected received

                  // Only the broker that is silent is given little time: a busy machine may need more for the others.
                  let limit = if kind = KafkaFaultKind.TimedOut then moment else TimeSpan.FromMinutes 1.0

                  scripted rest (fun options ->
                      use fetcher = new PartitionFetcher(KafkaClientOptions(options.BootstrapServers, CallTimeout = limit), partition)
                      Expect.equal (there (fetcher.Fetch().Fault)).Kind kind "the kind")) ]

[<Tests>]
let tests = testList "façade" [ batches; options; mainJob; failures; ends; answers ]
