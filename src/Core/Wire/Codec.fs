namespace LibKafka.Wire

open System

/// A version of a message. In a flexible version lengths are compact and structs end in a tagged section (KIP-482).
[<Struct>]
type MessageVersion =
    { Number: int16
      Flexible: bool }

    /// The number, such as `12 (flexible)`.
    override this.ToString() = string this.Number + (if this.Flexible then " (flexible)" else "")

    /// The union of all versions, in which every field is present. It serves to show a whole value.
    static member Every = { Number = -1s; Flexible = true }

/// A range of versions, both ends included.
[<Struct>]
type VersionRange =
    { Lowest: int16
      Highest: int16 }

    /// Whether the range contains the version.
    member this.Contains(version: int16) = version >= this.Lowest && version <= this.Highest

    /// Whether a field with this range is present in the version. Every field is present in `MessageVersion.Every`.
    member internal this.IsIn(version: MessageVersion) = version.Number < 0s || this.Contains version.Number

    /// All versions, the lowest first.
    member this.ToList() = [ this.Lowest .. this.Highest ]

    /// The range as text, such as `4-12`, `4+` or `none`.
    override this.ToString() =
        if this.Highest < this.Lowest then "none"
        elif this.Highest = Int16.MaxValue then string this.Lowest + "+"
        else string this.Lowest + "-" + string this.Highest

/// The versions of a message, and the first flexible one if there is any. `Notation.versions` makes them.
type MessageVersions =
    { Range: VersionRange
      FlexibleSince: int16 option }

    /// The range, such as `0-12, flexible since 9`.
    override this.ToString() =
        this.Range.ToString()
        + (match this.FlexibleSince with
           | Some first -> ", flexible since " + string first
           | None -> "")

/// The wire form of a type at one version, as data.
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
    /// The fields in wire order: the plain ones, then the tagged ones by tag.
    | Struct of fields: FieldShape list * flexible: bool
    /// Null is allowed. A struct has a marker byte for it, every other type a length of -1.
    | Nullable of Shape

    /// The type in one line, such as `{Name: compact string, Partitions: compact [int32]}`.
    override this.ToString() =
        let compact (isCompact: bool) (name: string) = if isCompact then "compact " + name else name

        match this with
        | Bool -> "bool"
        | Int8 -> "int8"
        | Int16 -> "int16"
        | UInt16 -> "uint16"
        | Int32 -> "int32"
        | UInt32 -> "uint32"
        | Int64 -> "int64"
        | Float64 -> "float64"
        | Uuid -> "uuid"
        | Varint -> "varint"
        | Varlong -> "varlong"
        | UnsignedVarint -> "unsigned varint"
        | UnsignedVarlong -> "unsigned varlong"
        | String isCompact -> compact isCompact "string"
        | Bytes isCompact -> compact isCompact "bytes"
        | Records isCompact -> compact isCompact "records"
        | Array(element, isCompact) -> compact isCompact ("[" + element.ToString() + "]")
        | Struct(fields, isFlexible) -> "{" + System.String.Join(", ", fields) + (if isFlexible then ", tags}" else "}")
        | Nullable inner -> inner.ToString() + "?"

/// One field of a struct at one version.
and FieldShape =
    {
        Name: string
        Type: Shape
        /// The tag of a field in the tagged section.
        Tag: int option
        /// The default, as `show` writes it.
        Default: string
        /// Whether a version without the field may drop a value other than the default.
        Ignorable: bool
    }

    /// The name and the type.
    override this.ToString() = this.Name + ": " + this.Type.ToString()

/// A type at one version, with everything that can be done with it. The combinators of `Notation` make it.
[<AbstractClass>]
type Codec<'T>(minSize: int) =

    /// The wire form of the type. It is made on demand, because neither writing nor reading needs it.
    abstract Shape: Shape

    /// The smallest number of bytes that a value takes.
    member _.MinSize = minSize

    abstract Write: Writer * 'T -> unit
    abstract Read: Reader -> 'T

    /// The part of the value that survives being written and read at this version.
    abstract Project: 'T -> 'T
    default _.Project value = value

    abstract Visit: Visitor * 'T -> unit

    /// Reads a value and passes it to the visitor as `Visit` does, but makes no value if the type allows that.
    abstract Relay: Reader * JsonVisitor -> unit
    default this.Relay(reader, visitor) = this.Visit(visitor, this.Read reader)

    abstract Build: Source -> 'T

    /// The form of the type in a tagged field. Only a nullable struct has another form there.
    abstract InTaggedField: Codec<'T>
    default this.InTaggedField = this

/// How a value is relayed. Most values are of types that need no codec for it, and none of the virtual calls of one.
type internal RelayKind =
    | ByCodec = 0
    | Bool = 1
    | Int8 = 2
    | Int16 = 3
    | Int32 = 4
    | Int64 = 5
    | Uuid = 6
    | String = 7
    | CompactString = 8

/// A codec of a type that needs no codec to be relayed.
type internal IRelayedDirectly =
    abstract Kind: RelayKind

[<RequireQualifiedAccess>]
module internal Relay =

    let kind (codec: objnull) : RelayKind =
        match codec with
        | :? IRelayedDirectly as direct -> direct.Kind
        | _ -> RelayKind.ByCodec

    let private text (reader: Reader) (visitor: JsonVisitor) (compact: bool) =
        let length = reader.StringLength compact
        if length < 0 then reader.Fail Problem.NullNotAllowed
        visitor.Utf8(reader.Utf8 length)

    /// Relays a value that needs no codec.
    let directly (kind: RelayKind) (reader: Reader) (visitor: JsonVisitor) =
        match kind with
        | RelayKind.Bool -> visitor.Bool(reader.Int8() <> 0y)
        | RelayKind.Int8 -> visitor.Integer(int64 (reader.Int8()))
        | RelayKind.Int16 -> visitor.Integer(int64 (reader.Int16()))
        | RelayKind.Int32 -> visitor.Integer(int64 (reader.Int32()))
        | RelayKind.Int64 -> visitor.Integer(reader.Int64())
        | RelayKind.Uuid -> visitor.Uuid(reader.Uuid())
        | RelayKind.String -> text reader visitor false
        | RelayKind.CompactString -> text reader visitor true
        | _ -> ()

/// A type whose length prefix can express null.
[<AbstractClass>]
type internal LengthCodec<'T>(minSize: int) =
    inherit Codec<'T>(minSize)
    abstract WriteNull: Writer -> unit
    abstract TryRead: Reader -> 'T voption

    /// Relays a value; false if it is null.
    abstract TryRelay: Reader * JsonVisitor -> bool

    default this.TryRelay(reader, visitor) =
        match this.TryRead reader with
        | ValueSome value ->
            this.Visit(visitor, value)
            true
        | ValueNone -> false

    override this.Read reader =
        match this.TryRead reader with
        | ValueSome value -> value
        | ValueNone -> reader.Fail Problem.NullNotAllowed

    override this.Relay(reader, visitor) = if not (this.TryRelay(reader, visitor)) then reader.Fail Problem.NullNotAllowed
