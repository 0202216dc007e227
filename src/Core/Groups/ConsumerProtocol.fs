namespace LibKafka.Groups

open System.Buffers.Binary
open LibKafka.Wire
open LibKafka.Protocol

/// The data that the members of a classic consumer group exchange in JoinGroup and SyncGroup. All client libraries use the same form, and
/// the broker passes the bytes on without reading them.
[<RequireQualifiedAccess>]
module ConsumerProtocol =

    /// The protocol type of consumers, for JoinGroup and SyncGroup.
    [<Literal>]
    let Type = "consumer"

    /// The size of the version, which precedes the message.
    let private prefix = 2

    let private encode (message: Message<'T>) (value: 'T) : Result<Bytes, Fault> =
        let version = message.Versions.Highest
        let writer = Writer 128
        writer.Int16 version
        Message.writeTo writer version message value |> Result.map (fun () -> writer.ToBytes())

    // A later version only adds fields at the end. It is read as the highest known version. Bytes after the fields of the version are ignored,
    // even if the version is known, because the Java client ignores them too.
    let private decodeWithin (limits: Limits) (message: Message<'T>) (bytes: Bytes) : Result<struct ('T * int64), Fault> =
        if bytes.Length < prefix then
            Error { Problem = Problem.Truncated(2L, bytes.Length); Offset = 0; Path = message.Name }
        else
            let version = BinaryPrimitives.ReadInt16BigEndian bytes.Span
            let highest = message.Versions.Highest
            let body = bytes.Slice(prefix, bytes.Length - prefix)

            Message.decodeMeasured limits (min version highest) message body |> Result.mapError (Fault.after prefix)

    let private valueOf (struct (value: 'T, _: int64)) : 'T = value

    let private decode (message: Message<'T>) (bytes: Bytes) : Result<'T, Fault> =
        decodeWithin Limits.standard message bytes |> Result.map valueOf

    /// The bytes of a subscription, for the metadata of a protocol in JoinGroup. They have the highest version; readers that know only
    /// earlier versions skip the rest.
    let encodeSubscription (subscription: ConsumerProtocolSubscription.Subscription) : Result<Bytes, Fault> =
        encode ConsumerProtocolSubscription.message subscription

    /// The subscription in the metadata of a member.
    let decodeSubscription (bytes: Bytes) : Result<ConsumerProtocolSubscription.Subscription, Fault> =
        decode ConsumerProtocolSubscription.message bytes

    /// The bytes of an assignment, for SyncGroup.
    let encodeAssignment (assignment: ConsumerProtocolAssignment.Assignment) : Result<Bytes, Fault> =
        encode ConsumerProtocolAssignment.message assignment

    /// The assignment in the response to SyncGroup, which takes at most `MaxDecodedBytes` of memory. A member to which the leader assigned
    /// nothing gets no bytes: an assignment without partitions.
    let decodeAssignmentWithin (limits: Limits) (bytes: Bytes) : Result<ConsumerProtocolAssignment.Assignment, Fault> =
        if bytes.Length = 0 then
            Ok { AssignedPartitions = []; UserData = None }
        else
            decodeWithin limits ConsumerProtocolAssignment.message bytes |> Result.map valueOf

    /// The assignment in the response to SyncGroup, within the standard limits: see `decodeAssignmentWithin`.
    let decodeAssignment (bytes: Bytes) : Result<ConsumerProtocolAssignment.Assignment, Fault> =
        decodeAssignmentWithin Limits.standard bytes

    /// The bytes of the sticky assignor's user data, in version 1.
    let encodeStickyUserData (data: StickyUserData.UserData) : Result<Bytes, Fault> = Message.encode 1s StickyUserData.message data

    let private stickyWithin (limits: Limits) (bytes: Bytes) : Result<struct (StickyUserData.UserData * int64), Fault> =
        let read version = Message.decodeMeasured limits version StickyUserData.message bytes

        match read 1s with
        | Ok data -> Ok data
        | Error fault -> read 0s |> Result.mapError (fun _ -> fault)

    /// The sticky assignor's user data. The bytes do not contain their version: those that cannot be read in version 1 are read in version 0,
    /// which has no generation. Bytes after the value are ignored.
    let decodeStickyUserData (bytes: Bytes) : Result<StickyUserData.UserData, Fault> =
        stickyWithin Limits.standard bytes |> Result.map valueOf

    /// The subscription in the metadata of a member, and the memory that it takes, with that of the sticky assignor's user data in it: an
    /// assignor may decode that too.
    let internal decodeSubscriptionWithin
        (limits: Limits)
        (bytes: Bytes)
        : Result<struct (ConsumerProtocolSubscription.Subscription * int64), Fault> =
        decodeWithin limits ConsumerProtocolSubscription.message bytes
        |> Result.bind (fun (struct (subscription, size)) ->
            let read = stickyWithin { limits with MaxDecodedBytes = limits.MaxDecodedBytes - size }

            match subscription.UserData |> Option.map read with
            | Some(Ok(struct (_, more))) -> Ok(struct (subscription, size + more))
            | Some(Error({ Problem = Problem.DecodedTooLarge _ } as fault)) ->
                Error { fault with Problem = Problem.DecodedTooLarge limits.MaxDecodedBytes }
            // No assignor decodes it.
            | Some(Error _)
            | None -> Ok(struct (subscription, size)))
