// Runs the health check once: bootstrap
using System;
using System.Threading.Tasks;
using LibKafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

static class Health
{
    public static async Task<int> Run(string bootstrap)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(new KafkaClientOptions(bootstrap));
        services.AddHealthChecks().AddCheck<KafkaHealthCheck>("kafka");
        await using var provider = services.BuildServiceProvider();
        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Console.WriteLine($"{report.Status}: {report.Entries["kafka"].Description}");
        return report.Status == HealthStatus.Healthy ? 0 : 1;
    }
}
