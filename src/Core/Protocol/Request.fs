namespace LibKafka.Protocol

open LibKafka.Wire

/// An action on a request and its API, of any type.
type internal IRequestVisitor<'Result> =
    abstract Visit: api: Api<'Request, 'Response> * request: 'Request -> 'Result

/// A request of any API, for programs that do not know the API beforehand: brokers, proxies, inspectors.
[<RequireQualifiedAccess>]
type Request =
    | Produce of Produce.Request
    | Fetch of Fetch.Request
    | ListOffsets of ListOffsets.Request
    | Metadata of Metadata.Request
    | OffsetCommit of OffsetCommit.Request
    | OffsetFetch of OffsetFetch.Request
    | FindCoordinator of FindCoordinator.Request
    | JoinGroup of JoinGroup.Request
    | Heartbeat of Heartbeat.Request
    | LeaveGroup of LeaveGroup.Request
    | SyncGroup of SyncGroup.Request
    | DescribeGroups of DescribeGroups.Request
    | ListGroups of ListGroups.Request
    | SaslHandshake of SaslHandshake.Request
    | ApiVersions of ApiVersions.Request
    | CreateTopics of CreateTopics.Request
    | DeleteTopics of DeleteTopics.Request
    | DeleteRecords of DeleteRecords.Request
    | InitProducerId of InitProducerId.Request
    | OffsetForLeaderEpoch of OffsetForLeaderEpoch.Request
    | AddPartitionsToTxn of AddPartitionsToTxn.Request
    | AddOffsetsToTxn of AddOffsetsToTxn.Request
    | EndTxn of EndTxn.Request
    | WriteTxnMarkers of WriteTxnMarkers.Request
    | TxnOffsetCommit of TxnOffsetCommit.Request
    | DescribeAcls of DescribeAcls.Request
    | CreateAcls of CreateAcls.Request
    | DeleteAcls of DeleteAcls.Request
    | DescribeConfigs of DescribeConfigs.Request
    | AlterConfigs of AlterConfigs.Request
    | AlterReplicaLogDirs of AlterReplicaLogDirs.Request
    | DescribeLogDirs of DescribeLogDirs.Request
    | SaslAuthenticate of SaslAuthenticate.Request
    | CreatePartitions of CreatePartitions.Request
    | CreateDelegationToken of CreateDelegationToken.Request
    | RenewDelegationToken of RenewDelegationToken.Request
    | ExpireDelegationToken of ExpireDelegationToken.Request
    | DescribeDelegationToken of DescribeDelegationToken.Request
    | DeleteGroups of DeleteGroups.Request
    | ElectLeaders of ElectLeaders.Request
    | IncrementalAlterConfigs of IncrementalAlterConfigs.Request
    | AlterPartitionReassignments of AlterPartitionReassignments.Request
    | ListPartitionReassignments of ListPartitionReassignments.Request
    | OffsetDelete of OffsetDelete.Request
    | DescribeClientQuotas of DescribeClientQuotas.Request
    | AlterClientQuotas of AlterClientQuotas.Request
    | DescribeUserScramCredentials of DescribeUserScramCredentials.Request
    | AlterUserScramCredentials of AlterUserScramCredentials.Request
    | Vote of Vote.Request
    | BeginQuorumEpoch of BeginQuorumEpoch.Request
    | EndQuorumEpoch of EndQuorumEpoch.Request
    | DescribeQuorum of DescribeQuorum.Request
    | AlterPartition of AlterPartition.Request
    | UpdateFeatures of UpdateFeatures.Request
    | Envelope of Envelope.Request
    | FetchSnapshot of FetchSnapshot.Request
    | DescribeCluster of DescribeCluster.Request
    | DescribeProducers of DescribeProducers.Request
    | BrokerRegistration of BrokerRegistration.Request
    | BrokerHeartbeat of BrokerHeartbeat.Request
    | UnregisterBroker of UnregisterBroker.Request
    | DescribeTransactions of DescribeTransactions.Request
    | ListTransactions of ListTransactions.Request
    | AllocateProducerIds of AllocateProducerIds.Request
    | ConsumerGroupHeartbeat of ConsumerGroupHeartbeat.Request
    | ConsumerGroupDescribe of ConsumerGroupDescribe.Request
    | ControllerRegistration of ControllerRegistration.Request
    | GetTelemetrySubscriptions of GetTelemetrySubscriptions.Request
    | PushTelemetry of PushTelemetry.Request
    | AssignReplicasToDirs of AssignReplicasToDirs.Request
    | ListConfigResources of ListConfigResources.Request
    | DescribeTopicPartitions of DescribeTopicPartitions.Request
    | ShareGroupHeartbeat of ShareGroupHeartbeat.Request
    | ShareGroupDescribe of ShareGroupDescribe.Request
    | ShareFetch of ShareFetch.Request
    | ShareAcknowledge of ShareAcknowledge.Request
    | AddRaftVoter of AddRaftVoter.Request
    | RemoveRaftVoter of RemoveRaftVoter.Request
    | UpdateRaftVoter of UpdateRaftVoter.Request
    | InitializeShareGroupState of InitializeShareGroupState.Request
    | ReadShareGroupState of ReadShareGroupState.Request
    | WriteShareGroupState of WriteShareGroupState.Request
    | DeleteShareGroupState of DeleteShareGroupState.Request
    | ReadShareGroupStateSummary of ReadShareGroupStateSummary.Request
    | StreamsGroupHeartbeat of StreamsGroupHeartbeat.Request
    | StreamsGroupDescribe of StreamsGroupDescribe.Request
    | DescribeShareGroupOffsets of DescribeShareGroupOffsets.Request
    | AlterShareGroupOffsets of AlterShareGroupOffsets.Request
    | DeleteShareGroupOffsets of DeleteShareGroupOffsets.Request
    | StreamsGroupTopologyDescriptionUpdate of StreamsGroupTopologyDescriptionUpdate.Request
    | UnregisterController of UnregisterController.Request

    /// Runs an action on the request and its API.
    member internal this.WithApi(visitor: IRequestVisitor<'Result>) : 'Result =
        match this with
        | Produce value -> visitor.Visit(Produce.api, value)
        | Fetch value -> visitor.Visit(Fetch.api, value)
        | ListOffsets value -> visitor.Visit(ListOffsets.api, value)
        | Metadata value -> visitor.Visit(Metadata.api, value)
        | OffsetCommit value -> visitor.Visit(OffsetCommit.api, value)
        | OffsetFetch value -> visitor.Visit(OffsetFetch.api, value)
        | FindCoordinator value -> visitor.Visit(FindCoordinator.api, value)
        | JoinGroup value -> visitor.Visit(JoinGroup.api, value)
        | Heartbeat value -> visitor.Visit(Heartbeat.api, value)
        | LeaveGroup value -> visitor.Visit(LeaveGroup.api, value)
        | SyncGroup value -> visitor.Visit(SyncGroup.api, value)
        | DescribeGroups value -> visitor.Visit(DescribeGroups.api, value)
        | ListGroups value -> visitor.Visit(ListGroups.api, value)
        | SaslHandshake value -> visitor.Visit(SaslHandshake.api, value)
        | ApiVersions value -> visitor.Visit(ApiVersions.api, value)
        | CreateTopics value -> visitor.Visit(CreateTopics.api, value)
        | DeleteTopics value -> visitor.Visit(DeleteTopics.api, value)
        | DeleteRecords value -> visitor.Visit(DeleteRecords.api, value)
        | InitProducerId value -> visitor.Visit(InitProducerId.api, value)
        | OffsetForLeaderEpoch value -> visitor.Visit(OffsetForLeaderEpoch.api, value)
        | AddPartitionsToTxn value -> visitor.Visit(AddPartitionsToTxn.api, value)
        | AddOffsetsToTxn value -> visitor.Visit(AddOffsetsToTxn.api, value)
        | EndTxn value -> visitor.Visit(EndTxn.api, value)
        | WriteTxnMarkers value -> visitor.Visit(WriteTxnMarkers.api, value)
        | TxnOffsetCommit value -> visitor.Visit(TxnOffsetCommit.api, value)
        | DescribeAcls value -> visitor.Visit(DescribeAcls.api, value)
        | CreateAcls value -> visitor.Visit(CreateAcls.api, value)
        | DeleteAcls value -> visitor.Visit(DeleteAcls.api, value)
        | DescribeConfigs value -> visitor.Visit(DescribeConfigs.api, value)
        | AlterConfigs value -> visitor.Visit(AlterConfigs.api, value)
        | AlterReplicaLogDirs value -> visitor.Visit(AlterReplicaLogDirs.api, value)
        | DescribeLogDirs value -> visitor.Visit(DescribeLogDirs.api, value)
        | SaslAuthenticate value -> visitor.Visit(SaslAuthenticate.api, value)
        | CreatePartitions value -> visitor.Visit(CreatePartitions.api, value)
        | CreateDelegationToken value -> visitor.Visit(CreateDelegationToken.api, value)
        | RenewDelegationToken value -> visitor.Visit(RenewDelegationToken.api, value)
        | ExpireDelegationToken value -> visitor.Visit(ExpireDelegationToken.api, value)
        | DescribeDelegationToken value -> visitor.Visit(DescribeDelegationToken.api, value)
        | DeleteGroups value -> visitor.Visit(DeleteGroups.api, value)
        | ElectLeaders value -> visitor.Visit(ElectLeaders.api, value)
        | IncrementalAlterConfigs value -> visitor.Visit(IncrementalAlterConfigs.api, value)
        | AlterPartitionReassignments value -> visitor.Visit(AlterPartitionReassignments.api, value)
        | ListPartitionReassignments value -> visitor.Visit(ListPartitionReassignments.api, value)
        | OffsetDelete value -> visitor.Visit(OffsetDelete.api, value)
        | DescribeClientQuotas value -> visitor.Visit(DescribeClientQuotas.api, value)
        | AlterClientQuotas value -> visitor.Visit(AlterClientQuotas.api, value)
        | DescribeUserScramCredentials value -> visitor.Visit(DescribeUserScramCredentials.api, value)
        | AlterUserScramCredentials value -> visitor.Visit(AlterUserScramCredentials.api, value)
        | Vote value -> visitor.Visit(Vote.api, value)
        | BeginQuorumEpoch value -> visitor.Visit(BeginQuorumEpoch.api, value)
        | EndQuorumEpoch value -> visitor.Visit(EndQuorumEpoch.api, value)
        | DescribeQuorum value -> visitor.Visit(DescribeQuorum.api, value)
        | AlterPartition value -> visitor.Visit(AlterPartition.api, value)
        | UpdateFeatures value -> visitor.Visit(UpdateFeatures.api, value)
        | Envelope value -> visitor.Visit(Envelope.api, value)
        | FetchSnapshot value -> visitor.Visit(FetchSnapshot.api, value)
        | DescribeCluster value -> visitor.Visit(DescribeCluster.api, value)
        | DescribeProducers value -> visitor.Visit(DescribeProducers.api, value)
        | BrokerRegistration value -> visitor.Visit(BrokerRegistration.api, value)
        | BrokerHeartbeat value -> visitor.Visit(BrokerHeartbeat.api, value)
        | UnregisterBroker value -> visitor.Visit(UnregisterBroker.api, value)
        | DescribeTransactions value -> visitor.Visit(DescribeTransactions.api, value)
        | ListTransactions value -> visitor.Visit(ListTransactions.api, value)
        | AllocateProducerIds value -> visitor.Visit(AllocateProducerIds.api, value)
        | ConsumerGroupHeartbeat value -> visitor.Visit(ConsumerGroupHeartbeat.api, value)
        | ConsumerGroupDescribe value -> visitor.Visit(ConsumerGroupDescribe.api, value)
        | ControllerRegistration value -> visitor.Visit(ControllerRegistration.api, value)
        | GetTelemetrySubscriptions value -> visitor.Visit(GetTelemetrySubscriptions.api, value)
        | PushTelemetry value -> visitor.Visit(PushTelemetry.api, value)
        | AssignReplicasToDirs value -> visitor.Visit(AssignReplicasToDirs.api, value)
        | ListConfigResources value -> visitor.Visit(ListConfigResources.api, value)
        | DescribeTopicPartitions value -> visitor.Visit(DescribeTopicPartitions.api, value)
        | ShareGroupHeartbeat value -> visitor.Visit(ShareGroupHeartbeat.api, value)
        | ShareGroupDescribe value -> visitor.Visit(ShareGroupDescribe.api, value)
        | ShareFetch value -> visitor.Visit(ShareFetch.api, value)
        | ShareAcknowledge value -> visitor.Visit(ShareAcknowledge.api, value)
        | AddRaftVoter value -> visitor.Visit(AddRaftVoter.api, value)
        | RemoveRaftVoter value -> visitor.Visit(RemoveRaftVoter.api, value)
        | UpdateRaftVoter value -> visitor.Visit(UpdateRaftVoter.api, value)
        | InitializeShareGroupState value -> visitor.Visit(InitializeShareGroupState.api, value)
        | ReadShareGroupState value -> visitor.Visit(ReadShareGroupState.api, value)
        | WriteShareGroupState value -> visitor.Visit(WriteShareGroupState.api, value)
        | DeleteShareGroupState value -> visitor.Visit(DeleteShareGroupState.api, value)
        | ReadShareGroupStateSummary value -> visitor.Visit(ReadShareGroupStateSummary.api, value)
        | StreamsGroupHeartbeat value -> visitor.Visit(StreamsGroupHeartbeat.api, value)
        | StreamsGroupDescribe value -> visitor.Visit(StreamsGroupDescribe.api, value)
        | DescribeShareGroupOffsets value -> visitor.Visit(DescribeShareGroupOffsets.api, value)
        | AlterShareGroupOffsets value -> visitor.Visit(AlterShareGroupOffsets.api, value)
        | DeleteShareGroupOffsets value -> visitor.Visit(DeleteShareGroupOffsets.api, value)
        | StreamsGroupTopologyDescriptionUpdate value -> visitor.Visit(StreamsGroupTopologyDescriptionUpdate.api, value)
        | UnregisterController value -> visitor.Visit(UnregisterController.api, value)

    /// A one-line description: see `Message.show`.
    override this.ToString() =
        this.WithApi
            { new IRequestVisitor<string> with
                member _.Visit(api, request) = Message.show api.Request request }
