/// Record batches written and read in the slowest and most obvious way: with lists, integers of any size, and one bit at a time.
/// The fast code is tested against it.
module LibKafka.Properties.Records.Reference

open LibKafka.Wire
open LibKafka.Records

/// Seven bits a byte, least significant first, all but the last with the top bit set.
let rec unsignedVarint (value: bigint) : byte list =
    if value < 128I then [ byte value ] else byte (value % 128I + 128I) :: unsignedVarint (value / 128I)

/// 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4.
let zigZag (value: bigint) : bigint = if value >= 0I then 2I * value else -2I * value - 1I

let varint (value: int64) : byte list = unsignedVarint (zigZag (bigint value))

/// Reads a zig-zag varint with a maximum number of bytes and bits.
let readVarint (longest: int) (bits: int) (bytes: byte list) : (int64 * byte list) option =
    let rec groups (taken: int) (rest: byte list) =
        match rest with
        | _ when taken = longest -> None
        | [] -> None
        | value :: rest when value < 128uy -> Some(bigint (int value), rest)
        | value :: rest -> groups (taken + 1) rest |> Option.map (fun (higher, rest) -> higher * 128I + bigint (int value - 128), rest)

    match groups 0 bytes with
    | Some(raw, rest) when raw < bigint.Pow(2I, bits) ->
        let value = if raw % 2I = 0I then raw / 2I else -(raw + 1I) / 2I
        Some(int64 value, rest)
    | _ -> None

/// The remainder of dividing the bits by the polynomial, one bit at a time.
let private crc (polynomial: uint32) (bytes: byte seq) : uint32 =
    let mutable register = 0xFFFFFFFFu

    for value in bytes do
        register <- register ^^^ uint32 value

        for _ in 1..8 do
            register <- if register &&& 1u = 1u then (register >>> 1) ^^^ polynomial else register >>> 1

    ~~~register

let crc32c (bytes: byte seq) : uint32 = crc 0x82F63B78u bytes

let crc32 (bytes: byte seq) : uint32 = crc 0xEDB88320u bytes

let bigEndian (size: int) (value: int64) : byte list = [ for index in size - 1 .. -1 .. 0 -> byte (value >>> (8 * index)) ]

let private bytesOf (bytes: Bytes) : byte list = List.ofArray (bytes.ToArray())

let private nullable (bytes: Bytes voption) : byte list =
    match bytes with
    | ValueSome bytes -> varint (int64 bytes.Length) @ bytesOf bytes
    | ValueNone -> varint -1L

let encodeHeader (header: RecordHeader) : byte list = varint (int64 header.Key.Length) @ bytesOf header.Key @ nullable header.Value

let encodeRecord (baseOffset: int64) (baseTimestamp: int64) (record: RecordData) : byte list =
    let body =
        [ 0uy ]
        @ varint (record.Timestamp - baseTimestamp)
        @ varint (record.Offset - baseOffset)
        @ nullable record.Key
        @ nullable record.Value
        @ varint (int64 record.Headers.Length)
        @ List.collect encodeHeader record.Headers

    varint (int64 body.Length) @ body

/// The header's length, checksum and count are ignored and computed.
let encodeBatch (header: BatchHeader) (count: int) (records: byte list) : byte[] =
    let checkedPart =
        bigEndian 2 (int64 header.Attributes.Bits)
        @ bigEndian 4 (int64 header.LastOffsetDelta)
        @ bigEndian 8 header.BaseTimestamp
        @ bigEndian 8 header.MaxTimestamp
        @ bigEndian 8 header.ProducerId
        @ bigEndian 2 (int64 header.ProducerEpoch)
        @ bigEndian 4 (int64 header.BaseSequence)
        @ bigEndian 4 (int64 count)
        @ records

    let length = 4 + 1 + 4 + checkedPart.Length

    Array.ofList (
        bigEndian 8 header.BaseOffset
        @ bigEndian 4 (int64 length)
        @ bigEndian 4 (int64 header.PartitionLeaderEpoch)
        @ [ 2uy ]
        @ bigEndian 4 (int64 (crc32c checkedPart))
        @ checkedPart
    )

