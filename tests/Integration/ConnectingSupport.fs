/// Brokers and hosts for the tests of connecting.
module LibKafka.Integration.ConnectingSupport

open System
open System.IO
open System.Net
open System.Net.Sockets
open System.Security.Authentication
open System.Threading
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support

let authority = lazy (Authority "LibKafka connecting tests")

let certificate = lazy (authority.Value.Issue(Purpose.Broker [ "127.0.0.1"; "localhost"; "broker.test" ]))

let ask (connection: Connection) = connection.Call(ListOffsets.api, Script.askLatest)

let script: Received -> Act list =
    Script.knowing Script.everything (fun received ->
        match received.Request with
        | Request.ListOffsets request -> Script.answer ListOffsets.api received (Script.found 7L request)
        | Request.Produce request ->
            Script.answer Produce.api received (Script.produced (fun answer -> { answer with BaseOffset = 41L }) request)
        | Request.Metadata _ -> Script.answer Metadata.api received (Script.metadata { Host = "127.0.0.1"; Port = 1 } [])
        | _ -> Script.unexpected received)

/// Settings that trust the tests' authority.
let secured =
    lazy
        (use folder = new PemFolder()

         let files =
             { Authorities = Some(folder.Add("ca.pem", authority.Value.Pem)); Certificate = None; Key = None; KeyPassword = None }

         { patient with Tls = Some(Tls.ofPemFiles files |> ok) })

let private portOf (point: EndPoint | null) : int =
    match point with
    | :? IPEndPoint as point -> point.Port
    | _ -> failwith "a bound socket has a port"

/// A host at an address that does as it likes with each connection.
let hostAt (at: IPAddress) (port: int) (act: int -> Socket -> unit) (test: BrokerAddress -> unit) =
    use listener = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
    listener.Bind(IPEndPoint(at, port))
    listener.Listen 500
    let port = listener.LocalEndPoint |> portOf

    let serveOne (index: int) (socket: Socket) =
        try
            use _ = socket
            act index socket
        with
        | :? SocketException
        | :? IOException
        | :? AuthenticationException
        | :? ObjectDisposedException -> ()

    let serve () =
        try
            let mutable index = 0

            while true do
                let socket = listener.Accept()
                let this = index
                index <- index + 1
                Thread((fun () -> serveOne this socket), IsBackground = true).Start()
        with
        | :? SocketException
        | :? ObjectDisposedException -> ()

    Thread(serve, IsBackground = true).Start()
    test { Host = at.ToString(); Port = port }

let host act test = hostAt IPAddress.Loopback 0 (fun _ socket -> act socket) test

let receive (socket: Socket) (count: int) = socket.Receive(Array.zeroCreate<byte> count) |> ignore

let reset (socket: Socket) =
    socket.LingerState <- LingerOption(true, 0)
    socket.Dispose()

/// A broker that is over TLS, whose connections can be ended by the test.
let overTls (version: SslProtocols) (rest: Received -> Act list) (test: ScriptedBroker -> unit) =
    let options = BrokerTls.options certificate.Value version None ignore
    use broker = new ScriptedBroker((fun _ -> rest), IPAddress.Loopback, BrokerTls.over options)
    test broker
