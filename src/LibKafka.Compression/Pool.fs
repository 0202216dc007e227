namespace LibKafka.Compression

open System
open System.Threading

/// Keeps objects that are expensive to create, at most one for each processor. Thread-safe: an object that has been taken belongs to the
/// thread that took it.
[<Sealed>]
type internal Pool<'T when 'T: not struct and 'T: not null and 'T :> IDisposable>(make: unit -> 'T) =
    let kept: ('T | null)[] = Array.zeroCreate Environment.ProcessorCount

    let rec take (slot: int) : 'T =
        if slot = kept.Length then
            make ()
        else
            match Interlocked.Exchange(&kept[slot], null) with
            | null -> take (slot + 1)
            | found -> found

    let rec give (item: 'T) (slot: int) : unit =
        if slot = kept.Length then
            item.Dispose()
        else
            match Interlocked.CompareExchange(&kept[slot], item, null) with
            | null -> ()
            | _ -> give item (slot + 1)

    member _.Take() : 'T = take 0

    member _.Give(item: 'T) : unit = give item 0
