/// A collector of batches as lists, in the most obvious way. The real one is tested against it.
module LibKafka.Properties.Topics.CollectorModel

open System
open LibKafka.Records
open LibKafka.Topics
open LibKafka.Properties.Records

/// A batch and its records in order.
type ModelBatch =
    {
        Partition: int
        Number: int64
        Began: TimeSpan
        Records: RecordData list
        /// Whether no record was added with a partition.
        IsMovable: bool
        WasFlushed: bool
    }

let size (records: RecordData list) : int64 =
    let encoded index (record: RecordData) = Reference.encodeRecord 0L records.Head.Timestamp { record with Offset = int64 index }

    61L + (records |> List.mapi encoded |> List.sumBy (List.length >> int64))

type Model =
    {
        Settings: CollectorSettings
        Partitions: int
        Unavailable: Set<int>
        Now: TimeSpan
        Open: ModelBatch list
        Sealed: ModelBatch list
        Taken: ModelBatch list
        NextNumber: int64
        /// The partition that last got a record for any partition, and the batch there.
        Favorite: int * int64
    }

    member this.BufferedBytes = this.Open @ this.Sealed @ this.Taken |> List.sumBy (fun batch -> size batch.Records)

    member this.IsDue(batch: ModelBatch) = batch.WasFlushed || this.Now - batch.Began >= this.Settings.Linger

    /// The next batch of the partition that can be taken.
    member this.NextOf(partition: int) : ModelBatch option =
        (this.Sealed @ (this.Open |> List.filter this.IsDue)) |> List.tryFind (fun batch -> batch.Partition = partition)

let start (settings: CollectorSettings) (partitions: int) : Model =
    { Settings = settings
      Partitions = partitions
      Unavailable = Set.empty
      Now = TimeSpan.Zero
      Open = []
      Sealed = []
      Taken = []
      NextNumber = 0L
      Favorite = -1, -1L }

let private openIn (partition: int) (model: Model) = model.Open |> List.tryFind (fun batch -> batch.Partition = partition)

let private seal (batch: ModelBatch) (model: Model) : Model =
    { model with Open = List.except [ batch ] model.Open; Sealed = model.Sealed @ [ batch ] }

/// The partition for a record that may go to any.
let private favored (model: Model) : int =
    let partition, number = model.Favorite
    let isAvailable partition = not (model.Unavailable.Contains partition)

    match openIn partition model with
    | Some batch when batch.Number = number && partition < model.Partitions && isAvailable partition -> partition
    | _ ->
        let inTurn = [ for step in 1 .. model.Partitions -> (partition + step) % model.Partitions ]
        inTurn |> List.tryFind isAvailable |> Option.defaultValue inTurn.Head

/// Adds a record that is not too large to the open batch, or to a new one if it does not fit.
let rec private put (partition: int) (isFree: bool) (record: RecordData) (model: Model) : Model * Ticket =
    match openIn partition model with
    | Some batch when size (batch.Records @ [ record ]) <= int64 model.Settings.MaxBatchBytes ->
        let added = { batch with Records = batch.Records @ [ record ]; IsMovable = batch.IsMovable && isFree }

        { model with
            Open = model.Open |> List.map (fun other -> if other = batch then added else other)
            Favorite = if isFree then partition, batch.Number else model.Favorite },
        { Partition = partition; Batch = batch.Number; Index = batch.Records.Length }
    | Some batch ->
        let model = seal batch model
        // This partition has had its turn. If the record does not fit into the next one's batch either, it begins another batch there.
        let partition = if isFree then favored { model with Favorite = partition, -1L } else partition

        match openIn partition model with
        | Some next when isFree && size (next.Records @ [ record ]) > int64 model.Settings.MaxBatchBytes ->
            put partition isFree record (seal next model)
        | _ -> put partition isFree record model
    | None ->
        let batch =
            { Partition = partition
              Number = model.NextNumber
              Began = model.Now
              Records = [ record ]
              IsMovable = isFree
              WasFlushed = false }

        { model with
            Open = model.Open @ [ batch ]
            NextNumber = model.NextNumber + 1L
            Favorite = if isFree then partition, batch.Number else model.Favorite },
        { Partition = partition; Batch = batch.Number; Index = 0 }

let add (partition: int) (record: RecordData) (model: Model) : Model * Added =
    let headers = record.Headers |> List.collect Reference.encodeHeader |> List.length |> int64
    let length (bytes: LibKafka.Wire.Bytes voption) =
        bytes |> ValueOption.map (fun bytes -> int64 bytes.Length) |> ValueOption.defaultValue 0L
    let buffered = model.BufferedBytes

    if size [ record ] > int64 model.Settings.MaxBatchBytes then
        model, Added.TooLarge
    elif buffered > 0L && buffered + length record.Key + length record.Value + headers + 97L > model.Settings.MaxBufferedBytes then
        model, Added.Full
    else
        let isFree = partition = Partitioning.Any
        let model, ticket = put (if isFree then favored model else partition) isFree record model
        model, Added.Collected ticket

let flush (olderThan: TimeSpan) (model: Model) : Model =
    let flushed (batch: ModelBatch) = if model.Now - batch.Began >= olderThan then { batch with WasFlushed = true } else batch
    { model with Open = List.map flushed model.Open }

/// Takes the next batch of the partition, which must have one.
let take (batch: ModelBatch) (model: Model) : Model =
    { model with
        Open = List.except [ batch ] model.Open
        Sealed = List.except [ batch ] model.Sealed
        Taken = model.Taken @ [ batch ] }

let release (number: int64) (model: Model) : Model = { model with Taken = model.Taken |> List.filter (fun batch -> batch.Number <> number) }

/// How long until a batch that can not be taken yet can be taken.
let nextDue (model: Model) : TimeSpan option =
    model.Open
    |> List.filter (fun batch -> not batch.WasFlushed)
    |> List.map (fun batch -> max TimeSpan.Zero (model.Settings.Linger - (model.Now - batch.Began)))
    |> function
        | [] -> None
        | waits -> Some(List.min waits)
