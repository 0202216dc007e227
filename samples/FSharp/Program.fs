open System
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client

let orFail result =
    match result with
    | Ok value -> value
    | Error reason -> failwith (string reason)

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
    printfn "%s" (string produced.Result)

    // Fetch: the offset moves when you move it.
    let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
    fetcher.Seek OffsetSpec.Earliest |> ignore
    let fetched = fetcher.Fetch()

    for item in fetched.Batches do
        match RecordSetItem.openRecords Reading.standard item with
        | Error fault -> printfn "unreadable: %s" (string fault)
        | Ok records ->
            for record in records do
                printfn "%d: %s" record.Offset (Text.Encoding.UTF8.GetString record.Value)

    match Fetched.advance fetched with
    | Advance.To position -> fetcher.Position <- position
    | other -> printfn "where to go on is yours to say: %s" (string other)

    0
