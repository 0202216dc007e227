/// Bytes as they come out of files and standard input, raw or spelled in letters, bit by bit: what is held in memory is one frame, one
/// batch or one line.
module LibKafka.Inspect.Input

open System
open System.Collections.Generic
open System.IO
open LibKafka.Wire
open LibKafka.Inspect.Options

/// Something that cannot be read. Offsets count from the start of the input.
type Trouble =
    {
        /// Where it shows.
        At: int64
        /// The field it concerns, as in a fault; empty where there is none.
        Path: string
        Reason: string
    }

/// Raised where an input cannot be read, be it a file that is not there.
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

/// The file, while others may write to it, move it or delete it.
let openFile (path: string) : Stream =
    guarded (fun () -> new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite ||| FileShare.Delete))

let private readInto (stream: Stream) (buffer: byte[]) (offset: int) (count: int) : int =
    guarded (fun () -> stream.Read(buffer, offset, count))

let private isSpace (letter: byte) = letter = ' 'B || (letter >= '\t'B && letter <= '\r'B)

let private quote (letter: byte) =
    if letter > ' 'B && letter < 0x7Fuy then
        "'" + string (char letter) + "'"
    else
        "byte 0x" + letter.ToString "x2"

/// Letters that spell bytes. What they cannot say is a FormatException. One speller is good for one run of letters.
[<AbstractClass>]
type Spelling() =
    /// Takes the next letter and adds what it completes. White space is passed over.
    abstract Take: letter: byte * bytes: List<byte> -> unit
    /// Takes the end.
    abstract Finish: bytes: List<byte> -> unit

    /// What one line spells, or how many bytes it spells before the letter that is wrong, and the reason.
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
            Error(int64 bytes.Count, wrong.Message + " (letter " + string (at + 1) + ")")

/// Pairs of hexadecimal digits. Colons may stand between them.
[<Sealed>]
type private HexSpelling() =
    inherit Spelling()
    let mutable high = -1

    override _.Take(letter, bytes) =
        if Char.IsAsciiHexDigit(char letter) then
            let digit = if letter <= '9'B then int letter - int '0'B else (int letter &&& 0x0F) + 9

            if high < 0 then
                high <- digit
            else
                bytes.Add(byte ((high <<< 4) ||| digit))
                high <- -1
        elif not (isSpace letter || letter = ':'B) then
            raise (FormatException(quote letter + " is no hexadecimal digit"))

    override _.Finish _ =
        if high >= 0 then
            raise (FormatException "the last hexadecimal digit has no partner")

/// Base64, also the URL-safe kind, with or without padding; several may stand one behind another where they are padded.
[<Sealed>]
type private Base64Spelling() =
    inherit Spelling()
    let mutable bits = 0u
    let mutable letters = 0
    let mutable padding = 0

    let flush (bytes: List<byte>) =
        if letters = 1 then raise (FormatException "base64 is cut off within a byte")

        for i in 0 .. letters - 2 do
            bytes.Add(byte ((bits <<< (6 * (4 - letters))) >>> (16 - 8 * i)))

        bits <- 0u
        letters <- 0
        padding <- 0

    override _.Take(letter, bytes) =
        let value =
            match char letter with
            | l when Char.IsAsciiLetterUpper l -> int letter - int 'A'B
            | l when Char.IsAsciiLetterLower l -> int letter - int 'a'B + 26
            | l when Char.IsAsciiDigit l -> int letter - int '0'B + 52
            | '+'
            | '-' -> 62
            | '/'
            | '_' -> 63
            | _ -> -1

        if letter = '='B && letters >= 2 then
            padding <- padding + 1
            if letters + padding = 4 then flush bytes
        elif value >= 0 && padding = 0 then
            bits <- (bits <<< 6) ||| uint32 value
            letters <- letters + 1
            if letters = 4 then flush bytes
        elif not (isSpace letter) then
            raise (FormatException(quote letter + " is not base64 here"))

    override _.Finish bytes =
        if padding > 0 then
            raise (FormatException "base64 is cut off within its padding")
        if letters > 0 then flush bytes

[<RequireQualifiedAccess>]
module Spelling =

    /// Pairs of hexadecimal digits, with colons and white space between them as you like.
    let hex () : Spelling = HexSpelling()

    /// Base64 of any kind.
    let base64 () : Spelling = Base64Spelling()

/// Raised where the letters of an input do not spell bytes.
[<Sealed>]
type Misspelt(position: int64, reason: string) =
    inherit Exception(reason)
    /// Letters before the one that is wrong.
    member _.Position = position

[<RequireQualifiedAccess>]
module Trouble =

    let at (offset: int64) (path: string) (reason: string) : Trouble = { At = offset; Path = path; Reason = reason }

    /// A fault in bytes that begin at an offset.
    let ofFault (start: int64) (fault: Fault) : Trouble = at (start + int64 fault.Offset) fault.Path (fault.Problem.ToString())

    /// An input stopped spelling bytes behind those that are in front of an offset.
    let ofSpelling (offset: int64) (wrong: Misspelt) : Trouble =
        at offset "" (wrong.Message + " (letter " + string (wrong.Position + 1L) + ")")

/// The bytes that a stream of letters spells.
[<Sealed>]
type private Spelled(stream: Stream, spelling: Spelling) =
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
                spelling.Finish bytes

            for i in 0 .. count - 1 do
                spelling.Take(text[i], bytes)
                position <- position + 1L
        with :? FormatException as failure ->
            // What was spelled before it comes first.
            wrong <- ValueSome failure.Message
            ended <- true

    member _.Read(buffer: byte[], offset: int, count: int) : int =
        while given = bytes.Count && not ended do
            refill ()

        match wrong with
        | ValueSome reason when given = bytes.Count -> raise (Misspelt(position, reason))
        | _ ->
            let size = min count (bytes.Count - given)
            bytes.CopyTo(given, buffer, offset, size)
            given <- given + size
            size

/// An input that is read from front to back.
[<Sealed>]
type Intake(stream: Stream, spelling: Spelling voption) =
    let spelled = spelling |> ValueOption.map (fun spelling -> Spelled(stream, spelling))
    let mutable position = 0L

    /// Bytes read so far.
    member _.Position = position

    /// The bytes given and as many behind them as make up `total`; fewer only at the end of the input. Memory is taken for the bytes that come, not for
    /// what a length promises.
    member _.Fill(start: byte[], total: int) : byte[] =
        let mutable buffer = start
        let mutable have = start.Length
        let mutable more = true

        while more && have < total do
            if have = buffer.Length then
                Array.Resize(&buffer, int (min (int64 total) (max 4096L (2L * int64 have))))

            let count =
                match spelled with
                | ValueSome spelled -> spelled.Read(buffer, have, buffer.Length - have)
                | ValueNone -> readInto stream buffer have (buffer.Length - have)

            have <- have + count
            position <- position + int64 count
            more <- count > 0

        if have < buffer.Length then Array.Resize(&buffer, have)
        buffer

/// One line of text.
[<Struct; NoEquality; NoComparison>]
type Line =
    {
        /// From 1.
        Number: int64
        /// Without its end and the white space around it; only the beginning of a line that is too long.
        Text: ReadOnlyMemory<byte>
        IsTooLong: bool
    }

/// The lines of a text, of which no more than `most` bytes are kept.
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
