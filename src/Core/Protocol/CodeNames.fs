namespace LibKafka

/// Kafka's own names for the enums of its protocol, such as `READ_COMMITTED`, as its documentation and its tools write them. The name is
/// empty if the number is not known. (`ToString` gives .NET's name, such as `ReadCommitted`, or the number.)
[<AbstractClass; Sealed>]
type CodeName =

    static member Of(code: Acks) : string =
        match code with
        | Acks.None -> "NONE"
        | Acks.Leader -> "LEADER"
        | Acks.All -> "ALL"
        | _ -> ""

    static member Of(code: IsolationLevel) : string =
        match code with
        | IsolationLevel.ReadUncommitted -> "READ_UNCOMMITTED"
        | IsolationLevel.ReadCommitted -> "READ_COMMITTED"
        | _ -> ""

    static member Of(code: CoordinatorType) : string =
        match code with
        | CoordinatorType.Group -> "GROUP"
        | CoordinatorType.Transaction -> "TRANSACTION"
        | CoordinatorType.Share -> "SHARE"
        | _ -> ""

    static member Of(code: ConfigResourceType) : string =
        match code with
        | ConfigResourceType.Unknown -> "UNKNOWN"
        | ConfigResourceType.Topic -> "TOPIC"
        | ConfigResourceType.Broker -> "BROKER"
        | ConfigResourceType.BrokerLogger -> "BROKER_LOGGER"
        | ConfigResourceType.ClientMetrics -> "CLIENT_METRICS"
        | ConfigResourceType.Group -> "GROUP"
        | _ -> ""

    static member Of(code: ConfigSource) : string =
        match code with
        | ConfigSource.Unknown -> "UNKNOWN"
        | ConfigSource.DynamicTopicConfig -> "DYNAMIC_TOPIC_CONFIG"
        | ConfigSource.DynamicBrokerConfig -> "DYNAMIC_BROKER_CONFIG"
        | ConfigSource.DynamicDefaultBrokerConfig -> "DYNAMIC_DEFAULT_BROKER_CONFIG"
        | ConfigSource.StaticBrokerConfig -> "STATIC_BROKER_CONFIG"
        | ConfigSource.DefaultConfig -> "DEFAULT_CONFIG"
        | ConfigSource.DynamicBrokerLoggerConfig -> "DYNAMIC_BROKER_LOGGER_CONFIG"
        | ConfigSource.DynamicClientMetricsConfig -> "DYNAMIC_CLIENT_METRICS_CONFIG"
        | ConfigSource.DynamicGroupConfig -> "DYNAMIC_GROUP_CONFIG"
        | _ -> ""

    static member Of(code: ConfigType) : string =
        match code with
        | ConfigType.Unknown -> "UNKNOWN"
        | ConfigType.Boolean -> "BOOLEAN"
        | ConfigType.String -> "STRING"
        | ConfigType.Int -> "INT"
        | ConfigType.Short -> "SHORT"
        | ConfigType.Long -> "LONG"
        | ConfigType.Double -> "DOUBLE"
        | ConfigType.List -> "LIST"
        | ConfigType.Class -> "CLASS"
        | ConfigType.Password -> "PASSWORD"
        | _ -> ""

    static member Of(code: AlterConfigOperation) : string =
        match code with
        | AlterConfigOperation.Set -> "SET"
        | AlterConfigOperation.Delete -> "DELETE"
        | AlterConfigOperation.Append -> "APPEND"
        | AlterConfigOperation.Subtract -> "SUBTRACT"
        | _ -> ""

    static member Of(code: AclResourceType) : string =
        match code with
        | AclResourceType.Unknown -> "UNKNOWN"
        | AclResourceType.Any -> "ANY"
        | AclResourceType.Topic -> "TOPIC"
        | AclResourceType.Group -> "GROUP"
        | AclResourceType.Cluster -> "CLUSTER"
        | AclResourceType.TransactionalId -> "TRANSACTIONAL_ID"
        | AclResourceType.DelegationToken -> "DELEGATION_TOKEN"
        | AclResourceType.User -> "USER"
        | _ -> ""

    static member Of(code: AclPatternType) : string =
        match code with
        | AclPatternType.Unknown -> "UNKNOWN"
        | AclPatternType.Any -> "ANY"
        | AclPatternType.Match -> "MATCH"
        | AclPatternType.Literal -> "LITERAL"
        | AclPatternType.Prefixed -> "PREFIXED"
        | _ -> ""

    static member Of(code: AclOperation) : string =
        match code with
        | AclOperation.Unknown -> "UNKNOWN"
        | AclOperation.Any -> "ANY"
        | AclOperation.All -> "ALL"
        | AclOperation.Read -> "READ"
        | AclOperation.Write -> "WRITE"
        | AclOperation.Create -> "CREATE"
        | AclOperation.Delete -> "DELETE"
        | AclOperation.Alter -> "ALTER"
        | AclOperation.Describe -> "DESCRIBE"
        | AclOperation.ClusterAction -> "CLUSTER_ACTION"
        | AclOperation.DescribeConfigs -> "DESCRIBE_CONFIGS"
        | AclOperation.AlterConfigs -> "ALTER_CONFIGS"
        | AclOperation.IdempotentWrite -> "IDEMPOTENT_WRITE"
        | AclOperation.CreateTokens -> "CREATE_TOKENS"
        | AclOperation.DescribeTokens -> "DESCRIBE_TOKENS"
        | AclOperation.TwoPhaseCommit -> "TWO_PHASE_COMMIT"
        | _ -> ""

    static member Of(code: AclPermission) : string =
        match code with
        | AclPermission.Unknown -> "UNKNOWN"
        | AclPermission.Any -> "ANY"
        | AclPermission.Deny -> "DENY"
        | AclPermission.Allow -> "ALLOW"
        | _ -> ""

    /// The name of the SASL mechanism, such as `SCRAM-SHA-256`.
    static member Of(code: ScramMechanism) : string =
        match code with
        | ScramMechanism.Unknown -> "UNKNOWN"
        | ScramMechanism.ScramSha256 -> "SCRAM-SHA-256"
        | ScramMechanism.ScramSha512 -> "SCRAM-SHA-512"
        | _ -> ""

    static member Of(code: FeatureUpdateType) : string =
        match code with
        | FeatureUpdateType.Upgrade -> "UPGRADE"
        | FeatureUpdateType.SafeDowngrade -> "SAFE_DOWNGRADE"
        | FeatureUpdateType.UnsafeDowngrade -> "UNSAFE_DOWNGRADE"
        | _ -> ""

    static member Of(code: ElectionType) : string =
        match code with
        | ElectionType.Preferred -> "PREFERRED"
        | ElectionType.Unclean -> "UNCLEAN"
        | _ -> ""

    static member Of(code: QuotaMatchType) : string =
        match code with
        | QuotaMatchType.Exact -> "EXACT"
        | QuotaMatchType.Default -> "DEFAULT"
        | QuotaMatchType.Specified -> "SPECIFIED"
        | _ -> ""

    static member Of(code: EndpointType) : string =
        match code with
        | EndpointType.Broker -> "BROKER"
        | EndpointType.Controller -> "CONTROLLER"
        | _ -> ""

    static member Of(code: ShareAcknowledgeType) : string =
        match code with
        | ShareAcknowledgeType.Gap -> "GAP"
        | ShareAcknowledgeType.Accept -> "ACCEPT"
        | ShareAcknowledgeType.Release -> "RELEASE"
        | ShareAcknowledgeType.Reject -> "REJECT"
        | ShareAcknowledgeType.Renew -> "RENEW"
        | _ -> ""

    static member Of(code: ShareAcquireMode) : string =
        match code with
        | ShareAcquireMode.BatchOptimized -> "BATCH_OPTIMIZED"
        | ShareAcquireMode.RecordLimit -> "RECORD_LIMIT"
        | _ -> ""

    static member Of(code: ShareDeliveryState) : string =
        match code with
        | ShareDeliveryState.Available -> "AVAILABLE"
        | ShareDeliveryState.Acquired -> "ACQUIRED"
        | ShareDeliveryState.Acknowledged -> "ACKNOWLEDGED"
        | ShareDeliveryState.Archiving -> "ARCHIVING"
        | ShareDeliveryState.Archived -> "ARCHIVED"
        | _ -> ""

    static member Of(code: GroupMemberType) : string =
        match code with
        | GroupMemberType.Unknown -> "UNKNOWN"
        | GroupMemberType.Classic -> "CLASSIC"
        | GroupMemberType.Consumer -> "CONSUMER"
        | _ -> ""

    static member Of(code: StreamsStatus) : string =
        match code with
        | StreamsStatus.StaleTopology -> "STALE_TOPOLOGY"
        | StreamsStatus.MissingSourceTopics -> "MISSING_SOURCE_TOPICS"
        | StreamsStatus.IncorrectlyPartitionedTopics -> "INCORRECTLY_PARTITIONED_TOPICS"
        | StreamsStatus.MissingInternalTopics -> "MISSING_INTERNAL_TOPICS"
        | StreamsStatus.ShutdownApplication -> "SHUTDOWN_APPLICATION"
        | StreamsStatus.AssignmentDelayed -> "ASSIGNMENT_DELAYED"
        | _ -> ""

    static member Of(code: TopologyNodeType) : string =
        match code with
        | TopologyNodeType.Source -> "SOURCE"
        | TopologyNodeType.Processor -> "PROCESSOR"
        | TopologyNodeType.Sink -> "SINK"
        | _ -> ""

    static member Of(code: TopologyDescriptionStatus) : string =
        match code with
        | TopologyDescriptionStatus.NotRequested -> "NOT_REQUESTED"
        | TopologyDescriptionStatus.NotStored -> "NOT_STORED"
        | TopologyDescriptionStatus.Error -> "ERROR"
        | TopologyDescriptionStatus.Available -> "AVAILABLE"
        | _ -> ""

    static member Of(code: LeaderRecoveryState) : string =
        match code with
        | LeaderRecoveryState.Recovered -> "RECOVERED"
        | LeaderRecoveryState.Recovering -> "RECOVERING"
        | _ -> ""

    static member Of(code: SecurityProtocol) : string =
        match code with
        | SecurityProtocol.Plaintext -> "PLAINTEXT"
        | SecurityProtocol.Ssl -> "SSL"
        | SecurityProtocol.SaslPlaintext -> "SASL_PLAINTEXT"
        | SecurityProtocol.SaslSsl -> "SASL_SSL"
        | _ -> ""
