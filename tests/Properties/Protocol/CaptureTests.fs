/// Recorded exchanges of real clients with a real broker are read and written again byte for byte.
module LibKafka.Properties.Protocol.CaptureTests

open System
open System.Buffers.Binary
open System.Text.Json
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol.Captures
open LibKafka.Properties.Protocol.Definitions

/// What is expected of a frame. It is well-formed unless the notes of the recording call it odd, malformed or unsupported.
type private Expectation =
    | WellFormed
    /// The version is not known.
    | OtherVersion
    /// This many bytes follow the body that neither the broker nor the schema knows.
    | LeftOver of bytes: int
    /// The body does not fit the version, on purpose.
    | Malformed
    /// Not what the broker expects during authentication: well-formed but too early or too late, or malformed. The notes do not say which.
    | OutOfTurn
    /// A version that the broker did not know, with the body of an earlier version, so that fields are missing at its end.
    | EarlierBody

/// The bytes of a request after its header, found without a decoder: key, version, correlation id, client id, and in flexible versions
/// an empty tagged section.
let private bodyOf (api: ApiDefinition) (exchange: Exchange) : Bytes =
    let frame = exchange.Request.Span
    let clientId = int16 (uint16 frame[8] <<< 8 ||| uint16 frame[9])
    let length = 10 + int (max 0s clientId) + (if api.IsFlexible exchange.Version then 1 else 0)
    exchange.Request.Slice(length, max 0 (exchange.Request.Length - length))

/// librdkafka 2.16 writes a classic count of no topics, four zero bytes, although the version is flexible: the first of them says that there
/// are no topics, the next three are read as the two bools and the tagged section, and the bytes that were meant for those remain.
let private isClassicTopicCount (api: ApiDefinition) (exchange: Exchange) =
    exchange.Client = "confluent"
    && exchange.Api = "Metadata"
    && exchange.Version = 13s
    && (Bytes.toHex (bodyOf api exchange)).StartsWith "00000000"
    && (bodyOf api exchange).Length = 7

/// librdkafka 2.16 writes one zero byte too many.
let private isOneTooMany (exchange: Exchange) =
    exchange.Client = "confluent" && exchange.Api = "AlterUserScramCredentials" && exchange.Version = 0s

let private requestExpected (api: ApiDefinition) (exchange: Exchange) : Expectation =
    if not (api.Versions.Contains exchange.Version) then
        OtherVersion
    elif isClassicTopicCount api exchange then
        LeftOver 3
    elif isOneTooMany exchange then
        LeftOver 1
    elif exchange.Scenario = "error:closed" then
        Malformed
    elif exchange.Client = "raw" && exchange.Scenario = "error:sasl" && exchange.ClosedByBroker then
        OutOfTurn
    elif exchange.ResponseVersion <> exchange.Version then
        EarlierBody
    else
        WellFormed

/// The header and the request, written again.
let private rewriteRequest (api: ApiDefinition) (header: RequestHeader) (request: Request) : Bytes =
    let body =
        request
        |> Request.visit
            { new IMessageVisitor<Bytes> with
                member _.Visit(_, message, value) = Message.encode header.ApiVersion message value |> ok "encode the body" }

    let head =
        Message.encode (api.RequestHeaderVersion header.ApiVersion) RequestHeader.message header |> ok "encode the header"

    Bytes(Array.append (head.ToArray()) (body.ToArray()))

let private rewriteResponse (api: ApiDefinition) version correlationId (response: Response) : Bytes =
    let body =
        response
        |> Response.visit
            { new IMessageVisitor<Bytes> with
                member _.Visit(_, message, value) = Message.encode version message value |> ok "encode the body" }

    let head =
        Message.encode (api.ResponseHeaderVersion version) ResponseHeader.message { CorrelationId = correlationId }
        |> ok "encode the header"

    Bytes(Array.append (head.ToArray()) (body.ToArray()))

let private firstDifference (left: Bytes) (right: Bytes) =
    Seq.zip (left.ToArray()) (right.ToArray())
    |> Seq.tryFindIndex (fun (left, right) -> left <> right)
    |> Option.defaultValue (min left.Length right.Length)

let private sameBytes (expected: Bytes) (actual: Bytes) =
    if actual = expected then
        None
    else
        Some(sprintf "%d bytes became %d, which differ from byte %d on" expected.Length actual.Length (firstDifference expected actual))

