using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>
/// What <see cref="ExactlyOnce.Poll"/> returns: <see cref="TransactionCommitted"/>, <see cref="TransactionAborted"/>,
/// <see cref="TransactionUnsettled"/>, <see cref="ExactlyOnceFailed"/>, or something else about the group or a partition (<see cref="GroupEvent"/>).
/// </summary>
public abstract class ExactlyOnceEvent
{
    private protected ExactlyOnceEvent() { }

    internal static ExactlyOnceEvent Of(Topics.ExactlyOnceEvent core, ConsumerEventCache events) =>
        core switch
        {
            Topics.ExactlyOnceEvent.Committed it => new TransactionCommitted(it),
            Topics.ExactlyOnceEvent.Aborted it => new TransactionAborted(it),
            Topics.ExactlyOnceEvent.Unsettled it => new TransactionUnsettled(it),
            Topics.ExactlyOnceEvent.Group it => GroupEvent.Of(it.Item, events),
            _ => new ExactlyOnceFailed((Topics.ExactlyOnceEvent.Failed)core),
        };
}

/// <summary>A transaction was committed: records of output, and the positions up to which their input was read.</summary>
public sealed class TransactionCommitted : ExactlyOnceEvent
{
    private readonly Topics.ExactlyOnceEvent _core;

    internal TransactionCommitted(Topics.ExactlyOnceEvent.Committed core)
    {
        _core = core;
        Records = core.records;
        Positions = core.positions.ToDictionary(one => TopicPartition.Of(one.Item1), one => FetchPosition.Of(one.Item2));
    }

    /// <summary>The position after the records that were read, for each partition of the input.</summary>
    public IReadOnlyDictionary<TopicPartition, FetchPosition> Positions { get; }

    /// <summary>The number of records of the output.</summary>
    public int Records { get; }

    /// <summary>The number of records and the positions.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();
}

/// <summary>A transaction was aborted. Its input is read and transformed again, here or by another member.</summary>
public sealed class TransactionAborted : ExactlyOnceEvent
{
    private readonly Topics.ExactlyOnceEvent _core;

    internal TransactionAborted(Topics.ExactlyOnceEvent.Aborted core)
    {
        _core = core;
        From = [.. core.from.Select(TopicPartition.Of)];
        Problem = new(core.Item2);
    }

    /// <summary>The partitions that were read.</summary>
    public IReadOnlyList<TopicPartition> From { get; }

    /// <summary>Why.</summary>
    public TransactionProblem Problem { get; }

    /// <summary>The partitions and the reason.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();
}

/// <summary>
/// Whether the last transaction was committed is not known yet, because the coordinator cannot be reached. The next poll asks again.
/// </summary>
public sealed class TransactionUnsettled : ExactlyOnceEvent
{
    private readonly Topics.ExactlyOnceEvent _core;

    internal TransactionUnsettled(Topics.ExactlyOnceEvent.Unsettled core)
    {
        _core = core;
        Problem = new(core.Item);
    }

    /// <summary>Why.</summary>
    public TransactionProblem Problem { get; }

    /// <summary>The reason.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();
}

/// <summary>
/// The producer cannot continue: another one has taken over its transactional id, or it is not allowed to produce. Every further poll returns the
/// same.
/// </summary>
public sealed class ExactlyOnceFailed : ExactlyOnceEvent
{
    internal ExactlyOnceFailed(Topics.ExactlyOnceEvent.Failed core)
    {
        Problem = new(core.Item);
    }

    /// <summary>Why.</summary>
    public TransactionProblem Problem { get; }

    /// <summary>The reason.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => Problem.ToString();
}

/// <summary>Why a transaction could not be committed.</summary>
public sealed class TransactionProblem
{
    private readonly Topics.TransactionProblem _core;
    private readonly string? _subject;

    internal TransactionProblem(Topics.TransactionProblem core)
    {
        _core = core;
        switch (core)
        {
            case Topics.TransactionProblem.Refused it:
                Api = it.api;
                Fault = KafkaFault.Of(it.Item2, null, null);
                _subject = it.api.ToString();
                break;
            case Topics.TransactionProblem.Unanswered it:
                Api = it.api;
                Fault = KafkaFault.Of(it.Item2, null);
                _subject = it.api.ToString();
                break;
            case Topics.TransactionProblem.NotProduced it:
                Partition = TopicPartition.Of(it.Item1);
                Fault = KafkaFault.NotProduced(it.reason);
                _subject = it.Item1.ToString();
                break;
            default:
                Loss = PartitionsLost.ReasonOf(((Topics.TransactionProblem.PartitionsLost)core).Item);
                Fault = KafkaFault.NotAssigned(core.ToString());
                break;
        }
    }

    /// <summary>The step that was refused or not answered; null if neither is the problem.</summary>
    public ApiKey? Api { get; }

    /// <summary>The partition whose batch was not produced, or may not have been; null if that is not the problem.</summary>
    public TopicPartition? Partition { get; }

    /// <summary>Why the member has lost partitions that the transaction had read; null if that is not the problem.</summary>
    public LossReason? Loss { get; }

    /// <summary>
    /// What is wrong. An error code is a fault of the kind <see cref="KafkaFaultKind.BrokerError"/>, and a batch that was not produced is one of the kind
    /// <see cref="KafkaFaultKind.NotProduced"/>. Partitions that were lost are one of the kind <see cref="KafkaFaultKind.NotAssigned"/>.
    /// </summary>
    public KafkaFault Fault { get; }

    /// <summary>An exception with the fault, for callers that cannot continue.</summary>
    /// <returns>The exception, which is not thrown.</returns>
    public KafkaException ToException() => new(Fault, null, _subject);

    /// <summary>The step and what is wrong.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();
}
