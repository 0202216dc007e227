namespace LibKafka.Testing

open System
open LibKafka.Protocol
open LibKafka.Groups

/// A member as a server-side assignor sees it.
type internal Assignee =
    {
        MemberId: string
        InstanceId: string option
        /// The topics that it subscribes to.
        Topics: Set<string>
        /// Its part of the last target assignment.
        Target: OwnedPartitions
    }

/// Sets of partitions.
[<RequireQualifiedAccess>]
module internal Owned =

    let private clean (partitions: OwnedPartitions) : OwnedPartitions = partitions |> Map.filter (fun _ numbers -> not numbers.IsEmpty)

    let ofTopic (topic: Guid) (partitions: OwnedPartitions) : Set<int32> = partitions.TryFind topic |> Option.defaultValue Set.empty

    let union (a: OwnedPartitions) (b: OwnedPartitions) : OwnedPartitions =
        b |> Map.fold (fun all topic numbers -> Map.add topic (Set.union numbers (ofTopic topic all)) all) a

    let except (removed: OwnedPartitions) (partitions: OwnedPartitions) : OwnedPartitions =
        partitions |> Map.map (fun topic numbers -> Set.difference numbers (ofTopic topic removed)) |> clean

    let intersect (a: OwnedPartitions) (b: OwnedPartitions) : OwnedPartitions =
        a |> Map.map (fun topic numbers -> Set.intersect numbers (ofTopic topic b)) |> clean

    let overlap (a: OwnedPartitions) (b: OwnedPartitions) : bool = not (intersect a b).IsEmpty

    let isSubset (a: OwnedPartitions) (b: OwnedPartitions) : bool = (except b a).IsEmpty

    let ofPairs (pairs: (Guid * int32) seq) : OwnedPartitions =
        pairs |> Seq.groupBy fst |> Seq.map (fun (topic, ofTopic) -> topic, ofTopic |> Seq.map snd |> Set.ofSeq) |> Map.ofSeq

    let toPairs (partitions: OwnedPartitions) : (Guid * int32) list =
        [ for KeyValue(topic, numbers) in partitions do
              for partition in numbers -> topic, partition ]

    let ofHeartbeat (topics: HeartbeatTopicPartitions list) : OwnedPartitions =
        ofPairs
            [ for it in topics do
                  for partition in it.Partitions -> it.TopicId, partition ]

    let toHeartbeat (partitions: OwnedPartitions) : HeartbeatTopicPartitions list =
        [ for KeyValue(topic, numbers) in partitions -> { TopicId = topic; Partitions = List.ofSeq numbers } ]

/// The server-side assignors of consumer groups.
[<RequireQualifiedAccess>]
module internal ConsumerAssign =

    /// In the order in which brokers list them. The first is the default.
    let names = [ "uniform"; "range" ]

    let private sizes (metadata: Map<string, struct (Guid * int32)>) : Map<string, int> =
        metadata |> Map.map (fun _ (struct (_, count)) -> count)

    /// Divides the partitions of topics to which all members subscribe: evenly, with as few moves as possible. The first members, in the order
    /// of a hash map, get one partition more if they do not divide evenly.
    let private uniform (metadata: Map<string, struct (Guid * int32)>) (topics: Set<string>) (members: Assignee list) =
        let all =
            [ for KeyValue(name, struct (topic, partitions)) in metadata do
                  if topics.Contains name then
                      for partition in 0 .. partitions - 1 -> topic, partition ]

        let byId = members |> List.map (fun one -> one.MemberId, one) |> Map.ofList
        let ordered = members |> List.map _.MemberId |> Groups.inHashOrder
        let each, extras = all.Length / ordered.Length, all.Length % ordered.Length
        let existing = Owned.ofPairs all

        // Only one of several members may keep a partition that they all had.
        let keep (taken: Set<Guid * int32>) (index, memberId) =
            let quota = if index < extras then each + 1 else each
            let had = Owned.intersect byId[memberId].Target existing |> Owned.toPairs
            let part = had |> List.filter (fun it -> not (taken.Contains it)) |> List.truncate quota
            (memberId, quota, part), Set.union taken (Set.ofList part)

        let kept, taken = ordered |> List.indexed |> List.mapFold keep Set.empty

        let fill free (memberId, quota, part: (Guid * int32) list) =
            let given, rest = List.splitAt (quota - part.Length) free
            (memberId, Owned.ofPairs (part @ given)), rest

        kept |> List.mapFold fill (all |> List.filter (fun it -> not (taken.Contains it))) |> fst |> Map.ofList

    /// Uses an assignor of classic groups.
    let private client (assignor: Assignor) metadata (userData: Assignee -> LibKafka.Wire.Bytes option) (members: Assignee list) =
        let subscriber (one: Assignee) : Subscriber =
            { MemberId = one.MemberId
              GroupInstanceId = one.InstanceId
              Subscription =
                { Topics = List.ofSeq one.Topics; UserData = userData one; OwnedPartitions = []; GenerationId = -1; RackId = None }
              Unreadable = None }

        let toIds (topics: ConsumerTopicPartitions list) : OwnedPartitions =
            Map.ofList
                [ for it in topics do
                      match Map.tryFind it.Topic metadata with
                      | Some(struct (id: Guid, _: int32)) -> id, Set.ofList it.Partitions
                      | None -> () ]

        assignor.Assign (sizes metadata) (List.map subscriber members) |> Map.map (fun _ topics -> toIds topics)

    /// What the sticky assignor must know of a member.
    let private stickyData (metadata: Map<string, struct (Guid * int32)>) (one: Assignee) : LibKafka.Wire.Bytes option =
        let previous =
            [ for KeyValue(name, struct (id, _)) in metadata do
                  let numbers = Owned.ofTopic id one.Target
                  if not numbers.IsEmpty then name, List.ofSeq numbers ]

        ConsumerProtocol.encodeStickyUserData
            { Previous = [ for name, numbers in previous -> { Topic = name; Partitions = numbers } ]; Generation = 1 }
        |> Result.toOption

    /// The part of each member. `metadata` has the topics that exist.
    let assign (assignor: string) (metadata: Map<string, struct (Guid * int32)>) (members: Assignee list) : Map<string, OwnedPartitions> =
        let existing (one: Assignee) = one.Topics |> Set.filter metadata.ContainsKey

        match members with
        | [] -> Map.empty
        | _ when assignor = "range" -> client Assignors.range metadata (fun _ -> None) members
        | first :: others when others |> List.forall (fun one -> existing one = existing first) -> uniform metadata first.Topics members
        | _ -> client Assignors.sticky metadata (stickyData metadata) members
