namespace LibKafka.Integration

open System
open System.Collections.Generic
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.LogBroker

/// Brokers that share the logs of a topic with several partitions. Each appends only to the partitions that it leads. `disturb` says what a broker does
/// for a request. It gets the broker's number, the request, and a function that does what an undisturbed broker does and returns its answer.
[<Sealed>]
type TopicCluster(topic: string, partitions: int, brokers: int, disturb: int -> Received -> (unit -> Act list) -> Act list) as this =
    let log = BrokerLog(Kafka40, 2s)
    // Held during each answer about leaders, so that it follows from one state.
    let gate = obj ()
    let running = List<ScriptedBroker>()
    let mutable partitions = partitions
    let mutable leaders = Array.init 100 (fun partition -> 1 + partition % brokers)
    let mutable epoch = 3
    let mutable topicId = Guid "11111111-2222-3333-4444-555555555555"

    do
        for node in 1..brokers do
            running.Add(new ScriptedBroker(fun me received -> this.Answer(node, me, received)))

    let addresses = [ for broker in running -> broker.Address ]

    /// The logs.
    member _.Log = log

    /// The brokers; the first is number 1.
    member _.Brokers = List.ofSeq running

    member _.Bootstrap = Bootstrap.ofAddresses addresses

    member _.Partitions
        with get () = partitions
        and set (count: int) = lock gate (fun () -> partitions <- count)

    /// Ends a broker.
    member _.Stop(node: int) = (running[node - 1] :> IDisposable).Dispose()

    /// Starts a broker again, at the same address.
    member this.Start(node: int) =
        let script me received = this.Answer(node, me, received)
        running[node - 1] <- new ScriptedBroker(script, Net.IPAddress.Loopback, id, addresses[node - 1].Port)

    /// Deletes the topic and creates it again, with this number of partitions. Its epochs begin anew.
    member _.Recreate(count: int) =
        lock gate (fun () ->
            log.Delete topic
            topicId <- Guid.NewGuid()
            epoch <- 0
            partitions <- count)

    /// Another broker leads the partition from now on.
    member _.Move(partition: int, node: int) =
        lock gate (fun () ->
            epoch <- epoch + 1
            leaders[partition] <- node)

    member private _.Metadata() : Metadata.Response =
        let known: Metadata.Topic =
            { Metadata.topic.Default with
                Name = Some topic
                TopicId = topicId
                Partitions =
                    [ for index in 0 .. partitions - 1 ->
                          { Metadata.partition.Default with
                              PartitionIndex = index
                              LeaderId = leaders[index]
                              LeaderEpoch = epoch
                              ReplicaNodes = [ leaders[index] ]
                              IsrNodes = [ leaders[index] ] } ]
                AuthorizedOperations = AuthorizedOperations.NotAsked }

        { Metadata.response.Default with
            Brokers =
                [ for node in 1..brokers ->
                      let address = addresses[node - 1]
                      { Metadata.broker.Default with NodeId = node; Host = address.Host; Port = address.Port } ]
            ControllerId = 1
            Topics = [ known ]
            ClusterAuthorizedOperations = AuthorizedOperations.NotAsked }

    member private this.Answer(node: int, me: BrokerAddress, received: Received) : Act list =
        let refusal (request: Produce.Request) : ErrorCode =
            match request.Topics.Head.Partitions.Head.Index with
            | index when index >= partitions -> ErrorCode.UnknownTopicOrPartition
            | index when leaders[index] <> node -> ErrorCode.NotLeaderOrFollower
            | _ -> ErrorCode.None

        let produce (request: Produce.Request) : Act list =
            let code = refusal request

            if code.IsError then
                let refuse (answer: Produce.PartitionResponse) = { answer with Error = code; BaseOffset = -1L }
                Script.answer Produce.api received { Script.produced refuse request with NodeEndpoints = [] }
            else
                log.Answer me received

        let answer () =
            match received.Request with
            | Request.Metadata _ -> Script.answer Metadata.api received (lock gate this.Metadata)
            | Request.Produce request -> lock gate (fun () -> produce request)
            | _ -> log.Answer me received

        disturb node received answer

    /// Requests that no broker could read, and mistakes of `disturb`.
    member _.Failures: string list =
        [ for broker in running do
              yield! broker.Failures ]

    interface IDisposable with
        member _.Dispose() =
            for broker in running do
                (broker :> IDisposable).Dispose()
