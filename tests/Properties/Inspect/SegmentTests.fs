/// Segments of internal topics and of the metadata log, compared with what Kafka's own tool prints of them.
module LibKafka.Properties.SegmentTests

open System
open System.IO
open System.Text
open System.Text.Json
open System.Text.RegularExpressions
open Expecto
open LibKafka.Properties
open LibKafka.Properties.InspectSupport
open LibKafka.Properties.Protocol

// ---- What Kafka's tool prints

/// A value that begins a text, and the text after it.
let private firstJson (text: string) : JsonElement * string =
    let bytes = Encoding.UTF8.GetBytes text
    let mutable reader = Utf8JsonReader(ReadOnlySpan bytes)
    let value = JsonElement.ParseValue &reader
    value, Encoding.UTF8.GetString(bytes, int reader.BytesConsumed, bytes.Length - int reader.BytesConsumed)

/// The words `name: value` of a line.
let private words (line: string) : Map<string, string> =
    Regex.Matches(line, @"(\w+): (\S+)") |> Seq.map (fun found -> found.Groups[1].Value, found.Groups[2].Value) |> Map.ofSeq

/// A line of a record: what is before its content, and the content.
let private recordLine = Regex @"^\| (?<head>offset: .* headerKeys: \[[^\]]*\])(?: (?<content>.*))?$"

let private optionalLong (text: string) = if text = "OptionalLong.empty" then "" else text.Substring("OptionalLong[".Length).TrimEnd ']'

// ---- The comparison

/// Which field of the tool's JSON has the value of which word.
let private batchFields =
    [ "baseOffset", "baseOffset"
      "lastOffset", "lastOffset"
      "count", "count"
      "baseSequence", "baseSequence"
      "lastSequence", "lastSequence"
      "producerId", "producerId"
      "producerEpoch", "producerEpoch"
      "partitionLeaderEpoch", "partitionLeaderEpoch"
      "size", "sizeInBytes"
      "magic", "magic"
      "compresscodec", "compression"
      "crc", "crc" ]

let private batchComplaint (line: string) (found: JsonElement) : string option =
    let words = words line
    let batch = found.GetProperty "batch"
    let timestampType = if words.ContainsKey "CreateTime" then "CreateTime" else "LogAppendTime"

    [ for word, name in batchFields do
          word, words[word], get name batch
      "position", words["position"], get "offset" found
      timestampType, words[timestampType], get "maxTimestamp" batch
      "timestampType", timestampType, get "timestampType" batch
      "isTransactional", words["isTransactional"], (get "transactional" batch).ToLowerInvariant()
      "isControl", words["isControl"], (get "control" batch).ToLowerInvariant()
      "deleteHorizonMs", optionalLong words["deleteHorizonMs"], get "deleteHorizon" batch
      "isvalid", words["isvalid"], "true" ]
    |> List.tryFind (fun (_, expected, actual) -> expected <> actual)
    |> Option.map (fun (name, expected, actual) -> name + ": " + expected + " expected, " + actual + " found")

let private differs (what: string) (expected: JsonElement) (actual: JsonElement) : string option =
    JsonComparison.difference what expected actual

/// Java's text of a record about remote storage has its numbers, but not as JSON.
let private remoteComplaint (content: string) (record: JsonElement) : string option =
    let data = record.GetProperty("payload").GetProperty("data")

    let rec find (name: string) (json: JsonElement) : string list =
        match json.ValueKind with
        | JsonValueKind.Object ->
            [ for entry in json.EnumerateObject() do
                  if entry.Name = name then entry.Value.ToString() else yield! find name entry.Value ]
        | _ -> []

    let numbers =
        Regex.Matches(content, @"\b(startOffset|endOffset|brokerId|maxTimestampMs|eventTimestampMs|segmentSizeInBytes)=(-?\d+)")

    if numbers.Count = 0 then
        Some("no numbers in " + content)
    else
        numbers
        |> Seq.tryFind (fun found -> find found.Groups[1].Value data <> [ found.Groups[2].Value ])
        |> Option.map (fun found -> found.Value + " expected in " + data.GetRawText())

