namespace LibKafka.Testing

open System
open LibKafka.Protocol

/// The committed offsets of groups: OffsetCommit, OffsetFetch, OffsetDelete, and the offsets of transactions.
[<RequireQualifiedAccess>]
module internal GroupOffsets =

    /// The first version of OffsetCommit for members of the consumer protocol.
    let private epochSince = 9s

    /// The first version of OffsetFetch with an error of the whole group.
    let private wholeErrorSince = 2s

    /// Who commits offsets.
    type private Committer =
        {
            MemberId: string
            InstanceId: string option
            /// The generation or the member epoch; -1 if the client is not a member.
            Generation: int32
            IsTransactional: bool
            /// Of OffsetCommit; the newest for TxnOffsetCommit.
            Version: int16
        }

        /// Whether it says nothing about a member.
        member this.IsStranger = this.Generation < 0 && this.MemberId = "" && this.InstanceId.IsNone

    let private checkClassic (committer: Committer) (group: ClassicState) : ErrorCode =
        let owner = committer.InstanceId |> Option.bind (fun name -> ClassicRebalance.tryStatic name group)

        if committer.Generation < 0 && group.Phase = ClassicPhase.Empty then
            ErrorCode.None
        elif committer.IsStranger then
            if committer.IsTransactional then ErrorCode.None else ErrorCode.UnknownMemberId
        elif committer.InstanceId.IsSome && owner.IsNone then
            ErrorCode.UnknownMemberId
        elif owner |> Option.exists (fun one -> one.MemberId <> committer.MemberId) then
            ErrorCode.FencedInstanceId
        elif (ClassicRebalance.tryMember committer.MemberId group).IsNone then
            ErrorCode.UnknownMemberId
        elif committer.Generation <> group.Generation then
            ErrorCode.IllegalGeneration
        else
            match group.Phase with
            | ClassicPhase.CompletingRebalance _ when not committer.IsTransactional -> ErrorCode.RebalanceInProgress
            | _ -> ErrorCode.None

    let private checkConsumer (committer: Committer) (group: ConsumerState) : ErrorCode =
        if committer.Generation < 0 && group.Members.IsEmpty then
            ErrorCode.None
        elif committer.IsTransactional && committer.IsStranger then
            ErrorCode.None
        else
            match ConsumerReconcile.tryMember committer.MemberId group with
            | None -> ErrorCode.UnknownMemberId
            | Some one when not committer.IsTransactional && one.Classic.IsNone && committer.Version < epochSince ->
                ErrorCode.UnsupportedVersion
            | Some one when one.Epoch = committer.Generation -> ErrorCode.None
            | Some one when one.Classic.IsSome -> ErrorCode.IllegalGeneration
            | Some _ -> ErrorCode.StaleMemberEpoch

    /// The group that offsets are committed to, which a client that is not a member creates.
    let private tryOpen (committer: Committer) (groupId: string) (state: State) : Result<Group, ErrorCode> =
        let checkedBy code group = if (code: ErrorCode).IsError then Error code else Ok group

        match Groups.tryFind groupId state with
        | Some({ Kind = GroupKind.Classic classic } as group) -> checkedBy (checkClassic committer classic) group
        | Some({ Kind = GroupKind.Consumer consumer } as group) -> checkedBy (checkConsumer committer consumer) group
        | None when committer.Generation < 0 -> Ok(Groups.create groupId (GroupKind.Classic EmptyGroup.classic))
        | None when committer.Version >= epochSince && not committer.IsTransactional -> Error ErrorCode.GroupIdNotFound
        | None -> Error ErrorCode.IllegalGeneration

    /// A commit of a member is a sign of life.
    let private keepAlive (now: Moment) (committer: Committer) (group: Group) : Group =
        match group.Kind with
        | GroupKind.Classic classic ->
            let alive = ClassicRebalance.keepAlive now committer.MemberId { classic with IsStored = true }
            { group with Kind = GroupKind.Classic alive }
        | GroupKind.Consumer _ -> group

    /// A partition whose offset is committed.
    type private Commit = { Partition: int32; Offset: int64; LeaderEpoch: int32; Metadata: string option }

    /// A topic of a request: named, or by id.
    type private Wanted<'T> = { Name: string; Id: Guid; Items: 'T list }

    let private tryTopic (byId: bool) (wanted: Wanted<'T>) (state: State) : Topic option =
        if byId then Cluster.tryTopicById wanted.Id state else Cluster.tryTopic wanted.Name state

    /// What is wrong with the topic.
    let private topicFault (call: Call) (byId: bool) (wanted: Wanted<'T>) (state: State) : Result<Topic, ErrorCode> =
        match tryTopic byId wanted state with
        | None when byId -> Error ErrorCode.UnknownTopicId
        | None when not (Security.isAllowed call AclOperation.Read AclResourceType.Topic wanted.Name state) ->
            Error ErrorCode.TopicAuthorizationFailed
        | None -> Error ErrorCode.UnknownTopicOrPartition
        | Some topic when not (Security.isAllowed call AclOperation.Read AclResourceType.Topic topic.Name state) ->
            Error ErrorCode.TopicAuthorizationFailed
        | Some topic -> Ok topic

    /// The error of each partition before the group is asked. Those with errors come first in the responses of brokers.
    let private sift (call: Call) (byId: bool) (index: 'T -> int32) (wanted: Wanted<'T>) state : (Topic * 'T) list * ('T * ErrorCode) list =
        match topicFault call byId wanted state with
        | Error code -> [], [ for item in wanted.Items -> item, code ]
        | Ok topic ->
            let isThere item = index item >= 0 && index item < topic.Partitions.Length
            let known, unknown = List.partition isThere wanted.Items
            [ for item in known -> topic, item ], [ for item in unknown -> item, ErrorCode.UnknownTopicOrPartition ]

    /// Results by topic, in the order of brokers: topics with errors first, and in each topic partitions with errors first.
    let private arrange (sifted: (Wanted<'T> * (Topic * 'T) list * ('T * ErrorCode) list) list) (outcome: Topic * 'T -> ErrorCode) =
        let withErrors, others = sifted |> List.partition (fun (_, _, refused) -> not refused.IsEmpty)

        [ for wanted, known, refused in withErrors @ others -> wanted, refused @ [ for topic, item in known -> item, outcome (topic, item) ] ]

    let private tooLong (commit: Commit) (state: State) =
        (commit.Metadata |> Option.defaultValue "").Length > state.Groups.Settings.MaxMetadataLength

    let private committed (order: int64) (topic: Topic) (commit: Commit) : StoredOffset =
        { Offset = commit.Offset
          LeaderEpoch = commit.LeaderEpoch
          Metadata = Option.defaultValue "" commit.Metadata
          TopicId = topic.Id
          Order = order }

    /// Commits offsets of partitions that exist. `store` adds them to the group.
    let private commitTo
        call
        committer
        groupId
        (known: (Topic * Commit) list)
        store
        (state: State)
        : State * (Topic * Commit -> ErrorCode) =
        match tryOpen committer groupId state with
        | Error code -> state, (fun _ -> code)
        | Ok group ->
            let order = state.Groups.NextCommit

            let offsets =
                [ for topic, commit in known do
                      if not (tooLong commit state) then
                          struct (topic.Name, commit.Partition), committed order topic commit ]

            let state = { state with Groups = { state.Groups with NextCommit = order + 1L } }

            (if offsets.IsEmpty then
                 state
             else
                 Groups.put (group |> keepAlive (call: Call).Now committer |> store offsets) state),
            (fun (_, commit) -> if tooLong commit state then ErrorCode.OffsetMetadataTooLarge else ErrorCode.None)

    let private putAll offsets known =
        offsets |> List.fold (fun (all: Map<struct (string * int32), StoredOffset>) (key, offset) -> all.Add(key, offset)) known

    /// Commits offsets, unless the broker or the client may not.
    let private commit call committer groupId byId (topics: Wanted<Commit> list) store (state: State) =
        let refusal = Groups.refusal call AclOperation.Read groupId state

        if refusal.IsError then
            state, [ for topic in topics -> topic, [ for item in topic.Items -> item, refusal ] ]
        else
            let sifted =
                [ for topic in topics ->
                      let known, refused = sift call byId _.Partition topic state
                      topic, known, refused ]

            match sifted |> List.collect (fun (_, known, _) -> known) with
            | [] -> state, arrange sifted (fun _ -> ErrorCode.None)
            | known ->
                let state, outcome = commitTo call committer groupId known store state
                state, arrange sifted outcome

    let private offsetCommit (call: Call) (request: OffsetCommit.Request) (state: State) : State * Answer =
        let committer =
            { MemberId = request.MemberId
              InstanceId = request.GroupInstanceId
              Generation = request.GenerationIdOrMemberEpoch
              IsTransactional = false
              Version = call.Version }

        let topics =
            [ for topic in request.Topics ->
                  { Name = topic.Name
                    Id = topic.TopicId
                    Items =
                      [ for it in topic.Partitions ->
                            { Partition = it.PartitionIndex
                              Offset = it.CommittedOffset
                              LeaderEpoch = it.CommittedLeaderEpoch
                              Metadata = it.CommittedMetadata } ] } ]

        let store offsets (group: Group) = { group with Offsets = putAll offsets group.Offsets }
        let state, results = commit call committer request.GroupId (call.Version >= OffsetCommit.topicIdsSince) topics store state

        state,
        Reply(
            Response.OffsetCommit
                { ThrottleTimeMs = 0
                  Topics =
                    [ for topic, partitions in results ->
                          { Name = topic.Name
                            TopicId = topic.Id
                            Partitions = [ for it, code in partitions -> { PartitionIndex = it.Partition; Error = code } ] } ] }
        )

    /// Commits the offsets of a transaction: they are pending until it ends. The transaction has admitted them.
    let commitInTransaction (call: Call) (request: TxnOffsetCommit.Request) (state: State) : State * TxnOffsetCommit.Response =
        let committer =
            { MemberId = request.MemberId
              InstanceId = request.GroupInstanceId
              Generation = request.GenerationIdOrMemberEpoch
              IsTransactional = true
              Version = call.Version }

        let topics =
            [ for topic in request.Topics ->
                  { Name = topic.Name
                    Id = topic.TopicId
                    Items =
                      [ for it in topic.Partitions ->
                            { Partition = it.PartitionIndex
                              Offset = it.CommittedOffset
                              LeaderEpoch = it.CommittedLeaderEpoch
                              Metadata = it.CommittedMetadata } ] } ]

        let store offsets (group: Group) =
            let known = group.PendingOffsets.TryFind request.ProducerId |> Option.defaultValue Map.empty
            { group with PendingOffsets = group.PendingOffsets.Add(request.ProducerId, putAll offsets known) }

        let state, results =
            commit call committer request.GroupId (call.Version >= TxnOffsetCommit.topicIdsSince) topics store state

        state,
        { ThrottleTimeMs = 0
          Topics =
            [ for topic, partitions in results ->
                  { Name = topic.Name
                    TopicId = topic.Id
                    Partitions = [ for it, code in partitions -> { PartitionIndex = it.Partition; Error = code } ] } ] }

    let private endIn (producerId: int64) (isCommit: bool) (group: Group) : Group =
        let newer (all: Map<struct (string * int32), StoredOffset>) key (offset: StoredOffset) =
            match all.TryFind key with
            | Some known when known.Order > offset.Order -> all
            | _ -> all.Add(key, offset)

        match group.PendingOffsets.TryFind producerId with
        | Some pending ->
            { group with
                PendingOffsets = group.PendingOffsets.Remove producerId
                Offsets = (if isCommit then Map.fold newer group.Offsets pending else group.Offsets) }
        | None -> group

    /// Makes the offsets of a producer's transaction those of the groups, or drops them. An offset that was committed later without a
    /// transaction stays.
    let endTransaction (_now: Moment) (producerId: int64) (isCommit: bool) (state: State) : State =
        state.Groups.ById.Values
        |> Seq.filter (fun group -> group.PendingOffsets.ContainsKey producerId)
        |> Seq.fold (fun state group -> Groups.put (endIn producerId isCommit group) state) state

    /// An offset whose topic still exists.
    let private tryOffset (topic: string) (partition: int32) (group: Group option) (state: State) : StoredOffset option =
        match group |> Option.bind (fun group -> group.Offsets.TryFind(struct (topic, partition))), Cluster.tryTopic topic state with
        | Some offset, Some found when found.Id = offset.TopicId -> Some offset
        | _ -> None

    let private isPending (topic: string) (partition: int32) (group: Group option) : bool =
        group |> Option.exists (fun group -> group.PendingOffsets.Values |> Seq.exists _.ContainsKey(struct (topic, partition)))

    let private noOffset (partition: int32) (code: ErrorCode) : OffsetFetch.PartitionResponse =
        { PartitionIndex = partition; CommittedOffset = -1L; CommittedLeaderEpoch = -1; Metadata = Some ""; Error = code }

    let private fetched (isStable: bool) (group: Group option) (topic: string) (partition: int32) (state: State) =
        match tryOffset topic partition group state with
        | _ when isStable && isPending topic partition group -> noOffset partition ErrorCode.UnstableOffsetCommit
        | None -> noOffset partition ErrorCode.None
        | Some offset ->
            { PartitionIndex = partition
              CommittedOffset = offset.Offset
              CommittedLeaderEpoch = offset.LeaderEpoch
              Metadata = Some offset.Metadata
              Error = ErrorCode.None }

    let private memberFault (one: OffsetFetch.GroupRequest) (group: Group option) : ErrorCode =
        match group with
        | Some { Kind = GroupKind.Consumer consumer } when one.MemberId.IsSome || one.MemberEpoch >= 0 ->
            match consumer |> ConsumerReconcile.tryMember (Option.defaultValue "" one.MemberId) with
            | None -> ErrorCode.UnknownMemberId
            | Some found when found.Epoch <> one.MemberEpoch ->
                if found.Classic.IsSome then ErrorCode.IllegalGeneration else ErrorCode.StaleMemberEpoch
            | Some _ -> ErrorCode.None
        | _ -> ErrorCode.None

    /// All topics with offsets of a group.
    let private allTopics (group: Group option) (state: State) : OffsetFetch.GroupTopicRequest list =
        match group with
        | None -> []
        | Some found ->
            [ for struct (topic, partition) in found.Offsets.Keys do
                  if (tryOffset topic partition group state).IsSome then topic, partition ]
            |> List.groupBy fst
            |> List.map (fun (topic, partitions) ->
                { Name = topic; TopicId = state.Topics[topic].Id; PartitionIndexes = List.map snd partitions })

    let private fetchTopic
        (call: Call)
        (isStable: bool)
        group
        (topic: OffsetFetch.GroupTopicRequest)
        (state: State)
        : OffsetFetch.GroupTopicResponse =
        let byId = call.Version >= OffsetFetch.topicIdsSince
        let wanted = { Name = topic.Name; Id = topic.TopicId; Items = topic.PartitionIndexes }

        let partitions =
            match tryTopic byId wanted state with
            | None when byId -> [ for index in topic.PartitionIndexes -> noOffset index ErrorCode.UnknownTopicId ]
            | found ->
                let name = found |> Option.map _.Name |> Option.defaultValue topic.Name

                if Security.isAllowed call AclOperation.Describe AclResourceType.Topic name state then
                    [ for index in topic.PartitionIndexes -> fetched isStable group name index state ]
                else
                    [ for index in topic.PartitionIndexes -> noOffset index ErrorCode.TopicAuthorizationFailed ]

        { Name = topic.Name; TopicId = topic.TopicId; Partitions = partitions }

    let private fetchGroup (call: Call) (isStable: bool) (one: OffsetFetch.GroupRequest) (state: State) : OffsetFetch.GroupResponse =
        let group = Groups.tryFind one.GroupId state
        let refusal = Groups.refusal call AclOperation.Describe one.GroupId state
        // OffsetFetch has never refused an empty group id.
        let refusal = if refusal = ErrorCode.InvalidGroupId then ErrorCode.None else refusal
        let code = if refusal.IsError then refusal else memberFault one group

        if code.IsError then
            { GroupId = one.GroupId; Topics = []; Error = code }
        else
            let topics = one.Topics |> Option.defaultWith (fun () -> allTopics group state)
            { GroupId = one.GroupId
              Topics = [ for topic in topics -> fetchTopic call isStable group topic state ]
              Error = ErrorCode.None }

    let private fetchOne (call: Call) (request: OffsetFetch.Request) (state: State) : OffsetFetch.Response =
        let one: OffsetFetch.GroupRequest =
            { GroupId = request.GroupId
              MemberId = None
              MemberEpoch = -1
              Topics =
                request.Topics
                |> Option.map (List.map (fun it -> { Name = it.Name; TopicId = Guid.Empty; PartitionIndexes = it.PartitionIndexes })) }

        let result = fetchGroup call request.RequireStable one state

        // Version 1 has no place for an error of the whole group.
        let failed =
            [ for topic in Option.defaultValue [] request.Topics ->
                  ({ Name = topic.Name; Partitions = [ for index in topic.PartitionIndexes -> noOffset index result.Error ] }
                  : OffsetFetch.TopicResponse) ]

        { ThrottleTimeMs = 0
          Topics =
            (if result.Error.IsError then
                 (if call.Version < wholeErrorSince then failed else [])
             else
                 [ for topic in result.Topics -> { Name = topic.Name; Partitions = topic.Partitions } ])
          Error = (if call.Version >= wholeErrorSince then result.Error else ErrorCode.None)
          Groups = [] }

    let private offsetFetch (call: Call) (request: OffsetFetch.Request) (state: State) : State * Answer =
        if call.Version < OffsetFetch.groupsSince then
            state, Reply(Response.OffsetFetch(fetchOne call request state))
        elif request.Groups.IsEmpty then
            // Brokers never answer it.
            state, Later Waiting.never
        else
            state,
            Reply(
                Response.OffsetFetch
                    { ThrottleTimeMs = 0
                      Topics = []
                      Error = ErrorCode.None
                      Groups = [ for one in request.Groups -> fetchGroup call request.RequireStable one state ] }
            )

    /// The topics that the members of a group subscribe to. None if the group has members that are not consumers.
    let private subscribed (group: Group) : Set<string> option =
        match group.Kind with
        | GroupKind.Consumer consumer ->
            Some(consumer.Members |> List.fold (fun all one -> Set.union all (ConsumerReconcile.topicsOf consumer one)) Set.empty)
        | GroupKind.Classic classic when classic.Members.IsEmpty -> Some Set.empty
        | GroupKind.Classic classic when classic.ProtocolType <> LibKafka.Groups.ConsumerProtocol.Type -> None
        | GroupKind.Classic classic ->
            classic.Members
            |> List.choose (fun one -> Conversion.subscription one.Protocols)
            |> List.collect _.Topics
            |> Set.ofList
            |> Some

    let private deleteFrom (group: Group) (keys: struct (string * int32) list) : Group =
        let without (offsets: Map<struct (string * int32), StoredOffset>) = keys |> List.fold (fun all key -> Map.remove key all) offsets

        { group with
            Offsets = without group.Offsets
            PendingOffsets =
                group.PendingOffsets |> Map.map (fun _ offsets -> without offsets) |> Map.filter (fun _ offsets -> not offsets.IsEmpty) }

    let private deleteOffsets (call: Call) (request: OffsetDelete.Request) (group: Group) (inUse: Set<string>) (state: State) =
        let sifted =
            [ for topic in request.Topics ->
                  let wanted = { Name = topic.Name; Id = Guid.Empty; Items = [ for it in topic.Partitions -> it.PartitionIndex ] }
                  let known, refused = sift call false id wanted state
                  wanted, known, refused ]

        let outcome (topic: Topic, _: int32) = if inUse.Contains topic.Name then ErrorCode.GroupSubscribedToTopic else ErrorCode.None

        let keys =
            [ for _, known, _ in sifted do
                  for topic, index in known do
                      if not (inUse.Contains topic.Name) then struct (topic.Name, index) ]

        Groups.put (deleteFrom group keys) state,
        [ for topic, partitions in arrange sifted outcome ->
              ({ Name = topic.Name; Partitions = [ for index, code in partitions -> { PartitionIndex = index; Error = code } ] }
              : OffsetDelete.TopicResult) ]

    let private offsetDelete (call: Call) (request: OffsetDelete.Request) (state: State) : State * Answer =
        let refusal = Groups.refusal call AclOperation.Delete request.GroupId state
        let refused code = state, Reply(Response.OffsetDelete { Error = code; ThrottleTimeMs = 0; Topics = [] })

        match Groups.tryFind request.GroupId state |> Option.map (fun group -> group, subscribed group) with
        | _ when refusal.IsError -> refused refusal
        | None -> refused ErrorCode.GroupIdNotFound
        | Some(_, None) -> refused ErrorCode.NonEmptyGroup
        | Some(group, Some inUse) ->
            let state, topics = deleteOffsets call request group inUse state
            state, Reply(Response.OffsetDelete { Error = ErrorCode.None; ThrottleTimeMs = 0; Topics = topics })

    /// ValueNone for other requests. TxnOffsetCommit is handled with the transactions.
    let tryHandle (call: Call) (request: Request) (state: State) : (State * Answer) voption =
        match request with
        | Request.OffsetCommit request -> ValueSome(offsetCommit call request state)
        | Request.OffsetFetch request -> ValueSome(offsetFetch call request state)
        | Request.OffsetDelete request -> ValueSome(offsetDelete call request state)
        | _ -> ValueNone
