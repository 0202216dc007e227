using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;
using Microsoft.FSharp.Collections;

namespace LibKafka;

/// <summary>A way of sharing out the work that a member of a classic group knows.</summary>
/// <param name="Name">For consumers the name of an assignor, such as <c>range</c>.</param>
/// <param name="Metadata">
/// What the member tells the leader about itself: for consumers a subscription, which <see cref="ConsumerProtocol"/> writes.
/// </param>
public sealed record GroupProtocol(string Name, ReadOnlyMemory<byte> Metadata);

/// <summary>How a member joins a classic group.</summary>
public sealed record JoinOptions
{
    private static readonly Client.JoinSettings Standard = Client.JoinSettingsModule.consumer(FSharpList<JoinGroup.Protocol>.Empty);

    /// <summary>
    /// The coordinator takes the member for dead when it is silent this long: 45 seconds unless set. The broker has bounds for it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan SessionTimeout
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(value));
    } = Standard.SessionTimeout;

    /// <summary>
    /// How long the coordinator waits for members to join again: 60 seconds unless set. A join may take that long, and is given 5 seconds
    /// more, whatever <see cref="KafkaClientOptions.CallTimeout"/> is.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan RebalanceTimeout
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(value));
    } = Standard.RebalanceTimeout;

    /// <summary>
    /// The name of a static member (KIP-345), which keeps its place when it comes back; null, unless set, for a dynamic one.
    /// </summary>
    public string? GroupInstanceId { get; init; }

    /// <summary>What kind of members the group has: <c>consumer</c> unless set.</summary>
    public string ProtocolType { get; init; } = Standard.ProtocolType;

    /// <summary>
    /// What the member knows, the best first. For consumers <see cref="PartitionAssignor.Protocols"/> makes them.
    /// </summary>
    public required IReadOnlyList<GroupProtocol> Protocols
    {
        get;
        init => field = new ValueList<GroupProtocol>(value);
    }

    /// <summary>Why the member joins, for the broker's log (KIP-800); null, unless set, where it is not told.</summary>
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
