/// Null where a message does not allow it. F# callers cannot write it without effort, but other code can make such a value.
module LibKafka.Properties.Protocol.NullTests

open System
open Expecto
open FsCheck.FSharp
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol.Definitions
open LibKafka.Properties.Protocol.Generate

/// Values with null in place of one of their strings.
type private WithNull(choices: int64[], at: int) =
    inherit ChoiceSource(choices)
    let mutable strings = 0

    override _.String() =
        let text = base.String()
        strings <- strings + 1
        if strings - 1 = at then Unchecked.defaultof<string> else text

/// Writing a value with null fails with a fault, or succeeds if the version leaves the null out. The writer never keeps anything of a value
/// that was refused.
let private complaint (message: Message<'T>) (version: int16) (value: 'T) : string option =
    let good = Message.project version message message.Schema.Default |> ok "project the default"
    let expected = Message.encode version message good |> ok "encode the default"
    let writer = Writer 16
    writer.Int32 7
    let about text = Some(sprintf "%s, version %d: %s" message.Name version text)

    match Message.writeTo writer version message value, Message.lossy version message value with
    | Error { Problem = Problem.NullNotAllowed | Problem.LossyField _ }, Ok(_ :: _) when writer.Length = 4 ->
        match Message.writeTo writer version message good with
        | Ok() when writer.ToBytes().Slice(4, writer.Length - 4) = expected -> None
        | other -> about (sprintf "the next value is not written as usual: %A" other)
    | Ok(), Ok [] -> None
    | written, lossy -> about (sprintf "written: %A, %d bytes, lossy: %A" written writer.Length lossy)

let private isSafe (message: Message<'T>) (value: 'T) : string list =
    // Neither of them throws.
    Message.show message value |> ignore
    Message.records message value |> ignore

    message.Versions.ToList()
    |> List.choose (fun version ->
        Message.toJson version message value |> ok "JSON" |> ignore
        let survivor = Message.project version message value |> ok "project"
        Message.encode version message survivor |> ok "encode what the version can carry" |> ignore
        complaint message version value)

let private nullStrings (definition: Definition) =
    definition.Use
        { new IUse<Test> with
            member _.Use message =
                law
                    20
                    message.Name
                    (Prop.forAll (Arb.fromGenShrink (numbers, shrinkNumbers)) (fun choices ->
                        [ 0..3 ]
                        |> List.collect (fun at -> (message.Schema.At MessageVersion.Every).Build(WithNull(choices, at)) |> isSafe message)
                        |> noneOf "messages with null went wrong")) }

let private nothing<'T> = Unchecked.defaultof<'T>

/// The fault of a request with null, and what the writer has after it.
let private refusal (api: Api<'Request, 'Response>) (request: 'Request) : Fault =
    let writer = Writer 16
    isSafe api.Request request |> noneOf "messages with null went wrong"
    let fault = Frame.writeRequest writer api api.Versions.Highest 1 (Some "me") request |> refused "null"
    Expect.equal writer.Length 0 "nothing is written"
    fault

let private nullParts =
    [ testCase "a list that is null" (fun () ->
          let fault = refusal Metadata.api { Metadata.request.Default with Topics = Some nothing }
          Expect.equal (fault.Problem, fault.Path) (Problem.NullNotAllowed, "MetadataRequest/Topics") "the fault")

      testCase "an element that is null" (fun () ->
          let fault = refusal Metadata.api { Metadata.request.Default with Topics = Some [ nothing ] }
          Expect.equal (fault.Problem, fault.Path) (Problem.NullNotAllowed, "MetadataRequest/Topics[0]") "the fault")

      testCase "a whole request that is null" (fun () ->
          let fault = refusal Metadata.api nothing
          Expect.equal (fault.Problem, fault.Path) (Problem.NullNotAllowed, "MetadataRequest") "the fault")

      testCase "a struct with a list that is null" (fun () ->
          let topic = { Fetch.topicRequest.Default with Partitions = nothing }
          let fault = refusal Fetch.api { Fetch.request.Default with Topics = [ topic ] }
          Expect.equal (fault.Problem, fault.Path) (Problem.NullNotAllowed, "FetchRequest/Topics[0]/Partitions") "the fault")

      testCase "a tagged field with a list that is null" (fun () ->
          let endpoints = { Fetch.response.Default with NodeEndpoints = nothing }
          let fault = Message.encode 17s Fetch.api.Response endpoints |> refused "null"
          Expect.equal (fault.Problem, fault.Path) (Problem.NullNotAllowed, "FetchResponse/NodeEndpoints") "the fault")

      testCase "a client id that is null" (fun () ->
          let writer = Writer 16
          Frame.writeRequest writer Metadata.api 12s 1 (Some nothing) Metadata.request.Default |> refused "null" |> ignore
          Expect.equal writer.Length 0 "nothing is written")

      testCase "an exception of any kind leaves the writer as it was" (fun () ->
          let broken: Schema<int32> =
              Notation.Primitives.int32 |> Notation.mapped id (fun _ -> raise (TimeoutException())) (fun _ -> "")
          let message = Message.define "Broken" (Notation.versions 0 0) broken
          let writer = Writer 16
          writer.Int32 7
          Expect.throwsT<TimeoutException> (fun () -> Message.writeTo writer 0s message 1 |> ignore) "the exception"
          Expect.equal (writer.ToBytes()) (Bytes.ofHex "00000007") "the bytes before") ]

[<Tests>]
let tests =
    testList "Null is refused with a fault" [ forEach "a string that is null" all nullStrings; testList "null elsewhere" nullParts ]
