namespace LibKafka.Testing

open System
open LibKafka
open LibKafka.Protocol

/// What a broker of each release says of itself.
[<RequireQualifiedAccess>]
module internal Versions =

    let private table (state: State) : ApiVersions.ApiVersion list =
        [ for range in Release.apis state.Settings.Release -> { ApiKey = range.Key; MinVersion = range.Lowest; MaxVersion = range.Highest } ]

    let private response (version: int16) (code: ErrorCode) (apis: ApiVersions.ApiVersion list) (state: State) : Response =
        let hasFeatures = version >= 3s && state.Settings.Release.IsAtLeast(4, 0) && not code.IsError

        Response.ApiVersions
            { Error = code
              ApiKeys = apis
              ThrottleTimeMs = 0
              SupportedFeatures = (if hasFeatures then Features.supported version else [])
              FinalizedFeaturesEpoch = (if hasFeatures then state.Features.Epoch else -1L)
              FinalizedFeatures = (if hasFeatures then Features.finalized state else [])
              ZkMigrationReady = false }

    /// The response to a version of ApiVersions that the release does not have. It is in version 0 (KIP-511).
    let unsupported (state: State) : Response =
        let own = table state |> List.filter (fun api -> api.ApiKey = ApiKey.ApiVersions)
        response 0s ErrorCode.UnsupportedVersion (if state.Settings.Release.IsAtLeast(2, 4) then own else []) state

    let private isNameValid (name: string) =
        name <> ""
        && name |> Seq.forall (fun letter -> Char.IsAsciiLetterOrDigit letter || letter = '-' || letter = '.')
        && Char.IsAsciiLetterOrDigit name[0]
        && Char.IsAsciiLetterOrDigit name[name.Length - 1]

    let handle (call: Call) (request: ApiVersions.Request) (state: State) : State * Answer =
        let isValid = isNameValid request.ClientSoftwareName && isNameValid request.ClientSoftwareVersion

        if call.Version >= 3s && not isValid then
            state, Reply(response call.Version ErrorCode.InvalidRequest [] state)
        else
            state, Reply(response call.Version ErrorCode.None (table state) state)

/// The broker as a function: requests in, answers out, state as a value.
[<RequireQualifiedAccess>]
module Broker =

    let private ownHandler (call: Call) (request: Request) (state: State) : (State * Answer) voption =
        match request with
        | Request.Produce request -> ValueSome(Producing.handle call request state)
        | Request.Fetch request -> ValueSome(Fetching.handle call request state)
        | Request.ListOffsets request -> ValueSome(Offsets.list call request state)
        | Request.OffsetForLeaderEpoch request -> ValueSome(Offsets.forLeaderEpoch call request state)
        | Request.DeleteRecords request -> ValueSome(Offsets.deleteRecords call request state)
        | Request.Metadata request -> ValueSome(Topics.metadata call request state)
        | Request.ApiVersions request -> ValueSome(Versions.handle call request state)
        | Request.CreateTopics request -> ValueSome(Topics.createTopics call request state)
        | Request.DeleteTopics request -> ValueSome(Topics.deleteTopics call request state)
        | Request.CreatePartitions request -> ValueSome(Topics.createPartitions call request state)
        | Request.DescribeConfigs request -> ValueSome(ConfigDescriptions.describe call request state)
        | Request.AlterConfigs request -> ValueSome(ConfigChanges.alterAll call request state)
        | Request.IncrementalAlterConfigs request -> ValueSome(ConfigChanges.alterSome call request state)
        | Request.ListConfigResources request -> ValueSome(ConfigDescriptions.list call request state)
        | Request.UpdateFeatures request -> ValueSome(Features.update call request state)
        | Request.DescribeCluster request -> ValueSome(Descriptions.cluster request state)
        | Request.DescribeTopicPartitions request -> ValueSome(Descriptions.topicPartitions call request state)
        | Request.DescribeLogDirs request -> ValueSome(Descriptions.logDirs call request state)
        | Request.AlterReplicaLogDirs request -> ValueSome(Descriptions.alterLogDirs call request state)
        | Request.DescribeQuorum request -> ValueSome(Descriptions.describeQuorum call request state)
        | Request.ElectLeaders request -> ValueSome(Replicas.electLeaders request state)
        | Request.AlterPartitionReassignments request -> ValueSome(Replicas.alterReassignments request state)
        | Request.ListPartitionReassignments _ -> ValueSome(Replicas.listReassignments state)
        | Request.FindCoordinator request -> ValueSome(Coordinators.handle call request state)
        | _ -> ValueNone

    /// The subjects, each of which handles its own requests.
    let private handlers: (Call -> Request -> State -> (State * Answer) voption) list =
        [ ownHandler
          ClassicGroup.tryHandle
          ConsumerGroup.tryHandle
          GroupOffsets.tryHandle
          GroupAdmin.tryHandle
          Transactions.tryHandle
          Security.tryHandle
          ScramUsers.tryHandle
          DelegationTokens.tryHandle
          Acls.tryHandle
          QuotaRequests.tryHandle ]

    /// Charges the quotas for an answer, now or later.
    let rec private charged (call: Call) (request: Request) (state: State, answer: Answer) : State * Answer =
        match answer with
        | Reply response ->
            let state, response = Quotas.charge call request response state
            state, Reply response
        | Later waiting ->
            let ready now state = waiting.Ready now state |> ValueOption.map (charged { call with Now = now } request)
            state, Later { waiting with Ready = ready }
        | Nothing
        | Close
        | Raw _ -> state, answer

    /// Whether the release has the version of the API.
    let accepts (key: ApiKey) (version: int16) (state: State) : bool =
        state.Accepted
        |> List.exists (fun range -> range.Key.Code = key.Code && version >= range.Lowest && version <= range.Highest)

    /// The answer of the broker `caller.Node` to a request, and the state after it. Requests that the release does not have, and those that
    /// are not implemented, close the connection.
    let handle (now: Moment) (caller: Caller) (state: State) (request: Request) : State * Answer =
        let call = { Now = now; Caller = caller }

        if not (accepts caller.Header.ApiKey caller.Version state) then
            state, Close
        else
            let rec first (handlers: (Call -> Request -> State -> (State * Answer) voption) list) =
                match handlers with
                | [] -> state, Close
                | handler :: others ->
                    match handler call request state with
                    | ValueSome answered -> charged call request answered
                    | ValueNone -> first others

            match Security.gate call request state with
            | ValueSome answered -> answered
            | ValueNone -> first handlers

    /// Applies everything that is due: session time-outs of groups, time-outs of transactions.
    let tick (now: Moment) (state: State) : State = state |> ClassicGroup.tick now |> ConsumerGroup.tick now |> Transactions.tick now

    /// When `tick` is due next; ValueNone if nothing is.
    let nextTick (state: State) : Moment voption =
        let earlier a b =
            match a, b with
            | ValueSome a, ValueSome b -> ValueSome(min a b)
            | ValueNone, other
            | other, ValueNone -> other

        [ ClassicGroup.nextTick state; ConsumerGroup.nextTick state; Transactions.nextTick state ] |> List.reduce earlier

    /// Counts a new connection from an address to a broker. If the time in milliseconds is not 0, the address connects too often: the broker closes
    /// the connection after this time (KIP-612).
    let connect (now: Moment) (node: int32) (address: string) (state: State) : State * int32 = Quotas.connect now node address state

    /// Forgets a connection that was closed.
    let closed (connection: int64) (state: State) : State = Security.closed connection state
