/// Small inputs that declare a large size or have one: they are refused before memory is allocated.
module LibKafka.Properties.CompressionTests.Bombs

open System
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Properties
open LibKafka.Properties.Records.Samples
open LibKafka.Properties.CompressionTests.Samples

let private limit = 1_000_000

let private limits = { Limits.standard with MaxDecompressedBytes = limit }

let private megabytes (count: int) = count * 1024 * 1024

/// Half a gigabyte of zeros or more each, from as few bytes as the format allows.
let private explosions: (string * CompressionType * Lazy<byte[]>) list =
    [ "gzip, one member", CompressionType.Gzip, lazy (gzipMember (Array.zeroCreate (megabytes 64)))
      "gzip, sixteen members",
      CompressionType.Gzip,
      lazy (gzipMember (Array.zeroCreate (megabytes 64)) |> Array.replicate 16 |> Array.concat)
      "snappy, one block", CompressionType.Snappy, lazy (SnappyBlock.zeros (megabytes 1))
      "snappy, many blocks",
      CompressionType.Snappy,
      lazy (Array.concat [ Xerial.header; Array.replicate 1000 (Xerial.chunk (SnappyBlock.zeros 1000)) |> Array.concat ])
      "lz4",
      CompressionType.Lz4,
      lazy
          (let block = Lz4Frame.block (Lz4Frame.zeros 65536)
           Array.concat [ (packed (Lz4()) [||])[..6]; Array.replicate 16384 block |> Array.concat; Lz4Frame.endMark ])
      "zstd, one byte repeated",
      CompressionType.Zstd,
      lazy
          (Array.concat
              [ ZstdFrame.unsized 0x38uy
                Array.replicate 8191 (ZstdFrame.repeated false 131072 0uy) |> Array.concat
                ZstdFrame.repeated true 131072 0uy ])
      "zstd, and the size is known", CompressionType.Zstd, lazy (packed (Zstd()) (Array.zeroCreate (megabytes 256)))
      "zstd, and the size is known of many frames",
      CompressionType.Zstd,
      lazy (packed (Zstd()) (Array.zeroCreate 900000) |> Array.replicate 1000 |> Array.concat) ]

/// Declared sizes without content.
let private claims: (string * CompressionType * byte[]) list =
    let some = lines 1 100

    [ for length in [ 0x7FFFFFFFu; 0xFFFFFFFFu; 0x80000000u; 100_000_000u ] do
          let block = Array.append (SnappyBlock.length length) some
          "snappy, a block of " + string length, CompressionType.Snappy, block
          "snappy, a chunk of " + string length, CompressionType.Snappy, Array.append Xerial.header (Xerial.chunk block)
      for size in [ 0x7FFFFFFFUL; 0x80000000UL; 1UL <<< 40; UInt64.MaxValue; 1UL <<< 63; 999_999UL ] do
          "zstd, a frame of " + string size, CompressionType.Zstd, Array.append (ZstdFrame.sized size) (ZstdFrame.stored true some)
      for window in [ 0xF8uy; 0xFFuy; 0xB0uy; 0x88uy ] do
          "zstd, a window of code " + string window + " over a malformed block",
          CompressionType.Zstd,
          Array.append (ZstdFrame.unsized window) (ZstdFrame.compressed true (noise 1 60))
      "lz4, a block of 4 MiB that is malformed",
      CompressionType.Lz4,
      ( // 0x73 is the checksum of this header.
      Array.concat [ Lz4Frame.header 0x60 0x70 ValueNone 0x73uy; Lz4Frame.block (noise 1 60); Lz4Frame.endMark ])
      "lz4, a stored block longer than what is there",
      CompressionType.Lz4,
      (Array.concat [ (packed (Lz4()) [||])[..6]; [| 0uy; 0uy; 1uy; 0x80uy |]; some ]) ]

let private opened (limits: Limits) (compression: CompressionType) (payload: byte[]) =
    let batch = batchOver compression 1 payload
    Support.allocating (fun () -> RecordBatch.openRecords { Reading.withCodecs AllCodecs.Set with Limits = limits } batch)

[<Tests>]
let tests =
    testSequenced
    <| testList
        "bombs"
        [ for name, compression, payload in explosions do
              test (name + ", is refused at the limit") {
                  let payload = payload.Value
                  let result, taken = opened limits compression payload
                  Expect.equal (faultOf result).Problem (Problem.DecompressedTooLarge(int64 limit)) "problem"
                  // The buffer doubles up to the limit, and Snappy's blocks are joined first.
                  Expect.isLessThan taken (int64 (4 * limit + 2 * payload.Length)) "bytes taken"
              }

          for name, compression, payload in claims do
              for most in [ limit; Limits.standard.MaxDecompressedBytes ] do
                  test (name + ", is refused without allocating memory, with a limit of " + string most) {
                      let result, taken = opened { limits with MaxDecompressedBytes = most } compression payload

                      match (faultOf result).Problem with
                      | Problem.CodecFailed(codec, _) -> Expect.equal codec (CompressionType.name compression) "the codec"
                      | Problem.DecompressedTooLarge size -> Expect.equal size (int64 most) "the limit"
                      | other -> failtest (other.ToString())

                      Expect.isLessThan taken 400_000L "bytes taken"
                  }

          for codec in usual do
              test ("the limit is exact: " + nameOf codec) {
                  for content in [ lines 3 limit; Array.zeroCreate limit; noise 4 limit ] do
                      let source = packed codec content
                      Expect.equal (unpackedTo limit codec source) (Ok content) "as much as is allowed"

                      let tooMuch = faultOf (unpackedTo (limit - 1) codec source)
                      Expect.equal tooMuch.Problem (Problem.DecompressedTooLarge(int64 limit - 1L)) "a byte more"
              }

              test ("a refused batch does not affect the next one: " + nameOf codec) {
                  let content = lines 9 50_000
                  let source = packed codec content

                  for _ in 1..20 do
                      unpackedTo 100 codec source |> faultOf |> ignore
                      Expect.equal (unpacked codec source) (Ok content) "content"
              } ]
