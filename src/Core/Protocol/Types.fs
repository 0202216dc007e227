namespace LibKafka.Protocol

open System
open LibKafka.Records
open LibKafka.Wire
open LibKafka.Wire.Notation

/// How the types of `ErrorCode.fs` and `Codes.fs`, and the compression of `Records`, stand on the wire.
module internal Types =

    // Inlined, as the numbers themselves are: a closure for each would double the cost of a small field.
    let inline private coded
        ([<InlineIfLambda>] ofWire: 'A -> 'B)
        ([<InlineIfLambda>] toWire: 'B -> 'A)
        ([<InlineIfLambda>] meaning: 'B -> string)
        (number: Schema<'A>)
        : Schema<'B> =
        Schema.define
            { new Definition<'B>() with
                member _.Default = ofWire number.Default
                member _.At version = mappedCodec ofWire toWire meaning (number.At version) }

    /// Members, not values: those that a program does not use are not made when it starts.
    [<AutoOpen; AbstractClass; Sealed>]
    type Coded =
        static member errorCode = int16 |> coded ErrorCode _.Code _.Name
        static member apiKey = int16 |> coded ApiKey _.Code _.Name
        static member acks = int16 |> coded Acks _.Code _.Name
        static member isolationLevel = int8 |> coded IsolationLevel _.Code _.Name
        static member offsetSpec = int64 |> coded OffsetSpec _.Timestamp _.Name
        static member coordinatorType = int8 |> coded CoordinatorType _.Code _.Name
        static member configResourceType = int8 |> coded ConfigResourceType _.Code _.Name
        static member configSource = int8 |> coded ConfigSource _.Code _.Name
        static member configType = int8 |> coded ConfigType _.Code _.Name
        static member alterConfigOperation = int8 |> coded AlterConfigOperation _.Code _.Name
        static member aclResourceType = int8 |> coded AclResourceType _.Code _.Name
        static member aclPatternType = int8 |> coded AclPatternType _.Code _.Name
        static member aclOperation = int8 |> coded AclOperation _.Code _.Name
        static member aclPermission = int8 |> coded AclPermission _.Code _.Name
        static member authorizedOperations = int32 |> coded AuthorizedOperations _.Bits (fun _ -> "")
        static member scramMechanism = int8 |> coded ScramMechanism _.Code _.Name
        static member featureUpdateType = int8 |> coded FeatureUpdateType _.Code _.Name
        static member electionType = int8 |> coded ElectionType _.Code _.Name
        static member quotaMatchType = int8 |> coded QuotaMatchType _.Code _.Name
        static member endpointType = int8 |> coded EndpointType _.Code _.Name
        static member shareAcknowledgeType = int8 |> coded ShareAcknowledgeType _.Code _.Name
        static member shareAcquireMode = int8 |> coded ShareAcquireMode _.Code _.Name
        static member shareDeliveryState = int8 |> coded ShareDeliveryState _.Code _.Name
        static member groupMemberType = int8 |> coded GroupMemberType _.Code _.Name
        static member streamsStatus = int8 |> coded StreamsStatus _.Code _.Name
        static member topologyNodeType = int8 |> coded TopologyNodeType _.Code _.Name
        static member topologyDescriptionStatus = int8 |> coded TopologyDescriptionStatus _.Code _.Name
        static member leaderRecoveryState = int8 |> coded LeaderRecoveryState _.Code _.Name
        static member securityProtocol = int16 |> coded SecurityProtocol _.Code _.Name
        // Their names are what stands on the wire: there is nothing to add for people.
        static member groupState = string |> mapped GroupState _.Name (fun _ -> "")
        static member groupType = string |> mapped GroupType _.Name (fun _ -> "")
        static member transactionState = string |> mapped TransactionState _.Name (fun _ -> "")

        static member compressionType =
            let name compression = if Enum.IsDefined compression then CompressionType.name compression else ""
            int8 |> coded (fun code -> enum<CompressionType>(int code)) sbyte name
