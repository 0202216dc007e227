using System.Diagnostics.CodeAnalysis;
using LibKafka.Records;

namespace LibKafka;

/// <summary>
/// The records of one batch, not read yet: each one is read and checked when iteration gets to it, so the first is there at once and
/// nothing is allocated for any of them. Iterating again begins anew.
/// </summary>
/// <remarks>
/// <c>foreach (ref readonly var record in batch.Records())</c> looks at each record where it is; without <c>ref readonly</c> the
/// record's view, not its bytes, is copied.
/// </remarks>
public readonly struct BatchRecords
{
    private readonly RecordView? _view;

    // A record batch or a legacy batch: what a fault speaks of.
    private readonly object _batch;

    internal BatchRecords(RecordView view, object batch)
    {
        _view = view;
        _batch = batch;
    }

    /// <summary>How many records there are: those that the batch declares, less those that <see cref="From"/> has passed over.</summary>
    public int Count => _view?.Count ?? 0;

    /// <summary>
    /// The same records with the timestamps that their producers gave them, also where the batch says LogAppendTime: the broker
    /// overwrites only the batch's header.
    /// </summary>
    /// <returns>The records.</returns>
    public BatchRecords WithCreateTime() => _view is null ? this : new(_view.WithCreateTime(), _batch);

    /// <summary>
    /// The same records from an offset on. A broker gives whole batches, so the first one fetched often begins before the offset that was
    /// asked for. Those before it are passed over by their lengths and offsets; nothing else of them is read or checked. A record whose
    /// length or offset is malformed is not passed over: iterating begins with it, and throws.
    /// </summary>
    /// <param name="offset">The offset of the first record that is wanted.</param>
    /// <returns>The records.</returns>
    public BatchRecords From(long offset) => _view is null ? this : new(_view.From(offset), _batch);

    /// <summary>Begins to walk the records in order.</summary>
    /// <returns>An enumerator before the first record.</returns>
    public Enumerator GetEnumerator() => new(_view, _batch);

    /// <summary>Walks the records of a batch in order, checking each one as it gets to it.</summary>
    public struct Enumerator
    {
        private readonly object _batch;
        private RecordEnumerator _records;

        internal Enumerator(RecordView? view, object batch)
        {
            _batch = batch;
            _records = view is null ? default : view.GetEnumerator();
        }

        /// <summary>
        /// The record gone to. It is overwritten by the next <see cref="MoveNext"/>: copy it, or what is needed of it, to keep it
        /// longer.
        /// </summary>
        // Not readonly: the record lies in the enumerator itself, and a readonly member would look at it in a copy.
        [UnscopedRef]
        public ref readonly Record Current => ref _records.Current;

        /// <summary>Goes to the next record.</summary>
        /// <returns>Whether there is one; false behind the last.</returns>
        /// <exception cref="KafkaException">
        /// The record is malformed (although the batch's checksum is right), there are fewer records than the batch declares, or more
        /// bytes than they take. Nothing behind it in the batch can be read.
        /// </exception>
        public bool MoveNext()
        {
            try
            {
                return _records.MoveNext();
            }
            catch (CorruptRecordException corrupt)
            {
                throw new KafkaException(KafkaFault.Of(corrupt.Fault, RecordBatchExtensions.Describe(_batch)));
            }
        }
    }
}
