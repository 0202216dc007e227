namespace LibKafka.Protocol

open System

/// The number of an API. Those from before Kafka 4.0 that no broker answers any more are here too.
[<Struct>]
type ApiKey(code: int16) =
    /// The number on the wire.
    member _.Code = code
    /// Append record batches to partitions.
    static member Produce = ApiKey 0s
    /// Read record batches from partitions.
    static member Fetch = ApiKey 1s
    /// Find the offset of a timestamp, or of an end of the log.
    static member ListOffsets = ApiKey 2s
    /// Brokers, topics, partitions and their leaders.
    static member Metadata = ApiKey 3s
    /// Controller to broker, before 4.0: who leads and who is in sync.
    static member LeaderAndIsr = ApiKey 4s
    /// Controller to broker, before 4.0: let go of replicas.
    static member StopReplica = ApiKey 5s
    /// Controller to broker, before 4.0: the cluster as it is now.
    static member UpdateMetadata = ApiKey 6s
    /// Broker to controller, before 4.0: the broker is about to stop.
    static member ControlledShutdown = ApiKey 7s
    /// Store how far a group has read.
    static member OffsetCommit = ApiKey 8s
    /// How far a group has read.
    static member OffsetFetch = ApiKey 9s
    /// Which broker coordinates a group, a transactional id or a share partition.
    static member FindCoordinator = ApiKey 10s
    /// Enter a group and take part in its next generation.
    static member JoinGroup = ApiKey 11s
    /// Tell the coordinator that a member lives, and learn of rebalances.
    static member Heartbeat = ApiKey 12s
    /// Leave a group.
    static member LeaveGroup = ApiKey 13s
    /// Hand out a generation's assignment, or receive one's own.
    static member SyncGroup = ApiKey 14s
    /// State and members of classic groups.
    static member DescribeGroups = ApiKey 15s
    /// Every group that a broker coordinates.
    static member ListGroups = ApiKey 16s
    /// Choose the SASL mechanism of a connection.
    static member SaslHandshake = ApiKey 17s
    /// Which APIs and versions a broker knows.
    static member ApiVersions = ApiKey 18s
    /// Create topics.
    static member CreateTopics = ApiKey 19s
    /// Delete topics.
    static member DeleteTopics = ApiKey 20s
    /// Delete the records before an offset.
    static member DeleteRecords = ApiKey 21s
    /// A producer's id and epoch.
    static member InitProducerId = ApiKey 22s
    /// Where a leader's epoch ended in the log.
    static member OffsetForLeaderEpoch = ApiKey 23s
    /// Take partitions into a transaction.
    static member AddPartitionsToTxn = ApiKey 24s
    /// Take a group's offsets into a transaction.
    static member AddOffsetsToTxn = ApiKey 25s
    /// Commit or abort a transaction.
    static member EndTxn = ApiKey 26s
    /// Coordinator to broker: write the marker that ends a transaction.
    static member WriteTxnMarkers = ApiKey 27s
    /// Store how far a group has read, as part of a transaction.
    static member TxnOffsetCommit = ApiKey 28s
    /// List access rules.
    static member DescribeAcls = ApiKey 29s
    /// Create access rules.
    static member CreateAcls = ApiKey 30s
    /// Delete access rules.
    static member DeleteAcls = ApiKey 31s
    /// Configurations of topics, brokers and others.
    static member DescribeConfigs = ApiKey 32s
    /// Replace the whole configuration of a topic or broker.
    static member AlterConfigs = ApiKey 33s
    /// Move replicas between the disks of a broker.
    static member AlterReplicaLogDirs = ApiKey 34s
    /// Disks of a broker and the replicas on them.
    static member DescribeLogDirs = ApiKey 35s
    /// One step of a SASL exchange.
    static member SaslAuthenticate = ApiKey 36s
    /// Add partitions to topics.
    static member CreatePartitions = ApiKey 37s
    /// Create a delegation token.
    static member CreateDelegationToken = ApiKey 38s
    /// Prolong a delegation token.
    static member RenewDelegationToken = ApiKey 39s
    /// Let a delegation token expire.
    static member ExpireDelegationToken = ApiKey 40s
    /// List delegation tokens.
    static member DescribeDelegationToken = ApiKey 41s
    /// Delete groups.
    static member DeleteGroups = ApiKey 42s
    /// Elect the leaders of partitions.
    static member ElectLeaders = ApiKey 43s
    /// Change single configurations of a topic, broker or other resource.
    static member IncrementalAlterConfigs = ApiKey 44s
    /// Move partitions to other brokers.
    static member AlterPartitionReassignments = ApiKey 45s
    /// Partitions on their way to other brokers.
    static member ListPartitionReassignments = ApiKey 46s
    /// Delete offsets of a group.
    static member OffsetDelete = ApiKey 47s
    /// List client quotas.
    static member DescribeClientQuotas = ApiKey 48s
    /// Change client quotas.
    static member AlterClientQuotas = ApiKey 49s
    /// List SCRAM credentials, without their secrets.
    static member DescribeUserScramCredentials = ApiKey 50s
    /// Set or delete SCRAM credentials.
    static member AlterUserScramCredentials = ApiKey 51s
    /// Metadata quorum: ask for a vote.
    static member Vote = ApiKey 52s
    /// Metadata quorum: the leader announces itself.
    static member BeginQuorumEpoch = ApiKey 53s
    /// Metadata quorum: the leader resigns.
    static member EndQuorumEpoch = ApiKey 54s
    /// Leader, voters and observers of the metadata quorum.
    static member DescribeQuorum = ApiKey 55s
    /// Leader to controller: change who is in sync.
    static member AlterPartition = ApiKey 56s
    /// Change the cluster's feature levels.
    static member UpdateFeatures = ApiKey 57s
    /// Broker to controller: a client's request, passed on.
    static member Envelope = ApiKey 58s
    /// Metadata quorum: read a snapshot.
    static member FetchSnapshot = ApiKey 59s
    /// Brokers or controllers of the cluster.
    static member DescribeCluster = ApiKey 60s
    /// Producers that are active on partitions.
    static member DescribeProducers = ApiKey 61s
    /// Broker to controller: register.
    static member BrokerRegistration = ApiKey 62s
    /// Broker to controller: still alive.
    static member BrokerHeartbeat = ApiKey 63s
    /// Remove a stopped broker for good.
    static member UnregisterBroker = ApiKey 64s
    /// State of transactional ids.
    static member DescribeTransactions = ApiKey 65s
    /// Every transactional id that a broker coordinates.
    static member ListTransactions = ApiKey 66s
    /// Broker to controller: a block of producer ids.
    static member AllocateProducerIds = ApiKey 67s
    /// Membership of a consumer group in the protocol of KIP-848.
    static member ConsumerGroupHeartbeat = ApiKey 68s
    /// State and members of groups in the protocol of KIP-848.
    static member ConsumerGroupDescribe = ApiKey 69s
    /// Controller to controller: register.
    static member ControllerRegistration = ApiKey 70s
    /// Which metrics the cluster wants of a client.
    static member GetTelemetrySubscriptions = ApiKey 71s
    /// Send a client's metrics.
    static member PushTelemetry = ApiKey 72s
    /// Broker to controller: on which disks replicas are.
    static member AssignReplicasToDirs = ApiKey 73s
    /// Resources of a type that have configurations.
    static member ListConfigResources = ApiKey 74s
    /// Partitions of topics, page by page.
    static member DescribeTopicPartitions = ApiKey 75s
    /// Membership of a share group.
    static member ShareGroupHeartbeat = ApiKey 76s
    /// State and members of share groups.
    static member ShareGroupDescribe = ApiKey 77s
    /// Acquire records for a share group, and acknowledge earlier ones.
    static member ShareFetch = ApiKey 78s
    /// Acknowledge records of a share group.
    static member ShareAcknowledge = ApiKey 79s
    /// Add a voter to the metadata quorum.
    static member AddRaftVoter = ApiKey 80s
    /// Remove a voter from the metadata quorum.
    static member RemoveRaftVoter = ApiKey 81s
    /// Metadata quorum: a voter's endpoints and versions.
    static member UpdateRaftVoter = ApiKey 82s
    /// Between brokers: begin the state of share partitions.
    static member InitializeShareGroupState = ApiKey 83s
    /// Between brokers: read the state of share partitions.
    static member ReadShareGroupState = ApiKey 84s
    /// Between brokers: write the state of share partitions.
    static member WriteShareGroupState = ApiKey 85s
    /// Between brokers: delete the state of share partitions.
    static member DeleteShareGroupState = ApiKey 86s
    /// Between brokers: read the state of share partitions in short.
    static member ReadShareGroupStateSummary = ApiKey 87s
    /// Membership of a Streams group.
    static member StreamsGroupHeartbeat = ApiKey 88s
    /// State and members of Streams groups.
    static member StreamsGroupDescribe = ApiKey 89s
    /// How far share groups have read.
    static member DescribeShareGroupOffsets = ApiKey 90s
    /// Move a share group to other offsets.
    static member AlterShareGroupOffsets = ApiKey 91s
    /// Delete offsets of a share group.
    static member DeleteShareGroupOffsets = ApiKey 92s
    /// Describe the topology of a Streams group.
    static member StreamsGroupTopologyDescriptionUpdate = ApiKey 93s
    /// Remove a stopped controller for good.
    static member UnregisterController = ApiKey 94s
    /// The name in the protocol, such as `Produce`; empty where the number is not known.
    member _.Name =
        match code with
        | 0s -> "Produce"
        | 1s -> "Fetch"
        | 2s -> "ListOffsets"
        | 3s -> "Metadata"
        | 4s -> "LeaderAndIsr"
        | 5s -> "StopReplica"
        | 6s -> "UpdateMetadata"
        | 7s -> "ControlledShutdown"
        | 8s -> "OffsetCommit"
        | 9s -> "OffsetFetch"
        | 10s -> "FindCoordinator"
        | 11s -> "JoinGroup"
        | 12s -> "Heartbeat"
        | 13s -> "LeaveGroup"
        | 14s -> "SyncGroup"
        | 15s -> "DescribeGroups"
        | 16s -> "ListGroups"
        | 17s -> "SaslHandshake"
        | 18s -> "ApiVersions"
        | 19s -> "CreateTopics"
        | 20s -> "DeleteTopics"
        | 21s -> "DeleteRecords"
        | 22s -> "InitProducerId"
        | 23s -> "OffsetForLeaderEpoch"
        | 24s -> "AddPartitionsToTxn"
        | 25s -> "AddOffsetsToTxn"
        | 26s -> "EndTxn"
        | 27s -> "WriteTxnMarkers"
        | 28s -> "TxnOffsetCommit"
        | 29s -> "DescribeAcls"
        | 30s -> "CreateAcls"
        | 31s -> "DeleteAcls"
        | 32s -> "DescribeConfigs"
        | 33s -> "AlterConfigs"
        | 34s -> "AlterReplicaLogDirs"
        | 35s -> "DescribeLogDirs"
        | 36s -> "SaslAuthenticate"
        | 37s -> "CreatePartitions"
        | 38s -> "CreateDelegationToken"
        | 39s -> "RenewDelegationToken"
        | 40s -> "ExpireDelegationToken"
        | 41s -> "DescribeDelegationToken"
        | 42s -> "DeleteGroups"
        | 43s -> "ElectLeaders"
        | 44s -> "IncrementalAlterConfigs"
        | 45s -> "AlterPartitionReassignments"
        | 46s -> "ListPartitionReassignments"
        | 47s -> "OffsetDelete"
        | 48s -> "DescribeClientQuotas"
        | 49s -> "AlterClientQuotas"
        | 50s -> "DescribeUserScramCredentials"
        | 51s -> "AlterUserScramCredentials"
        | 52s -> "Vote"
        | 53s -> "BeginQuorumEpoch"
        | 54s -> "EndQuorumEpoch"
        | 55s -> "DescribeQuorum"
        | 56s -> "AlterPartition"
        | 57s -> "UpdateFeatures"
        | 58s -> "Envelope"
        | 59s -> "FetchSnapshot"
        | 60s -> "DescribeCluster"
        | 61s -> "DescribeProducers"
        | 62s -> "BrokerRegistration"
        | 63s -> "BrokerHeartbeat"
        | 64s -> "UnregisterBroker"
        | 65s -> "DescribeTransactions"
        | 66s -> "ListTransactions"
        | 67s -> "AllocateProducerIds"
        | 68s -> "ConsumerGroupHeartbeat"
        | 69s -> "ConsumerGroupDescribe"
        | 70s -> "ControllerRegistration"
        | 71s -> "GetTelemetrySubscriptions"
        | 72s -> "PushTelemetry"
        | 73s -> "AssignReplicasToDirs"
        | 74s -> "ListConfigResources"
        | 75s -> "DescribeTopicPartitions"
        | 76s -> "ShareGroupHeartbeat"
        | 77s -> "ShareGroupDescribe"
        | 78s -> "ShareFetch"
        | 79s -> "ShareAcknowledge"
        | 80s -> "AddRaftVoter"
        | 81s -> "RemoveRaftVoter"
        | 82s -> "UpdateRaftVoter"
        | 83s -> "InitializeShareGroupState"
        | 84s -> "ReadShareGroupState"
        | 85s -> "WriteShareGroupState"
        | 86s -> "DeleteShareGroupState"
        | 87s -> "ReadShareGroupStateSummary"
        | 88s -> "StreamsGroupHeartbeat"
        | 89s -> "StreamsGroupDescribe"
        | 90s -> "DescribeShareGroupOffsets"
        | 91s -> "AlterShareGroupOffsets"
        | 92s -> "DeleteShareGroupOffsets"
        | 93s -> "StreamsGroupTopologyDescriptionUpdate"
        | 94s -> "UnregisterController"
        | _ -> ""
    override this.ToString() = Code.text "ApiKey" this.Name (int64 code)
    static member op_Equality(a: ApiKey, b: ApiKey) = a.Code = b.Code
    static member op_Inequality(a: ApiKey, b: ApiKey) = a.Code <> b.Code

