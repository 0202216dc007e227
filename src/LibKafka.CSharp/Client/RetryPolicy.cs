using System;
using System.Text;
using System.Threading;
using Microsoft.FSharp.Core;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>
/// Whether to send a batch again, because the fault or error code may go away by itself. For other calls, see
/// <see cref="KafkaResult.IsTransient"/>. They can be parts of other policies:
/// <c>RetryPolicy.For&lt;ProduceResult&gt;(result =&gt; Retriable.Produce(result) || …)</c>.
/// </summary>
public static class Retriable
{
    /// <summary>
    /// Whether a batch is not in the log for a reason that may go away, so that sending it again cannot duplicate it. If the outcome is unknown,
    /// the batch is not worth another attempt.
    /// </summary>
    /// <param name="result">The result of producing the batch.</param>
    /// <returns>Whether to send it again.</returns>
    public static bool Produce(ProduceResult result) => Core.Transient.isProduced(Interop.Required(result).Core);

    /// <summary>The same for an <see cref="IdempotentProducer"/>, which can also send a batch again if the outcome is unknown.</summary>
    /// <param name="result">The result of producing the batch.</param>
    /// <returns>Whether to send it again.</returns>
    public static bool Idempotent(ProduceResult result) => Core.Transient.isIdempotent(Interop.Required(result).Core);
}

/// <summary>Predefined policies; <c>with</c> makes variants.</summary>
/// <remarks>
/// <code>
/// var result = RetryPolicy.Produce.Run(call => producer.Produce(batch, call));
/// </code>
/// </remarks>
public static class RetryPolicy
{
    private static readonly Core.RetryPolicy<KafkaResult> Patient = Core.RetryPolicy.patient(
        FuncConvert.FromFunc<KafkaResult, bool>(static result => result.IsRetriable)
    );

    /// <summary>
    /// For any call: to connect, produce, fetch, seek, join, sync, commit, for each step of a transaction, for administrative calls and identities.
    /// It repeats the call while its result is <see cref="KafkaResult.IsRetriable"/>. Delays grow from 100 ms to a second, and no attempt begins
    /// more than half a minute after the first. That is enough for the first calls to a new cluster and for an election.
    /// </summary>
    public static RetryPolicy<KafkaResult> Standard { get; } =
        For<KafkaResult>(static result => result.IsRetriable) with
        {
            Attempts = Patient.Attempts,
            MaxDelay = Patient.MaxDelay,
            TimeLimit = Patient.TimeLimit,
        };

    /// <summary>For <see cref="PartitionProducer"/>: as long as the batch is certainly not in the log.</summary>
    public static RetryPolicy<ProduceResult> Produce { get; } = For<ProduceResult>(Retriable.Produce);

    /// <summary>For <see cref="IdempotentProducer"/>: also if the outcome is unknown.</summary>
    public static RetryPolicy<ProduceResult> Idempotent { get; } = For<ProduceResult>(Retriable.Idempotent);

    /// <summary>For <see cref="PartitionFetcher.Fetch(CallOptions)"/>.</summary>
    public static RetryPolicy<FetchResult> Fetch { get; } = Transient<FetchResult>();

    /// <summary>
    /// For <see cref="PartitionFetcher.Seek(OffsetSpec, CallOptions)"/> and
    /// <see cref="PartitionFetcher.FindOffset(OffsetSpec, CallOptions)"/>.
    /// </summary>
    public static RetryPolicy<OffsetResult> Seek { get; } = Transient<OffsetResult>();

    /// <summary>
    /// For any call that is safe to repeat, such as to connect, to fetch, to commit offsets: as long as its result is
    /// <see cref="KafkaResult.IsTransient"/>. The rest is as with <see cref="For{TResult}"/>.
    /// </summary>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <returns>The policy.</returns>
    public static RetryPolicy<TResult> Transient<TResult>()
        where TResult : KafkaResult => For<TResult>(result => result.IsTransient);

    /// <summary>
    /// For any call: five attempts within a minute, after delays of 100 ms, 200 ms, 400 ms and 800 ms, each up to a fifth shorter.
    /// </summary>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="again">Whether a result is worth another attempt.</param>
    /// <returns>The policy.</returns>
    public static RetryPolicy<TResult> For<TResult>(Func<TResult, bool> again) => new(again);
}

/// <summary>
/// When to repeat a call, how often, and how long to wait between attempts. A value that can wrap any call; without it, no call is repeated.
/// </summary>
/// <typeparam name="TResult">The type of the result.</typeparam>
public sealed record RetryPolicy<TResult>
{
    private static readonly Core.RetryPolicy<TResult> Standard = Core.RetryPolicy.make(
        FuncConvert.FromFunc<TResult, bool>(static _ => false)
    );

    /// <summary>A policy with the defaults of <see cref="RetryPolicy.For{TResult}"/>.</summary>
    /// <param name="again">Whether a result is worth another attempt.</param>
    public RetryPolicy(Func<TResult, bool> again)
    {
        Again = Interop.Required(again);
    }

