/// What the mock cluster does not do: quotas, transactions with readable markers, administration of groups of the new protocol, topics that
/// are created again. On a real cluster only.
module LibKafka.Integration.RealClusterTests

open System
open System.Diagnostics
open Expecto
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support

let private uniqueName () = "libkafka-test-" + Guid.NewGuid().ToString "N"

let private at (topic: string) (partition: int) : TopicPartition = { Topic = topic; Partition = partition }

// ---------------------------------------------------------------------------------------------------------------------
// Quotas

/// The quota in the tests, in bytes per second. Brokers average over eleven seconds, the first ten of which are free.
let private rate = 50_000

/// Runs a test with the settings of a client that has a quota.
let private withQuota (cluster: TestCluster) (key: string) (test: ClientSettings -> unit) =
    cluster.Requires(ApiKey.AlterClientQuotas, 0s)
    let clientId = uniqueName ()
    let brokers = brokersOf (cluster.Settings()) cluster.Brokers

    let isKnown (broker: BrokerAddress) =
        use connection = Connection.Open(cluster.Settings(), broker) |> ok

        let filter: DescribeClientQuotas.Filter =
            { EntityType = "client-id"; MatchType = QuotaMatchType.Exact; Match = Some clientId }

        let response = ok (connection.Call(DescribeClientQuotas.api, { Components = [ filter ]; Strict = true })).Result
        response.Entries |> Option.exists (fun entries -> not entries.IsEmpty)

    let alter (remove: bool) =
        use connection = Cluster.ConnectController(cluster.Settings(), cluster.Brokers) |> ok

        let entry: AlterClientQuotas.EntryRequest =
            { Entity = [ { EntityType = "client-id"; EntityName = Some clientId } ]
              Operations = [ { Key = key; Value = float rate; Remove = remove } ] }

        let response = ok (connection.Call(AlterClientQuotas.api, { Entries = [ entry ]; ValidateOnly = false })).Result
        Expect.equal (response.Entries |> List.map _.Error) [ ErrorCode.None ] "the quota is altered"

    alter false
    // Brokers learn of it one after another.
    awaiting "every broker to know the quota" (fun () -> List.forall isKnown brokers)

    try
        test { cluster.Settings() with ClientId = clientId }
    finally
        alter true

/// A batch of one record with a value of this many bytes.
let private batchOfSize (bytes: int) : RecordBatch = batch (String('x', bytes)) 1

let private quotas (cluster: TestCluster) =
    [ for useSession in [ false; true ] do
          let name = if useSession then "with a session" else "without a session"

          testCase ("a fetch over the quota is empty and has a throttle time, and reading continues: " + name) (fun () ->
              cluster.WithPartition(fun topic client ->
                  let producer = new PartitionProducer(client, ProducerSettings.standard)
                  let count = 60L

                  for _ in 1L .. count do
                      acknowledged (producer.Produce(batchOfSize (rate / 5))) |> ignore

                  withQuota cluster "consumer_byte_rate" (fun settings ->
                      let reading = { FetcherSettings.standard with MaxBytes = rate; UseSession = useSession }
                      use throttled = new PartitionClient(settings, cluster.Brokers, at topic 0)
                      use fetcher = new PartitionFetcher(throttled, reading, 0L)
                      let offsets = ResizeArray<int64>()
                      let mutable paused = 0

                      readUntil count fetcher (fun fetched ->
                          if fetched.Exchange.Info.ThrottleTime > TimeSpan.Zero && fetched.RawRecords.Length = 0 then
                              paused <- paused + 1

                          offsets.AddRange(recordsOf fetched |> List.map _.Offset))

                      Expect.equal (List.ofSeq offsets) [ 0L .. count - 1L ] "each record once"
                      Expect.isGreaterThan paused 0 "some fetches were throttled"
                      Expect.hasLength (throttled.Connection |> Option.toList) 1 "the connection stays open")))

      for heed in [ false; true ] do
          let name = if heed then "and the client waits" else "and the broker lets the next call wait"

          testCase ("a batch over the quota is acknowledged with a throttle time, " + name) (fun () ->
              cluster.WithTopic 1 (fun topic ->
                  withQuota cluster "producer_byte_rate" (fun settings ->
                      use client = new PartitionClient({ settings with HeedThrottle = heed }, cluster.Brokers, at topic 0)
                      let producer = new PartitionProducer(client, ProducerSettings.standard)
                      let mutable sent = 0L
                      let mutable throttled = TimeSpan.Zero
                      let clock = Stopwatch()

                      while throttled = TimeSpan.Zero do
                          clock.Restart()
                          let produced = producer.Produce(batchOfSize rate)
                          Expect.equal (acknowledged produced) sent "the offset"
                          sent <- sent + 1L
                          Expect.isLessThan sent 30L "the quota must have an effect"
                          throttled <- produced.Exchange.Info.ThrottleTime

                      Expect.equal (acknowledged (producer.Produce(batchOfSize 10))) sent "the next offset"
                      Expect.isGreaterThan (clock.Elapsed + ms 5) throttled "after the throttle time"))) ]

