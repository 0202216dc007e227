using System;
using LibKafka.Records;

namespace LibKafka;

/// <summary>Bytes of a record set that cannot be read as a record batch. The batches around them can be read nevertheless.</summary>
public sealed class CorruptRecordBatch
{
    private readonly CorruptBatch _core;

    internal CorruptRecordBatch(CorruptBatch core)
    {
        _core = core;
        Fault = KafkaFault.Of(core.Fault, "corrupt batch");
    }

    /// <summary>
    /// The problem. <see cref="KafkaFault.ByteOffset"/> counts from the start of the set, and <see cref="KafkaFault.Path"/> names the item
    /// and the field, such as <c>FetchResponse/Responses[0]/Partitions[0]/Records[3]/Crc</c>.
    /// </summary>
    public KafkaFault Fault { get; }

    /// <summary>Bytes from the start of the set to these bytes.</summary>
    public int Position => _core.Position;

    /// <summary>All bytes that cannot be read.</summary>
    public ReadOnlyMemory<byte> Bytes => _core.Bytes.Memory;

    /// <summary>
    /// The base offset at their start. Reading the partition stopped there, unless the base offset itself is damaged.
    /// </summary>
    public long FirstOffset => _core.FirstOffset;

    /// <summary>
    /// The last offset that they cover according to their header; null if the header cannot be read. Then the base offset of the next
    /// batch, if there is one, is where reading can continue.
    /// </summary>
    public long? LastOffset => _core.LastOffset.OrNull();

    /// <summary>Offsets, size and fault.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();
}
