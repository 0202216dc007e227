namespace LibKafka.Integration

open System
open System.Buffers.Binary
open System.Collections.Generic
open System.Diagnostics
open System.IO
open System.Net
open System.Net.Sockets
open System.Security.Authentication
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client

/// Sockets that listen on this machine.
[<RequireQualifiedAccess>]
module Loopback =

    let private boundTo (address: IPAddress) (port: int) : Socket * BrokerAddress =
        let socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
        socket.Bind(IPEndPoint(address, port))

        match socket.LocalEndPoint with
        | :? IPEndPoint as point -> socket, { Host = address.ToString(); Port = point.Port }
        | _ -> failwith "a bound socket has a port"

    let private bound (address: IPAddress) = boundTo address 0

    /// A socket that listens on this port; 0 for any.
    let listenOn (at: IPAddress) (port: int) : Socket * BrokerAddress =
        let socket, address = boundTo at port
        socket.Listen 50
        socket, address

    /// A socket that queues this number of connections until they are accepted. Further ones wait, as with a host that is gone.
    let listen (at: IPAddress) (queue: int) : Socket * BrokerAddress =
        let socket, address = bound at
        socket.Listen queue
        socket, address

    /// A port that is taken and refuses connections while the socket exists.
    let refuse () : Socket * BrokerAddress = bound IPAddress.Loopback

    /// Whether this machine has IPv6 at all.
    let hasIPv6 =
        try
            (fst (bound IPAddress.IPv6Loopback)).Dispose()
            true
        with :? SocketException ->
            false

/// A request as a scripted broker received it.
type Received =
    {
        /// The connection it arrived on, counted from 0.
        Connection: int
        Header: RequestHeader
        Request: Request
        /// Bytes on the wire, including the length.
        Size: int
    }

/// What a scripted broker does.
[<RequireQualifiedAccess>]
type Act =
    /// Sends bytes as they are.
    | Send of byte[]
    /// Sends bytes one by one, with a pause before each.
    | Trickle of byte[] * pause: TimeSpan
    /// Does something else.
    | Do of (unit -> unit)
    /// Closes the connection in an orderly way.
    | Close
    /// Ends the connection with a reset.
    | Reset

