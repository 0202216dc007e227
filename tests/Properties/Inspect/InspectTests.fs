/// The tool that prints frames and log segments, run in this process.
module LibKafka.Properties.InspectTests

open System
open System.Buffers.Binary
open System.IO
open System.Text
open System.Text.Json
open Expecto
open FsCheck.FSharp
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Protocol
open LibKafka.Properties.Support
open LibKafka.Properties.InspectSupport
open LibKafka.Properties.Protocol.Captures

// ---------------------------------------------------------------------------------------------------------------------
// Streams

let private framed (frame: Bytes) : byte[] =
    let length = Array.zeroCreate<byte> 4
    BinaryPrimitives.WriteInt32BigEndian(length, frame.Length)
    Array.append length (frame.ToArray())

let private stream (frames: Bytes list) : byte[] = frames |> List.map framed |> Array.concat

// ---------------------------------------------------------------------------------------------------------------------
// Samples

let private answerTo (correlationId: int) : Bytes =
    Frame.encodeResponse Heartbeat.api 0s correlationId { Heartbeat.response.Default with Error = ErrorCode.RebalanceInProgress }
    |> ok "encode"

let private heartbeat (correlationId: int) : Bytes =
    Frame.encodeRequest
        Heartbeat.api
        0s
        correlationId
        (Some "me")
        { Heartbeat.request.Default with GroupId = "g"; GenerationId = 3; MemberId = "m" }
    |> ok "encode"

let private heartbeatText (number: int) (correlationId: int) =
    "#"
    + string number
    + " → Heartbeat v0 request, correlation "
    + string correlationId
    + ", client \"me\": {GroupId: \"g\", GenerationId: 3, MemberId: \"m\", GroupInstanceId: null}"

let private answerText (number: int) (correlationId: int) =
    "#"
    + string number
    + " ← Heartbeat v0 response, correlation "
    + string correlationId
    + ": {ThrottleTimeMs: 0, ErrorCode: REBALANCE_IN_PROGRESS (27)}"

let private unknownApi = Bytes.ofHex "04d20000000000080000"

let private batch (compression: CompressionType) (records: RecordData list) : RecordBatch =
    let plain = BatchBuilder.build BatchOptions.standard records |> ok "ofRecords"

    match CompressionCodecs.tryFind compression AllCodecs.Set with
    | ValueSome codec -> RecordBatch.compress codec plain |> ok "compress"
    | ValueNone -> plain

let private record (offset: int64) (key: string) (value: string) : RecordData =
    { Offset = offset
      Timestamp = 1_500_000_000_000L
      Key = ValueSome(Bytes.ofString key)
      Value = ValueSome(Bytes.ofString value)
      Headers = [] }

/// The golden batches, with their fields according to the Java client.
let private vectors = lazy (TestData.jsonLines TestData.vectors "batches.jsonl.gz")

// ---------------------------------------------------------------------------------------------------------------------
// Recorded conversations

/// A frame under another correlation id. The first `at` bytes of a header come before it.
let private renumbered (at: int) (correlationId: int) (frame: Bytes) : Bytes =
    let bytes = frame.ToArray()
    if bytes.Length >= at + 4 then
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan at, correlationId)
    Bytes bytes

/// Recorded exchanges as if all were on one connection: each has a correlation id of its own.
let private conversation =
    lazy
        (samples.Value
         |> List.filter _.CorrelationId.IsSome
         |> List.mapi (fun i exchange ->
             { exchange with
                 CorrelationId = Some i
                 Request = renumbered 4 i exchange.Request
                 Response = exchange.Response |> Option.map (renumbered 0 i) }))

/// Every frame in the order in which the tool prints it: whether it is a response, its exchange, and its bytes.
let private frames =
    lazy
        [ for exchange in conversation.Value do
              false, exchange, exchange.Request

              match exchange.Response with
              | Some response -> true, exchange, response
              | None -> () ]

let private requests = lazy [ for exchange in conversation.Value -> exchange.Request ]
let private responses = lazy (conversation.Value |> List.choose _.Response)

/// The body in Kafka's JSON form, and whether bytes remain after it; none if the frame cannot be read.
let private expectedBody (isResponse: bool) (exchange: Exchange) (frame: Bytes) : (string * bool) option =
    let read (frame: Bytes) =
        if isResponse then
            Frame.decodeAnyResponse Limits.standard (ApiKey exchange.Key) exchange.ResponseVersion frame
            |> Result.bind (snd >> Response.toJson exchange.ResponseVersion)
        else
            Frame.decodeRequest Limits.standard frame |> Result.bind (snd >> Request.toJson exchange.Version)

    match read frame with
    | Ok text -> Some(text, false)
    | Error { Problem = Problem.TrailingBytes count } -> Some(read (frame.Slice(0, frame.Length - count)) |> ok "the rest", true)
    | Error _ -> None

/// The first difference between a frame and its line.
let private complaint (isResponse: bool) (exchange: Exchange) (frame: Bytes) (line: JsonElement) : string option =
    let version = if isResponse then exchange.ResponseVersion else exchange.Version

    // A frame of an unknown API can be anything.
    let isKnown = (ApiKey exchange.Key).Name <> ""

    let identity =
        [ "kind", (if isResponse then "response" else "request")
          "api", (ApiKey exchange.Key).Name
          "apiKey", (if isKnown then string exchange.Key else "")
          "apiVersion", (if isKnown then string version else "")
          "correlationId", (if isKnown then string exchange.CorrelationId.Value else "") ]

    match identity |> List.tryFind (fun (name, value) -> get name line <> value), expectedBody isResponse exchange frame with
    | Some(name, value), _ -> Some(name + " is " + get name line + ", not " + value)
    | None, None when get "fault" line = "" || get "body" line <> "" -> Some "no fault"
    | None, None -> None
    | None, Some(body, hasRest) ->
        if line.GetProperty("body").GetRawText() <> body then Some "the body"
        elif (get "fault" line <> "") <> hasRest then Some "the fault"
        else None

