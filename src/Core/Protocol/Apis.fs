namespace LibKafka.Protocol

open LibKafka.Wire

/// A request of any API.
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

/// A response of any API.
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

/// Something to do with any API, whatever the types of its messages.
type IApiVisitor<'Result> =
    abstract Visit: api: Api<'Request, 'Response> * ('Request -> Request) * ('Response -> Response) -> 'Result

/// All APIs that are known here.
[<RequireQualifiedAccess>]
module Apis =

    /// The keys of the APIs, in order.
    let keys: ApiKey list =
        [ ApiKey.Produce
          ApiKey.Fetch
          ApiKey.ListOffsets
          ApiKey.Metadata
          ApiKey.OffsetCommit
          ApiKey.OffsetFetch
          ApiKey.FindCoordinator
          ApiKey.JoinGroup
          ApiKey.Heartbeat
          ApiKey.LeaveGroup
          ApiKey.SyncGroup
          ApiKey.DescribeGroups
          ApiKey.ListGroups
          ApiKey.SaslHandshake
          ApiKey.ApiVersions
          ApiKey.CreateTopics
          ApiKey.DeleteTopics
          ApiKey.DeleteRecords
          ApiKey.InitProducerId
          ApiKey.OffsetForLeaderEpoch
          ApiKey.AddPartitionsToTxn
          ApiKey.AddOffsetsToTxn
          ApiKey.EndTxn
          ApiKey.WriteTxnMarkers
          ApiKey.TxnOffsetCommit
          ApiKey.DescribeAcls
          ApiKey.CreateAcls
          ApiKey.DeleteAcls
          ApiKey.DescribeConfigs
          ApiKey.AlterConfigs
          ApiKey.AlterReplicaLogDirs
          ApiKey.DescribeLogDirs
          ApiKey.SaslAuthenticate
          ApiKey.CreatePartitions
          ApiKey.CreateDelegationToken
          ApiKey.RenewDelegationToken
          ApiKey.ExpireDelegationToken
          ApiKey.DescribeDelegationToken
          ApiKey.DeleteGroups
          ApiKey.ElectLeaders
          ApiKey.IncrementalAlterConfigs
          ApiKey.AlterPartitionReassignments
          ApiKey.ListPartitionReassignments
          ApiKey.OffsetDelete
          ApiKey.DescribeClientQuotas
          ApiKey.AlterClientQuotas
          ApiKey.DescribeUserScramCredentials
          ApiKey.AlterUserScramCredentials
          ApiKey.Vote
          ApiKey.BeginQuorumEpoch
          ApiKey.EndQuorumEpoch
          ApiKey.DescribeQuorum
          ApiKey.AlterPartition
          ApiKey.UpdateFeatures
          ApiKey.Envelope
          ApiKey.FetchSnapshot
          ApiKey.DescribeCluster
          ApiKey.DescribeProducers
          ApiKey.BrokerRegistration
          ApiKey.BrokerHeartbeat
          ApiKey.UnregisterBroker
          ApiKey.DescribeTransactions
          ApiKey.ListTransactions
          ApiKey.AllocateProducerIds
          ApiKey.ConsumerGroupHeartbeat
          ApiKey.ConsumerGroupDescribe
          ApiKey.ControllerRegistration
          ApiKey.GetTelemetrySubscriptions
          ApiKey.PushTelemetry
          ApiKey.AssignReplicasToDirs
          ApiKey.ListConfigResources
          ApiKey.DescribeTopicPartitions
          ApiKey.ShareGroupHeartbeat
          ApiKey.ShareGroupDescribe
          ApiKey.ShareFetch
          ApiKey.ShareAcknowledge
          ApiKey.AddRaftVoter
          ApiKey.RemoveRaftVoter
          ApiKey.UpdateRaftVoter
          ApiKey.InitializeShareGroupState
          ApiKey.ReadShareGroupState
          ApiKey.WriteShareGroupState
          ApiKey.DeleteShareGroupState
          ApiKey.ReadShareGroupStateSummary
          ApiKey.StreamsGroupHeartbeat
          ApiKey.StreamsGroupDescribe
          ApiKey.DescribeShareGroupOffsets
          ApiKey.AlterShareGroupOffsets
          ApiKey.DeleteShareGroupOffsets
          ApiKey.StreamsGroupTopologyDescriptionUpdate
          ApiKey.UnregisterController ]

    /// Does something with the API that has the key; none where it is not known. Only the definition that is asked for is touched, so a
    /// program does not pay for the others.
    let visit (visitor: IApiVisitor<'Result>) (key: ApiKey) : 'Result option =
        match key.Code with
        | 0s -> Some(visitor.Visit(Produce.api, Request.Produce, Response.Produce))
        | 1s -> Some(visitor.Visit(Fetch.api, Request.Fetch, Response.Fetch))
        | 2s -> Some(visitor.Visit(ListOffsets.api, Request.ListOffsets, Response.ListOffsets))
        | 3s -> Some(visitor.Visit(Metadata.api, Request.Metadata, Response.Metadata))
        | 8s -> Some(visitor.Visit(OffsetCommit.api, Request.OffsetCommit, Response.OffsetCommit))
        | 9s -> Some(visitor.Visit(OffsetFetch.api, Request.OffsetFetch, Response.OffsetFetch))
        | 10s -> Some(visitor.Visit(FindCoordinator.api, Request.FindCoordinator, Response.FindCoordinator))
        | 11s -> Some(visitor.Visit(JoinGroup.api, Request.JoinGroup, Response.JoinGroup))
        | 12s -> Some(visitor.Visit(Heartbeat.api, Request.Heartbeat, Response.Heartbeat))
        | 13s -> Some(visitor.Visit(LeaveGroup.api, Request.LeaveGroup, Response.LeaveGroup))
        | 14s -> Some(visitor.Visit(SyncGroup.api, Request.SyncGroup, Response.SyncGroup))
        | 15s -> Some(visitor.Visit(DescribeGroups.api, Request.DescribeGroups, Response.DescribeGroups))
        | 16s -> Some(visitor.Visit(ListGroups.api, Request.ListGroups, Response.ListGroups))
        | 17s -> Some(visitor.Visit(SaslHandshake.api, Request.SaslHandshake, Response.SaslHandshake))
        | 18s -> Some(visitor.Visit(ApiVersions.api, Request.ApiVersions, Response.ApiVersions))
        | 19s -> Some(visitor.Visit(CreateTopics.api, Request.CreateTopics, Response.CreateTopics))
        | 20s -> Some(visitor.Visit(DeleteTopics.api, Request.DeleteTopics, Response.DeleteTopics))
        | 21s -> Some(visitor.Visit(DeleteRecords.api, Request.DeleteRecords, Response.DeleteRecords))
        | 22s -> Some(visitor.Visit(InitProducerId.api, Request.InitProducerId, Response.InitProducerId))
        | 23s -> Some(visitor.Visit(OffsetForLeaderEpoch.api, Request.OffsetForLeaderEpoch, Response.OffsetForLeaderEpoch))
        | 24s -> Some(visitor.Visit(AddPartitionsToTxn.api, Request.AddPartitionsToTxn, Response.AddPartitionsToTxn))
        | 25s -> Some(visitor.Visit(AddOffsetsToTxn.api, Request.AddOffsetsToTxn, Response.AddOffsetsToTxn))
        | 26s -> Some(visitor.Visit(EndTxn.api, Request.EndTxn, Response.EndTxn))
        | 27s -> Some(visitor.Visit(WriteTxnMarkers.api, Request.WriteTxnMarkers, Response.WriteTxnMarkers))
        | 28s -> Some(visitor.Visit(TxnOffsetCommit.api, Request.TxnOffsetCommit, Response.TxnOffsetCommit))
        | 29s -> Some(visitor.Visit(DescribeAcls.api, Request.DescribeAcls, Response.DescribeAcls))
        | 30s -> Some(visitor.Visit(CreateAcls.api, Request.CreateAcls, Response.CreateAcls))
        | 31s -> Some(visitor.Visit(DeleteAcls.api, Request.DeleteAcls, Response.DeleteAcls))
        | 32s -> Some(visitor.Visit(DescribeConfigs.api, Request.DescribeConfigs, Response.DescribeConfigs))
        | 33s -> Some(visitor.Visit(AlterConfigs.api, Request.AlterConfigs, Response.AlterConfigs))
        | 34s -> Some(visitor.Visit(AlterReplicaLogDirs.api, Request.AlterReplicaLogDirs, Response.AlterReplicaLogDirs))
        | 35s -> Some(visitor.Visit(DescribeLogDirs.api, Request.DescribeLogDirs, Response.DescribeLogDirs))
        | 36s -> Some(visitor.Visit(SaslAuthenticate.api, Request.SaslAuthenticate, Response.SaslAuthenticate))
        | 37s -> Some(visitor.Visit(CreatePartitions.api, Request.CreatePartitions, Response.CreatePartitions))
        | 38s -> Some(visitor.Visit(CreateDelegationToken.api, Request.CreateDelegationToken, Response.CreateDelegationToken))
        | 39s -> Some(visitor.Visit(RenewDelegationToken.api, Request.RenewDelegationToken, Response.RenewDelegationToken))
        | 40s -> Some(visitor.Visit(ExpireDelegationToken.api, Request.ExpireDelegationToken, Response.ExpireDelegationToken))
        | 41s -> Some(visitor.Visit(DescribeDelegationToken.api, Request.DescribeDelegationToken, Response.DescribeDelegationToken))
        | 42s -> Some(visitor.Visit(DeleteGroups.api, Request.DeleteGroups, Response.DeleteGroups))
        | 43s -> Some(visitor.Visit(ElectLeaders.api, Request.ElectLeaders, Response.ElectLeaders))
        | 44s -> Some(visitor.Visit(IncrementalAlterConfigs.api, Request.IncrementalAlterConfigs, Response.IncrementalAlterConfigs))
        | 45s ->
            Some(visitor.Visit(AlterPartitionReassignments.api, Request.AlterPartitionReassignments, Response.AlterPartitionReassignments))
        | 46s ->
            Some(visitor.Visit(ListPartitionReassignments.api, Request.ListPartitionReassignments, Response.ListPartitionReassignments))
        | 47s -> Some(visitor.Visit(OffsetDelete.api, Request.OffsetDelete, Response.OffsetDelete))
        | 48s -> Some(visitor.Visit(DescribeClientQuotas.api, Request.DescribeClientQuotas, Response.DescribeClientQuotas))
        | 49s -> Some(visitor.Visit(AlterClientQuotas.api, Request.AlterClientQuotas, Response.AlterClientQuotas))
        | 50s ->
            Some(
                visitor.Visit(DescribeUserScramCredentials.api, Request.DescribeUserScramCredentials, Response.DescribeUserScramCredentials)
            )
        | 51s -> Some(visitor.Visit(AlterUserScramCredentials.api, Request.AlterUserScramCredentials, Response.AlterUserScramCredentials))
        | 52s -> Some(visitor.Visit(Vote.api, Request.Vote, Response.Vote))
        | 53s -> Some(visitor.Visit(BeginQuorumEpoch.api, Request.BeginQuorumEpoch, Response.BeginQuorumEpoch))
        | 54s -> Some(visitor.Visit(EndQuorumEpoch.api, Request.EndQuorumEpoch, Response.EndQuorumEpoch))
        | 55s -> Some(visitor.Visit(DescribeQuorum.api, Request.DescribeQuorum, Response.DescribeQuorum))
        | 56s -> Some(visitor.Visit(AlterPartition.api, Request.AlterPartition, Response.AlterPartition))
        | 57s -> Some(visitor.Visit(UpdateFeatures.api, Request.UpdateFeatures, Response.UpdateFeatures))
        | 58s -> Some(visitor.Visit(Envelope.api, Request.Envelope, Response.Envelope))
        | 59s -> Some(visitor.Visit(FetchSnapshot.api, Request.FetchSnapshot, Response.FetchSnapshot))
        | 60s -> Some(visitor.Visit(DescribeCluster.api, Request.DescribeCluster, Response.DescribeCluster))
        | 61s -> Some(visitor.Visit(DescribeProducers.api, Request.DescribeProducers, Response.DescribeProducers))
        | 62s -> Some(visitor.Visit(BrokerRegistration.api, Request.BrokerRegistration, Response.BrokerRegistration))
        | 63s -> Some(visitor.Visit(BrokerHeartbeat.api, Request.BrokerHeartbeat, Response.BrokerHeartbeat))
        | 64s -> Some(visitor.Visit(UnregisterBroker.api, Request.UnregisterBroker, Response.UnregisterBroker))
        | 65s -> Some(visitor.Visit(DescribeTransactions.api, Request.DescribeTransactions, Response.DescribeTransactions))
        | 66s -> Some(visitor.Visit(ListTransactions.api, Request.ListTransactions, Response.ListTransactions))
        | 67s -> Some(visitor.Visit(AllocateProducerIds.api, Request.AllocateProducerIds, Response.AllocateProducerIds))
        | 68s -> Some(visitor.Visit(ConsumerGroupHeartbeat.api, Request.ConsumerGroupHeartbeat, Response.ConsumerGroupHeartbeat))
        | 69s -> Some(visitor.Visit(ConsumerGroupDescribe.api, Request.ConsumerGroupDescribe, Response.ConsumerGroupDescribe))
        | 70s -> Some(visitor.Visit(ControllerRegistration.api, Request.ControllerRegistration, Response.ControllerRegistration))
        | 71s -> Some(visitor.Visit(GetTelemetrySubscriptions.api, Request.GetTelemetrySubscriptions, Response.GetTelemetrySubscriptions))
        | 72s -> Some(visitor.Visit(PushTelemetry.api, Request.PushTelemetry, Response.PushTelemetry))
        | 73s -> Some(visitor.Visit(AssignReplicasToDirs.api, Request.AssignReplicasToDirs, Response.AssignReplicasToDirs))
        | 74s -> Some(visitor.Visit(ListConfigResources.api, Request.ListConfigResources, Response.ListConfigResources))
        | 75s -> Some(visitor.Visit(DescribeTopicPartitions.api, Request.DescribeTopicPartitions, Response.DescribeTopicPartitions))
        | 76s -> Some(visitor.Visit(ShareGroupHeartbeat.api, Request.ShareGroupHeartbeat, Response.ShareGroupHeartbeat))
        | 77s -> Some(visitor.Visit(ShareGroupDescribe.api, Request.ShareGroupDescribe, Response.ShareGroupDescribe))
        | 78s -> Some(visitor.Visit(ShareFetch.api, Request.ShareFetch, Response.ShareFetch))
        | 79s -> Some(visitor.Visit(ShareAcknowledge.api, Request.ShareAcknowledge, Response.ShareAcknowledge))
        | 80s -> Some(visitor.Visit(AddRaftVoter.api, Request.AddRaftVoter, Response.AddRaftVoter))
        | 81s -> Some(visitor.Visit(RemoveRaftVoter.api, Request.RemoveRaftVoter, Response.RemoveRaftVoter))
        | 82s -> Some(visitor.Visit(UpdateRaftVoter.api, Request.UpdateRaftVoter, Response.UpdateRaftVoter))
        | 83s -> Some(visitor.Visit(InitializeShareGroupState.api, Request.InitializeShareGroupState, Response.InitializeShareGroupState))
        | 84s -> Some(visitor.Visit(ReadShareGroupState.api, Request.ReadShareGroupState, Response.ReadShareGroupState))
        | 85s -> Some(visitor.Visit(WriteShareGroupState.api, Request.WriteShareGroupState, Response.WriteShareGroupState))
        | 86s -> Some(visitor.Visit(DeleteShareGroupState.api, Request.DeleteShareGroupState, Response.DeleteShareGroupState))
        | 87s ->
            Some(visitor.Visit(ReadShareGroupStateSummary.api, Request.ReadShareGroupStateSummary, Response.ReadShareGroupStateSummary))
        | 88s -> Some(visitor.Visit(StreamsGroupHeartbeat.api, Request.StreamsGroupHeartbeat, Response.StreamsGroupHeartbeat))
        | 89s -> Some(visitor.Visit(StreamsGroupDescribe.api, Request.StreamsGroupDescribe, Response.StreamsGroupDescribe))
        | 90s -> Some(visitor.Visit(DescribeShareGroupOffsets.api, Request.DescribeShareGroupOffsets, Response.DescribeShareGroupOffsets))
        | 91s -> Some(visitor.Visit(AlterShareGroupOffsets.api, Request.AlterShareGroupOffsets, Response.AlterShareGroupOffsets))
        | 92s -> Some(visitor.Visit(DeleteShareGroupOffsets.api, Request.DeleteShareGroupOffsets, Response.DeleteShareGroupOffsets))
        | 93s ->
            Some(
                visitor.Visit(
                    StreamsGroupTopologyDescriptionUpdate.api,
                    Request.StreamsGroupTopologyDescriptionUpdate,
                    Response.StreamsGroupTopologyDescriptionUpdate
                )
            )
        | 94s -> Some(visitor.Visit(UnregisterController.api, Request.UnregisterController, Response.UnregisterController))
        | _ -> None

/// Something to do with any message, whatever its type.
type IMessageVisitor<'Result> =
    abstract Visit: key: ApiKey * message: Message<'T> * value: 'T -> 'Result

/// A way to come by any message from outside.
type private IReading =
    abstract Read: message: Message<'T> -> Result<'T, Fault>

[<RequireQualifiedAccess>]
module private Reading =

    let decoding limits version bytes =
        { new IReading with
            member _.Read message = Message.decode limits version message bytes }

    let ofJson version json =
        { new IReading with
            member _.Read message = Message.ofJson version message json }

    let unknown (key: ApiKey) : Fault = { Problem = Problem.UnknownApi key.Code; Offset = 0; Path = "" }

[<RequireQualifiedAccess>]
module Request =

    /// Does something with the message in the union.
    let visit (visitor: IMessageVisitor<'Result>) (request: Request) : 'Result =
        let visit (api: Api<'Q, 'A>) value = visitor.Visit(api.Key, api.Request, value)

        match request with
        | Request.Produce value -> visit Produce.api value
        | Request.Fetch value -> visit Fetch.api value
        | Request.ListOffsets value -> visit ListOffsets.api value
        | Request.Metadata value -> visit Metadata.api value
        | Request.OffsetCommit value -> visit OffsetCommit.api value
        | Request.OffsetFetch value -> visit OffsetFetch.api value
        | Request.FindCoordinator value -> visit FindCoordinator.api value
        | Request.JoinGroup value -> visit JoinGroup.api value
        | Request.Heartbeat value -> visit Heartbeat.api value
        | Request.LeaveGroup value -> visit LeaveGroup.api value
        | Request.SyncGroup value -> visit SyncGroup.api value
        | Request.DescribeGroups value -> visit DescribeGroups.api value
        | Request.ListGroups value -> visit ListGroups.api value
        | Request.SaslHandshake value -> visit SaslHandshake.api value
        | Request.ApiVersions value -> visit ApiVersions.api value
        | Request.CreateTopics value -> visit CreateTopics.api value
        | Request.DeleteTopics value -> visit DeleteTopics.api value
        | Request.DeleteRecords value -> visit DeleteRecords.api value
        | Request.InitProducerId value -> visit InitProducerId.api value
        | Request.OffsetForLeaderEpoch value -> visit OffsetForLeaderEpoch.api value
        | Request.AddPartitionsToTxn value -> visit AddPartitionsToTxn.api value
        | Request.AddOffsetsToTxn value -> visit AddOffsetsToTxn.api value
        | Request.EndTxn value -> visit EndTxn.api value
        | Request.WriteTxnMarkers value -> visit WriteTxnMarkers.api value
        | Request.TxnOffsetCommit value -> visit TxnOffsetCommit.api value
        | Request.DescribeAcls value -> visit DescribeAcls.api value
        | Request.CreateAcls value -> visit CreateAcls.api value
        | Request.DeleteAcls value -> visit DeleteAcls.api value
        | Request.DescribeConfigs value -> visit DescribeConfigs.api value
        | Request.AlterConfigs value -> visit AlterConfigs.api value
        | Request.AlterReplicaLogDirs value -> visit AlterReplicaLogDirs.api value
        | Request.DescribeLogDirs value -> visit DescribeLogDirs.api value
        | Request.SaslAuthenticate value -> visit SaslAuthenticate.api value
        | Request.CreatePartitions value -> visit CreatePartitions.api value
        | Request.CreateDelegationToken value -> visit CreateDelegationToken.api value
        | Request.RenewDelegationToken value -> visit RenewDelegationToken.api value
        | Request.ExpireDelegationToken value -> visit ExpireDelegationToken.api value
        | Request.DescribeDelegationToken value -> visit DescribeDelegationToken.api value
        | Request.DeleteGroups value -> visit DeleteGroups.api value
        | Request.ElectLeaders value -> visit ElectLeaders.api value
        | Request.IncrementalAlterConfigs value -> visit IncrementalAlterConfigs.api value
        | Request.AlterPartitionReassignments value -> visit AlterPartitionReassignments.api value
        | Request.ListPartitionReassignments value -> visit ListPartitionReassignments.api value
        | Request.OffsetDelete value -> visit OffsetDelete.api value
        | Request.DescribeClientQuotas value -> visit DescribeClientQuotas.api value
        | Request.AlterClientQuotas value -> visit AlterClientQuotas.api value
        | Request.DescribeUserScramCredentials value -> visit DescribeUserScramCredentials.api value
        | Request.AlterUserScramCredentials value -> visit AlterUserScramCredentials.api value
        | Request.Vote value -> visit Vote.api value
        | Request.BeginQuorumEpoch value -> visit BeginQuorumEpoch.api value
        | Request.EndQuorumEpoch value -> visit EndQuorumEpoch.api value
        | Request.DescribeQuorum value -> visit DescribeQuorum.api value
        | Request.AlterPartition value -> visit AlterPartition.api value
        | Request.UpdateFeatures value -> visit UpdateFeatures.api value
        | Request.Envelope value -> visit Envelope.api value
        | Request.FetchSnapshot value -> visit FetchSnapshot.api value
        | Request.DescribeCluster value -> visit DescribeCluster.api value
        | Request.DescribeProducers value -> visit DescribeProducers.api value
        | Request.BrokerRegistration value -> visit BrokerRegistration.api value
        | Request.BrokerHeartbeat value -> visit BrokerHeartbeat.api value
        | Request.UnregisterBroker value -> visit UnregisterBroker.api value
        | Request.DescribeTransactions value -> visit DescribeTransactions.api value
        | Request.ListTransactions value -> visit ListTransactions.api value
        | Request.AllocateProducerIds value -> visit AllocateProducerIds.api value
        | Request.ConsumerGroupHeartbeat value -> visit ConsumerGroupHeartbeat.api value
        | Request.ConsumerGroupDescribe value -> visit ConsumerGroupDescribe.api value
        | Request.ControllerRegistration value -> visit ControllerRegistration.api value
        | Request.GetTelemetrySubscriptions value -> visit GetTelemetrySubscriptions.api value
        | Request.PushTelemetry value -> visit PushTelemetry.api value
        | Request.AssignReplicasToDirs value -> visit AssignReplicasToDirs.api value
        | Request.ListConfigResources value -> visit ListConfigResources.api value
        | Request.DescribeTopicPartitions value -> visit DescribeTopicPartitions.api value
        | Request.ShareGroupHeartbeat value -> visit ShareGroupHeartbeat.api value
        | Request.ShareGroupDescribe value -> visit ShareGroupDescribe.api value
        | Request.ShareFetch value -> visit ShareFetch.api value
        | Request.ShareAcknowledge value -> visit ShareAcknowledge.api value
        | Request.AddRaftVoter value -> visit AddRaftVoter.api value
        | Request.RemoveRaftVoter value -> visit RemoveRaftVoter.api value
        | Request.UpdateRaftVoter value -> visit UpdateRaftVoter.api value
        | Request.InitializeShareGroupState value -> visit InitializeShareGroupState.api value
        | Request.ReadShareGroupState value -> visit ReadShareGroupState.api value
        | Request.WriteShareGroupState value -> visit WriteShareGroupState.api value
        | Request.DeleteShareGroupState value -> visit DeleteShareGroupState.api value
        | Request.ReadShareGroupStateSummary value -> visit ReadShareGroupStateSummary.api value
        | Request.StreamsGroupHeartbeat value -> visit StreamsGroupHeartbeat.api value
        | Request.StreamsGroupDescribe value -> visit StreamsGroupDescribe.api value
        | Request.DescribeShareGroupOffsets value -> visit DescribeShareGroupOffsets.api value
        | Request.AlterShareGroupOffsets value -> visit AlterShareGroupOffsets.api value
        | Request.DeleteShareGroupOffsets value -> visit DeleteShareGroupOffsets.api value
        | Request.StreamsGroupTopologyDescriptionUpdate value -> visit StreamsGroupTopologyDescriptionUpdate.api value
        | Request.UnregisterController value -> visit UnregisterController.api value

    /// The API that the request belongs to.
    let apiKey (request: Request) : ApiKey =
        request
        |> visit
            { new IMessageVisitor<ApiKey> with
                member _.Visit(key, _, _) = key }

    /// One line for people: see `Message.show`.
    let show (request: Request) : string =
        request
        |> visit
            { new IMessageVisitor<string> with
                member _.Visit(_, message, value) = Message.show message value }

    /// The bytes of the request at a version, without a header: see `Message.encode`.
    let encode (version: int16) (request: Request) : Result<Bytes, Fault> =
        request
        |> visit
            { new IMessageVisitor<Result<Bytes, Fault>> with
                member _.Visit(_, message, value) = Message.encode version message value }

    /// The request at a version as JSON in Kafka's own form: see `Message.toJson`.
    let toJson (version: int16) (request: Request) : Result<string, Fault> =
        request
        |> visit
            { new IMessageVisitor<Result<string, Fault>> with
                member _.Visit(_, message, value) = Message.toJson version message value }

    let private read (key: ApiKey) (reading: IReading) : Result<Request, Fault> =
        key
        |> Apis.visit
            { new IApiVisitor<Result<Request, Fault>> with
                member _.Visit(api, ofRequest, _) = reading.Read api.Request |> Result.map ofRequest }
        |> Option.defaultWith (fun () -> Error(Reading.unknown key))

    /// The request of an API that the bytes say at a version, without a header: see `Message.decode`. An API that is not known is a fault.
    let decode (limits: Limits) (key: ApiKey) (version: int16) (bytes: Bytes) : Result<Request, Fault> =
        read key (Reading.decoding limits version bytes)

    /// The request of an API that JSON of Kafka's own form says at a version: see `Message.ofJson`. An API that is not known is a fault.
    let ofJson (key: ApiKey) (version: int16) (json: string) : Result<Request, Fault> = read key (Reading.ofJson version json)

[<RequireQualifiedAccess>]
module Response =

    /// Does something with the message in the union.
    let visit (visitor: IMessageVisitor<'Result>) (response: Response) : 'Result =
        let visit (api: Api<'Q, 'A>) value = visitor.Visit(api.Key, api.Response, value)

        match response with
        | Response.Produce value -> visit Produce.api value
        | Response.Fetch value -> visit Fetch.api value
        | Response.ListOffsets value -> visit ListOffsets.api value
        | Response.Metadata value -> visit Metadata.api value
        | Response.OffsetCommit value -> visit OffsetCommit.api value
        | Response.OffsetFetch value -> visit OffsetFetch.api value
        | Response.FindCoordinator value -> visit FindCoordinator.api value
        | Response.JoinGroup value -> visit JoinGroup.api value
        | Response.Heartbeat value -> visit Heartbeat.api value
        | Response.LeaveGroup value -> visit LeaveGroup.api value
        | Response.SyncGroup value -> visit SyncGroup.api value
        | Response.DescribeGroups value -> visit DescribeGroups.api value
        | Response.ListGroups value -> visit ListGroups.api value
        | Response.SaslHandshake value -> visit SaslHandshake.api value
        | Response.ApiVersions value -> visit ApiVersions.api value
        | Response.CreateTopics value -> visit CreateTopics.api value
        | Response.DeleteTopics value -> visit DeleteTopics.api value
        | Response.DeleteRecords value -> visit DeleteRecords.api value
        | Response.InitProducerId value -> visit InitProducerId.api value
        | Response.OffsetForLeaderEpoch value -> visit OffsetForLeaderEpoch.api value
        | Response.AddPartitionsToTxn value -> visit AddPartitionsToTxn.api value
        | Response.AddOffsetsToTxn value -> visit AddOffsetsToTxn.api value
        | Response.EndTxn value -> visit EndTxn.api value
        | Response.WriteTxnMarkers value -> visit WriteTxnMarkers.api value
        | Response.TxnOffsetCommit value -> visit TxnOffsetCommit.api value
        | Response.DescribeAcls value -> visit DescribeAcls.api value
        | Response.CreateAcls value -> visit CreateAcls.api value
        | Response.DeleteAcls value -> visit DeleteAcls.api value
        | Response.DescribeConfigs value -> visit DescribeConfigs.api value
        | Response.AlterConfigs value -> visit AlterConfigs.api value
        | Response.AlterReplicaLogDirs value -> visit AlterReplicaLogDirs.api value
        | Response.DescribeLogDirs value -> visit DescribeLogDirs.api value
        | Response.SaslAuthenticate value -> visit SaslAuthenticate.api value
        | Response.CreatePartitions value -> visit CreatePartitions.api value
        | Response.CreateDelegationToken value -> visit CreateDelegationToken.api value
        | Response.RenewDelegationToken value -> visit RenewDelegationToken.api value
        | Response.ExpireDelegationToken value -> visit ExpireDelegationToken.api value
        | Response.DescribeDelegationToken value -> visit DescribeDelegationToken.api value
        | Response.DeleteGroups value -> visit DeleteGroups.api value
        | Response.ElectLeaders value -> visit ElectLeaders.api value
        | Response.IncrementalAlterConfigs value -> visit IncrementalAlterConfigs.api value
        | Response.AlterPartitionReassignments value -> visit AlterPartitionReassignments.api value
        | Response.ListPartitionReassignments value -> visit ListPartitionReassignments.api value
        | Response.OffsetDelete value -> visit OffsetDelete.api value
        | Response.DescribeClientQuotas value -> visit DescribeClientQuotas.api value
        | Response.AlterClientQuotas value -> visit AlterClientQuotas.api value
        | Response.DescribeUserScramCredentials value -> visit DescribeUserScramCredentials.api value
        | Response.AlterUserScramCredentials value -> visit AlterUserScramCredentials.api value
        | Response.Vote value -> visit Vote.api value
        | Response.BeginQuorumEpoch value -> visit BeginQuorumEpoch.api value
        | Response.EndQuorumEpoch value -> visit EndQuorumEpoch.api value
        | Response.DescribeQuorum value -> visit DescribeQuorum.api value
        | Response.AlterPartition value -> visit AlterPartition.api value
        | Response.UpdateFeatures value -> visit UpdateFeatures.api value
        | Response.Envelope value -> visit Envelope.api value
        | Response.FetchSnapshot value -> visit FetchSnapshot.api value
        | Response.DescribeCluster value -> visit DescribeCluster.api value
        | Response.DescribeProducers value -> visit DescribeProducers.api value
        | Response.BrokerRegistration value -> visit BrokerRegistration.api value
        | Response.BrokerHeartbeat value -> visit BrokerHeartbeat.api value
        | Response.UnregisterBroker value -> visit UnregisterBroker.api value
        | Response.DescribeTransactions value -> visit DescribeTransactions.api value
        | Response.ListTransactions value -> visit ListTransactions.api value
        | Response.AllocateProducerIds value -> visit AllocateProducerIds.api value
        | Response.ConsumerGroupHeartbeat value -> visit ConsumerGroupHeartbeat.api value
        | Response.ConsumerGroupDescribe value -> visit ConsumerGroupDescribe.api value
        | Response.ControllerRegistration value -> visit ControllerRegistration.api value
        | Response.GetTelemetrySubscriptions value -> visit GetTelemetrySubscriptions.api value
        | Response.PushTelemetry value -> visit PushTelemetry.api value
        | Response.AssignReplicasToDirs value -> visit AssignReplicasToDirs.api value
        | Response.ListConfigResources value -> visit ListConfigResources.api value
        | Response.DescribeTopicPartitions value -> visit DescribeTopicPartitions.api value
        | Response.ShareGroupHeartbeat value -> visit ShareGroupHeartbeat.api value
        | Response.ShareGroupDescribe value -> visit ShareGroupDescribe.api value
        | Response.ShareFetch value -> visit ShareFetch.api value
        | Response.ShareAcknowledge value -> visit ShareAcknowledge.api value
        | Response.AddRaftVoter value -> visit AddRaftVoter.api value
        | Response.RemoveRaftVoter value -> visit RemoveRaftVoter.api value
        | Response.UpdateRaftVoter value -> visit UpdateRaftVoter.api value
        | Response.InitializeShareGroupState value -> visit InitializeShareGroupState.api value
        | Response.ReadShareGroupState value -> visit ReadShareGroupState.api value
        | Response.WriteShareGroupState value -> visit WriteShareGroupState.api value
        | Response.DeleteShareGroupState value -> visit DeleteShareGroupState.api value
        | Response.ReadShareGroupStateSummary value -> visit ReadShareGroupStateSummary.api value
        | Response.StreamsGroupHeartbeat value -> visit StreamsGroupHeartbeat.api value
        | Response.StreamsGroupDescribe value -> visit StreamsGroupDescribe.api value
        | Response.DescribeShareGroupOffsets value -> visit DescribeShareGroupOffsets.api value
        | Response.AlterShareGroupOffsets value -> visit AlterShareGroupOffsets.api value
        | Response.DeleteShareGroupOffsets value -> visit DeleteShareGroupOffsets.api value
        | Response.StreamsGroupTopologyDescriptionUpdate value -> visit StreamsGroupTopologyDescriptionUpdate.api value
        | Response.UnregisterController value -> visit UnregisterController.api value

    /// The API that the response belongs to.
    let apiKey (response: Response) : ApiKey =
        response
        |> visit
            { new IMessageVisitor<ApiKey> with
                member _.Visit(key, _, _) = key }

    /// One line for people: see `Message.show`.
    let show (response: Response) : string =
        response
        |> visit
            { new IMessageVisitor<string> with
                member _.Visit(_, message, value) = Message.show message value }

    /// The bytes of the response at a version, without a header: see `Message.encode`.
    let encode (version: int16) (response: Response) : Result<Bytes, Fault> =
        response
        |> visit
            { new IMessageVisitor<Result<Bytes, Fault>> with
                member _.Visit(_, message, value) = Message.encode version message value }

    /// The response at a version as JSON in Kafka's own form: see `Message.toJson`.
    let toJson (version: int16) (response: Response) : Result<string, Fault> =
        response
        |> visit
            { new IMessageVisitor<Result<string, Fault>> with
                member _.Visit(_, message, value) = Message.toJson version message value }

    let private read (key: ApiKey) (reading: IReading) : Result<Response, Fault> =
        key
        |> Apis.visit
            { new IApiVisitor<Result<Response, Fault>> with
                member _.Visit(api, _, ofResponse) = reading.Read api.Response |> Result.map ofResponse }
        |> Option.defaultWith (fun () -> Error(Reading.unknown key))

    /// The response of an API that the bytes say at a version, without a header: see `Message.decode`. An API that is not known is a fault.
    let decode (limits: Limits) (key: ApiKey) (version: int16) (bytes: Bytes) : Result<Response, Fault> =
        read key (Reading.decoding limits version bytes)

    /// The response of an API that JSON of Kafka's own form says at a version: see `Message.ofJson`. An API that is not known is a fault.
    let ofJson (key: ApiKey) (version: int16) (json: string) : Result<Response, Fault> = read key (Reading.ofJson version json)
