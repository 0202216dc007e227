/// Refused batches, and batches that must be in the log exactly once.
module LibKafka.Integration.ProducerTests

open System
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support

/// A leader that does this for its first, second, … batch, and acknowledges all later ones.
let private answering (acts: (Received -> Produce.Request -> Act list) list) (test: ScriptedBroker -> PartitionClient -> unit) =
    let gate = obj ()
    let mutable rest = acts

    let next () =
        lock gate (fun () ->
            match rest with
            | act :: others ->
                rest <- others
                act
            | [] ->
                fun received request ->
                    Script.answer Produce.api received (Script.produced (fun answer -> { answer with BaseOffset = 90L }) request))

    let script (received: Received) =
        match received.Request with
        | Request.Produce request -> next () received request
        | _ -> Script.unexpected received

    Scripted.partition patient script test

let private saying (change: Produce.PartitionResponse -> Produce.PartitionResponse) received request =
    Script.answer Produce.api received (Script.produced change request)

let private refusing (code: ErrorCode) = saying (fun answer -> { answer with Error = code; BaseOffset = -1L })

let private losing (_: Received) (_: Produce.Request) = [ Act.Close ]

/// The batches that arrived, in order, with the transactional id of their request.
let private arrived (broker: ScriptedBroker) : (string option * RecordBatch) list =
    broker.Calls
    |> List.choose (fun received ->
        match received.Request with
        | Request.Produce request ->
            Some(request.TransactionalId, request.Topics[0].Partitions[0].Records |> Option.get |> RecordBatch.ofBytes |> ok)
        | _ -> None)

let private refusals =
    testList
        "a refused batch"
        [ testCase "has the records because of which it was refused" (fun () ->
              let change (answer: Produce.PartitionResponse) =
                  { answer with
                      Error = ErrorCode.InvalidRecord
                      BaseOffset = -1L
                      RecordErrors = [ { BatchIndex = 1; Message = Some "no key" }; { BatchIndex = 2; Message = None } ]
                      ErrorMessage = Some "records were rejected" }

              answering [ saying change ] (fun _ client ->
                  let produced = (new PartitionProducer(client, ProducerSettings.standard)).Produce(batch "r" 3)
                  Expect.equal produced.Error ErrorCode.InvalidRecord "the code"
                  Expect.equal (produced.RecordErrors |> List.map _.BatchIndex) [ 1; 2 ] "the records"
                  Expect.equal produced.ErrorMessage (Some "records were rejected") "the text"))

          testCase "that is too large for the broker reports its size and the broker's message" (fun () ->
              let change (answer: Produce.PartitionResponse) =
                  { answer with Error = ErrorCode.MessageTooLarge; BaseOffset = -1L; ErrorMessage = Some "larger than 100" }

              answering [ saying change ] (fun _ client ->
                  let sent = batch "r" 3
                  let produced = (new PartitionProducer(client, ProducerSettings.standard)).Produce sent
                  Expect.equal produced.Batch sent "the batch"

                  for part in [ "MESSAGE_TOO_LARGE"; "larger than 100"; "3 records"; string sent.SizeInBytes + " bytes" ] do
                      Expect.stringContains (produced.ToString()) part "the text"))

          testCase "that is too large for the producer's own limit reports both sizes, and nothing is sent" (fun () ->
              answering [] (fun broker client ->
                  let large, small = batch "r" 9, batch "r" 1
                  let settings = { ProducerSettings.standard with MaxBatchBytes = large.SizeInBytes - 1 }
                  let producer = new PartitionProducer(client, settings)
                  let produced = producer.Produce large

                  match produced.Result with
                  | ProduceResult.Rejected(Rejection.NotSent(ClientFault.CannotEncode { Problem = Problem.BatchTooLarge(size, most) })) ->
                      Expect.equal (size, most) (large.SizeInBytes, settings.MaxBatchBytes) "both sizes"
                      Expect.stringContains (produced.ToString()) "MaxBatchBytes" "the setting is named"
                  | other -> failtestf "%O" other

                  Expect.isFalse produced.Exchange.Info.WasSent "nothing was sent"
                  Expect.equal broker.Connections 0 "there is not even a connection"

                  for size in [ large.SizeInBytes; settings.MaxBatchBytes ] do
                      Expect.stringContains (produced.ToString()) (string size) "the text"

                  producer.Produce small |> acknowledged |> ignore))

          testCase "that is exactly as large as the producer's limit is sent" (fun () ->
              answering [] (fun _ client ->
                  let sent = batch "r" 9
                  let settings = { ProducerSettings.standard with MaxBatchBytes = sent.SizeInBytes }
                  (new PartitionProducer(client, settings)).Produce sent |> acknowledged |> ignore)) ]