let private expectRecorded (outcome: Outcome) =
    let isBroken (isResponse, exchange, frame) =
        match expectedBody isResponse exchange frame with
        | Some(_, hasRest) -> hasRest
        | None -> true

    Expect.equal outcome.Code (if List.exists isBroken frames.Value then 1 else 0) "the exit code"
    Expect.equal outcome.Lines.Length frames.Value.Length "one line for each frame"

    List.zip frames.Value (List.map json outcome.Lines)
    |> List.choose (fun ((isResponse, exchange, frame), line) ->
        complaint isResponse exchange frame line |> Option.map (fun text -> string exchange + ": " + text))
    |> noneOf "lines are wrong"

let private conversations =
    testList
        "recorded conversations"
        [ testCase "as two streams: one line for each frame, requests and responses matched, with the body of Message.toJson" (fun () ->
              withFiles [ stream requests.Value; stream responses.Value ] ".raw" (fun paths ->
                  let outcome = inspect ("--show-secrets --format json --requests " + paths[0] + " --responses " + paths[1]) Array.empty
                  expectRecorded outcome

                  // Each offset is that of the frame's length in its own stream.
                  for isResponse, sizes in [ false, requests.Value; true, responses.Value ] do
                      let expected = sizes |> List.scan (fun at frame -> at + 4 + frame.Length) 0 |> List.truncate sizes.Length
                      let kind = if isResponse then "response" else "request"

                      let found =
                          outcome.Lines
                          |> List.map json
                          |> List.filter (fun line -> get "kind" line = kind)
                          |> List.map (get "offset" >> int)

                      Expect.equal found expected ("the offsets of each " + kind)))

          testCase "as lines of hex and of base64" (fun () ->
              let lines (encode: Bytes -> string) =
                  String.Join("\n", [ for isResponse, _, frame in frames.Value -> (if isResponse then "< " else "> ") + encode frame ])

              let hex = inspectText "frames --show-secrets --format=json" (lines Bytes.toHex)
              expectRecorded hex
              let base64 =
                  inspectText "--show-secrets --format json --input base64" (lines (fun frame -> Convert.ToBase64String frame.Span))
              Expect.equal base64 hex "base64 and hex"
              Expect.equal [ for line in hex.Lines -> get "line" (json line) ] [ for i in 1 .. hex.Lines.Length -> string i ] "the lines")

          testCase "as text: a line for each frame" (fun () ->
              withFiles [ stream requests.Value; stream responses.Value ] ".raw" (fun paths ->
                  let outcome = inspect ("stream --requests=" + paths[0] + " --responses=" + paths[1]) Array.empty
                  Expect.equal outcome.Lines.Length frames.Value.Length "one line for each frame"

                  List.zip3 frames.Value outcome.Lines [ for line in outcome.Lines -> line.Contains "unreadable at byte" ]
                  |> List.choose (fun ((isResponse, exchange, frame), line, isBroken) ->
                      let expected =
                          match expectedBody isResponse exchange frame with
                          | Some(_, hasRest) -> hasRest
                          | None -> true

                      let arrow = if isResponse then "← " else "→ "
                      let api = if (ApiKey exchange.Key).Name = "" then "unreadable" else (ApiKey exchange.Key).Name + " v"
                      if isBroken = expected && line.Contains(arrow + api) then None else Some line)
                  |> noneOf "lines are wrong"))

          testCase "one direction as raw bytes, hex and base64" (fun () ->
              let bytes = stream requests.Value
              let raw = inspect "stream" bytes
              Expect.equal raw.Lines.Length requests.Value.Length "a line for each request"

              let wrapped (text: string) = String.Join("\n", [ for part in Seq.chunkBySize 76 text -> String part ])

              Expect.equal (inspectText "stream --input hex" (wrapped (Convert.ToHexString bytes))) raw "hex"
              Expect.equal (inspectText "stream --input base64" (wrapped (Convert.ToBase64String bytes))) raw "base64")

          testCase "--records prints every batch with its offset" (fun () ->
              withFiles [ stream requests.Value; stream responses.Value ] ".raw" (fun paths ->
                  let outcome = inspect ("--format json --records --requests " + paths[0] + " --responses " + paths[1]) Array.empty
                  let lines = outcome.Lines |> List.map json
                  let ofKind kind = lines |> List.filter (fun line -> get "kind" line = kind)

                  // Without broken frames and those with remaining bytes, which other tests cover.
                  let items =
                      [ for recorded in List.collect recordsOfExchange conversation.Value do
                            for item in RecordSet.splitVerified recorded.Records do
                                recorded.Sent, item ]

                  let batches =
                      items
                      |> List.choose (fun (isSent, item) ->
                          match item with
                          | RecordSetItem.Batch(batch, _) -> Some(isSent, batch)
                          | _ -> None)

                  Expect.equal (ofKind "batch").Length batches.Length "the batches"

                  // Records before a broken one are printed too.
                  let mutable count = 0

                  for _, item in items do
                      RecordSetItem.openRecords (Reading.withCodecs AllCodecs.Set) item
                      |> Result.bind (BatchRecords.fold (fun () _ -> count <- count + 1) ())
                      |> ignore

                  Expect.equal (ofKind "record").Length count "the records"
                  if TestData.areOwn "LIBKAFKA_CAPTURES" then
                      Expect.isGreaterThan count 1000 "the number of records"
                  let sent, received = stream requests.Value, stream responses.Value

                  List.zip batches (ofKind "batch")
                  |> List.choose (fun ((isSent, batch), line) ->
                      let at = int (get "offset" line)
                      let input = if isSent then sent else received

                      if batch.Span.SequenceEqual(ReadOnlySpan<byte>(input, at, batch.SizeInBytes)) then
                          None
                      else
                          Some(line.GetRawText()))
                  |> noneOf "batches have wrong offsets")) ]

// ---------------------------------------------------------------------------------------------------------------------
// Broken input

