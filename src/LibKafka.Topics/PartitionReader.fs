namespace LibKafka.Topics

open System
open System.Threading
open LibKafka
open LibKafka.Client

/// A request that is in flight.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type private InFlight =
    | Fetch of PendingCall<Fetched>
    | Search of PendingCall<Sought>

/// The connection of one partition, with one request in flight. It takes memory from the pool when a response arrives, and keeps it until
/// `Release`.
[<Sealed>]
type internal PartitionReader(client: PartitionClient, settings: ConsumerSettings, pool: BufferPool) =
    let partition = client.Partition
    let fetcher = PartitionFetcher.Owning(client, settings.Fetching, 0L)
    let memory = ReceiveBuffer(pool.Rent)
    let options = CallOptions.into memory
    let mutable inFlight: InFlight voption = ValueNone
    let mutable fromReplica = false
    let mutable topicId = Guid.Empty
    let mutable broker: BrokerAddress option = None

    let outcome (attempt: int) (call: InFlight) : PartitionAnswer =
        match call with
        | InFlight.Fetch call ->
            let fetched = call.Complete()

            { Outcome = ConsumerReading.fetched settings.Reading partition attempt fromReplica fetched
              Pause = ConsumerReading.pause fetched
              HighWatermark = fetched.HighWatermark
              TopicId = topicId }
        | InFlight.Search call ->
            { Outcome = ConsumerReading.sought partition attempt (call.Complete())
              Pause = TimeSpan.Zero
              HighWatermark = None
              TopicId = topicId }

    /// The partition.
    member _.Partition = partition

    /// Whether a request can be sent without making a connection first.
    member _.IsConnected = client.Connection.IsSome

    /// The broker that it was last connected to.
    member _.Broker = broker

    /// The bytes of memory that it holds.
    member _.Held = memory.Capacity

    /// Makes the connection, if it may be made now.
    member _.Connect(leaders: LeaderDirectory, cancellation: CancellationToken) : Reached =
        let reached = leaders.Connect(client, cancellation)

        match reached with
        | Reached.Connected connection -> broker <- Some connection.Broker
        | Reached.NotBefore _
        | Reached.Failed _ -> ()

        reached

    /// Sends a request.
    member _.Begin(start: Start) : PendingCall =
        let call: PendingCall =
            match start with
            | Start.At position ->
                fetcher.Position <- position
                let call = fetcher.Begin options
                inFlight <- ValueSome(InFlight.Fetch call)
                call
            | Start.Find spec ->
                let call = fetcher.BeginFindOffset(spec, options)
                inFlight <- ValueSome(InFlight.Search call)
                call

        fromReplica <- fetcher.Replica.IsSome
        client.LastLeader |> Option.iter (fun leader -> topicId <- leader.TopicId)
        call

    /// Receives what has arrived of the answer to the request in flight. Whether `Complete` would not wait.
    member _.Receive() : bool =
        match inFlight with
        | ValueSome(InFlight.Fetch call) -> call.Receive()
        | ValueSome(InFlight.Search call) -> call.Receive()
        | ValueNone -> true

    /// Waits for the answer to the request in flight.
    member _.Complete(attempt: int) : PartitionAnswer =
        match inFlight with
        | ValueSome call ->
            inFlight <- ValueNone
            outcome attempt call
        | ValueNone -> invalidOp "no request is in flight"

    /// Gives its memory back.
    member _.Release() = pool.Return(memory.Release())

    /// Closes the connection. What was received stays valid.
    member _.Close() =
        let call = inFlight
        inFlight <- ValueNone

        // An observer may throw, but no socket must leak.
        try
            match call with
            | ValueSome(InFlight.Fetch call) -> call.Abandon()
            | ValueSome(InFlight.Search call) -> call.Abandon()
            | ValueNone -> ()
        finally
            (fetcher :> IDisposable).Dispose()
