namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol

/// The versions of an API that a call to a leader may use.
[<RequireQualifiedAccess>]
module internal AllowedVersions =

    /// All versions, except those that name topics by their ids if the cluster reports no id.
    let naming (api: Api<'Request, 'Response>) (topicIdsSince: int16) (held: Held<Leader>) : VersionRange =
        if held.Target.TopicId = Guid.Empty then
            { api.Versions with Highest = topicIdsSince - 1s }
        else
            api.Versions

    /// The versions of ListOffsets that support the place.
    let finding (spec: OffsetSpec) : VersionRange =
        let versions = ListOffsets.api.Versions
        { versions with Lowest = max versions.Lowest (ListOffsets.supportedSince spec) }

/// The replicas of a partition as brokers of a lease.
[<RequireQualifiedAccess>]
module internal PartitionRole =

    /// Codes that mean that another broker leads the partition, or that the client's view of it is out of date.
    let hasMoved (code: ErrorCode) =
        code = ErrorCode.NotLeaderOrFollower
        || code = ErrorCode.LeaderNotAvailable
        || code = ErrorCode.ReplicaNotAvailable
        || code = ErrorCode.KafkaStorageError
        || code = ErrorCode.FencedLeaderEpoch
        || code = ErrorCode.UnknownLeaderEpoch
        || code = ErrorCode.UnknownTopicOrPartition
        || code = ErrorCode.UnknownTopicId
        || code = ErrorCode.InconsistentTopicId

    let private unknown = { NodeId = -1; Address = { Host = ""; Port = 0 }; Epoch = -1; TopicId = Guid.Empty }

    /// The leader.
    let leader (bootstrap: Bootstrap) (partition: TopicPartition) : Role<Leader> =
        { Unknown = unknown
          Find = fun operation -> Cluster.FindLeader(bootstrap, partition, operation)
          HasMoved = hasMoved }

    /// Another replica of the partition, whose address the leader is asked for.
    let replica (leader: Lease<Leader>) (partition: TopicPartition) (node: int32) : Role<Leader> =
        let find (operation: Operation) =
            leader.Reach operation
            |> Result.bind (fun held ->
                Cluster.Metadata(held.Connection, Some [], operation).Result
                |> Result.bind (fun response ->
                    match Cluster.AddressOf(response, node) with
                    | Some address -> Ok { Target = held.Target; Address = address; Connection = None }
                    | None -> Error(ClientFault.NoLeader(partition, ErrorCode.ReplicaNotAvailable))))

        { Unknown = unknown; Find = find; HasMoved = fun _ -> false }

    /// The leader that a broker names in place of the one that we had (KIP-951), if it was elected later. Each leader that is followed has a
    /// higher epoch than the one before, so brokers that disagree cannot send the client round in circles.
    let named (current: CurrentLeader) (nodes: NodeEndpoint list) (before: Leader) : Found<Leader> option =
        nodes
        |> List.tryFind (fun node -> node.NodeId = current.LeaderId && current.LeaderEpoch > before.Epoch)
        |> Option.map (fun node ->
            let address: BrokerAddress = { Host = node.Host; Port = node.Port }

            { Target = { before with NodeId = node.NodeId; Address = address; Epoch = current.LeaderEpoch }
              Address = address
              Connection = None })

/// A client of one partition, with a connection of its own to the partition's leader. The connection is made when it is first needed. It is
/// closed when a call fails or the broker says that it does not lead the partition; the next call then goes to the leader that this broker
/// named (KIP-951), or finds it by asking for metadata. There are no retries: each call is made once. A client must not be used by several
/// threads at a time.
[<Sealed>]
type PartitionClient(settings: ClientSettings, bootstrap: Bootstrap, partition: TopicPartition) =
    let lease = Lease<Leader>(settings, PartitionRole.leader bootstrap partition)

    /// The partition.
    member _.Partition = partition

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
        lease.Reach(Operation.Begin(settings, call)) |> Result.map _.Connection

    /// Sends any request to the leader in the highest common version, and waits for its response.
    member _.Call(api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions) : Exchange<'Request, 'Response> =
        lease.Call(Operation.Begin(settings, call), api, (fun _ -> api.Versions), (fun _ _ -> request), id)

    /// Makes one call that concerns the partition. `read` finds the partition's answer in the response; without one the connection is closed,
    /// and the fault is `NotAnswered`.
    member internal _.Ask
        (
            operation: Operation,
            api: Api<'Request, 'Response>,
            allowed: Held<Leader> -> VersionRange,
            request: Leader -> int16 -> 'Request,
            answerIn: 'Response -> 'Answer option,
            codeOf: 'Answer -> ErrorCode,
            reply: Exchange<'Request, 'Response> -> Result<'Answer, ClientFault> -> 'Reply
        ) : 'Reply =
        let read (exchange: Exchange<'Request, 'Response>) =
            let result =
                exchange.Result
                |> Result.bind (fun response ->
                    match answerIn response with
                    | Some answer -> Ok answer
                    | None -> Error(ClientFault.NotAnswered partition))

            match result with
            | Ok answer -> lease.Heed(codeOf answer)
            | Error(ClientFault.NotAnswered _) -> lease.Close()
            | Error _ -> ()

            reply exchange result

        lease.Call(operation, api, allowed, request, read)

    /// Closes the connection if the code says that another broker leads the partition. The next call then goes to the leader that the broker
    /// names or, if it names none, finds it.
    member internal _.Heed(code: ErrorCode, leader: CurrentLeader, nodes: NodeEndpoint list) =
        lease.Heed(code, PartitionRole.named leader nodes)

    /// Closes the connection. A later call finds the leader and makes a new one.
    member _.Close() = lease.Close()

    interface IDisposable with
        member _.Dispose() = lease.Close()
