using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka.Protocol;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>
/// One transactional producer (KIP-98): its calls to its transaction coordinator, and its producers of partitions. There are no retries. It is
/// not thread-safe.
/// </summary>
/// <remarks>
/// <code>
/// transaction.InitProducerId(TimeSpan.FromMinutes(1)).ThrowIfError();
/// transaction.AddPartitions([partition]).ThrowIfError();
/// transaction.Producer(partition).Produce(batch).ThrowIfError();
/// transaction.Commit().ThrowIfError();
/// </code>
/// </remarks>
public sealed class TransactionClient : IDisposable
{
    private readonly Client.TransactionClient _core;
    private readonly CoordinatorAccess _coordinator;
    private readonly ExchangeLog _log = new();
    private readonly Dictionary<TopicPartition, IdempotentProducer> _producers = [];

    /// <summary>A client that has not connected yet.</summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="transactionalId">The transactional id.</param>
    /// <exception cref="ArgumentException">The transactional id is empty.</exception>
    public TransactionClient(KafkaClientOptions options, string transactionalId)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(transactionalId);
        Options = options;
        _core = new(options.ToSettings(_log), options.ToBootstrap(), transactionalId);
        _coordinator = new(_core.Coordinator, _log);
    }

    /// <summary>The options.</summary>
    public KafkaClientOptions Options { get; }

    /// <summary>The transactional id.</summary>
    public string TransactionalId => _core.TransactionalId;

    /// <summary>
    /// The identity for the batches of the next transaction, which the coordinator gave last. Null before
    /// <see cref="InitProducerId(TimeSpan, CancellationToken)"/>.
    /// </summary>
    public ProducerIdentity? Identity => _core.Identity is { } identity ? ProducerIdentity.Of(identity.Value) : null;

    /// <summary>The coordinator at the other end of the connection; null if there is no connection.</summary>
    public BrokerMetadata? Coordinator => _coordinator.Coordinator;

    /// <summary>
    /// The connection to the coordinator; null if there is none. It belongs to the client: disposing of it disconnects the client.
    /// </summary>
    public KafkaConnection? Connection => _coordinator.Connection;

    /// <summary>Connects to the coordinator unless there is a connection.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The connection, which belongs to the client, or the fault.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaResult<KafkaConnection> Connect(CancellationToken cancellationToken = default) =>
        Connect(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Connect(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<KafkaConnection> Connect(CallOptions callOptions)
    {
        return _coordinator.Connect(this, callOptions);
    }

    /// <summary>
    /// The producer of the transactions' batches for a partition, which is made when it is first asked for, with a connection of its own. It keeps
    /// its sequences from one transaction to the next, and gets every new identity that the coordinator gives. It belongs to the client, which
    /// disposes of it.
    /// </summary>
    /// <param name="partition">
    /// The partition. Batches are sent only while it is part of the open transaction, that is, after
    /// <see cref="AddPartitions(IEnumerable{TopicPartition}, CancellationToken)"/> and until the transaction is ended; otherwise the fault is
    /// <see cref="KafkaFaultKind.CannotProduce"/>.
    /// </param>
    /// <param name="producerOptions">The options of the producer, the same each time; null for all in-sync replicas within 10 seconds.</param>
    /// <returns>The producer, the same each time.</returns>
    /// <exception cref="InvalidOperationException">
    /// There is no identity yet: call <see cref="InitProducerId(TimeSpan, CancellationToken)"/> first.
    /// </exception>
    /// <exception cref="ArgumentException">The options do not have <c>Acks.All</c>, or the producer has others.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public IdempotentProducer Producer(TopicPartition partition, ProducerOptions? producerOptions = null)
    {
        Begin(new CallOptions());
        var settings = producerOptions is null ? null : FSharpOption<Client.ProducerSettings>.Some(producerOptions.ToSettings());
        var core = _core.Producer(Interop.Required(partition).ToCore(), settings);
        if (!_producers.TryGetValue(partition, out var producer))
        {
            var client = new PartitionClient(Options, partition, core.Client, _log);
            producer = new(client, producerOptions ?? new ProducerOptions(), core);
            _producers.Add(partition, producer);
        }

        return producer;
    }

    /// <summary>
    /// Requests the producer id and epoch of the transactional id. From then on, earlier producers with the same transactional id are
    /// fenced, and a transaction that one of them left open is aborted.
    /// </summary>
    /// <param name="timeout">The coordinator aborts transactions that stay open for longer.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The identity, or the error code that says why there is none.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public KafkaResult<ProducerIdentity> InitProducerId(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        InitProducerId(timeout, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="InitProducerId(TimeSpan, CancellationToken)"/>
    /// <param name="timeout">The coordinator aborts transactions that stay open for longer.</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<ProducerIdentity> InitProducerId(TimeSpan timeout, CallOptions callOptions)
    {
        Interop.CheckTime(timeout, TimeSpan.Zero, nameof(timeout));
        Begin(callOptions);
        return ToResult(_core.InitProducerId(timeout, callOptions.ToCore()), callOptions);
    }

    /// <summary>
    /// Requests the next epoch for the producer's identity, to continue after an error that makes its sequences uncertain (KIP-360, Kafka 2.5). A
    /// batch in doubt is given up, and an open transaction is aborted.
    /// PRODUCER_FENCED if another producer uses the transactional id by now.
    /// </summary>
    /// <param name="timeout">The coordinator aborts transactions that stay open for longer.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The identity, or the error code that says why there is none.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public KafkaResult<ProducerIdentity> RaiseEpoch(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        RaiseEpoch(timeout, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="RaiseEpoch(TimeSpan, CancellationToken)"/>
    /// <param name="timeout">The coordinator aborts transactions that stay open for longer.</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<ProducerIdentity> RaiseEpoch(TimeSpan timeout, CallOptions callOptions)
    {
        Interop.CheckTime(timeout, TimeSpan.Zero, nameof(timeout));
        Begin(callOptions);
        return ToResult(_core.RaiseEpoch(timeout, callOptions.ToCore()), callOptions);
    }

    /// <summary>Adds partitions to the transaction, before the first batch for each in this transaction.</summary>
    /// <param name="partitions">The partitions.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The result for each partition. Either all are added, or none.</returns>
    /// <exception cref="InvalidOperationException">
    /// There is no identity yet: call <see cref="InitProducerId(TimeSpan, CancellationToken)"/> first.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<TopicPartition>> AddPartitions(
        IEnumerable<TopicPartition> partitions,
        CancellationToken cancellationToken = default
    ) => AddPartitions(partitions, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="AddPartitions(IEnumerable{TopicPartition}, CancellationToken)"/>
    /// <param name="partitions">The partitions.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<TopicPartition>> AddPartitions(IEnumerable<TopicPartition> partitions, CallOptions callOptions)
    {
        var given = Interop.RequiredAll(partitions);
        Begin(callOptions);
        return _core
            .AddPartitions(given.Select(partition => partition.ToCore()).ToFSharpList(), callOptions.ToCore())
            .ToResults(given, callOptions);
    }

    /// <summary>
    /// Adds a group's offsets to the transaction, before its offsets are committed. Not needed if the cluster's <c>transaction.version</c> is 2
    /// (KIP-890).
    /// </summary>
    /// <param name="groupId">The group.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The result.</returns>
    /// <exception cref="InvalidOperationException">
    /// There is no identity yet: call <see cref="InitProducerId(TimeSpan, CancellationToken)"/> first.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public CallResult AddOffsets(string groupId, CancellationToken cancellationToken = default) =>
        AddOffsets(groupId, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="AddOffsets(string, CancellationToken)"/>
    /// <param name="groupId">The group.</param>
    /// <param name="callOptions">The options of the call.</param>
    public CallResult AddOffsets(string groupId, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(groupId);
        Begin(callOptions);
        return CallResult.Of(_core.AddOffsets(groupId, callOptions.ToCore()), callOptions);
    }

    /// <summary>
    /// Commits a group's offsets as part of the transaction: a call to the group's coordinator, on the connection of the group's client.
    /// </summary>
    /// <param name="group">The client of the group.</param>
    /// <param name="membership">
    /// The consumer's membership, so that a consumer that has lost it commits nothing (KIP-447, Kafka 2.5);
    /// <see cref="GroupMembership.None"/> leaves it unchecked.
    /// </param>
    /// <param name="offsets">The offsets by partition.</param>
    /// <param name="cancellationToken">Cancels the call. The offsets may be committed nevertheless.</param>
    /// <returns>The result for each partition.</returns>
    /// <exception cref="InvalidOperationException">
    /// There is no identity yet: call <see cref="InitProducerId(TimeSpan, CancellationToken)"/> first.
    /// </exception>
    /// <exception cref="ObjectDisposedException">One of the clients has been disposed of.</exception>
    public ItemResults<ItemResult<TopicPartition>> CommitOffsets(
        GroupClient group,
        GroupMembership membership,
        IEnumerable<KeyValuePair<TopicPartition, CommittedOffset>> offsets,
        CancellationToken cancellationToken = default
    ) => CommitOffsets(group, membership, offsets, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="CommitOffsets(GroupClient, GroupMembership, IEnumerable{KeyValuePair{TopicPartition, CommittedOffset}}, CancellationToken)"/>
    /// <param name="group">The client of the group.</param>
    /// <param name="membership">
    /// The consumer's membership, so that a consumer that has lost it commits nothing (KIP-447, Kafka 2.5);
    /// <see cref="GroupMembership.None"/> leaves it unchecked.
    /// </param>
    /// <param name="offsets">The offsets by partition.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<TopicPartition>> CommitOffsets(
        GroupClient group,
        GroupMembership membership,
        IEnumerable<KeyValuePair<TopicPartition, CommittedOffset>> offsets,
        CallOptions callOptions
    )
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(membership);
        var given = Interop.RequiredAll(offsets);
        Begin(callOptions);
        group.Begin(callOptions);
        return _core
            .CommitOffsets(group.Inner, membership.ToCore(), GroupClient.ToCore(given), callOptions.ToCore())
            .ToResults(given.Select(entry => entry.Key), callOptions);
    }

    /// <summary>
    /// Commits the transaction. If the cluster's <c>transaction.version</c> is 2, the answer has the identity for the next transaction (KIP-890),
    /// which becomes <see cref="Identity"/>.
    /// </summary>
    /// <param name="cancellationToken">Cancels the call. The transaction may be committed nevertheless.</param>
    /// <returns>The result. After a fault, the transaction may be committed or not: commit again.</returns>
    /// <exception cref="InvalidOperationException">
    /// There is no identity yet: call <see cref="InitProducerId(TimeSpan, CancellationToken)"/> first. Or a batch of the transaction is in doubt,
    /// which the transaction would be committed with or without: settle that with <see cref="IdempotentProducer.Retry(CancellationToken)"/>, or
    /// abort.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public CallResult Commit(CancellationToken cancellationToken = default) => Commit(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Commit(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public CallResult Commit(CallOptions callOptions)
    {
        Begin(callOptions);
        return CallResult.Of(_core.Commit(callOptions.ToCore()), callOptions);
    }

    /// <summary>
    /// Aborts the transaction: readers of committed data skip its records. The identity changes as after a commit. If a batch was in doubt and the
    /// identity did not change, the producer of its partition continues only after
    /// <see cref="RaiseEpoch(TimeSpan, CancellationToken)"/> or <see cref="InitProducerId(TimeSpan, CancellationToken)"/>.
    /// </summary>
    /// <param name="cancellationToken">Cancels the call. The transaction may be aborted nevertheless.</param>
    /// <returns>The result. After a fault, the transaction may be aborted or not.</returns>
    /// <exception cref="InvalidOperationException">
    /// There is no identity yet: call <see cref="InitProducerId(TimeSpan, CancellationToken)"/> first.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public CallResult Abort(CancellationToken cancellationToken = default) => Abort(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Abort(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public CallResult Abort(CallOptions callOptions)
    {
        Begin(callOptions);
        return CallResult.Of(_core.Abort(callOptions.ToCore()), callOptions);
    }

    /// <summary>Closes the connection to the coordinator, and those of the producers. The next call connects again.</summary>
    public void Disconnect() => _core.Close();

    /// <summary>Closes the connections for good. An open transaction stays open until it is ended or times out.</summary>
    public void Dispose()
    {
        _coordinator.Dispose();
        foreach (var producer in _producers.Values)
        {
            producer.Client.Dispose();
        }
    }

    private static KafkaResult<ProducerIdentity> ToResult(
        Client.Reply<FSharpResult<Client.ProducerIdentity, Client.CallFailure>> reply,
        CallOptions callOptions
    )
    {
        var report = new CallReport(reply.Exchanges, callOptions.CancellationToken);
        return reply.Result.IsOk ? new(report, ProducerIdentity.Of(reply.Result.ResultValue))
            : reply.Result.ErrorValue is Client.CallFailure.Fault it ? new(report, report.FaultOf(it.Item), ErrorCode.None)
            : new(report, null, ((Client.CallFailure.Code)reply.Result.ErrorValue).Item);
    }

    internal Client.TransactionClient Core => _core;

    private void Begin(CallOptions callOptions) => _coordinator.Begin(this, callOptions);
}
