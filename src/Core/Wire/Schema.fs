namespace LibKafka.Wire

open System

/// How a type, or a field of that type, stands on the wire at each version: the one definition from which writing, reading and
/// every other interpretation follow.
[<Sealed>]
type Schema<'T> internal (fallback: 'T, place: Place, at: MessageVersion -> Codec<'T>, int32Field: string -> ('T -> int32) option) =
    // One slot a version, classic and flexible side by side. Two threads may fill a slot at once: they put equal codecs there.
    let mutable cache: (Codec<'T> | null)[] = Array.create 32 null

    internal new(fallback: 'T, place: Place, at: MessageVersion -> Codec<'T>) = Schema<'T>(fallback, place, at, (fun _ -> None))

    /// The value of an absent field, and of a tagged one that was not sent.
    member _.Default = fallback

    /// What is said of the field, as against its type.
    member _.Place = place

    /// The type fixed at a version: made once and kept, so that nothing asks for the version again while values are written or read.
    member _.At(version: MessageVersion) : Codec<'T> =
        let slot = (int version.Number + 1) * 2 + (if version.Flexible then 1 else 0)

        // Another thread may put a shorter array in the cache meanwhile: the one at hand is used, never the cache itself.
        let mutable slots = cache

        if slot >= slots.Length then
            Array.Resize(&slots, slot + 16)
            cache <- slots

        match slots[slot] with
        | null ->
            let made = at version
            slots[slot] <- made
            made
        | kept -> kept

    member internal _.With(fallback: 'T, place: Place) = Schema<'T>(fallback, place, at, int32Field)

    /// How to get at a field of the record itself, by its name in the protocol, where it has one of that name that is an int32.
    member internal _.Int32Field(name: string) : ('T -> int32) option = int32Field name

/// In which versions a field stands, and where.
and Place =
    {
        Versions: VersionRange
        /// The tag of a field that stands in the tagged section.
        Tag: uint32 option
        /// Whether a version without the field may drop a value that is not the default.
        Ignorable: bool
    }

    /// Present in every version, in the order of the definition.
    static member internal Everywhere = { Versions = { Lowest = 0s; Highest = Int16.MaxValue }; Tag = None; Ignorable = false }
