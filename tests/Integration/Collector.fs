/// An OpenTelemetry collector for tests: it receives OTLP over HTTP and prints what it receives as the debug exporter of the real collector does
/// with `verbosity: detailed` (release 0.159).
module LibKafka.Integration.Collector

open System
open System.Buffers.Binary
open System.Collections.Concurrent
open System.Globalization
open System.IO
open System.Net
open System.Text
open LibKafka.Integration.Support

// ---- Protocol Buffers ----

/// A field as it is on the wire. Numbers of four and eight bytes are kept as bits.
[<RequireQualifiedAccess>]
type private Value =
    | Number of uint64
    | Bytes of byte[]

/// The fields of a message, in order.
let private fieldsOf (message: byte[]) : (int * Value) list =
    let mutable position = 0

    let varint () =
        let rec read (shift: int) (value: uint64) =
            let next = message[position]
            position <- position + 1
            let value = value ||| (uint64 (next &&& 0x7Fuy) <<< shift)
            if next < 0x80uy then value else read (shift + 7) value

        read 0 0UL

    let take (count: int) =
        let bytes = message[position .. position + count - 1]
        position <- position + count
        bytes

    [ while position < message.Length do
          let tag = varint ()

          int (tag >>> 3),
          match tag &&& 7UL with
          | 0UL -> Value.Number(varint ())
          | 1UL -> Value.Number(BinaryPrimitives.ReadUInt64LittleEndian(take 8))
          | 2UL -> Value.Bytes(take (int (varint ())))
          | 5UL -> Value.Number(uint64 (BinaryPrimitives.ReadUInt32LittleEndian(take 4)))
          | other -> failwith $"wire type {other} is not one of Protocol Buffers" ]

let private all (number: int) (message: byte[]) : Value list =
    [ for found, value in fieldsOf message do
          if found = number then value ]

/// The messages, texts or packed numbers of a repeated field.
let private parts (number: int) (message: byte[]) : byte[] list =
    [ for value in all number message do
          match value with
          | Value.Bytes bytes -> bytes
          | Value.Number _ -> failwith $"field {number} is a number" ]

let private part (number: int) (message: byte[]) : byte[] = parts number message |> List.tryLast |> Option.defaultValue [||]
let private textOf (number: int) (message: byte[]) : string = Encoding.UTF8.GetString(part number message)

let private numberIn (number: int) (message: byte[]) : uint64 option =
    match List.tryLast (all number message) with
    | Some(Value.Number value) -> Some value
    | _ -> None

let private numberOf (number: int) (message: byte[]) : uint64 = numberIn number message |> Option.defaultValue 0UL

/// A repeated number of eight bytes, packed or not.
let private numbersOf (number: int) (message: byte[]) : uint64 list =
    [ for value in all number message do
          match value with
          | Value.Number value -> value
          | Value.Bytes bytes ->
              for chunk in Array.chunkBySize 8 bytes do
                  BinaryPrimitives.ReadUInt64LittleEndian chunk ]

// ---- The text of the debug exporter ----

let private invariant (text: FormattableString) = text.ToString CultureInfo.InvariantCulture

/// As Go writes a number with `%f`.
let private float (bits: uint64) : string = BitConverter.UInt64BitsToDouble(bits).ToString("F6", CultureInfo.InvariantCulture)

/// As Go writes a time: without the zeros at the end of the fraction of a second.
let private time (nanoseconds: uint64) : string =
    let second = DateTimeOffset.FromUnixTimeSeconds(int64 (nanoseconds / 1_000_000_000UL))
    let fraction = (invariant $".{nanoseconds % 1_000_000_000UL:D9}").TrimEnd('0').TrimEnd '.'
    second.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + fraction + " +0000 UTC"

let private id (bytes: byte[]) : string = Convert.ToHexStringLower bytes

let private attributeValue (value: byte[]) : string =
    match fieldsOf value with
    | [ 1, Value.Bytes text ] -> $"Str({Encoding.UTF8.GetString text})"
    | [ 2, Value.Number number ] -> if number = 0UL then "Bool(false)" else "Bool(true)"
    | [ 3, Value.Number number ] -> invariant $"Int({int64 number})"
    | [ 4, Value.Number bits ] -> $"Double({BitConverter.UInt64BitsToDouble(bits).ToString CultureInfo.InvariantCulture})"
    | other -> failwith $"an attribute of another type: {other}"

