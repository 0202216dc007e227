using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>A topic that was created or deleted.</summary>
public sealed record TopicInfo
{
    /// <summary>The name of the topic; null if the broker does not report it.</summary>
    public required string? Name { get; init; }

    /// <summary>The id of the topic; <see cref="Guid.Empty"/> if the broker does not report it.</summary>
    public Guid TopicId { get; init; }

    /// <summary>The number of partitions of a new topic; -1 if the broker does not report it.</summary>
    public int Partitions { get; init; } = -1;

    /// <summary>The number of replicas of each partition of a new topic; -1 if the broker does not report it.</summary>
    public short ReplicationFactor { get; init; } = -1;

    internal static TopicInfo Of(CreateTopics.TopicResult core) =>
        new()
        {
            Name = core.Name,
            TopicId = core.TopicId,
            Partitions = core.NumPartitions,
            ReplicationFactor = core.ReplicationFactor,
        };

    internal static TopicInfo Of(DeleteTopics.TopicResult core) => new() { Name = core.Name.OrNull(), TopicId = core.TopicId };
}

/// <summary>A topic to add partitions to.</summary>
/// <param name="Topic">The name of the topic.</param>
/// <param name="Count">The total number of partitions that it should have.</param>
public sealed record NewPartitions(string Topic, int Count)
{
    /// <summary>The name of the topic.</summary>
    public string Topic
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Topic);

    /// <summary>
    /// The ids of the brokers for each new partition, the preferred leader first; null to let the controller choose.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<int>>? Assignments
    {
        get;
        init =>
            field = value is null
                ? null
                : new ValueList<IReadOnlyList<int>>(Interop.RequiredAll(value).Select(brokers => new ValueList<int>(brokers)));
    }

    internal CreatePartitions.Topic ToCore() =>
        new(
            Topic,
            Count,
            Interop.OptionOf(Assignments?.Select(brokers => new CreatePartitions.Assignment(brokers.ToFSharpList())).ToFSharpList())
        );
}

/// <summary>A resource that has configs.</summary>
/// <param name="Type">The type of the resource, such as a topic or a broker.</param>
/// <param name="Name">
/// The name of a topic or group, or the id of a broker; empty for the defaults of all brokers.
/// </param>
public readonly record struct ConfigResource(ConfigResourceType Type, string Name)
{
    /// <summary>The name of a topic or group, or the id of a broker; empty for the defaults of all brokers.</summary>
    public string Name
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Name);

    /// <summary>A topic.</summary>
    /// <param name="name">The name of the topic.</param>
    /// <returns>The resource.</returns>
    public static ConfigResource Topic(string name) => new(ConfigResourceType.Topic, Interop.Required(name));

    /// <summary>As in <c>Topic orders</c>.</summary>
    /// <returns>The type and the name.</returns>
    public override string ToString() => $"{Type} {Name}";

    internal static ConfigResource Of(Client.ConfigResource core) => new(core.Type, core.Name);
}

/// <summary>A config.</summary>
public sealed record ConfigEntry
{
    /// <summary>The name of the config.</summary>
    public required string Name
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>The value; null if it is sensitive.</summary>
    public string? Value { get; init; }

    /// <summary>Whether it cannot be changed dynamically.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Whether the value is sensitive, such as a password.</summary>
    public bool IsSensitive { get; init; }

    /// <summary>The source of the value.</summary>
    public ConfigSource Source { get; init; }

    /// <summary>The type of the value.</summary>
    public ConfigType Type { get; init; }

    /// <summary>The documentation; null if it was not asked for.</summary>
    public string? Documentation { get; init; }

    /// <summary>The places that the value can come from, in order of precedence; empty if they were not asked for.</summary>
    public IReadOnlyList<ConfigSynonym> Synonyms
    {
        get;
        init => field = new ValueList<ConfigSynonym>(Interop.RequiredAll(value));
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

    private bool PrintMembers(StringBuilder builder) =>
        builder.AppendMembers(
            (nameof(Name), Name),
            (nameof(Value), OptionText.ConfigValue(Name, Value, IsSensitive || Type == ConfigType.Password)),
            (nameof(IsReadOnly), IsReadOnly),
            (nameof(IsSensitive), IsSensitive),
            (nameof(Source), Source),
            (nameof(Type), Type),
            (nameof(Documentation), Documentation),
            (nameof(Synonyms), Synonyms)
        );
}

/// <summary>A place that the value of a config can come from.</summary>
/// <param name="Name">The name of the config there.</param>
/// <param name="Value">The value; null if it is sensitive.</param>
/// <param name="Source">The source.</param>
public sealed record ConfigSynonym(string Name, string? Value, ConfigSource Source)
{
    /// <summary>The name of the config there.</summary>
    public string Name
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Name);

    private bool PrintMembers(StringBuilder builder) =>
        builder.AppendMembers((nameof(Name), Name), (nameof(Value), OptionText.ConfigValue(Name, Value)), (nameof(Source), Source));
}

