/// The definitions against the published schema: the same fields, types, versions, tags and defaults.
module LibKafka.Properties.Protocol.ShapeTests

open System
open System.Text.RegularExpressions
open Expecto
open LibKafka.Wire
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol.Definitions
open LibKafka.Properties.Protocol.PublishedSchema

/// The library writes its name for a number before it: `NONE (0)`. The schema has only the number.
let private withoutNames (text: string) = Regex.Replace(text, @"[A-Za-z][A-Za-z0-9_ -]* \((-?[0-9]+)\)", "$1")

/// The first difference of two shapes, if there is one.
let rec private difference (path: string) (expected: Shape) (actual: Shape) : string option =
    match expected, actual with
    | Shape.Struct(expected, expectedFlexible), Shape.Struct(actual, actualFlexible) ->
        let names (fields: FieldShape list) = fields |> List.map _.Name

        if names expected <> names actual then
            Some(sprintf "%s: fields %A expected, %A found" path (names expected) (names actual))
        elif expectedFlexible <> actualFlexible then
            Some(sprintf "%s: flexible %b expected" path expectedFlexible)
        else
            List.zip expected actual |> List.tryPick (fun (expected, actual) -> fieldDifference path expected actual)
    | Shape.Array(expected, expectedCompact), Shape.Array(actual, actualCompact) when expectedCompact = actualCompact ->
        difference (path + "[]") expected actual
    | Shape.Nullable expected, Shape.Nullable actual -> difference path expected actual
    | expected, actual when expected = actual -> None
    | _ -> Some(sprintf "%s: %A expected, %A found" path expected actual)

and private fieldDifference path expected actual =
    let path = path + "/" + expected.Name
    let defaultText = withoutNames actual.Default

    if expected.Tag <> actual.Tag then
        Some(sprintf "%s: tag %A expected, %A found" path expected.Tag actual.Tag)
    elif expected.Default <> defaultText then
        Some(sprintf "%s: default %s expected, %s found" path expected.Default actual.Default)
    elif expected.Ignorable <> actual.Ignorable then
        Some(sprintf "%s: ignorable %b expected" path expected.Ignorable)
    else
        difference path expected.Type actual.Type

/// The results of an interpreter at each version.
let private atEachVersion (definition: Definition) (interpret: int16 -> IUse<'Result>) : (int16 * 'Result) list =
    definition.Versions |> List.map (fun version -> version, definition.Use(interpret version))

let private shapeAt version =
    { new IUse<Shape> with
        member _.Use message = Message.shape version message |> ok "shape" }

let private minSizeAt version =
    { new IUse<int> with
        member _.Use message = Message.minSize version message |> ok "minSize" }

let private sameVersions (definition: Definition) =
    testCase definition.Name (fun () ->
        let published = find definition.Name
        Expect.equal definition.Versions published.Versions "versions")

let private sameShapes (definition: Definition) =
    testCase definition.Name (fun () ->
        let published = find definition.Name

        atEachVersion definition shapeAt
        |> List.choose (fun (version, actual) ->
            difference definition.Name (shape version published) actual
            |> Option.map (fun text -> "version " + string version + ", " + text))
        |> noneOf "versions have another shape")

/// A shape without the mark that tells which fields a version may drop, which the old schema has on fewer fields.
let rec private unmarked (shape: Shape) : Shape =
    match shape with
    | Shape.Struct(fields, flexible) ->
        Shape.Struct(fields |> List.map (fun field -> { field with Ignorable = false; Type = unmarked field.Type }), flexible)
    | Shape.Array(element, compact) -> Shape.Array(unmarked element, compact)
    | Shape.Nullable inner -> Shape.Nullable(unmarked inner)
    | other -> other

let private sameOldShapes (definition: Definition) =
    testCase definition.Name (fun () ->
        let lowest = lowestCurrent definition.Name

        match tryFindOld definition.Name with
        | None -> Expect.isGreaterThanOrEqual definition.Range.Lowest lowest "no old versions"
        | Some published ->
            atEachVersion definition shapeAt
            |> List.filter (fun (version, _) -> version < lowest)
            |> List.choose (fun (version, actual) ->
                difference definition.Name (unmarked (shape version published)) (unmarked actual)
                |> Option.map (fun text -> "version " + string version + ", " + text))
            |> noneOf "versions have another shape")

let private sameMinSizes (definition: Definition) =
    testCase definition.Name (fun () ->
        let published = find definition.Name

        for version, actual in atEachVersion definition minSizeAt do
            Expect.equal actual (minSize (shape version published)) (string version))

/// Sets every field to a value that is no field's default, with one element in each array.
type private Filler(setting: Setting) =
    inherit Source()
    let mutable current = ""
    override _.Bool() = setting.Bools
    // Within the bounds of every type, and never a default.
    override _.Integer(_, _) = 123L
    override _.Float64() = 0.123
    override _.Uuid() = Guid "12300000-0000-0000-0000-000000000123"
    override _.String() = "123"
    override _.Bytes() = Bytes.ofHex "0123"
    // Asked right after the field was begun.
    override _.IsNull() = setting.Nulls.Contains current
    override _.BeginStruct() = ()
    override _.EndStruct() = ()

    override _.BeginField name =
        current <- name
        true

    override _.EndField() = ()
    override _.BeginArray() = 1
    override _.BeginElement _ = ()
    override _.EndElement() = ()
    override _.EndArray() = ()

let private lossAt setting version =
    { new IUse<string list> with
        member _.Use message =
            let value = (message.Schema.At MessageVersion.Every).Build(Filler setting)
            Message.lossy version message value |> ok "lossy" }

let private sameLosses (definition: Definition) =
    testCase definition.Name (fun () ->
        let published = find definition.Name

        for setting in settingsOf published do
            for version, actual in atEachVersion definition (lossAt setting) do
                let expected = lost version setting published
                Expect.equal (List.sort actual) (List.sort expected) (sprintf "version %d, %A" version setting))

let private neverDefault =
    testCase "no field of the published schema has the default that the tests set fields to" (fun () ->
        let rec walk (field: Field) =
            Expect.isFalse (field.Default = Some "123" || field.Default = Some "0.123") field.Name
            List.iter walk field.Fields

        for definition in all do
            List.iter walk (find definition.Name).Fields)

let private complete =
    testCase "every message that has a version is defined" (fun () ->
        let published = allPublished () |> List.filter (fun message -> not message.Versions.IsEmpty) |> List.map _.Name
        Expect.equal (all |> List.map _.Name |> List.sort) (List.sort published) "names")

[<Tests>]
let tests =
    testList
        "Definitions against the published schema"
        [ forEach "have the same versions" all sameVersions
          forEach "have the same shape at every version" all sameShapes
          forEach "have the shape of Kafka 3.9 at the versions that Kafka 4.0 removed" all sameOldShapes
          forEach "take at least as many bytes as their fields do" all sameMinSizes
          forEach "lose the same fields at every version, and drop only ignorable ones" all sameLosses
          neverDefault
          complete ]
