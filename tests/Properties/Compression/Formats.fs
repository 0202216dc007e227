/// The formats, byte by byte: what is written, and what is read from other writers.
module LibKafka.Properties.CompressionTests.Formats

open System
open System.Buffers.Binary
open System.IO
open System.IO.Compression
open System.Text
open Expecto
open K4os.Hash.xxHash
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Properties.CompressionTests.Samples

/// Output of the reference implementations.
module private Foreign =

    let text = Encoding.ASCII.GetBytes(String.concat "" [ for i in 0..19 -> "Kafka keeps " + string i + " records\n" ])

    /// `lz4 -9 -BX -BI --content-size`: independent blocks with checksums, the content's size and its checksum.
    let lz4WithEverything =
        "04224D187C40C201000000000000577E000000F8074B61666B61206B656570732030207265636F7264730A16001F3116"
        + "00021F321600021F331600021F341600021F351600021F361600021F371600021F381600021F39C600030FDD00040FDE"
        + "00031F31DF00031F31E000031F31E100031F31E200031F31E300031F31E400031F31E50003B03139207265636F726473"
        + "0A4768E6A7000000008D50E4CE"

    /// `zstd --check` in a pipe: a checksum, and no size.
    let zstdWithChecksum =
        "28B52FFD0458DD020084024B61666B61206B656570732030207265636F7264730A313233343536373839313131313131"
        + "313131140069DB046DCA9D4D616653A46CCA914D616353446CCA854D09B0A90F7C0C7C02BE031F039F80EFC0C7C027E0"
        + "BB929B4D9717C2F5"

let private reads (codec: ICompressionCodec) (content: byte[]) (source: byte[]) =
    Expect.equal (unpacked codec source) (Ok content) (nameOf codec)

let private some = lines 11 5000

let private gzip: ICompressionCodec = Gzip()

[<Tests>]
let gzipTests =
    testList
        "gzip"
        [ test "is written as one member" {
              let source = packed gzip some
              Expect.equal source[..2] [| 0x1Fuy; 0x8Buy; 8uy |] "magic and method"
              let size = BinaryPrimitives.ReadInt32LittleEndian(ReadOnlySpan<byte>(source, source.Length - 4, 4))
              Expect.equal size some.Length "the size at its end"
          }

          test "is written as one member even without content" {
              use stream = new GZipStream(new MemoryStream(packed gzip [||]), CompressionMode.Decompress)
              Expect.equal (stream.ReadByte()) -1 "by the class library"
              Expect.equal (packed gzip [||]).Length 20 "size"
          }

          test "is read in consecutive members" {
              let members = [ some; [||]; lines 12 100000; [| 7uy |] ]
              reads gzip (Array.concat members) (members |> List.map gzipMember |> Array.concat)

              // A member may end anywhere in the chunks that zlib reads.
              for size in 8150..8220 do
                  let first = noise size size
                  reads gzip (Array.append first some) (Array.append (gzipMember first) (gzipMember some))
          }

          test "is read with every optional header field" {
              let plain = gzipMember some
              let extra = [| 4uy; 0uy; 1uy; 2uy; 3uy; 4uy |]
              let name = [| 110uy; 0uy |]
              let comment = [| 99uy; 111uy; 0uy |]
              let header = Array.concat [ [| 0x1Fuy; 0x8Buy; 8uy; 0x1Cuy; 1uy; 2uy; 3uy; 4uy; 0uy; 255uy |]; extra; name; comment ]
              reads gzip some (Array.append header plain[10..])
          }

          test "is refused if a checksum or size is wrong" {
              let source = gzipMember some

              for at in source.Length - 8 .. source.Length - 1 do
                  let changed = Array.copy source
                  changed[at] <- changed[at] ^^^ 1uy
                  complaint gzip changed |> ignore
          }

          test "is refused if its last member is cut off" {
              let both = Array.append (gzipMember some) (gzipMember (lines 13 300))

              for cut in 1 .. (gzipMember (lines 13 300)).Length - 1 do
                  complaint gzip both[.. both.Length - 1 - cut] |> ignore
          } ]

let private snappy: ICompressionCodec = Snappy()

