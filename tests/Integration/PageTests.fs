/// What the pages of the documentation name and link to exists.
module LibKafka.Integration.PageTests

open System
open System.IO
open System.Reflection
open System.Text.RegularExpressions
open FSharp.Reflection
open Expecto
open LibKafka.Wire
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Properties

let private assemblies =
    [ typeof<LibKafka.Client.Connection>
      typeof<LibKafka.Topics.TopicProducer>
      typeof<LibKafka.KafkaClientOptions>
      typeof<LibKafka.Testing.TestBroker>
      typeof<LibKafka.Compression.Zstd>
      typeof<LibKafka.Dns.SrvLookUp> ]
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

/// The lines of a text without their indentation, without empty lines, and with single spaces.
let private tidy (lines: string seq) : string =
    String.Join("\n", lines |> Seq.map (fun line -> Regex.Replace(line.Trim(), " +", " ")) |> Seq.filter (fun line -> line <> ""))

/// The samples, all of which are compiled, and most of which are run, by the tests.
let private samples: Lazy<string list> =
    lazy
        [ for file in Directory.GetFiles(Path.Combine(TestData.checkout, "samples"), "*.*", SearchOption.AllDirectories) do
              let name = file.Replace('\\', '/')

              if Regex.IsMatch(name, "\\.(cs|fs|fsproj)$") && not (Regex.IsMatch(name, "/(bin|obj)/")) then
                  tidy (File.ReadLines file) ]

/// The text of a page without its blocks of code.
let private proseOf (page: string) : string = Regex.Replace(File.ReadAllText(page).ReplaceLineEndings "\n", "(?ms)^```.*?^```", "")

/// What a page has in code font.
let private codeFontOn (page: string) : string list = [ for found in Regex.Matches(proseOf page, "`([^`\n]+)`") -> found.Groups[1].Value ]

/// The types with a member that are named in code font. Names of packages and namespaces (`LibKafka.Topics`) and of files are not among them.
let private membersIn (code: string) : (string * string) list =
    [ for found in Regex.Matches(code, @"(?<![\w.""-])([A-Z]\w+)\.(\w+)") do
          let owner, name = found.Groups[1].Value, found.Groups[2].Value
          if owner <> "LibKafka" && not (List.contains name [ "fs"; "cs"; "fsproj"; "csproj" ]) then
              owner, name ]

/// The source files of the repository.
let private sourceFiles: Lazy<string list> =
    lazy
        [ for folder in [ "src"; "tests"; "samples"; "benchmarks"; "build" ] do
              for file in Directory.GetFiles(Path.Combine(TestData.checkout, folder), "*.*", SearchOption.AllDirectories) ->
                  file.Replace('\\', '/')
          for file in Directory.GetFiles TestData.checkout -> file.Replace('\\', '/') ]

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

/// The blocks of code on a page.
let private codeOn (page: string) : string list =
    [ for found in Regex.Matches(File.ReadAllText(page).ReplaceLineEndings "\n", "(?ms)^```(?:csharp|fsharp|xml)\n(.*?)^```") ->
          tidy (found.Groups[1].Value.Split '\n') ]

/// The pages that show programs. The code of README.md is checked line by line.
let private guides = docs |> List.filter (fun page -> codeOn page <> [])

/// The pages whose names are those of this library. A test of its own checks those of docs/from-libkafka.md, which has names of Go too.
let private naming =
    [ "README.md"; "ARCHITECTURE.md" ]
    @ [ for page in docs do
            let name = Path.GetRelativePath(TestData.checkout, page).Replace('\\', '/')
            if name <> "docs/from-libkafka.md" then name ]

/// Names of .NET and of other libraries that are on pages and in no sample, and names of programs, topics and folders.
let private foreign =
    set
        [ "ActivityLink"
          "AddConsoleExporter"
          "AddView"
          "AggregateException"
          "ArgumentException"
          "ArgumentNullException"
          "ArgumentOutOfRangeException"
          "BeginTransaction"
          "ChannelClosedException"
          "CommitTransaction"
          "Confluent"
          "FormatException"
          "HostOptions"
          "HttpRequestException"
          "InitTransactions"
          "Meter"
          "ObjectDisposedException"
          "OpenTelemetry"
          "OperationCanceledException"
          "Scripts"
          "SendOffsetsToTransaction"
          "Server"
          "SslClientAuthenticationOptions"
          "Task"
          "Timeout" ]

