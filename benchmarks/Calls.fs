/// The cost of a record in the thread that produces or consumes it, without the network: encoding and decoding in this library, a Produce or
/// Consume call in Confluent.Kafka, whose own threads do the rest.
module LibKafka.Benchmarks.Calls

open System
open System.Diagnostics
open System.Threading
open Confluent.Kafka
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Tests
open LibKafka.Benchmarks.Rows
open LibKafka.Benchmarks.EndToEnd

/// Batches in a round: as much as the mock broker keeps of a partition.
let private batches = 4

let private rounds = 15
let private recordsInRound = batches * Shapes.Count

/// The shape's records in Confluent.Kafka's form, made in advance.
let private messagesOf (shape: Shapes.Shape) : Message<byte[] | null, byte[]>[] =
    shape.Inputs
    |> Array.map (fun input ->
        let headers = Headers()

        for header in input.Headers do
            headers.Add(Text.Encoding.UTF8.GetString header.Key, header.Value)

        // As callers do: a record without headers is added without an empty list of headers.
        let headers: Headers | null = if headers.Count = 0 then null else headers

        Message<byte[] | null, byte[]>(
            Key = input.Key,
            Value = input.Value,
            Timestamp = Timestamp(input.Timestamp, Confluent.Kafka.TimestampType.CreateTime),
            Headers = headers
        ))

let private perRecord (work: unit -> unit) : float =
    let clock = Stopwatch.StartNew()
    work ()
    clock.Elapsed.TotalNanoseconds / float recordsInRound

let private produceRound
    (producer: IProducer<byte[] | null, byte[]>)
    (target: TopicPartition)
    (messages: Message<byte[] | null, byte[]>[])
    : float =
    let time =
        perRecord (fun () ->
            for _ in 1..batches do
                for message in messages do
                    producer.Produce(target, message))

    // Sending is not measured.
    producer.Flush ConfluentKafka.patience |> ignore
    time

/// Everything is fetched before the clock starts.
let private consumeRound (consumer: IConsumer<byte[] | null, byte[]>) (partition: TopicPartition) : float =
    consumer.Assign(TopicPartitionOffset(partition, Offset 0L))
    let mutable size = 0

    let consume () =
        match consumer.Consume ConfluentKafka.patience with
        | null -> invalidOp "Confluent.Kafka did not get a record"
        | result -> size <- size + result.Message.Value.Length

    consume ()
    Thread.Sleep 300

    let time =
        perRecord (fun () ->
            for _ in 2..recordsInRound do
                consume ())

    consumer.Unassign()
    time

let private row name (shape: Shapes.Shape) (ours: unit -> unit) (theirs: unit -> float) : Row =
    let round _ =
        [ perRecord (fun () ->
              for _ in 1..batches do
                  ours ())
          theirs () ]

    List.init 3 round |> ignore

    match List.init rounds round |> List.transpose |> List.map median with
    | [ value; confluent ] ->
        { Name = name
          Shape = shape.Name
          Unit = "ns/record"
          Value = value
          Floor = Nullable()
          Peers = peers [ "Confluent.Kafka", confluent ]
          AllocatedPerRecord = Nullable(allocatedBy ours / float Shapes.Count) }
    | _ -> invalidOp "two sides have two times"

let private both (mock: MockCluster) (name: string) : Row list =
    let shape = Shapes.byName name
    let messages = messagesOf shape
    mock.CreateTopic("produced-" + name, 1, 1)
    mock.CreateTopic("consumed-" + name, 1, 1)
    let consumed = TopicPartition("consumed-" + name, 0)
    use producer = ConfluentKafka.bulkProducer<byte[] | null> mock.Bootstrap false
    use consumer = ConfluentKafka.consumer<byte[] | null> mock.Bootstrap "headers,timestamp"
    produceRound producer consumed messages |> ignore
    let builder = BatchBuilder BatchOptions.standard
    let batch = (Micro.encode (BatchBuilder BatchOptions.standard) shape).Copy().Bytes

    [ row "produce call" shape (fun () -> Micro.encode builder shape |> ignore) (fun () ->
          produceRound producer (TopicPartition("produced-" + name, 0)) messages)
      row "consume call" shape (fun () -> Micro.decode batch |> ignore) (fun () -> consumeRound consumer consumed) ]

/// Both calls, with every shape.
let rows () : Row list =
    use mock = MockCluster.start 1
    Shapes.names |> List.collect (both mock)
