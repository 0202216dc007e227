namespace LibKafka.Protocol

open System
open LibKafka.Records
open LibKafka.Wire
open LibKafka.Wire.Notation

/// How the types of `ErrorCode.fs` and `Codes.fs`, and the compression of `Records`, stand on the wire.
module internal Types =

    // Inlined, as the numbers themselves are: whoever uses one of these types makes them all, and closures for each would take a program that
    // has just started longer than the rest of its first message.
    let inline private coded
        ([<InlineIfLambda>] ofWire: 'A -> 'B)
        ([<InlineIfLambda>] toWire: 'B -> 'A)
        ([<InlineIfLambda>] meaning: 'B -> string)
        (number: Schema<'A>)
        : Schema<'B> =
        Schema(ofWire number.Default, number.Place, (fun version -> mappedCodec ofWire toWire meaning (number.At version)))

    let errorCode = int16 |> coded ErrorCode _.Code _.Name
    let apiKey = int16 |> coded ApiKey _.Code _.Name
    let acks = int16 |> coded Acks _.Code _.Name
    let isolationLevel = int8 |> coded IsolationLevel _.Code _.Name
    let offsetSpec = int64 |> coded OffsetSpec _.Timestamp _.Name
    let coordinatorType = int8 |> coded CoordinatorType _.Code _.Name
    let configResourceType = int8 |> coded ConfigResourceType _.Code _.Name
    let configSource = int8 |> coded ConfigSource _.Code _.Name
    let configType = int8 |> coded ConfigType _.Code _.Name
    let alterConfigOperation = int8 |> coded AlterConfigOperation _.Code _.Name
    let aclResourceType = int8 |> coded AclResourceType _.Code _.Name
    let aclPatternType = int8 |> coded AclPatternType _.Code _.Name
    let aclOperation = int8 |> coded AclOperation _.Code _.Name
    let aclPermission = int8 |> coded AclPermission _.Code _.Name
    let authorizedOperations = int32 |> coded AuthorizedOperations _.Bits (fun _ -> "")
    let scramMechanism = int8 |> coded ScramMechanism _.Code _.Name
    let featureUpdateType = int8 |> coded FeatureUpdateType _.Code _.Name
    let electionType = int8 |> coded ElectionType _.Code _.Name
    let quotaMatchType = int8 |> coded QuotaMatchType _.Code _.Name
    let endpointType = int8 |> coded EndpointType _.Code _.Name
    let shareAcknowledgeType = int8 |> coded ShareAcknowledgeType _.Code _.Name
    let shareAcquireMode = int8 |> coded ShareAcquireMode _.Code _.Name
    let shareDeliveryState = int8 |> coded ShareDeliveryState _.Code _.Name
    let groupMemberType = int8 |> coded GroupMemberType _.Code _.Name
    let streamsStatus = int8 |> coded StreamsStatus _.Code _.Name
    let topologyNodeType = int8 |> coded TopologyNodeType _.Code _.Name
    let topologyDescriptionStatus = int8 |> coded TopologyDescriptionStatus _.Code _.Name
    let leaderRecoveryState = int8 |> coded LeaderRecoveryState _.Code _.Name
    let securityProtocol = int16 |> coded SecurityProtocol _.Code _.Name
    // Their names are what stands on the wire: there is nothing to add for people.
    let groupState = string |> mapped GroupState _.Name (fun _ -> "")
    let groupType = string |> mapped GroupType _.Name (fun _ -> "")
    let transactionState = string |> mapped TransactionState _.Name (fun _ -> "")

    let compressionType =
        let name compression = if Enum.IsDefined compression then CompressionType.name compression else ""
        int8 |> coded (fun code -> enum<CompressionType>(int code)) sbyte name
