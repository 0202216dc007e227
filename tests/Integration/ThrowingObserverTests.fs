/// An observer or a listener to activities that throws: the exception reaches the caller, no socket leaks, and no state is lost.
module LibKafka.Integration.ThrowingObserverTests

open System
open System.Diagnostics
open System.Reflection
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Replay
open LibKafka.Integration.Support

let private topicId = Guid "99999999-2222-3333-4444-555555555555"
let private doubtfulId = Guid "99999999-2222-3333-4444-666666666666"
let private partition = { Topic = "t"; Partition = 0 }

// ---- A broker that answers everything ----

/// Answers any request with the default response, which has no error.
let private byDefault (received: Received) : Act list =
    received.Header.ApiKey
    |> Apis.visit
        { new IApiVisitor<Act list> with
            member _.Visit(api, _, _) = Script.answer api received api.Response.Schema.Default }
    |> Option.defaultWith (fun () -> Script.unexpected received)

let private fetched (request: Fetch.Request) : Fetch.Response =
    let isOpening = request.SessionEpoch >= 0

    { Script.fetched (fun answer -> { answer with HighWatermark = 9L }) request with
        SessionId = (if isOpening then 5 else 0) }

let private joined (request: JoinGroup.Request) : JoinGroup.Response =
    if request.MemberId = "" then
        { JoinGroup.response.Default with Error = ErrorCode.MemberIdRequired; MemberId = "m" }
    else
        { JoinGroup.response.Default with MemberId = request.MemberId; GenerationId = 3 }

let private committed (request: OffsetCommit.Request) : OffsetCommit.Response =
    { OffsetCommit.response.Default with
        Topics =
            [ for topic in request.Topics ->
                  { Name = topic.Name
                    TopicId = topic.TopicId
                    Partitions = [ for at in topic.Partitions -> { PartitionIndex = at.PartitionIndex; Error = ErrorCode.None } ] } ] }

let private offsetsOf (request: OffsetFetch.Request) : OffsetFetch.Response =
    let answer: OffsetFetch.PartitionResponse =
        { OffsetFetch.partitionResponse.Default with PartitionIndex = 0; CommittedOffset = 4L }

    { OffsetFetch.response.Default with
        Groups =
            [ for group in request.Groups ->
                  { OffsetFetch.groupResponse.Default with
                      GroupId = group.GroupId
                      Topics = [ { Name = "t"; TopicId = Guid.Empty; Partitions = [ answer ] } ] } ] }

let private addedTo (request: AddPartitionsToTxn.Request) : AddPartitionsToTxn.Response =
    { AddPartitionsToTxn.api.Response.Schema.Default with
        Topics =
            [ for topic in request.Topics ->
                  { Name = topic.Name
                    Partitions = [ for index in topic.Partitions -> { PartitionIndex = index; Error = ErrorCode.None } ] } ] }

let private committedIn (request: TxnOffsetCommit.Request) : TxnOffsetCommit.Response =
    { TxnOffsetCommit.api.Response.Schema.Default with
        Topics =
            [ for topic in request.Topics ->
                  { Name = topic.Name
                    TopicId = topic.TopicId
                    Partitions = [ for at in topic.Partitions -> { PartitionIndex = at.PartitionIndex; Error = ErrorCode.None } ] } ] }

/// A broker with every role. It gives a new epoch at each end of a transaction.
let private respond (me: BrokerAddress) (received: Received) : Act list =
    let answer api response = Script.answer api received response
    let finalized: ApiVersions.FinalizedFeature = { Name = "transaction.version"; MaxVersionLevel = 2s; MinVersionLevel = 2s }
    let table = [ for code in 0s .. 92s -> Script.versions (ApiKey code) 0 99 ]

    match received.Request with
    | Request.ApiVersions _ ->
        answer ApiVersions.api { Script.versionsResponse ErrorCode.None table with FinalizedFeatures = [ finalized ] }
    | Request.Metadata _ -> answer Metadata.api (Script.metadata me [ Script.topic "t" topicId; Script.topic "doubtful" doubtfulId ])
    | Request.FindCoordinator request -> coordinating me received request
    | Request.Produce { Acks = acks } when acks = Acks.None -> []
    | Request.Produce request -> answer Produce.api (Script.produced id request)
    | Request.Fetch request -> answer Fetch.api (fetched request)
    | Request.ListOffsets request -> answer ListOffsets.api (Script.found 7L request)
    | Request.OffsetForLeaderEpoch _ ->
        let found = { OffsetForLeaderEpoch.partitionResponse.Default with Partition = 0; LeaderEpoch = 3; EndOffset = 9L }
        answer OffsetForLeaderEpoch.api { OffsetForLeaderEpoch.response.Default with Topics = [ { Topic = "t"; Partitions = [ found ] } ] }
    | Request.JoinGroup request -> answer JoinGroup.api (joined request)
    | Request.OffsetCommit request -> answer OffsetCommit.api (committed request)
    | Request.OffsetFetch request -> answer OffsetFetch.api (offsetsOf request)
    | Request.InitProducerId _ -> answer InitProducerId.api { InitProducerId.response.Default with ProducerId = 40L; ProducerEpoch = 5s }
    | Request.AddPartitionsToTxn request -> answer AddPartitionsToTxn.api (addedTo request)
    | Request.TxnOffsetCommit request -> answer TxnOffsetCommit.api (committedIn request)
    | Request.EndTxn request ->
        answer EndTxn.api { EndTxn.response.Default with ProducerId = 40L; ProducerEpoch = request.ProducerEpoch + 1s }
    | Request.ConsumerGroupHeartbeat request ->
        let epoch = if request.MemberEpoch < 0 then request.MemberEpoch else request.MemberEpoch + 3
        answer ConsumerGroupHeartbeat.api { ConsumerGroupHeartbeat.response.Default with MemberId = Some "m"; MemberEpoch = epoch }
    | Request.SaslHandshake _ -> answer SaslHandshake.api { SaslHandshake.response.Default with Mechanisms = [ "PLAIN" ] }
    | _ -> byDefault received

