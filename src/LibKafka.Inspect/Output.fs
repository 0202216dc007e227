/// What a printer prints, and how it shows bytes and times.
module LibKafka.Inspect.Output

open System
open System.Buffers
open System.Globalization
open System.Text.Unicode
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Storage
open LibKafka.Inspect.Utf8Output
open LibKafka.Inspect.Frames
open LibKafka.Inspect.Records

/// How the content of a record is printed.
[<Struct; RequireQualifiedAccess; NoComparison; NoEquality>]
type RecordContent =
    | Plain
    | Control
    /// A record of an internal topic.
    | Decoded of decoded: StoredUtf8
    /// A record of an internal topic that cannot be decoded.
    | Broken of fault: Fault

/// Where a record is, and what is known of it from its batch.
[<Struct; NoComparison; NoEquality>]
type RecordPlace =
    {
        /// The offset of the batch in the input.
        Offset: int64
        /// The sequence number of the record; none without a producer id.
        Sequence: int32 voption
        Content: RecordContent
    }

/// Prints one line for each item. `field` belongs to the frame printed last; in a log there is none.
type Printer =
    /// A printer of the same kind for another output. It continues with the same file.
    abstract On: output: Utf8Output -> Printer
    /// The following items come from a file of this name.
    abstract File: name: string -> unit
    abstract Frame: frame: Frame -> unit
    abstract Item: field: Field option * item: Item -> unit
    /// A record of the batch printed last. The record is valid only during the call.
    abstract Record: field: Field option * place: RecordPlace * record: inref<Record> -> unit

/// The control characters other than tabs and line ends. Bytes with one of them are not printed as text.
let private controls =
    SearchValues.Create
        [| for code in 0uy .. 0x7Fuy do
               if (code < ' 'B && code <> '\t'B && code <> '\n'B && code <> '\r'B) || code = 0x7Fuy then
                   code |]

let isText (bytes: ReadOnlySpan<byte>) = Utf8.IsValid bytes && bytes.IndexOfAny controls < 0

/// A time in ISO 8601, or the number if it is out of range.
let time (milliseconds: int64) : string =
    if milliseconds >= 0L && milliseconds < 253402300800000L then
        // .NET writes seven digits after the point.
        let text = DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime.ToString("O", CultureInfo.InvariantCulture)
        text.Substring(0, 23) + "Z"
    else
        string milliseconds
