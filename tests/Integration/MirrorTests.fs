/// Mirroring: batches of one log, forwarded to another, on brokers that refuse what a real one refuses, and on real clusters.
module LibKafka.Integration.MirrorTests

open System
open System.Diagnostics
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Compression
open LibKafka.Integration.Clusters
open LibKafka.Integration.LogBroker
open LibKafka.Integration.Support

let private reading = Reading.withCodecs AllCodecs.Set

let private at (topic: string) (index: int) : TopicPartition = { Topic = topic; Partition = index }

/// Brokers with topics to mirror.
type private World =
    {
        Settings: ClientSettings
        Brokers: Bootstrap
        Options: LibKafka.KafkaClientOptions
        /// Whether the brokers know zstd.
        HasZstd: bool
        /// Runs a test on a new topic of two partitions.
        WithTopic: (string -> unit) -> unit
        /// The same on a topic whose brokers set the timestamps.
        WithAppendTime: (string -> unit) -> unit
        /// The same on a topic that is compacted.
        WithCompaction: (string -> unit) -> unit
        /// Compacts partition 0 of a topic, which leaves this number of records, or waits for that.
        Compact: string -> int -> unit
    }

    member this.Client(partition: TopicPartition) = new PartitionClient(this.Settings, this.Brokers, partition)

// ---- the mirrors ----

/// A batch of the source, and the batch that was produced for it.
type private Copied = { Source: RecordBatch; Sent: RecordBatch }

/// Copies the committed data of partitions to one partition, in turns. A record that cannot be copied fails the test.
type private Mirror = World -> bool -> TopicPartition list -> TopicPartition -> Copied list

/// Small, so that several fetches are needed.
let private fetchBytes = 1_000

/// Calls the steps in turns until each has returned false.
let rec private inTurns (steps: (unit -> bool) list) =
    match steps |> List.filter (fun step -> step ()) with
    | [] -> ()
    | remaining -> inTurns remaining

/// A producer id and epoch. A broker that has just started may have none to give yet.
let private identity (world: World) : ProducerIdentity =
    use connection = Cluster.Connect(world.Settings, world.Brokers) |> ok
    let given = ref None

    startedCode (fun () ->
        let result = ProducerIdentity.Request(connection).Result
        given.Value <- Result.toOption result
        codeOf result)
    |> ignore

    Option.get given.Value

let private mirrorInFSharp: Mirror =
    fun world isIdempotent sources target ->
        let copied = ResizeArray<Copied>()
        use client = world.Client target

        let produce: RecordBatch -> Produced =
            if isIdempotent then
                let producer = IdempotentProducer(client, ProducerSettings.standard, identity world)
                fun batch -> producer.Produce batch
            else
                let producer = new PartitionProducer(client, ProducerSettings.standard)
                fun batch -> producer.Produce batch

        let copy (item: RecordSetItem) =
            match item with
            | RecordSetItem.Batch(batch, _) ->
                let forwarded =
                    match RecordBatch.forForwarding batch with
                    | Error(NotForwardable.OffsetGaps _) -> RecordBatch.repack reading batch
                    | other -> other

                match forwarded with
                | Ok sent ->
                    produce sent |> acknowledged |> ignore
                    copied.Add { Source = batch; Sent = sent }
                | Error NotForwardable.NoRecords -> ()
                | Error reason -> failtestf "%O: %O" batch reason
            | other -> failtestf "not a batch: %O" other

        let step (source: TopicPartition) =
            let settings =
                { FetcherSettings.standard with IsolationLevel = IsolationLevel.ReadCommitted; MaxBytes = fetchBytes; MaxWait = ms 1 }

            let fetcher = new PartitionFetcher(world.Client source, settings, 0L)
            let finish = (fetcher.FindOffset OffsetSpec.Latest).Offset.Value

            fun () ->
                let fetched = fetcher.Fetch()
                Expect.equal fetched.Error ErrorCode.None "the fetch"
                Seq.iter copy fetched.Batches
                fetcher.Position <- positionBehind fetched
                fetcher.Offset < finish

        inTurns (List.map step sources)
        List.ofSeq copied

