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
        : this(core, core.Result.IsOk ? core.Result.ResultValue : null, new CallReport(core.Exchanges, call.CancellationToken)) { }

    private FetchResult(Client.Fetched core, Fetch.PartitionResponse? answer, CallReport report)
        : base(report, answer is null ? report.FaultOf(core.Result.ErrorValue) : null, answer?.Error ?? ErrorCode.None)
    {
        Core = core;
        _answer = answer;
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
    /// The position to fetch from next: that of <see cref="Next"/>, or the same position again if it has none. If the offsets of unreadable
    /// bytes are known, it skips them, so check <see cref="Batches"/> or <see cref="Next"/> first.
    /// </summary>
    public FetchPosition NextPosition => Next.Position ?? Position;

    /// <summary>The offset of <see cref="NextPosition"/>.</summary>
    public long NextOffset => NextPosition.Offset;

    /// <summary>
    /// The batches, found as they are iterated; none if there is an error or a fault. The first may begin before the offset that was asked
    /// for, since brokers send whole batches. Nothing is copied, and neither checksums nor records are read before a batch is opened.
    /// </summary>
    public RecordBatchSet Batches => new(Core.Batches);

    /// <summary>
    /// The batches with data at the isolation level of the fetch, found as they are iterated: <see cref="Batches"/> without control batches
    /// and, for <c>ReadCommitted</c>, without the batches of aborted transactions.
    /// </summary>
    public IEnumerable<RecordBatchItem> DataBatches => RecordBatchSet.Items(Core.DataBatches);

    /// <summary>The bytes of the batches, as the broker sent them; the last batch may be incomplete.</summary>
    public ReadOnlyMemory<byte> Records => Core.Records.Memory;

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

    /// <summary>The aborted transactions in the range that was read, for a fetch with <c>ReadCommitted</c>; empty otherwise.</summary>
    public IReadOnlyList<AbortedTransaction> AbortedTransactions => _answer?.AbortedTransactions is { } aborted ? [.. aborted.Value] : [];

    /// <inheritdoc/>
    public override ExchangeInfo Exchange => base.Exchange!;

    internal Client.Fetched Core { get; }

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
        IsSuccess ? FormattableString.Invariant($"{Records.Length} bytes from {Position}") : base.ToString();
}
