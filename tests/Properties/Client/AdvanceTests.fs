/// Where a reader continues after a fetch.
module LibKafka.Properties.Client.AdvanceTests

open System
open System.Buffers.Binary
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Properties.Records.Samples
open LibKafka.Properties.Client.Support

/// A batch of records at these offsets, appended in an epoch.
let private at (epoch: int) (offsets: int64 list) : RecordBatch =
    let record offset = { Offset = offset; Timestamp = 0L; Key = ValueNone; Value = ValueNone; Headers = [] }
    BatchBuilder.build { BatchOptions.standard with BaseOffset = offsets.Head; PartitionLeaderEpoch = epoch } (List.map record offsets)
    |> ok

let private position offset epoch = { Offset = offset; LastEpoch = epoch }

let private advance (offset: int64) (batches: RecordBatch list) = Fetched.advance (fetched offset (RecordSet.concat batches))

let private isTo (expected: FetchPosition) (actual: Advance) =
    match actual with
    | Advance.To position -> Expect.equal position expected "the position"
    | other -> failtestf "%O" other

/// The same bytes with one of them changed.
let private damaged (index: int) (change: byte -> byte) (batch: RecordBatch) : Bytes =
    let bytes = batch.Bytes.ToArray()
    bytes[index] <- change bytes[index]
    Bytes bytes

let private joined (parts: Bytes list) = Bytes(parts |> List.map _.ToArray() |> Array.concat)

/// A batch: the offset gap before it, the number of its records, and its epoch.
type Stretch = { Gap: int; Count: int; Epoch: int }

/// A fetch of some bytes of a log, at an offset in its first batch.
type LogPart = { First: int64; Stretches: Stretch list; Cut: float; Inside: float }

let private logPart: Gen<LogPart> = gen {
    let! first = Gen.elements [ 0L; 7L; 5_000_000_000L ]

    let stretch = gen {
        let! gap = Gen.frequency [ 3, Gen.constant 0; 1, Gen.choose (1, 500) ]
        let! count = Gen.choose (1, 4)
        let! epoch = Gen.choose (0, 3)
        return { Gap = gap; Count = count; Epoch = epoch }
    }

    let! stretches = Gen.choose (1, 6) |> Gen.bind (fun count -> Gen.listOfLength count stretch)
    let! cut = Gen.choose (0, 1000)
    let! inside = Gen.choose (0, 999)
    return { First = first; Stretches = stretches; Cut = float cut / 1000.0; Inside = float inside / 1000.0 }
}

type LogParts =
    static member LogPart() : Arbitrary<LogPart> = Arb.fromGen logPart

let private batchesOf (part: LogPart) : RecordBatch list =
    let next (offset: int64) (stretch: Stretch) =
        let first = offset + int64 stretch.Gap
        at stretch.Epoch [ first .. first + int64 stretch.Count - 1L ], first + int64 stretch.Count

    List.mapFold next part.First part.Stretches |> fst

let private law =
    testPropertyWithConfig
        { config with arbitrary = [ typeof<LogParts> ] }
        "it is after the last complete batch, wherever the bytes are cut off, and never goes back"
        (fun (part: LogPart) ->
            let batches = batchesOf part
            let bytes = RecordSet.concat batches
            let cut = bytes.Slice(0, int (part.Cut * float bytes.Length))
            let head = batches.Head
            let from = head.BaseOffset + int64 (part.Inside * float (head.LastOffsetDelta + 1))

            let whole =
                batches
                |> List.scan (fun size batch -> size + batch.SizeInBytes) 0
                |> List.tail
                |> List.zip batches
                |> List.filter (fun (_, finish) -> finish <= cut.Length)
                |> List.map fst

            match List.tryLast whole, Fetched.advance (fetched from cut) with
            | Some last, Advance.To actual -> actual = position last.NextOffset last.PartitionLeaderEpoch
            | None, Advance.To actual -> actual = FetchPosition.at from && cut.Length = 0
            | None, Advance.Damaged([ stretch ], None) -> stretch.Bytes = cut && cut.Length > 0
            | _ -> false)

