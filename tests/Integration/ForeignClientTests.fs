/// Records exchanged between this client and Confluent.Kafka's, compared record by record.
module LibKafka.Integration.ForeignClientTests

open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Client
open LibKafka.Integration.Clusters
open LibKafka.Integration.ForeignClient
open LibKafka.Integration.Support

let private bytes (text: string) = Bytes.ofString text

/// Records with everything that a record can have, with their offsets in an empty partition.
let private everything: RecordData list =
    let plain = { Offset = 0L; Timestamp = start; Key = text "key"; Value = text "value"; Headers = [] }
    let header = RecordHeader.create

    [ plain
      { plain with Key = ValueNone }
      { plain with Value = ValueNone }
      { plain with Key = ValueNone; Value = ValueNone }
      { plain with Key = text ""; Value = text "" }
      { plain with Key = text ""; Value = ValueNone }
      { plain with Key = ValueNone; Value = text "" }
      // Each record has its own timestamp: later, earlier than the first, the same again.
      { plain with Timestamp = start + 86_400L }
      { plain with Timestamp = start - 1_000_000L }
      { plain with Timestamp = start }
      { plain with Headers = [ header "a" (bytes "1") ] }
      // Order and duplicates matter; null and empty differ; names are text in UTF-8.
      { plain with
          Headers =
              [ header "b" (bytes "1")
                header "a" (bytes "2")
                header "b" (bytes "1")
                header "b" (bytes "3")
                header "empty" Bytes.empty
                RecordHeader.withoutValue "null"
                RecordHeader.withoutValue "null"
                header "größe-大きさ" (Bytes [| 0uy; 255uy |]) ] }
      { plain with Value = ValueSome(Bytes(Array.init 100_000 byte)) }
      { plain with Key = ValueSome(Bytes(Array.init 256 byte)) } ]
    |> List.mapi (fun i record -> { record with Offset = int64 i })

/// With Confluent.Kafka's producer, in batches of three at most.
let private produce (cluster: TestCluster) (topic: string) (records: RecordData list) =
    produce cluster topic records (fun config ->
        config.LingerMs <- 5.0
        config.BatchNumMessages <- 3
        config.CompressionType <- Confluent.Kafka.CompressionType.None)

/// Produces the records with this client, in batches of a given size, and checks the offset of each batch.
let private produceOurs (client: PartitionClient) (perBatch: int) (records: RecordData list) =
    let producer = new PartitionProducer(client, ProducerSettings.standard)

    for part in List.chunkBySize perBatch records do
        let first = part.Head.Offset
        let fromZero = part |> List.map (fun record -> { record with Offset = record.Offset - first })
        Expect.equal (acknowledged (producer.Produce(batchOf fromZero))) first "the batch's offset"

[<Tests>]
let tests =
    onEachUnsecured "foreign client" (fun cluster ->
        [ for perBatch in [ 1; 5; everything.Length ] do
              testCase ("reads what we produce, " + string perBatch + " records to a batch") (fun () ->
                  cluster.WithPartition(fun topic client ->
                      produceOurs client perBatch everything
                      sameRecords (consume cluster topic everything.Length) everything))

          testCase "produces what we read" (fun () ->
              cluster.WithPartition(fun topic client ->
                  produce cluster topic everything
                  let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
                  sameRecords (fetchUntil (int64 everything.Length) fetcher) everything))

          testCase "and this client read what the other produced, in one log" (fun () ->
              cluster.WithPartition(fun topic client ->
                  let count = int64 everything.Length
                  let again = everything |> List.map (fun record -> { record with Offset = record.Offset + count })
                  produce cluster topic everything
                  produceOurs client 4 again
                  let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
                  sameRecords (fetchUntil (2L * count) fetcher) (everything @ again)
                  sameRecords (consume cluster topic (2 * everything.Length)) (everything @ again)))

          testCase "reads a batch that was fetched and forwarded untouched" (fun () ->
              cluster.WithPartition(fun source from ->
                  cluster.WithPartition(fun target towards ->
                      produce cluster source everything
                      let fetcher = new PartitionFetcher(from, FetcherSettings.standard, 0L)
                      let producer = new PartitionProducer(towards, ProducerSettings.standard)

                      readUntil (int64 everything.Length) fetcher (fun fetched ->
                          for item in fetched.Batches do
                              match item with
                              | RecordSetItem.Batch(batch, _) ->
                                  Expect.equal (acknowledged (producer.Produce batch)) batch.BaseOffset "at the same offset"
                              | _ -> ())

                      sameRecords (consume cluster target everything.Length) everything))) ])
