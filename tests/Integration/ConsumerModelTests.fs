/// Random programs that run on a consumer and on a model of the logs that it reads.
module LibKafka.Integration.ConsumerModelTests

open System
open System.Collections.Generic
open System.Diagnostics
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Cases
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Integration.Support
open LibKafka.Integration.TopicConsumerSupport

let private partitions = 4

/// A step of a program. Partitions count from 0.
type Step =
    | Append of partition: int * records: int
    | Poll
    | KeepIt
    | HandleKept
    | Pause of int
    | Resume of int
    | SeekBack of partition: int * by: int
    | RemoveAndAdd of int
    | Move of int
    | Truncate of partition: int * remaining: int
    | Damage of partition: int * back: int
    | Disturb of partition: int * Disturbance

let private step: Gen<Step> =
    let partition = Gen.choose (0, partitions - 1)
    let on make = Gen.map make partition
    let withNumber most make = Gen.map2 (fun partition number -> make (partition, number)) partition (Gen.choose (1, most))

    let disturbance =
        Gen.frequency
            [ 4, Gen.constant Disturbance.Cut
              1, Gen.constant Disturbance.Lose
              1, Gen.constant Disturbance.Halve
              3, Gen.choose (1, 10) |> Gen.map Disturbance.Interrupt
              2, Gen.choose (1, 20) |> Gen.map Disturbance.Throttle
              1, Gen.constant (Disturbance.Refuse ErrorCode.KafkaStorageError)
              2, Gen.constant (Disturbance.Refuse ErrorCode.NotLeaderOrFollower)
              1, Gen.constant (Disturbance.Refuse ErrorCode.UnknownTopicOrPartition) ]

    Gen.frequency
        [ 20, Gen.constant Poll
          10, withNumber 5 Append
          2, Gen.constant KeepIt
          3, Gen.constant HandleKept
          2, on Pause
          3, on Resume
          2, withNumber 10 SeekBack
          1, on RemoveAndAdd
          2, on Move
          1, withNumber 4 Truncate
          1, withNumber 6 Damage
          3, Gen.map2 (fun partition disturbance -> Disturb(partition, disturbance)) partition disturbance ]

type Programs =
    static member Step() : Arbitrary<Step> = Arb.fromGen step

