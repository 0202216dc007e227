namespace LibKafka;

/// <summary>A partition of a topic.</summary>
/// <param name="Topic">The name of the topic.</param>
/// <param name="Partition">The number of the partition, from 0.</param>
public readonly record struct TopicPartition(string Topic, int Partition)
{
    /// <summary>The name of the topic.</summary>
    public string Topic
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Topic);

    /// <summary>As in <c>orders-3</c>.</summary>
    /// <returns>The topic and the partition, separated by a hyphen.</returns>
    public override string ToString() => ToCore().ToString();

    internal static TopicPartition Of(Client.TopicPartition core) => new(core.Topic, core.Partition);

    internal Client.TopicPartition ToCore() => new(Topic ?? "", Partition);
}