let private controlComplaint (content: string) (record: JsonElement) : string option =
    match content.IndexOf '{' with
    | -1 ->
        let words = words content
        let isSame = get "control" record = (if words["endTxnMarker"] = "COMMIT" then "Commit" else "Abort")
        let epoch = record.GetProperty("body").GetProperty("coordinatorEpoch").ToString()
        if isSame && words["coordinatorEpoch"] = epoch then None else Some(content + " expected")
    | start when content.Substring(0, start).Trim(' ', ':') <> get "control" record -> Some(content + " expected")
    | start -> differs "body" (fst (firstJson (content.Substring start))) (record.GetProperty "body")

/// The complaint about a record's content.
let private contentComplaint (content: string) (record: JsonElement) : string option =
    let payload (text: string) =
        if text = "payload: <DELETE>" then
            if record.GetProperty("payload").ValueKind = JsonValueKind.Null then
                None
            else
                Some "a tombstone expected"
        else
            differs "payload" (fst (firstJson (text.Substring "payload: ".Length))) (record.GetProperty "payload")

    if get "control" record <> "" then
        controlComplaint content record
    elif content.StartsWith "key: Unknown record type " then
        if content.StartsWith("key: Unknown record type " + get "unknownType" record + " ") then
            None
        else
            Some content
    elif content.StartsWith "key: Error at offset " then
        if get "fault" record <> "" then None else Some content
    elif content.StartsWith "payload: Remote" then
        remoteComplaint content record
    elif content.StartsWith "key: " then
        let key, rest = firstJson (content.Substring "key: ".Length)
        differs "key" key (record.GetProperty "key") |> Option.orElseWith (fun () -> payload (rest.TrimStart()))
    else
        payload content

let private recordComplaint (line: string) (found: JsonElement) : string option =
    let parts = recordLine.Match line
    let words = words parts.Groups["head"].Value
    let record = found.GetProperty "record"
    let timestamp = if words.ContainsKey "CreateTime" then words["CreateTime"] else words["LogAppendTime"]

    let sizes =
        if get "keySize" record + get "valueSize" record = "" then
            []
        else
            [ "keySize", words["keySize"], get "keySize" record; "valueSize", words["valueSize"], get "valueSize" record ]

    ("offset", words["offset"], get "offset" record) :: ("timestamp", timestamp, get "timestamp" record) :: sizes
    |> List.map (fun (name, expected, actual) -> name, expected, (if actual = "" then "-1" else actual))
    |> List.tryFind (fun (_, expected, actual) -> expected <> actual)
    |> Option.map (fun (name, expected, actual) -> name + ": " + expected + " expected, " + actual + " found")
    |> Option.orElseWith (fun () ->
        if words["sequence"] = "-1" || words["sequence"] = get "sequence" record then
            None
        else
            Some("sequence " + words["sequence"] + " expected"))
    |> Option.orElseWith (fun () -> contentComplaint parts.Groups["content"].Value record)

let private topicOf (decoder: string) : string =
    match decoder with
    | "offsets" -> "__consumer_offsets"
    | "transaction-log" -> "__transaction_state"
    | "share-group-state" -> "__share_group_state"
    | "cluster-metadata" -> "__cluster_metadata"
    | "remote-log-metadata" -> "__remote_log_metadata"
    | other -> failtestf "no topic has the decoder %s" other

let private cases =
    lazy
        (File.ReadAllLines(Path.Combine(TestData.segments, "segments.jsonl"))
         |> List.ofArray
         |> List.map (fun line -> JsonDocument.Parse(line).RootElement))

let private dumpOf (case: JsonElement) : string list =
    TestData.textLines (Path.Combine(TestData.segments, TestData.text "case" case)) "dump-trunk.txt.gz"

let private pathOf (case: JsonElement) = Path.Combine(TestData.segments, TestData.text "case" case, TestData.text "file" case)