let private whole =
    testList
        "batches"
        [ test "nothing: the same position, including its epoch" {
              let fetched = fetchedAs (position 9L 4) (Ok { fetchAnswer with Records = None })
              isTo (position 9L 4) (Fetched.advance fetched)
          }

          test "a batch that compaction has emptied takes up its offsets" {
              let empty =
                  BatchBuilder.build
                      { BatchOptions.standard with BaseOffset = 10L; PartitionLeaderEpoch = 2; LastOffset = ValueSome 14L }
                      []
                  |> ok

              Expect.equal empty.Count 0 "it has no records"
              isTo (position 15L 2) (advance 10L [ empty ])
          }

          test "a batch whose last records compaction has removed takes up their offsets" {
              let record = { Offset = 11L; Timestamp = 0L; Key = ValueNone; Value = ValueNone; Headers = [] }

              let batch =
                  BatchBuilder.build
                      { BatchOptions.standard with BaseOffset = 10L; PartitionLeaderEpoch = 2; LastOffset = ValueSome 17L }
                      [ record ]
                  |> ok

              isTo (position 18L 2) (advance 10L [ batch ])
          }

          test "offset gaps between batches are skipped" { isTo (position 101L 3) (advance 5L [ at 1 [ 5L; 6L ]; at 3 [ 90L; 100L ] ]) }

          test "a control batch takes up an offset like any other" {
              let control =
                  BatchBuilder.build
                      { BatchOptions.standard with BaseOffset = 7L; PartitionLeaderEpoch = 1; IsControl = true; IsTransactional = true }
                      [ { Offset = 7L; Timestamp = 0L; Key = ValueSome(Bytes.ofHex "00000001"); Value = ValueNone; Headers = [] } ]
                  |> ok

              isTo (position 8L 1) (advance 5L [ at 1 [ 5L; 6L ]; control ])
          }

          test "a batch that begins before the requested offset counts from its own" {
              isTo (position 8L 1) (advance 6L [ at 1 [ 4L .. 7L ] ])
          }

          test "batches before the requested offset do not move the reader back, and are reported" {
              let early = at 1 [ 5L; 6L ]

              match advance 30L [ at 1 [ 3L; 4L ]; early ] with
              | Advance.Damaged([ stretch ], None) ->
                  Expect.equal (stretch.Bytes, stretch.FirstOffset) (early.Bytes, 5L) "the last of them"
                  Expect.equal stretch.Fault.Path "Records[1]/LastOffset" "the field"
                  Expect.equal stretch.Fault.Problem (Problem.OutOfRange(6L, 30L, Int64.MaxValue)) "the problem"
              | other -> failtestf "%O" other

              isTo (position 32L 1) (advance 30L [ early; at 1 [ 30L; 31L ] ])
          }

          test "an error code or a fault: the same position" {
              for result in [ Ok { fetchAnswer with Error = ErrorCode.OffsetOutOfRange }; Error ClientFault.Closed ] do
                  isTo (position 9L 4) (Fetched.advance (fetchedAs (position 9L 4) result))
          } ]

/// A batch with another length in its header.
let private claiming (length: int) (batch: RecordBatch) : Bytes =
    let bytes = batch.Bytes.ToArray()
    BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan 8, length)
    Bytes bytes

