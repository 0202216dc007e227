namespace LibKafka.Client

open System
open LibKafka.Protocol

/// What a broker remembers of a client's fetches, so that a request need not say again what has not changed, and an answer neither
/// (KIP-227). A session belongs to one connection.
type internal FetchSession =
    {
        /// 0 where there is none (yet).
        Id: int32
        /// The place of the next request in the session: 0 opens one, closing the one with the id; -1 does without.
        Epoch: int32
        /// What the broker has been told of the partition.
        Told: Fetch.PartitionRequest option
        /// What the broker has said of it last, without the records.
        Known: Fetch.PartitionResponse option
    }

[<RequireQualifiedAccess>]
module internal FetchSession =

    /// To do without.
    let none = { Id = 0; Epoch = -1; Told = None; Known = None }

    /// To open one with the next request.
    let opening = { none with Epoch = 0 }

    /// Whether the code says that the broker has lost the session, or lost count in it, and no more than that.
    let isLost (code: ErrorCode) = code = ErrorCode.FetchSessionIdNotFound || code = ErrorCode.InvalidFetchSessionEpoch

    /// The request that closes it, and asks for nothing.
    let closing (session: FetchSession) : Fetch.Request =
        { Fetch.api.Request.Schema.Default with ReplicaId = -1; SessionId = session.Id; SessionEpoch = none.Epoch }

    /// Whether the request has to name the partition: always, but where the session has the same from before.
    let mustTell (asked: Fetch.PartitionRequest) (session: FetchSession) = session.Epoch <= 0 || session.Told <> Some asked

    // The answer without what came with it that once.
    let private bounds (answer: Fetch.PartitionResponse) =
        { Fetch.partitionResponse.Default with
            PartitionIndex = answer.PartitionIndex
            HighWatermark = answer.HighWatermark
            LastStableOffset = answer.LastStableOffset
            LogStartOffset = answer.LogStartOffset }

    /// The partition's answer: the one in the response or, where a session leaves it out since nothing has changed, the last one without
    /// what came with it.
    let answer (found: Fetch.PartitionResponse option) (session: FetchSession) : Fetch.PartitionResponse option =
        match found with
        | None when session.Epoch > 0 -> session.Known
        | _ -> found

    /// The session for the next request. The broker may have no room for one, or have dropped it, or have lost count: then a new one is
    /// opened.
    let next (asked: Fetch.PartitionRequest) (response: Fetch.Response) (answer: Fetch.PartitionResponse option) (session: FetchSession) =
        let goesOn = session.Epoch = 0 || response.SessionId = session.Id

        if session.Epoch < 0 then
            none
        elif response.Error = ErrorCode.FetchSessionIdNotFound then
            opening
        elif response.Error.IsError then
            { opening with Id = session.Id }
        elif response.SessionId = 0 || not goesOn then
            opening
        else
            { Id = response.SessionId
              Epoch = if session.Epoch = Int32.MaxValue then 1 else session.Epoch + 1
              Told = Some asked
              Known = Option.map bounds answer }
