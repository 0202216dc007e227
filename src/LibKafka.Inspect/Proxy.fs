/// A proxy between clients and brokers that shows what they send to each other.
module LibKafka.Inspect.Proxy

open System
open System.Buffers.Binary
open System.Collections.Generic
open System.IO
open System.Net
open System.Net.Security
open System.Net.Sockets
open System.Runtime.ExceptionServices
open System.Security.Authentication
open System.Security.Cryptography
open System.Security.Cryptography.X509Certificates
open System.Threading
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Inspect.Options
open LibKafka.Inspect.Input
open LibKafka.Inspect.Frames

/// Puts other addresses into the responses that say where brokers are. Without that, a client would bypass the proxy after its first metadata
/// request.
module private Addresses =

    /// The address for a broker's host and port.
    type Replace = string -> int32 -> struct (string * int32)

    let private endpoints (replace: Replace) (endpoints: NodeEndpoint list) : NodeEndpoint list =
        [ for endpoint in endpoints ->
              let struct (host, port) = replace endpoint.Host endpoint.Port
              { endpoint with Host = host; Port = port } ]

    let private metadata (replace: Replace) (response: Metadata.Response) : Response =
        let brokers =
            [ for broker in response.Brokers ->
                  let struct (host, port) = replace broker.Host broker.Port
                  { broker with Host = host; Port = port } ]

        Response.Metadata { response with Brokers = brokers }

    let private coordinators (replace: Replace) (response: FindCoordinator.Response) : Response =
        let struct (host, port) = replace response.Host response.Port

        let coordinators =
            [ for coordinator in response.Coordinators ->
                  let struct (host, port) = replace coordinator.Host coordinator.Port
                  { coordinator with Host = host; Port = port } ]

        Response.FindCoordinator { response with Host = host; Port = port; Coordinators = coordinators }

    let private cluster (replace: Replace) (response: DescribeCluster.Response) : Response =
        let brokers =
            [ for broker in response.Brokers ->
                  let struct (host, port) = replace broker.Host broker.Port
                  { broker with Host = host; Port = port } ]

        Response.DescribeCluster { response with Brokers = brokers }

    /// The response with other addresses; none if it has no addresses.
    let replaced (replace: Replace) (response: Response) : Response option =
        match response with
        | Response.Metadata found -> Some(metadata replace found)
        | Response.FindCoordinator found -> Some(coordinators replace found)
        | Response.DescribeCluster found -> Some(cluster replace found)
        | Response.Produce found when not found.NodeEndpoints.IsEmpty ->
            Some(Response.Produce { found with NodeEndpoints = endpoints replace found.NodeEndpoints })
        | Response.Fetch found when not found.NodeEndpoints.IsEmpty ->
            Some(Response.Fetch { found with NodeEndpoints = endpoints replace found.NodeEndpoints })
        | Response.ShareFetch found when not found.NodeEndpoints.IsEmpty ->
            Some(Response.ShareFetch { found with NodeEndpoints = endpoints replace found.NodeEndpoints })
        | Response.ShareAcknowledge found when not found.NodeEndpoints.IsEmpty ->
            Some(Response.ShareAcknowledge { found with NodeEndpoints = endpoints replace found.NodeEndpoints })
        | _ -> None

/// What a proxy does with what passes through it. The functions are called by one thread at a time.
[<NoEquality; NoComparison>]
type ProxySink =
    {
        /// Shows a frame.
        Show: Frame -> unit
        /// Keeps the bytes of a frame: its connection, whether it is a response, its time, and the bytes.
        Record: int -> bool -> int64 -> Bytes -> unit
        /// Reports an event, such as a new connection.
        Report: string -> unit
    }

/// The end of a connection, for a reason that has been reported.
exception private Ended

