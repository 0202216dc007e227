namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol

/// The reply to a search for an offset. The error code is part of the result.
[<Sealed>]
type Sought(exchange: Exchange<ListOffsets.Request, ListOffsets.Response>, result: Result<ListOffsets.PartitionResponse, ClientFault>) =
    inherit Reply<ListOffsets.Request, ListOffsets.Response, Result<ListOffsets.PartitionResponse, ClientFault>>(exchange, result)

    /// The offset that was found; none on a fault, on an error code, or if no record is that late.
    member _.Offset: int64 option =
        match result with
        | Ok found when not found.Error.IsError && found.Offset >= 0L -> Some found.Offset
        | _ -> None

/// The reply to a fetch. The error code is part of the result, next to whatever comes with it, such as the new leader with
/// NOT_LEADER_OR_FOLLOWER. With OFFSET_OUT_OF_RANGE Kafka's brokers report -1 for the bounds of the log: search for them.
[<Sealed>]
type Fetched
    (position: FetchPosition, exchange: Exchange<Fetch.Request, Fetch.Response>, result: Result<Fetch.PartitionResponse, ClientFault>) =
    inherit Reply<Fetch.Request, Fetch.Response, Result<Fetch.PartitionResponse, ClientFault>>(exchange, result)

    let reported (value: Fetch.PartitionResponse -> int64) : int64 option =
        match result with
        | Ok answer when value answer >= 0L -> Some(value answer)
        | _ -> None

    /// The position that was asked for.
    member _.Position = position

    /// The offset that was asked for.
    member _.Offset = position.Offset

    /// The broker's error code, such as OFFSET_OUT_OF_RANGE; `None` if there is no error or no response.
    member _.Error: ErrorCode =
        match result with
        | Ok answer -> answer.Error
        | Error _ -> ErrorCode.None

    /// Record batches one after another, the last of which may be cut off. Empty on a fault or an error.
    member _.Records: Bytes =
        match result with
        | Ok { Records = Some records } -> records
        | _ -> Bytes.empty

    /// The path of `Records` in the response.
    member private this.RecordsPath: string =
        match exchange.Result with
        | Ok response ->
            Message.records Fetch.api.Response response
            |> List.tryPick (fun (path, records) -> if records.Memory.Equals this.Records.Memory then Some path else None)
            |> Option.defaultValue "Records"
        | Error _ -> "Records"

    /// The batches in `Records`, split while they are enumerated. The first may begin before the offset that was asked for.
    member this.Batches: RecordSet = RecordSet.split this.Records |> RecordSet.under (Lazy<string>(fun () -> this.RecordsPath))

    /// The high watermark: the offset after the last record that all in-sync replicas have. None if it is not reported.
    member _.HighWatermark: int64 option = reported _.HighWatermark

    /// The offset after the last record whose transaction has ended. None if it is not reported.
    member _.LastStableOffset: int64 option = reported _.LastStableOffset

    /// The first offset that the partition still has. None if it is not reported.
    member _.LogStartOffset: int64 option = reported _.LogStartOffset

    /// The aborted transactions within what was read, if committed data was asked for.
    member _.AbortedTransactions: AbortedTransaction list =
        match result with
        | Ok { AbortedTransactions = Some aborted } -> aborted
        | _ -> []

    /// The batches that hold data at the isolation level that was asked for: without control batches and, for `ReadCommitted`, without
    /// those of aborted transactions. See `TransactionFilter.apply`.
    member this.DataBatches: RecordSetItem seq = TransactionFilter.apply this.AbortedTransactions this.Batches

    /// The id of the replica from which the leader asks the client to read (KIP-392).
    member _.PreferredReadReplica: int32 option = reported (fun answer -> int64 answer.PreferredReadReplica) |> Option.map int32

    /// Where the log diverges from what was read (KIP-595): the largest epoch that both have, and its end in the log. None if it does not.
    member _.Diverging: Fetch.EpochEndOffset option =
        match result with
        | Ok answer when answer.DivergingEpoch.EndOffset >= 0L -> Some answer.DivergingEpoch
        | _ -> None

