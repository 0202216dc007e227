using System;
using System.Collections.Generic;
using Microsoft.FSharp.Collections;

namespace LibKafka;

/// <summary>A topic to create.</summary>
public sealed record NewTopic
{
    // It is compared by content, and does not change.
    private readonly FSharpMap<string, string> _configs = new([]);

    /// <summary>A topic with the broker's defaults.</summary>
    /// <param name="name">The name of the topic.</param>
    public NewTopic(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
    }

    /// <summary>A topic with a number of partitions and copies.</summary>
    /// <param name="name">The name of the topic.</param>
    /// <param name="partitions">How many partitions it gets; -1 for the broker's default.</param>
    /// <param name="replicationFactor">How many brokers keep each partition; -1 for the broker's default.</param>
    public NewTopic(string name, int partitions, short replicationFactor = -1)
        : this(name)
    {
        Partitions = partitions;
        ReplicationFactor = replicationFactor;
    }

    /// <summary>The name of the topic.</summary>
    public string Name { get; init; }

    /// <summary>How many partitions it gets; -1 for the broker's default.</summary>
    public int Partitions { get; init; } = -1;

    /// <summary>How many brokers keep each partition; -1 for the broker's default.</summary>
    public short ReplicationFactor { get; init; } = -1;

    /// <summary>Settings that differ from the broker's defaults, such as <c>cleanup.policy</c>.</summary>
    public IReadOnlyDictionary<string, string> Configs
    {
        get => _configs;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            _configs = Interop.ToFSharpMap(value);
        }
    }

    internal Client.NewTopic ToCore() => new(Name, Partitions, ReplicationFactor, MapModule.ToList(_configs));
}
