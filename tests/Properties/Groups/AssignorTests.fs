/// The assignors: two of them compared with the Java client's assignments, all of them checked against their laws.
module LibKafka.Properties.Groups.AssignorTests

open System.Text.Json
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Properties
open LibKafka.Properties.Support

/// A group whose partitions are to be assigned.
type Group = { Partitions: Map<string, int>; Members: Subscriber list }

type Division = Map<string, ConsumerTopicPartitions list>

let private all = [ Assignors.range; Assignors.roundRobin; Assignors.sticky; Assignors.cooperativeSticky ]

/// The single partitions of an assignment.
let private each (parts: ConsumerTopicPartitions list) : (string * int) list =
    [ for part in parts do
          for partition in part.Partitions -> part.Topic, partition ]

let private gathered (partitions: (string * int) list) : ConsumerTopicPartitions list =
    partitions
    |> List.groupBy fst
    |> List.map (fun (topic, ofTopic) -> { Topic = topic; Partitions = List.map snd ofTopic })

let private held (division: Division) (id: string) = each division[id]

/// The members, claiming the partitions that a division gave them.
let private having (assignor: Assignor) (generation: int) (division: Division) (members: Subscriber list) : Subscriber list =
    members
    |> List.map (fun one ->
        let previous = division |> Map.tryFind one.MemberId |> Option.defaultValue []
        let generation = if division.ContainsKey one.MemberId then generation else -1
        { one with Subscription = assignor.Subscribe one.Subscription.Topics previous generation |> ok "subscribed" })

/// The members, all of them new.
let private fresh (assignor: Assignor) (members: Subscriber list) = having assignor -1 Map.empty members

// ---- the laws ----

/// Whether each member has only topics that it wants.
let private isWanted (group: Group) (division: Division) : bool =
    group.Members
    |> List.forall (fun one -> held division one.MemberId |> List.forall (fun (topic, _) -> List.contains topic one.Subscription.Topics))

/// Each member has only topics that it wants, no partition has two owners, and every wanted partition has one, except those in `spared`.
let private isValid (group: Group) (division: Division) (spared: (string * int) list) =
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
let private isEven (group: Group) (division: Division) =
    for one in group.Members do
        for other in group.Members do
            let mine, theirs = held division one.MemberId, held division other.MemberId

            if mine.Length >= theirs.Length + 2 then
                let couldMove = mine |> List.filter (fun (topic, _) -> List.contains topic other.Subscription.Topics)
                Expect.isEmpty couldMove (one.MemberId + " has at least two more than " + other.MemberId + ", which wants one of them")

/// The unevenness of a division: the sum of the differences between all pairs of members.
let private unevenness (division: Division) : int =
    let counts = division |> Map.values |> Seq.map (each >> List.length) |> List.ofSeq
    (List.allPairs counts counts |> List.sumBy (fun (a, b) -> abs (a - b))) / 2

/// The number of partitions that kept their owner.
let private kept (before: Division) (after: Division) : int =
    before
    |> Map.toSeq
    |> Seq.sumBy (fun (id, parts) ->
        match after.TryFind id with
        | Some now -> Set.count (Set.intersect (Set.ofList (each parts)) (Set.ofList (each now)))
        | None -> 0)

// ---- the Java client's divisions ----

let private partsOf (json: JsonElement) : ConsumerTopicPartitions list =
    gathered [ for item in json.EnumerateArray() -> nonNull (item[0].GetString()), item[1].GetInt32() ]

let private optional (name: string) (json: JsonElement) =
    match json.TryGetProperty name with
    | true, value when value.ValueKind <> JsonValueKind.Null -> Some value
    | _ -> None

let private ownedIn (name: string) (json: JsonElement) = optional name json |> Option.map partsOf |> Option.defaultValue []

let private memberOf (subscribe: JsonElement -> string list -> ConsumerProtocolSubscription.Subscription) (json: JsonElement) =
    let topics = [ for topic in json.GetProperty("topics").EnumerateArray() -> nonNull (topic.GetString()) ]

    { MemberId = TestData.text "id" json
      GroupInstanceId = optional "groupInstanceId" json |> Option.map (fun name -> nonNull (name.GetString()))
      Subscription = subscribe json topics
      Unreadable = None }

