/// A broker that leads every partition of every topic, over TCP, TLS or SASL, and answers what a client asks before it can send its first request.
/// librdkafka's mock brokers have neither TLS nor SASL.
module LibKafka.Benchmarks.EndToEnd.ConnectBroker

open System
open System.Buffers.Binary
open System.IO
open System.Net
open System.Net.Security
open System.Net.Sockets
open System.Security.Cryptography
open System.Security.Cryptography.X509Certificates
open System.Text
open System.Threading
open LibKafka.Wire
open LibKafka.Protocol

let user, password = "bench", "secret"

/// The name in the broker's certificate, which it can be connected to by.
let host = "localhost"

let private utf8 (text: string) : byte[] = Encoding.UTF8.GetBytes text

// ---------------------------------------------------------------------------------------------------------------------
// SCRAM-SHA-256 (RFC 5802)

let private iterations = 4096
let private salt = utf8 "salt"
let private mac (key: byte[]) (message: string) : byte[] = HMACSHA256.HashData(key, utf8 message)

// As Kafka's brokers do, it keeps the key and not the password.
let private serverKey =
    lazy mac (Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA256, 32)) "Server Key"

/// The server's first message to the client's.
let private serverFirst (clientFirst: string) : string =
    let nonce = clientFirst.Substring(clientFirst.IndexOf(",r=", StringComparison.Ordinal) + 3)
    "r=" + nonce + "server,s=" + Convert.ToBase64String salt + ",i=" + string iterations

/// The server's last message. The client's proof is not checked.
let private serverFinal (clientFirst: string) (clientFinal: string) : string =
    let withoutProof = clientFinal.Substring(0, clientFinal.LastIndexOf(",p=", StringComparison.Ordinal))
    let message = clientFirst.Substring 3 + "," + serverFirst clientFirst + "," + withoutProof
    "v=" + Convert.ToBase64String(mac serverKey.Value message)

// ---------------------------------------------------------------------------------------------------------------------
// Answers

let private versions: ApiVersions.Response =
    let range (api: Api<'Request, 'Response>) : ApiVersions.ApiVersion =
        { ApiKey = api.Key; MinVersion = api.Versions.Lowest; MaxVersion = api.Versions.Highest }

    { ApiVersions.response.Default with
        ApiKeys =
            [ range Produce.api
              range Fetch.api
              range Metadata.api
              range ApiVersions.api
              range SaslHandshake.api
              range SaslAuthenticate.api ] }

let private metadata (port: int) (partitions: int) (request: Metadata.Request) : Metadata.Response =
    let partition index : Metadata.Partition =
        { Metadata.partition.Default with
            PartitionIndex = index
            LeaderId = 1
            LeaderEpoch = 0
            ReplicaNodes = [ 1 ]
            IsrNodes = [ 1 ] }

    let topic (asked: Metadata.TopicRequest) : Metadata.Topic =
        { Metadata.topic.Default with
            Name = asked.Name
            TopicId = Guid "11111111-2222-3333-4444-555555555555"
            Partitions = List.init partitions partition }

    { Metadata.response.Default with
        Brokers = [ { Metadata.broker.Default with NodeId = 1; Host = host; Port = port } ]
        ControllerId = 1
        Topics = request.Topics |> Option.defaultValue [] |> List.map topic }

/// The answers to the requests of one connection, and the client's first message of SCRAM.
type private Conversation(port: int, partitions: int) =
    let mutable clientFirst = ""

    let authenticate (message: string) : SaslAuthenticate.Response =
        let reply =
            if clientFirst = "" then
                clientFirst <- message
                serverFirst message
            else
                serverFinal clientFirst message

        { SaslAuthenticate.response.Default with AuthBytes = Bytes.ofString reply }

    member _.Answer(frame: byte[]) : byte[] =
        match Frame.decodeRequest Limits.standard (Bytes frame) with
        | Error fault -> invalidOp (fault.ToString())
        | Ok(header, request) ->
            let encode (api: Api<'Request, 'Response>) (response: 'Response) =
                match Frame.encodeResponse api header.ApiVersion header.CorrelationId response with
                | Ok bytes -> bytes.ToArray()
                | Error fault -> invalidOp (fault.ToString())

            match request with
            | Request.ApiVersions _ -> encode ApiVersions.api versions
            | Request.Metadata request -> encode Metadata.api (metadata port partitions request)
            | Request.SaslHandshake request ->
                encode SaslHandshake.api { SaslHandshake.response.Default with Mechanisms = [ request.Mechanism ] }
            | Request.SaslAuthenticate request -> encode SaslAuthenticate.api (authenticate (Bytes.toText request.AuthBytes))
            | _ -> invalidOp (header.ApiKey.ToString() + " is not expected")

let rec private serve (stream: Stream) (conversation: Conversation) =
    let prefix: byte[] = Array.zeroCreate 4

    if stream.ReadAtLeast(Span prefix, 4, false) = 4 then
        let frame = Array.zeroCreate<byte>(BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan prefix))
        stream.ReadExactly(Span frame)
        let answer = conversation.Answer frame
        BinaryPrimitives.WriteInt32BigEndian(Span prefix, answer.Length)
        stream.Write(ReadOnlySpan(Array.append prefix answer))
        serve stream conversation

/// Listens, with a thread for each connection, until the process ends. Returns the port.
let private listen (partitions: int) (secure: Stream -> Stream) : int =
    let listener = new TcpListener(IPAddress.Loopback, 0)
    listener.Start 1024
    let port = (listener.LocalEndpoint :?> IPEndPoint).Port
    let background (work: unit -> unit) = Thread(work, 256 * 1024, IsBackground = true).Start()

    let converse (socket: Socket) =
        try
            socket.NoDelay <- true
            use stream = secure (new NetworkStream(socket, true))
            serve stream (Conversation(port, partitions))
        with
        | :? IOException
        | :? SocketException -> ()

    background (fun () ->
        while true do
            let socket = listener.AcceptSocket()
            background (fun () -> converse socket))

    port

let private certificate () : X509Certificate2 =
    use key = RSA.Create 2048
    let request = CertificateRequest("CN=" + host, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
    let names = SubjectAlternativeNameBuilder()
    names.AddDnsName host
    request.CertificateExtensions.Add(names.Build())
    request.CertificateExtensions.Add(X509BasicConstraintsExtension(true, false, 0, true))
    use made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays -1.0, DateTimeOffset.UtcNow.AddDays 1.0)
    X509CertificateLoader.LoadPkcs12(made.Export X509ContentType.Pkcs12, null)

/// Runs until the standard input ends. Writes the certificate of the listener with TLS to a file, and prints the ports of the listeners: plain,
/// with TLS, and with SASL.
let run (partitions: int) (certificateFile: string) =
    let certificate = certificate ()
    File.WriteAllText(certificateFile, certificate.ExportCertificatePem())
    let context = SslStreamCertificateContext.Create(certificate, null, true)
    let options = SslServerAuthenticationOptions(ServerCertificateContext = context)

    let overTls (stream: Stream) : Stream =
        let secure = new SslStream(stream)
        secure.AuthenticateAsServer options
        secure

    Console.Out.WriteLine(String.Join(" ", [ listen partitions id; listen partitions overTls; listen partitions id ]))
    Console.Out.Flush()
    Console.In.ReadToEnd() |> ignore
