using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>Which transactions to list: those that meet all conditions.</summary>
public sealed record TransactionListFilter
{
    /// <summary>In one of these states; empty, unless set, for any.</summary>
    public IReadOnlyList<TransactionState> States
    {
        get;
        init => field = new ValueList<TransactionState>(Interop.Required(value));
    } = new ValueList<TransactionState>([]);

    /// <summary>Of one of these producers; empty, unless set, for any.</summary>
    public IReadOnlyList<long> ProducerIds
    {
        get;
        init => field = new ValueList<long>(Interop.Required(value));
    } = new ValueList<long>([]);

    /// <summary>Those that have been running for longer than this (KIP-994, Kafka 3.8); null, unless set, for any.</summary>
    public TimeSpan? LongerThan { get; init; }

    /// <summary>
    /// Those whose transactional id matches this regular expression as a whole (KIP-1152, Kafka 4.1); null, unless set, for any.
    /// </summary>
    public string? IdPattern { get; init; }

    internal Core.TransactionListFilter ToCore() =>
        new(States.ToFSharpList(), ProducerIds.ToFSharpList(), LongerThan is { } time ? new(time) : null, Interop.OptionOf(IdPattern));
}

/// <summary>A transaction in a list.</summary>
/// <param name="TransactionalId">The transactional id.</param>
/// <param name="ProducerId">The id of the producer.</param>
/// <param name="State">The state.</param>
public sealed record TransactionListing(string TransactionalId, long ProducerId, TransactionState State)
{
    /// <summary>The transactional id.</summary>
    public string TransactionalId
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(TransactionalId);

    internal static TransactionListing Of(ListTransactions.Transaction core) => new(core.TransactionalId, core.ProducerId, core.State);
}

/// <summary>The transactions that a broker coordinates.</summary>
public sealed record TransactionList
{
    /// <summary>The transactions.</summary>
    public IReadOnlyList<TransactionListing> Transactions
    {
        get;
        init => field = new ValueList<TransactionListing>(Interop.RequiredAll(value));
    } = new ValueList<TransactionListing>([]);

    /// <summary>The states of the filter that the broker does not know.</summary>
    public IReadOnlyList<TransactionState> UnknownStates
    {
        get;
        init => field = new ValueList<TransactionState>(Interop.Required(value));
    } = new ValueList<TransactionState>([]);

    internal static TransactionList Of(ListTransactions.Response core) =>
        new() { Transactions = [.. core.Transactions.Select(TransactionListing.Of)], UnknownStates = [.. core.UnknownStateFilters] };
}

/// <summary>A transaction with its partitions.</summary>
public sealed record TransactionDescription
{
    /// <summary>The transactional id.</summary>
    public required string TransactionalId
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>The state.</summary>
    public TransactionState State { get; init; }

    /// <summary>The id of the producer.</summary>
    public long ProducerId { get; init; }

    /// <summary>The epoch of the producer.</summary>
    public short ProducerEpoch { get; init; }

    /// <summary>How long a transaction may take before the coordinator aborts it.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>When the transaction began; null if none is open.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>The partitions of the transaction.</summary>
    public IReadOnlyList<TopicPartition> Partitions
    {
        get;
        init => field = new ValueList<TopicPartition>(Interop.RequiredAll(value));
    } = new ValueList<TopicPartition>([]);

    internal static TransactionDescription Of(DescribeTransactions.Transaction core) =>
        new()
        {
            TransactionalId = core.TransactionalId,
            State = core.State,
            ProducerId = core.ProducerId,
            ProducerEpoch = core.ProducerEpoch,
            Timeout = TimeSpan.FromMilliseconds(core.TimeoutMs),
            Started = Interop.Time(core.StartTimeMs),
            Partitions = [.. core.Topics.SelectMany(topic => topic.Partitions.Select(index => new TopicPartition(topic.Topic, index)))],
        };
}

/// <summary>What a partition remembers of a producer.</summary>
public sealed record PartitionProducerState
{
    /// <summary>The id of the producer.</summary>
    public required long ProducerId { get; init; }

    /// <summary>The epoch of the producer.</summary>
    public int ProducerEpoch { get; init; }

    /// <summary>The last sequence; -1 if there is none.</summary>
    public int LastSequence { get; init; } = -1;

