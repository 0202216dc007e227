/// A partition's log as producers and fetchers see it: acks, offsets, bounds.
module LibKafka.Integration.LogTests

open Expecto
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support

/// A fetcher that does not wait for records.
let private fetcherOf (client: PartitionClient) (offset: int64) =
    new PartitionFetcher(client, { FetcherSettings.standard with MaxWait = ms 1 }, offset)

let private produce (client: PartitionClient) (acks: Acks) (name: string) (count: int) : Produced =
    (new PartitionProducer(client, { ProducerSettings.standard with Acks = acks })).Produce(batch name count)

/// Three batches of four records: `a0` to `a3`, then `b`, then `c`.
let private fill (client: PartitionClient) =
    for name in [ "a"; "b"; "c" ] do
        acknowledged (produce client Acks.All name 4) |> ignore

[<Tests>]
let tests =
    onEachAndEmbedded "log" (fun cluster ->
        [ for acks in [ Acks.Leader; Acks.All ] do
              testCase ("acks " + acks.ToString() + ": the answer has the batch's offset") (fun () ->
                  cluster.WithPartition(fun _ client ->
                      Expect.equal (acknowledged (produce client acks "a" 3)) 0L "the first"
                      Expect.equal (acknowledged (produce client acks "b" 2)) 3L "the second"
                      Expect.equal (acknowledged (produce client acks "c" 1)) 5L "the third"))

          testCase "acks NONE: there is no response, but the batch is in the log" (fun () ->
              cluster.WithPartition(fun _ client ->
                  let unasked = produce client Acks.None "a" 3
                  Expect.equal unasked.Result (ProduceResult.Unknown Doubt.NotAsked) "the outcome"
                  Expect.isTrue unasked.Exchange.Info.WasSent "it was sent"
                  // On the same connection, so after it.
                  let connection = client.Connection
                  Expect.equal (acknowledged (produce client Acks.All "b" 1)) 3L "the next batch's offset"
                  Expect.equal client.Connection connection "it was the same connection"
                  let values = fetcherOf client 0L |> fetchUntil 4L |> valuesOf
                  Expect.equal values [ "a0"; "a1"; "a2"; "b0" ] "the log"))

          testCase "many batches with acks NONE in quick succession are all in the log" (fun () ->
              cluster.WithPartition(fun _ client ->
                  for i in 1..100 do
                      Expect.equal (produce client Acks.None "x" 1).Result (ProduceResult.Unknown Doubt.NotAsked) "the outcome"

                  Expect.equal (acknowledged (produce client Acks.Leader "y" 1)) 100L "the one after them"))

          testCase "seeking finds the first and the next offset of the log, and moves there" (fun () ->
              cluster.WithPartition(fun _ client ->
                  let fetcher = fetcherOf client 77L
                  Expect.equal (fetcher.Seek OffsetSpec.Latest).Offset (Some 0L) "the next of an empty log"
                  fill client
                  Expect.equal (fetcher.Seek OffsetSpec.Latest).Offset (Some 12L) "the next"
                  Expect.equal fetcher.Offset 12L "it is there"
                  Expect.equal (fetcher.Seek OffsetSpec.Earliest).Offset (Some 0L) "the first"
                  Expect.equal fetcher.Offset 0L "it is there"))

          testCase "a search does not move the fetcher" (fun () ->
              cluster.WithPartition(fun _ client ->
                  fill client
                  let fetcher = fetcherOf client 5L
                  Expect.equal (fetcher.FindOffset OffsetSpec.Latest).Offset (Some 12L) "what was found"
                  Expect.equal fetcher.Offset 5L "where the fetcher is"))

          testCase "a search for a time that no record has reached finds nothing, and does not move the fetcher" (fun () ->
              cluster.WithPartition(fun _ client ->
                  fill client
                  let fetcher = fetcherOf client 5L
                  let late = OffsetSpec.AtTimestamp 4_000_000_000_000L
                  let found = fetcher.FindOffset late
                  Expect.equal
                      ((ok (codeOf found.Result)), found.Offset)
                      (ErrorCode.None, None)
                      "a search without moving: no offset, no error"
                  let sought = fetcher.Seek late
                  Expect.equal (faultOf sought.Result) (ClientFault.NoSuchOffset(client.Partition, late)) "a seek: a result of its own"
                  Expect.equal sought.Offset None "nothing was found"
                  Expect.equal fetcher.Offset 5L "where the fetcher is"))

          testCase "a fetch does not move the fetcher: fetching twice returns the same records twice" (fun () ->
              cluster.WithPartition(fun _ client ->
                  fill client
                  let fetcher = fetcherOf client 0L
                  let first, second = fetcher.Fetch(), fetcher.Fetch()
                  Expect.isGreaterThan first.RawRecords.Length 0 "there is something"
                  Expect.equal second.RawRecords first.RawRecords "the same"
                  Expect.equal fetcher.Offset 0L "where the fetcher is"))

          testCase "a fetch in the middle of a batch returns the whole batch with the requested offset" (fun () ->
              cluster.WithPartition(fun _ client ->
                  fill client
                  let fetched = (fetcherOf client 6L).Fetch()
                  let records = recordsOf fetched
                  Expect.equal records.Head.Offset 4L "the batch begins before the offset"
                  Expect.equal (valuesOf (List.truncate 4 records)) [ "b0"; "b1"; "b2"; "b3" ] "the batch"
                  Expect.equal (nextOffset fetched % 4L) 0L "the next offset is after a batch"
                  Expect.isGreaterThan (nextOffset fetched) 6L "and reading continues"))

          testCase "all records from the requested offset on are returned once, whatever the size of a fetch" (fun () ->
              cluster.WithPartition(fun _ client ->
                  fill client
                  let fetcher = fetcherOf client 4L
                  Expect.equal
                      (valuesOf (fetchUntil 12L fetcher))
                      [ for name in [ "b"; "c" ] do
                            for i in 0..3 -> name + string i ]
                      "the rest"))

          testCase "a fetch at the end is empty, without an error" (fun () ->
              cluster.WithPartition(fun _ client ->
                  fill client
                  let fetched = (fetcherOf client 12L).Fetch()
                  let answer = ok fetched.Result
                  Expect.equal answer.Error ErrorCode.None "the code"
                  Expect.equal answer.HighWatermark 12L "the end of the log"
                  Expect.isEmpty (recordsOf fetched) "no records"
                  Expect.equal (nextOffset fetched) 12L "the next offset is the same"))

          testCase "a fetch beyond the end is OFFSET_OUT_OF_RANGE, which is data, and the connection stays open" (fun () ->
              cluster.WithPartition(fun _ client ->
                  fill client
                  let fetcher = fetcherOf client 13L
                  let fetched = fetcher.Fetch()
                  Expect.equal (ok (codeOf fetched.Result)) ErrorCode.OffsetOutOfRange "the code"
                  Expect.isEmpty (recordsOf fetched) "no records"
                  Expect.equal (nextOffset fetched) 13L "the next offset is the same"
                  Expect.isSome client.Connection "the connection stays"
                  fetcher.Offset <- 11L
                  Expect.isNonEmpty (recordsOf (fetcher.Fetch())) "and can be used"))

          testCase "partitions of a topic are separate logs, on connections of their own" (fun () ->
              cluster.WithTopic 3 (fun topic ->
                  let clients =
                      List.init 3 (fun i -> new PartitionClient(cluster.Settings(), cluster.Brokers, { Topic = topic; Partition = i }))

                  for i, client in List.indexed clients do
                      Expect.equal (acknowledged (produce client Acks.All ("p" + string i) (i + 1))) 0L "each begins at 0"

                  for i, client in List.indexed clients do
                      let values = fetcherOf client 0L |> fetchUntil (int64 i + 1L) |> valuesOf
                      Expect.equal values [ for j in 0..i -> "p" + string i + string j ] "its own records"

                  Expect.hasLength (clients |> List.choose _.Connection |> List.distinct) 3 "three connections"
                  clients |> List.iter _.Close()))

          testCase "producer and fetcher of a partition can share a client, and so a connection" (fun () ->
              cluster.WithPartition(fun _ client ->
                  acknowledged (produce client Acks.All "a" 1) |> ignore
                  let connection = client.Connection
                  Expect.equal (valuesOf (recordsOf ((fetcherOf client 0L).Fetch()))) [ "a0" ] "fetched"
                  Expect.isSome connection "there was a connection"
                  Expect.equal client.Connection connection "it is still the same"))

          testCase "a topic of an old message format refuses headers and an idempotent producer" (fun () ->
              if isMock cluster then skiptest "the mock cluster has no such topics"
              // Brokers since 3.0 ignore the config, and those since 4.0 refuse it.
              if cluster.Supports(ApiKey.Fetch, 12s) then
                  skiptest "the brokers have one message format"

              cluster.WithConfiguredTopic [ "message.format.version", "0.10.2" ] 1 (fun topic ->
                  use client = new PartitionClient(cluster.Settings(), cluster.Brokers, { Topic = topic; Partition = 0 })
                  let sent = record 0 "a"
                  let producer = new PartitionProducer(client, ProducerSettings.standard)
                  let refused = producer.Produce(batchOf [ { sent with Headers = [ RecordHeader.withoutValue "h" ] } ])
                  Expect.equal refused.Error ErrorCode.UnknownServerError "headers"
                  Expect.isTrue refused.Result.IsUnknown "the code does not say that nothing was appended"
                  Expect.equal (acknowledged (producer.Produce(batchOf [ sent ]))) 0L "but nothing was"
                  Expect.equal (fetcherOf client 0L |> fetchUntil 1L) [ sent ] "what was appended"
                  let idempotent = IdempotentProducer(client, ProducerSettings.standard, { ProducerId = 1L; ProducerEpoch = 0s })
                  Expect.equal
                      (idempotent.Produce(batchOf [ sent ])).Error
                      ErrorCode.UnsupportedForMessageFormat
                      "an idempotent producer"))

          testCase "a topic that does not exist has no leader" (fun () ->
              use client = new PartitionClient(cluster.Settings(), cluster.Brokers, { Topic = "libkafka-test-not-there"; Partition = 0 })

              match faultOf ((fetcherOf client 0L).Fetch()).Result with
              | ClientFault.NoLeader(partition, code) ->
                  Expect.equal partition client.Partition "the partition"
                  Expect.equal code ErrorCode.UnknownTopicOrPartition "the code"
              | other -> failtestf "%O" other)

          testCase "any broker names the coordinator of a group" (fun () ->
              use connection = Cluster.Connect(cluster.Settings(), cluster.Brokers) |> ok

              let find () =
                  let exchange = Cluster.FindCoordinator(connection, CoordinatorType.Group, "libkafka-test-group")
                  Cluster.CoordinatorIn(ok exchange.Result, "libkafka-test-group")

              // A new cluster first creates the internal topic for groups.
              awaiting "a coordinator" (fun () -> (find ()).Error <> ErrorCode.CoordinatorNotAvailable)
              let found = find ()
              Expect.equal found.Error ErrorCode.None "the code"
              use coordinator = Connection.Open(cluster.Settings(), { Host = found.Host; Port = found.Port }) |> ok
              Expect.isTrue coordinator.IsOpen "a broker is there") ])
