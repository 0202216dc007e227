using System;
using System.Runtime.InteropServices;
using System.Threading;
using LibKafka;

try
{
    switch (args)
    {
        case ["compaction", var bootstrap, var topic]:
            Compaction.Run(bootstrap, topic);
            return 0;
        case ["async-producing", var bootstrap, var topic]:
            await AsyncProducing.Run(bootstrap, topic);
            return 0;
        case ["dead-letters", var bootstrap, var topic, var deadTopic, var group]:
            using (var stop = new CancellationTokenSource())
            using (PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, stop)))
                DeadLetters.Run(bootstrap, topic, deadTopic, group, stop.Token);
            return 0;
        case ["tracing", var bootstrap, var topic]:
            Tracing.Run(bootstrap, topic);
            return 0;
        case ["security", var bootstrap, var authorities, .. var how]:
            Security.Run(bootstrap, authorities, how);
            return 0;
        case ["schema-registry", var bootstrap, var topic, var registry]:
            SchemaRegistry.Run(bootstrap, topic, registry);
            return 0;
        case ["hosting", var bootstrap, var topic, var group]:
            Hosting.Run(bootstrap, topic, group);
            return 0;
        case ["health", var bootstrap]:
            return await Health.Run(bootstrap);
        case ["telemetry", var bootstrap, var topic]:
            Telemetry.Run(bootstrap, topic);
            return 0;
        case ["request", var bootstrap]:
            Request.Run(bootstrap);
            return 0;
        default:
            Console.Error.WriteLine("compaction bootstrap topic");
            Console.Error.WriteLine("async-producing bootstrap topic");
            Console.Error.WriteLine("dead-letters bootstrap topic dead-topic group");
            Console.Error.WriteLine("tracing bootstrap topic");
            Console.Error.WriteLine("security bootstrap authorities.pem [certificate FILE KEY | password USER PASSWORD | token TOKEN]");
            Console.Error.WriteLine("schema-registry bootstrap topic registry");
            Console.Error.WriteLine("hosting bootstrap topic group");
            Console.Error.WriteLine("health bootstrap");
            Console.Error.WriteLine("telemetry bootstrap topic");
            Console.Error.WriteLine("request bootstrap");
            return 2;
    }
}
catch (KafkaException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}

static void Stop(PosixSignalContext signal, CancellationTokenSource stop)
{
    signal.Cancel = true;
    stop.Cancel();
}
