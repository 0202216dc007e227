/// What it costs a call that a second thread in the same client is detected.
module LibKafka.Benchmarks.Guard

open System
open System.Threading
open LibKafka.Client
open LibKafka.Benchmarks.Rows

let private calls = 1_000

let private row shape (value: float) (floor: float) : Row =
    { Name = "guard"
      Shape = shape
      Unit = "ns"
      Value = value
      Floor = Nullable floor
      Peers = peers []
      AllocatedPerRecord = Nullable() }

/// Entering and leaving one guard, and what a produce call does in all: it enters its client's guard, and within that its connection's guard
/// before it looks at the connection, sends the request and receives the response. The floor is one interlocked operation.
let rows () : Row list =
    let client = ThreadGuard "client"
    let connection = ThreadGuard "connection"
    let word = [| 0 |]

    let use' (guard: ThreadGuard) =
        guard.Enter()
        guard.Exit()

    let entering () =
        for _ in 1..calls do
            use' client

    let producing () =
        for _ in 1..calls do
            use _ = client.Hold()
            client.Join connection
            client.Join connection
            client.Rejoin connection

    let exchanging () =
        for _ in 1..calls do
            Interlocked.CompareExchange(&word[0], 0, 1) |> ignore

    match takingTurns 100 [ entering; producing; exchanging ] |> List.map (fun time -> time / float calls) with
    | [ one; call; floor ] -> [ row "enter and exit" one floor; row "a produce call" call floor ]
    | _ -> []
