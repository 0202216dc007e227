/// Compressed batches exchanged between this client and Confluent.Kafka's, compared record by record.
module LibKafka.Integration.CompressionTests

open System
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Compression
open LibKafka.Integration.Clusters
open LibKafka.Integration.ForeignClient
open LibKafka.Integration.Support

/// Enough for several blocks of each format: lines that compress well, and some values that do not.
let private records: RecordData list =
    let random = Random 17

    let value (i: int) =
        match i % 100 with
        | 7 -> ValueNone
        | 13 -> text ""
        | 42 ->
            let noise = Array.zeroCreate<byte> 10_000
            random.NextBytes noise
            ValueSome(Bytes noise)
        | _ ->
            text (
                "{\"id\":"
                + string (random.Next 1_000_000)
                + ",\"user\":\"user-"
                + string (i % 50)
                + "\",\"state\":\"open\",\"at\":"
                + string i
                + "}"
            )

    List.init 2000 (fun i ->
        { Offset = int64 i
          Timestamp = start + int64 i
          Key = if i % 10 = 0 then ValueNone else text ("key-" + string (i % 37))
          Value = value i
          Headers = if i % 5 = 0 then [ RecordHeader.create "trace" (Bytes.ofString (string i)) ] else [] })

/// With Confluent.Kafka's producer, in a few large batches.
let private produce (cluster: TestCluster) (topic: string) (compression: Confluent.Kafka.CompressionType) (level: int) =
    produce cluster topic records (fun config ->
        config.LingerMs <- 300.0
        config.BatchNumMessages <- 10_000
        config.CompressionType <- compression
        config.CompressionLevel <- level)

/// Every batch from the fetcher's offset to the last record.
let private batchesOf (fetcher: PartitionFetcher) : RecordBatch list =
    let batches = ResizeArray<RecordBatch>()

    readUntil (int64 records.Length) fetcher (fun fetched ->
        for item in fetched.Batches do
            match item with
            | RecordSetItem.Batch(batch, _) -> batches.Add batch
            | RecordSetItem.CutOff _ -> ()
            | other -> failtestf "no batch: %O" other)

    List.ofSeq batches

let private codecs: ICompressionCodec list =
    [ Gzip(); Gzip 1; Gzip 9; Snappy(); Lz4(); Lz4 9; Lz4 12; Zstd -5; Zstd 1; Zstd(); Zstd 19 ]

[<Tests>]
let tests =
    onEachUnsecured "foreign client, compressed" (fun cluster ->
        /// Brokers before Kafka 2.1 do not know zstd.
        let requireBrokersFor (compression: CompressionType) =
            if compression = CompressionType.Zstd then cluster.Requires(ApiKey.Produce, 7s)

        [ for codec in codecs do
              for perBatch in [ 150; records.Length ] do
                  let name = "reads what we pack, " + string perBatch + " records to a batch: " + nonNull (codec.ToString())

                  testCase name (fun () ->
                      requireBrokersFor codec.Type

                      cluster.WithPartition(fun topic client ->
                          let producer = new PartitionProducer(client, ProducerSettings.standard)

                          for part in List.chunkBySize perBatch records do
                              let first = part.Head.Offset
                              let plain = part |> List.map (fun record -> { record with Offset = record.Offset - first }) |> batchOf
                              let packed = RecordBatch.compress codec plain |> ok
                              Expect.isLessThan packed.SizeInBytes plain.SizeInBytes "it got smaller"
                              Expect.equal (acknowledged (producer.Produce packed)) first "the batch's offset"

                          sameRecords (consume cluster topic records.Length) records))

          for compression, theirs, level in
              [ CompressionType.Gzip, Confluent.Kafka.CompressionType.Gzip, -1
                CompressionType.Gzip, Confluent.Kafka.CompressionType.Gzip, 9
                CompressionType.Snappy, Confluent.Kafka.CompressionType.Snappy, -1
                CompressionType.Lz4, Confluent.Kafka.CompressionType.Lz4, -1
                CompressionType.Lz4, Confluent.Kafka.CompressionType.Lz4, 12
                CompressionType.Zstd, Confluent.Kafka.CompressionType.Zstd, -1
                CompressionType.Zstd, Confluent.Kafka.CompressionType.Zstd, 12 ] do
              testCase
                  ("compresses what we read: " + LibKafka.Records.CompressionType.name compression + ", level " + string level)
                  (fun () ->
                      requireBrokersFor compression

                      cluster.WithPartition(fun topic client ->
                          produce cluster topic theirs level
                          let batches = batchesOf (new PartitionFetcher(client, FetcherSettings.standard, 0L))
                          Expect.exists batches (fun batch -> batch.Compression = compression) "there are batches so packed"

                          for batch in batches do
                              if batch.Compression <> compression && batch.Compression <> CompressionType.None then
                                  failtestf "packed otherwise: %O" batch.Compression

                          sameRecords (batches |> List.collect (RecordBatch.toList (Reading.withCodecs AllCodecs.Set) >> ok)) records))

          for codec in [ Gzip() :> ICompressionCodec; Snappy(); Lz4(); Zstd() ] do
              testCase ("reads a batch of its own that was fetched and compressed again: " + nonNull (codec.ToString())) (fun () ->
                  requireBrokersFor codec.Type

                  cluster.WithPartition(fun source from ->
                      cluster.WithPartition(fun target towards ->
                          produce cluster source Confluent.Kafka.CompressionType.Snappy -1
                          let producer = new PartitionProducer(towards, ProducerSettings.standard)

                          for batch in batchesOf (new PartitionFetcher(from, FetcherSettings.standard, 0L)) do
                              let plain = RecordBatch.decompress (Reading.withCodecs AllCodecs.Set) batch |> ok
                              let packed = RecordBatch.compress codec plain |> ok
                              Expect.equal (acknowledged (producer.Produce packed)) batch.BaseOffset "at the same offset"

                          sameRecords (consume cluster target records.Length) records))) ])
