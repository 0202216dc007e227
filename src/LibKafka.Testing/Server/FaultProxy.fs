namespace LibKafka.Testing

open System
open System.Buffers.Binary
open System.Collections.Concurrent
open System.Collections.Generic
open System.IO
open System.Net
open System.Net.Security
open System.Net.Sockets
open System.Security.Authentication
open System.Threading
open LibKafka
open LibKafka.Wire
open LibKafka.Protocol

/// What the proxy owes a client, in the order of its requests.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type private Owed =
    /// The broker's next frame, for a request that the proxy could not read if there is no exchange.
    | Broker of BrokerExchange option * Reaction
    /// These bytes, after a time.
    | Own of byte[] * TimeSpan
    /// The end of the connection, after a time.
    | End of TimeSpan

/// What all connections of a proxy share.
[<Sealed>]
type private ProxyHub(script: Script, log: ExchangeLog, localPort: string -> int -> int) =
    let names = ConcurrentDictionary<Guid, string>()
    let mutable connections = 0L

    member _.Script = script
    member _.Log = log
    member _.NextConnection() = Interlocked.Increment &connections

    member _.NameOf(id: Guid) : string option =
        match names.TryGetValue id with
        | true, name -> Some name
        | _ -> None

    member private _.Here(host: string, port: int32) : struct (string * int32) =
        if port <= 0 then struct (host, port) else struct ("127.0.0.1", localPort host port)

    member private this.Endpoints(endpoints: NodeEndpoint list) : NodeEndpoint list =
        [ for endpoint in endpoints ->
              let struct (host, port) = this.Here(endpoint.Host, endpoint.Port)
              { endpoint with Host = host; Port = port } ]

    member private this.Metadata(metadata: Metadata.Response) : Metadata.Response =
        for topic in metadata.Topics do
            match topic.Name with
            | Some name -> names[topic.TopicId] <- name
            | None -> ()

        let brokers =
            [ for broker in metadata.Brokers ->
                  let struct (host, port) = this.Here(broker.Host, broker.Port)
                  { broker with Host = host; Port = port } ]

        { metadata with Brokers = brokers }

    member private this.Coordinators(found: FindCoordinator.Response) : FindCoordinator.Response =
        let struct (host, port) = this.Here(found.Host, found.Port)

        let coordinators =
            [ for coordinator in found.Coordinators ->
                  let struct (host, port) = this.Here(coordinator.Host, coordinator.Port)
                  { coordinator with Host = host; Port = port } ]

        { found with Host = host; Port = port; Coordinators = coordinators }

    /// The response with the addresses of the proxy in place of those of the brokers; ValueNone if it has no addresses.
    member this.Readdress(response: Response) : Response voption =
        match response with
        | Response.Metadata metadata -> ValueSome(Response.Metadata(this.Metadata metadata))
        | Response.FindCoordinator found -> ValueSome(Response.FindCoordinator(this.Coordinators found))
        | Response.DescribeCluster cluster ->
            let brokers =
                [ for broker in cluster.Brokers ->
                      let struct (host, port) = this.Here(broker.Host, broker.Port)
                      { broker with Host = host; Port = port } ]

            ValueSome(Response.DescribeCluster { cluster with Brokers = brokers })
        | Response.Produce produced when not produced.NodeEndpoints.IsEmpty ->
            ValueSome(Response.Produce { produced with NodeEndpoints = this.Endpoints produced.NodeEndpoints })
        | Response.Fetch fetched when not fetched.NodeEndpoints.IsEmpty ->
            ValueSome(Response.Fetch { fetched with NodeEndpoints = this.Endpoints fetched.NodeEndpoints })
        | _ -> ValueNone

