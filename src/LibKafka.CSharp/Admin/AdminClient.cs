using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka.Protocol;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>
/// Administrative calls. Each asks the broker whose task it is: the controller, a partition's leader, a group's coordinator, or any; with
/// several of them, each once. Connections are kept for the next call. There are no retries. What goes wrong is part of the result, since
/// it may be something else for each item: see <c>ThrowIfError</c>. It is not for use by several threads at a time.
/// </summary>
public sealed class AdminClient : IDisposable
{
    private static readonly TimeSpan StandardTimeout = TimeSpan.FromSeconds(10);
    private readonly Core.AdminClient _core;
    private bool _disposed;

    /// <summary>A client that has not connected yet.</summary>
    /// <param name="options">Where the cluster is, and how to connect.</param>
    public AdminClient(KafkaClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        _core = new(options.ToSettings(), options.ToBootstrap());
    }

    /// <summary>The options that it was made with.</summary>
    public KafkaClientOptions Options { get; }

    /// <summary>Creates topics.</summary>
    /// <param name="topics">The topics.</param>
    /// <param name="timeout">How long the broker may wait until it is done: 10 seconds where it is null.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>What became of each. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public AdminResults<AdminResult<string, TopicResult>> CreateTopics(
        IEnumerable<NewTopic> topics,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(topics);
        var wait = Interop.CheckTime(timeout ?? StandardTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(cancellationToken);
        var wanted = topics.Select(topic => topic.ToCore()).ToFSharpList();
        return _core.CreateTopics(wanted, wait, Interop.Optional(cancellationToken)).ToResults(Same, TopicResult.Of, cancellationToken);
    }

    /// <summary>Deletes topics with everything in them.</summary>
    /// <param name="topics">Names of topics.</param>
    /// <param name="timeout">How long the broker may wait until it is done: 10 seconds where it is null.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>What became of each. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public AdminResults<AdminResult<string, TopicResult>> DeleteTopics(
        IEnumerable<string> topics,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(topics);
        var wait = Interop.CheckTime(timeout ?? StandardTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(cancellationToken);
        return _core
            .DeleteTopics(topics.ToFSharpList(), wait, Interop.Optional(cancellationToken))
            .ToResults(Same, TopicResult.Of, cancellationToken);
    }

    /// <summary>Enlarges topics.</summary>
    /// <param name="topics">The topics.</param>
    /// <param name="timeout">How long the broker may wait until it is done: 10 seconds where it is null.</param>
    /// <param name="validateOnly">Whether the broker only checks whether it would work.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>What became of each. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public AdminResults<AdminResult<string>> CreatePartitions(
        IEnumerable<NewPartitions> topics,
        TimeSpan? timeout = null,
        bool validateOnly = false,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(topics);
        var wait = Interop.CheckTime(timeout ?? StandardTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(cancellationToken);
        var wanted = topics.Select(topic => topic.ToCore()).ToFSharpList();
        return _core.CreatePartitions(wanted, wait, validateOnly, Interop.Optional(cancellationToken)).ToResults(Same, cancellationToken);
    }

