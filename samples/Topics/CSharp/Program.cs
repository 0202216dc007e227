using System;
using System.Runtime.InteropServices;
using System.Threading;
using LibKafka;

// Ctrl-C and a termination end all programs in order, except the one that ends with its input.
using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

try
{
    switch (args)
    {
        case ["keyed-producer", var bootstrap, var topic]:
            return KeyedProducer.Run(bootstrap, topic);
        case ["group-member", var bootstrap, var topic, var group]:
            GroupMember.Run(bootstrap, topic, group, stop.Token);
            return 0;
        case ["mirror", var source, var target, var topic, var group]:
            Mirror.Run(source, target, topic, group, stop.Token);
            return 0;
        case ["lag-monitor", var bootstrap, var topic, var group, var partitions]:
            LagMonitor.Run(bootstrap, topic, group, int.Parse(partitions), stop.Token);
            return 0;
        case ["exactly-once", var bootstrap, var from, var to, var group]:
            ExactlyOnceCopy.Run(bootstrap, from, to, group, stop.Token);
            return 0;
        default:
            Console.Error.WriteLine("keyed-producer bootstrap topic");
            Console.Error.WriteLine("group-member bootstrap topic group");
            Console.Error.WriteLine("mirror source-bootstrap target-bootstrap topic group");
            Console.Error.WriteLine("lag-monitor bootstrap topic group partitions");
            Console.Error.WriteLine("exactly-once bootstrap from-topic to-topic group");
            return 2;
    }
}
catch (Exception error) when (error is KafkaException or FormatException)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = args is not ["keyed-producer", ..];
    stop.Cancel();
}
