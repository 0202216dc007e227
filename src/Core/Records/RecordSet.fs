namespace LibKafka.Records

open System
open System.Buffers.Binary
open System.Collections
open System.Collections.Generic
open LibKafka.Wire

/// A stretch of a record set that cannot be read as a batch.
[<NoComparison>]
type CorruptBatch =
    {
        /// What is wrong; its offset counts from the start of the record set.
        Fault: Fault
        /// Bytes from the start of the record set to this stretch.
        Position: int
        /// All bytes of the stretch.
        Bytes: Bytes
        /// The base offset that stands at its start. It is where reading the partition stopped, unless it is itself what is damaged.
        FirstOffset: int64
        /// The last offset that the stretch takes up, as its header has it. `ValueNone` where the header cannot be read: the base
        /// offset of the batch behind it, if there is one, then tells where to go on.
        LastOffset: int64 voption
    }

    /// As in `offsets 5 to 9 (120 bytes): at byte 17: checksum …`.
    override this.ToString() =
        let last =
            match this.LastOffset with
            | ValueSome offset -> string offset
            | ValueNone -> "?"

        "offsets "
        + string this.FirstOffset
        + " to "
        + last
        + " ("
        + string this.Bytes.Length
        + " bytes): "
        + this.Fault.ToString()

/// What stands next in a record set.
[<RequireQualifiedAccess; NoComparison>]
type RecordSetItem =
    | Batch of RecordBatch
    /// A message of the formats before Kafka 0.11, alone or with others compressed in it. A broker whose topic is set to such a format, or
    /// an old log segment, has them.
    | Legacy of LegacyBatch
    /// Bytes that are no readable batch. The batches around them are delivered all the same.
    | Corrupt of CorruptBatch
    /// The last item where the bytes end within a batch. A fetch answer is cut off at a number of bytes and not at a batch, so this is
    /// usual; fetching from the last whole batch's `NextOffset` gives it in full.
    | CutOff of bytes: int

    /// Bytes that it takes up in the record set.
    member this.SizeInBytes =
        match this with
        | Batch batch -> batch.SizeInBytes
        | Legacy batch -> batch.SizeInBytes
        | Corrupt stretch -> stretch.Bytes.Length
        | CutOff bytes -> bytes

/// Opening what stands in a record set, whatever its format.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module RecordSetItem =

    /// Opens a batch, or a message of an older format, for reading its records in memory that the caller keeps: they are good until it is
    /// used for another. A corrupt stretch gives its fault, which counts its offset from the start of the record set, and a batch that is
    /// cut off gives no records. See `RecordBatch.openRecordsIn` and `LegacyBatch.openRecordsIn`.
    let openRecordsIn (buffer: CodecBuffer) (limits: Limits) (codecs: Codecs) (item: RecordSetItem) : Result<RecordView, Fault> =
        match item with
        | RecordSetItem.Batch batch -> RecordBatch.openRecordsIn buffer limits codecs batch
        | RecordSetItem.Legacy batch -> LegacyBatch.openRecordsIn buffer limits codecs batch
        | RecordSetItem.Corrupt stretch -> Error stretch.Fault
        | RecordSetItem.CutOff _ -> Ok RecordView.Empty

    /// The same with memory of the records' own.
    let openRecords (limits: Limits) (codecs: Codecs) (item: RecordSetItem) : Result<RecordView, Fault> =
        openRecordsIn (CodecBuffer()) limits codecs item

