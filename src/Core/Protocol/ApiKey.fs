namespace LibKafka.Protocol

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
