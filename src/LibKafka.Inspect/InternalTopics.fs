/// Decodes the records of Kafka's internal topics and of the metadata log.
module LibKafka.Inspect.InternalTopics

open System
open System.Buffers
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

/// The content of a record.
type Decoded =
    {
        /// The name of the type of record; empty if it is not known.
        Name: string
        /// The number of the type.
        Id: int32
        /// JSON; empty if the records of the topic have no keys.
        Key: string
        /// JSON; none for a tombstone.
        Value: Versioned<string> option
    }

let private named =
    [ ConsumerOffsetsRecord.Topic, InternalTopic.ConsumerOffsets
      TransactionStateRecord.Topic, InternalTopic.TransactionState
      ShareGroupStateRecord.Topic, InternalTopic.ShareGroupState
      MetadataRecord.Topic, InternalTopic.ClusterMetadata
      RemoteLogMetadataRecord.Topic, InternalTopic.RemoteLogMetadata ]

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

/// The value with some members changed.
let private adapted (value: Versioned<string> option) (change: JsonObject -> unit) : Versioned<string> option =
    value |> Option.map (fun value -> { value with Value = changed value.Value change })

/// The name of a transaction's status in place of its number, as Kafka's own tool prints it.
let private withStatus (status: TransactionStatus) (object: JsonObject) =
    let text =
        match StorageTypes.transactionStatusName status with
        | "" -> string (sbyte status)
        | name -> name

    object["transactionStatus"] <- JsonValue.Create text

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

let private content (json: StoredJson) (value: Versioned<string> option) : Decoded =
    { Name = json.Name; Id = json.Id; Key = json.Key; Value = value }

let private consumerOffsets (record: ConsumerOffsetsRecord) (json: StoredJson) : Decoded =
    match record with
    | ConsumerOffsetsRecord.GroupMetadata { Value = Some { Value = group } } when group.ProtocolType = ConsumerProtocol.Type ->
        content json (adapted json.Value (withProtocol group.Members))
    | _ -> content json json.Value

let private transactionState (record: TransactionStateRecord) (json: StoredJson) : Decoded =
    match record with
    | TransactionStateRecord.TransactionLog { Value = Some { Value = value } } ->
        content json (adapted json.Value (withStatus value.TransactionStatus))
    | _ -> content json json.Value

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

    let private bytes (memory: Nullable<ReadOnlyMemory<byte>>) : Bytes option = if memory.HasValue then Some(Bytes memory.Value) else None

    /// Decodes a record of the topic that is not a control record.
    let decode (limits: Limits) (topic: InternalTopic) (record: Record) : Result<Decoded, Fault> =
        let value = bytes record.ValueMemory
        let key = bytes record.KeyMemory |> Option.defaultValue Bytes.empty

        let keyed decode toJson adapt = decode limits key value |> Result.bind (fun record -> toJson record |> Result.map (adapt record))

        let withoutKey name decode toJson =
            match value with
            | None -> Error { Problem = Problem.NullNotAllowed; Offset = 0; Path = name }
            | Some value -> decode limits value |> Result.bind toJson |> Result.map (fun (json: StoredJson) -> content json json.Value)

        match topic with
        | InternalTopic.ConsumerOffsets -> keyed ConsumerOffsetsRecord.decode ConsumerOffsetsRecord.toJson consumerOffsets
        | InternalTopic.TransactionState -> keyed TransactionStateRecord.decode TransactionStateRecord.toJson transactionState
        | InternalTopic.ShareGroupState ->
            keyed ShareGroupStateRecord.decode ShareGroupStateRecord.toJson (fun _ json -> content json json.Value)
        | InternalTopic.ClusterMetadata -> withoutKey MetadataRecord.Topic MetadataRecord.decode MetadataRecord.toJson
        | InternalTopic.RemoteLogMetadata ->
            withoutKey RemoteLogMetadataRecord.Topic RemoteLogMetadataRecord.decode RemoteLogMetadataRecord.toJson
