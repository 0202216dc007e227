/// Prints the requests and responses of each client that connects to a port: port broker-host broker-port
module LibKafka.Samples.Proxy

open System.Buffers.Binary
open System.Collections.Concurrent
open System.IO
open System.Net
open System.Net.Sockets
open System.Threading
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client

/// Shows each frame and passes it on, until one side closes its connection.
let private pass (from: Stream) (target: Stream) (show: Bytes -> string) =
    let length = Array.zeroCreate<byte> 4

    let rec next () =
        if from.ReadAtLeast(length, 4, throwOnEndOfStream = false) = 4 then
            let size = BinaryPrimitives.ReadInt32BigEndian length

            if size >= 0 && size <= Limits.standard.MaxFrameBytes then
                let frame = Array.zeroCreate<byte> size
                from.ReadExactly frame
                printfn $"{show (Bytes frame)}"
                target.Write length
                target.Write frame
                next ()

    try
        next ()
    with :? IOException ->
        ()

    target.Close()

let private serve (client: TcpClient) (broker: BrokerAddress) =
    use client = client
    use upstream = new TcpClient(broker.Host, broker.Port)
    // Responses come in the order of the requests, which say what is in them.
    let asked = ConcurrentQueue<RequestHeader>()

    let request (frame: Bytes) =
        match Frame.decodeRequest Limits.standard frame with
        | Ok(header, request) ->
            if Request.isAnswered request then asked.Enqueue header
            Request.show request
        | Error fault -> $"{fault}"

    let response (frame: Bytes) =
        match asked.TryDequeue() with
        | false, _ -> "a response without a request"
        | true, header ->
            match Frame.decodeAnyResponse Limits.standard header.ApiKey header.ApiVersion frame with
            | Ok(_, response) -> Response.show response
            | Error fault -> $"{fault}"

    let back = Thread((fun () -> pass (upstream.GetStream()) (client.GetStream()) response), IsBackground = true)
    back.Start()
    pass (client.GetStream()) (upstream.GetStream()) request
    back.Join()

let run (port: int) (broker: BrokerAddress) =
    use listener = new TcpListener(IPAddress.Loopback, port)
    listener.Start()

    while true do
        let client = listener.AcceptTcpClient()
        Thread((fun () -> serve client broker), IsBackground = true).Start()