/// Whether a type, or a member of any type, has the name, or a sample uses it.
let private isName (name: string) : bool =
    foreign.Contains name
    || known.Value.ContainsKey name
    || known.Value |> Map.exists (fun _ members -> members.Contains name)
    || samples.Value |> List.exists (fun sample -> Regex.IsMatch(sample, "\\b" + name + "\\b"))

let private isMember (owner: string, name: string) : bool =
    foreign.Contains owner
    || (known.Value.TryFind owner |> Option.exists _.Contains(name))
    || samples.Value |> List.exists (fun sample -> Regex.IsMatch(sample, $"\\b{owner}\\.{name}\\b"))

/// The names in code font on a page that do not exist.
let private unknownNames (code: string list) : string list =
    [ for text in code do
          for owner, name in membersIn text do
              if not (isMember (owner, name)) then $"{owner}.{name}"

          if Regex.IsMatch(text, "^[A-Z][a-z]\\w*$") && not (isName text) then text

          for file in Regex.Matches(text, "[\\w/.]+\\.(?:fs|cs|fsx|fsproj|csproj)\\b") do
              if not (sourceFiles.Value |> List.exists (fun path -> path.EndsWith("/" + file.Value))) then
                  file.Value ]

/// The first column of the tables in a section of docs/errors.md: the names in code font.
let private namesIn (heading: string) : string list =
    File.ReadAllLines(Path.Combine(TestData.checkout, "docs", "errors.md"))
    |> Seq.skipWhile (fun line -> line <> "## " + heading)
    |> Seq.skip 1
    |> Seq.takeWhile (fun line -> not (line.StartsWith "## "))
    |> Seq.filter _.StartsWith("| `")
    |> Seq.collect (fun line -> [ for found in Regex.Matches(line.Split('|')[1], "`([^`]+)`") -> found.Groups[1].Value ])
    |> List.ofSeq

let private cases<'Union> (prefix: string) : string list = [ for case in FSharpType.GetUnionCases typeof<'Union> -> prefix + case.Name ]

let private names<'Enum> (prefix: string) : string list = [ for name in Enum.GetNames typeof<'Enum> -> prefix + name ]

let private has (heading: string) (title: string) (names: string list) = test title {
    let listed = namesIn heading
    Expect.isEmpty (List.except listed names) "names that are missing"
}

