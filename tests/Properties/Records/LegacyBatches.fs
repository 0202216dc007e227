/// Messages of the formats before Kafka 0.11, magic 0 and 1: alone, compressed together, and one after another.
module LibKafka.Properties.Records.LegacyBatches

open System
open System.Buffers
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Cases
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Properties
open LibKafka.Properties.Records.Reference
open LibKafka.Properties.Records.Samples

/// Messages as a broker stores them, with one compression or none.
type MessageSet =
    {
        Format: int
        Compression: CompressionType
        /// With magic 1: whether the offsets in the compressed message are absolute, not counted from 0.
        Absolute: bool
        AppendTime: int64 voption
        Content: RecordData list
    }

    override this.ToString() =
        "magic "
        + string this.Format
        + ", "
        + CompressionType.name this.Compression
        + (if this.Absolute then ", absolute" else "")
        + (if this.AppendTime.IsSome then ", appended" else "")
        + ": "
        + (this.Content |> List.map string |> String.concat "; ")

let private messageSet: Gen<MessageSet> = gen {
    let! sample = sample
    let! format = Gen.elements [ 0; 1 ]
    let! compression = Gen.elements (CompressionType.None :: [ for codec in AllCodecs.List -> codec.Type ])
    let! absolute = Gen.frequency [ 3, Gen.constant false; 1, Gen.constant true ]
    let! append = Gen.frequency [ 3, Gen.constant ValueNone; 1, Gen.constant (ValueSome 1_500_000_000_123L) ]

    let old (record: RecordData) = { record with Headers = []; Timestamp = if format = 0 then -1L else record.Timestamp }

    return
        { Format = format
          Compression = compression
          Absolute = absolute
          AppendTime = if format = 0 then ValueNone else append
          Content = sample.Records |> List.truncate 8 |> List.map old }
}

/// FsCheck generators.
type Sets =
    static member MessageSet() : Arbitrary<MessageSet> = Arb.fromGen messageSet

let private property (usual: int) (name: string) (law: 'T -> bool) : Test =
    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = cases usual; arbitrary = [ typeof<Sets> ] } name law

let private pack (compression: CompressionType) (content: byte[]) : Bytes =
    let destination = ArrayBufferWriter<byte>()
    (nonNull (AllCodecs.Set.Find compression)).Compress(ReadOnlyMemory<byte> content, destination)
    Bytes.ofSpan destination.WrittenSpan

let private unpack (code: int) (packed: Bytes) : byte list option =
    match AllCodecs.Set.Find(enum code) with
    | null -> None
    | codec ->
        let destination = ArrayBufferWriter<byte>()

        try
            codec.Decompress(packed.Memory, destination)
            Some(List.ofArray (destination.WrittenSpan.ToArray()))
        with _ ->
            None

/// A message, alone or inside another one.
let private message (format: int) (attributes: int) (offset: int64) (timestamp: int64) (record: RecordData) : byte list =
    encodeMessage
        { Magic = format
          Offset = offset
          Attributes = attributes
          Timestamp = timestamp
          Key = record.Key
          Value = record.Value }

let private oldestRecord: RecordData =
    { Offset = 7L
      Timestamp = 1_500_000_000_000L
      Key = ValueSome(Bytes.ofString "key")
      Value = ValueSome(Bytes.ofString "value")
      Headers = [] }

/// A compressed message around compressed bytes.
let private wrapper (format: int) (attributes: int) (offset: int64) (timestamp: int64) (value: Bytes voption) : byte[] =
    message format attributes offset timestamp { oldestRecord with Key = ValueNone; Value = value } |> Array.ofList

/// The messages one after another, each complete.
let encode (set: MessageSet) : byte[] list =
    let appended = if set.AppendTime.IsSome then 8 else 0

    if set.Compression = CompressionType.None then
        [ for record in set.Content ->
              let timestamp = ValueOption.defaultValue record.Timestamp set.AppendTime
              message set.Format appended record.Offset timestamp record |> Array.ofList ]
    else
        let first = if set.Format = 0 || set.Absolute then 0L else set.Content.Head.Offset
        let inner =
            [| for record in set.Content do
                   yield! message set.Format 0 (record.Offset - first) record.Timestamp record |]
        let latest = set.Content |> List.map _.Timestamp |> List.max
        let timestamp = ValueOption.defaultValue latest set.AppendTime
        let last = (List.last set.Content).Offset
        [ wrapper set.Format (int set.Compression ||| appended) last timestamp (ValueSome(pack set.Compression inner)) ]

