// Asks the cluster for its description, with a connection and a short time-out of its own.
using System;
using System.Threading;
using System.Threading.Tasks;
using LibKafka;
using Microsoft.Extensions.Diagnostics.HealthChecks;

sealed class KafkaHealthCheck(KafkaClientOptions options) : IHealthCheck
{
    // The call blocks, so it does not run in the thread that asks.
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.Run(() => Check(context.Registration.FailureStatus, cancellationToken), cancellationToken);

    private HealthCheckResult Check(HealthStatus failure, CancellationToken stop)
    {
        using var admin = new AdminClient(options);
        var call = new CallOptions { Timeout = TimeSpan.FromSeconds(5), CancellationToken = stop };
        var cluster = admin.DescribeCluster(call);
        return cluster.IsSuccess
            ? HealthCheckResult.Healthy($"{cluster.Value!.Brokers.Count} brokers")
            : new HealthCheckResult(failure, cluster.ToString());
    }
}
