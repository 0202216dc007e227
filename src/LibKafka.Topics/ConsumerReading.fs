namespace LibKafka.Topics

open System
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client

/// What an answer of a broker means for a consumer.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal Outcome =
    /// There is nothing for the caller. The partition is read on from this position.
    | Nothing of next: FetchPosition
    /// Something for the caller.
    | Event of ConsumerEvent

/// What a broker answered about a partition.
[<NoEquality; NoComparison>]
type internal PartitionAnswer =
    {
        Outcome: Outcome
        /// How long the broker asks not to be asked again.
        Pause: TimeSpan
        HighWatermark: int64 option
        /// The id of the topic that was asked about; empty if it is not known.
        TopicId: Guid
    }

/// Pure functions from answers to outcomes.
[<RequireQualifiedAccess>]
module internal ConsumerReading =

    /// The first version of Fetch whose brokers expect the client to pause by itself (KIP-219).
    [<Literal>]
    let private ClientPausesSince = 8s

    /// The items at the start of a fetch that can be read, and what comes after them.
    [<NoEquality; NoComparison>]
    type private Prefix =
        {
            /// The bytes of the readable items.
            Bytes: int
            /// The position after them.
            Next: FetchPosition
            /// The bytes after them that cannot be read.
            Damage: CorruptBatch list
            /// The offset after the damage, if it is known.
            After: int64 option
        }

    // The base offset lies outside the checksum.
    let private early (next: FetchPosition) (batch: Bytes) (last: int64) (place: RecordSetPlace) : CorruptBatch =
        { Fault =
            { Problem = Problem.OutOfRange(last, next.Offset, Int64.MaxValue)
              Offset = place.Position
              Path = "Records[" + string place.Index + "]/LastOffset" }
          Position = place.Position
          Bytes = batch
          FirstOffset = -1L
          LastOffset = ValueNone }

    // The last offset in a damaged header is used only if the log can reach that far.
    let private endOf (fetched: Fetched) (next: FetchPosition) (stretch: CorruptBatch) : int64 option =
        match stretch.LastOffset with
        | ValueSome last when last >= next.Offset && fetched.HighWatermark |> Option.forall (fun watermark -> last < watermark) ->
            Some(last + 1L)
        | _ -> None

    // A readable batch. After damage, it shows where the damage ends: `first` gives the offset, from what the damage says itself.
    let private addBatch (bytes: Bytes) first last epoch (place: RecordSetPlace) (prefix: Prefix) : Prefix =
        if last < prefix.Next.Offset then
            { prefix with Damage = early prefix.Next bytes last place :: prefix.Damage; After = None }
        elif prefix.Damage.IsEmpty then
            { prefix with Bytes = place.Position + bytes.Length; Next = { Offset = last + 1L; LastEpoch = epoch } }
        else
            { prefix with After = first prefix.After }

    let private add (fetched: Fetched) (prefix: Prefix) (item: RecordSetItem) : Prefix =
        match item with
        | RecordSetItem.Batch(batch, place) ->
            let first _ = if batch.BaseOffset > prefix.Next.Offset then Some batch.BaseOffset else None
            addBatch batch.Bytes first batch.LastOffset batch.PartitionLeaderEpoch place prefix
        // The header of a wrapper has only its last offset, and these formats have no epoch.
        | RecordSetItem.Legacy(batch, place) ->
            let first = Option.filter (fun after -> after <= batch.LastOffset)
            addBatch batch.Bytes first batch.LastOffset -1 place prefix
        | RecordSetItem.Corrupt stretch -> { prefix with Damage = stretch :: prefix.Damage; After = endOf fetched prefix.Next stretch }
        | RecordSetItem.CutOff _ -> prefix

    // Reads items up to the first readable one after damage. The checksum of each is verified.
    let private prefixOf (fetched: Fetched) : Prefix =
        let mutable items = (RecordSet.verified fetched.RawBatches).GetEnumerator()
        let mutable prefix = { Bytes = 0; Next = fetched.Position; Damage = []; After = None }
        let mutable isOver = false

        while not isOver && items.MoveNext() do
            let before = prefix
            prefix <- add fetched before items.Current
            isOver <- not before.Damage.IsEmpty && Object.ReferenceEquals(prefix.Damage, before.Damage)

        prefix

    // The reply without the bytes after the readable ones.
    let private cut (fetched: Fetched) (prefix: Prefix) : Fetched =
        match fetched.Answer with
        | Some answer when not prefix.Damage.IsEmpty ->
            let readable = { answer with Records = Some(fetched.RawRecords.Slice(0, prefix.Bytes)) }
            Fetched(fetched.Position, fetched.Exchange, Ok readable)
        | _ -> fetched

    /// How long the broker asks not to be asked again, because the client has exceeded a quota.
    let pause (fetched: Fetched) : TimeSpan = if fetched.Info.Version >= ClientPausesSince then fetched.Info.ThrottleTime else TimeSpan.Zero

    // Not even the first batch is whole. Since version 3, brokers send it whole.
    let private cutOff (fetched: Fetched) : ClientFault =
        match Fetched.advance fetched with
        | Advance.TooLarge fault -> ClientFault.Malformed fault
        | other -> ClientFault.Broken(other.ToString())

    let private ofRecords (reading: Reading) (partition: TopicPartition) (attempt: int) (fetched: Fetched) : Outcome =
        let prefix = prefixOf fetched
        let readable = cut fetched prefix

        if prefix.Bytes > 0 && not (Seq.isEmpty readable.Batches) then
            let records = readable.Records { reading with VerifyChecksum = false }
            Outcome.Event(ConsumerEvent.Fetched(partition, records, readable, prefix.Next))
        elif prefix.Bytes > 0 || fetched.RawRecords.Length = 0 then
            Outcome.Nothing(prefix.Next)
        elif prefix.Damage.IsEmpty then
            Outcome.Event(ConsumerEvent.Failed(partition, CallFailure.Fault(cutOff fetched), attempt))
        else
            let after = prefix.After |> Option.map FetchPosition.at
            Outcome.Event(ConsumerEvent.Damaged(partition, fetched, List.rev prefix.Damage, after))

    /// Whether the code says only that the broker has lost the fetch session. The next fetch opens another one.
    let private isSessionLost (code: ErrorCode) = code = ErrorCode.FetchSessionIdNotFound || code = ErrorCode.InvalidFetchSessionEpoch

    /// The outcome of a fetch. `fromReplica` says whether a replica was asked, which may not have the position yet: the next fetch goes to the
    /// leader.
    let fetched (reading: Reading) (partition: TopicPartition) (attempt: int) (fromReplica: bool) (fetched: Fetched) : Outcome =
        let failed failure = Outcome.Event(ConsumerEvent.Failed(partition, failure, attempt))

        match fetched.Result with
        | Error(CallFailure.Code code) when isSessionLost code -> Outcome.Nothing(fetched.Position)
        | Error(CallFailure.Code code) when code = ErrorCode.OffsetOutOfRange && fromReplica -> Outcome.Nothing(fetched.Position)
        | Error(CallFailure.Code code) when code = ErrorCode.OffsetOutOfRange -> Outcome.Event(ConsumerEvent.OutOfRange(partition, fetched))
        | Error failure -> failed failure
        | Ok _ ->
            match fetched.Diverging with
            | Some diverging ->
                let position = { Offset = min diverging.EndOffset fetched.Offset; LastEpoch = diverging.Epoch }
                Outcome.Event(ConsumerEvent.Truncated(partition, fetched, position))
            | None -> ofRecords reading partition attempt fetched

    /// The outcome of a search for an offset.
    let sought (partition: TopicPartition) (attempt: int) (sought: Sought) : Outcome =
        let failed failure = Outcome.Event(ConsumerEvent.Failed(partition, failure, attempt))

        match sought.Offset, sought.Result with
        | Some offset, _ -> Outcome.Nothing(FetchPosition.at offset)
        | None, Error failure -> failed failure
        | None, Ok _ -> failed (CallFailure.Fault(ClientFault.NoSuchOffset(partition, sought.Request.Topics.Head.Partitions.Head.Spec)))