    /// <summary>Topics with their partitions, leaders and replicas.</summary>
    /// <param name="topics">Names of topics.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>What became of each. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public AdminResults<AdminResult<string, TopicMetadata>> DescribeTopics(
        IEnumerable<string> topics,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(topics);
        Begin(cancellationToken);
        return _core
            .DescribeTopics(topics.ToFSharpList(), Interop.Optional(cancellationToken))
            .ToResults(Same, TopicMetadata.Of, cancellationToken);
    }

    /// <summary>All topics that the client may see.</summary>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>What was found. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public AdminAnswer<IReadOnlyList<TopicMetadata>> ListTopics(CancellationToken cancellationToken = default)
    {
        Begin(cancellationToken);
        return _core.ListTopics(Interop.Optional(cancellationToken)).ToAnswer(topics => List(topics, TopicMetadata.Of), cancellationToken);
    }

    /// <summary>Settings of topics, brokers, groups and others.</summary>
    /// <param name="resources">What has the settings.</param>
    /// <param name="names">The names of the settings; null for all.</param>
    /// <param name="synonyms">Whether to tell also from where else each value could come.</param>
    /// <param name="documentation">Whether to tell also what each setting is for (Kafka 2.6).</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>What became of each. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public AdminResults<AdminResult<ConfigResource, IReadOnlyList<ConfigEntry>>> DescribeConfigs(
        IEnumerable<ConfigResource> resources,
        IEnumerable<string>? names = null,
        bool synonyms = false,
        bool documentation = false,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(resources);
        Begin(cancellationToken);
        var keys = Interop.OptionOf(names?.ToFSharpList());
        var asked = resources.Select(resource => new DescribeConfigs.Resource(resource.Type, resource.Name ?? "", keys)).ToFSharpList();
        return _core
            .DescribeConfigs(asked, synonyms, documentation, Interop.Optional(cancellationToken))
            .ToResults(ConfigResource.Of, entries => List(entries, ConfigEntry.Of), cancellationToken);
    }

    /// <summary>Changes single settings (KIP-339, Kafka 2.3): those of one resource all together or not at all.</summary>
    /// <param name="changes">The changes.</param>
    /// <param name="validateOnly">Whether the broker only checks whether it would work.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>What became of each resource, in the order in which they come first. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public AdminResults<AdminResult<ConfigResource>> AlterConfigs(
        IEnumerable<ConfigChange> changes,
        bool validateOnly = false,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(changes);
        Begin(cancellationToken);
        var wanted = changes
            .GroupBy(change => change.Resource)
            .Select(resource => new IncrementalAlterConfigs.Resource(
                resource.Key.Type,
                resource.Key.Name ?? "",
                resource
                    .Select(change => new IncrementalAlterConfigs.Config(change.Name, change.Operation, Interop.OptionOf(change.Value)))
                    .ToFSharpList()
            ))
            .ToFSharpList();
        return _core
            .AlterConfigs(wanted, validateOnly, Interop.Optional(cancellationToken))
            .ToResults(ConfigResource.Of, cancellationToken);
    }

    /// <summary>Deletes the records before an offset, or everything with -1.</summary>
    /// <param name="before">The offsets by partition.</param>
    /// <param name="timeout">How long the broker may wait until it is done: 10 seconds where it is null.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>For each partition, the first offset that is still there. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    public AdminResults<AdminResult<TopicPartition, long>> DeleteRecords(
        IEnumerable<KeyValuePair<TopicPartition, long>> before,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(before);
        var wait = Interop.CheckTime(timeout ?? StandardTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(cancellationToken);
        var wanted = before.Select(offset => Tuple.Create(offset.Key.ToCore(), offset.Value)).ToFSharpList();
        return _core.DeleteRecords(wanted, wait, Interop.Optional(cancellationToken)).ToResults(TopicPartition.Of, Same, cancellationToken);
    }

    /// <summary>Finds offsets by their place or a timestamp.</summary>
    /// <param name="wanted">What to look for, by partition.</param>
    /// <param name="isolation">With <c>ReadCommitted</c> the latest is the last stable offset, else, and where it is null, the high watermark.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>What was found in each partition. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public AdminResults<AdminResult<TopicPartition, ListedOffset>> ListOffsets(
        IEnumerable<KeyValuePair<TopicPartition, OffsetSpec>> wanted,
        IsolationLevel? isolation = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(wanted);
        Begin(cancellationToken);
        var asked = wanted.Select(spec => Tuple.Create(spec.Key.ToCore(), spec.Value)).ToFSharpList();
        return _core
            .ListOffsets(asked, isolation ?? IsolationLevel.ReadUncommitted, Interop.Optional(cancellationToken))
            .ToResults(TopicPartition.Of, ListedOffset.Of, cancellationToken);
    }

    /// <summary>The groups of each broker, as far as it could be asked.</summary>
    /// <param name="states">Only groups in one of these states (KIP-518, Kafka 2.6); null for all.</param>
    /// <param name="types">Only groups of one of these types (KIP-848, Kafka 3.8); null for all.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>The groups by broker. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public AdminAnswer<IReadOnlyList<AdminResult<BrokerAddress, IReadOnlyList<GroupListing>>>> ListGroups(
        IEnumerable<GroupState>? states = null,
        IEnumerable<GroupType>? types = null,
        CancellationToken cancellationToken = default
    )
    {
        Begin(cancellationToken);
        var listed = _core.ListGroups((states ?? []).ToFSharpList(), (types ?? []).ToFSharpList(), Interop.Optional(cancellationToken));
        return listed.ToAnswer(
            brokers =>
                List(
                    brokers,
                    broker => AdminInterop.ToResult(broker, BrokerAddress.Of, groups => List(groups, GroupListing.Of), cancellationToken)
                ),
            cancellationToken
        );
    }

    /// <summary>Classic groups with their members.</summary>
    /// <param name="groups">Ids of groups.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>What became of each. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public AdminResults<AdminResult<string, ClassicGroupDescription>> DescribeGroups(
        IEnumerable<string> groups,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(groups);
        Begin(cancellationToken);
        return _core
            .DescribeGroups(groups.ToFSharpList(), Interop.Optional(cancellationToken))
            .ToResults(Same, ClassicGroupDescription.Of, cancellationToken);
    }

    /// <summary>Groups of the new protocol (KIP-848) with their members.</summary>
    /// <param name="groups">Ids of groups.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>What became of each. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public AdminResults<AdminResult<string, ConsumerGroupDescription>> DescribeConsumerGroups(
        IEnumerable<string> groups,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(groups);
        Begin(cancellationToken);
        return _core
            .DescribeConsumerGroups(groups.ToFSharpList(), Interop.Optional(cancellationToken))
            .ToResults(Same, ConsumerGroupDescription.Of, cancellationToken);
    }

    /// <summary>Deletes groups without members, and their offsets.</summary>
    /// <param name="groups">Ids of groups.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>What became of each. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public AdminResults<AdminResult<string>> DeleteGroups(IEnumerable<string> groups, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(groups);
        Begin(cancellationToken);
        return _core.DeleteGroups(groups.ToFSharpList(), Interop.Optional(cancellationToken)).ToResults(Same, cancellationToken);
    }

    /// <summary>The access rules that a filter matches.</summary>
    /// <param name="filter">The filter; null for all rules.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>What was found. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public AdminAnswer<IReadOnlyList<AclBinding>> DescribeAcls(
        AclBindingFilter? filter = null,
        CancellationToken cancellationToken = default
    )
    {
        Begin(cancellationToken);
        IReadOnlyList<AclBinding> RulesOf(IEnumerable<DescribeAcls.Resource> resources) => [.. resources.SelectMany(AclBinding.Of)];

        return _core.DescribeAcls((filter ?? new()).ToCore(), Interop.Optional(cancellationToken)).ToAnswer(RulesOf, cancellationToken);
    }

    /// <summary>Makes access rules. One that is there already is no error.</summary>
    /// <param name="rules">The rules.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>What became of each. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public AdminResults<AdminResult<AclBinding>> CreateAcls(IEnumerable<AclBinding> rules, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(rules);
        Begin(cancellationToken);
        return _core
            .CreateAcls(rules.Select(rule => rule.ToCore()).ToFSharpList(), Interop.Optional(cancellationToken))
            .ToResults(AclBinding.Of, cancellationToken);
    }

    /// <summary>Deletes the access rules that filters match.</summary>
    /// <param name="filters">The filters.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>What each filter matched: a rule with an error is still there. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public AdminResults<AdminResult<AclBindingFilter, IReadOnlyList<DeletedAclBinding>>> DeleteAcls(
        IEnumerable<AclBindingFilter> filters,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(filters);
        Begin(cancellationToken);
        return _core
            .DeleteAcls(filters.Select(filter => filter.ToCore()).ToFSharpList(), Interop.Optional(cancellationToken))
            .ToResults(AclBindingFilter.Of, rules => List(rules, DeletedAclBinding.Of), cancellationToken);
    }

    /// <summary>The cluster's id, controller and brokers.</summary>
    /// <param name="cancellationToken">Gives up, which closes the connection; what was asked may be done all the same.</param>
    /// <returns>What was found. Faults and error codes are part of it.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public AdminAnswer<ClusterDescription> DescribeCluster(CancellationToken cancellationToken = default)
    {
        Begin(cancellationToken);
        return _core.DescribeCluster(Interop.Optional(cancellationToken)).ToAnswer(ClusterDescription.Of, cancellationToken);
    }

    /// <summary>Closes the connections, if there are any. The next call makes new ones.</summary>
    public void Disconnect() => _core.Close();

    /// <summary>Closes the connections for good.</summary>
    public void Dispose()
    {
        _disposed = true;
        Disconnect();
    }

    private static T Same<T>(T value) => value;

    private static IReadOnlyList<TResult> List<T, TResult>(IEnumerable<T> values, Func<T, TResult> result) => [.. values.Select(result)];

    private void Begin(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
