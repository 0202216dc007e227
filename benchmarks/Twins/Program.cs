using System;
using System.Threading;
using LibKafka.Benchmarks.Twins;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
switch (args)
{
    case ["keyed-producer", var bootstrap, var topic]:
        return KeyedProducer.Run(bootstrap, topic, Console.In) == 0 ? 0 : 1;
    case ["group-member", var bootstrap, var topic, var group]:
        GroupMember.Run(bootstrap, topic, group, Console.WriteLine, stop.Token);
        return 0;
    case ["mirror", var source, var target, var topic, var group]:
        Mirror.Run(source, target, topic, group, stop.Token);
        return 0;
    case ["lag-monitor", var bootstrap, var topic, var group, var partitions]:
        LagMonitor.Run(bootstrap, topic, group, int.Parse(partitions), Console.WriteLine, stop.Token);
        return 0;
    case ["exactly-once", var bootstrap, var from, var to, var group]:
        ExactlyOnce.Run(bootstrap, from, to, group, stop.Token);
        return 0;
    default:
        Console.Error.WriteLine(
            "keyed-producer BOOTSTRAP TOPIC | group-member BOOTSTRAP TOPIC GROUP | mirror SOURCE TARGET TOPIC GROUP | "
                + "lag-monitor BOOTSTRAP TOPIC GROUP PARTITIONS | exactly-once BOOTSTRAP FROM TO GROUP"
        );
        return 2;
}