/// <summary>A change of a config.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="Name">The name of the config. Each may occur only once for a resource.</param>
/// <param name="Operation">The operation.</param>
/// <param name="Value">
/// The new value, or the elements to add or remove, separated by commas; null only to delete the config.
/// </param>
public sealed record ConfigChange(ConfigResource Resource, string Name, AlterConfigOperation Operation, string? Value)
{
    /// <summary>The resource.</summary>
    public ConfigResource Resource
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Resource);

    /// <summary>The name of the config. Each may occur only once for a resource.</summary>
    public string Name
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Name);

    /// <summary>Sets a config.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="name">The name of the config.</param>
    /// <param name="value">The value.</param>
    /// <returns>The change.</returns>
    public static ConfigChange Set(ConfigResource resource, string name, string value) =>
        new(Interop.Required(resource), Interop.Required(name), AlterConfigOperation.Set, Interop.Required(value));

    /// <summary>Resets a config to its default.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="name">The name of the config.</param>
    /// <returns>The change.</returns>
    public static ConfigChange Delete(ConfigResource resource, string name) =>
        new(Interop.Required(resource), Interop.Required(name), AlterConfigOperation.Delete, null);

    private bool PrintMembers(StringBuilder builder) =>
        builder.AppendMembers(
            (nameof(Resource), Resource),
            (nameof(Name), Name),
            (nameof(Operation), Operation),
            (nameof(Value), OptionText.ConfigValue(Name, Value))
        );
}

/// <summary>An offset that was found.</summary>
/// <param name="Offset">The offset; null if no record is that late.</param>
/// <param name="Timestamp">
/// The timestamp of the record at the offset, in milliseconds since 1970-01-01 UTC; -1 unless the search was for a timestamp and found
/// a record.
/// </param>
/// <param name="LeaderEpoch">The leader epoch of the record at the offset; -1 if it is not known.</param>
public readonly record struct ListedOffset(long? Offset, long Timestamp, int LeaderEpoch)
{
    internal static ListedOffset Of(ListOffsets.PartitionResponse core) =>
        new(core.Offset >= 0 ? core.Offset : null, core.Timestamp, core.LeaderEpoch);
}

/// <summary>A group in the list of groups.</summary>
/// <param name="GroupId">The id of the group.</param>
/// <param name="ProtocolType"><c>consumer</c> for consumers; empty for a group that only stores offsets.</param>
/// <param name="State">The state; empty if the broker does not report it.</param>
/// <param name="Type">The type; empty if the broker does not report it.</param>
public sealed record GroupListing(string GroupId, string ProtocolType, GroupState State, GroupType Type)
{
    /// <summary>The id of the group.</summary>
    public string GroupId
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(GroupId);

    /// <summary><c>consumer</c> for consumers; empty for a group that only stores offsets.</summary>
    public string ProtocolType
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(ProtocolType);

    internal static GroupListing Of(ListGroups.Group core) => new(core.GroupId, core.ProtocolType, core.GroupState, core.GroupType);
}

/// <summary>A classic group with its members.</summary>
public sealed record ClassicGroupDescription
{
    /// <summary>The id of the group.</summary>
    public required string GroupId
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>The state of the group.</summary>
    public required GroupState State { get; init; }

    /// <summary><c>consumer</c> for consumers; empty for a group that only stores offsets.</summary>
    public string ProtocolType
    {
        get;
        init => field = Interop.Required(value);
    } = "";

    /// <summary>The protocol that was chosen, for consumers the name of an assignor; empty while the group is not stable.</summary>
    public string ProtocolName
    {
        get;
        init => field = Interop.Required(value);
    } = "";

