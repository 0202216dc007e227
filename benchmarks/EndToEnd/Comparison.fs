/// Clients that take turns, each time in a new process, so that other load on the machine hits all of them; and the rows of their rounds.
module LibKafka.Benchmarks.EndToEnd.Comparison

open System
open LibKafka.Benchmarks.Rows
open LibKafka.Benchmarks.EndToEnd.Processes

/// All rounds of each client, by its name.
type Measured = Map<string, Round list>

/// The rounds of clients, of which `run` gets the name and the number of rounds in a turn: three turns, or one on a real cluster, whose disk is to
/// be spared.
let takingTurns (site: Site) (rounds: int) (clients: string list) (run: string -> int -> Round list) : Measured =
    let turns =
        match site with
        | OwnBrokers -> 3
        | Cluster _ -> 1

    [ for _ in 1..turns do
          for name in clients do
              name, run name rounds ]
    |> List.groupBy fst
    |> List.map (fun (name, turns) -> name, List.collect snd turns)
    |> Map.ofList

/// A row with the median of each client over its rounds: `ours`, the floor `bare`, and the peer `confluent`.
let row name shape unit (allocatedPer: float) (value: Round -> float) (measured: Measured) : Row =
    let medianOf client = measured[client] |> List.map value |> median

    { Name = name
      Shape = shape
      Unit = unit
      Value = medianOf "ours"
      Floor = Nullable(medianOf "bare")
      Peers = peers [ "Confluent.Kafka", medianOf "confluent" ]
      AllocatedPerRecord = Nullable(measured["ours"] |> List.map (fun round -> round.Allocated / allocatedPer) |> median) }

/// The two rows of work with that many records.
let bulkRows name shape (records: int) (measured: Measured) : Row list =
    let records = float records

    [ row name shape "records/s" records (fun round -> records / round.Seconds) measured
      row name shape "cpu s/M records" records (fun round -> round.CpuSeconds / records * 1e6) measured ]
