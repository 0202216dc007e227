/// A test cluster without sockets, with a clock of its own.
module LibKafka.Properties.Testing.PureCluster

open Expecto
open LibKafka
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Testing

/// A cluster that remembers its state between requests.
[<Sealed>]
type PureCluster(initial: State) =
    let mutable state = initial

    /// The time in milliseconds.
    member val Now = 1_000_000L with get, set

    /// The connection and the client of the next requests.
    member val Connection = 1L with get, set

    member val ClientId = "client" with get, set
    member _.State = state
    member _.Change(update: State -> State) = state <- update state

    /// Lets time pass, and does what is due at each moment.
    member this.Wait(milliseconds: int) =
        let until = this.Now + int64 milliseconds
        let mutable isOver = false

        while not isOver do
            match Broker.nextTick state with
            | ValueSome due when due <= until ->
                this.Now <- max this.Now due
                state <- Broker.tick this.Now state
            | _ -> isOver <- true

        this.Now <- until

    /// The answer of a broker.
    member this.Ask(version: int16, request: Request, ?node: int32) : Answer =
        let caller =
            { Node = defaultArg node 1
              Connection = this.Connection
              Host = "127.0.0.1"
              Principal = "User:ANONYMOUS"
              Header = { ApiKey = Request.apiKey request; ApiVersion = version; CorrelationId = 1; ClientId = Some this.ClientId }
              RequestSize = 100 }

        let after, answer = Broker.handle this.Now caller state request
        state <- after
        answer

    /// The response of a broker, after the time that it takes.
    member this.Get(version: int16, request: Request) : Response =
        let rec response (answer: Answer) =
            match answer with
            | Reply response -> response
            | Later waiting ->
                match waiting.Ready this.Now state with
                | ValueSome(after, answer) ->
                    state <- after
                    response answer
                | ValueNone when this.Now < waiting.Until ->
                    this.Wait 1
                    response answer
                | ValueNone -> failtest "The broker does not answer."
            | _ -> failtest "The broker does not answer with a response."

        response (this.Ask(version, request))

/// A cluster of brokers with topics of so many partitions.
let start (settings: ClusterSettings) (brokers: int) (topics: (string * int) list) : PureCluster =
    let nodes =
        [ for id in 1..brokers -> { Id = id; Host = "broker" + string id; Port = 9092; Rack = None; Status = NodeStatus.Running } ]

    let create state (name, partitions) = fst (Topics.create name partitions 1 Map.empty state)
    PureCluster(topics |> List.fold create (State.create settings nodes))

/// A record with only a value.
let private record (offset: int) (value: string) : RecordData =
    { Offset = int64 offset; Timestamp = 5L; Key = ValueNone; Value = ValueSome(Bytes.ofString value); Headers = [] }

let batch (options: BatchOptions) (values: string list) : Bytes =
    match BatchBuilder.build options (values |> List.mapi record) with
    | Ok batch -> batch.Bytes
    | Error fault -> failtest (fault.ToString())

/// A batch of an idempotent producer.
let options (isTransactional: bool) (producerId: int64) (epoch: int16) (sequence: int) : BatchOptions =
    { BatchOptions.standard with
        IsTransactional = isTransactional
        ProducerId = producerId
        ProducerEpoch = epoch
        BaseSequence = sequence }

let produceRequest (transactionalId: string option) (topic: string) (partition: int) (records: Bytes) : Request =
    Request.Produce
        { TransactionalId = transactionalId
          Acks = Acks.All
          TimeoutMs = 1000
          Topics = [ { Name = topic; TopicId = System.Guid.Empty; Partitions = [ { Index = partition; Records = Some records } ] } ] }

/// The response for the only partition.
let produced (response: Response) : Produce.PartitionResponse =
    match response with
    | Response.Produce { Topics = [ { Partitions = [ partition ] } ] } -> partition
    | other -> failtest (Response.show other)
