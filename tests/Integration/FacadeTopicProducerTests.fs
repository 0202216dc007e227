/// Producing to a whole topic through the façade.
module LibKafka.Integration.FacadeTopicProducerTests

open System
open System.Collections.Generic
open System.Threading
open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Records
open LibKafka.Wire
open LibKafka.Integration.FacadeSupport
open LibKafka.Integration.TopicProducerSupport

let private brokersOf (cluster: TopicCluster) : BrokerAddress list =
    [ for broker in cluster.Brokers -> BrokerAddress(broker.Address.Host, broker.Address.Port) ]

/// Small batches, which are sent soon, and sent again soon and often enough.
let private eager =
    TopicProducerOptions(
        Batches = BatchCollectorOptions(MaxBatchBytes = 400, MaxBufferedBytes = 4_000L, Linger = TimeSpan.FromMilliseconds 1.0),
        Retry =
            RetryPolicy<ProduceResult>(
                (fun result -> result.IsRetriable),
                Attempts = 20,
                FirstDelay = TimeSpan.FromMilliseconds 2.0,
                MaxDelay = TimeSpan.FromMilliseconds 5.0
            )
    )

let private openOn (cluster: TopicCluster) (options: TopicProducerOptions) : TopicProducer =
    TopicProducer.Open(KafkaClientOptions(brokersOf cluster), "t", options).ThrowIfError()

/// A producer for a topic with so many partitions, on brokers that do not disturb unless `disturb` says so.
let private producing (partitions: int) disturb (options: TopicProducerOptions) (test: TopicCluster -> TopicProducer -> unit) =
    use cluster = new TopicCluster("t", partitions, 2, disturb)
    use producer = openOn cluster options
    test cluster producer
    Expect.isEmpty cluster.Failures "every request could be read"

let private now = Nullable<DateTimeOffset>()

let private add (producer: TopicProducer) (key: string) (value: string) : RecordTicket =
    producer.Add(text key, text value, now, ReadOnlySpan.Empty).Ticket

let private ofType<'Event when 'Event :> ProducerEvent> (events: ProducerEvent seq) : 'Event list =
    events
    |> Seq.choose (fun event ->
        match event with
        | :? 'Event as it -> Some it
        | _ -> None)
    |> List.ofSeq

let private only<'Event when 'Event :> ProducerEvent> (events: ProducerEvent seq) : 'Event =
    Expect.hasLength events 1 "one event"
    ofType<'Event> events |> List.exactlyOne

/// A cluster, and a transaction that has an identity.
let private withTransaction (test: TopicCluster -> TransactionClient -> unit) =
    use cluster = new TopicCluster("t", 2, 1, calm)
    use transaction = new TransactionClient(KafkaClientOptions(brokersOf cluster), "mine")
    transaction.InitProducerId(minute).ThrowIfError() |> ignore
    test cluster transaction

