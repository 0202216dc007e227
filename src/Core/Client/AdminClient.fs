namespace LibKafka.Client

open System
open System.Collections.Generic
open System.Threading
open LibKafka.Wire
open LibKafka.Protocol

/// Why one item of an administrative call was not done.
[<RequireQualifiedAccess>]
type AdminFault =
    /// The broker's code, and what it says beside it.
    | Refused of ErrorCode * remark: string option
    /// Nobody could be asked about it, or the answer was lost: then it may have been done.
    | Fault of ClientFault
    /// The answer leaves it out.
    | NotAnswered

    /// One line for people.
    override this.ToString() =
        match this with
        | Refused(code, Some remark) -> code.ToString() + ": " + remark
        | Refused(code, None) -> code.ToString()
        | Fault fault -> fault.ToString()
        | NotAnswered -> "the answer does not speak of it"

/// What became of each item of an administrative call.
type AdminReply<'Item, 'Value> =
    {
        /// One for each item asked for, in that order.
        Results: ('Item * Result<'Value, AdminFault>) list
        /// Everything that was sent for it, in order, with the look-ups of whom to ask.
        Exchanges: ExchangeInfo list
    }

/// What an administrative call without items found.
type AdminAnswer<'Value> =
    {
        Result: Result<'Value, AdminFault>
        /// Everything that was sent for it, in order, with the look-ups of whom to ask.
        Exchanges: ExchangeInfo list
    }

/// What has settings: a topic, a broker by its id, a group, and so on.
type ConfigResource = { Type: ConfigResourceType; Name: string }

