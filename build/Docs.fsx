// The documentation site: the pages that docs/README.md lists, the source files that they link to, and the API reference, made by fsdocs.
#load "Programs.fsx"

open System
open System.IO
open System.Text.RegularExpressions
open Programs

// ---- Pages ----

/// A page: its file in the repository, its file among the pages that fsdocs reads, its title, and its place in the menu.
type Page = { Source: string; Target: string; Title: string; Menu: (string * int * int) option }

let private staged = Path.Combine(artifacts, "docs")
let site = Path.Combine(artifacts, "site")

/// The projects of the API reference.
let private libraries =
    [ "src/LibKafka.Core.fsproj"
      "src/LibKafka.Topics/LibKafka.Topics.fsproj"
      "src/LibKafka.Testing/LibKafka.Testing.fsproj"
      "src/LibKafka.Compression/LibKafka.Compression.fsproj"
      "src/LibKafka.Dns/LibKafka.Dns.fsproj"
      "src/LibKafka.Storage/LibKafka.Storage.fsproj"
      "src/LibKafka.CSharp/LibKafka.CSharp.csproj" ]

let private read (path: string) = File.ReadAllText(Path.Combine(root, path)).ReplaceLineEndings "\n"

/// The file or folder that a link on a page leads to, as a path from the root of the repository.
let private follow (page: string) (link: string) : string =
    let folder = Path.Combine(root, Path.GetDirectoryName page)
    Path.GetRelativePath(root, Path.GetFullPath(Path.Combine(folder, link))).Replace('\\', '/')

let private targetOf (source: string) : string =
    match source with
    | "README.md" -> "index.md"
    | inDocs when inDocs.StartsWith "docs/" -> inDocs.Substring 5
    | other -> other.ToLowerInvariant()

/// The pages in the order of docs/README.md: a heading is a category of the menu.
let private listed () : Page list =
    let contents = "docs/README.md"

    let categories =
        [ for section in Regex.Split(read contents, "(?m)^## ") |> Array.skip 1 ->
              section.Substring(0, section.IndexOf '\n'),
              [ for found in Regex.Matches(section, "(?m)^- \\[(.*?)\\]\\((.*?)\\)") -> found.Groups[1].Value, found.Groups[2].Value ] ]

    [ for categoryIndex, (category, links) in List.indexed categories do
          for index, (title, link) in List.indexed links do
              let source = follow contents link

              { Source = source; Target = targetOf source; Title = title; Menu = Some(category, categoryIndex + 1, index + 1) } ]

/// The page that shows a file or folder of the repository.
let private sourcePage (path: string) : Page =
    { Source = path
      Target = "source/" + path.ToLowerInvariant().Replace('/', '-').Replace('.', '-') + ".md"
      Title = path
      Menu = None }

// ---- Links and code ----

/// The lines of a text, and whether each is in a block of code.
let private lines (text: string) : (bool * string) list =
    let step (isCode: bool) (line: string) = if line.StartsWith "```" then (true, line), not isCode else (isCode, line), isCode

    text.Split '\n' |> List.ofArray |> List.mapFold step false |> fst

/// A heading's anchor as repositories show Markdown: lower case, with hyphens for spaces and without other signs.
let private repositoryAnchor (heading: string) : string = Regex.Replace(heading.ToLowerInvariant().Replace(' ', '-'), "[^\\w-]", "")

/// A heading's anchor as fsdocs makes it: its words, joined with hyphens.
let private siteAnchor (heading: string) : string = String.Join("-", [ for word in Regex.Matches(heading, "\\w+") -> word.Value ])

let private translateAnchor (source: string) (anchor: string) : string =
    let headings =
        [ for isCode, line in lines (read source) do
              if not isCode && line.StartsWith "#" then line.TrimStart('#').Trim() ]

    match headings |> List.tryFind (fun heading -> repositoryAnchor heading = anchor) with
    | Some heading -> siteAnchor heading
    | None -> failwith $"{source} has no heading for the link #{anchor}"

let private relative (from: Page) (target: string) : string =
    let folder = Path.GetDirectoryName("/" + from.Target)
    Path.GetRelativePath(folder, "/" + target).Replace('\\', '/')

