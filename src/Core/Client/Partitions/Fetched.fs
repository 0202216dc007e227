namespace LibKafka.Client

open System
open System.Buffers.Binary
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol

/// The reply to a search for an offset. An error code is a failure.
[<Sealed>]
type Sought(exchange: Exchange<ListOffsets.Request, ListOffsets.Response>, answer: Result<ListOffsets.PartitionResponse, ClientFault>) =
    inherit
        Reply<ListOffsets.Request, ListOffsets.Response, Result<ListOffsets.PartitionResponse, CallFailure>>(
            exchange,
            Reply.resultOf _.Error answer,
            Reply.codesOf (fun _ -> [])
        )

    /// The offset that was found; none on a fault, on an error code, or if no record is that late.
    member _.Offset: int64 option =
        match answer with
        | Ok found when not found.Error.IsError && found.Offset >= 0L -> Some found.Offset
        | _ -> None

/// The error codes of a fetch, by one function for all fetches.
[<AbstractClass; Sealed>]
type private FetchedCodes private () =
    static let codes: Result<Fetch.PartitionResponse, CallFailure> -> Result<ErrorCode list, ClientFault> = Reply.codesOf (fun _ -> [])

    static member OfResult = codes

/// The reply to a fetch. An error code is a failure; what comes with it, such as the new leader with NOT_LEADER_OR_FOLLOWER, is in `Answer`. With
/// OFFSET_OUT_OF_RANGE Kafka's brokers report -1 for the bounds of the log: search for them.
[<Sealed>]
type Fetched
    internal
    (
        position: FetchPosition,
        exchange: Exchange<Fetch.Request, Fetch.Response>,
        result: Result<Fetch.PartitionResponse, CallFailure>,
        answer: Fetch.PartitionResponse option
    ) =
    inherit Reply<Fetch.Request, Fetch.Response, Result<Fetch.PartitionResponse, CallFailure>>(exchange, result, FetchedCodes.OfResult)

    /// A reply from its parts. `answer` is the broker's answer about the partition, with or without an error code.
    new(position, exchange, answer: Result<Fetch.PartitionResponse, ClientFault>) =
        Fetched(position, exchange, Reply.resultOf _.Error answer, Result.toOption answer)

    member private _.Reported(value: Fetch.PartitionResponse -> int64) : int64 option =
        match answer with
        | Some answer when value answer >= 0L -> Some(value answer)
        | _ -> None

    /// The broker's answer about the partition, with or without an error code; none on a fault.
    member _.Answer: Fetch.PartitionResponse option = answer

    /// The position that was asked for.
    member _.Position = position

    /// The offset that was asked for.
    member _.Offset = position.Offset

    /// All record batches in the response, one after another, the last of which may be cut off. Empty on a fault or an error.
    member _.RawRecords: Bytes =
        match answer with
        | Some { Records = Some records } -> records
        | _ -> Bytes.empty

    /// The path of `RawRecords` in the response.
    member private this.RecordsPath: string =
        match this.Exchange.Result with
        | Ok response ->
            Message.records Fetch.api.Response response
            |> List.tryPick (fun (path, records) -> if records.Memory.Equals this.RawRecords.Memory then Some path else None)
            |> Option.defaultValue "Records"
        | Error _ -> "Records"

    /// All items of `RawRecords`, split while they are enumerated: data, control batches, the batches of aborted transactions, and bytes that
    /// cannot be read. The first batch may begin before the offset that was asked for; opening its item gives the records from that offset
    /// on.
    member this.RawBatches: RecordSet =
        let set =
            RecordSet.split this.RawRecords
            |> RecordSet.under (Lazy<string>(fun () -> this.RecordsPath))
            |> RecordSet.from position.Offset
        if this.Info.Version >= Fetch.wholeBatchSince then RecordSet.beginningWhole set else set

    /// The high watermark: the offset after the last record that all in-sync replicas have. None if it is not reported.
    member this.HighWatermark: int64 option = this.Reported _.HighWatermark

    /// The offset after the last record whose transaction has ended. None if it is not reported.
    member this.LastStableOffset: int64 option = this.Reported _.LastStableOffset

    /// The first offset that the partition still has. None if it is not reported.
    member this.LogStartOffset: int64 option = this.Reported _.LogStartOffset

    /// The aborted transactions within what was read, as the broker lists them if committed data was asked for.
    member _.AbortedTransactions: AbortedTransaction list =
        match answer with
        | Some { AbortedTransactions = Some aborted } -> aborted
        | _ -> []

    /// The batches with data from the position on, split while they are enumerated: without control batches and, for `ReadCommitted`, without
    /// those of aborted transactions. Bytes that cannot be read are `RecordSetItem.Corrupt`. The first batch may begin before the offset that
    /// was asked for: `RecordSetItem.openRecords` gives its records from that offset on, but the batch itself has all of them.
    member this.Batches: RecordSetItem seq =
        let aborted = if this.Request.IsolationLevel = IsolationLevel.ReadCommitted then this.AbortedTransactions else []

        let isWanted (item: RecordSetItem) =
            match item with
            | RecordSetItem.Batch(batch, _) -> batch.LastOffset >= position.Offset
            | RecordSetItem.Legacy(batch, _) -> batch.LastOffset >= position.Offset
            | RecordSetItem.Corrupt _ -> true
            | RecordSetItem.CutOff _ -> false

        TransactionFilter.apply aborted this.RawBatches |> Seq.filter isWanted

    /// The data records from the position on, in order: those of `Batches`. Iteration throws `CorruptRecordException` at the first bytes that
    /// cannot be read, after the records before them; `FetchedRecords.fold` returns the fault instead.
    member this.Records(reading: Reading) : FetchedRecords = FetchedRecords(this.Batches, reading)

    /// The id of the replica from which the leader asks the client to read (KIP-392).
    member this.PreferredReadReplica: int32 option =
        this.Reported(fun answer -> int64 answer.PreferredReadReplica) |> Option.map int32

    /// Where the log diverges from what was read (KIP-595): the largest epoch that both have, and its end in the log. None if it does not.
    member _.Diverging: Fetch.EpochEndOffset option =
        match answer with
        | Some answer when answer.DivergingEpoch.EndOffset >= 0L -> Some answer.DivergingEpoch
        | _ -> None

