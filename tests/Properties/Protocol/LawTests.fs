/// The laws that hold for every message at every version, tested with values made from the definitions.
module LibKafka.Properties.Protocol.LawTests

open System.Text
open System.Text.Json
open Expecto
open FsCheck.FSharp
open LibKafka.Wire
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol.Definitions
open LibKafka.Properties.Protocol.Generate

/// A law for a value at a version: a complaint if it does not hold.
type private ILaw =
    abstract Check: message: Message<'T> * version: int16 * value: 'T -> string option

let private encode version message value = Message.encode version message value |> ok "encode"
let private decode version message bytes = Message.decode Limits.standard version message bytes |> ok "decode"
let private project version message value = Message.project version message value |> ok "project"
let private lossy version message value = Message.lossy version message value |> ok "lossy"

let private complainIf (wrong: bool) (text: unit -> string) = if wrong then Some(text ()) else None

/// Tests a law with values of a message, each at every version.
let private tried (count: int) (name: string) (rule: ILaw) : Test =
    forEach name all (fun definition ->
        definition.Use
            { new IUse<Test> with
                member _.Use message =
                    law
                        count
                        message.Name
                        (Prop.forAll (valuesOf message) (fun drawn ->
                            definition.Versions
                            |> List.choose (fun version ->
                                rule.Check(message, version, drawn.Value)
                                |> Option.map (fun complaint -> "version " + string version + ": " + complaint))
                            |> noneOf "versions break the law")) })

let private survivors =
    { new ILaw with
        member _.Check(message, version, value) =
            let survivor = project version message value
            let read = decode version message (encode version message survivor)

            complainIf (not (same read survivor)) (fun () ->
                Message.show message survivor + " was read back as " + Message.show message read) }

let private acceptedOrRefused =
    { new ILaw with
        member _.Check(message, version, value) =
            let lost = lossy version message value

            match Message.encode version message value with
            | Ok _ when not (List.isEmpty lost) -> Some(sprintf "written although %A would be lost" lost)
            | Ok bytes ->
                let read = decode version message bytes
                let survivor = project version message value
                complainIf (not (same read survivor)) (fun () -> "read back as " + Message.show message read)
            | Error fault ->
                let isLoss =
                    match fault.Problem with
                    | Problem.LossyField lossyAt -> lossyAt = version
                    | Problem.NullNotAllowed -> true
                    | _ -> false

                complainIf (not isLoss || not (List.contains fault.Path lost)) (fun () ->
                    sprintf "refused with %s, but %A would be lost" (fault.ToString()) lost) }

let private projectIdempotent =
    { new ILaw with
        member _.Check(message, version, value) =
            let once = project version message value
            let twice = project version message once

            complainIf (not (same once twice)) (fun () -> Message.show message once + " became " + Message.show message twice) }

let private survivorsLoseNothing =
    { new ILaw with
        member _.Check(message, version, value) =
            let lost = lossy version message (project version message value)
            complainIf (not (List.isEmpty lost)) (fun () -> sprintf "%A would be lost" lost) }

let private canonical =
    { new ILaw with
        member _.Check(message, version, value) =
            let bytes = encode version message (project version message value)
            let again = encode version message (decode version message bytes)
            complainIf (bytes <> again) (fun () -> Bytes.toHex bytes + " became " + Bytes.toHex again) }

let private notBelowMinSize =
    { new ILaw with
        member _.Check(message, version, value) =
            let size = (encode version message (project version message value)).Length
            let least = Message.minSize version message |> ok "minSize"
            complainIf (size < least) (fun () -> sprintf "%d bytes, at least %d expected" size least) }

let private shown =
    { new ILaw with
        member _.Check(message, version, value) =
            let text = Message.show message value
            let json = Message.toJson version message value |> ok "toJson"

            // Throws if it is not JSON.
            use document = JsonDocument.Parse json

            complainIf (not (text.StartsWith(message.Name + " ")) || text.Contains '\n') (fun () -> text)
            |> Option.orElse (complainIf (document.RootElement.ValueKind <> JsonValueKind.Object) (fun () -> json)) }

