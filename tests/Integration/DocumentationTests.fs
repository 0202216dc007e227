/// What the guides name exists.
module LibKafka.Integration.DocumentationTests

open System
open System.IO
open System.Reflection
open System.Text.RegularExpressions
open Expecto
open LibKafka.Properties

let private guide = Path.Combine(TestData.checkout, "docs", "from-libkafka.md")

/// The cells of the rows of every table, but for their heads.
let private rows: string list list =
    File.ReadAllLines guide
    |> Array.filter (fun line -> line.StartsWith "| " && not (line.StartsWith "| Go |"))
    |> Array.map (fun line -> line.Substring(1, line.Length - 2).Split('|') |> Array.map _.Trim() |> List.ofArray)
    |> List.ofArray

let private names (cell: string) : string list = [ for found in Regex.Matches(cell, "`([A-Za-z.]+)`") -> found.Groups[1].Value ]

/// Types by their names as one writes them: without the suffix of a module, and without type parameters.
let private typesOf (assemblies: Assembly list) : Map<string, Type list> =
    [ for assembly in assemblies do
          for exported in assembly.GetExportedTypes() do
              let name = exported.Name.Split('`')[0]
              name, exported

              if name.EndsWith "Module" then
                  name.Substring(0, name.Length - "Module".Length), exported ]
    |> List.groupBy fst
    |> List.map (fun (name, found) -> name, List.map snd found)
    |> Map.ofList

/// The cases of a union are types within it or properties of it, and what makes one is a method.
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
let private facade = typeof<LibKafka.KafkaConnection>.Assembly

let private everyName (title: string) (column: int) (assemblies: Assembly list) = test title {
    let types = typesOf assemblies
    let written = rows |> List.collect (fun row -> names row[column])
    Expect.isGreaterThan written.Length 50 "the guide names many"
    Expect.isEmpty (written |> List.filter (isKnown types >> not)) "names that stand for nothing"
}

[<Tests>]
let tests =
    testList
        "the guide for those who come from libkafka"
        [ everyName "names what the core has" 1 [ core ]
          everyName "names what the façade has" 2 [ facade; core ]

          test "has something in place of everything" {
              for row in rows do
                  Expect.hasLength row 4 (String.Join(" | ", row))
                  Expect.all [ row[0]; row[1]; row[2] ] (String.IsNullOrEmpty >> not) (String.Join(" | ", row))
          } ]
