open System
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client

let fail reason =
    eprintfn "%s" (string reason)
    exit 1

let orFail result =
    match result with
    | Ok value -> value
    | Error reason -> fail reason

[<EntryPoint>]
let main arguments =
    let bootstrap = arguments |> Array.tryItem 0 |> Option.defaultValue "localhost:9092"
    let topic = arguments |> Array.tryItem 1 |> Option.defaultValue "orders"
    let brokers = Bootstrap.parse bootstrap |> orFail
    use client = new PartitionClient(ClientSettings.standard, brokers, { Topic = topic; Partition = 0 })

    // Build a batch: nothing is sent yet.
    let builder = BatchBuilder(BatchOptions.standard, 1_000_000)

    for i in 1..10 do
        let value = Bytes.ofString ("order " + string i)
        builder.Add(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), NullableSpan.Null, NullableSpan value.Span)

    // Send it: one call, one answer.
    let producer = new PartitionProducer(client, ProducerSettings.standard)

    let produced = producer.Produce(builder.Build())

    match produced.Result with
    | ProduceResult.Acknowledged at -> printfn "%s" (string at)
    | failure -> fail failure

    // Fetch what is committed. A null value is a tombstone: compaction deletes the key.
    let reading = { FetcherSettings.standard with IsolationLevel = IsolationLevel.ReadCommitted }
    let fetcher = new PartitionFetcher(client, reading, 0L)
    (fetcher.Seek OffsetSpec.Earliest).Result |> orFail |> ignore
    let fetched = fetcher.Fetch()
    fetched.Result |> orFail |> ignore

    for record in fetched.Records Reading.standard do
        printfn "%d: %s" record.Offset (if record.HasValue then Text.Encoding.UTF8.GetString record.Value else "deleted")

    // The position moves when you move it.
    match Fetched.advance fetched with
    | Advance.To position -> fetcher.Position <- position
    | other -> fail other

    0
