namespace LibKafka.Wire

open System
open System.Collections.Generic

[<AutoOpen>]
module internal Absence =

    /// Whether the value is null, although its type does not allow it. Code that is not F# can make such a value.
    let inline isAbsent (value: 'T) =
        match box value with
        | null -> true
        | _ -> false

/// The place of a field at one version.
type internal FieldPlace =
    /// The version does not have the field.
    | Absent
    | InOrder
    | InTaggedSection of tag: uint32

/// A field of the record 'R at one version, independent of the field's type: what writing and visiting need.
[<AbstractClass>]
type internal Part<'R>(place: FieldPlace, minSize: int) =
    member _.Place = place

    /// The smallest number of bytes that it takes in order.
    member _.MinSize = minSize

    /// The wire form; null if the version does not have the field.
    abstract Shape: FieldShape | null
    default _.Shape = null

    /// Writes the field if it is in order.
    abstract Write: Writer * 'R -> unit
    default _.Write(_, _) = ()

    /// Whether the field is in the tagged section of this value: it is if it does not have its default.
    abstract IsTagged: 'R -> bool
    default _.IsTagged _ = false
    abstract WriteTagged: Writer * 'R -> unit
    default _.WriteTagged(_, _) = ()
    abstract Visit: Visitor * 'R -> unit

    /// The name of the field.
    abstract Name: string
    default _.Name = ""

    abstract RelayKind: RelayKind
    default _.RelayKind = RelayKind.ByCodec

    /// Relays the field if the version has it: see `Codec.Relay`. For `name` see `JsonName.text`.
    abstract Relay: Reader * JsonVisitor * name: byte[] -> unit
    default _.Relay(_, _, _) = ()

/// A field as it is relayed: what `Part` has, at hand.
[<Struct; NoEquality; NoComparison>]
type internal RelayedField<'R> =
    {
        Kind: RelayKind
        /// See `JsonName.text`.
        Name: byte[]
        Part: Part<'R>
    }

/// Some fields of the record 'R at one version, read as the tuple 'P.
[<AbstractClass>]
type internal Row<'R, 'P>() =
    abstract Read: Reader -> 'P
    abstract Project: 'R -> 'P
    abstract Build: Source -> 'P

/// Some fields of the record 'R at every version, independent of their types: `size` is that of the fields in the record, in bytes, and `groups` are
/// the fields that these consist of. A type of its own, so that the JIT compiler compiles it once and not for each type of field.
[<AbstractClass>]
type internal FieldGroup<'R>(size: int, groups: FieldGroup<'R> list) =
    member _.Size = size

    /// Adds the parts at one version.
    abstract AddParts: MessageVersion * List<Part<'R>> -> unit

    default _.AddParts(version, parts) =
        for group in groups do
            group.AddParts(version, parts)

/// Some fields of the record 'R at every version. Writing handles the parts one by one. Only reading needs them as a tuple, so the row is
/// made on the first read.
[<AbstractClass>]
type internal FieldsDefinition<'R, 'P>(size, groups) =
    inherit FieldGroup<'R>(size, groups)
    abstract Default: 'P
    abstract Row: MessageVersion -> Row<'R, 'P>

/// Some fields of the record 'R, in wire order.
[<Sealed>]
type Fields<'R, 'P> internal (definition: FieldsDefinition<'R, 'P>) =
    member internal _.Definition = definition

/// A field that is a secret in some records.
[<Sealed>]
type internal SecretPart<'R>(isSecret: 'R -> bool, part: Part<'R>) =
    inherit Part<'R>(part.Place, part.MinSize)
    override _.Shape = part.Shape
    override _.Write(writer, record) = part.Write(writer, record)
    override _.IsTagged record = part.IsTagged record
    override _.WriteTagged(writer, record) = part.WriteTagged(writer, record)
    override _.Name = part.Name
    override _.RelayKind = part.RelayKind
    override _.Relay(reader, visitor, name) = part.Relay(reader, visitor, name)

    override _.Visit(visitor, record) =
        if part.Place = InOrder && isSecret record then visitor.Secret()
        part.Visit(visitor, record)