/// One client's connection, and that to its broker.
[<Sealed>]
type private Link
    (
        limits: Limits,
        sink: ProxySink,
        gate: obj,
        fail: exn -> unit,
        report: string -> unit,
        number: int,
        replace: Addresses.Replace,
        client: Socket,
        broker: Socket,
        up: Stream,
        down: Stream
    ) =
    let reader = Reader limits
    let mutable isClosed = false
    let mutable hasClientEnded = false

    let close () =
        Volatile.Write(&isClosed, true)
        client.Dispose()
        broker.Dispose()

    /// Runs an action of the sink. If it fails, for example because the output is closed, so does the proxy.
    let guarded (action: unit -> 'T) : 'T =
        try
            lock gate action
        with failure ->
            fail failure
            raise Ended

    let unread (isResponse: bool) (bytes: Bytes) : Frame =
        let time = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()
        { Frame.unread isResponse 0L 0 None bytes with Connection = Some number; Time = Some time }

    let show (isResponse: bool) (bytes: Bytes) : Frame =
        guarded (fun () ->
            let unread = unread isResponse bytes
            let frame = reader.Read(None, unread)
            sink.Record number isResponse unread.Time.Value bytes
            sink.Show frame
            frame)

    let refuse (isResponse: bool) (reason: string) : 'T =
        guarded (fun () -> sink.Show { unread isResponse Bytes.empty with Trouble = Some(Trouble.at 0L "" reason) })
        raise Ended

    let lengthOf (isResponse: bool) (prefix: byte[]) : int =
        let length = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan prefix)

        if length >= 0 && length <= limits.MaxFrameBytes then
            length
        elif isResponse && prefix[0] = 0x15uy && prefix[1] = 3uy then
            refuse isResponse "the broker answers with a TLS alert: use --tls"
        elif prefix[0] = 0x16uy && prefix[1] = 3uy then
            refuse isResponse "the client begins a TLS handshake: clients must connect to the proxy without TLS"
        else
            refuse isResponse ("a frame has the length " + string length + "; the connection is closed")

    /// A frame with its length; null at the end of the stream.
    let readFrame (isResponse: bool) (stream: Stream) : byte[] | null =
        let prefix = Array.zeroCreate<byte> 4

        match stream.ReadAtLeast(Span prefix, 4, false) with
        | 4 ->
            let length = lengthOf isResponse prefix
            let frame = Array.zeroCreate<byte>(length + 4)
            prefix.CopyTo(frame, 0)
            if stream.ReadAtLeast(frame.AsSpan 4, length, false) < length then null else frame
        | _ -> null

    let body (frame: byte[]) = Bytes(ReadOnlyMemory<byte>(frame, 4, frame.Length - 4))

    /// The frame of a response, with the addresses of the proxy if it has addresses. All others remain byte for byte as they are.
    let forClient (frame: byte[]) (shown: Frame) : byte[] =
        match shown.Body, shown.Identity, shown.Trouble with
        | Some(Body.Response response), Some { Version = version; CorrelationId = Some id }, None ->
            match Addresses.replaced replace response with
            | None -> frame
            | Some changed ->
                let writer = Writer 1024

                match LibKafka.Protocol.Frame.writeAnyResponse writer version id changed with
                | Ok() -> writer.Written.ToArray()
                | Error fault -> refuse true ("the response cannot be written with other addresses: " + fault.ToString())
        | _ -> frame

    let rec requests () =
        match readFrame false up with
        // The client sends no more, but responses may still come.
        | null ->
            Volatile.Write(&hasClientEnded, true)
            broker.Shutdown SocketShutdown.Send
        | frame ->
            show false (body frame) |> ignore
            down.Write(frame, 0, frame.Length)
            requests ()

    let rec responses () =
        match readFrame true down with
        | null ->
            if not (Volatile.Read &hasClientEnded) then
                report ("connection " + string number + ": closed by the broker")

            close ()
        | frame ->
            let changed = show true (body frame) |> forClient frame
            up.Write(changed, 0, changed.Length)
            responses ()

    let run (work: unit -> unit) () =
        try
            work ()
        with
        | Ended
        | :? ObjectDisposedException -> close ()
        | :? IOException
        | :? SocketException as failure ->
            // After one side has failed, so does the other.
            if not (Volatile.Read &isClosed) then
                report ("connection " + string number + ": " + failure.Message)

            close ()

    member _.Start() =
        Thread(run requests, IsBackground = true, Name = "proxy requests").Start()
        Thread(run responses, IsBackground = true, Name = "proxy responses").Start()

    member _.Close() = close ()
    member _.IsClosed = Volatile.Read &isClosed

/// Trusts the authorities in a file, and no others.
let private policyOf (path: string) : X509ChainPolicy =
    let policy = X509ChainPolicy(TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck)

    try
        policy.CustomTrustStore.ImportFromPemFile path
    with
    | :? IOException
    | :? UnauthorizedAccessException
    | :? CryptographicException as failure -> raise (InputFailure("cannot read " + path + ": " + failure.Message))

    if policy.CustomTrustStore.Count = 0 then
        raise (InputFailure("cannot read " + path + ": it has no certificate in PEM"))

    policy

