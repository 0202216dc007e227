namespace LibKafka.Protocol

// The codes are in the namespace LibKafka, so that a C# program needs no other. F# programs have them here, with the messages.

/// See `LibKafka.ErrorCode`.
type ErrorCode = LibKafka.ErrorCode

/// See `LibKafka.ApiKey`.
type ApiKey = LibKafka.ApiKey

/// See `LibKafka.Acks`.
type Acks = LibKafka.Acks

/// See `LibKafka.IsolationLevel`.
type IsolationLevel = LibKafka.IsolationLevel

/// See `LibKafka.CoordinatorType`.
type CoordinatorType = LibKafka.CoordinatorType

/// See `LibKafka.ConfigResourceType`.
type ConfigResourceType = LibKafka.ConfigResourceType

/// See `LibKafka.ConfigSource`.
type ConfigSource = LibKafka.ConfigSource

/// See `LibKafka.ConfigType`.
type ConfigType = LibKafka.ConfigType

/// See `LibKafka.AlterConfigOperation`.
type AlterConfigOperation = LibKafka.AlterConfigOperation

/// See `LibKafka.AclResourceType`.
type AclResourceType = LibKafka.AclResourceType

/// See `LibKafka.AclPatternType`.
type AclPatternType = LibKafka.AclPatternType

/// See `LibKafka.AclOperation`.
type AclOperation = LibKafka.AclOperation

/// See `LibKafka.AclPermission`.
type AclPermission = LibKafka.AclPermission

/// See `LibKafka.ScramMechanism`.
type ScramMechanism = LibKafka.ScramMechanism

/// See `LibKafka.FeatureUpdateType`.
type FeatureUpdateType = LibKafka.FeatureUpdateType

/// See `LibKafka.ElectionType`.
type ElectionType = LibKafka.ElectionType

/// See `LibKafka.QuotaMatchType`.
type QuotaMatchType = LibKafka.QuotaMatchType

/// See `LibKafka.EndpointType`.
type EndpointType = LibKafka.EndpointType

/// See `LibKafka.ShareAcknowledgeType`.
type ShareAcknowledgeType = LibKafka.ShareAcknowledgeType

/// See `LibKafka.ShareAcquireMode`.
type ShareAcquireMode = LibKafka.ShareAcquireMode

/// See `LibKafka.ShareDeliveryState`.
type ShareDeliveryState = LibKafka.ShareDeliveryState

/// See `LibKafka.GroupMemberType`.
type GroupMemberType = LibKafka.GroupMemberType

/// See `LibKafka.StreamsStatus`.
type StreamsStatus = LibKafka.StreamsStatus

/// See `LibKafka.TopologyNodeType`.
type TopologyNodeType = LibKafka.TopologyNodeType

/// See `LibKafka.TopologyDescriptionStatus`.
type TopologyDescriptionStatus = LibKafka.TopologyDescriptionStatus

/// See `LibKafka.LeaderRecoveryState`.
type LeaderRecoveryState = LibKafka.LeaderRecoveryState

/// See `LibKafka.SecurityProtocol`.
type SecurityProtocol = LibKafka.SecurityProtocol

/// See `LibKafka.OffsetSpec`.
type OffsetSpec = LibKafka.OffsetSpec

/// See `LibKafka.AuthorizedOperations`.
type AuthorizedOperations = LibKafka.AuthorizedOperations

/// See `LibKafka.GroupState`.
type GroupState = LibKafka.GroupState

/// See `LibKafka.GroupType`.
type GroupType = LibKafka.GroupType

/// See `LibKafka.TransactionState`.
type TransactionState = LibKafka.TransactionState

/// See `LibKafka.CodeName`.
type CodeName = LibKafka.CodeName