/// The batch of options and records.
let ofRecords (options: BatchOptions) (records: RecordData list) : byte[] =
    let baseTimestamp =
        match options.DeleteHorizon, options.BaseTimestamp, records with
        | ValueSome horizon, _, _ -> horizon
        | _, ValueSome given, _ -> given
        | _, _, first :: _ -> first.Timestamp
        | _, _, [] -> -1L

    let maxTimestamp =
        match options.MaxTimestamp, records with
        | ValueSome given, _ -> given
        | _, [] -> -1L
        | _, records -> records |> List.map _.Timestamp |> List.max

    let lastOffset =
        match options.LastOffset with
        | ValueSome offset -> offset
        | ValueNone -> (List.last records).Offset

    let bit (mask: int16) (on: bool) = if on then mask else 0s

    let header =
        { BaseOffset = options.BaseOffset
          Length = 0
          PartitionLeaderEpoch = options.PartitionLeaderEpoch
          Magic = 2y
          Crc = 0u
          Attributes =
            BatchAttributes(
                bit 8s (options.TimestampType = TimestampType.LogAppendTime)
                + bit 16s options.IsTransactional
                + bit 32s options.IsControl
                + bit 64s options.DeleteHorizon.IsSome
            )
          LastOffsetDelta = int (lastOffset - options.BaseOffset)
          BaseTimestamp = baseTimestamp
          MaxTimestamp = maxTimestamp
          ProducerId = options.ProducerId
          ProducerEpoch = options.ProducerEpoch
          BaseSequence = options.BaseSequence
          Count = 0 }

    records |> List.collect (encodeRecord options.BaseOffset baseTimestamp) |> encodeBatch header records.Length

let private read32 = readVarint 5 32
let private read64 = readVarint 10 64

/// The first bytes, and the rest.
let private take (count: int64) (bytes: byte list) : (byte list * byte list) option =
    if count < 0L || count > int64 bytes.Length then None else Some(List.splitAt (int count) bytes)

let private readNullable (bytes: byte list) : (Bytes voption * byte list) option =
    match read32 bytes with
    | Some(-1L, rest) -> Some(ValueNone, rest)
    | Some(length, rest) -> take length rest |> Option.map (fun (taken, rest) -> ValueSome(Bytes(Array.ofList taken)), rest)
    | None -> None

let rec private readHeaders (count: int64) (bytes: byte list) : (RecordHeader list * byte list) option =
    if count < 0L then
        None
    elif count = 0L then
        Some([], bytes)
    else
        match readNullable bytes with
        | Some(ValueSome key, rest) ->
            match readNullable rest with
            | Some(value, rest) ->
                readHeaders (count - 1L) rest |> Option.map (fun (headers, rest) -> { Key = key; Value = value } :: headers, rest)
            | None -> None
        | _ -> None

let private readBody (baseOffset: int64) (baseTimestamp: int64) (body: byte list) : RecordData option =
    match body with
    | [] -> None
    | _attributes :: body ->
        read64 body
        |> Option.bind (fun (timestamp, body) ->
            read32 body
            |> Option.bind (fun (offset, body) ->
                readNullable body
                |> Option.bind (fun (key, body) ->
                    readNullable body
                    |> Option.bind (fun (value, body) ->
                        read32 body
                        |> Option.bind (fun (count, body) ->
                            match readHeaders count body with
                            | Some(headers, []) ->
                                Some
                                    { Offset = baseOffset + offset
                                      Timestamp = baseTimestamp + timestamp
                                      Key = key
                                      Value = value
                                      Headers = headers }
                            | _ -> None)))))

/// A number of records that take all of the bytes.
let rec readRecords (baseOffset: int64) (baseTimestamp: int64) (count: int) (bytes: byte list) : RecordData list option =
    if count < 0 then
        None
    elif count = 0 then
        if List.isEmpty bytes then Some [] else None
    else
        match read32 bytes with
        | None -> None
        | Some(length, rest) ->
            match take length rest with
            | None -> None
            | Some(body, rest) ->
                match readBody baseOffset baseTimestamp body, lazy (readRecords baseOffset baseTimestamp (count - 1) rest) with
                | Some record, Lazy(Some records) -> Some(record :: records)
                | _ -> None

/// A message of the formats before record batches, field by field.
type LegacyMessage = { Magic: int; Offset: int64; Attributes: int; Timestamp: int64; Key: Bytes voption; Value: Bytes voption }

