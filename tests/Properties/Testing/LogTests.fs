/// The log of the test broker: what goes in comes out, whatever is asked for, and in any format.
module LibKafka.Properties.Testing.LogTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka
open LibKafka.Cases
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Protocol
open LibKafka.Testing
open LibKafka.Properties.Testing.PureCluster

let private bytesGen: Gen<Bytes voption> =
    Gen.frequency [ 1, Gen.constant ValueNone; 4, Gen.choose (0, 255) |> Gen.map byte |> Gen.arrayOf |> Gen.map (Bytes >> ValueSome) ]

let private keyGen: Gen<Bytes voption> = Gen.elements [ "a"; "b"; "c"; "d" ] |> Gen.map (Bytes.ofString >> ValueSome)

let private recordGen (key: Gen<Bytes voption>) : Gen<RecordData> = gen {
    let! key = key
    let! value = bytesGen
    let! timestamp = Gen.choose (0, 1_000_000)
    return { Offset = 0L; Timestamp = int64 timestamp; Key = key; Value = value; Headers = [] }
}

let private numbered (first: int64) (records: RecordData list) =
    records |> List.mapi (fun index it -> { it with Offset = first + int64 index })

let private recordsGen key = Gen.nonEmptyListOf (recordGen key) |> Gen.map (List.truncate 20 >> numbered 0L)

let private batchOf (records: RecordData list) : RecordBatch =
    match BatchBuilder.build BatchOptions.standard records with
    | Ok batch -> batch
    | Error fault -> failtestf "%O" fault

let private codecGen: Gen<ICompressionCodec voption> =
    Gen.elements (ValueNone :: [ for codec in AllCodecs.List -> ValueSome codec ])

let private compressed (codec: ICompressionCodec voption) (batch: RecordBatch) : RecordBatch =
    match codec with
    | ValueNone -> batch
    | ValueSome codec -> RecordBatch.compress codec batch |> Result.defaultWith (fun fault -> failtestf "%O" fault)

let private batchesGen key : Gen<RecordBatch list> =
    Gen.listOf (Gen.map2 compressed codecGen (recordsGen key |> Gen.map batchOf)) |> Gen.map (List.truncate 12)

let private appended (batches: RecordBatch list) : Log = batches |> List.fold (fun log batch -> Log.append 0 batch log) Log.empty

let private reading = Reading.withCodecs AllCodecs.Set

let private recordsOf (batch: RecordBatch) = RecordBatch.toList reading batch |> Result.defaultWith (fun fault -> failtestf "%O" fault)

let private allRecords (log: Log) = log.Batches |> Seq.collect recordsOf |> List.ofSeq

let private property name (values: Gen<'T>) (law: 'T -> unit) =
    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = cases 150 } name (Prop.forAll (Arb.fromGen values) law)

let private offsets =
    [ property "offsets are consecutive over batches, and each is found" (batchesGen bytesGen) (fun batches ->
          let log = appended batches
          let count = batches |> List.sumBy _.Count
          Expect.equal (allRecords log |> List.map _.Offset) [ for index in 0 .. count - 1 -> int64 index ] "the offsets"
          Expect.equal log.End (int64 count) "the end"

          for offset in 0L .. log.End do
              let found = Log.indexOf offset log
              let expected = log.Batches |> Seq.takeWhile (fun batch -> batch.LastOffset < offset) |> Seq.length
              Expect.equal found expected "the batch")

      property
          "deleting and truncating keep exactly the whole batches in between"
          (Gen.zip3 (batchesGen bytesGen) (Gen.choose (0, 100)) (Gen.choose (0, 100)))
          (fun (batches, low, high) ->
              let log = appended batches
              let start = min (int64 low) log.End
              let finish = max start (min (int64 high) log.End)
              let kept = log |> Log.truncateTo finish |> Log.deleteBefore start

              let expected =
                  log.Batches
                  |> Seq.filter (fun batch -> batch.LastOffset >= start && batch.LastOffset < finish)
                  |> Seq.map _.BaseOffset
                  |> List.ofSeq

              Expect.equal [ for batch in kept.Batches -> batch.BaseOffset ] expected "the batches"
              Expect.equal (kept.Start, kept.End) (start, (if finish < log.End then finish else log.End)) "the limits"
              Expect.equal kept.Bytes (kept.Batches |> Seq.sumBy (fun batch -> int64 batch.SizeInBytes)) "the size")

      property
          "retention keeps the newest batches in the bytes allowed"
          (Gen.zip (batchesGen bytesGen) (Gen.choose (0, 3000)))
          (fun (batches, most) ->
              let log = appended batches
              let kept = Log.retain (int64 most) log
              Expect.isTrue (kept.Bytes <= int64 most || kept.Batches.Count <= 1) "the size"
              Expect.equal kept.End log.End "the end"

              if kept.Start > log.Start then
                  let dropped = log.Batches[log.Batches.Count - kept.Batches.Count - 1]
                  Expect.isGreaterThan (kept.Bytes + int64 dropped.SizeInBytes) (int64 most) "one more batch would not fit") ]