/// A broker on a loopback socket that does for each request what a function says. It has no behaviour of its own and may break the protocol.
/// If the function returns nothing, it does nothing and continues to read.
[<Sealed>]
type ScriptedBroker(script: BrokerAddress -> Received -> Act list, at: IPAddress, secure: Stream -> Stream, port: int) =
    let gate = obj ()
    let received = List<Received>()
    let sockets = List<Socket>()
    let ended = HashSet<int>()
    let failures = List<string>()
    let mutable bytesOut = 0L
    let listener, address = Loopback.listenOn at port

    let note (change: unit -> unit) =
        lock gate (fun () ->
            change ()
            Monitor.PulseAll gate)

    let readExactly (stream: Stream) (count: int) : byte[] option =
        let bytes = Array.zeroCreate<byte> count
        let got = stream.ReadAtLeast(Span bytes, count, false)
        if got = count then Some bytes else None

    // An absurd length ends the connection, as a broker's limit does.
    let readFrame (stream: Stream) : byte[] option =
        readExactly stream 4
        |> Option.map (fun prefix -> BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan prefix))
        |> Option.filter (fun length -> length <= 100 * 1024 * 1024)
        |> Option.bind (readExactly stream)

    let requestIn (connection: int) (frame: byte[]) : Received =
        match Frame.decodeRequest Limits.standard (Bytes frame) with
        | Ok(header, request) -> { Connection = connection; Header = header; Request = request; Size = frame.Length + 4 }
        | Error fault -> failwith ("a request that cannot be read: " + fault.ToString())

    // Counted first: the receiver of the bytes may check the count at once.
    let send (stream: Stream) (bytes: byte[]) =
        note (fun () -> bytesOut <- bytesOut + int64 bytes.Length)
        stream.Write(ReadOnlySpan bytes)

    /// Whether the connection continues.
    let perform (socket: Socket) (stream: Stream) (act: Act) : bool =
        match act with
        | Act.Send bytes ->
            send stream bytes
            true
        | Act.Trickle(bytes, pause) ->
            for byte in bytes do
                Thread.Sleep pause
                send stream [| byte |]

            true
        | Act.Do something ->
            something ()
            true
        | Act.Close ->
            socket.Shutdown SocketShutdown.Both
            false
        | Act.Reset ->
            socket.LingerState <- LingerOption(true, 0)
            false

    let rec serve (connection: int) (socket: Socket) (stream: Stream) =
        match readFrame stream with
        | None -> ()
        | Some frame ->
            let request = requestIn connection frame
            note (fun () -> received.Add request)
            if script address request |> List.forall (perform socket stream) then
                serve connection socket stream

    let converse (connection: int) (socket: Socket) =
        try
            try
                use stream = secure (new NetworkStream(socket, false))
                serve connection socket stream
            with
            // The other side or the end of the test has closed the connection, or the TLS handshake has failed.
            | :? IOException
            | :? AuthenticationException
            | :? SocketException
            | :? ObjectDisposedException -> ()
            | failure -> note (fun () -> failures.Add failure.Message)
        finally
            socket.Dispose()
            note (fun () -> ended.Add connection |> ignore)

    let start (work: unit -> unit) = Thread(work, IsBackground = true).Start()

    let rec accept (connection: int) =
        let socket = listener.Accept()
        socket.NoDelay <- true
        note (fun () -> sockets.Add socket)
        start (fun () -> converse connection socket)
        accept (connection + 1)

    do
        start (fun () ->
            try
                accept 0
            with
            | :? SocketException
            | :? ObjectDisposedException -> ())

    let await (what: string) (condition: unit -> bool) =
        let patience = Stopwatch.StartNew()

        lock gate (fun () ->
            while not (condition ()) do
                if patience.Elapsed > TimeSpan.FromSeconds 20.0 then
                    failtest ("the broker timed out waiting for " + what)
                Monitor.Wait(gate, 100) |> ignore)

    new(script, at, secure) = new ScriptedBroker(script, at, secure, 0)

    new(script, at) = new ScriptedBroker(script, at, id)

    new(script) = new ScriptedBroker(script, IPAddress.Loopback)

    /// The address it listens on.
    member _.Address = address

    /// The requests so far, in order.
    member _.Received: Received list = lock gate (fun () -> List.ofSeq received)

    /// The requests other than ApiVersions.
    member this.Calls = this.Received |> List.filter (fun request -> request.Header.ApiKey <> ApiKey.ApiVersions)

    /// The versions of the requests of an API, in order.
    member this.VersionsOf(api: ApiKey) =
        this.Received
        |> List.filter (fun request -> request.Header.ApiKey = api)
        |> List.map (fun request -> int request.Header.ApiVersion)

    /// Connections accepted so far.
    member _.Connections = lock gate (fun () -> sockets.Count)

    /// Bytes sent so far, on all connections.
    member _.BytesOut = lock gate (fun () -> bytesOut)

    /// Requests that could not be read, and mistakes in the script.
    member _.Failures: string list = lock gate (fun () -> List.ofSeq failures)

    /// Waits until this number of requests has arrived.
    member _.AwaitRequests(count: int) = await (string count + " requests") (fun () -> received.Count >= count)

    /// Waits until a connection has ended.
    member _.AwaitEnd(connection: int) = await ("the end of connection " + string connection) (fun () -> ended.Contains connection)

    interface IDisposable with
        member _.Dispose() =
            listener.Dispose()
            for socket in lock gate (fun () -> List.ofSeq sockets) do
                socket.Dispose()

