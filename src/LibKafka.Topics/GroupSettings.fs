namespace LibKafka.Topics

open System
open LibKafka.Wire
open System.Text.RegularExpressions
open LibKafka
open LibKafka.Client
open LibKafka.Groups

/// The topics that a member of a group subscribes to.
[<RequireQualifiedAccess>]
type Subscription =
    /// Topics by name. One that does not exist yet is read as soon as it does.
    | Topics of string list
    /// All topics whose whole name matches a regular expression, except Kafka's internal ones. In a classic group the client matches the
    /// names, with the constructs that .NET's `RegexOptions.NonBacktracking` supports. In a group of the new protocol the coordinator does,
    /// in RE2's syntax (version 1 of ConsumerGroupHeartbeat, Kafka 4.0).
    | Pattern of string

    /// A one-line description.
    override this.ToString() =
        match this with
        | Topics names -> String.Join(", ", names)
        | Pattern pattern -> "topics that match " + pattern

/// The protocol by which the members of a group divide the partitions.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type GroupProtocol =
    /// JoinGroup and SyncGroup: one member assigns the partitions. The assignors that the member supports, the preferred one first; all
    /// members must have one in common. The rebalances are cooperative (KIP-429) if all of the assignors are.
    | Classic of Assignor list
    /// ConsumerGroupHeartbeat (KIP-848, Kafka 4.0): the coordinator assigns the partitions, with this assignor or one of its own choice.
    | Consumer of serverAssignor: string option

    /// A one-line description.
    override this.ToString() =
        match this with
        | Classic assignors -> "classic with " + String.Join(" or ", assignors |> List.map _.Name)
        | Consumer(Some assignor) -> "consumer with " + assignor
        | Consumer None -> "consumer"

