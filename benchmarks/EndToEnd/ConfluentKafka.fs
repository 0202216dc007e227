/// Confluent.Kafka. For throughput it gets batches of the same size, queues that hold all records, and reports without data; for single
/// records, no linger. It verifies checksums, as this library does.
module LibKafka.Benchmarks.EndToEnd.ConfluentKafka

open System
open System.Threading
open Confluent.Kafka
open LibKafka.Benchmarks.EndToEnd.Workload

let patience = TimeSpan.FromSeconds 60.0

let private producerOf<'Key> (config: ProducerConfig) : IProducer<'Key, byte[]> =
    ProducerBuilder<'Key, byte[]>(config).SetLogHandler(fun _ _ -> ()).Build()

let bulkProducer<'Key> (bootstrap: string) (isIdempotent: bool) : IProducer<'Key, byte[]> =
    producerOf (
        ProducerConfig(
            BootstrapServers = bootstrap,
            Acks = Acks.All,
            EnableIdempotence = isIdempotent,
            BatchSize = 1_000_000,
            BatchNumMessages = batchRecords,
            LingerMs = 5.0,
            QueueBufferingMaxMessages = 4 * batches * batchRecords,
            QueueBufferingMaxKbytes = 1024 * 1024,
            DeliveryReportFields = "status"
        )
    )

let private promptProducer (bootstrap: string) : IProducer<Null, byte[]> =
    producerOf (ProducerConfig(BootstrapServers = bootstrap, Acks = Acks.All, LingerMs = 0.0, SocketNagleDisable = true))

/// A consumer whose results have no more fields than needed. The fetch queue's limits are at their maximum, since fetching pauses for a
/// second when one is reached.
let consumer<'Key> (bootstrap: string) (fields: string) : IConsumer<'Key, byte[]> =
    let config =
        ConsumerConfig(
            BootstrapServers = bootstrap,
            GroupId = "libkafka-bench",
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            CheckCrcs = true,
            MaxPartitionFetchBytes = fetchBytes,
            FetchWaitMaxMs = 10,
            QueuedMinMessages = 10_000_000,
            QueuedMaxMessagesKbytes = 2_000_000,
            ConsumeResultFields = fields
        )

    ConsumerBuilder<'Key, byte[]>(config).SetLogHandler(fun _ _ -> ()).Build()

let private messages = [| for value in values -> Message<Null, byte[]>(Value = value) |]

let private produceAll (producer: IProducer<Null, byte[]>) (partitions: int) =
    let delivered = ref 0
    let total = batches * batchRecords

    // Reports arrive on the thread that flushes and on the producer's own thread.
    let handler =
        Action<DeliveryReport<Null, byte[]>>(fun report ->
            if not report.Error.IsError then
                Interlocked.Increment &delivered.contents |> ignore)

    for batch in 0 .. batches - 1 do
        let target = TopicPartition(produceTopic, Partition(batch % partitions))

        for index in 0 .. batchRecords - 1 do
            producer.Produce(target, messages[index % messages.Length], handler)

    producer.Flush patience |> ignore

    // The last reports may not have reached the handler yet.
    if not (SpinWait.SpinUntil((fun () -> Volatile.Read &delivered.contents = total), patience)) then
        invalidOp $"Confluent.Kafka delivered {delivered.Value} of {total} records"

/// Reads that many records.
let take (consumer: IConsumer<Ignore, byte[]>) (size: int) (records: int) =
    let mutable left = records

    while left > 0 do
        match consumer.Consume patience with
        | null -> invalidOp $"Confluent.Kafka did not get the last {left} records"
        | result -> if result.Message.Value.Length = size then left <- left - 1

/// Reads a round of records of a size in order.
let fetchAll (consumer: IConsumer<Ignore, byte[]>) (size: int) =
    consumer.Assign [ TopicPartitionOffset(fetchTopicOf size, Partition 0, Offset 0L) ]
    take consumer size (fetchRecordsOf size)
    consumer.Unassign()

let connect (bootstrap: string) : Side =
    let bulk = lazy (bulkProducer<Null> bootstrap false)
    let idempotent = lazy (bulkProducer<Null> bootstrap true)
    let prompt = lazy (promptProducer bootstrap)
    let reading = lazy (consumer<Ignore> bootstrap "none")
    let target = TopicPartition(singleTopic, Partition 0)
    let close (it: Lazy<#IDisposable>) = if it.IsValueCreated then it.Value.Dispose()

    { new Side with
        member _.Produce partitions = produceAll bulk.Value partitions
        member _.ProduceIdempotently() = produceAll idempotent.Value 1
        member _.Fetch() = fetchAll reading.Value valueSize
        member _.ProduceOne() = prompt.Value.ProduceAsync(target, messages[0]).GetAwaiter().GetResult() |> ignore

        member _.Dispose() =
            close bulk
            close idempotent
            close prompt
            close reading }