let private mirrorThroughFacade: Mirror =
    fun world isIdempotent sources target ->
        let copied = ResizeArray<Copied>()
        let partitionOf (partition: TopicPartition) = LibKafka.TopicPartition(partition.Topic, partition.Partition)
        use client = new LibKafka.PartitionClient(world.Options, partitionOf target)

        let produce: RecordBatch -> LibKafka.ProduceResult =
            if isIdempotent then
                let identity = LibKafka.KafkaCluster.RequestProducerIdentity(world.Options).ThrowIfError()
                let producer = new LibKafka.IdempotentProducer(client, identity)
                fun batch -> producer.Produce batch
            else
                let producer = new LibKafka.PartitionProducer(client)
                fun batch -> producer.Produce batch

        let options = LibKafka.RecordReadOptions(Codecs = AllCodecs.List)

        let copy (batch: RecordBatch) =
            let send (sent: RecordBatch) =
                (produce sent).ThrowIfError() |> ignore
                copied.Add { Source = batch; Sent = sent }

            match LibKafka.RecordBatchExtensions.GetForwardingObstacle batch with
            | LibKafka.ForwardingObstacle.None -> send (LibKafka.RecordBatchExtensions.ForForwarding batch)
            | LibKafka.ForwardingObstacle.OffsetGaps -> send (LibKafka.RecordBatchExtensions.Repack(batch, options))
            | LibKafka.ForwardingObstacle.NoRecords -> ()
            | other -> failtestf "%O: %O" batch other

        let step (source: TopicPartition) =
            let options =
                LibKafka.FetcherOptions(
                    IsolationLevel = IsolationLevel.ReadCommitted,
                    MaxBytes = fetchBytes,
                    MaxWait = TimeSpan.FromMilliseconds 1.0
                )

            let fetcher = new LibKafka.PartitionFetcher(world.Options, partitionOf source, options)
            let finish = fetcher.FindOffset(OffsetSpec.Latest).ThrowIfError().Offset.Value

            fun () ->
                let fetched = fetcher.Fetch().ThrowIfError()

                for item in fetched.Batches do
                    copy (item.GetBatch())

                fetcher.Position <- fetched.NextPosition
                fetcher.Offset < finish

        inTurns (List.map step sources)
        List.ofSeq copied

// ---- what is mirrored ----

/// Records with keys, of all kinds.
let private recordsOf (name: string) : RecordData list =
    let headers = [ RecordHeader.create "h" (Bytes.ofString name); RecordHeader.withoutValue "none" ]

    [ for i, (value, headers) in
          List.indexed
              [ text (name + " value"), headers; ValueNone, []; ValueSome Bytes.empty, [ headers[0]; headers[0] ]; text "last", [] ] ->
          { Offset = int64 i; Timestamp = start + int64 i; Key = text (name + string i); Value = value; Headers = headers } ]

/// The batch, uncompressed or compressed, depending on the number.
let private packed (world: World) (number: int) (records: RecordData list) : RecordBatch =
    let codecs = AllCodecs.List |> Seq.filter (fun codec -> world.HasZstd || codec.Type <> CompressionType.Zstd) |> List.ofSeq
    let batch = batchOf records

    match number % (codecs.Length + 1) with
    | 0 -> batch
    | index -> RecordBatch.compress codecs[index - 1] batch |> ok

/// The batches with data of a partition, read uncommitted.
let private batchesIn (world: World) (partition: TopicPartition) : RecordBatch list =
    use client = world.Client partition
    let fetcher = new PartitionFetcher(client, { FetcherSettings.standard with MaxWait = ms 1 }, 0L)
    let batches = ResizeArray<RecordBatch>()

    match (fetcher.FindOffset OffsetSpec.Latest).Offset with
    | None -> failtest "there is no end"
    | Some finish ->
        readUntil finish fetcher (fun fetched ->
            for item in fetched.Batches do
                match item with
                | RecordSetItem.Batch(batch, _) -> batches.Add batch
                | other -> failtestf "not a batch: %O" other)

    List.ofSeq batches

