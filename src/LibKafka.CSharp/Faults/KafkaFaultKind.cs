namespace LibKafka;

/// <summary>What kind of thing went wrong. <see cref="KafkaFault.Message"/> says the rest.</summary>
public enum KafkaFaultKind
{
    /// <summary>A setting makes no sense, or a file that it names cannot be used. Nothing was tried.</summary>
    InvalidSetting,

    /// <summary>The host has no address, or nothing listens there.</summary>
    CannotConnect,

    /// <summary>The look-up of a DNS SRV name failed, or found no broker.</summary>
    LookUpFailed,

    /// <summary>None of the bootstrap brokers could be used. <see cref="KafkaFault.Causes"/> has what went wrong with each.</summary>
    NoBroker,

    /// <summary>The broker speaks TLS on this port, and the options have none.</summary>
    TlsExpected,

    /// <summary>The options have TLS, and the broker does not speak it on this port.</summary>
    TlsNotSpoken,

    /// <summary>
    /// TLS was not agreed upon: a certificate is not accepted, on either side, or there is no common version or cipher.
    /// </summary>
    TlsFailed,

    /// <summary>
    /// The connection was not authenticated, or not again when that was due. <see cref="KafkaFault.ErrorCode"/> has the broker's code
    /// where it refused.
    /// </summary>
    SaslFailed,

    /// <summary>The partition has no leader that could be found. <see cref="KafkaFault.ErrorCode"/> says why.</summary>
    NoLeader,

    /// <summary>
    /// The group or transactional id has no coordinator that could be found. <see cref="KafkaFault.ErrorCode"/> says why.
    /// </summary>
    NoCoordinator,

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

    /// <summary>The broker never answers such a request: it can be sent but not called. Nothing was sent.</summary>
    NeverAnswered,

    /// <summary>
    /// The request cannot be written in the version that the broker knows, or the batch is larger than
    /// <see cref="ProducerOptions.MaxBatchBytes"/>. Nothing was sent, and the connection is still good.
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

    /// <summary>The answer does not speak of what was asked about.</summary>
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

    /// <summary>The group agreed on an assignor that is none of those given.</summary>
    UnknownAssignor,

    /// <summary>Something is larger than it can be, or larger than the limits allow.</summary>
    LimitExceeded,
}