let private compaction =
    [ property "compaction keeps the last record of each key where it was" (batchesGen keyGen) (fun batches ->
          let log = appended batches
          let cleaned = Compaction.compact 0L 1000L AllCodecs.Set Int64.MaxValue log
          let before = allRecords log
          let activeFrom = if log.Batches.IsEmpty then 0L else log.Batches[log.Batches.Count - 1].BaseOffset

          let latest =
              before |> List.filter (fun it -> it.Offset < activeFrom) |> List.map (fun it -> it.Key, it.Offset) |> Map.ofList

          let expected =
              before
              |> List.filter (fun it -> it.Offset >= activeFrom || latest[it.Key] = it.Offset)
              |> List.map (fun it -> it.Offset, it.Key, it.Value, it.Timestamp)

          let found = allRecords cleaned |> List.map (fun it -> it.Offset, it.Key, it.Value, it.Timestamp)
          Expect.equal found expected "the records"
          Expect.equal cleaned.End log.End "the end")

      testCase "tombstones stay until the delete horizon" (fun () ->
          let tombstone =
              batchOf [ { Offset = 0L; Timestamp = 5L; Key = ValueSome(Bytes.ofString "k"); Value = ValueNone; Headers = [] } ]
          let last = batchOf [ { Offset = 0L; Timestamp = 5L; Key = ValueSome(Bytes.ofString "z"); Value = ValueNone; Headers = [] } ]
          let log = appended [ tombstone; last ]
          let once = Compaction.compact 100L 1000L AllCodecs.Set Int64.MaxValue log
          Expect.equal (once.Batches[0].DeleteHorizon, (recordsOf once.Batches[0]).Head.Timestamp) (ValueSome 1100L, 5L) "the horizon"
          let early = Compaction.compact 1099L 1000L AllCodecs.Set Int64.MaxValue once
          Expect.equal early.Batches.Count 2 "before the horizon"
          let late = Compaction.compact 1100L 1000L AllCodecs.Set Int64.MaxValue early
          Expect.equal [ for batch in late.Batches -> batch.BaseOffset ] [ 1L ] "at the horizon") ]

let private legacy =
    [ property
          "messages of the old formats are read back as they were written"
          (Gen.zip3 (Gen.elements [ 0y; 1y ]) codecGen (recordsGen bytesGen))
          (fun (magic, codec, records) ->
              let records = numbered 7L records
              let written = LegacyWriter.messages magic codec false records |> Array.concat

              let read =
                  [ for item in RecordSet.splitVerified (Bytes written) do
                        match item with
                        | RecordSetItem.Legacy(batch, _) ->
                            Expect.equal batch.Magic magic "the format"
                            yield!
                                LegacyBatch.openRecords reading batch
                                |> Result.bind BatchRecords.toList
                                |> Result.defaultWith (fun it -> failtestf "%O" it)
                        | other -> failtestf "%O" other ]

              let expected = if magic = 0y then records |> List.map (fun it -> { it with Timestamp = -1L }) else records
              Expect.equal read expected "the records")

      property
          "what an old client sends is stored as it is"
          (Gen.zip3 (Gen.elements [ 0y; 1y ]) codecGen (recordsGen bytesGen))
          (fun (magic, codec, records) ->
              let written = LegacyWriter.messages magic codec false records |> Array.concat

              match LegacyWriter.read AllCodecs.Set (Bytes written) with
              | None -> failtest "it cannot be read"
              | Some batch ->
                  let expected = if magic = 0y then records |> List.map (fun it -> { it with Timestamp = -1L }) else records
                  Expect.equal (recordsOf batch) expected "the records") ]

let private settings = { State.settings with Codecs = AllCodecs.Set }

