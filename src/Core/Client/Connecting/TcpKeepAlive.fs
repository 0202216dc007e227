namespace LibKafka.Client

open System
open LibKafka.Wire

/// When TCP checks whether an idle peer is still there. It keeps firewalls from forgetting the connection, and detects a host that is gone.
type TcpKeepAlive =
    {
        /// How long the connection is idle before the first probe, in whole seconds.
        Idle: TimeSpan
        /// The time between two probes, in whole seconds.
        Interval: TimeSpan
        /// How many probes in succession may stay unanswered before the connection is considered broken.
        Probes: int
    }

    /// The values in one line.
    override this.ToString() = FieldText.show [ "Idle", box this.Idle; "Interval", box this.Interval; "Probes", box this.Probes ]

[<RequireQualifiedAccess>]
module TcpKeepAlive =

    /// The first probe after a minute, then one every 15 seconds, four in all.
    let standard = { Idle = TimeSpan.FromMinutes 1.0; Interval = TimeSpan.FromSeconds 15.0; Probes = 4 }