let private adding =
    testList
        "adds"
        [ testCase "each record, which is in the log where its ticket says" (fun () ->
              producing 5 calm eager (fun cluster producer ->
                  Expect.equal (producer.Topic, producer.Partitions) ("t", 5) "the topic"
                  let tickets = Dictionary<RecordTicket, string>()
                  let events = List<ProducerEvent>()

                  for number in 1..100 do
                      let mutable added = producer.Add(text ("key" + string (number % 17)), text (string number), now, ReadOnlySpan.Empty)

                      while added.Status = AddStatus.Full do
                          events.AddRange(producer.Poll minute)
                          added <- producer.Add(text ("key" + string (number % 17)), text (string number), now, ReadOnlySpan.Empty)

                      tickets.Add(added.Ticket, string number)

                  events.AddRange(producer.Flush minute)
                  Expect.equal (producer.Outstanding, producer.BufferedBytes) (0L, 0L) "all is reported"
                  let delivered = ofType<BatchDelivered> events
                  Expect.equal delivered.Length events.Count "all is delivered"

                  for entry in tickets do
                      let batch = delivered |> List.filter (fun it -> it.BatchNumber = entry.Key.BatchNumber) |> List.exactlyOne
                      Expect.equal batch.Partition (TopicPartition("t", entry.Key.Partition)) "the partition"
                      let log = logOf cluster entry.Key.Partition
                      Expect.contains log (batch.OffsetOf entry.Key, entry.Value) "the record"

                  let other = RecordTicket(0, 999L, 0)
                  Expect.throwsT<ArgumentException> (fun () -> delivered.Head.OffsetOf other |> ignore) "a ticket of another batch"))

          testCase "keys, values, null, headers and timestamps as they are" (fun () ->
              producing 1 calm eager (fun cluster producer ->
                  let headers = [| KafkaHeader("a", text "1"); KafkaHeader("a", Unchecked.defaultof<byte[]>) |]
                  let moment = DateTimeOffset.FromUnixTimeMilliseconds 1_700_000_000_000L
                  producer.Add(text "k", text "v", Nullable moment, ReadOnlySpan headers) |> ignore
                  producer.Add(NullableSpan.Null, NullableSpan.Null, 7L, ReadOnlySpan.Empty) |> ignore
                  producer.Add(0, text "k", text "", 8L, ReadOnlySpan(headers, 0, 1)) |> ignore
                  let before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()
                  producer.Add(0, text "k", text "now", now, ReadOnlySpan.Empty) |> ignore
                  let life = (only<BatchDelivered>(producer.Flush minute)).Life
                  let records = RecordBatch.toList Reading.standard (cluster.Log.Batches("t", 0) |> List.exactlyOne)

                  match records with
                  | Ok [ first; second; third; last ] ->
                      Expect.equal (first.Key, first.Value) (ValueSome(Bytes.ofString "k"), ValueSome(Bytes.ofString "v")) "content"
                      Expect.equal first.Timestamp 1_700_000_000_000L "its time"
                      Expect.equal (first.Headers |> List.map _.Value) [ ValueSome(Bytes.ofString "1"); ValueNone ] "headers"
                      Expect.equal (second.Key, second.Value, second.Timestamp) (ValueNone, ValueNone, 7L) "null"
                      Expect.equal (third.Value, third.Headers.Length) (ValueSome(Bytes.ofString ""), 1) "empty"
                      Expect.isGreaterThanOrEqual last.Timestamp before "the present time"
                  | other -> failtestf "%O" other

                  Expect.equal (life.Records, life.Attempts.Count) (4, 1) "the life of the batch"
                  Expect.isTrue (life.Sent.HasValue && not life.Compressed.HasValue) "it was sent without compression"
                  Expect.isGreaterThanOrEqual life.Ended life.Sent.Value "and then acknowledged"
                  Expect.equal life.Attempts[0].Api ApiKey.Produce "the attempt"))

          testCase "nothing if the record is too large or the buffer is full" (fun () ->
              let batches = BatchCollectorOptions(MaxBatchBytes = 400, MaxBufferedBytes = 400L, Linger = Timeout.InfiniteTimeSpan)

              producing 1 calm (TopicProducerOptions(Batches = batches)) (fun _ producer ->
                  let large = producer.Add(text "k", Array.zeroCreate<byte> 400, now, ReadOnlySpan.Empty)
                  Expect.equal large.Status AddStatus.TooLarge "too large"
                  Expect.isFalse large.IsAdded "not added"
                  Expect.throwsT<InvalidOperationException> (fun () -> large.Ticket |> ignore) "no ticket"
                  Expect.stringContains (large.ToString()) "larger than a batch may be" "why"
                  Expect.isTrue (producer.Add(text "k", Array.zeroCreate<byte> 200, now, ReadOnlySpan.Empty).IsAdded) "added"
                  Expect.equal (producer.Add(text "k", Array.zeroCreate<byte> 200, now, ReadOnlySpan.Empty).Status) AddStatus.Full "full"
                  Expect.hasLength (producer.Poll minute) 1 "the poll makes room"
                  Expect.isTrue (producer.Add(text "k", Array.zeroCreate<byte> 200, now, ReadOnlySpan.Empty).IsAdded) "added"))

          testCase "to the partition that the options choose" (fun () ->
              let byLength = ChoosePartition(fun key partitions -> if key.IsNull then Partitioning.Any else key.Length % partitions)
              let batches = BatchCollectorOptions(ChoosePartition = byLength)

              producing 3 calm (TopicProducerOptions(Batches = batches)) (fun _ producer ->
                  Expect.equal (add producer "kk" "v").Partition 2 "by the function"
                  Expect.equal (producer.Add(1, text "kk", text "v", now, ReadOnlySpan.Empty).Ticket.Partition) 1 "by the caller"
                  Expect.throwsT<ArgumentOutOfRangeException>
                      (fun () -> producer.Add(3, text "kk", text "v", now, ReadOnlySpan.Empty) |> ignore)
                      "no such partition")

              let ignoring = BatchCollectorOptions(ChoosePartition = Partitioning.IgnoringKeys)

              producing 3 calm (TopicProducerOptions(Batches = ignoring)) (fun _ producer ->
                  let partitions = [ for key in [ "a"; "b"; "c"; "d" ] -> (add producer key "v").Partition ] |> List.distinct
                  Expect.hasLength partitions 1 "a batch at a time"))

          testCase "without allocating" (fun () ->
              producing 2 calm (TopicProducerOptions()) (fun _ producer ->
                  let key, value = text "key", Array.zeroCreate<byte> 10
                  let headers = [| KafkaHeader("trace", text "1") |]

                  let addMany () =
                      for _ in 1..1000 do
                          producer.Add(key, value, now, ReadOnlySpan.Empty) |> ignore
                          producer.Add(key, value, 1L, ReadOnlySpan headers) |> ignore

                  let fill () =
                      addMany ()
                      producer.Flush minute |> ignore

                  fill ()
                  fill ()
                  let before = GC.GetAllocatedBytesForCurrentThread()
                  addMany ()
                  let allocated = GC.GetAllocatedBytesForCurrentThread() - before
                  Expect.isLessThan allocated 1_000L "bytes for 2,000 records")) ]

