namespace LibKafka.Client

open System.Collections.Generic
open System.Diagnostics.CodeAnalysis
open LibKafka.Wire
open LibKafka.Records

/// Iterates over the records of a fetch. `for` and `foreach` over `FetchedRecords` create it.
[<Struct; NoEquality; NoComparison>]
type FetchedRecordEnumerator =
    val private items: IEnumerator<RecordSetItem>
    val private reading: Reading
    val mutable private records: RecordEnumerator
    val mutable private item: RecordSetItem voption
    val mutable private fault: Fault voption

    internal new(items: IEnumerator<RecordSetItem>, reading: Reading) =
        { items = items
          reading = reading
          records = Unchecked.defaultof<RecordEnumerator>
          item = ValueNone
          fault = ValueNone }

    member private this.Open() : unit =
        let item = this.items.Current
        this.item <- ValueSome item

        match RecordSetItem.openRecords this.reading item with
        | Ok opened -> this.records <- opened.GetEnumerator()
        | Error fault -> this.fault <- ValueSome fault

    /// Moves to the next record; false after the last one. Throws `CorruptRecordException` at bytes that are not a readable batch and at a
    /// malformed record. Another call throws again.
    member this.MoveNext() : bool =
        let mutable isAtRecord = this.fault.IsNone && this.records.MoveNext()

        while not isAtRecord && this.fault.IsNone && this.items.MoveNext() do
            this.Open()
            isAtRecord <- this.fault.IsNone && this.records.MoveNext()

        match this.fault with
        | ValueSome fault -> raise (CorruptRecordException fault)
        | ValueNone -> isAtRecord

    /// The item that the current record belongs to, or that cannot be read; none before the first.
    member this.Item: RecordSetItem voption = this.item

    /// The current record. The next `MoveNext` overwrites it: copy it, or the parts that are needed, to keep it longer.
    [<UnscopedRef>]
    member this.Current: inref<Record> = &this.records.Current

/// The data records of a fetch, not read yet: see `Fetched.Records`. Nothing is allocated for each record. Every iteration starts from the
/// first record.
[<Sealed>]
type FetchedRecords internal (items: RecordSetItem seq, reading: Reading) =

    member _.GetEnumerator() = FetchedRecordEnumerator(items.GetEnumerator(), reading)

/// All records of a fetch at once, with faults as values.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module FetchedRecords =

    /// Folds over the records in order. The record passed to the folder is valid for that call only. On a fault, the state is lost: fold over
    /// the batches of `Fetched.Batches` one by one to keep what was read before it.
    let fold (folder: 'State -> Record -> 'State) (initial: 'State) (records: FetchedRecords) : Result<'State, Fault> =
        CorruptRecord.asFault (fun () ->
            let mutable state = initial

            for record in records do
                state <- folder state record

            state)

    /// Copies of the records, in order.
    let toList (records: FetchedRecords) : Result<RecordData list, Fault> =
        records |> fold (fun copies record -> record.ToData() :: copies) [] |> Result.map List.rev
