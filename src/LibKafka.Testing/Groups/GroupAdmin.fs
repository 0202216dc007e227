namespace LibKafka.Testing

open System
open LibKafka.Protocol

/// What administrators do with groups of both protocols: DescribeGroups, ListGroups, DeleteGroups.
[<RequireQualifiedAccess>]
module internal GroupAdmin =

    /// The first version of DescribeGroups with an error for groups that do not exist.
    let private notFoundSince = 6s

    let private phaseOf (group: ClassicState) : LibKafka.GroupState =
        match group.Phase with
        | ClassicPhase.Empty when not group.IsStored -> LibKafka.GroupState.Dead
        | ClassicPhase.Empty -> LibKafka.GroupState.Empty
        | ClassicPhase.PreparingRebalance _ -> LibKafka.GroupState.PreparingRebalance
        | ClassicPhase.CompletingRebalance _ -> LibKafka.GroupState.CompletingRebalance
        | ClassicPhase.Stable _ -> LibKafka.GroupState.Stable

    let private isStable (group: ClassicState) =
        match group.Phase with
        | ClassicPhase.Stable _ -> true
        | _ -> false

    /// Releases before 4.0 show no assignments during a rebalance. 2.3.0 shows the assignment in place of the metadata.
    let private describedMember (group: ClassicState) (state: State) (one: ClassicMember) : DescribeGroups.Member =
        let isSettled = isStable group
        let release = state.Settings.Release
        let isSwapped = release.IsAtLeast(2, 3) && not (release.IsAtLeast(2, 3, 1))

        { MemberId = one.MemberId
          GroupInstanceId = one.InstanceId
          ClientId = one.ClientId
          ClientHost = one.ClientHost
          MemberMetadata =
            (if not isSettled then ClassicRebalance.noBytes
             elif isSwapped then one.Assignment
             else ClassicRebalance.metadata group.ProtocolName one)
          MemberAssignment =
            (if isSettled || state.Settings.Release.IsAtLeast(4, 0) then
                 one.Assignment
             else
                 ClassicRebalance.noBytes) }

    let private noGroup (groupId: string) (operations: AuthorizedOperations) : DescribeGroups.Group =
        { Error = ErrorCode.None
          ErrorMessage = None
          GroupId = groupId
          GroupState = LibKafka.GroupState.Dead
          ProtocolType = ""
          ProtocolData = ""
          Members = []
          AuthorizedOperations = operations }

    let private missing (call: Call) (text: string) (none: DescribeGroups.Group) : DescribeGroups.Group =
        if call.Version >= notFoundSince then
            { none with Error = ErrorCode.GroupIdNotFound; ErrorMessage = Some text }
        else
            none

    let private described (call: Call) (operations: AuthorizedOperations) (state: State) (groupId: string) : DescribeGroups.Group =
        let none = noGroup groupId operations
        let refusal = Groups.refusal call AclOperation.Describe groupId state

        match Groups.tryFind groupId state |> Option.map _.Kind with
        | _ when refusal.IsError ->
            { none with Error = refusal; GroupState = LibKafka.GroupState ""; AuthorizedOperations = Groups.notAsked state }
        | None -> missing call ("Group " + groupId + " not found.") none
        | Some(GroupKind.Consumer _) -> missing call ("Group " + groupId + " is not a classic group.") none
        | Some(GroupKind.Classic group) when group.Phase = ClassicPhase.Empty && not group.IsStored ->
            missing call ("Group " + groupId + " not found.") none
        | Some(GroupKind.Classic group) ->
            { none with
                GroupState = phaseOf group
                ProtocolType = group.ProtocolType
                ProtocolData = (if isStable group then Option.defaultValue "" group.ProtocolName else "")
                Members = [ for one in group.Members -> describedMember group state one ] }

    let private describe (call: Call) (request: DescribeGroups.Request) (state: State) : State * Answer =
        let operations = Groups.operations request.IncludeAuthorizedOperations state
        state, Reply(Response.DescribeGroups { ThrottleTimeMs = 0; Groups = request.Groups |> List.map (described call operations state) })

    let private listed (group: Group) : ListGroups.Group voption =
        match group.Kind with
        | GroupKind.Classic classic when classic.Phase = ClassicPhase.Empty && not classic.IsStored -> ValueNone
        | GroupKind.Classic classic ->
            ValueSome
                { GroupId = group.GroupId
                  ProtocolType = classic.ProtocolType
                  GroupState = phaseOf classic
                  GroupType = GroupType.Classic }
        | GroupKind.Consumer consumer ->
            ValueSome
                { GroupId = group.GroupId
                  ProtocolType = LibKafka.Groups.ConsumerProtocol.Type
                  GroupState = ConsumerReconcile.phase consumer
                  GroupType = GroupType.Consumer }

    let private list (call: Call) (request: ListGroups.Request) (state: State) : State * Answer =
        let isAmong (names: string list) (name: string) =
            names.IsEmpty || names |> List.exists (fun it -> String.Equals(it, name, StringComparison.OrdinalIgnoreCase))

        let states = request.StatesFilter |> List.map _.Name
        let types = request.TypesFilter |> List.map _.Name

        let groups =
            [ for group in state.Groups.ById.Values do
                  if not (Groups.refusal call AclOperation.Describe group.GroupId state).IsError then
                      match listed group with
                      | ValueSome it when isAmong states it.GroupState.Name && isAmong types it.GroupType.Name -> it
                      | _ -> () ]

        state, Reply(Response.ListGroups { ThrottleTimeMs = 0; Error = ErrorCode.None; Groups = groups })

    let private isEmpty (group: Group) : bool =
        match group.Kind with
        | GroupKind.Classic classic -> classic.Members.IsEmpty
        | GroupKind.Consumer consumer -> consumer.Members.IsEmpty

    let private deleteOne (call: Call) (groupId: string) (state: State) : DeleteGroups.Result * State =
        let result code : DeleteGroups.Result = { GroupId = groupId; Error = code; ErrorMessage = None }
        let refusal = Groups.refusal call AclOperation.Delete groupId state

        match Groups.tryFind groupId state with
        | _ when refusal.IsError -> result refusal, state
        | None -> result ErrorCode.GroupIdNotFound, state
        | Some group when not (isEmpty group) -> result ErrorCode.NonEmptyGroup, state
        | Some _ -> result ErrorCode.None, Groups.remove groupId state

    let private delete (call: Call) (request: DeleteGroups.Request) (state: State) : State * Answer =
        let results, state = request.GroupsNames |> List.distinct |> List.mapFold (fun state id -> deleteOne call id state) state
        state, Reply(Response.DeleteGroups { ThrottleTimeMs = 0; Results = results })

    /// ValueNone for other requests.
    let tryHandle (call: Call) (request: Request) (state: State) : (State * Answer) voption =
        match request with
        | Request.DescribeGroups request -> ValueSome(describe call request state)
        | Request.ListGroups request -> ValueSome(list call request state)
        | Request.DeleteGroups request -> ValueSome(delete call request state)
        | _ -> ValueNone
