/// Keyed records to a topic with 48 partitions, from records in memory until each is acknowledged by all replicas. Each client in a process of its own, on
/// mock brokers or on a cluster.
module LibKafka.Benchmarks.EndToEnd.TopicProduce

open System
open System.Collections.Generic
open System.Runtime.InteropServices
open System.Threading
open Confluent.Kafka
open LibKafka.Records
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Benchmarks.Rows
open LibKafka.Benchmarks.Baseline
open LibKafka.Benchmarks.EndToEnd.Workload
open LibKafka.Benchmarks.EndToEnd.Processes
open LibKafka.Benchmarks.EndToEnd.Comparison

let private records = 5_000_000

/// 100 bytes a record.
let private keySize = 10

let private pieces (count: int) (size: int) : byte[][] =
    let random = Random 2

    Array.init count (fun _ ->
        let piece = Array.zeroCreate<byte> size
        random.NextBytes piece
        piece)

let private keys = pieces 9973 keySize
let private values = pieces 1000 (valueSize - keySize)

/// This library.
let private ours (bootstrap: string) : unit -> unit =
    let producer =
        match TopicProducer.Open(Ours.settings, Ours.brokersAt bootstrap, keyedTopic) with
        | Error fault -> invalidOp (fault.ToString())
        | Ok producer -> producer

    let mutable delivered = 0

    let take (events: ProducerEvent list) =
        for event in events do
            match event with
            | ProducerEvent.Delivered batch -> delivered <- delivered + batch.Life.Records
            | other -> invalidOp (other.ToString())

    fun () ->
        delivered <- 0
        let now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()
        let mutable index = 0

        while index < records do
            let key, value = keys[index % keys.Length], values[index % values.Length]

            if producer.Add(key, value, ReadOnlySpan.Empty, now).IsFull then
                take (producer.Poll(TimeSpan.FromMinutes 1.0))
            else
                index <- index + 1

        take (producer.Flush(TimeSpan.FromMinutes 1.0))

        if delivered <> records then
            invalidOp $"{delivered} of {records} records were delivered"

/// A bare socket: the records of each partition are put aside, encoded and sent a batch at a time.
let private bare (bootstrap: string) : unit -> unit =
    let socket = Bare.client bootstrap
    let waiting = Array.init topicPartitions (fun _ -> List<Input> batchRecords)

    let send partition =
        let batch = waiting[partition]
        let records = CollectionsMarshal.AsSpan batch
        socket.Produce(keyedTopic, partition, Span<Input>.op_Implicit records) |> ignore
        batch.Clear()

    fun () ->
        let now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()

        for index in 0 .. records - 1 do
            let key = keys[index % keys.Length]
            let partition = Partitioner.ofKey topicPartitions (ReadOnlySpan key)
            waiting[partition].Add(Input(now, key, values[index % values.Length], Array.empty))
            if waiting[partition].Count = 8_500 then send partition

        for partition in 0 .. topicPartitions - 1 do
            if waiting[partition].Count > 0 then send partition

/// Confluent.Kafka with the same partitions for the same keys, and with idempotence.
let private confluent (bootstrap: string) : unit -> unit =
    let config =
        ProducerConfig(
            BootstrapServers = bootstrap,
            EnableIdempotence = true,
            Partitioner = Partitioner.Murmur2Random,
            BatchSize = 1_000_000,
            BatchNumMessages = 100_000,
            LingerMs = 5.0,
            QueueBufferingMaxMessages = 2_000_000,
            QueueBufferingMaxKbytes = 1024 * 1024,
            DeliveryReportFields = "status"
        )

    let producer = ProducerBuilder<byte[], byte[]>(config).SetLogHandler(fun _ _ -> ()).Build()
    let messages =
        [| for index in 0..99_999 -> Message<byte[], byte[]>(Key = keys[index % keys.Length], Value = values[index % values.Length]) |]
    let delivered = ref 0

    let handler =
        Action<DeliveryReport<byte[], byte[]>>(fun report ->
            if not report.Error.IsError then
                Interlocked.Increment &delivered.contents |> ignore)

    let rec produce (message: Message<byte[], byte[]>) =
        try
            producer.Produce(keyedTopic, message, handler)
        with :? ProduceException<byte[], byte[]> as full when full.Error.Code = ErrorCode.Local_QueueFull ->
            producer.Poll(TimeSpan.FromMilliseconds 10.0) |> ignore
            produce message

    fun () ->
        delivered.Value <- 0

        for index in 0 .. records - 1 do
            produce messages[index % messages.Length]

        producer.Flush ConfluentKafka.patience |> ignore

        if not (SpinWait.SpinUntil((fun () -> Volatile.Read &delivered.contents = records), ConfluentKafka.patience)) then
            invalidOp $"Confluent.Kafka delivered {delivered.Value} of {records} records"

let private sides = Map [ "ours", ours; "bare", bare; "confluent", confluent ]

/// Produces in this process with one of the clients, and prints a line for each round.
let side (name: string) (bootstrap: string) (rounds: int) =
    let work = sides[name] bootstrap
    repeat rounds work

/// 5 million records.
let rows (site: Site) : Row list =
    onBrokers site Mock [ keyed ] (fun bootstrap ->
        takingTurns site 2 [ "ours"; "bare"; "confluent" ] (fun name rounds -> child [ "topic-produce"; name; bootstrap; string rounds ])
        |> bulkRows "topic-produce" "" records)
