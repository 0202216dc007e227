/// Reads bytes from files and standard input, raw or as hex or base64. Only one frame, batch or line is in memory at a time.
module LibKafka.Inspect.Input

open System
open System.Collections.Generic
open System.IO
open LibKafka.Wire

/// A part of the input that cannot be read.
type Trouble =
    {
        /// The offset of the problem from the start of the input.
        At: int64
        /// The field with the problem, as in a fault; empty if there is none.
        Path: string
        Reason: string
    }

/// Raised if an input cannot be read, for example because the file does not exist.
[<Sealed>]
type InputFailure(reason: string) =
    inherit Exception(reason)

let private guarded (work: unit -> 'T) : 'T =
    try
        work ()
    with
    | :? IOException
    | :? UnauthorizedAccessException
    | :? ArgumentException
    | :? NotSupportedException as failure -> raise (InputFailure failure.Message)

/// Opens a file for reading. Other processes may write to it, move it or delete it meanwhile. It has no buffer, because its readers have one.
let openFile (path: string) : Stream =
    if Directory.Exists path then
        raise (InputFailure "it is a directory; give the names of its files")

    let share = FileShare.ReadWrite ||| FileShare.Delete
    guarded (fun () -> new FileStream(path, FileMode.Open, FileAccess.Read, share, 0, FileOptions.SequentialScan))

/// Creates a text file for writing, in place of one that exists.
let createText (path: string) : TextWriter =
    try
        guarded (fun () -> new StreamWriter(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read)))
    with :? InputFailure as failure ->
        raise (InputFailure("cannot write " + path + ": " + failure.Message))

/// The whole content of a file. `most` is the largest size that is read.
let wholeFile (path: string) (most: int) : byte[] =
    use file = openFile path

    if file.Length > int64 most then
        raise (InputFailure(string file.Length + " bytes exceed the limit of " + string most))

    guarded (fun () ->
        let content = Array.zeroCreate<byte>(int file.Length)
        file.ReadExactly content
        content)

/// Reads at least one byte, or none at the end of the stream.
let readInto (stream: Stream) (buffer: byte[]) (offset: int) (count: int) : int = guarded (fun () -> stream.Read(buffer, offset, count))

let private isSpace (character: byte) = character = ' 'B || (character >= '\t'B && character <= '\r'B)

let private quote (character: byte) =
    if character > ' 'B && character < 0x7Fuy then
        "'" + string (char character) + "'"
    else
        "byte 0x" + character.ToString "x2"

/// Decodes bytes from text. Invalid text is a FormatException. An instance serves for one text.
[<AbstractClass>]
type TextDecoder() =
    /// Takes the next character and adds the byte that it completes, if any. White space is skipped.
    abstract Take: character: byte * bytes: List<byte> -> unit
    /// Takes the end of the text.
    abstract Finish: bytes: List<byte> -> unit

    /// The bytes of one line, or the number of bytes before an invalid character and the reason.
    member this.Line(text: ReadOnlyMemory<byte>) : Result<byte[], int64 * string> =
        let bytes = List<byte>(text.Length / 2)
        let mutable at = 0

        try
            while at < text.Length do
                this.Take(text.Span[at], bytes)
                at <- at + 1

            this.Finish bytes
            Ok(bytes.ToArray())
        with :? FormatException as wrong ->
            Error(int64 bytes.Count, wrong.Message + " (character " + string (at + 1) + ")")

/// Decodes pairs of hexadecimal digits, optionally separated by colons.
[<Sealed>]
type private HexDecoder() =
    inherit TextDecoder()
    let mutable high = -1

    override _.Take(character, bytes) =
        if Char.IsAsciiHexDigit(char character) then
            let digit = if character <= '9'B then int character - int '0'B else (int character &&& 0x0F) + 9

            if high < 0 then
                high <- digit
            else
                bytes.Add(byte ((high <<< 4) ||| digit))
                high <- -1
        elif not (isSpace character || character = ':'B) then
            raise (FormatException(quote character + " is not a hexadecimal digit"))

    override _.Finish _ =
        if high >= 0 then
            raise (FormatException "the number of hexadecimal digits is odd")

