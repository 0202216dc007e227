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

/// The most bytes that a fetch may return: four batches.
let fetchBytes = 4_000_000

/// Calls in a round of producing one record at a time.
let calls = 3_000

/// The first calls of a process, in which the JIT compiler works.
let earlyCalls = 5_000

/// Polls in a round of polling a consumer that has nothing to read.
let polls = 2_000

/// The records of a partition before a benchmark reads it: batches just under 1 MB.
type Log =
    { ValueSize: int
      BatchRecords: int
      Batches: int }

    member this.Records = this.BatchRecords * this.Batches

/// A topic that a benchmark uses. Each of its partitions has the same log.
type Topic = { Name: string; Partitions: int; Log: Log option }

let private empty name partitions = { Name = name; Partitions = partitions; Log = None }

let produceTopic = "libkafka-bench-produced"
let singleTopic = "libkafka-bench-single"
let keyedTopic = "libkafka-bench-keyed"
let connectionTopic = "libkafka-bench-connected"
let groupTopic = "libkafka-bench-grouped"

/// Partitions of the topics that are produced to or consumed as a whole.
let topicPartitions = 48

/// Partitions of the topic that connections are made for.
let connectionPartitions = 1000

/// A topic with one partition, which is fetched from in order. A round reads all of its log but the last 16 batches, so that fetches ahead always find
/// records.
let fetchLog (size: int) : Log =
    { ValueSize = size; BatchRecords = (if size = valueSize then batchRecords else 990); Batches = batches + 16 }

let fetchTopicOf (size: int) = "libkafka-bench-fetched-" + string size

/// Records in a round of fetching: a million of 100 bytes, a tenth of that of 1,000 bytes.
let fetchRecordsOf (size: int) = batches * (fetchLog size).BatchRecords

/// 5 million records of 100 bytes in all partitions together.
let groupLog = { ValueSize = valueSize; BatchRecords = 8_013; Batches = 13 }

let groupRecords = topicPartitions * groupLog.Records

let produced = empty produceTopic 3
let single = empty singleTopic 1
let keyed = empty keyedTopic topicPartitions
let connected = empty connectionTopic connectionPartitions
let grouped = { Name = groupTopic; Partitions = topicPartitions; Log = Some groupLog }
let fetched size = { Name = fetchTopicOf size; Partitions = 1; Log = Some(fetchLog size) }

let private randomValues (size: int) : byte[][] =
    let random = Random 1

    Array.init 1000 (fun _ ->
        let value = Array.zeroCreate<byte> size
        random.NextBytes value
        value)

/// The values to produce, used again and again.
let values: byte[][] = randomValues valueSize

let largeValues: byte[][] = randomValues largeValueSize

let valuesOf (size: int) = if size = valueSize then values else largeValues

/// A connected client that does the work.
type Side =
    inherit IDisposable
    /// Builds and produces all batches, to that many partitions in turn, each acknowledged by all replicas.
    abstract Produce: partitions: int -> unit
    /// The same to one partition by an idempotent producer.
    abstract ProduceIdempotently: unit -> unit
    /// Reads a round of 100-byte records in order, one fetch after another, verifies the checksums and reads every record.
    abstract Fetch: unit -> unit
    /// Produces one record and waits for its acknowledgement.
    abstract ProduceOne: unit -> unit
