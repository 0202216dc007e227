/// Transactions, call by call.
module LibKafka.Integration.TransactionTests

open System
open Confluent.Kafka
open FSharp.Core
open Expecto
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Clusters
open LibKafka.Integration.Replay
open LibKafka.Integration.Support

type private Partitioned = LibKafka.Client.TopicPartition

let private at (topic: string) (partition: int) : Partitioned = { Topic = topic; Partition = partition }

let private identity = { ProducerId = 4000L; ProducerEpoch = 5s }

let private initAnswer code : InitProducerId.Response =
    { InitProducerId.response.Default with
        Error = code
        ProducerId = identity.ProducerId
        ProducerEpoch = identity.ProducerEpoch }

/// A transaction coordinator of a cluster with this level of `transaction.version`. It responds to InitProducerId by itself.
let private coordinating' (level: int16) (rest: Received -> Act list) (test: ScriptedBroker -> TransactionClient -> unit) =
    let table =
        Script.everythingBut
            [ for key in [ ApiKey.InitProducerId; ApiKey.AddPartitionsToTxn; ApiKey.AddOffsetsToTxn; ApiKey.EndTxn; ApiKey.TxnOffsetCommit ] ->
                  Script.versions key 0 99 ]

    let finalized: ApiVersions.FinalizedFeature =
        { Name = "transaction.version"; MaxVersionLevel = level; MinVersionLevel = level }

    let script me (received: Received) =
        match received.Request with
        | Request.ApiVersions _ ->
            Script.answer ApiVersions.api received { Script.versionsResponse ErrorCode.None table with FinalizedFeatures = [ finalized ] }
        | Request.FindCoordinator request -> coordinating me received request
        | Request.InitProducerId _ -> Script.answer InitProducerId.api received (initAnswer ErrorCode.None)
        | _ -> rest received

    Scripted.broker script (fun broker ->
        use client = new TransactionClient(patient, Bootstrap.ofAddresses [ broker.Address ], "tx")
        test broker client)

let private endAnswer (received: Received) =
    match received.Request with
    | Request.EndTxn _ ->
        Script.answer EndTxn.api received { EndTxn.response.Default with ProducerId = identity.ProducerId; ProducerEpoch = 6s }
    | Request.TxnOffsetCommit request ->
        let topics: TxnOffsetCommit.TopicResponse list =
            [ for topic in request.Topics ->
                  { Name = topic.Name
                    TopicId = topic.TopicId
                    Partitions = [ for one in topic.Partitions -> { PartitionIndex = one.PartitionIndex; Error = ErrorCode.None } ] } ]

        Script.answer TxnOffsetCommit.api received { TxnOffsetCommit.response.Default with Topics = topics }
    | Request.AddPartitionsToTxn request ->
        let topics: AddPartitionsToTxn.TopicResult list =
            [ for topic in request.Topics ->
                  { Name = topic.Name
                    Partitions =
                      [ for index in topic.Partitions ->
                            { PartitionIndex = index
                              Error = (if index = 1 then ErrorCode.UnknownTopicOrPartition else ErrorCode.OperationNotAttempted) } ] } ]

        Script.answer AddPartitionsToTxn.api received { AddPartitionsToTxn.response.Default with Topics = topics }
    | _ -> Script.unexpected received