let private beginnings =
    let first = at 1 [ 5L; 6L ]
    let rest = (at 1 [ 7L; 8L ]).Bytes

    testList
        "a first batch that is not whole"
        [ for length in [ first.SizeInBytes * 3; 1_000_000; Int32.MaxValue ] do
              test ("is damaged, whatever length it claims: " + string length) {
                  let bytes = joined [ claiming length first; rest ]

                  match Fetched.advance (fetched 5L bytes) with
                  | Advance.Damaged([ stretch ], None) ->
                      Expect.equal (stretch.FirstOffset, stretch.Bytes) (5L, bytes) "the stretch"
                      Expect.equal stretch.Fault.Path "Records[0]/Length" "the field"
                      Expect.equal stretch.Fault.Problem (Problem.Truncated(int64 length, bytes.Length - 12)) "the problem"
                  | other -> failtestf "%O" other

                  match List.ofSeq (fetched 5L bytes).Batches with
                  | [ RecordSetItem.Corrupt stretch ] -> Expect.equal stretch.Bytes bytes "the batches have it too"
                  | other -> failtestf "%d items" other.Length
              }

          test "is damaged at every length, and has an offset if there are bytes for one" {
              for length in 1 .. first.SizeInBytes - 1 do
                  match Fetched.advance (fetched 5L (first.Bytes.Slice(0, length))) with
                  | Advance.Damaged([ stretch ], None) ->
                      Expect.equal stretch.FirstOffset (if length < 8 then -1L else 5L) "the offset"
                      Expect.isNonEmpty (string stretch) "text"
                  | other -> failtest (string length + " bytes: " + string other)
          }

          test "is damaged in an older format too" {
              let message = Bytes.ofHex "000000000000000b0000001752488c6a01000000000000000005ffffffff0000000176"

              match Fetched.advance (fetched 11L (message.Slice(0, message.Length - 1))) with
              | Advance.Damaged([ stretch ], None) -> Expect.equal stretch.FirstOffset 11L "the offset"
              | other -> failtestf "%O" other
          }

          test "later in the response is cut off: the next fetch begins with it and reports it" {
              let bytes = joined [ first.Bytes; claiming 1_000_000 (at 1 [ 7L; 8L ]) ]
              isTo (position 7L 1) (Fetched.advance (fetched 5L bytes))

              match Fetched.advance (fetched 7L (bytes.Slice(first.SizeInBytes, bytes.Length - first.SizeInBytes))) with
              | Advance.Damaged([ stretch ], None) -> Expect.equal stretch.FirstOffset 7L "the offset"
              | other -> failtestf "%O" other
          }

          test "is larger than the limit below version 3" {
              let answer = { fetchAnswer with Records = Some(first.Bytes.Slice(0, first.SizeInBytes - 1)) }

              for version, isTooLarge in [ 0s, true; 2s, true; 3s, false; 4s, false ] do
                  match Fetched.advance (fetchedWith version IsolationLevel.ReadUncommitted (FetchPosition.at 5L) (Ok answer)) with
                  | Advance.TooLarge fault when isTooLarge ->
                      Expect.equal fault.Problem (Problem.TooLong(int64 first.SizeInBytes, int64 Int32.MaxValue)) "its size and the limit"
                      Expect.stringContains (string (Advance.TooLarge fault)) "MaxBytes" "what to do"
                  | Advance.Damaged _ when not isTooLarge -> ()
                  | other -> failtest ("version " + string version + ": " + string other)
          } ]