// ---- What disturbs a call ----

let private message = "the disk is full"

/// Throws at one of the exchanges that it sees, counted from when it was armed. It also counts them.
type private Fuse() =
    let mutable seen = 0
    let mutable at = 0

    /// From now on, the exchange with this number throws; 0 for none.
    member _.Arm(number: int) =
        seen <- 0
        at <- number

    /// The number of exchanges since it was armed.
    member _.Seen = seen

    member _.Note() =
        seen <- seen + 1
        if seen = at then failwith message

/// Settings whose exchanges the fuse sees, for the duration of a test.
let private byObserver (fuse: Fuse) (test: ClientSettings -> unit) = test { patient with Observe = fun _ -> fuse.Note() }

/// The same by a listener to the activities of a client with its own id. Other tests run at the same time.
let private byListener (fuse: Fuse) (test: ClientSettings -> unit) =
    let clientId = Guid.NewGuid().ToString()
    let isOurs (activity: Activity) = string (activity.GetTagItem "messaging.client.id") = clientId

    use listener =
        new ActivityListener(
            ShouldListenTo = (fun source -> source.Name = Telemetry.Name),
            Sample = SampleActivity<ActivityContext>(fun _ -> ActivitySamplingResult.AllDataAndRecorded),
            ActivityStopped = (fun activity -> if isOurs activity then fuse.Note())
        )

    ActivitySource.AddActivityListener listener
    test { patient with ClientId = clientId }

let private means = [ "an observer", byObserver; "a listener to activities", byListener ]

// ---- The calls ----

/// A client with a call of its own. `State` is what the client knows, as text.
type private Subject = { Call: unit -> unit; State: unit -> string; Close: unit -> unit }

/// A public method, or two that share a name, and a subject that calls it.
type private Case = { Method: string; Make: ClientSettings -> Bootstrap -> Subject }

let private stateless = fun () -> ""

let private case (name: string) (make: ClientSettings -> Bootstrap -> Subject) : Case = { Method = name; Make = make }

let private clientOf settings brokers = new PartitionClient(settings, brokers, partition)

let private onPartition (name: string) (make: PartitionClient -> (unit -> unit) * (unit -> string)) : Case =
    case name (fun settings brokers ->
        let client = clientOf settings brokers
        let call, state = make client
        { Call = call; State = state; Close = client.Close })

let private onConnection (name: string) (call: Connection -> unit) : Case =
    case name (fun settings brokers ->
        let connection = Cluster.Connect(settings, brokers) |> ok
        { Call = (fun () -> call connection); State = (fun () -> string connection.IsOpen); Close = connection.Close })

let private opening (name: string) (openOne: ClientSettings -> Bootstrap -> Connection) : Case =
    case name (fun settings brokers -> { Call = (fun () -> (openOne settings brokers).Close()); State = stateless; Close = ignore })

let private onGroup (name: string) (call: GroupClient -> unit) : Case =
    case name (fun settings brokers ->
        let group = new GroupClient(settings, brokers, "g")
        { Call = (fun () -> call group); State = stateless; Close = group.Close })

let private onConsumerGroup (name: string) (prepare: ConsumerGroupClient -> unit) (call: ConsumerGroupClient -> unit) : Case =
    case name (fun settings brokers ->
        let one = new ConsumerGroupClient(settings, brokers, "g", ConsumerGroupSubscription.topics [ "t" ])
        prepare one
        { Call = (fun () -> call one); State = (fun () -> string one.Epoch); Close = one.Close })

