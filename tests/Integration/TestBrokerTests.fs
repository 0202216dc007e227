/// The library's clients on the broker inside the process.
module LibKafka.Integration.TestBrokerTests

open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Integration.Support

let private withBroker (brokers: int) (test: TestBroker -> unit) =
    use kafka = TestBroker.Start(TestBrokerOptions(Brokers = brokers, Codecs = AllCodecs.Set))
    test kafka
    Expect.isEmpty kafka.Failures "the broker failed"

let private clientOf (kafka: TestBroker) (topic: string) (partition: int) =
    new PartitionClient(patient, Bootstrap.parse kafka.Bootstrap |> ok, { Topic = topic; Partition = partition })

let private producerOf (client: PartitionClient) = new PartitionProducer(client, ProducerSettings.standard)

let private fetcherOf (client: PartitionClient) (offset: int64) = new PartitionFetcher(client, FetcherSettings.standard, offset)

[<Tests>]
let tests =
    testList
        "test broker"
        [ testCase "batches go in and out on every partition of three brokers" (fun () ->
              withBroker 3 (fun kafka ->
                  kafka.Topic("orders", partitions = 6)

                  for partition in 0..5 do
                      use client = clientOf kafka "orders" partition
                      let producer = producerOf client
                      let name = string partition + "-"
                      Expect.equal (acknowledged (producer.Produce(batch name 3))) 0L "the first batch"
                      Expect.equal (acknowledged (producer.Produce(batch (name + "x") 2))) 3L "the second batch"
                      let records = fetchUntil 5L (fetcherOf client 0L)
                      let expected = [ name + "0"; name + "1"; name + "2"; name + "x0"; name + "x1" ]
                      Expect.equal (valuesOf records) expected "the records"
                      Expect.equal (kafka.Log("orders", partition) |> valuesOf) expected "the log"))

          for codec in AllCodecs.List do
              testCase ("compressed batches are stored as they are: " + CompressionType.name codec.Type) (fun () ->
                  withBroker 1 (fun kafka ->
                      kafka.Topic "compressed"
                      use client = clientOf kafka "compressed" 0
                      let compressed = RecordBatch.compress codec (batch "r" 100) |> ok
                      Expect.equal (acknowledged ((producerOf client).Produce compressed)) 0L "the batch"
                      let fetched = (fetcherOf client 0L).Fetch()
                      let found = List.ofSeq fetched.RawBatches

                      match found with
                      | [ RecordSetItem.Batch(batch, _) ] -> Expect.equal batch.Crc compressed.Crc "its bytes"
                      | other -> failtestf "%O" other))

          testCase "a long poll ends as soon as there is a record" (fun () ->
              withBroker 1 (fun kafka ->
                  kafka.Topic "slow"
                  use reading = clientOf kafka "slow" 0
                  use writing = clientOf kafka "slow" 0
                  let fetcher = fetcherOf reading 0L
                  Expect.equal (fetcher.FindOffset OffsetSpec.Latest).Offset (Some 0L) "empty"
                  let watch = System.Diagnostics.Stopwatch.StartNew()
                  let writer = async {
                      do! Async.Sleep 100
                      acknowledged ((producerOf writing).Produce(batch "r" 1)) |> ignore
                  }
                  let started = Async.StartAsTask writer
                  let records = fetchUntil 1L fetcher
                  started.Wait()
                  Expect.equal (valuesOf records) [ "r0" ] "the record"
                  Expect.isLessThan watch.Elapsed (ms 10_000) "the time")) ]
