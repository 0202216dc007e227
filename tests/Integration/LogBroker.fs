/// A broker that leads every partition, keeps the batches, and coordinates transactions. It refuses what a real broker refuses.
module LibKafka.Integration.LogBroker

open System
open System.Buffers.Binary
open System.Collections.Generic
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Replay
open LibKafka.Integration.Support

/// A release of Kafka whose behaviour differs.
type Release =
    | Kafka10
    | Kafka23
    | Kafka40

/// What a partition knows of a producer: its epoch, its next sequence, and its last five batches with their offsets, the latest first.
type private Known = { Epoch: int16; Next: int32; Recent: (int32 * int32 * int64) list }

/// The state of the transactional id: its epoch, the partitions of the open transaction, and whether the last end is still being written.
type private State = { ProducerId: int64; Epoch: int16; Registered: Set<string * int>; IsOpen: bool; IsEnding: bool }

/// A batch as a topic with LogAppendTime keeps it: only its header has the time of the broker.
let private withAppendTime (time: int64) (batch: RecordBatch) : RecordBatch =
    let bytes = batch.Bytes.ToArray()
    bytes[22] <- bytes[22] ||| 0x08uy
    BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan 35, time)
    BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan 17, Crc32C.compute (ReadOnlySpan<byte>(bytes).Slice 21))
    RecordBatch.ofBytes (Bytes bytes) |> ok

/// The end of a transaction, as the broker writes it into the log.
let private marker (commit: bool) (producerId: int64) (epoch: int16) : RecordBatch =
    let options =
        { BatchOptions.standard with IsControl = true; IsTransactional = true; ProducerId = producerId; ProducerEpoch = epoch }

    let key = Bytes [| 0uy; 0uy; 0uy; (if commit then 1uy else 0uy) |]
    let value = Bytes(Array.zeroCreate<byte> 6)

    BatchBuilder.build options [ { Offset = 0L; Timestamp = 0L; Key = ValueSome key; Value = ValueSome value; Headers = [] } ]
    |> ok

/// A topic without an id whose partitions 0 and 1 the broker leads.
let private twoPartitions (name: string) : Metadata.Topic =
    let topic = Script.topic name Guid.Empty
    { topic with Partitions = [ for index in 0..1 -> { topic.Partitions.Head with PartitionIndex = index } ] }

/// The batch after compaction: with the records that are kept, and all of its offsets.
let private compacted (isKept: RecordData -> bool) (batch: RecordBatch) : RecordBatch =
    let records = RecordBatch.toList (Reading.withCodecs AllCodecs.Set) batch |> ok |> List.filter isKept
    let plain = BatchBuilder.build (BatchOptions.ofHeader batch.Header) records |> ok

    match AllCodecs.List |> Seq.tryFind (fun codec -> codec.Type = batch.Compression) with
    | Some codec -> RecordBatch.compress codec plain |> ok
    | None -> plain