let private stretches =
    let garbage = Bytes.ofHex "0000000000000005ffffffff000000000200000000"

    testList
        "what cannot be read"
        [ test "alone and without a known end: it is not known where to continue" {
              match Fetched.advance (fetched 5L garbage) with
              | Advance.Damaged([ stretch ], None) -> Expect.equal stretch.FirstOffset 5L "where it begins"
              | other -> failtestf "%O" other
          }

          test "after complete batches it is left to the next fetch" {
              let bytes = joined [ (at 1 [ 3L; 4L ]).Bytes; garbage ]
              isTo (position 5L 1) (Fetched.advance (fetched 3L bytes))
          }

          test "before a complete batch it is reported, with the position after that batch" {
              // A batch of a future format with a correct length.
              let foreign = at 1 [ 5L; 6L ] |> damaged 16 (fun _ -> 9uy)

              match Fetched.advance (fetched 5L (joined [ foreign; (at 2 [ 7L; 8L ]).Bytes ])) with
              | Advance.Damaged([ stretch ], Some next) ->
                  Expect.equal next (position 9L 2) "where to continue"
                  Expect.equal stretch.Bytes foreign "the stretch"
                  Expect.equal (stretch.Position, stretch.FirstOffset) (0, 5L) "where it is"
              | other -> failtestf "%O" other
          }

          test "a message of an older format takes up its offset, and one whose checksum is wrong is reported" {
              // Magic 1: no key and the value "v", at offset 11.
              let message = Bytes.ofHex "000000000000000b0000001752488c6a01000000000000000005ffffffff0000000176"
              isTo (FetchPosition.at 12L) (Fetched.advance (fetched 11L message))
              let broken = message.Span.ToArray()
              broken[broken.Length - 1] <- broken[broken.Length - 1] ^^^ 1uy

              match Fetched.advance (fetched 11L (Bytes broken)) with
              | Advance.Damaged([ stretch ], Some next) ->
                  Expect.equal (next, stretch.FirstOffset) (FetchPosition.at 12L, 11L) "where it is and where to continue"
              | other -> failtestf "%O" other
          }

          test "several stretches are reported in their order" {
              let foreign offset = at 1 [ offset ] |> damaged 16 (fun _ -> 9uy)
              let bytes = joined [ foreign 1L; (at 1 [ 2L ]).Bytes; foreign 3L; foreign 4L; (at 1 [ 5L ]).Bytes; foreign 6L ]

              match Fetched.advance (fetched 1L bytes) with
              | Advance.Damaged(stretches, Some next) ->
                  Expect.equal (stretches |> List.map _.FirstOffset) [ 1L; 3L; 4L ] "those followed by a batch"
                  Expect.equal next (position 6L 1) "where to continue"
              | other -> failtestf "%O" other
          }

          test "a last batch with a wrong checksum is reported, with the end in its header" {
              let bytes = joined [ (at 1 [ 3L; 4L ]).Bytes; at 1 [ 5L; 6L ] |> damaged 61 (fun byte -> byte ^^^ 255uy) ]

              match Fetched.advance (fetched 3L bytes) with
              | Advance.Damaged([ stretch ], Some next) ->
                  Expect.equal next (FetchPosition.at 7L) "where to continue, without an epoch"
                  Expect.equal (stretch.Position, stretch.FirstOffset) ((at 1 [ 3L; 4L ]).SizeInBytes, 5L) "where it is"

                  match stretch.Fault.Problem with
                  | Problem.BadCrc _ -> Expect.equal stretch.Fault.Offset (stretch.Position + 17) "the checksum's place"
                  | other -> failtestf "%O" other
              | other -> failtestf "%O" other
          }

          test "a last batch whose damaged header reaches beyond the log does not move the reader there" {
              let ending (index: int) (value: byte) (watermark: int64) =
                  let far = at 1 [ 5L; 6L ] |> damaged index (fun _ -> value)
                  let answer = { fetchAnswer with Records = Some far; HighWatermark = watermark }

                  match Fetched.advance (fetchedAs (FetchPosition.at 5L) (Ok answer)) with
                  | Advance.Damaged([ stretch ], next) -> stretch.LastOffset, next |> Option.map _.Offset
                  | other -> failtestf "%O" other

              Expect.equal (ending 23 0x7Fuy 7L) (ValueNone, None) "far beyond the high watermark"
              Expect.equal (ending 26 2uy 7L) (ValueNone, None) "at the high watermark, which is the next offset of the log"
              Expect.equal (ending 26 2uy 8L) (ValueSome 7L, Some 8L) "before it"
          }

          test "a damaged last offset within the batches is ignored: the next batch shows where it ends" {
              let far = at 1 [ 5L; 6L ] |> damaged 23 (fun _ -> 0x7Fuy)
              isTo (position 8L 1) (Fetched.advance (fetched 5L (joined [ far; (at 1 [ 7L ]).Bytes ])))
          } ]

let private truncation =
    let answer code epoch offset : OffsetForLeaderEpoch.PartitionResponse =
        { Error = code; Partition = 0; LeaderEpoch = epoch; EndOffset = offset }

    testList
        "truncation"
        [ test "a log that diverges from what was read: continue where it diverges" {
              let answer = { fetchAnswer with DivergingEpoch = { Epoch = 3; EndOffset = 40L } }

              match Fetched.advance (fetchedAs (position 50L 4) (Ok answer)) with
              | Advance.Truncated next -> Expect.equal next (position 40L 3) "the position"
              | other -> failtestf "%O" other
          }

          for name, lastEpoch, answer, expected in
              [ "the epoch continues after the position", 4, answer ErrorCode.None 4 60L, Some Truncation.Intact
                "it ends there", 4, answer ErrorCode.None 4 50L, Some Truncation.Intact
                "it ends before it", 4, answer ErrorCode.None 4 45L, Some(Truncation.At(position 45L 4))
                "an earlier one ends before it", 4, answer ErrorCode.None 2 45L, Some(Truncation.At(position 45L 2))
                "the leader has no such epoch", 4, answer ErrorCode.None -1 -1L, Some Truncation.Somewhere
                "the position has none", -1, answer ErrorCode.None -1 -1L, Some Truncation.NotKnown
                "the broker does not lead", 4, answer ErrorCode.NotLeaderOrFollower -1 -1L, None ] do
              test ("a check: " + name) {
                  let unused = exchange OffsetForLeaderEpoch.api.Request (Error ClientFault.Closed)
                  let check = TruncationCheck(position 50L lastEpoch, unused, Ok answer)
                  Expect.equal check.Truncation expected "the finding"
              } ]

[<Tests>]
let tests = testList "advance" [ law; whole; beginnings; stretches; truncation ]
