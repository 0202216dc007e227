/// Runs the tool with its arguments.
module LibKafka.Inspect.Program

open System
open System.IO
open System.Net.Sockets
open System.Threading
open Microsoft.Win32.SafeHandles
open LibKafka.Wire
open LibKafka.Inspect.Utf8Output
open LibKafka.Inspect.Terminal
open LibKafka.Inspect.Options
open LibKafka.Inspect.Input
open LibKafka.Inspect.Output
open LibKafka.Inspect.TextOutput
open LibKafka.Inspect.JsonOutput
open LibKafka.Inspect.Follow
open LibKafka.Inspect.Proxy
open LibKafka.Inspect.Parts
open LibKafka.Inspect.Inspection

/// What the tool runs in.
[<NoEquality; NoComparison>]
type Surroundings =
    {
        Terminal: Terminal
        Input: Stream
        Output: Stream
        Complaints: TextWriter
        /// Ends `--follow`.
        Cancellation: CancellationToken
        /// How a large log file is divided among threads.
        Division: Division
    }

[<RequireQualifiedAccess>]
module Surroundings =

    /// Nothing to read, and nothing that is printed is kept.
    let none =
        { Terminal = Terminal.none
          Input = Stream.Null
          Output = Stream.Null
          Complaints = TextWriter.Null
          Cancellation = CancellationToken.None
          Division = Division.standard }

let private complain (surroundings: Surroundings) (line: string) = surroundings.Complaints.Write("libkafka-inspect: " + line + "\n")

let private name (place: Place) =
    match place with
    | Place.StandardInput -> "standard input"
    | Place.File path -> path

/// What a user at a terminal must type, if the tool reads from the terminal.
let private prompt (options: Options) (content: Content) : string =
    let bytes =
        match content, options.Encoding with
        | Content.Frames, Some Encoding.Raw -> "a frame as raw bytes"
        | Content.Frames, Some Encoding.Base64 -> "frames in base64, one on each line"
        | Content.Frames, _ -> "frames in hex, one on each line"
        | Content.Stream, Some Encoding.Hex -> "a stream of frames in hex"
        | Content.Stream, Some Encoding.Base64 -> "a stream of frames in base64"
        | Content.Stream, _ -> "a stream of frames as raw bytes"
        | Content.Capture, _ -> "a packet capture as raw bytes"
        | _, Some Encoding.Hex -> "a log in hex"
        | _, Some Encoding.Base64 -> "a log in base64"
        | _ -> "a log as raw bytes"

    "waiting for " + bytes + ", from the terminal; Ctrl-D ends the input (--help lists other inputs)"

/// Opens a place and passes it to an action.
let private reading (surroundings: Surroundings) (fail: unit -> unit) (place: Place) (read: Stream -> unit) =
    try
        match place with
        | Place.StandardInput -> read surroundings.Input
        | Place.File path ->
            use file = openFile path
            read file
    with :? InputFailure as failure ->
        fail ()
        complain surroundings ("cannot read " + name place + ": " + failure.Message)

/// Runs a proxy until cancellation.
let private proxy (limits: Limits) (settings: ProxySettings) (inspection: Inspection) (surroundings: Surroundings) =
    try
        use recording =
            match settings.Record with
            | Some path -> createText path
            | None -> TextWriter.Null

        let sink =
            { Show = inspection.Show
              Record = fun connection isResponse time frame -> Recording.write recording connection isResponse time frame
              Report = complain surroundings }

        Proxy(settings, limits, sink).Run surroundings.Cancellation
    with
    | :? SocketException as failure ->
        inspection.Fail()
        complain surroundings ("cannot listen on " + string settings.Listen + ": " + failure.Message)
    | :? InputFailure as failure ->
        inspection.Fail()
        complain surroundings failure.Message

let private inspect (options: Options) (surroundings: Surroundings) (output: Utf8Output) : int =
    let printer: Printer =
        match options.Format with
        | Format.Text -> TextPrinter(output, options, Terminal.usesColors options.Colors surroundings.Terminal)
        | Format.Json -> JsonPrinter(output, options)

    let inspection = Inspection(options, printer, output, surroundings.Terminal.Width, surroundings.Division)
    let reading = reading surroundings inspection.Fail

    /// The segments of a partition from one on, as the broker begins them.
    let rec follow (path: string) =
        reading (Place.File path) (fun file ->
            use growing = new FollowedFile(file, path, surroundings.Cancellation)
            inspection.One(Content.Log, Place.File path, None, growing, complain surroundings))

        match nextSegment path with
        | Some next when not surroundings.Cancellation.IsCancellationRequested ->
            printer.File next
            follow next
        | _ -> ()

    for source in options.Inputs do
        match source with
        | Input.One(Content.Log, Place.File path) when options.Follow -> follow path
        | Input.One(content, place) ->
            let isOneOfMany = options.Inputs.Length > 1
            if isOneOfMany then printer.File(name place)

            if place = Place.StandardInput && surroundings.Terminal.IsInput then
                complain surroundings (prompt options content)

            reading place (fun input ->
                inspection.One(content, place, (if isOneOfMany then Some(name place) else None), input, complain surroundings))
        | Input.Proxy settings -> proxy options.Limits settings inspection surroundings
        | Input.Conversation(requests, responses) ->
            reading requests (fun requests -> reading responses (fun responses -> inspection.Conversation(requests, responses)))

    if inspection.IsWhole then 0 else 1

let private version () =
    match typeof<Inspection>.Assembly.GetName().Version with
    | null -> "libkafka-inspect"
    | version -> "libkafka-inspect " + version.ToString 3

/// Runs the tool with its arguments. Returns the exit code.
let runIn (surroundings: Surroundings) (arguments: string list) : int =
    let output = Utf8Output surroundings.Output

    let code =
        match parse arguments with
        | Ok(Command.Run options) -> inspect options surroundings output
        | Ok Command.Help ->
            output.Line help
            0
        | Ok Command.Version ->
            output.Line(version ())
            0
        | Error reason ->
            complain surroundings (reason + "; see --help")
            2

    output.Flush()
    code

/// Runs the tool with its arguments, standard input, output and error output, none of which is a terminal. Returns the exit code.
let run (arguments: string list) (input: Stream) (output: Stream) (complaints: TextWriter) : int =
    runIn { Surroundings.none with Input = input; Output = output; Complaints = complaints } arguments

/// The error number of Unix for a pipe that no one reads from any more.
[<Literal>]
let private BrokenPipe = 32

/// Standard output. .NET's own stream for it discards what is written to a pipe that has been closed; this one throws. It is used only for
/// what has no position, because it would not move the position that other processes see.
let private standardOutput () : Stream =
    if OperatingSystem.IsWindows() then
        Console.OpenStandardOutput()
    else
        let direct = new FileStream(new SafeFileHandle(1n, false), FileAccess.Write, 0)

        if direct.CanSeek then
            Console.OpenStandardOutput()
        else
            OutputWatch.exitWhenClosed ()
            direct

[<EntryPoint>]
let main arguments =
    use input = Console.OpenStandardInput()

    let surroundings =
        { Surroundings.none with
            Terminal = Terminal.current ()
            Input = input
            Output = standardOutput ()
            Complaints = Console.Error }

    try
        runIn surroundings (List.ofArray arguments)
    with
    // The reader, such as `head`, has seen enough.
    | :? IOException as failure when failure.HResult = BrokenPipe -> 0
    | :? IOException as failure ->
        complain surroundings ("cannot write: " + failure.Message)
        1
    // Standard output is closed.
    | :? UnauthorizedAccessException as failure ->
        complain surroundings ("cannot write: " + failure.Message)
        1
