/// An observer or a listener to activities that throws: the exception reaches the caller, no socket leaks, and no state is lost.
module LibKafka.Integration.ThrowingObserverTests

open System
open System.Reflection
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support
open LibKafka.Integration.ThrowingObserverSupport

// ---- The calls ----

/// A client with a call of its own. `State` is what the client knows, as text.
type private Subject = { Call: unit -> unit; State: unit -> string; Close: unit -> unit }

/// A public method, or two that share a name, and a subject that calls it.
type private Case = { Method: string; Make: ClientSettings -> Bootstrap -> Subject }

let private stateless = fun () -> ""

let private case (name: string) (make: ClientSettings -> Bootstrap -> Subject) : Case = { Method = name; Make = make }

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
      onGroup "GroupClient.Leave" (fun group -> (group.Leave memberOne).Rounds.Head.Result |> ok |> ignore)
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

[<Tests>]
let tests = testList "an exception of an observer" [ testList "in" law; coverage ]