let private onAdmin (name: string) (call: AdminClient -> Reply) : Case =
    case ("AdminClient." + name) (fun settings brokers ->
        let admin = new AdminClient(settings, brokers)
        { Call = (fun () -> call admin |> ignore); State = stateless; Close = admin.Close })

let private memberOne: GroupMembership = { MemberId = "m"; GenerationOrEpoch = 3; GroupInstanceId = None }

/// A client with an open transaction. The state says whether a batch of it can be sent.
let private onTransaction (name: string) (call: TransactionClient -> GroupClient -> unit) : Case =
    case ("TransactionClient." + name) (fun settings brokers ->
        let transaction = new TransactionClient(settings, brokers, "tx")
        let group = new GroupClient(settings, brokers, "g")
        transaction.InitProducerId(ms 1_000).Result |> ok |> ignore
        transaction.AddPartitions([ partition ]).Result |> ok |> ignore
        let producer = transaction.Producer partition
        // The next call finds the coordinator again.
        transaction.Coordinator.Close()

        let state () =
            let isAdded =
                match (producer.Produce(batch "x" 1)).Result with
                | ProduceResult.Rejected(Rejection.NotSent(ClientFault.CannotProduce _)) -> false
                | ProduceResult.Acknowledged _ -> true
                | other -> failtestf "%O" other

            string transaction.Identity + ", " + string isAdded

        { Call = (fun () -> call transaction group)
          State = state
          Close =
            fun () ->
                transaction.Close()
                group.Close() })

let private partitionCases: Case list =
    [ onPartition "PartitionProducer.Produce" (fun client ->
          let producer = new PartitionProducer(client, ProducerSettings.standard)
          (fun () -> producer.Produce(batch "r" 1) |> acknowledged |> ignore), stateless)
      onPartition "PartitionProducer.Produce" (fun client ->
          let producer = new PartitionProducer(client, { ProducerSettings.standard with Acks = Acks.None })
          (fun () -> producer.Produce(batch "r" 1) |> ignore), stateless)
      onPartition "IdempotentProducer.Produce" (fun client ->
          let producer = IdempotentProducer(client, ProducerSettings.standard, { ProducerId = 1L; ProducerEpoch = 0s })
          (fun () -> producer.Produce(batch "r" 1) |> acknowledged |> ignore), (fun () -> string producer.State))
      onPartition "PartitionFetcher.Fetch" (fun client ->
          let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 3L)
          (fun () -> fetcher.Fetch() |> recordsOf |> ignore), (fun () -> string fetcher.Position))
      onPartition "PartitionFetcher.Fetch" (fun client ->
          let fetcher = new PartitionFetcher(client, { FetcherSettings.standard with UseSession = true }, 3L)
          (fun () -> fetcher.Fetch() |> recordsOf |> ignore), (fun () -> string fetcher.Position))
      // It keeps the reply for the next call: see the tests of fetching ahead.
      onPartition "FetchAhead.Next" (fun client ->
          let ahead = new FetchAhead(new PartitionFetcher(client, FetcherSettings.standard, 3L))
          (fun () -> ahead.Next() |> recordsOf |> ignore), stateless)
      onPartition "PartitionFetcher.FindOffset" (fun client ->
          let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 3L)
          (fun () -> (fetcher.FindOffset OffsetSpec.Latest).Result |> ok |> ignore), (fun () -> string fetcher.Offset))
      onPartition "PartitionFetcher.Seek" (fun client ->
          let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 3L)
          (fun () -> (fetcher.Seek OffsetSpec.Latest).Result |> ok |> ignore), (fun () -> string fetcher.Offset))
      onPartition "PartitionFetcher.CheckTruncation" (fun client ->
          let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 3L)
          fetcher.Position <- { Offset = 3L; LastEpoch = 3 }
          (fun () -> (fetcher.CheckTruncation()).Result |> ok |> ignore), (fun () -> string fetcher.Position))
      onPartition "PartitionClient.Connect" (fun client -> (fun () -> client.Connect() |> ok |> ignore), stateless)
      onPartition "PartitionClient.ConnectToKnown" (fun client ->
          client.Connect() |> ok |> ignore
          let leader = client.LastLeader.Value
          client.Close()
          Expect.isTrue (client.UseLeader leader) "the leader is taken"
          (fun () -> client.ConnectToKnown() |> ok |> ignore), stateless)
      onPartition "PartitionClient.Call" (fun client ->
          (fun () -> client.Call(ListOffsets.api, Script.askLatest).Result |> ok |> ignore), stateless) ]

