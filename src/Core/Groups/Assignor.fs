namespace LibKafka.Groups

open System.Collections.Generic
open LibKafka.Wire
open LibKafka.Protocol

/// A member of a group, as its leader sees it.
type Subscriber =
    {
        MemberId: string
        /// The name of a static member (KIP-345); none for a dynamic one.
        GroupInstanceId: string option
        Subscription: ConsumerProtocolSubscription.Subscription
    }

[<RequireQualifiedAccess>]
module Subscriber =

    /// The members in the order in which assignors of all clients deal out partitions: static members by their names, then dynamic ones by
    /// their ids. So the order does not change when a static member comes back under another id.
    let inOrder (members: Subscriber list) : Subscriber list =
        let place (one: Subscriber) =
            match one.GroupInstanceId with
            | Some name -> 0, name
            | None -> 1, one.MemberId

        members |> List.distinctBy _.MemberId |> List.sortBy place

    /// The topics that it wants, to be asked for one by one: a group of a thousand may want a thousand.
    let internal wanted (one: Subscriber) : HashSet<string> = HashSet one.Subscription.Topics

/// A way of sharing out the partitions of topics among the members of a classic group. The functions are pure: the same group gives the
/// same division, whoever leads it.
[<NoEquality; NoComparison>]
type Assignor =
    {
        /// The name of the protocol in JoinGroup. Members agree on an assignor by its name.
        Name: string
        /// Whether members keep their partitions while the group rebalances and give up only those that they are no longer assigned, joining
        /// again when they have (KIP-429). Otherwise each gives up everything before it joins.
        IsCooperative: bool
        /// What a member says when it joins: the topics that it wants, what it had after the last rebalance, and the generation of that; -1
        /// and nothing for a new member.
        Subscribe: string list -> ConsumerTopicPartitions list -> int32 -> Result<ConsumerProtocolSubscription.Subscription, Fault>
        /// What each member is to have, by its id, from the number of partitions of each topic. Topics that are not in the map have none. Every
        /// member is in the result, with its topics in the order of their names.
        Assign: Map<string, int> -> Subscriber list -> Map<string, ConsumerTopicPartitions list>
    }

/// Why a leader cannot share out the partitions of its group.
[<RequireQualifiedAccess>]
type AssignFault =
    /// The group agreed on a protocol that is none of the leader's.
    | UnknownProtocol of name: string
    /// What a member says it wants cannot be read.
    | BadSubscription of memberId: string * Fault
    /// A member's part cannot be written.
    | CannotEncode of memberId: string * Fault

    /// One line for people.
    override this.ToString() =
        match this with
        | UnknownProtocol name -> "no assignor is called '" + name + "'"
        | BadSubscription(memberId, fault) -> "the subscription of member '" + memberId + "' cannot be read: " + fault.ToString()
        | CannotEncode(memberId, fault) -> "the assignment of member '" + memberId + "' cannot be written: " + fault.ToString()

/// What member and leader of a classic group do with assignors.
[<RequireQualifiedAccess>]
module Assignor =

    // The result of the first that is an error, or of all.
    let private all (results: Result<'T, 'Problem> list) : Result<'T list, 'Problem> =
        let add result rest =
            match result, rest with
            | Ok value, Ok values -> Ok(value :: values)
            | Error problem, _ -> Error problem
            | _, Error problem -> Error problem

        List.foldBack add results (Ok [])

    /// Partitions one by one as the protocol has them: gathered by topic, in the order of names and numbers.
    let internal gather (partitions: (string * int) seq) : ConsumerTopicPartitions list =
        partitions
        |> Seq.groupBy fst
        |> Seq.map (fun (topic, ofTopic) -> { Topic = topic; Partitions = ofTopic |> Seq.map snd |> Seq.sort |> List.ofSeq })
        |> Seq.sortBy _.Topic
        |> List.ofSeq

    /// The opposite of `gather`.
    let internal spread (partitions: ConsumerTopicPartitions list) : (string * int) list =
        [ for ofTopic in partitions do
              for partition in ofTopic.Partitions -> ofTopic.Topic, partition ]

    /// The assignment of every member from what each gets one by one.
    let internal gatherAll (members: Subscriber list) (given: (string * (string * int)) seq) : Map<string, ConsumerTopicPartitions list> =
        let parts = given |> Seq.groupBy fst |> Seq.map (fun (id, ofMember) -> id, gather (Seq.map snd ofMember)) |> Map.ofSeq

        members |> List.map (fun one -> one.MemberId, parts |> Map.tryFind one.MemberId |> Option.defaultValue []) |> Map.ofList

    /// The protocols of a member that knows these assignors, the best first, for JoinGroup. `topics` are those that it wants, `previous` what
    /// it had after the last rebalance and `generation` the generation of that; -1 and nothing for a new member.
    let protocols (assignors: Assignor list) topics previous generation (rackId: string option) : Result<JoinGroup.Protocol list, Fault> =
        assignors
        |> List.map (fun assignor ->
            assignor.Subscribe topics previous generation
            |> Result.bind (fun subscription -> ConsumerProtocol.encodeSubscription { subscription with RackId = rackId })
            |> Result.map (fun metadata -> ({ Name = assignor.Name; Metadata = metadata }: JoinGroup.Protocol)))
        |> all

    /// The members of a group, from the answer to the leader's JoinGroup.
    let subscribers (members: JoinGroup.Member list) : Result<Subscriber list, AssignFault> =
        members
        |> List.map (fun one ->
            ConsumerProtocol.decodeSubscription one.Metadata
            |> Result.map (fun subscription ->
                { MemberId = one.MemberId; GroupInstanceId = one.GroupInstanceId; Subscription = subscription })
            |> Result.mapError (fun fault -> AssignFault.BadSubscription(one.MemberId, fault)))
        |> all

    /// What the leader of a group sends with SyncGroup: the division by the assignor that the group agreed on, which must be among those
    /// given. `partitions` has the number of partitions of each topic.
    let assignments (assignors: Assignor list) (partitions: Map<string, int>) (joined: JoinGroup.Response) =
        let name = Option.defaultValue "" joined.ProtocolName

        match assignors |> List.tryFind (fun assignor -> assignor.Name = name) with
        | None -> Error(AssignFault.UnknownProtocol name)
        | Some assignor ->
            subscribers joined.Members
            |> Result.bind (fun members ->
                assignor.Assign partitions members
                |> Map.toList
                |> List.map (fun (id, part) ->
                    ConsumerProtocol.encodeAssignment { AssignedPartitions = part; UserData = None }
                    |> Result.map (fun bytes -> ({ MemberId = id; Assignment = bytes }: SyncGroup.MemberAssignment))
                    |> Result.mapError (fun fault -> AssignFault.CannotEncode(id, fault)))
                |> all)

    /// The topics that any of the members wants: those whose number of partitions the leader must know.
    let topicsOf (members: Subscriber list) : string list = members |> List.collect _.Subscription.Topics |> List.distinct |> List.sort

    /// The number of partitions of each topic, for `assignments`, from what any broker tells of the topics. Those with an error have none.
    let partitionCounts (topics: Metadata.Topic list) : Map<string, int> =
        Map.ofList
            [ for topic in topics do
                  match topic.Name with
                  | Some name when not topic.Error.IsError -> name, topic.Partitions.Length
                  | _ -> () ]
