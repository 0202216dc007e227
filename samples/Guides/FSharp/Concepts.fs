/// The examples of the pages about concepts. They are compiled, and not run.
module LibKafka.Samples.Concepts

open System
open System.Threading
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client

// Record batches.
let build () : RecordBatch =
    let builder = BatchBuilder(BatchOptions.standard, 1_000_000)

    let tryAdd (text: string) : bool =
        let value = Bytes.ofString text
        builder.TryAdd(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), NullableSpan.Null, NullableSpan value.Span)

    let mutable number = 0

    while tryAdd $"order {number}" do
        number <- number + 1

    let batch = builder.Build()
    printfn $"{batch.Count} records in {batch.SizeInBytes} bytes"
    batch

// Three outcomes.
let produce (producer: PartitionProducer) (batch: RecordBatch) =
    match producer.Produce(batch).Result with
    | ProduceResult.Acknowledged at -> printfn $"in the log at offset {at.BaseOffset}"
    | ProduceResult.Rejected reason -> printfn $"not in the log: {reason}"
    | ProduceResult.Unknown reason -> printfn $"perhaps in the log: {reason}"

// Positions and commits.
let rec read (fetcher: PartitionFetcher) (stop: CancellationToken) =
    let fetched = fetcher.Fetch()

    for record in fetched.Records Reading.standard do
        printfn $"{record.Offset}"

    match Fetched.advance fetched with
    | Advance.To position -> fetcher.Position <- position
    | other -> failwith $"{other}"

    if not stop.IsCancellationRequested then read fetcher stop

// Deadlines and retries.
let retry (producer: IdempotentProducer) (batch: RecordBatch) : Produced =
    let policy = { RetryPolicy.idempotent with Attempts = 10; TimeLimit = TimeSpan.FromMinutes 2.0 }
    policy.Run(fun call -> producer.Produce(batch, { call with Timeout = Some(TimeSpan.FromSeconds 5.0) }))
