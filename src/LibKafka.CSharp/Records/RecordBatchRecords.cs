using System.Diagnostics.CodeAnalysis;
using LibKafka.Records;

namespace LibKafka;

/// <summary>
/// The records of one batch, not read yet. Each record is read and checked when iteration reaches it, so the first one is available at
/// once, and nothing is allocated for each record. Every iteration starts from the first record.
/// </summary>
/// <remarks>
/// <c>foreach (ref readonly var record in batch.Records())</c> copies nothing. Without <c>ref readonly</c>, each record's view is copied,
/// but not its bytes.
/// </remarks>
public readonly struct RecordBatchRecords
{
    private readonly BatchRecords? _core;

    // The record batch or legacy batch that a fault's message names.
    private readonly object _batch;

    internal RecordBatchRecords(BatchRecords core, object batch)
    {
        _core = core;
        _batch = batch;
    }

    /// <summary>The number of records: those that the batch declares, minus those that <see cref="From"/> has skipped.</summary>
    public int Count => _core?.Count ?? 0;

    /// <summary>
    /// The same records with the timestamps from their producers, even if the batch has LogAppendTime: the broker overwrites only the
    /// batch's header.
    /// </summary>
    /// <returns>The records.</returns>
    public RecordBatchRecords WithCreateTime() => _core is null ? this : new(_core.WithCreateTime(), _batch);

    /// <summary>
    /// The same records from an offset on. A broker returns whole batches, so the first batch of a fetch often begins before the offset
    /// that was requested. Earlier records are skipped by their lengths and offsets; nothing else of them is read or checked. A record
    /// whose length or offset is malformed is not skipped: iteration begins with it and throws.
    /// </summary>
    /// <param name="offset">The offset of the first record to return.</param>
    /// <returns>The records.</returns>
    public RecordBatchRecords From(long offset) => _core is null ? this : new(_core.From(offset), _batch);

    /// <summary>Starts to iterate over the records in order.</summary>
    /// <returns>An enumerator before the first record.</returns>
    public Enumerator GetEnumerator() => new(_core, _batch);

    /// <summary>Iterates over the records of a batch in order and checks each one when it is reached.</summary>
    public struct Enumerator
    {
        private readonly object _batch;
        private RecordEnumerator _records;

        internal Enumerator(BatchRecords? records, object batch)
        {
            _batch = batch;
            _records = records is null ? default : records.GetEnumerator();
        }

        /// <summary>
        /// The current record. The next <see cref="MoveNext"/> overwrites it: copy it, or the parts that are needed, to keep it longer.
        /// </summary>
        // Not readonly: the record is part of the enumerator, and a readonly member would return a reference to a copy.
        [UnscopedRef]
        public ref readonly Record Current => ref _records.Current;

        /// <summary>Moves to the next record.</summary>
        /// <returns>Whether there is one; false after the last one.</returns>
        /// <exception cref="KafkaException">
        /// The record is malformed although the batch's checksum is right, there are fewer records than the batch declares, or bytes remain
        /// after its records. The rest of the batch cannot be read.
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
