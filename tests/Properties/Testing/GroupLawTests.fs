/// Laws of the groups of the test broker: whatever the members do, no partition has two owners, and every one gets an owner.
module LibKafka.Properties.Testing.GroupLawTests

open System
open Expecto
open FsCheck.FSharp
open LibKafka
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Testing
open LibKafka.Properties.Support
open LibKafka.Properties.Testing.PureCluster
open LibKafka.Properties.Testing.GroupSupport

/// What happens to a group, by the number of the member.
type private Event =
    | Beat of int
    | Leave of int
    | Join of int
    | Pass of milliseconds: int

let private events: FsCheck.Gen<Event list> =
    Gen.oneof
        [ Gen.map Beat (Gen.choose (0, 4))
          Gen.map Beat (Gen.choose (0, 4))
          Gen.map Join (Gen.choose (0, 4))
          Gen.map Leave (Gen.choose (0, 4))
          Gen.map Pass (Gen.choose (1, 3_000)) ]
    |> Gen.listOf

/// The owners of each partition: members believe to have the partitions of their last responses.
let private isExclusive (members: Consumer seq) =
    members |> Seq.collect _.Owned |> Seq.countBy id |> Seq.forall (fun (_, owners) -> owners = 1)

let private consumerLaw (script: Event list) =
    let cluster = cluster ()
    let members = Array.init 5 (fun i -> consumer (string i))

    let lose (one: Consumer) =
        one.Epoch <- 0
        one.Owned <- Set.empty

    // A member whose session or rebalance timeout has ended does not know it yet: it has lost its partitions all the same.
    let loseExpired () =
        let known =
            match Groups.tryFind "g" cluster.State with
            | Some { Kind = GroupKind.Consumer group } -> group.Members
            | _ -> []

        for one in members do
            if one.Epoch > 0 && known |> List.forall (fun it -> it.MemberId <> one.Id) then
                lose one

    for event in script do
        match event with
        | Join i
        | Beat i when members[i].Epoch = 0 -> beat cluster members[i] |> ignore
        | Join i
        | Beat i -> if (beat cluster members[i]).IsError then lose members[i]
        | Leave i ->
            if members[i].Epoch > 0 then
                beatWith cluster members[i] (fun it -> { it with MemberEpoch = -1 }) |> ignore
                lose members[i]
        | Pass milliseconds -> cluster.Wait milliseconds

        loseExpired ()
        Expect.isTrue (isExclusive members) "no partition has two owners"

    let active = members |> Array.filter (fun one -> one.Epoch > 0)

    // Heartbeats without other events bring every member to the target.
    for _ in 1..4 do
        for one in active do
            beat cluster one |> ignore

    if active.Length > 0 then
        Expect.equal (active |> Seq.collect _.Owned |> Set.ofSeq) (set [ 0..5 ]) "every partition has an owner"
        let sizes = active |> Array.map _.Owned.Count
        Expect.isLessThanOrEqual (Array.max sizes - Array.min sizes) 1 "evenly"

let private classicLaw (script: Event list) =
    let cluster = cluster ()
    let ids = Array.create 5 ""
    let generations = Array.create 5 0
    let waiting = ResizeArray<int * Reply>()

    let settle () =
        let mutable progress = true

        while progress do
            progress <- false

            for index, reply in List.ofSeq waiting do
                match poll cluster reply with
                | ValueSome response ->
                    waiting.Remove((index, reply)) |> ignore
                    progress <- true

                    match response with
                    | Response.JoinGroup response when not response.Error.IsError ->
                        ids[index] <- response.MemberId
                        generations[index] <- response.GenerationId
                        waiting.Add(index, syncAs cluster response None [ for one in response.Members -> one.MemberId, 1uy ])
                    | Response.JoinGroup response when response.Error = ErrorCode.MemberIdRequired ->
                        waiting.Add(index, join cluster response.MemberId None)
                    | Response.JoinGroup response -> if response.Error = ErrorCode.UnknownMemberId then ids[index] <- ""
                    | Response.SyncGroup response -> if response.Error = ErrorCode.UnknownMemberId then ids[index] <- ""
                    | _ -> ()
                | ValueNone -> ()

    let isBusy index = waiting |> Seq.exists (fun (other, _) -> other = index)

    for event in script do
        match event with
        | Join i -> if not (isBusy i) then waiting.Add(i, join cluster ids[i] None)
        | Beat i ->
            if ids[i] <> "" && not (isBusy i) then
                match heartbeat cluster generations[i] ids[i] None with
                | code when code = ErrorCode.RebalanceInProgress -> waiting.Add(i, join cluster ids[i] None)
                | code when code = ErrorCode.UnknownMemberId -> ids[i] <- ""
                | _ -> ()
        | Leave i ->
            if ids[i] <> "" && not (isBusy i) then
                leave cluster [ ids[i], None ] |> ignore
                ids[i] <- ""
        | Pass milliseconds -> cluster.Wait milliseconds

        settle ()

    // Every join and sync is answered when all time-outs are over.
    for _ in 1..20 do
        cluster.Wait sessionMs
        settle ()

    Expect.isEmpty waiting "every request has a response"
    Expect.isEmpty cluster.State.Groups.Answers "no response is left over"

let private assignorLaw (partitions: int) (sizes: int list) =
    let topic = Guid.NewGuid()
    let metadata = Map [ "t", struct (topic, partitions) ]
    let first = sizes |> List.mapi (fun i size -> "m" + string i, size) |> List.distinctBy fst

    // Whatever the members had before, even partitions that two of them claim or that are gone.
    let members: Assignee list =
        [ for id, size in first -> { MemberId = id; InstanceId = None; Topics = set [ "t" ]; Target = Map [ topic, set [ 0..size ] ] } ]

    for assignor in ConsumerAssign.names do
        let parts = ConsumerAssign.assign assignor metadata members
        let all = parts.Values |> Seq.collect Owned.toPairs |> List.ofSeq
        Expect.equal (List.sort all) [ for partition in 0 .. partitions - 1 -> topic, partition ] (assignor + ": each partition once")
        let counts = [ for part in parts.Values -> (Owned.toPairs part).Length ]
        Expect.isLessThanOrEqual (List.max counts - List.min counts) 1 (assignor + ": evenly")

let private assignments = Gen.zip (Gen.choose (0, 20)) (Gen.nonEmptyListOf (Gen.choose (0, 12)))

let private laws =
    testList
        "laws"
        [ law 200 "no partition has two owners, and in the end each has one" (Prop.forAll (Arb.fromGen events) consumerLaw)
          law 200 "every request of a classic member is answered" (Prop.forAll (Arb.fromGen events) classicLaw)
          law
              500
              "server-side assignors give each partition to one member, evenly"
              (Prop.forAll (Arb.fromGen assignments) (fun (partitions, sizes) -> assignorLaw partitions sizes)) ]

[<Tests>]
let tests = testList "groups of the test broker" [ laws ]