/// How many replicas must have a batch before the broker answers a produce request.
[<Struct>]
type Acks(code: int16) =
    /// The number on the wire.
    member _.Code = code
    /// The broker does not answer at all.
    static member None = Acks 0s
    /// Only the leader.
    static member Leader = Acks 1s
    /// Every replica that is in sync, and at least `min.insync.replicas` of them.
    static member All = Acks(-1s)
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0s -> "NONE"
        | 1s -> "LEADER"
        | -1s -> "ALL"
        | _ -> ""
    override this.ToString() = Code.text "Acks" this.Name (int64 code)
    static member op_Equality(a: Acks, b: Acks) = a.Code = b.Code
    static member op_Inequality(a: Acks, b: Acks) = a.Code <> b.Code

/// How much of a transactional log a reader is shown (KIP-98).
[<Struct>]
type IsolationLevel(code: int8) =
    /// The number on the wire.
    member _.Code = code
    /// Records of open and aborted transactions too.
    static member ReadUncommitted = IsolationLevel 0y
    /// Only up to the first open transaction; the reader leaves out what the answer lists as aborted.
    static member ReadCommitted = IsolationLevel 1y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "READ_UNCOMMITTED"
        | 1y -> "READ_COMMITTED"
        | _ -> ""
    override this.ToString() = Code.text "IsolationLevel" this.Name (int64 code)
    static member op_Equality(a: IsolationLevel, b: IsolationLevel) = a.Code = b.Code
    static member op_Inequality(a: IsolationLevel, b: IsolationLevel) = a.Code <> b.Code

