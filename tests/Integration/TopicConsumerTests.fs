/// A consumer of many partitions, on scripted brokers.
module LibKafka.Integration.TopicConsumerTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Integration.Support
open LibKafka.Integration.TopicConsumerSupport

let private turns =
    testList
        "partitions take turns"
        [ testCase "an empty partition does not hold up a full one" (fun () ->
              use cluster = new ConsumerCluster(3)

              for _ in 1..50 do
                  cluster.Append(1, 10, 1000)

              use consumer = consumerOf cluster 15_000

              addFromStart cluster consumer [ 0..2 ]

              let clock = Stopwatch.StartNew()
              let read = readWhile consumer (fun read -> total read < 500)
              Expect.equal (List.ofSeq read[1]) (cluster.Records 1) "all records"
              Expect.isLessThan clock.Elapsed (ms 10_000) "less than a long poll")

          testCase "full partitions are read in turn" (fun () ->
              use cluster = new ConsumerCluster(4)

              for partition in 0..3 do
                  for _ in 1..20 do
                      cluster.Append(partition, 10, 100)

              let settings = settingsOf 500
              let small = { settings with Fetching = { settings.Fetching with MaxBytes = 100 } }
              use consumer = new TopicConsumer(patient, cluster.Bootstrap, small)

              addFromStart cluster consumer [ 0..3 ]

              // The others are answered while an event is handled.
              let handled () =
                  let event = nextEvent consumer
                  Thread.Sleep 20
                  event.Partition.Partition

              let turns = [ for _ in 1..40 -> handled () ] |> List.countBy id |> Map.ofList
              Expect.equal (turns |> Map.keys |> List.ofSeq) [ 0..3 ] "all partitions"

              for turn in turns do
                  Expect.isGreaterThan turn.Value 4 ("turns of partition " + string turn.Key))

          testCase "200 partitions are read by one consumer, each once and in order" (fun () ->
              use cluster = new ConsumerCluster(200)

              for partition in 0..199 do
                  for _ in 1..3 do
                      cluster.Append(partition, 5)

              use consumer = consumerOf cluster 5_000

              for partition in 0..199 do
                  consumer.Add(cluster.Partition partition, Start.atOffset 0L)

              let read = readWhile consumer (fun read -> total read < 3000)

              for partition in 0..199 do
                  Expect.equal (List.ofSeq read[partition]) (cluster.Records partition) ("partition " + string partition))

          testCase "a broker that sends half of an answer and then nothing holds up no other partition" (fun () ->
              use cluster = new ConsumerCluster(3)
              cluster.Disturb(0, Disturbance.Halve)

              for partition in 0..2 do
                  cluster.Append(partition, 10, 20_000)

              let settings = { patient with CallTimeout = ms 3_000 }
              use consumer = new TopicConsumer(settings, cluster.Bootstrap, settingsOf 100)
              consumer.Add(cluster.Partition 0, Start.earliest)
              // The first half arrives.
              Expect.isNone (consumer.Poll(ms 300)) "nothing yet"
              let clock = Stopwatch.StartNew()

              addFromStart cluster consumer [ 1..2 ]

              let read = readWhile consumer (fun read -> total read < 20)
              Expect.isLessThan clock.Elapsed (ms 2_000) "before the time of the call is over"
              Expect.equal (read.Keys |> Seq.sort |> List.ofSeq) [ 1; 2 ] "the other partitions"

              match nextEvent consumer with
              | ConsumerEvent.Failed(partition, CallFailure.Fault(ClientFault.TimedOut _), 1) ->
                  Expect.equal partition.Partition 0 "the partition whose answer has no end"
              | other -> failtestf "%O" other

              let rest = readWhile consumer (fun read -> total read < 10)
              Expect.equal (List.ofSeq rest[0]) (cluster.Records 0) "and it is asked again")

          testCase "an answer that comes in pieces is received while other partitions are read" (fun () ->
              use cluster = new ConsumerCluster(2)
              cluster.Disturb(0, Disturbance.Interrupt 400)

              for partition in 0..1 do
                  for _ in 1..5 do
                      cluster.Append(partition, 10, 5_000)

              use consumer = consumerOf cluster 2_000

              addFromStart cluster consumer [ 0..1 ]

              Expect.equal (nextEvent consumer).Partition.Partition 1 "the other one first"
              let read = readWhile consumer (fun read -> not (read.ContainsKey 0) || read[0].Count < 50)
              Expect.equal (List.ofSeq read[0]) (cluster.Records 0) "all of it")

          testCase "what is appended during a long poll arrives at once" (fun () ->
              use cluster = new ConsumerCluster(2)
              use consumer = consumerOf cluster 15_000
              consumer.Add(cluster.Partition 0, Start.latest)
              consumer.Add(cluster.Partition 1, Start.latest)
              Expect.isNone (consumer.Poll(ms 100)) "nothing yet"
              cluster.Append(1, 3)
              let clock = Stopwatch.StartNew()

              match nextEvent consumer with
              | ConsumerEvent.Fetched(partition, records, _, next) ->
                  Expect.equal partition.Partition 1 "the partition"
                  Expect.equal (recordsIn records) (cluster.Records 1) "the records"
                  Expect.equal next { Offset = 3L; LastEpoch = 1 } "the next position"
              | other -> failtestf "%O" other

              Expect.isLessThan clock.Elapsed (ms 5_000) "at once") ]