let private broken =
    testList
        "broken input"
        [ testCase "a broken frame and one of an unknown API between good frames" (fun () ->
              let whole = heartbeat 7
              let cut = whole.Slice(0, whole.Length - 1)
              let outcome = inspect "stream" (stream [ heartbeat 6; cut; unknownApi; heartbeat 9 ])
              let second = 4 + whole.Length
              let third = second + 4 + cut.Length

              Expect.equal
                  outcome.Lines
                  [ heartbeatText 1 6
                    "#2 → Heartbeat v0 request, correlation 7: unreadable at byte "
                    + string (second + 4 + cut.Length)
                    + ": HeartbeatRequest/MemberId: needs 1 byte, but 0 remain"
                    "#3 → unreadable at byte " + string (third + 4) + ": RequestHeader/RequestApiKey: API key 1234 is unknown"
                    heartbeatText 4 9 ]
                  "the lines"

              Expect.equal outcome.Code 1 "the exit code")

          testCase "the same as JSON" (fun () ->
              let whole = heartbeat 7
              let outcome = inspect "stream --format json" (stream [ whole.Slice(0, whole.Length - 1); unknownApi ])
              let at = string (4 + whole.Length - 1)

              Expect.equal
                  outcome.Lines
                  [ """{"offset":0,"kind":"request","api":"Heartbeat","apiKey":12,"apiVersion":0,"correlationId":7,"fault":"needs 1 byte, but 0 remain","path":"HeartbeatRequest/MemberId","faultOffset":"""
                    + at
                    + "}"
                    """{"offset":"""
                    + at
                    + ""","kind":"request","fault":"API key 1234 is unknown","path":"RequestHeader/RequestApiKey","faultOffset":"""
                    + string (4 + int at)
                    + "}" ]
                  "the lines")

          testCase "bytes that remain after a message are reported with the message" (fun () ->
              let frame = Bytes(Array.append ((heartbeat 6).ToArray()) [| 0uy; 0uy |])
              let outcome = inspect "stream" (stream [ frame; heartbeat 7 ])

              Expect.equal
                  outcome.Lines
                  [ heartbeatText 1 6
                    + " (unreadable at byte "
                    + string (4 + frame.Length - 2)
                    + ": HeartbeatRequest: 2 bytes remain after the value)"
                    heartbeatText 2 7 ]
                  "the lines"

              Expect.equal outcome.Code 1 "the exit code")

          testCase "a wrong length ends its stream, and the other files are read" (fun () ->
              let good = stream [ heartbeat 6 ]

              let cases =
                  [ "ffffffff", "a frame has the negative length -1"
                    "7fffffff", "a frame of 2147483647 bytes exceeds the limit of 268435456"
                    "00000010ff", "a frame needs 16 bytes, but 1 remains"
                    "0000", "a frame's length needs 4 bytes, but 2 remain" ]

              for tail, reason in cases do
                  withFiles [ Array.append good (Convert.FromHexString tail); good ] ".raw" (fun paths ->
                      let outcome = inspect ("stream " + paths[0] + " " + paths[1]) Array.empty

                      Expect.equal
                          outcome.Lines
                          [ "==> " + paths[0] + " <=="
                            heartbeatText 1 6
                            "→ unreadable at byte " + string good.Length + ": " + reason + "; the rest of the stream cannot be read"
                            ""
                            "==> " + paths[1] + " <=="
                            heartbeatText 1 6 ]
                          "the lines"

                      Expect.equal outcome.Code 1 "the exit code"))

          testCase "nothing after a wrong length is read as a frame" (fun () ->
              let outcome = inspect "stream" (Array.concat [ Convert.FromHexString "ffffffff"; stream [ heartbeat 6 ] ])
              Expect.equal outcome.Lines.Length 1 "one line")

          testCase "memory is allocated for the bytes that arrive, not for a declared length" (fun () ->
              let declared = Convert.FromHexString "0fffffff00"
              inspect "stream" declared |> ignore
              let outcome, bytes = allocating (fun () -> inspect "stream" declared)
              Expect.equal outcome.Code 1 "the exit code"
              Expect.isLessThan bytes 1_000_000L "bytes allocated")

          testCase "--max-frame bounds frames and batches" (fun () ->
              let frame = heartbeat 6
              let size = string frame.Length
              let fewer = string (frame.Length - 1)
              Expect.equal (inspect ("stream --max-frame " + size) (stream [ frame ])).Code 0 "the limit itself"
              let outcome = inspect ("stream --max-frame " + fewer) (stream [ frame ])
              let expected = "a frame of " + size + " bytes exceeds the limit of " + fewer
              Expect.stringContains (String.Join('\n', outcome.Lines)) expected "too large"
              Expect.equal
                  (inspect "log --max-frame 50" ((batch CompressionType.None [ record 0L "k" "v" ]).Bytes.ToArray())).Code
                  1
                  "a batch"
              let line = String.replicate 1000 "00"
              Expect.stringContains
                  (List.head (inspectText "--max-frame 100" line).Lines)
                  "the line is longer than the largest frame"
                  "a line")

          testCase "invalid text is reported with its position, and the next line is read" (fun () ->
              let good = Bytes.toHex (heartbeat 6)
              let outcome = inspectText "" ("# a comment\n\n0001zz\n" + good + "\r\n123\n0x12\n")

              Expect.equal
                  outcome.Lines
                  [ "line 3 → unreadable at byte 2: 'z' is not a hexadecimal digit (character 5)"
                    heartbeatText 1 6
                    "line 5 → unreadable at byte 1: the number of hexadecimal digits is odd (character 4)"
                    "line 6 → unreadable at byte 0: 'x' is not a hexadecimal digit (character 2)" ]
                  "hex"

              let base64 = inspectText "--input base64" "AAA=A\nAAAAA\nAA=\n=\n"
              Expect.equal base64.Lines.Length 4 "base64"
              Expect.equal [ for line in base64.Lines -> line.Contains "base64" ] [ true; true; true; true ] "reasons"

              // In a stream, the frames before the invalid text are printed first.
              let stream = inspectText "stream --input hex" (Convert.ToHexString(stream [ heartbeat 6 ]) + "00g")
              Expect.equal stream.Lines.Length 2 "stream"
              Expect.equal stream.Lines.Head (heartbeatText 1 6) "the frame before"
              Expect.stringContains stream.Lines[1] "'g' is not a hexadecimal digit" "the character")

          law 300 "any bytes give lines and an exit code, whatever the options are" (fun (bytes: byte[]) ->
              for arguments in
                  [ "stream"
                    "log --records"
                    "--input raw"
                    "--input raw --records --api Fetch --version 12 --response"
                    "--input raw --body --api Produce --version 9"
                    "frames"
                    "stream --input base64" ] do
                  let outcome = inspect (arguments + " --format json") bytes
                  Expect.isTrue (outcome.Code = 0 || outcome.Code = 1) "the exit code"
                  Expect.equal (inspect arguments bytes).Code outcome.Code "the exit code with text"

                  for line in outcome.Lines do
                      json line |> ignore)

          law
              200
              "a recorded frame with a changed byte gives lines and an exit code"
              (Prop.forAll (ArbMap.defaults |> ArbMap.arbitrary<int * int * byte>) (fun (which, where, change) ->
                  let all = frames.Value
                  let isResponse, exchange, frame = all[abs (which % all.Length)]
                  let bytes = frame.ToArray()
                  if bytes.Length > 0 then bytes[abs (where % bytes.Length)] <- change

                  let arguments =
                      if isResponse && (ApiKey exchange.Key).Name <> "" then
                          "--response --api " + (ApiKey exchange.Key).Name + " --version " + string exchange.Version
                      else
                          ""

                  let outcome = inspect ("--input raw --records --format json " + arguments) bytes
                  Expect.isTrue (outcome.Code = 0 || outcome.Code = 1) "the exit code"

                  for line in outcome.Lines do
                      json line |> ignore)) ]