/// Where a link leads in the site, and the page of source that it needs, if it does.
let private translateLink (pages: Page list) (page: Page) (link: string) : string * Page option =
    let file, anchor =
        match link.Split '#' with
        | [| file; anchor |] -> file, Some anchor
        | _ -> link, None

    let path = if file = "" then page.Source else follow page.Source file
    let withAnchor (address: string) =
        match anchor with
        | Some anchor -> address + "#" + translateAnchor path anchor
        | None -> address

    let html (target: Page) = relative page (Path.ChangeExtension(target.Target, ".html"))

    match pages |> List.tryFind (fun other -> other.Source = path) with
    | _ when link.Contains "://" -> link, None
    | Some _ when file = "" -> withAnchor "", None
    | Some other -> withAnchor (html other), None
    | None when path = "docs/README.md" -> relative page "index.html", None
    | None when path.StartsWith "docs/" && not (path.EndsWith ".md") -> relative page (targetOf path), None
    | None ->
        let source = sourcePage path
        html source, Some source

/// A page's text for fsdocs, and the pages of source that it links to. fsdocs takes a block of code without a language for F#, and looks for
/// the packages that F# code refers to; both become plain text.
let private translate (pages: Page list) (page: Page) : string * Page list =
    let mutable sources = []

    let link (found: Match) =
        let address, source = translateLink pages page found.Groups[1].Value
        sources <- Option.toList source @ sources
        $"]({address})"

    let text =
        String.Join(
            "\n",
            [ for isCode, line in lines (read page.Source) -> if isCode then line else Regex.Replace(line, "\\]\\(([^)\\s]+)\\)", link) ]
        )

    let block (found: Match) =
        let language, code = found.Groups[1].Value, found.Groups[2].Value
        let isPlain = language = "" || Regex.IsMatch(code, "(?m)^#[ir] ")
        (if isPlain then "```text\n" else $"```{language}\n") + code + "```"

    Regex.Replace(text, "(?ms)^```(\\w*)\n(.*?)^```", block), sources

// ---- Staging ----

/// Writes a file if its content is another one, so that fsdocs makes only pages that have changed.
let private write (target: string) (content: string) =
    let path = Path.Combine(staged, target)
    Directory.CreateDirectory(Path.GetDirectoryName path) |> ignore
    if not (File.Exists path && File.ReadAllText path = content) then
        File.WriteAllText(path, content)

let private frontMatter (page: Page) : string =
    let menu =
        match page.Menu with
        | Some(category, categoryIndex, index) -> $"category: {category}\ncategoryindex: {categoryIndex}\nindex: {index}\n"
        | None -> ""

    $"---\ntitle: {page.Title}\n{menu}---\n\n"

let private language (path: string) =
    match Path.GetExtension path with
    | ".cs" -> "csharp"
    | ".fs"
    | ".fsx" -> "fsharp"
    | _ -> "text"

/// The text files of a folder or the file itself, without what builds have made.
let private sourceFiles (path: string) : string list =
    let full = Path.Combine(root, path)
    let isShown (file: string) = Regex.IsMatch(file, "\\.(fs|cs|fsproj|csproj|mjs|txt|json)$") && not (Regex.IsMatch(file, "/(bin|obj)/"))

    if File.Exists full then
        [ path ]
    else
        [ for file in Directory.GetFiles(full, "*", SearchOption.AllDirectories) |> Array.sort do
              let name = Path.GetRelativePath(root, file).Replace('\\', '/')
              if isShown name then name ]

let private showSource (page: Page) : string =
    let shown =
        [ for file in sourceFiles page.Source do
              $"## {file}\n\n```{language file}\n{(read file).TrimEnd()}\n```\n" ]

    $"# {page.Source}\n\n" + String.Join("\n", shown)

/// Writes what fsdocs reads, and removes what is no longer a part of it. Returns the pages.
let private stage () : Page list =
    let pages = listed ()

    let translated = [ for page in pages -> page, translate pages page ]
    let sources = translated |> List.collect (fun (_, (_, sources)) -> sources) |> List.distinct

    for page, (text, _) in translated do
        write page.Target (frontMatter page + text)

    for page in sources do
        write page.Target (frontMatter page + showSource page)

    let assets =
        [ for file in Directory.GetFiles(Path.Combine(root, "docs"), "*", SearchOption.AllDirectories) do
              let name = Path.GetRelativePath(Path.Combine(root, "docs"), file).Replace('\\', '/')

              if not (name.EndsWith ".md") then
                  let target = if name.StartsWith "site/" then name.Substring 5 else name
                  let path = Path.Combine(staged, target)
                  Directory.CreateDirectory(Path.GetDirectoryName path) |> ignore
                  File.Copy(file, path, true)
                  target ]

    let kept = set ([ for page in pages @ sources -> page.Target ] @ assets)

    for file in Directory.GetFiles(staged, "*", SearchOption.AllDirectories) do
        if not (kept.Contains(Path.GetRelativePath(staged, file).Replace('\\', '/'))) then
            File.Delete file

    pages @ sources