/// What ListOffsets is asked for: an end of the log, or the first record from a time on.
[<Struct>]
type OffsetSpec(timestamp: int64) =
    /// The number on the wire: milliseconds since the epoch, or a negative number with a meaning of its own.
    member _.Timestamp = timestamp
    /// The end: the offset that the next record will have, or with `ReadCommitted` the first open transaction's.
    static member Latest = OffsetSpec(-1L)
    /// The start: the first offset that can still be read.
    static member Earliest = OffsetSpec(-2L)
    /// The record with the highest timestamp (KIP-734, version 7).
    static member MaxTimestamp = OffsetSpec(-3L)
    /// The first offset on the leader's own disk (KIP-405, version 8).
    static member EarliestLocal = OffsetSpec(-4L)
    /// The last offset in tiered storage (KIP-1005, version 9).
    static member LatestTiered = OffsetSpec(-5L)
    /// The first offset that is not in tiered storage yet (KIP-1023, version 11).
    static member EarliestPendingUpload = OffsetSpec(-6L)
    /// The first record with this timestamp or a later one, in milliseconds since the epoch.
    static member AtTimestamp(milliseconds: int64) = OffsetSpec milliseconds
    /// The name that Kafka has for the negative number; empty for a time and where the number is not known.
    member _.Name =
        match timestamp with
        | -1L -> "LATEST"
        | -2L -> "EARLIEST"
        | -3L -> "MAX_TIMESTAMP"
        | -4L -> "EARLIEST_LOCAL"
        | -5L -> "LATEST_TIERED"
        | -6L -> "EARLIEST_PENDING_UPLOAD"
        | _ -> ""
    override this.ToString() = Code.text (if timestamp < 0L then "OffsetSpec" else "AT_TIMESTAMP") this.Name timestamp
    static member op_Equality(a: OffsetSpec, b: OffsetSpec) = a.Timestamp = b.Timestamp
    static member op_Inequality(a: OffsetSpec, b: OffsetSpec) = a.Timestamp <> b.Timestamp