// ---------------------------------------------------------------------------------------------------------------------
// Matching and naming

let private matching =
    testList
        "requests and responses"
        [ testCase "responses are matched even if requests come earlier, and one without a request does not hold up the others" (fun () ->
              let sent = stream [ heartbeat 1; heartbeat 2; heartbeat 3 ]
              let received = stream [ answerTo 99; answerTo 1; answerTo 3 ]

              withFiles [ sent; received ] ".raw" (fun paths ->
                  let outcome = inspect ("--requests " + paths[0] + " --responses " + paths[1]) Array.empty

                  Expect.equal
                      outcome.Lines
                      [ heartbeatText 1 1
                        heartbeatText 2 2
                        heartbeatText 3 3
                        "← unreadable at byte 4: ResponseHeader/CorrelationId: no earlier request has the correlation id 99"
                        answerText 1 1
                        answerText 3 3 ]
                      "the lines"

                  Expect.equal outcome.Code 1 "the exit code"))

          testCase "matching resumes in a recording with a late start or a gap" (fun () ->
              let answered = [ 1..10 ] @ [ 300..700 ]
              let sent = stream (List.map heartbeat [ 6..700 ])
              let received = stream (List.map answerTo answered)

              withFiles [ sent; received ] ".raw" (fun paths ->
                  let outcome = inspect ("--format json --requests " + paths[0] + " --responses " + paths[1]) Array.empty
                  let isMatched (line: JsonElement) = get "kind" line = "response" && get "api" line = "Heartbeat"
                  let matched = outcome.Lines |> List.map json |> List.filter isMatched
                  Expect.equal [ for line in matched -> int (get "correlationId" line) ] ([ 6..10 ] @ [ 300..700 ]) "matched"
                  Expect.equal outcome.Lines.Length (695 + 411) "all lines"))

          testCase "a Produce request with acks = 0 has no response" (fun () ->
              let silent correlationId =
                  Frame.encodeRequest Produce.api 9s correlationId None { Produce.request.Default with Acks = Acks.None } |> ok "encode"

              withFiles [ stream [ silent 1; heartbeat 1 ]; stream [ answerTo 1 ] ] ".raw" (fun paths ->
                  let outcome = inspect ("--requests " + paths[0] + " --responses " + paths[1]) Array.empty
                  Expect.equal outcome.Lines[1..] [ heartbeatText 2 1; answerText 2 1 ] "the lines"
                  Expect.equal outcome.Code 0 "the exit code"))

          testCase "a response alone, and messages without a header" (fun () ->
              let response = inspectText "--api heartbeat --version 0 --response" (Bytes.toHex (answerTo 5))
              Expect.equal response.Lines [ answerText 1 5 ] "a response"
              Expect.equal response.Code 0 "its exit code"
              let body = inspectText "--api=12 --version=0 --response --body" "001b"
              Expect.equal body.Lines [ "#1 ← Heartbeat v0 response: {ThrottleTimeMs: 0, ErrorCode: REBALANCE_IN_PROGRESS (27)}" ] "a body"
              let request = inspect "--input raw --api Heartbeat --version 0 --body" ((heartbeat 1).Slice(12, 10).ToArray())

              Expect.equal
                  request.Lines
                  [ "#1 → Heartbeat v0 request: {GroupId: \"g\", GenerationId: 3, MemberId: \"m\", GroupInstanceId: null}" ]
                  "a request's body"

              let missing = inspectText "--api Heartbeat --version 9 --body" "00"

              Expect.equal
                  missing.Lines
                  [ "#1 line 1 → Heartbeat v9 request: unreadable at byte 0: HeartbeatRequest: version 9 is outside the supported range 0 to 4" ]
                  "a version that does not exist"

              let unknown = inspectText "--api 1234 --version 0 --response --format json" "00000001"
              Expect.equal (get "fault" (json unknown.Lines.Head)) "API key 1234 is unknown" "an API that does not exist")

          testCase "a broker that does not support the version of ApiVersions responds in version 0" (fun () ->
              let refusal: ApiVersions.Response =
                  Frame.decodeResponse Limits.standard ApiVersions.api 0s (Bytes.ofHex "00000007002300000000") |> ok "decode" |> snd

              let frame = Frame.encodeResponse ApiVersions.api 0s 7 refusal |> ok "encode"
              let outcome = inspectText "--format json --api ApiVersions --version 4 --response" (Bytes.toHex frame)
              Expect.equal outcome.Code 0 "the exit code"
              Expect.equal (get "apiVersion" (json outcome.Lines.Head)) "0" "the version"
              Expect.equal (get "body" (json outcome.Lines.Head)) """{"errorCode":35,"apiKeys":[]}""" "the body") ]

