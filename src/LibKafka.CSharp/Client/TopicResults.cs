using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>What became of topics that were to be created or deleted, each by itself.</summary>
public sealed class TopicResults
{
    private TopicResults(IReadOnlyList<TopicResult> topics, int throttleTimeMs, ExchangeInfo exchange)
    {
        Topics = topics;
        ThrottleTime = TimeSpan.FromMilliseconds(throttleTimeMs);
        Exchange = exchange;
    }

    /// <summary>One result for each topic.</summary>
    public IReadOnlyList<TopicResult> Topics { get; }

    /// <summary>How long the client is asked to pause because it exceeded a quota; zero where it did not.</summary>
    public TimeSpan ThrottleTime { get; }

    /// <summary>The call that did it.</summary>
    public ExchangeInfo Exchange { get; }

    /// <summary>Throws where one of the topics has an error. The others may have been created or deleted all the same.</summary>
    /// <returns>The results themselves.</returns>
    /// <exception cref="KafkaException">There is an error: <see cref="KafkaException.ErrorCode"/> has the first one.</exception>
    public TopicResults ThrowIfError()
    {
        foreach (var topic in Topics)
        {
            Interop.ThrowIfError(topic.Error, topic.ErrorMessage, Exchange, $"topic {topic.Name}");
        }

        return this;
    }

    internal static TopicResults Of(CreateTopics.Response response, ExchangeInfo exchange) =>
        new([.. response.Topics.Select(TopicResult.Of)], response.ThrottleTimeMs, exchange);

    internal static TopicResults Of(DeleteTopics.Response response, ExchangeInfo exchange) =>
        new([.. response.Topics.Select(TopicResult.Of)], response.ThrottleTimeMs, exchange);
}

/// <summary>What became of one topic.</summary>
public sealed record TopicResult
{
    /// <summary>The name of the topic; null where the broker does not tell.</summary>
    public required string? Name { get; init; }

    /// <summary>The id of the topic; <see cref="Guid.Empty"/> where it is not told.</summary>
    public Guid TopicId { get; init; }

    /// <summary>What went wrong, such as TOPIC_ALREADY_EXISTS; <c>ErrorCode.None</c> where all is well.</summary>
    public ErrorCode Error { get; init; }

    /// <summary>What the broker says of the error; null where it says nothing.</summary>
    public string? ErrorMessage { get; init; }

    /// <summary>How many partitions a new topic has; -1 where it is not told.</summary>
    public int Partitions { get; init; } = -1;

    /// <summary>How many brokers keep each partition of a new topic; -1 where it is not told.</summary>
    public short ReplicationFactor { get; init; } = -1;

    internal static TopicResult Of(CreateTopics.TopicResult core) =>
        new()
        {
            Name = core.Name,
            TopicId = core.TopicId,
            Error = core.Error,
            ErrorMessage = core.ErrorMessage.OrNull(),
            Partitions = core.NumPartitions,
            ReplicationFactor = core.ReplicationFactor,
        };

    internal static TopicResult Of(DeleteTopics.TopicResult core) =>
        new()
        {
            Name = core.Name.OrNull(),
            TopicId = core.TopicId,
            Error = core.Error,
            ErrorMessage = core.ErrorMessage.OrNull(),
        };
}
