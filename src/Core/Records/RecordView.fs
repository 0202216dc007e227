namespace LibKafka.Records

open System
open System.Diagnostics.CodeAnalysis
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open LibKafka.Wire

/// What it takes to read the records of one batch.
[<Struct; NoEquality; NoComparison>]
type internal RecordSource =
    {
        /// Memory that holds the encoded records; faults count their offsets from `Origin`.
        Buffer: byte[]
        Origin: int
        /// Where the first record begins, and where the last one ends.
        Start: int
        Finish: int
        Count: int
        BaseOffset: int64
        BaseTimestamp: int64
        /// The timestamp of every record, where the broker appended them; otherwise each has its own.
        AppendTime: int64 voption
    }

/// Walks the records of a batch in order, checking each one as it gets to it. Made by `for` or `foreach` over a `RecordView`.
[<Struct; NoEquality; NoComparison>]
type RecordEnumerator =
    val mutable private slots: RecordSlots
    // Positions are indices of the buffer, as wide as a register so that they need no widening at every use.
    val mutable private position: nativeint
    val private finish: nativeint
    // Up to where a record in its common form may reach.
    val private safe: nativeint
    val mutable private remaining: int
    val private count: int
    val private origin: int

    /// Begins behind so many of the records; `Start` is where they end.
    internal new(source: RecordSource, skipped: int) =
        let mutable slots = Unchecked.defaultof<RecordSlots>
        slots.Buffer <- source.Buffer
        slots.BaseOffset <- source.BaseOffset
        slots.BaseTimestamp <- ValueOption.defaultValue source.BaseTimestamp source.AppendTime
        slots.DeltaMask <- if source.AppendTime.IsSome then 0L else -1L

        { slots = slots
          position = nativeint source.Start
          finish = nativeint source.Finish
          safe = nativeint source.Finish - 40n
          remaining = source.Count - skipped
          count = source.Count
          origin = source.Origin }

    /// Reads the record at `position` with every check, giving where it ends.
    member private this.Read() : int =
        let span = ReadOnlySpan<byte>(this.slots.Buffer, this.origin, int this.finish - this.origin)
        let mutable at = int this.position - this.origin
        let lengthAt = at
        let length = Scan.varint span &at

        if length < 0 then Fault.raise' (Problem.NegativeLength(int64 length)) lengthAt

        if length > span.Length - at then
            Fault.raise' (Problem.Truncated(int64 length, span.Length - at)) lengthAt

        let bodyStart = at
        // Nothing in the record can reach beyond its own length.
        let body = span.Slice(0, at + length)

        if length = 0 then Fault.raise' (Problem.Truncated(1L, 0)) at

        this.slots.Start <- at + this.origin
        at <- at + 1
        this.slots.TimestampDelta <- Varint.zigZag64 (Scan.varlong body &at)
        this.slots.OffsetDelta <- Varint.zigZag32 (Scan.varint body &at)
        let mutable start = 0
        this.slots.KeyLength <- Varint.zigZag32 (Scan.run body &at &start)
        this.slots.KeyStart <- start + this.origin
        this.slots.ValueLength <- Varint.zigZag32 (Scan.run body &at &start)
        this.slots.ValueStart <- start + this.origin
        let headersAt = at
        let headers = Scan.varint body &at

        if headers < 0 then
            Fault.raise' (Problem.NegativeLength(int64 headers)) headersAt

        // A header takes two bytes at least.
        if headers > (body.Length - at) / 2 then
            Fault.raise' (Problem.CountTooLarge(int64 headers, int64 ((body.Length - at) / 2))) headersAt

        let headersStart = at
        Scan.headers body &at headers

        if at <> body.Length then
            Fault.raise' (Problem.BadRecordLength(int64 length, int64 (at - bodyStart))) lengthAt

        this.slots.HeaderCount <- Varint.zigZag32 headers
        this.slots.HeadersStart <- headersStart + this.origin
        at + this.origin

    member private this.Corrupt(problem: Problem, offset: int, path: string) : 'T =
        raise (CorruptRecordException { Problem = problem; Offset = offset; Path = path })

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private this.MoveCarefully() : bool =
        let index = this.count - this.remaining

        try
            if this.position = this.finish then
                Fault.raise' (Problem.BadRecordCount(this.count, index)) (int this.position - this.origin)

            this.position <- nativeint (this.Read())
            this.remaining <- this.remaining - 1
            true
        with :? FaultException as fault ->
            this.Corrupt(fault.Problem, fault.Offset, "Records[" + string index + "]")

    /// Behind the last record: false, unless there are bytes left over.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private this.End() : bool =
        if this.position <> this.finish then
            this.Corrupt(Problem.TrailingBytes(int (this.finish - this.position)), int this.position - this.origin, "Records")

        false

    /// The last step of `MoveNext` where there are headers: goes behind them.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private this.MoveOverHeaders(start: nativeint, bodyEnd: nativeint) : bool =
        let origin = &MemoryMarshal.GetArrayDataReference this.slots.Buffer
        let mutable at = start
        let mutable left = int (this.slots.HeaderCount >>> 1)

        while left > 0 && at < bodyEnd do
            // The common header has a name and a value of less than 64 bytes.
            let key = uint32 (Unsafe.Add(&origin, at))
            let valueAt = at + 1n + nativeint (key >>> 1)

            if valueAt < bodyEnd && (key ||| uint32 (Unsafe.Add(&origin, valueAt))) &&& 0x81u = 0u then
                at <- valueAt + 1n + nativeint (uint32 (Unsafe.Add(&origin, valueAt)) >>> 1)
            else
                at <- nativeint (Scan.behindHeader this.slots.Buffer (int at) (int bodyEnd))

            left <- left - 1

        if left <> 0 || at <> bodyEnd then
            this.MoveCarefully()
        else
            this.slots.HeadersStart <- int start
            this.position <- bodyEnd
            this.remaining <- this.remaining - 1
            true

    /// Goes to the next record; false behind the last one. Throws `CorruptRecordException` where the record is malformed, where there
    /// are fewer records than the batch declares, or more bytes than its records take; called again, it throws again.
    member this.MoveNext() : bool =
        // A record in its common form is read here without asking before each byte. It ends 40 bytes before the records do, which is
        // more than what can be read past its end before that is noticed. Whatever is not in the common form, or not clearly
        // well-formed, is left to `MoveCarefully`. Nothing but a last call is made, so that no register has to be saved.
        //
        // In a varint of two bytes the first one's top bit is taken off by subtracting it; a third byte leaves the top bit of the
        // second, 0x4000, standing. Bit 0 is the sign: 1 is the length of null, which halved is 0 bytes as it should be.
        if this.remaining <= 0 then
            this.End()
        elif this.position > this.safe then
            this.MoveCarefully()
        else
            let origin = &MemoryMarshal.GetArrayDataReference this.slots.Buffer
            let mutable at = this.position
            let mutable raw = uint32 (Unsafe.Add(&origin, at))

            if raw < 0x80u then
                at <- at + 1n
            else
                raw <- raw + (uint32 (Unsafe.Add(&origin, at + 1n)) <<< 7) - 0x80u
                at <- at + 2n

            // All that the next record waits for; nothing read below may find its way into it.
            let bodyEnd = at + nativeint (raw >>> 1)
            // Set to -1, where nothing can end, when something is out of the common.
            let mutable limit = bodyEnd

            if raw &&& 0x4001u <> 0u || bodyEnd > this.safe then
                this.MoveCarefully()
            else
                this.slots.Start <- int at
                raw <- uint32 (Unsafe.Add(&origin, at + 1n))

                if raw < 0x80u then
                    at <- at + 2n
                else
                    raw <- raw + (uint32 (Unsafe.Add(&origin, at + 2n)) <<< 7) - 0x80u
                    at <- at + 3n

                    if raw >= 0x4000u then
                        raw <- raw + (uint32 (Unsafe.Add(&origin, at)) <<< 14) - 0x4000u
                        at <- at + 1n

                        if raw >= 0x200000u then
                            raw <- raw + (uint32 (Unsafe.Add(&origin, at)) <<< 21) - 0x200000u
                            at <- at + 1n
                            if raw >= 0x10000000u then limit <- -1n

                this.slots.TimestampDelta <- uint64 raw
                raw <- uint32 (Unsafe.Add(&origin, at))

                if raw < 0x80u then
                    at <- at + 1n
                else
                    raw <- raw + (uint32 (Unsafe.Add(&origin, at + 1n)) <<< 7) - 0x80u
                    at <- at + 2n

                    if raw >= 0x4000u then
                        raw <- raw + (uint32 (Unsafe.Add(&origin, at)) <<< 14) - 0x4000u
                        at <- at + 1n
                        if raw >= 0x200000u then limit <- -1n

                this.slots.OffsetDelta <- raw
                raw <- uint32 (Unsafe.Add(&origin, at))

                if raw < 0x80u then
                    at <- at + 1n
                else
                    raw <- raw + (uint32 (Unsafe.Add(&origin, at + 1n)) <<< 7) - 0x80u
                    at <- at + 2n

                this.slots.KeyStart <- int at
                this.slots.KeyLength <- raw
                at <- at + nativeint (raw >>> 1)

                if at > limit || (raw &&& 0x4001u <> 0u && raw <> 1u) then
                    this.MoveCarefully()
                else
                    raw <- uint32 (Unsafe.Add(&origin, at))

                    if raw < 0x80u then
                        at <- at + 1n
                    else
                        raw <- raw + (uint32 (Unsafe.Add(&origin, at + 1n)) <<< 7) - 0x80u
                        at <- at + 2n

                    this.slots.ValueStart <- int at
                    this.slots.ValueLength <- raw
                    at <- at + nativeint (raw >>> 1)

                    if at > limit || (raw &&& 0x4001u <> 0u && raw <> 1u) then
                        this.MoveCarefully()
                    else
                        raw <- uint32 (Unsafe.Add(&origin, at))
                        at <- at + 1n
                        this.slots.HeaderCount <- raw

                        if raw <> 0u then
                            // The common count takes one byte and is not negative.
                            if raw &&& 0x81u = 0u then this.MoveOverHeaders(at, bodyEnd) else this.MoveCarefully()
                        elif at <> bodyEnd then
                            this.MoveCarefully()
                        else
                            this.position <- bodyEnd
                            this.remaining <- this.remaining - 1
                            true

    /// The record gone to. It is overwritten by the next `MoveNext`: copy it, or what is needed of it, to keep it longer.
    [<UnscopedRef>]
    member this.Current: inref<Record> = &Unsafe.As<RecordSlots, Record>(&Unsafe.AsRef<RecordSlots>(&this.slots))