/// What a coordinator is looked up for.
[<Struct>]
type CoordinatorType(code: int8) =
    /// The number on the wire.
    member _.Code = code
    /// The key is a group id.
    static member Group = CoordinatorType 0y
    /// The key is a transactional id.
    static member Transaction = CoordinatorType 1y
    /// The key is a group id, a topic id and a partition, with colons between (KIP-932).
    static member Share = CoordinatorType 2y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "GROUP"
        | 1y -> "TRANSACTION"
        | 2y -> "SHARE"
        | _ -> ""
    override this.ToString() = Code.text "CoordinatorType" this.Name (int64 code)
    static member op_Equality(a: CoordinatorType, b: CoordinatorType) = a.Code = b.Code
    static member op_Inequality(a: CoordinatorType, b: CoordinatorType) = a.Code <> b.Code

/// What a configuration belongs to.
[<Struct>]
type ConfigResourceType(code: int8) =
    /// The number on the wire.
    member _.Code = code
    static member Unknown = ConfigResourceType 0y
    /// Named by the topic.
    static member Topic = ConfigResourceType 2y
    /// Named by the broker's id; the empty name stands for all brokers.
    static member Broker = ConfigResourceType 4y
    /// The log levels of a broker, named by its id (KIP-412).
    static member BrokerLogger = ConfigResourceType 8y
    /// A telemetry subscription (KIP-714).
    static member ClientMetrics = ConfigResourceType 16y
    /// Named by the group id (KIP-848).
    static member Group = ConfigResourceType 32y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "UNKNOWN"
        | 2y -> "TOPIC"
        | 4y -> "BROKER"
        | 8y -> "BROKER_LOGGER"
        | 16y -> "CLIENT_METRICS"
        | 32y -> "GROUP"
        | _ -> ""
    override this.ToString() = Code.text "ConfigResourceType" this.Name (int64 code)
    static member op_Equality(a: ConfigResourceType, b: ConfigResourceType) = a.Code = b.Code
    static member op_Inequality(a: ConfigResourceType, b: ConfigResourceType) = a.Code <> b.Code

/// Where the value of a configuration comes from. A version that does not say leaves -1.
[<Struct>]
type ConfigSource(code: int8) =
    /// The number on the wire.
    member _.Code = code
    static member Unknown = ConfigSource 0y
    /// Set on this topic.
    static member DynamicTopicConfig = ConfigSource 1y
    /// Set on this broker while it runs.
    static member DynamicBrokerConfig = ConfigSource 2y
    /// Set for all brokers while they run.
    static member DynamicDefaultBrokerConfig = ConfigSource 3y
    /// From the file that the broker was started with.
    static member StaticBrokerConfig = ConfigSource 4y
    /// Kafka's own default.
    static member DefaultConfig = ConfigSource 5y
    /// Log level of this broker, set while it runs.
    static member DynamicBrokerLoggerConfig = ConfigSource 6y
    /// Set on this telemetry subscription.
    static member DynamicClientMetricsConfig = ConfigSource 7y
    /// Set on this group.
    static member DynamicGroupConfig = ConfigSource 8y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "UNKNOWN"
        | 1y -> "DYNAMIC_TOPIC_CONFIG"
        | 2y -> "DYNAMIC_BROKER_CONFIG"
        | 3y -> "DYNAMIC_DEFAULT_BROKER_CONFIG"
        | 4y -> "STATIC_BROKER_CONFIG"
        | 5y -> "DEFAULT_CONFIG"
        | 6y -> "DYNAMIC_BROKER_LOGGER_CONFIG"
        | 7y -> "DYNAMIC_CLIENT_METRICS_CONFIG"
        | 8y -> "DYNAMIC_GROUP_CONFIG"
        | _ -> ""
    override this.ToString() = Code.text "ConfigSource" this.Name (int64 code)
    static member op_Equality(a: ConfigSource, b: ConfigSource) = a.Code = b.Code
    static member op_Inequality(a: ConfigSource, b: ConfigSource) = a.Code <> b.Code

/// What the text of a configuration's value stands for.
[<Struct>]
type ConfigType(code: int8) =
    /// The number on the wire.
    member _.Code = code
    static member Unknown = ConfigType 0y
    static member Boolean = ConfigType 1y
    static member String = ConfigType 2y
    /// 32 bits.
    static member Int = ConfigType 3y
    /// 16 bits.
    static member Short = ConfigType 4y
    /// 64 bits.
    static member Long = ConfigType 5y
    static member Double = ConfigType 6y
    /// Elements with commas between.
    static member List = ConfigType 7y
    /// The name of a Java class.
    static member Class = ConfigType 8y
    /// Never shown: the value is null.
    static member Password = ConfigType 9y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "UNKNOWN"
        | 1y -> "BOOLEAN"
        | 2y -> "STRING"
        | 3y -> "INT"
        | 4y -> "SHORT"
        | 5y -> "LONG"
        | 6y -> "DOUBLE"
        | 7y -> "LIST"
        | 8y -> "CLASS"
        | 9y -> "PASSWORD"
        | _ -> ""
    override this.ToString() = Code.text "ConfigType" this.Name (int64 code)
    static member op_Equality(a: ConfigType, b: ConfigType) = a.Code = b.Code
    static member op_Inequality(a: ConfigType, b: ConfigType) = a.Code <> b.Code

/// What IncrementalAlterConfigs does to a configuration.
[<Struct>]
type AlterConfigOperation(code: int8) =
    /// The number on the wire.
    member _.Code = code
    /// Give it the value.
    static member Set = AlterConfigOperation 0y
    /// Go back to the default.
    static member Delete = AlterConfigOperation 1y
    /// Add elements to the list that it is.
    static member Append = AlterConfigOperation 2y
    /// Take elements from the list that it is.
    static member Subtract = AlterConfigOperation 3y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "SET"
        | 1y -> "DELETE"
        | 2y -> "APPEND"
        | 3y -> "SUBTRACT"
        | _ -> ""
    override this.ToString() = Code.text "AlterConfigOperation" this.Name (int64 code)
    static member op_Equality(a: AlterConfigOperation, b: AlterConfigOperation) = a.Code = b.Code
    static member op_Inequality(a: AlterConfigOperation, b: AlterConfigOperation) = a.Code <> b.Code

