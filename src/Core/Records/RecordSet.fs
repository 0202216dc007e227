namespace LibKafka.Records

open System
open System.Buffers.Binary
open System.Collections
open System.Collections.Generic
open LibKafka.Wire

/// Bytes of a record set that cannot be read as a batch.
[<NoComparison>]
type CorruptBatch =
    {
        /// The problem. Its path names the item and the field, such as `Records[3]/Crc`, and its offset counts from the start of the record
        /// set.
        Fault: Fault
        /// Bytes from the start of the record set to these bytes.
        Position: int
        /// All bytes that cannot be read.
        Bytes: Bytes
        /// The base offset at their start, or -1 if they are too short to have one. Reading the partition stopped there, unless the base offset
        /// itself is damaged.
        FirstOffset: int64
        /// The last offset that they cover according to their header. `ValueNone` if the header cannot be read; then the base offset of the
        /// next batch, if there is one, is where reading can continue.
        LastOffset: int64 voption
    }

    /// Such as `offsets 5 to 9 (120 bytes): Records[0]/Crc at byte 17: checksum …`.
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

    /// The item at a place of a record set, which has a fault.
    static member internal At(place: RecordSetPlace, bytes: Bytes, fault: Fault, last: int64 voption) : CorruptBatch =
        { Fault = place.Locate fault
          Position = place.Position
          Bytes = bytes
          FirstOffset = if bytes.Length < sizeof<int64> then -1L else BinaryPrimitives.ReadInt64BigEndian bytes.Span
          LastOffset = last }

/// One item of a record set.
[<RequireQualifiedAccess; NoComparison>]
type RecordSetItem =
    | Batch of batch: RecordBatch * place: RecordSetPlace
    /// A message of the formats before Kafka 0.11, alone or with others compressed in it. It comes from a topic that is configured for such a
    /// format or from an old log segment.
    | Legacy of batch: LegacyBatch * place: RecordSetPlace
    /// Bytes that cannot be read as a batch. The batches around them are delivered nevertheless.
    | Corrupt of CorruptBatch
    /// The last item if the bytes end within a batch. This is usual: a fetch response ends after a number of bytes, not after a whole batch.
    /// Fetching from the `NextOffset` of the last whole batch returns the batch in full. The first item of a set that must begin with a whole
    /// batch is `Corrupt` instead: see `RecordSet.beginningWhole`.
    | CutOff of bytes: int * place: RecordSetPlace

    /// The number of bytes that the item takes in the record set.
    member this.SizeInBytes =
        match this with
        | Batch(batch, _) -> batch.SizeInBytes
        | Legacy(batch, _) -> batch.SizeInBytes
        | Corrupt corrupt -> corrupt.Bytes.Length
        | CutOff(bytes, _) -> bytes

    /// Bytes from the start of the record set to the item.
    member this.Position =
        match this with
        | Batch(_, place)
        | Legacy(_, place)
        | CutOff(_, place) -> place.Position
        | Corrupt corrupt -> corrupt.Position

    /// A one-line description.
    override this.ToString() =
        match this with
        | Batch(batch, _) -> batch.ToString()
        | Legacy(batch, _) -> batch.ToString()
        | Corrupt corrupt -> corrupt.ToString()
        | CutOff(bytes, _) -> "a batch that is cut off after " + FieldText.count (int64 bytes) "byte"

/// Opens the items of a record set, whatever their format.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module RecordSetItem =

    // A broker sends whole batches, so the first one often begins before the offset from which it is read.
    let private fromPlace (place: RecordSetPlace) (opened: Result<BatchRecords, Fault>) : Result<BatchRecords, Fault> =
        if place.From > 0L then opened |> Result.map _.From(place.From) else opened

    /// Opens a batch, or a message of an older format, for reading its records: those from the set's own offset on, if it is read from one
    /// (`RecordSet.from`). Faults name the item, such as `Records[3]/Crc`, and count
    /// their offsets from the start of the record set, or of the decompressed records if the batch is compressed. A corrupt item returns its
    /// fault, and a batch that is cut off has no records. See `RecordBatch.openRecords` and `LegacyBatch.openRecords`.
    let openRecords (reading: Reading) (item: RecordSetItem) : Result<BatchRecords, Fault> =
        match item with
        | RecordSetItem.Batch(batch, place) -> RecordBatch.openAt place reading batch |> fromPlace place
        | RecordSetItem.Legacy(batch, place) -> LegacyBatch.openAt place reading batch |> fromPlace place
        | RecordSetItem.Corrupt corrupt -> Error corrupt.Fault
        | RecordSetItem.CutOff _ -> Ok BatchRecords.Empty