/// The records with the timestamps of their producers, without their offsets.
let private contentOf (batches: RecordBatch list) : RecordData list =
    [ for batch in batches do
          let records = RecordBatch.openRecords reading batch |> ok
          for record in records.WithCreateTime() |> BatchRecords.toList |> ok do
              { record with Offset = 0L } ]

let private withoutOffsets (records: RecordData list) = records |> List.map (fun record -> { record with Offset = 0L })

/// The target has the batches as they were sent, one after another; those that were not repacked are compressed as in the source.
let private checkTarget (world: World) (target: TopicPartition) (copied: Copied list) =
    let found = batchesIn world target
    Expect.equal (found |> List.map _.Payload) (copied |> List.map _.Sent.Payload) "the batches as they were sent"
    let counts = found |> List.map (fun batch -> int64 batch.Count)
    Expect.equal (found |> List.map _.BaseOffset) (List.scan (+) 0L counts |> List.take counts.Length) "at consecutive offsets"

    for { Source = source; Sent = sent } in copied do
        Expect.equal sent.Compression source.Compression "the compression"

        if int64 source.Count = source.NextOffset - source.BaseOffset then
            Expect.equal sent.Payload source.Payload "what need not be repacked is not"

    found

// ---- the tests ----

let private merges (mirror: Mirror) (isIdempotent: bool) (world: World) =
    world.WithTopic(fun source ->
        world.WithTopic(fun target ->
            let names = [ for index in 0..1 -> [ for number in 0..6 -> "p" + string index + "-" + string number + "-" ] ]

            for index, names in List.indexed names do
                use client = world.Client(at source index)
                let producer = IdempotentProducer(client, ProducerSettings.standard, identity world)

                for number, name in List.indexed names do
                    producer.Produce(packed world number (recordsOf name)) |> acknowledged |> ignore

            let copied = mirror world isIdempotent [ at source 0; at source 1 ] (at target 0)
            let producers = copied |> List.map _.Source.ProducerId |> List.distinct
            Expect.hasLength producers 2 "two identities in the source"
            let found = checkTarget world (at target 0) copied
            let inTarget = found |> List.map _.ProducerId |> List.distinct
            Expect.isEmpty (inTarget |> List.filter (fun id -> List.contains id producers)) "none of them in the target"
            Expect.equal inTarget (if isIdempotent then inTarget |> List.filter (fun id -> id >= 0L) else [ -1L ]) "whose identity it is"
            let content = contentOf found

            for index, names in List.indexed names do
                let isOurs (record: RecordData) = (Bytes.toText record.Key.Value).StartsWith("p" + string index)
                let expected = names |> List.collect (recordsOf >> withoutOffsets)
                Expect.equal (content |> List.filter isOurs) expected ("the records of partition " + string index + ", in order")

            Expect.hasLength content (2 * 7 * 4) "and no others"))

/// Batches of one log, each of which has something of its own and something that the next one overwrites, and in the middle an idempotent
/// producer's batch, which is overwritten as a whole.
let private fillCompacted (world: World) (source: string) : RecordData list =
    use client = world.Client(at source 0)
    let producer = new PartitionProducer(client, ProducerSettings.standard)
    let idempotent = IdempotentProducer(client, ProducerSettings.standard, identity world)

    // A second apart, so that each batch begins a segment: only closed segments are compacted.
    let later number (records: RecordData list) =
        records
        |> List.mapi (fun i record -> { record with Offset = int64 i; Timestamp = record.Timestamp + 1000L * int64 number })

    let written = ResizeArray<RecordData>()

    for number in 0..8 do
        let records =
            match number with
            | 4
            | 5 -> recordsOf "overwritten"
            | 8 -> recordsOf "whole"
            | _ -> recordsOf ("own" + string number) @ recordsOf "common"

        let batch = packed world number (later number records)
        (if number = 4 then idempotent.Produce batch else producer.Produce batch) |> acknowledged |> ignore
        written.AddRange(later number records)

    let last = written |> Seq.mapi (fun place record -> record.Key, place) |> Map.ofSeq

    List.ofSeq written
    |> List.indexed
    |> List.filter (fun (place, record) -> last[record.Key] = place)
    |> List.map snd
    |> withoutOffsets