/// A producer whose last batch is in doubt. The broker is unsure about the first batch of that topic.
let private retry: Case =
    case "IdempotentProducer.Retry" (fun settings brokers ->
        let client = new PartitionClient(settings, brokers, { Topic = "doubtful"; Partition = 0 })
        let producer = IdempotentProducer(client, ProducerSettings.standard, { ProducerId = 1L; ProducerEpoch = 0s })
        producer.Produce(batch "r" 1) |> ignore
        Expect.isTrue producer.State.IsInDoubt "in doubt"
        client.Close()
        { Call = (fun () -> producer.Retry() |> acknowledged |> ignore)
          State = (fun () -> string producer.State)
          Close = client.Close })

let private connectionCases: Case list =
    let plainly settings = { settings with Sasl = Some(Sasl.plain "orders" "s3cret") }
    let anyBroker settings brokers = (Cluster.Connect(settings, brokers) |> ok)

    [ opening "Cluster.Connect" anyBroker
      opening "Cluster.Connect" (fun settings -> anyBroker (plainly settings))
      opening "Cluster.ConnectController" (fun settings brokers -> Cluster.ConnectController(settings, brokers) |> ok)
      opening "Connection.Open" (fun settings brokers ->
          let address = brokers.Brokers(operation settings) |> ok |> List.head
          Connection.Open(settings, address) |> ok)
      opening "Connection.Open" (fun settings brokers ->
          let address = brokers.Brokers(operation settings) |> ok |> List.head
          Connection.Open(plainly settings, address) |> ok)
      case "Cluster.FindLeader" (fun settings brokers ->
          { Call = (fun () -> Cluster.FindLeader(settings, brokers, partition) |> ok |> ignore)
            State = stateless
            Close = ignore })
      case "Cluster.FindLeaders" (fun settings brokers ->
          { Call = (fun () -> Cluster.FindLeaders(settings, brokers, [ "t" ]) |> ok |> ignore)
            State = stateless
            Close = ignore })
      onConnection "Cluster.Metadata" (fun connection -> Cluster.Metadata(connection, None).Result |> ok |> ignore)
      onConnection "Cluster.FindCoordinator" (fun connection ->
          Cluster.FindCoordinator(connection, CoordinatorType.Group, "g").Result |> ok |> ignore)
      onConnection "Connection.Call" (fun connection -> connection.Call(ListOffsets.api, Script.askLatest).Result |> ok |> ignore)
      onConnection "Connection.CallAt" (fun connection -> connection.CallAt(6s, ListOffsets.api, Script.askLatest).Result |> ok |> ignore)
      onConnection "Connection.SendAt" (fun connection ->
          connection.SendAt(9s, Produce.api, { Produce.request.Default with Acks = Acks.None }).Result |> ok)
      onConnection "ProducerIdentity.Request" (fun connection -> ProducerIdentity.Request(connection).Result |> ok |> ignore)
      case "CoordinatorClient.Connect" (fun settings brokers ->
          let coordinator = new CoordinatorClient(settings, brokers, CoordinatorType.Group, "g")
          { Call = (fun () -> coordinator.Connect() |> ok |> ignore); State = stateless; Close = coordinator.Close })
      case "CoordinatorClient.Call" (fun settings brokers ->
          let coordinator = new CoordinatorClient(settings, brokers, CoordinatorType.Group, "g")

          { Call = (fun () -> coordinator.Call(Heartbeat.api, Heartbeat.request.Default).Result |> ok |> ignore)
            State = stateless
            Close = coordinator.Close }) ]

let private groupCases: Case list =
    let join = JoinSettings.consumer []

    [ onGroup "GroupClient.Join" (fun group -> (group.Join("", join)).Result |> ok |> ignore)
      onGroup "GroupClient.Sync" (fun group -> group.Sync(memberOne, "consumer", None, []).Result |> ok |> ignore)
      onGroup "GroupClient.Heartbeat" (fun group -> group.Heartbeat(memberOne).Result |> ok |> ignore)
      onGroup "GroupClient.Leave" (fun group -> (group.Leave memberOne).Result |> ok |> ignore)
      onGroup "GroupClient.CommitOffsets" (fun group ->
          group.CommitOffsets(memberOne, [ partition, CommittedOffset.at 3L ]).Result |> ok |> ignore)
      onGroup "GroupClient.CommitOffset" (fun group ->
          group.CommitOffset(memberOne, partition, CommittedOffset.at 3L).Result |> ok |> ignore)
      onGroup "GroupClient.FetchOffsets" (fun group -> group.FetchOffsets(memberOne, [ partition ], false).Result |> ok |> ignore)
      onGroup "GroupClient.FetchOffset" (fun group -> group.FetchOffset(partition).Result |> ok |> ignore)
      onGroup "GroupClient.FetchAllOffsets" (fun group -> group.FetchAllOffsets(memberOne, false).Result |> ok |> ignore)
      onGroup "GroupClient.Call" (fun group -> group.Call(Heartbeat.api, Heartbeat.request.Default).Result |> ok |> ignore)
      onConsumerGroup "ConsumerGroupClient.Heartbeat" ignore (fun one -> one.Heartbeat().Result |> ok |> ignore)
      onConsumerGroup "ConsumerGroupClient.Leave" (fun one -> one.Heartbeat().Result |> ok |> ignore) (fun one ->
          one.Leave().Result |> ok |> ignore)
      onConsumerGroup "ConsumerGroupClient.LeaveTemporarily" (fun one -> one.Heartbeat().Result |> ok |> ignore) (fun one ->
          one.LeaveTemporarily().Result |> ok |> ignore) ]

