namespace LibKafka.Wire

open System

/// In which versions a field stands, and where.
type Place =
    {
        Versions: VersionRange
        /// The tag of a field that stands in the tagged section.
        Tag: uint32 option
        /// Whether a version without the field may drop a value that is not the default.
        Ignorable: bool
    }

module internal Place =

    /// Present in every version, in the order of the definition: what stands where nothing has been said.
    let everywhere = { Versions = { Lowest = 0s; Highest = Int16.MaxValue }; Tag = None; Ignorable = false }

/// What a type is, whatever is said of the fields that have it.
[<AbstractClass>]
type internal Definition<'T>() =
    abstract Default: 'T
    abstract At: MessageVersion -> Codec<'T>

    /// How to get at a field of the record itself, by its name in the protocol, where it has one of that name that is an int32.
    abstract Int32Field: name: string -> ('T -> int32) option
    default _.Int32Field _ = None

/// How a type, or a field of that type, stands on the wire at each version: the one definition from which writing, reading and
/// every other interpretation follow.
[<Sealed>]
type Schema<'T> internal (definition: Definition<'T>, place: Place, hasDefault: bool, fallback: 'T) =
    // One slot a version, classic and flexible side by side. Two threads may fill a slot at once: they put equal codecs there.
    let mutable cache: (Codec<'T> | null)[] | null = null

    /// The value of an absent field, and of a tagged one that was not sent.
    member _.Default = if hasDefault then fallback else definition.Default

    /// What is said of the field, as against its type.
    member _.Place = place

    /// The type fixed at a version: made once and kept, so that nothing asks for the version again while values are written or read.
    member _.At(version: MessageVersion) : Codec<'T> =
        let slot = (int version.Number + 1) * 2 + (if version.Flexible then 1 else 0)

        // Another thread may put a shorter array in the cache meanwhile: the one at hand is used, never the cache itself.
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

    /// The same type with something else said of the field.
    member internal _.WithPlace(place: Place) = Schema<'T>(definition, place, hasDefault, fallback)

    member internal _.Int32Field(name: string) : ('T -> int32) option = definition.Int32Field name

module internal Schema =

    /// A schema of which nothing has been said yet.
    let define (definition: Definition<'T>) : Schema<'T> = Schema<'T>(definition, Place.everywhere, false, Unchecked.defaultof<'T>)

    /// The definition seen another way: with the same default, in the same place.
    let redefine (schema: Schema<'T>) (definition: Definition<'T>) : Schema<'T> =
        Schema<'T>(definition, schema.Place, false, Unchecked.defaultof<'T>)

/// A definition that is made when it is first used.
[<Sealed>]
type internal DeferredDefinition<'T>(define: unit -> Schema<'T>) =
    inherit Definition<'T>()
    // Two threads may make either at once: they make equal ones. `Lazy` would ask of 'T what Native AOT cannot know.
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
    override _.Int32Field name = schema().Int32Field name
