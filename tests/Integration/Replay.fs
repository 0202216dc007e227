/// Responses of a real broker, replayed by a scripted one.
module LibKafka.Integration.Replay

open System
open System.Buffers.Binary
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Properties.Protocol
open LibKafka.Properties

/// A recorded exchange of one API.
type Recorded<'Request, 'Response> = { Exchange: Captures.Exchange; Asked: 'Request; Answered: 'Response }

/// The recorded exchanges of an API that can be read and that `choose` accepts.
let recorded (api: Api<'Request, 'Response>) (choose: Request -> 'Request option) : Recorded<'Request, 'Response> list =
    Captures.samples.Value
    |> List.filter (fun exchange ->
        exchange.Key = api.Key.Code
        && exchange.Version >= Caps.lowest api.Key
        && not exchange.EarlyAccess
        && exchange.IsAnswered)
    |> List.choose (fun exchange ->
        match Frame.decodeRequest Limits.standard exchange.Request, exchange.Response with
        | Ok(_, request), Some response ->
            match choose request, Frame.decodeResponse Limits.standard api exchange.Version response with
            | Some asked, Ok(_, answered) -> Some { Exchange = exchange; Asked = asked; Answered = answered }
            | _ -> None
        | _ -> None)

/// The recorded frame with another correlation id.
let private again (received: Received) (frame: Bytes) : Act list =
    let bytes = frame.ToArray()
    BinaryPrimitives.WriteInt32BigEndian(Span bytes, received.Header.CorrelationId)
    [ Act.Send(Script.framed (ReadOnlySpan bytes)) ]

/// A topic with this number of partitions, led by broker 1.
let topicOf (name: string) (partitions: int) : Metadata.Topic =
    let topic = Script.topic name Guid.Empty

    { topic with
        Partitions = [ for partition in 0 .. partitions - 1 -> { topic.Partitions.Head with PartitionIndex = partition } ] }

/// Every topic that is asked about, each with a hundred partitions.
let private topicsIn (request: Metadata.Request) =
    request.Topics |> Option.defaultValue [] |> List.choose _.Name |> List.map (fun name -> topicOf name 100)

/// The broker itself is the coordinator of everything.
let coordinating (me: BrokerAddress) (received: Received) (request: FindCoordinator.Request) : Act list =
    let coordinator key : FindCoordinator.Coordinator =
        { FindCoordinator.coordinator.Default with Key = key; NodeId = 1; Host = me.Host; Port = me.Port; ErrorMessage = None }

    let response = FindCoordinator.response.Default

    if received.Header.ApiVersion >= 4s then
        Script.answer FindCoordinator.api received { response with Coordinators = List.map coordinator request.Keys }
    else
        Script.answer FindCoordinator.api received { response with NodeId = 1; Host = me.Host; Port = me.Port }

/// A broker that leads and coordinates everything, supports one API in one version only, and responds with `rest` to it and to requests for a
/// producer id.
let lone (key: ApiKey) (version: int) (rest: Received -> Act list) (test: ScriptedBroker -> unit) =
    let script (me: BrokerAddress) =
        let own = Script.versions key version version
        let others = [ if key <> ApiKey.InitProducerId then Script.versions ApiKey.InitProducerId 0 4 ]

        Script.knowing (Script.everythingBut (own :: others)) (fun received ->
            match received.Request with
            | _ when received.Header.ApiKey = key -> rest received
            | Request.InitProducerId _ -> rest received
            | Request.Metadata request -> Script.answer Metadata.api received (Script.metadata me (topicsIn request))
            | Request.FindCoordinator request -> coordinating me received request
            | _ -> Script.unexpected received)

    Scripted.broker script test

/// A broker that refuses every member of a group. The test gets its address.
let refusingMembers (code: ErrorCode) (test: string -> unit) =
    let answer (received: Received) = Script.answer JoinGroup.api received { JoinGroup.response.Default with Error = code }
    lone ApiKey.JoinGroup 7 answer (fun broker -> test (broker.Address.ToString()))

/// For each recorded exchange whose version and request are accepted: makes the same call and gets the same response. The request must be the
/// recorded one after `ours` has changed it, and the result must be what `expected` makes of the response.
let replaysWhere
    (admits: int16 -> 'Request -> bool)
    (api: Api<'Request, 'Response>)
    (choose: Request -> 'Request option)
    (ours: 'Request -> 'Request)
    (run: Bootstrap -> 'Request -> 'Outcome)
    (expected: BrokerAddress -> 'Request -> 'Response -> 'Outcome)
    =
    testCase (api.Name + " asks as real clients do, and reads what a real broker answers") (fun () ->
        let all = recorded api choose |> List.filter (fun one -> admits one.Exchange.Version one.Asked)
        if TestData.areOwn "LIBKAFKA_CAPTURES" then
            Expect.isNonEmpty all "there are recordings"

        for one in all do
            let answer received = again received (Option.get one.Exchange.Response)

            lone api.Key (int one.Exchange.Version) answer (fun broker ->
                let outcome = run (Bootstrap.ofAddresses [ broker.Address ]) one.Asked
                Expect.equal outcome (expected broker.Address one.Asked one.Answered) (one.Exchange.ToString())

                let sent =
                    broker.Calls
                    |> List.filter (fun received -> received.Header.ApiKey = api.Key)
                    |> List.choose (fun received -> choose received.Request)

                Expect.equal sent [ ours one.Asked ] (one.Exchange.ToString())))

/// The same for every recorded exchange.
let replays api choose ours run expected = replaysWhere (fun _ _ -> true) api choose ours run expected
