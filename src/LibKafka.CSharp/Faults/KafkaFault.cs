using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;
using LibKafka.Records;
using LibKafka.Wire;

namespace LibKafka;

/// <summary>
/// Why a call has no usable answer, or why bytes cannot be read. A value; <see cref="KafkaException"/> carries it if it is thrown.
/// </summary>
public sealed class KafkaFault
{
    private KafkaFault(KafkaFaultKind kind, string message)
    {
        Kind = kind;
        Message = message;
    }

    /// <summary>The kind of the fault.</summary>
    public KafkaFaultKind Kind { get; }

    /// <summary>A one-line description.</summary>
    public string Message { get; }

    /// <summary>The broker concerned; null if none had been chosen or none is concerned.</summary>
    public BrokerAddress? Broker { get; private init; }

    /// <summary>The broker's error code that caused the fault; <c>ErrorCode.None</c> if none did.</summary>
    public ErrorCode ErrorCode { get; private init; }

    /// <summary>
    /// Whether the fault may go away by itself, so that the same call may succeed later: brokers restart, leaders are elected. Whether
    /// repeating the call is safe is a separate question.
    /// </summary>
    public bool IsTransient { get; private set; }

    /// <summary>The position of the problem in the bytes read or written; null if no bytes are concerned.</summary>
    public int? ByteOffset { get; private init; }

    /// <summary>The field concerned, such as <c>FetchResponse/Responses[2]</c> or <c>Records[7]</c>; null if there is none.</summary>
    public string? Path { get; private init; }

    /// <summary>
    /// The faults that caused this one: for <see cref="KafkaFaultKind.NoBroker"/>, one for each broker that was tried. Empty otherwise.
    /// </summary>
    public IReadOnlyList<KafkaFault> Causes { get; private init; } = [];

    /// <summary>The <see cref="Message"/>.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => Message;

    internal static KafkaFault Of(Client.ClientFault fault, BrokerAddress? broker)
    {
        var text = fault.ToString();
        var known = fault switch
        {
            Client.ClientFault.CannotConnect it => new(KafkaFaultKind.CannotConnect, text) { Broker = BrokerAddress.Of(it.broker) },
            Client.ClientFault.NoBroker it => new(KafkaFaultKind.NoBroker, text)
            {
                Causes = [.. it.Item.Select(tried => Of(tried.Item2, BrokerAddress.Of(tried.Item1)))],
            },
            Client.ClientFault.TlsExpected it => new(KafkaFaultKind.TlsExpected, text) { Broker = BrokerAddress.Of(it.Item) },
            Client.ClientFault.TlsNotSpoken it => new(KafkaFaultKind.TlsNotSpoken, text) { Broker = BrokerAddress.Of(it.Item) },
            Client.ClientFault.TlsFailed it => new(KafkaFaultKind.TlsFailed, text) { Broker = BrokerAddress.Of(it.Item1) },
            Client.ClientFault.SaslFailed it => new(KafkaFaultKind.SaslFailed, text)
            {
                Broker = broker,
                ErrorCode = it.Item2 is Client.SaslFailure.Refused refused ? refused.Item1 : ErrorCode.None,
            },
            Client.ClientFault.NoLeader it => new(KafkaFaultKind.NoLeader, text) { Broker = broker, ErrorCode = it.Item2 },
            Client.ClientFault.NoCoordinator it => new(KafkaFaultKind.NoCoordinator, text) { Broker = broker, ErrorCode = it.Item3 },
            Client.ClientFault.VersionsRefused it => new(KafkaFaultKind.VersionsRefused, text) { Broker = broker, ErrorCode = it.Item },
            Client.ClientFault.CannotEncode it => At(KafkaFaultKind.CannotEncode, text, broker, it.Item),
            Client.ClientFault.Malformed it => At(KafkaFaultKind.Malformed, text, broker, it.Item),
            _ => new(KindOf(fault), text) { Broker = broker },
        };
        known.IsTransient = fault.IsTransient;
        return known;
    }

    /// <summary>A fault in the bytes of a batch. The context names the batch.</summary>
    internal static KafkaFault Of(Fault fault, string context) => At(KindOf(fault.Problem), $"{context}: {fault}", null, fault);

    /// <summary>Why a batch cannot be forwarded. The context names the batch.</summary>
    internal static KafkaFault Of(NotForwardable reason, string context) =>
        reason is NotForwardable.Unreadable it
            ? Of(it.Item, context)
            : new(KafkaFaultKind.NotForwardable, $"{context} cannot be forwarded: {reason}");

    internal static KafkaFault Of(ErrorCode error, string? message, BrokerAddress? broker) =>
        new(KafkaFaultKind.BrokerError, error.Explain(message))
        {
            Broker = broker,
            ErrorCode = error,
            IsTransient = error.IsRetriable,
        };