// ---------------------------------------------------------------------------------------------------------------------
// Log segments

let private vectorBytes = lazy [ for vector in vectors.Value -> vector, TestData.bytesOf "" vector ]

/// The first difference between a batch and its line.
let private batchComplaint (vector: JsonElement) (line: JsonElement) =
    let found = line.GetProperty "batch"

    [ "baseOffset"
      "lastOffset"
      "partitionLeaderEpoch"
      "magic"
      "crc"
      "timestampType"
      "maxTimestamp"
      "baseTimestamp"
      "producerId"
      "producerEpoch"
      "baseSequence"
      "transactional"
      "control"
      "deleteHorizon"
      "count" ]
    |> List.tryFind (fun name -> get name found <> get name vector)
    |> Option.orElse (if get "compression" found = get "codec" vector then None else Some "compression")

let private hexOf (name: string) (line: JsonElement) : string option =
    match line.TryGetProperty name, line.TryGetProperty(name + "Hex") with
    | (true, text), _ when text.ValueKind = JsonValueKind.Null -> None
    | (true, text), _ -> Some(Bytes.toHex (Bytes.ofString (text.ToString())))
    | _, (true, hex) -> Some(hex.ToString())
    | _ -> failtestf "neither %s nor its hex form" name

let private vectorHex (name: string) (vector: JsonElement) : string option =
    match vector.GetProperty name with
    | value when value.ValueKind = JsonValueKind.Null -> None
    | value -> Some(value.ToString())

let private sameRecord (isControl: bool) (expected: JsonElement) (line: JsonElement) =
    let found = line.GetProperty "record"

    get "offset" found = get "offset" expected
    && get "timestamp" found = get "timestamp" expected
    && (isControl
        || (hexOf "key" found = vectorHex "key" expected
            && hexOf "value" found = vectorHex "value" expected
            && found.GetProperty("headers").GetArrayLength() = expected.GetProperty("headers").GetArrayLength()))

/// A vector that is one message of an older format, and its bytes.
let private oldMessage (magic: int) (codec: string) : JsonElement * byte[] =
    TestData.jsonLines TestData.vectors "recordsets.jsonl.gz"
    |> List.find (fun vector ->
        let batches = vector.GetProperty "batches"

        get "trailingPartialBytes" vector = "0"
        && batches.GetArrayLength() = 1
        && get "magic" batches[0] = string magic
        && get "codec" batches[0] = codec)
    |> fun vector -> vector, (TestData.bytesOf "" vector).ToArray()

