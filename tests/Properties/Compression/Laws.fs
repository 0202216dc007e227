/// Laws that hold for every codec and every input.
module LibKafka.Properties.CompressionTests.Laws

open System
open System.Buffers
open System.Threading
open System.Threading.Tasks
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Properties.Records.Samples
open LibKafka.Properties.CompressionTests.Samples

let private read (batch: RecordBatch) = RecordBatch.toList (Reading.withCodecs AllCodecs.Set) batch

[<Tests>]
let packing =
    testList
        "compressing"
        [ for codec in everyLevel do
              property 12 ("and decompressing gives the same bytes: " + nameOf codec) (fun (content: Content) ->
                  let source = packed codec content.Bytes

                  unpacked codec source = Ok content.Bytes
                  // The limit is exact.
                  && unpackedTo content.Bytes.Length codec source = Ok content.Bytes)

          for codec in usual do
              let name = nameOf codec

              property 100 ("a batch and decompressing it gives the same batch: " + name) (fun (sample: Sample) ->
                  let batch = toBatch sample
                  let packed = RecordBatch.compress codec batch |> ok

                  packed.Compression = codec.Type
                  && RecordBatch.verify packed = Ok()
                  && read packed = Ok(asRead sample)
                  && RecordBatch.decompress (Reading.withCodecs AllCodecs.Set) packed = Ok batch)

              property 100 ("preserves all other attribute bits and header fields: " + name) (fun (sample: Sample, bits: int16) ->
                  let bytes = (toBatch sample).Bytes.ToArray()
                  bytes[21] <- byte (bits >>> 8)
                  bytes[22] <- byte bits &&& ~~~0x07uy
                  let batch = batchOf (mend bytes)
                  let packed = RecordBatch.compress codec batch |> ok

                  packed.Attributes.Bits = (batch.Attributes.Bits ||| int16 codec.Type)
                  && { packed.Header with Length = batch.Header.Length; Crc = batch.Crc; Attributes = batch.Attributes } = batch.Header)

              test ("refuses a compressed batch: " + name) {
                  let packed = RecordBatch.compress codec (plainBatch 3) |> ok

                  for other in usual do
                      let fault = faultOf (RecordBatch.compress other packed)
                      Expect.equal fault.Problem (Problem.AlreadyCompressed(CompressionType.name codec.Type)) (nameOf other)
              }

              property 30 ("into memory of exactly the requested size gives the same: " + name) (fun (content: Content) ->
                  let packing = StingyWriter()
                  codec.Compress(ReadOnlyMemory<byte> content.Bytes, packing)
                  let unpacking = StingyWriter()
                  codec.Decompress(ReadOnlyMemory<byte> packing.Written, unpacking)
                  packing.Written = packed codec content.Bytes && unpacking.Written = content.Bytes)

              property 30 ("from the middle of an array gives the same: " + name) (fun (content: Content) ->
                  let inMiddle (bytes: byte[]) = ReadOnlyMemory<byte>(Array.concat [ noise 1 9; bytes; noise 2 9 ], 9, bytes.Length)

                  let packing = ArrayBufferWriter<byte>()
                  codec.Compress(inMiddle content.Bytes, packing)
                  let unpacking = ArrayBufferWriter<byte>()
                  codec.Decompress(inMiddle (packing.WrittenSpan.ToArray()), unpacking)
                  unpacking.WrittenSpan.SequenceEqual(ReadOnlySpan<byte> content.Bytes))

              property 20 ("with the same codec and buffers repeatedly gives the same: " + name) (fun (contents: Content list) ->
                  let packing, unpacking = CodecBuffer(), CodecBuffer()

                  contents
                  |> List.forall (fun content ->
                      let packed = Compression.compress codec 5 (ReadOnlyMemory<byte> content.Bytes) packing
                      let source = ReadOnlyMemory<byte>(packing.Array, 5, packing.Length - 5)
                      let unpacked = Compression.decompress codec content.Bytes.Length 3 source unpacking

                      packed = Ok()
                      && unpacked = Ok()
                      && ReadOnlySpan<byte>(unpacking.Array, 3, unpacking.Length - 3).SequenceEqual(ReadOnlySpan<byte> content.Bytes)))

              test ("in many threads with one codec gives the same: " + name) {
                  let failures = ref 0

                  let work (thread: int) =
                      for i in 1..25 do
                          let content = lines (thread * 1000 + i) (1000 * i)

                          if unpacked codec (packed codec content) <> Ok content then
                              Interlocked.Increment failures |> ignore

                  Parallel.For(0, 8, ParallelOptions(MaxDegreeOfParallelism = 8), work) |> ignore
                  Expect.equal failures.Value 0 "wrong contents"
              }

              test ("compressible content makes it smaller: " + name) {
                  let size = (packed codec (lines 1 100000)).Length
                  Expect.isLessThan size 60000 "packed size"
              } ]

