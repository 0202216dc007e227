namespace LibKafka.Groups

open System.Collections.Generic

/// The partitions of a member, by topic. It had the `kept` ones before the rebalance, and the `fresh` ones are new to it.
[<Sealed>]
type private Holding() =
    let kept = Dictionary<int, SortedSet<int>>()
    let fresh = Dictionary<int, SortedSet<int>>()
    let mutable count = 0

    let put (place: Dictionary<int, SortedSet<int>>) topic partition =
        match place.TryGetValue topic with
        | true, partitions -> partitions.Add partition |> ignore
        | false, _ -> place[topic] <- SortedSet [ partition ]

        count <- count + 1

    let remove (place: Dictionary<int, SortedSet<int>>) topic partition =
        let partitions = place[topic]
        partitions.Remove partition |> ignore
        if partitions.Count = 0 then place.Remove topic |> ignore
        count <- count - 1

    member _.Count = count
    member _.Keep(topic, partition) = put kept topic partition
    member _.Add(topic, partition) = put fresh topic partition

    member _.Remove(topic, partition) =
        match fresh.TryGetValue topic with
        | true, partitions when partitions.Contains partition -> remove fresh topic partition
        | _ -> remove kept topic partition

    /// The topics of its partitions. A topic may occur twice.
    member _.Topics: int seq = Seq.append kept.Keys fresh.Keys

    /// Removes a partition of the topic, a fresh one if there is any, and returns it.
    member _.Take(topic: int) : int =
        let place = if fresh.ContainsKey topic then fresh else kept
        let partition = place[topic].Max
        remove place topic partition
        partition

    /// The topics with a fresh partition.
    member _.FreshTopics: int seq = fresh.Keys

    /// The topics of which all partitions are kept.
    member _.KeptTopics: int seq = kept.Keys |> Seq.filter (fun topic -> not (fresh.ContainsKey topic))

    member _.Fresh: struct (int * int) list =
        [ for ofTopic in fresh do
              for partition in ofTopic.Value -> struct (ofTopic.Key, partition) ]

    member _.All: struct (int * int) list =
        [ for place in [ kept; fresh ] do
              for ofTopic in place do
                  for partition in ofTopic.Value -> struct (ofTopic.Key, partition) ]

/// A partition that moved from one member to another.
[<Struct>]
type private Move = { Giver: int; Taker: int; Topic: int; Partition: int }

