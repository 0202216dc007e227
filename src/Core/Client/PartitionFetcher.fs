namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol

/// How much a fetcher asks for, and how long the broker may wait for it.
type FetcherSettings =
    {
        /// How long the broker may wait for `MinBytes` to come together. It should be well below the call's own time-out.
        MaxWait: TimeSpan
        /// The broker answers as soon as it has this many bytes; 0 to be answered at once.
        MinBytes: int
        /// Most bytes to answer. The first batch comes whole even where it is larger.
        MaxBytes: int
        IsolationLevel: IsolationLevel
    }

[<RequireQualifiedAccess>]
module FetcherSettings =

    /// Up to half a second for at least one byte, at most 4 MiB, records of open transactions included.
    let standard =
        { MaxWait = TimeSpan.FromMilliseconds 500.0
          MinBytes = 1
          MaxBytes = 4 * 1024 * 1024
          IsolationLevel = IsolationLevel.ReadUncommitted }

/// What a search for an offset found. The error code is part of the answer.
type Sought =
    { Result: Result<ListOffsets.PartitionResponse, ClientFault>
      Exchange: Exchange<ListOffsets.Request, ListOffsets.Response> }

    /// The offset that was found; none on a fault, an error code, or where no record is that late.
    member this.Offset: int64 option =
        match this.Result with
        | Ok found when not found.Error.IsError && found.Offset >= 0L -> Some found.Offset
        | _ -> None

/// What a fetch brought. The error code is part of the answer, next to whatever came with it, such as the new leader with
/// NOT_LEADER_OR_FOLLOWER. With OFFSET_OUT_OF_RANGE Kafka's brokers give -1 for the bounds of the log: search for them.
type Fetched =
    {
        /// The offset that was asked for.
        Offset: int64
        Result: Result<Fetch.PartitionResponse, ClientFault>
        Exchange: Exchange<Fetch.Request, Fetch.Response>
    }

    /// Record batches one behind the other, the last one maybe cut off; none on a fault or error.
    member this.Records: Bytes =
        match this.Result with
        | Ok { Records = Some records } -> records
        | _ -> Bytes.empty

    /// The batches in `Records`, as they are iterated. The first may begin before the offset that was asked for.
    member this.Batches: RecordSet = RecordSet.split this.Records

    /// The batches that hold data at the isolation level that was asked for: without control batches, and for `ReadCommitted` without
    /// those of aborted transactions, which the answer lists. See `TransactionFilter.apply`.
    member this.DataBatches: RecordSetItem seq =
        let aborted =
            match this.Result with
            | Ok { AbortedTransactions = Some aborted } -> aborted
            | _ -> []

        TransactionFilter.apply aborted this.Batches

[<RequireQualifiedAccess>]
module Fetched =

    /// The offset to fetch from next: behind the last batch that came whole, or the same offset where none did. A stretch that
    /// cannot be read does not stop it where its offsets are known: it is for the caller to look at `Batches` and decide what becomes of it.
    let nextOffset (fetched: Fetched) : int64 =
        let mutable next = fetched.Offset

        for item in fetched.Batches do
            match item with
            | RecordSetItem.Batch batch -> next <- max next batch.NextOffset
            | RecordSetItem.Corrupt { LastOffset = ValueSome last } -> next <- max next (last + 1L)
            | _ -> ()

        next

