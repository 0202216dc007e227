namespace LibKafka.Wire

open System

[<RequireQualifiedAccess>]
module internal OneLine =

    /// A text that ends with the words of an exception or a broker, as one line without a period at its end.
    let ofText (text: string) : string = text.ReplaceLineEndings(" ").TrimEnd([| ' '; '.' |])

/// The reason why bytes cannot be read, or a value cannot be written.
[<RequireQualifiedAccess>]
type Problem =
    /// A value needs more bytes than remain.
    | Truncated of needed: int64 * remaining: int
    /// A negative length or count that does not mean null.
    | NegativeLength of length: int64
    /// A count of elements that cannot fit in the remaining bytes.
    | CountTooLarge of count: int64 * most: int64
    /// Null, although this version does not allow it.
    | NullNotAllowed
    /// A variable-length integer that is longer than its longest form, or that overflows its type.
    | BadVarint of longest: int
    /// Text that is not valid UTF-8.
    | BadUtf8
    /// A tag that occurs twice in one tagged section.
    | DuplicateTag of tag: uint32
    /// The value of a tagged field takes fewer bytes than its size declares. (A value that takes more is `Truncated`.)
    | TagSizeMismatch of tag: uint32 * declared: int * actual: int
    /// Bytes remain after the value.
    | TrailingBytes of count: int
    /// The version is outside the range of the message.
    | UnsupportedVersion of version: int16 * lowest: int16 * highest: int16
    /// No message has this API key.
    | UnknownApi of key: int16
    /// The field is set, this version cannot carry it, and the message would mean something else without it.
    | LossyField of version: int16
    /// Text or bytes longer than their length prefix can express, or than the caller allows.
    | TooLong of length: int64 * most: int64
    /// A record batch larger than its producer may send.
    | BatchTooLarge of size: int * most: int
    /// A frame larger than the limits allow.
    | FrameTooLarge of length: int64 * most: int64
    /// A message whose values would take more memory than the limits allow.
    | DecodedTooLarge of most: int64
    /// A message of a member of a group, which together with those of the members with smaller messages would take more memory than the limits
    /// allow.
    | GroupTooLarge of most: int64
    /// A record batch with more records than the limits allow.
    | TooManyRecords of most: int64
    /// The checksum of a record batch does not match its bytes.
    | BadCrc of stored: uint32 * computed: uint32
    /// A record batch in a format that is not supported.
    | BadMagic of magic: int8
    /// The length of a record batch is too small for the batch header.
    | BadBatchLength of length: int
    /// The record count of a batch is negative or differs from the number of its records.
    | BadRecordCount of declared: int * found: int
    /// The length of a record differs from the size of its content.
    | BadRecordLength of declared: int64 * actual: int64
    /// The attributes of a record batch name a compression codec that does not exist.
    | UnknownCodec of codec: int
    /// A record batch is compressed, and the caller gave no codec for it.
    | CodecMissing of codec: string
    /// The codec that the caller gave failed.
    | CodecFailed of codec: string * reason: string
    /// The batch is already compressed.
    | AlreadyCompressed of codec: string
    /// A message inside a compressed message (magic 0 or 1) is itself compressed.
    | NestedCompression of codec: string
    /// The decompressed content is larger than the limits allow.
    | DecompressedTooLarge of most: int64
    /// JSON that is malformed or does not match the message.
    | BadJson of reason: string
    /// A value outside the range of its field.
    | OutOfRange of value: int64 * lowest: int64 * highest: int64

    /// A one-line description.
    override this.ToString() =
        let n (value: int64) = value.ToString()
        let bytes (count: int64) = FieldText.count count "byte"

        match this with
        | Truncated(needed, remaining) ->
            "needs " + bytes needed + ", but " + string remaining + (if remaining = 1 then " remains" else " remain")
        | NegativeLength length -> "negative length " + n length
        | CountTooLarge(count, most) -> "count " + n count + " exceeds the maximum of " + n most
        | NullNotAllowed -> "null is not allowed here"
        | BadVarint longest -> "variable-length integer overflows or is longer than " + string longest + " bytes"
        | BadUtf8 -> "text is not valid UTF-8"
        | DuplicateTag tag -> "tag " + string tag + " occurs twice"
        | TagSizeMismatch(tag, declared, actual) ->
            "tag " + string tag + " declares " + bytes declared + ", but its value takes " + string actual
        | TrailingBytes count -> bytes count + (if count = 1 then " remains" else " remain") + " after the value"
        | UnsupportedVersion(version, lowest, highest) ->
            "version " + string version + " is outside the supported range " + string lowest + " to " + string highest
        | UnknownApi key -> "API key " + string key + " is unknown"
        | LossyField version ->
            "the field is set, but version "
            + string version
            + " of the message does not have it: use a broker that supports a later version, or leave the field at its default"
        | TooLong(length, most) -> "length " + n length + " exceeds the maximum of " + n most
        | BatchTooLarge(size, most) ->
            "the batch has "
            + bytes (int64 size)
            + ", more than MaxBatchBytes allows ("
            + string most
            + "): build smaller batches, or raise the limit"
        | FrameTooLarge(length, most) -> "a frame of " + bytes length + " exceeds the limit of " + n most
        | DecodedTooLarge most -> "the decoded message would take more than " + bytes most + " of memory, the limit MaxDecodedBytes"
        | GroupTooLarge most ->
            "this decoded message and the smaller ones of the group would together take more than "
            + bytes most
            + " of memory, the limit MaxDecodedBytes"
        | TooManyRecords most -> "the batch has more than " + FieldText.count most "record" + ", the limit MaxRecords"
        | BadCrc(stored, computed) -> "checksum " + stored.ToString "x8" + " does not match the computed " + computed.ToString "x8"
        | BadMagic magic -> "record format (magic) " + string magic + " is not supported"
        | BadBatchLength length -> "batch length " + string length + " is too small for a batch header"
        | BadRecordCount(declared, found) ->
            "the batch declares " + FieldText.count (int64 declared) "record" + ", but contains " + string found
        | BadRecordLength(declared, actual) -> "a record declares " + bytes declared + ", but its content takes " + n actual
        | UnknownCodec codec -> "compression codec " + string codec + " does not exist"
        | CodecMissing codec ->
            "the batch is compressed with " + codec + ", but no " + codec + " codec was given: LibKafka.Compression has one"
        | CodecFailed(codec, reason) -> OneLine.ofText ("the " + codec + " codec failed: " + reason)
        | AlreadyCompressed codec -> "the batch is already compressed with " + codec
        | NestedCompression codec -> "a message compressed with " + codec + " is inside another compressed message"
        | DecompressedTooLarge most -> "the decompressed content exceeds the limit of " + bytes most + ", MaxDecompressedBytes"
        | BadJson reason -> OneLine.ofText reason
        | OutOfRange(value, lowest, highest) -> n value + " is outside the range " + n lowest + " to " + n highest

