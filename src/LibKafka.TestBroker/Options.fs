/// The command line of the tool.
module LibKafka.TestBroker.Options

open System
open LibKafka.Testing

/// A topic to create at the start.
type NewTopic = { Name: string; Partitions: int }

type Options =
    {
        Brokers: int
        /// The port of the first broker; 0 for any free ports.
        Port: int
        Release: Release
        Topics: NewTopic list
        AutoCreateTopics: bool
        /// The most bytes that the log of a partition keeps.
        MostLogBytes: int64
    }

/// The command of the command line.
[<RequireQualifiedAccess>]
type Command =
    | Run of Options
    | Help
    | Version

let help =
    """Runs a Kafka cluster for tests on this machine, until Ctrl-C. It keeps nothing on disk: all topics, records and groups are
gone when it ends.

  libkafka-testbroker [options]

  --brokers N               the number of brokers (1)
  --port PORT               the port of the first broker; the others have the following ones (9092). 0 for any free ports
  --release X.Y             the release of Kafka whose API versions and behaviour the brokers have (the newest), such as 2.8
  --create TOPIC:PARTITIONS creates a topic; may be given several times
  --no-auto-create          a topic is not created when a client first asks for it
  --max-log-bytes BYTES     the most bytes that the log of a partition keeps: older batches are deleted (1073741824)
  --help, --version         print this text, or the version of the tool

The brokers listen on 127.0.0.1 only, without TLS and authentication.

The exit code is 0 after Ctrl-C, 1 if a broker cannot be started, or 2 for wrong usage."""

let standard =
    { Brokers = 1
      Port = 9092
      Release = Release.newest
      Topics = []
      AutoCreateTopics = true
      MostLogBytes = 1024L * 1024L * 1024L }

let private number (name: string) (lowest: int64) (highest: int64) (text: string) : Result<int64, string> =
    match Int64.TryParse text with
    | true, value when value >= lowest && value <= highest -> Ok value
    | _ -> Error(name + " must be a number from " + string lowest + " to " + string highest + ", not '" + text + "'")

let private release (text: string) : Result<Release, string> =
    match Release.tryParse text with
    | Some release -> Ok release
    | None -> Error("there is no Kafka release '" + text + "' from 1.0.0 to " + Release.newest.ToString())

let private topic (text: string) : Result<NewTopic, string> =
    match text.LastIndexOf ':' with
    | at when at > 0 ->
        number "the number of partitions" 1L 100_000L (text.Substring(at + 1))
        |> Result.map (fun partitions -> { Name = text.Substring(0, at); Partitions = int partitions })
    | _ -> Error("a topic is given as TOPIC:PARTITIONS, not '" + text + "'")

/// Parses the arguments; an error says what is wrong.
let parse (arguments: string list) : Result<Command, string> =
    let rec next (options: Options) (arguments: string list) : Result<Command, string> =
        let continueWith rest change parsed = parsed |> Result.bind (fun value -> next (change value) rest)

        match arguments with
        | [] -> Ok(Command.Run options)
        | ("--help" | "-h" | "help") :: _ -> Ok Command.Help
        | "--version" :: _ -> Ok Command.Version
        | "--no-auto-create" :: rest -> next { options with AutoCreateTopics = false } rest
        | "--brokers" :: text :: rest ->
            number "--brokers" 1L 1000L text |> continueWith rest (fun count -> { options with Brokers = int count })
        | "--port" :: text :: rest -> number "--port" 0L 65_535L text |> continueWith rest (fun port -> { options with Port = int port })
        | "--max-log-bytes" :: text :: rest ->
            number "--max-log-bytes" 1L Int64.MaxValue text
            |> continueWith rest (fun bytes -> { options with MostLogBytes = bytes })
        | "--release" :: text :: rest -> release text |> continueWith rest (fun release -> { options with Release = release })
        | "--create" :: text :: rest -> topic text |> continueWith rest (fun topic -> { options with Topics = options.Topics @ [ topic ] })
        | [ "--brokers" | "--port" | "--max-log-bytes" | "--release" | "--create" as name ] -> Error(name + " needs a value")
        | name :: _ -> Error("'" + name + "' is not an option")

    next standard arguments
    |> Result.bind (fun command ->
        match command with
        | Command.Run options when options.Port > 0 && options.Port + options.Brokers - 1 > 65_535 ->
            Error("there are not so many ports from " + string options.Port + " on")
        | command -> Ok command)
