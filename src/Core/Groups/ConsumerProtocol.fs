namespace LibKafka.Groups

open System.Buffers.Binary
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// What the members of a classic consumer group say to each other inside JoinGroup and SyncGroup, in the form that the consumers of all
/// client libraries share. The broker passes these bytes on without looking at them.
[<RequireQualifiedAccess>]
module ConsumerProtocol =

    /// The protocol type of consumers, for JoinGroup and SyncGroup.
    [<Literal>]
    let Type = "consumer"

    let private prefix = 2

    let private encode (message: Message<'T>) (value: 'T) : Result<Bytes, Fault> =
        let version = message.Versions.Highest
        let writer = Writer 128
        writer.Int16 version
        Message.writeTo writer version message value |> Result.map (fun () -> writer.ToBytes())

    // A version of tomorrow only adds fields at the end, so it is read as the highest that is known, and what it adds is passed over.
    let private decode (message: Message<'T>) (bytes: Bytes) : Result<'T, Fault> =
        if bytes.Length < prefix then
            Error { Problem = Problem.Truncated(2L, bytes.Length); Offset = 0; Path = message.Name }
        else
            let version = BinaryPrimitives.ReadInt16BigEndian bytes.Span
            let body = bytes.Slice(prefix, bytes.Length - prefix)
            let behind (fault: Fault) = { fault with Offset = fault.Offset + prefix }

            if version > message.Versions.Highest then
                Message.decodePrefix message.Versions.Highest message body |> Result.map fst |> Result.mapError behind
            else
                Message.decode Limits.standard version message body |> Result.mapError behind

    /// The bytes of a subscription, for the metadata of a protocol in JoinGroup. In the highest version: readers that only know earlier ones
    /// pass over what they do not know.
    let encodeSubscription (subscription: ConsumerProtocolSubscription.Subscription) : Result<Bytes, Fault> =
        encode ConsumerProtocolSubscription.message subscription

    /// The subscription in the metadata of a member.
    let decodeSubscription (bytes: Bytes) : Result<ConsumerProtocolSubscription.Subscription, Fault> =
        decode ConsumerProtocolSubscription.message bytes

    /// The bytes of an assignment, for SyncGroup.
    let encodeAssignment (assignment: ConsumerProtocolAssignment.Assignment) : Result<Bytes, Fault> =
        encode ConsumerProtocolAssignment.message assignment

    /// The assignment in the answer to SyncGroup. No bytes at all are what a member gets whom the leader gave nothing: an assignment without
    /// partitions.
    let decodeAssignment (bytes: Bytes) : Result<ConsumerProtocolAssignment.Assignment, Fault> =
        if bytes.Length = 0 then
            Ok { AssignedPartitions = []; UserData = None }
        else
            decode ConsumerProtocolAssignment.message bytes

/// What a member with the Java client's sticky assignor adds to its subscription as user data: what it had before.
type StickyUserData =
    {
        /// The member's partitions after the last rebalance.
        Previous: ConsumerTopicPartitions list
        /// The generation that `Previous` comes from; -1 where it is not told, as by clients before Kafka 2.2.
        Generation: int32
    }

[<RequireQualifiedAccess>]
module StickyUserData =

    let private message: Message<StickyUserData> =
        { Name = "StickyUserData"
          Versions = { Lowest = 0s; Highest = 1s }
          FlexibleSince = None
          Schema =
            message {
                let! previous = field "PreviousAssignment" _.Previous (array ConsumerTopicPartitions.schema)
                and! generation = field "Generation" _.Generation (int32 |> since 1s -1 |> ignorable)
                return { Previous = previous; Generation = generation }
            } }

    /// The bytes, in the newer of the two forms.
    let encode (data: StickyUserData) : Result<Bytes, Fault> = Message.encode 1s message data

    /// What the bytes say. There is no version in them: those that are not of the newer form are read as the older, without a generation.
    let decode (bytes: Bytes) : Result<StickyUserData, Fault> =
        match Message.decode Limits.standard 1s message bytes with
        | Ok data -> Ok data
        | Error fault -> Message.decode Limits.standard 0s message bytes |> Result.mapError (fun _ -> fault)
