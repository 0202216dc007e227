namespace LibKafka.Integration

open System
open System.Collections.Generic
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client

/// What a leader does with one fetch instead of answering it.
[<RequireQualifiedAccess>]
type Disturbance =
    /// Closes the connection.
    | Cut
    /// Never answers.
    | Lose
    /// Sends the first half of its answer, and nothing more.
    | Halve
    /// Sends its answer in two halves, with a pause between them.
    | Interrupt of milliseconds: int
    /// Answers without topics, and asks for a pause.
    | Throttle of milliseconds: int
    /// Answers with an error code.
    | Refuse of ErrorCode

/// A partition's log, as a test fills it and a fetch reads it.
type private Log =
    { mutable Batches: RecordBatch list
      mutable Damaged: Set<int64>
      mutable Start: int64
      mutable End: int64
      mutable Epoch: int
      mutable Leader: int
      mutable Epochs: (int * int64) list
      Disturbances: Queue<Disturbance> }

/// Two brokers that share the logs of one topic. A fetch of an empty rest is a long poll. Leaders move between the brokers, logs are truncated
/// by elections, and batches are damaged.
[<Sealed>]
type ConsumerCluster(partitions: int, topicId: Guid) =
    let gate = obj ()
    let mutable topicId = topicId

    let newLog () =
        { Batches = []
          Damaged = Set.empty
          Start = 0L
          End = 0L
          Epoch = 1
          Leader = 1
          Epochs = [ 1, 0L ]
          Disturbances = Queue() }

    let logs = Array.init partitions (fun _ -> newLog ())
    let mutable addresses: BrokerAddress[] = [||]
    let mutable others: BrokerAddress -> Received -> Act list = fun _ -> Script.unexpected
    let mutable versions = Script.everything

    let change (partition: int) (work: Log -> 'T) : 'T =
        lock gate (fun () ->
            let result = work logs[partition]
            Monitor.PulseAll gate
            result)

    let nodeOf (address: BrokerAddress) = 1 + Array.IndexOf(addresses, address)

    let endpoints () : NodeEndpoint list =
        [ for index, address in Array.indexed addresses -> { NodeId = index + 1; Host = address.Host; Port = address.Port; Rack = None } ]

    let metadata () : Metadata.Response =
        let partition (index: int) : Metadata.Partition =
            let log = logs[index]

            { Metadata.partition.Default with
                PartitionIndex = index
                LeaderId = log.Leader
                LeaderEpoch = log.Epoch
                ReplicaNodes = [ 1; 2 ]
                IsrNodes = [ 1; 2 ] }

        let topic = { Script.topic "t" topicId with Partitions = List.init partitions partition }
        let response = Script.metadata addresses[0] [ topic ]
        let broker (node: NodeEndpoint) = { Metadata.broker.Default with NodeId = node.NodeId; Host = node.Host; Port = node.Port }
        { response with Brokers = endpoints () |> List.map broker }

    let bytesOf (log: Log) (batch: RecordBatch) : byte[] =
        let bytes = batch.Bytes.ToArray()

        if log.Damaged.Contains batch.BaseOffset then
            bytes[bytes.Length - 1] <- bytes[bytes.Length - 1] ^^^ 1uy

        bytes

    // Where an epoch ends in the log: the largest epoch up to it, and the offset at which the next one begins.
    let endOf (log: Log) (epoch: int) : Fetch.EpochEndOffset =
        let known = log.Epochs |> List.map fst |> List.filter (fun known -> known <= epoch) |> List.fold max -1

        match log.Epochs |> List.filter (fun (later, _) -> later > known) |> List.sort with
        | (_, start) :: _ -> { Epoch = known; EndOffset = start }
        | [] -> { Epoch = known; EndOffset = log.End }

    let answer (node: int) (asked: Fetch.PartitionRequest) : Fetch.PartitionResponse =
        let log = logs[asked.Partition]

        let empty =
            { Fetch.partitionResponse.Default with
                PartitionIndex = asked.Partition
                HighWatermark = log.End
                LogStartOffset = log.Start
                Records = Some Bytes.empty }

        let diverging = if asked.LastFetchedEpoch < 0 then endOf log Int32.MaxValue else endOf log asked.LastFetchedEpoch

        if log.Leader <> node then
            { empty with
                Error = ErrorCode.NotLeaderOrFollower
                HighWatermark = -1L
                CurrentLeader = { LeaderId = log.Leader; LeaderEpoch = log.Epoch } }
        elif asked.CurrentLeaderEpoch >= 0 && asked.CurrentLeaderEpoch < log.Epoch then
            { empty with Error = ErrorCode.FencedLeaderEpoch; HighWatermark = -1L }
        elif asked.LastFetchedEpoch >= 0 && (diverging.Epoch < asked.LastFetchedEpoch || diverging.EndOffset < asked.FetchOffset) then
            { empty with DivergingEpoch = diverging }
        elif asked.FetchOffset < log.Start || asked.FetchOffset > log.End then
            { empty with Error = ErrorCode.OffsetOutOfRange; HighWatermark = -1L; LogStartOffset = -1L }
        else
            let rest = log.Batches |> List.filter (fun batch -> batch.LastOffset >= asked.FetchOffset)
            let most = rest |> List.tryHead |> Option.map _.SizeInBytes |> Option.defaultValue 0 |> max asked.PartitionMaxBytes
            let bytes = rest |> List.map (bytesOf log) |> Array.concat |> Array.truncate most
            { empty with Records = Some(Bytes bytes) }

    // Waits for records as a broker does.
    let await (log: Log) (offset: int64) (wait: int) =
        let until = DateTime.UtcNow.AddMilliseconds(float wait)
        let left () = until - DateTime.UtcNow

        while log.Leader > 0 && log.End <= offset && log.Disturbances.Count = 0 && left () > TimeSpan.Zero do
            Monitor.Wait(gate, max TimeSpan.Zero (left ())) |> ignore

    // An answer in two halves.
    let halves (acts: Act list) : Act list =
        acts
        |> List.collect (fun act ->
            match act with
            | Act.Send bytes ->
                let middle = bytes.Length / 2
                [ Act.Send(Array.take middle bytes); Act.Send(Array.skip middle bytes) ]
            | other -> [ other ])

    let fetch (node: int) (received: Received) (request: Fetch.Request) : Act list =
        let topic = request.Topics.Head
        let asked = topic.Partitions.Head
        let log = logs[asked.Partition]
        let respond response = Script.answer Fetch.api received response

        let responding (answer: Fetch.PartitionResponse) =
            respond
                { Fetch.response.Default with
                    Topics = [ { Topic = topic.Topic; TopicId = topic.TopicId; Partitions = [ answer ] } ]
                    NodeEndpoints = endpoints () }

        lock gate (fun () ->
            if log.Leader = node && log.End = asked.FetchOffset then
                await log asked.FetchOffset request.MaxWaitMs
            let isDisturbed, disturbance = log.Disturbances.TryDequeue()

            let refused (code: ErrorCode) =
                responding { Fetch.partitionResponse.Default with PartitionIndex = asked.Partition; Error = code; HighWatermark = -1L }

            if isDisturbed then
                match disturbance with
                | Disturbance.Cut -> [ Act.Close ]
                | Disturbance.Lose -> []
                | Disturbance.Halve -> halves (responding (answer node asked)) |> List.truncate 1
                | Disturbance.Interrupt time ->
                    match halves (responding (answer node asked)) with
                    | [ first; second ] -> [ first; Act.Do(fun () -> Thread.Sleep time); second ]
                    | other -> other
                | Disturbance.Throttle time -> respond { Fetch.response.Default with ThrottleTimeMs = time }
                | Disturbance.Refuse code -> refused code
            elif topic.TopicId <> Guid.Empty && topic.TopicId <> topicId then
                refused ErrorCode.UnknownTopicId
            else
                responding (answer node asked))

    let find (received: Received) (request: ListOffsets.Request) : Act list =
        lock gate (fun () ->
            let asked = request.Topics.Head.Partitions.Head
            let log = logs[asked.PartitionIndex]
            let offset = if asked.Spec = OffsetSpec.Earliest then log.Start else log.End
            Script.answer ListOffsets.api received (Script.found offset request))

    let script (me: BrokerAddress) (received: Received) : Act list =
        match received.Request with
        | Request.ApiVersions _ -> Script.answer ApiVersions.api received (Script.versionsResponse ErrorCode.None versions)
        | Request.Metadata _ -> Script.answer Metadata.api received (lock gate metadata)
        | Request.Fetch request -> fetch (nodeOf me) received request
        | Request.ListOffsets request -> find received request
        | _ -> others me received

    let brokers = [| for _ in 1..2 -> new ScriptedBroker(script) |]
    do addresses <- brokers |> Array.map _.Address

    // A record's value says which partition, offset and epoch it is of.
    static member private Value(partition: int, offset: int64, epoch: int) = $"{partition}/{offset}/{epoch}"

    new(partitions) = new ConsumerCluster(partitions, Guid "11111111-2222-3333-4444-555555555555")

    /// The addresses of both brokers.
    member _.Bootstrap = Bootstrap.ofAddresses (List.ofArray addresses)

    /// Answers the requests that are not about logs, of these APIs.
    member _.AnswerOthers(apis: ApiVersions.ApiVersion list, answer: BrokerAddress -> Received -> Act list) =
        versions <- Script.everythingBut apis
        others <- answer

    /// The brokers.
    member _.Brokers = brokers

    member _.Partition(index: int) : TopicPartition = { Topic = "t"; Partition = index }

    /// Appends a batch with this number of records, each with a value of at least `size` bytes.
    member _.Append(partition: int, count: int, ?size: int) =
        change partition (fun log ->
            let value offset = (ConsumerCluster.Value(partition, offset, log.Epoch) + "/").PadRight(defaultArg size 0, 'x')

            let record offset : RecordData =
                { Offset = offset; Timestamp = 0L; Key = ValueNone; Value = ValueSome(Bytes.ofString (value offset)); Headers = [] }

            let options = { BatchOptions.standard with BaseOffset = log.End; PartitionLeaderEpoch = log.Epoch }

            match BatchBuilder.build options [ for offset in log.End .. log.End + int64 count - 1L -> record offset ] with
            | Ok batch ->
                log.Batches <- log.Batches @ [ batch ]
                log.End <- batch.NextOffset
            | Error fault -> failtestf "%O" fault)

    /// The records of the log, by offset, without those of damaged batches.
    member _.Records(partition: int) : (int64 * string) list =
        change partition (fun log ->
            [ for batch in log.Batches do
                  if not (log.Damaged.Contains batch.BaseOffset) then
                      for record in Support.ok (RecordBatch.toList Reading.standard batch) do
                          record.Offset, (record.Value |> ValueOption.map Bytes.toText |> ValueOption.defaultValue "") ])

    /// The offset after the last record.
    member _.End(partition: int) = change partition _.End

    /// The epoch of the last record; -1 if there is none.
    member _.LastEpoch(partition: int) =
        change partition (fun log -> log.Batches |> List.tryLast |> Option.map _.PartitionLeaderEpoch |> Option.defaultValue -1)

    /// Disturbs the next fetch of a partition.
    member _.Disturb(partition: int, disturbance: Disturbance) = change partition (fun log -> log.Disturbances.Enqueue disturbance)

    /// Makes the other broker the leader, in a new epoch.
    member _.MoveLeader(partition: int) =
        change partition (fun log ->
            log.Leader <- 3 - log.Leader
            log.Epoch <- log.Epoch + 1
            log.Epochs <- (log.Epoch, log.End) :: log.Epochs)

    /// An election that loses the last batches: all but this number of them remain.
    member _.Truncate(partition: int, remaining: int) =
        change partition (fun log ->
            log.Batches <- List.truncate remaining log.Batches
            log.End <- log.Batches |> List.tryLast |> Option.map _.NextOffset |> Option.defaultValue log.Start
            log.Damaged <- log.Damaged |> Set.filter (fun offset -> offset < log.End)
            log.Leader <- 3 - log.Leader
            log.Epoch <- log.Epoch + 1
            log.Epochs <- (log.Epoch, log.End) :: List.filter (fun (_, start) -> start < log.End || start = 0L) log.Epochs)

    /// Damages the batch that contains an offset; the offset after it.
    member _.Damage(partition: int, offset: int64) : int64 option =
        change partition (fun log ->
            log.Batches
            |> List.tryFind (fun batch -> batch.BaseOffset <= offset && offset <= batch.LastOffset)
            |> Option.map (fun batch ->
                log.Damaged <- log.Damaged.Add batch.BaseOffset
                batch.NextOffset))

    /// Whether an offset is in a damaged batch.
    member _.IsDamaged(partition: int, offset: int64) : bool =
        change partition (fun log ->
            log.Batches
            |> List.exists (fun batch -> batch.BaseOffset <= offset && offset <= batch.LastOffset && log.Damaged.Contains batch.BaseOffset))

    /// The offset after the batch that contains an offset.
    member _.NextBatch(partition: int, offset: int64) : int64 =
        change partition (fun log -> log.Batches |> List.find (fun batch -> batch.LastOffset >= offset) |> _.NextOffset)

    /// Deletes the batches before the one that contains an offset.
    member _.DeleteBefore(partition: int, offset: int64) =
        change partition (fun log ->
            log.Batches <- log.Batches |> List.filter (fun batch -> batch.LastOffset >= offset)
            log.Start <- log.Batches |> List.tryHead |> Option.map _.BaseOffset |> Option.defaultValue log.End)

    /// Deletes the topic and creates it again, with empty logs.
    member _.Recreate(id: Guid) =
        lock gate (fun () ->
            topicId <- id

            for index in 0 .. partitions - 1 do
                logs[index] <- newLog ()

            Monitor.PulseAll gate)

    interface IDisposable with
        member _.Dispose() =
            lock gate (fun () ->
                for log in logs do
                    log.Leader <- 0

                Monitor.PulseAll gate)

            for broker in brokers do
                (broker :> IDisposable).Dispose()
