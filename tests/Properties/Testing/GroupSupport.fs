/// Members of groups of the test broker, without sockets.
module LibKafka.Properties.Testing.GroupSupport

open System
open Expecto
open LibKafka
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Testing
open LibKafka.Properties.Support
open LibKafka.Properties.Testing.PureCluster

let sessionMs = 6_000
let rebalanceMs = 4_000

let cluster () = start { State.settings with OffsetsPartitions = 1 } 1 [ "t", 6 ]

let subscription (topics: string list) : Bytes =
    ConsumerProtocol.encodeSubscription { Topics = topics; UserData = None; OwnedPartitions = []; GenerationId = -1; RackId = None }
    |> Result.defaultWith (fun fault -> failtest (fault.ToString()))

/// The response to a request that may have to wait.
type Reply = { mutable Waiting: Waiting voption; mutable Response: Response voption }

let give (cluster: PureCluster) (answer: Answer) : Reply =
    match answer with
    | Answer.Reply response -> { Waiting = ValueNone; Response = ValueSome response }
    | Later waiting -> { Waiting = ValueSome waiting; Response = ValueNone }
    | _ -> failtestf "no response at %d" cluster.Now

/// Whether there is a response by now.
let poll (cluster: PureCluster) (reply: Reply) : Response voption =
    match reply.Waiting with
    | ValueSome waiting ->
        match waiting.Ready cluster.Now cluster.State with
        | ValueSome(state, answer) ->
            cluster.Change(fun _ -> state)
            let given = give cluster answer
            reply.Waiting <- given.Waiting
            reply.Response <- given.Response
        | ValueNone -> ()
    | ValueNone -> ()

    reply.Response

let joinRequest (memberId: string) (instanceId: string option) (protocols: string list) : Request =
    Request.JoinGroup
        { GroupId = "g"
          SessionTimeoutMs = sessionMs
          RebalanceTimeoutMs = rebalanceMs
          MemberId = memberId
          GroupInstanceId = instanceId
          ProtocolType = "consumer"
          Protocols = [ for name in protocols -> { Name = name; Metadata = subscription [ "t" ] } ]
          Reason = None }

let join (cluster: PureCluster) memberId instanceId : Reply = give cluster (cluster.Ask(9s, joinRequest memberId instanceId [ "range" ]))

let joined (cluster: PureCluster) (reply: Reply) : JoinGroup.Response =
    match poll cluster reply with
    | ValueSome(Response.JoinGroup response) -> response
    | other -> failtestf "%O" (ValueOption.map Response.show other)

let isWaiting (cluster: PureCluster) (reply: Reply) = (poll cluster reply).IsNone

let syncAs (cluster: PureCluster) (joined: JoinGroup.Response) instanceId (assignments: (string * byte) list) : Reply =
    let request =
        Request.SyncGroup
            { GroupId = "g"
              GenerationId = joined.GenerationId
              MemberId = joined.MemberId
              GroupInstanceId = instanceId
              ProtocolType = Some "consumer"
              ProtocolName = joined.ProtocolName
              Assignments = [ for id, part in assignments -> { MemberId = id; Assignment = Bytes [| part |] } ] }

    give cluster (cluster.Ask(5s, request))

let synced (cluster: PureCluster) (reply: Reply) : SyncGroup.Response =
    match poll cluster reply with
    | ValueSome(Response.SyncGroup response) -> response
    | other -> failtestf "%O" (ValueOption.map Response.show other)

let heartbeat (cluster: PureCluster) (generation: int) memberId instanceId : ErrorCode =
    let request =
        Request.Heartbeat { GroupId = "g"; GenerationId = generation; MemberId = memberId; GroupInstanceId = instanceId }

    match cluster.Get(4s, request) with
    | Response.Heartbeat response -> response.Error
    | other -> failtest (Response.show other)

let leave (cluster: PureCluster) (members: (string * string option) list) : ErrorCode list =
    let request =
        Request.LeaveGroup
            { GroupId = "g"
              MemberId = ""
              Members = [ for id, name in members -> { MemberId = id; GroupInstanceId = name; Reason = None } ] }

    match cluster.Get(5s, request) with
    | Response.LeaveGroup response -> response.Members |> List.map _.Error
    | other -> failtest (Response.show other)

