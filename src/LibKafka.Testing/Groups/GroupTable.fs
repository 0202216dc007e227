namespace LibKafka.Testing

open System
open LibKafka.Wire
open LibKafka.Protocol

/// The broker configs that concern groups.
type BrokerGroupSettings =
    {
        /// How long the first rebalance of an empty classic group waits for more members (group.initial.rebalance.delay.ms). 0 here, so that
        /// tests need not wait; 3000 in Kafka.
        InitialRebalanceDelayMs: int32
        /// group.min.session.timeout.ms
        MinSessionTimeoutMs: int32
        /// group.max.session.timeout.ms
        MaxSessionTimeoutMs: int32
        /// The most members of a group (group.max.size, group.consumer.max.size).
        MaxSize: int32
        /// The interval that members of the consumer protocol are told (group.consumer.heartbeat.interval.ms). Shorter here than Kafka's 5000,
        /// because a rebalance takes several heartbeats.
        HeartbeatIntervalMs: int32
        /// group.consumer.session.timeout.ms
        SessionTimeoutMs: int32
        /// How often the topics that match regular expressions are looked up again. Shorter here than Kafka's 10 seconds.
        RegexRefreshMs: int32
        /// The longest metadata of an offset, in characters (offset.metadata.max.bytes).
        MaxMetadataLength: int32
    }

    override this.ToString() =
        FieldText.show
            [ "InitialRebalanceDelayMs", box this.InitialRebalanceDelayMs
              "MinSessionTimeoutMs", box this.MinSessionTimeoutMs
              "MaxSessionTimeoutMs", box this.MaxSessionTimeoutMs
              "MaxSize", box this.MaxSize
              "HeartbeatIntervalMs", box this.HeartbeatIntervalMs
              "SessionTimeoutMs", box this.SessionTimeoutMs
              "RegexRefreshMs", box this.RegexRefreshMs
              "MaxMetadataLength", box this.MaxMetadataLength ]

/// The number of a JoinGroup or SyncGroup request that waits for its response.
type Ticket = int64

/// A committed offset of a partition.
type StoredOffset =
    {
        Offset: int64
        LeaderEpoch: int32
        Metadata: string
        /// The topic in which it was committed. The offset is void if the topic was deleted, even if there is a new one with the same name.
        TopicId: Guid
        /// The place of the commit in the order of all commits.
        Order: int64
    }

    override this.ToString() =
        FieldText.show
            [ "Offset", box this.Offset
              "LeaderEpoch", box this.LeaderEpoch
              "Metadata", box this.Metadata
              "TopicId", box this.TopicId
              "Order", box this.Order ]

/// A member of a classic group.
type ClassicMember =
    {
        MemberId: string
        InstanceId: string option
        ClientId: string
        ClientHost: string
        SessionTimeoutMs: int32
        RebalanceTimeoutMs: int32
        /// In order of preference.
        Protocols: JoinGroup.Protocol list
        Assignment: Bytes
        /// Its JoinGroup request that waits for the other members.
        Join: Ticket voption
        /// Its SyncGroup request that waits for the leader.
        Sync: Ticket voption
        /// Whether it has not sent SyncGroup since the last generation began.
        OwesSync: bool
        /// When it is removed, unless it sends a request or waits for a response.
        Expires: Moment
    }

    override this.ToString() =
        FieldText.show
            [ "MemberId", box this.MemberId
              "InstanceId", FieldText.optional this.InstanceId
              "ClientId", box this.ClientId
              "ClientHost", box this.ClientHost
              "SessionTimeoutMs", box this.SessionTimeoutMs
              "RebalanceTimeoutMs", box this.RebalanceTimeoutMs
              "Protocols", box this.Protocols
              "Assignment", box this.Assignment
              "Join", FieldText.voptional this.Join
              "Sync", FieldText.voptional this.Sync
              "OwesSync", box this.OwesSync
              "Expires", box this.Expires ]