let private identity = { ProducerId = 4711L; ProducerEpoch = 3s }
let private idempotent (client: PartitionClient) = IdempotentProducer(client, ProducerSettings.standard, identity)

let private misuse (action: unit -> 'T) (part: string) =
    try
        action () |> ignore
        failtest "it should have been refused"
    with :? InvalidOperationException as refused ->
        Expect.stringContains refused.Message part "the reason"

let private once =
    testList
        "idempotent"
        [ testCase "batches get the identity and consecutive sequences, and are otherwise unchanged" (fun () ->
              answering [] (fun broker client ->
                  let producer = idempotent client
                  let batches = [ batch "a" 3; batch "b" 1; batch "c" 2 ]

                  for batch in batches do
                      producer.Produce batch |> acknowledged |> ignore

                  let stamped = arrived broker
                  Expect.equal (stamped |> List.map (fun (_, it) -> it.BaseSequence)) [ 0; 3; 4 ] "sequences"
                  Expect.equal producer.State (ProducerState.Ready 6) "the next"

                  for (transactional, stamped), batch in List.zip stamped batches do
                      Expect.equal transactional None "no transaction"
                      Expect.equal stamped (RecordBatch.withProducer 4711L 3s stamped.BaseSequence batch |> ok) "the batch"))

          testCase "batches that are built for it are sent without a copy" (fun () ->
              answering [] (fun broker client ->
                  let producer = idempotent client

                  let built =
                      [ for name in [ "a"; "b" ] do
                            let options = producer.OptionsForNext BatchOptions.standard
                            let batch = BatchBuilder.build options [ record 0 name; record 1 name ] |> ok
                            let produced = producer.Produce batch
                            produced |> acknowledged |> ignore
                            Expect.isTrue (Object.ReferenceEquals(produced.Batch, batch)) "without a copy"
                            batch ]

                  Expect.equal (arrived broker |> List.map snd) built "the bytes"
                  Expect.equal (built |> List.map _.BaseSequence) [ 0; 2 ] "sequences"))

          testCase "a batch whose response was lost is sent again byte for byte, and then the next one" (fun () ->
              answering [ losing; losing ] (fun broker client ->
                  let producer = idempotent client

                  match (producer.Produce(batch "a" 2)).Result with
                  | ProduceResult.Unknown(Doubt.AnswerLost ClientFault.Closed) -> ()
                  | other -> failtestf "%O" other

                  Expect.isTrue producer.State.IsInDoubt "in doubt"
                  Expect.isTrue (producer.Retry()).Result.IsUnknown "the first retry is lost too"
                  Expect.equal (acknowledged (producer.Retry())) 90L "the second is not"
                  producer.Produce(batch "b" 1) |> acknowledged |> ignore

                  match arrived broker |> List.map snd with
                  | [ first; second; third; next ] ->
                      Expect.equal [ second; third ] [ first; first ] "the same batch"
                      Expect.equal next.BaseSequence 2 "the next"
                  | other -> failtestf "%d batches" other.Length))

          testCase "producing the batch in doubt again is a retry, so that a policy can wrap it in one line" (fun () ->
              answering [ losing; refusing ErrorCode.NotLeaderOrFollower; losing ] (fun broker client ->
                  let producer = idempotent client
                  let retry = { RetryPolicy.idempotent with FirstDelay = ms 1 }
                  let sent = batch "a" 2
                  let produced = retry.Run(fun call -> producer.Produce(sent, call))
                  Expect.equal (acknowledged produced) 90L "the outcome"
                  Expect.equal produced.Exchange.Info.Attempt 4 "the attempt"
                  Expect.equal (arrived broker |> List.distinct |> List.length) 1 "the same batch each time"))

          testCase "a batch in doubt that is refused stays in doubt, with the reason" (fun () ->
              answering [ losing; refusing ErrorCode.NotEnoughReplicas ] (fun _ client ->
                  let producer = idempotent client
                  producer.Produce(batch "a" 2) |> ignore

                  match (producer.Retry()).Result with
                  | ProduceResult.Unknown(Doubt.SentBefore(Rejection.ByBroker answer)) ->
                      Expect.equal answer.Error ErrorCode.NotEnoughReplicas "the code"
                  | other -> failtestf "%O" other

                  Expect.isTrue producer.State.IsInDoubt "in doubt"))

          testCase "a duplicate is acknowledged, without an offset" (fun () ->
              answering [ losing; refusing ErrorCode.DuplicateSequenceNumber ] (fun _ client ->
                  let producer = idempotent client
                  producer.Produce(batch "a" 2) |> ignore
                  Expect.equal (acknowledged (producer.Retry())) -1L "the offset is not known"
                  Expect.equal producer.State (ProducerState.Ready 2) "the next"))

          testCase "the next batch gets the sequence of a rejected one" (fun () ->
              answering [ refusing ErrorCode.MessageTooLarge ] (fun broker client ->
                  let producer = idempotent client
                  Expect.equal (producer.Produce(batch "a" 2)).Error ErrorCode.MessageTooLarge "the code"
                  producer.Produce(batch "b" 1) |> acknowledged |> ignore
                  Expect.equal (arrived broker |> List.map (fun (_, it) -> it.BaseSequence)) [ 0; 0 ] "sequences"))

          testCase "another batch while one is in doubt is refused, and so is a retry if none is" (fun () ->
              answering [ losing ] (fun broker client ->
                  let producer = idempotent client
                  misuse (fun () -> producer.Retry()) "No batch is in doubt"
                  producer.Produce(batch "a" 2) |> ignore
                  // The same content, but another object: only the caller knows whether it is the same batch.
                  misuse (fun () -> producer.Produce(batch "a" 2)) "in doubt"
                  Expect.hasLength (arrived broker) 1 "nothing more was sent"))

          testCase "fencing is a state that only another identity ends" (fun () ->
              answering [ refusing ErrorCode.InvalidProducerEpoch ] (fun broker client ->
                  let producer = idempotent client
                  Expect.equal (producer.Produce(batch "a" 2)).Error ErrorCode.InvalidProducerEpoch "the code is data"
                  Expect.equal producer.State (ProducerState.Fenced ErrorCode.InvalidProducerEpoch) "the state"
                  misuse (fun () -> producer.Produce(batch "b" 1)) "fenced by INVALID_PRODUCER_EPOCH"
                  misuse (fun () -> producer.Retry()) "fenced"
                  Expect.throwsT<ArgumentException> (fun () -> producer.Renew identity) "the same identity does not help"
                  producer.Renew { identity with ProducerEpoch = 4s }
                  producer.Produce(batch "b" 1) |> acknowledged |> ignore

                  Expect.equal
                      (arrived broker |> List.map (fun (_, it) -> it.ProducerEpoch, it.BaseSequence))
                      [ 3s, 0; 4s, 0 ]
                      "epochs and sequences"))

          testCase "a batch whose checksum is wrong is sent with a wrong one, and the broker refuses it" (fun () ->
              answering [] (fun broker client ->
                  let bytes = (batch "a" 1).Bytes.ToArray()
                  bytes[bytes.Length - 1] <- bytes[bytes.Length - 1] ^^^ 1uy
                  let producer = idempotent client

                  match (producer.Produce(RecordBatch.ofBytes (Bytes bytes) |> ok)).Result with
                  | ProduceResult.Rejected(Rejection.ByBroker _) -> ()
                  | other -> failtestf "%O" other

                  Expect.equal producer.State ProducerState.initial "the state"
                  Expect.all (arrived broker) (fun (_, batch) -> (RecordBatch.verify batch).IsError) "what arrived"
                  Expect.hasLength (arrived broker) 1 "one batch"))

          testCase "it requires acks from all replicas" (fun () ->
              use client = new PartitionClient(patient, Bootstrap.ofAddresses [], { Topic = "t"; Partition = 0 })

              for acks in [ Acks.None; Acks.Leader ] do
                  Expect.throwsT<ArgumentException>
                      (fun () -> IdempotentProducer(client, { ProducerSettings.standard with Acks = acks }, identity) |> ignore)
                      "the settings") ]

let private identities =
    let given: InitProducerId.Response = { InitProducerId.response.Default with ProducerId = 5L; ProducerEpoch = 6s }

    let asking highest response (test: ScriptedBroker -> Connection -> unit) =
        let rest (received: Received) =
            match received.Request with
            | Request.InitProducerId _ -> Script.answer InitProducerId.api received response
            | _ -> Script.unexpected received

        let table = Script.versions ApiKey.InitProducerId 0 highest :: Script.everything

        Scripted.broker (fun _ -> Script.knowing table rest) (fun broker ->
            use connection = Connection.Open(patient, broker.Address) |> ok
            test broker connection)

    testList
        "an identity"
        [ for highest in [ 2; 3; 5 ] do
              testCase ("is asked for in version " + string highest + ", with the previous one from 3 on") (fun () ->
                  asking highest given (fun broker connection ->
                      let exchange = ProducerIdentity.Request(connection, identity)

                      Expect.equal exchange.Result (Ok { ProducerId = 5L; ProducerEpoch = 6s }) "the identity"

                      match (List.last broker.Received).Request with
                      | Request.InitProducerId request ->
                          Expect.equal request.TransactionalId None "no transactional id"
                          let expected = if highest >= 3 then 4711L, 3s else -1L, -1s
                          Expect.equal (request.ProducerId, request.ProducerEpoch) expected "the previous one"
                      | other -> failtestf "%A" other))

          testCase "that is refused is an error code" (fun () ->
              let refused = { given with Error = ErrorCode.ClusterAuthorizationFailed; ProducerId = -1L; ProducerEpoch = -1s }

              asking 5 refused (fun _ connection ->
                  let reply = ProducerIdentity.Request connection
                  Expect.equal reply.Result (Error(CallFailure.Code ErrorCode.ClusterAuthorizationFailed)) "a failure"
                  Expect.equal reply.Error ErrorCode.ClusterAuthorizationFailed "the code"))

          testCase "of a mock broker can be used for producing" (fun () ->
              withMockPartition patient (fun mock client ->
                  use connection = client.Connect() |> ok
                  let identity = (ProducerIdentity.Request connection).Result |> ok
                  let brokers = Bootstrap.parse mock.Bootstrap |> ok
                  let other = ProducerIdentity.Request(patient, brokers) |> ok
                  Expect.notEqual other.ProducerId identity.ProducerId "each has an id of its own"
                  let producer = IdempotentProducer(client, ProducerSettings.standard, identity)
                  Expect.equal (acknowledged (producer.Produce(batch "a" 2))) 0L "the first"
                  Expect.equal (acknowledged (producer.Produce(batch "b" 1))) 2L "the second")) ]

let private forwarding =
    onEachAndEmbedded "forwarding" (fun cluster ->
        [ testCase "a fetched batch is appended to another log unchanged, except for what the broker sets" (fun () ->
              cluster.WithPartition(fun _ from ->
                  cluster.WithPartition(fun _ towards ->
                      let batches (client: PartitionClient) finish =
                          let found = ResizeArray<RecordBatch>()

                          readUntil finish (new PartitionFetcher(client, FetcherSettings.standard, 0L)) (fun fetched ->
                              for item in fetched.Batches do
                                  match item with
                                  | RecordSetItem.Batch(batch, _) -> found.Add batch
                                  | _ -> ())

                          List.ofSeq found

                      let source = new PartitionProducer(from, ProducerSettings.standard)
                      let target = new PartitionProducer(towards, ProducerSettings.standard)

                      for name in [ "a"; "b" ] do
                          source.Produce(batch name 3) |> acknowledged |> ignore

                      let fetched = batches from 6L
                      // So that the offsets differ.
                      target.Produce(batch "x" 2) |> acknowledged |> ignore

                      for batch in fetched do
                          target.Produce batch |> acknowledged |> ignore

                      let forwarded = (batches towards 8L).Tail
                      Expect.equal (forwarded |> List.map _.BaseOffset) [ 2L; 5L ] "their offsets"

                      Expect.equal
                          (forwarded |> List.map (fun batch -> batch.Rebase(0L, 0)))
                          (fetched |> List.map (fun batch -> batch.Rebase(0L, 0)))
                          "their bytes"))) ])

[<Tests>]
let tests = testList "producer" [ refusals; once; identities; forwarding ]
