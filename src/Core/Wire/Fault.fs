namespace LibKafka.Wire

open System

/// What is wrong with bytes that were to be read, or with a value that was to be written.
[<RequireQualifiedAccess>]
type Problem =
    /// A value needs more bytes than are left.
    | Truncated of needed: int64 * remaining: int
    /// A length or count below zero that does not mean null.
    | NegativeLength of length: int64
    /// A count of elements that cannot fit in the bytes that are left, or that the limits do not allow.
    | CountTooLarge of count: int64 * most: int64
    /// Null where this version does not allow null.
    | NullNotAllowed
    /// A variable-length integer that goes on past its longest form or overflows its type.
    | BadVarint of longest: int
    /// Text that is not valid UTF-8.
    | BadUtf8
    /// A tag that stands twice in one tagged section.
    | DuplicateTag of tag: uint32
    /// A tagged field whose value ends before the size that was given for it. (One that goes on behind it is `Truncated`.)
    | TagSizeMismatch of tag: uint32 * declared: int * actual: int
    /// Bytes are left over behind the value.
    | TrailingBytes of count: int
    /// The version lies outside the range that is known for this message.
    | UnsupportedVersion of version: int16 * lowest: int16 * highest: int16
    /// No message with this API key is known.
    | UnknownApi of key: int16
    /// The field has a value, this version cannot carry it, and dropping it would change what the message means.
    | LossyField of version: int16
    /// Text or bytes longer than their length prefix can say, or than the caller allows.
    | TooLong of length: int64 * most: int64
    /// A frame larger than the limits allow.
    | FrameTooLarge of length: int64 * most: int64
    /// A record batch whose checksum does not match its bytes.
    | BadCrc of stored: uint32 * computed: uint32
    /// A record batch of a format that cannot be read here.
    | BadMagic of magic: int8
    /// A record batch length too small for the batch header.
    | BadBatchLength of length: int
    /// A record batch whose count of records is negative or does not match its records.
    | BadRecordCount of declared: int * found: int
    /// A record whose own length does not match its content.
    | BadRecordLength of declared: int64 * actual: int64
    /// A record batch attribute names a compression codec that does not exist.
    | UnknownCodec of codec: int
    /// A record batch is compressed and the caller gave no codec for it.
    | CodecMissing of codec: string
    /// The codec that the caller gave failed.
    | CodecFailed of codec: string * reason: string
    /// The batch is already compressed.
    | AlreadyCompressed of codec: string
    /// A message within a compressed one (magic 0 or 1) is itself compressed.
    | NestedCompression of codec: string
    /// Decompressed content larger than the limits allow.
    | DecompressedTooLarge of most: int64
    /// JSON that is malformed or does not fit the message.
    | BadJson of reason: string
    /// A value lies outside the range that its place can carry.
    | OutOfRange of value: int64 * lowest: int64 * highest: int64

    /// One line for people.
    override this.ToString() =
        let n (value: int64) = value.ToString()

        match this with
        | Truncated(needed, remaining) -> "needs " + n needed + " bytes, " + string remaining + " are left"
        | NegativeLength length -> "negative length " + n length
        | CountTooLarge(count, most) -> "count " + n count + " is more than the " + n most + " possible here"
        | NullNotAllowed -> "null is not allowed here"
        | BadVarint longest -> "variable-length integer does not end within " + string longest + " bytes"
        | BadUtf8 -> "text is not valid UTF-8"
        | DuplicateTag tag -> "tag " + string tag + " stands twice"
        | TagSizeMismatch(tag, declared, actual) ->
            "tag " + string tag + " declares " + string declared + " bytes but its value takes " + string actual
        | TrailingBytes count -> string count + " bytes are left over"
        | UnsupportedVersion(version, lowest, highest) ->
            "version " + string version + " is outside " + string lowest + " to " + string highest
        | UnknownApi key -> "API key " + string key + " is not known"
        | LossyField version -> "the field is set and version " + string version + " cannot carry it"
        | TooLong(length, most) -> "length " + n length + " is more than the " + n most + " allowed here"
        | FrameTooLarge(length, most) -> "a frame of " + n length + " bytes is more than the limit of " + n most
        | BadCrc(stored, computed) -> "checksum " + stored.ToString "x8" + " does not match the content's " + computed.ToString "x8"
        | BadMagic magic -> "record format (magic) " + string magic + " cannot be read"
        | BadBatchLength length -> "batch length " + string length + " is too small for a batch header"
        | BadRecordCount(declared, found) -> "the batch declares " + string declared + " records and holds " + string found
        | BadRecordLength(declared, actual) -> "a record declares " + n declared + " bytes and its content takes " + n actual
        | UnknownCodec codec -> "compression codec " + string codec + " does not exist"
        | CodecMissing codec -> "the batch is compressed with " + codec + " and no codec for it was given"
        | CodecFailed(codec, reason) -> "the " + codec + " codec failed: " + reason
        | AlreadyCompressed codec -> "the batch is already compressed with " + codec
        | NestedCompression codec -> "a message compressed with " + codec + " stands within another"
        | DecompressedTooLarge most -> "decompressed content exceeds the limit of " + n most + " bytes"
        | BadJson reason -> reason
        | OutOfRange(value, lowest, highest) -> n value + " is outside " + n lowest + " to " + n highest

/// A problem and its place.
type Fault =
    {
        Problem: Problem
        /// Bytes from the start of what was read or written to where the problem shows.
        Offset: int
        /// The field it concerns, such as `FetchResponse/Responses[2]/Partitions[0]/Records`; empty where there is none.
        Path: string
    }

    /// One line for people: path, offset and problem.
    override this.ToString() =
        let place = "at byte " + string this.Offset

        if this.Path = "" then
            place + ": " + this.Problem.ToString()
        else
            this.Path + " " + place + ": " + this.Problem.ToString()

/// Carries a fault from the depth of an encoder or decoder to the public boundary, which returns it as a value. Never escapes.
type internal FaultException(problem: Problem, offset: int) =
    inherit Exception(problem.ToString())
    member _.Problem = problem
    member _.Offset = offset

/// Bounds on what a decoder will take on, so that a hostile peer cannot make it use memory without end.
type Limits =
    {
        /// Largest frame that is read from a connection or decoded, in bytes, without its length prefix.
        MaxFrameBytes: int
        /// Largest size that the records of one compressed batch may decompress to, in bytes.
        MaxDecompressedBytes: int
        /// Most records that one batch may hold.
        MaxRecords: int
    }

[<RequireQualifiedAccess>]
module Limits =

    /// Frames of 256 MiB, batches of 256 MiB once decompressed, 16 Mi records in a batch: above anything a broker sends
    /// with its default settings.
    let standard =
        { MaxFrameBytes = 256 * 1024 * 1024; MaxDecompressedBytes = 256 * 1024 * 1024; MaxRecords = 16 * 1024 * 1024 }

[<RequireQualifiedAccess>]
module internal Fault =

    let raise' (problem: Problem) (offset: int) : 'T = raise (FaultException(problem, offset))

    let at (offset: int) (problem: Problem) : Fault = { Problem = problem; Offset = offset; Path = "" }
