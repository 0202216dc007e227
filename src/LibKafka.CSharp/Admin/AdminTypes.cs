using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>A topic to enlarge.</summary>
/// <param name="Topic">The name of the topic.</param>
/// <param name="Count">How many partitions it is to have in all.</param>
public sealed record NewPartitions(string Topic, int Count)
{
    /// <summary>
    /// The ids of the brokers that are to keep each new partition, the preferred leader first; null to leave it to the controller.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<int>>? Assignments
    {
        get;
        init => field = value is null ? null : new ValueList<IReadOnlyList<int>>(value.Select(brokers => new ValueList<int>(brokers)));
    }

    internal CreatePartitions.Topic ToCore() =>
        new(
            Topic,
            Count,
            Interop.OptionOf(Assignments?.Select(brokers => new CreatePartitions.Assignment(brokers.ToFSharpList())).ToFSharpList())
        );
}

/// <summary>What has settings.</summary>
/// <param name="Type">A topic, a broker, a group, and so on.</param>
/// <param name="Name">
/// The name of a topic or group, or the id of a broker; empty for what all brokers have in common.
/// </param>
public readonly record struct ConfigResource(ConfigResourceType Type, string Name)
{
    /// <summary>A topic.</summary>
    /// <param name="name">The name of the topic.</param>
    /// <returns>The resource.</returns>
    public static ConfigResource Topic(string name) => new(ConfigResourceType.Topic, name);

    /// <summary>As in <c>Topic orders</c>.</summary>
    /// <returns>Type and name.</returns>
    public override string ToString() => $"{Type} {Name}";

    internal static ConfigResource Of(Client.ConfigResource core) => new(core.Type, core.Name);
}

/// <summary>A setting.</summary>
public sealed record ConfigEntry
{
    /// <summary>The name of the setting.</summary>
    public required string Name { get; init; }

    /// <summary>The value; null for a secret.</summary>
    public string? Value { get; init; }

    /// <summary>Whether it cannot be changed while the broker runs.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Whether the value is kept secret.</summary>
    public bool IsSensitive { get; init; }

    /// <summary>Where the value comes from.</summary>
    public ConfigSource Source { get; init; }

    /// <summary>What kind of value it is.</summary>
    public ConfigType Type { get; init; }

    /// <summary>What it is for; null where that was not asked for.</summary>
    public string? Documentation { get; init; }

    /// <summary>From where else the value could come, the strongest first; empty where that was not asked for.</summary>
    public IReadOnlyList<ConfigSynonym> Synonyms
    {
        get;
        init => field = new ValueList<ConfigSynonym>(value);
    } = new ValueList<ConfigSynonym>([]);

    internal static ConfigEntry Of(DescribeConfigs.Config core) =>
        new()
        {
            Name = core.Name,
            Value = core.Value.OrNull(),
            IsReadOnly = core.ReadOnly,
            IsSensitive = core.IsSensitive,
            Source = core.Source,
            Type = core.Type,
            Documentation = core.Documentation.OrNull(),
            Synonyms = new ValueList<ConfigSynonym>(
                core.Synonyms.Select(synonym => new ConfigSynonym(synonym.Name, synonym.Value.OrNull(), synonym.Source))
            ),
        };
}

/// <summary>A place that a setting can come from.</summary>
/// <param name="Name">The name that the setting has there.</param>
/// <param name="Value">The value; null for a secret.</param>
/// <param name="Source">What place it is.</param>
public sealed record ConfigSynonym(string Name, string? Value, ConfigSource Source);

/// <summary>A setting to change.</summary>
/// <param name="Resource">What has the setting.</param>
/// <param name="Name">The name of the setting; each only once.</param>
/// <param name="Operation">What to do with it.</param>
/// <param name="Value">
/// The new value, or the elements to add or take away, with commas between; null only where the setting is deleted.
/// </param>
public sealed record ConfigChange(ConfigResource Resource, string Name, AlterConfigOperation Operation, string? Value)
{
    /// <summary>Gives a setting a value.</summary>
    /// <param name="resource">What has the setting.</param>
    /// <param name="name">The name of the setting.</param>
    /// <param name="value">The value.</param>
    /// <returns>The change.</returns>
    public static ConfigChange Set(ConfigResource resource, string name, string value) =>
        new(resource, name, AlterConfigOperation.Set, value);