let private sameAsKafka (case: JsonElement) =
    testCase (TestData.text "case" case) (fun () ->
        let dump = dumpOf case |> List.filter (fun line -> line.StartsWith "baseOffset: " || line.StartsWith "| ")
        let topic = topicOf (TestData.text "decoder" case)
        let outcome = inspectWith [ "log"; "--format"; "json"; "--topic"; topic; pathOf case ] Array.empty
        let isBroken = dump |> List.exists (fun line -> line.Contains "key: Error at offset ")
        Expect.equal outcome.Code (if isBroken then 1 else 0) "the exit code"
        Expect.equal outcome.Lines.Length dump.Length "a line for each line"

        List.zip dump (List.map json outcome.Lines)
        |> List.choose (fun (line, found) ->
            let complaint = if line.StartsWith "| " then recordComplaint line found else batchComplaint line found
            complaint |> Option.map (fun text -> text + "\nin " + found.GetRawText() + "\nfor " + line))
        |> LibKafka.Properties.Support.noneOf "lines differ from those of Kafka's tool")

let private sameProducers (case: JsonElement) =
    testCase (TestData.text "case" case) (fun () ->
        let dump = dumpOf case |> List.filter (fun line -> line.StartsWith "producerId: ") |> List.map words
        let outcome = inspectWith [ "index"; "--format"; "json"; pathOf case ] Array.empty
        Expect.equal outcome.Code 0 "the exit code"
        Expect.equal outcome.Lines.Length dump.Length "a line for each producer"

        for words, line in List.zip dump (List.map json outcome.Lines) do
            Expect.equal (optionalLong words["currentTxnFirstOffset"]) (get "currentTxnFirstOffset" line) "currentTxnFirstOffset"
            Expect.equal words["lastTimestamp"] (get "timestamp" line) "the timestamp"

            for name in [ "producerId"; "producerEpoch"; "coordinatorEpoch"; "firstSequence"; "lastSequence"; "lastOffset"; "offsetDelta" ] do
                match Map.tryFind name words with
                | Some expected -> Expect.equal (get name line) expected name
                | None -> ())

let private isSnapshot (case: JsonElement) = case.GetProperty("decoder").ValueKind = JsonValueKind.Null

/// The topic of a segment is recognized by its folder, and that of a snapshot by its name.
let private recognized =
    testCase "topics are recognized by the names of folders and files" (fun () ->
        let folder = Directory.CreateTempSubdirectory "inspect"

        try
            for case in cases.Value |> List.filter (isSnapshot >> not) do
                let topic = topicOf (TestData.text "decoder" case)
                let place = Path.Combine(folder.FullName, TestData.text "case" case, topic + "-12")
                Directory.CreateDirectory place |> ignore
                let copy = Path.Combine(place, TestData.text "file" case)
                File.Copy(pathOf case, copy)
                let explicit = inspectWith [ "log"; "--topic"; topic; pathOf case ] Array.empty
                Expect.equal (inspectWith [ "--records"; copy ] Array.empty) explicit (TestData.text "case" case)
                let plain = inspectWith [ "--records"; "--topic=none"; copy ] Array.empty
                Expect.notEqual plain.Lines explicit.Lines "not decoded"
        finally
            folder.Delete true)

let private snapshots =
    testCase "the file of a snapshot shows its topic" (fun () ->
        for case in cases.Value do
            if (TestData.text "file" case).EndsWith ".checkpoint" then
                let lines = (inspectWith [ "--records"; pathOf case ] Array.empty).Lines
                Expect.exists lines (fun line -> line.Contains " FeatureLevelRecord v0 {\"name\":\"metadata.version\"") "a feature")

let private sizesOnly =
    testCase "--no-keys and --no-values apply to decoded records" (fun () ->
        let case = cases.Value |> List.find (fun case -> (TestData.text "case" case).Contains "transaction-state")
        let lines options = (inspectWith ([ "log"; "--topic"; "__transaction_state" ] @ options @ [ pathOf case ]) Array.empty).Lines
        let both = lines [ "--no-keys"; "--no-values" ]
        Expect.all both (fun line -> not (line.Contains '{')) "no JSON"
        Expect.exists both (fun line -> Regex.IsMatch(line, @"TransactionLog \d+ bytes v\d \d+ bytes$")) "sizes"
        Expect.equal both.Length (lines []).Length "as many lines")

[<Tests>]
let tests =
    let producers, segments = List.partition isSnapshot cases.Value

    testList
        "libkafka-inspect on internal topics"
        [ testList "prints what Kafka's own tool prints" (List.map sameAsKafka segments)
          testList "prints the producers that Kafka's own tool prints" (List.map sameProducers producers)
          recognized
          snapshots
          sizesOnly ]
