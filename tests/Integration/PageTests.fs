/// What the pages of the documentation name and link to exists.
module LibKafka.Integration.PageTests

open System
open System.IO
open System.Reflection
open System.Text.RegularExpressions
open FSharp.Reflection
open Expecto
open LibKafka.Client
open LibKafka.Properties

let private assemblies =
    [ typeof<LibKafka.Client.Connection>
      typeof<LibKafka.Topics.TopicProducer>
      typeof<LibKafka.KafkaClientOptions>
      typeof<LibKafka.Testing.TestBroker> ]
    |> List.map _.Assembly

// An F# module that has the name of a type is compiled with a suffix.
let private typeName (compiled: Type) : string =
    let name = (compiled.Name.Split '`')[0]
    if name.EndsWith "Module" then name.Substring(0, name.Length - 6) else name

// A case of a union without fields is a property or a field, and a case with fields has a method that makes it.
let private memberNames (compiled: Type) : Set<string> =
    let flags = BindingFlags.Public ||| BindingFlags.Static ||| BindingFlags.Instance ||| BindingFlags.FlattenHierarchy

    set
        [ for one in compiled.GetMembers flags do
              one.Name
              if one.Name.StartsWith "New" then one.Name.Substring 3
          for one in compiled.GetNestedTypes() do
              typeName one ]

/// The members of all public types, by the name of the type.
let private known: Lazy<Map<string, Set<string>>> =
    lazy
        ([ for assembly in assemblies do
               for compiled in assembly.GetExportedTypes() -> typeName compiled, memberNames compiled ]
         |> List.groupBy fst
         |> List.map (fun (name, same) -> name, same |> List.map snd |> Set.unionMany)
         |> Map.ofList)

let private isKnown (owner: string, name: string) : bool =
    match known.Value.TryFind owner with
    | Some members -> members.Contains name
    | None -> owner = "LibKafka" || owner = "Timeout"

let private namesOn (page: string) : (string * string) list =
    [ for found in Regex.Matches(File.ReadAllText page, "`([A-Z]\\w+)\\.([A-Z]\\w+)[`(]") -> found.Groups[1].Value, found.Groups[2].Value ]

let private docs =
    Directory.GetFiles(Path.Combine(TestData.checkout, "docs"), "*.md", SearchOption.AllDirectories) |> List.ofArray

let private pages = List.ofArray (Directory.GetFiles(TestData.checkout, "*.md")) @ docs

// The links of a page to others in the repository: file and anchor.
let private linksOn (page: string) : (string * string) list =
    [ for found in Regex.Matches(File.ReadAllText page, "\\]\\((?!http)([^)#]*)(?:#([^)]*))?\\)") ->
          found.Groups[1].Value, found.Groups[2].Value ]

// Headings as anchors: lower case, hyphens for spaces, other signs left out.
let private anchorsOf (page: string) : string list =
    [ for found in Regex.Matches(File.ReadAllText page, "(?m)^#+ (.*)$") ->
          Regex.Replace(found.Groups[1].Value.ToLowerInvariant().Replace(' ', '-'), "[^\\w-]", "") ]

/// The lines of a text without their indentation and without empty lines.
let private tidy (lines: string seq) : string = String.Join("\n", lines |> Seq.map _.Trim() |> Seq.filter (fun line -> line <> ""))

/// The samples, all of which are compiled, and most of which are run, by the tests.
let private samples: Lazy<string list> =
    lazy
        [ for file in Directory.GetFiles(Path.Combine(TestData.checkout, "samples"), "*.*", SearchOption.AllDirectories) do
              let name = file.Replace('\\', '/')

              if Regex.IsMatch(name, "\\.(cs|fs|fsproj)$") && not (Regex.IsMatch(name, "/(bin|obj)/")) then
                  tidy (File.ReadLines file) ]

/// The blocks of code on a page.
let private codeOn (page: string) : string list =
    [ for found in Regex.Matches(File.ReadAllText(page).ReplaceLineEndings "\n", "(?ms)^```(?:csharp|fsharp|xml)\n(.*?)^```") ->
          tidy (found.Groups[1].Value.Split '\n') ]

let private guides = docs |> List.filter (fun page -> page.Contains "how-to" || page.Contains "getting-started")

/// The pages whose names are all of this library.
let private naming =
    [ "README.md"
      "ARCHITECTURE.md"
      "docs/concepts.md"
      "docs/settings.md"
      "docs/guarantees.md"
      "docs/from-confluent-kafka.md"
      "docs/testing.md"
      "docs/troubleshooting.md"
      "docs/names.md"
      "docs/limits.md" ]

[<Tests>]
let tests =
    testList
        "pages"
        [ for page in naming do
              test page {
                  let unknown = namesOn (Path.Combine(TestData.checkout, page)) |> List.filter (fun name -> not (isKnown name))
                  Expect.isEmpty unknown "names that do not exist"
              }

          test "the faults of docs/troubleshooting.md are all that there are" {
              let page = File.ReadAllText(Path.Combine(TestData.checkout, "docs", "troubleshooting.md"))
              let rows = [ for found in Regex.Matches(page, "(?m)^\\| `(\\w+)` \\|") -> found.Groups[1].Value ]
              let cases = [ for case in FSharpType.GetUnionCases typeof<ClientFault> -> case.Name ]
              Expect.equal (List.sort rows) (List.sort cases) "one row for each fault"
          }

          test "docs/README.md, from which the menu of the site is made, lists every page once" {
              let contents = Path.Combine(TestData.checkout, "docs", "README.md")
              let listed = [ for file, _ in linksOn contents -> file ]
              let expected = [ for page in docs -> Path.GetRelativePath(nonNull (Path.GetDirectoryName contents), page) ]
              let others = [ "../README.md"; "../ARCHITECTURE.md"; "../CHANGELOG.md" ]
              Expect.equal (List.sort listed) (List.sort (others @ List.except [ "README.md" ] expected)) "the pages"
          }

          test "the code of the guides is from the samples" {
              Expect.isGreaterThan (guides |> List.collect codeOn).Length 20 "they have code"

              for page in guides do
                  for code in codeOn page do
                      Expect.isTrue (samples.Value |> List.exists _.Contains(code)) $"{page} quotes a sample: {code}"
          }

          test "the page of performance has the results of docs/performance.json" {
              let read (file: string) = File.ReadAllText(Path.Combine(TestData.checkout, "docs", file)).ReplaceLineEndings "\n"
              let data, page = read "performance.json", read "performance.md"
              Expect.equal page (Performance.update page data) "the page: run `build.fsx performance`"

              for file, drawing in Performance.drawings data do
                  Expect.equal (read file) drawing file
          }

          test "links lead to files and headings that exist" {
              for page in pages do
                  for file, anchor in linksOn page do
                      let target =
                          if file = "" then
                              page
                          else
                              Path.GetFullPath(Path.Combine(nonNull (Path.GetDirectoryName page), file))
                      Expect.isTrue (File.Exists target || Directory.Exists target) $"{page}: {file}"
                      if anchor <> "" then Expect.contains (anchorsOf target) anchor $"{page}: {file}"
          } ]
