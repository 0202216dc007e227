namespace LibKafka.Records

open LibKafka.Wire

/// An aborted transaction (KIP-98) as a fetch response lists it when committed data was requested. A reader of committed data skips its
/// records.
[<NoComparison>]
type AbortedTransaction =
    {
        /// The id of the transaction's producer.
        ProducerId: int64
        /// The offset of the first record of the transaction.
        FirstOffset: int64
    }

    /// Such as `producer 7 from offset 42`.
    override this.ToString() = "producer " + string this.ProducerId + " from offset " + string this.FirstOffset

/// The role of a batch for a reader of committed data.
[<RequireQualifiedAccess>]
type BatchRole =
    /// Records of a committed transaction or of no transaction.
    | Data
    /// Records of an aborted transaction.
    | Aborted
    /// Control records, which are not data.
    | Control

    /// A one-line description.
    override this.ToString() =
        match this with
        | Data -> "data"
        | Aborted -> "aborted"
        | Control -> "control records"

/// The state of a reader of committed data at one position of the log: the aborted transactions that are open there and those that begin
/// later. Immutable: every batch gives the next state.
///
/// Each fetch response starts a new filter. Its list contains every aborted transaction that extends into the response, including those that
/// began earlier, so no state is carried from one fetch to the next.
[<NoComparison>]
type TransactionFilter =
    private
        {
            /// In the order of their first offsets.
            Ahead: AbortedTransaction list
            /// The producers with an open aborted transaction.
            Aborting: Set<int64>
        }

/// Separates data from aborted transactions and control batches, one batch at a time.
[<RequireQualifiedAccess>]
module TransactionFilter =

    /// The filter before the first batch of a fetch response that lists these transactions, in any order.
    let start (aborted: AbortedTransaction list) : TransactionFilter = { Ahead = List.sortBy _.FirstOffset aborted; Aborting = Set.empty }

    /// The filter after every transaction that begins before or within the batch has been opened.
    let rec private reach (batch: RecordBatch) (filter: TransactionFilter) : TransactionFilter =
        match filter.Ahead with
        | first :: rest when first.FirstOffset <= batch.LastOffset ->
            reach batch { Ahead = rest; Aborting = filter.Aborting.Add first.ProducerId }
        | _ -> filter

    /// Whether a control batch contains the abort marker of its producer's transaction.
    let private endsAborted (batch: RecordBatch) : Result<bool, Fault> =
        let isAbort (ended: Result<bool, Fault>) (record: Record) =
            match ended, ControlRecord.ofRecord record with
            | Error fault, _ -> Error fault
            | Ok ended, Ok control -> Ok(ended || control.Type = ControlRecordType.Abort)
            | Ok _, Error fault -> Error(Fault.within "Records" fault |> Fault.after At.Records)

        // Brokers never compress control batches.
        RecordBatch.fold isAbort (Ok false) Reading.standard batch |> Result.bind id

    /// The role of a batch and the filter after it. Batches must be passed in the order of the log. A control batch is opened to find out
    /// whether it ends an aborted transaction. A batch that would be skipped is verified first, so that a damaged header loses no data. Both
    /// can result in a fault: those of `RecordBatch.openRecords`, of its records and of `ControlRecord.ofRecord`.
    ///
    /// Source: KIP-98, section "Reading Transactional Messages".
    let next (batch: RecordBatch) (filter: TransactionFilter) : Result<struct (BatchRole * TransactionFilter), Fault> =
        let filter = reach batch filter

        if batch.IsControl then
            endsAborted batch
            |> Result.map (fun aborted ->
                let aborting = if aborted then filter.Aborting.Remove batch.ProducerId else filter.Aborting
                struct (BatchRole.Control, { filter with Aborting = aborting }))
        elif batch.IsTransactional && filter.Aborting.Contains batch.ProducerId then
            RecordBatch.verify batch |> Result.map (fun () -> struct (BatchRole.Aborted, filter))
        else
            Ok(struct (BatchRole.Data, filter))

    /// The item if it is to be delivered, and the filter after it.
    let private pass (item: RecordSetItem) (filter: TransactionFilter) : struct (RecordSetItem voption * TransactionFilter) =
        match item with
        | RecordSetItem.Batch(batch, place) ->
            match next batch filter with
            | Ok struct (BatchRole.Data, filter) -> ValueSome item, filter
            | Ok struct (_, filter) -> ValueNone, filter
            | Error fault ->
                let corrupt = CorruptBatch.At(place, batch.Bytes, fault, ValueSome batch.LastOffset)
                ValueSome(RecordSetItem.Corrupt corrupt), filter
        | other -> ValueSome other, filter

    /// The items of a record set for a reader of committed data, given the aborted transactions of the fetch response: without control batches
    /// and without the batches of those transactions. All other items are delivered, in order; a batch for which `next` returns a fault becomes
    /// a corrupt item. Without any transactions, these are the items for a reader of uncommitted data. The set is read as the sequence is
    /// iterated.
    let apply (aborted: AbortedTransaction list) (set: RecordSet) : RecordSetItem seq = seq {
        let mutable items = set.GetEnumerator()
        let mutable filter = start aborted

        while items.MoveNext() do
            let struct (item, after) = pass items.Current filter
            filter <- after

            match item with
            | ValueSome item -> item
            | ValueNone -> ()
    }
