/// What the guides name exists.
module LibKafka.Integration.DocumentationTests

open System
open System.IO
open System.Reflection
open System.Text.RegularExpressions
open Expecto
open LibKafka.Properties

/// The cells of the rows of every table in a guide, without the head rows.
let private rowsOf (guide: string) : string list list =
    let isHead (line: string) = line.StartsWith "| Go |" || line.StartsWith "| F# |"

    File.ReadAllLines(Path.Combine(TestData.checkout, "docs", guide))
    |> Array.filter (fun line -> line.StartsWith "| " && not (isHead line))
    |> Array.map (fun line -> line.Substring(1, line.Length - 2).Split('|') |> Array.map _.Trim() |> List.ofArray)
    |> List.ofArray

let private names (cell: string) : string list = [ for found in Regex.Matches(cell, "`([A-Za-z.]+)`") -> found.Groups[1].Value ]

/// A type's name as it is written: without the suffix of a module, and without type parameters.
let private nameOf (exported: Type) = exported.Name.Split('`')[0]

let private typesOf (assemblies: Assembly list) : Map<string, Type list> =
    [ for assembly in assemblies do
          for exported in assembly.GetExportedTypes() do
              let name = nameOf exported
              name, exported

              if name.EndsWith "Module" then
                  name.Substring(0, name.Length - "Module".Length), exported ]
    |> List.groupBy fst
    |> List.map (fun (name, found) -> name, List.map snd found)
    |> Map.ofList

/// Whether a type has a member, a nested type, or a union case of this name.
let private has (name: string) (among: Type) : bool =
    let everything = BindingFlags.Public ||| BindingFlags.Instance ||| BindingFlags.Static

    among.GetMembers everything
    |> Array.exists (fun found -> found.Name = name || found.Name = "New" + name || found.Name = "get_" + name)

let private isKnown (types: Map<string, Type list>) (name: string) : bool =
    match name.Split '.' with
    | [| simple |] -> types.ContainsKey simple
    | [| owner; part |] -> types.TryFind owner |> Option.exists (List.exists (has part))
    | _ -> false

let private core = typeof<LibKafka.Client.Connection>.Assembly
let private topics = typeof<LibKafka.Topics.TopicConsumer>.Assembly
let private facade = typeof<LibKafka.KafkaConnection>.Assembly

let private everyName (guide: string) (title: string) (column: int) (assemblies: Assembly list) = test title {
    let types = typesOf assemblies
    let written = rowsOf guide |> List.collect (fun row -> names row[column])
    Expect.isGreaterThan written.Length 50 "the guide names many"
    Expect.equal (written |> List.filter (isKnown types >> not)) [] "names that do not exist"
}

let private fullRows (guide: string) (columns: int) = test "has no empty cells" {
    for row in rowsOf guide do
        Expect.hasLength row columns (String.Join(" | ", row))
        Expect.all (List.take 3 row) (String.IsNullOrEmpty >> not) (String.Join(" | ", row))
}

[<Tests>]
let tests =
    testList
        "the guides"
        [ testList
              "from libkafka"
              [ everyName "from-libkafka.md" "names what the core and the package for topics have" 1 [ core; topics ]
                everyName "from-libkafka.md" "names what the façade has" 2 [ facade; core ]
                fullRows "from-libkafka.md" 4 ]

          testList
              "the names in F# and C#"
              [ everyName "names.md" "names what the core has" 0 [ core; topics ]
                everyName "names.md" "names what the façade has" 1 [ facade ]
                fullRows "names.md" 3

                test "lists every type of the façade whose name is not also one in F#" {
                    let known = typesOf [ core; topics ]
                    let listed = rowsOf "names.md" |> List.collect (fun row -> names row[1]) |> set

                    let missing =
                        [ for exported in facade.GetExportedTypes() do
                              let name = nameOf exported

                              if not (exported.IsNested || name.Contains '<' || known.ContainsKey name || listed.Contains name) then
                                  name ]

                    Expect.equal (List.distinct missing) [] "types that are not in the table"
                } ] ]