let private transactionCases: Case list =
    [ onTransaction "InitProducerId" (fun transaction _ -> transaction.InitProducerId(ms 1_000).Result |> ok |> ignore)
      onTransaction "RaiseEpoch" (fun transaction _ -> transaction.RaiseEpoch(ms 1_000).Result |> ok |> ignore)
      onTransaction "AddPartitions" (fun transaction _ -> transaction.AddPartitions([ partition ]).Result |> ok |> ignore)
      onTransaction "AddOffsets" (fun transaction _ -> transaction.AddOffsets("g").Result |> ok |> ignore)
      onTransaction "CommitOffsets" (fun transaction group ->
          transaction.CommitOffsets(group, memberOne, [ partition, CommittedOffset.at 3L ]).Result |> ok |> ignore)
      onTransaction "Commit" (fun transaction _ -> transaction.Commit().Result |> ok |> ignore)
      onTransaction "Abort" (fun transaction _ -> transaction.Abort().Result |> ok |> ignore)
      onTransaction "Call" (fun transaction _ -> transaction.Call(EndTxn.api, EndTxn.request.Default).Result |> ok |> ignore) ]

let private adminCases: Case list =
    let soon = ms 1_000
    let newTopic: NewTopic = { Name = "u"; Partitions = 1; ReplicationFactor = 1s; Configs = [] }
    let topic: ConfigResource = { Type = ConfigResourceType.Topic; Name = "t" }

    [ onAdmin "CreateTopics" (fun admin -> admin.CreateTopics([ newTopic ], soon))
      onAdmin "DeleteTopics" (fun admin -> admin.DeleteTopics([ "t" ], soon))
      onAdmin "CreatePartitions" (fun admin -> admin.CreatePartitions([], soon))
      onAdmin "DescribeTopics" (fun admin -> admin.DescribeTopics [ "t" ])
      onAdmin "ListTopics" (fun admin -> admin.ListTopics())
      onAdmin "DescribeConfigs" (fun admin ->
          admin.DescribeConfigs [ { ResourceType = topic.Type; ResourceName = topic.Name; ConfigurationKeys = None } ])
      onAdmin "AlterConfigs" (fun admin -> admin.AlterConfigs [ { ResourceType = topic.Type; ResourceName = topic.Name; Configs = [] } ])
      onAdmin "DeleteRecords" (fun admin -> admin.DeleteRecords([ partition, 3L ], soon))
      onAdmin "ListOffsets" (fun admin -> admin.ListOffsets [ partition, OffsetSpec.Latest ])
      onAdmin "ListGroups" (fun admin -> admin.ListGroups())
      onAdmin "DescribeGroups" (fun admin -> admin.DescribeGroups [ "g" ])
      onAdmin "DescribeConsumerGroups" (fun admin -> admin.DescribeConsumerGroups [ "g" ])
      onAdmin "DeleteGroups" (fun admin -> admin.DeleteGroups [ "g" ])
      onAdmin "DescribeAcls" (fun admin -> admin.DescribeAcls DescribeAcls.api.Request.Schema.Default)
      onAdmin "CreateAcls" (fun admin -> admin.CreateAcls [ CreateAcls.acl.Default ])
      onAdmin "DeleteAcls" (fun admin -> admin.DeleteAcls [ DescribeAcls.api.Request.Schema.Default ])
      onAdmin "DescribeCluster" (fun admin -> admin.DescribeCluster())
      onAdmin "ListConfigResources" (fun admin -> admin.ListConfigResources [])
      onAdmin "ElectLeaders" (fun admin -> admin.ElectLeaders(ElectionType.Preferred, [ partition ], soon))
      onAdmin "ElectAllLeaders" (fun admin -> admin.ElectAllLeaders(ElectionType.Preferred, soon))
      onAdmin "AlterReassignments" (fun admin -> admin.AlterReassignments([ partition, Some [ 1 ] ], soon))
      onAdmin "ListReassignments" (fun admin -> admin.ListReassignments(None, soon))
      onAdmin "DescribeLogDirs" (fun admin -> admin.DescribeLogDirs [ 1 ])
      onAdmin "AlterReplicaLogDirs" (fun admin -> admin.AlterReplicaLogDirs [ { Partition = partition; BrokerId = 1 }, "/logs" ])
      onAdmin "ListGroupOffsets" (fun admin -> admin.ListGroupOffsets [ "g", None ])
      onAdmin "AlterGroupOffsets" (fun admin -> admin.AlterGroupOffsets("g", [ partition, CommittedOffset.at 3L ]))
      onAdmin "DeleteGroupOffsets" (fun admin -> admin.DeleteGroupOffsets("g", [ partition ]))
      onAdmin "ListTransactions" (fun admin -> admin.ListTransactions())
      onAdmin "DescribeTransactions" (fun admin -> admin.DescribeTransactions [ "tx" ])
      onAdmin "FenceProducers" (fun admin -> admin.FenceProducers [ "tx" ])
      onAdmin "DescribeProducers" (fun admin -> admin.DescribeProducers [ partition ])
      onAdmin "AbortTransactions" (fun admin ->
          admin.AbortTransactions [ { Partition = partition; ProducerId = 1L; ProducerEpoch = 0s; CoordinatorEpoch = 0 } ])
      onAdmin "DescribeClientQuotas" (fun admin -> admin.DescribeClientQuotas ClientQuotaFilter.all)
      onAdmin "AlterClientQuotas" (fun admin ->
          admin.AlterClientQuotas [ { Entity = ClientQuotaEntity.Ip QuotaName.Default; Quotas = [] } ])
      onAdmin "DescribeScramUsers" (fun admin -> admin.DescribeScramUsers [ "alice" ])
      onAdmin "ListScramUsers" (fun admin -> admin.ListScramUsers())
      onAdmin "AlterScramUsers" (fun admin -> admin.AlterScramUsers [ ScramChange.Delete("alice", ScramMechanism.ScramSha256) ])
      onAdmin "CreateDelegationToken" (fun admin -> admin.CreateDelegationToken NewDelegationToken.standard)
      onAdmin "RenewDelegationToken" (fun admin -> admin.RenewDelegationToken Bytes.empty)
      onAdmin "ExpireDelegationToken" (fun admin -> admin.ExpireDelegationToken Bytes.empty)
      onAdmin "DescribeDelegationTokens" (fun admin -> admin.DescribeDelegationTokens None)
      onAdmin "UnregisterBroker" (fun admin -> admin.UnregisterBroker 9)
      onAdmin "DescribeFeatures" (fun admin -> admin.DescribeFeatures())
      onAdmin "UpdateFeatures" (fun admin ->
          admin.UpdateFeatures([ { Feature = "kraft.version"; Level = 1s; Direction = FeatureUpdateType.Upgrade } ], soon))
      onAdmin "DescribeQuorum" (fun admin -> admin.DescribeQuorum())
      onAdmin "AddQuorumVoter" (fun admin -> admin.AddQuorumVoter({ Id = 4; DirectoryId = Guid.NewGuid() }, [], soon))
      onAdmin "RemoveQuorumVoter" (fun admin -> admin.RemoveQuorumVoter { Id = 4; DirectoryId = Guid.NewGuid() }) ]

