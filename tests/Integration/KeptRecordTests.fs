/// Records that are read after their memory was given back: an exception says so, and no other bytes are shown.
module LibKafka.Integration.KeptRecordTests

open System
open System.Runtime.InteropServices
open System.Text
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Testing
open LibKafka.Compression
open LibKafka.Integration.Support

/// What a program may keep of an event, each by name and with a function that reads it.
type private Views = (string * (unit -> string)) list

/// An event with records. Opening a compressed batch again uses its buffer again, so the records are read only at the end.
[<NoEquality; NoComparison>]
type private Held = { Views: Views; Records: unit -> string }

/// A consumer of one partition.
[<NoEquality; NoComparison>]
type private Reader =
    {
        /// Polls until there are records.
        Next: unit -> Held
        /// Polls once, for nothing.
        Poll: unit -> unit
        Keep: unit -> unit
        Handled: unit -> unit
        Close: unit -> unit
    }

let private partition: TopicPartition = { Topic = "orders"; Partition = 0 }
let private textOf (memory: ReadOnlyMemory<byte>) = Encoding.UTF8.GetString memory.Span

let private viewsOf (record: Record) : Views =
    let mutable headers = record.Headers.GetEnumerator()
    Expect.isTrue (headers.MoveNext()) "it has a header"
    let header = headers.Current
    let key, value, name, content = record.KeyMemory, record.ValueMemory, header.KeyMemory, header.ValueMemory

    [ "the record's key", (fun () -> Encoding.UTF8.GetString record.Key.Span)
      "the record's value", (fun () -> Encoding.UTF8.GetString record.Value.Span)
      "the record's headers", (fun () -> record.Headers.ToList() |> List.map string |> String.concat "")
      "the record's text", record.ToString
      "the record's attributes", (fun () -> string record.Attributes)
      "a slice of the record", (fun () -> textOf record.ValueMemory.Value)
      "the key", (fun () -> textOf key.Value)
      "the value", (fun () -> textOf value.Value)
      "a part of the value", (fun () -> textOf (value.Value.Slice(1, 3)))
      "the header", header.ToString
      "the header's name", (fun () -> header.Name)
      "the bytes of the header's name", (fun () -> textOf name)
      "the header's value", (fun () -> textOf content.Value) ]

let private viewsOfBatch (batch: RecordBatch) : Views =
    [ "the batch", batch.ToString
      "the batch's bytes", (fun () -> Bytes.toHex batch.Bytes)
      "the batch's records", (fun () -> batch.Payload.ToString()) ]

let private heldIn (records: FetchedRecords) (fetched: Fetched) : Held =
    let mutable found = records.GetEnumerator()
    Expect.isTrue (found.MoveNext()) "there is a record"
    let raw = fetched.RawRecords

    let batches =
        [ for item in fetched.RawBatches do
              match item with
              | RecordSetItem.Batch(batch, _) -> yield! viewsOfBatch batch
              | other -> failtestf "%O" other ]

    { Views = viewsOf found.Current @ batches @ [ "all bytes", (fun () -> Bytes.toHex raw) ]
      Records = fun () -> FetchedRecords.toList records |> ok |> List.map string |> String.concat "; " }

let private heldInFacade (event: LibKafka.RecordsFetched) : Held =
    let mutable found = event.Records.GetEnumerator()
    Expect.isTrue (found.MoveNext()) "there is a record"
    let raw = event.Result.RawRecords

    let batches =
        [ for item in event.Result.Batches do
              yield! viewsOfBatch (FacadeSupport.there item.Batch) ]

    let readAgain () =
        let shown = StringBuilder()

        for record in event.Records do
            shown.Append(record.ToString()) |> ignore

        shown.ToString()

    { Views = viewsOf found.Current @ batches @ [ "all bytes", (fun () -> textOf raw) ]; Records = readAgain }

let private reading (codecs: CompressionCodecs) (buffer: CodecBuffer voption) : ConsumerSettings =
    { ConsumerSettings.standard with
        // A batch at a time.
        Fetching = { FetcherSettings.standard with MaxBytes = 1; MaxWait = ms 50 }
        Reading = { Reading.withCodecs codecs with Buffer = buffer } }

let private readingInFacade () : LibKafka.TopicConsumerOptions =
    LibKafka.TopicConsumerOptions(
        Fetching = LibKafka.FetcherOptions(MaxBytes = 1, MaxWait = ms 50),
        Reading = LibKafka.RecordReadOptions(Codecs = AllCodecs.List),
        Buffer = CodecBuffer()
    )

