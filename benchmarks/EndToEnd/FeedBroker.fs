/// A broker with topics to read, alone or as a member of a group. It keeps each log in memory as one array, and sends from there. librdkafka's mock
/// brokers keep no more than 5 MB of a partition.
module LibKafka.Benchmarks.EndToEnd.FeedBroker

open System
open System.Buffers.Binary
open System.Collections.Generic
open System.IO
open System.Net
open System.Net.Sockets
open System.Threading
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Benchmarks.EndToEnd.Workload

let private host = "127.0.0.1"

/// The bytes of a log, and where each of its batches begins. All partitions of a topic share them.
type private Feed = { Topic: Topic; Log: Log; Bytes: Bytes; BatchBytes: int }

let private feedOf (topic: Topic) : Feed option =
    topic.Log
    |> Option.map (fun log ->
        let builder = BatchBuilder BatchOptions.standard
        let batch = (Ours.fillWith builder log.ValueSize log.BatchRecords).Copy().Bytes
        let bytes = Array.zeroCreate<byte>(batch.Length * log.Batches)

        for index in 0 .. log.Batches - 1 do
            let target = bytes.AsSpan(index * batch.Length, batch.Length)
            batch.Span.CopyTo target
            // The checksum does not cover the base offset.
            BinaryPrimitives.WriteInt64BigEndian(target, int64 (index * log.BatchRecords))

        { Topic = topic; Log = log; Bytes = Bytes bytes; BatchBytes = batch.Length })

// ---------------------------------------------------------------------------------------------------------------------
// Answers

// The highest versions that name topics by name and ask about one group.
let private versions: ApiVersions.Response =
    let range (api: Api<'Request, 'Response>) (highest: int16) : ApiVersions.ApiVersion =
        { ApiKey = api.Key; MinVersion = api.Versions.Lowest; MaxVersion = min highest api.Versions.Highest }

    { ApiVersions.response.Default with
        ApiKeys =
            [ range Produce.api 9s
              range Fetch.api 12s
              range ListOffsets.api 6s
              range Metadata.api 9s
              range OffsetCommit.api 8s
              range OffsetFetch.api 7s
              range FindCoordinator.api 3s
              range JoinGroup.api 5s
              range Heartbeat.api 4s
              range LeaveGroup.api 4s
              range SyncGroup.api 5s
              range ApiVersions.api 3s ] }

let private metadata (port: int) (feeds: Map<string, Feed>) (request: Metadata.Request) : Metadata.Response =
    let partition index : Metadata.Partition =
        { Metadata.partition.Default with
            PartitionIndex = index
            LeaderId = 1
            LeaderEpoch = 0
            ReplicaNodes = [ 1 ]
            IsrNodes = [ 1 ] }

    let topic (name: string) : Metadata.Topic =
        match Map.tryFind name feeds with
        | Some feed -> { Metadata.topic.Default with Name = Some name; Partitions = List.init feed.Topic.Partitions partition }
        | None -> { Metadata.topic.Default with Name = Some name; Error = ErrorCode.UnknownTopicOrPartition }

    let asked =
        match request.Topics with
        | None -> feeds |> Map.keys |> List.ofSeq
        | Some topics -> topics |> List.choose _.Name

    { Metadata.response.Default with
        Brokers = [ { Metadata.broker.Default with NodeId = 1; Host = host; Port = port } ]
        ControllerId = 1
        Topics = List.map topic asked }

/// The whole batches from an offset on that fit into that many bytes, or the first.
let private recordsOf (feed: Feed) (offset: int64) (most: int) : Bytes =
    let first = int (min (offset / int64 feed.Log.BatchRecords) (int64 feed.Log.Batches))
    let count = min (feed.Log.Batches - first) (max 1 (most / feed.BatchBytes))
    feed.Bytes.Slice(first * feed.BatchBytes, count * feed.BatchBytes)

let private fetch (feeds: Map<string, Feed>) (request: Fetch.Request) : Fetch.Response =
    let mutable left = request.MaxBytes

    let partition (feed: Feed) (asked: Fetch.PartitionRequest) : Fetch.PartitionResponse =
        let records =
            if left <= 0 then
                Bytes.empty
            else
                recordsOf feed asked.FetchOffset (min left asked.PartitionMaxBytes)

        left <- left - records.Length
        let last = int64 feed.Log.Records

        { Fetch.partitionResponse.Default with
            PartitionIndex = asked.Partition
            HighWatermark = last
            LastStableOffset = last
            LogStartOffset = 0L
            Records = Some records }

    let topics: Fetch.TopicResponse list =
        [ for topic in request.Topics ->
              { Topic = topic.Topic; TopicId = Guid.Empty; Partitions = topic.Partitions |> List.map (partition feeds[topic.Topic]) } ]

    if left = request.MaxBytes then Thread.Sleep request.MaxWaitMs

    { Fetch.response.Default with Topics = topics }

let private listOffsets (feeds: Map<string, Feed>) (request: ListOffsets.Request) : ListOffsets.Response =
    let partition (feed: Feed) (asked: ListOffsets.PartitionRequest) : ListOffsets.PartitionResponse =
        { ListOffsets.partitionResponse.Default with
            PartitionIndex = asked.PartitionIndex
            Offset = (if asked.Spec = OffsetSpec.Earliest then 0L else int64 feed.Log.Records)
            LeaderEpoch = 0 }

    { ListOffsets.response.Default with
        Topics =
            [ for topic in request.Topics -> { Name = topic.Name; Partitions = topic.Partitions |> List.map (partition feeds[topic.Name]) } ] }

