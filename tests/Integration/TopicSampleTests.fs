/// The samples that work on whole topics, in both languages, as their users run them.
module LibKafka.Integration.TopicSampleTests

open System
open System.IO
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Compression
open LibKafka.Properties
open LibKafka.Testing
open LibKafka.Tests
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support
open LibKafka.Integration.SamplePrograms

let private languages = [ "F#", "FSharp"; "C#", "CSharp" ]

// ---- Running programs ----

let private start (language: string) (arguments: string list) : Program =
    new Program("Topics/" + language, "LibKafka.Samples.Topics." + language, arguments)

/// The exit code and the error lines of a program that gets these lines and ends by itself.
let private run (language: string) (arguments: string list) (input: string list) : int * string list =
    use program = start language arguments
    program.Write input
    let code = program.Wait()
    code, program.Errors

// ---- What is in a cluster ----

let private brokersOf (bootstrap: string) = Bootstrap.parse bootstrap |> ok

let private clientOf (bootstrap: string) (topic: string) (index: int) =
    new PartitionClient(patient, brokersOf bootstrap, { Topic = topic; Partition = index })

let private produce (bootstrap: string) (topic: string) (index: int) (batch: RecordBatch) =
    use client = clientOf bootstrap topic index
    acknowledged ((new PartitionProducer(client, ProducerSettings.standard)).Produce batch) |> ignore

let private batchesOf (bootstrap: string) (topic: string) (index: int) : RecordBatch list =
    use client = clientOf bootstrap topic index
    let fetcher = new PartitionFetcher(client, { FetcherSettings.standard with MaxWait = ms 1 }, 0L)

    let rec fetch (found: RecordBatch list) =
        let fetched = fetcher.Fetch()

        let batches =
            [ for item in fetched.Batches do
                  match item with
                  | RecordSetItem.Batch(batch, _) -> batch
                  | other -> failtestf "%O" other ]

        fetcher.Position <- positionBehind fetched
        if batches.IsEmpty then found else fetch (found @ batches)

    fetch []

let private recordsOf (bootstrap: string) (topic: string) (index: int) : (string * string) list =
    let text (bytes: Bytes voption) = bytes |> ValueOption.map Bytes.toText |> ValueOption.defaultValue "null"

    [ for batch in batchesOf bootstrap topic index do
          for record in RecordBatch.toList Reading.standard batch |> ok do
              text record.Key, text record.Value ]

let private committedBy (bootstrap: string) (group: string) (topic: string) (index: int) : int64 =
    use client = new GroupClient(patient, brokersOf bootstrap, group)
    let reply = client.FetchOffsets(GroupMembership.none, [ { Topic = topic; Partition = index } ], false)

    match (ok reply.Result).Head.Result with
    | Ok(Some offset) -> offset.Offset
    | other -> failtestf "%A" other

// ---- The programs ----

let private keyedProducer (language: string, folder: string) =
    testList
        ("the keyed producer in " + language)
        [ testCase "delivers each line to the partition of its key, in order" (fun () ->
              withMock 1 (fun cluster ->
                  cluster.CreateTopic("keyed", 3, 1)
                  let lines = [ for number in 1..200 -> $"key{number % 7} value {number}" ]
                  let code, errors = run folder [ "keyed-producer"; cluster.Bootstrap; "keyed" ] lines
                  Expect.equal (code, List.last errors) (0, "0 records were not delivered") "it succeeds"

                  for partition in 0..2 do
                      let expected =
                          [ for number in 1..200 do
                                let key = $"key{number % 7}"
                                if Partitioner.ofKey 3 (Bytes.ofString key).Span = partition then
                                    key, $"value {number}" ]

                      Expect.equal (recordsOf cluster.Bootstrap "keyed" partition) expected ("partition " + string partition)))

          testCase "counts what it cannot deliver" (fun () ->
              withMock 1 (fun cluster ->
                  cluster.CreateTopic("keyed", 1, 1)
                  let lines = [ "a 1"; "b " + String('2', 1_100_000); "c 3" ]
                  let code, errors = run folder [ "keyed-producer"; cluster.Bootstrap; "keyed" ] lines
                  Expect.equal (code, List.last errors) (1, "1 records were not delivered") "it fails"
                  Expect.equal (recordsOf cluster.Bootstrap "keyed" 0) [ "a", "1"; "c", "3" ] "the others are delivered"))

          testCase "says why if there is no broker, or no such list" (fun () ->
              let socket, address = Loopback.refuse ()
              use _ = socket
              let code, errors = run folder [ "keyed-producer"; address.ToString(); "keyed" ] []
              Expect.equal code 1 "it fails"
              Expect.stringContains (List.exactlyOne errors) ("cannot connect to " + address.ToString()) "why"
              let code, errors = run folder [ "keyed-producer"; "a:b:c"; "keyed" ] []
              Expect.equal code 1 "it fails"
              Expect.stringContains (List.exactlyOne errors) "a:b:c" "why") ]

