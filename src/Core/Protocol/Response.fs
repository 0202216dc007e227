namespace LibKafka.Protocol

open LibKafka.Wire

/// An action on a response and its API, of any type.
type internal IResponseVisitor<'Result> =
    abstract Visit: api: Api<'Request, 'Response> * response: 'Response -> 'Result

/// A response of any API, for programs that do not know the API beforehand: brokers, proxies, inspectors.
[<RequireQualifiedAccess>]
type Response =
    | Produce of Produce.Response
    | Fetch of Fetch.Response
    | ListOffsets of ListOffsets.Response
    | Metadata of Metadata.Response
    | OffsetCommit of OffsetCommit.Response
    | OffsetFetch of OffsetFetch.Response
    | FindCoordinator of FindCoordinator.Response
    | JoinGroup of JoinGroup.Response
    | Heartbeat of Heartbeat.Response
    | LeaveGroup of LeaveGroup.Response
    | SyncGroup of SyncGroup.Response
    | DescribeGroups of DescribeGroups.Response
    | ListGroups of ListGroups.Response
    | SaslHandshake of SaslHandshake.Response
    | ApiVersions of ApiVersions.Response
    | CreateTopics of CreateTopics.Response
    | DeleteTopics of DeleteTopics.Response
    | DeleteRecords of DeleteRecords.Response
    | InitProducerId of InitProducerId.Response
    | OffsetForLeaderEpoch of OffsetForLeaderEpoch.Response
    | AddPartitionsToTxn of AddPartitionsToTxn.Response
    | AddOffsetsToTxn of AddOffsetsToTxn.Response
    | EndTxn of EndTxn.Response
    | WriteTxnMarkers of WriteTxnMarkers.Response
    | TxnOffsetCommit of TxnOffsetCommit.Response
    | DescribeAcls of DescribeAcls.Response
    | CreateAcls of CreateAcls.Response
    | DeleteAcls of DeleteAcls.Response
    | DescribeConfigs of DescribeConfigs.Response
    | AlterConfigs of AlterConfigs.Response
    | AlterReplicaLogDirs of AlterReplicaLogDirs.Response
    | DescribeLogDirs of DescribeLogDirs.Response
    | SaslAuthenticate of SaslAuthenticate.Response
    | CreatePartitions of CreatePartitions.Response
    | CreateDelegationToken of CreateDelegationToken.Response
    | RenewDelegationToken of RenewDelegationToken.Response
    | ExpireDelegationToken of ExpireDelegationToken.Response
    | DescribeDelegationToken of DescribeDelegationToken.Response
    | DeleteGroups of DeleteGroups.Response
    | ElectLeaders of ElectLeaders.Response
    | IncrementalAlterConfigs of IncrementalAlterConfigs.Response
    | AlterPartitionReassignments of AlterPartitionReassignments.Response
    | ListPartitionReassignments of ListPartitionReassignments.Response
    | OffsetDelete of OffsetDelete.Response
    | DescribeClientQuotas of DescribeClientQuotas.Response
    | AlterClientQuotas of AlterClientQuotas.Response
    | DescribeUserScramCredentials of DescribeUserScramCredentials.Response
    | AlterUserScramCredentials of AlterUserScramCredentials.Response
    | Vote of Vote.Response
    | BeginQuorumEpoch of BeginQuorumEpoch.Response
    | EndQuorumEpoch of EndQuorumEpoch.Response
    | DescribeQuorum of DescribeQuorum.Response
    | AlterPartition of AlterPartition.Response
    | UpdateFeatures of UpdateFeatures.Response
    | Envelope of Envelope.Response
    | FetchSnapshot of FetchSnapshot.Response
    | DescribeCluster of DescribeCluster.Response
    | DescribeProducers of DescribeProducers.Response
    | BrokerRegistration of BrokerRegistration.Response
    | BrokerHeartbeat of BrokerHeartbeat.Response
    | UnregisterBroker of UnregisterBroker.Response
    | DescribeTransactions of DescribeTransactions.Response
    | ListTransactions of ListTransactions.Response
    | AllocateProducerIds of AllocateProducerIds.Response
    | ConsumerGroupHeartbeat of ConsumerGroupHeartbeat.Response
    | ConsumerGroupDescribe of ConsumerGroupDescribe.Response
    | ControllerRegistration of ControllerRegistration.Response
    | GetTelemetrySubscriptions of GetTelemetrySubscriptions.Response
    | PushTelemetry of PushTelemetry.Response
    | AssignReplicasToDirs of AssignReplicasToDirs.Response
    | ListConfigResources of ListConfigResources.Response
    | DescribeTopicPartitions of DescribeTopicPartitions.Response
    | ShareGroupHeartbeat of ShareGroupHeartbeat.Response
    | ShareGroupDescribe of ShareGroupDescribe.Response
    | ShareFetch of ShareFetch.Response
    | ShareAcknowledge of ShareAcknowledge.Response
    | AddRaftVoter of AddRaftVoter.Response
    | RemoveRaftVoter of RemoveRaftVoter.Response
    | UpdateRaftVoter of UpdateRaftVoter.Response
    | InitializeShareGroupState of InitializeShareGroupState.Response
    | ReadShareGroupState of ReadShareGroupState.Response
    | WriteShareGroupState of WriteShareGroupState.Response
    | DeleteShareGroupState of DeleteShareGroupState.Response
    | ReadShareGroupStateSummary of ReadShareGroupStateSummary.Response
    | StreamsGroupHeartbeat of StreamsGroupHeartbeat.Response
    | StreamsGroupDescribe of StreamsGroupDescribe.Response
    | DescribeShareGroupOffsets of DescribeShareGroupOffsets.Response
    | AlterShareGroupOffsets of AlterShareGroupOffsets.Response
    | DeleteShareGroupOffsets of DeleteShareGroupOffsets.Response
    | StreamsGroupTopologyDescriptionUpdate of StreamsGroupTopologyDescriptionUpdate.Response
    | UnregisterController of UnregisterController.Response

    /// Runs an action on the response and its API.
    member internal this.WithApi(visitor: IResponseVisitor<'Result>) : 'Result =
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
            { new IResponseVisitor<string> with
                member _.Visit(api, response) = Message.show api.Response response }
