/// Consuming, transforming and producing exactly once through the façade.
module LibKafka.Integration.FacadeExactlyOnceTests

open System
open System.Collections.Generic
open System.Diagnostics
open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Records
open LibKafka.Wire
open LibKafka.Integration.FacadeSupport

let private soon = TimeSpan.FromMilliseconds 100.0

/// Options for the mock cluster, which cannot wait for transactions before it returns a committed offset.
let private optionsFor (transactionalId: string) : ExactlyOnceOptions =
    let group =
        GroupConsumerOptions(
            Guid.NewGuid().ToString "N",
            [ topic ],
            SessionTimeout = 6.0 * second,
            HeartbeatInterval = 2.0 * soon,
            RebalanceTimeout = 20.0 * second
        )

    ExactlyOnceOptions(
        group.GroupId,
        transactionalId,
        [ topic ],
        Group = group,
        Reading = TopicConsumerOptions(Fetching = FetcherOptions(MaxWait = soon))
    )

let private write (options: KafkaClientOptions) (values: string list) =
    use producer = new PartitionProducer(options, partition)
    RetryPolicy.Produce.Run(fun call -> producer.Produce(batchOf (List.map plain values), call)).ThrowIfError() |> ignore

/// Copies each record to another topic, with `copied/` before its value and a header.
let private copying (target: string) : Transform =
    Transform(fun from records output ->
        let headers = [| KafkaHeader("from", text (from.ToString())) |]

        for record in records do
            let value = text ("copied/" + Text.Encoding.UTF8.GetString record.Value)
            output.Add(target, record.Key, ReadOnlySpan value, Nullable<DateTimeOffset>(), ReadOnlySpan headers)
            output.Add(target, NullableSpan.Null, NullableSpan.Null, 7L, ReadOnlySpan.Empty))

/// Polls until there is an event of a type.
let private until<'Event when 'Event :> ExactlyOnceEvent> (copy: ExactlyOnce) : 'Event =
    let clock = Stopwatch.StartNew()

    let rec poll () =
        if clock.Elapsed > 60.0 * second then
            failtestf "no %s in time" typeof<'Event>.Name

        match copy.Poll soon with
        | :? 'Event as event -> event
        | :? ExactlyOnceFailed as failed -> failtestf "%O" failed
        | _ -> poll ()

    poll ()

let private copies (options: KafkaClientOptions) (target: string) (count: int) : (string * int64 * string list) list =
    // The checksums of the mock cluster's control batches are wrong.
    let skipping = NextStep.SkippingDamage(Func<ConsumerEvent, NextStep> NextStep.Standard)
    let reading =
        TopicConsumerOptions(Fetching = FetcherOptions(MaxWait = soon, IsolationLevel = IsolationLevel.ReadCommitted), NextStep = skipping)
    use consumer = new TopicConsumer(options, reading)
    consumer.Add(TopicPartition(target, 0), OffsetSpec.Earliest)
    let found = List<string * int64 * string list>()
    let clock = Stopwatch.StartNew()

    while found.Count < count do
        if clock.Elapsed > 60.0 * second then failtestf "%d records" found.Count

        match consumer.Poll soon with
        | :? RecordsFetched as fetched ->
            for record in fetched.Records do
                let headers = [ for header in record.Headers.ToList() -> header.Name ]
                let value = if record.HasValue then Text.Encoding.UTF8.GetString record.Value else "null"
                found.Add((value, record.Timestamp, headers))
        | _ -> ()

    List.ofSeq found

