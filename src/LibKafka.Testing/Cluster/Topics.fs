namespace LibKafka.Testing

open System
open LibKafka
open LibKafka.Protocol

/// Metadata and the creation and deletion of topics.
[<RequireQualifiedAccess>]
module internal Topics =

    let private isLegal (letter: char) = Char.IsAsciiLetterOrDigit letter || letter = '.' || letter = '_' || letter = '-'

    /// What is wrong with the name of a topic, as the broker says it.
    let nameFault (name: string) : string voption =
        if name = "" then
            ValueSome "Topic name is illegal, it can't be empty"
        elif name = "." || name = ".." then
            ValueSome "Topic name cannot be \".\" or \"..\""
        elif name.Length > 249 then
            ValueSome("Topic name is illegal, it can't be longer than 249 characters, topic name: " + name)
        elif name |> Seq.forall isLegal |> not then
            ValueSome("Topic name \"" + name + "\" is illegal, it contains a character other than ASCII alphanumerics, '.', '_' and '-'")
        else
            ValueNone

    let private isOffline (node: int32) (state: State) =
        match state.Nodes.TryFind node with
        | Some node -> node.Status = NodeStatus.Stopped
        | None -> true

    let partitionMetadata (state: State) (partition: Partition) : Metadata.Partition =
        { Error = (if partition.Leader.IsNone then ErrorCode.LeaderNotAvailable else ErrorCode.None)
          PartitionIndex = partition.Index
          LeaderId = ValueOption.defaultValue -1 partition.Leader
          LeaderEpoch = partition.LeaderEpoch
          ReplicaNodes = partition.Replicas
          IsrNodes = partition.InSync
          OfflineReplicas = partition.Replicas |> List.filter (fun node -> isOffline node state) }

    // Releases before 2.4 say 0 if the client did not ask.
    let private notAsked (state: State) : AuthorizedOperations =
        if state.Settings.Release.IsAtLeast(2, 4) then
            AuthorizedOperations.NotAsked
        else
            AuthorizedOperations 0

    let topicOperations: AuthorizedOperations =
        AuthorizedOperations.Of
            [ AclOperation.Read
              AclOperation.Write
              AclOperation.Create
              AclOperation.Delete
              AclOperation.Alter
              AclOperation.Describe
              AclOperation.DescribeConfigs
              AclOperation.AlterConfigs ]

    let clusterOperations: AuthorizedOperations =
        AuthorizedOperations.Of
            [ AclOperation.Create
              AclOperation.Alter
              AclOperation.Describe
              AclOperation.ClusterAction
              AclOperation.DescribeConfigs
              AclOperation.AlterConfigs
              AclOperation.IdempotentWrite ]

    let private topicMetadata (operations: AuthorizedOperations) (state: State) (topic: Topic) : Metadata.Topic =
        { Error = ErrorCode.None
          Name = Some topic.Name
          TopicId = topic.Id
          IsInternal = topic.IsInternal
          Partitions = [ for partition in topic.Partitions -> partitionMetadata state partition ]
          AuthorizedOperations = operations }

    let private missing (code: ErrorCode) (name: string option) (id: Guid) (state: State) : Metadata.Topic =
        { Error = code
          Name = name
          TopicId = id
          IsInternal = name = Some Cluster.OffsetsTopic || name = Some Cluster.TransactionTopic
          Partitions = []
          AuthorizedOperations = notAsked state }

    /// A topic with the default number of partitions and replicas.
    let create (name: string) (partitions: int) (replication: int) (configs: Map<string, string>) (state: State) : State * Topic =
        let placed = Cluster.place state.Topics.Count partitions replication 0 state
        Cluster.addTopic name false configs placed state

    let private replicationIn (state: State) = min (int state.Settings.DefaultReplication) (max 1 (Cluster.liveNodes state).Length)

    let private byName
        (call: Call)
        (mayCreate: bool)
        (operations: AuthorizedOperations)
        (name: string)
        (state: State)
        : State * Metadata.Topic =
        match Cluster.tryTopic name state with
        | _ when not (Security.isAllowed call AclOperation.Describe AclResourceType.Topic name state) ->
            state, missing ErrorCode.TopicAuthorizationFailed (Some name) Guid.Empty state
        | Some topic -> state, topicMetadata operations state topic
        | None when mayCreate && (nameFault name).IsSome -> state, missing ErrorCode.InvalidTopicException (Some name) Guid.Empty state
        | None when mayCreate ->
            let state, topic = create name state.Settings.DefaultPartitions (replicationIn state) Map.empty state
            state, topicMetadata operations state topic
        | None when state.Settings.Release.IsAtLeast(4, 0) && (nameFault name).IsSome ->
            state, missing ErrorCode.InvalidTopicException (Some name) Guid.Empty state
        | None -> state, missing ErrorCode.UnknownTopicOrPartition (Some name) Guid.Empty state

    let private byId (call: Call) (operations: AuthorizedOperations) (id: Guid) (state: State) : Metadata.Topic =
        match Cluster.tryTopicById id state with
        | Some topic when Security.isAllowed call AclOperation.Describe AclResourceType.Topic topic.Name state ->
            topicMetadata operations state topic
        | _ -> missing ErrorCode.UnknownTopicId None id state

    let metadata (call: Call) (request: Metadata.Request) (state: State) : State * Answer =
        let operations = if request.IncludeTopicAuthorizedOperations then topicOperations else notAsked state

        let all () =
            [ for topic in state.Topics.Values do
                  if Security.isAllowed call AclOperation.Describe AclResourceType.Topic topic.Name state then
                      topicMetadata operations state topic ]

        let mayCreate = request.AllowAutoTopicCreation && state.Settings.AutoCreateTopics

        let one state (topic: Metadata.TopicRequest) =
            match topic.Name with
            | Some name -> byName call mayCreate operations name state
            | None -> state, byId call operations topic.TopicId state

        let state, topics =
            match request.Topics with
            | None -> state, all ()
            | Some [] when call.Version = 0s -> state, all ()
            | Some topics -> Cluster.foldResults one state topics

        let live = Cluster.liveNodes state

        state,
        Reply(
            Response.Metadata
                { ThrottleTimeMs = 0
                  Brokers = [ for node in live -> { NodeId = node.Id; Host = node.Host; Port = node.Port; Rack = node.Rack } ]
                  ClusterId = Some state.Settings.ClusterId
                  ControllerId = live |> List.tryHead |> Option.map _.Id |> Option.defaultValue -1
                  Topics = topics
                  ClusterAuthorizedOperations = (if request.IncludeClusterAuthorizedOperations then clusterOperations else notAsked state)
                  Error = ErrorCode.None }
        )

    /// Why a topic is not created.
    type private Refusal = { Code: ErrorCode; Text: string }

    let private refuse code text : Result<'T, Refusal> = Error { Code = code; Text = text }

    let private checkAssignments (topic: CreateTopics.Topic) (state: State) : Result<int32 list list, Refusal> =
        let ordered = topic.Assignments |> List.sortBy _.PartitionIndex
        let replicas = ordered |> List.map _.BrokerIds

        if topic.NumPartitions <> -1 || topic.ReplicationFactor <> -1s then
            refuse
                ErrorCode.InvalidRequest
                "Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be used at the same time."
        elif ordered |> List.mapi (fun index it -> it.PartitionIndex = index) |> List.contains false then
            refuse ErrorCode.InvalidReplicaAssignment "partitions should be a consecutive 0-based integer sequence"
        elif replicas |> List.exists (fun it -> it.IsEmpty || List.distinct it <> it) then
            refuse ErrorCode.InvalidReplicaAssignment "The manual partition assignment includes duplicates or an empty list."
        elif replicas |> List.concat |> List.exists (fun node -> not (state.Nodes.ContainsKey node)) then
            refuse ErrorCode.InvalidReplicaAssignment "The manual partition assignment includes an unknown broker."
        else
            Ok replicas

    let private checkNumbers (topic: CreateTopics.Topic) (state: State) : Result<struct (int32 * int32), Refusal> =
        // KIP-464. It is for all versions of the request, although clients are told to use version 4.
        let hasDefaults = state.Settings.Release.IsAtLeast(2, 4)
        let live = (Cluster.liveNodes state).Length

        let partitions =
            if topic.NumPartitions = -1 && hasDefaults then
                state.Settings.DefaultPartitions
            else
                topic.NumPartitions

        let replication =
            if topic.ReplicationFactor = -1s && hasDefaults then
                replicationIn state
            else
                int32 topic.ReplicationFactor

        if partitions <= 0 then
            refuse ErrorCode.InvalidPartitions "Number of partitions must be larger than 0."
        elif replication <= 0 then
            refuse ErrorCode.InvalidReplicationFactor "Replication factor must be larger than 0."
        elif replication > live then
            refuse
                ErrorCode.InvalidReplicationFactor
                ("Replication factor: " + string replication + " larger than available brokers: " + string live + ".")
        else
            Ok(struct (partitions, replication))

    let private checkConfigs (topic: CreateTopics.Topic) (state: State) : Result<Map<string, string>, Refusal> =
        let configs = [ for config in topic.Configs -> config.Name, Option.defaultValue "" config.Value ]

        match configs |> Seq.tryPick (fun (name, value) -> Configs.check name value state.Settings.Release |> ValueOption.toOption) with
        | Some text -> refuse ErrorCode.InvalidConfig text
        | None -> Ok(Map.ofList configs)

    /// The partitions and configs of a topic to create, or why it cannot be.
    let private plan (call: Call) (topic: CreateTopics.Topic) (state: State) : Result<Partition list * Map<string, string>, Refusal> =
        match nameFault topic.Name with
        | ValueSome text -> refuse ErrorCode.InvalidTopicException text
        | ValueNone when state.Topics.ContainsKey topic.Name ->
            refuse ErrorCode.TopicAlreadyExists ("Topic '" + topic.Name + "' already exists.")
        | ValueNone when not (Security.isAllowed call AclOperation.Create AclResourceType.Topic topic.Name state) ->
            refuse ErrorCode.TopicAuthorizationFailed "Authorization failed."
        | ValueNone ->
            let placed =
                if topic.Assignments.IsEmpty then
                    checkNumbers topic state
                    |> Result.map (fun (struct (count, replication)) -> Cluster.place state.Topics.Count count replication 0 state)
                else
                    checkAssignments topic state
                    |> Result.map (fun replicas ->
                        Cluster.place 0 replicas.Length 1 0 state
                        |> List.map2
                            (fun nodes partition ->
                                { partition with Leader = ValueSome(List.head nodes); Replicas = nodes; InSync = nodes })
                            replicas)

            placed |> Result.bind (fun partitions -> checkConfigs topic state |> Result.map (fun configs -> partitions, configs))

    let private configResults (configs: Map<string, string>) (state: State) : CreateTopics.ConfigResult list =
        [ for config in Configs.inRelease state.Settings.Release ->
              let own = configs.TryFind config.Name

              { Name = config.Name
                Value = Some(own |> Option.defaultWith (fun () -> Configs.fallback config.Name state.Settings))
                ReadOnly = false
                ConfigSource =
                  (if own.IsSome then ConfigSource.DynamicTopicConfig
                   elif state.Settings.TopicDefaults.ContainsKey config.Name then ConfigSource.StaticBrokerConfig
                   else ConfigSource.DefaultConfig)
                IsSensitive = false } ]

    // The first versions that are refused while controller_mutation_rate is exceeded (KIP-599). Earlier ones are only throttled.
    [<Literal>]
    let private createRefusedSince = 6s

    [<Literal>]
    let private deleteRefusedSince = 5s

    [<Literal>]
    let private growRefusedSince = 3s

    let createTopics (call: Call) (request: CreateTopics.Request) (state: State) : State * Answer =
        let twice = request.Topics |> List.countBy _.Name |> List.filter (fun (_, count) -> count > 1) |> List.map fst

        let create (before: Mutations) (topic: CreateTopics.Topic) =
            let state = before.Current

            let planned =
                if List.contains topic.Name twice then
                    refuse ErrorCode.InvalidRequest "Duplicate topic name."
                else
                    plan call topic state

            let failed: CreateTopics.TopicResult =
                { Name = topic.Name
                  TopicId = Guid.Empty
                  Error = ErrorCode.None
                  ErrorMessage = None
                  TopicConfigError = ErrorCode.None
                  NumPartitions = -1
                  ReplicationFactor = -1s
                  Configs = Some [] }

            match planned with
            | Error refusal -> before, { failed with Error = refusal.Code; ErrorMessage = Some refusal.Text }
            | Ok(partitions, configs) ->
                match Quotas.mutate call (call.Version >= createRefusedSince) partitions.Length before with
                | after, false -> after, { failed with Error = ErrorCode.ThrottlingQuotaExceeded }
                | after, true ->
                    let added, topic = Cluster.addTopic topic.Name false configs partitions after.Current

                    (if request.ValidateOnly then after else { after with Current = added }),
                    { failed with
                        TopicId = (if request.ValidateOnly then Guid.Empty else topic.Id)
                        NumPartitions = partitions.Length
                        ReplicationFactor = int16 partitions.Head.Replicas.Length
                        Configs = Some(configResults configs state) }

        let after, results = request.Topics |> List.distinctBy _.Name |> Cluster.foldResults create (Quotas.begin' state)

        after.Current, Reply(Response.CreateTopics { ThrottleTimeMs = after.ThrottleMs; Topics = results })

    let deleteTopics (call: Call) (request: DeleteTopics.Request) (state: State) : State * Answer =
        let requested: DeleteTopics.Topic list =
            if call.Version >= DeleteTopics.topicsSince then
                request.Topics
            else
                [ for name in request.TopicNames -> { Name = Some name; TopicId = Guid.Empty } ]

        let delete (before: Mutations) (topic: DeleteTopics.Topic) =
            let state = before.Current

            let found, code =
                match topic.Name with
                | Some name -> Cluster.tryTopic name state, ErrorCode.UnknownTopicOrPartition
                | None -> Cluster.tryTopicById topic.TopicId state, ErrorCode.UnknownTopicId

            let result: DeleteTopics.TopicResult =
                { Name = topic.Name; TopicId = topic.TopicId; Error = code; ErrorMessage = Some code.Description }

            match found with
            | None -> before, result
            | Some found when not (Security.isAllowed call AclOperation.Delete AclResourceType.Topic found.Name state) ->
                before, { result with Error = ErrorCode.TopicAuthorizationFailed }
            | Some found ->
                let result = { result with Name = Some found.Name; TopicId = found.Id; Error = ErrorCode.None; ErrorMessage = None }

                match Quotas.mutate call (call.Version >= deleteRefusedSince) found.Partitions.Length before with
                | after, false -> after, { result with Error = ErrorCode.ThrottlingQuotaExceeded }
                | after, true -> { after with Current = Cluster.removeTopic found after.Current }, result

        let after, results = Cluster.foldResults delete (Quotas.begin' state) requested
        after.Current, Reply(Response.DeleteTopics { ThrottleTimeMs = after.ThrottleMs; Topics = results })

    /// Adds partitions to a topic, or says why not.
    let private grow (call: Call) (topic: CreatePartitions.Topic) (state: State) : Result<Topic, Refusal> =
        match Cluster.tryTopic topic.Name state with
        | _ when not (Security.isAllowed call AclOperation.Alter AclResourceType.Topic topic.Name state) ->
            refuse ErrorCode.TopicAuthorizationFailed "The topic authorization is failed."
        | None -> refuse ErrorCode.UnknownTopicOrPartition ("The topic '" + topic.Name + "' does not exist.")
        | Some found when topic.Count <= found.Partitions.Length ->
            refuse
                ErrorCode.InvalidPartitions
                ("The topic "
                 + topic.Name
                 + " currently has "
                 + string found.Partitions.Length
                 + " partition(s); "
                 + string topic.Count
                 + " would not be an increase.")
        | Some found ->
            let before = found.Partitions.Length
            let added = Cluster.place before (topic.Count - before) found.Partitions[0].Replicas.Length before state

            let assigned =
                match topic.Assignments with
                | Some assignments when assignments.Length = added.Length ->
                    List.map2
                        (fun (it: CreatePartitions.Assignment) partition ->
                            { partition with Leader = ValueSome it.BrokerIds.Head; Replicas = it.BrokerIds; InSync = it.BrokerIds })
                        assignments
                        added
                | _ -> added

            Ok { found with Partitions = found.Partitions.AddRange assigned }

    let createPartitions (call: Call) (request: CreatePartitions.Request) (state: State) : State * Answer =
        let change (before: Mutations) (topic: CreatePartitions.Topic) : Mutations * CreatePartitions.TopicResult =
            let result code text : CreatePartitions.TopicResult = { Name = topic.Name; Error = code; ErrorMessage = text }

            match grow call topic before.Current with
            | Error refusal -> before, result refusal.Code (Some refusal.Text)
            | Ok grown ->
                let added = grown.Partitions.Length - before.Current.Topics[topic.Name].Partitions.Length

                match Quotas.mutate call (call.Version >= growRefusedSince) added before with
                | after, false -> after, result ErrorCode.ThrottlingQuotaExceeded None
                | after, true when request.ValidateOnly -> after, result ErrorCode.None None
                | after, true ->
                    { after with Current = Cluster.updateTopic topic.Name (fun _ -> grown) after.Current }, result ErrorCode.None None

        let after, results = Cluster.foldResults change (Quotas.begin' state) request.Topics
        after.Current, Reply(Response.CreatePartitions { ThrottleTimeMs = after.ThrottleMs; Results = results })