let private compacts (mirror: Mirror) (world: World) =
    world.WithCompaction(fun source ->
        world.WithTopic(fun target ->
            let expected = fillCompacted world source
            world.Compact source expected.Length
            let copied = mirror world false [ at source 0 ] (at target 0)
            let found = checkTarget world (at target 0) copied
            Expect.equal (contentOf found) expected "what compaction has left, in order"
            let hasGaps (copied: Copied) = int64 copied.Source.Count < copied.Source.NextOffset - copied.Source.BaseOffset
            let repacked, whole = List.partition hasGaps copied
            Expect.isGreaterThan repacked.Length 3 "some were repacked"
            Expect.isNonEmpty
                (repacked |> List.filter (fun copied -> copied.Sent.Compression <> CompressionType.None))
                "and compressed again"
            Expect.isNonEmpty whole "and some were not"
            Expect.exists (batchesIn world (at source 0)) (fun batch -> batch.Count = 0) "one had no records left"))

let private keepsTimes (mirror: Mirror) (world: World) =
    world.WithAppendTime(fun source ->
        world.WithTopic(fun target ->
            use client = world.Client(at source 0)
            let producer = new PartitionProducer(client, ProducerSettings.standard)
            let names = [ for number in 0..5 -> "t" + string number + "-" ]

            for number, name in List.indexed names do
                producer.Produce(packed world number (recordsOf name)) |> acknowledged |> ignore

            let copied = mirror world false [ at source 0 ] (at target 0)
            Expect.all
                copied
                (fun copied -> copied.Source.TimestampType = TimestampType.LogAppendTime)
                "the source has the brokers' times"
            let found = checkTarget world (at target 0) copied
            Expect.all found (fun batch -> batch.TimestampType = TimestampType.CreateTime) "the target has the producers' times"
            Expect.equal (contentOf found) (names |> List.collect (recordsOf >> withoutOffsets)) "the records with them"))

