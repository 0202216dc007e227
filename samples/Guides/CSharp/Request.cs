// Sends a request by hand, as Kafka's own JSON, and prints the response: bootstrap
using System;
using LibKafka;

static class Request
{
    public static void Run(string bootstrap)
    {
        using var connection = KafkaCluster.Connect(new KafkaClientOptions(bootstrap)).ThrowIfError();
        foreach (var (api, versions) in connection.BrokerVersions)
            Console.Error.WriteLine($"{api.Name} {versions}");

        var request = """{ "stateFilters": [], "producerIdFilters": [], "durationFilter": -1 }""";
        Console.WriteLine(connection.Call(ApiKey.ListTransactions, request, version: 1).ThrowIfError());
    }
}
