using System;
using System.Text;
using System.Threading;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>
/// The options of one call. Every call of every client takes them last. <see cref="RetryPolicy{TResult}"/> passes them on with the number
/// of the attempt.
/// </summary>
public sealed record CallOptions
{
    /// <summary>The first attempt, which cannot be cancelled, with the client's time-out and memory of its own.</summary>
    public static CallOptions Default { get; } = new();

    /// <summary>The number of the attempt, from 1: <see cref="ExchangeInfo.Attempt"/> of the exchanges. 1 unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is zero or negative.</exception>
    public int Attempt
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(Attempt));
            field = value;
        }
    } = 1;

    /// <summary>
    /// Cancels the call, which closes its connection if anything has been sent. The request may have been carried out nevertheless.
    /// </summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>
    /// The memory that the response is read into; null, unless set, for memory of its own. What the result has of it, such as the batches of a
    /// fetch, is valid until the next call with the same memory: reading it after that throws an <see cref="System.InvalidOperationException"/>.
    /// </summary>
    public ReceiveBuffer? Memory { get; init; }

    /// <summary>
    /// How long the whole call may take, including finding the broker and connecting: <see cref="KafkaClientOptions.CallTimeout"/> if it is
    /// null; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> for no limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan? Timeout
    {
        get;
        init => field = value is { } time ? Interop.CheckTimeout(time, nameof(Timeout)) : null;
    }

    private bool PrintMembers(StringBuilder builder) =>
        builder.AppendMembers(
            (nameof(Attempt), Attempt),
            (nameof(CancellationToken), CancellationToken),
            (nameof(Memory), Memory),
            (nameof(Timeout), Timeout)
        );

    /// <summary>The default options with a token.</summary>
    internal static CallOptions Of(CancellationToken cancellationToken) =>
        cancellationToken.CanBeCanceled ? new() { CancellationToken = cancellationToken } : Default;

    internal FSharpOption<Client.CallOptions> ToCore() =>
        new(
            new(
                attempt: Attempt,
                cancellation: CancellationToken,
                memory: Interop.OptionOf(Memory?.Core),
                timeout: Timeout is { } timeout ? new FSharpOption<TimeSpan>(timeout) : null
            )
        );
}
