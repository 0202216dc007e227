namespace LibKafka.Client

open System
open LibKafka.Protocol

/// What a broker remembers of a client's fetches, so that neither requests nor responses repeat what has not changed (KIP-227). A session
/// belongs to one connection.
type internal FetchSession =
    {
        /// 0 if there is none (yet).
        Id: int32
        /// The number of the next request in the session: 0 opens a session and closes the one with the id; -1 does without one.
        Epoch: int32
        /// What the broker was last told about the partition in this session.
        Told: Fetch.PartitionRequest option
        /// What the broker last said about the partition, without the records.
        Known: Fetch.PartitionResponse option
    }

[<RequireQualifiedAccess>]
module internal FetchSession =

    /// Requests without a session.
    let none = { Id = 0; Epoch = -1; Told = None; Known = None }

    /// The next request opens a session.
    let opening = { none with Epoch = 0 }

    /// An answer without records and bounds.
    let empty (partition: int32) (error: ErrorCode) : Fetch.PartitionResponse =
        { Fetch.partitionResponse.Default with PartitionIndex = partition; Error = error; HighWatermark = -1L }

    /// Whether the broker has read nothing because the client has exceeded a quota: then the response has no topics, with and without a session
    /// (KIP-219). The client is asked to pause and to fetch from the same position again.
    let isThrottled (response: Fetch.Response) : bool = response.Topics.IsEmpty && response.ThrottleTimeMs > 0 && not response.Error.IsError

    /// Whether the code only says that the broker has lost the session or its count of requests.
    let isLost (code: ErrorCode) = code = ErrorCode.FetchSessionIdNotFound || code = ErrorCode.InvalidFetchSessionEpoch

    /// The request that closes the session and asks for nothing.
    let closing (session: FetchSession) : Fetch.Request =
        { Fetch.api.Request.Schema.Default with ReplicaId = -1; SessionId = session.Id; SessionEpoch = none.Epoch }

    /// Whether the request must name the partition: always, unless the session has it with the same values.
    let mustTell (asked: Fetch.PartitionRequest) (session: FetchSession) = session.Told <> Some asked

    // The answer without what belonged to that one response.
    let private bounds (answer: Fetch.PartitionResponse) =
        { Fetch.partitionResponse.Default with
            PartitionIndex = answer.PartitionIndex
            HighWatermark = answer.HighWatermark
            LastStableOffset = answer.LastStableOffset
            LogStartOffset = answer.LogStartOffset }

    /// The partition's answer: the one in the response or, if a session leaves it out because nothing has changed, the last one without its
    /// records.
    let answer (found: Fetch.PartitionResponse option) (session: FetchSession) : Fetch.PartitionResponse option =
        match found with
        | None when session.Epoch > 0 -> session.Known
        | _ -> found

    /// The session for the next request. If the broker has no room for one, has dropped it or has lost its count of requests, the next request
    /// opens a new one.
    let next (asked: Fetch.PartitionRequest) (response: Fetch.Response) (answer: Fetch.PartitionResponse option) (session: FetchSession) =
        let continues = session.Epoch = 0 || response.SessionId = session.Id

        if session.Epoch < 0 then
            none
        elif response.Error = ErrorCode.FetchSessionIdNotFound then
            opening
        elif response.Error.IsError then
            { opening with Id = session.Id }
        elif response.SessionId = 0 || not continues then
            opening
        else
            { Id = response.SessionId
              Epoch = if session.Epoch = Int32.MaxValue then 1 else session.Epoch + 1
              Told = Some asked
              Known = Option.map bounds answer }