/// Decodes base64, standard or URL-safe, with or without padding. Several padded texts may follow one another.
[<Sealed>]
type private Base64Decoder() =
    inherit TextDecoder()
    let mutable bits = 0u
    let mutable letters = 0
    let mutable padding = 0

    let flush (bytes: List<byte>) =
        if letters = 1 then raise (FormatException "the base64 ends within a byte")

        for i in 0 .. letters - 2 do
            bytes.Add(byte ((bits <<< (6 * (4 - letters))) >>> (16 - 8 * i)))

        bits <- 0u
        letters <- 0
        padding <- 0

    override _.Take(character, bytes) =
        let value =
            match char character with
            | l when Char.IsAsciiLetterUpper l -> int character - int 'A'B
            | l when Char.IsAsciiLetterLower l -> int character - int 'a'B + 26
            | l when Char.IsAsciiDigit l -> int character - int '0'B + 52
            | '+'
            | '-' -> 62
            | '/'
            | '_' -> 63
            | _ -> -1

        if character = '='B && letters >= 2 then
            padding <- padding + 1
            if letters + padding = 4 then flush bytes
        elif value >= 0 && padding = 0 then
            bits <- (bits <<< 6) ||| uint32 value
            letters <- letters + 1
            if letters = 4 then flush bytes
        elif not (isSpace character) then
            raise (FormatException(quote character + " is not valid base64 here"))

    override _.Finish bytes =
        if padding > 0 then raise (FormatException "the base64 ends within its padding")
        if letters > 0 then flush bytes

[<RequireQualifiedAccess>]
module TextDecoder =

    /// Decodes pairs of hexadecimal digits, optionally separated by colons and white space.
    let hex () : TextDecoder = HexDecoder()

    /// Decodes base64, standard or URL-safe.
    let base64 () : TextDecoder = Base64Decoder()

/// Raised if the text of an input cannot be decoded.
[<Sealed>]
type InvalidText(position: int64, reason: string) =
    inherit Exception(reason)
    /// The number of characters before the invalid one.
    member _.Position = position

[<RequireQualifiedAccess>]
module Trouble =

    let at (offset: int64) (path: string) (reason: string) : Trouble = { At = offset; Path = path; Reason = reason }

    /// A fault in bytes that start at an offset of the input.
    let ofFault (start: int64) (fault: Fault) : Trouble = at (start + int64 fault.Offset) fault.Path (fault.Problem.ToString())

    /// Text that cannot be decoded, after the bytes up to an offset.
    let ofText (offset: int64) (wrong: InvalidText) : Trouble =
        at offset "" (wrong.Message + " (character " + string (wrong.Position + 1L) + ")")

/// The bytes of a stream of text.
[<Sealed>]
type private DecodedText(stream: Stream, decoder: TextDecoder) =
    let text = Array.zeroCreate<byte> 16384
    let bytes = List<byte>()
    let mutable given = 0
    let mutable position = 0L
    let mutable wrong: string voption = ValueNone
    let mutable ended = false

    let refill () =
        bytes.Clear()
        given <- 0
        let count = readInto stream text 0 text.Length

        try
            if count = 0 then
                ended <- true
                decoder.Finish bytes

            for i in 0 .. count - 1 do
                decoder.Take(text[i], bytes)
                position <- position + 1L
        with :? FormatException as failure ->
            // The bytes before the invalid character are returned first.
            wrong <- ValueSome failure.Message
            ended <- true

    member _.Read(buffer: byte[], offset: int, count: int) : int =
        while given = bytes.Count && not ended do
            refill ()

        match wrong with
        | ValueSome reason when given = bytes.Count -> raise (InvalidText(position, reason))
        | _ ->
            let size = min count (bytes.Count - given)
            bytes.CopyTo(given, buffer, offset, size)
            given <- given + size
            size

/// A stream whose bytes may still change.
[<AbstractClass>]
type GrowingStream() =
    inherit Stream()

    /// Waits for a while and goes back to a position, to read what has been written there in the meantime. False if nothing more is written.
    abstract Reread: position: int64 -> bool

    override _.CanRead = true
    override _.CanSeek = false
    override _.CanWrite = false
    override _.Length = raise (NotSupportedException())

    override _.Position
        with get () = raise (NotSupportedException())
        and set _ = raise (NotSupportedException())

    override _.Flush() = ()
    override _.Seek(_, _) = raise (NotSupportedException())
    override _.SetLength _ = raise (NotSupportedException())
    override _.Write(_: byte[], _: int, _: int) = raise (NotSupportedException())

/// How many bytes are read at once.
[<Literal>]
let private Chunk = 131072

