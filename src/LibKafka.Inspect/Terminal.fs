/// What the tool knows of the terminal that it runs in.
module LibKafka.Inspect.Terminal

open System

/// Whether colors are used.
[<RequireQualifiedAccess>]
type Colors =
    /// If the output is a terminal that has them.
    | Auto
    | Always
    | Never

type Terminal =
    {
        /// Standard input is typed by a user.
        IsInput: bool
        /// Standard output is read by a user.
        IsOutput: bool
        /// Whether the terminal has colors and the user wants them: see no-color.org.
        HasColors: bool
        /// The number of characters on a line of the output.
        Width: int
    }

[<RequireQualifiedAccess>]
module Terminal =

    /// The width of output that is not a terminal.
    let private usualWidth = 100

    /// Neither input nor output is a terminal.
    let none = { IsInput = false; IsOutput = false; HasColors = false; Width = usualWidth }

    let private width () =
        try
            Console.WindowWidth
        with _ ->
            0

    /// The terminal of this process.
    let current () : Terminal =
        let variable (name: string) = Environment.GetEnvironmentVariable name |> Option.ofObj |> Option.defaultValue ""
        let isOutput = not Console.IsOutputRedirected

        { IsInput = not Console.IsInputRedirected
          IsOutput = isOutput
          HasColors = isOutput && variable "NO_COLOR" = "" && variable "TERM" <> "dumb"
          Width = if isOutput then max (width ()) 40 else usualWidth }

    let usesColors (choice: Colors) (terminal: Terminal) : bool =
        match choice with
        | Colors.Always -> true
        | Colors.Never -> false
        | Colors.Auto -> terminal.HasColors

/// The parts of a line that have a color of their own.
[<RequireQualifiedAccess>]
type Style =
    /// Offsets and times.
    | Dim
    /// Names of APIs and of record types.
    | Name
    | Key
    | Trouble
    /// Names of files.
    | Heading

[<RequireQualifiedAccess>]
module Style =

    /// The escape sequence that ends every style.
    [<Literal>]
    let Reset = "\u001b[0m"

    /// The escape sequence that begins a style.
    let start (style: Style) : string =
        match style with
        | Style.Dim -> "\u001b[2m"
        | Style.Name -> "\u001b[36m"
        | Style.Key -> "\u001b[32m"
        | Style.Trouble -> "\u001b[31m"
        | Style.Heading -> "\u001b[1m"
