namespace LibKafka.Testing

open LibKafka.Protocol

/// Authentication and authorization.
[<RequireQualifiedAccess>]
module internal Security =

    /// The principal of a connection.
    let principal (caller: Caller) (state: State) : string =
        match state.Security.Sessions.TryFind caller.Connection with
        | Some session -> session.Principal
        | None -> caller.Principal

    /// The name of the cluster as a resource.
    [<Literal>]
    let clusterName = "kafka-cluster"

    /// Whether the caller may do something to a resource.
    let isAllowed (_call: Call) (_operation: AclOperation) (_resource: AclResourceType) (_name: string) (_state: State) : bool = true

    /// SaslHandshake, SaslAuthenticate and the ACL requests. ValueNone for other requests.
    let tryHandle (_call: Call) (_request: Request) (_state: State) : (State * Answer) voption = ValueNone

    /// Forgets a connection that was closed.
    let closed (connection: int64) (state: State) : State =
        { state with Security = { state.Security with Sessions = state.Security.Sessions.Remove connection } }