/// A reader that handles every event: what it has read of each partition, by offset.
[<Sealed>]
type private Reader(cluster: ConsumerCluster, consumer: TopicConsumer) =
    let views = [| for _ in 1..partitions -> SortedDictionary<int64, string>() |]
    // Where each log was truncated, until the consumer reports it.
    let truncated = Array.create partitions Int64.MaxValue
    let kept = Queue<TopicPartition>()
    let mutable last: ConsumerEvent option = None

    let forget (partition: int) (from: int64) =
        for offset in views[partition].Keys |> Seq.filter (fun offset -> offset >= from) |> List.ofSeq do
            views[partition].Remove offset |> ignore

    // What has been read is read once, and follows what was read before.
    let take (partition: int) (records: (int64 * string) list) (next: FetchPosition) =
        for offset, value in records do
            Expect.isFalse (views[partition].ContainsKey offset) $"{partition}: offset {offset} is read once"
            Expect.isLessThan offset next.Offset "before the next position"
            views[partition][offset] <- value

    // A position without an epoch does not show that the log before it was truncated, so the reader goes back that far itself.
    let seek (partition: int) (offset: int64) =
        let offset = min offset truncated[partition]
        truncated[partition] <- Int64.MaxValue
        consumer.Seek(cluster.Partition partition, Start.atOffset offset)
        forget partition offset

    let handle (event: ConsumerEvent) =
        match event with
        | ConsumerEvent.Fetched(partition, records, fetched, next) ->
            let read = recordsIn records
            Expect.isGreaterThanOrEqual (fst read.Head) fetched.Offset "from the position on"
            take partition.Partition read next
        | ConsumerEvent.Truncated(partition, _, position) ->
            truncated[partition.Partition] <- Int64.MaxValue
            forget partition.Partition position.Offset
        | ConsumerEvent.Damaged(partition, fetched, _, None) ->
            seek partition.Partition (cluster.NextBatch(partition.Partition, fetched.Offset))
        // Truncated, at a position without an epoch.
        | ConsumerEvent.OutOfRange(partition, _) -> seek partition.Partition (cluster.End partition.Partition)
        | ConsumerEvent.Damaged _
        | ConsumerEvent.Failed _ -> ()
        | other -> failtestf "%O" other

    let position (partition: int) = consumer.Position(cluster.Partition partition) |> Option.get

    member _.Poll() =
        last <- consumer.Poll(ms 5)
        Option.iter handle last

    member _.Keep() =
        match last with
        | Some(ConsumerEvent.Fetched(partition, _, _, _)) ->
            consumer.Keep partition
            kept.Enqueue partition
        | _ -> ()

        last <- None

    member _.HandleKept() =
        match kept.TryDequeue() with
        | true, partition -> consumer.Handled partition
        | _ -> ()

    /// Goes back by a number of offsets.
    member _.SeekBack(partition: int, by: int) = seek partition (max 0L ((position partition).Offset - int64 by))

    /// Removes a partition and adds it again where the reader is.
    member _.RemoveAndAdd(partition: int) =
        let before = position partition
        consumer.Remove(cluster.Partition partition)
        forget partition before.Offset
        consumer.Add(cluster.Partition partition, Start.At before)

    /// Truncates a log. A reader whose position has no epoch, or will have none after skipped damage, cannot detect it, and goes back itself.
    member _.Truncate(partition: int, remaining: int) =
        cluster.Truncate(partition, remaining)
        truncated[partition] <- min truncated[partition] (cluster.End partition)
        let before = position partition

        let isSkipping =
            match last with
            | Some(ConsumerEvent.Damaged(damaged, _, _, _)) -> damaged.Partition = partition
            | _ -> false

        if before.LastEpoch < 0 || isSkipping then
            seek partition (min before.Offset (cluster.End partition))

    /// Damages a batch that has not been read.
    member _.Damage(partition: int, back: int) =
        let offset = cluster.End partition - int64 back

        if offset >= 0L && not (views[partition].ContainsKey offset) then
            cluster.Damage(partition, offset) |> ignore

    /// Reads everything that is left.
    member this.Drain() =
        last <- None

        for partition in 0 .. partitions - 1 do
            consumer.Handled(cluster.Partition partition)
            consumer.Resume(cluster.Partition partition)

        // A log that was truncated may have grown to where it ended before: the consumer still has to notice.
        let isDone partition =
            let at = position partition
            at.Offset = cluster.End partition && (at.LastEpoch < 0 || at.LastEpoch >= cluster.LastEpoch partition)

        let patience = Stopwatch.StartNew()

        while not (List.forall isDone [ 0 .. partitions - 1 ]) do
            if patience.Elapsed > ms 5_000 then
                let statuses = [ for index in 0 .. partitions - 1 -> consumer.Status(cluster.Partition index), cluster.End index ]
                failtestf "the reader does not reach the end: %A" statuses

            this.Poll()

    member _.View(partition: int) = [ for entry in views[partition] -> entry.Key, entry.Value ]

let private run (cluster: ConsumerCluster) (consumer: TopicConsumer) (reader: Reader) (step: Step) =
    match step with
    | Append(partition, records) -> cluster.Append(partition, records)
    | Poll -> reader.Poll()
    | KeepIt -> reader.Keep()
    | HandleKept -> reader.HandleKept()
    | Pause partition -> consumer.Pause(cluster.Partition partition)
    | Resume partition -> consumer.Resume(cluster.Partition partition)
    | SeekBack(partition, by) -> reader.SeekBack(partition, by)
    | RemoveAndAdd partition -> reader.RemoveAndAdd partition
    | Move partition -> cluster.MoveLeader partition
    | Truncate(partition, remaining) -> reader.Truncate(partition, remaining)
    | Damage(partition, back) -> reader.Damage(partition, back)
    | Disturb(partition, disturbance) -> cluster.Disturb(partition, disturbance)

let private law =
    testPropertyWithConfig
        { FsCheckConfig.defaultConfig with maxTest = cases 150; endSize = 80; arbitrary = [ typeof<Programs> ] }
        "whatever happens, every record is read once and in order, and nothing is skipped"
        (fun (steps: Step list) ->
            use cluster = new ConsumerCluster(partitions)
            let settings = settingsOf 5

            let consumerSettings =
                { settings with
                    NextStep = NextStep.skippingDamage settings.NextStep
                    Fetching = { settings.Fetching with MaxBytes = 300 } }

            use consumer =
                new TopicConsumer({ patient with ConnectTimeout = ms 5_000; CallTimeout = ms 150 }, cluster.Bootstrap, consumerSettings)

            for partition in 0 .. partitions - 1 do
                consumer.Add(cluster.Partition partition, Start.atOffset 0L)

            let reader = Reader(cluster, consumer)
            List.iter (run cluster consumer reader) steps
            reader.Drain()

            // A batch may have been read before it was damaged.
            for partition in 0 .. partitions - 1 do
                let isReadable (offset, _) = not (cluster.IsDamaged(partition, offset))
                Expect.equal (reader.View partition |> List.filter isReadable) (cluster.Records partition) $"partition {partition}")

[<Tests>]
let tests = testList "topic consumer model" [ law ]
