namespace LibKafka.Groups

open System.Collections.Generic

/// What a member has, by topic. `Kept` it had before the rebalance, `Fresh` it did not.
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

    /// The topics of which it has something.
    member _.Topics: int seq = Seq.append kept.Keys fresh.Keys

    /// Takes out a partition of a topic that it has: one that it did not have before, if it can be.
    member _.Take(topic: int) : int =
        let place = if fresh.ContainsKey topic then fresh else kept
        let partition = place[topic].Max
        remove place topic partition
        partition

    /// The topics of which something is fresh.
    member _.FreshTopics: int seq = fresh.Keys

    /// The topics of which everything is kept.
    member _.KeptTopics: int seq = kept.Keys |> Seq.filter (fun topic -> not (fresh.ContainsKey topic))

    member _.Fresh: struct (int * int) list =
        [ for ofTopic in fresh do
              for partition in ofTopic.Value -> struct (ofTopic.Key, partition) ]

    member _.All: struct (int * int) list =
        [ for place in [ kept; fresh ] do
              for ofTopic in place do
                  for partition in ofTopic.Value -> struct (ofTopic.Key, partition) ]

/// A partition that one member handed to another.
[<Struct>]
type private Move = { Giver: int; Taker: int; Topic: int; Partition: int }

/// The division of partitions among members that is as even as subscriptions allow, and leaves partitions where they were. Members and topics
/// are named by their places in the arrays.
[<RequireQualifiedAccess>]
module internal Division =

    /// `counts` has the number of partitions of each topic; `wanted` the topics of each member; `owner` the member that had a partition, if
    /// any did. The result has the partitions of each member.
    ///
    /// 1. Each partition stays with its owner, where that one still wants its topic.
    /// 2. Those without an owner go to whoever wants them and has least, beginning with the topics that fewest want.
    /// 3. As long as one has at least two more than another who wants some of it, one of its partitions goes to that one: of those that it did not
    ///    have before, if it can be. Such a partition may also go to another member that has one for the other, and so on.
    /// 4. Partitions that left their owner go back where that leaves the division as even and takes nothing from another owner.
    ///
    /// So the division is even in the sense of KIP-54: nobody has two more than another that wants one of them.
    let divide (counts: int[]) (wanted: HashSet<int>[]) (owner: int -> int -> int voption) : struct (int * int) list[] =
        let members = wanted.Length
        let holdings = Array.init members (fun _ -> Holding())
        let load (who: int) = holdings[who].Count
        let wanters =
            counts
            |> Array.mapi (fun topic _ ->
                [| for who in 0 .. members - 1 do
                       if wanted[who].Contains topic then who |])

        let put who topic partition =
            if owner topic partition = ValueSome who then
                holdings[who].Keep(topic, partition)
            else
                holdings[who].Add(topic, partition)

        let orphans = List<struct (int * int)>()

        for topic in 0 .. counts.Length - 1 do
            for partition in 0 .. counts[topic] - 1 do
                match owner topic partition with
                | ValueSome who when wanted[who].Contains topic -> put who topic partition
                | _ -> orphans.Add(struct (topic, partition))

        for struct (topic, partition) in orphans |> Seq.sortBy (fun struct (topic, _) -> wanters[topic].Length) do
            put (Array.minBy load wanters[topic]) topic partition

        // Who has one more when `from` hands on something fresh, and the one who gets it may do the same: for each, who gives it, and of which
        // topic.
        let reach (from: int) : struct (int * int) voption[] =
            let givers = Array.create members ValueNone
            let seen = Array.create counts.Length false
            let queue = Queue [ from ]
            givers[from] <- ValueSome(struct (from, -1))

            while queue.Count > 0 do
                let giver = queue.Dequeue()

                for topic in holdings[giver].FreshTopics do
                    if not seen[topic] then
                        seen[topic] <- true

                        for taker in wanters[topic] do
                            if givers[taker].IsNone then
                                givers[taker] <- ValueSome(struct (giver, topic))
                                queue.Enqueue taker

            givers

        let hand (giver: int) (taker: int) topic : Move =
            let partition = holdings[giver].Take topic
            put taker topic partition
            { Giver = giver; Taker = taker; Topic = topic; Partition = partition }

        let takeBack (move: Move) =
            holdings[move.Taker].Remove(move.Topic, move.Partition)
            put move.Giver move.Topic move.Partition

        // Hands on one partition from each member of the chain to the next. The moves, the last one first.
        let handOn (givers: struct (int * int) voption[]) (from: int) (towards: int) : Move list =
            let rec back moves towards =
                match givers[towards] with
                | ValueSome(struct (giver, topic)) when towards <> from -> back (hand giver towards topic :: moves) giver
                | _ -> moves

            back [] towards

        let everyone = [ 0 .. members - 1 ]

        // `from` itself is among those who are reached.
        let lowest (givers: struct (int * int) voption[]) : int = everyone |> Seq.filter (fun who -> givers[who].IsSome) |> Seq.minBy load

        // Mostly it is the one who has least of all; else all who want something are looked at.
        let lowestWhoWants (topics: int seq) : (int * int) option =
            let least = List.minBy load everyone

            match topics |> Seq.tryFind wanted[least].Contains with
            | Some topic -> Some(least, topic)
            | None ->
                let takers = seq {
                    for topic in topics do
                        for taker in wanters[topic] -> taker, topic
                }

                if Seq.isEmpty takers then None else Some(Seq.minBy (fst >> load) takers)

        let rec even (helpless: Set<int>) =
            match everyone |> List.filter (fun who -> not (helpless.Contains who)) with
            | [] -> ()
            | others ->
                let fullest = List.maxBy load others
                let isFuller other = load fullest - load other >= 2
                let givers = reach fullest
                let last = lowest givers

                if isFuller last then
                    handOn givers fullest last |> ignore
                    even Set.empty
                else
                    match lowestWhoWants holdings[fullest].KeptTopics with
                    | Some(taker, topic) when isFuller taker ->
                        hand fullest taker topic |> ignore
                        even Set.empty
                    | _ -> if List.exists isFuller everyone then even (helpless.Add fullest)

        let hasMuchMore (more: int) (less: int) = load more - load less >= 2 && holdings[more].Topics |> Seq.exists wanted[less].Contains

        let isEvenFor (who: int) = everyone |> List.forall (fun other -> not (hasMuchMore who other) && not (hasMuchMore other who))

        // Whether a partition could go back from `holder`: its owner hands something fresh on until it comes to the holder, or to one who had
        // one less than the holder had and now has as much.
        let restore (holder: int) topic partition : bool =
            match owner topic partition with
            | ValueSome home when wanted[home].Contains topic ->
                let givers = reach home
                let last = if givers[holder].IsSome then holder else lowest givers

                if last = holder || load last < load holder then
                    let moves = handOn givers home last @ [ { Giver = holder; Taker = home; Topic = topic; Partition = partition } ]
                    holdings[holder].Remove(topic, partition)
                    put home topic partition
                    // Somebody else may now have two more than the holder, or than one who wants what came to a member on the way.
                    let isEven = moves |> List.forall (fun move -> isEvenFor move.Giver && isEvenFor move.Taker)
                    if not isEven then List.iter takeBack (List.rev moves)
                    isEven
                else
                    false
            | _ -> false

        let rec restoreAll () =
            let one =
                Seq.init members id
                |> Seq.exists (fun holder ->
                    holdings[holder].Fresh |> List.exists (fun (struct (topic, partition)) -> restore holder topic partition))

            if one then restoreAll ()

        even Set.empty
        restoreAll ()
        holdings |> Array.map _.All
