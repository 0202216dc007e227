/// The command line of the tool.
module LibKafka.Inspect.Options

open System
open System.Net
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Inspect.Terminal
open LibKafka.Inspect.InternalTopics
open LibKafka.Inspect.Filters

/// The content of an input.
[<RequireQualifiedAccess>]
type Content =
    /// One frame on each line.
    | Frames
    /// Frames, each preceded by its length.
    | Stream
    /// Record batches, as in a broker's log segment.
    | Log
    /// The same, of which only a summary is printed.
    | Statistics
    /// An index or a producer snapshot, which is next to a log segment.
    | Index
    /// Packets, as tcpdump or Wireshark captures them.
    | Capture

/// The form of an input's bytes.
[<RequireQualifiedAccess>]
type Encoding =
    | Hex
    | Base64
    | Raw

[<RequireQualifiedAccess>]
type Format =
    | Text
    | Json

/// The API and version of frames that do not contain them.
type Named =
    {
        Api: ApiKey
        Version: int16
        IsResponse: bool
        /// The message has no header.
        IsBody: bool
    }

[<RequireQualifiedAccess>]
type Place =
    | StandardInput
    | File of path: string

/// What is between clients and a broker.
type ProxySettings =
    {
        Listen: IPEndPoint
        /// The host and port of the broker.
        Host: string
        Port: int
        /// Whether the brokers have TLS. Clients connect without.
        Tls: bool
        /// The file with the authorities of the brokers' certificates; none for those that the system trusts.
        Authorities: string option
        /// The file that the frames are written to.
        Record: string option
    }

[<RequireQualifiedAccess>]
type Input =
    | One of Content * Place
    /// The two directions of a connection, as two streams.
    | Conversation of requests: Place * responses: Place
    /// What clients and brokers say to each other, as it happens.
    | Proxy of ProxySettings

/// Whether the records of internal topics are decoded.
[<RequireQualifiedAccess>]
type Decoding =
    /// If the folder or the name of the file shows the topic.
    | ByFile
    | Topic of InternalTopic
    | Never

type Options =
    {
        Inputs: Input list
        /// By default, frames on lines are in hex and everything else is raw.
        Encoding: Encoding option
        Format: Format
        Named: Named option
        /// Print the batches and records in messages and logs.
        Records: bool
        Keys: bool
        Values: bool
        /// Print passwords, tokens and other secrets of frames.
        ShowSecrets: bool
        Decoding: Decoding
        /// Only these records of logs are printed.
        Filter: Filter
        /// Wait for more at the end of a log.
        Follow: bool
        /// Only the connections of a capture that have this port.
        Port: int option
        Colors: Colors
        Limits: Limits
    }

/// The command of the command line.
[<RequireQualifiedAccess>]
type Command =
    | Run of Options
    | Help
    | Version

