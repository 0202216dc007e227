/// One partition, read with the next fetch in flight while the records of one are read, compared with a bare socket that waits for each
/// response. Both verify every checksum with the same code and touch every record.
module LibKafka.Benchmarks.EndToEnd.FetchAhead

open System
open System.Diagnostics
open LibKafka.Client
open LibKafka.Benchmarks.Rows
open LibKafka.Benchmarks.EndToEnd.Workload
open LibKafka.Benchmarks.EndToEnd.Processes
open LibKafka.Benchmarks.EndToEnd.Comparison

// A round returns the seconds for which records were read, and nothing was waited for.

let private ours (size: int) (bootstrap: string) : unit -> float =
    let fetcher = Ours.fetcher bootstrap size
    let ahead = new FetchAhead(fetcher)

    fun () ->
        // The fetch that the last round has left in flight.
        ahead.Settle()
        fetcher.Position <- FetchPosition.at 0L
        let mutable left = fetchRecordsOf size
        let mutable reading = 0L

        while left > 0 do
            let fetched = ahead.Next()
            let began = Stopwatch.GetTimestamp()
            left <- left - Ours.readFetched size fetched
            reading <- reading + Stopwatch.GetTimestamp() - began

        Stopwatch.GetElapsedTime(0L, reading).TotalSeconds

let private bare (size: int) (bootstrap: string) : unit -> float =
    let client = Bare.client bootstrap

    fun () ->
        let before = client.Reading
        Bare.fetchAll client (fetchTopicOf size) 0 (fetchRecordsOf size)
        (client.Reading - before).TotalSeconds

let private confluent (size: int) (bootstrap: string) : unit -> float =
    let consumer = ConfluentKafka.consumer<Confluent.Kafka.Ignore> bootstrap "none"

    fun () ->
        ConfluentKafka.fetchAll consumer size
        Double.NaN

let private sides = Map [ "ours", ours; "bare", bare; "confluent", confluent ]

/// Reads in this process with one of the clients, and prints a line for each round.
let side (name: string) (size: int) (bootstrap: string) (rounds: int) =
    let work = sides[name] size bootstrap
    repeatTimed rounds work

/// The bare client's time for a fetch, divided into reading records and waiting for the response, and how many times as fast it can get at most
/// if the shorter part is hidden by the longer.
let private overlapRows (size: int) (bare: Round list) : Row list =
    let fetches = float (batches / 4)
    let reading = median [ for round in bare -> round.Call ]
    let waiting = median [ for round in bare -> round.Seconds - round.Call ]

    let row part unit value : Row =
        { Name = "fetch-overlap"
          Shape = $"{size}, {part}"
          Unit = unit
          Value = value
          Floor = Nullable()
          Peers = peers []
          AllocatedPerRecord = Nullable() }

    [ row "reading" "ms/fetch" (reading / fetches * 1e3)
      row "waiting and receiving" "ms/fetch" (waiting / fetches * 1e3)
      row "gain at most" "times" ((reading + waiting) / max reading waiting) ]

/// Records of 100 and of 1,000 bytes, 4 MB a fetch.
let rows (site: Site) : Row list =
    [ for size in [ valueSize; largeValueSize ] do
          let measured =
              onBrokers site Feed [ fetched size ] (fun bootstrap ->
                  takingTurns site 5 [ "ours"; "bare"; "confluent" ] (fun name rounds ->
                      child [ "fetch-ahead"; name; string size; bootstrap; string rounds ]))

          yield! bulkRows "fetch-ahead" (string size) (fetchRecordsOf size) measured
          yield! overlapRows size measured["bare"] ]
