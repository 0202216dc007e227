/// The text form in which the proxy records frames, and in which frames on lines are read.
module LibKafka.Inspect.Recording

open System
open System.Globalization
open System.IO
open LibKafka.Wire

/// What precedes the bytes of a frame on a line.
[<Struct>]
type Mark =
    {
        /// The number of the connection, if there are several.
        Connection: int option
        IsResponse: bool
        /// When the frame was sent, in milliseconds since the epoch.
        Time: int64 option
        /// The characters of the mark.
        Length: int
    }

/// The number of digits at the start of a text.
let private digits (text: ReadOnlySpan<byte>) : int =
    match text.IndexOfAnyExceptInRange('0'B, '9'B) with
    | -1 -> text.Length
    | count -> count

/// The most digits of a connection or a time. More belong to the bytes of a frame.
[<Literal>]
let private MostDigits = 18

let private number (text: ReadOnlySpan<byte>) : int64 option =
    match Int64.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture) with
    | true, value -> Some value
    | _ -> None

/// The mark of a line: the number of a connection, `>` for a request or `<` for a response, and `@` with a time. All of them can be missing.
let markOf (line: ReadOnlyMemory<byte>) : Mark =
    let text = line.Span
    let count = digits (text.Slice(0, min text.Length MostDigits))
    let direction = if count < text.Length then text[count] else 0uy

    if direction <> '<'B && direction <> '>'B then
        { Connection = None; IsResponse = false; Time = None; Length = 0 }
    else
        let rest = text.Slice(count + 1)
        let timeDigits =
            if rest.Length > 0 && rest[0] = '@'B then
                digits (rest.Slice(1, min (rest.Length - 1) MostDigits))
            else
                0

        { Connection = (if count = 0 then None else number (text.Slice(0, count)) |> Option.map int)
          IsResponse = (direction = '<'B)
          Time = (if timeDigits = 0 then None else number (rest.Slice(1, timeDigits)))
          Length = count + 1 + (if timeDigits = 0 then 0 else timeDigits + 1) }

/// Writes a frame as a line.
let write (output: TextWriter) (connection: int) (isResponse: bool) (time: int64) (frame: Bytes) =
    output.Write connection
    output.Write(if isResponse then "<@" else ">@")
    output.Write time
    output.Write ' '
    output.Write(Bytes.toHex frame)
    output.Write '\n'
    output.Flush()
