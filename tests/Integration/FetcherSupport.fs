/// Fetches from scripted brokers.
module LibKafka.Integration.FetcherSupport

open System
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support

let at offset epoch : FetchPosition = { Offset = offset; LastEpoch = epoch }

let table = Script.versions ApiKey.OffsetForLeaderEpoch 2 4 :: Script.everything

/// The topic's id, which has no meaning here.
let topicId = Guid "11111111-2222-3333-4444-555555555555"

/// The fetches that arrived, in order.
let asked (broker: ScriptedBroker) : Fetch.Request list =
    broker.Calls
    |> List.choose (fun received ->
        match received.Request with
        | Request.Fetch request -> Some request
        | _ -> None)

/// A partition that responds to fetches with these answers in turn, and then always with the last, in versions up to `highest`.
let fetching highest (answers: (Fetch.Request -> Fetch.Response) list) (test: ScriptedBroker -> PartitionClient -> unit) =
    let gate = obj ()
    let mutable rest = answers

    let next () =
        lock gate (fun () ->
            let head = rest.Head
            rest <- if rest.Tail.IsEmpty then rest else rest.Tail
            head)

    let script (received: Received) =
        match received.Request with
        | Request.Fetch request -> Script.answer Fetch.api received (next () request)
        | _ -> Script.unexpected received

    let table = Script.versions ApiKey.Fetch 4 highest :: (table |> List.filter (fun key -> key.ApiKey <> ApiKey.Fetch))
    Scripted.partitionOf patient table topicId script test

let newest (api: Api<'Request, 'Response>) = int api.Versions.Highest
let newestFetch = newest Fetch.api

/// As brokers answer a fetch over a quota: at once, without any topics, an open session with its own id and any other request with 0.
let throttling (request: Fetch.Request) : Fetch.Response =
    { Script.fetched id request with
        ThrottleTimeMs = 250
        SessionId = (if request.SessionEpoch > 0 then request.SessionId else 0)
        Topics = [] }

let isThrottled (fetched: Fetched) =
    Expect.equal (ok (codeOf fetched.Result)) ErrorCode.None "no error"
    Expect.equal fetched.Exchange.Info.ThrottleTime (ms 250) "the time to pause"
    Expect.isEmpty (recordsOf fetched) "no records"
    Expect.equal (positionBehind fetched) fetched.Position "the same position"
    Expect.isFalse (RetryPolicy.fetch.Again fetched) "it is not repeated at once"
