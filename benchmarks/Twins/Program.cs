using System;
using System.Threading;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
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
        ExactlyOnce.Run(bootstrap, from, to, group, stop.Token);
        return 0;
    default:
        Console.Error.WriteLine("keyed-producer | group-member | mirror | lag-monitor | exactly-once");
        return 2;
}
