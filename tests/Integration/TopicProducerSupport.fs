/// Helpers of the tests of a topic producer: what was added, what is in the logs, and brokers that fail.
module LibKafka.Integration.TopicProducerSupport

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Integration.Support

let minute = TimeSpan.FromMinutes 1.0

/// Retries soon, and often enough.
let eager: TopicProducerSettings =
    let standard = TopicProducerSettings.standard

    { standard with
        Batches = { standard.Batches with MaxBatchBytes = 400; MaxBufferedBytes = 4_000L; Linger = ms 1 }
        Retry = { standard.Retry with FirstDelay = ms 2; MaxDelay = ms 5 } }

let openWith settings (cluster: TopicCluster) (producing: TopicProducerSettings) : TopicProducer =
    TopicProducer.Open(settings, cluster.Bootstrap, "t", producing) |> ok

/// A cluster that does not disturb, unless `disturb` says so, and a producer.
let producingWith settings producing partitions disturb (test: TopicCluster -> TopicProducer -> unit) =
    use cluster = new TopicCluster("t", partitions, 2, disturb)
    use producer = openWith settings cluster producing
    test cluster producer
    Expect.isEmpty cluster.Failures "every request could be read"

let producing partitions disturb test = producingWith patient eager partitions disturb test

let calm (_: int) (_: Received) (answer: unit -> Act list) : Act list = answer ()

/// What was added, by ticket.
type Book() =
    let tickets = Dictionary<Ticket, string>()
    let events = List<ProducerEvent>()

    member _.Events = events

    member _.Take(some: ProducerEvent list) = events.AddRange some

    /// Adds a record, and polls while the buffer is full.
    member this.Add(producer: TopicProducer, key: Bytes voption, value: Bytes) =
        let mutable added = producer.Add(key, value)

        while added.IsFull do
            this.Take(producer.Poll minute)
            added <- producer.Add(key, value)

        match added with
        | Added.Collected ticket -> tickets.Add(ticket, Bytes.toText value)
        | other -> failtest (other.ToString())

    member this.Add(producer: TopicProducer, key: string, value: string) =
        this.Add(producer, ValueSome(Bytes.ofString key), Bytes.ofString value)

    member _.Tickets = tickets

    member _.Delivered =
        [ for event in events do
              match event with
              | ProducerEvent.Delivered delivered -> delivered
              | _ -> () ]

    member _.Undelivered =
        [ for event in events do
              match event with
              | ProducerEvent.Undelivered undelivered -> undelivered
              | _ -> () ]

    member _.Changes =
        [ for event in events do
              match event with
              | ProducerEvent.IdentityChanged change -> change
              | _ -> () ]

/// The values of a partition's log with their offsets.
let logOf (cluster: TopicCluster) (partition: int) : (int64 * string) list =
    [ for batch in cluster.Log.Batches("t", partition) do
          for record in RecordBatch.toList (Reading.withCodecs LibKafka.Compression.AllCodecs.Set) batch |> ok do
              record.Offset, (record.Value |> ValueOption.map Bytes.toText |> ValueOption.defaultValue "null") ]

/// Every record of a delivered batch is in the log once, where its ticket says; every other one is in no log, unless it may be. The order in which
/// records were added is kept in each partition.
let agree (cluster: TopicCluster) (book: Book) =
    let batches = [ for ticket in book.Tickets.Keys -> ticket.Batch ] |> List.distinct |> List.sort
    let reported = [ for d in book.Delivered -> d.Batch ] @ [ for u in book.Undelivered -> u.Batch ]
    Expect.equal (List.sort reported) batches "each batch is reported once"

    let logs = [ for partition in 0..99 -> logOf cluster partition ]
    let byBatch = book.Delivered |> List.map (fun delivered -> delivered.Batch, delivered) |> Map.ofList

    for entry in book.Tickets do
        match byBatch.TryFind entry.Key.Batch with
        | Some delivered when delivered.BaseOffset >= 0L ->
            let offset = delivered.OffsetOf entry.Key
            Expect.contains logs[delivered.Partition.Partition] (offset, entry.Value) "the record is at its place"
        | _ -> ()

    let certain =
        set
            [ for entry in book.Tickets do
                  if byBatch.ContainsKey entry.Key.Batch then entry.Value ]
    let doubtful =
        set
            [ for u in book.Undelivered do
                  if u.MayBeInLog then u.Batch ]
    let inLog =
        [ for log in logs do
              yield! List.map snd log ]
    Expect.equal (inLog |> List.filter certain.Contains |> List.length) certain.Count "delivered records are in the log once"

    for entry in book.Tickets do
        if not (byBatch.ContainsKey entry.Key.Batch || doubtful.Contains entry.Key.Batch) then
            Expect.isFalse (List.contains entry.Value inLog) "an undelivered record is in no log"

/// Values are numbers, so that their order can be checked.
let inOrder (cluster: TopicCluster) =
    for partition in 0..99 do
        let values = logOf cluster partition |> List.map (snd >> int)
        Expect.equal values (List.sort values) ("the order in partition " + string partition)

/// Adds numbers under some keys.
let addAll (book: Book) (producer: TopicProducer) (values: int seq) =
    for value in values do
        book.Add(producer, "key" + string (value % 17), string value)

let isProduce (received: Received) = received.Header.ApiKey = ApiKey.Produce

let partitionIn (received: Received) : int =
    match received.Request with
    | Request.Produce request -> request.Topics[0].Partitions[0].Index
    | _ -> -1

/// What a broker does instead of just answering.
type Disturbance = Received -> (unit -> Act list) -> Act list

/// Disturbs the requests with these numbers among all to produce, from 1.
let onProduce (numbers: int list) (act: Disturbance) : int -> Received -> (unit -> Act list) -> Act list =
    let mutable count = 0
    let isNext () = List.contains (Interlocked.Increment &count) numbers
    fun _ received answer -> if isProduce received && isNext () then act received answer else answer ()

/// Disturbs all requests to produce to a partition.
let onPartition (partition: int) (act: Disturbance) : int -> Received -> (unit -> Act list) -> Act list =
    fun _ received answer -> if partitionIn received = partition then act received answer else answer ()

/// Appends the batch, and ends the connection without an answer.
let losing (act: Act) : Disturbance =
    fun _ answer ->
        answer () |> ignore
        [ act ]

/// Answers with another response.
let answering (change: Produce.PartitionResponse -> Produce.PartitionResponse) (received: Received) : Act list =
    match received.Request with
    | Request.Produce request -> Script.answer Produce.api received (Script.produced change request)
    | _ -> Script.unexpected received

/// Refuses the batch, and does not append it.
let refusing (code: ErrorCode) : Disturbance =
    fun received _ -> answering (fun answer -> { answer with Error = code; BaseOffset = -1L }) received

/// Appends the batch, and answers with an error.
let doubting (code: ErrorCode) : Disturbance =
    fun received answer ->
        answer () |> ignore
        refusing code received answer
