/// Producing and fetching through the façade: on a cluster, with failures, cancelled and disposed of.
module LibKafka.Integration.FacadeTests

open System
open System.Threading
open Expecto
open LibKafka
open LibKafka.Compression
open LibKafka.Protocol
open LibKafka.Records
open LibKafka.Tests
open LibKafka.Integration.FacadeSupport

// ---- on a cluster ----

let private produceKey, private fetchKey, private listKey = 0s, 1s, 2s

let private mainJob =
    testList
        "main job"
        [ testCase "records are fetched as they were produced" (fun () ->
              onCluster (fun _ options ->
                  use producer = new PartitionProducer(options, partition)
                  use fetcher = new PartitionFetcher(options, partition)
                  let first = producer.Produce(batchOf odd).ThrowIfError()
                  let second = producer.Produce((batch "b" 3).Compress gzip).ThrowIfError()
                  Expect.equal (first.Status, first.BaseOffset) (ProduceStatus.Acknowledged, 0L) "the first batch"
                  Expect.equal (second.Status, second.BaseOffset) (ProduceStatus.Acknowledged, 5L) "the second batch"
                  Expect.equal (first.Error, first.ThrottleTime) (ErrorCode.None, TimeSpan.Zero) "the rest"
                  Expect.isTrue (isNull first.Fault && isNull first.ErrorMessage && first.RecordErrors.Count = 0) "nothing went wrong"
                  Expect.equal (first.ToString()) "Acknowledged at offset 0" "text"
                  let records = ResizeArray()

                  while fetcher.Offset < 8L do
                      let fetched = fetcher.Fetch().ThrowIfError()
                      Expect.equal fetcher.Offset fetched.Offset "it does not advance by itself"
                      Expect.equal (fetched.HighWatermark, fetched.LogStartOffset) (8L, 0L) "bounds"

                      for item in fetched.Batches do
                          records.AddRange(read (item.Records withGzip))

                      fetcher.Offset <- fetched.NextOffset

                  let expected = List.indexed (odd @ contentOf ((batch "b" 3).Records()))
                  Expect.equal (List.ofSeq records) (expected |> List.map (fun (i, record) -> int64 i, record)) "records"
                  let atEnd = fetcher.Fetch().ThrowIfError()
                  Expect.equal (atEnd.NextOffset, atEnd.RawRecords.Length) (8L, 0) "nothing is left"
                  Expect.isEmpty atEnd.Batches "no batches"))

          testCase "batches that the ready codecs compress are fetched and read" (fun () ->
              onCluster (fun _ options ->
                  use producer = new PartitionProducer(options, partition)
                  use fetcher = new PartitionFetcher(options, partition)
                  let plain = batch "c" 200

                  for codec in [ LibKafka.Compression.Gzip 9 :> ICompressionCodec; Snappy(); Lz4(); Zstd() ] do
                      let packed = plain.Compress codec
                      Expect.equal packed.Compression codec.Type "the attribute"
                      producer.Produce(packed).ThrowIfError() |> ignore

                  let reading = RecordReadOptions(Codecs = AllCodecs.List)
                  let records = ResizeArray()

                  while fetcher.Offset < 800L do
                      let fetched = fetcher.Fetch().ThrowIfError()

                      for item in fetched.Batches do
                          Expect.notEqual (item.GetBatch().Compression) CompressionType.None "it comes as it was sent"
                          records.AddRange(contentOf (item.Records reading))

                      fetcher.Offset <- fetched.NextOffset

                  Expect.equal (List.ofSeq records) (List.replicate 4 (contentOf (plain.Records())) |> List.concat) "records"))

          testCase "a fetched batch is forwarded untouched" (fun () ->
              onCluster (fun _ options ->
                  let forwarded = TopicPartition(topic, 1)
                  use producer = new PartitionProducer(options, partition)
                  use fetcher = new PartitionFetcher(options, partition)
                  use other = new PartitionProducer(options, forwarded)
                  use check = new PartitionFetcher(options, forwarded)
                  let packed = (batchOf odd).Compress gzip
                  producer.Produce(packed).ThrowIfError() |> ignore
                  producer.Produce(packed).ThrowIfError() |> ignore
                  fetcher.Offset <- 5L
                  let fetched = [ for item in fetcher.Fetch().ThrowIfError().Batches -> item.GetBatch() ]
                  Expect.equal (fetched |> List.map _.BaseOffset) [ 5L ] "the second batch"
                  other.Produce(fetched.Head).ThrowIfError() |> ignore
                  let arrived = [ for item in check.Fetch().ThrowIfError().Batches -> item.GetBatch() ]
                  Expect.equal (arrived |> List.map _.Payload) [ packed.Payload ] "the bytes"
                  Expect.equal (contentOf (arrived.Head.Records withGzip)) odd "the records"))

          testCase "offsets are found, and seeking moves there" (fun () ->
              onCluster (fun _ options ->
                  use client = new PartitionClient(options, partition)
                  use producer = new PartitionProducer(client)
                  use fetcher = new PartitionFetcher(client, FetcherOptions(MaxWait = moment))
                  Expect.equal producer.Client fetcher.Client "one client for both"
                  producer.Produce(batch "a" 4).ThrowIfError() |> ignore
                  Expect.equal (fetcher.FindOffset(OffsetSpec.Latest).ThrowIfError().Offset) (Nullable 4L) "the end"
                  Expect.equal fetcher.Offset 0L "finding does not move"
                  let sought = fetcher.Seek(OffsetSpec.Latest).ThrowIfError()
                  Expect.equal (sought.Offset, fetcher.Offset) (Nullable 4L, 4L) "seeking does"
                  Expect.equal
                      (sought.Exchange.Api, sought.Error, sought.ThrottleTime)
                      (ApiKey.ListOffsets, ErrorCode.None, TimeSpan.Zero)
                      "the call"
                  Expect.isNull sought.Fault "no fault"
                  fetcher.Seek(OffsetSpec.Earliest).ThrowIfError() |> ignore
                  Expect.equal fetcher.Offset 0L "the start"))

          testCase "with Acks.None the outcome is unknown, without an error" (fun () ->
              onCluster (fun _ options ->
                  use producer = new PartitionProducer(options, partition, ProducerOptions(Acks = Acks.None))
                  use fetcher = new PartitionFetcher(options, partition)
                  let result = producer.Produce(batch "a" 2)
                  Expect.equal (result.Status, result.BaseOffset, result.Error) (ProduceStatus.Unknown, -1L, ErrorCode.None) "the result"
                  Expect.isNull result.Fault "no fault"
                  Expect.equal (result.ThrowIfError()) result "nothing to throw"
                  Expect.equal (result.Exchange.BytesIn, result.ToString()) (0, "Unknown") "no answer"
                  let mutable tries = 0

                  while fetcher.Fetch().ThrowIfError().HighWatermark < 2L && tries < 100 do
                      tries <- tries + 1

                  Expect.equal (recordsOf (fetcher.Fetch())).Length 2 "it arrived"))

          testCase "metadata describes the cluster and its leaders" (fun () ->
              onCluster (fun cluster options ->
                  cluster.SetLeader(topic, 1, 2)
                  cluster.SetController 3
                  use connection = KafkaCluster.Connect(options).ThrowIfError()
                  Expect.contains options.BootstrapServers connection.Broker "one of the brokers"
                  Expect.isTrue (connection.IsOpen && connection.Socket.Connected) "it is open"
                  Expect.equal connection.BrokerVersions[ApiKey.Metadata].Lowest 0s "versions"
                  let produce = connection.BrokerVersions[ApiKey.Produce]
                  Expect.equal (produce.ToString()) "0-10" "versions as text"
                  let contained = [ -1s; 0s; 10s; 11s ] |> List.map produce.Contains
                  Expect.equal contained [ false; true; true; false ] "what the range contains"
                  Expect.isFalse (connection.BrokerVersions.ContainsKey ApiKey.CreateTopics) "an API that it does not have"
                  let metadata = connection.GetMetadata([ topic ]).ThrowIfError()
                  Expect.equal (metadata.Brokers |> Seq.map _.NodeId |> Seq.sort |> List.ofSeq) [ 1; 2; 3 ] "brokers"
                  Expect.containsAll (metadata.Brokers |> Seq.map _.Address) options.BootstrapServers "addresses"
                  let found = Seq.exactlyOne metadata.Topics
                  Expect.equal (found.Name, found.Error, found.IsInternal) (topic, ErrorCode.None, false) "the topic"
                  Expect.equal (found.Partitions |> Seq.map _.Partition |> Seq.sort |> List.ofSeq) [ 0; 1 ] "partitions"
                  let second = found.Partitions |> Seq.find (fun it -> it.Partition = 1)
                  Expect.equal (second.LeaderId, second.Replicas.Count, second.Error) (2, 3, ErrorCode.None) "a partition"
                  Expect.equal (connection.GetMetadata([ topic ]).ThrowIfError().Topics[0]) found "metadata is compared by content"
                  let mutable leader: PartitionLeader | null = null
                  let mutable error = ErrorCode.UnknownServerError
                  Expect.isTrue (metadata.TryGetLeader(TopicPartition(topic, 1), &leader, &error)) "a leader"
                  Expect.equal ((there leader).NodeId, error) (2, ErrorCode.None) "which"
                  Expect.equal
                      (KafkaCluster.FindLeader(options, TopicPartition(topic, 1)).ThrowIfError())
                      (there leader)
                      "the same, asked at once"
                  Expect.isFalse (metadata.TryGetLeader(TopicPartition(topic, 9), &leader, &error)) "no such partition"
                  Expect.equal (leader, error) (null, ErrorCode.UnknownTopicOrPartition) "why"
                  Expect.isEmpty (connection.GetMetadata([]).ThrowIfError().Topics) "no topics"
                  Expect.equal (connection.GetMetadata().ThrowIfError().Topics.Count) 1 "all topics"
                  let unknown = connection.GetMetadata([ "nowhere" ]).ThrowIfError()
                  Expect.equal unknown.Topics[0].Error ErrorCode.UnknownTopicOrPartition "an unknown topic is part of the metadata"
                  use controller = KafkaCluster.ConnectController(options).ThrowIfError()
                  let address = metadata.Brokers |> Seq.find (fun it -> it.NodeId = metadata.ControllerId) |> _.Address
                  Expect.equal controller.Broker address "the controller"
                  use same = KafkaConnection.Open(options, address).ThrowIfError()
                  Expect.equal same.Broker address "a broker by its address"))

          testCase "the observer receives every exchange" (fun () ->
              onCluster (fun _ options ->
                  let seen = ResizeArray<ExchangeInfo>()
                  let options = KafkaClientOptions(options.BootstrapServers, ClientId = "seen", Observer = seen.Add)
                  use producer = new PartitionProducer(options, partition)
                  let began = DateTimeOffset.UtcNow
                  let result = producer.Produce(batch "a" 1).ThrowIfError()
                  let apis = seen |> Seq.map _.Api |> List.ofSeq
                  Expect.contains apis ApiKey.ApiVersions "versions"
                  Expect.contains apis ApiKey.Metadata "the leader"
                  let last = seen[seen.Count - 1]
                  let own = result.Exchange
                  Expect.equal (last.Api, last.Version, last.Broker) (own.Api, own.Version, own.Broker) "the same call"
                  Expect.equal (own.Api, own.Version) (ApiKey.Produce, 10s) "the call"
                  Expect.equal own.Broker (Nullable (there producer.Client.Leader).Address) "the leader"
                  Expect.isGreaterThan own.BytesOut (batch "a" 1).SizeInBytes "bytes out"
                  Expect.isGreaterThan own.BytesIn 10 "bytes in"
                  Expect.isGreaterThan own.CorrelationId 0 "correlation id"
                  Expect.isTrue (own.Began >= began.AddMilliseconds -50.0 && own.Elapsed > TimeSpan.Zero && own.WasSent) "time"
                  Expect.equal (own.UnreadBytes, own.Fault) (0, null) "the rest"
                  Expect.stringStarts (own.ToString()) ("Produce v10 to " + own.Broker.ToString() + ": ") "text")) ]

