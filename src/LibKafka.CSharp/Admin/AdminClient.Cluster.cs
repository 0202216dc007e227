using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace LibKafka;

// Features, the quorum and config resources.
public sealed partial class AdminClient
{
    /// <summary>Lists the resources that can have configs (KIP-1142, Kafka 4.1). Kafka 3.7 to 4.0 list only the client metrics subscriptions (KIP-714).</summary>
    /// <param name="types">The types; null for all.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The resources.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaResult<IReadOnlyList<ConfigResource>> ListConfigResources(
        IEnumerable<ConfigResourceType>? types = null,
        CancellationToken cancellationToken = default
    ) => ListConfigResources(types, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="ListConfigResources(IEnumerable{ConfigResourceType}, CancellationToken)"/>
    /// <param name="types">The types; null for all.</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<IReadOnlyList<ConfigResource>> ListConfigResources(IEnumerable<ConfigResourceType>? types, CallOptions callOptions)
    {
        Begin(callOptions);
        return _core
            .ListConfigResources((types ?? []).ToFSharpList(), callOptions.ToCore())
            .ToResult(resources => List(resources, ConfigResource.Of), callOptions);
    }

    /// <summary>Removes a broker that has stopped for good from the cluster's metadata (Kafka 3.3 with KRaft).</summary>
    /// <param name="brokerId">The id of the broker.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>Whether it was removed.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public CallResult UnregisterBroker(int brokerId, CancellationToken cancellationToken = default) =>
        UnregisterBroker(brokerId, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="UnregisterBroker(int, CancellationToken)"/>
    /// <param name="brokerId">The id of the broker.</param>
    /// <param name="callOptions">The options of the call.</param>
    public CallResult UnregisterBroker(int brokerId, CallOptions callOptions)
    {
        Begin(callOptions);
        return _core.UnregisterBroker(brokerId, callOptions.ToCore()).ToResult(callOptions);
    }

    /// <summary>Describes the features that a broker supports, and their levels in the cluster (KIP-584). Brokers before Kafka 2.7 report none.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The features.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaResult<ClusterFeatures> DescribeFeatures(CancellationToken cancellationToken = default) =>
        DescribeFeatures(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DescribeFeatures(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<ClusterFeatures> DescribeFeatures(CallOptions callOptions)
    {
        Begin(callOptions);
        return _core.DescribeFeatures(callOptions.ToCore()).ToResult(ClusterFeatures.Of, callOptions);
    }

    /// <summary>Changes the levels of features (KIP-584). Since Kafka 4.0, all levels are changed or none (KIP-1022).</summary>
    /// <param name="levels">The new levels.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="validateOnly">Whether the broker only checks the request (Kafka 3.3).</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for each feature.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public ItemResults<ItemResult<string>> UpdateFeatures(
        IEnumerable<FeatureLevel> levels,
        TimeSpan? timeout = null,
        bool validateOnly = false,
        CancellationToken cancellationToken = default
    ) => UpdateFeatures(levels, timeout, validateOnly, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="UpdateFeatures(IEnumerable{FeatureLevel}, TimeSpan?, bool, CancellationToken)"/>
    /// <param name="levels">The new levels.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="validateOnly">Whether the broker only checks the request (Kafka 3.3).</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<string>> UpdateFeatures(
        IEnumerable<FeatureLevel> levels,
        TimeSpan? timeout,
        bool validateOnly,
        CallOptions callOptions
    )
    {
        var wanted = Interop.RequiredAll(levels);
        var wait = Interop.CheckTime(timeout ?? StandardTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(callOptions);
        return _core
            .UpdateFeatures(wanted.Select(level => level.ToCore()).ToFSharpList(), wait, validateOnly, callOptions.ToCore())
            .ToResults(Same, callOptions);
    }

    /// <summary>Describes the quorum of controllers (KIP-595): its leader, its voters and how far each has read. It needs KRaft.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The quorum.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaResult<QuorumDescription> DescribeQuorum(CancellationToken cancellationToken = default) =>
        DescribeQuorum(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DescribeQuorum(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<QuorumDescription> DescribeQuorum(CallOptions callOptions)
    {
        Begin(callOptions);
        return _core.DescribeQuorum(callOptions.ToCore()).ToResult(QuorumDescription.Of, callOptions);
    }

    /// <summary>Makes a controller that follows the metadata log a voter (KIP-853, Kafka 3.9).</summary>
    /// <param name="voter">The voter.</param>
    /// <param name="listeners">The listeners of the controller.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="clusterId">The id that the cluster must have; null for any.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>Whether it was added.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public CallResult AddQuorumVoter(
        QuorumVoter voter,
        IEnumerable<QuorumListener> listeners,
        TimeSpan? timeout = null,
        string? clusterId = null,
        CancellationToken cancellationToken = default
    ) => AddQuorumVoter(voter, listeners, timeout, clusterId, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="AddQuorumVoter(QuorumVoter, IEnumerable{QuorumListener}, TimeSpan?, string, CancellationToken)"/>
    /// <param name="voter">The voter.</param>
    /// <param name="listeners">The listeners of the controller.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="clusterId">The id that the cluster must have; null for any.</param>
    /// <param name="callOptions">The options of the call.</param>
    public CallResult AddQuorumVoter(
        QuorumVoter voter,
        IEnumerable<QuorumListener> listeners,
        TimeSpan? timeout,
        string? clusterId,
        CallOptions callOptions
    )
    {
        ArgumentNullException.ThrowIfNull(voter);
        var wanted = Interop.RequiredAll(listeners);
        var wait = Interop.CheckTime(timeout ?? StandardTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(callOptions);
        return _core
            .AddQuorumVoter(
                voter.ToCore(),
                wanted.Select(listener => listener.ToCore()).ToFSharpList(),
                wait,
                Interop.OptionOf(clusterId),
                callOptions.ToCore()
            )
            .ToResult(callOptions);
    }

    /// <summary>Removes a voter from the quorum of controllers (KIP-853, Kafka 3.9).</summary>
    /// <param name="voter">The voter.</param>
    /// <param name="clusterId">The id that the cluster must have; null for any.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>Whether it was removed.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public CallResult RemoveQuorumVoter(QuorumVoter voter, string? clusterId = null, CancellationToken cancellationToken = default) =>
        RemoveQuorumVoter(voter, clusterId, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="RemoveQuorumVoter(QuorumVoter, string, CancellationToken)"/>
    /// <param name="voter">The voter.</param>
    /// <param name="clusterId">The id that the cluster must have; null for any.</param>
    /// <param name="callOptions">The options of the call.</param>
    public CallResult RemoveQuorumVoter(QuorumVoter voter, string? clusterId, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(voter);
        Begin(callOptions);
        return _core.RemoveQuorumVoter(voter.ToCore(), Interop.OptionOf(clusterId), callOptions.ToCore()).ToResult(callOptions);
    }
}
