/// Kafka's published schema of the messages, read without any of the library's own definitions, which are tested against it.
module LibKafka.Properties.Protocol.PublishedSchema

open System
open System.Globalization
open System.Text.Json
open LibKafka.Wire
open LibKafka.Properties

/// `3`, `3+`, `0-12` or `none`, as lowest and highest version.
let private versions (text: string) : int16 * int16 =
    match text with
    | "none" -> 0s, -1s
    | text when text.EndsWith '+' -> Int16.Parse(text.TrimEnd '+'), Int16.MaxValue
    | text ->
        match text.Split '-' with
        | [| one |] -> Int16.Parse one, Int16.Parse one
        | ends -> Int16.Parse ends[0], Int16.Parse ends[1]

let private contains (text: string) (version: int16) =
    let lowest, highest = versions text
    version >= lowest && version <= highest

let private property (name: string) (json: JsonElement) : JsonElement option =
    match json.TryGetProperty name with
    | true, value -> Some value
    | _ -> None

/// A value's text, whether it is written as a string, a number or a bool.
let private textOf (value: JsonElement) = value.GetRawText().Trim '"'

let private textOr (fallback: string) (name: string) (json: JsonElement) : string =
    property name json |> Option.map textOf |> Option.defaultValue fallback

let private isTrue (name: string) (json: JsonElement) = property name json |> Option.exists (fun value -> value.GetBoolean())

let private list (name: string) (json: JsonElement) =
    property name json |> Option.map (fun value -> List.ofSeq (value.EnumerateArray())) |> Option.defaultValue []

/// One field, as it is published.
type Field =
    {
        Name: string
        /// `int32`, `[]string`, or the name of a struct.
        Type: string
        /// The fields of the struct that it is, or that its elements are.
        Fields: Field list
        Versions: string
        NullableVersions: string
        TaggedVersions: string
        /// Overrides the message's own flexible versions.
        FlexibleVersions: string option
        Tag: int option
        /// As it is published. None if it is the type's own.
        Default: string option
        Ignorable: bool
    }

    member this.IsArray = this.Type.StartsWith "[]"
    /// The type, or that of an element.
    member this.Element = if this.IsArray then this.Type.Substring 2 else this.Type
    member this.IsIn version = contains this.Versions version
    member this.IsNullable version = contains this.NullableVersions version
    member this.IsTagged version = contains this.TaggedVersions version

/// One message, as it is published.
type Published =
    { Name: string
      Lowest: int16
      Highest: int16
      FlexibleVersions: string
      Fields: Field list }

    member this.Versions = [ this.Lowest .. this.Highest ]
    member this.IsFlexible version = contains this.FlexibleVersions version

    /// Whether any version of the message has the field.
    member this.Knows(field: Field) = this.Versions |> List.exists field.IsIn

    /// Whether the field can be null in any version that the message has.
    member this.IsEverNull(field: Field) = this.Versions |> List.exists (fun version -> field.IsIn version && field.IsNullable version)

let rec private readField (shared: Map<string, JsonElement>) (json: JsonElement) : Field =
    let kind = textOr "" "type" json
    let element = if kind.StartsWith "[]" then kind.Substring 2 else kind

    let inner =
        match list "fields" json, Map.tryFind element shared with
        | [], Some definition -> list "fields" definition
        | own, _ -> own

    { Name = textOr "" "name" json
      Type = kind
      Fields = inner |> List.map (readField shared)
      Versions = textOr "none" "versions" json
      NullableVersions = textOr "none" "nullableVersions" json
      TaggedVersions = textOr "none" "taggedVersions" json
      FlexibleVersions = property "flexibleVersions" json |> Option.map textOf
      Tag = property "tag" json |> Option.map _.GetInt32()
      Default = property "default" json |> Option.map textOf
      Ignorable = isTrue "ignorable" json }

let private readMessage (json: JsonElement) : Published =
    let lowest, highest = versions (textOr "none" "validVersions" json)
    let shared = list "commonStructs" json |> List.map (fun shared -> textOr "" "name" shared, shared) |> Map.ofList

    { Name = textOr "" "name" json
      Lowest = lowest
      Highest = highest
      FlexibleVersions = textOr "none" "flexibleVersions" json
      Fields = list "fields" json |> List.map (readField shared) }

let private messagesIn (schema: Lazy<JsonElement>) : Lazy<Map<string, Published>> =
    lazy (list "messages" schema.Value |> List.map readMessage |> List.map (fun message -> message.Name, message) |> Map.ofList)