let private jsonReadBack =
    { new ILaw with
        member _.Check(message, version, value) =
            let survivor = project version message value
            let json = Message.toJson version message survivor |> ok "toJson"

            match Message.ofJson version message json with
            | Ok read -> complainIf (not (same read survivor)) (fun () -> json + " was read back as " + Message.show message read)
            | Error fault -> Some(json + ": " + fault.ToString()) }

/// Bytes become the JSON of their value, and what comes after them is left.
let private transcoded =
    { new ILaw with
        member _.Check(message, version, value) =
            let bytes = encode version message (project version message value)
            let longer = Bytes(Array.append (bytes.ToArray()) [| 0uy |])
            let json = decode version message bytes |> Message.toJson version message |> ok "toJson"
            let output = Utf8Writer 16
            let size = JsonTranscoder(output, false).Write(Limits.standard, version, message, longer) |> ok "transcode"
            let text = Encoding.UTF8.GetString output.Written.Span
            complainIf (size <> bytes.Length || text <> json) (fun () -> json + " was transcoded to " + text) }

/// Bytes that cannot be read are the same fault in both.
let private transcodedFault =
    { new ILaw with
        member _.Check(message, version, value) =
            let bytes = encode version message (project version message value)

            seq { 0 .. bytes.Length - 1 }
            |> Seq.tryPick (fun length ->
                let cut = bytes.Slice(0, length)
                let transcoded = JsonTranscoder(Utf8Writer 16, false).Write(Limits.standard, version, message, cut) |> Result.map ignore
                let decoded = Message.decodePrefix Limits.standard version message cut |> Result.map ignore
                complainIf (transcoded <> decoded) (fun () -> sprintf "%d bytes: %A, decoded: %A" length transcoded decoded)) }

let private trailing =
    { new ILaw with
        member _.Check(message, version, value) =
            let bytes = encode version message (project version message value)
            let longer = Bytes(Array.append (bytes.ToArray()) [| 0uy |])

            match Message.decode Limits.standard version message longer with
            | Error fault when fault = { Problem = Problem.TrailingBytes 1; Offset = bytes.Length; Path = message.Name } -> None
            | Error fault -> Some(fault.ToString())
            | Ok read -> Some("read as " + Message.show message read) }

let private cutOff =
    { new ILaw with
        member _.Check(message, version, value) =
            let bytes = encode version message (project version message value)

            seq { 0 .. bytes.Length - 1 }
            |> Seq.tryPick (fun count ->
                match Message.decode Limits.standard version message (bytes.Slice(0, count)) with
                | Ok read -> Some(sprintf "%d of %d bytes were read as %s" count bytes.Length (Message.show message read))
                | Error { Problem = (Problem.Truncated _ | Problem.CountTooLarge _); Offset = offset; Path = path } when
                    offset <= count && path.StartsWith message.Name
                    ->
                    None
                | Error fault -> Some(sprintf "%d of %d bytes were refused with %s" count bytes.Length (fault.ToString()))) }

[<Tests>]
let tests =
    testList
        "Laws of every message at every version"
        [ survivors |> tried 100 "what survives a version is read back as it was written"
          acceptedOrRefused
          |> tried 100 "a value is refused exactly if something of it would be lost, with the path of such a loss"
          projectIdempotent |> tried 50 "what survives a version survives it again"
          survivorsLoseNothing |> tried 50 "what survives a version loses nothing"
          canonical |> tried 50 "what was written is read and written again to the same bytes"
          notBelowMinSize |> tried 50 "nothing is shorter than the least size"
          shown |> tried 20 "every value has a text on one line, with the message's name before it, and JSON"
          jsonReadBack |> tried 20 "what survives a version is read back from its JSON"
          trailing |> tried 10 "a byte too many is refused as such"
          transcoded |> tried 20 "bytes are transcoded to the JSON of their value"
          transcodedFault |> tried 3 "bytes that are cut off anywhere are the same fault whether they are decoded or transcoded"
          cutOff |> tried 3 "bytes that are cut off anywhere are refused" ]
