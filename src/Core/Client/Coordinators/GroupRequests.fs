namespace LibKafka.Client

open System
open LibKafka.Protocol

/// The requests about offsets, for a group client and for a transaction client.
[<RequireQualifiedAccess>]
module internal OffsetRequests =

    // Brokers store a negative offset, and then no member can read the partition.
    let private refuseNegative (offsets: (TopicPartition * CommittedOffset) list) =
        for at, offset in offsets do
            if offset.Offset < 0L then
                let message = "The offset of " + at.ToString() + " must not be negative. It is the offset of the next record to read."
                raise (ArgumentOutOfRangeException(nameof offsets, offset.Offset, message))

    let commit groupId (membership: GroupMembership) (offsets: (TopicPartition * CommittedOffset) list) : OffsetCommit.Request =
        let partition (at: TopicPartition, offset: CommittedOffset) : OffsetCommit.PartitionRequest =
            { PartitionIndex = at.Partition
              CommittedOffset = offset.Offset
              CommittedLeaderEpoch = offset.LeaderEpoch
              CommitTimestamp = -1L
              CommittedMetadata = Some offset.Metadata }

        refuseNegative offsets
        let topic name partitions : OffsetCommit.TopicRequest = { Name = name; TopicId = Guid.Empty; Partitions = partitions }

        { GroupId = groupId
          GenerationIdOrMemberEpoch = membership.GenerationOrEpoch
          MemberId = membership.MemberId
          GroupInstanceId = membership.GroupInstanceId
          RetentionTimeMs = -1L
          Topics = Offsets.topics topic partition offsets }

    let commitInTransaction
        transactionalId
        (producer: ProducerIdentity)
        groupId
        (membership: GroupMembership)
        offsets
        : TxnOffsetCommit.Request =
        let partition (at: TopicPartition, offset: CommittedOffset) : TxnOffsetCommit.PartitionRequest =
            { PartitionIndex = at.Partition
              CommittedOffset = offset.Offset
              CommittedLeaderEpoch = offset.LeaderEpoch
              CommittedMetadata = Some offset.Metadata }

        refuseNegative offsets
        let topic name partitions : TxnOffsetCommit.TopicRequest = { Name = name; TopicId = Guid.Empty; Partitions = partitions }

        { TransactionalId = transactionalId
          GroupId = groupId
          ProducerId = producer.ProducerId
          ProducerEpoch = producer.ProducerEpoch
          GenerationIdOrMemberEpoch = membership.GenerationOrEpoch
          MemberId = membership.MemberId
          GroupInstanceId = membership.GroupInstanceId
          Topics = Offsets.topics topic partition offsets }

    let private fetchOne groupId (topics: (string * int list) list option) requireStable : OffsetFetch.Request =
        let topic (name, partitions) : OffsetFetch.TopicRequest = { Name = name; PartitionIndexes = partitions }
        { GroupId = groupId; Topics = topics |> Option.map (List.map topic); Groups = []; RequireStable = requireStable }

    let private groupRequest (membership: GroupMembership) (groupId, topics: (string * int list) list option) : OffsetFetch.GroupRequest =
        let memberId = if membership.MemberId = "" then None else Some membership.MemberId

        let topic (name, partitions) : OffsetFetch.GroupTopicRequest = { Name = name; TopicId = Guid.Empty; PartitionIndexes = partitions }

        // Only a member of the new protocol identifies itself: a classic member's generation is no epoch.
        { GroupId = groupId
          MemberId = memberId
          MemberEpoch = (if memberId.IsSome then membership.GenerationOrEpoch else -1)
          Topics = topics |> Option.map (List.map topic) }

    let private fetchSome membership groups requireStable (version: int16) : OffsetFetch.Request =
        match groups with
        | [ groupId, topics ] when version < OffsetFetch.groupsSince -> fetchOne groupId topics requireStable
        | _ -> { GroupId = ""; Topics = Some []; Groups = groups |> List.map (groupRequest membership); RequireStable = requireStable }

    /// Asks for some partitions' offsets, or for all if `topics` is none.
    let fetch groupId membership topics requireStable version = fetchSome membership [ groupId, topics ] requireStable version

    /// The same for several groups, as no member of theirs. Versions before `OffsetFetch.groupsSince` can ask about one group only.
    let fetchGroups groups requireStable version = fetchSome GroupMembership.none groups requireStable version

    /// The error code of the group as a whole, and the partitions, in either of the two forms.
    let fetchedIn groupId (response: OffsetFetch.Response) : ErrorCode * (TopicPartition * OffsetFetch.PartitionResponse) list =
        match response.Groups |> List.tryFind (fun group -> group.GroupId = groupId) with
        | Some group ->
            group.Error, group.Topics |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)
        | None ->
            response.Error, response.Topics |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)

    let fetched (partition: TopicPartition) (answer: OffsetFetch.PartitionResponse) : FetchedOffset =
        let result =
            if answer.Error.IsError then
                Error answer.Error
            elif answer.CommittedOffset < 0L then
                Ok None
            else
                Ok(
                    Some
                        { Offset = answer.CommittedOffset
                          LeaderEpoch = answer.CommittedLeaderEpoch
                          Metadata = Option.defaultValue "" answer.Metadata }
                )

        { Partition = partition; Result = result }

/// The requests of members that leave a group.
[<RequireQualifiedAccess>]
module internal LeaveRequests =

    /// In older versions only the first of the members, in a field of its own. That has no room for a static name, so such a request cannot be
    /// written.
    let ofMembers groupId (members: LeaveGroup.MemberRequest list) (version: int16) : LeaveGroup.Request =
        match members with
        | first :: _ when version < LeaveGroup.membersSince && first.GroupInstanceId.IsNone ->
            { GroupId = groupId; MemberId = first.MemberId; Members = [] }
        | _ -> { GroupId = groupId; MemberId = ""; Members = members }

    // In a group of the new protocol, a static member that is named by its static name alone is answered under its real id.
    let private nameOf (memberId: string) (instanceId: string option) : struct (bool * string) =
        match instanceId with
        | Some name -> struct (true, name)
        | None -> struct (false, memberId)

    let answersIn (version: int16) (members: LeaveGroup.MemberRequest list) (response: LeaveGroup.Response) =
        let answer =
            response.Members
            |> Seq.map (fun answer -> nameOf answer.MemberId answer.GroupInstanceId, answer)
            |> Answers.byKey _.Error.IsError

        members
        |> List.map (fun one ->
            match answer (nameOf one.MemberId one.GroupInstanceId) with
            | Some answer when not response.Error.IsError -> answer
            | _ ->
                let isLeftOut = version >= LeaveGroup.membersSince && not response.Error.IsError
                let code = if isLeftOut then ErrorCode.UnknownServerError else response.Error
                { MemberId = one.MemberId; GroupInstanceId = one.GroupInstanceId; Error = code })
