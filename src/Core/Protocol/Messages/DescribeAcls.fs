namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeAcls (API key 29): lists the ACLs that match a filter. Send it to any broker.
module DescribeAcls =

    /// The filter: every ACL that matches it is listed.
    type Request = AclFilter

    let request = AclFilter.schema

    /// What one principal is allowed or denied.
    type Acl =
        {
            /// Such as `User:alice`; `User:*` for all users.
            Principal: string
            /// The address of the client; `*` for all addresses.
            Host: string
            Operation: AclOperation
            PermissionType: AclPermission
        }

    let acl = message {
        let! principal = field "Principal" _.Principal string
        and! host = field "Host" _.Host string
        and! operation = field "Operation" _.Operation aclOperation
        and! permission = field "PermissionType" _.PermissionType aclPermission

        return { Principal = principal; Host = host; Operation = operation; PermissionType = permission }
    }

    /// The ACLs of one resource, or of all resources with a name prefix.
    type Resource =
        {
            ResourceType: AclResourceType
            ResourceName: string
            /// Version 0 knows only literal names. Since version 1 (KIP-290).
            PatternType: AclPatternType
            Acls: Acl list
        }

    let resource = message {
        let! kind = field "ResourceType" _.ResourceType aclResourceType
        and! name = field "ResourceName" _.ResourceName string
        and! pattern = field "PatternType" _.PatternType (aclPatternType |> since AclFilter.patternTypeSince AclPatternType.Literal)
        and! acls = field "Acls" _.Acls (array acl)

        return { ResourceType = kind; ResourceName = name; PatternType = pattern; Acls = acls }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// SECURITY_DISABLED if the cluster has no authorizer (authorizer.class.name); CLUSTER_AUTHORIZATION_FAILED; INVALID_REQUEST
            /// for an inconsistent filter.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            Resources: Resource list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! resources = field "Resources" _.Resources (array resource)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text; Resources = resources }
    }

    let api =
        Api.define ApiKey.DescribeAcls (versions 0 3 |> flexibleFrom 2) request response |> Api.throttledBy _.ThrottleTimeMs

    type Acl with
        override this.ToString() = Schema.show acl this
    type Resource with
        override this.ToString() = Schema.show resource this
    type Response with
        override this.ToString() = Message.show api.Response this