    /// <summary>The members.</summary>
    public IReadOnlyList<ClassicMemberDescription> Members
    {
        get;
        init => field = new ValueList<ClassicMemberDescription>(Interop.RequiredAll(value));
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
    public required string MemberId
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>The instance id of a static member (KIP-345); null for a dynamic member.</summary>
    public string? GroupInstanceId { get; init; }

    /// <summary>The client id of the member.</summary>
    public string ClientId
    {
        get;
        init => field = Interop.Required(value);
    } = "";

    /// <summary>The address that it joined from, such as <c>/10.0.0.1</c>.</summary>
    public string ClientHost
    {
        get;
        init => field = Interop.Required(value);
    } = "";

    /// <summary>
    /// What the member sent with the protocol that was chosen: for consumers a subscription. Empty while the group is not stable.
    /// </summary>
    public ReadOnlyMemory<byte> Metadata { get; init; }

    /// <summary>The assignment that the leader sent. Empty while the group is not stable.</summary>
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
    public required string GroupId
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>The state of the group.</summary>
    public required GroupState State { get; init; }

    /// <summary>The group epoch, which grows with each change of members, subscriptions or topics.</summary>
    public int GroupEpoch { get; init; }

    /// <summary>The group epoch of the target assignments. If it is less than <see cref="GroupEpoch"/>, new ones are being computed.</summary>
    public int AssignmentEpoch { get; init; }

    /// <summary>The assignor that the coordinator uses.</summary>
    public string AssignorName
    {
        get;
        init => field = Interop.Required(value);
    } = "";

    /// <summary>The members.</summary>
    public IReadOnlyList<ConsumerMemberDescription> Members
    {
        get;
        init => field = new ValueList<ConsumerMemberDescription>(Interop.RequiredAll(value));
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
    public required string MemberId
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>The instance id of a static member; null for a dynamic member.</summary>
    public string? InstanceId { get; init; }

    /// <summary>The rack of the member; null if it has none.</summary>
    public string? RackId { get; init; }

    /// <summary>
    /// The member's epoch. If it is less than the group's, the member has not reached its target assignment yet. -2 if a static member has left
    /// temporarily.
    /// </summary>
    public int MemberEpoch { get; init; }

    /// <summary>The client id of the member.</summary>
    public string ClientId
    {
        get;
        init => field = Interop.Required(value);
    } = "";

    /// <summary>The address that the member's requests come from, such as <c>/10.0.0.7</c>.</summary>
    public string ClientHost
    {
        get;
        init => field = Interop.Required(value);
    } = "";

    /// <summary>The topics that the member subscribes to by name.</summary>
    public IReadOnlyList<string> SubscribedTopics
    {
        get;
        init => field = new ValueList<string>(Interop.RequiredAll(value));
    } = new ValueList<string>([]);

    /// <summary>The regular expression that the member subscribes to; null or empty for none.</summary>
    public string? SubscribedTopicRegex { get; init; }

    /// <summary>The partitions that are assigned to the member.</summary>
    public IReadOnlyList<TopicPartition> Assignment
    {
        get;
        init => field = new ValueList<TopicPartition>(Interop.RequiredAll(value));
    } = new ValueList<TopicPartition>([]);

    /// <summary>The target assignment of the member.</summary>
    public IReadOnlyList<TopicPartition> TargetAssignment
    {
        get;
        init => field = new ValueList<TopicPartition>(Interop.RequiredAll(value));
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

/// <summary>An ACL: what one principal may or may not do with one resource, or with all resources whose names have a prefix.</summary>
public sealed record AclBinding
{
    /// <summary>The type of the resource.</summary>
    public required AclResourceType ResourceType { get; init; }

    /// <summary>The name of the resource: <c>kafka-cluster</c> for the cluster, and <c>*</c> for every name.</summary>
    public required string ResourceName
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>Whether the name is literal, unless set, or a prefix.</summary>
    public AclPatternType PatternType { get; init; } = AclPatternType.Literal;

    /// <summary>The principal, such as <c>User:alice</c>; <c>User:*</c> for all users.</summary>
    public required string Principal
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>The address of the client; <c>*</c>, unless set, for all.</summary>
    public string Host
    {
        get;
        init => field = Interop.Required(value);
    } = "*";

    /// <summary>The operation that is allowed or denied.</summary>
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

/// <summary>A filter for ACLs: an ACL matches if all properties match.</summary>
public sealed record AclBindingFilter
{
    /// <summary>The type of the resource; any unless set.</summary>
    public AclResourceType ResourceType { get; init; } = AclResourceType.Any;

    /// <summary>The name in the ACL; null, unless set, for every name.</summary>
    public string? ResourceName { get; init; }

    /// <summary>How <see cref="ResourceName"/> is compared with the name in the ACL; any pattern type unless set.</summary>
    public AclPatternType PatternType { get; init; } = AclPatternType.Any;

    /// <summary>The principal, such as <c>User:alice</c>, or <c>User:*</c> for ACLs for all users; null, unless set, for every principal.</summary>
    public string? Principal { get; init; }

    /// <summary>The address, or <c>*</c> for ACLs for all addresses; null, unless set, for every host.</summary>
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

/// <summary>An ACL that a filter for deletion matched.</summary>
/// <param name="Acl">The ACL.</param>
/// <param name="Error">Why it was not deleted; <c>ErrorCode.None</c> if it was.</param>
/// <param name="ErrorMessage">The broker's explanation of the error code; null if it gives none.</param>
public sealed record DeletedAclBinding(AclBinding Acl, ErrorCode Error, string? ErrorMessage)
{
    /// <summary>The ACL.</summary>
    public AclBinding Acl
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Acl);

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

/// <summary>A cluster.</summary>
public sealed record ClusterDescription
{
    /// <summary>The id of the cluster.</summary>
    public required string ClusterId
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>The id of the broker to send administrative requests to; -1 if it is not known.</summary>
    public required int ControllerId { get; init; }

    /// <summary>The live brokers.</summary>
    public required IReadOnlyList<BrokerMetadata> Brokers
    {
        get;
        init => field = new ValueList<BrokerMetadata>(Interop.RequiredAll(value));
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
