using LibKafka.Records;

namespace LibKafka;

/// <summary>
/// Chooses the partition of a record that is added without one. It is called for each such record, so it must be fast. It must not keep the key.
/// </summary>
/// <param name="key">The key; null differs from empty.</param>
/// <param name="partitions">The number of partitions of the topic.</param>
/// <returns>A partition from 0 to <c>partitions - 1</c>, or <see cref="Partitioning.Any"/>.</returns>
public delegate int ChoosePartition(NullableSpan key, int partitions);

/// <summary>The ways to choose the partition of a record.</summary>
/// <remarks>
/// A way of your own:
/// <code>
/// ChoosePartition byFirstByte = (key, partitions) => key.Length == 0 ? Partitioning.Any : key.Span[0] % partitions;
/// </code>
/// </remarks>
public static class Partitioning
{
    /// <summary>
    /// What a <see cref="ChoosePartition"/> returns if any partition will do. Such records go a whole batch at a time to the next available
    /// partition: full batches compress better and cost fewer requests than single records that are spread over all partitions.
    /// </summary>
    public const int Any = Topics.Partitioning.Any;

    /// <summary>
    /// As the Java client does: a record with a key goes to the partition that the murmur2 hash of the key selects (an empty key is a key), so all
    /// clients write a key to the same partition; a record without a key may go to any partition. If partitions are added to the topic, keys move
    /// to other partitions.
    /// </summary>
    public static ChoosePartition ByKey { get; } = Topics.Partitioning.byKey.Invoke;

    /// <summary>Ignores the keys: every record may go to any partition.</summary>
    public static ChoosePartition IgnoringKeys { get; } = Topics.Partitioning.any.Invoke;

    /// <summary>The core's own function for a predefined way, so that it is called directly.</summary>
    internal static Topics.ChoosePartition ToCore(ChoosePartition choose) =>
        choose == ByKey ? Topics.Partitioning.byKey
        : choose == IgnoringKeys ? Topics.Partitioning.any
        : new Topics.ChoosePartition(choose);
}
