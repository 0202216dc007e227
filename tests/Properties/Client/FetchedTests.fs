/// What a fetch gives: the data from the position on.
module LibKafka.Properties.Client.FetchedTests

open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Properties.Records.Samples
open LibKafka.Properties.Client.Support

let private record (offset: int64) : RecordData =
    { Offset = offset; Timestamp = 0L; Key = ValueNone; Value = ValueSome(Bytes.ofString (string offset)); Headers = [] }

/// A batch with records at these offsets that takes up the offsets to `last`, as compaction leaves it.
let private compacted (producer: int64) (offsets: int64 list) (first: int64) (last: int64) : RecordBatch =
    let options =
        { BatchOptions.standard with
            BaseOffset = first
            LastOffset = ValueSome last
            IsTransactional = producer >= 0L
            ProducerId = producer
            ProducerEpoch = 0s
            BaseSequence = 0 }

    BatchBuilder.build options (List.map record offsets) |> ok

let private transactional producer offsets = compacted producer offsets (List.head offsets) (List.last offsets)

/// The marker that ends a producer's transaction.
let private marker (producer: int64) (isCommit: bool) (offset: int64) : RecordBatch =
    let key = Bytes.ofHex (if isCommit then "00000001" else "00000000")

    let options =
        { BatchOptions.standard with
            BaseOffset = offset
            IsTransactional = true
            IsControl = true
            ProducerId = producer
            ProducerEpoch = 0s }

    BatchBuilder.build options [ { record offset with Key = ValueSome key; Value = ValueSome(Bytes.ofHex "000000000000") } ]
    |> ok

/// A log of two producers: producer 7 aborts what it writes first and commits what it writes then; producer 8 commits.
let private log: RecordBatch list =
    [ transactional 7L [ 10L; 11L ]
      compacted 8L [ 13L; 16L ] 12L 17L
      marker 7L false 18L
      transactional 7L [ 19L ]
      marker 8L true 20L
      marker 7L true 21L
      compacted -1L [ 24L ] 22L 30L
      compacted -1L [] 31L 33L ]

let private aborted: AbortedTransaction list = [ { ProducerId = 7L; FirstOffset = 10L } ]

/// A fetch at an offset of a response that begins with the batch that contains the offset.
let private fetchedFrom (isolation: IsolationLevel) (offset: int64) : Fetched =
    let records = log |> List.skipWhile (fun batch -> batch.LastOffset < offset) |> RecordSet.concat
    // A broker lists the transactions that reach the offset.
    let listed = if offset <= 18L then aborted else []
    let answer = { fetchAnswer with Records = Some records; AbortedTransactions = Some listed }
    fetchedWith Fetch.api.Versions.Highest isolation (FetchPosition.at offset) (Ok answer)

let private offsetsOf (fetched: Fetched) : int64 list = fetched.Records Reading.standard |> FetchedRecords.toList |> ok |> List.map _.Offset

let private itemOffsets (fetched: Fetched) : int64 list =
    fetched.Batches
    |> Seq.collect (RecordSetItem.openRecords Reading.standard >> Result.bind BatchRecords.toList >> ok)
    |> Seq.map _.Offset
    |> List.ofSeq

let private committed = [ 13L; 16L; 19L; 24L ]
let private written = [ 10L; 11L; 13L; 16L; 19L; 24L ]

let private data =
    testList
        "data"
        [ for isolation, all in [ IsolationLevel.ReadCommitted, committed; IsolationLevel.ReadUncommitted, written ] do
              test (string isolation + ": the records from any position on, without markers") {
                  for offset in 10L .. 34L do
                      let expected = all |> List.filter (fun each -> each >= offset)
                      Expect.equal (offsetsOf (fetchedFrom isolation offset)) expected ("from " + string offset)
                      Expect.equal (itemOffsets (fetchedFrom isolation offset)) expected ("by batches, from " + string offset)
              }

          test "the list of aborted transactions counts only for committed data" {
              let fetched = fetchedFrom IsolationLevel.ReadUncommitted 10L
              Expect.equal fetched.AbortedTransactions aborted "the broker sent it"
              Expect.equal (offsetsOf fetched) written "nothing is left out"
          }

          test "the raw batches have everything" {
              let fetched = fetchedFrom IsolationLevel.ReadCommitted 11L
              Expect.equal fetched.RawRecords (RecordSet.concat log) "the bytes"

              let batches =
                  [ for item in fetched.RawBatches do
                        match item with
                        | RecordSetItem.Batch(batch, _) -> batch
                        | other -> failtestf "%O" other ]

              Expect.equal batches log "the batches"
          }

          test "compressed batches and messages of an older format begin at the position too" {
              let packed = RecordBatch.compress gzip (transactional -1L [ 3L .. 9L ]) |> ok
              // Magic 1: no key and the value "v", at offset 11.
              let message = Bytes.ofHex "000000000000000b0000001752488c6a01000000000000000005ffffffff0000000176"
              let records = Bytes(Array.append (packed.Bytes.ToArray()) (message.ToArray()))
              let fetched = fetched 7L records
              let read = fetched.Records(Reading.withCodecs codecs) |> FetchedRecords.toList |> ok |> List.map _.Offset
              Expect.equal read [ 7L; 8L; 9L; 11L ] "the offsets"
          }

          test "an error code or a fault has no data" {
              for result in [ Ok { fetchAnswer with Error = ErrorCode.OffsetOutOfRange }; Error ClientFault.Closed ] do
                  Expect.isEmpty (offsetsOf (fetchedAs (FetchPosition.at 9L) result)) "no records"
          }

          test "iterating again begins anew" {
              let records = (fetchedFrom IsolationLevel.ReadCommitted 14L).Records Reading.standard
              Expect.equal (FetchedRecords.toList records) (FetchedRecords.toList records) "the same"
          } ]

let private unreadable =
    let damaged (batch: RecordBatch) =
        let bytes = batch.Bytes.ToArray()
        bytes[bytes.Length - 1] <- bytes[bytes.Length - 1] ^^^ 1uy
        Bytes bytes

    let joined (parts: Bytes list) = Bytes(parts |> List.map _.ToArray() |> Array.concat)

    test "bytes that cannot be read throw after the records before them, every time, and are a fault of the fold" {
        let bytes =
            joined [ (transactional -1L [ 1L; 2L ]).Bytes; damaged (transactional -1L [ 3L ]); (transactional -1L [ 4L ]).Bytes ]
        let records = (fetched 2L bytes).Records Reading.standard
        let mutable items = records.GetEnumerator()
        Expect.isTrue (items.MoveNext()) "the record before"
        Expect.equal items.Current.Offset 2L "its offset"

        for _ in 1..2 do
            let mutable found = ValueNone

            try
                items.MoveNext() |> ignore
            with :? CorruptRecordException as corrupt ->
                found <- ValueSome corrupt.Fault.Path

            Expect.equal found (ValueSome "Records[1]/Crc") "the fault"

        match FetchedRecords.toList records with
        | Error fault -> Expect.equal fault.Path "Records[1]/Crc" "the same fault"
        | Ok _ -> failtest "a fault was expected"
    }

[<Tests>]
let tests = testList "fetched" [ data; unreadable ]
