using System;
using System.Text;
using LibKafka.Records;
using LibKafka.Wire;

namespace LibKafka;

/// <summary>
/// A header for a record to be built: a name and bytes (KIP-82). Headers are ordered, and names may repeat. Arrays and memory are not copied
/// before the record is added; a span is.
/// </summary>
public readonly struct KafkaHeader : IEquatable<KafkaHeader>
{
    /// <summary>A header with a value.</summary>
    /// <param name="name">The name.</param>
    /// <param name="value">The value.</param>
    public KafkaHeader(string name, ReadOnlyMemory<byte> value)
        : this(Encoding.UTF8.GetBytes(Interop.Required(name)), value) { }

    /// <summary>A header whose value may be null.</summary>
    /// <param name="name">The name.</param>
    /// <param name="value">The value; null differs from empty.</param>
    public KafkaHeader(string name, byte[]? value)
        : this(Encoding.UTF8.GetBytes(Interop.Required(name)), OrNull(value)) { }

    /// <summary>A header with a copy of the value, which may be null, such as the value of a header that was read.</summary>
    /// <param name="name">The name.</param>
    /// <param name="value">The value; null differs from empty.</param>
    public KafkaHeader(string name, NullableSpan value)
        : this(Encoding.UTF8.GetBytes(Interop.Required(name)), OrNull(value.ToArray())) { }

    /// <summary>A header whose name is already encoded.</summary>
    /// <param name="key">The name, in UTF-8.</param>
    /// <param name="value">The value; null differs from empty.</param>
    public KafkaHeader(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte>? value)
    {
        Key = key;
        Value = value;
    }

    /// <summary>The name, in UTF-8.</summary>
    public ReadOnlyMemory<byte> Key { get; }

    /// <summary>The value; null differs from empty.</summary>
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

    /// <summary>A copy of a header that was read. It stays valid when its batch's memory is reused.</summary>
    /// <param name="header">The header that was read.</param>
    /// <returns>The copy.</returns>
    public static KafkaHeader CopyOf(in HeaderSlice header) => new(header.Key.ToArray(), OrNull(header.Value.ToArray()));

    /// <summary>Whether the other header has the same name and value.</summary>
    /// <param name="other">The other header.</param>
    /// <returns>Whether the bytes are the same.</returns>
    public bool Equals(KafkaHeader other) => ToCore().Equals(other.ToCore());

    /// <summary>Whether it is a header with the same name and value.</summary>
    /// <param name="obj">The other object.</param>
    /// <returns>Whether the bytes are the same.</returns>
    public override bool Equals(object? obj) => obj is KafkaHeader other && Equals(other);

    /// <summary>A hash code of name and value.</summary>
    /// <returns>The same for headers that are equal.</returns>
    public override int GetHashCode() => ToCore().GetHashCode();

    /// <summary>Such as <c>trace=00ff</c> or <c>trace=null</c>, with the value in hexadecimal.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => ToCore().ToString();

    // The implicit conversion of an array to memory would turn null into empty.
    private static ReadOnlyMemory<byte>? OrNull(byte[]? array) => array is null ? (ReadOnlyMemory<byte>?)null : array;

    internal RecordHeader ToCore() => new(new Bytes(Key), Interop.Optional(Value is { } value ? new Bytes(value) : (Bytes?)null));
}
