namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DeleteAcls (API key 31): delete the access rules that match filters. It goes to any broker, which passes it on where it must.
module DeleteAcls =

    type Request = { Filters: AclFilter list }

    let request = message {
        let! filters = field "Filters" _.Filters (array AclFilter.schema)
        return { Filters = filters }
    }

    /// A rule that matched.
    type Acl =
        {
            /// Why this rule was not deleted, though it matched.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            ResourceType: AclResourceType
            ResourceName: string
            PatternType: AclPatternType
            /// Such as `User:alice`; `User:*` for all users.
            Principal: string
            /// The address that the client comes from; `*` for all.
            Host: string
            Operation: AclOperation
            PermissionType: AclPermission
        }

    let acl = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! resource = field "ResourceType" _.ResourceType aclResourceType
        and! name = field "ResourceName" _.ResourceName string
        and! pattern = field "PatternType" _.PatternType (aclPatternType |> withDefault AclPatternType.Literal)
        and! principal = field "Principal" _.Principal string
        and! host = field "Host" _.Host string
        and! operation = field "Operation" _.Operation aclOperation
        and! permission = field "PermissionType" _.PermissionType aclPermission

        return
            { Error = error
              ErrorMessage = text
              ResourceType = resource
              ResourceName = name
              PatternType = pattern
              Principal = principal
              Host = host
              Operation = operation
              PermissionType = permission }
    }

    /// What became of one filter.
    type FilterResult =
        {
            /// SECURITY_DISABLED when the cluster runs without an authorizer (authorizer.class.name); CLUSTER_AUTHORIZATION_FAILED;
            /// INVALID_REQUEST for a filter that makes no sense. A filter that matches nothing is no error.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            /// The rules that matched and, where they have no error, are deleted.
            MatchingAcls: Acl list
        }

    let filterResult = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! acls = field "MatchingAcls" _.MatchingAcls (array acl)

        return { Error = error; ErrorMessage = text; MatchingAcls = acls }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// One for each filter of the request, in its order.
            FilterResults: FilterResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! results = field "FilterResults" _.FilterResults (array filterResult)

        return { ThrottleTimeMs = throttle; FilterResults = results }
    }

    let api = Api.define ApiKey.DeleteAcls 1s 3s (Some 2s) request response
