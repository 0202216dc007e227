namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol

/// The facts of one call, for metrics and debugging.
type ExchangeInfo =
    {
        Api: ApiKey
        /// The version that was used; -1 where it did not come to that.
        Version: int16
        /// The broker that was asked; none where no connection was made.
        Broker: BrokerAddress option
        CorrelationId: int32
        /// Which attempt at the same call it was, from 1, as the caller counts them: see `RetryPolicy`. 1 where a call takes no such number.
        Attempt: int
        Began: DateTimeOffset
        Elapsed: TimeSpan
        /// Bytes sent, lengths and headers included.
        BytesOut: int
        /// Bytes received, lengths and headers included.
        BytesIn: int
        /// Bytes of the answer that stand behind what its version should have. They were ignored; a broker that keeps to the protocol
        /// sends none.
        UnreadBytes: int
        /// How long the broker asks the client to pause because it exceeded a quota (KIP-219); zero where it does not.
        ThrottleTime: TimeSpan
        /// What went wrong, where something did.
        Fault: ClientFault option
    }

    /// Whether any part of the request may have reached the broker.
    member this.WasSent = this.BytesOut > 0

/// One call: what was asked and what came of it. An error code from the broker is not a fault but part of the response.
type Exchange<'Request, 'Response> = { Info: ExchangeInfo; Request: 'Request; Outcome: Result<'Response, ClientFault> }