let private cases = partitionCases @ [ retry ] @ connectionCases @ groupCases @ transactionCases @ adminCases

// ---- The law ----

/// Runs a test with a subject that has made no call yet, whose exchanges the fuse sees. Afterwards the subject is closed, and no connection
/// may be left.
let private withSubject (case: Case) (settings: ClientSettings) (test: Subject -> unit) =
    let mutable isSure = false

    let script me (received: Received) =
        match received.Request with
        | Request.Produce request when not isSure && request.Topics |> List.exists (fun topic -> topic.TopicId = doubtfulId) ->
            isSure <- true
            Script.answer Produce.api received (Script.produced (fun it -> { it with Error = ErrorCode.RequestTimedOut }) request)
        | _ -> respond me received

    Scripted.broker script (fun broker ->
        let subject = case.Make settings (Bootstrap.ofAddresses [ broker.Address ])

        try
            test subject
        finally
            subject.Close()

        for connection in 0 .. broker.Connections - 1 do
            broker.AwaitEnd connection)

/// The number of exchanges of the call, and the states before and after it, if nothing throws.
let private undisturbed (case: Case) (fuse: Fuse) (settings: ClientSettings) : int * string * string =
    let stateAfter (call: Subject -> unit) =
        let mutable result = 0, ""

        withSubject case settings (fun subject ->
            fuse.Arm 0
            call subject
            let count = fuse.Seen
            result <- count, subject.State())

        result

    let _, before = stateAfter ignore
    let count, after = stateAfter _.Call()
    count, before, after