/// A message with the right length and checksum.
let encodeMessage (message: LegacyMessage) : byte list =
    let nullable (bytes: Bytes voption) =
        match bytes with
        | ValueSome bytes -> bigEndian 4 (int64 bytes.Length) @ bytesOf bytes
        | ValueNone -> bigEndian 4 -1L

    let checkedPart =
        [ byte message.Magic; byte message.Attributes ]
        @ (if message.Magic = 0 then [] else bigEndian 8 message.Timestamp)
        @ nullable message.Key
        @ nullable message.Value

    bigEndian 8 message.Offset
    @ bigEndian 4 (int64 (4 + checkedPart.Length))
    @ bigEndian 4 (int64 (crc32 checkedPart))
    @ checkedPart

let private number (size: int) (bytes: byte list) : (int64 * byte list) option =
    take (int64 size) bytes
    |> Option.map (fun (digits, rest) ->
        let unsigned = digits |> List.fold (fun sum digit -> sum * 256I + bigint (int digit)) 0I
        let signed = if digits.Head >= 128uy then unsigned - bigint.Pow(256I, size) else unsigned
        int64 signed, rest)

let private nullableRun (bytes: byte list) : (Bytes voption * byte list) option =
    match number 4 bytes with
    | Some(-1L, rest) -> Some(ValueNone, rest)
    | Some(length, rest) -> take length rest |> Option.map (fun (content, rest) -> ValueSome(Bytes(Array.ofList content)), rest)
    | None -> None

/// The content of a message after its checksum.
let private decodeContent (offset: int64) (content: byte list) : LegacyMessage option =
    match content with
    | magic :: attributes :: rest when magic < 2uy ->
        (if magic = 0uy then Some(-1L, rest) else number 8 rest)
        |> Option.bind (fun (timestamp, rest) ->
            nullableRun rest
            |> Option.bind (fun (key, rest) ->
                match nullableRun rest with
                | Some(value, []) ->
                    Some
                        { Magic = int magic
                          Offset = offset
                          Attributes = int attributes
                          Timestamp = timestamp
                          Key = key
                          Value = value }
                | _ -> None))
    | _ -> None

/// Reads one message, whose length and checksum must be right, and returns the rest.
let private decodeMessage (bytes: byte list) : (LegacyMessage * byte list) option =
    number 8 bytes
    |> Option.bind (fun (offset, rest) ->
        number 4 rest
        |> Option.bind (fun (length, rest) -> take length rest)
        |> Option.bind (fun (message, rest) ->
            match take 4L message with
            | Some(stored, content) when stored = bigEndian 4 (int64 (crc32 content)) ->
                decodeContent offset content |> Option.map (fun message -> message, rest)
            | _ -> None))

let rec private decodeMessages (bytes: byte list) : LegacyMessage list option =
    match decodeMessage bytes with
    | None -> None
    | Some(message, []) -> Some [ message ]
    | Some(message, rest) -> decodeMessages rest |> Option.map (fun others -> message :: others)

/// The records of one message, or of all messages compressed in it. `unpack` returns nothing for a code or bytes that it does
/// not support.
let readLegacy (unpack: int -> Bytes -> byte list option) (bytes: byte list) : RecordData list option =
    let record (offset: int64) (timestamp: int64) (message: LegacyMessage) : RecordData =
        { Offset = offset; Timestamp = timestamp; Key = message.Key; Value = message.Value; Headers = [] }

    match decodeMessage bytes with
    | Some(message, []) when message.Attributes &&& 7 = 0 -> Some [ record message.Offset message.Timestamp message ]
    | Some(wrapper, []) ->
        let inner =
            match wrapper.Value with
            | ValueSome value -> unpack (wrapper.Attributes &&& 7) value |> Option.bind decodeMessages
            | ValueNone -> None

        match inner with
        | Some messages when messages |> List.forall (fun inner -> inner.Magic = wrapper.Magic && inner.Attributes &&& 7 = 0) ->
            let shift = if wrapper.Magic = 0 then 0L else wrapper.Offset - (List.last messages).Offset
            let isAppended = wrapper.Magic = 1 && wrapper.Attributes &&& 8 <> 0
            let timestamp (inner: LegacyMessage) = if isAppended then wrapper.Timestamp else inner.Timestamp
            Some(messages |> List.map (fun inner -> record (inner.Offset + shift) (timestamp inner) inner))
        | _ -> None
    | _ -> None
