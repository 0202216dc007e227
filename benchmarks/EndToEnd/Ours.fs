/// This library: one partition client after another, all in the calling thread.
module LibKafka.Benchmarks.EndToEnd.Ours

open System
open LibKafka.Records
open LibKafka.Client
open LibKafka.Benchmarks.EndToEnd.Workload

let settings = { ClientSettings.standard with ClientId = "libkafka-bench" }

let client (bootstrap: string) topic partition : PartitionClient =
    match Bootstrap.parse bootstrap with
    | Error reason -> invalidOp reason
    | Ok brokers -> new PartitionClient(settings, brokers, { Topic = topic; Partition = partition })

/// Builds a batch of that many records of a size in the builder's memory.
let fillWith (builder: BatchBuilder) (size: int) (records: int) : RecordBatch =
    let values = if size = valueSize then values else largeValues
    let now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()
    builder.Reset()

    for index in 0 .. records - 1 do
        if not (builder.TryAdd(now, NullableSpan.Null, NullableSpan(ReadOnlySpan values[index % values.Length]))) then
            invalidOp "a batch without a limit is full"

    builder.BuildInPlace()

/// Builds a batch of that many records in the builder's memory.
let fill (builder: BatchBuilder) (records: int) : RecordBatch = fillWith builder valueSize records

let produce (producer: PartitionProducer) (batch: RecordBatch) =
    match producer.Produce(batch).Result with
    | ProduceResult.Acknowledged _ -> ()
    | other -> invalidOp (other.ToString())

/// Reads every value of a batch; returns the number of records.
let private readBatch (size: int) (batch: RecordBatch) : int =
    match RecordBatch.openRecords { Reading.standard with Limits = settings.Limits } batch with
    | Error fault -> invalidOp (fault.ToString())
    | Ok view ->
        let mutable count = 0

        for record in view do
            if record.Value.Length = size then count <- count + 1

        count

/// Reads every value of a fetch.
let readFetched (size: int) (fetched: Fetched) =
    let mutable count = 0

    for item in fetched.Batches do
        match item with
        | RecordSetItem.Batch(batch, _) -> count <- count + readBatch size batch
        | _ -> invalidOp "a batch is not whole"

    if count <> fetchRecordsOf size then
        invalidOp $"{count} records in place of {fetchRecordsOf size}"

let private fetch (memory: ReceiveBuffer) (fetcher: PartitionFetcher) = readFetched valueSize (fetcher.Fetch(CallOptions.into memory))

let connect (bootstrap: string) : Side =
    let producers topic partitions =
        [| for partition in 0 .. partitions - 1 -> new PartitionProducer(client bootstrap topic partition, ProducerSettings.standard) |]

    let producing = producers produceTopic 3
    let single = producers singleTopic 1

    let fetching =
        [| for partition in 0 .. fetchPartitions - 1 ->
               new PartitionFetcher(client bootstrap fetchTopic partition, { FetcherSettings.standard with MaxBytes = fetchBytes }, 0L) |]

    let builder = BatchBuilder(BatchOptions.standard)
    let memory = ReceiveBuffer()

    { new Side with
        member _.Produce partitions =
            for batch in 0 .. batches - 1 do
                produce producing[batch % partitions] (fill builder batchRecords)

        member _.Fetch() = Array.iter (fetch memory) fetching

        member _.ProduceOne() = produce single[0] (fill builder 1)

        member _.Dispose() =
            for producer in Array.append producing single do
                producer.Client.Close()

            for fetcher in fetching do
                fetcher.Client.Close() }
