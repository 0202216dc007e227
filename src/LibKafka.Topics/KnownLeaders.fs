namespace LibKafka.Topics

open System
open System.Threading
open LibKafka.Client
open LibKafka.Protocol

/// When the leaders of topics are asked for, and how long a broker that cannot be connected to is left alone.
type internal LeaderTimes =
    {
        /// The least time between two requests, after the first of several in a row. It doubles with each further one.
        FirstInterval: TimeSpan
        /// The longest that it becomes.
        LongestInterval: TimeSpan
        /// The age at which leaders are asked for again although none was missed: so new partitions are found.
        MaxAge: TimeSpan
        /// How long a broker is left alone after the first attempt to connect to it has failed. It doubles with each further failure.
        FirstPause: TimeSpan
        /// The longest that it becomes.
        LongestPause: TimeSpan
    }

[<RequireQualifiedAccess>]
module internal LeaderTimes =

    /// The same as the Java client's: requests 100 ms to 1 s apart, and every 5 minutes; pauses of 50 ms to 1 s.
    let standard =
        { FirstInterval = TimeSpan.FromMilliseconds 100.0
          LongestInterval = TimeSpan.FromSeconds 1.0
          MaxAge = TimeSpan.FromMinutes 5.0
          FirstPause = TimeSpan.FromMilliseconds 50.0
          LongestPause = TimeSpan.FromSeconds 1.0 }

    /// The standard ones with another age; `Timeout.InfiniteTimeSpan` for none.
    let withAge (age: TimeSpan) : LeaderTimes =
        { standard with MaxAge = (if age = Timeout.InfiniteTimeSpan then TimeSpan.FromDays 36_500.0 else age) }

/// What is new in an answer about a topic.
[<RequireQualifiedAccess>]
type internal TopicChange =
    /// The topic has more partitions than before: all of them are new if it had none.
    | Grown of topic: string * before: int * now: int
    /// A topic with the name was deleted and created again: its id is another one.
    | Recreated of topic: string * before: Guid * now: Guid
    /// A partition has another leader.
    | Moved of TopicPartition * Leader
    /// The topic could be described before, and cannot be now.
    | Lost of topic: string * ErrorCode

/// What a partition that needs a connection must do.
[<RequireQualifiedAccess>]
type internal LeaderStep =
    /// Connect to the leader.
    | Connect of Leader
    /// Report that there is no leader, for this reason.
    | Report of ErrorCode
    /// Wait until this time, and ask again.
    | Wait of TimeSpan

/// A broker that could not be connected to, and the last reason.
type internal DownBroker = { Failures: int; NotBefore: TimeSpan; Fault: ClientFault }

/// A topic whose leaders are asked for.
type internal KnownTopic =
    {
        /// The last answer; none before the first.
        Latest: TopicLeaders option
        /// The last answer without an error.
        Described: TopicLeaders option
    }

/// The leaders of the partitions of some topics. All times are by one clock, from any beginning.
type internal KnownLeaders =
    {
        Times: LeaderTimes
        Topics: Map<string, KnownTopic>
        /// The number of answers so far.
        Answers: int
        /// The number of the answer whose leader a partition has last tried to connect to, or whose error it has reported.
        Used: Map<TopicPartition, int>
        Down: Map<BrokerAddress, DownBroker>
        /// Whether something newer than the last answer is needed.
        IsWanted: bool
        /// The number of requests in a row, each made as soon as it was allowed.
        InARow: int
        /// The time of the next request if it is wanted.
        NotBefore: TimeSpan
        /// The time of the next request if it is not wanted.
        Expires: TimeSpan
    }

