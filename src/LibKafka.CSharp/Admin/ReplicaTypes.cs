using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>A replica of a partition: the one on a broker.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="BrokerId">The id of the broker.</param>
public sealed record TopicPartitionReplica(TopicPartition Partition, int BrokerId)
{
    /// <summary>The partition.</summary>
    public TopicPartition Partition
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Partition);

    /// <summary>As in <c>orders-3 on broker 2</c>.</summary>
    /// <returns>The partition and the broker.</returns>
    public override string ToString() => ToCore().ToString();

    internal static TopicPartitionReplica Of(Core.TopicPartitionReplica core) => new(TopicPartition.Of(core.Partition), core.BrokerId);

    internal Core.TopicPartitionReplica ToCore() => new(Partition.ToCore(), BrokerId);
}

/// <summary>A partition to move to other brokers.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Replicas">The ids of the brokers, the preferred leader first; null to cancel the move that is in progress.</param>
public sealed record NewReassignment(TopicPartition Partition, IReadOnlyList<int>? Replicas)
{
    /// <summary>The partition.</summary>
    public TopicPartition Partition
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Partition);

    /// <summary>The ids of the brokers, the preferred leader first; null to cancel the move that is in progress.</summary>
    public IReadOnlyList<int>? Replicas
    {
        get;
        init => field = value is null ? null : new ValueList<int>(value);
    } = Replicas is null ? null : new ValueList<int>(Replicas);
}

/// <summary>A partition that is being moved to other brokers.</summary>
public sealed record PartitionReassignment
{
    /// <summary>The ids of the brokers that have a replica now or will have one.</summary>
    public IReadOnlyList<int> Replicas
    {
        get;
        init => field = new ValueList<int>(Interop.Required(value));
    } = new ValueList<int>([]);

    /// <summary>The ids of the brokers that are getting a replica.</summary>
    public IReadOnlyList<int> AddingReplicas
    {
        get;
        init => field = new ValueList<int>(Interop.Required(value));
    } = new ValueList<int>([]);

    /// <summary>The ids of the brokers that will have no replica any more.</summary>
    public IReadOnlyList<int> RemovingReplicas
    {
        get;
        init => field = new ValueList<int>(Interop.Required(value));
    } = new ValueList<int>([]);

    internal static PartitionReassignment Of(ListPartitionReassignments.Partition core) =>
        new()
        {
            Replicas = [.. core.Replicas],
            AddingReplicas = [.. core.AddingReplicas],
            RemovingReplicas = [.. core.RemovingReplicas],
        };
}

/// <summary>A log directory of a broker.</summary>
public sealed record LogDirDescription
{
    /// <summary>The absolute path.</summary>
    public required string Path
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>Why the directory cannot be used, such as KAFKA_STORAGE_ERROR if its disk has failed; <c>ErrorCode.None</c> if it can.</summary>
    public ErrorCode Error { get; init; }

    /// <summary>The size of the volume in bytes (Kafka 3.3); null if the broker does not report it.</summary>
    public long? TotalBytes { get; init; }

    /// <summary>The bytes of the volume that are free (Kafka 3.3); null if the broker does not report it.</summary>
    public long? UsableBytes { get; init; }

    /// <summary>The replicas in the directory.</summary>
    public IReadOnlyList<LogDirReplica> Replicas
    {
        get;
        init => field = new ValueList<LogDirReplica>(Interop.RequiredAll(value));
    } = new ValueList<LogDirReplica>([]);

    internal static LogDirDescription Of(DescribeLogDirs.LogDir core) =>
        new()
        {
            Path = core.Path,
            Error = core.Error,
            TotalBytes = core.TotalBytes < 0 ? null : core.TotalBytes,
            UsableBytes = core.UsableBytes < 0 ? null : core.UsableBytes,
            Replicas =
            [
                .. core.Topics.SelectMany(topic =>
                    topic.Partitions.Select(found => LogDirReplica.Of(new(topic.Name, found.PartitionIndex), found))
                ),
            ],
        };
}

/// <summary>A replica in a log directory.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Size">The size of its log in bytes.</param>
/// <param name="OffsetLag">
/// The lag of the replica in offsets. For a replica that is being moved here, it is how far its log end offset is below that of the replica in the
/// other directory; for any other, how far it is below the high watermark.
/// </param>
/// <param name="IsFuture">Whether the replica is being moved here from another directory.</param>
public sealed record LogDirReplica(TopicPartition Partition, long Size, long OffsetLag, bool IsFuture)
{
    /// <summary>The partition.</summary>
    public TopicPartition Partition
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Partition);

    internal static LogDirReplica Of(TopicPartition partition, DescribeLogDirs.Partition core) =>
        new(partition, core.PartitionSize, core.OffsetLag, core.IsFutureKey);
}
