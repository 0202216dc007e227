namespace LibKafka;

/// <summary>What kind of thing went wrong. <see cref="KafkaFault.Message"/> says the rest.</summary>
public enum KafkaFaultKind
{
    /// <summary>The host has no address, or nothing listens there.</summary>
    CannotConnect,

    /// <summary>None of the bootstrap brokers could be used. <see cref="KafkaFault.Causes"/> has what went wrong with each.</summary>
    NoBroker,

    /// <summary>The partition has no leader that could be found. <see cref="KafkaFault.ErrorCode"/> says why.</summary>
    NoLeader,

    /// <summary>The time for the call ran out.</summary>
    TimedOut,

    /// <summary>The caller cancelled.</summary>
    Cancelled,

    /// <summary>The broker closed the connection before it had answered.</summary>
    Closed,

    /// <summary>The connection broke.</summary>
    Broken,

    /// <summary>Client and broker have no version of the API in common.</summary>
    NoCommonVersion,

    /// <summary>The broker would not tell its versions. <see cref="KafkaFault.ErrorCode"/> says why.</summary>
    VersionsRefused,

    /// <summary>
    /// The request cannot be written in the version that the broker knows. Nothing was sent, and the connection is still good.
    /// </summary>
    CannotEncode,

    /// <summary>
    /// The answer has a length that no answer can have, or that <see cref="KafkaClientOptions.MaxFrameBytes"/> does not allow.
    /// </summary>
    BadFrameLength,

    /// <summary>The answer belongs to another request.</summary>
    WrongCorrelationId,

    /// <summary>
    /// An answer, a record batch or a record cannot be read. <see cref="KafkaFault.Path"/> and <see cref="KafkaFault.ByteOffset"/> say
    /// where.
    /// </summary>
    Malformed,

    /// <summary>The answer does not speak of the partition that was asked about.</summary>
    NotAnswered,

    /// <summary>The connection was closed before this call, by the caller or by an earlier fault.</summary>
    Unusable,

    /// <summary>
    /// The broker answered, with an error code: see <see cref="KafkaFault.ErrorCode"/>. Error codes are values of the results; they
    /// become faults only where <c>ThrowIfError</c> is called.
    /// </summary>
    BrokerError,

    /// <summary>The checksum of a record batch does not match its bytes.</summary>
    BadChecksum,

    /// <summary>The batch is compressed, and no codec for its compression was given.</summary>
    CodecMissing,

    /// <summary>The batch names a compression that does not exist, or the codec says that it implements none.</summary>
    UnknownCodec,

    /// <summary>The codec failed: what it was given is malformed, or it threw for a reason of its own.</summary>
    CodecFailed,

    /// <summary>The batch is compressed already.</summary>
    AlreadyCompressed,

    /// <summary>Something is larger than it can be, or larger than the limits allow.</summary>
    LimitExceeded,
}
