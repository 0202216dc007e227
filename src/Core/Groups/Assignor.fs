namespace LibKafka.Groups

open System.Collections.Generic
open LibKafka.Wire
open LibKafka.Protocol

/// A member of a group, as the leader knows it.
type Subscriber =
    {
        MemberId: string
        /// The name of a static member (KIP-345); none for a dynamic member.
        GroupInstanceId: string option
        Subscription: ConsumerProtocolSubscription.Subscription
        /// The reason why the member's subscription could not be read; none if it could. It is `Problem.GroupTooLarge` if only those of the other
        /// members leave no memory for it. A member whose subscription could not be read wants no topics and gets no partitions, and the other
        /// members share them all.
        Unreadable: Fault option
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show
            [ "MemberId", box this.MemberId
              "GroupInstanceId", FieldText.optional this.GroupInstanceId
              "Topics", box this.Subscription.Topics
              "Unreadable", FieldText.optional this.Unreadable ]

[<RequireQualifiedAccess>]
module Subscriber =

    /// The members in the order in which the assignors of all clients assign partitions: static members by name, then dynamic members by id.
    /// The order does not change if a static member rejoins with another id.
    let inOrder (members: Subscriber list) : Subscriber list =
        let place (one: Subscriber) =
            match one.GroupInstanceId with
            | Some name -> 0, name
            | None -> 1, one.MemberId

        members |> List.distinctBy _.MemberId |> List.sortBy place

    let private nothing: ConsumerProtocolSubscription.Subscription =
        { Topics = []; UserData = None; OwnedPartitions = []; GenerationId = -1; RackId = None }

    // A member of which so much memory may be used, and how much is.
    let private withinRest (limits: Limits) (rest: int64) (one: JoinGroup.Member) : struct (Subscriber * int64) =
        let subscriber =
            { MemberId = one.MemberId; GroupInstanceId = one.GroupInstanceId; Subscription = nothing; Unreadable = None }

        match ConsumerProtocol.decodeSubscriptionWithin { limits with MaxDecodedBytes = rest } one.Metadata with
        | Ok(struct (subscription, size)) -> struct ({ subscriber with Subscription = subscription }, size)
        | Error({ Problem = Problem.DecodedTooLarge _ } as fault) ->
            // The limit is named as it was set, not what was left of it.
            let tooLarge = if rest < limits.MaxDecodedBytes then Problem.GroupTooLarge else Problem.DecodedTooLarge
            struct ({ subscriber with Unreadable = Some { fault with Problem = tooLarge limits.MaxDecodedBytes } }, 0L)
        | Error fault -> struct ({ subscriber with Unreadable = Some fault }, 0L)

    /// The members of a group, from the response to the leader's JoinGroup. Their subscriptions together, with what the sticky assignor decodes of
    /// them, take at most `MaxDecodedBytes` of memory. They are read in the order of their sizes, and one that does not fit is left out, so a
    /// member with a large subscription cannot take the place of others.
    let internal within (limits: Limits) (members: JoinGroup.Member list) : Subscriber list =
        members
        |> List.indexed
        |> List.sortBy (fun (_, one) -> one.Metadata.Length, one.MemberId)
        |> List.mapFold
            (fun rest (index, one) ->
                let struct (subscriber, size) = withinRest limits rest one
                (index, subscriber), rest - size)
            limits.MaxDecodedBytes
        |> fst
        |> List.sortBy fst
        |> List.map snd

    /// The topics that the member wants, as a set: a group of a thousand members may want a thousand topics.
    let internal wanted (one: Subscriber) : HashSet<string> = HashSet one.Subscription.Topics

/// A way to divide the partitions of topics among the members of a classic group. The functions are pure: the same group gets the same
/// assignment whichever member leads it.
[<NoEquality; NoComparison>]
type Assignor =
    {
        /// The name of the protocol in JoinGroup. Members agree on an assignor by its name.
        Name: string
        /// Whether members keep their partitions during a rebalance, then give up only those that they are no longer assigned and rejoin
        /// (KIP-429). Otherwise each member gives up all partitions before it joins.
        IsCooperative: bool
        /// The subscription with which a member joins, made from the topics that it wants, its partitions after the last rebalance, and the
        /// generation of that rebalance. A new member has no partitions and generation -1.
        Subscribe: string list -> ConsumerTopicPartitions list -> int32 -> Result<ConsumerProtocolSubscription.Subscription, Fault>
        /// The assignment of each member by id, made from the number of partitions of each topic. A topic that is not in the map has none. The
        /// result contains every member, with its topics in the order of their names.
        Assign: Map<string, int> -> Subscriber list -> Map<string, ConsumerTopicPartitions list>
    }

    /// Its name.
    override this.ToString() = this.Name

/// The reason why a leader cannot assign the partitions of its group.
[<RequireQualifiedAccess>]
type AssignFault =
    /// The group agreed on a protocol that the leader does not have.
    | UnknownProtocol of name: string
    /// The assignment of a member cannot be written.
    | CannotEncode of memberId: string * Fault

    /// A one-line description.
    override this.ToString() =
        match this with
        | UnknownProtocol name ->
            "the group agreed on the assignor '" + name + "', which is not among those given: give all that the member joined with"
        | CannotEncode(memberId, fault) -> "the assignment of member '" + memberId + "' cannot be written: " + fault.ToString()

/// What the leader of a group sends to its members.
type GroupAssignments =
    {
        /// The assignment of every member, for SyncGroup.
        Assignments: SyncGroup.MemberAssignment list
        /// The members that were left out because their subscriptions could not be read, each with the reason (`Subscriber.Unreadable`). Their
        /// assignments have no partitions.
        LeftOut: Subscriber list
    }

    /// The numbers of members.
    override this.ToString() =
        "assignments of "
        + FieldText.count (int64 this.Assignments.Length) "member"
        + ", "
        + string this.LeftOut.Length
        + " left out"

/// What the members and the leader of a classic group do with assignors.
[<RequireQualifiedAccess>]
module Assignor =

    // All values, or the first error.
    let private all (results: Result<'T, 'Problem> list) : Result<'T list, 'Problem> =
        let add result rest =
            match result, rest with
            | Ok value, Ok values -> Ok(value :: values)
            | Error problem, _ -> Error problem
            | _, Error problem -> Error problem

        List.foldBack add results (Ok [])

    /// Single partitions grouped by topic, as the protocol has them, in the order of names and numbers.
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

    /// The assignment of every member, from single partitions.
    let internal gatherAll (members: Subscriber list) (given: (string * (string * int)) seq) : Map<string, ConsumerTopicPartitions list> =
        let parts = given |> Seq.groupBy fst |> Seq.map (fun (id, ofMember) -> id, gather (Seq.map snd ofMember)) |> Map.ofSeq

        members |> List.map (fun one -> one.MemberId, parts |> Map.tryFind one.MemberId |> Option.defaultValue []) |> Map.ofList

    /// The protocols of a member that supports these assignors, the preferred one first, for JoinGroup. `topics` are the topics that it wants,
    /// `previous` its partitions after the last rebalance, and `generation` the generation of that rebalance. A new member has no partitions and
    /// generation -1.
    let protocols (assignors: Assignor list) topics previous generation (rackId: string option) : Result<JoinGroup.Protocol list, Fault> =
        assignors
        |> List.map (fun assignor ->
            assignor.Subscribe topics previous generation
            |> Result.bind (fun subscription -> ConsumerProtocol.encodeSubscription { subscription with RackId = rackId })
            |> Result.map (fun metadata -> ({ Name = assignor.Name; Metadata = metadata }: JoinGroup.Protocol)))
        |> all

    /// The members of a group, from the response to the leader's JoinGroup. One whose subscription cannot be read wants no topics: see
    /// `Subscriber.Unreadable`. The subscriptions of all members together, with the sticky assignor's user data in them, take at most
    /// `MaxDecodedBytes` of memory. The larger ones are left out first.
    let subscribersWithin (limits: Limits) (members: JoinGroup.Member list) : Subscriber list = Subscriber.within limits members

    /// The members of a group, within the standard limits: see `subscribersWithin`.
    let subscribers (members: JoinGroup.Member list) : Subscriber list = subscribersWithin Limits.standard members

    /// The assignments that the leader sends with SyncGroup, and the members that were left out. The assignor that the group agreed on must be
    /// among those given. `partitions` has the number of partitions of each topic. For the limits see `subscribersWithin`.
    let assignmentsWithin
        (limits: Limits)
        (assignors: Assignor list)
        (partitions: Map<string, int>)
        (joined: JoinGroup.Response)
        : Result<GroupAssignments, AssignFault> =
        let name = Option.defaultValue "" joined.ProtocolName

        match assignors |> List.tryFind (fun assignor -> assignor.Name = name) with
        | None -> Error(AssignFault.UnknownProtocol name)
        | Some assignor ->
            let members = subscribersWithin limits joined.Members

            assignor.Assign partitions members
            |> Map.toList
            |> List.map (fun (id, part) ->
                ConsumerProtocol.encodeAssignment { AssignedPartitions = part; UserData = None }
                |> Result.map (fun bytes -> ({ MemberId = id; Assignment = bytes }: SyncGroup.MemberAssignment))
                |> Result.mapError (fun fault -> AssignFault.CannotEncode(id, fault)))
            |> all
            |> Result.map (fun assignments -> { Assignments = assignments; LeftOut = members |> List.filter _.Unreadable.IsSome })

    /// The assignments that the leader sends with SyncGroup, within the standard limits: see `assignmentsWithin`. A member whose subscription
    /// cannot be read gets an assignment without partitions.
    let assignments (assignors: Assignor list) (partitions: Map<string, int>) (joined: JoinGroup.Response) =
        assignmentsWithin Limits.standard assignors partitions joined |> Result.map _.Assignments

    /// The topics that any member wants. The leader must know the number of partitions of each.
    let topicsOf (members: Subscriber list) : string list = members |> List.collect _.Subscription.Topics |> List.distinct |> List.sort

    /// The number of partitions of each topic, for `assignments`, from a Metadata response. A topic with an error has none.
    let partitionCounts (topics: Metadata.Topic list) : Map<string, int> =
        Map.ofList
            [ for topic in topics do
                  match topic.Name with
                  | Some name when not topic.Error.IsError -> name, topic.Partitions.Length
                  | _ -> () ]
