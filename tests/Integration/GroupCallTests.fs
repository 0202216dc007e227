/// Members whose coordinator does not do what they ask, or whose observer throws: they report it, and continue to ask.
module LibKafka.Integration.GroupCallTests

open System
open System.Diagnostics
open Expecto
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Topics
open LibKafka.Integration.Replay
open LibKafka.Integration.Support

let private classic = GroupProtocol.Classic [ Assignors.range ]
let private modern = GroupProtocol.Consumer None

let private table =
    Script.everythingBut
        [ Script.versions ApiKey.JoinGroup 7 7
          Script.versions ApiKey.SyncGroup 5 5
          Script.versions ApiKey.ConsumerGroupHeartbeat 1 1 ]

/// A member whose coordinator answers like this.
let private withMember (protocol: GroupProtocol) (answer: Received -> Act list) (test: GroupConsumer -> unit) =
    let script me =
        Script.knowing table (fun received ->
            match received.Request with
            | Request.FindCoordinator request -> coordinating me received request
            | _ -> answer received)

    Scripted.broker script (fun broker ->
        let group = { GroupSettings.make "g" [ "t" ] with Protocol = protocol }
        use consumer = new GroupConsumer(patient, Bootstrap.ofAddresses [ broker.Address ], group)
        test consumer)

/// An observer that throws at the first exchange of a kind.
[<Sealed>]
type private ThrowingOnce(isChosen: ExchangeInfo -> bool) =
    let mutable hasThrown = false
    member _.HasThrown = hasThrown

    member _.Observe(info: ExchangeInfo) =
        if not hasThrown && isChosen info then
            hasThrown <- true
            raise (InvalidOperationException "the observer throws")

let private observedMember (kafka: TestBroker) (protocol: GroupProtocol) (observer: ThrowingOnce) : GroupConsumer =
    let group = { GroupSettings.make "g" [ "t" ] with Protocol = protocol }
    new GroupConsumer({ patient with Observe = observer.Observe }, Bootstrap.parse kafka.Bootstrap |> ok, group)

/// Polls until the member has that many partitions, whatever its observer throws.
let private awaitPartitions (consumer: GroupConsumer) (count: int) =
    let clock = Stopwatch.StartNew()

    while consumer.Partitions.Length <> count do
        if clock.Elapsed > ms 10_000 then failtestf "it has %A" consumer.Partitions

        try
            consumer.Poll(ms 20) |> ignore
        with :? InvalidOperationException as thrown when thrown.Message = "the observer throws" ->
            ()

/// The next event, which must be about a call that has failed.
let private failure (consumer: GroupConsumer) : GroupCallFailure =
    match consumer.Poll(ms 10_000) with
    | Some(GroupEvent.CallFailed failure) -> failure
    | other -> failtestf "a call that has failed was expected: %O" other

let private reports name (protocol: GroupProtocol) (api: ApiKey) (answer: Received -> Act list) (isExpected: CallFailure -> bool) =
    testCase (name + ": each attempt is reported, after growing pauses") (fun () ->
        withMember protocol answer (fun consumer ->
            let first = failure consumer
            let clock = Stopwatch.StartNew()
            let failures = first :: List.init 3 (fun _ -> failure consumer)
            Expect.equal (failures |> List.map _.Attempt) [ 1..4 ] "the attempts"
            Expect.all failures (fun one -> one.Api = api && isExpected one.Failure) (String.Join("; ", failures))
            Expect.isGreaterThan clock.Elapsed (ms 650) "pauses of 100, 200 and 400 ms"
            let silences = failures |> List.map _.Silence
            Expect.equal silences (List.sort silences) "the time since the last success grows"
            Expect.isGreaterThan (List.last silences) (ms 650) "the time since the last success"
            Expect.equal (consumer.Partitions, consumer.Membership.GenerationOrEpoch > 0) ([], false) "it is not in the group"))

let private isClosed (failure: CallFailure) =
    match failure with
    | CallFailure.Fault fault -> fault.IsTransient
    | CallFailure.Code _ -> false

let private isCode (code: ErrorCode) (failure: CallFailure) = failure = CallFailure.Code code

let private joinRefused (code: ErrorCode) (received: Received) =
    Script.answer JoinGroup.api received { JoinGroup.response.Default with Error = code }

let private beatRefused (code: ErrorCode) (received: Received) =
    Script.answer ConsumerGroupHeartbeat.api received { ConsumerGroupHeartbeat.response.Default with Error = code }

let private joined (received: Received) =
    Script.answer
        JoinGroup.api
        received
        { JoinGroup.response.Default with MemberId = "m"; Leader = "n"; GenerationId = 1; ProtocolName = Some "range" }

