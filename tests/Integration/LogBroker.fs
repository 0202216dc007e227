/// A broker that leads every partition, keeps the batches, and coordinates transactions. It refuses what a real broker refuses.
module LibKafka.Integration.LogBroker

open System
open System.Collections.Generic
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Replay

/// A release of Kafka whose behaviour differs.
type Release =
    | Kafka10
    | Kafka23
    | Kafka40

/// What a partition knows of a producer: its epoch, its next sequence, and its last five batches with their offsets, the latest first.
type private Known = { Epoch: int16; Next: int32; Recent: (int32 * int32 * int64) list }

/// The state of the transactional id: its epoch, the partitions of the open transaction, and whether the last end is still being written.
type private State = { ProducerId: int64; Epoch: int16; Registered: Set<string * int>; IsOpen: bool; IsEnding: bool }

/// The logs of the broker's partitions. `version` is the level of `transaction.version`.
[<Sealed>]
type BrokerLog(release: Release, version: int16) =
    let gate = obj ()
    let logs = Dictionary<string * int, List<RecordBatch>>()
    let known = Dictionary<(string * int) * int64, Known>()
    let mutable state = { ProducerId = 4000L; Epoch = -1s; Registered = Set.empty; IsOpen = false; IsEnding = false }

    let logOf place =
        match logs.TryGetValue place with
        | true, log -> log
        | _ ->
            logs[place] <- List()
            logs[place]

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
        let log = logOf place
        let offset = if log.Count = 0 then 0L else log[log.Count - 1].NextOffset

        let add (recent: (int32 * int32 * int64) list) =
            log.Add(batch.Rebase(offset, 7))

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
            state <- { state with Epoch = epoch; Registered = Set.empty; IsOpen = false; IsEnding = true }

            { ThrottleTimeMs = 0
              Error = ErrorCode.None
              ProducerId = (if renews then state.ProducerId else -1L)
              ProducerEpoch = (if renews then epoch else -1s) }

    let initialize () : InitProducerId.Response =
        state <- { state with Epoch = state.Epoch + 1s; Registered = Set.empty; IsOpen = false; IsEnding = false }

        { InitProducerId.api.Response.Schema.Default with ProducerId = state.ProducerId; ProducerEpoch = state.Epoch }

    /// The batches of a partition, as they are in the log.
    member _.Batches(topic: string, index: int) : RecordBatch list = lock gate (fun () -> List.ofSeq (logOf (topic, index)))

    /// The versions that it supports.
    member _.Versions: ApiVersions.ApiVersion list =
        let highest =
            if release = Kafka10 then 5
            elif release = Kafka23 then 7
            else 12
        let older = release <> Kafka40

        Script.everythingBut
            [ Script.versions ApiKey.Produce 0 highest
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
                let topics = names |> List.map (fun name -> Script.topic name Guid.Empty)
                Script.answer Metadata.api received (Script.metadata me topics)
            | Request.FindCoordinator request -> coordinating me received request
            | Request.Produce request ->
                let topics: Produce.TopicResponse list =
                    [ for topic in request.Topics ->
                          { Name = topic.Name
                            TopicId = topic.TopicId
                            Partitions = topic.Partitions |> List.map (produce received.Header.ApiVersion request topic.Name) } ]

                Script.answer Produce.api received { Produce.api.Response.Schema.Default with Topics = topics }
            | Request.InitProducerId _ -> Script.answer InitProducerId.api received (initialize ())
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