/// Where to continue after a fetch.
[<RequireQualifiedAccess; NoComparison>]
type Advance =
    /// After the last complete batch, if every batch before it can be read. The same position if nothing was received.
    | To of FetchPosition
    /// Some bytes are not a readable batch. To continue from `next` is to skip them; `Batches` has the complete batches around them. `next` is
    /// none if the end of the damage is not known: fetching again from the same position would return the same bytes.
    | Damaged of stretches: CorruptBatch list * next: FetchPosition option
    /// The next batch is larger than the fetch may return, so that only its beginning was received: fetch again with a larger `MaxBytes`. Since
    /// version 3 of Fetch, brokers send the first batch whole.
    | TooLarge of Fault
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
        | TooLarge fault -> "the next batch is larger than the fetch may return, so MaxBytes must be larger: " + fault.ToString()
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

    // The base offset lies outside the checksum. A batch that ends before the position cannot be the one that a broker sends for it.
    let private early (fetched: Fetched) (batch: Whole) : CorruptBatch =
        let fault = Fault.ofField "LastOffset" 0 (Problem.OutOfRange(batch.LastOffset, fetched.Offset, Int64.MaxValue))
        CorruptBatch.At(batch.Place, batch.Bytes, fault, ValueNone)

    // After the last complete batch, which has damaged stretches before and after it.
    let private after (fetched: Fetched) (passed: CorruptBatch list) (ahead: CorruptBatch list) (batch: Whole) : Advance =
        let damaged stretches next = Advance.Damaged(List.rev stretches, next)

        match batch.Checksum with
        | Error fault ->
            let stretch = unverified fetched batch fault

            let next =
                match stretch.LastOffset with
                | ValueSome offset when offset >= fetched.Offset -> Some(FetchPosition.at (offset + 1L))
                | _ -> None

            damaged (stretch :: passed) next
        | Ok() when batch.LastOffset < fetched.Offset -> damaged (ahead @ early fetched batch :: passed) None
        | Ok() ->
            let next = { Offset = batch.LastOffset + 1L; LastEpoch = batch.Epoch }
            if passed.IsEmpty then Advance.To next else damaged passed (Some next)

    // The batch at the start is cut off.
    let private tooLarge (fetched: Fetched) (bytes: int) (place: RecordSetPlace) : Advance =
        let most =
            match fetched.Exchange.Request.Topics |> List.collect _.Partitions with
            | [ asked ] -> min asked.PartitionMaxBytes fetched.Exchange.Request.MaxBytes
            | _ -> fetched.Exchange.Request.MaxBytes

        let problem =
            if bytes < At.Counted then
                Problem.Truncated(int64 At.Counted, bytes)
            else
                let length = BinaryPrimitives.ReadInt32BigEndian(fetched.RawRecords.Span.Slice At.Length)
                Problem.TooLong(int64 length + int64 At.Counted, int64 most)

        Advance.TooLarge(place.Locate(Fault.ofField "Length" At.Length problem))

    /// Where to continue: a pure function of the reply. A batch takes up its offsets whether or not it has records (compaction empties batches
    /// and leaves offset gaps) and whether or not they are data (control batches). On a fault or an error code it is the same position: see
    /// `Result`. If bytes were received, it is never the same position without a word.
    ///
    /// The checksum of the last complete batch, from which the position is taken, is verified; those of the others are verified when they are
    /// opened. Damage after the last complete batch is left to the next fetch.
    let advance (fetched: Fetched) : Advance =
        let mutable last = ValueNone
        let mutable start = ValueNone
        // Damaged stretches before the last complete batch, and those after it; the latest first.
        let mutable passed: CorruptBatch list = []
        let mutable ahead: CorruptBatch list = []

        for item in fetched.RawBatches do
            match item with
            | RecordSetItem.Batch _
            | RecordSetItem.Legacy _ ->
                passed <- ahead @ passed
                ahead <- []
                last <- ValueSome item
            | RecordSetItem.Corrupt stretch -> ahead <- stretch :: ahead
            | RecordSetItem.CutOff(bytes, place) when place.Index = 0 -> start <- ValueSome struct (bytes, place)
            | RecordSetItem.CutOff _ -> ()

        match fetched.Diverging, last with
        | Some diverging, _ -> Advance.Truncated { Offset = min diverging.EndOffset fetched.Offset; LastEpoch = diverging.Epoch }
        | None, ValueSome(RecordSetItem.Batch(batch, place)) -> wholeBatch batch place |> after fetched passed ahead
        | None, ValueSome(RecordSetItem.Legacy(batch, place)) -> wholeLegacy batch place |> after fetched passed ahead
        | None, _ when not ahead.IsEmpty -> Advance.Damaged(List.rev ahead, None)
        | None, _ ->
            match start with
            | ValueSome struct (bytes, place) -> tooLarge fetched bytes place
            | ValueNone -> Advance.To fetched.Position
