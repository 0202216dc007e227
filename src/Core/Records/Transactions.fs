namespace LibKafka.Records

open LibKafka.Wire

/// A transaction that was aborted within what was fetched (KIP-98), as the answer to a fetch of committed data lists it. A reader of
/// committed data leaves its records out.
[<NoComparison>]
type AbortedTransaction =
    {
        /// The producer whose transaction it was.
        ProducerId: int64
        /// The offset of the first record of the transaction.
        FirstOffset: int64
    }

    /// As in `producer 7 from offset 42`.
    override this.ToString() = "producer " + string this.ProducerId + " from offset " + string this.FirstOffset

/// What a batch is to a reader of committed data.
[<RequireQualifiedAccess>]
type BatchRole =
    /// Records to be read: of a committed transaction, or of none.
    | Data
    /// Records of a transaction that was aborted.
    | Aborted
    /// Control records, which are no data.
    | Control

/// What a reader of committed data knows at one place in the log: in which producers' aborted transactions it is, and which ones begin further
/// on. It does not change: every batch gives the next one.
///
/// It begins anew with each answer to a fetch, whose list tells every aborted transaction that reaches into it, also those that began before
/// it. So nothing has to be carried from one fetch to the next.
[<NoComparison>]
type TransactionFilter =
    private
        {
            /// In the order of their first offsets.
            Ahead: AbortedTransaction list
            /// Producers whose transaction here was aborted.
            Aborting: Set<int64>
        }

/// Telling apart, batch by batch, what is data to a reader of committed data.
[<RequireQualifiedAccess>]
module TransactionFilter =

    /// Before the first batch of an answer that lists these transactions, in any order.
    let start (aborted: AbortedTransaction list) : TransactionFilter = { Ahead = List.sortBy _.FirstOffset aborted; Aborting = Set.empty }

    /// The filter with every transaction that begins before or within the batch.
    let rec private reach (batch: RecordBatch) (filter: TransactionFilter) : TransactionFilter =
        match filter.Ahead with
        | first :: rest when first.FirstOffset <= batch.LastOffset ->
            reach batch { Ahead = rest; Aborting = filter.Aborting.Add first.ProducerId }
        | _ -> filter

    /// Whether one of a control batch's records says that its producer's transaction ends here and was aborted.
    let private endsAborted (batch: RecordBatch) : Result<bool, Fault> =
        let isAbort (ended: Result<bool, Fault>) (record: Record) =
            match ended, ControlRecord.ofRecord record with
            | Error fault, _ -> Error fault
            | Ok ended, Ok control -> Ok(ended || control.Type = ControlRecordType.Abort)
            | Ok _, Error fault -> Error { fault with Path = "Records/Key" }

        // Brokers never compress control batches.
        RecordBatch.fold isAbort (Ok false) Limits.standard Codecs.none batch |> Result.bind id

    /// What a batch is, and the filter behind it. Batches come in the order of the log. A control batch is opened to see whether it ends an
    /// aborted transaction; a batch that is to be left out has its checksum verified, so that damage to its header drops no data. Both
    /// can give a fault: those of `RecordBatch.openRecords`, of its records and of `ControlRecord.ofRecord`.
    ///
    /// Source: KIP-98, section "Reading Transactional Messages"; the list's order and its ends are those that brokers keep.
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

    /// An item of a record set as it comes through, if it does, and the filter behind it.
    let private pass
        (position: int)
        (item: RecordSetItem)
        (filter: TransactionFilter)
        : struct (RecordSetItem voption * TransactionFilter) =
        match item with
        | RecordSetItem.Batch batch ->
            match next batch filter with
            | Ok struct (BatchRole.Data, filter) -> ValueSome item, filter
            | Ok struct (_, filter) -> ValueNone, filter
            | Error fault ->
                let corrupt =
                    { Fault = { fault with Offset = position + fault.Offset }
                      Position = position
                      Bytes = batch.Bytes
                      FirstOffset = batch.BaseOffset
                      LastOffset = ValueSome batch.LastOffset }

                ValueSome(RecordSetItem.Corrupt corrupt), filter
        | other -> ValueSome other, filter

    /// A record set as a reader of committed data is to see it, given the aborted transactions that came with it: without control batches and
    /// without the batches of those transactions. Everything else stays, in order; a batch that `next` finds a fault with is among the
    /// corrupt ones. Given no transactions, it is a record set as a reader of uncommitted data is to see it. The set is gone through as the
    /// sequence is iterated.
    let apply (aborted: AbortedTransaction list) (set: RecordSet) : RecordSetItem seq = seq {
        let mutable items = set.GetEnumerator()
        let mutable filter = start aborted
        let mutable position = 0

        while items.MoveNext() do
            let struct (item, behind) = pass position items.Current filter
            filter <- behind
            position <- items.Position

            match item with
            | ValueSome item -> item
            | ValueNone -> ()
    }
