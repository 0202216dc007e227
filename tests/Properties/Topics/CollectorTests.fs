/// Collecting records into batches: random programs run on the collector and on its model.
module LibKafka.Properties.Topics.CollectorTests

open System
open System.Collections.Generic
open System.Threading
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Cases
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Topics
open LibKafka.Properties
open LibKafka.Properties.Records
open LibKafka.Properties.Support

/// A clock that moves only when it is told to.
[<Sealed>]
type private Clock() =
    inherit TimeProvider()
    member val Now = TimeSpan.Zero with get, set
    override this.GetUtcNow() = DateTimeOffset.UnixEpoch + this.Now
    override _.TimestampFrequency = TimeSpan.TicksPerSecond
    override this.GetTimestamp() = this.Now.Ticks

type private Step =
    | Add of partition: int * RecordData
    | AddByKey of RecordData
    | Advance of TimeSpan
    | Flush of olderThan: TimeSpan
    | TakeAny
    | TakeOf of partition: int
    /// The position among those that are taken.
    | Release of position: int
    | Forget of position: int
    | SetAvailable of partition: int * bool
    | Resize of partitions: int

let private step: Gen<Step> =
    let partition = Gen.choose (Partitioning.Any, 4)
    let milliseconds = Gen.choose (0, 12) |> Gen.map (float >> TimeSpan.FromMilliseconds)

    Gen.frequency
        [ 12, Gen.map2 (fun partition record -> Add(partition, record)) partition Samples.record
          6, Gen.map AddByKey Samples.record
          4, Gen.map Advance milliseconds
          1, Gen.map Flush milliseconds
          4, Gen.constant TakeAny
          2, Gen.map TakeOf (Gen.choose (0, 4))
          4, Gen.map Release (Gen.choose (0, 5))
          1, Gen.map Forget (Gen.choose (0, 5))
          2, Gen.map2 (fun partition available -> SetAvailable(partition, available)) (Gen.choose (0, 4)) (Gen.elements [ true; false ])
          1, Gen.map Resize (Gen.choose (1, 5)) ]

type private Scenario = { Settings: CollectorSettings; Steps: Step list }

let private scenario: Gen<Scenario> = gen {
    let! batch = Gen.elements [ 100; 200; 400 ]
    let! buffered = Gen.elements [ 400L; 1000L; 100000L ]
    let! linger =
        Gen.elements [ TimeSpan.Zero; TimeSpan.FromMilliseconds 5.0; TimeSpan.FromMilliseconds 7.3; Timeout.InfiniteTimeSpan ]
    let! count = Gen.choose (1, 120)
    let! steps = Gen.listOfLength count step

    return
        { Settings =
            { CollectorSettings.standard with
                MaxBatchBytes = batch
                MaxBufferedBytes = buffered
                // The model compares ages with it.
                Linger = if linger = Timeout.InfiniteTimeSpan then TimeSpan.MaxValue else linger }
          Steps = steps }
}

let private real (settings: CollectorSettings) =
    if settings.Linger = TimeSpan.MaxValue then
        { settings with Linger = Timeout.InfiniteTimeSpan }
    else
        settings