let private plain topics : ConsumerProtocolSubscription.Subscription = { ConsumerProtocolSubscription.schema.Default with Topics = topics }

let private withStickyData (json: JsonElement) topics =
    { plain topics with
        UserData = optional "stickyUserData" json |> Option.map (fun hex -> Bytes.ofHex (nonNull (hex.GetString()))) }

let private withOwned (json: JsonElement) topics =
    { plain topics with
        OwnedPartitions = ownedIn "ownedCooperative" json
        GenerationId = optional "generation" json |> Option.map _.GetInt32() |> Option.defaultValue -1 }

// The form of members before KIP-792.
let private withCooperativeData (json: JsonElement) topics =
    { plain topics with
        OwnedPartitions = ownedIn "ownedCooperative" json
        UserData = Some(Bytes.ofHex (TestData.text "cooperativeUserData" json)) }

let private groupOf subscribe (json: JsonElement) : Group =
    { Partitions = Map.ofSeq [ for topic in json.GetProperty("topics").EnumerateObject() -> topic.Name, topic.Value.GetInt32() ]
      Members = [ for one in json.GetProperty("members").EnumerateArray() -> memberOf subscribe one ] }

let private divisionOf (name: string) (json: JsonElement) : Division =
    Map.ofSeq [ for one in json.GetProperty("assignments").GetProperty(name).EnumerateObject() -> one.Name, partsOf one.Value ]

let private ownedBefore (name: string) (json: JsonElement) : Division =
    Map.ofSeq [ for one in json.GetProperty("members").EnumerateArray() -> TestData.text "id" one, ownedIn name one ]

let private sets (division: Division) = division |> Map.map (fun _ parts -> Set.ofList (each parts))

let private lines = lazy (TestData.jsonLines TestData.vectors "assignors.jsonl.gz")

let private forEachLine (check: JsonElement -> unit) =
    Expect.isNonEmpty lines.Value "there are vectors"
    List.iter check lines.Value

let private sameAsJava (assignor: Assignor) =
    testCase (assignor.Name + " assigns as the Java client does") (fun () ->
        forEachLine (fun json ->
            let group = groupOf (fun _ topics -> plain topics) json
            let ours = assignor.Assign group.Partitions group.Members
            Expect.equal (sets ours) (sets (divisionOf assignor.Name json)) (json.GetRawText())))

/// The division before the rebalance, reduced to partitions that still exist and are still wanted.
let private stillThere (group: Group) (before: Division) : Division =
    let wants id topic = group.Members |> List.exists (fun one -> one.MemberId = id && List.contains topic one.Subscription.Topics)
    let exists (topic, partition) = partition < (group.Partitions |> Map.tryFind topic |> Option.defaultValue 0)

    before |> Map.map (fun id parts -> each parts |> List.filter (fun at -> exists at && wants id (fst at)) |> gathered)

/// The Java client's division, if it gives each member only topics that it wants. If the first member wants no topic, its sticky assignors take
/// the topics of the second for those of all.
let private comparable (group: Group) (name: string) (json: JsonElement) : Division option =
    Some(divisionOf name json) |> Option.filter (isWanted group)

let private java =
    testList
        "compared with the Java client"
        [ sameAsJava Assignors.range
          sameAsJava Assignors.roundRobin

          testCase "sticky is valid and even, and at least as even and as sticky as the Java client" (fun () ->
              forEachLine (fun json ->
                  let group = groupOf withStickyData json
                  let before = ownedBefore "ownedSticky" json |> stillThere group
                  let ours = Assignors.sticky.Assign group.Partitions group.Members
                  isValid group ours []
                  isEven group ours

                  match comparable group "sticky" json with
                  | Some theirs ->
                      Expect.isLessThanOrEqual (unevenness ours) (unevenness theirs) ("evenness: " + json.GetRawText())
                      Expect.isGreaterThanOrEqual (kept before ours) (kept before theirs) ("stickiness: " + json.GetRawText())
                  | None -> ()))

          for name, subscribe in [ "in its own field", withOwned; "in the user data", withCooperativeData ] do
              testCase ("cooperative sticky assigns no partition that another member still has, with the generation " + name) (fun () ->
                  forEachLine (fun json ->
                      let group = groupOf subscribe json
                      let before = ownedBefore "ownedCooperative" json
                      let ours = Assignors.cooperativeSticky.Assign group.Partitions group.Members
                      let owner =
                          Map.ofSeq
                              [ for entry in before do
                                    for at in each entry.Value -> at, entry.Key ]

                      for entry in ours do
                          for at in each entry.Value do
                              Expect.equal (owner |> Map.tryFind at |> Option.defaultValue entry.Key) entry.Key "no other member had it"

                      // A partition that a member claims must be revoked first, even if the member no longer wants it.
                      isValid group ours (before |> Map.values |> Seq.collect each |> List.ofSeq)

                      match comparable group "cooperative-sticky" json with
                      | Some theirs -> Expect.isGreaterThanOrEqual (kept before ours) (kept before theirs) "at least as many are kept"
                      | None -> ())) ]

