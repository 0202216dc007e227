namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DeleteAcls (API key 31): deletes the ACLs that match filters. Send it to any broker, which forwards it if it must.
module DeleteAcls =

    type Request = { Filters: AclFilter list }

    let request = message {
        let! filters = field "Filters" _.Filters (array AclFilter.schema)
        return { Filters = filters }
    }

    /// An ACL that matched.
    type Acl =
        {
            /// Why this ACL was not deleted, although it matched.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            ResourceType: AclResourceType
            ResourceName: string
            /// Version 0 knows only literal names. Since version 1 (KIP-290).
            PatternType: AclPatternType
            /// Such as `User:alice`; `User:*` for all users.
            Principal: string
            /// The address of the client; `*` for all addresses.
            Host: string
            Operation: AclOperation
            PermissionType: AclPermission
        }

    let acl = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! resource = field "ResourceType" _.ResourceType aclResourceType
        and! name = field "ResourceName" _.ResourceName string
        and! pattern = field "PatternType" _.PatternType (aclPatternType |> since AclFilter.patternTypeSince AclPatternType.Literal)
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

    /// The result for one filter.
    type FilterResult =
        {
            /// SECURITY_DISABLED if the cluster has no authorizer (authorizer.class.name); CLUSTER_AUTHORIZATION_FAILED; INVALID_REQUEST
            /// for an inconsistent filter. A filter that matches nothing is not an error.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            /// The ACLs that matched. Those without an error are deleted.
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// One result for each filter of the request, in the same order.
            FilterResults: FilterResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! results = field "FilterResults" _.FilterResults (array filterResult)

        return { ThrottleTimeMs = throttle; FilterResults = results }
    }

    let api = Api.define ApiKey.DeleteAcls (versions 0 3 |> flexibleFrom 2) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Acl with
        override this.ToString() = Schema.show acl this
    type FilterResult with
        override this.ToString() = Schema.show filterResult this
    type Response with
        override this.ToString() = Message.show api.Response this
