namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Wire
open LibKafka.Protocol

/// A client of one partition, with a connection of its own to the partition's leader. The connection is made when it is first needed; it is
/// closed when a call fails or the broker says that it does not lead the partition, and the next call looks for the leader again: at
/// the broker that the last one named (KIP-951), else by asking for metadata. There are no retries: each call is made once. It is not for
/// use by several threads at a time.
[<Sealed>]
type PartitionClient(settings: ClientSettings, bootstrap: Bootstrap, partition: TopicPartition) =
    let mutable current: (Leader * Connection) option = None
    let mutable last: Leader option = None
    // The leader that a broker named, until it has been tried.
    let mutable named: Leader option = None
    // Whatever happens on the way of a call belongs to the attempt that the call is.
    let mutable attempt = 1

    let drop () =
        current |> Option.iter (fun (_, connection) -> connection.Close())
        current <- None
        named <- None

    /// Codes by which a broker says that it does not lead the partition, or that the client's view of it is stale.
    let leaderHasMoved (code: ErrorCode) =
        code = ErrorCode.NotLeaderOrFollower
        || code = ErrorCode.LeaderNotAvailable
        || code = ErrorCode.ReplicaNotAvailable
        || code = ErrorCode.KafkaStorageError
        || code = ErrorCode.FencedLeaderEpoch
        || code = ErrorCode.UnknownLeaderEpoch
        || code = ErrorCode.UnknownTopicOrPartition
        || code = ErrorCode.UnknownTopicId
        || code = ErrorCode.InconsistentTopicId

    let noLeader = { NodeId = -1; Address = { Host = ""; Port = 0 }; Epoch = -1; TopicId = Guid.Empty }

    let connectTo (cancellation: CancellationToken) (leader: Leader) : Result<Leader * Connection, ClientFault> =
        Connection.OpenAs(attempt, settings, leader.Address, cancellation)
        |> Result.map (fun connection ->
            current <- Some(leader, connection)
            last <- Some leader
            leader, connection)

    let connect (cancellation: CancellationToken) : Result<Leader * Connection, ClientFault> =
        match current with
        | Some made when (snd made).IsOpen -> Ok made
        | _ ->
            let candidate = named
            drop ()

            match candidate |> Option.map (connectTo cancellation) with
            | Some(Ok made) -> Ok made
            | Some(Error ClientFault.Cancelled) -> Error ClientFault.Cancelled
            | _ -> Cluster.findLeaderAs attempt settings bootstrap partition cancellation |> Result.bind (connectTo cancellation)

    // A leader that has not been elected later than the one we had is old news. Each one that is followed has a higher epoch than the one
    // before, so brokers that disagree cannot send the client round in circles.
    let leaderNamed (current: CurrentLeader) (nodes: NodeEndpoint list) (before: Leader) : Leader option =
        nodes
        |> List.tryFind (fun node -> node.NodeId = current.LeaderId && current.LeaderEpoch > before.Epoch)
        |> Option.map (fun node ->
            { before with NodeId = node.NodeId; Address = { Host = node.Host; Port = node.Port }; Epoch = current.LeaderEpoch })

    /// The partition.
    member _.Partition = partition

    /// The settings it was made with.
    member _.Settings = settings

    /// The connection to the leader, while there is one.
    member _.Connection = current |> Option.map snd |> Option.filter _.IsOpen

    /// The leader that the connection goes to, while there is one.
    member this.Leader = this.Connection |> Option.bind (fun _ -> current |> Option.map fst)

    /// The leader that was connected to last, also when the connection has since been closed; none before the first.
    member _.LastLeader = last

    /// Makes the connection to the leader, unless there is one.
    member _.Connect(?cancellation: CancellationToken) : Result<Connection, ClientFault> =
        attempt <- 1
        connect (defaultArg cancellation CancellationToken.None) |> Result.map snd

    /// The leader and the connection to it, which is made unless there is one.
    member internal _.Reach(cancellation: CancellationToken) : Result<Leader * Connection, ClientFault> = connect cancellation

    /// A new connection to another broker of the cluster, whose address the leader is asked for; none where the leader does not know it or
    /// it cannot be reached.
    member internal _.ConnectTo(node: int32, cancellation: CancellationToken) : Result<(Leader * Connection) option, ClientFault> =
        let openAt (leader: Leader) address =
            match Connection.OpenAs(attempt, settings, address, cancellation) with
            | Ok connection -> Ok(Some(leader, connection))
            | Error ClientFault.Cancelled -> Error ClientFault.Cancelled
            | Error _ -> Ok None

        connect cancellation
        |> Result.bind (fun (leader, connection) ->
            connection.Attempt <- attempt
            let told = (Cluster.metadata connection (Some []) cancellation).Outcome
            connection.Attempt <- 1

            told
            |> Result.bind (fun response ->
                match Cluster.addressOf response node with
                | Some address -> openAt leader address
                | None -> Ok None))

    /// A call that is not made, since nothing could come of it.
    member internal _.NotMade
        (api: Api<'Request, 'Response>, request: Leader -> int16 -> 'Request, fault, number)
        : Exchange<'Request, 'Answer> =
        attempt <- number
        Exchange.notMade settings attempt (settings.Time.GetTimestamp()) api None (request noLeader -1s) fault

    /// Makes one call, as attempt `number`, on the connection that `route` finds, in the highest version that the broker knows and that is
    /// allowed. The request is made for the leader and that version.
    member internal _.Exchange
        (
            route: CancellationToken -> Result<Leader * Connection, ClientFault>,
            api: Api<'Request, 'Response>,
            allowed: Leader -> VersionRange,
            request: Leader -> int16 -> 'Request,
            send: Connection -> int16 -> 'Request -> Exchange<'Request, 'Answer>,
            cancellation: CancellationToken,
            number: int
        ) : Exchange<'Request, 'Answer> =
        let began = settings.Time.GetTimestamp()
        attempt <- number

        let notMade leader broker fault = Exchange.notMade settings number began api broker (request leader -1s) fault

        match route cancellation with
        | Error fault -> notMade noLeader None fault
        | Ok(leader, connection) ->
            match connection.VersionWithin(api.Key, allowed leader) with
            | Error fault -> notMade leader (Some connection.Broker) fault
            | Ok version ->
                connection.Attempt <- number

                // What is called on the connection itself after that is no part of the attempt.
                try
                    send connection version (request leader version)
                finally
                    connection.Attempt <- 1

    /// Sends any request to the leader, in the highest common version, and waits for its response. `attempt` is the number that the
    /// exchange gets: see `RetryPolicy`.
    member this.Call
        (api: Api<'Request, 'Response>, request: 'Request, ?cancellation: CancellationToken, ?attempt: int)
        : Exchange<'Request, 'Response> =
        let cancellation = defaultArg cancellation CancellationToken.None

        this.Exchange(
            this.Reach,
            api,
            (fun _ -> api.Versions),
            (fun _ _ -> request),
            (fun connection version request -> connection.CallAt(version, api, request, cancellation)),
            cancellation,
            defaultArg attempt 1
        )

    /// Closes the connection where the code says that the leader is another, so that the next call goes to the one that the broker names
    /// or, where it names none, looks for it.
    member internal _.Heed(code: ErrorCode, leader: CurrentLeader, nodes: NodeEndpoint list) =
        if leaderHasMoved code then
            let next = current |> Option.bind (fst >> leaderNamed leader nodes)
            drop ()
            named <- next

    /// Closes the connection. A later call looks for the leader and makes a new one.
    member _.Close() = drop ()

    interface IDisposable with
        member _.Dispose() = drop ()

/// Which versions of an API a call may use.
[<RequireQualifiedAccess>]
module internal Allowed =

    /// All of them but those that name topics by their ids, from `withIds` on, where the cluster tells no id.
    let naming (api: Api<'Request, 'Response>) (withIds: int16) (leader: Leader) : VersionRange =
        if leader.TopicId = Guid.Empty then { api.Versions with Highest = withIds - 1s } else api.Versions

    /// Those of ListOffsets that know the place. A broker takes a number that it does not know the meaning of for a timestamp, and finds the
    /// wrong offset.
    let finding (spec: OffsetSpec) : VersionRange =
        let lowest =
            if spec = OffsetSpec.MaxTimestamp then 7s
            elif spec = OffsetSpec.EarliestLocal then 8s
            elif spec = OffsetSpec.LatestTiered then 9s
            elif spec = OffsetSpec.EarliestPendingUpload then 11s
            else ListOffsets.api.Versions.Lowest

        { ListOffsets.api.Versions with Lowest = lowest }
