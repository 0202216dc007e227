using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka.Protocol;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>
/// Administrative calls. Each goes to the broker that is responsible: the controller, a partition's leader, a group's coordinator, or any broker. If
/// several brokers are responsible for the items of a call, each gets one request. Connections are kept for the next call. There are no retries. It is
/// not thread-safe.
/// </summary>
public sealed partial class AdminClient : IDisposable
{
    private static readonly TimeSpan StandardTimeout = TimeSpan.FromSeconds(10);
    private readonly Core.AdminClient _core;
    private bool _disposed;

    /// <summary>A client that has not connected yet.</summary>
    /// <param name="options">The brokers, and how to connect.</param>
    public AdminClient(KafkaClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        _core = new(options.ToSettings(new()), options.ToBootstrap());
    }

    /// <summary>The options.</summary>
    public KafkaClientOptions Options { get; }

    /// <summary>Creates topics.</summary>
    /// <param name="topics">The topics.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for each topic.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public ItemResults<ItemResult<string, TopicInfo>> CreateTopics(
        IEnumerable<NewTopic> topics,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default
    ) => CreateTopics(topics, timeout, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="CreateTopics(IEnumerable{NewTopic}, TimeSpan?, CancellationToken)"/>
    /// <param name="topics">The topics.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<string, TopicInfo>> CreateTopics(IEnumerable<NewTopic> topics, TimeSpan? timeout, CallOptions callOptions)
    {
        var wanted = Interop.RequiredAll(topics);
        var wait = Interop.CheckTime(timeout ?? StandardTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(callOptions);
        return _core
            .CreateTopics(wanted.Select(topic => topic.ToCore()).ToFSharpList(), wait, callOptions.ToCore())
            .ToResults(Same, TopicInfo.Of, callOptions);
    }

    /// <summary>Deletes topics with all their records.</summary>
    /// <param name="topics">The names of the topics.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for each topic.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public ItemResults<ItemResult<string, TopicInfo>> DeleteTopics(
        IEnumerable<string> topics,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default
    ) => DeleteTopics(topics, timeout, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DeleteTopics(IEnumerable{string}, TimeSpan?, CancellationToken)"/>
    /// <param name="topics">The names of the topics.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<string, TopicInfo>> DeleteTopics(IEnumerable<string> topics, TimeSpan? timeout, CallOptions callOptions)
    {
        var wanted = Interop.RequiredAll(topics);
        var wait = Interop.CheckTime(timeout ?? StandardTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(callOptions);
        return _core.DeleteTopics(wanted.ToFSharpList(), wait, callOptions.ToCore()).ToResults(Same, TopicInfo.Of, callOptions);
    }

    /// <summary>Adds partitions to topics.</summary>
    /// <param name="topics">The topics.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="validateOnly">Whether the broker only checks the request.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for each topic.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public ItemResults<ItemResult<string>> CreatePartitions(
        IEnumerable<NewPartitions> topics,
        TimeSpan? timeout = null,
        bool validateOnly = false,
        CancellationToken cancellationToken = default
    ) => CreatePartitions(topics, timeout, validateOnly, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="CreatePartitions(IEnumerable{NewPartitions}, TimeSpan?, bool, CancellationToken)"/>
    /// <param name="topics">The topics.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="validateOnly">Whether the broker only checks the request.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<string>> CreatePartitions(
        IEnumerable<NewPartitions> topics,
        TimeSpan? timeout,
        bool validateOnly,
        CallOptions callOptions
    )
    {
        var wanted = Interop.RequiredAll(topics);
        var wait = Interop.CheckTime(timeout ?? StandardTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(callOptions);
        return _core
            .CreatePartitions(wanted.Select(topic => topic.ToCore()).ToFSharpList(), wait, validateOnly, callOptions.ToCore())
            .ToResults(Same, callOptions);
    }

    /// <summary>Describes topics with their partitions, leaders and replicas.</summary>
    /// <param name="topics">The names of the topics.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The result for each topic.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<string, TopicMetadata>> DescribeTopics(
        IEnumerable<string> topics,
        CancellationToken cancellationToken = default
    ) => DescribeTopics(topics, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DescribeTopics(IEnumerable{string}, CancellationToken)"/>
    /// <param name="topics">The names of the topics.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<string, TopicMetadata>> DescribeTopics(IEnumerable<string> topics, CallOptions callOptions)
    {
        var wanted = Interop.RequiredAll(topics);
        Begin(callOptions);
        return _core.DescribeTopics(wanted.ToFSharpList(), callOptions.ToCore()).ToResults(Same, TopicMetadata.Of, callOptions);
    }

    /// <summary>Lists all topics that the client is authorized to see.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The topics.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaResult<IReadOnlyList<TopicMetadata>> ListTopics(CancellationToken cancellationToken = default) =>
        ListTopics(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="ListTopics(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<IReadOnlyList<TopicMetadata>> ListTopics(CallOptions callOptions)
    {
        Begin(callOptions);
        return _core.ListTopics(callOptions.ToCore()).ToResult(topics => List(topics, TopicMetadata.Of), callOptions);
    }

    /// <summary>Describes the configs of topics, brokers, groups and others.</summary>
    /// <param name="resources">The resources.</param>
    /// <param name="names">The names of the configs; null for all.</param>
    /// <param name="synonyms">Whether to include the other places that each value can come from (Kafka 1.1).</param>
    /// <param name="documentation">Whether to include the documentation of each config (Kafka 2.6).</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The configs of each resource.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<ConfigResource, IReadOnlyList<ConfigEntry>>> DescribeConfigs(
        IEnumerable<ConfigResource> resources,
        IEnumerable<string>? names = null,
        bool synonyms = false,
        bool documentation = false,
        CancellationToken cancellationToken = default
    ) => DescribeConfigs(resources, names, synonyms, documentation, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DescribeConfigs(IEnumerable{ConfigResource}, IEnumerable{string}, bool, bool, CancellationToken)"/>
    /// <param name="resources">The resources.</param>
    /// <param name="names">The names of the configs; null for all.</param>
    /// <param name="synonyms">Whether to include the other places that each value can come from (Kafka 1.1).</param>
    /// <param name="documentation">Whether to include the documentation of each config (Kafka 2.6).</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<ConfigResource, IReadOnlyList<ConfigEntry>>> DescribeConfigs(
        IEnumerable<ConfigResource> resources,
        IEnumerable<string>? names,
        bool synonyms,
        bool documentation,
        CallOptions callOptions
    )
    {
        var wanted = Interop.RequiredAll(resources);
        var keys = names is null ? null : Interop.OptionOf(Interop.RequiredAll(names).ToFSharpList());
        var asked = wanted.Select(resource => new DescribeConfigs.Resource(resource.Type, resource.Name, keys)).ToFSharpList();
        Begin(callOptions);
        return _core
            .DescribeConfigs(asked, synonyms, documentation, callOptions.ToCore())
            .ToResults(ConfigResource.Of, entries => List(entries, ConfigEntry.Of), callOptions);
    }

    /// <summary>Changes single configs (KIP-339, Kafka 2.3). The changes of one resource are made all together or not at all.</summary>
    /// <param name="changes">The changes.</param>
    /// <param name="validateOnly">Whether the broker only checks the request.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for each resource, in the order in which the resources first appear.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<ConfigResource>> AlterConfigs(
        IEnumerable<ConfigChange> changes,
        bool validateOnly = false,
        CancellationToken cancellationToken = default
    ) => AlterConfigs(changes, validateOnly, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="AlterConfigs(IEnumerable{ConfigChange}, bool, CancellationToken)"/>
    /// <param name="changes">The changes.</param>
    /// <param name="validateOnly">Whether the broker only checks the request.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<ConfigResource>> AlterConfigs(
        IEnumerable<ConfigChange> changes,
        bool validateOnly,
        CallOptions callOptions
    )
    {
        var wanted = Interop
            .RequiredAll(changes)
            .GroupBy(change => change.Resource)
            .Select(resource => new IncrementalAlterConfigs.Resource(
                resource.Key.Type,
                resource.Key.Name,
                resource
                    .Select(change => new IncrementalAlterConfigs.Config(change.Name, change.Operation, Interop.OptionOf(change.Value)))
                    .ToFSharpList()
            ))
            .ToFSharpList();
        Begin(callOptions);
        return _core.AlterConfigs(wanted, validateOnly, callOptions.ToCore()).ToResults(ConfigResource.Of, callOptions);
    }

    /// <summary>Deletes the records before an offset, or all records with -1.</summary>
    /// <param name="before">The offsets by partition.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The first remaining offset of each partition.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public ItemResults<ItemResult<TopicPartition, long>> DeleteRecords(
        IEnumerable<KeyValuePair<TopicPartition, long>> before,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default
    ) => DeleteRecords(before, timeout, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DeleteRecords(IEnumerable{KeyValuePair{TopicPartition, long}}, TimeSpan?, CancellationToken)"/>
    /// <param name="before">The offsets by partition.</param>
    /// <param name="timeout">How long the broker may take: 10 seconds if it is null. It should be shorter than the call's own time-out.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<TopicPartition, long>> DeleteRecords(
        IEnumerable<KeyValuePair<TopicPartition, long>> before,
        TimeSpan? timeout,
        CallOptions callOptions
    )
    {
        var wanted = Interop.RequiredAll(before);
        var wait = Interop.CheckTime(timeout ?? StandardTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(callOptions);
        return _core
            .DeleteRecords(
                wanted.Select(offset => Tuple.Create(offset.Key.ToCore(), offset.Value)).ToFSharpList(),
                wait,
                callOptions.ToCore()
            )
            .ToResults(TopicPartition.Of, Same, callOptions);
    }

    /// <summary>Finds offsets in several partitions.</summary>
    /// <param name="wanted">What to find, by partition.</param>
    /// <param name="isolation">With <c>ReadCommitted</c>, the latest offset is the last stable offset; otherwise, and if it is null, the high watermark.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The offset found in each partition.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<TopicPartition, ListedOffset>> ListOffsets(
        IEnumerable<KeyValuePair<TopicPartition, OffsetSpec>> wanted,
        IsolationLevel? isolation = null,
        CancellationToken cancellationToken = default
    ) => ListOffsets(wanted, isolation, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="ListOffsets(IEnumerable{KeyValuePair{TopicPartition, OffsetSpec}}, IsolationLevel?, CancellationToken)"/>
    /// <param name="wanted">What to find, by partition.</param>
    /// <param name="isolation">With <c>ReadCommitted</c>, the latest offset is the last stable offset; otherwise, and if it is null, the high watermark.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<TopicPartition, ListedOffset>> ListOffsets(
        IEnumerable<KeyValuePair<TopicPartition, OffsetSpec>> wanted,
        IsolationLevel? isolation,
        CallOptions callOptions
    )
    {
        var asked = Interop.RequiredAll(wanted);
        Begin(callOptions);
        return _core
            .ListOffsets(
                asked.Select(spec => Tuple.Create(spec.Key.ToCore(), spec.Value)).ToFSharpList(),
                isolation ?? IsolationLevel.ReadUncommitted,
                callOptions.ToCore()
            )
            .ToResults(TopicPartition.Of, ListedOffset.Of, callOptions);
    }

    /// <summary>Lists the groups of each broker.</summary>
    /// <param name="states">Only groups in one of these states (KIP-518, Kafka 2.6); null for all.</param>
    /// <param name="types">Only groups of one of these types (KIP-848, Kafka 3.8); null for all.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The groups of each broker.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<BrokerAddress, IReadOnlyList<GroupListing>>> ListGroups(
        IEnumerable<GroupState>? states = null,
        IEnumerable<GroupType>? types = null,
        CancellationToken cancellationToken = default
    ) => ListGroups(states, types, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="ListGroups(IEnumerable{GroupState}, IEnumerable{GroupType}, CancellationToken)"/>
    /// <param name="states">Only groups in one of these states (KIP-518, Kafka 2.6); null for all.</param>
    /// <param name="types">Only groups of one of these types (KIP-848, Kafka 3.8); null for all.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<BrokerAddress, IReadOnlyList<GroupListing>>> ListGroups(
        IEnumerable<GroupState>? states,
        IEnumerable<GroupType>? types,
        CallOptions callOptions
    )
    {
        Begin(callOptions);
        return _core
            .ListGroups((states ?? []).ToFSharpList(), (types ?? []).ToFSharpList(), callOptions.ToCore())
            .ToResults(BrokerAddress.Of, groups => List(groups, GroupListing.Of), callOptions);
    }

    /// <summary>Describes classic groups with their members.</summary>
    /// <param name="groups">The ids of the groups.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The result for each group.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<string, ClassicGroupDescription>> DescribeGroups(
        IEnumerable<string> groups,
        CancellationToken cancellationToken = default
    ) => DescribeGroups(groups, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DescribeGroups(IEnumerable{string}, CancellationToken)"/>
    /// <param name="groups">The ids of the groups.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<string, ClassicGroupDescription>> DescribeGroups(IEnumerable<string> groups, CallOptions callOptions)
    {
        var wanted = Interop.RequiredAll(groups);
        Begin(callOptions);
        return _core.DescribeGroups(wanted.ToFSharpList(), callOptions.ToCore()).ToResults(Same, ClassicGroupDescription.Of, callOptions);
    }

    /// <summary>Describes groups of the new protocol (KIP-848) with their members.</summary>
    /// <param name="groups">The ids of the groups.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The result for each group.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<string, ConsumerGroupDescription>> DescribeConsumerGroups(
        IEnumerable<string> groups,
        CancellationToken cancellationToken = default
    ) => DescribeConsumerGroups(groups, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DescribeConsumerGroups(IEnumerable{string}, CancellationToken)"/>
    /// <param name="groups">The ids of the groups.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<string, ConsumerGroupDescription>> DescribeConsumerGroups(
        IEnumerable<string> groups,
        CallOptions callOptions
    )
    {
        var wanted = Interop.RequiredAll(groups);
        Begin(callOptions);
        return _core
            .DescribeConsumerGroups(wanted.ToFSharpList(), callOptions.ToCore())
            .ToResults(Same, ConsumerGroupDescription.Of, callOptions);
    }

    /// <summary>Deletes groups that have no members, with their offsets.</summary>
    /// <param name="groups">The ids of the groups.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for each group.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<string>> DeleteGroups(IEnumerable<string> groups, CancellationToken cancellationToken = default) =>
        DeleteGroups(groups, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DeleteGroups(IEnumerable{string}, CancellationToken)"/>
    /// <param name="groups">The ids of the groups.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<string>> DeleteGroups(IEnumerable<string> groups, CallOptions callOptions)
    {
        var wanted = Interop.RequiredAll(groups);
        Begin(callOptions);
        return _core.DeleteGroups(wanted.ToFSharpList(), callOptions.ToCore()).ToResults(Same, callOptions);
    }

    /// <summary>Finds the ACLs that a filter matches.</summary>
    /// <param name="filter">The filter; null for all ACLs.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The ACLs.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaResult<IReadOnlyList<AclBinding>> DescribeAcls(
        AclBindingFilter? filter = null,
        CancellationToken cancellationToken = default
    ) => DescribeAcls(filter, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DescribeAcls(AclBindingFilter, CancellationToken)"/>
    /// <param name="filter">The filter; null for all ACLs.</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<IReadOnlyList<AclBinding>> DescribeAcls(AclBindingFilter? filter, CallOptions callOptions)
    {
        Begin(callOptions);
        return _core
            .DescribeAcls((filter ?? new()).ToCore(), callOptions.ToCore())
            .ToResult(resources => (IReadOnlyList<AclBinding>)[.. resources.SelectMany(AclBinding.Of)], callOptions);
    }

    /// <summary>Creates ACLs. An ACL that already exists is not an error.</summary>
    /// <param name="acls">The ACLs.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for each ACL.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<AclBinding>> CreateAcls(IEnumerable<AclBinding> acls, CancellationToken cancellationToken = default) =>
        CreateAcls(acls, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="CreateAcls(IEnumerable{AclBinding}, CancellationToken)"/>
    /// <param name="acls">The ACLs.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<AclBinding>> CreateAcls(IEnumerable<AclBinding> acls, CallOptions callOptions)
    {
        var wanted = Interop.RequiredAll(acls);
        Begin(callOptions);
        return _core
            .CreateAcls(wanted.Select(acl => acl.ToCore()).ToFSharpList(), callOptions.ToCore())
            .ToResults(AclBinding.Of, callOptions);
    }

    /// <summary>Deletes the ACLs that filters match.</summary>
    /// <param name="filters">The filters.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The ACLs that each filter matched. One with an error code still exists.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<AclBindingFilter, IReadOnlyList<DeletedAclBinding>>> DeleteAcls(
        IEnumerable<AclBindingFilter> filters,
        CancellationToken cancellationToken = default
    ) => DeleteAcls(filters, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DeleteAcls(IEnumerable{AclBindingFilter}, CancellationToken)"/>
    /// <param name="filters">The filters.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<AclBindingFilter, IReadOnlyList<DeletedAclBinding>>> DeleteAcls(
        IEnumerable<AclBindingFilter> filters,
        CallOptions callOptions
    )
    {
        var wanted = Interop.RequiredAll(filters);
        Begin(callOptions);
        return _core
            .DeleteAcls(wanted.Select(filter => filter.ToCore()).ToFSharpList(), callOptions.ToCore())
            .ToResults(AclBindingFilter.Of, acls => List(acls, DeletedAclBinding.Of), callOptions);
    }

    /// <summary>Describes the cluster: its id, controller and brokers.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The cluster.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaResult<ClusterDescription> DescribeCluster(CancellationToken cancellationToken = default) =>
        DescribeCluster(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DescribeCluster(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<ClusterDescription> DescribeCluster(CallOptions callOptions)
    {
        Begin(callOptions);
        return _core.DescribeCluster(callOptions.ToCore()).ToResult(ClusterDescription.Of, callOptions);
    }

    /// <summary>Closes the connections if there are any. The next call makes new ones.</summary>
    public void Disconnect() => _core.Close();

    /// <summary>Closes the connections for good.</summary>
    public void Dispose()
    {
        _disposed = true;
        Disconnect();
    }

    private static T Same<T>(T value) => value;

    private static IReadOnlyList<TResult> List<T, TResult>(IEnumerable<T> values, Func<T, TResult> result) => [.. values.Select(result)];

    private void Begin(CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(callOptions);
        ObjectDisposedException.ThrowIf(_disposed, this);
    }
}
