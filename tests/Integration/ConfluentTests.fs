/// Confluent.Kafka on the brokers inside the process: its producers, its groups in both protocols, and its admin client.
module LibKafka.Integration.ConfluentTests

open System
open System.Collections.Generic
open Confluent.Kafka
open Confluent.Kafka.Admin
open Expecto
open LibKafka.Compression
open LibKafka.Testing
open LibKafka.Integration.Support

let private withBroker (test: TestBroker -> unit) =
    use kafka = TestBroker.Start(TestBrokerOptions(Brokers = 3, Codecs = AllCodecs.Set))
    kafka.Topic("orders", partitions = 4)
    test kafka
    Expect.isEmpty kafka.Failures "the brokers failed"

let private numbered (prefix: string) (count: int) : string list = List.init count (fun i -> prefix + string i)

/// Writes records to partitions of `orders`. `meanwhile` is called before each record.
let private produceWith (configure: ProducerConfig -> unit) (meanwhile: int -> unit) (kafka: TestBroker) (records: (int * string) list) =
    let config = ProducerConfig(BootstrapServers = kafka.Bootstrap, LingerMs = 5.0)
    configure config
    use producer = ProducerBuilder<Null, string>(config).Build()
    let failures = List<string>()

    let note (report: DeliveryReport<Null, string>) =
        if report.Error.IsError then
            lock failures (fun () -> failures.Add report.Error.Reason)

    records
    |> List.iteri (fun i (partition, value) ->
        meanwhile i
        producer.Produce(TopicPartition("orders", Partition partition), Message<Null, string>(Value = value), note))

    Expect.equal (producer.Flush(ms 20_000)) 0 "everything was delivered"
    Expect.isEmpty failures "without an error"

/// Values for one partition.
let private inPartition (partition: int) (values: string list) = values |> List.map (fun value -> partition, value)

let private produce (kafka: TestBroker) (records: (int * string) list) = produceWith ignore ignore kafka records

let private logged (kafka: TestBroker) (partition: int) : string list = kafka.Log("orders", partition) |> valuesOf

/// The first records of a partition, as a consumer gets them.
let private consume (kafka: TestBroker) (partition: int) (count: int) : string list =
    let config =
        ConsumerConfig(
            BootstrapServers = kafka.Bootstrap,
            GroupId = "reader",
            EnableAutoCommit = false,
            IsolationLevel = Nullable IsolationLevel.ReadCommitted,
            CheckCrcs = true
        )

    use consumer = ConsumerBuilder<Ignore, string>(config).Build()
    consumer.Assign(TopicPartitionOffset("orders", Partition partition, Offset.Beginning))

    [ for _ in 1..count do
          match consumer.Consume(ms 20_000) with
          | null -> failtest "a record is missing"
          | found -> found.Message.Value ]

let private producer =
    testList
        "Confluent.Kafka producer"
        [ for codec in [ CompressionType.None; CompressionType.Gzip; CompressionType.Snappy; CompressionType.Lz4; CompressionType.Zstd ] do
              testCase ("compresses with " + codec.ToString()) (fun () ->
                  withBroker (fun kafka ->
                      let values = numbered "a line that can be compressed, number " 500
                      produceWith (fun config -> config.CompressionType <- codec) ignore kafka (inPartition 1 values)
                      Expect.equal (logged kafka 1) values "the log"
                      Expect.equal (consume kafka 1 500) values "the consumer"))

          for acks in [ Acks.All; Acks.Leader; Acks.None ] do
              testCase ("waits for acknowledgements: " + acks.ToString()) (fun () ->
                  withBroker (fun kafka ->
                      produceWith (fun config -> config.Acks <- acks) ignore kafka (inPartition 2 (numbered "r" 100))
                      Clusters.awaiting "the records" (fun () -> (logged kafka 2).Length = 100)
                      Expect.equal (logged kafka 2) (numbered "r" 100) "the log")) ]

let private idempotent =
    testList
        "Confluent.Kafka idempotent producer"
        [ testCase "loses and repeats nothing while connections are closed" (fun () ->
              withBroker (fun kafka ->
                  let configure (config: ProducerConfig) =
                      config.EnableIdempotence <- true
                      config.BatchNumMessages <- 10
                      config.LingerMs <- 0.0
                      config.ReconnectBackoffMs <- 5
                      config.RetryBackoffMs <- 5

                  let disturb i =
                      if i > 0 && i % 500 = 0 then
                          for id in 1..3 do
                              kafka.CloseConnections id

                  produceWith configure disturb kafka (inPartition 0 (numbered "r" 3000))
                  Expect.equal (logged kafka 0) (numbered "r" 3000) "once and in order")) ]

