namespace LibKafka.Client

open LibKafka.Protocol

/// ACLs. Any broker answers.
[<RequireQualifiedAccess>]
module internal AclAdmin =

    let private versionOf api connection = connection |> Result.bind (fun (connection: Connection) -> connection.VersionOf api)

    let describe (brokers: AdminBrokers) (filter: AclFilter) operation =
        let connection = brokers.ConnectAny operation
        let request = AclFilter.atVersion (versionOf DescribeAcls.api connection) filter

        AdminRequest.answer connection operation DescribeAcls.api request (fun response ->
            AdminFault.check response.Error response.ErrorMessage response.Resources)

    // The results have no names: they are in the order of the items.
    let private askInOrder connection operation items api request answersIn =
        AdminRequest.ask connection operation (List.indexed items) api request fst (answersIn >> List.indexed)
        |> List.map (fun ((_, item), result) -> item, result)

    let create (brokers: AdminBrokers) (acls: CreateAcls.Acl list) operation =
        askInOrder (brokers.ConnectAny operation) operation acls CreateAcls.api { Creations = acls } (fun response ->
            response.Results |> List.map (fun result -> AdminFault.check result.Error result.ErrorMessage ()))

    let delete (brokers: AdminBrokers) (filters: AclFilter list) operation =
        let connection = brokers.ConnectAny operation
        let version = versionOf DeleteAcls.api connection
        let request: DeleteAcls.Request = { Filters = filters |> List.map (AclFilter.atVersion version) }

        askInOrder connection operation filters DeleteAcls.api request (fun response ->
            response.FilterResults |> List.map (fun result -> AdminFault.check result.Error result.ErrorMessage result.MatchingAcls))
