/// Two of the assignors, compared with the Java client's assignments.
module LibKafka.Properties.Groups.AssignorJavaTests

open System.Text.Json
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Properties
open LibKafka.Properties.Support
open LibKafka.Properties.Groups.AssignorSupport

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

[<Tests>]
let tests = testList "assignors" [ java ]
