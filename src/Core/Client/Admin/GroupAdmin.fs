namespace LibKafka.Client

open LibKafka.Protocol

/// Listing, describing and deleting groups, and their offsets. Most of these calls are answered by the coordinators.
[<RequireQualifiedAccess>]
module internal GroupAdmin =

    let list
        (brokers: AdminBrokers)
        states
        types
        operation
        : Result<(BrokerAddress * Result<ListGroups.Group list, AdminFault>) list, AdminFault> =
        let request: ListGroups.Request = { StatesFilter = states; TypesFilter = types }

        let askOne broker =
            broker,
            AdminRequest.answer (brokers.Connect(broker, operation)) operation ListGroups.api request (fun response ->
                AdminFault.check response.Error None response.Groups)

        brokers.All operation |> Result.map (List.map askOne)

    // Asks the coordinator of each item's group.
    let private askCoordinators (brokers: AdminBrokers) (groupOf: 'Item -> string) (items: 'Item list) operation askSome =
        let coordinatorOf = brokers.Coordinators(CoordinatorType.Group, List.map groupOf items, operation)
        AdminRequest.askEach items groupOf (groupOf >> coordinatorOf) (fun broker -> brokers.Connect(broker, operation)) askSome

    let describe (brokers: AdminBrokers) (groups: string list) operation =
        let askSome connection some =
            let request: DescribeGroups.Request = { Groups = some; IncludeAuthorizedOperations = false }

            AdminRequest.ask connection operation some DescribeGroups.api request id (fun response ->
                response.Groups |> List.map (fun found -> found.GroupId, AdminFault.check found.Error found.ErrorMessage found))

        askCoordinators brokers id groups operation askSome

    let describeConsumers (brokers: AdminBrokers) (groups: string list) operation =
        let askSome connection some =
            let request: ConsumerGroupDescribe.Request = { GroupIds = some; IncludeAuthorizedOperations = false }

            AdminRequest.ask connection operation some ConsumerGroupDescribe.api request id (fun response ->
                response.Groups |> List.map (fun found -> found.GroupId, AdminFault.check found.Error found.ErrorMessage found))

        askCoordinators brokers id groups operation askSome

    let delete (brokers: AdminBrokers) (groups: string list) operation =
        let askSome connection some =
            AdminRequest.ask connection operation some DeleteGroups.api { GroupsNames = some } id (fun response ->
                response.Results |> List.map (fun result -> result.GroupId, AdminFault.check result.Error result.ErrorMessage ()))

        askCoordinators brokers id groups operation askSome

    // ---- offsets ----

    let private byTopic (partitions: TopicPartition list) : (string * int list) list =
        Offsets.byTopic id partitions |> List.map (fun (topic, some) -> topic, some |> List.map _.Partition)

    // What a group has committed, according to a response.
    let private committedIn (response: OffsetFetch.Response) (group: string) : Result<FetchedOffset list, AdminFault> =
        let code, partitions = OffsetRequests.fetchedIn group response
        AdminFault.check code None [ for partition, answer in partitions -> OffsetRequests.fetched partition answer ]

    // Sends a request in one of the versions that name topics.
    let private askUpTo
        most
        (api: Api<'Request, 'Response>)
        (request: int16 -> 'Request)
        operation
        (connection: Result<Connection, ClientFault>)
        =
        connection
        |> Result.bind (fun connection -> connection.AskUpTo(most, api, request, operation).Result)
        |> Result.mapError AdminFault.Fault

    let listOffsets (brokers: AdminBrokers) (groups: (string * TopicPartition list option) list) requireStable operation =
        let ask connection some =
            let topics = [ for group, partitions in some -> group, partitions |> Option.map byTopic ]

            connection
            |> askUpTo Caps.offsetFetch OffsetFetch.api (OffsetRequests.fetchGroups topics requireStable) operation
            |> Result.map (fun response -> [ for group, _ in some -> group, committedIn response group ])
            |> AdminRequest.distribute some fst

        // Before Kafka 3.0 a request is about one group (KIP-709).
        let askSome (connection: Result<Connection, ClientFault>) some =
            match connection |> Result.bind _.VersionOf(OffsetFetch.api) with
            | Ok version when version < OffsetFetch.groupsSince -> some |> List.collect (List.singleton >> ask connection)
            | _ -> ask connection some

        askCoordinators brokers fst groups operation askSome |> List.map (fun ((group, _), result) -> group, result)

    // Calls about partitions of one group.
    let private askAbout (brokers: AdminBrokers) group partitionOf items operation askSome =
        let connection =
            brokers.Coordinators (CoordinatorType.Group, [ group ], operation) group
            |> Result.bind (fun broker -> brokers.Connect(broker, operation) |> Result.mapError AdminFault.Fault)

        AdminRequest.askEach items partitionOf (fun _ -> connection) Ok askSome

    let alterOffsets (brokers: AdminBrokers) group (offsets: (TopicPartition * CommittedOffset) list) operation =
        let askSome connection some =
            connection
            |> askUpTo Caps.offsetCommit OffsetCommit.api (fun _ -> OffsetRequests.commit group GroupMembership.none some) operation
            |> Result.map (fun response ->
                response.Topics
                |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)
                |> List.map (fun (partition, answer) -> partition, AdminFault.check answer.Error None ()))
            |> AdminRequest.distribute some fst

        askAbout brokers group fst offsets operation askSome |> List.map (fun ((partition, _), result) -> partition, result)

    let deleteOffsets (brokers: AdminBrokers) group (partitions: TopicPartition list) operation =
        let askSome connection some =
            let partition index : OffsetDelete.PartitionRequest = { PartitionIndex = index }
            let topic (name, indexes) : OffsetDelete.TopicRequest = { Name = name; Partitions = List.map partition indexes }
            let request: OffsetDelete.Request = { GroupId = group; Topics = byTopic some |> List.map topic }

            AdminRequest.askChecked connection operation some OffsetDelete.api request id (fun response ->
                response.Topics
                |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)
                |> List.map (fun (partition, answer) -> partition, AdminFault.check answer.Error None ())
                |> AdminFault.check response.Error None)

        askAbout brokers group id partitions operation askSome