let private transactional =
    testList
        "Confluent.Kafka transactional producer"
        [ testCase "copies records exactly once, with their offsets" (fun () ->
              withBroker (fun kafka ->
                  produce kafka (inPartition 0 (numbered "r" 100))
                  let config = ProducerConfig(BootstrapServers = kafka.Bootstrap, TransactionalId = "copier", LingerMs = 0.0)
                  use producer = ProducerBuilder<Null, string>(config).Build()
                  producer.InitTransactions(ms 20_000)
                  let reading = ConsumerConfig(BootstrapServers = kafka.Bootstrap, GroupId = "copier", EnableAutoCommit = false)
                  use consumer = ConsumerBuilder<Ignore, string>(reading).Build()
                  let source = TopicPartition("orders", Partition 0)

                  /// Copies twenty records from an offset on. Every third attempt is aborted and repeated.
                  let rec copy (attempt: int) (first: int) =
                      if first < 100 then
                          producer.BeginTransaction()
                          consumer.Assign(TopicPartitionOffset(source, Offset(int64 first)))

                          for _ in 1..20 do
                              match consumer.Consume(ms 20_000) with
                              | null -> failtest "a record is missing"
                              | found ->
                                  let copied = Message<Null, string>(Value = found.Message.Value)
                                  producer.Produce(TopicPartition("orders", Partition 1), copied)

                          let next = TopicPartitionOffset(source, Offset(int64 first + 20L))
                          producer.SendOffsetsToTransaction([ next ], consumer.ConsumerGroupMetadata, ms 20_000)

                          if attempt % 3 = 2 then
                              producer.AbortTransaction(ms 20_000)
                              copy (attempt + 1) first
                          else
                              producer.CommitTransaction(ms 20_000)
                              copy (attempt + 1) (first + 20)

                  copy 0 0
                  Expect.equal (consume kafka 1 100) (numbered "r" 100) "the committed records"
                  let committed = consumer.Committed([ source ], ms 20_000)
                  Expect.equal [ for one in committed -> one.Offset.Value ] [ 100L ] "the committed offset")) ]

/// A member of a group that reads `orders` as long as it is polled.
type private Member(kafka: TestBroker, configure: ConsumerConfig -> unit) =
    let config =
        ConsumerConfig(
            BootstrapServers = kafka.Bootstrap,
            GroupId = "judges",
            AutoOffsetReset = AutoOffsetReset.Earliest,
            EnableAutoCommit = false,
            FetchWaitMaxMs = 50
        )

    do configure config
    let consumer = ConsumerBuilder<Ignore, string>(config).Build()
    do consumer.Subscribe "orders"
    member val Read = List<string>()
    member _.Share = consumer.Assignment.Count

    member this.Poll() =
        match consumer.Consume(ms 10) with
        | null -> ()
        | found -> this.Read.Add found.Message.Value

    /// The records that it has read whose values begin like this, sorted.
    member this.Values(prefix: string) =
        this.Read |> Seq.filter (fun value -> value.StartsWith(prefix, StringComparison.Ordinal)) |> Seq.sort |> List.ofSeq

    member _.Commit() = consumer.Commit() |> ignore

    interface IDisposable with
        member _.Dispose() =
            consumer.Close()
            consumer.Dispose()

let private pollUntil (what: string) (members: Member list) (isDone: unit -> bool) =
    Clusters.awaiting what (fun () ->
        for one in members do
            one.Poll()

        isDone ())

let private fill (kafka: TestBroker) (name: string) =
    produce
        kafka
        [ for partition in 0..3 do
              yield! inPartition partition (numbered (name + string partition + "-") 25) ]

let private filled (name: string) : string list =
    List.sort
        [ for partition in 0..3 do
              yield! numbered (name + string partition + "-") 25 ]

let private divides (kafka: TestBroker) (configure: ConsumerConfig -> unit) =
    let join () = new Member(kafka, configure)
    let leave (one: Member) = (one :> IDisposable).Dispose()
    let first = join ()
    pollUntil "the first to have everything" [ first ] (fun () -> first.Share = 4)
    let second = join ()
    pollUntil "both to have a half" [ first; second ] (fun () -> first.Share = 2 && second.Share = 2)
    fill kafka "a"
    pollUntil "the records" [ first; second ] (fun () -> first.Read.Count + second.Read.Count >= 100)
    Expect.equal (List.sort (first.Values "a" @ second.Values "a")) (filled "a") "each record once"
    first.Commit()
    second.Commit()

    leave second
    pollUntil "the first to have everything again" [ first ] (fun () -> first.Share = 4)
    fill kafka "b"
    pollUntil "the new records" [ first ] (fun () -> (first.Values "b").Length >= 100)
    Expect.equal (first.Values "b") (filled "b") "each new record once"
    first.Commit()
    leave first

    fill kafka "c"
    use third = join ()
    pollUntil "the records after the resumption" [ third ] (fun () -> third.Read.Count >= 100)
    Expect.equal (third.Values "") (filled "c") "resumed at the committed offsets"

