/// Runs the benchmarks named on the command line, or all of them.
module LibKafka.Benchmarks.Program

open System
open BenchmarkDotNet.Environments
open LibKafka.Benchmarks.Rows
open LibKafka.Benchmarks.EndToEnd
open LibKafka.Benchmarks.EndToEnd.Processes

let private local: (string * (unit -> Row list)) list =
    [ "encode", Micro.encodeRows
      "decode", Micro.decodeRows
      "compressed", Compressed.rows
      "messages", Messages.messageRows
      "startup", StartUp.startUpRows
      "calls", Calls.rows
      "guard", Guard.rows
      "connect", (fun () -> EndToEnd.connectionRows () @ Leaders.rows ())
      "poll-cost", EndToEnd.pollRows
      "test-broker", TestBrokers.rows
      "plot", Plot.rows ]

// These run on a real cluster too.
let private onBrokers: (string * (Site -> Row list)) list =
    [ "produce", EndToEnd.produceRows
      "fetch", EndToEnd.fetchRows
      "fetch-ahead", FetchAhead.rows
      "topic-produce", TopicProduce.rows
      "group-consume", GroupConsume.rows
      "idempotent-produce", EndToEnd.idempotentRows
      "single-call", EndToEnd.singleRows
      "first-calls", EndToEnd.firstCallRows ]

let private names = List.map fst local @ List.map fst onBrokers

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
      "produce, idempotent-produce, fetch: 100-byte values in batches just under 1 MB, 4 MB a fetch; one request in flight"
      "fetch-ahead: the same partition with the next fetch in flight; the floor has one request in flight and the same checksum"
      "fetch-overlap: the floor's time for a fetch, and what having the next in flight can gain at most"
      "topic-produce: 5 million keyed records of 100 bytes to 48 partitions, all at once; the floor sends one batch after another"
      "group-consume: 5 million records of 100 bytes from 48 partitions by the only member of a group; the floor is no member"
      "single-call: a record a call, acknowledged: the median, and the CPU time"
      "connect: connections made and kept. Brokers and clients in processes of their own, whose CPU time is all of their threads'"
      "first-calls: a record a call from the start of a process on, with the time that the JIT compiler took in it"
      "connect, leaders: a connection to each partition's leader, which is asked for once for all partitions; the peer asks for each"
      "poll-cost: a poll of a consumer with so many empty partitions, each with a connection and a fetch in flight"
      "test-broker: the broker of LibKafka.Testing in the process of its client; a million records of 100 bytes in batches of 0.8 MB, one in flight"
      "messages: floor is a copy of the same bytes, B/record counts for each partition or message"
      "startup: a process from its start to its end, its processor time and the methods it compiled; floor is one that does nothing"
      "encode and decode with a codec: the floor is the codec alone, so what is reached is the part of the time that it takes"
      "produce call, consume call: what a record costs the calling thread; the network and other threads are not counted"
      $"plot: values of a size without keys; drawn in {Plot.path}"
      "guard: detecting a second thread in a client, for each call; the floor is one interlocked operation"
      "floor: a copy and a CRC-32C of the same bytes; over sockets, a bare one with hand-written frames and this library's checksum and record loop"
      "reached: the part of the floor's speed. All numbers are medians"
      "" ]

let private measure (site: Site) (name: string) : Row list =
    Console.Error.WriteLine $"measuring {name} ..."

    match List.tryFind (fun (known, _) -> known = name) local, List.tryFind (fun (known, _) -> known = name) onBrokers with
    | Some(_, run), _ -> run ()
    | None, Some(_, run) -> run site
    | None, None -> []

let private run (site: Site) (chosen: string list) =
    let rows =
        names |> List.filter (fun name -> List.isEmpty chosen || List.contains name chosen) |> List.collect (measure site)

    List.iter say (head () @ table rows)
    save out rows

/// Child processes that the benchmarks start.
let private runChild (arguments: string list) =
    match arguments with
    | [ "mock-brokers" ] -> Processes.mock ()
    | [ "feed-broker" ] -> FeedBroker.run ()
    | [ "side"; name; work; bootstrap; rounds ] -> Processes.side name work bootstrap (int rounds)
    | [ "first-calls"; name; bootstrap ] -> Processes.firstCalls name bootstrap
    | [ "topic-produce"; name; bootstrap; rounds ] -> TopicProduce.side name bootstrap (int rounds)
    | [ "group-consume"; name; bootstrap; rounds ] -> GroupConsume.side name bootstrap (int rounds)
    | [ "fetch-ahead"; name; size; bootstrap; rounds ] -> FetchAhead.side name (int size) bootstrap (int rounds)
    | [ "connections"; name; count; bootstrap ] -> Processes.connections name (int count) bootstrap
    | [ "connect-broker"; partitions; certificateFile ] -> ConnectBroker.run (int partitions) certificateFile
    | "connecting" :: way :: count :: listener -> Leaders.connecting way (int count) listener
    | [ "test-broker-start"; name ] -> TestBrokers.starts name
    | [ "test-broker-traffic"; name; partitions; fetches; rounds ] ->
        TestBrokers.traffic name (int partitions) (Boolean.Parse fetches) (int rounds)
    | [ "test-broker-memory"; bytes ] -> TestBrokers.memory (int64 bytes)
    | [ "polls"; count; bootstrap ] -> Processes.idlePolls (int count) bootstrap
    | _ -> invalidOp (String.Join(" ", arguments))

let rec private siteIn (arguments: string list) : Site * string list =
    match arguments with
    | "--bootstrap" :: bootstrap :: others -> Cluster bootstrap, others
    | name :: others ->
        let site, names = siteIn others
        site, name :: names
    | [] -> OwnBrokers, []

[<EntryPoint>]
let main arguments =
    match List.ofArray arguments with
    | "child" :: arguments ->
        runChild arguments
        0
    | arguments ->
        let site, chosen = siteIn arguments

        match chosen |> List.except names with
        | [] ->
            run site chosen
            0
        | unknown ->
            let quoted = String.Join(", ", unknown |> List.map (fun name -> $"'{name}'"))
            let known = String.Join(", ", names)
            Console.Error.WriteLine $"no benchmark is named {quoted}; there are {known}. --bootstrap HOST:PORT runs on a real cluster"
            2