let rec private awaitEvent (poll: unit -> 'Event option) (choose: 'Event -> 'Held option) : 'Held =
    match poll () |> Option.bind choose with
    | Some held -> held
    | None -> awaitEvent poll choose

let private topicConsumer (settings: ConsumerSettings) (_: TestBroker) (bootstrap: Bootstrap) : Reader =
    let consumer = new TopicConsumer(patient, bootstrap, settings)
    consumer.Add(partition, Start.earliest)

    let choose event =
        match event with
        | ConsumerEvent.Fetched(_, records, fetched, _) -> Some(heldIn records fetched)
        | other -> failtestf "%O" other

    { Next = fun () -> awaitEvent (fun () -> consumer.Poll(ms 100)) choose
      Poll = fun () -> consumer.Poll(ms 1) |> ignore
      Keep = fun () -> consumer.Keep partition
      Handled = fun () -> consumer.Handled partition
      Close = (consumer :> IDisposable).Dispose }

let private groupConsumer (settings: ConsumerSettings) (_: TestBroker) (bootstrap: Bootstrap) : Reader =
    let consumer = new GroupConsumer(patient, bootstrap, GroupSettings.make "group" [ partition.Topic ], settings)

    let choose event =
        match event with
        | GroupEvent.Read(ConsumerEvent.Fetched(_, records, fetched, _)) -> Some(heldIn records fetched)
        | _ -> None

    { Next = fun () -> awaitEvent (fun () -> consumer.Poll(ms 100)) choose
      Poll = fun () -> consumer.Poll(ms 1) |> ignore
      Keep = fun () -> consumer.Keep partition
      Handled = fun () -> consumer.Handled partition
      Close = fun () -> consumer.Close() |> ignore }

let private facadePartition = LibKafka.TopicPartition(partition.Topic, partition.Partition)

let private fetchedIn (event: LibKafka.GroupEvent) : Held option =
    match event with
    | :? LibKafka.RecordsFetched as fetched -> Some(heldInFacade fetched)
    | _ -> None

let private facadeTopicConsumer (kafka: TestBroker) (_: Bootstrap) : Reader =
    let consumer = new LibKafka.TopicConsumer(LibKafka.KafkaClientOptions kafka.Bootstrap, readingInFacade ())
    consumer.Add(facadePartition, LibKafka.Protocol.OffsetSpec.Earliest)

    { Next = fun () -> awaitEvent (fun () -> consumer.Poll(ms 100) |> Option.ofObj) fetchedIn
      Poll = fun () -> consumer.Poll(ms 1) |> ignore
      Keep = fun () -> consumer.Keep facadePartition
      Handled = fun () -> consumer.Handled facadePartition
      Close = consumer.Dispose }

let private facadeGroupConsumer (kafka: TestBroker) (_: Bootstrap) : Reader =
    let group = LibKafka.GroupConsumerOptions("group", [ partition.Topic ])
    let consumer = new LibKafka.GroupConsumer(LibKafka.KafkaClientOptions kafka.Bootstrap, group, readingInFacade ())

    { Next = fun () -> awaitEvent (fun () -> consumer.Poll(ms 100) |> Option.ofObj) fetchedIn
      Poll = fun () -> consumer.Poll(ms 1) |> ignore
      Keep = fun () -> consumer.Keep facadePartition
      Handled = fun () -> consumer.Handled facadePartition
      Close = fun () -> consumer.Close() |> ignore }

/// A batch of one record, whose parts name its number.
let private numbered (codec: ICompressionCodec option) (number: int) : RecordBatch =
    let record: RecordData =
        { Offset = 0L
          Timestamp = start
          Key = text $"key {number}"
          Value = text $"value {number}"
          Headers = [ RecordHeader.create $"name {number}" (Bytes.ofString $"header {number}") ] }

    match codec with
    | Some codec -> batchOf [ record ] |> RecordBatch.compress codec |> ok
    | None -> batchOf [ record ]

/// A broker whose log has so many batches.
let private serving (codec: ICompressionCodec option) (batches: int) (test: TestBroker -> Bootstrap -> unit) =
    use kafka = TestBroker.Start()
    kafka.Topic partition.Topic
    let bootstrap = Bootstrap.parse kafka.Bootstrap |> ok
    use client = new PartitionClient(patient, bootstrap, partition)
    let producer = new PartitionProducer(client, ProducerSettings.standard)

    for number in 1..batches do
        let batch = numbered codec number
        RetryPolicy.standard<Produced>.Run(fun call -> producer.Produce(batch, call)) |> acknowledged |> ignore

    test kafka bootstrap

/// What is shown while it is valid.
let private shown (views: Views) : (string * string) list = views |> List.map (fun (what, read) -> what, read ())

let private refuses (time: string) (views: Views) =
    for what, read in views do
        try
            failtestf "%s, %s still shows %s" time what (read ())
        with :? InvalidOperationException as error ->
            for part in [ "These bytes of orders-0 are no longer valid"; "the next Poll"; "Handled after Keep"; "ToArray" ] do
                Expect.stringContains error.Message part what

let private allOf (held: Held) : Views = held.Views @ [ "the records", held.Records ]

// Whether an event shows this batch.
let private isOf (number: int) (shown: (string * string) list) =
    let text = shown |> Map.ofList
    Expect.equal (text["the key"], text["the record's value"]) ($"key {number}", $"value {number}") "what was produced"
    Expect.equal (text["the header's name"], text["the header's value"]) ($"name {number}", $"header {number}") "its header"

let private pastItsEvent (codec: ICompressionCodec option) (make: TestBroker -> Bootstrap -> Reader) =
    serving codec 3 (fun kafka bootstrap ->
        let reader = make kafka bootstrap
        let first = reader.Next()
        shown first.Views |> isOf 1
        let second = reader.Next()
        allOf first |> refuses "after the next Poll"
        let before = shown second.Views
        isOf 2 before
        reader.Keep()
        reader.Poll()
        Expect.equal (shown second.Views) before "after Keep, the next Poll changes nothing"
        reader.Handled()
        allOf second |> refuses "after Handled"
        let third = reader.Next()
        let before = shown third.Views
        isOf 3 before
        reader.Close()
        Expect.equal (shown third.Views) before "closing does not use the memory again")

let private lz4 = Some(Lz4() :> ICompressionCodec)

let private consumers =
    [ "a topic consumer", (fun kafka -> topicConsumer (reading AllCodecs.Set (ValueSome(CodecBuffer()))) kafka)
      "a group consumer", (fun kafka -> groupConsumer (reading AllCodecs.Set (ValueSome(CodecBuffer()))) kafka)
      "a topic consumer in C#", facadeTopicConsumer
      "a group consumer in C#", facadeGroupConsumer ]

let private fetchAt (fetcher: PartitionFetcher) (offset: int64) (call: CallOptions) : Held =
    fetcher.Offset <- offset
    let fetched = fetcher.Fetch call
    heldIn (fetched.Records Reading.standard) fetched

let private fetching (test: PartitionFetcher -> unit) =
    serving None 3 (fun _ bootstrap ->
        use client = new PartitionClient(patient, bootstrap, partition)
        use fetcher = new PartitionFetcher(client, (reading CompressionCodecs.none ValueNone).Fetching, 0L)
        test fetcher)

let private fetchers =
    [ test "is refused after the next fetch into the same memory" {
          fetching (fun fetcher ->
              let memory = ReceiveBuffer()
              let first = fetchAt fetcher 0L (CallOptions.into memory)
              shown first.Views |> isOf 1
              let second = fetchAt fetcher 1L (CallOptions.into memory)
              allOf first |> refuses "after the next fetch"
              shown second.Views |> isOf 2
              memory.Release() |> ignore
              allOf second |> refuses "after Release")
      }

      test "stays as it is if each fetch has memory of its own" {
          fetching (fun fetcher ->
              let first = fetchAt fetcher 0L CallOptions.standard
              let before = shown (allOf first)
              fetchAt fetcher 1L CallOptions.standard |> ignore
              Expect.equal (shown (allOf first)) before "the first")
      }

      test "is refused after the second fetch ahead, and not after the first" {
          fetching (fun fetcher ->
              use ahead = new FetchAhead(fetcher)

              let next () =
                  let fetched = ahead.Next()
                  heldIn (fetched.Records Reading.standard) fetched

              let first = next ()
              let before = shown (allOf first)
              isOf 1 before
              let second = next ()
              Expect.equal (shown (allOf first)) before "one fetch later"
              next () |> ignore
              allOf first |> refuses "two fetches later"
              shown second.Views |> isOf 2)
      }

      test "is refused in C# after the next fetch into the same memory" {
          serving None 2 (fun kafka _ ->
              let options = LibKafka.KafkaClientOptions kafka.Bootstrap
              use fetcher = new LibKafka.PartitionFetcher(options, facadePartition, LibKafka.FetcherOptions(MaxBytes = 1))
              let call = LibKafka.CallOptions(Memory = LibKafka.ReceiveBuffer())

              let fetchAt (offset: int64) =
                  fetcher.Position <- LibKafka.FetchPosition offset
                  fetcher.Fetch(call).ThrowIfError().RawRecords

              let first = fetchAt 0L
              textOf first |> ignore
              fetchAt 1L |> ignore
              refuses "after the next fetch" [ "all bytes", (fun () -> textOf first) ])
      } ]

let private unknownOrigin (what: string) (read: unit -> string) =
    try
        failtestf "%s still shows %s" what (read ())
    with :? InvalidOperationException as error ->
        Expect.stringContains error.Message "These bytes are no longer valid" what

let private memory =
    [ test "of a codec buffer is refused after the next batch" {
          let buffer = CodecBuffer()
          let reading = { Reading.withCodecs AllCodecs.Set with Buffer = ValueSome buffer }
          let unpacked = numbered lz4 1 |> RecordBatch.decompress reading |> ok
          Expect.equal (RecordBatch.toList Reading.standard unpacked |> ok).Length 1 "in time"
          let packed = RecordBatch.compressIn buffer lz4.Value (numbered None 2) |> ok
          unknownOrigin "the decompressed batch" unpacked.ToString
          Expect.equal packed.Count 1 "in time"
          let mutable records = (RecordBatch.openRecords reading (numbered lz4 3) |> ok).GetEnumerator()
          unknownOrigin "the compressed batch" packed.ToString
          Expect.isTrue (records.MoveNext()) "a record"
          let views = viewsOf records.Current
          RecordBatch.openRecords reading (numbered lz4 4) |> ok |> ignore

          for what, read in views do
              unknownOrigin what read
      }

      test "of a compressed batch that is decompressed into memory of its own stays as it is after the next Poll" {
          serving lz4 2 (fun kafka bootstrap ->
              let reader = topicConsumer (reading AllCodecs.Set ValueNone) kafka bootstrap
              let first = reader.Next()
              let isOfRecord (what: string, _) = not (what.Contains "batch" || what = "all bytes")
              let views = first.Views |> List.filter isOfRecord
              let before = shown views
              reader.Next() |> ignore
              Expect.equal (shown views) before "the record"
              first.Views |> List.filter (isOfRecord >> not) |> refuses "after the next Poll"
              reader.Close())
      }

      test "that is iterated over when it is given back ends in the exception, and not in other records" {
          fetching (fun fetcher ->
              let memory = ReceiveBuffer()
              let fetched = fetcher.Fetch(CallOptions.into memory)
              let mutable records = (fetched.Records Reading.standard).GetEnumerator()
              Expect.isTrue (records.MoveNext()) "the first record"
              memory.Release() |> ignore

              try
                  failtestf "it moves on: %b" (records.MoveNext())
              with :? InvalidOperationException as error ->
                  Expect.stringContains error.Message "no longer valid" "the exception")
      }

      test "can be pinned and found as an array in time, and not later" {
          fetching (fun fetcher ->
              let memory = ReceiveBuffer()
              let bytes = (fetcher.Fetch(CallOptions.into memory)).RawRecords.Memory.Slice 4

              let pinned () =
                  use handle = bytes.Pin()
                  string (Marshal.ReadByte(IntPtr handle.Pointer))

              let found () =
                  match MemoryMarshal.TryGetArray bytes with
                  | true, segment -> Convert.ToHexString segment
                  | _ -> failtest "no array"

              Expect.equal (pinned ()) (string bytes.Span[0]) "the first byte"
              Expect.equal (found ()) (Convert.ToHexString bytes.Span) "the array"
              memory.Release() |> ignore
              refuses "after Release" [ "pinned memory", pinned; "the array", found ])
      } ]

[<Tests>]
let tests =
    testList
        "kept records"
        [ for format, codec in [ "plain", None; "compressed", lz4 ] do
              for name, make in consumers do
                  test $"of {name}, {format}, are refused once their event is handled" { pastItsEvent codec make }

          testList "what a fetch returned" fetchers
          testList "memory" memory ]
