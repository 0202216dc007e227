using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>The features of a cluster (KIP-584).</summary>
public sealed record ClusterFeatures
{
    /// <summary>The levels that the broker supports, by feature.</summary>
    public required IReadOnlyDictionary<string, ApiVersionRange> Supported
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>The levels that are in force in the cluster, by feature. A feature that is not named has the level 0.</summary>
    public required IReadOnlyDictionary<string, short> Finalized
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>It grows with each change of the levels in force; null if the broker does not report it (before Kafka 2.7).</summary>
    public long? Epoch { get; init; }

    internal static ClusterFeatures Of(Core.ClusterFeatures core) =>
        new()
        {
            Supported = core.Supported.ToDictionary(
                feature => feature.Key,
                feature => new ApiVersionRange(feature.Value.Lowest, feature.Value.Highest)
            ),
            Finalized = core.Finalized,
            Epoch = core.Epoch is { } epoch ? epoch.Value : null,
        };
}

/// <summary>A new level of a feature (KIP-584).</summary>
/// <param name="Feature">The feature, such as <c>metadata.version</c>.</param>
/// <param name="Level">The level; 0 disables the feature.</param>
/// <param name="Direction">In which direction the level may change (KIP-778).</param>
public sealed record FeatureLevel(string Feature, short Level, FeatureUpdateType Direction = FeatureUpdateType.Upgrade)
{
    /// <summary>The feature, such as <c>metadata.version</c>.</summary>
    public string Feature
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Feature);

    internal Core.FeatureLevel ToCore() => new(Feature, Level, Direction);
}

/// <summary>The quorum of controllers that keeps the cluster's metadata (KIP-595).</summary>
public sealed record QuorumDescription
{
    /// <summary>The node id of the leader; -1 if there is none.</summary>
    public required int LeaderId { get; init; }

    /// <summary>The leader epoch.</summary>
    public int LeaderEpoch { get; init; }

    /// <summary>The high watermark of the metadata log.</summary>
    public long HighWatermark { get; init; }

    /// <summary>The voters.</summary>
    public IReadOnlyList<QuorumReplica> Voters
    {
        get;
        init => field = new ValueList<QuorumReplica>(Interop.RequiredAll(value));
    } = new ValueList<QuorumReplica>([]);

    /// <summary>The nodes that read the metadata log without a vote.</summary>
    public IReadOnlyList<QuorumReplica> Observers
    {
        get;
        init => field = new ValueList<QuorumReplica>(Interop.RequiredAll(value));
    } = new ValueList<QuorumReplica>([]);

    internal static QuorumDescription Of(Core.Quorum core) =>
        new()
        {
            LeaderId = core.LeaderId,
            LeaderEpoch = core.LeaderEpoch,
            HighWatermark = core.HighWatermark,
            Voters = [.. core.Voters.Select(voter => QuorumReplica.Of(voter, core.Nodes))],
            Observers = [.. core.Observers.Select(observer => QuorumReplica.Of(observer, core.Nodes))],
        };
}

/// <summary>A replica of the metadata log.</summary>
public sealed record QuorumReplica
{
    /// <summary>The node id.</summary>
    public required int NodeId { get; init; }

    /// <summary>The id of its directory (KIP-853, Kafka 3.9); <see cref="Guid.Empty"/> if the broker does not report it.</summary>
    public Guid DirectoryId { get; init; }

    /// <summary>The end of its log; -1 if it is not known.</summary>
    public long LogEndOffset { get; init; } = -1;

    /// <summary>When the leader last got a fetch from it (KIP-836); null if it is not known.</summary>
    public DateTimeOffset? LastFetched { get; init; }

    /// <summary>When it last had the whole log (KIP-836); null if it is not known.</summary>
    public DateTimeOffset? LastCaughtUp { get; init; }

    /// <summary>Its listeners (KIP-853, Kafka 3.9); empty if the broker does not report them.</summary>
    public IReadOnlyList<QuorumListener> Listeners
    {
        get;
        init => field = new ValueList<QuorumListener>(Interop.RequiredAll(value));
    } = new ValueList<QuorumListener>([]);

    internal static QuorumReplica Of(DescribeQuorum.Replica core, IEnumerable<DescribeQuorum.Node> nodes) =>
        new()
        {
            NodeId = core.ReplicaId,
            DirectoryId = core.ReplicaDirectoryId,
            LogEndOffset = core.LogEndOffset,
            LastFetched = Interop.Time(core.LastFetchTimestamp),
            LastCaughtUp = Interop.Time(core.LastCaughtUpTimestamp),
            Listeners =
            [
                .. nodes
                    .Where(node => node.NodeId == core.ReplicaId)
                    .SelectMany(node => node.Listeners)
                    .Select(listener => new QuorumListener(listener.Name, listener.Host, listener.Port)),
            ],
        };
}

/// <summary>A listener of a controller.</summary>
/// <param name="Name">The name of the listener, such as <c>CONTROLLER</c>.</param>
/// <param name="Host">The host.</param>
/// <param name="Port">The port.</param>
public sealed record QuorumListener(string Name, string Host, ushort Port)
{
    /// <summary>The name of the listener, such as <c>CONTROLLER</c>.</summary>
    public string Name
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Name);

    /// <summary>The host.</summary>
    public string Host
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Host);

    internal VoterListener ToCore() => new(Name, Host, Port);
}

/// <summary>A voter of the quorum: a controller, and the directory in which it keeps the metadata log (KIP-853).</summary>
/// <param name="Id">The node id of the controller.</param>
/// <param name="DirectoryId">The id of the directory. A controller with another directory is another voter.</param>
public sealed record QuorumVoter(int Id, Guid DirectoryId)
{
    internal Core.QuorumVoter ToCore() => new(Id, DirectoryId);
}