/// The lengths of a stream's chunks and of their content.
let private chunks (stream: byte[]) : (int * int) list =
    let rec from (at: int) =
        if at = stream.Length then
            []
        else
            let length = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan<byte>(stream, at, 4))
            let block = stream[at + 4 .. at + 3 + length]
            let content = unpacked snappy block |> Result.map Array.length
            (length, Result.defaultValue -1 content) :: from (at + 4 + length)

    from 16

[<Tests>]
let snappyTests =
    testList
        "snappy"
        [ test "is written as the Java client does, in blocks of 32 KiB" {
              let source = packed snappy (lines 1 100000)
              Expect.equal source[..15] Xerial.header "header"
              Expect.equal (chunks source |> List.map snd) [ 32768; 32768; 32768; 1696 ] "blocks"
          }

          test "is written in at most sixteen blocks" {
              let blocks (size: int) = chunks (packed snappy (lines 1 size)) |> List.map snd
              Expect.equal (blocks 524288) (List.replicate 16 32768) "16 of 32 KiB"
              Expect.equal (blocks 1048576) (List.replicate 16 65536) "larger ones"
              Expect.equal (blocks 524289) (List.replicate 15 32769 @ [ 32754 ]) "one byte more"
          }

          test "is read as a block without framing" {
              reads snappy some (SnappyBlock.stored some)
              reads snappy (Array.zeroCreate (1 + 64 * 330)) (SnappyBlock.zeros 1000)
              reads snappy [||] [| 0uy |]
          }

          test "is read in chunks of any size" {
              for size in [ 1; 7; 1000; 5000 ] do
                  let chunks = some |> Array.chunkBySize size |> Array.map (SnappyBlock.stored >> Xerial.chunk)
                  reads snappy some (Array.append Xerial.header (Array.concat chunks))

              reads snappy some (Array.concat [ Xerial.header; Xerial.chunk [| 0uy |]; Xerial.chunk (SnappyBlock.stored some) ])
          }

          test "is read in consecutive streams" {
              reads snappy (Array.concat [ some; some ]) (Array.concat [ packed snappy some; packed snappy some ])
              reads snappy some (Array.concat [ Xerial.header; packed snappy some; Xerial.header ])
          }

          test "is read if its version is at least 1, whatever version it says is compatible, as the Java client does" {
              let chunks = (packed snappy some)[16..]

              for version in [ 1; 2; 0x01000000; Int32.MaxValue ] do
                  for compatible in [ 0; 1; 2; -1; Int32.MinValue; Int32.MaxValue ] do
                      reads snappy some (Array.append (Xerial.versions version compatible) chunks)
                      let second = Array.append (Xerial.versions version compatible) chunks
                      reads snappy (Array.append some some) (Array.concat [ Xerial.header; chunks; second ])

              for version in [ 0; -1; Int32.MinValue ] do
                  for compatible in [ 0; 1; 2 ] do
                      let source = Array.append (Xerial.versions version compatible) chunks
                      Expect.stringContains (complaint snappy source) ("version " + string version) "first"
                      let source = Array.concat [ Xerial.header; chunks; source ]
                      Expect.stringContains (complaint snappy source) ("version " + string version) "second"
          }

          test "is refused if it is malformed" {
              let block = SnappyBlock.stored some

              for source in
                  [ // Less and more content than the length declares.
                    Array.append (SnappyBlock.length 5001u) block[2..]
                    Array.append (SnappyBlock.length 4999u) block[2..]
                    // A copy from before the start of the content.
                    Array.append (SnappyBlock.length 64u) SnappyBlock.copy
                    // A varint that does not end, and one of more than 32 bits.
                    [| 0x80uy |]
                    Array.append (Array.create 5 0x80uy) block
                    Array.concat [ [| 0xFFuy; 0xFFuy; 0xFFuy; 0xFFuy; 0x7Fuy |]; block ]
                    // Elements after an empty content.
                    [| 0uy; 0uy; 65uy |]
                    // Chunks that are negative, too long, or empty.
                    Array.concat [ Xerial.header; [| 0x80uy; 0uy; 0uy; 0uy |]; block ]
                    Array.concat [ Xerial.header; [| 0x7Fuy; 255uy; 255uy; 255uy |]; block ]
                    Array.append Xerial.header (Array.zeroCreate 4)
                    Xerial.header[..11] ] do
                  complaint snappy source |> ignore
          } ]

let private lz4: ICompressionCodec = Lz4()

