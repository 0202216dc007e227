/// What real clients and real brokers said to each other is read and written again byte for byte.
module LibKafka.Properties.Protocol.CaptureTests

open System
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Properties
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol.Captures
open LibKafka.Properties.Protocol.Definitions

/// What decoding a request must result in.
type private Expectation =
    /// A value, and no bytes remain after it.
    | WellFormed
    /// A value, and so many bytes remain after it: a known mistake of a client, which brokers ignore.
    | LeftOver of bytes: int
    /// A value, and bytes may remain after it. The broker could read it.
    | Readable
    /// A value or a fault. The broker closed the connection, or it did not respond in the version of a request that was made by hand.
    | Doubtful
    /// The fault that the version is not supported.
    | OtherVersion
    /// The fault that the API is unknown.
    | OtherApi
    /// A value or a fault. It is no Kafka request, or not a whole header.
    | NoFrame

/// The bytes of a request after its header, found without a decoder: key, version, correlation id, client id, and in flexible versions an
/// empty tagged section.
let private bodyOf (api: ApiDefinition) (exchange: Exchange) : Bytes =
    let frame = exchange.Request.Span
    let clientId = int16 (uint16 frame[8] <<< 8 ||| uint16 frame[9])
    let length = 10 + int (max 0s clientId) + (if api.IsFlexible exchange.Version then 1 else 0)
    exchange.Request.Slice(length, max 0 (exchange.Request.Length - length))

/// librdkafka 2.16 writes a classic count of no topics, four zero bytes, although the version is flexible: the first of them means that there
/// are no topics, the next three are read as the two bools and the tagged section, and what was meant for those remains.
let private isClassicTopicCount (api: ApiDefinition) (exchange: Exchange) =
    exchange.Client = "confluent"
    && exchange.Api = "Metadata"
    && exchange.Version = 13s
    && (Bytes.toHex (bodyOf api exchange)).StartsWith "00000000"
    && (bodyOf api exchange).Length = 7

/// librdkafka 2.16 writes one zero byte too many.
let private isOneTooMany (exchange: Exchange) =
    exchange.Client = "confluent" && exchange.Api = "AlterUserScramCredentials" && exchange.Version = 0s

let private knows (api: ApiDefinition) (version: int16) = version >= api.Versions.Lowest && version <= api.Versions.Highest

let private expectedOf (exchange: Exchange) : Expectation =
    match tryApi (ApiKey exchange.Key) with
    | _ when exchange.CorrelationId.IsNone -> NoFrame
    | None -> OtherApi
    | Some api when not (knows api exchange.Version) -> OtherVersion
    | Some _ when exchange.ClosedByBroker || exchange.IsHandMade && not exchange.IsAnswered -> Doubtful
    | Some _ when exchange.IsHandMade -> Readable
    | Some api when isClassicTopicCount api exchange -> LeftOver 3
    | Some _ when isOneTooMany exchange -> LeftOver 1
    // Clients in other recordings can have other mistakes that brokers ignore.
    | Some _ when exchange.IsAnswered && not (TestData.areOwn "LIBKAFKA_CAPTURES") -> Readable
    | Some _ -> WellFormed

/// A frame written again, and the same frame without unknown tagged fields.
type private Again = { Written: Bytes; WithoutUnknownTags: Lazy<Bytes> }

/// Writes a header and a body, and copies the frame that they were read from.
let private again (frame: Bytes) headerVersion (headerMessage: Message<'Header>) (header: 'Header) version =
    { new IMessageVisitor<Again> with
        member _.Visit(_, message, value) =
            let head = Message.encode headerVersion headerMessage header |> ok "encode the header"
            let body = Message.encode version message value |> ok "encode the body"

            let shapes () =
                [ Message.shape headerVersion headerMessage |> ok "the header's shape"
                  Message.shape version message |> ok "the body's shape" ]

            { Written = Bytes(Array.append (head.ToArray()) (body.ToArray()))
              WithoutUnknownTags = lazy UnknownTags.without (shapes ()) frame } }

let private firstDifference (left: Bytes) (right: Bytes) =
    Seq.zip (left.ToArray()) (right.ToArray())
    |> Seq.tryFindIndex (fun (left, right) -> left <> right)
    |> Option.defaultValue (min left.Length right.Length)

/// What is written must be what was read, without unknown tagged fields.
let private writtenComplaint (frame: Bytes) (again: Again) =
    if again.Written = frame || again.Written = again.WithoutUnknownTags.Value then
        None
    else
        Some(
            sprintf
                "%d bytes became %d, which differ from byte %d on"
                frame.Length
                again.Written.Length
                (firstDifference frame again.Written)
        )

