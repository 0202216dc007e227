/// Recorded exchanges of real clients with a real broker, and their content.
module LibKafka.Properties.Protocol.Captures

open System
open System.Text.Json
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Properties

/// One request and its response, each a whole frame without its length.
type Exchange =
    {
        Sequence: int
        Client: string
        Api: string
        Key: int16
        Version: int16
        CorrelationId: int32
        Scenario: string
        /// The error codes in the response that are not zero, sorted.
        Errors: int list
        Request: Bytes
        /// None if the broker did not answer.
        Response: Bytes option
        /// The version of the response. It is not that of the request if the broker did not know that one.
        ResponseVersion: int16
        ClosedByBroker: bool
        /// A version that Kafka 4.0 offered before it was final, and that no schema has any more.
        EarlyAccess: bool
    }

    override this.ToString() = sprintf "exchange %d (%s, %s %d, %s)" this.Sequence this.Client this.Api this.Version this.Scenario

let private flag (name: string) (line: JsonElement) =
    match line.TryGetProperty name with
    | true, value -> value.GetBoolean()
    | _ -> false

let private numberOr (fallback: int16) (name: string) (line: JsonElement) =
    match line.TryGetProperty name with
    | true, value -> value.GetInt16()
    | _ -> fallback

let private hasResponse (line: JsonElement) =
    [ "response_hex"; "response_base64" ]
    |> List.exists (fun name ->
        match line.TryGetProperty name with
        | true, value -> value.ValueKind = JsonValueKind.String
        | _ -> false)

let private read (line: JsonElement) : Exchange =
    let version = line.GetProperty("version").GetInt16()

    { Sequence = line.GetProperty("seq").GetInt32()
      Client = TestData.text "client" line
      Api = TestData.text "api" line
      Key = line.GetProperty("key").GetInt16()
      Version = version
      CorrelationId = line.GetProperty("correlationId").GetInt32()
      Scenario = TestData.text "scenario" line
      Errors = [ for error in line.GetProperty("errors").EnumerateArray() -> error.GetInt32() ]
      Request = TestData.bytesOf "request_" line
      Response = (if hasResponse line then Some(TestData.bytesOf "response_" line) else None)
      ResponseVersion = numberOr version "responseVersion" line
      ClosedByBroker = flag "closedByBroker" line
      EarlyAccess = flag "earlyAccess" line }

/// All exchanges, in the order in which they were recorded.
let exchanges: Lazy<Exchange list> = lazy (TestData.jsonLines TestData.captures "captures.jsonl.gz" |> List.map read)

/// Collects the bytes of the fields that hold record batches.
type private RecordsVisitor() =
    inherit Visitor()
    let found = Collections.Generic.List<Bytes>()
    let mutable isRecords = false
    override _.BeginField name = isRecords <- (name = "Records")
    override _.Bytes bytes = if isRecords && bytes.Length > 0 then found.Add bytes
    member _.Found = List.ofSeq found

/// The records in a message, whatever its type, at a version.
let private recordsOf (version: int16) =
    { new IMessageVisitor<Bytes list> with
        member _.Visit(_, message, value) =
            match Message.version message version with
            | Error _ -> []
            | Ok version ->
                let visitor = RecordsVisitor()
                (message.Schema.At version).Visit(visitor, value)
                visitor.Found }

/// Records as a client sent them or a broker answered them.
type RecordedRecords =
    {
        From: Exchange
        /// Whether they were in the request, as the client made them, or else in the response.
        Sent: bool
        Records: Bytes
    }

/// The records in the frames of an exchange that can be decoded.
let private recordsIn' (exchange: Exchange) : RecordedRecords list =
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

/// The records of all produce requests and fetch responses: consecutive batches. The last batch of a fetch may be truncated.
let recordsIn: Lazy<RecordedRecords list> = lazy (exchanges.Value |> List.collect recordsIn')