let help =
    """Prints Kafka requests, responses, record batches, log segments and their index files, field by field.

  libkafka-inspect [frames] [options] [FILE…]  one frame on each line, header and message, in hex or base64. A line that
                                               starts with '<' is a response to an earlier request; a line that starts
                                               with '>' or neither is a request
  libkafka-inspect stream [options] [FILE…]    frames preceded by their lengths, as one side of a connection sends them
  libkafka-inspect stream [options] --requests FILE --responses FILE
                                               both sides of a connection, matched by correlation id
  libkafka-inspect log [options] [FILE…]       consecutive record batches, as in a broker's log segments and in snapshots
                                               of the metadata log
  libkafka-inspect stats [options] [FILE…]     a summary of the same: batches, records, compression, sizes, gaps, producers
  libkafka-inspect index [options] FILE…       offset, time and transaction indexes and producer snapshots, each checked
                                               against the log segments in the same folder
  libkafka-inspect capture [options] [FILE…]   the frames in the TCP connections of pcap and pcapng files
  libkafka-inspect proxy [options] --listen [ADDRESS:]PORT --to HOST:PORT
                                               what clients that connect to the port and the brokers of the cluster send
                                               to each other, as it happens

Without FILE, or if FILE is -, standard input is read. Without the first word, the file names *.log and *.checkpoint mean
logs, *.index, *.timeindex, *.txnindex and *.snapshot mean indexes, *.pcap and *.pcapng mean captures, and other files
have one frame on each line.

  --format text|json      readable text (the default), or one JSON object on each line with messages in Kafka's JSON form
  --input hex|base64|raw  the form of the input: by default, frames are in hex and streams and logs are raw. With raw,
                          each file is one frame
  --api NAME|KEY --version N
                          the API and version of frames that do not contain them, with one or both of
  --response              the frames are responses
  --body                  the frames have no header
  --records               print the record batches in Produce requests and fetch responses, or in a log: one line for each
                          batch and each record. Keys and values are printed as text, or in hex if they are not text;
                          those of internal topics and of the metadata log are decoded
  --no-keys, --no-values  the same, with only the sizes of keys, or of values and header values
  --topic NAME            the same, of a log whose folder does not show its topic: __consumer_offsets,
                          __transaction_state, __share_group_state, __cluster_metadata or __remote_log_metadata.
                          With none, nothing is decoded
  --grep TEXT             only records of a log whose key or value contains the text
  --from TIME, --until TIME
                          only records of a log from this time on, or before this time: milliseconds since 1970, or a
                          date such as 2026-11-30 or 2026-11-30T09:15:00Z
  --follow                wait for more batches at the end of a log, and continue with the next segment
  --port PORT             only the connections of a capture to this port of a broker
  --show-secrets          print the secrets of frames, which are hidden by default: SASL messages, salted passwords, keys of
                          delegation tokens, forwarded requests and responses, and values of configs such as
                          ssl.keystore.password. In their place, text and JSON have [secret]. Records are always printed
                          as they are
  --record FILE           write the frames of the proxy to a file also, which the tool reads again. It has them byte for
                          byte, with all passwords and other secrets
  --tls                   the brokers of the proxy have TLS. Clients connect to the proxy without it
  --ca FILE               the same, and their certificates are signed by the authorities in this file (PEM). By default, they
                          must be signed by an authority that the system trusts
  --color auto|always|never
                          colors in text: by default, if the output is a terminal and NO_COLOR is not set
  --max-frame BYTES       the largest frame or batch to read (268435456)
  --help, --version       print this text, or the version of the tool; so do the words help and version

All compression types and all record formats that Kafka has had are supported.

The exit code is 0 on success, 1 if something could not be read (its line gives the reason) or an index does not match its
segment, or 2 for wrong usage."""

/// The options parsed so far.
type private Given =
    { Content: Content option
      Files: string list
      Requests: string option
      Responses: string option
      Encoding: Encoding option
      Format: Format
      Api: ApiKey option
      ApiVersion: int16 option
      Response: bool
      Body: bool
      Records: bool
      Keys: bool
      Values: bool
      ShowSecrets: bool
      Decoding: Decoding
      Filter: Filter
      Follow: bool
      Port: int option
      Listen: IPEndPoint option
      To: (string * int) option
      Record: string option
      Tls: bool
      Authorities: string option
      IsProxy: bool
      Colors: Colors
      Limits: Limits }

let private nothing =
    { Content = None
      Files = []
      Requests = None
      Responses = None
      Encoding = None
      Format = Format.Text
      Api = None
      ApiVersion = None
      Response = false
      Body = false
      Records = false
      Keys = true
      Values = true
      ShowSecrets = false
      Decoding = Decoding.ByFile
      Filter = Filter.none
      Follow = false
      Port = None
      Listen = None
      To = None
      Record = None
      Tls = false
      Authorities = None
      IsProxy = false
      Colors = Colors.Auto
      Limits = Limits.standard }

let private place (name: string) = if name = "-" then Place.StandardInput else Place.File name

let private api (text: string) : Result<ApiKey, string> =
    match Int16.TryParse text with
    | true, code -> Ok(ApiKey code)
    | _ ->
        Apis.keys
        |> List.tryFind (fun key -> String.Equals(key.Name, text, StringComparison.OrdinalIgnoreCase))
        |> Option.map Ok
        |> Option.defaultWith (fun () -> Error("no API is named '" + text + "'"))

