using System;
using System.Threading;
using LibKafka.Records;

namespace LibKafka;

/// <summary>
/// Appends record batches to one partition, each with one call to the partition's leader. It never sends a batch twice: whether to try again, and
/// what to do if the outcome is unknown, is the caller's decision. It is not thread-safe:
/// a second thread that uses it at the same time gets an <see cref="InvalidOperationException"/>, and nothing is sent.
/// </summary>
public sealed class PartitionProducer : IDisposable
{
    private readonly LibKafka.Client.PartitionProducer _core;
    private readonly bool _ownsClient;

    /// <summary>A producer with a client of its own, which is disposed of with the producer.</summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="producerOptions">The options of the producer; null for all in-sync replicas within 10 seconds.</param>
    public PartitionProducer(KafkaClientOptions options, TopicPartition partition, ProducerOptions? producerOptions = null)
        : this(new PartitionClient(options, partition), producerOptions ?? new ProducerOptions())
    {
        _ownsClient = true;
    }

    /// <summary>A producer that uses the caller's client, which it does not dispose of.</summary>
    /// <param name="client">The client.</param>
    public PartitionProducer(PartitionClient client)
        : this(client, new ProducerOptions()) { }

    /// <summary>A producer that uses the caller's client, which it does not dispose of.</summary>
    /// <param name="client">The client.</param>
    /// <param name="options">The options of the producer.</param>
    public PartitionProducer(PartitionClient client, ProducerOptions options)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        Client = client;
        Options = options;
        _core = new(client.Inner, options.ToSettings());
    }

    /// <summary>The client.</summary>
    public PartitionClient Client { get; }

    /// <summary>The options of the producer.</summary>
    public ProducerOptions Options { get; }

    /// <summary>
    /// Appends a batch, compressed or not. It is sent from where it is in memory, with base offset 0 and leader epoch -1, which are the broker's
    /// to set. A batch that has a producer's identity or is part of a transaction, as fetched batches may be, is rejected before anything is sent,
    /// and so is one that no broker would append: <see cref="KafkaFaultKind.CannotProduce"/>, whose message says what to do, such as
    /// <c>ForForwarding</c>. The same goes for a batch whose compression the broker does not know:
    /// <see cref="KafkaFaultKind.BrokerTooOld"/>.
    /// </summary>
    /// <remarks>
    /// Before Kafka 3.0, brokers convert the batches of a topic whose <c>message.format.version</c> is below 0.11 to a format that has no
    /// headers. They refuse a batch whose records have headers, with <c>ErrorCode.UnknownServerError</c>: the result is
    /// <see cref="ProduceStatus.Unknown"/>, though nothing was appended. They refuse the batches of an <see cref="IdempotentProducer"/> for such
    /// a topic, with <c>ErrorCode.UnsupportedForMessageFormat</c>.
    /// </remarks>
    /// <param name="batch">The batch.</param>
    /// <param name="cancellationToken">Cancels the call. If the batch has been sent, the result is <see cref="ProduceStatus.Unknown"/>.</param>
    /// <returns>Whether the batch was appended.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ProduceResult Produce(RecordBatch batch, CancellationToken cancellationToken = default) =>
        Produce(batch, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Produce(RecordBatch, CancellationToken)"/>
    /// <param name="batch">The batch.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ProduceResult Produce(RecordBatch batch, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Client.Begin(callOptions);
        return new(_core.Produce(batch, callOptions.ToCore()), callOptions);
    }

    /// <summary>Sends a batch as <c>Produce</c> does. Its memory must not change until the call is completed. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="batch">See <c>Produce</c>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<ProduceResult> Begin(RecordBatch batch, CancellationToken cancellationToken = default) =>
        Begin(batch, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Begin(RecordBatch, CancellationToken)"/>
    /// <param name="batch">See <c>Produce</c>.</param>
    /// <param name="callOptions">The options of the call.</param>
    public PendingCall<ProduceResult> Begin(RecordBatch batch, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Client.Begin(callOptions);
        return _core.Begin(batch, callOptions.ToCore()).Map(reply => new ProduceResult(reply, callOptions));
    }

    internal LibKafka.Client.PartitionProducer Core => _core;

    /// <summary>Closes the connection for good, if the client is the producer's own.</summary>
    public void Dispose()
    {
        if (_ownsClient)
        {
            Client.Dispose();
        }
    }
}