// ---------------------------------------------------------------------------------------------------------------------
// Transactions

let private retry (call: CallOptions -> #Reply) = RetryPolicy.standard.Run call

let private isDone (reply: Reply) = Expect.equal reply.Error ErrorCode.None "the call"

/// A transactional producer with one partition.
let private withTransactions (cluster: TestCluster) (topic: string) (test: TransactionClient -> (RecordBatch -> unit) -> unit) =
    use transaction = new TransactionClient(cluster.Settings(), cluster.Brokers, uniqueName ())
    retry (fun call -> transaction.InitProducerId(ms 30_000, call)) |> isDone

    test transaction (fun sent ->
        retry (fun call -> transaction.AddPartitions([ at topic 0 ], call)) |> isDone
        let producer = transaction.Producer(at topic 0)
        retry (fun call -> producer.Produce(sent, call)) |> acknowledged |> ignore)

/// The offsets and values of all data records from an offset on, up to where the log ends for this isolation level.
let private readFrom (cluster: TestCluster) (topic: string) (isolation: IsolationLevel) (finish: int64) (offset: int64) =
    use client = new PartitionClient(cluster.Settings(), cluster.Brokers, at topic 0)
    let fetcher =
        new PartitionFetcher(client, { FetcherSettings.standard with IsolationLevel = isolation; MaxWait = ms 50 }, offset)
    let records = ResizeArray<int64 * string>()

    readUntil finish fetcher (fun fetched ->
        for record in fetched.Records Reading.standard do
            records.Add(record.Offset, Text.Encoding.UTF8.GetString record.Value))

    fetcher.Offset, List.ofSeq records

let private transactions (cluster: TestCluster) =
    [ testCase "from any offset on, only data is read, and with READ_COMMITTED only committed data" (fun () ->
          cluster.WithTopic 1 (fun topic ->
              withTransactions cluster topic (fun transaction send ->
                  // Offsets 0 to 2 and a marker, 4 to 7 and a marker, 9 to 11 without a transaction, 12 and 13 in one that stays open.
                  send (batch "aborted" 3)
                  retry (fun call -> transaction.Abort call) |> isDone
                  send (batch "committed" 4)
                  retry (fun call -> transaction.Commit call) |> isDone
                  use client = new PartitionClient(cluster.Settings(), cluster.Brokers, at topic 0)
                  let ends = new PartitionFetcher(client, FetcherSettings.standard, 0L)
                  // The coordinator writes the marker after it has responded.
                  awaiting "the marker" (fun () -> (ends.FindOffset OffsetSpec.Latest).Offset = Some 9L)
                  let producer = new PartitionProducer(client, ProducerSettings.standard)
                  retry (fun call -> producer.Produce(batch "plain" 3, call)) |> acknowledged |> ignore
                  send (batch "open" 2)

                  let values (name: string) (first: int64) (count: int) = [ for i in 0 .. count - 1 -> first + int64 i, name + string i ]
                  let committed = values "committed" 4L 4 @ values "plain" 9L 3
                  let all = values "aborted" 0L 3 @ committed @ values "open" 12L 2

                  for isolation, finish, expected in
                      [ IsolationLevel.ReadCommitted, 12L, committed; IsolationLevel.ReadUncommitted, 14L, all ] do
                      for start in 0L .. finish do
                          Expect.equal
                              (readFrom cluster topic isolation finish start)
                              (finish, expected |> List.filter (fun (offset, _) -> offset >= start))
                              ("from " + string start + " on")

                  retry (fun call -> transaction.Abort call) |> isDone))) ]

// ---------------------------------------------------------------------------------------------------------------------
// Groups of the new protocol

/// A member that has joined.
let private joined (cluster: TestCluster) (topic: string) (groupId: string) (name: string option) : ConsumerGroupClient =
    let subscription = { ConsumerGroupSubscription.topics [ topic ] with InstanceId = name }
    let client = new ConsumerGroupClient(cluster.Settings(), cluster.Brokers, groupId, subscription)

    awaiting "the member to have the topic" (fun () ->
        let code = startedCode (fun () -> codeOf (client.Heartbeat()).Result)
        Expect.equal code ErrorCode.None "alive"
        not client.Assignment.IsEmpty)

    client

let private groups (cluster: TestCluster) =
    [ testCase "a static member of the new protocol is removed by its name alone" (fun () ->
          cluster.Requires(ApiKey.ConsumerGroupHeartbeat, 0s)

          cluster.WithTopic 1 (fun topic ->
              let groupId = uniqueName ()
              use removed = joined cluster topic groupId (Some "static")
              use group = new GroupClient(cluster.Settings(), cluster.Brokers, groupId)
              let byName: LeaveGroup.MemberRequest = { MemberId = ""; GroupInstanceId = Some "static"; Reason = None }
              let left = group.Leave [ byName ]
              Expect.equal left.Result (Ok()) "the result"
              Expect.equal
                  (left.Members |> List.map (fun one -> one.GroupInstanceId, one.Error))
                  [ Some "static", ErrorCode.None ]
                  "it has left"
              Expect.equal (ok (codeOf (removed.Heartbeat()).Result)) ErrorCode.UnknownMemberId "it is no member"))

      testCase "many groups of the new protocol are described, each once" (fun () ->
          cluster.Requires(ApiKey.ConsumerGroupDescribe, 0s)

          cluster.WithTopic 1 (fun topic ->
              let names = List.init 4 (fun _ -> uniqueName ())
              let members = names |> List.map (fun name -> joined cluster topic name None)

              try
                  use admin = new AdminClient(cluster.Settings(), cluster.Brokers)
                  let unknown = uniqueName ()
                  let asked = [ names[0]; names[1]; unknown; names[2]; names[3] ]
                  let described = (admin.DescribeConsumerGroups asked).Result
                  Expect.equal (List.map fst described) asked "in the order of the request"

                  for name, result in described do
                      match result with
                      | Ok found -> Expect.hasLength found.Members 1 ("the member of " + name)
                      | Error(AdminFault.Refused(code, _)) when name = unknown ->
                          Expect.equal code ErrorCode.GroupIdNotFound "the unknown group"
                      | Error fault -> failtestf "%s: %O" name fault
              finally
                  for one in members do
                      one.Leave() |> ignore
                      one.Close())) ]

// ---------------------------------------------------------------------------------------------------------------------
// Topics

/// Deletes a topic and creates it again. Brokers delete a topic in the background.
let private createAgain (cluster: TestCluster) (topic: string) =
    cluster.Delete topic
    use admin = new AdminClient(cluster.Settings(), cluster.Brokers)
    let wanted = { Name = topic; Partitions = 1; ReplicationFactor = 1s; Configs = [] }

    awaiting "the topic to be created again" (fun () ->
        match (admin.CreateTopics([ wanted ], ms 15_000)).Result with
        | [ _, Ok _ ] -> true
        | [ _, Error(AdminFault.Refused(code, _)) ] when code = ErrorCode.TopicAlreadyExists -> false
        | other -> failtestf "%A" other)

    // A leader that still has the old log would append to it: before version 13, a produce request has the name of a topic, and not its id.
    awaiting "the new log" (fun () ->
        match (admin.ListOffsets [ at topic 0, OffsetSpec.Latest ]).Result with
        | [ _, Ok found ] -> found.Offset = 0L
        | _ -> false)

/// The values up to `finish`. A fetch is repeated while it fails for a transient reason.
let private valuesUntil (finish: int64) (fetcher: PartitionFetcher) : string list =
    let values = ResizeArray<string>()

    awaiting "the end of the log" (fun () ->
        let fetched = retry (fun call -> fetcher.Fetch call)
        isDone fetched
        values.AddRange(recordsOf fetched |> valuesOf)
        fetcher.Position <- positionBehind fetched
        fetcher.Offset = finish)

    List.ofSeq values

let private topics (cluster: TestCluster) =
    [ testCase "a topic that is deleted and created again has a new log for a producer and a fetcher that had the old one" (fun () ->
          cluster.WithPartition(fun topic client ->
              let producer = new PartitionProducer(client, ProducerSettings.standard)
              use own = new PartitionClient(cluster.Settings(), cluster.Brokers, at topic 0)
              let fetcher = new PartitionFetcher(own, FetcherSettings.standard, 0L)
              acknowledged (producer.Produce(batch "old" 5)) |> ignore
              Expect.hasLength (fetchUntil 5L fetcher) 5 "the old log"

              for i in 1..2 do
                  createAgain cluster topic
                  let name = "new" + string i + "-"
                  let produced = retry (fun call -> producer.Produce(batch name 2, call))
                  Expect.equal (acknowledged produced) 0L "the first offset of the new log"

                  // Since Kafka 3.1 requests name the topic by its id.
                  if cluster.Supports(ApiKey.Fetch, 13s) then
                      let fetched = retry (fun call -> fetcher.Fetch call)
                      Expect.equal (faultOf fetched.Result) (ClientFault.TopicRecreated(at topic 0)) "the fault"

                  retry (fun call -> fetcher.Seek(OffsetSpec.Earliest, call)) |> isDone
                  Expect.equal (valuesUntil 2L fetcher) [ name + "0"; name + "1" ] "the new log")) ]

[<Tests>]
let tests =
    testList
        "real cluster"
        [ for cluster in all do
              if not (isMock cluster) then
                  testList cluster.Name [ yield! quotas cluster; yield! transactions cluster; yield! groups cluster; yield! topics cluster ] ]