let private fetchRequest (offset: int64) (most: int) (partitionMost: int) (wait: int) (least: int) : Request =
    let partition: Fetch.PartitionRequest =
        { Fetch.partitionRequest.Default with
            Partition = 0
            CurrentLeaderEpoch = -1
            FetchOffset = offset
            LastFetchedEpoch = -1
            PartitionMaxBytes = partitionMost }

    Request.Fetch
        { Fetch.request.Default with
            MaxWaitMs = wait
            MinBytes = least
            MaxBytes = most
            SessionEpoch = -1
            Topics = [ { Topic = "t"; TopicId = Guid.Empty; Partitions = [ partition ] } ] }

let private fetchedOf (response: Response) : Fetch.PartitionResponse =
    match response with
    | Response.Fetch { Topics = [ { Partitions = [ partition ] } ] } -> partition
    | other -> failtest (Response.show other)

let private produce (cluster: PureCluster) (batch: RecordBatch) = produced (cluster.Get(9s, produceRequest None "t" 0 batch.Bytes))

let private fetching =
    [ property
          "a reader gets all batches once and in order, whatever the limits"
          (Gen.zip3 (batchesGen bytesGen) (Gen.choose (1, 600)) (Gen.choose (1, 600)))
          (fun (batches, most, partitionMost) ->
              let cluster = start settings 1 [ "t", 1 ]

              for batch in batches do
                  Expect.equal (produce cluster batch).Error ErrorCode.None "the batch"

              let finish = (Cluster.tryPartition "t" 0 cluster.State).Value.Log.End

              let rec read (offset: int64) (found: RecordData list) =
                  if offset >= finish then
                      found
                  else
                      let answer = fetchedOf (cluster.Get(11s, fetchRequest offset most partitionMost 0 1))
                      let records = answer.Records |> Option.defaultValue Bytes.empty

                      let whole =
                          [ for item in RecordSet.splitVerified records |> RecordSet.beginningWhole do
                                match item with
                                | RecordSetItem.Batch(batch, _) -> batch
                                | RecordSetItem.CutOff _ -> ()
                                | other -> failtestf "%O" other ]

                      let first = whole.Head.SizeInBytes
                      Expect.isLessThanOrEqual records.Length (max first (min most partitionMost)) "the limits"
                      read (List.last whole).NextOffset (found @ List.collect recordsOf whole)

              let expected = batches |> List.collect recordsOf |> List.mapi (fun index it -> { it with Offset = int64 index })
              Expect.equal (read 0L []) expected "the records")

      testCase "a long poll ends when its time is over, or with enough bytes" (fun () ->
          let cluster = start settings 1 [ "t", 1 ]
          let began = cluster.Now
          let empty = fetchedOf (cluster.Get(11s, fetchRequest 0L 1000 1000 250 1))
          Expect.equal (cluster.Now - began, empty.Records) (250L, Some Bytes.empty) "nothing came"

          match cluster.Ask(11s, fetchRequest 0L 1000 1000 5000 100) with
          | Later waiting ->
              let small = batchOf (numbered 0L [ { Offset = 0L; Timestamp = 1L; Key = ValueNone; Value = ValueNone; Headers = [] } ])
              produce cluster small |> ignore
              Expect.isTrue (waiting.Ready cluster.Now cluster.State).IsNone "too few bytes"
              produce cluster small |> ignore

              match waiting.Ready cluster.Now cluster.State with
              | ValueSome(_, Reply response) ->
                  Expect.equal (fetchedOf response).Records.Value.Length (2 * small.SizeInBytes) "both batches"
              | _ -> failtest "it does not end"
          | _ -> failtest "it does not wait") ]

let private withConfigs (configs: (string * string) list) : PureCluster =
    let cluster = start State.settings 1 [ "t", 1 ]
    cluster.Change(Cluster.updateTopic "t" (fun topic -> { topic with Configs = Map.ofList configs }))
    cluster

let private logOf (cluster: PureCluster) : Log = (Cluster.tryPartition "t" 0 cluster.State).Value.Log

let private at (timestamp: int64) (count: int) : RecordBatch =
    let record = { Offset = 0L; Timestamp = timestamp; Key = ValueNone; Value = ValueSome(Bytes [| 1uy |]); Headers = [] }
    batchOf (numbered 0L (List.replicate count record))

let private retention (cluster: PureCluster) = cluster.Change(fun state -> Segments.retainTopic cluster.Now state.Topics["t"] state)

