using System;
using System.Collections.Generic;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>What became of one partition, or of its offset.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Error">What went wrong; <c>ErrorCode.None</c> where all is well.</param>
public readonly record struct PartitionResult(TopicPartition Partition, ErrorCode Error);

/// <summary>What became of several partitions, or of their offsets, each by itself.</summary>
public sealed class PartitionResults
{
    internal PartitionResults(IReadOnlyList<PartitionResult> partitions, ExchangeInfo exchange)
    {
        Partitions = partitions;
        Exchange = exchange;
    }

    /// <summary>One result for each partition that was asked about, in that order.</summary>
    public IReadOnlyList<PartitionResult> Partitions { get; }

    /// <summary>How long the client is asked to pause because it exceeded a quota; zero where it did not.</summary>
    public TimeSpan ThrottleTime => Exchange.ThrottleTime;

    /// <summary>The call.</summary>
    public ExchangeInfo Exchange { get; }

    /// <summary>Throws where one of the partitions has an error. The others may be done all the same.</summary>
    /// <returns>The results themselves.</returns>
    /// <exception cref="KafkaException">There is an error: <see cref="KafkaException.ErrorCode"/> has the first one.</exception>
    public PartitionResults ThrowIfError()
    {
        foreach (var (partition, error) in Partitions)
        {
            Interop.ThrowIfError(error, null, Exchange, partition.ToString());
        }

        return this;
    }
}
