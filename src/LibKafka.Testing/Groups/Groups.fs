namespace LibKafka.Testing

open System
open LibKafka.Protocol

/// Groups to start from. They are not needed to start a cluster, so they are not in the file of their types, which is initialized then.
[<RequireQualifiedAccess>]
module EmptyGroup =

    /// A classic group without members that had none before.
    let classic: ClassicState =
        { Phase = ClassicPhase.Empty
          Generation = 0
          ProtocolType = ""
          ProtocolName = None
          Leader = ""
          Members = []
          Pending = Map.empty
          IsStored = false }

    /// A consumer group without members that had none before.
    let consumer: ConsumerState =
        { Epoch = 0
          TargetEpoch = 0
          Target = Map.empty
          Assignor = "uniform"
          Members = []
          Subscribed = Set.empty
          Metadata = Map.empty
          Regexes = Map.empty
          Scripted = ValueNone }

/// Looking up and changing the groups of the cluster, and requests that wait for other members.
[<RequireQualifiedAccess>]
module internal Groups =

    let tryFind (groupId: string) (state: State) : Group option = state.Groups.ById.TryFind groupId

    /// Adds or replaces a group.
    let put (group: Group) (state: State) : State =
        { state with Groups = { state.Groups with ById = state.Groups.ById.Add(group.GroupId, group) } }

    let remove (groupId: string) (state: State) : State =
        { state with Groups = { state.Groups with ById = state.Groups.ById.Remove groupId } }

    /// A group without members and offsets.
    let create (groupId: string) (kind: GroupKind) : Group =
        { GroupId = groupId; Kind = kind; Offsets = Map.empty; PendingOffsets = Map.empty }

    /// Makes a group one of this kind, with the offsets that it has. It is created if there is none.
    let putKind (groupId: string) (kind: GroupKind) (state: State) : State =
        match tryFind groupId state with
        | Some group -> put { group with Kind = kind } state
        | None -> put (create groupId kind) state

    let putClassic groupId (group: ClassicState) state = putKind groupId (GroupKind.Classic group) state

    let putConsumer groupId (group: ConsumerState) state = putKind groupId (GroupKind.Consumer group) state

    /// Why the called broker does not handle a request for the group: NOT_COORDINATOR or GROUP_AUTHORIZATION_FAILED.
    let refusal (call: Call) (operation: AclOperation) (groupId: string) (state: State) : ErrorCode =
        if not (Security.isAllowed call operation AclResourceType.Group groupId state) then
            ErrorCode.GroupAuthorizationFailed
        elif groupId = "" then
            ErrorCode.InvalidGroupId
        else
            Coordinators.check call CoordinatorType.Group groupId state

    /// A ticket for a request that may have to wait.
    let takeTicket (state: State) : State * Ticket =
        let ticket = state.Groups.NextTicket
        { state with Groups = { state.Groups with NextTicket = ticket + 1L } }, ticket

    /// Keeps responses for the requests that wait for them.
    let answer (answers: (Ticket * Response) list) (state: State) : State =
        if answers.IsEmpty then
            state
        else
            let kept =
                answers
                |> List.fold (fun (all: Map<Ticket, Response>) (ticket, response) -> all.Add(ticket, response)) state.Groups.Answers
            { state with Groups = { state.Groups with Answers = kept } }

    let private tryTake (ticket: Ticket) (adapt: Response -> Response) (state: State) : (State * Answer) voption =
        match state.Groups.Answers.TryFind ticket with
        | Some response ->
            let rest = { state.Groups with Answers = state.Groups.Answers.Remove ticket }
            ValueSome({ state with Groups = rest }, Reply(adapt response))
        | None -> ValueNone

    /// The response to the request with the ticket, now or as soon as there is one, adapted to the version of the request.
    let await (ticket: Ticket) (adapt: Response -> Response) (state: State) : State * Answer =
        match tryTake ticket adapt state with
        | ValueSome answered -> answered
        | ValueNone ->
            state, Later { Until = Int64.MaxValue; Concerns = Waiting.areGroupsChanged; Ready = fun _ state -> tryTake ticket adapt state }

    /// What a description says if the client did not ask for the operations. Releases before 2.4 say 0.
    let notAsked (state: State) : AuthorizedOperations =
        if state.Settings.Release.IsAtLeast(2, 4) then
            AuthorizedOperations.NotAsked
        else
            AuthorizedOperations 0

    /// The operations on groups, if the client asks for them.
    let operations (isAsked: bool) (state: State) : AuthorizedOperations =
        if not isAsked then
            notAsked state
        else
            AuthorizedOperations.Of
                [ AclOperation.Read
                  AclOperation.Delete
                  AclOperation.Describe
                  if state.Settings.Release.IsAtLeast(3, 8) then
                      AclOperation.DescribeConfigs
                      AclOperation.AlterConfigs ]

    /// The address of a client as groups show it.
    let clientHost (call: Call) : string = "/" + call.Caller.Host

    let clientId (call: Call) : string = call.Caller.Header.ClientId |> Option.defaultValue ""

    /// An id for a member of a classic group.
    let newMemberId (call: Call) (instanceId: string option) (state: State) : State * string =
        let state, id = Ids.uuid state
        state, (instanceId |> Option.defaultValue (clientId call)) + "-" + id.ToString()

    /// An id as Kafka writes UUIDs: 22 letters of Base64.
    let newShortId (state: State) : State * string =
        let state, id = Ids.uuid state
        let text = Convert.ToBase64String(id.ToByteArray true).TrimEnd('=')
        state, text.Replace('+', '-').Replace('/', '_')

    /// The order in which a Java hash map lists these keys, which decides some things in real brokers, such as the members that give up
    /// partitions. Exact for keys that were added in this order and never removed.
    let inHashOrder (keys: string list) : string list =
        let spread (text: string) =
            let hash = text |> Seq.fold (fun hash letter -> 31 * hash + int32 letter) 0
            hash ^^^ int32 (uint32 hash >>> 16)

        let rec capacity size = if float keys.Length > 0.75 * float size then capacity (2 * size) else size
        let buckets = capacity 16
        keys |> List.sortBy (fun key -> spread key &&& (buckets - 1))
