/// Runs the benchmarks named on the command line, or all of them.
module LibKafka.Benchmarks.Program

open System
open BenchmarkDotNet.Environments
open LibKafka.Benchmarks.Rows
open LibKafka.Benchmarks.EndToEnd

let private benchmarks: (string * (unit -> Row list)) list =
    [ "encode", Micro.encodeRows
      "decode", Micro.decodeRows
      "compressed", Compressed.rows
      "messages", Messages.messageRows
      "startup", StartUp.startUpRows
      "calls", Calls.rows
      "guard", Guard.rows
      "produce", EndToEnd.produceRows
      "fetch", EndToEnd.fetchRows
      "single", EndToEnd.singleRows
      "first-calls", EndToEnd.firstCallRows
      "connect", (fun () -> EndToEnd.connectionRows () @ Leaders.rows ())
      "poll-cost", EndToEnd.pollRows
      "fetch-ahead", FetchAhead.rows
      "topic-produce", EndToEnd.topicProduceRows
      "plot", Plot.rows ]

let private out = "artifacts/bench.json"

let private say (line: string) = Console.Out.WriteLine line

/// The machine, and what the columns mean.
let private head () : string list =
    let host = HostEnvironmentInfo.GetCurrent()

    [ ""
      yield! host.ToFormattedString()
      Runtime.InteropServices.RuntimeInformation.FrameworkDescription
      ""
      "encode, decode: batches of 1,000 records. " + String.Join("; ", Shapes.legend)
      "produce, fetch: 100-byte values in batches just under 1 MB or 4 MB; single: a record a call; one request in flight"
      "topic-produce: 5 million keyed records of 100 bytes to 48 partitions, all at once; the floor sends one batch after another"
      "connect: connections made and kept. Brokers and clients in processes of their own, whose CPU time is all of their threads'"
      "first-calls: a record a call from the start of a process on, with the time that the JIT compiler took in it"
      "connect, leaders: a connection to each partition's leader, which is asked for once for all partitions; the peer asks for each"
      "poll-cost: a poll of a consumer with so many empty partitions, each with a connection and a fetch in flight"
      "fetch-ahead: one partition, 4 MB a fetch; the floor has one request in flight and the same checksum"
      "messages: floor is a copy of the same bytes, B/record counts for each partition or message"
      "startup: a process from its start to its end, its processor time and the methods it compiled; floor is one that does nothing"
      "encode and decode with a codec: the floor is the codec alone, so what is reached is the part of the time that it takes"
      "produce call, consume call: what a record costs the calling thread; the network and other threads are not counted"
      $"plot: values of a size without keys; drawn in {Plot.path}"
      "guard: detecting a second thread in a client, for each call; the floor is one interlocked operation"
      "floor: a copy and a CRC-32C of the same bytes; over sockets, a bare one with hand-written frames and record loops"
      "reached: the part of the floor's speed. All numbers are medians"
      "" ]

/// The names that no benchmark has.
let private unknown (names: string list) = names |> List.filter (fun name -> benchmarks |> List.forall (fun (known, _) -> known <> name))

let private measure (name: string, run: unit -> Row list) : Row list =
    Console.Error.WriteLine $"measuring {name} ..."
    run ()

let private run (names: string list) =
    let chosen = benchmarks |> List.filter (fun (name, _) -> List.isEmpty names || List.contains name names)
    let rows = List.collect measure chosen
    List.iter say (head () @ table rows)
    save out rows

[<EntryPoint>]
let main arguments =
    match List.ofArray arguments with
    // Child processes that the benchmarks start.
    | [ "broker" ] ->
        Processes.broker ()
        0
    | [ "side"; name; work; bootstrap; rounds ] ->
        Processes.side name work bootstrap (int rounds)
        0
    | [ "first-calls"; name; bootstrap ] ->
        Processes.firstCalls name bootstrap
        0
    | [ "topic-produce"; name; bootstrap; rounds ] ->
        Processes.topicProduce name bootstrap (int rounds)
        0
    | [ "connections"; name; count; bootstrap ] ->
        Processes.connections name (int count) bootstrap
        0
    | [ "connect-broker"; partitions; certificateFile ] ->
        ConnectBroker.run (int partitions) certificateFile
        0
    | "connecting" :: way :: count :: listener ->
        Leaders.connecting way (int count) listener
        0
    | [ "fetch-ahead"; name; size; bootstrap ] ->
        FetchAhead.side name (int size) bootstrap
        0
    | [ "polls"; count; bootstrap ] ->
        Processes.idlePolls (int count) bootstrap
        0
    | names ->

        match unknown names with
        | [] ->
            run names
            0
        | unknown ->
            let known = String.Join(", ", List.map fst benchmarks)
            let quoted = String.Join(", ", unknown |> List.map (fun name -> $"'{name}'"))
            Console.Error.WriteLine $"no benchmark is named {quoted}; there are {known}"
            2
