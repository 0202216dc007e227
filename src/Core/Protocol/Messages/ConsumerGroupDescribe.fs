namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ConsumerGroupDescribe (API key 69): describes consumer groups of the new protocol (KIP-848). Send it to the coordinator of each group.
/// For classic groups use DescribeGroups.
module ConsumerGroupDescribe =

    type Request =
        {
            GroupIds: string list
            /// Whether the response includes the operations that the client is authorized for on each group (KIP-430).
            IncludeAuthorizedOperations: bool
        }

    let request = message {
        let! groups = field "GroupIds" _.GroupIds (array string)
        and! operations = field "IncludeAuthorizedOperations" _.IncludeAuthorizedOperations bool

        return { GroupIds = groups; IncludeAuthorizedOperations = operations }
    }

    /// A member of a group.
    type Member =
        {
            MemberId: string
            /// The instance id of a static member; null for a dynamic member.
            InstanceId: string option
            /// Null if the member has not given one.
            RackId: string option
            /// The epoch that the member has reached. If it is lower than the group's, the member has not reached its target assignment
            /// yet. -2 while a static member is away temporarily.
            MemberEpoch: int32
            /// The client id in the header of the member's requests.
            ClientId: string
            /// The address from which the member's requests come, such as `/10.0.0.7`.
            ClientHost: string
            /// The topics that the member subscribes to by name.
            SubscribedTopicNames: string list
            /// The regular expression (RE2 syntax) that the member subscribes with; null or empty if it has none.
            SubscribedTopicRegex: string option
            /// The partitions that the member has now.
            Assignment: DescribedAssignment
            /// The partitions that the member will have when the rebalance is complete.
            TargetAssignment: DescribedAssignment
            /// Whether the member uses the classic or the new protocol. Since version 1 (KIP-1099).
            MemberType: GroupMemberType
        }

    let groupMember = message {
        let! id = field "MemberId" _.MemberId string
        and! instance = field "InstanceId" _.InstanceId (string |> nullable |> withDefault None)
        and! rack = field "RackId" _.RackId (string |> nullable |> withDefault None)
        and! epoch = field "MemberEpoch" _.MemberEpoch int32
        and! client = field "ClientId" _.ClientId string
        and! host = field "ClientHost" _.ClientHost string
        and! topics = field "SubscribedTopicNames" _.SubscribedTopicNames (array string)
        and! regex = field "SubscribedTopicRegex" _.SubscribedTopicRegex (string |> nullable |> withDefault None)
        and! current = field "Assignment" _.Assignment DescribedAssignment.schema
        and! target = field "TargetAssignment" _.TargetAssignment DescribedAssignment.schema
        and! kind = field "MemberType" _.MemberType (groupMemberType |> since 1s GroupMemberType.Unknown |> ignorable)

        return
            { MemberId = id
              InstanceId = instance
              RackId = rack
              MemberEpoch = epoch
              ClientId = client
              ClientHost = host
              SubscribedTopicNames = topics
              SubscribedTopicRegex = regex
              Assignment = current
              TargetAssignment = target
              MemberType = kind }
    }

    /// The description of one group.
    type Group =
        {
            /// NOT_COORDINATOR if another broker is the coordinator; COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state;
            /// GROUP_ID_NOT_FOUND if there is no such group or it uses another protocol; INVALID_GROUP_ID for an empty id;
            /// GROUP_AUTHORIZATION_FAILED; TOPIC_AUTHORIZATION_FAILED if the client may not see one of the group's topics.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            GroupId: string
            /// Empty on error.
            GroupState: GroupState
            /// Increases with each change of members, subscriptions or topics.
            GroupEpoch: int32
            /// The group epoch for which the target assignment was computed. If it is lower than the group's, a new assignment is pending.
            AssignmentEpoch: int32
            /// The assignor that the coordinator uses.
            AssignorName: string
            Members: Member list
            /// The operations that the client is authorized for on the group, if requested.
            AuthorizedOperations: AuthorizedOperations
        }

    let group = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! id = field "GroupId" _.GroupId string
        and! state = field "GroupState" _.GroupState groupState
        and! epoch = field "GroupEpoch" _.GroupEpoch int32
        and! assignmentEpoch = field "AssignmentEpoch" _.AssignmentEpoch int32
        and! assignor = field "AssignorName" _.AssignorName string
        and! members = field "Members" _.Members (array groupMember)
        and! operations =
            field "AuthorizedOperations" _.AuthorizedOperations (authorizedOperations |> withDefault AuthorizedOperations.NotAsked)

        return
            { Error = error
              ErrorMessage = text
              GroupId = id
              GroupState = state
              GroupEpoch = epoch
              AssignmentEpoch = assignmentEpoch
              AssignorName = assignor
              Members = members
              AuthorizedOperations = operations }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            Groups: Group list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! groups = field "Groups" _.Groups (array group)

        return { ThrottleTimeMs = throttle; Groups = groups }
    }

    let api =
        Api.define ApiKey.ConsumerGroupDescribe (versions 0 1 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Member with
        override this.ToString() = Schema.show groupMember this
    type Group with
        override this.ToString() = Schema.show group this
    type Response with
        override this.ToString() = Message.show api.Response this
