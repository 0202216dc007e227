namespace LibKafka.Testing

open LibKafka
open LibKafka.Protocol

/// DescribeUserScramCredentials and AlterUserScramCredentials (KIP-554).
[<RequireQualifiedAccess>]
module internal ScramUsers =

    let private mechanisms = [ ScramMechanism.ScramSha256, "SCRAM-SHA-256"; ScramMechanism.ScramSha512, "SCRAM-SHA-512" ]

    let private nameOf (mechanism: ScramMechanism) : string voption =
        mechanisms |> List.tryFind (fst >> (=) mechanism) |> Option.map snd |> Option.toValueOption

    // The iterations of a user's credential.
    let private iterations (user: string) (mechanism: string) (state: State) : int32 voption =
        match state.Security.Scram.TryFind((user, mechanism)) with
        | Some stored -> stored |> ValueOption.map _.Iterations
        | None when state.Security.Passwords.ContainsKey user && List.contains mechanism state.Security.Mechanisms ->
            ValueSome SaslExchange.Iterations
        | None -> ValueNone

    let private credentials (user: string) (state: State) : DescribeUserScramCredentials.Credential list =
        let credential (mechanism, name) : DescribeUserScramCredentials.Credential option =
            iterations user name state
            |> ValueOption.map (fun count -> ({ Mechanism = mechanism; Iterations = count }: DescribeUserScramCredentials.Credential))
            |> ValueOption.toOption

        List.choose credential mechanisms

    let private isAllowed (call: Call) (operation: AclOperation) (state: State) =
        Security.isAllowed call operation AclResourceType.Cluster Security.clusterName state

    // ---- Describing ----

    let private describeOne (asked: string list) (state: State) (user: string) : DescribeUserScramCredentials.Result =
        let result code text credentials : DescribeUserScramCredentials.Result =
            { User = user; Error = code; ErrorMessage = text; Credentials = credentials }

        match credentials user state with
        | _ when (asked |> List.filter ((=) user)).Length > 1 ->
            let text = "Cannot describe SCRAM credentials for the same user twice in a single request: " + user
            result ErrorCode.DuplicateResource (Some text) []
        | [] -> result ErrorCode.ResourceNotFound (Some("Attempt to describe a user credential that does not exist: " + user)) []
        | found -> result ErrorCode.None None found

    let private describe (call: Call) (request: DescribeUserScramCredentials.Request) (state: State) : Response =
        let all () =
            Seq.append state.Security.Passwords.Keys (state.Security.Scram.Keys |> Seq.map fst)
            |> Seq.distinct
            |> Seq.filter (fun user -> not (credentials user state).IsEmpty)
            |> List.ofSeq

        let asked =
            match request.Users with
            | None
            | Some [] -> all ()
            | Some users -> users |> List.map _.Name

        let reply code text results =
            Response.DescribeUserScramCredentials { ThrottleTimeMs = 0; Error = code; ErrorMessage = text; Results = results }

        if isAllowed call AclOperation.Describe state then
            reply ErrorCode.None None (asked |> List.distinct |> List.map (describeOne asked state))
        else
            let code = ErrorCode.ClusterAuthorizationFailed
            reply code (Some code.Description) []

    // ---- Changing ----

    [<Literal>]
    let private Most = 16384

    let private deletionFault (state: State) (deletion: AlterUserScramCredentials.Deletion) : (ErrorCode * string) option =
        match nameOf deletion.Mechanism with
        | _ when deletion.Name = "" -> Some(ErrorCode.UnacceptableCredential, "Username must not be empty.")
        | ValueNone -> Some(ErrorCode.UnsupportedSaslMechanism, "Unknown SCRAM mechanism")
        | ValueSome name when (iterations deletion.Name name state).IsNone ->
            Some(ErrorCode.ResourceNotFound, "Attempt to delete a user credential that does not exist")
        | ValueSome _ -> None

    let private upsertionFault (upsertion: AlterUserScramCredentials.Upsertion) : (ErrorCode * string) option =
        if upsertion.Name = "" then
            Some(ErrorCode.UnacceptableCredential, "Username must not be empty.")
        elif (nameOf upsertion.Mechanism).IsNone then
            Some(ErrorCode.UnsupportedSaslMechanism, "Unknown SCRAM mechanism")
        elif upsertion.Iterations < SaslExchange.Iterations then
            Some(ErrorCode.UnacceptableCredential, "Too few iterations")
        elif upsertion.Iterations > Most then
            Some(ErrorCode.UnacceptableCredential, "Too many iterations")
        else
            None

    // What is wrong with the changes of each user. All changes of such a user are refused.
    let private faults (request: AlterUserScramCredentials.Request) (state: State) : Map<string, ErrorCode * string> =
        let changed =
            [ for deletion in request.Deletions -> deletion.Name, deletion.Mechanism
              for upsertion in request.Upsertions -> upsertion.Name, upsertion.Mechanism ]

        let twice = changed |> List.countBy id |> List.filter (fun (_, count) -> count > 1) |> List.map (fst >> fst)
        let duplicate = ErrorCode.DuplicateResource, "A user credential cannot be altered twice in the same request"

        let ofUpsertions =
            request.Upsertions |> List.choose (fun one -> upsertionFault one |> Option.map (fun fault -> one.Name, fault))
        let ofDeletions =
            request.Deletions |> List.choose (fun one -> deletionFault state one |> Option.map (fun fault -> one.Name, fault))
        Map.ofList (ofUpsertions @ ofDeletions @ [ for user in twice -> user, duplicate ])

    let private apply (request: AlterUserScramCredentials.Request) (isRefused: string -> bool) (state: State) : State =
        let set (user: string) (mechanism: ScramMechanism) (value: StoredScram voption) (scram: Map<string * string, StoredScram voption>) =
            match nameOf mechanism with
            | ValueSome name when not (isRefused user) -> scram.Add((user, name), value)
            | _ -> scram

        let deleted =
            (state.Security.Scram, request.Deletions)
            ||> List.fold (fun scram deletion -> set deletion.Name deletion.Mechanism ValueNone scram)

        let changed =
            (deleted, request.Upsertions)
            ||> List.fold (fun scram upsertion ->
                let stored = { Iterations = upsertion.Iterations; Salt = upsertion.Salt; SaltedPassword = upsertion.SaltedPassword }
                set upsertion.Name upsertion.Mechanism (ValueSome stored) scram)

        { state with Security = { state.Security with Scram = changed } }

    let private alter (call: Call) (request: AlterUserScramCredentials.Request) (state: State) : State * Response =
        let users =
            [ for deletion in request.Deletions -> deletion.Name
              for upsertion in request.Upsertions -> upsertion.Name ]
            |> List.distinct

        let reply (state: State) (faultOf: string -> (ErrorCode * string) option) =
            let result user : AlterUserScramCredentials.Result =
                match faultOf user with
                | Some(code, text) -> { User = user; Error = code; ErrorMessage = Some text }
                | None -> { User = user; Error = ErrorCode.None; ErrorMessage = None }

            state, Response.AlterUserScramCredentials { ThrottleTimeMs = 0; Results = List.map result users }

        if isAllowed call AclOperation.Alter state then
            let faults = faults request state
            reply (apply request faults.ContainsKey state) faults.TryFind
        else
            let code = ErrorCode.ClusterAuthorizationFailed
            reply state (fun _ -> Some(code, code.Description))

    /// ValueNone for other requests.
    let tryHandle (call: Call) (request: Request) (state: State) : (State * Answer) voption =
        match request with
        | Request.DescribeUserScramCredentials request -> ValueSome(state, Reply(describe call request state))
        | Request.AlterUserScramCredentials request ->
            let state, response = alter call request state
            ValueSome(state, Reply response)
        | _ -> ValueNone
