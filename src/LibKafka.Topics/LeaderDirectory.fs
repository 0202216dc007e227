namespace LibKafka.Topics

open System
open System.Net.Sockets
open System.Threading
open LibKafka.Client

/// How far the connection of a partition is.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal Reached =
    | Connected of Connection
    /// Try again at this time.
    | NotBefore of TimeSpan
    /// There is no leader, or the connection could not be made. Try again when the fault has been reported, after a delay.
    | Failed of ClientFault

/// The leaders of all partitions of some topics, which the clients of the partitions share: leaders are asked for once for all of them, and
/// not by each client. See `KnownLeaders` for when. `now` is the clock of all times here. It is used by one thread at a time.
[<Sealed>]
type internal LeaderDirectory(settings: ClientSettings, bootstrap: Bootstrap, times: LeaderTimes, now: unit -> TimeSpan) =
    let mutable known = KnownLeaders.empty times
    // What was known when `Refresh` last returned changes.
    let mutable reported = known

    let random () = Random.Shared.NextDouble()

    let ask (topics: string list) (call: CallOptions) : Result<TopicLeaders list, ClientFault> =
        let found = Cluster.FindLeaders(settings, bootstrap, topics, call)

        match found with
        | Ok leaders -> known <- KnownLeaders.answered (now ()) (random ()) leaders known
        | Error ClientFault.Cancelled -> ()
        | Error _ -> known <- KnownLeaders.unanswered (now ()) (random ()) known

        found

    let refresh (cancellation: CancellationToken) : Result<unit, ClientFault> =
        match KnownLeaders.toAsk (now ()) known with
        | [] -> Ok()
        | topics -> ask topics (CallOptions.cancelledBy cancellation) |> Result.map ignore

    let connect (client: PartitionClient) (leader: Leader) (cancellation: CancellationToken) : Reached =
        let began = now ()

        match client.ConnectToKnown(CallOptions.cancelledBy cancellation) with
        | Ok connection ->
            known <- KnownLeaders.connected leader.Address known
            Reached.Connected connection
        | Error ClientFault.Cancelled -> Reached.Failed ClientFault.Cancelled
        | Error fault ->
            let time = now ()
            known <- KnownLeaders.notConnected time (random ()) (time - began) leader.Address fault known
            Reached.Failed fault

    // Without a request in flight there is nothing to read, unless the broker has ended the connection.
    let isQuiet (connection: Connection) : bool =
        try
            not (connection.Socket.Poll(0, SelectMode.SelectRead))
        with
        | :? ObjectDisposedException
        | :? SocketException -> false

    // Does what the partition must do next, after it has asked for the leaders if that is due.
    let rec follow (client: PartitionClient) (cancellation: CancellationToken) : Reached =
        match refresh cancellation with
        | Error fault -> Reached.Failed fault
        | Ok() ->
            let before = known
            let struct (step, after) = KnownLeaders.next (now ()) client.Partition known
            known <- after

            match step with
            // A newer answer is needed, and may be asked for now.
            | LeaderStep.Wait time when time <= now () -> follow client cancellation
            | LeaderStep.Wait time -> Reached.NotBefore time
            | LeaderStep.Report code -> Reached.Failed(ClientFault.NoLeader(client.Partition, code))
            // If the client knows a newer leader, it waits for the next answer.
            | LeaderStep.Connect leader when not (client.UseLeader leader) -> follow client cancellation
            | LeaderStep.Connect leader ->
                match connect client leader cancellation with
                | Reached.Failed ClientFault.Cancelled ->
                    known <- before
                    Reached.Failed ClientFault.Cancelled
                | reached -> reached

    /// Asks for the leaders of a topic too, from the next request on, which is due at once.
    member _.Watch(topic: string) = known <- KnownLeaders.watch topic known

    /// Does not ask for the leaders of a topic any more.
    member _.Unwatch(topic: string) = known <- KnownLeaders.unwatch topic known

    /// What the cluster last said about a topic; none before the first answer. After an answer with an error it is still the one before, if
    /// there is one.
    member _.Topic(topic: string) : TopicLeaders option =
        known.Topics.TryFind topic |> Option.bind (fun topic -> topic.Described |> Option.orElse topic.Latest)

    /// Something newer than the last answer is needed.
    member _.Want() = known <- KnownLeaders.want known

    /// The time by its clock.
    member _.Now: TimeSpan = now ()

    /// The time at which `Refresh` has something to do; none without topics.
    member _.NextRefresh: TimeSpan voption = KnownLeaders.due known

    /// Asks for the leaders of all topics if that is due. Returns what has changed since the last time.
    member _.Refresh(cancellation: CancellationToken) : Result<TopicChange list, ClientFault> =
        refresh cancellation
        |> Result.map (fun () ->
            let changes = KnownLeaders.changes reported known
            reported <- known
            changes)

    /// Asks for the leaders of some topics now, and from now on.
    member _.Ask(topics: string list, call: CallOptions) : Result<TopicLeaders list, ClientFault> =
        for topic in topics do
            known <- KnownLeaders.watch topic known

        ask topics call

    /// Connects a client to its leader, if it may do that now, unless it has a connection that has not ended. It asks for the leaders first if that
    /// is due. A leader that another broker has named is connected to at once.
    member _.Connect(client: PartitionClient, cancellation: CancellationToken) : Reached =
        match client.Connection with
        | Some connection when isQuiet connection -> Reached.Connected connection
        | ended ->
            if ended.IsSome then client.Close()

            match client.KnownLeader with
            | Some leader when KnownLeaders.mayConnect (now ()) leader.Address known -> connect client leader cancellation
            | _ ->
                known <- KnownLeaders.watch client.Partition.Topic known
                follow client cancellation

    /// Why a partition cannot be connected now, as far as that is known.
    member _.Obstacle(partition: TopicPartition) : ClientFault = KnownLeaders.obstacle partition known
