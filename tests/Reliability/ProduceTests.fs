/// Invariant 2: every produce is acknowledged, rejected or unknown. What is acknowledged is in the log at its offset with identical bytes,
/// and what is rejected is not in the log.
module LibKafka.Reliability.ProduceTests

open System
open System.Collections.Generic
open Expecto
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Reliability.Support

/// Everything after the base offset, the length and the leader epoch, which brokers set.
let private content (batch: RecordBatch) : byte[] = batch.Bytes.ToArray() |> Array.skip 16

/// The codes that a broker gives without having appended the batch.
let private refusals: ErrorCode list =
    [ for code, meaning in ProduceError.table do
          match meaning with
          | ProduceErrorMeaning.Rejected
          | ProduceErrorMeaning.RejectedUnlessAppended
          | ProduceErrorMeaning.Unknown -> code
          | _ -> () ]

/// The codes that a broker gives when it may have appended the batch.
let private doubts: ErrorCode list =
    [ for code, meaning in ProduceError.table do
          if meaning = ProduceErrorMeaning.Unknown then code ]

/// What is known of the batches that were sent.
type private Ledger() =
    member val Acknowledged = List<RecordBatch * int64>()
    member val Rejected = List<RecordBatch>()
    member val Unknown = List<RecordBatch>()

    member this.Note(produced: Produced) =
        match produced.Result with
        | ProduceResult.Acknowledged at -> this.Acknowledged.Add((produced.Batch, at.BaseOffset))
        | ProduceResult.Rejected _ -> this.Rejected.Add produced.Batch
        | ProduceResult.Unknown _ -> this.Unknown.Add produced.Batch

    member this.Agrees(kafka: TestBroker, topic: string, partition: int) =
        let log = batchesOf kafka topic partition
        let byOffset = Map.ofList [ for batch in log -> batch.BaseOffset, content batch ]
        let values = log |> List.collect (valuesIn >> List.map snd)
        let counts = values |> List.countBy id |> Map.ofList
        let valueOf (batch: RecordBatch) = valuesIn batch |> List.head |> snd

        for batch, offset in this.Acknowledged do
            match byOffset.TryFind offset with
            | Some found -> Expect.equal found (content batch) $"the bytes at offset {offset} (seed {seed})"
            | None -> failtestf "an acknowledged batch is not in the log at offset %d (seed %d)" offset seed

            Expect.equal counts[valueOf batch] 1 $"an acknowledged batch is in the log once (seed {seed})"

        for batch in this.Rejected do
            Expect.isFalse (counts.ContainsKey(valueOf batch)) $"a rejected batch is not in the log (seed {seed})"

        for batch in this.Unknown do
            Expect.isLessThanOrEqual
                (counts.GetValueOrDefault(valueOf batch, 0))
                1
                $"an unknown batch is in the log at most once (seed {seed})"

        Figures.add "2. batches acknowledged and found in the log" this.Acknowledged.Count
        Figures.add "2. batches rejected" this.Rejected.Count
        Figures.add "2. batches with an unknown result" this.Unknown.Count

let private reaction (random: Random) (exchange: BrokerExchange) : Reaction =
    let pick (from: 'T list) = from[random.Next from.Length]

    match random.Next 5 with
    | 0 -> snd (pick (Broken.reactions random exchange.Header.CorrelationId))
    | 1 -> Reaction.Fail(pick refusals)
    | 2 -> Reaction.FailAfterwards(pick doubts)
    | 3 -> Reaction.Delay(ms (random.Next 30))
    | _ -> Reaction.Proceed

let private run (brokers: int) (batches: int) (seed: int) =
    use kafka = TestBroker.Start brokers
    kafka.Topic("t", 1, brokers)
    let random = Random seed
    let faults = Faults(kafka, [ "t" ], random.Next())
    let hasty = { impatient with CallTimeout = ms 60 }
    use client = new PartitionClient(hasty, bootstrap kafka, { Topic = "t"; Partition = 0 })
    let producer = new PartitionProducer(client, ProducerSettings.standard)
    let ledger = Ledger()

    for number in 1..batches do
        // Whatever the reaction, the result is one of the three.
        if random.Next 2 = 0 then
            kafka.Script.On(RequestFilter(Api = Nullable ApiKey.Produce), Func<_, _>(reaction random)) |> ignore
        elif random.Next 4 = 0 then
            faults.Strike()

        let values = [ for index in 0 .. random.Next 3 -> $"{number}-{index}" ]
        ledger.Note(producer.Produce(batchOf values))
        if random.Next 10 = 0 then faults.Calm()

    faults.Calm()
    ledger.Agrees(kafka, "t", 0)
    Figures.add "2. faults" faults.Count
    demandSound kafka

[<Tests>]
let tests =
    testList
        "2 results of produce"
        [ for brokers in [ 1; 3 ] do
              testCase $"what is acknowledged is in the log with its bytes, and what is rejected is not: {brokers} brokers" (fun () ->
                  for round in 1 .. (if isLong then 40 else 2) do
                      run brokers (if isLong then 300 else 100) (seed + round)) ]
