/// The client's side of SCRAM, against recorded conversations of Kafka's own client and server.
module LibKafka.Properties.ScramTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Wire
open LibKafka.Client
open LibKafka.Properties

/// A conversation in the vectors.
type private Vector =
    { Mechanism: string
      User: string
      Password: string
      ByToken: bool
      ClientNonce: string
      ClientFirst: string
      ServerFirst: string
      ClientFinal: string
      ServerFinal: string
      Salt: Bytes
      Iterations: int
      SaltedPassword: Bytes }

let private vectors: Vector list =
    [ for line in TestData.jsonLines TestData.vectors "scram.jsonl.gz" do
          let text (name: string) = nonNull (line.GetProperty(name).GetString())

          { Mechanism = text "mechanism"
            User = text "username"
            Password = text "password"
            ByToken =
              (match line.TryGetProperty "tokenauth" with
               | true, value -> value.GetBoolean()
               | _ -> false)
            ClientNonce = text "clientNonce"
            ClientFirst = text "clientFirst"
            ServerFirst = text "serverFirst"
            ClientFinal = text "clientFinal"
            ServerFinal = text "serverFinal"
            Salt = Bytes(Convert.FromHexString(text "salt"))
            Iterations = line.GetProperty("iterations").GetInt32()
            SaltedPassword = Bytes(Convert.FromHexString(text "saltedPassword")) } ]

let private hashOf (vector: Vector) =
    match vector.Mechanism with
    | "SCRAM-SHA-256" -> Scram.sha256
    | "SCRAM-SHA-512" -> Scram.sha512
    | other -> failtestf "%s" other

let private converse (vector: Vector) =
    let extensions = if vector.ByToken then ",tokenauth=true" else ""
    Scram.converse (Scram.Secret(hashOf vector, vector.Password)) vector.User extensions vector.ClientNonce

let private sent (reply: SaslReply) : string =
    match reply with
    | SaslReply.Send message -> Bytes.toText message
    | other -> failtestf "a message was expected: %O" other

let private refusal (reply: SaslReply) : string =
    match reply with
    | SaslReply.Refuse reason -> reason
    | SaslReply.Send message -> failtestf "it continues with %s" (Bytes.toText message)
    | SaslReply.Done -> failtest "it is content"

let private say (conversation: ISaslConversation) (message: string) = conversation.Answer(Bytes.ofString message)

let private golden =
    [ testCase "there are vectors of both" (fun () ->
          Expect.equal (vectors |> List.map _.Mechanism |> List.distinct |> List.sort) [ "SCRAM-SHA-256"; "SCRAM-SHA-512" ] "mechanisms")

      for number, vector in List.indexed vectors do
          let name what = what + " (" + vector.Mechanism + ", vector " + string number + ")"

          testCase (name "each message is Kafka's, and its server is believed") (fun () ->
              let conversation = converse vector
              Expect.equal (Bytes.toText conversation.First) vector.ClientFirst "the first message"
              Expect.equal (sent (say conversation vector.ServerFirst)) vector.ClientFinal "the last message"
              Expect.equal (say conversation vector.ServerFinal) SaslReply.Done "the server's signature")

          testCase (name "a credential that is made for a broker has Kafka's salted password") (fun () ->
              let mechanism =
                  if vector.Mechanism = "SCRAM-SHA-256" then
                      LibKafka.ScramMechanism.ScramSha256
                  else
                      LibKafka.ScramMechanism.ScramSha512

              let credential = ScramCredential.withSalt vector.Salt mechanism vector.Iterations vector.Password
              Expect.equal credential.SaltedPassword vector.SaltedPassword "the salted password")

          testCase (name "a server's signature with any one bit changed is not believed") (fun () ->
              let signature = Convert.FromBase64String(vector.ServerFinal.Substring 2)

              for bit in 0..37 .. signature.Length * 8 - 1 do
                  let wrong = Array.copy signature
                  wrong[bit / 8] <- wrong[bit / 8] ^^^ (1uy <<< (bit % 8))
                  let conversation = converse vector
                  say conversation vector.ServerFirst |> ignore
                  Expect.stringContains (refusal (say conversation ("v=" + Convert.ToBase64String wrong))) "signature" "the reason") ]

let private vector = vectors[0]

/// The client's reply to a first message of the server.
let private toFirst (message: string) = say (converse vector) message

let private serverFirst (nonce: string) (salt: string) (iterations: string) = "r=" + nonce + ",s=" + salt + ",i=" + iterations

