namespace LibKafka.Wire

open System

[<RequireQualifiedAccess>]
module SecretText =

    /// What texts have in place of a secret.
    [<Literal>]
    let Hidden = "[secret]"

/// Receives a value as a stream of events in wire order. An event that is not overridden does nothing.
[<AbstractClass>]
type Visitor() =
    abstract Bool: bool -> unit
    default _.Bool _ = ()
    /// An int8, int16, int32, int64, uint16, uint32 or variable-length integer.
    abstract Integer: int64 -> unit
    default _.Integer _ = ()
    abstract Float64: float -> unit
    default _.Float64 _ = ()
    abstract Uuid: Guid -> unit
    default _.Uuid _ = ()
    abstract String: string -> unit
    default _.String _ = ()
    /// A string as valid UTF-8, from `Relay`. It counts as any other string unless this is overridden.
    abstract Utf8: ReadOnlySpan<byte> -> unit
    default this.Utf8 text = this.String(Text.Encoding.UTF8.GetString text)
    abstract Bytes: Bytes -> unit
    default _.Bytes _ = ()
    /// Record batches. They count as any other bytes unless this is overridden.
    abstract Records: Bytes -> unit
    default this.Records value = this.Bytes value
    /// The next value is a secret, which a text does not show: bytes, a string or null.
    abstract Secret: unit -> unit
    default _.Secret() = ()
    abstract Null: unit -> unit
    default _.Null() = ()
    /// The name of the number that follows, such as the name of an error code.
    abstract Meaning: string -> unit
    default _.Meaning _ = ()
    abstract BeginStruct: unit -> unit
    default _.BeginStruct() = ()
    abstract EndStruct: unit -> unit
    default _.EndStruct() = ()
    /// A field of the current struct. Its value follows, then `EndField`.
    abstract BeginField: name: string -> unit
    default _.BeginField _ = ()
    abstract EndField: unit -> unit
    default _.EndField() = ()
    abstract BeginArray: count: int -> unit
    default _.BeginArray _ = ()
    /// An element of the current array. Its value follows, then `EndElement`.
    abstract BeginElement: index: int -> unit
    default _.BeginElement _ = ()
    abstract EndElement: unit -> unit
    default _.EndElement() = ()
    abstract EndArray: unit -> unit
    default _.EndArray() = ()
    /// A field with a value other than its default, which this version cannot carry and must not drop.
    abstract Lost: name: string -> unit
    default _.Lost _ = ()
    /// Null, although this version does not allow it.
    abstract LostNull: unit -> unit
    default _.LostNull() = ()

/// Supplies the parts of a value in wire order: the opposite of `Visitor`.
[<AbstractClass>]
type Source() =
    abstract Bool: unit -> bool
    /// An integer within the bounds.
    abstract Integer: lowest: int64 * highest: int64 -> int64
    abstract Float64: unit -> float
    abstract Uuid: unit -> Guid
    abstract String: unit -> string
    abstract Bytes: unit -> Bytes
    /// Whether the next value is null.
    abstract IsNull: unit -> bool
    abstract BeginStruct: unit -> unit
    abstract EndStruct: unit -> unit
    /// Whether the source has a value for the field. If not, the field takes its default and `EndField` is not called.
    abstract BeginField: name: string -> bool
    abstract EndField: unit -> unit
    /// The number of elements.
    abstract BeginArray: unit -> int
    abstract BeginElement: index: int -> unit
    abstract EndElement: unit -> unit
    abstract EndArray: unit -> unit