/// A run of the collector and its model, which must agree after each step.
type private Run(settings: CollectorSettings) =
    let clock = Clock()
    let collector = BatchCollector(real settings, 5, clock)
    let mutable model = CollectorModel.start settings 5
    let taken = List<CollectedBatch>()

    let add (partition: int) (record: RecordData) (added: Added) =
        let next, expected = CollectorModel.add partition record model
        model <- next
        Expect.equal added expected "the result of adding"

    let agree (batch: CollectedBatch) (expected: CollectorModel.ModelBatch) =
        model <- CollectorModel.take expected model
        taken.Add batch
        Expect.equal batch.Partition expected.Partition "partition"
        Expect.equal batch.Number expected.Number "number"
        Expect.equal batch.IsMovable expected.IsMovable "whether it may be moved"
        Expect.equal batch.Began (DateTimeOffset.UnixEpoch + expected.Began) "when it began"
        Expect.equal batch.SealedAt (batch.BeganAt + (batch.SealedAt - expected.Began.Ticks)) "when it was sealed"
        Expect.isLessThanOrEqual batch.Batch.SizeInBytes settings.MaxBatchBytes "size"

    let agreeOnTake (found: CollectedBatch voption) (isOf: CollectorModel.ModelBatch -> bool) =
        let possible = [ 0..4 ] |> List.choose (fun partition -> model.NextOf partition) |> List.filter isOf

        match found with
        | ValueNone -> Expect.isEmpty possible "there is no batch to take"
        | ValueSome batch ->
            match possible |> List.tryFind (fun expected -> expected.Number = batch.Number) with
            | Some expected -> agree batch expected
            | None -> failtestf "%s cannot be taken yet" (batch.ToString())

    /// The records of taken batches, until they are released.
    let agreeOnRecords () =
        for batch in taken do
            let expected = model.Taken |> List.find (fun other -> other.Number = batch.Number)

            match RecordBatch.toList Reading.standard batch.Batch with
            | Error fault -> failtest (fault.ToString())
            | Ok records ->
                let numbered = expected.Records |> List.mapi (fun index record -> { record with Offset = int64 index })
                Expect.isTrue (same records numbered) "the records of a batch"

    let leave (position: int) (action: CollectedBatch -> unit) =
        if position < taken.Count then
            let batch = taken[position]
            taken.RemoveAt position
            action batch
            model <- CollectorModel.release batch.Number model
            Expect.throwsT<InvalidOperationException> (fun () -> collector.Release batch) "released once"

    member _.Do(step: Step) =
        match step with
        | Add(partition, record) when partition >= model.Partitions ->
            Expect.throwsT<ArgumentOutOfRangeException>
                (fun () -> collector.Add(partition, record.Key, record.Value, ReadOnlySpan.Empty, 0L) |> ignore)
                "there is no such partition"
        | Add(partition, record) ->
            let headers = ReadOnlySpan<RecordHeader>(List.toArray record.Headers)
            add partition record (collector.Add(partition, record.Key, record.Value, headers, record.Timestamp))
        | AddByKey record ->
            let partition =
                match record.Key with
                | ValueSome key -> Partitioner.ofKey model.Partitions key.Span
                | ValueNone -> Partitioning.Any

            let headers = ReadOnlySpan<RecordHeader>(List.toArray record.Headers)
            add partition record (collector.Add(record.Key, record.Value, headers, record.Timestamp))
        | Advance time ->
            clock.Now <- clock.Now + time
            model <- { model with Now = model.Now + time }
        | Flush olderThan ->
            collector.Flush olderThan
            model <- CollectorModel.flush olderThan model
        | TakeAny -> agreeOnTake (collector.TryTake()) (fun _ -> true)
        | TakeOf partition -> agreeOnTake (collector.TryTake partition) (fun batch -> batch.Partition = partition)
        | Release position -> leave position collector.Release
        | Forget position -> leave position collector.Forget
        | SetAvailable(partition, isAvailable) ->
            collector.SetAvailable(partition, isAvailable)
            let change = if isAvailable then Set.remove else Set.add
            model <- { model with Unavailable = change partition model.Unavailable }
        | Resize partitions ->
            collector.Partitions <- partitions
            model <- { model with Partitions = partitions }

        Expect.equal collector.BufferedBytes model.BufferedBytes "buffered bytes"
        Expect.isLessThanOrEqual collector.BufferedBytes settings.MaxBufferedBytes "the bound"
        agreeOnRecords ()

    /// Compared only while all batches that are due have been taken: otherwise the collector waits for none.
    member _.AgreeOnWait() =
        if [ 0..4 ] |> List.forall (fun partition -> (model.NextOf partition).IsNone) then
            let expected =
                match CollectorModel.nextDue model with
                | Some wait when settings.Linger <> TimeSpan.MaxValue -> wait
                | _ -> Timeout.InfiniteTimeSpan

            Expect.equal collector.NextDue expected "the time until a batch is due"

    /// Takes all that is left. Every record that was collected has then been in exactly one batch.
    member this.Finish() =
        this.Do(Flush TimeSpan.Zero)

        while (not model.Open.IsEmpty || not model.Sealed.IsEmpty) do
            this.Do TakeAny

        while taken.Count > 0 do
            this.Do(Release 0)

        this.Do TakeAny
        Expect.equal collector.BufferedBytes 0L "all has been released"

let private text (value: string) = NullableSpan.op_Implicit (Bytes.ofString value)

/// Fills and releases batches for some partitions.
let private rounds (collector: BatchCollector) (key: byte[]) (value: byte[]) (records: int) : int =
    let mutable batches = 0

    for record in 0 .. records - 1 do
        collector.Add(record % 8, key, value, ReadOnlySpan.Empty, int64 record) |> ignore

        match collector.TryTake() with
        | ValueSome batch ->
            collector.Release batch
            batches <- batches + 1
        | ValueNone -> ()

    batches

