namespace LibKafka.Wire

open System
open System.Collections
open System.Globalization
open System.Threading

/// The text of settings and other records: `{Acks: All, AckTimeout: 00:00:10, MaxBatchBytes: 1000000}`. Functions and clocks are left out.
[<RequireQualifiedAccess>]
module internal FieldText =

    /// A number of things, such as `1 record` or `2 batches`.
    let count (number: int64) (thing: string) : string =
        let ending =
            if number = 1L then ""
            elif thing.EndsWith "ch" then "es"
            else "s"

        number.ToString CultureInfo.InvariantCulture + " " + thing + ending

    /// The value, or null.
    let optional (value: 'Value option) : objnull =
        match value with
        | Some value -> box value
        | None -> null

    /// The value, or null.
    let voptional (value: 'Value voption) : objnull =
        match value with
        | ValueSome value -> box value
        | ValueNone -> null

    let rec private textOf (value: objnull) : string =
        match value with
        | null -> "none"
        | :? string as text -> "\"" + text + "\""
        | :? bool as isOn -> if isOn then "true" else "false"
        | :? TimeSpan as time when time = Timeout.InfiniteTimeSpan -> "no limit"
        | :? IEnumerable as items -> "[" + String.Join(", ", items |> Seq.cast<objnull> |> Seq.map textOf) + "]"
        | :? IFormattable as number -> number.ToString(null, CultureInfo.InvariantCulture)
        | other -> string other

    let show (fields: (string * objnull) list) : string =
        "{" + String.Join(", ", fields |> List.map (fun (name, value) -> name + ": " + textOf value)) + "}"
