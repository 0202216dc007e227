/// Record batches that real clients sent and that a real broker returned.
module LibKafka.Properties.Records.CapturedBatches

open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Properties
open LibKafka.Properties.Protocol.Captures

let private itemsOf (records: Bytes) : RecordSetItem list =
    [ for item in RecordSet.splitVerified records do
          item ]

let private batchesOf (records: RecordedRecords) : RecordBatch list =
    itemsOf records.Records
    |> List.choose (function
        | RecordSetItem.Batch(batch, _) -> Some batch
        | _ -> None)

let private name (records: RecordedRecords) = records.From.ToString()

/// Records that the broker refused or never acknowledged, and those that were made by hand: some are wrong on purpose.
let private isDoubtful (records: RecordedRecords) =
    records.Sent && (records.From.IsHandMade || records.From.ClosedByBroker || not (List.isEmpty records.From.Errors))

let private all = recordsIn.Value

let private sound = all |> List.filter (isDoubtful >> not)

/// What the broker returned to a client that makes requests by hand. Some of the batches were made by hand too: the broker accepts gaps in
/// the offsets and other things that no client writes.
let private isOfHandMade (records: RecordedRecords) = records.From.IsHandMade

/// The records with the timestamps from their producers.
let private stored (batch: RecordBatch) : Result<RecordData list, Fault> =
    RecordBatch.openRecords Reading.standard batch |> Result.bind (fun view -> BatchRecords.toList (view.WithCreateTime()))

[<Tests>]
let tests =
    testList
        "recorded batches"
        [ test "there are batches of every client and of every compression" {
              if TestData.areOwn "LIBKAFKA_CAPTURES" then
                  let clients = all |> List.map (fun records -> records.From.Client) |> List.distinct
                  let compressions = all |> List.collect batchesOf |> List.map _.Compression |> List.distinct
                  Expect.isGreaterThan clients.Length 4 "clients"
                  Expect.isGreaterThan compressions.Length 3 "compressions"
          }

          test "what a client sent and the broker accepted, and what the broker returned, are batches with the right checksums" {
              for records in sound do
                  for item in itemsOf records.Records do
                      match item with
                      | RecordSetItem.Batch _
                      | RecordSetItem.Legacy _ -> ()
                      // The end of a fetch.
                      | RecordSetItem.CutOff _ when not records.Sent -> ()
                      | other -> failtest (name records + ": " + other.ToString())
          }

          test "the records of every compression are read, and read the same after another compression" {
              for records in sound do
                  for batch in batchesOf records do
                      let read = RecordBatch.toList (Reading.withCodecs AllCodecs.Set) batch
                      if read.IsOk || not (isOfHandMade records) then
                          Expect.equal (read |> Result.map List.length) (Ok batch.Count) (name records)

                      match AllCodecs.Set.Find batch.Compression, RecordBatch.decompress (Reading.withCodecs AllCodecs.Set) batch with
                      | null, plain -> Expect.equal plain (Ok batch) (name records)
                      | codec, plain ->
                          let again = plain |> Result.bind (RecordBatch.compress codec)
                          Expect.equal (again |> Result.bind (RecordBatch.toList (Reading.withCodecs AllCodecs.Set))) read (name records)
          }

          test "all bytes that were made by hand or refused belong to a batch or to a fault" {
              for records in all |> List.filter isDoubtful do
                  Expect.equal (itemsOf records.Records |> List.sumBy _.SizeInBytes) records.Records.Length (name records)
          }

          test "uncompressed records are read and written to the same bytes" {
              for records in sound do
                  for batch in batchesOf records do
                      if batch.Compression = CompressionType.None then
                          let again = stored batch |> Result.bind (BatchBuilder.build (BatchOptions.ofHeader batch.Header))

                          if isOfHandMade records then
                              again |> Result.iter (fun again -> Expect.equal (stored again) (stored batch) (name records))
                          else
                              Expect.equal (again |> Result.map _.Bytes) (Ok batch.Bytes) (name records)
          } ]