/// The page of faults and error codes is complete.
let private errorsPage =
    let calls, bytes = "Faults of calls", "Faults of bytes and results"
    let producing, events, others = "Results of producing", "Events of consumers and groups", "Other results"

    [ has calls "has every fault" (cases<ClientFault> "")
      has calls "has every failure of SASL" (cases<SaslFailure> "")

      test "has no fault that does not exist" {
          let known = set (cases<ClientFault> "" @ cases<SaslFailure> "")
          Expect.isEmpty (namesIn calls |> List.filter (known.Contains >> not)) "unknown names"
      }

      test "has every kind of a fault in C#" {
          let listed = set (namesIn calls @ namesIn bytes)
          Expect.isEmpty
              (Enum.GetNames typeof<LibKafka.KafkaFaultKind> |> Seq.filter (listed.Contains >> not) |> List.ofSeq)
              "missing kinds"
      }

      has bytes "has every problem of bytes" (cases<Problem> "")
      has producing "has every result of producing" (cases<Rejection> "Rejection." @ cases<Doubt> "Doubt.")
      has producing "has every reason of an undelivered batch" (cases<UndeliveredReason> "")
      has events "has every event that is not of records" (List.except [ "ConsumerEvent.Fetched" ] (cases<ConsumerEvent> "ConsumerEvent."))
      has events "has every failure of a member" (cases<GroupFailure> "")
      has events "has every reason of a loss" (cases<LossReason> "")
      has events "has every problem of a transaction" (cases<TransactionProblem> "")
      has events "has every fault of administration" (cases<AdminFault> "")
      has
          others
          "has every failure of a call"
          (cases<CallFailure> "CallFailure." @ cases<PartitionsFailure> "PartitionsFailure." @ cases<LeaveFailure> "LeaveFailure.")
      has others "has every place to continue" (cases<Advance> "Advance." @ names<LibKafka.FetchAdvanceKind> "FetchAdvanceKind.")
      has others "has every result of a commit" (cases<CommitOutcome> "CommitOutcome.")
      has others "has every way of leaving" (cases<GroupLeave> "GroupLeave.")
      has others "has every state of an idempotent producer" (cases<ProducerState> "ProducerState.")
      has
          others
          "has every obstacle to forwarding and assigning"
          (cases<LibKafka.Records.NotForwardable> "NotForwardable." @ cases<LibKafka.Groups.AssignFault> "AssignFault.")

      test "has every exception of the library" {
          let listed = namesIn "Exceptions"

          let missing =
              [ for assembly in assemblies do
                    for compiled in assembly.GetExportedTypes() do
                        if compiled.IsSubclassOf typeof<exn> && not (List.contains compiled.Name listed) then
                            compiled.Name ]

          Expect.equal missing [] "missing exceptions"
      }

      test "has the text with which each fault begins" {
          let lines = File.ReadAllLines(Path.Combine(TestData.checkout, "docs", "errors.md"))

          for name, texts in MessageTests.faultTexts.Value do
              let row = lines |> Array.find (fun line -> line.StartsWith $"| `{name}` |")
              let cell = row.Split('|')[2]
              let parts = (cell.Replace("*broker*", "kafka:9092")).Split '…'
              let shown = [ for part in parts -> part.Trim() ]
              let isShown (text: string) = text.StartsWith(List.head shown) && shown |> List.forall text.Contains
              Expect.isTrue (texts |> List.exists isShown) $"{name}: {texts.Head}"
      }

      test "has every error code, with what the code itself says" {
          let rows =
              [ for line in File.ReadAllLines(Path.Combine(TestData.checkout, "docs", "errors.md")) do
                    if Regex.IsMatch(line, @"^\| -?\d+ \|") then line ]

          let expected =
              [ for code in -1s .. 500s do
                    let error = LibKafka.ErrorCode code
                    let again = if error.IsRetriable then "yes" else "no"
                    if error.Name <> "" then
                        $"| {code} | `{error.Name}` | {again} | {error.Description} |" ]

          Expect.equal rows expected "a row for each"
      } ]

/// The sections of a page, each with the text of its heading.
let private sectionsOf (page: string) : (string * string) list =
    [ for section in Regex.Split(File.ReadAllText(page).ReplaceLineEndings "\n", "(?m)^## ") |> Array.skip 1 ->
          let stop = section.IndexOf '\n'
          section.Substring(0, stop), section.Substring stop ]

let private codeFontIn (text: string) : string list = [ for found in Regex.Matches(text, "`([^`\n]+)`") -> found.Groups[1].Value ]

/// The types of the façade whose properties are settings.
let private optionTypes =
    [ for compiled in typeof<LibKafka.KafkaClientOptions>.Assembly.GetExportedTypes() do
          // The header fields of a batch are data.
          let isOfBatch = compiled = typeof<LibKafka.RecordBatchOptions>

          if
              not isOfBatch
              && (compiled.Name.EndsWith "Options" || List.contains (typeName compiled) [ "RetryPolicy"; "KafkaTlsFiles" ])
              && not compiled.IsAbstract
          then
              compiled ]

let private settingsPage = test "docs/settings.md has every property of the options in C#" {
    let sections = sectionsOf (Path.Combine(TestData.checkout, "docs", "settings.md"))
    Expect.isGreaterThan optionTypes.Length 10 "types"

    let missing =
        [ for options in optionTypes do
              let shown =
                  sections
                  |> List.map (snd >> codeFontIn)
                  |> List.filter (List.exists (fun code -> (code.Split '<')[0] = typeName options))

              for property in options.GetProperties(BindingFlags.Public ||| BindingFlags.Instance ||| BindingFlags.DeclaredOnly) do
                  if not (shown |> List.exists (List.contains property.Name)) then
                      $"{typeName options}.{property.Name}" ]

    Expect.equal missing [] "properties without a row"
}