let private handling =
    testList
        "an event"
        [ testCase "moves the position when it is handled, which the next poll implies" (fun () ->
              use cluster = new ConsumerCluster(1)
              cluster.Append(0, 5)
              use consumer = consumerOf cluster 50
              let partition = cluster.Partition 0
              consumer.Add(partition, Start.atOffset 0L)
              nextEvent consumer |> ignore
              Expect.equal (consumer.Position partition) (Some(FetchPosition.at 0L)) "in hand"
              Expect.isNone (consumer.Poll(ms 10)) "nothing more"
              Expect.equal (consumer.Position partition) (Some { Offset = 5L; LastEpoch = 1 }) "handled")

          testCase "is not disturbed by later ones while it is kept, and its partition is not asked" (fun () ->
              use cluster = new ConsumerCluster(3)

              for partition in 0..2 do
                  for _ in 1..10 do
                      cluster.Append(partition, 10, 200)

              let settings = settingsOf 50
              let small = { settings with Fetching = { settings.Fetching with MaxBytes = 100 } }
              use consumer = new TopicConsumer(patient, cluster.Bootstrap, small)

              addFromStart cluster consumer [ 0..2 ]

              match nextEvent consumer with
              | ConsumerEvent.Fetched(kept, records, _, next) ->
                  consumer.Keep kept
                  let read = readWhile consumer (fun read -> total read < 200)
                  Expect.isFalse (read.ContainsKey kept.Partition) "nothing of the kept partition"
                  Expect.equal (recordsIn records) (List.truncate 10 (cluster.Records kept.Partition)) "the records are still there"
                  Expect.equal (consumer.Position kept) (Some(FetchPosition.at 0L)) "it is not handled"
                  consumer.Handled kept
                  Expect.equal (consumer.Position kept) (Some next) "it is handled"
                  let rest = readWhile consumer (fun read -> total read < 90)
                  Expect.equal (List.ofSeq rest[kept.Partition]) (List.skip 10 (cluster.Records kept.Partition)) "the rest"
              | other -> failtestf "%O" other)

          testCase "is bounded in memory: over the setting nothing more is asked for until events are handled" (fun () ->
              use cluster = new ConsumerCluster(20)

              for partition in 0..19 do
                  cluster.Append(partition, 10, 3_000)

              use consumer = new TopicConsumer(patient, cluster.Bootstrap, { settingsOf 50 with MaxBytesInHand = 200_000L })

              addFromStart cluster consumer [ 0..19 ]

              let handled = HashSet<int>()
              let kept = Queue<TopicPartition>()
              let mutable full = 0
              let patience = Stopwatch.StartNew()

              while handled.Count < 20 && patience.Elapsed < ms 20_000 do
                  match consumer.Poll(ms 20) with
                  | Some(ConsumerEvent.Fetched(partition, _, _, _)) ->
                      Expect.isTrue (handled.Add partition.Partition) "each once"
                      consumer.Keep partition
                      kept.Enqueue partition
                      Expect.isLessThan consumer.BytesInHand 280_000L "the bound, and one response more"
                  | Some other -> failtestf "%O" other
                  | None when consumer.BytesInHand >= 200_000L ->
                      full <- full + 1
                      consumer.Handled(kept.Dequeue())
                  | None -> ()

              Expect.isGreaterThan full 0 "there was no room"
              Expect.equal handled.Count 20 "all partitions")

          testCase "of a slow handler delays the others, but loses none of their answers" (fun () ->
              use cluster = new ConsumerCluster(5)

              for partition in 0..4 do
                  for _ in 1..3 do
                      cluster.Append(partition, 10, 100)

              let fetches = ref 0

              let settings =
                  { patient with
                      CallTimeout = ms 1_000
                      Observe = fun exchange -> if exchange.Api = ApiKey.Fetch && exchange.Fault.IsSome then incr fetches }

              use consumer = new TopicConsumer(settings, cluster.Bootstrap, settingsOf 50)

              addFromStart cluster consumer [ 0..4 ]

              let read = List<int64 * string>()
              let patience = Stopwatch.StartNew()

              while read.Count < 150 && patience.Elapsed < ms 20_000 do
                  match consumer.Poll(ms 100) with
                  | Some(ConsumerEvent.Fetched(_, records, _, _)) ->
                      // The first handlers take longer than a call may.
                      if read.Count < 20 then Thread.Sleep 1_300

                      read.AddRange(recordsIn records)
                  | Some other -> failtestf "%O" other
                  | None -> ()

              Expect.equal read.Count 150 "all records"
              Expect.equal fetches.Value 0 "no fetch has failed")

          testCase "costs no memory for each record once the consumer is warm" (fun () ->
              let perEvent (records: int) =
                  use cluster = new ConsumerCluster(2)

                  for partition in 0..1 do
                      for _ in 1..60 do
                          cluster.Append(partition, records, 100)

                  let settings = settingsOf 50
                  let small = { settings with Fetching = { settings.Fetching with MaxBytes = 100 } }
                  use consumer = new TopicConsumer(patient, cluster.Bootstrap, small)
                  consumer.Add(cluster.Partition 0, Start.earliest)
                  consumer.Add(cluster.Partition 1, Start.earliest)

                  let read (events: int) =
                      let mutable count = 0

                      for _ in 1..events do
                          match nextEvent consumer with
                          | ConsumerEvent.Fetched(_, records, _, _) ->
                              for record in records do
                                  count <- count + record.Value.Length
                          | other -> failtestf "%O" other

                      count

                  read 20 |> ignore
                  let before = GC.GetAllocatedBytesForCurrentThread()
                  read 80 |> ignore
                  float (GC.GetAllocatedBytesForCurrentThread() - before) / 80.0

              let few, many = perEvent 10, perEvent 1000
              Expect.isLessThan (many - few) 1000.0 "as much for 1,000 records as for 10"
              Expect.isLessThan many 20_000.0 "bytes for each event") ]