/// How the items of a record set are read.
[<NoEquality; NoComparison>]
type internal RecordSetOptions =
    {
        /// Whether checksums are verified.
        Verify: bool
        /// Whether the first batch is known to be whole.
        BeginsWhole: bool
        /// The first offset that is wanted.
        From: int64
        /// The path of the field that the set was read from.
        Path: Lazy<string>
    }

/// Iterates over the items of a record set. `for` and `foreach` over `RecordSet` create it.
[<Struct; NoEquality; NoComparison>]
type RecordSetEnumerator =
    val private bytes: Bytes
    val private options: RecordSetOptions
    val mutable private index: int
    val mutable private position: int
    val mutable private current: RecordSetItem

    internal new(bytes: Bytes, options: RecordSetOptions) =
        { bytes = bytes; options = options; index = 0; position = 0; current = RecordSetItem.CutOff(0, RecordSetPlace()) }

    /// The base offset, the length and the magic are at the same position in every format.
    member private this.Length(remaining: int) : int =
        if remaining < At.Counted then
            Int32.MaxValue
        else
            BinaryPrimitives.ReadInt32BigEndian(this.bytes.Span.Slice(this.position + At.Length))

    member private this.Magic(remaining: int) : int8 voption =
        if remaining <= At.Magic then
            ValueNone
        else
            ValueSome(int8 this.bytes.Span[this.position + At.Magic])

    /// The smallest valid length of an item.
    static member private LeastLength(magic: int8 voption) : int =
        match magic with
        | ValueSome 2y -> At.Records - At.Counted
        | ValueSome 1y -> LegacyAt.least 1y - At.Counted
        // The smallest of all formats.
        | _ -> LegacyAt.least 0y - At.Counted

    /// An item with a valid length and magic 2.
    static member private Batch(place: RecordSetPlace, bytes: Bytes, verify: bool) =
        match RecordBatch.ofBytes bytes with
        | Error fault -> RecordSetItem.Corrupt(CorruptBatch.At(place, bytes, fault, ValueNone))
        | Ok batch ->
            match if verify then RecordBatch.verify batch else Ok() with
            | Error fault -> RecordSetItem.Corrupt(CorruptBatch.At(place, bytes, fault, ValueSome batch.LastOffset))
            | Ok() -> RecordSetItem.Batch(batch, place)

    /// An item with a valid length and magic 0 or 1.
    static member private Legacy(place: RecordSetPlace, bytes: Bytes, verify: bool) =
        match LegacyBatch.ofBytes bytes with
        | Error fault -> RecordSetItem.Corrupt(CorruptBatch.At(place, bytes, fault, ValueNone))
        | Ok batch ->
            match if verify then LegacyBatch.verify batch else Ok() with
            | Error fault -> RecordSetItem.Corrupt(CorruptBatch.At(place, bytes, fault, ValueSome batch.LastOffset))
            | Ok() -> RecordSetItem.Legacy(batch, place)

    /// An item whose length is valid.
    member private this.Whole(place: RecordSetPlace, bytes: Bytes, magic: int8 voption) : RecordSetItem =
        match magic with
        | ValueSome 2y
        | ValueNone -> RecordSetEnumerator.Batch(place, bytes, this.options.Verify)
        | ValueSome 0y
        | ValueSome 1y -> RecordSetEnumerator.Legacy(place, bytes, this.options.Verify)
        | ValueSome other ->
            RecordSetItem.Corrupt(CorruptBatch.At(place, bytes, Fault.ofField "Magic" At.Magic (Problem.BadMagic other), ValueNone))

    member private this.Next(remaining: int) : RecordSetItem =
        let options = this.options
        let place = RecordSetPlace(options.Path, this.index, this.position, options.From)
        let length = this.Length remaining
        let magic = this.Magic remaining

        let bytes = this.bytes.Slice(this.position, remaining)

        // The start of the next batch is unknown.
        let corruptToEnd (field: string) (at: int) (problem: Problem) =
            RecordSetItem.Corrupt(CorruptBatch.At(place, bytes, Fault.ofField field at problem, ValueNone))

        if length < RecordSetEnumerator.LeastLength magic then
            corruptToEnd "Length" At.Length (Problem.BadBatchLength length)
        elif length <= remaining - At.Counted then
            this.Whole(place, bytes.Slice(0, At.Counted + length), magic)
        elif this.index > 0 || not options.BeginsWhole then
            RecordSetItem.CutOff(remaining, place)
        elif remaining < At.Counted then
            corruptToEnd "" 0 (Problem.Truncated(int64 At.Counted, remaining))
        else
            corruptToEnd "Length" At.Length (Problem.Truncated(int64 length, remaining - At.Counted))

    /// Skips an item that is there in full and has a valid length; false if there is none.
    member private this.SkipWhole() : bool =
        let remaining = this.bytes.Length - this.position
        let length = this.Length remaining

        if length >= RecordSetEnumerator.LeastLength(this.Magic remaining) && length <= remaining - At.Counted then
            this.position <- this.position + At.Counted + length
            true
        else
            false

    /// Skips the items that are there in full, and returns their size.
    member internal this.SkipAllWhole() : int =
        let before = this.position

        while this.SkipWhole() do
            ()

        this.position - before

    /// Moves to the next item; false at the end.
    member this.MoveNext() : bool =
        let remaining = this.bytes.Length - this.position

        if remaining <= 0 then
            false
        else
            this.current <- this.Next remaining
            this.position <- this.position + this.current.SizeInBytes
            this.index <- this.index + 1
            true

    /// The current item.
    member this.Current = this.current

