/// Producing and fetching through real sockets, compared with Confluent.Kafka and with a bare socket with hand-written loops, all on the
/// same brokers: librdkafka's mock brokers, which keep their logs in memory and do not look into batches; a broker of the benchmarks' own for what is
/// read; or a real cluster.
///
/// A client's CPU time does not depend on the speed of the brokers: look at it first.
module LibKafka.Benchmarks.EndToEnd.EndToEnd

open System
open LibKafka.Benchmarks.Rows
open LibKafka.Benchmarks.EndToEnd.Workload
open LibKafka.Benchmarks.EndToEnd.Processes
open LibKafka.Benchmarks.EndToEnd.Comparison

let private turns = 3
let private clients = [ "ours"; "bare"; "confluent" ]

/// Runs the rounds of one client in a process of its own.
let private rounds (work: string) (bootstrap: string) (name: string) (rounds: int) : Round list =
    child [ "side"; name; work; bootstrap; string rounds ]

let private measured (site: Site) (work: string) (bootstrap: string) : Measured = takingTurns site 5 clients (rounds work bootstrap)

/// From values in memory to acknowledged batches of just under 1 MB; acks = all.
let produceRows (site: Site) : Row list =
    onBrokers site Mock [ produced ] (fun bootstrap ->
        [ for partitions in [ 1; 3 ] do
              yield! measured site $"produce-{partitions}" bootstrap |> bulkRows "produce" $"to {partitions}" (batches * batchRecords) ])

/// The same by idempotent producers. Our producer that is not idempotent is another peer.
let idempotentRows (site: Site) : Row list =
    let records = batches * batchRecords

    onBrokers site Mock [ produced ] (fun bootstrap ->
        let measured =
            takingTurns site 5 (clients @ [ "plain" ]) (fun name ->
                match name with
                | "plain" -> rounds "produce-1" bootstrap "ours"
                | name -> rounds "produce-idempotently" bootstrap name)

        let plain = measured |> Map.add "ours" measured["plain"] |> bulkRows "" "" records

        let withPlain (row: Row) (plain: Row) =
            { row with Peers = peers (("plain", plain.Value) :: [ for peer in row.Peers -> peer.Key, peer.Value ]) }

        List.map2 withPlain (bulkRows "idempotent-produce" "" records measured) plain)

/// From a partition's first offset to values that have been read, 4 MB a fetch, checksums verified.
let fetchRows (site: Site) : Row list =
    onBrokers site Feed [ fetched valueSize ] (fun bootstrap ->
        measured site "fetch" bootstrap |> bulkRows "fetch" "4 MB" (fetchRecordsOf valueSize))

/// One record a call, acknowledged: the median time of a call, and the CPU time of each.
let singleRows (site: Site) : Row list =
    onBrokers site Mock [ single ] (fun bootstrap ->
        let measured = measured site "single" bootstrap
        let calls = float calls

        [ row "single-call" "" "us" calls (fun round -> round.Call * 1e6) measured
          row "single-call" "" "cpu us" calls (fun round -> round.CpuSeconds / calls * 1e6) measured ])

/// The first calls of a process, from connecting on: the same work as `singleRows` while the JIT compiler is at work.
let firstCallRows (site: Site) : Row list =
    onBrokers site Mock [ single ] (fun bootstrap ->
        let measured =
            takingTurns site 2 clients (fun name rounds -> [ for _ in 1..rounds -> childOnce [ "first-calls"; name; bootstrap ] ])

        let calls = float earlyCalls

        [ row "first-calls" $"{earlyCalls} calls" "CPU µs/call" calls (fun round -> round.CpuSeconds / calls * 1e6) measured
          row "first-calls" "JIT" "µs/call" calls (fun round -> round.Call / calls * 1e6) measured ])

/// Connections that are made and kept, one for each partition, compared with bare sockets.
let connectionRows () : Row list =
    withOwn Mock (fun bootstrap ->
        [ for count in [ 1; 100; connectionPartitions ] do
              let median name value =
                  median [ for _ in 1..turns -> value (childOnce [ "connections"; name; string count; bootstrap ]) / float count ]

              let row unit value : Row =
                  { Name = "connect"
                    Shape = string count
                    Unit = unit
                    Value = median "ours" value
                    Floor = Nullable(median "bare" value)
                    Peers = peers []
                    AllocatedPerRecord = Nullable() }

              row "KB held each" (fun round -> round.Allocated / 1000.0)
              row "µs each" (fun round -> round.Seconds * 1e6) ])

/// Polls of a consumer with empty partitions: the time of one that finds nothing, and the memory for each partition, its connection included.
let pollRows () : Row list =
    withOwn Mock (fun bootstrap ->
        [ for count in [ 1; 10; 100; connectionPartitions ] do
              let measured = [ for _ in 1..turns -> childOnce [ "polls"; string count; bootstrap ] ]

              let row unit value : Row =
                  { Name = "poll-cost"
                    Shape = string count
                    Unit = unit
                    Value = median (List.map value measured)
                    Floor = Nullable()
                    Peers = peers []
                    AllocatedPerRecord = Nullable() }

              row "µs/poll" (fun round -> round.Seconds * 1e6 / float polls)
              row "KB held each" (fun round -> round.Allocated / 1000.0 / float count) ])
