/// Records that cross between this client and Confluent.Kafka's, record for record.
module LibKafka.Integration.ForeignClientTests

open System
open System.Text
open Confluent.Kafka
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support

let private bytes (text: string) = Bytes.ofString text

/// Records with everything that a record can have, at the offsets that they will have in an empty partition.
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
      // Timestamps are each record's own: later, earlier than the first, the same again.
      { plain with Timestamp = start + 86_400L }
      { plain with Timestamp = start - 1_000_000L }
      { plain with Timestamp = start }
      { plain with Headers = [ header "a" (bytes "1") ] }
      // Order and duplicates count; null and empty are different; names are text in UTF-8.
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

let private ofArray (array: byte[]) : Bytes voption =
    match box array with
    | null -> ValueNone
    | _ -> ValueSome(Bytes array)

let private toArray (bytes: Bytes voption) : byte[] =
    match bytes with
    | ValueSome bytes -> bytes.ToArray()
    | ValueNone -> Unchecked.defaultof<byte[]>

let private ofResult (result: ConsumeResult<byte[], byte[]>) : RecordData =
    { Offset = result.Offset.Value
      Timestamp = result.Message.Timestamp.UnixTimestampMs
      Key = ofArray result.Message.Key
      Value = ofArray result.Message.Value
      Headers = [ for header in result.Message.Headers -> { Key = bytes header.Key; Value = ofArray (header.GetValueBytes()) } ] }

/// Reads so many records with Confluent.Kafka's consumer, which checks the batches' checksums too.
let private consume (cluster: TestCluster) (topic: string) (count: int) : RecordData list =
    let config =
        ConsumerConfig(
            BootstrapServers = cluster.Bootstrap(),
            GroupId = topic,
            EnableAutoCommit = false,
            AutoOffsetReset = AutoOffsetReset.Error,
            FetchWaitMaxMs = 50,
            CheckCrcs = true
        )

    use consumer = ConsumerBuilder<byte[], byte[]>(config).Build()
    consumer.Assign(TopicPartitionOffset(topic, Partition 0, Offset.Beginning))

    List.init count (fun i ->
        match box (consumer.Consume(ms 20_000)) with
        | :? ConsumeResult<byte[], byte[]> as result -> ofResult result
        | _ -> failtestf "only %d of %d records came" i count)

/// Writes records with Confluent.Kafka's producer, in batches of three at most.
let private produce (cluster: TestCluster) (topic: string) (records: RecordData list) =
    let config =
        ProducerConfig(
            BootstrapServers = cluster.Bootstrap(),
            LingerMs = 5.0,
            BatchNumMessages = 3,
            CompressionType = Confluent.Kafka.CompressionType.None
        )

    use producer = ProducerBuilder<byte[], byte[]>(config).Build()
    let failures = ResizeArray<string>()

    let message (record: RecordData) =
        let headers = Headers()

        for header in record.Headers do
            headers.Add(header.Name, toArray header.Value)

        Message<byte[], byte[]>(
            Key = toArray record.Key,
            Value = toArray record.Value,
            Timestamp = Timestamp(record.Timestamp, Confluent.Kafka.TimestampType.CreateTime),
            Headers = headers
        )

    let note (report: DeliveryReport<byte[], byte[]>) =
        if report.Error.IsError then
            lock failures (fun () -> failures.Add report.Error.Reason)

    for record in records do
        producer.Produce(TopicPartition(topic, Partition 0), message record, note)

    Expect.equal (producer.Flush(ms 20_000)) 0 "everything was delivered"
    Expect.isEmpty failures "without an error"

let private sameRecords (actual: RecordData list) (expected: RecordData list) =
    Expect.equal actual.Length expected.Length "as many records"

    for actual, expected in List.zip actual expected do
        Expect.equal actual expected ("record " + string expected.Offset)

/// Produces the records with this client, in batches of so many, checking where each batch comes to stand.
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

          testCase "and this one read each what the other produced, in one log" (fun () ->
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
                              | RecordSetItem.Batch batch ->
                                  Expect.equal (acknowledged (producer.Produce batch)) batch.BaseOffset "at the same offset"
                              | _ -> ())

                      sameRecords (consume cluster target everything.Length) everything))) ])
