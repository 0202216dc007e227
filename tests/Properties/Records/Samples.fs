/// Records, batches and codecs for the properties.
module LibKafka.Properties.Records.Samples

open System
open System.Buffers
open System.IO
open System.IO.Compression
open FsCheck
open FsCheck.FSharp
open LibKafka.Cases
open LibKafka.Wire
open LibKafka.Records

/// Small lengths, and lengths at which the size of a length field changes.
let private length: Gen<int> =
    Gen.frequency
        [ 20, Gen.choose (0, 40)
          3, Gen.choose (41, 300)
          1, Gen.elements [ 63; 64; 127; 128; 255; 256; 257; 8191; 8192; 8200 ] ]

let private bytes: Gen<Bytes> = gen {
    let! size = length
    let! seed = Gen.choose (0, Int32.MaxValue)
    let content = Array.zeroCreate<byte> size
    Random(seed).NextBytes content
    return Bytes content
}

let private nullable: Gen<Bytes voption> =
    Gen.frequency [ 4, Gen.map ValueSome bytes; 1, Gen.constant ValueNone; 1, Gen.constant (ValueSome Bytes.empty) ]

let private header: Gen<RecordHeader> = gen {
    let! name = Gen.elements [ "trace"; "a"; ""; "überschrift"; "a" ]
    let! value = nullable
    return { Key = Bytes.ofString name; Value = value }
}

let private headers: Gen<RecordHeader list> =
    Gen.frequency
        [ 6, Gen.constant []
          3, Gen.choose (1, 3) |> Gen.bind (fun count -> Gen.listOfLength count header)
          1, Gen.choose (63, 66) |> Gen.bind (fun count -> Gen.listOfLength count (Gen.constant (RecordHeader.withoutValue "h"))) ]

/// A record without an offset yet.
let record: Gen<RecordData> = gen {
    let! timestamp =
        Gen.frequency
            [ 6, Gen.choose (0, 100) |> Gen.map (fun delta -> 1700000000000L + int64 delta)
              2, Gen.choose (-100000, 100000000) |> Gen.map (fun delta -> 1700000000000L + int64 delta)
              1, Gen.elements [ -1L; 0L; Int64.MaxValue; Int64.MinValue; 253402300799999L ] ]

    let! key = nullable
    let! value = nullable
    let! headers = headers

    return { Offset = 0L; Timestamp = timestamp; Key = key; Value = value; Headers = headers }
}

/// The difference to the previous offset.
let private step: Gen<int64> =
    Gen.frequency [ 12, Gen.constant 1L; 2, Gen.choose (2, 200) |> Gen.map int64; 1, Gen.elements [ 8000L; 1000000L; 2100000L ] ]

/// The parts of a batch: records with ascending offsets, and options that match them.
type Sample =
    { Options: BatchOptions
      Records: RecordData list }

    override this.ToString() = this.Options.ToString() + " " + (this.Records |> List.map string |> String.concat "; ")

let private often (value: 'T) (other: Gen<'T>) : Gen<'T> = Gen.frequency [ 3, Gen.constant value; 1, other ]

let sample: Gen<Sample> = gen {
    let! count = Gen.choose (1, 12)
    let! records = Gen.listOfLength count record
    let! steps = Gen.listOfLength count step
    let! baseOffset = often 0L (Gen.elements [ 5L; 1000000L; Int64.MaxValue - 50000000L ])
    let! gap = often 0L (Gen.choose (0, 50) |> Gen.map int64)

    let offsets = steps |> List.scan (+) (baseOffset - 1L) |> List.tail
    let records = List.map2 (fun (record: RecordData) offset -> { record with Offset = offset }) records offsets
    let! timestamps = often TimestampType.CreateTime (Gen.constant TimestampType.LogAppendTime)
    let! transactional = Gen.elements [ true; false ]
    let! control = often false (Gen.constant true)
    let! horizon = often ValueNone (Gen.constant (ValueSome 1700086400000L))
    let! baseTimestamp = often ValueNone (Gen.elements [ ValueSome 1600000000000L; ValueSome -1L ])
    let! maxTimestamp = often ValueNone (Gen.constant (ValueSome 1800000000000L))
    let! lastOffset = often ValueNone (Gen.constant (ValueSome(List.last offsets + gap)))
    let! producerId = Gen.elements [ -1L; 0L; 4711L; Int64.MaxValue ]
    let! producerEpoch = Gen.elements [ -1s; 0s; 17s; Int16.MaxValue ]
    let! baseSequence = Gen.elements [ -1; 0; 99; Int32.MaxValue ]
    let! leaderEpoch = Gen.elements [ -1; 0; 12 ]

    return
        { Options =
            { BaseOffset = baseOffset
              PartitionLeaderEpoch = leaderEpoch
              TimestampType = timestamps
              IsTransactional = transactional
              IsControl = control
              DeleteHorizon = horizon
              ProducerId = producerId
              ProducerEpoch = producerEpoch
              BaseSequence = baseSequence
              BaseTimestamp = baseTimestamp
              MaxTimestamp = maxTimestamp
              LastOffset = lastOffset }
          Records = records }
}

/// A sample of a few short records, for tests of every byte or bit of a batch.
let smallSample: Gen<Sample> =
    let short (bytes: Bytes voption) = bytes |> ValueOption.map (fun bytes -> bytes.Slice(0, min 12 bytes.Length))

    sample
    |> Gen.map (fun sample ->
        let records =
            sample.Records
            |> List.truncate 4
            |> List.map (fun record ->
                { record with
                    Key = short record.Key
                    Value = short record.Value
                    Headers = record.Headers |> List.truncate 2 |> List.map (fun header -> { header with Value = short header.Value }) })

        { Options = { sample.Options with LastOffset = ValueNone }; Records = records })

