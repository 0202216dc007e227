namespace LibKafka.Client

open System
open System.Buffers.Binary
open System.Collections.Generic
open System.Threading
open System.Threading.Tasks
open LibKafka.Wire
open LibKafka.Protocol

/// What came back for a request: what it says, how many bytes of it nobody read, and for how long the broker asks for a pause.
[<Struct>]
type internal Answer<'T> = { UnreadBytes: int; ThrottleMs: int; Outcome: Result<'T, ClientFault> }

/// A stretch of time, by the clock of the settings.
[<Struct>]
type internal Stretch =
    { Since: int64
      For: TimeSpan }

    /// What of it is left, which is not above zero where it is over.
    member this.Left(time: TimeProvider) = this.For - time.GetElapsedTime this.Since

/// A connection to one broker: a socket with one request in flight. It knows the broker's versions and uses, for each API, the highest
/// that both sides know. After any fault but `CannotEncode`, `NoCommonVersion` and `NeverAnswered` it is closed and stays so; a connection
/// that has become too old or has lain unused for too long, by the settings, counts as closed too. Where the broker limits how long an
/// authentication is good (KIP-368), it is renewed before a call that comes when most of that time is over. A connection is not for use by
/// several threads at a time.
[<Sealed>]
type Connection private (broker: BrokerAddress, settings: ClientSettings, transport: Transport, attempt: int) =
    // A batch is sent from where it stands. Below this size a copy costs less than a piece of its own.
    let writer = Writer(512, 16 * 1024)
    let clientId = Some settings.ClientId
    let asked = Some broker
    let prefix: byte[] = Array.zeroCreate 4
    let mutable correlation = 0
    let mutable answered = 0
    let mutable attempt = attempt
    // By the number of the API, since a struct of its own would be boxed for each comparison.
    let versions = Dictionary<int16, VersionRange>()
    let mutable features: ApiVersions.FinalizedFeature list = []
    let mutable closed: string option = None
    let time = settings.Time
    let opened = time.GetTimestamp()
    let mutable lastUsed = opened
    let mutable pause: Stretch voption = ValueNone
    let mutable session: Stretch voption = ValueNone

    let close (cause: string) =
        if closed.IsNone then
            closed <- Some cause
            (transport :> IDisposable).Dispose()

    /// Why no call can be made any more.
    let over () : string option =
        if closed.IsSome then
            closed
        elif Duration.hasPassed time settings.ConnectionTtl opened then
            Some "it is older than ConnectionTtl"
        elif Duration.hasPassed time settings.MaxIdle lastUsed then
            Some "it was not used for longer than MaxIdle"
        else
            None

    // A broker that speaks TLS answers what it cannot read with an alert: 0x15, and the version, which begins with 0x03.
    let isTlsAlert () = answered = 0 && not transport.IsSecure && prefix[0] = 0x15uy && prefix[1] = 0x03uy

    let readFrame (deadline: Deadline) (memory: ReceiveBuffer option) : Bytes =
        transport.ReadExactly(ArraySegment prefix, deadline)
        let length = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan prefix)

        if isTlsAlert () then
            raise (ClientFaultException(ClientFault.TlsExpected broker))

        // Every answer has its correlation id.
        if length < 4 || length > settings.Limits.MaxFrameBytes then
            raise (ClientFaultException(ClientFault.BadFrameLength(length, settings.Limits.MaxFrameBytes)))

        let frame =
            match memory with
            | Some memory -> memory.Take length
            | None -> ArraySegment(GC.AllocateUninitializedArray<byte> length)

        transport.ReadExactly(frame, deadline)
        Bytes(frame.AsMemory())

    // The answer to the request with this id. Every request since the last answer but this one wanted none, so a broker that answers
    // them all the same is only being talkative.
    let rec readAnswer (id: int32) (deadline: Deadline) (memory: ReceiveBuffer option) : Bytes =
        let frame = readFrame deadline memory
        let received = BinaryPrimitives.ReadInt32BigEndian frame.Span

        if received > answered && received < id then
            readAnswer id deadline memory
        elif received = id then
            answered <- id
            frame
        else
            raise (ClientFaultException(ClientFault.WrongCorrelationId(id, received)))

    let failed fault = { UnreadBytes = 0; ThrottleMs = 0; Outcome = Error fault }

    // The frame of every call goes this way, unless something stands in its way: send what the writer holds, read the answer with `answer`,
    // tell what happened.
    let exchange
        (api: Api<'Request, 'Response>)
        (version: int16)
        (request: 'Request)
        (deadline: Deadline)
        (cancellation: CancellationToken)
        (obstacle: ClientFault option)
        (answer: int32 -> Answer<'Answer>)
        : Exchange<'Request, 'Answer> =
        let began = time.GetUtcNow()
        let start = time.GetTimestamp()
        correlation <- correlation + 1
        let id = correlation
        let outBefore = transport.BytesOut
        let inBefore = transport.BytesIn

        let answer =
            match obstacle with
            | Some fault -> failed fault
            | None ->
                match Frame.writeRequest writer api version id clientId request with
                | Error fault -> failed (ClientFault.CannotEncode fault)
                | Ok() ->
                    use _ = cancellation.UnsafeRegister(Connection.Cut, transport)

                    try
                        cancellation.ThrowIfCancellationRequested()
                        transport.Write(writer.Segments, deadline)
                        answer id
                    with error ->
                        failed (transport.Fault(deadline, cancellation, error))

        // Nothing of the request is held on to.
        writer.Clear()

        let fault =
            match answer.Outcome with
            | Ok _ -> None
            | Error fault -> Some fault

        match fault with
        // Cancelled when the answer had just come: the call is good, but its socket is gone.
        | None when cancellation.IsCancellationRequested -> close (ClientFault.Cancelled.ToString())
        | None
        | Some(ClientFault.CannotEncode _)
        | Some(ClientFault.NeverAnswered _) -> ()
        | Some(ClientFault.Unusable cause) -> close cause
        | Some fault -> close (fault.ToString())

        lastUsed <- time.GetTimestamp()
        let throttle = TimeSpan.FromMilliseconds(float answer.ThrottleMs)

        if throttle.Ticks > 0L then
            pause <- ValueSome { Since = lastUsed; For = throttle }

        let info =
            { Api = api.Key
              Version = version
              Broker = asked
              CorrelationId = id
              Attempt = attempt
              Began = began
              Elapsed = time.GetElapsedTime(start, lastUsed)
              BytesOut = int (transport.BytesOut - outBefore)
              BytesIn = int (transport.BytesIn - inBefore)
              UnreadBytes = answer.UnreadBytes
              ThrottleTime = throttle
              Fault = fault }

        Telemetry.tell settings.ClientId info
        settings.Observe info
        { Info = info; Request = request; Outcome = answer.Outcome }

    let call
        (api: Api<'Request, 'Response>)
        version
        request
        (deadline: Deadline)
        cancellation
        obstacle
        (memory: ReceiveBuffer option)
        (decode: Bytes -> Result<struct ('Response * int), ClientFault>)
        =
        exchange api version request deadline cancellation obstacle (fun id ->
            match decode (readAnswer id deadline memory) with
            | Ok(struct (response, unread)) ->
                { UnreadBytes = unread; ThrottleMs = max 0 (api.ThrottleTimeMs response); Outcome = Ok response }
            | Error fault -> failed fault)

    let decodeAs (api: Api<'Request, 'Response>) version frame =
        Frame.readResponse api version frame |> Result.mapError ClientFault.Malformed

    // A broker that does not know the version asked answers in version 0 with error 35 (KIP-511). Some add a body that is not well formed,
    // so nothing but the error code is believed unless all of it can be read.
    let decodeVersions (version: int16) (frame: Bytes) : Result<struct (ApiVersions.Response * int), ClientFault> =
        let api = ApiVersions.api
        let refused = ErrorCode.UnsupportedVersion

        if frame.Length >= 6 && BinaryPrimitives.ReadInt16BigEndian(frame.Span.Slice 4) = refused.Code then
            match decodeAs api 0s frame with
            | Ok(struct (response, 0)) -> Ok(struct (response, 0))
            | _ -> Ok(struct ({ api.Response.Schema.Default with Error = refused }, frame.Length - 6))
        else
            decodeAs api version frame

    let askVersions (version: int16) deadline cancellation =
        let request: ApiVersions.Request =
            { ClientSoftwareName = "libkafka-dotnet"
              ClientSoftwareVersion = Connection.SoftwareVersion
              ClusterId = None
              NodeId = -1 }

        (call ApiVersions.api version request deadline cancellation None None (decodeVersions version)).Outcome

    let versionWithin (api: ApiKey) (ours: VersionRange) : Result<int16, ClientFault> =
        match versions.TryGetValue api.Code with
        | true, theirs when min theirs.Highest ours.Highest >= max theirs.Lowest ours.Lowest -> Ok(min theirs.Highest ours.Highest)
        | true, theirs -> Error(ClientFault.NoCommonVersion(api, ours, Some theirs))
        | _ -> Error(ClientFault.NoCommonVersion(api, ours, None))

    let versionOf (api: Api<'Request, 'Response>) : Result<int16, ClientFault> = versionWithin api.Key api.Versions

    // A call that the client makes for itself, in the time of another.
    let ask (api: Api<'Request, 'Response>) request (deadline: Deadline) cancellation : Result<'Response, ClientFault> =
        versionOf api
        |> Result.bind (fun version -> (call api version request deadline cancellation None None (decodeAs api version)).Outcome)

    // Chooses the mechanism (SaslHandshake), then carries its messages to and fro (SaslAuthenticate) until it has what it wants.
    let authenticate (mechanism: ISaslMechanism) (deadline: Deadline) (cancellation: CancellationToken) : Result<unit, ClientFault> =
        let fail failure = Error(ClientFault.SaslFailed(mechanism.Name, failure))

        // The mechanism may be the caller's own, and may throw anything.
        let guarded (failure: string -> SaslFailure) (work: unit -> 'T) : Result<'T, ClientFault> =
            try
                Ok(work ())
            with
            | _ when cancellation.IsCancellationRequested -> Error ClientFault.Cancelled
            | :? ClientFaultException as known -> Error known.Fault
            | error -> fail (failure error.Message)

        let rec converse (conversation: ISaslConversation) (message: Bytes) =
            let began = time.GetTimestamp()

            match ask SaslAuthenticate.api { AuthBytes = message } deadline cancellation with
            | Error fault -> Error fault
            | Ok response when response.Error.IsError ->
                fail (SaslFailure.Refused(response.Error, Option.defaultValue "" response.ErrorMessage))
            | Ok response ->
                match guarded SaslFailure.NotTrusted (fun () -> conversation.Answer response.AuthBytes) with
                | Error fault -> Error fault
                | Ok(SaslReply.Send next) -> converse conversation next
                | Ok(SaslReply.Refuse reason) -> fail (SaslFailure.NotTrusted reason)
                | Ok SaslReply.Done ->
                    session <-
                        if response.SessionLifetimeMs > 0L then
                            ValueSome { Since = began; For = Connection.Renewal response.SessionLifetimeMs }
                        else
                            ValueNone

                    Ok()

        let begin' () : Result<ISaslConversation * Bytes, ClientFault> =
            guarded SaslFailure.NoCredentials (fun () ->
                let conversation = deadline.Within(cancellation, (fun stop -> mechanism.Begin(broker, stop)))
                conversation, conversation.First)

        let chosen =
            ask SaslHandshake.api { Mechanism = mechanism.Name } deadline cancellation
            |> Result.bind (fun response ->
                if response.Error = ErrorCode.UnsupportedSaslMechanism then
                    fail (SaslFailure.NotOffered response.Mechanisms)
                elif response.Error.IsError then
                    fail (SaslFailure.Refused(response.Error, ""))
                else
                    begin' ())

        let result = chosen |> Result.bind (fun (conversation, first) -> converse conversation first)
        result |> Result.mapError (fun fault -> close (fault.ToString())) |> ignore
        result

    // Brokers since 2.0 (by KIP-219, of which ApiVersions 2 is a part) answer at once and leave the pause to the client.
    let leavesPause () =
        match versions.TryGetValue ApiKey.ApiVersions.Code with
        | true, range -> range.Highest >= 2s
        | _ -> false

    let awaitPause (deadline: Deadline) (cancellation: CancellationToken) : Result<unit, ClientFault> =
        match pause with
        | ValueSome stretch when settings.HeedThrottle && leavesPause () ->
            let left = stretch.Left time

            try
                if left > TimeSpan.Zero then
                    deadline.Await(cancellation, (fun stop -> task { do! Task.Delay(left, time, stop) }))

                pause <- ValueNone
                Ok()
            with error ->
                Error(transport.Fault(deadline, cancellation, error))
        | _ -> Ok()

    let renewSession (deadline: Deadline) (cancellation: CancellationToken) : Result<unit, ClientFault> =
        match session, settings.Sasl with
        | ValueSome stretch, Some mechanism when (stretch.Left time).Ticks <= 0L -> authenticate mechanism deadline cancellation
        | _ -> Ok()

    // What stands in the way of a call, after everything has been done that is due before one.
    let obstacleTo (deadline: Deadline) (cancellation: CancellationToken) : ClientFault option =
        match over () with
        | Some cause -> Some(ClientFault.Unusable cause)
        | None when pause.IsNone && session.IsNone -> None
        | None ->
            match awaitPause deadline cancellation |> Result.bind (fun () -> renewSession deadline cancellation) with
            | Ok() -> None
            | Error fault -> Some fault

    // A request that has no answer would be waited for in vain.
    let isNeverAnswered (request: 'Request) =
        match box request with
        | :? Produce.Request as produce -> produce.Acks = Acks.None
        | _ -> false

    /// Learns the broker's versions, asking again in a version that it knows where it does not know ours.
    member private _.Negotiate(deadline, cancellation) : Result<unit, ClientFault> =
        let rec ask version =
            match askVersions version deadline cancellation with
            | Error fault -> Error fault
            | Ok response when response.Error = ErrorCode.None ->
                for key in response.ApiKeys do
                    versions[key.ApiKey.Code] <- { Lowest = key.MinVersion; Highest = key.MaxVersion }

                features <- response.FinalizedFeatures
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
        // The handshake is over for the client before the broker has looked at its certificate.
        | Error ClientFault.Closed when transport.IsSecure && transport.BytesIn = 0L ->
            let reason =
                "the broker ended the connection right after the handshake, as one does that does not accept the client's certificate"
            Error(ClientFault.TlsFailed(broker, reason))
        | Error fault ->
            close (fault.ToString())
            Error fault
        | Ok() -> Ok()

    static member val private SoftwareVersion: string =
        match typeof<Connection>.Assembly.GetName().Version with
        | null -> "0.0.0"
        | version -> version.ToString 3

    /// The part of a session's lifetime after which it is renewed: Kafka's own clients begin at 85 percent too.
    static member private Renewal(lifetimeMs: int64) =
        // A token that is good for ever may give a lifetime longer than there are times: two thousand years will do.
        TimeSpan.FromMilliseconds(0.85 * float lifetimeMs |> min 6e13)

    // One for all calls, so that it is not made for each.
    static member val private Cut: Action<obj | null> =
        Action<obj | null>(fun transport ->
            match transport with
            | :? Transport as transport -> transport.Cut()
            | _ -> ())

    member private _.Authenticate(deadline, cancellation) : Result<unit, ClientFault> =
        match settings.Sasl with
        | Some mechanism -> authenticate mechanism deadline cancellation
        | None -> Ok()

    /// Connects to a broker, speaks TLS where the settings have it, learns the broker's versions, and authenticates where the settings say
    /// how.
    static member Open
        (settings: ClientSettings, broker: BrokerAddress, ?cancellation: CancellationToken)
        : Result<Connection, ClientFault> =
        Connection.OpenAs(1, settings, broker, defaultArg cancellation CancellationToken.None)

    // The same as part of an attempt of this number at something.
    static member internal OpenAs(attempt: int, settings: ClientSettings, broker: BrokerAddress, cancellation: CancellationToken) =
        let deadline = Deadline.After(settings.Time, settings.ConnectTimeout)

        ClientSettings.check settings
        |> Result.bind (fun settings -> Transport.Open(settings, broker, deadline, cancellation))
        |> Result.bind (fun transport ->
            let connection = new Connection(broker, settings, transport, attempt)

            // The settings' observer may throw what it likes: that is its caller's, but a socket that nobody knows of is nobody's.
            try
                connection.Negotiate(deadline, cancellation)
                |> Result.bind (fun () -> connection.Authenticate(deadline, cancellation))
                |> Result.map (fun () -> connection)
            with _ ->
                connection.Close()
                reraise ())

    /// The broker at the other end.
    member _.Broker = broker

    /// The socket, for looking at.
    member _.Socket = transport.Socket

    /// Whether calls can still be made: not after a fault or `Close`, nor once it is too old or has lain unused for too long.
    member _.IsOpen = (over ()).IsNone

    /// The versions of each API that the broker supports.
    member _.BrokerVersions: Map<ApiKey, VersionRange> =
        versions |> Seq.map (fun entry -> ApiKey entry.Key, entry.Value) |> Map.ofSeq

    /// The features on whose level the cluster had agreed when the connection was made (KIP-584), such as `transaction.version`, and these
    /// levels. Brokers before Kafka 2.7 tell of none.
    member _.FinalizedFeatures: Map<string, int16> =
        features |> List.map (fun feature -> feature.Name, feature.MaxVersionLevel) |> Map.ofList

    /// The highest version of an API that both sides know.
    member _.VersionOf(api: Api<'Request, 'Response>) : Result<int16, ClientFault> = versionOf api

    /// The highest version that the broker knows and that is within ours, which may be fewer than are known here.
    member internal _.VersionWithin(api: ApiKey, ours: VersionRange) : Result<int16, ClientFault> = versionWithin api ours

    /// Sends a request in the highest common version and waits for its response, which is read into memory of its own or the caller's.
    member this.Call
        (api: Api<'Request, 'Response>, request: 'Request, ?cancellation: CancellationToken, ?memory: ReceiveBuffer)
        : Exchange<'Request, 'Response> =
        match this.VersionOf api with
        | Ok version -> this.CallAt(version, api, request, ?cancellation = cancellation, ?memory = memory)
        | Error fault -> Exchange.notMade settings attempt (time.GetTimestamp()) api (Some broker) request fault

    /// Sends a request in the version given and waits for its response. One that has none is refused: the fault is `NeverAnswered`.
    member this.CallAt
        (version, api: Api<'Request, 'Response>, request: 'Request, ?cancellation: CancellationToken, ?memory: ReceiveBuffer)
        : Exchange<'Request, 'Response> =
        this.CallWithin(settings.CallTimeout, version, api, request, defaultArg cancellation CancellationToken.None, memory)

    // The same within a time of its own, for requests that a broker may hold back for longer than other calls take.
    member internal _.CallWithin
        (
            timeout: TimeSpan,
            version,
            api: Api<'Request, 'Response>,
            request: 'Request,
            cancellation: CancellationToken,
            memory: ReceiveBuffer option
        ) : Exchange<'Request, 'Response> =
        let deadline = Deadline.After(time, timeout)

        let obstacle =
            if isNeverAnswered request then
                Some(ClientFault.NeverAnswered api.Key)
            else
                obstacleTo deadline cancellation

        call api version request deadline cancellation obstacle memory (decodeAs api version)

    /// Sends a request in the version given that has no response, such as Produce with `Acks.None`.
    member _.SendAt
        (version, api: Api<'Request, 'Response>, request: 'Request, ?cancellation: CancellationToken)
        : Exchange<'Request, unit> =
        let deadline = Deadline.After(time, settings.CallTimeout)
        let cancellation = defaultArg cancellation CancellationToken.None
        let obstacle = obstacleTo deadline cancellation
        exchange api version request deadline cancellation obstacle (fun _ -> { UnreadBytes = 0; ThrottleMs = 0; Outcome = Ok() })

    /// The number that exchanges get from now on: see `ExchangeInfo.Attempt`.
    member internal _.Attempt
        with set value = attempt <- value

    /// Closes the socket. Later calls give `Unusable`.
    member _.Close() = close "closed by the caller"

    interface IDisposable with
        member this.Dispose() = this.Close()
