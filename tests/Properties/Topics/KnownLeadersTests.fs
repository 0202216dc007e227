/// When the leaders of topics are asked for, what has changed in an answer, and which partition may connect to its leader when.
module LibKafka.Properties.Topics.KnownLeadersTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Client
open LibKafka.Protocol
open LibKafka.Topics
open LibKafka.Properties

let private ms (count: int) = TimeSpan.FromMilliseconds(float count)
let private times = LeaderTimes.standard
let private broker (node: int) : BrokerAddress = { Host = "broker-" + string node; Port = 9092 }
let private partition (number: int) : TopicPartition = { Topic = "t"; Partition = number }
let private firstId = Guid "11111111-2222-3333-4444-555555555555"
let private secondId = Guid "99999999-2222-3333-4444-555555555555"

let private leader (id: Guid) (node: int) : Leader = { NodeId = node; Address = broker node; Epoch = 0; RequestEpoch = 0; TopicId = id }

/// A topic whose partitions these nodes lead; a negative number is for a partition that the broker leaves out.
let private topicWith (id: Guid) (nodes: int list) : TopicLeaders =
    { Topic = "t"
      TopicId = id
      Error = ErrorCode.None
      Partitions =
        Map
            [ for number, node in List.indexed nodes do
                  if node >= 0 then number, Ok(leader id node) ] }

let private topic (nodes: int list) : TopicLeaders = topicWith firstId nodes
let private failing (code: ErrorCode) : TopicLeaders = { Topic = "t"; TopicId = Guid.Empty; Error = code; Partitions = Map.empty }

/// The answer, at a time without spread, and the changes in it.
let private answered (at: int) (found: TopicLeaders) (known: KnownLeaders) : TopicChange list * KnownLeaders =
    let after = KnownLeaders.answered (ms at) 0.5 [ found ] known
    KnownLeaders.changes known after, after

let private watched = KnownLeaders.watch "t" (KnownLeaders.empty times)

/// What is known after some answers, and the changes in the last one.
let private after (answers: TopicLeaders list) : TopicChange list * KnownLeaders =
    List.indexed answers |> List.fold (fun (_, known) (at, found) -> answered (at * 1000) found known) ([], watched)

let private next (at: int) (number: int) (known: KnownLeaders) : LeaderStep * KnownLeaders =
    let struct (step, known) = KnownLeaders.next (ms at) (partition number) known
    step, known