/// One client's connection, and the one to its broker.
[<Sealed>]
type private ProxyConnection(hub: ProxyHub, client: Socket, broker: Socket, down: Stream) =
    static let mostBytes = 1024 * 1024 * 1024
    let number = hub.NextConnection()
    let up = new NetworkStream(client, false)
    let owed = new BlockingCollection<Owed>()
    let mutable isSilent = false
    let mutable isClosed = false

    /// A frame with its length before it; null at the end of the stream.
    let readFrame (stream: Stream) : byte[] | null =
        let prefix = Array.zeroCreate<byte> 4

        if stream.ReadAtLeast(Span prefix, 4, false) < 4 then
            null
        else
            let length = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan prefix)

            if length < 0 || length > mostBytes then
                null
            else
                let frame = Array.zeroCreate<byte>(length + 4)
                prefix.CopyTo(frame, 0)
                if stream.ReadAtLeast(frame.AsSpan 4, length, false) < length then null else frame

    let encode (exchange: BrokerExchange) (response: Response) : byte[] =
        let writer = Writer 1024

        match Frame.writeAnyResponse writer exchange.Version exchange.Header.CorrelationId response with
        | Ok() -> writer.Written.ToArray()
        | Error fault -> invalidOp ("A response cannot be written: " + fault.ToString())

    let body (frame: byte[]) = Bytes(ReadOnlyMemory<byte>(frame, 4, frame.Length - 4))

    let close () =
        Volatile.Write(&isClosed, true)
        client.Dispose()
        broker.Dispose()

    /// Sends a frame of the broker to the client, in the way that the script says; false if the connection must be closed.
    let pass (exchange: BrokerExchange option) (reaction: Reaction) (frame: byte[]) : bool =
        let decoded =
            exchange
            |> Option.bind (fun exchange ->
                match Frame.decodeAnyResponse Limits.standard exchange.Api exchange.Version (body frame) with
                | Ok(_, response) -> Some(exchange, response)
                | Error _ -> None)

        let frame =
            match decoded, reaction.Kind with
            | Some(exchange, response), ReactionKind.Change change -> encode exchange (change.Invoke response)
            | Some(exchange, _), ReactionKind.FailAfterwards code ->
                encode exchange (ErrorResponses.create exchange.Version exchange.Request code)
            | Some(exchange, response), _ ->
                match hub.Readdress response with
                | ValueSome changed -> encode exchange changed
                | ValueNone -> frame
            | None, _ -> frame

        if reaction.DelayTime > TimeSpan.Zero then Thread.Sleep reaction.DelayTime

        match reaction.Kind with
        | ReactionKind.CutAfter bytes ->
            up.Write(frame, 0, min bytes frame.Length)
            false
        | ReactionKind.WrongCorrelationId when frame.Length >= 8 ->
            let id = frame.AsSpan(4, 4)
            BinaryPrimitives.WriteInt32BigEndian(id, BinaryPrimitives.ReadInt32BigEndian(Span.op_Implicit id) + 1)
            up.Write(frame, 0, frame.Length)
            true
        | ReactionKind.Silence -> true
        | _ ->
            // A test may look at the response as soon as its client has it.
            decoded
            |> Option.iter (fun (exchange, response) ->
                exchange.Answer response
                hub.Log.Grow(exchange, frame.Length))

            up.Write(frame, 0, frame.Length)
            true

    /// Whether the broker has closed the connection.
    let isBrokerGone () = broker.Poll(0, SelectMode.SelectRead) && broker.Available = 0

    let rec answer () =
        let mutable next = Owed.End TimeSpan.Zero

        if owed.TryTake(&next, 50) then
            match next with
            | Owed.Own(bytes, delay) ->
                Thread.Sleep delay
                up.Write(bytes, 0, bytes.Length)
                answer ()
            | Owed.End delay -> Thread.Sleep delay
            | Owed.Broker(exchange, reaction) ->
                match readFrame down with
                | null -> ()
                | frame -> if pass exchange reaction frame then answer ()
        elif not (isBrokerGone ()) then
            answer ()

    /// Forwards a request, or does what the script says in its place.
    let react (exchange: BrokerExchange) (reaction: Reaction) (frame: byte[]) =
        let isAnswered = Request.isAnswered exchange.Request

        let instead (response: Response) =
            if isAnswered then
                owed.Add(Owed.Own(encode exchange response, reaction.DelayTime))

        match reaction.Kind with
        | ReactionKind.Fail code -> instead (ErrorResponses.create exchange.Version exchange.Request code)
        | ReactionKind.Reply response -> instead response
        | ReactionKind.Raw bytes -> owed.Add(Owed.Own(bytes.ToArray(), reaction.DelayTime))
        | ReactionKind.Close -> owed.Add(Owed.End reaction.DelayTime)
        | ReactionKind.CutRequestAfter bytes ->
            down.Write(frame, 0, min bytes frame.Length)
            owed.Add(Owed.End reaction.DelayTime)
        | ReactionKind.Ignore -> isSilent <- true
        | _ ->
            if reaction.Kind.IsSilence then isSilent <- true
            down.Write(frame, 0, frame.Length)
            if isAnswered then owed.Add(Owed.Broker(Some exchange, reaction))

    let forward (frame: byte[]) =
        match Frame.decodeRequest Limits.standard (body frame) with
        | Ok(header, request) ->
            let exchange = hub.Log.Add(-1, number, header, request, frame.Length)
            react exchange (hub.Script.React(hub.NameOf, exchange)) frame
        | Error _ ->
            down.Write(frame, 0, frame.Length)
            owed.Add(Owed.Broker(None, Reaction.Proceed))

    let rec ask () =
        match readFrame up with
        | null -> ()
        | frame ->
            if not isSilent then forward frame
            ask ()

    let run (work: unit -> unit) () =
        try
            try
                work ()
            with
            | :? IOException
            | :? SocketException
            | :? ObjectDisposedException -> ()
        finally
            close ()

    member _.Start() =
        Thread(run ask, 256 * 1024, IsBackground = true, Name = "LibKafka.Testing proxy requests").Start()
        Thread(run answer, 256 * 1024, IsBackground = true, Name = "LibKafka.Testing proxy responses").Start()

    member _.Close() = close ()
    member _.IsClosed = Volatile.Read &isClosed

