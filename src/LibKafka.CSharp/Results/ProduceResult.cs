using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;
using LibKafka.Records;

namespace LibKafka;

/// <summary>Whether a batch was appended to the log.</summary>
public enum ProduceStatus
{
    /// <summary>The batch is in the log.</summary>
    Acknowledged,

    /// <summary>The batch is not in the log: the broker refused it, or it was never sent.</summary>
    Rejected,

    /// <summary>
    /// The batch may or may not be in the log: the answer was lost, or the broker itself is not sure, or there is no acknowledgement with
    /// <c>Acks.None</c>. Sending it again may duplicate it, unless an <see cref="IdempotentProducer"/> sends it.
    /// </summary>
    Unknown,
}

/// <summary>A record because of which the whole batch was refused (KIP-467).</summary>
/// <param name="Index">The position of the record in the batch, from 0.</param>
/// <param name="Message">What is wrong with it; null if the broker does not say.</param>
public readonly record struct RecordError(int Index, string? Message);

/// <summary>The result of producing a batch.</summary>
public sealed class ProduceResult : KafkaResult
{
    private readonly Produce.PartitionResponse? _refusal;

    internal ProduceResult(Client.Produced core, CallOptions call)
        : this(core, core.Refusal.OrNull(), new CallReport(core.Exchanges, call.CancellationToken)) { }

    private ProduceResult(Client.Produced core, Produce.PartitionResponse? refusal, CallReport report)
        : base(report, FaultOf(core.Result, report.FaultOf), refusal?.Error ?? ErrorCode.None, refusal?.ErrorMessage.OrNull())
    {
        Core = core;
        _refusal = refusal;
        WasSentBefore = core.Result is Client.ProduceResult.Unknown { Item: Client.Doubt.SentBefore };
        Status =
            core.Result.IsAcknowledged ? ProduceStatus.Acknowledged
            : core.Result.IsRejected ? ProduceStatus.Rejected
            : ProduceStatus.Unknown;

        if (core.Result is Client.ProduceResult.Acknowledged { Item: var acknowledgement })
        {
            BaseOffset = acknowledgement.BaseOffset;
            LogStartOffset = acknowledgement.LogStartOffset;
            LogAppendTime = Interop.Time(acknowledgement.LogAppendTimeMs);
        }

        if (refusal is not null)
        {
            var response = core.Exchange.Result is { IsOk: true, ResultValue: { } answered } ? answered.Value : null;
            CurrentLeader = LeaderHint.Of(refusal.CurrentLeader, response?.NodeEndpoints ?? []);
        }
    }

    /// <summary>Whether the batch is in the log.</summary>
    public ProduceStatus Status { get; }

    /// <summary>
    /// The offset of the batch's first record; -1 unless the batch was acknowledged, and if the broker only reports that it already has the
    /// batch (DUPLICATE_SEQUENCE_NUMBER).
    /// </summary>
    public long BaseOffset { get; } = -1;

    /// <summary>The time at which the broker appended the batch; null if the topic keeps the producer's timestamps.</summary>
    public DateTimeOffset? LogAppendTime { get; }

    /// <summary>The first offset of the partition's log; -1 if the broker does not report it.</summary>
    public long LogStartOffset { get; } = -1;

    /// <summary>The records because of which the batch was refused, if the broker names them.</summary>
    public IReadOnlyList<RecordError> RecordErrors =>
        _refusal is null ? [] : [.. _refusal.RecordErrors.Select(error => new RecordError(error.BatchIndex, error.Message.OrNull()))];

    /// <summary>
    /// Whether an idempotent producer had already sent the batch, with an unknown outcome, and this attempt was refused or not sent. The batch
    /// may be in the log from the earlier attempt.
    /// </summary>
    public bool WasSentBefore { get; }

    /// <summary>
    /// The batch as it was sent, or would have been sent: an idempotent producer puts its identity and a sequence into it. Its
    /// <c>SizeInBytes</c> is what MESSAGE_TOO_LARGE refers to.
    /// </summary>
    public RecordBatch Batch => Core.Batch;

    /// <summary>The new leader, if the broker does not lead the partition and knows which broker does.</summary>
    public LeaderHint? CurrentLeader { get; }

    /// <inheritdoc/>
    public override ExchangeInfo Exchange => base.Exchange!;

    /// <inheritdoc/>
    public override bool IsRetriable => Core.IsTransient;

    internal Client.Produced Core { get; }

    internal override string? Meaning =>
        Status == ProduceStatus.Unknown ? "the batch may or may not be in the log" : "the batch is not in the log";

    /// <summary>
    /// Throws if there is a fault or an error code. A batch that was sent with <c>Acks.None</c> has neither, although its status is
    /// <see cref="ProduceStatus.Unknown"/>.
    /// </summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">The batch is not in the log, or may not be: the message says which.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled. If the batch had been sent, it may be in the log.</exception>
    public ProduceResult ThrowIfError()
    {
        ThrowIfFailed();
        return this;
    }

    /// <summary>
    /// As in <c>Acknowledged at offset 42</c> or <c>Rejected: MESSAGE_TOO_LARGE (10); the batch has 3 records in 512 bytes</c>.
    /// </summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() =>
        Status == ProduceStatus.Acknowledged ? FormattableString.Invariant($"Acknowledged at offset {BaseOffset}")
        : Fault is not null ? $"{Status}: {Fault}"
        : Error.IsError
            ? FormattableString.Invariant(
                $"{Status}: {Error}; the batch has {Interop.Count(Batch.Count, "record")} in {Batch.SizeInBytes} bytes"
            )
        : $"{Status}";

    /// <summary>Why a batch is not in the log, or may not be: a fault, or an error code as one. Null if neither is the reason.</summary>
    internal static KafkaFault? FailureOf(Client.ProduceResult result, BrokerAddress? broker)
    {
        var refusal = result switch
        {
            Client.ProduceResult.Rejected { Item: Client.Rejection.ByBroker it } => it.Item,
            Client.ProduceResult.Unknown { Item: Client.Doubt.BrokerUnsure it } => it.Item,
            Client.ProduceResult.Unknown { Item: Client.Doubt.SentBefore { Item: Client.Rejection.ByBroker it } } => it.Item,
            _ => null,
        };
        return refusal is null
            ? FaultOf(result, fault => KafkaFault.Of(fault, broker))
            : KafkaFault.Of(refusal.Error, refusal.ErrorMessage.OrNull(), broker);
    }

    private static KafkaFault? FaultOf(Client.ProduceResult result, Func<Client.ClientFault, KafkaFault> faultOf)
    {
        var rejection = result switch
        {
            Client.ProduceResult.Rejected { Item: var it } => it,
            Client.ProduceResult.Unknown { Item: Client.Doubt.SentBefore { Item: var it } } => it,
            _ => null,
        };
        return rejection is Client.Rejection.NotSent { Item: var notSent } ? faultOf(notSent)
            : result is Client.ProduceResult.Unknown { Item: Client.Doubt.AnswerLost { Item: var lost } } ? faultOf(lost)
            : null;
    }
}