/// What an access rule is about.
[<Struct>]
type AclResourceType(code: int8) =
    /// The number on the wire.
    member _.Code = code
    static member Unknown = AclResourceType 0y
    /// In a filter: whatever it is about.
    static member Any = AclResourceType 1y
    static member Topic = AclResourceType 2y
    static member Group = AclResourceType 3y
    /// Always under the name `kafka-cluster`.
    static member Cluster = AclResourceType 4y
    static member TransactionalId = AclResourceType 5y
    /// Named by the token's id.
    static member DelegationToken = AclResourceType 6y
    /// Named by the principal, for tokens in the name of others (KIP-373).
    static member User = AclResourceType 7y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "UNKNOWN"
        | 1y -> "ANY"
        | 2y -> "TOPIC"
        | 3y -> "GROUP"
        | 4y -> "CLUSTER"
        | 5y -> "TRANSACTIONAL_ID"
        | 6y -> "DELEGATION_TOKEN"
        | 7y -> "USER"
        | _ -> ""
    override this.ToString() = Code.text "AclResourceType" this.Name (int64 code)
    static member op_Equality(a: AclResourceType, b: AclResourceType) = a.Code = b.Code
    static member op_Inequality(a: AclResourceType, b: AclResourceType) = a.Code <> b.Code

/// How the name in an access rule is to be read (KIP-290).
[<Struct>]
type AclPatternType(code: int8) =
    /// The number on the wire.
    member _.Code = code
    static member Unknown = AclPatternType 0y
    /// In a filter: rules of each pattern type whose own name is this one.
    static member Any = AclPatternType 1y
    /// In a filter: every rule that applies to this name, be it literal, prefixed or `*`.
    static member Match = AclPatternType 2y
    /// The whole name; `*` stands for every name.
    static member Literal = AclPatternType 3y
    /// The beginning of names.
    static member Prefixed = AclPatternType 4y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "UNKNOWN"
        | 1y -> "ANY"
        | 2y -> "MATCH"
        | 3y -> "LITERAL"
        | 4y -> "PREFIXED"
        | _ -> ""
    override this.ToString() = Code.text "AclPatternType" this.Name (int64 code)
    static member op_Equality(a: AclPatternType, b: AclPatternType) = a.Code = b.Code
    static member op_Inequality(a: AclPatternType, b: AclPatternType) = a.Code <> b.Code

/// What an access rule allows or denies.
[<Struct>]
type AclOperation(code: int8) =
    /// The number on the wire.
    member _.Code = code
    static member Unknown = AclOperation 0y
    /// In a filter: whatever the operation.
    static member Any = AclOperation 1y
    /// Every operation.
    static member All = AclOperation 2y
    static member Read = AclOperation 3y
    static member Write = AclOperation 4y
    static member Create = AclOperation 5y
    static member Delete = AclOperation 6y
    static member Alter = AclOperation 7y
    static member Describe = AclOperation 8y
    /// What only brokers do.
    static member ClusterAction = AclOperation 9y
    static member DescribeConfigs = AclOperation 10y
    static member AlterConfigs = AclOperation 11y
    /// Produce with a producer id; since 2.8 the right to write to any topic includes it.
    static member IdempotentWrite = AclOperation 12y
    /// Create delegation tokens in a user's name.
    static member CreateTokens = AclOperation 13y
    /// See a user's delegation tokens.
    static member DescribeTokens = AclOperation 14y
    /// Leave a transaction prepared for as long as it takes (KIP-939).
    static member TwoPhaseCommit = AclOperation 15y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "UNKNOWN"
        | 1y -> "ANY"
        | 2y -> "ALL"
        | 3y -> "READ"
        | 4y -> "WRITE"
        | 5y -> "CREATE"
        | 6y -> "DELETE"
        | 7y -> "ALTER"
        | 8y -> "DESCRIBE"
        | 9y -> "CLUSTER_ACTION"
        | 10y -> "DESCRIBE_CONFIGS"
        | 11y -> "ALTER_CONFIGS"
        | 12y -> "IDEMPOTENT_WRITE"
        | 13y -> "CREATE_TOKENS"
        | 14y -> "DESCRIBE_TOKENS"
        | 15y -> "TWO_PHASE_COMMIT"
        | _ -> ""
    override this.ToString() = Code.text "AclOperation" this.Name (int64 code)
    static member op_Equality(a: AclOperation, b: AclOperation) = a.Code = b.Code
    static member op_Inequality(a: AclOperation, b: AclOperation) = a.Code <> b.Code

/// Whether an access rule allows or denies. What is denied cannot be allowed by another rule.
[<Struct>]
type AclPermission(code: int8) =
    /// The number on the wire.
    member _.Code = code
    static member Unknown = AclPermission 0y
    /// In a filter: either.
    static member Any = AclPermission 1y
    static member Deny = AclPermission 2y
    static member Allow = AclPermission 3y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "UNKNOWN"
        | 1y -> "ANY"
        | 2y -> "DENY"
        | 3y -> "ALLOW"
        | _ -> ""
    override this.ToString() = Code.text "AclPermission" this.Name (int64 code)
    static member op_Equality(a: AclPermission, b: AclPermission) = a.Code = b.Code
    static member op_Inequality(a: AclPermission, b: AclPermission) = a.Code <> b.Code

