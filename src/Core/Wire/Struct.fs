namespace LibKafka.Wire

/// Some fields of the record 'R at one version, read as the tuple 'P. A tagged section stands behind all plain fields, so writing goes
/// over the fields twice.
[<AbstractClass>]
type internal Row<'R, 'P>(shapes: FieldShape list, minSize: int) =
    /// The fields that this version has, in wire order.
    member _.Shapes = shapes

    /// The least number of bytes that the plain fields take.
    member _.MinSize = minSize
    abstract Write: Writer * 'R -> unit
    /// How many tagged fields do not have their default.
    abstract CountTags: 'R -> int
    default _.CountTags _ = 0
    abstract WriteTags: Writer * 'R -> unit
    default _.WriteTags(_, _) = ()
    abstract Read: Reader -> 'P
    abstract Project: 'R -> 'P
    abstract Visit: Visitor * 'R -> unit
    abstract Build: Source -> 'P

/// Some fields of the record 'R at every version.
[<Sealed>]
type Fields<'R, 'P> internal (fallback: 'P, at: MessageVersion -> Row<'R, 'P>, int32Field: string -> ('R -> int32) option) =
    member internal _.Default = fallback
    member internal _.At version = at version

    /// How to get at a field, by its name in the protocol, where there is one of that name and it is an int32.
    member internal _.Int32Field(name: string) = int32Field name

/// A record and the fields that it is made of.
[<Sealed>]
type internal StructCodec<'R, 'P>(row: Row<'R, 'P>, flexible: bool, build: 'P -> 'R) =
    inherit Codec<'R>(Shape.Struct(row.Shapes, flexible), row.MinSize + (if flexible then 1 else 0))

    override _.Write(writer, value) =
        row.Write(writer, value)

        if flexible then
            writer.UnsignedVarint(uint32 (row.CountTags value))
            row.WriteTags(writer, value)

    override _.Read reader =
        let outer = reader.BeginStruct()
        let parts = row.Read reader
        reader.EndStruct(outer, flexible)
        build parts

    override _.Project value = build (row.Project value)

    override _.Visit(visitor, value) =
        visitor.BeginStruct()
        row.Visit(visitor, value)
        visitor.EndStruct()

    override _.Build source =
        source.BeginStruct()
        let parts = row.Build source
        source.EndStruct()
        build parts

/// The `message` notation: `let!` and `and!` name the fields in wire order (the tagged ones last), `return` makes the record by name.
[<Sealed>]
type MessageBuilder internal () =

    let pair (left: Row<'R, 'A>) (right: Row<'R, 'B>) =
        { new Row<'R, 'A * 'B>(left.Shapes @ right.Shapes, left.MinSize + right.MinSize) with
            member _.Write(writer, value) =
                left.Write(writer, value)
                right.Write(writer, value)

            member _.CountTags value = left.CountTags value + right.CountTags value

            member _.WriteTags(writer, value) =
                left.WriteTags(writer, value)
                right.WriteTags(writer, value)

            member _.Read reader =
                let a = left.Read reader
                let b = right.Read reader
                a, b

            member _.Project value = left.Project value, right.Project value

            member _.Visit(visitor, value) =
                left.Visit(visitor, value)
                right.Visit(visitor, value)

            member _.Build source =
                let a = left.Build source
                let b = right.Build source
                a, b }

    let check (version: MessageVersion) (shapes: FieldShape list) =
        let tags = shapes |> List.map (fun field -> Option.defaultValue -1 field.Tag)

        if tags <> List.sort tags then
            invalidOp "tagged fields stand behind the plain ones, in the order of their tags"

        // It would be neither written nor refused.
        if not version.Flexible && List.exists (fun tag -> tag >= 0) tags then
            invalidOp "only flexible versions have a tagged section: say since which version the tagged field is there"

    /// Two groups of fields, the left one first.
    member _.MergeSources(left: Fields<'R, 'A>, right: Fields<'R, 'B>) : Fields<'R, 'A * 'B> =
        Fields(
            (left.Default, right.Default),
            (fun version -> pair (left.At version) (right.At version)),
            (fun name -> left.Int32Field name |> Option.orElseWith (fun () -> right.Int32Field name))
        )

    /// The record from its fields.
    member _.BindReturn(fields: Fields<'R, 'P>, build: 'P -> 'R) : Schema<'R> =
        Schema(
            build fields.Default,
            Place.Everywhere,
            (fun version ->
                let row = fields.At version

                // In the union of all versions a field may be plain in some and tagged in others; nothing is written there.
                if version.Number >= 0s then check version row.Shapes

                StructCodec(row, version.Flexible, build)),
            fields.Int32Field
        )

    /// A record without fields.
    member _.Return(value: 'R) : Schema<'R> =
        let none =
            { new Row<'R, 'R>([], 0) with
                member _.Write(_, _) = ()
                member _.Read _ = value
                member _.Project _ = value
                member _.Visit(_, _) = ()
                member _.Build _ = value }

        Schema(value, Place.Everywhere, (fun version -> StructCodec(none, version.Flexible, id)))
