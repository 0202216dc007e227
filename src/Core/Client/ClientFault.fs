namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol

[<RequireQualifiedAccess>]
module internal Explained =

    /// See `ErrorCode.Explain`.
    let code (code: ErrorCode) (message: string option) : string = code.Explain(Option.toObj message)

/// Why a connection could not be authenticated (SASL).
[<RequireQualifiedAccess>]
type SaslFailure =
    /// The broker does not offer the mechanism.
    | NotOffered of offered: string list
    /// The broker refused: with SASL_AUTHENTICATION_FAILED for credentials that it does not accept, with ILLEGAL_SASL_STATE on a listener
    /// without SASL.
    | Refused of ErrorCode * reason: string
    /// The broker did not prove that it knows the secret, as the mechanism demands. It may be an impostor.
    | NotTrusted of reason: string
    /// The mechanism has no credentials: they cannot be used, or a token could not be obtained.
    | NoCredentials of reason: string

    /// A one-line description.
    override this.ToString() =
        match this with
        | NotOffered [] -> "the broker offers no mechanism on this port"
        | NotOffered offered -> "the broker offers only " + String.Join(", ", offered) + ": use one of them"
        | Refused(code, reason) -> "refused by the broker: " + Explained.code code (if reason = "" then None else Some reason)
        | NotTrusted reason -> OneLine.ofText ("the broker cannot be trusted: " + reason)
        | NoCredentials reason -> OneLine.ofText ("there are no credentials: " + reason)

