namespace LibKafka.Wire

open System

/// The version of a message, and whether that version is flexible: whether lengths are compact and structs end in a tagged section
/// (KIP-482).
[<Struct>]
type MessageVersion =
    { Number: int16
      Flexible: bool }

    /// Not a version of any message but the union of all: every field is present. It serves to show a whole value.
    static member Every = { Number = -1s; Flexible = true }

/// An unbroken range of versions, both ends included.
[<Struct>]
type VersionRange =
    { Lowest: int16
      Highest: int16 }

    /// Whether the version lies in the range. `MessageVersion.Every` lies in all of them.
    member this.Contains(version: int16) = version < 0s || (version >= this.Lowest && version <= this.Highest)

    /// All of the versions, lowest first.
    member this.ToList() = [ this.Lowest .. this.Highest ]

    /// As in `4-12`, `4+` or `none`.
    override this.ToString() =
        if this.Highest < this.Lowest then "none"
        elif this.Highest = Int16.MaxValue then string this.Lowest + "+"
        else string this.Lowest + "-" + string this.Highest

/// What a type looks like on the wire at one version, as data.
[<RequireQualifiedAccess>]
type Shape =
    | Bool
    | Int8
    | Int16
    | UInt16
    | Int32
    | UInt32
    | Int64
    | Float64
    | Uuid
    /// Zig-zag, up to five bytes.
    | Varint
    /// Zig-zag, up to ten bytes.
    | Varlong
    /// Plain, up to five bytes.
    | UnsignedVarint
    /// Plain, up to ten bytes.
    | UnsignedVarlong
    | String of compact: bool
    | Bytes of compact: bool
    | Records of compact: bool
    | Array of element: Shape * compact: bool
    /// Fields in wire order: the plain ones, then the tagged ones by tag.
    | Struct of fields: FieldShape list * flexible: bool
    /// Null is allowed. A struct has a marker byte for it, everything else a length of -1.
    | Nullable of Shape

/// One field of a struct at one version.
and FieldShape =
    {
        Name: string
        Type: Shape
        /// The tag, where the field stands in the tagged section.
        Tag: int option
        /// The default as `Show` writes it.
        Default: string
        /// Whether a version without the field may drop a value that is not the default.
        Ignorable: bool
    }

/// Receives a value as a stream of events in wire order. What an interpreter does not need, it leaves as it is: doing nothing.
[<AbstractClass>]
type Visitor() =
    abstract Bool: bool -> unit
    default _.Bool _ = ()
    /// int8, int16, int32, int64, uint16, uint32 and the variable-length integers.
    abstract Integer: int64 -> unit
    default _.Integer _ = ()
    abstract Float64: float -> unit
    default _.Float64 _ = ()
    abstract Uuid: Guid -> unit
    default _.Uuid _ = ()
    abstract String: string -> unit
    default _.String _ = ()
    abstract Bytes: Bytes -> unit
    default _.Bytes _ = ()
    abstract Null: unit -> unit
    default _.Null() = ()
    /// The name of the number that comes next, where it has a meaning of its own.
    abstract Meaning: string -> unit
    default _.Meaning _ = ()
    abstract BeginStruct: unit -> unit
    default _.BeginStruct() = ()
    abstract EndStruct: unit -> unit
    default _.EndStruct() = ()
    /// A field of the current struct; its value comes next, then `EndField`.
    abstract BeginField: name: string -> unit
    default _.BeginField _ = ()
    abstract EndField: unit -> unit
    default _.EndField() = ()
    abstract BeginArray: count: int -> unit
    default _.BeginArray _ = ()
    /// An element of the current array; its value comes next, then `EndElement`.
    abstract BeginElement: index: int -> unit
    default _.BeginElement _ = ()
    abstract EndElement: unit -> unit
    default _.EndElement() = ()
    abstract EndArray: unit -> unit
    default _.EndArray() = ()
    /// A field that has a value other than its default, that this version has no place for, and that must not be dropped.
    abstract Lost: name: string -> unit
    default _.Lost _ = ()
    /// Null where this version does not allow it.
    abstract LostNull: unit -> unit
    default _.LostNull() = ()

/// Gives the parts of a value in wire order: the mirror image of `Visitor`.
[<AbstractClass>]
type Source() =
    abstract Bool: unit -> bool
    /// A whole number between the two bounds.
    abstract Integer: lowest: int64 * highest: int64 -> int64
    abstract Float64: unit -> float
    abstract Uuid: unit -> Guid
    abstract String: unit -> string
    abstract Bytes: unit -> Bytes
    /// Whether the value that comes next is null.
    abstract IsNull: unit -> bool
    abstract BeginStruct: unit -> unit
    abstract EndStruct: unit -> unit
    /// Whether there is a value for the field: where there is not it takes its default, and `EndField` is not called.
    abstract BeginField: name: string -> bool
    abstract EndField: unit -> unit
    /// The count of elements.
    abstract BeginArray: unit -> int
    abstract BeginElement: index: int -> unit
    abstract EndElement: unit -> unit
    abstract EndArray: unit -> unit

/// A type at one version, with everything that can be done with it. Made by the combinators of `Schema`, never by hand.
[<AbstractClass>]
type Codec<'T>(minSize: int) =

    /// What the type looks like on the wire. Made when it is asked for: neither writing nor reading needs it.
    abstract Shape: Shape

    /// The least number of bytes that a value takes.
    member _.MinSize = minSize

    abstract Write: Writer * 'T -> unit
    abstract Read: Reader -> 'T

    /// What of the value survives being written and read at this version.
    abstract Project: 'T -> 'T
    default _.Project value = value

    abstract Visit: Visitor * 'T -> unit
    abstract Build: Source -> 'T

/// A type whose own length prefix can say that there is no value.
[<AbstractClass>]
type internal LengthCodec<'T>(minSize: int) =
    inherit Codec<'T>(minSize)
    abstract WriteNull: Writer -> unit
    abstract TryRead: Reader -> 'T voption

    override this.Read reader =
        match this.TryRead reader with
        | ValueSome value -> value
        | ValueNone -> reader.Fail Problem.NullNotAllowed
