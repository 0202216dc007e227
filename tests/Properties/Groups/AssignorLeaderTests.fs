/// The leader of a group, which runs an assignor, and the memory of its subscriptions.
module LibKafka.Properties.Groups.AssignorLeaderTests

open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Properties
open LibKafka.Properties.Support
open LibKafka.Properties.Groups.AssignorSupport

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
let tests = testList "assignors" [ leading; memory ]
