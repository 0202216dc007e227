namespace LibKafka.Testing

open System
open System.Collections.Immutable
open LibKafka
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol

/// Whether a broker of the cluster works.
[<RequireQualifiedAccess>]
type NodeStatus =
    | Running
    /// It accepts connections and requests, but answers none.
    | Paused
    /// It has no open sockets.
    | Stopped

    override this.ToString() =
        match this with
        | Running -> "running"
        | Paused -> "paused"
        | Stopped -> "stopped"

/// A broker of the cluster.
type Node =
    { Id: int32
      Host: string
      Port: int32
      Rack: string option
      Status: NodeStatus }

    override this.ToString() =
        "broker "
        + string this.Id
        + " at "
        + this.Host
        + ":"
        + string this.Port
        + ", "
        + this.Status.ToString()
        + (match this.Rack with
           | Some rack -> ", rack " + rack
           | None -> "")

/// A high watermark that does not rise as long as too few replicas are in sync.
[<Struct>]
type FrozenWatermark =
    { Offset: int64
      LeastInSync: int }

    override this.ToString() = string this.Offset + " until " + string this.LeastInSync + " replicas are in sync"

/// One partition: its log, which the leader and the in-sync replicas have whole, and its replicas.
[<NoEquality; NoComparison>]
type Partition =
    {
        Index: int32
        Log: Log
        /// ValueNone if no eligible replica is alive.
        Leader: int32 voption
        LeaderEpoch: int32
        /// The preferred leader first.
        Replicas: int32 list
        InSync: int32 list
        /// The log end offsets of the replicas that do not have the whole log: those that are stopped, paused or held back by a script.
        Behind: Map<int32, int64>
        /// Set if a batch was appended while fewer replicas than min.insync.replicas were in sync (KIP-966).
        Frozen: FrozenWatermark voption
    }

    override this.ToString() =
        FieldText.show
            [ "Index", box this.Index
              "Log", box this.Log
              "Leader", FieldText.voptional this.Leader
              "LeaderEpoch", box this.LeaderEpoch
              "Replicas", box this.Replicas
              "InSync", box this.InSync
              "Behind", box this.Behind
              "Frozen", FieldText.voptional this.Frozen ]

[<NoEquality; NoComparison>]
type Topic =
    {
        Name: string
        Id: Guid
        IsInternal: bool
        Partitions: ImmutableArray<Partition>
        /// The configs that differ from the defaults.
        Configs: Map<string, string>
    }

    override this.ToString() =
        FieldText.show
            [ "Name", box this.Name
              "Id", box this.Id
              "IsInternal", box this.IsInternal
              "Partitions", box this.Partitions
              "Configs", box this.Configs ]

/// A partition of a fetch session.
type SessionPartition =
    {
        Topic: string
        TopicId: Guid
        Request: Fetch.PartitionRequest
        /// What the client was told last, to leave out partitions without news. The watermarks are -1 before the first answer.
        HighWatermark: int64
        LogStart: int64
    }

    override this.ToString() =
        FieldText.show
            [ "Topic", box this.Topic
              "TopicId", box this.TopicId
              "Request", box this.Request
              "HighWatermark", box this.HighWatermark
              "LogStart", box this.LogStart ]

/// A fetch session (KIP-227).
type FetchSession =
    {
        Id: int32
        /// The epoch that the next request must have.
        NextEpoch: int32
        /// Whether topics are named by id.
        UsesTopicIds: bool
        /// In the order of the answers.
        Partitions: SessionPartition list
        Created: Moment
        LastUsed: Moment
        /// Whether a follower has it.
        IsPrivileged: bool
    }

    override this.ToString() =
        FieldText.show
            [ "Id", box this.Id
              "NextEpoch", box this.NextEpoch
              "UsesTopicIds", box this.UsesTopicIds
              "Partitions", box this.Partitions
              "Created", box this.Created
              "LastUsed", box this.LastUsed
              "IsPrivileged", box this.IsPrivileged ]

/// The fetch sessions of a broker.
type FetchSessionCache =
    {
        /// By session id.
        Sessions: Map<int32, FetchSession>
        /// The number of sessions that were opened, by which they are spread over the shards of the cache.
        Opened: int32
    }

    override this.ToString() = FieldText.count (int64 this.Sessions.Count) "fetch session"