let private settled (what: string) (reply: #Reply) = Expect.equal reply.Error ErrorCode.None what

/// Transactions, of which one is aborted, and batches outside of them.
let private fillTransactional (world: World) (source: TopicPartition) (committed: string list) (aborted: string list) (plain: string list) =
    use transaction = new TransactionClient(world.Settings, world.Brokers, "tx-" + source.Topic)
    use client = world.Client source
    let producer = new PartitionProducer(client, ProducerSettings.standard)
    RetryPolicy.standard.Run(fun call -> transaction.InitProducerId(ms 60_000, call)) |> settled "an identity"

    let within (names: string list) (finish: CallOptions -> TransactionReply<_, _>) =
        RetryPolicy.standard.Run(fun call -> transaction.AddPartitions([ source ], call)) |> settled "the partition"

        for number, name in List.indexed names do
            transaction.Producer(source).Produce(packed world number (recordsOf name)) |> acknowledged |> ignore
            producer.Produce(packed world number (recordsOf (plain[number] + name))) |> acknowledged |> ignore

        RetryPolicy.standard.Run finish |> settled "the end"

    within committed (fun call -> transaction.Commit call)
    within aborted (fun call -> transaction.Abort call)
    within (List.map ((+) "again-") committed) (fun call -> transaction.Commit call)

let private leavesOutAborted (mirror: Mirror) (world: World) =
    world.WithTopic(fun source ->
        world.WithTopic(fun target ->
            let source = at source 0
            let committed, aborted = [ "c0-"; "c1-"; "c2-" ], [ "a0-"; "a1-" ]
            let again = List.map ((+) "again-") committed
            let plain = [ "x-"; "y-"; "z-" ]
            fillTransactional world source committed aborted plain

            // Brokers write the ends of transactions a little later than they acknowledge them.
            use client = world.Client source
            let endFor isolation =
                (new PartitionFetcher(client, { FetcherSettings.standard with IsolationLevel = isolation }, 0L))
                    .FindOffset(OffsetSpec.Latest)
                    .Offset
            awaiting "the ends of the transactions" (fun () ->
                endFor IsolationLevel.ReadCommitted = endFor IsolationLevel.ReadUncommitted)

            let copied = mirror world false [ source ] (at target 0)
            Expect.exists copied (fun copied -> copied.Source.IsTransactional) "the source is transactional"
            let found = checkTarget world (at target 0) copied
            Expect.all found (fun batch -> not batch.IsTransactional && not batch.IsControl) "the target is not"

            let expected =
                [ for names, isAborted in [ committed, false; aborted, true; again, false ] do
                      for number, name in List.indexed names do
                          if not isAborted then yield! recordsOf name
                          yield! recordsOf (plain[number] + name) ]

            Expect.equal (contentOf found) (withoutOffsets expected) "what was committed, in order"))

let private testsIn (inWorld: (World -> unit) -> unit) : Test list =
    [ for name, mirror in [ "in F#", mirrorInFSharp; "through the façade", mirrorThroughFacade ] do
          for title, test in
              [ "two partitions of idempotent producers are merged into one", merges mirror false
                "two partitions of idempotent producers are merged into one by another", merges mirror true
                "a compacted topic is repacked", compacts mirror
                "a topic with LogAppendTime gives back the producers' timestamps", keepsTimes mirror
                "a transactional topic is copied without markers and without what was aborted", leavesOutAborted mirror ] do
              testCase (title + ", " + name) (fun () -> inWorld test) ]

let private scripted (release: Release) (test: World -> unit) =
    withLog release 2s undisturbed (fun log broker ->
        let mutable topics = 0

        let withTopic (prepare: string -> unit) (test: string -> unit) =
            topics <- topics + 1
            let name = "t" + string topics
            prepare name
            test name

        test
            { Settings = patient
              Brokers = Bootstrap.ofAddresses [ broker.Address ]
              Options = LibKafka.KafkaClientOptions(broker.Address.ToString())
              HasZstd = (release <> Kafka10)
              WithTopic = withTopic ignore
              WithAppendTime = withTopic log.SetAppendTime
              WithCompaction = withTopic ignore
              Compact = fun topic _ -> log.Compact topic })

/// Compaction of a log whose segments are closed begins within fifteen seconds.
let private awaitCompaction (world: World) (topic: string) (records: int) =
    let patience = Stopwatch.StartNew()

    while (batchesIn world (at topic 0) |> List.sumBy _.Count) > records do
        if patience.Elapsed > TimeSpan.FromMinutes 2.0 then
            failtest "the log is not compacted"

        Thread.Sleep 500

let private real (cluster: TestCluster) (test: World -> unit) =
    let compaction =
        [ "cleanup.policy", "compact"; "segment.ms", "100"; "min.cleanable.dirty.ratio", "0.01"; "min.compaction.lag.ms", "0" ]

    let world =
        { Settings = cluster.Settings()
          Brokers = cluster.Brokers
          Options = LibKafka.KafkaClientOptions(cluster.Bootstrap())
          HasZstd = cluster.Supports(ApiKey.Produce, Produce.zstdSince)
          WithTopic = cluster.WithTopic 2
          WithAppendTime = cluster.WithConfiguredTopic [ "message.timestamp.type", "LogAppendTime" ] 2
          WithCompaction = cluster.WithConfiguredTopic compaction 2
          Compact = fun _ _ -> () }

    test { world with Compact = awaitCompaction world }

[<Tests>]
let tests =
    testList
        "mirror"
        [ for release in [ Kafka10; Kafka23; Kafka40 ] do
              testList (sprintf "on a scripted broker of %A" release) (testsIn (scripted release))
          for cluster in all do
              if not (cluster.IsSecured || isMock cluster) then
                  testList cluster.Name (testsIn (real cluster)) ]
