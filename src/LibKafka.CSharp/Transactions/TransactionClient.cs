using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka.Protocol;
using Core = LibKafka.Client;
using Given = Microsoft.FSharp.Core.FSharpResult<LibKafka.Client.ProducerIdentity, LibKafka.Protocol.ErrorCode>;

namespace LibKafka;

/// <summary>
/// The calls of one transactional producer to its transaction coordinator (KIP-98), on a connection of its own: one method, one call.
/// Batches are sent by an <see cref="IdempotentProducer"/> that is made with <see cref="Identity"/>. It is not for use by several threads
/// at a time.
/// </summary>
/// <remarks>
/// <code>
/// transaction.InitProducerId(TimeSpan.FromMinutes(1)).ThrowIfError();
/// transaction.AddPartitions([partition]).ThrowIfError();
/// using var producer = new IdempotentProducer(client, transaction.Identity!.Value);
/// producer.Produce(batch).ThrowIfError();
/// transaction.Commit().ThrowIfError();
/// </code>
/// </remarks>
public sealed class TransactionClient : IDisposable
{
    private readonly Core.TransactionClient _core;
    private readonly CoordinatorAccess _coordinator;

    /// <summary>A client that has not connected yet.</summary>
    /// <param name="options">Where the cluster is, and how to connect.</param>
    /// <param name="transactionalId">The transactional id.</param>
    public TransactionClient(KafkaClientOptions options, string transactionalId)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(transactionalId);
        Options = options;
        _core = new(options.ToSettings(), options.ToBootstrap(), transactionalId);
        _coordinator = new(_core.Coordinator);
    }

    /// <summary>The options that it was made with.</summary>
    public KafkaClientOptions Options { get; }

    /// <summary>The transactional id.</summary>
    public string TransactionalId => _core.TransactionalId;

    /// <summary>
    /// What the coordinator last gave: who the producer of the next transaction's batches is. Null before
    /// <see cref="InitProducerId"/>.
    /// </summary>
    public TransactionalIdentity? Identity =>
        _core.Identity is { } identity ? new TransactionalIdentity(TransactionalId, ProducerIdentity.Of(identity.Value)) : null;

    /// <summary>The coordinator that the connection goes to; null while there is no connection.</summary>
    public BrokerMetadata? Coordinator => _coordinator.Coordinator;

    /// <summary>
    /// The connection to the coordinator; null while there is none. It belongs to the client: whoever disposes of it disconnects the
    /// client.
    /// </summary>
    public KafkaConnection? Connection => _coordinator.Connection;

    /// <summary>Makes the connection to the coordinator, unless there is one.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The connection, which belongs to the client.</returns>
    /// <exception cref="KafkaException">
    /// No broker can be used, or (<see cref="KafkaFaultKind.NoCoordinator"/>) the transactional id has no coordinator.
    /// </exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaConnection Connect(CancellationToken cancellationToken = default) => _coordinator.Connect(this, cancellationToken);

    /// <summary>
    /// Gets id and epoch under the transactional id, from when on any earlier producer with it is fenced, and the transaction that one
    /// left open is aborted.
    /// </summary>
    /// <param name="timeout">The coordinator aborts transactions that stay open longer than this.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>The identity, or the error code that says why there is none.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ProducerIdentityResult InitProducerId(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        Interop.CheckTime(timeout, TimeSpan.Zero, nameof(timeout));
        Begin(cancellationToken);
        return ToResult(_core.InitProducerId(timeout, Interop.Optional(cancellationToken)), cancellationToken);
    }

    /// <summary>
    /// Gets the next epoch for the identity that the producer has, to go on with after an error that leaves its sequences uncertain
    /// (KIP-360, Kafka 2.5). Fenced where another producer has the transactional id by now.
    /// </summary>
    /// <param name="timeout">The coordinator aborts transactions that stay open longer than this.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>The identity, or the error code that says why there is none.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ProducerIdentityResult RaiseEpoch(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        Interop.CheckTime(timeout, TimeSpan.Zero, nameof(timeout));
        Begin(cancellationToken);
        return ToResult(_core.RaiseEpoch(timeout, Interop.Optional(cancellationToken)), cancellationToken);
    }

    /// <summary>Takes partitions into the transaction, before the first batch for each.</summary>
    /// <param name="partitions">The partitions.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What became of each. All are taken in, or none.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public PartitionResults AddPartitions(IEnumerable<TopicPartition> partitions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        Begin(cancellationToken);
        var reply = _core.AddPartitions(
            partitions.Select(partition => partition.ToCore()).ToFSharpList(),
            Interop.Optional(cancellationToken)
        );
        var info = new ExchangeInfo(reply.Exchange.Info);
        var results = reply.ValueOrThrow(info, cancellationToken);
        return new([.. results.Select(one => new PartitionResult(TopicPartition.Of(one.Partition), one.Error))], info);
    }

    /// <summary>
    /// Takes a group's offsets into the transaction, before <see cref="CommitOffsets"/>. Where the cluster's
    /// <c>transaction.version</c> is 2 (KIP-890) it is not needed.
    /// </summary>
    /// <param name="groupId">The group.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What came of it.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public CallResult AddOffsets(string groupId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(groupId);
        Begin(cancellationToken);
        return CallResult.Of(_core.AddOffsets(groupId, Interop.Optional(cancellationToken)), response => response.Error, cancellationToken);
    }

    /// <summary>
    /// Stores, as part of the transaction, how far a group has read: a call to the group's coordinator, on the group client's connection.
    /// </summary>
    /// <param name="group">The client of the group.</param>
    /// <param name="membership">
    /// The place of the consumer in the group, so that one that has lost it stores nothing (KIP-447, Kafka 2.5);
    /// <see cref="GroupMembership.None"/> leaves that unchecked.
    /// </param>
    /// <param name="offsets">The offsets by partition.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; the offsets may be stored all the same.</param>
    /// <returns>What became of each.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">One of the clients has been disposed of.</exception>
    public PartitionResults CommitOffsets(
        GroupClient group,
        GroupMembership membership,
        IEnumerable<KeyValuePair<TopicPartition, CommittedOffset>> offsets,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(membership);
        Begin(cancellationToken);
        group.Begin(cancellationToken);
        var reply = _core.CommitOffsets(group.Inner, membership.ToCore(), GroupClient.ToCore(offsets), Interop.Optional(cancellationToken));
        return GroupClient.ToResults(reply, cancellationToken);
    }

    /// <summary>
    /// Commits the open transaction: its records and offsets count from now on. Where the cluster's <c>transaction.version</c> is 2, the
    /// answer has the identity for the next transaction (KIP-890), and <see cref="Identity"/> is that.
    /// </summary>
    /// <param name="cancellationToken">Gives up, which closes the connection; the transaction may be committed all the same.</param>
    /// <returns>What came of it.</returns>
    /// <exception cref="KafkaException">No answer came: the transaction may be committed all the same.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public CallResult Commit(CancellationToken cancellationToken = default)
    {
        Begin(cancellationToken);
        return CallResult.Of(_core.Commit(Interop.Optional(cancellationToken)), response => response.Error, cancellationToken);
    }

    /// <summary>
    /// Aborts the open transaction: readers of committed data pass over its records. The rest is as with <see cref="Commit"/>.
    /// </summary>
    /// <param name="cancellationToken">Gives up, which closes the connection; the transaction may be aborted all the same.</param>
    /// <returns>What came of it.</returns>
    /// <exception cref="KafkaException">No answer came: the transaction may be aborted all the same.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public CallResult Abort(CancellationToken cancellationToken = default)
    {
        Begin(cancellationToken);
        return CallResult.Of(_core.Abort(Interop.Optional(cancellationToken)), response => response.Error, cancellationToken);
    }

    /// <summary>Closes the connection, if there is one. The next call looks for the coordinator and makes a new one.</summary>
    public void Disconnect() => _coordinator.Disconnect();

    /// <summary>Closes the connection for good. A transaction that is open stays so until it is ended or its time is up.</summary>
    public void Dispose() => _coordinator.Dispose();

    private static ProducerIdentityResult ToResult(
        Core.Reply<InitProducerId.Request, InitProducerId.Response, Given> reply,
        CancellationToken cancellation
    )
    {
        var info = new ExchangeInfo(reply.Exchange.Info);
        return ProducerIdentityResult.Of(reply.ValueOrThrow(info, cancellation), info);
    }

    private void Begin(CancellationToken cancellationToken) => _coordinator.Begin(this, cancellationToken);
}