let private reporting =
    testList
        "reports"
        [ testCase "a batch that the broker refuses" (fun () ->
              producing 1 (onProduce [ 1 ] (refusing ErrorCode.MessageTooLarge)) eager (fun _ producer ->
                  let ticket = add producer "k" "v"
                  let undelivered = only<BatchUndelivered>(producer.Flush minute)
                  Expect.equal undelivered.BatchNumber ticket.BatchNumber "the batch"
                  Expect.equal (undelivered.Reason, undelivered.MayBeInLog) (UndeliveredReason.NotProduced, false) "why"
                  let fault = there undelivered.Fault
                  Expect.equal (fault.Kind, fault.ErrorCode) (KafkaFaultKind.BrokerError, ErrorCode.MessageTooLarge) "the code"
                  Expect.equal (Option.ofNullable fault.Broker) (Option.ofNullable undelivered.Life.Attempts[0].Broker) "the broker"
                  Expect.stringContains undelivered.Message "MESSAGE_TOO_LARGE" "the text"
                  Expect.stringContains (undelivered.ToString()) "was not delivered" "the text of the event"
                  Expect.equal undelivered.Records.Count 1 "the records"))

          testCase "a batch whose answers are lost" (fun () ->
              let options = TopicProducerOptions(Guarantee = DeliveryGuarantee.Plain, Retry = RetryPolicy.Produce)

              producing 1 (onProduce [ 1 ] (losing Act.Close)) options (fun _ producer ->
                  add producer "k" "v" |> ignore
                  let undelivered = only<BatchUndelivered>(producer.Flush minute)
                  Expect.equal (undelivered.Reason, undelivered.MayBeInLog) (UndeliveredReason.NotProduced, true) "why"
                  Expect.equal (there undelivered.Fault).Kind KafkaFaultKind.Closed "the fault"
                  Expect.isFalse producer.Identity.HasValue "a plain producer has no identity"))

          testCase "a batch that the codec cannot compress" (fun () ->
              let failing =
                  { new ICompressionCodec with
                      member _.Type = CompressionType.Gzip
                      member _.Compress(_, _) = invalidOp "no memory"
                      member _.Decompress(_, _) = () }

              producing 1 calm (TopicProducerOptions(Codec = failing)) (fun _ producer ->
                  add producer "k" "v" |> ignore
                  let undelivered = only<BatchUndelivered>(producer.Flush minute)
                  Expect.equal undelivered.Reason UndeliveredReason.NotCompressed "why"
                  Expect.equal (there undelivered.Fault).Kind KafkaFaultKind.CodecFailed "the fault"))

          testCase "compressed batches, which attempts they took, and that the identity has changed" (fun () ->
              let options = TopicProducerOptions(Batches = eager.Batches, Retry = eager.Retry, Codec = gzip, CompressionThreads = 2)
              let lost = refusing ErrorCode.OutOfOrderSequenceNumber

              producing 1 (onProduce [ 2 ] lost) options (fun cluster producer ->
                  add producer "k" "1" |> ignore
                  Expect.isTrue ((only<BatchDelivered>(producer.Flush minute)).Life.Compressed.HasValue) "compressed"
                  add producer "k" "2" |> ignore
                  let events = producer.Flush minute
                  let change = ofType<ProducerIdentityChanged> events |> List.exactlyOne
                  Expect.equal (Nullable change.Now) (change.Before.NextEpoch()) "the next epoch"
                  Expect.equal producer.Identity (Nullable change.Before) "the identity at first"
                  Expect.stringContains change.Reason "OUT_OF_ORDER_SEQUENCE_NUMBER" "why"
                  let delivered = ofType<BatchDelivered> events |> List.exactlyOne
                  Expect.equal [ for attempt in delivered.Life.Attempts -> attempt.Attempt ] [ 1; 2 ] "attempts"
                  Expect.equal
                      [ for batch in cluster.Log.Batches("t", 0) -> batch.Compression ]
                      [ CompressionType.Gzip; CompressionType.Gzip ]
                      "the log"))

          testCase "what is not delivered when it is closed, or disposed of" (fun () ->
              producing 1 calm eager (fun cluster producer ->
                  add producer "k" "v" |> ignore
                  let closed = only<BatchUndelivered>(producer.Close())
                  Expect.equal (closed.Reason, closed.MayBeInLog, closed.Fault) (UndeliveredReason.Closed, false, null) "why"
                  Expect.isEmpty (producer.Close()) "closed already"
                  Expect.throwsT<ObjectDisposedException> (fun () -> add producer "k" "v" |> ignore) "no more"
                  let unreported = List<ProducerEvent>()
                  let other = openOn cluster (TopicProducerOptions(Unreported = Action<ProducerEvent> unreported.Add))
                  add other "k" "v" |> ignore
                  (other :> IDisposable).Dispose()
                  let reported = only<BatchUndelivered> unreported
                  Expect.equal reported.Reason UndeliveredReason.Closed "to the options"))

          testCase "nothing within the time, or until it is cancelled" (fun () ->
              producing 1 (onPartition 0 (fun _ _ -> [])) eager (fun _ producer ->
                  add producer "k" "v" |> ignore
                  Expect.isEmpty (producer.Flush moment) "in time"
                  use cancellation = new CancellationTokenSource(moment)
                  Expect.isEmpty (producer.Poll(Timeout.InfiniteTimeSpan, cancellation.Token)) "cancelled"
                  Expect.equal producer.Outstanding 1L "it is still on its way")) ]

