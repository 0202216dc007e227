namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol

/// The features of a cluster (KIP-584).
type ClusterFeatures =
    {
        /// The levels that the broker supports, by feature.
        Supported: Map<string, VersionRange>
        /// The levels that are in force in the cluster, by feature. A feature that is not named has the level 0.
        Finalized: Map<string, int16>
        /// Grows with each change of the finalized levels; none if the broker does not report it (before Kafka 2.7).
        Epoch: int64 option
    }

    /// As in `metadata.version 25, transaction.version 2`.
    override this.ToString() =
        if this.Finalized.IsEmpty then
            "no finalized features"
        else
            String.Join(", ", [ for name, level in Map.toSeq this.Finalized -> name + " " + string level ])

/// A new level of a feature (KIP-584, KIP-778).
type FeatureLevel =
    {
        /// Such as `metadata.version`.
        Feature: string
        /// 0 disables the feature.
        Level: int16
        /// In which direction the level may change.
        Direction: FeatureUpdateType
    }

    /// As in `metadata.version 25`.
    override this.ToString() = this.Feature + " " + string this.Level

/// The quorum of controllers that keeps the cluster's metadata (KIP-595).
type Quorum =
    {
        /// -1 if there is none.
        LeaderId: int32
        LeaderEpoch: int32
        HighWatermark: int64
        Voters: DescribeQuorum.Replica list
        Observers: DescribeQuorum.Replica list
        /// The listeners of the voters (KIP-853, Kafka 3.9); empty if the broker does not report them.
        Nodes: DescribeQuorum.Node list
    }

    /// As in `leader 1 in epoch 7, voters 1, 2, 3`.
    override this.ToString() =
        "leader "
        + string this.LeaderId
        + " in epoch "
        + string this.LeaderEpoch
        + ", voters "
        + String.Join(", ", this.Voters |> List.map _.ReplicaId)

/// A voter of the quorum: a controller, and the directory in which it keeps the metadata log (KIP-853).
type QuorumVoter =
    {
        Id: int32
        /// A controller with another directory is another voter.
        DirectoryId: Guid
    }

    /// As in `voter 3`.
    override this.ToString() = "voter " + string this.Id

