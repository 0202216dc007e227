/// This library: one partition client after another, all in the calling thread.
module LibKafka.Benchmarks.EndToEnd.Ours

open System
open LibKafka.Records
open LibKafka.Client
open LibKafka.Benchmarks.EndToEnd.Workload

let settings = { ClientSettings.standard with ClientId = "libkafka-bench" }

let brokersAt (bootstrap: string) : Bootstrap = Bootstrap.parse bootstrap |> Result.defaultWith (string >> invalidOp)

let client (bootstrap: string) topic partition : PartitionClient =
    new PartitionClient(settings, brokersAt bootstrap, { Topic = topic; Partition = partition })

/// An identity that the cluster gives to an idempotent producer.
let private newIdentity (bootstrap: string) : ProducerIdentity =
    use client = client bootstrap produceTopic 0

    client.Connect()
    |> Result.mapError CallFailure.Fault
    |> Result.bind (fun connection -> ProducerIdentity.Request(connection).Result)
    |> Result.defaultWith (fun failure -> invalidOp (failure.ToString()))

/// Builds a batch of that many records of a size in the builder's memory.
let fillWith (builder: BatchBuilder) (size: int) (records: int) : RecordBatch =
    let values = valuesOf size
    let now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()
    builder.Reset()

    for index in 0 .. records - 1 do
        if not (builder.TryAdd(now, NullableSpan.Null, NullableSpan(ReadOnlySpan values[index % values.Length]))) then
            invalidOp "a batch without a limit is full"

    builder.BuildInPlace()

/// Builds a batch of that many records in the builder's memory.
let fill (builder: BatchBuilder) (records: int) : RecordBatch = fillWith builder valueSize records

let private expectAcknowledged (produced: Produced) =
    match produced.Result with
    | ProduceResult.Acknowledged _ -> ()
    | other -> invalidOp (other.ToString())

let produce (producer: PartitionProducer) (batch: RecordBatch) = producer.Produce batch |> expectAcknowledged

/// Verifies a batch and reads every value; returns the bytes of the values.
let readBatch (batch: RecordBatch) : int64 =
    match RecordBatch.openRecords { Reading.standard with Limits = settings.Limits } batch with
    | Error fault -> invalidOp (fault.ToString())
    | Ok view ->
        let mutable bytes = 0L

        for record in view do
            bytes <- bytes + int64 record.Value.Length

        bytes

/// Reads every value of a fetch, all of a size; returns the number of records.
let readFetched (size: int) (fetched: Fetched) : int =
    let mutable bytes = 0L

    for item in fetched.Batches do
        match item with
        | RecordSetItem.Batch(batch, _) -> bytes <- bytes + readBatch batch
        // The last batch of a response may be cut off.
        | RecordSetItem.CutOff _ -> ()
        | _ -> invalidOp "a batch cannot be read"

    if bytes = 0L then invalidOp (fetched.ToString())
    int (bytes / int64 size)

/// A fetcher of the topic with records of a size, from the first record on.
let fetcher (bootstrap: string) (size: int) : PartitionFetcher =
    new PartitionFetcher(client bootstrap (fetchTopicOf size) 0, { FetcherSettings.standard with MaxBytes = fetchBytes }, 0L)

let private fetchAll (memory: ReceiveBuffer) (fetcher: PartitionFetcher) =
    fetcher.Position <- FetchPosition.at 0L
    let mutable left = fetchRecordsOf valueSize

    while left > 0 do
        let fetched = fetcher.Fetch(CallOptions.into memory)
        left <- left - readFetched valueSize fetched

        match Fetched.advance fetched with
        | Advance.To next -> fetcher.Position <- next
        | _ -> invalidOp (fetched.ToString())

let connect (bootstrap: string) : Side =
    let clients = Collections.Generic.List<PartitionClient>()

    let clientOf topic partition =
        let client = client bootstrap topic partition
        clients.Add client
        client

    // Each is made at its first use: a client that produces does not pay for one that fetches.
    let producers topic partitions =
        lazy [| for partition in 0 .. partitions - 1 -> new PartitionProducer(clientOf topic partition, ProducerSettings.standard) |]

    let producing = producers produceTopic 3
    let single = producers singleTopic 1

    let idempotent = lazy new IdempotentProducer(clientOf produceTopic 0, ProducerSettings.standard, newIdentity bootstrap)

    let fetching = lazy (fetcher bootstrap valueSize)
    let builder = BatchBuilder(BatchOptions.standard)
    let memory = ReceiveBuffer()

    { new Side with
        member _.Produce partitions =
            for batch in 0 .. batches - 1 do
                produce producing.Value[batch % partitions] (fill builder batchRecords)

        member _.ProduceIdempotently() =
            for _ in 1..batches do
                idempotent.Value.Produce(fill builder batchRecords) |> expectAcknowledged

        member _.Fetch() = fetchAll memory fetching.Value
        member _.ProduceOne() = produce single.Value[0] (fill builder 1)

        member _.Dispose() =
            for client in clients do
                client.Close()

            if fetching.IsValueCreated then fetching.Value.Client.Close() }
