namespace LibKafka.Client

open LibKafka.Records
open LibKafka.Protocol

/// The state of an idempotent producer in its partition.
[<RequireQualifiedAccess>]
type ProducerState =
    /// The next batch may be sent; its first record has this sequence.
    | Ready of nextSequence: int32
    /// This batch, as it was sent, may or may not be in the log. Only it may be sent, with the sequence that it has: brokers append it once.
    | InDoubt of RecordBatch
    /// The broker accepts no more batches from this identity, or has lost track of its sequences. Nothing may be sent until the producer has
    /// another identity.
    | Fenced of ErrorCode

    /// A one-line description.
    override this.ToString() =
        match this with
        | Ready sequence -> "ready to send sequence " + string sequence
        | InDoubt batch -> "in doubt about " + batch.ToString()
        | Fenced code -> "fenced: " + code.ToString()

/// How a producer's state follows from the results of its batches.
[<RequireQualifiedAccess>]
module ProducerState =

    /// Every identity begins with sequence 0.
    let initial = ProducerState.Ready 0

    let private following (sent: RecordBatch) = ProducerState.Ready(Sequence.add sent.LastSequence 1)

    /// The state after a batch was sent, and the result of sending it in the light of the state `before`:
    /// - DUPLICATE_SEQUENCE_NUMBER acknowledges the batch: it was appended so long ago that the broker does not know the offset;
    /// - a batch that was in doubt stays in doubt if it is refused, because only the repetition was refused;
    /// - a batch that is refused when it is sent for the first time is not in the log, and the next batch gets its sequence.
    let after (sent: RecordBatch) (result: ProduceResult) (before: ProducerState) : ProducerState * ProduceResult =
        let wasInDoubt =
            match before with
            | ProducerState.InDoubt _ -> true
            | _ -> false

        let refused (rejection: Rejection) (state: ProducerState) =
            state, (if wasInDoubt then ProduceResult.Unknown(Doubt.SentBefore rejection) else result)

        match result with
        | ProduceResult.Acknowledged _ -> following sent, result
        | ProduceResult.Rejected(Rejection.ByBroker answer)
        | ProduceResult.Unknown(Doubt.BrokerUnsure answer) when ProduceError.meaning answer.Error = ProduceErrorMeaning.Duplicate ->
            following sent,
            ProduceResult.Acknowledged
                { BaseOffset = answer.BaseOffset; LogAppendTimeMs = answer.LogAppendTimeMs; LogStartOffset = answer.LogStartOffset }
        | ProduceResult.Rejected(Rejection.ByBroker answer as rejection) when ProduceError.meaning answer.Error = ProduceErrorMeaning.Fenced ->
            refused rejection (ProducerState.Fenced answer.Error)
        | ProduceResult.Rejected rejection when wasInDoubt -> refused rejection (ProducerState.InDoubt sent)
        | ProduceResult.Rejected _ -> ProducerState.Ready sent.BaseSequence, result
        | ProduceResult.Unknown _ -> ProducerState.InDoubt sent, result
