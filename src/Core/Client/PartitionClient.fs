namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Wire
open LibKafka.Protocol

/// A client of one partition, with a connection of its own to the partition's leader. The connection is made when it is first needed; it is
/// closed when a call fails or the broker says that it does not lead the partition, and the next call looks for the leader again.
/// There are no retries: each call is made once. It is not for use by several threads at a time.
[<Sealed>]
type PartitionClient(settings: ClientSettings, bootstrap: Bootstrap, partition: TopicPartition) =
    let mutable current: (Leader * Connection) option = None

    let drop () =
        current |> Option.iter (fun (_, connection) -> connection.Close())
        current <- None

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

    let connect (cancellation: CancellationToken) : Result<Leader * Connection, ClientFault> =
        match current with
        | Some(leader, connection) when connection.IsOpen -> Ok(leader, connection)
        | _ ->
            drop ()

            Cluster.findLeader settings bootstrap partition cancellation
            |> Result.bind (fun leader ->
                Connection.Open(settings, leader.Address, cancellation)
                |> Result.map (fun connection ->
                    current <- Some(leader, connection)
                    leader, connection))

    /// The partition.
    member _.Partition = partition

    /// The settings it was made with.
    member _.Settings = settings

    /// The connection to the leader, while there is one.
    member _.Connection = current |> Option.map snd |> Option.filter _.IsOpen

    /// The leader that the connection goes to, while there is one.
    member this.Leader = this.Connection |> Option.bind (fun _ -> current |> Option.map fst)

    /// Makes the connection to the leader, unless there is one.
    member _.Connect(?cancellation: CancellationToken) : Result<Connection, ClientFault> =
        connect (defaultArg cancellation CancellationToken.None) |> Result.map snd

    // Makes one call on the leader's connection. Versions from `withIds` on name topics by their ids, so where the cluster tells none the
    // version before is the highest that can be used.
    member internal _.Exchange
        (
            api: Api<'Request, 'Response>,
            withIds: int16,
            request: Leader -> 'Request,
            send: Connection -> int16 -> 'Request -> Exchange<'Request, 'Answer>,
            cancellation: CancellationToken
        ) : Exchange<'Request, 'Answer> =
        let began = settings.Time.GetTimestamp()

        match connect cancellation with
        | Error fault -> Exchange.notMade settings began api None (request noLeader) fault
        | Ok(leader, connection) ->
            let request = request leader

            match connection.VersionOf api with
            | Error fault -> Exchange.notMade settings began api (Some connection.Broker) request fault
            | Ok version ->
                let version = if leader.TopicId = Guid.Empty then min version (withIds - 1s) else version

                send connection version request

    /// Sends any request to the leader, in the highest common version, and waits for its response.
    member this.Call(api: Api<'Request, 'Response>, request: 'Request, ?cancellation: CancellationToken) : Exchange<'Request, 'Response> =
        let cancellation = defaultArg cancellation CancellationToken.None

        this.Exchange(
            api,
            Int16.MaxValue,
            (fun _ -> request),
            (fun connection version request -> connection.CallAt(version, api, request, cancellation)),
            cancellation
        )

    /// Closes the connection where the code says that the leader is another, so that the next call looks for it.
    member internal _.Heed(code: ErrorCode) = if leaderHasMoved code then drop ()

    /// Closes the connection. A later call makes a new one.
    member _.Close() = drop ()

    interface IDisposable with
        member _.Dispose() = drop ()
