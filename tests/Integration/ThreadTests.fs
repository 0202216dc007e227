/// Clients that two threads use at once by mistake: each call is made whole or not at all.
module LibKafka.Integration.ThreadTests

open System
open System.Collections.Generic
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Replay
open LibKafka.Integration.Support

let private calls = 4_000

/// What two threads got that made many calls on one client.
type private Outcome<'Reply> = { Replies: 'Reply list; Refused: int }

/// Two threads make the calls at the same time. The call gets its number. Every exception must be the refusal of a second thread.
let private hammer (call: int -> 'Reply) : Outcome<'Reply> =
    use together = new Barrier 2
    let replies = List<'Reply>()
    let others = List<string>()
    let mutable refused = 0

    let work (first: int) () =
        together.SignalAndWait()

        for number in first..2 .. 2 * calls - 1 do
            try
                let reply = call number
                lock replies (fun () -> replies.Add reply)
            with
            | :? InvalidOperationException as error when error.Message.Contains "used by two threads at once" ->
                Interlocked.Increment &refused |> ignore
            | error -> lock others (fun () -> others.Add(error.ToString()))

    let threads = [ for first in 0..1 -> Thread(work first) ]

    for thread in threads do
        thread.Start()

    for thread in threads do
        thread.Join()

    Expect.isEmpty others "no other exception"
    Expect.equal (replies.Count + refused) (2 * calls) "every call was made or refused"
    { Replies = List.ofSeq replies; Refused = refused }

/// A broker that leads and coordinates everything, supports all versions of these APIs, and has finalized `transaction.version` 2. `rest` checks
/// the requests and raises an exception for one that it should not receive.
let private broker (keys: ApiKey list) (rest: Received -> Act list) (test: ScriptedBroker -> Bootstrap -> unit) =
    let table = Script.everythingBut [ for key in keys -> Script.versions key 0 99 ]

    let finalized: ApiVersions.FinalizedFeature = { Name = "transaction.version"; MaxVersionLevel = 2s; MinVersionLevel = 2s }

    let script (me: BrokerAddress) (received: Received) =
        match received.Request with
        | Request.ApiVersions _ ->
            Script.answer ApiVersions.api received { Script.versionsResponse ErrorCode.None table with FinalizedFeatures = [ finalized ] }
        | Request.Metadata _ -> Script.answer Metadata.api received (Script.metadata me [ topicOf "t" 1 ])
        | Request.FindCoordinator request -> coordinating me received request
        | _ -> rest received

    Scripted.broker script (fun broker -> test broker (Bootstrap.ofAddresses [ broker.Address ]))

let private partition: TopicPartition = { Topic = "t"; Partition = 0 }
let private identity = { ProducerId = 4000L; ProducerEpoch = 5s }

let private requests (broker: ScriptedBroker) (choose: Request -> 'Request option) : 'Request list =
    broker.Calls |> List.choose (_.Request >> choose)

/// The value of the only record of a batch.
let private valueIn (batch: RecordBatch) = RecordBatch.toList Reading.standard batch |> ok |> valuesOf |> List.exactlyOne

let private produced (broker: ScriptedBroker) : RecordBatch list =
    requests broker (function
        | Request.Produce request -> request.Topics[0].Partitions[0].Records |> Option.map (RecordBatch.ofBytes >> ok)
        | _ -> None)

let private acknowledging (received: Received) =
    match received.Request with
    | Request.Produce request -> Script.answer Produce.api received (Script.produced id request)
    | _ -> Script.unexpected received

let private producers =
    testList
        "producers"
        [ testCase "an idempotent producer: every batch that was sent has the next sequence, and none was sent twice" (fun () ->
              broker [] acknowledging (fun broker bootstrap ->
                  use client = new PartitionClient(patient, bootstrap, partition)
                  let producer = IdempotentProducer(client, ProducerSettings.standard, identity)
                  let outcome = hammer (fun number -> producer.Produce(batch (string number + "-") 1))
                  let arrived = produced broker
                  let replies = outcome.Replies |> List.map (fun reply -> reply.Batch)

                  Expect.isGreaterThan outcome.Refused 0 "some calls met another"
                  Expect.all outcome.Replies (fun reply -> acknowledged reply = 0L) "the acknowledgements"
                  Expect.equal (arrived |> List.map _.BaseSequence) [ 0 .. arrived.Length - 1 ] "the sequences"
                  let valuesIn batches = batches |> List.map valueIn |> List.sort
                  Expect.equal (valuesIn arrived) (valuesIn replies) "the batches"))

          testCase "a plain producer: every batch that was acknowledged was sent once" (fun () ->
              broker [] acknowledging (fun broker bootstrap ->
                  use client = new PartitionClient(patient, bootstrap, partition)
                  use producer = new PartitionProducer(client, ProducerSettings.standard)
                  let outcome = hammer (fun number -> producer.Produce(batch (string number + "-") 1))
                  let valuesIn batches = batches |> List.map valueIn |> List.sort
                  Expect.isGreaterThan outcome.Refused 0 "some calls met another"
                  Expect.all outcome.Replies (fun reply -> acknowledged reply = 0L) "the acknowledgements"
                  Expect.equal (valuesIn (produced broker)) (valuesIn (outcome.Replies |> List.map _.Batch)) "the batches")) ]

let private fetcher =
    testCase
        "a fetcher: the requests of its session are numbered one after another, and each reply is for the position it was asked at"
        (fun () ->
            let answer (received: Received) =
                match received.Request with
                | Request.Fetch request ->
                    let response = Script.fetched (fun answer -> { answer with HighWatermark = 9L }) request
                    Script.answer Fetch.api received { response with SessionId = 7 }
                | _ -> Script.unexpected received

            broker [] answer (fun broker bootstrap ->
                use client = new PartitionClient(patient, bootstrap, partition)
                use fetcher = new PartitionFetcher(client, { FetcherSettings.standard with UseSession = true }, 0L)

                let fetch (number: int) =
                    fetcher.Offset <- int64 number
                    fetcher.Fetch()

                let outcome = hammer fetch

                let arrived =
                    requests broker (function
                        | Request.Fetch request -> Some request
                        | _ -> None)

                Expect.isGreaterThan outcome.Refused 0 "some calls met another"
                Expect.all outcome.Replies (fun reply -> reply.Result.IsOk) "the replies"
                Expect.equal arrived.Length outcome.Replies.Length "as many requests as replies"
                Expect.equal (arrived |> List.map _.SessionEpoch) [ 0 .. arrived.Length - 1 ] "the numbers"

                for reply in outcome.Replies do
                    for topic in reply.Request.Topics do
                        Expect.equal topic.Partitions[0].FetchOffset reply.Offset "the position"))

let private transaction =
    testCase "a transaction: every step has the identity that the one before has given" (fun () ->
        let mutable epoch = 0s

        let answer (received: Received) =
            match received.Request with
            | Request.InitProducerId _ ->
                Script.answer
                    InitProducerId.api
                    received
                    { InitProducerId.response.Default with ProducerId = 4000L; ProducerEpoch = epoch }
            | Request.EndTxn request when request.ProducerEpoch = epoch ->
                epoch <- (epoch + 1s) &&& Int16.MaxValue
                Script.answer EndTxn.api received { EndTxn.response.Default with ProducerId = 4000L; ProducerEpoch = epoch }
            | Request.EndTxn request -> failwith ("EndTxn in epoch " + string request.ProducerEpoch)
            | _ -> Script.unexpected received

        broker [ ApiKey.InitProducerId; ApiKey.EndTxn ] answer (fun broker bootstrap ->
            use client = new TransactionClient(patient, bootstrap, "tx")
            Expect.isOk (client.InitProducerId(ms 60_000)).Result "the identity"
            let outcome = hammer (fun number -> if number % 4 < 2 then client.Commit() else client.Abort())
            Expect.isGreaterThan outcome.Refused 0 "some calls met another"
            Expect.all outcome.Replies (fun reply -> reply.Result.IsOk && not reply.Error.IsError) "the replies"
            Expect.equal (broker.VersionsOf ApiKey.EndTxn).Length outcome.Replies.Length "as many requests as replies"))

let private groups =
    testList
        "groups"
        [ testCase "a join: the second round follows the first one with the id from its response" (fun () ->
              let answer (received: Received) =
                  match received.Request with
                  | Request.JoinGroup request ->
                      let response = JoinGroup.response.Default

                      if request.MemberId = "" then
                          Script.answer
                              JoinGroup.api
                              received
                              { response with
                                  Error = ErrorCode.MemberIdRequired
                                  MemberId = "member-" + string received.Header.CorrelationId }
                      else
                          Script.answer JoinGroup.api received { response with MemberId = request.MemberId }
                  | _ -> Script.unexpected received

              broker [ ApiKey.JoinGroup ] answer (fun broker bootstrap ->
                  use client = new GroupClient(patient, bootstrap, "g")
                  let join = JoinSettings.consumer []
                  let outcome = hammer (fun _ -> client.Join("", join))

                  let members =
                      requests broker (function
                          | Request.JoinGroup request -> Some request.MemberId
                          | _ -> None)

                  Expect.isGreaterThan outcome.Refused 0 "some calls met another"
                  Expect.all outcome.Replies (fun reply -> reply.Result.IsOk && reply.FirstRound.IsSome) "the replies"
                  Expect.equal members.Length (2 * outcome.Replies.Length) "two rounds for each reply"

                  for rounds in List.chunkBySize 2 members do
                      Expect.equal rounds[0] "" "the first round"
                      Expect.notEqual rounds[1] "" "the second round"))

          testCase "heartbeats of the new protocol: each has the epoch from the response before, and nothing is sent again" (fun () ->
              let mutable epoch = 0

              let answer (received: Received) =
                  match received.Request with
                  | Request.ConsumerGroupHeartbeat request when request.MemberEpoch = epoch ->
                      if epoch > 0 && request.SubscribedTopicNames.IsSome then
                          failwith "the subscription was sent again"
                      epoch <- epoch + 1
                      Script.answer
                          ConsumerGroupHeartbeat.api
                          received
                          { ConsumerGroupHeartbeat.response.Default with
                              MemberId = Some request.MemberId
                              MemberEpoch = epoch
                              HeartbeatIntervalMs = 1_000 }
                  | Request.ConsumerGroupHeartbeat request -> failwith ("a heartbeat in epoch " + string request.MemberEpoch)
                  | _ -> Script.unexpected received

              broker [ ApiKey.ConsumerGroupHeartbeat ] answer (fun broker bootstrap ->
                  use client = new ConsumerGroupClient(patient, bootstrap, "g", ConsumerGroupSubscription.topics [ "t" ])
                  let outcome = hammer (fun _ -> client.Heartbeat())
                  Expect.isGreaterThan outcome.Refused 0 "some calls met another"
                  Expect.all outcome.Replies (fun reply -> reply.Result.IsOk && not reply.Error.IsError) "the replies"

                  Expect.equal
                      (broker.VersionsOf ApiKey.ConsumerGroupHeartbeat).Length
                      outcome.Replies.Length
                      "as many requests as replies")) ]

[<Tests>]
let tests = testSequenced (testList "two threads in one client" [ producers; fetcher; transaction; groups ])