let private disturbed (case: Case) (fuse: Fuse) (settings: ClientSettings) =
    let count, before, after = undisturbed case fuse settings
    Expect.isGreaterThan count 0 "the call has exchanges"

    for at in 1..count do
        withSubject case settings (fun subject ->
            fuse.Arm at
            Expect.throwsC subject.Call (fun error -> Expect.equal error.Message message "the exception reaches the caller")
            fuse.Arm 0
            // The last exchange is the call's own: its response has arrived before anything can throw.
            Expect.equal (subject.State()) (if at = count then after else before) ("the state after exchange " + string at)

            if at < count then
                subject.Call()
                Expect.equal (subject.State()) after "the state after another call")

let private law =
    [ for name, means in means do
          for number, case in List.indexed cases do
              testCase (case.Method + ", " + name + " (" + string number + ")") (fun () ->
                  let fuse = Fuse()
                  means fuse (disturbed case fuse)) ]

/// Whether a method makes a call and returns its reply.
let private isCall (found: MethodInfo) : bool =
    let result = found.ReturnType
    let isReply = typeof<Reply>.IsAssignableFrom result
    let isResult = result.IsGenericType && List.contains result.Name [ "FSharpResult`2"; "Exchange`2" ]
    (isReply || isResult) && found.GetParameters() |> Array.exists (fun it -> it.ParameterType = typeof<CallOptions option>)

let private coverage =
    testCase "every public method that makes a call is among them" (fun () ->
        let every = BindingFlags.Public ||| BindingFlags.Instance ||| BindingFlags.Static ||| BindingFlags.DeclaredOnly

        let methods =
            [ for exported in typeof<Connection>.Assembly.GetExportedTypes() do
                  for found in exported.GetMethods every do
                      if isCall found then exported.Name + "." + found.Name ]

        Expect.isGreaterThan methods.Length 50 "the methods"
        Expect.equal (Set.difference (set methods) (cases |> List.map _.Method |> set)) Set.empty "methods without a test")

// ---- Re-authentication ----

/// Runs a test on a broker whose sessions last ten seconds, with settings of a clock that is stopped.
let private withSessions
    (means: Fuse -> (ClientSettings -> unit) -> unit)
    (test: Fuse -> ManualTime -> ClientSettings -> ScriptedBroker -> unit)
    =
    let script me (received: Received) =
        match received.Request with
        | Request.SaslAuthenticate _ ->
            Script.answer SaslAuthenticate.api received { SaslAuthenticate.response.Default with SessionLifetimeMs = 10_000L }
        | _ -> respond me received

    let fuse = Fuse()
    let time = ManualTime()

    means fuse (fun settings ->
        Scripted.broker script (fun broker ->
            test fuse time { settings with Time = time; Sasl = Some(Sasl.plain "orders" "s3cret") } broker))

let private ask (connection: Connection) = connection.Call(ListOffsets.api, Script.askLatest)

let private renewal =
    [ for name, means in means do
          for at, exchange in [ 1, "the handshake"; 2, "the authentication" ] do
              testCase (exchange + " closes the connection, and a client makes another: " + name) (fun () ->
                  withSessions means (fun fuse time settings broker ->
                      let client = clientOf settings (Bootstrap.ofAddresses [ broker.Address ])
                      let connection = client.Connect() |> ok
                      let before = broker.Connections
                      time.Advance(ms 9_000)
                      fuse.Arm at
                      Expect.throwsC (fun () -> ask connection |> ignore) (fun error ->
                          Expect.equal error.Message message "it reaches the caller")
                      Expect.isFalse connection.IsOpen "it is closed"
                      broker.AwaitEnd(before - 1)
                      fuse.Arm 0
                      let unusable = faultOf (ask connection).Result
                      Expect.isTrue unusable.IsUnusable (unusable.ToString())
                      client.Call(ListOffsets.api, Script.askLatest).Result |> ok |> ignore
                      client.Close()

                      for connection in 0 .. broker.Connections - 1 do
                          broker.AwaitEnd connection))

          testCase ("the call itself leaves the session renewed: " + name) (fun () ->
              withSessions means (fun fuse time settings broker ->
                  use connection = Connection.Open(settings, broker.Address) |> ok
                  time.Advance(ms 9_000)
                  fuse.Arm 3
                  Expect.throwsC (fun () -> ask connection |> ignore) (fun error ->
                      Expect.equal error.Message message "it reaches the caller")
                  time.Advance(ms 8_000)
                  fuse.Arm 0
                  ask connection |> _.Result |> ok |> ignore
                  Expect.equal fuse.Seen 1 "no authentication before the next call"
                  Expect.equal broker.Connections 1 "one connection")) ]

// ---- Fetch sessions ----

