/// Whole frames: a header and a message of an API that need not be known beforehand.
module LibKafka.Properties.Protocol.FrameTests

open System
open Expecto
open FsCheck.FSharp
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol.Definitions
open LibKafka.Properties.Protocol.Generate

/// Runs an action on an API of any type.
let private withApi (visitor: IApiVisitor<'Result>) (key: ApiKey) : 'Result =
    match Apis.visit visitor key with
    | Some result -> result
    | None -> failtestf "API key %d is not known" key.Code

/// The key and the bytes of the message in a union's case.
let private contentAt version =
    { new IMessageVisitor<ApiKey * Bytes> with
        member _.Visit(key, message, value) = key, Message.encode version message value |> ok "encode" }

let private survivor version (message: Message<'T>) (choices: int64[]) =
    Message.project version message (build message choices) |> ok "project"

let private anyChoices = Arb.fromGenShrink (numbers, shrinkNumbers)

/// A request of any values, at each version of its API: written knowing the API and read without.
let private requestRoundTrip =
    { new IApiVisitor<Test> with
        member _.Visit(api, ofRequest, _) =
            law
                20
                api.Name
                (Prop.forAll anyChoices (fun choices ->
                    for version in api.Versions.ToList() do
                        let request = survivor version api.Request choices
                        let frame = Frame.encodeRequest api version 42 (Some "me") request |> ok "encode"
                        let header, read = Frame.decodeRequest Limits.standard frame |> ok "decode"

                        Expect.equal
                            header
                            { ApiKey = api.Key; ApiVersion = version; CorrelationId = 42; ClientId = Some "me" }
                            "the header"

                        let content = Request.visit (contentAt version) read
                        Expect.equal content (Request.visit (contentAt version) (ofRequest request)) "the request"
                        Expect.equal (fst content) api.Key "the key")) }

let private responseRoundTrip =
    { new IApiVisitor<Test> with
        member _.Visit(api, _, ofResponse) =
            law
                20
                api.Name
                (Prop.forAll anyChoices (fun choices ->
                    for version in api.Versions.ToList() do
                        let response = survivor version api.Response choices
                        let frame = Frame.encodeResponse api version 42 response |> ok "encode"
                        let correlationId, read = Frame.decodeAnyResponse Limits.standard api.Key version frame |> ok "decode"
                        Expect.equal correlationId 42 "the correlation id"
                        let content = Response.visit (contentAt version) read
                        Expect.equal content (Response.visit (contentAt version) (ofResponse response)) "the response"
                        Expect.equal (fst content) api.Key "the key"

                        // The reader that accepts bytes after the response returns their number.
                        let longer = Bytes(Array.append (frame.ToArray()) [| 1uy; 2uy; 3uy |])
                        Expect.equal
                            (Frame.readResponse Limits.standard api version frame |> Result.map (fun struct (_, left) -> left))
                            (Ok 0)
                            "nothing left over"
                        Expect.equal
                            (Frame.readResponse Limits.standard api version longer |> Result.map (fun struct (_, left) -> left))
                            (Ok 3)
                            "three bytes left over")) }

/// A fetch response of three topics with a partition each, whose records are the last bytes of a topic.
let private threeTopics: Fetch.Response =
    let topic name : Fetch.TopicResponse =
        { Topic = name
          TopicId = Guid.Empty
          Partitions = [ { (Fetch.partitionResponse.Default) with Records = Some(Bytes.ofHex "0badcafe") } ] }

    { Fetch.response.Default with Topics = [ topic "a"; topic "b"; topic "c" ] }

let private faults =
    testList
        "faults"
        [ testCase "name the field, its elements and its place in the frame" (fun () ->
              let frame = Frame.encodeResponse Fetch.api 4s 7 threeTopics |> ok "encode"

              Frame.decodeResponse Limits.standard Fetch.api 4s (frame.Slice(0, frame.Length - 1))
              |> faultsWith (Problem.Truncated(4L, 3)) (frame.Length - 4) "FetchResponse/Responses[2]/Partitions[0]/Records"

              let spoilt = frame.ToArray()
              // The length of the third topic's records.
              spoilt[frame.Length - 8] <- 0x80uy

              Frame.decodeAnyResponse Limits.standard ApiKey.Fetch 4s (Bytes spoilt)
              |> faultsWith (Problem.NegativeLength -2147483644L) (frame.Length - 4) "FetchResponse/Responses[2]/Partitions[0]/Records")

          testCase "a frame larger than the limit, header included, is refused unread" (fun () ->
              let frame = Frame.encodeResponse Fetch.api 4s 7 threeTopics |> ok "encode"
              let limits most = { Limits.standard with MaxFrameBytes = most }
              Expect.isOk (Frame.decodeResponse (limits frame.Length) Fetch.api 4s frame) "as large as the limit"

              Frame.decodeResponse (limits (frame.Length - 1)) Fetch.api 4s frame
              |> faultsWith (Problem.FrameTooLarge(int64 frame.Length, int64 frame.Length - 1L)) 0 "ResponseHeader")

          testCase "a request too short for a key and a version is refused" (fun () ->
              for count in 0..3 do
                  Frame.decodeRequest Limits.standard (Bytes(Array.zeroCreate count))
                  |> faultsWith (Problem.Truncated(4L, count)) 0 "RequestHeader")

          testCase "a request that ends within its header is refused there" (fun () ->
              // ApiVersions, version 3, correlation id 1, and nothing of the client id.
              Frame.decodeRequest Limits.standard (Bytes.ofHex "0012000300000001")
              |> faultsWith (Problem.Truncated(2L, 0)) 8 "RequestHeader/ClientId")

          testCase "an API key that is not known is refused" (fun () ->
              for key in [ 4s; -1s; Int16.MaxValue ] do
                  let frame = Writer 16
                  frame.Int16 key
                  frame.Int16 0s

                  Frame.decodeRequest Limits.standard (frame.ToBytes())
                  |> faultsWith (Problem.UnknownApi key) 0 "RequestHeader/RequestApiKey"

                  Frame.decodeAnyResponse Limits.standard (ApiKey key) 0s (frame.ToBytes())
                  |> faultsWith (Problem.UnknownApi key) 0 "RequestHeader/RequestApiKey")

          testCase "a version that is not known is refused, in either direction" (fun () ->
              for api in apis do
                  let version = api.Versions.Highest + 1s
                  let unsupported = Problem.UnsupportedVersion(version, api.Versions.Lowest, api.Versions.Highest)
                  let frame = Writer 16
                  frame.Int16 api.Key.Code
                  frame.Int16 version
                  frame.Int32 1
                  frame.Int16 -1s
                  frame.Int8 0y
                  Frame.decodeRequest Limits.standard (frame.ToBytes()) |> faultsWith unsupported 0 api.Request.Name

                  let answer = Frame.decodeAnyResponse Limits.standard api.Key version (Bytes.ofHex "000000010000000000")
                  Expect.equal (answer |> refused "an unknown version").Problem unsupported "the problem") ]

let private writing =
    testList
        "writing"
        [ testCase "the length before a request is that of all that follows" (fun () ->
              let writer = Writer 16
              writer.Raw(ReadOnlySpan [| 1uy; 2uy; 3uy |])

              Frame.writeRequest writer Metadata.api 4s 7 (Some "me") Metadata.request.Default |> ok "write"

              let frame = Frame.encodeRequest Metadata.api 4s 7 (Some "me") Metadata.request.Default |> ok "encode"
              let written = writer.ToBytes()
              Expect.equal (Reader(written.Slice(3, 4), Int64.MaxValue).Int32()) frame.Length "the length"
              Expect.equal (written.Slice(7, written.Length - 7)) frame "the frame"
              Expect.equal (written.Slice(0, 3)) (Bytes.ofHex "010203") "what was there before")

          testCase "a request that is refused leaves the writer as it was" (fun () ->
              let writer = Writer 16
              writer.Int32 42

              Frame.writeRequest writer Metadata.api 3s 7 (Some "me") { Metadata.request.Default with AllowAutoTopicCreation = false }
              |> refused "a field that version 3 does not have"
              |> fun fault -> Expect.equal fault.Path "MetadataRequest/AllowAutoTopicCreation" "the path"

              Expect.equal (writer.ToBytes()) (Bytes.ofHex "0000002a") "the writer")

          testCase "the answer to ApiVersions has the oldest header in every version" (fun () ->
              for version in ApiVersions.api.Versions.ToList() do
                  let frame = Frame.encodeResponse ApiVersions.api version 7 ApiVersions.response.Default |> ok "encode"
                  let body = Message.encode version ApiVersions.api.Response ApiVersions.response.Default |> ok "encode"
                  Expect.equal frame.Length (4 + body.Length) "four bytes of header") ]

let private keys =
    testList
        "the list of APIs"
        [ testCase "is in the order of the keys, each once" (fun () ->
              let codes = Apis.keys |> List.map _.Code
              Expect.equal codes (List.sort (List.distinct codes)) "the codes")

          testCase "is what can be visited, and nothing else can" (fun () ->
              let visited = [ 0s .. 200s ] |> List.filter (fun code -> (tryApi (ApiKey code)).IsSome)
              Expect.equal visited (Apis.keys |> List.map _.Code) "the codes"

              for code in visited do
                  Expect.equal (tryApi (ApiKey code)).Value.Key (ApiKey code) "the key of the API that is visited") ]

[<Tests>]
let tests =
    testList
        "Frames"
        [ testList "a request that was written knowing its API is read without" (List.map (withApi requestRoundTrip) Apis.keys)
          testList "a response that was written knowing its API is read without" (List.map (withApi responseRoundTrip) Apis.keys)
          faults
          writing
          keys ]
