/// The texts of values: what `string` and a debugger show.
module LibKafka.Properties.TextTests

open System
open System.Collections.Generic
open FSharp.Reflection
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Testing
open LibKafka.Properties.Protocol.Definitions
open LibKafka.Properties.Protocol.Generate

/// The F# libraries.
let private assemblies =
    [ typeof<ClientFault>.Assembly
      typeof<GroupEvent>.Assembly
      typeof<TestBroker>.Assembly
      typeof<LibKafka.Storage.StoredJson>.Assembly
      typeof<LibKafka.Compression.Zstd>.Assembly
      typeof<LibKafka.Dns.SrvLookUp>.Assembly ]

/// Whether the text of the type's values is the name of the type.
let private hasNoText (found: Type) : bool =
    match found.GetMethod("ToString", Type.EmptyTypes) with
    | null -> true
    | text -> text.DeclaringType = typeof<obj> || text.DeclaringType = typeof<ValueType>

/// Values that are not equal in many fields.
let private draws: int64[] list =
    [ [||]; Array.init 200 (fun i -> int64 i * 7919L); Array.init 400 (fun i -> int64 (i + 3) * 104729L) ]

/// The fields of bytes that are secret, by their names in the protocol.
let private secretFields = set [ "AuthBytes"; "Hmac"; "SaltedPassword"; "RequestData"; "ResponseData" ]

/// Collects the names of the fields whose bytes may be shown, and of those that may not.
[<Sealed>]
type private SecretVisitor() =
    inherit Visitor()
    let fields = Stack<string>()
    let shown = HashSet<string>()
    let secret = HashSet<string>()
    let mutable isSecret = false
    member _.ShownFields = Set.ofSeq shown
    member _.SecretFields = Set.ofSeq secret
    override _.BeginField name = fields.Push name
    override _.EndField() = fields.Pop() |> ignore
    override _.Secret() = isSecret <- true
    override _.String _ = isSecret <- false
    override _.Null() = isSecret <- false

    override _.Bytes _ =
        (if isSecret then secret else shown).Add(fields.Peek()) |> ignore
        isSecret <- false

let private visited (definition: Definition) : SecretVisitor =
    definition.Use
        { new IUse<SecretVisitor> with
            member _.Use message =
                let visitor = SecretVisitor()

                for choices in draws do
                    (message.Schema.At MessageVersion.Every).Visit(visitor, build message choices)

                visitor }

let private messages: Definition list = data @ (apis |> List.collect (messagesOf >> List.map snd))

let private textOfMessage (definition: Definition) =
    definition.Use
        { new IUse<Test> with
            member _.Use message =
                testCase message.Name (fun () ->
                    for choices in draws do
                        let value = build message choices
                        // A filter of ACLs is a request, and it is also a part of another one.
                        let name = if box value :? AclFilter then message.Name + " " else ""
                        Expect.equal (name + string (box value)) (Message.show message value) "the text") }

[<Tests>]
let tests =
    testList
        "Texts of values"
        [ testCase "every record and union of the F# libraries has a text of its own" (fun () ->
              let without =
                  [ for assembly in assemblies do
                        for found in assembly.GetExportedTypes() do
                            if (FSharpType.IsRecord found || FSharpType.IsUnion found) && hasNoText found then
                                found.FullName ]

              Expect.equal without [] "none prints the name of its type")

          forEach "the text of a message is that of its definition" messages textOfMessage

          testCase "a part of a message has the text that it has in the message" (fun () ->
              let partition = { Metadata.partition.Default with PartitionIndex = 3; LeaderId = 7 }
              let topic = { Metadata.topic.Default with Name = Some "orders"; Partitions = [ partition ] }
              let response = { Metadata.response.Default with Topics = [ topic ] }
              Expect.stringStarts (string response) "MetadataResponse {ThrottleTimeMs: 0, " "the message"
              Expect.stringContains (string response) (string topic) "the topic in it"
              Expect.stringContains (string topic) (string partition) "the partition in that"
              Expect.stringStarts (string partition) "{ErrorCode: NONE (0), PartitionIndex: 3, LeaderId: 7, " "the partition")

          testCase "a message of any API has the text of the message" (fun () ->
              let request: ListGroups.Request = { StatesFilter = [ GroupState.Stable ]; TypesFilter = [] }
              Expect.equal (string (Request.ListGroups request)) (string request) "a request"
              let response = { ListGroups.response.Default with ThrottleTimeMs = 5 }
              Expect.equal (string (Response.ListGroups response)) (string response) "a response"
              Expect.equal (string { Value = request; Bytes = Bytes.empty }) (string request) "a message with its bytes")

          testCase "secrets are marked as such in every message" (fun () ->
              let visitors = List.map visited messages
              let shown = Set.unionMany [ for visitor in visitors -> visitor.ShownFields ]
              let secret = Set.unionMany [ for visitor in visitors -> visitor.SecretFields ]
              Expect.isEmpty (Set.intersect shown secretFields) "none is shown"
              Expect.equal secret secretFields "all are secret")

          testCase "a text does not show a secret" (fun () ->
              let secret = Bytes.ofString "open sesame"

              let texts =
                  [ string ({ AuthBytes = secret }: SaslAuthenticate.Request)
                    string { SaslAuthenticate.response.Default with AuthBytes = secret }
                    string { AlterUserScramCredentials.upsertion.Default with SaltedPassword = secret }
                    string { CreateDelegationToken.response.Default with Hmac = secret }
                    string { StoredScram.Iterations = 4096; Salt = secret; SaltedPassword = secret } ]

              for text in texts do
                  Expect.isFalse (text.Contains(Bytes.toHex secret)) text

              Expect.equal texts[0] "SaslAuthenticateRequest {AuthBytes: [secret]}" "instead of the bytes"
              Expect.equal (string SaslAuthenticate.request.Default) "SaslAuthenticateRequest {AuthBytes: 0x}" "no bytes")

          testCase "a number of things is in the singular or the plural" (fun () ->
              let texts = [ FieldText.count 0L "record"; FieldText.count 1L "record"; FieldText.count 2L "record" ]
              Expect.equal texts [ "0 records"; "1 record"; "2 records" ] "records"
              Expect.equal [ FieldText.count 1L "batch"; FieldText.count 2L "batch" ] [ "1 batch"; "2 batches" ] "batches")

          testCase "the state of a cluster for tests is described in a line" (fun () ->
              let node: Node = { Id = 1; Host = "localhost"; Port = 9092; Rack = Some "a"; Status = NodeStatus.Running }
              Expect.equal (string node) "broker 1 at localhost:9092, running, rack a" "a broker"
              let state = State.create State.settings [ node ]

              Expect.equal
                  (string state)
                  ("Kafka " + string Release.newest + ": 1 broker, 0 topics, 0 groups, 0 transactional ids")
                  "the cluster") ]