let private changes =
    testList
        "between and during polls"
        [ testCase "a partition can be removed while its event is in hand, and added again" (fun () ->
              use cluster = new ConsumerCluster(2)
              cluster.Append(0, 5)
              cluster.Append(1, 5)
              use consumer = consumerOf cluster 50
              let partition = cluster.Partition 0
              consumer.Add(partition, Start.earliest)

              match nextEvent consumer with
              | ConsumerEvent.Fetched(_, records, _, _) ->
                  consumer.Remove partition
                  Expect.isEmpty consumer.Partitions "it is gone"
                  consumer.Add(cluster.Partition 1, Start.earliest)
                  Expect.equal (recordsIn records) (cluster.Records 0) "its records stay valid"
                  consumer.Add(partition, Start.atOffset 3L)
                  let read = readWhile consumer (fun read -> total read < 7)
                  Expect.equal (List.ofSeq read[0]) (List.skip 3 (cluster.Records 0)) "from the new start"
                  Expect.equal (List.ofSeq read[1]) (cluster.Records 1) "the other"
              | other -> failtestf "%O" other)

          testCase "a seek while a fetch is in flight drops its answer" (fun () ->
              use cluster = new ConsumerCluster(1)
              cluster.Append(0, 5)
              use consumer = consumerOf cluster 300
              let partition = cluster.Partition 0
              consumer.Add(partition, Start.latest)
              Expect.isNone (consumer.Poll(ms 50)) "nothing yet"
              consumer.Seek(partition, Start.atOffset 2L)
              cluster.Append(0, 5)
              let read = readWhile consumer (fun read -> total read < 8)
              Expect.equal (List.ofSeq read[0]) (List.skip 2 (cluster.Records 0)) "from the seek on, each once")

          testCase "a seek while an event is in hand counts, and not the event" (fun () ->
              use cluster = new ConsumerCluster(1)
              cluster.Append(0, 5)
              use consumer = consumerOf cluster 50
              let partition = cluster.Partition 0
              consumer.Add(partition, Start.earliest)
              nextEvent consumer |> ignore
              consumer.Seek(partition, Start.atOffset 1L)
              let read = readWhile consumer (fun read -> total read < 4)
              Expect.equal (List.ofSeq read[0]) (List.skip 1 (cluster.Records 0)) "from the seek on")

          testCase "a paused partition is silent, and nothing is lost when it resumes" (fun () ->
              use cluster = new ConsumerCluster(2)
              use consumer = consumerOf cluster 200
              consumer.Add(cluster.Partition 0, Start.atOffset 0L)
              consumer.Add(cluster.Partition 1, Start.atOffset 0L)
              Expect.isNone (consumer.Poll(ms 50)) "nothing yet"
              consumer.Pause(cluster.Partition 0)
              cluster.Append(0, 5)
              cluster.Append(1, 5)
              let read = readWhile consumer (fun read -> total read < 5)
              Expect.isFalse (read.ContainsKey 0) "the paused one"
              Expect.isNone (consumer.Poll(ms 300)) "silent"
              consumer.Resume(cluster.Partition 0)
              let rest = readWhile consumer (fun read -> total read < 5)
              Expect.equal (List.ofSeq rest[0]) (cluster.Records 0) "its records")

          testCase "a partition is added once, and a seek needs a partition" (fun () ->
              use cluster = new ConsumerCluster(1)
              use consumer = consumerOf cluster 50
              consumer.Add(cluster.Partition 0, Start.earliest)
              Expect.throwsT<ArgumentException> (fun () -> consumer.Add(cluster.Partition 0, Start.earliest)) "twice"
              Expect.throwsT<ArgumentException> (fun () -> consumer.Seek(cluster.Partition 7, Start.earliest)) "not there"
              consumer.Remove(cluster.Partition 7)) ]

[<Tests>]
let tests = testList "topic consumer" [ turns; handling; changes ]
