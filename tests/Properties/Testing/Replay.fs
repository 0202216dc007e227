/// Gives the requests of recorded conversations to the test broker, and compares its responses with those of the real broker.
module LibKafka.Properties.Testing.Replay

open System
open System.Text.Json
open System.Text.Json.Nodes
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Protocol
open LibKafka.Testing
open LibKafka.Properties.Protocol.Captures

/// How a response of the test broker compares with the recorded one.
[<RequireQualifiedAccess>]
type Verdict =
    | Same
    /// The real broker was not ready yet, because it had just created a topic, chosen a coordinator or ended a transaction. The test broker is
    /// at once.
    | Settling
    /// The request cannot be given to the broker: it is no frame.
    | Skipped
    | Different

type Comparison = { Exchange: Exchange; Verdict: Verdict; Recorded: string; Answered: string }

/// When the recording began, by the broker's clock.
[<Literal>]
let private RecordingBegan = 1_795_980_463_600L

/// The identifier of a scenario: the first word of its title.
let idOf (scenario: string) : string = scenario.Split(' ')[0]

/// The broker of the recording: its release, and the number of brokers.
let private clusterOf (broker: string) : string * int32 =
    match broker.Split('/') with
    | [| "4.0.0-three"; _ |] -> "4.0.0", 3
    | [| "4.0.0-one" |] -> "4.0.0", 1
    | [| release |] -> release, 1
    | _ -> failwithf "an unknown broker: %s" broker

let private nodeOf (broker: string) : int32 =
    match broker.Split('/') with
    | [| _; node |] -> Int32.Parse node
    | _ -> 1

// What the recorded broker says of its nodes.
let private metadataOf (exchanges: Exchange list) : Metadata.Response option =
    exchanges
    |> List.tryPick (fun exchange ->
        match exchange.Response with
        | Some frame when exchange.Key = ApiKey.Metadata.Code ->
            match Frame.decodeAnyResponse Limits.standard ApiKey.Metadata exchange.ResponseVersion frame with
            | Ok(_, Response.Metadata response) when not response.Brokers.IsEmpty -> Some response
            | _ -> None
        | _ -> None)

/// The recorded response, if there is one that can be read.
let responseOf (exchange: Exchange) : Response option =
    exchange.Response
    |> Option.bind (fun frame ->
        match Frame.decodeAnyResponse Limits.standard (ApiKey exchange.Key) exchange.ResponseVersion frame with
        | Ok(_, response) -> Some response
        | Error _ -> None)

/// The level of the feature transaction.version, if a recorded broker says it.
let private transactionVersionOf (exchanges: Exchange list) : int16 option =
    exchanges
    |> List.tryPick (fun exchange ->
        match responseOf exchange with
        | Some(Response.ApiVersions response) when not response.FinalizedFeatures.IsEmpty ->
            response.FinalizedFeatures
            |> List.tryFind (fun feature -> feature.Name = "transaction.version")
            |> Option.map _.MaxVersionLevel
            |> Option.defaultValue 0s
            |> Some
        | _ -> None)

