namespace LibKafka.Compression

open System
open System.Buffers
open System.IO

/// What is wrong with packed bytes.
[<RequireQualifiedAccess>]
module internal Malformed =

    let fail (reason: string) : 'T = raise (InvalidDataException reason)

    /// The bytes end before what they say is there.
    let cutOff () : 'T = fail "The compressed data is cut off."

    /// Everything is there and something follows.
    let trailing (count: int) : 'T = fail ("Behind the compressed data there are " + string count + " more bytes.")

/// The most that may be asked of a destination without knowing that it will be filled.
module internal Room =

    [<Literal>]
    let Unclaimed = 65536

/// A stream that goes forward only, over memory that somebody else keeps.
[<AbstractClass>]
type internal ForwardStream() =
    inherit Stream()
    override _.CanSeek = false
    override _.CanRead = false
    override _.CanWrite = false
    override _.Flush() = ()
    override _.Length: int64 = raise (NotSupportedException())

    override _.Position
        with get (): int64 = raise (NotSupportedException())
        and set (_: int64) = raise (NotSupportedException())

    override _.Seek(_, _) : int64 = raise (NotSupportedException())
    override _.SetLength _ = raise (NotSupportedException())
    override _.Read(_: byte[], _: int, _: int) : int = raise (NotSupportedException())
    override _.Write(_: byte[], _: int, _: int) : unit = raise (NotSupportedException())

/// Passes on what is written to it.
[<Sealed>]
type internal DestinationStream(destination: IBufferWriter<byte>) =
    inherit ForwardStream()
    override _.CanWrite = true

    override _.Write(source: ReadOnlySpan<byte>) =
        source.CopyTo(destination.GetSpan source.Length)
        destination.Advance source.Length

    override this.Write(buffer: byte[], offset: int, count: int) = this.Write(ReadOnlySpan<byte>(buffer, offset, count))

/// Gives the source and then, not before it is asked for more, the mark.
[<Sealed>]
type internal MarkedStream(source: ReadOnlyMemory<byte>, mark: byte[]) =
    inherit ForwardStream()
    let mutable rest = source
    let mutable beyond = false
    override _.CanRead = true

    /// Whether the source was not enough.
    member _.IsBeyond = beyond

    override _.Read(buffer: Span<byte>) : int =
        if rest.IsEmpty && not beyond then
            beyond <- true
            rest <- ReadOnlyMemory<byte> mark

        let count = min buffer.Length rest.Length
        rest.Span.Slice(0, count).CopyTo buffer
        rest <- rest.Slice count
        count

    override this.Read(buffer: byte[], offset: int, count: int) : int = this.Read(Span<byte>(buffer, offset, count))
