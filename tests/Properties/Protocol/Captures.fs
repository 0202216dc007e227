/// Recorded conversations between real clients and real brokers, and the record batches in them.
module LibKafka.Properties.Protocol.Captures

open System
open System.Text.Json
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Properties

/// One request and its response, each the whole frame without its length.
type Exchange =
    {
        Sequence: int
        /// The number of the connection; 0 if the set does not have it.
        Connection: int
        /// The broker, such as `4.0.0-three/2`; empty if the set does not have it.
        Broker: string
        /// When the request and the response passed, in milliseconds since the recording began; 0 if the set does not have it.
        RequestAt: int64
        ResponseAt: int64
        Client: string
        Api: string
        Key: int16
        Version: int16
        /// None if the request is not a frame with a whole header: a raw SASL token, or bytes that end too early.
        CorrelationId: int32 option
        Scenario: string
        /// The error codes in the response other than zero, sorted.
        Errors: int list
        Request: Bytes
        /// None if the broker did not respond.
        Response: Bytes option
        /// The version of the response. It is not that of the request if the broker does not support that one.
        ResponseVersion: int16
        ClosedByBroker: bool
        ClosedByClient: bool
        /// A version that Kafka 4.0 offered before it was final, and that no published schema has.
        EarlyAccess: bool
    }

    /// Whether the request was made by hand, and may be malformed on purpose.
    member this.IsHandMade = this.Client = "raw"

    /// Whether the broker responded in the version of the request, and so could read the request.
    member this.IsAnswered = this.Response.IsSome && this.ResponseVersion = this.Version

    override this.ToString() = sprintf "exchange %d (%s, %s %d, %s)" this.Sequence this.Client this.Api this.Version this.Scenario

let private property (name: string) (line: JsonElement) : JsonElement option =
    match line.TryGetProperty name with
    | true, value when value.ValueKind <> JsonValueKind.Null -> Some value
    | _ -> None

let private flag (name: string) (line: JsonElement) = property name line |> Option.exists _.GetBoolean()

let private hasResponse (line: JsonElement) = [ "response_hex"; "response_base64" ] |> List.exists (fun name -> (property name line).IsSome)

let private read (line: JsonElement) : Exchange =
    let version = line.GetProperty("version").GetInt16()

    let times = property "t" line |> Option.map (fun times -> [ for time in times.EnumerateArray() -> time.GetInt64() ])

    { Sequence = line.GetProperty("seq").GetInt32()
      Connection = property "conn" line |> Option.map _.GetInt32() |> Option.defaultValue 0
      Broker = property "broker" line |> Option.map (fun _ -> TestData.text "broker" line) |> Option.defaultValue ""
      RequestAt = times |> Option.map List.head |> Option.defaultValue 0L
      ResponseAt = times |> Option.map List.last |> Option.defaultValue 0L
      Client = TestData.text "client" line
      Api = TestData.text "api" line
      Key = line.GetProperty("key").GetInt16()
      Version = version
      CorrelationId = property "correlationId" line |> Option.map _.GetInt32()
      Scenario = TestData.text "scenario" line
      Errors = [ for error in line.GetProperty("errors").EnumerateArray() -> error.GetInt32() ]
      Request = TestData.bytesOf "request_" line
      Response = (if hasResponse line then Some(TestData.bytesOf "response_" line) else None)
      ResponseVersion = property "responseVersion" line |> Option.map _.GetInt16() |> Option.defaultValue version
      ClosedByBroker = flag "closedByBroker" line
      ClosedByClient = flag "closedByClient" line
      EarlyAccess = flag "earlyAccess" line }

let private parse (line: string) : Exchange =
    use document = JsonDocument.Parse line
    read document.RootElement

/// The exchanges of all sets, each set in the order in which it was recorded.
let exchanges: Lazy<Exchange list> =
    lazy
        [ for folder in TestData.captures do
              yield! TestData.textLines folder "captures.jsonl.gz" |> Array.ofList |> Array.Parallel.map parse ]

/// A few exchanges of each kind: API, version, version of the response, error codes and client. For tests that would take too long with all.
let samples: Lazy<Exchange list> =
    lazy
        (exchanges.Value
         |> List.groupBy (fun exchange -> exchange.Key, exchange.Version, exchange.ResponseVersion, exchange.Errors, exchange.Client)
         |> List.collect (snd >> List.truncate 2))

/// Collects the bytes of the fields with record batches.
type private RecordsVisitor() =
    inherit Visitor()
    let found = Collections.Generic.List<Bytes>()
    let mutable isRecords = false
    override _.BeginField name = isRecords <- (name = "Records")
    override _.Bytes bytes = if isRecords && bytes.Length > 0 then found.Add bytes
    member _.Found = List.ofSeq found

/// The records in a message of any type, at a version.
let private recordsOf (version: int16) =
    { new IMessageVisitor<Bytes list> with
        member _.Visit(_, message, value) =
            match Message.version message version with
            | Error _ -> []
            | Ok version ->
                let visitor = RecordsVisitor()
                (message.Schema.At version).Visit(visitor, value)
                visitor.Found }

/// Records as a client sent them or a broker returned them.
type RecordedRecords =
    {
        From: Exchange
        /// Whether they are from the request, as the client made them, and not from the response.
        Sent: bool
        Records: Bytes
    }

/// The records in the frames of an exchange that can be decoded.
let recordsOfExchange (exchange: Exchange) : RecordedRecords list =
    let sent =
        match Frame.decodeRequest Limits.standard exchange.Request with
        | Ok(_, request) -> Request.visit (recordsOf exchange.Version) request
        | Error _ -> []

    let received =
        exchange.Response
        |> Option.map (Frame.decodeAnyResponse Limits.standard (ApiKey exchange.Key) exchange.ResponseVersion)
        |> function
            | Some(Ok(_, response)) -> Response.visit (recordsOf exchange.ResponseVersion) response
            | _ -> []

    [ for records in sent -> { From = exchange; Sent = true; Records = records }
      for records in received -> { From = exchange; Sent = false; Records = records } ]

/// The records of all requests and responses: batches one after another, the last of which may be cut off in a fetch.
let recordsIn: Lazy<RecordedRecords list> = lazy (exchanges.Value |> List.collect recordsOfExchange)
