using System;
using LibKafka.Records;

namespace LibKafka;

/// <summary>
/// Chooses the partition of a record by its key as the Java client does, so that all clients write records with the same key to the same
/// partition.
/// </summary>
public static class KafkaPartitioner
{
    /// <summary>The 32-bit MurmurHash2 of the bytes, with the seed of Kafka's Java client.</summary>
    /// <param name="key">The bytes.</param>
    /// <returns>The hash.</returns>
    public static int Murmur2(ReadOnlySpan<byte> key) => Partitioner.murmur2(key);

    /// <summary>
    /// The partition that the Java client's default partitioner chooses for records with this key. It changes when the number of partitions
    /// changes.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="partitions">The number of partitions of the topic.</param>
    /// <returns>The partition, from 0.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number of partitions is not positive.</exception>
    public static int PartitionOf(ReadOnlySpan<byte> key, int partitions) => Partitioner.ofKey(partitions, key);
}
