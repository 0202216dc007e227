namespace LibKafka;

/// <summary>
/// The identity of an idempotent producer (KIP-98). Brokers recognize a batch that was sent before by the identity and the batch's sequence.
/// </summary>
/// <param name="ProducerId">The producer id.</param>
/// <param name="ProducerEpoch">
/// The producer epoch. Of several producers with the same id, brokers accept only the one with the highest epoch.
/// </param>
public readonly record struct ProducerIdentity(long ProducerId, short ProducerEpoch)
{
    /// <summary>
    /// The same producer in its next epoch, which a producer without transactions may use without asking (KIP-360): sequences start from 0
    /// again, and brokers reject batches of the earlier epoch that are still in flight.
    /// </summary>
    /// <returns>The identity; null after the last epoch: then a new identity is needed.</returns>
    public ProducerIdentity? NextEpoch() => Client.ProducerIdentityModule.nextEpoch(ToCore()) is { } next ? Of(next.Value) : null;

    /// <summary>As in <c>producer 4711 epoch 3</c>.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => ToCore().ToString();

    internal static ProducerIdentity Of(Client.ProducerIdentity core) => new(core.ProducerId, core.ProducerEpoch);

    internal Client.ProducerIdentity ToCore() => new(ProducerId, ProducerEpoch);
}

/// <summary>
/// The identity of a transactional producer: its transactional id, and the identity that the transaction coordinator gave for it.
/// </summary>
/// <param name="TransactionalId">The transactional id.</param>
/// <param name="Identity">The producer id and epoch.</param>
public readonly record struct TransactionalIdentity(string TransactionalId, ProducerIdentity Identity)
{
    /// <summary>The transactional id.</summary>
    public string TransactionalId
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(TransactionalId);

    internal Client.TransactionalIdentity ToCore() => new(TransactionalId, Identity.ToCore());
}
