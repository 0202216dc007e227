using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace LibKafka;

// Elections, reassignments and log directories.
public sealed partial class AdminClient
{
    /// <summary>Elects leaders of partitions (KIP-183, Kafka 2.2). ELECTION_NOT_NEEDED if the leader is already the one that an election would choose.</summary>
    /// <param name="type">Which replicas to elect. An unclean election (Kafka 2.4) may lose acknowledged records.</param>
    /// <param name="partitions">The partitions.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for each partition.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public ItemResults<ItemResult<TopicPartition>> ElectLeaders(
        ElectionType type,
        IEnumerable<TopicPartition> partitions,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default
    ) => ElectLeaders(type, partitions, timeout, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="ElectLeaders(ElectionType, IEnumerable{TopicPartition}, TimeSpan?, CancellationToken)"/>
    /// <param name="type">Which replicas to elect. An unclean election (Kafka 2.4) may lose acknowledged records.</param>
    /// <param name="partitions">The partitions.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<TopicPartition>> ElectLeaders(
        ElectionType type,
        IEnumerable<TopicPartition> partitions,
        TimeSpan? timeout,
        CallOptions callOptions
    )
    {
        var wanted = Interop.RequiredAll(partitions);
        var wait = Interop.CheckTime(timeout ?? StandardTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(callOptions);
        return _core
            .ElectLeaders(type, wanted.Select(partition => partition.ToCore()).ToFSharpList(), wait, callOptions.ToCore())
            .ToResults(TopicPartition.Of, callOptions);
    }

    /// <summary>Elects leaders of all partitions of the cluster (KIP-183, Kafka 2.2).</summary>
    /// <param name="type">Which replicas to elect. An unclean election (Kafka 2.4) may lose acknowledged records.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for each partition that needed an election.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public ItemResults<ItemResult<TopicPartition>> ElectAllLeaders(
        ElectionType type,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default
    ) => ElectAllLeaders(type, timeout, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="ElectAllLeaders(ElectionType, TimeSpan?, CancellationToken)"/>
    /// <param name="type">Which replicas to elect. An unclean election (Kafka 2.4) may lose acknowledged records.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<TopicPartition>> ElectAllLeaders(ElectionType type, TimeSpan? timeout, CallOptions callOptions)
    {
        var wait = Interop.CheckTime(timeout ?? StandardTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(callOptions);
        return _core.ElectAllLeaders(type, wait, callOptions.ToCore()).ToResults(TopicPartition.Of, callOptions);
    }

    /// <summary>Begins to move partitions to other brokers, or cancels such a move (KIP-455, Kafka 2.4). A move ends some time later: see <c>ListReassignments</c>.</summary>
    /// <param name="moves">The partitions, and their new brokers.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="mayChangeFactor">Whether the number of replicas may change. Otherwise, Kafka 4.1 is needed (KIP-860).</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for each partition.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public ItemResults<ItemResult<TopicPartition>> AlterReassignments(
        IEnumerable<NewReassignment> moves,
        TimeSpan? timeout = null,
        bool mayChangeFactor = true,
        CancellationToken cancellationToken = default
    ) => AlterReassignments(moves, timeout, mayChangeFactor, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="AlterReassignments(IEnumerable{NewReassignment}, TimeSpan?, bool, CancellationToken)"/>
    /// <param name="moves">The partitions, and their new brokers.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="mayChangeFactor">Whether the number of replicas may change. Otherwise, Kafka 4.1 is needed (KIP-860).</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<TopicPartition>> AlterReassignments(
        IEnumerable<NewReassignment> moves,
        TimeSpan? timeout,
        bool mayChangeFactor,
        CallOptions callOptions
    )
    {
        var wanted = Interop.RequiredAll(moves);
        var wait = Interop.CheckTime(timeout ?? StandardTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(callOptions);
        return _core
            .AlterReassignments(
                wanted
                    .Select(move => Tuple.Create(move.Partition.ToCore(), Interop.OptionOf(move.Replicas?.ToFSharpList())))
                    .ToFSharpList(),
                wait,
                mayChangeFactor,
                callOptions.ToCore()
            )
            .ToResults(TopicPartition.Of, callOptions);
    }

    /// <summary>Lists the moves of partitions that are in progress (KIP-455, Kafka 2.4).</summary>
    /// <param name="partitions">The partitions; null for all.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The partitions that are being moved.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public KafkaResult<IReadOnlyDictionary<TopicPartition, PartitionReassignment>> ListReassignments(
        IEnumerable<TopicPartition>? partitions = null,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default
    ) => ListReassignments(partitions, timeout, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="ListReassignments(IEnumerable{TopicPartition}, TimeSpan?, CancellationToken)"/>
    /// <param name="partitions">The partitions; null for all.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<IReadOnlyDictionary<TopicPartition, PartitionReassignment>> ListReassignments(
        IEnumerable<TopicPartition>? partitions,
        TimeSpan? timeout,
        CallOptions callOptions
    )
    {
        var wanted = partitions is null
            ? null
            : Interop.OptionOf(Interop.RequiredAll(partitions).Select(partition => partition.ToCore()).ToFSharpList());
        var wait = Interop.CheckTime(timeout ?? StandardTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(callOptions);
        return _core
            .ListReassignments(wanted, wait, callOptions.ToCore())
            .ToResult(
                moves =>
                    (IReadOnlyDictionary<TopicPartition, PartitionReassignment>)
                        moves.ToDictionary(move => TopicPartition.Of(move.Item1), move => PartitionReassignment.Of(move.Item2)),
                callOptions
            );
    }

    /// <summary>Describes the log directories of brokers with the replicas in them (KIP-113).</summary>
    /// <param name="brokerIds">The ids of the brokers.</param>
    /// <param name="partitions">Only the replicas of these partitions; null for all.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The directories of each broker.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<int, IReadOnlyList<LogDirDescription>>> DescribeLogDirs(
        IEnumerable<int> brokerIds,
        IEnumerable<TopicPartition>? partitions = null,
        CancellationToken cancellationToken = default
    ) => DescribeLogDirs(brokerIds, partitions, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DescribeLogDirs(IEnumerable{int}, IEnumerable{TopicPartition}, CancellationToken)"/>
    /// <param name="brokerIds">The ids of the brokers.</param>
    /// <param name="partitions">Only the replicas of these partitions; null for all.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<int, IReadOnlyList<LogDirDescription>>> DescribeLogDirs(
        IEnumerable<int> brokerIds,
        IEnumerable<TopicPartition>? partitions,
        CallOptions callOptions
    )
    {
        ArgumentNullException.ThrowIfNull(brokerIds);
        var wanted = partitions is null
            ? null
            : Interop.OptionOf(Interop.RequiredAll(partitions).Select(partition => partition.ToCore()).ToFSharpList());
        Begin(callOptions);
        return _core
            .DescribeLogDirs(brokerIds.ToFSharpList(), wanted, callOptions.ToCore())
            .ToResults(Same, dirs => List(dirs, LogDirDescription.Of), callOptions);
    }

    /// <summary>Begins to move replicas to other log directories of their brokers (KIP-113). REPLICA_NOT_AVAILABLE for a replica that is not on its broker yet and will be made there.</summary>
    /// <param name="moves">The absolute path of the directory for each replica.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for each replica.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<TopicPartitionReplica>> AlterReplicaLogDirs(
        IEnumerable<KeyValuePair<TopicPartitionReplica, string>> moves,
        CancellationToken cancellationToken = default
    ) => AlterReplicaLogDirs(moves, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="AlterReplicaLogDirs(IEnumerable{KeyValuePair{TopicPartitionReplica, string}}, CancellationToken)"/>
    /// <param name="moves">The absolute path of the directory for each replica.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<TopicPartitionReplica>> AlterReplicaLogDirs(
        IEnumerable<KeyValuePair<TopicPartitionReplica, string>> moves,
        CallOptions callOptions
    )
    {
        var wanted = Interop.RequiredAll(moves);
        Begin(callOptions);
        return _core
            .AlterReplicaLogDirs(wanted.Select(move => Tuple.Create(move.Key.ToCore(), move.Value)).ToFSharpList(), callOptions.ToCore())
            .ToResults(TopicPartitionReplica.Of, callOptions);
    }
}
