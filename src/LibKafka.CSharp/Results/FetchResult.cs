using System;
using System.Collections.Generic;
using LibKafka.Protocol;
using LibKafka.Records;

namespace LibKafka;

/// <summary>
/// The result of a fetch. An error code often comes with useful data, such as the new leader with NOT_LEADER_OR_FOLLOWER.
/// </summary>
public sealed class FetchResult : KafkaResult
{
    private readonly Fetch.PartitionResponse? _answer;

    internal FetchResult(Client.Fetched core, CallOptions call)
        : this(core, new CallReport(core.Exchanges, call.CancellationToken)) { }

    private FetchResult(Client.Fetched core, CallReport report)
        : base(report, report.FaultOf(core.Result), CallReport.CodeOf(core.Result))
    {
        Core = core;
        _answer = core.Answer.OrNull();
    }

    /// <summary>The offset that was asked for.</summary>
    public long Offset => Core.Offset;

    /// <summary>The position that was asked for.</summary>
    public FetchPosition Position => FetchPosition.Of(Core.Position);

    /// <summary>
    /// Where to continue, and what that means: whether some of the data is damaged, or the log has been truncated. Offset gaps, as compaction
    /// leaves them, are taken into account. It is computed once, when it is first read.
    /// </summary>
    public FetchAdvance Next => field ??= new(Client.FetchedModule.advance(Core));

    /// <summary>
    /// The position to fetch from next: that of <see cref="Next"/>. If the offsets of unreadable bytes are known, it skips them;
    /// <see cref="Records"/> and <see cref="Batches"/> report them first.
    /// </summary>
    /// <exception cref="KafkaException">
    /// It is not known where to continue: bytes were received that cannot be read, and fetching from the same position would return them again.
    /// See <see cref="FetchAdvance.Fault"/>.
    /// </exception>
    public FetchPosition NextPosition => Next.Position ?? throw new KafkaException(Next.Fault!, Exchange);

    /// <summary>The offset of <see cref="NextPosition"/>.</summary>
    /// <exception cref="KafkaException">It is not known where to continue.</exception>
    public long NextOffset => NextPosition.Offset;

    /// <summary>
    /// The batches with data from <see cref="Offset"/> on, found as they are iterated: without control batches and, for <c>ReadCommitted</c>,
    /// without the batches of aborted transactions. None if there is an error or a fault. Bytes that cannot be read are
    /// <see cref="RecordBatchItem.Corrupt"/>. The first batch may begin before the offset that was asked for, since brokers send whole batches:
    /// <see cref="RecordBatchItem.Records"/> begins at the offset, but the batch itself has all of its records. Nothing is copied, and neither
    /// checksums nor records are read before a batch is opened.
    /// </summary>
    public IEnumerable<RecordBatchItem> Batches => RecordBatchSet.Items(Core.Batches);

    /// <summary>
    /// Everything that the broker sent, found as it is iterated: data, control batches and the batches of aborted transactions. The first may
    /// begin before the offset that was asked for.
    /// </summary>
    public RecordBatchSet RawBatches => new(Core.RawBatches);

    /// <summary>The bytes of <see cref="RawBatches"/>, as the broker sent them; the last batch may be incomplete.</summary>
    public ReadOnlyMemory<byte> RawRecords => Core.RawRecords.Memory;

    /// <summary>The high watermark: the offset after the last record that all in-sync replicas have; -1 if it is not known.</summary>
    public long HighWatermark => _answer?.HighWatermark ?? -1;

    /// <summary>The last stable offset: the offset of the first record of an open transaction; -1 if it is not known.</summary>
    public long LastStableOffset => _answer?.LastStableOffset ?? -1;

    /// <summary>The first offset of the partition's log; -1 if it is not known.</summary>
    public long LogStartOffset => _answer?.LogStartOffset ?? -1;

    /// <summary>The id of the replica that should be read from instead (KIP-392); null if there is none.</summary>
    public int? PreferredReadReplica => _answer is { PreferredReadReplica: >= 0 and var replica } ? replica : null;

    /// <summary>
    /// Where the log diverges from what was read (KIP-595): the largest epoch that both have, and its end offset in the log; null if it does
    /// not diverge. <see cref="Next"/> says where to continue.
    /// </summary>
    public FetchPosition? Diverging => Core.Diverging is { } end ? new FetchPosition(end.Value.EndOffset, end.Value.Epoch) : null;

    /// <summary>The new leader, if the broker does not lead the partition and knows which broker does.</summary>
    public LeaderHint? CurrentLeader =>
        _answer is null
            ? null
            : LeaderHint.Of(
                _answer.CurrentLeader,
                Core.Exchange.Result is { IsOk: true, ResultValue: var response } ? response.NodeEndpoints : []
            );

    /// <summary>
    /// The aborted transactions in the range that was read, as the broker lists them for a fetch with <c>ReadCommitted</c>;
    /// <see cref="Batches"/> leaves them out.
    /// </summary>
    public IReadOnlyList<AbortedTransaction> AbortedTransactions => _answer?.AbortedTransactions is { } aborted ? [.. aborted.Value] : [];

    /// <inheritdoc/>
    public override ExchangeInfo Exchange => base.Exchange!;

    internal Client.Fetched Core { get; }

    /// <summary>
    /// The data records from <see cref="Offset"/> on, in order: those of <see cref="Batches"/>. None if there is an error or a fault. Iteration
    /// throws at the first bytes that cannot be read, after the records before them.
    /// </summary>
    /// <param name="options">Codecs and limits; null for no codecs and the standard limits.</param>
    /// <param name="buffer">
    /// Memory for decompressed records, which is reused from batch to batch: a record is valid until iteration reaches the next batch. Null for
    /// separate memory.
    /// </param>
    /// <returns>The records, not read yet.</returns>
    public FetchedRecords Records(RecordReadOptions? options = null, CodecBuffer? buffer = null) =>
        new(Core.Records((options ?? RecordReadOptions.Default).ToReading(buffer)));

    /// <summary>
    /// Throws if there is a fault or an error code. An empty answer is neither. Batches that cannot be read do not throw before they are
    /// opened.
    /// </summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is a fault or an error code.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public FetchResult ThrowIfError()
    {
        ThrowIfFailed();
        return this;
    }

    /// <summary>As in <c>120 bytes from offset 42</c>, or the error or fault.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() =>
        IsSuccess ? FormattableString.Invariant($"{RawRecords.Length} bytes from {Position}") : base.ToString();
}