let private groups =
    [ testList
          "Confluent.Kafka classic group"
          [ testCase "two members divide the partitions, one leaves, and a third resumes" (fun () ->
                withBroker (fun kafka ->
                    divides kafka (fun config ->
                        config.PartitionAssignmentStrategy <- PartitionAssignmentStrategy.CooperativeSticky
                        config.HeartbeatIntervalMs <- 100))) ]

      testList
          "Confluent.Kafka consumer group"
          [ testCase "two members divide the partitions, one leaves, and a third resumes" (fun () ->
                withBroker (fun kafka ->
                    kafka.Change(fun state ->
                        let settings = { state.Groups.Settings with HeartbeatIntervalMs = 100 }
                        { state with Groups = { state.Groups with Settings = settings } })

                    divides kafka (fun config -> config.GroupProtocol <- Nullable GroupProtocol.Consumer))) ] ]

let private withAdmin (test: TestBroker -> IAdminClient -> unit) =
    withBroker (fun kafka ->
        use admin = AdminClientBuilder(AdminClientConfig(BootstrapServers = kafka.Bootstrap)).Build()
        test kafka admin)

let private admin =
    testList
        "Confluent.Kafka admin"
        [ testCase "creates, describes, changes and deletes topics" (fun () ->
              withAdmin (fun _ admin ->
                  Expect.equal (admin.DescribeClusterAsync().Result.Nodes.Count) 3 "the brokers"
                  let configs = Dictionary(dict [ "retention.ms", "60000" ])
                  let topic = TopicSpecification(Name = "managed", NumPartitions = 3, ReplicationFactor = 3s, Configs = configs)
                  admin.CreateTopicsAsync([ topic ]).Wait()
                  let partitions () = admin.GetMetadata("managed", ms 20_000).Topics[0].Partitions
                  Expect.equal (partitions ()).Count 3 "the partitions"
                  Expect.all (partitions ()) (fun one -> one.InSyncReplicas.Length = 3) "the replicas"
                  admin.CreatePartitionsAsync([ PartitionsSpecification(Topic = "managed", IncreaseTo = 5) ]).Wait()
                  Expect.equal (partitions ()).Count 5 "more partitions"

                  let resource = ConfigResource(Type = ResourceType.Topic, Name = "managed")
                  let retention () = admin.DescribeConfigsAsync([ resource ]).Result[0].Entries["retention.ms"].Value
                  Expect.equal (retention ()) "60000" "the config"
                  let set = ConfigEntry(Name = "retention.ms", Value = "70000", IncrementalOperation = AlterConfigOpType.Set)
                  admin.IncrementalAlterConfigsAsync(Dictionary(dict [ resource, List [ set ] ])).Wait()
                  Expect.equal (retention ()) "70000" "the changed config"

                  admin.DeleteTopicsAsync([ "managed" ]).Wait()
                  let names = [ for topic in admin.GetMetadata(ms 20_000).Topics -> topic.Topic ]
                  Expect.isFalse (List.contains "managed" names) "deleted"))

          testCase "deletes records and groups" (fun () ->
              withAdmin (fun kafka admin ->
                  produce kafka (inPartition 0 (numbered "r" 10))
                  let deleted = admin.DeleteRecordsAsync([ TopicPartitionOffset("orders", Partition 0, Offset 4L) ]).Result
                  Expect.equal [ for one in deleted -> one.Offset.Value ] [ 4L ] "the low watermark"

                  let reader = new Member(kafka, fun config -> config.HeartbeatIntervalMs <- 100)
                  pollUntil "the records" [ reader ] (fun () -> reader.Read.Count >= 6)
                  Expect.equal (reader.Values "") [ "r4"; "r5"; "r6"; "r7"; "r8"; "r9" ] "the records that are left"
                  reader.Commit()
                  let described = admin.DescribeConsumerGroupsAsync([ "judges" ]).Result.ConsumerGroupDescriptions[0]
                  Expect.equal described.State ConsumerGroupState.Stable "the state"
                  Expect.equal described.Members.Count 1 "the members"
                  Expect.throws (fun () -> admin.DeleteGroupsAsync([| "judges" |]).Wait()) "it has a member"
                  (reader :> IDisposable).Dispose()
                  admin.DeleteGroupsAsync([| "judges" |]).Wait()
                  let groups = [ for group in admin.ListConsumerGroupsAsync().Result.Valid -> group.GroupId ]
                  Expect.isFalse (List.contains "judges" groups) "deleted")) ]

[<Tests>]
let tests = testList "foreign client, embedded" [ producer; idempotent; transactional; yield! groups; admin ]