/// The records of one batch, not read yet: each one is read and checked when iteration gets to it, so the first is there at once and
/// nothing is allocated for any of them. Iterating it again begins anew.
[<Sealed>]
type RecordView internal (source: RecordSource, skipped: int) =

    static let empty =
        RecordView(
            { Buffer = Array.empty
              Origin = 0
              Start = 0
              Finish = 0
              Count = 0
              BaseOffset = 0L
              BaseTimestamp = 0L
              AppendTime = ValueNone },
            0
        )

    /// Where the record behind the one at `start` begins, if that is so whole that it can be passed over and lies before the offset; -1 if not.
    static let passOver (source: RecordSource) (start: int) (offset: int64) : int =
        let span = ReadOnlySpan<byte>(source.Buffer, 0, source.Finish)
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

    internal new(source: RecordSource) = RecordView(source, 0)

    /// No records.
    static member Empty = empty

    /// How many records there are: those that the batch declares, less those that have been passed over.
    member _.Count = source.Count - skipped

    /// The same records with the timestamps that their producers gave them, also where the batch says LogAppendTime: the broker
    /// overwrites only the batch's header.
    member _.WithCreateTime() = RecordView({ source with AppendTime = ValueNone }, skipped)

    /// The same records from an offset on. A broker gives whole batches, so the first one fetched often begins before the offset that was
    /// asked for. Those before it are passed over by their lengths and offsets; nothing else of them is read or checked. A record whose
    /// length or offset is malformed is not passed over: iterating begins with it, and tells what is wrong.
    member _.From(offset: int64) : RecordView =
        let mutable start = source.Start
        let mutable passed = skipped
        let mutable next = start

        while next >= 0 do
            next <- if passed < source.Count then passOver source start offset else -1

            if next >= 0 then
                start <- next
                passed <- passed + 1

        RecordView({ source with Start = start }, passed)

    member _.GetEnumerator() = RecordEnumerator(source, skipped)

/// Whole records of a batch, with what is malformed as a value.
[<RequireQualifiedAccess>]
module RecordView =

    /// Folds over the records in order; the record given to the folder is good for that call only.
    let fold (folder: 'State -> Record -> 'State) (initial: 'State) (view: RecordView) : Result<'State, Fault> =
        let mutable records = view.GetEnumerator()
        let mutable state = initial

        try
            while records.MoveNext() do
                state <- folder state records.Current

            Ok state
        with :? CorruptRecordException as corrupt ->
            Error corrupt.Fault

    /// Copies of the records, in order.
    let toList (view: RecordView) : Result<RecordData list, Fault> =
        view |> fold (fun records record -> record.ToData() :: records) [] |> Result.map List.rev
