/// What a broker reports, through the façade.
module LibKafka.Integration.FacadeAnswerTests

open System
open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Records
open LibKafka.Wire
open LibKafka.Integration.FacadeSupport

let private node: NodeEndpoint = { NodeId = 7; Host = "elsewhere"; Port = 9093; Rack = None }

let private moved: CurrentLeader = { LeaderId = 7; LeaderEpoch = 12 }

let private answers =
    testList
        "answers"
        [ testCase "everything that a broker reports for a refused batch is in the result" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.Produce request ->
                      let response =
                          Script.produced
                              (fun answer ->
                                  { answer with
                                      Error = ErrorCode.InvalidRecord
                                      BaseOffset = -1L
                                      ErrorMessage = Some "one is bad"
                                      RecordErrors = [ { BatchIndex = 1; Message = Some "no key" }; { BatchIndex = 3; Message = None } ]
                                      CurrentLeader = moved })
                              request

                      Script.answer Produce.api received { response with ThrottleTimeMs = 250; NodeEndpoints = [ node ] }
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  use producer = new PartitionProducer(options, partition)
                  let result = producer.Produce(batch "a" 4)
                  Expect.equal
                      (result.Status, result.Error, result.ErrorMessage)
                      (ProduceStatus.Rejected, ErrorCode.InvalidRecord, "one is bad")
                      "the refusal"
                  Expect.equal (List.ofSeq result.RecordErrors) [ RecordError(1, "no key"); RecordError(3, null) ] "the records"
                  let elsewhere = LeaderHint(7, 12, Nullable(BrokerAddress("elsewhere", 9093)))
                  Expect.equal
                      (result.CurrentLeader, result.ThrottleTime)
                      (Nullable elsewhere, TimeSpan.FromMilliseconds 250.0)
                      "the rest"
                  Expect.equal result.Exchange.Version 13s "by topic id"
                  Expect.stringContains (thrown "refused" (fun () -> result.ThrowIfError() |> ignore)).Message "one is bad" "message"
                  Expect.equal
                      (result.ToString())
                      ("Rejected: INVALID_RECORD (87); the batch has 4 records in " + string result.Batch.SizeInBytes + " bytes")
                      "text"))

          testCase "everything that a broker reports for an appended batch is in the result" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.Produce request ->
                      request
                      |> Script.produced (fun answer ->
                          { answer with BaseOffset = 42L; LogAppendTimeMs = 1_700_000_000_000L; LogStartOffset = 40L })
                      |> Script.answer Produce.api received
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  use producer = new PartitionProducer(options, partition)
                  let result = producer.Produce(batch "a" 1).ThrowIfError()
                  Expect.equal (result.BaseOffset, result.LogStartOffset) (42L, 40L) "offsets"
                  Expect.equal result.LogAppendTime (Nullable(DateTimeOffset.FromUnixTimeMilliseconds 1_700_000_000_000L)) "the time"))

          testCase "everything that a broker reports for a fetch is in the result" (fun () ->
              let stored = batchWith (RecordBatchOptions(BaseOffset = 10L)) [ plain "a"; plain "b" ]

              let rest (received: Received) =
                  match received.Request with
                  | Request.Fetch request ->
                      let response =
                          Script.fetched
                              (fun answer ->
                                  { answer with
                                      HighWatermark = 100L
                                      LastStableOffset = 90L
                                      LogStartOffset = 5L
                                      AbortedTransactions =
                                          Some [ { ProducerId = 3L; FirstOffset = 10L }; { ProducerId = 4L; FirstOffset = 11L } ]
                                      PreferredReadReplica = 7
                                      CurrentLeader = { moved with LeaderId = 8 }
                                      Records = Some stored.Bytes })
                              request

                      Script.answer Fetch.api received { response with ThrottleTimeMs = 250; NodeEndpoints = [ node ] }
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  use fetcher =
                      new PartitionFetcher(
                          options,
                          partition,
                          FetcherOptions(IsolationLevel = IsolationLevel.ReadCommitted),
                          Offset = 11L
                      )
                  let fetched = fetcher.Fetch().ThrowIfError()
                  Expect.equal (fetched.Offset, fetched.NextOffset) (11L, 12L) "offsets"
                  Expect.equal (fetched.HighWatermark, fetched.LastStableOffset, fetched.LogStartOffset) (100L, 90L, 5L) "bounds"
                  Expect.equal
                      (List.ofSeq fetched.AbortedTransactions)
                      [ { ProducerId = 3L; FirstOffset = 10L }; { ProducerId = 4L; FirstOffset = 11L } ]
                      "transactions"
                  Expect.equal
                      (fetched.PreferredReadReplica, fetched.ThrottleTime)
                      (Nullable 7, TimeSpan.FromMilliseconds 250.0)
                      "the rest"
                  Expect.equal fetched.CurrentLeader (Nullable(LeaderHint(8, 12, Nullable()))) "a leader without an address"
                  Expect.equal (recordsOf fetched) [ 11L, plain "b" ] "the records from the offset on"
                  let raw = [ for item in fetched.RawBatches -> item.GetBatch() ] |> List.exactlyOne
                  Expect.equal (read (raw.Records())) [ 10L, plain "a"; 11L, plain "b" ] "the whole batch"
                  Expect.equal (Bytes fetched.RawRecords) stored.Bytes "its bytes"
                  Expect.equal (fetched.Batches |> Seq.map _.GetBatch() |> List.ofSeq) [ stored ] "a batch of no transaction"))

          testCase "topics are created and deleted, with a result for each" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.CreateTopics request ->
                      let made (topic: CreateTopics.Topic) : CreateTopics.TopicResult =
                          { CreateTopics.topicResult.Default with
                              Name = topic.Name
                              TopicId = topicId
                              NumPartitions = topic.NumPartitions
                              ReplicationFactor = int16 topic.Configs.Length }

                      let exists = { made request.Topics[1] with Error = ErrorCode.TopicAlreadyExists; ErrorMessage = Some "it is there" }
                      Script.answer
                          CreateTopics.api
                          received
                          { ThrottleTimeMs = request.TimeoutMs; Topics = [ made request.Topics[0]; exists ] }
                  | Request.DeleteTopics request ->
                      let topics =
                          request.Topics
                          |> List.map (fun topic ->
                              { DeleteTopics.topicResult.Default with Name = topic.Name; Error = ErrorCode.TopicDeletionDisabled })

                      Script.answer DeleteTopics.api received { ThrottleTimeMs = request.TimeoutMs; Topics = topics }
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  use admin = new AdminClient(options)
                  let topics = [ NewTopic("a", 4, Configs = readOnlyDict [ "x", "1"; "y", "2" ]); NewTopic "b" ]
                  let created = admin.CreateTopics(topics, Nullable second)
                  let first = created[0].ThrowIfError()
                  Expect.equal (first.Name, first.TopicId) ("a", topicId) "the first"
                  Expect.equal (first.Partitions, first.ReplicationFactor) (4, 2s) "its size"
                  Expect.equal
                      (created[1].Item, created[1].Error, created[1].ErrorMessage)
                      ("b", ErrorCode.TopicAlreadyExists, "it is there")
                      "the second"
                  Expect.equal (created.Error, created.ErrorMessage) (ErrorCode.TopicAlreadyExists, "it is there") "the first that failed"
                  Expect.equal created.ThrottleTime second "the throttle time"
                  let error = thrown "exists" (fun () -> created.ThrowIfError() |> ignore)
                  Expect.equal error.ErrorCode ErrorCode.TopicAlreadyExists "thrown"
                  Expect.stringEnds error.Message ": b: TOPIC_ALREADY_EXISTS (36): it is there" "message"
                  let deleted = admin.DeleteTopics [ "a" ]
                  Expect.equal [ for it in deleted -> it.Item, it.Error ] [ "a", ErrorCode.TopicDeletionDisabled ] "deleted"
                  Expect.equal deleted.ThrottleTime (10.0 * second) "the default time-out"
                  Expect.throwsT<ArgumentOutOfRangeException>
                      (fun () -> admin.DeleteTopics([], Nullable(-second)) |> ignore)
                      "a negative time-out"))

          testCase "coordinators are found in both forms of the response" (fun () ->
              onCluster (fun cluster options ->
                  cluster.SetCoordinator("group", "g", 2)
                  use connection = KafkaCluster.Connect(options).ThrowIfError()
                  let found = connection.FindCoordinator(CoordinatorType.Group, "g").ThrowIfError()
                  let broker = connection.GetMetadata([]).ThrowIfError().Brokers |> Seq.find (fun it -> it.NodeId = 2)
                  Expect.equal (found.NodeId, found.Address) (2, broker.Address) "by the old form")

              let rest (received: Received) =
                  match received.Request with
                  | Request.FindCoordinator request ->
                      let answer key error : FindCoordinator.Coordinator =
                          { Key = key; NodeId = 3; Host = "here"; Port = 1; Error = error; ErrorMessage = Some "because" }

                      let coordinators =
                          match request.Keys with
                          | [ "none" ] -> [ answer "none" ErrorCode.CoordinatorNotAvailable ]
                          | [ "silence" ] -> []
                          | _ -> [ answer "other" ErrorCode.None; { answer "g" ErrorCode.None with NodeId = 4 } ]

                      Script.answer FindCoordinator.api received { FindCoordinator.response.Default with Coordinators = coordinators }
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  use connection = KafkaCluster.Connect(options).ThrowIfError()
                  let found = connection.FindCoordinator(CoordinatorType.Transaction, "g").ThrowIfError()
                  Expect.equal (found.NodeId, found.Address) (4, BrokerAddress("here", 1)) "by the new form"

                  for key in [ "none"; "silence" ] do
                      let none = connection.FindCoordinator(CoordinatorType.Group, key)
                      Expect.equal
                          (none.Error, none.Value, isNull none.Fault)
                          (ErrorCode.CoordinatorNotAvailable, null, true)
                          "there is none"
                      let error = thrown "none" (fun () -> none.ThrowIfError() |> ignore)
                      Expect.equal error.ErrorCode ErrorCode.CoordinatorNotAvailable "thrown"))

          testCase "a malformed response has a path and a position" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.Fetch request ->
                      let frame = Script.frame Fetch.api received (Script.fetched id request)
                      // The number of topics, in its compact form: more than there is room for.
                      frame[4 + 5 + 4 + 2 + 4] <- 0x7Fuy
                      [ Act.Send frame ]
                  | _ -> Script.unexpected received

              scripted rest (fun options ->
                  use fetcher = new PartitionFetcher(options, partition)
                  let fault = there (fetcher.Fetch().Fault)
                  Expect.equal fault.Kind KafkaFaultKind.Malformed "the kind"
                  Expect.stringContains (there fault.Path) "FetchResponse/" "the path"
                  Expect.isTrue fault.ByteOffset.HasValue "the place"
                  Expect.isTrue fault.Broker.HasValue "the broker"))

          testCase "each kind of invalid response has its kind of fault" (fun () ->
              let cases: (KafkaFaultKind * (Received -> Fetch.Request -> Act list)) list =
                  [ KafkaFaultKind.BadFrameLength, (fun _ _ -> [ Act.Send(Script.length -1) ])
                    KafkaFaultKind.WrongCorrelationId,
                    (fun received request ->
                        [ Act.Send(Script.frameFor Fetch.api received.Header.ApiVersion 9999 (Script.fetched id request)) ])
                    KafkaFaultKind.NotAnswered,
                    (fun received request -> Script.answer Fetch.api received { Script.fetched id request with Topics = [] })
                    KafkaFaultKind.TimedOut, (fun _ _ -> [])
                    KafkaFaultKind.Closed, (fun _ _ -> [ Act.Close ]) ]

              for kind, answer in cases do
                  let rest (received: Received) =
                      match received.Request with
                      | Request.Fetch request -> answer received request
                      | _ -> Script.unexpected received

                  // Only the broker that is silent is given little time: a busy machine may need more for the others.
                  let limit = if kind = KafkaFaultKind.TimedOut then moment else TimeSpan.FromMinutes 1.0

                  scripted rest (fun options ->
                      let options = KafkaClientOptions(options.BootstrapServers, CallTimeout = limit)
                      use fetcher = new PartitionFetcher(options, partition, FetcherOptions(MaxWait = TimeSpan.Zero))
                      Expect.equal (there (fetcher.Fetch().Fault)).Kind kind "the kind")) ]

[<Tests>]
let tests = testList "façade" [ answers ]