/// The frame's header checksum, over the descriptor alone.
let private descriptorChecksum (flags: int) (sizes: int) : byte =
    byte (XXH32.DigestOf(ReadOnlySpan<byte> [| byte flags; byte sizes |]) >>> 8)

[<Tests>]
let lz4Tests =
    testList
        "lz4"
        [ test "is written as the Java client does, in independent blocks of 64 KiB without checksums" {
              for codec in [ Lz4() :> ICompressionCodec; Lz4 9 ] do
                  let source = packed codec (Array.append (lines 1 150000) (noise 2 65536))
                  Expect.equal (Convert.ToHexString source[..6]) "04224D18604082" "header"
                  let mutable at = 7
                  let mutable blocks = 0
                  let mutable size = BinaryPrimitives.ReadUInt32LittleEndian(ReadOnlySpan<byte>(source, at, 4))

                  while size <> 0u do
                      let length = int (size &&& 0x7FFFFFFFu)
                      Expect.isLessThanOrEqual length 65536 "a block's size"
                      at <- at + 4 + length
                      blocks <- blocks + 1
                      size <- BinaryPrimitives.ReadUInt32LittleEndian(ReadOnlySpan<byte>(source, at, 4))

                  Expect.equal (at + 4) source.Length "nothing after the end mark"
                  Expect.equal blocks 4 "blocks"
          }

          test "is stored uncompressed if it would not get smaller" {
              let source = packed lz4 (noise 3 1000)
              let expected = Array.concat [ (packed lz4 [||])[..6]; Lz4Frame.stored (noise 3 1000); Lz4Frame.endMark ]
              Expect.equal source expected "a stored block"
          }

          test "is read with blocks of every size" {
              for code in 4..7 do
                  let sizes = code <<< 4
                  let header = Lz4Frame.header 0x60 sizes ValueNone (descriptorChecksum 0x60 sizes)
                  let most = 1 <<< (8 + 2 * code)
                  let full = Array.concat [ header; Lz4Frame.block (Lz4Frame.zeros most); Lz4Frame.stored (lines 1 most); Lz4Frame.endMark ]
                  reads lz4 (Array.append (Array.zeroCreate most) (lines 1 most)) full

                  for block in [ Lz4Frame.block (Lz4Frame.zeros (most + 1)); Lz4Frame.stored (lines 1 (most + 1)) ] do
                      complaint lz4 (Array.concat [ header; block; Lz4Frame.endMark ]) |> ignore
          }

          test "is read with the checksums and sizes of other writers, which are verified" {
              let frame = Convert.FromHexString Foreign.lz4WithEverything
              reads lz4 Foreign.text frame

              for at in 4 .. frame.Length - 1 do
                  let changed = Array.copy frame
                  changed[at] <- changed[at] ^^^ 1uy
                  complaint lz4 changed |> ignore
          }

          test "is read with the header checksum of old clients" {
              let frame = packed lz4 some
              // As in message sets with magic 0 from the Java client.
              frame[6] <- 0x1Auy
              reads lz4 some frame

              for checksum in 0uy .. 255uy do
                  frame[6] <- checksum
                  if checksum <> 0x1Auy && checksum <> 0x82uy then complaint lz4 frame |> ignore
          }

          test "is refused if it is malformed" {
              let block = Lz4Frame.stored some
              let frame (header: byte[]) = Array.concat [ header; block; Lz4Frame.endMark ]
              let checksums = [ 0..255 ] |> List.map byte

              for flags, sizes in
                  [ 0x40, 0x40 // Blocks that depend on each other.
                    0x61, 0x40 // A dictionary.
                    0x62, 0x40
                    0x20, 0x40 // Other versions.
                    0xA0, 0x40
                    0x60, 0x30 // Blocks of sizes that do not exist.
                    0x60, 0x80
                    0x60, 0x41 ] do
                  for checksum in checksums do
                      complaint lz4 (frame (Lz4Frame.header flags sizes ValueNone checksum)) |> ignore

              let header = (packed lz4 [||])[..6]

              for packed in [ [||]; [| 0x10uy |]; [| 0x1Fuy; 0uy; 0uy; 0uy; 0uy |]; [| 0x1Fuy; 0uy; 9uy; 0uy; 0uy |]; noise 1 60 ] do
                  let source = Array.concat [ header; Lz4Frame.block packed; [| 0uy; 0uy; 0uy |] ]
                  complaint lz4 source |> ignore

              // Two frames: neither the Java client nor librdkafka reads the second one.
              complaint lz4 (Array.append (packed lz4 some) (packed lz4 some)) |> ignore
          } ]

