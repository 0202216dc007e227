using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Records;
using LibKafka.Wire;

namespace LibKafka;

/// <summary>
/// Consecutive record batches, as a partition's records are fetched and stored. They are located during iteration, and nothing is copied.
/// Messages of the formats before Kafka 0.11 (<see cref="RecordBatchItem.Legacy"/>) are read like batches. Bytes that cannot be read as
/// either are items too (<see cref="RecordBatchItem.Corrupt"/>), so that nothing is skipped silently. A batch that is cut off at the end is
/// left out, because fetch responses usually end with one.
/// </summary>
public readonly struct RecordBatchSet : IEnumerable<RecordBatchItem>
{
    private readonly RecordSet? _core;

    internal RecordBatchSet(RecordSet core)
    {
        _core = core;
    }

    /// <summary>All of the bytes, including those of a batch that is cut off.</summary>
    public ReadOnlyMemory<byte> Bytes => _core is null ? default : _core.Bytes.Memory;

    /// <summary>The number of bytes at the end that belong to a batch that is cut off; 0 if the last batch is whole.</summary>
    public int CutOffBytes
    {
        get
        {
            var bytes = 0;
            var items = (_core ?? RecordSetModule.split(default)).GetEnumerator();
            while (items.MoveNext())
            {
                bytes = items.Current is RecordSetItem.CutOff cutOff ? cutOff.bytes : 0;
            }

            return bytes;
        }
    }

    /// <summary>The batches in some bytes, one after another.</summary>
    /// <param name="bytes">The bytes, which must not change as long as the batches are used.</param>
    /// <param name="verifyChecksums">
    /// Whether to verify the checksum of each batch when iteration reaches it, so that a batch with a wrong checksum is a corrupt item.
    /// Otherwise the checksum is verified when the batch is opened.
    /// </param>
    /// <returns>The batches, not located yet.</returns>
    public static RecordBatchSet Parse(ReadOnlyMemory<byte> bytes, bool verifyChecksums = false) =>
        new(verifyChecksums ? RecordSetModule.splitVerified(new Bytes(bytes)) : RecordSetModule.split(new Bytes(bytes)));

    /// <summary>The batches one after another, copied into one run of bytes.</summary>
    /// <param name="batches">The batches.</param>
    /// <returns>Bytes that <see cref="Parse"/> splits again.</returns>
    public static ReadOnlyMemory<byte> Concat(IEnumerable<RecordBatch> batches) =>
        RecordSetModule.concat(Interop.RequiredAll(batches).ToFSharpList()).Memory;

    /// <summary>
    /// The batches for a reader of committed data, located during iteration: without control batches and without those of aborted
    /// transactions. All other items are returned, in order. A control batch, or a batch that would be left out, is a corrupt item if it
    /// cannot be read.
    /// </summary>
    /// <param name="aborted">
    /// The aborted transactions that the fetch response lists: it contains every one that extends into the set if committed data was
    /// requested. None to read uncommitted data.
    /// </param>
    /// <returns>The batches, not located yet.</returns>
    public IEnumerable<RecordBatchItem> DataFor(IEnumerable<AbortedTransaction> aborted)
    {
        var given = Interop.RequiredAll(aborted);
        return Items(TransactionFilterModule.apply(given.ToFSharpList(), _core ?? RecordSetModule.split(default)));
    }

    /// <summary>Starts to iterate over the batches in order.</summary>
    /// <returns>An enumerator before the first batch.</returns>
    public Enumerator GetEnumerator() => new(_core ?? RecordSetModule.split(default));

    IEnumerator<RecordBatchItem> IEnumerable<RecordBatchItem>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The items except a batch that is cut off.</summary>
    internal static IEnumerable<RecordBatchItem> Items(IEnumerable<RecordSetItem> items)
    {
        foreach (var item in items)
        {
            if (TryItem(item, out var found))
            {
                yield return found;
            }
        }
    }

    private static bool TryItem(RecordSetItem item, out RecordBatchItem found)
    {
        var isCutOff = item is RecordSetItem.CutOff;
        found = isCutOff ? default : new(item);
        return !isCutOff;
    }

    /// <summary>Iterates over batches in order.</summary>
    public struct Enumerator : IEnumerator<RecordBatchItem>
    {
        private RecordSetEnumerator _items;

        internal Enumerator(RecordSet set)
        {
            _items = set.GetEnumerator();
            Current = default;
        }

        /// <summary>The current item.</summary>
        public RecordBatchItem Current { get; private set; }

        readonly object IEnumerator.Current => Current;

        /// <summary>Moves to the next item.</summary>
        /// <returns>Whether there is one; false after the last one.</returns>
        public bool MoveNext()
        {
            while (_items.MoveNext())
            {
                if (TryItem(_items.Current, out var found))
                {
                    Current = found;
                    return true;
                }
            }

            return false;
        }

        /// <summary>Not supported: iterate the set again.</summary>
        /// <exception cref="NotSupportedException">Always.</exception>
        readonly void IEnumerator.Reset() => throw new NotSupportedException();

        /// <summary>Does nothing.</summary>
        public readonly void Dispose() { }
    }
}
