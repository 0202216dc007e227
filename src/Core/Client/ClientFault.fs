namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol

/// A partition of a topic.
type TopicPartition =
    {
        Topic: string
        /// From 0.
        Partition: int
    }

    /// As in `orders-3`.
    override this.ToString() = this.Topic + "-" + string this.Partition

/// Why a connection could not be authenticated (SASL).
[<RequireQualifiedAccess>]
type SaslFailure =
    /// The broker does not offer the mechanism.
    | NotOffered of offered: string list
    /// The broker refused, as with SASL_AUTHENTICATION_FAILED for credentials that it does not accept, and ILLEGAL_SASL_STATE on a
    /// listener without SASL.
    | Refused of ErrorCode * reason: string
    /// What the broker said is not what the mechanism demands of one that knows the secret too: it may be another than it claims to be.
    | NotTrusted of reason: string
    /// The mechanism had nothing to begin with: a credential that cannot be used, or a token that was not to be had.
    | NoCredentials of reason: string

    /// One line for people.
    override this.ToString() =
        match this with
        | NotOffered offered -> "the broker offers only " + String.Join(", ", offered)
        | Refused(code, "") -> "refused by the broker: " + code.ToString()
        | Refused(code, reason) -> "refused by the broker: " + code.ToString() + " (" + reason + ")"
        | NotTrusted reason -> "the broker cannot be trusted: " + reason
        | NoCredentials reason -> "there are no credentials: " + reason

/// Why a call brought no response. The connection it was made on is closed, but for `CannotEncode`,
/// `NoCommonVersion` and `NeverAnswered`, which are found before anything is sent.
[<RequireQualifiedAccess>]
type ClientFault =
    /// A setting that makes no sense. Nothing was tried.
    | InvalidSetting of name: string * reason: string
    /// The host has no address, or nothing listens there.
    | CannotConnect of broker: BrokerAddress * reason: string
    /// The look-up of a DNS SRV name failed, or found no broker.
    | LookUpFailed of name: string * reason: string
    /// None of the bootstrap brokers could be used. What went wrong with each.
    | NoBroker of (BrokerAddress * ClientFault) list
    /// The broker speaks TLS on this port, and the settings have none.
    | TlsExpected of BrokerAddress
    /// The settings have TLS, and the broker does not speak it on this port.
    | TlsNotSpoken of BrokerAddress
    /// TLS was not agreed upon: a certificate that is not accepted, on either side, or no common version or cipher.
    | TlsFailed of BrokerAddress * reason: string
    /// The connection was not authenticated, or not again when that was due.
    | SaslFailed of mechanism: string * SaslFailure
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
    /// The broker never answers such a request, as Produce with `Acks.None`: it can be sent but not called. Nothing was sent.
    | NeverAnswered of ApiKey
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
        | InvalidSetting(name, reason) -> "the setting " + name + " cannot be used: " + reason
        | CannotConnect(broker, reason) -> "cannot connect to " + broker.ToString() + ": " + reason
        | LookUpFailed(name, reason) -> "no broker is found under " + name + ": " + reason
        | NoBroker [] -> "no bootstrap broker is named"
        | NoBroker tried ->
            let each (_, fault: ClientFault) = fault.ToString()
            "none of the bootstrap brokers can be used: " + String.Join("; ", List.map each tried)
        | TlsExpected broker -> broker.ToString() + " speaks TLS, and the settings have none"
        | TlsNotSpoken broker -> broker.ToString() + " does not speak TLS, and the settings demand it"
        | TlsFailed(broker, reason) -> "no TLS with " + broker.ToString() + ": " + reason
        | SaslFailed(mechanism, failure) -> "not authenticated by " + mechanism + ": " + failure.ToString()
        | NoLeader(partition, code) -> "no leader is known for " + partition.ToString() + ": " + code.ToString()
        | NoCoordinator(kind, key, code) ->
            "no coordinator is known for "
            + Code.text "CoordinatorType" (CodeName.Of kind) (int64 kind)
            + " '"
            + key
            + "': "
            + code.ToString()
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
        | NeverAnswered api -> "the broker never answers this " + api.ToString() + " request: it can be sent, not called"
        | CannotEncode fault -> "the request cannot be written: " + fault.ToString()
        | BadFrameLength(length, most) -> "the answer's length of " + string length + " bytes is not within 4 to " + string most
        | WrongCorrelationId(expected, received) ->
            "the answer has correlation id " + string received + " where " + string expected + " was expected"
        | Malformed fault -> "the answer cannot be read: " + fault.ToString()
        | NotAnswered partition -> "the answer does not speak of " + partition.ToString()
        | Unusable cause -> "the connection is closed: " + cause

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
        | Broken _ -> "Broken"
        | NoCommonVersion _ -> "NoCommonVersion"
        | VersionsRefused _ -> "VersionsRefused"
        | NeverAnswered _ -> "NeverAnswered"
        | CannotEncode _ -> "CannotEncode"
        | BadFrameLength _ -> "BadFrameLength"
        | WrongCorrelationId _ -> "WrongCorrelationId"
        | Malformed _ -> "Malformed"
        | NotAnswered _ -> "NotAnswered"
        | Unusable _ -> "Unusable"
