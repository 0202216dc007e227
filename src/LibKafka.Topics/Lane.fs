namespace LibKafka.Topics

open System.Collections.Generic
open LibKafka
open LibKafka.Records
open LibKafka.Client

/// How the batches of one partition are sent.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal Sender =
    | Plain of PartitionProducer
    | Idempotent of IdempotentProducer

    member this.Client: PartitionClient =
        match this with
        | Plain producer -> producer.Client
        | Idempotent producer -> producer.Client

    member this.State: ProducerState voption =
        match this with
        | Plain _ -> ValueNone
        | Idempotent producer -> ValueSome producer.State

/// Where a partition is in the producer's work.
type internal Stage =
    /// It has nothing to send.
    | Idle = 0
    /// It waits for a time.
    | Waiting = 1
    /// It is about to send.
    | Departing = 2
    /// Its request is in flight.
    | Flying = 3

/// One partition: at most one batch of it is on its way.
[<Sealed>]
type internal Lane(partition: TopicPartition) =
    /// The partition.
    member _.Partition = partition

    member val Stage = Stage.Idle with get, set

    /// How its batches are sent; none before the first.
    member val Sender: Sender voption = ValueNone with get, set

    /// The batch on its way; null for none.
    member val Shipment: Shipment | null = null with get, set

    /// The batch that was sent last: if the producer is in doubt, about that one.
    member val LastSent: Shipment | null = null with get, set

    /// The request in flight; null for none.
    member val Call: PendingCall<Produced> | null = null with get, set

    /// The timestamp until which it waits.
    member val NotBefore = 0L with get, set

    /// Batches that were moved here from other partitions.
    member val Moved = Queue<Shipment>()

    /// Whether there is a connection to the leader.
    member this.IsConnected: bool =
        match this.Sender with
        | ValueSome sender -> sender.Client.Connection.IsSome
        | ValueNone -> false

    /// Sends the batch, or sends it again if it is in doubt whether it is in the log.
    member this.Begin(sender: Sender, shipment: Shipment, call: CallOptions) : PendingCall<Produced> =
        this.LastSent <- shipment

        match sender with
        | Sender.Plain producer -> producer.Begin(shipment.Packed, call = call)
        | Sender.Idempotent producer ->
            match producer.State with
            | ProducerState.InDoubt _ -> producer.BeginRetry(call = call)
            | _ -> producer.Begin(shipment.Packed, call = call)
