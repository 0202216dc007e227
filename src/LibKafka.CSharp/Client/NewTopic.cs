using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Microsoft.FSharp.Collections;

namespace LibKafka;

/// <summary>A topic to create.</summary>
public sealed record NewTopic
{
    private readonly FSharpMap<string, string> _configs = new([]);

    /// <summary>A topic with the broker's defaults, which needs Kafka 2.4.</summary>
    /// <param name="name">The name of the topic.</param>
    public NewTopic(string name)
    {
        Name = Interop.Required(name);
    }

    /// <summary>A topic with a number of partitions and replicas.</summary>
    /// <param name="name">The name of the topic.</param>
    /// <param name="partitions">The number of partitions; -1 for the broker's default, which needs Kafka 2.4.</param>
    /// <param name="replicationFactor">
    /// The number of replicas of each partition; -1 for the broker's default, which needs Kafka 2.4.
    /// </param>
    public NewTopic(string name, int partitions, short replicationFactor = -1)
        : this(name)
    {
        Partitions = partitions;
        ReplicationFactor = replicationFactor;
    }

    /// <summary>The name of the topic.</summary>
    public string Name
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>The number of partitions; -1 for the broker's default, which needs Kafka 2.4.</summary>
    public int Partitions { get; init; } = -1;

    /// <summary>The number of replicas of each partition; -1 for the broker's default, which needs Kafka 2.4.</summary>
    public short ReplicationFactor { get; init; } = -1;

    /// <summary>Configs that differ from the broker's defaults, such as <c>cleanup.policy</c>.</summary>
    public IReadOnlyDictionary<string, string> Configs
    {
        get => _configs;
        init => _configs = Interop.RequiredMap(value);
    }

    private bool PrintMembers(StringBuilder builder) =>
        builder.AppendMembers(
            (nameof(Name), Name),
            (nameof(Partitions), Partitions),
            (nameof(ReplicationFactor), ReplicationFactor),
            (
                nameof(Configs),
                new ValueList<string>(_configs.Select(config => $"{config.Key}={OptionText.ConfigValue(config.Key, config.Value)}"))
            )
        );

    internal Client.NewTopic ToCore() => new(Name, Partitions, ReplicationFactor, MapModule.ToList(_configs));
}