/// When the members of a rebalance must have joined.
[<Struct>]
type JoinDeadline =
    {
        At: Moment
        /// Only in the first rebalance of an empty group, which waits in any case: how long it may be extended if more members join.
        Extension: int32 voption
        /// Whether members have joined since the deadline was set.
        HasNewMembers: bool
    }

    override this.ToString() =
        FieldText.show [ "At", box this.At; "Extension", FieldText.voptional this.Extension; "HasNewMembers", box this.HasNewMembers ]

/// The state of a classic group. A group that was deleted is not kept.
[<RequireQualifiedAccess>]
type ClassicPhase =
    | Empty
    | PreparingRebalance of JoinDeadline
    /// Members must have sent SyncGroup at the deadline.
    | CompletingRebalance of syncBy: Moment
    /// Members that have not sent SyncGroup at the deadline are removed. ValueNone if all have.
    | Stable of syncBy: Moment voption

    override this.ToString() =
        match this with
        | Empty -> "Empty"
        | PreparingRebalance deadline -> "PreparingRebalance until " + string deadline.At
        | CompletingRebalance deadline -> "CompletingRebalance until " + string deadline
        | Stable _ -> "Stable"

/// A group of the classic protocol.
type ClassicState =
    {
        Phase: ClassicPhase
        Generation: int32
        /// Empty in a group that only stores offsets.
        ProtocolType: string
        /// The selected protocol. None in a group that is empty or has not had a generation.
        ProtocolName: string option
        /// Empty if there is none.
        Leader: string
        /// In the order in which they joined.
        Members: ClassicMember list
        /// The ids that were given with MEMBER_ID_REQUIRED, and when they expire.
        Pending: Map<string, Moment>
        /// Whether the group is known to DescribeGroups. One that has nothing but pending members is not.
        IsStored: bool
    }

    override this.ToString() =
        FieldText.show
            [ "Phase", box this.Phase
              "Generation", box this.Generation
              "ProtocolType", box this.ProtocolType
              "ProtocolName", FieldText.optional this.ProtocolName
              "Leader", box this.Leader
              "Members", box this.Members
              "Pending", box this.Pending
              "IsStored", box this.IsStored ]

/// Partitions by topic id.
type OwnedPartitions = Map<Guid, Set<int32>>

/// Where a member of the consumer protocol is on its way to the target assignment.
[<RequireQualifiedAccess; Struct>]
type Reconciliation =
    /// It has the partitions of its epoch.
    | Stable
    /// It must give up partitions before it may enter the next epoch.
    | Unrevoked
    /// It waits for partitions that other members have.
    | Unreleased

    override this.ToString() =
        match this with
        | Stable -> "Stable"
        | Unrevoked -> "Unrevoked"
        | Unreleased -> "Unreleased"

/// What a member of a consumer group has if it uses the classic protocol.
type ClassicSide =
    { SessionTimeoutMs: int32
      Protocols: JoinGroup.Protocol list }

    override this.ToString() = FieldText.show [ "SessionTimeoutMs", box this.SessionTimeoutMs; "Protocols", box this.Protocols ]

/// A member of a consumer group.
type ConsumerMember =
    {
        MemberId: string
        InstanceId: string option
        RackId: string option
        ClientId: string
        ClientHost: string
        /// -2 if it is a static member that has left temporarily.
        Epoch: int32
        PreviousEpoch: int32
        RebalanceTimeoutMs: int32
        Topics: string list
        /// Empty if it has none.
        Regex: string
        ServerAssignor: string option
        Reconciliation: Reconciliation
        Assigned: OwnedPartitions
        /// Partitions that it must give up and that no other member may have yet.
        Revoking: OwnedPartitions
        /// When it is removed, unless it sends a heartbeat.
        Expires: Moment
        /// When it is removed, unless it has given up the partitions that it must.
        RevokeBy: Moment voption
        /// ValueNone for a member of the consumer protocol.
        Classic: ClassicSide voption
    }

    override this.ToString() =
        FieldText.show
            [ "MemberId", box this.MemberId
              "InstanceId", FieldText.optional this.InstanceId
              "RackId", FieldText.optional this.RackId
              "ClientId", box this.ClientId
              "ClientHost", box this.ClientHost
              "Epoch", box this.Epoch
              "PreviousEpoch", box this.PreviousEpoch
              "RebalanceTimeoutMs", box this.RebalanceTimeoutMs
              "Topics", box this.Topics
              "Regex", box this.Regex
              "ServerAssignor", FieldText.optional this.ServerAssignor
              "Reconciliation", box this.Reconciliation
              "Assigned", box this.Assigned
              "Revoking", box this.Revoking
              "Expires", box this.Expires
              "RevokeBy", FieldText.voptional this.RevokeBy
              "Classic", FieldText.voptional this.Classic ]

