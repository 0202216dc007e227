namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol

/// The versions of an API that a call to a leader may use.
[<RequireQualifiedAccess>]
module internal AllowedVersions =

    /// All versions, except those that name topics by their ids if the cluster reports no id.
    let naming (api: Api<'Request, 'Response>) (topicIdsSince: int16) (held: Held<Leader>) : VersionRange =
        if held.Target.TopicId.Equals Guid.Empty then
            { Caps.versionsOf api with Highest = topicIdsSince - 1s }
        else
            Caps.versionsOf api

    /// The versions of ListOffsets that support the place.
    let finding (spec: OffsetSpec) : VersionRange =
        let versions = Caps.versionsOf ListOffsets.api
        { versions with Lowest = max versions.Lowest (ListOffsets.supportedSince spec) }

/// A client of one partition, with a connection of its own to the partition's leader. The connection is made when it is first needed. It is
/// closed when a call fails or the broker says that it does not lead the partition; the next call then goes to the leader that this broker
/// named (KIP-951), or finds it by asking for metadata. There are no retries: each call is made once. Two threads must not use a
/// client at the same time: the second one gets an InvalidOperationException, and nothing is sent. ArgumentException if the
/// topic name is empty or the number of the partition is negative.
[<Sealed>]
type PartitionClient(settings: ClientSettings, bootstrap: Bootstrap, partition: TopicPartition) =
    do
        TopicName.required (nameof partition) partition.Topic |> ignore
        Argument.partition (nameof partition) partition.Partition

    let lease = Lease<Leader>(settings, Role.leader bootstrap partition)

    let beginCall (api: Api<'Request, 'Response>) (request: 'Request) (call: CallOptions option) : Call<Exchange<'Request, 'Response>> =
        lease.Begin(Operation.Begin(settings, call), api, (fun _ -> Caps.versionsOf api), (fun _ _ -> request), id)

    /// The partition.
    member _.Partition = partition

    /// A one-line description.
    override _.ToString() = "client of " + partition.ToString()

    /// The settings it was made with.
    member _.Settings = settings

    /// The connection to the leader, while there is one.
    member _.Connection: Connection option = lease.Current |> Option.map _.Connection

    /// The leader that the connection goes to, while there is one.
    member _.Leader: Leader option = lease.Current |> Option.map _.Target

    /// The leader that was connected to last, even if the connection has since been closed; none before the first.
    member _.LastLeader: Leader option = lease.Last

    /// The connection to the leader, and how it is made.
    member internal _.Lease = lease

    /// Makes the connection to the leader if there is none.
    member _.Connect(?call: CallOptions) : Result<Connection, ClientFault> =
        use _ = lease.Guard.Hold()
        lease.Reach(Operation.Begin(settings, call)) |> Result.map _.Connection

    /// The leader that the next call goes to without asking for metadata: the one that there is a connection to, or that was named by another
    /// broker or handed over. None if metadata must be asked for.
    member _.KnownLeader: Leader option = lease.Known

    /// Makes the connection to `KnownLeader` if there is none, without asking for metadata. The fault is that of this one attempt; `NoLeader` if no
    /// leader is known.
    member _.ConnectToKnown(?call: CallOptions) : Result<Connection, ClientFault> =
        use _ = lease.Guard.Hold()

        match lease.Known with
        | Some _ -> lease.ReachKnown(Operation.Begin(settings, call)) |> Result.map _.Connection
        | None -> Error(ClientFault.NoLeader(partition, ErrorCode.LeaderNotAvailable))

    /// Hands over a leader that was found elsewhere, such as by `Cluster.FindLeaders` for many partitions at once. The next call connects to it
    /// without asking for metadata, unless there is a connection to that broker already. If it cannot be connected to or responds that it does
    /// not lead the partition, the client finds the leader as usual. The result is false if the leader is older than the latest one that the client
    /// knows, by its epoch; the client does not use it then.
    member _.UseLeader(leader: Leader) : bool =
        use _ = lease.Guard.Hold()
        // A fetch session on the connection belongs to the topic with that id.
        lease.Use(Role.atLeader leader, (fun present -> present.TopicId = leader.TopicId))

    /// Sends any request to the leader in the highest common version, and waits for its response.
    member _.Call(api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions) : Exchange<'Request, 'Response> =
        use _ = lease.Guard.Hold()
        (beginCall api request call).Complete()

    /// Sends any request to the leader as `Call` does. The response is received by `PendingCall.Complete`; until then the client makes no other call.
    member _.Begin(api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions) : PendingCall<Exchange<'Request, 'Response>> =
        use _ = lease.Guard.Hold()
        PendingCall<_>(beginCall api request call)

    /// Begins one call that concerns the partition, on a connection that was reached, or was not. `answerIn` finds the partition's answer in the response; without one the connection is closed,
    /// and the fault is `NotAnswered`.
    member internal _.BeginAsking
        (
            reached: Result<Held<Leader>, ClientFault>,
            operation: Operation,
            api: Api<'Request, 'Response>,
            allowed: Held<Leader> -> VersionRange,
            request: Leader -> int16 -> 'Request,
            answerIn: 'Response -> 'Answer option,
            codeOf: 'Answer -> ErrorCode,
            reply: Exchange<'Request, 'Response> -> Result<'Answer, ClientFault> -> 'Reply
        ) : Call<'Reply> =
        let read (exchange: Exchange<'Request, 'Response>) =
            let result =
                exchange.Result
                |> Result.bind (fun response ->
                    match answerIn response with
                    | Some answer -> Ok answer
                    | None -> Error(ClientFault.NotAnswered partition))

            match result with
            | Ok answer -> lease.DropIfMoved(codeOf answer)
            | Error(ClientFault.NotAnswered _) -> lease.Close()
            | Error _ -> ()

            reply exchange result

        lease.BeginOn(reached, operation, api, allowed, request, null, Reception.ofApi api, read)

    /// Closes the connection if the code says that another broker leads the partition. The next call then goes to the leader that the broker
    /// names or, if it names none, finds it.
    member internal _.DropIfMoved(code: ErrorCode, leader: CurrentLeader, nodes: NodeEndpoint list) =
        lease.DropIfMoved(code, Role.namedLeader leader nodes)

    /// Closes the connection. A later call finds the leader and makes a new one.
    member _.Close() = lease.Close()

    interface IDisposable with
        member _.Dispose() = lease.Close()