let private asRead (set: MessageSet) : RecordData list =
    set.Content
    |> List.map (fun record -> { record with Timestamp = ValueOption.defaultValue record.Timestamp set.AppendTime })

let private splitVerified (bytes: byte[]) : RecordSetItem list = List.ofSeq (RecordSet.splitVerified (Bytes bytes))

let private readItem (item: RecordSetItem) : Result<RecordData list, Fault> =
    RecordSetItem.openRecords (Reading.withCodecs AllCodecs.Set) item |> Result.bind BatchRecords.toList

let private batchOf (bytes: byte[]) : LegacyBatch = ok (LegacyBatch.ofBytes (Bytes bytes))

let private asContent (bytes: byte[]) : Content = Content.Legacy(batchOf bytes)

let private read (bytes: byte[]) : Result<RecordData list, Fault> =
    LegacyBatch.ofBytes (Bytes bytes)
    |> Result.bind (LegacyBatch.openRecords (Reading.withCodecs AllCodecs.Set))
    |> Result.bind BatchRecords.toList

/// Whether the fast and the slow reader agree about the bytes of one message. Only the fast one refuses offsets that are further apart than
/// the current format can express, and an offset without a next one.
let private agree (bytes: byte[]) : bool =
    match read bytes, readLegacy unpack (List.ofArray bytes) with
    | Ok records, Some expected -> records = expected
    | Error { Problem = Problem.OutOfRange _ }, _ -> true
    | Error _, None -> true
    | _ -> false

/// Replaces the checksum by the right one.
let private mend (bytes: byte[]) : byte[] =
    if bytes.Length < 16 then
        bytes
    else
        Array.concat [ bytes[..11]; Array.ofList (bigEndian 4 (int64 (crc32 bytes[16..]))); bytes[16..] ]

/// Changes some bytes, most of them in lengths.
let private spoil (random: Random) (bytes: byte[]) : byte[] =
    let changed = Array.copy bytes

    for _ in 0 .. random.Next 3 do
        let at = random.Next(if random.Next 2 = 0 then min 40 changed.Length else changed.Length)
        changed[at] <- if random.Next 2 = 0 then byte (random.Next 256) else changed[at] ^^^ byte (1 <<< random.Next 8)

    changed