    /// <summary>Takes a setting back to its default.</summary>
    /// <param name="resource">What has the setting.</param>
    /// <param name="name">The name of the setting.</param>
    /// <returns>The change.</returns>
    public static ConfigChange Delete(ConfigResource resource, string name) => new(resource, name, AlterConfigOperation.Delete, null);
}

/// <summary>An offset that was looked for.</summary>
/// <param name="Offset">The offset; null where no record is that late.</param>
/// <param name="Timestamp">
/// The timestamp of the record at the offset, in milliseconds since 1970-01-01 UTC; -1 where none was looked for or none was found.
/// </param>
/// <param name="LeaderEpoch">The leader epoch of the record at the offset; -1 where it is not known.</param>
public readonly record struct ListedOffset(long? Offset, long Timestamp, int LeaderEpoch)
{
    internal static ListedOffset Of(ListOffsets.PartitionResponse core) =>
        new(core.Offset >= 0 ? core.Offset : null, core.Timestamp, core.LeaderEpoch);
}

/// <summary>A group, as it is listed.</summary>
/// <param name="GroupId">The id of the group.</param>
/// <param name="ProtocolType"><c>consumer</c> for consumers; empty for a group that only stores offsets.</param>
/// <param name="State">The state; empty where it is not told.</param>
/// <param name="Type">The type; empty where it is not told.</param>
public sealed record GroupListing(string GroupId, string ProtocolType, GroupState State, GroupType Type)
{
    internal static GroupListing Of(ListGroups.Group core) => new(core.GroupId, core.ProtocolType, core.GroupState, core.GroupType);
}

/// <summary>A classic group with its members.</summary>
public sealed record ClassicGroupDescription
{
    /// <summary>The id of the group.</summary>
    public required string GroupId { get; init; }

    /// <summary>Its state.</summary>
    public required GroupState State { get; init; }

    /// <summary><c>consumer</c> for consumers; empty for a group that only stores offsets.</summary>
    public string ProtocolType { get; init; } = "";

    /// <summary>The protocol that was chosen, for consumers the name of an assignor; empty while the group is not stable.</summary>
    public string ProtocolName { get; init; } = "";

    /// <summary>The members.</summary>
    public IReadOnlyList<ClassicMemberDescription> Members
    {
        get;
        init => field = new ValueList<ClassicMemberDescription>(value);
    } = new ValueList<ClassicMemberDescription>([]);

    internal static ClassicGroupDescription Of(DescribeGroups.Group core) =>
        new()
        {
            GroupId = core.GroupId,
            State = core.GroupState,
            ProtocolType = core.ProtocolType,
            ProtocolName = core.ProtocolData,
            Members = new ValueList<ClassicMemberDescription>(core.Members.Select(ClassicMemberDescription.Of)),
        };
}

/// <summary>A member of a classic group.</summary>
public sealed record ClassicMemberDescription
{
    /// <summary>The id of the member.</summary>
    public required string MemberId { get; init; }

    /// <summary>The name of a static member (KIP-345); null for a dynamic one.</summary>
    public string? GroupInstanceId { get; init; }

    /// <summary>What the member calls itself in its requests.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>The address that it joined from, such as <c>/10.0.0.1</c>.</summary>
    public string ClientHost { get; init; } = "";

    /// <summary>
    /// What the member sent with the protocol that was chosen: for consumers a subscription. Empty while the group is not stable.
    /// </summary>
    public ReadOnlyMemory<byte> Metadata { get; init; }

    /// <summary>What the leader gave it: for consumers an assignment. Empty while the group is not stable.</summary>
    public ReadOnlyMemory<byte> Assignment { get; init; }

    internal static ClassicMemberDescription Of(DescribeGroups.Member core) =>
        new()
        {
            MemberId = core.MemberId,
            GroupInstanceId = core.GroupInstanceId.OrNull(),
            ClientId = core.ClientId,
            ClientHost = core.ClientHost,
            Metadata = core.MemberMetadata.Memory,
            Assignment = core.MemberAssignment.Memory,
        };
}

/// <summary>A group of the new protocol (KIP-848) with its members.</summary>
public sealed record ConsumerGroupDescription
{
    /// <summary>The id of the group.</summary>
    public required string GroupId { get; init; }

    /// <summary>Its state.</summary>
    public required GroupState State { get; init; }

    /// <summary>Grows with each change of members, subscriptions or topics.</summary>
    public int GroupEpoch { get; init; }

    /// <summary>The group epoch for which the targets were worked out. Behind the group's, new ones are due.</summary>
    public int AssignmentEpoch { get; init; }