/// The cluster as it was when the scenario began.
let initialState (scenario: string) (exchanges: Exchange list) : State =
    let release, count = clusterOf exchanges.Head.Broker
    let metadata = metadataOf exchanges

    let node (id: int32) : Node =
        let told = metadata |> Option.bind (fun it -> it.Brokers |> List.tryFind (fun broker -> broker.NodeId = id))
        let port =
            if release = "1.0.2" then 8111
            elif release = "2.3.0" then 6111
            else 7111 + (id - 1) * 10

        { Id = id
          Host = "127.0.0.1"
          Port = told |> Option.map _.Port |> Option.defaultValue port
          Rack = Some("rack-" + string id)
          Status = NodeStatus.Running }

    let slots =
        match idOf scenario with
        | "i25" -> 2
        | "i27" -> 16
        | _ -> 1000

    let settings =
        { State.settings with
            Release = Release.parse release
            ClusterId = metadata |> Option.bind _.ClusterId |> Option.defaultValue "recorded"
            Codecs = AllCodecs.Set
            AutoCreateTopics = false
            OffsetsPartitions = 5
            TransactionPartitions = 5
            FetchSessionSlots = slots
            TransactionVersion = transactionVersionOf exchanges |> Option.defaultValue 2s }

    // The broker had a listener for SASL, and quota windows of one second, five of them.
    let security =
        if scenario.Contains "SASL" then
            { SecurityTable.empty with
                Mechanisms = [ "PLAIN"; "SCRAM-SHA-512"; "SCRAM-SHA-256" ]
                Passwords = Map [ "alice", "alice-secret" ] }
        else
            SecurityTable.empty

    let created = State.create settings [ for id in 1..count -> node id ]
    let state =
        { created with
            Security = security
            Quotas = { created.Quotas with Windows = 5 }
            Groups = { created.Groups with Settings = ReplayGroups.settings } }
    let state, _ = Cluster.internalTopic Cluster.OffsetsTopic settings.OffsetsPartitions state
    fst (Cluster.internalTopic Cluster.TransactionTopic settings.TransactionPartitions state)

/// Gives a topic the recorded id.
let renameTopic (name: string) (id: Guid) (state: State) : State =
    match state.Topics.TryFind name with
    | Some topic when id <> Guid.Empty && topic.Id <> id ->
        { state with
            Topics = state.Topics.Add(name, { topic with Id = id })
            TopicNames = state.TopicNames.Remove(topic.Id).Add(id, name) }
    | _ -> state

let private renameSession (node: int32) (own: int32) (recorded: int32) (state: State) : State =
    match state.FetchSessions.TryFind node with
    | Some cache when own <> 0 && recorded <> 0 && own <> recorded ->
        match cache.Sessions.TryFind own with
        | Some session ->
            let sessions = cache.Sessions.Remove(own).Add(recorded, { session with Id = recorded })
            { state with FetchSessions = state.FetchSessions.Add(node, { cache with Sessions = sessions }) }
        | None -> state
    | _ -> state

/// When the recorded broker handled the request: when it came, or the time that the broker says.
let private nowOf (exchange: Exchange) : Moment =
    match responseOf exchange with
    | Some(Response.Produce response) ->
        let times =
            [ for topic in response.Topics do
                  for partition in topic.Partitions -> partition.LogAppendTimeMs ]
        let asked = RecordingBegan + exchange.RequestAt
        // A time that is far from the request's is that of a duplicate.
        times |> List.tryFind (fun time -> abs (time - asked) < 5_000L) |> Option.defaultValue asked
    | _ -> RecordingBegan + exchange.RequestAt

/// What happened to the recorded brokers before a request, besides the requests: brokers that failed and came back, and compaction. And the
/// next producer id is the one that they gave.
let private intervene (exchange: Exchange) (now: Moment) (state: State) : State =
    match exchange.Sequence, responseOf exchange with
    | 1459, _ -> Nodes.demote 3 state
    | 1478, _ -> Nodes.start 3 state
    | 1579, _ -> Nodes.hold 3 state
    | 1585, _ -> Nodes.stop 3 state
    | 1590, _ -> Nodes.start 3 state
    | 1639, _ -> Nodes.stop 2 state
    | 1646, _ -> Nodes.stop 1 state
    | 1650, _ -> Nodes.start 2 state
    | 1675, _ -> Nodes.start 1 state
    | 26842, _ -> Nodes.demote 1 state
    | 7488, _ -> Compaction.compactTopic now state.Topics["d-cmp-ax"] state
    | _, Some(Response.InitProducerId response) when response.ProducerId >= 0L ->
        { state with Transactions = { state.Transactions with NextProducerId = response.ProducerId } }
    | _ -> state