// ---- generated groups ----

let private topicNames = [ "a"; "b"; "c"; "d"; "e" ]

let private genGroup: Gen<Group> = gen {
    let! counts = Gen.listOfLength topicNames.Length (Gen.choose (0, 9))
    let! size = Gen.choose (1, 8)
    let! alike = Gen.elements [ true; false; false ]
    let genTopics = Gen.subListOf topicNames |> Gen.map List.ofSeq
    let! common = genTopics

    let! wishes = Gen.listOfLength size (if alike then Gen.constant common else genTopics)
    let! names = Gen.listOfLength size (Gen.frequency [ 3, Gen.constant false; 1, Gen.constant true ])

    let members =
        List.zip wishes names
        |> List.mapi (fun i (topics, isStatic) ->
            { MemberId = "m" + string i
              GroupInstanceId = (if isStatic then Some("i" + string (size - i)) else None)
              Subscription = plain topics
              Unreadable = None })

    // A topic with no partitions does not exist, although members can want it.
    let known = List.zip topicNames counts |> List.filter (fun (_, count) -> count > 0)
    return { Partitions = Map.ofList known; Members = members }
}

/// A group before and after a change: members leave and join, some want other topics, topics get more partitions.
type Change = { Before: Group; After: Group }

let private genChange: Gen<Change> = gen {
    let! before = genGroup
    let! other = genGroup
    let! stay = Gen.listOfLength before.Members.Length (Gen.frequency [ 4, Gen.constant true; 1, Gen.constant false ])
    let! come = Gen.choose (0, 2)
    let! rewish = Gen.elements [ true; false; false ]

    let staying =
        List.zip before.Members stay
        |> List.filter snd
        |> List.map fst
        |> List.mapi (fun i one ->
            match List.tryItem i other.Members with
            | Some like when rewish -> { one with Subscription = like.Subscription }
            | _ -> one)

    let coming =
        other.Members
        |> List.truncate (if staying.IsEmpty then 1 else come)
        |> List.mapi (fun i one -> { one with MemberId = "n" + string i; GroupInstanceId = None })

    let! grow = Gen.elements [ true; false ]
    let partitions = if grow then before.Partitions |> Map.map (fun _ count -> count + 1) else before.Partitions
    return { Before = before; After = { Partitions = partitions; Members = staying @ coming } }
}

type private Arbitraries =
    static member Group() = Arb.fromGen genGroup
    static member Change() = Arb.fromGen genChange

let private groupLaw (name: string) (property: 'Property) =
    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = cases 500; arbitrary = [ typeof<Arbitraries> ] } name property

let private assign (assignor: Assignor) (group: Group) : Division = assignor.Assign group.Partitions group.Members

/// The most partitions that can stay with their owners if all members want the same topics: those who had the most keep the larger shares.
let private mostThatCanStay (group: Group) (before: Division) : int =
    let total =
        group.Members.Head.Subscription.Topics
        |> List.sumBy (fun topic -> group.Partitions |> Map.tryFind topic |> Option.defaultValue 0)
    let each', more = total / group.Members.Length, total % group.Members.Length

    group.Members
    |> List.map (fun one -> before |> Map.tryFind one.MemberId |> Option.map (each >> List.length) |> Option.defaultValue 0)
    |> List.sortDescending
    |> List.mapi (fun i had -> min had (if i < more then each' + 1 else each'))
    |> List.sum

