using System;
using LibKafka.Records;

namespace LibKafka;

/// <summary>
/// Which partition a record with a key belongs in, so that all records of one key stand in one log, whoever produces them.
/// </summary>
public static class KafkaPartitioner
{
    /// <summary>The 32-bit MurmurHash2 of the bytes, with the seed of Kafka's Java client.</summary>
    /// <param name="key">The bytes.</param>
    /// <returns>The hash.</returns>
    public static int Murmur2(ReadOnlySpan<byte> key) => Partitioner.murmur2(key);

    /// <summary>
    /// The partition that the Java client's default partitioner gives to records with this key. It stays the same only while the topic
    /// keeps its number of partitions.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="partitions">How many partitions the topic has.</param>
    /// <returns>The number of the partition, from 0.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The topic has no partition.</exception>
    public static int PartitionOf(ReadOnlySpan<byte> key, int partitions) => Partitioner.ofKey(partitions, key);
}
