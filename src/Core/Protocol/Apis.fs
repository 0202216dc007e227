namespace LibKafka.Protocol

/// An action on an API of any type.
type IApiVisitor<'Result> =
    abstract Visit: api: Api<'Request, 'Response> * ('Request -> Request) * ('Response -> Response) -> 'Result

/// An API whose type is hidden.
[<AbstractClass>]
type private AnyApi(key: ApiKey) =
    member _.Key = key
    abstract Visit: IApiVisitor<'Result> -> 'Result

/// The table of all APIs that this library knows.
[<RequireQualifiedAccess>]
module Apis =

    // The API is a function, so that a definition is made only when its API is used.
    let private row key (api: unit -> Api<'Request, 'Response>) ofRequest ofResponse =
        { new AnyApi(key) with
            member _.Visit visitor = visitor.Visit(api (), ofRequest, ofResponse) }

    let private table =
        [ row ApiKey.Produce (fun () -> Produce.api) Request.Produce Response.Produce
          row ApiKey.Fetch (fun () -> Fetch.api) Request.Fetch Response.Fetch
          row ApiKey.ListOffsets (fun () -> ListOffsets.api) Request.ListOffsets Response.ListOffsets
          row ApiKey.Metadata (fun () -> Metadata.api) Request.Metadata Response.Metadata
          row ApiKey.OffsetCommit (fun () -> OffsetCommit.api) Request.OffsetCommit Response.OffsetCommit
          row ApiKey.OffsetFetch (fun () -> OffsetFetch.api) Request.OffsetFetch Response.OffsetFetch
          row ApiKey.FindCoordinator (fun () -> FindCoordinator.api) Request.FindCoordinator Response.FindCoordinator
          row ApiKey.JoinGroup (fun () -> JoinGroup.api) Request.JoinGroup Response.JoinGroup
          row ApiKey.Heartbeat (fun () -> Heartbeat.api) Request.Heartbeat Response.Heartbeat
          row ApiKey.LeaveGroup (fun () -> LeaveGroup.api) Request.LeaveGroup Response.LeaveGroup
          row ApiKey.SyncGroup (fun () -> SyncGroup.api) Request.SyncGroup Response.SyncGroup
          row ApiKey.DescribeGroups (fun () -> DescribeGroups.api) Request.DescribeGroups Response.DescribeGroups
          row ApiKey.ListGroups (fun () -> ListGroups.api) Request.ListGroups Response.ListGroups
          row ApiKey.SaslHandshake (fun () -> SaslHandshake.api) Request.SaslHandshake Response.SaslHandshake
          row ApiKey.ApiVersions (fun () -> ApiVersions.api) Request.ApiVersions Response.ApiVersions
          row ApiKey.CreateTopics (fun () -> CreateTopics.api) Request.CreateTopics Response.CreateTopics
          row ApiKey.DeleteTopics (fun () -> DeleteTopics.api) Request.DeleteTopics Response.DeleteTopics
          row ApiKey.DeleteRecords (fun () -> DeleteRecords.api) Request.DeleteRecords Response.DeleteRecords
          row ApiKey.InitProducerId (fun () -> InitProducerId.api) Request.InitProducerId Response.InitProducerId
          row ApiKey.OffsetForLeaderEpoch (fun () -> OffsetForLeaderEpoch.api) Request.OffsetForLeaderEpoch Response.OffsetForLeaderEpoch
          row ApiKey.AddPartitionsToTxn (fun () -> AddPartitionsToTxn.api) Request.AddPartitionsToTxn Response.AddPartitionsToTxn
          row ApiKey.AddOffsetsToTxn (fun () -> AddOffsetsToTxn.api) Request.AddOffsetsToTxn Response.AddOffsetsToTxn
          row ApiKey.EndTxn (fun () -> EndTxn.api) Request.EndTxn Response.EndTxn
          row ApiKey.WriteTxnMarkers (fun () -> WriteTxnMarkers.api) Request.WriteTxnMarkers Response.WriteTxnMarkers
          row ApiKey.TxnOffsetCommit (fun () -> TxnOffsetCommit.api) Request.TxnOffsetCommit Response.TxnOffsetCommit
          row ApiKey.DescribeAcls (fun () -> DescribeAcls.api) Request.DescribeAcls Response.DescribeAcls
          row ApiKey.CreateAcls (fun () -> CreateAcls.api) Request.CreateAcls Response.CreateAcls
          row ApiKey.DeleteAcls (fun () -> DeleteAcls.api) Request.DeleteAcls Response.DeleteAcls
          row ApiKey.DescribeConfigs (fun () -> DescribeConfigs.api) Request.DescribeConfigs Response.DescribeConfigs
          row ApiKey.AlterConfigs (fun () -> AlterConfigs.api) Request.AlterConfigs Response.AlterConfigs
          row ApiKey.AlterReplicaLogDirs (fun () -> AlterReplicaLogDirs.api) Request.AlterReplicaLogDirs Response.AlterReplicaLogDirs
          row ApiKey.DescribeLogDirs (fun () -> DescribeLogDirs.api) Request.DescribeLogDirs Response.DescribeLogDirs
          row ApiKey.SaslAuthenticate (fun () -> SaslAuthenticate.api) Request.SaslAuthenticate Response.SaslAuthenticate
          row ApiKey.CreatePartitions (fun () -> CreatePartitions.api) Request.CreatePartitions Response.CreatePartitions
          row
              ApiKey.CreateDelegationToken
              (fun () -> CreateDelegationToken.api)
              Request.CreateDelegationToken
              Response.CreateDelegationToken
          row ApiKey.RenewDelegationToken (fun () -> RenewDelegationToken.api) Request.RenewDelegationToken Response.RenewDelegationToken
          row
              ApiKey.ExpireDelegationToken
              (fun () -> ExpireDelegationToken.api)
              Request.ExpireDelegationToken
              Response.ExpireDelegationToken
          row
              ApiKey.DescribeDelegationToken
              (fun () -> DescribeDelegationToken.api)
              Request.DescribeDelegationToken
              Response.DescribeDelegationToken
          row ApiKey.DeleteGroups (fun () -> DeleteGroups.api) Request.DeleteGroups Response.DeleteGroups
          row ApiKey.ElectLeaders (fun () -> ElectLeaders.api) Request.ElectLeaders Response.ElectLeaders
          row
              ApiKey.IncrementalAlterConfigs
              (fun () -> IncrementalAlterConfigs.api)
              Request.IncrementalAlterConfigs
              Response.IncrementalAlterConfigs
          row
              ApiKey.AlterPartitionReassignments
              (fun () -> AlterPartitionReassignments.api)
              Request.AlterPartitionReassignments
              Response.AlterPartitionReassignments
          row
              ApiKey.ListPartitionReassignments
              (fun () -> ListPartitionReassignments.api)
              Request.ListPartitionReassignments
              Response.ListPartitionReassignments
          row ApiKey.OffsetDelete (fun () -> OffsetDelete.api) Request.OffsetDelete Response.OffsetDelete
          row ApiKey.DescribeClientQuotas (fun () -> DescribeClientQuotas.api) Request.DescribeClientQuotas Response.DescribeClientQuotas
          row ApiKey.AlterClientQuotas (fun () -> AlterClientQuotas.api) Request.AlterClientQuotas Response.AlterClientQuotas
          row
              ApiKey.DescribeUserScramCredentials
              (fun () -> DescribeUserScramCredentials.api)
              Request.DescribeUserScramCredentials
              Response.DescribeUserScramCredentials
          row
              ApiKey.AlterUserScramCredentials
              (fun () -> AlterUserScramCredentials.api)
              Request.AlterUserScramCredentials
              Response.AlterUserScramCredentials
          row ApiKey.Vote (fun () -> Vote.api) Request.Vote Response.Vote
          row ApiKey.BeginQuorumEpoch (fun () -> BeginQuorumEpoch.api) Request.BeginQuorumEpoch Response.BeginQuorumEpoch
          row ApiKey.EndQuorumEpoch (fun () -> EndQuorumEpoch.api) Request.EndQuorumEpoch Response.EndQuorumEpoch
          row ApiKey.DescribeQuorum (fun () -> DescribeQuorum.api) Request.DescribeQuorum Response.DescribeQuorum
          row ApiKey.AlterPartition (fun () -> AlterPartition.api) Request.AlterPartition Response.AlterPartition
          row ApiKey.UpdateFeatures (fun () -> UpdateFeatures.api) Request.UpdateFeatures Response.UpdateFeatures
          row ApiKey.Envelope (fun () -> Envelope.api) Request.Envelope Response.Envelope
          row ApiKey.FetchSnapshot (fun () -> FetchSnapshot.api) Request.FetchSnapshot Response.FetchSnapshot
          row ApiKey.DescribeCluster (fun () -> DescribeCluster.api) Request.DescribeCluster Response.DescribeCluster
          row ApiKey.DescribeProducers (fun () -> DescribeProducers.api) Request.DescribeProducers Response.DescribeProducers
          row ApiKey.BrokerRegistration (fun () -> BrokerRegistration.api) Request.BrokerRegistration Response.BrokerRegistration
          row ApiKey.BrokerHeartbeat (fun () -> BrokerHeartbeat.api) Request.BrokerHeartbeat Response.BrokerHeartbeat
          row ApiKey.UnregisterBroker (fun () -> UnregisterBroker.api) Request.UnregisterBroker Response.UnregisterBroker
          row ApiKey.DescribeTransactions (fun () -> DescribeTransactions.api) Request.DescribeTransactions Response.DescribeTransactions
          row ApiKey.ListTransactions (fun () -> ListTransactions.api) Request.ListTransactions Response.ListTransactions
          row ApiKey.AllocateProducerIds (fun () -> AllocateProducerIds.api) Request.AllocateProducerIds Response.AllocateProducerIds
          row
              ApiKey.ConsumerGroupHeartbeat
              (fun () -> ConsumerGroupHeartbeat.api)
              Request.ConsumerGroupHeartbeat
              Response.ConsumerGroupHeartbeat
          row
              ApiKey.ConsumerGroupDescribe
              (fun () -> ConsumerGroupDescribe.api)
              Request.ConsumerGroupDescribe
              Response.ConsumerGroupDescribe
          row
              ApiKey.ControllerRegistration
              (fun () -> ControllerRegistration.api)
              Request.ControllerRegistration
              Response.ControllerRegistration
          row
              ApiKey.GetTelemetrySubscriptions
              (fun () -> GetTelemetrySubscriptions.api)
              Request.GetTelemetrySubscriptions
              Response.GetTelemetrySubscriptions
          row ApiKey.PushTelemetry (fun () -> PushTelemetry.api) Request.PushTelemetry Response.PushTelemetry
          row ApiKey.AssignReplicasToDirs (fun () -> AssignReplicasToDirs.api) Request.AssignReplicasToDirs Response.AssignReplicasToDirs
          row ApiKey.ListConfigResources (fun () -> ListConfigResources.api) Request.ListConfigResources Response.ListConfigResources
          row
              ApiKey.DescribeTopicPartitions
              (fun () -> DescribeTopicPartitions.api)
              Request.DescribeTopicPartitions
              Response.DescribeTopicPartitions
          row ApiKey.ShareGroupHeartbeat (fun () -> ShareGroupHeartbeat.api) Request.ShareGroupHeartbeat Response.ShareGroupHeartbeat
          row ApiKey.ShareGroupDescribe (fun () -> ShareGroupDescribe.api) Request.ShareGroupDescribe Response.ShareGroupDescribe
          row ApiKey.ShareFetch (fun () -> ShareFetch.api) Request.ShareFetch Response.ShareFetch
          row ApiKey.ShareAcknowledge (fun () -> ShareAcknowledge.api) Request.ShareAcknowledge Response.ShareAcknowledge
          row ApiKey.AddRaftVoter (fun () -> AddRaftVoter.api) Request.AddRaftVoter Response.AddRaftVoter
          row ApiKey.RemoveRaftVoter (fun () -> RemoveRaftVoter.api) Request.RemoveRaftVoter Response.RemoveRaftVoter
          row ApiKey.UpdateRaftVoter (fun () -> UpdateRaftVoter.api) Request.UpdateRaftVoter Response.UpdateRaftVoter
          row
              ApiKey.InitializeShareGroupState
              (fun () -> InitializeShareGroupState.api)
              Request.InitializeShareGroupState
              Response.InitializeShareGroupState
          row ApiKey.ReadShareGroupState (fun () -> ReadShareGroupState.api) Request.ReadShareGroupState Response.ReadShareGroupState
          row ApiKey.WriteShareGroupState (fun () -> WriteShareGroupState.api) Request.WriteShareGroupState Response.WriteShareGroupState
          row
              ApiKey.DeleteShareGroupState
              (fun () -> DeleteShareGroupState.api)
              Request.DeleteShareGroupState
              Response.DeleteShareGroupState
          row
              ApiKey.ReadShareGroupStateSummary
              (fun () -> ReadShareGroupStateSummary.api)
              Request.ReadShareGroupStateSummary
              Response.ReadShareGroupStateSummary
          row
              ApiKey.StreamsGroupHeartbeat
              (fun () -> StreamsGroupHeartbeat.api)
              Request.StreamsGroupHeartbeat
              Response.StreamsGroupHeartbeat
          row ApiKey.StreamsGroupDescribe (fun () -> StreamsGroupDescribe.api) Request.StreamsGroupDescribe Response.StreamsGroupDescribe
          row
              ApiKey.DescribeShareGroupOffsets
              (fun () -> DescribeShareGroupOffsets.api)
              Request.DescribeShareGroupOffsets
              Response.DescribeShareGroupOffsets
          row
              ApiKey.AlterShareGroupOffsets
              (fun () -> AlterShareGroupOffsets.api)
              Request.AlterShareGroupOffsets
              Response.AlterShareGroupOffsets
          row
              ApiKey.DeleteShareGroupOffsets
              (fun () -> DeleteShareGroupOffsets.api)
              Request.DeleteShareGroupOffsets
              Response.DeleteShareGroupOffsets
          row
              ApiKey.StreamsGroupTopologyDescriptionUpdate
              (fun () -> StreamsGroupTopologyDescriptionUpdate.api)
              Request.StreamsGroupTopologyDescriptionUpdate
              Response.StreamsGroupTopologyDescriptionUpdate
          row ApiKey.UnregisterController (fun () -> UnregisterController.api) Request.UnregisterController Response.UnregisterController ]

    let private byCode = table |> List.map (fun api -> api.Key.Code, api) |> dict

    /// The keys of all APIs, in ascending order.
    let keys: ApiKey list = table |> List.map _.Key

    /// Runs an action on the API with this key. The result is none if the key is not known. The definitions of other APIs are not touched.
    let visit (visitor: IApiVisitor<'Result>) (key: ApiKey) : 'Result option =
        match byCode.TryGetValue key.Code with
        | true, api -> Some(api.Visit visitor)
        | _ -> None
