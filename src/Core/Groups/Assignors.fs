namespace LibKafka.Groups

open System.Buffers.Binary
open System.Collections.Generic
open LibKafka.Wire
open LibKafka.Protocol

/// The partitions that a member says it had, and the generation in which it had them.
type private Claim = { Partitions: (string * int) list; Generation: int32 }

/// The assignors that the Java client and librdkafka also have. They work together with those, so any member can lead a mixed group.
[<RequireQualifiedAccess>]
module Assignors =

    let private known (partitions: Map<string, int>) (topics: string seq) : (string * int) list =
        topics
        |> Seq.distinct
        |> Seq.sort
        |> Seq.choose (fun topic ->
            match partitions.TryFind topic with
            | Some count when count > 0 -> Some(topic, count)
            | _ -> None)
        |> List.ofSeq

    let private wantedBy (partitions: Map<string, int>) (members: Subscriber list) = known partitions (Assignor.topicsOf members)

    let private subscription topics userData owned generation : ConsumerProtocolSubscription.Subscription =
        { Topics = topics; UserData = userData; OwnedPartitions = owned; GenerationId = generation; RackId = None }

    // Eager members have given up all partitions before they join.
    let private subscribe topics _ generation = Ok(subscription topics None [] generation)

    // If the partitions do not divide evenly, the first members get one more.
    let private rangeAssign (partitions: Map<string, int>) (members: Subscriber list) =
        let members = Subscriber.inOrder members
        let wanting = members |> List.map (fun one -> one, Subscriber.wanted one)

        let ofTopic (topic, count) =
            let takers = wanting |> List.filter (fun (_, wanted) -> wanted.Contains topic) |> List.map fst
            let each, more = count / takers.Length, count % takers.Length

            takers
            |> List.mapi (fun i one ->
                let first = i * each + min i more
                let share = if i < more then each + 1 else each
                [ for partition in first .. first + share - 1 -> one.MemberId, (topic, partition) ])
            |> List.concat

        wantedBy partitions members |> List.collect ofTopic |> Assignor.gatherAll members

    /// `range`: each topic is divided into ranges of consecutive partitions, one for each member that wants it. Members with the same topics
    /// get the same partition numbers of each topic, so topics with equal partition counts can be joined. Racks are ignored.
    let range: Assignor = { Name = "range"; IsCooperative = false; Subscribe = subscribe; Assign = rangeAssign }

    let private roundRobinAssign (partitions: Map<string, int>) (members: Subscriber list) =
        let circle = Subscriber.inOrder members |> Array.ofList
        let wanted = circle |> Array.map Subscriber.wanted

        // The next member that wants the topic, starting with `from`. There is one, because only topics that a member wants are assigned.
        let rec next (topic: string) (from: int) : int =
            let at = from % circle.Length
            if wanted[at].Contains topic then at else next topic (at + 1)

        let all =
            [ for topic, count in wantedBy partitions members do
                  for partition in 0 .. count - 1 -> topic, partition ]

        all
        |> List.mapFold
            (fun from (topic, partition) ->
                let taker = next topic from
                (circle[taker].MemberId, (topic, partition)), taker + 1)
            0
        |> fst
        |> Assignor.gatherAll members

    /// `roundrobin`: the partitions of all topics are assigned to the members in turn, in the order of topics and numbers. A member that does
    /// not want a topic is skipped.
    let roundRobin: Assignor = { Name = "roundrobin"; IsCooperative = false; Subscribe = subscribe; Assign = roundRobinAssign }

    // The owner of each partition after the last rebalance. If several members claim a partition, the newest generation wins. If two claims
    // have that generation, neither is valid.
    let private owners (claims: Claim[]) : Dictionary<string * int, int> =
        let best = Dictionary<string * int, struct (int * int voption)>()

        for who in 0 .. claims.Length - 1 do
            for partition in List.distinct claims[who].Partitions do
                match best.TryGetValue partition with
                | true, struct (generation, _) when generation > claims[who].Generation -> ()
                | true, struct (generation, _) when generation = claims[who].Generation -> best[partition] <- struct (generation, ValueNone)
                | _ -> best[partition] <- struct (claims[who].Generation, ValueSome who)

        let owners = Dictionary<string * int, int>()

        for entry in best do
            match entry.Value with
            | struct (_, ValueSome who) -> owners[entry.Key] <- who
            | _ -> ()

        owners

    // The partitions of each member.
    let private divide (partitions: Map<string, int>) (members: Subscriber[]) (claims: Claim[]) : (string * int) list[] =
        let topics = wantedBy partitions (List.ofArray members) |> Array.ofList
        let names = topics |> Array.map fst
        let places = names |> Seq.mapi (fun place name -> KeyValuePair(name, place)) |> Dictionary
        let owners = owners claims

        let owner topic partition =
            match owners.TryGetValue((names[topic], partition)) with
            | true, who -> ValueSome who
            | false, _ -> ValueNone

        let wanted =
            members
            |> Array.map (fun one -> HashSet(known partitions one.Subscription.Topics |> Seq.map (fun (topic, _) -> places[topic])))

        Division.divide (Array.map snd topics) wanted owner
        |> Array.map (List.map (fun (struct (topic, partition)) -> names[topic], partition))

    // Assigns by claims. `release` may withhold partitions from a member.
    let private assignBy (claimOf: Subscriber -> Claim) (release: Claim[] -> int -> string * int -> bool) partitions members =
        let members = Subscriber.inOrder members
        let order = Array.ofList members
        let claims = Array.map claimOf order
        let mayHave = release claims

        divide partitions order claims
        |> Seq.mapi (fun who part -> part |> Seq.filter (mayHave who) |> Seq.map (fun partition -> order[who].MemberId, partition))
        |> Seq.concat
        |> Assignor.gatherAll members

    let private noClaim = { Partitions = []; Generation = -1 }

    // User data that cannot be read comes from another client. It is no claim, and the group works without it.
    let private stickyClaim (one: Subscriber) : Claim =
        match one.Subscription.UserData |> Option.map ConsumerProtocol.decodeStickyUserData with
        | Some(Ok data) -> { Partitions = Assignor.spread data.Previous; Generation = data.Generation }
        | _ -> noClaim

    let private stickySubscribe topics (previous: ConsumerTopicPartitions list) generation =
        if List.isEmpty previous && generation < 0 then
            Ok(subscription topics None [] generation)
        else
            ConsumerProtocol.encodeStickyUserData { Previous = previous; Generation = generation }
            |> Result.map (fun data -> subscription topics (Some data) [] generation)

    /// `sticky` (KIP-54): the assignment is as even as the subscriptions allow, and with that, as many partitions as possible stay where they
    /// were. A member sends its previous partitions in its user data. No member has two partitions more than another that wants one of
    /// them.
    let sticky: Assignor =
        { Name = "sticky"
          IsCooperative = false
          Subscribe = stickySubscribe
          Assign = assignBy stickyClaim (fun _ _ _ -> true) }

    // Before the generation had its own field, it was in the user data: at the start in the Java client, which ignores what comes after it, and
    // after the partitions in librdkafka.
    let private generationIn (subscription: ConsumerProtocolSubscription.Subscription) : int32 =
        match subscription.UserData with
        | _ when subscription.GenerationId >= 0 -> subscription.GenerationId
        | Some data when data.Length >= 4 ->
            match ConsumerProtocol.decodeStickyUserData data with
            | Ok sticky when data.Length > 4 -> sticky.Generation
            | _ -> BinaryPrimitives.ReadInt32BigEndian data.Span
        | _ -> -1

    let private cooperativeClaim (one: Subscriber) : Claim =
        { Partitions = Assignor.spread one.Subscription.OwnedPartitions; Generation = generationIn one.Subscription }

    let private cooperativeSubscribe topics previous (generation: int32) =
        let data = Array.zeroCreate<byte> 4
        BinaryPrimitives.WriteInt32BigEndian(data, generation)
        Ok(subscription topics (Some(Bytes data)) previous generation)

    // A member may have a partition immediately if no other member claims it, or if the other claims have an older generation than its own.
    let private isFree (claims: Claim[]) : int -> string * int -> bool =
        let claimants = Dictionary<string * int, List<int>>()

        for who in 0 .. claims.Length - 1 do
            for partition in List.distinct claims[who].Partitions do
                match claimants.TryGetValue partition with
                | true, others -> others.Add who
                | false, _ -> claimants[partition] <- List [ who ]

        fun who partition ->
            match claimants.TryGetValue partition with
            | false, _ -> true
            | true, all ->
                let own = all.Contains who
                all |> Seq.forall (fun other -> other = who || (own && claims[other].Generation < claims[who].Generation))

    /// `cooperative-sticky` (KIP-429): like `sticky`, but members keep their partitions during a rebalance. A partition that must move is
    /// assigned to no member as long as its owner claims it. The owner gives it up and rejoins, and the next rebalance assigns it to its new
    /// owner.
    let cooperativeSticky: Assignor =
        { Name = "cooperative-sticky"
          IsCooperative = true
          Subscribe = cooperativeSubscribe
          Assign = assignBy cooperativeClaim isFree }
