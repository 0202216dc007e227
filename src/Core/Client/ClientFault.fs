namespace LibKafka.Client

open System
open System.Diagnostics
open System.Globalization
open LibKafka.Wire
open LibKafka.Protocol

/// Where a broker listens.
type BrokerAddress =
    {
        /// A host name or an IP address; an IPv6 address without brackets.
        Host: string
        Port: int
    }

    /// As in `kafka-1:9092` or `[::1]:9092`.
    override this.ToString() =
        if this.Host.Contains ':' then
            "[" + this.Host + "]:" + string this.Port
        else
            this.Host + ":" + string this.Port

[<RequireQualifiedAccess>]
module BrokerAddress =

    /// The address that a text such as `kafka-1:9092` or `[::1]:9092` names, or why it names none.
    let parse (text: string) : Result<BrokerAddress, string> =
        let text = text.Trim()
        let colon = text.LastIndexOf ':'
        let host = if colon < 0 then "" else text.Substring(0, colon)

        let bare = if host.StartsWith '[' && host.EndsWith ']' then host.Substring(1, host.Length - 2) else host

        match Int32.TryParse(text.Substring(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture) with
        | true, port when bare <> "" && port > 0 && port <= 65535 && (bare = host) <> host.Contains ':' -> Ok { Host = bare; Port = port }
        | _ -> Error("'" + text + "' is not of the form host:port")

    /// The addresses of a list such as `kafka-1:9092,kafka-2:9092`.
    let parseList (text: string) : Result<BrokerAddress list, string> =
        let add (entry: string) rest =
            match parse entry, rest with
            | Ok address, Ok addresses -> Ok(address :: addresses)
            | Error reason, _ -> Error reason
            | _, Error reason -> Error reason

        match text.Split(',', StringSplitOptions.RemoveEmptyEntries) |> List.ofArray with
        | [] -> Error "no broker is named"
        | entries -> List.foldBack add entries (Ok [])

/// A partition of a topic.
type TopicPartition =
    {
        Topic: string
        /// From 0.
        Partition: int
    }

    /// As in `orders-3`.
    override this.ToString() = this.Topic + "-" + string this.Partition

/// Why a call brought no response. The connection it was made on is closed, but for `CannotEncode` and `NoCommonVersion`, which are found
/// before anything is sent.
[<RequireQualifiedAccess>]
type ClientFault =
    /// The host has no address, or nothing listens there.
    | CannotConnect of broker: BrokerAddress * reason: string
    /// None of the bootstrap brokers could be used. What went wrong with each.
    | NoBroker of (BrokerAddress * ClientFault) list
    /// The partition has no leader that could be found.
    | NoLeader of TopicPartition * ErrorCode
    /// The group or transactional id has no coordinator that could be found.
    | NoCoordinator of CoordinatorType * key: string * ErrorCode
    /// The time for the call ran out.
    | TimedOut of after: TimeSpan
    /// The caller cancelled.
    | Cancelled
    /// The broker closed the connection before it had answered.
    | Closed
    /// The connection broke.
    | Broken of reason: string
    /// Client and broker have no version of the API in common.
    | NoCommonVersion of api: ApiKey * ours: VersionRange * theirs: VersionRange option
    /// The broker would not tell its versions.
    | VersionsRefused of ErrorCode
    /// The request cannot be written at this version; nothing was sent.
    | CannotEncode of Fault
    /// The answer has a length that no answer can have, or that the limits do not allow.
    | BadFrameLength of length: int * most: int
    /// The answer belongs to another request.
    | WrongCorrelationId of expected: int32 * received: int32
    /// The answer cannot be read.
    | Malformed of Fault
    /// The answer does not speak of the partition that was asked about.
    | NotAnswered of TopicPartition
    /// The connection was closed before this call, by the caller or by an earlier fault.
    | Unusable of cause: string

    /// One line for people.
    override this.ToString() =
        match this with
        | CannotConnect(broker, reason) -> "cannot connect to " + broker.ToString() + ": " + reason
        | NoBroker [] -> "no bootstrap broker is named"
        | NoBroker tried ->
            let each (_, fault: ClientFault) = fault.ToString()
            "none of the bootstrap brokers can be used: " + String.Join("; ", List.map each tried)
        | NoLeader(partition, code) -> "no leader is known for " + partition.ToString() + ": " + code.ToString()
        | NoCoordinator(kind, key, code) -> "no coordinator is known for " + kind.ToString() + " '" + key + "': " + code.ToString()
        | TimedOut after -> "no answer within " + string (int after.TotalMilliseconds) + " ms"
        | Cancelled -> "cancelled by the caller"
        | Closed -> "the broker closed the connection"
        | Broken reason -> "the connection broke: " + reason
        | NoCommonVersion(api, ours, theirs) ->
            let theirs = theirs |> Option.map string |> Option.defaultValue "none"
            "no common version of "
            + api.ToString()
            + ": versions "
            + ours.ToString()
            + " are known here, "
            + theirs
            + " to the broker"
        | VersionsRefused code -> "the broker does not tell its versions: " + code.ToString()
        | CannotEncode fault -> "the request cannot be written: " + fault.ToString()
        | BadFrameLength(length, most) -> "the answer's length of " + string length + " bytes is not within 4 to " + string most
        | WrongCorrelationId(expected, received) ->
            "the answer has correlation id " + string received + " where " + string expected + " was expected"
        | Malformed fault -> "the answer cannot be read: " + fault.ToString()
        | NotAnswered partition -> "the answer does not speak of " + partition.ToString()
        | Unusable cause -> "the connection is closed: " + cause

/// The facts of one call, for metrics and debugging.
type ExchangeInfo =
    {
        Api: ApiKey
        /// The version that was used; -1 where it did not come to that.
        Version: int16
        /// The broker that was asked; none where no connection was made.
        Broker: BrokerAddress option
        CorrelationId: int32
        Began: DateTimeOffset
        Elapsed: TimeSpan
        /// Bytes sent, lengths and headers included.
        BytesOut: int
        /// Bytes received, lengths and headers included.
        BytesIn: int
        /// Bytes of the answer that stand behind what its version should have. They were ignored; a broker that keeps to the protocol
        /// sends none.
        UnreadBytes: int
        /// What went wrong, where something did.
        Fault: ClientFault option
    }

    /// Whether any part of the request may have reached the broker.
    member this.WasSent = this.BytesOut > 0

/// One call: what was asked and what came of it. An error code from the broker is not a fault but part of the response.
type Exchange<'Request, 'Response> = { Info: ExchangeInfo; Request: 'Request; Outcome: Result<'Response, ClientFault> }

/// How connections are made and used. A value to hand over; nothing of it is global.
[<NoEquality; NoComparison>]
type ClientSettings =
    {
        /// The name that the client goes by in the broker's logs, metrics and quotas.
        ClientId: string
        /// How long making a connection may take, asking for the broker's versions included.
        ConnectTimeout: TimeSpan
        /// How long a call may take, from its first byte out to its last byte in.
        CallTimeout: TimeSpan
        Limits: Limits
        /// Is told of every exchange, those that the client makes for itself included, in the thread that makes it.
        Observe: ExchangeInfo -> unit
    }

[<RequireQualifiedAccess>]
module ClientSettings =

    /// 10 seconds to connect, 30 seconds a call, the standard limits, no observer.
    let standard =
        { ClientId = "libkafka"
          ConnectTimeout = TimeSpan.FromSeconds 10.0
          CallTimeout = TimeSpan.FromSeconds 30.0
          Limits = Limits.standard
          Observe = ignore }

[<RequireQualifiedAccess>]
module internal Exchange =

    /// A call that ended before anything was sent, and when it was begun, in the ticks of the stopwatch.
    let notMade (settings: ClientSettings) (began: int64) (api: Api<'Request, 'Response>) broker (request: 'Request) (fault: ClientFault) =
        let elapsed = Stopwatch.GetElapsedTime began

        let info =
            { Api = api.Key
              Version = -1s
              Broker = broker
              CorrelationId = 0
              Began = DateTimeOffset.UtcNow - elapsed
              Elapsed = elapsed
              BytesOut = 0
              BytesIn = 0
              UnreadBytes = 0
              Fault = Some fault }

        settings.Observe info
        { Info = info; Request = request; Outcome = Error fault }
