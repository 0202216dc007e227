using System;

namespace LibKafka;

/// <summary>The place of a record among those that were added: what is reported of its batch is true of the record.</summary>
/// <param name="Partition">The partition that the record was collected for.</param>
/// <param name="BatchNumber">The number of its batch, from 0. Batches are numbered in the order in which they begin, over all partitions.</param>
/// <param name="Index">The position of the record in its batch, from 0. In the log, its offset is the batch's base offset plus this.</param>
public readonly record struct RecordTicket(int Partition, long BatchNumber, int Index)
{
    /// <summary>As in <c>record 3 of batch 7 for partition 2</c>.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => ToCore().ToString();

    internal static RecordTicket Of(Topics.Ticket core) => new(core.Partition, core.Batch, core.Index);

    internal Topics.Ticket ToCore() => new(Partition, BatchNumber, Index);
}

/// <summary>Whether a record was added.</summary>
public enum AddStatus
{
    /// <summary>The record is in a batch.</summary>
    Added,

    /// <summary>
    /// The bound on buffered bytes (<see cref="BatchCollectorOptions.MaxBufferedBytes"/>) is reached, and the record was not taken. Send batches,
    /// and add it again.
    /// </summary>
    Full,

    /// <summary>
    /// The record alone makes a batch that is larger than <see cref="BatchCollectorOptions.MaxBatchBytes"/>, and was not taken. It never will be:
    /// make it smaller, or raise the limit, and the broker's (<c>max.message.bytes</c>) too if necessary.
    /// </summary>
    TooLarge,
}

/// <summary>What adding a record led to.</summary>
public readonly record struct AddResult
{
    private readonly RecordTicket _ticket;

    private AddResult(AddStatus status, RecordTicket ticket)
    {
        Status = status;
        _ticket = ticket;
    }

    /// <summary>Whether the record was added.</summary>
    public AddStatus Status { get; }

    /// <summary>Whether the record is in a batch.</summary>
    public bool IsAdded => Status == AddStatus.Added;

    /// <summary>The place of the record.</summary>
    /// <exception cref="InvalidOperationException">The record was not added.</exception>
    public RecordTicket Ticket => IsAdded ? _ticket : throw new InvalidOperationException($"The record was {this}.");

    /// <summary>The ticket, or why the record was not taken.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() =>
        Status switch
        {
            AddStatus.Added => _ticket.ToString(),
            AddStatus.Full => Topics.Added.Full.ToString(),
            _ => Topics.Added.TooLarge.ToString(),
        };

    internal static AddResult Of(Topics.Added core) =>
        core.IsCollected ? new(AddStatus.Added, RecordTicket.Of(core.ticket))
        : core.IsFull ? new(AddStatus.Full, default)
        : new(AddStatus.TooLarge, default);
}
