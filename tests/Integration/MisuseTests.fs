/// Mistakes of new users, which are refused before anything is sent.
module LibKafka.Integration.MisuseTests

open System
open System.Collections.Generic
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Client
open LibKafka.Protocol
open LibKafka.Testing
open LibKafka.Topics
open LibKafka.Integration.Support

let private settings = ClientSettings.standard
let private partition: TopicPartition = { Topic = "orders"; Partition = 0 }

// The argument that is refused.
let private refusal (call: unit -> 'Result) : ArgumentException =
    try
        call () |> ignore
        failtest "it is accepted"
    with :? ArgumentException as error ->
        error

// The name of the argument that is refused.
let private refusedBy (call: unit -> 'Result) : string | null = (refusal call).ParamName

// Nothing listens there: a call that is not refused has a fault.
let private nowhere = Bootstrap.ofAddresses [ { Host = "127.0.0.1"; Port = 1 } ]
let private options = LibKafka.KafkaClientOptions "127.0.0.1:1"
let private nameless: TopicPartition = { partition with Topic = "" }

let private cluster (test: TestBroker -> Bootstrap -> unit) =
    use kafka = TestBroker.Start()
    kafka.Topic "orders"
    test kafka (Bootstrap.parse kafka.Bootstrap |> ok)

[<Tests>]
let tests =
    testList
        "misuse"
        [ test "a negative offset is committed" {
              cluster (fun kafka brokers ->
                  let negative = CommittedOffset.at -1L
                  use group = new GroupClient(settings, brokers, "g")
                  Expect.equal
                      (refusedBy (fun () -> group.CommitOffsets(GroupMembership.none, [ partition, negative ])))
                      "offsets"
                      "by a client"
                  Expect.equal
                      (refusedBy (fun () -> group.BeginCommitOffsets(GroupMembership.none, [ partition, negative ])))
                      "offsets"
                      "in two parts"
                  use transaction = new TransactionClient(settings, brokers, "t")
                  RetryPolicy.standard.Run(fun call -> transaction.InitProducerId(TimeSpan.FromMinutes 1.0, call)).Result |> ok |> ignore
                  Expect.equal
                      (refusedBy (fun () -> transaction.CommitOffsets(group, GroupMembership.none, [ partition, negative ])))
                      "offsets"
                      "in a transaction"
                  Expect.equal (group.FetchOffset partition).Result (Ok None) "nothing is stored, and the client can be used")
          }

          test "a member of a group commits a negative offset" {
              cluster (fun kafka _ ->
                  let options = LibKafka.KafkaClientOptions kafka.Bootstrap
                  use consumer = new LibKafka.GroupConsumer(options, LibKafka.GroupConsumerOptions("g", [ "orders" ]))
                  while Seq.isEmpty consumer.Partitions do
                      consumer.Poll(TimeSpan.FromSeconds 1.0) |> ignore

                  let offsets = [ KeyValuePair(LibKafka.TopicPartition("orders", 0), LibKafka.CommittedOffset -5L) ]
                  Expect.equal (refusedBy (fun () -> consumer.Commit offsets)) "offsets" "the argument"
                  Expect.isTrue (consumer.Commit().IsStored) "the consumer can be used")
          }

          test "a pattern of topics is wrong, or valid only between other parentheses" {
              for pattern in [ "["; "a)|(b" ] do
                  let group = { GroupSettings.make "g" [] with Subscription = Subscription.Pattern pattern }
                  let error = refusal (fun () -> new GroupConsumer(settings, nowhere, group))
                  Expect.stringContains error.Message $"'{pattern}'" "the pattern as it was given"
          }

          test "a C# program that opens LibKafka and LibKafka.Testing has no ambiguous name" {
              let names (space: string) (assembly: Reflection.Assembly) =
                  set
                      [ for one in assembly.GetExportedTypes() do
                            if one.Namespace = space then one.Name ]

              let facade = names "LibKafka" typeof<LibKafka.KafkaClientOptions>.Assembly
              let testing = names "LibKafka.Testing" typeof<TestBroker>.Assembly
              Expect.isGreaterThan testing.Count 10 "types for tests"
              Expect.equal (Set.intersect facade testing) Set.empty "names of both"
          }

          test "clients and record sets have a readable text" {
              cluster (fun kafka brokers ->
                  use connection = Cluster.Connect(settings, brokers) |> ok
                  Expect.equal (string connection) ("connection to " + kafka.Bootstrap) "a connection"
                  use client = new PartitionClient(settings, brokers, partition)
                  Expect.equal (string client) "client of orders-0" "a client"
                  Expect.equal (string (RecordSet.split Bytes.empty)) "0 bytes of record batches" "a record set"
                  Expect.equal (string BatchRecords.Empty) "0 records" "records"
                  Expect.stringContains (string Reading.standard) "Codecs: none" "no codecs")
          }

          test "a transactional id is empty" {
              let brokers = Bootstrap.ofAddresses []
              Expect.equal (refusedBy (fun () -> new TransactionClient(settings, brokers, ""))) "transactionalId" "F#"
              Expect.equal (refusedBy (fun () -> new LibKafka.TransactionClient(options, ""))) "transactionalId" "C#"
          }

          test "a partition is negative" {
              let below = { partition with Partition = -1 }
              let facadeBelow = LibKafka.TopicPartition("orders", -1)
              use consumer = new TopicConsumer(settings, nowhere, ConsumerSettings.standard)

              let calls: (string * (unit -> obj)) list =
                  [ "PartitionClient", (fun () -> new PartitionClient(settings, nowhere, below))
                    "TopicConsumer.Add", (fun () -> consumer.Add(below, Start.earliest))
                    "PartitionClient in C#", (fun () -> new LibKafka.PartitionClient(options, facadeBelow))
                    "PartitionProducer in C#", (fun () -> new LibKafka.PartitionProducer(options, facadeBelow)) ]

              for name, call in calls do
                  let refused = refusal call
                  Expect.equal refused.ParamName "partition" name
                  Expect.isTrue (refused :? ArgumentOutOfRangeException) name

              Expect.stringContains (refusal (snd calls[0])).Message "numbered from 0" "what to do"
              Expect.isEmpty consumer.Partitions "nothing is added"
          }

          test "an offset to read from is negative" {
              use client = new PartitionClient(settings, nowhere, partition)
              use fetcher = new PartitionFetcher(client, FetcherSettings.standard, 7L)
              use consumer = new TopicConsumer(settings, nowhere, ConsumerSettings.standard)
              use facade = new LibKafka.TopicConsumer(options)
              let facadePartition = LibKafka.TopicPartition("orders", 1)
              consumer.Add(partition, Start.earliest)
              facade.Add(facadePartition, LibKafka.FetchPosition 3L)
              let start = Start.atOffset -1L

              let calls: (string * string * (unit -> obj)) list =
                  [ "PartitionFetcher", "offset", (fun () -> new PartitionFetcher(client, FetcherSettings.standard, -1L))
                    "PartitionFetcher.Owning", "offset", (fun () -> PartitionFetcher.Owning(client, FetcherSettings.standard, -2L))
                    "PartitionFetcher.Offset",
                    "value",
                    (fun () ->
                        (fetcher.Offset <- -1L
                         obj ()))
                    "PartitionFetcher.Position",
                    "value",
                    (fun () ->
                        (fetcher.Position <- FetchPosition.at -1L
                         obj ()))
                    "TopicConsumer.Add", "start", (fun () -> consumer.Add({ partition with Partition = 1 }, start))
                    "TopicConsumer.AddTopic", "start", (fun () -> consumer.AddTopic("orders", start))
                    "TopicConsumer.Seek", "start", (fun () -> consumer.Seek(partition, start))
                    "TopicConsumer.Add in C#",
                    "position",
                    (fun () -> facade.Add(LibKafka.TopicPartition("orders", 2), LibKafka.FetchPosition -1L))
                    "TopicConsumer.Seek in C#", "position", (fun () -> facade.Seek(facadePartition, LibKafka.FetchPosition -1L))
                    "NextStep.Continue in C#", "position", (fun () -> LibKafka.NextStep.Continue(LibKafka.FetchPosition -1L)) ]

              for name, parameter, call in calls do
                  let refused = refusal call
                  Expect.equal refused.ParamName parameter name
                  Expect.isTrue (refused :? ArgumentOutOfRangeException) name

              Expect.equal fetcher.Offset 7L "the fetcher stays where it is"
              Expect.equal consumer.Partitions.Length 1 "nothing is added"
          }

          test "settings of a partition's clients are negative" {
              use client = new PartitionClient(settings, nowhere, partition)
              let before = TimeSpan.FromMilliseconds -2.0

              let fetchers =
                  [ { FetcherSettings.standard with MaxWait = before }
                    { FetcherSettings.standard with MinBytes = -1 }
                    { FetcherSettings.standard with MaxBytes = 0 }
                    { FetcherSettings.standard with ReplicaTime = before } ]

              for wrong in fetchers do
                  Expect.equal (refusedBy (fun () -> new PartitionFetcher(client, wrong, 0L))) "settings" (string wrong)

              let producers =
                  [ { ProducerSettings.standard with AckTimeout = before }; { ProducerSettings.standard with MaxBatchBytes = 0 } ]

              for wrong in producers do
                  Expect.equal (refusedBy (fun () -> new PartitionProducer(client, wrong))) "settings" (string wrong)
          }

          test "a time that a request carries is negative" {
              let before = TimeSpan.FromMilliseconds -2.0
              use group = new GroupClient(settings, nowhere, "g")
              use transaction = new TransactionClient(settings, nowhere, "t")
              let join = JoinSettings.consumer []
              let subscription = ConsumerGroupSubscription.topics [ "orders" ]
              use one = new ConsumerGroupClient(settings, nowhere, "g", subscription)
              let late = { subscription with RebalanceTimeout = before }

              let calls: (string * string * (unit -> obj)) list =
                  [ "a session", "join", (fun () -> group.Join("", { join with SessionTimeout = before }))
                    "a rebalance", "join", (fun () -> group.BeginJoin("", { join with RebalanceTimeout = before }))
                    "a transaction", "timeout", (fun () -> transaction.InitProducerId before)
                    "a member", "subscription", (fun () -> new ConsumerGroupClient(settings, nowhere, "g", late))
                    "a subscription",
                    "subscription",
                    (fun () ->
                        (one.Subscription <- late
                         obj ())) ]

              for name, parameter, call in calls do
                  Expect.equal (refusedBy call) parameter name
          }

          test "a topic name is empty" {
              use consumer = new TopicConsumer(settings, nowhere, ConsumerSettings.standard)
              use facadeConsumer = new LibKafka.TopicConsumer(options)
              let facadePartition = LibKafka.TopicPartition("", 0)
              let groupOptions = LibKafka.GroupConsumerOptions("g", [ "orders"; "" ])

              let calls: (string * string * (unit -> obj)) list =
                  [ "PartitionClient", "partition", (fun () -> new PartitionClient(settings, nowhere, nameless))
                    "TopicProducer", "topic", (fun () -> TopicProducer.Open(settings, nowhere, ""))
                    "TopicConsumer.Add", "partition", (fun () -> consumer.Add(nameless, Start.earliest))
                    "TopicConsumer.AddTopic", "topic", (fun () -> consumer.AddTopic("", Start.earliest))
                    "GroupConsumer",
                    "group",
                    (fun () -> new GroupConsumer(settings, nowhere, GroupSettings.make "g" [ "orders"; "" ], ConsumerSettings.standard))
                    "PartitionClient in C#", "partition", (fun () -> new LibKafka.PartitionClient(options, facadePartition))
                    "PartitionProducer in C#", "partition", (fun () -> new LibKafka.PartitionProducer(options, facadePartition))
                    "PartitionFetcher in C#", "partition", (fun () -> new LibKafka.PartitionFetcher(options, facadePartition))
                    "TopicProducer in C#", "topic", (fun () -> LibKafka.TopicProducer.Open(options, ""))
                    "TopicConsumer.Add in C#", "partition", (fun () -> facadeConsumer.Add(facadePartition, OffsetSpec.Earliest))
                    "TopicConsumer.AddTopic in C#", "topic", (fun () -> facadeConsumer.AddTopic("", OffsetSpec.Earliest))
                    "GroupConsumer in C#", "groupOptions", (fun () -> new LibKafka.GroupConsumer(options, groupOptions)) ]

              for name, argument, call in calls do
                  let error = refusal call
                  Expect.equal error.ParamName argument name
                  Expect.stringContains error.Message "empty: give the name" name
          }

          test "a transaction is used before InitProducerId" {
              use group = new GroupClient(settings, nowhere, "g")
              use transaction = new TransactionClient(settings, nowhere, "t")
              let offsets = [ partition, CommittedOffset.at 1L ]
              use facadeGroup = new LibKafka.GroupClient(options, "g")
              use facade = new LibKafka.TransactionClient(options, "t")
              let facadePartition = LibKafka.TopicPartition("orders", 0)
              let facadeOffsets = [ KeyValuePair(facadePartition, LibKafka.CommittedOffset 1L) ]

              let calls: (string * (unit -> obj)) list =
                  [ "AddPartitions", (fun () -> transaction.AddPartitions [ partition ])
                    "AddOffsets", (fun () -> transaction.AddOffsets "g")
                    "CommitOffsets", (fun () -> transaction.CommitOffsets(group, GroupMembership.none, offsets))
                    "Commit", (fun () -> transaction.Commit())
                    "Abort", (fun () -> transaction.Abort())
                    "Producer", (fun () -> transaction.Producer partition)
                    "AddPartitions in C#", (fun () -> facade.AddPartitions [ facadePartition ])
                    "AddOffsets in C#", (fun () -> facade.AddOffsets "g")
                    "CommitOffsets in C#", (fun () -> facade.CommitOffsets(facadeGroup, LibKafka.GroupMembership.None, facadeOffsets))
                    "Commit in C#", (fun () -> facade.Commit())
                    "Abort in C#", (fun () -> facade.Abort())
                    "Producer in C#", (fun () -> facade.Producer facadePartition) ]

              for name, call in calls do
                  Expect.throwsC (call >> ignore) (fun error ->
                      Expect.equal (error.GetType()) typeof<InvalidOperationException> name
                      Expect.stringContains error.Message "call InitProducerId first" name)
          }

          test "a broker may wait for as long as a call takes, so that each fetch of an idle partition would time out" {
              let long = { FetcherSettings.standard with MaxWait = settings.CallTimeout }
              let reading = { ConsumerSettings.standard with Fetching = long }
              use client = new PartitionClient(settings, nowhere, partition)
              let group = GroupSettings.make "g" [ "orders" ]
              let process' = { ExactlyOnceSettings.make "g" [ "orders" ] "t" with Reading = reading }
              let facadePartition = LibKafka.TopicPartition("orders", 0)
              let facadeLong = LibKafka.FetcherOptions(MaxWait = options.CallTimeout)
              let facadeReading = LibKafka.TopicConsumerOptions(Fetching = facadeLong)
              use facadeClient = new LibKafka.PartitionClient(options, facadePartition)

              let calls: (string * string * (unit -> obj)) list =
                  [ "PartitionFetcher", "settings", (fun () -> new PartitionFetcher(client, long, 0L))
                    "TopicConsumer", "consumer", (fun () -> new TopicConsumer(settings, nowhere, reading))
                    "GroupConsumer", "consumer", (fun () -> new GroupConsumer(settings, nowhere, group, reading))
                    "ExactlyOnce", "process'", (fun () -> new ExactlyOnce(settings, nowhere, process', (fun _ _ _ -> ())))
                    "PartitionFetcher in C#",
                    "fetcherOptions",
                    (fun () -> new LibKafka.PartitionFetcher(options, facadePartition, facadeLong))
                    "PartitionFetcher of a client in C#", "options", (fun () -> new LibKafka.PartitionFetcher(facadeClient, facadeLong))
                    "TopicConsumer in C#", "consumerOptions", (fun () -> new LibKafka.TopicConsumer(options, facadeReading))
                    "GroupConsumer in C#",
                    "consumerOptions",
                    (fun () -> new LibKafka.GroupConsumer(options, LibKafka.GroupConsumerOptions("g", [ "orders" ]), facadeReading)) ]

              for name, argument, call in calls do
                  let error = refusal call
                  Expect.equal error.ParamName argument name
                  Expect.stringContains error.Message "MaxWait" name
                  Expect.stringContains error.Message "shorter than CallTimeout, 00:00:30" name

              let endless = Threading.Timeout.InfiniteTimeSpan
              let accepts call wait = FetcherSettings.check { settings with CallTimeout = call } { long with MaxWait = wait } |> Result.isOk
              let short, longer = TimeSpan.FromSeconds 1.0, TimeSpan.FromSeconds 2.0
              Expect.isTrue (accepts longer short) "a shorter wait"
              Expect.isTrue (accepts endless longer) "a call without a limit"
              Expect.isFalse (accepts longer endless) "a wait without a limit"
          } ]
