/// Chooses records by their content and time.
module LibKafka.Inspect.Filters

open System
open System.Globalization
open LibKafka.Records

/// A record is printed if it has all that is given.
type Filter =
    {
        /// UTF-8 text that the key or the value contains.
        Text: byte[] option
        /// The earliest timestamp, in milliseconds since the epoch.
        From: int64 option
        /// The first timestamp that is too late.
        Until: int64 option
    }

[<RequireQualifiedAccess>]
module Filter =

    let none = { Text = None; From = None; Until = None }

    let private contains (text: byte[]) (record: inref<Record>) =
        record.Key.Span.IndexOf(ReadOnlySpan text) >= 0 || record.Value.Span.IndexOf(ReadOnlySpan text) >= 0

    let admits (filter: Filter) (record: inref<Record>) : bool =
        (filter.From.IsNone || record.Timestamp >= filter.From.Value)
        && (filter.Until.IsNone || record.Timestamp < filter.Until.Value)
        && (filter.Text.IsNone || contains filter.Text.Value &record)

    /// Whether a batch whose latest timestamp is this can have a record that the filter admits.
    let mayAdmit (filter: Filter) (maxTimestamp: int64) : bool = filter.From.IsNone || maxTimestamp >= filter.From.Value

    /// A time of the command line: milliseconds since the epoch, or a date with or without a time, in UTC unless it has a zone.
    let time (text: string) : int64 option =
        let styles = DateTimeStyles.AssumeUniversal ||| DateTimeStyles.AdjustToUniversal

        match Int64.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture) with
        | true, milliseconds -> Some milliseconds
        | _ ->
            match DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, styles) with
            | true, time -> Some(time.ToUnixTimeMilliseconds())
            | _ -> None
