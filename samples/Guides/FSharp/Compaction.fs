/// Reads the latest value of each key of a compacted topic's partition: bootstrap topic
module LibKafka.Samples.Compaction

open System.Text
open LibKafka.Records
open LibKafka.Client

/// The keys and values of a partition up to its present end. A tombstone, a null value, deletes its key.
let private table (fetcher: PartitionFetcher) : Map<string, string> =
    let rec read (known: Map<string, string>) =
        let fetched = fetcher.Fetch()
        let answer = fetched.Result |> Result.defaultWith (failwithf "%O")
        let mutable known = known

        for record in fetched.Records Reading.standard do
            let key = Encoding.UTF8.GetString record.Key
            known <- if record.HasValue then known.Add(key, Encoding.UTF8.GetString record.Value) else known.Remove key

        match Fetched.advance fetched with
        | Advance.To position -> fetcher.Position <- position
        | other -> failwith $"{other}"

        if fetcher.Position.Offset < answer.HighWatermark then read known else known

    read Map.empty

let run (bootstrap: string) (topic: string) =
    let brokers = Bootstrap.parse bootstrap |> Result.defaultWith (failwithf "%O")
    use client = new PartitionClient(ClientSettings.standard, brokers, { Topic = topic; Partition = 0 })

    for KeyValue(name, city) in table (new PartitionFetcher(client, FetcherSettings.standard, 0L)) do
        printfn $"{name} = {city}"
