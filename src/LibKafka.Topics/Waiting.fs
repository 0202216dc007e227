namespace LibKafka.Topics

open System
open System.Threading

/// Times to wait. `Timeout.InfiniteTimeSpan` is a wait without a limit; it is -1 ms, so what is left of a time must never become negative.
[<RequireQualifiedAccess>]
module internal Waiting =

    /// What is left of a time from a timestamp of the clock on; zero if it is over.
    let left (time: TimeProvider) (since: int64) (limit: TimeSpan) : TimeSpan =
        if limit = Timeout.InfiniteTimeSpan then
            limit
        else
            max TimeSpan.Zero (limit - time.GetElapsedTime since)

    /// The shorter of two times.
    let shorter (one: TimeSpan) (other: TimeSpan) : TimeSpan =
        if one = Timeout.InfiniteTimeSpan then other
        elif other = Timeout.InfiniteTimeSpan then one
        else min one other
