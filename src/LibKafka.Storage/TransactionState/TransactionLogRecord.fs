namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// TransactionLog (type 0 of `__transaction_state`): the state of a transactional id (KIP-98). A tombstone deletes it.
module TransactionLogRecord =

    type Key = { TransactionalId: string }

    let keySchema = message {
        let! transactionalId = field "TransactionalId" _.TransactionalId string

        return { TransactionalId = transactionalId }
    }

    /// Partitions of a topic in the transaction.
    type TopicPartitions = { Topic: string; PartitionIds: int32 list }

    let topicPartitions = message {
        let! topic = field "Topic" _.Topic string
        and! partitionIds = field "PartitionIds" _.PartitionIds (array int32)

        return { Topic = topic; PartitionIds = partitionIds }
    }

    type Value =
        {
            /// The producer id of the transactional id.
            ProducerId: int64
            ProducerEpoch: int16
            /// How long the transaction may stay open, in milliseconds.
            TransactionTimeoutMs: int32
            TransactionStatus: TransactionStatus
            /// The partitions in the transaction; null if it has never had any.
            TransactionPartitions: TopicPartitions list option
            /// When the state last changed, in milliseconds since the epoch.
            TransactionLastUpdateTimestampMs: int64
            /// When the transaction began, in milliseconds since the epoch; -1 if none has.
            TransactionStartTimestampMs: int64
            /// The producer id before, if an epoch bump has replaced it; -1 for none (KIP-890). Since version 1.
            PreviousProducerId: int64
            /// The producer id after the transaction, if its end replaces it; -1 for none (KIP-890). Since version 1.
            NextProducerId: int64
            /// The version of the transaction protocol that the client uses: 2 since KIP-890. Since version 1.
            ClientTransactionVersion: int16
            /// The producer epoch after the transaction, if its end replaces it; -1 for none (KIP-890). Since version 1.
            NextProducerEpoch: int16
        }

    let valueSchema = message {
        let! producerId = field "ProducerId" _.ProducerId int64
        and! producerEpoch = field "ProducerEpoch" _.ProducerEpoch int16
        and! transactionTimeoutMs = field "TransactionTimeoutMs" _.TransactionTimeoutMs int32
        and! transactionStatus = field "TransactionStatus" _.TransactionStatus StorageTypes.transactionStatus
        and! transactionPartitions = field "TransactionPartitions" _.TransactionPartitions (array topicPartitions |> nullable)
        and! transactionLastUpdateTimestampMs = field "TransactionLastUpdateTimestampMs" _.TransactionLastUpdateTimestampMs int64
        and! transactionStartTimestampMs = field "TransactionStartTimestampMs" _.TransactionStartTimestampMs int64
        and! previousProducerId = field "PreviousProducerId" _.PreviousProducerId (int64 |> since 1s -1L |> tagged 0)
        and! nextProducerId = field "NextProducerId" _.NextProducerId (int64 |> since 1s -1L |> tagged 1)
        and! clientTransactionVersion =
            field "ClientTransactionVersion" _.ClientTransactionVersion (int16 |> since 1s 0s |> tagged 2)
        and! nextProducerEpoch = field "NextProducerEpoch" _.NextProducerEpoch (int16 |> since 1s -1s |> tagged 3)

        return
            { ProducerId = producerId
              ProducerEpoch = producerEpoch
              TransactionTimeoutMs = transactionTimeoutMs
              TransactionStatus = transactionStatus
              TransactionPartitions = transactionPartitions
              TransactionLastUpdateTimestampMs = transactionLastUpdateTimestampMs
              TransactionStartTimestampMs = transactionStartTimestampMs
              PreviousProducerId = previousProducerId
              NextProducerId = nextProducerId
              ClientTransactionVersion = clientTransactionVersion
              NextProducerEpoch = nextProducerEpoch }
    }

    let key: Message<Key> = Message.define "TransactionLogKey" (versions 0 0) keySchema

    let value: Message<Value> = Message.define "TransactionLogValue" (versions 0 1 |> flexibleFrom 1) valueSchema

    let recordType: RecordType<Key, Value> = { Id = 0s; Key = key; Value = value }

    type Key with
        override this.ToString() = Message.show key this
    type TopicPartitions with
        override this.ToString() = Schema.show topicPartitions this
    type Value with
        override this.ToString() = Message.show value this