/// The operations that the client may perform on a topic, group or cluster: bit n stands for the operation with number n.
[<Struct>]
type AuthorizedOperations(bits: int32) =
    /// The number on the wire.
    member _.Bits = bits
    /// What a broker answers that was not asked to include them.
    static member NotAsked = AuthorizedOperations Int32.MinValue
    /// Just these. An operation whose number is outside 0 to 30 has no bit and is left out.
    static member Of(operations: AclOperation seq) =
        operations
        |> Seq.filter (fun operation -> operation.Code >= 0y && operation.Code < 31y)
        |> Seq.fold (fun bits operation -> bits ||| (1 <<< int operation.Code)) 0
        |> AuthorizedOperations
    /// Whether the broker says anything: false for `NotAsked`.
    member _.IsKnown = bits <> Int32.MinValue
    /// Whether the operation is among them.
    member _.Contains(operation: AclOperation) = operation.Code >= 0y && operation.Code < 31y && (bits &&& (1 <<< int operation.Code)) <> 0
    /// The operations in the order of their numbers.
    member this.Operations = [ 0y .. 30y ] |> List.map AclOperation |> List.filter this.Contains
    /// `READ, WRITE, DESCRIBE`
    override this.ToString() = if this.IsKnown then String.Join(", ", this.Operations) else "not asked"
    static member op_Equality(a: AuthorizedOperations, b: AuthorizedOperations) = a.Bits = b.Bits
    static member op_Inequality(a: AuthorizedOperations, b: AuthorizedOperations) = a.Bits <> b.Bits

/// The hash that a SCRAM credential is made with (KIP-554).
[<Struct>]
type ScramMechanism(code: int8) =
    /// The number on the wire.
    member _.Code = code
    static member Unknown = ScramMechanism 0y
    static member ScramSha256 = ScramMechanism 1y
    static member ScramSha512 = ScramMechanism 2y
    /// The SASL mechanism's name; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "UNKNOWN"
        | 1y -> "SCRAM-SHA-256"
        | 2y -> "SCRAM-SHA-512"
        | _ -> ""
    override this.ToString() = Code.text "ScramMechanism" this.Name (int64 code)
    static member op_Equality(a: ScramMechanism, b: ScramMechanism) = a.Code = b.Code
    static member op_Inequality(a: ScramMechanism, b: ScramMechanism) = a.Code <> b.Code

/// In which direction a feature level may go (KIP-584, KIP-778).
[<Struct>]
type FeatureUpdateType(code: int8) =
    /// The number on the wire.
    member _.Code = code
    /// Only up.
    static member Upgrade = FeatureUpdateType 1y
    /// Down, as long as no metadata is lost.
    static member SafeDowngrade = FeatureUpdateType 2y
    /// Down, even if metadata is lost.
    static member UnsafeDowngrade = FeatureUpdateType 3y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 1y -> "UPGRADE"
        | 2y -> "SAFE_DOWNGRADE"
        | 3y -> "UNSAFE_DOWNGRADE"
        | _ -> ""
    override this.ToString() = Code.text "FeatureUpdateType" this.Name (int64 code)
    static member op_Equality(a: FeatureUpdateType, b: FeatureUpdateType) = a.Code = b.Code
    static member op_Inequality(a: FeatureUpdateType, b: FeatureUpdateType) = a.Code <> b.Code

/// Which replica an election is to make the leader.
[<Struct>]
type ElectionType(code: int8) =
    /// The number on the wire.
    member _.Code = code
    /// The first of the partition's replicas.
    static member Preferred = ElectionType 0y
    /// One that is out of sync if there is no other, which loses records.
    static member Unclean = ElectionType 1y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "PREFERRED"
        | 1y -> "UNCLEAN"
        | _ -> ""
    override this.ToString() = Code.text "ElectionType" this.Name (int64 code)
    static member op_Equality(a: ElectionType, b: ElectionType) = a.Code = b.Code
    static member op_Inequality(a: ElectionType, b: ElectionType) = a.Code <> b.Code

/// Which quotas of an entity type are asked for.
[<Struct>]
type QuotaMatchType(code: int8) =
    /// The number on the wire.
    member _.Code = code
    /// Those of the entity with the name given.
    static member Exact = QuotaMatchType 0y
    /// Those for entities that have none of their own.
    static member Default = QuotaMatchType 1y
    /// All that say something of this entity type.
    static member Specified = QuotaMatchType 2y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "EXACT"
        | 1y -> "DEFAULT"
        | 2y -> "SPECIFIED"
        | _ -> ""
    override this.ToString() = Code.text "QuotaMatchType" this.Name (int64 code)
    static member op_Equality(a: QuotaMatchType, b: QuotaMatchType) = a.Code = b.Code
    static member op_Inequality(a: QuotaMatchType, b: QuotaMatchType) = a.Code <> b.Code

/// Which nodes of a cluster are asked for (KIP-919).
[<Struct>]
type EndpointType(code: int8) =
    /// The number on the wire.
    member _.Code = code
    static member Broker = EndpointType 1y
    static member Controller = EndpointType 2y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 1y -> "BROKER"
        | 2y -> "CONTROLLER"
        | _ -> ""
    override this.ToString() = Code.text "EndpointType" this.Name (int64 code)
    static member op_Equality(a: EndpointType, b: EndpointType) = a.Code = b.Code
    static member op_Inequality(a: EndpointType, b: EndpointType) = a.Code <> b.Code

/// What became of a record that a share group's member acquired (KIP-932).
[<Struct>]
type ShareAcknowledgeType(code: int8) =
    /// The number on the wire.
    member _.Code = code
    /// There is no record at this offset.
    static member Gap = ShareAcknowledgeType 0y
    /// Processed.
    static member Accept = ShareAcknowledgeType 1y
    /// Not processed; another delivery may try.
    static member Release = ShareAcknowledgeType 2y
    /// Cannot be processed; no more deliveries.
    static member Reject = ShareAcknowledgeType 3y
    /// Still in work: keep it for longer (KIP-1222).
    static member Renew = ShareAcknowledgeType 4y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "GAP"
        | 1y -> "ACCEPT"
        | 2y -> "RELEASE"
        | 3y -> "REJECT"
        | 4y -> "RENEW"
        | _ -> ""
    override this.ToString() = Code.text "ShareAcknowledgeType" this.Name (int64 code)
    static member op_Equality(a: ShareAcknowledgeType, b: ShareAcknowledgeType) = a.Code = b.Code
    static member op_Inequality(a: ShareAcknowledgeType, b: ShareAcknowledgeType) = a.Code <> b.Code

