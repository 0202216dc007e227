/// The command line of the tool.
module LibKafka.Inspect.Options

open System
open LibKafka.Wire
open LibKafka.Protocol

/// The content of an input.
[<RequireQualifiedAccess>]
type Content =
    /// One frame on each line.
    | Frames
    /// Frames, each preceded by its length.
    | Stream
    /// Record batches, as in a broker's log segment.
    | Log

/// The form of an input's bytes.
[<RequireQualifiedAccess>]
type Encoding =
    | Hex
    | Base64
    | Raw

[<RequireQualifiedAccess>]
type Format =
    | Text
    | Json

/// The API and version of frames that do not contain them.
type Named =
    {
        Api: ApiKey
        Version: int16
        IsResponse: bool
        /// The message has no header.
        IsBody: bool
    }

[<RequireQualifiedAccess>]
type Place =
    | StandardInput
    | File of path: string

[<RequireQualifiedAccess>]
type Input =
    | One of Content * Place
    /// The two directions of a connection, as two streams.
    | Conversation of requests: Place * responses: Place

type Options =
    {
        Inputs: Input list
        /// By default, frames on lines are in hex and everything else is raw.
        Encoding: Encoding option
        Format: Format
        Named: Named option
        /// Print the batches and records in messages and logs.
        Records: bool
        Keys: bool
        Values: bool
        Limits: Limits
    }

/// The command of the command line.
[<RequireQualifiedAccess>]
type Command =
    | Run of Options
    | Help
    | Version

let help =
    """Prints Kafka requests, responses, record batches and log segments, field by field.

  libkafka-inspect [frames] [options] [FILE…]  one frame on each line, header and message, in hex or base64. A line that
                                               starts with '<' is a response to an earlier request; a line that starts
                                               with '>' or neither is a request
  libkafka-inspect stream [options] [FILE…]    frames preceded by their lengths, as one side of a connection sends them
  libkafka-inspect stream [options] --requests FILE --responses FILE
                                               both sides of a connection, matched by correlation id
  libkafka-inspect log [options] [FILE…]       consecutive record batches, as in a broker's log segments

Without FILE, or if FILE is -, standard input is read. Without the first word, files named *.log are log segments, and
other files have one frame on each line.

  --format text|json      readable text (the default), or one JSON object on each line with messages in Kafka's JSON form
  --input hex|base64|raw  the form of the input: by default, frames are in hex and streams and logs are raw. With raw,
                          each file is one frame
  --api NAME|KEY --version N
                          the API and version of frames that do not contain them, with one or both of
  --response              the frames are responses
  --body                  the frames have no header
  --records               print the record batches in Produce requests and fetch responses, or in a log: one line for each
                          batch and each record. Keys and values are printed as text, or in hex if they are not text
  --no-keys, --no-values  the same, with only the sizes of keys, or of values and header values
  --max-frame BYTES       the largest frame or batch to read (268435456)
  --help, --version       print this text, or the version of the tool

All compression types and all record formats that Kafka has had are supported.

The exit code is 0 on success, 1 if something could not be read (its line gives the reason), or 2 for wrong usage."""

/// The options parsed so far.
type private Given =
    { Content: Content option
      Files: string list
      Requests: string option
      Responses: string option
      Encoding: Encoding option
      Format: Format
      Api: ApiKey option
      ApiVersion: int16 option
      Response: bool
      Body: bool
      Records: bool
      Keys: bool
      Values: bool
      Limits: Limits }

let private nothing =
    { Content = None
      Files = []
      Requests = None
      Responses = None
      Encoding = None
      Format = Format.Text
      Api = None
      ApiVersion = None
      Response = false
      Body = false
      Records = false
      Keys = true
      Values = true
      Limits = Limits.standard }

let private place (name: string) = if name = "-" then Place.StandardInput else Place.File name

let private api (text: string) : Result<ApiKey, string> =
    match Int16.TryParse text with
    | true, code -> Ok(ApiKey code)
    | _ ->
        Apis.keys
        |> List.tryFind (fun key -> String.Equals(key.Name, text, StringComparison.OrdinalIgnoreCase))
        |> Option.map Ok
        |> Option.defaultWith (fun () -> Error("no API is named '" + text + "'"))

let private named (given: Given) : Result<Named option, string> =
    match given.Api, given.ApiVersion with
    | None, None when given.Response || given.Body -> Error "--response and --body need --api and --version"
    | None, None -> Ok None
    | None, Some _
    | Some _, None -> Error "--api and --version go together"
    | Some _, Some _ when not given.Response && not given.Body ->
        Error "a request's header contains its API and version: --api and --version go with --response or --body"
    | Some _, Some _ when given.Content = Some Content.Log -> Error "a log has no APIs: --api and --version go with frames and streams"
    | Some api, Some version -> Ok(Some { Api = api; Version = version; IsResponse = given.Response; IsBody = given.Body })

