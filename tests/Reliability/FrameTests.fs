/// Invariant 1: a frame never desynchronises. After any fault the connection is closed and never used again.
module LibKafka.Reliability.FrameTests

open System
open System.Buffers.Binary
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Reliability.Support

let private topic = "orders"

/// A call on a connection to the only broker.
type private Call = { Name: string; Api: ApiKey; Make: Connection -> CallOptions -> Result<unit, ClientFault> }

let private call (api: Api<'Request, 'Response>) (request: 'Request) : Call =
    { Name = api.Key.ToString()
      Api = api.Key
      Make = fun connection options -> (connection.Call(api, request, options)).Result |> Result.map ignore }

let private metadata: Metadata.Request =
    { Topics = None
      AllowAutoTopicCreation = false
      IncludeClusterAuthorizedOperations = false
      IncludeTopicAuthorizedOperations = false }

let private coordinator: FindCoordinator.Request = { FindCoordinator.api.Request.Schema.Default with Keys = [ "group" ] }

let private producerId: InitProducerId.Request =
    { InitProducerId.api.Request.Schema.Default with TransactionTimeoutMs = 60_000; ProducerId = -1L; ProducerEpoch = -1s }

let private listOffsets: ListOffsets.Request =
    let partition: ListOffsets.PartitionRequest =
        { ListOffsets.partitionRequest.Default with PartitionIndex = 0; CurrentLeaderEpoch = -1; Spec = OffsetSpec.Latest }

    { ListOffsets.api.Request.Schema.Default with Topics = [ { Name = topic; Partitions = [ partition ] } ] }

let private calls: Call list =
    [ call Metadata.api metadata
      call FindCoordinator.api coordinator
      call InitProducerId.api producerId
      call ListOffsets.api listOffsets ]

let private withBroker (test: TestBroker -> unit) =
    use kafka = TestBroker.Start 1
    kafka.Topic topic
    test kafka
    demandSound kafka

/// A connection of a client with its own id, by which its requests are found.
let private connect (kafka: TestBroker) (id: string) : Connection =
    Connection.Open({ settings with ClientId = id }, { Host = "127.0.0.1"; Port = kafka.State.Nodes[1].Port }) |> ok

let private requestsOf (kafka: TestBroker) (id: string) : int =
    kafka.Requests |> Seq.filter (fun exchange -> exchange.ClientId = id) |> Seq.length

/// The connection is closed after the fault, and nothing more is sent on it.
let private isDead (kafka: TestBroker) (connection: Connection) (id: string) (one: Call) (options: CallOptions) (what: string) =
    Expect.isError (one.Make connection options) (what + ": a fault")
    Expect.isFalse connection.IsOpen (what + ": the connection is closed")
    let sent = requestsOf kafka id

    match one.Make connection CallOptions.standard with
    | Error(ClientFault.Unusable _) -> ()
    | other -> failtestf "%s: another call on the connection: %A" what other

    Expect.equal (requestsOf kafka id) sent (what + ": nothing was sent after it")
    Figures.add "1. faults of a connection, each of which closed it" 1

let private faults (one: Call) =
    testCase ("any fault of a response closes the connection: " + one.Name) (fun () ->
        withBroker (fun kafka ->
            let random = Random seed

            for round in 1 .. (if isLong then 100 else 5) do
                for index, (name, _) in List.indexed (Broken.reactions random 0) do
                    // Each round that waits for a time-out costs its time.
                    let isSlow = name = "there is no response" || name = "the request is ignored"

                    if not isSlow || round <= (if isLong then 10 else 1) then
                        let id = $"{one.Name}-{round}-{index}"
                        use connection = connect kafka id
                        let options = { CallOptions.standard with Timeout = (if isSlow then Some(ms 60) else None) }

                        kafka.Script.On(
                            RequestFilter(Api = Nullable one.Api),
                            Func<_, _>(fun (exchange: LibKafka.Testing.BrokerExchange) ->
                                snd (List.item index (Broken.reactions random exchange.Header.CorrelationId)))
                        )
                        |> ignore

                        // Of a response that is cut off, not all bytes may have arrived.
                        if name <> "the response is cut off" then
                            isDead kafka connection id one options $"{name} (seed {seed})"

                        kafka.Script.Clear()
                        kafka.ClearRequests()))

let private cuts (one: Call) =
    testCase ("a response that ends at any byte closes the connection: " + one.Name) (fun () ->
        withBroker (fun kafka ->
            use relay = new ByteRelay(kafka)

            let size =
                use connection = connect kafka "calm"
                relay.Count()
                one.Make connection CallOptions.standard |> ok
                relay.Passed Direction.Responses

            for at in 0L .. size - 1L do
                let id = $"{one.Name}-{at}"
                use connection = connect kafka id
                kafka.Script.On(one.Api, Reaction.CutAfter(int at)) |> ignore
                isDead kafka connection id one CallOptions.standard $"the response ends after {at} of {size} bytes"
                kafka.ClearRequests()))

/// The body of a response is replaced by random bytes: if it can be read by chance, the frames are still in step.
let private garbage (one: Call) =
    testCase ("a response of random bytes closes the connection, or the next response is the right one: " + one.Name) (fun () ->
        withBroker (fun kafka ->
            let random = Random seed

            for round in 1 .. (if isLong then 5_000 else 200) do
                use connection = connect kafka $"garbage-{round}"
                let body = Array.zeroCreate<byte>(random.Next 80)
                random.NextBytes body

                // Half of them have mostly zeros, which are valid more often.
                if random.Next 2 = 0 then
                    for index in 0 .. body.Length - 1 do
                        if random.Next 8 > 0 then body[index] <- 0uy

                let spoil (exchange: LibKafka.Testing.BrokerExchange) =
                    let frame = Array.zeroCreate<byte>(8 + body.Length)
                    BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(), 4 + body.Length)
                    BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan 4, exchange.Header.CorrelationId)
                    body.CopyTo(frame, 8)
                    Reaction.Raw(Bytes frame)

                kafka.Script.On(RequestFilter(Api = Nullable one.Api), Func<_, _> spoil) |> ignore
                let result = one.Make connection CallOptions.standard
                Figures.add "1. responses of random bytes" 1

                if connection.IsOpen then
                    Expect.isOk result $"an open connection after a response (seed {seed})"
                    let bootstrap = (connection.Call(Metadata.api, metadata)).Result |> ok
                    Expect.equal bootstrap.Brokers.Head.NodeId 1 $"the response to the next request (seed {seed})"
                else
                    Expect.isError result $"a closed connection after a fault (seed {seed})"))

[<Tests>]
let tests =
    testList
        "1 frames"
        [ for one in calls do
              faults one
              cuts one
              garbage one ]