[<Tests>]
let reading =
    testList
        "messages of magic 0 and 1"
        [ property 200 "are read as the records from which they were written, and as the reference reads them" (fun (set: MessageSet) ->
              let items = splitVerified (Array.concat (encode set))

              items |> List.forall _.IsLegacy
              && items |> List.collect (readItem >> ok) = asRead set
              && encode set |> List.collect (List.ofArray >> readLegacy unpack >> Option.get) = asRead set)

          property 200 "keep the timestamps from their producers if they are compressed together" (fun (set: MessageSet) ->
              let created (item: RecordSetItem) =
                  let view = RecordSetItem.openRecords (Reading.withCodecs AllCodecs.Set) item |> ok
                  BatchRecords.toList (view.WithCreateTime()) |> ok

              set.Compression = CompressionType.None
              || splitVerified (Array.concat (encode set)) |> List.collect created = set.Content)

          property 50 "are read with one buffer for all" (fun (sets: MessageSet list) ->
              let verifying = { Reading.withCodecs AllCodecs.Set with Buffer = ValueSome(CodecBuffer()) }

              sets
              |> List.forall (fun set ->
                  let read (reading: Reading) =
                      encode set
                      |> List.collect (fun bytes ->
                          LegacyBatch.openRecords reading (batchOf bytes) |> Result.bind BatchRecords.toList |> ok)

                  read verifying = asRead set && read { verifying with VerifyChecksum = false } = asRead set))

          property 30 "lose only the last one if cut off at any byte" (fun (set: MessageSet) ->
              let messages = encode set
              let before = messages |> List.take (messages.Length - 1)
              let all, kept = Array.concat messages, Array.concat before

              seq { kept.Length .. all.Length - 1 }
              |> Seq.forall (fun length ->
                  let cut = length - kept.Length
                  let tail = if cut = 0 then [] else [ Content.CutOff cut ]
                  List.map contentOf (splitVerified all[.. length - 1]) = List.map asContent before @ tail))

          property
              100
              "are independent of a changed one in the middle"
              (fun (first: MessageSet, middle: MessageSet, last: MessageSet, seed: int) ->
                  let random = Random seed
                  let before, after = encode first, encode last
                  let sound = List.head (encode middle)
                  let spoiled = Array.copy sound
                  // Any byte that the checksum covers except the magic, which determines the checksum.
                  let at = random.Next(17, spoiled.Length)
                  spoiled[at] <- spoiled[at] ^^^ byte (random.Next(1, 256))

                  match splitVerified (Array.concat (before @ [ spoiled ] @ after)) |> List.splitAt before.Length with
                  | found, RecordSetItem.Corrupt corrupt :: rest ->
                      List.map contentOf found = List.map asContent before
                      && List.map contentOf rest = List.map asContent after
                      && corrupt.Bytes = Bytes spoiled
                      && corrupt.LastOffset = ValueSome (batchOf sound).LastOffset
                      && corrupt.Fault.Problem.IsBadCrc
                  | _ -> false)

          test "have fields and text" {
              let batch = batchOf (Array.ofList (message 1 8 7L 9L oldestRecord))
              Expect.equal (batch.Magic, batch.LastOffset, batch.NextOffset, batch.Timestamp) (1y, 7L, 8L, 9L) "fields"
              Expect.equal (batch.Compression, batch.TimestampType) (CompressionType.None, TimestampType.LogAppendTime) "attributes"
              Expect.equal (batch.ToString()) "offset 7, magic 1, none, LogAppendTime, 42 bytes" "text"
              let older = batchOf (Array.ofList (message 0 0 7L 9L oldestRecord))
              Expect.equal (older.Magic, older.Timestamp) (0y, -1L) "of magic 0"
              Expect.equal (older.ToString()) "offset 7, magic 0, none, 34 bytes" "text of magic 0"
              Expect.notEqual older batch "another"
          }

          test "are read together with batches of the current format" {
              let old = Array.ofList (message 1 0 7L 9L oldestRecord)
              let items = splitVerified (Array.append old (((plainBatch 2).Rebase(8L, 0)).Bytes.ToArray()))
              Expect.equal (items |> List.collect (readItem >> ok) |> List.map _.Offset) [ 7L; 8L; 9L ] "offsets"
              Expect.equal (readItem (List.exactlyOne (splitVerified old[..4]))) (Ok []) "a message that is cut off gives no records"
              old[20] <- old[20] ^^^ 1uy

              match splitVerified old with
              | [ RecordSetItem.Corrupt corrupt as item ] -> Expect.equal (readItem item) (Error corrupt.Fault) "its fault"
              | other -> failtest (string other.Length + " items")
          } ]

/// A wrapper around these bytes, compressed with gzip.
let private around (format: int) (inner: byte list) : byte[] =
    wrapper format 1 7L 0L (ValueSome(pack CompressionType.Gzip (Array.ofList inner)))

/// A message of 27 bytes with magic 0 and of 35 with magic 1: no key, and a value of one byte.
let private single (format: int) (attributes: int) : byte list =
    message format attributes 0L 5L { oldestRecord with Key = ValueNone; Value = ValueSome(Bytes.ofString "v") }

let private malformed: (string * byte[] * Problem * int * string) list =
    [ "no message inside another one", around 1 [], Problem.Truncated(34L, 0), 0, "Records[0]/Length"
      "a message that is cut off inside another one",
      around 0 (single 0 0 @ List.truncate 26 (single 0 0)),
      Problem.Truncated(15L, 14),
      35,
      "Records[1]/Length"
      "a message of another format inside another one", around 1 (single 0 0), Problem.BadMagic 0y, 16, "Records[0]/Magic"
      "a compressed message inside another one",
      around 1 (single 1 0 @ single 1 3),
      Problem.NestedCompression "lz4",
      52,
      "Records[1]/Attributes"
      "a compressed message without a value", wrapper 0 2 7L 0L ValueNone, Problem.NullNotAllowed, 22, "Value"
      "a message with a compression that does not exist", Array.ofList (single 1 5), Problem.UnknownCodec 5, 17, "Attributes"
      "a message with an offset that has no next one",
      wrapper 1 0 Int64.MaxValue 0L ValueNone,
      Problem.OutOfRange(Int64.MaxValue, Int64.MinValue, Int64.MaxValue - 1L),
      0,
      "Offset"
      "two messages with offsets too far apart inside another one",
      around 1 (single 1 0 @ message 1 0 0x80000000L 5L oldestRecord),
      Problem.OutOfRange(0x80000000L, int64 Int32.MinValue, int64 Int32.MaxValue),
      35,
      "Records[1]/Offset" ]

