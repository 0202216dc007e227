/// The assignors, checked against their laws and in single cases.
module LibKafka.Properties.Groups.AssignorTests

open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Cases
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Properties
open LibKafka.Properties.Support
open LibKafka.Properties.Groups.AssignorSupport

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

[<Tests>]
let tests = testList "assignors" [ laws; single ]
