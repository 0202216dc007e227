/// Producing and fetching through real sockets, compared with Confluent.Kafka and with a bare socket with hand-written loops, all on the
/// same brokers: librdkafka's mock brokers, which keep their logs in memory and do not look into batches, so that the clients are compared.
///
/// The clients take turns, each time in a new process, so that other load on the machine hits all of them. The median over all rounds
/// counts. A client's CPU time does not depend on the speed of the brokers: look at it first.
module LibKafka.Benchmarks.EndToEnd.EndToEnd

open System
open LibKafka.Benchmarks.Rows
open LibKafka.Benchmarks.EndToEnd.Workload
open LibKafka.Benchmarks.EndToEnd.Processes

let private turns = 3
let private rounds = 5

/// All rounds of each client, by its name.
let private measured (work: string) (bootstrap: string) : Map<string, Round list> =
    [ for _ in 1..turns do
          for name in [ "ours"; "bare"; "confluent" ] do
              name, roundsOf name work bootstrap rounds ]
    |> List.groupBy fst
    |> List.map (fun (name, turns) -> name, List.collect snd turns)
    |> Map.ofList

/// A row with the median of each client over its rounds.
let private row name shape unit allocatedPer (value: Round -> float) (measured: Map<string, Round list>) : Row =
    let medianOf side = measured[side] |> List.map value |> median

    { Name = name
      Shape = shape
      Unit = unit
      Value = medianOf "ours"
      Floor = Nullable(medianOf "bare")
      Peers = peers [ "Confluent.Kafka", medianOf "confluent" ]
      AllocatedPerRecord = Nullable(measured["ours"] |> List.map (fun round -> round.Allocated / allocatedPer) |> median) }

let private bulkRows name shape (records: int) (measured: Map<string, Round list>) : Row list =
    let records = float records

    [ row name shape "CPU s/million" records (fun round -> round.CpuSeconds / records * 1e6) measured
      row name shape "records/s" records (fun round -> records / round.Seconds) measured ]

/// From values in memory to acknowledged batches of just under 1 MB; acks = all.
let produceRows () : Row list =
    withBroker (fun bootstrap ->
        [ for partitions in [ 1; 3 ] do
              yield! measured $"produce-{partitions}" bootstrap |> bulkRows "produce" $"to {partitions}" (batches * batchRecords) ])

/// From a partition's first offset to values that have been read, 4 MB a fetch, checksums verified.
let fetchRows () : Row list =
    withBroker (fun bootstrap -> measured "fetch" bootstrap |> bulkRows "fetch" "4 MB" (fetchPartitions * fetchRecords))

/// One record a call, acknowledged.
let singleRows () : Row list =
    withBroker (fun bootstrap ->
        let measured = measured "single" bootstrap
        let calls = float calls

        [ row "single" "p50" "µs/call" calls (fun round -> round.Call * 1e6) measured
          row "single" "CPU" "µs/call" calls (fun round -> round.CpuSeconds / calls * 1e6) measured ])

/// The first calls of a process, from connecting on: the same work as `singleRows` while the JIT compiler is at work.
let firstCallRows () : Row list =
    withBroker (fun bootstrap ->
        let measured =
            [ for _ in 1 .. turns * 2 do
                  for name in [ "ours"; "bare"; "confluent" ] do
                      name, firstCallsOf name bootstrap ]
            |> List.groupBy fst
            |> List.map (fun (name, rounds) -> name, List.map snd rounds)
            |> Map.ofList

        let calls = float earlyCalls

        [ row "first-calls" $"{earlyCalls} calls" "CPU µs/call" calls (fun round -> round.CpuSeconds / calls * 1e6) measured
          row "first-calls" "JIT" "µs/call" calls (fun round -> round.Call / calls * 1e6) measured ])

/// Keyed records of 100 bytes to a topic with 48 partitions, on mock brokers.
let topicProduceRows () : Row list =
    let rounds (bootstrap: string) =
        [ for _ in 1..turns do
              for name in [ "ours"; "bare"; "confluent" ] do
                  name, topicProduceRounds name bootstrap 2 ]

    withBroker (fun bootstrap ->
        let measured =
            rounds bootstrap |> List.groupBy fst |> List.map (fun (name, turns) -> name, List.collect snd turns) |> Map.ofList

        let records = float TopicProduce.records

        [ row "topic-produce" "" "records/s" records (fun round -> records / round.Seconds) measured
          row "topic-produce" "" "cpu s/M records" records (fun round -> round.CpuSeconds / records * 1e6) measured ])

/// Connections that are made and kept, one for each partition, compared with bare sockets.
let connectionRows () : Row list =
    withBroker (fun bootstrap ->
        [ for count in [ 1; 100; connectionPartitions ] do
              let median name value = median [ for _ in 1..turns -> value (connecting name count bootstrap) / float count ]

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
    withBroker (fun bootstrap ->
        [ for count in [ 1; 10; 100; connectionPartitions ] do
              let measured = [ for _ in 1..turns -> polling count bootstrap ]

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
