namespace LibKafka.Testing

open System
open LibKafka
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol

/// Produce: appending batches to partitions.
[<RequireQualifiedAccess>]
module internal Producing =

    /// What happened to the data of one partition.
    [<NoEquality; NoComparison>]
    type private Outcome =
        {
            Topic: Produce.TopicData
            /// The name of the topic; empty if the id is not known.
            Name: string
            Response: Produce.PartitionResponse
            /// The offset that the high watermark must reach before a client with acks = all gets its answer.
            Required: int64 voption
        }

    let private failed (index: int32) (code: ErrorCode) : Produce.PartitionResponse =
        { Index = index
          Error = code
          BaseOffset = -1L
          LogAppendTimeMs = -1L
          LogStartOffset = -1L
          RecordErrors = []
          ErrorMessage = None
          CurrentLeader = CurrentLeader.unknown }

    let private rulesFor (call: Call) (topic: Topic) (state: State) : BatchRules =
        let config name = Configs.number64 name topic state

        let before, after =
            if state.Settings.Release.IsAtLeast(3, 6) then
                "message.timestamp.before.max.ms", "message.timestamp.after.max.ms"
            else
                "message.timestamp.difference.max.ms", "message.timestamp.difference.max.ms"

        { Release = state.Settings.Release
          Codecs = state.Settings.Codecs
          ProduceVersion = call.Version
          Now = call.Now
          MostBytes = config "max.message.bytes"
          IsCompacted = Configs.isCompacted topic state
          AppendTime = Configs.value "message.timestamp.type" topic state = "LogAppendTime"
          MostBefore = config before
          MostAfter = config after
          Magic = LegacyWriter.magicOfTopic topic state }

    /// Whether a batch continues what the log knows of its producer.
    [<NoEquality; NoComparison>]
    type private Sequencing =
        | Continues
        | Repeats of KnownBatch
        | Breaks of ErrorCode

    let private follows (last: int32) (first: int32) = Sequence.add last 1 = first

    let private sequencing (release: Release) (batch: RecordBatch) (log: Log) : Sequencing =
        match log.Producers.TryFind batch.ProducerId with
        | _ when batch.ProducerId < 0L -> Continues
        | None when batch.BaseSequence <> 0 && not (release.IsAtLeast(2, 4)) -> Breaks ErrorCode.UnknownProducerId
        | None -> Continues
        | Some producer when batch.ProducerEpoch < producer.Epoch -> Breaks ErrorCode.InvalidProducerEpoch
        | Some producer when batch.ProducerEpoch > producer.Epoch ->
            if batch.BaseSequence = 0 then Continues else Breaks ErrorCode.OutOfOrderSequenceNumber
        | Some producer ->
            let isRepeated (known: KnownBatch) = known.FirstSequence = batch.BaseSequence && known.LastSequence = batch.LastSequence

            match List.tryFind isRepeated producer.Recent, producer.Recent with
            | Some known, _ -> Repeats known
            | None, last :: _ when follows last.LastSequence batch.BaseSequence -> Continues
            | None, [] when batch.BaseSequence = 0 -> Continues
            | _ -> Breaks ErrorCode.OutOfOrderSequenceNumber

    let private refusedBy (release: Release) (log: Log) (index: int32) (refusal: BatchRefusal) : Produce.PartitionResponse =
        // Before 2.4, these errors came without it.
        let isToldLogStart (code: ErrorCode) =
            release.IsAtLeast(2, 4) || code <> ErrorCode.CorruptMessage && code <> ErrorCode.InvalidTimestamp

        { failed index refusal.Code with
            LogStartOffset = (if refusal.ByLog && (isToldLogStart refusal.Code) then log.Start else -1L)
            RecordErrors = refusal.Records
            ErrorMessage = refusal.Text }

    /// Appends a batch that has been checked and admitted.
    let private append (call: Call) (topic: Topic) (partition: Partition) (batch: RecordBatch) (state: State) =
        let log = partition.Log

        let written =
            { failed partition.Index ErrorCode.None with
                BaseOffset = log.End
                LogAppendTimeMs = (if batch.TimestampType = TimestampType.LogAppendTime then batch.MaxTimestamp else -1L)
                LogStartOffset = log.Start }

        match sequencing state.Settings.Release batch log with
        | Breaks code -> state, { failed partition.Index code with LogStartOffset = log.Start }, ValueNone
        | Repeats known ->
            state, { written with BaseOffset = known.Offset; LogAppendTimeMs = known.MaxTimestamp }, ValueSome(known.LastOffset + 1L)
        | Continues ->
            let appended = Segments.append call.Now batch topic state partition
            Cluster.updatePartition topic.Name partition.Index (fun _ -> appended) state, written, ValueSome appended.Log.End

    let private isTooFew (request: Produce.Request) (topic: Topic) (partition: Partition) (state: State) =
        request.Acks = Acks.All && int64 partition.InSync.Length < Configs.leastInSync topic partition state

    /// Checks the batch, and whether its transaction admits it, and appends it. ValueNone if the transaction is not ready yet.
    let private checkAndAppend
        (call: Call)
        (request: Produce.Request)
        (topic: Topic)
        (partition: Partition)
        (records: Bytes)
        (state: State)
        =
        let place = topic.Name + "-" + string partition.Index
        let refusal response = ValueSome(struct (state, response, ValueNone))

        match Batches.check (rulesFor call topic state) place records with
        | Error refused -> refusal (refusedBy state.Settings.Release partition.Log partition.Index refused)
        | Ok batch ->
            match Transactions.admit call request.TransactionalId batch topic.Name partition.Index state with
            | Refused(code, state) -> ValueSome(struct (state, failed partition.Index code, ValueNone))
            | Delayed -> ValueNone
            | Admitted state ->
                let state, response, required = append call topic partition batch state
                ValueSome(struct (state, response, required))

    let private toPartition (call: Call) (request: Produce.Request) (topic: Topic) (data: Produce.PartitionData) (state: State) =
        let refusal response = ValueSome(struct (state, response, ValueNone))

        if topic.IsInternal then
            refusal (failed data.Index ErrorCode.InvalidTopicException)
        else
            match Cluster.lead call.Node -1 topic.Name data.Index state, data.Records with
            | Error code, _ when code = ErrorCode.NotLeaderOrFollower && call.Version >= 10s ->
                let leader = topic.Partitions[data.Index] |> Cluster.currentLeader
                refusal { failed data.Index code with CurrentLeader = leader }
            | Error code, _ -> refusal (failed data.Index code)
            | Ok partition, _ when isTooFew request topic partition state ->
                refusal { failed data.Index ErrorCode.NotEnoughReplicas with LogStartOffset = partition.Log.Start }
            | Ok partition, Some records -> checkAndAppend call request topic partition records state
            | Ok _, None -> refusal (failed data.Index ErrorCode.CorruptMessage)

    let private findTopic (call: Call) (topic: Produce.TopicData) (state: State) : Result<Topic, ErrorCode> =
        let found =
            if call.Version >= Produce.topicIdsSince then
                Cluster.tryTopicById topic.TopicId state |> Option.toValueOption, ErrorCode.UnknownTopicId
            else
                Cluster.tryTopic topic.Name state |> Option.toValueOption, ErrorCode.UnknownTopicOrPartition

        match found with
        | ValueSome found, _ when Security.isAllowed call AclOperation.Write AclResourceType.Topic found.Name state -> Ok found
        | ValueSome _, _ -> Error ErrorCode.TopicAuthorizationFailed
        | ValueNone, code -> Error code

    let private areAcksValid (acks: Acks) = acks = Acks.None || acks = Acks.Leader || acks = Acks.All

    /// The response for one partition, in a state that has the batch if it was appended. ValueNone if it must wait for a transaction.
    let private one (call: Call) (request: Produce.Request) (topic: Produce.TopicData, data: Produce.PartitionData) (state: State) =
        let outcome name response required = { Topic = topic; Name = name; Response = response; Required = required }

        match findTopic call topic state with
        | Error code -> ValueSome(struct (state, outcome topic.Name (failed data.Index code) ValueNone))
        | Ok found when not (areAcksValid request.Acks) ->
            ValueSome(struct (state, outcome found.Name (failed data.Index ErrorCode.InvalidRequiredAcks) ValueNone))
        | Ok found ->
            toPartition call request found data state
            |> ValueOption.map (fun (struct (state, response, required)) -> struct (state, outcome found.Name response required))

    let private answer (call: Call) (outcomes: Outcome list) (state: State) : Response =
        let topics: Produce.TopicResponse list =
            [ for topic, ofTopic in outcomes |> List.groupBy (fun outcome -> outcome.Topic.Name, outcome.Topic.TopicId) ->
                  { Name = fst topic; TopicId = snd topic; Partitions = ofTopic |> List.map _.Response } ]

        let leaders = outcomes |> Seq.map _.Response.CurrentLeader |> Seq.filter (fun leader -> leader.LeaderId >= 0)

        Response.Produce
            { Topics = topics
              ThrottleTimeMs = 0
              NodeEndpoints = (if call.Version >= 10s then Cluster.endpoints leaders state else []) }

    /// The outcome after replication: ValueNone as long as the in-sync replicas do not have the batch.
    let private replicated (state: State) (outcome: Outcome) : Outcome voption =
        let instead code = ValueSome { outcome with Response = { outcome.Response with Error = code }; Required = ValueNone }

        match outcome.Required, Cluster.tryPartition outcome.Name outcome.Response.Index state with
        | ValueNone, _ -> ValueSome outcome
        | ValueSome _, None -> instead ErrorCode.UnknownTopicOrPartition
        | ValueSome required, Some partition when Cluster.highWatermark partition >= required ->
            let least = Configs.leastInSync state.Topics[outcome.Name] partition state
            if int64 partition.InSync.Length < least then
                instead ErrorCode.NotEnoughReplicasAfterAppend
            else
                ValueSome outcome
        | ValueSome _, Some _ -> ValueNone

    /// Waits for the in-sync replicas.
    let private whenReplicated (call: Call) (request: Produce.Request) (outcomes: Outcome list) (state: State) : State * Answer =
        let until = call.Now + int64 (max 0 request.TimeoutMs)

        let ready now state =
            let results = outcomes |> List.map (fun outcome -> outcome, replicated state outcome)

            if now < until && results |> List.exists (fun (_, result) -> result.IsNone) then
                ValueNone
            else
                let timedOut (outcome: Outcome) = { outcome with Response = { outcome.Response with Error = ErrorCode.RequestTimedOut } }

                let final = results |> List.map (fun (outcome, result) -> result |> ValueOption.defaultWith (fun () -> timedOut outcome))

                ValueSome(state, Reply(answer call final state))

        match ready call.Now state with
        | ValueSome answer -> answer
        | ValueNone ->
            let concerns before after =
                Waiting.isClusterChanged before after
                || outcomes |> List.exists (fun outcome -> Waiting.isPartitionChanged outcome.Name outcome.Response.Index before after)

            state, Later { Until = until; Concerns = concerns; Ready = ready }

    let private finish (call: Call) (request: Produce.Request) (outcomes: Outcome list) (state: State) : State * Answer =
        match request.Acks with
        | Acks.None when outcomes |> List.exists _.Response.Error.IsError -> state, Close
        | Acks.None -> state, Nothing
        | Acks.All -> whenReplicated call request outcomes state
        | _ -> state, Reply(answer call outcomes state)

    /// Goes through the partitions one after another, and stops at one that must wait.
    let rec private produce (call: Call) (request: Produce.Request) outcomes items (state: State) : State * Answer =
        match items with
        | [] -> finish call request (List.rev outcomes) state
        | item :: others ->
            match one call request item state with
            | ValueSome(struct (state, outcome)) -> produce call request (outcome :: outcomes) others state
            | ValueNone -> state, Later(whenAdmitted call request outcomes items)

    and private whenAdmitted call request outcomes (items: (Produce.TopicData * Produce.PartitionData) list) : Waiting =
        let ready now state =
            match one call request items.Head state with
            | ValueNone when now < call.Now + 1000L -> ValueNone
            | ValueNone ->
                let topic, data = items.Head
                let outcome =
                    { Topic = topic; Name = topic.Name; Response = failed data.Index ErrorCode.NotEnoughReplicas; Required = ValueNone }
                ValueSome(produce call request (outcome :: outcomes) items.Tail state)
            | ValueSome(struct (state, outcome)) -> ValueSome(produce call request (outcome :: outcomes) items.Tail state)

        { Until = call.Now + 1000L; Concerns = Waiting.isAnythingChanged; Ready = ready }

    /// Whether an old broker closes the connection because of the records: none, and before 2.0 also several batches or an older format.
    let private isFatal (release: Release) (version: int16) (data: Produce.PartitionData) : bool =
        match data.Records with
        | None -> true
        | Some records when version < Produce.batchesSince -> records.Length = 0
        | Some records -> records.Length = 0 || (not (release.IsAtLeast(2, 0)) && not (Batches.isSingle records))

    let handle (call: Call) (request: Produce.Request) (state: State) : State * Answer =
        let items = request.Topics |> List.collect (fun topic -> topic.Partitions |> List.map (fun data -> topic, data))

        // The last one counts if a partition is there twice.
        let distinct = items |> List.rev |> List.distinctBy (fun (topic, data) -> topic.Name, topic.TopicId, data.Index) |> List.rev

        let release = state.Settings.Release

        // The broker fails on null records. It never answers, or closes the connection before 3.0.
        if items |> List.exists (fun (_, data) -> data.Records.IsNone) then
            if release.IsAtLeast(3, 0) then state, Later Waiting.never else state, Close
        elif not (release.IsAtLeast(2, 4)) && items |> List.exists (fun (_, data) -> isFatal release call.Version data) then
            state, Close
        else
            produce call request [] distinct state
