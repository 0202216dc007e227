/// What the clients of an end-to-end benchmark have to do, and on which topics.
module LibKafka.Benchmarks.EndToEnd.Workload

open System

/// Bytes of a record's value. There is no key.
let valueSize = 100

/// Just under 1 MB, which is what a broker takes by default.
let batchRecords = 9_000

/// Batches in a round of producing: a million records.
let batches = 112

/// The mock brokers answer a fetch with one batch, so 4 MB at a time is a batch of 4 MB; a partition of theirs keeps no more than that.
let fetchRecords = 36_000

/// Partitions with such a batch, each of which is fetched once in a round: a million records.
let fetchPartitions = 28

/// The most that a fetch may bring.
let fetchBytes = 5 * 1024 * 1024

/// Calls in a round of producing one record at a time.
let calls = 3_000

let produceTopic = "produced"
let fetchTopic = "fetched"
let singleTopic = "single"
let connectionTopic = "connected"

/// Partitions of the topic that connections are made for.
let connectionPartitions = 1000

/// The topics and how many partitions each has.
let topics = [ produceTopic, 3; fetchTopic, fetchPartitions; singleTopic, 1; connectionTopic, connectionPartitions ]

/// Values to produce, over and over.
let values: byte[][] =
    let random = Random 1

    Array.init 1000 (fun _ ->
        let value = Array.zeroCreate<byte> valueSize
        random.NextBytes value
        value)

/// A client that does the work, connected and with nothing left to set up.
type Side =
    inherit IDisposable
    /// Produces all batches, building them included, to so many partitions in turn, each acknowledged by all replicas.
    abstract Produce: partitions: int -> unit
    /// Fetches every partition's batch, checks its checksum and looks at every record.
    abstract Fetch: unit -> unit
    /// Produces one record and waits for its acknowledgement.
    abstract ProduceOne: unit -> unit
