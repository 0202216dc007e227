namespace LibKafka.Topics

open System
open LibKafka.Records
open LibKafka.Client

/// A batch on its way to the log.
[<Sealed>]
type internal Shipment(collected: CollectedBatch, time: TimeProvider) =
    let mutable attempts: ExchangeInfo list = []
    let mutable firstAt = ValueNone
    let mutable lastAt = 0L
    let mutable sentAt = ValueNone

    /// As it was collected.
    member _.Collected = collected

    /// As it is sent, except for the producer's identity.
    member val Packed: RecordBatch = collected.Batch with get, set

    /// The memory of the compressed batch; null if it is not compressed.
    member val Buffer: CodecBuffer | null = null with get, set
    member val CompressedAt: int64 voption = ValueNone with get, set

    /// The number of attempts that have begun.
    member val Attempts = 0 with get, set

    /// Notes that it could be sent, so that the time to deliver it begins.
    member _.Touch() = if firstAt.IsNone then firstAt <- ValueSome(time.GetTimestamp())

    /// Notes that an attempt begins.
    member this.Begin() =
        this.Attempts <- this.Attempts + 1
        lastAt <- time.GetTimestamp()
        this.Touch()

    /// The time since it could be sent for the first time.
    member _.Elapsed: TimeSpan =
        match firstAt with
        | ValueSome at -> time.GetElapsedTime at
        | ValueNone -> TimeSpan.Zero

    /// Whether an attempt may have appended it.
    member val MayBeInLog = false with get, set

    /// Notes the reply to an attempt.
    member this.Note(produced: Produced) =
        attempts <- produced.Exchange.Info :: attempts
        if sentAt.IsNone && produced.Exchange.Info.WasSent then
            sentAt <- ValueSome lastAt

        match produced.Result with
        | ProduceResult.Unknown _ -> this.MayBeInLog <- true
        | ProduceResult.Acknowledged _
        | ProduceResult.Rejected _ -> ()

    /// Its life, which ends now.
    member this.Life: BatchLife =
        let since (at: int64) = time.GetElapsedTime(collected.BeganAt, at)

        let option at =
            match at with
            | ValueSome at -> Some(since at)
            | ValueNone -> None

        { Records = collected.Batch.Count
          Began = collected.Began
          Sealed = since collected.SealedAt
          Compressed = option this.CompressedAt
          Sent = option sentAt
          Ended = since (time.GetTimestamp())
          Bytes = collected.Batch.SizeInBytes
          SentBytes = this.Packed.SizeInBytes
          Attempts = List.rev attempts }