[<Tests>]
let tests =
    testList
        "façade, exactly once"
        [ testCase "a copy commits its output and its positions in transactions, and leaves" (fun () ->
              onCluster (fun cluster options ->
                  cluster.CreateTopic("copies", 1, 1)
                  write options [ "a"; "b" ]
                  use copy = new ExactlyOnce(options, optionsFor "copier", copying "copies")
                  let assigned = until<PartitionsAssigned> copy
                  Expect.hasLength assigned.Partitions 2 "the events of the group"
                  let committed = until<TransactionCommitted> copy
                  let positions = [ for one in committed.Positions -> one.Key, one.Value.Offset ]
                  Expect.equal (positions, committed.Records) ([ partition, 2L ], 4) "the transaction"
                  Expect.stringContains (committed.ToString()) "committed 4 records" "the text"
                  Expect.hasLength copy.Consumer.Partitions 2 "the consumer can be looked at"
                  let before = DateTimeOffset.UtcNow.AddMinutes(-5.0).ToUnixTimeMilliseconds()

                  match copies options "copies" 4 with
                  | [ "copied/a", time, [ "from" ]; "null", 7L, []; "copied/b", _, [ "from" ]; "null", 7L, [] ] ->
                      Expect.isGreaterThan time before "the present time"
                  | other -> failtestf "%O" other

                  Expect.equal (copy.Close()).Status GroupLeaveStatus.Left "it left"))

          testCase "a copy aborts a transaction that fails, and repeats it" (fun () ->
              onCluster (fun cluster options ->
                  cluster.CreateTopic("copies", 1, 1)
                  write options [ "a" ]
                  cluster.PushErrors(ApiKey.TxnOffsetCommit.Code, [ ErrorCode.IllegalGeneration.Code ])
                  use copy = new ExactlyOnce(options, optionsFor "copier", copying "copies")
                  let aborted = until<TransactionAborted> copy
                  Expect.equal (List.ofSeq aborted.From) [ partition ] "the partition"
                  Expect.equal aborted.Problem.Api (Nullable ApiKey.TxnOffsetCommit) "the step"
                  Expect.equal aborted.Problem.Fault.ErrorCode ErrorCode.IllegalGeneration "why"
                  Expect.isFalse (aborted.Problem.Partition.HasValue || aborted.Problem.Loss.HasValue) "no batch, and no loss"
                  let error = aborted.Problem.ToException()
                  Expect.stringStarts error.Message "TxnOffsetCommit: ILLEGAL_GENERATION" "as an exception"
                  let committed = until<TransactionCommitted> copy
                  Expect.equal committed.Records 2 "then it is committed"))

          testCase "a copy that may not use its transactional id has failed for good" (fun () ->
              onCluster (fun cluster options ->
                  cluster.PushErrors(ApiKey.InitProducerId.Code, [ ErrorCode.TransactionalIdAuthorizationFailed.Code ])
                  use copy = new ExactlyOnce(options, optionsFor "copier", copying "copies")

                  match copy.Poll(10.0 * second), copy.Poll soon with
                  | (:? ExactlyOnceFailed as failed), (:? ExactlyOnceFailed as again) ->
                      Expect.equal failed.Problem.Fault.ErrorCode ErrorCode.TransactionalIdAuthorizationFailed "why"
                      Expect.equal (again.ToString()) (failed.ToString()) "every time"
                  | other -> failtestf "%O" other))

          testCase "what the transform throws is thrown, and the records are transformed again" (fun () ->
              onCluster (fun cluster options ->
                  cluster.CreateTopic("copies", 1, 1)
                  write options [ "a" ]
                  let mutable count = 0

                  let transform =
                      Transform(fun from records output ->
                          count <- count + 1
                          if count = 1 then invalidOp "the first time"
                          (copying "copies").Invoke(from, records, output))

                  use copy = new ExactlyOnce(options, optionsFor "copier", transform)
                  Expect.throwsC (fun () -> until<TransactionCommitted> copy |> ignore) (fun error ->
                      Expect.equal error.Message "the first time" "it is thrown")
                  Expect.equal (until<TransactionCommitted> copy).Records 2 "the second time"))

          testCase "the options have the defaults of the core" (fun () ->
              let options, core = ExactlyOnceOptions("g", "id", [ "a" ]), Topics.ExactlyOnceSettings.make "g" [ "a" ] "id"
              Expect.equal (options.Group.GroupId, options.TransactionalId) (core.Group.GroupId, core.TransactionalId) "names"
              Expect.equal options.Group.RequireStable core.Group.RequireStable "stable"
              Expect.isTrue options.Group.RequireStable "as exactly once requires"
              Expect.equal options.TransactionTimeout core.TransactionTimeout "time-out"
              Expect.equal options.TransactionInterval core.TransactionInterval "interval"
              Expect.equal options.Collecting.Linger core.Collecting.Linger "linger"
              Expect.isNull options.Codec "no codec") ]
