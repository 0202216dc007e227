namespace LibKafka.Client

open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol

/// The place of a batch in the log.
type Acknowledgement =
    {
        /// The offset of its first record; -1 if the broker only says that it has the batch already (DUPLICATE_SEQUENCE_NUMBER).
        BaseOffset: int64
        /// The broker's clock when it appended the batch, in milliseconds since the epoch; -1 if the topic keeps the producer's timestamps.
        LogAppendTimeMs: int64
        /// The first offset that the partition still has; -1 if the broker does not report it.
        LogStartOffset: int64
    }

    /// A one-line description.
    override this.ToString() =
        if this.BaseOffset < 0L then
            "acknowledged earlier"
        else
            "acknowledged at offset " + string this.BaseOffset

/// Why a batch is not in the log.
[<RequireQualifiedAccess>]
type Rejection =
    /// The broker refused it. The response has the error code, the records that caused it, and the new leader if the broker knows it.
    | ByBroker of Produce.PartitionResponse
    /// It was never sent.
    | NotSent of ClientFault

    /// A one-line description.
    override this.ToString() =
        match this with
        | ByBroker answer -> "refused by the broker: " + Explained.code answer.Error answer.ErrorMessage
        | NotSent fault -> "not sent: " + fault.ToString()

/// Why it is not known whether a batch is in the log.
[<RequireQualifiedAccess>]
type Doubt =
    /// It was sent with `Acks.None`, so there is no response.
    | NotAsked
    /// It was sent, and no response was received.
    | AnswerLost of ClientFault
    /// The broker itself is not sure: it appended the batch and could not confirm it in time, or it failed in between. See `ProduceError`.
    | BrokerUnsure of Produce.PartitionResponse
    /// An idempotent producer had sent it before with an unknown result, and this time it was refused. The refusal says nothing about the first
    /// time.
    | SentBefore of Rejection

    /// A one-line description.
    override this.ToString() =
        match this with
        | NotAsked -> "no acknowledgement was requested"
        | AnswerLost fault -> "the response was lost: " + fault.ToString()
        | BrokerUnsure answer -> "the broker is not sure: " + Explained.code answer.Error answer.ErrorMessage
        | SentBefore rejection -> "it was sent before, and then " + rejection.ToString()

/// The result of sending a batch.
[<RequireQualifiedAccess>]
type ProduceResult =
    /// It is in the log.
    | Acknowledged of Acknowledgement
    /// It is not in the log.
    | Rejected of Rejection
    /// It may or may not be in the log. Sending it again may duplicate it.
    | Unknown of Doubt

    /// A one-line description.
    override this.ToString() =
        match this with
        | Acknowledged at -> at.ToString()
        | Rejected why -> "rejected: " + why.ToString()
        | Unknown doubt -> "unknown: " + doubt.ToString()

/// The reply to producing a batch. With `Acks.None` its exchange has no response.
[<Sealed>]
type Produced(batch: RecordBatch, exchange: Exchange<Produce.Request, Produce.Response option>, result: ProduceResult) =
    inherit Reply<ProduceResult>(result)

    /// Whether to send the batch again may be of use and cannot duplicate it, if brokers recognize a repetition or not.
    member internal _.MayBeSentAgain(isRecognized: bool) : bool =
        let mayPass (rejection: Rejection) =
            match rejection with
            | Rejection.ByBroker answer -> answer.Error.IsRetriable
            | Rejection.NotSent fault -> fault.IsTransient

        match result with
        | ProduceResult.Rejected rejection -> mayPass rejection
        | ProduceResult.Acknowledged _
        | ProduceResult.Unknown Doubt.NotAsked
        | ProduceResult.Unknown(Doubt.AnswerLost ClientFault.Cancelled) -> false
        | ProduceResult.Unknown(Doubt.SentBefore rejection) -> isRecognized && mayPass rejection
        | ProduceResult.Unknown _ -> isRecognized

    /// The request and its response. The request has the batch as it was given; what is sent in place of its header is that of `Batch`,
    /// with base offset 0 and leader epoch -1.
    member _.Exchange = exchange

    /// The batch as it was sent, or would have been sent, except for base offset and leader epoch. An idempotent producer puts its identity and a
    /// sequence into it.
    member _.Batch = batch

    /// The broker's answer, if it reports an error.
    member _.Refusal: Produce.PartitionResponse option =
        match result with
        | ProduceResult.Rejected(Rejection.ByBroker answer)
        | ProduceResult.Unknown(Doubt.BrokerUnsure answer)
        | ProduceResult.Unknown(Doubt.SentBefore(Rejection.ByBroker answer)) -> Some answer
        | _ -> None

    override _.Exchanges = [ exchange.Info ]

    /// The error code with which the broker refused the batch, or is not sure of it, or the one that caused the fault; `None` if there is none.
    override this.Error: ErrorCode =
        match this.Refusal, result with
        | Some answer, _ -> answer.Error
        | None, ProduceResult.Rejected(Rejection.NotSent fault)
        | None, ProduceResult.Unknown(Doubt.AnswerLost fault)
        | None, ProduceResult.Unknown(Doubt.SentBefore(Rejection.NotSent fault)) -> fault.ErrorCode
        | _ -> ErrorCode.None

    /// Whether to send the batch again may be of use and cannot duplicate it. After an unknown result that is so only if an idempotent producer
    /// has sent it.
    override this.IsTransient = this.MayBeSentAgain(batch.ProducerId >= 0L)

    /// The broker's human-readable error message.
    member this.ErrorMessage: string option = this.Refusal |> Option.bind _.ErrorMessage

    /// The records because of which the whole batch was refused (KIP-467).
    member this.RecordErrors: Produce.RecordError list = this.Refusal |> Option.map _.RecordErrors |> Option.defaultValue []

    /// A one-line description, with the batch's size if the broker refused it.
    override this.ToString() =
        match this.Refusal with
        | Some _ ->
            let records = FieldText.count (int64 batch.Count) "record"
            result.ToString() + "; the batch has " + records + " in " + string batch.SizeInBytes + " bytes"
        | None -> result.ToString()
