namespace LibKafka.Client

open System
open System.Collections.Generic
open LibKafka.Wire
open LibKafka.Protocol

/// The brokers that an admin client asks: a connection to each, which is kept for the next call, and what was sent in the current call.
[<Sealed>]
type internal AdminBrokers(settings: ClientSettings, bootstrap: Bootstrap) =
    let log = List<ExchangeInfo>()

    let observed =
        { settings with
            Observe =
                fun info ->
                    log.Add info
                    settings.Observe info }

    let connections = Dictionary<BrokerAddress, Connection>()

    let keep (connection: Connection) =
        connections[connection.Broker] <- connection
        connection

    // A connection that is too old or was unused for too long still has its socket.
    let closeUnusable () =
        for connection in List.ofSeq connections.Values do
            if not connection.IsOpen then
                connection.Close()
                connections.Remove connection.Broker |> ignore

    /// Runs one call, for which `start` begins the operation. Returns what was sent, and the result.
    member _.Run(start: ClientSettings -> Operation, work: Operation -> 'T) : ExchangeInfo list * 'T =
        log.Clear()
        closeUnusable ()
        let result = work (start observed)
        List.ofSeq log, result

    /// A connection to a broker.
    member _.Connect(broker: BrokerAddress, operation: Operation) : Result<Connection, ClientFault> =
        match connections.TryGetValue broker with
        | true, connection when connection.IsOpen -> Ok connection
        | _ -> Connection.Open(broker, operation) |> Result.map keep

    /// A connection to any broker.
    member _.ConnectAny(operation: Operation) : Result<Connection, ClientFault> =
        match connections.Values |> Seq.tryFind _.IsOpen with
        | Some connection -> Ok connection
        | None -> Role.connectAny bootstrap operation |> Result.map keep

    /// The brokers and some topics, or all topics if `topics` is none.
    member this.Metadata(topics: string list option, operation: Operation) : Result<Metadata.Response, ClientFault> =
        this.ConnectAny operation |> Result.bind (Role.askMetadata topics operation)

    /// A connection to the controller, or to any broker if the cluster names no controller.
    member this.ConnectController(operation: Operation) : Result<Connection, ClientFault> =
        this.Metadata(Some [], operation)
        |> Result.bind (fun response ->
            match BrokerQuery.addressIn response response.ControllerId with
            | Some controller -> this.Connect(controller, operation)
            | None -> this.ConnectAny operation)

    /// The leader of each partition, as a function.
    member this.Leaders(partitions: TopicPartition list, operation: Operation) : TopicPartition -> Result<BrokerAddress, AdminFault> =
        match this.Metadata(Some(partitions |> List.map _.Topic |> List.distinct), operation) with
        | Error fault -> fun _ -> Error(AdminFault.Fault fault)
        | Ok response ->
            fun partition ->
                BrokerQuery.leaderIn response partition
                |> Result.map _.Address
                |> Result.mapError (fun code -> AdminFault.Refused(code, None))

    /// The coordinator of a group.
    member this.CoordinatorOf(group: string, operation: Operation) : Result<BrokerAddress, AdminFault> =
        this.ConnectAny operation
        |> Result.bind (Role.askCoordinator CoordinatorType.Group group operation)
        |> Result.mapError AdminFault.Fault
        |> Result.bind (fun found -> AdminFault.check found.Error found.ErrorMessage { Host = found.Host; Port = found.Port })

    /// Closes the connections.
    member _.Close() =
        for connection in connections.Values do
            connection.Close()

        connections.Clear()

/// Requests about several items.
[<RequireQualifiedAccess>]
module internal AdminRequest =

    /// Sends one request about several items. `read` finds an item's answer in the response.
    let ask
        (connection: Result<Connection, ClientFault>)
        operation
        (items: 'Item list)
        (api: Api<'Request, 'Response>)
        (request: 'Request)
        read
        =
        match connection |> Result.bind (fun connection -> connection.Ask(api, request, operation).Result) with
        | Error fault -> items |> List.map (fun item -> item, Error(AdminFault.Fault fault))
        | Ok response -> items |> List.map (fun item -> item, read response item |> Option.defaultValue (Error AdminFault.NotAnswered))

    /// Sends several requests, one to each broker that is responsible for some of the items. The results are in the order of the items. Items
    /// are divided by their places, and `connect` connects to a place.
    let askEach
        (items: 'Item list)
        (placeOf: 'Item -> Result<'Place, AdminFault>)
        (connect: 'Place -> Result<Connection, ClientFault>)
        (askSome: Result<Connection, ClientFault> -> 'Item list -> ('Item * Result<'Value, AdminFault>) list)
        : ('Item * Result<'Value, AdminFault>) list =
        let placed = items |> List.indexed |> List.map (fun (i, item) -> i, item, placeOf item)

        let unplaced =
            [ for i, item, place in placed do
                  match place with
                  | Error fault -> i, (item, Error fault)
                  | Ok _ -> () ]

        let byPlace =
            [ for i, item, place in placed do
                  match place with
                  | Ok place -> place, (i, item)
                  | Error _ -> () ]
            |> List.groupBy fst

        let asked =
            byPlace
            |> List.collect (fun (place, some) ->
                let indexes, items = some |> List.map snd |> List.unzip
                List.zip indexes (askSome (connect place) items))

        unplaced @ asked |> List.sortBy fst |> List.map snd