/// Gives things the ids that the recorded broker gave them, so that the later requests name them.
let private adopt (node: int32) (recorded: Response) (own: Response) (state: State) : State =
    match recorded, own with
    | Response.CreateTopics recorded, Response.CreateTopics _ ->
        recorded.Topics |> List.fold (fun state topic -> renameTopic topic.Name topic.TopicId state) state
    | Response.Metadata recorded, Response.Metadata _ ->
        recorded.Topics
        |> List.fold (fun state topic -> renameTopic (Option.defaultValue "" topic.Name) topic.TopicId state) state
    | Response.Fetch recorded, Response.Fetch own -> renameSession node own.SessionId recorded.SessionId state
    | Response.JoinGroup recorded, Response.JoinGroup own -> ReplayGroups.rename own.MemberId recorded.MemberId state
    | Response.ConsumerGroupHeartbeat { MemberId = Some recorded }, Response.ConsumerGroupHeartbeat { MemberId = Some own } ->
        ReplayGroups.rename own recorded state
    | _ -> state

/// Makes the coordinators that the recorded brokers name those of the cluster.
let private placeCoordinators (request: Request) (exchange: Exchange) (state: State) : State =
    match request, responseOf exchange with
    | Request.FindCoordinator request, Some(Response.FindCoordinator response) ->
        ReplayGroups.place request.KeyType response.Coordinators state
    | _ -> state

// ---- Comparing ----

/// Fields whose values do not follow from the requests: texts, ids, clocks, and what is free to vary.
let private ignored =
    set
        [ "errorMessage"
          "batchIndexErrorMessage"
          "finalizedFeaturesEpoch"
          "controllerId"
          "clusterId"
          "topicId"
          "sessionId"
          "logAppendTimeMs" ]

let private shapeOf (name: string) (value: JsonNode | null) : JsonNode | null =
    match name, value with
    | ("topicId" | "clusterId"), _ -> JsonValue.Create "an id"
    | "finalizedFeaturesEpoch", _ -> JsonValue.Create "an epoch"
    | _, null -> null
    | ("sessionId" | "controllerId"), number -> JsonValue.Create(if number.ToString() = "0" then "none" else "an id")
    | "logAppendTimeMs", time -> JsonValue.Create(if time.ToString() = "-1" then "none" else "a time")
    | _ -> null

/// Records as text. The bytes of a compressed batch are the codec's, and the time of a control batch is the broker's.
let private recordsText (base64: string) : string =
    let reading = Reading.withCodecs AllCodecs.Set

    let text (item: RecordSetItem) =
        match item with
        | RecordSetItem.Batch(batch, _) when batch.IsControl || batch.Compression <> CompressionType.None ->
            let header = { batch.Header with Crc = 0u; Length = 0 }
            let clock = batch.IsControl

            let header = if clock then { header with BaseTimestamp = 0L; MaxTimestamp = 0L } else header

            let record (it: RecordData) = (if clock then { it with Timestamp = 0L } else it).ToString()

            match RecordBatch.toList reading batch with
            | Ok records -> header.ToString() + ": " + String.Join("; ", records |> List.map record)
            | Error fault -> header.ToString() + ": " + fault.ToString()
        | RecordSetItem.Batch(batch, _) -> Bytes.toHex batch.Bytes
        | RecordSetItem.Legacy(batch, _) when batch.Compression <> CompressionType.None ->
            match LegacyBatch.openRecords reading batch |> Result.bind BatchRecords.toList with
            | Ok records -> string batch.Magic + ": " + String.Join("; ", records)
            | Error fault -> fault.ToString()
        | RecordSetItem.Legacy(batch, _) -> Bytes.toHex batch.Bytes
        | RecordSetItem.Corrupt corrupt -> "corrupt " + Bytes.toHex corrupt.Bytes
        // The size depends on the sizes of compressed batches before it.
        | RecordSetItem.CutOff _ -> "cut off"

    RecordSet.split (Bytes(Convert.FromBase64String base64)) |> Seq.map text |> String.concat " | "

