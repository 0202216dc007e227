/// Copies a topic to another in upper case, each record once, until it is stopped.
module LibKafka.Samples.ExactlyOnceCopy

open System
open System.Text
open System.Threading
open LibKafka.Records
open LibKafka.Client
open LibKafka.Topics

let run (brokers: Bootstrap) (source: string) (target: string) (group: string) (print: string -> unit) (stop: CancellationToken) =
    let upper =
        Transform(fun _ records output ->
            for record in records do
                let value = Encoding.UTF8.GetBytes((Encoding.UTF8.GetString record.Value).ToUpperInvariant())
                output.Add(target, record.Key, NullableSpan.op_Implicit value))

    let settings = ExactlyOnceSettings.make group [ source ] (group + "-copy")
    use copy = new ExactlyOnce(ClientSettings.standard, brokers, settings, upper)

    while not stop.IsCancellationRequested do
        match copy.Poll(TimeSpan.FromSeconds 1.0, stop) with
        | Some(ExactlyOnceEvent.Failed problem) -> failwith $"{problem}"
        | Some event -> print $"{event}"
        | None -> ()

    print $"{copy.Close()}"