let private calls =
    testList
        "calls"
        [ for level, version, epoch in [ 0s, 4, 5s; 1s, 4, 5s; 2s, 5, 6s ] do
              testCase ("end in version " + string version + " if transaction.version is " + string level) (fun () ->
                  coordinating' level endAnswer (fun broker client ->
                      Expect.equal client.Identity None "none before it is requested"
                      Expect.equal (ok (client.InitProducerId(ms 5000)).Result) identity "the identity"
                      Expect.equal (client.Commit()).Result (Ok()) "committed"
                      Expect.equal (client.Identity |> Option.map _.ProducerEpoch) (Some epoch) "the epoch for the next transaction"
                      Expect.equal (client.Abort()).Result (Ok()) "aborted"
                      Expect.equal (broker.VersionsOf ApiKey.EndTxn) [ version; version ] "the versions"
                      Expect.equal (broker.VersionsOf ApiKey.ApiVersions).Length 1 "the feature is known from the connection's beginning"

                      let ends =
                          broker.Calls
                          |> List.choose (fun call ->
                              match call.Request with
                              | Request.EndTxn request -> Some(request.Committed, request.ProducerEpoch)
                              | _ -> None)

                      Expect.equal ends [ true, 5s; false, epoch ] "each in the epoch of then"))

          testCase "partitions are added in the form for clients, and each has a result" (fun () ->
              coordinating' 2s endAnswer (fun broker client ->
                  client.InitProducerId(ms 5000) |> ignore
                  let wanted = [ at "t" 1; at "u" 0; at "t" 0 ]
                  let reply = client.AddPartitions wanted

                  Expect.equal
                      reply.Result
                      (Error(
                          PartitionsFailure.Refused
                              [ { Partition = at "t" 1; Error = ErrorCode.UnknownTopicOrPartition }
                                { Partition = at "u" 0; Error = ErrorCode.OperationNotAttempted }
                                { Partition = at "t" 0; Error = ErrorCode.OperationNotAttempted } ]
                      ))
                      "in the order of the request"

                  Expect.equal (broker.VersionsOf ApiKey.AddPartitionsToTxn) [ 3 ] "the version"))

          testCase "offsets go to the group's coordinator, with the consumer's place and the producer's identity" (fun () ->
              for level, version in [ 0s, 4; 2s, 5 ] do
                  coordinating' level endAnswer (fun broker client ->
                      client.InitProducerId(ms 5000) |> ignore
                      use group = new GroupClient(patient, Bootstrap.ofAddresses [ broker.Address ], "g")
                      let place = { MemberId = "m"; GenerationOrEpoch = 3; GroupInstanceId = Some "i" }
                      let reply =
                          client.CommitOffsets(group, place, [ at "t" 0, { CommittedOffset.at 9L with LeaderEpoch = 2; Metadata = "n" } ])
                      Expect.equal reply.Result (Ok()) "the result"

                      match (List.last broker.Calls).Request with
                      | Request.TxnOffsetCommit request ->
                          Expect.equal request reply.Exchange.Request "what was asked is what arrived"
                          Expect.equal (request.TransactionalId, request.GroupId) ("tx", "g") "whose"
                          Expect.equal (request.ProducerId, request.ProducerEpoch) (4000L, 5s) "the producer"
                          Expect.equal
                              (request.MemberId, request.GenerationIdOrMemberEpoch, request.GroupInstanceId)
                              ("m", 3, Some "i")
                              "the member"

                          Expect.equal
                              (request.Topics |> List.collect _.Partitions)
                              [ { PartitionIndex = 0; CommittedOffset = 9L; CommittedLeaderEpoch = 2; CommittedMetadata = Some "n" } ]
                              "the offset"
                      | other -> failtestf "%O" other

                      Expect.equal (broker.VersionsOf ApiKey.TxnOffsetCommit) [ version ] "the version"))

          testCase "each step of a fenced producer fails with the error code, and it keeps its identity" (fun () ->
              let script (received: Received) =
                  match received.Request with
                  | Request.EndTxn _ -> Script.answer EndTxn.api received { EndTxn.response.Default with Error = ErrorCode.ProducerFenced }
                  | Request.AddOffsetsToTxn _ ->
                      Script.answer AddOffsetsToTxn.api received { AddOffsetsToTxn.response.Default with Error = ErrorCode.ProducerFenced }
                  | _ -> Script.unexpected received

              coordinating' 2s script (fun _ client ->
                  client.InitProducerId(ms 5000) |> ignore
                  let fenced = Error(CallFailure.Code ErrorCode.ProducerFenced)
                  Expect.equal (client.AddOffsets "g").Result fenced "the group"
                  Expect.equal (client.Abort()).Result fenced "the abort"
                  let commit = client.Commit()
                  Expect.equal (commit.Result, commit.Error) (fenced, ErrorCode.ProducerFenced) "the commit"
                  Expect.isOk commit.Exchange.Result "the response can be looked at"
                  Expect.equal client.Identity (Some identity) "the identity"))

          testCase "the next epoch is requested with the current identity" (fun () ->
              coordinating' 0s Script.unexpected (fun broker client ->
                  client.InitProducerId(ms 5000) |> ignore
                  client.RaiseEpoch(ms 5000) |> ignore

                  let asked =
                      broker.Calls
                      |> List.choose (fun call ->
                          match call.Request with
                          | Request.InitProducerId request ->
                              Some(request.TransactionalId, request.TransactionTimeoutMs, request.ProducerId, request.ProducerEpoch)
                          | _ -> None)

                  Expect.equal asked [ Some "tx", 5000, -1L, -1s; Some "tx", 5000, 4000L, 5s ] "first anew, then on"))

          testCase "a coordinator that cannot be found is looked for once per call" (fun () ->
              let script _ =
                  Script.knowing Script.everything (fun received ->
                      let none: FindCoordinator.Coordinator =
                          { FindCoordinator.coordinator.Default with
                              Key = "tx"
                              NodeId = -1
                              Port = -1
                              Error = ErrorCode.CoordinatorNotAvailable
                              ErrorMessage = None }

                      Script.answer FindCoordinator.api received { FindCoordinator.response.Default with Coordinators = [ none ] })

              Scripted.broker script (fun broker ->
                  use client = new TransactionClient(patient, Bootstrap.ofAddresses [ broker.Address ], "tx")
                  let reply = client.InitProducerId(ms 5000)
                  let expected = ClientFault.NoCoordinator(CoordinatorType.Transaction, "tx", ErrorCode.CoordinatorNotAvailable)
                  Expect.equal reply.Result (Error(CallFailure.Fault expected)) "the fault"
                  Expect.equal broker.Connections 1 "one try"))

          testCase "a refusal gives no identity" (fun () ->
              let script me =
                  Script.knowing (Script.everythingBut [ Script.versions ApiKey.InitProducerId 0 4 ]) (fun received ->
                      match received.Request with
                      | Request.FindCoordinator request -> coordinating me received request
                      | _ -> Script.answer InitProducerId.api received (initAnswer ErrorCode.NotCoordinator))

              Scripted.broker script (fun broker ->
                  use client = new TransactionClient(patient, Bootstrap.ofAddresses [ broker.Address ], "tx")
                  Expect.equal (client.InitProducerId(ms 5000)).Result (Error(CallFailure.Code ErrorCode.NotCoordinator)) "the code"
                  Expect.equal client.Identity None "none"
                  Expect.isNone client.Coordinator.Connection "the connection is closed")) ]

