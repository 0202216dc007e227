/// Record batches that real clients sent and that a real broker returned.
module LibKafka.Properties.Records.CapturedBatches

open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Properties.Protocol.Captures

let private itemsOf (records: Bytes) : RecordSetItem list =
    [ for item in RecordSet.splitVerified records do
          item ]

let private batchesOf (records: RecordedRecords) : RecordBatch list =
    itemsOf records.Records
    |> List.choose (function
        | RecordSetItem.Batch(batch, _) -> Some batch
        | _ -> None)

let private name (records: RecordedRecords) = records.From.Client + " " + records.From.Api + " " + records.From.Scenario

/// Whether the broker refused the batches. Some are malformed on purpose.
let private isRefused (records: RecordedRecords) = records.Sent && not (List.isEmpty records.From.Errors)

let private all = recordsIn.Value

let private sound = all |> List.filter (isRefused >> not)

/// The records with the timestamps from their producers.
let private stored (batch: RecordBatch) : Result<RecordData list, Fault> =
    RecordBatch.openRecords Reading.standard batch |> Result.bind (fun view -> BatchRecords.toList (view.WithCreateTime()))

[<Tests>]
let tests =
    testList
        "recorded batches"
        [ test "there are batches of every client and of every compression" {
              let clients = all |> List.map (fun records -> records.From.Client) |> List.distinct
              let compressions = all |> List.collect batchesOf |> List.map _.Compression |> List.distinct
              Expect.isGreaterThan clients.Length 4 "clients"
              Expect.isGreaterThan compressions.Length 3 "compressions"
          }

          test "every item is a batch with the right checksum, except those that the broker refused and the end of a fetch" {
              for records in sound do
                  for item in itemsOf records.Records do
                      match item with
                      | RecordSetItem.Batch _ -> ()
                      | RecordSetItem.CutOff _ when not records.Sent -> ()
                      | other -> failtest (name records + ": " + other.ToString())
          }

          test "the records of every compression are read, and read the same after another compression" {
              for records in sound do
                  for batch in batchesOf records do
                      let read = RecordBatch.toList (Reading.withCodecs AllCodecs.Set) batch
                      Expect.equal (read |> Result.map List.length) (Ok batch.Count) (name records)

                      match AllCodecs.Set.Find batch.Compression, RecordBatch.decompress (Reading.withCodecs AllCodecs.Set) batch with
                      | null, plain -> Expect.equal plain (Ok batch) (name records)
                      | codec, plain ->
                          let again = plain |> Result.bind (RecordBatch.compress codec)
                          Expect.equal (again |> Result.bind (RecordBatch.toList (Reading.withCodecs AllCodecs.Set))) read (name records)
          }

          test "what the broker refused is read or reported, never lost" {
              for records in all |> List.filter isRefused do
                  Expect.isTrue (records.Records.Length = 0 || not (List.isEmpty (itemsOf records.Records))) (name records)
          }

          test "uncompressed records are read and written to the same bytes" {
              for records in sound do
                  for batch in batchesOf records do
                      if batch.Compression = CompressionType.None then
                          let again = stored batch |> Result.bind (BatchBuilder.build (BatchOptions.ofHeader batch.Header))

                          Expect.equal (again |> Result.map _.Bytes) (Ok batch.Bytes) (name records)
          } ]
