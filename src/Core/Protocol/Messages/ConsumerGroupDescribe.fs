namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ConsumerGroupDescribe (API key 69): state, members and assignments of groups of the new protocol (KIP-848). It goes to the
/// coordinator of each group. Groups of the classic protocol are described by DescribeGroups.
module ConsumerGroupDescribe =

    type Request =
        {
            GroupIds: string list
            /// Whether to tell what the client may do with each group (KIP-430).
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
            /// The name of a static member; null for a dynamic one.
            InstanceId: string option
            /// Null where the member has told none.
            RackId: string option
            /// The epoch that the member has reached. Behind the group's, it still works towards its target. -2 while a static member
            /// has left for a while.
            MemberEpoch: int32
            /// The client id from the header of the member's requests.
            ClientId: string
            /// The address that the member's requests come from, such as `/10.0.0.7`.
            ClientHost: string
            /// The topics that the member names.
            SubscribedTopicNames: string list
            /// The regular expression in RE2's syntax by which the member names topics; null or empty for none.
            SubscribedTopicRegex: string option
            /// The partitions that the member has.
            Assignment: DescribedAssignment
            /// The partitions that the member is to have.
            TargetAssignment: DescribedAssignment
            /// Which protocol the member speaks, told from version 1 on (KIP-1099).
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

    /// A group.
    type Group =
        {
            /// NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; GROUP_ID_NOT_FOUND when there is no such
            /// group or it is of another protocol; INVALID_GROUP_ID for an empty id; GROUP_AUTHORIZATION_FAILED;
            /// TOPIC_AUTHORIZATION_FAILED when the client may not see a topic of the group.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            GroupId: string
            /// Empty on error.
            GroupState: GroupState
            /// Grows with each change of members, subscriptions or topics.
            GroupEpoch: int32
            /// The group epoch for which the targets were worked out. Behind the group's, new ones are due.
            AssignmentEpoch: int32
            /// The assignor that the coordinator uses.
            AssignorName: string
            Members: Member list
            /// What the client may do with the group, where it was asked.
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
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Groups: Group list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! groups = field "Groups" _.Groups (array group)

        return { ThrottleTimeMs = throttle; Groups = groups }
    }

    let api = Api.define ApiKey.ConsumerGroupDescribe 0s 1s (Some 0s) request response