    /// <summary>The timestamp of the last batch; null if there is none.</summary>
    public DateTimeOffset? LastTimestamp { get; init; }

    /// <summary>The epoch of the coordinator that wrote the last marker; -1 if there is none.</summary>
    public int CoordinatorEpoch { get; init; } = -1;

    /// <summary>The offset at which the open transaction begins; null if none is open.</summary>
    public long? TransactionStartOffset { get; init; }

    internal static PartitionProducerState Of(DescribeProducers.Producer core) =>
        new()
        {
            ProducerId = core.ProducerId,
            ProducerEpoch = core.ProducerEpoch,
            LastSequence = core.LastSequence,
            LastTimestamp = Interop.Time(core.LastTimestamp),
            CoordinatorEpoch = core.CoordinatorEpoch,
            TransactionStartOffset = core.CurrentTxnStartOffset < 0 ? null : core.CurrentTxnStartOffset,
        };
}

/// <summary>
/// A transaction that is open in one partition and must be aborted there, because its coordinator does not end it (KIP-664). Abort it only if
/// <c>DescribeTransactions</c> shows that its coordinator no longer knows it.
/// </summary>
/// <param name="Partition">The partition.</param>
/// <param name="ProducerId">The id of the producer.</param>
/// <param name="ProducerEpoch">The epoch of the producer.</param>
/// <param name="CoordinatorEpoch">
/// The leader epoch of the coordinator's partition. A broker refuses a lower one than it has seen.
/// </param>
public sealed record HangingTransaction(TopicPartition Partition, long ProducerId, short ProducerEpoch, int CoordinatorEpoch)
{
    /// <summary>The partition.</summary>
    public TopicPartition Partition
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Partition);

    /// <summary>The open transaction of a producer.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="producer">What <c>DescribeProducers</c> has returned.</param>
    /// <returns>The transaction; null if the producer has none.</returns>
    public static HangingTransaction? Of(TopicPartition partition, PartitionProducerState producer) =>
        Interop.Required(producer).TransactionStartOffset is null
            ? null
            : new(
                Interop.Required(partition),
                producer.ProducerId,
                (short)producer.ProducerEpoch,
                // It is -1 before the first marker of the producer.
                Math.Max(0, producer.CoordinatorEpoch)
            );

    internal static HangingTransaction Of(Core.HangingTransaction core) =>
        new(TopicPartition.Of(core.Partition), core.ProducerId, core.ProducerEpoch, core.CoordinatorEpoch);

    internal Core.HangingTransaction ToCore() => new(Partition.ToCore(), ProducerId, ProducerEpoch, CoordinatorEpoch);
}

/// <summary>A group whose offsets are listed.</summary>
/// <param name="GroupId">The id of the group.</param>
/// <param name="Partitions">The partitions; null for all for which the group has committed an offset.</param>
public sealed record GroupPartitions(string GroupId, IReadOnlyList<TopicPartition>? Partitions = null)
{
    /// <summary>The id of the group.</summary>
    public string GroupId
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(GroupId);

    /// <summary>The partitions; null for all for which the group has committed an offset.</summary>
    public IReadOnlyList<TopicPartition>? Partitions
    {
        get;
        init => field = value is null ? null : new ValueList<TopicPartition>(Interop.RequiredAll(value));
    } = Partitions is null ? null : new ValueList<TopicPartition>(Interop.RequiredAll(Partitions));
}

/// <summary>An offset that a group has committed.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Offset">The offset; null if none is committed, or if there is an error.</param>
/// <param name="Error">Why the offset is not known, such as UNSTABLE_OFFSET_COMMIT; <c>ErrorCode.None</c> if it is.</param>
public sealed record GroupOffset(TopicPartition Partition, CommittedOffset? Offset, ErrorCode Error)
{
    /// <summary>The partition.</summary>
    public TopicPartition Partition
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Partition);

    internal static GroupOffset Of(Core.FetchedOffset core)
    {
        var partition = TopicPartition.Of(core.Partition);
        return core.Result.IsError
            ? new(partition, null, core.Result.ErrorValue)
            : new(partition, core.Result.ResultValue.OrNull() is { } offset ? CommittedOffset.Of(offset) : null, ErrorCode.None);
    }
}
