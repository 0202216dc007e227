/// Groups and their assignments, and what every assignor must do.
module LibKafka.Properties.Groups.AssignorSupport

open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Properties
open LibKafka.Properties.Support

/// A group whose partitions are to be assigned.
type Group = { Partitions: Map<string, int>; Members: Subscriber list }

type Division = Map<string, ConsumerTopicPartitions list>

let all = [ Assignors.range; Assignors.roundRobin; Assignors.sticky; Assignors.cooperativeSticky ]

/// The single partitions of an assignment.
let each (parts: ConsumerTopicPartitions list) : (string * int) list =
    [ for part in parts do
          for partition in part.Partitions -> part.Topic, partition ]

let gathered (partitions: (string * int) list) : ConsumerTopicPartitions list =
    partitions
    |> List.groupBy fst
    |> List.map (fun (topic, ofTopic) -> { Topic = topic; Partitions = List.map snd ofTopic })

let held (division: Division) (id: string) = each division[id]

/// The members, claiming the partitions that a division gave them.
let having (assignor: Assignor) (generation: int) (division: Division) (members: Subscriber list) : Subscriber list =
    members
    |> List.map (fun one ->
        let previous = division |> Map.tryFind one.MemberId |> Option.defaultValue []
        let generation = if division.ContainsKey one.MemberId then generation else -1
        { one with Subscription = assignor.Subscribe one.Subscription.Topics previous generation |> ok "subscribed" })

/// The members, all of them new.
let fresh (assignor: Assignor) (members: Subscriber list) = having assignor -1 Map.empty members

/// Whether each member has only topics that it wants.
let isWanted (group: Group) (division: Division) : bool =
    group.Members
    |> List.forall (fun one -> held division one.MemberId |> List.forall (fun (topic, _) -> List.contains topic one.Subscription.Topics))

/// Each member has only topics that it wants, no partition has two owners, and every wanted partition has one, except those in `spared`.
let isValid (group: Group) (division: Division) (spared: (string * int) list) =
    let given =
        [ for one in group.Members do
              for partition in held division one.MemberId -> one, partition ]

    Expect.equal (division |> Map.keys |> Set.ofSeq) (group.Members |> List.map _.MemberId |> Set.ofList) "the members"

    for one, (topic, _) in given do
        Expect.contains one.Subscription.Topics topic (one.MemberId + " wants the topic")

    let partitions = List.map snd given
    Expect.equal (List.distinct partitions).Length partitions.Length "no partition has two owners"

    let wanted = group.Members |> List.collect _.Subscription.Topics |> List.distinct

    let expected =
        set
            [ for topic in wanted do
                  for partition in 0 .. (group.Partitions |> Map.tryFind topic |> Option.defaultValue 0) - 1 -> topic, partition ]

    let given = Set.ofList partitions
    Expect.isEmpty (given - expected) "only partitions that exist"
    Expect.isEmpty (expected - given - Set.ofList spared) "every wanted partition has an owner"

/// No member has two partitions more than another that wants one of them.
let isEven (group: Group) (division: Division) =
    for one in group.Members do
        for other in group.Members do
            let mine, theirs = held division one.MemberId, held division other.MemberId

            if mine.Length >= theirs.Length + 2 then
                let couldMove = mine |> List.filter (fun (topic, _) -> List.contains topic other.Subscription.Topics)
                Expect.isEmpty couldMove (one.MemberId + " has at least two more than " + other.MemberId + ", which wants one of them")

/// The unevenness of a division: the sum of the differences between all pairs of members.
let unevenness (division: Division) : int =
    let counts = division |> Map.values |> Seq.map (each >> List.length) |> List.ofSeq
    (List.allPairs counts counts |> List.sumBy (fun (a, b) -> abs (a - b))) / 2

/// The number of partitions that kept their owner.
let kept (before: Division) (after: Division) : int =
    before
    |> Map.toSeq
    |> Seq.sumBy (fun (id, parts) ->
        match after.TryFind id with
        | Some now -> Set.count (Set.intersect (Set.ofList (each parts)) (Set.ofList (each now)))
        | None -> 0)

let plain topics : ConsumerProtocolSubscription.Subscription = { ConsumerProtocolSubscription.schema.Default with Topics = topics }

let assign (assignor: Assignor) (group: Group) : Division = assignor.Assign group.Partitions group.Members

let wanting id topics = { MemberId = id; GroupInstanceId = None; Subscription = plain topics; Unreadable = None }

let claiming id topics generation partitions =
    { wanting id topics with
        Subscription = { plain topics with OwnedPartitions = gathered partitions; GenerationId = generation } }

/// The division before the rebalance, reduced to partitions that still exist and are still wanted.
let stillThere (group: Group) (before: Division) : Division =
    let wants id topic = group.Members |> List.exists (fun one -> one.MemberId = id && List.contains topic one.Subscription.Topics)
    let exists (topic, partition) = partition < (group.Partitions |> Map.tryFind topic |> Option.defaultValue 0)

    before |> Map.map (fun id parts -> each parts |> List.filter (fun at -> exists at && wants id (fst at)) |> gathered)