let private member' = "member"

let private join (request: JoinGroup.Request) : JoinGroup.Response =
    let protocol = request.Protocols.Head

    { JoinGroup.response.Default with
        GenerationId = 1
        ProtocolType = Some request.ProtocolType
        ProtocolName = Some protocol.Name
        Leader = member'
        MemberId = member'
        Members = [ { MemberId = member'; GroupInstanceId = None; Metadata = protocol.Metadata } ] }

let private sync (request: SyncGroup.Request) : SyncGroup.Response =
    { SyncGroup.response.Default with
        ProtocolType = request.ProtocolType
        ProtocolName = request.ProtocolName
        Assignment = request.Assignments.Head.Assignment }

// Nothing is committed, so that a member reads from the start.
let private fetchOffsets (request: OffsetFetch.Request) : OffsetFetch.Response =
    let partition index : OffsetFetch.PartitionResponse =
        { OffsetFetch.partitionResponse.Default with PartitionIndex = index; CommittedOffset = -1L; Metadata = Some "" }

    { OffsetFetch.response.Default with
        Topics =
            [ for topic in Option.defaultValue [] request.Topics ->
                  { Name = topic.Name; Partitions = List.map partition topic.PartitionIndexes } ] }

let private commit (request: OffsetCommit.Request) : OffsetCommit.Response =
    { OffsetCommit.response.Default with
        Topics =
            [ for topic in request.Topics ->
                  { Name = topic.Name
                    TopicId = topic.TopicId
                    Partitions =
                      [ for partition in topic.Partitions -> { PartitionIndex = partition.PartitionIndex; Error = ErrorCode.None } ] } ] }

// ---------------------------------------------------------------------------------------------------------------------
// The connections

/// Writes responses. Large pieces are sent from where they are.
type private Responder(socket: Socket) =
    let writer = Writer(512, 16 * 1024)

    member _.Respond(header: RequestHeader, api: Api<'Request, 'Response>, response: 'Response) =
        writer.Clear()
        writer.Int32 0
        let version = header.ApiVersion

        let written =
            Message.writeTo writer (api.ResponseHeaderVersion version) ResponseHeader.message { CorrelationId = header.CorrelationId }
            |> Result.bind (fun () -> Message.writeTo writer version api.Response response)

        match written with
        | Error fault -> invalidOp (fault.ToString())
        | Ok() ->
            writer.PatchInt32(0, writer.Length - 4)
            socket.Send(List<ArraySegment<byte>> writer.Segments) |> ignore

let private answer (port: int) (feeds: Map<string, Feed>) (responder: Responder) (frame: Bytes) =
    match Frame.decodeRequest Limits.standard frame with
    | Error fault -> invalidOp (fault.ToString())
    | Ok(header, request) ->
        match request with
        | Request.ApiVersions _ -> responder.Respond(header, ApiVersions.api, versions)
        | Request.Metadata request -> responder.Respond(header, Metadata.api, metadata port feeds request)
        | Request.Fetch request -> responder.Respond(header, Fetch.api, fetch feeds request)
        | Request.ListOffsets request -> responder.Respond(header, ListOffsets.api, listOffsets feeds request)
        | Request.FindCoordinator _ ->
            responder.Respond(header, FindCoordinator.api, { FindCoordinator.response.Default with NodeId = 1; Host = host; Port = port })
        | Request.JoinGroup request -> responder.Respond(header, JoinGroup.api, join request)
        | Request.SyncGroup request -> responder.Respond(header, SyncGroup.api, sync request)
        | Request.Heartbeat _ -> responder.Respond(header, Heartbeat.api, Heartbeat.response.Default)
        | Request.LeaveGroup _ -> responder.Respond(header, LeaveGroup.api, LeaveGroup.response.Default)
        | Request.OffsetFetch request -> responder.Respond(header, OffsetFetch.api, fetchOffsets request)
        | Request.OffsetCommit request -> responder.Respond(header, OffsetCommit.api, commit request)
        | _ -> invalidOp (header.ApiKey.ToString() + " is not expected")

let private converse (port: int) (feeds: Map<string, Feed>) (socket: Socket) =
    use stream = new NetworkStream(socket, true)
    let responder = Responder socket
    let prefix: byte[] = Array.zeroCreate 4

    try
        while stream.ReadAtLeast(Span prefix, 4, false) = 4 do
            let frame = Array.zeroCreate<byte>(BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan prefix))
            stream.ReadExactly(Span frame)
            answer port feeds responder (Bytes frame)
    with
    | :? IOException
    | :? SocketException -> ()

let private background (work: unit -> unit) = Thread(work, IsBackground = true).Start()

/// Runs until the standard input ends, with a thread for each connection; prints its address.
let run () =
    let feeds =
        [ fetched valueSize; fetched largeValueSize; grouped ]
        |> List.choose feedOf
        |> List.map (fun feed -> feed.Topic.Name, feed)
        |> Map.ofList

    let listener = new TcpListener(IPAddress.Loopback, 0)
    listener.Start 1024
    let port = (listener.LocalEndpoint :?> IPEndPoint).Port

    background (fun () ->
        while true do
            let socket = listener.AcceptSocket()
            socket.NoDelay <- true
            background (fun () -> converse port feeds socket))

    Console.Out.WriteLine $"{host}:{port}"
    Console.Out.Flush()
    Console.In.ReadToEnd() |> ignore
