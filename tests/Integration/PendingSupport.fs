/// Calls whose responses wait until they are let go.
module LibKafka.Integration.PendingSupport

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support

/// Responses that wait until they are let go, all of them or those of one connection.
type Gate() =
    let all = new ManualResetEventSlim()
    let each = Dictionary<int, ManualResetEventSlim>()

    let eventOf (connection: int) =
        lock each (fun () ->
            match each.TryGetValue connection with
            | true, event -> event
            | _ ->
                let event = new ManualResetEventSlim()
                each.Add(connection, event)
                event)

    /// Lets go what waits, and all that comes.
    member _.Open() = all.Set()

    /// Lets go what waits on one connection.
    member _.Open(connection: int) = (eventOf connection).Set()

    /// Waits for either.
    member _.Pass(connection: int) = WaitHandle.WaitAny([| all.WaitHandle; (eventOf connection).WaitHandle |], 20_000) |> ignore

    interface IDisposable with
        member _.Dispose() = all.Set()

/// Holds back the acts until the gate is open.
let holding (gate: Gate) (received: Received) (acts: Act list) : Act list = Act.Do(fun () -> gate.Pass received.Connection) :: acts

/// Answers searches for an offset, and holds back the answers.
let held (gate: Gate) (received: Received) : Act list = holding gate received (Script.finding 7L received)

let isMisuse (part: string) (call: unit -> 'T) (what: string) =
    try
        call () |> ignore
        failtestf "%s: no exception" what
    with :? InvalidOperationException as error ->
        Expect.stringContains error.Message part what

let begin' (connection: Connection) = connection.Begin(ListOffsets.api, Script.askLatest)
let ask (connection: Connection) = connection.Call(ListOffsets.api, Script.askLatest)

let within (limit: int) (what: string) (work: unit -> 'T) : 'T =
    let watch = Stopwatch.StartNew()
    let result = work ()
    Expect.isLessThan watch.Elapsed (ms limit) what
    result

let inTime (timeout: int) = { CallOptions.standard with Timeout = Some(ms timeout) }