/// The topics that match a regular expression.
type ResolvedRegex =
    { Topics: Set<string>
      At: Moment }

    override this.ToString() = FieldText.show [ "Topics", box this.Topics; "At", box this.At ]

/// A group of the consumer protocol (KIP-848).
type ConsumerState =
    {
        Epoch: int32
        /// The group epoch for which the target assignment was computed.
        TargetEpoch: int32
        /// By member id.
        Target: Map<string, OwnedPartitions>
        /// The assignor of the target assignment.
        Assignor: string
        /// In the order in which they joined.
        Members: ConsumerMember list
        /// The topics that the members subscribed to at the epoch, whether they exist or not.
        Subscribed: Set<string>
        /// Those that existed, with their ids and numbers of partitions. The group gets a new epoch when they change.
        Metadata: Map<string, struct (Guid * int32)>
        /// The topics of the regular expressions that the members have.
        Regexes: Map<string, ResolvedRegex>
        /// The target assignment that a test has set for members. It comes instead of the assignor's for all.
        Scripted: Map<string, OwnedPartitions> voption
    }

    override this.ToString() =
        FieldText.show
            [ "Epoch", box this.Epoch
              "TargetEpoch", box this.TargetEpoch
              "Target", box this.Target
              "Assignor", box this.Assignor
              "Members", box this.Members
              "Subscribed", box this.Subscribed
              "Metadata", box this.Metadata
              "Regexes", box this.Regexes
              "Scripted", FieldText.voptional this.Scripted ]

[<RequireQualifiedAccess>]
type GroupKind =
    | Classic of ClassicState
    | Consumer of ConsumerState

    override this.ToString() =
        match this with
        | Classic state -> "classic " + state.ToString()
        | Consumer state -> "consumer " + state.ToString()

/// A group and its offsets.
type Group =
    {
        GroupId: string
        Kind: GroupKind
        /// By topic and partition.
        Offsets: Map<struct (string * int32), StoredOffset>
        /// The offsets of open transactions, by producer id.
        PendingOffsets: Map<int64, Map<struct (string * int32), StoredOffset>>
    }

    override this.ToString() =
        FieldText.show
            [ "GroupId", box this.GroupId
              "Kind", box this.Kind
              "Offsets", box this.Offsets
              "PendingOffsets", box this.PendingOffsets ]

/// The groups of the cluster.
type GroupTable =
    {
        Settings: BrokerGroupSettings
        /// By group id.
        ById: Map<string, Group>
        /// The responses to waiting requests, until they are fetched.
        Answers: Map<Ticket, Response>
        NextTicket: Ticket
        /// The order of the next commit.
        NextCommit: int64
    }

    override this.ToString() = FieldText.show [ "Settings", box this.Settings; "ById", box this.ById ]

[<RequireQualifiedAccess>]
module GroupTable =

    /// Kafka's defaults, but for those that would make tests slow.
    let settings: BrokerGroupSettings =
        { InitialRebalanceDelayMs = 0
          MinSessionTimeoutMs = 6_000
          MaxSessionTimeoutMs = 1_800_000
          MaxSize = Int32.MaxValue
          HeartbeatIntervalMs = 500
          SessionTimeoutMs = 45_000
          RegexRefreshMs = 1_000
          MaxMetadataLength = 4096 }

    let empty: GroupTable = { Settings = settings; ById = Map.empty; Answers = Map.empty; NextTicket = 1L; NextCommit = 1L }
