/// Copies a topic to another in upper case, each record once, until it is stopped: bootstrap from to group
module LibKafka.Samples.ExactlyOnceCopy

open System
open System.Text
open System.Threading
open LibKafka.Records
open LibKafka.Client
open LibKafka.Topics

let run (bootstrap: string) (source: string) (target: string) (group: string) (stop: CancellationToken) =
    let upper =
        Transform(fun _ records output ->
            for record in records do
                let value = Encoding.UTF8.GetBytes((Encoding.UTF8.GetString record.Value).ToUpperInvariant())
                output.Add(target, record.Key, NullableSpan.op_Implicit value))

    let brokers = Bootstrap.parse bootstrap |> Result.defaultWith (failwithf "%O")
    let settings = ExactlyOnceSettings.make group [ source ] (group + "-copy")
    use copy = new ExactlyOnce(ClientSettings.standard, brokers, settings, upper)

    while not stop.IsCancellationRequested do
        match copy.Poll(TimeSpan.FromSeconds 1.0, stop) with
        | Some(ExactlyOnceEvent.Failed problem) -> failwith $"{problem}"
        | Some(ExactlyOnceEvent.Group(GroupEvent.Failed failure)) when failure.IsFatal -> failwith $"{failure}"
        | Some event -> eprintfn $"{event}"
        | None -> ()

    eprintfn $"{copy.Close()}"