/// Why a call has no response. The connection it was made on is closed, unless the fault was detected before anything was sent:
/// `CannotEncode`, `CannotProduce`, `TopicRecreated`, `BrokerTooOld`, `NoCommonVersion` and `NeverAnswered` always are, and `Cancelled` if the caller cancelled before the call.
[<RequireQualifiedAccess>]
type ClientFault =
    /// A setting is invalid. Nothing was tried.
    | InvalidSetting of name: string * reason: string
    /// The host has no address, or no broker listens there.
    | CannotConnect of broker: BrokerAddress * reason: string
    /// The look-up of a DNS SRV name failed, or found no broker.
    | LookUpFailed of name: string * reason: string
    /// None of the bootstrap brokers could be used. The fault of each that was tried.
    | NoBroker of (BrokerAddress * ClientFault) list
    /// The broker expects TLS on this port, and the settings have none.
    | TlsExpected of BrokerAddress
    /// The settings have TLS, and the broker responded with bytes that are not TLS.
    | TlsNotSpoken of BrokerAddress
    /// The TLS handshake failed: one side does not accept the other's certificate, or there is no common version or cipher. A connection that
    /// ends during the handshake is `CannotConnect`.
    | TlsFailed of BrokerAddress * reason: string
    /// The connection could not be authenticated, or its authentication could not be renewed.
    | SaslFailed of mechanism: string * SaslFailure
    /// The leader of the partition could not be found.
    | NoLeader of TopicPartition * ErrorCode
    /// The coordinator of the group or transactional id could not be found.
    | NoCoordinator of CoordinatorType * key: string * ErrorCode
    /// The time for the call, or for a part of it, ran out.
    | TimedOut of after: TimeSpan
    /// The caller cancelled.
    | Cancelled
    /// The broker closed the connection before it responded.
    | Closed
    /// The broker closed the connection while it received a request, or instead of responding to one of a megabyte or more. `sent` counts
    /// the bytes that were sent before, all of which may have arrived, of the `size` of the request.
    | ClosedWhileSending of sent: int64 * size: int64
    /// The broker closed the connection at the client's first request after ApiVersions, and the settings have no SASL. A listener that
    /// requires SASL does so.
    | ClosedUnauthenticated
    /// The connection broke.
    | Broken of reason: string
    /// Client and broker have no version of the API in common.
    | NoCommonVersion of api: ApiKey * ours: VersionRange * theirs: VersionRange option
    /// The broker refused to report its versions.
    | VersionsRefused of ErrorCode
    /// The broker never responds to such a request (Produce with `Acks.None`): it can be sent, but not called. Nothing was sent.
    | NeverAnswered of ApiKey
    /// The request cannot be written in this version. Nothing was sent.
    | CannotEncode of Fault
    /// No broker would append this batch as it is, or not as it was meant. The reason says what to do. Nothing was sent.
    | CannotProduce of reason: string
    /// The broker supports the API, but is too old for a part of it. Nothing was sent.
    | BrokerTooOld of part: string * needs: string * instead: string
    /// The length of the response is impossible, or larger than the limits allow.
    | BadFrameLength of length: int * most: int
    /// The response belongs to another request.
    | WrongCorrelationId of expected: int32 * received: int32
    /// The response cannot be read.
    | Malformed of Fault
    /// The response does not mention the partition that was asked about.
    | NotAnswered of TopicPartition
    /// There is no such offset in the partition: no record has the timestamp or a later one. The reader has not been moved.
    | NoSuchOffset of TopicPartition * OffsetSpec
    /// The topic was deleted and created again since the reader last read. Its position is from the earlier log. Nothing was sent.
    | TopicRecreated of TopicPartition
    /// The connection was closed before this call, by the caller or by an earlier fault.
    | Unusable of cause: string

    /// A one-line description.
    override this.ToString() =
        match this with
        | InvalidSetting(name, reason) -> OneLine.ofText ("the setting " + name + " cannot be used: " + reason)
        | CannotConnect(broker, reason) -> OneLine.ofText ("cannot connect to " + broker.ToString() + ": " + reason)
        | LookUpFailed(name, reason) -> OneLine.ofText ("no broker was found for " + name + ": " + reason)
        | NoBroker [] -> "the list of bootstrap brokers is empty: name at least one"
        | NoBroker tried ->
            let each (broker: BrokerAddress, fault: ClientFault) =
                let name, text = broker.ToString(), fault.ToString()
                if text.Contains name then text else name + ": " + text

            "none of the bootstrap brokers can be used: " + String.Join("; ", List.map each tried)
        | TlsExpected broker -> broker.ToString() + " speaks TLS on this port, but the settings have none: set Tls, or use another port"
        | TlsNotSpoken broker ->
            broker.ToString() + " does not speak TLS on this port, but the settings require it: leave out Tls, or use another port"
        | TlsFailed(broker, reason) -> OneLine.ofText ("the TLS handshake with " + broker.ToString() + " failed: " + reason)
        | SaslFailed(mechanism, failure) -> "authentication by " + mechanism + " failed: " + failure.ToString()
        | NoLeader(partition, code) ->
            "no leader is known for "
            + partition.ToString()
            + ": "
            + Explained.code code None
            + (if code = ErrorCode.UnknownTopicOrPartition then
                   "; if the topic does not exist, create it (AdminClient.CreateTopics)"
               else
                   "")
        | NoCoordinator(kind, key, code) ->
            "no coordinator is known for "
            + Code.text "CoordinatorType" (CodeName.Of kind) (int64 kind)
            + " '"
            + key
            + "': "
            + Explained.code code None
        | TimedOut after ->
            "no answer within "
            + string (int after.TotalMilliseconds)
            + " ms: if the broker may take longer, raise CallTimeout, or ConnectTimeout for a connection"
        | Cancelled -> "cancelled by the caller"
        | Closed -> "the broker closed the connection"
        | ClosedWhileSending(sent, size) ->
            "the broker closed the connection after "
            + string sent
            + " of "
            + string size
            + " bytes of the request had been sent. It does so if a request is larger than its socket.request.max.bytes (100 MiB by default)"
        | ClosedUnauthenticated ->
            "the broker closed the connection at the first request. It does so if its listener requires authentication (SASL), and the settings \
             have none"
        | Broken reason -> OneLine.ofText ("the connection broke: " + reason)
        | NoCommonVersion(api, _, None) ->
            "the broker does not support " + api.ToString() + ": it is too old for it, or it does not offer it on this port"
        | NoCommonVersion(api, ours, Some theirs) ->
            let range (versions: VersionRange) =
                (if versions.Lowest = versions.Highest then
                     "version " + string versions.Lowest
                 else
                     "versions " + versions.ToString())

            "the broker supports "
            + api.ToString()
            + " only in "
            + range theirs
            + ", but "
            + range ours
            + (if ours.Lowest = ours.Highest then " is" else " are")
            + " needed: "
            + (if theirs.Highest < ours.Lowest then "the broker is too old for this" else "it needs a newer client")
        | VersionsRefused code -> "the broker does not report its versions: " + Explained.code code None
        | NeverAnswered api -> "the broker never responds to this " + api.ToString() + " request: send it with SendAt instead"
        | CannotEncode fault -> "the request cannot be written: " + fault.ToString()
        | CannotProduce reason -> OneLine.ofText ("the batch cannot be produced: " + reason)
        | BadFrameLength(length, most) when length > most ->
            "the response declares a length of "
            + string length
            + " bytes, more than MaxFrameBytes allows ("
            + string most
            + "); if so large a response is not to be expected, the peer may not be a Kafka broker"
        | BadFrameLength(length, _) ->
            "the response declares a length of " + string length + " bytes, which is impossible: the peer may not be a Kafka broker"
        | BrokerTooOld(part, needs, instead) -> "the broker is too old for " + part + ", which needs " + needs + ": " + instead
        | WrongCorrelationId(expected, received) ->
            "the response has correlation id "
            + string received
            + ", but "
            + string expected
            + " was expected: the peer may not be a Kafka broker"
        | Malformed fault -> "the response cannot be read: " + fault.ToString()
        | NotAnswered partition -> "the response does not mention " + partition.ToString()
        | NoSuchOffset(partition, spec) when spec.Timestamp >= 0L ->
            "no record of "
            + partition.ToString()
            + " has the timestamp "
            + string spec.Timestamp
            + " or a later one; to continue at the end, seek OffsetSpec.Latest"
        | NoSuchOffset(partition, spec) -> partition.ToString() + " has no offset for " + spec.ToString()
        | TopicRecreated partition ->
            "the topic of "
            + partition.ToString()
            + " was deleted and created again, and the position is from the earlier log: seek to where reading must continue, such as \
               OffsetSpec.Earliest"
        | Unusable cause -> OneLine.ofText ("the connection is closed: " + cause)

    /// The name of the case, which stays the same from release to release: for metrics.
    member this.Name =
        match this with
        | InvalidSetting _ -> "InvalidSetting"
        | CannotConnect _ -> "CannotConnect"
        | LookUpFailed _ -> "LookUpFailed"
        | NoBroker _ -> "NoBroker"
        | TlsExpected _ -> "TlsExpected"
        | TlsNotSpoken _ -> "TlsNotSpoken"
        | TlsFailed _ -> "TlsFailed"
        | SaslFailed _ -> "SaslFailed"
        | NoLeader _ -> "NoLeader"
        | NoCoordinator _ -> "NoCoordinator"
        | TimedOut _ -> "TimedOut"
        | Cancelled -> "Cancelled"
        | Closed -> "Closed"
        | ClosedWhileSending _ -> "ClosedWhileSending"
        | ClosedUnauthenticated -> "ClosedUnauthenticated"
        | Broken _ -> "Broken"
        | NoCommonVersion _ -> "NoCommonVersion"
        | VersionsRefused _ -> "VersionsRefused"
        | NeverAnswered _ -> "NeverAnswered"
        | CannotEncode _ -> "CannotEncode"
        | CannotProduce _ -> "CannotProduce"
        | BrokerTooOld _ -> "BrokerTooOld"
        | BadFrameLength _ -> "BadFrameLength"
        | WrongCorrelationId _ -> "WrongCorrelationId"
        | Malformed _ -> "Malformed"
        | NotAnswered _ -> "NotAnswered"
        | NoSuchOffset _ -> "NoSuchOffset"
        | TopicRecreated _ -> "TopicRecreated"
        | Unusable _ -> "Unusable"

    /// The broker's error code that caused the fault, such as COORDINATOR_NOT_AVAILABLE if no coordinator was found; `None` if none did.
    member this.ErrorCode =
        match this with
        | NoLeader(_, code)
        | NoCoordinator(_, _, code)
        | VersionsRefused code
        | SaslFailed(_, SaslFailure.Refused(code, _)) -> code
        | _ -> ErrorCode.None

    /// Whether a call with this fault may succeed later, on a new connection: brokers restart, leaders are elected. A fault of the request or of
    /// the broker's versions is not transient, and neither is cancellation.
    member this.IsTransient: bool =
        match this with
        | CannotConnect _
        | LookUpFailed _
        | TimedOut _
        | Closed
        | ClosedWhileSending _
        | ClosedUnauthenticated
        | SaslFailed(_, SaslFailure.NoCredentials _)
        | Broken _
        | Unusable _ -> true
        | NoLeader(_, code)
        | NoCoordinator(_, _, code) -> code.IsRetriable
        | NoBroker tried -> tried |> List.exists (fun (_, fault: ClientFault) -> fault.IsTransient)
        | _ -> false

/// Why a call has no result: there is no usable response, or the response has an error code.
[<RequireQualifiedAccess; NoComparison>]
type CallFailure =
    /// There is no response, or it cannot be used.
    | Fault of ClientFault
    /// The broker's error code.
    | Code of ErrorCode

    /// Whether it may go away by itself: brokers restart, leaders are elected.
    member this.IsTransient: bool =
        match this with
        | Fault fault -> fault.IsTransient
        | Code code -> code.IsRetriable

    /// The broker's error code, or the one that caused the fault; `None` if there is none.
    member this.ErrorCode =
        match this with
        | Fault fault -> fault.ErrorCode
        | Code code -> code

    /// A one-line description.
    override this.ToString() =
        match this with
        | Fault fault -> fault.ToString()
        | Code code -> code.Explain null

/// Carries a client fault from the depth of a call to its boundary. It never escapes.
type internal ClientFaultException(fault: ClientFault) =
    inherit Exception(fault.ToString())
    member _.Fault = fault