let private opening =
    testList
        "is opened"
        [ testCase "if the topic exists, and says why otherwise" (fun () ->
              scripted Script.unexpected (fun options ->
                  let result = TopicProducer.Open(options, "missing")
                  Expect.equal (there result.Fault).Kind KafkaFaultKind.NoLeader "the fault"
                  Expect.isTrue result.IsRetriable "the topic may be about to be created"
                  Expect.isNonEmpty result.Exchanges "the request"
                  Expect.throwsT<KafkaException> (fun () -> result.ThrowIfError() |> ignore) "thrown"
                  use cancelled = new CancellationTokenSource()
                  cancelled.Cancel()
                  let result = TopicProducer.Open(options, "missing", null, cancelled.Token)
                  Expect.equal (there result.Fault).Kind KafkaFaultKind.Cancelled "cancelled"))

          testCase "with options that can be used" (fun () ->
              scripted Script.unexpected (fun options ->
                  let openWith (producing: TopicProducerOptions) () = TopicProducer.Open(options, topic, producing) |> ignore
                  let unanswered = TopicProducerOptions(Producing = ProducerOptions(Acks = Acks.None))

                  let throwsArgument (call: unit -> unit) (what: string) =
                      Expect.throwsC call (fun error ->
                          match error with
                          | :? ArgumentException as error -> Expect.equal error.ParamName "producerOptions" what
                          | other -> failtestf "%O" other)

                  throwsArgument (openWith unanswered) "nothing can be reported"
                  let weak = TopicProducerOptions(Producing = ProducerOptions(Acks = Acks.Leader))
                  throwsArgument (openWith weak) "an idempotent producer needs all acks"
                  let small = TopicProducerOptions(Batches = BatchCollectorOptions(MaxBufferedBytes = 1_000L))
                  throwsArgument (openWith small) "smaller than a batch"
                  use transaction = new TransactionClient(options, "id")
                  let early = TopicProducerOptions(Guarantee = DeliveryGuarantee.InTransaction transaction)
                  Expect.throwsT<InvalidOperationException> (openWith early) "no identity yet"

                  for change in
                      [ fun () -> BatchCollectorOptions(MaxBatchBytes = 61) |> ignore
                        fun () -> BatchCollectorOptions(Linger = -moment) |> ignore
                        fun () -> TopicProducerOptions(CompressionThreads = 0) |> ignore
                        fun () -> TopicProducerOptions(MetadataAge = TimeSpan.Zero) |> ignore ] do
                      Expect.throwsT<ArgumentOutOfRangeException> change "out of range"))

          testCase "with the defaults of the core" (fun () ->
              let options, core = TopicProducerOptions(), Topics.TopicProducerSettings.standard
              Expect.equal options.Batches.MaxBatchBytes core.Batches.MaxBatchBytes "batch"
              Expect.equal options.Batches.MaxBufferedBytes core.Batches.MaxBufferedBytes "buffer"
              Expect.equal (options.Batches.Linger, options.MetadataAge) (core.Batches.Linger, core.MetadataAge) "times"
              Expect.equal (options.CompressionThreads, options.MoveKeyless) (core.CompressionThreads, core.MoveKeyless) "the rest"
              Expect.isTrue (isNull options.Codec && core.Codec.IsNone) "no codec"
              Expect.isTrue (options.Guarantee = DeliveryGuarantee.Idempotent && core.Guarantee.IsIdempotent) "guarantee"
              Expect.equal options.Producing (ProducerOptions()) "producing"
              let retry, core = options.Retry, core.Retry
              Expect.equal (retry.Attempts, retry.TimeLimit) (core.Attempts, core.TimeLimit) "attempts"
              Expect.equal (retry.FirstDelay, retry.MaxDelay) (core.FirstDelay, core.MaxDelay) "delays"
              Expect.equal (retry.Factor, retry.Jitter) (core.Factor, core.Jitter) "growth")

          testCase "in a transaction, which it adds its partitions to" (fun () ->
              withTransaction (fun cluster transaction ->
                  use producer = openOn cluster (TopicProducerOptions(Guarantee = DeliveryGuarantee.InTransaction transaction))

                  for number in 1..20 do
                      add producer ("key" + string number) "v" |> ignore

                  Expect.equal (producer.Flush(minute).Count) 2 "both partitions"
                  transaction.Commit().ThrowIfError() |> ignore
                  Expect.all (cluster.Log.Batches("t", 0)) _.IsTransactional "every batch is part of the transaction")) ]

