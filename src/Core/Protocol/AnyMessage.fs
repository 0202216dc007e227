namespace LibKafka.Protocol

open LibKafka.Wire

/// An action on a message of any type.
type IMessageVisitor<'Result> =
    abstract Visit: key: ApiKey * message: Message<'T> * value: 'T -> 'Result

[<RequireQualifiedAccess>]
module private Visitors =

    let key =
        { new IMessageVisitor<ApiKey> with
            member _.Visit(key, _, _) = key }

    let show =
        { new IMessageVisitor<string> with
            member _.Visit(_, message, value) = Message.show message value }

    let encode version =
        { new IMessageVisitor<Result<Bytes, Fault>> with
            member _.Visit(_, message, value) = Message.encode version message value }

    let toJson version =
        { new IMessageVisitor<Result<string, Fault>> with
            member _.Visit(_, message, value) = Message.toJson version message value }

/// A way to read a message of any type.
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

/// An action on a request and its API, of any type.
type private IRequestVisitor<'Result> =
    abstract Visit: api: Api<'Request, 'Response> * request: 'Request -> 'Result

/// An action on a response and its API, of any type.
type private IResponseVisitor<'Result> =
    abstract Visit: api: Api<'Request, 'Response> * response: 'Response -> 'Result

/// What can be done with a request of any API.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Request =

    // A table with a row for each API.
    let private withApi (visitor: IRequestVisitor<'Result>) (request: Request) : 'Result =
        match request with
        | Request.Produce value -> visitor.Visit(Produce.api, value)
        | Request.Fetch value -> visitor.Visit(Fetch.api, value)
        | Request.ListOffsets value -> visitor.Visit(ListOffsets.api, value)
        | Request.Metadata value -> visitor.Visit(Metadata.api, value)
        | Request.OffsetCommit value -> visitor.Visit(OffsetCommit.api, value)
        | Request.OffsetFetch value -> visitor.Visit(OffsetFetch.api, value)
        | Request.FindCoordinator value -> visitor.Visit(FindCoordinator.api, value)
        | Request.JoinGroup value -> visitor.Visit(JoinGroup.api, value)
        | Request.Heartbeat value -> visitor.Visit(Heartbeat.api, value)
        | Request.LeaveGroup value -> visitor.Visit(LeaveGroup.api, value)
        | Request.SyncGroup value -> visitor.Visit(SyncGroup.api, value)
        | Request.DescribeGroups value -> visitor.Visit(DescribeGroups.api, value)
        | Request.ListGroups value -> visitor.Visit(ListGroups.api, value)
        | Request.SaslHandshake value -> visitor.Visit(SaslHandshake.api, value)
        | Request.ApiVersions value -> visitor.Visit(ApiVersions.api, value)
        | Request.CreateTopics value -> visitor.Visit(CreateTopics.api, value)
        | Request.DeleteTopics value -> visitor.Visit(DeleteTopics.api, value)
        | Request.DeleteRecords value -> visitor.Visit(DeleteRecords.api, value)
        | Request.InitProducerId value -> visitor.Visit(InitProducerId.api, value)
        | Request.OffsetForLeaderEpoch value -> visitor.Visit(OffsetForLeaderEpoch.api, value)
        | Request.AddPartitionsToTxn value -> visitor.Visit(AddPartitionsToTxn.api, value)
        | Request.AddOffsetsToTxn value -> visitor.Visit(AddOffsetsToTxn.api, value)
        | Request.EndTxn value -> visitor.Visit(EndTxn.api, value)
        | Request.WriteTxnMarkers value -> visitor.Visit(WriteTxnMarkers.api, value)
        | Request.TxnOffsetCommit value -> visitor.Visit(TxnOffsetCommit.api, value)
        | Request.DescribeAcls value -> visitor.Visit(DescribeAcls.api, value)
        | Request.CreateAcls value -> visitor.Visit(CreateAcls.api, value)
        | Request.DeleteAcls value -> visitor.Visit(DeleteAcls.api, value)
        | Request.DescribeConfigs value -> visitor.Visit(DescribeConfigs.api, value)
        | Request.AlterConfigs value -> visitor.Visit(AlterConfigs.api, value)
        | Request.AlterReplicaLogDirs value -> visitor.Visit(AlterReplicaLogDirs.api, value)
        | Request.DescribeLogDirs value -> visitor.Visit(DescribeLogDirs.api, value)
        | Request.SaslAuthenticate value -> visitor.Visit(SaslAuthenticate.api, value)
        | Request.CreatePartitions value -> visitor.Visit(CreatePartitions.api, value)
        | Request.CreateDelegationToken value -> visitor.Visit(CreateDelegationToken.api, value)
        | Request.RenewDelegationToken value -> visitor.Visit(RenewDelegationToken.api, value)
        | Request.ExpireDelegationToken value -> visitor.Visit(ExpireDelegationToken.api, value)
        | Request.DescribeDelegationToken value -> visitor.Visit(DescribeDelegationToken.api, value)
        | Request.DeleteGroups value -> visitor.Visit(DeleteGroups.api, value)
        | Request.ElectLeaders value -> visitor.Visit(ElectLeaders.api, value)
        | Request.IncrementalAlterConfigs value -> visitor.Visit(IncrementalAlterConfigs.api, value)
        | Request.AlterPartitionReassignments value -> visitor.Visit(AlterPartitionReassignments.api, value)
        | Request.ListPartitionReassignments value -> visitor.Visit(ListPartitionReassignments.api, value)
        | Request.OffsetDelete value -> visitor.Visit(OffsetDelete.api, value)
        | Request.DescribeClientQuotas value -> visitor.Visit(DescribeClientQuotas.api, value)
        | Request.AlterClientQuotas value -> visitor.Visit(AlterClientQuotas.api, value)
        | Request.DescribeUserScramCredentials value -> visitor.Visit(DescribeUserScramCredentials.api, value)
        | Request.AlterUserScramCredentials value -> visitor.Visit(AlterUserScramCredentials.api, value)
        | Request.Vote value -> visitor.Visit(Vote.api, value)
        | Request.BeginQuorumEpoch value -> visitor.Visit(BeginQuorumEpoch.api, value)
        | Request.EndQuorumEpoch value -> visitor.Visit(EndQuorumEpoch.api, value)
        | Request.DescribeQuorum value -> visitor.Visit(DescribeQuorum.api, value)
        | Request.AlterPartition value -> visitor.Visit(AlterPartition.api, value)
        | Request.UpdateFeatures value -> visitor.Visit(UpdateFeatures.api, value)
        | Request.Envelope value -> visitor.Visit(Envelope.api, value)
        | Request.FetchSnapshot value -> visitor.Visit(FetchSnapshot.api, value)
        | Request.DescribeCluster value -> visitor.Visit(DescribeCluster.api, value)
        | Request.DescribeProducers value -> visitor.Visit(DescribeProducers.api, value)
        | Request.BrokerRegistration value -> visitor.Visit(BrokerRegistration.api, value)
        | Request.BrokerHeartbeat value -> visitor.Visit(BrokerHeartbeat.api, value)
        | Request.UnregisterBroker value -> visitor.Visit(UnregisterBroker.api, value)
        | Request.DescribeTransactions value -> visitor.Visit(DescribeTransactions.api, value)
        | Request.ListTransactions value -> visitor.Visit(ListTransactions.api, value)
        | Request.AllocateProducerIds value -> visitor.Visit(AllocateProducerIds.api, value)
        | Request.ConsumerGroupHeartbeat value -> visitor.Visit(ConsumerGroupHeartbeat.api, value)
        | Request.ConsumerGroupDescribe value -> visitor.Visit(ConsumerGroupDescribe.api, value)
        | Request.ControllerRegistration value -> visitor.Visit(ControllerRegistration.api, value)
        | Request.GetTelemetrySubscriptions value -> visitor.Visit(GetTelemetrySubscriptions.api, value)
        | Request.PushTelemetry value -> visitor.Visit(PushTelemetry.api, value)
        | Request.AssignReplicasToDirs value -> visitor.Visit(AssignReplicasToDirs.api, value)
        | Request.ListConfigResources value -> visitor.Visit(ListConfigResources.api, value)
        | Request.DescribeTopicPartitions value -> visitor.Visit(DescribeTopicPartitions.api, value)
        | Request.ShareGroupHeartbeat value -> visitor.Visit(ShareGroupHeartbeat.api, value)
        | Request.ShareGroupDescribe value -> visitor.Visit(ShareGroupDescribe.api, value)
        | Request.ShareFetch value -> visitor.Visit(ShareFetch.api, value)
        | Request.ShareAcknowledge value -> visitor.Visit(ShareAcknowledge.api, value)
        | Request.AddRaftVoter value -> visitor.Visit(AddRaftVoter.api, value)
        | Request.RemoveRaftVoter value -> visitor.Visit(RemoveRaftVoter.api, value)
        | Request.UpdateRaftVoter value -> visitor.Visit(UpdateRaftVoter.api, value)
        | Request.InitializeShareGroupState value -> visitor.Visit(InitializeShareGroupState.api, value)
        | Request.ReadShareGroupState value -> visitor.Visit(ReadShareGroupState.api, value)
        | Request.WriteShareGroupState value -> visitor.Visit(WriteShareGroupState.api, value)
        | Request.DeleteShareGroupState value -> visitor.Visit(DeleteShareGroupState.api, value)
        | Request.ReadShareGroupStateSummary value -> visitor.Visit(ReadShareGroupStateSummary.api, value)
        | Request.StreamsGroupHeartbeat value -> visitor.Visit(StreamsGroupHeartbeat.api, value)
        | Request.StreamsGroupDescribe value -> visitor.Visit(StreamsGroupDescribe.api, value)
        | Request.DescribeShareGroupOffsets value -> visitor.Visit(DescribeShareGroupOffsets.api, value)
        | Request.AlterShareGroupOffsets value -> visitor.Visit(AlterShareGroupOffsets.api, value)
        | Request.DeleteShareGroupOffsets value -> visitor.Visit(DeleteShareGroupOffsets.api, value)
        | Request.StreamsGroupTopologyDescriptionUpdate value -> visitor.Visit(StreamsGroupTopologyDescriptionUpdate.api, value)
        | Request.UnregisterController value -> visitor.Visit(UnregisterController.api, value)

    /// Runs an action on the message in the union.
    let visit (visitor: IMessageVisitor<'Result>) (request: Request) : 'Result =
        request
        |> withApi
            { new IRequestVisitor<'Result> with
                member _.Visit(api, request) = visitor.Visit(api.Key, api.Request, request) }

    /// Whether the broker answers the request: see `Api.IsAnswered`.
    let isAnswered (request: Request) : bool =
        request
        |> withApi
            { new IRequestVisitor<bool> with
                member _.Visit(api, request) = api.IsAnswered request }

    /// The API of the request.
    let apiKey (request: Request) : ApiKey = visit Visitors.key request

    /// A one-line description: see `Message.show`.
    let show (request: Request) : string = visit Visitors.show request

    /// The bytes of the request at a version, without a header: see `Message.encode`.
    let encode (version: int16) (request: Request) : Result<Bytes, Fault> = visit (Visitors.encode version) request

    /// The request at a version as JSON in Kafka's own form: see `Message.toJson`.
    let toJson (version: int16) (request: Request) : Result<string, Fault> = visit (Visitors.toJson version) request

    let private read (key: ApiKey) (reading: IReading) : Result<Request, Fault> =
        key
        |> Apis.visit
            { new IApiVisitor<Result<Request, Fault>> with
                member _.Visit(api, ofRequest, _) = reading.Read api.Request |> Result.map ofRequest }
        |> Option.defaultWith (fun () -> Error(Reading.unknown key))

    /// Reads a request of an API at a version, without a header: see `Message.decode`. An unknown API is a fault.
    let decode (limits: Limits) (key: ApiKey) (version: int16) (bytes: Bytes) : Result<Request, Fault> =
        read key (Reading.decoding limits version bytes)

    /// Reads a request of an API at a version from JSON in Kafka's own form: see `Message.ofJson`. An unknown API is a fault.
    let ofJson (key: ApiKey) (version: int16) (json: string) : Result<Request, Fault> = read key (Reading.ofJson version json)

/// What can be done with a response of any API.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Response =

    // A table with a row for each API.
    let private withApi (visitor: IResponseVisitor<'Result>) (response: Response) : 'Result =
        match response with
        | Response.Produce value -> visitor.Visit(Produce.api, value)
        | Response.Fetch value -> visitor.Visit(Fetch.api, value)
        | Response.ListOffsets value -> visitor.Visit(ListOffsets.api, value)
        | Response.Metadata value -> visitor.Visit(Metadata.api, value)
        | Response.OffsetCommit value -> visitor.Visit(OffsetCommit.api, value)
        | Response.OffsetFetch value -> visitor.Visit(OffsetFetch.api, value)
        | Response.FindCoordinator value -> visitor.Visit(FindCoordinator.api, value)
        | Response.JoinGroup value -> visitor.Visit(JoinGroup.api, value)
        | Response.Heartbeat value -> visitor.Visit(Heartbeat.api, value)
        | Response.LeaveGroup value -> visitor.Visit(LeaveGroup.api, value)
        | Response.SyncGroup value -> visitor.Visit(SyncGroup.api, value)
        | Response.DescribeGroups value -> visitor.Visit(DescribeGroups.api, value)
        | Response.ListGroups value -> visitor.Visit(ListGroups.api, value)
        | Response.SaslHandshake value -> visitor.Visit(SaslHandshake.api, value)
        | Response.ApiVersions value -> visitor.Visit(ApiVersions.api, value)
        | Response.CreateTopics value -> visitor.Visit(CreateTopics.api, value)
        | Response.DeleteTopics value -> visitor.Visit(DeleteTopics.api, value)
        | Response.DeleteRecords value -> visitor.Visit(DeleteRecords.api, value)
        | Response.InitProducerId value -> visitor.Visit(InitProducerId.api, value)
        | Response.OffsetForLeaderEpoch value -> visitor.Visit(OffsetForLeaderEpoch.api, value)
        | Response.AddPartitionsToTxn value -> visitor.Visit(AddPartitionsToTxn.api, value)
        | Response.AddOffsetsToTxn value -> visitor.Visit(AddOffsetsToTxn.api, value)
        | Response.EndTxn value -> visitor.Visit(EndTxn.api, value)
        | Response.WriteTxnMarkers value -> visitor.Visit(WriteTxnMarkers.api, value)
        | Response.TxnOffsetCommit value -> visitor.Visit(TxnOffsetCommit.api, value)
        | Response.DescribeAcls value -> visitor.Visit(DescribeAcls.api, value)
        | Response.CreateAcls value -> visitor.Visit(CreateAcls.api, value)
        | Response.DeleteAcls value -> visitor.Visit(DeleteAcls.api, value)
        | Response.DescribeConfigs value -> visitor.Visit(DescribeConfigs.api, value)
        | Response.AlterConfigs value -> visitor.Visit(AlterConfigs.api, value)
        | Response.AlterReplicaLogDirs value -> visitor.Visit(AlterReplicaLogDirs.api, value)
        | Response.DescribeLogDirs value -> visitor.Visit(DescribeLogDirs.api, value)
        | Response.SaslAuthenticate value -> visitor.Visit(SaslAuthenticate.api, value)
        | Response.CreatePartitions value -> visitor.Visit(CreatePartitions.api, value)
        | Response.CreateDelegationToken value -> visitor.Visit(CreateDelegationToken.api, value)
        | Response.RenewDelegationToken value -> visitor.Visit(RenewDelegationToken.api, value)
        | Response.ExpireDelegationToken value -> visitor.Visit(ExpireDelegationToken.api, value)
        | Response.DescribeDelegationToken value -> visitor.Visit(DescribeDelegationToken.api, value)
        | Response.DeleteGroups value -> visitor.Visit(DeleteGroups.api, value)
        | Response.ElectLeaders value -> visitor.Visit(ElectLeaders.api, value)
        | Response.IncrementalAlterConfigs value -> visitor.Visit(IncrementalAlterConfigs.api, value)
        | Response.AlterPartitionReassignments value -> visitor.Visit(AlterPartitionReassignments.api, value)
        | Response.ListPartitionReassignments value -> visitor.Visit(ListPartitionReassignments.api, value)
        | Response.OffsetDelete value -> visitor.Visit(OffsetDelete.api, value)
        | Response.DescribeClientQuotas value -> visitor.Visit(DescribeClientQuotas.api, value)
        | Response.AlterClientQuotas value -> visitor.Visit(AlterClientQuotas.api, value)
        | Response.DescribeUserScramCredentials value -> visitor.Visit(DescribeUserScramCredentials.api, value)
        | Response.AlterUserScramCredentials value -> visitor.Visit(AlterUserScramCredentials.api, value)
        | Response.Vote value -> visitor.Visit(Vote.api, value)
        | Response.BeginQuorumEpoch value -> visitor.Visit(BeginQuorumEpoch.api, value)
        | Response.EndQuorumEpoch value -> visitor.Visit(EndQuorumEpoch.api, value)
        | Response.DescribeQuorum value -> visitor.Visit(DescribeQuorum.api, value)
        | Response.AlterPartition value -> visitor.Visit(AlterPartition.api, value)
        | Response.UpdateFeatures value -> visitor.Visit(UpdateFeatures.api, value)
        | Response.Envelope value -> visitor.Visit(Envelope.api, value)
        | Response.FetchSnapshot value -> visitor.Visit(FetchSnapshot.api, value)
        | Response.DescribeCluster value -> visitor.Visit(DescribeCluster.api, value)
        | Response.DescribeProducers value -> visitor.Visit(DescribeProducers.api, value)
        | Response.BrokerRegistration value -> visitor.Visit(BrokerRegistration.api, value)
        | Response.BrokerHeartbeat value -> visitor.Visit(BrokerHeartbeat.api, value)
        | Response.UnregisterBroker value -> visitor.Visit(UnregisterBroker.api, value)
        | Response.DescribeTransactions value -> visitor.Visit(DescribeTransactions.api, value)
        | Response.ListTransactions value -> visitor.Visit(ListTransactions.api, value)
        | Response.AllocateProducerIds value -> visitor.Visit(AllocateProducerIds.api, value)
        | Response.ConsumerGroupHeartbeat value -> visitor.Visit(ConsumerGroupHeartbeat.api, value)
        | Response.ConsumerGroupDescribe value -> visitor.Visit(ConsumerGroupDescribe.api, value)
        | Response.ControllerRegistration value -> visitor.Visit(ControllerRegistration.api, value)
        | Response.GetTelemetrySubscriptions value -> visitor.Visit(GetTelemetrySubscriptions.api, value)
        | Response.PushTelemetry value -> visitor.Visit(PushTelemetry.api, value)
        | Response.AssignReplicasToDirs value -> visitor.Visit(AssignReplicasToDirs.api, value)
        | Response.ListConfigResources value -> visitor.Visit(ListConfigResources.api, value)
        | Response.DescribeTopicPartitions value -> visitor.Visit(DescribeTopicPartitions.api, value)
        | Response.ShareGroupHeartbeat value -> visitor.Visit(ShareGroupHeartbeat.api, value)
        | Response.ShareGroupDescribe value -> visitor.Visit(ShareGroupDescribe.api, value)
        | Response.ShareFetch value -> visitor.Visit(ShareFetch.api, value)
        | Response.ShareAcknowledge value -> visitor.Visit(ShareAcknowledge.api, value)
        | Response.AddRaftVoter value -> visitor.Visit(AddRaftVoter.api, value)
        | Response.RemoveRaftVoter value -> visitor.Visit(RemoveRaftVoter.api, value)
        | Response.UpdateRaftVoter value -> visitor.Visit(UpdateRaftVoter.api, value)
        | Response.InitializeShareGroupState value -> visitor.Visit(InitializeShareGroupState.api, value)
        | Response.ReadShareGroupState value -> visitor.Visit(ReadShareGroupState.api, value)
        | Response.WriteShareGroupState value -> visitor.Visit(WriteShareGroupState.api, value)
        | Response.DeleteShareGroupState value -> visitor.Visit(DeleteShareGroupState.api, value)
        | Response.ReadShareGroupStateSummary value -> visitor.Visit(ReadShareGroupStateSummary.api, value)
        | Response.StreamsGroupHeartbeat value -> visitor.Visit(StreamsGroupHeartbeat.api, value)
        | Response.StreamsGroupDescribe value -> visitor.Visit(StreamsGroupDescribe.api, value)
        | Response.DescribeShareGroupOffsets value -> visitor.Visit(DescribeShareGroupOffsets.api, value)
        | Response.AlterShareGroupOffsets value -> visitor.Visit(AlterShareGroupOffsets.api, value)
        | Response.DeleteShareGroupOffsets value -> visitor.Visit(DeleteShareGroupOffsets.api, value)
        | Response.StreamsGroupTopologyDescriptionUpdate value -> visitor.Visit(StreamsGroupTopologyDescriptionUpdate.api, value)
        | Response.UnregisterController value -> visitor.Visit(UnregisterController.api, value)

    /// Runs an action on the message in the union.
    let visit (visitor: IMessageVisitor<'Result>) (response: Response) : 'Result =
        response
        |> withApi
            { new IResponseVisitor<'Result> with
                member _.Visit(api, response) = visitor.Visit(api.Key, api.Response, response) }

    /// How long the client must pause, in milliseconds: see `Api.ThrottleTimeMs`.
    let throttleTimeMs (response: Response) : int32 =
        response
        |> withApi
            { new IResponseVisitor<int32> with
                member _.Visit(api, response) = api.ThrottleTimeMs response }

    /// The API of the response.
    let apiKey (response: Response) : ApiKey = visit Visitors.key response

    /// A one-line description: see `Message.show`.
    let show (response: Response) : string = visit Visitors.show response

    /// The bytes of the response at a version, without a header: see `Message.encode`.
    let encode (version: int16) (response: Response) : Result<Bytes, Fault> = visit (Visitors.encode version) response

    /// The response at a version as JSON in Kafka's own form: see `Message.toJson`.
    let toJson (version: int16) (response: Response) : Result<string, Fault> = visit (Visitors.toJson version) response

    let private read (key: ApiKey) (reading: IReading) : Result<Response, Fault> =
        key
        |> Apis.visit
            { new IApiVisitor<Result<Response, Fault>> with
                member _.Visit(api, _, ofResponse) = reading.Read api.Response |> Result.map ofResponse }
        |> Option.defaultWith (fun () -> Error(Reading.unknown key))

    /// Reads a response of an API at a version, without a header: see `Message.decode`. An unknown API is a fault.
    let decode (limits: Limits) (key: ApiKey) (version: int16) (bytes: Bytes) : Result<Response, Fault> =
        read key (Reading.decoding limits version bytes)

    /// Reads a response of an API at a version from JSON in Kafka's own form: see `Message.ofJson`. An unknown API is a fault.
    let ofJson (key: ApiKey) (version: int16) (json: string) : Result<Response, Fault> = read key (Reading.ofJson version json)
