namespace LibKafka.Testing

open LibKafka
open LibKafka.Protocol

/// DescribeConfigs, AlterConfigs and IncrementalAlterConfigs of topics. Of brokers, only a few configs are known.
[<RequireQualifiedAccess>]
module internal ConfigRequests =

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

    let private result (resource: DescribeConfigs.Resource) code configs : DescribeConfigs.Result =
        { Error = code
          ErrorMessage = None
          ResourceType = resource.ResourceType
          ResourceName = resource.ResourceName
          Configs = configs }

    /// The configs of a broker that this one has.
    let private brokerConfigs (request: DescribeConfigs.Request) (node: int32) (state: State) : DescribeConfigs.Config list =
        let settings = state.Settings

        [ "auto.create.topics.enable", (if settings.AutoCreateTopics then "true" else "false"), ConfigType.Boolean
          "broker.id", string node, ConfigType.Int
          "default.replication.factor", string settings.DefaultReplication, ConfigType.Int
          "num.partitions", string settings.DefaultPartitions, ConfigType.Int
          "offsets.topic.num.partitions", string settings.OffsetsPartitions, ConfigType.Int
          "transaction.state.log.num.partitions", string settings.TransactionPartitions, ConfigType.Int ]
        |> List.map (fun (name, value, kind) ->
            { Name = name
              Value = Some value
              ReadOnly = true
              IsDefault = false
              Source = ConfigSource.StaticBrokerConfig
              IsSensitive = false
              Synonyms =
                (if request.IncludeSynonyms then
                     [ { Name = name; Value = Some value; Source = ConfigSource.StaticBrokerConfig } ]
                 else
                     [])
              Type = kind
              Documentation = None })

    let private describeOne (call: Call) (request: DescribeConfigs.Request) (state: State) (resource: DescribeConfigs.Resource) =
        let asked (config: DescribeConfigs.Config) =
            match resource.ConfigurationKeys with
            | None -> true
            | Some keys -> List.contains config.Name keys

        match resource.ResourceType with
        | ConfigResourceType.Topic when
            not (Security.isAllowed call AclOperation.DescribeConfigs AclResourceType.Topic resource.ResourceName state)
            ->
            result resource ErrorCode.TopicAuthorizationFailed []
        | ConfigResourceType.Topic ->
            match Cluster.tryTopic resource.ResourceName state with
            | None when (Topics.nameFault resource.ResourceName).IsSome -> result resource ErrorCode.InvalidTopicException []
            | None -> result resource ErrorCode.UnknownTopicOrPartition []
            | Some topic ->
                let configs = Configs.inRelease state.Settings.Release |> List.map (topicConfig call request topic state)
                result resource ErrorCode.None (configs |> List.filter asked)
        | ConfigResourceType.Broker when resource.ResourceName = "" -> result resource ErrorCode.None []
        | ConfigResourceType.Broker when resource.ResourceName = string call.Node ->
            result resource ErrorCode.None (brokerConfigs request call.Node state |> List.filter asked)
        | _ -> result resource ErrorCode.InvalidRequest []

    let describe (call: Call) (request: DescribeConfigs.Request) (state: State) : State * Answer =
        let results = request.Resources |> List.map (describeOne call request state)
        state, Reply(Response.DescribeConfigs { ThrottleTimeMs = 0; Results = results })

    /// Changes the configs of a topic. None keeps the default.
    let private alter (call: Call) (validateOnly: bool) (kind: ConfigResourceType) (name: string) change (state: State) =
        let result code text : AlterConfigsResult = { Error = code; ErrorMessage = text; ResourceType = kind; ResourceName = name }

        match kind, Cluster.tryTopic name state with
        | ConfigResourceType.Broker, _ -> state, result ErrorCode.None None
        | ConfigResourceType.Topic, _ when not (Security.isAllowed call AclOperation.AlterConfigs AclResourceType.Topic name state) ->
            state, result ErrorCode.TopicAuthorizationFailed None
        | ConfigResourceType.Topic, Some topic ->
            let configs: Map<string, string> = change topic

            let fault =
                configs |> Seq.tryPick (fun pair -> Configs.check pair.Key pair.Value state.Settings.Release |> ValueOption.toOption)

            match fault with
            | Some text -> state, result ErrorCode.InvalidConfig (Some text)
            | None when validateOnly -> state, result ErrorCode.None None
            | None -> Cluster.updateTopic name (fun topic -> { topic with Configs = configs }) state, result ErrorCode.None None
        | ConfigResourceType.Topic, None ->
            state, result ErrorCode.UnknownTopicOrPartition (Some("The topic '" + name + "' does not exist."))
        | _ -> state, result ErrorCode.InvalidRequest None

    let alterAll (call: Call) (request: AlterConfigs.Request) (state: State) : State * Answer =
        let one state (resource: AlterConfigs.Resource) =
            let replaced (_: Topic) = Map.ofList [ for config in resource.Configs -> config.Name, Option.defaultValue "" config.Value ]

            alter call request.ValidateOnly resource.ResourceType resource.ResourceName replaced state

        let state, results = Cluster.foldResults one state request.Resources
        state, Reply(Response.AlterConfigs { ThrottleTimeMs = 0; Resources = results })

    let private items (text: string) : string list =
        text.Split(',', System.StringSplitOptions.RemoveEmptyEntries ||| System.StringSplitOptions.TrimEntries) |> List.ofArray

    let private changed (topic: Topic) (state: State) (configs: Map<string, string>) (config: IncrementalAlterConfigs.Config) =
        let value = Option.defaultValue "" config.Value
        let current = configs.TryFind config.Name |> Option.defaultWith (fun () -> Configs.value config.Name topic state)

        match config.ConfigOperation with
        | AlterConfigOperation.Delete -> configs.Remove config.Name
        | AlterConfigOperation.Append -> configs.Add(config.Name, String.concat "," (List.distinct (items current @ items value)))
        | AlterConfigOperation.Subtract -> configs.Add(config.Name, String.concat "," (List.except (items value) (items current)))
        | _ -> configs.Add(config.Name, value)

    let alterSome (call: Call) (request: IncrementalAlterConfigs.Request) (state: State) : State * Answer =
        let one state (resource: IncrementalAlterConfigs.Resource) =
            let change (topic: Topic) = resource.Configs |> List.fold (changed topic state) topic.Configs
            alter call request.ValidateOnly resource.ResourceType resource.ResourceName change state

        let state, results = Cluster.foldResults one state request.Resources
        state, Reply(Response.IncrementalAlterConfigs { ThrottleTimeMs = 0; Results = results })