/// The logs of the broker's partitions. `version` is the level of `transaction.version`.
[<Sealed>]
type BrokerLog(release: Release, version: int16) =
    let gate = obj ()
    let logs = Dictionary<string * int, List<RecordBatch>>()
    let known = Dictionary<(string * int) * int64, Known>()
    // The topics with LogAppendTime.
    let appendTime = HashSet<string>()
    // The first offset of the open transaction in each partition, and the transactions that were aborted, with the offsets of their markers.
    let openSince = Dictionary<string * int, int64>()
    let aborted = List<(string * int) * AbortedTransaction * int64>()
    let mutable lastProducerId = 5000L
    let mutable state = { ProducerId = 4000L; Epoch = -1s; Registered = Set.empty; IsOpen = false; IsEnding = false }

    let logOf place =
        match logs.TryGetValue place with
        | true, log -> log
        | _ ->
            logs[place] <- List()
            logs[place]

    let endOf place =
        let log = logOf place
        if log.Count = 0 then 0L else log[log.Count - 1].NextOffset

    let stableEndOf place =
        match openSince.TryGetValue place with
        | true, offset -> offset
        | _ -> endOf place

    let malformed = if release = Kafka40 then ErrorCode.InvalidRecord else ErrorCode.CorruptMessage

    // What concerns the batch alone.
    let checkBatch (produceVersion: int16) (batch: RecordBatch) : ErrorCode =
        if RecordBatch.verify batch |> Result.isError then
            ErrorCode.CorruptMessage
        elif batch.BaseOffset <> 0L then
            malformed
        elif batch.Count <> batch.LastOffsetDelta + 1 && release <> Kafka10 then
            malformed
        elif batch.IsControl then
            ErrorCode.InvalidRecord
        elif batch.TimestampType = TimestampType.LogAppendTime && release <> Kafka40 then
            ErrorCode.InvalidTimestamp
        elif batch.Compression = CompressionType.Zstd && produceVersion < 7s then
            ErrorCode.UnknownServerError
        elif not (Enum.IsDefined batch.Compression) then
            ErrorCode.UnknownServerError
        else
            ErrorCode.None

    // 1.0 and 2.3 do not ask whether the partition is part of the transaction.
    let checkTransaction place (transactionalId: string option) (produceVersion: int16) (batch: RecordBatch) : ErrorCode =
        if not batch.IsTransactional then
            ErrorCode.None
        elif transactionalId.IsNone then
            ErrorCode.TransactionalIdAuthorizationFailed
        elif release = Kafka40 && produceVersion < 12s && not (state.Registered.Contains place) then
            if produceVersion < 11s then ErrorCode.InvalidTxnState else ErrorCode.TransactionAbortable
        else
            ErrorCode.None

    let append place (batch: RecordBatch) : Result<int64, ErrorCode> =
        let offset = endOf place

        let add (recent: (int32 * int32 * int64) list) =
            let timed = if appendTime.Contains(fst place) then withAppendTime 1_900_000_000_000L batch else batch
            (logOf place).Add(timed.Rebase(offset, 7))
            if batch.IsTransactional then openSince.TryAdd(place, offset) |> ignore

            if batch.ProducerId >= 0L then
                known[(place, batch.ProducerId)] <-
                    { Epoch = batch.ProducerEpoch
                      Next = Sequence.add batch.LastSequence 1
                      Recent = List.truncate 5 ((batch.BaseSequence, batch.LastSequence, offset) :: recent) }

            Ok offset

        match known.TryGetValue((place, batch.ProducerId)) with
        | _ when batch.ProducerId < 0L -> add []
        | true, producer when batch.ProducerEpoch < producer.Epoch -> Error ErrorCode.InvalidProducerEpoch
        | true, producer when batch.ProducerEpoch > producer.Epoch ->
            if batch.BaseSequence = 0 then add [] else Error ErrorCode.OutOfOrderSequenceNumber
        | true, producer ->
            let isRepetition (first, last, _) = first = batch.BaseSequence && last = batch.LastSequence

            match producer.Recent |> List.tryFind isRepetition with
            | Some(_, _, offset) -> Ok offset
            | None when producer.Next = batch.BaseSequence -> add producer.Recent
            | None -> Error ErrorCode.OutOfOrderSequenceNumber
        | _ when release = Kafka10 && batch.BaseSequence <> 0 -> Error ErrorCode.UnknownProducerId
        | _ -> add []

    let produce (produceVersion: int16) (request: Produce.Request) topic (data: Produce.PartitionData) : Produce.PartitionResponse =
        let place = topic, data.Index

        let result =
            match data.Records |> Option.map RecordBatch.ofBytes with
            | Some(Ok batch) ->
                let code = checkBatch produceVersion batch
                let code = if code.IsError then code else checkTransaction place request.TransactionalId produceVersion batch
                if code.IsError then Error code else append place batch
            | _ -> Error ErrorCode.CorruptMessage

        let answer =
            { Produce.partitionResponse.Default with
                Index = data.Index
                CurrentLeader = CurrentLeader.unknown
                LogAppendTimeMs = -1L }

        match result with
        | Ok offset -> { answer with BaseOffset = offset; LogStartOffset = 0L }
        | Error code -> { answer with Error = code; BaseOffset = -1L; LogStartOffset = -1L }

    let checkProducer (producerId: int64) (epoch: int16) (code: ErrorCode) : ErrorCode =
        if producerId <> state.ProducerId then ErrorCode.InvalidProducerIdMapping
        elif epoch <> state.Epoch then code
        elif state.IsEnding then ErrorCode.ConcurrentTransactions
        else ErrorCode.None

    // The markers of the end before are written once a request has been told to wait for them.
    let waited () = state <- { state with IsEnding = false }

    let addPartitions (request: AddPartitionsToTxn.Request) : AddPartitionsToTxn.Response =
        let code = checkProducer request.ProducerId request.ProducerEpoch ErrorCode.ProducerFenced
        waited ()

        if not code.IsError then
            let places =
                [ for topic in request.Topics do
                      yield! [ for index in topic.Partitions -> topic.Name, index ] ]
            state <- { state with Registered = Set.union state.Registered (Set.ofList places); IsOpen = true }

        let topics: AddPartitionsToTxn.TopicResult list =
            [ for topic in request.Topics ->
                  { Name = topic.Name; Partitions = [ for index in topic.Partitions -> { PartitionIndex = index; Error = code } ] } ]

        { AddPartitionsToTxn.api.Response.Schema.Default with Topics = topics }

    let writeMarkers (commit: bool) (epoch: int16) =
        for place in state.Registered do
            match openSince.TryGetValue place with
            | true, first when not commit -> aborted.Add(place, { ProducerId = state.ProducerId; FirstOffset = first }, endOf place)
            | _ -> ()

            openSince.Remove place |> ignore
            (logOf place).Add((marker commit state.ProducerId epoch).Rebase(endOf place, 7))

    // Version 5 gives a new epoch, in which all sequences begin anew. Up to version 4 they go on.
    let endTransaction (endVersion: int16) (request: EndTxn.Request) : EndTxn.Response =
        let code = checkProducer request.ProducerId request.ProducerEpoch ErrorCode.ProducerFenced
        waited ()

        if code.IsError || not state.IsOpen then
            { ThrottleTimeMs = 0
              Error = (if code.IsError then code else ErrorCode.InvalidTxnState)
              ProducerId = -1L
              ProducerEpoch = -1s }
        else
            let renews = endVersion >= 5s

            if renews then
                for place in state.Registered do
                    known[(place, state.ProducerId)] <- { Epoch = state.Epoch + 1s; Next = 0; Recent = [] }

            let epoch = if renews then state.Epoch + 1s else state.Epoch
            writeMarkers request.Committed epoch
            state <- { state with Epoch = epoch; Registered = Set.empty; IsOpen = false; IsEnding = true }

            { ThrottleTimeMs = 0
              Error = ErrorCode.None
              ProducerId = (if renews then state.ProducerId else -1L)
              ProducerEpoch = (if renews then epoch else -1s) }

    let initialize (request: InitProducerId.Request) : InitProducerId.Response =
        match request.TransactionalId with
        | Some _ ->
            writeMarkers false state.Epoch
            state <- { state with Epoch = state.Epoch + 1s; Registered = Set.empty; IsOpen = false; IsEnding = false }
            { InitProducerId.api.Response.Schema.Default with ProducerId = state.ProducerId; ProducerEpoch = state.Epoch }
        | None ->
            lastProducerId <- lastProducerId + 1L
            { InitProducerId.api.Response.Schema.Default with ProducerId = lastProducerId; ProducerEpoch = 0s }

    // Whole batches from the one with the offset on: at least one, however large it is.
    let fetch (isolation: IsolationLevel) topic (asked: Fetch.PartitionRequest) : Fetch.PartitionResponse =
        let place = topic, asked.Partition
        let isCommitted = isolation = IsolationLevel.ReadCommitted
        let limit = if isCommitted then stableEndOf place else endOf place
        let mutable size = 0

        let found =
            logOf place
            |> Seq.filter (fun batch -> batch.LastOffset >= asked.FetchOffset && batch.LastOffset < limit)
            |> Seq.takeWhile (fun batch ->
                let isFirst = size = 0
                size <- size + batch.SizeInBytes
                isFirst || size <= asked.PartitionMaxBytes)
            |> List.ofSeq

        let transactions =
            [ for at, transaction, markedAt in aborted do
                  if at = place && markedAt >= asked.FetchOffset then transaction ]

        { Fetch.partitionResponse.Default with
            PartitionIndex = asked.Partition
            Error = (if asked.FetchOffset > endOf place then ErrorCode.OffsetOutOfRange else ErrorCode.None)
            HighWatermark = endOf place
            LastStableOffset = stableEndOf place
            LogStartOffset = 0L
            AbortedTransactions = (if isCommitted then Some transactions else None)
            Records = Some(Bytes(Array.concat (found |> List.map _.Bytes.ToArray()))) }

    let fetchAll (request: Fetch.Request) : Fetch.Response =
        { Fetch.response.Default with
            Topics =
                [ for topic in request.Topics ->
                      { Topic = topic.Topic
                        TopicId = topic.TopicId
                        Partitions = topic.Partitions |> List.map (fetch request.IsolationLevel topic.Topic) } ] }

    let listOffsets (request: ListOffsets.Request) : ListOffsets.Response =
        let find topic (asked: ListOffsets.PartitionRequest) : ListOffsets.PartitionResponse =
            let place = topic, asked.PartitionIndex

            let offset =
                if asked.Spec = OffsetSpec.Earliest then 0L
                elif asked.Spec <> OffsetSpec.Latest then -1L
                elif request.IsolationLevel = IsolationLevel.ReadCommitted then stableEndOf place
                else endOf place

            { ListOffsets.partitionResponse.Default with PartitionIndex = asked.PartitionIndex; Offset = offset }

        { ListOffsets.response.Default with
            Topics = [ for topic in request.Topics -> { Name = topic.Name; Partitions = topic.Partitions |> List.map (find topic.Name) } ] }

    /// The batches of a partition with data, as they are in the log.
    member _.Batches(topic: string, index: int) : RecordBatch list =
        lock gate (fun () -> logOf (topic, index) |> Seq.filter (fun batch -> not batch.IsControl) |> List.ofSeq)

    /// Deletes a topic: its logs, and what they know of producers.
    member _.Delete(topic: string) =
        lock gate (fun () ->
            for place in logs.Keys |> Seq.filter (fun (name, _) -> name = topic) |> List.ofSeq do
                logs.Remove place |> ignore
                openSince.Remove place |> ignore

            for place, producer in known.Keys |> Seq.filter (fun ((name, _), _) -> name = topic) |> List.ofSeq do
                known.Remove((place, producer)) |> ignore)

    /// Gives a topic LogAppendTime.
    member _.SetAppendTime(topic: string) = lock gate (fun () -> appendTime.Add topic |> ignore)

    /// Compacts partition 0 of a topic, except for the last batch, which is in the active segment: of the records with one key only the last
    /// remains. A batch without records goes, unless it is the last of an idempotent producer.
    member _.Compact(topic: string) =
        lock gate (fun () ->
            let log = logOf (topic, 0)
            let records = log |> Seq.collect (RecordBatch.toList (Reading.withCodecs AllCodecs.Set) >> ok)
            let last = records |> Seq.map (fun record -> record.Key, record.Offset) |> Map.ofSeq
            let isKept (record: RecordData) = last[record.Key] = record.Offset
            let active = log[log.Count - 1]

            let cleaned =
                [ for batch in log do
                      if Object.ReferenceEquals(batch, active) then
                          batch
                      else
                          let isLastOf (producer: int64) =
                              producer >= 0L
                              && (log |> Seq.findBack (fun other -> other.ProducerId = producer)).BaseOffset = batch.BaseOffset

                          let compacted = compacted isKept batch
                          if compacted.Count > 0 || isLastOf batch.ProducerId then compacted ]

            log.Clear()
            log.AddRange cleaned)

    /// The versions that it supports.
    member _.Versions: ApiVersions.ApiVersion list =
        let highest =
            if release = Kafka10 then 5
            elif release = Kafka23 then 7
            else 12
        let older = release <> Kafka40

        Script.everythingBut
            [ Script.versions ApiKey.Produce 0 highest
              Script.versions
                  ApiKey.Fetch
                  0
                  (match release with
                   | Kafka10 -> 6
                   | Kafka23 -> 11
                   | Kafka40 -> 17)
              Script.versions ApiKey.InitProducerId 0 (if older then 1 else 5)
              Script.versions ApiKey.AddPartitionsToTxn 0 (if older then 1 else 5)
              Script.versions ApiKey.AddOffsetsToTxn 0 (if older then 1 else 4)
              Script.versions ApiKey.EndTxn 0 (if older then 1 else 5) ]

    /// Answers a request.
    member this.Answer (me: BrokerAddress) (received: Received) : Act list =
        let finalized: ApiVersions.FinalizedFeature =
            { Name = "transaction.version"; MaxVersionLevel = version; MinVersionLevel = version }

        lock gate (fun () ->
            match received.Request with
            | Request.ApiVersions _ ->
                let features = if release = Kafka40 && version > 0s then [ finalized ] else []
                Script.answer
                    ApiVersions.api
                    received
                    { Script.versionsResponse ErrorCode.None this.Versions with FinalizedFeatures = features }
            | Request.Metadata request ->
                let names = request.Topics |> Option.defaultValue [] |> List.choose _.Name
                let topics = names |> List.map twoPartitions
                Script.answer Metadata.api received (Script.metadata me topics)
            | Request.FindCoordinator request -> coordinating me received request
            | Request.Produce request ->
                let topics: Produce.TopicResponse list =
                    [ for topic in request.Topics ->
                          { Name = topic.Name
                            TopicId = topic.TopicId
                            Partitions = topic.Partitions |> List.map (produce received.Header.ApiVersion request topic.Name) } ]

                Script.answer Produce.api received { Produce.api.Response.Schema.Default with Topics = topics }
            | Request.Fetch request -> Script.answer Fetch.api received (fetchAll request)
            | Request.ListOffsets request -> Script.answer ListOffsets.api received (listOffsets request)
            | Request.InitProducerId request -> Script.answer InitProducerId.api received (initialize request)
            | Request.AddPartitionsToTxn request -> Script.answer AddPartitionsToTxn.api received (addPartitions request)
            | Request.AddOffsetsToTxn request ->
                let code = checkProducer request.ProducerId request.ProducerEpoch ErrorCode.ProducerFenced
                Script.answer AddOffsetsToTxn.api received { ThrottleTimeMs = 0; Error = code }
            | Request.EndTxn request -> Script.answer EndTxn.api received (endTransaction received.Header.ApiVersion request)
            | _ -> Script.unexpected received)

/// Runs a test on a broker with empty logs. `disturb` may act in place of the broker's answer, which has been made and changed the logs by then.
let withLog release version disturb (test: BrokerLog -> ScriptedBroker -> unit) =
    let log = BrokerLog(release, version)

    let script me (received: Received) =
        let answer = log.Answer me received
        disturb received |> Option.defaultValue answer

    Scripted.broker script (test log)

/// A broker that nothing disturbs.
let undisturbed (_: Received) : Act list option = None