/// Decides when to ask for the leaders of some topics, what has changed, and which partition may connect to its leader when. Leaders are asked for once
/// for all partitions. A partition may try each answer's leader once. While a broker cannot be connected to, one partition at a time
/// tries it, with growing pauses in between, and the others wait for the result. Times are spread by a random number from 0 to 1, so that
/// clients do not all ask or connect at the same moment.
[<RequireQualifiedAccess>]
module internal KnownLeaders =

    /// Of no topics.
    let empty (times: LeaderTimes) : KnownLeaders =
        { Times = times
          Topics = Map.empty
          Answers = 0
          Used = Map.empty
          Down = Map.empty
          IsWanted = false
          InARow = 0
          NotBefore = TimeSpan.Zero
          Expires = TimeSpan.Zero }

    // A fifth more or less.
    let private spread (random: float) (time: TimeSpan) : TimeSpan = time * (0.8 + 0.4 * random)

    // Twice as long each time.
    let private grown (first: TimeSpan) (longest: TimeSpan) (times: int) : TimeSpan = min longest (first * float (1 <<< min times 20))

    /// Adds a topic, whose leaders are wanted at once.
    let watch (topic: string) (known: KnownLeaders) : KnownLeaders =
        if known.Topics.ContainsKey topic then
            known
        else
            { known with Topics = known.Topics.Add(topic, { Latest = None; Described = None }); IsWanted = true }

    /// Removes a topic.
    let unwatch (topic: string) (known: KnownLeaders) : KnownLeaders =
        { known with
            Topics = known.Topics.Remove topic
            Used = known.Used |> Map.filter (fun partition _ -> partition.Topic <> topic) }

    /// Something newer than the last answer is needed.
    let want (known: KnownLeaders) : KnownLeaders = { known with IsWanted = true }

    /// The time of the next request; none if there is no topic.
    let due (known: KnownLeaders) : TimeSpan voption =
        if known.Topics.IsEmpty then ValueNone
        elif known.IsWanted then ValueSome known.NotBefore
        else ValueSome known.Expires

    /// The topics to ask for now; none before the next request is due.
    let toAsk (now: TimeSpan) (known: KnownLeaders) : string list =
        match due known with
        | ValueSome time when time <= now -> List.ofSeq known.Topics.Keys
        | _ -> []

    // A request has been made.
    let private asked (now: TimeSpan) (random: float) (known: KnownLeaders) : KnownLeaders =
        let times = known.Times
        let inARow = if now - known.NotBefore > times.LongestInterval then 1 else known.InARow + 1

        { known with
            InARow = inARow
            NotBefore = now + spread random (grown times.FirstInterval times.LongestInterval (inARow - 1)) }

    /// No broker has answered.
    let unanswered (now: TimeSpan) (random: float) (known: KnownLeaders) : KnownLeaders = { asked now random known with IsWanted = true }

    let private isRecreated (before: TopicLeaders) (found: TopicLeaders) : bool =
        before.TopicId <> found.TopicId && before.TopicId <> Guid.Empty && found.TopicId <> Guid.Empty

    // A broker that has not heard of new partitions yet, or of all partitions of a new topic, leaves them out.
    let private withMissing (before: TopicLeaders) (found: TopicLeaders) : TopicLeaders =
        let add partitions partition leader =
            if Map.containsKey partition partitions then partitions else Map.add partition leader partitions
        { found with Partitions = Map.fold add found.Partitions before.Partitions }

    // The node and the address of each leader.
    let private places (topic: TopicLeaders) : Map<int, int32 * BrokerAddress> =
        topic.Partitions
        |> Map.toSeq
        |> Seq.choose (function
            | partition, Ok leader -> Some(partition, (leader.NodeId, leader.Address))
            | _, Error _ -> None)
        |> Map.ofSeq

    let private moves (before: TopicLeaders) (found: TopicLeaders) : TopicChange list =
        let places = places before

        [ for KeyValue(partition, leader) in found.Partitions do
              match leader, places.TryFind partition with
              | Ok leader, Some place when place <> (leader.NodeId, leader.Address) ->
                  TopicChange.Moved({ Topic = found.Topic; Partition = partition }, leader)
              | _ -> () ]

    // Without ids, a topic that did not exist in between may be another one.
    let private mayBeAnother (topic: KnownTopic) (found: TopicLeaders) : bool =
        found.TopicId = Guid.Empty
        && topic.Latest |> Option.exists (fun latest -> latest.Error = ErrorCode.UnknownTopicOrPartition)

    let private describe (found: TopicLeaders) (topic: KnownTopic) : KnownTopic =
        match topic.Described with
        // Partitions report the error, and the last answer without one still gives the number of partitions.
        | _ when found.Error.IsError -> { topic with Latest = Some found }
        | Some before when not (isRecreated before found || mayBeAnother topic found) ->
            let found = withMissing before found
            { Latest = Some found; Described = Some found }
        | _ -> { Latest = Some found; Described = Some found }

    /// A broker has answered.
    let answered (now: TimeSpan) (random: float) (found: TopicLeaders list) (known: KnownLeaders) : KnownLeaders =
        let update (topics: Map<string, KnownTopic>) (found: TopicLeaders) = topics |> Map.change found.Topic (Option.map (describe found))

        let topics = List.fold update known.Topics found

        { asked now random known with
            Topics = topics
            Answers = known.Answers + 1
            // A topic may have been added since the request.
            IsWanted = topics |> Map.exists (fun _ topic -> topic.Latest.IsNone)
            Expires = now + spread random known.Times.MaxAge }

    let private growth (before: int) (found: TopicLeaders) : TopicChange list =
        if found.PartitionCount > before then
            [ TopicChange.Grown(found.Topic, before, found.PartitionCount) ]
        else
            []

    let private changesOf (before: KnownTopic) (after: KnownTopic) : TopicChange list =
        match before.Described, after.Latest with
        | _, None -> []
        | _, Some found when found.Error.IsError ->
            let isNew = before.Latest |> Option.exists (fun latest -> not latest.Error.IsError)
            if isNew then [ TopicChange.Lost(found.Topic, found.Error) ] else []
        | None, Some found -> growth 0 found
        | Some described, Some found when isRecreated described found ->
            [ TopicChange.Recreated(found.Topic, described.TopicId, found.TopicId) ]
        | Some described, Some found -> growth described.PartitionCount found @ moves described found

    /// What has changed from one state to a later one.
    let changes (before: KnownLeaders) (after: KnownLeaders) : TopicChange list =
        after.Topics
        |> Map.toList
        |> List.collect (fun (name, topic) ->
            let earlier = before.Topics.TryFind name |> Option.defaultValue { Latest = None; Described = None }
            changesOf earlier topic)

    // Waits for a newer answer.
    let private awaiting (known: KnownLeaders) : struct (LeaderStep * KnownLeaders) =
        struct (LeaderStep.Wait known.NotBefore, { known with IsWanted = true })

    /// What a partition without a connection must do now.
    let next (now: TimeSpan) (partition: TopicPartition) (known: KnownLeaders) : struct (LeaderStep * KnownLeaders) =
        let used = { known with Used = known.Used.Add(partition, known.Answers) }

        match known.Topics.TryFind partition.Topic |> Option.bind _.Latest with
        | Some _ when known.Used.TryFind partition = Some known.Answers -> awaiting known
        | Some topic ->
            match topic.LeaderOf partition.Partition with
            | Error code -> struct (LeaderStep.Report code, { used with IsWanted = true })
            | Ok leader ->
                match known.Down.TryFind leader.Address with
                // Another broker may have been elected meanwhile.
                | Some down when now < down.NotBefore ->
                    struct (LeaderStep.Wait(min down.NotBefore (max now known.NotBefore)), { known with IsWanted = true })
                | _ -> struct (LeaderStep.Connect leader, used)
        | None -> awaiting (watch partition.Topic known)

    /// Whether an attempt to connect to a broker may be made now.
    let mayConnect (now: TimeSpan) (broker: BrokerAddress) (known: KnownLeaders) : bool =
        known.Down.TryFind broker |> Option.forall (fun down -> down.NotBefore <= now)

    /// A connection to a broker was made.
    let connected (broker: BrokerAddress) (known: KnownLeaders) : KnownLeaders =
        if known.Down.ContainsKey broker then { known with Down = known.Down.Remove broker } else known

    /// Why a partition cannot be connected now, as far as that is known: there is no leader, or the leader could not be connected to.
    let obstacle (partition: TopicPartition) (known: KnownLeaders) : ClientFault =
        let leader =
            match known.Topics.TryFind partition.Topic |> Option.bind _.Latest with
            | Some topic -> topic.LeaderOf partition.Partition
            | None -> Error ErrorCode.LeaderNotAvailable

        match leader with
        | Error code -> ClientFault.NoLeader(partition, code)
        | Ok leader ->
            match known.Down.TryFind leader.Address with
            | Some down -> down.Fault
            | None -> ClientFault.NoLeader(partition, ErrorCode.NotLeaderOrFollower)

    /// A broker could not be connected to, which has taken this long. It is left alone for twice that time at least, because the caller waits for
    /// each attempt.
    let notConnected (now: TimeSpan) (random: float) (took: TimeSpan) (broker: BrokerAddress) (fault: ClientFault) (known: KnownLeaders) =
        let times = known.Times
        let failures = known.Down.TryFind broker |> Option.map _.Failures |> Option.defaultValue 0
        let pause = spread random (grown times.FirstPause times.LongestPause failures)

        { known with
            Down = known.Down.Add(broker, { Failures = failures + 1; NotBefore = now + max pause (2.0 * took); Fault = fault })
            IsWanted = true }
