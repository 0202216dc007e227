/// Secrets in frames, which the tool hides unless it is asked for them.
module LibKafka.Properties.SecretFrameTests

open System
open System.Text.Json
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Properties.Support
open LibKafka.Properties.InspectSupport

let private password = Bytes.ofString "open sesame!"

let private request api version correlationId value =
    ">" + (Frame.encodeRequest api version correlationId (Some "me") value |> ok "encode" |> Bytes.toHex)

let private response api version correlationId value =
    "<" + (Frame.encodeResponse api version correlationId value |> ok "encode" |> Bytes.toHex)

let private config: IncrementalAlterConfigs.Config =
    { Name = "listener.name.a.ssl.keystore.password"
      ConfigOperation = AlterConfigOperation.Set
      Value = Some "open sesame!" }

let private plain: IncrementalAlterConfigs.Config =
    { Name = "ssl.keystore.type"; ConfigOperation = AlterConfigOperation.Set; Value = Some "PEM" }

let private resource: IncrementalAlterConfigs.Resource =
    { ResourceType = ConfigResourceType.Broker; ResourceName = "1"; Configs = [ config; plain ] }

/// A frame for each kind of secret.
let private frames =
    [ request SaslAuthenticate.api 2s 1 { AuthBytes = password }
      response SaslAuthenticate.api 2s 1 { SaslAuthenticate.response.Default with AuthBytes = password }
      request
          AlterUserScramCredentials.api
          0s
          2
          { AlterUserScramCredentials.request.Default with
              Upsertions = [ { AlterUserScramCredentials.upsertion.Default with SaltedPassword = password } ] }
      request CreateDelegationToken.api 3s 3 CreateDelegationToken.request.Default
      response CreateDelegationToken.api 3s 3 { CreateDelegationToken.response.Default with Hmac = password }
      request IncrementalAlterConfigs.api 1s 4 { Resources = [ resource ]; ValidateOnly = false }
      request Envelope.api 0s 5 { Envelope.request.Default with RequestData = password } ]

/// What follows a SaslHandshake request of version 0: a token of each side, without headers, and a request.
let private oldHandshake =
    [ request SaslHandshake.api 0s 1 { Mechanism = "PLAIN" }
      response SaslHandshake.api 0s 1 { SaslHandshake.response.Default with Mechanisms = [ "PLAIN" ] }
      ">" + Bytes.toHex (Bytes.ofString "\u0000user\u0000open sesame!")
      "<" + Bytes.toHex (Bytes.ofString "open sesame!")
      ">" + Bytes.toHex (Bytes.ofString "open sesame!")
      "<" + Bytes.toHex (Bytes.ofString "open sesame!")
      request Heartbeat.api 0s 2 Heartbeat.request.Default
      response Heartbeat.api 0s 2 Heartbeat.response.Default ]

let private run (arguments: string) (lines: string list) : string list =
    let outcome = inspectText arguments (String.Join('\n', lines))
    Expect.equal (outcome.Code, outcome.Complaints) (0, "") "the exit code"
    Expect.equal outcome.Lines.Length lines.Length "a line for each frame"
    outcome.Lines

/// The forms in which the tool would print the secret.
let private forms = [ "open sesame!"; Bytes.toHex password; Convert.ToBase64String password.Span ]
let private shows (line: string) = forms |> List.exists line.Contains

let private samples = [ "messages", frames; "messages of an old handshake", oldHandshake ]