let private zstd: ICompressionCodec = Zstd()

[<Tests>]
let zstdTests =
    testList
        "zstd"
        [ test "is written with the size of its content" {
              let source = packed zstd some
              Expect.equal (Convert.ToHexString source[..3]) "28B52FFD" "magic"
              Expect.equal (source[4] &&& 0xE0uy) 0x60uy "one segment, and its size in two bytes"
              Expect.equal (BinaryPrimitives.ReadUInt16LittleEndian(ReadOnlySpan<byte>(source, 5, 2))) (uint16 (some.Length - 256)) "size"
          }

          test "is read with and without the size of its content" {
              let content = Array.append some (Array.create 70000 9uy)
              let blocks = Array.append (ZstdFrame.stored false some) (ZstdFrame.repeated true 70000 9uy)
              // Windows of 128 KiB and of 2 GiB, for which no memory is allocated.
              reads zstd content (Array.append (ZstdFrame.unsized 0x38uy) blocks)
              reads zstd content (Array.append (ZstdFrame.unsized 0xA8uy) blocks)
              let small = Array.append (ZstdFrame.stored false some[..999]) (ZstdFrame.repeated true 1000 9uy)
              reads zstd (Array.append some[..999] (Array.create 1000 9uy)) (Array.append (ZstdFrame.sized 2000UL) small)
          }

          test "is read in consecutive frames, skipping skippable ones" {
              let unsized = Array.append (ZstdFrame.unsized 0x38uy) (ZstdFrame.stored true some)
              let skipped = ZstdFrame.skipped (noise 1 50)
              let source = Array.concat [ skipped; packed zstd some; unsized; skipped; unsized; packed (Zstd 19) some ]
              reads zstd (Array.replicate 4 some |> Array.concat) source
              reads zstd [||] skipped
          }

          test "is read with every type of block from its own writer" {
              for content in [ lines 1 1000000; noise 2 300000; Array.zeroCreate 1000000; Array.append (lines 3 200000) (noise 4 200000) ] do
                  for level in [ -5; 1; 3; 9 ] do
                      reads zstd content (packed (Zstd level) content)
          }

          test "is read from a writer that adds a checksum but no size, and verified" {
              let frame = Convert.FromHexString Foreign.zstdWithChecksum
              reads zstd Foreign.text frame

              for at in frame.Length - 4 .. frame.Length - 1 do
                  let changed = Array.copy frame
                  changed[at] <- changed[at] ^^^ 1uy
                  complaint zstd changed |> ignore
          }

          test "is refused if it is malformed" {
              let stored = ZstdFrame.stored true some

              for source in
                  [ // Less and more content than the size declares.
                    Array.append (ZstdFrame.sized 999UL) (ZstdFrame.stored true some[..999])
                    Array.append (ZstdFrame.sized 1001UL) (ZstdFrame.stored true some[..999])
                    // Blocks larger than the window.
                    Array.append (ZstdFrame.unsized 0uy) stored
                    // A type of block that does not exist.
                    Array.append (ZstdFrame.unsized 0x38uy) [| 0x0Fuy; 0uy; 0uy; 0uy; 0uy |]
                    // A malformed compressed block.
                    Array.append (ZstdFrame.unsized 0x38uy) (ZstdFrame.compressed true (noise 1 100))
                    Array.append (ZstdFrame.unsized 0x38uy) (ZstdFrame.compressed true [||])
                    // No last block, and frames cut off within a header.
                    Array.append (ZstdFrame.unsized 0x38uy) (ZstdFrame.stored false some)
                    ZstdFrame.unsized 0x38uy
                    (ZstdFrame.skipped (noise 1 50))[..50]
                    // Another format's magic.
                    Array.append [| 0x27uy; 0xB5uy; 0x2Fuy; 0xFDuy |] stored ] do
                  complaint zstd source |> ignore

              // An unknown dictionary.
              let withDictionary = packed zstd some
              withDictionary[4] <- withDictionary[4] ||| 1uy
              complaint zstd (Array.concat [ withDictionary[..4]; [| 77uy |]; withDictionary[5..] ]) |> ignore
          } ]
