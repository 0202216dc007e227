/// A bare socket with hand-written frames: the floor for a client. Its checksum and its record loop are this library's, which are faster than
/// the usual ones: a floor must not be slower than what is measured.
module LibKafka.Benchmarks.EndToEnd.Bare

open System
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Client
open LibKafka.Benchmarks.Baseline
open LibKafka.Benchmarks.EndToEnd.Workload

let private readRecords (bytes: ArraySegment<byte>) =
    match RecordBatch.ofBytes (Bytes(Memory.op_Implicit (bytes.AsMemory()): ReadOnlyMemory<byte>)) with
    | Ok batch -> Ours.readBatch batch |> ignore
    | Error fault -> invalidOp (fault.ToString())

/// Connects to the only broker of a cluster, which leads every partition. Requests and responses must fit into the buffer.
let clientWithin (bufferSize: int) (bootstrap: string) : BareClient =
    match BrokerAddress.parseList bootstrap with
    | Ok [ broker ] ->
        let checksum = Checksum(fun bytes -> Crc32C.compute bytes)
        new BareClient(broker.Host, broker.Port, bufferSize, checksum, BatchReader readRecords)
    | _ -> invalidOp ("the bare client needs a cluster of one broker, not " + bootstrap)

let client (bootstrap: string) : BareClient = clientWithin (2 * fetchBytes) bootstrap

/// Reads that many records of a partition in order from its first one on.
let fetchAll (client: BareClient) (topic: string) (partition: int) (records: int) =
    let mutable offset = 0L
    let mutable left = records

    while left > 0 do
        match client.Fetch(topic, partition, &offset, fetchBytes) with
        | 0 -> invalidOp $"the last {left} records of {topic}-{partition} are missing"
        | count -> left <- left - count

let private inputs (count: int) : Input[] =
    let now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()
    Array.init count (fun index -> Input(now, null, values[index % values.Length], Array.empty))

let connect (bootstrap: string) : Side =
    let socket = client bootstrap
    let batch = inputs batchRecords
    let one = inputs 1

    let produce partitions =
        for index in 0 .. batches - 1 do
            socket.Produce(produceTopic, index % partitions, ReadOnlySpan batch) |> ignore

    { new Side with
        member _.Produce partitions = produce partitions
        member _.ProduceIdempotently() = produce 1
        member _.Fetch() = fetchAll socket (fetchTopicOf valueSize) 0 (fetchRecordsOf valueSize)
        member _.ProduceOne() = socket.Produce(singleTopic, 0, ReadOnlySpan one) |> ignore
        member _.Dispose() = socket.Dispose() }