let private attributes (heading: string) (list: byte[] list) : string list =
    [ if not list.IsEmpty then heading + ":"

      for attribute in list do
          $"     -> {textOf 1 attribute}: {attributeValue (part 2 attribute)}" ]

let private resource (kind: string) (index: int) (message: byte[]) : string list =
    [ $"Resource{kind} #{index}"
      $"Resource SchemaURL: {textOf 3 message}"
      yield! attributes "Resource attributes" (parts 1 (part 1 message)) ]

let private scope (kind: string) (index: int) (message: byte[]) : string list =
    let scope = part 1 message

    [ $"Scope{kind} #{index}"
      $"Scope{kind} SchemaURL: {textOf 3 message}"
      $"InstrumentationScope {textOf 1 scope} {textOf 2 scope}"
      yield! attributes "InstrumentationScope attributes" (parts 3 scope) ]

let private span (index: int) (message: byte[]) : string list =
    let kinds = [| "Unspecified"; "Internal"; "Server"; "Client"; "Producer"; "Consumer" |]
    let statuses = [| "Unset"; "Ok"; "Error" |]
    let line (name: string) (value: string) = $"    {name, -15}: {value}"
    let status = part 15 message

    [ $"Span #{index}"
      line "Trace ID" (id (part 1 message))
      line "Parent ID" (id (part 4 message))
      line "ID" (id (part 2 message))
      line "Name" (textOf 5 message)
      line "Kind" (kinds[int (numberOf 6 message)])
      if textOf 3 message <> "" then line "TraceState" (textOf 3 message)
      line "Start time" (time (numberOf 7 message))
      line "End time" (time (numberOf 8 message))
      line "Status code" (statuses[int (numberOf 3 status)])
      line "Status message" (textOf 2 status)
      line "DroppedAttributesCount" (string (numberOf 10 message))
      line "DroppedEventsCount" (string (numberOf 12 message))
      line "DroppedLinksCount" (string (numberOf 14 message))
      yield! attributes "Attributes" (parts 9 message) ]

let private temporality (message: byte[]) : string =
    let names = [| "Unspecified"; "Delta"; "Cumulative" |]
    "     -> AggregationTemporality: " + names[int (numberOf 2 message)]

let private times (message: byte[]) : string list =
    [ $"StartTimestamp: {time (numberOf 2 message)}"; $"Timestamp: {time (numberOf 3 message)}" ]

let private sum (message: byte[]) : string list =
    [ "     -> DataType: Sum"
      "     -> IsMonotonic: " + (if numberOf 3 message = 0UL then "false" else "true")
      temporality message
      for index, point in List.indexed (parts 1 message) do
          $"NumberDataPoints #{index}"
          yield! attributes "Data point attributes" (parts 7 point)
          yield! times point

          match numberIn 6 point with
          | Some whole -> invariant $"Value: {int64 whole}"
          | None -> "Value: " + float (numberOf 4 point) ]

let private histogram (message: byte[]) : string list =
    let optional (name: string) (number: int) (point: byte[]) =
        numberIn number point |> Option.map (fun bits -> $"{name}: {float bits}") |> Option.toList

    [ "     -> DataType: Histogram"
      temporality message
      for index, point in List.indexed (parts 1 message) do
          $"HistogramDataPoints #{index}"
          yield! attributes "Data point attributes" (parts 9 point)
          yield! times point
          $"Count: {numberOf 4 point}"
          yield! optional "Sum" 5 point
          yield! optional "Min" 11 point
          yield! optional "Max" 12 point

          for index, bound in List.indexed (numbersOf 7 point) do
              $"ExplicitBounds #{index}: {float bound}"

          for index, count in List.indexed (numbersOf 6 point) do
              $"Buckets #{index}, Count: {count}" ]

let private metric (index: int) (message: byte[]) : string list =
    [ $"Metric #{index}"
      "Descriptor:"
      $"     -> Name: {textOf 1 message}"
      $"     -> Description: {textOf 2 message}"
      $"     -> Unit: {textOf 3 message}"
      match parts 7 message, parts 9 message with
      | [ found ], [] -> yield! sum found
      | [], [ found ] -> yield! histogram found
      | _ -> failwith "neither a sum nor a histogram" ]

