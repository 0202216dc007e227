using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;
using Microsoft.FSharp.Collections;

namespace LibKafka;

/// <summary>A protocol that a member of a classic group supports.</summary>
/// <param name="Name">The name: for consumers that of an assignor, such as <c>range</c>.</param>
/// <param name="Metadata">
/// What the member sends to the leader: for consumers a subscription, which <see cref="ConsumerProtocol"/> writes.
/// </param>
public sealed record GroupProtocol(string Name, ReadOnlyMemory<byte> Metadata)
{
    /// <summary>The name: for consumers that of an assignor, such as <c>range</c>.</summary>
    public string Name
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Name);
}

/// <summary>How a member joins a classic group.</summary>
public sealed record JoinOptions
{
    private static readonly Client.JoinSettings Standard = Client.JoinSettingsModule.consumer(FSharpList<JoinGroup.Protocol>.Empty);

    /// <summary>
    /// The coordinator considers the member dead after this time without a heartbeat: 45 seconds unless set. Brokers limit it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan SessionTimeout
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(SessionTimeout));
    } = Standard.SessionTimeout;

    /// <summary>
    /// How long the coordinator waits for members to rejoin: 60 seconds unless set. A join may take that long, and has 5 seconds more than that even
    /// if <see cref="KafkaClientOptions.CallTimeout"/> is shorter.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan RebalanceTimeout
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(RebalanceTimeout));
    } = Standard.RebalanceTimeout;

    /// <summary>
    /// The instance id of a static member (KIP-345), which keeps its assignment when it returns; null, unless set, for a dynamic member.
    /// </summary>
    public string? GroupInstanceId { get; init; }

    /// <summary>The protocol type of the group: <c>consumer</c> unless set.</summary>
    public string ProtocolType
    {
        get;
        init => field = Interop.Required(value);
    } = Standard.ProtocolType;

    /// <summary>
    /// The protocols that the member supports, in order of preference. For consumers <see cref="PartitionAssignor.Protocols"/> makes them.
    /// </summary>
    public required IReadOnlyList<GroupProtocol> Protocols
    {
        get;
        init => field = new ValueList<GroupProtocol>(Interop.RequiredAll(value));
    }

    /// <summary>Why the member joins, for the broker's log (KIP-800); null, unless set, for none.</summary>
    public string? Reason { get; init; }

    internal Client.JoinSettings ToCore() =>
        new(
            sessionTimeout: SessionTimeout,
            rebalanceTimeout: RebalanceTimeout,
            groupInstanceId: Interop.OptionOf(GroupInstanceId),
            protocolType: ProtocolType,
            protocols: Protocols.Select(protocol => new JoinGroup.Protocol(protocol.Name, new(protocol.Metadata))).ToFSharpList(),
            reason: Interop.OptionOf(Reason)
        );
}
