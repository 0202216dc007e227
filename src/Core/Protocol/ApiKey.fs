namespace LibKafka

open LibKafka.Protocol

[<RequireQualifiedAccess>]
module private ApiNames =

    /// Without gaps: the index is the number.
    let private names =
        [| "Produce"
           "Fetch"
           "ListOffsets"
           "Metadata"
           "LeaderAndIsr"
           "StopReplica"
           "UpdateMetadata"
           "ControlledShutdown"
           "OffsetCommit"
           "OffsetFetch"
           "FindCoordinator"
           "JoinGroup"
           "Heartbeat"
           "LeaveGroup"
           "SyncGroup"
           "DescribeGroups"
           "ListGroups"
           "SaslHandshake"
           "ApiVersions"
           "CreateTopics"
           "DeleteTopics"
           "DeleteRecords"
           "InitProducerId"
           "OffsetForLeaderEpoch"
           "AddPartitionsToTxn"
           "AddOffsetsToTxn"
           "EndTxn"
           "WriteTxnMarkers"
           "TxnOffsetCommit"
           "DescribeAcls"
           "CreateAcls"
           "DeleteAcls"
           "DescribeConfigs"
           "AlterConfigs"
           "AlterReplicaLogDirs"
           "DescribeLogDirs"
           "SaslAuthenticate"
           "CreatePartitions"
           "CreateDelegationToken"
           "RenewDelegationToken"
           "ExpireDelegationToken"
           "DescribeDelegationToken"
           "DeleteGroups"
           "ElectLeaders"
           "IncrementalAlterConfigs"
           "AlterPartitionReassignments"
           "ListPartitionReassignments"
           "OffsetDelete"
           "DescribeClientQuotas"
           "AlterClientQuotas"
           "DescribeUserScramCredentials"
           "AlterUserScramCredentials"
           "Vote"
           "BeginQuorumEpoch"
           "EndQuorumEpoch"
           "DescribeQuorum"
           "AlterPartition"
           "UpdateFeatures"
           "Envelope"
           "FetchSnapshot"
           "DescribeCluster"
           "DescribeProducers"
           "BrokerRegistration"
           "BrokerHeartbeat"
           "UnregisterBroker"
           "DescribeTransactions"
           "ListTransactions"
           "AllocateProducerIds"
           "ConsumerGroupHeartbeat"
           "ConsumerGroupDescribe"
           "ControllerRegistration"
           "GetTelemetrySubscriptions"
           "PushTelemetry"
           "AssignReplicasToDirs"
           "ListConfigResources"
           "DescribeTopicPartitions"
           "ShareGroupHeartbeat"
           "ShareGroupDescribe"
           "ShareFetch"
           "ShareAcknowledge"
           "AddRaftVoter"
           "RemoveRaftVoter"
           "UpdateRaftVoter"
           "InitializeShareGroupState"
           "ReadShareGroupState"
           "WriteShareGroupState"
           "DeleteShareGroupState"
           "ReadShareGroupStateSummary"
           "StreamsGroupHeartbeat"
           "StreamsGroupDescribe"
           "DescribeShareGroupOffsets"
           "AlterShareGroupOffsets"
           "DeleteShareGroupOffsets"
           "StreamsGroupTopologyDescriptionUpdate"
           "UnregisterController" |]

    let find (code: int16) = if int code >= 0 && int code < names.Length then names[int code] else ""