/// The name with a capital first letter, as in all messages of the protocol. The schema of what is stored has some without.
let private capital (name: string) = name.Substring(0, 1).ToUpperInvariant() + name.Substring 1

let rec private withCapital (field: Field) : Field = { field with Name = capital field.Name; Fields = List.map withCapital field.Fields }

let private stored = messagesIn TestData.storageSchema
let private current =
    lazy
        (Map.foldBack
            (fun name (message: Published) -> Map.add name { message with Fields = List.map withCapital message.Fields })
            stored.Value
            (messagesIn TestData.schema).Value)
let private old = messagesIn TestData.oldSchema

/// APIs of which the old versions are not defined: those between brokers, and those that were never final.
let private isWithoutOld (name: string) =
    [ "AlterPartition"; "ShareGroupHeartbeat"; "ShareGroupDescribe"; "ShareFetch"; "ShareAcknowledge"; "RequestHeader" ]
    |> List.exists (fun api -> name = api || name = api + "Request" || name = api + "Response")

/// The message in the schema of Kafka 3.9, if that has versions which the current schema lacks.
let tryFindOld (name: string) : Published option =
    match Map.tryFind name old.Value, Map.tryFind name current.Value with
    | Some before, Some now when not now.Versions.IsEmpty && before.Lowest < now.Lowest && not (isWithoutOld name) -> Some before
    | _ -> None

/// The fields of the current schema, and between them those that only the old one has.
let rec private withOldFields (before: Field list) (now: Field list) : Field list =
    let named (name: string) (field: Field) = field.Name = name

    let withInner (field: Field) =
        match List.tryFind (named field.Name) before with
        | Some same -> { field with Fields = withOldFields same.Fields field.Fields }
        | None -> field

    List.indexed before
    |> List.filter (fun (_, field) -> not (List.exists (named field.Name) now))
    |> List.fold
        (fun fields (i, gone) ->
            let at = if i = 0 then 0 else 1 + List.findIndex (named before[i - 1].Name) fields
            List.insertAt at gone fields)
        (List.map withInner now)

let private messages: Lazy<Map<string, Published>> =
    lazy
        (current.Value
         |> Map.map (fun name now ->
             match tryFindOld name with
             | Some before -> { now with Lowest = before.Lowest; Fields = withOldFields before.Fields now.Fields }
             | None -> now))

/// The lowest version of a message in the current schema.
let lowestCurrent (name: string) : int16 = current.Value[name].Lowest

/// Every message, including those that have no version any more.
let allPublished () : Published list = List.ofSeq messages.Value.Values

/// The message with the name.
let find (name: string) : Published =
    match Map.tryFind name messages.Value with
    | Some message -> message
    | None -> failwithf "%s is not in the published schema" name

/// A whole number as the schema writes it, in either base.
let private wholeNumber (text: string) =
    if text.StartsWith "0x" then
        Int64.Parse(text.Substring 2, NumberStyles.HexNumber)
    else
        Int64.Parse(text, CultureInfo.InvariantCulture)

let private isWholeNumber kind = List.contains kind [ "int8"; "int16"; "uint16"; "int32"; "uint32"; "int64" ]

/// Plain fields in their order, then the tagged ones by tag.
let private inWireOrder version (fields: Field list) =
    let tagged, plain = fields |> List.filter _.IsIn(version) |> List.partition _.IsTagged(version)
    plain @ (tagged |> List.sortBy _.Tag)

/// The default as human-readable text.
let rec private defaultText version (field: Field) : string =
    match field.Default, field.Type with
    | Some "null", _ -> "null"
    | _, _ when field.IsArray -> "[]"
    | given, "string" -> "\"" + Option.defaultValue "" given + "\""
    | given, "bool" -> Option.defaultValue "false" given
    | given, kind when isWholeNumber kind -> given |> Option.map wholeNumber |> Option.defaultValue 0L |> string
    | given, "float64" -> Option.defaultValue "0" given
    | _, "uuid" -> Guid.Empty.ToString()
    | _, ("bytes" | "records") -> "0x"
    | _ ->
        // A struct of defaults; tagged fields that have their default are left out.
        let inner =
            inWireOrder version field.Fields
            |> List.filter (fun inner -> not (inner.IsTagged version))
            |> List.map (fun inner -> inner.Name + ": " + defaultText version inner)

        "{" + String.Join(", ", inner) + "}"

