/// What it costs a call that a second thread in the same client is detected.
module LibKafka.Benchmarks.Guard

open System
open System.Threading
open LibKafka.Client
open LibKafka.Benchmarks.Rows

let private calls = 1_000

/// Each call of a client enters and leaves the guard of the client and that of its connection.
let rows () : Row list =
    let guard = new ThreadGuard "client"
    let word = [| 0 |]

    let entering () =
        for _ in 1..calls do
            guard.Enter()
            guard.Exit()

    let exchanging () =
        for _ in 1..calls do
            Interlocked.CompareExchange(&word[0], 0, 1) |> ignore

    match takingTurns 100 [ entering; exchanging ] |> List.map (fun time -> time / float calls) with
    | [ ours; floor ] ->
        [ { Name = "guard"
            Shape = "enter and exit"
            Unit = "ns"
            Value = ours
            Floor = Nullable floor
            Peers = peers []
            AllocatedPerRecord = Nullable() } ]
    | _ -> []