/// A request without the bytes that remain after it.
let private checkRequest (api: ApiDefinition) (exchange: Exchange) (bytes: Bytes) : string option =
    match Frame.decodeRequest Limits.standard bytes with
    | Error fault -> Some(fault.ToString())
    | Ok(header, _) when
        header.ApiKey <> api.Key || header.ApiVersion <> exchange.Version || Some header.CorrelationId <> exchange.CorrelationId
        ->
        Some("the header is another one")
    | Ok(header, request) ->
        let version = header.ApiVersion

        Request.visit (again bytes (api.RequestHeaderVersion version) RequestHeader.message header version) request
        |> writtenComplaint bytes

/// Whether a problem is that of a body which is cut off or is not what its version says.
let private isMalformation (problem: Problem) =
    match problem with
    | Problem.Truncated _
    | Problem.CountTooLarge _
    | Problem.NegativeLength _
    | Problem.TooLong _
    | Problem.NullNotAllowed
    | Problem.BadVarint _
    | Problem.BadUtf8
    | Problem.DuplicateTag _
    | Problem.TagSizeMismatch _
    | Problem.TrailingBytes _ -> true
    | _ -> false

let private isUnsupported (api: ApiDefinition) (version: int16) (fault: Fault) =
    fault.Problem = Problem.UnsupportedVersion(version, api.Versions.Lowest, api.Versions.Highest)

let private requestComplaint (api: ApiDefinition) (exchange: Exchange) : string option =
    let frame = exchange.Request

    match expectedOf exchange, Frame.decodeRequest Limits.standard frame with
    | NoFrame, _ -> None
    | (WellFormed | Readable), Ok _
    | Doubtful, Ok _ -> checkRequest api exchange frame
    | OtherVersion, Error fault when isUnsupported api exchange.Version fault -> None
    | LeftOver count, Error { Problem = Problem.TrailingBytes found; Offset = offset } when found = count && offset = frame.Length - count ->
        checkRequest api exchange (frame.Slice(0, offset))
    | Readable, Error { Problem = Problem.TrailingBytes _; Offset = offset } -> checkRequest api exchange (frame.Slice(0, offset))
    | Doubtful, Error fault when isMalformation fault.Problem -> None
    | expected, Ok(_, request) -> Some(sprintf "%A was expected, but it was read as %s" expected (Request.show request))
    | expected, Error fault -> Some(sprintf "%A was expected: %s" expected (fault.ToString()))

/// Collects the error codes other than zero, at any depth.
type private ErrorsVisitor() =
    inherit Visitor()
    let found = Collections.Generic.SortedSet<int>()
    let mutable isError = false
    override _.BeginField name = isError <- name.EndsWith "ErrorCode"
    override _.Integer code = if isError && code <> 0L then found.Add(int code) |> ignore
    member _.Found = List.ofSeq found

let private errorsIn version =
    { new IMessageVisitor<int list> with
        member _.Visit(_, message, value) =
            let visitor = ErrorsVisitor()
            let version = Message.version message version |> ok "version"
            (message.Schema.At version).Visit(visitor, value)
            visitor.Found }

let private responseComplaint (api: ApiDefinition) (exchange: Exchange) (frame: Bytes) : string option =
    let version = exchange.ResponseVersion

    match Frame.decodeAnyResponse Limits.standard api.Key version frame with
    | Error fault when isUnsupported api version fault && not (knows api version) -> None
    | Error fault -> Some(fault.ToString())
    | Ok(correlationId, _) when Some correlationId <> exchange.CorrelationId -> Some(sprintf "correlation id %d" correlationId)
    | Ok(_, response) when Response.visit (errorsIn version) response <> exchange.Errors ->
        Some(sprintf "errors %A, %A expected" (Response.visit (errorsIn version) response) exchange.Errors)
    | Ok(correlationId, response) ->
        let header: ResponseHeader = { CorrelationId = correlationId }

        Response.visit (again frame (api.ResponseHeaderVersion version) ResponseHeader.message header version) response
        |> writtenComplaint frame

let private about (exchange: Exchange) (complaint: string option) = complaint |> Option.map (fun text -> exchange.ToString() + ": " + text)

let private byKey =
    lazy (exchanges.Value |> List.groupBy _.Key |> List.map (fun (key, exchanges) -> key, exchanges) |> readOnlyDict)

let private exchangesOf (api: ApiDefinition) =
    match byKey.Value.TryGetValue api.Key.Code with
    | true, exchanges -> exchanges
    | _ -> []

let private requests (api: ApiDefinition) =
    testCase api.Key.Name (fun () ->
        exchangesOf api
        |> List.choose (fun exchange -> requestComplaint api exchange |> about exchange)
        |> noneOf "requests are read or written wrongly")

let private responses (api: ApiDefinition) =
    testCase api.Key.Name (fun () ->
        exchangesOf api
        |> List.choose (fun exchange -> exchange.Response |> Option.bind (responseComplaint api exchange) |> about exchange)
        |> noneOf "responses are read or written wrongly")