let private first =
    let nonce = vector.ClientNonce + "more"
    let salt = Convert.ToBase64String "a salt"B

    testList
        "the server's first message"
        [ for iterations in [ 4096; 65536 ] do
              testCase ("the limits of the iteration count: " + string iterations) (fun () ->
                  Expect.stringStarts (sent (toFirst (serverFirst nonce salt (string iterations)))) "c=biws,r=" "it continues")

          for iterations in [ "0"; "1"; "4095"; "65537"; "2147483647"; "2147483648"; "-4096"; "+4096"; "4096.0"; "" ] do
              testCase ("too few iterations, too many, or no count: '" + iterations + "'") (fun () ->
                  Expect.stringContains (refusal (toFirst (serverFirst nonce salt iterations))) "iterations" "the reason")

          for name, wrong in
              [ "another", "x" + vector.ClientNonce
                "the client's alone", vector.ClientNonce
                "the beginning of the client's", vector.ClientNonce.Substring 1
                "none", "" ] do
              testCase ("a nonce that is not the server's: " + name) (fun () ->
                  Expect.stringContains (refusal (toFirst (serverFirst wrong salt "4096"))) "nonce" "the reason")

          for wrong in [ ""; "*"; "YQ"; "=" ] do
              testCase ("a salt that cannot be read: '" + wrong + "'") (fun () ->
                  Expect.stringContains (refusal (toFirst (serverFirst nonce wrong "4096"))) "salt" "the reason")

          testCase "a mandatory extension is refused" (fun () -> refusal (toFirst ("m=ext," + serverFirst nonce salt "4096")) |> ignore)

          testCase "an optional extension is ignored" (fun () ->
              Expect.stringStarts (sent (toFirst (serverFirst nonce salt "4096" + ",x=y"))) "c=biws,r=" "it continues")

          testCase "an error is reported" (fun () -> Expect.stringContains (refusal (toFirst "e=unknown-user")) "unknown-user" "the reason")

          testCase "any message is refused or answered, without an exception" (fun () ->
              let pieces = [ "r="; nonce; ",s="; salt; ",i="; "4096"; ","; "="; "e="; "\u00ff"; "m=" ]

              let messages =
                  Gen.oneof
                      [ Gen.map (fun (bytes: byte[]) -> Bytes bytes) (ArbMap.defaults |> ArbMap.generate<byte[]>)
                        Gen.elements pieces |> Gen.listOf |> Gen.map (String.concat "" >> Bytes.ofString) ]

              let total (message: Bytes) =
                  match (converse vector).Answer message with
                  | SaslReply.Done -> failtest "nothing was proved"
                  | SaslReply.Send _
                  | SaslReply.Refuse _ -> true

              Check.QuickThrowOnFailure(Prop.forAll (Arb.fromGen messages) total)) ]

let private last =
    let proved () =
        let conversation = converse vector
        say conversation vector.ServerFirst |> ignore
        conversation

    testList
        "the server's last message"
        [ for wrong in [ ""; "v="; "v=*"; "v=" + Convert.ToBase64String "short"B; vector.ServerFirst ] do
              testCase ("without a signature: '" + wrong + "'") (fun () -> refusal (say (proved ()) wrong) |> ignore)

          testCase "an error is reported" (fun () ->
              Expect.stringContains (refusal (say (proved ()) "e=invalid-proof")) "invalid-proof" "the reason")

          testCase "a message after the end is refused" (fun () ->
              let good = proved ()
              Expect.equal (say good vector.ServerFinal) SaslReply.Done "the end"
              refusal (say good vector.ServerFinal) |> ignore
              let bad = converse vector
              refusal (say bad "e=other-error") |> ignore
              refusal (say bad vector.ServerFirst) |> ignore) ]

let private names =
    testList
        "names"
        [ testProperty "are escaped so that they end no attribute, and can be read back" (fun (name: NonEmptyString) ->
              let escaped = Scram.escape name.Get
              not (escaped.Contains ',') && escaped.Replace("=2C", ",").Replace("=3D", "=") = name.Get)

          testCase "two nonces differ, and are valid in a message" (fun () ->
              let nonces = List.init 100 (fun _ -> Scram.newNonce ())
              Expect.hasLength (List.distinct nonces) 100 "each is new"

              for nonce in nonces do
                  Expect.isFalse (nonce.Contains ',') "no comma"
                  Expect.isGreaterThanOrEqual nonce.Length 32 "192 bits") ]

let private secrets =
    let ofVector (vector: Vector) = Scram.Secret(hashOf vector, vector.Password)

    testList
        "a password"
        [ testCase "is derived into a key once for all brokers with the same salt and count" (fun () ->
              let secret = ofVector vector
              let key = secret.Salted("a salt"B, 4096)
              Expect.isTrue (obj.ReferenceEquals(secret.Salted("a salt"B, 4096), key)) "the same key again"
              let others = [ secret.Salted("a salt"B, 4097); secret.Salted("another"B, 4096) ]
              Expect.allEqual (List.map (fun other -> other = key) others) false "other keys"
              Expect.equal (secret.Salted("a salt"B, 4096)) key "equal again after others")

          testCase "that was used in another conversation gives Kafka's messages too" (fun () ->
              for vector in vectors do
                  let secret = ofVector vector
                  let extensions = if vector.ByToken then ",tokenauth=true" else ""

                  for salts in [ [ "first" ]; []; [ "second"; "third" ] ] do
                      for salt in salts do
                          secret.Salted(System.Text.Encoding.UTF8.GetBytes salt, 4096) |> ignore

                      let conversation = Scram.converse secret vector.User extensions vector.ClientNonce
                      Expect.equal (sent (say conversation vector.ServerFirst)) vector.ClientFinal "the last message")

          testCase "without a form in UTF-8 is refused before anything is sent" (fun () ->
              let secret = Scram.Secret(Scram.sha256, string (char 0xD800))

              Expect.throwsT<System.Text.EncoderFallbackException> (fun () -> Scram.converse secret "user" "" "nonce" |> ignore) "refused") ]

[<Tests>]
let tests = testList "SCRAM" [ testList "golden" golden; first; last; names; secrets ]
