namespace LibKafka.Client

open System
open LibKafka.Protocol

/// An operation in progress: the client's settings, the caller's options, and the one deadline of everything that it does. It is made when a
/// public method begins and handed down from there.
[<Struct; NoEquality; NoComparison>]
type internal Operation =
    {
        Settings: ClientSettings
        Options: CallOptions
        Deadline: Deadline
        /// What the client remembers about brokers; null if there is no client.
        History: BrokerHistory | null
        /// The partition that the operation is about, for metrics and debugging.
        Partition: TopicPartition option
    }

    /// Begins an operation, which may take as long as the options say or, if they say nothing, `standard`.
    static member Begin(settings: ClientSettings, call: CallOptions option, standard: TimeSpan) : Operation =
        let options =
            match call with
            | Some options -> options
            | None -> CallOptions.standard

        let allowed =
            match options.Timeout with
            | Some timeout -> timeout
            | None -> standard

        { Settings = settings
          Options = options
          Deadline = Deadline.After(settings.Time, allowed)
          History = null
          Partition = None }

    /// Begins an operation within `CallTimeout`.
    static member Begin(settings: ClientSettings, call: CallOptions option) : Operation =
        Operation.Begin(settings, call, settings.CallTimeout)

    /// Begins an operation in which the broker may wait for this long before it responds. It gets that and 5 seconds more if this is longer
    /// than `CallTimeout`.
    static member BeginWaiting(settings: ClientSettings, call: CallOptions option, wait: TimeSpan) : Operation =
        let withWait = TimeSpan.FromMilliseconds(float (Milliseconds.ofTimeSpan wait)) + TimeSpan.FromSeconds 5.0
        Operation.Begin(settings, call, Duration.longer settings.CallTimeout withWait)

    member this.Cancellation = this.Options.Cancellation

    // `this` is passed by reference, from which a record cannot be copied with changes.
    member private this.Copy: Operation =
        { Settings = this.Settings
          Options = this.Options
          Deadline = this.Deadline
          History = this.History
          Partition = this.Partition }

    /// The same operation with less time for one part of it.
    member this.Within(limit: TimeSpan) : Operation =
        let copy = this.Copy
        { copy with Deadline = copy.Deadline.Sooner limit }

    /// The same operation of a client that remembers this about brokers.
    member this.For(history: BrokerHistory, partition: TopicPartition option) : Operation =
        let copy = this.Copy
        { copy with History = history; Partition = partition }

    /// The same operation for an exchange of the client's own, which must not use the caller's memory and is not about the partition.
    member this.Own: Operation =
        let copy = this.Copy

        if copy.Options.Memory.IsNone && copy.Partition.IsNone then
            copy
        else
            { copy with Options = { copy.Options with Memory = None }; Partition = None }

    /// An exchange of which nothing was sent.
    member this.NotMade(api: Api<'Request, 'Response>, broker: BrokerAddress option, request: 'Request, fault: ClientFault) =
        let time = this.Settings.Time
        let elapsed = this.Deadline.Elapsed

        { Info =
            { Api = api.Key
              Version = -1s
              Broker = broker
              CorrelationId = 0
              Attempt = this.Options.Attempt
              Partition = this.Partition
              Began = time.GetUtcNow() - elapsed
              Elapsed = elapsed
              BytesOut = 0
              BytesIn = 0
              UnreadBytes = 0
              ThrottleTime = TimeSpan.Zero
              Fault = Some fault }
          Request = request
          Result = Error fault }

[<RequireQualifiedAccess>]
module internal Operation =

    /// Reports an exchange to .NET's instruments, with the error code in its response, and to the settings' observer. Clients bring their state
    /// up to date before, because an observer may throw.
    let report (settings: ClientSettings) (info: ExchangeInfo) (code: ErrorCode) =
        Telemetry.report settings.ClientId info code
        settings.Observe info

    /// The exchange, after it was reported.
    let reported (operation: Operation) (exchange: Exchange<'Request, 'Answer>) : Exchange<'Request, 'Answer> =
        report operation.Settings exchange.Info ErrorCode.None
        exchange
