/// The builder.
module LibKafka.Properties.Records.Building

open System
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Properties.Records.Samples

let private span (bytes: Bytes voption) : NullableSpan = NullableSpan.op_Implicit bytes

let private tryAdd (builder: BatchBuilder) (record: RecordData) : bool =
    builder.TryAdd(record.Timestamp, span record.Key, span record.Value, ReadOnlySpan<RecordHeader>(Array.ofList record.Headers))

/// The sample's records with consecutive offsets.
let private consecutive (sample: Sample) : Sample =
    { Options = { sample.Options with LastOffset = ValueNone; BaseOffset = 9L }
      Records = sample.Records |> List.mapi (fun index record -> { record with Offset = 9L + int64 index }) }

[<Tests>]
let building =
    testList
        "building batches"
        [ property "gives the same bytes as building all records at once" (fun (sample: Sample) ->
              let sample = consecutive sample
              let builder = BatchBuilder sample.Options
              sample.Records |> List.forall (tryAdd builder) && builder.Build() = toBatch sample)

          property "knows the exact size at every step" (fun (sample: Sample) ->
              let sample = consecutive sample
              let builder = BatchBuilder sample.Options

              builder.SizeInBytes = 61
              && sample.Records
                 |> List.mapi (fun index record -> index, record)
                 |> List.forall (fun (index, record) ->
                     tryAdd builder record
                     && builder.Count = index + 1
                     && builder.SizeInBytes = (toBatch { sample with Records = List.truncate (index + 1) sample.Records }).SizeInBytes))

          holds "accepts a record up to the limit, to the byte" (fun (sample: Sample) ->
              let sample = consecutive sample
              let expected = toBatch sample
              let exact = expected.SizeInBytes
              let initial = List.truncate (sample.Records.Length - 1) sample.Records
              let last = List.last sample.Records
              let fill (limit: int) =
                  let builder = BatchBuilder(sample.Options, limit)
                  initial |> List.forall (tryAdd builder) |> ignore
                  let before = builder.SizeInBytes, builder.Count
                  let added = tryAdd builder last
                  before, added, builder

              let _, fits, full = fill exact
              Expect.isTrue fits "a record that fits exactly"
              Expect.equal (full.Build()) expected "the batch"
              let before, tooLarge, short = fill (exact - 1)
              Expect.isFalse tooLarge "one byte too many"
              Expect.equal (short.SizeInBytes, short.Count) before "the builder is unchanged")

          property "a record that did not fit leaves no trace" (fun (sample: Sample) ->
              let sample = consecutive sample
              let builder = BatchBuilder(sample.Options, (toBatch sample).SizeInBytes)
              let huge = Array.zeroCreate<byte> 100000

              sample.Records |> List.forall (fun record -> not (builder.TryAdd(Int64.MaxValue, huge, huge)) && tryAdd builder record)
              && builder.Build() = toBatch sample)

          holds "after a reset it gives what a new builder gives" (fun (first: Sample, second: Sample) ->
              let first, second = consecutive first, consecutive second
              let builder = BatchBuilder first.Options

              let fill (sample: Sample) (what: string) =
                  Expect.isTrue (sample.Records |> List.forall (tryAdd builder)) ("room for " + what)

              fill first "the first"
              Expect.equal (builder.BuildInPlace()) (toBatch first) "the first"
              builder.Reset second.Options
              fill second "the second"
              Expect.equal (builder.BuildInPlace()) (toBatch second) "the second, with other options"
              builder.Reset()
              fill second "the third"
              Expect.equal (builder.Build()) (toBatch second) "the third, with the same options"
              Expect.equal builder.Count 0 "records after it was built"
              fill second "the fourth"
              Expect.equal (builder.Build()) (toBatch second) "the fourth, in other memory")

          property "writes every byte, whatever the memory contained before" (fun (sample: Sample, fill: byte) ->
              let sample = consecutive sample
              let expected = toBatch sample

              let over (value: byte) =
                  let owned = Array.create expected.SizeInBytes value
                  let builder = BatchBuilder(sample.Options, owned.AsMemory())
                  sample.Records |> List.forall (tryAdd builder) && builder.Build() = expected

              over 0uy && over 0xFFuy && over fill)

          test "is correct around every size at which a length takes more bytes" {
              // Content of that size in the key, the value or a header, in memory in which a byte that is not written is noticed.
              for size in [ 0..70 ] @ [ 8140..8194 ] @ [ 1048556..1048576 ] do
                  for parts in [ [ size; 0; 0 ]; [ 0; size; 0 ]; [ 0; 0; size ]; [ size / 3; size / 3; size - 2 * (size / 3) ] ] do
                      let content (length: int) = Bytes(Array.create<byte> length 0x5Auy)

                      let record =
                          { Offset = 1L
                            Timestamp = 1700000000000L + int64 size
                            Key = ValueSome(content parts[0])
                            Value = ValueSome(content parts[1])
                            Headers = if parts[2] > 0 then [ { Key = content 1; Value = ValueSome(content (parts[2] - 1)) } ] else [] }

                      let first = { record with Offset = 0L; Timestamp = 1700000000000L; Key = ValueNone; Value = ValueNone; Headers = [] }
                      let expected = toBatch { Options = BatchOptions.standard; Records = [ first; record ] }

                      for value in [ 0uy; 0xFFuy ] do
                          let owned = Array.create expected.SizeInBytes value
                          let builder = BatchBuilder(BatchOptions.standard, owned.AsMemory())
                          let what = string parts[0] + "+" + string parts[1] + "+" + string parts[2] + " bytes over " + string value
                          Expect.isTrue (tryAdd builder first && tryAdd builder record) ("room for " + what)
                          Expect.isTrue (builder.Build() = expected) what

                      Expect.equal (RecordBatch.toList Reading.standard expected) (Ok [ first; record ]) "read again"
          }

          property "copying another batch's records preserves everything but offsets" (fun (sample: Sample) ->
              let sample = consecutive sample
              let source = toBatch sample
              let builder = BatchBuilder sample.Options
              let mutable records = (ok (RecordBatch.openRecords Reading.standard source)).WithCreateTime().GetEnumerator()

              while records.MoveNext() do
                  if not (builder.TryAdd &records.Current) then failwith "does not fit"

              builder.Build() = source)

          holds "a built batch stays valid, whatever the builder does next" (fun (first: Sample, second: Sample) ->
              let first, second = consecutive first, consecutive second
              let builder = BatchBuilder first.Options
              let fill (sample: Sample) = Expect.isTrue (sample.Records |> List.forall (tryAdd builder)) "room"
              fill first
              let built = builder.Build()
              Expect.equal builder.Count 0 "the next batch has begun"
              builder.Reset second.Options
              fill second
              let next = builder.Build()
              fill second
              builder.BuildInPlace() |> ignore
              builder.Reset()
              Expect.equal built (toBatch first) "the first"
              Expect.equal next (toBatch second) "the second")

          test "a batch that is built in place is overwritten after a reset" {
              let builder = BatchBuilder BatchOptions.standard
              builder.Add(1L, "key"B, "first"B)
              let view = builder.BuildInPlace()
              let copy = view.Copy()
              builder.Reset()
              builder.Add(1L, "key"B, "other"B)
              builder.BuildInPlace() |> ignore
              Expect.notEqual view copy "the view"
          }

          test "the records of a builder's own batch in place are refused" {
              let builder = BatchBuilder BatchOptions.standard
              builder.Add(1L, "key"B, "value"B)
              let mutable records = (ok (RecordBatch.openRecords Reading.standard (builder.BuildInPlace()))).GetEnumerator()
              Expect.isTrue (records.MoveNext()) "a record"
              builder.Reset()

              Expect.throwsT<InvalidOperationException>
                  (fun () -> builder.TryAdd &records.Current |> ignore)
                  "it would be overwritten while it is copied"
          }

          test "the next batch begins with as much memory as the last one took" {
              let builder = BatchBuilder BatchOptions.standard
              let value = Array.zeroCreate<byte> 1000

              let build () =
                  for _ in 1..1000 do
                      builder.Add(0L, NullableSpan.Null, value)

                  builder.Build() |> ignore

              build ()
              let before = GC.GetAllocatedBytesForCurrentThread()
              build ()
              Expect.isLessThan (GC.GetAllocatedBytesForCurrentThread() - before) 1_100_000L "bytes for a batch of 1,000,000"
          }

          property "memory that was detached is not written to again" (fun (sample: Sample) ->
              let sample = consecutive sample
              let builder = BatchBuilder sample.Options
              let fill () = sample.Records |> List.forall (tryAdd builder)
              fill () |> ignore
              let batch = builder.Build()
              let copy = batch.Copy()
              builder.Add(1L, NullableSpan(), NullableSpan())
              builder.Build() |> ignore
              batch = copy)

          property
              "the caller's memory is filled to its end and no further"
              (fun (sample: Sample, before: byte, after: byte, spare: bool) ->
                  let sample = consecutive sample
                  let expected = toBatch sample
                  let size = expected.SizeInBytes - (if spare then 0 else 1)
                  let before, after = int before, int after
                  let owned = Array.create<byte> (before + size + after) 0xA5uy
                  let builder = BatchBuilder(sample.Options, owned.AsMemory(before, size))
                  let added = sample.Records |> List.map (tryAdd builder)
                  let around = Array.append owned[.. before - 1] owned[before + size ..]

                  builder.Limit = size
                  && (if spare then
                          let batch = builder.Build()
                          // The batch lies in the caller's memory, which the caller can reuse.
                          batch = expected && batch.Bytes = Bytes owned[before .. before + size - 1]
                      else
                          not (List.last added) && builder.SizeInBytes <= size)
                  && Array.forall ((=) 0xA5uy) around)

          property "the caller's memory is reused and detached" (fun (first: Sample, second: Sample) ->
              let first, second = consecutive first, consecutive second
              let owned = Array.zeroCreate<byte>(7 + max (toBatch first).SizeInBytes (toBatch second).SizeInBytes)
              let builder = BatchBuilder(first.Options, owned.AsMemory 7)
              let fill (sample: Sample) = sample.Records |> List.forall (tryAdd builder)

              fill first
              && builder.BuildInPlace() = toBatch first
              && (builder.Reset second.Options
                  fill second)
              && (let given = builder.Build()
                  // The next batch has other memory.
                  fill second && builder.Build() = toBatch second && given = toBatch second))

          test "memory that is too small takes no record, and memory without an array is refused" {
              for size in [ 0; 1; 60; 61; 67 ] do
                  let builder = BatchBuilder(BatchOptions.standard, Memory(Array.zeroCreate<byte> size))
                  Expect.isFalse (builder.TryAdd(0L, NullableSpan(), NullableSpan())) (string size)

              let builder = BatchBuilder(BatchOptions.standard, Memory(Array.zeroCreate<byte> 68))
              Expect.isTrue (builder.TryAdd(0L, NullableSpan(), NullableSpan())) "68"

              let foreign =
                  { new Buffers.MemoryManager<byte>() with
                      member _.GetSpan() = Span<byte>(Array.zeroCreate<byte> 100)
                      member _.Pin _ = raise (NotSupportedException())
                      member _.Unpin() = ()
                      member _.Dispose(_: bool) = () }

              Expect.throwsT<ArgumentException> (fun () -> BatchBuilder(BatchOptions.standard, foreign.Memory) |> ignore) "no array"
          }

          test "misuse throws InvalidOperationException" {
              let refused (action: unit -> unit) = Expect.throwsT<InvalidOperationException> action
              let builder = BatchBuilder(BatchOptions.standard, 100)
              refused (fun () -> builder.Build() |> ignore) "a batch without records"
              refused (fun () -> builder.Add(0L, NullableSpan(), Array.zeroCreate<byte> 100)) "a record that does not fit"
              builder.Add(0L, NullableSpan(), NullableSpan())
              builder.BuildInPlace() |> ignore
              refused (fun () -> builder.Add(0L, NullableSpan(), NullableSpan())) "a record after the batch was built"
              Expect.equal (builder.BuildInPlace()) (builder.BuildInPlace()) "building again"
              let short = BatchBuilder { BatchOptions.standard with BaseOffset = 5L; LastOffset = ValueSome 5L }
              short.Add(0L, NullableSpan(), NullableSpan())
              Expect.equal (short.Build().LastOffset) 5L "a record at the last offset"
              short.Add(0L, NullableSpan(), NullableSpan())
              short.Add(0L, NullableSpan(), NullableSpan())
              refused (fun () -> short.Build() |> ignore) "a record after the last offset"
          }

          test "a base offset without room for a batch is refused" {
              for offset in [ -1L; Int64.MaxValue ] do
                  Expect.throwsT<ArgumentOutOfRangeException>
                      (fun () -> BatchBuilder { BatchOptions.standard with BaseOffset = offset } |> ignore)
                      (string offset)
          }

          test "options out of range are refused" {
              let most = int64 Int32.MaxValue
              let standard = BatchOptions.standard

              for name, options, value, lowest, highest in
                  [ "ProducerId", { standard with ProducerId = -2L }, -2L, -1L, Int64.MaxValue
                    "ProducerEpoch", { standard with ProducerEpoch = -2s }, -2L, -1L, int64 Int16.MaxValue
                    "BaseSequence", { standard with BaseSequence = Int32.MinValue }, int64 Int32.MinValue, -1L, most
                    "LastOffset", { standard with LastOffset = ValueSome(most + 1L) }, most + 1L, 0L, most
                    "LastOffset", { standard with BaseOffset = 5L; LastOffset = ValueSome 4L }, 4L, 5L, 5L + most ] do
                  let fault = faultOf (BatchBuilder.build options [])
                  Expect.equal (fault.Path, fault.Problem) (name, Problem.OutOfRange(value, lowest, highest)) "as a value"
                  Expect.throwsT<ArgumentOutOfRangeException> (fun () -> BatchBuilder options |> ignore) name
                  Expect.throwsT<ArgumentOutOfRangeException> (fun () -> BatchBuilder(standard).Reset options) (name + " later")
          } ]

