/// The documentation of the messages against their definitions: each field that some versions lack names the versions that have it, and the
/// most used APIs name every error code with its cause and the reaction to it.
module LibKafka.Properties.Protocol.DocumentationTests

open System
open System.IO
open System.Reflection
open System.Text.RegularExpressions
open System.Xml.Linq
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Properties
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol.Definitions

// ---- The statements

/// The end of a documentation text: what it says of versions, each statement with the KIP that it can name.
let private statement =
    @"(?:Since version \d+|Up to version \d+|Versions \d+ to \d+|Version \d+ only|Nullable since version \d+)(?: \(KIP-\d+\))?\."

/// The statements of a text, without KIPs. None if one is not at the end of the text.
let private statementsOf (text: string) : string list option =
    let all = Regex.Matches(text, statement).Count
    let last = Regex.Match(text, $@"(?:^|\s)(?:{statement}(?:\s+|$))+$").Value
    let atEnd = [ for found in Regex.Matches(last, statement) -> Regex.Replace(found.Value, @" \(KIP-\d+\)", "") ]
    if atEnd.Length = all then Some atEnd else None

/// What must be said of the versions of a field: nothing if all versions have it.
let private presence (range: VersionRange) (versions: int16 list) : string list =
    let first, last = List.min versions, List.max versions

    if versions.Length <> int (last - first) + 1 then failtestf "the versions %A have a gap" versions
    elif first = range.Lowest && last = range.Highest then []
    elif last = range.Highest then [ sprintf "Since version %d." first ]
    elif first = last then [ sprintf "Version %d only." first ]
    elif first = range.Lowest then [ sprintf "Up to version %d." last ]
    else [ sprintf "Versions %d to %d." first last ]

/// What must be said of the versions in which null is allowed: nothing if it is in all versions of the field, or in none.
let private nullability (versions: int16 list) (nullable: int16 list) : string list =
    match nullable with
    | [] -> []
    | nullable when nullable <> List.skip (versions.Length - nullable.Length) versions -> failtestf "null ends before %A" versions
    | nullable when nullable = versions -> []
    | nullable -> [ sprintf "Nullable since version %d." (List.min nullable) ]

/// The versions that have a field and the struct that it is in, and those in which it can be null.
type private Versions = { OfParent: int16 list; OfField: int16 list; OfNull: int16 list }

/// What is wrong with the documentation of a field. A field with the same versions as its struct can leave them to the struct.
let private complaint (range: VersionRange) (versions: Versions) (text: string) : string option =
    let nullable = nullability versions.OfField versions.OfNull
    let expected = presence range versions.OfField @ nullable
    let alsoAllowed = if versions.OfField = versions.OfParent then nullable else expected
    let words = String.concat " "

    match statementsOf text with
    | None -> Some(sprintf "a statement about versions is not at the end of '%s'" text)
    | Some found when found = expected || found = alsoAllowed -> None
    | Some found -> Some(sprintf "'%s' expected at the end, '%s' found" (words expected) (words found))

// ---- The sources of truth

/// The documentation texts in the XML files that are shipped with the assemblies, each by the compiler's id of its member, line breaks kept.
let private documentation: Lazy<Map<string, string>> =
    lazy
        let file name = Path.Combine(AppContext.BaseDirectory, name)

        let members =
            [ "LibKafka.Core.xml"; "LibKafka.Storage.xml" ]
            |> List.collect (fun name -> XDocument.Load(file name).Descendants(XName.Get "member") |> List.ofSeq)

        [ for memberElement in members do
              match memberElement.Attribute(XName.Get "name"), memberElement.Element(XName.Get "summary") with
              | null, _
              | _, null -> ()
              | name, summary -> name.Value, summary.Value ]
        |> Map.ofList

let private linesOf (property: PropertyInfo) : string =
    let id = sprintf "P:%O.%s" property.DeclaringType property.Name
    Map.tryFind (id.Replace('+', '.')) documentation.Value |> Option.defaultValue ""

let private textOf (property: PropertyInfo) : string = Regex.Replace(linesOf property, @"\s+", " ").Trim()

/// Which property has the value of a field, by the module that defines the struct: module, name of the field, name of the property.
let private properties: Lazy<Set<string * string * string>> =
    lazy
        let folders = [ [ "Core"; "Protocol" ]; [ "LibKafka.Storage" ] ]

        let files =
            folders
            |> List.collect (fun folder ->
                let path = Path.Combine(Array.ofList (TestData.checkout :: "src" :: folder))
                List.ofSeq (Directory.EnumerateFiles(path, "*.fs", SearchOption.AllDirectories)))

        let token =
            Regex @"^module (?:internal )?(?<module>\w+) =|\bfield\s+""(?<field>\w+)""\s+(?:_|\(fun \([^)]*\) -> \w+)\.(?<property>\w+)"

        set
            [ for file in files do
                  let mutable current = ""

                  for found in Regex(token.ToString(), RegexOptions.Multiline).Matches(File.ReadAllText file) do
                      if found.Groups["module"].Success then
                          current <- found.Groups["module"].Value
                      else
                          current, found.Groups["field"].Value, found.Groups["property"].Value ]

