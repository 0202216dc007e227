/// The demo's options.
module LibKafka.Demo.Options

open System
open LibKafka.Client

type Options =
    {
        /// The brokers of a real cluster; none for brokers inside this process.
        Bootstrap: Bootstrap option
        Records: int
        /// Bytes of each record's value.
        Size: int
        Partitions: int
        /// Keep the topic on the real cluster.
        Keep: bool
    }

/// A parsed command line.
type Command =
    | Run of Options
    | Help

let help =
    """Produces records to every partition of a new topic, fetches them all back, and checks every byte and every offset.

  --bootstrap HOST:PORT[,HOST:PORT…]  a real cluster; without it, three brokers inside this process
  --records N                         how many records               (1000000)
  --size BYTES                        the size of each record's value    (100)
  --partitions N                      how many partitions                 (48)
  --keep                              leave the topic on the real cluster

The exit code is 0 if everything is as produced, 1 if it is not or the cluster cannot be used, or 2 for wrong usage."""

let private standard = { Bootstrap = None; Records = 1_000_000; Size = 100; Partitions = 48; Keep = false }

/// Batches stay below a broker's default limit (1,048,588 bytes).
let batchLimit = 1_000_000

let private whole name lowest highest (text: string) =
    match Int32.TryParse text with
    | true, number when number >= lowest && number <= highest -> Ok number
    | _ -> Error(name + " takes a whole number from " + string lowest + " to " + string highest + ", not '" + text + "'")

/// The command in the arguments, or a line that says what is wrong with them.
let parse (arguments: string list) : Result<Command, string> =
    let rec go options arguments =
        let set parsed rest (change: 'T -> Options) = parsed |> Result.bind (fun value -> go (change value) rest)

        match arguments with
        | [] when options.Keep && options.Bootstrap.IsNone ->
            Error "--keep goes with --bootstrap: the brokers inside this process end with the demo"
        | [] -> Ok(Run options)
        | ("--help" | "-h") :: _ -> Ok Help
        | "--keep" :: rest -> go { options with Keep = true } rest
        | "--bootstrap" :: text :: rest ->
            set (Bootstrap.parse text |> Result.mapError string) rest (fun brokers -> { options with Bootstrap = Some brokers })
        | "--records" :: text :: rest -> set (whole "--records" 1 Int32.MaxValue text) rest (fun n -> { options with Records = n })
        | "--size" :: text :: rest -> set (whole "--size" 0 900_000 text) rest (fun n -> { options with Size = n })
        | "--partitions" :: text :: rest -> set (whole "--partitions" 1 100_000 text) rest (fun n -> { options with Partitions = n })
        | [ ("--bootstrap" | "--records" | "--size" | "--partitions") as name ] -> Error(name + " needs a value")
        | unknown :: _ -> Error("unknown option '" + unknown + "'; `dotnet fsi build.fsx demo help` lists the options")

    go standard arguments
