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