/// A proxy that clients use in place of a Kafka cluster, and that breaks their requests and responses as a script says. It understands
/// the protocol: it puts its own addresses into the responses in place of the brokers', so that clients reach all brokers through it. Clients
/// connect to it without TLS, even if the brokers have it.
[<Sealed>]
type FaultProxy private (address: DnsEndPoint, tls: Func<string, SslClientAuthenticationOptions> | null) as this =
    let script = Script()
    let log = ExchangeLog(10_000, 64L * 1024L * 1024L)
    let gate = obj ()
    let listeners = Dictionary<struct (string * int), TcpListener>()
    let connections = List<ProxyConnection>()
    let mutable isStopped = false
    let hub = ProxyHub(script, log, fun host port -> this.PortFor(host, port))

    /// The bytes of a connection to a broker, after the TLS handshake if there is one.
    let stream (host: string) (broker: Socket) : Stream =
        let plain = new NetworkStream(broker, false)

        match tls with
        | null -> plain
        | tls ->
            let secure = new SslStream(plain)
            secure.AuthenticateAsClient(tls.Invoke host)
            secure

    let connect (host: string) (port: int) (client: Socket) =
        let broker = new Socket(SocketType.Stream, ProtocolType.Tcp)

        try
            client.NoDelay <- true
            broker.NoDelay <- true
            broker.Connect(host, port)
            let connection = ProxyConnection(hub, client, broker, stream host broker)

            lock gate (fun () ->
                connections.RemoveAll(fun other -> other.IsClosed) |> ignore
                if isStopped then connection.Close() else connections.Add connection)

            connection.Start()
        with
        | :? IOException
        | :? SocketException
        | :? AuthenticationException
        | :? ObjectDisposedException ->
            client.Dispose()
            broker.Dispose()

    let accept (listener: TcpListener) (host: string) (port: int) () =
        try
            while true do
                let client = listener.AcceptSocket()
                // The handshake of one client does not hold up the others.
                Thread((fun () -> connect host port client), 256 * 1024, IsBackground = true, Name = "LibKafka.Testing proxy").Start()
        with
        | :? SocketException
        | :? InvalidOperationException -> ()

    static let start (target: string) (tls: Func<string, SslClientAuthenticationOptions> | null) : FaultProxy =
        ArgumentNullException.ThrowIfNull target
        let cut = target.LastIndexOf ':'

        match (if cut > 0 then Int32.TryParse(target.Substring(cut + 1)) else (false, 0)) with
        | true, port when port > 0 && port < 65536 -> new FaultProxy(DnsEndPoint(target.Substring(0, cut).Trim('[', ']'), port), tls)
        | _ -> raise (ArgumentException("'" + target + "' is not of the form host:port.", nameof target))

    /// Starts a proxy in front of a broker, which is given as `host:port`. The other brokers of the cluster are found by its responses.
    static member Start(target: string) : FaultProxy = start target null

    /// The same for brokers with TLS. The function gives the options for a host; it must set `TargetHost`.
    static member Start(target: string, tls: Func<string, SslClientAuthenticationOptions>) : FaultProxy =
        ArgumentNullException.ThrowIfNull tls
        start target tls

    /// The port of the proxy for a broker. It is opened when a response first names the broker. ObjectDisposedException if that is after `Dispose`.
    member private this.PortFor(host: string, port: int) : int =
        lock gate (fun () ->
            let key = struct (host, port)

            let listener =
                match listeners.TryGetValue key with
                | true, listener -> listener
                | _ ->
                    ObjectDisposedException.ThrowIf(isStopped, this)
                    let listener = new TcpListener(IPAddress.Loopback, 0)
                    listener.Start 512
                    listeners[key] <- listener
                    Thread(accept listener host port, 256 * 1024, IsBackground = true, Name = "LibKafka.Testing proxy").Start()
                    listener

            match listener.LocalEndpoint with
            | :? IPEndPoint as point -> point.Port
            | _ -> 0)

    /// The address of the proxy for clients, in place of the target's.
    member this.Bootstrap: string = "127.0.0.1:" + string (this.PortFor(address.Host, address.Port))

    /// What happens to the requests of clients.
    member _.Script: Script = script

    /// The latest requests, the oldest first: at most 10,000 of at most 64 MiB together.
    member _.Requests: IReadOnlyList<BrokerExchange> = log.Snapshot()

    /// Forgets the requests so far.
    member _.ClearRequests() = log.Clear()

    /// The first request that matches, among those in `Requests` and those to come. TimeoutException if there is none in time.
    member _.WaitFor(filter: RequestFilter, timeout: TimeSpan) : BrokerExchange =
        ArgumentNullException.ThrowIfNull filter
        log.WaitFor(filter, hub.NameOf, timeout)

    /// Closes all connections.
    member _.CloseConnections() =
        lock gate (fun () ->
            for connection in connections do
                connection.Close()

            connections.Clear())

    /// Closes the proxy and all connections.
    member this.Dispose() =
        lock gate (fun () ->
            isStopped <- true

            for listener in listeners.Values do
                listener.Stop())

        this.CloseConnections()

    interface IDisposable with
        member this.Dispose() = this.Dispose()