/// Divides partitions among members: as evenly as the subscriptions allow, and with as few moves as evenness allows. Members and topics
/// are indexes into arrays.
[<RequireQualifiedAccess>]
module internal Division =

    /// A division in progress.
    type private State =
        {
            Members: int list
            /// The partitions of each member.
            Holdings: Holding[]
            /// The topics that each member wants.
            Wanted: HashSet<int>[]
            /// The members that want each topic.
            Wanters: int[][]
            /// The member that had a partition before the rebalance.
            Owner: int -> int -> int voption
        }

    let private load (state: State) (who: int) : int = state.Holdings[who].Count

    let private put (state: State) (who: int) topic partition =
        if state.Owner topic partition = ValueSome who then
            state.Holdings[who].Keep(topic, partition)
        else
            state.Holdings[who].Add(topic, partition)

    let private stateOf (counts: int[]) (wanted: HashSet<int>[]) (owner: int -> int -> int voption) : State =
        let members = [ 0 .. wanted.Length - 1 ]
        let wantersOf topic = members |> Seq.filter (fun who -> wanted[who].Contains topic) |> Array.ofSeq

        { Members = members
          Holdings = wanted |> Array.map (fun _ -> Holding())
          Wanted = wanted
          Wanters = Array.init counts.Length wantersOf
          Owner = owner }

    /// Leaves each partition with its owner if that member still wants the topic. The others go to the member that wants them and has the
    /// fewest partitions, starting with the topics that the fewest members want.
    let private deal (state: State) (counts: int[]) =
        let orphans = List<struct (int * int)>()

        for topic in 0 .. counts.Length - 1 do
            for partition in 0 .. counts[topic] - 1 do
                match state.Owner topic partition with
                | ValueSome who when state.Wanted[who].Contains topic -> put state who topic partition
                | _ -> orphans.Add(struct (topic, partition))

        for struct (topic, partition) in orphans |> Seq.sortBy (fun struct (topic, _) -> state.Wanters[topic].Length) do
            put state (Array.minBy (load state) state.Wanters[topic]) topic partition

    /// The members that can end up with one partition more if `from` gives away a fresh partition and each taker may do the same. The
    /// result has, for each member that is reached, the giver and the topic. `from` itself counts as reached.
    let private reach (state: State) (from: int) : struct (int * int) voption[] =
        let givers = Array.create state.Holdings.Length ValueNone
        let seen = Array.create state.Wanters.Length false
        let queue = Queue [ from ]
        givers[from] <- ValueSome(struct (from, -1))

        while queue.Count > 0 do
            let giver = queue.Dequeue()

            for topic in state.Holdings[giver].FreshTopics do
                if not seen[topic] then
                    seen[topic] <- true

                    for taker in state.Wanters[topic] do
                        if givers[taker].IsNone then
                            givers[taker] <- ValueSome(struct (giver, topic))
                            queue.Enqueue taker

        givers

    /// Moves a partition of the topic, a fresh one if there is any.
    let private move (state: State) (giver: int) (taker: int) topic : Move =
        let partition = state.Holdings[giver].Take topic
        put state taker topic partition
        { Giver = giver; Taker = taker; Topic = topic; Partition = partition }

    let private undo (state: State) (move: Move) =
        state.Holdings[move.Taker].Remove(move.Topic, move.Partition)
        put state move.Giver move.Topic move.Partition

    /// Moves one partition along the chain from `from` to `towards`, each member giving one to the next. Returns the moves, the last one
    /// first.
    let private moveAlong (state: State) (givers: struct (int * int) voption[]) (from: int) (towards: int) : Move list =
        let rec back moves towards =
            match givers[towards] with
            | ValueSome(struct (giver, topic)) when towards <> from -> back (move state giver towards topic :: moves) giver
            | _ -> moves

        back [] towards

    /// The member with the fewest partitions among those that are reached.
    let private lowest (state: State) (givers: struct (int * int) voption[]) : int =
        state.Members |> Seq.filter (fun who -> givers[who].IsSome) |> Seq.minBy (load state)

    /// The member with the fewest partitions among those that want one of the topics, and such a topic.
    let private lowestWhoWants (state: State) (topics: int seq) : (int * int) option =
        let least = List.minBy (load state) state.Members

        // Usually the member with the fewest partitions of all wants one of the topics, and no other member needs to be looked at.
        match topics |> Seq.tryFind state.Wanted[least].Contains with
        | Some topic -> Some(least, topic)
        | None ->
            let takers = seq {
                for topic in topics do
                    for taker in state.Wanters[topic] -> taker, topic
            }

            if Seq.isEmpty takers then None else Some(Seq.minBy (fst >> load state) takers)

    /// Moves partitions from the member with the most, as long as another member could have one of them and has at least two fewer.
    /// Members in `helpless` have nothing to give.
    let rec private even (state: State) (helpless: Set<int>) =
        match state.Members |> List.filter (fun who -> not (helpless.Contains who)) with
        | [] -> ()
        | others ->
            let fullest = List.maxBy (load state) others
            let hasFewer other = load state fullest - load state other >= 2
            let givers = reach state fullest
            let last = lowest state givers

            if hasFewer last then
                moveAlong state givers fullest last |> ignore
                even state Set.empty
            else
                match lowestWhoWants state state.Holdings[fullest].KeptTopics with
                | Some(taker, topic) when hasFewer taker ->
                    move state fullest taker topic |> ignore
                    even state Set.empty
                | _ -> if List.exists hasFewer state.Members then even state (helpless.Add fullest)

    let private hasMuchMore (state: State) (more: int) (less: int) =
        load state more - load state less >= 2 && state.Holdings[more].Topics |> Seq.exists state.Wanted[less].Contains

    let private isEvenFor (state: State) (who: int) =
        state.Members |> List.forall (fun other -> not (hasMuchMore state who other) && not (hasMuchMore state other who))

    /// Returns a partition from `holder` to its owner, if the division stays even and no other owner loses a partition. The owner gives
    /// away a fresh one in exchange, along a chain that ends at the holder or at a member that now has as many as the holder had.
    let private restore (state: State) (holder: int) (struct (topic, partition)) : bool =
        match state.Owner topic partition with
        | ValueSome owner when state.Wanted[owner].Contains topic ->
            let givers = reach state owner
            let last = if givers[holder].IsSome then holder else lowest state givers

            if last = holder || load state last < load state holder then
                let home = { Giver = holder; Taker = owner; Topic = topic; Partition = partition }
                let moves = moveAlong state givers owner last @ [ home ]
                state.Holdings[holder].Remove(topic, partition)
                put state owner topic partition
                // Another member may now have two more than the holder, or than one that wants what a member on the way received.
                let isEven = moves |> List.forall (fun move -> isEvenFor state move.Giver && isEvenFor state move.Taker)
                if not isEven then List.iter (undo state) (List.rev moves)
                isEven
            else
                false
        | _ -> false

    let rec private restoreAll (state: State) =
        let restoreOne holder = state.Holdings[holder].Fresh |> List.exists (restore state holder)
        if List.exists restoreOne state.Members then restoreAll state

    /// `counts` has the number of partitions of each topic, `wanted` the topics of each member, and `owner` returns the member that had a
    /// partition before the rebalance. The result has the partitions of each member.
    ///
    /// 1. Each partition stays with its owner, if the owner still wants its topic.
    /// 2. Partitions without an owner go to the member that wants them and has the fewest, starting with the topics that the fewest
    ///    members want.
    /// 3. As long as a member has at least two more than another that wants one of its partitions, one partition moves: a fresh one if
    ///    possible. It may also move through a chain of members, each of which gives one to the next.
    /// 4. Partitions that left their owner return, if the division stays as even and no other owner loses one.
    ///
    /// The result is even in the sense of KIP-54: no member has two more than another that wants one of them.
    let divide (counts: int[]) (wanted: HashSet<int>[]) (owner: int -> int -> int voption) : struct (int * int) list[] =
        let state = stateOf counts wanted owner
        deal state counts
        even state Set.empty
        restoreAll state
        state.Holdings |> Array.map _.All