[<Tests>]
let tests =
    testList
        "batch collector"
        [ testPropertyWithConfig
              { Expecto.FsCheckConfig.defaultConfig with maxTest = cases 1000 }
              "does what its model does"
              (Prop.forAll (Arb.fromGen scenario) (fun scenario ->
                  let run = Run scenario.Settings

                  for step in scenario.Steps do
                      run.Do step
                      run.AgreeOnWait()

                  run.Finish()))

          testCase "allocates nothing for a record" (fun () ->
              let settings = { CollectorSettings.standard with MaxBatchBytes = 20_000; Linger = Timeout.InfiniteTimeSpan }
              let collector = BatchCollector(settings, 8)
              let key, value = Array.zeroCreate<byte> 10, Array.zeroCreate<byte> 90
              rounds collector key value 10_000 |> ignore
              let batches, allocated = allocating (fun () -> rounds collector key value 100_000)
              Expect.isGreaterThan batches 500 "batches"
              Expect.isLessThan allocated (int64 batches * 500L) "bytes for 100,000 records, all of them for sealed batches"

              collector.Flush TimeSpan.Zero
              let left = [ for _ in 1..8 -> collector.TryTake().Value ]
              left |> List.iter collector.Release

              let add (records: int) () =
                  for _ in 1..records do
                      collector.Add(0, key, value, ReadOnlySpan.Empty, 0L) |> ignore

              add 1 ()
              let one = allocating (add 1) |> snd
              Expect.equal (allocating (add 100) |> snd) one "bytes for 100 records in one batch, against one record")

          testCase "gives records without a key a whole batch at a time to the next available partition" (fun () ->
              let settings = { CollectorSettings.standard with MaxBatchBytes = 400; Linger = Timeout.InfiniteTimeSpan }
              let collector = BatchCollector(settings, 4)
              collector.SetAvailable(2, false)

              let partitions =
                  [ for _ in 1..40 do
                        match collector.Add(NullableSpan.Null, text "some value of a record", ReadOnlySpan.Empty, 0L) with
                        | Added.Collected ticket -> ticket.Partition, ticket.Batch
                        | other -> failtest (other.ToString()) ]

              let inTurn = partitions |> List.distinct |> List.map fst
              Expect.equal (List.truncate 4 inTurn) [ 0; 1; 3; 0 ] "the next in turn"
              Expect.equal (List.length inTurn) (partitions |> List.map snd |> List.distinct |> List.length) "one batch each time")

          testCase "says where a record went and why it was not taken" (fun () ->
              let settings = { CollectorSettings.standard with MaxBatchBytes = 100; MaxBufferedBytes = 200L }
              let collector = BatchCollector(settings, 4)
              let add (size: int) = collector.Add(3, NullableSpan.Null, Array.zeroCreate<byte> size, ReadOnlySpan.Empty, 0L)
              Expect.equal (add 33) Added.TooLarge "101 bytes are more than a batch may have"
              Expect.equal (add 32) (Added.Collected { Partition = 3; Batch = 0L; Index = 0 }) "100 bytes are a full batch"
              Expect.equal ((add 0).ToString()) "record 0 of batch 1 for partition 3" "the next batch"
              Expect.equal (add 30) Added.Full "the buffer has 168 bytes"
              Expect.equal (Added.Full.ToString()) "not taken: the buffer is full" "full")

          testCase "refuses settings that make no sense" (fun () ->
              let standard = CollectorSettings.standard

              for settings in
                  [ { standard with MaxBatchBytes = 61 }
                    { standard with Linger = TimeSpan.FromMilliseconds -2.0 }
                    { standard with MaxBufferedBytes = 999_999L } ] do
                  Expect.throwsT<ArgumentException> (fun () -> BatchCollector(settings, 1) |> ignore) "a setting"

              Expect.throwsT<ArgumentOutOfRangeException> (fun () -> BatchCollector(standard, 0) |> ignore) "no partitions")

          testCase "refuses a partition that the partitioning function makes up" (fun () ->
              let settings = { CollectorSettings.standard with Partitioning = ChoosePartition(fun _ partitions -> partitions) }
              let collector = BatchCollector(settings, 4)

              Expect.throwsT<InvalidOperationException>
                  (fun () -> collector.Add(text "key", text "value", ReadOnlySpan.Empty, 0L) |> ignore)
                  "partition 4 of 4") ]
