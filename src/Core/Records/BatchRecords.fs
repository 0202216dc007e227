namespace LibKafka.Records

open System
open System.Diagnostics.CodeAnalysis
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open LibKafka.Wire

/// The place of an item in a record set.
[<Struct; NoComparison>]
type RecordSetPlace internal (set: Lazy<string> | null, index: int, position: int, from: int64) =

    /// The number of items before it.
    member _.Index = index

    /// Bytes from the start of the set.
    member _.Position = position

    /// The offset from which the set is read: see `RecordSet.from`. 0 for all offsets.
    member _.From = from

    /// The item's path, such as `Records[3]`, or the whole path from the message down if the set's own path is known: see
    /// `RecordSet.under`.
    member _.Path: string =
        match set with
        | null -> ""
        | set when set.Value = "" -> ""
        | set -> set.Value + "[" + string index + "]"

    /// A fault in the item as a fault in the set.
    member internal this.Locate(fault: Fault) : Fault = fault |> Fault.within this.Path |> Fault.after position

/// What is needed to read the records of one batch.
[<NoEquality; NoComparison>]
type internal RecordSource =
    {
        /// The memory of the encoded records.
        Memory: LentMemory
        /// The index in `Memory` from which faults count their offsets. It is negative if they count from further away.
        Origin: int
        /// Where the first record begins, and where the last one ends.
        Start: int
        Finish: int
        Count: int
        BaseOffset: int64
        BaseTimestamp: int64
        /// The timestamp of every record if the broker appended them; otherwise each has its own.
        AppendTime: int64 voption
        /// The batch's place in its record set.
        Place: RecordSetPlace
    }

    /// Throws for a malformed record.
    member source.Fail(problem: Problem, position: int, path: string) : 'T =
        let fault = Fault.ofField path (position - source.Origin) problem
        raise (CorruptRecordException(Fault.within source.Place.Path fault))

/// Varints in their common, short form, without bounds checks: the caller makes sure that enough bytes follow. All functions give the raw
/// value and the position after it.
///
/// In a varint of two bytes, subtracting 0x80 clears the first byte's continuation bit. If there is a third byte, the second byte's
/// continuation bit, 0x4000, remains set.
[<RequireQualifiedAccess>]
module internal ShortVarint =

    /// One or two bytes. Bit 0x4000 is set if the varint is longer.
    let inline two (origin: byref<byte>) (at: nativeint) : struct (uint32 * nativeint) =
        let raw = uint32 (Unsafe.Add(&origin, at))

        if raw < 0x80u then
            struct (raw, at + 1n)
        else
            struct (raw + (uint32 (Unsafe.Add(&origin, at + 1n)) <<< 7) - 0x80u, at + 2n)

    /// Up to three bytes. The limit comes back as it was, or as -1 if the varint is longer.
    let inline three (origin: byref<byte>) (at: nativeint) (limit: nativeint) : struct (uint32 * nativeint * nativeint) =
        let raw = uint32 (Unsafe.Add(&origin, at))

        if raw < 0x80u then
            struct (raw, at + 1n, limit)
        else
            let raw = raw + (uint32 (Unsafe.Add(&origin, at + 1n)) <<< 7) - 0x80u

            if raw < 0x4000u then
                struct (raw, at + 2n, limit)
            else
                let raw = raw + (uint32 (Unsafe.Add(&origin, at + 2n)) <<< 14) - 0x4000u
                struct (raw, at + 3n, (if raw >= 0x200000u then -1n else limit))

    /// Up to four bytes. The limit comes back as it was, or as -1 if the varint is longer.
    let inline four (origin: byref<byte>) (at: nativeint) (limit: nativeint) : struct (uint32 * nativeint * nativeint) =
        let raw = uint32 (Unsafe.Add(&origin, at))

        if raw < 0x80u then
            struct (raw, at + 1n, limit)
        else
            let raw = raw + (uint32 (Unsafe.Add(&origin, at + 1n)) <<< 7) - 0x80u

            if raw < 0x4000u then
                struct (raw, at + 2n, limit)
            else
                let raw = raw + (uint32 (Unsafe.Add(&origin, at + 2n)) <<< 14) - 0x4000u

                if raw < 0x200000u then
                    struct (raw, at + 3n, limit)
                else
                    let raw = raw + (uint32 (Unsafe.Add(&origin, at + 3n)) <<< 21) - 0x200000u
                    struct (raw, at + 4n, (if raw >= 0x10000000u then -1n else limit))

    /// Whether a length from `two` is longer than two bytes or negative. Bit 0 is the sign, and 1 is the length of null, which is valid
    /// and halves to 0 bytes.
    let inline isUncommon (length: uint32) = length <> 1u && length &&& 0x4001u <> 0u

