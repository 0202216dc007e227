using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Records;
using LibKafka.Wire;

namespace LibKafka;

/// <summary>
/// Record batches one behind another, as a partition's records are fetched and stored. They are looked for as it is iterated, and
/// nothing is copied. Messages of the formats before Kafka 0.11 (<see cref="RecordBatchItem.Legacy"/>) are read like batches. What
/// cannot be read as either stands among them (<see cref="RecordBatchItem.Unreadable"/>), so that nothing is
/// passed over in silence; a batch that is cut off at the end is left out, since fetch answers usually end in one.
/// </summary>
public readonly struct RecordBatchSet : IEnumerable<RecordBatchItem>
{
    private readonly RecordSet? _core;

    internal RecordBatchSet(RecordSet core)
    {
        _core = core;
    }

    /// <summary>All of the bytes, those of a batch that is cut off included.</summary>
    public ReadOnlyMemory<byte> Bytes => _core is null ? default : _core.Bytes.Memory;

    /// <summary>How many bytes at the end belong to a batch that is cut off; 0 where the last batch is whole.</summary>
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

    /// <summary>The batches that stand one behind another in some bytes.</summary>
    /// <param name="bytes">The bytes, which must not change as long as the batches are used.</param>
    /// <param name="verifyChecksums">
    /// Whether to check the checksum of each batch when it is gone to, so that one with a wrong checksum is among the unreadable.
    /// Otherwise it shows when the batch is opened.
    /// </param>
    /// <returns>The batches, not looked for yet.</returns>
    public static RecordBatchSet Parse(ReadOnlyMemory<byte> bytes, bool verifyChecksums = false) =>
        new(verifyChecksums ? RecordSetModule.splitVerified(new Bytes(bytes)) : RecordSetModule.split(new Bytes(bytes)));

    /// <summary>Batches one behind another, copied into one run of bytes.</summary>
    /// <param name="batches">The batches.</param>
    /// <returns>Bytes that <see cref="Parse"/> takes apart again.</returns>
    public static ReadOnlyMemory<byte> Concat(IEnumerable<RecordBatch> batches) => RecordSetModule.concat(batches.ToFSharpList()).Memory;

    /// <summary>
    /// The batches that a reader of committed data is to see, found as they are iterated: without control batches and without those of
    /// aborted transactions. Everything else stays, in order; a control batch, or one that is to be left out, that cannot be read is among
    /// the unreadable.
    /// </summary>
    /// <param name="aborted">
    /// The transactions that came with the set: an answer to a fetch of committed data lists every one that reaches into it. None where
    /// uncommitted data is wanted.
    /// </param>
    /// <returns>The batches, not looked for yet.</returns>
    public IEnumerable<RecordBatchItem> DataFor(IEnumerable<AbortedTransaction> aborted)
    {
        ArgumentNullException.ThrowIfNull(aborted);
        return Items(TransactionFilterModule.apply(aborted.ToFSharpList(), _core ?? RecordSetModule.split(default)));
    }

    /// <summary>Begins to walk the batches in order.</summary>
    /// <returns>An enumerator before the first batch.</returns>
    public Enumerator GetEnumerator() => new(_core ?? RecordSetModule.split(default));

    IEnumerator<RecordBatchItem> IEnumerable<RecordBatchItem>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The items but for the one that tells of a batch that is cut off.</summary>
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
        found = item switch
        {
            RecordSetItem.Batch batch => new(batch.Item),
            RecordSetItem.Legacy legacy => new(legacy.Item),
            RecordSetItem.Corrupt corrupt => new(new UnreadableBatch(corrupt.Item)),
            _ => default,
        };
        return item is not RecordSetItem.CutOff;
    }

    /// <summary>Walks batches in order.</summary>
    public struct Enumerator : IEnumerator<RecordBatchItem>
    {
        private RecordSetEnumerator _items;

        internal Enumerator(RecordSet set)
        {
            _items = set.GetEnumerator();
            Current = default;
        }

        /// <summary>The batch gone to, or what stands in its place.</summary>
        public RecordBatchItem Current { get; private set; }

        readonly object IEnumerator.Current => Current;

        /// <summary>Goes to the next batch.</summary>
        /// <returns>Whether there is one; false behind the last.</returns>
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