/// The request without the bytes that remain after it.
let private checkRequest (api: ApiDefinition) (exchange: Exchange) (bytes: Bytes) : string option =
    match Frame.decodeRequest Limits.standard bytes with
    | Error fault -> Some(fault.ToString())
    | Ok(header, _) when header.ApiKey <> api.Key || header.ApiVersion <> exchange.Version || header.CorrelationId <> exchange.CorrelationId ->
        Some("the header is another one")
    | Ok(header, request) -> sameBytes bytes (rewriteRequest api header request)

/// Whether a problem is that of a body that is truncated or does not fit its version.
let private isMalformation (problem: Problem) =
    match problem with
    | Problem.Truncated _
    | Problem.CountTooLarge _
    | Problem.NegativeLength _
    | Problem.TooLong _
    | Problem.NullNotAllowed
    | Problem.BadVarint _
    | Problem.BadUtf8
    | Problem.TrailingBytes _ -> true
    | _ -> false

let private requestComplaint (api: ApiDefinition) (exchange: Exchange) : string option =
    let frame = exchange.Request

    match requestExpected api exchange, Frame.decodeRequest Limits.standard frame with
    | WellFormed, _
    | OutOfTurn, Ok _ -> checkRequest api exchange frame
    | OtherVersion, Error { Problem = Problem.UnsupportedVersion(version, lowest, highest) } when
        version = exchange.Version && lowest = api.Versions.Lowest && highest = api.Versions.Highest
        ->
        None
    | LeftOver count, Error { Problem = Problem.TrailingBytes found; Offset = offset } when found = count && offset = frame.Length - count ->
        checkRequest api exchange (frame.Slice(0, offset))
    | EarlierBody, Error { Problem = Problem.Truncated(_, 0); Offset = offset } when offset = frame.Length -> None
    | (Malformed | OutOfTurn), Error fault when isMalformation fault.Problem -> None
    | expected, Ok(_, request) -> Some(sprintf "read where %A was expected: %A" expected request)
    | expected, Error fault -> Some(sprintf "%A was expected: %s" expected (fault.ToString()))

/// The numbers other than zero of all error codes in a JSON text, at any depth.
let rec private errorCodes (json: JsonElement) : int list =
    match json.ValueKind with
    | JsonValueKind.Object ->
        [ for entry in json.EnumerateObject() do
              if entry.Name = "errorCode" || entry.Name.EndsWith "ErrorCode" then
                  entry.Value.GetInt32()
              else
                  yield! errorCodes entry.Value ]
    | JsonValueKind.Array ->
        [ for element in json.EnumerateArray() do
              yield! errorCodes element ]
    | _ -> []

let private errorsIn version (response: Response) : int list =
    let json =
        response
        |> Response.visit
            { new IMessageVisitor<string> with
                member _.Visit(_, message, value) = Message.toJson version message value |> ok "toJson" }

    use document = JsonDocument.Parse json
    errorCodes document.RootElement |> List.filter ((<>) 0) |> List.distinct |> List.sort

let private responseComplaint (api: ApiDefinition) (exchange: Exchange) (frame: Bytes) : string option =
    let version = exchange.ResponseVersion

    match Frame.decodeAnyResponse Limits.standard api.Key version frame with
    | Error { Problem = Problem.UnsupportedVersion _ } when not (api.Versions.Contains version) -> None
    | Error fault -> Some(fault.ToString())
    | Ok(correlationId, _) when correlationId <> exchange.CorrelationId -> Some(sprintf "correlation id %d" correlationId)
    | Ok(_, response) when errorsIn version response <> exchange.Errors ->
        Some(sprintf "errors %A, %A expected" (errorsIn version response) exchange.Errors)
    | Ok(correlationId, response) -> sameBytes frame (rewriteResponse api version correlationId response)

let private about (exchange: Exchange) (complaint: string option) = complaint |> Option.map (fun text -> exchange.ToString() + ": " + text)

let private exchangesOf (api: ApiDefinition) = exchanges.Value |> List.filter (fun exchange -> exchange.Key = api.Key.Code)

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

/// The APIs that the recording has exchanges of.
let private recorded = lazy (apis |> List.filter (exchangesOf >> List.isEmpty >> not))

let private expectedOf (exchange: Exchange) = tryApi (ApiKey exchange.Key) |> Option.map (fun api -> requestExpected api exchange)

/// The exchanges that are not expected to be well-formed.
let private odd (expectation: Expectation) = exchanges.Value |> List.filter (fun exchange -> expectedOf exchange = Some expectation)

/// The exchanges that are expected to be odd. The recording in the checkout has some of each kind; another one need not.
let private some (exchanges: Exchange list) =
    if areOwn "LIBKAFKA_CAPTURES" then
        Expect.isNonEmpty exchanges "exchanges of this kind"
    exchanges

