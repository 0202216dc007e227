/// A bare socket with hand-written loops: the floor for a client.
module LibKafka.Benchmarks.EndToEnd.Bare

open System
open System.Net
open LibKafka.Benchmarks.Baseline
open LibKafka.Benchmarks.EndToEnd.Workload

let private inputs (count: int) : Input[] =
    let now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()
    Array.init count (fun index -> Input(now, null, values[index % values.Length], Array.empty))

/// The benchmark's cluster has one broker, which is the leader of every partition.
let connect (bootstrap: string) : Side =
    let broker = IPEndPoint.Parse bootstrap
    let socket = new BareClient(broker.Address.ToString(), broker.Port, 2 * fetchBytes)
    let batch = inputs batchRecords
    let one = inputs 1

    { new Side with
        member _.Produce partitions =
            for index in 0 .. batches - 1 do
                socket.Produce(produceTopic, index % partitions, ReadOnlySpan batch) |> ignore

        member _.Fetch() =
            for partition in 0 .. fetchPartitions - 1 do
                let count = socket.Fetch(fetchTopic, partition, 0L, fetchBytes)
                if count <> fetchRecords then
                    invalidOp $"{count} records in place of {fetchRecords}"

        member _.ProduceOne() = socket.Produce(singleTopic, 0, ReadOnlySpan one) |> ignore

        member _.Dispose() = socket.Dispose() }
