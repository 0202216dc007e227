namespace LibKafka.Topics

open System
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client

/// The life of a batch. Times count from `Began`.
type BatchLife =
    {
        /// The number of records.
        Records: int
        /// When its first record was added.
        Began: DateTimeOffset
        /// When it took no more records, because it was full or was about to be sent.
        Sealed: TimeSpan
        /// When it had been compressed; none if it was not.
        Compressed: TimeSpan option
        /// When it was sent for the first time; none if it never was.
        Sent: TimeSpan option
        /// When its fate was known: it was acknowledged, or given up.
        Ended: TimeSpan
        /// Its size in bytes before compression, including its header.
        Bytes: int
        /// Its size in bytes as it was sent, or would have been.
        SentBytes: int
        /// The exchange of every attempt to send it, in order.
        Attempts: ExchangeInfo list
    }

    /// A one-line description.
    override this.ToString() =
        FieldText.count (int64 this.Records) "record"
        + ", "
        + FieldText.count (int64 this.Bytes) "byte"
        + ", "
        + string this.SentBytes
        + " as sent, "
        + FieldText.count (int64 this.Attempts.Length) "attempt"
        + ", "
        + string (int64 this.Ended.TotalMilliseconds)
        + " ms"

/// A batch that is in the log.
type Delivered =
    {
        /// The partition that it is in. It is not the one of its tickets if the batch was moved: see `TopicProducerSettings.MoveKeyless`.
        Partition: TopicPartition
        /// The number that the tickets of its records have.
        Batch: int64
        /// Its place in the log.
        Acknowledgement: Acknowledgement
        /// Its life.
        Life: BatchLife
    }

    /// The offset of its first record; -1 if the broker only says that it has the batch already (DUPLICATE_SEQUENCE_NUMBER).
    member this.BaseOffset = this.Acknowledgement.BaseOffset

    /// The offset of the record with this ticket; -1 if it is not known. ArgumentException if the ticket is of another batch.
    member this.OffsetOf(ticket: Ticket) : int64 =
        if ticket.Batch <> this.Batch then
            raise (
                ArgumentException(
                    "The ticket is of batch " + string ticket.Batch + ", not of batch " + string this.Batch + ".",
                    nameof ticket
                )
            )

        if this.BaseOffset < 0L then -1L else this.BaseOffset + int64 ticket.Index

    /// A one-line description.
    override this.ToString() =
        "batch "
        + string this.Batch
        + " for "
        + this.Partition.ToString()
        + " "
        + this.Acknowledgement.ToString()
        + ": "
        + this.Life.ToString()

/// Why a batch was not delivered.
[<RequireQualifiedAccess>]
type UndeliveredReason =
    /// The last attempt to produce it was not acknowledged, and the retry policy allows no other.
    | NotProduced of ProduceResult
    /// The codec failed.
    | NotCompressed of Fault
    /// The producer needs another identity for the partition, and could not get one.
    | NoIdentity of reason: string
    /// Its partition could not be added to the transaction.
    | NotInTransaction of ErrorCode * reason: string
    /// An earlier batch for the partition could not be delivered, and the transaction must be aborted: see `TransactionClient.Abort` and, if the
    /// batch is in doubt, `TransactionClient.RaiseEpoch`.
    | TransactionFailed of ProducerState
    /// The producer was closed before it was delivered.
    | Closed

    /// A one-line description.
    override this.ToString() =
        match this with
        | NotProduced result -> result.ToString()
        | NotCompressed fault -> "it could not be compressed: " + fault.ToString()
        | NoIdentity reason -> "the producer could not get another identity: " + reason
        | NotInTransaction(_, reason) -> "its partition could not be added to the transaction: " + reason
        | TransactionFailed state -> "the transaction must be aborted: the producer of the partition is " + state.ToString()
        | Closed -> "the producer was closed first: call Flush before Close or Dispose"

/// A batch that was given up.
type Undelivered =
    {
        /// The partition that it was last meant for.
        Partition: TopicPartition
        /// The number that the tickets of its records have.
        Batch: int64
        /// Why.
        Reason: UndeliveredReason
        /// Whether it may be in the log nevertheless. To send its records again may then duplicate them.
        MayBeInLog: bool
        /// The records, without compression and without a producer's identity. The memory is the batch's own.
        Records: RecordBatch
        /// Its life.
        Life: BatchLife
    }

    /// A one-line description.
    override this.ToString() =
        "batch "
        + string this.Batch
        + " for "
        + this.Partition.ToString()
        + (if this.MayBeInLog then " may not have been delivered: " else " was not delivered: ")
        + this.Reason.ToString()
        + "; "
        + this.Life.ToString()

/// A partition's producer continues with another identity, or with the next epoch of the one that it had. Brokers recognize repetitions of a batch only
/// within one identity.
type IdentityChange =
    {
        Partition: TopicPartition
        Before: ProducerIdentity
        Now: ProducerIdentity
        /// What made that necessary: the producer was fenced, or a batch was given up while it was in doubt.
        Because: ProducerState
    }

    /// A one-line description.
    override this.ToString() =
        this.Partition.ToString()
        + " continues as "
        + this.Now.ToString()
        + " after "
        + this.Before.ToString()
        + ", "
        + this.Because.ToString()

/// What `TopicProducer.Poll` returns.
[<RequireQualifiedAccess>]
type ProducerEvent =
    /// A batch is in the log.
    | Delivered of Delivered
    /// A batch was given up.
    | Undelivered of Undelivered
    /// A partition's producer has another identity.
    | IdentityChanged of IdentityChange

    /// The partition.
    member this.Partition: TopicPartition =
        match this with
        | Delivered delivered -> delivered.Partition
        | Undelivered undelivered -> undelivered.Partition
        | IdentityChanged change -> change.Partition

    /// A one-line description.
    override this.ToString() =
        match this with
        | Delivered delivered -> delivered.ToString()
        | Undelivered undelivered -> undelivered.ToString()
        | IdentityChanged change -> change.ToString()
