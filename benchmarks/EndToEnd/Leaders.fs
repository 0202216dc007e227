/// What it costs until each partition of a topic has a connection to its leader: if each client asks for its leader on a connection of its own,
/// and if leaders are asked for once and handed to the clients. It runs on a broker of its own, or on a real cluster whose listeners
/// LIBKAFKA_BOOTSTRAP, LIBKAFKA_TLS_BOOTSTRAP (with LIBKAFKA_CERTS) and LIBKAFKA_SASL_BOOTSTRAP (with LIBKAFKA_SASL_USER and
/// LIBKAFKA_SASL_PASSWORD) name, as for the integration tests.
module LibKafka.Benchmarks.EndToEnd.Leaders

open System
open System.IO
open System.Net
open System.Threading
open System.Threading.Tasks
open LibKafka.Client
open LibKafka.Benchmarks.Rows
open LibKafka.Benchmarks.EndToEnd.Processes

let private partitions = 1000
let private turns = 3

let private variable (name: string) : string option =
    match Environment.GetEnvironmentVariable name with
    | null
    | "" -> None
    | value -> Some value

/// A listener of the brokers.
type private Listener =
    {
        /// `plain`, `tls` or `scram`.
        Security: string
        Bootstrap: string
        /// A folder with `ca.pem`, and `client.pem` and `client.key` if the brokers require a certificate.
        Certificates: string
        User: string
        Password: string
        Topic: string
    }

    member this.Arguments = [ this.Security; this.Bootstrap; this.Certificates; this.User; this.Password; this.Topic ]

let private listenerOf (arguments: string list) : Listener =
    match arguments with
    | [ security; bootstrap; certificates; user; password; topic ] ->
        { Security = security
          Bootstrap = bootstrap
          Certificates = certificates
          User = user
          Password = password
          Topic = topic }
    | _ -> invalidOp "a listener has six arguments"

let private orFail (result: Result<'T, 'Problem>) : 'T =
    match result with
    | Ok value -> value
    | Error problem -> invalidOp (string (box problem))

let private tls (folder: string) : Tls =
    let file (name: string) = Some(Path.Combine(folder, name)) |> Option.filter File.Exists

    Tls.ofPemFiles { Authorities = file "ca.pem"; Certificate = file "client.pem"; Key = file "client.key"; KeyPassword = None }
    |> orFail

let private settings (listener: Listener) : ClientSettings =
    let loopback (host: string) (stop: CancellationToken) =
        if host = ConnectBroker.host then
            Task.FromResult [| IPAddress.Loopback |]
        else
            Dns.GetHostAddressesAsync(host, stop)

    let plain = { Ours.settings with LookUpHost = loopback }

    match listener.Security with
    | "tls" -> { plain with Tls = Some(tls listener.Certificates) }
    | "scram" -> { plain with Sasl = Some(Sasl.scramSha256 listener.User listener.Password) }
    | _ -> plain

// ---------------------------------------------------------------------------------------------------------------------
// In the child process

/// Connects clients of that many partitions. Returns them.
let private connect (way: string) (settings: ClientSettings) (bootstrap: Bootstrap) (topic: string) (count: int) : PartitionClient list =
    let clients =
        [ for partition in 0 .. count - 1 -> new PartitionClient(settings, bootstrap, { Topic = topic; Partition = partition }) ]

    if way = "handed" then
        let leaders = (Cluster.FindLeaders(settings, bootstrap, [ topic ]) |> orFail).Head

        for client in clients do
            client.UseLeader(leaders.LeaderOf client.Partition.Partition |> orFail) |> ignore

    for client in clients do
        client.Connect() |> orFail |> ignore

    clients

/// Connects clients of that many partitions in one of the two ways, and prints what it costs.
let connecting (way: string) (count: int) (arguments: string list) =
    let listener = listenerOf arguments
    let settings = settings listener
    let bootstrap = Bootstrap.parse listener.Bootstrap |> orFail
    let connect = connect way settings bootstrap listener.Topic
    let close (clients: PartitionClient list) = clients |> List.iter _.Close()

    // The JIT compiler optimises in the background what has been used 30 times.
    for _ in 1..4 do
        connect 100 |> close
        Thread.Sleep 300

    let mutable clients = []

    print (
        measure (fun () ->
            clients <- connect count
            Double.NaN)
    )

    close clients