let private show (kind: string) (item: int -> byte[] -> string list) (request: byte[]) : string list =
    [ for index, found in List.indexed (parts 1 request) do
          yield! resource kind index found

          for index, found in List.indexed (parts 2 found) do
              yield! scope kind index found

              for index, found in List.indexed (parts 2 found) do
                  yield! item index found ]

/// The lines for an ExportTraceServiceRequest.
let showTraces (request: byte[]) : string list = show "Spans" span request

/// The lines for an ExportMetricsServiceRequest.
let showMetrics (request: byte[]) : string list = show "Metrics" metric request

// ---- What the real one prints ----

/// Some of the data of the tests of the debug exporter, and what it prints of them: opentelemetry-collector, exporter/debugexporter/internal/otlptext
/// (testdata/traces/two_spans.out and testdata/metrics/metrics_with_all_types.out, Apache-2.0), without events, links and exemplars.
module Examples =

    let rec private varint (value: uint64) : byte list =
        if value < 0x80UL then [ byte value ] else byte (value ||| 0x80UL) :: varint (value >>> 7)

    let private tag (number: int) (wire: int) = varint (uint64 ((number <<< 3) ||| wire))
    let private number (field: int) (value: int) : byte list = tag field 0 @ varint (uint64 value)
    let private fixed64 (field: int) (bits: uint64) : byte list = tag field 1 @ List.ofArray (BitConverter.GetBytes bits)
    let private double (field: int) (value: float) : byte list = fixed64 field (BitConverter.DoubleToUInt64Bits value)
    let private message (field: int) (parts: byte list list) : byte list =
        let content = List.concat parts
        tag field 2 @ varint (uint64 content.Length) @ content
    let private text (field: int) (value: string) : byte list = message field [ List.ofArray (Encoding.UTF8.GetBytes value) ]
    let private attribute (field: int) (key: string, value: string) = message field [ text 1 key; message 2 [ text 1 value ] ]

    let private second (value: int) : uint64 =
        uint64 (DateTimeOffset(2020, 2, 11, 20, 26, value, TimeSpan.Zero).ToUnixTimeSeconds()) * 1_000_000_000UL

    let private started, ended = second 12 + 321UL, second 13 + 789UL
    let private resource = message 1 [ attribute 1 ("resource-attr", "resource-attr-val-1") ]
    let private request (items: byte list list) : byte[] = Array.ofList (message 1 [ resource; message 2 (message 1 [] :: items) ])

    /// Two spans.
    let traces: byte[] =
        request
            [ message
                  2
                  [ message 1 [ [ 0x01uy .. 0x10uy ] ]
                    message 2 [ [ 0x11uy .. 0x18uy ] ]
                    text 3 "ot=th:0"
                    text 5 "operationA"
                    fixed64 7 started
                    fixed64 8 ended
                    number 10 1
                    number 12 1
                    message 15 [ text 2 "status-cancelled"; number 3 2 ] ]
              message 2 [ text 5 "operationB"; fixed64 7 started; fixed64 8 ended; number 14 3 ] ]

    /// What is printed of the spans.
    let tracesText: string list =
        [ "ResourceSpans #0"
          "Resource SchemaURL: "
          "Resource attributes:"
          "     -> resource-attr: Str(resource-attr-val-1)"
          "ScopeSpans #0"
          "ScopeSpans SchemaURL: "
          "InstrumentationScope  "
          "Span #0"
          "    Trace ID       : 0102030405060708090a0b0c0d0e0f10"
          "    Parent ID      : "
          "    ID             : 1112131415161718"
          "    Name           : operationA"
          "    Kind           : Unspecified"
          "    TraceState     : ot=th:0"
          "    Start time     : 2020-02-11 20:26:12.000000321 +0000 UTC"
          "    End time       : 2020-02-11 20:26:13.000000789 +0000 UTC"
          "    Status code    : Error"
          "    Status message : status-cancelled"
          "    DroppedAttributesCount: 1"
          "    DroppedEventsCount: 1"
          "    DroppedLinksCount: 0"
          "Span #1"
          "    Trace ID       : "
          "    Parent ID      : "
          "    ID             : "
          "    Name           : operationB"
          "    Kind           : Unspecified"
          "    Start time     : 2020-02-11 20:26:12.000000321 +0000 UTC"
          "    End time       : 2020-02-11 20:26:13.000000789 +0000 UTC"
          "    Status code    : Unset"
          "    Status message : "
          "    DroppedAttributesCount: 0"
          "    DroppedEventsCount: 0"
          "    DroppedLinksCount: 3" ]

    /// A sum and a histogram.
    let metrics: byte[] =
        request
            [ message
                  2
                  [ text 1 "sum-int"
                    text 3 "1"
                    message
                        7
                        [ message 1 [ attribute 7 ("label-1", "label-value-1"); fixed64 2 started; fixed64 3 ended; fixed64 6 123UL ]
                          number 2 2
                          number 3 1 ] ]
              message
                  2
                  [ text 1 "histogram"
                    text 3 "1"
                    message
                        9
                        [ message
                              1
                              [ attribute 9 ("label-2", "label-value-2")
                                fixed64 2 started
                                fixed64 3 ended
                                fixed64 4 1UL
                                double 5 15.0
                                message 6 [ List.ofArray (BitConverter.GetBytes 0UL); List.ofArray (BitConverter.GetBytes 1UL) ]
                                message 7 [ List.ofArray (BitConverter.GetBytes 1.0) ]
                                double 11 15.0
                                double 12 15.0 ]
                          number 2 2 ] ] ]

    /// What is printed of the metrics.
    let metricsText: string list =
        [ "ResourceMetrics #0"
          "Resource SchemaURL: "
          "Resource attributes:"
          "     -> resource-attr: Str(resource-attr-val-1)"
          "ScopeMetrics #0"
          "ScopeMetrics SchemaURL: "
          "InstrumentationScope  "
          "Metric #0"
          "Descriptor:"
          "     -> Name: sum-int"
          "     -> Description: "
          "     -> Unit: 1"
          "     -> DataType: Sum"
          "     -> IsMonotonic: true"
          "     -> AggregationTemporality: Cumulative"
          "NumberDataPoints #0"
          "Data point attributes:"
          "     -> label-1: Str(label-value-1)"
          "StartTimestamp: 2020-02-11 20:26:12.000000321 +0000 UTC"
          "Timestamp: 2020-02-11 20:26:13.000000789 +0000 UTC"
          "Value: 123"
          "Metric #1"
          "Descriptor:"
          "     -> Name: histogram"
          "     -> Description: "
          "     -> Unit: 1"
          "     -> DataType: Histogram"
          "     -> AggregationTemporality: Cumulative"
          "HistogramDataPoints #0"
          "Data point attributes:"
          "     -> label-2: Str(label-value-2)"
          "StartTimestamp: 2020-02-11 20:26:12.000000321 +0000 UTC"
          "Timestamp: 2020-02-11 20:26:13.000000789 +0000 UTC"
          "Count: 1"
          "Sum: 15.000000"
          "Min: 15.000000"
          "Max: 15.000000"
          "ExplicitBounds #0: 1.000000"
          "Buckets #0, Count: 0"
          "Buckets #1, Count: 1" ]

// ---- The receiver ----

/// What a collector has received: the lines that it prints of traces, and of metrics.
type Received = { Traces: string list; Metrics: string list }

/// Runs a test with the address of a collector. Returns what it has received by the end of the test.
let collecting (test: string -> unit) : Received =
    let requests = ConcurrentQueue<string * byte[]>()

    let receive (context: HttpListenerContext) =
        use body = new MemoryStream()
        context.Request.InputStream.CopyTo body
        requests.Enqueue(string context.Request.RawUrl, body.ToArray())
        // An empty message: everything was accepted.
        context.Response.ContentType <- "application/x-protobuf"

    HttpService.running receive test

    let bodies (path: string) =
        [ for url, body in requests do
              if url = path then body ]

    { Traces = bodies "/v1/traces" |> List.collect showTraces; Metrics = bodies "/v1/metrics" |> List.collect showMetrics }