/// Responses and behaviours from which scripts are composed.
[<RequireQualifiedAccess>]
module Script =

    /// A frame preceded by its length.
    let framed (body: ReadOnlySpan<byte>) : byte[] =
        let frame = Array.zeroCreate<byte>(4 + body.Length)
        BinaryPrimitives.WriteInt32BigEndian(Span frame, body.Length)
        body.CopyTo(frame.AsSpan 4)
        frame

    /// Only the length of a frame.
    let length (value: int) : byte[] =
        let bytes = Array.zeroCreate<byte> 4
        BinaryPrimitives.WriteInt32BigEndian(Span bytes, value)
        bytes

    /// The frame of a response with any correlation id.
    let frameFor (api: Api<'Request, 'Response>) (version: int16) (correlationId: int32) (response: 'Response) : byte[] =
        match Frame.encodeResponse api version correlationId response with
        | Ok body -> framed body.Span
        | Error fault -> failwith ("a response that cannot be written: " + fault.ToString())

    /// The frame of a response as a broker would send it.
    let frame (api: Api<'Request, 'Response>) (received: Received) (response: 'Response) : byte[] =
        frameFor api received.Header.ApiVersion received.Header.CorrelationId response

    /// Answers as a broker would.
    let answer (api: Api<'Request, 'Response>) (received: Received) (response: 'Response) : Act list =
        [ Act.Send(frame api received response) ]

    /// For requests that a script does not expect.
    let unexpected (received: Received) : Act list = failwith ("the script does not expect " + received.Header.ApiKey.ToString())

    let versions (api: ApiKey) (lowest: int) (highest: int) : ApiVersions.ApiVersion =
        { ApiKey = api; MinVersion = int16 lowest; MaxVersion = int16 highest }

    let private all (api: Api<'Request, 'Response>) = versions api.Key (int api.Versions.Lowest) (int api.Versions.Highest)

    /// The versions of a broker that supports everything that the client does.
    let everything: ApiVersions.ApiVersion list =
        [ all Produce.api
          all Fetch.api
          all ListOffsets.api
          all Metadata.api
          all FindCoordinator.api
          all ApiVersions.api
          all CreateTopics.api
          all DeleteTopics.api ]

    /// The same with some ranges replaced.
    let everythingBut (others: ApiVersions.ApiVersion list) : ApiVersions.ApiVersion list =
        let replaced (key: ApiVersions.ApiVersion) = others |> List.exists (fun other -> other.ApiKey = key.ApiKey)
        others @ List.filter (replaced >> not) everything

    let versionsResponse (error: ErrorCode) (keys: ApiVersions.ApiVersion list) : ApiVersions.Response =
        { ApiVersions.response.Default with Error = error; ApiKeys = keys }

    /// Refuses a version of ApiVersions, which is always done in version 0 (KIP-511), with or without a list of versions.
    let refuseVersion (named: ApiVersions.ApiVersion list) (received: Received) : Act list =
        [ Act.Send(frameFor ApiVersions.api 0s received.Header.CorrelationId (versionsResponse ErrorCode.UnsupportedVersion named)) ]

    /// Reports its versions as a current broker does, and leaves everything else to `rest`.
    let knowing (table: ApiVersions.ApiVersion list) (rest: Received -> Act list) (received: Received) : Act list =
        let own = table |> List.filter (fun key -> key.ApiKey = ApiKey.ApiVersions)
        let known = own |> List.exists (fun key -> received.Header.ApiVersion <= key.MaxVersion)

        match received.Request with
        | Request.ApiVersions _ when known -> answer ApiVersions.api received (versionsResponse ErrorCode.None table)
        | Request.ApiVersions _ -> refuseVersion own received
        | _ -> rest received

    /// A metadata response in which the broker is the only one, and the controller.
    let metadata (me: BrokerAddress) (topics: Metadata.Topic list) : Metadata.Response =
        { Metadata.response.Default with
            Brokers = [ { Metadata.broker.Default with NodeId = 1; Host = me.Host; Port = me.Port } ]
            ClusterId = Some "scripted"
            ControllerId = 1
            Topics = topics
            ClusterAuthorizedOperations = AuthorizedOperations.NotAsked }

    /// A topic with one partition, that broker 1 leads in epoch 3.
    let topic (name: string) (id: Guid) : Metadata.Topic =
        { Metadata.topic.Default with
            Name = Some name
            TopicId = id
            Partitions =
                [ { Metadata.partition.Default with
                      PartitionIndex = 0
                      LeaderId = 1
                      LeaderEpoch = 3
                      ReplicaNodes = [ 1 ]
                      IsrNodes = [ 1 ] } ]
            AuthorizedOperations = AuthorizedOperations.NotAsked }

    /// Reports that it leads partition 0 of the topics, and leaves everything else to `rest`.
    let leading (topics: Metadata.Topic list) (me: BrokerAddress) (rest: Received -> Act list) (received: Received) : Act list =
        match received.Request with
        | Request.Metadata _ -> answer Metadata.api received (metadata me topics)
        | _ -> rest received

    /// Whether a leader of Kafka 4.0 would append the records of a request: one whole batch whose offsets begin at 0, without gaps.
    let private isAppended (records: Bytes option) : bool =
        match [ for item in RecordSet.splitVerified (Option.defaultValue Bytes.empty records) -> item ] with
        | [ RecordSetItem.Batch(batch, _) ] -> batch.BaseOffset = 0L && batch.Count = batch.LastOffsetDelta + 1 && not batch.IsControl
        | _ -> false

    /// A leader's response to a batch, about the partition that the request names: INVALID_RECORD, as from a leader of Kafka 4.0, if the batch
    /// cannot be appended.
    let produced (change: Produce.PartitionResponse -> Produce.PartitionResponse) (request: Produce.Request) : Produce.Response =
        let answer (data: Produce.PartitionData) =
            let response =
                change { Produce.partitionResponse.Default with Index = data.Index; BaseOffset = 0L; CurrentLeader = CurrentLeader.unknown }

            if response.Error.IsError || isAppended data.Records then
                response
            else
                { response with Error = ErrorCode.InvalidRecord; BaseOffset = -1L }

        { Produce.response.Default with
            Topics =
                request.Topics
                |> List.map (fun topic -> { Name = topic.Name; TopicId = topic.TopicId; Partitions = topic.Partitions |> List.map answer }) }

    /// A leader's response to a fetch, about the partition that the request names.
    let fetched (change: Fetch.PartitionResponse -> Fetch.PartitionResponse) (request: Fetch.Request) : Fetch.Response =
        { Fetch.response.Default with
            Topics =
                request.Topics
                |> List.map (fun topic ->
                    { Topic = topic.Topic
                      TopicId = topic.TopicId
                      Partitions =
                        topic.Partitions
                        |> List.map (fun asked ->
                            change { Fetch.partitionResponse.Default with PartitionIndex = asked.Partition; Records = Some Bytes.empty }) }) }

    /// A search for the end of partition 0 of the topic `t`, for tests that need any call.
    let askLatest: ListOffsets.Request =
        { ListOffsets.request.Default with
            ReplicaId = -1
            Topics = [ { Name = "t"; Partitions = [ { ListOffsets.partitionRequest.Default with Spec = OffsetSpec.Latest } ] } ] }

    /// A leader's response to a search for an offset.
    let found (offset: int64) (request: ListOffsets.Request) : ListOffsets.Response =
        { ListOffsets.response.Default with
            Topics =
                request.Topics
                |> List.map (fun topic ->
                    { Name = topic.Name
                      Partitions =
                        topic.Partitions
                        |> List.map (fun asked ->
                            { ListOffsets.partitionResponse.Default with PartitionIndex = asked.PartitionIndex; Offset = offset }) }) }

    /// A response to a search for the offsets of several partitions: 1,000 plus the timestamp that was asked for. Like a real broker, it refuses
    /// a partition that is named twice.
    let foundOnce (request: ListOffsets.Request) : ListOffsets.Response =
        let topic (asked: ListOffsets.TopicRequest) : ListOffsets.TopicResponse =
            let named = asked.Partitions |> List.countBy _.PartitionIndex |> Map.ofList

            { Name = asked.Name
              Partitions =
                [ for partition in asked.Partitions ->
                      { ListOffsets.partitionResponse.Default with
                          PartitionIndex = partition.PartitionIndex
                          Error = (if named[partition.PartitionIndex] > 1 then ErrorCode.InvalidRequest else ErrorCode.None)
                          Offset = 1_000L + partition.Spec.Timestamp } ] }

        { ListOffsets.response.Default with Topics = List.map topic request.Topics }

    /// Answers searches for an offset, and nothing else.
    let finding (offset: int64) (received: Received) : Act list =
        match received.Request with
        | Request.ListOffsets request -> answer ListOffsets.api received (found offset request)
        | _ -> unexpected received

/// Runs a test against a scripted broker.
[<RequireQualifiedAccess>]
module Scripted =

    /// A broker that runs the script during the test.
    let broker (script: BrokerAddress -> Received -> Act list) (test: ScriptedBroker -> unit) =
        use broker = new ScriptedBroker(script)
        test broker
        Expect.isEmpty broker.Failures "every request could be read, and the script had something for it"

    /// A connection to a broker that supports everything that the client does and responds to everything except ApiVersions with `rest`.
    let connection (settings: ClientSettings) (rest: Received -> Act list) (test: ScriptedBroker -> Connection -> unit) =
        broker (fun _ -> Script.knowing Script.everything rest) (fun broker ->
            match Connection.Open(settings, broker.Address) with
            | Error fault -> failtestf "no connection: %O" fault
            | Ok connection ->
                use connection = connection
                test broker connection)

    /// A partition of the topic `t` whose leader, the only broker, has this table of versions, reports this topic id, and responds to everything
    /// except ApiVersions and Metadata with `rest`.
    let partitionOf settings table (topicId: Guid) (rest: Received -> Act list) (test: ScriptedBroker -> PartitionClient -> unit) =
        let script me = Script.knowing table (Script.leading [ Script.topic "t" topicId ] me rest)

        broker script (fun broker ->
            use client = new PartitionClient(settings, Bootstrap.ofAddresses [ broker.Address ], { Topic = "t"; Partition = 0 })
            test broker client)

    /// The same with a broker that supports everything that the client does.
    let partition settings rest test = partitionOf settings Script.everything (Guid "11111111-2222-3333-4444-555555555555") rest test
