/// Producing and fetching through real sockets, beside Confluent.Kafka on the same brokers and beside bare sockets that carry as many bytes.
///
/// The brokers are librdkafka's mock ones, inside this process: a broker that keeps its log in memory and looks into no batch, so what is
/// compared is the clients. All of a cluster's brokers share one thread.
///
/// Every side is connected and warm before its clock runs. They take turns, so that whatever else the machine does hits all of them, and the
/// median of their rounds counts.
module LibKafka.Benchmarks.EndToEnd

open System
open System.Diagnostics
open System.Net
open System.Net.Sockets
open System.Threading
open Confluent.Kafka
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Client
open LibKafka.Tests
open LibKafka.Benchmarks.Rows

let private partitions = 16

/// Four batches of a partition stay within the 5 MiB that the mock keeps of it.
let private batches = 4

/// Just under 1 MB, which is what a broker takes by default.
let private batchRecords = 9_000

let private valueSize = 100
let private records = partitions * batches * batchRecords
let private warmUps = 2
let private rounds = 15
let patience = TimeSpan.FromSeconds 30.0

/// Values to produce, over and over.
let private values: byte[][] =
    let random = Random 1

    Array.init 1000 (fun _ ->
        let value = Array.zeroCreate<byte> valueSize
        random.NextBytes value
        value)

// ---------------------------------------------------------------------------------------------------------------------
// Ours: one partition client after another, all in this thread

let private settings = { ClientSettings.standard with ClientId = "libkafka-bench" }

let private clients (mock: MockCluster) topic : PartitionClient list =
    let brokers: BrokerAddress list = [ for _, host, port in mock.Brokers -> { Host = host; Port = port } ]
    [ for partition in 0 .. partitions - 1 -> new PartitionClient(settings, brokers, { Topic = topic; Partition = partition }) ]

let private fill (builder: BatchBuilder) =
    let now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()
    builder.Reset()

    for index in 0 .. batchRecords - 1 do
        if not (builder.TryAdd(now, NullableSpan.Null, NullableSpan(ReadOnlySpan values[index % values.Length]))) then
            invalidOp "a batch without a limit is full"

let private produceOne (builder: BatchBuilder) (producer: PartitionProducer) =
    fill builder

    match producer.Produce(builder.Build()).Outcome with
    | ProduceOutcome.Acknowledged _ -> ()
    | _ -> invalidOp $"{producer.Client.Partition}: a batch was not acknowledged"

let private produceOurs (builder: BatchBuilder) (producers: PartitionProducer list) =
    for producer in producers do
        for _ in 1..batches do
            produceOne builder producer

/// The number of records in a batch whose values are all looked at.
let private readBatch (batch: RecordBatch) : int =
    match RecordBatch.openRecords settings.Limits Codecs.none batch with
    | Error fault -> invalidOp (fault.ToString())
    | Ok view ->
        let mutable count = 0

        for record in view do
            if record.Value.Length = valueSize then count <- count + 1

        count

let private fetchOne (fetcher: PartitionFetcher) : int =
    let fetched = fetcher.Fetch()
    let mutable count = 0

    for item in fetched.Batches do
        match item with
        | RecordSetItem.Batch batch -> count <- count + readBatch batch
        | RecordSetItem.CutOff _ -> ()
        | RecordSetItem.Corrupt corrupt -> invalidOp (corrupt.ToString())

    if count = 0 then
        invalidOp $"{fetcher.Client.Partition}: nothing at offset {fetcher.Offset}"

    fetcher.Offset <- Fetched.nextOffset fetched
    count

let private fetchOurs (fetchers: PartitionFetcher list) =
    for fetcher in fetchers do
        fetcher.Offset <- 0L
        let mutable left = batches * batchRecords

        while left > 0 do
            left <- left - fetchOne fetcher

// ---------------------------------------------------------------------------------------------------------------------
// Confluent.Kafka, set up for throughput: batches like ours, room for all of the records, and nothing reported but success