    /// <summary>Whether a result is worth another attempt.</summary>
    public Func<TResult, bool> Again
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>The maximum number of attempts, including the first: 5 unless set. There is always one.</summary>
    public int Attempts { get; init; } = Standard.Attempts;

    /// <summary>How long to wait before the second attempt: 100 ms unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan FirstDelay
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(FirstDelay));
    } = Standard.FirstDelay;

    /// <summary>The factor from each delay to the next: 2 unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not a number.</exception>
    public double Factor
    {
        get;
        init =>
            field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(Factor), value, "The factor must not be negative.");
    } = Standard.Factor;

    /// <summary>The longest delay: 10 seconds unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan MaxDelay
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(MaxDelay));
    } = Standard.MaxDelay;

    /// <summary>
    /// The random part of a delay, from 0 to 1, so that clients that failed together do not all retry together: 0.2 (unless set) turns a delay of
    /// 100 ms into one between 80 and 100.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not between 0 and 1.</exception>
    public double Jitter
    {
        get;
        init =>
            field = value is >= 0 and <= 1
                ? value
                : throw new ArgumentOutOfRangeException(nameof(Jitter), value, "The jitter must be between 0 and 1.");
    } = Standard.Jitter;

    /// <summary>
    /// How long all attempts together may take: a minute unless set; <see cref="Timeout.InfiniteTimeSpan"/> for no limit. No attempt starts
    /// later; one that has started has its own time-out.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan TimeLimit
    {
        get;
        init => field = Interop.CheckLimit(value, TimeSpan.Zero, nameof(TimeLimit));
    } = Standard.TimeLimit;

    /// <summary>The clock for <see cref="TimeLimit"/>: the system's unless set.</summary>
    public TimeProvider TimeProvider
    {
        get;
        init => field = Interop.Required(value);
    } = Standard.Time;

    /// <summary>The source of random numbers from 0 (inclusive) to 1 (exclusive); null for <see cref="System.Random.Shared"/>.</summary>
    public Func<double>? Random { get; init; }

    /// <summary>Waits for a time, or until the token is cancelled; null to block the thread.</summary>
    public Action<TimeSpan, CancellationToken>? Sleep { get; init; }

    /// <summary>Repeats a call until its result is not worth another attempt, or no other attempt is allowed.</summary>
    /// <param name="call">The call. Pass the options on to it: they have the number of the attempt and the token.</param>
    /// <param name="cancellationToken">Cancels the waiting, and the call if the options are passed on to it.</param>
    /// <typeparam name="TCall">The type of the call's result.</typeparam>
    /// <returns>The last result.</returns>
    public TCall Run<TCall>(Func<CallOptions, TCall> call, CancellationToken cancellationToken = default)
        where TCall : TResult => Run(call, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Run{TCall}(Func{CallOptions, TCall}, CancellationToken)"/>
    /// <param name="call">The call. Pass the options on to it.</param>
    /// <param name="callOptions">The options for each attempt, to which the number of the attempt is added.</param>
    public TCall Run<TCall>(Func<CallOptions, TCall> call, CallOptions callOptions)
        where TCall : TResult
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(callOptions);
        return ToCore<TCall>()
            .Run(
                FuncConvert.FromFunc<Core.CallOptions, TCall>(one => call(callOptions with { Attempt = one.Attempt })),
                callOptions.ToCore()
            );
    }

    private bool PrintMembers(StringBuilder builder) =>
        builder.AppendMembers(
            (nameof(Again), Again),
            (nameof(Attempts), Attempts),
            (nameof(FirstDelay), FirstDelay),
            (nameof(Factor), Factor),
            (nameof(MaxDelay), MaxDelay),
            (nameof(Jitter), Jitter),
            (nameof(TimeLimit), TimeLimit),
            (nameof(TimeProvider), TimeProvider),
            (nameof(Random), Random),
            (nameof(Sleep), Sleep)
        );

    private Core.RetryPolicy<TCall> ToCore<TCall>()
        where TCall : TResult => ToCore<TCall>(result => result);

    /// <summary>The policy for the core's replies, from which results are made.</summary>
    internal Core.RetryPolicy<TReply> ToCore<TReply>(Func<TReply, TResult> resultOf) =>
        new(
            again: FuncConvert.FromFunc<TReply, bool>(reply => Again(resultOf(reply))),
            attempts: Attempts,
            firstDelay: FirstDelay,
            factor: Factor,
            maxDelay: MaxDelay,
            jitter: Jitter,
            timeLimit: TimeLimit == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : TimeLimit,
            random: Random is null ? Standard.Random : FuncConvert.FromFunc(Random),
            time: TimeProvider,
            sleep: Sleep is null ? Standard.Sleep : FuncConvert.FromAction(Sleep)
        );
}