let private collecting =
    testList
        "collects into batches"
        [ testCase "which can be taken, released and forgotten" (fun () ->
              let options = BatchCollectorOptions(MaxBatchBytes = 200, MaxBufferedBytes = 600L, Linger = Timeout.InfiniteTimeSpan)
              let collector = BatchCollector(options, 2)
              let add (partition: int) = collector.Add(partition, text "key", Array.zeroCreate<byte> 50, 1L, ReadOnlySpan.Empty)
              Expect.equal (add 0).Ticket (RecordTicket(0, 0L, 0)) "the first record"
              Expect.equal (add 0).Ticket (RecordTicket(0, 0L, 1)) "the second"
              Expect.isNull (collector.TryTake()) "the batch is not full"
              Expect.equal (add 1).Ticket (RecordTicket(1, 1L, 0)) "another partition"
              Expect.equal (add 0).Ticket (RecordTicket(0, 2L, 0)) "the next batch"
              let full = there (collector.TryTake())
              Expect.equal (full.Partition, full.Number, full.Batch.Count, full.IsMovable) (0, 0L, 2, false) "the full one"
              let before = collector.BufferedBytes
              collector.Release full
              Expect.equal collector.BufferedBytes (before - int64 full.Batch.SizeInBytes) "its bytes do not count"
              Expect.throwsT<InvalidOperationException> (fun () -> collector.Release full) "released already"
              collector.Flush TimeSpan.Zero
              let flushed = there (collector.TryTake 1)
              collector.Forget flushed
              Expect.equal (flushed.Batch.Count, collector.BatchesBegun) (1, 3L) "it stays valid"
              Expect.isNull (collector.TryTake 1) "there is no other"
              Expect.equal collector.NextDue Timeout.InfiniteTimeSpan "none will linger")

          testCase "for more partitions later, and for those that are available" (fun () ->
              let collector = BatchCollector(BatchCollectorOptions(), 1)
              collector.Partitions <- 3

              for partition in 0..1 do
                  collector.SetAvailable(partition, false)

              Expect.equal [ for partition in 0..2 -> collector.IsAvailable partition ] [ false; false; true ] "availability"
              let added = collector.Add(NullableSpan.Null, text "v", DateTimeOffset.UtcNow, ReadOnlySpan.Empty)
              Expect.equal added.Ticket.Partition 2 "the one that is available"
              Expect.throwsT<ArgumentOutOfRangeException> (fun () -> collector.Partitions <- 0) "none") ]

[<Tests>]
let tests = testList "façade, topic producer" [ adding; reporting; opening; collecting ]