[<Tests>]
let tests =
    testList
        "calls of a member that fail"
        [ reports "a coordinator that closes the connection on every JoinGroup" classic ApiKey.JoinGroup (fun _ -> [ Act.Close ]) isClosed

          reports
              "a coordinator that closes the connection on every heartbeat of the new protocol"
              modern
              ApiKey.ConsumerGroupHeartbeat
              (fun _ -> [ Act.Close ])
              isClosed

          for code in [ ErrorCode.CoordinatorLoadInProgress; ErrorCode.RebalanceInProgress; ErrorCode.UnknownMemberId ] do
              reports ("every JoinGroup is answered with " + code.Name) classic ApiKey.JoinGroup (joinRefused code) (isCode code)

          for code in [ ErrorCode.CoordinatorLoadInProgress; ErrorCode.FencedMemberEpoch; ErrorCode.UnknownMemberId ] do
              reports
                  ("every heartbeat of a member that joins is answered with " + code.Name)
                  modern
                  ApiKey.ConsumerGroupHeartbeat
                  (beatRefused code)
                  (isCode code)

          testCase "a coordinator that forgets each member that has joined is asked again after growing pauses" (fun () ->
              let code = ErrorCode.UnknownMemberId

              let answer (received: Received) =
                  match received.Request with
                  | Request.JoinGroup _ -> joined received
                  | _ -> Script.answer SyncGroup.api received { SyncGroup.response.Default with Error = code }

              withMember classic answer (fun consumer ->
                  let first = failure consumer
                  let clock = Stopwatch.StartNew()
                  let failures = first :: List.init 2 (fun _ -> failure consumer)
                  Expect.equal (failures |> List.map _.Attempt) [ 2; 3; 4 ] "the first time may happen in any rebalance"
                  Expect.all failures (fun one -> one.Api = ApiKey.SyncGroup && isCode code one.Failure) (String.Join("; ", failures))
                  Expect.isGreaterThan clock.Elapsed (ms 550) "pauses of 200 and 400 ms"))

          for name, protocol in [ "classic", classic; "the new protocol", modern ] do
              testCase ("a coordinator that cannot be found: " + name) (fun () ->
                  let code = ErrorCode.CoordinatorNotAvailable

                  let script (received: Received) =
                      match received.Request with
                      | Request.FindCoordinator _ ->
                          Script.answer FindCoordinator.api received { FindCoordinator.response.Default with Error = code }
                      | _ -> Script.unexpected received

                  let table = Script.everythingBut [ Script.versions ApiKey.FindCoordinator 0 3 ]

                  Scripted.broker (fun _ -> Script.knowing table script) (fun broker ->
                      let group = { GroupSettings.make "g" [ "t" ] with Protocol = protocol }
                      use consumer = new GroupConsumer(patient, Bootstrap.ofAddresses [ broker.Address ], group)
                      let failures = List.init 3 (fun _ -> failure consumer)
                      Expect.equal (failures |> List.map _.Attempt) [ 1..3 ] "the attempts"
                      let expected = CallFailure.Fault(ClientFault.NoCoordinator(CoordinatorType.Group, "g", code))
                      Expect.all failures (fun one -> one.Failure = expected) (String.Join("; ", failures))))

          for name, protocol, api in
              [ "classic", classic, ApiKey.JoinGroup
                "classic", classic, ApiKey.SyncGroup
                "the new protocol", modern, ApiKey.ConsumerGroupHeartbeat ] do
              testCase $"{name}: a member gets its partitions though its observer throws at the first response to {api}" (fun () ->
                  use kafka = TestBroker.Start()
                  kafka.Topic("t", 2)
                  let observer = ThrowingOnce(fun info -> info.Api = api)
                  use consumer = observedMember kafka protocol observer
                  awaitPartitions consumer 2
                  Expect.isTrue observer.HasThrown "it has thrown")

          testCase "the new protocol: a member joins again though its observer throws at the response that it has been removed" (fun () ->
              use kafka = TestBroker.Start()
              kafka.Topic("t", 2)
              let observer = ThrowingOnce(fun info -> info.Api = ApiKey.ConsumerGroupHeartbeat && kafka.Members("g").Count = 0)
              use consumer = observedMember kafka modern observer
              awaitPartitions consumer 2
              kafka.ExpireSessions "g"
              awaitPartitions consumer 0
              Expect.isTrue observer.HasThrown "it has thrown"
              awaitPartitions consumer 2)

          testCase "the text of a failure has the call, the attempt, the time and the reason" (fun () ->
              let failed = { Api = ApiKey.JoinGroup; Failure = CallFailure.Fault ClientFault.Closed; Attempt = 3; Silence = ms 1_250 }
              Expect.stringStarts (string failed) "JoinGroup has failed 3 times in a row, 1.3 s after the last success: " "F#") ]
