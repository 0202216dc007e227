/// Prints the records of a topic as a member of a group, until it is stopped. Each part is committed when it has been printed.
module LibKafka.Samples.GroupMember

open System
open System.Text
open System.Threading
open LibKafka.Client
open LibKafka.Topics

let run (brokers: Bootstrap) (topic: string) (group: string) (print: string -> unit) (stop: CancellationToken) =
    let settings = { GroupSettings.make group [ topic ] with CommitInterval = None }
    use consumer = new GroupConsumer(ClientSettings.standard, brokers, settings)

    while not stop.IsCancellationRequested do
        match consumer.Poll(TimeSpan.FromSeconds 1.0, stop) with
        | Some(GroupEvent.Read(ConsumerEvent.Fetched(partition, records, _, _))) ->
            for record in records do
                print $"{partition} {record.Offset}: {Encoding.UTF8.GetString record.Key} = {Encoding.UTF8.GetString record.Value}"

            print $"{consumer.Commit()}"
        | Some(GroupEvent.Failed failure) when failure.IsFatal -> failwith $"{failure}"
        | Some event -> print $"{event}"
        | None -> ()

    print $"{consumer.Close()}"