/// The message with its lists in an order of their own and without what may differ.
let rec private canonical (node: JsonNode | null) : JsonNode | null =
    match node with
    | null -> null
    | :? JsonObject as fields ->
        let copy = JsonObject()

        for pair in fields do
            if ignored.Contains pair.Key then
                copy[pair.Key] <- shapeOf pair.Key pair.Value
            elif pair.Key = "records" && not (isNull pair.Value) then
                copy[pair.Key] <- JsonValue.Create(recordsText (string pair.Value))
            else
                copy[pair.Key] <- canonical pair.Value

        copy
    | :? JsonArray as items ->
        let copies = [ for item in items -> canonical item ]
        let text (item: JsonNode | null) =
            match item with
            | null -> ""
            | item -> item.ToJsonString()
        JsonArray(copies |> List.sortBy text |> Array.ofList)
    | value -> value.DeepClone()

let rec private reorder (node: JsonNode | null) : JsonNode | null =
    match node with
    | :? JsonObject as fields ->
        let copy = JsonObject()
        for pair in fields do
            copy[pair.Key] <- reorder pair.Value
        copy
    | :? JsonArray as items ->
        let copies = [ for item in items -> reorder item ]
        let text (item: JsonNode | null) =
            match item with
            | null -> ""
            | item -> item.ToJsonString()
        JsonArray(copies |> List.sortBy text |> Array.ofList)
    | null -> null
    | value -> value.DeepClone()

let private textOf (version: int16) (response: Response) : string =
    match Response.toJson version response with
    | Error fault -> "not in this version: " + fault.ToString()
    | Ok json ->
        match canonical (JsonNode.Parse json) with
        | null -> "null"
        | node -> node.ToJsonString()

let private reordered (json: string) : string =
    if not (json.StartsWith '{') then
        json
    else
        match reorder (JsonNode.Parse json) with
        | null -> json
        | node -> node.ToJsonString()

/// The error codes in a response's JSON other than 0.
let private codesIn (json: string) : int list =
    let rec codes (element: JsonElement) : int list =
        match element.ValueKind with
        | JsonValueKind.Object ->
            [ for property in element.EnumerateObject() do
                  if property.Name = "errorCode" then
                      match property.Value.GetInt32() with
                      | 0 -> ()
                      | code -> code
                  else
                      yield! codes property.Value ]
        | JsonValueKind.Array ->
            [ for item in element.EnumerateArray() do
                  yield! codes item ]
        | _ -> []

    if json.StartsWith '{' then
        use document = JsonDocument.Parse json
        codes document.RootElement
    else
        []

/// What a broker says while it is not ready.
let private settling = set [ 3; 5; 6; 14; 15; 51; 74 ]

/// A response to Metadata without what changes when a leader moves, of which brokers learn one after another.
let private withoutLeaders (json: string) : string =
    System.Text.RegularExpressions.Regex.Replace(json, "\"(leaderId|leaderEpoch)\":-?\\d+|\"isrNodes\":\\[[^]]*\\]", "")

let private judge (exchange: Exchange) (recorded: string) (answered: string) : Verdict =
    if recorded = answered then
        Verdict.Same
    elif exchange.Key = ApiKey.Metadata.Code && withoutLeaders recorded = withoutLeaders answered then
        Verdict.Settling
    else
        let theirs = codesIn recorded
        let ours = codesIn answered

        if
            not theirs.IsEmpty
            && theirs |> List.forall settling.Contains
            && ours.IsEmpty
            && answered.StartsWith '{'
            && exchange.Key <> 1s
        then
            Verdict.Settling
        else
            Verdict.Different

let private recordedText (state: State) (exchange: Exchange) : string * Response option =
    match exchange.Response with
    | Some frame ->
        match Frame.decodeAnyResponse Limits.standard (ApiKey exchange.Key) exchange.ResponseVersion frame with
        | Ok(_, response) -> textOf exchange.ResponseVersion (ReplayGroups.withoutOthers state response), Some response
        | Error fault -> "unreadable: " + fault.ToString(), None
    | None when exchange.ClosedByBroker -> "closed", None
    | None -> "no answer", None

// ---- Running ----

/// A request that waits for its answer, and the state in which it had none.
type private Pending = { Of: Exchange; Waiting: Waiting; Since: State }