[<Tests>]
let tests =
    testList
        "Secrets in frames"
        [ for format in [ "text"; "json" ] do
              for name, lines in samples do
                  testCase ("are hidden by default: " + name + " as " + format) (fun () ->
                      for line in run ("--format " + format) lines do
                          Expect.isFalse (shows line) line)

                  testCase ("are printed with --show-secrets: " + name + " as " + format) (fun () ->
                      let shown = run ("--show-secrets --format " + format) lines
                      let hidden = run ("--format " + format) lines

                      for line, hidden in List.zip shown hidden do
                          Expect.equal (shows line) (hidden.Contains "[secret]") line
                          if not (shows line) then Expect.equal line hidden "the same")

          testCase "other values of the message are printed" (fun () ->
              let line = (run "" frames)[5]
              Expect.stringContains
                  line
                  "Name: \"listener.name.a.ssl.keystore.password\", ConfigOperation: SET (0), Value: [secret]"
                  "a secret"
              Expect.stringContains line "Name: \"ssl.keystore.type\", ConfigOperation: SET (0), Value: \"PEM\"" "another config")

          testCase "are strings in JSON, and nothing else differs" (fun () ->
              let rec without (shown: JsonElement) (hidden: JsonElement) =
                  match shown.ValueKind with
                  | JsonValueKind.Object ->
                      for shown, hidden in Seq.zip (shown.EnumerateObject()) (hidden.EnumerateObject()) do
                          Expect.equal hidden.Name shown.Name "the name of a field"
                          without shown.Value hidden.Value
                  | JsonValueKind.Array ->
                      Expect.equal (hidden.GetArrayLength()) (shown.GetArrayLength()) "the elements"
                      Seq.iter2 without (shown.EnumerateArray()) (hidden.EnumerateArray())
                  | _ when hidden.ToString() = "[secret]" -> Expect.isTrue (shows (shown.ToString())) "a secret"
                  | _ -> Expect.equal (hidden.GetRawText()) (shown.GetRawText()) "another value"

              let shown = run "--show-secrets --format json" frames
              Seq.iter2 without (Seq.map json shown) (Seq.map json (run "--format json" frames)))

          testCase "the tokens of an old handshake are not requests" (fun () ->
              let lines = run "" oldHandshake

              Expect.equal
                  lines[2..5]
                  [ "#2 → SASL token: [secret]"; "← SASL token: [secret]"; "#3 → SASL token: [secret]"; "← SASL token: [secret]" ]
                  "as text"

              Expect.stringContains lines[6] "Heartbeat v0 request" "the request after them"
              Expect.stringContains lines[7] "Heartbeat v0 response" "its response"
              let tokens = [ for line in run "--format json" oldHandshake -> get "saslToken" (json line) ]
              Expect.equal tokens [ ""; ""; "[secret]"; "[secret]"; "[secret]"; "[secret]"; ""; "" ] "as JSON"
              let shown = [ for line in run "--show-secrets --format json" oldHandshake -> get "saslToken" (json line) ]
              Expect.equal shown[3] (Convert.ToBase64String password.Span) "in base64")

          testCase "an empty token, by which a broker accepts a password, is shown as such" (fun () ->
              let framed (lines: string list) =
                  [| for line in lines do
                         let bytes = Convert.FromHexString(line.Substring 1)
                         yield! [| 0uy; 0uy; 0uy; byte bytes.Length |]
                         yield! bytes |]

              let sent = List.filter (fun (line: string) -> line.StartsWith '>') oldHandshake
              let received = [ oldHandshake[1]; "<"; "<"; oldHandshake[7] ]

              withFiles [ framed sent; framed received ] ".bin" (fun paths ->
                  let outcome = inspectWith [ "stream"; "--requests"; paths[0]; "--responses"; paths[1] ] Array.empty
                  Expect.equal outcome.Code 0 "the exit code"
                  let tokens = outcome.Lines |> List.filter _.Contains("SASL token")

                  Expect.equal
                      tokens
                      [ "#2 → SASL token: [secret]"; "← SASL token: 0x"; "#3 → SASL token: [secret]"; "← SASL token: 0x" ]
                      "the tokens"

                  Expect.equal outcome.Lines.Length 8 "all frames"))

          testCase "--show-secrets does not go with logs" (fun () ->
              for content in [ "log"; "stats"; "index" ] do
                  let outcome = inspectText (content + " --show-secrets x") ""
                  Expect.equal outcome.Code 2 content
                  Expect.stringContains outcome.Complaints "--show-secrets goes with frames" "the reason") ]
