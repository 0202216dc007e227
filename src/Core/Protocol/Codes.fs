// Kafka's numeric codes. A number that is not known here is a value of the enum all the same: it is read, kept and written as it is.
namespace LibKafka

/// How many replicas must have written a batch before the broker answers a produce request.
type Acks =
    /// The broker does not answer.
    | None = 0s
    /// Only the leader.
    | Leader = 1s
    /// All in-sync replicas, of which there must be at least `min.insync.replicas`.
    | All = -1s

/// Which records of transactions a fetch returns (KIP-98).
type IsolationLevel =
    /// All records, those of open and aborted transactions included.
    | ReadUncommitted = 0y
    /// Records up to the last stable offset. The client skips the records of transactions that the response lists as aborted.
    | ReadCommitted = 1y

/// What kind of key FindCoordinator looks up.
type CoordinatorType =
    /// The key is a group id.
    | Group = 0y
    /// The key is a transactional id.
    | Transaction = 1y
    /// The key is a group id, a topic id and a partition, separated by colons (KIP-932).
    | Share = 2y

/// The kind of resource that a config belongs to.
type ConfigResourceType =
    | Unknown = 0y
    /// The name is the topic's.
    | Topic = 2y
    /// The name is the broker id. The empty name means the default of all brokers.
    | Broker = 4y
    /// The log levels of a broker (KIP-412). The name is the broker id.
    | BrokerLogger = 8y
    /// A telemetry subscription (KIP-714).
    | ClientMetrics = 16y
    /// The name is the group id (KIP-848).
    | Group = 32y

/// Where the value of a config comes from. It is -1 in versions that do not have it.
type ConfigSource =
    | Unknown = 0y
    /// Set on this topic.
    | DynamicTopicConfig = 1y
    /// Set on this broker at run time.
    | DynamicBrokerConfig = 2y
    /// Set for all brokers at run time.
    | DynamicDefaultBrokerConfig = 3y
    /// From the file that the broker was started with (`server.properties`).
    | StaticBrokerConfig = 4y
    /// Kafka's own default.
    | DefaultConfig = 5y
    /// A log level of this broker, set at run time.
    | DynamicBrokerLoggerConfig = 6y
    /// Set on this telemetry subscription.
    | DynamicClientMetricsConfig = 7y
    /// Set on this group.
    | DynamicGroupConfig = 8y

/// The type of a config's value, which is always sent as text.
type ConfigType =
    | Unknown = 0y
    | Boolean = 1y
    | String = 2y
    /// A 32-bit integer.
    | Int = 3y
    /// A 16-bit integer.
    | Short = 4y
    /// A 64-bit integer.
    | Long = 5y
    | Double = 6y
    /// Elements separated by commas.
    | List = 7y
    /// The name of a Java class.
    | Class = 8y
    /// The broker never sends the value: it is null.
    | Password = 9y

/// What IncrementalAlterConfigs does to a config.
type AlterConfigOperation =
    /// Sets the value.
    | Set = 0y
    /// Removes the value, so that the default applies.
    | Delete = 1y
    /// Adds elements to a list.
    | Append = 2y
    /// Removes elements from a list.
    | Subtract = 3y

/// The kind of resource that an ACL is for.
type AclResourceType =
    | Unknown = 0y
    /// In a filter: every kind.
    | Any = 1y
    | Topic = 2y
    | Group = 3y
    /// The name is always `kafka-cluster`.
    | Cluster = 4y
    | TransactionalId = 5y
    /// The name is the token's id.
    | DelegationToken = 6y
    /// The name is the principal for which others may create delegation tokens (KIP-373).
    | User = 7y

/// How the resource name of an ACL is matched (KIP-290).
type AclPatternType =
    | Unknown = 0y
    /// In a filter: ACLs of any pattern type with exactly this name.
    | Any = 1y
    /// In a filter: every ACL that applies to a resource of this name, whether literal, prefixed or `*`.
    | Match = 2y
    /// The whole name. `*` matches every name.
    | Literal = 3y
    /// A prefix of names.
    | Prefixed = 4y

/// The operation that an ACL allows or denies.
type AclOperation =
    | Unknown = 0y
    /// In a filter: every operation.
    | Any = 1y
    /// Every operation.
    | All = 2y
    | Read = 3y
    | Write = 4y
    | Create = 5y
    | Delete = 6y
    | Alter = 7y
    | Describe = 8y
    /// Requests between brokers.
    | ClusterAction = 9y
    | DescribeConfigs = 10y
    | AlterConfigs = 11y
    /// Producing with a producer id. Since Kafka 2.8 the permission to write to any topic implies it.
    | IdempotentWrite = 12y
    /// Creating delegation tokens for another user (KIP-373).
    | CreateTokens = 13y
    /// Describing the delegation tokens of another user (KIP-373).
    | DescribeTokens = 14y
    /// Keeping a transaction prepared for longer than its timeout (KIP-939).
    | TwoPhaseCommit = 15y