let private named (given: Given) : Result<Named option, string> =
    match given.Api, given.ApiVersion with
    | None, None when given.Response || given.Body -> Error "--response and --body need --api and --version"
    | None, None -> Ok None
    | None, Some _
    | Some _, None -> Error "--api and --version go together"
    | Some _, Some _ when not given.Response && not given.Body ->
        Error "a request's header contains its API and version: --api and --version go with --response or --body"
    | Some _, Some _ when given.Content.IsSome && given.Content <> Some Content.Frames && given.Content <> Some Content.Stream ->
        Error "a log has no APIs: --api and --version go with frames and streams"
    | Some api, Some version -> Ok(Some { Api = api; Version = version; IsResponse = given.Response; IsBody = given.Body })

/// The content of a file according to its name.
let private contentOf (file: string) : Content =
    let isNamed (suffixes: string list) = suffixes |> List.exists (fun suffix -> file.EndsWith(suffix, StringComparison.Ordinal))

    if isNamed [ ".log"; ".checkpoint" ] then Content.Log
    elif isNamed [ ".index"; ".timeindex"; ".txnindex"; ".snapshot" ] then Content.Index
    elif isNamed [ ".pcap"; ".pcapng" ] then Content.Capture
    else Content.Frames

let private inputs (given: Given) (named: Named option) : Result<Input list, string> =
    let guess (file: string) =
        match given.Content with
        | Some content -> content
        | None when named.IsNone -> contentOf file
        | None -> Content.Frames

    match given.Requests, given.Responses, given.Files with
    | Some _, None, _
    | None, Some _, _ -> Error "--requests and --responses go together"
    | Some _, Some _, _ when named.IsSome -> Error "--api and --version cannot be combined with --requests and --responses"
    | Some _, Some _, _ when given.Content.IsSome && given.Content <> Some Content.Stream -> Error "--requests and --responses name streams"
    | Some _, Some _, file :: _ -> Error("'" + file + "' cannot be combined with --requests and --responses")
    | Some "-", Some "-", _ -> Error "only one of --requests and --responses can be standard input"
    | Some requests, Some responses, [] -> Ok [ Input.Conversation(place requests, place responses) ]
    | None, None, [] -> Ok [ Input.One(guess "-", Place.StandardInput) ]
    | None, None, files -> Ok [ for file in List.rev files -> Input.One(guess file, place file) ]

/// What is wrong with options that go with logs only, or with one log only.
let private misused (given: Given) (inputs: Input list) : string option =
    let all contents =
        inputs
        |> List.forall (fun input ->
            match input with
            | Input.One(content, _) -> List.contains content contents
            | Input.Conversation _
            | Input.Proxy _ -> false)

    let isOneFile =
        match inputs with
        | [ Input.One(Content.Log, Place.File _) ] -> true
        | _ -> false

    let hasLog =
        inputs
        |> List.exists (fun input ->
            match input with
            | Input.One((Content.Log | Content.Statistics | Content.Index), _) -> true
            | _ -> false)

    let isWithoutFile =
        inputs
        |> List.exists (fun input ->
            match input with
            | Input.One(Content.Index, Place.StandardInput) -> true
            | _ -> false)

    if given.Filter <> Filter.none && not (all [ Content.Log ]) then
        Some "--grep, --from and --until go with logs"
    elif given.Decoding <> Decoding.ByFile && not (all [ Content.Log ]) then
        Some "--topic goes with logs: the frames of fetch and produce requests name their topics"
    elif given.ShowSecrets && hasLog then
        Some "--show-secrets goes with frames: the records of a log are printed as they are"
    elif given.Follow && not isOneFile then
        Some "--follow goes with one log segment, and not with standard input"
    elif given.Follow && given.Encoding.IsSome && given.Encoding <> Some Encoding.Raw then
        Some "--follow goes with raw segments"
    elif given.Port.IsSome && not (all [ Content.Capture ]) then
        Some "--port goes with captures"
    elif isWithoutFile then
        Some "an index needs a file: its name and folder say what it is the index of"
    else
        None

/// The proxy, if the arguments are those of one.
let private proxy (given: Given) : Result<Input list, string> =
    match given.Listen, given.To with
    | Some listen, Some(host, port) when given.Files.IsEmpty && given.Encoding.IsNone && given.Requests.IsNone && given.Responses.IsNone ->
        Ok
            [ Input.Proxy
                  { Listen = listen; Host = host; Port = port; Tls = given.Tls; Authorities = given.Authorities; Record = given.Record } ]
    | Some _, Some _ -> Error "a proxy reads no files"
    | _ -> Error "a proxy needs --listen and --to"