    /// <summary>The assignor that the coordinator uses.</summary>
    public string AssignorName { get; init; } = "";

    /// <summary>The members.</summary>
    public IReadOnlyList<ConsumerMemberDescription> Members
    {
        get;
        init => field = new ValueList<ConsumerMemberDescription>(value);
    } = new ValueList<ConsumerMemberDescription>([]);

    internal static ConsumerGroupDescription Of(ConsumerGroupDescribe.Group core) =>
        new()
        {
            GroupId = core.GroupId,
            State = core.GroupState,
            GroupEpoch = core.GroupEpoch,
            AssignmentEpoch = core.AssignmentEpoch,
            AssignorName = core.AssignorName,
            Members = new ValueList<ConsumerMemberDescription>(core.Members.Select(ConsumerMemberDescription.Of)),
        };
}

/// <summary>A member of a group of the new protocol.</summary>
public sealed record ConsumerMemberDescription
{
    /// <summary>The id of the member.</summary>
    public required string MemberId { get; init; }

    /// <summary>The name of a static member; null for a dynamic one.</summary>
    public string? InstanceId { get; init; }

    /// <summary>The rack of the member; null where it has told none.</summary>
    public string? RackId { get; init; }

    /// <summary>
    /// The epoch that the member has reached. Behind the group's, it still works towards its target. -2 while a static member has left for a
    /// while.
    /// </summary>
    public int MemberEpoch { get; init; }

    /// <summary>What the member calls itself in its requests.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>The address that the member's requests come from, such as <c>/10.0.0.7</c>.</summary>
    public string ClientHost { get; init; } = "";

    /// <summary>The topics that the member names.</summary>
    public IReadOnlyList<string> SubscribedTopics
    {
        get;
        init => field = new ValueList<string>(value);
    } = new ValueList<string>([]);

    /// <summary>The regular expression by which the member names topics; null or empty for none.</summary>
    public string? SubscribedTopicRegex { get; init; }

    /// <summary>The partitions that the member has.</summary>
    public IReadOnlyList<TopicPartition> Assignment
    {
        get;
        init => field = new ValueList<TopicPartition>(value);
    } = new ValueList<TopicPartition>([]);

    /// <summary>The partitions that the member is to have.</summary>
    public IReadOnlyList<TopicPartition> TargetAssignment
    {
        get;
        init => field = new ValueList<TopicPartition>(value);
    } = new ValueList<TopicPartition>([]);

    internal static ConsumerMemberDescription Of(ConsumerGroupDescribe.Member core) =>
        new()
        {
            MemberId = core.MemberId,
            InstanceId = core.InstanceId.OrNull(),
            RackId = core.RackId.OrNull(),
            MemberEpoch = core.MemberEpoch,
            ClientId = core.ClientId,
            ClientHost = core.ClientHost,
            SubscribedTopics = core.SubscribedTopicNames,
            SubscribedTopicRegex = core.SubscribedTopicRegex.OrNull(),
            Assignment = Spread(core.Assignment),
            TargetAssignment = Spread(core.TargetAssignment),
        };

    private static ValueList<TopicPartition> Spread(DescribedAssignment assignment) =>
        new(
            assignment.TopicPartitions.SelectMany(topic =>
                topic.Partitions.Select(partition => new TopicPartition(topic.TopicName, partition))
            )
        );
}

/// <summary>An access rule: what one principal may or may not do with one resource, or with those whose names begin alike.</summary>
public sealed record AclBinding
{
    /// <summary>The type of the resource.</summary>
    public required AclResourceType ResourceType { get; init; }

    /// <summary>The name of the resource: <c>kafka-cluster</c> for the cluster, and <c>*</c> for every name.</summary>
    public required string ResourceName { get; init; }

    /// <summary>Whether the name is meant as it is, unless set, or as the beginning of names.</summary>
    public AclPatternType PatternType { get; init; } = AclPatternType.Literal;

    /// <summary>Such as <c>User:alice</c>; <c>User:*</c> for all users.</summary>
    public required string Principal { get; init; }

    /// <summary>The address that the client comes from; <c>*</c>, unless set, for all.</summary>
    public string Host { get; init; } = "*";

    /// <summary>What is allowed or denied.</summary>
    public required AclOperation Operation { get; init; }

    /// <summary>Whether it is allowed or denied.</summary>
    public required AclPermission Permission { get; init; }