/// A short sample with its own type, so that a property can request it.
type SmallSample =
    | SmallSample of Sample

    override this.ToString() =
        let (SmallSample sample) = this
        sample.ToString()

/// FsCheck generators.
type Samples =
    static member Sample() : Arbitrary<Sample> =
        Arb.fromGenShrink (
            sample,
            fun sample -> seq {
                if sample.Records.Length > 1 then
                    for half in List.splitInto 2 sample.Records do
                        { sample with Records = half }
            }
        )

    static member SmallSample() : Arbitrary<SmallSample> = Arb.fromGen (Gen.map SmallSample smallSample)

let config = { Expecto.FsCheckConfig.defaultConfig with maxTest = cases 200; arbitrary = [ typeof<Samples> ] }

let property (name: string) (law: 'T -> bool) : Expecto.Test = Expecto.ExpectoFsCheck.testPropertyWithConfig config name law

/// A property whose law reports failures itself.
let holds (name: string) (law: 'T -> unit) : Expecto.Test = Expecto.ExpectoFsCheck.testPropertyWithConfig config name law

/// The value, which a test requires.
let ok (result: Result<'T, Fault>) : 'T =
    match result with
    | Ok value -> value
    | Error fault -> failwith (fault.ToString())

/// The fault, which a test requires.
let faultOf (result: Result<'T, Fault>) : Fault =
    match result with
    | Error fault -> fault
    | Ok _ -> failwith "expected a fault"

let toBatch (sample: Sample) : RecordBatch = ok (BatchBuilder.build sample.Options sample.Records)

let batchOf (bytes: byte[]) : RecordBatch = ok (RecordBatch.ofBytes (Bytes bytes))

/// The batch's records with their own timestamps.
let stored (codecs: CompressionCodecs) (batch: RecordBatch) : Result<RecordData list, Fault> =
    RecordBatch.openRecords (Reading.withCodecs codecs) batch
    |> Result.bind (fun view -> BatchRecords.toList (view.WithCreateTime()))

/// The records as they are read from a batch with these options.
let asRead (sample: Sample) : RecordData list =
    match sample.Options.TimestampType with
    | TimestampType.LogAppendTime ->
        let appended =
            match sample.Options.MaxTimestamp with
            | ValueSome given -> given
            | ValueNone -> sample.Records |> List.map _.Timestamp |> List.max

        sample.Records |> List.map (fun record -> { record with Timestamp = appended })
    | _ -> sample.Records

/// A batch of consecutive records: 16-byte keys, 100-byte values, no headers.
let plainBatch (count: int) : RecordBatch =
    let builder = BatchBuilder BatchOptions.standard
    let key = Array.zeroCreate<byte> 16
    let value = Array.zeroCreate<byte> 100

    for index in 0 .. count - 1 do
        builder.Add(1700000000000L + int64 index, key, value)

    builder.Build()

/// Replaces the checksum by the right one.
let mend (bytes: byte[]) : byte[] =
    let mended = Array.copy bytes
    let crc = Crc32C.compute (ReadOnlySpan<byte>(mended, 21, mended.Length - 21))
    Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(Span<byte>(mended, 17, 4), crc)
    mended

/// The content of an item of a record set, without its place.
[<RequireQualifiedAccess; NoComparison>]
type Content =
    | Batch of RecordBatch
    | Legacy of LegacyBatch
    | Corrupt of Bytes
    | CutOff of int

let contentOf (item: RecordSetItem) : Content =
    match item with
    | RecordSetItem.Batch(batch, _) -> Content.Batch batch
    | RecordSetItem.Legacy(batch, _) -> Content.Legacy batch
    | RecordSetItem.Corrupt corrupt -> Content.Corrupt corrupt.Bytes
    | RecordSetItem.CutOff(bytes, _) -> Content.CutOff bytes

/// A codec from two functions.
let codec (compression: CompressionType) (pack: byte[] -> IBufferWriter<byte> -> unit) (unpack: byte[] -> IBufferWriter<byte> -> unit) =
    { new ICompressionCodec with
        member _.Type = compression
        member _.Compress(source, destination) = pack (source.ToArray()) destination
        member _.Decompress(source, destination) = unpack (source.ToArray()) destination }

/// Encodes runs of one byte as a count and the byte. Its type is zstd.
let runLength: ICompressionCodec =
    let put (destination: IBufferWriter<byte>) (value: byte) =
        destination.GetSpan(1)[0] <- value
        destination.Advance 1

    codec
        CompressionType.Zstd
        (fun source destination ->
            let mutable at = 0

            while at < source.Length do
                let mutable count = 1

                while count < 255 && at + count < source.Length && source[at + count] = source[at] do
                    count <- count + 1

                put destination (byte count)
                put destination source[at]
                at <- at + count)
        (fun source destination ->
            if source.Length % 2 <> 0 then failwith "a run without its byte"

            for at in 0..2 .. source.Length - 1 do
                for _ in 1 .. int source[at] do
                    put destination source[at + 1])

/// gzip of the class library.
let gzip: ICompressionCodec =
    codec
        CompressionType.Gzip
        (fun source destination ->
            use packed = new MemoryStream()

            using (new GZipStream(packed, CompressionLevel.Fastest)) (fun stream -> stream.Write(source, 0, source.Length))

            BuffersExtensions.Write(destination, ReadOnlySpan<byte>(packed.ToArray())))
        (fun source destination ->
            use stream = new GZipStream(new MemoryStream(source), CompressionMode.Decompress)
            let mutable count = 1

            while count > 0 do
                count <- stream.Read(destination.GetSpan 4096)
                destination.Advance count)

let codecs = CompressionCodecs.ofList [ runLength; gzip ]