/// What a cluster was started with.
[<NoEquality; NoComparison>]
type ClusterSettings =
    {
        Release: Release
        ClusterId: string
        /// For looking into compressed batches.
        Codecs: CompressionCodecs
        /// num.partitions
        DefaultPartitions: int32
        /// default.replication.factor
        DefaultReplication: int16
        /// auto.create.topics.enable
        AutoCreateTopics: bool
        /// offsets.topic.num.partitions
        OffsetsPartitions: int32
        /// transaction.state.log.num.partitions
        TransactionPartitions: int32
        /// The most bytes that a partition's log keeps, whatever the topic's retention.bytes says.
        MostLogBytes: int64
        /// Whether a leader sends consumers to the replica in their rack (RackAwareReplicaSelector).
        IsRackAware: bool
        /// max.incremental.fetch.session.cache.slots
        FetchSessionSlots: int32
        /// Topic configs that differ from Kafka's defaults for all topics.
        TopicDefaults: Map<string, string>
        /// The level of the feature transaction.version, from 0 to 2.
        TransactionVersion: int16
    }

    override this.ToString() =
        FieldText.show
            [ "Release", box this.Release
              "ClusterId", box this.ClusterId
              "Codecs", box this.Codecs
              "DefaultPartitions", box this.DefaultPartitions
              "DefaultReplication", box this.DefaultReplication
              "AutoCreateTopics", box this.AutoCreateTopics
              "OffsetsPartitions", box this.OffsetsPartitions
              "TransactionPartitions", box this.TransactionPartitions
              "MostLogBytes", box this.MostLogBytes
              "IsRackAware", box this.IsRackAware
              "FetchSessionSlots", box this.FetchSessionSlots
              "TopicDefaults", box this.TopicDefaults
              "TransactionVersion", box this.TransactionVersion ]

/// The levels of the cluster's features (KIP-584).
type FeatureTable =
    {
        /// The levels that were changed, by feature; transaction.version is in the settings.
        Changed: Map<string, int16>
        /// Grows with each change.
        Epoch: int64
    }

    override this.ToString() = FieldText.show [ "Changed", box this.Changed; "Epoch", box this.Epoch ]

[<RequireQualifiedAccess>]
module FeatureTable =

    [<Literal>]
    let TransactionVersion = "transaction.version"

    /// The level of metadata.version in 4.0.
    [<Literal>]
    let MetadataLevel = 25s

    let standard: FeatureTable = { Changed = Map.empty; Epoch = 1L }

/// Everything that a cluster is at one moment. Immutable: a request gives the next state.
[<NoEquality; NoComparison>]
type State =
    {
        Settings: ClusterSettings
        /// The versions that the release accepts.
        Accepted: ApiRange list
        Nodes: Map<int32, Node>
        Topics: Map<string, Topic>
        TopicNames: Map<Guid, string>
        /// The configs of resources other than topics that were set: of groups, client metrics subscriptions, brokers and their loggers.
        ResourceConfigs: Map<Client.ConfigResource, Map<string, string>>
        /// From which all ids follow that a broker draws at random, so that a run can be repeated.
        Seed: uint64
        /// By broker id.
        FetchSessions: Map<int32, FetchSessionCache>
        Groups: GroupTable
        Transactions: TransactionTable
        Security: SecurityTable
        Quotas: QuotaTable
        Features: FeatureTable
    }

    override this.ToString() =
        "Kafka "
        + this.Settings.Release.ToString()
        + ": "
        + FieldText.count (int64 this.Nodes.Count) "broker"
        + ", "
        + FieldText.count (int64 this.Topics.Count) "topic"
        + ", "
        + FieldText.count (int64 this.Groups.ById.Count) "group"
        + ", "
        + FieldText.count (int64 this.Transactions.ById.Count) "transactional id"

/// The sender of a request.
type Caller =
    {
        /// The broker that got the request.
        Node: int32
        /// The number of the connection. It is unique in the life of a cluster.
        Connection: int64
        /// The client's address.
        Host: string
        /// The principal of the TLS certificate; ANONYMOUS without one.
        Principal: string
        Header: RequestHeader
        /// The size of the request in bytes, for quotas.
        RequestSize: int
    }

    /// The version of the request, and so of the response.
    member this.Version = this.Header.ApiVersion

    override this.ToString() =
        this.Principal
        + " at "
        + this.Host
        + ", connection "
        + string this.Connection
        + " to broker "
        + string this.Node
        + ": "
        + this.Header.ToString()

/// What a broker does with a request.
[<NoEquality; NoComparison>]
type Answer =
    | Reply of Response
    /// No response, and the connection continues with the next request.
    | Nothing
    /// The broker closes the connection.
    | Close
    /// A response frame, without its length.
    | Raw of LibKafka.Wire.Bytes
    /// The response comes later. The connection's next request is read after it.
    | Later of Waiting

    override this.ToString() =
        match this with
        | Reply response -> response.ToString()
        | Nothing -> "no response"
        | Close -> "the connection is closed"
        | Raw frame -> "0x" + frame.ToString()
        | Later waiting -> "later, " + waiting.ToString()