let private changes =
    let grown before now = TopicChange.Grown("t", before, now)
    let lost code = TopicChange.Lost("t", code)
    let unknown = ErrorCode.UnknownTopicOrPartition

    let examples =
        [ "a new topic", [ topic [ 1; 2 ] ], [ grown 0 2 ]
          "the same answer again", [ topic [ 1; 2 ]; topic [ 1; 2 ] ], []
          "more partitions", [ topic [ 1; 2 ]; topic [ 1; 2; 3 ] ], [ grown 2 3 ]
          "a moved leader", [ topic [ 1; 2 ]; topic [ 1; 1 ] ], [ TopicChange.Moved(partition 1, leader firstId 1) ]
          "fewer partitions, from a broker that is behind", [ topic [ 1; 2; 3 ]; topic [ 1; 2 ] ], []
          "the missing partitions again", [ topic [ 1; 2; 3 ]; topic [ 1; 2 ]; topic [ 1; 2; 3 ] ], []
          "another topic with the name", [ topic [ 1; 2; 3 ]; topicWith secondId [ 1 ] ], [ TopicChange.Recreated("t", firstId, secondId) ]
          "another id after a time without the topic",
          [ topic [ 1 ]; failing unknown; topicWith secondId [ 1; 2 ] ],
          [ TopicChange.Recreated("t", firstId, secondId) ]
          "a topic that is lost", [ topic [ 1 ]; failing unknown ], [ lost unknown ]
          "one that stays lost", [ topic [ 1 ]; failing unknown; failing unknown ], []
          "one that is found again", [ topic [ 1 ]; failing unknown; topic [ 1 ] ], []
          "one that never was", [ failing unknown; failing unknown ], []
          "one that is created late", [ failing unknown; topic [ 1 ] ], [ grown 0 1 ] ]

    testList
        "an answer"
        [ for what, answers, expected in examples do
              testCase ("has the change: " + what) (fun () -> Expect.equal (fst (after answers)) expected "the changes")

          testCase "that leaves partitions out does not remove them" (fun () ->
              let _, known = after [ topic [ 1; 2; 3 ]; topic [ 4; -1; 4 ] ]
              let latest = known.Topics["t"].Latest.Value
              Expect.equal [ for number in 0..2 -> (latest.LeaderOf number |> Result.map _.NodeId) ] [ Ok 4; Ok 2; Ok 4 ] "the leaders")

          testCase "of another topic with the name removes what it leaves out" (fun () ->
              let _, known = after [ topic [ 1; 2; 3 ]; topicWith secondId [ 1 ] ]
              Expect.equal known.Topics["t"].Latest.Value.PartitionCount 1 "the partitions")

          testCase "without ids, after the topic was unknown, removes what it leaves out" (fun () ->
              let _, known = after [ topicWith Guid.Empty [ 1; 2 ]; failing unknown; topicWith Guid.Empty [ 1 ] ]
              Expect.equal known.Topics["t"].Latest.Value.PartitionCount 1 "the partitions")

          testCase "with an error keeps the number of partitions" (fun () ->
              let _, known = after [ topic [ 1; 2 ]; failing ErrorCode.LeaderNotAvailable ]
              Expect.equal known.Topics["t"].Described.Value.PartitionCount 2 "the partitions") ]

let private steps =
    testList
        "a partition"
        [ testCase "waits for the first answer, which is asked for at once" (fun () ->
              Expect.equal (fst (next 0 0 watched)) (LeaderStep.Wait TimeSpan.Zero) "the step"
              Expect.equal (KnownLeaders.toAsk TimeSpan.Zero watched) [ "t" ] "the topics to ask for")

          testCase "of a topic that is not watched is asked for" (fun () ->
              let step, known = next 0 0 (KnownLeaders.empty times)
              Expect.equal step (LeaderStep.Wait TimeSpan.Zero) "the step"
              Expect.equal (KnownLeaders.toAsk TimeSpan.Zero known) [ "t" ] "the topics to ask for")

          testCase "tries each answer's leader once" (fun () ->
              let _, known = after [ topic [ 1; 2 ] ]
              let step, known = next 1 0 known
              Expect.equal step (LeaderStep.Connect(leader firstId 1)) "the first time"
              Expect.isEmpty (KnownLeaders.toAsk (ms 1000) known) "nothing newer is wanted"
              let step, known = next 2 0 known
              Expect.equal step (LeaderStep.Wait(ms 100)) "the second time"
              Expect.equal (fst (next 2 1 known)) (LeaderStep.Connect(leader firstId 2)) "another partition"
              Expect.isEmpty (KnownLeaders.toAsk (ms 99) known) "before the interval has passed"
              Expect.equal (KnownLeaders.toAsk (ms 100) known) [ "t" ] "after it"
              let _, known = answered 100 (topic [ 1; 2 ]) known
              Expect.equal (fst (next 100 0 known)) (LeaderStep.Connect(leader firstId 1)) "after the next answer")

          testCase "without a leader reports that once for each answer, and a newer one is wanted" (fun () ->
              let _, known = after [ failing ErrorCode.TopicAuthorizationFailed ]
              let step, known = next 1 0 known
              Expect.equal step (LeaderStep.Report ErrorCode.TopicAuthorizationFailed) "the first time"
              Expect.equal (fst (next 2 0 known)) (LeaderStep.Wait(ms 100)) "the second time"
              Expect.equal (KnownLeaders.toAsk (ms 100) known) [ "t" ] "the topics to ask for")

          testCase "waits while another one's failed attempt to connect to the broker is recent, or for a newer answer" (fun () ->
              let _, known = after [ topic [ 1; 1; 1; 2 ] ]
              let _, known = next 0 0 known
              let known = KnownLeaders.notConnected (ms 80) 0.5 TimeSpan.Zero (broker 1) ClientFault.Closed known
              Expect.equal (fst (next 81 1 known)) (LeaderStep.Wait(ms 100)) "the interval of the answers ends first"
              Expect.equal (fst (next 81 3 known)) (LeaderStep.Connect(leader firstId 2)) "another broker's partition"
              let _, known = answered 100 (topic [ 1; 1; 1; 2 ]) known
              Expect.equal (fst (next 101 1 known)) (LeaderStep.Wait(ms 130)) "the pause ends first"
              let step, known = next 130 1 known
              Expect.equal step (LeaderStep.Connect(leader firstId 1)) "one may try again"
              let known = KnownLeaders.notConnected (ms 130) 0.5 TimeSpan.Zero (broker 1) ClientFault.Closed known
              Expect.isFalse (KnownLeaders.mayConnect (ms 229) (broker 1) known) "twice the pause"
              Expect.isTrue (KnownLeaders.mayConnect (ms 230) (broker 1) known) "after it"
              let known = KnownLeaders.connected (broker 1) known
              Expect.equal (fst (next 131 2 known)) (LeaderStep.Connect(leader firstId 1)) "after a success")

          testCase "leaves a broker alone for twice as long as the failed attempt has taken" (fun () ->
              let known = KnownLeaders.notConnected (ms 10_000) 0.5 (ms 10_000) (broker 1) ClientFault.Closed watched
              Expect.isFalse (KnownLeaders.mayConnect (ms 29_999) (broker 1) known) "before"
              Expect.isTrue (KnownLeaders.mayConnect (ms 30_000) (broker 1) known) "after") ]

