using System;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>
/// What a consumer does with a partition after an event, and ready functions that say so, for <see cref="TopicConsumerOptions.NextStep"/>. Such a
/// function must be pure.
/// </summary>
/// <remarks>
/// A function of your own:
/// <code>
/// static NextStep Choose(ConsumerEvent @event) =>
///     @event switch
///     {
///         OffsetOutOfRange => NextStep.Seek(OffsetSpec.Latest),
///         FetchFailed { Attempt: > 10 } => NextStep.GiveUp,
///         _ => NextStep.Standard(@event),
///     };
/// </code>
/// </remarks>
public sealed class NextStep
{
    private NextStep(Topics.NextStep core)
    {
        Core = core;
    }

    /// <summary>Does not read the partition any more, until <c>TopicConsumer.Seek</c> sets a position.</summary>
    public static NextStep GiveUp { get; } = new(Topics.NextStep.GiveUp);

    internal Topics.NextStep Core { get; }

    /// <summary>Reads on from this position.</summary>
    /// <param name="position">The position.</param>
    /// <returns>The step.</returns>
    public static NextStep Continue(FetchPosition position) => new(Topics.NextStep.NewGoOn(Interop.Required(position).ToCore()));

    /// <summary>Asks the leader for an offset, and reads from there.</summary>
    /// <param name="offset">The place or timestamp.</param>
    /// <returns>The step.</returns>
    public static NextStep Seek(OffsetSpec offset) => new(Topics.NextStep.NewSeek(offset));

    /// <summary>Tries again from the same position after a time. Other partitions are read meanwhile.</summary>
    /// <param name="time">The time.</param>
    /// <returns>The step.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative or longer than 2³¹ milliseconds.</exception>
    public static NextStep Wait(TimeSpan time) => new(Topics.NextStep.NewWait(Interop.CheckTime(time, TimeSpan.Zero, nameof(time))));

    /// <summary>
    /// The function that is used unless another one is set. It never skips records in silence: where the log has lost something, the partition is
    /// given up, and the event says what is missing.
    /// <list type="bullet">
    /// <item><see cref="RecordsFetched"/>: continues after the records.</item>
    /// <item><see cref="LogTruncated"/>: goes back to where the log diverges.</item>
    /// <item><see cref="TopicRecreated"/>: reads the new topic from its beginning.</item>
    /// <item><see cref="OffsetOutOfRange"/>, <see cref="LogDamaged"/>: gives up.</item>
    /// <item><see cref="FetchFailed"/>: if the failure is transient, waits from 100 ms to a second, without end; gives up otherwise.</item>
    /// </list>
    /// </summary>
    /// <param name="consumerEvent">The event.</param>
    /// <returns>The step.</returns>
    public static NextStep Standard(ConsumerEvent consumerEvent) =>
        Of(Topics.NextStepModule.standard(Interop.Required(consumerEvent).Core));

    /// <summary>The same as <see cref="Standard"/>, with the delays of a policy.</summary>
    /// <param name="policy">The policy.</param>
    /// <typeparam name="TResult">The type of the policy's results, which is not used.</typeparam>
    /// <returns>The function.</returns>
    public static Func<ConsumerEvent, NextStep> Retrying<TResult>(RetryPolicy<TResult> policy)
    {
        var core = Interop.Required(policy).ToCore<TResult>(static result => result);
        return consumerEvent => Of(Topics.NextStepModule.retrying(core, Interop.Required(consumerEvent).Core));
    }

    /// <summary>
    /// The same as <see cref="Standard"/>, but if the position is not in the log, it reads from another place: <see cref="OffsetSpec.Earliest"/>,
    /// the first record that is left, or <see cref="OffsetSpec.Latest"/>. This skips records or reads some again.
    /// </summary>
    /// <param name="offset">The place.</param>
    /// <returns>The function.</returns>
    public static Func<ConsumerEvent, NextStep> Resetting(OffsetSpec offset) =>
        consumerEvent => Of(Topics.NextStepModule.resetting(offset, Interop.Required(consumerEvent).Core));

    /// <summary>The same as another function, but damaged records are skipped if their end is known.</summary>
    /// <param name="otherwise">The other function.</param>
    /// <returns>The function.</returns>
    public static Func<ConsumerEvent, NextStep> SkippingDamage(Func<ConsumerEvent, NextStep> otherwise)
    {
        ArgumentNullException.ThrowIfNull(otherwise);
        return consumerEvent =>
            consumerEvent is LogDamaged { Next: { } next } ? Continue(next) : otherwise(Interop.Required(consumerEvent));
    }

    /// <summary>The position, the time, or what else is done.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => Core.ToString();

    internal static FSharpFunc<Topics.ConsumerEvent, Topics.NextStep> ToCore(
        Func<ConsumerEvent, NextStep> choose,
        ConsumerEventCache events
    ) =>
        FuncConvert.FromFunc<Topics.ConsumerEvent, Topics.NextStep>(core =>
            choose(events.Of(core))?.Core ?? throw new InvalidOperationException("The function NextStep returned null.")
        );

    private static NextStep Of(Topics.NextStep core) => core.IsGiveUp ? GiveUp : new(core);
}
