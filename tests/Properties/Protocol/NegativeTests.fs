/// Bytes that Kafka's own parser refuses.
module LibKafka.Properties.Protocol.NegativeTests

open System.Text.Json
open Expecto
open LibKafka.Wire
open LibKafka.Properties
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol.Definitions

/// Whether a problem is the one that Kafka found.
let private isReason (reason: string) (problem: Problem) =
    match reason, problem with
    | "past-end", Problem.Truncated _
    // A count is checked against the remaining bytes, so a message that ends within an array is refused at the start of the array.
    | "past-end", Problem.CountTooLarge _
    | "collection-longer-than-remaining", Problem.CountTooLarge _
    | "null-in-non-nullable", Problem.NullNotAllowed
    | "varint-too-long", Problem.BadVarint _
    | "invalid-length", Problem.TooLong _
    // Kafka's parser fails in some other way, such as an array that is too large for Java.
    | "other", _ -> true
    | _ -> false

/// Whether a problem is found earlier here than by Kafka, and so is another one.
let private isStricter (mutation: string) (problem: Problem) =
    match mutation, problem with
    // Kafka takes every negative length for null, and fails only if null is not allowed or over what it reads next. Here only -1 is null.
    | ("int16-length-negative" | "int32-length-negative"), Problem.NegativeLength _ -> true
    // Kafka takes the compact length 2^32 - 2 for -2, and so for null. Here it is what it says.
    | "uvarint-max-uint32", (Problem.TooLong _ | Problem.CountTooLarge _ | Problem.Truncated _) -> true
    | _ -> false

/// Whether a problem is that of a tagged section whose sizes do not fit its content. Tags and sizes are read before the values, so a length
/// that was replaced by a longer one in a tagged field is not reached: the section is out of step before.
let private isOutOfStep (mutation: string) (problem: Problem) =
    match problem with
    | Problem.Truncated _
    | Problem.DuplicateTag _
    | Problem.TagSizeMismatch _ -> mutation.StartsWith "uvarint"
    | _ -> false

/// The end of the length that was replaced. Each replacement begins where the bytes first differ from the valid ones, or within a varint that
/// goes on there.
let private endOfSpoiltLength (mutation: string) (valid: Bytes) (bytes: Bytes) : int =
    let same = Seq.zip (valid.ToArray()) (bytes.ToArray()) |> Seq.takeWhile (fun (left, right) -> left = right) |> Seq.length
    let rec varintEnd at = if at < bytes.Length && bytes.Span[at] >= 0x80uy then varintEnd (at + 1) else at + 1

    if mutation.StartsWith "int16" then same + 2
    elif mutation.StartsWith "int32" then same + 4
    else varintEnd same

/// Whether a fault is that of the replaced length, or one that Kafka's own must be compared with. After an accepted length everything is out
/// of step, and what is found first there is chance.
let private isAsKafkaFound (hasTags: unit -> bool) (line: JsonElement) (bytes: Bytes) (fault: Fault) : bool =
    let mutation = TestData.text "mutation" line

    match mutation, fault.Problem with
    | "truncated", (Problem.Truncated _ | Problem.CountTooLarge _) -> true
    | "truncated", _ -> false
    | _ when fault.Offset > endOfSpoiltLength mutation (Bytes.ofHex (TestData.text "validHex" line)) bytes -> true
    | _, problem ->
        isReason (TestData.text "reason" line) problem
        || isStricter mutation problem
        || isOutOfStep mutation problem && hasTags ()

/// Whether a struct of the shape, at any depth, has tagged fields.
let rec private hasTags (shape: Shape) =
    match shape with
    | Shape.Struct(fields, _) -> fields |> List.exists (fun field -> field.Tag.IsSome || hasTags field.Type)
    | Shape.Array(element, _) -> hasTags element
    | Shape.Nullable inner -> hasTags inner
    | _ -> false

let private tagged (version: int16) =
    { new IUse<bool> with
        member _.Use message = Message.shape version message |> ok "shape" |> hasTags }

let private decode (version: int16) (bytes: Bytes) =
    { new IUse<Result<string, Fault>> with
        member _.Use message = Message.decode Limits.standard version message bytes |> Result.map (Message.show message) }

let private complaint (definition: Definition) (line: JsonElement) =
    let version = line.GetProperty("version").GetInt16()
    let reason = TestData.text "reason" line
    let mutation = TestData.text "mutation" line
    let bytes = TestData.bytesOf "" line
    let about text = Some("version " + string version + ", " + mutation + " (" + reason + ") " + Bytes.toHex bytes + ": " + text)

    match definition.Use(decode version bytes) with
    | Ok value -> about ("read as " + value)
    | Error fault when not (isAsKafkaFound (fun () -> definition.Use(tagged version)) line bytes fault) -> about (fault.ToString())
    | Error fault when fault.Offset < 0 || fault.Offset > bytes.Length -> about ("offset outside the bytes: " + fault.ToString())
    | Error fault when not (fault.Path.StartsWith definition.Name) -> about ("path of something else: " + fault.ToString())
    | Error _ -> None

let private lines = lazy (TestData.jsonLines TestData.vectors "negative.jsonl.gz")

let private linesOf (definition: Definition) = lines.Value |> List.filter (fun line -> TestData.text "name" line = definition.Name)

/// The bytes before the change are read.
let private validComplaint (definition: Definition) (line: JsonElement) =
    match definition.Use(decode (line.GetProperty("version").GetInt16()) (Bytes.ofHex (TestData.text "validHex" line))) with
    | Ok _ -> None
    | Error fault -> Some("what was valid: " + fault.ToString())

let private refuses (definition: Definition) =
    testCase definition.Name (fun () -> linesOf definition |> List.choose (complaint definition) |> noneOf "lines are judged wrongly")

let private wasValid (definition: Definition) =
    testCase definition.Name (fun () -> linesOf definition |> List.choose (validComplaint definition) |> noneOf "lines are judged wrongly")

[<Tests>]
let tests =
    testList
        "Bytes that Kafka refuses"
        [ forEach "are refused, and for Kafka's reason if the replaced length itself is at fault" all refuses
          forEach "were valid before a length was replaced or the end was cut off" all wasValid
          testCase "are all of known messages" (fun () ->
              let names = lines.Value |> List.map (TestData.text "name") |> List.distinct
              Expect.isNonEmpty names "messages with lines"
              Expect.isEmpty (Set.ofList names - Set.ofList (all |> List.map _.Name)) "names"
              printfn "%d refused messages of %s" lines.Value.Length (String.concat ", " names)) ]
