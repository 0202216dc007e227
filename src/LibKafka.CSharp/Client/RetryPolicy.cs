using System;
using System.Runtime.ExceptionServices;
using System.Threading;
using Microsoft.FSharp.Core;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>
/// Which results are worth another attempt, because what went wrong may go away by itself. For policies of one's own:
/// <c>RetryPolicy.For&lt;FetchResult&gt;(result =&gt; Retriable.Fetch(result) || …)</c>.
/// </summary>
public static class Retriable
{
    /// <summary>
    /// Whether a batch is not in the log for a reason that may go away: sending it again cannot double it. Where nobody knows whether it
    /// is in the log, it is not to be sent again.
    /// </summary>
    /// <param name="result">What became of the batch.</param>
    /// <returns>Whether it may be sent again.</returns>
    public static bool Produce(ProduceResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return Core.Transient.isProduced(result.Core);
    }

    /// <summary>The same for an <see cref="IdempotentProducer"/>, which may also send again what nobody knows about.</summary>
    /// <param name="result">What became of the batch.</param>
    /// <returns>Whether it may be sent again.</returns>
    public static bool Idempotent(ProduceResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return Core.Transient.isIdempotent(result.Core);
    }

    /// <summary>Whether a fetch failed for a reason that may go away.</summary>
    /// <param name="result">What it brought.</param>
    /// <returns>Whether it may go through later.</returns>
    public static bool Fetch(FetchResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return Core.Transient.isFetched(result.Core);
    }

    /// <summary>Whether a search for an offset failed for a reason that may go away.</summary>
    /// <param name="result">What it found.</param>
    /// <returns>Whether it may go through later.</returns>
    public static bool Seek(OffsetResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return Core.Transient.isSought(result.Core);
    }
}

/// <summary>Ready policies, to be changed by <c>with</c>.</summary>
/// <remarks>
/// <code>
/// var result = RetryPolicy.Produce.Run(attempt => producer.Produce(batch, attempt, cancellation), cancellation);
/// </code>
/// </remarks>
public static class RetryPolicy
{
    /// <summary>For <see cref="PartitionProducer"/>: as long as a batch is certain not to be in the log.</summary>
    public static RetryPolicy<ProduceResult> Produce { get; } = For<ProduceResult>(Retriable.Produce);

    /// <summary>For <see cref="IdempotentProducer"/>: also where it is not known whether a batch is in the log.</summary>
    public static RetryPolicy<ProduceResult> Idempotent { get; } = For<ProduceResult>(Retriable.Idempotent);

    /// <summary>For <see cref="PartitionFetcher.Fetch(int, CancellationToken)"/>.</summary>
    public static RetryPolicy<FetchResult> Fetch { get; } = For<FetchResult>(Retriable.Fetch);

    /// <summary>
    /// For <see cref="PartitionFetcher.Seek(Protocol.OffsetSpec, int, CancellationToken)"/> and
    /// <see cref="PartitionFetcher.FindOffset(Protocol.OffsetSpec, int, CancellationToken)"/>.
    /// </summary>
    public static RetryPolicy<OffsetResult> Seek { get; } = For<OffsetResult>(Retriable.Seek);

    /// <summary>
    /// For any call: five attempts within a minute, after 100 ms, 200 ms, 400 ms and 800 ms less up to a fifth.
    /// </summary>
    /// <typeparam name="TResult">What comes of the call.</typeparam>
    /// <param name="again">Whether what came of a call is worth another attempt.</param>
    /// <returns>The policy.</returns>
    public static RetryPolicy<TResult> For<TResult>(Func<TResult, bool> again) => new(again);
}

/// <summary>
/// When to make a call again, how often, and how long to wait before. A value that wraps any call; without one, nothing is made twice.
/// </summary>
/// <typeparam name="TResult">What comes of the call.</typeparam>
public sealed record RetryPolicy<TResult>
{
    private static readonly Core.RetryPolicy<Attempt> Standard = Core.RetryPolicy.make(
        FuncConvert.FromFunc<Attempt, bool>(static _ => false)
    );

    /// <summary>A policy as <see cref="RetryPolicy.For{TResult}"/> makes it.</summary>
    /// <param name="again">Whether what came of a call is worth another attempt.</param>
    public RetryPolicy(Func<TResult, bool> again)
    {
        ArgumentNullException.ThrowIfNull(again);
        Again = again;
    }

    /// <summary>Whether what came of a call is worth another attempt.</summary>
    public Func<TResult, bool> Again { get; init; }