let private groupMember (language: string, folder: string) =
    testList
        ("the member of a group in " + language)
        [ testCase "prints and commits records, and continues there" (fun () ->
              use cluster = TestBroker.Start()
              cluster.Topic("read", 2)
              let member' () = start folder [ "group-member"; cluster.Bootstrap; "read"; "readers" ]

              for partition in 0..1 do
                  produce cluster.Bootstrap "read" partition (batch $"{partition}/" 3)

              use first = member' ()
              first.Await("six records", (fun () -> first.Printed.Length = 6))
              first.Stop()
              let expected =
                  [ for partition in 0..1 do
                        for offset in 0..2 -> $"read-{partition} {offset}:  = {partition}/{offset}" ]
              Expect.equal (List.sort first.Printed) expected "the records"
              Expect.exists first.Errors (fun line -> line.StartsWith "assigned: read-0") "the assignment"
              Expect.exists first.Errors (fun line -> line.StartsWith "committed read-" && line.EndsWith ": stored") "a commit"
              Expect.stringEnds (List.last first.Errors) "left" "how it ended"
              Expect.equal [ for partition in 0..1 -> committedBy cluster.Bootstrap "readers" "read" partition ] [ 3L; 3L ] "offsets"
              produce cluster.Bootstrap "read" 1 (batch "more/" 1)
              use second = member' ()
              second.Await("a record", (fun () -> not second.Printed.IsEmpty))
              second.Stop()
              Expect.equal second.Printed [ "read-1 3:  = more/0" ] "what is new")

          testCase "fails if it may not join, and says why" (fun () ->
              Replay.refusingMembers LibKafka.Protocol.ErrorCode.GroupAuthorizationFailed (fun address ->
                  let code, errors = run folder [ "group-member"; address; "read"; "readers" ] []
                  Expect.equal code 1 "it fails"
                  Expect.stringContains (List.last errors) "GROUP_AUTHORIZATION_FAILED" "why"))

          testCase "gives up partitions to another member" (fun () ->
              use broker = TestBroker.Start()
              broker.Topic("read", 2)
              let arguments = [ "group-member"; broker.Bootstrap; "read"; "readers" ]
              let hasPrinted (program: Program) (text: string) () = program.Errors |> List.exists _.StartsWith(text)
              use first = start folder arguments
              first.Await("its assignment", hasPrinted first "assigned: ")
              use second = start folder arguments
              first.Await("a revocation", hasPrinted first "revoking: read-")
              second.Await("its assignment", hasPrinted second "assigned: read-")
              second.Stop()
              first.Stop()) ]

let private mirror (language: string, folder: string) =
    testCase ("the mirror in " + language + " copies batches as they are, still compressed") (fun () ->
        withMock 1 (fun source ->
            withMock 1 (fun target ->
                for cluster in [ source; target ] do
                    cluster.CreateTopic("mirrored", 2, 1)

                let gzip = CompressionCodecs.tryFind CompressionType.Gzip AllCodecs.Set |> ValueOption.get

                for partition in 0..1 do
                    for number in 1..3 do
                        produce
                            source.Bootstrap
                            "mirrored"
                            partition
                            (RecordBatch.compress gzip (batch $"{partition}-{number}-" 20) |> ok)

                use program = start folder [ "mirror"; source.Bootstrap; target.Bootstrap; "mirrored"; "mirror" ]
                let count partition = (batchesOf target.Bootstrap "mirrored" partition).Length
                program.Await("the copies", (fun () -> count 0 = 3 && count 1 = 3))
                program.Stop()

                for partition in 0..1 do
                    // The identity is in the header, which the checksum covers, but the records are the same bytes.
                    let content (batch: RecordBatch) =
                        batch.Compression, batch.Count, batch.Bytes.Span.Slice(RecordBatch.HeaderSize).ToArray()
                    let original, copied =
                        batchesOf source.Bootstrap "mirrored" partition, batchesOf target.Bootstrap "mirrored" partition
                    Expect.equal (List.map content copied) (List.map content original) $"partition {partition}"
                    Expect.all copied (fun batch -> batch.ProducerId >= 0L) "a repetition is recognized"
                    Expect.equal (committedBy source.Bootstrap "mirror" "mirrored" partition) 60L "what was copied is committed")))

