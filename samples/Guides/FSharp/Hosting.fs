/// A member of a group as a service of a .NET host. Ctrl-C stops it cleanly: bootstrap topic group
module LibKafka.Samples.Hosting

open System
open System.Text
open System.Threading
open System.Threading.Tasks
open LibKafka.Client
open LibKafka.Topics
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Hosting
open Microsoft.Extensions.Logging

type OrderWorker(client: ClientSettings, brokers: Bootstrap, group: GroupSettings, logger: ILogger<OrderWorker>) =
    inherit BackgroundService()

    let consume (stop: CancellationToken) =
        use consumer = new GroupConsumer(client, brokers, group)

        while not stop.IsCancellationRequested do
            match consumer.Poll(TimeSpan.FromSeconds 1.0, stop) with
            | Some(GroupEvent.Read(ConsumerEvent.Fetched(_, records, _, _))) ->
                for record in records do
                    logger.LogInformation("order {Order}", Encoding.UTF8.GetString record.Value)
            | Some(GroupEvent.Failed failure) when failure.IsFatal -> failwith $"{failure}"
            | Some event -> logger.LogInformation("{Event}", event)
            | None -> ()

        // Commits what has been handled, and leaves the group.
        logger.LogInformation("closed: {Result}", consumer.Close())

    // A thread of its own, because Poll blocks. If it fails, so does the service, and by default the host stops.
    override _.ExecuteAsync(stop: CancellationToken) =
        Task.Factory.StartNew((fun () -> consume stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)

let run (bootstrap: string) (topic: string) (group: string) =
    let builder = Host.CreateApplicationBuilder()
    builder.Services.AddSingleton ClientSettings.standard |> ignore
    builder.Services.AddSingleton(Bootstrap.parse bootstrap |> Result.defaultWith (failwithf "%O")) |> ignore
    builder.Services.AddSingleton(GroupSettings.make group [ topic ]) |> ignore
    builder.Services.AddHostedService<OrderWorker>() |> ignore
    builder.Build().Run()
