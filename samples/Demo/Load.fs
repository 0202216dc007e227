/// The records of the demo. Each follows from its number, so nothing is kept to verify them.
module LibKafka.Demo.Load

open System
open System.Buffers.Binary
open LibKafka.Demo.Options

/// Record `number` goes to partition `number % partitions`, so partition p holds every number with remainder p.
let countIn (options: Options) (partition: int) : int = (options.Records - partition + options.Partitions - 1) / options.Partitions

/// Large loads are produced and fetched in rounds, so that brokers inside this process need not keep more than about this many bytes.
let private mostBytes = 500_000_000L

/// The places of a partition's records that belong to each round: from the first number on, up to the second.
let rounds (options: Options) : (int * int) list =
    let perPartition = countIn options 0
    let bytesOfPlace = int64 options.Partitions * int64 (options.Size + 10)
    let perRound = int (max 1L (min (int64 perPartition) (mostBytes / bytesOfPlace)))

    [ for first in 0L .. int64 perRound .. int64 (perPartition - 1) -> int first, int (min (first + int64 perRound) (int64 perPartition)) ]

/// The number of a record from its partition and its index there.
let numberOf (options: Options) (partition: int) (place: int) : int64 = int64 partition + int64 place * int64 options.Partitions

/// Fills a value with pseudorandom bytes, seeded by the record's number.
let fill (number: int64) (value: Span<byte>) =
    let mutable state = uint64 number * 0x9E3779B97F4A7C15UL + 0xD1B54A32D192ED03UL
    let mutable rest = value

    while rest.Length >= 8 do
        state <- state ^^^ (state >>> 29)
        state <- state * 0xBF58476D1CE4E5B9UL
        BinaryPrimitives.WriteUInt64LittleEndian(rest, state)
        rest <- rest.Slice 8

    for i in 0 .. rest.Length - 1 do
        rest[i] <- byte (state >>> (8 * i))