let private batches =
    testCase "a batch of a transaction keeps its attributes when its offsets are rebased" (fun () ->
        let options = Transaction.batchOptions identity 17 BatchOptions.standard
        let batch = BatchBuilder.build options [ record 0 "a"; record 1 "b" ] |> ok

        for batch in [ batch; batch.Rebase(500L, 3) ] do
            Expect.isTrue batch.IsTransactional "it belongs to a transaction"
            Expect.isFalse batch.IsControl "and is no marker"
            Expect.equal (batch.ProducerId, batch.ProducerEpoch) (4000L, 5s) "the producer"
            Expect.equal (batch.BaseSequence, batch.LastSequence) (17, 18) "the sequence")

/// Produces a batch as part of a transaction.
let private produce (client: PartitionClient) (transactionalId: string) (identity: ProducerIdentity) sequence values : ErrorCode =
    let records = values |> List.mapi record
    let batch = BatchBuilder.build (Transaction.batchOptions identity sequence BatchOptions.standard) records |> ok

    let topicId =
        client.Connect() |> ok |> ignore
        client.Leader |> Option.map _.TopicId |> Option.defaultValue Guid.Empty

    let request: Produce.Request =
        { TransactionalId = Some transactionalId
          Acks = Acks.All
          TimeoutMs = 10_000
          Topics =
            [ { Name = client.Partition.Topic
                TopicId = topicId
                Partitions = [ { Index = client.Partition.Partition; Records = Some batch.Bytes } ] } ] }

    let response = ok (client.Call(Produce.api, request)).Result
    response.Topics |> List.collect _.Partitions |> List.map _.Error |> List.exactlyOne