let private logs =
    testList
        "log segments"
        [ testCase "the golden batches one after another, with the headers and records of the Java client" (fun () ->
              withFiles [ Array.concat [ for _, bytes in vectorBytes.Value -> bytes.ToArray() ] ] ".log" (fun paths ->
                  let outcome = inspect ("--records --format json " + paths[0]) Array.empty
                  Expect.equal outcome.Code 0 "the exit code"
                  let mutable lines = outcome.Lines |> List.map json
                  let mutable at = 0

                  let next () =
                      let line = List.head lines
                      lines <- List.tail lines
                      line

                  for vector, bytes in vectorBytes.Value do
                      let name = get "name" vector
                      let line = next ()
                      Expect.equal (get "kind" line, get "offset" line) ("batch", string at) name
                      Expect.equal (batchComplaint vector line) None name
                      at <- at + bytes.Length

                      for record in vector.GetProperty("records").EnumerateArray() do
                          Expect.isTrue (sameRecord (get "control" vector = "True") record (next ())) (name + record.GetRawText())

                  Expect.isEmpty lines "further lines"))

          testCase "a corrupt batch in the middle and an incomplete one at the end" (fun () ->
              let a = batch CompressionType.None [ record 0L "k" "one" ]
              let b = (batch CompressionType.None [ record 0L "k" "two" ]).Rebase(1L, 5)
              let c = (batch CompressionType.Gzip [ record 0L "k" "three"; record 1L "k" "four" ]).Rebase(2L, 5)
              let corrupt = b.Bytes.ToArray()
              corrupt[corrupt.Length - 2] <- corrupt[corrupt.Length - 2] ^^^ 1uy
              let tail = a.Bytes.Slice(0, a.SizeInBytes - 5).ToArray()
              let bytes = Array.concat [ a.Bytes.ToArray(); corrupt; c.Bytes.ToArray(); tail ]
              let second = a.SizeInBytes
              let third = second + corrupt.Length
              let fourth = third + c.SizeInBytes
              let outcome = inspect "log --records" bytes
              Expect.equal outcome.Code 1 "the exit code"
              Expect.equal outcome.Lines.Length 7 "the lines"
              Expect.stringStarts outcome.Lines[0] "@0 offsets 0 to 0, 1 record, none, CreateTime" "the first batch"
              Expect.equal outcome.Lines[1] "  0 2017-07-14T02:40:00.000Z key \"k\" value \"one\"" "its record"

              Expect.stringStarts
                  outcome.Lines[2]
                  ("@" + string second + " unreadable at byte " + string (second + 17) + ": Crc: checksum ")
                  "the corrupt batch"

              Expect.stringEnds outcome.Lines[2] ("(offsets 1 to 1, " + string corrupt.Length + " bytes)") "its offsets"
              Expect.stringStarts outcome.Lines[3] ("@" + string third + " offsets 2 to 3, 2 records, gzip") "the batch after it"
              Expect.stringContains outcome.Lines[5] "value \"four\"" "a record of it"

              Expect.equal
                  outcome.Lines[6]
                  ("@"
                   + string fourth
                   + " unreadable at byte "
                   + string fourth
                   + ": the last batch is incomplete: only "
                   + string tail.Length
                   + " bytes remain")
                  "the tail"

              let lines = (inspect "log --format json" bytes).Lines |> List.map json
              Expect.equal [ for line in lines -> get "offset" line ] [ "0"; string second; string third; string fourth ] "the offsets"
              Expect.equal [ for line in lines -> get "fault" line <> "" ] [ false; true; false; true ] "the faults")

          testCase "after a wrong batch length the rest of the log is not read" (fun () ->
              let good = (batch CompressionType.None [ record 0L "k" "v" ]).Bytes.ToArray()
              let bytes = Array.concat [ good; Array.replicate 40 0x7Fuy; good ]
              let outcome = inspect "log" (Array.concat [ good; Array.replicate 8 0uy; Convert.FromHexString "0000000500000000"; good ])
              Expect.equal outcome.Lines.Length 2 "the lines"
              Expect.stringEnds outcome.Lines[1] "too small for a batch header; the rest of the log cannot be read" "the reason"
              let huge = inspect "log" bytes
              Expect.stringEnds huge.Lines[1] "exceeds the limit of 268435456; the rest of the log cannot be read" "a length too large"
              Expect.equal (inspect "log" (Array.append good [| 1uy |])).Code 1 "one more byte")

          testCase "zeros at the end are preallocated space, however few they are" (fun () ->
              let good = (batch CompressionType.None [ record 0L "k" "v" ]).Bytes.ToArray()

              for count in [ 1; 2; 11; 12; 13; 16; 17; 18; 60; 61; 62 ] do
                  let outcome = inspect "log" (Array.append good (Array.zeroCreate count))
                  let size = if count = 1 then "1 byte of zeros" else string count + " bytes of zeros"
                  Expect.equal outcome.Code 0 (string count)
                  Expect.equal outcome.Lines[1] ("@" + string good.Length + " " + size + ": preallocated space") "the line"
                  Expect.equal (inspect "log" (Array.zeroCreate count)).Code 0 (string count + " zeros alone")
                  let damaged = inspect "log" (Array.concat [ good; Array.zeroCreate count; [| 1uy |] ])
                  Expect.equal damaged.Code 1 (string count + " zeros before another byte"))

          testCase "many zeros at the end are preallocated space" (fun () ->
              let good = (batch CompressionType.None [ record 0L "k" "v" ]).Bytes.ToArray()
              let outcome = inspect "log" (Array.append good (Array.zeroCreate 200_000))
              Expect.equal outcome.Code 0 "the exit code"

              Expect.equal outcome.Lines[1] ("@" + string good.Length + " 200000 bytes of zeros: preallocated space") "the line"

              let damaged = Array.append good (Array.zeroCreate 200_000)
              damaged[damaged.Length - 1] <- 1uy
              Expect.equal (inspect "log" damaged).Code 1 "with a byte after them")

          testCase "the golden record sets, including older formats, with the records of the Java client" (fun () ->
              for vector in TestData.jsonLines TestData.vectors "recordsets.jsonl.gz" do
                  let name = get "name" vector
                  let bytes = (TestData.bytesOf "" vector).ToArray()
                  let outcome = inspect "log --records --format json" bytes
                  let partial = bytes |> Array.skip (bytes.Length - int (get "trailingPartialBytes" vector))
                  // Nothing but zeros at the end is preallocated space.
                  let cutOff = partial |> Array.exists (fun byte -> byte <> 0uy)
                  Expect.equal outcome.Code (if cutOff then 1 else 0) (name + ", the exit code")
                  let found = outcome.Lines |> List.map json |> List.filter (fun line -> get "kind" line = "record")
                  let expected = List.ofSeq (vector.GetProperty("records").EnumerateArray())
                  Expect.equal found.Length expected.Length (name + ", records")
                  List.iter2 (fun record line -> Expect.isTrue (sameRecord false record line) (name + record.GetRawText())) expected found)

          testCase "a message of an older format shows its format, and what follows it is read" (fun () ->
              let vector, old = oldMessage 0 "none"
              let packedVector, packed = oldMessage 1 "gzip"
              let good = (batch CompressionType.None [ record 0L "k" "v" ]).Bytes.ToArray()
              let outcome = inspect "log" (Array.concat [ old; packed; good ])
              Expect.equal outcome.Code 0 "the exit code"
              let offset = get "baseOffset" (vector.GetProperty("batches")[0])
              Expect.equal outcome.Lines[0] ("@0 offset " + offset + ", magic 0, none, " + string old.Length + " bytes") "the old one"
              Expect.stringContains
                  outcome.Lines[1]
                  (", magic 1, gzip, " + get "timestampType" (packedVector.GetProperty("batches")[0]) + ", ")
                  "the one that is compressed"
              Expect.stringContains outcome.Lines[2] "offsets 0 to 0, 1 record" "the new one"
              old[old.Length - 1] <- old[old.Length - 1] ^^^ 1uy
              let damaged = inspect "log --records" (Array.append old good)
              Expect.stringStarts damaged.Lines[0] "@0 unreadable at byte 12: Crc: checksum " "with a wrong checksum"
              Expect.equal (damaged.Code, damaged.Lines.Length) (1, 3) "and the new one with its record")

          testCase "messages of an older format, and batches of every compression, are found in frames with their offsets" (fun () ->
              let old, oldBytes = oldMessage 0 "lz4"

              let packed = [ for codec in AllCodecs.List -> batch codec.Type [ record 0L "k" (CompressionType.name codec.Type) ] ]

              let partitions: Produce.PartitionData list =
                  Bytes oldBytes :: [ for batch in packed -> batch.Bytes ]
                  |> List.mapi (fun i records -> { Index = i; Records = Some records })

              let request: Produce.Request =
                  { Produce.request.Default with
                      Acks = Acks.None
                      Topics = [ { Name = "t"; TopicId = Guid.Empty; Partitions = partitions } ] }

              let frame = Frame.encodeRequest Produce.api 9s 1 None request |> ok "encode"
              let outcome = inspect "stream --records --format json" (framed frame)
              Expect.equal outcome.Code 0 "the exit code"
              let lines = outcome.Lines |> List.map json
              let ofKind kind = lines |> List.filter (fun line -> get "kind" line = kind)
              let message = List.exactlyOne (ofKind "message")
              Expect.equal (get "path" message) "ProduceRequest/TopicData[0]/PartitionData[0]/Records" "the path"
              let place = (framed frame).AsSpan().IndexOf(ReadOnlySpan<byte> oldBytes)
              Expect.equal (get "offset" message) (string place) "the offset"
              let found = message.GetProperty "message"
              Expect.equal (get "magic" found, get "compression" found, get "timestampType" found) ("0", "lz4", "") "its format"
              let records = ofKind "record"
              let expected = List.ofSeq (old.GetProperty("records").EnumerateArray())
              let ofOld, ofPacked = List.splitAt expected.Length records
              List.iter2 (fun record line -> Expect.isTrue (sameRecord false record line) "a record") expected ofOld
              let values = [ for line in ofPacked -> get "value" (line.GetProperty "record") ]
              Expect.equal values [ for batch in packed -> CompressionType.name batch.Compression ] "the records of batches")

          testCase "a corrupt batch in a response is reported with its whole path" (fun () ->
              let good = batch CompressionType.None [ record 0L "k" "v" ]
              let corrupt = good.Rebase(1L, 5).Bytes.ToArray()
              corrupt[corrupt.Length - 1] <- corrupt[corrupt.Length - 1] ^^^ 1uy

              let partition index records : Fetch.PartitionResponse =
                  { Fetch.partitionResponse.Default with PartitionIndex = index; Records = records }

              let topic: Fetch.TopicResponse =
                  { Fetch.topicResponse.Default with
                      Topic = "t"
                      Partitions = [ partition 0 None; partition 1 (Some(Bytes(Array.append (good.Bytes.ToArray()) corrupt))) ] }

              let response: Fetch.Response = { Fetch.response.Default with Topics = [ topic ] }
              let frame = Frame.encodeResponse Fetch.api 11s 1 response |> ok "encode"
              let path = "FetchResponse/Responses[0]/Partitions[1]/Records[1]/Crc"
              // The checksum is at byte 17 of the batch.
              let at = frame.Length - corrupt.Length + 17

              let inspected options = inspectText ("--records --api Fetch --version 11 --response" + options) (Bytes.toHex frame)
              let line = (inspected " --format json").Lines |> List.map json |> List.find (fun line -> get "fault" line <> "")
              Expect.equal (get "path" line, get "faultOffset" line) (path, string at) "JSON"

              Expect.stringContains
                  (String.Join('\n', (inspected "").Lines))
                  ("unreadable at byte " + string at + ": " + path + ": checksum ")
                  "text")

          testCase "keys and values: text, hex, null, empty, and sizes alone" (fun () ->
              let records =
                  [ { record 0L "clé\n" "\"quoted\"" with
                        Headers = [ RecordHeader.create "h" (Bytes.ofHex "00ff"); RecordHeader.withoutValue "n" ] }
                    { record 1L "" "" with Timestamp = -1L }
                    { record 2L "" "" with Key = ValueNone; Value = ValueNone }
                    { record 3L "" "" with Key = ValueSome(Bytes.ofHex "1b5b"); Value = ValueSome(Bytes.ofHex "ff") } ]

              let bytes = (batch CompressionType.None records).Bytes.ToArray()

              Expect.equal
                  (inspect "log --records" bytes).Lines[1..]
                  [ "  0 2017-07-14T02:40:00.000Z key \"clé\\n\" value \"\\\"quoted\\\"\" headers {\"h\": 0x00ff, \"n\": null}"
                    "  1 key \"\" value \"\""
                    "  2 2017-07-14T02:40:00.000Z key null value null"
                    "  3 2017-07-14T02:40:00.000Z key 0x1b5b value 0xff" ]
                  "text"

              Expect.equal
                  (inspect "log --no-keys --no-values" bytes).Lines[1..]
                  [ "  0 2017-07-14T02:40:00.000Z key 5 bytes value 8 bytes headers {\"h\": 2 bytes, \"n\": null}"
                    "  1 key 0 bytes value 0 bytes"
                    "  2 2017-07-14T02:40:00.000Z key null value null"
                    "  3 2017-07-14T02:40:00.000Z key 2 bytes value 1 byte" ]
                  "sizes"

              Expect.equal
                  (inspect "log --records --format json" bytes).Lines[1..]
                  [ """{"offset":0,"kind":"record","record":{"offset":0,"timestamp":1500000000000,"key":"clé\n","value":"\"quoted\"","headers":[{"key":"h","valueHex":"00ff"},{"key":"n","value":null}]}}"""
                    """{"offset":0,"kind":"record","record":{"offset":1,"timestamp":-1,"key":"","value":"","headers":[]}}"""
                    """{"offset":0,"kind":"record","record":{"offset":2,"timestamp":1500000000000,"key":null,"value":null,"headers":[]}}"""
                    """{"offset":0,"kind":"record","record":{"offset":3,"timestamp":1500000000000,"keyHex":"1b5b","valueHex":"ff","headers":[]}}""" ]
                  "JSON"

              Expect.stringContains
                  (List.item 1 (inspect "log --no-values --format json" bytes).Lines)
                  """"key":"clé\n","valueBytes":8,"headers":[{"key":"h","valueBytes":2},{"key":"n","value":null}]"""
                  "JSON with sizes")

          testCase "control records are decoded" (fun () ->
              let vector, bytes = vectorBytes.Value |> List.find (fun (vector, _) -> (get "name" vector).EndsWith "/control/commit")
              let lines = (inspect "log --records --format json" (bytes.ToArray())).Lines
              let value = TestData.text "value" (vector.GetProperty("records")[0])
              let epoch = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan(Convert.FromHexString value, 2, 4))
              Expect.equal (get "control" ((json lines[1]).GetProperty "record")) "Commit" "the type"
              Expect.equal (get "body" ((json lines[1]).GetProperty "record")) ("{\"coordinatorEpoch\":" + string epoch + "}") "the body"

              Expect.stringEnds
                  (List.item 1 (inspect "log --records" (bytes.ToArray())).Lines)
                  ("control Commit EndTxnMarker {CoordinatorEpoch: " + string epoch + "}")
                  "text") ]

