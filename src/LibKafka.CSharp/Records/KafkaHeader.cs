using System;
using System.Text;
using LibKafka.Records;
using LibKafka.Wire;

namespace LibKafka;

/// <summary>
/// A header for a record that is to be built: a name and bytes (KIP-82). Headers keep their order, and a name may stand twice. The
/// bytes are not copied before the record is added.
/// </summary>
public readonly struct KafkaHeader : IEquatable<KafkaHeader>
{
    /// <summary>A header with a value.</summary>
    /// <param name="name">The name.</param>
    /// <param name="value">The value.</param>
    public KafkaHeader(string name, ReadOnlyMemory<byte> value)
        : this(Encoding.UTF8.GetBytes(name), value) { }

    /// <summary>A header whose value may be null.</summary>
    /// <param name="name">The name.</param>
    /// <param name="value">The value; null is not the same as empty.</param>
    public KafkaHeader(string name, byte[]? value)
        : this(Encoding.UTF8.GetBytes(name), OrNull(value)) { }

    /// <summary>A header whose name is in bytes already.</summary>
    /// <param name="key">The name, in UTF-8.</param>
    /// <param name="value">The value; null is not the same as empty.</param>
    public KafkaHeader(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte>? value)
    {
        Key = key;
        Value = value;
    }

    /// <summary>The name, in UTF-8.</summary>
    public ReadOnlyMemory<byte> Key { get; }

    /// <summary>The value; null is not the same as empty.</summary>
    public ReadOnlyMemory<byte>? Value { get; }

    /// <summary>The name as text.</summary>
    public string Name => Encoding.UTF8.GetString(Key.Span);

    /// <summary>Whether two headers have the same name and value.</summary>
    /// <param name="left">One header.</param>
    /// <param name="right">The other one.</param>
    /// <returns>Whether the bytes are the same.</returns>
    public static bool operator ==(KafkaHeader left, KafkaHeader right) => left.Equals(right);

    /// <summary>Whether two headers differ in name or value.</summary>
    /// <param name="left">One header.</param>
    /// <param name="right">The other one.</param>
    /// <returns>Whether some of the bytes differ.</returns>
    public static bool operator !=(KafkaHeader left, KafkaHeader right) => !left.Equals(right);

    /// <summary>A copy of a header that was read, which stays good when its batch's memory is used for another.</summary>
    /// <param name="header">The header as it was read.</param>
    /// <returns>The copy.</returns>
    public static KafkaHeader CopyOf(in HeaderSlice header) =>
        new(header.Key.ToArray(), OrNull(header.HasValue ? header.Value.ToArray() : null));

    /// <summary>Whether the other header has the same name and value.</summary>
    /// <param name="other">The other header.</param>
    /// <returns>Whether the bytes are the same.</returns>
    public bool Equals(KafkaHeader other) => ToCore().Equals(other.ToCore());

    /// <summary>Whether it is a header with the same name and value.</summary>
    /// <param name="obj">Anything.</param>
    /// <returns>Whether the bytes are the same.</returns>
    public override bool Equals(object? obj) => obj is KafkaHeader other && Equals(other);

    /// <summary>A hash code of name and value.</summary>
    /// <returns>The same for headers that are equal.</returns>
    public override int GetHashCode() => ToCore().GetHashCode();

    /// <summary>As in <c>trace=00ff</c> or <c>trace=null</c>: the value in hexadecimal digits.</summary>
    /// <returns>One line for people.</returns>
    public override string ToString() => ToCore().ToString();

    // An array converts to memory by itself, and null to empty: that must not happen.
    private static ReadOnlyMemory<byte>? OrNull(byte[]? array) => array is null ? (ReadOnlyMemory<byte>?)null : array;

    internal RecordHeader ToCore() => new(new Bytes(Key), Interop.Optional(Value is { } value ? new Bytes(value) : (Bytes?)null));
}
