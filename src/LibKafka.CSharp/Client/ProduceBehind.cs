using System;
using System.Threading;
using LibKafka.Records;

namespace LibKafka;

/// <summary>What <c>ProduceBehind.Produce</c> has done.</summary>
public sealed class ProduceStep
{
    internal ProduceStep(bool isSent, ProduceResult? before)
    {
        IsSent = isSent;
        Before = before;
    }

    /// <summary>
    /// Whether the batch is on its way. It was not sent if the one before was not acknowledged: see <see cref="Before"/>. Nothing is on its way then.
    /// </summary>
    public bool IsSent { get; }

    /// <summary>The result of the batch before; null for the first.</summary>
    public ProduceResult? Before { get; }
}

/// <summary>
/// Appends batches to a partition in order, with one batch on its way while the caller builds the next. It uses a producer of either kind. A
/// batch is sent only after the one before was acknowledged. The policy repeats the one before if necessary; without one, each batch is sent
/// once. The memory of a batch must not change until the next <c>Produce</c> or <c>Finish</c> returns. It is not thread-safe.
/// </summary>
public sealed class ProduceBehind : IDisposable
{
    private readonly PartitionClient _client;
    private readonly LibKafka.Client.ProduceBehind _core;

    /// <summary>With a producer that does not recognize repetitions.</summary>
    /// <param name="producer">The producer, which is not disposed of.</param>
    /// <param name="policy">When to repeat a batch, such as <see cref="RetryPolicy.Produce"/>; null for never.</param>
    public ProduceBehind(PartitionProducer producer, RetryPolicy<ProduceResult>? policy = null)
    {
        _client = Interop.Required(producer).Client;
        _core = new(producer.Core, ToCore(policy));
    }

    /// <summary>With an idempotent producer. After a result that leaves its batch in doubt, settle that first.</summary>
    /// <param name="producer">The producer, which is not disposed of.</param>
    /// <param name="policy">When to repeat a batch, such as <see cref="RetryPolicy.Idempotent"/>; null for never.</param>
    public ProduceBehind(IdempotentProducer producer, RetryPolicy<ProduceResult>? policy = null)
    {
        _client = Interop.Required(producer).Client;
        _core = new(producer.Core, ToCore(policy));
    }

    /// <summary>The call that is on its way, to wait for it with others; null if none is.</summary>
    public PendingCall? Pending => _core.Pending.OrNull();

    /// <summary>Waits for the batch that is on its way, if there is one, and sends this one if that was acknowledged.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="cancellationToken">Cancels the call of this batch, and repetitions of the one before.</param>
    /// <returns>Whether the batch was sent, and the result of the one before.</returns>
    public ProduceStep Produce(RecordBatch batch, CancellationToken cancellationToken = default) =>
        Produce(batch, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Produce(RecordBatch, CancellationToken)"/>
    /// <param name="batch">The batch.</param>
    /// <param name="callOptions">The options of the call of this batch, and of repetitions of the one before.</param>
    public ProduceStep Produce(RecordBatch batch, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(callOptions);
        _client.Begin(callOptions);
        var step = _core.Produce(batch, callOptions.ToCore());
        return step is LibKafka.Client.ProduceStep.NotSent refused
            ? new(false, new(refused.before, callOptions))
            : new(true, Of(((LibKafka.Client.ProduceStep.Sent)step).before.OrNull(), callOptions));
    }

    /// <summary>Waits for the batch that is on its way.</summary>
    /// <param name="cancellationToken">Cancels repetitions of the batch.</param>
    /// <returns>Its result, acknowledged or not; null if no batch was on its way.</returns>
    public ProduceResult? Finish(CancellationToken cancellationToken = default) => Finish(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Finish(CancellationToken)"/>
    /// <param name="callOptions">The options of repetitions of the batch.</param>
    public ProduceResult? Finish(CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(callOptions);
        _client.Begin(callOptions);
        return Of(_core.Finish(callOptions.ToCore()).OrNull(), callOptions);
    }

    /// <summary>
    /// Abandons the call that is on its way, which closes its connection: whether its batch is in the log is not known. The producer is not disposed of.
    /// </summary>
    public void Dispose() => ((IDisposable)_core).Dispose();

    private static ProduceResult? Of(LibKafka.Client.Produced? core, CallOptions callOptions) =>
        core is null ? null : new(core, callOptions);

    private static Microsoft.FSharp.Core.FSharpOption<LibKafka.Client.RetryPolicy<LibKafka.Client.Produced>>? ToCore(
        RetryPolicy<ProduceResult>? policy
    ) => Interop.OptionOf(policy?.ToCore<LibKafka.Client.Produced>(reply => new ProduceResult(reply, CallOptions.Default)));
}