let private inputsOrProxy (given: Given) (named: Named option) : Result<Input list, string> =
    if given.IsProxy then
        if named.IsSome then Error "--api and --version do not go with a proxy" else proxy given
    elif given.Listen.IsSome || given.To.IsSome || given.Record.IsSome || given.Tls then
        Error "--listen, --to, --record, --tls and --ca go with a proxy"
    else
        inputs given named

let private finish (given: Given) : Result<Command, string> =
    named given
    |> Result.bind (fun named ->
        inputsOrProxy given named
        |> Result.bind (fun inputs ->
            match misused given inputs with
            | Some reason -> Error reason
            | None -> Ok inputs)
        |> Result.map (fun inputs ->
            Command.Run
                { Inputs = inputs
                  Encoding = given.Encoding
                  Format = given.Format
                  Named = named
                  Records = given.Records
                  Keys = given.Keys
                  Values = given.Values
                  ShowSecrets = given.ShowSecrets
                  Decoding = given.Decoding
                  Filter = given.Filter
                  Follow = given.Follow
                  Port = given.Port
                  Colors = given.Colors
                  Limits = given.Limits }))

let private takesValue =
    [ "--format"
      "--input"
      "--api"
      "--version"
      "--requests"
      "--responses"
      "--topic"
      "--grep"
      "--from"
      "--until"
      "--port"
      "--listen"
      "--to"
      "--record"
      "--ca"
      "--color"
      "--max-frame" ]

let private tcpPort (lowest: int) (text: string) : int option =
    match Int32.TryParse text with
    | true, port when port >= lowest && port < 65536 -> Some port
    | _ -> None

/// A port, or an address and a port. A port alone is that of this machine only.
let private listen (text: string) : Result<IPEndPoint, string> =
    match tcpPort 0 text, IPEndPoint.TryParse text with
    | Some port, _ -> Ok(IPEndPoint(IPAddress.Loopback, port))
    | None, (true, NonNull point) when text.Contains ':' -> Ok point
    | _ -> Error("--listen needs a port, or an IP address and a port such as 0.0.0.0:9093, not '" + text + "'")

let private target (text: string) : Result<string * int, string> =
    let cut = text.LastIndexOf ':'

    match (if cut > 0 then tcpPort 1 (text.Substring(cut + 1)) else None) with
    | Some port -> Ok(text.Substring(0, cut).Trim('[', ']'), port)
    | None -> Error("--to needs a host and a port such as localhost:9092, not '" + text + "'")

let private topic (name: string) : Result<Decoding, string> =
    match name, InternalTopic.ofName name with
    | "none", _ -> Ok Decoding.Never
    | _, Some topic -> Ok(Decoding.Topic topic)
    | _, None -> Error("--topic must be " + String.Join(", ", InternalTopic.names) + " or none, not '" + name + "'")

/// The times of a filter, in milliseconds since the epoch.
let private time (option: string) (text: string) : Result<int64, string> =
    match Filter.time text with
    | Some time -> Ok time
    | None -> Error(option + " needs milliseconds since 1970 or a date such as 2026-11-30T09:15:00Z, not '" + text + "'")