    /// <summary>
    /// Whether a call that threw is worth another attempt; null, unless set, where none is. Producing, fetching and seeking do not throw
    /// for what goes wrong; other calls do: see <see cref="KafkaFault.IsTransient"/>.
    /// </summary>
    public Func<KafkaException, bool>? AgainAfter { get; init; }

    /// <summary>The most attempts, the first included: 5 unless set. There is always one.</summary>
    public int Attempts { get; init; } = Standard.Attempts;

    /// <summary>How long to wait before the second attempt: 100 ms unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan FirstDelay
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(value));
    } = Standard.FirstDelay;

    /// <summary>By how much each further delay is longer than the one before: twice as long unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or no number.</exception>
    public double Factor
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "It must not be negative.");
    } = Standard.Factor;

    /// <summary>The longest delay: 10 seconds unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan MaxDelay
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(value));
    } = Standard.MostDelay;

    /// <summary>
    /// The part of a delay that is left to chance, from 0 to 1, so that clients that failed together do not come back together: of a
    /// delay of 100 ms, 0.2 (unless set) makes one between 80 and 100.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not between 0 and 1.</exception>
    public double Jitter
    {
        get;
        init =>
            field = value is >= 0 and <= 1
                ? value
                : throw new ArgumentOutOfRangeException(nameof(value), value, "It must lie between 0 and 1.");
    } = Standard.Jitter;

    /// <summary>
    /// How long all of it may take: a minute unless set; <see cref="Timeout.InfiniteTimeSpan"/> for no bound. No attempt is begun later;
    /// one that has begun has its own time-outs.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan TimeLimit
    {
        get;
        init => field = value == Timeout.InfiniteTimeSpan ? value : Interop.CheckTime(value, TimeSpan.Zero, nameof(value));
    } = Standard.TimeLimit;

    /// <summary>The clock by which time is limited: the system's unless set.</summary>
    public TimeProvider TimeProvider
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
        }
    } = Standard.Time;

    /// <summary>Gives numbers from 0 up to, and without, 1; null for a shared source of random ones.</summary>
    public Func<double>? Random { get; init; }

    /// <summary>Waits for so long, or until it is cancelled; null to put the thread to sleep.</summary>
    public Action<TimeSpan, CancellationToken>? Sleep { get; init; }

    /// <summary>
    /// Makes a call until it is not worth another attempt or there may be no other one. A wait that is cancelled is the end of it, too.
    /// </summary>
    /// <param name="call">
    /// The call. It gets the number of the attempt, from 1: hand it on, and it stands in the exchanges.
    /// </param>
    /// <param name="cancellationToken">Ends the waiting. The call does not see it unless it is handed on.</param>
    /// <returns>What came of the call last. What the call threw last is thrown.</returns>
    public TResult Run(Func<int, TResult> call, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(call);
        return ToCore()
            .Run(FuncConvert.FromFunc<int, Attempt>(number => Attempt.Make(call, number)), Interop.Optional(cancellationToken))
            .Value;
    }

    private Core.RetryPolicy<Attempt> ToCore() =>
        new(
            again: FuncConvert.FromFunc<Attempt, bool>(made =>
                made.Thrown is null ? Again(made.Value) : AgainAfter?.Invoke(made.Thrown) ?? false
            ),
            attempts: Attempts,
            firstDelay: FirstDelay,
            factor: Factor,
            mostDelay: MaxDelay,
            jitter: Jitter,
            timeLimit: TimeLimit == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : TimeLimit,
            random: Random is null ? Standard.Random : FuncConvert.FromFunc(Random),
            time: TimeProvider,
            sleep: Sleep is null ? Standard.Sleep : FuncConvert.FromAction(Sleep)
        );

    /// <summary>What came of one attempt: a result or an exception.</summary>
    private sealed class Attempt
    {
        private readonly TResult? _value;

        private Attempt(TResult? value, KafkaException? thrown)
        {
            _value = value;
            Thrown = thrown;
        }

        public KafkaException? Thrown { get; }

        public TResult Value
        {
            get
            {
                if (Thrown is not null)
                {
                    ExceptionDispatchInfo.Throw(Thrown);
                }

                return _value!;
            }
        }

        public static Attempt Make(Func<int, TResult> call, int number)
        {
            try
            {
                return new(call(number), null);
            }
            catch (KafkaException exception)
            {
                return new(default, exception);
            }
        }
    }
}