    internal static IEnumerable<AclBinding> Of(DescribeAcls.Resource core) =>
        core.Acls.Select(acl => new AclBinding
        {
            ResourceType = core.ResourceType,
            ResourceName = core.ResourceName,
            PatternType = core.PatternType,
            Principal = acl.Principal,
            Host = acl.Host,
            Operation = acl.Operation,
            Permission = acl.PermissionType,
        });

    internal static AclBinding Of(CreateAcls.Acl core) =>
        new()
        {
            ResourceType = core.ResourceType,
            ResourceName = core.ResourceName,
            PatternType = core.ResourcePatternType,
            Principal = core.Principal,
            Host = core.Host,
            Operation = core.Operation,
            Permission = core.PermissionType,
        };

    internal CreateAcls.Acl ToCore() => new(ResourceType, ResourceName, PatternType, Principal, Host, Operation, Permission);
}

/// <summary>Which access rules are meant: a rule matches where each property does.</summary>
public sealed record AclBindingFilter
{
    /// <summary>The type of the resource; any unless set.</summary>
    public AclResourceType ResourceType { get; init; } = AclResourceType.Any;

    /// <summary>The name in the rule; null, unless set, for every name.</summary>
    public string? ResourceName { get; init; }

    /// <summary>How <see cref="ResourceName"/> is compared with the name in the rule; in any way unless set.</summary>
    public AclPatternType PatternType { get; init; } = AclPatternType.Any;

    /// <summary>Such as <c>User:alice</c>, and <c>User:*</c> for the rules about all users; null, unless set, for every principal.</summary>
    public string? Principal { get; init; }

    /// <summary>An address, and <c>*</c> for the rules about all addresses; null, unless set, for every host.</summary>
    public string? Host { get; init; }

    /// <summary>The operation; any unless set.</summary>
    public AclOperation Operation { get; init; } = AclOperation.Any;

    /// <summary>The permission; either unless set.</summary>
    public AclPermission Permission { get; init; } = AclPermission.Any;

    internal static AclBindingFilter Of(AclFilter core) =>
        new()
        {
            ResourceType = core.ResourceTypeFilter,
            ResourceName = core.ResourceNameFilter.OrNull(),
            PatternType = core.PatternTypeFilter,
            Principal = core.PrincipalFilter.OrNull(),
            Host = core.HostFilter.OrNull(),
            Operation = core.Operation,
            Permission = core.PermissionType,
        };

    internal AclFilter ToCore() =>
        new(
            ResourceType,
            Interop.OptionOf(ResourceName),
            PatternType,
            Interop.OptionOf(Principal),
            Interop.OptionOf(Host),
            Operation,
            Permission
        );
}

/// <summary>An access rule that a filter matched, to be deleted.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Error">Why it was not deleted, though it matched; <c>ErrorCode.None</c> where it is gone.</param>
/// <param name="ErrorMessage">What the broker says of the error; null where it says nothing.</param>
public sealed record DeletedAclBinding(AclBinding Rule, ErrorCode Error, string? ErrorMessage)
{
    internal static DeletedAclBinding Of(DeleteAcls.Acl core) =>
        new(
            new()
            {
                ResourceType = core.ResourceType,
                ResourceName = core.ResourceName,
                PatternType = core.PatternType,
                Principal = core.Principal,
                Host = core.Host,
                Operation = core.Operation,
                Permission = core.PermissionType,
            },
            core.Error,
            core.ErrorMessage.OrNull()
        );
}

/// <summary>The cluster.</summary>
public sealed record ClusterDescription
{
    /// <summary>The id of the cluster.</summary>
    public required string ClusterId { get; init; }

    /// <summary>The id of the broker to send administrative requests to; -1 where it is not known.</summary>
    public required int ControllerId { get; init; }

    /// <summary>The brokers that are alive.</summary>
    public required IReadOnlyList<BrokerMetadata> Brokers
    {
        get;
        init => field = new ValueList<BrokerMetadata>(value);
    }

    internal static ClusterDescription Of(DescribeCluster.Response core) =>
        new()
        {
            ClusterId = core.ClusterId,
            ControllerId = core.ControllerId,
            Brokers = new ValueList<BrokerMetadata>(
                core.Brokers.Select(broker => new BrokerMetadata
                {
                    NodeId = broker.BrokerId,
                    Address = new(broker.Host, broker.Port),
                    Rack = broker.Rack.OrNull(),
                })
            ),
        };
}
