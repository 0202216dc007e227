/// Confluent.Kafka's consumer and producer, and its records as this client has them.
module LibKafka.Integration.ForeignClient

open Confluent.Kafka
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support

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
      Headers = [ for header in result.Message.Headers -> { Key = Bytes.ofString header.Key; Value = ofArray (header.GetValueBytes()) } ] }

/// Reads a number of records with Confluent.Kafka's consumer, which verifies the batches' checksums too.
let consume (cluster: TestCluster) (topic: string) (count: int) : RecordData list =
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

/// Writes records with Confluent.Kafka's producer, after `configure`.
let produce (cluster: TestCluster) (topic: string) (records: RecordData list) (configure: ProducerConfig -> unit) =
    let config = ProducerConfig(BootstrapServers = cluster.Bootstrap())
    configure config
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

/// Compares record by record, so that a failure shows the first difference.
let sameRecords (actual: RecordData list) (expected: RecordData list) =
    Expect.equal actual.Length expected.Length "as many records"

    for actual, expected in List.zip actual expected do
        Expect.equal actual expected ("record " + string expected.Offset)