/// The number of bytes that this thread allocates during the action.
let private allocated (action: unit -> unit) : int64 =
    action ()
    action ()
    let before = GC.GetAllocatedBytesForCurrentThread()
    action ()
    GC.GetAllocatedBytesForCurrentThread() - before

[<Tests>]
let allocation =
    testSequenced
    <| testList
        "nothing is allocated for each record"
        [ test "iterating" {
              let iterate (view: BatchRecords) () =
                  let mutable sum = 0

                  for record in view do
                      sum <- sum + record.Key.Length + record.Value.Length + int record.Offset

                      for header in record.Headers do
                          sum <- sum + header.Key.Length

                  if sum < 0 then failwith "too much"

              let viewOf (count: int) =
                  let builder = BatchBuilder BatchOptions.standard
                  let header = RecordHeader.create "name" (Bytes.ofString "value")

                  for index in 1..count do
                      builder.Add(int64 index, "key"B, "value"B, ReadOnlySpan<RecordHeader> [| header; header |])

                  ok (RecordBatch.openRecords Reading.standard (builder.Build()))

              let one, many = viewOf 1, viewOf 1000
              Expect.equal (allocated (iterate many)) (allocated (iterate one)) "1,000 records against one"
          }

          test "building" {
              let builder = BatchBuilder BatchOptions.standard
              let headers = [| RecordHeader.create "name" (Bytes.ofString "value"); RecordHeader.withoutValue "none" |]
              let key, value = "key"B, "value"B

              let build (count: int) () =
                  builder.Reset()

                  for index in 1..count do
                      builder.TryAdd(int64 index, key, value) |> ignore
                      builder.TryAdd(int64 index, key, value, ReadOnlySpan<RecordHeader> headers) |> ignore

                  builder.BuildInPlace() |> ignore

              let many = allocated (build 1000)
              Expect.equal many (allocated (build 1)) "1,000 records against one"
              Expect.isLessThan many 100L "what a batch itself takes"
          } ]
