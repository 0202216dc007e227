namespace LibKafka.Client

open LibKafka.Protocol

/// Whether a reader has read records that an election has since removed from the log (KIP-320).
[<RequireQualifiedAccess>]
type Truncation =
    /// What was read is in the log.
    | Intact
    /// The log diverges from what was read at this position, from which to continue.
    | At of FetchPosition
    /// The log diverges from what was read, and the leader does not know where: it does not have the epoch of what was read.
    | Somewhere
    /// The position has no epoch, so truncation cannot be detected.
    | NotKnown

    /// A one-line description.
    override this.ToString() =
        match this with
        | Intact -> "the log was not truncated"
        | At position -> (Advance.Truncated position).ToString()
        | Somewhere -> "the log was truncated, and its leader does not know where"
        | NotKnown -> "not known: the position has no epoch"

/// The reply to a check for truncation. An error code is a failure.
[<Sealed>]
type TruncationCheck
    (
        position: FetchPosition,
        exchange: Exchange<OffsetForLeaderEpoch.Request, OffsetForLeaderEpoch.Response>,
        answer: Result<OffsetForLeaderEpoch.PartitionResponse, ClientFault>
    ) =
    inherit
        Reply<OffsetForLeaderEpoch.Request, OffsetForLeaderEpoch.Response, Result<OffsetForLeaderEpoch.PartitionResponse, CallFailure>>(
            exchange,
            Reply.resultOf _.Error answer,
            Reply.codesOf (fun _ -> [])
        )

    /// The position that was asked about.
    member _.Position = position

    /// What the result means; none on a fault or an error code.
    member _.Truncation: Truncation option =
        match answer with
        | Ok answer when answer.Error.IsError -> None
        | Ok _ when position.LastEpoch < 0 -> Some Truncation.NotKnown
        | Ok answer when answer.EndOffset < 0L -> Some Truncation.Somewhere
        // Brokers before Kafka 2.0 return no epoch with the offset.
        | Ok answer when answer.EndOffset < position.Offset ->
            Some(Truncation.At { Offset = answer.EndOffset; LastEpoch = answer.LeaderEpoch })
        | Ok _ -> Some Truncation.Intact
        | Error _ -> None