/// Where to continue after a fetch.
[<RequireQualifiedAccess; NoComparison>]
type Advance =
    /// After the last complete batch, if every batch before it can be read. The same position if nothing was received.
    | To of FetchPosition
    /// Some bytes are not a readable batch. To continue from `next` is to skip them; `Batches` has the complete batches around them. `next` is
    /// none if the end of the damage is not known: fetching again from the same position would return the same bytes.
    | Damaged of stretches: CorruptBatch list * next: FetchPosition option
    /// An election has truncated the log below the position. It diverges from what was read at this position, from which to continue.
    | Truncated of FetchPosition

    /// A one-line description.
    override this.ToString() =
        match this with
        | To position -> "continue at " + position.ToString()
        | Damaged(stretches, next) ->
            "unreadable: "
            + String.Join("; ", List.map string stretches)
            + (match next with
               | Some position -> "; continue at " + position.ToString()
               | None -> "; the end of the damage is not known")
        | Truncated position -> "the log was truncated: continue at " + position.ToString()

[<RequireQualifiedAccess>]
module Fetched =

    /// What `advance` needs of the last complete batch, of any format.
    [<NoEquality; NoComparison>]
    type private Whole = { Bytes: Bytes; Place: RecordSetPlace; LastOffset: int64; Epoch: int32; Checksum: Result<unit, Fault> }

    let private wholeBatch (batch: RecordBatch) (place: RecordSetPlace) : Whole =
        { Bytes = batch.Bytes
          Place = place
          LastOffset = batch.LastOffset
          Epoch = batch.PartitionLeaderEpoch
          Checksum = RecordBatch.verify batch }

    // The header of a wrapper has only its last offset, and these formats have no epoch.
    let private wholeLegacy (batch: LegacyBatch) (place: RecordSetPlace) : Whole =
        { Bytes = batch.Bytes; Place = place; LastOffset = batch.LastOffset; Epoch = -1; Checksum = LegacyBatch.verify batch }

    // If a checksum is wrong, the last offset itself may be damaged. It is used only if the log can reach that far.
    let private unverified (fetched: Fetched) (batch: Whole) (fault: Fault) : CorruptBatch =
        let isPossible = fetched.HighWatermark |> Option.forall (fun watermark -> batch.LastOffset < watermark)
        CorruptBatch.At(batch.Place, batch.Bytes, fault, (if isPossible then ValueSome batch.LastOffset else ValueNone))

    let private after (fetched: Fetched) (batch: Whole) (passed: CorruptBatch list) : Advance =
        let damaged stretches next = Advance.Damaged(List.rev stretches, next)

        match batch.Checksum with
        | Error fault ->
            let stretch = unverified fetched batch fault

            let next =
                match stretch.LastOffset with
                | ValueSome offset when offset >= fetched.Offset -> Some(FetchPosition.at (offset + 1L))
                | _ -> None

            damaged (stretch :: passed) next
        | Ok() ->
            let next =
                if batch.LastOffset >= fetched.Offset then
                    { Offset = batch.LastOffset + 1L; LastEpoch = batch.Epoch }
                else
                    fetched.Position

            if passed.IsEmpty then Advance.To next else damaged passed (Some next)

    /// Where to continue: a pure function of the reply. A batch takes up its offsets whether or not it has records (compaction empties batches
    /// and leaves offset gaps) and whether or not they are data (control batches). On a fault or an error code it is the same position: see
    /// `Result`.
    ///
    /// The checksum of the last complete batch, from which the position is taken, is verified; those of the others are verified when they are
    /// opened. Damage after the last complete batch is left to the next fetch.
    let advance (fetched: Fetched) : Advance =
        let mutable last = ValueNone
        // Damaged stretches before the last complete batch, and those after it; the latest first.
        let mutable passed: CorruptBatch list = []
        let mutable ahead: CorruptBatch list = []

        for item in fetched.Batches do
            match item with
            | RecordSetItem.Batch _
            | RecordSetItem.Legacy _ ->
                passed <- ahead @ passed
                ahead <- []
                last <- ValueSome item
            | RecordSetItem.Corrupt stretch -> ahead <- stretch :: ahead
            | RecordSetItem.CutOff _ -> ()

        match fetched.Diverging, last with
        | Some diverging, _ -> Advance.Truncated { Offset = min diverging.EndOffset fetched.Offset; LastEpoch = diverging.Epoch }
        | None, ValueSome(RecordSetItem.Batch(batch, place)) -> after fetched (wholeBatch batch place) passed
        | None, ValueSome(RecordSetItem.Legacy(batch, place)) -> after fetched (wholeLegacy batch place) passed
        | None, _ when ahead.IsEmpty -> Advance.To fetched.Position
        | None, _ -> Advance.Damaged(List.rev ahead, None)
