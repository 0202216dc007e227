namespace LibKafka.Testing

open System
open LibKafka
open LibKafka.Protocol

/// A config of groups.
[<NoEquality; NoComparison>]
type internal GroupConfig =
    {
        Name: string
        Type: ConfigType
        /// The first release that has it.
        Since: struct (int * int)
        Default: State -> string
    }

/// Why the configs of a resource are not described or not changed.
type internal ConfigRefusal = { Code: ErrorCode; Text: string option }

/// The configs of groups, client metrics subscriptions and loggers of brokers, of which the state has only those that differ from the defaults.
[<RequireQualifiedAccess>]
module internal ResourceConfigs =

    let private resource (kind: ConfigResourceType) (name: string) : Client.ConfigResource = { Type = kind; Name = name }

    /// The configs of a resource that were set.
    let find (kind: ConfigResourceType) (name: string) (state: State) : Map<string, string> =
        state.ResourceConfigs.TryFind(resource kind name) |> Option.defaultValue Map.empty

    let set (kind: ConfigResourceType) (name: string) (configs: Map<string, string>) (state: State) : State =
        let key = resource kind name

        { state with
            ResourceConfigs =
                if configs.IsEmpty then
                    state.ResourceConfigs.Remove key
                else
                    state.ResourceConfigs.Add(key, configs) }

    /// The names of the resources of a type of which a config was set.
    let named (kind: ConfigResourceType) (state: State) : string list =
        [ for resource in state.ResourceConfigs.Keys do
              if resource.Type = kind then resource.Name ]

    // ---- Groups ----

    [<Literal>]
    let private SessionTimeout = "consumer.session.timeout.ms"

    [<Literal>]
    let private HeartbeatInterval = "consumer.heartbeat.interval.ms"

    let private groupConfigs: GroupConfig list =
        let config name kind since fallback = { Name = name; Type = kind; Since = since; Default = fallback }
        let always value = fun (_: State) -> value

        [ config SessionTimeout ConfigType.Int (3, 8) (fun state -> string state.Groups.Settings.SessionTimeoutMs)
          config HeartbeatInterval ConfigType.Int (3, 8) (fun state -> string state.Groups.Settings.HeartbeatIntervalMs)
          config "share.auto.offset.reset" ConfigType.String (4, 0) (always "latest")
          config "share.heartbeat.interval.ms" ConfigType.Int (4, 0) (always "5000")
          config "share.isolation.level" ConfigType.String (4, 1) (always "read_uncommitted")
          config "share.record.lock.duration.ms" ConfigType.Int (4, 0) (always "30000")
          config "share.session.timeout.ms" ConfigType.Int (4, 0) (always "45000")
          config "streams.heartbeat.interval.ms" ConfigType.Int (4, 1) (always "5000")
          config "streams.num.standby.replicas" ConfigType.Int (4, 1) (always "0")
          config "streams.session.timeout.ms" ConfigType.Int (4, 1) (always "45000") ]

    /// The configs that groups have in a release.
    let ofGroups (release: Release) : GroupConfig list =
        groupConfigs
        |> List.filter (fun config ->
            let struct (major, minor) = config.Since
            release.IsAtLeast(major, minor))

    let private groupNumber (name: string) (group: string) (fallback: int32) (state: State) : int32 =
        match (find ConfigResourceType.Group group state).TryFind name with
        | Some value -> Int32.Parse value
        | None -> fallback

    /// How long members of a group of the new protocol may be silent, in milliseconds.
    let sessionTimeoutMs (group: string) (state: State) : int32 =
        groupNumber SessionTimeout group state.Groups.Settings.SessionTimeoutMs state

    /// How often members of a group of the new protocol send a heartbeat, in milliseconds.
    let heartbeatIntervalMs (group: string) (state: State) : int32 =
        groupNumber HeartbeatInterval group state.Groups.Settings.HeartbeatIntervalMs state

    let private leastNumber (name: string) : int32 =
        match name with
        | "share.record.lock.duration.ms" -> 1000
        | "streams.num.standby.replicas" -> 0
        | _ -> 1

    let private groupValueFault (config: GroupConfig) (value: string) : string option =
        match config.Type, Int32.TryParse value with
        | ConfigType.Int, (false, _) -> Some("Invalid value " + value + " for configuration " + config.Name + ": Not a number of type INT")
        | ConfigType.Int, (true, number) when number < leastNumber config.Name ->
            Some(
                "Invalid value "
                + value
                + " for configuration "
                + config.Name
                + ": Value must be at least "
                + string (leastNumber config.Name)
            )
        | _ -> None

    /// What is wrong with the configs of a group, as the broker says it.
    let groupFault (configs: Map<string, string>) (state: State) : ConfigRefusal option =
        let refuse text = Some { Code = ErrorCode.InvalidConfig; Text = Some text }
        let known = ofGroups state.Settings.Release
        let unknown = configs.Keys |> Seq.tryFind (fun name -> known |> List.forall (fun config -> config.Name <> name))

        let number (name: string) (fallback: int32) =
            match configs.TryFind name with
            | Some value -> Int32.Parse value
            | None -> fallback

        match unknown with
        | Some name -> refuse ("Unknown group config name: " + name)
        | None ->
            match known |> List.tryPick (fun config -> configs.TryFind config.Name |> Option.bind (groupValueFault config)) with
            | Some text -> refuse text
            | None ->
                let settings = state.Groups.Settings

                if number SessionTimeout settings.SessionTimeoutMs <= number HeartbeatInterval settings.HeartbeatIntervalMs then
                    refuse (SessionTimeout + " must be greater than " + HeartbeatInterval)
                else
                    None

    // ---- Client metrics subscriptions ----

    [<Literal>]
    let private PushInterval = "interval.ms"

    [<Literal>]
    let private Match = "match"

    /// Which of the configs of client metrics subscriptions are lists.
    let isMetricsList (name: string) : bool = name = "metrics" || name = Match

    let private matchParameters =
        [ "client_instance_id"
          "client_id"
          "client_software_name"
          "client_software_version"
          "client_source_address"
          "client_source_port" ]

    let private isPattern (text: string) : bool =
        match text.Split '=' with
        | [| parameter; _ |] -> List.contains (parameter.Trim()) matchParameters
        | _ -> false

    /// What is wrong with the configs of a client metrics subscription, as the broker says it.
    let metricsFault (configs: Map<string, string>) : ConfigRefusal option =
        let refuse code text = Some { Code = code; Text = Some text }
        let interval = configs.TryFind PushInterval

        let patterns =
            match configs.TryFind Match with
            | Some text -> text.Split(',', StringSplitOptions.RemoveEmptyEntries ||| StringSplitOptions.TrimEntries)
            | None -> [||]

        match
            configs.Keys |> Seq.tryFind (fun name -> name <> PushInterval && not (isMetricsList name)),
            interval |> Option.map Int32.TryParse,
            patterns |> Array.tryFind (isPattern >> not)
        with
        | Some name, _, _ -> refuse ErrorCode.InvalidRequest ("Unknown client metrics configuration: " + name)
        | None, Some(false, _), _ ->
            refuse
                ErrorCode.InvalidConfig
                ("Invalid value " + interval.Value + " for configuration " + PushInterval + ": Not a number of type INT")
        | None, Some(true, number), _ when number < 100 || number > 3_600_000 ->
            refuse
                ErrorCode.InvalidRequest
                ("Invalid value " + interval.Value + " for " + PushInterval + ", interval must be between 100 and 3600000 (1 hour)")
        | None, _, Some pattern -> refuse ErrorCode.InvalidConfig ("Illegal client matching pattern: " + pattern)
        | None, _, None -> None

    // ---- Loggers ----

    [<Literal>]
    let RootLogger = "root"

    /// Some of a broker's loggers, with their levels.
    let loggers: (string * string) list =
        [ RootLogger, "INFO"
          "kafka", "INFO"
          "kafka.authorizer.logger", "INFO"
          "kafka.network.RequestChannel$", "WARN"
          "kafka.request.logger", "WARN"
          "kafka.server.KafkaApis", "INFO"
          "kafka.server.ReplicaManager", "INFO"
          "org.apache.kafka.raft.QuorumState", "INFO"
          "state.change.logger", "INFO" ]

    let private levels = [ "DEBUG"; "ERROR"; "FATAL"; "INFO"; "TRACE"; "WARN" ]

    /// What is wrong with a change of a logger's level, as the broker says it.
    let loggerFault (change: IncrementalAlterConfigs.Config) : ConfigRefusal option =
        let refuse code text = Some { Code = code; Text = Some text }
        let level = Option.defaultValue "" change.Value

        match change.ConfigOperation with
        | AlterConfigOperation.Set
        | AlterConfigOperation.Delete when loggers |> List.forall (fun (name, _) -> name <> change.Name) ->
            refuse ErrorCode.InvalidConfig ("Logger " + change.Name + " does not exist!")
        | AlterConfigOperation.Set when not (List.contains level levels) ->
            refuse
                ErrorCode.InvalidConfig
                ("Cannot set the log level of "
                 + change.Name
                 + " to "
                 + level
                 + " as it is not a supported log level. Valid log levels are "
                 + String.Join(", ", levels))
        | AlterConfigOperation.Delete when change.Name = RootLogger ->
            refuse ErrorCode.InvalidRequest "Removing the log level of the root logger is not allowed"
        | AlterConfigOperation.Set
        | AlterConfigOperation.Delete -> None
        | AlterConfigOperation.Append -> refuse ErrorCode.InvalidRequest "APPEND operation is not allowed for the BROKER_LOGGER resource"
        | _ -> refuse ErrorCode.InvalidRequest "SUBTRACT operation is not allowed for the BROKER_LOGGER resource"
