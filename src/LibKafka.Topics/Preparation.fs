namespace LibKafka.Topics

open System
open System.Collections.Generic
open LibKafka.Protocol
open LibKafka.Client

/// Why a batch could not be sent.
[<NoEquality; NoComparison>]
type internal Obstacle =
    {
        /// Whether that may change by itself.
        IsTransient: bool
        Reason: UndeliveredReason
    }

/// What must be there before a batch is sent: the producers of partitions, their identity, the transaction.
[<Sealed>]
type internal Preparation(topic: string, settings: ClientSettings, bootstrap: Bootstrap, producing: TopicProducerSettings) =
    // The clients must not wait for throttling, which would hold up other partitions.
    let settings = { settings with HeedThrottle = false }
    let mutable identity: ProducerIdentity option = None
    // Why the last request for an identity or for the transaction failed, for each partition that is concerned.
    let obstacles = Dictionary<int, Obstacle>()

    let explain (code: ErrorCode) = code.Explain null

    let noIdentity (isTransient: bool) (reason: string) = Error { IsTransient = isTransient; Reason = UndeliveredReason.NoIdentity reason }

    // Asks any broker for an identity.
    let request () : Result<ProducerIdentity, Obstacle> =
        match Cluster.Connect(settings, bootstrap) with
        | Error fault -> noIdentity fault.IsTransient (fault.ToString())
        | Ok connection ->
            use connection = connection
            let reply = ProducerIdentity.Request connection

            match reply.Result with
            | Ok given -> Ok given
            | Error failure -> noIdentity reply.IsTransient (failure.ToString())

    let requestFirst (lanes: Lane seq) =
        if identity.IsNone then
            match request () with
            | Ok given -> identity <- Some given
            | Error obstacle ->
                for lane in lanes do
                    obstacles[lane.Partition.Partition] <- obstacle

    let refuse (partition: TopicPartition) (isTransient: bool) (code: ErrorCode) (reason: string) =
        obstacles[partition.Partition] <- { IsTransient = isTransient; Reason = UndeliveredReason.NotInTransaction(code, reason) }

    let addTo (transaction: TransactionClient) (lanes: Lane seq) =
        let isMissing (lane: Lane) = not (isNull lane.Shipment || transaction.Contains lane.Partition)
        let missing = lanes |> Seq.filter isMissing |> Seq.map _.Partition |> List.ofSeq

        if not missing.IsEmpty then
            match transaction.AddPartitions(missing).Result with
            | Ok() -> ()
            | Error(PartitionsFailure.Fault fault) ->
                for partition in missing do
                    refuse partition fault.IsTransient fault.ErrorCode (fault.ToString())
            | Error(PartitionsFailure.Refused results) ->
                for result in results do
                    if result.Error.IsError then
                        refuse result.Partition result.Error.IsRetriable result.Error (explain result.Error)

    let newSender (partition: TopicPartition) : Sender =
        let client () = new PartitionClient(settings, bootstrap, partition)

        match producing.Guarantee, identity with
        | Guarantee.InTransaction transaction, _ -> Sender.Idempotent(transaction.Producer(partition, producing.Producing))
        | Guarantee.Idempotent, Some identity -> Sender.Idempotent(IdempotentProducer(client (), producing.Producing, identity))
        // `Prepare` has requested one, or noted the obstacle.
        | Guarantee.Idempotent, None -> raise (InvalidOperationException "The producer has no identity yet.")
        | Guarantee.Plain, _ -> Sender.Plain(new PartitionProducer(client (), producing.Producing))

    // Codes that say that another producer has the identity, so that its next epoch would not help.
    let isTakenOver (code: ErrorCode) =
        code = ErrorCode.InvalidProducerEpoch || code = ErrorCode.ProducerFenced || code = ErrorCode.InvalidProducerIdMapping

    let anotherFor (producer: IdempotentProducer) : Result<ProducerIdentity, Obstacle> =
        match identity with
        | Some shared when shared.ProducerId <> producer.Identity.ProducerId -> Ok shared
        | _ ->
            request ()
            |> Result.map (fun given ->
                identity <- Some given
                given)

    let renew (partition: TopicPartition) (producer: IdempotentProducer) : Result<IdentityChange voption, Obstacle> =
        let before, because = producer.Identity, producer.State
        let changed () = ValueSome { Partition = partition; Before = before; Now = producer.Identity; Because = because }

        let needsOther =
            match because with
            | ProducerState.Fenced code when isTakenOver code -> true
            | _ -> (ProducerIdentity.nextEpoch before).IsNone

        if needsOther then
            anotherFor producer
            |> Result.map (fun next ->
                producer.Renew next
                changed ())
        else
            producer.RaiseEpoch() |> ignore
            Ok(changed ())

    /// Whether the producer of a partition may get another identity.
    member _.MayRenew =
        match producing.Guarantee with
        | Guarantee.Idempotent -> true
        | Guarantee.Plain
        | Guarantee.InTransaction _ -> false

    /// The identity that new partitions get.
    member _.Identity = identity

    /// Makes the calls that lanes with a batch need before they can send it, each once for all of them.
    member _.Prepare(lanes: Lane seq) =
        obstacles.Clear()

        match producing.Guarantee with
        | Guarantee.Plain -> ()
        | Guarantee.Idempotent -> requestFirst lanes
        | Guarantee.InTransaction transaction -> addTo transaction lanes

    /// Whether the last `Prepare` found that the partition's batch cannot be sent.
    member _.HasObstacle(lane: Lane) : bool = obstacles.ContainsKey lane.Partition.Partition

    /// What sends the lane's batch, and the change of identity that this took; or the obstacle.
    member this.SenderFor(lane: Lane, shipment: Shipment) : Result<struct (Sender * IdentityChange voption), Obstacle> =
        match obstacles.TryGetValue lane.Partition.Partition with
        | true, obstacle -> Error obstacle
        | _ ->
            let sender =
                match lane.Sender with
                | ValueSome sender -> sender
                | ValueNone ->
                    let sender = newSender lane.Partition
                    lane.Sender <- ValueSome sender
                    sender

            match sender with
            | Sender.Plain _ -> Ok(struct (sender, ValueNone))
            | Sender.Idempotent producer ->
                match producer.State with
                | ProducerState.Ready _ -> Ok(struct (sender, ValueNone))
                | ProducerState.InDoubt _ when obj.ReferenceEquals(lane.LastSent, shipment) -> Ok(struct (sender, ValueNone))
                | _ when this.MayRenew -> renew lane.Partition producer |> Result.map (fun change -> struct (sender, change))
                | state -> Error { IsTransient = false; Reason = UndeliveredReason.TransactionFailed state }

    /// Closes the connection of a partition. Those of a transaction are its client's.
    member _.Close(sender: Sender) =
        match producing.Guarantee with
        | Guarantee.InTransaction _ -> ()
        | _ -> sender.Client.Close()
