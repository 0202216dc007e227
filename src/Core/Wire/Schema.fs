namespace LibKafka.Wire

open System

/// The versions that have a field, and its place in them.
type Place =
    {
        Versions: VersionRange
        /// The tag of a field in the tagged section.
        Tag: uint32 option
        /// Whether a version without the field may drop a value other than the default.
        Ignorable: bool
    }

    /// The versions and the tag, such as `4+, tag 1`.
    override this.ToString() =
        this.Versions.ToString()
        + (match this.Tag with
           | Some tag -> ", tag " + string tag
           | None -> "")

module internal Place =

    /// Present in every version, in the order of the definition. This is the default.
    let everywhere = { Versions = { Lowest = 0s; Highest = Int16.MaxValue }; Tag = None; Ignorable = false }

/// A type, independent of the fields that have it.
[<AbstractClass>]
type internal Definition<'T>() =
    abstract Default: 'T
    abstract At: MessageVersion -> Codec<'T>

/// The wire form of a type, or of a field of that type, at each version: the one definition from which writing, reading and every
/// other interpretation follow.
[<Sealed>]
type Schema<'T> internal (definition: Definition<'T>, place: Place, hasDefault: bool, fallback: 'T) =
    // Two slots for each version, one classic and one flexible. Two threads may fill a slot at once, because they make equal codecs.
    let mutable cache: (Codec<'T> | null)[] | null = null

    /// The value of an absent field, and of a tagged one that was not sent.
    member _.Default = if hasDefault then fallback else definition.Default

    /// The place of the field.
    member _.Place = place

    /// The type at one version. It is made once and cached, so that writing and reading a value involve no version tests.
    member _.At(version: MessageVersion) : Codec<'T> =
        let slot = (int version.Number + 1) * 2 + (if version.Flexible then 1 else 0)

        // Another thread may replace the cache with a shorter array at any time, so the code below uses only this local array.
        let slots =
            match cache with
            | null ->
                let first = Array.zeroCreate (max 32 (slot + 16))
                cache <- first
                first
            | slots when slot >= slots.Length ->
                let mutable longer = slots
                Array.Resize(&longer, slot + 16)
                cache <- longer
                longer
            | slots -> slots

        match slots[slot] with
        | null ->
            let made = definition.At version
            slots[slot] <- made
            made
        | kept -> kept

    /// The same type with another default.
    member internal _.WithDefault(fallback: 'T, place: Place) = Schema<'T>(definition, place, true, fallback)

    /// The same type with another place.
    member internal _.WithPlace(place: Place) = Schema<'T>(definition, place, hasDefault, fallback)

/// Schemas that are used by themselves: for a type inside a message.
[<RequireQualifiedAccess>]
module Schema =

    /// A value as one readable line with every field that any version has, as in `{Index: 0, ErrorCode: NONE (0)}`. A secret is shown as
    /// `[secret]`.
    let show (schema: Schema<'T>) (value: 'T) : string = Text.show (schema.At MessageVersion.Every) value

    /// A schema of the type, present in every version.
    let internal define (definition: Definition<'T>) : Schema<'T> = Schema<'T>(definition, Place.everywhere, false, Unchecked.defaultof<'T>)

    /// Another definition with the default and the place of the schema.
    let internal redefine (schema: Schema<'T>) (definition: Definition<'T>) : Schema<'T> =
        Schema<'T>(definition, schema.Place, false, Unchecked.defaultof<'T>)

/// A definition that is made on first use.
[<Sealed>]
type internal DeferredDefinition<'T>(define: unit -> Schema<'T>) =
    inherit Definition<'T>()
    // Two threads may make either at once, because they make equal ones. `Lazy` needs reflection on 'T, which Native AOT does not support.
    let mutable made: Schema<'T> | null = null
    let mutable fallback: 'T option = None

    let schema () : Schema<'T> =
        match made with
        | null ->
            let first = define ()
            made <- first
            first
        | made -> made

    override _.Default =
        match fallback with
        | Some value -> value
        | None ->
            let value = schema().Default
            fallback <- Some value
            value

    override _.At version = schema().At version
