namespace LibKafka.Client

open LibKafka.Wire
open LibKafka.Protocol

/// The versions that the clients use of an API, if they are not all that its definition has.
///
/// Without a cap, a client uses a new version as soon as the definition has it and the broker supports it. A version that means something new
/// must therefore have a cap here until the client does what it means. In the same way an old version that means something else has a lower
/// bound here. Each bound follows from the version fact in the file of the message.
[<RequireQualifiedAccess>]
module internal Caps =

    /// The lowest version that the clients use. Brokers since Kafka 0.11 support it or a later one.
    let lowest (key: ApiKey) : int16 =
        // Earlier versions have message sets instead of record batches.
        if key = ApiKey.Produce then Produce.batchesSince
        elif key = ApiKey.Fetch then Fetch.batchesSince
        // Earlier versions find segments instead of records.
        elif key = ApiKey.ListOffsets then ListOffsets.oneOffsetSince
        // Earlier versions store offsets elsewhere, or until another time.
        elif key = ApiKey.OffsetCommit then OffsetCommit.brokerTimeSince
        elif key = ApiKey.OffsetFetch then OffsetFetch.brokerOffsetsSince
        else 0s

    /// The versions of an API that mean what the clients mean.
    let versionsOf (api: Api<'Request, 'Response>) : VersionRange = { api.Versions with Lowest = max api.Versions.Lowest (lowest api.Key) }

    /// Later versions name topics by id. A group client knows topics by name only.
    let offsetCommit = OffsetCommit.topicIdsSince - 1s

    /// Later versions name topics by id. A group client knows topics by name only.
    let offsetFetch = OffsetFetch.topicIdsSince - 1s

    /// Later versions name topics by id. A transaction client knows the topics of offsets by name only.
    let txnOffsetCommit = TxnOffsetCommit.topicIdsSince - 1s

    /// Later versions add the group to the transaction by themselves, which the cluster must have enabled: `transaction.version` 2.
    let txnOffsetCommitBeforeTransactionVersion2 = TxnOffsetCommit.addsGroupSince - 1s

    /// Later versions give the producer a new epoch, which the cluster must have enabled: `transaction.version` 2.
    let endTxnBeforeTransactionVersion2 = EndTxn.newEpochSince - 1s

    /// Later versions are for brokers.
    let addPartitionsToTxn = AddPartitionsToTxn.transactionsSince - 1s

    /// Later versions add the partition to the transaction by themselves. The caller of a transaction client adds each partition with
    /// AddPartitionsToTxn.
    let transactionalProduce = Produce.addsPartitionsSince - 1s
