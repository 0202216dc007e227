/// The bytes that members of a group exchange, compared with those of the Java client.
module LibKafka.Properties.Groups.ConsumerProtocolTests

open System
open System.Buffers.Binary
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Properties
open LibKafka.Properties.Support

let private vectors (name: string) =
    TestData.jsonLines TestData.vectors "embedded.jsonl.gz" |> List.filter (fun json -> TestData.text "name" json = name)

/// Decoding the Java client's bytes gives the value that the message's definition reads at that version, and so does decoding our own bytes.
let private agrees (message: Message<'T>) (encode: 'T -> Result<Bytes, Fault>) (decode: Bytes -> Result<'T, Fault>) =
    let lines = vectors message.Name
    Expect.isNonEmpty lines "the number of vectors"

    for json in lines do
        let prefixed = Bytes.ofHex (TestData.text "versionPrefixedHex" json)
        let version = json.GetProperty("version").GetInt16()
        let expected = Message.decode Limits.standard version message (Bytes.ofHex (TestData.text "hex" json)) |> ok "the vector"
        Expect.equal (decode prefixed |> ok "decoded") expected "as written by the Java client"
        let ours = encode expected |> ok "encoded"
        Expect.equal (BinaryPrimitives.ReadInt16BigEndian ours.Span) message.Versions.Highest "the version prefix"
        Expect.equal (decode ours |> ok "our own") expected "a round trip through our bytes"
        if version = message.Versions.Highest then
            Expect.equal ours prefixed "the same bytes as the Java client's"

let private withVersion (version: int16) (bytes: Bytes) (more: byte list) : Bytes =
    let array = Array.append (bytes.ToArray()) (Array.ofList more)
    BinaryPrimitives.WriteInt16BigEndian(Span array, version)
    Bytes array

let private subscription: ConsumerProtocolSubscription.Subscription =
    { Topics = [ "a"; "b" ]
      UserData = Some(Bytes [| 1uy |])
      OwnedPartitions = [ { Topic = "a"; Partitions = [ 0; 3 ] } ]
      GenerationId = 7
      RackId = Some "r" }

[<Tests>]
let tests =
    testList
        "consumer protocol"
        [ testCase "subscriptions agree with the Java client's" (fun () ->
              agrees ConsumerProtocolSubscription.message ConsumerProtocol.encodeSubscription ConsumerProtocol.decodeSubscription)

          testCase "assignments agree with the Java client's" (fun () ->
              agrees ConsumerProtocolAssignment.message ConsumerProtocol.encodeAssignment ConsumerProtocol.decodeAssignment)

          testCase "a later version is read as the highest known version, and the rest is skipped" (fun () ->
              let bytes = ConsumerProtocol.encodeSubscription subscription |> ok "encoded"
              let read = ConsumerProtocol.decodeSubscription (withVersion 99s bytes [ 1uy; 2uy; 3uy ])
              Expect.equal read (Ok subscription) "the value")

          testCase "bytes after a known version are ignored" (fun () ->
              let bytes = ConsumerProtocol.encodeSubscription subscription |> ok "encoded"

              for version in 0s .. 3s do
                  let earlier = Message.project version ConsumerProtocolSubscription.message subscription |> ok "project"
                  // An earlier version reads the start of the same bytes.
                  let read = ConsumerProtocol.decodeSubscription (withVersion version bytes [ 1uy; 2uy; 3uy ])
                  Expect.equal read (Ok earlier) (sprintf "a subscription of version %d" version)

              let assignment: ConsumerProtocolAssignment.Assignment =
                  { AssignedPartitions = [ { Topic = "a"; Partitions = [ 1 ] } ]; UserData = None }

              let assigned = ConsumerProtocol.encodeAssignment assignment |> ok "encoded"
              Expect.equal (ConsumerProtocol.decodeAssignment (withVersion 0s assigned [ 0uy ])) (Ok assignment) "an assignment")

          testCase "a negative version is a fault" (fun () ->
              let bytes = ConsumerProtocol.encodeSubscription subscription |> ok "encoded"
              let fault = ConsumerProtocol.decodeSubscription (withVersion -1s bytes []) |> refused "version -1"
              Expect.equal fault.Problem (Problem.UnsupportedVersion(-1s, 0s, 3s)) "the problem")

          testCase "a subscription that is cut off at any byte is a fault" (fun () ->
              let bytes = ConsumerProtocol.encodeSubscription subscription |> ok "encoded"

              for length in 0 .. bytes.Length - 1 do
                  ConsumerProtocol.decodeSubscription (bytes.Slice(0, length)) |> refused (string length) |> ignore)

          testCase "no bytes are an assignment without partitions" (fun () ->
              Expect.equal (ConsumerProtocol.decodeAssignment Bytes.empty) (Ok { AssignedPartitions = []; UserData = None }) "the value")

          testCase "the sticky assignor's user data is read in both versions" (fun () ->
              let hex = "000000010002743000000001000000050000000c"
              let data: StickyUserData.UserData = { Previous = [ { Topic = "t0"; Partitions = [ 5 ] } ]; Generation = 12 }
              Expect.equal (ConsumerProtocol.decodeStickyUserData (Bytes.ofHex hex)) (Ok data) "with a generation"
              Expect.equal (ConsumerProtocol.encodeStickyUserData data |> Result.map Bytes.toHex) (Ok hex) "written"

              let older = Bytes.ofHex (hex.Substring(0, hex.Length - 8))
              Expect.equal (ConsumerProtocol.decodeStickyUserData older) (Ok { data with Generation = -1 }) "without"
              Expect.equal (ConsumerProtocol.decodeStickyUserData (Bytes.ofHex (hex + "00ff"))) (Ok data) "with bytes after it"
              Expect.equal
                  (ConsumerProtocol.decodeStickyUserData (Bytes.ofHex (hex.Substring(0, hex.Length - 8) + "00ff")))
                  (Ok { data with Generation = -1 })
                  "without a generation, and with bytes after it"

              ConsumerProtocol.decodeStickyUserData (Bytes.ofHex "0000000100") |> refused "malformed bytes" |> ignore) ]
