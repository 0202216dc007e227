/// Compressing and decompressing with codecs that the caller provides.
module LibKafka.Properties.Records.Codecs

open System
open System.Buffers
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Properties.Records.Samples

/// A codec that decompresses with the given function.
let private unpacking (unpack: IBufferWriter<byte> -> unit) : ICompressionCodec =
    codec
        CompressionType.Lz4
        (fun source destination -> BuffersExtensions.Write(destination, ReadOnlySpan<byte> source))
        (fun _ destination -> unpack destination)

let private opened (limits: Limits) (codec: ICompressionCodec) : Result<BatchRecords, Fault> =
    RecordBatch.openRecords
        { Reading.withCodecs (CompressionCodecs.ofList [ codec ]) with Limits = limits }
        (ok (RecordBatch.compress codec (plainBatch 3)))

[<Tests>]
let compressing =
    testList
        "compressing batches"
        [ for codec in [ runLength; gzip ] do
              let name = CompressionType.name codec.Type

              property ("decompressing a compressed batch gives the same bytes: " + name) (fun (sample: Sample) ->
                  let batch = toBatch sample
                  let packed = ok (RecordBatch.compress codec batch)

                  packed.Compression = codec.Type && RecordBatch.decompress (Reading.withCodecs codecs) packed = Ok batch)

              property ("compressed records read the same: " + name) (fun (sample: Sample) ->
                  let packed = ok (RecordBatch.compress codec (toBatch sample))
                  RecordBatch.toList (Reading.withCodecs codecs) packed = Ok(asRead sample))

          property "compressing preserves the other attribute bits and header fields" (fun (sample: Sample, bits: int16) ->
              // This includes unassigned bits.
              let bytes = (toBatch sample).Bytes.ToArray()
              bytes[21] <- byte (bits >>> 8)
              bytes[22] <- byte bits &&& ~~~0x07uy
              let batch = batchOf (mend bytes)
              let packed = ok (RecordBatch.compress runLength batch)

              packed.Attributes.Bits = (batch.Attributes.Bits ||| 4s)
              && { packed.Header with Length = batch.Header.Length; Crc = batch.Crc; Attributes = batch.Attributes } = batch.Header
              && RecordBatch.verify packed = Ok())

          property "one buffer serves batch after batch" (fun (first: SmallSample, second: SmallSample) ->
              let (SmallSample first), (SmallSample second) = first, second
              let packing = CodecBuffer()
              let reading = { Reading.withCodecs codecs with Buffer = ValueSome(CodecBuffer()) }

              [ first; second; first ]
              |> List.forall (fun sample ->
                  let packed = ok (RecordBatch.compressIn packing runLength (toBatch sample))
                  let opened = ok (RecordBatch.openRecords reading packed)

                  BatchRecords.toList opened = Ok(asRead sample) && RecordBatch.decompress reading packed = Ok(toBatch sample)))

          test "a batch is not compressed or decompressed into the buffer that it lies in" {
              let refused (action: unit -> Result<'T, Fault>) = Expect.throwsT<InvalidOperationException>(fun () -> action () |> ignore)

              let buffer = CodecBuffer()
              let reading = { Reading.withCodecs codecs with Buffer = ValueSome buffer }
              let plain = plainBatch 3
              let packed = ok (RecordBatch.compress gzip plain)
              let unpacked = ok (RecordBatch.decompress reading packed)
              refused (fun () -> RecordBatch.compressIn buffer runLength unpacked) "decompressed, then compressed"
              Expect.equal unpacked plain "nothing has been overwritten"
              let repacked = ok (RecordBatch.compressIn (CodecBuffer()) runLength unpacked)
              Expect.equal (RecordBatch.decompress (Reading.withCodecs codecs) repacked) (Ok plain) "with another buffer"

              let packed = ok (RecordBatch.compressIn buffer runLength plain)
              refused (fun () -> RecordBatch.decompress reading packed) "compressed, then decompressed"
              refused (fun () -> RecordBatch.openRecords reading packed) "compressed, then opened"
              Expect.equal (RecordBatch.decompress (Reading.withCodecs codecs) packed) (Ok plain) "nothing has been overwritten"
          }

          test "a compressed batch is not compressed again" {
              let packed = ok (RecordBatch.compress gzip (plainBatch 3))
              let fault = faultOf (RecordBatch.compress runLength packed)
              Expect.equal fault.Problem (Problem.AlreadyCompressed "gzip") "problem"
          }

          test "an uncompressed batch is returned as it is" {
              let batch = plainBatch 3
              Expect.equal (RecordBatch.decompress Reading.standard batch) (Ok batch) "batch"
          }

          test "damage is not hidden by a new checksum" {
              let bytes = (plainBatch 3).Bytes.ToArray()
              bytes[100] <- bytes[100] ^^^ 1uy

              for result in
                  [ RecordBatch.compress gzip (batchOf bytes); RecordBatch.decompress (Reading.withCodecs codecs) (batchOf bytes) ] do
                  match (faultOf result).Problem with
                  | Problem.BadCrc _ -> ()
                  | other -> failtest (other.ToString())
          }

          test "a codec that is missing or does not exist is reported by name or number" {
              let packed = ok (RecordBatch.compress runLength (plainBatch 3))
              let problem batch = (faultOf (RecordBatch.openRecords Reading.standard batch)).Problem
              Expect.equal (problem packed) (Problem.CodecMissing "zstd") "missing"

              for code in 5..7 do
                  let bytes = packed.Bytes.ToArray()
                  bytes[22] <- byte code
                  Expect.equal (problem (batchOf (mend bytes))) (Problem.UnknownCodec code) (string code)

              let nameless = codec (enum 9) (fun _ _ -> ()) (fun _ _ -> ())
              Expect.equal (faultOf (RecordBatch.compress nameless packed)).Problem (Problem.UnknownCodec 9) "packing"
          }

          test "an exception from a codec is a fault" {
              let failure = opened Limits.standard (unpacking (fun _ -> raise (FormatException "bad block")))
              Expect.equal (faultOf failure).Problem (Problem.CodecFailed("lz4", "bad block")) "unpacking"
              let packing = codec CompressionType.Lz4 (fun _ _ -> failwith "no") (fun _ _ -> ())

              Expect.equal (faultOf (RecordBatch.compress packing (plainBatch 1))).Problem (Problem.CodecFailed("lz4", "no")) "packing"
          }

          test "decompressed records are counted too" {
              let nothing = opened Limits.standard (unpacking ignore)
              Expect.equal (faultOf nothing).Problem (Problem.CountTooLarge(3L, 0L)) "no content"
          }

          test "an emptied batch has nothing to decompress and needs no codec" {
              let emptied = ok (BatchBuilder.build { BatchOptions.standard with LastOffset = ValueSome 4L } [])

              let bytes = emptied.Bytes.ToArray()
              bytes[22] <- 4uy
              let batch = batchOf (mend bytes)
              Expect.equal (RecordBatch.toList Reading.standard batch) (Ok []) "records"
              Expect.equal batch.NextOffset 5L "next offset"
              Expect.equal (RecordBatch.decompress Reading.standard batch) (Ok emptied) "decompressed"
          } ]

/// Requests that many bytes at a time, without end.
let private endless (step: int) (destination: IBufferWriter<byte>) =
    while true do
        destination.GetMemory step |> ignore
        destination.Advance step

[<Tests>]
let bombs =
    let limits = { Limits.standard with MaxDecompressedBytes = 1000000 }
    let expected = Problem.DecompressedTooLarge 1000000L

    testSequenced
    <| testList
        "decompression bombs"
        [ for name, unpack in
              [ "byte after byte without end", endless 1
                "block after block without end", endless 65536
                "one block of a gigabyte", endless 0x40000000
                "a size that no array can have", endless Int32.MaxValue
                "the refusal caught and ignored",
                fun destination ->
                    try
                        endless 4096 destination
                    with _ ->
                        ()
                "the refusal wrapped in another exception",
                fun destination ->
                    try
                        endless 4096 destination
                    with inner ->
                        raise (InvalidOperationException("wrapped", inner)) ] do
              test name {
                  let codec = unpacking unpack
                  let reading = { Reading.withCodecs (CompressionCodecs.ofList [ codec ]) with Limits = limits }
                  let packed = ok (RecordBatch.compress codec (plainBatch 3))
                  let before = GC.GetAllocatedBytesForCurrentThread()
                  let result = RecordBatch.openRecords reading packed
                  let taken = GC.GetAllocatedBytesForCurrentThread() - before
                  Expect.equal (faultOf result).Problem expected "problem"
                  Expect.isLessThan taken 4000000L "memory taken"
              }

          test "a run-length bomb" {
              let batch = ok (RecordBatch.compress runLength (plainBatch 3))
              let runs = Array.init 100000 (fun _ -> 0xFFuy)
              let bytes = Array.append (batch.Bytes.ToArray()[..60]) runs
              Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(Span<byte>(bytes, 8, 4), bytes.Length - 12)
              let fault = faultOf (RecordBatch.openRecords { Reading.withCodecs codecs with Limits = limits } (batchOf (mend bytes)))
              Expect.equal fault.Problem expected "problem"
          }

          test "the limit is exact, whatever space is requested" {
              for room in [ 0; 1; 1000; 65536 ] do
                  for size, allowed in [ 999999, true; 1000000, true; 1000001, false ] do
                      let unpack (destination: IBufferWriter<byte>) =
                          let mutable left = size

                          while left > 0 do
                              let span = destination.GetSpan room
                              let count = min left span.Length
                              span.Slice(0, count).Clear()
                              destination.Advance count
                              left <- left - count

                          // A codec notices the end only when it requests more space.
                          destination.GetMemory room |> ignore

                      // Zeros are not records, but the limit is checked first.
                      let fault = faultOf (opened limits (unpacking unpack) |> Result.bind BatchRecords.toList)
                      Expect.equal (fault.Problem <> expected) allowed (string size)
          } ]
