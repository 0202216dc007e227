/// The page of settings has every setting with its default.
module LibKafka.Properties.SettingsPageTests

open System
open System.Globalization
open System.IO
open System.Threading
open FSharp.Reflection
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Topics

let private page = lazy File.ReadAllLines(Path.Combine(TestData.checkout, "docs", "settings.md"))

// The default of each setting in the section of a type.
let private documented (section: string) : Map<string, string> =
    page.Value
    |> Seq.skipWhile (fun line -> line <> "## " + section)
    |> Seq.skip 1
    |> Seq.takeWhile (fun line -> not (line.StartsWith "## "))
    |> Seq.filter (fun line -> line.StartsWith "| `")
    |> Seq.map (fun line -> line.Split('|', StringSplitOptions.TrimEntries))
    |> Seq.map (fun cells -> cells[1].Trim '`', cells[2].Trim '`')
    |> Map.ofSeq

let private mebibyte = 1L <<< 20

let private number (value: int64) : string =
    if value = int64 Int32.MaxValue then "no limit"
    elif value >= mebibyte && value % mebibyte = 0L then string (value / mebibyte) + " MiB"
    else value.ToString("N0", CultureInfo.InvariantCulture)

let private time (value: TimeSpan) : string =
    if value = Timeout.InfiniteTimeSpan then
        "no limit"
    elif value.TotalMinutes >= 1.0 && value.TotalMinutes % 1.0 = 0.0 then
        string value.TotalMinutes + " min"
    elif value.TotalSeconds >= 1.0 && value.TotalSeconds % 1.0 = 0.0 then
        string value.TotalSeconds + " s"
    else
        string value.TotalMilliseconds + " ms"

// How the page writes a default; none if it describes it in words.
let rec private written (value: obj | null) : string option =
    match value with
    | null -> Some "none"
    | :? bool as isOn -> Some(if isOn then "on" else "off")
    | :? int as value -> Some(number (int64 value))
    | :? int64 as value -> Some(number value)
    | :? float as value -> Some(value.ToString CultureInfo.InvariantCulture)
    | :? TimeSpan as value -> Some(time value)
    | :? string as text -> Some(if text = "" then "empty" else text)
    | :? IsolationLevel as level -> Some(if level = IsolationLevel.ReadUncommitted then "ReadUncommitted" else "ReadCommitted")
    | :? Acks as acks when acks = Acks.All -> Some "All"
    | :? Option<TimeSpan> as value -> value |> Option.bind (fun value -> written (box value))
    | :? Guarantee as guarantee when guarantee.IsIdempotent -> Some "Idempotent"
    | _ -> None

// Defaults that the caller has to give, or that the page counts in another unit.
let private inWords = Set.ofList [ "GroupId"; "TransactionalId"; "MaxRecords" ]

let private covers (section: string) (standard: obj) = test section {
    let rows = documented section
    let fields = FSharpType.GetRecordFields(standard.GetType())
    Expect.equal (Set.ofSeq rows.Keys) (set [ for field in fields -> field.Name ]) "every setting has a row, and nothing else has"

    for field in fields do
        match written (field.GetValue standard) with
        | Some value when not (inWords.Contains field.Name) -> Expect.equal rows[field.Name] value field.Name
        | _ -> Expect.isNotEmpty rows[field.Name] field.Name
}

[<Tests>]
let tests =
    testList
        "the page of settings"
        [ covers "ClientSettings" ClientSettings.standard
          covers "PemFiles" PemFiles.standard
          covers "Limits" Limits.standard
          covers "Reading" Reading.standard
          covers "CallOptions" CallOptions.standard
          covers "ProducerSettings" ProducerSettings.standard
          covers "CollectorSettings" CollectorSettings.standard
          covers "TopicProducerSettings" TopicProducerSettings.standard
          covers "FetcherSettings" FetcherSettings.standard
          covers "ConsumerSettings" ConsumerSettings.standard
          covers "GroupSettings" (GroupSettings.make "g" [ "t" ])
          covers "JoinSettings" (JoinSettings.consumer [])
          covers "ExactlyOnceSettings" (ExactlyOnceSettings.make "g" [ "t" ] "x")
          covers "RetryPolicy" RetryPolicy.standard<Produced> ]
