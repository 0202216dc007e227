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

/// Why a call brought no response. The connection it was made on is closed, but for `CannotEncode` and `NoCommonVersion`, which are found
/// before anything is sent.
[<RequireQualifiedAccess>]
type ClientFault =
    /// The host has no address, or nothing listens there.
    | CannotConnect of broker: BrokerAddress * reason: string
    /// The look-up of a DNS SRV name failed, or found no broker.
    | LookUpFailed of name: string * reason: string
    /// None of the bootstrap brokers could be used. What went wrong with each.
    | NoBroker of (BrokerAddress * ClientFault) list
    /// The partition has no leader that could be found.
    | NoLeader of TopicPartition * ErrorCode
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
        | LookUpFailed(name, reason) -> "no broker is found under " + name + ": " + reason
        | NoBroker [] -> "no bootstrap broker is named"
        | NoBroker tried ->
            let each (_, fault: ClientFault) = fault.ToString()
            "none of the bootstrap brokers can be used: " + String.Join("; ", List.map each tried)
        | NoLeader(partition, code) -> "no leader is known for " + partition.ToString() + ": " + code.ToString()
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
