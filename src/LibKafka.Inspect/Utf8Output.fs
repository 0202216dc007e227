/// Lines of UTF-8 for a stream.
module LibKafka.Inspect.Utf8Output

open System
open System.Buffers
open System.IO
open LibKafka.Wire

/// Collects lines and writes them to a stream. Everything is UTF-8 from the start, because most of what is printed is UTF-8 in the input.
[<Sealed>]
type Utf8Output(stream: Stream) =
    static let most = 65536
    let writer = Utf8Writer(2 * most)

    let write () =
        stream.Write writer.Written.Span
        writer.Clear()

    member _.Add(text: ReadOnlySpan<byte>) = writer.Utf8 text
    member _.Add(text: string) = writer.Text text
    member _.Add(character: byte) = writer.Byte character
    member _.Add(number: int64) = writer.Integer number

    /// Ends a line.
    member _.EndLine() =
        writer.Byte '\n'B
        if writer.Length >= most then write ()

    member this.Line(text: string) =
        this.Add text
        this.EndLine()

    /// Writes all lines, for a reader that waits for them.
    member _.Flush() =
        write ()
        stream.Flush()

    /// For a writer of JSON.
    member _.Buffer: IBufferWriter<byte> = writer