/// Goes through a record set, one item at a time.
[<Struct; NoEquality; NoComparison>]
type RecordSetEnumerator =
    val private bytes: Bytes
    val private verify: bool
    val mutable private position: int
    val mutable private current: RecordSetItem

    internal new(bytes: Bytes, verify: bool) = { bytes = bytes; verify = verify; position = 0; current = RecordSetItem.CutOff 0 }

    member private this.Corrupt(size: int, fault: Fault, last: int64 voption) =
        let stretch = this.bytes.Slice(this.position, size)

        let corrupt =
            { Fault = { fault with Offset = this.position + fault.Offset }
              Position = this.position
              Bytes = stretch
              FirstOffset = BinaryPrimitives.ReadInt64BigEndian stretch.Span
              LastOffset = last }

        this.position <- this.position + size
        RecordSetItem.Corrupt corrupt

    /// A stretch whose length is right and whose magic is 2.
    member private this.Batch(size: int) =
        match RecordBatch.ofBytes (this.bytes.Slice(this.position, size)) with
        | Error fault -> this.Corrupt(size, fault, ValueNone)
        | Ok batch ->
            match if this.verify then RecordBatch.verify batch else Ok() with
            | Error fault -> this.Corrupt(size, fault, ValueSome batch.LastOffset)
            | Ok() ->
                this.position <- this.position + size
                RecordSetItem.Batch batch

    /// A stretch whose length is right and whose magic is 0 or 1.
    member private this.Legacy(size: int) =
        match LegacyBatch.ofBytes (this.bytes.Slice(this.position, size)) with
        | Error fault -> this.Corrupt(size, fault, ValueNone)
        | Ok batch ->
            match if this.verify then LegacyBatch.verify batch else Ok() with
            | Error fault -> this.Corrupt(size, fault, ValueSome batch.LastOffset)
            | Ok() ->
                this.position <- this.position + size
                RecordSetItem.Legacy batch

    /// Goes to the next item; false at the end.
    member this.MoveNext() : bool =
        let remaining = this.bytes.Length - this.position
        let rest = this.bytes.Span.Slice this.position

        if remaining <= 0 then
            false
        else
            // The base offset, the length and, as far as the magic goes, the fields in between stand at the same place in every format.
            let length =
                if remaining < At.Counted then
                    Int32.MaxValue
                else
                    BinaryPrimitives.ReadInt32BigEndian(rest.Slice At.Length)
            let magic = if remaining <= At.Magic then ValueNone else ValueSome(int8 rest[At.Magic])

            let least =
                match magic with
                | ValueSome 2y -> At.Records - At.Counted
                | ValueSome 1y -> LegacyAt.least 1y - At.Counted
                // The smallest that there is.
                | _ -> LegacyAt.least 0y - At.Counted

            this.current <-
                if length < least then
                    // Where the next batch begins cannot be known.
                    this.Corrupt(remaining, Fault.at At.Length (Problem.BadBatchLength length), ValueNone)
                elif length > remaining - At.Counted then
                    this.position <- this.bytes.Length
                    RecordSetItem.CutOff remaining
                else
                    match magic with
                    | ValueSome 2y
                    | ValueNone -> this.Batch(At.Counted + length)
                    | ValueSome 0y
                    | ValueSome 1y -> this.Legacy(At.Counted + length)
                    | ValueSome other -> this.Corrupt(At.Counted + length, Fault.at At.Magic (Problem.BadMagic other), ValueNone)

            true

    /// The item gone to.
    member this.Current = this.current

    /// Bytes from the start of the set to what stands behind the item gone to.
    member internal this.Position = this.position

/// Batches one behind another, as a partition's records are fetched and stored. They are looked for as it is iterated; every iteration
/// begins anew.
[<Sealed>]
type RecordSet internal (bytes: Bytes, verify: bool) =

    /// All of the bytes.
    member _.Bytes = bytes

    member _.GetEnumerator() = RecordSetEnumerator(bytes, verify)

    member private this.Items() : IEnumerator<RecordSetItem> =
        let items = seq {
            let mutable items = this.GetEnumerator()

            while items.MoveNext() do
                items.Current
        }

        items.GetEnumerator()

    interface IEnumerable<RecordSetItem> with
        member this.GetEnumerator() : IEnumerator<RecordSetItem> = this.Items()

    interface IEnumerable with
        member this.GetEnumerator() : IEnumerator = this.Items()

/// Taking record sets apart and putting them together.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module RecordSet =

    /// The batches of a record set by their headers alone: neither checksums nor records are looked at before a batch is opened.
    /// Nothing is copied.
    let split (bytes: Bytes) : RecordSet = RecordSet(bytes, false)

    /// The same, with every batch whose checksum is wrong among the corrupt ones. Such batches need no second check:
    /// `RecordBatch.openVerifiedIn`.
    let splitVerified (bytes: Bytes) : RecordSet = RecordSet(bytes, true)

    /// The batches one behind another, copied into one run of bytes.
    let concat (batches: RecordBatch list) : Bytes =
        let all = Array.zeroCreate<byte>(batches |> List.sumBy _.SizeInBytes)
        let mutable at = 0

        for batch in batches do
            batch.Span.CopyTo(all.AsSpan at)
            at <- at + batch.SizeInBytes

        Bytes all
