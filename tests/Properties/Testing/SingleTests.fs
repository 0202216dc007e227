/// Single exchanges with a real broker: the exchanges around them are not in the recording, so the test broker's state is not the recorded
/// one. Its answers must have the recorded version and shape.
module LibKafka.Properties.Testing.SingleTests

open System
open System.Text.Json
open Expecto
open LibKafka.Protocol
open LibKafka.Testing
open LibKafka.Properties
open LibKafka.Properties.Protocol.Captures
open LibKafka.Properties.Testing.Replay

/// How an answer compares with the recorded one.
type private Likeness =
    | Equal
    /// Other values, such as error codes and offsets.
    | SameShape
    /// A list is empty or a field is null in one of them only.
    | OtherShape
    /// Another version, or one of them is no answer at all.
    | OtherVersion

/// The fields of a JSON value and their types, without the values. Items of a list that are alike count once.
let rec private shape (element: JsonElement) : string =
    match element.ValueKind with
    | JsonValueKind.Object -> String.Join(",", [ for field in element.EnumerateObject() -> field.Name + ":" + shape field.Value ])
    | JsonValueKind.Array ->
        "[" + String.Join("|", [ for item in element.EnumerateArray() -> shape item ] |> List.distinct |> List.sort) + "]"
    | JsonValueKind.True
    | JsonValueKind.False -> "flag"
    | kind -> kind.ToString()

let private shapeOfText (json: string) : string =
    use document = JsonDocument.Parse json
    shape document.RootElement

let private likeness (comparison: Comparison) : Likeness =
    let isJson (text: string) = text.StartsWith '{'

    if comparison.Verdict = Verdict.Same || comparison.Verdict = Verdict.Skipped then Equal
    elif not (isJson comparison.Recorded && isJson comparison.Answered) then OtherVersion
    elif shapeOfText comparison.Recorded = shapeOfText comparison.Answered then SameShape
    else OtherShape

/// The exchanges of the first set, with what the replay needs to know. The replay gives a meaning to the numbers of the second set.
let private singles: Lazy<Exchange list> =
    lazy
        [ for exchange in exchanges.Value do
              if exchange.Broker = "" then
                  { exchange with
                      Broker = "4.0.0-one"
                      RequestAt = 10L * int64 exchange.Sequence
                      Sequence = 1_000_000 + exchange.Sequence } ]

/// The topics that recorded responses name, each with its partitions, but for those that are created.
let private withTopics (exchanges: Exchange list) (state: State) : State =
    let responses = exchanges |> List.choose responseOf

    let created =
        [ for response in responses do
              match response with
              | Response.CreateTopics response ->
                  for topic in response.Topics do
                      if not topic.Error.IsError then topic.Name
              | _ -> () ]
        |> set

    let create (state: State) (topic: Metadata.Topic) : State =
        match topic.Name with
        | Some name when not (topic.Error.IsError || topic.Partitions.IsEmpty || created.Contains name || state.Topics.ContainsKey name) ->
            let state, _ = Topics.create name topic.Partitions.Length 1 Map.empty state
            renameTopic name topic.TopicId state
        | _ -> state

    [ for response in responses do
          match response with
          | Response.Metadata response -> yield! response.Topics
          | _ -> () ]
    |> List.fold create state

/// The recorded broker has no rack, and ACLs which allow the clients everything.
let private asRecorded (state: State) : State =
    let security = { state.Security with IsAuthorizing = true; SuperUsers = set [ "User:ANONYMOUS"; "User:alice" ] }
    { state with Nodes = state.Nodes |> Map.map (fun _ node -> { node with Rack = None }); Security = security }

/// SASL was on a listener of its own.
let private compared () : Comparison list =
    let isSasl (exchange: Exchange) = exchange.Key = ApiKey.SaslHandshake.Code || exchange.Key = ApiKey.SaslAuthenticate.Code
    let secured, plain = singles.Value |> List.partition isSasl

    [ for title, exchanges in [ "singles", plain; "singles with SASL", secured ] do
          yield! replayFrom (initialState title plain |> asRecorded |> withTopics exchanges) exchanges ]

/// A row of the table in docs/testing.md: the API, and how many answers are equal, of the same shape, of another shape and of another version.
let private row (api: string) (comparisons: Comparison list) : string =
    let count kind = comparisons |> List.filter (fun it -> likeness it = kind) |> List.length |> string
    "| " + String.Join(" | ", [ api; count Equal; count SameShape; count OtherShape; count OtherVersion ]) + " |"

/// The rows of the table.
let private documented: Lazy<string list> =
    lazy
        (IO.File.ReadAllLines(IO.Path.Combine(TestData.checkout, "docs", "testing.md"))
         |> List.ofArray
         |> List.skipWhile (fun line -> not (line.StartsWith "| API |"))
         |> List.skip 2
         |> List.takeWhile (fun line -> line.StartsWith '|'))

let private described (comparison: Comparison) : string =
    let cut (text: string) = text.Substring(0, min 500 text.Length)
    sprintf
        "%A %O\n  recorded %s\n  answered %s"
        (likeness comparison)
        comparison.Exchange
        (cut comparison.Recorded)
        (cut comparison.Answered)

[<Tests>]
let tests =
    testList
        "single exchanges"
        [ testCase "get answers of the recorded version and shape, as docs/testing.md counts them" (fun () ->
              let found = compared () |> List.groupBy _.Exchange.Api |> List.sortBy fst
              Expect.isNonEmpty found "there are some"

              // Other recordings have other exchanges, of which there are no numbers.
              if TestData.areOwn "LIBKAFKA_CAPTURES" then
                  let changed =
                      [ for api, comparisons in found do
                            if not (List.contains (row api comparisons) documented.Value) then
                                row api comparisons

                                for kind in [ OtherShape; OtherVersion ] do
                                    yield!
                                        comparisons |> List.filter (fun it -> likeness it = kind) |> List.truncate 3 |> List.map described ]

                  Expect.isEmpty changed (String.concat "\n" changed)
                  Expect.equal documented.Value.Length found.Length "the rows of the table") ]
