using System.Diagnostics.CodeAnalysis;
using LibKafka.Records;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>
/// The data records of a fetch, not read yet: see <see cref="FetchResult.Records"/>. Each record is read and checked when iteration reaches it,
/// and nothing is allocated for each record. Every iteration starts from the first record.
/// </summary>
/// <remarks>
/// <c>foreach (ref readonly var record in fetched.Records())</c> copies nothing. Without <c>ref readonly</c>, each record's view is copied, but
/// not its bytes.
/// </remarks>
public sealed class FetchedRecords
{
    private readonly Core.FetchedRecords _core;

    internal FetchedRecords(Core.FetchedRecords core)
    {
        _core = core;
    }

    /// <summary>Starts to iterate over the records in order.</summary>
    /// <returns>An enumerator before the first record.</returns>
    public Enumerator GetEnumerator() => new(_core.GetEnumerator());

    /// <summary>Iterates over the records of a fetch in order.</summary>
    public struct Enumerator
    {
        private Core.FetchedRecordEnumerator _records;

        internal Enumerator(Core.FetchedRecordEnumerator records)
        {
            _records = records;
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
        /// The next bytes are not a readable batch, or its records cannot be opened or read. The records before have been returned.
        /// </exception>
        public bool MoveNext()
        {
            try
            {
                return _records.MoveNext();
            }
            catch (CorruptRecordException corrupt)
            {
                throw new KafkaException(KafkaFault.Of(corrupt.Fault, RecordBatchItem.Describe(_records.Item)));
            }
        }
    }
}
