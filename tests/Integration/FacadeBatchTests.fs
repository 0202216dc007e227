/// Record batches through the façade.
module LibKafka.Integration.FacadeBatchTests

open System
open Expecto
open LibKafka
open LibKafka.Compression
open LibKafka.Records
open LibKafka.Wire
open LibKafka.Integration.FacadeSupport

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

[<Tests>]
let tests = testList "façade" [ batches ]
