namespace LibKafka.Client

open System.Collections.Generic
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
    let guard = ThreadGuard "admin client"
    let history = BrokerHistory()

    let keep (connection: Connection) =
        connections[connection.Broker] <- connection
        connection

    // Closes what cannot be used any more. A connection that is too old or was unused for too long still has its socket.
    let close (connection: Connection) =
        connection.Close()
        connections.Remove connection.Broker |> ignore

    let closeUnusable () =
        for connection in List.ofSeq connections.Values do
            if not connection.IsOpen then close connection

    // Whether a call can be made on a connection. It cannot if the broker has closed it since the last call.
    let isReady (operation: Operation) (connection: Connection) : bool =
        match connection.Ready operation with
        | None -> true
        | Some(ClientFault.Unusable _ | ClientFault.Closed | ClientFault.Broken _) ->
            close connection
            false
        // The call will report it.
        | Some _ -> true

    /// Runs one call, for which `start` begins the operation. Returns what was sent, and the result.
    member _.Run(start: ClientSettings -> Operation, work: Operation -> 'T) : ExchangeInfo list * 'T =
        guard.Enter()

        try
            log.Clear()
            closeUnusable ()
            let result = work ((start observed).For(history, None))
            List.ofSeq log, result
        finally
            guard.Exit()

    /// A connection to a broker.
    member _.Connect(broker: BrokerAddress, operation: Operation) : Result<Connection, ClientFault> =
        match connections.TryGetValue broker with
        | true, connection when isReady operation connection -> Ok connection
        | _ -> Connection.Open(broker, operation) |> Result.map keep

    /// A connection to any broker.
    member _.ConnectAny(operation: Operation) : Result<Connection, ClientFault> =
        match List.ofSeq connections.Values |> List.tryFind (isReady operation) with
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
            // The epochs are not used, so the version does not matter.
            BrokerQuery.leadersIn response -1s
            >> Result.map _.Address
            >> Result.mapError (fun code -> AdminFault.Refused(code, None))

    /// The addresses of all brokers.
    member this.All(operation: Operation) : Result<BrokerAddress list, AdminFault> =
        this.Metadata(Some [], operation)
        |> Result.mapError AdminFault.Fault
        |> Result.map (fun response -> [ for broker in response.Brokers -> { Host = broker.Host; Port = broker.Port } ])

    /// The addresses of brokers by their ids, as a function.
    member this.ById(operation: Operation) : int32 -> Result<BrokerAddress, AdminFault> =
        match this.Metadata(Some [], operation) with
        | Error fault -> fun _ -> Error(AdminFault.Fault fault)
        | Ok response ->
            fun id ->
                match BrokerQuery.addressIn response id with
                | Some address -> Ok address
                | None -> Error(AdminFault.Refused(ErrorCode.BrokerIdNotRegistered, None))

    /// The coordinators of groups or transactional ids, as a function. They are found in one request, or in one for each if the broker is older than
    /// Kafka 3.0 (KIP-699).
    member this.Coordinators(kind: CoordinatorType, keys: string list, operation: Operation) : string -> Result<BrokerAddress, AdminFault> =
        let find some : (string * Result<FindCoordinator.Coordinator, AdminFault>) list =
            let found = this.ConnectAny operation |> Result.bind (Role.askCoordinators kind some operation)
            some
            |> List.map (fun key -> key, found |> Result.map (fun coordinatorOf -> coordinatorOf key) |> Result.mapError AdminFault.Fault)

        let keys = List.distinct keys
        let version = this.ConnectAny operation |> Result.bind _.VersionOf(FindCoordinator.api)
        let requests = if BrokerQuery.takesSeveralKeys version then [ keys ] else List.map List.singleton keys
        let coordinatorOf = requests |> List.collect find |> Answers.first

        fun key ->
            coordinatorOf key
            |> Option.defaultValue (Error AdminFault.NotAnswered)
            |> Result.bind (fun found -> AdminFault.check found.Error found.ErrorMessage { Host = found.Host; Port = found.Port })

    /// Closes the connections.
    member _.Close() =
        for connection in connections.Values do
            connection.Close()

        connections.Clear()

/// Requests about several items.
[<RequireQualifiedAccess>]
module internal AdminRequest =

    /// Sends one request. `read` gives the value in the response.
    let answer
        (connection: Result<Connection, ClientFault>)
        operation
        (api: Api<'Request, 'Response>)
        (request: 'Request)
        (read: 'Response -> Result<'Value, AdminFault>)
        : Result<'Value, AdminFault> =
        connection
        |> Result.bind (fun connection -> connection.Ask(api, request, operation).Result)
        |> Result.mapError AdminFault.Fault
        |> Result.bind read

    /// The results for items: of each the answer about `keyOf` the item or, if there are no answers, the fault.
    let distribute
        (items: 'Item list)
        (keyOf: 'Item -> 'Key)
        (answers: Result<('Key * Result<'Value, AdminFault>) list, AdminFault>)
        : ('Item * Result<'Value, AdminFault>) list =
        match answers with
        | Error fault -> items |> List.map (fun item -> item, Error fault)
        | Ok answers ->
            let answer = answers |> Answers.byKey Result.isError
            items |> List.map (fun item -> item, keyOf item |> answer |> Option.defaultValue (Error AdminFault.NotAnswered))

    /// Sends one request about several items. `answersIn` gives the answers in the response, by what they are about, unless the request was refused
    /// as a whole: an item's answer is the one about `keyOf` the item.
    let askChecked connection operation items api request keyOf answersIn =
        answer connection operation api request answersIn |> distribute items keyOf

    /// The same for a request that is not refused as a whole.
    let ask connection operation items api request keyOf answersIn =
        askChecked connection operation items api request keyOf (answersIn >> Ok)

    // Numbers the items with the same key from 0.
    let private numbered (keyOf: 'Item -> 'Key) (items: 'Item list) : ('Item * int) list =
        let counts = Dictionary<'Key, int>()

        items
        |> List.map (fun item ->
            let key = keyOf item
            let number =
                match counts.TryGetValue key with
                | true, count -> count
                | false, _ -> 0

            counts[key] <- number + 1
            item, number)

    /// Sends several requests, one to each broker that is responsible for some of the items. The results are in the order of the items. Items
    /// are divided by their places, and `connect` connects to a place. A broker refuses a request that names something twice, or answers it
    /// only once, so items with the same key are in requests of their own.
    let askEach
        (items: 'Item list)
        (keyOf: 'Item -> 'Key)
        (placeOf: 'Item -> Result<'Place, AdminFault>)
        (connect: 'Place -> Result<Connection, ClientFault>)
        (askSome: Result<Connection, ClientFault> -> 'Item list -> ('Item * Result<'Value, AdminFault>) list)
        : ('Item * Result<'Value, AdminFault>) list =
        let placed =
            numbered keyOf items
            |> List.mapi (fun i (item, number) -> i, item, placeOf item |> Result.map (fun place -> struct (place, number)))

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
            |> List.collect (fun (struct (place, _), some) ->
                let indexes, items = some |> List.map snd |> List.unzip
                List.zip indexes (askSome (connect place) items))

        unplaced @ asked |> List.sortBy fst |> List.map snd

    /// Sends requests to one broker: one for all items or, if items have the same key, several.
    let askApart connection items keyOf askSome = askEach items keyOf (fun _ -> Ok()) (fun () -> connection) askSome