// ---- Building ----

/// Stands for the address of the site in the pages that fsdocs makes. Links that are relative to each page replace it, so the site works
/// at any address.
let private placeholder = "/site-root/"

let private fsdocs (verb: string) (options: string list) : Command =
    command
        dotnet
        ([ "fsdocs"; verb; "--input"; staged; "--ignoreuncategorized"; "--properties"; "Configuration=Release" ]
         @ [ "--projects" ]
         @ [ for project in libraries -> Path.Combine(root, project) ]
         @ options)

/// The text without links to types that the API reference has no page for, such as delegates and nested types.
let private withoutMissingTypes (folder: string) (text: string) : string =
    let link (found: Match) =
        if File.Exists(Path.Combine(folder, found.Groups[1].Value)) then
            found.Value
        else
            found.Groups[2].Value

    Regex.Replace(text, "<a href=\"(\\.\\./reference/[^\"#]*)\"[^>]*>(.*?)</a>", link)

/// The text with the code of its examples at the left edge. In XML comments it is indented like the comment.
let private withoutIndentation (text: string) : string =
    let code (found: Match) =
        let lines = found.Groups[2].Value.Split '\n'
        let indentation (line: string) = line.Length - line.TrimStart(' ').Length

        match lines |> Array.filter (fun line -> line.Trim() <> "") with
        | [||] -> found.Value
        | shown ->
            let depth = shown |> Array.map indentation |> Array.min
            let moved = lines |> Array.map (fun line -> line.Substring(min depth (indentation line)))
            found.Groups[1].Value + String.Join('\n', moved)

    Regex.Replace(text, "(?s)(<pre[^>]*><code[^>]*>)(.*?)(?=</code>)", code)

// ---- Links to the API reference ----

/// A type's page of the reference. `isCore` says that it is in one of the namespaces of F#.
type private Reference = { Name: string; File: string; IsCore: bool; Anchors: Set<string> }

let private anchorsIn (text: string) = set [ for found in Regex.Matches(text, "\\b(?:id|name)=\"([^\"]+)\"") -> found.Groups[1].Value ]

let private namespaces =
    set [ "client"; "compression"; "dns"; "groups"; "protocol"; "records"; "storage"; "testing"; "topics"; "wire" ]

/// The pages of types. A file is named by the type in lower case, with its namespace and the number of its type parameters:
/// `libkafka-client-retrypolicy-1.html`. An F# module that has the name of a type has a page of its own.
let private references () : Reference list =
    [ for path in Directory.GetFiles(Path.Combine(site, "reference"), "libkafka-*.html") do
          let parts =
              (Path.GetFileNameWithoutExtension path).Split '-'
              |> Array.filter (fun part -> not (Char.IsDigit part[0]))
              |> List.ofArray

          let name =
              match parts with
              | [ _; name ] when not (namespaces.Contains name) -> Some(name, false)
              | [ _; space; name ] when namespaces.Contains space -> Some(name, true)
              | _ -> None

          match name with
          | Some(name, isCore) ->
              let name = if name.EndsWith "module" then name.Substring(0, name.Length - "module".Length) else name
              { Name = name; File = Path.GetFileName path; IsCore = isCore; Anchors = anchorsIn (File.ReadAllText path) }
          | None -> () ]

