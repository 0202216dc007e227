using System;
using System.Threading;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>What came of a call that has nothing else to say.</summary>
public sealed class CallResult
{
    internal CallResult(ErrorCode error, ExchangeInfo exchange)
    {
        Error = error;
        Exchange = exchange;
    }

    /// <summary>What went wrong, such as REBALANCE_IN_PROGRESS; <c>ErrorCode.None</c> where all is well.</summary>
    public ErrorCode Error { get; }

    /// <summary>How long the client is asked to pause because it exceeded a quota; zero where it did not.</summary>
    public TimeSpan ThrottleTime => Exchange.ThrottleTime;

    /// <summary>The call.</summary>
    public ExchangeInfo Exchange { get; }

    /// <summary>Throws where there is an error.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is one: <see cref="KafkaException.ErrorCode"/> has it.</exception>
    public CallResult ThrowIfError()
    {
        Interop.ThrowIfError(Error, null, Exchange);
        return this;
    }

    internal static CallResult Of<TRequest, TResponse>(
        Client.Exchange<TRequest, TResponse> exchange,
        Func<TResponse, ErrorCode> error,
        CancellationToken cancellation
    )
    {
        var info = new ExchangeInfo(exchange.Info);
        return new(error(exchange.ResponseOrThrow(info, cancellation)), info);
    }
}
