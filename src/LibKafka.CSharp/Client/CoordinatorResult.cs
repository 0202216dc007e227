using System;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>The broker that looks after a group or a transactional id, or why there is none.</summary>
public sealed class CoordinatorResult
{
    private readonly FindCoordinator.Coordinator _found;

    internal CoordinatorResult(string key, FindCoordinator.Response response, ExchangeInfo exchange)
    {
        _found = Client.Cluster.coordinatorIn(response, key);
        ThrottleTime = TimeSpan.FromMilliseconds(response.ThrottleTimeMs);
        Exchange = exchange;
    }

    /// <summary>The group id or transactional id.</summary>
    public string Key => _found.Key;

    /// <summary>The id of the broker; -1 where there is none.</summary>
    public int NodeId => Error.IsError ? -1 : _found.NodeId;

    /// <summary>Where it listens; null where there is none.</summary>
    public BrokerAddress? Address => Error.IsError ? null : new BrokerAddress(_found.Host, _found.Port);

    /// <summary>Why there is none, such as COORDINATOR_NOT_AVAILABLE; <c>ErrorCode.None</c> where there is one.</summary>
    public ErrorCode Error => _found.Error;

    /// <summary>What the broker says of the error; null where it says nothing.</summary>
    public string? ErrorMessage => _found.ErrorMessage.OrNull();

    /// <summary>How long the client is asked to pause because it exceeded a quota; zero where it did not.</summary>
    public TimeSpan ThrottleTime { get; }

    /// <summary>The call that told it.</summary>
    public ExchangeInfo Exchange { get; }

    /// <summary>Throws where there is no coordinator.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is none, for the reason in <see cref="KafkaException.ErrorCode"/>.</exception>
    public CoordinatorResult ThrowIfError()
    {
        Interop.ThrowIfError(Error, ErrorMessage, Exchange);
        return this;
    }
}
