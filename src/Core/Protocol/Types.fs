namespace LibKafka.Protocol

open System
open LibKafka.Records
open LibKafka.Wire
open LibKafka.Wire.Notation

/// How the types of `ErrorCode.fs` and `Codes.fs`, and the compression of `Records`, stand on the wire.
module internal Types =

    let errorCode = int16 |> mapped ErrorCode _.Code _.Name
    let apiKey = int16 |> mapped ApiKey _.Code _.Name
    let acks = int16 |> mapped Acks _.Code _.Name
    let isolationLevel = int8 |> mapped IsolationLevel _.Code _.Name
    let offsetSpec = int64 |> mapped OffsetSpec _.Timestamp _.Name
    let coordinatorType = int8 |> mapped CoordinatorType _.Code _.Name
    let configResourceType = int8 |> mapped ConfigResourceType _.Code _.Name
    let configSource = int8 |> mapped ConfigSource _.Code _.Name
    let configType = int8 |> mapped ConfigType _.Code _.Name
    let alterConfigOperation = int8 |> mapped AlterConfigOperation _.Code _.Name
    let aclResourceType = int8 |> mapped AclResourceType _.Code _.Name
    let aclPatternType = int8 |> mapped AclPatternType _.Code _.Name
    let aclOperation = int8 |> mapped AclOperation _.Code _.Name
    let aclPermission = int8 |> mapped AclPermission _.Code _.Name
    let authorizedOperations = int32 |> mapped AuthorizedOperations _.Bits (fun _ -> "")
    let scramMechanism = int8 |> mapped ScramMechanism _.Code _.Name
    let featureUpdateType = int8 |> mapped FeatureUpdateType _.Code _.Name
    let electionType = int8 |> mapped ElectionType _.Code _.Name
    let quotaMatchType = int8 |> mapped QuotaMatchType _.Code _.Name
    let endpointType = int8 |> mapped EndpointType _.Code _.Name
    let shareAcknowledgeType = int8 |> mapped ShareAcknowledgeType _.Code _.Name
    let shareAcquireMode = int8 |> mapped ShareAcquireMode _.Code _.Name
    let shareDeliveryState = int8 |> mapped ShareDeliveryState _.Code _.Name
    let groupMemberType = int8 |> mapped GroupMemberType _.Code _.Name
    let streamsStatus = int8 |> mapped StreamsStatus _.Code _.Name
    let topologyNodeType = int8 |> mapped TopologyNodeType _.Code _.Name
    let topologyDescriptionStatus = int8 |> mapped TopologyDescriptionStatus _.Code _.Name
    let leaderRecoveryState = int8 |> mapped LeaderRecoveryState _.Code _.Name
    let securityProtocol = int16 |> mapped SecurityProtocol _.Code _.Name
    // Their names are what stands on the wire: there is nothing to add for people.
    let groupState = string |> mapped GroupState _.Name (fun _ -> "")
    let groupType = string |> mapped GroupType _.Name (fun _ -> "")
    let transactionState = string |> mapped TransactionState _.Name (fun _ -> "")

    let compressionType =
        let name compression = if Enum.IsDefined compression then CompressionType.name compression else ""
        int8 |> mapped (fun code -> enum<CompressionType>(int code)) sbyte name
