namespace LibKafka.Client

open System
open System.Buffers.Binary
open System.Diagnostics
open System.Threading
open LibKafka.Wire
open LibKafka.Protocol

/// What came back for a request: what it says, and how many bytes of it nobody read.
[<Struct>]
type internal Answer<'T> = { UnreadBytes: int; Outcome: Result<'T, ClientFault> }

/// A connection to one broker: a socket with one request in flight. It knows the broker's versions and uses, for each API, the highest
/// that both sides know. After any fault but `CannotEncode` it is closed and stays so. It is not for use by several threads at a time.
[<Sealed>]
type Connection private (broker: BrokerAddress, settings: ClientSettings, transport: Transport) =
    let writer = Writer 512
    let prefix: byte[] = Array.zeroCreate 4
    let mutable correlation = 0
    let mutable answered = 0
    let mutable versions: Map<ApiKey, VersionRange> = Map.empty
    let mutable closed: string option = None

    let close (cause: string) =
        if closed.IsNone then
            closed <- Some cause
            (transport :> IDisposable).Dispose()

    let readFrame (deadline: Deadline) : Bytes =
        transport.ReadExactly(ArraySegment prefix, deadline)
        let length = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan prefix)

        // Every answer has its correlation id.
        if length < 4 || length > settings.Limits.MaxFrameBytes then
            raise (ClientFaultException(ClientFault.BadFrameLength(length, settings.Limits.MaxFrameBytes)))

        let frame = GC.AllocateUninitializedArray<byte> length
        transport.ReadExactly(ArraySegment frame, deadline)
        Bytes frame

    // The answer to the request with this id. Every request since the last answer but this one wanted none, so a broker that answers
    // them all the same is only being talkative.
    let rec readAnswer (id: int32) (deadline: Deadline) : Bytes =
        let frame = readFrame deadline
        let received = BinaryPrimitives.ReadInt32BigEndian frame.Span

        if received > answered && received < id then
            readAnswer id deadline
        elif received = id then
            answered <- id
            frame
        else
            raise (ClientFaultException(ClientFault.WrongCorrelationId(id, received)))

    // The frame of every call goes this way: send what the writer holds, read the answer with `answer`, tell what happened.
    let exchange
        (api: Api<'Request, 'Response>)
        (version: int16)
        (request: 'Request)
        (deadline: Deadline)
        (cancellation: CancellationToken)
        (answer: int32 -> Answer<'Answer>)
        : Exchange<'Request, 'Answer> =
        let began = DateTimeOffset.UtcNow
        correlation <- correlation + 1
        let id = correlation
        let outBefore = transport.BytesOut
        let inBefore = transport.BytesIn

        let failed fault = { UnreadBytes = 0; Outcome = Error fault }

        let answer =
            match closed with
            | Some cause -> failed (ClientFault.Unusable cause)
            | None ->
                writer.Clear()

                match Frame.writeRequest writer api version id (Some settings.ClientId) request with
                | Error fault -> failed (ClientFault.CannotEncode fault)
                | Ok() ->
                    // Closing the socket is what wakes a thread that waits in it.
                    use _ = cancellation.Register(fun () -> (transport :> IDisposable).Dispose())

                    try
                        cancellation.ThrowIfCancellationRequested()
                        transport.Write(writer.Segment, deadline)
                        answer id
                    with error ->
                        failed (Transport.Fault(deadline, cancellation, error))

        let fault =
            match answer.Outcome with
            | Ok _ -> None
            | Error fault -> Some fault

        match fault with
        // Cancelled when the answer had just come: the call is good, but its socket is gone.
        | None when cancellation.IsCancellationRequested -> close (ClientFault.Cancelled.ToString())
        | None
        | Some(ClientFault.CannotEncode _) -> ()
        | Some fault -> close (fault.ToString())

        let info =
            { Api = api.Key
              Version = version
              Broker = Some broker
              CorrelationId = id
              Began = began
              Elapsed = deadline.Elapsed
              BytesOut = int (transport.BytesOut - outBefore)
              BytesIn = int (transport.BytesIn - inBefore)
              UnreadBytes = answer.UnreadBytes
              Fault = fault }

        settings.Observe info
        { Info = info; Request = request; Outcome = answer.Outcome }

    let call
        (api: Api<'Request, 'Response>)
        version
        request
        (deadline: Deadline)
        cancellation
        (decode: Bytes -> Result<'Answer * int, ClientFault>)
        =
        exchange api version request deadline cancellation (fun id ->
            let frame = readAnswer id deadline
            let decoded = decode frame

            { UnreadBytes = decoded |> Result.map snd |> Result.defaultValue 0; Outcome = Result.map fst decoded })

    let decodeAs (api: Api<'Request, 'Response>) version frame =
        Frame.readResponse api version frame |> Result.mapError ClientFault.Malformed

    // A broker that does not know the version asked answers in version 0 with error 35 (KIP-511). Some add a body that is not well formed,
    // so nothing but the error code is believed unless all of it can be read.
    let decodeVersions (version: int16) (frame: Bytes) : Result<ApiVersions.Response * int, ClientFault> =
        let api = ApiVersions.api
        let refused = ErrorCode.UnsupportedVersion

        if frame.Length >= 6 && BinaryPrimitives.ReadInt16BigEndian(frame.Span.Slice 4) = refused.Code then
            match decodeAs api 0s frame with
            | Ok(response, 0) -> Ok(response, 0)
            | _ -> Ok({ api.Response.Schema.Default with Error = refused }, frame.Length - 6)
        else
            decodeAs api version frame

    let askVersions (version: int16) deadline cancellation =
        let request: ApiVersions.Request =
            { ClientSoftwareName = "libkafka-dotnet"
              ClientSoftwareVersion = Connection.SoftwareVersion
              ClusterId = None
              NodeId = -1 }

        (call ApiVersions.api version request deadline cancellation (decodeVersions version)).Outcome

    /// Learns the broker's versions, asking again in a version that it knows where it does not know ours.
    member private _.Negotiate(deadline, cancellation) : Result<unit, ClientFault> =
        let rangeOf (key: ApiVersions.ApiVersion) = key.ApiKey, { Lowest = key.MinVersion; Highest = key.MaxVersion }

        let rec ask version =
            match askVersions version deadline cancellation with
            | Error fault -> Error fault
            | Ok response when response.Error = ErrorCode.None ->
                versions <- response.ApiKeys |> List.map rangeOf |> Map.ofList
                Ok()
            | Ok response when response.Error = ErrorCode.UnsupportedVersion && version > 0s ->
                let theirs =
                    response.ApiKeys
                    |> List.tryFind (fun key -> key.ApiKey = ApiKey.ApiVersions)
                    |> Option.map _.MaxVersion
                    |> Option.defaultValue 0s

                ask (max 0s (min theirs (version - 1s)))
            | Ok response -> Error(ClientFault.VersionsRefused response.Error)

        match ask ApiVersions.api.Versions.Highest with
        | Error fault ->
            close (fault.ToString())
            Error fault
        | Ok() -> Ok()

    static member val private SoftwareVersion: string =
        match typeof<Connection>.Assembly.GetName().Version with
        | null -> "0.0.0"
        | version -> version.ToString 3

    /// Connects to a broker and learns its versions.
    static member Open
        (settings: ClientSettings, broker: BrokerAddress, ?cancellation: CancellationToken)
        : Result<Connection, ClientFault> =
        let deadline = Deadline.After settings.ConnectTimeout
        let cancellation = defaultArg cancellation CancellationToken.None

        Transport.Open(broker, deadline, cancellation)
        |> Result.bind (fun transport ->
            let connection = new Connection(broker, settings, transport)

            connection.Negotiate(deadline, cancellation) |> Result.map (fun () -> connection))

    /// The broker at the other end.
    member _.Broker = broker

    /// The socket, for looking at.
    member _.Socket = transport.Socket

    /// Whether calls can still be made.
    member _.IsOpen = closed.IsNone

    /// The versions of each API that the broker supports.
    member _.BrokerVersions = versions

    /// The highest version of an API that both sides know.
    member _.VersionOf(api: Api<'Request, 'Response>) : Result<int16, ClientFault> =
        let theirs = versions.TryFind api.Key

        match theirs with
        | Some range when min range.Highest api.Versions.Highest >= max range.Lowest api.Versions.Lowest ->
            Ok(min range.Highest api.Versions.Highest)
        | _ -> Error(ClientFault.NoCommonVersion(api.Key, api.Versions, theirs))

    /// Sends a request in the highest common version and waits for its response.
    member this.Call(api: Api<'Request, 'Response>, request: 'Request, ?cancellation: CancellationToken) : Exchange<'Request, 'Response> =
        match this.VersionOf api with
        | Ok version -> this.CallAt(version, api, request, ?cancellation = cancellation)
        | Error fault -> Exchange.notMade settings (Stopwatch.GetTimestamp()) api (Some broker) request fault

    /// Sends a request in the version given and waits for its response.
    member _.CallAt
        (version, api: Api<'Request, 'Response>, request: 'Request, ?cancellation: CancellationToken)
        : Exchange<'Request, 'Response> =
        let deadline = Deadline.After settings.CallTimeout
        let cancellation = defaultArg cancellation CancellationToken.None
        call api version request deadline cancellation (decodeAs api version)

    // The same within a time of its own, for requests that a broker may hold back for longer than other calls take.
    member internal _.CallWithin
        (timeout: TimeSpan, version, api: Api<'Request, 'Response>, request: 'Request, cancellation: CancellationToken)
        : Exchange<'Request, 'Response> =
        call api version request (Deadline.After timeout) cancellation (decodeAs api version)

    /// Sends a request in the version given that has no response, such as Produce with `Acks.None`.
    member _.SendAt
        (version, api: Api<'Request, 'Response>, request: 'Request, ?cancellation: CancellationToken)
        : Exchange<'Request, unit> =
        let deadline = Deadline.After settings.CallTimeout
        let cancellation = defaultArg cancellation CancellationToken.None
        exchange api version request deadline cancellation (fun _ -> { UnreadBytes = 0; Outcome = Ok() })

    /// Closes the socket. Later calls give `Unusable`.
    member _.Close() = close "closed by the caller"

    interface IDisposable with
        member this.Dispose() = this.Close()
