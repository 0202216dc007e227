namespace LibKafka;

/// <summary>The kind of a <see cref="KafkaFault"/>, whose <see cref="KafkaFault.Message"/> has the details.</summary>
public enum KafkaFaultKind
{
    /// <summary>An option is invalid, or a file that it names cannot be used. Nothing was sent.</summary>
    InvalidSetting,

    /// <summary>The host has no address, or nothing listens there.</summary>
    CannotConnect,

    /// <summary>The DNS SRV look-up failed or found no broker.</summary>
    LookUpFailed,

    /// <summary>None of the bootstrap brokers could be used. <see cref="KafkaFault.Causes"/> has a fault for each.</summary>
    NoBroker,

    /// <summary>The broker speaks TLS on this port, but <see cref="KafkaClientOptions.Tls"/> is not set.</summary>
    TlsExpected,

    /// <summary><see cref="KafkaClientOptions.Tls"/> is set, but the broker does not speak TLS on this port.</summary>
    TlsNotSpoken,

    /// <summary>
    /// The TLS handshake failed: one side does not accept the other's certificate, or there is no common version or cipher.
    /// </summary>
    TlsFailed,

    /// <summary>
    /// The connection could not be authenticated, or not re-authenticated when that was due. <see cref="KafkaFault.ErrorCode"/> has the
    /// broker's error code if it refused.
    /// </summary>
    SaslFailed,

    /// <summary>No leader of the partition could be found. <see cref="KafkaFault.ErrorCode"/> says why.</summary>
    NoLeader,

    /// <summary>
    /// No coordinator of the group or transactional id could be found. <see cref="KafkaFault.ErrorCode"/> says why.
    /// </summary>
    NoCoordinator,

    /// <summary>The call took longer than its time-out.</summary>
    TimedOut,

    /// <summary>The caller cancelled the call.</summary>
    Cancelled,

    /// <summary>The broker closed the connection before it answered.</summary>
    Closed,

    /// <summary>The connection broke.</summary>
    Broken,

    /// <summary>The client and the broker have no version of the API in common.</summary>
    NoCommonVersion,

    /// <summary>The broker refused to list its versions. <see cref="KafkaFault.ErrorCode"/> says why.</summary>
    VersionsRefused,

    /// <summary>Brokers never answer this request, so it cannot be called. Nothing was sent.</summary>
    NeverAnswered,

    /// <summary>
    /// The request cannot be written in this version, or the batch is larger than <see cref="ProducerOptions.MaxBatchBytes"/>. Nothing was
    /// sent, and the connection stays open.
    /// </summary>
    CannotEncode,

    /// <summary>
    /// The length of the answer is invalid or exceeds <see cref="KafkaClientOptions.MaxFrameBytes"/>.
    /// </summary>
    BadFrameLength,

    /// <summary>The correlation id of the answer is another request's.</summary>
    WrongCorrelationId,

    /// <summary>
    /// An answer, a record batch or a record is malformed. <see cref="KafkaFault.Path"/> and <see cref="KafkaFault.ByteOffset"/> say
    /// where.
    /// </summary>
    Malformed,

    /// <summary>The answer leaves out the partition or item that was asked for.</summary>
    NotAnswered,

    /// <summary>The connection was closed before this call, by the caller or because of an earlier fault.</summary>
    Unusable,

    /// <summary>
    /// The broker answered with an error code: see <see cref="KafkaFault.ErrorCode"/>. Only <see cref="KafkaException"/> and the events of a poll
    /// have faults of this kind; in a result an error code is <see cref="KafkaResult.Error"/>.
    /// </summary>
    BrokerError,

    /// <summary>The checksum of a record batch does not match its bytes.</summary>
    BadChecksum,

    /// <summary>The batch is compressed, and no codec for its compression type was given.</summary>
    CodecMissing,

    /// <summary>The batch has an unknown compression type, or the codec claims to implement none.</summary>
    UnknownCodec,

    /// <summary>The codec failed: its input is malformed, or it threw for a reason of its own.</summary>
    CodecFailed,

    /// <summary>The batch is already compressed.</summary>
    AlreadyCompressed,

    /// <summary>The group chose an assignor that is not among those given.</summary>
    UnknownAssignor,

    /// <summary>A count or length is larger than is possible, or larger than the limits allow.</summary>
    LimitExceeded,

    /// <summary>
    /// The batch cannot be forwarded: it has control records or no records, or it must be repacked first. See
    /// <see cref="RecordBatchExtensions.GetForwardingObstacle"/>.
    /// </summary>
    NotForwardable,

    /// <summary>
    /// The broker closed the connection while it received a request, or instead of answering one of a megabyte or more. The message says how
    /// many bytes had been sent. The request may be larger than the broker's <c>socket.request.max.bytes</c>.
    /// </summary>
    ClosedWhileSending,

    /// <summary>
    /// The broker closed the connection at the client's first request, and the options have no <see cref="KafkaClientOptions.Sasl"/>. A listener
    /// that requires authentication does so.
    /// </summary>
    ClosedUnauthenticated,

    /// <summary>
    /// The broker supports the call, but is too old for one of its options: the message names both, and the version that has it. Nothing was sent.
    /// </summary>
    BrokerTooOld,

    /// <summary>
    /// The partition has no such offset: no record has the timestamp or a later one. The fetcher has not moved; to continue at the end, seek
    /// <c>OffsetSpec.Latest</c>.
    /// </summary>
    NoSuchOffset,

    /// <summary>
    /// No broker would append the batch as it is, or not as it was meant. The message says what to do. Nothing was sent.
    /// </summary>
    CannotProduce,

    /// <summary>
    /// The topic was deleted and created again since the fetcher last read, and its position is from the earlier log. Nothing was sent. Seek to
    /// where reading must continue, such as <c>OffsetSpec.Earliest</c>.
    /// </summary>
    TopicRecreated,

    /// <summary>The member of a group does not have the partition, or has lost it. Its offset was not committed.</summary>
    NotAssigned,

    /// <summary>
    /// The group has no committed offset for the partition, and <see cref="GroupConsumerOptions.Reset"/> is null: seek one, or set it.
    /// </summary>
    NoCommittedOffset,

    /// <summary>A batch of a transaction is not in the log, or it is not known whether it is.</summary>
    NotProduced,
}
