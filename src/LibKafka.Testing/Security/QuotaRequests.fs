namespace LibKafka.Testing

open System.Net
open LibKafka
open LibKafka.Protocol

/// DescribeClientQuotas and AlterClientQuotas.
[<RequireQualifiedAccess>]
module internal QuotaRequests =

    [<Literal>]
    let private User = "user"

    [<Literal>]
    let private ClientId = "client-id"

    [<Literal>]
    let private Address = "ip"

    let private kinds = [ User; ClientId; Address ]

    let private addressKeys = [ Quotas.ConnectionRate ]

    let private clientKeys = [ Quotas.ProducerRate; Quotas.ConsumerRate; Quotas.RequestPercentage; Quotas.MutationRate ]

    /// Only these need not be whole numbers.
    let private fractions = [ Quotas.RequestPercentage; Quotas.MutationRate ]

    // ---- AlterClientQuotas ----

    /// What is wrong with an entity, as the broker says it.
    let private entityFault (entity: QuotaEntity list) : string option =
        let has (kind: string) = entity |> List.exists (fun part -> part.EntityType = kind)
        let twice = entity |> List.countBy _.EntityType |> List.tryFind (fun (_, count) -> count > 1)
        let isHost (part: QuotaEntity) =
            part.EntityType <> Address || part.EntityName |> Option.forall (fun name -> fst (IPAddress.TryParse name))

        let unknown = entity |> List.tryFind (fun part -> not (List.contains part.EntityType kinds))
        let unnamed = entity |> List.tryFind (fun part -> part.EntityName = Some "")
        let notAnAddress = entity |> List.tryFind (isHost >> not)

        match unknown, unnamed, twice, notAnAddress with
        | _ when entity.IsEmpty -> Some "Invalid empty client quota entity"
        | Some part, _, _, _ -> Some("Unhandled client quota entity type: " + part.EntityType)
        | _, Some part, _, _ -> Some("Empty " + part.EntityType + " not supported")
        | _, _, Some(kind, _), _ -> Some("Invalid client quota entity, duplicate entity entry " + kind)
        | _ when has Address && entity.Length > 1 ->
            Some "Invalid quota entity combination, IP entity should not be combined with User or ClientId"
        // A broker looks host names up; here they are not valid.
        | _, _, _, Some part -> Some(Option.defaultValue "" part.EntityName + " is not a valid IP or resolvable host.")
        | _ -> None

    let private subjectOf (entity: QuotaEntity list) : Result<QuotaSubject, string> =
        let find (kind: string) =
            entity
            |> List.tryFind (fun part -> part.EntityType = kind)
            |> Option.map (fun part -> Option.defaultValue "" part.EntityName)
            |> Option.toValueOption

        match entityFault entity with
        | Some text -> Error text
        | None -> Ok { User = find User; ClientId = find ClientId; Address = find Address }

    let private operationFault (subject: QuotaSubject) (operation: AlterClientQuotas.Operation) : string option =
        let keys = if subject.Address.IsSome then addressKeys else clientKeys

        if operation.Remove then
            None
        elif not (List.contains operation.Key keys) then
            Some("Invalid configuration key " + operation.Key)
        elif operation.Value <= 0.0 then
            Some("Quota " + operation.Key + " must be greater than 0")
        elif not (List.contains operation.Key fractions) && abs (operation.Value % 1.0) > 1e-6 then
            Some(operation.Key + " cannot be a fractional value.")
        else
            None

    let private change
        (subject: QuotaSubject)
        (operations: AlterClientQuotas.Operation list)
        (limits: Map<string, float>)
        : Result<Map<string, float>, string> =
        let apply limits (operation: AlterClientQuotas.Operation) =
            if operation.Remove then
                Map.remove operation.Key limits
            else
                Map.add operation.Key operation.Value limits

        let twice = operations |> List.countBy _.Key |> List.tryFind (fun (_, count) -> count > 1)

        match twice, List.tryPick (operationFault subject) operations with
        | Some(key, _), _ -> Error("Duplicate quota key " + key)
        | _, Some text -> Error text
        | None, None -> Ok(List.fold apply limits operations)

    let private alterOne (validateOnly: bool) (state: State) (entry: AlterClientQuotas.EntryRequest) =
        let result code text : AlterClientQuotas.EntryResult = { Error = code; ErrorMessage = text; Entity = entry.Entity }
        let limitsOf subject = state.Quotas.Limits.TryFind subject |> Option.defaultValue Map.empty

        let changed =
            subjectOf entry.Entity
            |> Result.bind (fun subject -> change subject entry.Operations (limitsOf subject) |> Result.map (fun limits -> subject, limits))

        match changed with
        | Error text -> state, result ErrorCode.InvalidRequest (Some text)
        | Ok _ when validateOnly -> state, result ErrorCode.None None
        | Ok(subject, limits) ->
            let all =
                if limits.IsEmpty then
                    state.Quotas.Limits.Remove subject
                else
                    state.Quotas.Limits.Add(subject, limits)
            { state with Quotas = { state.Quotas with Limits = all } }, result ErrorCode.None None

    let private alter (call: Call) (request: AlterClientQuotas.Request) (state: State) : State * Response =
        let reply (results: AlterClientQuotas.EntryResult list) = Response.AlterClientQuotas { ThrottleTimeMs = 0; Entries = results }

        if Security.isAllowed call AclOperation.AlterConfigs AclResourceType.Cluster Security.clusterName state then
            let state, results = Cluster.foldResults (alterOne request.ValidateOnly) state request.Entries
            state, reply results
        else
            let refused (entry: AlterClientQuotas.EntryRequest) : AlterClientQuotas.EntryResult =
                { Error = ErrorCode.ClusterAuthorizationFailed; ErrorMessage = None; Entity = entry.Entity }

            state, reply (request.Entries |> List.map refused)

    // ---- DescribeClientQuotas ----

    let private entityOf (subject: QuotaSubject) : QuotaEntity list =
        let part kind (name: string voption) : QuotaEntity list =
            match name with
            | ValueNone -> []
            | ValueSome "" -> [ { EntityType = kind; EntityName = None } ]
            | ValueSome name -> [ { EntityType = kind; EntityName = Some name } ]

        part User subject.User @ part ClientId subject.ClientId @ part Address subject.Address

    let private matches (filter: DescribeClientQuotas.Filter) (entity: QuotaEntity list) =
        entity
        |> List.exists (fun part ->
            part.EntityType = filter.EntityType
            && (match filter.MatchType with
                | QuotaMatchType.Exact -> part.EntityName = filter.Match
                | QuotaMatchType.Default -> part.EntityName.IsNone
                | _ -> true))

    /// What is wrong with a filter, as the broker says it.
    let private filterFault (filter: DescribeClientQuotas.Filter) : struct (ErrorCode * string) option =
        let invalid text = Some(struct (ErrorCode.InvalidRequest, text))

        match filter.MatchType, filter.Match with
        | _ when filter.EntityType = "" -> invalid "Invalid empty entity type."
        | _ when not (List.contains filter.EntityType kinds) ->
            Some(struct (ErrorCode.UnsupportedVersion, "Unsupported entity type " + filter.EntityType))
        | QuotaMatchType.Exact, None -> invalid "Request specified MATCH_TYPE_EXACT, but set match string to null."
        | QuotaMatchType.Default, Some _ -> invalid "Request specified MATCH_TYPE_DEFAULT, but also specified a match string."
        | QuotaMatchType.Specified, Some _ -> invalid "Request specified MATCH_TYPE_SPECIFIED, but also specified a match string."
        | (QuotaMatchType.Exact | QuotaMatchType.Default | QuotaMatchType.Specified), _ -> None
        | unknown, _ -> invalid ("Unknown match type " + string (int unknown))

    let private filtersFault (filters: DescribeClientQuotas.Filter list) : struct (ErrorCode * string) option =
        let twice = filters |> List.countBy _.EntityType |> List.tryFind (fun (_, count) -> count > 1)

        match List.tryPick filterFault filters, twice with
        | Some fault, _ -> Some fault
        | None, Some(kind, _) ->
            Some(struct (ErrorCode.InvalidRequest, "Entity type " + kind + " cannot appear more than once in the filter."))
        | None, None when filters.Length > 1 && filters |> List.exists (fun filter -> filter.EntityType = Address) ->
            Some(
                struct (ErrorCode.InvalidRequest,
                        "Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component.")
            )
        | None, None -> None

    let private describe (call: Call) (request: DescribeClientQuotas.Request) (state: State) : Response =
        let refused code text = Response.DescribeClientQuotas { ThrottleTimeMs = 0; Error = code; ErrorMessage = Some text; Entries = None }

        let isMeant (entity: QuotaEntity list) =
            request.Components |> List.forall (fun filter -> matches filter entity)
            && (not request.Strict || entity.Length = request.Components.Length)

        if not (Security.isAllowed call AclOperation.DescribeConfigs AclResourceType.Cluster Security.clusterName state) then
            refused ErrorCode.ClusterAuthorizationFailed "Cluster authorization failed."
        else
            match filtersFault request.Components with
            | Some(struct (code, text)) -> refused code text
            | None ->
                let entry (subject, limits) : DescribeClientQuotas.Entry =
                    { Entity = entityOf subject; Values = [ for key, value in Map.toSeq limits -> { Key = key; Value = value } ] }

                let entries = state.Quotas.Limits |> Map.toList |> List.map entry |> List.filter (fun entry -> isMeant entry.Entity)

                Response.DescribeClientQuotas { ThrottleTimeMs = 0; Error = ErrorCode.None; ErrorMessage = None; Entries = Some entries }

    /// ValueNone for other requests.
    let tryHandle (call: Call) (request: Request) (state: State) : (State * Answer) voption =
        match request with
        | Request.DescribeClientQuotas request -> ValueSome(state, Reply(describe call request state))
        | Request.AlterClientQuotas request ->
            let state, response = alter call request state
            ValueSome(state, Reply response)
        | _ -> ValueNone
