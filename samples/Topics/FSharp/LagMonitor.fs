/// Prints how far a group is behind in each partition of a topic, once a second, until it is stopped: bootstrap topic group partitions
module LibKafka.Samples.LagMonitor

open System.Threading
open LibKafka
open LibKafka.Client

let run (bootstrap: string) (topic: string) (group: string) (partitions: int) (stop: CancellationToken) =
    let orFail result = Result.defaultWith (failwithf "%O") result
    let brokers = Bootstrap.parse bootstrap |> orFail
    use groups = new GroupClient(ClientSettings.standard, brokers, group)
    use admin = new AdminClient(ClientSettings.standard, brokers)
    let all = List.init partitions (fun partition -> { Topic = topic; Partition = partition })
    let find spec = RetryPolicy.standard.Run(fun call -> admin.ListOffsets([ for one in all -> one, spec ], call = call)).Result
    let mutable isOver = false

    while not isOver do
        let committed =
            RetryPolicy.standard.Run(fun call -> groups.FetchOffsets(GroupMembership.none, all, false, call)).Result |> orFail
        for at, (_, first), (_, last) in List.zip3 committed (find OffsetSpec.Earliest) (find OffsetSpec.Latest) do
            let position = at.Result |> orFail |> Option.map _.Offset |> Option.defaultValue 0L
            printfn $"{at.Partition}: {(orFail last).Offset - max position (orFail first).Offset}"
        isOver <- stop.WaitHandle.WaitOne 1000
