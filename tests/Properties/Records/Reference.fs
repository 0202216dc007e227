/// Record batches written and read in the slowest and most obvious way there is: lists, whole numbers of any size and one bit at a time.
/// What is fast is held against this.
module LibKafka.Properties.Records.Reference

open LibKafka.Wire
open LibKafka.Records

/// Seven bits a byte, least significant first, all but the last with the top bit set.
let rec unsignedVarint (value: bigint) : byte list =
    if value < 128I then [ byte value ] else byte (value % 128I + 128I) :: unsignedVarint (value / 128I)

/// 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4.
let zigZag (value: bigint) : bigint = if value >= 0I then 2I * value else -2I * value - 1I

let varint (value: int64) : byte list = unsignedVarint (zigZag (bigint value))

/// Reads a zig-zag varint of at most so many bytes that fits into so many bits.
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
let crc32c (bytes: byte seq) : uint32 =
    let mutable register = 0xFFFFFFFFu

    for value in bytes do
        register <- register ^^^ uint32 value

        for _ in 1..8 do
            register <- if register &&& 1u = 1u then (register >>> 1) ^^^ 0x82F63B78u else register >>> 1

    ~~~register

let bigEndian (size: int) (value: int64) : byte list = [ for index in size - 1 .. -1 .. 0 -> byte (value >>> (8 * index)) ]

let private bytesOf (bytes: Bytes) : byte list = List.ofArray (bytes.ToArray())

let private nullable (bytes: Bytes voption) : byte list =
    match bytes with
    | ValueSome bytes -> varint (int64 bytes.Length) @ bytesOf bytes
    | ValueNone -> varint -1L

let private encodeHeader (header: RecordHeader) : byte list = varint (int64 header.Key.Length) @ bytesOf header.Key @ nullable header.Value

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

/// The header's length, checksum and count are not looked at but worked out.
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

/// The header and records that options and records stand for.
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

/// So many bytes, and the rest.
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

/// So many records that take all of the bytes.
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