let rec private fieldShape (message: Published) version (field: Field) : FieldShape =
    let flexible =
        match field.FlexibleVersions with
        | Some own -> contains own version
        | None -> message.IsFlexible version

    let element =
        match field.Element with
        | "bool" -> Shape.Bool
        | "int8" -> Shape.Int8
        | "int16" -> Shape.Int16
        | "uint16" -> Shape.UInt16
        | "int32" -> Shape.Int32
        | "uint32" -> Shape.UInt32
        | "int64" -> Shape.Int64
        | "float64" -> Shape.Float64
        | "uuid" -> Shape.Uuid
        | "string" -> Shape.String flexible
        | "bytes" -> Shape.Bytes flexible
        | "records" -> Shape.Records flexible
        | _ -> structShape message version flexible field.Fields

    let whole = if field.IsArray then Shape.Array(element, flexible) else element

    { Name = field.Name
      Type = (if field.IsNullable version then Shape.Nullable whole else whole)
      Tag = (if field.IsTagged version then field.Tag else None)
      Default = defaultText version field
      Ignorable = field.Ignorable }

and private structShape message version flexible (fields: Field list) : Shape =
    Shape.Struct(inWireOrder version fields |> List.map (fieldShape message version), flexible)

/// The wire form of the message at a version.
let shape (version: int16) (message: Published) : Shape = structShape message version (message.IsFlexible version) message.Fields

/// The least bytes that a shape takes.
let rec minSize (shape: Shape) : int =
    match shape with
    | Shape.Bool
    | Shape.Int8
    | Shape.Varint
    | Shape.Varlong
    | Shape.UnsignedVarint
    | Shape.UnsignedVarlong -> 1
    | Shape.Int16
    | Shape.UInt16 -> 2
    | Shape.Int32
    | Shape.UInt32 -> 4
    | Shape.Int64
    | Shape.Float64 -> 8
    | Shape.Uuid -> 16
    | Shape.String compact -> if compact then 1 else 2
    | Shape.Bytes compact
    | Shape.Records compact
    | Shape.Array(_, compact) -> if compact then 1 else 4
    // A null struct is its marker byte.
    | Shape.Nullable(Shape.Struct _) -> 1
    | Shape.Nullable inner -> minSize inner
    | Shape.Struct(fields, flexible) ->
        let plain = fields |> List.filter _.Tag.IsNone |> List.sumBy (fun field -> minSize field.Type)
        plain + (if flexible then 1 else 0)

/// How the fields of a value are set.
type Setting =
    {
        /// The value of every bool.
        Bools: bool
        /// The names of the fields that are null if they can be.
        Nulls: Set<string>
    }

/// Settings that together reach each field: with a value, with each value of a bool, and with null, also inside what can itself be null.
let settingsOf (message: Published) : Setting list =
    let rec nullable (choose: Field -> bool) (fields: Field list) : string list =
        fields
        |> List.collect (fun field ->
            let inner = nullable choose field.Fields
            if choose field && message.IsEverNull field then field.Name :: inner else inner)

    let leaves = nullable (fun field -> field.Fields.IsEmpty && not field.IsArray) message.Fields
    let all = nullable (fun _ -> true) message.Fields

    [ for bools in [ true; false ] do
          for nulls in [ []; leaves; all ] -> { Bools = bools; Nulls = Set.ofList nulls } ]

let private isNull (message: Published) (setting: Setting) (field: Field) = setting.Nulls.Contains field.Name && message.IsEverNull field

let private isDefault (message: Published) (setting: Setting) (field: Field) =
    if isNull message setting field then
        field.Default = Some "null"
    else
        // Everything but a bool was given a value that is no field's default.
        field.Type = "bool" && setting.Bools = Boolean.Parse(defaultText message.Lowest field)

/// The paths that a version loses of a value in which everything is set.
let lost (version: int16) (setting: Setting) (message: Published) : string list =
    let rec inFields (path: string) (fields: Field list) = fields |> List.filter message.Knows |> List.collect (inField path)

    and inField path (field: Field) =
        let here = path + "/" + field.Name

        if not (field.IsIn version) then
            if field.Ignorable || isDefault message setting field then [] else [ here ]
        elif field.IsTagged version && isDefault message setting field then
            []
        elif isNull message setting field then
            if field.IsNullable version then [] else [ here ]
        elif field.IsArray then
            inFields (here + "[0]") field.Fields
        else
            inFields here field.Fields

    inFields message.Name message.Fields