// ---------------------------------------------------------------------------------------------------------------------
// Usage

let private usage =
    testList
        "usage"
        [ for arguments, reason in
              [ "--bogus", "unknown option '--bogus'"
                "-x", "unknown option '-x'"
                "--format", "--format needs a value"
                "--format xml", "--format must be text or json, not 'xml'"
                "--input octal", "--input must be hex, base64 or raw, not 'octal'"
                "--api Fetch", "--api and --version go together"
                "--version 4 --body", "--api and --version go together"
                "--version x", "--version needs a version number"
                "--api Fetch --version 4", "--api and --version go with --response or --body"
                "--api Nothing --version 4 --body", "no API is named 'Nothing'"
                "--response", "--response and --body need --api and --version"
                "log --api Fetch --version 4 --body", "a log has no APIs"
                "--requests a", "--requests and --responses go together"
                "--responses a", "--requests and --responses go together"
                "--requests a --responses b c", "'c' cannot be combined with --requests and --responses"
                "log --requests a --responses b", "--requests and --responses name streams"
                "--requests - --responses -", "only one of --requests and --responses can be standard input"
                "--requests a --responses b --api Fetch --version 4 --response",
                "--api and --version cannot be combined with --requests and --responses"
                "--max-frame 0", "--max-frame needs a number of bytes"
                "--max-frame=-1", "--max-frame needs a number of bytes"
                // More than an array can hold.
                "--max-frame 2147483647", "--max-frame needs a number of bytes from 1 to 2147483591" ] do
              testCase ("'" + arguments + "' is wrong") (fun () ->
                  let outcome = inspect arguments Array.empty
                  Expect.equal outcome.Code 2 "the exit code"
                  Expect.isEmpty outcome.Lines "nothing is printed"
                  Expect.stringStarts outcome.Complaints "libkafka-inspect: " "the start of the message"
                  Expect.stringContains outcome.Complaints reason "the message")

          testCase "help lists every option, and --version prints the version" (fun () ->
              for arguments in [ "--help"; "-h"; "log --records --help" ] do
                  let outcome = inspect arguments Array.empty
                  Expect.equal outcome.Code 0 "the exit code"
                  let help = String.Join('\n', outcome.Lines)

                  for option in
                      [ "--format"
                        "--input"
                        "--api"
                        "--version"
                        "--response"
                        "--body"
                        "--records"
                        "--no-keys"
                        "--no-values"
                        "--max-frame"
                        "--requests"
                        "--responses" ] do
                      Expect.stringContains help option "an option"

              let version = inspect "--version" Array.empty
              Expect.equal version.Code 0 "the exit code"
              Expect.stringStarts version.Lines.Head "libkafka-inspect " "the version")

          testCase "empty input is not an error" (fun () ->
              for arguments in [ ""; "stream"; "log"; "stream --input hex"; "log --input base64"; "-" ] do
                  let outcome = inspect arguments Array.empty
                  Expect.equal (outcome.Code, outcome.Lines, outcome.Complaints) (0, [], "") arguments)

          testCase "a missing file is reported, and the others are read" (fun () ->
              withFiles [ stream [ heartbeat 6 ] ] ".raw" (fun paths ->
                  let absent = paths[0] + ".absent"
                  let outcome = inspect ("stream --format json " + absent + " " + paths[0]) Array.empty
                  Expect.equal outcome.Code 1 "the exit code"
                  Expect.equal [ for line in outcome.Lines -> get "file" (json line) ] [ paths[0] ] "the other file"
                  Expect.stringStarts outcome.Complaints ("libkafka-inspect: cannot read " + absent + ": ") "the message"))

          testCase "files named *.log are log segments, unless the first word says otherwise" (fun () ->
              let segment = (batch CompressionType.None [ record 0L "k" "v" ]).Bytes.ToArray()

              withFiles [ segment; Encoding.ASCII.GetBytes(Bytes.toHex (heartbeat 6)) ] ".log" (fun paths ->
                  Expect.stringStarts (inspect paths[0] Array.empty).Lines.Head "@0 offsets 0 to 0" "a segment"
                  Expect.equal (inspect ("frames " + paths[1]) Array.empty).Lines [ heartbeatText 1 6 ] "frames"
                  Expect.equal (inspect ("frames -- " + paths[1]) Array.empty).Lines [ heartbeatText 1 6 ] "after --"))

          testCase "control characters are not printed" (fun () ->
              let frame =
                  Frame.encodeRequest
                      Heartbeat.api
                      0s
                      1
                      (Some "\u001b[31m\u009b")
                      { Heartbeat.request.Default with GroupId = "\u001b"; GenerationId = 3; MemberId = "m" }
                  |> ok "encode"

              let line = (inspectText "" (Bytes.toHex frame)).Lines.Head
              Expect.isFalse (line |> Seq.exists Char.IsControl) line
              Expect.stringContains line "client \"\\u001b[31m\\u009b\"" "the client id") ]

[<Tests>]
let tests = testList "libkafka-inspect" [ conversations; broken; matching; logs; usage ]
