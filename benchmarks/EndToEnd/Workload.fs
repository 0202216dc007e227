/// The work of the clients in an end-to-end benchmark, and the topics they use.
module LibKafka.Benchmarks.EndToEnd.Workload

open System

/// Bytes of a record's value. There is no key.
let valueSize = 100

/// Bytes of a large record's value.
let largeValueSize = 1000

/// Just under 1 MB, a broker's default limit for a batch.
let batchRecords = 9_000

/// Batches in a round of producing: a million records.
let batches = 112

/// The mock brokers return one batch a fetch, so 4 MB a fetch is a batch of 4 MB. They keep no more than that of a partition.
let fetchRecords = 36_000

/// Partitions with such a batch. Each is fetched once in a round: a million records.
let fetchPartitions = 28

/// The most bytes that a fetch may return.
let fetchBytes = 5 * 1024 * 1024

/// Calls in a round of producing one record at a time.
let calls = 3_000

/// The first calls of a process, in which the JIT compiler works.
let earlyCalls = 5_000

/// Polls in a round of polling a consumer that has nothing to read.
let polls = 2_000

let produceTopic = "produced"
let fetchTopic = "fetched"
let largeFetchTopic = "fetched-large"
let singleTopic = "single"
let connectionTopic = "connected"

/// Partitions of the topic that connections are made for.
let connectionPartitions = 1000

/// The topics and their numbers of partitions.
let topics =
    [ produceTopic, 3
      fetchTopic, fetchPartitions
      largeFetchTopic, fetchPartitions
      singleTopic, 1
      connectionTopic, connectionPartitions
      "keyed", 48 ]

/// The topic to fetch records of this size from, and the number of records in a batch of 4 MB.
let fetchTopicOf (size: int) = if size = valueSize then fetchTopic else largeFetchTopic

let fetchRecordsOf (size: int) = if size = valueSize then fetchRecords else 3_800

let private randomValues (size: int) : byte[][] =
    let random = Random 1

    Array.init 1000 (fun _ ->
        let value = Array.zeroCreate<byte> size
        random.NextBytes value
        value)

/// The values to produce, used again and again.
let values: byte[][] = randomValues valueSize

let largeValues: byte[][] = randomValues largeValueSize

/// A connected client that does the work.
type Side =
    inherit IDisposable
    /// Builds and produces all batches, to that many partitions in turn, each acknowledged by all replicas.
    abstract Produce: partitions: int -> unit
    /// Fetches every partition's batch, verifies its checksum and reads every record.
    abstract Fetch: unit -> unit
    /// Produces one record and waits for its acknowledgement.
    abstract ProduceOne: unit -> unit
