using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;
using LibKafka.Wire;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>The result of joining a classic group.</summary>
public sealed class JoinResult : KafkaResult
{
    private readonly Core.Joined _core;

    internal JoinResult(Core.Joined core, CallOptions call, Limits limits)
        : this(core, new CallReport(core.Exchanges, call.CancellationToken), limits) { }

    private JoinResult(Core.Joined core, CallReport report, Limits limits)
        : base(report, report.FaultOf(core.Result), CallReport.CodeOf(core.Result))
    {
        _core = core;
        Limits = limits;
        Membership = core.Membership is { } membership ? GroupMembership.Of(membership.Value) : null;
        FirstRound = core.FirstRound is { } first ? new(first.Value.Info) : null;
    }

    /// <summary>The member's membership of the group; null if it has not joined.</summary>
    public GroupMembership? Membership { get; }

    /// <summary>
    /// Whether the member has joined and must assign the partitions. A static member that returns as the leader of a group whose assignment still
    /// holds need not (KIP-814).
    /// </summary>
    public bool IsLeader => _core.IsLeader;

    /// <summary>The id of the group's leader; empty if the member has not joined.</summary>
    public string LeaderId => Response?.Leader ?? "";

    /// <summary>The protocol that the group has chosen; null if the broker does not report it.</summary>
    public string? ProtocolName => Response?.ProtocolName.OrNull();

    /// <summary>Whether the leader need not assign the partitions again (KIP-814).</summary>
    public bool SkipAssignment => Response?.SkipAssignment ?? false;

    /// <summary>All members, for the leader; empty for the others.</summary>
    public IReadOnlyList<GroupMember> Members => Response is null ? [] : [.. Response.Members.Select(GroupMember.Of)];

    /// <summary>The round in which a new member was given its id (KIP-394); null if there was none.</summary>
    public ExchangeInfo? FirstRound { get; }

    /// <inheritdoc/>
    public override ExchangeInfo Exchange => base.Exchange!;

    /// <summary>The limits of the client that joined.</summary>
    internal Limits Limits { get; }

    internal JoinGroup.Response? Response => _core.Exchange.Result.IsOk ? _core.Exchange.Result.ResultValue : null;

    /// <summary>Throws if the member has not joined.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is a fault or an error code.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public JoinResult ThrowIfError()
    {
        ThrowIfFailed();
        return this;
    }
}

/// <summary>The result of a sync: the member's assignment.</summary>
public sealed class SyncResult : KafkaResult
{
    private readonly SyncGroup.Response? _response;

    internal SyncResult(Core.Exchange<SyncGroup.Request, SyncGroup.Response> core, CallOptions call)
        : this(core, new CallReport(core.Info, call.CancellationToken)) { }

    private SyncResult(Core.Exchange<SyncGroup.Request, SyncGroup.Response> core, CallReport report)
        : base(
            report,
            core.Result.IsError ? report.FaultOf(core.Result.ErrorValue) : null,
            core.Result.IsOk ? core.Result.ResultValue.Error : ErrorCode.None
        )
    {
        _response = core.Result.IsOk ? core.Result.ResultValue : null;
    }

    /// <summary>The member's assignment, as the leader wrote it; empty if the leader gave it none.</summary>
    public ReadOnlyMemory<byte> Assignment => _response is null ? default : _response.Assignment.Memory;

    /// <summary>The protocol that the group has chosen; null if the broker does not report it.</summary>
    public string? ProtocolName => _response?.ProtocolName.OrNull();

    /// <inheritdoc/>
    public override ExchangeInfo Exchange => base.Exchange!;

    /// <summary>Reads the assignment of a consumer.</summary>
    /// <returns>The partitions, and the assignor's user data.</returns>
    /// <exception cref="KafkaException">The bytes are not an assignment.</exception>
    public ConsumerAssignment GetAssignment() => ConsumerProtocol.DecodeAssignment(Assignment);

    /// <summary>Throws if there is a fault or an error code.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is a fault or an error code.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public SyncResult ThrowIfError()
    {
        ThrowIfFailed();
        return this;
    }
}

/// <summary>The result of a heartbeat in a group of the new protocol (KIP-848).</summary>
public sealed class ConsumerHeartbeatResult : KafkaResult
{
    private readonly ConsumerGroupHeartbeat.Response? _response;

    internal ConsumerHeartbeatResult(Core.Exchange<ConsumerGroupHeartbeat.Request, ConsumerGroupHeartbeat.Response> core, CallOptions call)
        : this(core.Result.IsOk ? core.Result.ResultValue : null, core, new CallReport(core.Info, call.CancellationToken)) { }

    private ConsumerHeartbeatResult(
        ConsumerGroupHeartbeat.Response? response,
        Core.Exchange<ConsumerGroupHeartbeat.Request, ConsumerGroupHeartbeat.Response> core,
        CallReport report
    )
        : base(
            report,
            response is null ? report.FaultOf(core.Result.ErrorValue) : null,
            response?.Error ?? ErrorCode.None,
            response?.ErrorMessage.OrNull()
        )
    {
        _response = response;
    }

    /// <summary>The member's epoch; -1 if there is no answer.</summary>
    public int MemberEpoch => _response?.MemberEpoch ?? -1;

    /// <summary>How long to wait before the next heartbeat; zero if there is no answer.</summary>
    public TimeSpan HeartbeatInterval => TimeSpan.FromMilliseconds(_response?.HeartbeatIntervalMs ?? 0);

    /// <summary>Whether the answer has an assignment: see <see cref="ConsumerGroupClient.Assignment"/>.</summary>
    public bool HasAssignment => _response?.Assignment is not null;

    /// <inheritdoc/>
    public override ExchangeInfo Exchange => base.Exchange!;

    /// <summary>Throws if there is a fault or an error code.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is a fault or an error code.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public ConsumerHeartbeatResult ThrowIfError()
    {
        ThrowIfFailed();
        return this;
    }
}
