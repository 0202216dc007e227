namespace LibKafka.Client

open System
open LibKafka.Protocol

/// How far a group has read a partition.
type CommittedOffset =
    {
        /// The offset of the next record to read, one after the last record processed.
        Offset: int64
        /// The leader epoch of the last record processed, for detecting log truncation later (KIP-320); -1 if it is not known.
        LeaderEpoch: int32
        /// A note that is kept with the offset.
        Metadata: string
    }

    /// A one-line description.
    override this.ToString() =
        "offset "
        + string this.Offset
        + (if this.LeaderEpoch < 0 then "" else " after epoch " + string this.LeaderEpoch)
        + (if this.Metadata = "" then "" else " (" + this.Metadata + ")")

[<RequireQualifiedAccess>]
module CommittedOffset =

    /// An offset without an epoch or a note.
    let at (offset: int64) : CommittedOffset = { Offset = offset; LeaderEpoch = -1; Metadata = "" }

/// The result for one partition of a request about several.
type PartitionResult =
    { Partition: TopicPartition
      Error: ErrorCode }

    /// A one-line description.
    override this.ToString() = this.Partition.ToString() + ": " + this.Error.ToString()

/// Why a call about partitions has failed for some of them, or for all.
[<RequireQualifiedAccess; NoComparison>]
type PartitionsFailure =
    /// There is no response, or it cannot be used.
    | Fault of ClientFault
    /// The result for each partition of the request, in its order. At least one has an error code.
    | Refused of PartitionResult list

    /// The fault, or the first error code.
    member this.First: CallFailure =
        match this with
        | Fault fault -> CallFailure.Fault fault
        | Refused results -> CallFailure.Code(results |> List.map _.Error |> List.tryFind _.IsError |> Option.defaultValue ErrorCode.None)

    /// A one-line description: the fault, or the partitions that have an error code.
    override this.ToString() =
        match this with
        | Fault fault -> fault.ToString()
        | Refused results ->
            let refused = results |> List.filter _.Error.IsError
            String.Join("; ", refused |> List.map (fun one -> one.Partition.ToString() + ": " + one.Error.Explain null))

/// The committed offset of one partition.
type FetchedOffset =
    {
        Partition: TopicPartition
        /// None if no offset is committed. The code is also that of the group as a whole.
        Result: Result<CommittedOffset option, ErrorCode>
    }

    /// A one-line description.
    override this.ToString() =
        this.Partition.ToString()
        + ": "
        + (match this.Result with
           | Ok(Some offset) -> offset.ToString()
           | Ok None -> "no offset"
           | Error code -> code.ToString())

    /// The error code; `None` if there is none.
    member internal this.Error: ErrorCode =
        match this.Result with
        | Error code -> code
        | Ok _ -> ErrorCode.None

/// Partitions as requests and responses have them: grouped by topic.
[<RequireQualifiedAccess>]
module internal Offsets =

    /// Groups items by topic, in the order in which the topics first occur.
    let byTopic (partitionOf: 'T -> TopicPartition) (items: 'T list) : (string * 'T list) list =
        items |> List.groupBy (fun item -> (partitionOf item).Topic)

    /// The topics of a request.
    let topics
        (topic: string -> 'Partition list -> 'Topic)
        (partition: TopicPartition * 'T -> 'Partition)
        (items: (TopicPartition * 'T) list)
        =
        byTopic fst items |> List.map (fun (name, ofTopic) -> topic name (List.map partition ofTopic))

    /// The answers of a topic in a response, by partition.
    let inTopic (topic: string) (answers: 'Answer list) (indexOf: 'Answer -> int32) : (TopicPartition * 'Answer) list =
        answers |> List.map (fun answer -> { Topic = topic; Partition = indexOf answer }, answer)

    /// The answer for each partition that was asked about.
    let eachOf (asked: TopicPartition list) (answers: (TopicPartition * 'Answer) list) (result: TopicPartition -> 'Answer -> 'T) =
        let answer = Answers.first answers
        let found = asked |> List.map (fun partition -> partition, answer partition)

        match found |> List.tryFind (snd >> Option.isNone) with
        | Some(missing, _) -> Error(ClientFault.NotAnswered missing)
        | None -> Ok(found |> List.map (fun (partition, answer) -> result partition (Option.get answer)))

    /// The error code for each partition that was asked about.
    let codes (asked: TopicPartition list) (answers: (TopicPartition * 'Answer) list) (codeOf: 'Answer -> ErrorCode) =
        eachOf asked answers (fun partition answer -> { Partition = partition; Error = codeOf answer })

    /// The reply about the only partition that was asked about.
    let only
        (codeOf: 'U -> ErrorCode)
        (value: 'T -> 'U)
        (reply: Reply<'Request, 'Response, Result<'T list, ClientFault>>)
        : Reply<'Request, 'Response, Result<'U, ClientFault>> =
        Reply<_, _, _>(reply.Exchange, reply.Result |> Result.map (List.head >> value), Result.map (fun value -> [ codeOf value ]))

    /// The reply about partitions that have nothing but an error code each.
    let coded
        (reply: Reply<'Request, 'Response, Result<PartitionResult list, ClientFault>>)
        : Reply<'Request, 'Response, Result<unit, PartitionsFailure>> =
        let result =
            match reply.Result with
            | Ok results when results |> List.exists _.Error.IsError -> Error(PartitionsFailure.Refused results)
            | Ok _ -> Ok()
            | Error fault -> Error(PartitionsFailure.Fault fault)

        let codes (result: Result<unit, PartitionsFailure>) : Result<ErrorCode list, ClientFault> =
            match result with
            | Ok() -> Ok []
            | Error(PartitionsFailure.Refused results) -> Ok(results |> List.map _.Error)
            | Error(PartitionsFailure.Fault fault) -> Error fault

        Reply<_, _, _>(reply.Exchange, result, codes)

    /// The error code; `None` if there is a value.
    let codeOf (result: Result<'T, ErrorCode>) : ErrorCode =
        match result with
        | Ok _ -> ErrorCode.None
        | Error code -> code
