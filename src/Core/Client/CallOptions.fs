namespace LibKafka.Client

open System
open LibKafka.Wire
open System.Threading

/// What belongs to one call and not to its client. Every call takes it last, and without it gets `CallOptions.standard`.
type CallOptions =
    {
        /// The number of the attempt, from 1, that all exchanges of the call get: see `RetryPolicy`, which counts them.
        Attempt: int
        /// Cancels the call. If it is cancelled after something was sent, its connection is closed.
        Cancellation: CancellationToken
        /// Memory for the response; none to allocate it. See `ReceiveBuffer` for how long the result is valid.
        Memory: ReceiveBuffer option
        /// The time for the whole of the call: finding the broker, connecting, TLS, authentication, sending and receiving. None for the
        /// settings' `CallTimeout`; `Timeout.InfiniteTimeSpan` for no limit. Each connection is limited by `ConnectTimeout` too.
        Timeout: TimeSpan option
    }

    /// The values in one line.
    override this.ToString() = FieldText.show [ "Attempt", box this.Attempt; "Timeout", FieldText.optional this.Timeout ]

[<RequireQualifiedAccess>]
module CallOptions =

    /// The first attempt, without cancellation, with memory of its own, within the settings' `CallTimeout`.
    let standard = { Attempt = 1; Cancellation = CancellationToken.None; Memory = None; Timeout = None }

    /// The standard options with a cancellation token.
    let cancelledBy (cancellation: CancellationToken) : CallOptions = { standard with Cancellation = cancellation }

    /// The standard options with memory to read the response into.
    let into (memory: ReceiveBuffer) : CallOptions = { standard with Memory = Some memory }
