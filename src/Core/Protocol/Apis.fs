namespace LibKafka.Protocol

/// An action on an API of any type.
type IApiVisitor<'Result> =
    abstract Visit: api: Api<'Request, 'Response> * ('Request -> Request) * ('Response -> Response) -> 'Result

/// An API whose type is hidden.
[<AbstractClass>]
type private AnyApi() =
    abstract Visit: IApiVisitor<'Result> -> 'Result

/// The table of all APIs that this library knows.
[<RequireQualifiedAccess>]
module Apis =

    // The API is a function, so that a definition is made only when its API is used.
    let private row (api: unit -> Api<'Request, 'Response>) ofRequest ofResponse : AnyApi voption =
        ValueSome
            { new AnyApi() with
                member _.Visit visitor = visitor.Visit(api (), ofRequest, ofResponse) }

    // Three functions and not a list: a program uses few APIs, and the JIT compiler must not compile the rows of all of them.

    let private upTo34 (code: int16) : AnyApi voption =
        match code with
        | 0s -> row (fun () -> Produce.api) Request.Produce Response.Produce
        | 1s -> row (fun () -> Fetch.api) Request.Fetch Response.Fetch
        | 2s -> row (fun () -> ListOffsets.api) Request.ListOffsets Response.ListOffsets
        | 3s -> row (fun () -> Metadata.api) Request.Metadata Response.Metadata
        | 8s -> row (fun () -> OffsetCommit.api) Request.OffsetCommit Response.OffsetCommit
        | 9s -> row (fun () -> OffsetFetch.api) Request.OffsetFetch Response.OffsetFetch
        | 10s -> row (fun () -> FindCoordinator.api) Request.FindCoordinator Response.FindCoordinator
        | 11s -> row (fun () -> JoinGroup.api) Request.JoinGroup Response.JoinGroup
        | 12s -> row (fun () -> Heartbeat.api) Request.Heartbeat Response.Heartbeat
        | 13s -> row (fun () -> LeaveGroup.api) Request.LeaveGroup Response.LeaveGroup
        | 14s -> row (fun () -> SyncGroup.api) Request.SyncGroup Response.SyncGroup
        | 15s -> row (fun () -> DescribeGroups.api) Request.DescribeGroups Response.DescribeGroups
        | 16s -> row (fun () -> ListGroups.api) Request.ListGroups Response.ListGroups
        | 17s -> row (fun () -> SaslHandshake.api) Request.SaslHandshake Response.SaslHandshake
        | 18s -> row (fun () -> ApiVersions.api) Request.ApiVersions Response.ApiVersions
        | 19s -> row (fun () -> CreateTopics.api) Request.CreateTopics Response.CreateTopics
        | 20s -> row (fun () -> DeleteTopics.api) Request.DeleteTopics Response.DeleteTopics
        | 21s -> row (fun () -> DeleteRecords.api) Request.DeleteRecords Response.DeleteRecords
        | 22s -> row (fun () -> InitProducerId.api) Request.InitProducerId Response.InitProducerId
        | 23s -> row (fun () -> OffsetForLeaderEpoch.api) Request.OffsetForLeaderEpoch Response.OffsetForLeaderEpoch
        | 24s -> row (fun () -> AddPartitionsToTxn.api) Request.AddPartitionsToTxn Response.AddPartitionsToTxn
        | 25s -> row (fun () -> AddOffsetsToTxn.api) Request.AddOffsetsToTxn Response.AddOffsetsToTxn
        | 26s -> row (fun () -> EndTxn.api) Request.EndTxn Response.EndTxn
        | 27s -> row (fun () -> WriteTxnMarkers.api) Request.WriteTxnMarkers Response.WriteTxnMarkers
        | 28s -> row (fun () -> TxnOffsetCommit.api) Request.TxnOffsetCommit Response.TxnOffsetCommit
        | 29s -> row (fun () -> DescribeAcls.api) Request.DescribeAcls Response.DescribeAcls
        | 30s -> row (fun () -> CreateAcls.api) Request.CreateAcls Response.CreateAcls
        | 31s -> row (fun () -> DeleteAcls.api) Request.DeleteAcls Response.DeleteAcls
        | 32s -> row (fun () -> DescribeConfigs.api) Request.DescribeConfigs Response.DescribeConfigs
        | 33s -> row (fun () -> AlterConfigs.api) Request.AlterConfigs Response.AlterConfigs
        | 34s -> row (fun () -> AlterReplicaLogDirs.api) Request.AlterReplicaLogDirs Response.AlterReplicaLogDirs
        | _ -> ValueNone

    let private upTo64 (code: int16) : AnyApi voption =
        match code with
        | 35s -> row (fun () -> DescribeLogDirs.api) Request.DescribeLogDirs Response.DescribeLogDirs
        | 36s -> row (fun () -> SaslAuthenticate.api) Request.SaslAuthenticate Response.SaslAuthenticate
        | 37s -> row (fun () -> CreatePartitions.api) Request.CreatePartitions Response.CreatePartitions
        | 38s -> row (fun () -> CreateDelegationToken.api) Request.CreateDelegationToken Response.CreateDelegationToken
        | 39s -> row (fun () -> RenewDelegationToken.api) Request.RenewDelegationToken Response.RenewDelegationToken
        | 40s -> row (fun () -> ExpireDelegationToken.api) Request.ExpireDelegationToken Response.ExpireDelegationToken
        | 41s -> row (fun () -> DescribeDelegationToken.api) Request.DescribeDelegationToken Response.DescribeDelegationToken
        | 42s -> row (fun () -> DeleteGroups.api) Request.DeleteGroups Response.DeleteGroups
        | 43s -> row (fun () -> ElectLeaders.api) Request.ElectLeaders Response.ElectLeaders
        | 44s -> row (fun () -> IncrementalAlterConfigs.api) Request.IncrementalAlterConfigs Response.IncrementalAlterConfigs
        | 45s -> row (fun () -> AlterPartitionReassignments.api) Request.AlterPartitionReassignments Response.AlterPartitionReassignments
        | 46s -> row (fun () -> ListPartitionReassignments.api) Request.ListPartitionReassignments Response.ListPartitionReassignments
        | 47s -> row (fun () -> OffsetDelete.api) Request.OffsetDelete Response.OffsetDelete
        | 48s -> row (fun () -> DescribeClientQuotas.api) Request.DescribeClientQuotas Response.DescribeClientQuotas
        | 49s -> row (fun () -> AlterClientQuotas.api) Request.AlterClientQuotas Response.AlterClientQuotas
        | 50s -> row (fun () -> DescribeUserScramCredentials.api) Request.DescribeUserScramCredentials Response.DescribeUserScramCredentials
        | 51s -> row (fun () -> AlterUserScramCredentials.api) Request.AlterUserScramCredentials Response.AlterUserScramCredentials
        | 52s -> row (fun () -> Vote.api) Request.Vote Response.Vote
        | 53s -> row (fun () -> BeginQuorumEpoch.api) Request.BeginQuorumEpoch Response.BeginQuorumEpoch
        | 54s -> row (fun () -> EndQuorumEpoch.api) Request.EndQuorumEpoch Response.EndQuorumEpoch
        | 55s -> row (fun () -> DescribeQuorum.api) Request.DescribeQuorum Response.DescribeQuorum
        | 56s -> row (fun () -> AlterPartition.api) Request.AlterPartition Response.AlterPartition
        | 57s -> row (fun () -> UpdateFeatures.api) Request.UpdateFeatures Response.UpdateFeatures
        | 58s -> row (fun () -> Envelope.api) Request.Envelope Response.Envelope
        | 59s -> row (fun () -> FetchSnapshot.api) Request.FetchSnapshot Response.FetchSnapshot
        | 60s -> row (fun () -> DescribeCluster.api) Request.DescribeCluster Response.DescribeCluster
        | 61s -> row (fun () -> DescribeProducers.api) Request.DescribeProducers Response.DescribeProducers
        | 62s -> row (fun () -> BrokerRegistration.api) Request.BrokerRegistration Response.BrokerRegistration
        | 63s -> row (fun () -> BrokerHeartbeat.api) Request.BrokerHeartbeat Response.BrokerHeartbeat
        | 64s -> row (fun () -> UnregisterBroker.api) Request.UnregisterBroker Response.UnregisterBroker
        | _ -> ValueNone

    let private others (code: int16) : AnyApi voption =
        match code with
        | 65s -> row (fun () -> DescribeTransactions.api) Request.DescribeTransactions Response.DescribeTransactions
        | 66s -> row (fun () -> ListTransactions.api) Request.ListTransactions Response.ListTransactions
        | 67s -> row (fun () -> AllocateProducerIds.api) Request.AllocateProducerIds Response.AllocateProducerIds
        | 68s -> row (fun () -> ConsumerGroupHeartbeat.api) Request.ConsumerGroupHeartbeat Response.ConsumerGroupHeartbeat
        | 69s -> row (fun () -> ConsumerGroupDescribe.api) Request.ConsumerGroupDescribe Response.ConsumerGroupDescribe
        | 70s -> row (fun () -> ControllerRegistration.api) Request.ControllerRegistration Response.ControllerRegistration
        | 71s -> row (fun () -> GetTelemetrySubscriptions.api) Request.GetTelemetrySubscriptions Response.GetTelemetrySubscriptions
        | 72s -> row (fun () -> PushTelemetry.api) Request.PushTelemetry Response.PushTelemetry
        | 73s -> row (fun () -> AssignReplicasToDirs.api) Request.AssignReplicasToDirs Response.AssignReplicasToDirs
        | 74s -> row (fun () -> ListConfigResources.api) Request.ListConfigResources Response.ListConfigResources
        | 75s -> row (fun () -> DescribeTopicPartitions.api) Request.DescribeTopicPartitions Response.DescribeTopicPartitions
        | 76s -> row (fun () -> ShareGroupHeartbeat.api) Request.ShareGroupHeartbeat Response.ShareGroupHeartbeat
        | 77s -> row (fun () -> ShareGroupDescribe.api) Request.ShareGroupDescribe Response.ShareGroupDescribe
        | 78s -> row (fun () -> ShareFetch.api) Request.ShareFetch Response.ShareFetch
        | 79s -> row (fun () -> ShareAcknowledge.api) Request.ShareAcknowledge Response.ShareAcknowledge
        | 80s -> row (fun () -> AddRaftVoter.api) Request.AddRaftVoter Response.AddRaftVoter
        | 81s -> row (fun () -> RemoveRaftVoter.api) Request.RemoveRaftVoter Response.RemoveRaftVoter
        | 82s -> row (fun () -> UpdateRaftVoter.api) Request.UpdateRaftVoter Response.UpdateRaftVoter
        | 83s -> row (fun () -> InitializeShareGroupState.api) Request.InitializeShareGroupState Response.InitializeShareGroupState
        | 84s -> row (fun () -> ReadShareGroupState.api) Request.ReadShareGroupState Response.ReadShareGroupState
        | 85s -> row (fun () -> WriteShareGroupState.api) Request.WriteShareGroupState Response.WriteShareGroupState
        | 86s -> row (fun () -> DeleteShareGroupState.api) Request.DeleteShareGroupState Response.DeleteShareGroupState
        | 87s -> row (fun () -> ReadShareGroupStateSummary.api) Request.ReadShareGroupStateSummary Response.ReadShareGroupStateSummary
        | 88s -> row (fun () -> StreamsGroupHeartbeat.api) Request.StreamsGroupHeartbeat Response.StreamsGroupHeartbeat
        | 89s -> row (fun () -> StreamsGroupDescribe.api) Request.StreamsGroupDescribe Response.StreamsGroupDescribe
        | 90s -> row (fun () -> DescribeShareGroupOffsets.api) Request.DescribeShareGroupOffsets Response.DescribeShareGroupOffsets
        | 91s -> row (fun () -> AlterShareGroupOffsets.api) Request.AlterShareGroupOffsets Response.AlterShareGroupOffsets
        | 92s -> row (fun () -> DeleteShareGroupOffsets.api) Request.DeleteShareGroupOffsets Response.DeleteShareGroupOffsets
        | 93s ->
            row
                (fun () -> StreamsGroupTopologyDescriptionUpdate.api)
                Request.StreamsGroupTopologyDescriptionUpdate
                Response.StreamsGroupTopologyDescriptionUpdate
        | 94s -> row (fun () -> UnregisterController.api) Request.UnregisterController Response.UnregisterController
        | _ -> ValueNone

    let private find (code: int16) : AnyApi voption =
        if code < 35s then upTo34 code
        elif code < 65s then upTo64 code
        else others code

    /// The keys of all APIs, in ascending order.
    let keys: ApiKey list =
        [ for code in 0s .. ApiKey.UnregisterController.Code do
              if (find code).IsSome then ApiKey code ]

    /// Runs an action on the API with this key. The result is none if the key is not known. The definitions of other APIs are not touched.
    let visit (visitor: IApiVisitor<'Result>) (key: ApiKey) : 'Result option =
        match find key.Code with
        | ValueSome api -> Some(api.Visit visitor)
        | ValueNone -> None
