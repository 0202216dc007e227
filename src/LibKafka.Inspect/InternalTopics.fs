/// Decodes the records of Kafka's internal topics and of the metadata log.
module LibKafka.Inspect.InternalTopics

open System
open System.Buffers
open System.Buffers.Binary
open System.IO
open System.Text
open System.Text.Encodings.Web
open System.Text.Json
open System.Text.Json.Nodes
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Storage

/// A topic whose records have a schema.
[<RequireQualifiedAccess>]
type InternalTopic =
    | ConsumerOffsets
    | TransactionState
    | ShareGroupState
    | ClusterMetadata
    | RemoteLogMetadata

let private named =
    [ ConsumerOffsetsRecord.TopicName, InternalTopic.ConsumerOffsets
      TransactionStateRecord.TopicName, InternalTopic.TransactionState
      ShareGroupStateRecord.TopicName, InternalTopic.ShareGroupState
      MetadataRecord.TopicName, InternalTopic.ClusterMetadata
      RemoteLogMetadataRecord.TopicName, InternalTopic.RemoteLogMetadata ]

/// Changes the members of a JSON object.
let private changed (json: string) (change: JsonObject -> unit) : string =
    match JsonNode.Parse json with
    | :? JsonObject as object ->
        change object
        let buffer = ArrayBufferWriter<byte>()
        use writer = new Utf8JsonWriter(buffer, JsonWriterOptions(Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping))
        object.WriteTo writer
        writer.Flush()
        Encoding.UTF8.GetString buffer.WrittenSpan
    | _ -> json

/// What the bytes of a member mean, in place of the bytes, if they can be read.
let private withDecoded (name: string) (message: Message<'T>) (decoded: Result<'T, Fault>) (object: JsonObject) =
    match decoded |> Result.bind (Message.toJson message.Versions.Highest message) with
    | Ok json -> object[name] <- JsonNode.Parse json
    | Error _ -> ()

let private withProtocol (members: GroupMetadataRecord.MemberMetadata list) (object: JsonObject) =
    match object["members"] with
    | :? JsonArray as array when array.Count = members.Length ->
        members
        |> List.iteri (fun index found ->
            match array[index] with
            | :? JsonObject as object ->
                let subscription = ConsumerProtocol.decodeSubscription found.Subscription
                withDecoded "subscription" ConsumerProtocolSubscription.message subscription object

                // A member without an assignment has no bytes. That is not an assignment of nothing.
                if found.Assignment.Length > 0 then
                    let assignment = ConsumerProtocol.decodeAssignmentWithin Limits.standard found.Assignment
                    withDecoded "assignment" ConsumerProtocolAssignment.message assignment object
            | _ -> ())
    | _ -> ()

[<RequireQualifiedAccess>]
module InternalTopic =

    /// The names of the topics.
    let names = List.map fst named

    /// The topic with the name, if its records have a schema.
    let ofName (name: string) : InternalTopic option =
        if name.StartsWith "__" then
            named |> List.tryFind (fun (known, _) -> known = name) |> Option.map snd
        else
            None

    /// The topic of a log segment or snapshot, by the name of its folder or of the file.
    let ofFile (path: string) : InternalTopic option =
        let folder = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath path)) |> Option.ofObj |> Option.defaultValue ""
        let partition = folder.LastIndexOf '-'

        if path.EndsWith(".checkpoint", StringComparison.Ordinal) then
            Some InternalTopic.ClusterMetadata
        elif partition > 0 && Seq.forall Char.IsAsciiDigit (folder.Substring(partition + 1)) then
            ofName (folder.Substring(0, partition))
        else
            None

/// A record with the members of a classic group, whose subscriptions and assignments are bytes in the record.
let private groupMetadata (limits: Limits) (key: Bytes) (value: Bytes option) : Result<StoredUtf8, Fault> =
    ConsumerOffsetsRecord.decode limits key value
    |> Result.bind (fun record ->
        ConsumerOffsetsRecord.toJson record
        |> Result.map (fun json ->
            match record, json.Value with
            | ConsumerOffsetsRecord.GroupMetadata { Value = Some { Value = group } }, Some value when
                group.ProtocolType = ConsumerProtocol.Type
                ->
                { json with Value = Some { value with Value = changed value.Value (withProtocol group.Members) } }
            | _ -> json))
    |> Result.map StoredUtf8.OfJson

/// Decodes records of internal topics.
[<Sealed>]
type RecordDecoder(limits: Limits) =
    let transcoder = StoredTranscoder(limits, false)
    // Kafka's own tool prints the status of a transaction by its name.
    let withNames = StoredTranscoder(limits, true)

    let bytes (memory: Nullable<ReadOnlyMemory<byte>>) : Bytes option = if memory.HasValue then Some(Bytes memory.Value) else None

    let isGroupMetadata (key: Bytes) = key.Length >= 2 && BinaryPrimitives.ReadInt16BigEndian key.Span = GroupMetadataRecord.recordType.Id

    let isNull (topic: string) : Result<StoredUtf8, Fault> = Error { Problem = Problem.NullNotAllowed; Offset = 0; Path = topic }

    /// Decodes a record of the topic that is not a control record. The result is valid until the next record.
    member _.Decode(topic: InternalTopic, record: inref<Record>) : Result<StoredUtf8, Fault> =
        let value = bytes record.ValueMemory
        let key = Bytes(record.KeyMemory.GetValueOrDefault())

        match topic, value with
        | InternalTopic.ConsumerOffsets, _ when isGroupMetadata key -> groupMetadata limits key value
        | InternalTopic.ConsumerOffsets, _ -> ConsumerOffsetsRecord.transcode transcoder key value
        | InternalTopic.TransactionState, _ -> TransactionStateRecord.transcode withNames key value
        | InternalTopic.ShareGroupState, _ -> ShareGroupStateRecord.transcode transcoder key value
        | InternalTopic.ClusterMetadata, Some value -> MetadataRecord.transcode transcoder value
        | InternalTopic.ClusterMetadata, None -> isNull MetadataRecord.TopicName
        | InternalTopic.RemoteLogMetadata, Some value -> RemoteLogMetadataRecord.transcode transcoder value
        | InternalTopic.RemoteLogMetadata, None -> isNull RemoteLogMetadataRecord.TopicName
