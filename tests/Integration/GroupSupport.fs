/// Coordinators of groups that are scripted brokers.
module LibKafka.Integration.GroupSupport

open FSharp.Core
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Replay
open LibKafka.Integration.Support

let at (topic: string) (partition: int) : TopicPartition = { Topic = topic; Partition = partition }

let member' id : GroupMembership = { MemberId = id; GenerationOrEpoch = 3; GroupInstanceId = None }

/// A group whose coordinator is a scripted broker with this table of versions.
let groupAt settings table (rest: Received -> Act list) (test: ScriptedBroker -> GroupClient -> unit) =
    let script me =
        Script.knowing table (fun received ->
            match received.Request with
            | Request.FindCoordinator request -> coordinating me received request
            | _ -> rest received)

    Scripted.broker script (fun broker ->
        use client = new GroupClient(settings, Bootstrap.ofAddresses [ broker.Address ], "g")
        test broker client)

/// The same with a coordinator that supports these APIs up to these versions, and all versions of the other group APIs.
let groupOf settings (versions: (ApiKey * int) list) =
    let table =
        [ for key in
              [ ApiKey.JoinGroup
                ApiKey.SyncGroup
                ApiKey.Heartbeat
                ApiKey.LeaveGroup
                ApiKey.OffsetCommit
                ApiKey.OffsetFetch
                ApiKey.ConsumerGroupHeartbeat ] ->
              match versions |> List.tryFind (fun (other, _) -> other = key) with
              | Some(_, highest) -> Script.versions key 0 highest
              | None -> Script.versions key 0 99 ]

    groupAt settings (Script.everythingBut table)

let group versions rest test = groupOf patient versions rest test

let committed offset epoch note : CommittedOffset = { Offset = offset; LeaderEpoch = epoch; Metadata = note }