/// Whether an ACL allows or denies. An ACL that denies overrides every ACL that allows.
type AclPermission =
    | Unknown = 0y
    /// In a filter: both.
    | Any = 1y
    | Deny = 2y
    | Allow = 3y

/// The mechanism of a SCRAM credential (KIP-554).
type ScramMechanism =
    | Unknown = 0y
    | ScramSha256 = 1y
    | ScramSha512 = 2y

/// In which direction a feature level may be changed (KIP-584, KIP-778).
type FeatureUpdateType =
    /// Only to a higher level.
    | Upgrade = 1y
    /// To a lower level, if no metadata is lost.
    | SafeDowngrade = 2y
    /// To a lower level, even if metadata is lost.
    | UnsafeDowngrade = 3y

/// Which replica a leader election elects.
type ElectionType =
    /// The preferred one: the first in the partition's replica list.
    | Preferred = 0y
    /// An out-of-sync one if no in-sync replica is available. Acknowledged records may be lost.
    | Unclean = 1y

/// Which entities of a type DescribeClientQuotas matches (KIP-546).
type QuotaMatchType =
    /// The entity with the given name.
    | Exact = 0y
    /// The default entity of the type.
    | Default = 1y
    /// Every entity of the type.
    | Specified = 2y

/// Which nodes of a cluster DescribeCluster returns (KIP-919).
type EndpointType =
    | Broker = 1y
    | Controller = 2y

/// How a member of a share group acknowledges a record that it acquired (KIP-932).
type ShareAcknowledgeType =
    /// There is no record at this offset.
    | Gap = 0y
    /// The record was processed.
    | Accept = 1y
    /// The record was not processed and can be delivered again.
    | Release = 2y
    /// The record cannot be processed and must not be delivered again.
    | Reject = 3y
    /// The record is still being processed: its acquisition lock is extended (KIP-1222).
    | Renew = 4y

/// How many records a share fetch acquires (KIP-1206).
type ShareAcquireMode =
    /// Whole batches, so possibly more records than the request's limit.
    | BatchOptimized = 0y
    /// Never more records than the request's limit.
    | RecordLimit = 1y

/// The delivery state of a record in a share group, as brokers store it.
type ShareDeliveryState =
    /// Not acquired by a member.
    | Available = 0y
    /// Acquired by a member.
    | Acquired = 1y
    /// Processed by a member.
    | Acknowledged = 2y
    /// About to be archived (KIP-1191).
    | Archiving = 3y
    /// Rejected, delivered too often, or no longer in the log.
    | Archived = 4y

/// Which group protocol a member of a consumer group uses (KIP-1099).
type GroupMemberType =
    | Unknown = -1y
    /// JoinGroup and SyncGroup.
    | Classic = 0y
    /// ConsumerGroupHeartbeat (KIP-848).
    | Consumer = 1y

/// A status of a Streams group that its members must know (KIP-1071).
type StreamsStatus =
    /// The member's topology is older than the group's.
    | StaleTopology = 0y
    /// A source topic does not exist.
    | MissingSourceTopics = 1y
    /// Topics that must be copartitioned have different numbers of partitions.
    | IncorrectlyPartitionedTopics = 2y
    /// An internal topic does not exist yet.
    | MissingInternalTopics = 3y
    /// A member asked the whole application to shut down.
    | ShutdownApplication = 4y
    /// The first assignment of tasks is still delayed.
    | AssignmentDelayed = 5y

/// The kind of a node in a Streams topology (KIP-1331).
type TopologyNodeType =
    /// It reads topics.
    | Source = 1y
    | Processor = 2y
    /// It writes a topic.
    | Sink = 3y

/// Whether the response has the description of a Streams topology (KIP-1331).
type TopologyDescriptionStatus =
    | NotRequested = 0y
    /// The cluster has no description for the group.
    | NotStored = 1y
    /// The broker failed to read it.
    | Error = 2y
    | Available = 3y

/// Whether a partition's leader is still recovering from an unclean election (KIP-704).
type LeaderRecoveryState =
    | Recovered = 0y
    | Recovering = 1y

/// How a listener is secured.
type SecurityProtocol =
    /// Neither TLS nor SASL.
    | Plaintext = 0s
    /// TLS without SASL.
    | Ssl = 1s
    /// SASL without TLS.
    | SaslPlaintext = 2s
    /// SASL over TLS.
    | SaslSsl = 3s
