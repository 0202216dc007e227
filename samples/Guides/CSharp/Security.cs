// Connects with TLS, and authenticates with a certificate, a password or a token: bootstrap authorities.pem how [...]
using System;
using System.Threading;
using LibKafka;

static class Security
{
    public static void Run(string bootstrap, string authorities, string[] how)
    {
        var secured = new KafkaClientOptions(bootstrap) { TlsFiles = new() { Authorities = authorities } };
        var options = how switch
        {
            ["certificate", var certificate, var key] => secured with
            {
                TlsFiles = new()
                {
                    Authorities = authorities,
                    Certificate = certificate,
                    Key = key,
                },
            },
            ["password", var user, var password] => secured with { Sasl = SaslMechanism.ScramSha512(user, password) },
            ["token", var token] => secured with { Sasl = SaslMechanism.OAuthBearer(new Tokens(_ => Request(token)).Get) },
            _ => secured,
        };
        using var admin = new AdminClient(options);
        var cluster = RetryPolicy.Standard.Run(call => admin.DescribeCluster(call)).ThrowIfError();
        Console.WriteLine($"cluster {cluster.ClusterId} with {cluster.Brokers.Count} brokers");
    }

    // A real program asks the authorization server for a token.
    static (string Token, DateTimeOffset Expires) Request(string token) => (token, DateTimeOffset.UtcNow.AddMinutes(10));
}

/// <summary>Requests a token when there is none that is valid for another minute. All connections use the same one.</summary>
sealed class Tokens(Func<CancellationToken, (string Token, DateTimeOffset Expires)> request)
{
    private readonly Lock gate = new();
    private (string Token, DateTimeOffset Expires) current;

    public BearerToken Get(CancellationToken stop)
    {
        lock (gate)
        {
            if (current.Expires < DateTimeOffset.UtcNow.AddMinutes(1))
                current = request(stop);
            return new BearerToken(current.Token);
        }
    }
}