/// Runs a test on a leader that names a replica, and on the replica.
let private withReplica (test: ScriptedBroker -> ScriptedBroker -> unit) =
    Scripted.broker respond (fun follower ->
        let lead me (received: Received) =
            match received.Request with
            | Request.Metadata _ ->
                let other: Metadata.Broker = { NodeId = 2; Host = follower.Address.Host; Port = follower.Address.Port; Rack = None }
                let one = Script.metadata me [ Script.topic "t" topicId ]
                Script.answer Metadata.api received { one with Brokers = one.Brokers @ [ other ] }
            | Request.Fetch request when request.RackId <> "" ->
                let named =
                    { fetched request with Topics = (Script.fetched (fun it -> { it with PreferredReadReplica = 2 }) request).Topics }
                Script.answer Fetch.api received named
            | _ -> respond me received

        Scripted.broker lead (fun leader -> test leader follower))

let private fetchesAt (broker: ScriptedBroker) =
    [ for received in broker.Calls do
          match received.Request with
          | Request.Fetch request -> request.SessionId, request.SessionEpoch
          | _ -> () ]

let private awaitAllEnds (broker: ScriptedBroker) =
    for connection in 0 .. broker.Connections - 1 do
        broker.AwaitEnd connection

let private sessions =
    let settings = { FetcherSettings.standard with UseSession = true; RackId = "here" }
    let disposing (fetcher: PartitionFetcher) () = (fetcher :> IDisposable).Dispose()

    let throws (work: unit -> unit) = Expect.throwsC work (fun error -> Expect.equal error.Message message "it reaches the caller")

    [ for name, means in means do
          testCase ("at the end of a session with the leader: its fetcher and client are closed, " + name) (fun () ->
              let fuse = Fuse()

              means fuse (fun client ->
                  Scripted.broker respond (fun broker ->
                      let fetcher = PartitionFetcher.Owning(clientOf client (Bootstrap.ofAddresses [ broker.Address ]), settings, 3L)
                      fetcher.Fetch() |> ignore
                      fuse.Arm 1
                      throws (disposing fetcher)
                      awaitAllEnds broker
                      Expect.equal (fetchesAt broker) [ 0, 0; 5, -1 ] "the session was closed")))

          testCase ("at the end of a session on another's client: the connection stays, " + name) (fun () ->
              let fuse = Fuse()

              means fuse (fun client ->
                  Scripted.broker respond (fun broker ->
                      let client = clientOf client (Bootstrap.ofAddresses [ broker.Address ])
                      let fetcher = new PartitionFetcher(client, settings, 3L)
                      fetcher.Fetch() |> ignore
                      let connection = client.Connection
                      fuse.Arm 1
                      throws (disposing fetcher)
                      fuse.Arm 0
                      // The broker responds to the request that closed the session, and nothing waits for that.
                      client.Call(ListOffsets.api, Script.askLatest).Result |> ok |> ignore
                      Expect.equal client.Connection connection "the same connection"
                      client.Close()
                      awaitAllEnds broker)))

          testCase ("at the end of a session with a replica: all connections are closed, " + name) (fun () ->
              let fuse = Fuse()

              means fuse (fun client ->
                  withReplica (fun leader follower ->
                      let client = clientOf client (Bootstrap.ofAddresses [ leader.Address ])
                      let fetcher = PartitionFetcher.Owning(client, settings, 3L)

                      for _ in 1..3 do
                          fetcher.Fetch() |> ignore

                      Expect.equal fetcher.Replica (Some 2) "it reads from the replica"
                      fuse.Arm 1
                      throws (disposing fetcher)
                      awaitAllEnds follower
                      awaitAllEnds leader
                      Expect.equal (fetchesAt follower) [ 0, 0; 5, 1; 5, -1 ] "the session was closed")))

          testCase
              ("when a fetcher leaves a replica: the replica's connection is closed, and the next fetch goes to the leader, " + name)
              (fun () ->
                  let fuse = Fuse()
                  let time = ManualTime()

                  means fuse (fun client ->
                      withReplica (fun leader follower ->
                          let client = clientOf { client with Time = time } (Bootstrap.ofAddresses [ leader.Address ])
                          let fetcher = PartitionFetcher.Owning(client, settings, 3L)

                          for _ in 1..2 do
                              fetcher.Fetch() |> ignore

                          time.Advance(settings.ReplicaTime + ms 1)
                          fuse.Arm 1
                          throws (fun () -> fetcher.Fetch() |> ignore)
                          awaitAllEnds follower
                          fuse.Arm 0
                          let next = fetcher.Fetch()
                          Expect.equal next.Exchange.Info.Broker (Some leader.Address) "the broker"
                          Expect.equal fetcher.Position (FetchPosition.at 3L) "the position"
                          disposing fetcher ()
                          awaitAllEnds leader))) ]

[<Tests>]
let tests =
    testList
        "an exception of an observer"
        [ testList "in" law; coverage; testList "in a re-authentication, in" renewal; testList "in" sessions ]
