namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups

/// A member's place in its group, by which the coordinator knows it.
type GroupMembership =
    {
        MemberId: string
        /// In a classic group the generation that the member joined, in a group of the new protocol (KIP-848) the member's epoch.
        GenerationOrEpoch: int32
        /// The name of a static member (KIP-345); none for a dynamic member.
        GroupInstanceId: string option
    }

    /// A one-line description.
    override this.ToString() =
        (match this.MemberId, this.GroupInstanceId with
         | "", Some name -> "member " + name
         | "", None -> "no member"
         | id, _ -> "member " + id)
        + (if this.GenerationOrEpoch < 0 then "" else ", generation or epoch " + string this.GenerationOrEpoch)

[<RequireQualifiedAccess>]
module GroupMembership =

    /// The membership of a client that is not a member. It may commit offsets while the group has no members.
    let none = { MemberId = ""; GenerationOrEpoch = -1; GroupInstanceId = None }

/// How a member joins a classic group.
type JoinSettings =
    {
        /// The coordinator considers the member dead if it gets no heartbeat for this long. The broker limits it.
        SessionTimeout: TimeSpan
        /// How long the coordinator waits for members to join again. A join may take that long, and gets 5 seconds more, even if `CallTimeout` is
        /// shorter.
        RebalanceTimeout: TimeSpan
        /// The name of a static member (KIP-345), which keeps its place when it comes back; none for a dynamic member.
        GroupInstanceId: string option
        /// `consumer` for consumers.
        ProtocolType: string
        /// The protocols that the member supports, the preferred one first. For consumers `Assignor.protocols` makes them.
        Protocols: JoinGroup.Protocol list
        /// Why the member joins, for the broker's log (KIP-800).
        Reason: string option
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show
            [ "SessionTimeout", box this.SessionTimeout
              "RebalanceTimeout", box this.RebalanceTimeout
              "GroupInstanceId", FieldText.optional this.GroupInstanceId
              "ProtocolType", box this.ProtocolType
              "Protocols", box (this.Protocols |> List.map _.Name)
              "Reason", FieldText.optional this.Reason ]

[<RequireQualifiedAccess>]
module JoinSettings =

    /// A dynamic consumer that supports these protocols, with 45 seconds for the session and 60 for a rebalance.
    let consumer (protocols: JoinGroup.Protocol list) =
        { SessionTimeout = TimeSpan.FromSeconds 45.0
          RebalanceTimeout = TimeSpan.FromSeconds 60.0
          GroupInstanceId = None
          ProtocolType = ConsumerProtocol.Type
          Protocols = protocols
          Reason = None }

/// The reply to joining a group. `Ok` means that the member has joined.
[<Sealed>]
type Joined(exchange: Exchange<JoinGroup.Request, JoinGroup.Response>, firstRound: Exchange<JoinGroup.Request, JoinGroup.Response> option) =
    inherit
        Reply<JoinGroup.Request, JoinGroup.Response, Result<JoinGroup.Response, CallFailure>>(
            exchange,
            Reply.resultOf _.Error exchange.Result,
            Reply.codesOf (fun _ -> [])
        )

    /// If the member first had to get its id (KIP-394): the round in which it did. `Exchange` is the only round, or the second of two.
    member _.FirstRound = firstRound

    override _.Exchanges = (firstRound |> Option.map _.Info |> Option.toList) @ [ exchange.Info ]

    /// The id with which a new member must join again (KIP-394), which comes with MEMBER_ID_REQUIRED; none with everything else.
    member _.RequiredMemberId: string option =
        match exchange.Result with
        | Ok response when response.Error = ErrorCode.MemberIdRequired -> Some response.MemberId
        | _ -> None

    /// The member's place in the group; none if it has not joined.
    member _.Membership: GroupMembership option =
        match exchange.Result with
        | Ok response when not response.Error.IsError ->
            Some
                { MemberId = response.MemberId
                  GenerationOrEpoch = response.GenerationId
                  GroupInstanceId = exchange.Request.GroupInstanceId }
        | _ -> None

    /// Whether the member has joined and must assign the work. A static leader that comes back to a group whose work is already assigned need
    /// not (KIP-814).
    member _.IsLeader =
        match exchange.Result with
        | Ok response -> not response.Error.IsError && response.Leader = response.MemberId && not response.SkipAssignment
        | Error _ -> false

/// Why members could not be removed from a group.
[<RequireQualifiedAccess; NoComparison>]
type LeaveFailure =
    /// There is no response, or it cannot be used.
    | Fault of ClientFault
    /// The result for each member of the request, in its order. At least one has an error code; the others have left. The code of a member is also
    /// that of the request as a whole, and UNKNOWN_SERVER_ERROR if the response leaves the member out.
    | Refused of LeaveGroup.MemberResponse list

    /// The fault, or the first error code.
    member this.First: CallFailure =
        match this with
        | Fault fault -> CallFailure.Fault fault
        | Refused members -> CallFailure.Code(members |> List.map _.Error |> List.tryFind _.IsError |> Option.defaultValue ErrorCode.None)

    /// A one-line description: the fault, or the members that have an error code.
    override this.ToString() =
        let nameOf (one: LeaveGroup.MemberResponse) = one.GroupInstanceId |> Option.defaultValue one.MemberId

        match this with
        | Fault fault -> fault.ToString()
        | Refused members ->
            let refused = members |> List.filter _.Error.IsError
            String.Join("; ", refused |> List.map (fun one -> "member " + nameOf one + ": " + one.Error.Explain null))

/// The reply to leaving a group. `Ok` means that all members have left.
[<Sealed>]
type Left(rounds: Exchange<LeaveGroup.Request, LeaveGroup.Response> list, members: Result<LeaveGroup.MemberResponse list, ClientFault>) =
    inherit
        Reply<Result<unit, LeaveFailure>>(
            match members with
            | Ok members when members |> List.exists _.Error.IsError -> Error(LeaveFailure.Refused members)
            | Ok _ -> Ok()
            | Error fault -> Error(LeaveFailure.Fault fault)
        )

    /// The result for each member of the request, in its order; empty if there is a fault.
    member _.Members: LeaveGroup.MemberResponse list = members |> Result.defaultValue []

    /// One exchange or, with brokers before Kafka 2.4, which take one member per request, as many as there are members.
    member _.Rounds = rounds

    override _.Exchanges = rounds |> List.map _.Info
    override _.Error = Codes.first (members |> Result.map (List.map _.Error))
    override _.IsTransient = Codes.areTransient (members |> Result.map (List.map _.Error))