/// The number of an API. The list includes four that Kafka 4.0 has removed.
[<Struct>]
type ApiKey(code: int16) =
    /// The number on the wire.
    member _.Code = code
    /// Append record batches to partitions.
    static member Produce = ApiKey 0s
    /// Read record batches from partitions.
    static member Fetch = ApiKey 1s
    /// Find an offset by timestamp, or the start or end of the log.
    static member ListOffsets = ApiKey 2s
    /// Describe brokers, topics, partitions and their leaders.
    static member Metadata = ApiKey 3s
    /// Controller to broker, before 4.0: leaders and in-sync replicas.
    static member LeaderAndIsr = ApiKey 4s
    /// Controller to broker, before 4.0: stop replicas.
    static member StopReplica = ApiKey 5s
    /// Controller to broker, before 4.0: the cluster's metadata.
    static member UpdateMetadata = ApiKey 6s
    /// Broker to controller, before 4.0: the broker is shutting down.
    static member ControlledShutdown = ApiKey 7s
    /// Commit the offsets of a group.
    static member OffsetCommit = ApiKey 8s
    /// Fetch the committed offsets of a group.
    static member OffsetFetch = ApiKey 9s
    /// Find the coordinator of a group, a transactional id or a share partition.
    static member FindCoordinator = ApiKey 10s
    /// Join a group.
    static member JoinGroup = ApiKey 11s
    /// Keep a member in its group and learn of rebalances.
    static member Heartbeat = ApiKey 12s
    /// Leave a group.
    static member LeaveGroup = ApiKey 13s
    /// Distribute a generation's assignment, or receive the own part of it.
    static member SyncGroup = ApiKey 14s
    /// Describe classic groups: their state and members.
    static member DescribeGroups = ApiKey 15s
    /// List the groups that a broker coordinates.
    static member ListGroups = ApiKey 16s
    /// Choose the SASL mechanism of a connection.
    static member SaslHandshake = ApiKey 17s
    /// List the APIs and versions that a broker supports.
    static member ApiVersions = ApiKey 18s
    /// Create topics.
    static member CreateTopics = ApiKey 19s
    /// Delete topics.
    static member DeleteTopics = ApiKey 20s
    /// Delete the records before an offset.
    static member DeleteRecords = ApiKey 21s
    /// Get a producer id and epoch.
    static member InitProducerId = ApiKey 22s
    /// Find the end offset of a leader epoch.
    static member OffsetForLeaderEpoch = ApiKey 23s
    /// Add partitions to a transaction.
    static member AddPartitionsToTxn = ApiKey 24s
    /// Add a group's offsets to a transaction.
    static member AddOffsetsToTxn = ApiKey 25s
    /// Commit or abort a transaction.
    static member EndTxn = ApiKey 26s
    /// Coordinator to broker: write the markers that end a transaction.
    static member WriteTxnMarkers = ApiKey 27s
    /// Commit the offsets of a group as part of a transaction.
    static member TxnOffsetCommit = ApiKey 28s
    /// List ACLs.
    static member DescribeAcls = ApiKey 29s
    /// Create ACLs.
    static member CreateAcls = ApiKey 30s
    /// Delete ACLs.
    static member DeleteAcls = ApiKey 31s
    /// Describe the configs of topics, brokers and other resources.
    static member DescribeConfigs = ApiKey 32s
    /// Replace all configs of a topic or broker.
    static member AlterConfigs = ApiKey 33s
    /// Move replicas between the log directories of a broker.
    static member AlterReplicaLogDirs = ApiKey 34s
    /// Describe the log directories of a broker and their replicas.
    static member DescribeLogDirs = ApiKey 35s
    /// One step of a SASL exchange.
    static member SaslAuthenticate = ApiKey 36s
    /// Add partitions to topics.
    static member CreatePartitions = ApiKey 37s
    /// Create a delegation token.
    static member CreateDelegationToken = ApiKey 38s
    /// Extend the lifetime of a delegation token.
    static member RenewDelegationToken = ApiKey 39s
    /// Expire a delegation token.
    static member ExpireDelegationToken = ApiKey 40s
    /// List delegation tokens.
    static member DescribeDelegationToken = ApiKey 41s
    /// Delete groups.
    static member DeleteGroups = ApiKey 42s
    /// Elect the leaders of partitions.
    static member ElectLeaders = ApiKey 43s
    /// Change single configs of topics, brokers and other resources.
    static member IncrementalAlterConfigs = ApiKey 44s
    /// Reassign partitions to other brokers.
    static member AlterPartitionReassignments = ApiKey 45s
    /// List the reassignments in progress.
    static member ListPartitionReassignments = ApiKey 46s
    /// Delete committed offsets of a group.
    static member OffsetDelete = ApiKey 47s
    /// List client quotas.
    static member DescribeClientQuotas = ApiKey 48s
    /// Change client quotas.
    static member AlterClientQuotas = ApiKey 49s
    /// List SCRAM credentials, without their secrets.
    static member DescribeUserScramCredentials = ApiKey 50s
    /// Set or delete SCRAM credentials.
    static member AlterUserScramCredentials = ApiKey 51s
    /// Metadata quorum: request a vote.
    static member Vote = ApiKey 52s
    /// Metadata quorum: the leader announces itself.
    static member BeginQuorumEpoch = ApiKey 53s
    /// Metadata quorum: the leader resigns.
    static member EndQuorumEpoch = ApiKey 54s
    /// Describe the leader, voters and observers of the metadata quorum.
    static member DescribeQuorum = ApiKey 55s
    /// Leader to controller: change the in-sync replicas.
    static member AlterPartition = ApiKey 56s
    /// Change the cluster's feature levels.
    static member UpdateFeatures = ApiKey 57s
    /// Broker to controller: forward a client's request.
    static member Envelope = ApiKey 58s
    /// Metadata quorum: fetch a snapshot.
    static member FetchSnapshot = ApiKey 59s
    /// Describe the brokers or controllers of the cluster.
    static member DescribeCluster = ApiKey 60s
    /// Describe the active producers of partitions.
    static member DescribeProducers = ApiKey 61s
    /// Broker to controller: register.
    static member BrokerRegistration = ApiKey 62s
    /// Broker to controller: keep the registration.
    static member BrokerHeartbeat = ApiKey 63s
    /// Remove the registration of a stopped broker.
    static member UnregisterBroker = ApiKey 64s
    /// Describe transactional ids.
    static member DescribeTransactions = ApiKey 65s
    /// List the transactional ids that a broker coordinates.
    static member ListTransactions = ApiKey 66s
    /// Broker to controller: allocate a block of producer ids.
    static member AllocateProducerIds = ApiKey 67s
    /// Membership of a consumer group (KIP-848).
    static member ConsumerGroupHeartbeat = ApiKey 68s
    /// Describe consumer groups (KIP-848).
    static member ConsumerGroupDescribe = ApiKey 69s
    /// Controller to controller: register.
    static member ControllerRegistration = ApiKey 70s
    /// Ask which metrics the cluster wants from the client.
    static member GetTelemetrySubscriptions = ApiKey 71s
    /// Send a client's metrics.
    static member PushTelemetry = ApiKey 72s
    /// Broker to controller: assign replicas to log directories.
    static member AssignReplicasToDirs = ApiKey 73s
    /// List the resources that have configs.
    static member ListConfigResources = ApiKey 74s
    /// Describe the partitions of topics, in pages.
    static member DescribeTopicPartitions = ApiKey 75s
    /// Membership of a share group.
    static member ShareGroupHeartbeat = ApiKey 76s
    /// Describe share groups.
    static member ShareGroupDescribe = ApiKey 77s
    /// Fetch records for a share group, and acknowledge earlier ones.
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
    /// Between brokers: read a summary of the state of share partitions.
    static member ReadShareGroupStateSummary = ApiKey 87s
    /// Membership of a Streams group.
    static member StreamsGroupHeartbeat = ApiKey 88s
    /// Describe Streams groups.
    static member StreamsGroupDescribe = ApiKey 89s
    /// Describe the offsets of share groups.
    static member DescribeShareGroupOffsets = ApiKey 90s
    /// Alter the offsets of a share group.
    static member AlterShareGroupOffsets = ApiKey 91s
    /// Delete offsets of a share group.
    static member DeleteShareGroupOffsets = ApiKey 92s
    /// Send the description of a Streams group's topology.
    static member StreamsGroupTopologyDescriptionUpdate = ApiKey 93s
    /// Remove the registration of a stopped controller.
    static member UnregisterController = ApiKey 94s
    /// The name in the protocol, such as `Produce`. It is empty if the number is not known.
    member _.Name = ApiNames.find code
    override this.ToString() = Code.text "ApiKey" this.Name (int64 code)
    static member op_Equality(a: ApiKey, b: ApiKey) = a.Code = b.Code
    static member op_Inequality(a: ApiKey, b: ApiKey) = a.Code <> b.Code
