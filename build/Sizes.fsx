// Sizes. The sources are formatted, so indentation shows where a function ends, in F# and in C#.
#load "Programs.fsx"

open System
open System.IO
open System.Text.RegularExpressions
open Programs

/// The limit for files of the core, in lines.
let fileLimit = 600

/// The limit for functions, in lines.
let functionLimit = 60

/// A function, method, constructor or property of a source file.
type Function = { Name: string; Line: int; Length: int }

/// A source file and its functions, the longest first. A function inside a function is part of the outer one.
type SourceFile =
    { Path: string
      Lines: int
      Functions: Function list }

    member file.IsTooLong = file.Lines > fileLimit && file.Path.StartsWith "src/Core/"

/// The source with the text of its multi-line strings replaced by dots, because that text is not indented like code.
let maskStrings source =
    Regex.Replace(source, "\"\"\".*?\"\"\"", (fun (found: Match) -> Regex.Replace(found.Value, "[^\n]", ".")), RegexOptions.Singleline)

let indentOf (line: string) = line.Length - line.TrimStart().Length

/// The number of lines of the declaration at an index: the following lines that are indented deeper, and brackets at its own indentation.
/// Trailing blank lines do not count.
let lengthAt (lines: string[]) start =
    let continues (line: string) =
        String.IsNullOrWhiteSpace line
        || line[0] = '#'
        || indentOf line > indentOf lines[start]
        || (indentOf line = indentOf lines[start] && "{})]".Contains line[indentOf line])

    let block = lines |> Seq.skip (start + 1) |> Seq.takeWhile continues |> Array.ofSeq
    1 + block.Length - (block |> Array.rev |> Seq.takeWhile String.IsNullOrWhiteSpace |> Seq.length)

/// An F# member, or an F# function: a `let` with a parameter. A `let` without one is a value.
let fsharpFunction =
    let modifier = @"(?:inline|private|internal|public|rec|mutable|static)"
    let modifiers = $@"(?:{modifier}\s+)*"
    let name = $@"(?!{modifier}\b)(``[^`]+``|\([^)]*\)|[\w.]+)(?:<[^=(]*>)?"
    let binding = $@"(?:let|and(?=\s+[a-z(]))\s+{modifiers}{name}"
    let parameter = @"(?:\s+(?![:=])\S|\s*\(|\s*$|[^=]*=\s*(?:fun|function)\b)"
    let membership = $@"(?:static\s+)?(?:member|override|default)\s+(?!val\b){modifiers}{name}"
    Regex $@"^\s*(?:\[<.*>\]\s*)?(?:{binding}{parameter}|{membership}|{modifiers}(new)\s*\()"

/// A C# method, constructor or property. It begins with a modifier and declares neither a type nor a field nor an event.
let csharpFunction =
    let others = @"(?!.*\b(?:class|struct|interface|enum|record|delegate|event|const)\b)"
    let name = @"([\w.]+)\s*(?:<[^=(]*>)?"
    Regex $@"^\s+(?:public|private|protected|internal|static)\s{others}[^=(;]*?{name}(?:\(|\{{|=>|$)"

let functionsOf (path: string) (lines: string[]) =
    let declaration = if path.EndsWith ".cs" then csharpFunction else fsharpFunction

    let rec find start =
        if start >= lines.Length then
            []
        else
            let found = declaration.Match lines[start]

            if found.Success then
                let name = found.Groups |> Seq.cast<Group> |> Seq.skip 1 |> Seq.find _.Success
                let length = lengthAt lines start
                { Name = name.Value; Line = start + 1; Length = length } :: find (start + length)
            else
                find (start + 1)

    find 0 |> List.sortByDescending _.Length

let readSource (path: string) =
    let lines = (maskStrings (File.ReadAllText path)).TrimEnd('\n').Split '\n'
    let relative = Path.GetRelativePath(root, path).Replace('\\', '/')
    { Path = relative; Lines = lines.Length; Functions = functionsOf relative lines }

let sourceFiles folder =
    let isBuilt (path: string) = path.Split Path.DirectorySeparatorChar |> Array.exists (fun part -> part = "obj" || part = "bin")

    [ for pattern in [ "*.fs"; "*.cs" ] do
          yield! Directory.GetFiles(Path.Combine(root, folder), pattern, SearchOption.AllDirectories) ]
    |> List.filter (isBuilt >> not)
    |> List.map readSource
    |> List.sortBy (fun file -> -file.Lines, file.Path)

let sizes () =
    let files = sourceFiles "src"

    let tooLong =
        [ for file in files do
              for declared in file.Functions |> List.filter (fun declared -> declared.Length > functionLimit) -> file, declared ]
        |> List.sortBy (fun (file, declared) -> -declared.Length, file.Path)

    say $"Files of the core above {fileLimit} lines"

    for file in files |> List.filter _.IsTooLong do
        say $"%8d{file.Lines}  {file.Path}"

    say $"\nFunctions above {functionLimit} lines"

    for file, declared in tooLong do
        say $"%8d{declared.Length}  {file.Path}:{declared.Line}  {declared.Name}"

    say "\nFiles, and the longest functions of each\n   lines"

    for file in files do
        let longest =
            [ for declared in List.truncate 3 file.Functions -> $"{declared.Length} {declared.Name}" ] |> String.concat ", "
        say $"%8d{file.Lines}  %-55s{file.Path}  {longest}"

    let total = files |> List.sumBy _.Lines
    let count = files |> List.sumBy (fun file -> file.Functions.Length)
    say $"\n{total} lines and {count} functions in {files.Length} files"
    0