/// The identity of a new producer. A cluster creates its internal topic for transactions on first use.
let private begun (transaction: TransactionClient) : ProducerIdentity =
    awaiting "the transaction coordinator" (fun () -> (transaction.InitProducerId(ms 30_000)).Result.IsOk)

    Option.get transaction.Identity

/// Reads a number of committed records with Confluent.Kafka.
let private readCommitted (cluster: TestCluster) (topic: string) (count: int) : string list =
    let config =
        ConsumerConfig(
            BootstrapServers = cluster.Bootstrap(),
            GroupId = topic,
            EnableAutoCommit = false,
            IsolationLevel = Confluent.Kafka.IsolationLevel.ReadCommitted,
            FetchWaitMaxMs = 50
        )

    use consumer = ConsumerBuilder<byte[], byte[]>(config).Build()
    consumer.Assign(TopicPartitionOffset(topic, Partition 0, Offset.Beginning))

    List.init count (fun i ->
        match box (consumer.Consume(ms 20_000)) with
        | :? ConsumeResult<byte[], byte[]> as result -> Text.Encoding.UTF8.GetString result.Message.Value
        | _ -> failtestf "only %d of %d records came" i count)

let private clusters =
    onEachAndEmbedded "transactions" (fun cluster ->
        [ testCase "include a batch and a group's offsets, and are committed" (fun () ->
              cluster.WithPartition(fun topic client ->
                  let id = "libkafka-test-" + Guid.NewGuid().ToString "N"
                  use transaction = new TransactionClient(cluster.Settings(), cluster.Brokers, id)
                  use group = new GroupClient(cluster.Settings(), cluster.Brokers, id)
                  let given = begun transaction
                  Expect.equal transaction.Identity (Some given) "it is kept"
                  Expect.equal (transaction.AddPartitions [ at topic 0 ]).Result (Ok()) "the partition is in"
                  Expect.equal (produce client id given 0 [ "a"; "b" ]) ErrorCode.None "the batch is in"
                  Expect.equal (transaction.AddOffsets id).Result (Ok()) "the group is in"
                  let offsets = [ at topic 0, CommittedOffset.at 42L ]

                  let commitOffset () =
                      (transaction.CommitOffsets(group, GroupMembership.none, offsets)).Result |> Result.mapError _.First |> codeOf

                  Expect.equal (startedCode commitOffset) ErrorCode.None "its offset too"
                  Expect.equal (transaction.Commit()).Result (Ok()) "committed"

                  if not cluster.IsSecured then
                      Expect.equal (readCommitted cluster topic 2) [ "a"; "b" ] "others read it"

                  if not (isMock cluster) then
                      awaiting "the offset to be committed" (fun () ->
                          ok (group.FetchOffset(at topic 0)).Result = Some(CommittedOffset.at 42L))))

          testCase "are aborted" (fun () ->
              cluster.WithPartition(fun topic client ->
                  let id = "libkafka-test-" + Guid.NewGuid().ToString "N"
                  use transaction = new TransactionClient(cluster.Settings(), cluster.Brokers, id)
                  let given = begun transaction
                  transaction.AddPartitions [ at topic 0 ] |> ignore
                  Expect.equal (produce client id given 0 [ "a" ]) ErrorCode.None "the batch is in"
                  Expect.equal (transaction.Abort()).Result (Ok()) "aborted"))

          // The markers of the mock cluster have a wrong checksum.
          if not (isMock cluster) then
              testCase "follow one another with one producer, and each batch is in the log once" (fun () ->
                  cluster.WithTopic 1 (fun topic ->
                      let id = "libkafka-test-" + Guid.NewGuid().ToString "N"
                      use transaction = new TransactionClient(cluster.Settings(), cluster.Brokers, id)
                      let isDone (reply: Reply) = Expect.equal reply.Error ErrorCode.None "the call"
                      RetryPolicy.standard.Run(fun call -> transaction.InitProducerId(ms 30_000, call)) |> isDone

                      for i in 0..4 do
                          RetryPolicy.standard.Run(fun call -> transaction.AddPartitions([ at topic 0 ], call)) |> isDone
                          let producer = transaction.Producer(at topic 0)
                          let sent = batch (string i + "-") 2
                          RetryPolicy.standard.Run(fun call -> producer.Produce(sent, call)) |> acknowledged |> ignore
                          RetryPolicy.standard.Run(fun call -> if i = 2 then transaction.Abort call else transaction.Commit call)
                          |> isDone

                      use client = new PartitionClient(cluster.Settings(), cluster.Brokers, at topic 0)
                      let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
                      let finish = RetryPolicy.standard.Run(fun call -> fetcher.FindOffset(OffsetSpec.Latest, call)).Offset
                      let values = ResizeArray<string>()

                      readUntil finish.Value fetcher (fun fetched ->
                          for item in fetched.Batches do
                              match item with
                              | RecordSetItem.Batch(batch, _) when not batch.IsControl ->
                                  values.AddRange(RecordBatch.toList Reading.standard batch |> ok |> valuesOf)
                              | _ -> ())

                      Expect.equal
                          (List.ofSeq values)
                          [ for i in 0..4 do
                                yield! [ string i + "-0"; string i + "-1" ] ]
                          "the log"))

          if not (isMock cluster) then
              testCase "fence an earlier producer with the same id" (fun () ->
                  cluster.WithPartition(fun topic _ ->
                      let id = "libkafka-test-" + Guid.NewGuid().ToString "N"
                      use first = new TransactionClient(cluster.Settings(), cluster.Brokers, id)
                      use second = new TransactionClient(cluster.Settings(), cluster.Brokers, id)
                      let older = begun first
                      let newer = begun second
                      Expect.equal newer.ProducerId older.ProducerId "one producer"
                      Expect.isGreaterThan newer.ProducerEpoch older.ProducerEpoch "in a newer epoch"

                      let added = first.AddPartitions [ at topic 0 ]
                      Expect.isTrue (added.Result.IsError && added.Error.IsError) "the earlier may do nothing more")) ])

let private moves =
    testCase "a transaction coordinator that moves is found again" (fun () ->
        withMock 3 (fun cluster ->
            cluster.SetCoordinator("transaction", "tx", 1)
            use client = new TransactionClient(patient, Bootstrap.parse cluster.Bootstrap |> ok, "tx")
            ok (client.InitProducerId(ms 30_000)).Result |> ignore
            cluster.SetCoordinator("transaction", "tx", 2)
            Expect.equal (client.InitProducerId(ms 30_000)).Result (Error(CallFailure.Code ErrorCode.NotCoordinator)) "it is it no more"
            ok (client.InitProducerId(ms 30_000)).Result |> ignore
            Expect.equal (client.Coordinator.Coordinator |> Option.map _.NodeId) (Some 2) "the second"))

[<Tests>]
let tests = testList "transaction" [ calls; batches; clusters; moves ]
