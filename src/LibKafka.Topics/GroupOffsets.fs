namespace LibKafka.Topics

open System
open System.Collections.Generic
open System.Threading
open LibKafka
open LibKafka.Client

/// The positions of a member's partitions: those that the group has, and those of partitions that the member is giving up.
[<Sealed>]
type internal HandledPositions(reader: TopicConsumer) =
    let stored = Dictionary<TopicPartition, FetchPosition>()
    let dropped = Dictionary<TopicPartition, FetchPosition>()

    /// A partition has been added.
    member _.Added(assigned: AssignedPartition) =
        match assigned.Committed with
        | Some offset -> stored[assigned.Partition] <- { Offset = offset.Offset; LastEpoch = offset.LeaderEpoch }
        | None -> stored.Remove assigned.Partition |> ignore

    /// A partition is about to be removed from the reader.
    member _.Dropping(partition: TopicPartition) = reader.Position partition |> Option.iter (fun position -> dropped[partition] <- position)

    /// The group has these offsets.
    member _.Stored(commit: GroupCommit) =
        for one in commit.Partitions do
            if one.Outcome = CommitOutcome.Stored then
                stored[one.Partition] <- { Offset = one.Offset.Offset; LastEpoch = one.Offset.LeaderEpoch }

    /// Forgets a partition that the member has given up or lost.
    member _.Forget(partition: TopicPartition) =
        dropped.Remove partition |> ignore
        stored.Remove partition |> ignore

    /// The positions that differ from what the group has. `inHand` is the position after the event that the caller has, if it counts.
    member _.Unstored
        (partitions: TopicPartition seq, inHand: (TopicPartition * FetchPosition) option)
        : (TopicPartition * CommittedOffset) list =
        let positionOf (partition: TopicPartition) =
            match inHand, dropped.TryGetValue partition with
            | Some(current, position), _ when current = partition -> Some position
            | _, (true, position) -> Some position
            | _ -> reader.Position partition

        let isStored (partition: TopicPartition) (position: FetchPosition) =
            match stored.TryGetValue partition with
            | true, known -> known = position
            | false, _ -> false

        [ for partition in partitions do
              match positionOf partition with
              | Some position when not (isStored partition position) ->
                  partition, { Offset = position.Offset; LeaderEpoch = position.LastEpoch; Metadata = "" }
              | _ -> () ]

/// The requests for committed offsets, on a connection of their own. One is outstanding at most, and the others wait their turn.
[<Sealed>]
type internal GroupOffsets(settings: ClientSettings, bootstrap: Bootstrap, group: GroupSettings) =
    let client = new GroupClient(settings, bootstrap, group.GroupId)
    let waiting = Queue<unit -> PendingCall * (unit -> unit)>()
    let mutable outstanding: (PendingCall * (unit -> unit)) option = None

    let begin' () =
        if outstanding.IsNone && waiting.Count > 0 then
            outstanding <- Some(waiting.Dequeue () ())

    // The members of a classic group do not identify themselves: their generation is no epoch.
    let asMember (me: GroupMembership) = if group.Protocol.IsClassic then GroupMembership.none else me

    let outcomes (offsets: (TopicPartition * CommittedOffset) list) (result: Result<unit, PartitionsFailure>) : GroupCommit =
        let codes =
            match result with
            | Error(PartitionsFailure.Refused results) -> dict (results |> List.map (fun one -> one.Partition, one.Error))
            | _ -> dict []

        let outcome (partition: TopicPartition) =
            match result with
            | Error(PartitionsFailure.Fault fault) -> CommitOutcome.Unknown fault
            | Error(PartitionsFailure.Refused _) when codes[partition].IsError -> CommitOutcome.Refused codes[partition]
            | _ -> CommitOutcome.Stored

        { Partitions =
            offsets |> List.map (fun (partition, offset) -> { Partition = partition; Offset = offset; Outcome = outcome partition }) }

    /// The client that it uses.
    member _.Client = client

    /// The request that is outstanding.
    member _.Outstanding: PendingCall option = outstanding |> Option.map fst

    /// Asks for committed offsets.
    member _.Fetch(me: GroupMembership, partitions: TopicPartition list, answered: Result<FetchedOffset list, ClientFault> -> unit) =
        let withoutAnswer work = work |> Observed.orElse (fun () -> answered (Error Observed.fault))

        waiting.Enqueue(fun () ->
            let call = withoutAnswer (fun () -> client.BeginFetchOffsets(asMember me, partitions, group.RequireStable))
            call, (fun () -> answered (withoutAnswer (fun () -> (call.Complete()).Result))))

        begin' ()

    /// Commits offsets. `makeOffsets` is asked when it is the commit's turn.
    member _.Commit
        (makeOffsets: unit -> GroupMembership * (TopicPartition * CommittedOffset) list, answered: GroupMembership -> GroupCommit -> unit)
        =
        waiting.Enqueue(fun () ->
            let me, offsets = makeOffsets ()
            let ended result = answered me (outcomes offsets result)
            let withoutAnswer work = work |> Observed.orElse (fun () -> ended (Error(PartitionsFailure.Fault Observed.fault)))
            let call = withoutAnswer (fun () -> client.BeginCommitOffsets(me, offsets))
            call, (fun () -> ended (withoutAnswer (fun () -> (call.Complete()).Result))))

        begin' ()

    /// Takes an answer that has arrived, and sends the next request.
    member _.Pump() =
        match outstanding with
        | Some(call, answer) when call.IsReady && call.Receive() ->
            outstanding <- None

            try
                answer ()
            finally
                begin' ()
        | Some _ -> ()
        // The request before could not be sent, because an observer has thrown.
        | None -> begin' ()

    /// Waits for the answers to all requests, unless it is cancelled. Returns whether all are answered.
    member this.Finish(cancellation: CancellationToken) : bool =
        while outstanding.IsSome && not cancellation.IsCancellationRequested do
            PendingCalls.WaitAny([ for call, _ in Option.toList outstanding -> call ], Timeout.InfiniteTimeSpan, cancellation)
            |> ignore

            this.Pump()

        outstanding.IsNone

    /// Commits offsets and waits for the answer. No other request may be outstanding.
    member _.CommitNow(me: GroupMembership, offsets: (TopicPartition * CommittedOffset) list, call: CallOptions) : GroupCommit =
        outcomes offsets (client.CommitOffsets(me, offsets, call)).Result

    /// Closes the connection.
    member _.Close() = client.Close()
