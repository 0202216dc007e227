namespace LibKafka.Testing

open System
open LibKafka
open LibKafka.Protocol

/// CreateAcls, DescribeAcls and DeleteAcls.
[<RequireQualifiedAccess>]
module internal Acls =

    let private disabled = ErrorCode.SecurityDisabled, "No Authorizer is configured."

    /// What is wrong with a request about ACLs as a whole.
    let private obstacle (call: Call) (operation: AclOperation) (state: State) : (ErrorCode * string) option =
        if not state.Security.IsAuthorizing then Some disabled
        elif Security.isAllowed call operation AclResourceType.Cluster Security.clusterName state then None
        else Some(ErrorCode.ClusterAuthorizationFailed, "Cluster authorization failed.")

    let private isConcrete (value: 'T) (any: 'T) (unknown: 'T) = value <> any && value <> unknown

    let private faultOf (acl: CreateAcls.Acl) : string option =
        if not (isConcrete acl.ResourceType AclResourceType.Any AclResourceType.Unknown) || acl.ResourceName = "" then
            Some "The resource of the ACL is not valid."
        elif acl.ResourceType = AclResourceType.Cluster && acl.ResourceName <> Security.clusterName then
            Some("The only valid name for the CLUSTER resource is " + Security.clusterName)
        elif acl.ResourcePatternType <> AclPatternType.Literal && acl.ResourcePatternType <> AclPatternType.Prefixed then
            Some "The pattern type of the ACL is not valid."
        elif acl.Principal.IndexOf(':') < 1 then
            Some(
                "Could not parse principal from `"
                + acl.Principal
                + "` (no colon is present separating the principal type from the name)"
            )
        elif acl.Host = "" then
            Some "The host of the ACL is empty."
        elif not (isConcrete acl.Operation AclOperation.Any AclOperation.Unknown) then
            Some "The operation of the ACL is not valid."
        elif not (isConcrete acl.PermissionType AclPermission.Any AclPermission.Unknown) then
            Some "The permission type of the ACL is not valid."
        else
            None

    let private created (acl: CreateAcls.Acl) : Acl =
        { ResourceType = acl.ResourceType
          ResourceName = acl.ResourceName
          PatternType = acl.ResourcePatternType
          Principal = acl.Principal
          Host = acl.Host
          Operation = acl.Operation
          Permission = acl.PermissionType }

    let private withAcls (acls: Acl list) (state: State) : State = { state with Security = { state.Security with Acls = acls } }

    let private create (call: Call) (request: CreateAcls.Request) (state: State) : State * Response =
        let refused (code, text) : CreateAcls.AclResult = { Error = code; ErrorMessage = Some text }

        let one (acls, results) (acl: CreateAcls.Acl) =
            match faultOf acl with
            | Some text -> acls, refused (ErrorCode.InvalidRequest, text) :: results
            | None ->
                let acl = created acl
                (if List.contains acl acls then acls else acl :: acls), refused (ErrorCode.None, "") :: results

        match obstacle call AclOperation.Alter state with
        | Some reason ->
            state, Response.CreateAcls { ThrottleTimeMs = 0; Results = request.Creations |> List.map (fun _ -> refused reason) }
        | None ->
            let acls, results = request.Creations |> List.fold one (state.Security.Acls, [])
            withAcls acls state, Response.CreateAcls { ThrottleTimeMs = 0; Results = List.rev results }

    let private isNamed (filter: AclFilter) (acl: Acl) =
        match filter.PatternTypeFilter, filter.ResourceNameFilter with
        | AclPatternType.Any, None
        | AclPatternType.Match, None -> true
        | pattern, None -> acl.PatternType = pattern
        | AclPatternType.Any, Some name -> acl.ResourceName = name
        | AclPatternType.Match, Some name ->
            if acl.PatternType = AclPatternType.Prefixed then
                name.StartsWith(acl.ResourceName, StringComparison.Ordinal)
            else
                acl.ResourceName = name || acl.ResourceName = "*"
        | pattern, Some name -> acl.PatternType = pattern && acl.ResourceName = name

    let private matches (filter: AclFilter) (acl: Acl) =
        (filter.ResourceTypeFilter = AclResourceType.Any || filter.ResourceTypeFilter = acl.ResourceType)
        && isNamed filter acl
        && (filter.PrincipalFilter |> Option.forall (fun principal -> principal = acl.Principal))
        && (filter.HostFilter |> Option.forall (fun host -> host = acl.Host))
        && (filter.Operation = AclOperation.Any || filter.Operation = acl.Operation)
        && (filter.PermissionType = AclPermission.Any || filter.PermissionType = acl.Permission)

    let private describe (call: Call) (filter: AclFilter) (state: State) : Response =
        let reply code text resources =
            Response.DescribeAcls { ThrottleTimeMs = 0; Error = code; ErrorMessage = Some text; Resources = resources }

        let described (acl: Acl) : DescribeAcls.Acl =
            { Principal = acl.Principal; Host = acl.Host; Operation = acl.Operation; PermissionType = acl.Permission }

        let resource ((kind, name, pattern), acls: Acl list) : DescribeAcls.Resource =
            { ResourceType = kind; ResourceName = name; PatternType = pattern; Acls = acls |> List.map described }

        match obstacle call AclOperation.Describe state with
        | Some(code, text) -> reply code text []
        | None ->
            state.Security.Acls
            |> List.filter (matches filter)
            |> List.groupBy (fun acl -> acl.ResourceType, acl.ResourceName, acl.PatternType)
            |> List.map resource
            |> reply ErrorCode.None ""

    let private delete (call: Call) (request: DeleteAcls.Request) (state: State) : State * Response =
        let deleted (acl: Acl) : DeleteAcls.Acl =
            { Error = ErrorCode.None
              ErrorMessage = None
              ResourceType = acl.ResourceType
              ResourceName = acl.ResourceName
              PatternType = acl.PatternType
              Principal = acl.Principal
              Host = acl.Host
              Operation = acl.Operation
              PermissionType = acl.Permission }

        let result (filter: AclFilter) : DeleteAcls.FilterResult =
            let found = state.Security.Acls |> List.filter (matches filter)
            { Error = ErrorCode.None; ErrorMessage = None; MatchingAcls = found |> List.map deleted }

        match obstacle call AclOperation.Alter state with
        | Some(code, text) ->
            let refused: DeleteAcls.FilterResult = { Error = code; ErrorMessage = Some text; MatchingAcls = [] }
            state, Response.DeleteAcls { ThrottleTimeMs = 0; FilterResults = request.Filters |> List.map (fun _ -> refused) }
        | None ->
            let left =
                state.Security.Acls |> List.filter (fun acl -> not (List.exists (fun filter -> matches filter acl) request.Filters))
            withAcls left state, Response.DeleteAcls { ThrottleTimeMs = 0; FilterResults = request.Filters |> List.map result }

    /// ValueNone for other requests.
    let tryHandle (call: Call) (request: Request) (state: State) : (State * Answer) voption =
        match request with
        | Request.CreateAcls request ->
            let state, response = create call request state
            ValueSome(state, Reply response)
        | Request.DescribeAcls filter -> ValueSome(state, Reply(describe call filter state))
        | Request.DeleteAcls request ->
            let state, response = delete call request state
            ValueSome(state, Reply response)
        | _ -> ValueNone