let private oddities =
    testList
        "what is odd in the recording is odd as its notes say"
        [ testCase "librdkafka's Metadata 13 without topics has three bytes too many" (fun () ->
              // Read as it is, it asks for all topics and must not create any.
              for exchange in some (odd (LeftOver 3)) do
                  let body = exchange.Request.Slice(0, exchange.Request.Length - 3)

                  match Frame.decodeRequest Limits.standard body with
                  | Ok(_, Request.Metadata request) ->
                      Expect.isNone request.Topics "topics"
                      Expect.isFalse request.AllowAutoTopicCreation "whether topics may be made"
                  | other -> failtestf "%O: %A" exchange other)

          testCase "librdkafka's AlterUserScramCredentials 0 has one byte too many" (fun () ->
              for exchange in some (odd (LeftOver 1)) do
                  Expect.equal (exchange.Request.Span[exchange.Request.Length - 1]) 0uy (exchange.ToString()))

          testCase "if the broker closed the connection, it did not answer" (fun () ->
              for exchange in some (exchanges.Value |> List.filter _.ClosedByBroker) do
                  Expect.isNone exchange.Response (exchange.ToString()))

          testCase "if the body is malformed, the broker closed the connection" (fun () ->
              for exchange in some (odd Malformed) do
                  Expect.isTrue exchange.ClosedByBroker (exchange.ToString()))

          testCase "a version that is not known here was refused by the broker or was never final" (fun () ->
              for exchange in some (odd OtherVersion) do
                  Expect.isTrue (exchange.ClosedByBroker || exchange.EarlyAccess) (exchange.ToString()))

          testCase "ApiVersions in a version that the broker does not know is answered in version 0 with error 35" (fun () ->
              for exchange in some (exchanges.Value |> List.filter (fun exchange -> exchange.ResponseVersion <> exchange.Version)) do
                  Expect.equal exchange.Key ApiKey.ApiVersions.Code (exchange.ToString())
                  Expect.equal exchange.ResponseVersion 0s "the version of the answer"
                  Expect.equal exchange.Errors [ 35 ] "the error")

          testCase "a version made up by the recorder has the body of version 3" (fun () ->
              for exchange in some (odd EarlierBody) do
                  let frame = exchange.Request.ToArray()
                  BinaryPrimitives.WriteInt16BigEndian(Span(frame, 2, 2), 3s)

                  match Frame.decodeRequest Limits.standard (Bytes frame) with
                  | Ok(header, request) ->
                      let api = Option.get (tryApi header.ApiKey)
                      Expect.equal (rewriteRequest api header request) (Bytes frame) (exchange.ToString())
                  | Error fault -> failtestf "%O: %O" exchange fault)

          testCase "a request of acks 0 has no answer" (fun () ->
              for exchange in exchangesOf (Option.get (tryApi ApiKey.Produce)) do
                  match Frame.decodeRequest Limits.standard exchange.Request with
                  | Ok(_, Request.Produce request) ->
                      Expect.equal exchange.Response.IsNone (request.Acks = Acks.None) (exchange.ToString())
                  | _ -> Expect.isNone exchange.Response (exchange.ToString())) ]

let private counts =
    testCase "the recording has exchanges of the APIs that are known" (fun () ->
        Expect.isNonEmpty recorded.Value "APIs with exchanges"
        let unknown = exchanges.Value |> List.filter (fun exchange -> (tryApi (ApiKey exchange.Key)).IsNone)
        let known = exchanges.Value.Length - unknown.Length
        let count (name: string) (expectation: Expectation) = sprintf "%s %d" name (odd expectation).Length

        printfn
            "%d recorded exchanges of %d APIs; requests: %s"
            known
            recorded.Value.Length
            (String.Join(
                ", ",
                [ count "well-formed" WellFormed
                  count "three bytes too many" (LeftOver 3)
                  count "one byte too many" (LeftOver 1)
                  count "malformed" Malformed
                  count "out of turn" OutOfTurn
                  count "of versions not known here" OtherVersion
                  count "with the body of an earlier version" EarlierBody ]
            ))

        if not unknown.IsEmpty then
            let names = unknown |> List.countBy _.Api |> List.map (fun (api, count) -> sprintf "%s %d" api count)
            printfn "%d recorded exchanges of APIs that are not known: %s" unknown.Length (String.concat ", " names))

let private records =
    testCase "produce requests and fetch responses have records" (fun () ->
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
