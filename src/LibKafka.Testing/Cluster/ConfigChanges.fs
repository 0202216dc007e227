namespace LibKafka.Testing

open LibKafka
open LibKafka.Protocol

/// AlterConfigs and IncrementalAlterConfigs.
[<RequireQualifiedAccess>]
module internal ConfigChanges =

    /// A resource whose configs are kept.
    [<NoEquality; NoComparison>]
    type private Resource =
        {
            /// The configs that were set.
            Configs: Map<string, string>
            /// The value of a config that was not set.
            Default: string -> string
            IsList: string -> bool
            /// What is wrong with configs.
            Check: Map<string, string> -> ConfigRefusal option
            Store: Map<string, string> -> State -> State
        }

    let private refuse (code: ErrorCode) (text: string) : Result<'T, ConfigRefusal> = Error { Code = code; Text = Some text }

    let private invalid (text: string) : Result<'T, ConfigRefusal> = refuse ErrorCode.InvalidRequest text

    let private topic (found: Topic) (state: State) : Resource =
        let check (configs: Map<string, string>) : ConfigRefusal option =
            configs
            |> Seq.tryPick (fun pair -> Configs.check pair.Key pair.Value state.Settings.Release |> ValueOption.toOption)
            |> Option.map (fun text -> { Code = ErrorCode.InvalidConfig; Text = Some text })

        { Configs = found.Configs
          Default = fun name -> Configs.value name found state
          IsList = Configs.isList
          Check = check
          Store = fun configs -> Cluster.updateTopic found.Name (fun topic -> { topic with Configs = configs }) }

    let private kept (kind: ConfigResourceType) (name: string) (isList: string -> bool) check (state: State) : Resource =
        { Configs = ResourceConfigs.find kind name state
          Default = fun _ -> ""
          IsList = isList
          Check = check
          Store = ResourceConfigs.set kind name }

    let private group (name: string) (state: State) : Resource =
        kept ConfigResourceType.Group name (fun _ -> false) (fun configs -> ResourceConfigs.groupFault configs state) state

    let private metrics (name: string) (state: State) : Resource =
        kept ConfigResourceType.ClientMetrics name ResourceConfigs.isMetricsList ResourceConfigs.metricsFault state

    /// The configs of brokers are kept and described, and have no other effect.
    let private broker (name: string) (state: State) : Resource = kept ConfigResourceType.Broker name (fun _ -> true) (fun _ -> None) state

    let private brokerFault (call: Call) (name: string) : string option =
        match System.Int32.TryParse name with
        | false, _ -> Some("Node id must be an integer, but it is: " + name)
        | true, id when id <> call.Node -> Some("Unexpected broker id, expected " + string call.Node + ", but received " + name)
        | _ -> None

    let private find (call: Call) (kind: ConfigResourceType) (name: string) (state: State) : Result<Resource, ConfigRefusal> =
        let release = state.Settings.Release

        match kind, Cluster.tryTopic name state with
        | ConfigResourceType.Topic, Some found -> Ok(topic found state)
        | ConfigResourceType.Topic, None -> refuse ErrorCode.UnknownTopicOrPartition ("The topic '" + name + "' does not exist.")
        | ConfigResourceType.Broker, _ when name = "" -> Ok(broker name state)
        | ConfigResourceType.Broker, _ ->
            match brokerFault call name with
            | Some text -> invalid text
            | None -> Ok(broker name state)
        | ConfigResourceType.ClientMetrics, _ when release.IsAtLeast(3, 7) ->
            if name = "" then invalid "Subscription name can't be empty" else Ok(metrics name state)
        | ConfigResourceType.Group, _ when release.IsAtLeast(3, 8) ->
            if name = "" then invalid "Default group resources are not allowed." else Ok(group name state)
        | kind, _ -> invalid ("Unknown resource type " + string (int kind))

    /// The names of the configs of one resource, each of which may come only once, and must have a value if it needs one.
    let private checkNames (names: string list) (withoutValue: string list) : Result<unit, ConfigRefusal> =
        if List.distinct names <> names then
            invalid "Error due to duplicate config keys"
        elif not withoutValue.IsEmpty then
            invalid ("Null value not supported for : " + String.concat ", " withoutValue)
        else
            Ok()

    /// The next state, unless the new configs are refused.
    let private store
        (validateOnly: bool)
        (state: State)
        (resource: Resource)
        (configs: Map<string, string>)
        : Result<State, ConfigRefusal> =
        match resource.Check configs with
        | Some refusal -> Error refusal
        | None when validateOnly -> Ok state
        | None -> Ok(resource.Store configs state)

    // ---- AlterConfigs ----

    let private replace (call: Call) (validateOnly: bool) (wanted: AlterConfigs.Resource) (state: State) : Result<State, ConfigRefusal> =
        let unset =
            [ for config in wanted.Configs do
                  if config.Value.IsNone then config.Name ]
        let configs = Map.ofList [ for config in wanted.Configs -> config.Name, Option.defaultValue "" config.Value ]

        checkNames (wanted.Configs |> List.map _.Name) unset
        |> Result.bind (fun () -> find call wanted.ResourceType wanted.ResourceName state)
        |> Result.bind (fun resource -> store validateOnly state resource configs)

    // ---- IncrementalAlterConfigs ----

    let private items (text: string) : string list =
        text.Split(',', System.StringSplitOptions.RemoveEmptyEntries ||| System.StringSplitOptions.TrimEntries) |> List.ofArray

    let private changed
        (resource: Resource)
        (configs: Result<Map<string, string>, ConfigRefusal>)
        (config: IncrementalAlterConfigs.Config)
        : Result<Map<string, string>, ConfigRefusal> =
        configs
        |> Result.bind (fun configs ->
            let value = Option.defaultValue "" config.Value
            let current = configs.TryFind config.Name |> Option.defaultWith (fun () -> resource.Default config.Name) |> items

            match config.ConfigOperation with
            | AlterConfigOperation.Delete -> Ok(configs.Remove config.Name)
            | AlterConfigOperation.Set -> Ok(configs.Add(config.Name, value))
            | operation when not (resource.IsList config.Name) ->
                let verb = if operation = AlterConfigOperation.Append then "APPEND" else "SUBTRACT"
                refuse ErrorCode.InvalidConfig ("Can't " + verb + " to key " + config.Name + " because its type is not LIST.")
            | AlterConfigOperation.Append -> Ok(configs.Add(config.Name, String.concat "," (List.distinct (current @ items value))))
            | _ -> Ok(configs.Add(config.Name, String.concat "," (List.except (items value) current))))

    /// Sets the levels of loggers of this broker.
    let private changeLevels
        (call: Call)
        validateOnly
        (wanted: IncrementalAlterConfigs.Resource)
        (state: State)
        : Result<State, ConfigRefusal> =
        let apply (levels: Map<string, string>) (change: IncrementalAlterConfigs.Config) =
            match change.ConfigOperation, change.Value with
            | AlterConfigOperation.Set, Some level -> levels.Add(change.Name, level)
            | _ -> levels.Remove change.Name

        match brokerFault call wanted.ResourceName, List.tryPick ResourceConfigs.loggerFault wanted.Configs with
        | Some text, _ -> invalid text
        | None, Some refusal -> Error refusal
        | None, None when validateOnly -> Ok state
        | None, None ->
            let levels = ResourceConfigs.find wanted.ResourceType wanted.ResourceName state
            Ok(ResourceConfigs.set wanted.ResourceType wanted.ResourceName (List.fold apply levels wanted.Configs) state)

    let private change
        (call: Call)
        (validateOnly: bool)
        (wanted: IncrementalAlterConfigs.Resource)
        (state: State)
        : Result<State, ConfigRefusal> =
        let unset =
            [ for config in wanted.Configs do
                  if config.Value.IsNone && config.ConfigOperation <> AlterConfigOperation.Delete then
                      config.Name ]

        checkNames (wanted.Configs |> List.map _.Name) unset
        |> Result.bind (fun () ->
            if wanted.ResourceType = ConfigResourceType.BrokerLogger then
                changeLevels call validateOnly wanted state
            else
                find call wanted.ResourceType wanted.ResourceName state
                |> Result.bind (fun resource ->
                    wanted.Configs
                    |> List.fold (changed resource) (Ok resource.Configs)
                    |> Result.bind (store validateOnly state resource)))

    // ---- Requests ----

    /// Goes through the resources of a request, each of which must come only once.
    let private alter (call: Call) (placeOf: 'Resource -> ConfigResourceType * string) one (resources: 'Resource list) (state: State) =
        let twice = resources |> List.countBy placeOf |> List.filter (fun (_, count) -> count > 1) |> List.map fst |> set

        let apply (state: State) (resource: 'Resource) : State * AlterConfigsResult =
            let kind, name = placeOf resource
            let result code text = { Error = code; ErrorMessage = text; ResourceType = kind; ResourceName = name }
            let refused = ConfigDescriptions.refusal call AclOperation.AlterConfigs kind name state

            if twice.Contains(kind, name) then
                state, result ErrorCode.InvalidRequest (Some "Each resource must appear at most once.")
            elif refused.IsError then
                state, result refused None
            else
                match one resource state with
                | Ok state -> state, result ErrorCode.None None
                | Error refusal -> state, result refusal.Code refusal.Text

        Cluster.foldResults apply state resources

    let alterAll (call: Call) (request: AlterConfigs.Request) (state: State) : State * Answer =
        let placeOf (resource: AlterConfigs.Resource) = resource.ResourceType, resource.ResourceName
        let state, results = alter call placeOf (replace call request.ValidateOnly) request.Resources state
        state, Reply(Response.AlterConfigs { ThrottleTimeMs = 0; Resources = results })

    let alterSome (call: Call) (request: IncrementalAlterConfigs.Request) (state: State) : State * Answer =
        let placeOf (resource: IncrementalAlterConfigs.Resource) = resource.ResourceType, resource.ResourceName
        let state, results = alter call placeOf (change call request.ValidateOnly) request.Resources state
        state, Reply(Response.IncrementalAlterConfigs { ThrottleTimeMs = 0; Results = results })
