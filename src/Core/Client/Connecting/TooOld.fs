namespace LibKafka.Client

open LibKafka.Wire
open LibKafka.Protocol

/// Requests that the highest version the broker supports cannot carry, although later versions can.
[<RequireQualifiedAccess>]
module internal TooOld =

    /// The options of calls that set a field, by the path of the field without indexes, with the release of Kafka that brought its version.
    let options: (string * (string * string)) list =
        let staticMember = "a static member (group.instance.id)", "Kafka 2.3"
        let raisedEpoch = "RaiseEpoch", "Kafka 2.5"
        let membership = "a commit with a membership in a transaction", "Kafka 2.5"
        let anotherOwner = "a delegation token of another owner", "Kafka 3.3"
        let patternType = "ACLs for names with a prefix (the pattern type)", "Kafka 2.0"

        [ "InitProducerIdRequest/ProducerId", raisedEpoch
          "InitProducerIdRequest/ProducerEpoch", raisedEpoch
          "OffsetFetchRequest/RequireStable", ("requireStable", "Kafka 2.5")
          "TxnOffsetCommitRequest/GenerationIdOrMemberEpoch", membership
          "TxnOffsetCommitRequest/MemberId", membership
          "TxnOffsetCommitRequest/GroupInstanceId", membership
          "OffsetCommitRequest/GroupInstanceId", ("a commit with the membership of a static member", "Kafka 2.3")
          "JoinGroupRequest/GroupInstanceId", staticMember
          "SyncGroupRequest/GroupInstanceId", staticMember
          "HeartbeatRequest/GroupInstanceId", staticMember
          "LeaveGroupRequest/Members", ("a static member (group.instance.id) that leaves", "Kafka 2.4")
          "ConsumerGroupHeartbeatRequest/SubscribedTopicRegex", ("a regular expression of topics (TopicRegex)", "Kafka 4.0")
          "DescribeConfigsRequest/IncludeSynonyms", ("the synonyms of configs", "Kafka 1.1")
          "DescribeConfigsRequest/IncludeDocumentation", ("the documentation of configs", "Kafka 2.6")
          "DescribeAclsRequest/PatternTypeFilter", patternType
          "CreateAclsRequest/Creations/ResourcePatternType", patternType
          "DeleteAclsRequest/Filters/PatternTypeFilter", patternType
          "ListGroupsRequest/StatesFilter", ("a list of the groups in some states", "Kafka 2.6")
          "ListGroupsRequest/TypesFilter", ("a list of the groups of some types", "Kafka 3.8")
          "ElectLeadersRequest/ElectionType", ("an unclean election", "Kafka 2.4")
          "AlterPartitionReassignmentsRequest/AllowReplicationFactorChange",
          ("a reassignment that must not change the replication factor", "Kafka 4.1")
          "ListTransactionsRequest/DurationFilter", ("a list of the transactions that are running for some time", "Kafka 3.8")
          "ListTransactionsRequest/TransactionalIdPattern", ("a list of the transactions with a pattern of their ids", "Kafka 4.1")
          "CreateDelegationTokenRequest/OwnerPrincipalType", anotherOwner
          "CreateDelegationTokenRequest/OwnerPrincipalName", anotherOwner
          "ListConfigResourcesRequest/ResourceTypes", ("a list of the config resources of some types", "Kafka 4.1")
          "UpdateFeaturesRequest/ValidateOnly", ("a check of new feature levels (validateOnly)", "Kafka 3.3") ]

    let private withoutIndexes (path: string) : string = path.Split '/' |> Array.map (fun step -> step.Split('[')[0]) |> String.concat "/"

    // Other fields are named by their paths.
    let private optionOf (path: string) : (string * string) option =
        let path = withoutIndexes path
        options |> List.tryFind (fun (known, _) -> known = path) |> Option.map snd

    // The first later version that can carry the request.
    let private firstFor (api: Api<'Request, 'Response>) (version: int16) (request: 'Request) : int16 option =
        seq { version + 1s .. api.Versions.Highest }
        |> Seq.tryFind (fun later -> (Frame.encodeRequest api later 0 None request).IsOk)

    let private faultOf (api: Api<'Request, 'Response>) (version: int16) (request: 'Request) (fault: Fault) : ClientFault option =
        firstFor api version request
        |> Option.map (fun first ->
            let needed = api.Key.ToString() + " version " + string first
            let part, needs = optionOf fault.Path |> Option.defaultValue (fault.Path, needed)
            ClientFault.BrokerTooOld(part, needs, "it supports " + api.Key.ToString() + " up to version " + string version))

    /// The fault of a request that could not be sent in a version. If that is the highest one that the broker supports, and a later one could
    /// have carried the request, the broker is too old for it.
    let explain (api: Api<'Request, 'Response>) (theirs: VersionRange option) (request: 'Request) (fault: ClientFault) : ClientFault =
        match fault, theirs with
        | ClientFault.CannotEncode({ Problem = Problem.LossyField version } as reason), Some theirs when version = theirs.Highest ->
            faultOf api version request reason |> Option.defaultValue fault
        | _ -> fault