let private option (given: Given) (name: string) (value: string) : Result<Given, string> =
    match name, value with
    | "--format", "text" -> Ok { given with Format = Format.Text }
    | "--format", "json" -> Ok { given with Format = Format.Json }
    | "--format", other -> Error("--format must be text or json, not '" + other + "'")
    | "--input", "hex" -> Ok { given with Encoding = Some Encoding.Hex }
    | "--input", "base64" -> Ok { given with Encoding = Some Encoding.Base64 }
    | "--input", "raw" -> Ok { given with Encoding = Some Encoding.Raw }
    | "--input", other -> Error("--input must be hex, base64 or raw, not '" + other + "'")
    | "--api", text -> api text |> Result.map (fun key -> { given with Api = Some key })
    | "--version", text ->
        match Int16.TryParse text with
        | true, version when version >= 0s -> Ok { given with ApiVersion = Some version }
        | _ -> Error("--version needs a version number or must be the only argument, not '" + text + "'")
    | "--max-frame", text ->
        match Int32.TryParse text with
        | true, most when most > 0 && most <= Array.MaxLength -> Ok { given with Limits = { given.Limits with MaxFrameBytes = most } }
        | _ -> Error("--max-frame needs a number of bytes from 1 to " + string Array.MaxLength + ", not '" + text + "'")
    | "--topic", name -> topic name |> Result.map (fun decoding -> { given with Records = true; Decoding = decoding })
    | "--grep", "" -> Error "--grep needs a text"
    | "--grep", text ->
        let filter = { given.Filter with Text = Some(Text.Encoding.UTF8.GetBytes text) }
        Ok { given with Records = true; Filter = filter }
    | "--from", text ->
        time name text
        |> Result.map (fun time -> { given with Records = true; Filter = { given.Filter with From = Some time } })
    | "--until", text ->
        time name text
        |> Result.map (fun time -> { given with Records = true; Filter = { given.Filter with Until = Some time } })
    | "--port", text ->
        match tcpPort 1 text with
        | Some port -> Ok { given with Port = Some port }
        | None -> Error("--port needs a port number, not '" + text + "'")
    | "--listen", text -> listen text |> Result.map (fun point -> { given with Listen = Some point })
    | "--to", text -> target text |> Result.map (fun target -> { given with To = Some target })
    | "--record", file -> Ok { given with Record = Some file }
    | "--ca", file -> Ok { given with Tls = true; Authorities = Some file }
    | "--color", "auto" -> Ok { given with Colors = Colors.Auto }
    | "--color", "always" -> Ok { given with Colors = Colors.Always }
    | "--color", "never" -> Ok { given with Colors = Colors.Never }
    | "--color", other -> Error("--color must be auto, always or never, not '" + other + "'")
    | "--requests", file -> Ok { given with Requests = Some file }
    | _, file -> Ok { given with Responses = Some file }

/// The command of the arguments, or a line that says what is wrong with them.
let parse (arguments: string list) : Result<Command, string> =
    let rec go (given: Given) (arguments: string list) : Result<Command, string> =
        match arguments with
        | [] -> finish given
        | "--" :: files -> finish { given with Files = List.rev files @ given.Files }
        | ("--help" | "-h") :: _ -> Ok Command.Help
        | "--response" :: rest -> go { given with Response = true } rest
        | "--body" :: rest -> go { given with Body = true } rest
        | "--records" :: rest -> go { given with Records = true } rest
        | "--no-keys" :: rest -> go { given with Records = true; Keys = false } rest
        | "--no-values" :: rest -> go { given with Records = true; Values = false } rest
        | "--show-secrets" :: rest -> go { given with ShowSecrets = true } rest
        | "--follow" :: rest -> go { given with Follow = true } rest
        | "--tls" :: rest -> go { given with Tls = true } rest
        | [ name ] when List.contains name takesValue -> Error(name + " needs a value")
        | name :: value :: rest when List.contains name takesValue -> option given name value |> Result.bind (fun given -> go given rest)
        | name :: rest when name.StartsWith "--" && name.Contains '=' && List.contains (name.Substring(0, name.IndexOf '=')) takesValue ->
            go given (name.Substring(0, name.IndexOf '=') :: name.Substring(name.IndexOf '=' + 1) :: rest)
        | name :: _ when name.StartsWith '-' && name <> "-" -> Error("unknown option '" + name + "'")
        | word :: rest when given.Content.IsNone && given.Files.IsEmpty && not given.IsProxy ->
            match word with
            | "frames" -> go { given with Content = Some Content.Frames } rest
            | "stream" -> go { given with Content = Some Content.Stream } rest
            | "log" -> go { given with Content = Some Content.Log } rest
            | "stats" -> go { given with Content = Some Content.Statistics } rest
            | "index" -> go { given with Content = Some Content.Index } rest
            | "capture" -> go { given with Content = Some Content.Capture } rest
            | "proxy" -> go { given with IsProxy = true } rest
            | "help" -> Ok Command.Help
            | file -> go { given with Files = [ file ] } rest
        | file :: rest -> go { given with Files = file :: given.Files } rest

    match arguments with
    | [ "--version" | "version" ] -> Ok Command.Version
    | arguments -> go nothing arguments
