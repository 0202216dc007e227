/// Codecs, content for them, and bytes that no codec writes, for the tests of compression.
module LibKafka.Properties.CompressionTests.Samples

open System
open System.Buffers
open System.Buffers.Binary
open System.IO
open System.IO.Compression
open System.Text
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Cases
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Properties

/// One codec of each type, at its default level.
let usual: ICompressionCodec list = [ Gzip(); Snappy(); Lz4(); Zstd() ]

/// Every level of every codec.
let everyLevel: ICompressionCodec list =
    [ for level in 1..9 do
          Gzip level
      Snappy()
      for level in 1..12 do
          Lz4 level
      for level in [ -131072; -7; -1; 0; 1; 2; 3; 4; 6; 9; 13; 16; 19; 22 ] do
          Zstd level ]

let nameOf (codec: ICompressionCodec) : string = nonNull (codec.ToString())

/// The compressed content.
let packed (codec: ICompressionCodec) (content: byte[]) : byte[] =
    let destination = ArrayBufferWriter<byte>()
    codec.Compress(ReadOnlyMemory<byte> content, destination)
    destination.WrittenSpan.ToArray()

/// The decompressed content, up to a limit, as the reader of batches does it.
let unpackedTo (most: int) (codec: ICompressionCodec) (source: byte[]) : Result<byte[], Fault> =
    let buffer = CodecBuffer()

    Compression.decompress codec most 0 (ReadOnlyMemory<byte> source) buffer
    |> Result.map (fun () -> buffer.Array[.. buffer.Length - 1])

let unpacked (codec: ICompressionCodec) (source: byte[]) : Result<byte[], Fault> = unpackedTo 0x10000000 codec source

/// The codec's message about bytes that it refuses.
let complaint (codec: ICompressionCodec) (source: byte[]) : string =
    match unpacked codec source with
    | Error { Problem = Problem.CodecFailed(name, reason) } when name = CompressionType.name codec.Type && reason <> "" -> reason
    | Error fault -> failtestf "%s: another fault: %s" (nameOf codec) (fault.ToString())
    | Ok content -> failtestf "%s: no fault, but %d bytes" (nameOf codec) content.Length

/// Returns exactly the requested space, in new memory each time.
type StingyWriter() =
    let written = new MemoryStream()
    let mutable room: byte[] = [||]

    member _.Written = written.ToArray()

    interface IBufferWriter<byte> with
        member _.Advance count =
            written.Write(room, 0, count)
            room <- [||]

        member _.GetMemory sizeHint =
            room <- Array.create (max 1 sizeHint) 0xEEuy
            Memory<byte> room

        member this.GetSpan sizeHint = (this :> IBufferWriter<byte>).GetMemory(sizeHint).Span

/// Similar lines of text, of the given total size.
let lines (seed: int) (size: int) : byte[] =
    let text = StringBuilder()
    let random = Random seed

    while text.Length < size do
        text
            .Append("{\"id\":")
            .Append(random.Next 1000000)
            .Append(",\"user\":\"user-")
            .Append(random.Next 5000)
            .Append("\",\"state\":\"")
            .Append([| "open"; "closed"; "pending" |][random.Next 3])
            .Append("\"}\n")
        |> ignore

    Encoding.ASCII.GetBytes(text.ToString()).AsSpan(0, size).ToArray()

let noise (seed: int) (size: int) : byte[] =
    let content = Array.zeroCreate<byte> size
    Random(seed).NextBytes content
    content

/// Bytes to compress: compressible or not, with sizes around those of the formats' blocks.
type Content =
    { Bytes: byte[]
      Kind: string }

    override this.ToString() = string this.Bytes.Length + " bytes of " + this.Kind

let private content: Gen<Content> = gen {
    let! size =
        Gen.frequency
            [ 6, Gen.choose (1, 400)
              3, Gen.choose (401, 20000)
              1, Gen.elements [ 32767; 32768; 32769; 65535; 65536; 65537; 131072; 131073; 200000; 524288; 524289 ] ]

    let! seed = Gen.choose (0, Int32.MaxValue)
    let! kind = Gen.elements [ "lines"; "noise"; "zeros"; "lines and noise" ]

    let bytes =
        match kind with
        | "lines" -> lines seed size
        | "noise" -> noise seed size
        | "zeros" -> Array.zeroCreate size
        | _ ->
            let mixed = lines seed size
            let middle = size / 2
            Array.blit (noise seed (size - middle)) 0 mixed middle (size - middle)
            mixed

    return { Bytes = bytes; Kind = kind }
}

/// The FsCheck generator.
type Contents =
    static member Content() : Arbitrary<Content> = Arb.fromGen content