/// The text of a page with links from the names of types and members in code font to the reference: to the façade if both languages have the
/// name, except on pages about F#.
let private withReferences (references: Map<string, Reference list>) (page: string) (up: string) (text: string) : string =
    let isAboutFSharp = page.Contains "fsharp"

    let link (found: Match) =
        let owner, name = found.Groups[2].Value, found.Groups[3].Value
        let candidates =
            references.TryFind(owner.ToLowerInvariant())
            |> Option.defaultValue []
            |> List.sortBy (fun reference -> reference.IsCore <> isAboutFSharp)

        let target =
            if name = "" then
                candidates |> List.tryHead |> Option.map _.File
            else
                candidates |> List.tryFind _.Anchors.Contains(name) |> Option.map (fun reference -> reference.File + "#" + name)

        match target with
        | Some target when not found.Groups[1].Success -> $"<a href=\"{up}reference/{target}\">{found.Value}</a>"
        | _ -> found.Value

    Regex.Replace(text, @"(<a [^>]*>)?<code>([A-Z]\w+)(?:\.(\w+))?</code>", link)

let private finish () =
    let references = references () |> List.groupBy _.Name |> Map.ofList

    for file in Directory.GetFiles(site, "*", SearchOption.AllDirectories) do
        let depth = Path.GetRelativePath(site, file).Split(Path.DirectorySeparatorChar).Length - 1

        match Path.GetExtension file with
        | ".html" ->
            let up = if depth = 0 then "./" else String.replicate depth "../"
            let name = Path.GetRelativePath(site, file).Replace('\\', '/')
            let text =
                File.ReadAllText(file).Replace(placeholder, up)
                |> withoutMissingTypes (Path.GetDirectoryName file)
                |> withoutIndentation
            let isPage = not (name.StartsWith "reference/" || name.StartsWith "source/")
            File.WriteAllText(file, (if isPage then withReferences references name up text else text))
        | ".json"
        | ".txt"
        | ".md" -> File.WriteAllText(file, File.ReadAllText(file).Replace(placeholder, ""))
        | _ -> ()

/// The links of the site's pages that lead nowhere.
let private brokenLinks () : string list =
    let pages = Directory.GetFiles(site, "*.html", SearchOption.AllDirectories)
    let known = dict [ for page in pages -> page, anchorsIn (File.ReadAllText page) ]

    [ for page in pages do
          for found in Regex.Matches(File.ReadAllText page, "\\b(?:href|src)=\"([^\"]*)\"") do
              let link = Net.WebUtility.HtmlDecode found.Groups[1].Value

              if not (Regex.IsMatch(link, "^[a-z]+:")) then
                  let parts = link.Split '#'
                  let folder = Path.GetDirectoryName page
                  let target =
                      if parts[0] = "" then
                          page
                      else
                          Path.GetFullPath(Path.Combine(folder, Uri.UnescapeDataString parts[0]))
                  let isThere = File.Exists target || File.Exists(Path.Combine(target, "index.html"))
                  let hasAnchor = parts.Length < 2 || parts[1] = "" || not (known.ContainsKey target) || known[target].Contains parts[1]
                  if not (isThere && hasAnchor) then $"{Path.GetRelativePath(site, page)}: {link}" ]

let private checkLinks () =
    step "Check the links of the site" (fun () ->
        match brokenLinks () with
        | [] -> ()
        | broken ->
            List.iter say broken
            exit 1)

let private prepare () : Page list =
    restore ()
    require "Build the libraries" [ for project in libraries -> building project ]
    Directory.CreateDirectory staged |> ignore
    // fsdocs keeps what it knows of the projects there, also after they have changed.
    let cache = Path.Combine(root, ".fsdocs")
    if Directory.Exists cache then Directory.Delete(cache, true)
    step "Collect the pages" stage

/// Builds the site. Returns the files of its pages, without those of the API reference.
let buildSite () : string list =
    let pages = prepare ()
    require
        "Build the site"
        [ fsdocs "build" [ "--output"; site; "--clean"; "--parameters"; "root"; placeholder; "fsdocs-collection-name"; "LibKafka" ] ]
    finish ()
    checkLinks ()
    say $"   The site is in {site}."
    [ for page in pages -> Path.ChangeExtension(page.Target, ".html") ]

/// Serves the site on localhost, and makes each page again when its source has changed.
let watchSite () : int =
    prepare () |> ignore

    let rec collect () =
        Threading.Thread.Sleep 1000

        try
            stage () |> ignore
        with problem ->
            complain problem.Message

        collect ()

    Threading.Thread(collect, IsBackground = true).Start()
    run (fsdocs "watch" [ "--output"; Path.Combine(artifacts, "site-watch"); "--nolaunch" ])