let private intervals =
    testList
        "requests"
        [ testCase "are made every five minutes if nothing is missed" (fun () ->
              let _, known = after [ topic [ 1 ] ]
              Expect.equal (KnownLeaders.due known) (ValueSome(TimeSpan.FromMinutes 5.0)) "the next one")

          testCase "are not made without topics" (fun () ->
              let _, known = after [ topic [ 1 ] ]
              Expect.equal (KnownLeaders.due (KnownLeaders.unwatch "t" known)) ValueNone "none"
              Expect.equal (KnownLeaders.due (KnownLeaders.want (KnownLeaders.empty times))) ValueNone "even if one is wanted")

          testCase "in a row are farther and farther apart" (fun () ->
              let _, rows =
                  List.fold
                      (fun ((at, known), gaps) _ ->
                          let known = KnownLeaders.unanswered (ms at) 0.5 known
                          let gap = int (known.NotBefore - ms at).TotalMilliseconds
                          (at + gap, known), gap :: gaps)
                      ((0, watched), [])
                      [ 1..6 ]

              Expect.equal (List.rev rows) [ 100; 200; 400; 800; 1000; 1000 ] "the intervals in milliseconds")

          testCase "after a long time without any are close together again" (fun () ->
              let known = KnownLeaders.unanswered (ms 0) 0.5 watched |> KnownLeaders.unanswered (ms 100) 0.5
              Expect.equal (KnownLeaders.unanswered (ms 2000) 0.5 known).NotBefore (ms 2100) "the next one") ]

/// A cluster in which each partition has one replica, and brokers are down at times; a client that takes a turn every 20 ms.
type private Life =
    {
        /// The times at which each broker is down, in milliseconds.
        Outages: (int * (int * int)) list
        Partitions: int
        Seed: int
    }

let private brokers = 3
let private quiet = 4_000
let private lasts = 6_000

let private lives = gen {
    let outage = gen {
        let! node = Gen.choose (0, brokers - 1)
        let! from = Gen.choose (0, lasts - 1)
        let! length = Gen.choose (1, 3_000)
        return node, (from, min lasts (from + length))
    }

    let! outages = Gen.listOf outage
    let! partitions = Gen.choose (1, 30)
    let! seed = Gen.choose (0, 100_000)
    return { Outages = outages; Partitions = partitions; Seed = seed }
}