let confluentProducer<'Key> (mock: MockCluster) : IProducer<'Key, byte[]> =
    let config =
        ProducerConfig(
            BootstrapServers = mock.Bootstrap,
            Acks = Acks.All,
            BatchSize = 1_000_000,
            BatchNumMessages = batchRecords,
            LingerMs = 5.0,
            QueueBufferingMaxMessages = 2 * records,
            QueueBufferingMaxKbytes = 1024 * 1024,
            DeliveryReportFields = "status"
        )

    ProducerBuilder<'Key, byte[]>(config).SetLogHandler(fun _ _ -> ()).Build()

let private produceConfluent topic (producer: IProducer<Null, byte[]>) =
    let messages = [| for value in values -> Message<Null, byte[]>(Value = value) |]
    let delivered = ref 0

    // Reports come on the thread that flushes and on the producer's own.
    let handler =
        Action<DeliveryReport<Null, byte[]>>(fun report ->
            if not report.Error.IsError then
                Interlocked.Increment &delivered.contents |> ignore)

    for partition in 0 .. partitions - 1 do
        let target = TopicPartition(topic, partition)

        for index in 0 .. batches * batchRecords - 1 do
            producer.Produce(target, messages[index % messages.Length], handler)

    producer.Flush patience |> ignore

    // The last ones may still be on their way to the handler.
    if not (SpinWait.SpinUntil((fun () -> Volatile.Read &delivered.contents = records), patience)) then
        invalidOp $"Confluent.Kafka delivered {delivered.Value} of {records} records"

/// The fetch queue's limits are as high as they go, since its fetching stands still for a second where it meets one. Checksums are verified,
/// as ours are.
let confluentConsumer<'Key> (mock: MockCluster) (fields: string) : IConsumer<'Key, byte[]> =
    let config =
        ConsumerConfig(
            BootstrapServers = mock.Bootstrap,
            GroupId = "libkafka-bench",
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            CheckCrcs = true,
            MaxPartitionFetchBytes = 4 * 1024 * 1024,
            FetchWaitMaxMs = 10,
            QueuedMinMessages = 10_000_000,
            QueuedMaxMessagesKbytes = 2_000_000,
            ConsumeResultFields = fields
        )

    ConsumerBuilder<'Key, byte[]>(config).SetLogHandler(fun _ _ -> ()).Build()

let private fetchConfluent (topic: string) (consumer: IConsumer<Ignore, byte[]>) =
    consumer.Assign [ for partition in 0 .. partitions - 1 -> TopicPartitionOffset(topic, partition, Offset 0L) ]
    let mutable left = records

    while left > 0 do
        match consumer.Consume patience with
        | null -> invalidOp $"Confluent.Kafka did not get the last {left} records"
        | result -> if result.Message.Value.Length = valueSize then left <- left - 1

    consumer.Unassign()

// ---------------------------------------------------------------------------------------------------------------------
// Bare sockets: as many round trips with as many bytes, and nobody who looks at them

let private receiveAll (socket: Socket) (buffer: byte[]) (count: int) =
    let mutable got = 0

    while got < count do
        match socket.Receive(buffer, got, count - got, SocketFlags.None) with
        | 0 -> raise (SocketException(int SocketError.ConnectionReset))
        | received -> got <- got + received

/// One end of a connection over loopback whose other end answers every `request` bytes with `answer` bytes, until it is closed.
let private bareSocket (request: int) (answer: int) : Socket =
    use listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    listener.Bind(IPEndPoint(IPAddress.Loopback, 0))
    listener.Listen()
    let client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp, NoDelay = true)

    match listener.LocalEndPoint with
    | null -> invalidOp "the listener has no address"
    | address -> client.Connect address

    let server = listener.Accept()
    server.NoDelay <- true
    let buffer = Array.zeroCreate<byte>(max request answer)

    let serve () =
        try
            while true do
                receiveAll server buffer request
                server.Send(buffer, answer, SocketFlags.None) |> ignore
        with :? SocketException ->
            server.Dispose()

    Thread(serve, IsBackground = true).Start()
    client