/// Listens for clients, and connects each to the broker whose port it came to.
[<Sealed>]
type Proxy(settings: ProxySettings, limits: Limits, sink: ProxySink) as this =
    let gate = obj ()
    let listeners = Dictionary<struct (string * int), TcpListener>()
    let links = List<Link>()
    let failed = new ManualResetEvent false
    let mutable failure: exn option = None
    let mutable count = 0

    let fail (reason: exn) =
        lock gate (fun () -> if failure.IsNone then failure <- Some reason)
        failed.Set() |> ignore

    let report (text: string) =
        try
            lock gate (fun () -> sink.Report text)
        with reason ->
            fail reason

    let portOf (listener: TcpListener) =
        match listener.LocalEndpoint with
        | :? IPEndPoint as point -> point.Port
        | _ -> 0

    /// A listener at the port if it is free, otherwise at any.
    let listenAt (port: int) : TcpListener =
        let start port =
            let listener = new TcpListener(settings.Listen.Address, port)
            listener.Start()
            listener

        try
            start port
        with :? SocketException when port <> 0 && listeners.Count > 0 ->
            start 0

    let policy = settings.Authorities |> Option.map policyOf

    let secured (host: string) (broker: Socket) : Stream =
        let plain = new NetworkStream(broker, false)

        if settings.Tls then
            let options = SslClientAuthenticationOptions(TargetHost = host)
            policy |> Option.iter (fun policy -> options.CertificateChainPolicy <- policy)
            let secure = new SslStream(plain)
            secure.AuthenticateAsClient options
            secure
        else
            plain

    /// The address by which a client has reached this machine.
    let hereOf (client: Socket) : string =
        match client.LocalEndPoint with
        | :? IPEndPoint as point when point.Address.IsIPv4MappedToIPv6 -> point.Address.MapToIPv4().ToString()
        | :? IPEndPoint as point -> point.Address.ToString()
        | _ -> "127.0.0.1"

    let join (host: string) (port: int) (client: Socket) =
        let broker = new Socket(SocketType.Stream, ProtocolType.Tcp)
        let number = Interlocked.Increment &count

        try
            client.NoDelay <- true
            broker.NoDelay <- true
            let from = string client.RemoteEndPoint
            broker.Connect(host, port)
            let here = hereOf client

            let replace host port = if port <= 0 then struct (host, port) else struct (here, this.PortFor(host, port))

            let down = secured host broker
            let link = Link(limits, sink, gate, fail, report, number, replace, client, broker, new NetworkStream(client, false), down)

            lock gate (fun () ->
                links.RemoveAll(fun other -> other.IsClosed) |> ignore
                links.Add link)

            report ("connection " + string number + ": " + from + " to " + host + ":" + string port)
            link.Start()
        with
        | :? IOException
        | :? SocketException
        | :? AuthenticationException
        | :? ObjectDisposedException as reason ->
            report ("connection " + string number + ": cannot connect to " + host + ":" + string port + ": " + reason.Message)
            client.Dispose()
            broker.Dispose()

    let accept (listener: TcpListener) (host: string) (port: int) () =
        try
            while true do
                let client = listener.AcceptSocket()
                Thread((fun () -> join host port client), IsBackground = true, Name = "proxy").Start()
        with
        | :? SocketException
        | :? InvalidOperationException -> ()

    /// The port of the proxy for a broker. It is opened when a response first names the broker.
    member private _.PortFor(host: string, port: int) : int =
        lock gate (fun () ->
            let key = struct (host.ToLowerInvariant(), port)

            match listeners.TryGetValue key with
            | true, listener -> portOf listener
            | _ ->
                let listener = listenAt (if settings.Listen.Port = 0 then 0 else settings.Listen.Port + listeners.Count)
                listeners[key] <- listener
                Thread(accept listener host port, IsBackground = true, Name = "proxy").Start()
                let address = string settings.Listen.Address + ":" + string (portOf listener)
                sink.Report("listening on " + address + " for " + host + ":" + string port)
                portOf listener)

    /// Runs until cancellation. An exception of the sink ends it.
    member this.Run(cancellation: CancellationToken) =
        try
            this.PortFor(settings.Host, settings.Port) |> ignore
            WaitHandle.WaitAny [| cancellation.WaitHandle; failed |] |> ignore
        finally
            lock gate (fun () ->
                for listener in listeners.Values do
                    listener.Stop()

                for link in links do
                    link.Close())

        match failure with
        | Some reason -> ExceptionDispatchInfo.Throw reason
        | None -> ()
