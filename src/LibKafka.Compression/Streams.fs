namespace LibKafka.Compression

open System
open System.Buffers
open System.IO

/// Reports malformed compressed data.
[<RequireQualifiedAccess>]
module internal Malformed =

    let fail (reason: string) : 'T = raise (InvalidDataException reason)

    /// The data ends too early.
    let cutOff () : 'T = fail "The compressed data is cut off."

    /// The data is complete, but other bytes follow.
    let trailing (count: int) : 'T =
        fail (string count + (if count = 1 then " byte remains" else " bytes remain") + " after the compressed data.")

/// The most bytes that may be requested from a destination before it is known that they will be filled.
module internal Room =

    [<Literal>]
    let Unclaimed = 65536

/// A forward-only stream over memory that it does not own.
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

/// Writes to a buffer writer.
[<Sealed>]
type internal DestinationStream(destination: IBufferWriter<byte>) =
    inherit ForwardStream()
    override _.CanWrite = true

    override _.Write(source: ReadOnlySpan<byte>) =
        source.CopyTo(destination.GetSpan source.Length)
        destination.Advance source.Length

    override this.Write(buffer: byte[], offset: int, count: int) = this.Write(ReadOnlySpan<byte>(buffer, offset, count))

/// Reads the source and then the mark, which begins only with a new read.
[<Sealed>]
type internal MarkedStream(source: ReadOnlyMemory<byte>, mark: byte[]) =
    inherit ForwardStream()
    let mutable rest = source
    let mutable beyond = false
    override _.CanRead = true

    /// Whether reading has reached the mark.
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