let private roundTrips (request: int) (answer: int) (socket: Socket) =
    let buffer = Array.zeroCreate<byte>(max request answer)

    for _ in 1 .. partitions * batches do
        socket.Send(buffer, request, SocketFlags.None) |> ignore
        receiveAll socket buffer answer

// ---------------------------------------------------------------------------------------------------------------------
// Taking turns

/// Moves all records once. The fast ones do it several times in a round, so that no round is over in a few milliseconds.
type private Side = { Times: int; Work: unit -> unit }

/// Records per second, and bytes allocated in this thread for each record.
let private timed (side: Side) : float * float =
    GC.Collect()
    GC.WaitForPendingFinalizers()
    let moved = float (side.Times * records)
    let allocated = GC.GetAllocatedBytesForCurrentThread()
    let clock = Stopwatch.StartNew()

    for _ in 1 .. side.Times do
        side.Work()

    let seconds = clock.Elapsed.TotalSeconds
    moved / seconds, float (GC.GetAllocatedBytesForCurrentThread() - allocated) / moved

let private row name (ours: unit -> unit) (confluent: unit -> unit) (bare: unit -> unit) : Row =
    let sides = [ { Times = 4; Work = ours }; { Times = 1; Work = confluent }; { Times = 8; Work = bare } ]
    let round _ = List.map timed sides
    List.init warmUps round |> ignore
    let measured = List.init rounds round |> List.transpose
    let rate side = measured[side] |> List.map fst |> median

    { Name = name
      Shape = $"{valueSize} B"
      Unit = "records/s"
      Value = rate 0
      Floor = Nullable(rate 2)
      Peers = peers [ "Confluent.Kafka", rate 1 ]
      AllocatedPerRecord = Nullable(measured[0] |> List.map snd |> median) }

let private batchBytes =
    lazy
        (let builder = BatchBuilder(BatchOptions.standard)
         fill builder
         builder.SizeInBytes)

/// What goes with a batch the other way: a request for it, or its acknowledgement.
[<Literal>]
let private SmallFrame = 100

let private topicOn (mock: MockCluster) name =
    mock.CreateTopic(name, partitions, 1)
    name

let private closeAll (clients: PartitionClient list) =
    for client in clients do
        client.Close()

/// From values in memory to acknowledged batches; acks = all.
let produceRows () : Row list =
    use mock = MockCluster.start 3
    let ours = clients mock (topicOn mock "ours")
    let producers = [ for client in ours -> new PartitionProducer(client, ProducerSettings.standard) ]
    let builder = BatchBuilder(BatchOptions.standard)
    let theirs = topicOn mock "theirs"
    use confluent = confluentProducer<Null> mock
    use bare = bareSocket batchBytes.Value SmallFrame

    try
        [ row "produce" (fun () -> produceOurs builder producers) (fun () -> produceConfluent theirs confluent) (fun () ->
              roundTrips batchBytes.Value SmallFrame bare) ]
    finally
        closeAll ours

/// From a partition's first offset to values that have been looked at, checksums verified.
let fetchRows () : Row list =
    use mock = MockCluster.start 3
    let topic = topicOn mock "fetched"
    let ours = clients mock topic
    produceOurs (BatchBuilder(BatchOptions.standard)) [ for client in ours -> new PartitionProducer(client, ProducerSettings.standard) ]
    let fetchers = [ for client in ours -> new PartitionFetcher(client, FetcherSettings.standard, 0L) ]
    use confluent = confluentConsumer<Ignore> mock "none"
    use bare = bareSocket SmallFrame batchBytes.Value

    try
        [ row "fetch" (fun () -> fetchOurs fetchers) (fun () -> fetchConfluent topic confluent) (fun () ->
              roundTrips SmallFrame batchBytes.Value bare) ]
    finally
        closeAll ours