let private lagMonitor (language: string, folder: string) =
    testCase ("the lag monitor in " + language + " prints how far a group is behind, again and again") (fun () ->
        withMock 1 (fun cluster ->
            cluster.CreateTopic("watched", 2, 1)

            for partition in 0..1 do
                produce cluster.Bootstrap "watched" partition (batch "x" 10)

            use group = new GroupClient(patient, brokersOf cluster.Bootstrap, "watching")
            let commit = [ { Topic = "watched"; Partition = 0 }, CommittedOffset.at 4L ]
            let code () = (group.CommitOffsets(GroupMembership.none, commit)).Result |> Result.mapError _.First |> codeOf
            Expect.equal (startedCode code) LibKafka.Protocol.ErrorCode.None "committed"
            use program = start folder [ "lag-monitor"; cluster.Bootstrap; "watched"; "watching"; "2" ]
            program.Await("two rounds", (fun () -> program.Printed.Length >= 4))
            program.Stop()
            let round = [ "watched-0: 6"; "watched-1: 10" ]
            Expect.equal (List.truncate 4 program.Printed) (round @ round) "the lag, and all records if nothing is committed"))

let private exactlyOnce (language: string, folder: string) =
    testList
        ("the exactly-once copy in " + language)
        [ testCase "copies each record in upper case" (fun () ->
              use broker = TestBroker.Start()
              broker.Topic("source", 2)
              broker.Topic("target")
              let brokers = Bootstrap.parse broker.Bootstrap |> ok

              for partition in 0..1 do
                  use client = new PartitionClient(patient, brokers, { Topic = "source"; Partition = partition })
                  let producer = new PartitionProducer(client, ProducerSettings.standard)
                  acknowledged (producer.Produce(batch $"{partition}/x" 2)) |> ignore

              let values () = [ for record in broker.Log "target" -> record.Value |> ValueOption.map Bytes.toText ]
              use program = start folder [ "exactly-once"; broker.Bootstrap; "source"; "target"; "copier" ]
              program.Await("the copies", (fun () -> (values ()).Length = 4 && program.Errors |> List.exists _.Contains("committed")))
              program.Stop()
              Expect.equal (List.last program.Errors) "left" "how it ended"
              Expect.equal (List.sort (values ())) [ for value in [ "0/X0"; "0/X1"; "1/X0"; "1/X1" ] -> ValueSome value ] "the copies")

          testCase "fails on brokers that cannot wait for transactions, and says why" (fun () ->
              withMock 1 (fun cluster ->
                  cluster.CreateTopic("source", 1, 1)
                  let code, errors = run folder [ "exactly-once"; cluster.Bootstrap; "source"; "target"; "copier" ] []
                  Expect.equal code 1 "it fails"
                  Expect.stringContains (List.last errors) "2.5" "why")) ]

// ---- Their length ----

/// The number of lines of a source file, without the comment at its head.
let private linesOf (path: string list) : int =
    File.ReadAllLines(Path.Combine(Array.ofList (TestData.checkout :: path)))
    |> Array.skipWhile _.StartsWith("//")
    |> Array.length

let private lengths =
    [ for sample, twin, limit in
          [ "KeyedProducer", "KeyedProducer", 30
            "GroupMember", "GroupMember", 28
            "Mirror", "Mirror", 29
            "LagMonitor", "LagMonitor", 22
            "ExactlyOnceCopy", "ExactlyOnce", 45 ] do
          testCase ("is no longer than the same program on Confluent.Kafka: " + sample) (fun () ->
              let twinLines = linesOf [ "benchmarks"; "Twins"; twin + ".cs" ]

              for folder, extension in [ "FSharp", ".fs"; "CSharp", ".cs" ] do
                  let lines = linesOf [ "samples"; "Topics"; folder; sample + extension ]
                  Expect.isLessThanOrEqual lines (min limit twinLines) folder) ]

[<Tests>]
let tests =
    // Each starts a process. One after another they do not keep each other from being done in time.
    testSequencedGroup "samples of whole topics"
    <| testList
        "samples of whole topics"
        [ for language in languages do
              keyedProducer language
              groupMember language
              mirror language
              lagMonitor language
              exactlyOnce language

          testList "each" lengths

          for language, folder in languages do
              testCase ("without a command, the programs in " + language + " name all of them") (fun () ->
                  let code, errors = run folder [] []
                  Expect.equal code 2 "the exit code"
                  Expect.equal
                      [ for line in errors -> line.Split(' ')[0] ]
                      [ "keyed-producer"; "group-member"; "mirror"; "lag-monitor"; "exactly-once" ]
                      "commands") ]
