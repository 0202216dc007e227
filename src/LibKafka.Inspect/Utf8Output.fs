/// Lines of UTF-8 for a stream.
module LibKafka.Inspect.Utf8Output

open System
open System.Buffers
open System.IO
open LibKafka.Wire

/// What lines are written to.
type Sink =
    abstract Write: lines: ReadOnlySpan<byte> -> unit
    abstract Flush: unit -> unit

/// Collects lines and writes them when there are more than so many bytes. Everything is UTF-8 from the start, because most of what is printed is
/// UTF-8 in the input.
[<Sealed>]
type Utf8Output(sink: Sink, most: int) =
    let writer = Utf8Writer 131072

    let write () =
        sink.Write writer.Written.Span
        writer.Clear()

    new(stream: Stream) =
        let sink =
            { new Sink with
                member _.Write(lines) = stream.Write lines
                member _.Flush() = stream.Flush() }

        Utf8Output(sink, 65536)

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

    /// Writes whole lines of another output, after those of this one.
    member _.Lines(lines: ReadOnlySpan<byte>) =
        if writer.Length > 0 then write ()
        sink.Write lines

    /// Writes all lines, for a reader that waits for them.
    member _.Flush() =
        write ()
        sink.Flush()

    /// For a writer of JSON.
    member _.Buffer: IBufferWriter<byte> = writer
