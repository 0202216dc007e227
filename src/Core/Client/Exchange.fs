namespace LibKafka.Client

open System
open System.Globalization
open LibKafka.Wire
open LibKafka.Protocol

/// The facts of one request and its response, for metrics and debugging.
type ExchangeInfo =
    {
        Api: ApiKey
        /// The version that was used; -1 if none was chosen.
        Version: int16
        /// The broker that was asked; none if there was no connection.
        Broker: BrokerAddress option
        CorrelationId: int32
        /// The number of the attempt, from 1: see `CallOptions.Attempt`.
        Attempt: int
        /// The topic partition that the request is about; none if it is about none or several.
        Partition: TopicPartition option
        Began: DateTimeOffset
        Elapsed: TimeSpan
        /// Bytes sent, including lengths and headers.
        BytesOut: int
        /// Bytes received, including lengths and headers.
        BytesIn: int
        /// Bytes of the response after the last field of its version. They were ignored. A broker that follows the protocol sends none.
        UnreadBytes: int
        /// How long the broker asks the client to pause because it exceeded a quota (KIP-219); zero if it does not ask.
        ThrottleTime: TimeSpan
        /// What went wrong; none if nothing did.
        Fault: ClientFault option
    }

    /// Whether any part of the request may have reached the broker.
    member this.WasSent = this.BytesOut > 0

    /// A one-line description, such as `Fetch v12 to 127.0.0.1:9092: 131 bytes out, 5120 bytes in, 1.25 ms`.
    override this.ToString() =
        let version = if this.Version < 0s then "" else " v" + string this.Version

        let broker =
            match this.Broker with
            | Some broker -> " to " + broker.ToString()
            | None -> ""

        let fault =
            match this.Fault with
            | Some fault -> ", " + fault.ToString()
            | None -> ""

        String.Format(
            CultureInfo.InvariantCulture,
            "{0}{1}{2}: {3} bytes out, {4} bytes in, {5:0.##} ms{6}",
            this.Api,
            version,
            broker,
            this.BytesOut,
            this.BytesIn,
            this.Elapsed.TotalMilliseconds,
            fault
        )

/// A request and its response, or the reason why there is none. An error code from the broker is not a fault but part of the response.
type Exchange<'Request, 'Response> =
    { Info: ExchangeInfo
      Request: 'Request
      Result: Result<'Response, ClientFault> }

    /// The description of `Info`.
    override this.ToString() = this.Info.ToString()

[<RequireQualifiedAccess>]
module Exchange =

    /// The exchange with its response changed by a function.
    let map (change: 'Before -> 'After) (exchange: Exchange<'Request, 'Before>) : Exchange<'Request, 'After> =
        { Info = exchange.Info; Request = exchange.Request; Result = Result.map change exchange.Result }

/// What a call returned: its result, and every exchange that it took.
[<AbstractClass>]
type Reply<'Result>(result: 'Result) =

    /// The result of the call.
    member _.Result = result

    /// The exchanges that led to the result, in order.
    abstract Exchanges: ExchangeInfo list

    /// The descriptions of the exchanges.
    override this.ToString() = String.Join("; ", this.Exchanges)

/// What a call returned: its result, and the exchange that it comes from. An error code from the broker is part of the result.
type Reply<'Request, 'Response, 'Result>(exchange: Exchange<'Request, 'Response>, result: 'Result) =
    inherit Reply<'Result>(result)

    /// The request and its response.
    member _.Exchange = exchange

    override _.Exchanges = [ exchange.Info ]