/// Iterates over the records of a batch in order and checks each one when it is reached. `for` and `foreach` over `BatchRecords` create it.
[<Struct; NoEquality; NoComparison>]
type RecordEnumerator =
    val mutable private slots: RecordSlots
    // Positions are indices of the buffer, as wide as a register so that they need no widening.
    val mutable private position: nativeint
    val private finish: nativeint
    // The last position at which a record in its common form may end.
    val private safe: nativeint
    val mutable private remaining: int
    // The bytes. Whether the memory was returned is not checked for each record, but by the record's members and at the end of the batch.
    val private bytes: byte[]
    val private source: RecordSource

    /// Begins after the given number of records, at `Start`.
    internal new(source: RecordSource, skipped: int) =
        let mutable slots = Unchecked.defaultof<RecordSlots>
        slots.Memory <- source.Memory
        slots.BaseOffset <- source.BaseOffset
        slots.BaseTimestamp <- ValueOption.defaultValue source.BaseTimestamp source.AppendTime
        slots.DeltaMask <- if source.AppendTime.IsSome then 0L else -1L

        { slots = slots
          position = nativeint source.Start
          finish = nativeint source.Finish
          safe = nativeint source.Finish - 40n
          remaining = source.Count - skipped
          bytes = source.Memory.Array
          source = source }

    /// Reads the record at `position` with every check and returns where it ends. `field` is the field that is being read.
    member private this.Read(field: byref<string>) : int =
        let span = ReadOnlySpan<byte>(this.slots.Memory.Array, 0, int this.finish)
        let mutable at = int this.position
        let lengthAt = at
        field <- "Length"
        let length = Scan.varint span &at

        if length < 0 then Fault.raise' (Problem.NegativeLength(int64 length)) lengthAt

        if length > span.Length - at then
            Fault.raise' (Problem.Truncated(int64 length, span.Length - at)) lengthAt

        let bodyStart = at
        // Nothing in the record can extend beyond its own length.
        let body = span.Slice(0, at + length)
        field <- "Attributes"
        if length = 0 then Fault.raise' (Problem.Truncated(1L, 0)) at
        this.slots.Start <- at
        at <- at + 1
        field <- "TimestampDelta"
        this.slots.TimestampDelta <- Varint.zigZag64 (Scan.varlong body &at)
        field <- "OffsetDelta"
        this.slots.OffsetDelta <- Varint.zigZag32 (Scan.varint body &at)
        field <- "Key"
        this.slots.KeyLength <- Varint.zigZag32 (Scan.run body &at &this.slots.KeyStart)
        field <- "Value"
        this.slots.ValueLength <- Varint.zigZag32 (Scan.run body &at &this.slots.ValueStart)
        field <- "Headers"
        let headers = Scan.headerCount body &at
        this.slots.HeaderCount <- Varint.zigZag32 headers
        this.slots.HeadersStart <- at
        Scan.headers body &at headers

        if at <> body.Length then
            field <- "Length"
            Fault.raise' (Problem.BadRecordLength(int64 length, int64 (at - bodyStart))) lengthAt

        at

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private this.MoveCarefully() : bool =
        let index = this.source.Count - this.remaining

        if this.position = this.finish then
            this.source.Fail(Problem.BadRecordCount(this.source.Count, index), int this.position, "Count")

        let mutable field = ""

        try
            this.position <- nativeint (this.Read &field)
            this.remaining <- this.remaining - 1
            true
        with :? FaultException as fault ->
            this.source.Fail(fault.Problem, fault.Offset, "Records[" + string index + "]/" + field)

    /// After the last record: false, unless bytes remain.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private this.End() : bool =
        LentMemory.check this.slots.Memory

        if this.position <> this.finish then
            this.source.Fail(Problem.TrailingBytes(int (this.finish - this.position)), int this.position, "Records")

        false

    /// The last step of `MoveNext` if there are headers: skips them.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private this.MoveOverHeaders(start: nativeint, bodyEnd: nativeint) : bool =
        let origin = &MemoryMarshal.GetArrayDataReference this.bytes
        let mutable at = start
        let mutable left = int (this.slots.HeaderCount >>> 1)

        while left > 0 && at < bodyEnd do
            // A common header has a name and a value of less than 64 bytes.
            let key = uint32 (Unsafe.Add(&origin, at))
            let valueAt = at + 1n + nativeint (key >>> 1)

            if valueAt < bodyEnd && (key ||| uint32 (Unsafe.Add(&origin, valueAt))) &&& 0x81u = 0u then
                at <- valueAt + 1n + nativeint (uint32 (Unsafe.Add(&origin, valueAt)) >>> 1)
            else
                at <- nativeint (Scan.afterHeader this.bytes (int at) (int bodyEnd))

            left <- left - 1

        if left <> 0 || at <> bodyEnd then
            this.MoveCarefully()
        else
            this.slots.HeadersStart <- int start
            this.position <- bodyEnd
            this.remaining <- this.remaining - 1
            true

    /// The rest of `MoveNext` for a record in its common form, which lies from `start` to `bodyEnd`.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member private this.MoveQuickly(origin: byref<byte>, start: nativeint, bodyEnd: nativeint) : bool =
        this.slots.Start <- int start
        // -1, at which nothing can end, once a delta is not in its common form.
        let struct (timestampDelta, at, limit) = ShortVarint.four &origin (start + 1n) bodyEnd
        this.slots.TimestampDelta <- uint64 timestampDelta
        let struct (offsetDelta, at, limit) = ShortVarint.three &origin at limit
        this.slots.OffsetDelta <- offsetDelta
        let struct (keyLength, at) = ShortVarint.two &origin at
        this.slots.KeyStart <- int at
        this.slots.KeyLength <- keyLength
        let keyEnd = at + nativeint (keyLength >>> 1)

        if keyEnd > limit || ShortVarint.isUncommon keyLength then
            this.MoveCarefully()
        else
            let struct (valueLength, at) = ShortVarint.two &origin keyEnd
            this.slots.ValueStart <- int at
            this.slots.ValueLength <- valueLength
            let valueEnd = at + nativeint (valueLength >>> 1)

            if valueEnd > limit || ShortVarint.isUncommon valueLength then
                this.MoveCarefully()
            else
                let headerCount = uint32 (Unsafe.Add(&origin, valueEnd))
                let at = valueEnd + 1n
                this.slots.HeaderCount <- headerCount

                if headerCount <> 0u then
                    // The common count takes one byte and is not negative.
                    if headerCount &&& 0x81u = 0u then this.MoveOverHeaders(at, bodyEnd) else this.MoveCarefully()
                elif at <> bodyEnd then
                    this.MoveCarefully()
                else
                    this.position <- bodyEnd
                    this.remaining <- this.remaining - 1
                    true

    /// Moves to the next record; false after the last one. Throws `CorruptRecordException` if the record is malformed, if there are fewer
    /// records than the batch declares, or if bytes remain after its records. Another call throws again.
    member this.MoveNext() : bool =
        // A record in its common form is read without a bounds check for each byte. It ends 40 bytes before the records do, and less than
        // that can be read past its end before the error is noticed. Everything else, and everything that is not clearly well-formed, is
        // left to `MoveCarefully`. All calls are the last step, so that no register has to be saved.
        if this.remaining <= 0 then
            this.End()
        elif this.position > this.safe then
            this.MoveCarefully()
        else
            let origin = &MemoryMarshal.GetArrayDataReference this.bytes
            let struct (length, start) = ShortVarint.two &origin this.position
            // The next record depends on this alone; nothing that is read later may influence it.
            let bodyEnd = start + nativeint (length >>> 1)

            if length &&& 0x4001u <> 0u || bodyEnd > this.safe then
                this.MoveCarefully()
            else
                this.MoveQuickly(&origin, start, bodyEnd)

    /// The current record. The next `MoveNext` overwrites it: copy it, or the parts that are needed, to keep it longer.
    [<UnscopedRef>]
    member this.Current: inref<Record> = &Unsafe.As<RecordSlots, Record>(&Unsafe.AsRef<RecordSlots>(&this.slots))