/// How many records a share fetch acquires (KIP-1206).
[<Struct>]
type ShareAcquireMode(code: int8) =
    /// The number on the wire.
    member _.Code = code
    /// Whole batches, so that there can be more than asked for.
    static member BatchOptimized = ShareAcquireMode 0y
    /// Never more than asked for.
    static member RecordLimit = ShareAcquireMode 1y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "BATCH_OPTIMIZED"
        | 1y -> "RECORD_LIMIT"
        | _ -> ""
    override this.ToString() = Code.text "ShareAcquireMode" this.Name (int64 code)
    static member op_Equality(a: ShareAcquireMode, b: ShareAcquireMode) = a.Code = b.Code
    static member op_Inequality(a: ShareAcquireMode, b: ShareAcquireMode) = a.Code <> b.Code

/// How far a record has come in a share group, as brokers store it.
[<Struct>]
type ShareDeliveryState(code: int8) =
    /// The number on the wire.
    member _.Code = code
    /// Waits for a member.
    static member Available = ShareDeliveryState 0y
    /// With a member.
    static member Acquired = ShareDeliveryState 1y
    /// Processed.
    static member Acknowledged = ShareDeliveryState 2y
    /// About to be archived (KIP-1191).
    static member Archiving = ShareDeliveryState 3y
    /// Given up or out of reach.
    static member Archived = ShareDeliveryState 4y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "AVAILABLE"
        | 1y -> "ACQUIRED"
        | 2y -> "ACKNOWLEDGED"
        | 3y -> "ARCHIVING"
        | 4y -> "ARCHIVED"
        | _ -> ""
    override this.ToString() = Code.text "ShareDeliveryState" this.Name (int64 code)
    static member op_Equality(a: ShareDeliveryState, b: ShareDeliveryState) = a.Code = b.Code
    static member op_Inequality(a: ShareDeliveryState, b: ShareDeliveryState) = a.Code <> b.Code

/// Which protocol a member of a consumer group speaks (KIP-1099).
[<Struct>]
type GroupMemberType(code: int8) =
    /// The number on the wire.
    member _.Code = code
    static member Unknown = GroupMemberType(-1y)
    /// JoinGroup and SyncGroup.
    static member Classic = GroupMemberType 0y
    /// The protocol of KIP-848.
    static member Consumer = GroupMemberType 1y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | -1y -> "UNKNOWN"
        | 0y -> "CLASSIC"
        | 1y -> "CONSUMER"
        | _ -> ""
    override this.ToString() = Code.text "GroupMemberType" this.Name (int64 code)
    static member op_Equality(a: GroupMemberType, b: GroupMemberType) = a.Code = b.Code
    static member op_Inequality(a: GroupMemberType, b: GroupMemberType) = a.Code <> b.Code

/// What a Streams group has to tell its members (KIP-1071).
[<Struct>]
type StreamsStatus(code: int8) =
    /// The number on the wire.
    member _.Code = code
    /// The member's topology is older than the group's.
    static member StaleTopology = StreamsStatus 0y
    /// Source topics do not exist.
    static member MissingSourceTopics = StreamsStatus 1y
    /// Topics that belong together differ in their number of partitions.
    static member IncorrectlyPartitionedTopics = StreamsStatus 2y
    /// Internal topics are yet to be created.
    static member MissingInternalTopics = StreamsStatus 3y
    /// A member wants the whole application to stop.
    static member ShutdownApplication = StreamsStatus 4y
    /// The tasks are yet to be assigned.
    static member AssignmentDelayed = StreamsStatus 5y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "STALE_TOPOLOGY"
        | 1y -> "MISSING_SOURCE_TOPICS"
        | 2y -> "INCORRECTLY_PARTITIONED_TOPICS"
        | 3y -> "MISSING_INTERNAL_TOPICS"
        | 4y -> "SHUTDOWN_APPLICATION"
        | 5y -> "ASSIGNMENT_DELAYED"
        | _ -> ""
    override this.ToString() = Code.text "StreamsStatus" this.Name (int64 code)
    static member op_Equality(a: StreamsStatus, b: StreamsStatus) = a.Code = b.Code
    static member op_Inequality(a: StreamsStatus, b: StreamsStatus) = a.Code <> b.Code

/// What a node of a Streams topology does (KIP-1331).
[<Struct>]
type TopologyNodeType(code: int8) =
    /// The number on the wire.
    member _.Code = code
    /// Reads topics.
    static member Source = TopologyNodeType 1y
    static member Processor = TopologyNodeType 2y
    /// Writes a topic.
    static member Sink = TopologyNodeType 3y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 1y -> "SOURCE"
        | 2y -> "PROCESSOR"
        | 3y -> "SINK"
        | _ -> ""
    override this.ToString() = Code.text "TopologyNodeType" this.Name (int64 code)
    static member op_Equality(a: TopologyNodeType, b: TopologyNodeType) = a.Code = b.Code
    static member op_Inequality(a: TopologyNodeType, b: TopologyNodeType) = a.Code <> b.Code

/// Whether the description of a Streams topology is at hand (KIP-1331).
[<Struct>]
type TopologyDescriptionStatus(code: int8) =
    /// The number on the wire.
    member _.Code = code
    static member NotRequested = TopologyDescriptionStatus 0y
    /// The cluster has none of this group.
    static member NotStored = TopologyDescriptionStatus 1y
    /// The broker could not read it.
    static member Error = TopologyDescriptionStatus 2y
    static member Available = TopologyDescriptionStatus 3y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "NOT_REQUESTED"
        | 1y -> "NOT_STORED"
        | 2y -> "ERROR"
        | 3y -> "AVAILABLE"
        | _ -> ""
    override this.ToString() = Code.text "TopologyDescriptionStatus" this.Name (int64 code)
    static member op_Equality(a: TopologyDescriptionStatus, b: TopologyDescriptionStatus) = a.Code = b.Code
    static member op_Inequality(a: TopologyDescriptionStatus, b: TopologyDescriptionStatus) = a.Code <> b.Code

