namespace LibKafka.Wire

open System
open System.Buffers.Binary
open System.Text
open System.Text.Unicode

/// The path to a place in a message: field names and element indexes. It is kept only while a fault is located.
[<Sealed>]
type internal Trail(root: string) =
    let steps = Collections.Generic.Stack<string>()
    do steps.Push root

    /// Enters a field.
    member _.Field(name: string) = steps.Push("/" + name)

    /// Enters an element of an array.
    member _.Element(index: int) = steps.Push("[" + string index + "]")

    /// Leaves a field or element.
    member _.Leave() = steps.Pop() |> ignore

    override _.ToString() = String.Concat(steps.ToArray() |> Array.rev)

/// The place of a tagged field's value.
[<Struct; NoEquality; NoComparison>]
type internal TagEntry = { Tag: uint32; Start: int; Size: int }

/// The size of objects on a 64-bit runtime, in bytes. An object has 16 bytes besides its fields, and takes a multiple of 8.
[<RequireQualifiedAccess>]
module internal HeapSize =

    let private rounded (size: int64) : int64 = (size + 7L) &&& ~~~7L

    /// An object with fields of these sizes in total.
    let ofObject (fields: int) : int64 = 16L + rounded (int64 fields)

    /// A string of UTF-8 text, at most: one with a character for each byte.
    let ofText (bytes: int) : int64 = rounded (22L + 2L * int64 bytes)

    let ofArray (element: int) (count: int) : int64 = rounded (24L + int64 element * int64 count)

    /// An element of a list: the object that has the value and the reference to the next.
    let ofElement<'T> () : int64 = 24L + rounded (int64 sizeof<'T>)

    /// `Some` value.
    let ofSome<'T> () : int64 = ofObject sizeof<'T>

[<RequireQualifiedAccess>]
module private Segment =

    /// The array that has the bytes. No bytes may have none.
    let array (segment: ArraySegment<byte>) : byte[] =
        match segment.Array with
        | null -> Array.empty
        | array -> array

