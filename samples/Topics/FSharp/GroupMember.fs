/// Prints the records of a topic as a member of a group, until it is stopped: bootstrap topic group
module LibKafka.Samples.GroupMember

open System
open System.Text
open System.Threading
open LibKafka.Client
open LibKafka.Topics

let run (bootstrap: string) (topic: string) (group: string) (stop: CancellationToken) =
    let brokers = Bootstrap.parse bootstrap |> Result.defaultWith (failwithf "%O")
    use consumer = new GroupConsumer(ClientSettings.standard, brokers, GroupSettings.make group [ topic ])

    while not stop.IsCancellationRequested do
        match consumer.Poll(TimeSpan.FromSeconds 1.0, stop) with
        | Some(GroupEvent.Read(ConsumerEvent.Fetched(partition, records, _, _))) ->
            for record in records do
                printfn $"{partition} {record.Offset}: {Encoding.UTF8.GetString record.Key} = {Encoding.UTF8.GetString record.Value}"

            eprintfn $"{consumer.Commit()}"
        | Some(GroupEvent.Failed failure) when failure.IsFatal -> failwith $"{failure}"
        | Some event -> eprintfn $"{event}"
        | None -> ()

    eprintfn $"{consumer.Close()}"