/// Reads batches of one partition, each time with one call on a connection of its own. It reads at `Offset`, which only the caller
/// moves: fetching twice gives the same records twice.
[<Sealed>]
type PartitionFetcher(client: PartitionClient, settings: FetcherSettings, offset: int64) =
    let mutable offset = offset

    let listRequest (spec: OffsetSpec) (leader: Leader) : ListOffsets.Request =
        { ReplicaId = -1
          IsolationLevel = settings.IsolationLevel
          Topics =
            [ { Name = client.Partition.Topic
                Partitions = [ { PartitionIndex = client.Partition.Partition; CurrentLeaderEpoch = leader.Epoch; Spec = spec } ] } ]
          TimeoutMs = int client.Settings.CallTimeout.TotalMilliseconds }

    let fetchRequest (leader: Leader) : Fetch.Request =
        { ClusterId = None
          ReplicaId = -1
          ReplicaState = { ReplicaId = -1; ReplicaEpoch = -1L }
          MaxWaitMs = int settings.MaxWait.TotalMilliseconds
          MinBytes = settings.MinBytes
          MaxBytes = settings.MaxBytes
          IsolationLevel = settings.IsolationLevel
          SessionId = 0
          SessionEpoch = -1
          Topics =
            [ { Topic = client.Partition.Topic
                TopicId = leader.TopicId
                Partitions =
                  [ { Partition = client.Partition.Partition
                      CurrentLeaderEpoch = leader.Epoch
                      FetchOffset = offset
                      LastFetchedEpoch = -1
                      LogStartOffset = -1L
                      PartitionMaxBytes = settings.MaxBytes
                      ReplicaDirectoryId = Guid.Empty
                      HighWatermark = Int64.MaxValue } ] } ]
          Forgotten = []
          RackId = "" }

    let foundIn (response: ListOffsets.Response) : Result<ListOffsets.PartitionResponse, ClientFault> =
        response.Topics
        |> List.collect _.Partitions
        |> List.tryFind (fun found -> found.PartitionIndex = client.Partition.Partition)
        |> Option.map Ok
        |> Option.defaultValue (Error(ClientFault.NotAnswered client.Partition))

    // An error of the request as a whole comes without partitions; it is told as the partition's.
    let fetchedIn (response: Fetch.Response) : Result<Fetch.PartitionResponse, ClientFault> =
        let answer =
            response.Topics
            |> List.collect _.Partitions
            |> List.tryFind (fun answer -> answer.PartitionIndex = client.Partition.Partition)

        match answer with
        | Some answer when response.Error.IsError && not answer.Error.IsError -> Ok { answer with Error = response.Error }
        | Some answer -> Ok answer
        | None when response.Error.IsError ->
            Ok
                { Fetch.partitionResponse.Default with
                    PartitionIndex = client.Partition.Partition
                    Error = response.Error
                    HighWatermark = -1L }
        | None -> Error(ClientFault.NotAnswered client.Partition)

    let heed (result: Result<ErrorCode, ClientFault>) =
        match result with
        | Ok code -> client.Heed code
        | Error(ClientFault.NotAnswered _) -> client.Close()
        | Error _ -> ()

    /// The client that it calls through.
    member _.Client = client

    /// The settings it was made with.
    member _.Settings = settings

    /// The offset of the first record that the next fetch asks for. Fetching does not move it.
    member _.Offset
        with get () = offset
        and set value = offset <- value

    /// Looks for an offset by its place or by a timestamp and moves `Offset` there where it is found.
    member this.Seek(spec: OffsetSpec, ?cancellation: CancellationToken) : Sought =
        let sought = this.Find(spec, ?cancellation = cancellation)
        sought.Offset |> Option.iter (fun found -> offset <- found)
        sought

    /// Looks for an offset by its place or by a timestamp, without moving `Offset`.
    member _.Find(spec: OffsetSpec, ?cancellation: CancellationToken) : Sought =
        let cancellation = defaultArg cancellation CancellationToken.None

        let exchange =
            client.Exchange(
                ListOffsets.api,
                Int16.MaxValue,
                listRequest spec,
                (fun connection version request -> connection.CallAt(version, ListOffsets.api, request, cancellation)),
                cancellation
            )

        let result = exchange.Outcome |> Result.bind foundIn
        heed (result |> Result.map _.Error)

        { Result = result; Exchange = exchange }

    /// Reads what there is from `Offset` on.
    member _.Fetch(?cancellation: CancellationToken) : Fetched =
        let cancellation = defaultArg cancellation CancellationToken.None

        let exchange =
            client.Exchange(
                Fetch.api,
                13s,
                fetchRequest,
                (fun connection version request -> connection.CallAt(version, Fetch.api, request, cancellation)),
                cancellation
            )

        let result = exchange.Outcome |> Result.bind fetchedIn
        heed (result |> Result.map _.Error)

        { Offset = offset; Result = result; Exchange = exchange }

    /// Closes the connection.
    member _.Close() = client.Close()

    interface IDisposable with
        member _.Dispose() = client.Close()
