using System;
using System.Collections.Generic;
using LibKafka.Protocol;
using Core = LibKafka.Groups;

namespace LibKafka;

/// <summary>The subscription of a consumer in a classic group.</summary>
public sealed record ConsumerSubscription
{
    /// <summary>The topics.</summary>
    public required IReadOnlyList<string> Topics
    {
        get;
        init => field = new ValueList<string>(Interop.RequiredAll(value));
    }

    /// <summary>The assignor's user data; null for none.</summary>
    public ReadOnlyMemory<byte>? UserData { get; init; }

    /// <summary>
    /// The partitions that the member owns from the previous generation, for assignors that keep them there if possible (KIP-429).
    /// </summary>
    public IReadOnlyList<TopicPartition> OwnedPartitions
    {
        get;
        init => field = new ValueList<TopicPartition>(Interop.RequiredAll(value));
    } = new ValueList<TopicPartition>([]);

    /// <summary>
    /// The generation of <see cref="OwnedPartitions"/>, by which an outdated claim is detected (KIP-792); -1 if it is not known.
    /// </summary>
    public int GenerationId { get; init; } = -1;

    /// <summary>The rack of the consumer (KIP-881); null for none.</summary>
    public string? RackId { get; init; }

    internal static ConsumerSubscription Of(ConsumerProtocolSubscription.Subscription core) =>
        new()
        {
            Topics = core.Topics,
            UserData = core.UserData.OrNull(),
            OwnedPartitions = Interop.Spread(core.OwnedPartitions),
            GenerationId = core.GenerationId,
            RackId = core.RackId.OrNull(),
        };

    internal ConsumerProtocolSubscription.Subscription ToCore() =>
        new(
            topics: Topics.ToFSharpList(),
            userData: Interop.OptionOf(UserData),
            ownedPartitions: Interop.Gather(OwnedPartitions),
            generationId: GenerationId,
            rackId: Interop.OptionOf(RackId)
        );
}

/// <summary>The assignment of a consumer in a classic group.</summary>
public sealed record ConsumerAssignment
{
    /// <summary>The partitions.</summary>
    public required IReadOnlyList<TopicPartition> Partitions
    {
        get;
        init => field = new ValueList<TopicPartition>(Interop.RequiredAll(value));
    }

    /// <summary>The assignor's user data; null for none.</summary>
    public ReadOnlyMemory<byte>? UserData { get; init; }

    internal static ConsumerAssignment Of(ConsumerProtocolAssignment.Assignment core) =>
        new() { Partitions = Interop.Spread(core.AssignedPartitions), UserData = core.UserData.OrNull() };

    internal ConsumerProtocolAssignment.Assignment ToCore() => new(Interop.Gather(Partitions), Interop.OptionOf(UserData));
}

/// <summary>
/// The consumer protocol: what the members of a classic group send each other in JoinGroup and SyncGroup, in the format that all client libraries
/// share.
/// </summary>
public static class ConsumerProtocol
{
    /// <summary>The protocol type of consumers.</summary>
    public const string ProtocolType = Core.ConsumerProtocol.Type;

    /// <summary>Writes a subscription.</summary>
    /// <param name="subscription">The subscription.</param>
    /// <returns>The metadata of a protocol in JoinGroup.</returns>
    /// <exception cref="KafkaException">It cannot be written.</exception>
    public static ReadOnlyMemory<byte> Encode(ConsumerSubscription subscription)
    {
        ArgumentNullException.ThrowIfNull(subscription);
        return Core.ConsumerProtocol.encodeSubscription(subscription.ToCore()).ValueOrThrow("subscription").Memory;
    }

    /// <summary>Writes an assignment.</summary>
    /// <param name="assignment">The assignment.</param>
    /// <returns>A member's assignment in SyncGroup.</returns>
    /// <exception cref="KafkaException">It cannot be written.</exception>
    public static ReadOnlyMemory<byte> Encode(ConsumerAssignment assignment)
    {
        ArgumentNullException.ThrowIfNull(assignment);
        return Core.ConsumerProtocol.encodeAssignment(assignment.ToCore()).ValueOrThrow("assignment").Memory;
    }

    /// <summary>Reads the subscription from the metadata of a member.</summary>
    /// <param name="metadata">The bytes: <see cref="GroupMember.Metadata"/>.</param>
    /// <returns>The subscription.</returns>
    /// <exception cref="KafkaException">The bytes are not a subscription.</exception>
    public static ConsumerSubscription DecodeSubscription(ReadOnlyMemory<byte> metadata) =>
        ConsumerSubscription.Of(Core.ConsumerProtocol.decodeSubscription(new(metadata)).ValueOrThrow("subscription"));

    /// <summary>Reads a member's assignment. An empty one has no partitions.</summary>
    /// <param name="assignment">The bytes: <see cref="SyncResult.Assignment"/>.</param>
    /// <returns>The assignment.</returns>
    /// <exception cref="KafkaException">The bytes are not an assignment.</exception>
    public static ConsumerAssignment DecodeAssignment(ReadOnlyMemory<byte> assignment) =>
        ConsumerAssignment.Of(Core.ConsumerProtocol.decodeAssignment(new(assignment)).ValueOrThrow("assignment"));
}