/// The state of a run. `Muted` is when the broker reads the next request of a connection whose last response was throttled. `Members` are the ids that the test broker gave to members of groups, each with the recorded one.
type private Run =
    { State: State; Pending: Pending list; Done: Comparison list; Muted: Map<int, Moment>; Members: (string * string) list }

/// The member id that the broker gave in a response.
let private memberIdIn (response: Response) : string option =
    match response with
    | Response.JoinGroup response when response.MemberId <> "" -> Some response.MemberId
    | Response.ConsumerGroupHeartbeat { MemberId = Some id } when id <> "" -> Some id
    | _ -> None

let private finish (exchange: Exchange) (state: State) (answer: Answer) (run: Run) : Run =
    let before = run.State
    let recorded, response = recordedText state exchange
    // The response may be in an older version than the request.
    let version = exchange.ResponseVersion

    let own =
        match answer with
        | Reply own -> Some own
        | _ -> None

    let members =
        match Option.bind memberIdIn response, Option.bind memberIdIn own with
        | Some recorded, Some own when recorded <> own -> (own, recorded) :: run.Members |> List.distinct
        | _ -> run.Members

    let asRecorded (text: string) = members |> List.fold (fun (text: string) (own, recorded) -> text.Replace(own, recorded)) text

    let answered =
        match answer, own with
        // The lists are in an order of their own again.
        | _, Some own -> textOf version own |> asRecorded |> reordered
        | Nothing, _ -> "no answer"
        | Close, _ -> "closed"
        | _ -> "raw"

    let verdict = judge exchange recorded answered

    let state =
        match response, own with
        // What the recorded broker refused did not happen there.
        | _ when verdict = Verdict.Settling && exchange.Key <> ApiKey.Metadata.Code -> before
        | Some recorded, Some own -> adopt (nodeOf exchange.Broker) recorded own state
        | _ -> state

    let comparison = { Exchange = exchange; Verdict = verdict; Recorded = recorded; Answered = answered }

    { run with State = state; Done = comparison :: run.Done; Members = members }

/// Asks the waiting requests again, until none has an answer.
let rec private wake (now: Moment) (run: Run) : Run =
    let ready =
        run.Pending
        |> List.tryPick (fun pending ->
            match pending.Waiting.Ready now run.State with
            | ValueSome(state, answer) ->
                // The sockets' side of the broker asks only those whom the change concerns.
                if now < pending.Waiting.Until && not (pending.Waiting.Concerns pending.Since run.State) then
                    invalidOp (pending.Of.Api + " has an answer because of a change that does not concern it")

                Some(pending, state, answer)
            | ValueNone -> None)

    match ready with
    | None -> run
    | Some(pending, state, answer) ->
        let run = { run with Pending = run.Pending |> List.filter (fun other -> not (Object.ReferenceEquals(other, pending))) }
        accept now pending.Of state answer run |> wake now

and private accept (now: Moment) (exchange: Exchange) (state: State) (answer: Answer) (run: Run) : Run =
    match answer with
    | Later waiting -> { run with State = state; Pending = run.Pending @ [ { Of = exchange; Waiting = waiting; Since = state } ] }
    | answer -> finish exchange state answer run

/// Lets the time pass up to a moment.
let rec private pass (until: Moment) (run: Run) : Run =
    let due =
        [ for pending in run.Pending do
              if pending.Waiting.Until <> Int64.MaxValue then pending.Waiting.Until ]

    let next =
        match Broker.nextTick run.State with
        | ValueSome tick -> tick :: due
        | ValueNone -> due

    match next |> List.filter (fun moment -> moment <= until) with
    | [] -> run
    | moments ->
        let now = List.min moments
        let ticked = { run with State = Broker.tick now run.State } |> wake now
        let progress = ticked.Pending.Length < run.Pending.Length || not (Object.ReferenceEquals(ticked.State, run.State))
        if progress then pass until ticked else ticked

/// A SASL token without a Kafka header.
let private isToken (exchange: Exchange) = exchange.Api = "SaslToken"