let private inputs (given: Given) (named: Named option) : Result<Input list, string> =
    let guess (file: string) =
        match given.Content with
        | Some content -> content
        | None when named.IsNone && file.EndsWith(".log", StringComparison.Ordinal) -> Content.Log
        | None -> Content.Frames

    match given.Requests, given.Responses, given.Files with
    | Some _, None, _
    | None, Some _, _ -> Error "--requests and --responses go together"
    | Some _, Some _, _ when named.IsSome -> Error "--api and --version cannot be combined with --requests and --responses"
    | Some _, Some _, _ when given.Content.IsSome && given.Content <> Some Content.Stream -> Error "--requests and --responses name streams"
    | Some _, Some _, file :: _ -> Error("'" + file + "' cannot be combined with --requests and --responses")
    | Some "-", Some "-", _ -> Error "only one of --requests and --responses can be standard input"
    | Some requests, Some responses, [] -> Ok [ Input.Conversation(place requests, place responses) ]
    | None, None, [] -> Ok [ Input.One(guess "-", Place.StandardInput) ]
    | None, None, files -> Ok [ for file in List.rev files -> Input.One(guess file, place file) ]

let private finish (given: Given) : Result<Command, string> =
    named given
    |> Result.bind (fun named ->
        inputs given named
        |> Result.map (fun inputs ->
            Command.Run
                { Inputs = inputs
                  Encoding = given.Encoding
                  Format = given.Format
                  Named = named
                  Records = given.Records
                  Keys = given.Keys
                  Values = given.Values
                  Limits = given.Limits }))

let private takesValue = [ "--format"; "--input"; "--api"; "--version"; "--requests"; "--responses"; "--max-frame" ]

let private option (given: Given) (name: string) (value: string) : Result<Given, string> =
    match name, value with
    | "--format", "text" -> Ok { given with Format = Format.Text }
    | "--format", "json" -> Ok { given with Format = Format.Json }
    | "--format", other -> Error("--format must be text or json, not '" + other + "'")
    | "--input", "hex" -> Ok { given with Encoding = Some Encoding.Hex }
    | "--input", "base64" -> Ok { given with Encoding = Some Encoding.Base64 }
    | "--input", "raw" -> Ok { given with Encoding = Some Encoding.Raw }
    | "--input", other -> Error("--input must be hex, base64 or raw, not '" + other + "'")
    | "--api", text -> api text |> Result.map (fun key -> { given with Api = Some key })
    | "--version", text ->
        match Int16.TryParse text with
        | true, version when version >= 0s -> Ok { given with ApiVersion = Some version }
        | _ -> Error("--version needs a version number or must be the only argument, not '" + text + "'")
    | "--max-frame", text ->
        match Int32.TryParse text with
        | true, most when most > 0 && most <= Array.MaxLength -> Ok { given with Limits = { given.Limits with MaxFrameBytes = most } }
        | _ -> Error("--max-frame needs a number of bytes from 1 to " + string Array.MaxLength + ", not '" + text + "'")
    | "--requests", file -> Ok { given with Requests = Some file }
    | _, file -> Ok { given with Responses = Some file }

/// The command of the arguments, or a line that says what is wrong with them.
let parse (arguments: string list) : Result<Command, string> =
    let rec go (given: Given) (arguments: string list) : Result<Command, string> =
        match arguments with
        | [] -> finish given
        | "--" :: files -> finish { given with Files = List.rev files @ given.Files }
        | ("--help" | "-h") :: _ -> Ok Command.Help
        | "--response" :: rest -> go { given with Response = true } rest
        | "--body" :: rest -> go { given with Body = true } rest
        | "--records" :: rest -> go { given with Records = true } rest
        | "--no-keys" :: rest -> go { given with Records = true; Keys = false } rest
        | "--no-values" :: rest -> go { given with Records = true; Values = false } rest
        | [ name ] when List.contains name takesValue -> Error(name + " needs a value")
        | name :: value :: rest when List.contains name takesValue -> option given name value |> Result.bind (fun given -> go given rest)
        | name :: rest when name.StartsWith "--" && name.Contains '=' && List.contains (name.Substring(0, name.IndexOf '=')) takesValue ->
            go given (name.Substring(0, name.IndexOf '=') :: name.Substring(name.IndexOf '=' + 1) :: rest)
        | name :: _ when name.StartsWith '-' && name <> "-" -> Error("unknown option '" + name + "'")
        | word :: rest when given.Content.IsNone && given.Files.IsEmpty ->
            match word with
            | "frames" -> go { given with Content = Some Content.Frames } rest
            | "stream" -> go { given with Content = Some Content.Stream } rest
            | "log" -> go { given with Content = Some Content.Log } rest
            | file -> go { given with Files = [ file ] } rest
        | file :: rest -> go { given with Files = file :: given.Files } rest

    match arguments with
    | [ "--version" ] -> Ok Command.Version
    | arguments -> go nothing arguments