/// Consecutive batches, as a partition's records are fetched and stored. They are located during iteration; every iteration starts from the
/// first one.
[<Sealed>]
type RecordSet internal (bytes: Bytes, options: RecordSetOptions) =

    /// The path of a set that was not read from a known message.
    static let unknown = Lazy<string>("Records")

    internal new(bytes: Bytes, verify: bool) = RecordSet(bytes, { Verify = verify; BeginsWhole = false; From = 0L; Path = unknown })

    /// All of the bytes.
    member _.Bytes = bytes

    /// A one-line description. The batches are not looked at.
    override _.ToString() = FieldText.count (int64 bytes.Length) "byte" + " of record batches"

    member internal _.With(change: RecordSetOptions -> RecordSetOptions) = RecordSet(bytes, change options)

    member _.GetEnumerator() = RecordSetEnumerator(bytes, options)

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

/// Splits and concatenates record sets.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module RecordSet =

    /// The batches of a record set, located by their headers. Checksums and records are not checked before a batch is opened. Nothing is
    /// copied.
    let split (bytes: Bytes) : RecordSet = RecordSet(bytes, false)

    /// The batches of a record set with verified checksums: a batch with a wrong checksum is a corrupt item. The batches do not have to be
    /// verified again when they are opened: see `Reading.VerifyChecksum`.
    let splitVerified (bytes: Bytes) : RecordSet = RecordSet(bytes, true)

    /// The same set with verified checksums: see `splitVerified`.
    let verified (set: RecordSet) : RecordSet = set.With(fun options -> { options with Verify = true })

    /// The same set with the path of the field from which it was read, such as `FetchResponse/Responses[0]/Partitions[2]/Records`, which is
    /// evaluated only if there is a fault. The paths of faults begin with it: without it, they begin with `Records`. If it is empty, they name
    /// only the field within the batch. `Message.records` returns such paths.
    let under (path: Lazy<string>) (set: RecordSet) : RecordSet = set.With(fun options -> { options with Path = path })

    /// The same set for a reader at an offset: `RecordSetItem.openRecords` skips the earlier records of a batch, since a broker sends whole
    /// batches. The items are the same.
    let from (offset: int64) (set: RecordSet) : RecordSet = set.With(fun options -> { options with From = offset })

    /// The same set if it must begin with a whole batch, as in a response to Fetch from version 3 on (KIP-74). A first batch that is not whole
    /// is then corrupt, whatever length it claims, and not just cut off.
    let beginningWhole (set: RecordSet) : RecordSet = set.With(fun options -> { options with BeginsWhole = true })

    /// The number of bytes of the items at the start that are there in full: up to a batch that is cut off, or that has an invalid length. Only
    /// the lengths are read, so a part of a log can be divided between batches cheaply.
    let wholeSize (bytes: Bytes) : int =
        let mutable items = (split bytes).GetEnumerator()
        items.SkipAllWhole()

    /// The batches one after another, copied into one run of bytes.
    let concat (batches: RecordBatch list) : Bytes =
        let all = Array.zeroCreate<byte>(batches |> List.sumBy _.SizeInBytes)
        let mutable at = 0

        for batch in batches do
            batch.Span.CopyTo(all.AsSpan at)
            at <- at + batch.SizeInBytes

        Bytes all
