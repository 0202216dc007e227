namespace LibKafka.Testing

open System
open LibKafka.Protocol

/// A config of topics.
type internal TopicConfig =
    {
        Name: string
        Default: string
        Type: ConfigType
        /// The name of the broker config that gives the default. Empty if there is none.
        BrokerName: string
        /// The first release that has it, and the first that no longer has it.
        Since: struct (int * int)
        Until: struct (int * int)
    }

/// The configs of topics.
[<RequireQualifiedAccess>]
module internal Configs =

    let private always = struct (1, 0)
    let private never = struct (99, 0)

    let private config name fallback kind broker since until =
        { Name = name; Default = fallback; Type = kind; BrokerName = broker; Since = since; Until = until }

    let private number = ConfigType.Int
    let private wide = ConfigType.Long
    let private text = ConfigType.String
    let private list = ConfigType.List
    let private flag = ConfigType.Boolean
    let private most = string Int64.MaxValue

    /// In alphabetical order.
    let all: TopicConfig list =
        [ config "cleanup.policy" "delete" list "log.cleanup.policy" always never
          config "compression.gzip.level" "-1" number "compression.gzip.level" (3, 8) never
          config "compression.lz4.level" "9" number "compression.lz4.level" (3, 8) never
          config "compression.type" "producer" text "compression.type" always never
          config "compression.zstd.level" "3" number "compression.zstd.level" (3, 8) never
          config "delete.retention.ms" "86400000" wide "log.cleaner.delete.retention.ms" always never
          config "file.delete.delay.ms" "60000" wide "log.segment.delete.delay.ms" always never
          config "flush.messages" most wide "log.flush.interval.messages" always never
          config "flush.ms" most wide "" always never
          config "follower.replication.throttled.replicas" "" list "" always never
          config "index.interval.bytes" "4096" number "log.index.interval.bytes" always never
          config "leader.replication.throttled.replicas" "" list "" always never
          config "local.retention.bytes" "-2" wide "log.local.retention.bytes" (3, 6) never
          config "local.retention.ms" "-2" wide "log.local.retention.ms" (3, 6) never
          config "max.compaction.lag.ms" most wide "log.cleaner.max.compaction.lag.ms" (2, 3) never
          config "max.message.bytes" "1048588" number "message.max.bytes" always never
          config "message.downconversion.enable" "true" flag "log.message.downconversion.enable" (2, 0) (4, 0)
          config "message.format.version" "" text "log.message.format.version" always (4, 0)
          config "message.timestamp.after.max.ms" "3600000" wide "log.message.timestamp.after.max.ms" (3, 6) never
          config "message.timestamp.before.max.ms" most wide "log.message.timestamp.before.max.ms" (3, 6) never
          config "message.timestamp.difference.max.ms" most wide "log.message.timestamp.difference.max.ms" always (4, 0)
          config "message.timestamp.type" "CreateTime" text "log.message.timestamp.type" always never
          config "min.cleanable.dirty.ratio" "0.5" ConfigType.Double "log.cleaner.min.cleanable.ratio" always never
          config "min.compaction.lag.ms" "0" wide "log.cleaner.min.compaction.lag.ms" always never
          config "min.insync.replicas" "1" number "min.insync.replicas" always never
          config "preallocate" "false" flag "log.preallocate" always never
          config "remote.log.copy.disable" "false" flag "" (3, 9) never
          config "remote.log.delete.on.disable" "false" flag "" (3, 9) never
          config "remote.storage.enable" "false" flag "" (3, 6) never
          config "retention.bytes" "-1" wide "log.retention.bytes" always never
          config "retention.ms" "604800000" wide "" always never
          config "segment.bytes" "1073741824" number "log.segment.bytes" always never
          config "segment.index.bytes" "10485760" number "log.index.size.max.bytes" always never
          config "segment.jitter.ms" "0" wide "" always never
          config "segment.ms" "604800000" wide "" always never
          config "unclean.leader.election.enable" "false" flag "unclean.leader.election.enable" always never ]

    /// The configs that topics have in a release.
    let inRelease (release: Release) : TopicConfig list =
        let isSince (struct (major, minor)) = release.IsAtLeast(major, minor)
        all |> List.filter (fun config -> isSince config.Since && not (isSince config.Until))

    let private byName = all |> List.map (fun config -> config.Name, config) |> Map.ofList

    /// Whether a config has elements, separated by commas.
    let isList (name: string) : bool =
        match byName.TryFind name with
        | Some config -> config.Type = ConfigType.List
        | None -> false

    /// The default of a config in this cluster, which may differ from Kafka's.
    let fallback (name: string) (settings: ClusterSettings) : string =
        match settings.TopicDefaults.TryFind name with
        | Some value -> value
        | None when name = "max.message.bytes" && not (settings.Release.IsAtLeast(2, 4)) -> "1000012"
        | None ->
            match byName.TryFind name with
            | Some config -> config.Default
            | None -> ""

    /// The value of a config of a topic.
    let value (name: string) (topic: Topic) (state: State) : string =
        match topic.Configs.TryFind name with
        | Some value -> value
        | None -> fallback name state.Settings

    /// The value of a config that is a number.
    let number64 (name: string) (topic: Topic) (state: State) : int64 =
        match Int64.TryParse(value name topic state) with
        | true, number -> number
        | _ -> Int64.MaxValue

    /// A config between 0 and 1.
    let fraction (name: string) (topic: Topic) (state: State) : float =
        match Double.TryParse(value name topic state, Globalization.CultureInfo.InvariantCulture) with
        | true, number -> number
        | _ -> 1.0

    /// Whether the records of a topic are compacted.
    let isCompacted (topic: Topic) (state: State) : bool =
        (value "cleanup.policy" topic state).Contains("compact", StringComparison.Ordinal)

    /// The number of replicas that must be in sync for acks = all, and from 3.7 on also for the high watermark to rise. From then on it is at most
    /// the number of replicas.
    let leastInSync (topic: Topic) (partition: Partition) (state: State) : int64 =
        let asked = number64 "min.insync.replicas" topic state
        if state.Settings.Release.IsAtLeast(3, 7) then
            min asked (int64 partition.Replicas.Length)
        else
            asked

    /// Whether old segments of a topic are deleted.
    let isDeleted (topic: Topic) (state: State) : bool = (value "cleanup.policy" topic state).Contains("delete", StringComparison.Ordinal)

    /// Whether a value can be parsed as the config's type.
    let private isValid (config: TopicConfig) (value: string) : bool =
        match config.Name, config.Type with
        | "cleanup.policy", _ ->
            value.Split(',', StringSplitOptions.TrimEntries) |> Array.forall (fun it -> it = "compact" || it = "delete")
        | "compression.type", _ -> List.contains value [ "uncompressed"; "zstd"; "lz4"; "snappy"; "gzip"; "producer" ]
        | "message.timestamp.type", _ -> value = "CreateTime" || value = "LogAppendTime"
        | "min.insync.replicas", _ -> Int32.TryParse value |> (fun (isNumber, number) -> isNumber && number >= 1)
        | _, ConfigType.Int -> Int32.TryParse value |> fst
        | _, ConfigType.Long -> Int64.TryParse value |> fst
        | _, ConfigType.Double -> Double.TryParse(value, Globalization.CultureInfo.InvariantCulture) |> fst
        | _, ConfigType.Boolean -> value = "true" || value = "false"
        | _ -> true

    /// What is wrong with a config of a topic, as the broker says it.
    let check (name: string) (value: string) (release: Release) : string voption =
        match inRelease release |> List.tryFind (fun config -> config.Name = name) with
        | None -> ValueSome("Unknown topic config name: " + name)
        | Some config when not (isValid config value) -> ValueSome("Invalid value " + value + " for configuration " + name)
        | Some _ -> ValueNone