/// Administrative calls. Each asks the broker whose task it is: the controller, a partition's leader, a group's coordinator, or any; with
/// several of them, each once. Connections are kept for the next call. There are no retries. It is not for use by several threads at a
/// time.
[<Sealed>]
type AdminClient(settings: ClientSettings, bootstrap: Bootstrap) =
    let log = List<ExchangeInfo>()

    let observed =
        { settings with
            Observe =
                fun info ->
                    log.Add info
                    settings.Observe info }

    let connections = Dictionary<BrokerAddress, Connection>()
    let token = Option.defaultValue CancellationToken.None

    let keep (connection: Connection) =
        connections[connection.Broker] <- connection
        connection

    // One that is too old by the settings, or was unused for too long, has its socket until it is closed.
    let closeUnusable () =
        for connection in List.ofSeq connections.Values do
            if not connection.IsOpen then
                connection.Close()
                connections.Remove connection.Broker |> ignore

    let kept (broker: BrokerAddress) =
        match connections.TryGetValue broker with
        | true, connection when connection.IsOpen -> Some connection
        | _ -> None

    let connectTo (broker: BrokerAddress) cancellation : Result<Connection, ClientFault> =
        match kept broker with
        | Some connection -> Ok connection
        | None -> Connection.Open(observed, broker, cancellation) |> Result.map keep

    let connectAny cancellation : Result<Connection, ClientFault> =
        match connections.Values |> Seq.tryFind _.IsOpen with
        | Some connection -> Ok connection
        | None -> Cluster.connect observed bootstrap cancellation |> Result.map keep

    let metadata (topics: string list option) cancellation : Result<Metadata.Response, ClientFault> =
        connectAny cancellation |> Result.bind (fun connection -> (Cluster.metadata connection topics cancellation).Outcome)

    let connectController cancellation : Result<Connection, ClientFault> =
        metadata (Some []) cancellation
        |> Result.bind (fun response ->
            match Cluster.addressOf response response.ControllerId with
            | Some controller -> connectTo controller cancellation
            | None -> connectAny cancellation)

    let refusal (code: ErrorCode) (remark: string option) (value: 'Value) : Result<'Value, AdminFault> =
        if code.IsError then Error(AdminFault.Refused(code, remark)) else Ok value

    // What was told since then belongs to the call.
    let logged (work: unit -> 'T) : 'T * ExchangeInfo list =
        log.Clear()
        closeUnusable ()
        let result = work ()
        result, List.ofSeq log

    let reply (work: unit -> ('Item * Result<'Value, AdminFault>) list) : AdminReply<'Item, 'Value> =
        let results, exchanges = logged work
        { Results = results; Exchanges = exchanges }

    let answer (work: unit -> Result<'Value, AdminFault>) : AdminAnswer<'Value> =
        let result, exchanges = logged work
        { Result = result; Exchanges = exchanges }

    let failed (fault: ClientFault) item = item, Error(AdminFault.Fault fault)

    // One call about several items: `read` finds what the answer says of an item, if anything.
    let ask (connection: Result<Connection, ClientFault>) (items: 'Item list) (call: Connection -> Exchange<'Request, 'Response>) read =
        match connection |> Result.bind (fun connection -> (call connection).Outcome) with
        | Error fault -> items |> List.map (failed fault)
        | Ok response -> items |> List.map (fun item -> item, read response item |> Option.defaultValue (Error AdminFault.NotAnswered))

    // Several calls, one for each broker that is responsible for some of the items; the results are in the order of the items. Brokers are
    // named by what `connect` connects to.
    let askEach
        (items: 'Item list)
        (placeOf: 'Item -> Result<'Place, AdminFault>)
        connect
        (askSome: Result<Connection, ClientFault> -> 'Item list -> _)
        =
        let numbered = List.indexed items
        let placed = numbered |> List.map (fun (i, item) -> i, item, placeOf item)

        let unplaced =
            [ for i, item, place in placed do
                  match place with
                  | Error fault -> i, (item, Error fault)
                  | Ok _ -> () ]

        let byPlace =
            [ for i, item, place in placed do
                  match place with
                  | Ok place -> place, (i, item)
                  | Error _ -> () ]
            |> List.groupBy fst

        let asked =
            byPlace
            |> List.collect (fun (place, some) ->
                let indexes, items = some |> List.map snd |> List.unzip
                List.zip indexes (askSome (connect place) items))

        unplaced @ asked |> List.sortBy fst |> List.map snd

    // The broker that leads each partition.
    let leaders (partitions: TopicPartition list) cancellation : TopicPartition -> Result<Leader, AdminFault> =
        match metadata (Some(partitions |> List.map _.Topic |> List.distinct)) cancellation with
        | Error fault -> fun _ -> Error(AdminFault.Fault fault)
        | Ok response ->
            fun partition -> Cluster.leaderIn response partition |> Result.mapError (fun code -> AdminFault.Refused(code, None))

    let askLeaders (items: 'Item list) (partitionOf: 'Item -> TopicPartition) cancellation askSome =
        let leaderOf = leaders (List.map partitionOf items) cancellation
        askEach items (partitionOf >> leaderOf >> Result.map _.Address) (fun leader -> connectTo leader cancellation) askSome

    // The broker that looks after a group.
    let coordinatorOf (group: string) cancellation : Result<BrokerAddress, AdminFault> =
        connectAny cancellation
        |> Result.bind (fun connection -> (Cluster.findCoordinator connection CoordinatorType.Group group cancellation).Outcome)
        |> Result.mapError AdminFault.Fault
        |> Result.bind (fun response ->
            let found = Cluster.coordinatorIn response group
            refusal found.Error found.ErrorMessage { Host = found.Host; Port = found.Port })

    let askCoordinators (groups: string list) cancellation askSome =
        askEach groups (fun group -> coordinatorOf group cancellation) (fun broker -> connectTo broker cancellation) askSome

    // Settings of one broker, and its log levels, are that broker's to tell and to change; all others are any broker's.
    let askForConfigs (resources: 'Resource list) (resourceOf: 'Resource -> ConfigResource) cancellation askSome =
        let isOneBrokers (resource: ConfigResource) =
            (resource.Type = ConfigResourceType.Broker && resource.Name <> "") || resource.Type = ConfigResourceType.BrokerLogger

        let cluster =
            if resources |> List.exists (resourceOf >> isOneBrokers) then
                metadata (Some []) cancellation |> Result.mapError AdminFault.Fault
            else
                Ok Metadata.api.Response.Schema.Default

        let placeOf resource =
            let resource = resourceOf resource

            if not (isOneBrokers resource) then
                Ok None
            else
                cluster
                |> Result.bind (fun cluster ->
                    let address =
                        match Int32.TryParse resource.Name with
                        | true, node -> Cluster.addressOf cluster node
                        | false, _ -> None

                    match address with
                    | Some address -> Ok(Some address)
                    | None -> Error(AdminFault.Refused(ErrorCode.BrokerIdNotRegistered, None)))

        let connect place =
            match place with
            | Some broker -> connectTo broker cancellation
            | None -> connectAny cancellation

        askEach resources placeOf connect askSome

    // ---- topics ----

    /// Creates topics, in which one may also say which brokers are to have which partitions. The controller may take up to `timeout` until
    /// they are there. With `validateOnly` it only checks.
    member _.CreateTopics
        (topics: CreateTopics.Topic list, timeout: TimeSpan, ?validateOnly: bool, ?cancellation: CancellationToken)
        : AdminReply<string, CreateTopics.TopicResult> =
        let cancellation = token cancellation

        let request: CreateTopics.Request =
            { Topics = topics; TimeoutMs = Milliseconds.ofTimeSpan timeout; ValidateOnly = defaultArg validateOnly false }

        reply (fun () ->
            ask
                (connectController cancellation)
                (topics |> List.map _.Name)
                (fun connection -> connection.Call(CreateTopics.api, request, cancellation))
                (fun response name ->
                    response.Topics
                    |> List.tryFind (fun result -> result.Name = name)
                    |> Option.map (fun result -> refusal result.Error result.ErrorMessage result)))

    /// Creates topics whose replicas the controller spreads. It may take up to `timeout` until they are there.
    member this.CreateTopics
        (topics: NewTopic list, timeout: TimeSpan, ?cancellation: CancellationToken)
        : AdminReply<string, CreateTopics.TopicResult> =
        this.CreateTopics(List.map Cluster.toCreate topics, timeout, false, token cancellation)

    /// Deletes topics with everything in them. The controller may take up to `timeout` until they are gone.
    member _.DeleteTopics
        (names: string list, timeout: TimeSpan, ?cancellation: CancellationToken)
        : AdminReply<string, DeleteTopics.TopicResult> =
        let cancellation = token cancellation

        reply (fun () ->
            ask
                (connectController cancellation)
                names
                (fun connection -> Cluster.deleteTopics connection names timeout cancellation)
                (fun response name ->
                    response.Topics
                    |> List.tryFind (fun result -> result.Name = Some name)
                    |> Option.map (fun result -> refusal result.Error result.ErrorMessage result)))

    /// Enlarges topics. The controller may take up to `timeout` until the partitions are there. With `validateOnly` it only checks.
    member _.CreatePartitions
        (topics: CreatePartitions.Topic list, timeout: TimeSpan, ?validateOnly: bool, ?cancellation: CancellationToken)
        : AdminReply<string, unit> =
        let cancellation = token cancellation

        let request: CreatePartitions.Request =
            { Topics = topics; TimeoutMs = Milliseconds.ofTimeSpan timeout; ValidateOnly = defaultArg validateOnly false }

        reply (fun () ->
            ask
                (connectController cancellation)
                (topics |> List.map _.Name)
                (fun connection -> connection.Call(CreatePartitions.api, request, cancellation))
                (fun response name ->
                    response.Results
                    |> List.tryFind (fun result -> result.Name = name)
                    |> Option.map (fun result -> refusal result.Error result.ErrorMessage ())))

    /// Topics with their partitions, leaders and replicas.
    member _.DescribeTopics(names: string list, ?cancellation: CancellationToken) : AdminReply<string, Metadata.Topic> =
        let cancellation = token cancellation

        reply (fun () ->
            ask
                (connectAny cancellation)
                names
                (fun connection -> Cluster.metadata connection (Some names) cancellation)
                (fun response name ->
                    response.Topics
                    |> List.tryFind (fun topic -> topic.Name = Some name)
                    |> Option.map (fun topic -> refusal topic.Error None topic)))

    /// All topics that the client may see.
    member _.ListTopics(?cancellation: CancellationToken) : AdminAnswer<Metadata.Topic list> =
        answer (fun () ->
            metadata None (token cancellation)
            |> Result.mapError AdminFault.Fault
            |> Result.bind (fun response -> refusal response.Error None response.Topics))

    // ---- settings ----

    /// Settings of topics, brokers, groups and others. With `synonyms`, also from where else each value could come; with `documentation`,
    /// what it is for (Kafka 2.6).
    member _.DescribeConfigs
        (resources: DescribeConfigs.Resource list, ?synonyms: bool, ?documentation: bool, ?cancellation: CancellationToken)
        : AdminReply<ConfigResource, DescribeConfigs.Config list> =
        let cancellation = token cancellation
        let resourceOf (resource: DescribeConfigs.Resource) = { Type = resource.ResourceType; Name = resource.ResourceName }

        let askSome connection (some: DescribeConfigs.Resource list) =
            let request: DescribeConfigs.Request =
                { Resources = some; IncludeSynonyms = defaultArg synonyms false; IncludeDocumentation = defaultArg documentation false }

            ask connection some (fun connection -> connection.Call(DescribeConfigs.api, request, cancellation)) (fun response resource ->
                response.Results
                |> List.tryFind (fun result -> { Type = result.ResourceType; Name = result.ResourceName } = resourceOf resource)
                |> Option.map (fun result -> refusal result.Error result.ErrorMessage result.Configs))

        reply (fun () ->
            askForConfigs resources resourceOf cancellation askSome
            |> List.map (fun (resource, result) -> resourceOf resource, result))

    /// Changes single settings (KIP-339, Kafka 2.3): those of one resource all together or not at all. With `validateOnly` the broker only
    /// checks.
    member _.AlterConfigs
        (resources: IncrementalAlterConfigs.Resource list, ?validateOnly: bool, ?cancellation: CancellationToken)
        : AdminReply<ConfigResource, unit> =
        let cancellation = token cancellation
        let resourceOf (resource: IncrementalAlterConfigs.Resource) = { Type = resource.ResourceType; Name = resource.ResourceName }

        let askSome connection (some: IncrementalAlterConfigs.Resource list) =
            ask
                connection
                some
                (fun connection ->
                    connection.Call(
                        IncrementalAlterConfigs.api,
                        { Resources = some; ValidateOnly = defaultArg validateOnly false },
                        cancellation
                    ))
                (fun response resource ->
                    response.Results
                    |> List.tryFind (fun result -> { Type = result.ResourceType; Name = result.ResourceName } = resourceOf resource)
                    |> Option.map (fun result -> refusal result.Error result.ErrorMessage ()))

        reply (fun () ->
            askForConfigs resources resourceOf cancellation askSome
            |> List.map (fun (resource, result) -> resourceOf resource, result))

    // ---- records and offsets ----

    /// Deletes the records before an offset, or everything with -1. The value is the first offset that is still there. Leaders may wait up to
    /// `timeout` for their followers.
    member _.DeleteRecords
        (before: (TopicPartition * int64) list, timeout: TimeSpan, ?cancellation: CancellationToken)
        : AdminReply<TopicPartition, int64> =
        let cancellation = token cancellation

        let askSome connection (some: (TopicPartition * int64) list) =
            let partition (at: TopicPartition, offset) : DeleteRecords.Partition = { PartitionIndex = at.Partition; Offset = offset }
            let topic (name, ofTopic) : DeleteRecords.Topic = { Name = name; Partitions = List.map partition ofTopic }

            let request: DeleteRecords.Request =
                { Topics = Offsets.byTopic fst some |> List.map topic; TimeoutMs = Milliseconds.ofTimeSpan timeout }

            ask
                connection
                some
                (fun connection -> connection.Call(DeleteRecords.api, request, cancellation))
                (fun response (partition, _) ->
                    response.Topics
                    |> List.filter (fun topic -> topic.Name = partition.Topic)
                    |> List.collect _.Partitions
                    |> List.tryFind (fun result -> result.PartitionIndex = partition.Partition)
                    |> Option.map (fun result -> refusal result.Error None result.LowWatermark))

        reply (fun () -> askLeaders before fst cancellation askSome |> List.map (fun ((partition, _), result) -> partition, result))

    /// Finds offsets by their place or a timestamp. With `ReadCommitted` the latest is the last stable offset, else the high watermark. Where a
    /// broker does not know the place, such as the ends of tiered storage, it is not asked: `ClientFault.NoCommonVersion`.
    member _.ListOffsets
        (wanted: (TopicPartition * OffsetSpec) list, ?isolation: IsolationLevel, ?cancellation: CancellationToken)
        : AdminReply<TopicPartition, ListOffsets.PartitionResponse> =
        let cancellation = token cancellation

        let askKnown connection (some: (TopicPartition * OffsetSpec) list) =
            let partition (at: TopicPartition, spec) : ListOffsets.PartitionRequest =
                { PartitionIndex = at.Partition; CurrentLeaderEpoch = -1; Spec = spec }

            let topic (name, ofTopic) : ListOffsets.TopicRequest = { Name = name; Partitions = List.map partition ofTopic }

            let request: ListOffsets.Request =
                { ReplicaId = -1
                  IsolationLevel = defaultArg isolation IsolationLevel.ReadUncommitted
                  Topics = Offsets.byTopic fst some |> List.map topic
                  TimeoutMs = Milliseconds.ofTimeSpan settings.CallTimeout }

            ask connection some (fun connection -> connection.Call(ListOffsets.api, request, cancellation)) (fun response (partition, _) ->
                response.Topics
                |> List.filter (fun topic -> topic.Name = partition.Topic)
                |> List.collect _.Partitions
                |> List.tryFind (fun result -> result.PartitionIndex = partition.Partition)
                |> Option.map (fun result -> refusal result.Error None result))

        let known connection (_, spec: OffsetSpec) =
            connection
            |> Result.bind (fun (connection: Connection) -> connection.VersionWithin(ListOffsets.api.Key, Allowed.finding spec))
            |> Result.mapError AdminFault.Fault

        let askSome connection some = askEach some (known connection) (fun _ -> connection) askKnown

        reply (fun () -> askLeaders wanted fst cancellation askSome |> List.map (fun ((partition, _), result) -> partition, result))

    // ---- groups ----

    /// The groups of each broker, as far as it could be asked: all, or only those in some states (KIP-518, Kafka 2.6) or of some types
    /// (KIP-848, Kafka 3.8).
    member _.ListGroups
        (?states: GroupState list, ?types: GroupType list, ?cancellation: CancellationToken)
        : AdminAnswer<(BrokerAddress * Result<ListGroups.Group list, AdminFault>) list> =
        let cancellation = token cancellation

        let request: ListGroups.Request = { StatesFilter = defaultArg states []; TypesFilter = defaultArg types [] }

        let askOne broker =
            ask
                (connectTo broker cancellation)
                [ broker ]
                (fun connection -> connection.Call(ListGroups.api, request, cancellation))
                (fun response _ -> Some(refusal response.Error None response.Groups))

        answer (fun () ->
            metadata (Some []) cancellation
            |> Result.mapError AdminFault.Fault
            |> Result.map (fun response ->
                response.Brokers |> List.collect (fun broker -> askOne { Host = broker.Host; Port = broker.Port })))

    /// Classic groups with their members.
    member _.DescribeGroups(groups: string list, ?cancellation: CancellationToken) : AdminReply<string, DescribeGroups.Group> =
        let cancellation = token cancellation

        let askSome connection some =
            ask
                connection
                some
                (fun connection ->
                    connection.Call(DescribeGroups.api, { Groups = some; IncludeAuthorizedOperations = false }, cancellation))
                (fun response group ->
                    response.Groups
                    |> List.tryFind (fun found -> found.GroupId = group)
                    |> Option.map (fun found -> refusal found.Error found.ErrorMessage found))

        reply (fun () -> askCoordinators groups cancellation askSome)

    /// Groups of the new protocol (KIP-848) with their members.
    member _.DescribeConsumerGroups
        (groups: string list, ?cancellation: CancellationToken)
        : AdminReply<string, ConsumerGroupDescribe.Group> =
        let cancellation = token cancellation

        let askSome connection some =
            ask
                connection
                some
                (fun connection ->
                    connection.Call(ConsumerGroupDescribe.api, { GroupIds = some; IncludeAuthorizedOperations = false }, cancellation))
                (fun response group ->
                    response.Groups
                    |> List.tryFind (fun found -> found.GroupId = group)
                    |> Option.map (fun found -> refusal found.Error found.ErrorMessage found))

        reply (fun () -> askCoordinators groups cancellation askSome)

    /// Deletes groups without members, and their offsets.
    member _.DeleteGroups(groups: string list, ?cancellation: CancellationToken) : AdminReply<string, unit> =
        let cancellation = token cancellation

        let askSome connection some =
            ask
                connection
                some
                (fun connection -> connection.Call(DeleteGroups.api, { GroupsNames = some }, cancellation))
                (fun response group ->
                    response.Results
                    |> List.tryFind (fun result -> result.GroupId = group)
                    |> Option.map (fun result -> refusal result.Error result.ErrorMessage ()))

        reply (fun () -> askCoordinators groups cancellation askSome)

    // ---- access rules ----

    /// The access rules that a filter matches.
    member _.DescribeAcls(filter: AclFilter, ?cancellation: CancellationToken) : AdminAnswer<DescribeAcls.Resource list> =
        let cancellation = token cancellation

        answer (fun () ->
            connectAny cancellation
            |> Result.bind (fun connection -> connection.Call(DescribeAcls.api, filter, cancellation).Outcome)
            |> Result.mapError AdminFault.Fault
            |> Result.bind (fun response -> refusal response.Error response.ErrorMessage response.Resources))

    /// Makes access rules. One that is there already is no error.
    member _.CreateAcls(rules: CreateAcls.Acl list, ?cancellation: CancellationToken) : AdminReply<CreateAcls.Acl, unit> =
        let cancellation = token cancellation

        // The results have no names: they stand in the order of the rules.
        reply (fun () ->
            ask
                (connectAny cancellation)
                (List.indexed rules)
                (fun connection -> connection.Call(CreateAcls.api, { Creations = rules }, cancellation))
                (fun response (i, _) ->
                    response.Results |> List.tryItem i |> Option.map (fun result -> refusal result.Error result.ErrorMessage ()))
            |> List.map (fun ((_, rule), result) -> rule, result))

    /// Deletes the access rules that filters match. The value is what each filter matched: a rule with an error is still there.
    member _.DeleteAcls(filters: AclFilter list, ?cancellation: CancellationToken) : AdminReply<AclFilter, DeleteAcls.Acl list> =
        let cancellation = token cancellation

        // The results have no names: they stand in the order of the filters.
        reply (fun () ->
            ask
                (connectAny cancellation)
                (List.indexed filters)
                (fun connection -> connection.Call(DeleteAcls.api, { Filters = filters }, cancellation))
                (fun response (i, _) ->
                    response.FilterResults
                    |> List.tryItem i
                    |> Option.map (fun result -> refusal result.Error result.ErrorMessage result.MatchingAcls))
            |> List.map (fun ((_, filter), result) -> filter, result))

    // ---- the cluster ----

    /// The cluster's id, controller and brokers. Brokers before Kafka 2.8 tell it as metadata.
    member _.DescribeCluster(?cancellation: CancellationToken) : AdminAnswer<DescribeCluster.Response> =
        let cancellation = token cancellation

        let ofMetadata (response: Metadata.Response) : DescribeCluster.Response =
            { DescribeCluster.api.Response.Schema.Default with
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

        answer (fun () ->
            connectAny cancellation
            |> Result.bind (fun connection ->
                match connection.VersionOf DescribeCluster.api with
                | Ok _ -> connection.Call(DescribeCluster.api, request, cancellation).Outcome
                | Error _ -> (Cluster.metadata connection (Some []) cancellation).Outcome |> Result.map ofMetadata)
            |> Result.mapError AdminFault.Fault
            |> Result.bind (fun response -> refusal response.Error response.ErrorMessage response))

    /// Closes the connections. A later call makes new ones.
    member _.Close() =
        for connection in connections.Values do
            connection.Close()

        connections.Clear()

    interface IDisposable with
        member this.Dispose() = this.Close()