/// A cursor over bytes to decode. Every read is checked against the remaining bytes, and a failed one throws the internal fault exception
/// with its offset. A count or length is checked against the remaining bytes before anything is allocated from it, and so is the memory of
/// the values against `maxDecoded`.
[<Sealed>]
type Reader internal (bytes: Bytes, most: int64) =
    let segment = Bytes.segment bytes
    // The memory of the bytes, if it is lent.
    let mutable owner = LentMemory.owning bytes
    let mutable buffer = Segment.array segment
    let mutable start = segment.Offset
    let mutable count = segment.Count
    let mutable maxDecoded = most
    let mutable position = segment.Offset
    let mutable decoded = 0L
    let mutable finish = segment.Offset + segment.Count
    let mutable trail: Trail | null = null
    // The tagged section of the current struct; null until it has been opened.
    let mutable tags: TagEntry[] | null = null

    /// A reader without bytes.
    internal new() = Reader(Bytes.empty, 0L)

    /// Begins to read other bytes, so that one reader serves for many messages.
    member internal this.Load(bytes: Bytes, most: int64) =
        let segment = Bytes.segment bytes
        owner <- LentMemory.owning bytes
        buffer <- Segment.array segment
        start <- segment.Offset
        count <- segment.Count
        maxDecoded <- most
        trail <- null
        this.Restart(0, 0L)

    /// The number of bytes read so far.
    member _.Offset = position - start

    /// The number of bytes that remain.
    member _.Remaining = finish - position

    member internal _.Trail
        with get () = trail
        and set value = trail <- value

    /// The memory that the values read so far take, in bytes.
    member internal _.Decoded = decoded

    /// Returns to an offset between two messages, even from the middle of one, with the memory that was counted up to there.
    member internal _.Restart(offset: int, decodedBefore: int64) =
        position <- start + offset
        finish <- start + count
        decoded <- decodedBefore
        tags <- null

    member internal this.Fail(problem: Problem) : 'T = Fault.raise' problem this.Offset

    /// Counts memory that is about to be allocated for a value whose bytes have been read. So bytes that are too few are refused for that, and
    /// not for the memory of a value that they do not contain.
    member internal this.Charge(size: int64) =
        decoded <- decoded + size
        if decoded > maxDecoded then this.Fail(Problem.DecodedTooLarge maxDecoded)

    member private this.Take(size: int) : int =
        let at = position

        if size > finish - at then this.Fail(Problem.Truncated(int64 size, finish - at))

        position <- at + size
        at

    member this.Int8() : int8 = sbyte buffer[this.Take 1]

    member this.Int16() : int16 = BinaryPrimitives.ReadInt16BigEndian(ReadOnlySpan<byte>(buffer, this.Take 2, 2))

    member this.UInt16() : uint16 = BinaryPrimitives.ReadUInt16BigEndian(ReadOnlySpan<byte>(buffer, this.Take 2, 2))

    member this.Int32() : int32 = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan<byte>(buffer, this.Take 4, 4))

    member this.UInt32() : uint32 = BinaryPrimitives.ReadUInt32BigEndian(ReadOnlySpan<byte>(buffer, this.Take 4, 4))

    member this.Int64() : int64 = BinaryPrimitives.ReadInt64BigEndian(ReadOnlySpan<byte>(buffer, this.Take 8, 8))

    member this.Float64() : float = BinaryPrimitives.ReadDoubleBigEndian(ReadOnlySpan<byte>(buffer, this.Take 8, 8))

    member this.Uuid() : Guid = Guid(ReadOnlySpan<byte>(buffer, this.Take 16, 16), true)

    // Most lengths and tags take one byte.

    member _.UnsignedVarint() : uint32 =
        if position < finish && buffer[position] < 0x80uy then
            position <- position + 1
            uint32 buffer[position - 1]
        else
            let mutable at = position - start
            let value = Varint.read32 (ReadOnlySpan<byte>(buffer, start, finish - start)) &at
            position <- start + at
            value

    member _.UnsignedVarlong() : uint64 =
        if position < finish && buffer[position] < 0x80uy then
            position <- position + 1
            uint64 buffer[position - 1]
        else
            let mutable at = position - start
            let value = Varint.read64 (ReadOnlySpan<byte>(buffer, start, finish - start)) &at
            position <- start + at
            value

    /// A length or count: an int32, or its compact form. -1 means null.
    member private this.WireLength(compact: bool) : int64 =
        let length = if compact then int64 (this.UnsignedVarint()) - 1L else int64 (this.Int32())
        if length < -1L then this.Fail(Problem.NegativeLength length)
        length

    /// The length of a string: an int16, or its compact form. Both allow at most 32,767 bytes. -1 means null.
    member internal this.StringLength(compact: bool) : int =
        let length = if compact then int64 (this.UnsignedVarint()) - 1L else int64 (this.Int16())
        if length < -1L then this.Fail(Problem.NegativeLength length)
        if length > int64 Int16.MaxValue then
            this.Fail(Problem.TooLong(length, int64 Int16.MaxValue))
        int length

    /// The length of bytes. -1 means null.
    member internal this.Length(compact: bool) : int =
        let length = this.WireLength compact
        if length > int64 this.Remaining then
            this.Fail(Problem.Truncated(length, this.Remaining))
        int length

    /// The count of an array. It is a fault if the remaining bytes cannot hold so many elements. -1 means null.
    member internal this.Count(compact: bool, minSize: int) : int =
        let count = this.WireLength compact
        let most = this.Remaining / max 1 minSize
        if count > int64 most then this.Fail(Problem.CountTooLarge(count, int64 most))
        int count

    /// A string as it is in the buffer. It is valid UTF-8.
    member internal this.Utf8(length: int) : ReadOnlySpan<byte> =
        let at = this.Take length
        let utf8 = ReadOnlySpan<byte>(buffer, at, length)
        if not (Utf8.IsValid utf8) then Fault.raise' Problem.BadUtf8 (at - start)
        utf8

    member internal this.Text(length: int) : string =
        let utf8 = this.Utf8 length
        if length > 0 then this.Charge(HeapSize.ofText length)
        Encoding.UTF8.GetString utf8

    /// A slice of the bytes, not a copy.
    member internal this.Slice(length: int) : Bytes = Bytes(LentMemory.slice owner buffer (this.Take length) length)

    /// Refuses a tag that occurs twice, at the start of its second value. It sorts and does not hash, because a peer could choose tags with
    /// colliding hashes.
    member private this.RefuseDuplicates(entries: TagEntry[]) =
        this.Charge(HeapSize.ofArray sizeof<uint64> entries.Length)
        let keys = entries |> Array.map (fun entry -> (uint64 entry.Tag <<< 32) ||| uint64 entry.Start)
        Array.Sort keys
        let mutable first = UInt64.MaxValue
        let mutable tag = 0u

        for i in 1 .. keys.Length - 1 do
            let place = keys[i] &&& 0xFFFFFFFFUL

            if (keys[i] >>> 32) = (keys[i - 1] >>> 32) && place < first then
                first <- place
                tag <- uint32 (keys[i] >>> 32)

        if first <> UInt64.MaxValue then
            Fault.raise' (Problem.DuplicateTag tag) (int first - start)

    /// Reads the index of the tagged section that starts here and moves to the byte after the section.
    member private this.ReadTags() : TagEntry[] =
        let count = this.UnsignedVarint()

        if count = 0u then
            Array.empty
        else
            // A tag and a size take at least one byte each.
            let most = this.Remaining / 2

            if int64 count > int64 most then
                this.Fail(Problem.CountTooLarge(int64 count, int64 most))

            this.Charge(HeapSize.ofArray sizeof<TagEntry> (int count))
            let found = Array.zeroCreate<TagEntry>(int count)
            let mutable ascending = true

            for i in 0 .. found.Length - 1 do
                let tag = this.UnsignedVarint()
                let size = this.UnsignedVarint()

                if int64 size > int64 this.Remaining then
                    this.Fail(Problem.Truncated(int64 size, this.Remaining))

                if i > 0 && tag <= found[i - 1].Tag then ascending <- false
                found[i] <- { Tag = tag; Start = this.Take(int size); Size = int size }

            if not ascending then this.RefuseDuplicates found
            found

    /// Enters a struct. Returns the tagged section of the enclosing struct, for `EndStruct`.
    member internal _.BeginStruct() : TagEntry[] | null =
        let outer = tags
        tags <- null
        outer

    /// Leaves a struct. In a flexible version it moves to the byte after the tagged section.
    member internal this.EndStruct(outer: TagEntry[] | null, flexible: bool) =
        if flexible && isNull tags then this.ReadTags() |> ignore

        tags <- outer

    /// The tagged section of the current struct, which starts here if it has not been opened.
    member private this.Section() : TagEntry[] =
        match tags with
        | null ->
            let opened = this.ReadTags()
            tags <- opened
            opened
        | opened -> opened

    /// The index of a tag in a section; the length of the section if it does not have the tag.
    member private _.IndexOf(section: TagEntry[], tag: uint32) : int =
        let mutable i = 0

        while i < section.Length && section[i].Tag <> tag do
            i <- i + 1

        i

    /// Whether the tagged section of the current struct has the tag.
    member internal this.HasTag(tag: uint32) : bool =
        let section = this.Section()
        this.IndexOf(section, tag) < section.Length

    /// Reads the value of a tagged field with the codec's `read`, or returns `fallback` if the section does not have the tag.
    member internal this.Tagged(name: string, tag: uint32, fallback: 'T, read: Func<Reader, 'T>) : 'T =
        let section = this.Section()
        let i = this.IndexOf(section, tag)

        if i = section.Length then
            fallback
        else
            let entry = section[i]
            let resume = position
            let outerFinish = finish
            position <- entry.Start
            finish <- entry.Start + entry.Size
            let value = read.Invoke this

            if position <> finish then
                match trail with
                | null -> ()
                | trail -> trail.Field name

                this.Fail(Problem.TagSizeMismatch(tag, entry.Size, position - entry.Start))

            position <- resume
            finish <- outerFinish
            value