/// A property with the given number of cases.
let property (usual: int) (name: string) (law: 'T -> bool) : Test =
    let config =
        { FsCheckConfig.defaultConfig with
            maxTest = cases usual
            arbitrary = [ typeof<Contents>; typeof<Records.Samples.Samples> ] }

    testPropertyWithConfig config name law

let private written (write: BinaryWriter -> unit) : byte[] =
    use stream = new MemoryStream()
    use writer = new BinaryWriter(stream)
    write writer
    writer.Flush()
    stream.ToArray()

/// gzip of the class library.
let gzipMember (content: byte[]) : byte[] =
    use stream = new MemoryStream()
    using (new GZipStream(stream, CompressionLevel.Fastest, true)) (fun gzip -> gzip.Write(content, 0, content.Length))
    stream.ToArray()

/// A Snappy block of literals and of copies from directly before them.
module SnappyBlock =

    let length (value: uint32) : byte[] = written (fun writer -> writer.Write7BitEncodedInt(int value))

    /// At most 60 literal bytes.
    let literal (content: byte[]) : byte[] = Array.append [| byte ((content.Length - 1) <<< 2) |] content

    /// A copy of 64 bytes from one byte before.
    let copy = [| 0xFEuy; 1uy; 0uy |]

    /// A block of literals.
    let stored (content: byte[]) : byte[] =
        Array.concat
            [ length (uint32 content.Length)
              for chunk in Array.chunkBySize 60 content do
                  literal chunk ]

    /// Almost as many zeros as a block of that size can have.
    let zeros (size: int) : byte[] =
        let copies = (size - 10) / 3
        Array.concat [ length (uint32 (1 + 64 * copies)); literal [| 0uy |]; Array.replicate copies copy |> Array.concat ]

/// Xerial's framing.
module Xerial =

    let versions (version: int) (compatible: int) : byte[] =
        let header = Array.append (Convert.FromHexString "82534E4150505900") (Array.zeroCreate 8)
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan 8, version)
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan 12, compatible)
        header

    let header: byte[] = versions 1 1

    let chunk (block: byte[]) : byte[] =
        let chunk = Array.append (Array.zeroCreate 4) block
        BinaryPrimitives.WriteInt32BigEndian(chunk, block.Length)
        chunk

/// An LZ4 frame, assembled by hand; the caller provides checksums.
module Lz4Frame =

    let header (flags: int) (sizes: int) (contentSize: int64 voption) (checksum: byte) : byte[] =
        written (fun writer ->
            writer.Write 0x184D2204
            writer.Write(byte flags)
            writer.Write(byte sizes)
            ValueOption.iter (fun (size: int64) -> writer.Write size) contentSize
            writer.Write checksum)

    let stored (content: byte[]) : byte[] =
        written (fun writer ->
            writer.Write(content.Length ||| 0x80000000)
            writer.Write content)

    let block (packed: byte[]) : byte[] =
        written (fun writer ->
            writer.Write packed.Length
            writer.Write packed)

    let endMark: byte[] = Array.zeroCreate 4

    /// Zeros as one block: a literal, a copy from directly before it, and the five literals that a block ends with.
    let zeros (size: int) : byte[] =
        let copied = size - 6 - 19

        Array.concat
            [ [| 0x1Fuy; 0uy; 1uy; 0uy |]
              Array.create (copied / 255) 255uy
              [| byte (copied % 255) |]
              [| 0x50uy; 0uy; 0uy; 0uy; 0uy; 0uy |] ]

/// A zstd frame, assembled by hand.
module ZstdFrame =

    /// A header with the content's size in eight bytes and a window of 1 KiB.
    let sized (size: uint64) : byte[] =
        written (fun writer ->
            writer.Write 0xFD2FB528u
            writer.Write 0xC0uy
            writer.Write 0uy
            writer.Write size)

    /// A header without the content's size; the window is given by its code.
    let unsized (window: byte) : byte[] =
        written (fun writer ->
            writer.Write 0xFD2FB528u
            writer.Write 0uy
            writer.Write window)

    let private block (kind: int) (last: bool) (size: int) (body: byte[]) : byte[] =
        let field = (size <<< 3) ||| (kind <<< 1) ||| (if last then 1 else 0)
        Array.append [| byte field; byte (field >>> 8); byte (field >>> 16) |] body

    let stored (last: bool) (content: byte[]) = block 0 last content.Length content

    /// A repeated byte.
    let repeated (last: bool) (size: int) (value: byte) = block 1 last size [| value |]

    /// A compressed block.
    let compressed (last: bool) (body: byte[]) = block 2 last body.Length body

    /// A skippable frame.
    let skipped (content: byte[]) =
        written (fun writer ->
            writer.Write 0x184D2A53
            writer.Write content.Length
            writer.Write content)

/// A batch with these bytes as its compressed records.
let batchOver (compression: CompressionType) (count: int) (payload: byte[]) : RecordBatch =
    let bytes = Array.append ((Records.Samples.plainBatch 1).Bytes.Slice(0, RecordBatch.HeaderSize).ToArray()) payload
    BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan 8, bytes.Length - 12)
    bytes[22] <- byte (int compression)
    BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan 57, count)
    Records.Samples.batchOf (Records.Samples.mend bytes)
