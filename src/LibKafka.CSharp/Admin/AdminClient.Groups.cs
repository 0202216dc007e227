using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace LibKafka;

// Offsets of groups, and transactions.
public sealed partial class AdminClient
{
    /// <summary>Lists the offsets that groups have committed.</summary>
    /// <param name="groups">The groups, and which of their offsets.</param>
    /// <param name="requireStable">Whether a partition has UNSTABLE_OFFSET_COMMIT while a transaction with an offset of it is open (KIP-447, Kafka 2.5).</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The offsets of each group.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<string, IReadOnlyList<GroupOffset>>> ListGroupOffsets(
        IEnumerable<GroupPartitions> groups,
        bool requireStable = false,
        CancellationToken cancellationToken = default
    ) => ListGroupOffsets(groups, requireStable, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="ListGroupOffsets(IEnumerable{GroupPartitions}, bool, CancellationToken)"/>
    /// <param name="groups">The groups, and which of their offsets.</param>
    /// <param name="requireStable">Whether a partition has UNSTABLE_OFFSET_COMMIT while a transaction with an offset of it is open (KIP-447, Kafka 2.5).</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<string, IReadOnlyList<GroupOffset>>> ListGroupOffsets(
        IEnumerable<GroupPartitions> groups,
        bool requireStable,
        CallOptions callOptions
    )
    {
        var wanted = Interop.RequiredAll(groups);
        Begin(callOptions);
        return _core
            .ListGroupOffsets(
                wanted
                    .Select(group =>
                        Tuple.Create(
                            group.GroupId,
                            Interop.OptionOf(group.Partitions?.Select(partition => partition.ToCore()).ToFSharpList())
                        )
                    )
                    .ToFSharpList(),
                requireStable,
                callOptions.ToCore()
            )
            .ToResults(Same, offsets => List(offsets, GroupOffset.Of), callOptions);
    }

    /// <summary>Sets offsets of a group that has no members.</summary>
    /// <param name="groupId">The id of the group.</param>
    /// <param name="offsets">The offsets by partition.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for each partition.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<TopicPartition>> AlterGroupOffsets(
        string groupId,
        IEnumerable<KeyValuePair<TopicPartition, CommittedOffset>> offsets,
        CancellationToken cancellationToken = default
    ) => AlterGroupOffsets(groupId, offsets, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="AlterGroupOffsets(string, IEnumerable{KeyValuePair{TopicPartition, CommittedOffset}}, CancellationToken)"/>
    /// <param name="groupId">The id of the group.</param>
    /// <param name="offsets">The offsets by partition.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<TopicPartition>> AlterGroupOffsets(
        string groupId,
        IEnumerable<KeyValuePair<TopicPartition, CommittedOffset>> offsets,
        CallOptions callOptions
    )
    {
        ArgumentNullException.ThrowIfNull(groupId);
        var wanted = Interop.RequiredAll(offsets);
        Begin(callOptions);
        return _core
            .AlterGroupOffsets(
                groupId,
                wanted.Select(offset => Tuple.Create(offset.Key.ToCore(), offset.Value.ToCore())).ToFSharpList(),
                callOptions.ToCore()
            )
            .ToResults(TopicPartition.Of, callOptions);
    }

    /// <summary>Deletes offsets of a group (KIP-496, Kafka 2.4). GROUP_SUBSCRIBED_TO_TOPIC if a member subscribes to the topic.</summary>
    /// <param name="groupId">The id of the group.</param>
    /// <param name="partitions">The partitions.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for each partition.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<TopicPartition>> DeleteGroupOffsets(
        string groupId,
        IEnumerable<TopicPartition> partitions,
        CancellationToken cancellationToken = default
    ) => DeleteGroupOffsets(groupId, partitions, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DeleteGroupOffsets(string, IEnumerable{TopicPartition}, CancellationToken)"/>
    /// <param name="groupId">The id of the group.</param>
    /// <param name="partitions">The partitions.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<TopicPartition>> DeleteGroupOffsets(
        string groupId,
        IEnumerable<TopicPartition> partitions,
        CallOptions callOptions
    )
    {
        ArgumentNullException.ThrowIfNull(groupId);
        var wanted = Interop.RequiredAll(partitions);
        Begin(callOptions);
        return _core
            .DeleteGroupOffsets(groupId, wanted.Select(partition => partition.ToCore()).ToFSharpList(), callOptions.ToCore())
            .ToResults(TopicPartition.Of, callOptions);
    }

    /// <summary>Lists the transactions of each broker (KIP-664, Kafka 3.0).</summary>
    /// <param name="filter">Which transactions; null for all.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The transactions of each broker.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<BrokerAddress, TransactionList>> ListTransactions(
        TransactionListFilter? filter = null,
        CancellationToken cancellationToken = default
    ) => ListTransactions(filter, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="ListTransactions(TransactionListFilter, CancellationToken)"/>
    /// <param name="filter">Which transactions; null for all.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<BrokerAddress, TransactionList>> ListTransactions(TransactionListFilter? filter, CallOptions callOptions)
    {
        Begin(callOptions);
        return _core
            .ListTransactions((filter ?? new()).ToCore(), callOptions.ToCore())
            .ToResults(BrokerAddress.Of, TransactionList.Of, callOptions);
    }

    /// <summary>Describes the transactions of transactional ids with their partitions (KIP-664, Kafka 3.0).</summary>
    /// <param name="transactionalIds">The transactional ids.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The result for each transactional id.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<string, TransactionDescription>> DescribeTransactions(
        IEnumerable<string> transactionalIds,
        CancellationToken cancellationToken = default
    ) => DescribeTransactions(transactionalIds, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DescribeTransactions(IEnumerable{string}, CancellationToken)"/>
    /// <param name="transactionalIds">The transactional ids.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<string, TransactionDescription>> DescribeTransactions(
        IEnumerable<string> transactionalIds,
        CallOptions callOptions
    )
    {
        var wanted = Interop.RequiredAll(transactionalIds);
        Begin(callOptions);
        return _core
            .DescribeTransactions(wanted.ToFSharpList(), callOptions.ToCore())
            .ToResults(Same, TransactionDescription.Of, callOptions);
    }

    /// <summary>
    /// Fences the producers of transactional ids, as a new producer with the id does: the coordinator raises the epoch of the id, and aborts the
    /// transaction that is open. While that transaction is being aborted, the result is CONCURRENT_TRANSACTIONS, which is transient. An id that the
    /// cluster does not know is no error: it gets a producer id.
    /// </summary>
    /// <param name="transactionalIds">The transactional ids.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The identity with the new epoch of each transactional id.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<string, ProducerIdentity>> FenceProducers(
        IEnumerable<string> transactionalIds,
        CancellationToken cancellationToken = default
    ) => FenceProducers(transactionalIds, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="FenceProducers(IEnumerable{string}, CancellationToken)"/>
    /// <param name="transactionalIds">The transactional ids.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<string, ProducerIdentity>> FenceProducers(IEnumerable<string> transactionalIds, CallOptions callOptions)
    {
        var wanted = Interop.RequiredAll(transactionalIds);
        Begin(callOptions);
        return _core.FenceProducers(wanted.ToFSharpList(), callOptions.ToCore()).ToResults(Same, ProducerIdentity.Of, callOptions);
    }

    /// <summary>Describes the producers that partitions remember (KIP-664, Kafka 2.8).</summary>
    /// <param name="partitions">The partitions.</param>
    /// <param name="brokerId">The id of the broker to ask; null for the leader of each partition.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The producers of each partition.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<TopicPartition, IReadOnlyList<PartitionProducerState>>> DescribeProducers(
        IEnumerable<TopicPartition> partitions,
        int? brokerId = null,
        CancellationToken cancellationToken = default
    ) => DescribeProducers(partitions, brokerId, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DescribeProducers(IEnumerable{TopicPartition}, int?, CancellationToken)"/>
    /// <param name="partitions">The partitions.</param>
    /// <param name="brokerId">The id of the broker to ask; null for the leader of each partition.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<TopicPartition, IReadOnlyList<PartitionProducerState>>> DescribeProducers(
        IEnumerable<TopicPartition> partitions,
        int? brokerId,
        CallOptions callOptions
    )
    {
        var wanted = Interop.RequiredAll(partitions);
        Begin(callOptions);
        return _core
            .DescribeProducers(
                wanted.Select(partition => partition.ToCore()).ToFSharpList(),
                brokerId is { } id ? new(id) : null,
                callOptions.ToCore()
            )
            .ToResults(TopicPartition.Of, producers => List(producers, PartitionProducerState.Of), callOptions);
    }

    /// <summary>Aborts transactions in partitions whose coordinator does not end them, by writing the markers itself (KIP-664). It needs the permission ClusterAction.</summary>
    /// <param name="transactions">The transactions.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for each transaction.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<HangingTransaction>> AbortTransactions(
        IEnumerable<HangingTransaction> transactions,
        CancellationToken cancellationToken = default
    ) => AbortTransactions(transactions, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="AbortTransactions(IEnumerable{HangingTransaction}, CancellationToken)"/>
    /// <param name="transactions">The transactions.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<HangingTransaction>> AbortTransactions(
        IEnumerable<HangingTransaction> transactions,
        CallOptions callOptions
    )
    {
        var wanted = Interop.RequiredAll(transactions);
        Begin(callOptions);
        return _core
            .AbortTransactions(wanted.Select(transaction => transaction.ToCore()).ToFSharpList(), callOptions.ToCore())
            .ToResults(HangingTransaction.Of, callOptions);
    }
}