/// The property of a type that has the value of a field. The struct is defined in a module of the type's name, in the module that the type is
/// in, or in that of the message.
let private propertyOf (root: Type) (owner: Type) (field: string) : PropertyInfo =
    let homeOf (kind: Type) =
        match kind.DeclaringType with
        | null -> kind.Name
        | outer -> outer.Name

    let candidates =
        [ homeOf owner; homeOf root ]
        |> List.distinct
        |> List.tryPick (fun home ->
            [ for home', field', property in properties.Value do
                  if home' = home && field' = field then
                      match owner.GetProperty property with
                      | null -> ()
                      | found -> found ]
            |> function
                | [] -> None
                | some -> Some some)

    match candidates with
    | Some [ one ] -> one
    | found ->
        failtestf "%s: %d properties are known for the field %s" owner.Name (found |> Option.map _.Length |> Option.defaultValue 0) field

// ---- The fields of a message

/// A field at one version.
type private Occurrence = { Owner: Type; Property: PropertyInfo; Version: int16; IsNullable: bool }

/// The type in lists and options of it.
let rec private elementOf (kind: Type) : Type =
    if kind.IsGenericType && (kind.Namespace = "Microsoft.FSharp.Core" || kind.Namespace = "Microsoft.FSharp.Collections") then
        elementOf (kind.GetGenericArguments()[0])
    else
        kind

let rec private occurrences (root: Type) (version: int16) (owner: Type) (shape: Shape) : Occurrence list =
    match shape with
    | Shape.Struct(fields, _) ->
        [ for field in fields do
              let property = propertyOf root owner field.Name
              { Owner = owner; Property = property; Version = version; IsNullable = field.Type.IsNullable }
              yield! occurrences root version (elementOf property.PropertyType) field.Type ]
    | Shape.Array(inner, _)
    | Shape.Nullable inner -> occurrences root version owner inner
    | _ -> []