[<RequireQualifiedAccess>]
module Fields =

    /// A field of bytes or text that is a secret in some records, such as the value of a config: see `Visitor.Secret`. The field must not be
    /// tagged.
    let secretIf (isSecret: 'R -> bool) (fields: Fields<'R, 'T>) : Fields<'R, 'T> =
        let plain = fields.Definition

        Fields
            { new FieldsDefinition<'R, 'T>(plain.Size, []) with
                member _.Default = plain.Default
                member _.Row version = plain.Row version

                member _.AddParts(version, parts) =
                    let own = List<Part<'R>>()
                    plain.AddParts(version, own)

                    for part in own do
                        parts.Add(SecretPart(isSecret, part)) }

/// A record and its fields. The tagged section comes after all plain fields and starts with a count, so writing loops over the tagged fields twice.
[<Sealed>]
type internal StructCodec<'R, 'P>
    (parts: Part<'R>[], tagged: Part<'R>[], minSize: int, fields: FieldsDefinition<'R, 'P>, version: MessageVersion, build: Func<'P, 'R>) =
    inherit Codec<'R>(minSize)

    // A value type is part of the object that has it.
    let size = if typeof<'R>.IsValueType then 0L else HeapSize.ofObject fields.Size
    let mutable row: Row<'R, 'P> | null = null

    let mutable relayed: RelayedField<'R>[] | null = null

    // Two threads may make these at once, because they make equal ones.
    let relayedFields () : RelayedField<'R>[] =
        match relayed with
        | null ->
            let first =
                [| for part in parts do
                       if part.Place <> Absent then
                           { Kind = part.RelayKind; Name = JsonName.text part.Name; Part = part } |]

            relayed <- first
            first
        | known -> known

    let made () : Row<'R, 'P> =
        match row with
        | null ->
            let first = fields.Row version
            row <- first
            first
        | made -> made

    override _.Shape =
        Shape.Struct(
            [ for part in parts do
                  match part.Shape with
                  | null -> ()
                  | shape -> shape ],
            version.Flexible
        )

    override _.Write(writer, value) =
        if isAbsent value then writer.Fail Problem.NullNotAllowed

        for part in parts do
            part.Write(writer, value)

        if version.Flexible then
            let mutable count = 0u

            for part in tagged do
                if part.IsTagged value then count <- count + 1u

            writer.UnsignedVarint count

            if count > 0u then
                for part in tagged do
                    if part.IsTagged value then part.WriteTagged(writer, value)

    override _.Read reader =
        let row = made ()
        let outer = reader.BeginStruct()
        let values = row.Read reader
        reader.EndStruct(outer, version.Flexible)
        reader.Charge size
        build.Invoke values

    override _.Project value = build.Invoke(if isAbsent value then fields.Default else made().Project value)

    override _.Visit(visitor, value) =
        if isAbsent value then
            visitor.LostNull()
        else
            visitor.BeginStruct()

            for part in parts do
                part.Visit(visitor, value)

            visitor.EndStruct()

    override _.Relay(reader, visitor) =
        visitor.BeginStruct()
        let outer = reader.BeginStruct()

        let fields = relayedFields ()

        for i in 0 .. fields.Length - 1 do
            let field = &fields[i]

            if field.Kind = RelayKind.ByCodec then
                field.Part.Relay(reader, visitor, field.Name)
            else
                visitor.BeginField field.Name
                Relay.directly field.Kind reader visitor

        reader.EndStruct(outer, version.Flexible)
        visitor.EndStruct()

    override _.Build source =
        source.BeginStruct()
        let values = made().Build source
        source.EndStruct()
        build.Invoke values

/// The `message` notation: `let!` and `and!` list the fields in wire order, the tagged ones last, and `return` makes the record by name.
[<Sealed>]
type MessageBuilder internal () =

    let check (version: MessageVersion) (parts: Part<'R>[]) =
        let mutable lastTag = -1L

        for part in parts do
            match part.Place with
            | Absent -> ()
            | InOrder ->
                if lastTag >= 0L then
                    invalidOp "tagged fields come after the plain ones, in the order of their tags"
            | InTaggedSection tag ->
                if int64 tag <= lastTag then
                    invalidOp "tagged fields come after the plain ones, in the order of their tags"

                // The field would be neither written nor refused.
                if not version.Flexible then
                    invalidOp "only flexible versions have a tagged section: use `since` with a flexible version"

                lastTag <- int64 tag

    let codec (fields: FieldsDefinition<'R, 'P>) (version: MessageVersion) (build: Func<'P, 'R>) : Codec<'R> =
        let found = List<Part<'R>>()
        fields.AddParts(version, found)
        let parts = found.ToArray()

        // In the union of all versions a field may be plain in some and tagged in others. Nothing is written at it.
        if version.Number >= 0s then check version parts

        let mutable minSize = if version.Flexible then 1 else 0
        let tagged = List<Part<'R>>()

        for part in parts do
            minSize <- minSize + part.MinSize

            match part.Place with
            | InTaggedSection _ -> tagged.Add part
            | InOrder
            | Absent -> ()

        StructCodec(parts, tagged.ToArray(), minSize, fields, version, build)

    /// Joins two groups of fields, the left one first.
    member _.MergeSources(left: Fields<'R, 'A>, right: Fields<'R, 'B>) : Fields<'R, 'A * 'B> =
        let left = left.Definition
        let right = right.Definition

        Fields
            { new FieldsDefinition<'R, 'A * 'B>(left.Size + right.Size, [ left; right ]) with
                member _.Default = left.Default, right.Default

                member _.Row version =
                    let left = left.Row version
                    let right = right.Row version

                    { new Row<'R, 'A * 'B>() with
                        member _.Read reader =
                            let a = left.Read reader
                            let b = right.Read reader
                            a, b

                        member _.Project value = left.Project value, right.Project value

                        member _.Build source =
                            let a = left.Build source
                            let b = right.Build source
                            a, b } }

    // A delegate: for F# functions of nested pairs, Native AOT warns of generic recursion.
    /// Makes the record from its fields.
    member _.BindReturn(fields: Fields<'R, 'P>, build: Func<'P, 'R>) : Schema<'R> =
        let fields = fields.Definition

        Schema.define
            { new Definition<'R>() with
                member _.Default = build.Invoke fields.Default
                member _.At version = codec fields version build }

    /// A record without fields.
    member _.Return(value: 'R) : Schema<'R> =
        let none =
            { new FieldsDefinition<'R, 'R>(0, []) with
                member _.Default = value

                member _.Row _ =
                    { new Row<'R, 'R>() with
                        member _.Read _ = value
                        member _.Project _ = value
                        member _.Build _ = value } }

        Schema.define
            { new Definition<'R>() with
                member _.Default = value
                member _.At version = codec none version (Func<_, _>(id)) }

    member _.Delay(define: unit -> Schema<'R>) : unit -> Schema<'R> = define

    /// Defers the definition to its first use, so a program pays only for the messages that it uses.
    member _.Run(define: unit -> Schema<'R>) : Schema<'R> = Schema.define (DeferredDefinition define)