/// Whether the parts of a quoted message, between ellipses, are in a text one after another.
let private isQuotedFrom (text: string) (quoted: string) : bool =
    let rec follow (from: int) (parts: string list) =
        match parts with
        | [] -> true
        | part :: rest ->
            match text.IndexOf(part, from, StringComparison.Ordinal) with
            | -1 -> false
            | at -> follow (at + part.Length) rest

    quoted.Split '…' |> Array.map _.Trim() |> List.ofArray |> follow 0

/// What the clients say in the situations that the pages describe.
let private messages: Lazy<string list> =
    lazy
        (let orders = { Topic = "orders"; Partition = 0 }
         let committed = { Offset = 42L; LeaderEpoch = 3; Metadata = "" }
         let assigned = { Partition = orders; Committed = Some committed; Start = Start.atOffset 42L }

         [ string (GroupEvent.Assigned [])
           string (GroupEvent.Assigned [ assigned ])
           string (GroupEvent.Lost([ orders ], LossReason.Removed LibKafka.Protocol.ErrorCode.UnknownMemberId))
           string (ClientFault.NoLeader(orders, LibKafka.Protocol.ErrorCode.UnknownTopicOrPartition))
           string (SaslFailure.NotOffered [ "PLAIN" ])
           string (ClientFault.CannotConnect({ Host = "localhost"; Port = 9092 }, "refused"))
           yield! MessageTests.faultTexts.Value |> List.collect snd ])

let private quotedMessages = test "the messages that the pages quote are those of the code" {
    let isMessage (code: string) = Regex.IsMatch(code, "^[a-z…][^(){}=<>;]*$") && Regex.Count(code, " ") >= 2
    let isCommand (code: string) = Regex.IsMatch(code, "^(dotnet|otelcol|libkafka-)")

    let quoted =
        [ for page in docs do
              let name = Path.GetRelativePath(Path.Combine(TestData.checkout, "docs"), page).Replace('\\', '/')

              if name = "troubleshooting.md" || name.StartsWith "getting-started" || name.StartsWith "how-to/" then
                  for code in codeFontOn page do
                      if isMessage code && not (isCommand code) then name, code ]

    Expect.isGreaterThan quoted.Length 8 "messages"

    quoted
    |> List.filter (fun (_, code) -> not (messages.Value |> List.exists (fun text -> isQuotedFrom text code)))
    |> fun wrong -> Expect.equal wrong [] "messages that no code makes"
}

/// The first and the other cells of the rows of a table in docs/from-confluent-kafka.md.
let private confluentRows (heading: string) : (string * string) list =
    let page = Path.Combine(TestData.checkout, "docs", "from-confluent-kafka.md")

    sectionsOf page
    |> List.find (fun (title, _) -> title = heading)
    |> fun (_, text) -> text.Split '\n'
    |> Seq.filter _.StartsWith("| `")
    |> Seq.map (fun line -> line.Split '|' |> fun cells -> cells[1], cells[2])
    |> List.ofSeq

let private methodsOf (types: Type list) : Set<string> =
    set
        [ for compiled in types do
              for one in compiled.GetInterfaces() |> Array.append [| compiled |] do
                  for found in one.GetMethods() -> found.Name
                  for found in one.GetProperties() -> found.Name ]

/// The names of members of a `producer` or a `consumer` in code font.
let private memberNamesIn (variable: string) (text: string) : string list =
    [ for code in codeFontIn text do
          for found in Regex.Matches(code, $@"\b{variable}\.(\w+)") -> found.Groups[1].Value ]