/// A request that waits for something.
and [<NoEquality; NoComparison>] Waiting =
    {
        /// When `Ready` must give an answer.
        Until: Moment
        /// Whether a change of the state, from the first to the second, may have made the answer ready.
        Concerns: State -> State -> bool
        /// Gives the answer if there is one yet. It is called again after each change that concerns it, and at `Until`.
        Ready: Moment -> State -> (State * Answer) voption
    }

    override this.ToString() = "until " + string this.Until

/// How long requests wait, and for what.
[<RequireQualifiedAccess>]
module internal Waiting =

    let private differ (before: 'T) (after: 'T) : bool = not (Object.ReferenceEquals(before, after))

    /// Whether brokers or settings changed.
    let isClusterChanged (before: State) (after: State) : bool = differ before.Nodes after.Nodes || differ before.Settings after.Settings

    /// Whether groups changed.
    let areGroupsChanged (before: State) (after: State) : bool = differ before.Groups after.Groups

    /// Whether groups or transactions changed. The clock depends on nothing else.
    let areTimersChanged (before: State) (after: State) : bool =
        areGroupsChanged before after || differ before.Transactions after.Transactions

    let private find (topic: string) (index: int32) (state: State) : Partition voption =
        match state.Topics.TryFind topic with
        | Some topic when index >= 0 && index < topic.Partitions.Length -> ValueSome topic.Partitions[index]
        | _ -> ValueNone

    /// Whether a partition changed, or was added or deleted.
    let isPartitionChanged (topic: string) (index: int32) (before: State) (after: State) : bool =
        differ before.Topics after.Topics
        && (match find topic index before, find topic index after with
            | ValueSome before, ValueSome after -> differ before after
            | ValueNone, ValueNone -> false
            | _ -> true)

    /// Whether anything changed that a request may wait for.
    let isAnythingChanged (before: State) (after: State) : bool =
        differ before.Topics after.Topics || isClusterChanged before after || areTimersChanged before after

    /// A request that is never answered.
    let never: Waiting = { Until = Int64.MaxValue; Concerns = (fun _ _ -> false); Ready = fun _ _ -> ValueNone }

/// A request that is handled: when, and from whom.
[<NoEquality; NoComparison>]
type Call =
    { Now: Moment
      Caller: Caller }

    member this.Version = this.Caller.Version
    member this.Node = this.Caller.Node

    override this.ToString() = this.Caller.ToString() + " at " + string this.Now

/// Ids that are as good as random and follow from the seed.
[<RequireQualifiedAccess>]
module Ids =

    // SplitMix64.
    let private mix (seed: uint64) : uint64 =
        let z = (seed ^^^ (seed >>> 30)) * 0xBF58476D1CE4E5B9UL
        let z = (z ^^^ (z >>> 27)) * 0x94D049BB133111EBUL
        z ^^^ (z >>> 31)

    /// A number, and the state after it.
    let number (state: State) : State * uint64 =
        let seed = state.Seed + 0x9E3779B97F4A7C15UL
        { state with Seed = seed }, mix seed

    /// A UUID (version 4), and the state after it.
    let uuid (state: State) : State * Guid =
        let state, high = number state
        let state, low = number state
        let bytes = Array.zeroCreate<byte> 16
        Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(Span bytes, (high &&& 0xFFFFFFFFFFFF0FFFUL) ||| 0x4000UL)
        Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan 8, (low &&& 0x3FFFFFFFFFFFFFFFUL) ||| 0x8000000000000000UL)
        state, Guid(ReadOnlySpan bytes, true)

/// States to start from.
[<RequireQualifiedAccess>]
module State =

    /// Settings of a cluster of the newest release, with the defaults of Kafka where there is no reason for others.
    let settings: ClusterSettings =
        { Release = Release.newest
          ClusterId = "LibKafka.Testing-00000"
          Codecs = CompressionCodecs.none
          DefaultPartitions = 1
          DefaultReplication = 1s
          AutoCreateTopics = true
          OffsetsPartitions = 50
          TransactionPartitions = 50
          MostLogBytes = Int64.MaxValue
          IsRackAware = true
          FetchSessionSlots = 1000
          TopicDefaults = Map.empty
          TransactionVersion = 2s }

    /// A cluster of these brokers without topics.
    let create (settings: ClusterSettings) (nodes: Node list) : State =
        let rec byId (found: Map<int32, Node>) (left: Node list) =
            match left with
            | [] -> found
            | node :: others -> byId (found.Add(node.Id, node)) others

        { Settings = settings
          Accepted = Release.accepted settings.Release
          Nodes = byId Map.empty nodes
          Topics = Map.empty
          TopicNames = Map.empty
          ResourceConfigs = Map.empty
          Seed = 1UL
          FetchSessions = Map.empty
          Groups = GroupTable.empty
          Transactions = TransactionTable.empty
          Security = SecurityTable.empty
          Quotas = QuotaTable.empty
          Features = FeatureTable.standard }
