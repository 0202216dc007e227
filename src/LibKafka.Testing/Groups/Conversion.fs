namespace LibKafka.Testing

open System
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups

/// Turns groups of one protocol into groups of the other, while their members stay.
[<RequireQualifiedAccess>]
module internal Conversion =

    /// The subscription of a classic member, in the metadata of its first protocol. None if it cannot be read.
    let subscription (protocols: JoinGroup.Protocol list) : ConsumerProtocolSubscription.Subscription option =
        protocols
        |> List.tryHead
        |> Option.bind (fun protocol -> ConsumerProtocol.decodeSubscription protocol.Metadata |> Result.toOption)

    /// Partitions by topic id. Those of topics that do not exist are left out.
    let owned (state: State) (topics: ConsumerTopicPartitions list) : OwnedPartitions =
        Map.ofList
            [ for it in topics do
                  match Cluster.tryTopic it.Topic state with
                  | Some topic when not it.Partitions.IsEmpty -> topic.Id, Set.ofList it.Partitions
                  | _ -> () ]

    /// Partitions by topic name.
    let named (state: State) (partitions: OwnedPartitions) : ConsumerTopicPartitions list =
        [ for KeyValue(id, numbers) in partitions do
              match Cluster.tryTopicById id state with
              | Some topic -> ({ Topic = topic.Name; Partitions = List.ofSeq numbers }: ConsumerTopicPartitions)
              | None -> () ]
        |> List.sortBy _.Topic

    let private consumerMember (now: Moment) (state: State) (generation: int32) (one: ClassicMember) : ConsumerMember option =
        match subscription one.Protocols, ConsumerProtocol.decodeAssignment one.Assignment with
        | Some subscribed, Ok assignment ->
            Some
                { MemberId = one.MemberId
                  InstanceId = one.InstanceId
                  RackId = subscribed.RackId
                  ClientId = one.ClientId
                  ClientHost = one.ClientHost
                  Epoch = generation
                  PreviousEpoch = generation
                  RebalanceTimeoutMs = one.RebalanceTimeoutMs
                  Topics = List.distinct subscribed.Topics
                  Regex = ""
                  ServerAssignor = None
                  Reconciliation = Reconciliation.Stable
                  Assigned = owned state assignment.AssignedPartitions
                  Revoking = Map.empty
                  Expires = now + int64 one.SessionTimeoutMs
                  RevokeBy = ValueNone
                  Classic = ValueSome { SessionTimeoutMs = one.SessionTimeoutMs; Protocols = one.Protocols } }
        | _ -> None

    /// The consumer group that a classic group becomes when a member of the consumer protocol joins. None if it cannot, because it is not a
    /// group of consumers.
    let toConsumer (now: Moment) (state: State) (group: ClassicState) : ConsumerState option =
        let members = group.Members |> List.map (consumerMember now state group.Generation)

        if group.Members.IsEmpty then
            Some EmptyGroup.consumer
        elif group.ProtocolType <> ConsumerProtocol.Type || members |> List.exists _.IsNone then
            None
        else
            let members = List.choose id members
            let converted = { EmptyGroup.consumer with Epoch = group.Generation - 1; Members = members }

            Some
                { ConsumerReconcile.bump state converted with
                    TargetEpoch = group.Generation
                    Target = members |> List.map (fun one -> one.MemberId, one.Assigned) |> Map.ofList }

    /// The assignment of a classic member in a consumer group, in the version of its subscription. All versions are equal but for their
    /// numbers.
    let assignment (state: State) (protocols: JoinGroup.Protocol list) (partitions: OwnedPartitions) : Bytes =
        match ConsumerProtocol.encodeAssignment { AssignedPartitions = named state partitions; UserData = None }, protocols with
        | Ok bytes, protocol :: _ when protocol.Metadata.Length >= 2 ->
            let copy = bytes.ToArray()
            protocol.Metadata.Span.Slice(0, 2).CopyTo(Span copy)
            Bytes copy
        | Ok bytes, _ -> bytes
        | Error _, _ -> ClassicRebalance.noBytes

    let private classicMember (now: Moment) (state: State) (one: ConsumerMember) (side: ClassicSide) : ClassicMember =
        { MemberId = one.MemberId
          InstanceId = one.InstanceId
          ClientId = one.ClientId
          ClientHost = one.ClientHost
          SessionTimeoutMs = side.SessionTimeoutMs
          RebalanceTimeoutMs = one.RebalanceTimeoutMs
          Protocols = side.Protocols
          Assignment = assignment state side.Protocols one.Assigned
          Join = ValueNone
          Sync = ValueNone
          OwesSync = false
          Expires = now + int64 side.SessionTimeoutMs }

    /// The classic group that a consumer group becomes when its last member of the consumer protocol leaves and members of the classic
    /// protocol are left. They begin a rebalance.
    let toClassic (now: Moment) (state: State) (group: ConsumerState) : ClassicStep voption =
        let sides =
            group.Members |> List.choose (fun one -> one.Classic |> ValueOption.toOption |> Option.map (fun side -> one, side))

        if sides.IsEmpty || sides.Length < group.Members.Length then
            ValueNone
        else
            let members = sides |> List.map (fun (one, side) -> classicMember now state one side)

            ValueSome(
                { EmptyGroup.classic with
                    Phase = ClassicPhase.Stable ValueNone
                    Generation = group.Epoch
                    ProtocolType = ConsumerProtocol.Type
                    ProtocolName = ClassicRebalance.select members
                    Leader = members.Head.MemberId
                    Members = members
                    IsStored = true }
                |> ClassicRebalance.prepare now state.Groups.Settings
            )

    /// Stores a consumer group from which members were removed. It becomes a classic group if only classic members are left.
    let store (now: Moment) (groupId: string) (group: ConsumerState) (state: State) : State =
        match toClassic now state group with
        | ValueNone -> Groups.putConsumer groupId group state
        | ValueSome step -> state |> Groups.putClassic groupId step.Group |> Groups.answer step.Answers
