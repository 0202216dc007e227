namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol

/// Administrative calls. Each asks the brokers whose task it is: the controller, the leaders of partitions, the coordinators of groups, or any
/// broker. Connections are kept for the next call. There are no retries. A call in which a broker may wait has a time-out of `CallTimeout`, or
/// of its own `timeout` and 5 seconds if that is longer. Two threads must not use a client at the same time: the second
/// one gets an InvalidOperationException, and nothing is sent.
[<Sealed>]
type AdminClient(settings: ClientSettings, bootstrap: Bootstrap) =
    let brokers = AdminBrokers(settings, bootstrap)

    let run (changes: bool) start (work: Operation -> ('Item * Result<'Value, AdminFault>) list) =
        let exchanges, result = brokers.Run(start, work)
        AdminReply<'Item, 'Value>(changes, exchanges, result)

    // A call about several items that changes nothing.
    let reply (call: CallOptions option) work = run false (fun settings -> Operation.Begin(settings, call)) work

    // A call about several items that changes something.
    let change (call: CallOptions option) work = run true (fun settings -> Operation.Begin(settings, call)) work

    // The same, in which brokers may wait.
    let waiting (call: CallOptions option) (wait: TimeSpan) work =
        run true (fun settings -> Operation.BeginWaiting(settings, call, wait)) work

    // A call without items.
    let answer (call: CallOptions option) (work: Operation -> Result<'Value, AdminFault>) =
        AdminAnswer<'Value>(brokers.Run((fun settings -> Operation.Begin(settings, call)), work))

    let askLeaders (items: 'Item list) (partitionOf: 'Item -> TopicPartition) operation askSome =
        let leaderOf = brokers.Leaders(List.map partitionOf items, operation)
        AdminRequest.askEach items partitionOf (partitionOf >> leaderOf) (fun leader -> brokers.Connect(leader, operation)) askSome

    let askCoordinators (groups: string list) operation askSome =
        let coordinatorOf group = brokers.CoordinatorOf(group, operation)
        AdminRequest.askEach groups id coordinatorOf (fun broker -> brokers.Connect(broker, operation)) askSome

    // The configs of one broker, and its log levels, are asked of that broker; all others of any broker.
    let askForConfigs (resources: 'Resource list) (resourceOf: 'Resource -> ConfigResource) operation askSome =
        let isOneBrokers (resource: ConfigResource) =
            (resource.Type = ConfigResourceType.Broker && resource.Name <> "") || resource.Type = ConfigResourceType.BrokerLogger

        let cluster =
            if resources |> List.exists (resourceOf >> isOneBrokers) then
                brokers.Metadata(Some [], operation) |> Result.mapError AdminFault.Fault
            else
                Ok Metadata.api.Response.Schema.Default

        let addressOf (cluster: Metadata.Response) (name: string) =
            match Int32.TryParse name with
            | true, node -> BrokerQuery.addressIn cluster node
            | false, _ -> None

        let placeOf resource =
            let resource = resourceOf resource

            if isOneBrokers resource then
                cluster
                |> Result.bind (fun cluster ->
                    match addressOf cluster resource.Name with
                    | Some address -> Ok(Some address)
                    | None -> Error(AdminFault.Refused(ErrorCode.BrokerIdNotRegistered, None)))
            else
                Ok None

        let connect place =
            match place with
            | Some broker -> brokers.Connect(broker, operation)
            | None -> brokers.ConnectAny operation

        AdminRequest.askEach resources resourceOf placeOf connect askSome
        |> List.map (fun (resource, result) -> resourceOf resource, result)

    // ---- topics ----

    /// Creates topics, for which the caller may say which brokers have which partitions. The controller may take up to `timeout` until they
    /// exist. With `validateOnly` it only checks the request. A topic that leaves its number of partitions or replicas to brokers before Kafka
    /// 2.4, which have no defaults for them, is not sent: `ClientFault.BrokerTooOld`.
    member _.CreateTopics
        (topics: CreateTopics.Topic list, timeout: TimeSpan, ?validateOnly: bool, ?call: CallOptions)
        : AdminReply<string, CreateTopics.TopicResult> =
        let create connection operation (some: CreateTopics.Topic list) =
            let request: CreateTopics.Request =
                { Topics = some; TimeoutMs = Milliseconds.ofTimeSpan timeout; ValidateOnly = defaultArg validateOnly false }

            AdminRequest.ask connection operation some CreateTopics.api request _.Name (fun response ->
                response.Topics |> List.map (fun result -> result.Name, AdminFault.check result.Error result.ErrorMessage result))

        let hasDefaults (connection: Result<Connection, ClientFault>) =
            match connection |> Result.bind (fun connection -> connection.VersionOf CreateTopics.api) with
            | Ok version -> version >= CreateTopics.defaultsSince
            | Error _ -> true

        let check topic = if NewTopic.usesDefaults topic then Error(AdminFault.Fault NewTopic.needsNumbers) else Ok()

        waiting call timeout (fun operation ->
            let connection = brokers.ConnectController operation

            if hasDefaults connection then
                create connection operation topics
            else
                AdminRequest.askEach topics _.Name check (fun () -> connection) (fun connection some -> create connection operation some)
            |> List.map (fun (topic, result) -> topic.Name, result))

    /// Creates topics whose replicas the controller places. It may take up to `timeout` until they exist.
    member this.CreateTopics(topics: NewTopic list, timeout: TimeSpan, ?call: CallOptions) : AdminReply<string, CreateTopics.TopicResult> =
        let topic (topic: NewTopic) : CreateTopics.Topic =
            { Name = topic.Name
              NumPartitions = topic.Partitions
              ReplicationFactor = topic.ReplicationFactor
              Assignments = []
              Configs = topic.Configs |> List.map (fun (name, value) -> { Name = name; Value = Some value }) }

        this.CreateTopics(List.map topic topics, timeout, false, ?call = call)

    /// Deletes topics and all their records. The controller may take up to `timeout` until they are gone.
    member _.DeleteTopics(names: string list, timeout: TimeSpan, ?call: CallOptions) : AdminReply<string, DeleteTopics.TopicResult> =
        let byName name : DeleteTopics.Topic = { Name = Some name; TopicId = Guid.Empty }

        // The names have a list of their own in older versions.
        let topicsFor (connection: Connection) =
            match connection.VersionOf DeleteTopics.api with
            | Ok version when version >= DeleteTopics.topicsSince -> List.map byName names
            | _ -> []

        waiting call timeout (fun operation ->
            let connection = brokers.ConnectController operation
            let topics = connection |> Result.map topicsFor |> Result.defaultValue []

            AdminRequest.ask
                connection
                operation
                names
                DeleteTopics.api
                { Topics = topics; TopicNames = names; TimeoutMs = Milliseconds.ofTimeSpan timeout }
                id
                (fun response ->
                    response.Topics
                    |> List.map (fun result ->
                        Option.defaultValue "" result.Name, AdminFault.check result.Error result.ErrorMessage result)))

    /// Adds partitions to topics. The controller may take up to `timeout` until they exist. With `validateOnly` it only checks the request.
    member _.CreatePartitions
        (topics: CreatePartitions.Topic list, timeout: TimeSpan, ?validateOnly: bool, ?call: CallOptions)
        : AdminReply<string, unit> =
        let request: CreatePartitions.Request =
            { Topics = topics; TimeoutMs = Milliseconds.ofTimeSpan timeout; ValidateOnly = defaultArg validateOnly false }

        waiting call timeout (fun operation ->
            AdminRequest.ask
                (brokers.ConnectController operation)
                operation
                (topics |> List.map _.Name)
                CreatePartitions.api
                request
                id
                (fun response ->
                    response.Results |> List.map (fun result -> result.Name, AdminFault.check result.Error result.ErrorMessage ())))

    /// Topics with their partitions, leaders and replicas.
    member _.DescribeTopics(names: string list, ?call: CallOptions) : AdminReply<string, Metadata.Topic> =
        reply call (fun operation ->
            AdminRequest.ask
                (brokers.ConnectAny operation)
                operation
                names
                Metadata.api
                (BrokerQuery.metadata (Some names))
                id
                (fun response ->
                    response.Topics |> List.map (fun topic -> Option.defaultValue "" topic.Name, AdminFault.check topic.Error None topic)))

    /// All topics that the client may see.
    member _.ListTopics(?call: CallOptions) : AdminAnswer<Metadata.Topic list> =
        answer call (fun operation ->
            brokers.Metadata(None, operation)
            |> Result.mapError AdminFault.Fault
            |> Result.bind (fun response -> AdminFault.check response.Error None response.Topics))

    // ---- configs ----

    /// The configs of topics, brokers, groups and others. With `synonyms`, also the other sources of each value (Kafka 1.1); with
    /// `documentation`, its description (Kafka 2.6). An older broker is not asked: `ClientFault.BrokerTooOld`.
    member _.DescribeConfigs
        (resources: DescribeConfigs.Resource list, ?synonyms: bool, ?documentation: bool, ?call: CallOptions)
        : AdminReply<ConfigResource, DescribeConfigs.Config list> =
        let resourceOf (resource: DescribeConfigs.Resource) = { Type = resource.ResourceType; Name = resource.ResourceName }

        let askSome operation connection (some: DescribeConfigs.Resource list) =
            let request: DescribeConfigs.Request =
                { Resources = some; IncludeSynonyms = defaultArg synonyms false; IncludeDocumentation = defaultArg documentation false }

            AdminRequest.ask connection operation some DescribeConfigs.api request resourceOf (fun response ->
                response.Results
                |> List.map (fun result ->
                    let configs = result.Configs |> List.map (DescribeConfigs.withSource result.ResourceType)

                    { Type = result.ResourceType; Name = result.ResourceName }, AdminFault.check result.Error result.ErrorMessage configs))

        reply call (fun operation -> askForConfigs resources resourceOf operation (askSome operation))

    /// Changes single configs (KIP-339, Kafka 2.3): those of one resource all together or not at all. With `validateOnly` the broker only
    /// checks the request.
    member _.AlterConfigs
        (resources: IncrementalAlterConfigs.Resource list, ?validateOnly: bool, ?call: CallOptions)
        : AdminReply<ConfigResource, unit> =
        let resourceOf (resource: IncrementalAlterConfigs.Resource) = { Type = resource.ResourceType; Name = resource.ResourceName }

        let askSome operation connection (some: IncrementalAlterConfigs.Resource list) =
            let request: IncrementalAlterConfigs.Request = { Resources = some; ValidateOnly = defaultArg validateOnly false }

            AdminRequest.ask connection operation some IncrementalAlterConfigs.api request resourceOf (fun response ->
                response.Results
                |> List.map (fun result ->
                    { Type = result.ResourceType; Name = result.ResourceName }, AdminFault.check result.Error result.ErrorMessage ()))

        change call (fun operation -> askForConfigs resources resourceOf operation (askSome operation))

    // ---- records and offsets ----

    /// Deletes the records before an offset, or all records with -1. The value is the first offset that is left. Leaders may wait up to
    /// `timeout` for their followers.
    member _.DeleteRecords
        (before: (TopicPartition * int64) list, timeout: TimeSpan, ?call: CallOptions)
        : AdminReply<TopicPartition, int64> =
        let askSome operation connection (some: (TopicPartition * int64) list) =
            let partition (at: TopicPartition, offset) : DeleteRecords.Partition = { PartitionIndex = at.Partition; Offset = offset }
            let topic name partitions : DeleteRecords.Topic = { Name = name; Partitions = partitions }

            let request: DeleteRecords.Request =
                { Topics = Offsets.topics topic partition some; TimeoutMs = Milliseconds.ofTimeSpan timeout }

            AdminRequest.ask connection operation some DeleteRecords.api request fst (fun response ->
                response.Topics
                |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)
                |> List.map (fun (partition, result) -> partition, AdminFault.check result.Error None result.LowWatermark))

        waiting call timeout (fun operation ->
            askLeaders before fst operation (askSome operation) |> List.map (fun ((partition, _), result) -> partition, result))

    /// Finds offsets by their place or by a timestamp. With `ReadCommitted` the latest offset is the last stable offset, else the high
    /// watermark. A broker that does not know the place, such as the ends of tiered storage, is not asked: `ClientFault.NoCommonVersion`.
    member _.ListOffsets
        (wanted: (TopicPartition * OffsetSpec) list, ?isolation: IsolationLevel, ?call: CallOptions)
        : AdminReply<TopicPartition, ListOffsets.PartitionResponse> =
        let askKnown operation connection (some: (TopicPartition * OffsetSpec) list) =
            let partition (at: TopicPartition, spec) : ListOffsets.PartitionRequest =
                { PartitionIndex = at.Partition; CurrentLeaderEpoch = -1; Spec = spec; MaxNumOffsets = 1 }

            let topic name partitions : ListOffsets.TopicRequest = { Name = name; Partitions = partitions }

            let request: ListOffsets.Request =
                { ReplicaId = -1
                  IsolationLevel = defaultArg isolation IsolationLevel.ReadUncommitted
                  Topics = Offsets.topics topic partition some
                  TimeoutMs = Milliseconds.ofTimeSpan settings.CallTimeout }

            AdminRequest.ask connection operation some ListOffsets.api request fst (fun response ->
                response.Topics
                |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)
                |> List.map (fun (partition, result) -> partition, AdminFault.check result.Error None result))

        let known connection (_, spec: OffsetSpec) =
            connection
            |> Result.bind (fun (connection: Connection) -> connection.VersionWithin(ListOffsets.api.Key, AllowedVersions.finding spec))
            |> Result.mapError AdminFault.Fault

        let askSome operation connection some = AdminRequest.askEach some fst (known connection) (fun _ -> connection) (askKnown operation)

        reply call (fun operation ->
            askLeaders wanted fst operation (askSome operation) |> List.map (fun ((partition, _), result) -> partition, result))

    // ---- groups ----

    /// The groups of each broker that could be asked: all, or only those in some states (KIP-518, Kafka 2.6) or of some types (KIP-848, Kafka
    /// 3.8).
    member _.ListGroups
        (?states: GroupState list, ?types: GroupType list, ?call: CallOptions)
        : AdminAnswer<(BrokerAddress * Result<ListGroups.Group list, AdminFault>) list> =
        let request: ListGroups.Request = { StatesFilter = defaultArg states []; TypesFilter = defaultArg types [] }

        let askOne operation broker =
            AdminRequest.ask (brokers.Connect(broker, operation)) operation [ broker ] ListGroups.api request id (fun response ->
                [ broker, AdminFault.check response.Error None response.Groups ])

        answer call (fun operation ->
            brokers.Metadata(Some [], operation)
            |> Result.mapError AdminFault.Fault
            |> Result.map (fun response ->
                response.Brokers |> List.collect (fun broker -> askOne operation { Host = broker.Host; Port = broker.Port })))

    /// Classic groups with their members.
    member _.DescribeGroups(groups: string list, ?call: CallOptions) : AdminReply<string, DescribeGroups.Group> =
        let askSome operation connection some =
            let request: DescribeGroups.Request = { Groups = some; IncludeAuthorizedOperations = false }

            AdminRequest.ask connection operation some DescribeGroups.api request id (fun response ->
                response.Groups |> List.map (fun found -> found.GroupId, AdminFault.check found.Error found.ErrorMessage found))

        reply call (fun operation -> askCoordinators groups operation (askSome operation))

    /// Groups of the new protocol (KIP-848) with their members.
    member _.DescribeConsumerGroups(groups: string list, ?call: CallOptions) : AdminReply<string, ConsumerGroupDescribe.Group> =
        let askSome operation connection some =
            let request: ConsumerGroupDescribe.Request = { GroupIds = some; IncludeAuthorizedOperations = false }

            AdminRequest.ask connection operation some ConsumerGroupDescribe.api request id (fun response ->
                response.Groups |> List.map (fun found -> found.GroupId, AdminFault.check found.Error found.ErrorMessage found))

        reply call (fun operation -> askCoordinators groups operation (askSome operation))

    /// Deletes groups without members, and their offsets.
    member _.DeleteGroups(groups: string list, ?call: CallOptions) : AdminReply<string, unit> =
        let askSome operation connection some =
            AdminRequest.ask connection operation some DeleteGroups.api { GroupsNames = some } id (fun response ->
                response.Results |> List.map (fun result -> result.GroupId, AdminFault.check result.Error result.ErrorMessage ()))

        change call (fun operation -> askCoordinators groups operation (askSome operation))

    // ---- ACLs ----

    /// The ACLs that match a filter.
    member _.DescribeAcls(filter: AclFilter, ?call: CallOptions) : AdminAnswer<DescribeAcls.Resource list> =
        answer call (fun operation ->
            brokers.ConnectAny operation
            |> Result.bind (fun connection ->
                connection.Ask(DescribeAcls.api, AclFilter.atVersion (connection.VersionOf DescribeAcls.api) filter, operation).Result)
            |> Result.mapError AdminFault.Fault
            |> Result.bind (fun response -> AdminFault.check response.Error response.ErrorMessage response.Resources))

    /// Creates ACLs. One that already exists is no error.
    member _.CreateAcls(acls: CreateAcls.Acl list, ?call: CallOptions) : AdminReply<CreateAcls.Acl, unit> =
        // The results have no names: they are in the order of the ACLs.
        change call (fun operation ->
            AdminRequest.ask
                (brokers.ConnectAny operation)
                operation
                (List.indexed acls)
                CreateAcls.api
                { Creations = acls }
                fst
                (fun response -> response.Results |> List.mapi (fun i result -> i, AdminFault.check result.Error result.ErrorMessage ()))
            |> List.map (fun ((_, acl), result) -> acl, result))

    /// Deletes the ACLs that match filters. The value is what each filter matched: an ACL with an error still exists.
    member _.DeleteAcls(filters: AclFilter list, ?call: CallOptions) : AdminReply<AclFilter, DeleteAcls.Acl list> =
        // The results have no names: they are in the order of the filters.
        change call (fun operation ->
            let connection = brokers.ConnectAny operation
            let version = connection |> Result.bind (fun connection -> connection.VersionOf DeleteAcls.api)

            AdminRequest.ask
                connection
                operation
                (List.indexed filters)
                DeleteAcls.api
                { Filters = filters |> List.map (AclFilter.atVersion version) }
                fst
                (fun response ->
                    response.FilterResults
                    |> List.mapi (fun i result -> i, AdminFault.check result.Error result.ErrorMessage result.MatchingAcls))
            |> List.map (fun ((_, filter), result) -> filter, result))

    // ---- the cluster ----

    /// The cluster's id, controller and brokers. Brokers before Kafka 2.8 report them as metadata.
    member _.DescribeCluster(?call: CallOptions) : AdminAnswer<DescribeCluster.Response> =
        let ofMetadata (response: Metadata.Response) : DescribeCluster.Response =
            { DescribeCluster.response.Default with
                ThrottleTimeMs = response.ThrottleTimeMs
                Error = response.Error
                ClusterId = Option.defaultValue "" response.ClusterId
                ControllerId = response.ControllerId
                Brokers =
                    response.Brokers
                    |> List.map (fun broker ->
                        { BrokerId = broker.NodeId; Host = broker.Host; Port = broker.Port; Rack = broker.Rack; IsFenced = false }) }

        let request: DescribeCluster.Request =
            { IncludeClusterAuthorizedOperations = false; EndpointType = EndpointType.Broker; IncludeFencedBrokers = false }

        answer call (fun operation ->
            brokers.ConnectAny operation
            |> Result.bind (fun connection ->
                match connection.VersionOf DescribeCluster.api with
                | Ok _ -> connection.Ask(DescribeCluster.api, request, operation).Result
                | Error _ -> Role.askMetadata (Some []) operation connection |> Result.map ofMetadata)
            |> Result.mapError AdminFault.Fault
            |> Result.bind (fun response -> AdminFault.check response.Error response.ErrorMessage response))

    /// Closes the connections. A later call makes new ones.
    member _.Close() = brokers.Close()

    interface IDisposable with
        member _.Dispose() = brokers.Close()
