namespace LibKafka.Topics

open System
open System.Collections.Generic
open System.Threading
open LibKafka.Client

/// The leaders of a consumer's partitions, which are asked for all at once: by one request when the first connection is needed, and again when
/// a connection has been lost since.
[<Sealed>]
type internal ConsumerLeaders(settings: ClientSettings, bootstrap: Bootstrap) =
    let known = Dictionary<string, TopicLeaders>()
    let mutable askedAt = TimeSpan.MinValue
    // Why the last request had no response.
    let mutable fault: ClientFault option = None

    // After a broker has gone, its partitions lose their connections one after another: not each needs a request of its own.
    static let shortest = TimeSpan.FromMilliseconds 50.0

    let isDue (topic: string) (lostAt: TimeSpan) (now: TimeSpan) : bool =
        not (known.ContainsKey topic) && fault.IsNone || askedAt <= lostAt && now - shortest >= askedAt

    let leaderOf (partition: TopicPartition) : Leader voption =
        match known.TryGetValue partition.Topic with
        | true, topic ->
            match topic.LeaderOf partition.Partition with
            | Ok leader -> ValueSome leader
            | Error _ -> ValueNone
        | _ -> ValueNone

    /// Asks for the leaders of some topics.
    member _.Ask(topics: string list, now: TimeSpan, call: CallOptions) : Result<TopicLeaders list, ClientFault> =
        let found = Cluster.FindLeaders(settings, bootstrap, topics, call)

        match found with
        | Ok leaders ->
            fault <- None
            askedAt <- now

            for topic in leaders do
                known[topic.Topic] <- topic
        | Error ClientFault.Cancelled -> ()
        | Error failed ->
            fault <- Some failed
            askedAt <- now

        found

    /// The leader of a partition whose connection was lost at a time; none if the cluster names none. It asks for the leaders of all topics if
    /// the last answer is older than that.
    member this.Find
        (partition: TopicPartition, lostAt: TimeSpan, now: TimeSpan, topics: unit -> string list, cancellation: CancellationToken)
        =
        let asked =
            if isDue partition.Topic lostAt now then
                this.Ask(topics (), now, CallOptions.cancelledBy cancellation) |> Result.map ignore
            else
                match fault with
                | Some fault when askedAt > lostAt -> Error fault
                | _ -> Ok()

        asked |> Result.map (fun () -> leaderOf partition)
