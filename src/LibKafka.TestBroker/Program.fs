/// Runs a test cluster until it is told to stop.
module LibKafka.TestBroker.Program

open System
open System.IO
open System.Net.Sockets
open System.Runtime.InteropServices
open System.Threading
open LibKafka.Compression
open LibKafka.Testing
open LibKafka.TestBroker.Options

let private version () =
    match typeof<Options>.Assembly.GetName().Version with
    | null -> "libkafka-testbroker"
    | version -> "libkafka-testbroker " + version.ToString 3

let private start (options: Options) : TestBroker =
    let started =
        TestBroker.Start(
            TestBrokerOptions(
                Brokers = options.Brokers,
                Port = options.Port,
                Release = options.Release.ToString(),
                Codecs = AllCodecs.Set,
                AutoCreateTopics = options.AutoCreateTopics,
                MostLogBytes = options.MostLogBytes
            )
        )

    try
        for topic in options.Topics do
            started.Topic(topic.Name, topic.Partitions)

        started
    with _ ->
        started.Dispose()
        reraise ()

/// Runs the tool with its arguments until the token is cancelled. Returns the exit code.
let run (arguments: string list) (output: TextWriter) (complaints: TextWriter) (stop: CancellationToken) : int =
    let complain (line: string) = complaints.Write("libkafka-testbroker: " + line + "\n")

    match parse arguments with
    | Ok Command.Help ->
        output.Write(help + "\n")
        0
    | Ok Command.Version ->
        output.Write(version () + "\n")
        0
    | Error reason ->
        complain (reason + "; see --help")
        2
    | Ok(Command.Run options) ->
        try
            use cluster = start options
            output.Write("Kafka " + options.Release.ToString() + " for tests: " + cluster.Bootstrap + "\n")
            output.Write "Nothing is kept on disk. Press Ctrl-C to end.\n"
            output.Flush()
            stop.WaitHandle.WaitOne() |> ignore

            for failure in cluster.Failures do
                complain ("a defect of the test broker: " + failure)

            0
        with
        | :? SocketException as failure ->
            complain ("cannot listen on port " + string options.Port + ": " + failure.Message)
            1
        | :? ArgumentException as failure ->
            complain failure.Message
            2
        | :? InvalidOperationException as failure ->
            complain failure.Message
            2

[<EntryPoint>]
let main arguments =
    use stop = new CancellationTokenSource()

    let ending (context: PosixSignalContext) =
        context.Cancel <- true
        stop.Cancel()

    use _ = PosixSignalRegistration.Create(PosixSignal.SIGINT, ending)
    use _ = PosixSignalRegistration.Create(PosixSignal.SIGTERM, ending)
    run (List.ofArray arguments) Console.Out Console.Error stop.Token