let private isUniform (group: Group) =
    group.Members |> List.forall (fun one -> set one.Subscription.Topics = set group.Members.Head.Subscription.Topics)

/// Assigns a group, changes it, and assigns it again.
let private staysEven (change: Change) =
    let before = assign Assignors.sticky { change.Before with Members = fresh Assignors.sticky change.Before.Members }
    let after = { change.After with Members = having Assignors.sticky 5 before change.After.Members }
    let division = assign Assignors.sticky after
    isValid after division []
    isEven after division
    let before = stillThere after before

    if isUniform after then
        Expect.equal (kept before division) (mostThatCanStay after before) "as many as possible stay"

let private laws =
    testList
        "laws"
        [ for assignor in all do
              groupLaw (assignor.Name + " assigns every wanted partition to exactly one member that wants it") (fun (group: Group) ->
                  let group = { group with Members = fresh assignor group.Members }
                  isValid group (assign assignor group) [])

              groupLaw (assignor.Name + " does not depend on the order of members and topics") (fun (group: Group) ->
                  let reversed =
                      group.Members
                      |> List.rev
                      |> List.map (fun one -> { one with Subscription = plain (List.rev one.Subscription.Topics) })

                  assign assignor { group with Members = fresh assignor group.Members } =
                      assign assignor { group with Members = fresh assignor reversed })

          groupLaw "range assigns consecutive partitions, and the larger ranges to the first members" (fun (group: Group) ->
              let division = assign Assignors.range group

              for topic in topicNames do
                  let parts =
                      Subscriber.inOrder group.Members
                      |> List.filter (fun one -> List.contains topic one.Subscription.Topics)
                      |> List.map (fun one -> held division one.MemberId |> List.filter (fun (of', _) -> of' = topic) |> List.map snd)

                  let expected = if parts.IsEmpty then 0 else group.Partitions |> Map.tryFind topic |> Option.defaultValue 0
                  Expect.equal (List.concat parts) [ 0 .. expected - 1 ] "one range after the other"
                  let sizes = parts |> List.map List.length
                  Expect.equal sizes (List.sortDescending sizes) "the larger ranges come first"
                  if not sizes.IsEmpty then
                      Expect.isLessThanOrEqual (List.max sizes - List.min sizes) 1 "the sizes differ by one at most")

          groupLaw "round robin is even if all members want the same topics" (fun (group: Group) ->
              let counts = assign Assignors.roundRobin group |> Map.values |> Seq.map (each >> List.length) |> List.ofSeq
              if isUniform group then
                  Expect.isLessThanOrEqual (List.max counts - List.min counts) 1 "the sizes differ by one at most")

          groupLaw "sticky is even, and if all members want the same topics, as many partitions as possible stay" staysEven

          test "sticky returns no partition to its owner if that makes the division less even" {
              let group (wishes: (string * string option * string list) list) =
                  { Partitions = Map.ofList [ "a", 5; "b", 5; "c", 5; "d", 9; "e", 8 ]
                    Members =
                      [ for id, instance, topics in wishes ->
                            { MemberId = id; GroupInstanceId = instance; Subscription = plain topics; Unreadable = None } ] }

              let same = [ "m5", Some "i3", [ "a"; "c"; "e" ]; "m6", None, [ "d"; "e" ]; "m7", None, [ "a" ] ]

              staysEven
                  { Before =
                      group (
                          [ "m0", None, [ "b"; "c"; "e" ]
                            "m1", None, [ "a"; "d" ]
                            "m2", None, [ "b"; "c"; "e" ]
                            "m3", None, []
                            "m4", Some "i4", [ "a"; "b"; "c" ] ]
                          @ same
                      )
                    After =
                      group (
                          [ for id in [ "m0"; "m1"; "m2"; "m3" ] do
                                id, None, [ "b"; "c"; "d" ]

                            "m4", Some "i4", [ "b"; "c"; "d" ] ]
                          @ same
                      ) }
          }

          groupLaw "sticky moves no partition if nothing changes" (fun (group: Group) ->
              let before = assign Assignors.sticky { group with Members = fresh Assignors.sticky group.Members }
              assign Assignors.sticky { group with Members = having Assignors.sticky 1 before group.Members } = before)

          groupLaw "cooperative sticky moves no partition in a single rebalance, and settles on an even division" (fun (change: Change) ->
              let assignor = Assignors.cooperativeSticky

              let step generation before members =
                  let group = { change.After with Members = having assignor generation before members }
                  let division = assign assignor group
                  let owner =
                      Map.ofSeq
                          [ for entry in before do
                                if division.ContainsKey entry.Key then
                                    for at in each entry.Value -> at, entry.Key ]

                  for entry in division do
                      for at in each entry.Value do
                          Expect.equal (owner |> Map.tryFind at |> Option.defaultValue entry.Key) entry.Key "no other member had it"

                  division

              let before = assign assignor { change.Before with Members = fresh assignor change.Before.Members }

              // Each further rebalance makes the division more even or changes nothing.
              let rec settle generation division =
                  let next = step generation division change.After.Members
                  if next = division then division
                  elif generation > 20 then failtest "it does not settle"
                  else settle (generation + 1) next

              let last = settle 1 before
              isValid change.After last []
              isEven change.After last) ]

// ---- single cases ----

let private wanting id topics = { MemberId = id; GroupInstanceId = None; Subscription = plain topics; Unreadable = None }

let private claiming id topics generation partitions =
    { wanting id topics with
        Subscription = { plain topics with OwnedPartitions = gathered partitions; GenerationId = generation } }

let private single =
    testList
        "cases"
        [ testCase "a group without members gets no assignment" (fun () ->
              for assignor in all do
                  Expect.isEmpty (assignor.Assign (Map [ "a", 3 ]) []) assignor.Name)

          testCase "a topic that a member names twice counts once" (fun () ->
              for assignor in all do
                  let division = assignor.Assign (Map [ "a", 2 ]) [ wanting "x" [ "a"; "a" ]; wanting "y" [ "a" ] ]
                  Expect.equal (division |> Map.map (fun _ parts -> (each parts).Length)) (Map [ "x", 1; "y", 1 ]) assignor.Name)

          testCase "if two members claim a partition, the newer generation wins" (fun () ->
              for x, y, owner in [ 3, 4, "y"; 4, 3, "x" ] do
                  let members = [ claiming "x" [ "a" ] x [ "a", 0 ]; claiming "y" [ "a" ] y [ "a", 0 ] ]
                  let division = Assignors.cooperativeSticky.Assign (Map [ "a", 1 ]) members
                  Expect.equal (held division owner) [ "a", 0 ] "the owner keeps it")

          testCase "if two members of one generation claim a partition, neither gets it before it is free" (fun () ->
              let members = [ claiming "x" [ "a" ] 4 [ "a", 0 ]; claiming "y" [ "a" ] 4 [ "a", 0 ] ]
              let division = Assignors.cooperativeSticky.Assign (Map [ "a", 1 ]) members
              Expect.equal (division |> Map.values |> Seq.collect each |> List.ofSeq) [] "no member has it")

          testCase "claims to partitions that do not exist or are no longer wanted are ignored" (fun () ->
              let members = [ claiming "x" [ "a" ] 4 [ "a", 7; "gone", 0; "a", -1 ]; claiming "y" [ "b" ] 4 [ "a", 0 ] ]
              let division = Assignors.cooperativeSticky.Assign (Map [ "a", 1; "b", 1 ]) members
              Expect.equal (held division "x", held division "y") ([], [ "b", 0 ]) "y still has a-0 and must give it up first")

          testCase "user data of another client is no claim" (fun () ->
              let strange = { wanting "x" [ "a" ] with Subscription = { plain [ "a" ] with UserData = Some(Bytes [| 1uy; 2uy; 3uy |]) } }

              for assignor in [ Assignors.sticky; Assignors.cooperativeSticky ] do
                  Expect.equal (held (assignor.Assign (Map [ "a", 2 ]) [ strange ]) "x") [ "a", 0; "a", 1 ] assignor.Name)

          testCase "thousands of partitions and hundreds of members" (fun () ->
              let topics = [ for i in 1..50 -> "t" + string i ]
              let partitions = Map.ofList [ for topic in topics -> topic, 60 ]
              // Every member wants all topics but one.
              let members = [ for i in 1..200 -> wanting ("m" + string i) (topics |> List.filter (fun topic -> topic <> topics[i % 50])) ]
              let group = { Partitions = partitions; Members = members }
              let before = assign Assignors.sticky group
              let after = { group with Members = having Assignors.sticky 1 before (List.skip 60 members) }
              let division = assign Assignors.sticky after
              isValid after division []
              Expect.equal (kept before division) (140 * 15) "the remaining members keep all their partitions") ]

let private joined name (members: JoinGroup.Member list) : JoinGroup.Response =
    { JoinGroup.response.Default with ProtocolName = Some name; Members = members; Leader = "x"; MemberId = "x" }

let private leading =
    testList
        "leader"
        [ testCase "assigns with the assignor that the group agreed on, from the members' subscriptions" (fun () ->
              let protocols = Assignor.protocols all [ "a" ] [] -1 None |> ok "protocols"
              Expect.equal (protocols |> List.map _.Name) [ "range"; "roundrobin"; "sticky"; "cooperative-sticky" ] "in the order given"

              for protocol in protocols do
                  let members: JoinGroup.Member list =
                      [ for id in [ "x"; "y" ] -> { MemberId = id; GroupInstanceId = None; Metadata = protocol.Metadata } ]

                  match Assignor.assignments all (Map [ "a", 2 ]) (joined protocol.Name members) with
                  | Ok assignments ->
                      let parts =
                          assignments
                          |> List.map (fun one ->
                              one.MemberId, each (ok "part" (ConsumerProtocol.decodeAssignment one.Assignment)).AssignedPartitions)
                      Expect.equal (parts |> List.map fst) [ "x"; "y" ] "both members"
                      Expect.equal (parts |> List.collect snd |> List.sort) [ "a", 0; "a", 1 ] "all partitions"
                  | Error fault -> failtestf "%O" fault)

          testCase "takes the partition counts from metadata, and none for a topic with an error" (fun () ->
              let topic name code count : Metadata.Topic =
                  { Metadata.topic.Default with
                      Name = Some name
                      Error = code
                      Partitions = List.replicate count Metadata.partition.Default }

              let topics = [ topic "a" ErrorCode.None 3; topic "b" ErrorCode.UnknownTopicOrPartition 0 ]
              Expect.equal (Assignor.partitionCounts topics) (Map [ "a", 3 ]) "the counts")

          testCase "refuses a protocol that it does not have" (fun () ->
              match Assignor.assignments all Map.empty (joined "best" []) with
              | Error(AssignFault.UnknownProtocol "best" as fault) -> Expect.stringContains (fault.ToString()) "best" "its name"
              | other -> failtestf "%O" other)

          testList
              "a member whose subscription cannot be read gets nothing, and the others share everything"
              [ for protocol in Assignor.protocols all [ "a" ] [] -1 None |> ok "protocols" do
                    let memberWith id metadata : JoinGroup.Member = { MemberId = id; GroupInstanceId = None; Metadata = metadata }
                    let whole = protocol.Metadata

                    for name, metadata in
                        [ "no bytes", Bytes.empty
                          "one byte", Bytes [| 0uy |]
                          "a negative version", Bytes.ofHex "ffff00000000ffffffff"
                          "cut off", whole.Slice(0, 8)
                          "a count that is too large", Bytes.ofHex "00007fffffff"
                          "a topic that is not UTF-8", Bytes.ofHex "0000000000010001ffffffffff"
                          "noise", Bytes(Array.init 100 (fun i -> byte (i * 37))) ] do
                        testCase (protocol.Name + ", " + name) (fun () ->
                            let members = [ memberWith "odd" metadata; memberWith "x" whole; memberWith "y" whole ]
                            let subscribers = Assignor.subscribers members
                            let unreadable = subscribers |> List.filter _.Unreadable.IsSome
                            Expect.equal (unreadable |> List.map _.MemberId) [ "odd" ] "the member that is named"
                            Expect.equal (Assignor.topicsOf subscribers) [ "a" ] "the topics"

                            match Assignor.assignments all (Map [ "a", 4 ]) (joined protocol.Name members) with
                            | Ok assignments ->
                                let part id =
                                    let one = assignments |> List.find (fun one -> one.MemberId = id)
                                    each (ok "part" (ConsumerProtocol.decodeAssignment one.Assignment)).AssignedPartitions

                                Expect.equal (List.length assignments) 3 "every member has an assignment"
                                Expect.isEmpty (part "odd") "the odd member"
                                Expect.equal (List.length (part "x"), List.length (part "y")) (2, 2) "the others"
                            | Error fault -> failtestf "%O" fault) ]

          testCase "bytes after a member's subscription do not matter" (fun () ->
              for protocol in Assignor.protocols all [ "a" ] [ { Topic = "a"; Partitions = [ 1 ] } ] 6 None |> ok "protocols" do
                  let longer = Bytes(Array.append (protocol.Metadata.ToArray()) [| 1uy; 2uy; 3uy |])
                  let memberWith metadata : JoinGroup.Member = { MemberId = "x"; GroupInstanceId = None; Metadata = metadata }

                  Expect.equal
                      (Assignor.subscribers [ memberWith longer ])
                      (Assignor.subscribers [ memberWith protocol.Metadata ])
                      protocol.Name)

          testCase "every subscription has the rack and the generation" (fun () ->
              for protocol in Assignor.protocols all [ "a" ] [ { Topic = "a"; Partitions = [ 1 ] } ] 6 (Some "r") |> ok "protocols" do
                  let said = ConsumerProtocol.decodeSubscription protocol.Metadata |> ok "read"
                  Expect.equal (said.Topics, said.RackId, said.GenerationId) ([ "a" ], Some "r", 6) protocol.Name
                  let isCooperative = protocol.Name = "cooperative-sticky"
                  Expect.equal (not said.OwnedPartitions.IsEmpty) isCooperative "only a cooperative member still owns partitions") ]

// ---- the memory of a group ----

/// A member whose subscription has so many topics, by the protocol with that number.
let private subscribing (protocol: int) (id: string) (count: int) : JoinGroup.Member =
    let topics = List.init count (fun i -> "topic-" + string i)
    let owned = topics |> List.map (fun topic -> { Topic = topic; Partitions = [ 0..3 ] })
    let subscription = all[protocol % all.Length].Subscribe topics owned 5 |> ok "subscribed"
    { MemberId = id; GroupInstanceId = None; Metadata = ConsumerProtocol.encodeSubscription subscription |> ok "encoded" }

/// The memory that a member's subscription takes.
let private costOf (one: JoinGroup.Member) : int64 =
    let struct (_, cost) = ConsumerProtocol.decodeSubscriptionWithin Limits.standard one.Metadata |> ok "decoded"
    cost

let private subscriptionOf (one: JoinGroup.Member) = ConsumerProtocol.decodeSubscription one.Metadata |> ok "decoded"

let private isLeftOut (limit: int64) (one: Subscriber) : bool =
    match one.Unreadable with
    | None -> false
    | Some { Problem = Problem.GroupTooLarge most } when most = limit -> true
    | Some { Problem = Problem.DecodedTooLarge most } when most = limit -> true
    | Some fault -> failtestf "%O" fault

let private memory =
    testList
        "the memory of a group"
        [ law 200 "is within one limit, and no member is left out because of larger ones" (fun (counts: byte list) (NonNegativeInt share) ->
              let members = counts |> List.mapi (fun i count -> subscribing i (string i) (int count))
              let total = members |> List.sumBy costOf
              let limit = max 1L (total * int64 (share % 120) / 100L)
              let limits = { Limits.standard with MaxDecodedBytes = limit }
              let read = Assignor.subscribersWithin limits members
              let kept = List.zip members read |> List.filter (snd >> isLeftOut limit >> not)
              let asLarge (one: JoinGroup.Member) = members |> List.filter (fun other -> other.Metadata.Length <= one.Metadata.Length)
              let mustBeRead one = asLarge one |> List.sumBy costOf <= limit

              Expect.equal (read |> List.map _.MemberId) (members |> List.map _.MemberId) "every member, in order"
              Expect.isLessThanOrEqual (kept |> List.sumBy (fst >> costOf)) limit "the memory of those that were read"
              Expect.all (List.zip members read) (fun (one, found) -> not (mustBeRead one && isLeftOut limit found)) "small ones are read"

              let reversed = Assignor.subscribersWithin limits (List.rev members)
              Expect.equal (List.rev reversed) read "whatever the order")

          testCase "is named as it was set if a member's user data alone exceeds it" (fun () ->
              for protocol in 0 .. all.Length - 1 do
                  let one = subscribing protocol "one" 24
                  let plain = ConsumerProtocol.decodeSubscription one.Metadata |> ok "decoded"

                  for limit in [ 1L; 4L; costOf one / 2L; costOf one - 1L ] do
                      let read = Assignor.subscribersWithin { Limits.standard with MaxDecodedBytes = limit } [ one ]

                      match read |> List.map _.Unreadable with
                      | [ Some { Problem = Problem.DecodedTooLarge named } ] -> Expect.equal named limit "the limit"
                      | other -> failtestf "%A of %d topics" other plain.Topics.Length)

          testCase "does not count user data that is not the sticky assignor's, even if no more memory is left" (fun () ->
              let topics = [ "a"; "b" ]

              // No count; a count without elements; more elements than bytes; an element that ends early.
              for hex in [ ""; "00"; "00000001"; "7fffffff00000000"; "0000000100ff61626364" ] do
                  let subscription = { (subscribing 0 "one" 0 |> subscriptionOf) with Topics = topics; UserData = Some(Bytes.ofHex hex) }
                  let metadata = ConsumerProtocol.encodeSubscription subscription |> ok "encoded"
                  let without = ConsumerProtocol.encodeSubscription { subscription with UserData = Some Bytes.empty } |> ok "encoded"
                  let limit = costOf { MemberId = "one"; GroupInstanceId = None; Metadata = without }
                  let one: JoinGroup.Member = { MemberId = "one"; GroupInstanceId = None; Metadata = metadata }
                  let read = Assignor.subscribersWithin { Limits.standard with MaxDecodedBytes = limit } [ one ]
                  Expect.equal (read |> List.map _.Subscription.Topics) [ topics ] hex
                  Expect.equal (read |> List.map _.Unreadable) [ None ] hex)

          testCase "is within one limit if each member is just below it: the assignments say who was left out, and why" (fun () ->
              for protocol in 0 .. all.Length - 1 do
                  let large = [ for i in 10..40 -> subscribing protocol (string i) 600 ]
                  let limit = costOf large.Head + 10_000L
                  let limits = { Limits.standard with MaxDecodedBytes = limit }
                  let members = large @ [ subscribing protocol "small" 3 ]
                  let partitions = Map [ for i in 0..599 -> "topic-" + string i, 2 ]
                  let response = joined all[protocol].Name members
                  let given =
                      match Assignor.assignmentsWithin limits all partitions response with
                      | Ok given -> given
                      | Error fault -> failtestf "%O" fault


                  Expect.equal (given.LeftOut |> List.map _.MemberId) [ for i in 11..40 -> string i ] "those that were left out"

                  for one in given.LeftOut do
                      match one.Unreadable with
                      | Some({ Problem = Problem.GroupTooLarge most } as fault) ->
                          Expect.equal most limit "the limit"
                          Expect.stringContains (fault.ToString()) "MaxDecodedBytes" "the reason says what to change"
                      | other -> failtestf "%O" other

                  let parts =
                      [ for one in given.Assignments ->
                            let part = ConsumerProtocol.decodeAssignment one.Assignment |> ok "part"
                            one.MemberId, (each part.AssignedPartitions).Length ]

                  Expect.hasLength parts members.Length "every member has an assignment"
                  let some = parts |> List.filter (fun (_, count) -> count > 0)
                  let givenTo = some |> List.map fst |> set

                  if all[protocol].IsCooperative then
                      // A cooperative member first gives up what goes to another one.
                      Expect.isTrue (Set.isSubset givenTo (set [ "10"; "small" ])) "only the others have partitions"
                  else
                      Expect.equal givenTo (set [ "10"; "small" ]) "the others share"
                      Expect.equal (some |> List.sumBy snd) 1_200 "all partitions") ]

[<Tests>]
let tests = testList "assignors" [ java; laws; single; leading; memory ]