/// Every field of a message and its versions. If a message has a struct in several places, its fields have the versions of all of them.
let private fieldsOf (definition: Definition) : (PropertyInfo * Versions) list =
    let at version =
        definition.Use
            { new IUse<Occurrence list> with
                member _.Use(message: Message<'T>) =
                    Message.shape version message |> ok "shape" |> occurrences typeof<'T> version typeof<'T> }

    let found = definition.Versions |> List.collect at
    let versions = List.map _.Version >> List.distinct
    let versionsOf = found |> List.groupBy _.Owner |> List.map (fun (owner, fields) -> owner, versions fields) |> readOnlyDict

    [ for (owner, property), fields in found |> List.groupBy (fun field -> field.Owner, field.Property) do
          property, { OfParent = versionsOf[owner]; OfField = versions fields; OfNull = fields |> List.filter _.IsNullable |> versions } ]

let private versionsAreDocumented (definition: Definition) =
    testCase definition.Name (fun () ->
        [ for property, versions in fieldsOf definition do
              match complaint definition.Range versions (textOf property) with
              | None -> ()
              | Some problem -> sprintf "%O.%s: %s" property.DeclaringType property.Name problem ]
        |> noneOf "fields do not say which versions have them")

// ---- The statements are checked

let private checkerTests =
    let range = { Lowest = 2s; Highest = 9s }
    let all = [ 2s .. 9s ]
    let field versions = { OfParent = all; OfField = versions; OfNull = [] }

    let case text versions documentation (accepted: bool) =
        testCase text (fun () -> Expect.equal (complaint range versions documentation).IsNone accepted documentation)

    testList
        "the check of a field's documentation"
        [ case "accepts the right version" (field [ 4s .. 9s ]) "The offset. Since version 4." true
          case "accepts a KIP" (field [ 4s .. 9s ]) "The offset. Since version 4 (KIP-1)." true
          case "refuses a wrong version" (field [ 4s .. 9s ]) "The offset. Since version 5." false
          case "refuses a missing version" (field [ 4s .. 9s ]) "The offset." false
          case "refuses a missing text" (field [ 4s .. 9s ]) "" false
          case "refuses two versions of which one is right" (field [ 4s .. 9s ]) "The offset. Since version 5. Since version 4." false
          case "refuses a wrong version before the right one" (field [ 4s .. 9s ]) "Since version 5. The offset. Since version 4." false
          case "refuses a version that is not at the end" (field [ 4s .. 9s ]) "Since version 4. The offset." false
          case "refuses a version for a field of all versions" (field all) "The offset. Since version 2." false
          case "accepts the last version" (field [ 2s .. 5s ]) "The offset. Up to version 5." true
          case "refuses a wrong last version" (field [ 2s .. 5s ]) "The offset. Up to version 6." false
          case "accepts both bounds" (field [ 3s .. 5s ]) "The offset. Versions 3 to 5." true
          case "refuses one of two bounds" (field [ 3s .. 5s ]) "The offset. Since version 3." false
          case "accepts a single version" (field [ 3s ]) "The offset. Version 3 only." true
          case "lets a field leave its versions to its struct" { field [ 4s .. 9s ] with OfParent = [ 4s .. 9s ] } "The offset." true
          case "refuses another version than the struct's" { field [ 4s .. 9s ] with OfParent = [ 4s .. 9s ] } "Since version 5." false
          case "accepts since when null is allowed" { field all with OfNull = [ 6s .. 9s ] } "Nullable since version 6." true
          case "refuses a wrong version for null" { field all with OfNull = [ 6s .. 9s ] } "Nullable since version 5." false
          case "refuses a missing version for null" { field all with OfNull = [ 6s .. 9s ] } "The offset." false ]

// ---- The error codes

/// The APIs whose error codes must be documented with a reaction.
let private explained =
    [ ApiKey.Produce
      ApiKey.Fetch
      ApiKey.ListOffsets
      ApiKey.Metadata
      ApiKey.OffsetCommit
      ApiKey.JoinGroup
      ApiKey.Heartbeat
      ApiKey.SyncGroup
      ApiKey.InitProducerId
      ApiKey.ConsumerGroupHeartbeat ]

/// The numbers of all error codes, by their names.
let private codes: Map<string, int> =
    [ for code in -1s .. 500s do
          match ErrorCode(code).Name with
          | "" -> ()
          | name -> name, int code ]
    |> Map.ofList

/// The items of the lists in a documentation text, each as one line.
let private itemsOf (lines: string) : string list =
    Regex.Split(lines, @"\n(?=\s*- )")
    |> List.ofArray
    |> List.filter (fun item -> item.TrimStart().StartsWith "- ")
    |> List.map (fun item -> Regex.Replace(Regex.Split(item, @"\n\s*\n")[0], @"\s+", " ").Trim())

/// The code, the versions that have it, the cause, and the reaction after a semicolon.
let private item = Regex @"^- (?<code>[A-Z_]+)(?: \([a-z0-9 ]+\))?: [^;]+; [^;]+\.$"

/// The names of the error codes that the documentation of an API's response explains.
let private explainedCodes (key: ApiKey) : (string * string) list =
    match tryApi key with
    | None -> failtestf "there is no API %d" key.Code
    | Some api ->
        [ for property, _ in fieldsOf api.Response do
              if property.PropertyType = typeof<ErrorCode> then
                  for text in itemsOf (linesOf property) do
                      item.Match(text).Groups["code"].Value, text ]
        |> List.distinct

let private codesAreExplained (key: ApiKey) =
    testCase key.Name (fun () ->
        let found = explainedCodes key
        Expect.isNonEmpty found "the error codes are listed"

        found
        |> List.filter (fun (code, _) -> not (codes.ContainsKey code))
        |> List.map snd
        |> noneOf "items do not name an error code with its cause and a reaction"

        let named = found |> List.map (fun (code, _) -> codes[code]) |> Set.ofList

        // Other recordings than those of the checkout can have other error codes.
        [ for exchange in Captures.exchanges.Value do
              if TestData.areOwn "LIBKAFKA_CAPTURES" && exchange.Key = key.Code then
                  for error in exchange.Errors do
                      if not (named.Contains error) then
                          sprintf "%s in %O" (ErrorCode(int16 error).ToString()) exchange ]
        |> noneOf "error codes that brokers return are not explained")

// ---- The members of ErrorCode

let private membersOfErrorCode: PropertyInfo list =
    [ for property in typeof<ErrorCode>.GetProperties(BindingFlags.Public ||| BindingFlags.Static) do
          if property.PropertyType = typeof<ErrorCode> then property ]

let private codeOf (property: PropertyInfo) : ErrorCode =
    match property.GetValue null with
    | :? ErrorCode as code -> code
    | other -> failtestf "%O is no error code" other

let private meanings =
    testCase "says of each member of ErrorCode what its Description says" (fun () ->
        Expect.equal (membersOfErrorCode |> List.map (codeOf >> _.Code >> int) |> set) (codes.Values |> set) "each code is a member"

        [ for property in membersOfErrorCode do
              let description = (codeOf property).Description

              if textOf property <> description then
                  sprintf "%s: '%s' expected, '%s' found" property.Name description (textOf property) ]
        |> noneOf "members are documented otherwise than their descriptions")

[<Tests>]
let tests =
    testList
        "Documentation of the messages"
        [ checkerTests
          meanings
          forEach "says for each field which versions have it" all versionsAreDocumented
          testList "names each error code with its cause and a reaction" (explained |> List.map codesAreExplained) ]
