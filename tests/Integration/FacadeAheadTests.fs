/// Fetching ahead and producing behind through the façade.
module LibKafka.Integration.FacadeAheadTests

open System
open System.Collections.Generic
open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Records
open LibKafka.Integration.FacadeSupport

let private brisk = FetcherOptions(MaxWait = TimeSpan.FromMilliseconds 50.0)

let private valuesOf (fetched: FetchResult) : string list =
    let values = List<string>()

    for record in fetched.Records() do
        values.Add(Text.Encoding.UTF8.GetString record.Value)

    List.ofSeq values

/// Appends batches, and runs a test with a fetcher at their beginning.
let private fetching (batches: RecordBatch list) (test: Tests.MockCluster -> PartitionFetcher -> FetchAhead -> unit) =
    onCluster (fun cluster options ->
        use producer = new PartitionProducer(options, partition)

        for batch in batches do
            RetryPolicy.Produce.Run(fun call -> producer.Produce(batch, call)).ThrowIfError() |> ignore

        use fetcher = new PartitionFetcher(options, partition, brisk, Offset = 0L)
        use ahead = new FetchAhead(fetcher)
        test cluster fetcher ahead)

let private ahead =
    testList
        "fetching ahead"
        [ testCase "reads everything in order, with the next fetch on its way" (fun () ->
              let batches = [ for number in 1..4 -> batch $"{number}-" 3 ]

              fetching batches (fun _ fetcher ahead ->
                  Expect.isFalse ahead.IsAhead "nothing yet"
                  Expect.isNull ahead.Pending "no call"
                  Expect.isTrue (obj.ReferenceEquals(ahead.Fetcher, fetcher)) "its fetcher"
                  let values = List<string>()

                  while values.Count < 12 do
                      let fetched = ahead.Next().ThrowIfError()
                      Expect.isTrue ahead.IsAhead "the next one is on its way"
                      Expect.isNotNull ahead.Pending "a call"
                      Expect.equal fetcher.Position fetched.NextPosition "the fetcher has moved"
                      values.AddRange(valuesOf fetched)

                  Expect.equal
                      (List.ofSeq values)
                      [ for number in 1..4 do
                            for index in 0..2 -> $"{number}-{index}" ]
                      "the records"
                  ahead.Settle()
                  Expect.isFalse ahead.IsAhead "settled"
                  Expect.equal
                      (fetcher.FindOffset(OffsetSpec.Latest).ThrowIfError().Offset)
                      (Nullable 12L)
                      "the client is free for other calls"
                  fetcher.Position <- FetchPosition 10L
                  Expect.equal (valuesOf (ahead.Next())) [ "4-1"; "4-2" ] "it continues at the fetcher's position"))

          testCase "returns an error code with nothing on its way, and can be repeated" (fun () ->
              fetching [ batch "a" 2 ] (fun cluster fetcher ahead ->
                  cluster.PushErrors(ApiKey.Fetch.Code, [ ErrorCode.KafkaStorageError.Code ])
                  let failed = ahead.Next()
                  Expect.equal failed.Error ErrorCode.KafkaStorageError "the code"
                  Expect.isFalse ahead.IsAhead "nothing is on its way"
                  Expect.equal fetcher.Position.Offset 0L "the fetcher has not moved"
                  let fetched = RetryPolicy.Fetch.Run(fun call -> ahead.Next call)
                  Expect.equal (valuesOf fetched) [ "a0"; "a1" ] "the records"))

          testCase "has the options of its calls" (fun () ->
              fetching [ batch "a" 1 ] (fun _ _ ahead ->
                  Expect.equal (ahead.Next(CallOptions(Attempt = 3)).Exchange.Attempt) 3 "the attempt"
                  (ahead :> IDisposable).Dispose()
                  Expect.isFalse ahead.IsAhead "abandoned")) ]

/// Runs a test with a producer of the partition.
let private producing (test: Tests.MockCluster -> KafkaClientOptions -> PartitionClient -> unit) =
    onCluster (fun cluster options ->
        use client = new PartitionClient(options, partition)
        RetryPolicy.Standard.Run(fun call -> client.Connect call).ThrowIfError() |> ignore
        test cluster options client)

let private behind =
    testList
        "producing behind"
        [ testCase "returns the result of the batch before, and of the last one at the end" (fun () ->
              producing (fun _ _ client ->
                  use producer = new PartitionProducer(client)
                  use behind = new ProduceBehind(producer)
                  Expect.isNull behind.Pending "nothing yet"
                  let first = behind.Produce(batch "a" 2)
                  Expect.equal (first.IsSent, first.Before) (true, null) "the first"
                  Expect.isNotNull behind.Pending "it is on its way"
                  let second = behind.Produce(batch "b" 3)
                  Expect.isTrue second.IsSent "the second"
                  Expect.equal (there second.Before).BaseOffset 0L "the result of the first"
                  Expect.equal (there (behind.Finish())).BaseOffset 2L "the result of the second"
                  Expect.isNull (behind.Finish()) "nothing more"
                  Expect.isNull behind.Pending "nothing is on its way"))

          testCase "does not send a batch after one that was refused" (fun () ->
              producing (fun cluster _ client ->
                  use producer = new PartitionProducer(client)
                  use behind = new ProduceBehind(producer)
                  cluster.PushErrors(ApiKey.Produce.Code, [ ErrorCode.MessageTooLarge.Code ])
                  behind.Produce(batch "a" 2) |> ignore
                  let second = behind.Produce(batch "b" 3)
                  Expect.isFalse second.IsSent "not sent"
                  Expect.equal (there second.Before).Error ErrorCode.MessageTooLarge "why"
                  Expect.isNull (behind.Finish()) "nothing is on its way"
                  Expect.isTrue (behind.Produce(batch "b" 3)).IsSent "the caller decides"
                  Expect.equal (there (behind.Finish())).BaseOffset 0L "the only one in the log"))

          testCase "repeats a batch as its policy says" (fun () ->
              producing (fun cluster options client ->
                  let identity = KafkaCluster.RequestProducerIdentity(options).ThrowIfError()
                  use producer = new IdempotentProducer(client, identity)
                  use behind = new ProduceBehind(producer, RetryPolicy.Idempotent)
                  cluster.PushErrors(ApiKey.Produce.Code, [ ErrorCode.NotEnoughReplicas.Code ])
                  behind.Produce(batch "a" 2) |> ignore
                  let second = behind.Produce(batch "b" 3)
                  Expect.isTrue second.IsSent "sent"
                  let first = there second.Before
                  Expect.equal (first.Status, first.Exchange.Attempt) (ProduceStatus.Acknowledged, 2) "after two attempts"
                  Expect.equal (there (behind.Finish())).BaseOffset 2L "in order")) ]

[<Tests>]
let tests = testList "façade, one call ahead" [ ahead; behind ]