let describe (cluster: PureCluster) : DescribeGroups.Group =
    match cluster.Get(5s, Request.DescribeGroups { Groups = [ "g" ]; IncludeAuthorizedOperations = false }) with
    | Response.DescribeGroups response -> response.Groups.Head
    | other -> failtest (Response.show other)

/// An id from the broker, as a dynamic member gets it.
let newId (cluster: PureCluster) : string =
    let response = joined cluster (join cluster "" None)
    Expect.equal response.Error ErrorCode.MemberIdRequired "the first join"
    response.MemberId

/// A stable group with one dynamic member, which leads.
let stable (cluster: PureCluster) : JoinGroup.Response =
    let leader = joined cluster (join cluster (newId cluster) None)
    Expect.equal leader.Error ErrorCode.None "joined"
    Expect.equal (synced cluster (syncAs cluster leader None [ leader.MemberId, 1uy ])).Error ErrorCode.None "synced"
    leader

let commit (cluster: PureCluster) (version: int16) (generation: int) memberId (partition: int) (offset: int64) : ErrorCode =
    let request =
        Request.OffsetCommit
            { GroupId = "g"
              GenerationIdOrMemberEpoch = generation
              MemberId = memberId
              GroupInstanceId = None
              RetentionTimeMs = -1L
              Topics =
                [ { Name = "t"
                    TopicId = Guid.Empty
                    Partitions =
                      [ { PartitionIndex = partition
                          CommittedOffset = offset
                          CommittedLeaderEpoch = -1
                          CommitTimestamp = -1L
                          CommittedMetadata = Some "m" } ] } ] }

    match cluster.Get(version, request) with
    | Response.OffsetCommit response -> response.Topics.Head.Partitions.Head.Error
    | other -> failtest (Response.show other)

/// The offset of a partition and its error.
let fetch (cluster: PureCluster) (isStable: bool) (partition: int) : int64 * ErrorCode =
    let request =
        Request.OffsetFetch
            { GroupId = "g"
              Topics = Some [ { Name = "t"; PartitionIndexes = [ partition ] } ]
              Groups = []
              RequireStable = isStable }

    match cluster.Get(7s, request) with
    | Response.OffsetFetch { Topics = [ { Partitions = [ it ] } ] } -> it.CommittedOffset, it.Error
    | other -> failtest (Response.show other)

type Consumer = { Id: string; mutable Epoch: int; mutable Owned: Set<int> }

let topicId (cluster: PureCluster) = cluster.State.Topics["t"].Id

let beatWith (cluster: PureCluster) (one: Consumer) (change: ConsumerGroupHeartbeat.Request -> ConsumerGroupHeartbeat.Request) =
    let request: ConsumerGroupHeartbeat.Request =
        { GroupId = "g"
          MemberId = one.Id
          MemberEpoch = one.Epoch
          InstanceId = None
          RackId = None
          RebalanceTimeoutMs = (if one.Epoch = 0 then rebalanceMs else -1)
          SubscribedTopicNames = (if one.Epoch = 0 then Some [ "t" ] else None)
          SubscribedTopicRegex = None
          ServerAssignor = None
          TopicPartitions =
            (if one.Epoch = 0 then
                 Some []
             else
                 Some [ { TopicId = topicId cluster; Partitions = List.ofSeq one.Owned } ]) }

    match cluster.Get(1s, Request.ConsumerGroupHeartbeat(change request)) with
    | Response.ConsumerGroupHeartbeat response -> response
    | other -> failtest (Response.show other)

/// A heartbeat of a member that does what it is told: it takes and gives up partitions at once.
let beat (cluster: PureCluster) (one: Consumer) : ErrorCode =
    let response = beatWith cluster one id

    if not response.Error.IsError then
        one.Epoch <- response.MemberEpoch

        match response.Assignment with
        | Some assignment -> one.Owned <- assignment.TopicPartitions |> List.collect _.Partitions |> Set.ofList
        | None -> ()

    response.Error

let consumer (name: string) : Consumer = { Id = name; Epoch = 0; Owned = Set.empty }

let consumerState (cluster: PureCluster) =
    match (Groups.tryFind "g" cluster.State).Value.Kind with
    | GroupKind.Consumer group -> group
    | GroupKind.Classic _ -> failtest "a classic group"
