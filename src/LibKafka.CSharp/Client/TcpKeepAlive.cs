using System;

namespace LibKafka;

/// <summary>
/// When TCP checks whether an idle peer is still there. It keeps firewalls from forgetting the connection, and detects a host that is gone.
/// </summary>
public sealed record TcpKeepAlive
{
    private static readonly Client.TcpKeepAlive Standard = Client.TcpKeepAliveModule.standard;

    /// <summary>How long the connection is idle before the first probe: a minute unless set. Fractions of a second are rounded up.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a second or longer than 2³¹ milliseconds.</exception>
    public TimeSpan Idle
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.FromSeconds(1), nameof(Idle));
    } = Standard.Idle;

    /// <summary>The time between two probes: 15 seconds unless set. Fractions of a second are rounded up.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a second or longer than 2³¹ milliseconds.</exception>
    public TimeSpan Interval
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.FromSeconds(1), nameof(Interval));
    } = Standard.Interval;

    /// <summary>
    /// How many probes in succession may stay unanswered before the connection is considered broken: 4 unless set.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is zero or negative.</exception>
    public int Probes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(Probes));
            field = value;
        }
    } = Standard.Probes;

    internal Client.TcpKeepAlive ToCore() => new(Idle, Interval, Probes);
}
