namespace LibKafka.Client

open LibKafka.Protocol

/// The highest versions that the clients use of an API, if it is not the highest that its definition has.
///
/// Without a cap, a client uses a new version as soon as the definition has it and the broker supports it. A version that means something new
/// must therefore have a cap here until the client does what it means. Each cap follows from the version fact in the file of the message.
[<RequireQualifiedAccess>]
module internal Caps =

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
