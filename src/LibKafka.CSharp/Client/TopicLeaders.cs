using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using LibKafka.Protocol;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>The leaders of a topic's partitions, as one broker knows them.</summary>
public sealed class TopicLeaders
{
    private readonly Client.TopicLeaders _core;

    private TopicLeaders(Client.TopicLeaders core)
    {
        _core = core;
        Partitions = [.. core.Partitions.Keys];
    }

    /// <summary>The name of the topic.</summary>
    public string Topic => _core.Topic;

    /// <summary>The id of the topic; <see cref="Guid.Empty"/> if the broker does not report it.</summary>
    public Guid TopicId => _core.TopicId;

    /// <summary>
    /// Why the topic cannot be described, such as UNKNOWN_TOPIC_OR_PARTITION; <c>ErrorCode.None</c> if it can. With an error there are no partitions.
    /// </summary>
    public ErrorCode Error => _core.Error;

    /// <summary>The number of partitions. A broker that has just heard of a new topic may leave some out of <see cref="Partitions"/>.</summary>
    public int PartitionCount => _core.PartitionCount;

    /// <summary>The partitions, in ascending order.</summary>
    public IReadOnlyList<int> Partitions { get; }

    /// <summary>Finds the leader of a partition.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="leader">The leader.</param>
    /// <param name="error">Why there is none, such as LEADER_NOT_AVAILABLE; <c>ErrorCode.None</c> if there is one.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryGetLeader(int partition, [NotNullWhen(true)] out PartitionLeader? leader, out ErrorCode error)
    {
        var found = _core.LeaderOf(partition);
        leader = found.IsOk ? PartitionLeader.Of(found.ResultValue) : null;
        error = found.IsOk ? ErrorCode.None : found.ErrorValue;
        return found.IsOk;
    }

    /// <summary>The topic, and the number of its partitions or its error code.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();

    internal static TopicLeaders Of(Client.TopicLeaders core) => new(core);
}