    internal static KafkaFault Of(Client.CallFailure failure) =>
        failure is Client.CallFailure.Fault it ? Of(it.Item, null) : Of(((Client.CallFailure.Code)failure).Item, null, null);

    /// <summary>The fault of an item that the answer leaves out.</summary>
    internal static KafkaFault NotAnswered(string message) => new(KafkaFaultKind.NotAnswered, message);

    /// <summary>The fault of partitions that the member does not have.</summary>
    internal static KafkaFault NotAssigned(string message) => new(KafkaFaultKind.NotAssigned, message);

    /// <summary>The fault of a partition that a member does not know where to read from.</summary>
    internal static KafkaFault NoCommittedOffset(string message) => new(KafkaFaultKind.NoCommittedOffset, message);

    /// <summary>The fault of a batch of a transaction that is not in the log, or may not be.</summary>
    internal static KafkaFault NotProduced(string message) => new(KafkaFaultKind.NotProduced, message);

    /// <summary>The fault of a request that cannot be written.</summary>
    internal static KafkaFault CannotEncode(Fault fault, BrokerAddress broker) =>
        At(KafkaFaultKind.CannotEncode, $"the request cannot be written: {fault}", broker, fault);

    /// <summary>Why the leader of a group could not assign its partitions.</summary>
    internal static KafkaFault Of(Groups.AssignFault fault) =>
        fault switch
        {
            Groups.AssignFault.CannotEncode it => At(KafkaFaultKind.CannotEncode, fault.ToString(), null, it.Item2),
            _ => new(KafkaFaultKind.UnknownAssignor, fault.ToString()),
        };

    private static KafkaFault At(KafkaFaultKind kind, string text, BrokerAddress? broker, Fault fault) =>
        new(kind, text)
        {
            Broker = broker,
            ByteOffset = fault.Offset,
            Path = fault.Path.Length == 0 ? null : fault.Path,
        };

    private static KafkaFaultKind KindOf(Client.ClientFault fault) =>
        fault.Tag switch
        {
            Client.ClientFault.Tags.InvalidSetting => KafkaFaultKind.InvalidSetting,
            Client.ClientFault.Tags.LookUpFailed => KafkaFaultKind.LookUpFailed,
            Client.ClientFault.Tags.NeverAnswered => KafkaFaultKind.NeverAnswered,
            Client.ClientFault.Tags.TimedOut => KafkaFaultKind.TimedOut,
            Client.ClientFault.Tags.Cancelled => KafkaFaultKind.Cancelled,
            Client.ClientFault.Tags.Closed => KafkaFaultKind.Closed,
            Client.ClientFault.Tags.ClosedWhileSending => KafkaFaultKind.ClosedWhileSending,
            Client.ClientFault.Tags.ClosedUnauthenticated => KafkaFaultKind.ClosedUnauthenticated,
            Client.ClientFault.Tags.BrokerTooOld => KafkaFaultKind.BrokerTooOld,
            Client.ClientFault.Tags.NoCommonVersion => KafkaFaultKind.NoCommonVersion,
            Client.ClientFault.Tags.CannotProduce => KafkaFaultKind.CannotProduce,
            Client.ClientFault.Tags.BadFrameLength => KafkaFaultKind.BadFrameLength,
            Client.ClientFault.Tags.WrongCorrelationId => KafkaFaultKind.WrongCorrelationId,
            Client.ClientFault.Tags.NotAnswered => KafkaFaultKind.NotAnswered,
            Client.ClientFault.Tags.NoSuchOffset => KafkaFaultKind.NoSuchOffset,
            Client.ClientFault.Tags.TopicRecreated => KafkaFaultKind.TopicRecreated,
            Client.ClientFault.Tags.Unusable => KafkaFaultKind.Unusable,
            _ => KafkaFaultKind.Broken,
        };

    private static KafkaFaultKind KindOf(Problem problem) =>
        problem.Tag switch
        {
            Problem.Tags.BadCrc => KafkaFaultKind.BadChecksum,
            Problem.Tags.CodecMissing => KafkaFaultKind.CodecMissing,
            Problem.Tags.UnknownCodec => KafkaFaultKind.UnknownCodec,
            Problem.Tags.CodecFailed => KafkaFaultKind.CodecFailed,
            Problem.Tags.AlreadyCompressed => KafkaFaultKind.AlreadyCompressed,
            Problem.Tags.CountTooLarge
            or Problem.Tags.FrameTooLarge
            or Problem.Tags.DecodedTooLarge
            or Problem.Tags.GroupTooLarge
            or Problem.Tags.TooManyRecords
            or Problem.Tags.DecompressedTooLarge
            or Problem.Tags.TooLong => KafkaFaultKind.LimitExceeded,
            _ => KafkaFaultKind.Malformed,
        };
}