[<Tests>]
let levels =
    testList
        "levels"
        [ for name, make in
              [ "gzip 0", (fun () -> Gzip 0 |> ignore)
                "gzip -1", (fun () -> Gzip -1 |> ignore)
                "gzip 10", (fun () -> Gzip 10 |> ignore)
                "lz4 0", (fun () -> Lz4 0 |> ignore)
                "lz4 13", (fun () -> Lz4 13 |> ignore)
                "zstd 23", (fun () -> Zstd 23 |> ignore)
                "zstd -131073", (fun () -> Zstd -131073 |> ignore) ] do
              test (name + " does not exist") {
                  let parameter =
                      try
                          make ()
                          null
                      with :? ArgumentOutOfRangeException as wrong ->
                          wrong.ParamName

                  Expect.equal parameter "level" "the parameter that is out of range"
              }

          test "are known and have a default" {
              Expect.equal (Gzip().Level, Gzip(9).Level) (6, 9) "gzip"
              Expect.equal (Lz4().Level, Lz4(12).Level) (1, 12) "lz4"
              Expect.equal (Zstd().Level, Zstd(-5).Level) (3, -5) "zstd"
          }

          test "with a higher number compress better" {
              let content = lines 7 200000
              let size codec = (packed codec content).Length
              Expect.isLessThan (size (Gzip 9)) (size (Gzip 1)) "gzip"
              Expect.isLessThan (size (Lz4 12)) (size (Lz4 1)) "lz4"
              Expect.isLessThan (size (Zstd 19)) (size (Zstd 1)) "zstd"
              Expect.isLessThan (size (Zstd 1)) (size (Zstd -50)) "zstd below 0"
          }

          test "are the defaults in the set of all codecs" {
              Expect.equal [ for codec in AllCodecs.List -> codec.Type ] (usual |> List.map _.Type) "one by one"

              for codec in AllCodecs.List do
                  Expect.isTrue (obj.ReferenceEquals(AllCodecs.Set.Find codec.Type, codec)) (nameOf codec)
          } ]

/// Whether the result is content, or a fault that reports malformed bytes or too much content.
let private isTotal (most: int) (codec: ICompressionCodec) (source: byte[]) : bool =
    match unpackedTo most codec source with
    | Ok content -> content.Length <= most
    | Error { Problem = Problem.CodecFailed(_, reason) } -> reason <> ""
    | Error { Problem = Problem.DecompressedTooLarge limit } -> limit = int64 most
    | Error _ -> false

[<Tests>]
let totality =
    testList
        "decompressing"
        [ for codec in usual do
              let name = nameOf codec

              property 300 ("any bytes gives a value or a fault: " + name) (fun (source: byte[]) -> isTotal 1000 codec source)

              property
                  300
                  ("any bytes after the start of compressed ones gives a value or a fault: " + name)
                  (fun (content: Content, source: byte[]) ->
                      let start = packed codec content.Bytes
                      isTotal 1000000 codec (Array.append start[.. start.Length % 31] source))

              property
                  300
                  ("compressed bytes with some of them changed gives a value or a fault: " + name)
                  (fun (content: Content, seed: int) ->
                      let source = packed codec content.Bytes
                      let random = Random seed

                      for _ in 0 .. random.Next 4 do
                          let at = if random.Next 2 = 0 then random.Next(min 40 source.Length) else random.Next source.Length
                          source[at] <- source[at] ^^^ byte (1 <<< random.Next 8)

                      isTotal 600000 codec source)

              property
                  100
                  ("compressed bytes with a part removed, repeated or moved gives a value or a fault: " + name)
                  (fun (content: Content, seed: int) ->
                      let source = packed codec content.Bytes
                      let random = Random seed
                      let first, second = random.Next source.Length, random.Next source.Length
                      let low, high = min first second, max first second

                      [ Array.append source[.. low - 1] source[high..]
                        Array.append source[..high] source[low..]
                        Array.append source[low..] source[.. low - 1] ]
                      |> List.forall (isTotal 1200000 codec))

              test ("compressed bytes with any bit changed gives a value or a fault: " + name) {
                  let source = packed codec (lines 5 700)

                  for bit in 0 .. 8 * source.Length - 1 do
                      let changed = Array.copy source
                      changed[bit / 8] <- changed[bit / 8] ^^^ byte (1 <<< (bit % 8))
                      Expect.isTrue (isTotal 100000 codec changed) ("bit " + string bit)
              }

              test ("compressed bytes that are cut off anywhere is refused: " + name) {
                  for content in [ lines 5 700; noise 6 300; [| 1uy |] ] do
                      let source = packed codec content

                      for size in 0 .. source.Length - 1 do
                          // Xerial's framing has no end of its own: its header is a stream without a chunk.
                          if not (codec.Type = CompressionType.Snappy && size = 16) then
                              complaint codec source[.. size - 1] |> ignore
              }

              test ("compressed bytes with others after them is refused: " + name) {
                  let source = packed codec (lines 5 700)

                  for extra in [ [| 0uy |]; [| 0uy; 0uy |]; Array.zeroCreate 4; Array.zeroCreate 40; [| 0x1Fuy |]; noise 3 5; noise 4 500 ] do
                      complaint codec (Array.append source extra) |> ignore
              }

              test ("no bytes is refused: " + name) { complaint codec [||] |> ignore }

              test ("compressed empty content gives empty content: " + name) {
                  Expect.equal (unpacked codec (packed codec [||])) (Ok [||]) "content"
              } ]
