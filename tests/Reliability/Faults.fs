namespace LibKafka.Reliability

open System
open System.Collections.Concurrent
open System.Collections.Generic
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Testing
open LibKafka.Reliability.Support

/// Reactions of brokers after which a connection cannot be used any more.
[<RequireQualifiedAccess>]
module Broken =

    /// A response frame of random bytes. The request has this correlation id.
    let garbage (random: Random) (correlationId: int32) : Bytes =
        let length = random.Next(4, 60)
        let frame = Array.zeroCreate<byte>(4 + length)
        random.NextBytes frame
        Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(), length)

        if random.Next 2 = 0 then
            Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan 4, correlationId ^^^ 0x100)

        Bytes frame

    /// A length that no response has.
    let badLength (length: int) : Bytes =
        let frame = Array.zeroCreate<byte> 4
        Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(), length)
        Bytes frame

    let reactions (random: Random) (correlationId: int32) : (string * Reaction) list =
        [ "the response is cut off", Reaction.CutAfter(random.Next 40)
          "the connection is closed", Reaction.Close
          "the request is cut off", Reaction.CutRequestAfter(random.Next 40)
          "the correlation id is wrong", Reaction.WrongCorrelationId
          "the response is garbage", Reaction.Raw(garbage random correlationId)
          "the length is negative", Reaction.Raw(badLength (-1 - random.Next 1000))
          "the length is too large", Reaction.Raw(badLength Int32.MaxValue)
          "the length is too small", Reaction.Raw(badLength (random.Next 4))
          "there is no response", Reaction.Silence
          "the request is ignored", Reaction.Ignore ]

/// Faults of a cluster that are injected one after another, chosen at random. Between them, `Calm` ends everything that still fails.
[<Sealed>]
type Faults(kafka: TestBroker, topics: string list, seed: int) =
    let random = Random seed
    // The numbers of requests whose connection must not be used afterwards.
    let broken = ConcurrentDictionary<int64, string>()
    let mutable count = 0

    let nodes () = kafka.State.Nodes.Values |> List.ofSeq
    let pick (from: 'T list) : 'T = from[random.Next from.Length]

    /// Error codes that brokers give for a reason that goes away.
    let codes (api: ApiKey) : ErrorCode list =
        if api = ApiKey.Produce then
            [ ErrorCode.NotLeaderOrFollower
              ErrorCode.NotEnoughReplicas
              ErrorCode.RequestTimedOut
              ErrorCode.KafkaStorageError
              ErrorCode.UnknownTopicOrPartition ]
        elif api = ApiKey.Fetch || api = ApiKey.ListOffsets then
            [ ErrorCode.NotLeaderOrFollower
              ErrorCode.KafkaStorageError
              ErrorCode.UnknownLeaderEpoch
              ErrorCode.FencedLeaderEpoch ]
        elif api = ApiKey.Metadata then
            [ ErrorCode.LeaderNotAvailable ]
        else
            [ ErrorCode.NotCoordinator; ErrorCode.CoordinatorNotAvailable; ErrorCode.CoordinatorLoadInProgress ]

    let apis =
        [ ApiKey.Produce
          ApiKey.Produce
          ApiKey.Produce
          ApiKey.Fetch
          ApiKey.Fetch
          ApiKey.Fetch
          ApiKey.Metadata
          ApiKey.ListOffsets
          ApiKey.FindCoordinator
          ApiKey.JoinGroup
          ApiKey.SyncGroup
          ApiKey.Heartbeat
          ApiKey.ConsumerGroupHeartbeat
          ApiKey.OffsetCommit
          ApiKey.OffsetFetch
          ApiKey.InitProducerId
          ApiKey.AddPartitionsToTxn
          ApiKey.EndTxn ]

    let react (api: ApiKey) (times: int) (choose: BrokerExchange -> Reaction) =
        kafka.Script.On(RequestFilter(Api = Nullable api), Func<_, _> choose, times) |> ignore

    let breakNext (api: ApiKey) =
        let choice = random.Next 10
        let own = Random(random.Next())

        react api 1 (fun exchange ->
            let name, reaction = (Broken.reactions own exchange.Header.CorrelationId)[choice]
            broken[exchange.Number] <- name
            reaction)

    let refuseNext (api: ApiKey) =
        let code = pick (codes api)
        react api (1 + random.Next 2) (fun _ -> Reaction.Fail code)

    // The broker appends the batch and is not sure of it.
    let doubtNext () =
        let code = pick [ ErrorCode.RequestTimedOut; ErrorCode.NotEnoughReplicasAfterAppend; ErrorCode.UnknownServerError ]
        react ApiKey.Produce 1 (fun _ -> Reaction.FailAfterwards code)

    let delayNext (api: ApiKey) =
        let time = ms (pick [ 1; 5; 20; 100; 400 ])
        react api 1 (fun _ -> Reaction.Delay time)

    let move () =
        let topic = pick topics
        let partition = random.Next kafka.State.Topics[topic].Partitions.Length
        let isRunning id = kafka.State.Nodes[id].Status = NodeStatus.Running

        match kafka.State.Topics[topic].Partitions[partition].Replicas |> List.filter isRunning with
        | [] -> ()
        | running -> kafka.MoveLeader(topic, partition, pick running)

    let startAll () =
        for node in nodes () do
            match node.Status with
            | NodeStatus.Stopped -> kafka.StartBroker node.Id
            | NodeStatus.Paused -> kafka.ResumeBroker node.Id
            | NodeStatus.Running -> ()

    let downOne (down: int32 -> unit) =
        startAll ()
        if kafka.State.Nodes.Count > 1 then down (pick (nodes ())).Id

    /// Whether brokers are paused, which makes them carry out requests whose clients have given them up.
    member val Pauses = true with get, set

    /// Faults in addition to the usual ones.
    member val Further: (unit -> unit) list = [] with get, set

    /// Injects a fault.
    member this.Strike() =
        count <- count + 1
        let api = pick apis

        match random.Next 16 with
        | 0
        | 1
        | 2
        | 3
        | 4
        | 5 -> breakNext api
        | 6
        | 7 -> refuseNext api
        | 8 -> doubtNext ()
        | 9 -> delayNext api
        | 10 -> move ()
        | 11 -> downOne kafka.StopBroker
        | 12 when this.Pauses -> downOne kafka.PauseBroker
        | 13 -> kafka.CloseConnections (pick (nodes ())).Id
        | 14 -> kafka.EvictFetchSessions()
        | _ when this.Further.IsEmpty -> startAll ()
        | _ -> (pick this.Further) ()

    /// Ends all faults.
    member _.Calm() =
        kafka.Script.Clear()
        startAll ()

    /// The number of faults so far.
    member _.Count = count

    /// Fails if a connection was used after a fault that leaves its frames out of step.
    member _.DemandClosed() =
        let later = Dictionary<int64, int64>()

        for exchange in kafka.Requests do
            later[exchange.Connection] <- exchange.Number

        for exchange in kafka.Requests do
            match broken.TryGetValue exchange.Number with
            | true, name -> Expect.equal later[exchange.Connection] exchange.Number ("no request on a connection after: " + name)
            | _ -> ()