let private segments =
    [ property
          "segments divide the log, none but a single batch is larger than segment.bytes, and a fetch ends with one"
          (Gen.zip (batchesGen bytesGen) (Gen.choose (100, 2000)))
          (fun (batches, size) ->
              let cluster = withConfigs [ "segment.bytes", string size; "message.timestamp.type", "CreateTime" ]

              for batch in batches do
                  Expect.equal (produced (cluster.Get(9s, produceRequest None "t" 0 batch.Bytes))).Error ErrorCode.None "the batch"

              let log = logOf cluster
              let bounds = List.pairwise (List.ofSeq log.Segments @ [ max log.End 1L ])
              Expect.equal log.Segments[0] 0L "the first one"
              Expect.all bounds (fun (first, next) -> first < next) "in order and not empty"

              for first, next in bounds do
                  let within = log.Batches |> Seq.filter (fun batch -> batch.BaseOffset >= first && batch.BaseOffset < next) |> List.ofSeq
                  let bytes = within |> List.sumBy _.SizeInBytes
                  Expect.isTrue (bytes <= size || within.Length = 1) "the size"

                  if not within.IsEmpty then
                      let answer = fetchedOf (cluster.Get(11s, fetchRequest first 1_000_000 1_000_000 0 1))
                      Expect.equal answer.Records.Value.Length bytes "the fetch")

      testCase "retention.bytes deletes whole segments, and never the active one" (fun () ->
          let batch = at 1L 1
          let size = batch.SizeInBytes
          let cluster = withConfigs [ "segment.bytes", string (2 * size); "retention.bytes", string (3 * size) ]

          for _ in 1..7 do
              produce cluster batch |> ignore

          // 0-1, 2-3, 4-5, 6: without the first segment there are five batches, without the second three.
          retention cluster
          let log = logOf cluster
          Expect.equal (log.Start, List.ofSeq log.Segments) (4L, [ 4L; 6L ]) "the start and the segments"
          cluster.Change(Cluster.updateTopic "t" (fun topic -> { topic with Configs = Map [ "retention.bytes", "1" ] }))
          retention cluster
          Expect.equal (logOf cluster).Start 6L "the active segment remains")

      testCase "the closed segments of a compacted topic are compacted when enough of them is new" (fun () ->
          let keyed (timestamp: int64) (key: string) =
              batchOf
                  [ { Offset = 0L
                      Timestamp = timestamp
                      Key = ValueSome(Bytes.ofString key)
                      Value = ValueSome Bytes.empty
                      Headers = [] } ]

          // Each batch has a segment of its own. The keys are a, b, a, b and so on, and the last segment is active.
          let offsets (configs: (string * string) list) (count: int) =
              let cluster = withConfigs ([ "segment.bytes", "1"; "cleanup.policy", "compact" ] @ configs)

              for index in 0 .. count - 1 do
                  produce cluster (keyed cluster.Now (if index % 2 = 0 then "a" else "b")) |> ignore
                  cluster.Wait 100

              [ for batch in (logOf cluster).Batches -> batch.BaseOffset ]

          Expect.equal (offsets [ "min.cleanable.dirty.ratio", "0.01" ] 7) [ 4L; 5L; 6L ] "at each new segment"
          let half = offsets [ "min.cleanable.dirty.ratio", "0.5" ]
          Expect.equal (half 3) [ 0L; 1L; 2L ] "segment 1 is new, which is not more than half"
          Expect.equal (half 4) [ 1L; 2L; 3L ] "segments 1 and 2 are new"
          Expect.equal (half 6) [ 1L .. 5L ] "segments 3 and 4 of four"
          Expect.equal (half 7) [ 4L; 5L; 6L ] "segments 3, 4 and 5 of five"
          Expect.equal (offsets [ "min.cleanable.dirty.ratio", "1" ] 7) [ 0L .. 6L ] "never"
          let lagging = offsets [ "min.cleanable.dirty.ratio", "0.01"; "min.compaction.lag.ms", "250" ] 7
          Expect.equal lagging [ 2L; 3L; 4L; 5L; 6L ] "the records of the last 250 ms stay"
          Expect.equal (offsets [ "min.cleanable.dirty.ratio", "0.01"; "cleanup.policy", "delete" ] 7) [ 0L .. 6L ] "not compacted")

      testCase "retention.ms deletes the segments whose records are all too old, in the end the active one too" (fun () ->
          let cluster = withConfigs [ "segment.bytes", "1"; "retention.ms", "1000" ]
          cluster.Now <- 1_000_000L

          for age in [ 3000L; 500L; 3000L ] do
              produce cluster (at (cluster.Now - age) 1) |> ignore

          retention cluster
          Expect.equal (logOf cluster).Start 1L "a segment that is not old ends it"
          cluster.Wait 2000
          retention cluster
          let log = logOf cluster
          Expect.equal (log.Start, log.Batches.Count, log.Segments[0]) (3L, 0, 3L) "nothing is left"
          produce cluster (at cluster.Now 1) |> ignore
          Expect.equal (logOf cluster).End 4L "the log continues")

      testCase "the high watermark does not rise while too few replicas are in sync" (fun () ->
          let cluster = start State.settings 3 []
          cluster.Change(fun state -> fst (Topics.create "t" 1 3 (Map [ "min.insync.replicas", "2" ]) state))
          let watermark () = Cluster.highWatermark (Cluster.tryPartition "t" 0 cluster.State).Value
          let node = (Cluster.tryPartition "t" 0 cluster.State).Value.Leader.Value

          let append (acks: Acks) =
              let partition: Produce.PartitionData = { Index = 0; Records = Some (at 1L 1).Bytes }

              let request =
                  Request.Produce
                      { TransactionalId = None
                        Acks = acks
                        TimeoutMs = 1000
                        Topics = [ { Name = "t"; TopicId = Guid.Empty; Partitions = [ partition ] } ] }

              match cluster.Ask(9s, request, node) with
              | Reply response -> (produced response).Error
              | _ -> failtest "no reply"

          Expect.equal (append Acks.All) ErrorCode.None "with all"

          for other in [ 1..3 ] |> List.except [ node ] do
              cluster.Change(Nodes.stop other)

          Expect.equal (append Acks.All) ErrorCode.NotEnoughReplicas "acks = all"
          Expect.equal (append Acks.Leader) ErrorCode.None "acks = 1"
          Expect.equal (watermark (), (logOf cluster).End) (1L, 2L) "the high watermark"
          cluster.Change(Nodes.start (1 + node % 3))
          Expect.equal (watermark ()) 2L "with two in sync again"
          cluster.Change(fun state -> { state with Settings = { state.Settings with Release = Release.parse "3.6" } })
          cluster.Change(Nodes.stop (1 + node % 3))
          Expect.equal (append Acks.Leader) ErrorCode.None "acks = 1"
          Expect.equal (watermark ()) 3L "before 3.7")

      testCase "a batch that is much later than the first of the segment begins a new one" (fun () ->
          let cluster = withConfigs [ "segment.ms", "1000" ]
          for timestamp in [ 10L; 1010L; 1011L ] do
              produce cluster (at timestamp 1) |> ignore
          Expect.equal (List.ofSeq (logOf cluster).Segments) [ 0L; 2L ] "the segments")

      testCase "the record with the largest timestamp is not found before the last stable offset if it is after it" (fun () ->
          let cluster = start State.settings 1 [ "t", 1 ]
          produce cluster (at 10L 1) |> ignore

          let ongoing =
              match
                  BatchBuilder.build
                      (options true 7L 0s 0)
                      [ { Offset = 0L; Timestamp = 20L; Key = ValueNone; Value = ValueNone; Headers = [] } ]
              with
              | Ok batch -> batch
              | Error fault -> failtestf "%O" fault

          cluster.Change(Cluster.updateLog "t" 0 (Log.append 0 ongoing))

          let latest (isolation: IsolationLevel) =
              let request =
                  Request.ListOffsets
                      { ReplicaId = -1
                        IsolationLevel = isolation
                        TimeoutMs = 0
                        Topics =
                          [ { Name = "t"
                              Partitions =
                                [ { PartitionIndex = 0; CurrentLeaderEpoch = -1; Spec = OffsetSpec.MaxTimestamp; MaxNumOffsets = 1 } ] } ] }

              match cluster.Get(7s, request) with
              | Response.ListOffsets { Topics = [ { Partitions = [ found ] } ] } -> found.Offset, found.Timestamp
              | other -> failtest (Response.show other)

          Expect.equal (latest IsolationLevel.ReadUncommitted) (1L, 20L) "uncommitted"
          Expect.equal (latest IsolationLevel.ReadCommitted) (-1L, -1L) "committed") ]

[<Tests>]
let tests = testList "log of the test broker" (offsets @ compaction @ legacy @ fetching @ segments)
