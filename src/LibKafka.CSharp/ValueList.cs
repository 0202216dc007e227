using System.Collections;
using System.Collections.Generic;
using System.Linq;

namespace LibKafka;

/// <summary>An immutable list that is compared by content, so that records that contain one are values.</summary>
internal class ValueList<T> : IReadOnlyList<T>
{
    private readonly T[] _items;

    public ValueList(IEnumerable<T> items)
    {
        _items = [.. items];
    }

    public int Count => _items.Length;

    public T this[int index] => _items[index];

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override bool Equals(object? obj) => obj is ValueList<T> other && _items.SequenceEqual(other._items);

    public override int GetHashCode() => _items.Aggregate(_items.Length, (hash, item) => (31 * hash) + (item?.GetHashCode() ?? 0));

    public override string ToString() => $"[{string.Join(", ", _items)}]";
}
