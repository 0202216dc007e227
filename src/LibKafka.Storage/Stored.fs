namespace LibKafka.Storage

open System
open System.Buffers.Binary
open System.Text
open LibKafka.Wire

/// A value and the version in which it is stored.
[<Struct>]
type Versioned<'T> =
    { Version: int16
      Value: 'T }

    /// Such as `v3 OffsetCommitValue {Offset: 42}`.
    override this.ToString() = "v" + string this.Version + " " + string this.Value

/// One type of record of a coordinator's topic: its number, and the messages of its key and value.
[<NoEquality; NoComparison>]
type RecordType<'Key, 'Value> =
    {
        /// The number at the start of the key. Before Kafka 4.1 it was called the version of the key.
        Id: int16
        Key: Message<'Key>
        Value: Message<'Value>
    }

    /// The name of the type: that of its key without `Key`.
    member this.Name = this.Key.Name.Substring(0, this.Key.Name.Length - "Key".Length)

    /// The name and the number, such as `OffsetCommit (1)`.
    override this.ToString() = this.Name + " (" + string this.Id + ")"

/// A record of a coordinator's topic.
type Stored<'Key, 'Value> =
    {
        Key: 'Key
        /// None for a tombstone, which deletes the key.
        Value: Versioned<'Value> option
    }

    /// The key, and the value with its version or `deleted`.
    override this.ToString() =
        match this.Value with
        | Some value -> string this.Key + " " + value.ToString()
        | None -> string this.Key + " deleted"

/// The texts of stored bytes.
[<RequireQualifiedAccess>]
module internal StoredText =

    let ofBytes (bytes: Bytes) : string = "0x" + bytes.ToString()

    /// The bytes of a value, or `deleted`.
    let ofValue (value: Bytes option) : string =
        match value with
        | Some value -> ofBytes value
        | None -> "deleted"

    let ofUnknown (id: int32) : string = "record of unknown type " + string id

/// A record of a coordinator's topic of a type that this library does not know.
type UnknownRecord =
    {
        /// The number at the start of the key.
        Id: int16
        /// The key after the number.
        Key: Bytes
        /// The whole value; None for a tombstone.
        Value: Bytes option
    }

    /// The number of the type, the key and the value.
    override this.ToString() =
        StoredText.ofUnknown (int32 this.Id) + " " + StoredText.ofBytes this.Key + " " + StoredText.ofValue this.Value

/// A record of the metadata log, or of `__remote_log_metadata`, of a type that this library does not know.
type UnknownContent =
    {
        /// The number of the type.
        Id: int32
        /// The content after the version.
        Body: Bytes
    }

    /// The number of the type and the content.
    override this.ToString() = StoredText.ofUnknown this.Id + " " + StoredText.ofBytes this.Body

/// A key and a value as they are in a record.
type StoredBytes =
    {
        Key: Bytes
        /// None for a tombstone.
        Value: Bytes option
    }

    /// The key and the value.
    override this.ToString() = "key " + StoredText.ofBytes this.Key + ", value " + StoredText.ofValue this.Value

/// A record as JSON in Kafka's own form.
type StoredJson =
    {
        /// The name of the type, such as `OffsetCommit`; empty for an unknown type.
        Name: string
        /// The number of the type.
        Id: int32
        /// Empty if the record has no key.
        Key: string
        /// None for a tombstone.
        Value: Versioned<string> option
    }

    /// The name of the type, the key, and the value with its version or `deleted`.
    override this.ToString() =
        let name = if this.Name = "" then StoredText.ofUnknown this.Id else this.Name
        let key = if this.Key = "" then "" else " " + this.Key

        match this.Value with
        | Some value -> name + key + " " + value.ToString()
        | None -> name + key + " deleted"

/// A record as JSON in Kafka's own form, in UTF-8. The bytes are valid until the transcoder is used again.
[<NoComparison; NoEquality>]
type StoredUtf8 =
    {
        /// The name of the type, such as `OffsetCommit`; empty for an unknown type.
        Name: string
        /// The number of the type.
        Id: int32
        /// Empty if the record has no key.
        Key: ReadOnlyMemory<byte>
        /// ValueNone for a tombstone.
        Value: Versioned<ReadOnlyMemory<byte>> voption
    }

    /// The same record with strings.
    member this.ToJson() : StoredJson =
        let text (utf8: ReadOnlyMemory<byte>) = Encoding.UTF8.GetString utf8.Span

        { Name = this.Name
          Id = this.Id
          Key = text this.Key
          Value =
            match this.Value with
            | ValueSome value -> Some { Version = value.Version; Value = text value.Value }
            | ValueNone -> None }

    /// The name of the type, the key, and the value with its version or `deleted`.
    override this.ToString() = this.ToJson().ToString()

    static member OfJson(json: StoredJson) : StoredUtf8 =
        let utf8 (text: string) = ReadOnlyMemory<byte>(Encoding.UTF8.GetBytes text)

        { Name = json.Name
          Id = json.Id
          Key = utf8 json.Key
          Value =
            match json.Value with
            | Some value -> ValueSome { Version = value.Version; Value = utf8 value.Value }
            | None -> ValueNone }

/// Writes stored records as JSON without making values of them. An instance is used by one thread at a time. With `withMeanings`, a number of a
/// type that has names, such as the status of a transaction, is written as a string: its name, or its digits if it has none.
[<Sealed>]
type StoredTranscoder(limits: Limits, withMeanings: bool) =
    let output = Utf8Writer 1024
    let json = JsonTranscoder(output, withMeanings)

    member internal _.Limits = limits

    /// Makes room for the next record.
    member internal _.Clear() = output.Clear()

    /// Appends the JSON of the message at the start of the bytes, and returns the number of bytes that the message takes.
    member internal _.Write(version: int16, message: Message<'T>, bytes: Bytes) : Result<int, Fault> =
        json.Write(limits, version, message, bytes)

    /// The JSON that has been written since `Clear`.
    member internal _.Written = output.Written

/// Writes the records of one type of a coordinator's topic as JSON.
[<AbstractClass>]
type internal RecordTranscoder() =
    /// `keyBody` is the key after its number.
    abstract Transcode: transcoder: StoredTranscoder * keyBody: Bytes * value: Bytes option -> Result<StoredUtf8, Fault>

/// What is made once for each type of record of a topic.
[<Sealed>]
type internal ByType<'T when 'T: not struct and 'T: not null>(make: int32 -> 'T) =
    // Two threads may fill a slot at once, because they make equal ones. The types that do not fit are rare.
    let slots: ('T | null)[] = Array.zeroCreate 64

    member _.Of(id: int32) : 'T =
        if id < 0 || id >= slots.Length then
            make id
        else
            match slots[id] with
            | null ->
                let made = make id
                slots[id] <- made
                made
            | known -> known

/// Prefixes of two bytes, which precede keys and values of the coordinators' topics.
[<RequireQualifiedAccess>]
module internal Prefix =

    let number (bytes: Bytes) : int16 = BinaryPrimitives.ReadInt16BigEndian bytes.Span

    /// The bytes after the number.
    let body (bytes: Bytes) : Bytes = bytes.Slice(2, bytes.Length - 2)

    /// The fault of fewer than two bytes.
    let missing (path: string) (bytes: Bytes) : Fault = { Problem = Problem.Truncated(2L, bytes.Length); Offset = 0; Path = path }

    /// The number and the bytes after it. `path` is that of the fault if there are fewer than two bytes.
    let split (path: string) (bytes: Bytes) : Result<struct (int16 * Bytes), Fault> =
        if bytes.Length < 2 then Error(missing path bytes) else Ok(struct (number bytes, body bytes))

    let add (number: int16) (body: Bytes) : Bytes =
        let all = Array.zeroCreate<byte>(2 + body.Length)
        BinaryPrimitives.WriteInt16BigEndian(all.AsSpan(), number)
        body.Span.CopyTo(all.AsSpan 2)
        Bytes all

    /// Reads a message after a prefix. Bytes after it are ignored, as brokers do.
    let decodeAfter (limits: Limits) (version: int16) (message: Message<'T>) (body: Bytes) : Result<'T, Fault> =
        match Message.decodePrefix limits version message body with
        | Ok(struct (value, _)) -> Ok value
        | Error fault -> Error(Fault.after 2 fault)

/// An action on a type of record of a coordinator's topic. `case` is the case of the union.
type internal IRecordTypeAction<'Record, 'Result> =
    abstract Type: recordType: RecordType<'Key, 'Value> * case: (Stored<'Key, 'Value> -> 'Record) -> 'Result
    abstract Unknown: 'Result

/// An action on a record of a coordinator's topic, of any type.
type IStoredVisitor<'Result> =
    abstract Visit: recordType: RecordType<'Key, 'Value> * record: Stored<'Key, 'Value> -> 'Result
    abstract Unknown: record: UnknownRecord -> 'Result

/// The records of one type. `ConsumerOffsetsRecord`, `TransactionStateRecord` and `ShareGroupStateRecord` serve if the type is not known
/// beforehand.
[<RequireQualifiedAccess>]
module RecordType =

    /// Reads the key after its number, and the value.
    let internal decodeBody
        (limits: Limits)
        (recordType: RecordType<'Key, 'Value>)
        (keyBody: Bytes)
        (value: Bytes option)
        : Result<Stored<'Key, 'Value>, Fault> =
        let versioned (value: Bytes) =
            Prefix.split (recordType.Value.Name + "/Version") value
            |> Result.bind (fun struct (version, body) ->
                Prefix.decodeAfter limits version recordType.Value body
                |> Result.map (fun value -> { Version = version; Value = value }))

        Prefix.decodeAfter limits 0s recordType.Key keyBody
        |> Result.bind (fun key ->
            match value with
            | None -> Ok { Stored.Key = key; Value = None }
            | Some value -> versioned value |> Result.map (fun value -> { Stored.Key = key; Value = Some value }))

    /// The key and value of a record. It is a fault if a field is set that the version cannot carry: see `Message.encode`.
    let encode (recordType: RecordType<'Key, 'Value>) (record: Stored<'Key, 'Value>) : Result<StoredBytes, Fault> =
        Message.encode 0s recordType.Key record.Key
        |> Result.bind (fun key ->
            let key = Prefix.add recordType.Id key

            match record.Value with
            | None -> Ok { StoredBytes.Key = key; Value = None }
            | Some { Version = version; Value = value } ->
                Message.encode version recordType.Value value
                |> Result.map (fun value -> { StoredBytes.Key = key; Value = Some(Prefix.add version value) }))

    /// Writes the key after its number, and the value, as JSON.
    let internal transcoder (recordType: RecordType<'Key, 'Value>) : RecordTranscoder =
        let name = recordType.Name
        let versionPath = recordType.Value.Name + "/Version"

        { new RecordTranscoder() with
            member _.Transcode(transcoder, keyBody, value) =
                match transcoder.Write(0s, recordType.Key, keyBody), value with
                | Error fault, _ -> Error(Fault.after 2 fault)
                | Ok _, None -> Ok { Name = name; Id = int32 recordType.Id; Key = transcoder.Written; Value = ValueNone }
                | Ok _, Some value when value.Length < 2 -> Error(Prefix.missing versionPath value)
                | Ok _, Some value ->
                    let keySize = transcoder.Written.Length
                    let version = Prefix.number value

                    match transcoder.Write(version, recordType.Value, Prefix.body value) with
                    | Error fault -> Error(Fault.after 2 fault)
                    | Ok _ ->
                        let written = transcoder.Written

                        Ok
                            { Name = name
                              Id = int32 recordType.Id
                              Key = written.Slice(0, keySize)
                              Value = ValueSome { Version = version; Value = written.Slice keySize } } }

    /// The record as JSON.
    let toJson (recordType: RecordType<'Key, 'Value>) (record: Stored<'Key, 'Value>) : Result<StoredJson, Fault> =
        let json key value : StoredJson = { Name = recordType.Name; Id = int32 recordType.Id; Key = key; Value = value }

        Message.toJson 0s recordType.Key record.Key
        |> Result.bind (fun key ->
            match record.Value with
            | None -> Ok(json key None)
            | Some { Version = version; Value = value } ->
                Message.toJson version recordType.Value value
                |> Result.map (fun value -> json key (Some { Version = version; Value = value })))

/// What all records of the coordinators' topics have in common.
[<RequireQualifiedAccess>]
module internal StoredRecords =

    let encode =
        { new IStoredVisitor<Result<StoredBytes, Fault>> with
            member _.Visit(recordType, record) = RecordType.encode recordType record
            member _.Unknown record = Ok { StoredBytes.Key = Prefix.add record.Id record.Key; Value = record.Value } }

    let toJson =
        { new IStoredVisitor<Result<StoredJson, Fault>> with
            member _.Visit(recordType, record) = RecordType.toJson recordType record

            member _.Unknown record =
                let base64 (bytes: Bytes) = "\"" + Convert.ToBase64String bytes.Span + "\""

                Ok
                    { StoredJson.Name = ""
                      Id = int32 record.Id
                      Key = base64 record.Key
                      Value = record.Value |> Option.map (fun value -> { Version = -1s; Value = base64 value }) } }

    let show =
        { new IStoredVisitor<string> with
            member _.Visit(recordType, record) =
                let key = recordType.Name + " " + Schema.show recordType.Key.Schema record.Key

                match record.Value with
                | Some value -> key + " v" + string value.Version + " " + Schema.show recordType.Value.Schema value.Value
                | None -> key + " deleted"

            member _.Unknown record = record.ToString() }

    /// Reads the number at the start of the key, and then the rest according to the number.
    let decode
        (topic: string)
        (visitType: IRecordTypeAction<'Record, Result<'Record, Fault>> -> int16 -> Result<'Record, Fault>)
        (unknown: UnknownRecord -> 'Record)
        (limits: Limits)
        (key: Bytes)
        (value: Bytes option)
        : Result<'Record, Fault> =
        Prefix.split (topic + "/Key") key
        |> Result.bind (fun struct (id, body) ->
            id
            |> visitType
                { new IRecordTypeAction<'Record, Result<'Record, Fault>> with
                    member _.Type(recordType, case) = RecordType.decodeBody limits recordType body value |> Result.map case
                    member _.Unknown = Ok(unknown { Id = id; Key = body; Value = value }) })

    let private unknownTranscoder (id: int16) =
        { new RecordTranscoder() with
            member _.Transcode(_, keyBody, value) = toJson.Unknown { Id = id; Key = keyBody; Value = value } |> Result.map StoredUtf8.OfJson }

    /// The transcoders of the types of a topic.
    let transcoders (visitType: IRecordTypeAction<'Record, RecordTranscoder> -> int16 -> RecordTranscoder) : ByType<RecordTranscoder> =
        ByType(fun id ->
            int16 id
            |> visitType
                { new IRecordTypeAction<'Record, RecordTranscoder> with
                    member _.Type(recordType, _) = RecordType.transcoder recordType
                    member _.Unknown = unknownTranscoder (int16 id) })

    /// The JSON of a record, according to the number at the start of the key.
    let transcode
        (topic: string)
        (transcoders: ByType<RecordTranscoder>)
        (transcoder: StoredTranscoder)
        (key: Bytes)
        (value: Bytes option)
        : Result<StoredUtf8, Fault> =
        transcoder.Clear()

        if key.Length < 2 then
            Error(Prefix.missing (topic + "/Key") key)
        else
            transcoders.Of(int32 (Prefix.number key)).Transcode(transcoder, Prefix.body key, value)