/// The exchanges with a certain expectation.
let private expecting (expectation: Expectation) = exchanges.Value |> List.filter (fun exchange -> expectedOf exchange = expectation)

/// The recordings in the checkout have some of each kind. Other recordings need not.
let private some (exchanges: Exchange list) =
    if TestData.areOwn "LIBKAFKA_CAPTURES" then
        Expect.isNonEmpty exchanges "exchanges of this kind"
    exchanges

let private isSilence (exchange: Exchange) = exchange.ClosedByBroker || exchange.ClosedByClient

/// A check of each exchange of a kind.
let private each (name: string) (exchanges: unit -> Exchange list) (check: Exchange -> unit) =
    testCase name (fun () ->
        for exchange in some (exchanges ()) do
            check exchange)

let private oddities =
    testList
        "what is odd in the recordings"
        [ each "librdkafka's Metadata 13 without topics has three bytes too many" (fun () -> expecting (LeftOver 3)) (fun exchange ->
              let body = exchange.Request.Slice(0, exchange.Request.Length - 3)

              // By its bytes, it asks for all topics and must not create any.
              match Frame.decodeRequest Limits.standard body with
              | Ok(_, Request.Metadata request) ->
                  Expect.isNone request.Topics "topics"
                  Expect.isFalse request.AllowAutoTopicCreation "whether topics may be created"
              | other -> failtestf "%O: %A" exchange other)

          each "librdkafka's AlterUserScramCredentials 0 has one byte too many" (fun () -> expecting (LeftOver 1)) (fun exchange ->
              Expect.equal (exchange.Request.Span[exchange.Request.Length - 1]) 0uy (exchange.ToString()))

          each
              "a broker that closed the connection did not respond"
              (fun () -> exchanges.Value |> List.filter _.ClosedByBroker)
              (fun exchange -> Expect.isNone exchange.Response (exchange.ToString()))

          each
              "a request that cannot be read got no response in its version"
              (fun () -> expecting Doubtful |> List.filter (fun exchange -> (Frame.decodeRequest Limits.standard exchange.Request).IsError))
              (fun exchange -> Expect.isFalse exchange.IsAnswered (exchange.ToString()))

          each "a request of an unknown API got no response" (fun () -> expecting OtherApi) (fun exchange ->
              Expect.isTrue (isSilence exchange) (exchange.ToString()))

          each "an unknown version was refused, or was never final" (fun () -> expecting OtherVersion) (fun exchange ->
              let isRefused = exchange.ResponseVersion <> exchange.Version || isSilence exchange
              Expect.isTrue (isRefused || exchange.EarlyAccess) (exchange.ToString()))

          each
              "only ApiVersions is answered in another version, in version 0 with error 35"
              (fun () -> exchanges.Value |> List.filter (fun exchange -> exchange.ResponseVersion <> exchange.Version))
              (fun exchange ->
                  Expect.equal exchange.Key ApiKey.ApiVersions.Code (exchange.ToString())
                  Expect.equal exchange.ResponseVersion 0s "the version of the response"
                  Expect.equal exchange.Errors [ 35 ] "the error")

          testCase "a request has no response if its acks are 0 or the connection was closed" (fun () ->
              for exchange in exchangesOf (Option.get (tryApi ApiKey.Produce)) do
                  match Frame.decodeRequest Limits.standard exchange.Request with
                  | Ok(_, Request.Produce request) ->
                      Expect.equal exchange.Response.IsNone (request.Acks = Acks.None || isSilence exchange) (exchange.ToString())
                  | _ -> ()) ]

let private counts =
    testCase "the number of exchanges of each kind" (fun () ->
        let kinds = exchanges.Value |> List.countBy (fun exchange -> sprintf "%A" (expectedOf exchange)) |> List.sortBy fst
        let known = apis |> List.filter (exchangesOf >> List.isEmpty >> not)
        if TestData.areOwn "LIBKAFKA_CAPTURES" then
            Expect.isGreaterThan known.Length 50 "APIs with exchanges"

        printfn
            "%d recorded exchanges of %d APIs: %s"
            exchanges.Value.Length
            known.Length
            (String.Join(", ", [ for kind, count in kinds -> sprintf "%s %d" kind count ])))

let private records =
    testCase "produce requests and fetch responses have records" (fun () ->
        if TestData.areOwn "LIBKAFKA_CAPTURES" then
            Expect.isTrue (recordsIn.Value |> List.exists (fun records -> records.Sent && records.From.Key = 0s)) "of produce"
            Expect.isTrue (recordsIn.Value |> List.exists (fun records -> not records.Sent && records.From.Key = 1s)) "of fetch")

[<Tests>]
let tests =
    testList
        "Recorded conversations"
        [ testList "requests are read and written again to the same bytes" (List.map requests apis)
          testList "responses are read and written again to the same bytes, with the errors that were recorded" (List.map responses apis)
          oddities
          counts
          records ]
