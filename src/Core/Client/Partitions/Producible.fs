namespace LibKafka.Client

open System
open System.Buffers.Binary
open LibKafka.Records
open LibKafka.Protocol

/// Which batches brokers append, and how they are sent.
[<RequireQualifiedAccess>]
module internal Producible =

    let private forwarding = "RecordBatch.forForwarding (in C#: batch.ForForwarding) gives a batch that can be produced"

    // Who sent the batch before, or is meant to send it.
    let private identityOf (batch: RecordBatch) : string option =
        if batch.ProducerId >= 0L then
            let identity = { ProducerId = batch.ProducerId; ProducerEpoch = batch.ProducerEpoch }
            let within = if batch.IsTransactional then ", and is part of a transaction" else ""
            Some("it has the identity of " + identity.ToString() + within)
        elif batch.IsTransactional then
            Some "it is part of a transaction"
        else
            None

    /// The reason why no broker would append the batch, regardless of its producer; none if brokers would.
    let obstacle (batch: RecordBatch) : string option =
        match RecordBatch.forwardingObstacle batch with
        | ValueSome reason -> Some(reason.ToString())
        | ValueNone when batch.TimestampType = TimestampType.LogAppendTime ->
            Some("its timestamps are those of another log (LogAppendTime): " + forwarding)
        | ValueNone -> None

    /// The same for a producer without an identity. Brokers would take a batch with one for a repetition, or for a gap in the sequences.
    let obstacleWithoutIdentity (batch: RecordBatch) : string option =
        match RecordBatch.forwardingObstacle batch, identityOf batch with
        | ValueNone, Some identity ->
            Some(identity + ": " + forwarding + ", and an IdempotentProducer sends batches with an identity of its own")
        | _ -> obstacle batch

    /// Why the batch cannot be sent in a version of Produce.
    let obstacleIn (version: int16) (batch: RecordBatch) : ClientFault option =
        if batch.Compression = CompressionType.Zstd && version < Produce.zstdSince then
            Some(ClientFault.BrokerTooOld("zstd", "Kafka 2.1 (Produce 7)", "compress the batch with another codec"))
        else
            None

    /// The start of the batch as it is sent, with base offset 0 and leader epoch -1, which the checksum does not cover; null if its stored bytes
    /// are sent as they are.
    let start (batch: RecordBatch) : byte[] | null =
        if batch.BaseOffset = 0L && batch.PartitionLeaderEpoch = -1 then
            batch.HeaderApart
        else
            let header = batch.HeaderBytes()
            BinaryPrimitives.WriteInt64BigEndian(header.AsSpan At.BaseOffset, 0L)
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan At.PartitionLeaderEpoch, -1)
            header
