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
        /// The base offset at their start. Reading the partition stopped there, unless the base offset itself is damaged.
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
          FirstOffset = BinaryPrimitives.ReadInt64BigEndian bytes.Span
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
    /// Fetching from the `NextOffset` of the last whole batch returns the batch in full.
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

/// Opens the items of a record set, whatever their format.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module RecordSetItem =

    /// Opens a batch, or a message of an older format, for reading its records. Faults name the item, such as `Records[3]/Crc`, and count
    /// their offsets from the start of the record set, or of the decompressed records if the batch is compressed. A corrupt item returns its
    /// fault, and a batch that is cut off has no records. See `RecordBatch.openRecords` and `LegacyBatch.openRecords`.
    let openRecords (reading: Reading) (item: RecordSetItem) : Result<BatchRecords, Fault> =
        match item with
        | RecordSetItem.Batch(batch, place) -> RecordBatch.openAt place reading batch
        | RecordSetItem.Legacy(batch, place) -> LegacyBatch.openAt place reading batch
        | RecordSetItem.Corrupt corrupt -> Error corrupt.Fault
        | RecordSetItem.CutOff _ -> Ok BatchRecords.Empty

/// Iterates over the items of a record set. `for` and `foreach` over `RecordSet` create it.
[<Struct; NoEquality; NoComparison>]
type RecordSetEnumerator =
    val private bytes: Bytes
    val private verify: bool
    val private path: Lazy<string>
    val mutable private index: int
    val mutable private position: int
    val mutable private current: RecordSetItem

    internal new(bytes: Bytes, verify: bool, path: Lazy<string>) =
        { bytes = bytes
          verify = verify
          path = path
          index = 0
          position = 0
          current = RecordSetItem.CutOff(0, RecordSetPlace()) }

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

    member private this.Next(remaining: int) : RecordSetItem =
        let place = RecordSetPlace(this.path, this.index, this.position)
        let length = this.Length remaining
        let magic = this.Magic remaining

        let least =
            match magic with
            | ValueSome 2y -> At.Records - At.Counted
            | ValueSome 1y -> LegacyAt.least 1y - At.Counted
            // The smallest of all formats.
            | _ -> LegacyAt.least 0y - At.Counted

        let corrupt (bytes: Bytes) (field: string) (at: int) (problem: Problem) =
            RecordSetItem.Corrupt(CorruptBatch.At(place, bytes, Fault.ofField field at problem, ValueNone))

        if length < least then
            // The start of the next batch is unknown.
            corrupt (this.bytes.Slice(this.position, remaining)) "Length" At.Length (Problem.BadBatchLength length)
        elif length > remaining - At.Counted then
            RecordSetItem.CutOff(remaining, place)
        else
            let bytes = this.bytes.Slice(this.position, At.Counted + length)

            match magic with
            | ValueSome 2y
            | ValueNone -> RecordSetEnumerator.Batch(place, bytes, this.verify)
            | ValueSome 0y
            | ValueSome 1y -> RecordSetEnumerator.Legacy(place, bytes, this.verify)
            | ValueSome other -> corrupt bytes "Magic" At.Magic (Problem.BadMagic other)

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
type RecordSet internal (bytes: Bytes, verify: bool, path: Lazy<string>) =

    /// The path of a set that was not read from a known message.
    static let unknown = Lazy<string>("Records")

    internal new(bytes: Bytes, verify: bool) = RecordSet(bytes, verify, unknown)

    /// All of the bytes.
    member _.Bytes = bytes

    member internal _.Under(path: Lazy<string>) = RecordSet(bytes, verify, path)

    member _.GetEnumerator() = RecordSetEnumerator(bytes, verify, path)

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

    /// The same set with the path of the field from which it was read, such as `FetchResponse/Responses[0]/Partitions[2]/Records`, which is
    /// evaluated only if there is a fault. The paths of faults begin with it: without it, they begin with `Records`. If it is empty, they name
    /// only the field within the batch. `Message.records` returns such paths.
    let under (path: Lazy<string>) (set: RecordSet) : RecordSet = set.Under path

    /// The batches one after another, copied into one run of bytes.
    let concat (batches: RecordBatch list) : Bytes =
        let all = Array.zeroCreate<byte>(batches |> List.sumBy _.SizeInBytes)
        let mutable at = 0

        for batch in batches do
            batch.Span.CopyTo(all.AsSpan at)
            at <- at + batch.SizeInBytes

        Bytes all
