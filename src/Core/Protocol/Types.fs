namespace LibKafka.Protocol

open System
open LibKafka.Records
open LibKafka.Wire
open LibKafka.Wire.Notation

/// The schemas of Kafka's codes, for the definitions of messages.
module Types =

    // Inlined like the schemas of numbers: a closure for each would double the cost of a small field.
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

    let inline private enumerated ([<InlineIfLambda>] name: 'E -> string) (number: Schema<'A>) : Schema<'E> =
        number |> coded LanguagePrimitives.EnumOfValue LanguagePrimitives.EnumToValue name

    /// Members, not values: a program makes only those that it uses.
    [<AutoOpen; AbstractClass; Sealed>]
    type Coded =
        static member errorCode = int16 |> coded ErrorCode _.Code _.Name
        static member apiKey = int16 |> coded ApiKey _.Code _.Name
        static member acks: Schema<Acks> = int16 |> enumerated CodeName.Of
        static member isolationLevel: Schema<IsolationLevel> = int8 |> enumerated CodeName.Of
        static member offsetSpec = int64 |> coded OffsetSpec _.Timestamp _.Name
        static member coordinatorType: Schema<CoordinatorType> = int8 |> enumerated CodeName.Of
        static member configResourceType: Schema<ConfigResourceType> = int8 |> enumerated CodeName.Of
        static member configSource: Schema<ConfigSource> = int8 |> enumerated CodeName.Of
        static member configType: Schema<ConfigType> = int8 |> enumerated CodeName.Of
        static member alterConfigOperation: Schema<AlterConfigOperation> = int8 |> enumerated CodeName.Of
        static member aclResourceType: Schema<AclResourceType> = int8 |> enumerated CodeName.Of
        static member aclPatternType: Schema<AclPatternType> = int8 |> enumerated CodeName.Of
        static member aclOperation: Schema<AclOperation> = int8 |> enumerated CodeName.Of
        static member aclPermission: Schema<AclPermission> = int8 |> enumerated CodeName.Of
        static member authorizedOperations = int32 |> coded AuthorizedOperations _.Bits (fun _ -> "")
        static member scramMechanism: Schema<ScramMechanism> = int8 |> enumerated CodeName.Of
        static member featureUpdateType: Schema<FeatureUpdateType> = int8 |> enumerated CodeName.Of
        static member electionType: Schema<ElectionType> = int8 |> enumerated CodeName.Of
        static member quotaMatchType: Schema<QuotaMatchType> = int8 |> enumerated CodeName.Of
        static member endpointType: Schema<EndpointType> = int8 |> enumerated CodeName.Of
        static member shareAcknowledgeType: Schema<ShareAcknowledgeType> = int8 |> enumerated CodeName.Of
        static member shareAcquireMode: Schema<ShareAcquireMode> = int8 |> enumerated CodeName.Of
        static member shareDeliveryState: Schema<ShareDeliveryState> = int8 |> enumerated CodeName.Of
        static member groupMemberType: Schema<GroupMemberType> = int8 |> enumerated CodeName.Of
        static member streamsStatus: Schema<StreamsStatus> = int8 |> enumerated CodeName.Of
        static member topologyNodeType: Schema<TopologyNodeType> = int8 |> enumerated CodeName.Of
        static member topologyDescriptionStatus: Schema<TopologyDescriptionStatus> = int8 |> enumerated CodeName.Of
        static member leaderRecoveryState: Schema<LeaderRecoveryState> = int8 |> enumerated CodeName.Of
        static member securityProtocol: Schema<SecurityProtocol> = int16 |> enumerated CodeName.Of
        // The wire has their names, so there is no meaning to add.
        static member groupState = string |> mapped GroupState _.Name (fun _ -> "")
        static member groupType = string |> mapped GroupType _.Name (fun _ -> "")
        static member transactionState = string |> mapped TransactionState _.Name (fun _ -> "")

        static member compressionType =
            let name compression = if Enum.IsDefined compression then CompressionType.name compression else ""
            int8 |> coded (fun code -> enum<CompressionType>(int code)) sbyte name