/// A problem and where it is.
type Fault =
    {
        Problem: Problem
        /// The number of bytes before the problem, from the start of what was read or written.
        Offset: int
        /// The field with the problem, such as `FetchResponse/Responses[2]/Partitions[0]/Records`; empty if there is none.
        Path: string
    }

    /// A one-line description with path, offset and problem.
    override this.ToString() =
        let place = "at byte " + string this.Offset

        if this.Path = "" then
            place + ": " + this.Problem.ToString()
        else
            this.Path + " " + place + ": " + this.Problem.ToString()

/// Carries a fault from inside an encoder or decoder to the public boundary, which returns it as a value. It never leaves the library.
type internal FaultException(problem: Problem, offset: int) =
    inherit Exception(problem.ToString())
    member _.Problem = problem
    member _.Offset = offset

/// Bounds on what a decoder accepts, so that a hostile peer cannot exhaust memory.
type Limits =
    {
        /// The largest frame that is read from a connection or decoded, in bytes without its length prefix. It bounds the buffer that the frame
        /// is read into.
        MaxFrameBytes: int
        /// The most memory that the values of one decoded message take, in bytes. It counts every record, list element, string and option
        /// that is made, before it is made, at its size on a 64-bit runtime. Fields of bytes, such as the record batches of a fetch, do not
        /// count, because they are slices of the frame. The subscriptions of a group's members count together: see
        /// `Assignor.subscribersWithin`.
        MaxDecodedBytes: int64
        /// The largest size of the decompressed records of one batch, in bytes. It bounds the buffer that a batch is decompressed into.
        MaxDecompressedBytes: int
        /// The largest number of records in one batch.
        MaxRecords: int
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show
            [ "MaxFrameBytes", box this.MaxFrameBytes
              "MaxDecodedBytes", box this.MaxDecodedBytes
              "MaxDecompressedBytes", box this.MaxDecompressedBytes
              "MaxRecords", box this.MaxRecords ]

[<RequireQualifiedAccess>]
module Limits =

    /// Frames of 256 MiB, messages of 256 MiB after decoding, batches of 256 MiB after decompression, and 16 Mi records in a batch. A broker
    /// with default settings stays below them: the metadata of a partition with three replicas takes less than 300 bytes.
    let standard =
        { MaxFrameBytes = 256 * 1024 * 1024
          MaxDecodedBytes = 256L * 1024L * 1024L
          MaxDecompressedBytes = 256 * 1024 * 1024
          MaxRecords = 16 * 1024 * 1024 }

/// Places a fault in a part into the whole.
[<RequireQualifiedAccess>]
module Fault =

    let internal raise' (problem: Problem) (offset: int) : 'T = raise (FaultException(problem, offset))

    let internal at (offset: int) (problem: Problem) : Fault = { Problem = problem; Offset = offset; Path = "" }

    let internal ofField (name: string) (offset: int) (problem: Problem) : Fault = { Problem = problem; Offset = offset; Path = name }

    /// The fault with a path put before its own: `Crc` within `Records[3]` is `Records[3]/Crc`, and `[3]/Crc` within `Records` is the same.
    let within (path: string) (fault: Fault) : Fault =
        let joined =
            if path = "" || fault.Path = "" || fault.Path[0] = '[' then
                path + fault.Path
            else
                path + "/" + fault.Path

        { fault with Path = joined }

    /// The fault in bytes that come after `count` others: its offset counts those too.
    let after (count: int) (fault: Fault) : Fault = { fault with Offset = fault.Offset + count }
