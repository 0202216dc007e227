// A member of a group as a service of a .NET host. Ctrl-C stops it cleanly: bootstrap topic group
using System;
using System.Threading;
using System.Threading.Tasks;
using LibKafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using static System.Text.Encoding;

static class Hosting
{
    public static void Run(string bootstrap, string topic, string group)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddSingleton(services =>
            new KafkaClientOptions(bootstrap).LogTo(services.GetRequiredService<ILogger<KafkaClientOptions>>())
        );
        builder.Services.AddSingleton(new GroupConsumerOptions(group, topic));
        builder.Services.AddHostedService<OrderWorker>();
        builder.Services.AddHealthChecks().AddCheck<KafkaHealthCheck>("kafka");
        builder.Build().Run();
    }
}

sealed class OrderWorker(KafkaClientOptions client, GroupConsumerOptions group, ILogger<OrderWorker> logger) : BackgroundService
{
    // A thread of its own, because Poll blocks. If it fails, so does the service, and by default the host stops.
    protected override Task ExecuteAsync(CancellationToken stop) =>
        Task.Factory.StartNew(() => Consume(stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Consume(CancellationToken stop)
    {
        using var consumer = new GroupConsumer(client, group);
        while (!stop.IsCancellationRequested)
            switch (consumer.Poll(TimeSpan.FromSeconds(1), stop))
            {
                case RecordsFetched fetched:
                    foreach (ref readonly var record in fetched.Records)
                        logger.LogInformation("order {Order}", UTF8.GetString(record.Value));
                    break;
                case GroupFailed { IsFatal: true } failed:
                    throw failed.Failure.ToException();
                case { } other:
                    logger.LogInformation("{Event}", other);
                    break;
            }
        // Commits what has been handled, and leaves the group.
        logger.LogInformation("closed: {Result}", consumer.Close());
    }
}
