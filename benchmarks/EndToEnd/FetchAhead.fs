/// One partition, read with the next fetch in flight while the records of one are read, compared with a bare socket that waits for each
/// response. Both verify every checksum with the same code and touch every record.
module LibKafka.Benchmarks.EndToEnd.FetchAhead

open System
open System.Net
open LibKafka.Wire
open LibKafka.Client
open LibKafka.Benchmarks.Rows
open LibKafka.Benchmarks.Baseline
open LibKafka.Benchmarks.EndToEnd.Workload
open LibKafka.Benchmarks.EndToEnd.Processes

let private turns = 3
let private rounds = 5
let private fetches = 28

let private ours (size: int) (bootstrap: string) : unit -> unit =
    let settings = { FetcherSettings.standard with MaxBytes = fetchBytes }
    let fetcher = new PartitionFetcher(Ours.client bootstrap (fetchTopicOf size) 0, settings, 0L)
    let memories = [| ReceiveBuffer(); ReceiveBuffer() |]

    fun () ->
        let mutable pending = fetcher.Begin(CallOptions.into memories[0])

        for fetch in 1..fetches do
            let fetched = pending.Complete()
            if fetch < fetches then
                pending <- fetcher.Begin(CallOptions.into memories[fetch % 2])
            Ours.readFetched size fetched

let private bare (size: int) (bootstrap: string) : unit -> unit =
    let broker = IPEndPoint.Parse bootstrap
    let socket = new BareClient(broker.Address.ToString(), broker.Port, 2 * fetchBytes)
    let checksum = Checksum(fun bytes -> Crc32C.compute bytes)

    fun () ->
        for _ in 1..fetches do
            let count = socket.Fetch(fetchTopicOf size, 0, 0L, fetchBytes, checksum)
            if count <> fetchRecordsOf size then
                invalidOp $"{count} records in place of {fetchRecordsOf size}"

// It reads as many partitions as the others make fetches, and has its fetches overlap by itself.
let private confluent (size: int) (bootstrap: string) : unit -> unit =
    let consumer = ConfluentKafka.consumer<Confluent.Kafka.Ignore> bootstrap "none"
    fun () -> ConfluentKafka.fetchAll consumer size

let private sides = [ "ours", ours; "bare", bare; "confluent", confluent ]

/// Reads in this process with one of the clients, and prints a line for each round.
let side (name: string) (size: int) (bootstrap: string) =
    let work = (Map.ofList sides)[name] size bootstrap
    repeat rounds work

/// Records of 100 and of 1,000 bytes in batches of 4 MB, one a fetch.
let rows () : Row list =
    withBroker (fun bootstrap ->
        [ for size in [ valueSize; largeValueSize ] do
              let measured =
                  [ for _ in 1..turns do
                        for name, _ in sides do
                            name, child [ "fetch-ahead"; name; string size; bootstrap ] ]
                  |> List.groupBy fst
                  |> List.map (fun (name, turns) -> name, List.collect snd turns)
                  |> Map.ofList

              let records = float (fetches * fetchRecordsOf size)

              let row unit (value: Round -> float) : Row =
                  let medianOf name = measured[name] |> List.map value |> median

                  { Name = "fetch-ahead"
                    Shape = string size
                    Unit = unit
                    Value = medianOf "ours"
                    Floor = Nullable(medianOf "bare")
                    Peers = peers [ "Confluent.Kafka", medianOf "confluent" ]
                    AllocatedPerRecord = Nullable(measured["ours"] |> List.map (fun round -> round.Allocated / records) |> median) }

              row "records/s" (fun round -> records / round.Seconds)
              row "cpu s/M records" (fun round -> round.CpuSeconds / records * 1e6) ])
