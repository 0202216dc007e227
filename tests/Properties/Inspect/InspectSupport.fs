/// Runs the tool in this process.
module LibKafka.Properties.InspectSupport

open System
open System.IO
open System.Text
open System.Text.Json
open Expecto

type Outcome = { Code: int; Lines: string list; Complaints: string }

let inspectWith (arguments: string list) (input: byte[]) : Outcome =
    use output = new MemoryStream()
    use complaints = new StringWriter()
    let code = LibKafka.Inspect.Program.run arguments (new MemoryStream(input)) output complaints

    let lines = (Encoding.UTF8.GetString(output.ToArray())).Split '\n' |> List.ofArray

    // Every line ends with a line feed.
    Expect.equal (List.last lines) "" "the text after the last line feed"
    { Code = code; Lines = List.truncate (lines.Length - 1) lines; Complaints = complaints.ToString() }

let inspect (arguments: string) (input: byte[]) : Outcome =
    inspectWith (arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries) |> List.ofArray) input

let inspectText (arguments: string) (input: string) = inspect arguments (Encoding.UTF8.GetBytes input)

let json (line: string) = JsonDocument.Parse(line).RootElement

/// A property of a JSON object as text; "" if there is none.
let get (name: string) (line: JsonElement) =
    match line.TryGetProperty name with
    | true, value -> value.ToString()
    | _ -> ""

/// Runs an action with the paths of files that have these contents.
let withFiles (contents: byte[] list) (suffix: string) (action: string[] -> unit) =
    let folder = Directory.CreateTempSubdirectory "inspect"

    try
        let paths =
            contents
            |> List.mapi (fun i content ->
                let path = Path.Combine(folder.FullName, string i + suffix)
                File.WriteAllBytes(path, content)
                path)

        action (Array.ofList paths)
    finally
        folder.Delete true