/// Whether a partition's leader is still recovering from an unclean election (KIP-704).
[<Struct>]
type LeaderRecoveryState(code: int8) =
    /// The number on the wire.
    member _.Code = code
    static member Recovered = LeaderRecoveryState 0y
    static member Recovering = LeaderRecoveryState 1y
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0y -> "RECOVERED"
        | 1y -> "RECOVERING"
        | _ -> ""
    override this.ToString() = Code.text "LeaderRecoveryState" this.Name (int64 code)
    static member op_Equality(a: LeaderRecoveryState, b: LeaderRecoveryState) = a.Code = b.Code
    static member op_Inequality(a: LeaderRecoveryState, b: LeaderRecoveryState) = a.Code <> b.Code

/// How a listener is secured.
[<Struct>]
type SecurityProtocol(code: int16) =
    /// The number on the wire.
    member _.Code = code
    /// Neither TLS nor SASL.
    static member Plaintext = SecurityProtocol 0s
    /// TLS.
    static member Ssl = SecurityProtocol 1s
    /// SASL without TLS.
    static member SaslPlaintext = SecurityProtocol 2s
    /// SASL over TLS.
    static member SaslSsl = SecurityProtocol 3s
    /// The name in Kafka's documentation; empty where the number is not known.
    member _.Name =
        match code with
        | 0s -> "PLAINTEXT"
        | 1s -> "SSL"
        | 2s -> "SASL_PLAINTEXT"
        | 3s -> "SASL_SSL"
        | _ -> ""
    override this.ToString() = Code.text "SecurityProtocol" this.Name (int64 code)
    static member op_Equality(a: SecurityProtocol, b: SecurityProtocol) = a.Code = b.Code
    static member op_Inequality(a: SecurityProtocol, b: SecurityProtocol) = a.Code <> b.Code

/// How a group is doing, as ListGroups and the describing APIs put it. Text that is not known here stays itself.
[<Struct>]
type GroupState =
    // Null for empty, so that the value without content equals the default one.
    val private text: string | null
    /// The one of this name, known here or not.
    new(name: string) = { text = if name = "" then null else name }
    /// The text on the wire.
    member this.Name =
        match this.text with
        | null -> ""
        | name -> name
    /// Every member has its partitions.
    static member Stable = GroupState "Stable"
    /// No members; offsets may be left.
    static member Empty = GroupState "Empty"
    /// Classic protocol: waits for the members to join.
    static member PreparingRebalance = GroupState "PreparingRebalance"
    /// Classic protocol: waits for the leader's assignment.
    static member CompletingRebalance = GroupState "CompletingRebalance"
    /// Gone, or about to go.
    static member Dead = GroupState "Dead"
    /// The coordinator works out an assignment.
    static member Assigning = GroupState "Assigning"
    /// Members give up and take over partitions.
    static member Reconciling = GroupState "Reconciling"
    /// A Streams group lacks topics.
    static member NotReady = GroupState "NotReady"
    override this.ToString() = this.Name
    static member op_Equality(a: GroupState, b: GroupState) = String.Equals(a.Name, b.Name)
    static member op_Inequality(a: GroupState, b: GroupState) = not (String.Equals(a.Name, b.Name))

/// Which protocol a group uses, as ListGroups puts it. Text that is not known here stays itself.
[<Struct>]
type GroupType =
    // Null for empty, so that the value without content equals the default one.
    val private text: string | null
    /// The one of this name, known here or not.
    new(name: string) = { text = if name = "" then null else name }
    /// The text on the wire.
    member this.Name =
        match this.text with
        | null -> ""
        | name -> name
    /// JoinGroup and SyncGroup.
    static member Classic = GroupType "classic"
    /// The consumer protocol of KIP-848.
    static member Consumer = GroupType "consumer"
    /// A share group (KIP-932).
    static member Share = GroupType "share"
    /// A Streams group (KIP-1071).
    static member Streams = GroupType "streams"
    override this.ToString() = this.Name
    static member op_Equality(a: GroupType, b: GroupType) = String.Equals(a.Name, b.Name)
    static member op_Inequality(a: GroupType, b: GroupType) = not (String.Equals(a.Name, b.Name))

/// How far a transaction has come, as its coordinator puts it. Text that is not known here stays itself.
[<Struct>]
type TransactionState =
    // Null for empty, so that the value without content equals the default one.
    val private text: string | null
    /// The one of this name, known here or not.
    new(name: string) = { text = if name = "" then null else name }
    /// The text on the wire.
    member this.Name =
        match this.text with
        | null -> ""
        | name -> name
    /// The transactional id has not begun one.
    static member Empty = TransactionState "Empty"
    /// Records may be added.
    static member Ongoing = TransactionState "Ongoing"
    /// To be committed; markers are being written.
    static member PrepareCommit = TransactionState "PrepareCommit"
    /// To be aborted; markers are being written.
    static member PrepareAbort = TransactionState "PrepareAbort"
    /// Committed.
    static member CompleteCommit = TransactionState "CompleteCommit"
    /// Aborted.
    static member CompleteAbort = TransactionState "CompleteAbort"
    /// The transactional id has expired.
    static member Dead = TransactionState "Dead"
    /// To be aborted, as a newer producer has taken over.
    static member PrepareEpochFence = TransactionState "PrepareEpochFence"
    override this.ToString() = this.Name
    static member op_Equality(a: TransactionState, b: TransactionState) = String.Equals(a.Name, b.Name)
    static member op_Inequality(a: TransactionState, b: TransactionState) = not (String.Equals(a.Name, b.Name))
