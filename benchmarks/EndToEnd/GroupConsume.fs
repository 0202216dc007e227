/// The records of 48 partitions, read by the only member of a group. Each client in a process of its own. The bare socket is not a member: it reads one
/// partition after another.
module LibKafka.Benchmarks.EndToEnd.GroupConsume

open System
open Confluent.Kafka
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Benchmarks.Rows
open LibKafka.Benchmarks.EndToEnd.Workload
open LibKafka.Benchmarks.EndToEnd.Processes
open LibKafka.Benchmarks.EndToEnd.Comparison

let private groupId = "libkafka-bench-" + Guid.NewGuid().ToString "N"
let private longWait = TimeSpan.FromMinutes 1.0

// A fetch at the end of the log, where the last round has ended, must not hold up the next round.
let private fetchWait = TimeSpan.FromMilliseconds 10.0

/// This library. A round reads all partitions from their first record on.
let private ours (bootstrap: string) : unit -> unit =
    let consumer =
        new GroupConsumer(
            Ours.settings,
            Ours.brokersAt bootstrap,
            GroupSettings.make groupId [ groupTopic ],
            { ConsumerSettings.standard with Fetching = { FetcherSettings.standard with MaxWait = fetchWait } }
        )

    let mutable left = 0

    let poll () =
        match consumer.Poll longWait with
        | Some(GroupEvent.Read(ConsumerEvent.Fetched(_, records, _, _))) ->
            for record in records do
                if record.Value.Length = valueSize then left <- left - 1
        | Some(GroupEvent.Committed commit) when commit.IsStored -> ()
        | Some(GroupEvent.Assigned _) -> ()
        // Such as a coordinator that is still starting.
        | Some(GroupEvent.CallFailed _) -> ()
        | Some(GroupEvent.Failed failure) when not failure.IsFatal -> ()
        | Some other -> invalidOp (other.ToString())
        | None -> invalidOp $"the last {left} records are missing"

    while consumer.Partitions.Length < topicPartitions do
        poll ()

    fun () ->
        for partition in consumer.Partitions do
            consumer.Seek(partition, Start.atOffset 0L)

        left <- groupRecords

        while left > 0 do
            poll ()

let private bare (bootstrap: string) : unit -> unit =
    let client = Bare.client bootstrap

    fun () ->
        for partition in 0 .. topicPartitions - 1 do
            Bare.fetchAll client groupTopic partition groupLog.Records

let private confluent (bootstrap: string) : unit -> unit =
    let config =
        ConsumerConfig(
            BootstrapServers = bootstrap,
            GroupId = groupId,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
            CheckCrcs = true,
            FetchWaitMaxMs = int fetchWait.TotalMilliseconds,
            MaxPartitionFetchBytes = fetchBytes,
            // Fetching pauses for a second when the queue is full.
            QueuedMinMessages = 10_000_000,
            QueuedMaxMessagesKbytes = 2_000_000,
            ConsumeResultFields = "none"
        )

    let consumer = ConsumerBuilder<Ignore, byte[]>(config).SetLogHandler(fun _ _ -> ()).Build()
    consumer.Subscribe groupTopic

    while consumer.Assignment.Count < topicPartitions do
        consumer.Consume(TimeSpan.FromMilliseconds 10.0) |> ignore

    fun () ->
        for partition in 0 .. topicPartitions - 1 do
            consumer.Seek(TopicPartitionOffset(groupTopic, Partition partition, Offset 0L))

        ConfluentKafka.take consumer valueSize groupRecords

let private sides = Map [ "ours", ours; "bare", bare; "confluent", confluent ]

/// Consumes in this process with one of the clients, and prints a line for each round.
let side (name: string) (bootstrap: string) (rounds: int) =
    let work = sides[name] bootstrap
    repeat rounds work

/// 5 million records of 100 bytes.
let rows (site: Site) : Row list =
    onBrokers site Feed [ grouped ] (fun bootstrap ->
        takingTurns site 2 [ "ours"; "bare"; "confluent" ] (fun name rounds -> child [ "group-consume"; name; bootstrap; string rounds ])
        |> bulkRows "group-consume" "" groupRecords)