let private failures =
    testList
        "failures"
        [ testCase "an error code is a value, and ThrowIfError throws it" (fun () ->
              onCluster (fun cluster options ->
                  use producer = new PartitionProducer(options, partition)
                  cluster.PushErrors(produceKey, [ ErrorCode.MessageTooLarge.Code ])
                  let result = producer.Produce(batch "a" 1)
                  Expect.equal
                      (result.Status, result.Error, result.BaseOffset)
                      (ProduceStatus.Rejected, ErrorCode.MessageTooLarge, -1L)
                      "the result"
                  Expect.isNull result.Fault "no fault"
                  let error = thrown "too large" (fun () -> result.ThrowIfError() |> ignore)
                  Expect.equal (error.Kind, error.ErrorCode) (KafkaFaultKind.BrokerError, ErrorCode.MessageTooLarge) "thrown"
                  Expect.equal (error.Exchange, error.Broker) (result.Exchange, result.Exchange.Broker) "with the call"

                  for part in [ "Produce to 127.0.0.1:"; "MESSAGE_TOO_LARGE (10)"; "is not in the log" ] do
                      Expect.stringContains error.Message part "message"

                  Expect.isTrue (there producer.Client.Connection).IsOpen "the connection is still good"))

          testCase "if the broker is not sure or the answer is lost, the outcome is unknown" (fun () ->
              onCluster (fun cluster options ->
                  use producer = new PartitionProducer(options, partition)
                  cluster.PushErrors(produceKey, [ ErrorCode.RequestTimedOut.Code; MockCluster.Disconnect ])
                  let unsure = producer.Produce(batch "a" 1)
                  Expect.equal (unsure.Status, unsure.Error) (ProduceStatus.Unknown, ErrorCode.RequestTimedOut) "not sure"
                  let lost = producer.Produce(batch "a" 1)
                  Expect.equal (lost.Status, lost.Error) (ProduceStatus.Unknown, ErrorCode.None) "lost"
                  Expect.equal (there lost.Fault).Kind KafkaFaultKind.Closed "the fault"
                  Expect.equal (there lost.Exchange.Fault).Kind KafkaFaultKind.Closed "the fault in the exchange"

                  for result in [ unsure; lost ] do
                      let error = thrown "unknown" (fun () -> result.ThrowIfError() |> ignore)
                      Expect.stringContains error.Message "may or may not be in the log" "message"

                  Expect.isNull producer.Client.Connection "the connection is closed"
                  Expect.equal
                      (producer.Produce(batch "a" 1).ThrowIfError().Status)
                      ProduceStatus.Acknowledged
                      "the next call makes another"))

          testCase "a fetch has errors and faults, with the data that came with them" (fun () ->
              onCluster (fun cluster options ->
                  use producer = new PartitionProducer(options, partition)
                  use fetcher = new PartitionFetcher(options, partition)
                  producer.Produce(batch "a" 3).ThrowIfError() |> ignore
                  fetcher.Offset <- 99L
                  let beyond = fetcher.Fetch()
                  Expect.equal beyond.Error ErrorCode.OffsetOutOfRange "beyond the end"
                  Expect.equal (beyond.NextOffset, beyond.HighWatermark) (99L, 3L) "it does not move, and the bounds are there"
                  Expect.isEmpty beyond.Batches "no batches"
                  let error = thrown "beyond" (fun () -> beyond.ThrowIfError() |> ignore)
                  Expect.equal error.ErrorCode ErrorCode.OffsetOutOfRange "thrown"
                  fetcher.Offset <- 0L
                  cluster.PushErrors(fetchKey, [ MockCluster.Disconnect ])
                  let lost = fetcher.Fetch()
                  Expect.equal
                      ((there lost.Fault).Kind, lost.Error, lost.HighWatermark)
                      (KafkaFaultKind.Closed, ErrorCode.None, -1L)
                      "lost"
                  Expect.equal
                      (lost.RawRecords.Length, lost.NextOffset, lost.LastStableOffset, lost.LogStartOffset)
                      (0, 0L, -1L, -1L)
                      "nothing else"
                  Expect.isFalse (lost.CurrentLeader.HasValue || lost.PreferredReadReplica.HasValue) "no other broker"
                  Expect.equal (thrown "lost" (fun () -> lost.ThrowIfError() |> ignore)).Kind KafkaFaultKind.Closed "thrown"
                  cluster.PushErrors(listKey, [ MockCluster.Disconnect; ErrorCode.NotLeaderOrFollower.Code ])
                  let sought = fetcher.Seek OffsetSpec.Latest
                  Expect.equal
                      ((there sought.Fault).Kind, sought.Offset, fetcher.Offset)
                      (KafkaFaultKind.Closed, Nullable(), 0L)
                      "not found"
                  Expect.equal (thrown "not found" (fun () -> sought.ThrowIfError() |> ignore)).Kind KafkaFaultKind.Closed "thrown"
                  let sought = fetcher.Seek OffsetSpec.Latest
                  Expect.equal (sought.Error, sought.Offset, fetcher.Offset) (ErrorCode.NotLeaderOrFollower, Nullable(), 0L) "refused"
                  Expect.equal (sought.Timestamp, sought.LeaderEpoch) (-1L, -1) "nothing else"
                  Expect.equal
                      (thrown "refused" (fun () -> sought.ThrowIfError() |> ignore)).ErrorCode
                      ErrorCode.NotLeaderOrFollower
                      "thrown"
                  Expect.equal (recordsOf (fetcher.Fetch().ThrowIfError())).Length 3 "the next fetch succeeds"))

          testCase "without a broker, one fault has a cause for each" (fun () ->
              let first, refusing = Loopback.refuse ()
              let second', refusing' = Loopback.refuse ()
              use _ = first
              use _ = second'
              let addresses = [ refusing; refusing' ] |> List.map (fun it -> BrokerAddress(it.Host, it.Port))
              let options = KafkaClientOptions(addresses)
              let result = KafkaCluster.Connect options
              Expect.equal (result.IsSuccess, result.Value, result.Exchanges.Count) (false, null, 0) "no connection and no exchange"
              let error = thrown "connect" (fun () -> result.ThrowIfError() |> ignore)
              Expect.equal (error.Kind, error.Broker) (KafkaFaultKind.NoBroker, Nullable()) "no broker"
              Expect.isNull error.Exchange "it did not come to a call"
              Expect.equal (error.Fault.Causes |> Seq.map _.Kind |> List.ofSeq) (List.replicate 2 KafkaFaultKind.CannotConnect) "each"
              Expect.containsAll (error.Fault.Causes |> Seq.map _.Broker) (List.map Nullable addresses) "which"

              for address in addresses do
                  Expect.stringContains error.Message (address.ToString()) "message"

              let error = thrown "open" (fun () -> KafkaConnection.Open(options, addresses.Head).ThrowIfError() |> ignore)
              Expect.equal (error.Kind, error.Broker) (KafkaFaultKind.CannotConnect, Nullable addresses.Head) "one broker"
              use producer = new PartitionProducer(options, partition)
              let result = producer.Produce(batch "a" 1)
              Expect.equal (result.Status, (there result.Fault).Kind) (ProduceStatus.Rejected, KafkaFaultKind.NoBroker) "not sent"
              Expect.isFalse result.Exchange.WasSent "not sent"
              Expect.equal (result.Exchange.Version, result.Exchange.Broker) (-1s, Nullable()) "no call"
              Expect.stringStarts (result.ToString()) "Rejected: none of the bootstrap brokers" "text"
              Expect.equal (thrown "produce" (fun () -> result.ThrowIfError() |> ignore)).Kind KafkaFaultKind.NoBroker "thrown")

          testCase "without a leader, the result has the error code" (fun () ->
              onCluster (fun _ options ->
                  let nowhere = TopicPartition("nowhere", 0)
                  use client = new PartitionClient(options, nowhere)

                  for result, action in
                      [ let found = KafkaCluster.FindLeader(options, nowhere)
                        found :> KafkaResult, (fun () -> found.ThrowIfError() |> ignore)
                        let connected = client.Connect()
                        connected, (fun () -> connected.ThrowIfError() |> ignore) ] do
                      Expect.equal result.Error ErrorCode.UnknownTopicOrPartition "the error code of the fault"
                      Expect.contains (result.Exchanges |> Seq.map _.Api) ApiKey.Metadata "the exchanges"
                      let error = thrown "no leader" action
                      Expect.equal (error.Kind, error.ErrorCode) (KafkaFaultKind.NoLeader, ErrorCode.UnknownTopicOrPartition) "the kind"
                      Expect.stringContains error.Message "nowhere-0" "message"))

          testCase "an API that the broker does not support is a fault, and the connection stays open" (fun () ->
              onCluster (fun _ options ->
                  use connection = KafkaCluster.ConnectController(options).ThrowIfError()
                  let result = connection.Call(ApiKey.CreateTopics, "{}")
                  Expect.equal (there result.Fault).Kind KafkaFaultKind.NoCommonVersion "the kind"
                  Expect.equal (there result.Fault).Broker (Nullable connection.Broker) "the broker"
                  Expect.equal (connection.GetMetadata([ topic ]).ThrowIfError().Topics.Count) 1 "it is still good"))

          testCase "a connection that breaks is a fault, and unusable afterwards" (fun () ->
              onCluster (fun cluster options ->
                  use connection = KafkaCluster.Connect(options).ThrowIfError()
                  cluster.SetBrokerDown MockCluster.AllBrokers
                  let error = thrown "cut" (fun () -> connection.GetMetadata().ThrowIfError() |> ignore)
                  Expect.equal error.Kind KafkaFaultKind.Unusable "the first call sees that the connection has ended"
                  Expect.stringStarts error.Message ("Metadata to " + connection.Broker.ToString() + ": ") "message"
                  Expect.isFalse connection.IsOpen "it is closed"
                  Expect.equal
                      (thrown "later" (fun () -> connection.GetMetadata().ThrowIfError() |> ignore)).Kind
                      KafkaFaultKind.Unusable
                      "a later call")) ]

// ---- cancelling and disposing ----

let private ends =
    testList
        "cancelling and disposing"
        [ testCase "a call that is cancelled before it begins has that fault, and leaves connections open" (fun () ->
              onCluster (fun _ options ->
                  let token = CancellationToken true
                  use client = new PartitionClient(options, partition)
                  use producer = new PartitionProducer(client)
                  use fetcher = new PartitionFetcher(client)
                  use connection = KafkaCluster.Connect(options).ThrowIfError()
                  let own = client.Connect().ThrowIfError()

                  let calls: (string * (unit -> KafkaResult)) list =
                      [ "produce", (fun () -> producer.Produce(batch "a" 1, token))
                        "fetch", (fun () -> fetcher.Fetch token)
                        "seek", (fun () -> fetcher.Seek(OffsetSpec.Latest, token))
                        "seek to time", (fun () -> fetcher.SeekToTime(DateTimeOffset.UtcNow, token))
                        "find", (fun () -> fetcher.FindOffset(OffsetSpec.Latest, token))
                        "metadata", (fun () -> connection.GetMetadata([], token))
                        "coordinator", (fun () -> connection.FindCoordinator(CoordinatorType.Group, "g", token))
                        "json", (fun () -> connection.Call(ApiKey.Metadata, "{}", Nullable(), token))
                        "open", (fun () -> KafkaConnection.Open(options, connection.Broker, token))
                        "cluster", (fun () -> KafkaCluster.Connect(options, token))
                        "controller", (fun () -> KafkaCluster.ConnectController(options, token))
                        "leader", (fun () -> KafkaCluster.FindLeader(options, partition, token)) ]

                  for name, call in calls do
                      let result = call ()
                      Expect.equal (there result.Fault).Kind KafkaFaultKind.Cancelled name
                      Expect.isFalse (result.Exchanges |> Seq.exists _.WasSent) (name + " sends nothing")

                  let fetched = fetcher.Fetch token
                  Expect.equal (cancelled "fetch" (fun () -> fetched.ThrowIfError() |> ignore)).CancellationToken token "thrown"

                  Expect.isTrue connection.IsOpen "the connection is still open"
                  Expect.isTrue (Object.ReferenceEquals(client.Connection, own) && own.IsOpen) "so is the client's, which is the same"))

          testCase "a fetch that is cancelled while it waits has that fault, and the next one works" (fun () ->
              onCluster (fun _ options ->
                  use producer = new PartitionProducer(options, partition)
                  use fetcher = new PartitionFetcher(options, partition, FetcherOptions(MaxWait = 15.0 * second))
                  fetcher.Client.Connect().ThrowIfError() |> ignore
                  use source = new CancellationTokenSource(moment)
                  let clock = Diagnostics.Stopwatch.StartNew()
                  let result = fetcher.Fetch source.Token
                  Expect.isLessThan clock.Elapsed (10.0 * second) "it did not wait to the end"
                  Expect.equal (there result.Fault).Kind KafkaFaultKind.Cancelled "a value"
                  let error = cancelled "fetch" (fun () -> result.ThrowIfError() |> ignore)
                  Expect.equal error.CancellationToken source.Token "the token"

                  match error.InnerException with
                  | :? KafkaException as inner ->
                      Expect.equal (inner.Kind, (there inner.Exchange).WasSent) (KafkaFaultKind.Cancelled, true) "the call"
                  | other -> failtestf "not the fault of the call: %O" other

                  Expect.isNull fetcher.Client.Connection "the connection is closed"
                  producer.Produce(batch "a" 1).ThrowIfError() |> ignore
                  Expect.equal (recordsOf (fetcher.Fetch())).Length 1 "the next fetch"))

          testCase "a batch whose call is cancelled after it was sent may be in the log, and the result says so" (fun () ->
              onCluster (fun cluster options ->
                  use producer = new PartitionProducer(options, partition)
                  producer.Client.Connect() |> ignore
                  cluster.SetRtt(MockCluster.AllBrokers, 5.0 * second)
                  use source = new CancellationTokenSource(moment)
                  let result = producer.Produce(batch "a" 1, source.Token)
                  cluster.SetRtt(MockCluster.AllBrokers, TimeSpan.Zero)
                  Expect.equal (result.Status, (there result.Fault).Kind) (ProduceStatus.Unknown, KafkaFaultKind.Cancelled) "the result"
                  let error = cancelled "produce" (fun () -> result.ThrowIfError() |> ignore)
                  Expect.equal error.CancellationToken source.Token "the token"
                  Expect.stringContains error.Message "may or may not be in the log" "message"
                  use fetcher = new PartitionFetcher(options, partition)
                  Expect.equal (recordsOf (fetcher.Fetch())).Length 1 "it is"))

          testCase "disposing twice is harmless, and later calls throw" (fun () ->
              onCluster (fun _ options ->
                  let gone name action = Expect.throwsT<ObjectDisposedException> action name
                  let producer = new PartitionProducer(options, partition)
                  let fetcher = new PartitionFetcher(options, partition)
                  producer.Produce(batch "a" 1).ThrowIfError() |> ignore
                  fetcher.Fetch().ThrowIfError() |> ignore
                  let connection = there producer.Client.Connection

                  for _ in 1..2 do
                      producer.Dispose()
                      fetcher.Dispose()

                  Expect.isFalse connection.IsOpen "the connection is closed"
                  gone "produce" (fun () -> producer.Produce(batch "a" 1) |> ignore)
                  gone "fetch" (fun () -> fetcher.Fetch() |> ignore)
                  gone "seek" (fun () -> fetcher.Seek OffsetSpec.Latest |> ignore)
                  gone "connect" (fun () -> producer.Client.Connect() |> ignore)
                  let connection = KafkaCluster.Connect(options).ThrowIfError()

                  for _ in 1..2 do
                      connection.Dispose()

                  gone "metadata" (fun () -> connection.GetMetadata() |> ignore)
                  let never = new PartitionProducer(options, partition)
                  never.Dispose()
                  never.Dispose()))

          testCase "a shared client outlives its producers and fetchers, and reconnects after it was disconnected" (fun () ->
              onCluster (fun _ options ->
                  use client = new PartitionClient(options, partition)
                  Expect.isTrue (isNull client.Connection && isNull client.Leader) "no connection before it is needed"
                  Expect.isNull client.LastLeader "nor has there been one"
                  let producer = new PartitionProducer(client, ProducerOptions(Acks = Acks.Leader))
                  Expect.equal
                      (producer.Options, client.Partition, client.Options)
                      (ProducerOptions(Acks = Acks.Leader), partition, options)
                      "what it is made of"
                  producer.Produce(batch "a" 1).ThrowIfError() |> ignore
                  producer.Dispose()
                  let connection = there client.Connection
                  Expect.isTrue connection.IsOpen "the connection is open"
                  Expect.equal (there client.Leader).Address connection.Broker "to the leader"
                  client.Disconnect()
                  Expect.isFalse connection.IsOpen "disconnected"
                  Expect.isNull client.Leader "and from no leader"
                  Expect.equal (there client.LastLeader).Address connection.Broker "the last one is still known"
                  use fetcher = new PartitionFetcher(client)
                  Expect.equal (recordsOf (fetcher.Fetch().ThrowIfError())).Length 1 "connected again"
                  (there client.Connection).Dispose()
                  Expect.equal (recordsOf (fetcher.Fetch().ThrowIfError())).Length 1 "and again")) ]

[<Tests>]
let tests = testList "façade" [ mainJob; failures; ends ]
