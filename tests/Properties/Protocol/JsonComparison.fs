/// Comparison of two JSON texts by their meaning: members in any order, numbers exactly.
module LibKafka.Properties.Protocol.JsonComparison

open System
open System.Globalization
open System.Numerics
open System.Text.Json

/// Whole numbers of any size are compared exactly, all others as 64-bit floats.
let private sameNumber (left: JsonElement) (right: JsonElement) =
    let whole (text: string) = BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)

    match whole (left.GetRawText()), whole (right.GetRawText()) with
    | (true, left), (true, right) -> left = right
    | _ -> left.GetDouble().Equals(right.GetDouble())

/// The first difference, if there is one.
let rec difference (path: string) (expected: JsonElement) (actual: JsonElement) : string option =
    let differs () = Some(path + ": " + expected.GetRawText() + " expected, " + actual.GetRawText() + " found")

    match expected.ValueKind, actual.ValueKind with
    | JsonValueKind.Object, JsonValueKind.Object -> members path expected actual
    | JsonValueKind.Array, JsonValueKind.Array -> elements path expected actual
    | JsonValueKind.Number, JsonValueKind.Number when sameNumber expected actual -> None
    | JsonValueKind.String, JsonValueKind.String when String.Equals(expected.GetString(), actual.GetString()) -> None
    | left, right when left = right && (left = JsonValueKind.True || left = JsonValueKind.False || left = JsonValueKind.Null) -> None
    | _ -> differs ()

and private members path expected actual =
    let names (json: JsonElement) = [ for entry in json.EnumerateObject() -> entry.Name ] |> List.sort

    if names expected <> names actual then
        Some(path + ": members " + String.Join(", ", names expected) + " expected, " + String.Join(", ", names actual) + " found")
    else
        expected.EnumerateObject()
        |> Seq.tryPick (fun entry -> difference (path + "/" + entry.Name) entry.Value (actual.GetProperty entry.Name))

and private elements path expected actual =
    if expected.GetArrayLength() <> actual.GetArrayLength() then
        Some(path + ": " + string (expected.GetArrayLength()) + " elements expected, " + string (actual.GetArrayLength()) + " found")
    else
        Seq.zip (expected.EnumerateArray()) (actual.EnumerateArray())
        |> Seq.indexed
        |> Seq.tryPick (fun (i, (expected, actual)) -> difference (path + "[" + string i + "]") expected actual)

/// How a JSON text differs from the expected one, if it does.
let differenceOf (expected: JsonElement) (actual: string) : string option =
    use document = JsonDocument.Parse actual
    difference "" expected document.RootElement