let private confluentPage =
    testList
        "docs/from-confluent-kafka.md"
        [ test "the settings exist in Confluent.Kafka" {
              let properties =
                  set
                      [ for config in [ typeof<Confluent.Kafka.ProducerConfig>; typeof<Confluent.Kafka.ConsumerConfig> ] do
                            for property in config.GetProperties() -> property.Name.ToLowerInvariant() ]

              let unknown =
                  [ for settings, _ in confluentRows "Settings" do
                        for name in codeFontIn settings do
                            if not (properties.Contains(name.Replace(".", ""))) then name ]

              Expect.equal unknown [] "unknown settings"
          }

          test "the calls exist in both libraries" {
              let theirs = [ typeof<Confluent.Kafka.IProducer<string, string>>; typeof<Confluent.Kafka.IConsumer<string, string>> ]
              let ours = [ typeof<LibKafka.TopicProducer>; typeof<LibKafka.TopicConsumer>; typeof<LibKafka.GroupConsumer> ]
              let rows = confluentRows "Calls"
              Expect.isGreaterThan rows.Length 10 "rows"

              for column, types in [ fst, theirs; snd, ours ] do
                  let used = rows |> List.collect (fun row -> memberNamesIn "producer" (column row) @ memberNamesIn "consumer" (column row))
                  Expect.isNonEmpty used "calls"
                  Expect.equal (used |> List.filter ((methodsOf types).Contains >> not)) [] "unknown calls"
          } ]

[<Tests>]
let tests =
    testList
        "pages"
        [ for page in naming do
              test $"every name on {page} exists" {
                  Expect.equal (unknownNames (codeFontOn (Path.Combine(TestData.checkout, page)))) [] "names that do not exist"
              }

          test "a name that does not exist is found" {
              let wrong = [ "TopicProducer.Pole"; "TopicProdcuer"; "Reading.withCodec AllCodecs.Set"; "Nowhere.fs" ]
              let right =
                  [ "TopicProducer.Poll"; "TopicProducer"; "Reading.withCodecs AllCodecs.Set"; "PageTests.fs"; "BackgroundService" ]
              let expected = [ "TopicProducer.Pole"; "TopicProdcuer"; "Reading.withCodec"; "Nowhere.fs" ]
              Expect.equal (unknownNames (wrong @ right)) expected "the wrong ones"
          }

          testList "docs/errors.md" errorsPage
          settingsPage
          quotedMessages
          confluentPage

          test "docs/names.md has the types of other namespaces that are in signatures of the façade" {
              let names = codeFontOn (Path.Combine(TestData.checkout, "docs", "names.md"))

              let rec parts (found: Type) : Type list =
                  [ if found.IsGenericType then
                        for argument in found.GetGenericArguments() do
                            yield! parts argument
                    match found.GetElementType() with
                    | null -> found
                    | element -> yield! parts element ]

              let missing =
                  [ for exported in typeof<LibKafka.KafkaClientOptions>.Assembly.GetExportedTypes() do
                        for called in exported.GetMethods() do
                            for found in
                                List.collect parts (called.ReturnType :: [ for one in called.GetParameters() -> one.ParameterType ]) do
                                let space = string found.Namespace
                                let isForeign = space.StartsWith "LibKafka." && not found.IsGenericParameter
                                if isForeign && not (List.contains found.Name names) then
                                    $"{space}.{found.Name}" ]

              Expect.equal (List.distinct missing) [] "types that C# programs name"
          }

          test "docs/README.md, from which the menu of the site is made, lists every page once" {
              let contents = Path.Combine(TestData.checkout, "docs", "README.md")
              let listed = [ for file, _ in linksOn contents -> file ]
              let expected = [ for page in docs -> Path.GetRelativePath(nonNull (Path.GetDirectoryName contents), page) ]
              let others = [ "../README.md"; "../ARCHITECTURE.md"; "../CHANGELOG.md" ]
              Expect.equal (List.sort listed) (List.sort (others @ List.except [ "README.md" ] expected)) "the pages"
          }

          test "the code of the pages is from the samples" {
              Expect.isGreaterThan (guides |> List.collect codeOn).Length 30 "they have code"

              for page in guides do
                  for code in codeOn page do
                      Expect.isTrue (samples.Value |> List.exists _.Contains(code)) $"{page} quotes a sample: {code}"
          }

          test "each line of code in README.md is one of a sample" {
              let lines = samples.Value |> List.collect (_.Split('\n') >> List.ofArray) |> set

              for code in codeOn (Path.Combine(TestData.checkout, "README.md")) do
                  for line in code.Split '\n' do
                      // The references to packages in a script have a folder of the reader's.
                      if not (line.StartsWith "#") then Expect.isTrue (lines.Contains line) line
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
