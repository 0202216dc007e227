using LibKafka.Protocol;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>
/// Who an idempotent producer is to the brokers (KIP-98): they know a batch that comes a second time by this and the batch's sequence.
/// </summary>
/// <param name="ProducerId">The id.</param>
/// <param name="ProducerEpoch">
/// Of producers with the same id, brokers let only the one with the highest epoch through.
/// </param>
public readonly record struct ProducerIdentity(long ProducerId, short ProducerEpoch)
{
    /// <summary>
    /// The same producer in its next epoch, which a producer without transactions may take by itself (KIP-360): brokers then begin with
    /// sequence 0 again, and let nothing through that was sent in an earlier epoch and is still on its way.
    /// </summary>
    /// <returns>The identity; null after the last epoch, when there is nothing but a new identity.</returns>
    public ProducerIdentity? NextEpoch() => Client.ProducerIdentityModule.nextEpoch(ToCore()) is { } next ? Of(next.Value) : null;

    /// <summary>As in <c>producer 4711 epoch 3</c>.</summary>
    /// <returns>One line for people.</returns>
    public override string ToString() => ToCore().ToString();

    internal static ProducerIdentity Of(Client.ProducerIdentity core) => new(core.ProducerId, core.ProducerEpoch);

    internal Client.ProducerIdentity ToCore() => new(ProducerId, ProducerEpoch);
}

/// <summary>
/// Who a transactional producer is: the name that outlives it, and what the transaction coordinator gave it under that name.
/// </summary>
/// <param name="TransactionalId">The name.</param>
/// <param name="Identity">What the coordinator gave.</param>
public readonly record struct TransactionalIdentity(string TransactionalId, ProducerIdentity Identity)
{
    internal Client.TransactionalIdentity ToCore() => new(TransactionalId, Identity.ToCore());
}

/// <summary>The identity that a producer has been given, or why it has been given none.</summary>
public sealed class ProducerIdentityResult
{
    private ProducerIdentityResult(ProducerIdentity? identity, ErrorCode error, ExchangeInfo exchange)
    {
        Identity = identity;
        Error = error;
        Exchange = exchange;
    }

    /// <summary>The identity; null where none was given.</summary>
    public ProducerIdentity? Identity { get; }

    /// <summary>Why none was given, such as PRODUCER_FENCED; <c>ErrorCode.None</c> where one was.</summary>
    public ErrorCode Error { get; }

    /// <summary>The call.</summary>
    public ExchangeInfo Exchange { get; }

    /// <summary>Throws where no identity was given.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is none, for the reason in <see cref="KafkaException.ErrorCode"/>.</exception>
    public ProducerIdentityResult ThrowIfError()
    {
        Interop.ThrowIfError(Error, null, Exchange);
        return this;
    }

    internal static ProducerIdentityResult Of(FSharpResult<Client.ProducerIdentity, ErrorCode> given, ExchangeInfo exchange) =>
        given.IsOk ? new(ProducerIdentity.Of(given.ResultValue), ErrorCode.None, exchange) : new(null, given.ErrorValue, exchange);
}