// ---------------------------------------------------------------------------------------------------------------------
// In the parent process

let private createTopic (listener: Listener) : Listener =
    let topic = "libkafka-bench-" + Guid.NewGuid().ToString "N"
    let brokers = Bootstrap.parse listener.Bootstrap |> orFail
    use admin = new AdminClient(settings listener, brokers)

    for _, result in
        admin
            .CreateTopics([ { Name = topic; Partitions = partitions; ReplicationFactor = 1s; Configs = [] } ], TimeSpan.FromSeconds 30.0)
            .Result do
        result |> orFail |> ignore

    let hasLeaders () =
        let found = (Cluster.FindLeaders(settings listener, brokers, [ topic ]) |> orFail).Head
        found.PartitionCount = partitions && found.Partitions |> Map.forall (fun _ leader -> leader.IsOk)

    while not (hasLeaders ()) do
        Thread.Sleep 100

    { listener with Topic = topic }

let private deleteTopic (listener: Listener) =
    use admin = new AdminClient(settings listener, Bootstrap.parse listener.Bootstrap |> orFail)
    admin.DeleteTopics([ listener.Topic ], TimeSpan.FromSeconds 30.0) |> ignore

let private rowsOf (listener: Listener) : Row list =
    let measured way count : Round =
        use child = start ("connecting" :: way :: string count :: listener.Arguments)
        lines child |> List.map parse |> List.exactlyOne

    [ for count in [ 200; partitions ] do
          let rounds = [ for _ in 1..turns -> measured "handed" count, measured "asking" count ]

          let row unit (value: Round -> float) : Row =
              let each way = (rounds |> List.map (way >> value) |> median) / float count

              { Name = "connect"
                Shape = $"leaders, {listener.Security}, {count}"
                Unit = unit
                Value = each fst
                Floor = Nullable()
                Peers = peers [ "each asks", each snd ]
                AllocatedPerRecord = Nullable() }

          row "CPU ms each" (fun round -> round.CpuSeconds * 1000.0)
          row "ms each" (fun round -> round.Seconds * 1000.0) ]

let private ofRealCluster () : Listener list =
    let certificates = variable "LIBKAFKA_CERTS" |> Option.defaultValue ""

    [ for security, name in [ "plain", "LIBKAFKA_BOOTSTRAP"; "tls", "LIBKAFKA_TLS_BOOTSTRAP"; "scram", "LIBKAFKA_SASL_BOOTSTRAP" ] do
          for bootstrap in Option.toList (variable name) do
              { Security = security
                Bootstrap = bootstrap
                Certificates = certificates
                User = variable "LIBKAFKA_SASL_USER" |> Option.defaultValue ""
                Password = variable "LIBKAFKA_SASL_PASSWORD" |> Option.defaultValue ""
                Topic = "" } ]

let private onOwnBroker () : Row list =
    let folder = Directory.CreateTempSubdirectory "libkafka-bench-"
    use child = start [ "connect-broker"; string partitions; Path.Combine(folder.FullName, "ca.pem") ]

    try
        let ports = (nonNull (child.StandardOutput.ReadLine())).Split ' '

        List.zip [ "plain"; "tls"; "scram" ] (List.ofArray ports)
        |> List.collect (fun (security, port) ->
            rowsOf
                { Security = security
                  Bootstrap = ConnectBroker.host + ":" + port
                  Certificates = folder.FullName
                  User = ConnectBroker.user
                  Password = ConnectBroker.password
                  Topic = "connected" })
    finally
        child.StandardInput.Close()
        child.WaitForExit()
        folder.Delete true

/// Until the clients of many partitions are connected.
let rows () : Row list =
    match ofRealCluster () with
    | [] -> onOwnBroker ()
    | listeners ->
        listeners
        |> List.collect (fun listener ->
            let listener = createTopic listener

            try
                rowsOf listener
            finally
                deleteTopic listener)
