namespace LibKafka.Testing

open LibKafka
open LibKafka.Protocol

/// DescribeConfigs and ListConfigResources. Of brokers, only a few configs and loggers are known.
[<RequireQualifiedAccess>]
module internal ConfigDescriptions =

    let private sourceOf (config: TopicConfig) (own: string option) (state: State) : ConfigSource =
        if own.IsSome then ConfigSource.DynamicTopicConfig
        elif state.Settings.TopicDefaults.ContainsKey config.Name then ConfigSource.StaticBrokerConfig
        else ConfigSource.DefaultConfig

    /// The values that apply in turn: the topic's own, and the broker's default.
    let private synonyms (config: TopicConfig) (own: string option) (state: State) : DescribeConfigs.Synonym list =
        let synonym name value source : DescribeConfigs.Synonym = { Name = name; Value = Some value; Source = source }

        [ match own with
          | Some value -> synonym config.Name value ConfigSource.DynamicTopicConfig
          | None -> ()

          if config.BrokerName <> "" then
              synonym config.BrokerName (Configs.fallback config.Name state.Settings) (sourceOf config None state) ]

    let private topicConfig
        (call: Call)
        (request: DescribeConfigs.Request)
        (topic: Topic)
        (state: State)
        (config: TopicConfig)
        : DescribeConfigs.Config =
        let own = topic.Configs.TryFind config.Name

        { Name = config.Name
          Value = Some(Configs.value config.Name topic state)
          ReadOnly = false
          // Later versions have the source instead.
          IsDefault = own.IsNone && call.Version < DescribeConfigs.sourceSince
          Source = sourceOf config own state
          IsSensitive = false
          Synonyms = (if request.IncludeSynonyms then synonyms config own state else [])
          Type = config.Type
          Documentation = None }

    let private described (kind: ConfigType) (source: ConfigSource) (name: string) (value: string) : DescribeConfigs.Config =
        { Name = name
          Value = Some value
          ReadOnly = false
          IsDefault = false
          Source = source
          IsSensitive = false
          Synonyms = []
          Type = kind
          Documentation = None }

    let private withSynonym (request: DescribeConfigs.Request) (config: DescribeConfigs.Config) : DescribeConfigs.Config =
        if request.IncludeSynonyms then
            { config with Synonyms = [ { Name = config.Name; Value = config.Value; Source = config.Source } ] }
        else
            config

    /// The configs that a broker was started with. Some were changed since.
    let private staticConfigs (node: int32) (settings: ClusterSettings) : DescribeConfigs.Config list =
        let config name kind value = { described kind ConfigSource.StaticBrokerConfig name value with ReadOnly = true }

        [ config "auto.create.topics.enable" ConfigType.Boolean (if settings.AutoCreateTopics then "true" else "false")
          config "broker.id" ConfigType.Int (string node)
          config "default.replication.factor" ConfigType.Int (string settings.DefaultReplication)
          config "num.partitions" ConfigType.Int (string settings.DefaultPartitions)
          config "offsets.topic.num.partitions" ConfigType.Int (string settings.OffsetsPartitions)
          config "transaction.state.log.num.partitions" ConfigType.Int (string settings.TransactionPartitions) ]

    /// The configs of a broker that were set at run time: its own, or with an empty name those of all brokers.
    let private dynamicConfigs (name: string) (state: State) : DescribeConfigs.Config list =
        let source = if name = "" then ConfigSource.DynamicDefaultBrokerConfig else ConfigSource.DynamicBrokerConfig

        [ for KeyValue(key, value) in ResourceConfigs.find ConfigResourceType.Broker name state ->
              described ConfigType.String source key value ]

    let private brokerConfigs (node: int32) (state: State) : DescribeConfigs.Config list =
        dynamicConfigs (string node) state @ dynamicConfigs "" state @ staticConfigs node state.Settings
        |> List.distinctBy _.Name

    let private groupConfigs (group: string) (state: State) : DescribeConfigs.Config list =
        let own = ResourceConfigs.find ConfigResourceType.Group group state

        [ for config in ResourceConfigs.ofGroups state.Settings.Release ->
              match own.TryFind config.Name with
              | Some value -> described config.Type ConfigSource.DynamicGroupConfig config.Name value
              | None -> described config.Type ConfigSource.DefaultConfig config.Name (config.Default state) ]

    // Neither have a type or documentation.
    let private loggerConfigs (node: string) (state: State) : DescribeConfigs.Config list =
        let changed = ResourceConfigs.find ConfigResourceType.BrokerLogger node state

        [ for name, level in ResourceConfigs.loggers ->
              { described ConfigType.Unknown ConfigSource.DynamicBrokerLoggerConfig name (changed.TryFind name |> Option.defaultValue level) with
                  Documentation = Some "" } ]

    let private metricsConfigs (subscription: string) (state: State) : DescribeConfigs.Config list =
        [ for KeyValue(name, value) in ResourceConfigs.find ConfigResourceType.ClientMetrics subscription state ->
              { described ConfigType.Unknown ConfigSource.DynamicClientMetricsConfig name value with Documentation = Some "" } ]

    let private invalid (text: string) : Result<'T, ConfigRefusal> = Error { Code = ErrorCode.InvalidRequest; Text = Some text }

    let private topicConfigs (call: Call) (request: DescribeConfigs.Request) (name: string) (state: State) =
        match Cluster.tryTopic name state, Topics.nameFault name with
        | None, ValueSome text -> Error { Code = ErrorCode.InvalidTopicException; Text = Some text }
        | None, ValueNone -> Error { Code = ErrorCode.UnknownTopicOrPartition; Text = None }
        | Some topic, _ -> Ok(Configs.inRelease state.Settings.Release |> List.map (topicConfig call request topic state))

    let private unexpectedBroker (call: Call) (expected: string) (name: string) =
        invalid ("Unexpected broker id, expected " + string call.Node + expected + " but received " + name)

    /// All configs of a resource, or why it has none.
    let private configsOf (call: Call) (request: DescribeConfigs.Request) (resource: DescribeConfigs.Resource) (state: State) =
        let name = resource.ResourceName
        let isOwn = name = string call.Node
        let release = state.Settings.Release

        match resource.ResourceType with
        | ConfigResourceType.Topic -> topicConfigs call request name state
        | ConfigResourceType.Broker when name = "" -> Ok(dynamicConfigs "" state)
        | ConfigResourceType.Broker when isOwn -> Ok(brokerConfigs call.Node state |> List.map (withSynonym request))
        | ConfigResourceType.Broker -> unexpectedBroker call " or empty string," name
        | ConfigResourceType.BrokerLogger when release.IsAtLeast(2, 4) ->
            if name = "" then invalid "Broker id must not be empty"
            elif isOwn then Ok(loggerConfigs name state)
            else unexpectedBroker call "" name
        | ConfigResourceType.ClientMetrics when release.IsAtLeast(3, 7) ->
            if name = "" then
                invalid "Client metrics subscription name must not be empty"
            else
                Ok(metricsConfigs name state)
        | ConfigResourceType.Group when release.IsAtLeast(3, 8) ->
            if name = "" then
                invalid "Group name must not be empty"
            else
                Ok(groupConfigs name state |> List.map (withSynonym request))
        | _ -> invalid ("Unexpected resource type UNKNOWN for resource " + name)

    /// The error of a resource whose configs the client may not describe or alter.
    let refusal (call: Call) (operation: AclOperation) (kind: ConfigResourceType) (name: string) (state: State) : ErrorCode =
        let isAllowed resource name = Security.isAllowed call operation resource name state

        match kind with
        | ConfigResourceType.Topic when not (isAllowed AclResourceType.Topic name) -> ErrorCode.TopicAuthorizationFailed
        | ConfigResourceType.Group when not (isAllowed AclResourceType.Group name) -> ErrorCode.GroupAuthorizationFailed
        | ConfigResourceType.Topic
        | ConfigResourceType.Group -> ErrorCode.None
        | _ when not (isAllowed AclResourceType.Cluster Security.clusterName) -> ErrorCode.ClusterAuthorizationFailed
        | _ -> ErrorCode.None

    let private describeOne (call: Call) (request: DescribeConfigs.Request) (state: State) (resource: DescribeConfigs.Resource) =
        let asked (config: DescribeConfigs.Config) =
            match resource.ConfigurationKeys with
            | None
            | Some [] -> true
            | Some keys -> List.contains config.Name keys

        let result code text configs : DescribeConfigs.Result =
            { Error = code
              ErrorMessage = text
              ResourceType = resource.ResourceType
              ResourceName = resource.ResourceName
              Configs = configs }

        // Newer brokers leave the message out, and its default is not null.
        let noMessage = if state.Settings.Release.IsAtLeast(2, 6) then Some "" else None
        let refused = refusal call AclOperation.DescribeConfigs resource.ResourceType resource.ResourceName state

        if refused.IsError then
            result refused (Some refused.Description) []
        else
            match configsOf call request resource state with
            | Ok configs -> result ErrorCode.None noMessage (List.filter asked configs)
            | Error refusal -> result refusal.Code (refusal.Text |> Option.orElse noMessage) []

    let describe (call: Call) (request: DescribeConfigs.Request) (state: State) : State * Answer =
        let results = request.Resources |> List.map (describeOne call request state)
        state, Reply(Response.DescribeConfigs { ThrottleTimeMs = 0; Results = results })

    /// The names of the resources of a type that may have configs.
    let private resourcesOf (kind: ConfigResourceType) (state: State) : string list =
        match kind with
        | ConfigResourceType.Topic -> [ for name in state.Topics.Keys -> name ]
        | ConfigResourceType.Broker
        | ConfigResourceType.BrokerLogger -> [ for node in Cluster.liveNodes state -> string node.Id ]
        | kind -> ResourceConfigs.named kind state

    let private listable =
        [ ConfigResourceType.Topic
          ConfigResourceType.Broker
          ConfigResourceType.BrokerLogger
          ConfigResourceType.ClientMetrics
          ConfigResourceType.Group ]

    let list (call: Call) (request: ListConfigResources.Request) (state: State) : State * Answer =
        let kinds =
            if call.Version = 0s then [ ConfigResourceType.ClientMetrics ]
            elif request.ResourceTypes.IsEmpty then listable
            else List.distinct request.ResourceTypes

        let reply code resources = state, Reply(Response.ListConfigResources { ThrottleTimeMs = 0; Error = code; Resources = resources })

        if not (Security.isAllowed call AclOperation.DescribeConfigs AclResourceType.Cluster Security.clusterName state) then
            reply ErrorCode.ClusterAuthorizationFailed []
        elif kinds |> List.exists (fun kind -> not (List.contains kind listable)) then
            reply ErrorCode.UnsupportedVersion []
        else
            reply
                ErrorCode.None
                [ for kind in kinds do
                      for name in resourcesOf kind state -> { ResourceName = name; ResourceType = kind } ]