/// An input that is read sequentially.
[<Sealed>]
type ByteReader private (stream: Stream, decoder: TextDecoder voption, first: byte[], count: int, at: int64) =
    let decoded = decoder |> ValueOption.map (fun decoder -> DecodedText(stream, decoder))
    // The bytes that have arrived and have not been taken lie from `start` to `finish`.
    let mutable buffer = first
    let mutable start = 0
    let mutable finish = count
    let mutable position = at

    let read (offset: int) (count: int) : int =
        match decoded with
        | ValueSome decoded -> decoded.Read(buffer, offset, count)
        | ValueNone -> readInto stream buffer offset count

    /// Moves the bytes to the start of the buffer. A full buffer is replaced by a larger one: memory is allocated for the bytes that arrive,
    /// not for those that are wanted.
    let makeRoom (wanted: int) =
        let have = finish - start
        let isFull = have = buffer.Length
        let next = if isFull then Array.zeroCreate (max Chunk (int (min (int64 wanted) (2L * int64 have)))) else buffer
        Buffer.BlockCopy(buffer, start, next, 0, have)
        buffer <- next
        start <- 0
        finish <- have

    /// Reads until so many bytes are in the buffer, or the input ends.
    let arrive (wanted: int) =
        let mutable more = true

        while more && finish - start < wanted do
            if finish = buffer.Length || (start > 0 && buffer.Length - start < wanted) then
                makeRoom wanted

            let count = read finish (buffer.Length - finish)
            finish <- finish + count
            more <- count > 0

    /// Reads a stream, whose text is decoded if there is a decoder.
    new(stream: Stream, decoder: TextDecoder voption) = ByteReader(stream, decoder, Array.empty, 0, 0L)

    /// Reads the rest of a stream, which is at this position of the input.
    static member Rest(stream: Stream, position: int64) = ByteReader(stream, ValueNone, Array.empty, 0, position)

    /// Reads bytes that are at this position of the input. They must not change meanwhile.
    static member OfBytes(bytes: byte[], count: int, position: int64) = ByteReader(Stream.Null, ValueNone, bytes, count, position)

    /// The position in the input: the number of bytes before it.
    member _.Position = position

    /// The number of bytes that have arrived.
    member _.Arrived = position + int64 (finish - start)

    /// All bytes that have arrived: at least so many, or fewer at the end of the input. They are not taken, and are valid until the next call.
    member _.PeekAll(least: int) : Bytes =
        arrive least
        Bytes(ReadOnlyMemory<byte>(buffer, start, finish - start))

    /// Reads again, after a while, the bytes that have not been taken. False if they do not change any more.
    member _.Reread() : bool =
        match stream, decoded with
        | (:? GrowingStream as growing), ValueNone when growing.Reread position ->
            start <- 0
            finish <- 0
            true
        | _ -> false

    /// Takes bytes that have been peeked.
    member _.Skip(count: int) =
        start <- start + count
        position <- position + int64 count

    /// Takes the next bytes, or fewer at the end of the input.
    member this.Take(count: int) : byte[] =
        let arrived = this.PeekAll count
        let bytes = arrived.Slice(0, min count arrived.Length).ToArray()
        this.Skip bytes.Length
        bytes

/// One line of text.
[<Struct; NoEquality; NoComparison>]
type Line =
    {
        /// Counts from 1.
        Number: int64
        /// The text without the line end and surrounding white space. Of a line that is too long, only the start.
        Text: ReadOnlyMemory<byte>
        IsTooLong: bool
    }

/// The lines of a text. At most `most` bytes of a line are kept.
[<Sealed>]
type Lines(stream: Stream, most: int) =
    let chunk = Array.zeroCreate<byte> 16384
    let mutable filled = 0
    let mutable at = 0
    let mutable number = 0L

    let refill () =
        filled <- readInto stream chunk 0 chunk.Length
        at <- 0
        filled > 0

    member _.Next() : Line voption =
        if at = filled && not (refill ()) then
            ValueNone
        else
            use text = new MemoryStream()
            let mutable tooLong = false
            let mutable more = true

            while more do
                let rest = ReadOnlySpan<byte>(chunk, at, filled - at)
                let stop = rest.IndexOf '\n'B
                let size = if stop >= 0 then stop else rest.Length

                if int64 size > int64 most - text.Length then tooLong <- true else text.Write(rest.Slice(0, size))

                at <- at + (if stop >= 0 then stop + 1 else size)
                more <- stop < 0 && (at < filled || refill ())

            number <- number + 1L
            let all = ReadOnlyMemory<byte>(text.GetBuffer(), 0, int text.Length)
            let mutable start = 0
            let mutable finish = all.Length

            while start < finish && isSpace (all.Span[start]) do
                start <- start + 1

            while finish > start && isSpace (all.Span[finish - 1]) do
                finish <- finish - 1

            ValueSome { Number = number; Text = all.Slice(start, finish - start); IsTooLong = tooLong }
