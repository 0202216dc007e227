namespace LibKafka.Testing

open LibKafka
open LibKafka.Protocol

/// The features of the cluster (KIP-584), and UpdateFeatures.
[<RequireQualifiedAccess>]
module internal Features =

    /// A feature: the lowest and the highest level that brokers support, and the level of a new cluster.
    [<Struct>]
    type private Feature = { Name: string; Lowest: int16; Highest: int16; Initial: int16 }

    // The levels of 4.0; later releases are taken to have the same.
    let private features: Feature list =
        [ { Name = "group.version"; Lowest = 0s; Highest = 1s; Initial = 1s }
          { Name = "kraft.version"; Lowest = 0s; Highest = 1s; Initial = 1s }
          { Name = "metadata.version"; Lowest = 7s; Highest = FeatureTable.MetadataLevel; Initial = FeatureTable.MetadataLevel }
          { Name = FeatureTable.TransactionVersion; Lowest = 0s; Highest = 2s; Initial = 2s }
          { Name = "eligible.leader.replicas.version"; Lowest = 0s; Highest = 1s; Initial = 0s } ]

    /// The features that a broker supports, in a version of ApiVersions. Version 3 leaves out those whose lowest level is 0.
    let supported (version: int16) : ApiVersions.SupportedFeature list =
        [ for feature in features do
              if version >= 4s || feature.Lowest > 0s then
                  { Name = feature.Name; MinVersion = feature.Lowest; MaxVersion = feature.Highest } ]

    let private levelOf (feature: Feature) (state: State) : int16 =
        if feature.Name = FeatureTable.TransactionVersion then
            state.Settings.TransactionVersion
        else
            state.Features.Changed.TryFind feature.Name |> Option.defaultValue feature.Initial

    /// The features with a level above 0.
    let finalized (state: State) : ApiVersions.FinalizedFeature list =
        [ for feature in features do
              let level = levelOf feature state
              if level > 0s then
                  { Name = feature.Name; MaxVersionLevel = level; MinVersionLevel = level } ]

    // Before version 1 a request says only whether the level may be lowered.
    let private mayLower (version: int16) (update: UpdateFeatures.FeatureUpdate) : bool =
        if version < UpdateFeatures.directionsSince then
            update.AllowDowngrade
        else
            update.UpgradeType <> FeatureUpdateType.Upgrade

    // Why the controller does not change a level.
    let private obstacle (call: Call) (state: State) (update: UpdateFeatures.FeatureUpdate) : string option =
        let wrong text = Some("Invalid update version " + string update.MaxVersionLevel + " for feature " + update.Feature + ". " + text)
        let controller = "Local controller " + string call.Node

        match features |> List.tryFind (fun feature -> feature.Name = update.Feature) with
        | None -> wrong (controller + " does not support this feature.")
        | Some feature when update.MaxVersionLevel < feature.Lowest || update.MaxVersionLevel > feature.Highest ->
            wrong (controller + " only supports versions " + string feature.Lowest + "-" + string feature.Highest)
        | Some feature when update.MaxVersionLevel < levelOf feature state && not (mayLower call.Version update) ->
            wrong "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade."
        | Some feature when update.MaxVersionLevel > levelOf feature state && mayLower call.Version update ->
            wrong "Can't downgrade to a newer version."
        | Some _ -> None

    let private set (state: State) (update: UpdateFeatures.FeatureUpdate) : State =
        if update.Feature = FeatureTable.TransactionVersion then
            { state with Settings = { state.Settings with TransactionVersion = update.MaxVersionLevel } }
        else
            { state with
                Features = { state.Features with Changed = state.Features.Changed.Add(update.Feature, update.MaxVersionLevel) } }

    /// UpdateFeatures. All features are changed, or none.
    let update (call: Call) (request: UpdateFeatures.Request) (state: State) : State * Answer =
        let reply code text results =
            Reply(Response.UpdateFeatures { ThrottleTimeMs = 0; Error = code; ErrorMessage = text; Results = results })

        if not (Security.isAllowed call AclOperation.Alter AclResourceType.Cluster Security.clusterName state) then
            let code = ErrorCode.ClusterAuthorizationFailed
            state, reply code (Some code.Description) []
        else
            match request.FeatureUpdates |> List.tryPick (obstacle call state) with
            | Some text ->
                let prefix = "The update failed for all features since the following feature had an error: "
                state, reply ErrorCode.InvalidUpdateVersion (Some(prefix + text)) []
            | None ->
                let done' (update: UpdateFeatures.FeatureUpdate) : UpdateFeatures.Result =
                    { Feature = update.Feature; Error = ErrorCode.None; ErrorMessage = Some "NONE" }

                let results = if call.Version < UpdateFeatures.allOrNoneSince then List.map done' request.FeatureUpdates else []

                let changed =
                    if request.ValidateOnly || request.FeatureUpdates.IsEmpty then
                        state
                    else
                        let changed = List.fold set state request.FeatureUpdates
                        { changed with Features = { changed.Features with Epoch = changed.Features.Epoch + 1L } }

                changed, reply ErrorCode.None None results
