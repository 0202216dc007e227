/// Prints how far a group is behind in each partition of a topic, once a second, until it is stopped.
module LibKafka.Samples.LagMonitor

open System.Threading
open LibKafka
open LibKafka.Client

let run (brokers: Bootstrap) (topic: string) (group: string) (partitions: int) (print: string -> unit) (stop: CancellationToken) =
    use groups = new GroupClient(ClientSettings.standard, brokers, group)
    use admin = new AdminClient(ClientSettings.standard, brokers)
    let all = List.init partitions (fun partition -> { Topic = topic; Partition = partition })

    while not (stop.WaitHandle.WaitOne 1000) do
        let ends = admin.ListOffsets(all |> List.map (fun partition -> partition, OffsetSpec.Latest)).Result

        match groups.FetchOffsets(GroupMembership.none, all, false).Result with
        | Error fault -> failwith $"{fault}"
        | Ok committed ->
            for at, (partition, last) in List.zip committed ends do
                match at.Result, last with
                | Ok(Some position), Ok last -> print $"{partition}: {last.Offset - position.Offset}"
                | _ -> print $"{at}, {last}"
