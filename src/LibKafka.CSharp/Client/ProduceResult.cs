using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka.Protocol;
using LibKafka.Records;

namespace LibKafka;

/// <summary>What became of a batch that was to be appended.</summary>
public enum ProduceStatus
{
    /// <summary>It is in the log.</summary>
    Acknowledged,

    /// <summary>It is not in the log: the broker refused it, or it was never sent.</summary>
    Rejected,

    /// <summary>
    /// It may or may not be in the log: the answer was lost, or the broker is not sure itself, or with <c>Acks.None</c> nobody was
    /// asked. Sending it again may double it, unless an <see cref="IdempotentProducer"/> does.
    /// </summary>
    Unknown,
}

/// <summary>A record for which its whole batch was refused (KIP-467).</summary>
/// <param name="Index">The place of the record in the batch, from 0.</param>
/// <param name="Message">What is wrong with it; null where the broker says nothing.</param>
public readonly record struct RecordError(int Index, string? Message);

/// <summary>
/// What became of a batch, with whatever the broker had to say. An error code or a fault does not throw by itself: see
/// <see cref="ThrowIfError"/>.
/// </summary>
public sealed class ProduceResult
{
    private readonly Produce.PartitionResponse? _refusal;
    private readonly CancellationToken _cancellation;

    internal ProduceResult(Client.Produced produced, CancellationToken cancellation)
    {
        _cancellation = cancellation;
        Core = produced;
        Exchange = new(produced.Exchange.Info);
        var response = produced.Exchange.Outcome is { IsOk: true, ResultValue: { } answered } ? answered.Value : null;
        ThrottleTime = TimeSpan.FromMilliseconds(response?.ThrottleTimeMs ?? 0);
        _refusal = produced.Refusal.OrNull();
        Client.ClientFault? fault = null;

        switch (produced.Outcome)
        {
            case Client.ProduceOutcome.Acknowledged { Item: var acknowledgement }:
                Status = ProduceStatus.Acknowledged;
                BaseOffset = acknowledgement.BaseOffset;
                LogStartOffset = acknowledgement.LogStartOffset;
                LogAppendTime = Interop.Time(acknowledgement.LogAppendTimeMs);
                break;
            case Client.ProduceOutcome.Rejected { Item: var rejection }:
                Status = ProduceStatus.Rejected;
                fault = (rejection as Client.Rejection.NotSent)?.Item;
                break;
            case Client.ProduceOutcome.Unknown { Item: Client.Doubt.SentBefore { Item: var rejection } }:
                Status = ProduceStatus.Unknown;
                WasSentBefore = true;
                fault = (rejection as Client.Rejection.NotSent)?.Item;
                break;
            case Client.ProduceOutcome.Unknown { Item: var doubt }:
                Status = ProduceStatus.Unknown;
                fault = (doubt as Client.Doubt.AnswerLost)?.Item;
                break;
        }

        Fault = fault is null ? null : KafkaFault.Of(fault, Exchange.Broker);
        CurrentLeader = _refusal is null ? null : LeaderHint.Of(_refusal.CurrentLeader, response?.NodeEndpoints ?? []);
    }

    /// <summary>Whether the batch is in the log.</summary>
    public ProduceStatus Status { get; }

    /// <summary>
    /// The offset of the batch's first record; -1 unless the batch was acknowledged, and where the broker only says that it has the
    /// batch already (DUPLICATE_SEQUENCE_NUMBER).
    /// </summary>
    public long BaseOffset { get; } = -1;

    /// <summary>The broker's clock when it appended the batch; null where the topic keeps the producer's timestamps.</summary>
    public DateTimeOffset? LogAppendTime { get; }

    /// <summary>The first offset that the partition still has; -1 where it is not told.</summary>
    public long LogStartOffset { get; } = -1;

    /// <summary>
    /// Why the broker refused the batch, or is not sure of it: MESSAGE_TOO_LARGE, NOT_LEADER_OR_FOLLOWER, … <c>ErrorCode.None</c> where
    /// it had nothing to object, or no answer came.
    /// </summary>
    public ErrorCode Error => _refusal?.Error ?? ErrorCode.None;

    /// <summary>What the broker says of the error; null where it says nothing.</summary>
    public string? ErrorMessage => _refusal?.ErrorMessage.OrNull();

    /// <summary>The records for which the batch was refused, where the broker tells them.</summary>
    public IReadOnlyList<RecordError> RecordErrors =>
        _refusal is null ? [] : [.. _refusal.RecordErrors.Select(error => new RecordError(error.BatchIndex, error.Message.OrNull()))];

    /// <summary>
    /// Whether an idempotent producer had sent the batch before without learning what became of it, and this time it was refused or not
    /// sent: that says nothing of the first time.
    /// </summary>
    public bool WasSentBefore { get; }

    /// <summary>
    /// The batch as it was sent, or was to be sent: an idempotent producer puts its identity and a sequence into it. Its
    /// <c>SizeInBytes</c> is what MESSAGE_TOO_LARGE is about.
    /// </summary>
    public RecordBatch Batch => Core.Batch;

    /// <summary>The new leader, where the broker asked does not lead the partition and knows which one does.</summary>
    public LeaderHint? CurrentLeader { get; }

    /// <summary>Why the batch was not sent, or no answer came; null where that is not the reason.</summary>
    public KafkaFault? Fault { get; }

    /// <summary>How long the client is asked to pause because it exceeded a quota; zero where it did not.</summary>
    public TimeSpan ThrottleTime { get; }

    /// <summary>The call.</summary>
    public ExchangeInfo Exchange { get; }

    internal Client.Produced Core { get; }

    /// <summary>
    /// Throws where there is a fault or an error code. A batch that was sent with <c>Acks.None</c> has neither: what became of it is
    /// unknown, and nobody wanted to know.
    /// </summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">The batch is not in the log, or may not be: the message says which.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled. The batch may be in the log where it had been sent.</exception>
    public ProduceResult ThrowIfError()
    {
        var addition = Status == ProduceStatus.Unknown ? "the batch may or may not be in the log" : "the batch is not in the log";
        if (Fault is not null)
        {
            throw KafkaException.For(Fault, Exchange, _cancellation, addition);
        }

        Interop.ThrowIfError(Error, ErrorMessage, Exchange, addition);
        return this;
    }

    /// <summary>
    /// As in <c>Acknowledged at offset 42</c> or <c>Rejected: MESSAGE_TOO_LARGE (10); the batch has 3 records in 512 bytes</c>.
    /// </summary>
    /// <returns>One line for people.</returns>
    public override string ToString() =>
        Status == ProduceStatus.Acknowledged ? FormattableString.Invariant($"Acknowledged at offset {BaseOffset}")
        : Fault is not null ? $"{Status}: {Fault}"
        : Error.IsError
            ? FormattableString.Invariant($"{Status}: {Error}; the batch has {Batch.Count} records in {Batch.SizeInBytes} bytes")
        : $"{Status}";

    /// <summary>A batch that was cancelled before anything of it had been sent is not in the log, and there is nothing else to say.</summary>
    internal ProduceResult ThrowIfCancelled() =>
        Fault is { Kind: KafkaFaultKind.Cancelled } && Status == ProduceStatus.Rejected ? ThrowIfError() : this;
}
