/// Calls on one connection to a scripted broker.
module LibKafka.Integration.ConnectionSupport

open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support

let ask (connection: Connection) = connection.Call(ListOffsets.api, Script.askLatest)

/// A valid response to `ask`, with an offset to identify it.
let goodAnswer (offset: int64) (received: Received) : byte[] = Script.frame ListOffsets.api received (Script.found offset Script.askLatest)

let offsetIn (exchange: Exchange<ListOffsets.Request, ListOffsets.Response>) : int64 = (ok exchange.Result).Topics[0].Partitions[0].Offset

/// The connection is closed, at both ends, and a further call neither sends nor reads anything.
let staysClosed (broker: ScriptedBroker) (connection: Connection) =
    Expect.isFalse connection.IsOpen "the connection is closed"
    broker.AwaitEnd 0
    let sent = broker.Received.Length
    let exchange = ask connection

    match faultOf exchange.Result with
    | ClientFault.Unusable _ -> ()
    | other -> failtestf "a closed connection was used: %O" other

    Expect.isFalse exchange.Info.WasSent "nothing was sent"
    Expect.equal broker.Received.Length sent "nothing more arrived"

/// A call that ends with a fault because of what the broker does. The connection is then closed.
let faultWhen (settings: ClientSettings) (act: Received -> Act list) (check: Exchange<_, _> -> ClientFault -> unit) =
    Scripted.connection settings act (fun broker connection ->
        let exchange = ask connection
        check exchange (faultOf exchange.Result)
        staysClosed broker connection)

let isFault (expected: ClientFault) = fun (_: Exchange<_, _>) fault -> Expect.equal fault expected "the fault"