/// What happened in a life.
type private Events =
    {
        Known: KnownLeaders
        /// The partitions with a connection.
        Connected: Set<int>
        /// The times of the requests, the last one first.
        Asked: int list
        /// The brokers that could not be connected to, and when, the last one first.
        Failed: (int * int) list
        /// The partitions that have connected, or have tried to, since the last answer.
        Tried: int list
        /// Whether a partition has tried twice with one answer.
        TriedTwice: bool
    }

let private live (life: Life) : Events =
    let random = Random life.Seed
    let isDown at node = life.Outages |> List.exists (fun (down, (from, until)) -> down = node && from <= at && at < until)
    let answer = topic [ for number in 0 .. life.Partitions - 1 -> number % brokers ]

    let ask at (events: Events) =
        if KnownLeaders.toAsk (ms at) events.Known = [] then
            events
        elif Seq.forall (isDown at) [ 0 .. brokers - 1 ] then
            { events with Known = KnownLeaders.unanswered (ms at) (random.NextDouble()) events.Known; Asked = at :: events.Asked }
        else
            let known = KnownLeaders.answered (ms at) (random.NextDouble()) [ answer ] events.Known
            { events with Known = known; Asked = at :: events.Asked; Tried = [] }

    let connect at (events: Events) number =
        let step, known = next at number events.Known

        match step with
        | LeaderStep.Connect leader ->
            let tried =
                { events with Tried = number :: events.Tried; TriedTwice = events.TriedTwice || List.contains number events.Tried }

            if isDown at leader.NodeId then
                { tried with
                    Known = KnownLeaders.notConnected (ms at) (random.NextDouble()) TimeSpan.Zero leader.Address ClientFault.Closed known
                    Failed = (leader.NodeId, at) :: events.Failed }
            else
                { tried with Known = KnownLeaders.connected leader.Address known; Connected = events.Connected.Add number }
        | _ -> { events with Known = known }

    let turn (events: Events) at =
        let connected = events.Connected |> Set.filter (fun number -> not (isDown at (number % brokers)))
        let events = ask at { events with Connected = connected }
        List.fold
            (connect at)
            events
            [ for number in 0 .. life.Partitions - 1 do
                  if not (connected.Contains number) then number ]

    let events = { Known = watched; Connected = Set.empty; Asked = []; Failed = []; Tried = []; TriedTwice = false }
    List.fold turn events [ 0..20 .. lasts + quiet ]

let private apart (least: float) (moments: int list) : bool =
    moments |> List.pairwise |> List.forall (fun (later, earlier) -> float (later - earlier) >= least)

let private law (name: string) (holds: Life -> Events -> bool) : Test =
    testProperty name (fun () -> Prop.forAll (Arb.fromGen lives) (fun life -> holds life (live life)))

let private laws =
    testList
        "whenever brokers are down"
        [ law "leaders are asked for once for all partitions, and never in quick succession" (fun _ events ->
              apart (0.8 * times.FirstInterval.TotalMilliseconds) events.Asked)

          law "the partitions of a broker try it one at a time, with pauses" (fun _ events ->
              events.Failed
              |> List.groupBy fst
              |> List.forall (snd >> List.map snd >> apart (0.8 * times.FirstPause.TotalMilliseconds)))

          law "no partition tries one answer's leader twice" (fun _ events -> not events.TriedTwice)

          law "every partition is connected soon after they are up" (fun life events -> events.Connected.Count = life.Partitions) ]

let private start =
    testCase "a thousand partitions are connected with one request" (fun () ->
        let events = live { Outages = []; Partitions = 1000; Seed = 1 }
        Expect.equal events.Asked [ 0 ] "the requests"
        Expect.equal events.Connected.Count 1000 "the connections")

[<Tests>]
let tests = testList "known leaders" [ changes; steps; intervals; laws; start ]