/// The records of one batch, not read yet. Each record is read and checked when iteration reaches it, so the first one is available at
/// once, and nothing is allocated for each record. Every iteration starts from the first record.
[<Sealed>]
type BatchRecords internal (source: RecordSource, skipped: int) =

    static let empty =
        BatchRecords(
            { Memory = new LentMemory(Array.empty)
              Origin = 0
              Start = 0
              Finish = 0
              Count = 0
              BaseOffset = 0L
              BaseTimestamp = 0L
              AppendTime = ValueNone
              Place = RecordSetPlace() },
            0
        )

    /// Where the record at `start` ends, if it is complete enough to be skipped and its offset is below the given one; otherwise -1.
    static let skip (source: RecordSource) (start: int) (offset: int64) : int =
        let span = ReadOnlySpan<byte>(source.Memory.Array, 0, source.Finish)
        let mutable at = start

        try
            let length = Scan.varint span &at
            let finish = int64 at + int64 length
            at <- at + 1
            Scan.varlong span &at |> ignore
            let delta = Scan.varint span &at

            if int64 at > finish || finish > int64 source.Finish || source.BaseOffset + int64 delta >= offset then
                -1
            else
                int finish
        with :? FaultException ->
            -1

    internal new(source: RecordSource) = BatchRecords(source, 0)

    /// No records.
    static member Empty = empty

    /// The number of records: those that the batch declares, minus those that have been skipped.
    member _.Count = source.Count - skipped

    /// A one-line description.
    override this.ToString() = FieldText.count (int64 this.Count) "record"

    /// The same records with the timestamps from their producers, even if the batch has LogAppendTime: the broker overwrites only the
    /// batch's header.
    member _.WithCreateTime() = BatchRecords({ source with AppendTime = ValueNone }, skipped)

    /// The same records from an offset on. A broker returns whole batches, so the first batch of a fetch often begins before the offset that
    /// was requested. Earlier records are skipped by their lengths and offsets; nothing else of them is read or checked. A record whose
    /// length or offset is malformed is not skipped: iteration begins with it and reports the fault.
    member _.From(offset: int64) : BatchRecords =
        let mutable start = source.Start
        let mutable passed = skipped
        let mutable next = start

        while next >= 0 do
            next <- if passed < source.Count then skip source start offset else -1

            if next >= 0 then
                start <- next
                passed <- passed + 1

        BatchRecords({ source with Start = start }, passed)

    member _.GetEnumerator() = RecordEnumerator(source, skipped)

/// All records of a batch at once, with faults as values.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module BatchRecords =

    /// Folds over the records in order. The record passed to the folder is valid for that call only.
    let fold (folder: 'State -> Record -> 'State) (initial: 'State) (records: BatchRecords) : Result<'State, Fault> =
        CorruptRecord.asFault (fun () ->
            let mutable state = initial

            for record in records do
                state <- folder state record

            state)

    /// Copies of the records, in order.
    let toList (records: BatchRecords) : Result<RecordData list, Fault> =
        records |> fold (fun copies record -> record.ToData() :: copies) [] |> Result.map List.rev
