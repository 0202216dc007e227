/// Requests and responses whose API is not known beforehand.
module LibKafka.Properties.Protocol.UnionTests

open System.Text.Json
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Properties
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol.Definitions
open LibKafka.Properties.Protocol.VectorTests

/// One side of the protocol, as functions of the union.
type private Union<'U> =
    { Decode: ApiKey -> int16 -> Bytes -> Result<'U, Fault>
      OfJson: ApiKey -> int16 -> string -> Result<'U, Fault>
      Key: 'U -> ApiKey
      Encode: int16 -> 'U -> Result<Bytes, Fault>
      ToJson: int16 -> 'U -> Result<string, Fault>
      Show: 'U -> string }

let private requests: Union<Request> =
    { Decode = Request.decode Limits.standard
      OfJson = Request.ofJson
      Key = Request.apiKey
      Encode = Request.encode
      ToJson = Request.toJson
      Show = Request.show }

let private responses: Union<Response> =
    { Decode = Response.decode Limits.standard
      OfJson = Response.ofJson
      Key = Response.apiKey
      Encode = Response.encode
      ToJson = Response.toJson
      Show = Response.show }

/// The results of the message itself for some bytes: the bytes written again, the text, the JSON.
let private byMessage version bytes =
    { new IUse<Bytes * string * string> with
        member _.Use message =
            let value = Message.decode Limits.standard version message bytes |> ok "decode"

            Message.encode version message value |> ok "encode",
            Message.show message value,
            Message.toJson version message value |> ok "toJson" }

/// The results of the union that differ from those of the message.
let private complaint (union: Union<'U>) (key: ApiKey) (definition: Definition) (line: JsonElement) =
    let version = number "version" line
    let bytes = TestData.bytesOf "" line
    let written, text, json = definition.Use(byMessage version bytes)
    let value = union.Decode key version bytes |> ok "decode"
    let ofJson = union.OfJson key version json |> ok "ofJson"

    [ "key", union.Key value = key
      "bytes", union.Encode version value = Ok written
      "text", union.Show value = text
      "JSON", union.ToJson version value = Ok json
      "bytes of what the JSON says", union.Encode version ofJson = Ok written ]
    |> List.tryPick (fun (what, holds) ->
        if holds then
            None
        else
            Some(sprintf "version %d, instance %d: the %s" version (number "instance" line) what))

let private agrees (api: ApiDefinition) =
    let check union kind definition () = linesOf api.Key kind |> List.choose (complaint union api.Key definition) |> noneOf "vectors differ"

    [ testCase api.Request.Name (check requests "request" api.Request)
      testCase api.Response.Name (check responses "response" api.Response) ]

/// The key of an API that is not known here: it was the controller's before Kafka 4.0.
let private foreign = ApiKey.LeaderAndIsr

let private refusals (union: Union<'U>) (heartbeat: string) (apiVersions: string) =
    [ testCase "an unknown API is a fault" (fun () ->
          union.Decode foreign 0s Bytes.empty |> faultsWith (Problem.UnknownApi 4s) 0 ""
          union.OfJson foreign 0s "{}" |> faultsWith (Problem.UnknownApi 4s) 0 "")

      testCase "a version that the API does not have is a fault" (fun () ->
          union.Decode ApiKey.Heartbeat 99s Bytes.empty |> faultsWith (Problem.UnsupportedVersion(99s, 0s, 4s)) 0 heartbeat
          union.OfJson ApiKey.Heartbeat 99s "{}" |> faultsWith (Problem.UnsupportedVersion(99s, 0s, 4s)) 0 heartbeat)

      testCase "bytes that remain are a fault" (fun () ->
          let good = union.OfJson ApiKey.ApiVersions 0s "{}" |> Result.bind (union.Encode 0s) |> ok "the default"
          let longer = Bytes(Array.append (good.ToArray()) [| 0uy |])

          union.Decode ApiKey.ApiVersions 0s longer |> faultsWith (Problem.TrailingBytes 1) good.Length apiVersions) ]

[<Tests>]
let tests =
    testList
        "Requests and responses of any API"
        [ testList "read, written and shown as by the message itself" (List.collect agrees apis)
          testList "requests" (refusals requests "HeartbeatRequest" "ApiVersionsRequest")
          testList "responses" (refusals responses "HeartbeatResponse" "ApiVersionsResponse")
          testCase "every request is answered except Produce without acks" (fun () ->
              for api in apis do
                  let request = Request.ofJson api.Key api.Versions.Highest "{}" |> ok "the default"
                  Expect.equal (Request.isAnswered request) (api.Key <> ApiKey.Produce) (api.Key.ToString())

              for acks in [ Acks.None; Acks.Leader; Acks.All; LanguagePrimitives.EnumOfValue 7s ] do
                  let request = Request.Produce { Produce.request.Default with Acks = acks }
                  Expect.equal (Request.isAnswered request) (acks <> Acks.None) (string acks)) ]