/// The cluster: its brokers, features and quorum.
[<RequireQualifiedAccess>]
module internal ClusterAdmin =

    let private ofMetadata (response: Metadata.Response) : DescribeCluster.Response =
        { DescribeCluster.response.Default with
            ThrottleTimeMs = response.ThrottleTimeMs
            Error = response.Error
            ClusterId = Option.defaultValue "" response.ClusterId
            ControllerId = response.ControllerId
            Brokers =
                response.Brokers
                |> List.map (fun broker ->
                    { BrokerId = broker.NodeId; Host = broker.Host; Port = broker.Port; Rack = broker.Rack; IsFenced = false }) }

    let describe (brokers: AdminBrokers) operation =
        let request: DescribeCluster.Request =
            { IncludeClusterAuthorizedOperations = false; EndpointType = EndpointType.Broker; IncludeFencedBrokers = false }

        brokers.ConnectAny operation
        |> Result.bind (fun connection ->
            match connection.VersionOf DescribeCluster.api with
            | Ok _ -> connection.Ask(DescribeCluster.api, request, operation).Result
            | Error _ -> Role.askMetadata (Some []) operation connection |> Result.map ofMetadata)
        |> Result.mapError AdminFault.Fault
        |> Result.bind (fun response -> AdminFault.check response.Error response.ErrorMessage response)

    let unregisterBroker (brokers: AdminBrokers) (id: int32) operation =
        AdminRequest.answer (brokers.ConnectController operation) operation UnregisterBroker.api { BrokerId = id } (fun response ->
            AdminFault.check response.Error response.ErrorMessage ())

    // ---- features ----

    let describeFeatures (brokers: AdminBrokers) operation : Result<ClusterFeatures, AdminFault> =
        let request = Connection.VersionsRequest

        AdminRequest.answer (brokers.ConnectAny operation) operation ApiVersions.api request (fun response ->
            AdminFault.check
                response.Error
                None
                { Supported =
                    Map.ofList
                        [ for feature in response.SupportedFeatures ->
                              feature.Name, { Lowest = feature.MinVersion; Highest = feature.MaxVersion } ]
                  Finalized = Map.ofList [ for feature in response.FinalizedFeatures -> feature.Name, feature.MaxVersionLevel ]
                  Epoch = (if response.FinalizedFeaturesEpoch < 0L then None else Some response.FinalizedFeaturesEpoch) })

    let updateFeatures (brokers: AdminBrokers) (levels: FeatureLevel list) (timeout: TimeSpan) validateOnly operation =
        // Version 0 says only whether the level may be lowered.
        let update (version: int16) (level: FeatureLevel) : UpdateFeatures.FeatureUpdate =
            let hasDirections = version >= UpdateFeatures.directionsSince

            { Feature = level.Feature
              MaxVersionLevel = level.Level
              AllowDowngrade = not hasDirections && level.Direction <> FeatureUpdateType.Upgrade
              UpgradeType = (if hasDirections then level.Direction else FeatureUpdateType.Upgrade) }

        let request version : UpdateFeatures.Request =
            { TimeoutMs = Milliseconds.ofTimeSpan timeout
              FeatureUpdates = List.map (update version) levels
              ValidateOnly = validateOnly }

        // The later versions have no results: the request was refused as a whole, or all is done.
        let results version (response: UpdateFeatures.Response) =
            (if version >= UpdateFeatures.allOrNoneSince then
                 levels |> List.map (fun level -> level.Feature, Ok())
             else
                 response.Results |> List.map (fun result -> result.Feature, AdminFault.check result.Error result.ErrorMessage ()))
            |> AdminFault.check response.Error response.ErrorMessage

        let api = UpdateFeatures.api

        brokers.ConnectController operation
        |> Result.bind (fun connection ->
            let exchange = connection.AskUpTo(api.Versions.Highest, api, request, operation)
            exchange.Result |> Result.map (fun response -> exchange.Info.Version, response))
        |> Result.mapError AdminFault.Fault
        |> Result.bind (fun (version, response) -> results version response)
        |> AdminRequest.distribute (levels |> List.map _.Feature) id

    // ---- the quorum ----

    let private quorumIn (response: DescribeQuorum.Response) : Result<Quorum, AdminFault> =
        match response.Topics |> List.collect _.Partitions with
        | _ when response.Error.IsError -> Error(AdminFault.Refused(response.Error, response.ErrorMessage))
        | partition :: _ ->
            AdminFault.check
                partition.Error
                partition.ErrorMessage
                { LeaderId = partition.LeaderId
                  LeaderEpoch = partition.LeaderEpoch
                  HighWatermark = partition.HighWatermark
                  Voters = partition.CurrentVoters
                  Observers = partition.Observers
                  Nodes = response.Nodes }
        | [] -> Error AdminFault.NotAnswered

    let describeQuorum (brokers: AdminBrokers) operation =
        let request: DescribeQuorum.Request =
            { Topics = [ { TopicName = "__cluster_metadata"; Partitions = [ { PartitionIndex = 0 } ] } ] }
        AdminRequest.answer (brokers.ConnectController operation) operation DescribeQuorum.api request quorumIn

    let addVoter (brokers: AdminBrokers) (voter: QuorumVoter) (listeners: VoterListener list) clusterId (timeout: TimeSpan) operation =
        let request: AddRaftVoter.Request =
            { ClusterId = clusterId
              TimeoutMs = Milliseconds.ofTimeSpan timeout
              VoterId = voter.Id
              VoterDirectoryId = voter.DirectoryId
              Listeners = listeners
              AckWhenCommitted = true }

        AdminRequest.answer (brokers.ConnectController operation) operation AddRaftVoter.api request (fun response ->
            AdminFault.check response.Error response.ErrorMessage ())

    let removeVoter (brokers: AdminBrokers) (voter: QuorumVoter) clusterId operation =
        let request: RemoveRaftVoter.Request = { ClusterId = clusterId; VoterId = voter.Id; VoterDirectoryId = voter.DirectoryId }

        AdminRequest.answer (brokers.ConnectController operation) operation RemoveRaftVoter.api request (fun response ->
            AdminFault.check response.Error response.ErrorMessage ())