let private handle (exchange: Exchange) (run: Run) : Run =
    let now = run.Muted.TryFind exchange.Connection |> Option.fold max (nowOf exchange)
    let run = pass now run
    let run = { run with State = intervene exchange now run.State }

    match Frames.read run.State exchange.Request with
    | _ when isToken exchange ->
        let state, _ = Security.token now (int64 exchange.Connection) exchange.Request run.State
        let comparison = { Exchange = exchange; Verdict = Verdict.Skipped; Recorded = ""; Answered = "" }
        { run with State = state; Done = comparison :: run.Done }
    | Incoming.Malformed -> finish exchange run.State Close run
    | Incoming.UnsupportedApiVersions _ -> finish exchange run.State (Reply(Versions.unsupported run.State)) run
    | Incoming.Request(header, request) ->
        let caller =
            { Node = nodeOf exchange.Broker
              Connection = int64 exchange.Connection
              Host = "127.0.0.1"
              Principal = "User:ANONYMOUS"
              Header = header
              RequestSize = exchange.Request.Length }

        let state, answer = Broker.handle now caller (placeCoordinators request exchange run.State) request

        let run =
            match answer with
            | Reply response when Response.throttleTimeMs response > 0 ->
                { run with Muted = run.Muted.Add(exchange.Connection, now + int64 (Response.throttleTimeMs response)) }
            | _ -> run

        accept now exchange state answer run |> wake now

/// A broker closes the connection after a refused batch that asks for no answer. The recording shows it only by the next request, which comes
/// on another connection.
let private withClosed (exchanges: Exchange list) (comparison: Comparison) : Comparison =
    let isOver (exchange: Exchange) =
        exchanges
        |> List.exists (fun later -> later.Connection = exchange.Connection && later.Sequence > exchange.Sequence)
        |> not

    if comparison.Recorded = "no answer" && comparison.Answered = "closed" && isOver comparison.Exchange then
        { comparison with Verdict = Verdict.Same }
    else
        comparison

/// Compares again with the recorded ids of members, some of which become known after the responses that have them.
let private withRenamed (members: (string * string) list) (comparison: Comparison) : Comparison =
    if comparison.Verdict = Verdict.Different then
        let replaced = members |> List.fold (fun (text: string) (own, recorded) -> text.Replace(own, recorded)) comparison.Answered
        let answered = reordered replaced
        { comparison with Verdict = judge comparison.Exchange comparison.Recorded answered; Answered = answered }
    else
        comparison

/// Replays exchanges in the order of their requests, with a cluster in this state.
let replayFrom (state: State) (exchanges: Exchange list) : Comparison list =
    let skipped, given = exchanges |> List.partition (fun exchange -> exchange.Key < 0s && not (isToken exchange))
    let run = { State = state; Pending = []; Done = []; Muted = Map.empty; Members = [] }
    let ended = given |> List.fold (fun run exchange -> handle exchange run) run
    let ended = pass (Int64.MaxValue - 1L) ended

    let unanswered =
        [ for pending in ended.Pending do
              let recorded, _ = recordedText ended.State pending.Of
              let verdict = if recorded = "no answer" then Verdict.Same else Verdict.Different
              { Exchange = pending.Of; Verdict = verdict; Recorded = recorded; Answered = "no answer" } ]

    [ for exchange in skipped -> { Exchange = exchange; Verdict = Verdict.Skipped; Recorded = ""; Answered = "" } ]
    @ unanswered
    @ ended.Done
    |> List.map (withRenamed ended.Members)
    |> List.map (withClosed exchanges)
    |> List.sortBy _.Exchange.Sequence

/// Replays one scenario, whose exchanges are in the order of their requests.
let replay (scenario: string) (exchanges: Exchange list) : Comparison list = replayFrom (initialState scenario exchanges) exchanges

/// The scenarios of the second set, but for the conversations of real clients, which are not complete.
let scenarios: Lazy<(string * Exchange list) list> =
    lazy
        (exchanges.Value
         |> List.filter (fun exchange -> exchange.Broker <> "" && not (exchange.Scenario.StartsWith 'k'))
         |> List.groupBy _.Scenario)
