using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka.Protocol;
using LibKafka.Records;

namespace LibKafka;

/// <summary>
/// What a fetch brought. An error code or a fault does not throw by itself (see <see cref="ThrowIfError"/>): an error code often comes
/// with data that is worth having, such as the bounds of the log with OFFSET_OUT_OF_RANGE.
/// </summary>
public sealed class FetchResult
{
    private readonly Fetch.PartitionResponse? _answer;
    private readonly CancellationToken _cancellation;

    internal FetchResult(Client.Fetched fetched, CancellationToken cancellation)
    {
        Core = fetched;
        _cancellation = cancellation;
        _answer = fetched.Result.IsOk ? fetched.Result.ResultValue : null;
        Exchange = new(fetched.Exchange.Info);
        Fault = fetched.Result.IsError ? KafkaFault.Of(fetched.Result.ErrorValue, Exchange.Broker) : null;
    }

    /// <summary>The offset that was asked for.</summary>
    public long Offset => Core.Offset;

    /// <summary>Where it was read from.</summary>
    public FetchPosition Position => FetchPosition.Of(Core.Position);

    /// <summary>
    /// Where to go on, and what that means: whether something that came is damaged, or the log has been cut off. Batches and offsets
    /// that compaction has removed are taken into account. It is worked out once, when it is first asked for.
    /// </summary>
    public FetchAdvance Next => field ??= new(Client.FetchedModule.advance(Core));

    /// <summary>
    /// The position to fetch from next: that of <see cref="Next"/>, or the same as before where that has none. Unreadable bytes do not
    /// stop it where their offsets are known, so look at <see cref="Batches"/> or <see cref="Next"/> before going on.
    /// </summary>
    public FetchPosition NextPosition => Next.Position ?? Position;

    /// <summary>The offset of <see cref="NextPosition"/>.</summary>
    public long NextOffset => NextPosition.Offset;

    /// <summary>
    /// The batches, found as they are iterated; none on an error or a fault. The first may begin before the offset that was asked for,
    /// since batches come whole. Nothing is copied, and neither checksums nor records are looked at before a batch is opened.
    /// </summary>
    public RecordBatchSet Batches => new(Core.Batches);

    /// <summary>
    /// The batches that hold data at the isolation level that was asked for, found as they are iterated: those of <see cref="Batches"/>
    /// without control batches, and for <c>ReadCommitted</c> without those of aborted transactions.
    /// </summary>
    public IEnumerable<RecordBatchItem> DataBatches => RecordBatchSet.Items(Core.DataBatches);

    /// <summary>The bytes of the batches one behind the other, as the broker sent them; the last batch may be cut off.</summary>
    public ReadOnlyMemory<byte> Records => Core.Records.Memory;

    /// <summary>
    /// What the broker objects to, such as OFFSET_OUT_OF_RANGE; <c>ErrorCode.None</c> where it is nothing, or no answer came.
    /// </summary>
    public ErrorCode Error => _answer?.Error ?? ErrorCode.None;

    /// <summary>The offset behind the last record that all in-sync replicas have; -1 where it is not told.</summary>
    public long HighWatermark => _answer?.HighWatermark ?? -1;

    /// <summary>The offset behind the last record whose transaction has ended; -1 where it is not told.</summary>
    public long LastStableOffset => _answer?.LastStableOffset ?? -1;

    /// <summary>The first offset that the partition still has; -1 where it is not told.</summary>
    public long LogStartOffset => _answer?.LogStartOffset ?? -1;

    /// <summary>The id of the replica that should be read from instead (KIP-392); null where there is none.</summary>
    public int? PreferredReadReplica => _answer is { PreferredReadReplica: >= 0 and var replica } ? replica : null;

    /// <summary>
    /// Where the log parts from what was read (KIP-595): the largest epoch that both have, and where it ends in the log; null where they
    /// do not part. <see cref="Next"/> says where to go on.
    /// </summary>
    public FetchPosition? Diverging =>
        Core.Diverging is { } parting ? new FetchPosition(parting.Value.EndOffset, parting.Value.Epoch) : null;

    /// <summary>The new leader, where the broker asked does not lead the partition and knows which one does.</summary>
    public LeaderHint? CurrentLeader => _answer is null ? null : LeaderHint.Of(_answer.CurrentLeader, Response?.NodeEndpoints ?? []);

    /// <summary>Transactions that were aborted within what was read, where committed data was asked for; empty otherwise.</summary>
    public IReadOnlyList<AbortedTransaction> AbortedTransactions => _answer?.AbortedTransactions is { } aborted ? [.. aborted.Value] : [];

    /// <summary>Why no answer came; null where one did.</summary>
    public KafkaFault? Fault { get; }

    /// <summary>How long the client is asked to pause because it exceeded a quota; zero where it did not.</summary>
    public TimeSpan ThrottleTime => TimeSpan.FromMilliseconds(Response?.ThrottleTimeMs ?? 0);

    /// <summary>The call.</summary>
    public ExchangeInfo Exchange { get; }

    internal Client.Fetched Core { get; }

    private Fetch.Response? Response => Core.Exchange.Outcome.IsOk ? Core.Exchange.Outcome.ResultValue : null;

    /// <summary>
    /// Throws where there is a fault or an error code. That nothing was read is neither; nor are batches that cannot be read, which
    /// show when they are opened.
    /// </summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is a fault or an error code.</exception>
    public FetchResult ThrowIfError()
    {
        Interop.ThrowIfFailed(Fault, Error, Exchange, _cancellation);
        return this;
    }

    internal FetchResult ThrowIfCancelled() => Fault is { Kind: KafkaFaultKind.Cancelled } ? ThrowIfError() : this;
}