/// How a member takes part in its group, and where it starts to read.
[<NoEquality; NoComparison>]
type GroupSettings =
    {
        GroupId: string
        Subscription: Subscription
        Protocol: GroupProtocol
        /// The name of a static member (KIP-345), which keeps its partitions if it comes back within the session time-out; none for a
        /// dynamic member.
        InstanceId: string option
        /// The rack of the consumer, for assignors that place it near its replicas.
        RackId: string option
        /// The coordinator considers the member dead if it gets no heartbeat for this long; the member considers its partitions lost if the
        /// coordinator does not respond for this long. Brokers limit it in classic groups. In groups of the new protocol it is the group's
        /// config `consumer.session.timeout.ms`, to which this must be equal.
        SessionTimeout: TimeSpan
        /// The time between heartbeats in a classic group: at most a third of `SessionTimeout`. In groups of the new protocol the
        /// coordinator sets it.
        HeartbeatInterval: TimeSpan
        /// How long a rebalance waits for the member: to return from the handling of an event and call `Poll`.
        RebalanceTimeout: TimeSpan
        /// Whether a thread sends heartbeats while the caller handles an event, for handlers that take longer than the session time-out. It
        /// stops after `RebalanceTimeout`, so that a member that hangs is removed. Without it everything happens in the caller's thread,
        /// inside `Poll`.
        HeartbeatThread: bool
        /// Where to start in a partition without a committed offset; none to report `GroupFailure.NoOffset` and to wait for `Seek`.
        Reset: OffsetSpec option
        /// Whether to wait, before reading a committed offset, until no open transaction can change it (KIP-447, Kafka 2.5). Required if
        /// the group's offsets are committed in transactions.
        RequireStable: bool
        /// How often `Poll` commits what has been handled. It then also commits before partitions are revoked, and `Close` commits. None to
        /// commit only on request.
        CommitInterval: TimeSpan option
        /// How often topics are looked up, to find new partitions and new topics that match a pattern.
        MetadataInterval: TimeSpan
        /// Whether a static member leaves its group for good when it is closed. A dynamic member always leaves.
        StaticLeaves: bool
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show
            [ "GroupId", box this.GroupId
              "Subscription", box this.Subscription
              "Protocol", box this.Protocol
              "InstanceId", FieldText.optional this.InstanceId
              "RackId", FieldText.optional this.RackId
              "SessionTimeout", box this.SessionTimeout
              "HeartbeatInterval", box this.HeartbeatInterval
              "RebalanceTimeout", box this.RebalanceTimeout
              "HeartbeatThread", box this.HeartbeatThread
              "Reset", FieldText.optional this.Reset
              "RequireStable", box this.RequireStable
              "CommitInterval", FieldText.optional this.CommitInterval
              "MetadataInterval", box this.MetadataInterval
              "StaticLeaves", box this.StaticLeaves ]

[<RequireQualifiedAccess>]
module GroupSettings =

    /// A dynamic member of a classic group with cooperative rebalances. It subscribes to these topics, starts at the earliest offset if
    /// there is no committed one, and commits every 5 seconds what has been handled. 45 seconds for the session, 3 between heartbeats, a
    /// minute for a rebalance, no thread; topics are looked up every minute.
    let make (groupId: string) (topics: string list) =
        { GroupId = groupId
          Subscription = Subscription.Topics topics
          Protocol = GroupProtocol.Classic [ Assignors.cooperativeSticky ]
          InstanceId = None
          RackId = None
          SessionTimeout = TimeSpan.FromSeconds 45.0
          HeartbeatInterval = TimeSpan.FromSeconds 3.0
          RebalanceTimeout = TimeSpan.FromSeconds 60.0
          HeartbeatThread = false
          Reset = Some OffsetSpec.Earliest
          RequireStable = false
          CommitInterval = Some(TimeSpan.FromSeconds 5.0)
          MetadataInterval = TimeSpan.FromSeconds 60.0
          StaticLeaves = false }

    /// The function that says whether a topic's whole name matches, or why the pattern cannot be used.
    let internal matcher (pattern: string) : Result<string -> bool, string> =
        try
            let options = RegexOptions.CultureInvariant ||| RegexOptions.NonBacktracking
            // By itself first: `a)|(b` would be valid between the parentheses, and would not match whole names.
            Regex(pattern, options) |> ignore
            let regex = Regex("\\A(?:" + pattern + ")\\z", options)
            Ok(fun name -> regex.IsMatch name)
        with
        | :? ArgumentException as error -> Error error.Message
        | :? NotSupportedException as error -> Error error.Message

    let private times (settings: GroupSettings) =
        [ "SessionTimeout", settings.SessionTimeout
          "HeartbeatInterval", settings.HeartbeatInterval
          "RebalanceTimeout", settings.RebalanceTimeout
          "MetadataInterval", settings.MetadataInterval
          "CommitInterval", defaultArg settings.CommitInterval (TimeSpan.FromSeconds 1.0) ]

    /// The settings, or the fault `InvalidSetting` for the first one that is invalid.
    let check (settings: GroupSettings) : Result<GroupSettings, ClientFault> =
        let invalid name reason = Error(ClientFault.InvalidSetting(name, reason))
        let most = TimeSpan.FromMilliseconds(float Int32.MaxValue)

        match
            settings.Subscription, settings.Protocol, times settings |> List.tryFind (fun (_, time) -> time <= TimeSpan.Zero || time > most)
        with
        | _ when settings.GroupId = "" -> invalid "GroupId" "it must not be empty"
        | _, _, Some(name, _) -> invalid name "it must be positive, and at most 24 days"
        | _ when settings.HeartbeatInterval >= settings.SessionTimeout ->
            invalid "HeartbeatInterval" "it must be shorter than SessionTimeout"
        | Subscription.Topics [], _, _ -> invalid "Subscription" "it must have at least one topic"
        | Subscription.Topics topics, _, _ when topics |> List.exists String.IsNullOrEmpty ->
            invalid "Subscription" "one of the topic names is empty: give the names of topics"
        | _, GroupProtocol.Classic [], _ -> invalid "Protocol" "it must have at least one assignor"
        | Subscription.Pattern pattern, GroupProtocol.Classic _, _ ->
            match matcher pattern with
            | Ok _ -> Ok settings
            | Error reason -> invalid "Subscription" reason
        | _ -> Ok settings
