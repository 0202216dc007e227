/// Prints record batches and their records.
module LibKafka.Inspect.Batches

open System
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Inspect.InternalTopics
open LibKafka.Inspect.Filters
open LibKafka.Inspect.Options
open LibKafka.Inspect.Input
open LibKafka.Inspect.Records
open LibKafka.Inspect.Output

/// An action on a record, which is valid only during the call.
type RecordAction = delegate of record: inref<Record> -> unit

/// Prints batches, and the records in them, as the options say. One thread at a time may use it.
[<Sealed>]
type BatchPrinter(options: Options, printer: Printer) =
    let uncompressed =
        { Limits = options.Limits
          Codecs = CompressionCodecs.none
          Buffer = ValueSome(CodecBuffer())
          // The record sets were split with verified checksums.
          VerifyChecksum = false }

    // Starting the codecs takes a while, and many logs have nothing compressed.
    let compressed = lazy { uncompressed with Codecs = AllCodecs.Set }

    let decoder = RecordDecoder options.Limits
    let isFiltered = options.Filter <> Filter.none
    let mutable isWhole = true
    let fail () = isWhole <- false

    /// What is printed of a record of the topic.
    let contentOf (topic: InternalTopic option) (isControl: bool) (record: inref<Record>) : RecordContent =
        match topic with
        | _ when isControl -> RecordContent.Control
        | None -> RecordContent.Plain
        | Some topic ->
            match decoder.Decode(topic, &record) with
            | Ok decoded -> RecordContent.Decoded decoded
            | Error fault ->
                fail ()
                RecordContent.Broken fault

    let unreadable (field: Field option) (offset: int64) (compression: CompressionType) (item: RecordSetItem) (fault: Fault) =
        let found =
            if compression = CompressionType.None then
                Trouble.ofFault (offset - int64 item.Position) fault
            else
                let place = " (byte " + string fault.Offset + " of the decompressed records)"
                Trouble.at offset fault.Path (fault.Problem.ToString() + place)

        fail ()
        printer.Item(field, Item.Trouble(offset, found))

    /// Opens the records of an item and passes each to an action. Prints the fault if they cannot be read.
    let eachRecord (field: Field option) (offset: int64) (compression: CompressionType) (item: RecordSetItem) (action: RecordAction) =
        let reading = if compression = CompressionType.None then uncompressed else compressed.Value

        match RecordSetItem.openRecords reading item with
        | Error fault -> unreadable field offset compression item fault
        | Ok records ->
            try
                let mutable records = records.GetEnumerator()

                while records.MoveNext() do
                    action.Invoke &records.Current
            with :? CorruptRecordException as corrupt ->
                unreadable field offset compression item corrupt.Fault

    let sequenceOf (batch: RecordBatch) (record: inref<Record>) : int32 voption =
        if batch.BaseSequence < 0 then
            ValueNone
        else
            // After the largest sequence number comes 0.
            ValueSome(int32 ((int64 batch.BaseSequence + record.Offset - batch.BaseOffset) % (int64 Int32.MaxValue + 1L)))

    /// Prints an item and its records. With a filter, an item without records to print is not printed either.
    let records (topic: InternalTopic option) (field: Field option) (found: Item) offset (batch: RecordBatch voption) compression item =
        let isControl = batch.IsSome && batch.Value.IsControl
        let isPrinted = ref (not isFiltered)
        if not isFiltered then printer.Item(field, found)

        RecordAction(fun record ->
            if not isFiltered || Filter.admits options.Filter &record then
                if not isPrinted.Value then
                    isPrinted.Value <- true
                    printer.Item(field, found)

                let sequence =
                    match batch with
                    | ValueSome batch -> sequenceOf batch &record
                    | ValueNone -> ValueNone

                let content = contentOf topic isControl &record
                printer.Record(field, { Offset = offset; Sequence = sequence; Content = content }, &record))
        |> eachRecord field offset compression item

    let item (topic: InternalTopic option) (field: Field option) (found: Item) =
        match found with
        | Item.Batch(_, batch, _) when not (Filter.mayAdmit options.Filter batch.MaxTimestamp) -> ()
        | Item.Batch(offset, batch, item) when options.Records -> records topic field found offset (ValueSome batch) batch.Compression item
        | Item.Legacy(offset, batch, item) when options.Records -> records topic field found offset ValueNone batch.Compression item
        | Item.Trouble _ ->
            fail ()
            printer.Item(field, found)
        | Item.Batch _
        | Item.Legacy _
        | Item.CutOff _
        | Item.Zeros _ -> printer.Item(field, found)

    /// Whether everything so far was readable.
    member _.IsWhole = isWhole

    /// Opens the records of an item and passes each to an action. Prints the fault if they cannot be read.
    member _.EachRecord(offset: int64, compression: CompressionType, item: RecordSetItem, action: RecordAction) =
        eachRecord None offset compression item action

    /// Prints an item of a log, or of a field of the frame that was printed last.
    member _.Item(topic: InternalTopic option, field: Field option, found: Item) = item topic field found
