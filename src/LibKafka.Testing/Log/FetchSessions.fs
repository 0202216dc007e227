namespace LibKafka.Testing

open System
open LibKafka.Protocol

/// What a fetch request is in its session.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal FetchContext =
    /// No session, and none is opened.
    | Sessionless
    /// A session is opened.
    | Opening
    /// The next request of a session.
    | Continuing of FetchSession

/// Fetch sessions (KIP-227): a client names only the partitions that changed, and gets only those with news.
[<RequireQualifiedAccess>]
module internal FetchSessions =

    // A session may be evicted for a larger one after this time since it was opened, or for any one if it was not used for so long.
    [<Literal>]
    let private EvictionMs = 120_000L

    /// From 4.0 on the cache has eight shards, each with its part of the slots.
    let private shards (release: Release) : int32 = if release.IsAtLeast(3, 9) then 8 else 1

    let private cache (node: int32) (state: State) : FetchSessionCache =
        state.FetchSessions.TryFind node |> Option.defaultValue { Sessions = Map.empty; Opened = 0 }

    let private withCache (node: int32) (cache: FetchSessionCache) (state: State) : State =
        { state with FetchSessions = state.FetchSessions.Add(node, cache) }

    let private withSessions node (change: Map<int32, FetchSession> -> Map<int32, FetchSession>) (state: State) : State =
        let cache = cache node state
        withCache node { cache with Sessions = change cache.Sessions } state

    let private keyOf (usesIds: bool) (name: string) (id: Guid) (partition: int32) =
        if usesIds then struct ("", id, partition) else struct (name, Guid.Empty, partition)

    let private keyOfPartition (usesIds: bool) (partition: SessionPartition) =
        keyOf usesIds partition.Topic partition.TopicId partition.Request.Partition

    /// The partitions of a request, of which a later mention replaces an earlier one.
    let requested (call: Call) (request: Fetch.Request) : SessionPartition list =
        let usesIds = call.Version >= Fetch.topicIdsSince

        let all =
            [ for topic in request.Topics do
                  for partition in topic.Partitions do
                      { Topic = topic.Topic; TopicId = topic.TopicId; Request = partition; HighWatermark = -1L; LogStart = -1L } ]

        let last = all |> List.map (fun it -> keyOfPartition usesIds it, it) |> dict
        all |> List.map (keyOfPartition usesIds) |> List.distinct |> List.map (fun key -> last[key])

    let private merged (call: Call) (request: Fetch.Request) (session: FetchSession) : FetchSession =
        let usesIds = session.UsesTopicIds

        let forgotten =
            set
                [ for topic in request.Forgotten do
                      for partition in topic.Partitions do
                          keyOf usesIds topic.Topic topic.TopicId partition ]

        let changed = requested call request |> List.map (fun it -> keyOfPartition usesIds it, it)
        let changes = Map.ofList changed

        let kept =
            [ for partition in session.Partitions do
                  let key = keyOfPartition usesIds partition

                  if not (forgotten.Contains key) then
                      match changes.TryFind key with
                      | Some change -> { partition with Request = change.Request }
                      | None -> partition ]

        let known = session.Partitions |> List.map (keyOfPartition usesIds) |> set
        let added =
            [ for key, partition in changed do
                  if not (known.Contains key) then partition ]
        { session with Partitions = kept @ added }

    let private nextEpoch (epoch: int32) : int32 = if epoch = Int32.MaxValue then 1 else epoch + 1

    let private continued
        (call: Call)
        (request: Fetch.Request)
        (state: State)
        : State * Result<FetchContext * SessionPartition list, ErrorCode> =
        let usesIds = call.Version >= Fetch.topicIdsSince

        match (cache call.Node state).Sessions.TryFind request.SessionId with
        | None -> state, Error ErrorCode.FetchSessionIdNotFound
        | Some session when session.NextEpoch <> request.SessionEpoch -> state, Error ErrorCode.InvalidFetchSessionEpoch
        | Some session when session.UsesTopicIds <> usesIds -> state, Error ErrorCode.FetchSessionTopicIdError
        | Some session ->
            let session = { merged call request session with NextEpoch = nextEpoch session.NextEpoch; LastUsed = call.Now }

            if session.Partitions.IsEmpty then
                withSessions call.Node (fun sessions -> sessions.Remove session.Id) state, Ok(FetchContext.Sessionless, [])
            else
                withSessions call.Node (fun sessions -> sessions.Add(session.Id, session)) state,
                Ok(FetchContext.Continuing session, session.Partitions)

    /// The partitions to read for a request, in the order of the response. The session moves on to its next epoch.
    let resolve (call: Call) (request: Fetch.Request) (state: State) : State * Result<FetchContext * SessionPartition list, ErrorCode> =
        if call.Version < 7s || request.SessionEpoch = 0 || request.SessionEpoch = -1 then
            let state =
                if request.SessionId = 0 then
                    state
                else
                    withSessions call.Node (fun sessions -> sessions.Remove request.SessionId) state

            let context =
                if call.Version >= 7s && request.SessionEpoch = 0 then
                    FetchContext.Opening
                else
                    FetchContext.Sessionless

            state, Ok(context, requested call request)
        else
            continued call request state

    /// The session that must make room for a new one of this size; None if none must.
    let private evicted (now: Moment) (size: int) (isPrivileged: bool) (sessions: FetchSession list) : FetchSession option =
        let idle = sessions |> List.filter (fun session -> now - session.LastUsed > EvictionMs)

        match idle with
        | [] ->
            sessions
            |> List.filter (fun session ->
                now - session.Created > EvictionMs
                && (isPrivileged && not session.IsPrivileged || isPrivileged = session.IsPrivileged && session.Partitions.Length < size))
            |> function
                | [] -> None
                | candidates ->
                    candidates |> List.minBy (fun session -> session.IsPrivileged, session.Partitions.Length, session.Id) |> Some
        | _ -> idle |> List.minBy _.LastUsed |> Some

    /// Opens a session, if the cache has room, and returns its id, or 0.
    let opened (call: Call) (isFollower: bool) (partitions: SessionPartition list) (state: State) : State * int32 =
        let before = cache call.Node state
        let shards = shards state.Settings.Release
        let shard = before.Opened % shards
        let slots = state.Settings.FetchSessionSlots / shards
        let width = Int32.MaxValue / shards
        let inShard =
            [ for session in before.Sessions.Values do
                  if session.Id / (width + 1) = shard || shards = 1 then session ]

        let room =
            if inShard.Length < slots then
                ValueSome before.Sessions
            else
                match evicted call.Now partitions.Length isFollower inShard with
                | Some session when slots > 0 -> ValueSome(before.Sessions.Remove session.Id)
                | _ -> ValueNone

        match room with
        | ValueNone -> withCache call.Node { before with Opened = before.Opened + 1 } state, 0
        | ValueSome sessions ->
            let rec draw state =
                let state, number = Ids.number state
                let id = shard * (width + 1) + int32 (number % uint64 width) + 1
                if sessions.ContainsKey id then draw state else state, id

            let state, id = draw state

            let session =
                { Id = id
                  NextEpoch = 1
                  UsesTopicIds = call.Version >= Fetch.topicIdsSince
                  Partitions = partitions
                  Created = call.Now
                  LastUsed = call.Now
                  IsPrivileged = isFollower }

            withCache call.Node { Sessions = sessions.Add(id, session); Opened = before.Opened + 1 } state, id

    let private noted (response: Fetch.PartitionResponse) (partition: SessionPartition) : SessionPartition =
        let diverges = response.DivergingEpoch.Epoch >= 0

        { partition with
            HighWatermark = (if response.Error.IsError || diverges then -1L else response.HighWatermark)
            LogStart = response.LogStartOffset }

    let private hasRecords (response: Fetch.PartitionResponse) =
        match response.Records with
        | Some records -> records.Length > 0
        | None -> false

    /// The partitions as they are remembered after a response.
    let remembered (results: (SessionPartition * Fetch.PartitionResponse) list) : SessionPartition list =
        results |> List.map (fun (partition, response) -> noted response partition)

    /// Whether a partition of a session has news.
    let isNews (partition: SessionPartition) (response: Fetch.PartitionResponse) : bool =
        hasRecords response
        || response.Error.IsError
        || response.HighWatermark <> partition.HighWatermark
        || response.LogStartOffset <> partition.LogStart
        || response.PreferredReadReplica >= 0
        || response.DivergingEpoch.Epoch >= 0

    /// Notes what a session was told. Partitions with records move to the end, so that each has its turn.
    let answered (call: Call) (session: FetchSession) (results: (SessionPartition * Fetch.PartitionResponse) list) (state: State) : State =
        let delivered, others = results |> List.partition (snd >> hasRecords)
        let session = { session with Partitions = remembered others @ remembered delivered }
        withSessions
            call.Node
            (fun sessions -> if sessions.ContainsKey session.Id then sessions.Add(session.Id, session) else sessions)
            state
