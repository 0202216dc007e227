namespace LibKafka.Client

open System
open System.Globalization
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

/// What a call returned. A fault and an error code are values in it.
[<AbstractClass>]
type Reply() =

    /// The exchanges that led to the result, in order.
    abstract Exchanges: ExchangeInfo list

    /// The descriptions of the exchanges.
    override this.ToString() = String.Join("; ", this.Exchanges)

    /// The error code in the response, the first if there are several, or the one that caused the fault, such as COORDINATOR_NOT_AVAILABLE if no
    /// coordinator was found; `None` if there is none.
    abstract Error: ErrorCode

    /// Whether the call failed for a reason that may go away by itself, and may be repeated without harm: see `RetryPolicy.standard`.
    abstract IsTransient: bool

/// What a call returned: its result, and every exchange that it took.
[<AbstractClass>]
type Reply<'Result>(result: 'Result) =
    inherit Reply()

    /// The result of the call.
    member _.Result = result

/// The error codes in a response, or the fault because of which there are none.
[<RequireQualifiedAccess>]
module internal Codes =

    /// The first code that is an error, or the one that caused the fault.
    let first (codes: Result<ErrorCode list, ClientFault>) : ErrorCode =
        match codes with
        | Ok codes -> codes |> List.tryFind _.IsError |> Option.defaultValue ErrorCode.None
        | Error fault -> fault.ErrorCode

    /// Whether there is a fault or an error, and nothing but the transient ones.
    let areTransient (codes: Result<ErrorCode list, ClientFault>) : bool =
        match codes with
        | Ok codes ->
            let errors = codes |> List.filter _.IsError
            not errors.IsEmpty && errors |> List.forall _.IsRetriable
        | Error fault -> fault.IsTransient

/// What a call returned: its result, and the exchange that it comes from. An error code from the broker is part of the result.
type Reply<'Request, 'Response, 'Result>
    internal (exchange: Exchange<'Request, 'Response>, result: 'Result, codesOf: 'Result -> Result<ErrorCode list, ClientFault>) =
    inherit Reply<'Result>(result)

    /// The request and its response.
    member _.Exchange = exchange

    /// The request.
    member _.Request = exchange.Request

    /// The facts of the exchange.
    member _.Info = exchange.Info

    override _.Exchanges = [ exchange.Info ]
    override this.Error = Codes.first (codesOf this.Result)
    override this.IsTransient = Codes.areTransient (codesOf this.Result)

[<RequireQualifiedAccess>]
module internal Reply =

    /// An error code as a failure.
    let ofCode (code: ErrorCode) : Result<unit, ErrorCode> = if code.IsError then Error code else Ok()

    /// The result of a call whose answer has an error code.
    let resultOf (codeOf: 'Answer -> ErrorCode) (answer: Result<'Answer, ClientFault>) : Result<'Answer, CallFailure> =
        match answer with
        | Ok answer when (codeOf answer).IsError -> Error(CallFailure.Code(codeOf answer))
        | Ok answer -> Ok answer
        | Error fault -> Error(CallFailure.Fault fault)

    /// The error codes of a result.
    let codesOf (codesOfValue: 'Value -> ErrorCode list) (result: Result<'Value, CallFailure>) : Result<ErrorCode list, ClientFault> =
        match result with
        | Ok value -> Ok(codesOfValue value)
        | Error(CallFailure.Code code) -> Ok [ code ]
        | Error(CallFailure.Fault fault) -> Error fault

    let private make
        (exchange: Exchange<'Request, 'Response>)
        (codesOfValue: 'Value -> ErrorCode list)
        (result: Result<'Value, CallFailure>)
        =
        Reply<'Request, 'Response, Result<'Value, CallFailure>>(exchange, result, codesOf codesOfValue)

    /// The reply to a call whose response has one error code. `read` gives the value.
    let reading (codeOf: 'Response -> ErrorCode) (read: 'Response -> 'Value) (exchange: Exchange<'Request, 'Response>) =
        resultOf codeOf exchange.Result |> Result.map read |> make exchange (fun _ -> [])

    /// The reply with another value.
    let map (read: 'Before -> 'After) (reply: Reply<'Request, 'Response, Result<'Before, CallFailure>>) =
        reply.Result |> Result.map read |> make reply.Exchange (fun _ -> [])

    /// The reply to a call that has a value, an error code or a fault.
    let flat
        (codesOfValue: 'Value -> ErrorCode list)
        (reply: Reply<'Request, 'Response, Result<Result<'Value, ErrorCode>, ClientFault>>)
        : Reply<'Request, 'Response, Result<'Value, CallFailure>> =
        match reply.Result with
        | Ok(Ok value) -> Ok value
        | Ok(Error code) -> Error(CallFailure.Code code)
        | Error fault -> Error(CallFailure.Fault fault)
        |> make reply.Exchange codesOfValue