[<Tests>]
let bounds =
    testList
        "malformed messages of magic 0 and 1"
        [ property 500 "agree with the reference: any bytes" (fun (bytes: byte[]) -> agree bytes)

          property 500 "agree with the reference: changed, with the right checksum" (fun (set: MessageSet, seed: int) ->
              encode set |> List.forall (fun bytes -> agree (mend (spoil (Random seed) bytes))))

          property 500 "agree with the reference: changed inside another message" (fun (set: MessageSet, seed: int) ->
              let random = Random seed
              let chosen = random.Next set.Content.Length

              let inner =
                  set.Content
                  |> List.mapi (fun i record ->
                      let bytes = message set.Format 0 record.Offset record.Timestamp record

                      if i <> chosen then
                          bytes
                      else
                          let spoiled = spoil random (Array.ofList bytes)
                          List.ofArray (if random.Next 4 > 0 then mend spoiled else spoiled))

              agree (around set.Format (List.concat inner)))

          for name, bytes, problem, offset, path in malformed do
              test (name + " is refused") {
                  Expect.equal (faultOf (read bytes)) { Problem = problem; Offset = offset; Path = path } "fault"
              }

          test "without a codec are reported with the codec's name" {
              let fault = faultOf (LegacyBatch.openRecords Reading.standard (batchOf (around 1 (single 1 0))))
              Expect.equal fault (Fault.ofField "Attributes" 17 (Problem.CodecMissing "gzip")) "fault"
          }

          test "with a wrong checksum are refused, also inside another message" {
              let changed = Array.ofList (single 1 0)
              changed[34] <- changed[34] ^^^ 1uy

              for bytes, place in [ changed, 12; around 1 (single 1 0 @ List.ofArray changed), 35 + 12 ] do
                  let fault = faultOf (read bytes)
                  Expect.isTrue fault.Problem.IsBadCrc (fault.ToString())
                  Expect.equal fault.Offset place "offset"
                  Expect.stringEnds fault.Path "Crc" "path"
          }

          test "beyond the limit are refused" {
              let batch = batchOf (around 1 (List.replicate 5 (single 1 0) |> List.concat))
              let opened most =
                  let limits = { Limits.standard with MaxRecords = most }
                  LegacyBatch.openRecords { Reading.withCodecs AllCodecs.Set with Limits = limits } batch
              Expect.equal (ok (opened 5)).Count 5 "as many as are allowed"
              Expect.equal (faultOf (opened 4)).Problem (Problem.TooManyRecords 4L) "one more"

              // A negative limit must not mean that there is no limit.
              Expect.equal (faultOf (opened -1)).Problem (Problem.TooManyRecords -1L) "a negative limit"
          }

          testSequenced
          <| testList
              "that declare a large size or have one are refused before memory is allocated"
              [ for codec in AllCodecs.List do
                    test (CompressionType.name codec.Type) {
                        let zeros = pack codec.Type (Array.zeroCreate 20_000_000)
                        let batch = batchOf (wrapper 1 (int codec.Type) 7L 0L (ValueSome zeros))
                        let limits = { Limits.standard with MaxDecompressedBytes = 1_000_000 }
                        let reading = { Reading.withCodecs AllCodecs.Set with Limits = limits }
                        let result, taken = Support.allocating (fun () -> LegacyBatch.openRecords reading batch)
                        Expect.equal (faultOf result).Problem (Problem.DecompressedTooLarge 1_000_000L) "problem"
                        Expect.isLessThan taken (4_000_000L + 2L * int64 zeros.Length) "bytes taken"
                    }

                for format, keyAt in [ 0, 18; 1, 26 ] do
                    test ("a key of 2 GiB with magic " + string format) {
                        let bytes = Array.ofList (single format 0)
                        Array.blit [| 0x7Fuy; 255uy; 255uy; 255uy |] 0 bytes keyAt 4
                        let mended = mend bytes
                        let result, taken = Support.allocating (fun () -> read mended)
                        Expect.equal (faultOf result).Problem (Problem.Truncated(int64 Int32.MaxValue, 5)) "problem"
                        Expect.isLessThan taken 10_000L "bytes taken"
                    } ] ]

[<Tests>]
let checksum =
    testList
        "CRC-32"
        [ test "the check value of the algorithm's catalogue entry" {
              Expect.equal (Crc32.compute (ReadOnlySpan<byte> "123456789"B)) 0xCBF43926u "CRC-32 of 123456789"
              Expect.equal (Crc32.compute ReadOnlySpan<byte>.Empty) 0u "CRC-32 of nothing"
          }

          property 300 "agrees with the reference" (fun (bytes: byte[]) -> Crc32.compute (ReadOnlySpan<byte> bytes) = crc32 bytes) ]
